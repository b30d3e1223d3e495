//! Cases become registries.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::mpsc;
use std::thread;

use serde_json::json;

use super::writing::{AT_ONCE, Made, Parts, Wish, hear, party, write};
use super::{Saying, free_held, leave_outbox};
use crate::cases::{CasePlace, CaseState};
use crate::forming::{Numbers, Origin};
use crate::registry::source::Source;
use crate::values::Month;
use crate::workspace::actor::Actor;
use crate::workspace::draft::{Note, record};
use crate::workspace::registries::shift_stock;
use crate::workspace::store::{Store, Value, int, text, unreadable};
use crate::workspace::workflow::{Move, Transition};
use crate::workspace::{Judge, Means, Problem, Registry, Tables, Workspace, now};

/// What is to be formed; what is none is not asked for.
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

/// Cases that will stand in one registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What they have in common.
    pub(super) key: Key,
    /// Sum, kopecks.
    pub sum: i64,
    /// The latest date of the accounts that they come from.
    date: String,
    pub(super) chosen: Vec<Chosen>,
}

/// What cases of one registry have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) mo: String,
    pub(super) payer: String,
    pub(super) receiver: String,
    pub(super) letters: String,
    pub(super) family: String,
    pub(super) edition: String,
    pub(super) persons_edition: String,
    pub(super) kind: String,
    pub(super) subdivision: String,
    pub(super) binding: String,
}

/// A case to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) id: i64,
    pub(super) package: i64,
    pub(super) sum: i64,
    pub(super) place: CasePlace,
}

impl Key {
    /// Whether cases of a package may stand in it, as far as the package says.
    fn is_of(&self, package: &Package) -> bool {
        let own = &package.key;
        (&self.mo, &self.receiver, &self.letters, &self.family, &self.edition, &self.persons_edition, &self.binding)
            == (&own.mo, &own.receiver, &own.letters, &own.family, &own.edition, &own.persons_edition, &own.binding)
    }
}

impl Group {
    /// The clinic.
    pub fn mo(&self) -> &str {
        &self.key.mo
    }

    /// The insurer; empty for a fund.
    pub fn payer(&self) -> &str {
        &self.key.payer
    }

    /// Kind of care.
    pub fn kind(&self) -> &str {
        &self.key.kind
    }

    /// How many cases.
    pub fn cases(&self) -> usize {
        self.chosen.len()
    }
}

/// Why cases stand in no new registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Findings of error grade.
    Blocked,
    /// Perhaps the same as others: somebody must say (`puomp load --doubtful`).
    Question,
    /// New versions of cases in a live registry.
    Waiting,
    /// Refused by the payer and not yet corrected.
    Refused,
    /// Of no kind of care, or their package does not say who receives it.
    Unclear,
    /// In a registry already: its number.
    Held(String),
}

/// Cases that were asked for and will not be formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Why.
    pub why: Why,
    /// How many.
    pub cases: i64,
    /// Their sum, kopecks.
    pub sum: i64,
}

/// What stands in the head of a package, as cases of it are grouped.
pub(super) struct Package {
    pub(super) origin: Origin,
    pub(super) key: Key,
    pub(super) date: String,
}

/// Cases as one text: rows of their own are many times the work for the driver of the store. `$1` stands between values, `$2` between
/// cases; both are characters that no XML file can hold.
const CHOSEN: &str = "COALESCE(string_agg(c.id || $1 || c.package || $1 || c.sum || $1 || c.place || $1 || c.payer || $1 || c.kind || $1 || c.subdivision, $2), '') \
     AS chosen";
const BETWEEN_VALUES: &str = "\u{1f}";
const BETWEEN_CASES: &str = "\u{1e}";

