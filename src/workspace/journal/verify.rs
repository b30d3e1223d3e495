//! Verifies one chain, and tells what was done to one that is not whole.
//!
//! Entries are read in the order in which they stand. While each follows the one before it, only the last link is kept. Where the chain
//! breaks, a new *run* begins. At the end the runs tell what was done: a run whose numbers another run already has was doubled, a run that
//! nothing links to was inserted, runs out of order were moved, numbers in no run were cut.

use std::collections::BTreeMap;

use super::fault::{Fault, Verdict};
use super::runs::{Run, Structure};
use super::{Digest, Entry};

/// The largest number of faults that are kept; further ones are only counted.
pub(super) const MAX_FAULTS: usize = 1000;
/// How many breaks of the chain are analysed. A chain with more is considered destroyed, and the order of further entries is not looked at.
const MAX_RUNS: usize = 5000;

/// Verifies the entries of one chain as they come.
#[derive(Debug)]
pub(super) struct Verifier {
    /// The number that the first entry must have, and the hash to which it probably links.
    from: u64,
    link: Digest,
    /// How many entries and unreadable lines were read.
    looked_at: u64,
    runs: Vec<Run>,
    current: Run,
    /// Numbers of closed runs without overlaps: first to last.
    covered: BTreeMap<u64, u64>,
    /// Unreadable lines since the last entry.
    unreadable: u64,
    faults: Vec<Fault>,
    more: u64,
    last: Option<(u64, Digest)>,
    /// Link and place of the first intact entry that has the first number.
    start: Option<(Digest, u64)>,
    destroyed: Option<u64>,
    /// Number and hash of the entry that an exported head names.
    head: Option<(u64, Digest)>,
    head_found: bool,
    head_differs: Option<u64>,
}

/// A chain that was read to its end.
#[derive(Debug)]
pub(super) struct Closed {
    pub(super) verdict: Verdict,
    /// The highest number in the chain; 0 for none.
    pub(super) end: u64,
    /// The highest number that may stand in unreadable lines or in entries whose order was not looked at.
    pub(super) reach: u64,
}

impl Verifier {
    /// A verifier that begins with the first entry. `link` is the hash to which this entry probably links; [`Verifier::finish`] takes the one to
    /// which it must link.
    pub(super) fn new(link: Digest) -> Self {
        Self::from_link(1, link)
    }

    /// A verifier that begins with the entry after this one.
    #[cfg(test)]
    pub(super) fn after(entry: &Entry) -> Self {
        Self::from_link(entry.seq.saturating_add(1), entry.hash)
    }

    fn from_link(from: u64, link: Digest) -> Self {
        Self {
            from,
            link,
            looked_at: 0,
            runs: Vec::new(),
            // Whether the first entry links to the right hash is decided at the end, so the empty run takes any.
            current: Run { last_altered: true, ..Run::base(from, link) },
            covered: BTreeMap::new(),
            unreadable: 0,
            faults: Vec::new(),
            more: 0,
            last: None,
            start: None,
            destroyed: None,
            head: None,
            head_found: false,
            head_differs: None,
        }
    }

    /// Compares the chain with the number and hash that an exported head names.
    pub(super) fn expect(&mut self, seq: u64, hash: Digest) {
        self.head = Some((seq, hash));
    }

    /// Takes a line at this place that is no entry.
    pub(super) fn unreadable(&mut self, at: u64) {
        self.looked_at += 1;
        self.unreadable += 1;
        self.note(Fault::Unreadable { at });
    }

    /// Tells that so many unreadable lines before the next entry, which are counted for another chain, may have been entries of this one.
    pub(super) fn may_hide(&mut self, lines: u64) {
        self.unreadable += lines;
    }

    /// Verifies the next entry, which stands at this place; `altered` says that its hash does not fit its content. Returns its number, which may
    /// differ from the one that an altered entry bears.
    pub(super) fn push(&mut self, entry: &Entry, at: u64, altered: bool) -> u64 {
        self.looked_at += 1;
        let expected = self.current.last.saturating_add(1);
        // The number of an altered entry may itself be altered; if it links to the last entry, it stands in its place.
        let seq = if altered && entry.prev == self.current.hash { expected } else { entry.seq };
        if altered {
            self.note(Fault::Altered { seq, at });
        } else {
            self.push_intact(entry, at);
        }
        if self.destroyed.is_some() {
            return seq;
        }
        // An unreadable line may have been one entry, or two if the line break was damaged.
        let hidden = seq.checked_sub(expected).filter(|gap| (1..=self.unreadable.saturating_mul(2)).contains(gap));
        self.unreadable = 0;
        let again = self.is_covered(seq);
        let linked = altered || self.current.last_altered || entry.prev == self.current.hash;
        let joins = self.current.again == again && (hidden.is_some() || seq == expected && linked);
        if !joins {
            if self.runs.len() >= MAX_RUNS {
                self.destroyed = Some(at);
                return seq;
            }
            self.close(Run::of(seq, at, entry, altered, again));
            return seq;
        }
        let run = &mut self.current;
        if run.is_empty() {
            // Behind unreadable lines the run begins with an entry that is not known, and whose link proves nothing either.
            (run.at, run.prev, run.first_altered) = (at, entry.prev, altered || seq != run.first);
        }
        (run.last, run.last_at, run.hash, run.last_altered) = (seq, at, entry.hash, altered);
        seq
    }

