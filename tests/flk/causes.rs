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
use puomp::texts::Lang;
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
    /// What stands on its own.
    fn lines(&self) -> Vec<String> {
        let lines: Vec<String> = self.findings.iter().filter(|f| f.follows_from.is_none()).map(line).collect();
        let counted: u64 = self.report.findings.counts().values().sum();
        assert_eq!(lines.len() as u64, counted, "only these are counted");
        lines
    }

    /// What follows, with the rule of its cause, each kind once.
    fn followers(&self) -> Vec<String> {
        let of = |f: &Finding| Some(format!("{} {} < {}", TABLES.0.rule(f.rule).id, f.element(), TABLES.0.rule(f.follows_from?).id));
        let mut all: Vec<String> = self.findings.iter().filter_map(of).collect();
        all.sort();
        all.dedup();
        all
    }

    /// The text of the first finding of a rule.
    fn text(&self, id: &str) -> String {
        let rule = |f: &&Finding| TABLES.0.rule(f.rule).id == id;
        let finding = self.findings.iter().find(rule).unwrap_or_else(|| panic!("no {id} in {:?}", self.lines()));
        finding.clone().masked().message(TABLES.0.rule(finding.rule), Lang::Ru)
    }

    fn advice(&self, id: &str) -> &'static str {
        let rule = |f: &&Finding| TABLES.0.rule(f.rule).id == id;
        let finding = self.findings.iter().find(rule).unwrap_or_else(|| panic!("no {id} in {:?}", self.lines()));
        TABLES.0.rule(finding.rule).advice.get(Lang::Ru)
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

#[test]
fn an_empty_element_is_one_finding() {
    for element in ["SMO", "P_CEL", "RSLT", "DS1", "VIDPOM"] {
        let said = h_2026().main(|text| with(text, element, "")).said();
        assert_eq!(said.lines().len(), 1, "{element}: {:?}", said.lines());
        assert!(said.lines()[0].contains(&format!(" H {element} N_ZAP ")), "{:?}", said.lines());
    }
    let said = h_2026().main(|text| with(text, "SMO", "")).said();
    assert!(said.followers().iter().any(|f| f.starts_with("006F.00.0220 SMO < ")), "{:?}", said.followers());
    // In the head it is one finding too, whatever the number of records that are compared with it.
    let said = h_2026().main(|text| with(text, "PLAT", "")).said();
    assert_eq!(said.lines().len(), 1, "{:?}", said.lines());
}

#[test]
fn a_value_of_the_wrong_kind_is_one_finding() {
    for (element, value) in [("DATE_Z_2", "31.03.2026"), ("USL_OK", "\u{418}"), ("DS1", "\u{410}00"), ("IDSP", "x"), ("DR", "1.1.1980")] {
        let change = |text: &str| if text.contains(&format!("<{element}>")) { with(text, element, value) } else { text.to_owned() };
        let said = h_2026().main(change).persons(change).said();
        assert_eq!(said.lines().len(), 1, "{element}: {:?} and {:?}", said.lines(), said.followers());
    }
}

#[test]
fn a_wrong_mark_of_a_newborn_is_one_finding() {
    let said = h_2026().main(|text| with(text, "NOVOR", "1")).said();
    assert_eq!(said.lines(), ["002F.00.0130 H NOVOR N_ZAP 1"]);
    assert!(said.followers().len() > 2, "{:?}", said.followers());
    assert!(said.followers().iter().all(|f| f.ends_with(" < 002F.00.0130")), "{:?}", said.followers());
}

#[test]
fn an_empty_name_of_a_person_without_one_is_to_be_left_out() {
    let nameless = |text: &str| {
        let text = with(text, "IM", "");
        let (_, end) = value(&text, "DR", 0);
        format!("{}</DR><DOST>3</DOST>{}", &text[..end], &text[end + "</DR>".len()..])
    };
    let said = h_2026().persons(nameless).said();
    assert_eq!(said.lines().len(), 1, "{:?}", said.lines());
    assert!(said.lines()[0].starts_with("003F.00.1580 L IM N_ZAP "), "{:?}", said.lines());
    assert_eq!(said.followers(), ["004F.00.1590 IM < 003F.00.1580"]);
    assert_eq!(said.advice("003F.00.1580"), "уберите пустой элемент {element}");
}

#[test]
fn an_absent_date_is_one_finding_and_nothing_untrue_is_said() {
    let said = h_2021().main(|text| without(text, "DATE_Z_2")).said();
    assert_eq!(said.lines().len(), 1, "{:?}", said.lines());
    assert!(said.lines()[0].starts_with("003F.00.2270 H DATE_Z_2 N_ZAP 1"), "{:?}", said.lines());
    assert!(said.text("006F.00.0330").ends_with("сравнить не с чем, нет DATE_Z_2"), "{}", said.text("006F.00.0330"));
    let silent = |rule: &str| !said.followers().iter().any(|f| f.starts_with(rule));
    assert!(silent("006F.00.0160") && silent("006F.00.0180"), "{:?}", said.followers());
    // The date of the person file is in its head, and every person is compared with it.
    let said = h_2021().persons(|text| without(text, "DATA")).said();
    assert_eq!(said.lines(), ["S001 L DATA"]);
    assert_eq!(said.followers(), ["006F.00.0670 DR < S001"]);
    assert!(said.text("006F.00.0670").ends_with("сравнить не с чем, нет DATA"));
    // The birth date is in the other file.
    let said = h_2021().persons(|text| without(text, "DR")).said();
    assert_eq!(said.lines().len(), 1, "{:?}", said.lines());
}

