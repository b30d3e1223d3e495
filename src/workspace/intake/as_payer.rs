//! The payer's desk: a package that a clinic has sent becomes a registry with the payer, in the transaction that stores the package.
//!
//! A registry that was given back to the clinic and some of whose cases come again is given up for the new one, where the workflow table lets it: its other
//! cases are free. Cases that anything else holds keep the whole package out, because nobody is paid twice.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
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
    /// Kind of care and payer of all cases; empty if they differ.
    pub(super) kind: &'p str,
    pub(super) payer: &'p str,
    /// The id of each case.
    pub(super) ids: &'p [i64],
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
        let mut numbers: Vec<i64> = Vec::with_capacity(verdicts.len());
        for batch in contents.cases.batches() {
            numbers.extend(batch?.cases()?.iter().map(|case| number(case, Role::IdCase)));
        }
        numbers.par_sort_unstable();
        if numbers.first().is_some_and(|first| *first <= 0) || !numbers.is_sorted_by(|a, b| a < b) {
            return Err(NotTaken::Numbers(contents.file_name.clone()).into());
        }
        drop(numbers);
        let mut stored = Vec::with_capacity(verdicts.len());
        // The first cases that stand elsewhere, with their indexes, and how many there are.
        let (mut first, mut count) = (Vec::new(), 0);
        for (at, verdict) in verdicts.iter().enumerate() {
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
            count += 1;
            if first.len() < NAMED {
                first.push((at, other, state));
            }
        }
        if count == 0 {
            return Ok(stored);
        }
        let mut elsewhere = Vec::new();
        for batch in contents.cases.batches() {
            let batch = batch?;
            let cases = batch.cases()?;
            for (at, other, state) in first.iter().filter(|(at, ..)| (batch.first..batch.first + cases.len()).contains(at)) {
                let case = &cases[at - batch.first];
                let (n_zap, idcase) = (number(case, Role::NZap), number(case, Role::IdCase));
                elsewhere.push(CaseElsewhere { n_zap, idcase, case: *other, state: *state, registry: String::new() });
            }
        }
        let more = count - elsewhere.len() as u64;
        let mut ids: Vec<i64> = elsewhere.iter().map(|one| one.case).filter(|id| *id != 0).collect();
        ids.sort_unstable();
        ids.dedup();
        let registries: BTreeMap<i64, String> = clinic.listed().with_ids(&ids)?.into_iter().map(|ListedCase { id, registry, .. }| (id, registry)).collect();
        elsewhere.iter_mut().for_each(|one| one.registry = registries.get(&one.case).cloned().unwrap_or_default());
        Err(NotTaken::Cases(contents.file_name.clone(), elsewhere, more).into())
    }

    /// Stores the registry and its entry of the journal.
    pub(super) fn enter(&self, clinic: &mut Clinic<'_>, operation: &Operation<'_>, sent: Sent<'_>) -> Result<Registry, Problem> {
        let Sent { contents, package, kind, payer, ids, stored, mut details } = sent;
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
            payer: if package.payer.is_empty() { payer.to_owned() } else { package.payer.clone() },
            receiver: package.receiver.clone(),
            letters: package.letters.clone(),
            family: package.family.clone(),
            edition: package.edition.clone(),
            kind: kind.to_owned(),
            subdivision: String::new(),
            period: package.period.map_or_else(String::new, |period| period.to_string()),
            account_date: package.account_date.clone(),
            file_name: Path::new(&contents.file_name).file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()),
            object: package.main_object.clone(),
            cases: package.cases,
            persons: contents.persons() as i64,
            sum: package.sum,
            accepted_cases: 0,
            accepted_sum: 0,
            formed_at: at.clone(),
            // The day on which the clinic sent it is not known.
            sent_at: at,
        };
        clinic.registries().insert(&registry)?;
        clinic.cases().hold(id, ids)?;
        for batch in contents.cases.batches() {
            let batch = batch?;
            let cases = batch.cases()?;
            let members = (batch.first..).zip(&cases).map(|(at, case)| NewMember {
                registry: id,
                revision: registry.revision,
                n_zap: number(case, Role::NZap),
                idcase: number(case, Role::IdCase),
                case_id: ids[at],
                id_pac: if stored[at] == 0 { "" } else { case.value(Role::IdPac) },
            });
            clinic.members().insert(members, operation.watch)?;
        }
        let touched = clinic.members().packages(id)?;
        clinic.stock().recount(&touched)?;
        details["payer"] = json!(registry.payer);
        details["kind"] = json!(registry.kind);
        let Transition { id: action, to: after, .. } = self.transition;
        record(clinic, operation, JournalNote { action, registry: &registry.number, subject: &contents.file_name, after, details, ..JournalNote::default() })?;
        Ok(registry)
    }
}

fn number(case: &Case<'_>, role: Role) -> i64 {
    super::number(case.value(role))
}
