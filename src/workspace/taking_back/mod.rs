//! What is wrong can be taken back: cases are dropped, set aside and released, and a package is taken back whole. Nothing is deleted: what was, stays in
//! the store and in the journal.

mod absent;
mod error;
mod undo;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

pub use absent::Absent;
pub use error::{CaseTrouble, TakingError};
pub use undo::{Undone, Unloaded};

use super::note::{JournalNote, record};
use super::{CaseId, Operation, Problem, Workspace};
use crate::cases::CaseState;

/// The actions in the journal.
pub(super) const DROP: &str = "drop";
pub(super) const HOLD: &str = "hold";
pub(super) const RELEASE: &str = "release";
pub(super) const UNDO: &str = "undo";

/// What a user does with cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// They are not billed: the clinic has taken them back.
    Drop,
    /// They are set aside until they are released.
    Hold,
    /// They are again what they were before they were dropped or set aside.
    Release,
}

impl Taking {
    /// The action in the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drop => DROP,
            Self::Hold => HOLD,
            Self::Release => RELEASE,
        }
    }

    /// The states from which it can be done.
    fn from(self) -> &'static [CaseState] {
        match self {
            Self::Drop => &[CaseState::Free, CaseState::Aside, CaseState::Refused, CaseState::Question, CaseState::Waiting],
            Self::Hold => &[CaseState::Free],
            Self::Release => &[CaseState::Aside, CaseState::Dropped],
        }
    }
}

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
                if now.len() != ids.len() || now.iter().any(|case| !taking.from().contains(&case.state)) {
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
        Ok(stands_elsewhere.map(|case| CaseTrouble { id: case.id, state: case.state, registry: case.registry }).collect())
    }
}
