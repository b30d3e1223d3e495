//! The control of packages: each file, then the checks across both files.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use rayon::prelude::*;

use crate::cases::{Cases, Index, Persons};
use crate::finding::spool::Spool;
use crate::finding::{Check, FileRole, Finding};
use crate::registry::encoding::Coding;
use crate::registry::fault::Fault;
use crate::registry::format::{Family, PERSONS, Role};
use crate::registry::package::{Input, Member, Package, discover};
use crate::registry::probe::{Head, Prober};
use crate::registry::source::Source;
use crate::sys::open_input;
use crate::texts::Severity;
use crate::timings::{self, Phase, Timings};
use crate::values::{Month, sha256_of};
use crate::watch::{Stopped, Watch};

use super::by_person;
use super::causes::Asked;
use super::checker::{Checker, Config};
use super::member::{FALLBACK, Task, add_to_head, of_fault};
use super::outcome::{Account, PackageReport, Verdict};
use super::person_records::WantedPersons;
use super::placing;
use super::rulebook::{Days, PackageRules};

/// Limits on packages that are checked in parallel: their total size in bytes, and their number.
const SIDE_BY_SIDE: u64 = 32 << 20;
const AT_ONCE: usize = 64;

impl Checker<'_> {
    /// Checks every package under the paths; `each` receives the reports in the order of the packages.
    ///
    /// # Errors
    /// `each` or a temporary file fails, or the watch stopped the work. Defects of the input are findings.
    pub fn validate(&self, inputs: &[Input], config: &Config, watch: &dyn Watch, each: &mut dyn FnMut(PackageReport) -> io::Result<()>) -> io::Result<()> {
        let find = timings::span(watch.timings(), Phase::Find);
        let packages = discover(inputs, self.formats, &config.archives);
        let sizes: Vec<u64> = packages.iter().map(size).collect();
        if let Some(timings) = watch.timings() {
            timings.bytes(Phase::Find, packages.iter().map(Package::size_on_disk).sum());
        }
        drop(find);
        watch.start(sizes.iter().sum());
        let mut rest = packages.as_slice();
        let mut sizes = sizes.as_slice();
        while !rest.is_empty() {
            Stopped::check(watch)?;
            let mut bytes = 0;
            let fits = sizes.iter().take(AT_ONCE).take_while(|n| {
                bytes += **n;
                bytes <= SIDE_BY_SIDE
            });
            let (batch, later) = rest.split_at(fits.count().max(1));
            sizes = &sizes[batch.len()..];
            rest = later;
            let reports: Vec<_> = batch.par_iter().map(|p| self.package(p, config, watch)).collect();
            for report in reports {
                each(report?)?;
            }
        }
        Ok(())
    }

    /// Checks one package.
    ///
    /// # Errors
    /// A temporary file fails, or the watch stopped the work.
    pub fn package(&self, package: &Package, config: &Config, watch: &dyn Watch) -> io::Result<PackageReport> {
        self.control(package, config, watch, false).map(|(report, ..)| report)
    }

    /// Checks one package and reads its cases in the same pass.
    ///
    /// # Errors
    /// As [`Checker::package`].
    pub fn package_with_cases(&self, package: &Package, config: &Config, watch: &dyn Watch) -> io::Result<(PackageReport, Cases, Persons)> {
        self.control(package, config, watch, true)
    }

    fn control(&self, package: &Package, config: &Config, watch: &dyn Watch, with_cases: bool) -> io::Result<(PackageReport, Cases, Persons)> {
        let mut package = Cow::Borrowed(package);
        loop {
            match self.attempt(&package, config, watch, with_cases)? {
                Attempt::Done(done) => return Ok(*done),
                // The first letters came late and were of another encoding: the file is read again in it. It is sure then, so this comes once a file.
                Attempt::Turned(role, coding) => {
                    let package = package.to_mut();
                    let member = if role == FileRole::Persons { &mut package.persons } else { &mut package.main };
                    if let Some(member) = member {
                        let again = member.source.open().map_err(Fault::from);
                        member.head = again.and_then(|stream| Prober::new(self.formats).look_as(stream, Some(coding)));
                    }
                }
            }
        }
    }

    fn attempt(&self, package: &Package, config: &Config, watch: &dyn Watch, with_cases: bool) -> io::Result<Attempt> {
        let mut findings = Spool::default();
        // Of a package without both files its faults say what became of it.
        let mut rejected = package.main.is_none() && package.persons.is_some();
        for fault in &package.faults {
            findings.push(of_fault(self.catalog.of(fault.check), FileRole::Container, fault))?;
            rejected |= self.catalog.rule(self.catalog.of(fault.check)).severity == Severity::Error && package.main.is_none();
        }
        let prefixes = self.formats.prefixes();
        let main_name = package.main.as_ref().and_then(|m| m.name(prefixes).ok());
        let period = package.main.as_ref().and_then(|m| m.head.as_ref().ok()).and_then(Head::period);
        let any_name = || package.persons.as_ref().and_then(|m| m.name(prefixes).ok());
        let name_period = main_name.clone().or_else(any_name).and_then(|n| Month::new(n.year, n.month));

        let family = package.main.as_ref().map(|m| self.family(m, main_name.as_ref(), period));
        let seen = |member: Option<&'_ Member>, family: Option<Family>, period| Some(self.seen(member?, family?, period, config, watch.timings()));
        let of_main = seen(package.main.as_ref(), family, period).flatten();
        let of_persons = seen(package.persons.as_ref(), Some(PERSONS), period.or(name_period)).flatten();
        let rules = match (self.rules, &of_main) {
            (Some(book), Some(main)) => {
                let persons =
                    self.formats.has_persons(main.format.family).then(|| of_persons.as_ref().map_or_else(|| self.newest(PERSONS), |p| Some(p.format)));
                let days = Days { today: config.today, account: main.facts().account_date(), period };
                Some(book.for_package(self.formats, self.catalog, main.format, persons.flatten(), days).map_err(io::Error::other)?)
            }
            _ => None,
        };

        let mut persons = None;
        if let Some(member) = &package.persons {
            let own = rules.as_ref().zip(of_persons.as_ref()).zip(of_main.as_ref());
            let own = own.and_then(|((r, p), m)| r.of_persons(p.facts(), m.format, self.formats, period));
            let task = Task { member, file: FileRole::Persons, family: PERSONS, period: period.or(name_period), wanted: None, with_cases };
            let mut checked = self.member(task, own.as_ref(), package, config, watch)?;
            if let Some(coding) = checked.outcome.turned {
                return Ok(Attempt::Turned(FileRole::Persons, coding));
            }
            if let (Some(own), Some(seen)) = (&own, &of_persons) {
                self.judge_head(own, &mut checked, seen, None)?;
            }
            persons = Some(checked);
        }
        let mut main = None;
        if let (Some(member), Some(family)) = (&package.main, family) {
            // The head of a person file that breaks off later is known; its persons are not.
            let known = of_persons.as_ref().map(|seen| (seen.facts(), persons.as_ref().filter(|p| !p.unread).map(|checked| &checked.outcome.persons)));
            let own = rules.as_ref().zip(of_main.as_ref()).and_then(|(r, m)| r.of_main(m.facts(), known, self.formats, period));
            let wanted = persons.as_ref().map(|p| WantedPersons::of(&p.findings, self.catalog)).transpose()?.flatten();
            let task = Task { member, file: FileRole::Main, family, period, wanted: wanted.as_ref(), with_cases };
            let mut checked = self.member(task, own.as_ref(), package, config, watch)?;
            if let Some(coding) = checked.outcome.turned {
                return Ok(Attempt::Turned(FileRole::Main, coding));
            }
            let hits = match (&own, &of_main) {
                (Some(own), Some(seen)) => self.judge_head(own, &mut checked, seen, of_persons.as_ref())?,
                _ => Vec::new(),
            };
            if let (Some(first), false) = (rules.as_ref().and_then(PackageRules::begins_later), checked.unread) {
                let finding = checked.head_finding(self.catalog.of(Check::BeforeRules), Role::AccountDate, FileRole::Main);
                let value = period.map(|period| period.to_string().into());
                checked.findings.push(Finding { value, expected: Some(first.to_string().into()), ..finding })?;
            }
            if let (Some(persons), Some(member)) = (&mut persons, &package.persons) {
                let placed = match persons.context {
                    Some(context) => placing::place(std::mem::take(&mut checked.outcome.of_persons), &member.source, context)?,
                    None => Spool::default(),
                };
                if wanted.is_some() || !placed.is_empty() {
                    let formats = (of_main.as_ref().map(|m| m.format), persons.format);
                    let give = |finding: &mut Finding| {
                        if let Some(wanted) = &wanted {
                            checked.outcome.person_records.give(wanted, finding);
                        }
                        if let Some(rules) = &rules {
                            rules.refine(finding);
                        }
                    };
                    let asked = |finding: &Finding| match &rules {
                        Some(rules) => rules.asked(finding, formats.0, formats.1),
                        None => vec![Asked::own(finding)],
                    };
                    persons.findings = by_person::join(self.catalog, &persons.findings, &placed, give, asked)?;
                }
            }
            if let Some(persons) = &mut persons {
                add_to_head(self.catalog, persons, hits)?;
            }
            if let Some(rules) = &rules {
                self.settle_head(rules, &mut checked, persons.as_ref())?;
                if let Some(persons) = &mut persons {
                    self.settle_head(rules, persons, Some(&checked))?;
                }
            }
            main = Some(checked);
        }
        let (mut of_main, mut of_persons_file) = (Index::default(), Index::default());
        let mut not_executed = Vec::new();
        {
            let _persons = timings::span(watch.timings(), Phase::Persons);
            self.relate(package, rules.as_ref(), persons.as_mut(), main.as_mut(), &findings, &mut not_executed)?;
        }
        if let (Some(rules), Some(main)) = (&rules, &main) {
            let with_persons = !self.formats.has_persons(family.unwrap_or(FALLBACK)) || persons.as_ref().is_some_and(|p| !p.unread);
            not_executed.extend(rules.not_executed(with_persons || main.unread));
        }
        let mut report = PackageReport {
            main: package.main.as_ref().map(Member::file_name),
            persons: package.persons.as_ref().map(Member::file_name),
            path: package.file.shown(),
            sha256: None,
            family: None,
            edition: None,
            period,
            account: Account::default(),
            records: 0,
            cases: 0,
            services: 0,
            sum_kopecks: None,
            verdict: Verdict::Clean,
            findings,
            not_executed,
            applied: rules.as_ref().map(PackageRules::applied),
            main_source: package.main.as_ref().map(Member::origin),
            persons_source: package.persons.as_ref().map(Member::origin),
        };
        if let Some(persons) = persons {
            rejected |= persons.unread;
            report.sha256 = persons.outcome.sha256;
            report.findings.append(persons.findings)?;
            of_persons_file = persons.outcome.index;
        }
        if let Some(main) = main {
            rejected |= main.unread;
            let outcome = main.outcome;
            report.findings.append(main.findings)?;
            report.sha256 = outcome.sha256;
            of_main = outcome.index;
            if let Some(format) = main.format {
                report.family = Some(format.family);
                report.edition = Some(format.edition.id.clone());
            }
            if let Some(Ok(head)) = package.main.as_ref().map(|m| &m.head) {
                let text = |role| head.value(role).map(str::to_owned);
                report.account =
                    Account { number: text(Role::AccountNo), date: text(Role::AccountDate), payer: text(Role::Payer), code_mo: text(Role::CodeMo) };
            }
            report.records = outcome.records;
            report.cases = outcome.cases;
            report.services = outcome.services;
            report.sum_kopecks = (outcome.case_sum.addends > 0).then(|| i64::try_from(outcome.case_sum.kopecks).unwrap_or(i64::MAX));
        }
        if report.sha256.is_none() {
            let _digest = timings::span(watch.timings(), Phase::Digest);
            report.sha256 = file_digest(&package.file.path, watch.timings()).ok();
        }
        report.verdict = if rejected { Verdict::Rejected } else { Verdict::Clean };
        report.judge(self.catalog);
        let (cases, persons) = of_main.finish(of_persons_file);
        Ok(Attempt::Done(Box::new((report, cases, persons))))
    }
}

/// The result of reading a package once.
enum Attempt {
    Done(Box<(PackageReport, Cases, Persons)>),
    /// A file is in another encoding than its beginning had shown.
    Turned(FileRole, Coding),
}

fn size(package: &Package) -> u64 {
    let length = |source: &Source| source.container().metadata().map_or(0, |m| m.len());
    [&package.main, &package.persons].into_iter().flatten().map(|m| length(&m.source)).sum()
}

fn file_digest(path: &Path, timings: Option<&Timings>) -> io::Result<String> {
    sha256_of(open_input(path)?, |bytes| timings::bytes(timings, Phase::Digest, bytes.len() as u64))
}
