//! Imports published books into the folder of compiled books.
//!
//! A book is read, checked and compiled first; then its file replaces the old one in one step. A refused file changes nothing and does not stop
//! the next one.

mod compile;
mod raw;
mod recognise;
pub(super) mod source;
mod table;
mod xml;

pub use source::Aside;

use std::cmp::Ordering;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::book::{Book, Description, Origin};
use super::catalog::{BookInfo, Catalog, Stock};
use super::image::{Builder, Bytes, Head, Image};
use super::{ENDING, embedded, prevails, read};
use crate::registry::fault::Fault;
use crate::sys::{Access, write_atomic};
use crate::tables::{RuleFiles, TableError};
use crate::texts::{Coded, ErrorClass, Key, Slot, display, plain};
use crate::values::Date;

/// The end of a file name that marks rows to be added to a book.
const ADDITION: &str = "_add";

/// Why a file was not imported. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The file cannot be read.
    Unreadable(io::ErrorKind),
    /// The archive is damaged or unsafe.
    Archive(Fault),
    /// The file exceeds the limits of a book: 1 GB, 256 fields.
    TooLarge,
    /// The bytes are not valid in the encoding that the file declares.
    Encoding,
    /// The XML or CSV is broken.
    Broken {
        /// Byte offset in the decoded text.
        at: u64,
        /// What is wrong there.
        what: String,
    },
    /// The file is neither XML nor CSV with a header, nor an archive with one of these.
    NotABook,
    /// The book cannot be recognised.
    Unknown,
    /// Several books fit; their ids.
    Ambiguous(Vec<String>),
    /// A book of rules, which another command imports.
    Rules {
        /// Its id.
        id: String,
    },
    /// The packet states that it is another book than the one the user named.
    OtherBook {
        /// The id that the user named.
        asked: String,
        /// The id of the packet's book.
        found: String,
    },
    /// The table has no key field of this book.
    NoKey {
        /// Id of the book.
        id: String,
        /// Name of the key field.
        key: String,
    },
    /// A row has no key.
    EmptyKey {
        /// Name of the key field.
        key: String,
        /// Number of the row, from 1.
        row: usize,
    },
    /// A row's first or last day cannot be read.
    BadDate {
        /// Number of the row, from 1.
        row: usize,
        /// The text in the date field.
        value: String,
    },
    /// The date of the edition cannot be read or lies too far in the future.
    BadEditionDate {
        /// The text of the date.
        value: String,
    },
    /// The table has no rows.
    Empty,
    /// The book already contains all rows of the addition.
    NothingNew,
    /// A newer edition is in use.
    Older {
        /// The refused edition.
        offered: Box<Description>,
        /// The edition in use.
        current: Box<Description>,
    },
    /// The file does not state its date, but the edition in use has one.
    Undated {
        /// The edition in use.
        current: Box<Description>,
    },
    /// Too many of the present rows or values would be lost.
    Shrinks {
        /// Present rows, or present values that are valid today.
        before: usize,
        /// How many of them would remain.
        after: usize,
        /// The edition in use.
        current: Box<Description>,
    },
    /// The compiled book cannot be written.
    NotWritten(io::ErrorKind),
    /// The embedded table of this book has an error.
    Table(TableError),
}

/// The common beginning of the keys of refusals; the rest of a key is the code in machine formats.
const REFUSED: &str = "nsi.refused-";

impl Refusal {
    /// The stable code of the refusal: the last part of its key.
    pub fn code(&self) -> &'static str {
        let word = self.key().as_str();
        word.strip_prefix(REFUSED).unwrap_or(word)
    }

    /// Code and values on one line, without language, for the machine formats.
    pub fn details(&self) -> String {
        let line = plain(self);
        line.strip_prefix(REFUSED).map_or(line.clone(), str::to_owned)
    }

    /// Whether the same file would be taken with `force`.
    pub fn yields_to_force(&self) -> bool {
        use Refusal::{BadDate, BadEditionDate, EmptyKey, Older, OtherBook, Shrinks, Undated};
        matches!(self, OtherBook { .. } | EmptyKey { .. } | BadDate { .. } | BadEditionDate { .. } | Older { .. } | Undated { .. } | Shrinks { .. })
    }
}

