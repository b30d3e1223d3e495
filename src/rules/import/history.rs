//! The records that imports leave in an overlay: each holds the tables as they were before it, so that it can be taken back.
//!
//! A record is a folder `imports/0001` of the shape of `rules/`, with a list `import.csv` of the tables that the import has changed.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Edition, Plan};
use crate::sys::{Access, write_atomic};
use crate::tables::{RuleFiles, TableError};
use crate::values::hex;

/// Folder of the records in an overlay.
const RECORDS: &str = "imports";
/// The list of changed tables in a record.
const LIST: &str = "import.csv";
/// In place of a table's name: the overlay itself.
const OVERLAY: &str = ".";

/// What an import replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The imported edition.
    pub edition: Edition,
    /// The tables that it changed.
    pub tables: Vec<Touched>,
    /// Whether it made the folder of the overlay.
    pub(super) made_folder: bool,
    /// The folder with the tables as they were before.
    pub(super) folder: PathBuf,
}

/// A table that an import changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Name under `rules/`.
    pub name: String,
    /// Whether the overlay held the table before.
    pub(super) was_there: bool,
    /// Fingerprint of what the import wrote; empty if it took the table out of the overlay.
    pub(super) wrote: String,
}

/// A row of the list.
#[derive(Serialize, Deserialize)]
struct Line {
    book: String,
    edition: String,
    date: String,
    table: String,
    was_there: bool,
    wrote: String,
}

/// Fingerprint of a table's bytes.
pub(super) fn fingerprint(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The records of an overlay, the oldest first.
///
/// # Errors
/// The list of a record cannot be read.
pub(super) fn records(overlay: &Path) -> Result<Vec<Record>, TableError> {
    let mut found: Vec<(u32, String)> = fs::read_dir(overlay.join(RECORDS))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter_map(|name| name.parse().ok().map(|number| (number, name)))
        .collect();
    found.sort();
    found.into_iter().map(|(_, name)| read(overlay, &format!("{RECORDS}/{name}"))).collect()
}

/// The record of the last import.
///
/// # Errors
/// The list of a record cannot be read.
pub fn last(overlay: &Path) -> Result<Option<Record>, TableError> {
    Ok(records(overlay)?.pop())
}

fn read(overlay: &Path, record: &str) -> Result<Record, TableError> {
    let list = format!("{record}/{LIST}");
    let lines: Vec<(_, Line)> = RuleFiles::with_overlay(overlay).rows(&list)?;
    let Some((_, first)) = lines.first() else { return Err(TableError::new(&list, 0, "the list is empty")) };
    let edition = Edition { book: first.book.clone(), edition: first.edition.clone(), date: first.date.clone() };
    let (mut tables, mut made_folder) = (Vec::new(), false);
    for (line, row) in lines {
        if row.table == OVERLAY {
            made_folder = !row.was_there;
        } else if Path::new(&row.table).components().all(|part| matches!(part, Component::Normal(_))) && !row.table.is_empty() {
            tables.push(Touched { name: row.table, was_there: row.was_there, wrote: row.wrote });
        } else {
            return Err(TableError::new(&list, line, format!("«{}» is no name of a table", row.table)));
        }
    }
    Ok(Record { edition, tables, made_folder, folder: overlay.join(record) })
}

/// Writes the record of an import into the new overlay, with the tables of the present one.
pub(super) fn write(plan: &Plan, present: &Path, new: &Path) -> io::Result<()> {
    let numbers = fs::read_dir(new.join(RECORDS)).into_iter().flatten().flatten();
    let last = numbers.filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok()).max().unwrap_or(0);
    let record = new.join(RECORDS).join(format!("{:04}", last + 1));
    fs::create_dir_all(&record)?;
    let Edition { book, edition, date } = &plan.edition;
    let line =
        |table: &str, was_there, wrote| Line { book: book.clone(), edition: edition.clone(), date: date.clone(), table: table.to_owned(), was_there, wrote };
    let mut lines = vec![line(OVERLAY, present.exists(), String::new())];
    for (table, text) in &plan.tables {
        let wrote = text.as_ref().map_or_else(String::new, |text| fingerprint(text.as_bytes()));
        lines.push(line(table, present.join(table).is_file(), wrote));
    }
    // All tables of the book, changed or not: together they are what an older edition starts from.
    let tables = plan.tables.iter().map(|(table, _)| table).chain(&plan.speaks_of);
    for table in tables.filter(|table| present.join(table).is_file()) {
        let path = record.join(table);
        fs::create_dir_all(path.parent().unwrap_or(&record))?;
        fs::copy(present.join(table), path)?;
    }
    let mut list = csv::WriterBuilder::new().from_writer(Vec::new());
    lines.iter().try_for_each(|line| list.serialize(line)).map_err(io::Error::other)?;
    write_atomic(&record.join(LIST), Access::Default, &list.into_inner().map_err(|e| io::Error::other(e.to_string()))?)
}
