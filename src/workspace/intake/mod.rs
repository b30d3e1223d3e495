//! Takes packages in: kept unchanged, controlled, their cases remembered and matched with what was there.

mod matching;

use std::collections::{BTreeMap, HashMap};
use std::io;

use rayon::prelude::*;
use serde_json::json;

pub use matching::Doubt;
use matching::{Known, Verdict as Match};

use super::draft::{Note, record};
use super::registries::{StockKey, add_stock, replace_cases};
use super::store::{Value, int, text};
use super::{Judge, Means, Problem, Workspace, now};
use crate::cases::{Case, CaseKeys, CasePlace, CaseState, Index, Person, short_digest};
use crate::finding::{Catalog, FileRole, Finding};
use crate::flk::{PackageReport, Verdict};
use crate::registry::format::{Format, PERSONS, Role};
use crate::registry::package::{Member, Package};
use crate::registry::source::Source;
use crate::texts::Severity;
use crate::values::Date;

/// What became of a package.
#[derive(Debug)]
pub struct Loaded {
    /// What the control said; none for a package that was loaded before.
    pub report: Option<PackageReport>,
    /// What became of its cases.
    pub outcome: Outcome,
}

/// What became of the cases of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The same bytes were loaded before: when. Cases that waited for an answer may have been settled now.
    Already(String, CaseCounts),
    /// It cannot be read to its end, or has no main file: nothing of it was taken.
    Rejected,
    /// It is of a family that no registry is formed of (an exchange between funds): nothing of it was taken.
    Foreign,
    /// It was taken in.
    Taken(CaseCounts),
}

/// Cases of a package by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CaseCounts {
    /// Not known before.
    pub new: u64,
    /// In place of an earlier version.
    pub replaced: u64,
    /// Known, and nothing in them changed: they stay where they were.
    pub unchanged: u64,
    /// New versions of cases in a registry: they wait until it is formed again, returned or given up.
    pub waiting: u64,
    /// Perhaps the same as others: somebody must say.
    pub doubtful: u64,
    /// Among all of these, those with findings that keep them out of a registry.
    pub blocked: u64,
    /// The package as a whole has such findings.
    pub package_blocked: bool,
}

const INSERT_CASES: &str = "INSERT INTO cases (id, package, state, replaces, kind, payer, subdivision, n_zap, idcase, sl_id, id_pac, date_from, date_to, \
     sum, pr_nov, errors, identity, identity_rest, resemblance, content, place)";
const INSERT_FINDINGS: &str = "INSERT INTO findings (package, case_id, rule, severity, file, line, path, count)";
const INSERT_PACKAGE: &str = "INSERT INTO packages (id, main_object, main_entry, main_index, main_name, persons_object, persons_entry, persons_index, persons_name, \
     letters, family, edition, persons_edition, period, mo, receiver, payer, account_no, account_date, cases, sum, verdict, blocked, loaded_at, loaded_by, binding)";

/// Findings of one rule in one case.
struct Tally {
    severity: Severity,
    file: FileRole,
    line: u64,
    path: std::sync::Arc<str>,
    count: u64,
}

/// Where a file lies in the vault.
struct Kept {
    object: String,
    entry: String,
    index: i64,
    name: String,
}

impl Workspace {
    /// Takes a package in. `judge` takes out of the report what the user's settings say does not count.
    ///
    /// # Errors
    /// The workspace or a temporary file cannot be written; nothing of the package was taken then.
    pub fn load(&mut self, package: &Package, means: Means<'_>, doubt: Doubt, judge: Judge<'_>) -> Result<Loaded, Problem> {
        let Some(main) = &package.main else {
            let report = means.checker.package(package, means.config, means.watch).map_err(Problem::Stream)?;
            return Ok(Loaded { report: Some(report), outcome: Outcome::Rejected });
        };
        let mut kept = HashMap::new();
        let (main_source, main_kept) = self.keep(main, &mut kept)?;
        let persons = package.persons.as_ref().map(|member| self.keep(member, &mut kept)).transpose()?;
        if let Some(loaded) = self.loaded_before(&main_kept, persons.as_ref().map(|(_, kept)| kept), doubt)? {
            return Ok(Loaded { report: None, outcome: loaded });
        }
        // What is kept is what is controlled.
        let moved = Package {
            main: Some(Member { source: main_source, ..main.clone() }),
            persons: package.persons.as_ref().zip(persons.as_ref()).map(|(member, (source, _))| Member { source: source.clone(), ..member.clone() }),
            ..package.clone()
        };
        let index = Index::default();
        let mut report = means.checker.package_beside(&moved, means.config, means.watch, &index).map_err(Problem::Stream)?;
        judge(&mut report).map_err(Problem::Stream)?;
        if report.verdict == Verdict::Rejected {
            return Ok(Loaded { report: Some(report), outcome: Outcome::Rejected });
        }
        let Some(taken) = Contents::read(&moved, &report, index, means)? else {
            return Ok(Loaded { report: Some(report), outcome: Outcome::Foreign });
        };
        let counts = self.take(&taken, &report, &main_kept, persons.map(|(_, kept)| kept), means, doubt)?;
        Ok(Loaded { report: Some(report), outcome: Outcome::Taken(counts) })
    }

