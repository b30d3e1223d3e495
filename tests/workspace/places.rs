//! Folders as people call them, however deep, and files as they find them: read-only, or for nobody else's eyes.

use std::fs;
use std::path::{Path, PathBuf};

use puomp::sys::is_private;

use crate::support::clinic::{Clinic, Said};
use crate::support::sql::Sql;
use crate::support::state::walk;

/// The prefix of Windows for paths of any length; people never read it.
const VERBATIM: &str = r"\\?\";

/// Longest path that Windows takes without being asked in a special way.
const LONGEST: usize = 259;

fn length(path: &Path) -> usize {
    path.to_string_lossy().encode_utf16().count()
}

/// From the export to what was sent; all that was said.
fn life(clinic: &Clinic) -> Vec<Said> {
    clinic.package("выгрузка МИС", 10, &["--period", "2021-02"]);
    let commands: [&[&str]; 10] = [
        &["init"],
        &["init", "другая папка"],
        &["load", "выгрузка МИС"],
        &["form", "--period", "2021-02"],
        &["submit", "2102-1"],
        &["status"],
        &["journal"],
        &["journal", "--verify"],
        &["validate", "outbox", "--protocol-dir", "протоколы"],
        &["config"],
    ];
    commands
        .iter()
        .map(|args| {
            let said = clinic.run(args);
            assert_eq!(said.code, 0, "puomp {args:?}: {said:?}");
            assert!(!said.out.contains(VERBATIM) && !said.err.contains(VERBATIM), "puomp {args:?}: {said:?}");
            said
        })
        .collect()
}

#[test]
fn a_workspace_lives_in_a_folder_of_any_name() {
    for name in ["Реестры 2021", "100% [№ 1] & 'b'=c+d#;,", "a. b.d"] {
        let clinic = Clinic::called(name);
        let said = life(&clinic);
        assert!(said[0].out.contains("уже"), "{:?}", said[0]);
        assert!(clinic.path("другая папка/.puomp/store.sqlite").is_file());
    }
}

#[test]
fn what_a_deep_workspace_keeps_may_be_longer_than_windows_takes() {
    // As deep as a program of Windows can be started in; the path of its store is longer than SQLite takes there without being asked.
    let room = 228 - length(&std::env::temp_dir()) - "/.tmp123456/".len();
    let inner: String = (0..room).map(|at| if at % 20 == 19 { '/' } else { 'я' }).collect();
    let clinic = Clinic::called(inner);
    assert!(length(&clinic.root()) > 220, "{}", length(&clinic.root()));
    life(&clinic);
    let longest = walk(&clinic.path(".puomp/objects")).iter().map(|file| length(file)).max();
    assert!(longest > Some(LONGEST), "{longest:?}");
}

#[test]
fn paths_longer_than_windows_takes_may_be_named() {
    let clinic = Clinic::new();
    clinic.package("in", 5, &["--period", "2021-02"]);
    let deep = (0..3).fold(clinic.root(), |path, number| path.join(format!("{number:->80}")));
    fs::create_dir_all(&deep).expect("made");
    for file in walk(&clinic.path("in")) {
        fs::rename(&file, deep.join(file.file_name().expect("a name"))).expect("moved");
    }
    let files = walk(&deep);
    assert!(!files.is_empty() && files.iter().all(|file| length(file) > LONGEST));
    let deep = deep.to_str().expect("a plain path");
    for args in [
        ["validate", deep, "--protocol-dir", deep],
        ["validate", &format!("{deep}/*.zip"), "--output", &format!("{deep}/отчёт.json")],
        ["load", deep, "--wait", "5"],
        ["generate", &format!("{deep}/ещё"), "--cases", "3"],
        ["init", &format!("{deep}/МО"), "--wait", "5"],
    ] {
        let said = clinic.run(&args);
        assert_eq!(said.code, 0, "puomp {args:?}: {said:?}");
        assert!(!said.out.contains(VERBATIM) && !said.err.contains(VERBATIM), "puomp {args:?}: {said:?}");
    }
    assert!(walk(Path::new(deep)).len() > files.len() + 2);
}

