//! What a user can do with cases.

use crate::cases::CaseState;

/// Actions about cases, as the journal has them.
pub(in crate::workspace) const DROP: &str = "drop";
pub(in crate::workspace) const HOLD: &str = "hold";
pub(in crate::workspace) const RELEASE: &str = "release";
pub(in crate::workspace) const UNDO: &str = "undo";

/// What a user does with cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// They are not billed: the clinic has taken them back.
    Drop,
    /// They are set aside until they are released.
    Hold,
    /// They are again what they were before they were dropped or set aside.
    Release,
}

impl Taking {
    /// The action in the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drop => DROP,
            Self::Hold => HOLD,
            Self::Release => RELEASE,
        }
    }

    /// The states from which it can be done.
    pub(super) fn from(self) -> &'static [CaseState] {
        match self {
            Self::Drop => &[CaseState::Free, CaseState::Aside, CaseState::Refused, CaseState::Question, CaseState::Waiting],
            Self::Hold => &[CaseState::Free],
            Self::Release => &[CaseState::Aside, CaseState::Dropped],
        }
    }
}