    /// Copies the file that holds a member; each file once.
    fn keep(&self, member: &Member, done: &mut HashMap<std::path::PathBuf, super::vault::Kept>) -> Result<(Source, Kept), Problem> {
        let container = member.source.container();
        let file = match done.get(container) {
            Some(kept) => kept.clone(),
            None => {
                let kept = self.vault.keep(container).map_err(|e| Problem::Io(container.to_owned(), e))?;
                done.entry(container.to_owned()).or_insert(kept).clone()
            }
        };
        let path = self.vault.path(&file.sha256, &file.name);
        let (source, entry, index) = match &member.source {
            Source::File(_) => (Source::File(path), String::new(), 0),
            Source::Entry { index, name, .. } => (Source::Entry { archive: path, index: *index, name: name.clone() }, name.clone(), *index as i64),
        };
        Ok((source, Kept { object: file.sha256, entry, index, name: file.name }))
    }

    /// What is known of a package of the same bytes.
    fn loaded_before(&mut self, main: &Kept, persons: Option<&Kept>, doubt: Doubt) -> Result<Option<Outcome>, Problem> {
        let (object, entry) = persons.map_or(("", ""), |p| (&p.object, &p.entry));
        let row = self.store.row(
            "SELECT id, loaded_at, mo FROM packages WHERE main_object = $1 AND main_entry = $2 AND persons_object = $3 AND persons_entry = $4",
            &[(&main.object).into(), (&main.entry).into(), object.into(), entry.into()],
        )?;
        let Some(row) = row else { return Ok(None) };
        let counts = self.settle_questions(int(&row, "id")?, &main.name, doubt)?;
        Ok(Some(Outcome::Already(text(&row, "loaded_at")?, counts)))
    }

