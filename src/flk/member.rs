//! Checks one file of a package: its format, its records, and the rules about its head.

use std::io::{self, Read as _};
use std::sync::Arc;

use crate::cases::Reading;
use crate::finding::spool::Spool;
use crate::finding::{Catalog, Check, FileRole, Finding, Place, RuleIx};
use crate::registry::encoding::{BOM, Coding, Encoding};
use crate::registry::fault::Fault;
use crate::registry::format::{Family, Format, Role};
use crate::registry::name::FileName;
use crate::registry::package::{Member, Package};
use crate::registry::probe::{Head, WINDOW, element_names};
use crate::registry::source::Source;
use crate::rules::{At, Hit};
use crate::timings::{self, Phase, Timings};
use crate::values::Month;
use crate::watch::Watch;

use super::checker::{Checker, Config};
use super::file::{FileOutcome, check_file};
use super::head::Front;
use super::judge::take_place;
use super::person_records::WantedPersons;
use super::piece::HeadValue;
use super::places::Progressed;
use super::rulebook::{FileRules, HeadFacts};
use super::walk::{FileContext, shown};

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

    /// Whether the value of a hit's element does not have the form of the element.
    fn is_misfit(&self, hit: &Hit) -> bool {
        let kind = self.format.node(hit.element).value_type();
        let fault = kind.zip(self.front.find(hit.element)).and_then(|(kind, standing)| kind.diagnose(&standing.text, self.encoding));
        fault.is_some_and(|fault| fault.check.is_of_form())
    }

    pub(super) fn finding(&self, hit: &Hit, rule: RuleIx, file: FileRole) -> Finding {
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

/// The result of checking one file.
pub(super) struct Checked<'p> {
    pub(super) findings: Spool,
    pub(super) outcome: FileOutcome,
    pub(super) format: Option<&'p Format>,
    pub(super) context: Option<FileContext<'p>>,
    /// Whether the file could not be read to its end.
    pub(super) unread: bool,
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
            finding.personal = format.node(value.node).personal;
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
                return Ok(Checked { findings, outcome: FileOutcome::default(), format: None, context: None, unread: true });
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
            return Ok(Checked { findings, outcome: FileOutcome::default(), format: None, context: None, unread: true });
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
            reading: None,
            timings: watch.timings(),
        };
        let reading = if with_cases { Reading::new(format, head.encoding()) } else { None };
        let hash = matches!(&member.source, Source::File(file) if *file == package.file);
        let outcome = check_file(&member.source, FileContext { rules, wanted, reading: reading.as_ref(), ..context }, hash, watch, &mut |finding| {
            findings.push(finding)
        })?;
        let mut checked = Checked { unread: outcome.fault.is_some(), findings, outcome, format: Some(format), context: Some(context) };
        if !checked.unread {
            self.edition_findings(&mut checked, choice, version, period, file)?;
            self.head_findings(&mut checked, &stem, name.as_ref().ok(), period, package)?;
        }
        Ok(checked)
    }

    /// Evaluates the rules about a file's head after its records were read. Returns the hits in the head of the person file.
    pub(super) fn judge_head(&self, rules: &FileRules<'_>, checked: &mut Checked<'_>, seen: &Seen<'_>) -> io::Result<Vec<(Hit, RuleIx)>> {
        if checked.unread {
            return Ok(Vec::new());
        }
        let _rules = timings::span(checked.context.and_then(|c| c.timings), Phase::Rules);
        let mut hits = Vec::new();
        rules.set.head(&rules.facts, &checked.outcome.gathered, !checked.findings.is_empty(), &mut |hit| hits.push((hit, rules.entry(&hit, None))));
        // No book is asked about a value that does not even have the form of a code; the walk of the file has reported it.
        hits.retain(|(hit, _)| !(rules.looks_up(hit) && seen.is_misfit(hit)));
        let (of_persons, own): (Vec<_>, Vec<_>) = hits.into_iter().partition(|(hit, _)| hit.at == At::PersonsHead);
        let file = checked.context.map_or(FileRole::Main, |c| c.file);
        add_to_head(self.catalog, checked, own.iter().map(|(hit, rule)| seen.finding(hit, *rule, file)).collect())?;
        Ok(of_persons)
    }
}

/// Adds findings of federal rules about a file's head; they replace structural findings that say the same.
pub(super) fn add_to_head(catalog: &Catalog, checked: &mut Checked<'_>, mut found: Vec<Finding>) -> io::Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    found.sort_by_key(|f| (f.place, f.rule));
    checked.findings.retain(|own| !take_place(catalog, &mut found, own))?;
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
