//! Import of rule books that the fund publishes: Q015 and Q016 (federal), Q022 and Q023 (regional), any edition.
//!
//! Every row is cleaned, read, translated into the rule language and compared with the present rows. The result is an overlay: a folder in the shape
//! of `rules/` with the tables that differ. Nothing is written before the whole packet has been read.

mod ahead;
mod brief;
mod express;
mod field;
mod history;
mod mask;
mod message;
mod outcome;
mod packet;
mod plan;
mod store;
mod update;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::finding::Mends;
use crate::nsi::Books;
use crate::registry::fault::Fault;
use crate::registry::format::Formats;
use crate::rules::{Conventions, Reasons, RuleRow, Standing, Survey, Words, parse};
use crate::tables::{Line, RuleFiles, TableError};
use crate::texts::{Coded, ErrorClass, Key, Lang, Severity, Slot, Text, Texts, display};
use crate::values::Date;
use brief::Phrases;
use express::Express;
use message::Messages;

pub use express::{Side, Unexpressed};
pub use field::{Field, Flaw, Misread};
pub use history::{Record, last};
pub use outcome::{Change, Difference, Plan, RowOutcome, Scope};
pub use packet::{Packet, PublishedRow, read, read_bytes};
pub use store::{Kept, Turn, store, take_back, turn};
pub use update::Updates;

const PACKETS: &str = "import/packets.csv";
const READINGS: &str = "import/readings.csv";

/// Why a packet is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The file cannot be read.
    Unreadable(std::io::ErrorKind),
    /// The packet is larger than any rule book.
    TooLarge,
    /// The archive is unsafe or damaged.
    Archive(Fault),
    /// The archive does not hold exactly one XML file.
    NotOneFile,
    /// The bytes are not a text in the detected encoding.
    Encoding,
    /// The XML is damaged.
    Broken {
        /// Byte offset in the decoded text.
        at: u64,
        /// What is wrong there.
        what: String,
    },
    /// The document ends before its root element does.
    CutShort,
    /// The packet is not a rule book.
    NotARuleBook,
    /// The head of the packet states no date of the edition, but this text.
    NoDate(String),
    /// The tables do not know this kind of rule book.
    UnknownKind(String),
    /// The edition is older than the present one.
    Older {
        /// Edition and date of the present rule book.
        known: String,
        /// Edition and date of the packet.
        given: String,
    },
    /// The edition is dated later than today.
    Future {
        /// Edition and date of the packet.
        given: String,
        /// The day of the import.
        today: String,
    },
    /// Too many of the rules in force would end.
    Part {
        /// Rules of the book that are in force and executed.
        before: usize,
        /// How many of them would remain.
        after: usize,
    },
}

