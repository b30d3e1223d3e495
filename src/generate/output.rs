//! Writes a package into a folder: zipped, as clinics send it, or as two plain files.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Defect, Error, Everything, Generator, Names, Totals};
use crate::sys::{Access, AtomicFile};

/// How the files are put into the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Packing {
    /// Both files in one archive, named as the main file.
    #[default]
    Zip,
    /// Two files.
    Plain,
}

/// Summary of a written package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The files; the main file or the archive comes first.
    pub files: Vec<PathBuf>,
    /// Names of the package.
    pub names: Names,
    /// Totals of the package.
    pub totals: Totals,
    /// Number of defects that were put in; the last of the files lists them.
    pub defects: u64,
    /// Size of both files before packing, in bytes.
    pub bytes: u64,
}

impl Generator<'_> {
    /// Writes the package into a folder, which is created if necessary. Files of the same name are replaced.
    ///
    /// # Errors
    /// The folder or a file cannot be written, or a recipe of the tables fails.
    pub fn write_into(&self, folder: &Path, packing: Packing) -> Result<Summary, Error> {
        std::fs::create_dir_all(folder)?;
        let names = self.names().clone();
        let mut list = if self.is_spoiled() { Some(List::new(folder)?) } else { None };
        let large = self.totals().records > LARGE;
        let mut bytes = 0;
        let mut files = pack(folder, &names, packing, large, &mut |main, out| {
            bytes += self.write_one(main, out, list.as_mut())?;
            Ok(())
        })?;
        let defects = list.as_ref().map_or(0, |l| l.count);
        if let Some(list) = list {
            files.push(list.commit()?);
        }
        Ok(Summary { files, names, totals: self.totals(), defects, bytes })
    }

    fn write_one(&self, main: bool, out: &mut (dyn Write + Send), mut list: Option<&mut List>) -> Result<u64, Error> {
        let mut counted = Counted { out, bytes: 0 };
        let mut note = |defect: &Defect| list.as_mut().map_or(Ok(()), |l| l.add(defect));
        if main {
            self.write_main(&mut counted, &mut note)?
        } else {
            self.write_persons(&mut counted, &mut note)?
        }
        Ok(counted.bytes)
    }
}

impl Everything {
    /// Writes the package into a folder, which is created if necessary; returns the files.
    ///
    /// # Errors
    /// The folder or a file cannot be written.
    pub fn write_into(&self, folder: &Path, packing: Packing) -> Result<Vec<PathBuf>, Error> {
        std::fs::create_dir_all(folder)?;
        pack(folder, &self.names, packing, false, &mut |main, out| Ok(out.write_all(if main { &self.main } else { &self.persons })?))
    }
}

/// Writes both files: `write` is called for the main file, then for the person file.
fn pack(
    folder: &Path,
    names: &Names,
    packing: Packing,
    large: bool,
    write: &mut dyn FnMut(bool, &mut (dyn Write + Send)) -> Result<(), Error>,
) -> Result<Vec<PathBuf>, Error> {
    let entries = [format!("{}.xml", names.main), format!("{}.xml", names.persons)];
    if packing == Packing::Zip {
        let path = folder.join(format!("{}.zip", names.main));
        let mut archive = ZipWriter::new(AtomicFile::create(&path, Access::Default)?);
        for (i, entry) in entries.iter().enumerate() {
            // The date is fixed (1980-01-01), so that the same options give the same archive.
            let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).large_file(large);
            archive.start_file(entry.as_str(), options).map_err(io::Error::from)?;
            write(i == 0, &mut archive)?;
        }
        archive.finish().map_err(io::Error::from)?.commit()?;
        return Ok(vec![path]);
    }
    let mut files = Vec::new();
    for (i, entry) in entries.iter().enumerate() {
        let path = folder.join(entry);
        let mut file = AtomicFile::create(&path, Access::Default)?;
        write(i == 0, &mut file)?;
        file.commit()?;
        files.push(path);
    }
    Ok(files)
}

/// Name of the list of defects.
const DEFECTS: &str = "defects.csv";

/// The list of defects, a CSV file beside the package.
struct List {
    writer: csv::Writer<AtomicFile>,
    path: PathBuf,
    count: u64,
}

impl List {
    fn new(folder: &Path) -> io::Result<Self> {
        let path = folder.join(DEFECTS);
        let mut writer = csv::Writer::from_writer(AtomicFile::create(&path, Access::Default)?);
        writer.write_record(["file", "line", "column", "offset", "path", "record", "rule"])?;
        Ok(Self { writer, path, count: 0 })
    }

    fn add(&mut self, defect: &Defect) -> io::Result<()> {
        let record = defect.record.map_or_else(String::new, |r| r.to_string());
        let (line, column, offset) = (defect.line.to_string(), defect.column.to_string(), defect.offset.to_string());
        self.writer.write_record([&defect.file, &line, &column, &offset, &defect.path, &record, &defect.rule])?;
        self.count += 1;
        Ok(())
    }

    fn commit(self) -> io::Result<PathBuf> {
        let file = self.writer.into_inner().map_err(|e| io::Error::other(e.to_string()))?;
        file.commit()?;
        Ok(self.path)
    }
}

/// Number of records from which an entry may exceed 4 GiB and needs the large headers of zip.
const LARGE: u64 = 1_000_000;

struct Counted<'a> {
    out: &'a mut (dyn Write + Send),
    bytes: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