    fn take(
        &mut self,
        contents: &Contents<'_>,
        report: &PackageReport,
        main: &Kept,
        persons: Option<Kept>,
        means: Means<'_>,
        doubt: Doubt,
    ) -> Result<CaseCounts, Problem> {
        let mo = report.account.code_mo.clone().unwrap_or_default();
        let keys: Vec<CaseKeys> = contents.cases.par_iter().map(|case| self.tables.identity.keys(&mo, case, contents.person(case))).collect();
        let known = Known::look_up(&mut self.store, &mo, &keys)?;
        let family = contents.format.family;
        let kind = |case: &Case| self.tables.kinds.of(family, case.value(Role::Conditions)).map_or("", |kind| &kind.id);
        let kinds: Vec<&str> = contents.cases.iter().map(kind).collect();
        let actor = self.actor.clone();
        let persons = persons.unwrap_or(Kept { object: String::new(), entry: String::new(), index: 0, name: String::new() });
        self.store.transaction(|store| {
            let package = store.take_numbers("packages", 1)?;
            let mut counts = CaseCounts { package_blocked: contents.blocked, ..CaseCounts::default() };
            let (verdicts, mut replaced) = known.judge(&keys, |at| contents.content(at), doubt);
            let mut next = store.take_numbers("cases", verdicts.iter().filter(|v| **v != Match::Unchanged).count() as u64)?;
            let mut ids = vec![0; contents.cases.len()];
            let mut added = Vec::with_capacity(contents.cases.len());
            let mut stock: BTreeMap<StockKey<'_>, (i64, i64)> = BTreeMap::new();
            for (at, verdict) in verdicts.into_iter().enumerate() {
                counts.blocked += u64::from(contents.errors(at) > 0);
                let (count, state, replaces) = match verdict {
                    Match::Unchanged => {
                        counts.unchanged += 1;
                        continue;
                    }
                    Match::New => (&mut counts.new, CaseState::Free, 0),
                    Match::Replaces(old) => {
                        replaced.push(old);
                        (&mut counts.replaced, CaseState::Free, old)
                    }
                    Match::Waits(old) => (&mut counts.waiting, CaseState::Waiting, old),
                    Match::Doubtful(old) => (&mut counts.doubtful, CaseState::Question, old),
                };
                *count += 1;
                ids[at] = next;
                next += 1;
                added.push((at, state, replaces));
                let case = &contents.cases[at];
                let alike = stock.entry((kinds[at], contents.payer(case, report), state, contents.errors(at) > 0)).or_insert((0, 0));
                *alike = (alike.0 + 1, alike.1 + case.sum());
            }
            replace_cases(store, &replaced)?;
            let row = |(at, state, replaces): (usize, CaseState, i64)| -> [Value<'_>; 21] {
                let case = &contents.cases[at];
                let person = contents.person(case).map(|p| p.place.clone());
                let place = CasePlace { record: case.record.clone(), case: case.case.clone(), person };
                [
                    Value::Int(ids[at]),
                    package.into(),
                    state.into(),
                    replaces.into(),
                    kinds[at].into(),
                    contents.payer(case, report).into(),
                    case.value(Role::Subdivision).into(),
                    number(case.value(Role::NZap)).into(),
                    number(case.value(Role::IdCase)).into(),
                    case.value(Role::SlId).into(),
                    case.value(Role::IdPac).into(),
                    day(case.value(Role::CaseFrom)).into(),
                    day(case.value(Role::CaseTo)).into(),
                    case.sum().into(),
                    (case.value(Role::PrNov) == "1").into(),
                    contents.errors(at).into(),
                    keys[at].identity.0.into(),
                    keys[at].identity.1.into(),
                    keys[at].resemblance.into(),
                    contents.content(at).into(),
                    place.to_string().into(),
                ]
            };
            store.insert(INSERT_CASES, added.into_iter().map(row))?;
            store.insert(INSERT_FINDINGS, contents.finding_rows(package, &ids, means.catalog))?;
            let sum: i64 = contents.cases.iter().map(Case::sum).sum();
            let name = contents.name.as_ref();
            let verdict = report.verdict.as_str();
            let at = now();
            let row: [Value<'_>; 26] = [
                package.into(),
                (&main.object).into(),
                (&main.entry).into(),
                main.index.into(),
                (&main.name).into(),
                (&persons.object).into(),
                (&persons.entry).into(),
                persons.index.into(),
                (&persons.name).into(),
                name.map_or(String::new(), |n| n.letters.clone()).into(),
                family.to_string().into(),
                (&contents.format.edition.id).into(),
                contents.persons_format.map_or(String::new(), |f| f.edition.id.clone()).into(),
                report.period.map_or(String::new(), |p| p.to_string()).into(),
                (&mo).into(),
                name.map_or(String::new(), |n| n.receiver.to_string()).into(),
                report.account.payer.clone().unwrap_or_default().into(),
                report.account.number.clone().unwrap_or_default().into(),
                report.account.date.clone().unwrap_or_default().into(),
                (contents.cases.len() as i64).into(),
                sum.into(),
                verdict.into(),
                contents.blocked.into(),
                (&at).into(),
                actor.shown().into(),
                (&contents.binding).into(),
            ];
            store.insert(INSERT_PACKAGE, [row])?;
            add_stock(store, package, &stock)?;
            let details = json!({
                "sha256": main.object, "period": report.period.map(|p| p.to_string()), "mo": mo, "cases": contents.cases.len(), "sum": sum, "new": counts.new,
                "replaced": counts.replaced, "unchanged": counts.unchanged, "waiting": counts.waiting, "doubtful": counts.doubtful, "blocked": counts.blocked,
                "verdict": verdict,
            });
            record(store, &actor, Note { action: "load", subject: &contents.file_name, details, ..Note::default() })?;
            Ok(counts)
        })
    }
}

/// What a package holds.
struct Contents<'i> {
    format: &'i Format,
    persons_format: Option<&'i Format>,
    name: Option<crate::registry::name::FileName>,
    file_name: String,
    cases: Vec<Case>,
    persons: HashMap<String, Person>,
    /// By case (none: of the package) and rule.
    findings: BTreeMap<(Option<usize>, crate::finding::RuleIx), Tally>,
    blocking: Vec<i64>,
    /// A finding of error grade about the package as a whole.
    blocked: bool,
    /// What must be the same in all packages of one registry.
    binding: String,
}

impl<'i> Contents<'i> {
    /// None for a family that no registry is formed of.
    fn read(package: &Package, report: &PackageReport, index: Index, means: Means<'i>) -> Result<Option<Self>, Problem> {
        let formats = means.formats;
        let (Some(main), Some(family), Some(edition)) = (&package.main, report.family, &report.edition) else { return Ok(None) };
        let Some(format) = formats.get(family, edition).filter(|_| formats.has_persons(family)) else { return Ok(None) };
        let (cases, persons) = index.finish().map_err(|e| Problem::Io(main.source.container().to_owned(), e))?;
        let persons_head = package.persons.as_ref().and_then(|member| member.head.as_ref().ok());
        let persons_format = persons_head.and_then(|head| formats.choose(PERSONS, head.value(Role::Version), report.period)).map(|(format, _)| &**format);
        let binding = means
            .former
            .binding(&main.source, format)
            .map(|pairs| pairs.into_iter().map(|(path, value)| format!("{path}={value}")).collect::<Vec<_>>().join("\n"))?;
        let mut this = Self {
            format,
            persons_format,
            name: main.name(formats.prefixes()).ok(),
            file_name: main.file_name(),
            blocking: vec![0; cases.len()],
            cases,
            persons,
            findings: BTreeMap::new(),
            blocked: false,
            binding,
        };
        this.attach(report, means).map_err(Problem::Stream)?;
        Ok(Some(this))
    }

