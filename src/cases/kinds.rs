//! Kinds of care from `rules/kinds.csv`. A registry holds cases of one kind.

use serde::Deserialize;

use crate::registry::format::Family;
use crate::tables::{RuleFiles, TableError};
use crate::texts::Text;

const TABLE: &str = "kinds.csv";

/// A kind of care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// The word for this kind on the command line and in the store.
    pub id: String,
    family: Family,
    /// Conditions of care, USL_OK; empty for any.
    conditions: String,
    /// Name shown to people.
    pub title: Text,
}

/// All kinds.
#[derive(Debug, Clone)]
pub struct Kinds(Vec<Kind>);

#[derive(Deserialize)]
struct KindRow {
    kind: String,
    family: char,
    conditions: String,
    ru: String,
    en: String,
}

impl Kinds {
    /// Reads the table.
    ///
    /// # Errors
    /// A row that cannot be read, or a kind that is empty or listed twice.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let mut kinds: Vec<Kind> = Vec::new();
        for (line, row) in files.rows::<KindRow>(TABLE)? {
            if row.kind.is_empty() || kinds.iter().any(|k| k.id == row.kind) {
                return Err(TableError::new(TABLE, line, format!("kind «{}» is empty or stands twice", row.kind)));
            }
            kinds.push(Kind { id: row.kind, family: Family(row.family), conditions: row.conditions, title: Text { ru: row.ru, en: row.en } });
        }
        Ok(Self(kinds))
    }

    /// The kind of a case with these conditions (USL_OK); `None` when no kind fits.
    pub fn of(&self, family: Family, conditions: &str) -> Option<&Kind> {
        self.0.iter().find(|k| k.family == family && (k.conditions.is_empty() || k.conditions == conditions))
    }

    /// The kind with this id.
    pub fn get(&self, id: &str) -> Option<&Kind> {
        self.0.iter().find(|k| k.id == id)
    }

    /// The ids of all kinds.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|k| k.id.as_str())
    }
}
