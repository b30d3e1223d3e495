//! Reads a returned registry: the file that was sent, with the decision on the account and on each case.

use super::elements::{Document, Elements, Meaning};
use super::walk::Sink;
use super::{Answer, AnswerCase, AnswerError, AnswerSanction, Decision, Verdict, amount, number};

/// The reader of a returned registry.
#[derive(Debug)]
pub(super) struct Returned<'e> {
    elements: &'e Elements,
    answer: Answer,
    n_zap: Option<i64>,
    /// Index of the first case of the current record.
    first: usize,
    /// The sum that the payer accepts beside the fund, kopecks.
    by_payer: Option<i64>,
}

impl<'e> Returned<'e> {
    pub(super) fn new(elements: &'e Elements) -> Self {
        Self { elements, answer: Answer::default(), n_zap: None, first: 0, by_payer: None }
    }

    fn verdict(&self, text: &str) -> Option<Verdict> {
        match self.elements.meaning(Document::Registry, Some(Meaning::Decision), text)? {
            Meaning::Undecided => Some(Verdict::Undecided),
            Meaning::Full => Some(Verdict::Full),
            Meaning::Refused => Some(Verdict::Refused),
            Meaning::Partial => Some(Verdict::Partial),
            _ => None,
        }
    }

    fn of_case(&mut self, meaning: Meaning, text: &str) -> bool {
        let verdict = if meaning == Meaning::Decision { self.verdict(text) } else { None };
        let Some(case) = self.answer.cases.last_mut() else { return true };
        let money = amount(text);
        match meaning {
            Meaning::IdCase => case.idcase = number(text),
            Meaning::Sum => case.sum = money,
            Meaning::Accepted => case.accepted = money,
            Meaning::TakenOff => case.taken_off = money,
            Meaning::PayerAccepted => case.by_payer.0 = money,
            Meaning::PayerTakenOff => case.by_payer.1 = money,
            Meaning::Decision => case.verdict = verdict,
            _ => return true,
        }
        match meaning {
            Meaning::IdCase => case.idcase.is_some(),
            Meaning::Decision => verdict.is_some(),
            _ => money.is_some(),
        }
    }

    fn of_sanction(&mut self, meaning: Meaning, text: &str) -> bool {
        let Some(sanction) = self.answer.cases.last_mut().and_then(|c| c.sanctions.last_mut()) else { return true };
        match meaning {
            Meaning::Code => sanction.code = text.to_owned(),
            Meaning::Comment => sanction.comment = text.to_owned(),
            Meaning::Sum => {
                sanction.sum = amount(text);
                return sanction.sum.is_some();
            }
            _ => {}
        }
        true
    }
}

impl Sink for Returned<'_> {
    fn open(&mut self, block: Meaning) {
        match block {
            Meaning::Record => (self.n_zap, self.first) = (None, self.answer.cases.len()),
            Meaning::Case => self.answer.cases.push(AnswerCase::default()),
            Meaning::Sanction => {
                if let Some(case) = self.answer.cases.last_mut() {
                    case.sanctions.push(AnswerSanction::default());
                }
            }
            _ => {}
        }
    }

    fn value(&mut self, block: Meaning, meaning: Meaning, text: &str) -> bool {
        let answer = &mut self.answer;
        match (block, meaning) {
            (Meaning::Header, Meaning::FileName) => answer.file_name = text.to_owned(),
            (Meaning::Account, Meaning::AccountNo) => answer.number = text.to_owned(),
            (Meaning::Account, Meaning::AccountDate) => answer.date = text.to_owned(),
            (Meaning::Account, Meaning::Clinic) => answer.clinic = text.to_owned(),
            (Meaning::Account, Meaning::Payer) => answer.payer = text.to_owned(),
            (Meaning::Account, Meaning::Accepted) => {
                answer.accepted = amount(text);
                return answer.accepted.is_some();
            }
            (Meaning::Account, Meaning::PayerAccepted) => {
                self.by_payer = amount(text);
                return self.by_payer.is_some();
            }
            (Meaning::Record, Meaning::NZap) => {
                self.n_zap = number(text);
                return self.n_zap.is_some();
            }
            (Meaning::Part, Meaning::SlId) => {
                // The smallest SL_ID of several parts names the case, as in the workspace.
                if let Some(case) = answer.cases.last_mut().filter(|c| c.sl_id.is_empty() || text < c.sl_id.as_str()) {
                    case.sl_id = text.to_owned();
                }
            }
            (Meaning::Case, _) => return self.of_case(meaning, text),
            (Meaning::Sanction, _) => return self.of_sanction(meaning, text),
            _ => {}
        }
        true
    }

    /// A registry has hundreds of elements that are no decision. What is decided shows in its sums, which must agree.
    fn unknown(&mut self, _: Meaning, _: &str) {}

    fn close(&mut self, block: Meaning) {
        if block == Meaning::Record {
            for case in &mut self.answer.cases[self.first..] {
                case.n_zap = self.n_zap;
            }
        }
    }
}

impl Returned<'_> {
    /// The answer that was read.
    ///
    /// # Errors
    /// The registry has no number, no case or no decision (it is as it was sent, or its review has not ended).
    pub(super) fn answer(self) -> Result<Answer, AnswerError> {
        let Self { mut answer, elements, by_payer, .. } = self;
        let lacks = |block, meaning| AnswerError::Lacks(elements.name(Document::Registry, Some(block), meaning).unwrap_or_default().to_owned());
        if answer.number.is_empty() {
            return Err(lacks(Meaning::Account, Meaning::AccountNo));
        }
        if answer.cases.is_empty() {
            return Err(lacks(Meaning::Record, Meaning::Case));
        }
        if by_payer.is_some_and(|sum| sum > 0) || answer.cases.iter().any(AnswerCase::has_payers_decision) {
            // The payer who decides does so on every case that costs something.
            if answer.cases.iter().any(|case| !case.has_payers_decision() && case.sum != Some(0)) {
                return Err(AnswerError::Undecided);
            }
            answer.cases.iter_mut().for_each(AnswerCase::take_payers_decision);
            answer.accepted = by_payer;
        }
        let is_silent = |c: &AnswerCase| c.verdict.is_none() && c.accepted.is_none() && c.taken_off.is_none() && c.sanctions.is_empty();
        let undecided = answer.cases.iter().any(|c| c.verdict == Some(Verdict::Undecided));
        // Silence about a case is consent only where the total of the account says so.
        if undecided || answer.accepted.is_none() && answer.cases.iter().any(is_silent) {
            return Err(AnswerError::Undecided);
        }
        let is_refused = |c: &AnswerCase| match c.verdict {
            Some(verdict) => verdict == Verdict::Refused,
            None => c.sum.is_some_and(|all| all > 0 && (c.accepted == Some(0) || c.taken_off == Some(all))),
        };
        answer.decision = if answer.cases.iter().all(is_refused) { Decision::Returned } else { Decision::Accepted };
        Ok(answer)
    }
}
