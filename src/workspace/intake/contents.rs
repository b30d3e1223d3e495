//! What a package to be loaded holds.

use std::collections::{BTreeMap, HashMap};
use std::io;

use rayon::prelude::*;

use super::matching::Candidate;
use super::payer::Insurance;
use crate::cases::{Case, CaseKeys, Index, Person, READING, Traits, short_digest};
use crate::finding::{Catalog, FileRole, Finding};
use crate::flk::PackageReport;
use crate::registry::format::{Format, PERSONS, Role};
use crate::registry::package::Package;
use crate::texts::Severity;
use crate::values::Date;
use crate::workspace::store::{NewFinding, PackageRow};
use crate::workspace::{Operation, Problem, Tools};

/// Where a file of a package is kept.
#[derive(Default)]
pub(super) struct MemberFile {
    /// SHA-256 of the file that was given.
    pub(super) object: String,
    /// Name of the archive's entry and its index there; empty and 0 for a file outside an archive.
    pub(super) entry: String,
    pub(super) index: i64,
    /// Name of the file that was given.
    pub(super) name: String,
}

/// The kept files of a package. All fields of `persons` are empty when there is no person file.
#[derive(Default)]
pub(super) struct Files {
    pub(super) main: MemberFile,
    pub(super) persons: MemberFile,
}

/// Findings of one rule in one case.
pub(super) struct Tally {
    severity: Severity,
    file: FileRole,
    line: u64,
    path: std::sync::Arc<str>,
    count: u64,
}

/// The contents of a loaded package: formats, name, cases, persons and counts of findings.
pub(super) struct Contents<'i> {
    pub(super) format: &'i Format,
    pub(super) persons_format: Option<&'i Format>,
    pub(super) name: Option<crate::registry::name::FileName>,
    pub(super) file_name: String,
    pub(super) cases: Vec<Case>,
    pub(super) persons: HashMap<String, Person>,
    /// Findings by case index (`None`: about the whole package) and rule.
    pub(super) findings: BTreeMap<(Option<usize>, crate::finding::RuleIx), Tally>,
    pub(super) blocking: Vec<i64>,
    /// Whether there is a finding of severity `error` about the whole package.
    pub(super) blocked: bool,
    /// Values of the head, `path=value` a line, that must be equal in all packages of a registry.
    pub(super) binding: String,
}

impl<'i> Contents<'i> {
    /// Returns `None` for a family that registries are not formed from.
    pub(super) fn read(package: &Package, report: &PackageReport, index: Index, tools: Tools<'i>) -> Result<Option<Self>, Problem> {
        let formats = tools.formats;
        let (Some(main), Some(family), Some(edition)) = (&package.main, report.family, &report.edition) else { return Ok(None) };
        let Some(format) = formats.get(family, edition).filter(|_| formats.has_persons(family)) else { return Ok(None) };
        let (cases, persons) = index.finish();
        let persons_head = package.persons.as_ref().and_then(|member| member.head.as_ref().ok());
        let persons_format = persons_head.and_then(|head| formats.choose(PERSONS, head.value(Role::Version), report.period)).map(|(format, _)| &**format);
        let binding = tools
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
        this.attach(report, tools).map_err(Problem::Stream)?;
        Ok(Some(this))
    }

    pub(super) fn person(&self, case: &Case) -> Option<&Person> {
        self.persons.get(case.value(Role::IdPac))
    }

    /// What the export says about the insurance of a case.
    pub(super) fn insurance<'v>(case: &'v Case, report: &'v PackageReport) -> Insurance<'v> {
        Insurance { insurer: case.value(Role::Insurer), territory: case.value(Role::InsuredAt), payer: report.account.payer.as_deref().unwrap_or_default() }
    }

