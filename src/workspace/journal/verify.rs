//! Verifies a journal, and tells what was done to one that is not whole.
//!
//! Entries are read in the order in which they stand. While each follows the one before it, only the last link is kept. Where the chain
//! breaks, a new *run* begins. At the end the runs tell what was done: a run whose numbers another run already has was doubled, a run that
//! nothing links to was inserted, runs out of order were moved, numbers in no run were cut.

use std::collections::BTreeMap;

use super::fault::{Fault, Verdict};
use super::runs::{Run, Structure};
use super::{Digest, Entry, JournalHead};

/// The largest number of faults that are kept; further ones are only counted.
const MAX_FAULTS: usize = 1000;
/// How many breaks of the chain are analysed. A journal with more is considered destroyed, and the order of further entries is not
/// looked at.
const MAX_RUNS: usize = 5000;

/// A line of an exported journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// An entry. [`Verifier::line`] finds out whether it is intact and in its place.
    Entry {
        /// The entry of the line.
        entry: Box<Entry>,
        /// Whether it is written byte for byte as `write_jsonl` writes it.
        as_written: bool,
    },
    /// The line is no entry.
    Unreadable,
}

/// Verifies a journal in memory.
pub fn verify<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> Verdict {
    run(Verifier::new(), entries)
}

/// Verifies a journal against a head that was exported earlier. Entries after the head are verified like those before it.
pub fn verify_against<'e>(entries: impl IntoIterator<Item = &'e Entry>, head: &JournalHead) -> Verdict {
    run(Verifier::against(head), entries)
}

fn run<'e>(mut verifier: Verifier, entries: impl IntoIterator<Item = &'e Entry>) -> Verdict {
    for entry in entries {
        verifier.push(entry);
    }
    verifier.finish()
}

/// Verifies entries as they come.
#[derive(Debug)]
pub struct Verifier {
    /// The number that the first entry must have, and the hash that it must link to.
    from: u64,
    link: Digest,
    at: u64,
    runs: Vec<Run>,
    current: Run,
    /// Numbers of closed runs without overlaps: first to last.
    covered: BTreeMap<u64, u64>,
    /// Unreadable lines since the last entry.
    unreadable: u64,
    faults: Vec<Fault>,
    more: u64,
    last: Option<(u64, Digest)>,
    destroyed: Option<u64>,
    head: Option<JournalHead>,
    head_found: bool,
    head_differs: Option<u64>,
}

impl Default for Verifier {
    fn default() -> Self {
        Self::new()
    }
}

impl Verifier {
    /// A verifier that begins with the first entry.
    pub fn new() -> Self {
        Self::from_link(1, Digest::NONE)
    }

    /// A verifier that begins with the entry after this one, which is trusted.
    pub fn after(entry: &Entry) -> Self {
        Self::from_link(entry.seq.saturating_add(1), entry.hash)
    }

    /// A verifier that begins with the first entry and compares the journal with a head.
    pub fn against(head: &JournalHead) -> Self {
        Self { head: Some(head.clone()), ..Self::new() }
    }

    fn from_link(from: u64, link: Digest) -> Self {
        Self {
            from,
            link,
            at: 0,
            runs: Vec::new(),
            current: Run::base(from, link),
            covered: BTreeMap::new(),
            unreadable: 0,
            faults: Vec::new(),
            more: 0,
            last: None,
            destroyed: None,
            head: None,
            head_found: false,
            head_differs: None,
        }
    }

    /// Verifies the next line of an export.
    pub fn line(&mut self, line: &Line) {
        match line {
            Line::Entry { entry, as_written } => {
                self.push(entry);
                if !as_written {
                    self.note(Fault::NotAsWritten { seq: entry.seq, at: self.at });
                }
            }
            Line::Unreadable => {
                self.at += 1;
                self.unreadable += 1;
                self.note(Fault::Unreadable { at: self.at });
            }
        }
    }

