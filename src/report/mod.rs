//! Reports of findings for people and for programs: one file for each format. Reports are written while packages are checked.
//!
//! Nothing here prints: a report writes to the given target. Personal values are masked everywhere except in the official protocol.

pub mod book;
pub mod columns;
pub mod csv;
pub mod flk;
mod foot;
pub mod html;
pub mod human;
pub mod json;
pub mod jsonl;
pub mod junit;
pub mod rows;
pub mod sarif;
pub mod table;
pub mod tally;
pub mod window;
pub mod wire;
pub mod xlsx;

mod counts;
mod draw;
mod group;
#[cfg(test)]
mod samples;
mod summary;

use std::borrow::Cow;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::flk::PackageReport;
use crate::rules::import::Edition;
use crate::tables::{Merging, Region, RuleFiles, TableError};
use crate::timings::Timings;

pub use tally::Tally;

/// The set of rules that the program uses: a row of `rules/version.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RuleSet {
    /// Version of the set.
    pub version: String,
    /// Date of the set, `YYYY-MM-DD`.
    pub date: String,
    /// Editions of the rule books in the set.
    #[serde(skip)]
    pub editions: Vec<Edition>,
    /// The region whose tables are merged over the federal ones.
    #[serde(skip)]
    pub region: Option<Merging>,
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
                Ok(Self { editions, region: files.region().map(Region::merging), ..row })
            }
            _ => Err(TableError::new(TABLE, 0, "exactly one row is due")),
        }
    }
}

/// A report in one format.
pub trait Report {
    /// Adds one package to the report.
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

/// The facts for the end of a report.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// The totals.
    pub tally: &'a Tally,
    /// Duration of the run; `None` when the output must not differ between runs.
    pub seconds: Option<f64>,
    /// The folder of the protocols and their number; `None` when none were written to a folder.
    pub protocols: Option<(&'a Path, u64)>,
    /// Path of the protocol when there is exactly one.
    pub protocol: Option<&'a Path>,
    /// The exit code of the program.
    pub code: u8,
    /// Counts of hidden findings; `None` when the user hides nothing.
    pub hidden: Option<Hidden>,
    /// Times by phase; `None` when not requested. Only the JSON formats report them.
    pub timings: Option<&'a Timings>,
}

/// Counts of findings that are not shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Hidden {
    /// Hidden by a suppression.
    pub suppressed: u64,
    /// Hidden because the baseline contains them.
    pub baseline: u64,
    /// Hidden because their rule is off or not selected.
    pub off: u64,
    /// Hidden because somebody else mends them than the user asked for.
    #[serde(skip_serializing_if = "is_none")]
    pub others: u64,
    /// Entries of the baseline that were not found again; `None` without a baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone: Option<u64>,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

/// The finding in the form for a report: a personal value is masked unless `personal` is set.
fn shown(finding: Finding, personal: bool) -> Finding {
    if personal { finding } else { finding.masked() }
}

/// A text that is safe for a terminal: control characters and characters that change the direction of writing are replaced.
pub(crate) fn tidy(text: &str) -> Cow<'_, str> {
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
