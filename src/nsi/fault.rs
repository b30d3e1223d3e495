//! Errors of books: a book cannot be used, or is not available.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::{BookInfo, ImageError};
use crate::tables::TableError;
use crate::texts::{Coded, ErrorClass, Key, Slot, Text, display};

/// Why an available book cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookFault {
    /// The embedded table, or the table that overrides it, has an error. The program stops.
    Table(TableError),
    /// The compiled file is damaged; the embedded copy is used if there is one.
    Damaged {
        /// Id of the book.
        id: String,
        /// The compiled file.
        path: PathBuf,
        /// What is wrong with the file.
        error: ImageError,
    },
    /// The compiled file cannot be read; the embedded copy is used if there is one.
    Unreadable {
        /// Id of the book.
        id: String,
        /// The compiled file.
        path: PathBuf,
        /// The error of the operating system.
        error: io::ErrorKind,
    },
}

impl Coded for BookFault {
    fn key(&self) -> Key {
        match self {
            Self::Table(error) => error.key(),
            Self::Damaged { .. } | Self::Unreadable { .. } => Key::NsiFault,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        let (id, path, reason) = match self {
            Self::Table(error) => return error.slots(),
            Self::Damaged { id, path, error } => (id, path, Slot::Nested(error)),
            Self::Unreadable { id, path, error } => (id, path, Slot::io_kind(*error)),
        };
        vec![("book", Slot::text(id)), ("path", Slot::Path(path)), ("reason", reason)]
    }
}

impl fmt::Display for BookFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for BookFault {}

/// Why a book that was asked for is not available.
#[derive(Debug, Clone)]
pub enum NoBook {
    /// The table of books does not contain this id.
    Unknown(String),
    /// A book of rules, where a book of codes is expected.
    Rules(String),
    /// The table of books describes it, but no edition is available.
    Absent(Arc<BookInfo>),
}

impl Coded for NoBook {
    fn key(&self) -> Key {
        match self {
            Self::Unknown(_) => Key::NsiShowUnknown,
            Self::Rules(_) => Key::NsiRefusedRules,
            Self::Absent(_) => Key::NsiShowAbsent,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match self {
            Self::Unknown(id) | Self::Rules(id) => vec![("book", Slot::text(id))],
            Self::Absent(info) => {
                let name = Text { ru: info.ru.to_string(), en: info.en.to_string() };
                vec![("book", Slot::text(&*info.id)), ("name", Slot::Both(Cow::Owned(name)))]
            }
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::Unknown(_) | Self::Rules(_) => ErrorClass::Usage,
            Self::Absent(_) => ErrorClass::Nothing,
        }
    }
}

impl fmt::Display for NoBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for NoBook {}
