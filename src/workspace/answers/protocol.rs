//! Reads a ФЛК protocol. No refusal means that the file passed; a refusal that names no record is of the whole file, any other of a record.
//!
//! A refusal stands right below the root (PR), or inside the record and the case that it is about (ZAP, SL, OTKAZ). Elements that the table does not
//! know might hold refusals too: they are remembered, so that such a protocol is not read as consent.

use super::elements::{Document, Elements, Meaning};
use super::walk::Sink;
use super::{Answer, AnswerCase, AnswerError, AnswerSanction, Decision, number};

/// How many unknown elements are named.
const NAMED: usize = 10;

/// The reader of a protocol.
#[derive(Debug)]
pub(super) struct Protocol<'e> {
    elements: &'e Elements,
    answer: Answer,
    /// The open refusals; one protocol nests them.
    refusals: Vec<Refusal>,
    /// The open record, patient and case with the index of its first refusal in the answer.
    around: Vec<Around>,
    /// Codes of the refusals of the whole file.
    whole: Vec<String>,
    unknown: Vec<String>,
    /// Whether a refusal has neither code nor field nor text.
    is_mute: bool,
}

/// A block inside which refusals stand, with the numbers that it states.
#[derive(Debug)]
struct Around {
    block: Meaning,
    case: AnswerCase,
    first: usize,
}

#[derive(Debug, Default)]
struct Refusal {
    code: String,
    base: String,
    field: String,
    comment: String,
    case: AnswerCase,
}

impl<'e> Protocol<'e> {
    pub(super) fn new(elements: &'e Elements) -> Self {
        Self { elements, answer: Answer::default(), refusals: Vec::new(), around: Vec::new(), whole: Vec::new(), unknown: Vec::new(), is_mute: false }
    }

    /// Stores a refusal that has ended.
    fn take(&mut self, refusal: Refusal) {
        let Refusal { code, base, field, comment, mut case } = refusal;
        // A refusal that says nothing is none; what it was to be has to be asked.
        let is_named = case.is_named() || !self.around.is_empty();
        if code.is_empty() && field.is_empty() && (comment.is_empty() || !is_named) {
            self.is_mute = true;
            return;
        }
        if !is_named {
            self.whole.push(if code.is_empty() { field } else { code });
            return;
        }
        case.is_wide = match self.elements.meaning(Document::Protocol, Some(Meaning::Base), &base) {
            Some(Meaning::Wide) => true,
            _ => base.is_empty() && case.idcase.is_none() && case.sl_id.is_empty() && self.around.last().is_none_or(|around| around.block != Meaning::Part),
        };
        let joined = |parts: [String; 2], between| parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between);
        let comment = joined([joined([base, field], "/"), comment], ": ");
        case.sanctions.push(AnswerSanction { code, sum: None, comment });
        self.answer.cases.push(case);
    }
}

impl Sink for Protocol<'_> {
    fn open(&mut self, block: Meaning) {
        match block {
            Meaning::Record => self.refusals.push(Refusal::default()),
            Meaning::Group | Meaning::Part | Meaning::Patient => {
                self.around.push(Around { block, case: AnswerCase::default(), first: self.answer.cases.len() });
            }
            _ => {}
        }
    }

    fn value(&mut self, block: Meaning, meaning: Meaning, text: &str) -> bool {
        let answer = &mut self.answer;
        let case = match block {
            Meaning::Record => {
                let Some(refusal) = self.refusals.last_mut() else { return true };
                match meaning {
                    Meaning::AccountNo => answer.number = text.to_owned(),
                    Meaning::Code => refusal.code = text.to_owned(),
                    Meaning::Base => refusal.base = text.to_owned(),
                    Meaning::Field => refusal.field = text.to_owned(),
                    Meaning::Comment => refusal.comment = text.to_owned(),
                    _ => {}
                }
                &mut refusal.case
            }
            Meaning::Group | Meaning::Part | Meaning::Patient => match self.around.last_mut() {
                Some(around) => &mut around.case,
                None => return true,
            },
            _ => {
                match meaning {
                    Meaning::FileName => answer.file_name = text.to_owned(),
                    Meaning::AccountNo => answer.number = text.to_owned(),
                    Meaning::AccountDate => answer.date = text.to_owned(),
                    Meaning::Clinic => answer.clinic = text.to_owned(),
                    Meaning::Payer => answer.payer = text.to_owned(),
                    _ => {}
                }
                return true;
            }
        };
        match meaning {
            Meaning::NZap => case.n_zap = number(text),
            Meaning::IdCase => case.idcase = number(text),
            Meaning::SlId => case.sl_id = text.to_owned(),
            Meaning::IdPac => case.id_pac = text.to_owned(),
            _ => {}
        }
        !matches!(meaning, Meaning::NZap | Meaning::IdCase) || number(text).is_some()
    }

    fn unknown(&mut self, block: Meaning, name: &str) {
        // A further value of a refusal does not make it less of one.
        let may_refuse = block != Meaning::Record && block != Meaning::Account && block != Meaning::Header;
        if may_refuse && self.unknown.len() < NAMED && !self.unknown.iter().any(|known| known == name) {
            self.unknown.push(name.to_owned());
        }
    }

    fn close(&mut self, block: Meaning) {
        match block {
            Meaning::Record => {
                if let Some(refusal) = self.refusals.pop() {
                    self.take(refusal);
                }
            }
            Meaning::Group | Meaning::Part | Meaning::Patient => {
                let Some(Around { case: around, first, .. }) = self.around.pop() else { return };
                for case in &mut self.answer.cases[first..] {
                    case.complete(&around);
                }
            }
            _ => {}
        }
    }
}

impl Protocol<'_> {
    /// The answer that was read.
    ///
    /// # Errors
    /// The protocol names no file, or holds elements that might be refusals.
    pub(super) fn answer(self) -> Result<Answer, AnswerError> {
        let Self { elements, mut answer, mut whole, unknown, is_mute, .. } = self;
        if !unknown.is_empty() {
            return Err(AnswerError::Unknown(unknown));
        }
        if is_mute {
            return Err(AnswerError::Lacks(elements.first(Document::Protocol, Meaning::Code).unwrap_or_default().to_owned()));
        }
        if answer.file_name.is_empty() {
            let name = elements.name(Document::Protocol, Some(Meaning::Root), Meaning::FileName);
            return Err(AnswerError::Lacks(name.unwrap_or_default().to_owned()));
        }
        answer.decision = match (whole.is_empty(), answer.cases.is_empty()) {
            (true, true) => Decision::Passed,
            (true, false) => Decision::Partial,
            (false, _) => Decision::Refused,
        };
        whole.sort();
        whole.dedup();
        answer.reason = whole.join(", ");
        Ok(answer)
    }
}
