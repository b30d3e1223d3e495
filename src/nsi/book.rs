//! One edition of a reference book with its rows.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::catalog::{BookInfo, Growth};
use super::fallback::StandsFor;
use super::image::{Flags, Head, Image};
use super::index::{Index, RowIx};
use crate::texts::{Key, Slot};
use crate::values::{Date, Span};

/// Number of a field, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldIx(pub(super) u32);

/// Where the rows of a book come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// From the binary, or from the folder that overrides its tables.
    Embedded,
    /// From a compiled file in the books folder.
    Imported(PathBuf),
}

/// Edition, date and size of a book, for the head of a report and for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Id of the book, `V002`.
    pub id: String,
    /// The publisher's edition number; empty when unknown.
    pub edition: String,
    /// Date of the edition.
    pub date: Option<Date>,
    /// Whether `date` is the latest date in the rows, because the file stated none.
    pub dated_by_rows: bool,
    /// The last day for which the book is known to be complete. Accounts of a later day may need a newer edition.
    pub complete_until: Option<Date>,
    /// Number of rows.
    pub rows: usize,
    /// Whether the book was imported; false for an embedded one.
    pub imported: bool,
    /// Name of the file that was imported; empty for an embedded book.
    pub source: String,
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, if self.edition.is_empty() { "?" } else { &self.edition })?;
        self.date.map_or(Ok(()), |date| write!(f, " {date}"))
    }
}

impl Description {
    /// Number and date of the edition as a phrase: «3.0 от 2018-03-30», «без номера, по строкам 2022-01-01».
    pub fn phrase(&self) -> Slot<'_> {
        let number = || if self.edition.is_empty() { Slot::reason("?", Key::NsiUnnumbered) } else { Slot::text(&self.edition) };
        let (key, date) = match self.date {
            None => (Key::NsiEditionUndated, String::new()),
            Some(date) if self.dated_by_rows => (Key::NsiEditionByRows, date.to_string()),
            Some(date) => (Key::NsiEdition, date.to_string()),
        };
        Slot::Phrase { plain: self.to_string().into(), key, slots: vec![("edition", number()), ("date", Slot::text(date))] }
    }
}

/// One edition of one reference book.
#[derive(Debug)]
pub struct Book {
    info: Arc<BookInfo>,
    image: Arc<Image>,
    head: Head,
    origin: Origin,
    /// One index for each field, and a last, empty one for fields of other books.
    indexes: Vec<OnceLock<Index>>,
    stands_for: Option<Arc<StandsFor>>,
}

impl Book {
    pub(super) fn new(info: Arc<BookInfo>, image: Image, origin: Origin) -> Self {
        let indexes = (0..=image.fields()).map(|_| OnceLock::new()).collect();
        Self { info, head: image.head(), image: Arc::new(image), origin, indexes, stands_for: None }
    }

    /// A copy of the book that is used in place of another one.
    pub(super) fn standing_for(&self, other: StandsFor) -> Self {
        let (info, image, head) = (Arc::clone(&self.info), Arc::clone(&self.image), self.head.clone());
        let indexes = self.indexes.iter().map(|_| OnceLock::new()).collect();
        Self { info, image, head, origin: self.origin.clone(), indexes, stands_for: Some(Arc::new(other)) }
    }

    /// The book that this one replaces in part, because that book is not available; `None` for a book used as itself.
    pub fn stands_for(&self) -> Option<&Arc<StandsFor>> {
        self.stands_for.as_ref()
    }

    /// The row of the table of books that describes this book.
    pub fn info(&self) -> &BookInfo {
        &self.info
    }

