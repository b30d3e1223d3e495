//! The rule book.

use serde::{Deserialize, Serialize};

use crate::rules::import::TableRow;

/// Rules as the tables hold them.
#[derive(Debug, Serialize, Deserialize)]
pub struct Rules {
    /// The rows.
    pub rules: Vec<TableRow>,
    /// The meanings of the words in the column `inferred`.
    pub inferred: Vec<Inferred>,
}

/// Why the dates of a rule are inferred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inferred {
    /// The word in the column `inferred`.
    pub id: String,
    /// The reason in Russian.
    pub ru: String,
    /// The reason in English.
    pub en: String,
}
