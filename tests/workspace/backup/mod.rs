//! Backups: made while others work, restored and equal; damaged, forged and interrupted ones; what is not in them.

mod forged;
mod kills;
mod shared;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use puomp::values::hex;
use puomp::workspace::journal::JournalHead;
use puomp::workspace::{Actor, Opening, Problem, Restored, restore};
use sha2::{Digest as _, Sha256};

use crate::support::clinic::{Clinic, said};
use crate::support::moments::random;
use crate::support::soak::tries;
use crate::support::sql::{Sql, text};
use crate::support::state::{State, leftovers, opened, operation, walk};

/// Flipped bytes of a backup, each restored.
const FLIPS: usize = if cfg!(windows) { 8 } else { 30 };

const FILE: &str = "копия 1.zip";

/// Digests of the kept files, as their bytes give them.
fn objects(clinic: &Clinic) -> BTreeSet<String> {
    walk(&clinic.path(".puomp/objects")).iter().map(|file| hex(&Sha256::digest(fs::read(file).expect("read")))).collect()
}

/// Digests of the files that rows name.
fn named(clinic: &Clinic) -> BTreeSet<String> {
    let mut store = Sql::connect(&clinic.address());
    let sql = "SELECT main_object AS object FROM packages UNION SELECT persons_object FROM packages UNION SELECT object FROM registries \
               UNION SELECT object FROM answers UNION SELECT object FROM outbox";
    let named = store.rows(sql).iter().map(|row| text(row, "object")).collect();
    store.close();
    named
}

fn head(clinic: &Clinic) -> String {
    let mut workspace = opened(clinic);
    let head = JournalHead::of(&workspace.journal(None).expect("it reads"), "").export();
    workspace.close();
    head
}

/// Two workspaces with the same rows, journals and kept files.
fn assert_same(one: &Clinic, other: &Clinic, how: &str) {
    let (here, there) = (State::of(one), State::of(other));
    assert!(here == there, "{how}: {}", here.difference(&there));
    assert_eq!(head(one), head(other), "{how}");
    assert_eq!(one.status(), other.status(), "{how}");
    assert_eq!(objects(one), objects(other), "{how}");
}

/// A workspace with loaded packages, registries and one that was sent.
fn busy() -> Clinic {
    let clinic = Clinic::new();
    clinic.package("in", 8, &["--period", "2021-02"]);
    clinic.done(&["load", "in"]);
    clinic.done(&["form", "--period", "2021-02"]);
    clinic.done(&["submit", "2102-1"]);
    clinic
}

fn text_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A workspace made of a backup.
fn restored(file: &Path) -> Clinic {
    let clinic = Clinic::empty();
    clinic.done(&["restore", &text_of(file), "."]);
    clinic
}

/// Restores within this process, which is quicker.
fn restore_here(file: &Path, folder: &Path) -> Result<Restored, Problem> {
    let actor = Actor { user: "test".to_owned(), host: "test".to_owned(), role: "executor".to_owned() };
    restore(file, folder, None, &Opening { operation: operation(&actor), wait: Duration::from_secs(5), holder: "the test" })
}

