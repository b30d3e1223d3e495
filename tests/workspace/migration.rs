//! Workspaces that earlier programs made (`tests/fixtures/`): they open, nothing of them is lost, and the earlier programs leave them alone.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use puomp::values::hex;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

use crate::support::clinic::Clinic;
use crate::support::moments::{random, wanted};
use crate::support::say::say;
use crate::support::soak::tries;
use crate::support::sql::{Sql, text};
use crate::support::state::{State, leftovers, outbox_troubles};

/// Versions of the store of which there is a workspace.
const VERSIONS: [i64; 3] = [1, 2, 3];

fn fixture(version: i64, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/store-{version}")).join(name)
}

fn json(version: i64, name: &str) -> Value {
    serde_json::from_slice(&fs::read(fixture(version, name)).expect("a fixture")).expect("JSON")
}

/// A workspace of an earlier version.
fn workspace(version: i64, on_postgres: bool) -> Clinic {
    let clinic = if on_postgres { Clinic::on_empty_postgres() } else { Clinic::empty() };
    let mut archive = zip::ZipArchive::new(File::open(fixture(version, "workspace.zip")).expect("a fixture")).expect("an archive");
    archive.extract(clinic.root()).expect("unpacked");
    if on_postgres {
        fs::remove_file(clinic.path(".puomp/store.sqlite")).expect("there");
        let mut store = Sql::connect(&clinic.address());
        store.script(&fs::read_to_string(fixture(version, "postgres.sql")).expect("a fixture"));
        store.close();
    }
    clinic
}

/// The entry that ended the old journal, and the beginnings of the journals of clinics.
fn chains(clinic: &Clinic) -> (String, Vec<String>) {
    let mut store = Sql::connect(&clinic.address());
    let end = text(&store.rows("SELECT hash FROM journal_before ORDER BY seq DESC LIMIT 1")[0], "hash");
    let first = store.rows("SELECT prev FROM journal WHERE seq = 1 ORDER BY mo").iter().map(|row| text(row, "prev")).collect();
    store.close();
    (end, first)
}

on_each_store!(a_workspace_of_an_earlier_version_opens_with_all_that_it_held);
fn a_workspace_of_an_earlier_version_opens_with_all_that_it_held(store: &Clinic) {
    for version in VERSIONS {
        let clinic = &workspace(version, store.store().is_some());
        let said = clinic.run(&["status", "--format", "json"]);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.err.contains("обновлена") && said.err.contains("копия"), "{}", said.err);
        let now: Value = serde_json::from_str(&said.out).expect("JSON");
        let before = json(version, "status.json");
        for part in ["registries", "cases"] {
            assert_eq!(now[part], before[part], "{version}: {part}");
        }
        assert_eq!(clinic.run(&["status"]).err, "", "it is told once");
        for (number, of_registry) in json(version, "registries.json").as_object().expect("an object") {
            let now: Value = serde_json::from_str(&clinic.done(&["status", number, "--format", "json"])).expect("JSON");
            assert_eq!(now["registries"], of_registry["registries"], "{version}: {number}");
        }
        // The old entries are the same to the byte.
        let journal = clinic.done(&["journal", "--format", "jsonl"]);
        let old = fs::read_to_string(fixture(version, "journal.jsonl")).expect("a fixture");
        if version == 1 {
            let rest = journal.strip_prefix(&*old).expect("the old entries come first");
            assert!(rest.lines().next().is_some_and(|line| line.contains("\"action\":\"migrate\"")), "{rest}");
            let (end, first) = chains(clinic);
            assert_eq!(first, vec![end; first.len()], "each clinic's journal begins with the hash of the old one's end");
            assert_eq!(first.len(), 2);
        } else {
            let (new, rest): (Vec<&str>, Vec<&str>) = journal.lines().partition(|line| line.contains("\"action\":\"migrate\"") && !old.contains(line));
            assert_eq!(rest, old.lines().collect::<Vec<_>>());
            assert_eq!(new.len(), 2, "one entry for each clinic: {new:?}");
        }
        clinic.done(&["journal", "--verify"]);
        clinic.done(&["journal", "--verify", "--against", &fixture(version, "head.json").display().to_string()]);
        assert_eq!(outbox_copies(clinic), 0, "what was sent is as it was formed, and where");
    }
}

