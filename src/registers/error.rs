//! Why a file is not taken as a register, and why a stored register cannot be used.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::PathBuf;

use super::cell::Wrong;
use super::rows::{LONGEST, RowError};
use crate::texts::{Coded, ErrorClass, Key, Slot, display, plain};

/// The common beginning of the keys; the rest of a key is the code in machine formats.
const BEGINNING: &str = "register.";

/// Why a file was not taken as a register. The register that was there before is as it was.
#[derive(Debug)]
pub enum ImportError {
    /// The file cannot be read.
    Unreadable(io::Error),
    /// The register cannot be written.
    NotWritten(io::Error),
    /// There is no workspace, where alone registers are kept.
    NoWorkspace,
    /// The header lacks columns: for each register that it resembles most, its name and those columns.
    NoColumns(Vec<(String, Vec<String>)>),
    /// The header has this column more than once.
    Twice(String),
    /// This register came from another file of the same run already.
    Again(String),
    /// The header fits several registers.
    Ambiguous(Vec<String>),
    /// There is no row behind the header.
    NoRows,
    /// There are more rows than this.
    TooMany(u64),
    /// A record has so many cells, and the header so many columns.
    Width {
        /// Line at which the record begins, from 1.
        line: u64,
        /// Cells of the record.
        found: usize,
        /// Columns of the header.
        due: usize,
    },
    /// A record cannot be read.
    Record(u64, Broken),
    /// A cell is wrong.
    Cell {
        /// Line at which the record begins, from 1.
        line: u64,
        /// Name of the column.
        column: String,
        /// What is wrong.
        fault: Fault,
        /// The value; `None` in a register of persons.
        value: Option<String>,
    },
}

/// What is wrong with a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(pub(super) Wrong);

/// Why a record cannot be read.
#[derive(Debug)]
pub struct Broken(pub(super) RowError);

impl ImportError {
    pub(super) fn of_record(line: u64, error: RowError) -> Self {
        match error {
            RowError::Io(error) => Self::Unreadable(error),
            error => Self::Record(line, Broken(error)),
        }
    }

    /// The stable code of the error: the last part of its key.
    pub fn code(&self) -> &'static str {
        let word = self.key().as_str();
        word.strip_prefix(BEGINNING).unwrap_or(word)
    }

    /// Code and values on one line, without language, for the machine formats.
    pub fn details(&self) -> String {
        let line = plain(self);
        line.strip_prefix(BEGINNING).map_or(line.clone(), str::to_owned)
    }

    /// Whether the file itself cannot be read.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable(_))
    }
}

impl Fault {
    fn slot(&self) -> Slot<'_> {
        let between = |least: &usize, most: &usize| if least == most { least.to_string() } else { format!("{least}–{most}") };
        let phrase = |plain: String, key, slots| Slot::Phrase { plain: Cow::Owned(plain), key, slots };
        match &self.0 {
            Wrong::Empty => Slot::reason("empty", Key::RegisterEmptyCell),
            Wrong::Length(least, most, found) => {
                let due = between(least, most);
                phrase(format!("length {found}, due {due}"), Key::RegisterLength, vec![("due", Slot::text(due)), ("found", Slot::number(*found))])
            }
            Wrong::NotADigit(at) => phrase(format!("no digit at {at}"), Key::RegisterDigits, vec![("at", Slot::number(*at))]),
            Wrong::NotListed(words) => phrase(format!("due {}", words.join("|")), Key::RegisterNotListed, vec![("values", Slot::list(words))]),
            Wrong::NotADate => Slot::reason("no date", Key::RegisterDate),
            Wrong::NotADecimal => Slot::reason("no number", Key::RegisterDecimal),
            Wrong::Backwards => Slot::reason("before the first day", Key::RegisterBackwards),
            Wrong::NotTheEnp => Slot::reason("not the enp", Key::RegisterNotTheEnp),
        }
    }
}

