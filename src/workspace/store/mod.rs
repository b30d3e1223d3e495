//! The store: one SQLite file in the workspace, or a PostgreSQL database that many machines share.
//!
//! Queries are written once, in the SQL that both understand (`$1` for a parameter, no NULL, sums cast to BIGINT). A command uses the
//! store from one thread; sqlx's futures are waited for here and nowhere else.

mod value;

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Connection as _, Executor as _, Row as _, SqlSafeStr as _};
use tokio::runtime::{Builder, Runtime};

pub use value::Value;

use super::Problem;
use crate::sys;

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

/// Parameters of one statement at most: SQLite takes 32,766, PostgreSQL 65,535.
const PARAMETERS: usize = 2_600;

/// A connection to the store.
pub struct Store {
    runtime: Runtime,
    connection: AnyConnection,
    /// PostgreSQL.
    shared: bool,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("shared", &self.shared).finish_non_exhaustive()
    }
}

/// The address of a SQLite file, which must be there, for [`Store::connect`].
pub fn sqlite_url(file: &Path) -> String {
    address(&file.to_string_lossy(), cfg!(windows))
}

/// The address of a SQLite file whose path is written as Windows or as Unix writes it. Bytes that an address gives a meaning are `%xx`.
///
/// No `//` stands before a path of Windows: the drive's letter would be read as the name of a host.
fn address(file: &str, windows: bool) -> String {
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
    // SQLite takes long paths under this name of its layer for Windows alone.
    url + if is_long { "?mode=rw&vfs=win32-longpath" } else { "?mode=rw" }
}

