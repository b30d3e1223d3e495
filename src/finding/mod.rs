//! What a check says of a place: the finding, its place, and the catalog of structural checks (`rules/structure.csv`).

pub mod control;
pub mod spool;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::tables::{RuleFiles, TableError};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; changes no verdict.
    Info,
    /// Does not stop acceptance by itself.
    Warning,
    /// The file or the record is refused.
    Error,
}

impl Severity {
    /// The word of the machine formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A message in both languages. Machine formats carry the Russian one, whatever the user's language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Russian.
    pub ru: String,
    /// English.
    pub en: String,
}

/// The language of what a person reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// Russian.
    #[default]
    Ru,
    /// English.
    En,
}

impl Text {
    /// The text in one language.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Ru => &self.ru,
            Lang::En => &self.en,
        }
    }
}

macro_rules! checks {
    ($($(#[$doc:meta])* $name:ident = $slug:literal),* $(,)?) => {
        /// What kind of structural check a row of `rules/structure.csv` is: the code knows kinds, the table their ids, weights and texts.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Check { $($(#[$doc])* $name),* }

        impl Check {
            /// Every kind, in the order of the catalog's groups.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in the table's column `check`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $slug),* }
            }
        }
    };
}

checks! {
    /// The operating system refuses to give the file.
    Unreadable = "unreadable",
    /// No file or folder of this name.
    NotFound = "not-found",
    /// The user may not read the file.
    NoAccess = "no-access",
    /// Nothing in the file.
    EmptyFile = "empty-file",
    /// Neither XML nor a zip archive.
    NotRegistry = "not-registry",
    /// The archive is cut or damaged.
    ZipDamaged = "zip-damaged",
    /// More entries than a registry can have.
    ZipEntries = "zip-entries",
    /// Unpacks to far more than its size.
    ZipRatio = "zip-ratio",
    /// Unpacks to more than is allowed in all.
    ZipTotal = "zip-total",
    /// Entries share bytes of the archive.
    ZipOverlap = "zip-overlap",
    /// An entry's name leads out of the folder.
    ZipName = "zip-name",
    /// Two entries of one name.
    ZipDuplicate = "zip-duplicate",
    /// An archive inside the archive.
    ZipNested = "zip-nested",
    /// Encrypted or packed by a method other than deflate.
    ZipMethod = "zip-method",
    /// An entry that is no registry file.
    ZipExtra = "zip-extra",
    /// An archive without a registry file.
    NoMainFile = "no-main-file",
    /// The main file has no person file.
    PersonsMissing = "persons-missing",
    /// The person file has no main file.
    MainMissing = "main-missing",
    /// Two files claim to be the same package.
    PackageTwice = "package-twice",
    /// The name is not of the grammar.
    NameGrammar = "name-grammar",
    /// FILENAME differs from the file's name.
    NameDiffers = "name-differs",
    /// FILENAME1 differs from the main file's name.
    MainNameDiffers = "main-name-differs",
    /// Not XML at all.
    NotXml = "not-xml",
    /// The file ends before the root does.
    XmlTruncated = "xml-truncated",
    /// Not well-formed.
    XmlMalformed = "xml-malformed",
    /// A document type declaration.
    XmlDoctype = "xml-doctype",
    /// An entity other than the five of XML and character references.
    XmlEntity = "xml-entity",
    /// Nested too deeply.
    XmlDepth = "xml-depth",
    /// An element's name is too long.
    XmlName = "xml-name",
    /// A text is too long.
    XmlText = "xml-text",
    /// A record larger than the reader keeps at once.
    XmlRecord = "xml-record",
    /// Too many attributes.
    XmlAttributes = "xml-attributes",
    /// A character that XML forbids.
    XmlCharacter = "xml-character",
    /// An encoding that the exchange does not know.
    EncodingUnknown = "encoding-unknown",
    /// Declared and real encoding differ.
    EncodingDiffers = "encoding-differs",
    /// A byte that the encoding does not define.
    EncodingByte = "encoding-byte",
    /// Not windows-1251, as the exchange demands.
    EncodingNotDemanded = "encoding-not-demanded",
    /// The root is not a registry's.
    WrongRoot = "wrong-root",
    /// A namespace is declared.
    Namespace = "namespace",
    /// The file-name letters or the root belong to no known family.
    FamilyUnknown = "family-unknown",
    /// No edition has this VERSION.
    EditionUnknown = "edition-unknown",
    /// The edition is not in force in the reporting period.
    EditionPeriod = "edition-period",
    /// The reporting period cannot be read.
    PeriodUnreadable = "period-unreadable",
    /// An obligatory element is absent.
    Missing = "missing",
    /// No such element in the family.
    Unknown = "unknown",
    /// The element exists, but not here.
    Misplaced = "misplaced",
    /// A single element stands twice.
    Repeated = "repeated",
    /// An element before its turn.
    Order = "order",
    /// No value where one is due.
    Empty = "empty",
    /// Text in a block.
    TextInBlock = "text-in-block",
    /// Elements in a value.
    BlockInText = "block-in-text",
    /// An attribute; the format has none.
    Attribute = "attribute",
    /// Not a number.
    NotNumber = "not-number",
    /// Wrong number of digits after the point.
    Decimals = "decimals",
    /// Not a date of the form YYYY-MM-DD.
    NotDate = "not-date",
    /// A day that the calendar does not have.
    NoSuchDate = "no-such-date",
    /// Longer than allowed.
    TooLong = "too-long",
    /// Shorter than allowed.
    TooShort = "too-short",
    /// A character outside the element's set.
    Characters = "characters",
    /// Not of the element's mask.
    Mask = "mask",
    /// Not in the element's closed list.
    NotInList = "not-in-list",
    /// A key stands twice in its scope. Columns `element` (a role) and `other` (the scope's role).
    Unique = "unique",
    /// The same person under two keys. `element` lists the roles compared.
    SamePerson = "same-person",
    /// A sum does not hold: `element` (total's role) is the sum of `other`.
    Sum = "sum",
    /// A count does not hold: `element` is the number of `other`.
    Count = "count",
    /// A key of the main file is absent in the person file.
    PersonAbsent = "person-absent",
    /// A key of the person file is absent in the main file.
    PersonIdle = "person-idle",
    /// A part of the file's name disagrees with `element`; `other` names the part.
    NamePart = "name-part",
}

impl FromStr for Check {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|c| c.as_str() == text).ok_or_else(|| format!("no check of kind «{text}»"))
    }
}

