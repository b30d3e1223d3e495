//! The payer's desk: a package that a clinic has sent becomes a registry with the payer, in the transaction that stores the package.
//!
//! A registry that was given back to the clinic and some of whose cases come again is given up for the new one, where the workflow table lets it: its other
//! cases are free. Cases that anything else holds keep the whole package out, because nobody is paid twice.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde_json::{Value, json};

use super::contents::Contents;
use super::matching::Verdict as Match;
use super::not_taken::{CaseElsewhere, NotTaken};
use crate::cases::{About, Case, CaseState};
use crate::registry::format::Role;
use crate::values::Month;
use crate::workspace::note::{JournalNote, record};
use crate::workspace::store::{Clinic, ListedCase, NewMember, PackageRow, Run, Total};
use crate::workspace::workflow::{Cases, Move, Transition, Workflow};
use crate::workspace::{Operation, Problem, Registry};

/// How many cases a refusal names.
const NAMED: usize = 10;

/// What makes registries of packages: the transition, and the table that allowed it.
pub(super) struct Desk<'w> {
    workflow: &'w Workflow,
    transition: &'w Transition,
}

/// What was read and stored of a package that becomes a registry.
pub(super) struct Sent<'p> {
    pub(super) contents: &'p Contents<'p>,
    pub(super) package: &'p PackageRow,
    /// Kind of care and payer of each case.
    pub(super) kinds: &'p [&'p str],
    pub(super) payers: &'p [&'p str],
    /// The new id of each case; 0 for one that is stored already.
    pub(super) new: &'p [i64],
    /// The id of each case that is stored already; 0 for a new one.
    pub(super) stored: &'p [i64],
    /// What the journal says of the load.
    pub(super) details: Value,
}

impl<'w> Desk<'w> {
    /// # Errors
    /// The workflow table does not allow it to the role.
    pub(super) fn open(workflow: &'w Workflow, operation: &Operation<'_>) -> Result<Self, Problem> {
        let transition = workflow.ask(None, Move::LoadAsPayer, &operation.actor.role).map_err(|refusal| Problem::refused(workflow, refusal))?;
        Ok(Self { workflow, transition })
    }

    /// Gives up the registries that hold cases of the package, if the table lets them be replaced. Returns whether there were any: cases stand otherwise then.
    pub(super) fn give_up_returned(
        &self,
        clinic: &mut Clinic<'_>,
        operation: &Operation<'_>,
        contents: &Contents<'_>,
        verdicts: &[Match],
    ) -> Result<bool, Problem> {
        let held = |verdict: &Match| match verdict {
            Match::Waits(id) | Match::Unchanged(id, CaseState::Held) => Some(*id),
            _ => None,
        };
        let held: Vec<i64> = verdicts.iter().filter_map(held).collect();
        let mut any = false;
        for registry in clinic.registries().holding(&held)? {
            let transition = self.workflow.ask(Some(&registry.status), Move::LoadAsPayer, &operation.actor.role);
            let Some(transition) = transition.ok().filter(|transition| transition.cases == Cases::Free) else { continue };
            let refused = clinic.cases().refused_whole(registry.id, registry.revision)?;
            clinic.registries().set_status(registry.id, &transition.to, operation.at)?;
            clinic.registries().set_accepted(registry.id, Total::default())?;
            clinic.cases().free_held(registry.id)?;
            clinic.cases().refuse_free(&refused)?;
            clinic.cases().settle_waiting()?;
            let touched = clinic.members().packages(registry.id)?;
            clinic.stock().recount(&touched)?;
            let note = JournalNote {
                action: &transition.id,
                registry: &registry.number,
                subject: &contents.file_name,
                before: &registry.status,
                after: &transition.to,
                details: json!({ "cases": registry.cases, "sum": registry.sum }),
            };
            record(clinic, operation, note)?;
            any = true;
        }
        Ok(any)
    }

