//! Finds the cases of a registry by the numbers that answers use.

use std::collections::HashMap;

use crate::workspace::store::{Clinic, Member, NewSanction, Registry};
use crate::workspace::{Operation, Problem, Workspace};

/// The cases of a registry; the maps give their indexes in `all` by the numbers that answers use.
#[derive(Default)]
pub(super) struct Members {
    pub(super) all: Vec<Member>,
    pub(super) by_idcase: HashMap<i64, usize>,
    pub(super) by_zap: HashMap<i64, Vec<usize>>,
    pub(super) by_sl: HashMap<String, Vec<usize>>,
    pub(super) by_pac: HashMap<String, Vec<usize>>,
}

impl Members {
    /// Cases that no earlier answer refused.
    pub(super) fn held(&self) -> impl Iterator<Item = &Member> {
        self.all.iter().filter(|member| !member.has_left)
    }
}

/// What is taken off a case, and why.
pub(super) struct Taken {
    pub(super) case: i64,
    /// Code of F014.
    pub(super) code: String,
    /// Kopecks.
    pub(super) sum: i64,
    pub(super) comment: String,
}

/// Stores sanctions; `source` is the name of the file that states them.
pub(super) fn write_sanctions(clinic: &mut Clinic<'_>, operation: &Operation<'_>, registry: &Registry, taken: &[Taken], source: &str) -> Result<(), Problem> {
    let sanctions = taken.iter().map(|one| NewSanction {
        registry: registry.id,
        revision: registry.revision,
        case_id: one.case,
        code: &one.code,
        sum: one.sum,
        comment: &one.comment,
        source,
    });
    clinic.sanctions().insert(sanctions, operation.watch)
}

impl Workspace {
    pub(super) fn members_of(&mut self, registry: &Registry) -> Result<Members, Problem> {
        let mut members = Members { all: self.store.of(&registry.mo).members().of(registry.id, registry.revision)?, ..Members::default() };
        for (at, member) in members.all.iter().enumerate() {
            members.by_idcase.insert(member.idcase, at);
            members.by_zap.entry(member.n_zap).or_default().push(at);
            members.by_pac.entry(member.id_pac.clone()).or_default().push(at);
            if !member.sl_id.is_empty() {
                members.by_sl.entry(member.sl_id.clone()).or_default().push(at);
            }
        }
        Ok(members)
    }
}
