//! The entries of one clinic that daily entries name, compared with the entries of its chain.

use std::collections::VecDeque;

use super::Digest;
use super::fault::Fault;
use super::verify::Closed;
use crate::values::Date;

/// How many of the last entries of a clinic are kept for daily entries that stand after them. An export has daily entries before those of
/// clinics; a file that was sorted by time has them close behind.
const RECENT: usize = 1000;
/// How many entries with another hash than the named one are kept for one clinic. Only the first is told.
const DIFFERING: usize = 100;

/// A daily entry: its day and its place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) day: Date,
    pub(super) at: u64,
}

/// An entry that a daily entry names and that was not met yet.
#[derive(Debug)]
struct Due {
    seq: u64,
    hash: Digest,
    /// Index of the daily entry.
    day: u32,
}

/// What came of a head that a daily entry names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// It is compared as soon as the entry comes.
    Due,
    /// There is nothing to wait for: the entry was met, or an earlier day named the same.
    Known,
    /// An earlier daily entry names this number, which is not smaller, and not the same entry.
    Back(u64),
    /// The entry was read so long ago that it is no longer known.
    Late,
}

/// The entries of one clinic that daily entries name.
#[derive(Debug, Default)]
pub(super) struct Dues {
    /// Entries not met yet, in ascending numbers.
    due: VecDeque<Due>,
    /// The last head that was named.
    named: Option<(u64, Digest)>,
    /// Number, hash and place of the last intact entries that were read.
    recent: VecDeque<(u64, Digest, u64)>,
    /// The highest number that is no longer among the recent ones.
    forgotten: u64,
    /// Numbers and places of entries that have another hash than the named one.
    differs: Vec<(u64, u64)>,
}

impl Dues {
    /// Takes a head that a daily entry names; `day` is the index of that entry.
    pub(super) fn name(&mut self, seq: u64, hash: Digest, day: u32) -> Named {
        match self.named {
            Some(named) if named == (seq, hash) => return Named::Known,
            Some((before, _)) if seq <= before => return Named::Back(before),
            _ => self.named = Some((seq, hash)),
        }
        if self.recent.iter().rev().any(|(number, known, _)| (*number, *known) == (seq, hash)) {
            return Named::Known;
        }
        if let Some((_, _, at)) = self.recent.iter().rev().find(|(number, ..)| *number == seq) {
            self.differs.push((seq, *at));
        } else if seq <= self.forgotten {
            return Named::Late;
        }
        self.due.push_back(Due { seq, hash, day });
        Named::Due
    }

    /// Compares an intact entry with what daily entries name, and returns whether it was due.
    pub(super) fn meet(&mut self, seq: u64, hash: Digest, at: u64) -> bool {
        if self.recent.len() >= RECENT
            && let Some((oldest, ..)) = self.recent.pop_front()
        {
            self.forgotten = self.forgotten.max(oldest);
        }
        self.recent.push_back((seq, hash, at));
        // Entries come in the order of their numbers unless they were moved, so the entry is the first or not due.
        if self.due.front().is_none_or(|due| seq < due.seq) {
            return false;
        }
        let Ok(place) = self.due.binary_search_by_key(&seq, |due| due.seq) else { return false };
        let fits = self.due[place].hash == hash;
        if fits {
            // Of two entries with one number the one that the day names is enough; the other is a fault of the chain.
            self.due.remove(place);
            self.differs.retain(|(number, _)| *number != seq);
        } else if self.differs.len() < DIFFERING {
            self.differs.push((seq, at));
        }
        fits
    }

    /// How many heads and entries are kept.
    #[cfg(test)]
    pub(super) fn kept(&self) -> (usize, usize) {
        (self.due.len(), self.recent.len())
    }

    /// What daily entries show in a chain that was read: the first entry that was rewritten, and the missing tail.
    pub(super) fn faults(&self, closed: &Closed, days: &[Day]) -> Vec<Fault> {
        let day = |due: &Due| days.get(due.day as usize).copied().unwrap_or(Day { day: Date::MIN, at: 0 });
        let mut faults = Vec::new();
        let place = |due: &Due| self.differs.iter().find(|(seq, _)| *seq == due.seq).map(|(_, at)| *at);
        if let Some((due, at)) = self.due.iter().find_map(|due| Some((due, place(due)?))) {
            faults.push(Fault::DayDiffers { seq: due.seq, day: day(due).day, at });
        }
        if let Some(last) = self.due.back().filter(|last| last.seq > closed.reach) {
            let Day { day, at } = day(last);
            faults.push(Fault::DayTailCut { from: closed.end + 1, to: last.seq, day, at });
        }
        // A number in the middle that was not met is missing, unreadable or altered, which the chain itself shows; never call it sound.
        if let Some(due) = self.due.front().filter(|_| faults.is_empty() && closed.verdict.is_sound()) {
            faults.push(Fault::DayDiffers { seq: due.seq, day: day(due).day, at: day(due).at });
        }
        faults
    }
}
