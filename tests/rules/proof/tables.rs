//! The tables beside this test.

use puomp::rules::RuleRow;
use serde::Deserialize;

/// A row of `follow.csv`.
#[derive(Debug, Deserialize)]
pub(crate) struct Follow {
    /// Of the broken row.
    pub(crate) id: String,
    /// Ids that a document cannot be without when it breaks that row.
    pub(crate) follows: String,
    /// `yes`: not even a document that meets the row can be without them.
    pub(crate) twin: String,
    /// Why.
    pub(crate) reason: String,
}

impl Follow {
    pub(crate) fn is_of(&self, row: &RuleRow) -> bool {
        self.id == row.id
    }
}

/// A row of `dead.csv`: a rule that no document can break.
#[derive(Debug, Deserialize)]
pub(crate) struct Dead {
    pub(crate) id: String,
    files: String,
    pub(crate) reason: String,
}

impl Dead {
    pub(crate) fn is_of(&self, row: &RuleRow) -> bool {
        self.id == row.id && of_files(&self.files, row)
    }
}

/// Whether a row speaks of all of these files.
pub(crate) fn of_files(files: &str, row: &RuleRow) -> bool {
    files.split(' ').all(|f| row.files.iter().any(|l| f.starts_with(*l)))
}

/// Reads one.
pub(crate) fn table<T: serde::de::DeserializeOwned>(text: &str) -> Vec<T> {
    csv::Reader::from_reader(text.as_bytes()).deserialize().collect::<Result<_, _>>().expect("sound tables beside this test")
}