impl Broken {
    fn slot(&self) -> Slot<'_> {
        let limit = || vec![("limit", Slot::number(LONGEST))];
        match &self.0 {
            RowError::Io(error) => Slot::io(error),
            RowError::Long => Slot::Phrase { plain: "long".into(), key: Key::RegisterLong, slots: limit() },
            RowError::Unclosed => Slot::Phrase { plain: "quote not closed".into(), key: Key::RegisterUnclosed, slots: limit() },
            RowError::BehindQuote => Slot::reason("text behind a quote", Key::RegisterBehindQuote),
            RowError::Zero => Slot::reason("byte 0", Key::RegisterZero),
            RowError::Encoding(encoding) => {
                Slot::Phrase { plain: "encoding".into(), key: Key::RegisterEncoding, slots: vec![("encoding", Slot::text(encoding.as_str()))] }
            }
        }
    }
}

impl Coded for ImportError {
    fn key(&self) -> Key {
        match self {
            Self::Unreadable(_) => Key::RegisterUnreadable,
            Self::NotWritten(_) => Key::RegisterNotWritten,
            Self::NoWorkspace => Key::RegisterNoWorkspace,
            Self::NoColumns(_) => Key::RegisterNoColumns,
            Self::Twice(_) => Key::RegisterTwice,
            Self::Again(_) => Key::RegisterAgain,
            Self::Ambiguous(_) => Key::RegisterAmbiguous,
            Self::NoRows => Key::RegisterNoRows,
            Self::TooMany(_) => Key::RegisterTooMany,
            Self::Width { .. } => Key::RegisterWidth,
            Self::Record(..) => Key::RegisterRecord,
            Self::Cell { value: None, .. } => Key::RegisterCell,
            Self::Cell { value: Some(_), .. } => Key::RegisterCellValue,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match self {
            Self::Unreadable(error) | Self::NotWritten(error) => vec![("error", Slot::io(error))],
            Self::NoColumns(registers) => {
                let one = |(register, columns): &'_ (String, Vec<String>)| Slot::Phrase {
                    plain: format!("{register}: {}", columns.join(" ")).into(),
                    key: Key::RegisterResembles,
                    slots: vec![("register", Slot::text(register.clone())), ("columns", Slot::text(columns.join(", ")))],
                };
                vec![("registers", Slot::List(registers.iter().map(one).collect()))]
            }
            Self::Twice(column) => vec![("column", Slot::text(column))],
            Self::Again(register) => vec![("register", Slot::text(register))],
            Self::Ambiguous(registers) => vec![("registers", Slot::list(registers))],
            Self::TooMany(limit) => vec![("limit", Slot::Number(*limit))],
            Self::Width { line, found, due } => vec![("line", Slot::Number(*line)), ("found", Slot::number(*found)), ("due", Slot::number(*due))],
            Self::Record(line, broken) => vec![("line", Slot::Number(*line)), ("what", broken.slot())],
            Self::Cell { line, column, fault, value } => {
                let mut slots = vec![("line", Slot::Number(*line)), ("column", Slot::text(column)), ("what", fault.slot())];
                slots.extend(value.as_ref().map(|value| ("value", Slot::text(value))));
                slots
            }
            Self::NoWorkspace | Self::NoRows => Vec::new(),
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::NotWritten(_) | Self::NoWorkspace => ErrorClass::Usage,
            _ => ErrorClass::Input,
        }
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for ImportError {}

/// Why a stored register cannot be used. Importing its file again mends it.
#[derive(Debug)]
pub enum StoredError {
    /// It cannot be read: its file, the register, the error.
    Unreadable(PathBuf, String, io::Error),
    /// It is cut, changed, or no register of this name: its file and the register.
    Damaged(PathBuf, String),
    /// It has other columns than this program asks, or is of another version: its file and the register.
    Foreign(PathBuf, String),
    /// It was made with another secret: its file and the register.
    OtherSecret(PathBuf, String),
}

impl Coded for StoredError {
    fn key(&self) -> Key {
        match self {
            Self::Unreadable(..) => Key::RegisterStoredUnreadable,
            Self::Damaged(..) => Key::RegisterDamaged,
            Self::Foreign(..) => Key::RegisterForeign,
            Self::OtherSecret(..) => Key::RegisterOtherSecret,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        let (Self::Unreadable(path, register, _) | Self::Damaged(path, register) | Self::Foreign(path, register) | Self::OtherSecret(path, register)) = self;
        let mut slots = vec![("path", Slot::Path(path)), ("register", Slot::text(register))];
        if let Self::Unreadable(_, _, error) = self {
            slots.push(("error", Slot::io(error)));
        }
        slots
    }
}

impl fmt::Display for StoredError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for StoredError {}