impl Coded for Refusal {
    fn key(&self) -> Key {
        match self {
            Self::Unreadable(_) => Key::NsiRefusedUnreadable,
            Self::Archive(_) => Key::NsiRefusedArchive,
            Self::TooLarge => Key::NsiRefusedTooLarge,
            Self::Encoding => Key::NsiRefusedEncoding,
            Self::Broken { .. } => Key::NsiRefusedBroken,
            Self::NotABook => Key::NsiRefusedNotABook,
            Self::Unknown => Key::NsiRefusedUnknown,
            Self::Ambiguous(_) => Key::NsiRefusedAmbiguous,
            Self::Rules { .. } => Key::NsiRefusedRules,
            Self::OtherBook { .. } => Key::NsiRefusedOtherBook,
            Self::NoKey { .. } => Key::NsiRefusedNoKey,
            Self::EmptyKey { .. } => Key::NsiRefusedEmptyKey,
            Self::BadDate { .. } => Key::NsiRefusedBadDate,
            Self::BadEditionDate { .. } => Key::NsiRefusedBadEditionDate,
            Self::Empty => Key::NsiRefusedEmpty,
            Self::NothingNew => Key::NsiRefusedNothingNew,
            Self::Older { .. } => Key::NsiRefusedOlder,
            Self::Undated { .. } => Key::NsiRefusedUndated,
            Self::Shrinks { .. } => Key::NsiRefusedShrinks,
            Self::NotWritten(_) => Key::NsiRefusedNotWritten,
            Self::Table(_) => Key::NsiRefusedTable,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match self {
            Self::Unreadable(kind) | Self::NotWritten(kind) => vec![("error", Slot::io_kind(*kind))],
            Self::Archive(fault) => vec![("error", Slot::Phrase { plain: fault.details().into(), key: fault.key(), slots: fault.slots() })],
            Self::Broken { at, what } => vec![("at", Slot::Number(*at)), ("error", Slot::text(what))],
            Self::Ambiguous(ids) => vec![("books", Slot::list(ids))],
            Self::Rules { id } => vec![("book", Slot::text(id))],
            Self::OtherBook { asked, found } => vec![("asked", Slot::text(asked)), ("found", Slot::text(found))],
            Self::NoKey { id, key } => vec![("book", Slot::text(id)), ("key", Slot::text(key))],
            Self::EmptyKey { key, row } => vec![("key", Slot::text(key)), ("row", Slot::number(*row))],
            Self::BadDate { row, value } => vec![("row", Slot::number(*row)), ("value", Slot::text(value))],
            Self::BadEditionDate { value } => vec![("value", Slot::text(value))],
            Self::Older { offered, current } => vec![("offered", offered.phrase()), ("current", current.phrase())],
            Self::Undated { current } => vec![("current", current.phrase())],
            Self::Shrinks { before, after, current } => {
                vec![("before", Slot::number(*before)), ("after", Slot::number(*after)), ("current", current.phrase())]
            }
            Self::Table(error) => vec![("error", Slot::text(error.to_string()))],
            Self::TooLarge | Self::Encoding | Self::NotABook | Self::Unknown | Self::Empty | Self::NothingNew => Vec::new(),
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::Rules { .. } | Self::NotWritten(_) | Self::Table(_) => ErrorClass::Usage,
            _ => ErrorClass::Input,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for Refusal {}

/// The result for one file or archive entry.
#[derive(Debug)]
pub struct Import {
    /// Path of the file, with the name of the entry in an archive.
    pub file: String,
    /// The imported book, or why none was imported.
    pub outcome: Result<Taken, Refusal>,
}

/// An imported book.
#[derive(Debug)]
pub struct Taken {
    /// The imported edition.
    pub book: Description,
    /// The edition that was in use before; `None` when there was none.
    pub replaced: Option<Description>,
    /// Number of rows without a key that `force` left out.
    pub left_out: usize,
    /// The compiled file.
    pub path: PathBuf,
}

/// Options of an import.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// Id of the book; `None` when it is to be recognised.
    pub book: Option<String>,
    /// Whether to import files that would be refused as older, smaller or partly unreadable.
    pub force: bool,
    /// The day on which the site named these editions as the current ones; `None` when no site did.
    pub checked: Option<Date>,
}

/// A book that was read and checked but is not stored yet.
#[derive(Debug)]
pub(super) struct Prepared {
    bytes: Vec<u8>,
    taken: Taken,
}

impl Prepared {
    /// The edition that would be stored.
    pub(super) fn book(&self) -> &Description {
        &self.taken.book
    }

    /// Writes the compiled file.
    ///
    /// # Errors
    /// The compiled book cannot be written.
    pub(super) fn store(self) -> Result<Taken, Refusal> {
        write(&self.taken.path, &self.bytes)?;
        Ok(self.taken)
    }
}

/// Replaces one file by another in one step.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    let write = || path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| write_atomic(path, Access::Default, bytes));
    write().map_err(|e: io::Error| Refusal::NotWritten(e.kind()))
}

/// Imports books into a folder.
#[derive(Debug)]
pub struct Importer {
    files: RuleFiles,
    catalog: Catalog,
    folder: PathBuf,
    today: Date,
}

impl Importer {
    /// An importer into this folder, which is created with the first book. `today` decides which rows are in force and which dates lie too far in
    /// the future.
    ///
    /// # Errors
    /// The table of books has an error.
    pub fn new(files: &RuleFiles, folder: &Path, today: Date) -> Result<Self, TableError> {
        Ok(Self { files: files.clone(), catalog: Catalog::load(files)?, folder: folder.to_owned(), today })
    }

    /// The descriptions of the books.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Imports a file, an archive or a folder. The files of a folder are taken in the order of their names; `each` gets every result.
    pub fn take(&self, path: &Path, options: &ImportOptions, each: impl FnMut(Import)) {
        self.take_besides(path, options, &mut |_, _, _| false, each);
    }

    /// The same; a file or entry that `aside` takes is no book, and `each` does not get it.
    pub fn take_besides(&self, path: &Path, options: &ImportOptions, aside: &mut Aside<'_>, mut each: impl FnMut(Import)) {
        for file in source::files(path) {
            for (name, source) in source::read(&file, aside) {
                let outcome = source.and_then(|s| self.take_bytes(&s.name, &s.stem, &s.bytes, options));
                each(Import { file: name, outcome });
            }
        }
    }

    /// Imports the content of one file; `stem` is its name without folders and extension.
    ///
    /// # Errors
    /// The file was refused.
    pub fn take_bytes(&self, name: &str, stem: &str, bytes: &[u8], options: &ImportOptions) -> Result<Taken, Refusal> {
        self.prepare(name, stem, bytes, options)?.store()
    }

    /// Reads and checks the content of one file like [`Importer::take_bytes`], but stores nothing.
    ///
    /// # Errors
    /// The file would be refused.
    pub(super) fn prepare(&self, name: &str, stem: &str, bytes: &[u8], options: &ImportOptions) -> Result<Prepared, Refusal> {
        let text = source::decode(bytes)?;
        let mut table = if source::is_xml(&text) { xml::read(&text) } else { table::read(&text) }?;
        let info = recognise::book(&self.catalog, options.book.as_deref(), stem, &table, options.force)?;
        let part = |part| table.fields().iter().position(|f| info.canonical(f).eq_ignore_ascii_case(part)).map(|at| at as u16);
        if let Some(parts) = info.key_parts().map(part).collect::<Option<Vec<u16>>>().filter(|p| p.len() > 1) {
            table.join(&info.key, &parts).map_err(|_| Refusal::TooLarge)?;
        }
        let current = self.current(&info)?;
        let base = current.as_ref().filter(|_| stem.to_ascii_lowercase().ends_with(ADDITION));
        let label = compile::Label {
            edition: recognise::version_in_name(&info, stem),
            source: Path::new(name).file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
            checked: options.checked,
            today: self.today,
            force: options.force,
        };
        let compiled = compile::compile(&info, &table, label, base)?;
        // The bytes to be written are opened in the same way as the file will be read later.
        let image = Image::open(Bytes::Owned(compiled.bytes.clone())).map_err(|_| Refusal::TooLarge)?;
        let path = self.folder.join(format!("{}.{ENDING}", info.id));
        let offered = Book::new(Arc::clone(&info), image, Origin::Imported(path.clone()));
        if let Some(current) = current.as_ref().filter(|_| !options.force) {
            judge(&offered, current, self.today)?;
        }
        let replaced = current.map(|b| b.describe());
        Ok(Prepared { bytes: compiled.bytes, taken: Taken { book: offered.describe(), replaced, left_out: compiled.left_out, path } })
    }

    /// Stores in an imported book that the site named it as the current one on a day. Does nothing for an embedded book.
    ///
    /// # Errors
    /// The compiled book cannot be written.
    pub(super) fn confirm(&self, info: &Arc<BookInfo>, on: Date) -> Result<(), Refusal> {
        let Some(book) = self.current(info)?.filter(|b| b.path().is_some() && b.head().checked < Some(on)) else { return Ok(()) };
        let fields: Vec<_> = book.fields().collect();
        let mut builder = Builder::new(fields.iter().map(|f| book.name(*f))).map_err(|_| Refusal::TooLarge)?;
        for row in book.rows() {
            builder.push(fields.iter().map(|f| book.value(row, *f)), book.span(row)).map_err(|_| Refusal::TooLarge)?;
        }
        let bytes = builder.finish(&Head { checked: Some(on), ..book.head().clone() }).map_err(|_| Refusal::TooLarge)?;
        write(&self.folder.join(format!("{}.{ENDING}", info.id)), &bytes)
    }

    /// Description of the edition in use; `None` when there is none.
    ///
    /// # Errors
    /// The embedded table has an error.
    pub(super) fn at_hand(&self, info: &Arc<BookInfo>) -> Result<Option<Description>, Refusal> {
        Ok(self.current(info)?.map(|b| b.describe()))
    }

    /// The day of the import.
    pub(super) fn today(&self) -> Date {
        self.today
    }

    /// The folder of compiled books.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The edition in use. A damaged file is ignored, so an import can repair it.
    fn current(&self, info: &Arc<BookInfo>) -> Result<Option<Book>, Refusal> {
        let path = self.folder.join(format!("{}.{ENDING}", info.id));
        let imported = if path.is_file() { read(info, &path).ok() } else { None };
        if info.stock != Stock::Embedded || imported.as_ref().is_some_and(|b| prevails(b, info)) {
            return Ok(imported);
        }
        embedded(&self.files, info).map(Some).map_err(Refusal::Table)
    }
}

/// Checks that an edition may replace another without `force`.
fn judge(offered: &Book, current: &Book, today: Date) -> Result<(), Refusal> {
    let (new, old) = (offered.describe(), current.describe());
    match (new.date, old.date) {
        (None, Some(_)) => return Err(Refusal::Undated { current: Box::new(old) }),
        (Some(a), Some(b)) if a < b || (a == b && version_order(&new.edition, &old.edition) == Some(Ordering::Less)) => {
            return Err(Refusal::Older { offered: Box::new(new), current: Box::new(old) });
        }
        _ => {}
    }
    if new.rows * 2 < old.rows {
        return Err(Refusal::Shrinks { before: old.rows, after: new.rows, current: Box::new(old) });
    }
    // Rows that have ended may disappear, but codes in force may not: a part of a book would pass for the whole. A file that states no date and
    // is not newer by its rows may not remove a single code in force.
    let key = current.key();
    let now = offered.index(offered.key());
    let (mut before, mut after) = (0, 0);
    for row in current.rows().filter(|row| current.valid(*row, today)) {
        before += 1;
        after += usize::from(now.holds(current.value(row, key), today));
    }
    let doubtful = new.dated_by_rows && new.date == old.date;
    let lost = if doubtful { after < before } else { before > 0 && after * 2 <= before };
    if lost { Err(Refusal::Shrinks { before, after, current: Box::new(old) }) } else { Ok(()) }
}

/// Compares edition numbers by their parts: `5.10` is later than `5.9`. `None` when one of them is not such a number.
pub(super) fn version_order(a: &str, b: &str) -> Option<Ordering> {
    let parts = |text: &str| text.split('.').map(|p| p.parse::<u32>().ok()).collect::<Option<Vec<_>>>();
    Some(parts(a)?.cmp(&parts(b)?))
}
