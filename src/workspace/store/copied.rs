//! Copies of a SQLite store: how one is made, and whether one that comes from elsewhere is a store of ours and whole.

use std::collections::BTreeSet;
use std::path::Path;

use super::row::read_row;
use super::{Store, address};
use crate::sys;
use crate::workspace::Problem;

/// The table that sqlx also knows: programs of different age write its definition in different ways.
const STEPS_TAKEN: &str = "_sqlx_migrations";

read_row! {
    /// A table, an index or another part of the schema.
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    struct PartRow {
        kind: String,
        name: String,
        sql: String,
    }
}

read_row! {
    struct FaultRow {
        fault: String,
    }
}

impl PartRow {
    /// What it is called where a person must find it.
    fn called(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }

    /// Whether it is a part that a store of ours may have: tables of another kind, views and triggers run code of whoever wrote them.
    fn is_plain(&self) -> bool {
        let words: Vec<String> = self.sql.split_whitespace().take(2).map(str::to_ascii_uppercase).collect();
        matches!(&*self.kind, "table" | "index") && words.get(1).is_none_or(|word| word != "VIRTUAL")
    }

    /// Its definition without differences of layout.
    fn plain(self) -> Self {
        let sql = if self.name == STEPS_TAKEN { String::new() } else { self.sql.split_whitespace().collect::<Vec<_>>().join(" ") };
        Self { sql, ..self }
    }
}

impl Store {
    /// Opens a copy for reading; nothing of the file changes.
    ///
    /// # Errors
    /// There is no such file, or it is no SQLite file.
    pub(in crate::workspace) fn open_copy(file: &Path) -> Result<Self, Problem> {
        let mut store = Self::begin(&address(&file.to_string_lossy(), sys::IS_WINDOWS, "ro"))?;
        // Functions in the definitions of a file from elsewhere are not run.
        store.raw("PRAGMA trusted_schema = OFF")?;
        Ok(store)
    }

    /// Writes a consistent copy of a SQLite store into an existing empty file, whatever other programs change meanwhile. The caller writes it to the
    /// disk.
    ///
    /// # Errors
    /// The copy cannot be written.
    pub(in crate::workspace) fn copy_into(&mut self, file: &Path) -> Result<(), Problem> {
        let path = file.to_string_lossy();
        // As in the address of the store, whose file system the copy shares.
        let path = if sys::IS_WINDOWS && sys::is_long(&path) { sys::verbatim(&path).into_owned() } else { path.into_owned() };
        self.execute("VACUUM INTO $1", &[path.into()])?;
        Ok(())
    }

    /// A part of a SQLite store's schema that no store of ours has, such as a trigger or a view; `None` when there is none. With `exactly` every part must
    /// be defined as this program defines it, and none may lack.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(in crate::workspace) fn foreign_part(&mut self, exactly: bool) -> Result<Option<String>, Problem> {
        let parts = self.parts()?;
        if let Some(foreign) = parts.iter().find(|part| !part.is_plain()) {
            return Ok(Some(foreign.called()));
        }
        if !exactly {
            return Ok(None);
        }
        let mut model = Self::begin("sqlite::memory:")?;
        model.create()?;
        let due = model.parts()?;
        model.close();
        Ok(parts.symmetric_difference(&due).next().map(PartRow::called))
    }

    /// The schema without what SQLite adds by itself (`sqlite_autoindex_…`, `sqlite_stat1`).
    fn parts(&mut self) -> Result<BTreeSet<PartRow>, Problem> {
        let rows: Vec<PartRow> = self.select("SELECT type AS kind, name, COALESCE(sql, '') AS sql FROM sqlite_master", &[])?;
        let is_own = |part: &PartRow| part.is_plain() && part.name.starts_with("sqlite_");
        Ok(rows.into_iter().filter(|part| !is_own(part)).map(PartRow::plain).collect())
    }

    /// What SQLite finds wrong in the file of a store; `None` when it is whole.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(in crate::workspace) fn broken_part(&mut self) -> Result<Option<String>, Problem> {
        let rows: Vec<FaultRow> = self.select("SELECT integrity_check AS fault FROM pragma_integrity_check", &[])?;
        Ok(rows.into_iter().map(|row| row.fault).find(|fault| fault != "ok"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::store::sqlite_url;

    fn made(folder: &Path, name: &str, more: &'static str) -> std::path::PathBuf {
        let file = folder.join(name);
        std::fs::write(&file, "").expect("made");
        let mut store = Store::connect(&sqlite_url(&file)).expect("a store");
        store.create().expect("made");
        store.raw(more).expect("done");
        store.close();
        file
    }

    #[test]
    fn a_copy_is_a_store_of_ours_or_the_foreign_part_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let cases = [
            ("SELECT 1", None, None),
            ("ANALYZE", None, None),
            ("CREATE TABLE mine (a)", None, Some("table mine")),
            ("DROP INDEX packages_object", None, Some("index packages_object")),
            ("ALTER TABLE outbox ADD COLUMN a TEXT AS (hex(name))", None, Some("table outbox")),
            ("CREATE VIEW v AS SELECT 1", Some("view v"), Some("view v")),
            ("CREATE TRIGGER t AFTER INSERT ON outbox BEGIN DELETE FROM journal; END", Some("trigger t"), Some("trigger t")),
        ];
        for (number, (more, roughly, exactly)) in cases.into_iter().enumerate() {
            let file = made(folder.path(), &number.to_string(), more);
            let bytes = std::fs::read(&file).expect("read");
            let mut copy = Store::open_copy(&file).expect("it opens");
            assert_eq!(copy.foreign_part(false).expect("read").as_deref(), roughly, "{more}");
            assert_eq!(copy.foreign_part(true).expect("read").as_deref(), exactly, "{more}");
            assert_eq!(copy.broken_part().expect("read"), None);
            assert!(copy.raw("DELETE FROM journal").is_err(), "{more}: it is open for reading alone");
            copy.close();
            assert!(std::fs::read(&file).expect("read") == bytes, "{more}");
        }
    }

    #[test]
    fn a_copy_is_written_into_an_empty_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = made(folder.path(), "store.sqlite", "INSERT INTO counters (mo, name, value) VALUES ('140001', 'x', 7)");
        let mut store = Store::connect(&sqlite_url(&file)).expect("a store");
        let target = folder.path().join("копия 1");
        std::fs::write(&target, "").expect("made");
        store.copy_into(&target).expect("copied");
        assert!(store.copy_into(&target).is_err(), "it is not empty any more");
        let mut copy = Store::open_copy(&target).expect("it opens");
        assert_eq!(copy.number("SELECT value FROM counters", &[]).expect("read"), 7);
    }
}
