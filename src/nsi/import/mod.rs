//! Taking books as they are published into the folder of compiled books.
//!
//! A book is read, checked and compiled before anything is touched; then one file takes the place of another in one step. A file that is
//! refused leaves everything as it was and does not hinder the next one.

mod compile;
mod raw;
mod recognise;
pub(super) mod source;
mod table;
mod xml;

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

/// A file whose name ends so holds rows to add to a book, not a book.
const ADDITION: &str = "_add";

/// Why a file was not taken. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The file cannot be read.
    Unreadable(io::ErrorKind),
    /// The archive is damaged or unsafe.
    Archive(Fault),
    /// More than a book may have: 1 GB, 256 fields.
    TooLarge,
    /// The bytes are no text of the encoding that the file declares.
    Encoding,
    /// The XML or CSV is broken.
    Broken {
        /// Byte of the decoded text.
        at: u64,
        /// What is wrong there.
        what: String,
    },
    /// Neither XML nor CSV with a header, nor an archive with one.
    NotABook,
    /// Nothing tells which book it is.
    Unknown,
    /// It could be any of these.
    Ambiguous(Vec<String>),
    /// A book of rules, which another command takes.
    Rules {
        /// Its id.
        id: String,
    },
    /// The packet says that it is another book than the user named.
    OtherBook {
        /// What the user named.
        asked: String,
        /// What the packet is.
        found: String,
    },
    /// The key field of the book is not there.
    NoKey {
        /// Id of the book.
        id: String,
        /// Name of the field.
        key: String,
    },
    /// A row has no key.
    EmptyKey {
        /// Name of the field.
        key: String,
        /// Number of the row, from 1.
        row: usize,
    },
    /// A row's first or last day cannot be read.
    BadDate {
        /// Number of the row, from 1.
        row: usize,
        /// What stands there.
        value: String,
    },
    /// The edition's date cannot be read, or lies in the far future.
    BadEditionDate {
        /// What stands there.
        value: String,
    },
    /// There is no row.
    Empty,
    /// All rows of the addition are in the book.
    NothingNew,
    /// A newer edition is there.
    Older {
        /// The edition that was not taken.
        offered: Box<Description>,
        /// The edition that is there.
        current: Box<Description>,
    },
    /// The file does not say how old it is, and a dated edition is there.
    Undated {
        /// The edition that is there.
        current: Box<Description>,
    },
    /// Half or more of what is there would be gone.
    Shrinks {
        /// Rows, or values valid today, that are there.
        before: usize,
        /// How many of them would remain.
        after: usize,
        /// The edition that is there.
        current: Box<Description>,
    },
    /// The compiled book cannot be written.
    NotWritten(io::ErrorKind),
    /// The embedded table of this book has an error.
    Table(TableError),
}

/// Keys of refusals begin so; what follows is the code in the machine formats of the books.
const REFUSED: &str = "nsi.refused-";

impl Refusal {
    /// A stable name among the refusals: the last part of the key.
    pub fn code(&self) -> &'static str {
        let word = self.key().as_str();
        word.strip_prefix(REFUSED).unwrap_or(word)
    }

    /// Code and values on one line without language, as the machine formats of the books have it.
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

/// What came of one file or entry.
#[derive(Debug)]
pub struct Import {
    /// The file, and the name in the archive.
    pub file: String,
    /// The book that was taken, or why none.
    pub outcome: Result<Taken, Refusal>,
}

/// A book that was taken.
#[derive(Debug)]
pub struct Taken {
    /// The book as it is now.
    pub book: Description,
    /// The book that was used before.
    pub replaced: Option<Description>,
    /// Rows that were left out by `force`, for want of a key.
    pub left_out: usize,
    /// The compiled file.
    pub path: PathBuf,
}

/// How files are to be taken.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The book, if the user says which one it is.
    pub book: Option<String>,
    /// Take what would be refused as older, smaller or not quite readable.
    pub force: bool,
    /// The day on which the site named these editions as the current ones.
    pub checked: Option<Date>,
}

/// A book that was read and checked and is not stored yet.
#[derive(Debug)]
pub(super) struct Prepared {
    bytes: Vec<u8>,
    taken: Taken,
}

impl Prepared {
    /// The book as it would be.
    pub(super) fn book(&self) -> &Description {
        &self.taken.book
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// The compiled book cannot be written.
    pub(super) fn store(self) -> Result<Taken, Refusal> {
        write(&self.taken.path, &self.bytes)?;
        Ok(self.taken)
    }
}

/// One file takes the place of another in one step.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    let write = || path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| write_atomic(path, Access::Default, bytes));
    write().map_err(|e: io::Error| Refusal::NotWritten(e.kind()))
}

