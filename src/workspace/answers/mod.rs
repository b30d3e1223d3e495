//! Reads answers of payers and funds: a ФЛК protocol, the registry with the payer's decision, or a status notice.
//!
//! An answer is an XML or JSON file, or an archive with one such file or with the protocols of several files of a package. `rules/forms/answer-elements.csv`
//! names the XML elements. Errors name an element and a line, never a value.

mod elements;
mod notice;
mod protocol;
mod registry;
#[cfg(test)]
mod tests;
mod walk;

use std::io::Read;
use std::path::Path;

pub(super) use elements::{Document, Elements, Meaning};

use super::workflow::Move;
use crate::finding::Check;
use crate::registry::archive::{Archive, Limits, is_zip};
use crate::registry::encoding::{BOM, Coding, detect};
use crate::registry::fault::Fault;
use crate::registry::probe::WINDOW;
use crate::registry::scan::{ScanLimits, Scanner, Token};
use crate::registry::source::{DiskFile, Source};
use crate::texts::{Key, Slot};
use crate::values::kopecks;

/// The largest size of a notice, bytes.
const LARGEST_NOTICE: u64 = 64 << 10;

/// The decision that an answer states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decision {
    /// ФЛК found no errors.
    #[default]
    Passed,
    /// ФЛК refused some records.
    Partial,
    /// ФЛК refused the file.
    Refused,
    /// The payer accepted the registry, in full or in part.
    Accepted,
    /// The payer returned the registry.
    Returned,
    /// The payer paid the registry.
    Paid,
}

impl Decision {
    /// The move that this decision asks for.
    pub fn by(self) -> Move {
        match self {
            Self::Passed => Move::ReceivePassed,
            Self::Partial => Move::ReceivePartial,
            Self::Refused => Move::ReceiveRefused,
            Self::Accepted => Move::ReceiveAccepted,
            Self::Returned => Move::ReceiveReturned,
            Self::Paid => Move::ReceivePaid,
        }
    }
}

/// The payment decision on a case (OPLATA).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not decided yet.
    Undecided,
    /// Paid in full.
    Full,
    /// Refused whole.
    Refused,
    /// Refused in part.
    Partial,
}

/// A reason why a case is not paid in full.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AnswerSanction {
    /// Reason code of F014; in a protocol the error code OSHIB.
    pub code: String,
    /// Sum taken off, kopecks; `None` for the whole case.
    pub sum: Option<i64>,
    /// The payer's comment; in a protocol after the path of the wrong element, `SL/DS1: …`.
    pub comment: String,
}

/// A case named in an answer. Sums are kopecks; `None` or an empty text is a value that the answer does not state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AnswerCase {
    /// IDCASE.
    pub idcase: Option<i64>,
    /// N_ZAP.
    pub n_zap: Option<i64>,
    /// SL_ID; the smallest if there are several.
    pub sl_id: String,
    /// ID_PAC.
    pub id_pac: String,
    /// SUMV.
    pub sum: Option<i64>,
    /// OPLATA.
    pub verdict: Option<Verdict>,
    /// SUMP.
    pub accepted: Option<i64>,
    /// SANK_IT.
    pub taken_off: Option<i64>,
    /// What the payer accepts and takes off beside the fund (SMO_SUMP, SMO_SANK_IT).
    pub by_payer: (Option<i64>, Option<i64>),
    /// SANK or PR.
    pub sanctions: Vec<AnswerSanction>,
    /// Whether a refusal is of everything that has these numbers: of a person or a record, which may have several cases.
    pub is_wide: bool,
}

impl AnswerCase {
    /// Whether any of its numbers tells which case it is.
    fn is_named(&self) -> bool {
        self.idcase.is_some() || self.n_zap.is_some() || !self.sl_id.is_empty() || !self.id_pac.is_empty()
    }

    /// Takes over the numbers that it lacks from what stands around it.
    fn complete(&mut self, around: &Self) {
        self.idcase = self.idcase.or(around.idcase);
        self.n_zap = self.n_zap.or(around.n_zap);
        for (own, other) in [(&mut self.sl_id, &around.sl_id), (&mut self.id_pac, &around.id_pac)] {
            if own.is_empty() {
                own.clone_from(other);
            }
        }
    }

