//! Checks one file of a package: its format, its records, and the rules about its head.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::sync::Arc;

use crate::cases::Reading;
use crate::finding::spool::Spool;
use crate::finding::{Catalog, Check, FileRole, Finding, Keys, Place, RuleIx};
use crate::registry::encoding::{BOM, Coding, Encoding};
use crate::registry::fault::Fault;
use crate::registry::format::{Family, Format, Role};
use crate::registry::name::FileName;
use crate::registry::package::{Member, Package};
use crate::registry::probe::{Head, WINDOW, element_names};
use crate::registry::source::Source;
use crate::rules::{At, Blamed, Hit};
use crate::timings::{self, Phase, Timings};
use crate::values::Month;
use crate::watch::Watch;

use super::causes::Asked;
use super::checker::{Checker, Config};
use super::file::{FileOutcome, check_file};
use super::head::Front;
use super::judge::take_place;
use super::person_records::WantedPersons;
use super::piece::HeadValue;
use super::places::Progressed;
use super::rulebook::{FileRules, HeadFacts, PackageRules};
use super::walk::{FileContext, is_personal, shown};

/// The family of a main file when neither its name nor its content tells it.
pub(super) const FALLBACK: Family = Family('H');

/// A file to check.
pub(super) struct Task<'m> {
    pub(super) member: &'m Member,
    pub(super) file: FileRole,
    pub(super) family: Family,
    pub(super) period: Option<Month>,
    /// Persons whose first record is looked for; `None` if there are none.
    pub(super) wanted: Option<&'m WantedPersons>,
    /// Whether to read the cases too.
    pub(super) with_cases: bool,
}

/// The format, head, encoding and name of a file.
pub(super) struct Seen<'f> {
    pub(super) format: &'f Format,
    pub(super) front: Front,
    pub(super) encoding: Encoding,
    pub(super) name: Option<FileName>,
}

impl Seen<'_> {
    pub(super) fn facts(&self) -> HeadFacts<'_> {
        HeadFacts { format: self.format, front: &self.front, encoding: self.encoding, own_name: self.name.as_ref() }
    }

    pub(super) fn finding(&self, hit: &Hit, rules: &FileRules<'_>, file: FileRole) -> Finding {
        let node = self.format.node(hit.element);
        let value = self.front.find(hit.element).filter(|_| node.value_type().is_some()).map(|v| self.encoding.decode(&v.text));
        Finding {
            path: Arc::clone(&node.path),
            place: self.front.place(self.format, hit.element),
            personal: is_personal(node, value.as_deref()),
            value: value.as_deref().map(shown),
            ..Finding::of_file(rules.entry(hit, value.as_deref()), file)
        }
    }
}

/// The result of checking one file.
pub(super) struct Checked<'p> {
    pub(super) findings: Spool,
    pub(super) outcome: FileOutcome,
    pub(super) format: Option<&'p Format>,
    pub(super) context: Option<FileContext<'p>>,
    /// Whether the file could not be read to its end.
    pub(super) unread: bool,
    /// Findings about the head from which others follow.
    pub(super) causes: Vec<Finding>,
}

impl Checked<'_> {
    pub(super) fn head(&self, role: Role) -> Option<&HeadValue> {
        self.outcome.head.iter().find(|h| h.role == role)
    }

    pub(super) fn head_finding(&self, rule: RuleIx, role: Role, file: FileRole) -> Finding {
        let mut finding = Finding::of_file(rule, file);
        if let (Some(value), Some(format)) = (self.head(role), self.format) {
            finding.place = value.place;
            finding.path = format.node(value.node).path.clone();
            finding.personal = is_personal(format.node(value.node), Some(&value.text));
            finding.value = Some(shown(&value.text));
        }
        finding
    }
}

