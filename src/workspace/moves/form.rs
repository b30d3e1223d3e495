//! Cases become registries.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use serde_json::json;

use super::{Saying, count_members, leave_outbox};
use crate::flk::Verdict;
use crate::forming::{Heading, Numbers, Order, Origin, Piece};
use crate::registry::format::{Family, Format, PERSONS};
use crate::registry::month::Month;
use crate::registry::name::{FileName, Party, PartyKind};
use crate::registry::package::{Input, discover};
use crate::registry::source::Source;
use crate::workspace::draft::{Note, record};
use crate::workspace::registries::count_stock;
use crate::workspace::store::{Store, Value, int, text};
use crate::workspace::workflow::Move;
use crate::workspace::{Judge, Means, Problem, Registry, Workspace, case_state, now};

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
    key: Key,
    /// Sum, kopecks.
    pub sum: i64,
    /// The latest date of the accounts that they come from.
    date: String,
    chosen: Vec<Chosen>,
}

/// What cases of one registry have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    mo: String,
    payer: String,
    receiver: String,
    letters: String,
    family: String,
    edition: String,
    persons_edition: String,
    kind: String,
    subdivision: String,
    binding: String,
}

/// A case to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Chosen {
    id: i64,
    package: i64,
    sum: i64,
    record: Range<u64>,
    case: Range<u64>,
    person: Option<Range<u64>>,
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
struct Package {
    origin: Origin,
    key: Key,
    date: String,
    blocked: bool,
}

const COLUMNS: &str = "c.id AS id, c.package AS package, c.kind AS kind, c.payer AS payer, c.subdivision AS subdivision, c.sum AS sum, c.record_at AS record_at, \
     c.record_len AS record_len, c.case_at AS case_at, c.case_len AS case_len, c.person_at AS person_at, c.person_len AS person_len";

impl Workspace {
    /// What would be formed now, and what would not.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn form_plan(&mut self, request: &FormRequest) -> Result<(Vec<Group>, Vec<LeftOut>), Problem> {
        let period = request.period.to_string();
        let packages = self.packages("WHERE period = $1", &[(&period).into()])?;
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
            let why = match stock.state.as_str() {
                case_state::QUESTION => Why::Question,
                case_state::WAITING => Why::Waiting,
                case_state::REFUSED => Why::Refused,
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
        let sql = format!(
            "SELECT {COLUMNS} FROM cases c JOIN packages p ON p.id = c.package WHERE p.period = $1 AND p.blocked = 0 AND c.state = 'free' AND c.errors = 0 \
             ORDER BY c.package, c.record_at, c.case_at"
        );
        let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
        for row in self.store.rows_of(sql, &[(&period).into()])? {
            let Some(package) = packages.get(&int(&row, "package")?) else { continue };
            let (payer, kind, subdivision) = (text(&row, "payer")?, text(&row, "kind")?, text(&row, "subdivision")?);
            if !asked(&package.key.mo, &payer, &kind) || request.subdivision.as_ref().is_some_and(|s| *s != subdivision) {
                continue;
            }
            let chosen = chosen(&row)?;
            let key = Key { payer, kind, subdivision: request.subdivision.clone().unwrap_or_default(), ..package.key.clone() };
            if key.kind.is_empty() || party(&key.receiver).is_none() {
                leave(Why::Unclear, 1, chosen.sum);
                continue;
            }
            let group = groups.entry(key).or_insert_with_key(|key| Group { key: key.clone(), sum: 0, date: String::new(), chosen: Vec::new() });
            group.sum += chosen.sum;
            group.date = std::mem::take(&mut group.date).max(package.date.clone());
            group.chosen.push(chosen);
        }
        let left = left.into_iter().map(|(why, (cases, sum))| LeftOut { why, cases, sum }).collect();
        Ok((groups.into_values().collect(), left))
    }

