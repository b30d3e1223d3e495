//! The cases that are read in the control's pass against a second reading of the files that shares nothing with it but the tokenizer, in
//! pieces of any size, with and without rules.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::LazyLock;

use puomp::cases::{Case, Persons};
use puomp::finding::Catalog;
use puomp::flk::{Checker, Config, PackageReport, Rulebook, Verdict};
use puomp::generate::{Generator, Options, Packing};
use puomp::registry::archive::Limits;
use puomp::registry::encoding::Encoding;
use puomp::registry::format::{Family, PERSONS as PERSONS_FAMILY, Role};
use puomp::registry::package::{Input, Member, Package, discover};
use puomp::registry::probe::Head;
use puomp::tables::RuleFiles;
use puomp::values::Month;
use puomp::watch::Unwatched;

use crate::cases_oracle::{self as oracle, VALUES};
use crate::pieces;
use crate::support::pair::{Chance, DESK, MAIN, PERSONS, Pair, edited, many, today};
use crate::support::soak::tries;

const SIZES: [usize; 5] = [1, 700, 2500, 60_000, 1 << 20];

/// A checker without rules and one with all of them: the record is kept for the rules anyway, but must be kept for the cases too.
static CHECKERS: LazyLock<[Checker<'static>; 2]> = LazyLock::new(|| {
    let files = RuleFiles::embedded();
    let mut catalog = Catalog::load(&files).expect("the table is sound");
    let rules = Rulebook::load(&files, None, &mut catalog, |_| true).expect("the tables are sound");
    let (catalog, rules): (&'static _, &'static _) = (Box::leak(Box::new(catalog)), Box::leak(Box::new(rules)));
    let checker = || Checker::new(catalog, &DESK.formats).expect("the table fits the formats");
    [checker(), checker().with_rules(rules)]
});

/// All that is known of a case.
fn of_case(case: &Case<'_>) -> String {
    let values = VALUES.map(|role| case.value(role).to_owned());
    format!("{:?} {:?} {values:?} {:?}", case.record, case.case, case.digest)
}

/// What the control's pass says of a package that it does not reject.
fn read(checker: &Checker<'_>, package: &Package, piece: usize) -> Option<(PackageReport, Vec<String>, Persons)> {
    let (report, cases, persons) = checker.package_with_cases(package, &Config { piece, ..Config::on(today()) }, &Unwatched).expect("temporary files work");
    let mut found = Vec::new();
    for batch in cases.batches() {
        let batch = batch.expect("readable");
        assert_eq!(batch.first, found.len());
        found.extend(batch.cases().expect("readable").iter().map(of_case));
    }
    assert_eq!(found.len(), cases.len());
    (report.verdict != Verdict::Rejected).then_some((report, found, persons))
}

fn bytes(member: &Member) -> (Vec<u8>, &Head) {
    let mut bytes = Vec::new();
    member.source.open().and_then(|mut stream| stream.read_to_end(&mut bytes)).expect("readable");
    (bytes, member.head.as_ref().expect("it was controlled"))
}

/// What the oracle says of it: its cases, and the ID_PAC of its persons with the rest of them.
fn expected(package: &Package, report: &PackageReport) -> (Vec<String>, Vec<oracle::PersonSeen>) {
    let family = report.family.expect("it was controlled");
    let format = DESK.formats.get(family, report.edition.as_ref().expect("it was controlled")).expect("known");
    let (main, head) = bytes(package.main.as_ref().expect("it was controlled"));
    let cases = oracle::cases(&main, format, head.encoding()).iter().map(|case| format!("{case:?}")).collect::<Vec<_>>();
    let Some(persons) = &package.persons else { return (cases, Vec::new()) };
    let (persons, head) = bytes(persons);
    let choice = DESK.formats.choose(PERSONS_FAMILY, head.value(Role::Version), report.period);
    let (format, _) = choice.expect("it was controlled");
    (cases, oracle::persons(&persons, format, head.encoding()))
}

/// Compares the packages under a path; how many cases and persons were compared.
fn compare(path: &Path, sizes: &[usize], what: &str) -> usize {
    let mut compared = 0;
    for package in discover(&[Input::named(path)], &DESK.formats, &Limits::default()) {
        for (piece, checker) in sizes.iter().flat_map(|size| CHECKERS.iter().map(move |checker| (*size, checker))) {
            let Some((report, mut found, persons)) = read(checker, &package, piece) else { continue };
            let (mut expected, of_persons) = expected(&package, &report);
            assert_eq!(persons.all().len(), of_persons.len(), "{what}, {}, pieces of {piece}", package.file.shown());
            for person in &of_persons {
                let own = persons.find(&person.id).map(|at| &persons.all()[at as usize]);
                found.push(own.map_or_else(String::new, |own| format!("{} {:?} {:?}", person.id, own.place(), own.digest)));
                expected.push(format!("{person:?}"));
            }
            let differs = found.iter().zip(&expected).find(|(a, b)| a != b);
            assert!(differs.is_none() && found.len() == expected.len(), "{what}, {}, pieces of {piece}: {differs:?}", package.file.shown());
            compared += found.len();
        }
    }
    compared
}

fn compare_pair(main: &str, persons: &str, sizes: &[usize], what: &str) -> usize {
    let pair = Pair::new(main, persons);
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in [&pair.main, &pair.persons] {
        fs::write(folder.path().join(name), bytes).expect("written");
    }
    compare(folder.path(), sizes, what)
}

