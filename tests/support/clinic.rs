//! A workspace for a test, driven by running the program itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use sha2::Digest as _;
use sqlx::Row as _;

use crate::support::sql::{Sql, sqlite_url};

/// Makes a new database, empty or as a copy of another that nobody uses meanwhile, and returns its address.
fn database(model: Option<&str>) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let server = server();
    let name = format!("puomp_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut store = Sql::connect(&server);
    let like = model.map_or_else(String::new, |url| format!(" TEMPLATE {}", name_of(url)));
    store.rows(&format!("CREATE DATABASE {name}{like}"));
    let (base, query) = server.split_once('?').map_or((server.as_str(), String::new()), |(base, query)| (base, format!("?{query}")));
    let (head, _) = base.rsplit_once('/').expect("postgres://host/database");
    format!("{head}/{name}{query}")
}

/// The server on which databases may be made.
fn server() -> String {
    let named = std::env::var("PUOMP_TEST_POSTGRES").unwrap_or_default();
    assert!(!named.is_empty(), "PUOMP_TEST_POSTGRES must name a PostgreSQL server on which databases may be made (tests/README.md)");
    named
}

/// The second part of the key of a clinic's lock in PostgreSQL.
pub(crate) fn lock_key(mo: &str) -> i32 {
    sha2::Sha256::digest(mo).first_chunk::<4>().map(|bytes| i32::from_be_bytes(*bytes) | 1).expect("four bytes")
}

/// Name of the database of an address.
fn name_of(url: &str) -> &str {
    let base = url.split_once('?').map_or(url, |(base, _)| base);
    base.rsplit_once('/').map_or(base, |(_, name)| name)
}

/// A folder with a workspace.
pub(crate) struct Clinic {
    folder: tempfile::TempDir,
    /// Path of the workspace inside the folder; empty if it is the folder itself.
    inner: PathBuf,
    store: Option<String>,
}

/// Sees locks of a store; on PostgreSQL by a connection of its own, because a lock is held for some milliseconds only.
pub(crate) enum Lookout {
    File(PathBuf),
    Server(Sql, String),
}

impl Lookout {
    /// Whether a program is changing the store now.
    pub(crate) fn is_changing(&mut self) -> bool {
        match self {
            Self::File(holder) => fs::metadata(holder).is_ok_and(|m| m.len() > 0),
            Self::Server(server, sql) => server.rows(sql)[0].get::<i64, _>("held") > 0,
        }
    }
}

/// The exit code and the output of a run.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    /// Characters of the longest line as it was printed, before broken lines were joined.
    pub(crate) widest: usize,
}

impl Clinic {
    /// A workspace on SQLite.
    pub(crate) fn new() -> Self {
        Self::with(None)
    }

    /// A workspace with a new database on the PostgreSQL server.
    pub(crate) fn on_postgres() -> Self {
        Self::with(Some(database(None)))
    }