impl Store {
    /// Connects; `url` is `sqlite:…` or `postgres://…`.
    ///
    /// # Errors
    /// There is no such file or server, or it refuses.
    pub fn connect(url: &str) -> Result<Self, Problem> {
        sqlx::any::install_default_drivers();
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Problem::Runtime)?;
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
    pub fn migrate(&mut self) -> Result<(), Problem> {
        let steps = MIGRATIONS.map(|(version, name, sql)| Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, sql.into_sql_str(), false));
        let migrator = Migrator::with_migrations(steps.to_vec());
        Ok(self.runtime.block_on(migrator.run(&mut self.connection))?)
    }

    /// Whether the schema has been made and is this program's.
    pub fn is_ready(&mut self) -> bool {
        let newest = MIGRATIONS.iter().map(|(version, ..)| *version).max().unwrap_or(0);
        self.rows("SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM _sqlx_migrations", &[])
            .is_ok_and(|rows| rows.first().is_some_and(|row| row.try_get::<i64, _>(0).is_ok_and(|version| version == newest)))
    }

    fn raw(&mut self, sql: &'static str) -> Result<(), Problem> {
        self.runtime.block_on(self.connection.execute(sqlx::raw_sql(sql)))?;
        Ok(())
    }

    /// Runs a statement; the number of rows that it touched.
    ///
    /// # Errors
    /// The store refuses or cannot be written.
    pub fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, Problem> {
        let query = bind(sqlx::query(sql), values.iter().cloned());
        Ok(self.runtime.block_on(query.execute(&mut self.connection))?.rows_affected())
    }

    /// Rows of a query.
    ///
    /// # Errors
    /// As [`Store::execute`].
    pub fn rows(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<AnyRow>, Problem> {
        let query = bind(sqlx::query(sql), values.iter().cloned());
        Ok(self.runtime.block_on(query.fetch_all(&mut self.connection))?)
    }

    /// Rows of a query whose text was put together by this library (never from a user's words).
    ///
    /// # Errors
    /// As [`Store::execute`].
    pub fn rows_of(&mut self, sql: String, values: &[Value<'_>]) -> Result<Vec<AnyRow>, Problem> {
        let query = bind(sqlx::query(AssertSqlSafe(sql)), values.iter().cloned());
        Ok(self.runtime.block_on(query.fetch_all(&mut self.connection))?)
    }

    /// The first row of a query.
    ///
    /// # Errors
    /// As [`Store::execute`].
    pub fn row(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Option<AnyRow>, Problem> {
        Ok(self.rows(sql, values)?.into_iter().next())
    }

    /// A single number; 0 when there is no row.
    ///
    /// # Errors
    /// As [`Store::execute`].
    pub fn number(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<i64, Problem> {
        match self.row(sql, values)? {
            Some(row) => Ok(row.try_get(0)?),
            None => Ok(0),
        }
    }

    /// Inserts rows, many with one statement; `head` is `INSERT INTO table (columns)`. While the store takes some in, the next are made.
    ///
    /// # Errors
    /// As [`Store::execute`].
    pub fn insert<'v, const N: usize, R>(&mut self, head: &str, rows: R) -> Result<(), Problem>
    where
        R: IntoIterator<Item = [Value<'v>; N]>,
        R::IntoIter: Send,
    {
        let at_once = (PARAMETERS / N).max(1);
        let (mut rows, shared) = (rows.into_iter(), self.shared);
        let mut full: Option<Arc<str>> = None;
        let mut statement = move || {
            let mut batch = Vec::with_capacity(at_once * N);
            batch.extend(rows.by_ref().take(at_once).flatten());
            if batch.is_empty() {
                return None;
            }
            let is_full = batch.len() == at_once * N;
            let sql = match &full {
                Some(sql) if is_full => Arc::clone(sql),
                _ => insertion(head, N, batch.len() / N, shared).into(),
            };
            if is_full {
                full = Some(Arc::clone(&sql));
            }
            Some((is_full, bind(sqlx::query(AssertSqlSafe(sql)).persistent(is_full), batch)))
        };
        let (mut more, first) = match statement() {
            None => return Ok(()),
            Some(first) => first,
        };
        self.runtime.block_on(first.execute(&mut self.connection))?;
        if !more {
            return Ok(());
        }
        thread::scope(|scope| {
            let (sender, receiver) = mpsc::sync_channel(4);
            scope.spawn(move || {
                while more {
                    let Some((is_full, query)) = statement() else { return };
                    more = sender.send(query).is_ok() && is_full;
                }
            });
            for query in receiver {
                self.runtime.block_on(query.execute(&mut self.connection))?;
            }
            Ok(())
        })
    }

    /// Runs a statement for many ids: `head` ends with `IN`, the ids follow it.
    ///
    /// # Errors
    /// As [`Store::execute`].
    pub fn for_ids(&mut self, head: &str, ids: &[i64]) -> Result<u64, Problem> {
        let mut touched = 0;
        for batch in ids.chunks(10_000) {
            let list: Vec<String> = batch.iter().map(i64::to_string).collect();
            let query = sqlx::query(AssertSqlSafe(format!("{head} ({})", list.join(",")))).persistent(false);
            touched += self.runtime.block_on(query.execute(&mut self.connection))?.rows_affected();
        }
        Ok(touched)
    }

    /// Gives out `count` numbers of a run; the first of them. The run begins with 1.
    ///
    /// # Errors
    /// As [`Store::execute`].
    pub fn take_numbers(&mut self, run: &str, count: u64) -> Result<i64, Problem> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let last = self.number(
            "INSERT INTO counters (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value RETURNING value",
            &[run.into(), count.into()],
        )?;
        Ok(last - count + 1)
    }

    /// Does something as one transaction: all of it or nothing.
    ///
    /// # Errors
    /// What `work` says, or the commit fails.
    pub fn transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
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
    /// As [`Store::execute`].
    pub fn try_lock(&mut self) -> Result<bool, Problem> {
        if !self.shared {
            return Ok(true);
        }
        let row = self.row("SELECT CASE WHEN pg_try_advisory_lock(7867673) THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END", &[])?;
        Ok(row.is_some_and(|row| row.try_get::<i64, _>(0).is_ok_and(|taken| taken == 1)))
    }

    /// Lets go of what belongs to the store. Dropped without it, the system cleans up the same way.
    pub fn close(self) {
        let _ = self.runtime.block_on(self.connection.close());
    }
}

/// In SQLite the names of parameters are found by a search, so thousands of them have none there; and it copies each page before a
/// statement changes it, to undo that statement alone, which nobody wants: a failure ends the transaction.
fn insertion(head: &str, columns: usize, rows: usize, numbered: bool) -> String {
    let mut sql = if numbered { head.to_owned() } else { head.replacen("INSERT", "INSERT OR FAIL", 1) };
    sql.reserve(rows * columns * 6);
    sql.push_str(" VALUES ");
    let mut number = 0;
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..columns {
            number += 1;
            if column > 0 {
                sql.push(',');
            }
            if numbered {
                sql.push_str(&format!("${number}"));
            } else {
                sql.push('?');
            }
        }
        sql.push(')');
    }
    sql
}

fn bind<'q, 'v>(query: Query<'q, Any, AnyArguments>, values: impl IntoIterator<Item = Value<'v>>) -> Query<'q, Any, AnyArguments> {
    values.into_iter().fold(query, |query, value| match value {
        Value::Int(number) => query.bind(number),
        Value::Text(text) => query.bind(text.into_owned()),
    })
}

/// A text of a row.
///
/// # Errors
/// The row has no such column.
pub fn text(row: &AnyRow, column: &str) -> Result<String, Problem> {
    Ok(row.try_get::<String, _>(column)?)
}

/// A number of a row.
///
/// # Errors
/// The row has no such column.
pub fn int(row: &AnyRow, column: &str) -> Result<i64, Problem> {
    Ok(row.try_get::<i64, _>(column)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_windows_and_unix_write_paths() {
        let unix = |file| address(file, false);
        assert_eq!(unix("/tmp/a b/store.sqlite"), "sqlite:///tmp/a%20b/store.sqlite?mode=rw");
        assert_eq!(unix("/r/50%?#\\я"), "sqlite:///r/50%25%3F%23%5C%D1%8F?mode=rw");
        let windows = |file| address(file, true);
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
            if cfg!(windows) { &["реестры 2021", "100% [#1] &b=c+d"] } else { &["реестры 2021", "100% [#1] &b=c+d", r"why?\no:not"] };
        let long = ["реестры оказанной медицинской помощи за февраль"; 5].join("/");
        for name in names.iter().copied().chain([&*long]) {
            let root = folder.path().join(name);
            std::fs::create_dir_all(&root).expect("made");
            let file = root.join("store.sqlite");
            std::fs::write(&file, "").expect("made");
            let mut store = Store::connect(&sqlite_url(&file)).expect(name);
            store.migrate().expect(name);
            assert!(store.is_ready());
            store.close();
            assert!(std::fs::metadata(&file).expect("there").len() > 0, "{name}: that very file is the store");
        }
    }
}
