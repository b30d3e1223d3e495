//! Puts a package into a folder: zipped, as clinics send it, or as two plain files.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Error, Generator, Names, Totals};
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

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The files, main or archive first.
    pub files: Vec<PathBuf>,
    /// Names of the package.
    pub names: Names,
    /// What the package holds.
    pub totals: Totals,
    /// Size of both files before packing, in bytes.
    pub bytes: u64,
}

impl Generator<'_> {
    /// Writes the package into a folder, which is made if it is not there. Files of the same name are replaced.
    ///
    /// # Errors
    /// The folder or a file cannot be written, or a recipe of the tables comes to nothing.
    pub fn write_into(&self, folder: &Path, packing: Packing) -> Result<Summary, Error> {
        std::fs::create_dir_all(folder)?;
        let names = self.names().clone();
        let entries = [format!("{}.xml", names.main), format!("{}.xml", names.persons)];
        let mut bytes = 0;
        let files = match packing {
            Packing::Zip => {
                let path = folder.join(format!("{}.zip", names.main));
                let mut archive = ZipWriter::new(AtomicFile::create(&path, Access::Default)?);
                for (i, entry) in entries.iter().enumerate() {
                    // A fixed date (1980-01-01): the same options give the same archive.
                    let large = self.totals().records > LARGE;
                    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).large_file(large);
                    archive.start_file(entry.as_str(), options).map_err(io::Error::from)?;
                    bytes += self.write_one(i == 0, &mut archive)?;
                }
                archive.finish().map_err(io::Error::from)?.commit()?;
                vec![path]
            }
            Packing::Plain => {
                let mut files = Vec::new();
                for (i, entry) in entries.iter().enumerate() {
                    let path = folder.join(entry);
                    let mut file = AtomicFile::create(&path, Access::Default)?;
                    bytes += self.write_one(i == 0, &mut file)?;
                    file.commit()?;
                    files.push(path);
                }
                files
            }
        };
        Ok(Summary { files, names, totals: self.totals(), bytes })
    }

    fn write_one(&self, main: bool, out: &mut (dyn Write + Send)) -> Result<u64, Error> {
        let mut counted = Counted { out, bytes: 0 };
        if main {
            self.write_main(&mut counted)?
        } else {
            self.write_persons(&mut counted)?
        }
        Ok(counted.bytes)
    }
}

/// Records from which an entry may pass 4 GiB and needs the large headers of zip.
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