    /// Where the rows come from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Path of the compiled file; `None` for an embedded book.
    pub fn path(&self) -> Option<&Path> {
        match &self.origin {
            Origin::Embedded => None,
            Origin::Imported(path) => Some(path),
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.image.rows() as usize
    }

    /// Whether the book has no rows. An imported book always has some.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All rows in the order of the book.
    pub fn rows(&self) -> impl Iterator<Item = RowIx> + use<> {
        (0..self.image.rows()).map(RowIx)
    }

    /// All fields.
    pub fn fields(&self) -> impl Iterator<Item = FieldIx> + use<> {
        (0..self.image.fields()).map(FieldIx)
    }

    /// The field with this name or one of its aliases, regardless of letter case.
    pub fn field(&self, name: &str) -> Option<FieldIx> {
        let stored = |name: &str| self.fields().find(|f| self.name(*f).eq_ignore_ascii_case(name));
        self.info.names(name).find_map(stored)
    }

    /// The key field: the one that rules look up unless they name another.
    pub fn key(&self) -> FieldIx {
        self.field(&self.info.key).unwrap_or(FieldIx(0))
    }

    /// Name of a field as stored in the book.
    pub fn name(&self, field: FieldIx) -> &str {
        self.image.field_name(field.0)
    }

    /// The value of a row in a field; empty when the row has none.
    #[inline]
    pub fn value(&self, row: RowIx, field: FieldIx) -> &str {
        self.image.cell(row.0, field.0).map_or("", |id| self.image.text(id))
    }

    /// Whether a row has this value in a field; cheaper than comparing the text from [`Book::value`].
    #[inline]
    pub fn is(&self, row: RowIx, field: FieldIx, value: &str) -> bool {
        self.image.cell(row.0, field.0).is_some_and(|id| self.image.bytes_of(id) == value.as_bytes())
    }

    /// The days on which a row is valid.
    pub fn span(&self, row: RowIx) -> Span {
        self.image.span(row.0)
    }

    /// Whether a row is valid on a day.
    #[inline]
    pub fn valid(&self, row: RowIx, on: Date) -> bool {
        self.span(row).holds(on)
    }

    /// The index of a field, built at the first call; for a field of another book, an empty index.
    #[inline]
    #[allow(clippy::should_implement_trait, reason = "a book has an index a field, it is not indexed itself")]
    pub fn index(&self, field: FieldIx) -> &Index {
        let field = field.0.min(self.image.fields());
        self.indexes[field as usize].get_or_init(|| Index::build(&self.image, field))
    }

    /// Edition, date and size of the book.
    pub fn describe(&self) -> Description {
        let imported = self.origin != Origin::Embedded;
        Description {
            id: self.info.id.to_string(),
            edition: self.head.edition.clone(),
            date: self.head.date,
            dated_by_rows: self.head.flags.has(Flags::DATED_BY_ROWS),
            complete_until: self.complete_until(),
            rows: self.len(),
            imported,
            source: self.head.source.clone(),
        }
    }

    /// Whether a later edition may have a code that this one lacks, so that it cannot be called wrong.
    pub fn may_grow_to(&self, code: &str) -> bool {
        match self.info.growth {
            Growth::Any => true,
            Growth::UpTo(most) => code.parse::<u32>().is_ok_and(|code| code <= most),
            Growth::Rubric => {
                let (Some(rubric), key) = (code.get(..3), self.key()) else { return false };
                // A rubric that has no fourth characters gets none.
                let is_divided = |known: &str| code.len() == rubric.len() || known.len() > rubric.len();
                self.rows().map(|row| self.value(row, key)).any(|known| known.starts_with(rubric) && is_divided(known))
            }
        }
    }

    /// The last day for which the book is known to be complete: the latest of the day that the table of books states for this edition, the day on
    /// which the site last named this edition as the current one, and the date of the edition.
    pub fn complete_until(&self) -> Option<Date> {
        let as_new = self.head.date >= self.info.date;
        let by_table = self.info.complete_until.filter(|_| as_new && self.info.date.is_some());
        by_table.max(self.head.checked).max(self.head.date)
    }

    pub(super) fn head(&self) -> &Head {
        &self.head
    }
}