impl Check {
    /// Whether such a finding refuses the file as a whole and not one record: container, markup, encoding, name, edition.
    pub fn is_of_file(self) -> bool {
        self <= Self::PeriodUnreadable && self != Self::EncodingByte
    }
}

/// Index of a rule in the [`Catalog`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIx(pub u16);

/// What a finding refers to: one row of `rules/structure.csv`, or one row of a rule book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Stable id, such as `S001` or `006F.00.0400`.
    pub id: String,
    /// Its kind; none for rules of a book.
    pub check: Option<Check>,
    /// Roles of the format tables that the kind takes; meaning: see [`Check`].
    pub element: Vec<String>,
    /// Second parameter of the kind.
    pub other: Vec<String>,
    /// Weight.
    pub severity: Severity,
    /// Code of the book F012 (901–905) that the protocol carries.
    pub f012: String,
    /// What is wrong; slots `{element}`, `{parent}`, `{value}`, `{expected}`, `{found}`.
    pub text: Text,
    /// What to do in the MIS.
    pub advice: Text,
    /// Rules of the federal book that say the same: see [`Same`].
    pub same: Vec<Same>,
}

/// A federal rule, or a category of them, that says what a structural check says: one finding comes out, with the federal id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Same {
    /// Any rule of the category (`003F`) that is broken at the same place of the same element.
    Category(String),
    /// The rule of this id, broken anywhere in the head of the same package: what it checks stands there once.
    Rule(String),
    /// The check is how this rule is executed: its findings carry this id where the rule is in force.
    Executes(String),
}

impl FromStr for Same {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match (word.strip_prefix('='), word.contains('.')) {
            (Some(id), _) if id.contains('.') => Ok(Self::Executes(id.to_owned())),
            (None, true) => Ok(Self::Rule(word.to_owned())),
            (None, false) if word.len() == 4 => Ok(Self::Category(word.to_owned())),
            _ => Err(format!("federal: «{word}»: a category (003F), an id, or = and an id is due")),
        }
    }
}

impl Rule {
    /// Whether a finding refuses the file as a whole and not one record.
    pub fn is_of_file(&self) -> bool {
        self.check.is_some_and(Check::is_of_file)
    }
}

#[derive(Deserialize)]
struct RuleRow {
    id: String,
    check: String,
    element: String,
    other: String,
    severity: Severity,
    f012: String,
    ru: String,
    en: String,
    advice_ru: String,
    advice_en: String,
    federal: String,
}

/// All that findings refer to: the structural checks by id and by kind, and behind them the rules of a book.
#[derive(Debug, Clone)]
pub struct Catalog {
    rules: Vec<Rule>,
    by_check: BTreeMap<Check, RuleIx>,
}

const TABLE: &str = "structure.csv";

