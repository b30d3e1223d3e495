//! The store: one SQLite file in the workspace, or a PostgreSQL database that many machines share.
//!
//! All SQL is in this folder, one file for each subject. What belongs to a clinic is reached through [`Store::of`] and methods of [`Clinic`]
//! such as [`Clinic::cases`]. Each query is written once, in SQL that both databases understand (`$1` for a parameter, no NULL, sums cast to BIGINT). A command uses the store from one thread.

mod answers;
mod cases;
mod checked;
mod clinic;
mod copied;
mod counters;
mod error;
mod findings;
mod journal;
mod listed;
mod members;
mod migrate;
mod named;
mod outbox;
mod packages;
mod registries;
mod row;
mod sanctions;
mod standing;
mod statement;
mod stock;
mod sums;
mod versions;
mod waiting;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use sha2::{Digest as _, Sha256};
use sqlx::{AnyConnection, Connection as _};

use super::Problem;
use crate::sys;
use crate::timings::Timings;

pub(super) use answers::NewAnswer;
pub(super) use cases::{CaseVersion, FoundCase, KnownCase, NewCase, Particulars};
pub(super) use clinic::Clinic;
pub(super) use counters::Run;
pub use error::StoreError;
pub(super) use findings::NewFinding;
pub(super) use listed::Wanted;
pub use listed::{CaseFinding, CaseMember, HeldAgainst, ListedCase};
pub(super) use members::{Member, MemberTotals, NewMember};
pub use migrate::{Migrated, StoreCopy};
pub(super) use migrate::{VERSION, Version};
pub(super) use outbox::{DueFile, NewOutgoing};
pub(super) use packages::{LoadedBefore, PackageRow};
pub(super) use registries::NewRevision;
pub use registries::Registry;
pub use sanctions::CaseSanction;
pub(super) use sanctions::{Against, NewSanction};
pub(super) use stock::StockKey;
pub use stock::{Stock, Total};
pub(super) use sums::RowSums;

use row::read_row;
use waiting::Waiting;

/// First part of the keys of our locks in PostgreSQL; the second part names the clinic.
const LOCKS: i32 = 7_867_673;
/// Second part of the key of the lock that programs share which change a shared store; those of clinics are odd, that of the daily entries is 0.
const PRESENT: i32 = 2;
/// The lock of the whole store, which programs before version 2 held while they changed anything.
const WHOLE: i64 = 7_867_673;

/// Settings of SQLite. Readers do not wait for the writer (WAL); a commit is on the disk when it returns; temporary data stay in memory;
/// the log is written back at 256 MiB and when the last connection closes, instead of every thousand pages.
const PRAGMAS: [&str; 7] = [
    "PRAGMA page_size = 16384",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 10000",
    LARGE_CACHE,
    "PRAGMA temp_store = MEMORY",
    "PRAGMA wal_autocheckpoint = 16384",
];

/// How many KiB of its file SQLite keeps in memory, and how many while many rows are read that are not needed again.
const LARGE_CACHE: &str = "PRAGMA cache_size = -49152";
const SMALL_CACHE: &str = "PRAGMA cache_size = -16384";

/// A connection to the store.
pub(super) struct Store {
    runtime: Waiting,
    connection: AnyConnection,
    /// Whether the database is PostgreSQL.
    shared: bool,
    /// The sums of the rows that the transaction has changed since its last entry of the journal.
    changed: RowSums,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("shared", &self.shared).finish_non_exhaustive()
    }
}

/// The address of an existing SQLite file for [`Store::connect`].
pub(super) fn sqlite_url(file: &Path) -> String {
    address(&file.to_string_lossy(), crate::sys::IS_WINDOWS, "rw")
}

