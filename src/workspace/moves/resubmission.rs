//! PR_NOV of a case that is formed: whether it was sent before and refused. `rules/forms/resubmission.csv` says which way back gives which value; a region may
//! change it.

use std::collections::HashMap;

use serde::Deserialize;

use crate::tables::{RuleFiles, TableError};
use crate::workspace::Problem;
use crate::workspace::store::{Against, CaseVersion, Clinic};
use crate::workspace::workflow::Move;

const TABLE: &str = "forms/resubmission.csv";

/// What is held against a case, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Way {
    /// Nothing.
    None,
    /// It was named when ФЛК refused its file as a whole.
    FlkFile,
    /// ФЛК refused it, and took other records of the file.
    FlkRecord,
    /// The payer decided against it.
    Decided,
}

/// What is written as PR_NOV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Due {
    #[serde(rename = "0")]
    First,
    #[serde(rename = "1")]
    Again,
    /// What the export says.
    #[serde(rename = "export")]
    Export,
}

#[derive(Deserialize)]
struct WayRow {
    way: Way,
    pr_nov: Due,
    #[serde(rename = "name_ru")]
    _ru: String,
    #[serde(rename = "name_en")]
    _en: String,
}

/// The table.
#[derive(Debug, Clone, Copy)]
pub(in crate::workspace) struct Resubmission([Due; 4]);

impl Resubmission {
    /// Reads the table.
    ///
    /// # Errors
    /// An unknown word; a way twice or not at all.
    pub(in crate::workspace) fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let mut due: [Option<Due>; 4] = [None; 4];
        for (line, row) in files.rows::<WayRow>(TABLE)? {
            if due[row.way as usize].replace(row.pr_nov).is_some() {
                return Err(TableError::new(TABLE, line, "this way stands twice"));
            }
        }
        match due {
            [Some(none), Some(file), Some(record), Some(decided)] => Ok(Self([none, file, record, decided])),
            _ => Err(TableError::new(TABLE, 0, "none, flk_file, flk_record and decided are due")),
        }
    }

    /// What is known of the cases of a clinic.
    pub(super) fn of(self, clinic: &mut Clinic<'_>) -> Result<Again, Problem> {
        let mut against: HashMap<i64, Way> = HashMap::new();
        for Against { case_id, answer } in clinic.sanctions().against()? {
            let way = match Move::find(Move::ReceiveRefused.verb(), &answer) {
                Some(Move::ReceiveRefused) => Way::FlkFile,
                Some(Move::ReceivePartial) => Way::FlkRecord,
                _ => Way::Decided,
            };
            let known = against.entry(case_id).or_insert(way);
            *known = way.max(*known);
        }
        // Without sanctions nobody asks what a version replaces.
        let versions = if against.is_empty() { Vec::new() } else { clinic.cases().versions()? };
        Ok(Again { table: self, against, before: versions.into_iter().map(|CaseVersion { id, replaces }| (id, replaces)).collect() })
    }
}

/// Which cases of a clinic were refused before.
pub(super) struct Again {
    table: Resubmission,
    against: HashMap<i64, Way>,
    /// The version that a case replaced.
    before: HashMap<i64, i64>,
}

impl Again {
    /// PR_NOV that is due for a case; `None` leaves that of the export.
    pub(super) fn due(&self, case: i64) -> Option<bool> {
        let mut way = Way::None;
        let mut version = Some(case);
        // Versions go back in time: a chain has no circle, and if a hand made one, it is left after as many steps as there are versions.
        for _ in 0..=self.before.len() {
            let Some(id) = version else { break };
            way = way.max(self.against.get(&id).copied().unwrap_or(Way::None));
            version = self.before.get(&id).copied();
        }
        match self.table.0[way as usize] {
            Due::First => Some(false),
            Due::Again => Some(true),
            Due::Export => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_held_against_an_earlier_version_counts() {
        let table = Resubmission::load(&RuleFiles::embedded()).expect("sound");
        let against = [(1, Way::Decided), (5, Way::FlkFile), (7, Way::FlkRecord)].into();
        let again = Again { table, against, before: [(3, 2), (2, 1), (6, 5), (8, 9), (9, 8)].into() };
        assert_eq!([1, 2, 3, 4, 5, 6, 7, 8].map(|case| again.due(case)), [true, true, true, false, false, false, true, false].map(Some));
    }

    #[test]
    fn a_table_says_every_way_once() {
        let load = |text: &str| {
            let folder = tempfile::tempdir().expect("a folder");
            std::fs::create_dir(folder.path().join("forms")).expect("made");
            std::fs::write(folder.path().join(TABLE), format!("way,pr_nov,name_ru,name_en\n{text}")).expect("written");
            Resubmission::load(&RuleFiles::with_overlay(folder.path())).map(|table| table.0)
        };
        let all = "none,export,,\nflk_file,0,,\nflk_record,1,,\ndecided,1,,\n";
        assert_eq!(load(all).expect("sound"), [Due::Export, Due::First, Due::Again, Due::Again]);
        for broken in [all.replace("none,", "nothing,"), all.replace("export", "2"), all.replace("flk_file", "none"), all.replace("decided,1,,\n", "")] {
            assert!(load(&broken).is_err(), "{broken}");
        }
    }
}
