//! Why a package could not be formed.

use std::fmt;
use std::io;

use crate::registry::fault::Fault;
use crate::tables::TableError;
use crate::values::money;

/// What stopped the forming. Nothing of it is personal: a record is named by its number, an element by its name.
///
/// [`FormError::key`] is the key of its text in `rules/texts.csv`, [`FormError::fields`] are the slots of that text.
#[derive(Debug)]
pub enum FormError {
    /// A table under `rules/` is wrong.
    Table(TableError),
    /// There are no cases to form.
    Empty,
    /// The letters of the file's name are not those of a main file of the family.
    Letters {
        /// The letters.
        letters: String,
    },
    /// A file that cases are taken from cannot be read; the fault has a text of its own in the catalog.
    Origin {
        /// Its name.
        file: String,
        /// Why.
        fault: Fault,
    },
    /// A place does not hold what stood there when the package was taken in: the file was changed since.
    Changed {
        /// Name of the file.
        file: String,
        /// Offset in the unpacked file.
        offset: u64,
    },
    /// The pieces do not stand in the order of their origins and places, or one stands twice. The caller's fault.
    Order {
        /// Index of the piece.
        piece: usize,
    },
    /// A package is of another version than the one to be written.
    Edition {
        /// Name of its main file.
        file: String,
        /// Its VERSION; empty if there is none.
        found: String,
        /// The version of the registry.
        expected: String,
    },
    /// Two packages differ in what must be the same in the whole registry.
    Binding {
        /// Name of the main file.
        file: String,
        /// Name of the first main file.
        first: Box<str>,
        /// Name of the element.
        element: Box<str>,
        /// Its value; empty if there is none.
        found: String,
        /// Its value in the first main file.
        expected: String,
    },
    /// A case comes without its person.
    NoPerson {
        /// Name of the main file.
        file: String,
        /// Offset of its record.
        offset: u64,
    },
    /// The person of a case is another one than its record names. The caller's fault.
    PersonDiffers {
        /// Name of the main file.
        file: String,
        /// Offset of the record.
        offset: u64,
    },
    /// The sum of a case is not the one that was stated. The caller's fault, or the file was changed.
    Sum {
        /// Name of the main file.
        file: String,
        /// Offset of the case.
        offset: u64,
        /// Kopecks that were stated.
        expected: i64,
        /// What stands in the case.
        found: String,
    },
    /// The format of the person file lacks an element of a person.
    Element {
        /// Name of the person file.
        file: String,
        /// Offset of the element.
        offset: u64,
        /// Its name.
        element: String,
        /// Family and edition of the person file to be written.
        format: String,
    },
    /// Windows-1251, in which registries are sent, lacks a character of a UTF-8 file.
    Character {
        /// Name of the file.
        file: String,
        /// N_ZAP of the record or ID_PAC of the person; empty if it is not known.
        record: String,
        /// Name of the element.
        element: String,
        /// Offset of the character.
        offset: u64,
        /// Its code, `U+04E9`.
        code: String,
    },
    /// A value of the heading does not fit its element.
    Heading {
        /// Name of the element.
        element: String,
        /// The value.
        value: String,
        /// What would fit, `T(15)`.
        expected: String,
    },
    /// More records or cases than their numbers have digits, or more bytes than an archive of the exchange may hold.
    TooMany {
        /// Cases that were asked for.
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

impl FormError {
    /// The key of its text in `rules/texts.csv`.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Table(_) => "error.table",
            Self::Empty => "form.empty",
            Self::Letters { .. } => "form.letters",
            Self::Origin { .. } => "form.origin",
            Self::Changed { .. } => "form.changed",
            Self::Order { .. } => "form.order",
            Self::Edition { .. } => "form.edition",
            Self::Binding { .. } => "form.binding",
            Self::NoPerson { .. } => "form.no-person",
            Self::PersonDiffers { .. } => "form.person-differs",
            Self::Sum { .. } => "form.sum",
            Self::Element { .. } => "form.element",
            Self::Character { .. } => "form.character",
            Self::Heading { .. } => "form.heading",
            Self::TooMany { .. } => "form.too-many",
            Self::IdPac { .. } => "form.id-pac",
            Self::Write(_) => "form.write",
        }
    }

    /// Names and values of the slots of its text. `reason` of a fault and of a failed write is technical: whoever knows the catalog and
    /// the user's language says it better.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let place = |file: &String, offset: &u64| vec![("file", file.clone()), ("offset", offset.to_string())];
        match self {
            Self::Table(error) => vec![("error", error.to_string())],
            Self::Empty => Vec::new(),
            Self::Letters { letters } => vec![("letters", letters.clone())],
            Self::Origin { file, fault } => vec![("file", file.clone()), ("reason", fault.to_string())],
            Self::Changed { file, offset } | Self::NoPerson { file, offset } | Self::PersonDiffers { file, offset } | Self::IdPac { file, offset } => {
                place(file, offset)
            }
            Self::Order { piece } => vec![("piece", piece.to_string())],
            Self::Edition { file, found, expected } => vec![("file", file.clone()), ("found", found.clone()), ("expected", expected.clone())],
            Self::Binding { file, first, element, found, expected } => {
                let texts = [("file", file.as_str()), ("first", first), ("element", element), ("found", found), ("expected", expected)];
                texts.map(|(name, text)| (name, text.to_owned())).to_vec()
            }
            Self::Sum { file, offset, expected, found } => {
                let mut fields = place(file, offset);
                fields.extend([("expected", money(*expected)), ("found", found.clone())]);
                fields
            }
            Self::Element { file, offset, element, format } => {
                let mut fields = place(file, offset);
                fields.extend([("element", element.clone()), ("format", format.clone())]);
                fields
            }
            Self::Character { file, record, element, offset, code } => {
                let mut fields = place(file, offset);
                fields.extend([("record", record.clone()), ("element", element.clone()), ("code", code.clone())]);
                fields
            }
            Self::Heading { element, value, expected } => vec![("element", element.clone()), ("value", value.clone()), ("expected", expected.clone())],
            Self::TooMany { cases } => vec![("cases", cases.to_string())],
            Self::Write(error) => vec![("reason", error.to_string())],
        }
    }
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())?;
        self.fields().iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
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