impl Catalog {
    /// Reads `rules/structure.csv`.
    ///
    /// # Errors
    /// An unknown kind, an id twice, an empty text, an unknown slot, or a kind of the code that no row names.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let mut rules: Vec<Rule> = Vec::new();
        let mut by_check = BTreeMap::new();
        for (line, row) in files.rows::<RuleRow>(TABLE)? {
            let fail = |message: String| TableError::new(TABLE, line, message);
            let check = row.check.parse().map_err(&fail)?;
            if rules.iter().any(|r| r.id == row.id) {
                return Err(fail(format!("id {} stands twice", row.id)));
            }
            for (column, text) in [("ru", &row.ru), ("en", &row.en), ("advice_ru", &row.advice_ru), ("advice_en", &row.advice_en), ("id", &row.id)] {
                if text.trim().is_empty() {
                    return Err(fail(format!("column {column} is empty")));
                }
                if let Some(slot) = slots_of(text).find(|slot| Slots::default().get(slot).is_none()) {
                    return Err(fail(format!("column {column}: no slot is called {{{slot}}}")));
                }
            }
            if !matches!(row.f012.as_str(), "901" | "902" | "903" | "904" | "905") {
                return Err(fail(format!("f012 «{}»: one of 901 to 905 is due", row.f012)));
            }
            by_check.entry(check).or_insert(RuleIx(u16::try_from(rules.len()).map_err(|e| fail(e.to_string()))?));
            let words = |list: &str| list.split_whitespace().map(str::to_owned).collect();
            rules.push(Rule {
                id: row.id,
                check: Some(check),
                same: row.federal.split_whitespace().map(str::parse).collect::<Result<_, _>>().map_err(&fail)?,
                element: words(&row.element),
                other: words(&row.other),
                severity: row.severity,
                f012: row.f012,
                text: Text { ru: row.ru, en: row.en },
                advice: Text { ru: row.advice_ru, en: row.advice_en },
            });
        }
        if let Some(absent) = Check::ALL.iter().find(|c| !by_check.contains_key(c)) {
            return Err(TableError::new(TABLE, 0, format!("no row for the check «{}»", absent.as_str())));
        }
        Ok(Self { rules, by_check })
    }

    /// Adds rules of a book behind those that are there; the index of the first.
    ///
    /// # Errors
    /// More than a finding can number.
    pub fn extend(&mut self, rules: impl IntoIterator<Item = Rule>) -> Result<RuleIx, TableError> {
        let first = self.rules.len();
        self.rules.extend(rules);
        match (u16::try_from(first), u16::try_from(self.rules.len())) {
            (Ok(first), Ok(_)) => Ok(RuleIx(first)),
            _ => Err(TableError::new(TABLE, 0, format!("{} rules in all: at most {} can be numbered", self.rules.len(), u16::MAX))),
        }
    }

    /// Gives rules another weight, by id and own weight.
    pub fn reweigh(&mut self, weight: impl Fn(&str, Severity) -> Severity) {
        for rule in &mut self.rules {
            rule.severity = weight(&rule.id, rule.severity);
        }
    }

    /// The first row of a kind.
    pub fn of(&self, check: Check) -> RuleIx {
        self.by_check[&check]
    }

    /// A row.
    pub fn rule(&self, ix: RuleIx) -> &Rule {
        &self.rules[usize::from(ix.0)]
    }

    /// Every row with its index, in the order of the table.
    pub fn rules(&self) -> impl Iterator<Item = (RuleIx, &Rule)> {
        self.rules.iter().enumerate().map(|(i, r)| (RuleIx(i as u16), r))
    }

    /// The row of an id.
    pub fn by_id(&self, id: &str) -> Option<RuleIx> {
        self.rules().find(|(_, r)| r.id == id).map(|(ix, _)| ix)
    }
}

/// Which file of a package a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileRole {
    /// The archive or the path itself.
    Container,
    /// The person file (L).
    Persons,
    /// The main file (H, C, T, D).
    Main,
}

/// A place in a file as the user has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// Byte offset, from 0.
    pub offset: u64,
    /// Line, from 1; 0 when the finding is about the file as a whole.
    pub line: u32,
    /// Column in characters, from 1; 0 when the finding is about the file as a whole.
    pub column: u32,
}

/// The numbers by which people find a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys {
    /// N_ZAP of the record.
    pub n_zap: Option<Box<str>>,
    /// IDCASE of the completed case.
    pub idcase: Option<Box<str>>,
    /// SL_ID of the case part.
    pub sl_id: Option<Box<str>>,
    /// IDSERV of the service.
    pub idserv: Option<Box<str>>,
    /// ID_PAC of the person.
    pub id_pac: Option<Box<str>>,
}

/// What one check says of one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: RuleIx,
    /// Which file of the package.
    pub file: FileRole,
    /// Where in it.
    pub place: Place,
    /// Element path, `ZL_LIST/ZAP/N_ZAP`; empty when the finding is about the file as a whole.
    pub path: Arc<str>,
    /// The record.
    pub keys: Keys,
    /// The value as it stands in the file, or masked already when nobody can ask for the raw one.
    pub value: Option<Box<str>>,
    /// The value is a person's data: reports mask it, the official protocol does not.
    pub personal: bool,
    /// What was expected, free of language: `N(15.2)`, `YYYY-MM-DD`, `3.1`.
    pub expected: Option<Box<str>>,
    /// What was found instead, free of language and of personal data.
    pub found: Option<Box<str>>,
}

