//! Reads a backup: nothing of it is handed on as whole before its digest was compared.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::configuration;
use super::error::BackupError;
use super::manifest::{MANIFEST, Manifest, object_entry};
use super::pack::{LIMITS, pour};
use crate::registry::archive::{Archive, EntryReader};
use crate::registry::fault::Fault;
use crate::sys::open_input;
use crate::values::hex;
use crate::workspace::Problem;
use crate::workspace::storage::is_digest;

/// Most bytes of the list of contents: four million files with names of 100 letters.
const LARGEST_MANIFEST: u64 = 2 << 30;

/// An open backup whose list of contents and directory name the same entries with the same sizes.
#[derive(Debug)]
pub(super) struct Container {
    path: PathBuf,
    archive: Archive<File>,
    /// Number of each entry in the directory.
    places: HashMap<String, usize>,
    pub(super) manifest: Manifest,
}

impl Container {
    /// Opens a backup.
    ///
    /// # Errors
    /// The file cannot be read, is no backup, or its list of contents and its directory differ.
    pub(super) fn open(path: &Path) -> Result<Self, Problem> {
        let file = open_input(path).map_err(|error| Problem::Unread(path.to_owned(), error))?;
        let not = |fault: Fault| BackupError::NotABackup(path.to_owned(), fault);
        let mut archive = Archive::new(file, &LIMITS).map_err(not)?;
        let places: HashMap<String, usize> = archive.entries().iter().enumerate().map(|(number, entry)| (entry.name.clone(), number)).collect();
        let lacking = |name: &str| BackupError::Entry(name.to_owned());
        let number = *places.get(MANIFEST).filter(|number| archive.entries()[**number].size <= LARGEST_MANIFEST).ok_or_else(|| lacking(MANIFEST))?;
        let mut json = Vec::new();
        let read = archive.entry(number).map_err(io::Error::from).and_then(|mut entry| io::Read::read_to_end(&mut entry, &mut json));
        read.map_err(|error| not(error.into()))?;
        let manifest = Manifest::import(path, &json)?;
        let mut due: BTreeMap<String, u64> = BTreeMap::new();
        for (name, content) in manifest.entries() {
            if !is_digest(&content.sha256) || due.insert(name.clone(), content.size).is_some() {
                return Err(lacking(&name).into());
            }
        }
        if let Some(file) = manifest.configuration.iter().find(|file| !configuration::is_known(&file.path)) {
            return Err(lacking(&file.path).into());
        }
        if let Some(object) = manifest.objects.iter().find(|object| object.names.is_empty() || !object.names.iter().all(|name| is_plain(name))) {
            return Err(lacking(&object_entry(&object.sha256)).into());
        }
        due.insert(MANIFEST.to_owned(), json.len() as u64);
        let there: BTreeMap<String, u64> = archive.entries().iter().map(|entry| (entry.name.clone(), entry.size)).collect();
        if let Some((name, _)) =
            due.iter().find(|(name, size)| there.get(*name) != Some(size)).or_else(|| there.iter().find(|(name, _)| !due.contains_key(*name)))
        {
            return Err(lacking(name).into());
        }
        Ok(Self { path: path.to_owned(), archive, places, manifest })
    }

    /// Whether something else than a backup, whole or damaged, stands in a file: it is nobody's to replace.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub(super) fn is_foreign(path: &Path) -> Result<bool, Problem> {
        let file = match open_input(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            file => file.map_err(|error| Problem::Unread(path.to_owned(), error))?,
        };
        let is_empty = file.metadata().map_err(|error| Problem::Unread(path.to_owned(), error))?.len() == 0;
        Ok(!is_empty && !Archive::new(file, &LIMITS).is_ok_and(|archive| archive.entries().iter().any(|entry| entry.name == MANIFEST)))
    }

    /// The path of the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A stream of an entry's bytes. Its digest has to be compared by whoever reads it.
    ///
    /// # Errors
    /// There is no such entry.
    pub(super) fn stream(&mut self, name: &str) -> Result<EntryReader<&mut File>, Problem> {
        let number = *self.places.get(name).ok_or_else(|| BackupError::Entry(name.to_owned()))?;
        self.archive.entry(number).map_err(|fault| BackupError::NotABackup(self.path.clone(), fault).into())
    }

    /// Reads an entry in pieces, and fails after the last of them if they do not have this digest.
    ///
    /// # Errors
    /// The entry is damaged, or the error of `take`.
    pub(super) fn read(&mut self, name: &str, sha256: &str, take: &mut dyn FnMut(&[u8]) -> Result<(), Problem>) -> Result<(), Problem> {
        let path = self.path.clone();
        let mut hasher = Sha256::new();
        pour(self.stream(name)?, |error| broken(&path, error), &mut |bytes| {
            hasher.update(bytes);
            take(bytes)
        })?;
        if hex(&hasher.finalize()) == sha256 { Ok(()) } else { Err(BackupError::Changed(name.to_owned()).into()) }
    }

    /// Whether the bytes of a kept file are in the backup, unchanged.
    pub(super) fn has(&mut self, sha256: &str) -> bool {
        self.read(&object_entry(sha256), sha256, &mut |_| Ok(())).is_ok()
    }
}

/// Whether the name of a kept file is one that a file can have here, and leads nowhere.
pub(super) fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(only)), None) if only == name)
}

/// The error of a stream of an entry: the archive is damaged, or the system cannot read it.
pub(super) fn broken(path: &Path, error: io::Error) -> Problem {
    match error.get_ref().is_some_and(|inner| inner.is::<Fault>()) {
        true => BackupError::NotABackup(path.to_owned(), error.into()).into(),
        false => Problem::of_file(path, error),
    }
}
