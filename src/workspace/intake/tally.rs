//! Counts the findings of a package for each case and rule, and gives the counts in the order of cases and rules.
//!
//! Findings about the main file come nearly always in the order of its cases: counts of a record that is done go into a spool. What comes in another
//! order, as findings about persons do, is kept apart and merged at the end.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;

use crate::finding::spool::FindingView;
use crate::finding::{FileRole, RuleIx};
use crate::spool::{Bytes, Replay, Spool, damaged, write_number};

/// Bytes of counts that are kept in memory.
const BUDGET: usize = 1 << 20;

/// Findings of one rule in one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    /// Index of the case; `None` for findings about the whole package.
    pub(super) case: Option<u32>,
    pub(super) rule: RuleIx,
    /// File, line and path of the first of them, and its number among the findings of the package.
    pub(super) file: FileRole,
    pub(super) line: u32,
    path: u32,
    first: u64,
    pub(super) count: u64,
}

/// What the finding before was about: a record of the main file by its first case, or a person by its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Record(u32),
    Person(u32),
}

/// The counts of a package.
#[derive(Debug)]
pub(super) struct Tallies {
    /// How many findings have been counted.
    findings: u64,
    whole: BTreeMap<RuleIx, Tally>,
    /// What is being counted, and its counts.
    subject: Option<Subject>,
    current: BTreeMap<(u32, RuleIx), Tally>,
    /// Counts in the order of cases and rules, up to the case `last`.
    ordered: Spool,
    last: Option<u32>,
    /// The other counts. Those of one case and rule may stand here several times.
    late: Vec<Tally>,
    /// Different paths.
    paths: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl Default for Tallies {
    fn default() -> Self {
        Self {
            findings: 0,
            whole: BTreeMap::new(),
            subject: None,
            current: BTreeMap::new(),
            ordered: Spool::with_budget(BUDGET),
            last: None,
            late: Vec::new(),
            paths: Vec::new(),
            numbers: HashMap::new(),
        }
    }
}

impl Tally {
    /// Takes in the count of other findings of the same case and rule.
    fn merge(&mut self, other: Self) {
        let count = self.count + other.count;
        *self = Self { count, ..if other.first < self.first { other } else { *self } };
    }

    fn write(&self, case: u32, out: &mut Vec<u8>) {
        let file = FileRole::ALL.into_iter().position(|role| role == self.file).unwrap_or(0);
        let numbers = [case.into(), self.rule.0.into(), file as u64, self.line.into(), self.path.into(), self.first, self.count];
        numbers.into_iter().for_each(|number| write_number(out, number));
    }

    fn read(record: &[u8]) -> io::Result<Self> {
        let mut bytes = Bytes(record);
        let mut read = || {
            let (case, rule) = (u32::try_from(bytes.number()?).ok()?, u16::try_from(bytes.number()?).ok()?);
            let file = *FileRole::ALL.get(usize::try_from(bytes.number()?).ok()?)?;
            let (line, path) = (u32::try_from(bytes.number()?).ok()?, u32::try_from(bytes.number()?).ok()?);
            Some(Self { case: Some(case), rule: RuleIx(rule), file, line, path, first: bytes.number()?, count: bytes.number()? })
        };
        read().ok_or_else(damaged)
    }
}

impl Tallies {
    /// Counts a finding about the whole package.
    pub(super) fn add_to_package(&mut self, finding: &FindingView<'_>) {
        if let Some(known) = self.whole.get_mut(&finding.rule) {
            known.count += 1;
            return;
        }
        let tally = self.tally(finding);
        self.whole.insert(tally.rule, tally);
    }

    /// Counts a finding for each of these cases.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub(super) fn add(&mut self, subject: Subject, cases: &[u32], finding: &FindingView<'_>) -> io::Result<()> {
        if self.subject != Some(subject) {
            self.settle()?;
            self.subject = Some(subject);
        }
        // The path is kept of the first finding alone.
        let mut new = None;
        for case in cases {
            match self.current.get_mut(&(*case, finding.rule)) {
                Some(known) => known.count += 1,
                None => {
                    let tally = *new.get_or_insert_with(|| self.tally(finding));
                    self.current.insert((*case, finding.rule), Tally { case: Some(*case), ..tally });
                }
            }
        }
        Ok(())
    }

    fn tally(&mut self, finding: &FindingView<'_>) -> Tally {
        self.findings += 1;
        let path = match self.numbers.get(finding.path) {
            Some(path) => *path,
            None => {
                let (path, text) = (self.paths.len() as u32, Arc::<str>::from(finding.path));
                self.paths.push(Arc::clone(&text));
                self.numbers.insert(text, path);
                path
            }
        };
        Tally { case: None, rule: finding.rule, file: finding.file, line: finding.place.line, path, first: self.findings, count: 1 }
    }

