//! `puomp watch` takes what lies in its folder and below, loses no protocol, and opens nothing but files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::clinic::{Clinic, Said, said};
use crate::support::moments::{random, wanted};
use crate::support::say::say;
use crate::support::soak::tries;
use crate::support::state::{State, leftovers, walk};

const WATCH: [&str; 5] = ["watch", "in", "--once", "--every", "0.1"];

/// Kills of a watch at work.
const KILLS: usize = 60;
/// Packages that lie in the folder then.
const PACKAGES: usize = 12;

/// Files below a folder by their path from there, with `/` in it.
fn below(folder: &Path) -> Vec<String> {
    walk(folder).iter().map(|file| file.strip_prefix(folder).expect("below").to_string_lossy().replace('\\', "/")).collect()
}

/// Generates a package of its own people into a folder.
fn package(clinic: &Clinic, folder: &str, seed: usize, packet: usize) {
    clinic.package(folder, 2, &["--period", "2021-02", "--seed", &seed.to_string(), "--packet", &packet.to_string()]);
}

/// A run that must end by itself.
fn ends(clinic: &Clinic, args: &[&str]) -> Said {
    let mut child = clinic.command(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let begun = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if begun.elapsed() > Duration::from_secs(60) {
            child.kill().expect("killed");
            panic!("puomp {args:?} does not end");
        }
        thread::sleep(Duration::from_millis(5));
    }
    said(&child.wait_with_output().expect("its output"))
}

#[test]
fn subfolders_are_walked_and_kept_apart() {
    let clinic = Clinic::new();
    for (folder, seed) in [("in/a", 1), ("in/b/c", 2), ("in/done", 3), ("in/refused/x", 4), ("in/.hidden", 5), ("in/ws/outbox", 6), ("in/outbox", 7)] {
        package(&clinic, folder, seed, 1);
    }
    fs::create_dir_all(clinic.path("in/ws/.puomp")).expect("made");
    fs::write(clinic.path("in/b/битый.zip"), "PK\u{3}\u{4}").expect("written");
    let run = clinic.run(&WATCH);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains("in/done") && run.err.contains("in/refused") || cfg!(windows), "{run:?}");
    let name = "HM140001S14002_21021.zip";
    let mut due: Vec<String> = ["a", "b/c", "outbox"].iter().flat_map(|at| [format!("done/{at}/{name}"), format!("{at}/VHM140001S14002_21021.xml")]).collect();
    due.extend(["b/Vбитый.xml", "refused/b/битый.zip"].map(str::to_owned));
    due.extend([".hidden", "done", "refused/x", "ws/outbox"].map(|at| format!("{at}/{name}")));
    due.sort();
    let mut found = below(&clinic.path("in"));
    found.sort();
    assert_eq!(found, due);
    assert_eq!(clinic.outside("free").0, 6);
    let quiet = clinic.run(&["watch", "in", "--once", "--every", "0.1", "-q"]);
    assert!(quiet.code == 0 && quiet.out.is_empty() && quiet.err.is_empty(), "{quiet:?}");
}

#[test]
fn packages_of_one_name_keep_their_protocols() {
    let clinic = Clinic::new();
    let protocol = |number: &str| clinic.path(&format!("in/VHM140001S14002_21021{number}.xml"));
    let mut texts = Vec::new();
    for seed in 1..=3 {
        clinic.package("in", 6, &["--period", "2021-02", "--seed", &seed.to_string(), "--defects", "1"]);
        fs::remove_file(clinic.path("in/defects.csv")).ok();
        clinic.run(&WATCH);
        let newest = protocol(&if seed == 1 { String::new() } else { format!("-{seed}") });
        texts.push(fs::read(newest).expect("a protocol of its own"));
    }
    assert!(texts[0] != texts[1] && texts[1] != texts[2]);
    let there: Vec<_> = ["", "-2", "-3"].map(|number| fs::read(protocol(number)).expect("it stays")).into();
    assert!(there == texts);
    // The same bytes again: each has its protocol, no other is written.
    for file in walk(&clinic.path("in/done")) {
        fs::copy(&file, clinic.path("in/HM140001S14002_21021.zip")).expect("copied");
        clinic.run(&WATCH);
    }
    assert_eq!(below(&clinic.path("in")).iter().filter(|name| name.ends_with(".xml")).count(), 3);
    // A protocol that is gone is written again for a package that was loaded before.
    fs::remove_file(protocol("-2")).expect("removed");
    fs::copy(clinic.path("in/done/HM140001S14002_21021-2.zip"), clinic.path("in/HM140001S14002_21021.zip")).expect("copied");
    let run = clinic.run(&WATCH);
    assert!(run.out.contains("уже"), "{run:?}");
    assert!(fs::read(protocol("-2")).expect("written again") == texts[1]);
}

fn start(clinic: &Clinic) -> Child {
    clinic.command(&WATCH).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program runs")
}

