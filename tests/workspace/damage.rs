//! Kept files that are not what was kept: nothing of them leaves, nothing is recorded, other commands go on, and a load mends them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::clinic::Clinic;
use crate::support::moments::random;
use crate::support::soak::tries;
use crate::support::sql::{Sql, text};
use crate::support::state::{State, walk};

/// Flipped bytes of kept files, one at a time, for each of the two commands that read them.
const FLIPS: usize = if cfg!(windows) { 15 } else { 100 };

/// The name of the only file in the folder `in`.
fn given(clinic: &Clinic) -> String {
    walk(&clinic.path("in")).remove(0).file_name().expect("a name").to_string_lossy().into_owned()
}

/// A workspace with one loaded package, its folder `in`, and the kept copy.
fn loaded() -> (Clinic, PathBuf) {
    let clinic = Clinic::new();
    clinic.package("in", 20, &["--period", "2021-02"]);
    clinic.done(&["load", "in"]);
    let kept = walk(&clinic.path(".puomp/objects"));
    assert_eq!(kept.len(), 1);
    let kept = kept[0].clone();
    (clinic, kept)
}

/// The digest of a registry's package, by the name of its file.
fn kept_as(clinic: &Clinic, name: &str) -> String {
    let mut store = Sql::connect(&clinic.address());
    let rows = store.rows(&format!("SELECT object FROM registries WHERE file_name || '.zip' = '{name}'"));
    store.close();
    text(&rows[0], "object")
}

