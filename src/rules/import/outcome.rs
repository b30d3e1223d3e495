//! What an import does to each rule, and the plan of the whole.

use super::Edition;
use super::express::Unexpressed;
use super::field::Field;
use crate::rules::Standing;
use crate::rules::published::Repair;
use crate::texts::Text;

/// How a packet changes a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// The packet has the same rule.
    Same,
    /// The rule is new.
    New,
    /// The rule is present, but differs.
    Changed,
    /// The rule is present, but not in the packet, and ends.
    Ended,
    /// The rule came with a newer edition that an older one replaces, and goes with it.
    Removed,
    /// The rule is present and stays, although it is not in the packet: e.g. it is later than the packet.
    Kept,
    /// The rule could not be expressed; it is stored and shown, but not executed.
    Unexpressed,
    /// A field of the row cannot be read, so nothing of the row is taken. A present rule goes on as it was.
    NotTaken,
}

impl Change {
    /// All changes, in the order of reports.
    pub const ALL: [Self; 8] = [Self::New, Self::Changed, Self::Ended, Self::Removed, Self::Unexpressed, Self::NotTaken, Self::Kept, Self::Same];

    /// The word for the change.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::New => "new",
            Self::Changed => "changed",
            Self::Ended => "ended",
            Self::Removed => "removed",
            Self::Kept => "kept",
            Self::Unexpressed => "unexpressed",
            Self::NotTaken => "not-taken",
        }
    }
}

/// A column that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The column.
    pub field: Field,
    /// The present text.
    pub ours: String,
    /// The packet's text in the rule language.
    pub theirs: String,
}

/// Outcome of the import for one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowOutcome {
    /// Id of the rule.
    pub id: String,
    /// How the packet changes the rule.
    pub change: Change,
    /// Columns that differ.
    pub differences: Vec<Difference>,
    /// Repairs that the published texts needed.
    pub repairs: Vec<(Field, Repair)>,
    /// Published texts that a person has translated, each with the reason: slip, prose, reading.
    pub readings: Vec<(Field, String)>,
    /// Why the rule could not be read or expressed, if it could not.
    pub why: Vec<(Field, Unexpressed)>,
    /// Whether its present dates are inferred, not published.
    pub inferred: bool,
    /// What a new or changed rule lacks in order to run, with the reason in words; `None` if it runs.
    pub lacks: Option<(Standing, Text)>,
    /// Whether a present rule that the packet may end was in force and executed.
    pub(super) ran: bool,
}

impl RowOutcome {
    pub(super) fn new(id: &str, change: Change) -> Self {
        Self {
            id: id.to_owned(),
            change,
            differences: Vec::new(),
            repairs: Vec::new(),
            readings: Vec::new(),
            why: Vec::new(),
            inferred: false,
            lacks: None,
            ran: false,
        }
    }
}

/// The territory of a packet's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The whole country.
    Federal,
    /// Single regions, by the region code in the rule's id.
    Regional,
}

/// The changes that a packet would make.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Book, edition and date of the packet.
    pub edition: Edition,
    /// Territory of the rules.
    pub scope: Scope,
    /// Every rule that is in the packet or present, by id.
    pub rows: Vec<RowOutcome>,
    /// Tables that differ from the present ones: name under `rules/`, and text; `None` for the built-in table, or for none if none is built in.
    pub tables: Vec<(String, Option<String>)>,
    /// All tables that the book speaks of, whether they change or not.
    pub speaks_of: Vec<String>,
}

impl Plan {
    /// Number of rules with a change.
    pub fn count(&self, change: Change) -> usize {
        self.rows.iter().filter(|r| r.change == change).count()
    }
}
