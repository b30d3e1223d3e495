//! Reference books (НСИ) with validity dates, which rules look up.
//!
//! The small code books are embedded as tables under `rules/nsi/`. All books can be imported as published, into a folder of compiled files that
//! are memory-mapped. A book and its indexes are read at their first use, and a lookup does not allocate.

mod book;

mod catalog;
mod embedded;
mod fallback;
mod fault;
mod folder;
mod import;

mod hash;
mod image;
mod index;
mod map;
pub mod update;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

pub use book::{Book, Description, FieldIx, Origin};
pub use catalog::{BookInfo, Catalog, LookupDate, Stock};
pub use embedded::prove;
pub use fallback::{StandIn, StandsFor};
pub use fault::{BookFault, NoBook};
pub use folder::folder;
pub use image::ImageError;
pub use import::{Aside, Import, ImportOptions, Importer, Refusal, Taken};
pub use index::{Index, RowIx};

use crate::tables::{RuleFiles, TableError};
use fallback::Fallback;
use image::{Bytes, Flags, Image};
use map::Mapping;

/// Extension of compiled books.
const ENDING: &str = "nsi";

#[derive(Debug)]
struct Slot {
    info: Arc<BookInfo>,
    /// The compiled file; `None` when the book was not imported.
    file: Option<PathBuf>,
    book: OnceLock<(Option<Arc<Book>>, Option<BookFault>)>,
}

/// All available books.
#[derive(Debug)]
pub struct Books {
    files: RuleFiles,
    catalog: Catalog,
    /// Sorted by id.
    slots: Vec<Slot>,
    fallbacks: Vec<Fallback>,
}

impl Books {
    /// The embedded books and those of a folder. Only the tables and the names of files are read now.
    ///
    /// A folder that does not exist counts as empty.
    ///
    /// A folder that does not exist holds nothing.
    ///
    /// # Errors
    /// `rules/nsi/books.csv` or `rules/nsi/fallback.csv` has an error.
    pub fn load(files: &RuleFiles, folder: Option<&Path>) -> Result<Self, TableError> {
        let catalog = Catalog::load(files)?;
        let mut slots: Vec<_> =
            catalog.iter().filter(|b| b.stock != Stock::Rules).map(|info| Slot { info: Arc::clone(info), file: None, book: OnceLock::new() }).collect();
        for (id, path) in folder.map(compiled).unwrap_or_default() {
            match slots.iter_mut().find(|s| *s.info.id == *id) {
                Some(slot) => slot.file = Some(path),
                // The key of a book that the table does not describe is the first field of its file.
                None => slots.push(Slot { info: Arc::new(BookInfo::unknown(&id, "")), file: Some(path), book: OnceLock::new() }),
            }
        }
        slots.retain(|s| s.file.is_some() || s.info.stock == Stock::Embedded);
        slots.sort_by(|a, b| a.info.id.cmp(&b.info.id));
        let fallbacks = Fallback::load(files, &catalog)?;
        Ok(Self { files: files.clone(), catalog, slots, fallbacks })
    }

    /// The descriptions of all books, available or not.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The book with this id, regardless of letter case. `None` when it is not available or its file cannot be used; see [`Books::faults`].
    pub fn get(&self, id: &str) -> Option<&Arc<Book>> {
        let id = id.to_ascii_uppercase();
        let at = self.slots.binary_search_by(|s| (*s.info.id).cmp(&id)).ok()?;
        self.open(&self.slots[at]).0.as_ref()
    }

    /// A book that partly replaces the unavailable book with this id. `None` when the book is available or nothing can replace it.
    pub fn stand_in(&self, id: &str) -> Option<&StandIn> {
        let row = self.fallbacks.iter().find(|f| f.is_for(id))?;
        if self.get(id).is_some() { None } else { row.stand_in(|id| self.get(id)) }
    }

    /// All available books in the order of their ids. Reads them all.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Book>> {
        self.slots.iter().filter_map(|s| self.open(s).0.as_ref())
    }

    /// The errors of the books that were opened so far.
    pub fn faults(&self) -> impl Iterator<Item = &BookFault> {
        self.slots.iter().filter_map(|s| s.book.get()?.1.as_ref())
    }

    fn open<'a>(&self, slot: &'a Slot) -> &'a (Option<Arc<Book>>, Option<BookFault>) {
        slot.book.get_or_init(|| {
            let mut fault = None;
            let imported = slot.file.as_ref().and_then(|path| read(&slot.info, path).map_err(|e| fault = Some(e)).ok());
            if slot.info.stock != Stock::Embedded || imported.as_ref().is_some_and(|b| prevails(b, &slot.info)) {
                return (imported.map(Arc::new), fault);
            }
            match embedded(&self.files, &slot.info) {
                Ok(book) => (Some(Arc::new(book)), fault),
                Err(error) => (imported.map(Arc::new), Some(BookFault::Table(error))),
            }
        })
    }
}

/// Whether an imported book is used instead of the embedded one. A later version of this program may embed a newer edition.
fn prevails(imported: &Book, info: &BookInfo) -> bool {
    imported.head().flags.has(Flags::PINNED) || imported.head().date >= info.date
}

