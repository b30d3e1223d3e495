//! Moves of registries: each is one transition of `rules/workflow.toml`, one transaction and one entry of the journal.

mod form;
mod members;
mod receive;
mod review;
mod submit;
mod writing;

pub use form::{FormRequest, Group, LeftOut, Why};
pub use receive::Received;
pub use review::{Decided, Sanction, SanctionTrouble};
pub use submit::Submitted;

use super::draft::{Note, record};
use super::registries::count_stock;
use super::store::{Store, Value, int};
use super::workflow::{Cases, Move, Need, Transition};
use super::{Problem, Registry, Workspace, now};

/// What conditions of moves ask for.
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
}

impl Facts {
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
            // Nothing here signs yet.
            Need::SignatureTurn | Need::AllSignatures => false,
        }
    }
}

/// What a move says beyond itself.
#[derive(Debug, Default)]
struct Saying {
    subject: String,
    details: serde_json::Value,
}

impl Workspace {
    /// The transition that a command asks for, when the table and the conditions allow it.
    fn allowed(&self, registry: &Registry, by: Move, facts: Facts) -> Result<Transition, Problem> {
        let workflow = &self.tables.workflow;
        let transition =
            workflow.ask(Some(&registry.status), by, &self.actor.role).map_err(|refusal| Problem::refused(workflow, refusal.for_registry(&registry.number)))?;
        let unmet = transition.unmet(&|need| facts.holds(need));
        if unmet.is_empty() { Ok(transition.clone()) } else { Err(Problem::unmet(workflow, &registry.number, &unmet)) }
    }

    /// What the store says of a registry's cases.
    fn facts(&mut self, registry: &Registry) -> Result<Facts, Problem> {
        let row = self.store.row(
            "SELECT CAST(COUNT(*) AS BIGINT) AS cases, CAST(COALESCE(SUM(c.sum), 0) AS BIGINT) AS sum, CAST(COALESCE(SUM(c.errors), 0) AS BIGINT) AS errors \
             FROM members m JOIN cases c ON c.id = m.case_id WHERE m.registry = $1 AND m.revision = $2",
            &[registry.id.into(), registry.revision.into()],
        )?;
        let (cases, sum, errors) = match &row {
            Some(row) => (int(row, "cases")?, int(row, "sum")?, int(row, "errors")?),
            None => (0, 0, 0),
        };
        let waiting = self.store.number(
            "SELECT CAST(COUNT(*) AS BIGINT) FROM cases w JOIN cases o ON o.id = w.replaces WHERE w.state = 'waiting' AND o.registry = $1 AND o.registry <> 0",
            &[registry.id.into()],
        )?;
        Ok(Facts {
            has_cases: cases > 0,
            cases_current: waiting == 0,
            no_blocking: errors == 0,
            totals_agree: (cases, sum) == (registry.cases, registry.sum),
            sanctions_fit: true,
            cases_left: true,
            answer_fits: true,
            reason: false,
        })
    }

    /// Makes a move in one transaction. `refused` are the cases that the payer refused whole, `also` is done in between.
    fn make(
        &mut self,
        registry: &Registry,
        transition: &Transition,
        refused: &[i64],
        saying: Saying,
        also: impl FnOnce(&mut Store) -> Result<(), Problem>,
    ) -> Result<Registry, Problem> {
        let actor = self.actor.clone();
        self.store.transaction(|store| {
            let at = now();
            let moved: [Value<'_>; 3] = [(&transition.to).into(), (&at).into(), registry.id.into()];
            store.execute("UPDATE registries SET status = $1, since = $2 WHERE id = $3", &moved)?;
            let own = [registry.id.into()];
            match transition.cases {
                Cases::Hold | Cases::Take => {}
                Cases::Free => {
                    free_held(store, registry.id)?;
                }
                Cases::Refuse => {
                    // A case that left this registry before may stand in another one now.
                    let head = format!("UPDATE cases SET state = 'refused', registry = 0 WHERE state = 'held' AND registry = {} AND id IN", registry.id);
                    store.for_ids(&head, refused)?;
                }
                Cases::Pay => {
                    store.execute("UPDATE cases SET state = 'paid' WHERE registry = $1 AND registry <> 0 AND state = 'held'", &own)?;
                }
                Cases::Unpay => {
                    store.execute("UPDATE cases SET state = 'held' WHERE registry = $1 AND registry <> 0 AND state = 'paid'", &own)?;
                }
            }
            also(store)?;
            settle_waiting(store)?;
            count_members(store, registry)?;
            let note = Note {
                action: &transition.id,
                registry: &registry.number,
                subject: &saying.subject,
                before: &registry.status,
                after: &transition.to,
                details: saying.details,
            };
            record(store, &actor, note)
        })?;
        self.registry(&registry.number)
    }

    /// Takes a registry back from the payer.
    ///
    /// # Errors
    /// The table does not allow it, or no reason is given.
    pub fn withdraw(&mut self, name: &str, reason: &str) -> Result<Registry, Problem> {
        let registry = self.registry(name)?;
        let facts = Facts { reason: !reason.trim().is_empty(), ..self.facts(&registry)? };
        let transition = self.allowed(&registry, Move::Withdraw, facts)?;
        let details = serde_json::json!({ "reason": reason, "cases": registry.cases, "sum": registry.sum });
        self.make(&registry, &transition, &[], Saying { details, ..Saying::default() }, |store| leave_outbox(store, &registry))
    }
}

/// New versions whose old ones no registry holds any more take their place; those of paid ones become questions.
fn settle_waiting(store: &mut Store) -> Result<(), Problem> {
    store.execute(
        "UPDATE cases SET state = 'replaced' WHERE state IN ('free', 'refused') AND id IN (SELECT replaces FROM cases WHERE state = 'waiting')",
        &[],
    )?;
    store.execute(
        "UPDATE cases SET state = 'free' WHERE state = 'waiting' AND EXISTS (SELECT 1 FROM cases o WHERE o.id = cases.replaces AND o.state = 'replaced')",
        &[],
    )?;
    store.execute(
        "UPDATE cases SET state = 'question' WHERE state = 'waiting' AND EXISTS (SELECT 1 FROM cases o WHERE o.id = cases.replaces AND o.state = 'paid')",
        &[],
    )?;
    Ok(())
}

/// Counts the packages anew from which a registry has its cases, and those of their new versions.
fn count_members(store: &mut Store, registry: &Registry) -> Result<(), Problem> {
    let rows = store.rows(
        "SELECT DISTINCT c.package AS package FROM members m JOIN cases c ON c.id = m.case_id WHERE m.registry = $1 \
         UNION SELECT DISTINCT w.package FROM members m JOIN cases w ON w.replaces = m.case_id WHERE m.registry = $1 AND w.replaces <> 0",
        &[registry.id.into()],
    )?;
    let packages = rows.iter().map(|row| int(row, "package")).collect::<Result<Vec<_>, _>>()?;
    count_stock(store, &packages)
}

/// Cases that a registry holds are free again.
fn free_held(store: &mut Store, registry: i64) -> Result<(), Problem> {
    store.execute("UPDATE cases SET state = 'free', registry = 0 WHERE registry = $1 AND registry <> 0 AND state = 'held'", &[registry.into()])?;
    Ok(())
}

/// What was to go out and has not gone is not placed any more.
fn leave_outbox(store: &mut Store, registry: &Registry) -> Result<(), Problem> {
    store.execute("UPDATE outbox SET placed = 1 WHERE registry = $1", &[registry.id.into()])?;
    Ok(())
}
