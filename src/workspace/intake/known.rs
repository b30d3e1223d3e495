//! The cases of a package by their keys, and the stored cases of which they may be versions: a few bytes a case, because there may be a million of each.

use std::collections::HashMap;
use std::ops::Range;

use rayon::prelude::*;

use crate::cases::{CaseKey, CaseState, PersonMark, Traits};
use crate::workspace::Problem;
use crate::workspace::store::{Clinic, KnownCase};

/// A case of the package to be judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'c> {
    pub(super) traits: Traits<'c>,
    pub(super) resemblance: i64,
    pub(super) content: i64,
    /// Reporting month of its package; empty for none.
    pub(super) period: &'c str,
    /// Whether its findings, or those of its package, keep it out of registries.
    pub(super) is_blocked: bool,
}

/// The cases of the package by their keys. A group, the cases of one key, is named by the place in `by_key` where it begins.
pub(super) struct Own<'c> {
    case: &'c (dyn Fn(usize) -> Candidate<'c> + Sync),
    /// Indexes of the cases by key, and within a key in the order of the package.
    by_key: Vec<u32>,
    /// The group of each case.
    groups: Vec<u32>,
}

impl<'c> Own<'c> {
    /// `case` gives each of the `count` cases by its index.
    pub(super) fn new(count: usize, case: &'c (dyn Fn(usize) -> Candidate<'c> + Sync)) -> Self {
        let mut by_key: Vec<u32> = (0..count as u32).collect();
        by_key.par_sort_unstable_by_key(|at| (case(*at as usize).traits.identity, *at));
        let mut groups = vec![0; count];
        let mut before: Option<(CaseKey, u32)> = None;
        for (place, at) in (0..).zip(&by_key) {
            let identity = case(*at as usize).traits.identity;
            let group = before.filter(|(key, _)| *key == identity).map_or(place, |(_, group)| group);
            groups[*at as usize] = group;
            before = Some((identity, group));
        }
        Self { case, by_key, groups }
    }

    /// How many cases.
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn case(&self, at: usize) -> Candidate<'c> {
        (self.case)(at)
    }

    /// The group of a case.
    pub(super) fn group(&self, at: usize) -> u32 {
        self.groups[at]
    }

    /// The cases of a group.
    pub(super) fn of_group(&self, group: u32) -> impl Iterator<Item = Candidate<'c>> {
        let members = self.by_key.get(group as usize..).unwrap_or_default().iter().map(|at| *at as usize);
        members.take_while(move |at| self.groups[*at] == group).map(|at| self.case(at))
    }

    /// The group of a key, if a case has it.
    fn find(&self, identity: CaseKey) -> Option<u32> {
        let of = |place: usize| self.case(self.by_key[place] as usize).traits.identity;
        let place = self.by_key.partition_point(|at| self.case(*at as usize).traits.identity < identity);
        (place < self.by_key.len() && of(place) == identity).then_some(place as u32)
    }

    /// One case of each key, in the order of the keys.
    fn one_of_each(&self) -> impl Iterator<Item = (u32, Candidate<'c>)> {
        let firsts = (0..self.by_key.len() as u32).filter(|place| self.groups[self.by_key[*place as usize] as usize] == *place);
        firsts.map(|place| (place, self.case(self.by_key[place as usize] as usize)))
    }
}

/// A stored case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored {
    pub(super) id: i64,
    pub(super) content: i64,
    person: PersonMark,
    date_to: u32,
    /// The group of the package's cases with its key; [`NONE`] when no case has it.
    group: u32,
    /// Index in [`Known::kinds`].
    kind: u32,
}

/// No group.
const NONE: u32 = u32::MAX;

/// What many stored cases have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct StoredKind {
    pub(super) state: CaseState,
    family: String,
    /// Reporting month of its package; empty for none.
    pub(super) period: String,
    /// Whether its findings, or those of its package, keep it out of registries.
    pub(super) is_blocked: bool,
}

/// Stored cases that have the identity or the resemblance of a case of the package.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// By group and id.
    all: Vec<Stored>,
    /// Where the cases of each place in [`Own::by_key`] begin in `all`; empty when there are none.
    begins: Vec<u32>,
    /// Resemblance and index in `all` of those that were asked for by their resemblance, by resemblance and id.
    alike: Vec<(i64, u32)>,
    kinds: Vec<StoredKind>,
    /// Indexes of the kinds, and the one used last.
    numbers: HashMap<StoredKind, u32>,
    last: u32,
    /// Versions that do not count yet. Each is a pair of ids: its own, and that of the case that it waits for. A version that may be the same as
    /// another case waits for that case. The second id is 0 when it waits for none.
    pending: Vec<(i64, i64)>,
}

