//! A workspace: a directory of registry files and its memory (loaded packages, formed registries, their status, the journal).
//!
//! `.puomp/` holds the files as they were given (`objects/`, by digest) and the store (`store.sqlite`, unless a PostgreSQL database is
//! named). A command that changes something takes the lock, makes its changes, each in one transaction with its entry of the journal, and releases
//! the lock.
//! Files are written before the transaction that refers to them, so a program that is killed leaves the old state or the new one. The
//! next command that takes the lock removes files that no row refers to.

mod actor;
mod answers;
mod damage;
mod intake;
pub mod journal;
mod lock;
mod moves;
mod note;
mod objects;
mod operation;
mod place;
mod problem;
mod recovery;
mod registries;
mod sanctions;
mod store;
mod tools;
pub mod workflow;

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

pub use actor::Actor;
pub use answers::{Answer, AnswerCase, AnswerError, AnswerSanction, Decision, Verdict};
pub use damage::{Damage, Damaged};
pub use intake::{CaseCounts, Doubt, Loaded, Outcome};
pub use moves::{Decided, FormRequest, Group, LeftOut, Received, Sanction, SanctionTrouble, Submitted, Why};
pub use operation::Operation;
pub use place::{FOLDER, Place};
pub use problem::Problem;
pub use sanctions::{SanctionColumn, SanctionColumns, SanctionError, SanctionErrors, SanctionFault};
pub use store::{Registry, Stock, StoreError};
pub use tools::{FindingFilter, Tools};

use lock::Lock;
use objects::Objects;
use store::{PackageRow, Store};
use workflow::Workflow;

use crate::cases::{Identity, Kinds};
use crate::tables::{RuleFiles, TableError};
use crate::timings::Timings;
use crate::watch::{Stopped, Watch};

/// The rule tables that a workspace uses.
#[derive(Debug)]
pub struct Tables {
    /// Statuses and moves.
    pub workflow: Workflow,
    /// Kinds of care.
    pub kinds: Kinds,
    identity: Identity,
    answers: answers::Elements,
}

impl Tables {
    /// Reads the tables.
    ///
    /// # Errors
    /// One of the tables is broken.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        Ok(Self { workflow: Workflow::load(files)?, kinds: Kinds::load(files)?, identity: Identity::load(files)?, answers: answers::Elements::load(files)? })
    }
}

/// An open workspace.
#[derive(Debug)]
pub struct Workspace {
    place: Place,
    store: Store,
    objects: Objects,
    tables: Tables,
    /// The lock of a workspace that was opened for changes; `None` for reading.
    lock: Option<Lock>,
    /// A package of a registry that was sent and could not be placed when the workspace was opened.
    unplaced: Option<Problem>,
}

impl Workspace {
    /// Opens a workspace to look at it.
    ///
    /// # Errors
    /// The store cannot be opened, or its schema is missing or of another version.
    pub fn open_read(place: Place, tables: Tables) -> Result<Self, Problem> {
        let mut store = place.connect()?;
        if !store.is_ready() {
            return Err(Problem::NotReady(place.root));
        }
        let objects = Objects::new(place.objects());
        Ok(Self { place, store, objects, tables, lock: None, unplaced: None })
    }

    /// Opens a workspace for changes; waits at most `wait` for another program that changes it. `holder` is the text that programs waiting
    /// for this one show. First cleans up after a program that was stopped.
    ///
    /// # Errors
    /// [`Problem::Busy`]; the watch stopped the wait; the errors of [`Workspace::open_read`].
    pub fn open_write(place: Place, tables: Tables, holder: &str, wait: Duration, watch: &dyn Watch) -> Result<Self, Problem> {
        let begun = Instant::now();
        let lock = place.lock(wait, holder, watch)?;
        let mut this = Self::open_read(place, tables)?;
        while !this.store.try_lock()? {
            Stopped::check(watch)?;
            if begun.elapsed() >= wait {
                return Err(Problem::Busy("PostgreSQL".to_owned()));
            }
            thread::sleep(Duration::from_millis(25));
        }
        this.lock = Some(lock);
        this.recover()?;
        Ok(this)
    }

    /// The same workspace, which adds the time spent in the store to `timings`.
    #[must_use]
    pub fn timed(mut self, timings: Option<&Timings>) -> Self {
        self.store.measure(timings);
        self
    }

    /// [`Problem::Unplaced`], told once: a registry was sent and its package could not be put where it is due when this workspace was opened to change
    /// it.
    pub fn unplaced(&mut self) -> Option<Problem> {
        self.unplaced.take()
    }

    /// The tables.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Paths of the files of all packages that have cases which are not replaced, in the order of loading.
    ///
    /// # Errors
    /// The store cannot be read, or a file is not what was loaded.
    pub fn kept_files(&mut self) -> Result<Vec<PathBuf>, Problem> {
        let packages = self.store.packages().current()?;
        self.objects.check_all(packages.iter().flat_map(PackageRow::files))?;
        let mut files = Vec::new();
        for (object, name) in packages.iter().flat_map(PackageRow::files) {
            let path = self.objects.path(object, name);
            if !files.contains(&path) {
                files.push(path);
            }
        }
        Ok(files)
    }

    /// Closes the store, then releases the lock.
    pub fn close(self) {
        let Self { store, lock, .. } = self;
        store.close();
        drop(lock);
    }
}
