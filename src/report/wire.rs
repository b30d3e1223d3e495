//! The JSON of schema 1. Scripts rely on these names and their order.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Hidden, RuleSet, Tally};
use crate::finding::{Catalog, Fact, Finding, Rule};
use crate::flk::PackageReport;
use crate::nsi::Description;
use crate::rules::import::Edition;
use crate::tables::Merging;
use crate::texts::Lang;
use crate::timings::{self, Taken};
use crate::values::{Date, kopecks};

/// Number of the schema; it increases with any change that could break a script.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
pub(super) struct Tool {
    name: &'static str,
    version: &'static str,
}

impl Tool {
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn version(&self) -> &'static str {
        self.version
    }
}

pub(super) const TOOL: Tool = Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };

#[derive(Serialize)]
pub(super) struct Rules {
    version: String,
    date: String,
    /// The rule books and their editions.
    editions: Vec<Edition>,
    /// The region whose tables are merged over the federal ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Merging>,
}

impl Rules {
    pub(super) fn new(set: &RuleSet) -> Self {
        Self { version: set.version.clone(), date: set.date.clone(), editions: set.editions.clone(), region: set.region.clone() }
    }
}

/// A book that rules looked up.
#[derive(Serialize)]
pub(super) struct Book<'a> {
    id: &'a str,
    edition: &'a str,
    date: Option<String>,
    complete_until: Option<String>,
    imported: bool,
    /// Whether the book was not complete for the day of some account of the run.
    older_than_account: bool,
}

pub(super) fn books(tally: &Tally) -> Vec<Book<'_>> {
    fn book<'a>(b: &'a Description, tally: &Tally) -> Book<'a> {
        let Description { id, edition, date, complete_until, imported, .. } = b;
        let day = |date: &Option<Date>| date.map(|d| d.to_string());
        let older_than_account = tally.older_books.contains(id);
        Book { id, edition, date: day(date), complete_until: day(complete_until), imported: *imported, older_than_account }
    }
    tally.books.values().map(|b| book(b, tally)).collect()
}

/// A package. Values that could not be read are null.
#[derive(Debug, Serialize)]
pub struct Package {
    /// Name of the main file.
    pub main: Option<String>,
    /// Name of the person file.
    pub persons: Option<String>,
    /// Path as given.
    pub path: String,
    /// SHA-256 of the received file in hexadecimal digits.
    pub sha256: Option<String>,
    /// Letter of the family.
    pub family: Option<String>,
    /// Edition of the format.
    pub edition: Option<String>,
    /// Reporting month, `YYYY-MM`.
    pub period: Option<String>,
    /// Number of records.
    pub records: u64,
    /// Number of completed cases.
    pub cases: u64,
    /// Number of services.
    pub services: u64,
    /// Sum of the cases in kopecks.
    pub sum_kopecks: Option<i64>,
    /// `clean`, `warnings`, `errors` or `rejected`.
    pub verdict: &'static str,
}

impl Package {
    /// Takes the facts from the report of a package.
    pub fn new(report: &PackageReport) -> Self {
        Self {
            main: report.main.clone(),
            persons: report.persons.clone(),
            path: report.path.clone(),
            sha256: report.sha256.clone(),
            family: report.family.map(|f| f.to_string()),
            edition: report.edition.clone(),
            period: report.period.map(|p| p.to_string()),
            records: report.records,
            cases: report.cases,
            services: report.services,
            sum_kopecks: report.sum_kopecks,
            verdict: report.verdict.as_str(),
        }
    }
}

/// A finding. `line`, `column`, `offset` and `path` are null when it is about a file as a whole.
#[derive(Debug, Serialize)]
pub struct Entry<'a> {
    /// Id of the rule.
    pub rule: &'a str,
    /// `error`, `warning` or `info`.
    pub severity: &'static str,
    /// Name of the file in which the finding is.
    pub file: &'a str,
    /// Line in the file, from 1.
    pub line: Option<u32>,
    /// Column in the line, in characters, from 1.
    pub column: Option<u32>,
    /// Byte offset in the file as the user has it, from 0.
    pub offset: Option<u64>,
    /// Path of the element.
    pub path: Option<&'a str>,
    /// N_ZAP, number of the record.
    pub n_zap: Option<&'a str>,
    /// IDCASE, number of the completed case.
    pub idcase: Option<&'a str>,
    /// SL_ID, id of the case part.
    pub sl_id: Option<&'a str>,
    /// IDSERV, number of the service.
    pub idserv: Option<&'a str>,
    /// ID_PAC, id of the person in the package.
    pub id_pac: Option<&'a str>,
    /// The value. A personal one is masked unless the user asked for it.
    pub value: Option<&'a str>,
    /// The rule's text in Russian.
    pub message: String,
    /// Id of the rule of the finding from which this one follows. Such a finding is in no count of errors.
    pub follows_from: Option<&'a str>,
    /// NHISTORY, number of the card. Of one that looks like the number of a person only the last digits, unless the user asked for it.
    pub card: Option<&'a str>,
    /// Code of the doctor, shown as the card is.
    pub doctor: Option<&'a str>,
    /// PODR, the department.
    pub unit: Option<&'a str>,
    /// LPU_1, the subdivision.
    pub subdivision: Option<&'a str>,
    /// PROFIL, the profile of care.
    pub profile: Option<&'a str>,
    /// First day of the case as its file states it.
    pub from: Option<&'a str>,
    /// Last day of the case as its file states it.
    pub to: Option<&'a str>,
    /// Sum of the case in kopecks.
    pub sum_kopecks: Option<i64>,
    /// Who can mend it: `clinic`, `developer`, `books` or `fund`.
    pub mends: &'static str,
}