    /// Whether the payer's own sums are a decision. Zeros stand there before the payer decides.
    fn has_payers_decision(&self) -> bool {
        [self.by_payer.0, self.by_payer.1].into_iter().flatten().any(|sum| sum > 0)
    }

    /// Replaces the decision of the fund by that of the payer, who pays.
    fn take_payers_decision(&mut self) {
        if self.by_payer != (self.accepted, self.taken_off) {
            // OPLATA is the fund's.
            self.verdict = None;
        }
        (self.accepted, self.taken_off) = self.by_payer;
    }
}

/// An answer as its file states it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The decision.
    pub decision: Decision,
    /// Whether the answer is a notice, which names no cases.
    pub is_notice: bool,
    /// Name of the registry's file as the answer gives it; empty if it gives none.
    pub file_name: String,
    /// NSCHET; may be empty in a protocol.
    pub number: String,
    /// DSCHET; empty in a protocol.
    pub date: String,
    /// CODE_MO; empty if the answer does not state it.
    pub clinic: String,
    /// PLAT; empty if the answer does not state it.
    pub payer: String,
    /// SUMMAP, kopecks; `None` if the answer does not state it.
    pub accepted: Option<i64>,
    /// The cases that the answer names.
    pub cases: Vec<AnswerCase>,
    /// The reason stated in a notice; for a refused file the error codes.
    pub reason: String,
}

impl Answer {
    /// Whether it is a protocol of ФЛК, and no decision of the payer.
    pub(super) fn is_protocol(&self) -> bool {
        matches!(self.decision, Decision::Passed | Decision::Partial | Decision::Refused)
    }

    /// The protocols of two files of a package as one answer: whatever one of them refuses is refused.
    pub(super) fn joined(mut self, other: Self) -> Self {
        self.decision = match (self.decision, other.decision) {
            (Decision::Passed, its) => its,
            (own, Decision::Passed) => own,
            (Decision::Partial, Decision::Partial) => Decision::Partial,
            _ => Decision::Refused,
        };
        self.cases.extend(other.cases);
        let reasons = [self.reason, other.reason];
        self.reason = reasons.into_iter().filter(|reason| !reason.is_empty()).collect::<Vec<_>>().join(", ");
        for (own, its) in [(&mut self.number, other.number), (&mut self.date, other.date), (&mut self.clinic, other.clinic), (&mut self.payer, other.payer)] {
            if own.is_empty() {
                *own = its;
            }
        }
        self
    }
}

/// Why a file cannot be taken for an answer; [`super::Problem::Answer`] says of which file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerError {
    /// The file or archive cannot be read.
    Fault(Fault),
    /// The file is not an answer, or the archive holds none.
    NoAnswer,
    /// The archive holds several answers that are not of one registry, or not all protocols: their names.
    Several(Vec<String>),
    /// A protocol holds elements that are not known and might be refusals: their names.
    Unknown(Vec<String>),
    /// The archive holds files that are not known and might be refusals: their names.
    UnknownFiles(Vec<String>),
    /// The protocol is of the person file alone, and no protocol of the main file has come before it.
    PersonsOnly,
    /// A refusal names a number that several cases have: the element and the IDCASE of these cases in the registry.
    Ambiguous(String, Vec<i64>),
    /// The sums of a case do not agree with each other.
    Sums(Box<CaseSums>),
    /// The accepted sum of the account is not that of its cases: kopecks stated and kopecks counted.
    Total(i64, i64),
    /// A required element of this name is missing.
    Lacks(String),
    /// A value does not fit its element: name of the element and line.
    Value(String, u64),
    /// A notice is not valid: line and column.
    Notice(u64, u64),
    /// The answer states no decision: a registry as it was sent, or one whose review has not ended.
    Undecided,
}

