//! A connection to a store for tests, which look at its tables beside the program that keeps them.

use std::path::Path;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Row as _};
use tokio::runtime::{Builder, Runtime};

pub(crate) struct Sql {
    runtime: Runtime,
    connection: AnyConnection,
}

impl Sql {
    /// Connects to `sqlite:…` or `postgres://…`.
    pub(crate) fn connect(url: &str) -> Self {
        sqlx::any::install_default_drivers();
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let connection = runtime.block_on(AnyConnection::connect(url)).expect("the store that the test names");
        Self { runtime, connection }
    }

    pub(crate) fn rows(&mut self, sql: &str) -> Vec<AnyRow> {
        self.runtime.block_on(sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut self.connection)).expect("rows")
    }

    pub(crate) fn close(self) {
        self.runtime.block_on(self.connection.close()).expect("closed");
    }
}

/// Address of a SQLite file; folders of tests have plain names.
pub(crate) fn sqlite_url(file: &Path) -> String {
    // A drive after `//` would be read as a host.
    let scheme = if cfg!(windows) { "sqlite:" } else { "sqlite://" };
    format!("{scheme}{}?mode=rw", file.to_string_lossy().replace('\\', "/"))
}

pub(crate) fn text(row: &AnyRow, column: &str) -> String {
    row.get(column)
}
