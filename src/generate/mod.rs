//! Invented packages of any size, family and edition: for training, pilots, tests and benches.
//!
//! The tables of `rules/generate/` define the contents: facts (who has which illness, when, at what cost), pools of coherent values with codes of the
//! federal books, and recipes that make elements from facts. The code knows only the language of the tables. All people are invented, and visibly so.
//! The same options give the same bytes on every machine, whatever the number of threads.

mod calendar;
mod defect;
mod emit;
mod everything;
mod expr;
mod output;
mod package;
mod plan;
mod rng;
mod typical;
mod words;

use std::fmt;
use std::io;

pub use defect::Defect;
pub use everything::{Everything, everything};
pub use output::{Packing, Summary};
pub use package::{Generator, Names, Note, Totals};

use crate::registry::encoding::Encoding;
use crate::registry::format::Family;
use crate::registry::writer::Layout;
use crate::tables::TableError;
use crate::texts::{Coded, Key, Slot, display};
use crate::values::Month;

/// Options of the package to generate.
#[derive(Debug, Clone)]
pub struct Options {
    /// Family of the main file.
    pub family: Family,
    /// Edition; `None` means the one in force in the period.
    pub edition: Option<String>,
    /// Reporting month.
    pub period: Month,
    /// Number of records; each holds one completed case.
    pub cases: u64,
    /// Seed of the random choices; the same seed gives the same package.
    pub seed: u64,
    /// File-name letters, for families that have several (`DP`, `DV`, …); `None` means the first of the family.
    pub letters: Option<String>,
    /// Code of the clinic, six digits; `None` means the one of the tables.
    pub clinic: Option<String>,
    /// Code of the insurer, five digits; `None` means the one of the tables.
    pub insurer: Option<String>,
    /// Number of the packet in the file's name.
    pub packet: u32,
    /// Encoding of both files.
    pub encoding: Encoding,
    /// Layout of both files: one element a line, or nothing between the elements.
    pub layout: Layout,
}

impl Options {
    /// A windows-1251 package of a family and month with the defaults of the tables.
    pub fn new(family: Family, period: Month, cases: u64, seed: u64) -> Self {
        Self {
            family,
            edition: None,
            period,
            cases,
            seed,
            letters: None,
            clinic: None,
            insurer: None,
            packet: 1,
            encoding: Encoding::Windows1251,
            layout: Layout::Lines,
        }
    }
}

/// Why nothing could be generated.
#[derive(Debug)]
pub enum Error {
    /// A table under `rules/` is wrong.
    Table(TableError),
    /// The output fails.
    Io(io::Error),
    /// A choice does not exist.
    Unknown {
        /// Kind of the choice.
        what: Choice,
        /// The given value.
        given: String,
        /// The known values.
        known: Vec<String>,
    },
}

/// A choice that may not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// A family.
    Family,
    /// An edition of the family.
    Edition,
    /// A month in which the family had an edition.
    Period,
    /// File-name letters of the family in the month.
    Letters,
    /// The code of a clinic or insurer.
    Code,
}

impl Coded for Error {
    fn key(&self) -> Key {
        match self {
            Self::Table(error) => error.key(),
            Self::Io(_) => Key::ErrorStream,
            Self::Unknown { what: Choice::Family, .. } => Key::GenerateFamily,
            Self::Unknown { what: Choice::Edition, .. } => Key::GenerateEdition,
            Self::Unknown { what: Choice::Period, .. } => Key::GeneratePeriod,
            Self::Unknown { what: Choice::Letters, .. } => Key::GenerateLetters,
            Self::Unknown { what: Choice::Code, .. } => Key::GenerateCode,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match self {
            Self::Table(error) => error.slots(),
            Self::Io(error) => vec![("reason", Slot::io(error))],
            Self::Unknown { given, known, .. } => vec![("given", Slot::text(given)), ("known", Slot::list(known))],
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for Error {}

impl From<TableError> for Error {
    fn from(error: TableError) -> Self {
        Self::Table(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
