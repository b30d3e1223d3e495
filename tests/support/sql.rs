//! A connection with which tests read a store beside the program.

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

    /// Runs several statements.
    pub(crate) fn script(&mut self, sql: &str) {
        self.runtime.block_on(sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connection)).expect("a script");
    }

    pub(crate) fn close(self) {
        self.runtime.block_on(self.connection.close()).expect("closed");
    }
}

/// Address of a SQLite file. Paths in tests have no special characters.
pub(crate) fn sqlite_url(file: &Path) -> String {
    // On Windows the drive after `//` would be read as a host name.
    let scheme = if cfg!(windows) { "sqlite:" } else { "sqlite://" };
    format!("{scheme}{}?mode=rw", file.to_string_lossy().replace('\\', "/"))
}

pub(crate) fn text(row: &AnyRow, column: &str) -> String {
    row.get(column)
}
