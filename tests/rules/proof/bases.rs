//! Sound documents of one record, of every family and time, to start from: out of generated packages, and what goes between funds.

use std::sync::Arc;

use puomp::generate::{Generator, Options};
use puomp::registry::encoding::Encoding;
use puomp::registry::format::{Family, Formats, PERSONS, Role};
use puomp::rules::witness::{Document, Tree};
use puomp::tables::RuleFiles;
use puomp::values::Month;
use rayon::prelude::*;

use super::between;
use super::prove::Base;

/// Reporting months: between the days on which rules or editions change.
const MONTHS: &[&str] = &[
    "2019-10", "2019-11", "2020-02", "2020-06", "2020-12", "2021-02", "2021-04", "2021-06", "2021-09", "2022-03", "2024-01", "2024-04", "2024-11", "2025-03",
    "2025-08", "2026-02",
];
/// Records of a package; of families with many kinds of files fewer are enough.
const CASES: u64 = 45;
const OF_MANY: u64 = 8;

/// Letters of the files of a family in a month.
fn letters(formats: &Formats, family: Family, month: Month) -> Vec<Option<String>> {
    let in_force = formats.prefixes().iter().filter(|p| p.family == family && p.from.is_none_or(|s| s <= month) && p.until.is_none_or(|u| month <= u));
    in_force.map(|p| Some(p.letters.clone())).collect()
}

/// Every record of generated packages as a document of its own.
pub(crate) fn documents(files: &RuleFiles, formats: &Formats) -> Vec<Document> {
    let mut wanted = Vec::new();
    for month in MONTHS {
        let month: Month = month.parse().expect("a month");
        for family in formats.families().filter(|f| *f != PERSONS && formats.has_persons(*f)) {
            let letters = letters(formats, family, month);
            let cases = if letters.len() > 1 { OF_MANY } else { CASES };
            wanted.extend(letters.into_iter().map(|letters| Options { letters, ..Options::new(family, month, cases, 7) }));
        }
    }
    wanted.par_iter().flat_map_iter(|options| split(files, formats, options)).collect()
}

fn split(files: &RuleFiles, formats: &Formats, options: &Options) -> Vec<Document> {
    let Ok(generator) = Generator::new(files, formats, options) else { return Vec::new() };
    let (mut main, mut persons) = (Vec::new(), Vec::new());
    generator.write_main(&mut main, &mut |_| Ok(())).expect("written");
    generator.write_persons(&mut persons, &mut |_| Ok(())).expect("written");
    let format = formats.editions(options.family).iter().rfind(|f| f.edition.in_force(options.period)).expect("generated");
    let (persons_format, _) = formats.choose(PERSONS, None, Some(options.period)).expect("known");
    let read = |format: &Arc<_>, bytes: &[u8]| Tree::read(format, bytes, Encoding::Windows1251).expect("what we wrote");
    let (main, persons) = (read(format, &main), read(persons_format, &persons));
    let head = |tree: &Tree| {
        let record = tree.format.role(Role::Record);
        let mut head = tree.clone();
        head.root.children.retain(|c| Some(c.node) != record);
        head
    };
    let records = |tree: &Tree| {
        let record = tree.format.role(Role::Record);
        tree.root.children.iter().filter(|c| Some(c.node) == record).cloned().collect::<Vec<_>>()
    };
    let all_persons = records(&persons);
    let (main_head, persons_head) = (head(&main), head(&persons));
    let mut out = Vec::new();
    for record in records(&main) {
        let (mut main, mut person_file) = (main_head.clone(), persons_head.clone());
        main.root.children.push(record);
        let key = main.role(Role::IdPac).expect("a patient").to_owned();
        let id = person_file.format.role(Role::IdPac).expect("known");
        let person = all_persons.iter().find(|p| p.children.iter().any(|c| c.node == id && c.text == key)).expect("a person");
        person_file.root.children.push(person.clone());
        main.set_role(Role::CasesDeclared, "1");
        let sum = main.role(Role::CaseSum).unwrap_or("0.00").to_owned();
        main.set_role(Role::Total, &sum);
        out.push(Document { main, persons: Some(person_file) });
    }
    out
}

/// Accounts between funds.
const ACCOUNT: Family = Family('M');
/// Of so many records one goes into a corrected account, which has the rules of accounts, and into an answer.
const OF_OTHERS: usize = 12;

/// Documents between funds: the samples as of every month, and what stood in sound records as funds tell it to each other.
pub(crate) fn between_funds(formats: &Formats, bases: &[Base]) -> Vec<Document> {
    let samples = between::samples(formats);
    let mut out = Vec::new();
    for sample in &samples {
        out.extend(MONTHS.iter().filter_map(|month| between::of_month(formats, sample, month.parse().expect("a month"))));
        let step = if sample.format.family == ACCOUNT { 2 } else { OF_OTHERS };
        out.extend(bases.iter().step_by(step).filter_map(|(doc, _)| between::carried(formats, sample, doc)));
    }
    out
}
