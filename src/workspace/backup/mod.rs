//! Backups: one file that holds a consistent copy of the store, the kept files and the configuration, with a list of contents by which all of it is
//! verified.
//!
//! Other programs may go on meanwhile. The copy of the store is one state of it; files are kept before a row names them, and while this program is
//! present nobody removes any, so every file that the copy names is there. A PostgreSQL database is copied by its own means, before the files: see
//! [`Saved::shared`].

mod configuration;
mod container;
mod error;
mod manifest;
mod pack;
mod restore;
mod saving;
mod secret;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

pub use error::BackupError;
pub use manifest::Password;
pub use restore::{Restored, restore};

pub(super) use restore::forget_unfinished;

use container::Container;
use pack::{LIMITS, Packer};
use saving::{Detours, Failed, Job};

use super::damage::Damaged;
use super::journal::JournalHead;
use super::store::Store;
use super::verify::verify_store;
use super::{Operation, Problem, Workspace};
use crate::finding::Check;
use crate::registry::archive::Archive;
use crate::sys::{self, Access, AtomicFile, Temporary};

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Number of kept files in it.
    pub files: usize,
    /// Its size in bytes.
    pub size: u64,
    /// Names of files that are damaged in the workspace and were taken from the earlier backup.
    pub mended: Vec<String>,
    /// What was done about passwords in the configuration.
    pub password: Password,
    /// The address, without password, of the PostgreSQL database, which has to be copied by its own means; `None` when the store is in the backup. If the
    /// database is copied first, every file that its copy names is in the backup, but for packages of registries that were formed again in between.
    pub shared: Option<String>,
}

/// The names of each kept file by its digest.
type Names = BTreeMap<String, BTreeSet<String>>;

/// One state of the store and what it names.
struct State {
    /// The copy of a SQLite file.
    copy: Option<Temporary>,
    kept: Names,
    head: JournalHead,
}

impl State {
    fn of(store: &mut Store, operation: &Operation<'_>) -> Result<Self, Problem> {
        Ok(Self { copy: None, kept: names_in(store)?, head: JournalHead::of(&store.entries(None)?, &operation.at.to_string()) })
    }
}

impl Workspace {
    /// Writes a backup into a file, which replaces an earlier one only when it is complete and verified. Passwords of the configuration are in it only
    /// with `with_secret`. The workspace must be open for changes.
    ///
    /// # Errors
    /// The journal or the rows do not fit each other, a kept file is damaged and not in the earlier backup either, or the backup cannot be written; the
    /// watch stopped the work.
    pub fn backup(&mut self, operation: &Operation<'_>, file: &Path, with_secret: bool) -> Result<Saved, Problem> {
        self.refuse_target(file)?;
        let (configuration, password) = configuration::collect(&self.place, with_secret)?;
        let state = self.state(operation)?;
        // The store and the list of contents come on top.
        let files = state.kept.len() + configuration.len() + 2;
        if files > LIMITS.entries {
            return Err(BackupError::TooMany(files, LIMITS.entries).into());
        }
        let job = Job { objects: &self.objects, operation, state: &state, configuration: &configuration, password };
        // What is no sound backup has nothing to give.
        let mut earlier = Container::open(file).ok();
        let mut detours = Detours::default();
        let size = loop {
            if let Some(size) = self.attempt(&job, file, &mut earlier, &mut detours)? {
                break size;
            }
        };
        let mended = state.kept.iter().filter(|(sha256, _)| detours.earlier.contains(*sha256));
        let mended = mended.filter_map(|(_, names)| names.first().cloned()).collect();
        let shared = self.store.is_shared().then(|| secret::without_passwords(self.place.store.as_deref().unwrap_or_default()));
        Ok(Saved { files: state.kept.len(), size, mended, password, shared })
    }

