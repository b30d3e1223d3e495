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
    /// Why something follows from these rules.
    note: String,
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

    /// The rank of a rule as a cause: of two findings that could follow from each other, the one with the lower rank is the cause. `None` if nothing
    /// follows from the rule.
    pub fn rank(&self, id: &str, requires: Requires) -> Option<u8> {
        let fits = |row: &Row| row.requires.is_none_or(|r| r == requires) && row.rule.split_whitespace().any(|beginning| id.starts_with(beginning));
        self.0.iter().position(fits).and_then(|at| u8::try_from(at).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_row_that_fits_ranks_a_rule() {
        let causes = Causes::load(&RuleFiles::embedded()).expect("the built-in table is sound");
        let rank = |id: &str, requires| causes.rank(id, requires);
        assert_eq!(rank("003F.00.1580", Requires::Absence), Some(0));
        assert_eq!(rank("003F.00.2270", Requires::Presence), Some(1));
        assert_eq!(rank("003F.00.2270", Requires::Other), None);
        assert!(rank("V003", Requires::Other) < rank("004F.00.0330", Requires::Other));
        assert_eq!(rank("006F.00.0400", Requires::Other), None);
    }

    #[test]
    fn a_row_without_a_reason_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(TABLE), "rule,requires,note\n003F,presence,\n").expect("written");
        let error = Causes::load(&RuleFiles::with_overlay(folder.path())).expect_err("no reason");
        assert_eq!(error.to_string(), "rules/causes.csv:2: rule and note are both due");
    }
}