    /// Verifies the next entry.
    pub fn push(&mut self, entry: &Entry) {
        self.at += 1;
        let due = entry.due_hash();
        let altered = due != entry.hash;
        let expected = self.current.last.saturating_add(1);
        // The number of an altered entry may itself be altered; if it links to the last entry, it stands in its place.
        let seq = if altered && entry.prev == self.current.hash { expected } else { entry.seq };
        if altered {
            self.note(Fault::Altered { seq, at: self.at });
        }
        if !altered && self.last.is_none_or(|(last, _)| last < seq) {
            self.last = Some((seq, entry.hash));
        }
        if let Some(head) = &self.head
            && seq == head.seq
            && !altered
        {
            let fits = entry.hash == head.hash;
            self.head_found |= fits;
            self.head_differs = self.head_differs.or((!fits).then_some(self.at));
        }
        if self.destroyed.is_some() {
            return;
        }
        // An unreadable line may have been one entry, or two if the line break was damaged.
        let hidden = seq.checked_sub(expected).filter(|gap| (1..=2 * self.unreadable).contains(gap));
        self.unreadable = 0;
        let again = self.is_covered(seq);
        let linked = altered || self.current.last_altered || entry.prev == self.current.hash;
        let joins = self.current.again == again && (hidden.is_some() || seq == expected && linked);
        if !joins {
            if self.runs.len() >= MAX_RUNS {
                self.destroyed = Some(self.at);
                return;
            }
            self.close(Run::of(seq, self.at, entry, altered, again));
            return;
        }
        let run = &mut self.current;
        if run.is_empty() {
            run.at = self.at;
        }
        (run.last, run.last_at, run.hash, run.last_altered) = (seq, self.at, entry.hash, altered);
    }

    /// How many runs, ranges and faults are kept in memory.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.runs.len() + self.covered.len() + self.faults.len()
    }

    fn note(&mut self, fault: Fault) {
        if self.faults.len() < MAX_FAULTS { self.faults.push(fault) } else { self.more += 1 }
    }

    fn is_covered(&self, seq: u64) -> bool {
        !self.covered.is_empty() && self.covered.range(..=seq).next_back().is_some_and(|(_, last)| *last >= seq)
            || (self.current.first..=self.current.last).contains(&seq)
    }

    /// Closes the current run and begins another. The first run stays even when it is empty: it is what the first entry must link to.
    fn close(&mut self, next: Run) {
        let run = std::mem::replace(&mut self.current, next);
        if !run.is_empty() && !run.again {
            self.covered.insert(run.first, run.last);
        }
        self.runs.push(run);
    }

    /// Returns the verdict.
    pub fn finish(mut self) -> Verdict {
        let mut runs = std::mem::take(&mut self.runs);
        runs.push(self.current.clone());
        let mut order = Vec::new();
        if let Some(at) = self.destroyed {
            order.push(Fault::Destroyed { at });
        } else {
            let broken = runs.get(1).map(|r| (r.first, r.at));
            if broken.is_some() {
                runs = Structure { runs, from: self.from, link: self.link }.read(&mut order);
            }
            // A broken chain is never called sound, even if no pattern of faults was recognised.
            if let Some((seq, at)) = broken.filter(|_| order.is_empty() && self.faults.is_empty()) {
                order.push(Fault::Rewritten { seq, at });
            }
            order.extend(self.beyond(runs.iter().map(|r| r.last).max().unwrap_or(0)));
        }
        let more = self.more + order.len().saturating_sub(MAX_FAULTS) as u64;
        order.sort_by_key(Fault::at);
        order.truncate(MAX_FAULTS);
        order.extend(self.faults);
        order.sort_by_key(Fault::at);
        Verdict { looked_at: self.at, last: self.last, faults: order, more }
    }

    /// The fault that the head shows in a chain that ends with the number `end`; `None` if they agree.
    fn beyond(&self, end: u64) -> Option<Fault> {
        let head = self.head.as_ref()?;
        if end < head.seq {
            return Some(Fault::TailCut { from: end + 1, to: head.seq });
        }
        self.head_differs.filter(|_| !self.head_found).map(|at| Fault::HeadDiffers { seq: head.seq, at })
    }
}
