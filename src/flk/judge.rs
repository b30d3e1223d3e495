//! Work on a record that has just ended: evaluates the federal rules and reads the cases.

use std::sync::Arc;

use super::causes::{ANYWHERE, Asked, settle};
use super::person_records::WantedPersons;
use super::places::settled;
use super::rulebook::{FileRules, PackageRules};
use super::walk::{Frame, Walker, is_personal, shown};
use crate::cases::Reading;
use crate::finding::{Catalog, FileRole, Finding, Keys, Place, RuleIx, Same};
use crate::registry::format::{Format, NodeId, Role};
use crate::registry::record::Record;
use crate::rules::{At, Hit, Person, Read};
use crate::timings::{self, Phase};

impl Walker<'_> {
    /// Reads the cases of a record that ends where `bytes`, the beginning of the piece, ends.
    pub(super) fn read_cases(&mut self, reading: &Reading, bytes: &[u8]) {
        let here = self.record_start();
        let record = if self.record_bytes.is_empty() {
            &bytes[here..]
        } else {
            self.record_bytes.extend_from_slice(bytes);
            &self.record_bytes
        };
        reading.read(&self.record, record, &mut self.out.found);
    }

    /// Evaluates the rules over the record and, in a person file, keeps the values that rules of the main file ask for.
    pub(super) fn judge_record(&mut self, rules: &FileRules<'_>, frame: &Frame) {
        let _rules = timings::span(self.context.timings, Phase::Rules);
        if let Some(keeping) = &rules.keeping {
            let _persons = timings::span(self.context.timings, Phase::Persons);
            keeping.write(&self.id_pac, &self.record, &mut self.out.persons);
        }
        let known = rules.persons.and_then(|persons| persons.find(&self.id_pac, &mut self.next_person));
        let person = known.as_ref().map(|k| k as &dyn Person);
        let doubtful = self.out.findings.len() > frame.findings;
        let mut hits: Vec<Hit> = Vec::new();
        rules.set.record(&self.record, &rules.facts, person, doubtful, &mut self.out.work, &mut |hit| hits.push(hit));
        if !hits.is_empty() {
            self.report_hits(rules, person, hits, frame.findings);
        }
    }

    #[cold]
    fn report_hits(&mut self, rules: &FileRules<'_>, person: Option<&dyn Person>, hits: Vec<Hit>, from: usize) {
        let mut structural = self.out.findings.split_off(from);
        let catalog = self.context.catalog;
        let mut found: Vec<Finding> = hits.iter().map(|hit| self.of_hit(rules, person, hit)).collect();
        structural.retain(|finding| !take_place(catalog, &mut found, finding));
        found.append(&mut structural);
        settle(catalog, &mut found, |i, finding| match hits.get(i) {
            Some(hit) => self.asked(rules, hit, finding),
            None => vec![Asked::own(finding)],
        });
        if let Some(wanted) = self.context.wanted {
            self.follow_person(rules, &hits, &mut found, wanted);
        }
        // What is said of the person stands in the person file, whose number for him takes the place of the offset.
        let (file, place) = (self.context.file, self.number_of_person());
        let mut of_persons: Vec<Finding> = found.extract_if(.., |f| f.file != file).map(|f| Finding { place, ..f }).collect();
        if !of_persons.is_empty() {
            let case = self.facts_of_record();
            of_persons.iter_mut().for_each(|finding| finding.case.clone_from(&case));
            self.out.of_persons.append(&mut of_persons);
        }
        found.sort_by_key(|f| (f.place.offset, f.rule));
        self.out.findings.append(&mut found);
    }

    /// The number of the record's person in the person file, as an offset.
    fn number_of_person(&self) -> Place {
        Place { offset: self.next_person.saturating_sub(1) as u64, ..Place::default() }
    }

    /// Sets what follows from findings about the record's person in the person file. What is said of the person itself is joined with them later.
    fn follow_person(&self, rules: &FileRules<'_>, hits: &[Hit], found: &mut [Finding], wanted: &WantedPersons) {
        let (id_pac, Some(format)) = (self.context.encoding.decode(&self.id_pac), rules.persons_format) else { return };
        for (finding, hit) in found.iter_mut().zip(hits).filter(|(f, _)| f.follows_from.is_none() && f.file == self.context.file) {
            let read = rules.set.reads(hit.row).iter().filter_map(|read| if let Read::Person(id) = read { Some(*id) } else { None });
            finding.follows_from = read.filter_map(|id| wanted.cause(&id_pac, &format.node(id).path)).next();
        }
    }

    /// The elements that a broken rule reads, each in the block around both it and the rule's own.
    fn asked(&self, rules: &FileRules<'_>, hit: &Hit, finding: &Finding) -> Vec<Asked> {
        let (format, record) = (self.context.format, &self.record);
        let mut all = vec![Asked::own(finding)];
        let block = if let At::Record { block, .. } = hit.at { block } else { 0 };
        for read in rules.set.reads(hit.row) {
            all.extend(match *read {
                // Of a repeated element, the rule was broken by this one.
                Read::Own(id) if id == hit.element && hit.stands && !matches!(hit.at, At::Person) => None,
                Read::Own(id) => {
                    let mut around = block;
                    while record.instances().get(around).is_some_and(|i| !format.is_within(id, i.node)) && record.parent(around) != around {
                        around = record.parent(around);
                    }
                    record.place(around).map(|within| Asked { file: self.context.file, path: Arc::clone(&format.node(id).path), within })
                }
                Read::Person(id) => {
                    let path = rules.persons_format.map(|format| Arc::clone(&format.node(id).path));
                    path.map(|path| Asked { file: FileRole::Persons, path, within: ANYWHERE })
                }
            });
        }
        all
    }

    fn of_hit(&self, rules: &FileRules<'_>, person: Option<&dyn Person>, hit: &Hit) -> Finding {
        let context = &self.context;
        let format = match hit.at {
            At::Person => rules.persons_format.unwrap_or(context.format),
            _ => context.format,
        };
        let node = format.node(hit.element);
        let (block, offset, value) = match hit.at {
            At::Record { block, offset } => {
                let value = self.record.values(block, node.position).find(|v| hit.stands && node.value_type().is_some() && v.offset == offset);
                (block, offset, value.map(|v| v.text))
            }
            At::Person => {
                let index = rules.set.person_elements().iter().position(|c| c.element == hit.element && c.value);
                (0, self.identity_at, index.and_then(|i| person?.value(i, 0)))
            }
            At::Head | At::PersonsHead => (0, self.record.offset(0), None),
        };
        let value = value.map(|v| context.encoding.decode(v));
        let near = value.as_deref().filter(|_| !node.personal).and_then(|value| rules.nearest(hit, value));
        Finding {
            hint: near.map(|code| Box::new(context.catalog.hints().like(&code))),
            path: Arc::clone(&node.path),
            place: settled(&self.record_places, offset),
            keys: self.keys_of(block),
            value: value.as_deref().map(shown),
            personal: is_personal(node, value.as_deref()),
            expected: rules.lacking(hit, context.format),
            ..Finding::of_file(rules.entry(hit, value.as_deref()), if hit.at == At::Person { FileRole::Persons } else { context.file })
        }
    }

    /// The record, case and service numbers by which users find a block of the record.
    fn keys_of(&self, block: usize) -> Keys {
        let text = |role| value_around(self.context.format, &self.record, block, role).map(|v| self.context.encoding.decode(v).into());
        Keys { n_zap: text(Role::NZap), idcase: text(Role::IdCase), sl_id: text(Role::SlId), idserv: text(Role::IdServ), id_pac: text(Role::IdPac) }
    }
}

