//! Invented packages of any size, family and edition: for training, pilots, tests and benches.
//!
//! The tables of `rules/generate/` define the contents: facts (who has which illness, when, at what cost), pools of coherent values with codes of the
//! federal books, and recipes that make elements from facts. The code knows only the language of the tables. All people are invented, and visibly so.
//! The same options give the same bytes on every machine, whatever the number of threads.
//!
//! The people of a seed, clinic and insurer are the same in every month and kind of file, save those who come and go (`population.rs`); cases are
//! another matter for each month and kind of file. Number, edition, encoding and layout of the package change neither.

mod calendar;
mod defect;
mod edition;
mod emit;
mod everything;
mod expr;
mod numbers;
mod output;
mod package;
mod plan;
mod population;
mod rng;
mod typical;
mod words;

use std::fmt;
use std::io;

pub use defect::Defect;
pub use edition::choose_edition;
pub use everything::{Everything, everything};
pub use output::{Packing, Summary};
pub use package::{Generator, Names, Note, Totals};

use crate::registry::encoding::Encoding;
use crate::registry::format::{Edition, Family};
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
    /// Seed of the people and their cases; the same options give the same package.
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
    /// The edition is not in force in the month.
    NotInForce {
        /// The family, or the letters of its file.
        family: String,
        /// The edition that was asked for.
        edition: Box<Edition>,
        /// The reporting month.
        period: Month,
        /// Editions of the family that are in force in the month.
        fitting: Vec<String>,
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
    /// File-name letters for which the tables say what to invent.
    Invented,
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
            Self::Unknown { what: Choice::Invented, .. } => Key::GenerateInvented,
            Self::Unknown { what: Choice::Code, .. } => Key::GenerateCode,
            Self::NotInForce { .. } => Key::GenerateEditionMonth,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match self {
            Self::Table(error) => error.slots(),
            Self::Io(error) => vec![("reason", Slot::io(error))],
            Self::Unknown { given, known, .. } => vec![("given", Slot::text(given)), ("known", Slot::list(known))],
            Self::NotInForce { family, edition, period, fitting } => vec![
                ("family", Slot::text(family)),
                ("edition", Slot::text(&edition.id)),
                ("months", edition::months(edition)),
                ("period", Slot::text(period.to_string())),
                ("known", Slot::list(fitting)),
            ],
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
