//! Books that replace in part a book that is not available: `rules/nsi/fallback.csv`.
//!
//! Example: a full territory code whose beginning belongs to no region is certainly wrong, even when only the list of regions is available.
//! Reports say that values looked up in this way are checked in part.

use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use super::book::Book;
use super::catalog::Catalog;
use crate::tables::{Line, RuleFiles, TableError};
use crate::texts::Text;

const TABLE: &str = "nsi/fallback.csv";

#[derive(Deserialize)]
struct FallbackRow {
    book: String,
    instead: String,
    first: usize,
    ru: String,
    en: String,
}

/// The unavailable book that another book replaces, and how much is still checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandsFor {
    /// Id of the unavailable book.
    pub book: Box<str>,
    /// The part of the check that is done.
    pub what: Text,
}

/// A book that replaces an unavailable one.
#[derive(Debug)]
pub struct StandIn {
    /// The replacing book; its [`Book::stands_for`] names the unavailable one.
    pub book: Arc<Book>,
    /// The allowed beginnings of a value, sorted, in ASCII. They come from all rows, valid or not, so a value with another beginning is wrong on
    /// any day.
    pub beginnings: Vec<String>,
}

/// A row of the table.
#[derive(Debug)]
pub(super) struct Fallback {
    stands_for: StandsFor,
    /// Id and field of the replacing book.
    instead: (String, String),
    first: usize,
    made: OnceLock<Option<StandIn>>,
}

impl Fallback {
    /// Reads the table.
    ///
    /// # Errors
    /// A row that names an unknown book, or with an empty or zero column.
    pub(super) fn load(files: &RuleFiles, catalog: &Catalog) -> Result<Vec<Self>, TableError> {
        let row = |(line, row): (Line, FallbackRow)| {
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

    /// Whether the row is for this book.
    pub(super) fn is_for(&self, book: &str) -> bool {
        self.stands_for.book.eq_ignore_ascii_case(book)
    }

    /// The replacing book, built at the first call; `None` when it is not available either.
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
