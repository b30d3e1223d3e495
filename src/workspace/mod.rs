//! A workspace: a directory of registry files and its memory (loaded packages, formed registries, their status, the journal).
//!
//! `.puomp/` holds the files as they were given (`objects/`, under their digests) and the store (`store.sqlite`, unless a PostgreSQL database is
//! named). A clinic is the unit: a change takes the lock of its clinic, makes one short transaction with an entry of the clinic's journal, and
//! releases the lock. Control and the writing of files happen before that, outside the lock.
//! Files are written before the transaction that refers to them, so a program that is killed leaves the old state or the new one. The
//! next command that changes the workspace removes files that no row refers to, unless another program is at work.

mod actor;
mod answers;
mod backup;
mod change;
mod damage;
mod intake;
pub mod journal;
mod listing;
mod lock;
mod moves;
mod note;
mod objects;
mod operation;
mod place;
mod presence;
mod problem;
mod recovery;
mod registries;
mod sanctions;
mod secret;
mod storage;
mod store;
mod taking_back;
mod tools;
mod verify;
pub mod workflow;

use std::collections::HashSet;

pub use actor::Actor;
pub use answers::{Answer, AnswerCase, AnswerError, AnswerSanction, CaseSums, Decision, Verdict};
pub use backup::{BackupError, Password, Restored, Saved, restore};
pub use damage::{Damage, Damaged};
pub use intake::{Asked, CaseCounts, CaseElsewhere, Doubt, Loaded, Loading, NotTaken, Outcome, Present};
pub use listing::{CaseId, CaseLine, CaseNote, CaseQuery, Change, Reason, Story};
pub use moves::{Decided, FormEvent, FormPlan, FormRequest, Formed, Group, LeftOut, NamedCase, Received, Sanction, SanctionTrouble, Submitted, Why};
pub use operation::{Opening, Operation};
pub use place::{FOLDER, Made, OUTBOX, Place};
pub use problem::Problem;
pub use sanctions::{SanctionColumn, SanctionColumns, SanctionError, SanctionErrors, SanctionFault};
pub use secret::Mask;
pub use store::{CaseFinding, CaseMember, CaseSanction, HeldAgainst, ListedCase, Migrated, Registry, Stock, StoreCopy, StoreError, Total};
pub use taking_back::{Absent, CaseTrouble, Taking, TakingError, Undone, Unloaded};
pub use tools::{FindingFilter, Tools};
pub use verify::{RowFault, Verified};

use change::Locks;
use objects::Objects;
use presence::Presence;
use store::{Clinic, PackageRow, Store};
use workflow::Workflow;

use crate::cases::{Identity, Kinds};
use crate::registry::source::DiskFile;
use crate::tables::{RuleFiles, TableError};
use crate::timings::Timings;

/// The rule tables that a workspace uses.
#[derive(Debug)]
pub struct Tables {
    /// Statuses and moves.
    pub workflow: Workflow,
    /// Kinds of care.
    pub kinds: Kinds,
    identity: Identity,
    answers: answers::Elements,
    resubmission: moves::Resubmission,
    payers: intake::Payers,
}

impl Tables {
    /// Reads the tables.
    ///
    /// # Errors
    /// One of the tables is broken.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        Ok(Self {
            workflow: Workflow::load(files)?,
            kinds: Kinds::load(files)?,
            identity: Identity::load(files)?,
            answers: answers::Elements::load(files)?,
            resubmission: moves::Resubmission::load(files)?,
            payers: intake::Payers::load(files)?,
        })
    }
}

/// An open workspace.
#[derive(Debug)]
pub struct Workspace {
    place: Place,
    store: Store,
    objects: Objects,
    tables: Tables,
    locks: Locks,
    /// The presence of a program that changes the workspace; `None` for reading.
    presence: Option<Presence>,
    /// A package of a registry that was sent and could not be placed when the workspace was opened.
    unplaced: Option<Problem>,
    /// What was done to a store of an older program when the workspace was opened.
    migrated: Option<Migrated>,
    /// Whether packages of earlier programs have been read again since the workspace was opened.
    is_read_again: bool,
    /// Names of packages of earlier programs that could not be read again.
    unread: Vec<String>,
}

impl Workspace {
    /// Opens a workspace to look at it. The store of an older program is brought up to date.
    ///
    /// # Errors
    /// The store cannot be opened, its schema is missing or of a newer program, or it cannot be brought up to date.
    pub fn open_read(place: Place, tables: Tables, opening: &Opening<'_>) -> Result<Self, Problem> {
        let mut store = place.connect()?;
        store.introduce(opening.holder)?;
        let migrated = place.prepare(&mut store, opening)?;
        let objects = Objects::in_folder(place.objects());
        let locks = Locks::new(place.lock_file(), opening.holder, opening.wait);
        Ok(Self { place, store, objects, tables, locks, presence: None, unplaced: None, migrated, is_read_again: false, unread: Vec::new() })
    }

    /// Opens a workspace for changes. First cleans up after a program that was stopped.
    ///
    /// # Errors
    /// The errors of [`Workspace::open_read`]; the watch stopped the work.
    pub fn open_write(place: Place, tables: Tables, opening: &Opening<'_>) -> Result<Self, Problem> {
        let mut this = Self::open_read(place, tables, opening)?;
        let watch = opening.operation.watch;
        this.presence = Some(Presence::begin(&this.place.present_file(), &mut this.store, opening.wait, watch)?);
        this.recover(watch)?;
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

    /// Names of packages of earlier programs that could not be read again, because their files are damaged or gone, told once: of their cases less is known.
    pub fn unread(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unread)
    }

    /// What was done to a store of an older program when the workspace was opened, told once.
    pub fn migrated(&mut self) -> Option<Migrated> {
        self.migrated.take()
    }

    /// Changes rows of a clinic in one transaction under its lock, with an entry of its journal.
    ///
    /// # Errors
    /// [`Problem::Busy`], a stop of the work, or the error of `work`; nothing is changed then.
    fn change<T>(&mut self, operation: &Operation<'_>, mo: &str, work: impl FnOnce(&mut Clinic<'_>) -> Result<T, Problem>) -> Result<T, Problem> {
        self.locks.change(&mut self.store, operation, mo, work)
    }

    /// The tables.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The files of all packages that have cases which are not replaced, in the order of loading.
    ///
    /// # Errors
    /// The store cannot be read, or a file is not what was loaded.
    pub fn kept_files(&mut self) -> Result<Vec<DiskFile>, Problem> {
        let packages = self.store.current_packages()?;
        self.objects.check_all(packages.iter().flat_map(PackageRow::files))?;
        let mut seen = HashSet::new();
        let files = packages.iter().flat_map(PackageRow::files).filter(|file| seen.insert(*file));
        files.map(|(object, name)| Ok(DiskFile::kept(self.objects.local(object, name)?, name))).collect()
    }

    /// Closes the store; this program is no longer present then.
    pub fn close(self) {
        let Self { store, presence, .. } = self;
        store.close();
        drop(presence);
    }
}