/// What must lie in the folder at the end, with the bytes of protocols.
fn contents(clinic: &Clinic) -> BTreeMap<String, Vec<u8>> {
    let root = clinic.path("in");
    below(&root).into_iter().map(|name| (name.clone(), fs::read(root.join(&name)).expect("read"))).collect()
}

#[test]
fn a_watch_that_is_killed_loses_nothing() {
    let before = Clinic::new();
    for number in 1..=PACKAGES {
        package(&before, if number % 3 == 0 { "in/отделение" } else { "in" }, number, number);
    }
    fs::write(before.path("in/битый.zip"), "PK\u{3}\u{4}").expect("written");
    let whole = before.twin();
    let begun = Instant::now();
    assert_eq!(whole.run(&WATCH).code, 1);
    let usual = begun.elapsed();
    let (state, due) = (State::of(&whole), contents(&whole));
    assert_eq!(due.keys().filter(|name| name.ends_with(".xml")).count(), PACKAGES + 1);
    assert_eq!(due.len(), 2 * (PACKAGES + 1));
    let kills = wanted(tries(KILLS));
    let (mut at_work, mut without_protocol) = (0, 0);
    for number in 0..kills {
        let clinic = before.twin();
        // The first tenth of a second is the pause between two looks.
        let mut child = start(&clinic);
        thread::sleep(Duration::from_millis(100) + usual.saturating_sub(Duration::from_millis(100)).mul_f64(random(7_000 + number as u64) * 1.1));
        let _ = child.kill();
        let ended = child.wait().expect("it ended");
        let loaded = clinic.outside("free").0;
        let left =
            below(&clinic.path("in")).iter().filter(|name| name.ends_with(".zip") && !name.starts_with("done/") && !name.starts_with("refused/")).count();
        at_work += usize::from(loaded > 0 && left > 0);
        without_protocol += usize::from(loaded > 0 && !clinic.path("in/VHM140001S14002_21021.xml").is_file());
        let run = clinic.run(&WATCH);
        let how = format!("number {number}, {ended}: {run:?}");
        assert!(run.code <= 1, "{how}");
        assert_eq!(contents(&clinic), due, "{how}");
        let found = State::of(&clinic);
        assert_eq!(found.entries, state.entries, "{how}");
        assert_eq!((clinic.outside("free").0 as usize, leftovers(&clinic).len()), (2 * PACKAGES, 0), "{how}");
    }
    say(&format!("watch: {kills} kills, {at_work} of them at work, {without_protocol} after a load whose protocol was not written yet"));
    assert!(at_work * 10 >= kills && without_protocol > 0, "too few were killed at work: {at_work}, {without_protocol} of {kills}");
}

/// A pipe was waited for without end.
#[test]
fn only_files_are_opened() {
    if !cfg!(unix) {
        return;
    }
    let clinic = Clinic::new();
    package(&clinic, "in", 1, 1);
    clinic.done(&["load", "in"]);
    clinic.run(&["form", "--period", "2021-02"]);
    clinic.done(&["submit", "2102-1"]);
    let pipe = |name: &str| {
        let path = clinic.path(name);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
        path.to_str().expect("a plain path").to_owned()
    };
    fs::create_dir(clinic.path("pipes")).expect("made");
    let (registry, book, other) = (pipe("pipes/HM140001S14002_21029.zip"), pipe("pipes/V001.xml"), pipe("pipes/x.csv"));
    for args in [
        &["validate", &*registry] as &[&str],
        &["load", &registry],
        &["receive", &registry],
        &["nsi", "import", &book],
        &["nsi", "import", "pipes"],
        &["rules", "import", &book],
        &["validate", "in", "--baseline", &other],
        &["journal", "--verify", "--file", &other],
        &["journal", "--verify", "--against", &other],
        &["restore", &other, "anew"],
        &["status", "--config", &other],
    ] {
        let run = ends(&clinic, args);
        let text = format!("{}{}", run.out, run.err);
        // These two name the file alone.
        let reason = ["load", "rules"].contains(&args[0]) || text.contains("не файл");
        assert!(run.code != 0 && reason && (text.contains("pipes/") || text.contains("HM1")), "puomp {args:?}: {run:?}");
    }
    // In a folder they are nobody's export.
    package(&clinic, "pipes", 2, 2);
    assert_eq!(ends(&clinic, &["validate", "pipes"]).code, 0);
    assert_eq!(ends(&clinic, &["load", "pipes"]).code, 0);
    let run = ends(&clinic, &["watch", "pipes", "--once", "--every", "0.1"]);
    assert!(run.code == 0 && run.err.contains("V001.xml") && run.err.contains("не файл"), "{run:?}");
    assert!(clinic.path("pipes/done/HM140001S14002_21022.zip").is_file() && clinic.path("pipes/VHM140001S14002_21022.xml").is_file());
    assert!(clinic.path("pipes/V001.xml").exists());
}
