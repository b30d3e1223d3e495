//! Invented packages for tests of reports.

use std::sync::Arc;

use super::{Ending, Report, RuleSet, Tally};
use crate::finding::{CaseFacts, Catalog, Fact, FileRole, Finding, Keys, Place};
use crate::flk::{Account, NotExecuted, PackageReport, Verdict};
use crate::registry::format::{Family, Formats};
use crate::tables::RuleFiles;
use crate::texts::{Text, Texts};
use crate::values::Month;

/// The tables that a report needs.
pub(super) struct Desk {
    pub(super) rules: RuleSet,
    pub(super) catalog: Catalog,
    pub(super) formats: Formats,
    pub(super) texts: Texts,
}

impl Desk {
    pub(super) fn new() -> Self {
        let files = RuleFiles::embedded();
        Self {
            rules: RuleSet { version: "test".into(), date: "2021-03-01".into(), editions: Vec::new(), region: None },
            catalog: Catalog::load(&files).expect("sound"),
            formats: Formats::load(&files).expect("sound"),
            texts: Texts::load(&files).expect("sound"),
        }
    }

    pub(super) fn run(&self, report: &mut dyn Report, packages: &[PackageReport], seconds: Option<f64>) {
        let mut tally = Tally::default();
        for package in packages {
            tally.add(package, &self.catalog);
            report.package(package).expect("written");
        }
        let code = u8::from(tally.errors > 0);
        report.finish(&Ending { tally: &tally, seconds, protocols: None, protocol: None, code, hidden: None, timings: None }).expect("finished");
    }
}

/// A finding of this check in the main file.
pub(super) fn finding(desk: &Desk, check: &str, path: &str) -> Finding {
    let rule = desk.catalog.of(check.parse().expect("a kind"));
    Finding { path: Arc::from(path), place: Place { offset: 2481, line: 41, column: 7 }, ..Finding::of_file(rule, FileRole::Main) }
}

/// A package without findings.
pub(super) fn clean() -> PackageReport {
    PackageReport {
        main: Some("HM140001S14002_2103.xml".into()),
        persons: Some("LM140001S14002_2103.xml".into()),
        path: "выгрузка/HM140001S14002_2103.zip".into(),
        sha256: Some("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".into()),
        family: Some(Family('H')),
        edition: Some("3.1".into()),
        period: Month::new(2021, 3),
        account: Account { number: Some("17".into()), date: Some("2021-04-02".into()), payer: Some("14002".into()), code_mo: Some("140001".into()) },
        records: 400,
        cases: 412,
        services: 1702,
        sum_kopecks: Some(120_433_050),
        verdict: Verdict::Clean,
        findings: Default::default(),
        not_executed: Vec::new(),
        applied: None,
        main_source: None,
        persons_source: None,
    }
}

/// A package with errors of several rules, one of them in personal data, and a warning.
pub(super) fn mixed(desk: &Desk) -> PackageReport {
    let mut report = clean();
    report.verdict = Verdict::Errors;
    let key = |n: u32| Some(n.to_string().into());
    let keys = |n: u32| Keys { n_zap: key(n), idcase: key(n), sl_id: Some(format!("{n}-1").into()), ..Keys::default() };
    let person = Keys { id_pac: Some("П-30".into()), ..Keys::default() };
    let mut add = |finding: Finding| report.findings.push(finding).expect("pushed");
    let extra = Finding::of_file(desk.catalog.of("zip-extra".parse().expect("a kind")), FileRole::Container);
    add(Finding { value: Some("readme.txt".into()), ..extra });
    add(Finding {
        file: FileRole::Persons,
        keys: person,
        value: Some("Кириллов".into()),
        personal: true,
        expected: Some("А-Я".into()),
        ..finding(desk, "characters", "PERS_LIST/PERS/FAM")
    });
    for n in 0..5 {
        let place = Place { offset: 3000 + 500 * u64::from(n), line: 60 + 20 * n, column: 9 };
        add(Finding { place, keys: keys(n), case: Some(Arc::new(facts(n))), ..finding(desk, "missing", "ZL_LIST/ZAP/Z_SL/SL/PROFIL") });
    }
    add(Finding { keys: keys(7), ..finding(desk, "missing", "ZL_LIST/ZAP/Z_SL/SL/DS1") });
    let value = Some("2021-02-30".into());
    add(Finding { keys: keys(9), value, ..finding(desk, "no-such-date", "ZL_LIST/ZAP/Z_SL/SL/DATE_1") });
    for (n, found) in [(10, "3"), (11, "5")] {
        // One digit fewer than a СНИЛС has at most: such a number would be masked.
        let value = Some("1".repeat(n as usize - 1).into());
        add(Finding { keys: keys(n), value, found: Some(found.into()), expected: Some("2".into()), ..finding(desk, "too-long", "ZL_LIST/ZAP/Z_SL/SL/DET") });
    }
    let reason = Text { ru: "нет книги F032".into(), en: "the book F032 is absent".into() };
    report.not_executed.push(NotExecuted { rule: "001F.00.0270".into(), reason, book: None, partly: false });
    report
}

/// Facts of a case; the doctor's code looks like a СНИЛС.
fn facts(n: u32) -> CaseFacts {
    let value = |fact| {
        Some(match fact {
            Fact::Card => format!("К-{n}/2021"),
            Fact::Doctor => format!("900-555-17{} 61", n % 2),
            Fact::Unit => "12".to_owned(),
            Fact::Subdivision => String::new(),
            Fact::Profile => "97".to_owned(),
            Fact::From => "2021-03-01".to_owned(),
            Fact::To => "2021-02-30".to_owned(),
            Fact::Sum => "61479.00".to_owned(),
        })
    };
    CaseFacts::new(|fact| value(fact).filter(|text| !text.is_empty())).expect("some")
}

/// A package whose archive cannot be read.
pub(super) fn damaged(desk: &Desk) -> PackageReport {
    let rule = desk.catalog.of("zip-damaged".parse().expect("a kind"));
    let mut report = PackageReport {
        main: None,
        persons: None,
        path: "выгрузка/битый архив.zip".into(),
        family: None,
        edition: None,
        period: None,
        account: Account::default(),
        records: 0,
        cases: 0,
        services: 0,
        sum_kopecks: None,
        verdict: Verdict::Rejected,
        ..clean()
    };
    report.findings.push(Finding { found: Some("unexpected end of file".into()), ..Finding::of_file(rule, FileRole::Container) }).expect("pushed");
    report
}
