//! Files whose names do not follow the rules are checked as what they are: by their first letters, their version and their elements.

use std::fs;

use puomp::finding::Catalog;
use puomp::flk::{Checker, Config, Rulebook};
use puomp::generate::{Generator, Options, Packing};
use puomp::registry::archive::Limits;
use puomp::registry::format::Family;
use puomp::registry::package::{Input, discover};
use puomp::tables::RuleFiles;
use puomp::values::Month;
use puomp::watch::Unwatched;

use crate::support::pair::{DESK, MAIN, PERSONS, encoded, today, validate};

/// What a MIS makes of a name: the letters of the family and the rest of the right name go in.
type Spoiled = fn(&str, &str) -> String;

const WAYS: [(&str, Spoiled); 7] = [
    ("month 13", |letters, rest| format!("{letters}{}", rest.replace("_26", "_26_"))),
    ("no packet number", |letters, rest| format!("{letters}{}", &rest[..rest.len() - 1])),
    ("short code of the clinic", |letters, rest| format!("{letters}{}", rest.replacen("14", "", 1))),
    ("no receiver", |letters, rest| format!("{letters}{}", rest.replace("S14002", ""))),
    ("small and spaced", |letters, rest| format!("{letters}{} (2)", rest.to_lowercase())),
    ("a Cyrillic letter at the head", |letters, rest| format!("{}{rest}", letters.replace('H', "Н").replace('C', "С").replace('T', "Т").replace('D', "Д"))),
    ("words", |_, _| "реестр за март".to_owned()),
];

#[test]
fn an_ill_formed_name_keeps_the_family() {
    let files = RuleFiles::embedded();
    let mut catalog = Catalog::load(&files).expect("the table is sound");
    let rules = Rulebook::load(&files, None, &mut catalog, |_| true).expect("the tables are sound");
    let checker = Checker::new(&catalog, &DESK.formats).expect("the tables fit").with_rules(&rules);
    for (family, letters, period) in
        [('H', "H", "2026-03"), ('C', "C", "2026-03"), ('T', "T", "2025-08"), ('D', "DP", "2026-03"), ('D', "DF", "2024-05"), ('C', "C", "2021-02")]
    {
        let period: Month = period.parse().expect("a month");
        let options = Options { letters: Some(letters.to_owned()), ..Options::new(Family(family), period, 12, 5) };
        let generator = Generator::new(&files, &DESK.formats, &options).expect("the tables are sound");
        for (what, spoil) in WAYS {
            let folder = tempfile::tempdir().expect("a folder");
            generator.write_into(folder.path(), Packing::Plain).expect("written");
            for entry in fs::read_dir(folder.path()).expect("listed") {
                let path = entry.expect("listed").path();
                let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
                let own = if stem.starts_with('L') {
                    DESK.formats.prefixes().iter().find(|p| p.letters == letters).expect("known").persons.as_str()
                } else {
                    letters
                };
                let mut name = spoil(own, &stem[own.len()..]);
                if stem.starts_with('L') && !name.is_ascii() {
                    name.push_str(" L");
                }
                // The name that the head states is the same, as it is made by the same template.
                let text = encoding_of(&fs::read(&path).expect("read")).replace(&format!("<FILENAME>{stem}<"), &format!("<FILENAME>{name}<"));
                fs::remove_file(&path).expect("removed");
                fs::write(folder.path().join(format!("{name}.xml")), encoded(&text)).expect("written");
            }
            let packages = discover(&[Input::named(folder.path())], &DESK.formats, &Limits::default());
            assert_eq!(packages.len(), 1, "{letters} {what}: one package");
            let report = checker.package(&packages[0], &Config::on(today()), &Unwatched).expect("controlled");
            assert_eq!(report.family, Some(Family(family)), "{letters} {what}");
            let wrong: Vec<String> = report
                .findings
                .iter()
                .expect("there")
                .map(|f| f.expect("readable"))
                .filter(|f| !f.path.contains("FILENAME") && !f.path.is_empty())
                .map(|f| format!("{} {} {:?}", catalog.rule(f.rule).id, f.path, f.value))
                .collect();
            assert_eq!(wrong, Vec::<String>::new(), "{letters} {what}: only the names are wrong");
        }
    }
}

fn encoding_of(bytes: &[u8]) -> String {
    puomp::registry::encoding::Encoding::Windows1251.decode(bytes).into_owned()
}

#[test]
fn a_third_file_is_one_warning_and_no_package() {
    let third = MAIN.replace("<FILENAME>HM140001S14002_19031", "<FILENAME>PM140001S14002_19031");
    let files = [("HM140001S14002_19031.xml", encoded(MAIN)), ("LM140001S14002_19031.xml", encoded(PERSONS)), ("PM140001S14002_19031.xml", encoded(&third))];
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in &files {
        fs::write(folder.path().join(name), bytes).expect("written");
    }
    let all = validate(folder.path(), &Config::on(today()));
    assert_eq!(all.iter().map(|c| c.lines().join("; ")).collect::<Vec<_>>(), ["0:0@0 P024 container  [,,,,] value=PM140001S14002_19031.xml"]);
    // Asked for by name and without its package it is told what it is.
    let alone = tempfile::tempdir().expect("a folder");
    fs::write(alone.path().join(files[2].0), &files[2].1).expect("written");
    let all = validate(alone.path(), &Config::on(today()));
    assert_eq!(all.iter().map(|c| c.lines().join("; ")).collect::<Vec<_>>(), ["0:0@0 E001 main  [,,,,] value=P"]);
    // Of a file that holds neither a month nor a main file nothing is left to check, and nothing to miss.
    let lone = tempfile::tempdir().expect("a folder");
    fs::write(lone.path().join(files[2].0), encoded(&PERSONS.replace("<FILENAME>LM", "<FILENAME>PM"))).expect("written");
    let all = validate(lone.path(), &Config::on(today()));
    assert_eq!(all.iter().map(|c| c.lines().join("; ")).collect::<Vec<_>>(), ["0:0@0 P024 container  [,,,,] value=PM140001S14002_19031.xml"]);
    assert!(all.iter().all(|c| c.report.not_executed.is_empty() && c.report.verdict == puomp::flk::Verdict::Warnings));
}
