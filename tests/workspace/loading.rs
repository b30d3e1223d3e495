//! `load` ends as `validate` does on the same files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::clinic::Clinic;
use crate::support::desk::{Package, wrong};

fn samples(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(folder);
    let mut all: Vec<PathBuf> = fs::read_dir(folder).expect("samples").map(|entry| entry.expect("an entry").path()).collect();
    all.retain(|path| path.extension().is_none_or(|extension| extension != "csv"));
    all.sort();
    assert!(!all.is_empty());
    all
}

/// The exit codes of `validate`, of `load` in a new workspace, and of the same `load` again.
fn codes(paths: &[&Path]) -> [i32; 3] {
    let clinic = Clinic::new();
    let run = |verb: &str| {
        let args: Vec<&str> = std::iter::once(verb).chain(paths.iter().map(|path| path.to_str().expect("a plain path"))).collect();
        clinic.run(&args).code
    };
    [run("validate"), run("load"), run("load")]
}

#[test]
fn every_sample_ends_alike() {
    let (clean, broken) = (samples("clean"), samples("broken"));
    for path in clean.iter().chain(&broken) {
        let [validate, load, again] = codes(&[path]);
        assert_eq!((load, again), (validate, validate), "{}", path.display());
    }
    let all: Vec<&Path> = clean.iter().chain(&broken).map(PathBuf::as_path).collect();
    assert_eq!(codes(&all), [1, 1, 1], "unreadable ones among good ones are errors");
}

#[test]
fn warnings_alone_are_no_errors_and_nothing_is_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("empty")).expect("a folder");
    assert_eq!(codes(&[&path("empty")]), [3, 3, 3]);
    assert_eq!(codes(&[&path("absent.xml")]), [6, 6, 6]);
    wrong(1).write(&path("wrong"));
    assert_eq!(codes(&[&path("wrong")]), [1, 1, 1]);
    fs::write(path("wrong/HM140001S14002_21039.zip"), "PK\u{3}\u{4}").expect("written");
    assert_eq!(codes(&[&path("wrong/HM140001S14002_21039.zip")]), [6, 6, 6]);
}

/// A file of no package is neither loaded nor read, so nothing is said of its end.
#[test]
fn a_third_file_alone_is_called_one() {
    let clinic = Clinic::new();
    Package::new(1).write(&clinic.path("a"));
    let persons = fs::read(clinic.path("a/LM140001S14002_21031.xml")).expect("a person file");
    fs::create_dir(clinic.path("b")).expect("a folder");
    fs::write(clinic.path("b/LPM140001S14002_21031.xml"), persons).expect("written");
    let said = clinic.run(&["load", "b"]);
    let words = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
    let due = "LPM140001S14002_21031.xml: не загружен и не проверен: по буквам имени это не основной файл пакета и не его файл персон";
    assert!(said.code == 1 && words.contains(due) && !words.contains("не читается"), "{said:?}");
    let checked = clinic.run(&["validate", "b"]);
    assert!(checked.out.contains("P024") && checked.out.contains("по буквам имени"), "validate says the same: {checked:?}");
}

/// An error of the head keeps all cases out; `load` and `form` say it, with the file and what to type.
#[test]
fn errors_of_the_whole_file_are_said() {
    let clinic = Clinic::new();
    Package::new(1).of_others(1).spoil("<CODE_MO>140001", "<CODE_MO>140002").write(&clinic.path("мои файлы"));
    let said = clinic.run(&["load", "мои файлы"]);
    assert!(said.code == 1 && said.out.contains("ошибки в заголовке или составе файла"), "{said:?}");
    let file = if cfg!(windows) { "\"мои файлы\\HM140001S14002_21031.xml\"" } else { "'мои файлы/HM140001S14002_21031.xml'" };
    assert!(said.out.contains(&format!("puomp validate {file}\n")), "{}", said.out);
    let err = clinic.refused(&["form", "--period", "2021-03"], 3);
    assert!(err.contains("2\u{a0}случая") && err.contains("HM140001S14002_21031.xml") && err.contains("puomp validate"), "{err}");
    assert!(!err.contains("с ошибками"), "they are counted once: {err}");
    assert_eq!(clinic.run(&["validate"]).code, 1, "what it says can be typed");
}