impl Workspace {
    /// What would be formed now, and what would not.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn form_plan(&mut self, request: &FormRequest) -> Result<(Vec<Group>, Vec<LeftOut>), Problem> {
        let period = request.period.to_string();
        let packages = self.packages("period = $1", &[(&period).into()])?;
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
                leave(Why::Held(registry.number.clone()), registry.cases, registry.sum);
            }
        }
        let sql = format!("SELECT {CHOSEN} FROM cases c WHERE c.package = $3 AND c.state = 'free' AND c.errors = 0");
        let mut groups: Vec<Group> = Vec::new();
        for (id, package) in &packages {
            let rows = self.store.rows_of(sql.clone(), &[BETWEEN_VALUES.into(), BETWEEN_CASES.into(), (*id).into()])?;
            let all = rows.first().map_or(Ok(String::new()), |row| text(row, "chosen"))?;
            for found in chosen(&all) {
                let Found { chosen, payer, kind, subdivision } = found?;
                if !asked(&package.key.mo, payer, kind) || request.subdivision.as_ref().is_some_and(|s| *s != subdivision) {
                    continue;
                }
                if kind.is_empty() || party(&package.key.receiver).is_none() {
                    leave(Why::Unclear, 1, chosen.sum);
                    continue;
                }
                let at = groups.iter().position(|g| g.key.payer == payer && g.key.kind == kind && g.key.is_of(package)).unwrap_or(groups.len());
                if at == groups.len() {
                    let subdivision = request.subdivision.clone().unwrap_or_default();
                    let key = Key { payer: payer.to_owned(), kind: kind.to_owned(), subdivision, ..package.key.clone() };
                    groups.push(Group { key, sum: 0, date: String::new(), chosen: Vec::new() });
                }
                let group = &mut groups[at];
                group.sum += chosen.sum;
                if group.date < package.date {
                    group.date.clone_from(&package.date);
                }
                group.chosen.push(chosen);
            }
        }
        // The largest first: while it is entered, the others are controlled.
        groups.sort_unstable_by(|a, b| b.chosen.len().cmp(&a.chosen.len()).then_with(|| a.key.cmp(&b.key)));
        for group in &mut groups {
            group.chosen.sort_unstable_by_key(|c| c.id);
        }
        let left = left.into_iter().map(|(why, (cases, sum))| LeftOut { why, cases, sum }).collect();
        Ok((groups, left))
    }

    /// Forms registries, in the order of their groups, and tells of each when it is formed. Files are written, controlled and kept before
    /// the store hears of them for good; packages are read once for all. The first that cannot be formed ends it, those before it stay.
    ///
    /// # Errors
    /// The role may not, a package cannot be written, or what was written does not pass our own control.
    pub fn form(
        &mut self,
        groups: &[Group],
        period: Month,
        date: Option<&str>,
        means: Means<'_>,
        judge: Judge<'_>,
        told: &mut dyn FnMut(&Registry, &Tables),
    ) -> Result<(), Problem> {
        let workflow = &self.tables.workflow;
        let transition = workflow.ask(None, Move::FormNew, &self.actor.role).map_err(|r| Problem::refused(workflow, r))?.clone();
        for groups in groups.chunks(AT_ONCE) {
            let first = self.peek("registries")?;
            let wish = |(id, group)| Wish {
                group,
                id,
                number: format!("{:02}{:02}-{id}", period.year % 100, period.month),
                period,
                date: date.unwrap_or(&group.date),
            };
            let wishes: Vec<Wish<'_>> = (first..).zip(groups).map(wish).collect();
            let parts = self.parts(&wishes)?;
            let Self { store, actor, vault, .. } = self;
            let vault = &*vault;
            let mut trouble = None;
            let formed = thread::scope(|scope| {
                let (sender, written) = mpsc::channel();
                scope.spawn(|| write(vault, &wishes, parts, means, sender));
                store.transaction(|store| {
                    // The cases are held while the files are written, a registry is entered while the next one is controlled.
                    wishes.iter().try_for_each(|wish| hold(store, wish))?;
                    for (at, wish) in wishes.iter().enumerate() {
                        match hear(&written).and_then(|made| made.passed(means, judge)) {
                            Ok(made) => enter(store, actor, wish, &made, &transition)?,
                            Err(problem) => {
                                trouble = Some(problem);
                                wishes[at..].iter().try_for_each(|wish| free_held(store, wish.id))?;
                                return Ok(at);
                            }
                        }
                    }
                    Ok(wishes.len())
                })
            })?;
            for wish in wishes.iter().take(formed) {
                let registry = self.registry(&wish.number)?;
                told(&registry, &self.tables);
            }
            if let Some(problem) = trouble {
                return Err(problem);
            }
        }
        Ok(())
    }

    /// Forms a registry anew from the current versions of its cases; those that the payer refused whole and nobody corrected leave it.
    ///
    /// # Errors
    /// As [`Workspace::form`]; the table does not allow it; no case is left.
    pub fn form_again(&mut self, name: &str, date: Option<&str>, means: Means<'_>, judge: Judge<'_>) -> Result<Registry, Problem> {
        let registry = self.registry(name)?;
        let (group, refused, corrected) = self.again(&registry)?;
        let mut facts = self.facts(&registry)?;
        facts.has_cases = !group.chosen.is_empty();
        facts.no_blocking = true;
        let transition = self.allowed(&registry, Move::FormAgain, facts)?;
        let period: Month = registry.period.parse().map_err(|_| unreadable("period", &registry.period))?;
        let date = date.unwrap_or(&group.date);
        let wish = Wish { group: &group, id: registry.id, number: registry.number.clone(), period, date };
        let (sender, written) = mpsc::channel();
        let parts = self.parts(std::slice::from_ref(&wish))?;
        write(&self.vault, std::slice::from_ref(&wish), parts, means, sender);
        let made = hear(&written)?.passed(means, judge)?;
        let details = json!({
            "sha256": made.object, "cases": group.chosen.len(), "sum": group.sum, "revision": registry.revision + 1, "refused": refused.len(), "corrected": corrected.len(),
        });
        self.make(&registry, &transition, &[], Saying { subject: made.file_name.clone(), details }, |store| {
            store.take_numbers(&made.run, 1)?;
            free_held(store, registry.id)?;
            store.for_ids("UPDATE cases SET state = 'replaced' WHERE id IN", &corrected)?;
            store.for_ids("UPDATE cases SET state = 'refused' WHERE state = 'free' AND id IN", &refused)?;
            leave_outbox(store, &registry)?;
            let revision = registry.revision + 1;
            store.execute(
                "UPDATE registries SET revision = $1, account_date = $2, file_name = $3, object = $4, cases = $5, persons = $6, sum = $7, accepted_cases = 0, \
                 accepted_sum = 0, formed_at = $8, sent_at = '' WHERE id = $9",
                &[
                    revision.into(),
                    date.into(),
                    (&made.file_name).into(),
                    (&made.object).into(),
                    (group.chosen.len() as i64).into(),
                    (made.persons as i64).into(),
                    group.sum.into(),
                    now().into(),
                    registry.id.into(),
                ],
            )?;
            hold(store, &wish)?;
            add_members(store, &wish, revision, &made)
        })
    }

    /// Gives a registry up before it was sent, or after it was returned; its cases are free.
    ///
    /// # Errors
    /// The table does not allow it.
    pub fn form_cancel(&mut self, name: &str) -> Result<Registry, Problem> {
        let registry = self.registry(name)?;
        let facts = self.facts(&registry)?;
        let transition = self.allowed(&registry, Move::FormCancel, facts)?;
        let details = json!({ "cases": registry.cases, "sum": registry.sum });
        self.make(&registry, &transition, &[], Saying { details, ..Saying::default() }, |store| leave_outbox(store, &registry))
    }

    /// The cases of a registry as they would be formed now, those that leave it refused, and the versions that were replaced.
    fn again(&mut self, registry: &Registry) -> Result<(Group, Vec<i64>, Vec<i64>), Problem> {
        let of_registry = [registry.id.into(), registry.revision.into()];
        let refused = self.store.rows(
            "SELECT c.id AS id FROM sanctions s JOIN cases c ON c.id = s.case_id WHERE s.registry = $1 AND s.revision = $2 AND c.state = 'held' \
             AND NOT EXISTS (SELECT 1 FROM cases w WHERE w.replaces = c.id AND w.state = 'waiting') GROUP BY c.id, c.sum HAVING MAX(s.sum) >= c.sum",
            &of_registry,
        )?;
        let refused = refused.iter().map(|row| int(row, "id")).collect::<Result<Vec<_>, _>>()?;
        let corrected = self.store.rows(
            "SELECT o.id AS id FROM cases o WHERE o.registry = $1 AND o.registry <> 0 AND o.state = 'held' AND EXISTS (SELECT 1 FROM cases w WHERE w.replaces = o.id AND w.state = 'waiting')",
            &[registry.id.into()],
        )?;
        let corrected = corrected.iter().map(|row| int(row, "id")).collect::<Result<Vec<_>, _>>()?;
        let sql = format!(
            "SELECT {CHOSEN} FROM (SELECT * FROM cases h WHERE h.registry = $3 AND h.registry <> 0 AND h.state = 'held' \
             AND NOT EXISTS (SELECT 1 FROM cases w WHERE w.replaces = h.id AND w.state = 'waiting') \
             UNION ALL SELECT w.* FROM cases w JOIN cases o ON o.id = w.replaces WHERE w.state = 'waiting' AND o.registry = $3 AND o.state = 'held') c \
             JOIN packages p ON p.id = c.package WHERE c.errors = 0 AND p.blocked = 0"
        );
        let gone: HashSet<i64> = refused.iter().copied().collect();
        let rows = self.store.rows_of(sql, &[BETWEEN_VALUES.into(), BETWEEN_CASES.into(), registry.id.into()])?;
        let all = rows.first().map_or(Ok(String::new()), |row| text(row, "chosen"))?;
        let mut chosen = chosen(&all).map(|found| found.map(|f| f.chosen)).collect::<Result<Vec<_>, _>>()?;
        chosen.retain(|c| !gone.contains(&c.id));
        chosen.sort_unstable_by_key(|c| c.id);
        let packages = self.packages_of(&chosen)?;
        let own = || chosen.iter().filter_map(|c| packages.get(&c.package));
        let date = own().map(|p| p.date.clone()).max().unwrap_or_else(|| registry.account_date.clone());
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
        Ok((Group { sum: chosen.iter().map(|c| c.sum).sum(), key, date, chosen }, refused, corrected))
    }

    /// What stands in the files of registries, and where it comes from.
    fn parts(&mut self, wishes: &[Wish<'_>]) -> Result<Vec<Parts>, Problem> {
        let packages = self.packages_of(wishes.iter().flat_map(|wish| &wish.group.chosen))?;
        let mut last: HashMap<String, i64> = HashMap::new();
        let mut parts = Vec::with_capacity(wishes.len());
        for wish in wishes {
            let (mut name, run) = wish.name()?;
            let packet = match last.get(&run) {
                Some(last) => last + 1,
                None => self.peek(&run)?,
            };
            last.insert(run.clone(), packet);
            name.number = packet.to_string();
            let (origins, pieces) = wish.pieces(&packages)?;
            parts.push(Parts { heading: wish.heading(name), run, origins, pieces });
        }
        Ok(parts)
    }

    /// The next number of a run, which the lock keeps from others until it is taken.
    fn peek(&mut self, run: &str) -> Result<i64, Problem> {
        Ok(self.store.number("SELECT value FROM counters WHERE name = $1", &[run.into()])? + 1)
    }

    /// The packages that cases stand in.
    fn packages_of<'c>(&mut self, cases: impl IntoIterator<Item = &'c Chosen>) -> Result<BTreeMap<i64, Package>, Problem> {
        let ids: BTreeSet<i64> = cases.into_iter().map(|c| c.package).collect();
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let list: Vec<String> = ids.iter().map(i64::to_string).collect();
        self.packages(&format!("id IN ({})", list.join(",")), &[])
    }

    /// The packages of a condition that no finding about the whole keeps out.
    fn packages(&mut self, which: &str, values: &[Value<'_>]) -> Result<BTreeMap<i64, Package>, Problem> {
        let sql = format!("SELECT * FROM packages WHERE blocked = 0 AND {which}");
        let mut packages = BTreeMap::new();
        for row in self.store.rows_of(sql, values)? {
            let t = |column| text(&row, column);
            let source = |object: &str, entry: String, index: i64, name: &str| {
                let path = self.vault.path(object, name);
                if entry.is_empty() { Source::File(path) } else { Source::Entry { archive: path, index: index as usize, name: entry } }
            };
            let main = source(&t("main_object")?, t("main_entry")?, int(&row, "main_index")?, &t("main_name")?);
            let persons_object = t("persons_object")?;
            let persons = if persons_object.is_empty() {
                None
            } else {
                Some(source(&persons_object, t("persons_entry")?, int(&row, "persons_index")?, &t("persons_name")?))
            };
            let key = Key {
                mo: t("mo")?,
                payer: String::new(),
                receiver: t("receiver")?,
                letters: t("letters")?,
                family: t("family")?,
                edition: t("edition")?,
                persons_edition: t("persons_edition")?,
                kind: String::new(),
                subdivision: String::new(),
                binding: t("binding")?,
            };
            packages.insert(int(&row, "id")?, Package { origin: Origin { main, persons }, key, date: t("account_date")? });
        }
        Ok(packages)
    }
}

