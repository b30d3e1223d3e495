//! Writes official protocols, one file for each package.

use std::collections::HashSet;
use std::fs;
use std::io::{self, BufReader, Read, Seek as _};
use std::path::{Path, PathBuf};

use super::Failure;
use crate::finding::Catalog;
use crate::flk::PackageReport;
use crate::report::flk::{Naming, Protocol};
use crate::sys::{Access, AtomicFile, open_input};

/// Protocols that are flushed to the disk together.
const TOGETHER: usize = 64;

/// Writes official protocols. They get their names some at a time, because each wait for the disk takes longer than writing one.
pub(super) struct Protocols<'a> {
    folder: &'a Path,
    protocol: &'a Protocol,
    catalog: &'a Catalog,
    naming: Naming,
    /// Files of this run, in lower case: two packages must not share a file, even where the file system ignores case.
    names: HashSet<PathBuf>,
    /// Written, and without a name so far.
    waiting: Vec<AtomicFile>,
    count: u64,
    /// Path of the protocol if it is the only one so far.
    only: Option<PathBuf>,
}

impl<'a> Protocols<'a> {
    pub(super) fn new(folder: &'a Path, protocol: &'a Protocol, catalog: &'a Catalog, naming: Naming) -> Result<Self, Failure> {
        fs::create_dir_all(folder).map_err(|error| Failure::Write(folder.to_owned(), error))?;
        Ok(Self { folder, protocol, catalog, naming, names: HashSet::new(), waiting: Vec::new(), count: 0, only: None })
    }

    pub(super) fn folder(&self) -> &'a Path {
        self.folder
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn only(&self) -> Option<&Path> {
        self.only.as_deref()
    }

    /// Writes the protocol of a package into the folder. That of an earlier run is replaced; a second one of this run gets a number.
    pub(super) fn replace(&mut self, report: &PackageReport) -> Result<(), Failure> {
        let path = self.paths(self.folder, report).find(|path| self.is_free(path)).unwrap_or_default();
        let file = self.written(&path, report)?;
        self.wait(file, path)
    }

    /// Writes the protocol of a package into this folder under a name that no file bears. If the control of the package was told before (`is_again`), a
    /// protocol that says the same in the same words is that of this package: no other is written.
    pub(super) fn add(&mut self, folder: &Path, report: &PackageReport, is_again: bool) -> Result<(), Failure> {
        let mut there = Vec::new();
        let mut free = PathBuf::new();
        for path in self.paths(folder, report).filter(|path| self.is_free(path)) {
            if path.symlink_metadata().is_err() {
                free = path;
                break;
            }
            there.push(path);
        }
        let mut file = self.written(&free, report)?;
        if is_again {
            for path in there {
                // What cannot be read is none of ours.
                if is_same(&mut file, &path).map_err(|error| Failure::Write(free.clone(), error))? {
                    self.names.insert(lower(&path));
                    return Ok(());
                }
            }
        }
        self.wait(file, free)
    }

    /// Gives the protocols that were written their names. They are safe from a power cut then.
    pub(super) fn settle(&mut self) -> Result<(), Failure> {
        AtomicFile::commit_all(std::mem::take(&mut self.waiting)).map_err(|(path, error)| Failure::Write(path, error))
    }

    /// The paths that a protocol may get, the best one first: its name, and then with a number from 2.
    fn paths(&self, folder: &Path, report: &PackageReport) -> impl Iterator<Item = PathBuf> + use<> {
        let (folder, name) = (folder.to_owned(), self.naming.file_name(report));
        (1_u64..).map(move |number| {
            let (stem, end) = name.rsplit_once('.').unwrap_or((&name, "xml"));
            folder.join(if number == 1 { name.clone() } else { format!("{stem}-{number}.{end}") })
        })
    }

    fn is_free(&self, path: &Path) -> bool {
        !self.names.contains(&lower(path))
    }

    fn written(&self, path: &Path, report: &PackageReport) -> Result<AtomicFile, Failure> {
        let write = || {
            let mut file = AtomicFile::create(path, Access::Private)?;
            self.protocol.write(&mut file, report, self.catalog, self.naming)?;
            Ok(file)
        };
        write().map_err(|error| Failure::Write(path.to_owned(), error))
    }

    fn wait(&mut self, file: AtomicFile, path: PathBuf) -> Result<(), Failure> {
        self.names.insert(lower(&path));
        self.waiting.push(file);
        self.count += 1;
        self.only = (self.count == 1).then_some(path);
        if self.waiting.len() < TOGETHER { Ok(()) } else { self.settle() }
    }
}

/// A path in lower case.
fn lower(path: &Path) -> PathBuf {
    PathBuf::from(path.to_string_lossy().to_lowercase())
}

/// Whether a file holds the bytes that were written; not if it cannot be read.
fn is_same(written: &mut AtomicFile, path: &Path) -> io::Result<bool> {
    let Ok(there) = open_input(path) else { return Ok(false) };
    let ours = written.read_back()?;
    ours.rewind()?;
    let (mut ours, mut theirs) = (BufReader::new(ours).bytes(), BufReader::new(there).bytes());
    loop {
        match (ours.next().transpose()?, theirs.next()) {
            (None, None) => return Ok(true),
            (Some(byte), Some(Ok(other))) if byte == other => {}
            _ => return Ok(false),
        }
    }
}
