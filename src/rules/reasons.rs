//! Why a rule is not executed, in words. The texts are rows of `rules/flk/reasons.csv`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::strays::Stray;
use super::survey::Standing;
use super::table::RuleRow;
use crate::tables::{RuleFiles, TableError};
use crate::texts::{Text, fill};

const TABLE: &str = "flk/reasons.csv";

/// Kinds of reasons that do not stand in the tables of rules.
const DUE: [&str; 16] = [
    "no-book",
    "no-field",
    "no-format",
    "no-day",
    "no-persons",
    "no-date",
    "before-book",
    "stale",
    "alone",
    "alone-advice",
    "empty-advice",
    "blank",
    "blank-advice",
    "unread",
    "stray",
    "stray-similar",
];

#[derive(Deserialize)]
struct Row {
    kind: String,
    ru: String,
    en: String,
}

/// The reasons by kind.
#[derive(Debug, Clone)]
pub struct Reasons(BTreeMap<String, Text>);

impl Reasons {
    /// Reads the table.
    ///
    /// # Errors
    /// A kind of reason has no row.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let reasons: BTreeMap<String, Text> = files.rows::<Row>(TABLE)?.into_iter().map(|(_, r)| (r.kind, Text { ru: r.ru, en: r.en })).collect();
        match DUE.iter().find(|kind| !reasons.contains_key(**kind)) {
            Some(missing) => Err(TableError::new(TABLE, 0, format!("no row for the kind «{missing}»"))),
            None => Ok(Self(reasons)),
        }
    }

    /// The reason of a kind with the values of its slots in both languages; the kind itself if the table has no row for it.
    pub fn get(&self, kind: &str, slots: &[(&str, &Text)]) -> Text {
        let Some(template) = self.0.get(kind) else { return Text { ru: kind.to_owned(), en: kind.to_owned() } };
        let with = |template: &str, value: fn(&Text) -> &str| fill(template, |slot| slots.iter().find(|(name, _)| *name == slot).map(|(_, text)| value(text)));
        Text { ru: with(&template.ru, |t| &t.ru), en: with(&template.en, |t| &t.en) }
    }

    /// Why a book or a field of a book (with a dot in its name) is lacking.
    pub fn of_book(&self, book: &str) -> Text {
        let what = Text { ru: book.to_owned(), en: book.to_owned() };
        self.get(if book.contains('.') { "no-field" } else { "no-book" }, &[("what", &what)])
    }

    /// Why a row of a kind that no file can answer is not executed; a row that an import could not read says it in its note.
    pub fn of_kind(&self, kind: &str, row: &RuleRow) -> Text {
        self.get(kind, &[("note", &row.note)])
    }

    /// Why a table is not read.
    pub fn of_stray(&self, stray: &Stray) -> Text {
        if stray.similar.is_empty() {
            return self.get("stray", &[]);
        }
        let similar = Text { ru: stray.similar.clone(), en: stray.similar.clone() };
        self.get("stray-similar", &[("what", &similar)])
    }

    /// What a standing lacks; `None` if the rule is executed, in full or in part.
    pub fn of_standing(&self, standing: &Standing, row: &RuleRow) -> Option<Text> {
        match standing {
            Standing::Executed | Standing::Partly(_) => None,
            Standing::NoBook(books) => Some(self.of_book(&books.join(", "))),
            Standing::External(kind) => Some(self.of_kind(kind, row)),
            Standing::NoFormat => Some(self.get("no-format", &[])),
            Standing::NoDay => Some(self.get("no-day", &[])),
        }
    }
}
