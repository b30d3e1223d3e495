//! A journal of several chains for the tests.

use std::collections::BTreeMap;

use super::*;

/// A journal of several chains that grows as a store's does.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    pub(super) chains: BTreeMap<Chain, Vec<Entry>>,
    /// To what first entries link; `None` for nothing.
    pub(super) origin: Option<Digest>,
    written: u64,
}

impl Book {
    /// A journal with one entry for each of these chains.
    pub(super) fn of(chains: &[Chain]) -> Self {
        let mut book = Self::default();
        for chain in chains {
            book.add(chain);
            if *chain == Chain::Old {
                book.close();
            }
        }
        book
    }

    /// An empty journal whose first entries link to a hash.
    pub(super) fn beginning_with(origin: Digest) -> Self {
        Self { origin: Some(origin), ..Self::default() }
    }

    /// A journal that was migrated: 9 entries of the old chain, 3 daily ones, 11 and 9 of two clinics, of which the last two and three are named by
    /// no day.
    pub(super) fn migrated() -> Self {
        let mut book = Self::default();
        (0..8).for_each(|_| book.add(&Chain::Old));
        book.close();
        book.live();
        book
    }

    /// The same without the old chain.
    pub(super) fn fresh() -> Self {
        let mut book = Self::default();
        book.live();
        book
    }

    fn live(&mut self) {
        let (one, two) = (clinic("140001"), clinic("140002"));
        for (day, counts) in [("2026-11-25", (5, 4)), ("2026-11-26", (3, 0)), ("2026-11-27", (1, 2)), ("", (2, 3))] {
            (0..counts.0).for_each(|_| self.add(&one));
            (0..counts.1).for_each(|_| self.add(&two));
            if !day.is_empty() {
                self.day(day);
            }
        }
    }

    pub(super) fn append(&mut self, chain: &Chain, draft: Draft) {
        let entries = self.chains.entry(chain.clone()).or_default();
        let last = entries.last().map(|e| (e.seq, e.hash));
        entries.push(Entry::seal(chain.clone(), last, self.origin.unwrap_or(Digest::NONE), draft));
    }

    pub(super) fn add(&mut self, chain: &Chain) {
        self.written += 1;
        self.append(chain, draft(self.written));
    }

    /// Closes the old chain.
    pub(super) fn close(&mut self) {
        self.append(&Chain::Old, Draft { action: MIGRATE.to_owned(), ..draft(500) });
        self.origin = Some(self.chains[&Chain::Old].last().expect("closed").hash);
    }

    /// Writes a daily entry.
    pub(super) fn day(&mut self, day: &str) {
        let heads: Vec<_> = self.chains.iter().filter_map(|(chain, entries)| head_of(chain, entries)).collect();
        self.append(&Chain::Days, Draft { action: DAY.to_owned(), subject: day.to_owned(), details: day_details(&heads), ..draft(600) });
    }

    /// All entries in the order of the export.
    pub(super) fn entries(&self) -> Vec<Entry> {
        self.chains.values().flatten().cloned().collect()
    }

    pub(super) fn of_chain(&mut self, chain: &Chain) -> &mut Vec<Entry> {
        self.chains.get_mut(chain).expect("there")
    }
}

fn head_of(chain: &Chain, entries: &[Entry]) -> Option<(String, u64, Digest)> {
    let last = entries.last()?;
    matches!(chain, Chain::Clinic(_)).then(|| (chain.mo().to_owned(), last.seq, last.hash))
}

/// The faults of a verdict with their chains, the chain as a short word.
pub(super) fn found_in(verdict: &JournalVerdict) -> Vec<(String, Fault)> {
    verdict.faults().map(|(chain, fault)| (if matches!(chain, Chain::Clinic(_)) { chain.mo() } else { chain.word() }.to_owned(), fault.clone())).collect()
}