#[test]
fn a_backup_under_load_is_one_state() {
    let clinic = Clinic::new();
    let code = |n: u32| format!("1400{n:02}");
    for n in 1..=4 {
        clinic.package(&format!("in{n}"), 40, &["--period", "2021-02", "--clinic", &code(n), "--seed", &n.to_string()]);
    }
    let backup = |number: usize| {
        let name = format!("{number}.zip");
        clinic.done(&["backup", &name, "--wait", "60"]);
        clinic.path(&name)
    };
    let mut backups: Vec<PathBuf> = Vec::new();
    thread::scope(|scope| {
        let work = |n: u32| {
            let run = |args: &[&str]| said(&clinic.command(args).output().expect("the program runs"));
            let loaded = run(&["load", &format!("in{n}"), "--wait", "60"]);
            let formed = run(&["form", "--period", "2021-02", "--mo", &code(n), "--wait", "60"]);
            let again = run(&["form", "--again", &format!("2102-{n}"), "--wait", "60"]);
            (loaded, formed, again)
        };
        let programs: Vec<_> = (1..=4).map(|n| scope.spawn(move || work(n))).collect();
        while !programs.iter().all(thread::ScopedJoinHandle::is_finished) {
            backups.push(backup(backups.len()));
        }
        for program in programs {
            let (loaded, formed, _) = program.join().expect("it ended");
            assert!(loaded.code == 0 && formed.code == 0, "{loaded:?} {formed:?}");
        }
    });
    assert!(!backups.is_empty());
    let sampled = backups.iter().step_by(backups.len().div_ceil(4));
    for file in sampled {
        let other = restored(file);
        State::of(&other);
        assert_eq!(objects(&other), named(&other), "{}: every file that a row names, and no other", file.display());
    }
    let last = backup(backups.len());
    assert!(puomp::sys::is_private(&last).expect("there"), "it holds personal data");
    let other = restored(&last);
    assert_same(&clinic, &other, "the last backup");
    assert_eq!(leftovers(&other), Vec::<PathBuf>::new());
    // The copy of the store and what was unfinished is gone.
    let unfinished = |clinic: &Clinic| {
        let names = [clinic.root(), clinic.path(".puomp")].map(|folder| fs::read_dir(folder).expect("a folder"));
        names.into_iter().flatten().map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).find(|name| name.starts_with(".puomp-"))
    };
    assert_eq!((unfinished(&clinic), unfinished(&other)), (None, None));
    // Work goes on there.
    other.done(&["submit", "2102-1"]);
    other.done(&["journal", "--verify"]);
}

#[test]
fn a_workspace_of_version_1_is_saved_as_it_is_now() {
    let clinic = Clinic::empty();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/store-1/workspace.zip");
    zip::ZipArchive::new(fs::File::open(fixture).expect("a fixture")).expect("an archive").extract(clinic.root()).expect("unpacked");
    clinic.done(&["backup", FILE]);
    assert_same(&clinic, &restored(&clinic.path(FILE)), "migrated");
}

#[test]
fn a_flipped_byte_of_a_backup_is_refused_or_means_nothing() {
    let clinic = busy();
    clinic.done(&["backup", FILE]);
    let bytes = fs::read(clinic.path(FILE)).expect("read");
    let due = State::of(&clinic);
    let (mut refused, mut meaningless) = (0, 0);
    for number in 0..tries(FLIPS) as u64 {
        // Two of three among the contents, the others where the directory stands.
        let tail = bytes.len().min(2_000);
        let at = match number % 3 {
            0 => bytes.len() - 1 - (random(number) * tail as f64) as usize,
            _ => (random(number) * bytes.len() as f64) as usize,
        };
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (number % 8);
        let room = Clinic::empty();
        fs::write(room.path("x.zip"), flipped).expect("written");
        match restore_here(&room.path("x.zip"), &room.path("new")) {
            Ok(_) => {
                meaningless += 1;
                let other = Clinic::empty();
                fs::rename(room.path("new/.puomp"), other.path(".puomp")).expect("moved");
                assert!(State::of(&other) == due && objects(&other) == objects(&clinic), "byte {at}: restored otherwise");
            }
            Err(Problem::Backup(_)) => {
                refused += 1;
                assert!(!room.path("new").exists(), "byte {at}: something was left");
            }
            Err(other) => panic!("byte {at}: {other}"),
        }
    }
    assert!(refused > meaningless, "{refused} {meaningless}");
}

/// A kept file that is damaged in the workspace.
fn spoil(clinic: &Clinic) -> String {
    let kept = walk(&clinic.path(".puomp/objects")).into_iter().max_by_key(|file| fs::metadata(file).expect("there").len()).expect("a file");
    let mut bytes = fs::read(&kept).expect("read");
    bytes[100] ^= 1;
    fs::write(&kept, bytes).expect("written");
    hex(&Sha256::digest(fs::read(&kept).expect("read")))
}

