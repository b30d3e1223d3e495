//! Why a package does not become a registry at its payer's desk.

use std::fmt;

use crate::cases::CaseState;
use crate::texts::{Coded, ErrorClass, Key, Slot, display};

/// Why a package is not taken in as a registry. Nothing is stored then.
#[derive(Debug)]
pub enum NotTaken {
    /// The file does not say of which month it is: its name.
    NoMonth(String),
    /// An IDCASE stands twice in the file of this name, so that no answer could name one case.
    Numbers(String),
    /// Cases stand where no new registry may have them: the name of the file, the first cases, and how many more there are.
    Cases(String, Vec<CaseElsewhere>, u64),
}

/// A case of a package that a new registry may not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseElsewhere {
    /// N_ZAP and IDCASE in the package.
    pub n_zap: i64,
    /// IDCASE in the package.
    pub idcase: i64,
    /// Id of the stored case; 0 when another case of the package is the same.
    pub case: i64,
    /// State of the stored case, or what it is to this one: a question.
    pub state: CaseState,
    /// Number of the registry that holds it; empty for none.
    pub registry: String,
}

impl Coded for CaseElsewhere {
    fn key(&self) -> Key {
        match self.state {
            CaseState::Paid => Key::AsPayerPaid,
            CaseState::Aside | CaseState::Dropped => Key::AsPayerAside,
            _ if self.case == 0 => Key::AsPayerTwice,
            CaseState::Held => Key::AsPayerHeld,
            _ => Key::AsPayerQuestion,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        let mut slots = vec![("n_zap", Slot::text(self.n_zap.to_string())), ("idcase", Slot::text(self.idcase.to_string()))];
        match self.key() {
            Key::AsPayerPaid | Key::AsPayerHeld => slots.push(("registry", Slot::text(&self.registry))),
            Key::AsPayerTwice => {}
            _ => slots.push(("case", Slot::text(format!("c{}", self.case)))),
        }
        slots
    }

    fn class(&self) -> ErrorClass {
        ErrorClass::Refused
    }
}

impl Coded for NotTaken {
    fn key(&self) -> Key {
        match self {
            Self::Numbers(_) => Key::AsPayerNumbers,
            Self::NoMonth(_) => Key::AsPayerNoMonth,
            Self::Cases(_, _, 0) => Key::AsPayerNotTaken,
            Self::Cases(..) => Key::AsPayerNotTakenMany,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match self {
            Self::NoMonth(file) | Self::Numbers(file) => vec![("file", Slot::text(file))],
            Self::Cases(file, cases, more) => {
                let all = Slot::Lines(cases.iter().map(|case| Slot::Nested(case)).collect());
                let more = (*more > 0).then_some(("more", Slot::Number(*more)));
                [("file", Slot::text(file)), ("all", all)].into_iter().chain(more).collect()
            }
        }
    }

    fn class(&self) -> ErrorClass {
        ErrorClass::Refused
    }
}

impl fmt::Display for CaseElsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for CaseElsewhere {}

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for NotTaken {}
