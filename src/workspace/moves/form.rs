//! Forms registries from cases.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::sync::{Arc, mpsc};
use std::thread;

use serde_json::json;

use super::TRIES;
use super::chosen::{Chosen, ChosenCases};
use super::group::{Group, Key, Packages};
use super::numbers::Numbers;
use super::plan::{LeftOut, NAMED, Why, packages};
use super::resubmission::Again;
use super::writing::{AT_ONCE, Failure, Made, Parts, RegistryDraft, hear, write};
use crate::cases::CaseState;
use crate::values::Date;
use crate::workspace::note::{JournalNote, record};
use crate::workspace::store::{Clinic, NewMember, NewRevision, PackageRow, Run, StockKey, Total};
use crate::workspace::workflow::{Move, Transition};
use crate::workspace::{FindingFilter, Operation, Problem, Registry, Tables, Tools, Workspace};

/// A registry that was formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formed {
    /// The registry.
    pub registry: Registry,
    /// Number of its cases whose PR_NOV is not that of the export.
    pub differing: u64,
    /// Cases that left it, because the payer refused them whole and nobody corrected them.
    pub left: Total,
}

/// What happened to the cases that were to be formed.
#[derive(Debug)]
pub enum FormEvent<'e> {
    /// A registry was formed and stored.
    Formed(&'e Formed),
    /// These cases were left out of a registry, because with them it cannot be formed for this reason; it is tried without them.
    LeftOut(&'e LeftOut, &'e Problem),
    /// No registry could be formed of this group.
    Failed(&'e Group, &'e Problem),
}

/// How many registries of a batch were formed, and why no more.
struct Batch {
    formed: usize,
    end: End,
}

enum End {
    /// All were formed.
    Done,
    /// Another program took the number of the next one.
    Overtaken,
    /// The next one cannot be formed.
    Failed(Failure),
}

/// How many rows of members are held at once.
const MEMBERS: usize = 8_192;
/// How often one registry is tried anew without the cases because of which it could not be formed.
const DROPS: u32 = 500;