impl<'a> Entry<'a> {
    /// Takes the facts from a finding as it is, so the caller masks it first. The message is Russian in every language of the run.
    pub fn new(finding: &'a Finding, report: &'a PackageReport, catalog: &'a Catalog) -> Self {
        let rule = catalog.rule(finding.rule);
        let placed = finding.place.line > 0;
        let keys = &finding.keys;
        Self {
            rule: &rule.id,
            severity: rule.severity.as_str(),
            file: report.file_name(finding.file),
            line: placed.then_some(finding.place.line),
            column: placed.then_some(finding.place.column),
            offset: placed.then_some(finding.place.offset),
            path: (!finding.path.is_empty()).then_some(&finding.path),
            n_zap: keys.n_zap.as_deref(),
            idcase: keys.idcase.as_deref(),
            sl_id: keys.sl_id.as_deref(),
            idserv: keys.idserv.as_deref(),
            id_pac: keys.id_pac.as_deref(),
            value: finding.value.as_deref(),
            message: finding.message(rule, Lang::Ru),
            follows_from: finding.follows_from.map(|cause| catalog.rule(cause).id.as_str()),
            card: finding.fact(Fact::Card),
            doctor: finding.fact(Fact::Doctor),
            unit: finding.fact(Fact::Unit),
            subdivision: finding.fact(Fact::Subdivision),
            profile: finding.fact(Fact::Profile),
            from: finding.fact(Fact::From),
            to: finding.fact(Fact::To),
            sum_kopecks: finding.fact(Fact::Sum).and_then(|sum| kopecks(sum.as_bytes())),
            mends: rule.mends.as_str(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct NotExecuted<'a> {
    rule: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    book: Option<&'a str>,
    /// Whether the rule ran but checked only a part.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    partly: bool,
}

pub(super) fn not_executed(tally: &Tally) -> Vec<NotExecuted<'_>> {
    let entry = tally.not_executed.iter();
    entry.map(|((rule, _), idle)| NotExecuted { rule, reason: &idle.reason.ru, book: idle.book.as_deref(), partly: idle.partly }).collect()
}

/// Times of a run by phase.
#[derive(Serialize)]
pub(super) struct Timings {
    /// Seconds from the beginning of the run to the writing of this.
    wall_seconds: f64,
    phases: Vec<Phase>,
}

#[derive(Serialize)]
struct Phase {
    phase: &'static str,
    /// Seconds of all threads together.
    thread_seconds: f64,
    bytes: u64,
}

impl Timings {
    pub(super) fn new(timings: &timings::Timings) -> Self {
        let entry = |taken: Taken| Phase { phase: taken.phase.as_str(), thread_seconds: taken.thread_time.as_secs_f64(), bytes: taken.bytes };
        Self { wall_seconds: timings.wall_time().as_secs_f64(), phases: timings.taken().map(entry).collect() }
    }
}

/// The findings of one rule. A rule whose book is too old for some account has an entry of its own for those findings, which are warnings.
#[derive(Serialize)]
pub(super) struct ByRule {
    rule: String,
    severity: &'static str,
    findings: u64,
    mends: &'static str,
}

impl ByRule {
    fn new(rule: &Rule, findings: u64) -> Self {
        Self { rule: rule.id.clone(), severity: rule.severity.as_str(), findings, mends: rule.mends.as_str() }
    }
}

#[derive(Serialize)]
pub(super) struct Summary {
    errors: u64,
    warnings: u64,
    /// Number of findings that follow from others; they are not among the errors and warnings.
    #[serde(skip_serializing_if = "is_zero")]
    consequences: u64,
    files: u64,
    cases: u64,
    /// The rules with findings, in the order of the catalogue.
    by_rule: Vec<ByRule>,
    /// Findings by those who can mend them.
    by_mender: BTreeMap<&'static str, u64>,
    /// Counts of findings that the user hides.
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<Hidden>,
    /// Date of the newest account that is newer than the rule book: the rules may have changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_newer_than_rules: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Summary {
    /// Rounds `seconds` to milliseconds.
    pub(super) fn new(tally: &Tally, catalog: &Catalog, seconds: Option<f64>, hidden: Option<Hidden>) -> Self {
        let seconds = seconds.map(|s| (s * 1000.0).round() / 1000.0);
        Self {
            errors: tally.errors,
            warnings: tally.warnings,
            consequences: tally.consequences,
            files: tally.files,
            cases: tally.cases,
            by_rule: tally.rules.iter().map(|(rule, findings)| ByRule::new(catalog.rule(*rule), *findings)).collect(),
            by_mender: tally.by_mender(catalog).into_iter().map(|(mends, count)| (mends.as_str(), count)).collect(),
            hidden,
            account_newer_than_rules: tally.newer_account.map(|d| d.to_string()),
            seconds,
        }
    }
}