impl Checker<'_> {
    /// The family of a main file: by its own name, else by the file name that its header states, else by its elements and the first letters of those names.
    pub(super) fn family(&self, member: &Member, name: Option<&FileName>, period: Option<Month>) -> Family {
        if let Some(family) = name.and_then(|n| n.family) {
            return family;
        }
        let prefixes = self.formats.prefixes();
        let Ok(head) = &member.head else { return FileName::family_of_letters(prefixes, &member.stem()).unwrap_or(FALLBACK) };
        let stated = head.value(Role::FileName);
        if let Some(family) = stated.and_then(|stem| FileName::parse(prefixes, stem).ok()?.family) {
            return family;
        }
        let by_letters = |stem: &str| FileName::family_of_letters(prefixes, stem);
        let favourite = by_letters(&member.stem()).or_else(|| by_letters(stated?)).unwrap_or(FALLBACK);
        let names = element_names(&member.source, head.coding);
        self.formats.closest(&names, head.value(Role::Version), period, favourite)
    }

    /// Reads the head of a file; `None` if the file cannot be read, its format is unknown or there is no rule book.
    pub(super) fn seen(&self, member: &Member, family: Family, period: Option<Month>, config: &Config, timings: Option<&Timings>) -> Option<Seen<'_>> {
        let head = member.head.as_ref().ok()?;
        let (format, _) = self.formats.choose(family, head.value(Role::Version), period)?;
        self.rules?;
        let _open = timings::span(timings, Phase::Open);
        let front = Front::read(&member.source, format, head.coding, config.markup);
        Some(Seen { format, front, encoding: head.encoding(), name: member.name(self.formats.prefixes()).ok() })
    }

    pub(super) fn newest(&self, family: Family) -> Option<&Format> {
        self.formats.editions(family).last().map(|f| &**f)
    }

    pub(super) fn member<'c>(
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
                return Ok(Checked { findings, outcome: FileOutcome::default(), format: None, context: None, unread: true, causes: Vec::new() });
            }
        };
        let rule = |check| self.catalog.of(check);
        if let Some((check, expected, found)) = of_encoding(head) {
            findings.push(Finding { expected: Some(expected.into()), found: Some(found.into()), ..Finding::of_file(rule(check), file) })?;
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
            return Ok(Checked { findings, outcome: FileOutcome::default(), format: None, context: None, unread: true, causes: Vec::new() });
        };
        let plan = &self.plans[&(format.family, format.edition.id.clone())];
        // This context serves to find the records of findings later; rules are not run again there.
        let context = FileContext {
            format,
            plan,
            catalog: self.catalog,
            file,
            encoding: head.encoding(),
            coding: head.coding,
            unsure: head.unsure,
            limits: config.markup,
            piece: config.piece,
            rules: None,
            wanted: None,
            placing: false,
            reading: None,
            timings: watch.timings(),
        };
        let reading = if with_cases { Reading::new(format, head.encoding()) } else { None };
        let hash = matches!(&member.source, Source::File(file) if *file == package.file);
        let mut causes = Vec::new();
        let outcome = check_file(&member.source, FileContext { rules, wanted, reading: reading.as_ref(), ..context }, hash, watch, &mut |finding| {
            if is_cause_in_head(self.catalog, format, &finding) && causes.len() < MOST_CAUSES {
                causes.push(finding.clone());
            }
            findings.push(finding)
        })?;
        let mut checked = Checked { unread: outcome.fault.is_some(), findings, outcome, format: Some(format), context: Some(context), causes };
        if !checked.unread {
            self.edition_findings(&mut checked, choice, version, period, file)?;
            self.head_findings(&mut checked, &stem, name.as_ref().ok(), period, package)?;
        }
        Ok(checked)
    }

    /// Evaluates the rules about a file's head after its records were read. Returns the findings in the head of the person
    /// file, `persons`.
    pub(super) fn judge_head(&self, rules: &FileRules<'_>, checked: &mut Checked<'_>, seen: &Seen<'_>, persons: Option<&Seen<'_>>) -> io::Result<Vec<Finding>> {
        if checked.unread {
            return Ok(Vec::new());
        }
        let _rules = timings::span(checked.context.and_then(|c| c.timings), Phase::Rules);
        let mut hits = Vec::new();
        let work = &checked.outcome.work;
        let blamed = |hit: &Hit, finding: Finding| match rules.set.blamed(hit.row, work) {
            Some(blamed) => with_records(blamed, seen.encoding, finding),
            None => finding,
        };
        rules.set.head(&rules.facts, &checked.outcome.work.gathered, !checked.findings.is_empty(), &mut |hit| hits.push(hit));
        let file = checked.context.map_or(FileRole::Main, |c| c.file);
        let of_hit = |hit: Hit| {
            let finding = match hit.at {
                // An absent element passes, as in the main file; a rule of presence names it.
                At::PersonsHead => persons.filter(|p| p.front.find(hit.element).is_some())?.finding(&hit, rules, FileRole::Persons),
                _ => seen.finding(&hit, rules, file),
            };
            Some(blamed(&hit, Finding { expected: rules.lacking(&hit, seen.format), ..finding }))
        };
        let found: Vec<Finding> = hits.into_iter().filter_map(of_hit).collect();
        let (own, of_persons) = found.into_iter().partition(|f| f.file == file);
        add_to_head(self.catalog, checked, own)?;
        Ok(of_persons)
    }

    /// Sets what follows from findings about the heads of both files, and what is said of all records because of one.
    pub(super) fn settle_head(&self, rules: &PackageRules<'_>, checked: &mut Checked<'_>, other: Option<&Checked<'_>>) -> io::Result<()> {
        let (main, persons) = match checked.context.map(|c| c.file) {
            Some(FileRole::Persons) => (other.and_then(|o| o.format), checked.format),
            _ => (checked.format, other.and_then(|o| o.format)),
        };
        let asked_by = |rule: RuleIx| rules.asked(&Finding::of_file(rule, FileRole::Container), main, persons);
        // What the causes in both heads are about: the element that the rule checks, or all that it reads.
        let causes: Vec<&Finding> = checked.causes.iter().chain(other.into_iter().flat_map(|o| &o.causes)).collect();
        let mut about: Vec<(FileRole, Arc<str>, RuleIx)> = causes.iter().map(|c| (c.file, Arc::clone(&c.path), c.rule)).collect();
        for cause in causes.iter().filter(|c| self.catalog.cause(c.rule).is_some_and(|cause| cause.about_all)) {
            // The first one stands for the finding's own element, which is nowhere here.
            about.extend(asked_by(cause.rule).into_iter().skip(1).map(|asked| (asked.file, asked.path, cause.rule)));
        }
        let in_records = self.causes_in_records(rules, checked, &asked_by)?;
        if about.is_empty() && in_records.is_empty() {
            return Ok(());
        }
        let mut of_rule: BTreeMap<RuleIx, Option<RuleIx>> = BTreeMap::new();
        for rule in checked.findings.counts().keys() {
            let asked = asked_by(*rule);
            // The cause itself reads its element too; a lower rank is the cause.
            let rank = |ix: RuleIx| self.catalog.cause(ix).map(|rank| (rank, ix));
            let from = about.iter().filter(|(file, path, _)| asked.iter().any(|a| a.file == *file && a.path == *path)).filter_map(|c| rank(c.2)).min();
            let stands = from.is_none_or(|from| rank(*rule).is_some_and(|own| own <= from) && causes.iter().any(|c| c.rule == *rule));
            let from = from.filter(|_| !stands).map(|(_, ix)| ix).or_else(|| in_records.get(rule).copied());
            of_rule.insert(*rule, from);
        }
        if of_rule.values().all(Option::is_none) {
            return Ok(());
        }
        checked.findings.change(|finding| finding.follows_from = finding.follows_from.or_else(|| of_rule.get(&finding.rule).copied().flatten()))
    }

    /// Rules about the head that are broken because of records, each with a rule from whose findings in these records that follows: a sum by any of
    /// them, another requirement if every record that breaks it has one.
    fn causes_in_records(
        &self,
        rules: &PackageRules<'_>,
        checked: &Checked<'_>,
        asked_by: &dyn Fn(RuleIx) -> Vec<Asked>,
    ) -> io::Result<BTreeMap<RuleIx, RuleIx>> {
        if checked.context.is_none_or(|c| c.file != FileRole::Main) {
            return Ok(BTreeMap::new());
        }
        let counts = checked.findings.counts();
        let blame = |rule: &RuleIx| rules.blamed(*rule, &checked.outcome.work).map(|records| (*rule, records));
        let of_records: Vec<(RuleIx, u64)> = counts.keys().filter_map(blame).collect();
        if of_records.is_empty() || counts.keys().all(|rule| self.catalog.cause(*rule).is_none()) {
            return Ok(BTreeMap::new());
        }
        let elements: Vec<(RuleIx, u64, Vec<Asked>)> = of_records.into_iter().map(|(rule, records)| (rule, records, asked_by(rule))).collect();
        let mut found: BTreeMap<RuleIx, (RuleIx, u64)> = BTreeMap::new();
        let mut replay = checked.findings.iter()?;
        while let Some(view) = replay.next_view()? {
            let is_cause = view.follows_from.is_none() && view.n_zap().is_some() && self.catalog.cause(view.rule).is_some();
            for (rule, ..) in elements.iter().filter(|(.., asked)| is_cause && asked.iter().any(|a| a.file == view.file && *a.path == *view.path)) {
                found.entry(*rule).or_insert((view.rule, 0)).1 += 1;
            }
        }
        let enough = |(rule, records, _): &(RuleIx, u64, _)| found.get(rule).filter(|(_, count)| count >= records).map(|(cause, _)| (*rule, *cause));
        Ok(elements.iter().filter_map(enough).collect())
    }
}