impl Workspace {
    /// Forms one registry for each group, in their order, and tells `on_event` of each. The package of a registry is
    /// written, controlled and kept before the short transaction that stores the registry; source packages are read once. A registry that cannot be
    /// formed does not keep the others back: cases because of which it cannot be are left out, and if that does not help, the whole group is. `None` as
    /// `date` means the latest account date of the source packages, else the day of the operation.
    ///
    /// # Errors
    /// The role may not form registries, the store or the disk fails, another program took one of the cases ([`Problem::Overtaken`]), or the work was
    /// stopped. Registries formed before remain.
    pub fn form(
        &mut self,
        operation: &Operation<'_>,
        groups: Vec<Group>,
        date: Option<Date>,
        tools: Tools<'_>,
        filter: FindingFilter<'_>,
        on_event: &mut dyn FnMut(FormEvent<'_>, &Tables),
    ) -> Result<(), Problem> {
        self.sweeping(operation, |this| {
            let workflow = &this.tables.workflow;
            let transition = workflow.ask(None, Move::FormNew, &operation.actor.role).map_err(|r| Problem::refused(workflow, r))?.clone();
            let mut left = this.undamaged(groups, on_event)?;
            let (mut tries, mut drops, mut failed) = (TRIES, DROPS, false);
            while let Some(first) = left.first() {
                operation.check()?;
                let mo = first.mo().to_owned();
                let batch = &left[..left.len().min(AT_ONCE)];
                let Batch { formed, end } = this.form_batch(operation, batch, date, &transition, tools, filter, on_event)?;
                left.drain(..formed);
                if formed > 0 {
                    drops = DROPS;
                }
                match end {
                    End::Done => {}
                    End::Overtaken if formed > 0 => {}
                    End::Overtaken => {
                        tries -= 1;
                        if tries == 0 {
                            return Err(Problem::Overtaken(mo));
                        }
                    }
                    End::Failed(failure) => {
                        failed = true;
                        let is_hopeless = failure.pieces.is_empty() || drops == 0;
                        if is_hopeless {
                            on_event(FormEvent::Failed(&left.remove(0), &failure.problem), &this.tables);
                            drops = DROPS;
                        } else {
                            drops -= 1;
                            this.drop_cases(&mut left[0], &failure, on_event)?;
                            left.retain(|group| !group.chosen.is_empty());
                        }
                    }
                }
            }
            if failed {
                // What was written for them is kept under no row.
                this.sweep(operation.watch)?;
            }
            Ok(())
        })
    }

    /// The groups whose files are as they were loaded; tells of the others.
    fn undamaged(&mut self, groups: Vec<Group>, on_event: &mut dyn FnMut(FormEvent<'_>, &Tables)) -> Result<Vec<Group>, Problem> {
        let mut files = Vec::with_capacity(groups.len());
        for group in &groups {
            files.push(self.package_rows(group.mo(), &group.chosen)?);
        }
        let damaged = self.objects.damaged(files.iter().flatten().flat_map(PackageRow::files));
        let mut sound = Vec::with_capacity(groups.len());
        for (group, files) in groups.into_iter().zip(&files) {
            match files.iter().flat_map(PackageRow::files).find(|(sha256, _)| damaged.contains(sha256)) {
                None => sound.push(group),
                Some((sha256, name)) => match self.objects.check(sha256, name) {
                    // Somebody has put it right meanwhile.
                    Ok(()) => sound.push(group),
                    Err(damaged) => on_event(FormEvent::Failed(&group, &damaged.into()), &self.tables),
                },
            }
        }
        Ok(sound)
    }

    /// Takes out of a group the cases because of which its registry cannot be formed, and tells of them.
    fn drop_cases(&mut self, group: &mut Group, failure: &Failure, on_event: &mut dyn FnMut(FormEvent<'_>, &Tables)) -> Result<(), Problem> {
        let dropped: BTreeSet<usize> = failure.pieces.iter().copied().collect();
        let packages = self.packages_of(group.mo(), &group.chosen)?;
        let mut left = LeftOut { why: Why::Failed, cases: 0, sum: 0, named: Vec::new(), packages: Vec::new() };
        let mut chosen = ChosenCases::default();
        for (at, case) in group.chosen.iter().enumerate() {
            let case = case?;
            if !dropped.contains(&at) {
                chosen.push(&case)?;
                continue;
            }
            left.cases += 1;
            left.sum += case.sum;
            if left.named.len() < NAMED
                && let Some(package) = packages.get(&(group.mo().to_owned(), case.package))
            {
                left.named.push(self.named(group.mo(), case.id, &package.row, String::new())?);
            }
        }
        group.chosen = chosen;
        group.sum -= left.sum;
        on_event(FormEvent::LeftOut(&left, &failure.problem), &self.tables);
        Ok(())
    }

    /// Forms registries until one cannot be formed, or cannot have the number under which it was written because another program took it.
    #[expect(clippy::too_many_arguments, reason = "the arguments of `form` and what it found out")]
    fn form_batch(
        &mut self,
        operation: &Operation<'_>,
        groups: &[Group],
        date: Option<Date>,
        transition: &Transition,
        tools: Tools<'_>,
        filter: FindingFilter<'_>,
        on_event: &mut dyn FnMut(FormEvent<'_>, &Tables),
    ) -> Result<Batch, Problem> {
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
        let (parts, unready) = self.parts(&drafts, tools)?;
        // The one that cannot be begun is told of after those before it.
        drafts.truncate(parts.len());
        let Self { store, locks, objects, tables, .. } = self;
        let objects = &*objects;
        thread::scope(|scope| {
            let (sender, written) = mpsc::channel();
            scope.spawn(|| write(operation, objects, &drafts, parts, tools, sender));
            // A registry is stored while the next package is controlled.
            for (formed, draft) in drafts.iter().enumerate() {
                let made = match hear(&written).and_then(|made| made.passed(tools, filter)) {
                    Ok(made) => made,
                    Err(failure) if failure.problem.is_of_one_registry() => return Ok(Batch { formed, end: End::Failed(failure) }),
                    Err(failure) => return Err(failure.problem),
                };
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
                    Some(registry) => on_event(FormEvent::Formed(&Formed { registry, differing: made.differing, left: Total::default() }), tables),
                    None => return Ok(Batch { formed, end: End::Overtaken }),
                }
            }
            Ok(Batch { formed: drafts.len(), end: unready.map_or(End::Done, |problem| End::Failed(problem.into())) })
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
        let left = self.store.of(&registry.mo).cases().total_of(&refused)?;
        let mut facts = self.facts(registry)?;
        facts.has_cases = !group.chosen.is_empty();
        facts.no_blocking = true;
        let transition = self.allowed(operation, registry, Move::FormAgain, facts)?;
        let date = date.or(group.date).unwrap_or(operation.today);
        let draft = RegistryDraft { group: &group, id: registry.id, number: registry.number.clone(), date };
        self.check_files(std::slice::from_ref(&group))?;
        let (sender, written) = mpsc::channel();
        let (parts, unready) = self.parts(std::slice::from_ref(&draft), tools)?;
        if let Some(problem) = unready {
            return Err(problem);
        }
        write(operation, &self.objects, std::slice::from_ref(&draft), parts, tools, sender);
        let made = hear(&written).and_then(|made| made.passed(tools, filter)).map_err(|failure| failure.problem)?;
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
            clinic.cases().hold(registry.id, &group.ids()?)?;
            add_members(clinic, operation, &draft, revision, &made)
        })?;
        Ok(Formed { registry, differing: made.differing, left })
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
        let (mut chosen, mut sum) = (ChosenCases::default(), 0);
        clinic.cases().newest_of(registry.id, &mut |case| {
            if !gone.contains(&case.id) {
                sum += case.sum;
                chosen.push(&Chosen::of(case))?;
            }
            Ok(())
        })?;
        let packages = self.packages_of(&registry.mo, &chosen)?;
        let own = || chosen.packages().iter().filter_map(|package| packages.get(&(registry.mo.clone(), *package)));
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
        Ok((Group { period: registry.month()?, sum, key, date, chosen }, refused, corrected))
    }

    /// The heading and the source pieces for the package of each registry, up to the first one that cannot be begun, and why it cannot.
    fn parts(&mut self, drafts: &[RegistryDraft<'_>], tools: Tools<'_>) -> Result<(Vec<Parts>, Option<Problem>), Problem> {
        let mut last: HashMap<String, i64> = HashMap::new();
        let mut parts = Vec::with_capacity(drafts.len());
        let mut known: HashMap<&str, Arc<Again>> = HashMap::new();
        for draft in drafts {
            let mo = draft.group.mo();
            if !known.contains_key(mo) {
                known.insert(mo, Arc::new(self.tables.resubmission.of(&mut self.store.of(mo))?));
            }
            match self.part(draft, &known[mo], &mut last).and_then(|part| draft.order(&part, &part.pieces(draft), tools).map(drop).map(|()| part)) {
                Ok(part) => parts.push(part),
                Err(problem) if problem.is_of_one_registry() => return Ok((parts, Some(problem))),
                Err(problem) => return Err(problem),
            }
        }
        Ok((parts, None))
    }

    /// The same for one registry. `last` are the packet numbers given so far, by their runs.
    fn part(&mut self, draft: &RegistryDraft<'_>, again: &Arc<Again>, last: &mut HashMap<String, i64>) -> Result<Parts, Problem> {
        let mo = draft.group.mo();
        let packages = self.packages_of(mo, &draft.group.chosen)?;
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
        let origins = draft.origins(&packages, &self.objects)?;
        let mut differing = 0;
        for chosen in draft.group.chosen.iter() {
            let chosen = chosen?;
            differing += u64::from(again.due(chosen.id).is_some_and(|due| due != chosen.pr_nov));
        }
        Ok(Parts { heading: draft.heading(name), run, next, packet, origins, again: Arc::clone(again), differing })
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
    fn packages_of(&mut self, mo: &str, cases: &ChosenCases) -> Result<Packages, Problem> {
        let open = self.package_rows(mo, cases)?;
        Ok(packages(open))
    }

    fn package_rows(&mut self, mo: &str, cases: &ChosenCases) -> Result<Vec<PackageRow>, Problem> {
        let ids: BTreeSet<i64> = cases.packages().iter().copied().collect();
        self.store.of(mo).packages().open_with_ids(&Vec::from_iter(ids))
    }
}

/// Moves the cases of a group from free to held in the counts of stock.
fn hold_stock(clinic: &mut Clinic<'_>, group: &Group) -> Result<(), Problem> {
    let mut moved: BTreeMap<i64, Total> = BTreeMap::new();
    for chosen in group.chosen.iter() {
        let chosen = chosen?;
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
    clinic.cases().hold_free(draft.id, &draft.group.ids()?)
}

/// Stores the numbers that each case has in the registry's package.
fn add_members(clinic: &mut Clinic<'_>, operation: &Operation<'_>, draft: &RegistryDraft<'_>, revision: i64, made: &Made) -> Result<(), Problem> {
    let mut members = draft.group.chosen.iter().zip(made.numbers.iter()).map(|(chosen, Numbers { n_zap, idcase, id_pac })| {
        let case_id = chosen?.id;
        Ok(NewMember { registry: draft.id, revision, n_zap: n_zap.into(), idcase: idcase.into(), case_id, id_pac: id_pac.unwrap_or_default() })
    });
    loop {
        let batch = members.by_ref().take(MEMBERS).collect::<io::Result<Vec<_>>>()?;
        if batch.is_empty() {
            return Ok(());
        }
        clinic.members().insert(batch, operation.watch)?;
    }
}
