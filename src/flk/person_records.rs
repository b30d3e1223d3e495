//! Record numbers for findings in the person file: users look for a person under the number of a record of the main file.
//!
//! The person file is read first. The walk of the main file then looks only for persons with findings: each costs eight bytes and the number of the
//! first record that names the person. A file without findings costs nothing.

use std::io;

use super::keyset::hash;
use crate::finding::spool::Spool;
use crate::finding::{Catalog, Finding, RuleIx};

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

    fn number(&self, id_pac: &str) -> Option<usize> {
        self.keys.binary_search(&key(id_pac)).ok()
    }

    /// Appends the person's index and the number of the record to `out`, if the person is wanted.
    pub(super) fn write(&self, id_pac: &str, n_zap: &str, out: &mut Vec<u8>) {
        let (Some(number), Ok(length)) = (self.number(id_pac), u8::try_from(n_zap.len())) else { return };
        out.extend_from_slice(&(number as u32).to_le_bytes());
        out.push(length);
        out.extend_from_slice(n_zap.as_bytes());
    }
}

fn key(id_pac: &str) -> u64 {
    hash(0, id_pac.as_bytes())
}

/// The number of the first record of each wanted person.
#[derive(Debug, Default)]
pub(super) struct PersonRecords {
    /// For each wanted person, the start of the record number in `texts`; 0 means none.
    at: Vec<u32>,
    /// Length and text of each record number; the first byte is unused.
    texts: Vec<u8>,
}

impl PersonRecords {
    pub(super) fn new(wanted: Option<&WantedPersons>) -> Self {
        Self { at: vec![0; wanted.map_or(0, |w| w.keys.len())], texts: vec![0] }
    }

    /// Adds what [`WantedPersons::write`] wrote for a piece; pieces come in the order of the file.
    pub(super) fn extend(&mut self, mut bytes: &[u8]) {
        while let Some((number, rest)) = bytes.split_first_chunk::<4>() {
            let length = 1 + usize::from(rest.first().copied().unwrap_or(0));
            let Some((text, rest)) = rest.split_at_checked(length) else { return };
            bytes = rest;
            if let Some(at) = self.at.get_mut(u32::from_le_bytes(*number) as usize).filter(|at| **at == 0)
                && let Ok(here) = u32::try_from(self.texts.len())
            {
                *at = here;
                self.texts.extend_from_slice(text);
            }
        }
    }

    /// Gives a finding of the person file the number of the first record that names its person.
    pub(super) fn give(&self, wanted: &WantedPersons, finding: &mut Finding) {
        let number = finding.keys.id_pac.as_deref().and_then(|id| wanted.number(id));
        let at = number.and_then(|n| self.at.get(n)).map_or(0, |at| *at as usize);
        if let (None, Some((length, text))) = (&finding.keys.n_zap, self.texts[at..].split_first().filter(|_| at > 0)) {
            finding.keys.n_zap = text.get(..usize::from(*length)).and_then(|t| std::str::from_utf8(t).ok()).map(Into::into);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{FileRole, Keys};
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
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for (id, record) in [("b", "1"), ("п-7", "2"), ("п-7", "3")] {
            wanted.write(id, record, &mut first);
        }
        wanted.write("a", "4", &mut second);
        wanted.write("п-7", "5", &mut second);
        let mut records = PersonRecords::new(Some(&wanted));
        records.extend(&first);
        records.extend(&second);
        assert_eq!(records.texts.len(), 1 + 2 + 2);
        let given = |id: &str| {
            let mut finding = of(id);
            records.give(&wanted, &mut finding);
            finding.keys.n_zap
        };
        assert_eq!((given("п-7").as_deref(), given("a").as_deref(), given("nobody"), given("b")), (Some("2"), Some("4"), None, None));
        assert!(WantedPersons::of(&Spool::default(), &catalog).expect("readable").is_none());
    }
}
