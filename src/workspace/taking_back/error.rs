//! Why something cannot be taken back.

use std::fmt;

use crate::cases::CaseState;
use crate::texts::{Coded, ErrorClass, Key, Slot, display};

use super::kind::Taking;

/// Why something cannot be taken back. Nothing is changed then.
#[derive(Debug)]
pub enum TakingError {
    /// The reason is empty.
    NoReason,
    /// Cases stand where this cannot be done with them.
    Cases(Taking, Vec<CaseTrouble>),
    /// Registries hold cases of the package, or they were paid: the name of the package and the numbers of the registries.
    InRegistries(String, Vec<String>),
    /// Packages that were loaded later replaced its cases or have the same ones: the name of the package and of those, the last one first.
    Later(String, Vec<String>),
}

/// A case that stands elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseTrouble {
    /// Its id.
    pub id: i64,
    /// Its state.
    pub state: CaseState,
    /// Number of the registry that holds it; empty for none.
    pub registry: String,
    /// Id of the version that counts in its place; 0 for none.
    pub other: i64,
}

impl Coded for CaseTrouble {
    fn key(&self) -> Key {
        match self.state {
            _ if self.other != 0 => Key::TakingSucceeded,
            CaseState::Free => Key::TakingFree,
            CaseState::Held => Key::TakingHeld,
            CaseState::Paid => Key::TakingPaid,
            CaseState::Waiting => Key::TakingWaiting,
            CaseState::Refused => Key::TakingRefused,
            CaseState::Question => Key::TakingQuestion,
            CaseState::Replaced => Key::TakingReplaced,
            CaseState::Aside => Key::TakingAside,
            CaseState::Dropped => Key::TakingDropped,
            CaseState::Undone => Key::TakingUndone,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        let own = ("case", Slot::text(format!("c{}", self.id)));
        match self.state {
            _ if self.other != 0 => vec![own, ("other", Slot::text(format!("c{}", self.other)))],
            CaseState::Held | CaseState::Paid => vec![own, ("registry", Slot::text(&self.registry))],
            _ => vec![own],
        }
    }

    fn class(&self) -> ErrorClass {
        ErrorClass::Refused
    }
}

impl fmt::Display for CaseTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for CaseTrouble {}

impl Coded for TakingError {
    fn key(&self) -> Key {
        match self {
            Self::NoReason => Key::TakingNoReason,
            Self::Cases(Taking::Drop, _) => Key::TakingNotDropped,
            Self::Cases(Taking::Hold, _) => Key::TakingNotHeld,
            Self::Cases(Taking::Release, _) => Key::TakingNotReleased,
            Self::InRegistries(..) => Key::TakingInRegistries,
            Self::Later(..) => Key::TakingLater,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match self {
            Self::NoReason => Vec::new(),
            Self::Cases(_, troubles) => vec![("all", Slot::Lines(troubles.iter().map(|trouble| Slot::Nested(trouble)).collect()))],
            Self::InRegistries(name, all) | Self::Later(name, all) => vec![("name", Slot::text(name)), ("all", Slot::list(all))],
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::NoReason => ErrorClass::Usage,
            Self::Cases(..) | Self::InRegistries(..) | Self::Later(..) => ErrorClass::Refused,
        }
    }
}

impl fmt::Display for TakingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for TakingError {}