/// The value of a role for a block: from the block, a block around it, or a single child block of one of these (the patient).
fn value_around<'r>(format: &Format, record: &'r Record, block: usize, role: Role) -> Option<&'r [u8]> {
    let element = format.role(role)?;
    let (position, holder) = (format.node(element).position, format.node(element).parent?);
    let of = |block: usize| record.first(block, position).map(|v| v.text).filter(|t| !t.is_empty());
    let mut at = block;
    loop {
        let node: NodeId = record.instances().get(at)?.node;
        if node == holder {
            return of(at);
        }
        if format.node(holder).parent == Some(node) && !format.node(holder).obligation.repeatable {
            return record.blocks(at, format.node(holder).position).next().and_then(of);
        }
        match record.parent(at) {
            parent if parent == at => return None,
            parent => at = parent,
        }
    }
}

/// Whether a federal finding replaces a structural one; it then inherits `expected` and `found` where it has none of its own.
pub(super) fn take_place(catalog: &Catalog, federal: &mut [Finding], structural: &Finding) -> bool {
    let Some(same) = federal.iter_mut().find(|f| says_the_same(catalog, structural, f)) else { return false };
    same.expected = same.expected.take().or_else(|| structural.expected.clone());
    same.found = same.found.take().or_else(|| structural.found.clone());
    same.hint = same.hint.take().or_else(|| structural.hint.clone());
    same.personal |= structural.personal;
    true
}

/// Whether a federal finding says the same as a structural one, by the `same` list of the structural rule.
fn says_the_same(catalog: &Catalog, structural: &Finding, federal: &Finding) -> bool {
    let id = &catalog.rule(federal.rule).id;
    let here = structural.place.offset == federal.place.offset && structural.path == federal.path;
    catalog.rule(structural.rule).same.iter().any(|same| match same {
        Same::Category(category) => here && id.split('.').next() == Some(category),
        Same::Rule(rule) => rule == id,
        Same::Executes(_) => false,
    })
}

/// The catalog entry that findings of a check carry: the federal rule that the check executes, else the check's own.
pub(super) fn carried(rules: Option<&PackageRules<'_>>, check: RuleIx) -> RuleIx {
    rules.and_then(|r| r.executed_by(check)).unwrap_or(check)
}