/// Takes books into a folder.
#[derive(Debug)]
pub struct Importer {
    files: RuleFiles,
    catalog: Catalog,
    folder: PathBuf,
    today: Date,
}

impl Importer {
    /// Into this folder, which is made at the first book; `today` decides which rows are in force and which dates are of the far future.
    ///
    /// # Errors
    /// The table of books has an error.
    pub fn new(files: &RuleFiles, folder: &Path, today: Date) -> Result<Self, TableError> {
        Ok(Self { files: files.clone(), catalog: Catalog::load(files)?, folder: folder.to_owned(), today })
    }

    /// What is known of books.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Takes files, archives and folders, one after the other in the order given, names within a folder sorted.
    pub fn take(&self, path: &Path, wish: &Wish, mut each: impl FnMut(Import)) {
        for file in source::files(path) {
            for (name, source) in source::read(&file) {
                let outcome = source.and_then(|s| self.take_bytes(&s.name, &s.stem, &s.bytes, wish));
                each(Import { file: name, outcome });
            }
        }
    }

    /// Takes the content of one file; `stem` is its name without folders and ending.
    ///
    /// # Errors
    /// Why it was not taken.
    pub fn take_bytes(&self, name: &str, stem: &str, bytes: &[u8], wish: &Wish) -> Result<Taken, Refusal> {
        self.prepare(name, stem, bytes, wish)?.store()
    }

    /// Reads and checks the content of one file as [`Importer::take_bytes`] does and stores nothing yet.
    ///
    /// # Errors
    /// Why it would not be taken.
    pub(super) fn prepare(&self, name: &str, stem: &str, bytes: &[u8], wish: &Wish) -> Result<Prepared, Refusal> {
        let text = source::decode(bytes)?;
        let mut table = if source::is_xml(&text) { xml::read(&text) } else { table::read(&text) }?;
        let info = recognise::book(&self.catalog, wish.book.as_deref(), stem, &table, wish.force)?;
        let part = |part| table.fields().iter().position(|f| info.canonical(f).eq_ignore_ascii_case(part)).map(|at| at as u16);
        if let Some(parts) = info.key_parts().map(part).collect::<Option<Vec<u16>>>().filter(|p| p.len() > 1) {
            table.join(&info.key, &parts).map_err(|_| Refusal::TooLarge)?;
        }
        let current = self.current(&info)?;
        let base = current.as_ref().filter(|_| stem.to_ascii_lowercase().ends_with(ADDITION));
        let label = compile::Label {
            edition: recognise::version_in_name(&info, stem),
            source: Path::new(name).file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
            checked: wish.checked,
            today: self.today,
            force: wish.force,
        };
        let compiled = compile::compile(&info, &table, label, base)?;
        // What is about to be written is opened as it will be read.
        let image = Image::open(Bytes::Owned(compiled.bytes.clone())).map_err(|_| Refusal::TooLarge)?;
        let path = self.folder.join(format!("{}.{ENDING}", info.id));
        let offered = Book::new(Arc::clone(&info), image, Origin::Imported(path.clone()));
        if let Some(current) = current.as_ref().filter(|_| !wish.force) {
            judge(&offered, current, self.today)?;
        }
        let replaced = current.map(|b| b.describe());
        Ok(Prepared { bytes: compiled.bytes, taken: Taken { book: offered.describe(), replaced, left_out: compiled.left_out, path } })
    }

    /// Notes in an imported book that the site named it as the current one on a day; nothing for an embedded one.
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

    /// What is used now of a book.
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

    /// Where compiled books lie.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The book that is used now. A damaged file counts for nothing: an import repairs it.
    fn current(&self, info: &Arc<BookInfo>) -> Result<Option<Book>, Refusal> {
        let path = self.folder.join(format!("{}.{ENDING}", info.id));
        let imported = if path.is_file() { read(info, &path).ok() } else { None };
        if info.stock != Stock::Embedded || imported.as_ref().is_some_and(|b| prevails(b, info)) {
            return Ok(imported);
        }
        embedded(&self.files, info).map(Some).map_err(Refusal::Table)
    }
}

/// Whether an edition may take the place of another without being told to.
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
    // Closed rows may go, codes in force may not: a part of a book would pass for the whole. A file that says nothing of itself and is not
    // newer by its rows may not take a single one away.
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

/// `5.10` is after `5.9`; none when one of them is no such number.
pub(super) fn version_order(a: &str, b: &str) -> Option<Ordering> {
    let parts = |text: &str| text.split('.').map(|p| p.parse::<u32>().ok()).collect::<Option<Vec<_>>>();
    Some(parts(a)?.cmp(&parts(b)?))
}
