//! Packages that are older than the rules, and rules and books that are older than the packages.

use std::fs;
use std::sync::LazyLock;

use puomp::finding::Catalog;
use puomp::flk::{Checker, Config, PackageReport, Rulebook, Verdict};
use puomp::generate::{Generator, Options, Packing};
use puomp::registry::archive::Limits;
use puomp::registry::encoding::Encoding;
use puomp::registry::format::Family;
use puomp::registry::package::{Input, discover};
use puomp::tables::RuleFiles;
use puomp::watch::Unwatched;

use crate::support::pair::{DESK, encoded, today};

static TABLES: LazyLock<(&'static Catalog, Checker<'static>)> = LazyLock::new(|| {
    let files = RuleFiles::embedded();
    let mut catalog = Catalog::load(&files).expect("the table is sound");
    let rules = Rulebook::load(&files, None, &mut catalog, |_| true).expect("the tables are sound");
    let (catalog, rules): (&'static Catalog, &'static Rulebook) = (Box::leak(Box::new(catalog)), Box::leak(Box::new(rules)));
    (catalog, Checker::new(catalog, &DESK.formats).expect("the table fits the formats").with_rules(rules))
});

/// Controls an invented package of a month whose files are edited. Returns the report and its findings as id, severity and element.
fn controlled(period: &str, edit: impl Fn(&str) -> String) -> (PackageReport, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options::new(Family('H'), period.parse().expect("a month"), 3, 1);
    Generator::new(&RuleFiles::embedded(), &DESK.formats, &options).expect("known").write_into(folder.path(), Packing::Plain).expect("written");
    for entry in fs::read_dir(folder.path()).expect("listed") {
        let path = entry.expect("listed").path();
        let text = Encoding::Windows1251.decode(&fs::read(&path).expect("read")).into_owned();
        fs::write(&path, encoded(&edit(&text))).expect("written");
    }
    let (catalog, checker) = &*TABLES;
    let packages = discover(&[Input::named(folder.path())], &DESK.formats, &Limits::default());
    let report = checker.package(&packages[0], &Config::on(today()), &Unwatched).expect("controlled");
    let told = |f: std::io::Result<puomp::finding::Finding>| {
        let f = f.expect("readable");
        let rule = catalog.rule(f.rule);
        format!("{} {} {}", rule.id, rule.severity.as_str(), f.element())
    };
    let mut found: Vec<String> = report.findings.iter().expect("there").map(told).collect();
    found.dedup();
    (report, found)
}

/// Replaces the value of the first element of a name.
fn with(text: &str, element: &str, value: &str) -> String {
    let open = format!("<{element}>");
    let Some(at) = text.find(&open).map(|at| at + open.len()) else { return text.to_owned() };
    let end = at + text[at..].find('<').expect("its end");
    format!("{}{value}{}", &text[..at], &text[end..])
}

#[test]
fn a_package_older_than_the_book_says_that_no_rule_ran() {
    let (report, found) = controlled("2019-05", str::to_owned);
    assert_eq!((found.as_slice(), report.verdict), (["E006 info DSCHET".to_owned()].as_slice(), Verdict::Clean));
    let idle: Vec<&str> = report.not_executed.iter().map(|n| n.rule.as_str()).collect();
    assert_eq!(idle, ["Q015"]);
    assert!(report.not_executed[0].reason.ru.contains("2019-11-01"), "{:?}", report.not_executed);
    assert!(!controlled("2020-05", str::to_owned).1.iter().any(|f| f.starts_with("E006")));
}

#[test]
fn an_account_before_its_month_is_an_error_and_the_rules_of_the_month_run() {
    let (report, found) = controlled("2021-02", |text| with(&with(text, "DSCHET", "2012-03-02"), "PROFIL", "999"));
    assert!(found.contains(&"E005 error DSCHET".to_owned()), "{found:?}");
    assert!(found.iter().any(|f| f.starts_with("001F.") && f.ends_with(" PROFIL")), "{found:?}");
    assert!(report.applied.expect("rules").rules > 200);
    assert!(controlled("2021-02", |text| with(text, "DSCHET", "2021-02-01")).1.iter().all(|f| !f.starts_with("E005")));
}

#[test]
fn an_old_book_softens_only_what_it_decides() {
    // The book of documents is of 2013, the account of 2021.
    let of = |series: &str| controlled("2021-02", |text| with(&with(text, "DOCTYPE", "14"), "DOCSER", series)).1;
    let long = "12 ".repeat(22);
    assert!(of(&long).contains(&"004F.00.1700 error DOCSER".to_owned()), "{:?}", of(&long));
    assert!(of("1 234").contains(&"004F.00.1700 warning DOCSER".to_owned()), "{:?}", of("1 234"));
}

#[test]
fn a_file_of_today_fails_on_codes_that_never_were() {
    for (element, value) in [("PROFIL", "999"), ("RSLT", "999"), ("DS1", "D95.0")] {
        let found = controlled("2026-05", |text| with(text, element, value)).1;
        assert!(found.iter().any(|f| f.ends_with(&format!(" error {element}"))), "{element}: {found:?}");
    }
}