#[test]
fn samples_and_invented_packages_are_read_alike() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    assert!(compare(&samples, &SIZES[1..], "samples") > 500);
    for (letters, months) in [("H", [(2021, 2), (2026, 3)]), ("C", [(2021, 2), (2026, 3)]), ("T", [(2019, 1), (2026, 3)]), ("DP", [(2021, 2), (2026, 3)])] {
        for (at, (year, month)) in months.into_iter().enumerate() {
            let family = Family(letters.chars().next().expect("a letter"));
            let mut options = Options::new(family, Month::new(year, month).expect("a month"), 150, 7 + at as u64);
            options.letters = (letters.len() > 1).then(|| letters.to_owned());
            options.encoding = [Encoding::Windows1251, Encoding::Utf8][at];
            let files = RuleFiles::embedded();
            let generator = Generator::new(&files, &DESK.formats, &options).expect("known");
            let folder = tempfile::tempdir().expect("a folder");
            generator.write_into(folder.path(), Packing::Zip).expect("written");
            assert!(compare(folder.path(), &SIZES, letters) >= 2 * 5 * 200);
        }
    }
}

#[test]
fn records_out_of_the_ordinary_are_read_alike() {
    let second_patient = "<PACIENT><ID_PAC>p-1</ID_PAC><VPOLIS>3</VPOLIS><NPOLIS>9</NPOLIS></PACIENT><Z_SL>";
    let main: [(&str, &str, &str); 14] = [
        ("references in numbers", "<IDCASE>11<", "<IDCASE>1&#49;<"),
        ("references in values", "<NPOLIS>22<", "<NPOLIS>&#x32;&amp;<"),
        ("character data", "<NHISTORY>Д-71<", "<NHISTORY><![CDATA[Д-71]]><"),
        ("spaces around values", "<ID_PAC>p-2<", "<ID_PAC> p-2\n<"),
        ("spaces in tags", "<IDCASE>11</IDCASE>", "<IDCASE >11</IDCASE\n>"),
        ("an attribute", "<ID_PAC>p-1<", "<ID_PAC a='1'>p-1<"),
        ("two numbers", "<IDCASE>11</IDCASE>", "<IDCASE>11</IDCASE><IDCASE>13</IDCASE>"),
        ("no number", "<IDCASE>11</IDCASE>", "<IDCASE/>"),
        ("two patients", "<Z_SL><IDCASE>11<", &format!("{second_patient}<IDCASE>11<")),
        ("an empty patient", "<Z_SL><IDCASE>11<", "<PACIENT></PACIENT><Z_SL><IDCASE>11<"),
        ("empty cases and parts", "<Z_SL><IDCASE>11<", "<Z_SL/><Z_SL> </Z_SL><Z_SL><SL/><IDCASE>11<"),
        ("two cases in a record", "</Z_SL>\n</ZAP>\n<ZAP>\n<N_ZAP>2<", "</Z_SL><Z_SL><IDCASE>9</IDCASE></Z_SL></ZAP><ZAP><N_ZAP>2<"),
        ("a part without its number", "<SL><SL_ID>s-2</SL_ID>", "<SL>"),
        ("parts in another order", "<SL_ID>s-2<", "<SL_ID>a<"),
    ];
    for (what, from, to) in main {
        assert!(compare_pair(&edited(MAIN, &[(from, to)]), PERSONS, &[1, 1 << 20], what) > 0, "{what}: nothing was compared");
    }
    let persons = [
        ("a person without a number", "<ID_PAC>p-1</ID_PAC>", ""),
        ("a reference in the number", "<ID_PAC>p-1<", "<ID_PAC>p&#45;1<"),
        ("the same person twice", "<ID_PAC>p-1<", "<ID_PAC>p-2<"),
        ("an unknown element", "<FAM>Выдумкина", "<X><ID_PAC>p-7</ID_PAC></X><FAM>Выдумкина"),
        ("an empty person", "<PERS><ID_PAC>p-2<", "<PERS/><PERS></PERS><PERS><ID_PAC>p-2<"),
    ];
    for (what, from, to) in persons {
        assert!(compare_pair(MAIN, &edited(PERSONS, &[(from, to)]), &[1, 1 << 20], what) > 0, "{what}: nothing was compared");
    }
}

#[test]
fn records_that_go_on_in_the_next_piece_are_read_alike() {
    let (whole, persons) = many(30, "\n");
    let mut compared = 0;
    for (what, main) in pieces::tangled(&whole) {
        compared += compare_pair(&main, &persons, &SIZES, what);
    }
    assert!(compared > 2000, "{compared}");
    let mut chance = Chance::new(11);
    let rounds = tries(200);
    let mut compared = 0;
    for round in 0..rounds {
        let (main, persons) = many(6 + chance.below(10), chance.of(&["\n", "\r\n", ""]));
        let main = pieces::noisy(&main, 1 + chance.below(3), &mut chance);
        let persons = pieces::noisy(&persons, chance.below(2), &mut chance);
        compared += compare_pair(&main, &persons, &[1, SIZES[1 + round % 3]], &format!("round {round}"));
    }
    assert!(compared > rounds * 10, "{compared}");
}