impl Known {
    /// Looks up the keys of a package among all stored cases of its clinic.
    pub(super) fn look_up(clinic: &mut Clinic<'_>, own: &Own<'_>) -> Result<Self, Problem> {
        let mut known = Self::default();
        // For a clinic's first package there is nothing to look up.
        if !clinic.packages().has_any()? {
            return Ok(known);
        }
        clinic.cases().by_identity(own.one_of_each().map(|(_, case)| case.traits.identity.0), &mut |case| known.add(own, case))?;
        known.settle(own);
        let unmet = own.one_of_each().filter(|(group, _)| known.with_key(*group).is_empty()).flat_map(|(group, _)| own.of_group(group));
        let mut keys: Vec<i64> = unmet.filter(|case| case.resemblance != case.traits.identity.0).map(|case| case.resemblance).collect();
        keys.sort_unstable();
        clinic.cases().by_resemblance(keys.into_iter(), &mut |case| known.add_alike(own, case))?;
        known.settle_alike();
        Ok(known)
    }

    /// Takes in a stored case if a case of the package has its key.
    pub(super) fn add(&mut self, own: &Own<'_>, case: KnownCase<'_>) {
        // The query compares only the first half of an identity, so it may return other cases.
        if let Some(group) = own.find(case.identity) {
            self.push(case, group);
        }
    }

    /// Sorts what was taken in by keys.
    pub(super) fn settle(&mut self, own: &Own<'_>) {
        self.all.sort_unstable_by_key(|case| (case.group, case.id));
        self.begins.clear();
        if !self.all.is_empty() {
            let mut next = 0;
            self.begins.extend((0..=own.len() as u32).map(|group| {
                next += self.all[next..].iter().take_while(|case| case.group < group).count();
                next as u32
            }));
        }
    }

    /// Takes in a stored case that resembles one of the package.
    pub(super) fn add_alike(&mut self, own: &Own<'_>, case: KnownCase<'_>) {
        let resemblance = case.resemblance;
        let known = own.find(case.identity).and_then(|group| self.with_key(group).find(|at| self.all[*at as usize].id == case.id));
        let at = known.unwrap_or_else(|| self.push(case, NONE));
        self.alike.push((resemblance, at));
    }

    /// Sorts what was taken in by resemblances.
    pub(super) fn settle_alike(&mut self) {
        self.numbers = HashMap::new();
        self.pending.sort_unstable();
        self.alike.sort_unstable_by_key(|(resemblance, at)| (*resemblance, self.all[*at as usize].id));
    }

    fn push(&mut self, case: KnownCase<'_>, group: u32) -> u32 {
        let KnownCase { id, state, replaces, content, family, period, is_blocked, date_to, person, .. } = case;
        let is_of = |kind: &StoredKind| (kind.state, &*kind.family, &*kind.period, kind.is_blocked) == (state, family, period, is_blocked);
        if !self.kinds.get(self.last as usize).is_some_and(is_of) {
            let kind = StoredKind { state, family: family.to_owned(), period: period.to_owned(), is_blocked };
            self.last = *self.numbers.entry(kind).or_insert_with_key(|kind| {
                self.kinds.push(kind.clone());
                self.kinds.len() as u32 - 1
            });
        }
        if matches!(state, CaseState::Waiting | CaseState::Question) {
            self.pending.push((id, replaces));
        }
        self.all.push(Stored { id, content, person, date_to: u32::try_from(date_to).unwrap_or(0), group, kind: self.last });
        self.all.len() as u32 - 1
    }
}

impl Known {
    /// How many cases.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn case(&self, at: u32) -> &Stored {
        &self.all[at as usize]
    }

    /// The cases with the key of a group, by id.
    pub(super) fn with_key(&self, group: u32) -> Range<u32> {
        let place = |group: usize| self.begins.get(group).copied().unwrap_or(0);
        place(group as usize)..place(group as usize + 1)
    }

    /// The cases with a resemblance, by id.
    pub(super) fn with_resemblance(&self, resemblance: i64) -> impl Iterator<Item = u32> {
        let begin = self.alike.partition_point(|(other, _)| *other < resemblance);
        self.alike[begin..].iter().take_while(move |(other, _)| *other == resemblance).map(|(_, at)| *at)
    }

    pub(super) fn kind(&self, case: &Stored) -> &StoredKind {
        &self.kinds[case.kind as usize]
    }

    pub(super) fn state(&self, at: u32) -> CaseState {
        self.kind(self.case(at)).state
    }

    /// Id of the version that one which does not count yet waits for, or of the case that it may be the same as; 0 for none.
    pub(super) fn replaces(&self, case: &Stored) -> i64 {
        self.pending.binary_search_by_key(&case.id, |(id, _)| *id).map_or(0, |at| self.pending[at].1)
    }

    /// What a case is compared by with one of the package whose key it has.
    pub(super) fn traits(&self, case: &Stored, identity: CaseKey) -> Traits<'_> {
        Traits { identity, person: case.person, family: &self.kind(case).family, date_to: case.date_to.into() }
    }
}

impl Stored {
    /// The group of the package's cases with its key.
    pub(super) fn group(&self) -> Option<u32> {
        Some(self.group).filter(|group| *group != NONE)
    }
}
