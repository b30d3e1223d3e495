//! `rules/forms/status-columns.csv`: the columns of a status. One list for the table on the screen, for CSV and for Excel.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::value::{Error, StrDeserializer};

use crate::report::xlsx;
use crate::tables::{RuleFiles, TableError};
use crate::texts::{Lang, Text};

const TABLE: &str = "forms/status-columns.csv";

/// What the columns of one table may hold.
pub(in super::super) trait Field: DeserializeOwned + Copy + PartialEq + 'static {
    /// Name of the table.
    const NAME: &'static str;
    /// Everything that the table knows; each is one column.
    const ALL: &'static [Self];
}

macro_rules! fields {
    ($(#[$doc:meta])* $name:ident, $table:literal, $($field:ident),*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(in super::super) enum $name { $($field),* }

        impl Field for $name {
            const NAME: &'static str = $table;
            const ALL: &'static [Self] = &[$(Self::$field),*];
        }
    };
}

fields!(
    /// Of a registry.
    OfRegistry,
    "registries",
    Number,
    Status,
    Since,
    Acts,
    Revision,
    Period,
    Mo,
    Payer,
    Kind,
    Subdivision,
    Cases,
    Persons,
    Sum,
    AcceptedCases,
    AcceptedSum,
    File,
    FormedAt,
    SentAt,
    AccountDate
);
fields!(
    /// Of cases outside registries.
    OfStock,
    "stock",
    Period,
    Mo,
    Payer,
    Kind,
    Cases,
    Sum,
    State
);
fields!(
    /// Of an entry of the journal.
    OfEntry,
    "history",
    At,
    User,
    Role,
    Action,
    After
);

/// One column.
#[derive(Debug)]
pub(in super::super) struct Column<F> {
    pub(in super::super) field: F,
    /// Its name for programs.
    pub(in super::super) name: String,
    total: bool,
    human: Option<u8>,
    title: Text,
}

/// The columns of one table, in their order.
#[derive(Debug)]
pub(in super::super) struct Columns<F>(Vec<Column<F>>);

#[derive(Deserialize)]
struct Row {
    table: String,
    column: String,
    total: Option<Yes>,
    human: Option<u8>,
    ru: String,
    en: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Yes {
    Yes,
}

impl<F: Field> Columns<F> {
    /// Reads the table.
    ///
    /// # Errors
    /// A column that is unknown, that stands twice or nowhere, or lacks a title.
    pub(in super::super) fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let mut all: Vec<Column<F>> = Vec::new();
        for (line, row) in files.rows::<Row>(TABLE)?.into_iter().filter(|(_, row)| row.table == F::NAME) {
            let unknown = |_: Error| TableError::new(TABLE, line, format!("{} has no column {}", F::NAME, row.column));
            let field = F::deserialize(StrDeserializer::new(&row.column)).map_err(unknown)?;
            if all.iter().any(|c| c.field == field) {
                return Err(TableError::new(TABLE, line, format!("{} stands twice", row.column)));
            }
            if row.ru.is_empty() || row.en.is_empty() {
                return Err(TableError::new(TABLE, line, format!("{} needs its titles", row.column)));
            }
            all.push(Column { field, name: row.column, total: row.total.is_some(), human: row.human, title: Text { ru: row.ru, en: row.en } });
        }
        if all.len() < F::ALL.len() {
            return Err(TableError::new(TABLE, 0, format!("{} has {} columns, {} are due", F::NAME, all.len(), F::ALL.len())));
        }
        Ok(Self(all))
    }

    /// All of them.
    pub(in super::super) fn iter(&self) -> impl Iterator<Item = &Column<F>> {
        self.0.iter()
    }

    /// Those of the table on the screen, in its order.
    pub(in super::super) fn human(&self) -> Vec<&Column<F>> {
        let mut shown: Vec<&Column<F>> = self.0.iter().filter(|c| c.human.is_some()).collect();
        shown.sort_by_key(|c| c.human);
        shown
    }

    /// A sheet of some rows.
    pub(in super::super) fn sheet<R>(&self, name: &str, rows: &[R], lang: Lang, cell: impl Fn(F, &R) -> xlsx::Cell) -> xlsx::Sheet {
        xlsx::Sheet {
            name: name.to_owned(),
            columns: self.0.iter().map(|c| xlsx::Column { title: c.title(lang).to_owned(), total: c.total }).collect(),
            rows: rows.iter().map(|row| self.0.iter().map(|c| cell(c.field, row)).collect()).collect(),
        }
    }
}

impl<F> Column<F> {
    /// What stands above it.
    pub(in super::super) fn title(&self, lang: Lang) -> &str {
        self.title.get(lang)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_lacks_or_repeats_a_column_is_refused() {
        let good = RuleFiles::embedded().text(TABLE).expect("there").into_owned();
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("forms")).expect("a folder");
        for (from, to, message) in [
            ("registries,persons,,,пациентов,patients\n", "", "18 columns, 19 are due"),
            ("registries,persons,", "registries,people,", "no column people"),
            ("registries,persons,", "registries,cases,", "cases stands twice"),
            ("номер,number", ",number", "titles"),
        ] {
            assert!(good.contains(from), "{from}");
            std::fs::write(folder.path().join(TABLE), good.replacen(from, to, 1)).expect("written");
            let error = Columns::<OfRegistry>::load(&RuleFiles::with_overlay(folder.path())).expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        }
        assert!(Columns::<OfStock>::load(&RuleFiles::embedded()).is_ok() && Columns::<OfEntry>::load(&RuleFiles::embedded()).is_ok());
    }
}
