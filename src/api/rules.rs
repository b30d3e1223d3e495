//! The rule book.

use serde::{Deserialize, Serialize};

use crate::rules::import::TableRow;
use crate::texts::Key;

/// Rules as the tables hold them.
#[derive(Debug, Serialize, Deserialize)]
pub struct Rules {
    /// The rows.
    pub rules: Vec<TableRow>,
    /// The meanings of the words in the column `inferred`.
    pub inferred: Vec<Inferred>,
    /// What was decided where a row ends, or where a program in use reads a rule otherwise.
    pub decisions: Vec<Decision>,
}

/// Why a rule or one of its dates is inferred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inferred {
    /// The word in the column `inferred`.
    pub id: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// The reason in Russian.
    pub ru: String,
    /// The reason in English.
    pub en: String,
}

/// How sure an inferred rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Two independent witnesses or more, or the format itself.
    High,
    /// One witness, or several that differ in details.
    Medium,
    /// Inferred without a witness, or against one: a finding is a warning.
    Low,
}

impl Confidence {
    /// The word for it.
    pub fn key(self) -> Key {
        match self {
            Self::High => Key::ConfidenceHigh,
            Self::Medium => Key::ConfidenceMedium,
            Self::Low => Key::ConfidenceLow,
        }
    }
}

/// What a decision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum About {
    /// A row that ends: what holds instead.
    Ended,
    /// A rule that a program in use reads otherwise: whose reading is taken.
    Differs,
    /// A requirement seen in a program or a schema: whether it became a row.
    Find,
}

/// A row of `rules/flk/decisions.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Id of the rule; of a find without a row, the element.
    pub id: String,
    /// Families and last day of the row that ends; empty otherwise.
    pub files: String,
    /// The last day of the row that ends.
    pub until: String,
    /// What it is about.
    pub about: About,
    /// Ids of the rules and checks that hold, separated by spaces.
    pub now: String,
    /// The reason in Russian; empty where the successor says all.
    pub ru: String,
    /// The reason in English.
    pub en: String,
}
