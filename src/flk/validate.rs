//! The control of packages: both files, then what ties them together.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::cases::{Index, Reading};
use crate::finding::spool::Spool;
use crate::finding::{Catalog, Check, FileRole, Finding, Place, RuleIx};
use crate::registry::archive::Limits;
use crate::registry::chunk::PIECE;
use crate::registry::encoding::{BOM, Encoding};
use crate::registry::fault::Fault;
use crate::registry::format::{EditionChoice, Family, Format, Formats, PERSONS, Role};
use crate::registry::name::{FileName, PartyKind};
use crate::registry::package::{Input, Member, Package, discover};
use crate::registry::probe::{Head, WINDOW};
use crate::registry::scan::ScanLimits;
use crate::registry::source::Source;
use crate::rules::{At, Hit};
use crate::tables::TableError;
use crate::texts::{Lang, Severity, Text};
use crate::values::{Month, hex, kopecks, money};

use super::file::{FileOutcome, check_file};
use super::head::Front;
use super::judge::{carried, take_place};
use super::keyset::{self, Side};
use super::locate::locate;
use super::named::Wanted;
use super::outcome::{Account, NotExecuted, PackageReport, Verdict};
use super::piece::HeadValue;
use super::places::Progressed;
use super::plan::{NamePart, Part, Plan};
use super::rulebook::{FileRules, HeadFacts, PackageRules, Rulebook};
use super::walk::{FileContext, Mark, Walker, shown};
use crate::timings::{self, Phase, Timings};
use crate::watch::{Stopped, Watch};

/// Settings of a run.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Bounds of archives.
    pub archives: Limits,
    /// Bounds of the markup.
    pub markup: ScanLimits,
    /// Bytes of a file that are checked at once; findings do not depend on it.
    pub piece: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { archives: Limits::default(), markup: ScanLimits::default(), piece: PIECE }
    }
}

/// The compiled checks of every format.
#[derive(Debug)]
pub struct Checker<'t> {
    catalog: &'t Catalog,
    formats: &'t Formats,
    plans: BTreeMap<(Family, String), Plan>,
    rules: Option<&'t Rulebook>,
}

/// The family that a main file is taken for when neither its name nor its content tells.
const FALLBACK: Family = Family('H');
/// The family of files whose account names a kind of dispensary care.
const DISPENSARY: Family = Family('D');

/// Bytes of small packages that are checked side by side.
const SIDE_BY_SIDE: u64 = 32 << 20;
const AT_ONCE: usize = 64;

impl<'t> Checker<'t> {
    /// Compiles the structural checks for every format.
    ///
    /// # Errors
    /// A row of `rules/structure.csv` names what no format has.
    pub fn new(catalog: &'t Catalog, formats: &'t Formats) -> Result<Self, TableError> {
        let mut plans = BTreeMap::new();
        for format in formats.all() {
            plans.insert((format.family, format.edition.id.clone()), Plan::new(format, catalog)?);
        }
        Ok(Self { catalog, formats, plans, rules: None })
    }

    /// The same with the rules of a book, which were added to this checker's catalog when it was loaded.
    #[must_use]
    pub fn with_rules(self, rules: &'t Rulebook) -> Self {
        Self { rules: Some(rules), ..self }
    }

    /// Checks every package under the paths; reports arrive in the order of the packages.
    ///
    /// # Errors
    /// The receiver or a temporary file fails, or the watch stopped the work. Defects of the input are findings.
    pub fn validate(&self, inputs: &[Input], config: &Config, watch: &dyn Watch, each: &mut dyn FnMut(PackageReport) -> io::Result<()>) -> io::Result<()> {
        let find = timings::span(watch.timings(), Phase::Find);
        let packages = discover(inputs, self.formats, &config.archives);
        let sizes: Vec<u64> = packages.iter().map(size).collect();
        if let Some(timings) = watch.timings() {
            timings.bytes(Phase::Find, packages.iter().map(Package::size_on_disk).sum());
        }
        drop(find);
        watch.start(packages.len() as u64, sizes.iter().sum());
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
                watch.package_done();
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
        self.control(package, config, watch, false).map(|(report, _)| report)
    }

