//! Books that answer in part for one that is not at hand: `rules/nsi/fallback.csv`.
//!
//! A full code whose beginning no region has is certainly wrong, also where only the regions are known. What is looked up so is said to be
//! checked in part.

use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use super::book::Book;
use super::catalog::Catalog;
use crate::tables::{RuleFiles, TableError};
use crate::texts::Text;

const TABLE: &str = "nsi/fallback.csv";

#[derive(Deserialize)]
struct Row {
    book: String,
    instead: String,
    first: usize,
    ru: String,
    en: String,
}

/// For which book another one answers, and how much of the check that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandsFor {
    /// Id of the book that is not there.
    pub book: Box<str>,
    /// What is checked meanwhile.
    pub what: Text,
}

/// A book that answers for another.
#[derive(Debug)]
pub struct StandIn {
    /// It, as a book that knows for which one it answers.
    pub book: Arc<Book>,
    /// How a value may begin, sorted, all of one length and of ASCII: on whatever day a row is valid, a beginning that no row has is wrong.
    pub beginnings: Vec<String>,
}

/// A row of the table.
#[derive(Debug)]
pub(super) struct Fallback {
    stands_for: StandsFor,
    /// Id and field of the book that answers.
    instead: (String, String),
    first: usize,
    made: OnceLock<Option<StandIn>>,
}

impl Fallback {
    /// Reads the table.
    ///
    /// # Errors
    /// A row that names no book of the catalog, or no characters.
    pub(super) fn load(files: &RuleFiles, catalog: &Catalog) -> Result<Vec<Self>, TableError> {
        let row = |(line, row): (u64, Row)| {
            let fail = |message: String| TableError::new(TABLE, line, message);
            let (book, field) = row.instead.split_once('.').ok_or_else(|| fail(format!("instead: «{}»; BOOK.FIELD is due", row.instead)))?;
            for id in [row.book.as_str(), book] {
                catalog.get(id).ok_or_else(|| fail(format!("«{id}» is no book of nsi/books.csv")))?;
            }
            if row.first == 0 || row.ru.is_empty() || row.en.is_empty() {
                return Err(fail("first, ru and en may not be empty".to_owned()));
            }
            Ok(Self {
                stands_for: StandsFor { book: row.book.into(), what: Text { ru: row.ru, en: row.en } },
                instead: (book.to_owned(), field.to_owned()),
                first: row.first,
                made: OnceLock::new(),
            })
        };
        files.rows(TABLE)?.into_iter().map(row).collect()
    }

    /// Whether the row speaks of a book.
    pub(super) fn is_for(&self, book: &str) -> bool {
        self.stands_for.book.eq_ignore_ascii_case(book)
    }

    /// The book that answers, made at the first call; none when it is not at hand either.
    pub(super) fn stand_in<'b>(&self, get: impl FnOnce(&str) -> Option<&'b Arc<Book>>) -> Option<&StandIn> {
        let make = || {
            let (id, field) = &self.instead;
            let book = get(id)?;
            let field = book.field(field)?;
            let beginning = |row| book.value(row, field).get(..self.first).filter(|b| b.is_ascii()).map(str::to_owned);
            let mut beginnings: Vec<String> = book.rows().filter_map(beginning).collect();
            beginnings.sort_unstable();
            beginnings.dedup();
            Some(StandIn { book: Arc::new(book.standing_for(self.stands_for.clone())), beginnings })
        };
        self.made.get_or_init(make).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Books;
    use super::*;

    #[test]
    fn the_regions_answer_for_all_territories() {
        let books = Books::load(&RuleFiles::embedded(), None).expect("the tables");
        let stand_in = books.stand_in("o002").expect("F010 is embedded");
        assert!(["14", "98", "45", "01"].iter().all(|b| stand_in.beginnings.iter().any(|x| x == b)));
        assert!(["00", "02", "06", "9", "99999"].iter().all(|b| stand_in.beginnings.iter().all(|x| x != b)));
        assert_eq!(stand_in.book.stands_for().map(|s| &*s.book), Some("O002"));
        assert!(books.get("F010").is_some_and(|b| b.stands_for().is_none()), "the book itself stands for nothing");
        assert!(books.stand_in("V002").is_none() && books.stand_in("F010").is_none());
    }

    #[test]
    fn a_bad_row_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("nsi")).expect("a folder");
        for bad in ["O009,F010.KOD_OKATO,2,а,a", "O002,F010,2,а,a", "O002,F010.KOD_OKATO,0,а,a", "O002,F010.KOD_OKATO,2,,a"] {
            std::fs::write(folder.path().join("nsi/fallback.csv"), format!("book,instead,first,ru,en\n{bad}\n")).expect("written");
            let error = Books::load(&RuleFiles::with_overlay(folder.path()), None).expect_err(bad);
            assert_eq!((error.table.as_str(), error.line), ("nsi/fallback.csv", 2), "{bad}");
        }
    }
}
