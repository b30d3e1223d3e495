//! Record numbers and facts of cases for findings in the person file: users look for a person under the number of a record of the main file, or a card.
//!
//! The person file is read first. The walk of the main file then looks only for persons with findings: each costs twelve bytes, the number of the
//! first record that names the person, and within a budget the facts of its case. A file without findings costs nothing.

use std::io;
use std::sync::Arc;

use crate::finding::spool::Spool;
use crate::finding::{CaseFacts, Catalog, Finding, RuleIx};
use crate::spool::{Bytes, write_text};
use crate::values::hash;

/// Persons with findings, each as a hash of the ID_PAC that its findings carry.
#[derive(Debug, Default)]
pub(super) struct WantedPersons {
    /// Sorted hashes without repetitions.
    keys: Vec<u64>,
    /// Findings from which others follow: person, hash of the element's path, rule. Sorted.
    causes: Vec<(u64, u64, RuleIx)>,
}

impl WantedPersons {
    /// Collects the persons of the findings in a person file; `None` if there are none.
    ///
    /// # Errors
    /// The temporary file of findings cannot be read.
    pub(super) fn of(findings: &Spool, catalog: &Catalog) -> io::Result<Option<Self>> {
        let (mut keys, mut causes) = (Vec::new(), Vec::new());
        let mut replay = findings.iter()?;
        while let Some(view) = replay.next_view()? {
            let key = view.id_pac().map(key);
            if let Some(key) = key.filter(|_| view.follows_from.is_none() && catalog.cause(view.rule).is_some()) {
                causes.push((key, hash(0, view.path.as_bytes()), view.rule));
            }
            // Findings of one person follow each other.
            keys.extend(key.filter(|key| keys.last() != Some(key)));
        }
        keys.sort_unstable();
        keys.dedup();
        causes.sort_unstable();
        Ok((!keys.is_empty()).then_some(Self { keys, causes }))
    }

    /// The rule of a finding about an element of a person, from which others follow.
    pub(super) fn cause(&self, id_pac: &str, path: &str) -> Option<RuleIx> {
        let wanted = (key(id_pac), hash(0, path.as_bytes()));
        let at = self.causes.partition_point(|c| (c.0, c.1) < wanted);
        self.causes.get(at).filter(|c| (c.0, c.1) == wanted).map(|c| c.2)
    }

    /// The index of a person; `None` for one without findings.
    pub(super) fn number(&self, id_pac: &str) -> Option<usize> {
        self.keys.binary_search(&key(id_pac)).ok()
    }
}

fn key(id_pac: &str) -> u64 {
    hash(0, id_pac.as_bytes())
}

/// Bytes of records that are kept with the facts of their cases. Behind them only the numbers of records are kept.
const BUDGET: usize = 6 << 20;

/// The number of the first record of each wanted person, and the facts of its first case.
#[derive(Debug, Default)]
pub(super) struct PersonRecords {
    /// For each wanted person, the start of its record in `texts`; 0 means none.
    at: Vec<u32>,
    /// Length and bytes of each record; the first byte is unused.
    texts: Vec<u8>,
}

impl PersonRecords {
    pub(super) fn new(wanted: Option<&WantedPersons>) -> Self {
        Self { at: vec![0; wanted.map_or(0, |w| w.keys.len())], texts: vec![0] }
    }

    /// Appends the index of a wanted person, the number of a record that names the person, and the facts of its case to `out`.
    pub(super) fn write(number: usize, n_zap: &str, case: Option<&CaseFacts>, out: &mut Vec<u8>) {
        let mut record = Vec::new();
        write_text(&mut record, n_zap);
        if let Some(case) = case {
            case.write(&mut record);
        }
        if let (Ok(number), Ok(length)) = (u32::try_from(number), u16::try_from(record.len())) {
            out.extend_from_slice(&number.to_le_bytes());
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(&record);
        }
    }