impl Coded for Refusal {
    fn key(&self) -> Key {
        match self {
            Self::Unreadable(_) => Key::RefusedUnreadable,
            Self::TooLarge => Key::RefusedTooLarge,
            Self::Archive(_) => Key::RefusedArchive,
            Self::NotOneFile => Key::RefusedNotOneFile,
            Self::Encoding => Key::RefusedEncoding,
            Self::Broken { .. } => Key::RefusedBroken,
            Self::CutShort => Key::RefusedCutShort,
            Self::NotARuleBook => Key::RefusedNotARuleBook,
            Self::NoDate(_) => Key::RefusedNoDate,
            Self::UnknownKind(_) => Key::RefusedUnknownKind,
            Self::Older { .. } => Key::RefusedOlder,
            Self::Future { .. } => Key::RefusedFuture,
            Self::Part { .. } => Key::RefusedPart,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match self {
            Self::Unreadable(kind) => vec![("reason", Slot::io_kind(*kind))],
            Self::Archive(fault) => vec![("reason", Slot::Nested(fault))],
            Self::Broken { at, what } => vec![("at", Slot::Number(*at)), ("what", Slot::text(what))],
            Self::NoDate(text) => vec![("text", Slot::text(text))],
            Self::UnknownKind(kind) => vec![("kind", Slot::text(kind))],
            Self::Future { given, today } => vec![("given", Slot::text(given)), ("today", Slot::text(today))],
            Self::Part { before, after } => vec![("before", Slot::number(*before)), ("after", Slot::number(*after))],
            Self::Older { known, given } => vec![("known", Slot::text(known)), ("given", Slot::text(given))],
            Self::TooLarge | Self::NotOneFile | Self::Encoding | Self::CutShort | Self::NotARuleBook => Vec::new(),
        }
    }

    fn class(&self) -> ErrorClass {
        ErrorClass::Input
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for Refusal {}

/// A row of a rule table as text, in the order of its columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the columns of rules/flk/*.csv, described in rules/README")]
pub struct TableRow {
    pub id: String,
    pub files: String,
    pub element: String,
    pub when: String,
    pub require: String,
    pub kind: String,
    pub from: String,
    pub until: String,
    pub inferred: String,
    pub severity: String,
    pub twin: String,
    pub note_ru: String,
    pub note_en: String,
    pub ru: String,
    pub en: String,
    pub advice_ru: String,
    pub advice_en: String,
    pub source: String,
    #[serde(default)]
    pub mends: String,
}

#[derive(Debug, Clone, Deserialize)]
struct PacketKind {
    kind: String,
    book: String,
    scope: Scope,
    /// How many of a hundred rules in force an edition may end without being taken for a part.
    loses: usize,
}

/// The terms on which a packet is taken.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// The day of the import.
    pub today: Date,
    /// Whether to take also an older edition, one of the future, and one that ends many rules.
    pub force: bool,
}

/// A published text that a person has translated: the formula is in the rule table.
#[derive(Debug, Clone, Deserialize)]
struct ReadingRow {
    id: String,
    field: Field,
    kind: String,
    /// Fingerprint of the published text.
    source: String,
}

/// An edition of a rule book, a row of `rules/flk/editions.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edition {
    /// Code of the book: Q015, Q016.
    pub book: String,
    /// Number of the edition, as published.
    pub edition: String,
    /// Date of the edition, YYYY-MM-DD.
    pub date: String,
}

impl Edition {
    /// The number as people read it, also of a book that has none.
    pub fn number<'t>(&'t self, texts: &'t Texts, lang: Lang) -> &'t str {
        if self.edition.is_empty() { texts.get(Key::NsiUnnumbered, lang) } else { &self.edition }
    }
}

impl TableRow {
    /// The row as the compiler takes it; `None` if a formula or a date in it is invalid.
    fn compiled(&self, table: &str) -> Option<RuleRow> {
        let expr = |text: &str| if text.is_empty() { Some(None) } else { parse(text).ok().map(Some) };
        let day = |text: &str| if text.is_empty() { Some(None) } else { Date::parse(text).map(Some) };
        Some(RuleRow {
            id: self.id.clone(),
            files: self.files.split(' ').filter_map(|f| f.chars().next()).collect(),
            element: self.element.clone(),
            when: expr(&self.when)?,
            require: expr(&self.require)?,
            unread: None,
            kind: self.kind.clone(),
            from: day(&self.from)?,
            until: day(&self.until)?,
            inferred: self.inferred.clone(),
            // A row is compiled to see whether it can run; how much it weighs and who mends it does not matter there.
            severity: Severity::Error,
            note: Text { ru: self.note_ru.clone(), en: self.note_en.clone() },
            text: Text { ru: self.ru.clone(), en: self.en.clone() },
            advice: Text { ru: self.advice_ru.clone(), en: self.advice_en.clone() },
            mends: Mends::Clinic,
            place: (table.to_owned(), Line::default()),
        })
    }
}

/// The importer with its tables, the present rule tables, and the formats and books that rows are compiled against.
#[derive(Debug)]
pub struct Importer {
    files: RuleFiles,
    formats: Formats,
    books: Books,
    conventions: Conventions,
    express: Express,
    reasons: Reasons,
    kinds: Vec<PacketKind>,
    readings: BTreeMap<(String, Field), (String, String)>,
    phrases: Phrases,
    words: Words,
}

impl Importer {
    /// Loads the importer; `books` is the folder of imported books.
    ///
    /// # Errors
    /// One of its tables is invalid.
    pub fn new(files: &RuleFiles, books: Option<&Path>) -> Result<Self, TableError> {
        let readings = files.rows::<ReadingRow>(READINGS)?.into_iter().map(|(_, r)| ((r.id, r.field), (r.source, r.kind))).collect();
        let formats = Formats::load(files)?;
        Ok(Self {
            files: files.clone(),
            words: Words::load(files, &formats)?,
            phrases: Phrases::load(files)?,
            formats,
            books: Books::load(files, books)?,
            conventions: Conventions::load(files)?,
            express: Express::load(files)?,
            reasons: Reasons::load(files)?,
            kinds: files.rows(PACKETS)?.into_iter().map(|(_, k)| k).collect(),
            readings,
        })
    }

    /// What a row lacks in order to run; `None` if it runs.
    ///
    /// # Errors
    /// The row does not compile; the text is the reason.
    fn lacks(&self, row: &TableRow, table: &str) -> Result<Option<(Standing, Text)>, String> {
        let Some(row) = row.compiled(table) else { return Err(format!("{} «{}»", row.when, row.require)) };
        let survey = Survey { formats: &self.formats, books: &self.books, conventions: &self.conventions };
        let standing = survey.standing(&row).map_err(|e| e.message)?;
        let reason = self.reasons.of_standing(&standing, &row);
        Ok(reason.map(|reason| (standing, reason)))
    }

    /// A text of the import with its slots filled; the key itself if the table lacks it.
    pub fn text(&self, key: &str, lang: Lang, slots: &[(&str, &str)]) -> String {
        self.phrases.text(key, lang, slots)
    }

    /// Makes messages of rules.
    fn messages(&self) -> Messages<'_> {
        Messages { phrases: &self.phrases, words: &self.words, books: self.books.catalog() }
    }

