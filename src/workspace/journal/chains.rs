//! Verifies a journal of several chains: each chain by itself, and what they say of each other.

use std::collections::BTreeMap;

use super::days::{DAY, day_heads};
use super::dues::{Day, Dues, Named};
use super::fault::{Fault, Verdict};
use super::verify::Verifier;
use super::{Chain, Digest, Entry, JournalHead};
use crate::values::Date;

/// The action of the entry that closes the old chain of a store that was migrated from version 1. Nothing follows it.
pub const MIGRATE: &str = "migrate";

/// How many chains are verified. Further ones are only counted, so that a damaged file cannot fill the memory.
const MAX_CHAINS: usize = 10_000;
/// How many heads of daily entries are kept at a time: about 50 bytes each. Ten years of 300 clinics are 1.1 million.
const MAX_DUE: usize = 4_000_000;

/// A line of an exported journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// An entry. [`JournalVerifier::line`] finds out whether it is intact and in its place.
    Entry {
        /// The entry of the line.
        entry: Box<Entry>,
        /// Whether it is written byte for byte as `write_jsonl` writes it.
        as_written: bool,
    },
    /// The line is no entry.
    Unreadable,
}

/// The verdict on one chain. Faults between chains stand in the chain that suffered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainVerdict {
    /// The chain.
    pub chain: Chain,
    /// What was found in it.
    pub verdict: Verdict,
}

/// The result of the verification of a whole journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalVerdict {
    /// Number of entries and unreadable lines that were read.
    pub looked_at: u64,
    /// The verdicts on the chains that have entries or faults, in the order of the export.
    pub chains: Vec<ChainVerdict>,
}

impl JournalVerdict {
    /// Whether there are no faults.
    pub fn is_sound(&self) -> bool {
        self.chains.iter().all(|c| c.verdict.is_sound())
    }

    /// All faults that were kept, chain by chain.
    pub fn faults(&self) -> impl Iterator<Item = (&Chain, &Fault)> {
        self.chains.iter().flat_map(|c| c.verdict.faults.iter().map(|fault| (&c.chain, fault)))
    }

    /// Number of faults that were not kept.
    pub fn more(&self) -> u64 {
        self.chains.iter().map(|c| c.verdict.more).sum()
    }

    /// The verdict on one chain; `None` if it has neither entries nor faults.
    pub fn of(&self, chain: &Chain) -> Option<&Verdict> {
        self.chains.iter().find(|c| c.chain == *chain).map(|c| &c.verdict)
    }
}

/// Verifies a journal in memory.
pub fn verify<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> JournalVerdict {
    run(JournalVerifier::new(), entries)
}

/// Verifies a journal against a head that was exported earlier. Entries after the head are verified like those before it.
pub fn verify_against<'e>(entries: impl IntoIterator<Item = &'e Entry>, head: &JournalHead) -> JournalVerdict {
    run(JournalVerifier::against(head), entries)
}

fn run<'e>(mut verifier: JournalVerifier, entries: impl IntoIterator<Item = &'e Entry>) -> JournalVerdict {
    for entry in entries {
        verifier.push(entry);
    }
    verifier.finish()
}

/// A chain, and what daily entries name of it.
#[derive(Debug)]
struct Track {
    chain: Chain,
    verifier: Verifier,
    dues: Dues,
}

/// The end of the old chain.
#[derive(Debug, Default)]
struct OldEnd {
    /// Number and hash of the closing entry.
    closing: Option<(u64, Digest)>,
    /// Place of the first entry after it.
    continued: Option<u64>,
}

/// Verifies the entries of all chains as they come, whatever the order of the chains. The entries of each chain come in their own order.
///
/// In the order of the export little is kept: the state of each chain, and the heads of daily entries until their entries come.
#[derive(Debug, Default)]
pub struct JournalVerifier {
    /// Place of the last entry or line.
    at: u64,
    tracks: Vec<Track>,
    index: BTreeMap<Chain, usize>,
    /// The chain of the line before.
    before: Option<usize>,
    /// Unreadable lines since the last entry. Before the first entry they are its whole chain.
    unreadable: u64,
    old: OldEnd,
    /// The daily entries that were read, and the number of the last of them.
    days: Vec<Day>,
    last_day: u64,
    /// How many heads are due.
    due: usize,
    /// Whether a daily entry was read too late or named too much; the first of each is told.
    is_late: bool,
    is_full: bool,
    /// The first chain that is one too many, the place of its first entry, and the number of entries that were not looked at.
    surplus: Option<(Chain, u64, u64)>,
}

impl JournalVerifier {
    /// A verifier of a whole journal.
    pub fn new() -> Self {
        Self::default()
    }

