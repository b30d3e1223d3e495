//! Forms registries from cases.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::mpsc;
use std::thread;

use serde_json::json;

use super::TRIES;
use super::group::{Chosen, Group, Key, Package, Packages};
use super::resubmission::Again;
use super::writing::{AT_ONCE, Made, Parts, RegistryDraft, hear, party, write};
use crate::cases::CaseState;
use crate::values::{Date, Month};
use crate::workspace::note::{JournalNote, record};
use crate::workspace::store::{Clinic, NewMember, NewRevision, PackageRow, Run, StockKey, Total};
use crate::workspace::workflow::{Move, Transition};
use crate::workspace::{FindingFilter, Operation, Problem, Registry, Tables, Tools, Workspace};

/// Which cases to form; `None` means no filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormRequest {
    /// Reporting month of the packages.
    pub period: Month,
    /// Code of the insurer.
    pub payer: Option<String>,
    /// Kind of care.
    pub kind: Option<String>,
    /// Code of the subdivision.
    pub subdivision: Option<String>,
    /// Code of the clinic.
    pub mo: Option<String>,
}

/// A registry that was formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formed {
    /// The registry.
    pub registry: Registry,
    /// Number of its cases whose PR_NOV is not that of the export.
    pub differing: u64,
}

/// Why cases are left out of the registries to be formed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// They have findings of severity `error`.
    Blocked,
    /// They may be the same as other cases: the user must answer (`puomp load --doubtful`).
    Question,
    /// They are new versions of cases in a live registry.
    Waiting,
    /// The payer refused them and they were not corrected yet.
    Refused,
    /// They have no kind of care, or their package names no receiver.
    Unclear,
    /// They are in the registry of this number.
    Held(String),
}

/// Cases that match the request and will not be formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Why.
    pub why: Why,
    /// How many.
    pub cases: i64,
    /// Their sum, kopecks.
    pub sum: i64,
}

