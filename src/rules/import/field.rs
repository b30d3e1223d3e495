//! The columns of a rule, and the fields of a published row that cannot be read.

use serde::Deserialize;

/// A column of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the columns of the rule tables")]
pub enum Field {
    Id,
    Files,
    Element,
    When,
    Require,
    From,
    Until,
}

impl Field {
    /// The column's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Files => "files",
            Self::Element => "element",
            Self::When => "when",
            Self::Require => "require",
            Self::From => "from",
            Self::Until => "until",
        }
    }
}

/// What is wrong with a field of a published row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flaw {
    /// The calendar has no such day.
    Date,
    /// The id has another form than `006F.00.0400`.
    Id,
    /// The text is longer than any published one.
    Long,
    /// The row has the field twice.
    Repeated,
    /// The row lacks the field, or it is empty.
    Empty,
    /// What stands there is no row, but an element of another name.
    Foreign,
}

impl Flaw {
    /// Key of its text in `rules/import/texts.csv`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Date => "why.date",
            Self::Id => "why.id",
            Self::Long => "why.long",
            Self::Repeated => "why.repeated",
            Self::Empty => "why.empty",
            Self::Foreign => "why.foreign",
        }
    }

    /// All variants.
    pub const ALL: [Self; 6] = [Self::Date, Self::Id, Self::Long, Self::Repeated, Self::Empty, Self::Foreign];
}

/// A field of a published row that cannot be read. It costs its row, and no other one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// The column of the rule that the field would fill.
    pub column: Field,
    /// Name of the field in the packet.
    pub field: &'static str,
    /// The beginning of its text.
    pub text: String,
    /// What is wrong with it.
    pub flaw: Flaw,
}

impl Misread {
    /// Longest text that is kept, in characters.
    const SHOWN: usize = 40;

    pub(super) fn new(column: Field, field: &'static str, text: &str, flaw: Flaw) -> Self {
        Self { column, field, text: text.chars().take(Self::SHOWN).collect(), flaw }
    }
}
