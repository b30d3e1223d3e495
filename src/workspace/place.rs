//! Where a workspace is, and how a folder is made into one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Problem;
use super::lock::Lock;
use super::store::{Store, sqlite_url};
use crate::sys::{Access, private_file, private_folder};
use crate::watch::{Unwatched, Watch};

/// Name of the folder of the workspace's memory.
pub const FOLDER: &str = ".puomp";
const STORE: &str = "store.sqlite";
const LOCK: &str = "lock";
const OBJECTS: &str = "objects";
/// Where registries go out, a folder for each payer.
pub(super) const OUTBOX: &str = "outbox";

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

    /// Makes a workspace. Returns whether it is new; an existing workspace is not changed.
    ///
    /// # Errors
    /// The folder cannot be written, the store cannot be reached.
    pub fn init(&self) -> Result<bool, Problem> {
        let memory = self.memory();
        let is_new = !memory.is_dir();
        private_folder(&memory).map_err(|e| Problem::Io(memory.clone(), e))?;
        let lock = self.lock(Duration::from_secs(10), "init", &Unwatched)?;
        if self.store.is_none() {
            let file = memory.join(STORE);
            // SQLite creates its other files with the permissions of this one.
            private_file(&file, Access::Private).map_err(|e| Problem::Io(file.clone(), e))?;
        }
        let mut store = self.connect()?;
        store.migrate()?;
        store.close();
        drop(lock);
        Ok(is_new)
    }

    /// The folder of the memory.
    pub(super) fn memory(&self) -> PathBuf {
        self.root.join(FOLDER)
    }

    /// The folder of kept files.
    pub(super) fn objects(&self) -> PathBuf {
        self.memory().join(OBJECTS)
    }

    /// The folder where registries go out.
    pub(super) fn outbox(&self) -> PathBuf {
        self.root.join(OUTBOX)
    }

    /// Takes the lock for changing the workspace.
    pub(super) fn lock(&self, wait: Duration, holder: &str, watch: &dyn Watch) -> Result<Lock, Problem> {
        Lock::take(&self.memory().join(LOCK), wait, holder, watch)
    }

    /// Connects to the store.
    pub(super) fn connect(&self) -> Result<Store, Problem> {
        let own = || sqlite_url(&self.memory().join(STORE));
        Store::connect(&self.store.clone().unwrap_or_else(own))
    }
}
