//! Backups of a workspace on PostgreSQL: the files and the settings; the database has its own means.

use std::fs;

use super::{FILE, assert_same, objects, text_of};
use crate::support::clinic::Clinic;

fn empty(clinic: &Clinic) {
    for entry in fs::read_dir(clinic.root()).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { fs::remove_dir_all(path).expect("removed") } else { fs::remove_file(path).expect("removed") }
    }
}

#[test]
#[ignore = "needs PUOMP_TEST_POSTGRES"]
fn files_are_saved_and_compared_with_the_database_on_postgres() {
    let clinic = Clinic::on_postgres();
    clinic.package("in", 8, &["--period", "2021-02"]);
    clinic.done(&["load", "in"]);
    clinic.done(&["form", "--period", "2021-02"]);
    clinic.done(&["submit", "2102-1"]);
    // The copy of the database comes first.
    let copy = clinic.twin();
    let address = clinic.store().expect("PostgreSQL");
    let run = clinic.run(&["backup", FILE]);
    assert!(run.code == 0 && run.err.contains("pg_dump") && run.err.contains(address.rsplit_once('/').expect("a name").1), "{run:?}");
    let file = text_of(&clinic.path(FILE));

    empty(&copy);
    let run = copy.run(&["restore", &file, "."]);
    assert!(run.code == 0 && run.err.contains("все файлы"), "{run:?}");
    assert_same(&clinic, &copy, "restored");
    copy.done(&["journal", "--verify"]);
    assert!(!copy.path(".puomp/store.sqlite").exists());

    // Without a database the order is told; with an empty one too.
    let room = Clinic::empty();
    let run = room.run(&["restore", &file, "a"]);
    assert!(run.code == 0 && run.err.contains("pg_restore"), "{run:?}");
    let fresh = Clinic::on_empty_postgres();
    let run = fresh.run(&["restore", &file, "."]);
    assert!(run.code == 0 && run.err.contains("pg_restore"), "{run:?}");
    assert_eq!(objects(&fresh), objects(&clinic));

    // A database that knows more than the files.
    clinic.package("more", 8, &["--period", "2021-03", "--seed", "5"]);
    clinic.done(&["load", "more"]);
    let later = clinic.twin();
    empty(&later);
    let run = later.run(&["restore", &file, "."]);
    let name = fs::read_dir(clinic.path("more")).expect("a folder").next().expect("one").expect("an entry").file_name();
    assert!(run.code == 1 && run.err.contains(&*name.to_string_lossy()), "{run:?}");

    // A password in the address is not shown. A server that trusts this machine takes any.
    let (_, authority) = address.split_once("://").expect("an address");
    if authority.split_once('@').is_some_and(|(user, _)| !user.contains(':')) {
        let run = clinic.run(&["backup", FILE, "--store", &address.replacen('@', ":s3cret@", 1)]);
        assert!(run.code == 0 && run.err.contains("pg_dump") && !format!("{run:?}").contains("s3cret"), "{run:?}");
    }
}

#[test]
#[ignore = "needs PUOMP_TEST_POSTGRES"]
fn a_backup_of_changed_rows_is_refused_on_postgres() {
    let clinic = Clinic::on_postgres();
    clinic.package("in", 8, &["--period", "2021-02"]);
    clinic.done(&["load", "in"]);
    let mut store = crate::support::sql::Sql::connect(&clinic.address());
    store.script("UPDATE packages SET cases = cases + 1");
    store.close();
    let run = clinic.run(&["backup", FILE]);
    assert!(run.code == 1 && run.err.contains("не сходятся"), "{run:?}");
    assert!(!clinic.path(FILE).exists());
}