/// How many files of the outbox are not as they were formed.
fn outbox_copies(clinic: &Clinic) -> usize {
    let mut store = Sql::connect(&clinic.address());
    let rows = store.rows("SELECT path, object FROM outbox");
    store.close();
    let differs = |row: &&sqlx::any::AnyRow| fs::read(clinic.path(&text(row, "path"))).map_or(true, |bytes| hex(&Sha256::digest(bytes)) != text(row, "object"));
    rows.iter().filter(differs).count()
}

on_each_store!(work_goes_on_in_a_workspace_of_an_earlier_version);
fn work_goes_on_in_a_workspace_of_an_earlier_version(store: &Clinic) {
    for version in VERSIONS {
        let clinic = &workspace(version, store.store().is_some());
        let before = clinic.registries();
        // Cases of files that an earlier program kept go into registries, whether the files have been moved to their new places or not.
        assert!(clinic.run(&["validate"]).code < 2);
        clinic.package("new", 9, &["--period", "2021-04", "--packet", "9", "--seed", "77"]);
        clinic.done(&["load", "new"]);
        assert_eq!((leftovers(clinic), outbox_troubles(clinic)), (Vec::new(), Vec::new()));
        for period in ["2021-02", "2021-03", "2021-04"] {
            clinic.run(&["form", "--period", period]);
        }
        let new: Vec<_> = clinic.registries().into_iter().filter(|one| !before.contains(one)).collect();
        assert!(new.len() > 3, "{new:?}");
        for (number, ..) in &new {
            assert!(before.iter().all(|(old, ..)| old != number), "{number} is used twice");
            clinic.done(&["submit", number]);
        }
        State::of(clinic);
        clinic.done(&["journal", "--verify"]);
    }
}

#[test]
fn the_copy_is_what_was() {
    let clinic = workspace(1, false);
    let before = fs::read(clinic.path(".puomp/store.sqlite")).expect("a store");
    clinic.done(&["status"]);
    let copy = clinic.path(".puomp/store-1.sqlite");
    assert!(copy.is_file());
    let rows = |file: &Path| {
        let mut store = Sql::connect(&crate::support::sql::sqlite_url(file));
        let rows: Vec<String> =
            ["SELECT hash AS x FROM journal ORDER BY seq", "SELECT place AS x FROM cases ORDER BY id", "SELECT status AS x FROM registries ORDER BY id"]
                .iter()
                .flat_map(|sql| store.rows(sql).iter().map(|row| text(row, "x")).collect::<Vec<_>>())
                .collect();
        store.close();
        rows
    };
    let old = clinic.path("old.sqlite");
    fs::write(&old, before).expect("written");
    assert_eq!(rows(&copy), rows(&old));
    // The copy can be put back.
    fs::copy(&copy, clinic.path(".puomp/store.sqlite")).expect("copied");
    for file in ["store.sqlite-wal", "store.sqlite-shm"] {
        let _ = fs::remove_file(clinic.path(".puomp").join(file));
    }
    clinic.done(&["journal", "--verify"]);
}

on_each_store!(a_program_that_does_not_know_the_version_leaves_the_store_alone);
fn a_program_that_does_not_know_the_version_leaves_the_store_alone(store: &Clinic) {
    let clinic = &workspace(1, store.store().is_some());
    clinic.done(&["status"]);
    let mut store = Sql::connect(&clinic.address());
    let newest: i64 = store.rows("SELECT MAX(version) AS v FROM _sqlx_migrations")[0].get("v");
    store.rows(&format!("UPDATE _sqlx_migrations SET version = 99 WHERE version = {newest}"));
    store.close();
    for args in [&["status"][..], &["load", "."], &["form", "--period", "2021-03"], &["init"]] {
        let said = clinic.refused(args, 2);
        assert!(said.contains("более новая версия") && said.contains("99"), "{said}");
    }
}

on_each_store!(several_programs_open_an_old_workspace_at_once);
fn several_programs_open_an_old_workspace_at_once(store: &Clinic) {
    let clinic = &workspace(1, store.store().is_some());
    let runs: Vec<_> = (0..6).map(|_| clinic.command(&["status", "--wait", "60"])).collect();
    let ends: Vec<_> = runs.into_iter().map(|mut run| std::thread::spawn(move || run.output().expect("it runs"))).collect();
    let ends: Vec<_> = ends.into_iter().map(|end| crate::support::clinic::said(&end.join().expect("it ended"))).collect();
    assert!(ends.iter().all(|said| said.code == 0), "{ends:?}");
    assert_eq!(ends.iter().filter(|said| said.err.contains("обновлена")).count(), 1, "{ends:?}");
    clinic.done(&["journal", "--verify"]);
}