#[test]
fn a_damaged_file_comes_from_the_earlier_backup_or_stops_the_new_one() {
    let clinic = busy();
    clinic.done(&["backup", FILE]);
    let (sound, due) = (fs::read(clinic.path(FILE)).expect("read"), objects(&clinic));
    spoil(&clinic);
    let said = clinic.run(&["backup", "another.zip"]);
    assert!(said.code == 6 && said.err.contains("сохранённая копия"), "{said:?}");
    assert!(!clinic.path("another.zip").exists(), "nothing appears");
    let said = clinic.run(&["backup", FILE]);
    assert!(said.code == 0 && said.err.contains("прежней резервной копии"), "{said:?}");
    assert_eq!(objects(&restored(&clinic.path(FILE))), due);
    // An earlier backup that cannot be read any more has nothing to give, and is not thrown away.
    let mut spoiled = sound;
    let end = zip::ZipArchive::new(std::io::Cursor::new(&spoiled)).expect("an archive").central_directory_start() as usize;
    spoiled[200..end].iter_mut().for_each(|byte| *byte ^= 0x55);
    fs::write(clinic.path(FILE), &spoiled).expect("written");
    assert_eq!(clinic.run(&["backup", FILE]).code, 2);
    assert!(fs::read(clinic.path(FILE)).expect("read") == spoiled, "the earlier file stays");
}

#[test]
fn rows_that_were_changed_are_not_saved() {
    let clinic = busy();
    clinic.done(&["backup", FILE]);
    let sound = fs::read(clinic.path(FILE)).expect("read");
    for (change, word) in [("UPDATE registries SET sum = sum + 1", "не сходятся"), ("CREATE VIEW v AS SELECT 1", "view v")] {
        let mut store = Sql::connect(&clinic.address());
        store.script(change);
        store.close();
        let said = clinic.run(&["backup", FILE]);
        assert!([1, 6].contains(&said.code) && said.err.contains(word), "{change}: {said:?}");
        assert!(fs::read(clinic.path(FILE)).expect("read") == sound, "{change}: the earlier file stays");
        let mut store = Sql::connect(&clinic.address());
        store.script("UPDATE registries SET sum = sum - 1");
        store.close();
    }
}

#[test]
fn places_that_will_not_do() {
    let clinic = busy();
    clinic.done(&["backup", FILE]);
    let refused = |args: &[&str], word: &str| {
        let said = clinic.run(args);
        assert!(said.code == 2 && said.err.contains(word), "{args:?}: {said:?}");
    };
    refused(&["backup", ".puomp/x.zip"], ".puomp");
    refused(&["backup", ".puomp/../.puomp/objects/x.zip"], ".puomp");
    refused(&["backup", "in"], "папка");
    refused(&["backup", "nowhere/x.zip"], "nowhere");
    refused(&["restore", FILE, "."], "рабочая папка");
    refused(&["restore", FILE, "in"], "не пуста");
    refused(&["restore", FILE, FILE], "не пуста");
    refused(&["restore", FILE, "new", "--store", "postgres://127.0.0.1:1/x"], "--store");
    assert!([2, 6].contains(&clinic.run(&["restore", "in", "new"]).code), "a folder is no backup");
    assert!(!clinic.path("new").exists() && !clinic.path("in/.puomp").exists());
    assert_eq!(walk(&clinic.path(".puomp")).iter().filter(|file| text_of(file).contains("x.zip")).count(), 0);
}

