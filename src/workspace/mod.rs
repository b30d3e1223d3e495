//! A directory of registry files and its memory: what was loaded, what was formed, where each registry stands, and who did what.
//!
//! `.puomp/` holds the files as they came (`objects/`, by digest) and the store (`store.sqlite`, unless a PostgreSQL database is named).
//! Whoever changes something takes the lock, does it as one transaction with one entry of the journal, and lets go. Files come before the
//! transaction that speaks of them, so that a program that is killed leaves the old state or the new one; what lies about then is swept
//! away by the next that takes the lock.

mod actor;
mod answers;
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
pub use intake::{CaseCounts, Doubt, Loaded, Outcome};
pub use moves::{Decided, FormRequest, Group, LeftOut, Received, Sanction, SanctionTrouble, Submitted, Why};
pub use objects::{Damage, Damaged};
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

/// The tables that the workspace works by.
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
    /// Reads them.
    ///
    /// # Errors
    /// One of them is broken.
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
    /// Held by whoever may change something.
    lock: Option<Lock>,
    /// A package of a registry that was sent and could not be placed when the workspace was opened.
    unplaced: Option<Problem>,
}

impl Workspace {
    /// Opens a workspace to look at it.
    ///
    /// # Errors
    /// The store cannot be opened or has not been made.
    pub fn open_read(place: Place, tables: Tables) -> Result<Self, Problem> {
        let mut store = place.connect()?;
        if !store.is_ready() {
            return Err(Problem::NotReady(place.root));
        }
        let objects = Objects::new(place.objects());
        Ok(Self { place, store, objects, tables, lock: None, unplaced: None })
    }

    /// Opens a workspace to change it; waits for another program that does for at most `wait`. `holder` is what others read meanwhile who
    /// wait for this one. What a program that was stopped left behind is put right first.
    ///
    /// # Errors
    /// [`Problem::Busy`]; the watch wants to wait no longer; as [`Workspace::open_read`].
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

    /// The same, with the time of the store added to these.
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

    /// Files of the packages whose cases are not all replaced, in the order in which they were loaded.
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

    /// Lets go of the store, then of the lock.
    pub fn close(self) {
        let Self { store, lock, .. } = self;
        store.close();
        drop(lock);
    }
}
