//! What funds ask today, by kind: generated packages of every edition that a rule speaks of, and what is found when the thing is taken away.

use std::collections::BTreeSet;
use std::fs;
use std::sync::LazyLock;

use puomp::finding::Catalog;
use puomp::flk::{Checker, Config, Rulebook};
use puomp::generate::{Generator, Options};
use puomp::registry::encoding::Encoding;
use puomp::registry::format::Family;
use puomp::registry::package::Input;
use puomp::tables::RuleFiles;
use puomp::texts::Severity;
use puomp::values::{Date, Month};
use puomp::watch::Unwatched;

use crate::support::pair::{DESK, encoded};

/// Letters of files of each family.
const KINDS: [(&str, char); 4] = [("H", 'H'), ("C", 'C'), ("T", 'T'), ("DP", 'D')];
/// The first reporting month with rules.
const BOOK: &str = "2019-11";

static TABLES: LazyLock<(Catalog, Rulebook)> = LazyLock::new(|| {
    let files = RuleFiles::embedded();
    let mut catalog = Catalog::load(&files).expect("sound");
    let rules = Rulebook::load(&files, None, &mut catalog, |_| true).expect("sound");
    (catalog, rules)
});

fn month(text: &str) -> Month {
    text.parse().expect("a month")
}

/// The months with which editions of a family begin, from a month on, and that month.
fn months(family: char, since: &str) -> Vec<Month> {
    let editions = DESK.formats.editions(Family(family)).iter().filter_map(|f| f.edition.from);
    let mut months: Vec<Month> = editions.filter(|m| *m > month(since)).collect();
    months.insert(0, month(since));
    months
}

/// A generated package, as text.
#[derive(Clone)]
pub(crate) struct Package {
    pub(crate) main: String,
    pub(crate) persons: String,
}

impl Package {
    pub(crate) fn of(letters: &str, family: char, period: Month, cases: u64) -> Self {
        let options = Options { letters: Some(letters.to_owned()), encoding: Encoding::Utf8, ..Options::new(Family(family), period, cases, 5) };
        let files = RuleFiles::embedded();
        let generator = Generator::new(&files, &DESK.formats, &options).expect("known");
        let (mut main, mut persons) = (Vec::new(), Vec::new());
        generator.write_main(&mut main, &mut |_| Ok(())).expect("written");
        generator.write_persons(&mut persons, &mut |_| Ok(())).expect("written");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8").replacen("UTF-8", "windows-1251", 1);
        let package = Self { main: text(main), persons: text(persons) };
        assert!(package.found().is_empty(), "{letters} {period} is not clean: {:?}", package.found());
        package
    }

    /// Severity and id of every finding.
    fn found(&self) -> Vec<(Severity, String)> {
        let folder = tempfile::tempdir().expect("a folder");
        for text in [&self.main, &self.persons] {
            let name = between(text, "FILENAME").expect("a name");
            fs::write(folder.path().join(format!("{name}.xml")), encoded(text)).expect("written");
        }
        let (catalog, rules) = &*TABLES;
        let checker = Checker::new(catalog, &DESK.formats).expect("sound").with_rules(rules);
        let mut out = Vec::new();
        let mut each = |report: puomp::flk::PackageReport| {
            for finding in report.findings.iter().expect("in memory") {
                let rule = catalog.rule(finding.expect("in memory").rule);
                // A package older than the rule book says so; that is no fault.
                if rule.severity > Severity::Info {
                    out.push((rule.severity, rule.id.clone()));
                }
            }
            Ok(())
        };
        checker.validate(&[Input::named(folder.path())], &Config::on(Date::new(2026, 12, 1).expect("a day")), &Unwatched, &mut each).expect("reads");
        out
    }

    pub(crate) fn ids(&self) -> BTreeSet<String> {
        self.found().into_iter().map(|(_, id)| id).collect()
    }

    /// The package with another main file.
    pub(crate) fn with(&self, main: String) -> Self {
        assert_ne!(main, self.main, "nothing was changed");
        Self { main, ..self.clone() }
    }

    /// The main file with the first block of a name that fits changed.
    fn changed(&self, block: &str, fits: impl Fn(&str) -> bool, change: impl Fn(&str) -> String) -> Option<Self> {
        let found = blocks(&self.main, block).into_iter().find(|text| fits(text))?;
        Some(self.with(self.main.replacen(found, &change(found), 1)))
    }
}

