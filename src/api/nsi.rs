//! Reference books at hand.

use serde::{Deserialize, Serialize};

/// All books that the program knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// The folder of imported books; it need not exist.
    pub folder: Option<String>,
    /// The books, by id.
    pub books: Vec<Book>,
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
