//! A directory of registry files and its memory: what was loaded, what was formed, where each registry stands, and who did what.
//!
//! `.puomp/` holds the files as they came (`objects/`, by digest) and the store (`store.sqlite`, unless a PostgreSQL database is named).
//! Whoever changes something takes the lock, does it as one transaction with one entry of the journal, and lets go. Files come before the
//! transaction that speaks of them, so that a program that is killed leaves the old state or the new one; what lies about then is swept
//! away by the next that takes the lock.

mod actor;
mod answers;
mod draft;
mod intake;
pub mod journal;
mod lock;
mod means;
mod moves;
mod problem;
mod registries;
mod sanctions;
pub mod store;
mod vault;
pub mod workflow;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

pub use actor::{Actor, now};
pub use answers::{Answer, AnswerCase, AnswerError, AnswerSanction, Decision, Verdict};
pub use intake::{CaseCounts, Doubt, Loaded, Outcome};
pub use means::{Judge, Means};
pub use moves::{Decided, FormRequest, Group, LeftOut, Received, Sanction, SanctionTrouble, Submitted, Why};
pub use problem::Problem;
pub use registries::{Registry, Stock};
pub use sanctions::{SanctionColumn, SanctionColumns, SanctionError, SanctionErrors, SanctionFault};

use lock::Lock;
use sqlx::any::AnyRow;
use store::{Store, int, sqlite_url, text};
use vault::Vault;
use workflow::Workflow;

use crate::cases::{Identity, Kinds};
use crate::sys::{Access, private_file, private_folder};
use crate::tables::{RuleFiles, TableError};

/// The folder of the memory, in the workspace's own.
pub const FOLDER: &str = ".puomp";
const STORE: &str = "store.sqlite";
const LOCK: &str = "lock";
const OBJECTS: &str = "objects";
/// Where registries go out, a folder for each payer.
const OUTBOX: &str = "outbox";

/// Where a workspace is and where its store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The directory.
    pub root: PathBuf,
    /// Address of the store; none for the file in the workspace.
    pub store: Option<String>,
}

impl Place {
    /// The nearest workspace in a folder or above it.
    ///
    /// # Errors
    /// There is none.
    pub fn find(from: &Path, store: Option<&str>) -> Result<Self, Problem> {
        let root = from.ancestors().find(|folder| folder.join(FOLDER).is_dir()).ok_or_else(|| Problem::NoWorkspace(from.to_owned()))?;
        Ok(Self { root: root.to_owned(), store: store.map(str::to_owned) })
    }

    fn memory(&self) -> PathBuf {
        self.root.join(FOLDER)
    }

    fn url(&self) -> String {
        self.store.clone().unwrap_or_else(|| sqlite_url(&self.memory().join(STORE)))
    }

    /// Makes a workspace; repeated, it changes nothing. Whether it was made now.
    ///
    /// # Errors
    /// The folder cannot be written, the store cannot be reached.
    pub fn init(&self) -> Result<bool, Problem> {
        let memory = self.memory();
        let is_new = !memory.is_dir();
        private_folder(&memory).map_err(|e| Problem::Io(memory.clone(), e))?;
        let lock = Lock::take(&memory.join(LOCK), Duration::from_secs(10), "init")?;
        if self.store.is_none() {
            let file = memory.join(STORE);
            // SQLite gives its other files the rights of the first.
            private_file(&file, Access::Private).map_err(|e| Problem::Io(file.clone(), e))?;
        }
        let mut store = Store::connect(&self.url())?;
        store.migrate()?;
        store.close();
        drop(lock);
        Ok(is_new)
    }
}

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
    vault: Vault,
    tables: Tables,
    actor: Actor,
    /// Held by whoever may change something.
    lock: Option<Lock>,
}

impl Workspace {
    /// Opens a workspace to look at it.
    ///
    /// # Errors
    /// The store cannot be opened or has not been made.
    pub fn look(place: Place, tables: Tables, actor: Actor) -> Result<Self, Problem> {
        let mut store = Store::connect(&place.url())?;
        if !store.is_ready() {
            return Err(Problem::NotReady(place.root));
        }
        let vault = Vault::new(place.memory().join(OBJECTS));
        Ok(Self { place, store, vault, tables, actor, lock: None })
    }

