//! Verifies a journal, and tells what was done to one that is not whole.
//!
//! Entries are read in the order in which they stand. While each follows the one before it, only the last link is kept. Where the chain
//! breaks, a new *run* begins. At the end the runs tell what was done: a run whose numbers another run already has was doubled, a run that
//! nothing links to was inserted, runs out of order were moved, numbers in no run were cut.

use std::collections::{BTreeMap, HashMap, HashSet};

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

/// Consecutive entries that follow each other by number and by link.
#[derive(Debug, Clone)]
struct Run {
    first: u64,
    last: u64,
    /// Places of the first and the last entry.
    at: u64,
    last_at: u64,
    /// Links of the first and the last entry. The links of an altered entry prove nothing.
    prev: Digest,
    hash: Digest,
    first_altered: bool,
    last_altered: bool,
    /// The numbers of these entries were already used by an earlier run.
    again: bool,
}

impl Run {
    /// The empty run before the first entry.
    fn base(from: u64, link: Digest) -> Self {
        let last = from.saturating_sub(1);
        Self { first: from, last, at: 0, last_at: 0, prev: link, hash: link, first_altered: false, last_altered: false, again: false }
    }

    fn of(seq: u64, at: u64, entry: &Entry, altered: bool, again: bool) -> Self {
        let (prev, hash) = (entry.prev, entry.hash);
        Self { first: seq, last: seq, at, last_at: at, prev, hash, first_altered: altered, last_altered: altered, again }
    }

    fn len(&self) -> u64 {
        if self.is_empty() { 0 } else { (self.last - self.first).saturating_add(1) }
    }

    fn is_empty(&self) -> bool {
        self.last < self.first
    }

    /// Whether `next` continues this run.
    fn leads_to(&self, next: &Self) -> bool {
        self.last.checked_add(1) == Some(next.first) && (self.last_altered || next.first_altered || next.prev == self.hash)
    }
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

/// All runs, in the order in which they stand.
struct Structure {
    runs: Vec<Run>,
    /// The number and the link that the first entry of the journal must have.
    from: u64,
    link: Digest,
}

impl Structure {
    /// Finds the faults from the runs, and returns the runs that belong to the chain, by number.
    fn read(mut self, faults: &mut Vec<Fault>) -> Vec<Run> {
        self.runs.retain(|r| !r.is_empty());
        self.rivals(faults);
        self.foreign(faults);
        for run in self.runs.extract_if(.., |r| r.again) {
            faults.push(Fault::Doubled { from: run.first, to: run.last, at: run.at });
        }
        self.moved(faults);
        self.runs.sort_by_key(|r| r.first);
        self.missing(faults);
        self.rewritten(faults);
        self.runs
    }

    /// Of two entries with one number the true one is that to which the successor links. It is not always the first.
    fn rivals(&mut self, faults: &mut Vec<Fault>) {
        let named: HashSet<(u64, Digest)> = self.runs.iter().filter_map(|r| Some((r.first.checked_sub(1)?, r.prev))).collect();
        let links = self.runs.iter().filter_map(|r| Some((r.last.checked_add(1)?, r.hash)));
        let links: HashSet<(u64, Digest)> = links.chain([(self.from, self.link)]).collect();
        let ends: HashMap<u64, usize> = self.runs.iter().enumerate().filter(|(_, r)| !r.again).map(|(i, r)| (r.last, i)).collect();
        let mut gone = vec![false; self.runs.len()];
        for late in 0..self.runs.len() {
            let run = self.runs[late].clone();
            let Some(&early) = ends.get(&run.last).filter(|_| run.again) else { continue };
            let rival = self.runs[early].clone();
            if rival.last != run.last || rival.first > run.first || rival.hash == run.hash {
                continue;
            }
            let (is_named, rival_is_named) = (named.contains(&(run.last, run.hash)), named.contains(&(rival.last, rival.hash)));
            // Without a successor the link to the predecessor decides; if both link to it, the later entry counts as inserted.
            let only_linked = rival.first == run.first && links.contains(&(run.first, run.prev)) && !links.contains(&(rival.first, rival.prev));
            if !rival_is_named && (is_named || only_linked) {
                faults.push(Fault::Inserted { from: run.first, to: run.last, at: rival.last_at.saturating_sub(run.last - run.first) });
                self.runs[late].again = false;
                gone[early] = rival.first == run.first;
                let rest = &mut self.runs[early];
                (rest.last, rest.hash, rest.last_altered) = (run.first.saturating_sub(1), run.prev, false);
            } else {
                faults.push(Fault::Inserted { from: run.first, to: run.last, at: run.at });
                gone[late] = true;
            }
        }
        let mut gone = gone.into_iter();
        self.runs.retain(|_| gone.next() == Some(false));
    }