pub(crate) fn between<'t>(text: &'t str, element: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<{element}>"))?;
    rest.split_once(&format!("</{element}>")).map(|(value, _)| value)
}

/// Every block of a name, with its tags.
pub(crate) fn blocks<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let begins = text.match_indices(&open).map(|(at, _)| at);
    begins.map(|at| &text[at..at + text[at..].find(&close).expect("closed") + close.len()]).collect()
}

/// The text without the elements of a name.
fn without(text: &str, name: &str) -> String {
    blocks(text, name).into_iter().fold(text.to_owned(), |text, block| text.replacen(block, "", 1))
}

fn set<const N: usize>(ids: [&str; N]) -> BTreeSet<String> {
    ids.into_iter().map(str::to_owned).collect()
}

#[test]
fn a_patient_without_a_policy_number_is_found_in_every_edition() {
    for (letters, family) in KINDS {
        for period in months(family, BOOK) {
            let package = Package::of(letters, family, period, 40);
            let unified = |text: &str| text.contains("<VPOLIS>3<");
            let nameless = package.changed("PACIENT", unified, |text| without(&without(text, "NPOLIS"), "ENP")).expect("a unified policy");
            assert_eq!(nameless.found(), [(Severity::Error, "003F.00.2170".to_owned())], "{letters} {period}");
            let others = package.changed("PACIENT", |text| text.contains("<VPOLIS>1<") || text.contains("<VPOLIS>2<"), |text| without(text, "NPOLIS"));
            if let Some(others) = others {
                assert_eq!(others.found(), [(Severity::Error, "003F.00.2170".to_owned())], "{letters} {period}");
            }
            let old = package.changed(
                "PACIENT",
                |text| unified(text) && text.contains("<ENP>"),
                |text| text.replace("<ENP>", "<NPOLIS>").replace("</ENP>", "</NPOLIS>"),
            );
            match old {
                Some(old) => assert_eq!(old.found(), [(Severity::Warning, "003F.00.9040".to_owned())], "{letters} {period}: the number at its old place"),
                None => assert!(!package.main.contains("<ENP>"), "{letters} {period}"),
            }
        }
    }
}

#[test]
fn a_service_without_its_worker_is_found_in_every_edition() {
    for (letters, family, since) in [("H", 'H', "2022-01"), ("DP", 'D', "2021-08")] {
        for period in months(family, since) {
            let package = Package::of(letters, family, period, 10);
            let done = |text: &str| text.contains("<MR_USL_N>");
            let alone = package.changed("USL", done, |text| without(text, "MR_USL_N")).expect("a service");
            assert_eq!(alone.found(), [(Severity::Error, "003F.00.9010".to_owned())], "{letters} {period}");
            let services = blocks(&package.main, "MR_USL_N").into_iter().map(|_| ()).count();
            let nobody = package.with(without(&package.main, "MR_USL_N"));
            assert!(nobody.found().iter().all(|f| *f == (Severity::Error, "003F.00.9010".to_owned())) && services >= nobody.found().len());
            for (element, ids) in [("PRVS", ["003F.00.2961", "003F.00.2962"]), ("CODE_MD", ["003F.00.2971", "003F.00.2972"])] {
                let id = ids[usize::from(family == 'D')];
                let half = package.changed("MR_USL_N", |_| true, |text| without(text, element)).expect("a worker");
                assert_eq!(half.found(), [(Severity::Error, id.to_owned())], "{letters} {period} {element}");
            }
        }
    }
}

#[test]
fn cancer_files_name_the_worker_at_either_place() {
    for (letters, family) in [("C", 'C'), ("T", 'T')] {
        for period in months(family, "2025-01") {
            let package = Package::of(letters, family, period, 20);
            let service = |text: &str| text.contains("<MR_USL_N>");
            // The last two elements of a service; inside MR_USL_N stand others of these names.
            let own = |text: &str| {
                let (head, tail) = text.rsplit_once("</MR_USL_N>").expect("a worker");
                format!("{head}</MR_USL_N>{}", without(&without(tail, "PRVS"), "CODE_MD"))
            };
            let new = package.changed("USL", service, own).expect("a service");
            assert_eq!(new.found(), [], "{letters} {period}: the new place alone");
            let old = package.changed("USL", service, |text| without(text, "MR_USL_N")).expect("a service");
            assert_eq!(old.found(), [], "{letters} {period}: the old place alone");
            let nobody = package.changed("USL", service, |text| without(&own(text), "MR_USL_N")).expect("a service");
            assert_eq!(nobody.ids(), set(["003F.00.2961", "003F.00.2971"]), "{letters} {period}");
            for (element, id) in [("PRVS", "003F.00.9020"), ("CODE_MD", "003F.00.9030")] {
                let half = package.changed("MR_USL_N", |_| true, |text| without(text, element)).expect("a worker");
                assert_eq!(half.found(), [(Severity::Error, id.to_owned())], "{letters} {period} {element}");
            }
        }
    }
}

