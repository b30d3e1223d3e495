//! What a package to be loaded holds.

use std::io;
use std::ops::Range;

use rayon::prelude::*;

use super::known::Candidate;
use super::payer::Insurance;
use super::tally::{Subject, Tallies};
use crate::cases::{Case, CaseKey, CasePlace, Cases, Identity, PersonMark, Persons, READING, Traits, short_digest};
use crate::finding::{Catalog, FileRole};
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

/// What is kept in memory of a case while its package is loaded; there may be a million.
pub(super) struct CaseRow {
    pub(super) identity: CaseKey,
    pub(super) resemblance: i64,
    /// A short digest of the case and its person, to tell whether their content changed.
    pub(super) content: i64,
    pub(super) person: PersonMark,
    /// The last day of care as the number `yyyymmdd`; 0 for none.
    date_to: u32,
    /// Number of findings of severity `error`.
    pub(super) errors: u32,
    /// Index of its person; [`NOBODY`] when there is none.
    of_person: u32,
}

/// The index of no person.
const NOBODY: u32 = u32::MAX;

/// The bytes of an element in a file.
#[derive(Debug, Clone, Copy)]
struct Extent {
    start: u64,
    length: u32,
}

impl Extent {
    fn of(place: &Range<u64>) -> Self {
        // The control accepts no record whose length is greater.
        Self { start: place.start, length: u32::try_from(place.end - place.start).unwrap_or(u32::MAX) }
    }

    fn range(self) -> Range<u64> {
        self.start..self.start + u64::from(self.length)
    }

    fn contains(self, at: u64) -> bool {
        self.range().contains(&at)
    }
}

/// The contents of a loaded package: formats, name, cases, persons and counts of findings.
pub(super) struct Contents<'i> {
    pub(super) format: &'i Format,
    pub(super) persons_format: Option<&'i Format>,
    pub(super) name: Option<crate::registry::name::FileName>,
    pub(super) file_name: String,
    pub(super) cases: Cases,
    /// What is known of each case.
    pub(super) rows: Vec<CaseRow>,
    persons: Vec<Extent>,
    /// Sum of the cases, kopecks.
    sum: i64,
    pub(super) tallies: Tallies,
    /// Whether there is a finding of severity `error` about the whole package.
    pub(super) blocked: bool,
    /// Values of the head, `path=value` a line, that must be equal in all packages of a registry.
    pub(super) binding: String,
}

/// What was read of a package: the report of the control, the cases and the persons.
pub(super) type Read<'r> = (&'r PackageReport, Cases, Persons);