    /// A folder that is no workspace yet.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), inner: PathBuf::new(), store: None }
    }

    /// The same with an empty database.
    pub(crate) fn on_empty_postgres() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), inner: PathBuf::new(), store: Some(database(None)) }
    }

    fn with(store: Option<String>) -> Self {
        let this = Self { folder: tempfile::tempdir().expect("a folder"), inner: PathBuf::new(), store };
        this.done(&["init"]);
        this
    }

    /// A workspace in a subfolder of its temporary folder, under this name or path.
    pub(crate) fn called(inner: impl Into<PathBuf>) -> Self {
        let this = Self { folder: tempfile::tempdir().expect("a folder"), inner: inner.into(), store: None };
        fs::create_dir_all(this.root()).expect("a folder");
        this.done(&["init"]);
        this
    }

    /// A workspace of the same content, store included.
    pub(crate) fn twin(&self) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        copy(self.folder.path(), folder.path());
        self.wait_for_server();
        Self { folder, inner: self.inner.clone(), store: self.store.as_ref().map(|url| database(Some(url))) }
    }

    /// Waits until the server has noticed that former connections to the store are gone: until then it may still run their last
    /// statements.
    pub(crate) fn wait_for_server(&self) {
        let Some(url) = &self.store else { return };
        let mut server = Sql::connect(&server());
        let sql = format!("SELECT CAST(COUNT(*) AS BIGINT) AS others FROM pg_stat_activity WHERE datname = '{}'", name_of(url));
        for _ in 0..1_000 {
            if server.rows(&sql)[0].get::<i64, _>("others") == 0 {
                server.close();
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the server does not notice that a program has ended");
    }

    /// Sees whether a program is changing the store, as soon as it does.
    pub(crate) fn lookout(&self) -> Lookout {
        match &self.store {
            None => Lookout::File(self.path(".puomp/lock.holder")),
            Some(url) => Lookout::Server(
                Sql::connect(&server()),
                format!(
                    "SELECT CAST(COUNT(*) AS BIGINT) AS held FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE l.locktype = 'advisory' \
                     AND l.objid <> 2 AND d.datname = '{}'",
                    name_of(url)
                ),
            ),
        }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().iter().chain(&self.inner).collect()
    }

    /// Address of the store; `None` for SQLite.
    pub(crate) fn store(&self) -> Option<&str> {
        self.store.as_deref()
    }

    /// Address of the store, also for SQLite.
    pub(crate) fn address(&self) -> String {
        self.store.clone().unwrap_or_else(|| sqlite_url(&self.path(".puomp/store.sqlite")))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_puomp"));
        command.current_dir(self.root()).args(args).env_remove("PUOMP_ROLE").env("PUOMP_LANG", "ru").env("NO_COLOR", "1");
        command.env("PUOMP_BOOKS", self.path("no books"));
        match &self.store {
            Some(url) => command.env("PUOMP_STORE", url),
            None => command.env_remove("PUOMP_STORE"),
        };
        command
    }

    /// Under load Wine cannot start a program now and then (error 1359); it has not run then, and is started once more.
    fn started(&self, args: &[&str]) -> std::io::Result<Output> {
        match self.command(args).output() {
            Err(error) if cfg!(windows) && error.raw_os_error() == Some(1359) => self.command(args).output(),
            started => started,
        }
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        said(&self.started(args).expect("the program runs"))
    }

    /// A run that must succeed; returns its standard output.
    pub(crate) fn done(&self, args: &[&str]) -> String {
        let said = self.run(args);
        assert_eq!(said.code, 0, "puomp {args:?}: {said:?}");
        said.out
    }

    /// A run that must end with an exit code; returns its standard error.
    pub(crate) fn refused(&self, args: &[&str], code: i32) -> String {
        let said = self.run(args);
        assert_eq!(said.code, code, "puomp {args:?}: {said:?}");
        said.err
    }

    /// Generates a package of invented people.
    pub(crate) fn package(&self, folder: &str, cases: u32, more: &[&str]) {
        let cases = cases.to_string();
        let mut args = vec!["generate", "--quiet", "--cases", &cases];
        args.extend(more);
        args.push(folder);
        self.done(&args);
    }

    pub(crate) fn status(&self) -> Value {
        serde_json::from_str(&self.done(&["status", "--format", "json"])).expect("JSON")
    }

    /// Number, status, number of cases and sum in kopecks of each registry, sorted.
    pub(crate) fn registries(&self) -> Vec<(String, String, i64, i64)> {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let int = |v: &Value| v.as_i64().unwrap_or_default();
        let status = self.status();
        let rows = status["registries"].as_array().expect("a list");
        let mut all: Vec<_> = rows.iter().map(|r| (text(&r["number"]), text(&r["status"]), int(&r["cases"]), int(&r["sum_kopecks"]))).collect();
        all.sort();
        all
    }

    /// Number and sum in kopecks of the cases outside registries in a state.
    pub(crate) fn outside(&self, state: &str) -> (i64, i64) {
        let status = self.status();
        let rows = status["cases"].as_array().cloned().unwrap_or_default();
        let of_state = rows.iter().filter(|r| r["state"] == state);
        of_state.fold((0, 0), |(cases, sum), r| (cases + r["cases"].as_i64().unwrap_or(0), sum + r["sum_kopecks"].as_i64().unwrap_or(0)))
    }
}

impl Drop for Clinic {
    /// Drops the database together with the workspace, because tests make hundreds.
    fn drop(&mut self) {
        let Some(url) = &self.store else { return };
        let mut server = Sql::connect(&server());
        server.rows(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", name_of(url)));
        server.close();
    }
}

/// Copies what a folder holds.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&target).expect("a folder");
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("a copy");
        }
    }
}

pub(crate) fn said(output: &Output) -> Said {
    // Lines that were broken for the console are joined, so that a test can look for a sentence.
    let text = |bytes: &[u8]| super::unbroken::unbroken(&String::from_utf8_lossy(bytes));
    let widest = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).lines().map(|line| line.chars().count()).max());
    Said {
        code: output.status.code().unwrap_or(-1),
        out: text(&output.stdout),
        err: text(&output.stderr),
        widest: widest.into_iter().flatten().max().unwrap_or_default(),
    }
}