impl AnswerError {
    /// The key of the error's text, which also names the file.
    pub(super) fn key(&self) -> Key {
        match self {
            Self::Fault(_) => Key::AnswerFault,
            Self::NoAnswer => Key::AnswerNone,
            Self::Several(_) => Key::AnswerSeveral,
            Self::Unknown(_) => Key::AnswerUnknown,
            Self::UnknownFiles(_) => Key::AnswerUnknownFiles,
            Self::PersonsOnly => Key::AnswerPersonsOnly,
            Self::Ambiguous(..) => Key::AnswerAmbiguous,
            Self::Sums(_) => Key::AnswerSums,
            Self::Total(..) => Key::AnswerTotal,
            Self::Lacks(_) => Key::AnswerLacks,
            Self::Value(..) => Key::AnswerValue,
            Self::Notice(..) => Key::AnswerNotice,
            Self::Undecided => Key::AnswerUndecided,
        }
    }

    /// The slots of the error's text, without the file.
    pub(super) fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match self {
            Self::Fault(fault) => vec![("reason", Slot::Nested(fault))],
            Self::NoAnswer | Self::Undecided | Self::PersonsOnly => Vec::new(),
            Self::Several(names) | Self::Unknown(names) | Self::UnknownFiles(names) => vec![("all", Slot::list(names))],
            Self::Ambiguous(element, cases) => {
                vec![("element", Slot::text(element)), ("all", Slot::text(cases.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")))]
            }
            Self::Sums(sums) => sums.slots(),
            Self::Total(stated, counted) => vec![("stated", Slot::Money(*stated)), ("counted", Slot::Money(*counted))],
            Self::Lacks(element) => vec![("element", Slot::text(element))],
            Self::Value(element, line) => vec![("element", Slot::text(element)), ("line", Slot::Number(*line))],
            Self::Notice(line, column) => vec![("line", Slot::Number(*line)), ("column", Slot::Number(*column))],
        }
    }
}

impl From<Fault> for AnswerError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The sums of one case as an answer has them, kopecks. Where it states none, the sum stands here that follows from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CaseSums {
    /// IDCASE in the registry.
    pub idcase: i64,
    /// SUMV of the registry.
    pub sum: i64,
    /// SUMV of the answer.
    pub stated: i64,
    /// SUMP.
    pub accepted: i64,
    /// SANK_IT.
    pub taken_off: i64,
    /// The sum of all sanctions.
    pub all: i64,
    /// The largest sanction.
    pub largest: i64,
}

impl CaseSums {
    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        let Self { idcase, sum, stated, accepted, taken_off, all, largest } = *self;
        vec![
            ("idcase", Slot::text(idcase.to_string())),
            ("sum", Slot::Money(sum)),
            ("stated", Slot::Money(stated)),
            ("sump", Slot::Money(accepted)),
            ("off", Slot::Money(taken_off)),
            ("sanctions", Slot::Money(all)),
            ("largest", Slot::Money(largest)),
        ]
    }
}

/// The form of an XML answer.
struct XmlForm {
    document: Document,
    coding: Coding,
    /// Name of the element after which the file may be divided into pieces.
    record: String,
}

/// The form of an answer's file.
enum Form {
    Xml(XmlForm),
    Notice,
    /// A file that may lie beside an answer.
    Beside,
}

/// An answer in one file: a package may have one for each of its files.
pub(super) struct Part {
    /// Name of the file.
    pub(super) name: String,
    pub(super) answer: Answer,
}

/// Reads the answers of a file: one, or the protocols that lie in an archive together.
///
/// # Errors
/// See [`AnswerError`].
pub(super) fn read(file: &DiskFile, elements: &Elements) -> Result<Vec<Part>, AnswerError> {
    let source = Source::File(file.clone());
    let head = head(&source)?;
    let found = if is_zip(&head) {
        entries(&file.path, elements)?
    } else {
        match look(&head, elements)? {
            None | Some(Form::Beside) => return Err(AnswerError::NoAnswer),
            Some(form) => vec![(source, form)],
        }
    };
    let is_protocol = |(_, form): &(Source, Form)| matches!(form, Form::Xml(XmlForm { document: Document::Protocol, .. }));
    if found.len() > 1 && !found.iter().all(is_protocol) {
        return Err(AnswerError::Several(found.iter().map(|(source, _)| source.file_name()).collect()));
    }
    found.iter().map(|(source, form)| Ok(Part { name: source.file_name(), answer: read_form(source, form, elements)? })).collect()
}

fn read_form(source: &Source, form: &Form, elements: &Elements) -> Result<Answer, AnswerError> {
    match form {
        Form::Beside => Err(AnswerError::NoAnswer),
        Form::Notice => notice::read(source),
        Form::Xml(form) if form.document == Document::Protocol => {
            let mut sink = protocol::Protocol::new(elements);
            walk::walk(source, form, elements, &mut sink)?;
            sink.answer()
        }
        Form::Xml(form) => {
            let mut sink = registry::Returned::new(elements);
            walk::walk(source, form, elements, &mut sink)?;
            sink.answer()
        }
    }
}

fn head(source: &Source) -> Result<Vec<u8>, Fault> {
    let mut head = Vec::new();
    source.open()?.take(WINDOW as u64).read_to_end(&mut head)?;
    if head.is_empty() { Err(Fault::new(Check::EmptyFile)) } else { Ok(head) }
}

/// Finds the answers in an archive. Person files, signatures and papers may lie beside them; an XML file that is not known might hold refusals.
fn entries(path: &Path, elements: &Elements) -> Result<Vec<(Source, Form)>, AnswerError> {
    let mut archive = Archive::open(path, &Limits::default())?;
    archive.refuse_nested()?;
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for (index, entry) in archive.entries().iter().enumerate().filter(|(_, e)| !e.is_folder()) {
        let source = Source::Entry { archive: path.to_owned(), index, name: entry.name.clone() };
        let head = match head(&source) {
            Err(Fault { check: Check::EmptyFile, .. }) => Vec::new(),
            head => head?,
        };
        match look(&head, elements)? {
            Some(Form::Beside) => {}
            Some(form) => found.push((source, form)),
            // A file may be empty by mistake, or in an encoding that is not read here.
            None if is_markup(&head) || is_xml(&entry.name) => unknown.push(source.file_name()),
            None => {}
        }
    }
    if found.is_empty() {
        return Err(AnswerError::NoAnswer);
    }
    if unknown.is_empty() { Ok(found) } else { Err(AnswerError::UnknownFiles(unknown)) }
}

/// The first byte of a file that is no white space.
fn first(head: &[u8]) -> Option<u8> {
    head.strip_prefix(BOM).unwrap_or(head).iter().copied().find(|b| !b.is_ascii_whitespace())
}

fn is_xml(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xml"))
}

fn is_markup(head: &[u8]) -> bool {
    first(head) == Some(b'<')
}

/// Recognises the form of a file by its first bytes; `None` when it is no answer.
fn look(head: &[u8], elements: &Elements) -> Result<Option<Form>, Fault> {
    match first(head) {
        Some(b'{') => return Ok(Some(Form::Notice)),
        Some(b'<') => {}
        _ => return Ok(None),
    }
    let coding = detect(head, head.len() < WINDOW)?.coding;
    let mut head = head.to_vec();
    coding.rewrite(&mut head, 0);
    let text = head.strip_prefix(BOM).unwrap_or(&head);
    let encoding = coding.read_as();
    let mut scanner = Scanner::new(text, encoding, ScanLimits::default(), Vec::new());
    loop {
        match scanner.next_token()? {
            Token::Open { name, .. } | Token::Leaf { name, .. } => {
                let root = name.to_text(encoding);
                let Some(document) = elements.document(&root) else { return Ok(elements.is_beside(&root).then_some(Form::Beside)) };
                return Ok(Some(Form::Xml(XmlForm { document, coding, record: divider(text, document, elements) })));
            }
            Token::End => return Ok(None),
            Token::Close { .. } | Token::Text { .. } => {}
        }
    }
}

/// The repeated element that a file begins with, by its first bytes; that of the usual layout if there is none.
fn divider(head: &[u8], document: Document, elements: &Elements) -> String {
    let first = |name: &&str| memchr::memmem::find(head, format!("<{name}>").as_bytes());
    let found = elements.records(document).filter_map(|name| Some((first(&name)?, name))).min();
    let usual = || elements.name(document, Some(elements::Meaning::Root), elements::Meaning::Record).unwrap_or_default();
    found.map_or_else(usual, |(_, name)| name).to_owned()
}

/// Reads a number that is not negative.
fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|n| *n >= 0)
}

/// Reads an amount of roubles into kopecks.
fn amount(text: &str) -> Option<i64> {
    kopecks(text.replace(',', ".").as_bytes())
}