    fn person(&self, case: &Case) -> Option<&Person> {
        self.persons.get(case.value(Role::IdPac))
    }

    /// Who pays for a case: the insurer of the person, else that of the account.
    fn payer<'v>(&self, case: &'v Case, report: &'v PackageReport) -> &'v str {
        let own = [case.value(Role::Insurer), report.account.payer.as_deref().unwrap_or_default()];
        own.into_iter().find(|payer| !payer.is_empty()).unwrap_or_default()
    }

    /// What a case and its person say, in short.
    fn content(&self, at: usize) -> i64 {
        let case = &self.cases[at];
        short_digest(&case.digest) ^ self.person(case).map_or(0, |p| short_digest(&p.digest).rotate_left(1))
    }

    /// Findings of error grade in a case.
    fn errors(&self, at: usize) -> i64 {
        self.blocking[at]
    }

    /// Gives each finding to its cases.
    fn attach(&mut self, report: &PackageReport, means: Means<'_>) -> io::Result<()> {
        let mut of_person: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut places: Vec<(u64, u64, &str)> = Vec::new();
        for finding in report.findings.iter()? {
            let finding = finding?;
            let at = finding.place.offset;
            let cases: Vec<usize> = match finding.file {
                FileRole::Main => self.at(at),
                FileRole::Persons => {
                    if places.is_empty() {
                        places = self.persons.iter().map(|(id, p)| (p.place.start, p.place.end, id.as_str())).collect();
                        places.sort_unstable();
                        self.cases.iter().enumerate().for_each(|(n, case)| of_person.entry(case.value(Role::IdPac)).or_default().push(n));
                    }
                    let next = places.partition_point(|(start, ..)| *start <= at);
                    let person = next.checked_sub(1).map(|n| places[n]).filter(|(_, end, _)| at < *end);
                    person.and_then(|(.., id)| of_person.get(id)).cloned().unwrap_or_default()
                }
                FileRole::Container => Vec::new(),
            };
            let severity = means.catalog.rule(finding.rule).severity;
            let stops = severity == Severity::Error;
            if cases.is_empty() {
                self.blocked |= stops && !means.former.writes_anew(&finding.path);
                add(&mut self.findings, None, &finding, severity);
            }
            for case in cases {
                self.blocking[case] += i64::from(stops);
                add(&mut self.findings, Some(case), &finding, severity);
            }
        }
        Ok(())
    }

    /// Cases at an offset of the main file: the one, or all of the record.
    fn at(&self, offset: u64) -> Vec<usize> {
        let next = self.cases.partition_point(|c| c.record.start <= offset);
        let of_record = |n: &usize| self.cases[*n].record.contains(&offset);
        let all: Vec<usize> = (0..next).rev().take_while(of_record).collect();
        match all.iter().find(|n| self.cases[**n].case.contains(&offset)) {
            Some(one) => vec![*one],
            None => all,
        }
    }

    fn finding_rows<'v>(&'v self, package: i64, ids: &'v [i64], catalog: &'v Catalog) -> impl Iterator<Item = [Value<'v>; 8]> + Send {
        let id = move |case: Option<usize>| case.map_or(Some(0), |at| Some(ids[at]).filter(|id| *id != 0));
        let found = self.findings.iter().filter_map(move |((case, rule), tally)| id(*case).map(|id| (id, *rule, tally)));
        found.map(move |(id, rule, tally)| {
            [
                package.into(),
                id.into(),
                (&catalog.rule(rule).id).into(),
                tally.severity.as_str().into(),
                file_word(tally.file).into(),
                (tally.line as i64).into(),
                Value::from(&*tally.path),
                (tally.count as i64).into(),
            ]
        })
    }
}

fn add(findings: &mut BTreeMap<(Option<usize>, crate::finding::RuleIx), Tally>, case: Option<usize>, finding: &Finding, severity: Severity) {
    let line = u64::from(finding.place.line);
    findings.entry((case, finding.rule)).or_insert_with(|| Tally { severity, file: finding.file, line, path: finding.path.clone(), count: 0 }).count += 1;
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or(0)
}

/// `2021-02-28` as 20210228.
fn day(text: &str) -> i64 {
    Date::of_iso(text.as_bytes()).map_or(0, |day| i64::from(day.number()))
}

/// The word of the column `file`.
fn file_word(file: FileRole) -> &'static str {
    match file {
        FileRole::Main => "main",
        FileRole::Persons => "persons",
        FileRole::Container => "container",
    }
}