#[test]
fn the_configuration_comes_back_and_passwords_only_when_asked_for() {
    const SETTINGS: &str = "# was postgres://old:s3cret@host/db\nstore = \"postgres://anna:s3cret@host:5432/db?sslmode=require\"\nlimit = 7\n";
    let clinic = busy();
    fs::write(clinic.path("puomp.toml"), SETTINGS).expect("written");
    let files = [("rules/flk/мой файл.csv", "a"), ("rules/formats/H.csv", "b"), ("books/H.csv", "c"), ("books/V002.nsi", "")];
    for (path, text) in files {
        let path = clinic.path(".puomp").join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }
    let holds_secret = |file: &Path| {
        let mut archive = zip::ZipArchive::new(fs::File::open(file).expect("open")).expect("an archive");
        (0..archive.len()).any(|number| {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut archive.by_index(number).expect("an entry"), &mut bytes).expect("read");
            bytes.windows(6).any(|window| window == b"s3cret")
        })
    };
    // The store that the file names is none.
    let said = clinic.run(&["backup", "--no-config", FILE]);
    assert!(said.code == 0 && said.err.contains("--with-secret") && !said.err.contains("s3cret"), "{said:?}");
    assert!(!holds_secret(&clinic.path(FILE)));
    let other = Clinic::empty();
    let said = other.run(&["restore", &text_of(&clinic.path(FILE)), "."]);
    assert!(said.code == 0 && said.err.contains("PGPASSWORD"), "{said:?}");
    for (path, text) in files {
        assert_eq!(fs::read_to_string(other.path(".puomp").join(path)).expect("there"), text);
    }
    assert_eq!(fs::read_to_string(other.path("puomp.toml")).expect("there"), SETTINGS.replace(":s3cret", ""));

    clinic.done(&["backup", "--no-config", "--with-secret", "s.zip"]);
    assert!(holds_secret(&clinic.path("s.zip")));
    let other = restored(&clinic.path("s.zip"));
    assert_eq!(fs::read_to_string(other.path("puomp.toml")).expect("there"), SETTINGS);
    assert!(puomp::sys::is_private(&other.path("puomp.toml")).expect("there"));

    fs::write(clinic.path("puomp.toml"), "store = postgres://anna:s3cret@host").expect("written");
    let said = clinic.run(&["backup", "--no-config", FILE]);
    assert!(said.code == 0 && said.err.contains("не взят"), "{said:?}");
    assert!(!holds_secret(&clinic.path(FILE)) && !restored(&clinic.path(FILE)).path("puomp.toml").exists());
}

/// The secret of a workspace is in no backup, so nobody would be found in registers of persons.
#[test]
fn registers_come_back_but_for_those_of_persons() {
    let clinic = Clinic::new();
    fs::write(clinic.path("levels.csv"), "mo;level;date_from;date_to\n140001;2;2026-01-01;\n").expect("written");
    fs::write(clinic.path("deaths.csv"), "enp;death_date\n9900000000000001;2026-01-01\n").expect("written");
    clinic.done(&["nsi", "import", "levels.csv", "deaths.csv"]);
    clinic.done(&["backup", FILE]);
    let mut archive = zip::ZipArchive::new(fs::File::open(clinic.path(FILE)).expect("there")).expect("an archive");
    let names: Vec<String> = (0..archive.len()).map(|at| archive.by_index(at).expect("an entry").name().expect("a name").into_owned()).collect();
    assert!(names.iter().any(|name| name.ends_with("registers/levels.reg")), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("deaths") || name.contains("secret") || name.ends_with("lock")), "{names:?}");
    let other = restored(&clinic.path(FILE));
    let path = other.path(".puomp/registers/levels.reg");
    assert_eq!(fs::read(&path).expect("restored"), fs::read(clinic.path(".puomp/registers/levels.reg")).expect("there"));
    assert!(puomp::sys::is_private(&path).expect("asked"));
    assert!(!other.path(".puomp/registers/deaths.reg").exists());
    other.done(&["nsi", "show", "levels"]);
    other.done(&["backup", "ещё.zip"]);
}

#[test]
fn a_file_of_somebody_else_is_not_replaced() {
    let clinic = busy();
    fs::write(clinic.path("puomp.toml"), "region = \"14\"\n").expect("written");
    fs::write(clinic.path("report.txt"), "a report").expect("written");
    fs::write(clinic.path("empty.zip"), "").expect("written");
    let export = walk(&clinic.path("outbox")).remove(0);
    for file in [clinic.path("puomp.toml"), clinic.path("report.txt"), export] {
        let before = fs::read(&file).expect("read");
        assert!(clinic.refused(&["backup", file.to_str().expect("a plain path")], 2).contains("другой файл"));
        assert!(fs::read(&file).expect("read") == before);
    }
    clinic.done(&["backup", "empty.zip"]);
    clinic.done(&["backup", "empty.zip"]);
}