    /// The reason why a side could not be expressed, in words.
    pub fn why(&self, why: &Unexpressed, lang: Lang) -> String {
        let key = why.as_str();
        match why {
            // If the whole field is a sentence, there is no column.
            Unexpressed::Prose(0) => self.text("why.comment", lang, &[]),
            Unexpressed::Prose(column) => self.text(key, lang, &[("column", &column.to_string())]),
            Unexpressed::Syntax(error) => {
                let due = self.text(&format!("due.{}", error.due.as_str()), lang, &[]);
                self.text(key, lang, &[("column", &error.column.to_string()), ("due", &due), ("found", &error.found)])
            }
            Unexpressed::Silent | Unexpressed::Twice => self.text(key, lang, &[]),
            Unexpressed::Misread(m) => self.text(key, lang, &[("field", m.field), ("text", &m.text)]),
            Unexpressed::Mask(text)
            | Unexpressed::Characters(text)
            | Unexpressed::Length(text)
            | Unexpressed::Book(text)
            | Unexpressed::Category(text)
            | Unexpressed::Files(text)
            | Unexpressed::Compile(text) => self.text(key, lang, &[("text", text)]),
        }
    }

    /// Plans the changes that the packet would make. An older edition that is taken by force replaces all that newer ones brought.
    ///
    /// # Errors
    /// The packet is refused, or a rule table is invalid.
    pub fn plan(&self, packet: &Packet, terms: Terms) -> Result<Plan, PlanError> {
        plan::plan(self, packet, terms)
    }

    /// The tables as they were before the first import of a book; the built-in ones if that import left no record.
    fn before(&self, book: &str) -> Result<RuleFiles, TableError> {
        let records = self.files.folder().map_or_else(|| Ok(Vec::new()), history::records)?;
        Ok(match records.iter().find(|r| r.edition.book == book) {
            Some(first) => RuleFiles::with_overlay(&first.folder),
            None if self.files.overrides(&[plan::EDITIONS]) => RuleFiles::embedded(),
            None => self.files.clone(),
        })
    }

    /// The tables that imports of a book have changed.
    fn tables_of(&self, book: &str) -> Result<Vec<String>, TableError> {
        let records = self.files.folder().map_or_else(|| Ok(Vec::new()), history::records)?;
        Ok(records.into_iter().filter(|r| r.edition.book == book).flat_map(|r| r.tables).map(|t| t.name).collect())
    }
}

/// Why a packet has no plan.
#[derive(Debug)]
pub enum PlanError {
    /// The packet is refused.
    Refused(Refusal),
    /// A present table is invalid.
    Table(TableError),
}

impl Coded for PlanError {
    fn key(&self) -> Key {
        self.inner().key()
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        self.inner().slots()
    }

    fn class(&self) -> ErrorClass {
        self.inner().class()
    }
}

impl PlanError {
    fn inner(&self) -> &dyn Coded {
        match self {
            Self::Refused(refusal) => refusal,
            Self::Table(error) => error,
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for PlanError {}

impl From<TableError> for PlanError {
    fn from(error: TableError) -> Self {
        Self::Table(error)
    }
}

/// Reads a packet and plans the changes that it would make.
///
/// # Errors
/// See [`Refusal`] and [`Importer::plan`].
pub fn plan_file(importer: &Importer, path: &Path, terms: Terms) -> Result<Plan, PlanError> {
    let packet = read(path).map_err(PlanError::Refused)?;
    importer.plan(&packet, terms)
}

/// The day before an edition's date, on which earlier rules end.
fn eve(date: Date) -> Date {
    date.day_before()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::published::{Due, PublishedError, Repair};

    #[test]
    fn everything_that_can_happen_has_a_text() {
        let importer = Importer::new(&RuleFiles::embedded(), None).expect("the tables");
        let has = |key: &str| assert!(importer.phrases.texts.contains_key(key), "no text «{key}»");
        Due::ALL.iter().for_each(|d| has(&format!("due.{}", d.as_str())));
        Change::ALL.iter().for_each(|c| has(&format!("change.{}", c.as_str())));
        for repair in [Repair::Chars, Repair::Typo, Repair::Glued, Repair::Homoglyph, Repair::Note] {
            has(&format!("repair.{}", repair.as_str()));
        }
        for (_, kind) in importer.readings.values() {
            has(&format!("reading.{kind}"));
        }
        let text = || "x".to_owned();
        let syntax = PublishedError { column: 3, due: Due::Value, found: "(".to_owned() };
        let whys = [
            Unexpressed::Prose(1),
            Unexpressed::Prose(0),
            Unexpressed::Syntax(syntax),
            Unexpressed::Silent,
            Unexpressed::Mask(text()),
            Unexpressed::Characters(text()),
            Unexpressed::Length(text()),
            Unexpressed::Book(text()),
            Unexpressed::Category(text()),
            Unexpressed::Compile(text()),
            Unexpressed::Files(text()),
            Unexpressed::Twice,
        ];
        let misread = Flaw::ALL.map(|flaw| Unexpressed::Misread(Misread::new(Field::From, "X", "x", flaw)));
        for why in whys.into_iter().chain(misread) {
            for lang in [Lang::Ru, Lang::En] {
                let said = importer.why(&why, lang);
                assert!(!said.contains(['{', '}']) && !said.starts_with("why."), "{said}");
            }
        }
    }
}