fn start(clinic: &Clinic) -> Child {
    clinic.command(&["status"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program runs")
}

/// Waits until a program has begun to copy the old store or, on PostgreSQL, holds a lock of it; whether it still runs.
fn wait_for_copy(clinic: &Clinic, child: &mut Child) -> bool {
    let mut lookout = clinic.lookout();
    let mut has_begun = || match clinic.store() {
        None => ["half", "sqlite"].iter().any(|ending| clinic.path(&format!(".puomp/store-1.{ending}")).exists()),
        Some(_) => lookout.is_changing(),
    };
    while !has_begun() {
        if child.try_wait().expect("a child").is_some() {
            return false;
        }
        thread::sleep(Duration::from_micros(200));
    }
    true
}

on_each_store!(a_kill_leaves_the_old_version_or_the_new_one);
/// A program is killed while it brings an old store up to date: the store is the old one or the new one.
fn a_kill_leaves_the_old_version_or_the_new_one(store: &Clinic) {
    let on_postgres = store.store().is_some();
    let old = workspace(1, on_postgres);
    let done = old.twin();
    let begun = Instant::now();
    let mut child = start(&done);
    wait_for_copy(&done, &mut child);
    let until = begun.elapsed();
    child.wait().expect("it ended");
    let work = begun.elapsed().saturating_sub(until);
    let due = State::of(&done);
    let (mut before, mut after) = (0, 0);
    // On PostgreSQL a workspace to be killed costs a database.
    let kills = wanted(tries(if on_postgres { 12 } else { 40 }));
    for number in 0..kills as u64 {
        let clinic = old.twin();
        let mut child = start(&clinic);
        if number.is_multiple_of(4) {
            thread::sleep((until + work).mul_f64(random(number)));
        } else if wait_for_copy(&clinic, &mut child) {
            thread::sleep(work.mul_f64(random(number)));
        }
        let _ = child.kill();
        child.wait().expect("it ended");
        clinic.wait_for_server();
        if version(&clinic) == 1 {
            before += 1
        } else {
            after += 1
        }
        clinic.done(&["status"]);
        let now = State::of(&clinic);
        assert!(now == due, "kill {number}: {}", due.difference(&now));
    }
    let store = if on_postgres { "PostgreSQL" } else { "SQLite" };
    say(&format!("migration, {store}: {kills} kills, usual time {until:?} + {work:?}: the old version {before} times, the new one {after} times"));
    assert!(kills < 12 || before > 0, "no program was killed before the end of a migration");
}

fn version(clinic: &Clinic) -> i64 {
    let mut store = Sql::connect(&clinic.address());
    let version = store.rows("SELECT MAX(version) AS v FROM _sqlx_migrations")[0].get("v");
    store.close();
    version
}

#[test]
fn a_store_with_rows_of_nothing_stays_as_it_is() {
    let clinic = workspace(1, false);
    let mut store = Sql::connect(&clinic.address());
    store.rows("UPDATE members SET registry = 999 WHERE case_id = (SELECT MIN(case_id) FROM members)");
    store.close();
    let said = clinic.refused(&["status"], 2);
    assert!(said.contains("members") && said.contains("ничего не изменено"), "{said}");
    assert_eq!(version(&clinic), 1);
}

on_each_store!(packages_of_an_earlier_version_can_be_taken_back);
fn packages_of_an_earlier_version_can_be_taken_back(store: &Clinic) {
    for version in VERSIONS {
        let clinic = &workspace(version, store.store().is_some());
        // What no payer has decided leaves its registry, if the table allows it.
        for (number, ..) in clinic.registries() {
            clinic.run(&["withdraw", &number, "--reason", "ошибка", "--role", "head"]);
            clinic.run(&["form", "--cancel", &number]);
        }
        let mut sql = Sql::connect(&clinic.address());
        let rows =
            sql.rows("SELECT main_object AS object, CASE WHEN main_entry = '' THEN main_name ELSE main_entry END AS name FROM packages ORDER BY mo, id DESC");
        let names: Vec<String> = rows.iter().map(|row| format!("{}:{}", &text(row, "object")[..12], text(row, "name"))).collect();
        sql.close();
        let mut restored = 0;
        for name in names {
            let said = clinic.run(&["load", "--undo", &name]);
            assert!(said.code == 0 || said.code == 4, "{version}, {name}: {said:?}");
            restored += usize::from(said.out.contains("снова действуют"));
        }
        assert!(restored > 0, "{version}: some package had replaced cases");
        clinic.done(&["journal", "--verify"]);
    }
}
