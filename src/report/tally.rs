//! Totals over all packages of a run.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{Catalog, Mends, RuleIx};
use crate::flk::{NotExecuted, PackageReport, Verdict};
use crate::nsi::Description;
use crate::rules::import::Edition;
use crate::texts::Severity;
use crate::values::Date;

/// Totals of the packages so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Number of packages.
    pub packages: u64,
    /// Number of packages that could not be read to the end.
    pub rejected: u64,
    /// Number of main and person files; a package without either counts as one.
    pub files: u64,
    /// Number of completed cases.
    pub cases: u64,
    /// Number of findings of severity error.
    pub errors: u64,
    /// Number of findings of severity warning.
    pub warnings: u64,
    /// Number of findings of severity info.
    pub infos: u64,
    /// Number of findings that follow from others.
    pub consequences: u64,
    /// Findings that stand on their own, by rule.
    pub rules: BTreeMap<RuleIx, u64>,
    /// Rules that did not run or ran in part, by rule and Russian reason.
    pub not_executed: BTreeMap<(String, String), NotExecuted>,
    /// Books that rules looked up, by id.
    pub books: BTreeMap<String, Description>,
    /// Date of the newest account for which the rule book's edition is too old; `None` when there is none.
    pub newer_account: Option<Date>,
    /// The edition of that rule book.
    pub edition: Option<Edition>,
    /// Ids of books that are too old for some account.
    pub older_books: BTreeSet<String>,
}

impl Tally {
    /// Adds a package.
    pub fn add(&mut self, report: &PackageReport, catalog: &Catalog) {
        self.packages += 1;
        self.rejected += u64::from(report.verdict == Verdict::Rejected);
        self.files += [&report.main, &report.persons].into_iter().flatten().count().max(1) as u64;
        self.cases += report.cases;
        self.errors += report.count(catalog, Severity::Error);
        self.warnings += report.count(catalog, Severity::Warning);
        self.infos += report.count(catalog, Severity::Info);
        self.consequences += report.findings.followers().values().sum::<u64>();
        for (rule, count) in report.findings.counts() {
            *self.rules.entry(*rule).or_default() += count;
        }
        for idle in &report.not_executed {
            self.not_executed.entry((idle.rule.clone(), idle.reason.ru.clone())).or_insert_with(|| idle.clone());
        }
        let Some(applied) = &report.applied else { return };
        for book in &applied.books {
            self.books.entry(book.id.clone()).or_insert_with(|| book.clone());
        }
        self.edition = self.edition.take().or_else(|| applied.edition.clone());
        self.newer_account = self.newer_account.max(applied.account.filter(|_| applied.newer_than_edition));
        self.older_books.extend(applied.older_books().map(|b| b.id.clone()));
    }

    /// Findings by those who can mend them, in the order of [`Mends::ALL`]; nobody without a finding.
    pub fn by_mender(&self, catalog: &Catalog) -> Vec<(Mends, u64)> {
        let of = |mends: Mends| (mends, self.rules.iter().filter(|(rule, _)| catalog.rule(**rule).mends == mends).map(|(_, count)| count).sum());
        Mends::ALL.into_iter().map(of).filter(|(_, count)| *count > 0).collect()
    }

    /// Whether there were packages and none of them could be read.
    pub fn all_rejected(&self) -> bool {
        self.packages > 0 && self.rejected == self.packages
    }

    /// Number of findings of a severity.
    pub fn of(&self, severity: Severity) -> u64 {
        match severity {
            Severity::Error => self.errors,
            Severity::Warning => self.warnings,
            Severity::Info => self.infos,
        }
    }
}
