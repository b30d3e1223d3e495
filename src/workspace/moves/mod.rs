//! Moves of registries: each is one transition of `rules/workflow.toml`, one transaction and one entry of the journal.

mod chosen;
mod form;
mod group;
mod members;
mod numbers;
mod plan;
mod receive;
mod resubmission;
mod review;
mod submit;
mod writing;

pub use form::{FormEvent, Formed};
pub use group::Group;
pub use plan::{FormPlan, FormRequest, LeftOut, NamedCase, Why};
pub use receive::Received;
pub(super) use resubmission::Resubmission;
pub use review::{Decided, Sanction, SanctionTrouble};
pub use submit::Submitted;

use super::note::{JournalNote, record};
use super::store::{Clinic, MemberTotals, Total};
use super::workflow::{Cases, Move, Need, Transition};
use super::{Operation, Problem, Registry, Workspace};

/// Facts that are proven for a move. A condition of the workflow table is met only when its field is true.
#[derive(Debug, Clone, Copy, Default)]
struct Facts {
    reason: bool,
    has_cases: bool,
    cases_current: bool,
    no_blocking: bool,
    totals_agree: bool,
    answer_fits: bool,
    sanctions_fit: bool,
    cases_left: bool,
    not_returned: bool,
}

impl Facts {
    /// Facts that follow from the cases of a registry: their totals, the number of newer versions, and the totals that the registry states.
    fn of_cases(totals: &MemberTotals, waiting: i64, says: Total) -> Self {
        Self {
            has_cases: totals.cases > 0,
            cases_current: waiting == 0,
            no_blocking: totals.errors == 0,
            totals_agree: Total { cases: totals.cases, sum: totals.sum } == says,
            // The other facts depend on the move; its caller sets them.
            ..Self::default()
        }
    }

    fn holds(self, need: Need) -> bool {
        match need {
            Need::Reason => self.reason,
            Need::HasCases => self.has_cases,
            Need::CasesCurrent => self.cases_current,
            Need::NoBlocking => self.no_blocking,
            Need::TotalsAgree => self.totals_agree,
            Need::AnswerFits => self.answer_fits,
            Need::SanctionsFit => self.sanctions_fit,
            Need::CasesLeft => self.cases_left,
            Need::NotReturned => self.not_returned,
            // Signing does not exist yet.
            Need::SignatureTurn | Need::AllSignatures => false,
        }
    }
}

/// How often a move is tried anew when other programs change the same clinic meanwhile.
const TRIES: usize = 8;

/// A registry, and the number of the last entry of its clinic's journal when it was read. While that number stays, no registry, case or package of the
/// clinic has changed, so what was read of them outside the lock still holds inside it.
#[derive(Debug)]
struct Seen {
    registry: Registry,
    version: i64,
}

impl Workspace {
    /// The registry of a name for a move.
    fn see(&mut self, name: &str) -> Result<Seen, Problem> {
        let found = self.registry(name)?;
        self.see_again(&found)
    }

    /// The same registry as it is now.
    fn see_again(&mut self, registry: &Registry) -> Result<Seen, Problem> {
        // The version is read first: a change between the two is noticed then.
        let version = self.store.of(&registry.mo).journal().version()?;
        Ok(Seen { registry: self.registry_of(&registry.mo, registry.id)?, version })
    }

