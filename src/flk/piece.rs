//! The outcome of walking one piece of a file.

use crate::cases::Found;
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

/// Content of the root that has been seen so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RootState {
    /// Bit mask of the children seen, by position.
    pub(super) seen: u64,
    /// Whether text between the children has been reported.
    pub(super) text_reported: bool,
}

impl RootState {
    pub(super) fn join(&mut self, other: Self) {
        self.seen |= other.seen;
        self.text_reported |= other.text_reported;
    }
}

/// The outcome of one piece. Places are counted from the first byte of the piece; places before it are already those of the file.
#[derive(Debug, Default)]
pub(super) struct PieceOutcome {
    /// Offset of the piece in the file.
    pub(super) base: u64,
    pub(super) findings: Vec<Finding>,
    /// In a main file, findings about persons; their offsets are the numbers of the persons in the person file.
    pub(super) of_persons: Vec<Finding>,
    /// In a person file, findings of the main file's walk that got their places.
    pub(super) placed: Vec<Finding>,
    pub(super) head: Vec<HeadValue>,
    pub(super) keys: Vec<Vec<Key>>,
    /// Hashes of persons' identities, to find persons that occur twice.
    pub(super) identities: Vec<Key>,
    pub(super) sums: Vec<Running>,
    pub(super) counts: Vec<u64>,
    pub(super) records: u64,
    pub(super) cases: u64,
    pub(super) services: u64,
    pub(super) case_sum: Running,
    /// Values gathered from the records for rules about the head.
    pub(super) work: Work,
    /// Persons as [`super::persons::Keeping`] writes them.
    pub(super) persons: Vec<u8>,
    /// Records of wanted persons as `WantedPersons::write` writes them.
    pub(super) person_records: Vec<u8>,
    /// Cases or persons of the piece's records, if the caller asked for them.
    pub(super) found: Found,
    pub(super) root: RootState,
    pub(super) root_place: Option<Place>,
    pub(super) read: Progressed,
    pub(super) fault: Option<Fault>,
    pub(super) fault_place: Option<Place>,
}