    /// A verifier of a whole journal that compares it with a head.
    pub fn against(head: &JournalHead) -> Self {
        let mut this = Self::new();
        for of in &head.heads {
            let track = this.add(&of.chain);
            this.tracks[track].verifier.expect(of.seq, of.hash);
        }
        this
    }

    /// A verifier of the entries of one chain after this one.
    #[cfg(test)]
    pub(super) fn after(entry: &Entry) -> Self {
        let mut this = Self::new();
        let track = this.add(&entry.chain);
        this.tracks[track].verifier = Verifier::after(entry);
        this.before = Some(track);
        this
    }

    /// Verifies the next line of an export.
    pub fn line(&mut self, line: &Line) {
        match line {
            Line::Entry { entry, as_written } => self.take(entry, *as_written),
            Line::Unreadable => {
                self.at += 1;
                self.unreadable += 1;
                if let Some(before) = self.before {
                    self.tracks[before].verifier.unreadable(self.at);
                }
            }
        }
    }

    /// Verifies the next entry.
    pub fn push(&mut self, entry: &Entry) {
        self.take(entry, true);
    }

    fn take(&mut self, entry: &Entry, as_written: bool) {
        self.at += 1;
        let at = self.at;
        let altered = !entry.is_intact();
        let Some(track) = self.track_of(entry, altered) else {
            let (_, _, entries) = self.surplus.get_or_insert_with(|| (entry.chain.clone(), at, 0));
            *entries += 1;
            return;
        };
        let Track { chain, verifier, dues } = &mut self.tracks[track];
        match self.before {
            None => (1..=self.unreadable).for_each(|at| verifier.unreadable(at)),
            // Lines between two chains may have been entries of either.
            Some(before) if before != track => verifier.may_hide(self.unreadable),
            Some(_) => {}
        }
        (self.before, self.unreadable) = (Some(track), 0);
        let seq = verifier.push(entry, at, altered);
        if !as_written {
            verifier.note(Fault::NotAsWritten { seq: entry.seq, at });
        }
        if altered {
            return;
        }
        match chain {
            Chain::Old => self.old.take(entry, at),
            Chain::Days => self.day(entry, track),
            Chain::Clinic(_) => self.due -= usize::from(dues.meet(seq, entry.hash, at)),
        }
    }

    /// The chain to which an entry belongs; `None` if there are too many.
    fn track_of(&mut self, entry: &Entry, altered: bool) -> Option<usize> {
        // The chain that an altered entry names may be what was altered: then the entry fits the chain of the line before.
        if altered && let Some(before) = self.before.filter(|before| entry.due_hash_in(&self.tracks[*before].chain) == entry.hash) {
            return Some(before);
        }
        let of_before = self.before.filter(|before| self.tracks[*before].chain == entry.chain);
        let known = of_before.or_else(|| self.index.get(&entry.chain).copied());
        known.or_else(|| (self.tracks.len() < MAX_CHAINS).then(|| self.add(&entry.chain)))
    }

    /// Begins a chain, if there is none yet.
    fn add(&mut self, chain: &Chain) -> usize {
        if let Some(track) = self.index.get(chain) {
            return *track;
        }
        let link = if *chain == Chain::Old { Digest::NONE } else { self.link() };
        self.tracks.push(Track { chain: chain.clone(), verifier: Verifier::new(link), dues: Dues::default() });
        self.index.insert(chain.clone(), self.tracks.len() - 1);
        self.tracks.len() - 1
    }

    /// The hash to which first entries probably link: the end of the old chain, as far as it was read.
    fn link(&self) -> Digest {
        self.root().unwrap_or(Digest::NONE)
    }

    /// The hash to which the first entry of each chain but the old one must link; `None` if it cannot be told, since the end of the old chain is
    /// damaged.
    fn root(&self) -> Option<Digest> {
        match (self.old.closing, self.index.get(&Chain::Old).map(|old| &self.tracks[*old].verifier)) {
            (Some((_, hash)), _) => Some(hash),
            (None, Some(old)) if !old.is_empty() => old.end(),
            _ => Some(Digest::NONE),
        }
    }

