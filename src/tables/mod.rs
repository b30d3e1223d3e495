//! The tables under `rules/`. They are embedded in the binary and can be overridden file by file from a folder of the same shape; a region's folder is
//! merged over them row by row.

mod line;
mod merge;
mod region;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;

pub use line::Line;
use merge::Sheet;
pub use region::{Merging, Region, Touched, Weighing};

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
    pub fn new(table: &str, line: impl Into<Line>, message: impl Into<String>) -> Self {
        let line = line.into();
        Self { table: line.file_of(table).into_owned(), line: line.number(), message: message.into() }
    }

    /// What a reader of TOML says of the text of a table.
    pub fn of_toml(table: &str, text: &str, error: &toml::de::Error) -> Self {
        Self::new(table, line_of_toml(text, error), error.message())
    }
}

/// The line of an error in a text of TOML, from 1.
pub fn line_of_toml(text: &str, error: &toml::de::Error) -> u64 {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    before.matches('\n').count() as u64 + 1
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 { write!(f, "rules/{}: {}", self.table, self.message) } else { write!(f, "rules/{}:{}: {}", self.table, self.line, self.message) }
    }
}

impl std::error::Error for TableError {}

/// The source of the tables: the binary, with an optional folder that overrides it, and an optional region whose rows are merged over both.
#[derive(Debug, Clone, Default)]
pub struct RuleFiles {
    overlay: Option<PathBuf>,
    region: Option<Arc<Region>>,
}

impl RuleFiles {
    /// The tables embedded in the binary.
    pub fn embedded() -> Self {
        Self::default()
    }

    /// The tables of a folder shaped like `rules/`; a missing table is taken from the binary.
    pub fn with_overlay(folder: &Path) -> Self {
        Self { overlay: Some(folder.to_owned()), region: None }
    }

    /// The folder over the built-in tables, if there is one.
    pub fn folder(&self) -> Option<&Path> {
        self.overlay.as_deref()
    }

    /// The names of the built-in tables.
    pub fn built_in(&self) -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(name, _)| *name)
    }

    /// The same tables with those of a region over them.
    ///
    /// # Errors
    /// A table of the region is broken, or changes what no region may change.
    pub fn with_region(self, code: &str) -> Result<Self, TableError> {
        let region = Region::load(&self, code)?;
        Ok(Self { region: Some(Arc::new(region)), ..self })
    }

    /// The same tables without a region.
    #[must_use]
    pub fn federal(&self) -> Self {
        Self { region: None, ..self.clone() }
    }

    /// The region whose tables are merged over the others.
    pub fn region(&self) -> Option<&Region> {
        self.region.as_deref()
    }

    /// An error in a table, at the file of the region if the tables are sound without it: `read` is the reading that made the error, `tables` are those of
    /// the region that it reads.
    #[must_use]
    pub fn blame(&self, error: TableError, tables: &[&str], read: impl Fn(&Self) -> Result<(), TableError>) -> TableError {
        match &self.region {
            Some(region) if read(&self.federal()).is_ok() => region.blame(error, tables),
            _ => error,
        }
    }

    /// Whether there is a table of this name.
    pub fn has(&self, table: &str) -> bool {
        self.region.as_ref().is_some_and(|region| region.has(table))
            || self.overlay.as_ref().is_some_and(|folder| folder.join(table).exists())
            || EMBEDDED.binary_search_by_key(&table, |(name, _)| name).is_ok()
    }

    /// Whether the folder or the region changes any of these tables.
    pub fn overrides(&self, tables: &[&str]) -> bool {
        let by_folder = || self.overlay.as_ref().is_some_and(|folder| tables.iter().any(|table| folder.join(table).exists()));
        self.region.as_ref().is_some_and(|region| tables.iter().any(|table| region.has(table))) || by_folder()
    }

    /// The codes of the regions that have a folder.
    pub fn regions(&self) -> Vec<String> {
        let mut codes: Vec<String> = self.files(line::FOLDER).into_iter().filter_map(|name| Some(name.split_once('/')?.0.to_owned())).collect();
        codes.dedup();
        codes
    }

    /// The names of all files below a folder, relative to it and sorted. `folder` ends with `/`.
    fn files(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = EMBEDDED.iter().filter_map(|(name, _)| name.strip_prefix(folder)).map(str::to_owned).collect();
        if let Some(overlay) = &self.overlay {
            collect(&overlay.join(folder), "", &mut names);
        }
        names.sort();
        names.dedup();
        names
    }

    /// The text of one table.
    ///
    /// # Errors
    /// The table is neither in the folder nor embedded, or the folder's copy cannot be read as UTF-8.
    pub fn text(&self, table: &str) -> Result<Cow<'static, str>, TableError> {
        if let Some(text) = self.region.as_ref().and_then(|region| region.text(table)) {
            return Ok(Cow::Owned(text));
        }
        if let Some(folder) = &self.overlay {
            let path = folder.join(table);
            if path.exists() {
                // A pipe would be waited for, and a folder is no table.
                if !path.is_file() {
                    return Err(TableError::new(table, 0, format!("{} is no file", path.display())));
                }
                return fs::read_to_string(&path).map(Cow::Owned).map_err(|e| TableError::new(table, 0, format!("cannot read {}: {e}", path.display())));
            }
        }
        let at = EMBEDDED.binary_search_by_key(&table, |(name, _)| name);
        at.map(|i| Cow::Borrowed(EMBEDDED[i].1)).map_err(|_| TableError::new(table, 0, "no such table"))
    }

    /// All rows of a CSV table, each with its line in the file.
    ///
    /// # Errors
    /// See [`RuleFiles::text`]; also a row whose number of columns differs from the header, or a value of the wrong type.
    pub fn rows<T: DeserializeOwned>(&self, table: &str) -> Result<Vec<(Line, T)>, TableError> {
        if let Some(sheet) = self.region.as_ref().and_then(|region| region.sheet(table)) {
            return sheet.read(table);
        }
        Sheet::parse(table, &self.text(table)?, Line::of_table)?.read(table)
    }
}

/// Adds the names of all files below a folder, with `/` between their parts.
fn collect(folder: &Path, before: &str, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = format!("{before}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), names);
        } else {
            names.push(name);
        }
    }
}