#[test]
fn a_child_born_after_the_case_began_is_not_of_age() {
    let born = |text: &str| with(text, "DR", "2021-02-28");
    let said = h_2021().persons(born).said();
    assert!(said.lines().iter().any(|l| l.starts_with("006F.00.0680 L DR N_ZAP ")), "{:?}", said.lines());
    let all = [said.lines(), said.followers()].concat();
    assert!(!all.iter().any(|f| f.starts_with("006F.00.0395")), "{all:?}");
}

#[test]
fn a_rule_about_the_head_names_the_records_that_break_it() {
    let said = h_2021().main(|text| with(text, "MONTH", "1").replace("_2102", "_2101")).said();
    assert!(said.text("006F.00.0180").contains("записи 1, 2, 3"), "{}", said.text("006F.00.0180"));
    let said = h_2021().main(|text| with(text, "LPU", "140002")).said();
    let finding = said.findings.iter().find(|f| TABLES.0.rule(f.rule).id == "006F.00.0030").expect("found");
    assert_eq!((finding.found.as_deref(), finding.keys.n_zap.as_deref()), (Some("1"), Some("1")));
    assert!(said.text("006F.00.0040").ends_with("записи 1"), "{}", said.text("006F.00.0040"));
}

#[test]
fn what_is_said_of_a_person_stands_in_the_person_file() {
    let said = h_2021().persons(|text| with(text, "DR", "2021-02-28")).said();
    let finding = said.findings.iter().find(|f| TABLES.0.rule(f.rule).id == "006F.00.0680").expect("found");
    assert_eq!(finding.file, FileRole::Persons);
    let package = h_2021();
    let (from, _) = value(&package.persons.1, "DR", 0);
    assert_eq!(finding.place.offset as usize, encoded(&package.persons.1[..from - "<DR>".len()]).len());
    assert!(finding.keys.id_pac.is_some() && finding.keys.n_zap.is_some());
}

/// Every kind of fault that people sent, in their own files.
#[test]
#[ignore = "needs PUOMP_SHARED"]
fn the_faults_that_people_sent() {
    let shared = std::env::var_os("PUOMP_SHARED").expect("PUOMP_SHARED names the folder");
    let (catalog, checker) = &*TABLES;
    for (case, expected) in [
        ("empty-element", &["S006"][..]),
        ("empty-name-with-dost", &["003F.00.1580"]),
        ("ampersand-in-the-person-file", &["X005"]),
        ("flk-absent-end-date", &["003F.00.2270"]),
        ("flk-absent-name-of-l", &["003F.00.1970"]),
        ("flk-age-before-birth", &["006F.00.0680", "006F.00.0311"]),
        ("flk-name-loses-family", &["P018", "P018"]),
        ("flk-person-finding-in-the-other-file", &["003F.00.0330", "003F.00.0340", "003F.00.1720", "003F.00.1730", "003F.00.1740"]),
    ] {
        let folder = std::path::Path::new(&shared).join("cases").join(case).join("in");
        let packages = discover(&[Input::named(folder)], &DESK.formats, &Limits::default());
        let report = checker.package(&packages[0], &Config::on(today()), &Unwatched).expect("controlled");
        let findings: Vec<Finding> = report.findings.iter().expect("there").map(|f| f.expect("readable")).collect();
        let own: Vec<&str> = findings.iter().filter(|f| f.follows_from.is_none()).map(|f| &*catalog.rule(f.rule).id).collect();
        assert_eq!(own, expected, "{case}");
    }
}

/// Replaces the value of an element in one record.
fn in_record(text: &str, number: usize, element: &str, value: &str) -> String {
    let at = text.find(&format!("<N_ZAP>{number}</N_ZAP>")).expect("the record");
    let open = format!("<{element}>");
    let from = at + text[at..].find(&open).expect("the element") + open.len();
    let end = from + text[from..].find('<').expect("its end");
    format!("{}{value}{}", &text[..from], &text[end..])
}

/// What is said of all records follows only if each record that breaks it has a cause of its own.
#[test]
fn the_head_follows_from_records() {
    let package = Package::of('H', "2026-02", 3, 1);
    let dated = |text: &str| text.replace("<DSCHET>2026-03-02", "<DSCHET>2026-03-03");
    let late = package.clone().main(dated).main(|text| in_record(text, 2, "DATE_Z_2", "2026-03-09"));
    let said = late.said();
    assert!(said.followers().contains(&"006F.00.0180 MONTH < 006F.00.0340".to_owned()), "{:?}", said.followers());
    assert!(!said.lines().iter().any(|line| line.starts_with("006F.00.0180")), "{:?}", said.lines());
    // The end of the third record is in the month after the account's as well, but before the day of the account.
    let said = late.main(|text| in_record(text, 3, "DATE_Z_2", "2026-03-01")).said();
    assert!(said.lines().iter().any(|line| line.starts_with("006F.00.0180 H MONTH")), "{:?}", said.lines());

    // A sum follows from an addend that is no sum; where all addends are sums, it stands.
    let said = package.clone().main(|text| in_record(text, 2, "SUMV", "1,50")).said();
    assert_eq!(said.lines(), ["004F.00.0630 H SUMV N_ZAP 2"]);
    assert!(said.followers().contains(&"006F.00.1040 SUMMAV < 004F.00.0630".to_owned()), "{:?}", said.followers());
    let said = package.main(|text| text.replacen("<SUMMAV>", "<SUMMAV>1", 1)).said();
    assert_eq!(said.lines(), ["006F.00.1040 H SUMMAV"]);
}