    /// Forms one registry. The file is written, controlled and kept before the store hears of it.
    ///
    /// # Errors
    /// The role may not, the package cannot be written, or what was written does not pass our own control.
    pub fn form(&mut self, group: &Group, period: Month, date: Option<&str>, means: Means<'_>, judge: Judge<'_>) -> Result<Registry, Problem> {
        let workflow = &self.tables.workflow;
        let transition = workflow.ask(None, Move::FormNew, &self.actor.role).map_err(|r| Problem::refused(workflow, r))?.clone();
        let id = self.peek("registries")?;
        let number = format!("{:02}{:02}-{id}", period.year % 100, period.month);
        let date = date.unwrap_or(&group.date);
        let made = self.write(group, period, date, id, &number, means, judge)?;
        let actor = self.actor.clone();
        self.store.transaction(|store| {
            store.take_numbers("registries", 1)?;
            store.take_numbers(&made.run, 1)?;
            let (key, at) = (&group.key, now());
            let row: [Value<'_>; 24] = [
                id.into(),
                (&number).into(),
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
                period.to_string().into(),
                date.into(),
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
                24,
                &row,
            )?;
            hold(store, id, 1, group, &made.numbers)?;
            let details = json!({ "sha256": made.object, "cases": group.chosen.len(), "sum": group.sum, "period": period.to_string(), "payer": key.payer, "kind": key.kind });
            let note = Note { action: &transition.id, registry: &number, subject: &made.file_name, after: &transition.to, details, ..Note::default() };
            record(store, &actor, note)
        })?;
        self.registry(&number)
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
        let period: Month = registry.period.parse().map_err(|e: String| Problem::Journal(e))?;
        let date = date.unwrap_or(&group.date);
        let made = self.write(&group, period, date, registry.id, &registry.number, means, judge)?;
        let details = json!({
            "sha256": made.object, "cases": group.chosen.len(), "sum": group.sum, "revision": registry.revision + 1, "refused": refused.len(), "corrected": corrected.len(),
        });
        self.make(&registry, &transition, &[], Saying { subject: made.file_name.clone(), details }, |store| {
            store.take_numbers(&made.run, 1)?;
            store.execute("UPDATE cases SET state = 'free', registry = 0 WHERE registry = $1 AND state = 'held'", &[registry.id.into()])?;
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
            hold(store, registry.id, revision, &group, &made.numbers)?;
            count_members(store, &registry)
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
            "SELECT o.id AS id FROM cases o WHERE o.registry = $1 AND o.state = 'held' AND EXISTS (SELECT 1 FROM cases w WHERE w.replaces = o.id AND w.state = 'waiting')",
            &[registry.id.into()],
        )?;
        let corrected = corrected.iter().map(|row| int(row, "id")).collect::<Result<Vec<_>, _>>()?;
        let sql = format!(
            "SELECT {COLUMNS} FROM cases c JOIN packages p ON p.id = c.package WHERE c.errors = 0 AND p.blocked = 0 AND \
             (c.registry = $1 AND c.state = 'held' AND NOT EXISTS (SELECT 1 FROM cases w WHERE w.replaces = c.id AND w.state = 'waiting') \
             OR c.state = 'waiting' AND c.replaces IN (SELECT id FROM cases o WHERE o.registry = $1 AND o.state = 'held')) ORDER BY c.package, c.record_at, c.case_at"
        );
        let rows = self.store.rows_of(sql, &[registry.id.into()])?;
        let gone: HashSet<i64> = refused.iter().copied().collect();
        let chosen = rows.iter().map(chosen).filter(|c| c.as_ref().map_or(true, |c| !gone.contains(&c.id))).collect::<Result<Vec<_>, _>>()?;
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

    /// The next number of a run, which the lock keeps from others until it is taken.
    fn peek(&mut self, run: &str) -> Result<i64, Problem> {
        Ok(self.store.number("SELECT value FROM counters WHERE name = $1", &[run.into()])? + 1)
    }

    /// The packages that cases stand in.
    fn packages_of(&mut self, cases: &[Chosen]) -> Result<BTreeMap<i64, Package>, Problem> {
        let ids: BTreeSet<i64> = cases.iter().map(|c| c.package).collect();
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let list: Vec<String> = ids.iter().map(i64::to_string).collect();
        self.packages(&format!("WHERE id IN ({})", list.join(",")), &[])
    }

    fn packages(&mut self, which: &str, values: &[Value<'_>]) -> Result<BTreeMap<i64, Package>, Problem> {
        let sql = format!("SELECT * FROM packages {which}");
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
            let package = Package { origin: Origin { main, persons }, key, date: t("account_date")?, blocked: int(&row, "blocked")? > 0 };
            packages.insert(int(&row, "id")?, package);
        }
        packages.retain(|_, p| !p.blocked);
        Ok(packages)
    }

    /// Writes the package of a group into the vault and puts it through our own control.
    #[expect(clippy::too_many_arguments, reason = "what stands in the head of an account")]
    fn write(&mut self, group: &Group, period: Month, date: &str, code: i64, number: &str, means: Means<'_>, judge: Judge<'_>) -> Result<Made, Problem> {
        let key = &group.key;
        let formats = means.formats;
        let unknown = |what: &str| Problem::NotClean(number.to_owned(), what.to_owned());
        let family = Family(key.family.chars().next().unwrap_or(' '));
        let format = formats.get(family, &key.edition).ok_or_else(|| unknown(&key.edition))?;
        let persons: Option<&Format> = formats.get(PERSONS, &key.persons_edition).map(|f| &**f);
        let mut receiver = party(&key.receiver).ok_or_else(|| unknown(&key.receiver))?;
        if receiver.kind == PartyKind::Insurer && !key.payer.is_empty() {
            receiver.code.clone_from(&key.payer);
        }
        let sender = Party { kind: PartyKind::Clinic, code: key.mo.clone() };
        let run = format!("packet/{sender}/{receiver}/{}/{period}", key.letters);
        let packet = self.peek(&run)?.to_string();
        let name = FileName {
            letters: key.letters.clone(),
            family: Some(family),
            is_persons: false,
            sender,
            receiver,
            year: period.year,
            month: period.month,
            number: packet,
        };
        let file_name = name.to_string();
        let packages = self.packages_of(&group.chosen)?;
        let mut origins: Vec<Origin> = Vec::new();
        let mut last = 0;
        let mut pieces = Vec::with_capacity(group.chosen.len());
        for chosen in &group.chosen {
            if chosen.package != last {
                last = chosen.package;
                origins.push(packages.get(&last).ok_or_else(|| unknown("package"))?.origin.clone());
            }
            pieces.push(Piece {
                origin: origins.len() - 1,
                record: chosen.record.clone(),
                case: chosen.case.clone(),
                person: chosen.person.clone(),
                sum_kopecks: chosen.sum,
            });
        }
        let heading = Heading {
            name,
            code: code as u64,
            number: number.to_owned(),
            date: date.to_owned(),
            payer: Some(key.payer.clone()).filter(|p| !p.is_empty()),
            period,
        };
        let order = Order { format, persons, heading: &heading, origins: &origins, pieces: &pieces };
        let mut numbers = Vec::with_capacity(pieces.len());
        let archive = crate::forming::Former::archive_name(&heading);
        let (kept, formed) = self.vault.keep_written(&archive, |file| {
            let formed = means.former.write(&order, file, |number| {
                numbers.push(number);
                Ok(())
            })?;
            Ok::<_, Problem>((formed.sha256.clone(), formed))
        })?;
        let path = self.vault.path(&kept.sha256, &archive);
        for package in discover(&[Input::named(path)], formats, &means.config.archives) {
            let mut report = means.checker.package(&package, means.config, means.progress).map_err(Problem::Stream)?;
            judge(&mut report).map_err(Problem::Stream)?;
            if report.verdict >= Verdict::Errors {
                let errors = report.findings.iter().map_err(Problem::Stream)?.filter_map(Result::ok);
                let first = errors.map(|f| means.catalog.rule(f.rule)).find(|r| r.severity == crate::finding::Severity::Error);
                return Err(Problem::NotClean(file_name, first.map_or_else(String::new, |r| r.id.clone())));
            }
        }
        Ok(Made { object: kept.sha256, file_name, persons: formed.persons, numbers, run })
    }
}

/// A package that was written.
struct Made {
    object: String,
    file_name: String,
    persons: u64,
    numbers: Vec<Numbers>,
    /// The run of packet numbers that its name took one of.
    run: String,
}

/// The cases become the registry's.
fn hold(store: &mut Store, registry: i64, revision: i64, group: &Group, numbers: &[Numbers]) -> Result<(), Problem> {
    let ids: Vec<i64> = group.chosen.iter().map(|c| c.id).collect();
    store.for_ids(&format!("UPDATE cases SET state = 'held', registry = {registry} WHERE state <> 'paid' AND id IN"), &ids)?;
    let mut values: Vec<Value<'_>> = Vec::with_capacity(numbers.len() * 8);
    for number in numbers {
        values.extend([
            registry.into(),
            revision.into(),
            (number.n_zap as i64).into(),
            (number.idcase as i64).into(),
            ids[number.piece].into(),
            (&number.old_n_zap).into(),
            (&number.old_idcase).into(),
            number.id_pac.as_deref().unwrap_or_default().into(),
        ]);
    }
    store.insert("INSERT INTO members (registry, revision, n_zap, idcase, case_id, old_n_zap, old_idcase, id_pac)", 8, &values)?;
    let mut packages: Vec<i64> = group.chosen.iter().map(|c| c.package).collect();
    packages.dedup();
    count_stock(store, &packages)
}

fn chosen(row: &sqlx::any::AnyRow) -> Result<Chosen, Problem> {
    let range = |at: &str, len: &str| -> Result<Range<u64>, Problem> {
        let (at, len) = (int(row, at)? as u64, int(row, len)? as u64);
        Ok(at..at + len)
    };
    let person = range("person_at", "person_len")?;
    Ok(Chosen {
        id: int(row, "id")?,
        package: int(row, "package")?,
        sum: int(row, "sum")?,
        record: range("record_at", "record_len")?,
        case: range("case_at", "case_len")?,
        person: (!person.is_empty()).then_some(person),
    })
}

/// A party by its text, `S14002`.
fn party(text: &str) -> Option<Party> {
    let kind = [PartyKind::Clinic, PartyKind::Insurer, PartyKind::Fund].into_iter().find(|k| text.starts_with(k.letter()))?;
    let code = text[1..].to_owned();
    (code.len() == kind.digits() && code.bytes().all(|b| b.is_ascii_digit())).then_some(Party { kind, code })
}