fn embedded(files: &RuleFiles, info: &Arc<BookInfo>) -> Result<Book, TableError> {
    Ok(Book::new(Arc::clone(info), embedded::compile(files, info)?, Origin::Embedded))
}

/// Opens a compiled book.
fn read(info: &Arc<BookInfo>, path: &Path) -> Result<Book, BookFault> {
    let id = || info.id.to_string();
    let mapping = Mapping::open(path).map_err(|e| BookFault::Unreadable { id: id(), path: path.to_owned(), error: e.kind() })?;
    let damaged = |error| BookFault::Damaged { id: id(), path: path.to_owned(), error };
    let image = Image::open(Bytes::Mapped(mapping)).map_err(damaged)?;
    // A file with the name of another book would give the rows of the wrong book.
    if image.head().id != *info.id {
        return Err(damaged(ImageError::Foreign));
    }
    Ok(Book::new(Arc::clone(info), image, Origin::Imported(path.to_owned())))
}

/// The ids and files of the compiled books in a folder.
fn compiled(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let book = |path: PathBuf| {
        let id = path.file_stem()?.to_str()?.to_owned();
        (path.extension()? == ENDING && catalog::is_id(&id)).then_some((id, path))
    };
    entries.filter_map(|e| book(e.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Date;

    fn date(text: &str) -> Date {
        Date::parse(text).expect("a day")
    }

    #[test]
    fn every_embedded_book_opens() {
        let books = Books::load(&RuleFiles::embedded(), None).expect("the table");
        let embedded: Vec<_> = books.catalog().iter().filter(|b| b.stock == Stock::Embedded).collect();
        assert_eq!(books.iter().count(), embedded.len());
        assert_eq!(books.faults().next(), None);
        assert!(embedded.len() >= 43);
        for book in books.iter() {
            assert!(!book.is_empty() && !book.index(book.key()).is_empty(), "{}", book.describe());
            assert_eq!(book.name(book.key()), &*book.info().key, "{}", book.describe());
        }
    }

    #[test]
    fn rows_hold_on_their_days() {
        let books = Books::load(&RuleFiles::embedded(), None).expect("the table");
        let holds = |id: &str, value: &str, on: &str| {
            let book = books.get(id).expect("embedded");
            book.index(book.key()).holds(value, date(on))
        };
        assert!(holds("V002", "97", "2021-02-28") && !holds("V002", "999", "2021-02-28"));
        assert!(holds("V002", "113", "2013-07-07") && !holds("V002", "113", "2013-07-08"));
        assert!(holds("V016", "ДВ4", "2020-01-01") && !holds("V016", "ДВ1", "2020-01-01"));
        assert!(holds("M001", "A00.9", "2021-01-01") && holds("M001", "U07.1", "2020-05-01"));
        assert!(holds("M001", "A90", "2020-10-07") && !holds("M001", "A90", "2020-10-08") && !holds("M001", "A97.0", "2020-10-06"));
        assert!(holds("N015", "8", "2020-01-01"));
    }

    #[test]
    fn a_later_edition_adds_codes_to_rubrics_that_are_divided() {
        let books = Books::load(&RuleFiles::embedded(), None).expect("the table");
        let codes = books.get("M001").expect("embedded");
        let may = |code| codes.may_grow_to(code);
        assert_eq!(["I10.0", "A99.9", "J22.8"].map(may), [false; 3], "rubrics without fourth characters");
        assert_eq!(["A98.9", "U09.5", "K58.4"].map(may), [true; 3], "others may get one more");
        assert_eq!(["A93", "Q94.1", "ZZZ", ""].map(may), [true, false, false, false], "a rubric that nobody knows stays one");
    }

    #[test]
    fn fields_answer_to_old_and_new_names() {
        let books = Books::load(&RuleFiles::embedded(), None).expect("the table");
        let book = books.get("v009").expect("embedded");
        let (key, place) = (book.key(), book.field("dl_uslov").expect("there"));
        let rows = book.index(key);
        let row = rows.rows("313")[0];
        assert_eq!((book.value(row, place), book.is(row, place, "3"), book.valid(row, date("2020-01-01"))), ("3", true, true));
        let codes = books.get("M001").expect("embedded");
        assert_eq!(codes.field("DS_CODE"), codes.field("mkb_code"));
        assert_eq!(books.get("V016").and_then(|b| b.field("Code")), books.get("V016").map(|b| b.key()));
        assert_eq!(book.field("nothing"), None);
    }

    #[test]
    fn an_error_in_a_table_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("nsi")).expect("a folder");
        std::fs::write(folder.path().join("nsi/V005.csv"), "IDPOL,DATEBEG\n1,never\n").expect("written");
        let books = Books::load(&RuleFiles::with_overlay(folder.path()), None).expect("the table of books");
        assert!(books.get("V005").is_none() && books.get("V006").is_some());
        let faults: Vec<_> = books.faults().map(ToString::to_string).collect();
        assert_eq!(faults, ["a rule table is broken: rules/nsi/V005.csv:2: «never» is no date"]);
    }
}