#[test]
fn tumours_of_the_file_c_are_found_in_every_edition_of_h() {
    for period in months('H', "2022-01") {
        let package = Package::of("H", 'H', period, 10);
        for (code, found) in [("C00", true), ("C50.1", true), ("D00.0", true), ("D09.0", true), ("D09.9", true), ("D10.0", false)] {
            let case = |text: &str| text.contains("<USL_OK>3<");
            let sick = package.changed("Z_SL", case, |text| {
                let own = format!("<DS1>{}</DS1>", between(text, "DS1").expect("a diagnosis"));
                text.replacen(&own, &format!("<DS1>{code}</DS1>"), 1)
            });
            assert_eq!(sick.expect("a case").ids().contains("002F.00.0260"), found, "H {period} {code}");
        }
    }
    // The book of 2021 said so of C00.0–D09 alone.
    let package = Package::of("H", 'H', month("2021-02"), 10);
    for (code, found) in [("C50.1", true), ("D09.0", false)] {
        let sick = package.changed(
            "Z_SL",
            |text| text.contains("<USL_OK>3<"),
            |text| {
                let own = format!("<DS1>{}</DS1>", between(text, "DS1").expect("a diagnosis"));
                text.replacen(&own, &format!("<DS1>{code}</DS1>"), 1)
            },
        );
        assert_eq!(sick.expect("a case").ids().contains("002F.00.0260"), found, "H 2021-02 {code}");
    }
}

#[test]
fn rules_and_format_of_a_refusal_are_those_of_the_reporting_month() {
    let refused = |text: &str| text.contains("<P_OTK>1<") && !text.contains("<USL>");
    for letters in ["DP", "DV", "DO", "DS", "DU", "DF"] {
        // The accounts of both months are dated in the next one.
        let march = Package::of(letters, 'D', month("2020-03"), 400);
        let bare = march.changed("Z_SL", refused, |text| without(text, "RSLT_D")).expect("a refusal");
        // The rule of the book says what the format of the month demands.
        assert_eq!(bare.found(), [(Severity::Error, "003F.00.2380".to_owned())], "{letters}");
        let april = Package::of(letters, 'D', month("2020-04"), 400);
        let result = april.changed("Z_SL", refused, |text| text.replacen("</P_OTK>", "</P_OTK><RSLT_D>1</RSLT_D>", 1));
        assert!(result.expect("a refusal").ids().contains("003F.00.2382"), "{letters}");
    }
}

#[test]
fn a_doctor_named_by_a_snils_with_hyphens_is_a_warning() {
    let dashed = |digits: &str| format!("{}-{}-{} {}", &digits[..3], &digits[3..6], &digits[6..9], &digits[9..]);
    let changed = |package: &Package, block: &str, element: &str| {
        package.changed(
            block,
            |text| text.contains(&format!("<{element}>")),
            |text| {
                let value = between(text, element).expect("a code");
                text.replacen(&format!("<{element}>{value}<"), &format!("<{element}>{}<", dashed(value)), 1)
            },
        )
    };
    for (letters, family) in KINDS {
        for period in months(family, BOOK) {
            let package = Package::of(letters, family, period, 10);
            if let Some(doctor) = changed(&package, "SL", "IDDOKT") {
                assert_eq!(doctor.found(), [(Severity::Warning, "004F.00.0920".to_owned())], "{letters} {period}");
            } else {
                assert_eq!(family, 'D');
            }
            let worker = changed(&package, "USL", "CODE_MD").expect("a worker");
            let found = worker.found();
            assert!(found.is_empty() || found == [(Severity::Warning, "004F.00.1510".to_owned())], "{letters} {period}: {found:?}");
            if let Some(referred) = changed(&package, "NAZ", "NAZ_IDDOKT") {
                assert_eq!(referred.found(), [], "{letters} {period}");
            }
        }
    }
    // Before the book no rule speaks of it, and the format has no set of characters.
    let package = Package::of("H", 'H', month("2019-03"), 5);
    assert_eq!(changed(&package, "SL", "IDDOKT").expect("a doctor").found(), []);
}