    /// Checks one package and reads its cases in the same pass.
    ///
    /// # Errors
    /// As [`Checker::package`].
    pub fn package_with_cases(&self, package: &Package, config: &Config, watch: &dyn Watch) -> io::Result<(PackageReport, Index)> {
        self.control(package, config, watch, true)
    }

    fn control(&self, package: &Package, config: &Config, watch: &dyn Watch, with_cases: bool) -> io::Result<(PackageReport, Index)> {
        let mut findings = Spool::default();
        let mut rejected = package.main.is_none();
        for fault in &package.faults {
            findings.push(self.container_finding(fault))?;
            rejected |= self.catalog.rule(self.catalog.of(fault.check)).severity == Severity::Error && package.main.is_none();
        }
        let prefixes = self.formats.prefixes();
        let main_name = package.main.as_ref().and_then(|m| m.name(prefixes).ok());
        let period = package.main.as_ref().and_then(|m| m.head.as_ref().ok()).and_then(Head::period);
        let any_name = || package.persons.as_ref().and_then(|m| m.name(prefixes).ok());
        let name_period = main_name.clone().or_else(any_name).and_then(|n| Month::new(n.year, n.month));

        let family = package.main.as_ref().map(|m| self.family(m, main_name.as_ref()));
        let seen = |member: Option<&'_ Member>, family: Option<Family>, period| Some(self.seen(member?, family?, period, config, watch.timings()));
        let of_main = seen(package.main.as_ref(), family, period).flatten();
        let of_persons = seen(package.persons.as_ref(), Some(PERSONS), period.or(name_period)).flatten();
        let rules = match (self.rules, &of_main) {
            (Some(book), Some(main)) => {
                let persons =
                    self.formats.has_persons(main.format.family).then(|| of_persons.as_ref().map_or_else(|| self.newest(PERSONS), |p| Some(p.format)));
                Some(book.for_package(self.formats, self.catalog, main.format, persons.flatten(), main.facts().account_date()).map_err(io::Error::other)?)
            }
            _ => None,
        };

        let mut persons = None;
        if let Some(member) = &package.persons {
            let own = rules.as_ref().zip(of_persons.as_ref()).zip(of_main.as_ref());
            let own = own.and_then(|((r, p), m)| r.of_persons(p.facts(), m.format, self.formats, period));
            let task = Task { member, file: FileRole::Persons, family: PERSONS, period: period.or(name_period), wanted: None, with_cases };
            let mut checked = self.member(task, own.as_ref(), package, config, watch)?;
            if let (Some(own), Some(seen)) = (&own, &of_persons) {
                self.judge_head(own, &mut checked, seen)?;
            }
            persons = Some(checked);
        }
        let mut main = None;
        if let (Some(member), Some(family)) = (&package.main, family) {
            let known = persons.as_ref().filter(|p| !p.unread).zip(of_persons.as_ref());
            let known = known.map(|(checked, seen)| (seen.facts(), &checked.outcome.persons));
            let own = rules.as_ref().zip(of_main.as_ref()).and_then(|(r, m)| r.of_main(m.facts(), known, self.formats, period));
            let wanted = persons.as_ref().map(|p| Wanted::of(&p.findings)).transpose()?.flatten();
            let task = Task { member, file: FileRole::Main, family, period, wanted: wanted.as_ref(), with_cases };
            let mut checked = self.member(task, own.as_ref(), package, config, watch)?;
            let hits = match (&own, &of_main) {
                (Some(own), Some(seen)) => self.judge_head(own, &mut checked, seen)?,
                _ => Vec::new(),
            };
            if let (Some(persons), Some(wanted)) = (&mut persons, &wanted) {
                persons.findings.change(|finding| checked.outcome.named.give(wanted, finding))?;
            }
            if let (Some(persons), Some(seen)) = (&mut persons, &of_persons) {
                add_to_head(self.catalog, persons, hits.iter().map(|(hit, rule)| seen.finding(hit, *rule, FileRole::Persons)).collect())?;
            }
            main = Some(checked);
        }
        let mut index = Index::default();
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
            path: package.path.display().to_string(),
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
            main_source: package.main.as_ref().map(|m| m.source.clone()),
            persons_source: package.persons.as_ref().map(|m| m.source.clone()),
        };
        if let Some(persons) = persons {
            rejected |= persons.unread;
            report.sha256 = persons.outcome.sha256;
            report.findings.append(persons.findings)?;
            index.append(persons.outcome.index);
        }
        if let Some(main) = main {
            rejected |= main.unread;
            let outcome = main.outcome;
            report.findings.append(main.findings)?;
            report.sha256 = outcome.sha256;
            index.append(outcome.index);
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
            report.sha256 = file_digest(&package.path, watch.timings()).ok();
        }
        report.verdict = if rejected { Verdict::Rejected } else { Verdict::Clean };
        report.judge(self.catalog);
        Ok((report, index))
    }

    fn container_finding(&self, fault: &Fault) -> Finding {
        of_fault(self.catalog.of(fault.check), FileRole::Container, fault)
    }

    /// The family by the file's own name, else by the name that it states, else by its content.
    fn family(&self, member: &Member, name: Option<&FileName>) -> Family {
        let stated = || {
            let head = member.head.as_ref().ok()?;
            FileName::parse(self.formats.prefixes(), head.value(Role::FileName)?).ok()?.family
        };
        let by_content = || if member.head.as_ref().is_ok_and(|h| h.value(Role::Disp).is_some()) { DISPENSARY } else { FALLBACK };
        name.and_then(|n| n.family).or_else(stated).unwrap_or_else(by_content)
    }

    /// What stands before the first record of a file that can be read.
    fn seen(&self, member: &Member, family: Family, period: Option<Month>, config: &Config, timings: Option<&Timings>) -> Option<Seen<'_>> {
        let head = member.head.as_ref().ok()?;
        let (format, _) = self.formats.choose(family, head.value(Role::Version), period)?;
        self.rules?;
        let _open = timings::span(timings, Phase::Open);
        let front = Front::read(&member.source, format, head.encoding, config.markup);
        Some(Seen { format, front, encoding: head.encoding, name: member.name(self.formats.prefixes()).ok() })
    }

    fn newest(&self, family: Family) -> Option<&Format> {
        self.formats.editions(family).last().map(|f| &**f)
    }

    fn member<'c>(
        &'c self,
        task: Task<'_>,
        rules: Option<&FileRules<'_>>,
        package: &Package,
        config: &Config,
        watch: &'c dyn Watch,
    ) -> io::Result<Checked<'c>> {
        let Task { member, file, family, period, wanted, with_cases } = task;
        let mut findings = Spool::default();
        let head = match &member.head {
            Ok(head) => head,
            Err(fault) => {
                let place = fault.offset.and_then(|offset| place_in_head(&member.source, offset)).unwrap_or_default();
                findings.push(Finding { place, ..of_fault(self.catalog.of(fault.check), file, fault) })?;
                return Ok(Checked { findings, outcome: FileOutcome::default(), format: None, context: None, unread: true });
            }
        };
        let rule = |check| self.catalog.of(check);
        if head.encoding_differs {
            let declared = head.encoding_declared.as_deref().unwrap_or("UTF-8");
            findings.push(Finding {
                expected: Some(declared.into()),
                found: Some(head.encoding.as_str().into()),
                ..Finding::of_file(rule(Check::EncodingDiffers), file)
            })?;
        } else if head.encoding != Encoding::Windows1251 {
            let expected = Some(Encoding::Windows1251.as_str().into());
            findings.push(Finding { expected, found: Some(head.encoding.as_str().into()), ..Finding::of_file(rule(Check::EncodingNotDemanded), file) })?;
        }
        let stem = member.stem();
        let name = member.name(self.formats.prefixes());
        match &name {
            Err(_) => findings.push(Finding { value: Some(stem.as_str().into()), ..Finding::of_file(rule(Check::NameGrammar), file) })?,
            Ok(name) if name.family.is_none() => {
                findings.push(Finding { value: Some(name.letters.as_str().into()), ..Finding::of_file(rule(Check::FamilyUnknown), file) })?;
            }
            Ok(_) => {}
        }
        let version = head.value(Role::Version);
        let Some((format, choice)) = self.formats.choose(family, version, period) else {
            findings.push(Finding { value: Some(family.to_string().into()), ..Finding::of_file(rule(Check::FamilyUnknown), file) })?;
            return Ok(Checked { findings, outcome: FileOutcome::default(), format: None, context: None, unread: true });
        };
        let plan = &self.plans[&(format.family, format.edition.id.clone())];
        // Looking at a record again to name it runs no rules.
        let context = FileContext {
            format,
            plan,
            catalog: self.catalog,
            file,
            encoding: head.encoding,
            limits: config.markup,
            piece: config.piece,
            rules: None,
            wanted: None,
            reading: None,
            timings: watch.timings(),
        };
        let reading = if with_cases { Reading::new(format, head.encoding) } else { None };
        let hash = matches!(&member.source, Source::File(path) if *path == package.path);
        let outcome = check_file(&member.source, FileContext { rules, wanted, reading: reading.as_ref(), ..context }, hash, watch, &mut |finding| {
            findings.push(finding)
        })?;
        let mut checked = Checked { unread: outcome.fault.is_some(), findings, outcome, format: Some(format), context: Some(context) };
        if !checked.unread {
            self.edition_findings(&mut checked, choice, version, period, file)?;
            self.head_findings(&mut checked, &stem, name.as_ref().ok(), package)?;
        }
        Ok(checked)
    }

    /// Evaluates the rules of a file's head, now that its records are known; gives back what they find in the head of the person file.
    fn judge_head(&self, rules: &FileRules<'_>, checked: &mut Checked<'_>, seen: &Seen<'_>) -> io::Result<Vec<(Hit, RuleIx)>> {
        if checked.unread {
            return Ok(Vec::new());
        }
        let _rules = timings::span(checked.context.and_then(|c| c.timings), Phase::Rules);
        let mut hits = Vec::new();
        rules.set.head(&rules.facts, &checked.outcome.gathered, !checked.findings.is_empty(), &mut |hit| hits.push((hit, rules.entry(hit.row))));
        let (of_persons, own): (Vec<_>, Vec<_>) = hits.into_iter().partition(|(hit, _)| hit.at == At::PersonsHead);
        let file = checked.context.map_or(FileRole::Main, |c| c.file);
        add_to_head(self.catalog, checked, own.iter().map(|(hit, rule)| seen.finding(hit, *rule, file)).collect())?;
        Ok(of_persons)
    }

    fn edition_findings(
        &self,
        checked: &mut Checked<'_>,
        choice: EditionChoice,
        version: Option<&str>,
        period: Option<Month>,
        file: FileRole,
    ) -> io::Result<()> {
        let Some(format) = checked.format else { return Ok(()) };
        let used = format.edition.id.as_str();
        let (check, role, expected) = match choice {
            EditionChoice::Unknown(_) => (Check::EditionUnknown, Role::Version, used.to_owned()),
            EditionChoice::OutOfPeriod(_, right) => {
                let right = right.map_or_else(|| "—".to_owned(), |i| self.formats.editions(format.family)[i].edition.id.clone());
                (Check::EditionPeriod, Role::Version, right)
            }
            EditionChoice::Right(_) if period.is_none() && file == FileRole::Main => (Check::PeriodUnreadable, Role::Year, used.to_owned()),
            EditionChoice::Right(_) => return Ok(()),
        };
        if check == Check::EditionUnknown && version.is_none() {
            // The absent VERSION is named by the structure already.
            return Ok(());
        }
        let finding = checked.head_finding(self.catalog.of(check), role, file);
        let finding = Finding { expected: Some(expected.into()), found: period.map(|p| p.to_string().into()), ..finding };
        checked.findings.push(finding)
    }

    fn head_findings(&self, checked: &mut Checked<'_>, stem: &str, name: Option<&FileName>, package: &Package) -> io::Result<()> {
        let Some(context) = checked.context else { return Ok(()) };
        let mut found: Vec<Finding> = Vec::new();
        let mut same_name = |check: Check, role: Role, expected: &str| {
            if let Some(value) = checked.head(role)
                && !value.text.is_empty()
                && !value.text.eq_ignore_ascii_case(expected)
            {
                found.push(Finding { expected: Some(expected.into()), ..checked.head_finding(self.catalog.of(check), role, context.file) });
            }
        };
        same_name(Check::NameDiffers, Role::FileName, stem);
        if let Some(main) = package.main.as_ref().filter(|_| context.file == FileRole::Persons) {
            same_name(Check::MainNameDiffers, Role::MainName, &main.stem());
        }
        for part in &context.plan.name_parts {
            let Some(name) = name else { break };
            if let (Some(value), Some(expected)) = (checked.head(part.role), expected_part(part, name))
                && !value.text.is_empty()
                && !same_number(&value.text, &expected)
            {
                found.push(Finding { expected: Some(expected.into()), ..checked.head_finding(part.rule, part.role, context.file) });
            }
        }
        for (index, count) in context.plan.counts.iter().enumerate() {
            let counted = checked.outcome.counts[index];
            if let Some(value) = checked.head(count.declared)
                && value.text.parse::<u64>().is_ok_and(|n| n != counted)
            {
                found.push(Finding { found: Some(counted.to_string().into()), ..checked.head_finding(count.rule, count.declared, context.file) });
            }
        }
        for (index, sum) in context.plan.sums.iter().enumerate().filter(|(_, s)| s.of_file) {
            let running = checked.outcome.sums[index];
            let Some(value) = checked.outcome.head.iter().find(|h| h.node == sum.total) else { continue };
            if running.addends > 0 && !running.broken && kopecks(value.text.as_bytes()).is_some_and(|k| i128::from(k) != running.kopecks) {
                let text = i64::try_from(running.kopecks).map_or_else(|_| "∞".to_owned(), money);
                found.push(Finding { found: Some(text.into()), ..checked.head_finding(sum.rule, value.role, context.file) });
            }
        }
        found.sort_by_key(|f| (f.place, f.rule));
        found.into_iter().try_for_each(|f| checked.findings.push(f))
    }

    /// Keys of each file, and of both together.
    fn relate<'p>(
        &self,
        package: &Package,
        rules: Option<&PackageRules<'_>>,
        persons: Option<&mut Checked<'p>>,
        main: Option<&mut Checked<'p>>,
        container: &Spool,
        not_executed: &mut Vec<NotExecuted>,
    ) -> io::Result<()> {
        let joined = persons.as_ref().is_some_and(|p| !p.unread) && main.as_ref().is_some_and(|m| !m.unread);
        if !joined {
            let reason = self.first_message(container, persons.as_deref(), main.as_deref())?;
            let has_persons = main.as_ref().and_then(|m| m.format).is_none_or(|f| self.formats.has_persons(f.family));
            for check in [Check::PersonAbsent, Check::PersonIdle].into_iter().filter(|_| has_persons) {
                not_executed.push(NotExecuted {
                    rule: self.catalog.rule(self.catalog.of(check)).id.clone(),
                    reason: reason.clone(),
                    book: None,
                    partly: false,
                });
            }
        }
        let mut sides: Vec<(&Member, &mut Checked<'p>)> = Vec::new();
        let mut join: Vec<(usize, RuleIx, keyset::KeySet, Option<RuleIx>)> = Vec::new();
        let mut marks: Vec<Vec<Mark>> = Vec::new();
        for (member, checked) in [(&package.persons, persons), (&package.main, main)] {
            let (Some(member), Some(checked)) = (member, checked) else { continue };
            let Some(context) = checked.context.filter(|_| !checked.unread) else { continue };
            let side = sides.len();
            let mut own = Vec::new();
            for (key, set) in context.plan.keys.iter().zip(std::mem::take(&mut checked.outcome.keys)) {
                match (key.absent.filter(|_| joined), key.unique) {
                    (Some(absent), unique) => join.push((side, carried(rules, absent), set, unique)),
                    (None, Some(rule)) => keyset::repeated(set.into_sorted()?, |k| own.push((k.offset, rule)))?,
                    (None, None) => {}
                }
            }
            if let Some((rule, _)) = context.plan.same_person {
                keyset::repeated(std::mem::take(&mut checked.outcome.identities).into_sorted()?, |k| own.push((k.offset, rule)))?;
            }
            marks.push(own);
            sides.push((member, checked));
        }
        if let [(left, absent_left, _, unique_left), (right, absent_right, _, unique_right)] = join.as_slice() {
            let rules = [(*left, *absent_left, *unique_left), (*right, *absent_right, *unique_right)];
            let mut sets = join.into_iter().map(|j| j.2);
            if let (Some(a), Some(b)) = (sets.next(), sets.next()) {
                let (a, b) = rayon::join(|| a.into_sorted(), || b.into_sorted());
                let (mut again, mut alone) = (Vec::new(), Vec::new());
                keyset::compare(a?, b?, |side, key| again.push((side, key)), |side, key| alone.push((side, key)))?;
                let of = |side: Side| rules[usize::from(side == Side::Right)];
                for (side, key) in again {
                    if let (side, _, Some(rule)) = of(side) {
                        marks[side].push((key.offset, rule));
                    }
                }
                for (side, key) in alone {
                    let (side, rule, _) = of(side);
                    marks[side].push((key.offset, rule));
                }
            }
        }
        for ((member, checked), mut marks) in sides.into_iter().zip(marks) {
            let Some(context) = checked.context else { continue };
            marks.sort_unstable();
            // One entry of a person that stands twice is said to stand twice, not to be the same person as itself.
            let repetition = context.plan.keys.iter().find_map(|k| k.unique.filter(|_| k.absent.is_some()));
            let weaker = context.plan.same_person.map(|(rule, _)| rule);
            let repeated: Vec<u64> = marks.iter().filter(|m| Some(m.1) == repetition).map(|m| m.0).collect();
            marks.retain(|m| Some(m.1) != weaker || repeated.binary_search(&m.0).is_err());
            locate(&member.source, context, checked.outcome.tangled, &marks, &mut |finding| checked.findings.push(finding))?;
        }
        Ok(())
    }

    /// Why the files cannot be joined: the message of the finding that stopped one of them.
    fn first_message(&self, container: &Spool, persons: Option<&Checked<'_>>, main: Option<&Checked<'_>>) -> io::Result<Text> {
        let unread = [main, persons].into_iter().flatten().filter(|c| c.unread).map(|c| &c.findings);
        for spool in unread.chain([container]) {
            // What stopped a file stands behind what was found before it.
            let mut last = None;
            for finding in spool.iter()? {
                let finding = finding?;
                let rule = self.catalog.rule(finding.rule);
                if rule.severity == Severity::Error && rule.is_of_file() {
                    last = Some(finding);
                }
            }
            if let Some(finding) = last.map(Finding::masked) {
                let rule = self.catalog.rule(finding.rule);
                return Ok(Text { ru: finding.message(rule, Lang::Ru), en: finding.message(rule, Lang::En) });
            }
        }
        Ok(Text { ru: String::new(), en: String::new() })
    }
}

