//! One cause, one finding: what is said of an invented package in which one thing is wrong. The faults are those that people sent.

use std::fs;
use std::sync::LazyLock;

use puomp::finding::{Catalog, FileRole, Finding};
use puomp::flk::{Checker, Config, PackageReport, Rulebook};
use puomp::generate::{Generator, Options, Packing};
use puomp::registry::archive::Limits;
use puomp::registry::encoding::Encoding;
use puomp::registry::format::Family;
use puomp::registry::package::{Input, discover};
use puomp::tables::RuleFiles;
use puomp::watch::Unwatched;

use crate::support::pair::{DESK, encoded, naive_place, today};

static TABLES: LazyLock<(&'static Catalog, Checker<'static>)> = LazyLock::new(|| {
    let files = RuleFiles::embedded();
    let mut catalog = Catalog::load(&files).expect("the table is sound");
    let rules = Rulebook::load(&files, None, &mut catalog, |_| true).expect("the tables are sound");
    let (catalog, rules): (&'static Catalog, &'static Rulebook) = (Box::leak(Box::new(catalog)), Box::leak(Box::new(rules)));
    (catalog, Checker::new(catalog, &DESK.formats).expect("the table fits the formats").with_rules(rules))
});

/// A clean generated package as text, with the names of its files.
#[derive(Clone)]
struct Package {
    main: (String, String),
    persons: (String, String),
}

/// A controlled package.
struct Said {
    report: PackageReport,
    findings: Vec<Finding>,
}

impl Package {
    fn of(family: char, period: &str, cases: u64, seed: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = Options::new(Family(family), period.parse().expect("a month"), cases, seed);
        Generator::new(&RuleFiles::embedded(), &DESK.formats, &options).expect("known").write_into(folder.path(), Packing::Plain).expect("written");
        let mut files: Vec<(String, String)> = fs::read_dir(folder.path())
            .expect("listed")
            .map(|entry| {
                let path = entry.expect("listed").path();
                let text = Encoding::Windows1251.decode(&fs::read(&path).expect("read")).into_owned();
                (path.file_name().and_then(|n| n.to_str()).expect("a name").to_owned(), text)
            })
            .collect();
        files.sort();
        let persons = files.pop().expect("two files");
        let main = files.pop().expect("two files");
        assert!(persons.0.starts_with('L'), "{}", persons.0);
        let package = Self { main, persons };
        assert_eq!(package.said().lines(), [""; 0], "clean before anything is changed");
        package
    }

    fn main(mut self, edit: impl Fn(&str) -> String) -> Self {
        self.main.1 = edit(&self.main.1);
        self
    }

    fn persons(mut self, edit: impl Fn(&str) -> String) -> Self {
        self.persons.1 = edit(&self.persons.1);
        self
    }

    fn said(&self) -> Said {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [&self.main, &self.persons] {
            fs::write(folder.path().join(name), encoded(text)).expect("written");
        }
        let (_, checker) = &*TABLES;
        let packages = discover(&[Input::named(folder.path())], &DESK.formats, &Limits::default());
        let report = checker.package(&packages[0], &Config::on(today()), &Unwatched).expect("controlled");
        let findings: Vec<Finding> = report.findings.iter().expect("there").map(|f| f.expect("readable")).collect();
        for finding in findings.iter().filter(|f| f.place.line > 0) {
            let text = if finding.file == FileRole::Persons { &self.persons.1 } else { &self.main.1 };
            let place = naive_place(&encoded(text), finding.place.offset as usize, Encoding::Windows1251);
            assert_eq!((finding.place.line, finding.place.column), place, "{}", line(finding));
        }
        Said { report, findings }
    }
}

/// Rule, file and element of a finding, and the numbers by which its case or person is found.
fn line(finding: &Finding) -> String {
    let rule = &TABLES.0.rule(finding.rule).id;
    let file = if finding.file == FileRole::Persons { "L" } else { "H" };
    let number = finding.keys.n_zap.as_deref().map_or_else(String::new, |n| format!(" N_ZAP {n}"));
    format!("{rule} {file} {}{number}", finding.element())
}

impl Said {
    fn lines(&self) -> Vec<String> {
        self.findings.iter().map(line).collect()
    }
}

/// Where the value of the nth element of a name begins and ends.
fn value(text: &str, element: &str, nth: usize) -> (usize, usize) {
    let open = format!("<{element}>");
    let at = text.match_indices(&open).nth(nth).unwrap_or_else(|| panic!("no {element} {nth}")).0 + open.len();
    (at, at + text[at..].find('<').expect("its end"))
}

/// Replaces the value of the first element of a name.
fn with(text: &str, element: &str, new: &str) -> String {
    let (from, to) = value(text, element, 0);
    format!("{}{new}{}", &text[..from], &text[to..])
}

/// Takes the first element of a name out, with its line.
fn without(text: &str, element: &str) -> String {
    let (from, to) = value(text, element, 0);
    let (from, to) = (from - element.len() - 2, to + element.len() + 3);
    format!("{}{}", &text[..from], &text[to + usize::from(text[to..].starts_with('\n'))..])
}

fn h_2021() -> Package {
    Package::of('H', "2021-02", 6, 7)
}

fn h_2026() -> Package {
    Package::of('H', "2026-03", 6, 7)
}

#[test]
fn the_head_of_a_person_file_that_breaks_off_is_compared_all_the_same() {
    let broken = |from: &str, to: &str| h_2026().persons(|text| text.replacen(from, to, 1));
    for (from, to, rule) in [("</FAM>", " & Co</FAM>", "X005"), ("</FAM>", "\u{1}</FAM>", "X010"), ("</FAM>", "</FAMM>", "X003")] {
        assert_eq!(broken(from, to).said().lines(), [format!("{rule} L ")], "{to:?}");
    }
    let cut = h_2026().persons(|text| text[..text.rfind("<FAM>").expect("there")].to_owned());
    assert_eq!(cut.said().lines(), ["X002 L "]);
    let cut = h_2026().main(|text| text[..text.rfind("<DS1>").expect("there")].to_owned());
    assert_eq!(cut.said().lines(), ["X002 H "]);
    // A name that is wrong is found although the rest cannot be read.
    let named = h_2026().persons(|text| with(&text.replacen("</FAM>", " & Co</FAM>", 1), "FILENAME", "LM140001S14002_25031"));
    assert_eq!(named.said().lines(), ["X005 L ", "006F.00.0080 L FILENAME"]);
}

#[test]
fn an_absent_element_passes_in_the_person_file_as_in_the_main_file() {
    assert_eq!(h_2021().persons(|text| without(text, "FILENAME")).said().lines(), ["003F.00.1970 L FILENAME"]);
    assert_eq!(h_2021().main(|text| without(text, "FILENAME")).said().lines(), ["003F.00.1960 H FILENAME"]);
}