/// The address of a SQLite file with a path of Windows or Unix, to be opened for reading (`ro`) or writing (`rw`). Bytes with a special meaning in
/// addresses are written as `%xx`.
///
/// A Windows path has no `//` before it, because the letter of the drive would be read as a host name.
fn address(file: &str, windows: bool, mode: &str) -> String {
    let is_long = windows && sys::is_long(file);
    let file = if is_long { sys::verbatim(file) } else { file.into() };
    let is_plain = !file.starts_with(r"\\");
    let mut url = if windows { "sqlite:" } else { "sqlite://" }.to_owned();
    for byte in file.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b':' => url.push(char::from(byte)),
            b'\\' if windows && is_plain => url.push('/'),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    // SQLite opens long paths only with this VFS, which exists on Windows alone.
    url + "?mode=" + mode + if is_long { "&vfs=win32-longpath" } else { "" }
}

macro_rules! doors {
    ($($(#[$doc:meta])* $door:ident: $file:ident::$kind:ident),* $(,)?) => {
        impl Clinic<'_> {
            $($(#[$doc])* pub(in crate::workspace) fn $door(&mut self) -> $file::$kind<'_> { $file::$kind(self.again()) })*
        }
    };
}

doors! {
    /// Packages that were loaded.
    packages: packages::Packages,
    /// Completed cases.
    cases: cases::Cases,
    /// Lists of cases.
    listed: listed::Listed,
    /// Counts of cases.
    stock: stock::StockCounts,
    /// Findings of ФЛК.
    findings: findings::Findings,
    /// Registries.
    registries: registries::Registries,
    /// The cases of registries.
    members: members::Members,
    /// Sanctions of payers.
    sanctions: sanctions::Sanctions,
    /// Answers of payers.
    answers: answers::Answers,
    /// Files due in the outbox.
    outbox: outbox::Outbox,
    /// The journal.
    journal: journal::ClinicJournal,
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
    /// Adds the time of its statements to `timings`.
    pub(super) fn measure(&mut self, timings: Option<&Timings>) {
        self.runtime.timings = timings.cloned();
    }

    /// Connects; `url` is `sqlite:…` or `postgres://…`.
    ///
    /// # Errors
    /// There is no such file or server, or it refuses.
    pub(super) fn connect(url: &str) -> Result<Self, Problem> {
        let mut store = Self::begin(url)?;
        if !store.shared {
            for pragma in PRAGMAS {
                store.raw(pragma)?;
            }
        }
        Ok(store)
    }

    /// Connects without any setting of ours.
    fn begin(url: &str) -> Result<Self, Problem> {
        sqlx::any::install_default_drivers();
        let runtime = Waiting::new().map_err(Problem::Runtime)?;
        let connection = runtime.block_on(AnyConnection::connect(url))?;
        let shared = connection.backend_name() == "PostgreSQL";
        Ok(Self { runtime, connection, shared, changed: RowSums::default() })
    }

    /// Every file that a row of any table refers to: its names by the SHA-256 of its bytes.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn kept_files(&mut self) -> Result<HashMap<String, HashSet<String>>, Problem> {
        let rows: Vec<KeptRow> = self.select(
            "SELECT main_object AS object, main_name AS name FROM packages UNION SELECT persons_object, persons_name FROM packages WHERE persons_object <> '' \
             UNION SELECT object, file_name || '.zip' FROM registries UNION SELECT object, name FROM answers UNION SELECT object, name FROM outbox",
            &[],
        )?;
        let mut known: HashMap<String, HashSet<String>> = HashMap::new();
        for KeptRow { object, name } in rows {
            known.entry(object).or_default().insert(name);
        }
        Ok(known)
    }

    /// Runs `work` in one transaction, which is rolled back on an error.
    ///
    /// # Errors
    /// The error of `work`, or the commit fails.
    pub(super) fn transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        self.within(if self.shared { "BEGIN ISOLATION LEVEL READ COMMITTED" } else { "BEGIN IMMEDIATE" }, work)
    }

    /// Runs queries that all see the same state of the store, whatever other programs change meanwhile.
    ///
    /// # Errors
    /// The error of `work`.
    pub(super) fn snapshot<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        self.within(if self.shared { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" } else { "BEGIN" }, work)
    }

    fn within<T>(&mut self, begin: &'static str, work: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        self.changed = RowSums::default();
        self.raw(begin)?;
        let done = work(self).and_then(|value| {
            // Every change of a clinic's rows stands in its journal.
            if !self.changed.is_empty() {
                return Err(Problem::Journal("rows".to_owned()));
            }
            self.raw("COMMIT").map(|()| value)
        });
        if done.is_err() {
            // The rollback may fail because the connection, and the transaction with it, is gone.
            let _ = self.raw("ROLLBACK");
        }
        done
    }

    /// Whether each commit to a SQLite file waits for the disk, as it does from the start. Without that a power cut may undo the last commits, the newest
    /// first; nothing else can. A server decides by itself.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub(super) fn wait_for_disk(&mut self, at_each_commit: bool) -> Result<(), Problem> {
        match (self.shared, at_each_commit) {
            (true, _) => Ok(()),
            (false, true) => self.raw("PRAGMA synchronous = FULL"),
            (false, false) => self.raw("PRAGMA synchronous = NORMAL"),
        }
    }

    /// Runs queries for many rows that are not needed again. SQLite keeps little of its file in memory then; a server decides by itself.
    fn reading_once<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        if self.shared {
            return work(self);
        }
        self.raw(SMALL_CACHE)?;
        let done = work(self);
        self.raw(LARGE_CACHE)?;
        done
    }

    /// Whether several machines may use the store at once.
    pub(super) fn is_shared(&self) -> bool {
        self.shared
    }

    /// Tries to take the lock of a clinic in a shared store for the rest of the transaction; `None` is the lock of the daily entries.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub(super) fn try_lock(&mut self, mo: Option<&str>) -> Result<bool, Problem> {
        let sql = "SELECT CASE WHEN pg_try_advisory_xact_lock(CAST($1 AS INTEGER), CAST($2 AS INTEGER)) THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END";
        Ok(self.number(sql, &[i64::from(LOCKS).into(), i64::from(lock_key(mo)).into()])? == 1)
    }

    /// Tries to be present in a shared store, together with others, until the connection ends. The server keeps this lock until it has executed what a
    /// program that was killed has sent.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub(super) fn try_present(&mut self) -> Result<bool, Problem> {
        self.lock_function("pg_try_advisory_lock_shared")
    }

    /// Tries to be alone in a shared store, where this program is not present any more.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub(super) fn try_alone(&mut self) -> Result<bool, Problem> {
        self.lock_function("pg_try_advisory_lock")
    }

    /// Ends the presence in a shared store; `alone` says how it was taken.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub(super) fn leave(&mut self, alone: bool) -> Result<(), Problem> {
        self.lock_function(if alone { "pg_advisory_unlock" } else { "pg_advisory_unlock_shared" }).map(drop)
    }

    fn lock_function(&mut self, function: &str) -> Result<bool, Problem> {
        if !self.shared {
            return Ok(true);
        }
        let sql = format!("SELECT CASE WHEN {function}({LOCKS}, {PRESENT}) THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END");
        Ok(self.number(sql, &[])? == 1)
    }

    /// Tells a shared store who works with this connection, for programs that wait for it.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub(super) fn introduce(&mut self, holder: &str) -> Result<(), Problem> {
        if self.shared {
            self.rows("SELECT set_config('application_name', $1, false)", &[holder.into()])?;
        }
        Ok(())
    }

    /// Who holds the lock of a clinic in a shared store; empty when nobody does any more.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub(super) fn lock_holder(&mut self, mo: Option<&str>) -> Result<String, Problem> {
        // PostgreSQL shows the parts of a key as numbers without a sign.
        let shown = |key: i32| i64::from(key.cast_unsigned());
        let rows = self.rows(
            "SELECT CAST(a.application_name AS TEXT) AS who FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' \
             AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
             AND CAST(l.classid AS BIGINT) = $1 AND CAST(l.objid AS BIGINT) = $2 LIMIT 1",
            &[shown(LOCKS).into(), shown(lock_key(mo)).into()],
        )?;
        rows.first().map_or_else(|| Ok(String::new()), |row| row.get("who"))
    }

    /// Tries to take the lock of a whole shared store until the connection ends, as programs before version 2 did. Always true with SQLite.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub(super) fn try_lock_whole(&mut self) -> Result<bool, Problem> {
        let sql = "SELECT CASE WHEN pg_try_advisory_lock($1) THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END";
        Ok(!self.shared || self.number(sql, &[WHOLE.into()])? == 1)
    }

    /// Releases that lock.
    ///
    /// # Errors
    /// The store cannot be reached.
    pub(super) fn unlock_whole(&mut self) -> Result<(), Problem> {
        if self.shared {
            self.rows("SELECT CASE WHEN pg_advisory_unlock($1) THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END", &[WHOLE.into()])?;
        }
        Ok(())
    }

    /// Closes the connection. When a store is dropped without it, the system does the same.
    pub(super) fn close(self) {
        let _ = self.runtime.block_on(self.connection.close());
    }
}

