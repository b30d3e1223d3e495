//! What a verification finds in a journal.

use super::Digest;

/// What was done to a journal. `at` is the place in the journal as it is now, from 1: the line of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The hash of an entry does not fit its content.
    Altered {
        /// Number of the entry.
        seq: u64,
        /// Place of the entry.
        at: u64,
    },
    /// An entry was altered together with its hash: the links of its neighbours show it.
    Rewritten {
        /// Number of the entry.
        seq: u64,
        /// Place of the entry.
        at: u64,
    },
    /// Entries are missing.
    Cut {
        /// Number of the first missing entry.
        from: u64,
        /// Number of the last missing entry.
        to: u64,
        /// Place of the next entry.
        at: u64,
    },
    /// Entries stand in a wrong place.
    Moved {
        /// Number of the first moved entry.
        from: u64,
        /// Number of the last moved entry.
        to: u64,
        /// Place of the first moved entry.
        at: u64,
    },
    /// Entries occur a second time.
    Doubled {
        /// Number of the first doubled entry.
        from: u64,
        /// Number of the last doubled entry.
        to: u64,
        /// Place where the second copy begins.
        at: u64,
    },
    /// Entries do not belong to the chain.
    Inserted {
        /// The number that the first inserted entry bears.
        from: u64,
        /// The number that the last inserted entry bears.
        to: u64,
        /// Place of the first inserted entry.
        at: u64,
    },
    /// A line is not an entry.
    Unreadable {
        /// Place of the line.
        at: u64,
    },
    /// An entry has the right content, but other bytes than the program writes.
    NotAsWritten {
        /// Number of the entry.
        seq: u64,
        /// Place of the entry.
        at: u64,
    },
    /// Entries at the end are missing, as the head proves.
    TailCut {
        /// Number of the first missing entry.
        from: u64,
        /// Number of the entry that the head names.
        to: u64,
    },
    /// The entry that the head names has another hash: the journal was rewritten after the head was taken.
    HeadDiffers {
        /// Number of the entry.
        seq: u64,
        /// Place of the entry.
        at: u64,
    },
    /// The chain is broken at so many places that the order of entries was not looked at from here on.
    Destroyed {
        /// Place of the first entry whose order was not looked at.
        at: u64,
    },
}

impl Fault {
    /// Place of the fault; the largest number for a missing tail, so that it sorts last.
    pub fn at(&self) -> u64 {
        match *self {
            Self::Altered { at, .. }
            | Self::Rewritten { at, .. }
            | Self::Cut { at, .. }
            | Self::Moved { at, .. }
            | Self::Doubled { at, .. }
            | Self::Inserted { at, .. }
            | Self::Unreadable { at }
            | Self::NotAsWritten { at, .. }
            | Self::HeadDiffers { at, .. }
            | Self::Destroyed { at } => at,
            Self::TailCut { .. } => u64::MAX,
        }
    }
}

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Number of entries and unreadable lines that were read.
    pub looked_at: u64,
    /// Number and hash of the intact entry with the highest number; `None` if there is none.
    pub last: Option<(u64, Digest)>,
    /// The faults in the order of the journal; at most 1,000 faults of single entries and 1,000 of their order are kept.
    pub faults: Vec<Fault>,
    /// Number of further faults that were not kept.
    pub more: u64,
}

impl Verdict {
    /// Whether there are no faults.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}