/// A file that is to be checked.
struct Task<'m> {
    member: &'m Member,
    file: FileRole,
    family: Family,
    period: Option<Month>,
    /// Persons whose records are looked for.
    wanted: Option<&'m Wanted>,
    /// The cases are read as well.
    with_cases: bool,
}

/// A file's format and what stands before its first record.
struct Seen<'f> {
    format: &'f Format,
    front: Front,
    encoding: Encoding,
    name: Option<FileName>,
}

impl Seen<'_> {
    fn facts(&self) -> HeadFacts<'_> {
        HeadFacts { format: self.format, front: &self.front, encoding: self.encoding, own_name: self.name.as_ref() }
    }

    fn finding(&self, hit: &Hit, rule: RuleIx, file: FileRole) -> Finding {
        let node = self.format.node(hit.element);
        let value = self.front.find(hit.element).filter(|_| node.value_type().is_some());
        Finding {
            path: Arc::clone(&node.path),
            place: self.front.place(self.format, hit.element),
            value: value.map(|v| shown(&self.encoding.decode(&v.text))),
            personal: node.personal,
            ..Finding::of_file(rule, file)
        }
    }
}

/// Adds findings of federal rules about a file's head, in place of structural ones that say the same.
fn add_to_head(catalog: &Catalog, checked: &mut Checked<'_>, mut found: Vec<Finding>) -> io::Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    found.sort_by_key(|f| (f.place, f.rule));
    checked.findings.retain(|own| !take_place(catalog, &mut found, own))?;
    found.into_iter().try_for_each(|f| checked.findings.push(f))
}