/// Free cases are held now.
fn hold_stock(store: &mut Store, group: &Group) -> Result<(), Problem> {
    let mut moved: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for chosen in &group.chosen {
        let counts = moved.entry(chosen.package).or_default();
        *counts = (counts.0 + 1, counts.1 + chosen.sum);
    }
    let alike = (group.key.kind.as_str(), group.key.payer.as_str(), CaseState::Free, false);
    moved.into_iter().try_for_each(|(package, counts)| shift_stock(store, package, alike, CaseState::Held, counts))
}

/// A new registry comes into the store.
fn enter(store: &mut Store, actor: &Actor, wish: &Wish<'_>, made: &Made, transition: &Transition) -> Result<(), Problem> {
    let (group, key, at) = (wish.group, &wish.group.key, now());
    store.take_numbers("registries", 1)?;
    store.take_numbers(&made.run, 1)?;
    let row: [Value<'_>; 24] = [
        wish.id.into(),
        (&wish.number).into(),
        (&transition.to).into(),
        (&at).into(),
        1.into(),
        (&key.mo).into(),
        (&key.payer).into(),
        (&key.receiver).into(),
        (&key.letters).into(),
        (&key.family).into(),
        (&key.edition).into(),
        (&key.kind).into(),
        (&key.subdivision).into(),
        wish.period.to_string().into(),
        wish.date.into(),
        (&made.file_name).into(),
        (&made.object).into(),
        (group.chosen.len() as i64).into(),
        (made.persons as i64).into(),
        group.sum.into(),
        0.into(),
        0.into(),
        (&at).into(),
        "".into(),
    ];
    store.insert(
        "INSERT INTO registries (id, number, status, since, revision, mo, payer, receiver, letters, family, edition, kind, subdivision, period, \
         account_date, file_name, object, cases, persons, sum, accepted_cases, accepted_sum, formed_at, sent_at)",
        [row],
    )?;
    add_members(store, wish, 1, made)?;
    hold_stock(store, group)?;
    let details = json!({
        "sha256": made.object, "cases": group.chosen.len(), "sum": group.sum, "period": wish.period.to_string(), "payer": key.payer, "kind": key.kind,
    });
    let note = Note { action: &transition.id, registry: &wish.number, subject: &made.file_name, after: &transition.to, details, ..Note::default() };
    record(store, actor, note)
}

