//! What one piece of a file comes to.

use crate::cases::Index;
use crate::finding::{Finding, Place};
use crate::registry::fault::Fault;
use crate::registry::format::{NodeId, Role};
use crate::rules::Work;

use super::keyset::Key;
use super::places::Progressed;
use super::running::Running;

/// A value of the header or the account, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeadValue {
    pub(super) role: Role,
    pub(super) node: NodeId,
    pub(super) text: String,
    pub(super) place: Place,
}

/// What has been seen of the root's own content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RootState {
    /// Children by position.
    pub(super) seen: u64,
    /// Text beside them has been reported.
    pub(super) text_reported: bool,
}

impl RootState {
    pub(super) fn join(&mut self, other: Self) {
        self.seen |= other.seen;
        self.text_reported |= other.text_reported;
    }
}

/// What one piece came to. Places are counted from the first byte of the piece; those before it are of the file already.
#[derive(Debug, Default)]
pub(super) struct PieceOutcome {
    /// Offset of the piece.
    pub(super) base: u64,
    pub(super) findings: Vec<Finding>,
    pub(super) head: Vec<HeadValue>,
    pub(super) keys: Vec<Vec<Key>>,
    /// Identities of persons.
    pub(super) identities: Vec<Key>,
    pub(super) sums: Vec<Running>,
    pub(super) counts: Vec<u64>,
    pub(super) records: u64,
    pub(super) cases: u64,
    pub(super) services: u64,
    pub(super) case_sum: Running,
    /// What the records came to for rules of the head.
    pub(super) work: Work,
    /// Persons as [`super::persons::Keeping`] writes them.
    pub(super) persons: Vec<u8>,
    /// Records of wanted persons as [`WantedPersons::write`] writes them.
    pub(super) person_records: Vec<u8>,
    /// Cases or persons of its records, where they are wanted.
    pub(super) index: Index,
    pub(super) root: RootState,
    pub(super) root_place: Option<Place>,
    pub(super) read: Progressed,
    pub(super) fault: Option<Fault>,
    /// Place of the fault.
    pub(super) fault_place: Option<Place>,
}
