//! The samples: clean ones are clean and are what the generator writes; each broken one breaks just the rules that it is listed with.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use puomp::finding::Catalog;
use puomp::flk::{Checker, Config, Rulebook, Verdict};
use puomp::registry::format::Formats;
use puomp::registry::package::Input;
use puomp::tables::RuleFiles;
use puomp::texts::Severity;
use puomp::values::Date;
use puomp::watch::Unwatched;

/// The day on which everything runs here: what is in force must not change with the calendar.
fn today() -> Date {
    Date::new(2026, 6, 1).expect("a day")
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

/// Verdict and broken rules of everything below a folder; remarks are left out.
pub(crate) fn judged(folder: &Path) -> Vec<(Verdict, BTreeSet<String>)> {
    judged_from(folder, Severity::Warning)
}

/// The rules of at least a severity that packages below a folder break, but for what follows from another finding.
pub(crate) fn told(folder: &Path, least: Severity) -> BTreeSet<String> {
    judged_from(folder, least).into_iter().flat_map(|(_, rules)| rules).collect()
}

fn judged_from(folder: &Path, least: Severity) -> Vec<(Verdict, BTreeSet<String>)> {
    let files = RuleFiles::embedded();
    let mut catalog = Catalog::load(&files).expect("sound");
    let formats = Formats::load(&files).expect("sound");
    let book = Rulebook::load(&files, None, &mut catalog, |_| true).expect("sound");
    let checker = Checker::new(&catalog, &formats).expect("sound").with_rules(&book);
    let mut out = Vec::new();
    let mut each = |report: puomp::flk::PackageReport| {
        let rules = report.findings.counts().keys().map(|ix| catalog.rule(*ix)).filter(|rule| rule.severity >= least).map(|rule| rule.id.clone()).collect();
        out.push((report.verdict, rules));
        Ok(())
    };
    checker.validate(&[Input::named(folder)], &Config::on(today()), &Unwatched, &mut each).expect("reads");
    out
}

#[test]
fn clean_samples_are_clean() {
    let judged = judged(&samples().join("clean"));
    assert_eq!(judged.len(), 8, "four families in two editions");
    for (verdict, rules) in judged {
        assert_eq!((verdict, rules), (Verdict::Clean, BTreeSet::new()));
    }
}

#[test]
fn samples_between_funds_are_clean_without_a_person_file() {
    let judged = judged(&samples().join("between-funds"));
    assert_eq!(judged.len(), 3, "an account, a corrected account and an answer");
    for (verdict, rules) in judged {
        assert_eq!((verdict, rules), (Verdict::Clean, BTreeSet::new()));
    }
}

#[test]
fn clean_samples_are_what_the_generator_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    for (family, edition, period) in [
        ("H", "3.1", "2019-03"),
        ("H", "6.0", "2026-01"),
        ("C", "3.1", "2019-04"),
        ("C", "6.0", "2026-01"),
        ("T", "3.1", "2019-04"),
        ("T", "6.0", "2026-01"),
        ("D", "3.1", "2019-04"),
        ("D", "6.0", "2026-01"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_puomp"));
        command.args(["generate", "--family", family, "--edition", edition, "--period", period, "--cases", "6", "--seed", "7"]);
        assert!(command.arg(folder.path()).output().expect("runs").status.success());
    }
    let mut compared = 0;
    for entry in fs::read_dir(samples().join("clean")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name");
        assert_eq!(fs::read(&path).expect("read"), fs::read(folder.path().join(name)).expect("written"), "{}", path.display());
        compared += 1;
    }
    assert_eq!(compared, 8);
}

#[test]
fn broken_samples_break_just_what_they_say() {
    let broken = samples().join("broken");
    let list = fs::read_to_string(broken.join("expected.csv")).expect("the list");
    let mut listed = BTreeSet::new();
    for line in list.lines().skip(1) {
        let (name, rules) = line.split_once(',').expect("two columns");
        let expected: BTreeSet<String> = rules.split(' ').map(str::to_owned).collect();
        let found: BTreeSet<String> = judged(&broken.join(name)).into_iter().flat_map(|(_, rules)| rules).collect();
        assert_eq!(found, expected, "{name}");
        listed.insert(name.to_owned());
    }
    let folders: BTreeSet<String> = fs::read_dir(&broken)
        .expect("a folder")
        .filter_map(|e| e.ok().filter(|e| e.path().is_dir()).map(|e| e.file_name().to_string_lossy().into_owned()))
        .collect();
    assert_eq!(folders, listed, "every sample is listed");
}
