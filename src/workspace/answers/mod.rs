//! Reads answers of payers and funds: a ФЛК protocol, the registry with the payer's decision, or a status notice.
//!
//! An answer is an XML or JSON file, or an archive with one such file. `rules/forms/answer-elements.csv` names the XML elements. Errors
//! name an element and a line, never a value.

mod elements;
mod notice;
mod protocol;
mod registry;
#[cfg(test)]
mod tests;
mod walk;

use std::io::Read;
use std::path::Path;

pub(super) use elements::Elements;

use elements::Document;

use super::workflow::Move;
use crate::finding::Check;
use crate::registry::archive::{Archive, Limits, is_zip};
use crate::registry::encoding::{BOM, Encoding, detect};
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
    /// The payer's comment; in a protocol the path of the wrong element, `SL/DS1`.
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
    /// SANK or PR.
    pub sanctions: Vec<AnswerSanction>,
}

impl AnswerCase {
    /// Whether any of its numbers tells which case it is.
    fn is_named(&self) -> bool {
        self.idcase.is_some() || self.n_zap.is_some() || !self.sl_id.is_empty() || !self.id_pac.is_empty()
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

/// Why a file cannot be taken for an answer; [`super::Problem::Answer`] says of which file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerError {
    /// The file or archive cannot be read.
    Fault(Fault),
    /// The file is not an answer, or the archive holds none.
    NoAnswer,
    /// The archive holds several answers: their names.
    Several(Vec<String>),
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
            Self::NoAnswer | Self::Undecided => Vec::new(),
            Self::Several(names) => vec![("all", Slot::list(names))],
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

/// The form of an answer's file.
enum Form {
    Xml(Document, Encoding),
    Notice,
}

/// Reads an answer.
///
/// # Errors
/// See [`AnswerError`].
pub(super) fn read(file: &DiskFile, elements: &Elements) -> Result<Answer, AnswerError> {
    let source = Source::File(file.clone());
    let head = head(&source)?;
    let (source, form) = if is_zip(&head) {
        entry(&file.path, elements)?
    } else {
        let form = look(&head, elements)?.ok_or(AnswerError::NoAnswer)?;
        (source, form)
    };
    match form {
        Form::Notice => notice::read(&source),
        Form::Xml(Document::Protocol, encoding) => {
            let mut sink = protocol::Protocol::default();
            walk::walk(&source, Document::Protocol, encoding, elements, &mut sink)?;
            let answer = sink.answer();
            let name = elements.name(Document::Protocol, Some(elements::Meaning::Root), elements::Meaning::FileName);
            if answer.file_name.is_empty() { Err(AnswerError::Lacks(name.unwrap_or_default().to_owned())) } else { Ok(answer) }
        }
        Form::Xml(Document::Registry, encoding) => {
            let mut sink = registry::Returned::new(elements);
            walk::walk(&source, Document::Registry, encoding, elements, &mut sink)?;
            sink.answer()
        }
    }
}

fn head(source: &Source) -> Result<Vec<u8>, Fault> {
    let mut head = Vec::new();
    source.open()?.take(WINDOW as u64).read_to_end(&mut head)?;
    if head.is_empty() { Err(Fault::new(Check::EmptyFile)) } else { Ok(head) }
}

/// Finds the only answer in an archive. Person files, signatures and papers may lie beside it.
fn entry(path: &Path, elements: &Elements) -> Result<(Source, Form), AnswerError> {
    let mut archive = Archive::open(path, &Limits::default())?;
    archive.refuse_nested()?;
    let mut found = Vec::new();
    for (index, entry) in archive.entries().iter().enumerate().filter(|(_, e)| !e.is_folder()) {
        let source = Source::Entry { archive: path.to_owned(), index, name: entry.name.clone() };
        let head = match head(&source) {
            Err(Fault { check: Check::EmptyFile, .. }) => continue,
            head => head?,
        };
        if let Ok(Some(form)) = look(&head, elements) {
            found.push((source, form));
        }
    }
    let names = found.iter().map(|(source, _)| source.file_name()).collect();
    match found.pop() {
        Some(one) if found.is_empty() => Ok(one),
        Some(_) => Err(AnswerError::Several(names)),
        None => Err(AnswerError::NoAnswer),
    }
}

/// Recognises the form of a file by its first bytes; `None` when it is no answer.
fn look(head: &[u8], elements: &Elements) -> Result<Option<Form>, Fault> {
    let text = head.strip_prefix(BOM).unwrap_or(head);
    match text.iter().find(|b| !b.is_ascii_whitespace()) {
        Some(b'{') => return Ok(Some(Form::Notice)),
        Some(b'<') => {}
        _ => return Ok(None),
    }
    let encoding = detect(head, head.len() < WINDOW)?.encoding;
    let mut scanner = Scanner::new(text, encoding, ScanLimits::default(), Vec::new());
    loop {
        match scanner.next_token()? {
            Token::Open { name, .. } | Token::Leaf { name, .. } => {
                return Ok(elements.document(&name.to_text(encoding)).map(|document| Form::Xml(document, encoding)));
            }
            Token::End => return Ok(None),
            Token::Close { .. } | Token::Text { .. } => {}
        }
    }
}

/// Reads a number that is not negative.
fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|n| *n >= 0)
}

/// Reads an amount of roubles into kopecks.
fn amount(text: &str) -> Option<i64> {
    kopecks(text.replace(',', ".").as_bytes())
}
