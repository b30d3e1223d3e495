//! Runs of entries, and what their order tells of a chain that is broken.

use std::collections::{HashMap, HashSet};

use super::fault::Fault;
use super::{Digest, Entry};

/// Consecutive entries that follow each other by number and by link.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) first: u64,
    pub(super) last: u64,
    /// Places of the first and the last entry.
    pub(super) at: u64,
    pub(super) last_at: u64,
    /// Links of the first and the last entry. The links of an altered entry prove nothing.
    pub(super) prev: Digest,
    pub(super) hash: Digest,
    pub(super) first_altered: bool,
    pub(super) last_altered: bool,
    /// The numbers of these entries were already used by an earlier run.
    pub(super) again: bool,
}

impl Run {
    /// The empty run before the first entry.
    pub(super) fn base(from: u64, link: Digest) -> Self {
        let last = from.saturating_sub(1);
        Self { first: from, last, at: 0, last_at: 0, prev: link, hash: link, first_altered: false, last_altered: false, again: false }
    }

    pub(super) fn of(seq: u64, at: u64, entry: &Entry, altered: bool, again: bool) -> Self {
        let (prev, hash) = (entry.prev, entry.hash);
        Self { first: seq, last: seq, at, last_at: at, prev, hash, first_altered: altered, last_altered: altered, again }
    }

    fn len(&self) -> u64 {
        if self.is_empty() { 0 } else { (self.last - self.first).saturating_add(1) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.last < self.first
    }

    /// Whether `next` continues this run.
    fn leads_to(&self, next: &Self) -> bool {
        self.last.checked_add(1) == Some(next.first) && (self.last_altered || next.first_altered || next.prev == self.hash)
    }
}

/// All runs, in the order in which they stand.
pub(super) struct Structure {
    pub(super) runs: Vec<Run>,
    /// The number and the link that the first entry of the chain must have.
    pub(super) from: u64,
    pub(super) link: Digest,
}

impl Structure {
    /// Finds the faults from the runs, and returns the runs that belong to the chain, by number.
    pub(super) fn read(mut self, faults: &mut Vec<Fault>) -> Vec<Run> {
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
                faults.push(Fault::Inserted { from: run.first, to: run.last, at: rival.last_at.saturating_sub(run.last - run.first).max(rival.at) });
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
                let run = &runs[i];
                if i == 0 && run.len() > 1 {
                    // Its successors link to it: the whole beginning has another origin.
                    faults.push(Fault::Detached { seq: run.first, at: run.at });
                } else if i == 0 || run.len() == 1 && broken(i + 1) {
                    faults.push(Fault::Rewritten { seq: run.first, at: run.at });
                    i += usize::from(run.len() == 1 && broken(i + 1));
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
