//! The outcome of the control of one package.

use crate::finding::spool::Spool;
use crate::finding::{Catalog, FileRole};
use crate::nsi::Description;
use crate::registry::encoding::Coding;
use crate::registry::format::Family;
use crate::registry::source::Source;
use crate::rules::import::Edition;
use crate::texts::{Severity, Text};
use crate::values::{Date, Month};

/// The verdict on a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// No errors and no warnings.
    Clean,
    /// Warnings, but no errors.
    Warnings,
    /// Errors in records or in the file.
    Errors,
    /// The file could not be read to its end.
    Rejected,
}

impl Verdict {
    /// The word for the verdict in machine formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Warnings => "warnings",
            Self::Errors => "errors",
            Self::Rejected => "rejected",
        }
    }
}

/// The account (SCHET) as the file states it; the texts are not checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// Number of the account (NSCHET).
    pub number: Option<String>,
    /// Date of the account (DSCHET), `YYYY-MM-DD`.
    pub date: Option<String>,
    /// Code of the payer (PLAT).
    pub payer: Option<String>,
    /// Code of the clinic (CODE_MO).
    pub code_mo: Option<String>,
}

/// A check that did not run, or not in full, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotExecuted {
    /// Id of the rule.
    pub rule: String,
    /// The reason.
    pub reason: Text,
    /// The reference book, or its field, that the check lacks; `None` for another reason.
    pub book: Option<String>,
    /// Whether the check ran, but only in part.
    pub partly: bool,
}

/// The part of the rule book that was applied to a package, for the head of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Edition of the rule book.
    pub edition: Option<Edition>,
    /// Date of the account, else of the file; `None` if neither can be read.
    pub account: Option<Date>,
    /// Whether the account is newer than the edition by more days than `rules/flk/conventions.csv` allows, so that rules may have changed since.
    pub newer_than_edition: bool,
    /// Calendar days by which a book may be older than the account.
    pub book_days: i64,
    /// Number of distinct rules that ran.
    pub rules: u64,
    /// Reference books that those rules use.
    pub books: Vec<Description>,
}

impl Applied {
    /// Books that are too old for the account.
    pub fn older_books(&self) -> impl Iterator<Item = &Description> {
        let is_old = |(until, account): (Date, Date)| account.days_since(until) > self.book_days;
        self.books.iter().filter(move |b| b.complete_until.zip(self.account).is_some_and(is_old))
    }
}

/// Everything the control says of one package (a main file and its person file).
#[derive(Debug)]
pub struct PackageReport {
    /// Name of the main file with its extension, if there is one.
    pub main: Option<String>,
    /// Name of the person file with its extension, if there is one.
    pub persons: Option<String>,
    /// The path of the archive or the main file, as the user gave it or as the search of a folder found it.
    pub path: String,
    /// SHA-256 of the file at `path`, lower-case hex; `None` if it could not be read.
    pub sha256: Option<String>,
    /// Family of the main file.
    pub family: Option<Family>,
    /// Edition that the main file was checked against.
    pub edition: Option<String>,
    /// Reporting month.
    pub period: Option<Month>,
    /// The account.
    pub account: Account,
    /// Records (ZAP) of the main file.
    pub records: u64,
    /// Completed cases.
    pub cases: u64,
    /// Services.
    pub services: u64,
    /// Sum of the completed cases in kopecks, as the records state it; `None` if no case states a sum.
    pub sum_kopecks: Option<i64>,
    /// The verdict.
    pub verdict: Verdict,
    /// Findings: about the container, then the person file, then the main file, each in order of place.
    pub findings: Spool,
    /// Checks that did not run.
    pub not_executed: Vec<NotExecuted>,
    /// The rules and books that were applied; `None` without a rule book or without a main file with a readable head.
    pub applied: Option<Applied>,
    /// Where the main file's bytes can be read again (for source windows).
    pub main_source: Option<(Source, Coding)>,
    /// Where the person file's bytes can be read again.
    pub persons_source: Option<(Source, Coding)>,
}

impl PackageReport {
    /// Name of the file that a finding is about.
    pub fn file_name(&self, role: FileRole) -> &str {
        let container = || self.path.rsplit(['/', '\\']).next().unwrap_or(&self.path);
        match role {
            FileRole::Container => container(),
            FileRole::Persons => self.persons.as_deref().unwrap_or_else(container),
            FileRole::Main => self.main.as_deref().unwrap_or_else(container),
        }
    }

    /// Sets the verdict by the findings; a package that could not be read stays rejected.
    pub fn judge(&mut self, catalog: &Catalog) {
        self.verdict = if self.verdict == Verdict::Rejected {
            Verdict::Rejected
        } else if self.count(catalog, Severity::Error) > 0 {
            Verdict::Errors
        } else if self.count(catalog, Severity::Warning) > 0 {
            Verdict::Warnings
        } else {
            Verdict::Clean
        };
    }

    /// Number of findings of a severity.
    pub fn count(&self, catalog: &Catalog, severity: Severity) -> u64 {
        self.findings.counts().iter().filter(|(rule, _)| catalog.rule(**rule).severity == severity).map(|(_, n)| n).sum()
    }
}