/// One file after its check.
struct Checked<'p> {
    findings: Spool,
    outcome: FileOutcome,
    format: Option<&'p Format>,
    context: Option<FileContext<'p>>,
    /// The file could not be read to its end.
    unread: bool,
}

impl Checked<'_> {
    fn head(&self, role: Role) -> Option<&HeadValue> {
        self.outcome.head.iter().find(|h| h.role == role)
    }

    fn head_finding(&self, rule: RuleIx, role: Role, file: FileRole) -> Finding {
        let mut finding = Finding::of_file(rule, file);
        if let (Some(value), Some(format)) = (self.head(role), self.format) {
            finding.place = value.place;
            finding.path = format.node(value.node).path.clone();
            finding.personal = format.node(value.node).personal;
            finding.value = Some(shown(&value.text));
        }
        finding
    }
}

fn of_fault(rule: RuleIx, file: FileRole, fault: &Fault) -> Finding {
    Finding {
        place: Place { offset: fault.offset.unwrap_or(0), line: 0, column: 0 },
        value: fault.value.as_deref().map(Into::into),
        expected: fault.expected.as_deref().map(Into::into),
        found: fault.found.as_deref().map(Into::into),
        ..Finding::of_file(rule, file)
    }
}

/// Line and column of an offset near the beginning of a file that the probe refused.
fn place_in_head(source: &Source, offset: u64) -> Option<Place> {
    let mut head = Vec::new();
    source.open().ok()?.take(offset.min(WINDOW as u64)).read_to_end(&mut head).ok()?;
    let encoding = if Encoding::Utf8.undefined(&head).is_none() { Encoding::Utf8 } else { Encoding::Windows1251 };
    let text = head.strip_prefix(BOM).unwrap_or(&head);
    Some(Progressed::of(text, encoding).place(offset))
}