    /// Refuses a place for a backup that would be lost with the workspace, or is no file.
    fn refuse_target(&self, file: &Path) -> Result<(), Problem> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = sys::canonicalize(folder).map_err(|error| Problem::of_file(file, error))?;
        let memory = self.place.memory();
        let memory = sys::canonicalize(&memory).map_err(|error| Problem::of_file(&memory, error))?;
        if folder.starts_with(&memory) || sys::canonicalize(file).is_ok_and(|path| path.starts_with(&memory)) {
            return Err(BackupError::Inside(file.to_owned()).into());
        }
        // A pipe or a device would be written into.
        if fs::metadata(file).is_ok_and(|there| !there.is_file()) {
            return Err(BackupError::NotAFile(file.to_owned()).into());
        }
        if Container::is_foreign(file)? {
            return Err(BackupError::Foreign(file.to_owned()).into());
        }
        Ok(())
    }

    /// Verifies one state of the store, and copies it if it is a SQLite file.
    fn state(&mut self, operation: &Operation<'_>) -> Result<State, Problem> {
        operation.check()?;
        if self.store.is_shared() {
            if !verify_store(&mut self.store, None)?.is_sound() {
                return Err(BackupError::Unsound.into());
            }
            return self.store.snapshot(|store| State::of(store, operation));
        }
        let memory = self.place.memory();
        let unwritten = |error| Problem::of_file(&memory, error);
        let copy = Temporary::create(&memory, Access::Private).map_err(unwritten)?;
        self.store.copy_into(copy.path())?;
        operation.check()?;
        let mut store = Store::open_copy(copy.path())?;
        let looked = refuse_parts(&mut store, true).and_then(|()| {
            operation.check()?;
            if verify_store(&mut store, None)?.is_sound() { State::of(&mut store, operation) } else { Err(BackupError::Unsound.into()) }
        });
        // Closed on an error too: on Windows an open file cannot be removed.
        store.close();
        Ok(State { copy: Some(copy), ..looked? })
    }

    /// Writes the backup once; returns its size, or `None` when it has to be written again with more detours.
    fn attempt(&self, job: &Job<'_>, file: &Path, earlier: &mut Option<Container>, detours: &mut Detours) -> Result<Option<u64>, Problem> {
        let unwritten = |error| Problem::of_file(file, error);
        let mut target = AtomicFile::create(file, Access::Private).map_err(unwritten)?;
        let mut packer = Packer::new(&mut target, file, &detours.stored, job.operation.watch);
        match job.pack(&mut packer, earlier.as_mut(), &detours.earlier) {
            Ok(()) => packer.finish()?,
            Err(failed) => {
                packer.give_up();
                match failed {
                    Failed::Object(sha256, damaged) => self.go_round(job, &sha256, damaged, earlier, detours)?,
                    Failed::Other(problem) => return Err(problem),
                }
                return Ok(None);
            }
        }
        let written = target.read_back().map_err(unwritten)?;
        let size = written.metadata().map_err(unwritten)?.len();
        if let Err(fault) = Archive::new(written, &LIMITS) {
            // So well packed that the reader would take it for a bomb.
            let packed = fault.value.clone().filter(|name| fault.check == Check::ZipRatio && !detours.stored.contains(name));
            detours.stored.insert(packed.ok_or_else(|| BackupError::NotABackup(file.to_owned(), fault))?);
            return Ok(None);
        }
        // On Windows an open file cannot be replaced.
        *earlier = None;
        job.operation.check()?;
        target.commit().map_err(unwritten)?;
        Ok(Some(size))
    }

    /// Finds where else the bytes of a damaged kept file can be had, and those of all that are packed after it and are damaged too.
    ///
    /// # Errors
    /// Nowhere: the error of the file. The watch stopped the work.
    fn go_round(&self, job: &Job<'_>, first: &String, damaged: Damaged, earlier: &mut Option<Container>, detours: &mut Detours) -> Result<(), Problem> {
        // Its detour led nowhere: the bytes were changed since.
        if detours.earlier.contains(first) {
            return Err(damaged.into());
        }
        let mut known = Some(damaged);
        for (sha256, names) in job.state.kept.range(first.clone()..) {
            job.operation.check()?;
            let name = names.first().map_or("", String::as_str);
            let Some(damaged) = known.take().or_else(|| self.objects.check(sha256, name).err()) else { continue };
            if !earlier.as_mut().is_some_and(|earlier| earlier.has(sha256)) {
                return Err(damaged.into());
            }
            detours.earlier.insert(sha256.clone());
        }
        Ok(())
    }
}

/// The names of all files that rows of a store name.
fn names_in(store: &mut Store) -> Result<Names, Problem> {
    Ok(store.kept_files()?.into_iter().map(|(sha256, names)| (sha256, names.into_iter().collect())).collect())
}

/// Refuses a copy of a SQLite store that is damaged or has parts which are not ours; with `exactly` also one that is not as this program makes it.
fn refuse_parts(store: &mut Store, exactly: bool) -> Result<(), Problem> {
    if let Some(part) = store.foreign_part(exactly)? {
        return Err(BackupError::ForeignPart(part).into());
    }
    match store.broken_part()? {
        Some(reason) => Err(BackupError::StoreBroken(reason).into()),
        None => Ok(()),
    }
}