    /// Puts the counts of the current subject away.
    fn settle(&mut self) -> io::Result<()> {
        let Some(((first, _), _)) = self.current.first_key_value() else { return Ok(()) };
        // Persons come before the records, whose counts would all be late if those of persons were taken for ordered ones.
        let is_ordered = matches!(self.subject, Some(Subject::Record(_))) && self.last.is_none_or(|last| last < *first);
        for ((case, _), tally) in std::mem::take(&mut self.current) {
            if is_ordered {
                self.ordered.push(|out| tally.write(case, out))?;
                self.last = Some(case);
            } else {
                self.late.push(tally);
            }
        }
        Ok(())
    }

    /// Ends the counting.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub(super) fn close(&mut self) -> io::Result<()> {
        self.settle()?;
        self.numbers = HashMap::new();
        self.late.sort_unstable_by_key(|tally| (tally.case, tally.rule, tally.first));
        Ok(())
    }

    /// The path of a count.
    pub(super) fn path(&self, tally: &Tally) -> &str {
        self.paths.get(tally.path as usize).map_or("", |path| path)
    }

    /// The counts: those about the whole package, then by case, for each by rule. Only after [`Tallies::close`].
    pub(super) fn iter(&self) -> impl Iterator<Item = io::Result<Tally>> {
        let mut merged = Merged { ordered: self.ordered.replay(), next: None, late: &self.late };
        let of_cases = std::iter::from_fn(move || merged.next().transpose());
        self.whole.values().copied().map(Ok).chain(of_cases)
    }
}

/// The counts of cases from the spool and the late ones.
struct Merged<'t> {
    ordered: Replay<'t>,
    /// The next count of the spool, if it was read already.
    next: Option<Tally>,
    late: &'t [Tally],
}

impl Merged<'_> {
    fn next(&mut self) -> io::Result<Option<Tally>> {
        if self.next.is_none() {
            self.next = self.ordered.next_record()?.map(Tally::read).transpose()?;
        }
        let key = |tally: &Tally| (tally.case, tally.rule);
        let mut found = match (self.next, self.late.first()) {
            (Some(next), Some(late)) if key(late) < key(&next) => *late,
            (Some(next), _) => {
                self.next = None;
                next
            }
            (None, Some(late)) => *late,
            (None, None) => return Ok(None),
        };
        let is_late = self.late.first() == Some(&found);
        self.late = &self.late[usize::from(is_late)..];
        while let Some((late, rest)) = self.late.split_first().filter(|(late, _)| key(late) == key(&found)) {
            found.merge(*late);
            self.late = rest;
        }
        Ok(Some(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::spool;
    use crate::finding::{Finding, Place};

    /// A finding: subject, cases, rule and line.
    type Told = (Option<Subject>, Vec<u32>, u16, u32);
    /// A count: case, rule, line of the first finding, and how many.
    type Count = (Option<u32>, u16, u32, u64);

    /// Findings counted in both ways.
    fn counted(findings: &[Told]) -> (Vec<Count>, Vec<Count>) {
        let (mut tallies, mut due) = (Tallies::default(), BTreeMap::<(Option<u32>, u16), (u32, u64)>::new());
        for (subject, cases, rule, line) in findings {
            let mut one = spool::Spool::default();
            let place = Place { line: *line, ..Place::default() };
            one.push(Finding { place, path: format!("A/{line}").into(), ..Finding::of_file(RuleIx(*rule), FileRole::Main) }).expect("pushed");
            let mut replay = one.iter().expect("a replay");
            let finding = replay.next_view().expect("readable").expect("one");
            match subject {
                None => tallies.add_to_package(&finding),
                Some(subject) => tallies.add(*subject, cases, &finding).expect("counted"),
            }
            let keys: Vec<Option<u32>> = if subject.is_none() { vec![None] } else { cases.iter().copied().map(Some).collect() };
            keys.into_iter().for_each(|case| due.entry((case, *rule)).or_insert((*line, 0)).1 += 1);
        }
        tallies.close().expect("closed");
        let found = tallies.iter().map(|tally| tally.expect("readable")).map(|tally| {
            assert_eq!(tallies.path(&tally), format!("A/{}", tally.line));
            (tally.case, tally.rule.0, tally.line, tally.count)
        });
        (found.collect(), due.into_iter().map(|((case, rule), (line, count))| (case, rule, line, count)).collect())
    }

    #[test]
    fn counts_are_those_of_a_map_in_any_order() {
        use Subject::{Person, Record};
        let one = |case: u32, rule, line| (Some(Record(case)), vec![case], rule, line);
        let in_order = vec![one(0, 3, 1), one(0, 1, 2), one(0, 3, 3), (None, vec![], 9, 4), one(4, 1, 5), (Some(Record(6)), vec![6, 7], 2, 6), one(9, 1, 8)];
        let mut mixed = vec![(Some(Person(0)), vec![4, 0, 9], 1, 20), (Some(Person(1)), vec![7], 5, 21), (Some(Person(0)), vec![4, 0, 9], 1, 22)];
        mixed.extend(in_order.clone());
        mixed.extend([one(4, 1, 30), one(4, 1, 31), one(0, 0, 32), (None, vec![], 9, 33), (Some(Record(6)), vec![7], 2, 34), one(10, 1, 35)]);
        for findings in [vec![], in_order, mixed] {
            let (found, due) = counted(&findings);
            assert_eq!(found, due);
        }
    }
}