fn expected_part(part: &NamePart, name: &FileName) -> Option<String> {
    let code = |party: &crate::registry::name::Party, kind: PartyKind| (party.kind == kind).then(|| party.code.clone());
    match part.part {
        Part::SenderClinic => code(&name.sender, PartyKind::Clinic),
        Part::ReceiverInsurer => code(&name.receiver, PartyKind::Insurer),
        Part::Year => Some(name.year.to_string()),
        Part::Month => Some(name.month.to_string()),
    }
}

fn same_number(a: &str, b: &str) -> bool {
    a.trim_start_matches('0') == b.trim_start_matches('0')
}

fn size(package: &Package) -> u64 {
    let length = |source: &Source| match source {
        Source::File(path) | Source::Entry { archive: path, .. } => path.metadata().map_or(0, |m| m.len()),
    };
    [&package.main, &package.persons].into_iter().flatten().map(|m| length(&m.source)).sum()
}

fn file_digest(path: &Path, timings: Option<&Timings>) -> io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(&buffer[..read]);
        timings::bytes(timings, Phase::Digest, read as u64);
    }
}

/// Checks one document in memory against a format: structure, values and what relates elements of one record; no other file, no name.
///
/// # Errors
/// A row of `rules/structure.csv` names what no format has.
pub fn check_document(bytes: &[u8], encoding: Encoding, format: &Format, catalog: &Catalog) -> Result<Vec<Finding>, TableError> {
    let plan = Plan::new(format, catalog)?;
    let context = FileContext {
        format,
        plan: &plan,
        catalog,
        file: FileRole::Main,
        encoding,
        limits: ScanLimits::default(),
        piece: PIECE,
        rules: None,
        wanted: None,
        reading: None,
        timings: None,
    };
    let (text, base) = bytes.strip_prefix(BOM).map_or((bytes, 0), |text| (text, BOM.len() as u64));
    let outcome = Walker::at_head(context).piece(text, base, true);
    let mut findings = outcome.findings;
    if let Some(fault) = &outcome.fault {
        let place = outcome.fault_place.unwrap_or_default();
        findings.push(Finding { place, ..of_fault(catalog.of(fault.check), FileRole::Main, fault) });
        return Ok(findings);
    }
    let root = format.node(format.root());
    for (position, child) in root.children.iter().enumerate() {
        if root.required & 1 << position & !outcome.root.seen != 0 {
            let place = outcome.root_place.unwrap_or_default();
            findings.push(Finding { place, path: format.node(*child).path.clone(), ..Finding::of_file(plan.rule(Check::Missing), FileRole::Main) });
        }
    }
    Ok(findings)
}
