//! Why a book cannot be used, or cannot be had.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::{BookInfo, ImageError};
use crate::tables::TableError;
use crate::texts::{Coded, ErrorClass, Key, Slot, Text, display};

/// Why a book that is there cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookFault {
    /// The embedded table, or the one that overrides it, has an error: the program stops on it.
    Table(TableError),
    /// The compiled file is damaged; the embedded copy is used if there is one.
    Damaged {
        /// Id of the book.
        id: String,
        /// The compiled file.
        path: PathBuf,
        /// What is wrong with it.
        error: ImageError,
    },
    /// The compiled file cannot be read; the embedded copy is used if there is one.
    Unreadable {
        /// Id of the book.
        id: String,
        /// The compiled file.
        path: PathBuf,
        /// What the system said.
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

/// A book that was asked for and cannot be had.
#[derive(Debug, Clone)]
pub enum NoBook {
    /// The table of books does not know it.
    Unknown(String),
    /// A book of rules, where one of codes is due.
    Rules(String),
    /// The table knows it, but no edition is at hand.
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
