//! The store: one SQLite file in the workspace, or a PostgreSQL database that many machines share.
//!
//! All SQL stands here, one file a subject: [`Store::cases`] and its like are the doors. Queries are written once, in the SQL that both
//! understand (`$1` for a parameter, no NULL, sums cast to BIGINT). A command uses the store from one thread.

mod answers;
mod cases;
mod counters;
mod error;
mod findings;
mod journal;
mod members;
mod outbox;
mod packages;
mod registries;
mod row;
mod sanctions;
mod statement;
mod stock;
mod waiting;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, Connection as _, SqlSafeStr as _};

use super::Problem;
use crate::timings::Timings;

pub(super) use answers::NewAnswer;
pub(super) use cases::{FoundCase, KnownCase, NewCase};
pub(super) use counters::Run;
pub use error::StoreError;
pub(super) use findings::NewFinding;
pub(super) use members::{Member, MemberTotals, NewMember};
pub(super) use outbox::{DueFile, NewOutgoing};
pub(super) use packages::PackageRow;
pub(super) use registries::NewRevision;
pub use registries::Registry;
pub(super) use sanctions::NewSanction;
pub use stock::Stock;
pub(super) use stock::{StockKey, Total};

use row::read_row;
use waiting::Waiting;

/// The steps of the schema, each run once, in this order; a step that was released is never changed.
const MIGRATIONS: [(i64, &str, &str); 1] = [(1, "workspace", include_str!("migrations/0001_workspace.sql"))];

/// Settings of SQLite. Readers do not wait for the writer; a commit is on the disk when it returns; what a statement may have to undo is
/// kept in memory; the log goes into the store at 64 MiB and when the last one leaves, not a thousand pages at a time.
const PRAGMAS: [&str; 7] = [
    "PRAGMA page_size = 16384",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA cache_size = -65536",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA wal_autocheckpoint = 16384",
];

/// A connection to the store.
pub(super) struct Store {
    runtime: Waiting,
    connection: AnyConnection,
    /// PostgreSQL.
    shared: bool,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("shared", &self.shared).finish_non_exhaustive()
    }
}

/// The address of a SQLite file for sqlx.
pub(super) fn sqlite_url(file: &Path) -> String {
    let mut url = "sqlite://".to_owned();
    for byte in file.to_string_lossy().replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b':' => url.push(char::from(byte)),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url + "?mode=rw"
}

macro_rules! doors {
    ($($(#[$doc:meta])* $door:ident: $file:ident::$kind:ident),* $(,)?) => {
        impl Store {
            $($(#[$doc])* pub(super) fn $door(&mut self) -> $file::$kind<'_> { $file::$kind(self) })*
        }
    };
}

doors! {
    /// Packages that were loaded.
    packages: packages::Packages,
    /// Completed cases.
    cases: cases::Cases,
    /// Counts of cases.
    stock: stock::StockCounts,
    /// What ФЛК found in packages.
    findings: findings::Findings,
    /// Registries.
    registries: registries::Registries,
    /// The cases of registries.
    members: members::Members,
    /// What payers took off.
    sanctions: sanctions::Sanctions,
    /// Answers of payers.
    answers: answers::Answers,
    /// What is to go out.
    outbox: outbox::Outbox,
    /// Who did what.
    journal: journal::JournalEntries,
    /// Numbers that are given out.
    counters: counters::Counters,
}

read_row! {
    struct KeptRow {
        object: String,
        name: String,
    }
}

impl Store {
    /// Adds the time of its statements to these.
    pub(super) fn measure(&mut self, timings: Option<&Timings>) {
        self.runtime.timings = timings.cloned();
    }

    /// Connects; `url` is `sqlite:…` or `postgres://…`.
    ///
    /// # Errors
    /// There is no such file or server, or it refuses.
    pub(super) fn connect(url: &str) -> Result<Self, Problem> {
        sqlx::any::install_default_drivers();
        let runtime = Waiting::new().map_err(Problem::Runtime)?;
        let connection = runtime.block_on(AnyConnection::connect(url))?;
        let shared = connection.backend_name() == "PostgreSQL";
        let mut store = Self { runtime, connection, shared };
        if !store.shared {
            for pragma in PRAGMAS {
                store.raw(pragma)?;
            }
        }
        Ok(store)
    }

    /// Brings the schema up to date. A schema newer than this program is refused.
    ///
    /// # Errors
    /// A step fails; the store was made by a newer program.
    pub(super) fn migrate(&mut self) -> Result<(), Problem> {
        let steps = MIGRATIONS.map(|(version, name, sql)| Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, sql.into_sql_str(), false));
        let migrator = Migrator::with_migrations(steps.to_vec());
        Ok(self.runtime.block_on(migrator.run(&mut self.connection))?)
    }

    /// Whether the schema has been made and is this program's.
    pub(super) fn is_ready(&mut self) -> bool {
        let newest = MIGRATIONS.iter().map(|(version, ..)| *version).max().unwrap_or(0);
        self.number("SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM _sqlx_migrations", &[]).is_ok_and(|version| version == newest)
    }

    /// Every file that a row of any table speaks of: its names by the SHA-256 of its bytes.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn kept_files(&mut self) -> Result<HashMap<String, HashSet<String>>, Problem> {
        let rows: Vec<KeptRow> = self.select(
            "SELECT main_object AS object, main_name AS name FROM packages UNION SELECT persons_object, persons_name FROM packages \
             UNION SELECT object, file_name || '.zip' FROM registries UNION SELECT object, name FROM answers UNION SELECT object, name FROM outbox",
            &[],
        )?;
        let mut known: HashMap<String, HashSet<String>> = HashMap::new();
        for KeptRow { object, name } in rows {
            known.entry(object).or_default().insert(name);
        }
        Ok(known)
    }

    /// Does something as one transaction: all of it or nothing.
    ///
    /// # Errors
    /// What `work` says, or the commit fails.
    pub(super) fn transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        self.raw(if self.shared { "BEGIN" } else { "BEGIN IMMEDIATE" })?;
        let done = work(self).and_then(|value| self.raw("COMMIT").map(|()| value));
        if done.is_err() {
            // The connection may be gone, and the transaction with it.
            let _ = self.raw("ROLLBACK");
        }
        done
    }

    /// Tries to take the lock that the machines of a shared store agree upon; the store gives it back when the connection ends.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub(super) fn try_lock(&mut self) -> Result<bool, Problem> {
        let sql = "SELECT CASE WHEN pg_try_advisory_lock(7867673) THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END";
        Ok(!self.shared || self.number(sql, &[])? == 1)
    }

    /// Lets go of what belongs to the store. Dropped without it, the system cleans up the same way.
    pub(super) fn close(self) {
        let _ = self.runtime.block_on(self.connection.close());
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl From<sqlx::migrate::MigrateError> for Problem {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        StoreError::from(error).into()
    }
}
