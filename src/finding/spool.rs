//! A spool of findings: an ordered list of any length.
//!
//! Each finding is encoded to bytes at once. Bytes beyond the budget go to an unnamed temporary file, so a file in which every case is wrong
//! needs no more memory than a clean one.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;

use super::{CaseFacts, FileRole, Finding, Keys, Place, RuleIx};
use crate::spool::{self, Bytes, Records};
use crate::texts::Text;

/// Default number of bytes of findings that a spool keeps in memory.
pub const DEFAULT_BUDGET: usize = 512 << 10;

/// How many different paths are stored once each. The bound keeps a file full of invented element names from filling the memory.
const MAX_PATHS: usize = 4096;

/// An append-only list of findings with a count for each rule.
#[derive(Debug)]
pub struct Spool {
    budget: usize,
    counts: BTreeMap<RuleIx, u64>,
    followers: BTreeMap<RuleIx, u64>,
    paths: Paths,
    records: spool::Spool,
}

impl Default for Spool {
    fn default() -> Self {
        Self::with_budget(DEFAULT_BUDGET)
    }
}

impl Spool {
    /// A spool that keeps about `budget` bytes in memory.
    pub fn with_budget(budget: usize) -> Self {
        Self { budget, counts: BTreeMap::new(), followers: BTreeMap::new(), paths: Paths::default(), records: spool::Spool::with_budget(budget) }
    }

    /// Appends one finding.
    ///
    /// # Errors
    /// The spill file cannot be written.
    pub fn push(&mut self, finding: Finding) -> io::Result<()> {
        self.push_ref(&finding)
    }

    /// Appends a copy of one finding.
    ///
    /// # Errors
    /// The spill file cannot be written.
    pub fn push_ref(&mut self, finding: &Finding) -> io::Result<()> {
        match finding.follows_from {
            None => *self.counts.entry(finding.rule).or_default() += 1,
            Some(cause) => *self.followers.entry(cause).or_default() += 1,
        }
        let path = self.paths.intern(&finding.path);
        self.records.push(|out| record::write(out, path, finding))
    }

    /// Appends all findings of another spool after those of this one.
    ///
    /// # Errors
    /// The other spool's file cannot be read, or this spool's file cannot be written.
    pub fn append(&mut self, other: Self) -> io::Result<()> {
        if self.is_empty() {
            let budget = self.budget;
            *self = Self { budget, ..other };
            return self.records.set_budget(budget);
        }
        for (all, more) in [(&mut self.counts, &other.counts), (&mut self.followers, &other.followers)] {
            for (rule, count) in more {
                *all.entry(*rule).or_default() += count;
            }
        }
        let own: Vec<Option<u32>> = other.paths.list.iter().map(|path| self.paths.intern(path)).collect();
        let mut replay = other.records.replay();
        while let Some(record) = replay.next_record()? {
            let (path, body) = record::split(record)?;
            let text = path.map(|path| other.paths.list.get(path as usize).ok_or_else(spool::damaged)).transpose()?;
            match path.and_then(|path| own[path as usize]) {
                None if path.is_some() => self.records.push(|out| record::write_inline(out, text.map_or("", |text| text), body))?,
                own => self.records.push(|out| record::write_body(out, own, body))?,
            }
        }
        Ok(())
    }

    /// Removes the findings for which `keep` returns false.
    ///
    /// # Errors
    /// The spill file cannot be read or a new one cannot be written.
    pub fn retain(&mut self, mut keep: impl FnMut(&Finding) -> bool) -> io::Result<()> {
        let mut kept = Self::with_budget(self.budget);
        for finding in self.iter()? {
            let finding = finding?;
            if keep(&finding) {
                kept.push(finding)?;
            }
        }
        *self = kept;
        Ok(())
    }