#[test]
fn files_that_must_not_be_written_are_read_and_moved() {
    let clinic = Clinic::new();
    clinic.package("in", 5, &["--period", "2021-02"]);
    let protect = |file: &Path| {
        let mut rights = fs::metadata(file).expect("there").permissions();
        rights.set_readonly(true);
        fs::set_permissions(file, rights).expect("set");
    };
    let files = walk(&clinic.path("in"));
    files.iter().for_each(|file| protect(file));
    clinic.done(&["validate", "in"]);
    clinic.done(&["watch", "in", "--once", "--every", "0.1"]);
    let names: Vec<_> = files.iter().map(|file| file.file_name().expect("a name").to_owned()).collect();
    assert!(names.iter().all(|name| clinic.path("in/done").join(name).is_file()), "{:?}", walk(&clinic.path("in")));
    assert_eq!(clinic.outside("free").0, 5);
    // What was kept is ours: it goes like any other file.
    clinic.done(&["form", "--period", "2021-02"]);
    // A report that must not be written over is written over or left as it was, never half.
    let report = clinic.path("отчёт.json");
    fs::write(&report, "old").expect("written");
    protect(&report);
    let said = clinic.run(&["validate", "in/done", "--format", "json", "--output", "отчёт.json"]);
    let text = fs::read_to_string(&report).expect("there");
    match said.code {
        0 => assert!(text.starts_with('{'), "{text}"),
        code => assert!(code == 2 && text == "old" && said.err.contains("отчёт.json"), "{said:?}: {text}"),
    }
    let half = |file: &PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(puomp::sys::TEMPORARY));
    assert!(!walk(&clinic.root()).iter().any(half));
}

#[test]
fn watch_takes_what_comes_and_puts_it_away() {
    let clinic = Clinic::called("обмен с МИС");
    clinic.package("in", 5, &["--period", "2021-02"]);
    fs::write(clinic.path("in/битый.zip"), "PK\u{3}\u{4}").expect("written");
    let said = clinic.run(&["watch", "in", "--once", "--every", "0.1"]);
    assert_eq!(said.code, 1, "{said:?}");
    let names =
        |folder: &str| walk(&clinic.path(folder)).iter().filter_map(|file| file.extension().map(|e| e.to_string_lossy().into_owned())).collect::<Vec<_>>();
    assert_eq!((names("in/done"), names("in/refused")), (vec!["zip".to_owned()], vec!["zip".to_owned()]), "{:?}", walk(&clinic.path("in")));
    assert!(clinic.path("in/refused/битый.zip").is_file());
    let protocols = walk(&clinic.path("in")).into_iter().filter(|file| file.extension().is_some_and(|e| e == "xml")).count();
    assert_eq!(protocols, 2, "one for each package");
    assert_eq!(clinic.outside("free").0, 5);
    assert_eq!(clinic.run(&["watch", "in", "--once", "--every", "0.1"]).code, 0, "nothing new");
}

#[test]
fn nobody_else_reads_what_a_workspace_keeps() {
    let clinic = Clinic::called("МО № 1");
    life(&clinic);
    let kept = [".puomp", "outbox", "протоколы"].map(|name| clinic.path(name));
    let mut seen = 0;
    // What SQLite makes beside the store inherits the list of the folder on Windows, which Wine does not know.
    let is_beside_the_store = |file: &PathBuf| cfg!(windows) && file.to_string_lossy().contains("store.sqlite-");
    for folder in &kept {
        for file in walk(folder).into_iter().filter(|file| !is_beside_the_store(file)) {
            assert!(is_private(&file).expect("there"), "{}", file.display());
            seen += 1;
        }
    }
    assert!(seen > 5, "{seen}");
    for folder in kept[..2].iter().cloned().chain(walk(&kept[0]).iter().filter_map(|file| file.parent().map(Path::to_owned))) {
        assert!(is_private(&folder).expect("there"), "{}", folder.display());
    }
}

/// A row that another hand has written leads nowhere but below the workspace.
#[test]
fn a_forged_row_of_the_outbox_writes_nothing_outside() {
    let clinic = Clinic::called("workspace");
    clinic.package("in", 5, &["--period", "2021-02"]);
    clinic.done(&["load", "in"]);
    clinic.run(&["form", "--period", "2021-02"]);
    clinic.done(&["submit", "2102-1"]);
    let outside = clinic.path("../evil.zip");
    for path in ["../evil.zip", "outbox/../../evil.zip"] {
        let mut store = Sql::connect(&clinic.address());
        store.script(&format!("UPDATE outbox SET placed = 0, path = '{path}'"));
        store.close();
        clinic.run(&["load", "in"]);
        assert!(!outside.exists(), "{path}");
    }
}

on_each_store!(a_workspace_is_made_once_by_many_at_once);
fn a_workspace_is_made_once_by_many_at_once(store: &Clinic) {
    let clinic = if store.store().is_some() { Clinic::on_empty_postgres() } else { Clinic::empty() };
    let runs: Vec<_> = (0..6).map(|_| clinic.command(&["init", "--wait", "60"]).stdout(std::process::Stdio::null()).spawn().expect("it runs")).collect();
    for mut run in runs {
        assert!(run.wait().expect("it ended").success());
    }
    clinic.package("in", 3, &["--period", "2021-02"]);
    clinic.done(&["load", "in"]);
    clinic.done(&["journal", "--verify"]);
}
