//! Findings for people and for programs: one file a format, all written as the packages come.
//!
//! Nothing here prints: a report writes to whatever it was given. Personal values are masked everywhere but in the official protocol.

pub mod columns;
pub mod csv;
pub mod flk;
pub mod human;
pub mod json;
pub mod jsonl;
pub mod table;
pub mod tally;
pub mod window;
pub mod wire;
pub mod xlsx;

mod draw;
mod group;
#[cfg(test)]
mod samples;

use std::borrow::Cow;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::flk::PackageReport;
use crate::rules::import::Edition;
use crate::tables::{RuleFiles, TableError};
use crate::timings::Timings;

pub use tally::Tally;

/// Which set of rules the program worked with: a row of `rules/version.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RuleSet {
    /// Version of the set.
    pub version: String,
    /// Its date, `YYYY-MM-DD`.
    pub date: String,
    /// Editions of the rule books in it.
    #[serde(skip)]
    pub editions: Vec<Edition>,
}

impl RuleSet {
    /// Reads `rules/version.csv` and the editions of the rule books.
    ///
    /// # Errors
    /// The table does not hold exactly one row.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        const TABLE: &str = "version.csv";
        let mut rows = files.rows::<Self>(TABLE)?;
        match (rows.pop(), rows.pop()) {
            (Some((_, row)), None) => {
                let editions = files.rows("flk/editions.csv")?.into_iter().map(|(_, e)| e).collect();
                Ok(Self { editions, ..row })
            }
            _ => Err(TableError::new(TABLE, 0, "exactly one row is due")),
        }
    }
}

/// A report in one format.
pub trait Report {
    /// Takes in one package.
    ///
    /// # Errors
    /// The target cannot be written or the findings cannot be read back.
    fn package(&mut self, report: &PackageReport) -> io::Result<()>;

    /// Closes the report.
    ///
    /// # Errors
    /// The target cannot be written.
    fn finish(&mut self, ending: &Ending<'_>) -> io::Result<()>;
}

/// What a report says after the last package.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// The totals.
    pub tally: &'a Tally,
    /// How long the run took; none when the output must be the same for every run.
    pub seconds: Option<f64>,
    /// The folder of the protocols and how many were written.
    pub protocols: Option<(&'a Path, u64)>,
    /// The only protocol, if there is just one.
    pub protocol: Option<&'a Path>,
    /// The code with which the program will end.
    pub code: u8,
    /// What was not shown, where somebody wished so.
    pub hidden: Option<Hidden>,
    /// Where the time went, where somebody wished to know; only JSON says it.
    pub timings: Option<&'a Timings>,
}

/// Findings that were not shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Hidden {
    /// By a suppression with a reason.
    pub suppressed: u64,
    /// Because the baseline has them.
    pub baseline: u64,
    /// Because their rule is off or not selected.
    pub off: u64,
    /// Entries of the baseline that did not come again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone: Option<u64>,
}

/// The finding as a report may show it.
fn shown(finding: Finding, personal: bool) -> Finding {
    if personal { finding } else { finding.masked() }
}

/// Text that cannot drive a terminal: control characters and those that turn the writing direction are replaced.
fn tidy(text: &str) -> Cow<'_, str> {
    let wild = |c: char| c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    if text.contains(wild) { Cow::Owned(text.chars().map(|c| if wild(c) { '\u{fffd}' } else { c }).collect()) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_set_has_a_version() {
        let set = RuleSet::load(&RuleFiles::embedded()).expect("the built-in table is sound");
        assert!(set.date.starts_with("20") && !set.version.is_empty());
    }

    #[test]
    fn values_cannot_drive_the_terminal() {
        assert_eq!(tidy("a\u{1b}[31m\n\u{202e}b"), "a\u{fffd}[31m\u{fffd}\u{fffd}b");
        assert!(matches!(tidy("Иванов"), Cow::Borrowed(_)));
    }
}
