//! Each view over a register that was imported from CSV.

use super::*;
use crate::cases::PersonKeys;
use crate::registers::{Layouts, import, path_of};
use crate::tables::RuleFiles;

const MARIA: &str = "9900000000000001";
const PYOTR: &str = "9900000000000002";

fn keys() -> PersonKeys {
    PersonKeys::new(&[7; 32])
}

fn day(text: &str) -> Date {
    Date::parse(text).expect("a day")
}

fn span(from: &str, until: &str) -> Span {
    Span { from: day(from), until: day(until) }
}

/// The register that these rows are stored as; blanks around cells are taken off.
fn stored(id: &str, csv: &str) -> Register {
    let folder = tempfile::tempdir().expect("a folder");
    let layouts = Layouts::load(&RuleFiles::embedded()).expect("sound");
    let layout = layouts.get(id).expect("known");
    import(layout, csv.as_bytes(), &keys(), &path_of(folder.path(), id), day("2026-12-01")).expect("imported");
    Register::open(folder.path(), id, || Some(keys().secret())).expect("sound").expect("there")
}

#[test]
fn insurances_of_a_person_on_some_days() {
    let csv = format!(
        "enp;vpolis;spolis;npolis;smo;date_from;date_to;fam;im;ot;dr\n\
         {MARIA};3;;{MARIA};14005;2021-05-01;;;;;\n\
         {MARIA};3;;{MARIA};14002;2012-05-01;2021-04-30;Незабудкина;Алёна;;1951-07-23\n\
         {PYOTR};1;АЯ;0057;14003;;2020-02-29;;;;1980-01-01\n"
    );
    let insured = Insured::new(stored("insured", &csv)).expect("its columns");
    let of = |person: PersonKey, from: &str, until: &str| insured.overlapping(person, span(from, until)).map(|(_, smo)| smo).collect::<Vec<_>>();
    let keys = keys();
    let maria = keys.of_enp(MARIA);
    assert_eq!(of(maria, "2021-04-30", "2021-05-01"), ["14002", "14005"], "both ends belong");
    assert_eq!(of(maria, "2021-04-29", "2021-04-30"), ["14002"]);
    assert_eq!(of(maria, "2099-12-31", "2099-12-31"), ["14005"], "without an end");
    assert_eq!(of(maria, "2012-04-29", "2012-04-30"), [""; 0]);
    assert_eq!(of(keys.of_policy("3", "", MARIA), "2021-05-01", "2021-05-01"), ["14005"]);
    assert_eq!(of(keys.of_policy("1", "ая", "0057"), "1990-01-01", "1990-01-01"), ["14003"], "without a beginning");
    assert_eq!(of(keys.of_policy("2", "ая", "0057"), "1990-01-01", "1990-01-01"), [""; 0], "a policy of another kind");
    assert_eq!(of(keys.of_enp(PYOTR), "2020-02-29", "2020-03-05"), ["14003"], "a leap day is the last");
    assert_eq!(of(keys.of_enp(PYOTR), "2020-03-01", "2020-03-05"), [""; 0]);
    let named = keys.of_names("НЕЗАБУДКИНА", "Алена", "", day("1951-07-23")).expect("a name");
    assert_eq!(of(named, "2021-04-01", "2021-06-01"), ["14002"], "names stand in one row alone");
    assert_eq!(insured.0.rows(), 3);
    assert_eq!(insured.overlapping(maria, span("2021-04-30", "2021-04-30")).next().map(|(own, _)| own), Some(span("2012-05-01", "2021-04-30")));
}

#[test]
fn the_last_death_day_counts() {
    let csv = format!("death_date,enp\n2026-03-02,{MARIA}\n01.03.2026,{MARIA}\n2026-03-02,{MARIA}\n");
    let deaths = Deaths::new(stored("deaths", &csv)).expect("its columns");
    assert_eq!(deaths.day_of(keys().of_enp(MARIA)), Some(day("2026-03-02")));
    assert_eq!(deaths.day_of(keys().of_enp(PYOTR)), None);
    assert_eq!((deaths.0.rows(), deaths.0.repeated(), deaths.0.days()), (3, 1, span("2026-03-01", "2026-03-02")));
}

