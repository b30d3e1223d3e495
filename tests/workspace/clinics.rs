//! Many clinics in one store: they do not wait for each other, share no numbers, and lose nothing when they all work at once.

use std::thread;

use sqlx::Row as _;

use crate::support::clinic::{Clinic, Said, lock_key, said};
use crate::support::sql::{Sql, text};
use crate::support::state::{State, leftovers, outbox_troubles};

const CLINICS: usize = 8;

/// Runs commands at the same time and returns how each ended.
fn at_once(clinic: &Clinic, commands: &[Vec<String>]) -> Vec<Said> {
    let start = |args: &Vec<String>| {
        let mut command = clinic.command(&args.iter().map(String::as_str).collect::<Vec<_>>());
        thread::spawn(move || said(&command.output().expect("the program runs")))
    };
    let running: Vec<_> = commands.iter().map(start).collect();
    running.into_iter().map(|one| one.join().expect("it ended")).collect()
}

fn code(clinic: usize) -> String {
    format!("1400{clinic:02}")
}

/// For each clinic, cases and kopecks outside registries and in them.
fn sums(clinic: &Clinic) -> Vec<(String, i64, i64)> {
    let mut store = Sql::connect(&clinic.address());
    let sql = "SELECT mo, state, CAST(COUNT(*) AS BIGINT) AS cases, CAST(SUM(sum) AS BIGINT) AS sum FROM cases GROUP BY mo, state ORDER BY mo, state";
    let row = |row: &sqlx::any::AnyRow| (format!("{} {}", text(row, "mo"), text(row, "state")), row.get("cases"), row.get("sum"));
    let sums = store.rows(sql).iter().map(row).collect();
    store.close();
    sums
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

on_each_store!(clinics_that_work_at_once_lose_nothing);
fn clinics_that_work_at_once_lose_nothing(clinic: &Clinic) {
    let apart = clinic.twin();
    for place in [clinic, &apart] {
        for n in 1..=CLINICS {
            let seed = n.to_string();
            place.package(&format!("in{n}"), 30, &["--period", "2021-02", "--clinic", &code(n), "--seed", &seed, "--defects", "0.1"]);
        }
    }
    let steps = |n: usize| [words(&format!("load in{n} --wait 60")), words(&format!("form --period 2021-02 --mo {} --wait 60", code(n)))];
    for step in 0..2 {
        let commands: Vec<_> = (1..=CLINICS).map(|n| steps(n)[step].clone()).collect();
        for said in at_once(clinic, &commands) {
            assert!([0, 1].contains(&said.code), "{said:?}");
        }
        for command in &commands {
            apart.run(&command.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
    let (ours, theirs) = (clinic.registries(), apart.registries());
    assert!(ours.len() >= CLINICS);
    let numbers: std::collections::HashSet<_> = ours.iter().map(|(number, ..)| number.clone()).collect();
    assert_eq!(numbers.len(), ours.len(), "no two clinics have a registry of the same number");
    let send = |place: &Clinic, all: &[(String, String, i64, i64)]| {
        let commands: Vec<_> = all.iter().map(|(number, ..)| words(&format!("submit {number} --wait 60"))).collect();
        for said in at_once(place, &commands) {
            assert_eq!(said.code, 0, "{said:?}");
        }
    };
    send(clinic, &ours);
    send(&apart, &theirs);
    assert_eq!(sums(clinic), sums(&apart));
    let totals = |all: Vec<(String, String, i64, i64)>| {
        let mut totals: Vec<_> = all.into_iter().map(|(_, status, cases, sum)| (status, cases, sum)).collect();
        totals.sort();
        totals
    };
    assert_eq!(totals(clinic.registries()), totals(apart.registries()));
    // The journals are whole and state every row.
    let (now, once) = (State::of(clinic), State::of(&apart));
    assert_eq!(now.entries, once.entries);
    assert_eq!((leftovers(clinic), outbox_troubles(clinic)), (Vec::new(), Vec::new()));
}

on_each_store!(one_clinic_served_by_many_programs_loses_nothing);
fn one_clinic_served_by_many_programs_loses_nothing(clinic: &Clinic) {
    let mut commands = Vec::new();
    for n in 1..=6 {
        // Packages of one clinic have numbers of their own, and cases of their own.
        let number = n.to_string();
        clinic.package(&format!("in{n}"), 12, &["--period", "2021-02", "--seed", &number, "--packet", &number]);
        commands.push(words(&format!("load in{n} --wait 60")));
        commands.push(words(&format!("load in{n} --wait 60")));
    }
    for said in at_once(clinic, &commands) {
        assert!([0, 1].contains(&said.code), "{said:?}");
    }
    let mut store = Sql::connect(&clinic.address());
    let packages: i64 = store.rows("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM packages")[0].get("n");
    store.close();
    assert_eq!(packages, 6, "the same file was loaded once");
    State::of(clinic);
    assert_eq!(leftovers(clinic), Vec::<std::path::PathBuf>::new());
}

/// A program that holds the lock of one clinic does not keep another clinic waiting.
#[test]
#[ignore = "needs PUOMP_TEST_POSTGRES"]
fn a_clinic_does_not_wait_for_another_one_on_postgres() {
    let clinic = Clinic::on_postgres();
    for (n, code) in ["140001", "140002"].iter().enumerate() {
        clinic.package(&format!("in{n}"), 10, &["--period", "2021-02", "--clinic", code, "--seed", &n.to_string()]);
    }
    let mut other = Sql::connect(&clinic.address());
    other.rows(&format!("SELECT CAST(pg_advisory_lock(7867673, {}) AS TEXT)", lock_key("140001")));
    clinic.done(&["load", "in1", "--wait", "0"]);
    clinic.done(&["form", "--period", "2021-02", "--wait", "0"]);
    for (number, ..) in clinic.registries() {
        clinic.done(&["submit", &number, "--wait", "0"]);
    }
    clinic.refused(&["load", "in0", "--wait", "0"], 7);
    other.close();
    clinic.done(&["load", "in0"]);
    State::of(&clinic);
}
