//! The tables under `rules/`. They are embedded in the binary and can be overridden file by file from a folder of the same shape.

use std::borrow::Cow;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

include!(concat!(env!("OUT_DIR"), "/embedded_rules.rs"));

/// An error in a rule table: the table, the line, and what is wrong.
///
/// The program stops on it (exit code 2): with a table read only in part it would check only a part of what it promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableError {
    /// Name of the table relative to `rules/`.
    pub table: String,
    /// Line in the table, counted from 1; 0 when the error concerns the whole table.
    pub line: u64,
    /// What is wrong and what was expected.
    pub message: String,
}

impl TableError {
    /// An error at a line (0 for the whole table).
    pub fn new(table: &str, line: u64, message: impl Into<String>) -> Self {
        Self { table: table.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 { write!(f, "rules/{}: {}", self.table, self.message) } else { write!(f, "rules/{}:{}: {}", self.table, self.line, self.message) }
    }
}

impl std::error::Error for TableError {}

/// The source of the tables: the binary, with an optional folder that overrides it.
#[derive(Debug, Clone, Default)]
pub struct RuleFiles {
    overlay: Option<PathBuf>,
}

impl RuleFiles {
    /// The tables embedded in the binary.
    pub fn embedded() -> Self {
        Self::default()
    }

    /// The tables of a folder shaped like `rules/`; a missing table is taken from the binary.
    pub fn with_overlay(folder: &Path) -> Self {
        Self { overlay: Some(folder.to_owned()) }
    }

    /// The folder over the built-in tables, if there is one.
    pub fn folder(&self) -> Option<&Path> {
        self.overlay.as_deref()
    }

    /// The names of the built-in tables.
    pub fn built_in(&self) -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(name, _)| *name)
    }

    /// Whether the folder overrides any of these tables.
    pub fn overrides(&self, tables: &[&str]) -> bool {
        self.overlay.as_ref().is_some_and(|folder| tables.iter().any(|table| folder.join(table).exists()))
    }

    /// The names of all tables in a subfolder, without folder and extension. `folder` ends with `/`.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let own = self
            .overlay
            .iter()
            .flat_map(|o| fs::read_dir(o.join(folder)).into_iter().flatten().flatten())
            .map(|e| e.file_name().to_string_lossy().into_owned());
        let built_in = EMBEDDED.iter().filter_map(|(name, _)| name.strip_prefix(folder)).map(str::to_owned);
        let mut names: Vec<String> = own.chain(built_in).filter_map(|name| name.split_once('.').map(|(stem, _)| stem.to_owned())).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The text of one table.
    ///
    /// # Errors
    /// The table is neither in the folder nor embedded, or the folder's copy cannot be read as UTF-8.
    pub fn text(&self, table: &str) -> Result<Cow<'static, str>, TableError> {
        if let Some(folder) = &self.overlay {
            let path = folder.join(table);
            if path.exists() {
                return fs::read_to_string(&path).map(Cow::Owned).map_err(|e| TableError::new(table, 0, format!("cannot read {}: {e}", path.display())));
            }
        }
        let at = EMBEDDED.binary_search_by_key(&table, |(name, _)| name);
        at.map(|i| Cow::Borrowed(EMBEDDED[i].1)).map_err(|_| TableError::new(table, 0, "no such table"))
    }

    /// All rows of a CSV table, each with its line number in the file.
    ///
    /// # Errors
    /// See [`RuleFiles::text`]; also a row whose number of columns differs from the header, or a value of the wrong type.
    pub fn rows<T: DeserializeOwned>(&self, table: &str) -> Result<Vec<(u64, T)>, TableError> {
        let text = self.text(table)?;
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let headers = reader.headers().map_err(|e| csv_error(table, &e))?.clone();
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| csv_error(table, &e))?;
            let line = record.position().map_or(0, csv::Position::line);
            rows.push((line, record.deserialize(Some(&headers)).map_err(|e| TableError::new(table, line, e.to_string()))?));
        }
        Ok(rows)
    }
}

fn csv_error(table: &str, error: &csv::Error) -> TableError {
    TableError::new(table, error.position().map_or(0, csv::Position::line), error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_table_is_named() {
        let error = RuleFiles::embedded().text("formats/nothing.csv").expect_err("there is none");
        assert_eq!(error.to_string(), "rules/formats/nothing.csv: no such table");
    }

    #[test]
    fn overlay_wins_and_a_bad_row_names_its_line() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("formats")).expect("a folder");
        fs::write(folder.path().join("formats/names.csv"), "a,b\n1,2\n3\n").expect("written");
        let files = RuleFiles::with_overlay(folder.path());
        let error = files.rows::<(String, String)>("formats/names.csv").expect_err("a short row");
        assert_eq!((error.table.as_str(), error.line), ("formats/names.csv", 3));
    }
}