/// The second part of the key of a clinic's lock. Two clinics with the same one would only wait for each other.
fn lock_key(mo: Option<&str>) -> i32 {
    let of = |mo: &str| Sha256::digest(mo).first_chunk::<4>().map_or(0, |bytes| i32::from_be_bytes(*bytes) | 1);
    mo.map_or(0, of)
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_windows_and_unix_write_paths() {
        let unix = |file| address(file, false, "rw");
        assert_eq!(unix("/tmp/a b/store.sqlite"), "sqlite:///tmp/a%20b/store.sqlite?mode=rw");
        assert_eq!(unix("/r/50%?#\\я"), "sqlite:///r/50%25%3F%23%5C%D1%8F?mode=rw");
        let windows = |file| address(file, true, "rw");
        assert_eq!(windows(r"Z:\МО 1\100%#\store.sqlite"), "sqlite:Z:/%D0%9C%D0%9E%201/100%25%23/store.sqlite?mode=rw");
        assert_eq!(windows(r"\\host\d\store.sqlite"), "sqlite:%5C%5Chost%5Cd%5Cstore.sqlite?mode=rw");
        assert_eq!(windows(r"\\?\C:\a.\s"), "sqlite:%5C%5C%3F%5CC:%5Ca.%5Cs?mode=rw");
        let deep = format!(r"C:\{}\s", "x".repeat(240));
        assert_eq!(windows(&deep), format!("sqlite:%5C%5C%3F%5CC:%5C{}%5Cs?mode=rw&vfs=win32-longpath", "x".repeat(240)));
    }

    #[test]
    fn a_store_opens_whatever_its_folder_is_called() {
        let folder = tempfile::tempdir().expect("a folder");
        let names: &[&str] =
            if crate::sys::IS_WINDOWS { &["реестры 2021", "100% [#1] &b=c+d"] } else { &["реестры 2021", "100% [#1] &b=c+d", r"why?\no:not"] };
        let long = ["реестры оказанной медицинской помощи за февраль"; 5].join("/");
        for name in names.iter().copied().chain([&*long]) {
            let root = folder.path().join(name);
            std::fs::create_dir_all(&root).expect("made");
            let file = root.join("store.sqlite");
            std::fs::write(&file, "").expect("made");
            let mut store = Store::connect(&sqlite_url(&file)).expect(name);
            store.create().expect(name);
            assert_eq!(store.version().expect(name), Version::Current);
            store.close();
            assert!(std::fs::metadata(&file).expect("there").len() > 0, "{name}: that very file is the store");
        }
    }
}
