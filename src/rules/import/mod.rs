//! Import of rule books that the fund publishes: Q015 and Q016 (federal), Q022 and Q023 (regional), any edition.
//!
//! Every row is cleaned, read, translated into the rule language and compared with the present rows. The result is an overlay: a folder in the shape
//! of `rules/` with the tables that differ. Nothing is written before the whole packet has been read.

mod ahead;
mod express;
mod mask;
mod packet;
mod plan;
mod store;
mod update;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::nsi::Books;
use crate::registry::fault::Fault;
use crate::registry::format::Formats;
use crate::rules::{Conventions, RuleRow, Standing, Survey, parse};
use crate::tables::{Line, RuleFiles, TableError};
use crate::texts::{Coded, ErrorClass, Key, Lang, Severity, Slot, Text, display, fill};
use crate::values::Date;
use express::Express;

pub use express::{Side, Unexpressed};
pub use packet::{Packet, PublishedRow, read, read_bytes};
pub use plan::{Change, Difference, Field, Plan, RowOutcome};
pub use store::store;
pub use update::Updates;

const PACKETS: &str = "import/packets.csv";
const READINGS: &str = "import/readings.csv";
const TEXTS: &str = "import/texts.csv";

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
    /// The tables do not know this kind of rule book.
    UnknownKind(String),
    /// The edition is older than the present one.
    Older {
        /// Edition and date of the present rule book.
        known: String,
        /// Edition and date of the packet.
        given: String,
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
            Self::UnknownKind(_) => Key::RefusedUnknownKind,
            Self::Older { .. } => Key::RefusedOlder,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match self {
            Self::Unreadable(kind) => vec![("reason", Slot::io_kind(*kind))],
            Self::Archive(fault) => vec![("reason", Slot::Nested(fault))],
            Self::Broken { at, what } => vec![("at", Slot::Number(*at)), ("what", Slot::text(what))],
            Self::UnknownKind(kind) => vec![("kind", Slot::text(kind))],
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
}

/// The territory of a packet's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The whole country.
    Federal,
    /// Single regions, by the region code in the rule's id.
    Regional,
}

#[derive(Debug, Clone, Deserialize)]
struct PacketKind {
    kind: String,
    book: String,
    scope: Scope,
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
            kind: self.kind.clone(),
            from: day(&self.from)?,
            until: day(&self.until)?,
            inferred: self.inferred.clone(),
            severity: Severity::Error,
            note: Text { ru: self.note_ru.clone(), en: self.note_en.clone() },
            text: Text { ru: self.ru.clone(), en: self.en.clone() },
            advice: Text { ru: self.advice_ru.clone(), en: self.advice_en.clone() },
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
    kinds: Vec<PacketKind>,
    readings: BTreeMap<(String, Field), (String, String)>,
    texts: BTreeMap<String, Text>,
}

#[derive(Deserialize)]
struct TextRow {
    key: String,
    ru: String,
    en: String,
}

impl Importer {
    /// Loads the importer; `books` is the folder of imported books.
    ///
    /// # Errors
    /// One of its tables is invalid.
    pub fn new(files: &RuleFiles, books: Option<&Path>) -> Result<Self, TableError> {
        let readings = files.rows::<ReadingRow>(READINGS)?.into_iter().map(|(_, r)| ((r.id, r.field), (r.source, r.kind))).collect();
        let texts = files.rows::<TextRow>(TEXTS)?.into_iter().map(|(_, t)| (t.key, Text { ru: t.ru, en: t.en })).collect();
        Ok(Self {
            files: files.clone(),
            formats: Formats::load(files)?,
            books: Books::load(files, books)?,
            conventions: Conventions::load(files)?,
            express: Express::load(files)?,
            kinds: files.rows(PACKETS)?.into_iter().map(|(_, k)| k).collect(),
            readings,
            texts,
        })
    }

    /// Whether a row runs.
    ///
    /// # Errors
    /// The row does not compile; the text is the reason.
    fn standing(&self, row: &TableRow, table: &str) -> Result<Standing, String> {
        let Some(row) = row.compiled(table) else { return Err(format!("{} «{}»", row.when, row.require)) };
        let survey = Survey { formats: &self.formats, books: &self.books, conventions: &self.conventions };
        survey.standing(&row).map_err(|e| e.message)
    }

    /// A text of the import with its slots filled; the key itself if the table lacks it.
    pub fn text(&self, key: &str, lang: Lang, slots: &[(&str, &str)]) -> String {
        let template = self.texts.get(key).map_or(key, |t| t.get(lang));
        fill(template, |slot| slots.iter().find(|(name, _)| *name == slot).map(|(_, value)| *value))
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
            Unexpressed::Mask(text)
            | Unexpressed::Characters(text)
            | Unexpressed::Length(text)
            | Unexpressed::Book(text)
            | Unexpressed::Category(text)
            | Unexpressed::Files(text)
            | Unexpressed::Compile(text) => self.text(key, lang, &[("text", text)]),
        }
    }

    /// Plans the changes that the packet would make; with `force`, also of an older edition.
    ///
    /// # Errors
    /// The packet is of an unknown kind or older than the present edition, or a rule table is invalid.
    pub fn plan(&self, packet: &Packet, force: bool) -> Result<Plan, PlanError> {
        plan::plan(self, packet, force)
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
pub fn plan_file(importer: &Importer, path: &Path, force: bool) -> Result<Plan, PlanError> {
    let packet = read(path).map_err(PlanError::Refused)?;
    importer.plan(&packet, force)
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
        let has = |key: &str| assert!(importer.texts.contains_key(key), "no text «{key}»");
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
        for why in whys {
            for lang in [Lang::Ru, Lang::En] {
                let said = importer.why(&why, lang);
                assert!(!said.contains(['{', '}']) && !said.starts_with("why."), "{said}");
            }
        }
    }
}