    /// Makes a move, and tries it anew when another program has changed the same clinic meanwhile.
    fn trying<T>(&mut self, mut work: impl FnMut(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        for _ in 1..TRIES {
            match work(self) {
                Err(Problem::Overtaken(_)) => {}
                done => return done,
            }
        }
        work(self)
    }

    /// The transition that a move needs, if the workflow table allows it and its conditions are met.
    fn allowed(&self, operation: &Operation<'_>, registry: &Registry, by: Move, facts: Facts) -> Result<Transition, Problem> {
        let workflow = &self.tables.workflow;
        let transition = workflow
            .ask(Some(&registry.status), by, &operation.actor.role)
            .map_err(|refusal| Problem::refused(workflow, refusal.for_registry(&registry.number)))?;
        let unmet = transition.unmet(&|need| facts.holds(need));
        if unmet.is_empty() { Ok(transition.clone()) } else { Err(Problem::unmet(workflow, &registry.number, &unmet)) }
    }

    /// Facts about the cases of a registry, read from the store.
    fn facts(&mut self, registry: &Registry) -> Result<Facts, Problem> {
        let mut clinic = self.store.of(&registry.mo);
        let totals = clinic.members().totals(registry.id, registry.revision)?;
        let waiting = clinic.cases().waiting_for(registry.id)?;
        Ok(Facts::of_cases(&totals, waiting, registry.total()))
    }

    /// Makes a move in one transaction and returns the registry after it. `refused` are the cases that the payer refused whole; `also` runs
    /// after the cases have changed state. Only `subject` and `details` of the note are used; the rest is filled in.
    ///
    /// # Errors
    /// [`Problem::Overtaken`]: the clinic has changed since the registry was read.
    fn make(
        &mut self,
        operation: &Operation<'_>,
        seen: &Seen,
        transition: &Transition,
        refused: &[i64],
        note: JournalNote<'_>,
        also: impl FnOnce(&mut Clinic<'_>) -> Result<(), Problem>,
    ) -> Result<Registry, Problem> {
        operation.check()?;
        let Seen { registry, version } = seen;
        self.change(operation, &registry.mo, |clinic| {
            if clinic.journal().version()? != *version {
                return Err(Problem::Overtaken(registry.mo.clone()));
            }
            clinic.registries().set_status(registry.id, &transition.to, operation.at)?;
            match transition.cases {
                Cases::Hold | Cases::Take => {}
                Cases::Free => {
                    clinic.cases().free_held(registry.id)?;
                    // What a payer accepted of it may be accepted once more in another registry.
                    clinic.registries().set_accepted(registry.id, Total::default())?;
                }
                Cases::Refuse => clinic.cases().refuse(registry.id, refused)?,
                Cases::Pay => clinic.cases().pay(registry.id)?,
                Cases::Unpay => clinic.cases().unpay(registry.id)?,
            }
            also(clinic)?;
            clinic.cases().settle_waiting()?;
            let touched = clinic.members().packages(registry.id)?;
            clinic.stock().recount(&touched)?;
            let (action, number) = (&transition.id, &registry.number);
            record(clinic, operation, JournalNote { action, registry: number, before: &registry.status, after: &transition.to, ..note })
        })?;
        self.registry_of(&registry.mo, registry.id)
    }

    /// Withdraws a sent registry from the payer.
    ///
    /// # Errors
    /// The workflow does not allow it, or the reason is empty.
    pub fn withdraw(&mut self, operation: &Operation<'_>, name: &str, reason: &str) -> Result<Registry, Problem> {
        self.trying(|this| {
            let seen = this.see(name)?;
            let registry = &seen.registry;
            let facts = Facts { reason: !reason.trim().is_empty(), ..this.facts(registry)? };
            let transition = this.allowed(operation, registry, Move::Withdraw, facts)?;
            let details = serde_json::json!({ "reason": reason, "cases": registry.cases, "sum": registry.sum });
            let note = JournalNote { details, ..JournalNote::default() };
            this.make(operation, &seen, &transition, &[], note, |clinic| clinic.outbox().give_up(registry.id))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_has_proven_meets_no_condition() {
        for need in Need::ALL {
            assert!(!Facts::default().holds(*need), "{need:?}");
        }
    }

    #[test]
    fn cases_prove_nothing_of_answers_sanctions_and_reasons() {
        let facts = Facts::of_cases(&MemberTotals::default(), 0, Total::default());
        let met: Vec<Need> = Need::ALL.iter().copied().filter(|need| facts.holds(*need)).collect();
        assert_eq!(met, [Need::CasesCurrent, Need::NoBlocking, Need::TotalsAgree]);
    }
}
