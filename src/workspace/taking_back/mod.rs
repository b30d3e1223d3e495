//! What is wrong can be taken back: cases are dropped, set aside and released, and a package is taken back whole. Nothing is deleted: what was, stays in
//! the store and in the journal.

mod absent;
mod error;
pub(super) mod kind;
mod undo;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

pub use absent::Absent;
pub use error::{CaseTrouble, TakingError};
pub use kind::Taking;
pub use undo::{Undone, Unloaded};

use super::note::{JournalNote, record};
use super::{CaseId, Operation, Problem, Workspace};
use crate::cases::CaseState;

impl Workspace {
    /// Drops, sets aside or releases cases: all of a clinic, or none of it.
    ///
    /// # Errors
    /// [`TakingError`]: the reason is empty, or a case stands where this cannot be done.
    pub fn take_cases(&mut self, operation: &Operation<'_>, cases: &[CaseId], taking: Taking, reason: &str) -> Result<(), Problem> {
        if reason.trim().is_empty() {
            return Err(TakingError::NoReason.into());
        }
        let mut of_clinic: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
        for case in cases {
            of_clinic.entry(&case.mo).or_default().insert(case.id);
        }
        // Looked at before anything is changed, because a change is of one clinic.
        let mut troubles = Vec::new();
        for (mo, ids) in &of_clinic {
            troubles.extend(self.troubles(mo, ids, taking)?);
        }
        if !troubles.is_empty() {
            return Err(TakingError::Cases(taking, troubles).into());
        }
        for (mo, ids) in of_clinic {
            let ids = Vec::from_iter(ids);
            self.change(operation, mo, |clinic| {
                let now = clinic.listed().with_ids(&ids)?;
                let mut packages: BTreeSet<i64> = now.iter().map(|case| case.package).collect();
                let is_succeeded = taking == Taking::Release && !clinic.cases().succeeded(&ids)?.is_empty();
                if now.len() != ids.len() || is_succeeded || now.iter().any(|case| !taking.from().contains(&case.state)) {
                    return Err(Problem::Overtaken(mo.to_owned()));
                }
                match taking {
                    Taking::Drop => clinic.cases().set_aside(CaseState::Dropped, &ids)?,
                    Taking::Hold => clinic.cases().set_aside(CaseState::Aside, &ids)?,
                    Taking::Release => {
                        clinic.cases().give_back(&ids, CaseState::Free)?;
                        // What it waited for may have left its registry meanwhile.
                        packages.extend(clinic.cases().packages_of_awaited(&ids)?);
                        clinic.cases().settle_waiting()?;
                    }
                }
                clinic.stock().recount(&Vec::from_iter(packages))?;
                let sum: i64 = now.iter().map(|case| case.sum).sum();
                let details = json!({ "cases": ids, "reason": reason, "sum": sum });
                record(clinic, operation, JournalNote { action: taking.as_str(), details, ..JournalNote::default() })
            })?;
        }
        Ok(())
    }

    fn troubles(&mut self, mo: &str, ids: &BTreeSet<i64>, taking: Taking) -> Result<Vec<CaseTrouble>, Problem> {
        let found = self.store.of(mo).listed().with_ids(&Vec::from_iter(ids.iter().copied()))?;
        let stands_elsewhere = found.into_iter().filter(|case| !taking.from().contains(&case.state));
        let mut troubles: Vec<CaseTrouble> =
            stands_elsewhere.map(|case| CaseTrouble { id: case.id, state: case.state, registry: case.registry, other: 0 }).collect();
        if taking == Taking::Release {
            let succeeded = self.store.of(mo).cases().succeeded(&Vec::from_iter(ids.iter().copied()))?;
            troubles.extend(succeeded.into_iter().map(|(id, other)| CaseTrouble { id, state: CaseState::Replaced, registry: String::new(), other }));
        }
        Ok(troubles)
    }
}
