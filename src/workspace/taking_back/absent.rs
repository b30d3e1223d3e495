//! Cases that a complete export of a month no longer has: the clinic has deleted them.

use std::collections::{BTreeMap, HashSet};

use super::kind::Taking;
use crate::cases::CaseKey;
use crate::workspace::{CaseId, CaseLine, Operation, Present, Problem, Workspace};

/// Free cases of a clinic, month and kind of file that its complete export does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// Code of the clinic.
    pub mo: String,
    /// Reporting month.
    pub period: String,
    /// Letters of the names of its files.
    pub letters: String,
    /// The cases.
    pub cases: Vec<CaseLine>,
}

impl Workspace {
    /// Free cases that are known and not among those of the packages, by clinic, month and letters of the file names: files of other letters may come
    /// another time. Cases about which a question is open are left alone, as are
    /// those that a registry holds or a payer refused.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn absent(&mut self, packages: &[Present]) -> Result<Vec<Absent>, Problem> {
        let mut present: BTreeMap<(&str, &str, &str), HashSet<CaseKey>> = BTreeMap::new();
        for package in packages {
            present.entry((&package.mo, &package.period, &package.letters)).or_default().extend(&package.keys);
        }
        let mut absent = Vec::new();
        for ((mo, period, letters), keys) in present {
            let free = self.store.of(mo).listed().free_of_month(period, letters)?;
            let ids: Vec<i64> = free.into_iter().filter(|(_, key)| !keys.contains(key)).map(|(id, _)| id).collect();
            let cases = self.cases_with_ids(mo, &ids)?;
            if !cases.is_empty() {
                absent.push(Absent { mo: mo.to_owned(), period: period.to_owned(), letters: letters.to_owned(), cases });
            }
        }
        Ok(absent)
    }

    /// Drops these cases, as [`Workspace::take_cases`] does.
    ///
    /// # Errors
    /// The errors of [`Workspace::take_cases`].
    pub fn drop_absent(&mut self, operation: &Operation<'_>, absent: &Absent, reason: &str) -> Result<(), Problem> {
        let cases: Vec<CaseId> = absent.cases.iter().map(|line| CaseId { mo: absent.mo.clone(), id: line.case.id }).collect();
        self.take_cases(operation, &cases, Taking::Drop, reason)
    }
}