/// The cases become the registry's.
fn hold(store: &mut Store, wish: &Wish<'_>) -> Result<(), Problem> {
    let ids: Vec<i64> = wish.group.chosen.iter().map(|c| c.id).collect();
    store.for_ids(&format!("UPDATE cases SET state = 'held', registry = {} WHERE state <> 'paid' AND id IN", wish.id), &ids)?;
    Ok(())
}

/// Where the cases stand in it.
fn add_members(store: &mut Store, wish: &Wish<'_>, revision: i64, made: &Made) -> Result<(), Problem> {
    let member = |number: &'_ Numbers| -> [Value<'_>; 6] {
        let id_pac = number.id_pac.clone().unwrap_or_default();
        let (n_zap, idcase) = (number.n_zap as i64, number.idcase as i64);
        [wish.id.into(), revision.into(), n_zap.into(), idcase.into(), wish.group.chosen[number.piece].id.into(), id_pac.into()]
    };
    store.insert("INSERT INTO members (registry, revision, n_zap, idcase, case_id, id_pac)", made.numbers.iter().map(member))
}

/// A case as the store gives it.
struct Found<'t> {
    chosen: Chosen,
    payer: &'t str,
    kind: &'t str,
    subdivision: &'t str,
}

/// Cases of a text that [`CHOSEN`] made.
fn chosen(all: &str) -> impl Iterator<Item = Result<Found<'_>, Problem>> {
    all.split(BETWEEN_CASES).filter(|case| !case.is_empty()).map(|case| found(case).ok_or_else(|| unreadable("place", case)))
}

fn found(case: &str) -> Option<Found<'_>> {
    let mut values = case.split(BETWEEN_VALUES);
    let mut number = || values.next()?.parse::<i64>().ok();
    let (id, package, sum) = (number()?, number()?, number()?);
    let place = values.next()?.parse().ok()?;
    let chosen = Chosen { id, package, sum, place };
    Some(Found { chosen, payer: values.next()?, kind: values.next()?, subdivision: values.next()? })
}
