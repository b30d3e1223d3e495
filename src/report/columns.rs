//! The columns of tables (`rules/forms/*-columns.csv`): one list for the table on the screen, for CSV and for Excel.

use std::io::{self, Write};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::value::{Error, StrDeserializer};

use super::table::Table;
use super::xlsx;
use crate::tables::{RuleFiles, TableError};
use crate::texts::{Lang, Text};

/// The columns that one table may have.
pub trait Field: DeserializeOwned + Copy + PartialEq + 'static {
    /// Path of the file with the columns, relative to `rules/`.
    const FILE: &'static str;
    /// Name of the table within the file.
    const NAME: &'static str;
    /// All columns that the program knows.
    const ALL: &'static [Self];
}

/// Defines an enum of columns: `fields!(/// doc, visibility Name, "file", "table", Column, …)`. The file names columns in snake case.
macro_rules! fields {
    ($(#[$doc:meta])* $vis:vis $name:ident, $file:literal, $table:literal, $($field:ident),* $(,)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "columns are described by their titles in the table")]
        $vis enum $name { $($field),* }

        impl $crate::report::columns::Field for $name {
            const FILE: &'static str = concat!("forms/", $file, "-columns.csv");
            const NAME: &'static str = $table;
            const ALL: &'static [Self] = &[$(Self::$field),*];
        }
    };
}

pub(crate) use fields;

/// One column.
#[derive(Debug)]
pub struct Column<F> {
    /// The value that the column shows.
    pub field: F,
    total: bool,
    human: Option<u8>,
    title: Text,
}

/// The columns of one table, in the order of the file.
#[derive(Debug)]
pub struct Columns<F>(Vec<Column<F>>);

#[derive(Deserialize)]
struct ColumnRow {
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
    /// An unknown, repeated or missing column, or a column without titles.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let mut all: Vec<Column<F>> = Vec::new();
        for (line, row) in files.rows::<ColumnRow>(F::FILE)?.into_iter().filter(|(_, row)| row.table == F::NAME) {
            let unknown = |_: Error| TableError::new(F::FILE, line, format!("{} has no column {}", F::NAME, row.column));
            let field = F::deserialize(StrDeserializer::new(&row.column)).map_err(unknown)?;
            if all.iter().any(|c| c.field == field) {
                return Err(TableError::new(F::FILE, line, format!("{} stands twice", row.column)));
            }
            if row.ru.is_empty() || row.en.is_empty() {
                return Err(TableError::new(F::FILE, line, format!("{} needs its titles", row.column)));
            }
            all.push(Column { field, total: row.total.is_some(), human: row.human, title: Text { ru: row.ru, en: row.en } });
        }
        if all.len() < F::ALL.len() {
            return Err(TableError::new(F::FILE, 0, format!("{} has {} columns, {} are due", F::NAME, all.len(), F::ALL.len())));
        }
        Ok(Self(all))
    }

    /// All columns in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Column<F>> {
        self.0.iter()
    }

    /// The columns of the table on the screen, in their order there.
    pub fn human(&self) -> Vec<&Column<F>> {
        let mut shown: Vec<&Column<F>> = self.0.iter().filter(|c| c.human.is_some()).collect();
        shown.sort_by_key(|c| c.human);
        shown
    }

    /// The columns of an Excel sheet, all of them in the order of the file.
    pub fn of_sheet(&self, lang: Lang) -> Vec<xlsx::Column> {
        self.0.iter().map(|c| xlsx::Column { title: c.title(lang).to_owned(), total: c.total }).collect()
    }

    /// The columns of an Excel sheet that has those of the table on the screen, in their order there.
    pub fn of_human_sheet(&self, lang: Lang) -> Vec<xlsx::Column> {
        self.human().into_iter().map(|c| xlsx::Column { title: c.title(lang).to_owned(), total: c.total }).collect()
    }

    /// An Excel sheet with a row for each of `rows`; `cell` gives the values.
    pub fn sheet<R>(&self, name: &str, rows: &[R], lang: Lang, cell: impl Fn(F, &R) -> xlsx::Cell) -> xlsx::Sheet {
        xlsx::Sheet {
            name: name.to_owned(),
            columns: self.of_sheet(lang),
            rows: rows.iter().map(|row| self.0.iter().map(|c| cell(c.field, row)).collect()).collect(),
        }
    }

    /// Begins a CSV with the titles of the columns.
    ///
    /// # Errors
    /// The target cannot be written.
    pub fn begin<W: Write>(&self, out: W, lang: Lang) -> io::Result<Table<W>> {
        Table::new(out, self.0.iter().map(|c| c.title(lang)))
    }

    /// Writes a row of a CSV.
    ///
    /// # Errors
    /// The target cannot be written.
    pub fn row<W: Write>(&self, table: &mut Table<W>, cell: impl Fn(F) -> String) -> io::Result<()> {
        table.row(self.0.iter().map(|c| cell(c.field)))
    }
}

impl<F> Column<F> {
    /// Title of the column.
    pub fn title(&self, lang: Lang) -> &str {
        self.title.get(lang)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fields!(
        /// Columns of cases outside registries.
        OfStock,
        "status",
        "stock",
        Period,
        Mo,
        Payer,
        Kind,
        Cases,
        Sum,
        State
    );

    #[test]
    fn a_table_that_lacks_or_repeats_a_column_is_refused() {
        let table = OfStock::FILE;
        let good = RuleFiles::embedded().text(table).expect("there").into_owned();
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("forms")).expect("a folder");
        for (from, to, message) in [
            ("stock,sum,yes,,сумма,sum\n", "", "6 columns, 7 are due"),
            ("stock,sum,", "stock,money,", "no column money"),
            ("stock,sum,", "stock,cases,", "cases stands twice"),
            ("stock,sum,yes,,сумма,sum", "stock,sum,yes,,,sum", "titles"),
        ] {
            assert!(good.contains(from), "{from}");
            std::fs::write(folder.path().join(table), good.replacen(from, to, 1)).expect("written");
            let error = Columns::<OfStock>::load(&RuleFiles::with_overlay(folder.path())).expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        }
        assert!(Columns::<OfStock>::load(&RuleFiles::embedded()).is_ok());
    }
}