/// What is done to a kept file, and how.
type Way = (&'static str, fn(&Path));

/// The ways in which a kept file can be damaged as a whole.
fn damages() -> Vec<Way> {
    let mut ways: Vec<Way> = vec![
        ("deleted", |file| fs::remove_file(file).expect("removed")),
        ("emptied", |file| fs::write(file, "").expect("written")),
        ("cut", |file| fs::write(file, &fs::read(file).expect("read")[..1000]).expect("written")),
        ("replaced by a folder", |file| {
            fs::remove_file(file).expect("removed");
            fs::create_dir(file).expect("made");
            fs::write(file.join("inner"), "x").expect("written");
        }),
    ];
    if cfg!(unix) {
        ways.push(("replaced by a pipe", |file| {
            fs::remove_file(file).expect("removed");
            assert!(std::process::Command::new("mkfifo").arg(file).status().expect("mkfifo runs").success());
        }));
    }
    ways
}

/// A command that must refuse a damaged file, by the name that users know, and change nothing.
fn refuses(clinic: &Clinic, args: &[&str], name: &str, old: &State, how: &str) {
    let said = clinic.run(args);
    assert_eq!(said.code, 6, "{how}: {said:?}");
    assert!(said.err.contains(name) && said.err.contains("сохранённой копии") | said.err.contains("сохранённая копия"), "{how}: {}", said.err);
    let now = State::of(clinic);
    assert!(now == *old, "{how}: {}", now.difference(old));
    assert!(walk(&clinic.path("outbox")).is_empty(), "{how}: something left");
}

const FORM: [&str; 3] = ["form", "--period", "2021-02"];

#[test]
fn every_flipped_byte_is_noticed() {
    let (clinic, kept) = loaded();
    let flip = |file: &Path, number: u64| {
        let mut bytes = fs::read(file).expect("read");
        let at = (random(number) * bytes.len() as f64) as usize;
        bytes[at] ^= 1 << (number % 8);
        fs::write(file, bytes).expect("written");
        format!("byte {at}, bit {}", number % 8)
    };
    let tries = tries(FLIPS) as u64;
    let old = State::of(&clinic);
    for number in 0..tries {
        let how = flip(&kept, number);
        let said = clinic.run(&FORM);
        assert_eq!(said.code, 6, "{how}: {said:?}");
        flip(&kept, number);
    }
    assert!(State::of(&clinic) == old);
    clinic.done(&FORM);
    // Several registries are formed: a twin tells which of the packages is that of 2102-1.
    let twin = clinic.twin();
    twin.done(&["submit", "2102-1"]);
    let sent = fs::read(&walk(&twin.path("outbox"))[0]).expect("read");
    let package = walk(&clinic.path(".puomp/objects")).into_iter().find(|file| fs::read(file).expect("read") == sent).expect("a package was formed");
    let old = State::of(&clinic);
    for number in tries..tries * 2 {
        let how = flip(&package, number);
        let said = clinic.run(&["submit", "2102-1"]);
        assert_eq!(said.code, 6, "{how}: {said:?}");
        flip(&package, number);
    }
    assert!(State::of(&clinic) == old && walk(&clinic.path("outbox")).is_empty());
    clinic.done(&["submit", "2102-1"]);
}

#[test]
fn a_load_mends_what_was_loaded() {
    let (clinic, kept) = loaded();
    clinic.package("other", 3, &["--period", "2021-03"]);
    for (how, damage) in damages() {
        let old = State::of(&clinic);
        damage(&kept);
        refuses(&clinic, &FORM, &given(&clinic), &old, how);
        refuses(&clinic, &["validate"], &given(&clinic), &old, how);
        // What does not need the file goes on.
        clinic.done(&["status"]);
        clinic.done(&["journal", "--verify"]);
        clinic.done(&["load", "other"]);
        let said = clinic.run(&["load", "in", "--quiet"]);
        assert!(said.code == 0 && said.out.contains("заменена этим файлом"), "{how}: {said:?}");
        let said = clinic.run(&["load", "in"]);
        assert!(said.code == 0 && !said.out.contains("заменена"), "{how}: {said:?}");
        clinic.done(&["validate"]);
    }
    clinic.done(&FORM);
}

#[test]
fn a_registry_whose_package_is_damaged_is_formed_anew() {
    let (clinic, kept) = loaded();
    clinic.done(&FORM);
    for (how, damage) in damages() {
        // Each time it is formed it has another packet number.
        let status = clinic.status();
        let registry = status["registries"].as_array().expect("rows").iter().find(|row| row["number"] == "2102-1").expect("there").clone();
        let name = format!("{}.zip", registry["file"].as_str().expect("a name"));
        let object = kept_as(&clinic, &name);
        let package = walk(&clinic.path(".puomp/objects")).into_iter().find(|file| *file != kept && file.ends_with(&object)).expect("a package was formed");
        let old = State::of(&clinic);
        damage(&package);
        refuses(&clinic, &["submit", "2102-1"], &name, &old, how);
        clinic.done(&["status"]);
        clinic.done(&["form", "--again", "2102-1"]);
    }
    clinic.done(&["submit", "2102-1"]);
}

/// The same bytes under another name are no damage, and mend the copy under its own name.
#[test]
fn a_second_download_mends_the_copy_of_the_first() {
    let (clinic, kept) = loaded();
    let file = walk(&clinic.path("in")).remove(0);
    fs::create_dir(clinic.path("again")).expect("a folder");
    fs::copy(&file, clinic.path("again/a (1).zip")).expect("copied");
    assert!(!clinic.done(&["load", "again"]).contains("заменена"));
    for (how, damage) in damages() {
        damage(&kept);
        let said = clinic.done(&["load", "again"]);
        assert!(said.contains("заменена") && said.contains(&given(&clinic)), "{how}: {said}");
    }
    // What stands in place of the folder above it goes too.
    let folder = kept.parent().expect("a folder");
    fs::remove_dir_all(folder).expect("removed");
    fs::write(folder, "in the way").expect("written");
    assert!(clinic.done(&["load", "in"]).contains("заменена"));
    clinic.done(&FORM);
}

/// One that cannot go does not keep the others back, and the repeat of a command that was broken off is safe.
#[test]
fn each_registry_of_a_submit_has_a_result_of_its_own() {
    let clinic = Clinic::new();
    clinic.package("in", 60, &["--period", "2021-02"]);
    clinic.done(&["load", "in"]);
    clinic.done(&FORM);
    let said = clinic.run(&["submit", "2102-1", "2102-999", "2102-2"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("2102-999"), "{said:?}");
    assert_eq!(walk(&clinic.path("outbox")).len(), 2, "{said:?}");
    let old = State::of(&clinic);
    let said = clinic.run(&["submit", "2102-1", "2102-2"]);
    assert!(said.code == 0 && said.err.matches("уже отправлен").count() == 2, "{said:?}");
    assert!(State::of(&clinic) == old);
}

/// A row that another hand has written names no file outside, and ends no program.
#[test]
fn a_forged_digest_leads_nowhere() {
    let (clinic, _) = loaded();
    clinic.done(&FORM);
    for digest in ["", "a", "я", "../../../../etc/passwd", "/dev/zero"] {
        let mut store = Sql::connect(&clinic.address());
        store.script(&format!("UPDATE registries SET object = '{digest}'"));
        store.close();
        for args in [&["submit", "2102-1"][..], &["status"], &["load", "in"]] {
            let said = clinic.run(args);
            assert!(said.code != 70 && !said.err.contains("внутренняя"), "{digest}: {said:?}");
        }
        assert_eq!(clinic.run(&["submit", "2102-1"]).code, 6, "{digest}");
    }
}

/// Users know a kept file by the name with which it was given, not by its digest.
#[test]
fn a_kept_file_is_called_by_its_name() {
    let (clinic, _) = loaded();
    let said = clinic.run(&["validate", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&said.out).expect("a report");
    let paths: Vec<&str> = report["packages"].as_array().expect("a list").iter().filter_map(|package| package["path"].as_str()).collect();
    assert_eq!(paths, [given(&clinic)]);
}