/// Most findings about a head from which others may follow: more than a head has elements.
const MOST_CAUSES: usize = 100;

fn is_cause_in_head(catalog: &Catalog, format: &Format, finding: &Finding) -> bool {
    let in_record = |id| format.role(Role::Record).is_some_and(|record| format.is_within(id, record));
    catalog.cause(finding.rule).is_some() && finding.keys == Keys::default() && format.find(&finding.path).is_some_and(|id| !in_record(id))
}

/// Names the records that break a rule about the head.
fn with_records(blamed: &Blamed, encoding: Encoding, mut finding: Finding) -> Finding {
    let numbers: Vec<_> = blamed.first.iter().map(|number| encoding.decode(number)).collect();
    if let ([only], 1) = (numbers.as_slice(), blamed.records) {
        finding.keys.n_zap = Some(shown(only));
    }
    let more = blamed.records - numbers.len() as u64;
    let more = if more > 0 { format!(" … +{more}") } else { String::new() };
    finding.found = Some(format!("{}{more}", numbers.join(", ")).into());
    finding
}

/// Adds findings of federal rules about a file's head; they replace structural findings that say the same.
pub(super) fn add_to_head(catalog: &Catalog, checked: &mut Checked<'_>, mut found: Vec<Finding>) -> io::Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    found.sort_by_key(|f| (f.place, f.rule));
    checked.findings.retain(|own| !take_place(catalog, &mut found, own))?;
    // What takes the place of a cause is a cause itself.
    checked.causes.retain(|own| !found.iter().any(|f| f.path == own.path && f.place.offset == own.place.offset));
    if let Some(format) = checked.format {
        checked.causes.extend(found.iter().filter(|f| is_cause_in_head(catalog, format, f)).cloned());
    }
    found.into_iter().try_for_each(|f| checked.findings.push(f))
}

pub(super) fn of_fault(rule: RuleIx, file: FileRole, fault: &Fault) -> Finding {
    Finding {
        place: Place { offset: fault.offset.unwrap_or(0), line: 0, column: 0 },
        value: fault.value.as_deref().map(Into::into),
        expected: fault.expected.as_deref().map(Into::into),
        found: fault.found.as_deref().map(Into::into),
        ..Finding::of_file(rule, file)
    }
}

/// What is wrong with the encoding of a file: the check, what was expected and what was found. One finding a file, whatever follows from it.
fn of_encoding(head: &Head) -> Option<(Check, &str, &'static str)> {
    let demanded = Coding::Windows1251.as_str();
    let declared = head.encoding_declared.as_deref().unwrap_or(Coding::Utf8.as_str());
    let found = head.coding.as_str();
    match head.coding {
        _ if head.encoding_differs => Some((Check::EncodingDiffers, declared, found)),
        Coding::Utf8 => Some((Check::EncodingNotDemanded, demanded, found)),
        _ if head.bom => Some((Check::EncodingMark, declared, found)),
        Coding::Cp866 | Coding::Koi8R => Some((Check::EncodingForeign, demanded, found)),
        Coding::Windows1251 => None,
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
