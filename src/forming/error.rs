//! Why a package could not be formed.

use std::fmt;
use std::io;

use crate::registry::fault::Fault;
use crate::tables::TableError;
use crate::texts::{Coded, ErrorClass, Key, Slot, carried, display};
use crate::values::money;

/// Why forming stopped. The error holds nothing personal: a record is named by its number, an element by its name.
#[derive(Debug)]
pub enum FormError {
    /// A table under `rules/` is wrong.
    Table(TableError),
    /// There are no cases to form.
    Empty,
    /// The letters of the file's name do not belong to a main file of the family.
    Letters {
        /// The letters.
        letters: String,
    },
    /// A file of the cases cannot be read; the fault has its own text in the catalog.
    Origin {
        /// Name of the file.
        file: String,
        /// Why it cannot be read.
        fault: Fault,
    },
    /// A place does not hold what it held when the package was taken in: the file has changed since.
    Changed {
        /// Name of the file.
        file: String,
        /// Offset in the unpacked file.
        offset: u64,
    },
    /// The pieces are not in the order of their origins and places, or one repeats: an error of the caller.
    Order {
        /// Index of the piece.
        piece: usize,
    },
    /// A package has another version than the registry.
    Edition {
        /// Name of its main file.
        file: String,
        /// VERSION of the package; empty if absent.
        found: String,
        /// The version of the registry.
        expected: String,
    },
    /// Two packages differ in an element that must be the same in the whole registry.
    Binding {
        /// Name of the main file.
        file: String,
        /// Name of the first main file.
        first: Box<str>,
        /// Name of the element.
        element: Box<str>,
        /// Value in this file; empty if absent.
        found: String,
        /// Value in the first main file; empty if absent.
        expected: String,
    },
    /// The person of a case is missing.
    NoPerson {
        /// Name of the main file.
        file: String,
        /// Offset of the case's record.
        offset: u64,
    },
    /// The record of a case names another person than its piece: an error of the caller.
    PersonDiffers {
        /// Name of the main file.
        file: String,
        /// Offset of the record.
        offset: u64,
    },
    /// The sum of a case differs from the stated one: an error of the caller, or the file has changed.
    Sum {
        /// Name of the main file.
        file: String,
        /// Offset of the case.
        offset: u64,
        /// The stated sum in kopecks.
        expected: i64,
        /// The sum in the case, as text.
        found: String,
    },
    /// The format of the person file lacks an element of a person.
    Element {
        /// Name of the person file.
        file: String,
        /// Offset of the element.
        offset: u64,
        /// Name of the element.
        element: String,
        /// Family and edition of the person file to be written.
        format: String,
    },
    /// Windows-1251, the encoding of registries, lacks a character of a UTF-8 file.
    Character {
        /// Name of the file.
        file: String,
        /// N_ZAP of the record or ID_PAC of the person; empty if it is not known.
        record: String,
        /// Name of the element.
        element: String,
        /// Offset of the character.
        offset: u64,
        /// Code of the character, `U+04E9`.
        code: String,
    },
    /// A value of the heading does not fit its element.
    Heading {
        /// Name of the element.
        element: String,
        /// The value.
        value: String,
        /// The type that would fit, `T(15)`.
        expected: String,
    },
    /// There are more records or cases than their numbers have digits for, or more bytes than an archive of the exchange may hold.
    TooMany {
        /// Number of cases in the order.
        cases: u64,
    },
    /// No free ID_PAC could be found for a person.
    IdPac {
        /// Name of the person file.
        file: String,
        /// Offset of the person.
        offset: u64,
    },
    /// The result or a temporary file cannot be written, or the receiver of the numbers fails.
    Write(io::Error),
}

impl Coded for FormError {
    fn key(&self) -> Key {
        match self {
            Self::Table(error) => error.key(),
            Self::Empty => Key::FormEmpty,
            Self::Letters { .. } => Key::FormLetters,
            Self::Origin { .. } => Key::FormOrigin,
            Self::Changed { .. } => Key::FormChanged,
            Self::Order { .. } => Key::FormOrder,
            Self::Edition { .. } => Key::FormEdition,
            Self::Binding { .. } => Key::FormBinding,
            Self::NoPerson { .. } => Key::FormNoPerson,
            Self::PersonDiffers { .. } => Key::FormPersonDiffers,
            Self::Sum { .. } => Key::FormSum,
            Self::Element { .. } => Key::FormElement,
            Self::Character { .. } => Key::FormCharacter,
            Self::Heading { .. } => Key::FormHeading,
            Self::TooMany { .. } => Key::FormTooMany,
            Self::IdPac { .. } => Key::FormIdPac,
            Self::Write(error) => carried(error).map_or(Key::FormWrite, Coded::key),
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match self {
            Self::Table(error) => error.slots(),
            Self::Empty => Vec::new(),
            Self::Letters { letters } => vec![("letters", Slot::text(letters))],
            Self::Origin { file, fault } => vec![("file", Slot::text(file)), ("reason", Slot::Nested(fault))],
            Self::Changed { file, offset } | Self::NoPerson { file, offset } | Self::PersonDiffers { file, offset } | Self::IdPac { file, offset } => {
                vec![("file", Slot::text(file)), ("offset", Slot::Number(*offset))]
            }
            Self::Order { piece } => vec![("piece", Slot::number(*piece))],
            Self::Edition { file, found, expected } => vec![("file", Slot::text(file)), ("found", Slot::text(found)), ("expected", Slot::text(expected))],
            Self::Binding { file, first, element, found, expected } => {
                let texts = [("file", file.as_str()), ("first", first), ("element", element), ("found", found), ("expected", expected)];
                texts.map(|(name, text)| (name, Slot::text(text))).into()
            }
            Self::Sum { file, offset, expected, found } => {
                vec![("file", Slot::text(file)), ("offset", Slot::Number(*offset)), ("expected", Slot::text(money(*expected))), ("found", Slot::text(found))]
            }
            Self::Element { file, offset, element, format } => {
                vec![("file", Slot::text(file)), ("offset", Slot::Number(*offset)), ("element", Slot::text(element)), ("format", Slot::text(format))]
            }
            Self::Character { file, record, element, offset, code } => {
                let texts = [("file", file), ("record", record), ("element", element), ("code", code)];
                texts.map(|(name, text)| (name, Slot::text(text))).into_iter().chain([("offset", Slot::Number(*offset))]).collect()
            }
            Self::Heading { element, value, expected } => {
                vec![("element", Slot::text(element)), ("value", Slot::text(value)), ("expected", Slot::text(expected))]
            }
            Self::TooMany { cases } => vec![("cases", Slot::Number(*cases))],
            Self::Write(error) => carried(error).map_or_else(|| vec![("reason", Slot::io(error))], Coded::slots),
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::Write(error) => carried(error).map_or(ErrorClass::Usage, Coded::class),
            _ => ErrorClass::Usage,
        }
    }
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for FormError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Table(error) => Some(error),
            Self::Origin { fault, .. } => Some(fault),
            Self::Write(error) => Some(error),
            _ => None,
        }
    }
}

impl From<TableError> for FormError {
    fn from(error: TableError) -> Self {
        Self::Table(error)
    }
}

impl From<io::Error> for FormError {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}