    /// Takes the heads of an intact daily entry. One that stands before an earlier one is a fault of the chain of days, and its heads prove nothing.
    fn day(&mut self, entry: &Entry, track: usize) {
        let (seq, at) = (entry.seq, self.at);
        if seq <= self.last_day {
            return;
        }
        self.last_day = seq;
        if entry.draft.action != DAY {
            return;
        }
        let read = Date::of_iso(entry.draft.subject.as_bytes()).zip(day_heads(&entry.draft.details));
        let (Some((day, heads)), Ok(number)) = (read, u32::try_from(self.days.len())) else {
            self.tracks[track].verifier.note(Fault::DayUnreadable { seq, at });
            return;
        };
        self.days.push(Day { day, at });
        for (mo, seq, hash) in heads {
            let chain = Chain::Clinic(mo);
            let is_known = self.index.contains_key(&chain);
            if self.due >= MAX_DUE || !is_known && self.tracks.len() >= MAX_CHAINS {
                if !std::mem::replace(&mut self.is_full, true) {
                    self.tracks[track].verifier.note(Fault::TooMany { at });
                }
                return;
            }
            let clinic = self.add(&chain);
            let Track { verifier, dues, .. } = &mut self.tracks[clinic];
            match dues.name(seq, hash, number) {
                Named::Due => self.due += 1,
                Named::Known => {}
                Named::Back(before) => verifier.note(Fault::DayBack { seq, before, day, at }),
                Named::Late => {
                    if !std::mem::replace(&mut self.is_late, true) {
                        self.tracks[track].verifier.note(Fault::DayLate { day, at });
                    }
                }
            }
        }
    }

    /// How many runs, ranges, faults and daily entries are kept in memory, how many heads are due, and how many entries are remembered.
    #[cfg(test)]
    pub(super) fn kept(&self) -> (usize, usize, usize) {
        let dues = self.tracks.iter().map(|t| t.dues.kept());
        let (due, recent) = dues.fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
        assert_eq!(due, self.due, "the heads that are due are counted right");
        (self.tracks.iter().map(|t| t.verifier.kept()).sum::<usize>() + self.days.len(), due, recent)
    }

    /// Returns the verdict.
    pub fn finish(mut self) -> JournalVerdict {
        if self.before.is_none() && self.unreadable > 0 {
            let track = self.add(&Chain::Old);
            (1..=self.unreadable).for_each(|at| self.tracks[track].verifier.unreadable(at));
        }
        let mut root = self.root();
        if let Some((common, at)) = self.common_start().filter(|(common, _)| root.is_some_and(|root| root != *common)) {
            // All chains agree, so the old one is at fault and not they.
            root = Some(common);
            let track = self.add(&Chain::Old);
            self.tracks[track].verifier.note(Fault::EndDiffers { at });
        }
        let Self { at: looked_at, tracks, old, days, surplus, .. } = self;
        let mut chains = Vec::with_capacity(tracks.len());
        for Track { chain, verifier, dues } in tracks {
            let is_old = chain == Chain::Old;
            let mut closed = verifier.finish(if is_old { Some(Digest::NONE) } else { root });
            let mut between = dues.faults(&closed, &days);
            between.extend(if is_old { old.fault(closed.verdict.last) } else { None });
            if !between.is_empty() {
                closed.verdict.faults.extend(between);
                closed.verdict.faults.sort_by_key(Fault::at);
            }
            if closed.verdict.looked_at > 0 || !closed.verdict.is_sound() {
                chains.push(ChainVerdict { chain, verdict: closed.verdict });
            }
        }
        if let Some((chain, at, looked_at)) = surplus {
            chains.push(ChainVerdict { chain, verdict: Verdict { looked_at, last: None, faults: vec![Fault::TooMany { at }], more: 0 } });
        }
        chains.sort_by(|a, b| a.chain.cmp(&b.chain));
        JournalVerdict { looked_at, chains }
    }

    /// The hash to which the first entries of all chains but the old one link, if there are at least two and they agree; and the place of the first.
    fn common_start(&self) -> Option<(Digest, u64)> {
        let mut starts = self.tracks.iter().filter(|t| t.chain != Chain::Old).filter_map(|t| t.verifier.start());
        let (common, mut first) = starts.next()?;
        let mut count = 1;
        for (link, at) in starts {
            if link != common {
                return None;
            }
            (first, count) = (first.min(at), count + 1);
        }
        (count > 1).then_some((common, first))
    }
}

impl OldEnd {
    /// Takes an intact entry of the old chain.
    fn take(&mut self, entry: &Entry, at: u64) {
        match self.closing {
            Some((closing, _)) if entry.seq > closing => {
                self.continued.get_or_insert(at);
            }
            _ if entry.draft.action == MIGRATE => self.closing = Some((entry.seq, entry.hash)),
            _ => {}
        }
    }

    /// The fault of a chain that ends with this entry and was continued after it had been closed.
    fn fault(&self, last: Option<(u64, Digest)>) -> Option<Fault> {
        let ((closing, _), at, (to, _)) = (self.closing?, self.continued?, last?);
        Some(Fault::Continued { from: closing.saturating_add(1), to, at })
    }
}