#[test]
fn attachment_on_a_day() {
    let csv = format!("enp;mo;date_from;date_to\n{MARIA};140001;2020-01-01;2025-12-31\n{MARIA};140002;2026-01-01;\n");
    let attachment = Attachment::new(stored("attachment", &csv)).expect("its columns");
    let on = |enp: &str, on: &str| attachment.on(keys().of_enp(enp), day(on)).collect::<Vec<_>>();
    assert_eq!((on(MARIA, "2025-12-31"), on(MARIA, "2026-01-01")), (vec!["140001"], vec!["140002"]));
    assert!(on(MARIA, "2019-12-31").is_empty() && on(PYOTR, "2026-01-01").is_empty());
}

#[test]
fn a_doctor_has_a_speciality_on_its_days() {
    let doctors = Doctors::new(stored("doctors", "doctor;prvs;date_from;date_to\n000-000-000 57;76;2020-01-01;2024-12-31\nД-1;39;;\n")).expect("its columns");
    let has = |code: &str, prvs: &str, on: &str| doctors.has(keys().of_doctor(code), prvs, day(on));
    assert!(has("00000000057", "76", "2024-12-31") && has("Д-1", "39", "2099-01-01"));
    assert!(!has("00000000057", "76", "2025-01-01") && !has("00000000057", "39", "2024-12-31") && !has("Д-2", "39", "2024-12-31"));
}

#[test]
fn licences_join_without_a_gap() {
    let csv = "mo;usl_ok;vidpom;profil;date_from;date_to\n\
               140001;1;31;97;2026-01-01;2026-01-10\n\
               140001;1;31;;2026-01-11;2026-01-20\n\
               140001;1;31;97;2026-01-22;\n\
               140001;3;;;2026-02-01;2026-02-28\n";
    let licences = Licences::new(stored("licences", csv)).expect("its columns");
    let cover = |usl_ok: &str, profil: &str, from: &str, until: &str| licences.cover("140001", usl_ok, "31", profil, span(from, until));
    assert_eq!(cover("1", "97", "2026-01-01", "2026-01-20"), Cover::Whole, "two licences that touch");
    assert_eq!(cover("1", "97", "2026-01-20", "2026-01-22"), Cover::Ended, "a day is missing");
    assert_eq!(cover("1", "97", "2026-01-22", "2099-01-01"), Cover::Whole);
    assert_eq!(cover("1", "5", "2026-01-11", "2026-01-20"), Cover::Whole, "an empty cell is any");
    assert_eq!(cover("1", "5", "2026-01-10", "2026-01-11"), Cover::Missing, "the licence begins later");
    assert_eq!(cover("1", "5", "2026-01-20", "2026-01-21"), Cover::Ended);
    assert_eq!(cover("3", "5", "2026-03-01", "2026-03-01"), Cover::Ended);
    assert_eq!(cover("3", "5", "2026-02-28", "2026-02-28"), Cover::Whole);
    assert_eq!(cover("3", "5", "2026-01-31", "2026-02-01"), Cover::Missing);
    assert_eq!(cover("2", "97", "2026-01-05", "2026-01-05"), Cover::Missing);
    assert_eq!(licences.cover("140009", "1", "31", "97", span("2026-01-05", "2026-01-05")), Cover::Missing);
    // A licence without an end, and one inside another.
    let csv = "mo;usl_ok;vidpom;profil;date_from;date_to\n140001;;;;;\n140001;;;;2026-01-01;2026-01-02\n";
    let licences = Licences::new(stored("licences", csv)).expect("its columns");
    assert_eq!(licences.cover("140001", "1", "31", "97", Span { from: day("1999-01-01"), until: Date::MAX }), Cover::Whole);
}

#[test]
fn the_level_for_the_conditions_comes_first() {
    let csv = "mo;level;usl_ok;date_from;date_to\n140001;1;;2020-01-01;\n140001;2.1;1;2021-01-01;2025-12-31\n140001;3;;2026-01-01;\n";
    let levels = Levels::new(stored("levels", csv)).expect("its columns");
    let on = |usl_ok: &str, on: &str| levels.on("140001", usl_ok, day(on));
    assert_eq!([on("1", "2020-12-31"), on("1", "2021-01-01"), on("3", "2021-01-01")], [Some("1"), Some("2.1"), Some("1")]);
    assert_eq!([on("1", "2026-01-01"), on("1", "2019-12-31")], [Some("3"), None]);
    assert_eq!(levels.on("140002", "1", day("2021-01-01")), None);
    let csv = "mo;level;date_from;date_to\n140001;1;;\n";
    assert_eq!(Levels::new(stored("levels", csv)).expect("its columns").on("140001", "1", day("2021-01-01")), Some("1"), "without the optional column");
}

