//! The cases chosen for a registry: a list of any length, in part on the disk.

use std::io;

use crate::cases::CasePlace;
use crate::spool::{Bytes, Spool, damaged, write_number};
use crate::workspace::store::FoundCase;

/// Bytes of cases that each list keeps in memory: some 30,000 cases.
const BUDGET: usize = 1 << 20;

/// A case chosen for a registry; `sum` is in kopecks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) id: i64,
    pub(super) package: i64,
    pub(super) sum: i64,
    /// PR_NOV of the export.
    pub(super) pr_nov: bool,
    pub(super) place: CasePlace,
}

impl Chosen {
    pub(super) fn of(case: FoundCase<'_>) -> Self {
        let FoundCase { id, package, sum, pr_nov, place, .. } = case;
        Self { id, package, sum, pr_nov, place }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let CasePlace { record, case, person } = &self.place;
        let numbers = [self.id as u64, self.package as u64, self.sum as u64, self.pr_nov.into()];
        let places = [record.start, record.end, case.start, case.end].into_iter().chain(person.iter().flat_map(|person| [person.start, person.end]));
        numbers.into_iter().chain(places).for_each(|number| write_number(out, number));
    }

    fn read(record: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(record);
        let mut number = || bytes.number();
        let (id, package, sum, pr_nov) = (number()? as i64, number()? as i64, number()? as i64, number()? != 0);
        let (record, case) = (number()?..number()?, number()?..number()?);
        let person = number().and_then(|start| Some(start..number()?));
        Some(Self { id, package, sum, pr_nov, place: CasePlace { record, case, person } })
    }
}

/// Chosen cases in the order of their ids.
#[derive(Debug)]
pub(super) struct ChosenCases {
    spool: Spool,
    count: usize,
    last: i64,
    is_ordered: bool,
    /// Ids of the packages of the cases, each when it differs from the one before.
    packages: Vec<i64>,
}

impl Default for ChosenCases {
    fn default() -> Self {
        Self { spool: Spool::with_budget(BUDGET), count: 0, last: 0, is_ordered: true, packages: Vec::new() }
    }
}

impl ChosenCases {
    /// Adds a case.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub(super) fn push(&mut self, case: &Chosen) -> io::Result<()> {
        self.is_ordered &= self.count == 0 || self.last < case.id;
        (self.last, self.count) = (case.id, self.count + 1);
        if self.packages.last() != Some(&case.package) {
            self.packages.push(case.package);
        }
        self.spool.push(|out| case.write(out))
    }

    /// Puts the cases in the order of their ids. They are added in that order unless the ids of packages grow otherwise than those of their cases.
    ///
    /// # Errors
    /// The temporary file cannot be read or written.
    pub(super) fn sort(&mut self) -> io::Result<()> {
        if self.is_ordered {
            return Ok(());
        }
        let mut all = self.iter().collect::<io::Result<Vec<Chosen>>>()?;
        all.sort_unstable_by_key(|case| case.id);
        *self = Self::default();
        all.iter().try_for_each(|case| self.push(case))
    }

    /// How many cases.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The cases; an item is an error when the temporary file cannot be read.
    pub(super) fn iter(&self) -> impl Iterator<Item = io::Result<Chosen>> + Send {
        let mut replay = self.spool.replay();
        std::iter::from_fn(move || {
            replay.next_record().map(|record| record.map(|record| Chosen::read(record).ok_or_else(damaged))).transpose().map(Result::flatten)
        })
    }

    /// Ids of the packages of the cases, each when it differs from the one before.
    pub(super) fn packages(&self) -> &[i64] {
        &self.packages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_come_back_in_the_order_of_their_ids() {
        let case = |id: i64| {
            let person = (id % 3 != 0).then_some(7..id as u64 + 9);
            let place = CasePlace { record: 1..u64::MAX, case: 5..id as u64 + 1_000_000, person };
            Chosen { id, package: id / 10, sum: -id, pr_nov: id % 2 == 0, place }
        };
        for ids in [vec![1, 2, 15, 40_000], vec![40_000, 15, 2, 1], vec![]] {
            let mut chosen = ChosenCases::default();
            ids.iter().for_each(|id| chosen.push(&case(*id)).expect("pushed"));
            chosen.sort().expect("sorted");
            let mut due: Vec<Chosen> = ids.into_iter().map(case).collect();
            due.sort_unstable_by_key(|case| case.id);
            assert_eq!(chosen.iter().collect::<io::Result<Vec<_>>>().expect("readable"), due);
            assert_eq!((chosen.len(), chosen.packages().len()), (due.len(), if due.is_empty() { 0 } else { 3 }));
        }
    }
}
