//! The states of a completed case.

use std::fmt;
use std::str::FromStr;

/// The state of one version of a case. The store keeps it as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaseState {
    /// Free: it can be put into a registry, unless its findings forbid that.
    Free,
    /// Belongs to a live registry.
    Held,
    /// A new version of a case that belongs to a live registry.
    Waiting,
    /// Refused by the payer: it must be corrected and sent again.
    Refused,
    /// Perhaps the same case as another one: a user must decide.
    Question,
    /// Paid; never billed again.
    Paid,
    /// Replaced by a later version.
    Replaced,
    /// Set aside by a user until it is released: it is not put into a registry.
    Aside,
    /// Dropped by a user, because the clinic has taken it back: it is not billed.
    Dropped,
    /// Its package was taken back: it counts as never loaded.
    Undone,
}

impl CaseState {
    /// Every state.
    pub const ALL: [Self; 10] =
        [Self::Free, Self::Held, Self::Waiting, Self::Refused, Self::Question, Self::Paid, Self::Replaced, Self::Aside, Self::Dropped, Self::Undone];

    /// The word for this state in the store and in machine formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Held => "held",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
            Self::Question => "question",
            Self::Paid => "paid",
            Self::Replaced => "replaced",
            Self::Aside => "aside",
            Self::Dropped => "dropped",
            Self::Undone => "undone",
        }
    }

    /// Whether a version in this state is the one that counts for its case.
    pub fn is_current(self) -> bool {
        !matches!(self, Self::Replaced | Self::Undone)
    }

    /// Whether a version keeps, in this state, what it was before, so that it can come back.
    pub fn keeps_former(self) -> bool {
        matches!(self, Self::Replaced | Self::Aside | Self::Dropped | Self::Undone)
    }
}

impl fmt::Display for CaseState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAState;

impl FromStr for CaseState {
    type Err = NotAState;

    /// Reads what [`CaseState::as_str`] writes, and nothing else.
    fn from_str(word: &str) -> Result<Self, NotAState> {
        Self::ALL.into_iter().find(|state| state.as_str() == word).ok_or(NotAState)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_stores_that_exist_are_read_and_written() {
        // Stores made by earlier versions hold these words, so they must not change.
        let words = ["free", "held", "waiting", "refused", "question", "paid", "replaced", "aside", "dropped", "undone"];
        assert_eq!(CaseState::ALL.map(CaseState::as_str), words);
        assert_eq!(words.map(str::parse), CaseState::ALL.map(Ok));
        for word in ["", "Free", "free ", "sent"] {
            assert_eq!(word.parse::<CaseState>(), Err(NotAState), "{word}");
        }
    }
}