    /// The cases as they are compared with stored ones.
    pub(super) fn candidates<'c>(&'c self, keys: &[CaseKeys], family: &'c str, period: &'c str) -> Vec<Candidate<'c>> {
        let candidate = |(at, keys): (usize, &CaseKeys)| {
            let date_to = Date::of_iso(self.cases[at].value(Role::CaseTo).as_bytes()).map_or(0, |day| i64::from(day.number()));
            let traits = Traits { identity: keys.identity, person: keys.person, family, date_to };
            let is_blocked = self.blocked || self.errors(at) > 0;
            Candidate { traits, resemblance: keys.resemblance, content: self.content(at), period, is_blocked }
        };
        keys.par_iter().enumerate().map(candidate).collect()
    }

    /// A short digest of the case and its person, to tell whether their content changed.
    pub(super) fn content(&self, at: usize) -> i64 {
        let case = &self.cases[at];
        short_digest(&case.digest) ^ self.person(case).map_or(0, |p| short_digest(&p.digest).rotate_left(1))
    }

    /// Number of findings of severity `error` in a case.
    pub(super) fn errors(&self, at: usize) -> i64 {
        self.blocking[at]
    }

    /// Assigns each finding to the cases that it concerns.
    pub(super) fn attach(&mut self, report: &PackageReport, tools: Tools<'_>) -> io::Result<()> {
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
            let severity = tools.catalog.rule(finding.rule).severity;
            let stops = severity == Severity::Error;
            if cases.is_empty() {
                self.blocked |= stops && !tools.former.writes_anew(&finding.path);
                add(&mut self.findings, None, &finding, severity);
            }
            for case in cases {
                self.blocking[case] += i64::from(stops);
                add(&mut self.findings, Some(case), &finding, severity);
            }
        }
        Ok(())
    }

    /// Indexes of the cases at an offset of the main file: the case that contains it, else all cases of the record.
    pub(super) fn at(&self, offset: u64) -> Vec<usize> {
        let next = self.cases.partition_point(|c| c.record.start <= offset);
        let of_record = |n: &usize| self.cases[*n].record.contains(&offset);
        let all: Vec<usize> = (0..next).rev().take_while(of_record).collect();
        match all.iter().find(|n| self.cases[**n].case.contains(&offset)) {
            Some(one) => vec![*one],
            None => all,
        }
    }

    pub(super) fn finding_rows<'v>(&'v self, package: i64, ids: &'v [i64], catalog: &'v Catalog) -> impl Iterator<Item = NewFinding<'v>> + Send {
        let id = move |case: Option<usize>| case.map_or(Some(0), |at| Some(ids[at]).filter(|id| *id != 0));
        let found = self.findings.iter().filter_map(move |((case, rule), tally)| id(*case).map(|id| (id, *rule, tally)));
        found.map(move |(case_id, rule, tally)| NewFinding {
            package,
            case_id,
            rule: &catalog.rule(rule).id,
            severity: tally.severity.as_str(),
            file: file_word(tally.file),
            line: tally.line as i64,
            path: &tally.path,
            count: tally.count as i64,
        })
    }

    /// The package as the store keeps it.
    pub(super) fn package_row(&self, operation: &Operation<'_>, id: i64, report: &PackageReport, files: Files) -> PackageRow {
        let Files { main, persons } = files;
        let name = self.name.as_ref();
        let of_account = |value: &Option<String>| value.clone().unwrap_or_default();
        PackageRow {
            id,
            main_object: main.object,
            main_entry: main.entry,
            main_index: main.index,
            main_name: main.name,
            persons_object: persons.object,
            persons_entry: persons.entry,
            persons_index: persons.index,
            persons_name: persons.name,
            letters: name.map_or_else(String::new, |n| n.letters.clone()),
            family: self.format.family.to_string(),
            edition: self.format.edition.id.clone(),
            persons_edition: self.persons_format.map_or_else(String::new, |f| f.edition.id.clone()),
            period: report.period,
            mo: of_account(&report.account.code_mo),
            receiver: name.map_or_else(String::new, |n| n.receiver.to_string()),
            payer: of_account(&report.account.payer),
            account_no: of_account(&report.account.number),
            account_date: of_account(&report.account.date),
            cases: self.cases.len() as i64,
            sum: self.cases.iter().map(Case::sum).sum(),
            verdict: report.verdict.as_str().to_owned(),
            blocked: self.blocked,
            loaded_at: operation.at.to_string(),
            loaded_by: operation.actor.shown(),
            binding: self.binding.clone(),
            undone: String::new(),
            reading: READING,
        }
    }
}

fn add(findings: &mut BTreeMap<(Option<usize>, crate::finding::RuleIx), Tally>, case: Option<usize>, finding: &Finding, severity: Severity) {
    let line = u64::from(finding.place.line);
    findings.entry((case, finding.rule)).or_insert_with(|| Tally { severity, file: finding.file, line, path: finding.path.clone(), count: 0 }).count += 1;
}

/// The value of the column `file`.
fn file_word(file: FileRole) -> &'static str {
    match file {
        FileRole::Main => "main",
        FileRole::Persons => "persons",
        FileRole::Container => "container",
    }
}