impl Workspace {
    /// Plans registries: the groups of cases to form, and the cases that are left out.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn form_plan(&mut self, request: &FormRequest) -> Result<(Vec<Group>, Vec<LeftOut>), Problem> {
        let period = request.period.to_string();
        let open = self.store.open_packages(request.period, request.mo.as_deref())?;
        let packages = packages(open);
        let mut left: BTreeMap<Why, (i64, i64)> = BTreeMap::new();
        let mut leave = |why, cases, sum| {
            let entry = left.entry(why).or_default();
            *entry = (entry.0 + cases, entry.1 + sum);
        };
        let asked = |mo: &str, payer: &str, kind: &str| {
            let is = |wanted: &Option<String>, own: &str| wanted.as_ref().is_none_or(|w| w == own);
            is(&request.mo, mo) && is(&request.payer, payer) && is(&request.kind, kind)
        };
        for stock in self.stock()?.into_iter().filter(|s| s.period == period && asked(&s.mo, &s.payer, &s.kind)) {
            let why = match stock.state {
                CaseState::Question => Why::Question,
                CaseState::Waiting => Why::Waiting,
                CaseState::Refused => Why::Refused,
                _ if stock.blocked => Why::Blocked,
                _ => continue,
            };
            leave(why, stock.cases, stock.sum);
        }
        for registry in self.registries()?.into_iter().filter(|r| r.period == period && asked(&r.mo, &r.payer, &r.kind)) {
            if self.tables.workflow.status(&registry.status).is_some_and(|s| s.live) {
                // Only an answer takes cases out of a registry.
                let was_sent = !registry.sent_at.is_empty();
                let held = if was_sent { self.store.of(&registry.mo).members().held(registry.id, registry.revision)? } else { registry.total() };
                leave(Why::Held(registry.number.clone()), held.cases, held.sum);
            }
        }
        let mut groups: Vec<Group> = Vec::new();
        for ((mo, id), package) in &packages {
            for case in self.store.of(mo).cases().free_of(*id)?.iter() {
                let case = case?;
                if !asked(&package.key.mo, case.payer, case.kind) || request.subdivision.as_ref().is_some_and(|s| *s != case.subdivision) {
                    continue;
                }
                if case.kind.is_empty() || party(&package.key.receiver).is_none() {
                    leave(Why::Unclear, 1, case.sum);
                    continue;
                }
                let at = groups.iter().position(|g| g.key.payer == case.payer && g.key.kind == case.kind && g.key.is_of(package)).unwrap_or(groups.len());
                if at == groups.len() {
                    let subdivision = request.subdivision.clone().unwrap_or_default();
                    let key = Key { payer: case.payer.to_owned(), kind: case.kind.to_owned(), subdivision, ..package.key.clone() };
                    groups.push(Group { key, period: request.period, sum: 0, date: None, chosen: Vec::new() });
                }
                let group = &mut groups[at];
                group.sum += case.sum;
                group.date = group.date.max(package.date);
                group.chosen.push(Chosen::of(case));
            }
        }
        // The largest group comes first: while it is stored, the other packages are controlled.
        groups.sort_unstable_by(|a, b| b.chosen.len().cmp(&a.chosen.len()).then_with(|| a.key.cmp(&b.key)));
        for group in &mut groups {
            group.chosen.sort_unstable_by_key(|c| c.id);
        }
        let left = left.into_iter().map(|(why, (cases, sum))| LeftOut { why, cases, sum }).collect();
        Ok((groups, left))
    }

    /// Forms one registry for each group, in their order, and calls `on_formed` for each one when it is stored. The package of a registry is
    /// written, controlled and kept before the short transaction that stores the registry; source packages are read once. The first failure
    /// ends the work; registries formed before it remain. `None` as `date` means the latest account date of the source packages, else the day of
    /// the operation.
    ///
    /// # Errors
    /// The role may not form registries, a package cannot be written or does not pass our own control, another program took one of the cases
    /// ([`Problem::Overtaken`]), or the work was stopped.
    pub fn form(
        &mut self,
        operation: &Operation<'_>,
        groups: &[Group],
        date: Option<Date>,
        tools: Tools<'_>,
        filter: FindingFilter<'_>,
        on_formed: &mut dyn FnMut(&Formed, &Tables),
    ) -> Result<(), Problem> {
        self.sweeping(operation, |this| {
            let workflow = &this.tables.workflow;
            let transition = workflow.ask(None, Move::FormNew, &operation.actor.role).map_err(|r| Problem::refused(workflow, r))?.clone();
            this.check_files(groups)?;
            let (mut left, mut tries) = (groups, TRIES);
            while let Some(first) = left.first() {
                operation.check()?;
                let batch = &left[..left.len().min(AT_ONCE)];
                let (formed, overtaken) = this.form_batch(operation, batch, date, &transition, tools, filter, on_formed)?;
                left = &left[formed..];
                if overtaken && formed == 0 {
                    tries -= 1;
                    if tries == 0 {
                        return Err(Problem::Overtaken(first.mo().to_owned()));
                    }
                }
            }
            Ok(())
        })
    }

    /// Forms registries until one cannot have the number under which it was written, because another program took it. Returns how many were formed
    /// and whether that happened.
    #[expect(clippy::too_many_arguments, reason = "the arguments of `form` and what it found out")]
    fn form_batch(
        &mut self,
        operation: &Operation<'_>,
        groups: &[Group],
        date: Option<Date>,
        transition: &Transition,
        tools: Tools<'_>,
        filter: FindingFilter<'_>,
        on_formed: &mut dyn FnMut(&Formed, &Tables),
    ) -> Result<(usize, bool), Problem> {
        let mut of_clinic: BTreeMap<&str, usize> = BTreeMap::new();
        groups.iter().for_each(|group| *of_clinic.entry(group.mo()).or_default() += 1);
        for (mo, count) in of_clinic {
            while !self.store.of(mo).counters().has_registries(count)? {
                self.locks.locked(&mut self.store, Some(mo), operation.watch, |store| store.of(mo).counters().take_registries())?;
            }
        }
        let mut next: HashMap<&str, i64> = HashMap::new();
        let mut drafts = Vec::with_capacity(groups.len());
        for group in groups {
            let id = match next.get(group.mo()) {
                Some(id) => *id,
                None => self.store.of(group.mo()).counters().peek(Run::Registries)?,
            };
            next.insert(group.mo(), id + 1);
            let number = format!("{:02}{:02}-{id}", group.period.year % 100, group.period.month);
            drafts.push(RegistryDraft { group, id, number, date: date.or(group.date).unwrap_or(operation.today) });
        }
        let parts = self.parts(&drafts)?;
        let Self { store, locks, objects, tables, .. } = self;
        let objects = &*objects;
        thread::scope(|scope| {
            let (sender, written) = mpsc::channel();
            scope.spawn(|| write(operation, objects, &drafts, parts, tools, sender));
            // A registry is stored while the next package is controlled.
            for (formed, draft) in drafts.iter().enumerate() {
                let made = hear(&written)?.passed(tools, filter)?;
                let mo = draft.group.mo();
                let registry = locks.change(store, operation, mo, |clinic| {
                    let mut counters = clinic.counters();
                    if (counters.peek(Run::Registries)?, counters.peek(Run::Packets(&made.run))?) != (draft.id, made.next) {
                        return Ok(None);
                    }
                    if !hold(clinic, draft)? {
                        return Err(Problem::Overtaken(mo.to_owned()));
                    }
                    enter(clinic, operation, draft, &made, transition).map(Some)
                })?;
                match registry {
                    Some(registry) => on_formed(&Formed { registry, differing: made.differing }, tables),
                    None => return Ok((formed, true)),
                }
            }
            Ok((drafts.len(), false))
        })
    }

    /// Forms a registry again from the current versions of its cases. Cases that the payer refused whole and nobody corrected leave it.
    ///
    /// # Errors
    /// The errors of [`Workspace::form`]; the workflow does not allow it; no case is left.
    pub fn form_again(
        &mut self,
        operation: &Operation<'_>,
        name: &str,
        date: Option<Date>,
        tools: Tools<'_>,
        filter: FindingFilter<'_>,
    ) -> Result<Formed, Problem> {
        self.sweeping(operation, |this| this.trying(|this| this.form_again_once(operation, name, date, tools, filter)))
    }

    fn form_again_once(
        &mut self,
        operation: &Operation<'_>,
        name: &str,
        date: Option<Date>,
        tools: Tools<'_>,
        filter: FindingFilter<'_>,
    ) -> Result<Formed, Problem> {
        let seen = self.see(name)?;
        let registry = &seen.registry;
        let (group, refused, corrected) = self.again(registry)?;
        let mut facts = self.facts(registry)?;
        facts.has_cases = !group.chosen.is_empty();
        facts.no_blocking = true;
        let transition = self.allowed(operation, registry, Move::FormAgain, facts)?;
        let date = date.or(group.date).unwrap_or(operation.today);
        let draft = RegistryDraft { group: &group, id: registry.id, number: registry.number.clone(), date };
        self.check_files(std::slice::from_ref(&group))?;
        let (sender, written) = mpsc::channel();
        let parts = self.parts(std::slice::from_ref(&draft))?;
        write(operation, &self.objects, std::slice::from_ref(&draft), parts, tools, sender);
        let made = hear(&written)?.passed(tools, filter)?;
        let revision = registry.revision + 1;
        let details = json!({
            "sha256": made.object, "cases": group.chosen.len(), "sum": group.sum, "revision": revision, "refused": refused.len(), "corrected": corrected.len(),
            "pr_nov": made.differing,
        });
        let note = JournalNote { subject: &made.file_name, details, ..JournalNote::default() };
        let registry = self.make(operation, &seen, &transition, &[], note, |clinic| {
            clinic.counters().set(Run::Packets(&made.run), made.packet)?;
            clinic.cases().free_held(registry.id)?;
            clinic.cases().mark_replaced(&corrected)?;
            clinic.cases().refuse_free(&refused)?;
            clinic.outbox().give_up(registry.id)?;
            let new = NewRevision {
                revision,
                account_date: date,
                file_name: &made.file_name,
                object: &made.object,
                total: group.total(),
                persons: made.persons as i64,
                formed_at: operation.at,
            };
            clinic.registries().set_revision(registry.id, &new)?;
            clinic.cases().hold(registry.id, &group.ids())?;
            add_members(clinic, operation, &draft, revision, &made)
        })?;
        Ok(Formed { registry, differing: made.differing })
    }

    /// Cancels a registry that has not been sent or was returned; its cases become free.
    ///
    /// # Errors
    /// The workflow does not allow it.
    pub fn form_cancel(&mut self, operation: &Operation<'_>, name: &str) -> Result<Registry, Problem> {
        self.trying(|this| {
            let seen = this.see(name)?;
            let registry = &seen.registry;
            let facts = this.facts(registry)?;
            let transition = this.allowed(operation, registry, Move::FormCancel, facts)?;
            let details = json!({ "cases": registry.cases, "sum": registry.sum });
            let note = JournalNote { details, ..JournalNote::default() };
            this.make(operation, &seen, &transition, &[], note, |clinic| clinic.outbox().give_up(registry.id))
        })
    }

    /// The cases for forming a registry again, the ids of the cases that leave it refused, and the ids of the versions that were replaced.
    fn again(&mut self, registry: &Registry) -> Result<(Group, Vec<i64>, Vec<i64>), Problem> {
        let mut clinic = self.store.of(&registry.mo);
        let refused = clinic.cases().refused_whole(registry.id, registry.revision)?;
        let corrected = clinic.cases().corrected(registry.id)?;
        let gone: HashSet<i64> = refused.iter().copied().collect();
        let found = clinic.cases().newest_of(registry.id)?;
        let mut chosen = found.iter().map(|case| case.map(Chosen::of)).collect::<Result<Vec<_>, _>>()?;
        chosen.retain(|c| !gone.contains(&c.id));
        chosen.sort_unstable_by_key(|c| c.id);
        let packages = self.packages_of(&registry.mo, &chosen)?;
        let own = || chosen.iter().filter_map(|c| packages.get(&(registry.mo.clone(), c.package)));
        let date = own().filter_map(|p| p.date).max().or_else(|| Date::of_iso(registry.account_date.as_bytes()));
        let first = own().next().map(|p| p.key.clone());
        let key = Key {
            mo: registry.mo.clone(),
            payer: registry.payer.clone(),
            receiver: registry.receiver.clone(),
            letters: registry.letters.clone(),
            family: registry.family.clone(),
            edition: registry.edition.clone(),
            kind: registry.kind.clone(),
            subdivision: registry.subdivision.clone(),
            persons_edition: first.as_ref().map_or_else(String::new, |k| k.persons_edition.clone()),
            binding: first.map_or_else(String::new, |k| k.binding),
        };
        Ok((Group { period: registry.month()?, sum: chosen.iter().map(|c| c.sum).sum(), key, date, chosen }, refused, corrected))
    }

    /// The heading and the source pieces for the package of each registry.
    fn parts(&mut self, drafts: &[RegistryDraft<'_>]) -> Result<Vec<Parts>, Problem> {
        let mut last: HashMap<String, i64> = HashMap::new();
        let mut parts = Vec::with_capacity(drafts.len());
        let mut known: HashMap<&str, Again> = HashMap::new();
        for draft in drafts {
            let mo = draft.group.mo();
            let packages = self.packages_of(mo, &draft.group.chosen)?;
            if !known.contains_key(mo) {
                known.insert(mo, self.tables.resubmission.of(&mut self.store.of(mo))?);
            }
            let again = &known[mo];
            let (mut name, run) = draft.name()?;
            let next = match last.get(&run) {
                Some(last) => last + 1,
                None => self.store.of(mo).counters().peek(Run::Packets(&run))?,
            };
            let mut packet = next;
            name.number = packet.to_string();
            // A name is never given twice, whatever the counter says.
            while self.store.of(mo).registries().has_file(&name.to_string())? {
                packet += 1;
                name.number = packet.to_string();
            }
            last.insert(run.clone(), packet);
            let (origins, pieces) = draft.pieces(&packages, &self.objects, again)?;
            let differing =
                draft.group.chosen.iter().zip(&pieces).filter(|(chosen, piece)| piece.pr_nov.is_some_and(|due| due != chosen.pr_nov)).count() as u64;
            parts.push(Parts { heading: draft.heading(name), run, next, packet, origins, pieces, differing });
        }
        Ok(parts)
    }

    /// Makes sure that the files which cases are taken from are the files that were loaded.
    fn check_files(&mut self, groups: &[Group]) -> Result<(), Problem> {
        let mut packages = Vec::new();
        for group in groups {
            packages.extend(self.package_rows(group.mo(), &group.chosen)?);
        }
        self.objects.check_all(packages.iter().flat_map(PackageRow::files))
    }

    /// The packages of these cases of a clinic, without those blocked by a finding about the whole package.
    fn packages_of(&mut self, mo: &str, cases: &[Chosen]) -> Result<Packages, Problem> {
        let open = self.package_rows(mo, cases)?;
        Ok(packages(open))
    }

    fn package_rows(&mut self, mo: &str, cases: &[Chosen]) -> Result<Vec<PackageRow>, Problem> {
        let ids: BTreeSet<i64> = cases.iter().map(|c| c.package).collect();
        self.store.of(mo).packages().open_with_ids(&Vec::from_iter(ids))
    }
}