    fn push_intact(&mut self, entry: &Entry, at: u64) {
        if self.last.is_none_or(|(last, _)| last < entry.seq) {
            self.last = Some((entry.seq, entry.hash));
        }
        if entry.seq == self.from {
            self.start.get_or_insert((entry.prev, at));
        }
        if let Some((seq, hash)) = self.head
            && seq == entry.seq
        {
            let fits = entry.hash == hash;
            self.head_found |= fits;
            self.head_differs = self.head_differs.or((!fits).then_some(at));
        }
    }

    /// Notes a fault of a single entry.
    pub(super) fn note(&mut self, fault: Fault) {
        if self.faults.len() < MAX_FAULTS { self.faults.push(fault) } else { self.more += 1 }
    }

    /// The hash of the last entry, to which an entry of another chain may link; `None` when it cannot be told, since the last line is damaged.
    pub(super) fn end(&self) -> Option<Digest> {
        let (_, hash) = self.last?;
        (!self.current.last_altered && self.unreadable == 0 && self.destroyed.is_none()).then_some(hash)
    }

    /// The hash to which the first entry links, and its place; `None` when there is no such entry, or it was altered.
    pub(super) fn start(&self) -> Option<(Digest, u64)> {
        self.start
    }

    /// Whether no entry and no unreadable line was read.
    pub(super) fn is_empty(&self) -> bool {
        self.looked_at == 0
    }

    /// How many runs, ranges and faults are kept in memory.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.runs.len() + self.covered.len() + self.faults.len()
    }

    fn is_covered(&self, seq: u64) -> bool {
        !self.covered.is_empty() && self.covered.range(..=seq).next_back().is_some_and(|(_, last)| *last >= seq)
            || (self.current.first..=self.current.last).contains(&seq)
    }

    /// Closes the current run and begins another. The first run stays even when it is empty, so that a chain without its beginning is broken.
    fn close(&mut self, next: Run) {
        let run = std::mem::replace(&mut self.current, next);
        if !run.is_empty() && !run.again {
            self.covered.insert(run.first, run.last);
        }
        self.runs.push(run);
    }

    /// Ends the verification. `link` is the hash to which the first entry must link; `None` means that it is not known.
    pub(super) fn finish(mut self, link: Option<Digest>) -> Closed {
        let link = link.or(self.start.map(|(link, _)| link)).unwrap_or(self.link);
        let mut runs = std::mem::take(&mut self.runs);
        runs.push(self.current.clone());
        let mut order = Vec::new();
        let mut end = 0;
        let mut reach = u64::MAX;
        if let Some(at) = self.destroyed {
            order.push(Fault::Destroyed { at });
        } else {
            let broken = runs.get(1).map(|r| (r.first, r.at));
            if broken.is_some() {
                runs = Structure { runs, from: self.from, link }.read(&mut order);
            } else if let Some((_, at)) = self.start.filter(|(found, _)| *found != link) {
                order.push(Fault::Detached { seq: self.from, at });
            }
            // A broken chain is never called sound, even if no pattern of faults was recognised.
            if let Some((seq, at)) = broken.filter(|_| order.is_empty() && self.faults.is_empty()) {
                order.push(Fault::Rewritten { seq, at });
            }
            end = runs.iter().map(|r| r.last).max().unwrap_or(0);
            reach = end.saturating_add(self.unreadable.saturating_mul(2));
            order.extend(self.beyond(end));
        }
        let more = self.more + order.len().saturating_sub(MAX_FAULTS) as u64;
        order.sort_by_key(Fault::at);
        order.truncate(MAX_FAULTS);
        order.extend(self.faults);
        order.sort_by_key(Fault::at);
        Closed { verdict: Verdict { looked_at: self.looked_at, last: self.last, faults: order, more }, end, reach }
    }

    /// The fault that the exported head shows in a chain that ends with the number `end`; `None` if they agree.
    fn beyond(&self, end: u64) -> Option<Fault> {
        let (seq, _) = self.head?;
        if end < seq {
            return Some(Fault::TailCut { from: end + 1, to: seq });
        }
        self.head_differs.filter(|_| !self.head_found).map(|at| Fault::HeadDiffers { seq, at })
    }
}