    /// A run between two runs that continue each other, to which nothing links, does not belong to the chain.
    fn foreign(&mut self, faults: &mut Vec<Fault>) {
        let base = Run::base(self.from, self.link);
        let fresh = || self.runs.iter().filter(|r| !r.again);
        let ends: HashSet<(Option<u64>, Digest)> = fresh().chain([&base]).map(|r| (r.last.checked_add(1), r.hash)).collect();
        let starts: HashSet<(Option<u64>, Digest)> = fresh().map(|r| (r.first.checked_sub(1), r.prev)).collect();
        let mut kept: Vec<Run> = Vec::with_capacity(self.runs.len());
        let runs = std::mem::take(&mut self.runs);
        for (i, run) in runs.iter().enumerate() {
            let mut run = run.clone();
            let before = kept.iter().rev().find(|r| !r.again).unwrap_or(&base);
            let after = runs[i + 1..].iter().find(|r| !r.again);
            if let Some(after) = after.filter(|_| !run.again && !before.leads_to(&run)) {
                let alone = !ends.contains(&(Some(run.first), run.prev)) && !starts.contains(&(Some(run.last), run.hash));
                if alone && before.leads_to(after) {
                    faults.push(Fault::Inserted { from: run.first, to: run.last, at: run.at });
                    continue;
                }
                // A single altered entry in the gap of one entry: it is the missing one, and its hash is already reported.
                if run.len() == 1 && run.first_altered && before.last.checked_add(2) == Some(after.first) {
                    (run.first, run.last) = (before.last + 1, before.last + 1);
                }
            }
            kept.push(run);
        }
        self.runs = kept;
    }

    /// Finds the fewest entries that must be moved to bring all into order.
    fn moved(&mut self, faults: &mut Vec<Fault>) {
        // best[n]: the heaviest ascending choice of runs whose first number is among the n smallest, kept as the maxima of a
        // Fenwick tree.
        let mut order: Vec<u64> = self.runs.iter().map(|r| r.first).collect();
        order.sort_unstable();
        let mut best: Vec<Option<(u64, usize)>> = vec![None; order.len() + 1];
        let mut before: Vec<Option<usize>> = Vec::with_capacity(self.runs.len());
        let mut heaviest: Option<(u64, usize)> = None;
        for (i, run) in self.runs.iter().enumerate() {
            let rank = order.partition_point(|first| *first < run.first);
            let mut found: Option<(u64, usize)> = None;
            let mut n = rank;
            while n > 0 {
                found = heavier(found, best[n]);
                n &= n - 1;
            }
            before.push(found.map(|(_, i)| i));
            let mine = Some((found.map_or(0, |(weight, _)| weight) + run.len(), i));
            heaviest = heavier(heaviest, mine);
            let mut n = rank + 1;
            while n < best.len() {
                best[n] = heavier(best[n], mine);
                n += n & n.wrapping_neg();
            }
        }
        let mut stays = vec![false; self.runs.len()];
        let mut at = heaviest.map(|(_, i)| i);
        while let Some(i) = at {
            stays[i] = true;
            at = before[i];
        }
        for (run, _) in self.runs.iter().zip(stays).filter(|(_, stays)| !stays) {
            faults.push(Fault::Moved { from: run.first, to: run.last, at: run.at });
        }
    }

    fn missing(&self, faults: &mut Vec<Fault>) {
        let mut due = self.from;
        for run in &self.runs {
            if run.first > due {
                faults.push(Fault::Cut { from: due, to: run.first - 1, at: run.at });
            }
            due = due.max(run.last.saturating_add(1));
        }
    }

    /// Finds neighbours by number that do not link. An entry that links to neither side was rewritten; otherwise the earlier one was, because
    /// its successor does not know its hash.
    fn rewritten(&self, faults: &mut Vec<Fault>) {
        let runs = &self.runs;
        let broken = |i: usize| match i.checked_sub(1).and_then(|b| runs.get(b)) {
            Some(before) => runs.get(i).is_some_and(|r| before.last.checked_add(1) == Some(r.first) && !before.leads_to(r)),
            None => runs.get(i).is_some_and(|r| r.first == self.from && r.prev != self.link && !r.first_altered),
        };
        let mut i = 0;
        while i < runs.len() {
            if broken(i) {
                if i == 0 || runs[i].len() == 1 && broken(i + 1) {
                    faults.push(Fault::Rewritten { seq: runs[i].first, at: runs[i].at });
                    i += usize::from(runs[i].len() == 1 && broken(i + 1));
                } else {
                    faults.push(Fault::Rewritten { seq: runs[i - 1].last, at: runs[i - 1].last_at });
                }
            }
            i += 1;
        }
    }
}

/// The heavier of two choices; the first of equal ones.
fn heavier(a: Option<(u64, usize)>, b: Option<(u64, usize)>) -> Option<(u64, usize)> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.0 > a.0 { b } else { a }),
        (a, b) => a.or(b),
    }
}