fn packages(rows: Vec<PackageRow>) -> Packages {
    let package = |row: PackageRow| {
        let key = Key {
            mo: row.mo.clone(),
            payer: String::new(),
            receiver: row.receiver.clone(),
            letters: row.letters.clone(),
            family: row.family.clone(),
            edition: row.edition.clone(),
            persons_edition: row.persons_edition.clone(),
            kind: String::new(),
            subdivision: String::new(),
            binding: row.binding.clone(),
        };
        ((row.mo.clone(), row.id), Package { key, date: Date::of_iso(row.account_date.as_bytes()), row })
    };
    rows.into_iter().map(package).collect()
}

/// Moves the cases of a group from free to held in the counts of stock.
fn hold_stock(clinic: &mut Clinic<'_>, group: &Group) -> Result<(), Problem> {
    let mut moved: BTreeMap<i64, Total> = BTreeMap::new();
    for chosen in &group.chosen {
        moved.entry(chosen.package).or_default().add(chosen.sum);
    }
    let key = StockKey { kind: &group.key.kind, payer: &group.key.payer, state: CaseState::Free, blocked: false };
    moved.into_iter().try_for_each(|(package, total)| clinic.stock().shift(package, key, CaseState::Held, total))
}

/// Stores a new registry.
fn enter(clinic: &mut Clinic<'_>, operation: &Operation<'_>, draft: &RegistryDraft<'_>, made: &Made, transition: &Transition) -> Result<Registry, Problem> {
    let (group, key, at) = (draft.group, draft.group.key.clone(), operation.at.to_string());
    clinic.counters().take(Run::Registries, 1)?;
    clinic.counters().set(Run::Packets(&made.run), made.packet)?;
    let Total { cases, sum } = group.total();
    let registry = Registry {
        mo: key.mo,
        id: draft.id,
        number: draft.number.clone(),
        status: transition.to.clone(),
        since: at.clone(),
        revision: 1,
        payer: key.payer,
        receiver: key.receiver,
        letters: key.letters,
        family: key.family,
        edition: key.edition,
        kind: key.kind,
        subdivision: key.subdivision,
        period: group.period.to_string(),
        account_date: draft.date.to_string(),
        file_name: made.file_name.clone(),
        object: made.object.clone(),
        cases,
        persons: made.persons as i64,
        sum,
        accepted_cases: 0,
        accepted_sum: 0,
        formed_at: at,
        sent_at: String::new(),
    };
    clinic.registries().insert(&registry)?;
    add_members(clinic, operation, draft, registry.revision, made)?;
    hold_stock(clinic, group)?;
    let details = json!({
        "sha256": registry.object, "cases": cases, "sum": sum, "period": registry.period, "payer": registry.payer, "kind": registry.kind,
    });
    let (action, after) = (&transition.id, &transition.to);
    record(clinic, operation, JournalNote { action, registry: &registry.number, subject: &registry.file_name, after, details, ..JournalNote::default() })?;
    Ok(registry)
}

/// Marks the cases of a draft as held by its registry, if all of them are still free; returns whether they were.
fn hold(clinic: &mut Clinic<'_>, draft: &RegistryDraft<'_>) -> Result<bool, Problem> {
    clinic.cases().hold_free(draft.id, &draft.group.ids())
}

/// Stores the numbers that each case has in the registry's package.
fn add_members(clinic: &mut Clinic<'_>, operation: &Operation<'_>, draft: &RegistryDraft<'_>, revision: i64, made: &Made) -> Result<(), Problem> {
    let members = made.numbers.iter().map(|number| NewMember {
        registry: draft.id,
        revision,
        n_zap: number.n_zap as i64,
        idcase: number.idcase as i64,
        case_id: draft.group.chosen[number.piece].id,
        id_pac: number.id_pac.as_deref().unwrap_or_default(),
    });
    clinic.members().insert(members, operation.watch)
}
