//! What a verification finds in a chain of entries.

use super::Digest;
use crate::values::Date;

/// What was done to a chain. `at` is the place in the whole journal as it is now, from 1: the line of an export.
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
    /// Entries at the end are missing, as the exported head proves.
    TailCut {
        /// Number of the first missing entry.
        from: u64,
        /// Number of the entry that the head names.
        to: u64,
    },
    /// The entry that the exported head names has another hash: the chain was rewritten after the head was taken.
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
    /// The first entry of the chain links neither to the last entry of the old chain nor, where there is no old chain, to nothing.
    Detached {
        /// Number of the entry.
        seq: u64,
        /// Place of the entry.
        at: u64,
    },
    /// The end of the old chain to which all other chains link is not there: it was cut off or rewritten.
    EndDiffers {
        /// Place of the first entry that links to it.
        at: u64,
    },
    /// Entries follow the one that closed the old chain.
    Continued {
        /// Number of the first entry after the closing one.
        from: u64,
        /// Number of the last entry.
        to: u64,
        /// Place of the first entry after the closing one.
        at: u64,
    },
    /// Entries at the end of a clinic's chain are missing, as a daily entry proves.
    DayTailCut {
        /// Number of the first missing entry.
        from: u64,
        /// Number of the entry that the daily entry names.
        to: u64,
        /// The day of the daily entry.
        day: Date,
        /// Place of the daily entry.
        at: u64,
    },
    /// The entry that a daily entry names has another hash: the clinic's chain was rewritten after that day.
    DayDiffers {
        /// Number of the entry.
        seq: u64,
        /// The first day that names another hash.
        day: Date,
        /// Place of the entry.
        at: u64,
    },
    /// A daily entry names a head of the clinic that an earlier one contradicts: the chain was cut or rewritten between the two days.
    DayBack {
        /// Number that the daily entry names.
        seq: u64,
        /// Number that an earlier daily entry names.
        before: u64,
        /// The day of the daily entry.
        day: Date,
        /// Place of the daily entry.
        at: u64,
    },
    /// The heads in a daily entry cannot be read.
    DayUnreadable {
        /// Number of the entry.
        seq: u64,
        /// Place of the entry.
        at: u64,
    },
    /// A daily entry stands so far behind the entries that it names that they could not be compared. An export has daily entries first.
    DayLate {
        /// The day of the daily entry.
        day: Date,
        /// Place of the daily entry.
        at: u64,
    },
    /// The journal has so many chains, or daily entries name so many heads, that not all were looked at from here on.
    TooMany {
        /// Place of the first entry that was not looked at, or not completely.
        at: u64,
    },
}

impl Fault {
    /// Place of the fault; the largest number for a tail that only an exported head shows to be missing, so that it sorts last.
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
            | Self::Destroyed { at }
            | Self::Detached { at, .. }
            | Self::EndDiffers { at }
            | Self::Continued { at, .. }
            | Self::DayTailCut { at, .. }
            | Self::DayDiffers { at, .. }
            | Self::DayBack { at, .. }
            | Self::DayUnreadable { at, .. }
            | Self::DayLate { at, .. }
            | Self::TooMany { at } => at,
            Self::TailCut { .. } => u64::MAX,
        }
    }
}

/// The result of the verification of one chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Number of entries and unreadable lines of the chain that were read.
    pub looked_at: u64,
    /// Number and hash of the intact entry with the highest number; `None` if there is none.
    pub last: Option<(u64, Digest)>,
    /// The faults in the order of their places; at most 1,000 faults of single entries and 1,000 of their order are kept.
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
