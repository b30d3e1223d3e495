//! Where a workspace is, and how a folder is made into one.

use std::path::{Path, PathBuf};

use super::lock::{Lock, Wait};
use super::store::{Migrated, Store, VERSION, Version, sqlite_url};
use super::{Opening, Problem};
use crate::sys::{Access, private_file, private_folder};

/// Name of the folder of the workspace's memory.
pub const FOLDER: &str = ".puomp";
const STORE: &str = "store.sqlite";
const LOCK: &str = "lock";
const PRESENT: &str = "present";
const OBJECTS: &str = "objects";
const SECRET: &str = "secret";
/// The folder of registers in a workspace's memory.
pub(super) const REGISTERS: &str = "registers";
/// Where registries go out, a folder for each payer.
pub const OUTBOX: &str = "outbox";

/// What [`Place::init`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Whether there was no workspace before.
    pub is_new: bool,
    /// The store that was brought up to date.
    pub migrated: Option<Migrated>,
}

/// Where a workspace is and where its store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The directory.
    pub root: PathBuf,
    /// Address of the store; `None` for the SQLite file in the workspace.
    pub store: Option<String>,
}

impl Place {
    /// The nearest workspace in a folder or above it.
    ///
    /// # Errors
    /// No folder upward is a workspace.
    pub fn find(from: &Path, store: Option<&str>) -> Result<Self, Problem> {
        let root = from.ancestors().find(|folder| folder.join(FOLDER).is_dir()).ok_or_else(|| Problem::NoWorkspace(from.to_owned()))?;
        Ok(Self { root: root.to_owned(), store: store.map(str::to_owned) })
    }

    /// Makes a workspace. An existing one is not changed, except that its store is brought up to date.
    ///
    /// # Errors
    /// The folder cannot be written, the store cannot be reached or is of a newer program.
    pub fn init(&self, opening: &Opening<'_>) -> Result<Made, Problem> {
        let memory = self.memory();
        let is_new = !memory.is_dir();
        private_folder(&memory).map_err(|e| Problem::Io(memory.clone(), e))?;
        if self.store.is_none() {
            let file = self.store_file();
            // SQLite creates its other files with the permissions of this one.
            private_file(&file, Access::Private).map_err(|e| Problem::Io(file.clone(), e))?;
        }
        let mut store = self.connect()?;
        if store.version()? == Version::None {
            self.alone(&mut store, opening, Store::create)?;
        }
        let migrated = self.prepare(&mut store, opening)?;
        store.close();
        Ok(Made { is_new, migrated })
    }

    /// Makes sure that a store is of this program's version; an older one is copied and brought up to date.
    ///
    /// # Errors
    /// The store has no schema, is of a newer program, or cannot be brought up to date.
    pub(super) fn prepare(&self, store: &mut Store, opening: &Opening<'_>) -> Result<Option<Migrated>, Problem> {
        let from = match store.version()? {
            Version::Current => return Ok(None),
            Version::None => return Err(Problem::NotReady(self.root.clone())),
            Version::Newer(found) => return Err(Problem::Newer(found, VERSION)),
            Version::Older(from) => from,
        };
        self.alone(store, opening, |store| store.update(&opening.operation, &self.memory().join(format!("store-{from}.sqlite"))))
    }

    /// Runs `work` on a store while no other program makes one there or brings it up to date.
    fn alone<T>(&self, store: &mut Store, opening: &Opening<'_>, work: impl FnOnce(&mut Store) -> Result<T, Problem>) -> Result<T, Problem> {
        let lock = self.lock(opening)?;
        let wait = Wait::new(opening.wait);
        while !store.try_lock_whole()? {
            if !wait.rest(opening.operation.watch)? {
                return Err(Problem::Busy("PostgreSQL".to_owned()));
            }
        }
        let done = work(store);
        let unlocked = store.unlock_whole();
        drop(lock);
        let done = done?;
        unlocked?;
        Ok(done)
    }

    /// The folder of the memory.
    pub(super) fn memory(&self) -> PathBuf {
        self.root.join(FOLDER)
    }

    /// The store of a workspace that has no other.
    pub(super) fn store_file(&self) -> PathBuf {
        self.memory().join(STORE)
    }

    /// The folder of kept files.
    pub(super) fn objects(&self) -> PathBuf {
        self.memory().join(OBJECTS)
    }

    /// The folder where registries go out.
    pub(super) fn outbox(&self) -> PathBuf {
        self.root.join(OUTBOX)
    }

    /// The file that is locked while a SQLite store is changed.
    pub(super) fn lock_file(&self) -> PathBuf {
        self.memory().join(LOCK)
    }

    /// The file that the programs share which change the workspace.
    pub(super) fn present_file(&self) -> PathBuf {
        self.memory().join(PRESENT)
    }

    fn lock(&self, opening: &Opening<'_>) -> Result<Lock, Problem> {
        Lock::take(&self.lock_file(), opening.wait, opening.holder, opening.operation.watch)
    }

    /// The file of the workspace's secret.
    pub(super) fn secret_file(&self) -> PathBuf {
        self.memory().join(SECRET)
    }

    /// The folder of registers of МЭК; it is made with the first of them.
    pub fn registers(&self) -> PathBuf {
        self.memory().join(REGISTERS)
    }

    /// Connects to the store.
    pub(super) fn connect(&self) -> Result<Store, Problem> {
        let own = || sqlite_url(&self.store_file());
        Store::connect(&self.store.clone().unwrap_or_else(own))
    }
}
