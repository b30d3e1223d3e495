//! Where a completed case stands in its life.

use std::fmt;
use std::str::FromStr;

/// The state of one version of a case. The store keeps its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaseState {
    /// May be formed, unless findings keep it out.
    Free,
    /// Stands in a live registry.
    Held,
    /// A new version of a case that stands in a live registry.
    Waiting,
    /// Refused by the payer: to be corrected and sent again.
    Refused,
    /// Perhaps the same as another: somebody must say.
    Question,
    /// Paid; never billed again.
    Paid,
    /// An earlier version.
    Replaced,
}

impl CaseState {
    /// Every state.
    pub const ALL: [Self; 7] = [Self::Free, Self::Held, Self::Waiting, Self::Refused, Self::Question, Self::Paid, Self::Replaced];

    /// Its word in the store and in machine formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Held => "held",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
            Self::Question => "question",
            Self::Paid => "paid",
            Self::Replaced => "replaced",
        }
    }
}

impl fmt::Display for CaseState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word of no state.
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
        // A store made by an earlier program holds these words: none may change.
        let words = ["free", "held", "waiting", "refused", "question", "paid", "replaced"];
        assert_eq!(CaseState::ALL.map(CaseState::as_str), words);
        assert_eq!(words.map(str::parse), CaseState::ALL.map(Ok));
        for word in ["", "Free", "free ", "sent"] {
            assert_eq!(word.parse::<CaseState>(), Err(NotAState), "{word}");
        }
    }
}