#[test]
fn prices_that_fit_and_how_closely() {
    let csv = "code;tariff;level;usl_ok;profil;date_from;date_to\n\
               A01;100.00;;;;2026-01-01;\n\
               A01;120.5;2;;;2026-01-01;\n\
               A01;130;2;3;97;2026-01-01;2026-06-30\n\
               BZTSZ;24750.99;;;;;\n";
    let tariffs = Tariffs::new(stored("tariffs", csv)).expect("its columns");
    let fitting = |code: &str, level: &str, profil: &str, on: &str| {
        let mut found: Vec<_> = tariffs.fitting(code, &TariffFacts { level, usl_ok: "3", profil, ..TariffFacts::default() }, day(on)).collect();
        found.sort_unstable();
        found
    };
    assert_eq!(fitting("A01", "2", "97", "2026-06-30"), [(10_000, 0), (12_050, 1), (13_000, 3)]);
    assert_eq!(fitting("A01", "2", "97", "2026-07-01"), [(10_000, 0), (12_050, 1)]);
    assert_eq!(fitting("A01", "1", "97", "2026-06-30"), [(10_000, 0)]);
    assert_eq!(fitting("A01", "", "", "2026-06-30"), [(10_000, 0)], "what is not known fits no filled cell");
    assert_eq!(fitting("BZTSZ", "1", "1", "2000-01-01"), [(2_475_099, 0)]);
    assert_eq!(fitting("A02", "1", "1", "2026-06-30"), []);
    assert_eq!(fitting("A01", "1", "1", "2025-12-31"), []);
}

#[test]
fn limits_count_cases_of_their_kind() {
    let csv = "mo;smo;usl_ok;vidpom;profil;disp;date_from;date_to;unit;qty;sum\n\
               140001;;3;;;;2026-01-01;2026-03-31;visit;10.5;\n\
               140001;14002;3;;97;;2026-01-01;2026-01-31;case;;1000.00\n\
               140001;;;;;ДВ4;2026-01-01;2026-01-31;case;5;0\n";
    let plan = Plan::new(stored("plan", csv)).expect("its columns");
    let facts = PlanFacts { mo: "140001", smo: "14002", usl_ok: "3", vidpom: "12", profil: "97", disp: "" };
    let fitting = |facts: &PlanFacts<'_>, on: &str| plan.fitting(facts, day(on)).map(|row| (row.unit, row.quantity, row.sum)).collect::<Vec<_>>();
    assert_eq!(fitting(&facts, "2026-01-31"), [("visit", Some(1_050), None), ("case", None, Some(100_000))]);
    assert_eq!(fitting(&facts, "2026-02-01"), [("visit", Some(1_050), None)]);
    assert_eq!(fitting(&PlanFacts { smo: "14003", ..facts }, "2026-01-31"), [("visit", Some(1_050), None)]);
    assert_eq!(fitting(&PlanFacts { disp: "ДВ4", ..facts }, "2026-01-31"), [("case", Some(500), Some(0))], "a D file has limits of its own");
    assert_eq!(fitting(&PlanFacts { disp: "ОПВ", ..facts }, "2026-01-31"), []);
    let numbers: Vec<usize> = plan.fitting(&facts, day("2026-01-31")).map(|row| row.number).collect();
    assert!(numbers.len() == 2 && numbers[0] != numbers[1], "{numbers:?}");
}

#[test]
fn a_view_refuses_another_register() {
    let levels = || stored("levels", "mo;level;date_from;date_to\n140001;1;;\n");
    assert!(matches!(Insured::new(levels()), Err(StoredError::Foreign(..))));
    assert!(matches!(Licences::new(levels()), Err(StoredError::Foreign(..))));
}