    /// Makes sure that a new registry may have each case. Returns the ids of those that are stored already, 0 for the others.
    pub(super) fn check(&self, clinic: &mut Clinic<'_>, contents: &Contents<'_>, verdicts: &[Match]) -> Result<Vec<i64>, Problem> {
        use CaseState::{Aside, Free, Held, Paid, Question, Refused};
        let mut numbers = HashSet::new();
        if !contents.cases.iter().map(|case| number(case, Role::IdCase)).all(|idcase| idcase > 0 && numbers.insert(idcase)) {
            return Err(NotTaken::Numbers(contents.file_name.clone()).into());
        }
        let mut stored = Vec::with_capacity(verdicts.len());
        let mut elsewhere = Vec::new();
        for (case, verdict) in contents.cases.iter().zip(verdicts) {
            let (other, state) = match *verdict {
                Match::New | Match::Replaces(_) => {
                    stored.push(0);
                    continue;
                }
                Match::Unchanged(id, Free | Refused) => {
                    stored.push(id);
                    continue;
                }
                Match::Unchanged(id, state) => (id, state),
                Match::Waits(id) => (id, Held),
                Match::ReplacesAside(id) => (id, Aside),
                Match::Doubtful(id, About::Paid) => (id, Paid),
                Match::Doubtful(id, _) => (id, Question),
            };
            elsewhere.push(CaseElsewhere { n_zap: number(case, Role::NZap), idcase: number(case, Role::IdCase), case: other, state, registry: String::new() });
        }
        if elsewhere.is_empty() {
            return Ok(stored);
        }
        let more = elsewhere.len().saturating_sub(NAMED) as u64;
        elsewhere.truncate(NAMED);
        let mut ids: Vec<i64> = elsewhere.iter().map(|one| one.case).filter(|id| *id != 0).collect();
        ids.sort_unstable();
        ids.dedup();
        let registries: BTreeMap<i64, String> = clinic.listed().with_ids(&ids)?.into_iter().map(|ListedCase { id, registry, .. }| (id, registry)).collect();
        elsewhere.iter_mut().for_each(|one| one.registry = registries.get(&one.case).cloned().unwrap_or_default());
        Err(NotTaken::Cases(contents.file_name.clone(), elsewhere, more).into())
    }

    /// Stores the registry and its entry of the journal.
    pub(super) fn enter(&self, clinic: &mut Clinic<'_>, operation: &Operation<'_>, sent: Sent<'_>) -> Result<Registry, Problem> {
        let Sent { contents, package, kinds, payers, new, stored, mut details } = sent;
        let Some(Month { year, month }) = package.period else { return Err(NotTaken::NoMonth(contents.file_name.clone()).into()) };
        let id = clinic.counters().take(Run::Registries, 1)?;
        let at = operation.at.to_string();
        let registry = Registry {
            mo: package.mo.clone(),
            id,
            number: format!("{:02}{month:02}-{id}", year % 100),
            status: self.transition.to.clone(),
            since: at.clone(),
            revision: 1,
            payer: if package.payer.is_empty() { shared(payers) } else { package.payer.clone() },
            receiver: package.receiver.clone(),
            letters: package.letters.clone(),
            family: package.family.clone(),
            edition: package.edition.clone(),
            kind: shared(kinds),
            subdivision: String::new(),
            period: package.period.map_or_else(String::new, |period| period.to_string()),
            account_date: package.account_date.clone(),
            file_name: Path::new(&contents.file_name).file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()),
            object: package.main_object.clone(),
            cases: package.cases,
            persons: contents.persons.len() as i64,
            sum: package.sum,
            accepted_cases: 0,
            accepted_sum: 0,
            formed_at: at.clone(),
            // The day on which the clinic sent it is not known.
            sent_at: at,
        };
        clinic.registries().insert(&registry)?;
        let ids: Vec<i64> = new.iter().zip(stored).map(|(new, stored)| new.max(stored)).copied().collect();
        clinic.cases().hold(id, &ids)?;
        let members = contents.cases.iter().zip(&ids).zip(stored).map(|((case, case_id), stored)| NewMember {
            registry: id,
            revision: registry.revision,
            n_zap: number(case, Role::NZap),
            idcase: number(case, Role::IdCase),
            case_id: *case_id,
            id_pac: if *stored == 0 { "" } else { case.value(Role::IdPac) },
        });
        clinic.members().insert(members, operation.watch)?;
        let touched = clinic.members().packages(id)?;
        clinic.stock().recount(&touched)?;
        details["payer"] = json!(registry.payer);
        details["kind"] = json!(registry.kind);
        let Transition { id: action, to: after, .. } = self.transition;
        record(clinic, operation, JournalNote { action, registry: &registry.number, subject: &contents.file_name, after, details, ..JournalNote::default() })?;
        Ok(registry)
    }
}

/// The value that all cases share; empty if they differ.
fn shared(values: &[&str]) -> String {
    values.first().filter(|first| values.iter().all(|value| value == *first)).map_or_else(String::new, |first| (*first).to_owned())
}

fn number(case: &Case, role: Role) -> i64 {
    super::number(case.value(role))
}