impl<'i> Contents<'i> {
    /// Returns `None` for a family that registries are not formed from.
    pub(super) fn read(package: &Package, read: Read<'_>, mo: &str, identity: &Identity, tools: Tools<'i>) -> Result<Option<Self>, Problem> {
        let (report, cases, persons) = read;
        let formats = tools.formats;
        let (Some(main), Some(family), Some(edition)) = (&package.main, report.family, &report.edition) else { return Ok(None) };
        let Some(format) = formats.get(family, edition).filter(|_| formats.has_persons(family)) else { return Ok(None) };
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
            rows: Vec::with_capacity(cases.len()),
            cases,
            persons: persons.all().iter().map(|person| Extent::of(&person.place())).collect(),
            sum: 0,
            tallies: Tallies::default(),
            blocked: false,
            binding,
        };
        let places = this.read_cases(&persons, mo, identity, !report.findings.is_empty()).map_err(Problem::Stream)?;
        drop(persons);
        this.attach(&places, report, tools).map_err(Problem::Stream)?;
        Ok(Some(this))
    }

    /// Fills in the rows. Returns the places of record and case, if they are wanted.
    fn read_cases(&mut self, persons: &Persons, mo: &str, identity: &Identity, with_places: bool) -> io::Result<Vec<(Extent, Extent)>> {
        let mut places = Vec::with_capacity(if with_places { self.cases.len() } else { 0 });
        let row = |case: &Case<'_>| {
            let of_person = persons.find(case.value(Role::IdPac));
            let person = of_person.map(|at| &persons.all()[at as usize]);
            let keys = identity.keys(mo, case, person);
            CaseRow {
                identity: keys.identity,
                resemblance: keys.resemblance,
                content: case.digest ^ person.map_or(0, |person| short_digest(&person.digest).rotate_left(1)),
                person: keys.person,
                date_to: Date::of_iso(case.value(Role::CaseTo).as_bytes()).map_or(0, Date::number),
                errors: 0,
                of_person: of_person.unwrap_or(NOBODY),
            }
        };
        for batch in self.cases.batches() {
            let batch = batch?;
            let cases = batch.cases()?;
            self.rows.par_extend(cases.par_iter().map(row));
            self.sum += cases.iter().map(Case::sum).sum::<i64>();
            if with_places {
                places.extend(cases.iter().map(|case| (Extent::of(&case.record), Extent::of(&case.case))));
            }
        }
        Ok(places)
    }

    /// How many persons.
    pub(super) fn persons(&self) -> usize {
        self.persons.len()
    }

    /// Where a case stands.
    pub(super) fn place(&self, at: usize, case: &Case<'_>) -> CasePlace {
        let person = self.persons.get(self.rows[at].of_person as usize).map(|person| person.range());
        CasePlace { record: case.record.clone(), case: case.case.clone(), person }
    }

    /// What the export says about the insurance of a case.
    pub(super) fn insurance<'v>(case: &Case<'v>, report: &'v PackageReport) -> Insurance<'v> {
        Insurance { insurer: case.value(Role::Insurer), territory: case.value(Role::InsuredAt), payer: report.account.payer.as_deref().unwrap_or_default() }
    }

    /// A case as it is compared with stored ones.
    pub(super) fn candidate<'c>(&self, at: usize, family: &'c str, period: &'c str) -> Candidate<'c> {
        let CaseRow { identity, resemblance, content, person, date_to, errors, .. } = self.rows[at];
        let traits = Traits { identity, person, family, date_to: date_to.into() };
        Candidate { traits, resemblance, content, period, is_blocked: self.blocked || errors > 0 }
    }

    /// Assigns each finding to the cases that it concerns.
    fn attach(&mut self, places: &[(Extent, Extent)], report: &PackageReport, tools: Tools<'_>) -> io::Result<()> {
        // Indexes of the cases that have a person, by person; made when the first finding about a person comes.
        let mut by_person: Option<Vec<u32>> = None;
        let mut cases: Vec<u32> = Vec::new();
        let mut findings = report.findings.iter()?;
        while let Some(finding) = findings.next_view()? {
            // What follows from another finding concerns the cases of that one.
            if finding.follows_from.is_some() {
                continue;
            }
            let at = finding.place.offset;
            cases.clear();
            let mut subject = Subject::Person(NOBODY);
            match finding.file {
                FileRole::Main => {
                    let (record, own) = cases_at(places, at);
                    subject = Subject::Record(record);
                    cases.extend(own);
                }
                FileRole::Persons => {
                    let next = self.persons.partition_point(|person| person.start <= at);
                    if let Some(person) = next.checked_sub(1).filter(|n| self.persons[*n].contains(at)) {
                        let by_person = by_person.get_or_insert_with(|| self.by_person());
                        let of = |case: &u32| self.rows[*case as usize].of_person as usize;
                        let first = by_person.partition_point(|case| of(case) < person);
                        subject = Subject::Person(person as u32);
                        cases.extend(by_person[first..].iter().take_while(|case| of(case) == person));
                    }
                }
                FileRole::Container => {}
            }
            let stops = tools.catalog.rule(finding.rule).severity == Severity::Error;
            if cases.is_empty() {
                self.blocked |= stops && !tools.former.writes_anew(finding.path);
                self.tallies.add_to_package(&finding);
                continue;
            }
            cases.iter().for_each(|case| self.rows[*case as usize].errors += u32::from(stops));
            self.tallies.add(subject, &cases, &finding)?;
        }
        self.tallies.close()
    }

    fn by_person(&self) -> Vec<u32> {
        let mut cases: Vec<u32> = (0..self.rows.len() as u32).filter(|case| self.rows[*case as usize].of_person != NOBODY).collect();
        cases.sort_unstable_by_key(|case| (self.rows[*case as usize].of_person, *case));
        cases
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
            sum: self.sum,
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

/// The cases at an offset of the main file: the one that contains it, else all cases of the record; before them the first case of the record. `places` are
/// those of record and case.
fn cases_at(places: &[(Extent, Extent)], offset: u64) -> (u32, Range<u32>) {
    let next = places.partition_point(|(record, _)| record.start <= offset);
    let first = next - places[..next].iter().rev().take_while(|(record, _)| record.contains(offset)).count();
    let one = (first..next).rev().find(|n| places[*n].1.contains(offset));
    let cases = one.map_or(first..next, |one| one..one + 1);
    (first as u32, cases.start as u32..cases.end as u32)
}

/// The counts of findings as rows. `ids` gives the id of a case by its index, which only grows; a case without one is not stored.
pub(super) fn finding_rows<'t>(
    tallies: &'t Tallies,
    package: i64,
    mut ids: impl FnMut(u32) -> Option<i64>,
    catalog: &'t Catalog,
) -> impl Iterator<Item = io::Result<NewFinding<'t>>> {
    let row = move |tally: io::Result<super::tally::Tally>| {
        let tally = match tally {
            Ok(tally) => tally,
            Err(error) => return Some(Err(error)),
        };
        let case_id = tally.case.map_or(Some(0), &mut ids)?;
        let rule = catalog.rule(tally.rule);
        Some(Ok(NewFinding {
            package,
            case_id,
            rule: &rule.id,
            severity: rule.severity.as_str(),
            file: file_word(tally.file),
            line: tally.line.into(),
            path: tallies.path(&tally),
            count: tally.count as i64,
        }))
    };
    tallies.iter().filter_map(row)
}

/// The value of the column `file`.
fn file_word(file: FileRole) -> &'static str {
    match file {
        FileRole::Main => "main",
        FileRole::Persons => "persons",
        FileRole::Container => "container",
    }
}
