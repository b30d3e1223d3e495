//! Which findings are causes of others (`rules/causes.csv`): what is said by rules that read an element follows from the finding about that element.

use serde::Deserialize;

use crate::tables::{RuleFiles, TableError};

const TABLE: &str = "causes.csv";

/// What a rule requires of its element, as far as causes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Requires {
    /// That the element stands.
    Presence,
    /// That the element does not stand.
    Absence,
    /// Something else.
    #[serde(skip)]
    Other,
}

#[derive(Debug, Clone, Deserialize)]
struct Row {
    /// Ids of rules, or their beginnings.
    rule: String,
    requires: Option<Requires>,
    /// The elements that the finding is about.
    about: Option<About>,
    /// Whether these rules are no causes, but yield to all others: their findings follow from any other one about an element that they read.
    #[serde(default)]
    yields: bool,
    /// Why something follows from these rules.
    note: String,
}

/// The elements that a cause is about; without a word in the table, the one that its rule checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum About {
    /// All that its rule reads: it does not say which of them is wrong.
    All,
}

/// What a rule is as a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// Of two findings that could follow from each other, the one with the lower rank is the cause.
    pub rank: u8,
    /// Whether it is about all elements that its rule reads, and not only about the one that the rule checks.
    pub about_all: bool,
}

/// The table of causes.
#[derive(Debug, Clone)]
pub struct Causes(Vec<Row>);

impl Causes {
    /// Reads the table.
    ///
    /// # Errors
    /// A row names no rule, does not say why, or has an unknown word in `requires`.
    pub(super) fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let rows = files.rows::<Row>(TABLE)?;
        match rows.iter().find(|(_, row)| row.rule.trim().is_empty() || row.note.trim().is_empty()) {
            Some((line, _)) => Err(TableError::new(TABLE, *line, "rule and note are both due")),
            None => Ok(Self(rows.into_iter().map(|(_, row)| row).collect())),
        }
    }

    /// Whether a finding of the rule follows from any other one about an element that it reads.
    pub fn yields(&self, id: &str) -> bool {
        self.0.iter().any(|row| row.yields && begins(&row.rule, id))
    }

    /// What a rule is as a cause: the first row that fits. `None` if nothing follows from the rule.
    pub fn of(&self, id: &str, requires: Requires) -> Option<Cause> {
        let fits = |row: &Row| !row.yields && row.requires.is_none_or(|r| r == requires) && begins(&row.rule, id);
        let (at, row) = self.0.iter().enumerate().find(|(_, row)| fits(row))?;
        Some(Cause { rank: u8::try_from(at).ok()?, about_all: row.about.is_some() })
    }
}

/// Whether an id begins with one of the words of a cell.
fn begins(cell: &str, id: &str) -> bool {
    cell.split_whitespace().any(|beginning| id.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_row_that_fits_ranks_a_rule() {
        let causes = Causes::load(&RuleFiles::embedded()).expect("the built-in table is sound");
        let rank = |id: &str, requires| causes.of(id, requires).map(|cause| cause.rank);
        assert_eq!(rank("003F.00.1580", Requires::Absence), Some(0));
        assert_eq!(rank("003F.00.2270", Requires::Presence), Some(1));
        assert_eq!(rank("003F.00.2270", Requires::Other), None);
        assert!(rank("V003", Requires::Other) < rank("004F.00.0330", Requires::Other));
        assert_eq!(rank("006F.00.0400", Requires::Other), None);
        let about_all = |id: &str| causes.of(id, Requires::Other).is_some_and(|cause| cause.about_all);
        assert!(causes.yields("L001") && !causes.yields("006F.00.0330") && rank("L001", Requires::Other).is_none());
        assert!(about_all("006F.00.0330") && !about_all("006F.00.0340") && !about_all("V003"));
    }

    #[test]
    fn a_row_without_a_reason_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(TABLE), "rule,requires,about,yields,note\n003F,presence,,false,\n").expect("written");
        let error = Causes::load(&RuleFiles::with_overlay(folder.path())).expect_err("no reason");
        assert_eq!(error.to_string(), "rules/causes.csv:2: rule and note are both due");
    }
}
