//! Reads a ФЛК protocol. No refusal means that the file passed; a refusal without a base element is of the whole file, any other of a
//! record.

use super::elements::Meaning;
use super::walk::Sink;
use super::{Answer, AnswerCase, AnswerSanction, Decision, amount, number};

/// The reader of a protocol.
#[derive(Debug, Default)]
pub(super) struct Protocol {
    answer: Answer,
    refusal: Refusal,
    /// Codes of the refusals of the whole file.
    whole: Vec<String>,
}

#[derive(Debug, Default)]
struct Refusal {
    code: String,
    base: String,
    field: String,
    case: AnswerCase,
}

impl Sink for Protocol {
    fn open(&mut self, block: Meaning) {
        if block == Meaning::Record {
            self.refusal = Refusal::default();
        }
    }

    fn value(&mut self, block: Meaning, meaning: Meaning, text: &str) -> bool {
        let refusal = &mut self.refusal;
        match (block, meaning) {
            (Meaning::Root, Meaning::FileName) => self.answer.file_name = text.to_owned(),
            (Meaning::Record, Meaning::AccountNo) => self.answer.number = text.to_owned(),
            (Meaning::Record, Meaning::Code) => refusal.code = text.to_owned(),
            (Meaning::Record, Meaning::Base) => refusal.base = text.to_owned(),
            (Meaning::Record, Meaning::Field) => refusal.field = text.to_owned(),
            (Meaning::Record, Meaning::NZap) => refusal.case.n_zap = number(text),
            (Meaning::Record, Meaning::IdCase) => refusal.case.idcase = number(text),
            (Meaning::Record, Meaning::SlId) => refusal.case.sl_id = text.to_owned(),
            (Meaning::Record, Meaning::IdPac) => refusal.case.id_pac = text.to_owned(),
            _ => {}
        }
        match meaning {
            Meaning::NZap | Meaning::IdCase => number(text).is_some(),
            Meaning::Sum => amount(text).is_some(),
            _ => true,
        }
    }

    fn close(&mut self, block: Meaning) {
        if block != Meaning::Record {
            return;
        }
        let Refusal { code, base, field, mut case } = std::mem::take(&mut self.refusal);
        if base.is_empty() || !case.is_named() {
            self.whole.push(if code.is_empty() { field } else { code });
            return;
        }
        // The protocol's own text may quote a patient's data and is not stored: the path says what to look at.
        let comment = if field.is_empty() { base } else { format!("{base}/{field}") };
        case.sanctions.push(AnswerSanction { code, sum: None, comment });
        self.answer.cases.push(case);
    }
}

impl Protocol {
    /// The answer that was read.
    pub(super) fn answer(self) -> Answer {
        let Self { mut answer, mut whole, .. } = self;
        answer.decision = match (whole.is_empty(), answer.cases.is_empty()) {
            (true, true) => Decision::Passed,
            (true, false) => Decision::Partial,
            (false, _) => Decision::Refused,
        };
        whole.sort();
        whole.dedup();
        answer.reason = whole.join(", ");
        answer
    }
}