    /// Adds what [`PersonRecords::write`] wrote for a piece; pieces come in the order of the file.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let mut bytes = Bytes(bytes);
        while let Some((number, record)) = next(&mut bytes) {
            if let Some(at) = self.at.get_mut(number as usize).filter(|at| **at == 0)
                && let Ok(here) = u32::try_from(self.texts.len())
            {
                let number_alone = Bytes(record).text().map_or(0, |n_zap| 1 + n_zap.len());
                let kept = if self.texts.len() < BUDGET { record } else { record.get(..number_alone).unwrap_or_default() };
                *at = here;
                self.texts.extend_from_slice(&(kept.len() as u16).to_le_bytes());
                self.texts.extend_from_slice(kept);
            }
        }
    }

    /// Gives a finding of the person file the number of the first record that names its person, and the facts of that record's case.
    pub(super) fn give(&self, wanted: &WantedPersons, finding: &mut Finding) {
        let number = finding.keys.id_pac.as_deref().and_then(|id| wanted.number(id));
        let at = number.and_then(|n| self.at.get(n)).map_or(0, |at| *at as usize);
        let record = || {
            let mut rest = Bytes(self.texts.get(at..).filter(|_| at > 0)?);
            let length = u16::from_le_bytes(rest.array()?);
            let mut record = Bytes(rest.take(usize::from(length))?);
            Some((record.text()?, CaseFacts::read(&mut record)))
        };
        if let Some((n_zap, case)) = record() {
            if finding.keys.n_zap.is_none() && !n_zap.is_empty() {
                finding.keys.n_zap = Some(n_zap.into());
            }
            finding.case = case.map(Arc::new);
        }
    }
}

/// The next person and record of those that [`PersonRecords::write`] wrote.
fn next<'a>(bytes: &mut Bytes<'a>) -> Option<(u32, &'a [u8])> {
    let number = u32::from_le_bytes(bytes.array()?);
    let length = u16::from_le_bytes(bytes.array()?);
    Some((number, bytes.take(usize::from(length))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Fact, FileRole, Keys};
    use crate::tables::RuleFiles;

    fn of(id_pac: &str) -> Finding {
        Finding { keys: Keys { id_pac: Some(id_pac.into()), ..Keys::default() }, ..Finding::of_file(RuleIx(1), FileRole::Persons) }
    }

    #[test]
    fn the_first_record_counts_and_only_wanted_persons_are_kept() {
        let catalog = Catalog::load(&RuleFiles::embedded()).expect("sound");
        let mut findings = Spool::default();
        for id in ["п-7", "a", "п-7", "nobody"] {
            findings.push(of(id)).expect("pushed");
        }
        findings.push(Finding::of_file(RuleIx(2), FileRole::Persons)).expect("pushed");
        let wanted = WantedPersons::of(&findings, &catalog).expect("readable").expect("some");
        let facts = CaseFacts::new(|fact| (fact == Fact::Card).then_some("К-7"));
        let write = |id: &str, record: &str, out: &mut Vec<u8>| {
            if let Some(number) = wanted.number(id) {
                PersonRecords::write(number, record, facts.as_ref().filter(|_| id == "п-7"), out);
            }
        };
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for (id, record) in [("b", "1"), ("п-7", "2"), ("п-7", "3")] {
            write(id, record, &mut first);
        }
        write("a", "4", &mut second);
        write("п-7", "5", &mut second);
        let mut records = PersonRecords::new(Some(&wanted));
        records.extend(&first);
        records.extend(&second);
        let given = |id: &str| {
            let mut finding = of(id);
            records.give(&wanted, &mut finding);
            (finding.keys.n_zap.as_deref().map(str::to_owned), finding.fact(Fact::Card).map(str::to_owned))
        };
        let due = |n_zap: Option<&str>, card: Option<&str>| (n_zap.map(str::to_owned), card.map(str::to_owned));
        assert_eq!(given("п-7"), due(Some("2"), Some("К-7")));
        assert_eq!(given("a"), due(Some("4"), None));
        assert_eq!((given("nobody"), given("b")), (due(None, None), due(None, None)));
        assert!(WantedPersons::of(&Spool::default(), &catalog).expect("readable").is_none());
    }

    #[test]
    fn behind_the_budget_only_numbers_are_kept() {
        let catalog = Catalog::load(&RuleFiles::embedded()).expect("sound");
        let mut findings = Spool::default();
        (0..3).for_each(|id: u32| findings.push(of(&id.to_string())).expect("pushed"));
        let wanted = WantedPersons::of(&findings, &catalog).expect("readable").expect("some");
        let facts = CaseFacts::new(|fact| (fact == Fact::Card).then_some("К-7"));
        let mut records = PersonRecords::new(Some(&wanted));
        for id in ["0", "1"] {
            let mut out = Vec::new();
            PersonRecords::write(wanted.number(id).expect("wanted"), "9", facts.as_ref(), &mut out);
            records.extend(&out);
            records.texts.resize(records.texts.len().max(BUDGET), 0);
        }
        let given = ["0", "1"].map(|id| {
            let mut finding = of(id);
            records.give(&wanted, &mut finding);
            (finding.keys.n_zap.is_some(), finding.case.is_some())
        });
        assert_eq!(given, [(true, true), (true, false)]);
    }
}