    /// Changes findings in place. `change` must not change their rules.
    ///
    /// # Errors
    /// The spill file cannot be read or a new one cannot be written.
    pub fn change(&mut self, mut change: impl FnMut(&mut Finding)) -> io::Result<()> {
        let mut changed = Self::with_budget(self.budget);
        for finding in self.iter()? {
            let mut finding = finding?;
            change(&mut finding);
            changed.push(finding)?;
        }
        *self = changed;
        Ok(())
    }

    /// Number of findings, with those that follow from others.
    pub fn len(&self) -> u64 {
        self.counts.values().chain(self.followers.values()).sum()
    }

    /// Whether there are no findings.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty() && self.followers.is_empty()
    }

    /// The number of findings that follow from findings of each rule.
    pub fn followers(&self) -> &BTreeMap<RuleIx, u64> {
        &self.followers
    }

    /// The number of findings of each rule that stand on their own.
    pub fn counts(&self) -> &BTreeMap<RuleIx, u64> {
        &self.counts
    }

    /// The findings in the order in which they were pushed. Several replays may run at once.
    ///
    /// # Errors
    /// None at present; the items report a spill file that cannot be read.
    pub fn iter(&self) -> io::Result<Replay<'_>> {
        Ok(Replay { paths: &self.paths, records: self.records.replay() })
    }
}

/// Appends a finding to records in memory, where it takes a third of the room that a [`Finding`] does. Returns where it begins.
pub fn pack(finding: &Finding, into: &mut Records) -> usize {
    into.push(|out| record::write(out, None, finding))
}

/// The finding that begins at `start`.
///
/// # Errors
/// [`pack`] did not put one there.
pub fn unpack(records: &Records, start: usize) -> io::Result<Finding> {
    let (_, body) = record::split(records.at(start)?)?;
    record::read(None, body).map(|view| view.to_finding())
}

/// A table of different paths.
#[derive(Debug, Default)]
struct Paths {
    list: Vec<Arc<str>>,
    ids: HashMap<Arc<str>, u32>,
    /// Id of the path used last: consecutive findings often share a path, and comparing pointers is cheaper than hashing.
    last: u32,
}

impl Paths {
    fn intern(&mut self, path: &Arc<str>) -> Option<u32> {
        if self.list.get(self.last as usize).is_some_and(|last| Arc::ptr_eq(last, path)) {
            return Some(self.last);
        }
        if let Some(id) = self.ids.get(path) {
            self.last = *id;
            return Some(*id);
        }
        if self.list.len() >= MAX_PATHS {
            return None;
        }
        let id = self.list.len() as u32;
        self.list.push(Arc::clone(path));
        self.ids.insert(Arc::clone(path), id);
        self.last = id;
        Some(id)
    }
}

/// Findings read back from a [`Spool`].
#[derive(Debug)]
pub struct Replay<'a> {
    paths: &'a Paths,
    records: spool::Replay<'a>,
}

impl Replay<'_> {
    /// The next finding, without copying its texts; `None` at the end.
    ///
    /// # Errors
    /// The spill file cannot be read.
    pub fn next_view(&mut self) -> io::Result<Option<FindingView<'_>>> {
        let Some(record) = self.records.next_record()? else { return Ok(None) };
        let (path, body) = record::split(record)?;
        let path = path.map(|path| self.paths.list.get(path as usize).ok_or_else(spool::damaged)).transpose()?;
        record::read(path, body).map(Some)
    }
}

impl Iterator for Replay<'_> {
    type Item = io::Result<Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_view().map(|view| view.map(|v| v.to_finding())).transpose()
    }
}