impl Finding {
    /// A finding about a file as a whole.
    pub fn of_file(rule: RuleIx, file: FileRole) -> Self {
        Self { rule, file, place: Place::default(), path: Arc::from(""), keys: Keys::default(), value: None, personal: false, expected: None, found: None }
    }

    /// Name of the element, the last part of the path.
    pub fn element(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or("")
    }

    /// Name of the block that holds the element, the last part but one of the path.
    pub fn parent(&self) -> &str {
        self.path.rsplit('/').nth(1).unwrap_or("")
    }

    /// The same finding as reports may show it: a personal value masked.
    #[must_use]
    pub fn masked(mut self) -> Self {
        if self.personal
            && let Some(value) = &mut self.value
        {
            *value = mask_personal(value).into();
        }
        self
    }

    /// The rule's text with its slots filled, with the value as the finding holds it: see [`Finding::masked`].
    pub fn message(&self, rule: &Rule, lang: Lang) -> String {
        fn text(own: &Option<Box<str>>) -> &str {
            own.as_deref().unwrap_or("")
        }
        let (value, expected, found) = (text(&self.value), text(&self.expected), text(&self.found));
        Slots { element: self.element(), parent: self.parent(), value, expected, found }.fill(rule.text.get(lang))
    }
}

/// What the slots of a rule's text and advice stand for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Slots<'a> {
    /// `{element}`: name of the element.
    pub element: &'a str,
    /// `{parent}`: name of the block that holds it.
    pub parent: &'a str,
    /// `{value}`: the value.
    pub value: &'a str,
    /// `{expected}`: what was expected.
    pub expected: &'a str,
    /// `{found}`: what was found instead.
    pub found: &'a str,
}

impl<'a> Slots<'a> {
    /// A text with its slots filled.
    pub fn fill(&self, template: &str) -> String {
        fill(template, |slot| self.get(slot))
    }

    fn get(&self, slot: &str) -> Option<&'a str> {
        Some(match slot {
            "element" => self.element,
            "parent" => self.parent,
            "value" => self.value,
            "expected" => self.expected,
            "found" => self.found,
            _ => return None,
        })
    }
}

/// Names of the slots of a template.
pub fn slots_of(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|t| t.split_once('}').map(|(slot, _)| slot))
}

/// Fills `{slot}`s of a template; an unknown slot stays as it is.
pub fn fill<'a>(template: &str, value: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut out = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        let Some(close) = rest.find('}') else { break };
        match value(&rest[1..close]) {
            Some(text) => out.push_str(text),
            None => out.push_str(&rest[..=close]),
        }
        rest = &rest[close + 1..];
    }
    out.push_str(rest);
    out
}

/// Hides a personal value but keeps its shape: letters and digits become `*`, so that a wrong length or separator can still be seen.
pub fn mask_personal(value: &str) -> String {
    value.chars().map(|c| if c.is_alphanumeric() { '*' } else { c }).collect()
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_row_and_a_word() {
        let catalog = Catalog::load(&RuleFiles::embedded()).expect("the built-in table is sound");
        for check in Check::ALL {
            assert_eq!(check.as_str().parse::<Check>(), Ok(*check));
            assert_eq!(catalog.rule(catalog.of(*check)).check, Some(*check));
        }
    }

    #[test]
    fn a_slot_that_nobody_fills_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let table = RuleFiles::embedded().text(TABLE).expect("there").replacen("{found}", "{fuond}", 1);
        std::fs::write(folder.path().join(TABLE), table).expect("written");
        let error = Catalog::load(&RuleFiles::with_overlay(folder.path())).expect_err("a misspelt slot");
        assert_eq!(error.to_string(), "rules/structure.csv:2: column ru: no slot is called {fuond}");
    }

    #[test]
    fn masks_keep_the_shape() {
        assert_eq!(mask_personal("1980-02-30"), "****-**-**");
        assert_eq!(mask_personal("Иванова-Петрова"), "*******-*******");
    }

    #[test]
    fn only_personal_values_are_masked() {
        let mut finding = Finding { value: Some("Иванов".into()), ..Finding::of_file(RuleIx(0), FileRole::Main) };
        assert_eq!(finding.clone().masked().value.as_deref(), Some("Иванов"));
        finding.personal = true;
        assert_eq!(finding.masked().value.as_deref(), Some("******"));
    }

    #[test]
    fn slots_are_filled_once() {
        assert_eq!(fill("{a} {b} {a", |s| (s == "a").then_some("{b}")), "{b} {b} {a");
    }
}
