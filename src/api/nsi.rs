//! Reference books at hand.

use serde::{Deserialize, Serialize};

/// All books that the program knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// The folder of imported books; it need not exist.
    pub folder: Option<String>,
    /// The books, by id.
    pub books: Vec<Book>,
    /// The registers of МЭК.
    pub registers: Vec<Register>,
}

/// A register of МЭК.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// Its name, such as `insured`.
    pub register: String,
    /// What it is called in Russian.
    pub name_ru: String,
    /// What it is called in English.
    pub name_en: String,
    /// Whether it is one of persons, stored by keys.
    pub personal: bool,
    /// `imported`, `absent`, or `unusable`: damaged, or made with another secret.
    pub state: String,
    /// Day of the import, `YYYY-MM-DD`.
    pub date: Option<String>,
    /// Number of rows in the file that was imported.
    pub rows: u64,
    /// Number of rows that said what an earlier one says.
    pub repeated: u64,
    /// The first day of its rows, `YYYY-MM-DD`; `None` when a row has no first day.
    pub from: Option<String>,
    /// The last day of its rows, `YYYY-MM-DD`; `None` when a row has no last day.
    pub until: Option<String>,
}

/// A book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// Its id, such as `V002`.
    pub book: String,
    /// Its name in Russian.
    pub name_ru: String,
    /// Its name in English.
    pub name_en: String,
    /// `embedded`, `imported` or `absent`.
    pub state: String,
    /// Its edition; empty when it has no number.
    pub edition: String,
    /// Date of the edition, `YYYY-MM-DD`.
    pub date: Option<String>,
    /// Whether the date is the latest day of the book's rows, because the book names none.
    pub dated_by_rows: bool,
    /// Calendar days since the date; `None` without a date.
    pub age_days: Option<i64>,
    /// The last day for which the book has every code, `YYYY-MM-DD`; `None` if it is not known.
    pub complete_until: Option<String>,
    /// Number of rows.
    pub rows: usize,
    /// Where it comes from.
    pub source: String,
    /// How many rules of today ask it.
    pub asked: usize,
    /// The remark in the table of books.
    pub note: String,
}