/// A borrowed finding in a [`Spool`]; the fields mean the same as those of [`Finding`].
#[derive(Debug, Clone, Copy)]
pub struct FindingView<'a> {
    shared_path: Option<&'a Arc<str>>,
    /// The broken rule.
    pub rule: RuleIx,
    /// The file of the package.
    pub file: FileRole,
    /// The place in that file.
    pub place: Place,
    /// Element path.
    pub path: &'a str,
    /// The value.
    pub value: Option<&'a str>,
    /// Whether the value is personal data.
    pub personal: bool,
    /// What was expected.
    pub expected: Option<&'a str>,
    /// What was found instead.
    pub found: Option<&'a str>,
    /// What was probably meant, in Russian and in English.
    pub hint: Option<[&'a str; 2]>,
    /// The rule of the finding from which this one follows.
    pub follows_from: Option<RuleIx>,
    keys: [Option<&'a str>; 5],
    /// The facts about the case, read only when they are asked for; empty if there are none.
    case: Bytes<'a>,
}

impl FindingView<'_> {
    /// ID_PAC of the person.
    pub fn id_pac(&self) -> Option<&str> {
        self.keys[4]
    }

    /// Number of the record.
    pub fn n_zap(&self) -> Option<&str> {
        self.keys[0]
    }

    /// The facts about the case around the place.
    pub fn case(&self) -> Option<Arc<CaseFacts>> {
        CaseFacts::read(&mut { self.case }).map(Arc::new)
    }

    /// An owned copy of the finding.
    pub fn to_finding(&self) -> Finding {
        let [n_zap, idcase, sl_id, idserv, id_pac] = self.keys.map(|k| k.map(Box::from));
        Finding {
            rule: self.rule,
            file: self.file,
            place: self.place,
            path: self.shared_path.map_or_else(|| Arc::from(self.path), Arc::clone),
            keys: Keys { n_zap, idcase, sl_id, idserv, id_pac },
            case: self.case(),
            value: self.value.map(Box::from),
            personal: self.personal,
            expected: self.expected.map(Box::from),
            found: self.found.map(Box::from),
            hint: self.hint.map(|[ru, en]| Box::new(Text { ru: ru.to_owned(), en: en.to_owned() })),
            follows_from: self.follows_from,
        }
    }
}

/// The encoding of a finding: number of the path + 1 (0 when the body begins with the path), body.
mod record {
    use super::{Arc, FileRole, Finding, FindingView, Place, RuleIx, io};
    use crate::spool::{Bytes, damaged, write_number, write_text};

    const PERSONAL: u16 = 1 << 2;
    /// The number of the cause's rule follows the flags.
    const FOLLOWS: u16 = 1 << 15;
    /// The first of ten bits that say which texts are present.
    const TEXTS: u32 = 3;

    /// Appends a number of a path and a body.
    pub(super) fn write_body(out: &mut Vec<u8>, path: Option<u32>, body: &[u8]) {
        write_number(out, path.map_or(0, |p| u64::from(p) + 1));
        out.extend_from_slice(body);
    }

    /// Appends a body with its path before it.
    pub(super) fn write_inline(out: &mut Vec<u8>, path: &str, body: &[u8]) {
        write_number(out, 0);
        write_text(out, path);
        out.extend_from_slice(body);
    }

    /// Appends a finding.
    pub(super) fn write(out: &mut Vec<u8>, path: Option<u32>, finding: &Finding) {
        write_number(out, path.map_or(0, |p| u64::from(p) + 1));
        if path.is_none() {
            write_text(out, &finding.path);
        }
        let k = &finding.keys;
        let texts = [&k.n_zap, &k.idcase, &k.sl_id, &k.idserv, &k.id_pac, &finding.value, &finding.expected, &finding.found].map(Option::as_deref);
        let hint = finding.hint.as_deref();
        let texts = texts.into_iter().chain([hint.map(|h| &*h.ru), hint.map(|h| &*h.en)]);
        let mut flags = FileRole::ALL.iter().position(|r| *r == finding.file).unwrap_or(0) as u16;
        if finding.personal {
            flags |= PERSONAL;
        }
        for (bit, text) in texts.clone().enumerate() {
            flags |= u16::from(text.is_some()) << (TEXTS + bit as u32);
        }
        out.extend_from_slice(&finding.rule.0.to_le_bytes());
        flags |= finding.follows_from.map_or(0, |_| FOLLOWS);
        out.extend_from_slice(&flags.to_le_bytes());
        if let Some(cause) = finding.follows_from {
            out.extend_from_slice(&cause.0.to_le_bytes());
        }
        write_number(out, finding.place.offset);
        write_number(out, u64::from(finding.place.line));
        write_number(out, u64::from(finding.place.column));
        for text in texts.flatten() {
            write_text(out, text);
        }
        if let Some(case) = &finding.case {
            case.write(out);
        }
    }

