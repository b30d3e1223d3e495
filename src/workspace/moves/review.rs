//! Decisions of a payer who works in this program: take into review, accept, return, pay.

use std::collections::{BTreeMap, HashMap};

use serde_json::json;

use super::members::{Members, Taken, write_sanctions};
use crate::workspace::note::JournalNote;
use crate::workspace::store::Total;
use crate::workspace::workflow::{Cases, Move};
use crate::workspace::{Operation, Problem, Registry, Workspace};

/// A sanction: what a payer takes off a case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sanction {
    /// IDCASE in the registry; `None` if not given.
    pub idcase: Option<i64>,
    /// N_ZAP in the registry; `None` if not given.
    pub n_zap: Option<i64>,
    /// SL_ID; `None` if not given.
    pub sl_id: Option<String>,
    /// Code of the reason (F014).
    pub code: String,
    /// Sum taken off, kopecks; `None` for the whole case.
    pub sum: Option<i64>,
    /// The payer's comment.
    pub comment: String,
    /// Line of the file that states it; 0 when it does not come from a file.
    pub line: u64,
}

/// A sanction that does not fit the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SanctionTrouble {
    /// The registry has no such case. The value is the line of the sanction.
    NoCase(u64),
    /// Several cases of the registry have the number that the sanction names. The value is the line of the sanction.
    Several(u64),
    /// The sanction takes off more than the case costs: line of the sanction, kopecks taken off, kopecks of the case.
    TooMuch(u64, i64, i64),
}

/// The result of a decision on a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The registry after the decision.
    pub registry: Registry,
    /// Number of cases refused whole.
    pub refused: u64,
    /// Sum taken off, kopecks.
    pub taken_off: i64,
}

impl Workspace {
    /// Makes a decision of the payer. Of several sanctions on one case the largest counts, not their sum (Q016, 003K.00.0250).
    ///
    /// # Errors
    /// The workflow does not allow it, or its conditions are not met. [`Workspace::sanction_troubles`] tells which sanctions do not fit.
    pub fn review(&mut self, operation: &Operation<'_>, name: &str, by: Move, reason: &str, sanctions: &[Sanction], source: &str) -> Result<Decided, Problem> {
        self.trying(|this| this.review_once(operation, name, by, reason, sanctions, source))
    }

    fn review_once(&mut self, operation: &Operation<'_>, name: &str, by: Move, reason: &str, sanctions: &[Sanction], source: &str) -> Result<Decided, Problem> {
        let seen = self.see(name)?;
        let registry = &seen.registry;
        let mut facts = self.facts(registry)?;
        facts.reason = !reason.trim().is_empty();
        let (found, troubles, members) = self.find_cases(registry, sanctions)?;
        // Cases that left the registry earlier are neither accepted nor refused again: their sanctions are stored and take nothing off.
        let sums: HashMap<i64, i64> = members.held().map(|m| (m.case_id, m.sum)).collect();
        let mut off: BTreeMap<i64, i64> = BTreeMap::new();
        for sanction in found.iter().filter(|sanction| sums.contains_key(&sanction.case)) {
            let most = off.entry(sanction.case).or_default();
            *most = sanction.sum.max(*most);
        }
        let refused: Vec<i64> = off.iter().filter(|(case, sum)| sums.get(case).is_some_and(|all| *sum >= all)).map(|(case, _)| *case).collect();
        let held = self.store.of(&registry.mo).members().held(registry.id, registry.revision)?;
        facts.sanctions_fit = troubles.is_empty();
        facts.cases_left = (refused.len() as i64) < held.cases;
        let transition = self.allowed(operation, registry, by, facts)?;
        let taken_off: i64 = off.values().sum();
        let details = json!({
            "reason": reason, "sanctions": found.len(), "refused": refused.len(), "taken_off": taken_off, "cases": registry.cases, "sum": registry.sum, "source": source,
        });
        let note = JournalNote { subject: source, details, ..JournalNote::default() };
        let moved = self.make(operation, &seen, &transition, &refused, note, |clinic| {
            write_sanctions(clinic, operation, registry, &found, source)?;
            if matches!(transition.cases, Cases::Refuse) {
                let accepted = Total { cases: held.cases - refused.len() as i64, sum: held.sum - taken_off };
                clinic.registries().set_accepted(registry.id, accepted)?;
            }
            Ok(())
        })?;
        Ok(Decided { registry: moved, refused: refused.len() as u64, taken_off })
    }

    /// Which sanctions do not fit a registry, and why.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn sanction_troubles(&mut self, name: &str, sanctions: &[Sanction]) -> Result<Vec<SanctionTrouble>, Problem> {
        let registry = self.registry(name)?;
        Ok(self.find_cases(&registry, sanctions)?.1)
    }

    /// Matches sanctions with the cases of a registry. Returns the matched sanctions, the troubles and the cases.
    fn find_cases(&mut self, registry: &Registry, sanctions: &[Sanction]) -> Result<(Vec<Taken>, Vec<SanctionTrouble>, Members), Problem> {
        let (mut found, mut troubles) = (Vec::new(), Vec::new());
        if sanctions.is_empty() {
            return Ok((found, troubles, Members::default()));
        }
        let members = self.members_of(registry)?;
        for sanction in sanctions {
            let by_idcase = sanction.idcase.and_then(|n| members.by_idcase.get(&n)).map(std::slice::from_ref);
            let of_zap = |at: &&usize| sanction.n_zap.is_none_or(|n| members.all[**at].n_zap == n);
            let by_sl = || sanction.sl_id.as_ref().and_then(|sl| members.by_sl.get(sl)).map(Vec::as_slice);
            let by_zap = || sanction.n_zap.and_then(|n| members.by_zap.get(&n)).map(Vec::as_slice);
            let found_cases: Vec<usize> = match by_idcase {
                Some(one) => one.iter().filter(of_zap).copied().collect(),
                None => by_sl().or_else(by_zap).unwrap_or_default().iter().filter(of_zap).copied().collect(),
            };
            let member = match found_cases.as_slice() {
                [at] => &members.all[*at],
                [] => {
                    troubles.push(SanctionTrouble::NoCase(sanction.line));
                    continue;
                }
                _ => {
                    troubles.push(SanctionTrouble::Several(sanction.line));
                    continue;
                }
            };
            let sum = sanction.sum.unwrap_or(member.sum);
            if sum > member.sum {
                troubles.push(SanctionTrouble::TooMuch(sanction.line, sum, member.sum));
            }
            found.push(Taken { case: member.case_id, code: sanction.code.clone(), sum, comment: sanction.comment.clone() });
        }
        Ok((found, troubles, members))
    }
}