    /// Opens a workspace to change it; waits for another program that does for at most `wait`. What a program that was stopped left behind
    /// is put right first.
    ///
    /// # Errors
    /// [`Problem::Busy`]; as [`Workspace::look`].
    pub fn change(place: Place, tables: Tables, actor: Actor, wait: Duration, command: &str) -> Result<Self, Problem> {
        let begun = Instant::now();
        let holder = format!("{} (pid {}): puomp {command}, {}", actor.shown(), std::process::id(), now());
        let lock = Lock::take(&place.memory().join(LOCK), wait, &holder)?;
        let mut this = Self::look(place, tables, actor)?;
        while !this.store.try_lock()? {
            if begun.elapsed() >= wait {
                return Err(Problem::Busy("PostgreSQL".to_owned()));
            }
            thread::sleep(Duration::from_millis(25));
        }
        this.lock = Some(lock);
        this.recover()?;
        Ok(this)
    }

    /// The tables.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Files of the packages whose cases are not all replaced, in the order in which they were loaded.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn kept_files(&mut self) -> Result<Vec<PathBuf>, Problem> {
        let rows = self.store.rows(
            "SELECT main_object, main_name, persons_object, persons_name FROM packages p WHERE EXISTS (SELECT 1 FROM stock s WHERE s.package = p.id AND s.state <> 'replaced') ORDER BY id",
            &[],
        )?;
        let mut files = Vec::new();
        for row in rows {
            for (object, name) in [("main_object", "main_name"), ("persons_object", "persons_name")] {
                let path = self.vault.path(&text(&row, object)?, &text(&row, name)?);
                if !text(&row, object)?.is_empty() && !files.contains(&path) {
                    files.push(path);
                }
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

    /// Sweeps files that no row speaks of, and places what is to stand in the outbox.
    fn recover(&mut self) -> Result<(), Problem> {
        let rows = self.store.rows(
            "SELECT main_object AS object, main_name AS name FROM packages UNION SELECT persons_object, persons_name FROM packages \
             UNION SELECT object, file_name || '.zip' FROM registries UNION SELECT object, name FROM answers UNION SELECT object, name FROM outbox",
            &[],
        )?;
        let mut known: HashMap<String, HashSet<String>> = HashMap::new();
        for row in rows {
            known.entry(text(&row, "object")?).or_default().insert(text(&row, "name")?);
        }
        self.vault.sweep(&known).map_err(|e| Problem::Io(self.place.memory(), e))?;
        let outbox = self.place.root.join(OUTBOX);
        vault::sweep_placed(&outbox).map_err(|e| Problem::Io(outbox, e))?;
        self.place_outgoing()
    }

    /// Puts into the outbox what is not there yet. Safe to repeat: a file is placed whole, and the same bytes each time.
    ///
    /// # Errors
    /// [`Problem::Unplaced`] of the first that could not be placed; the others were tried.
    fn place_outgoing(&mut self) -> Result<(), Problem> {
        let mut first = None;
        let rows = self.store.rows(
            "SELECT o.registry AS registry, o.revision AS revision, o.path AS path, o.object AS object, o.name AS name, r.number AS number \
             FROM outbox o JOIN registries r ON r.id = o.registry WHERE o.placed = 0",
            &[],
        )?;
        for row in rows {
            let target = self.place.root.join(text(&row, "path")?);
            if let Err(problem) = self.place_one(&row, &target) {
                first.get_or_insert(Problem::Unplaced(text(&row, "number")?, target, Box::new(problem)));
            }
        }
        first.map_or(Ok(()), Err)
    }

    fn place_one(&mut self, row: &AnyRow, target: &Path) -> Result<(), Problem> {
        self.vault.place(&text(row, "object")?, &text(row, "name")?, target).map_err(|e| Problem::Io(target.to_owned(), e))?;
        let (registry, revision) = (int(row, "registry")?, int(row, "revision")?);
        self.store.execute("UPDATE outbox SET placed = 1 WHERE registry = $1 AND revision = $2", &[registry.into(), revision.into()])?;
        Ok(())
    }
}