    /// The number of the path and the body of a finding. `None` as the number means that the body begins with the path.
    pub(super) fn split(record: &[u8]) -> io::Result<(Option<u32>, &[u8])> {
        let mut rest = Bytes(record);
        let path = rest.number().ok_or_else(damaged)?.checked_sub(1).map(u32::try_from).transpose();
        Ok((path.map_err(|_| damaged())?, rest.0))
    }

    pub(super) fn read<'a>(path: Option<&'a Arc<str>>, body: &'a [u8]) -> io::Result<FindingView<'a>> {
        let parse = || {
            let mut rest = Bytes(body);
            let path_text = match path {
                Some(shared) => &**shared,
                None => rest.text()?,
            };
            let rule = RuleIx(u16::from_le_bytes(rest.array()?));
            let flags = u16::from_le_bytes(rest.array()?);
            let follows_from = if flags & FOLLOWS == 0 { None } else { Some(RuleIx(u16::from_le_bytes(rest.array()?))) };
            let place = Place { offset: rest.number()?, line: u32::try_from(rest.number()?).ok()?, column: u32::try_from(rest.number()?).ok()? };
            let mut texts = [None; 10];
            for (bit, text) in texts.iter_mut().enumerate() {
                if flags & (1 << (TEXTS + bit as u32)) != 0 {
                    *text = Some(rest.text()?);
                }
            }
            let [n_zap, idcase, sl_id, idserv, id_pac, value, expected, found, hint_ru, hint_en] = texts;
            Some(FindingView {
                shared_path: path,
                rule,
                file: *FileRole::ALL.get(usize::from(flags & 3))?,
                place,
                path: path_text,
                value,
                personal: flags & PERSONAL != 0,
                expected,
                found,
                hint: hint_ru.zip(hint_en).map(|(ru, en)| [ru, en]),
                follows_from,
                keys: [n_zap, idcase, sl_id, idserv, id_pac],
                case: rest,
            })
        };
        parse().ok_or_else(damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(n: u64) -> Finding {
        Finding {
            rule: RuleIx((n % 7) as u16),
            file: [FileRole::Container, FileRole::Persons, FileRole::Main][(n % 3) as usize],
            place: Place { offset: n * 1_000_003, line: n as u32, column: (n % 300) as u32 },
            path: Arc::from(format!("ZL_LIST/ZAP/E{}", n % 11)),
            keys: Keys {
                n_zap: Some(n.to_string().into()),
                idcase: n.is_multiple_of(2).then(|| "7".into()),
                sl_id: n.is_multiple_of(3).then(|| "57-1".into()),
                idserv: n.is_multiple_of(5).then(|| "".into()),
                id_pac: n.is_multiple_of(7).then(|| "П-1".into()),
            },
            case: n.is_multiple_of(3).then(|| CaseFacts::new(|fact| (fact as u64 % 3 == n % 3).then(|| format!("{fact:?}"))).map(Arc::new)).flatten(),
            value: n.is_multiple_of(4).then(|| "Иванов".repeat((n % 9) as usize).into()),
            personal: n.is_multiple_of(8),
            expected: n.is_multiple_of(6).then(|| "N(15.2)".into()),
            found: n.is_multiple_of(9).then(|| "3".into()),
            hint: n.is_multiple_of(10).then(|| Box::new(Text { ru: "похоже на A".into(), en: String::new() })),
            follows_from: n.is_multiple_of(10).then_some(RuleIx((n % 4) as u16)),
        }
    }

    fn back(spool: &Spool) -> Vec<Finding> {
        spool.iter().expect("a replay").map(|f| f.expect("readable")).collect()
    }

    #[test]
    fn every_field_comes_back_from_memory_and_from_the_file() {
        let findings: Vec<Finding> = (0..5000).map(full).collect();
        for budget in [1, 700, 100_000, DEFAULT_BUDGET] {
            let mut spool = Spool::with_budget(budget);
            for finding in &findings {
                spool.push(finding.clone()).expect("pushed");
            }
            assert_eq!(back(&spool), findings);
            let of = |rule: u16, follows: bool| findings.iter().filter(|f| f.rule.0 == rule && f.follows_from.is_some() == follows).count() as u64;
            assert_eq!((spool.len(), spool.counts()[&RuleIx(0)]), (5000, of(0, false)));
            assert_eq!(spool.followers().iter().map(|(cause, n)| (cause.0, *n)).collect::<Vec<_>>(), [(0, 250), (2, 250)]);
        }
    }

    #[test]
    fn replays_do_not_disturb_each_other() {
        let mut spool = Spool::with_budget(64);
        let findings: Vec<Finding> = (0..20_000).map(full).collect();
        for finding in &findings {
            spool.push_ref(finding).expect("pushed");
        }
        let (mut one, mut two) = (spool.iter().expect("a replay"), spool.iter().expect("a replay"));
        assert_eq!(one.nth(15_000).expect("there").expect("readable"), findings[15_000]);
        assert_eq!(two.next().expect("there").expect("readable"), findings[0]);
        assert_eq!(one.next().expect("there").expect("readable"), findings[15_001]);
        assert_eq!(two.count(), 19_999);
    }

    #[test]
    fn long_texts_and_many_paths() {
        let mut spool = Spool::with_budget(10_000);
        let findings: Vec<Finding> = (0..6000)
            .map(|n| Finding { path: Arc::from(format!("A/B{n}")), value: Some("ю".repeat(n * 3).into()), ..Finding::of_file(RuleIx(1), FileRole::Main) })
            .collect();
        for finding in &findings {
            spool.push_ref(finding).expect("pushed");
        }
        assert_eq!(spool.paths.list.len(), MAX_PATHS);
        assert_eq!(back(&spool), findings);
    }

    #[test]
    fn appended_findings_follow_the_own_ones() {
        for (first, second) in [(DEFAULT_BUDGET, DEFAULT_BUDGET), (50, 3000), (3000, 50)] {
            let (mut a, mut b) = (Spool::with_budget(first), Spool::with_budget(second));
            let findings: Vec<Finding> =
                (0..9000).map(|n| if n % 2 == 0 { full(n) } else { Finding { path: Arc::from(format!("X/{n}")), ..full(n) } }).collect();
            for (n, finding) in findings.iter().enumerate() {
                if n < 3500 { a.push_ref(finding) } else { b.push_ref(finding) }.expect("pushed");
            }
            let mut all = Spool::with_budget(first);
            all.append(a).expect("appended to an empty one");
            all.append(b).expect("appended");
            all.append(Spool::default()).expect("nothing appended");
            assert_eq!(all.len(), 9000);
            assert_eq!(back(&all), findings);
        }
    }

    #[test]
    #[ignore = "a measurement, for a quiet machine"]
    fn a_finding_costs_less_than_300_ns_each_way() {
        let finding = full(5040);
        let (mut spool, mut all) = (Spool::default(), Spool::default());
        all.push_ref(&finding).expect("pushed");
        let start = std::time::Instant::now();
        for _ in 0..1_000_000 {
            spool.push_ref(&finding).expect("pushed");
        }
        let pushed = start.elapsed();
        let mut replay = spool.iter().expect("a replay");
        while replay.next_view().expect("readable").is_some() {}
        let read = start.elapsed() - pushed;
        all.append(spool).expect("appended");
        let appended = start.elapsed() - pushed - read;
        assert!([pushed, read, appended].iter().all(|t| t.as_millis() < 300), "push {pushed:?}, read {read:?}, append {appended:?}");
    }
}
