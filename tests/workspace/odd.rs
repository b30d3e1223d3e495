//! One odd value in one case never stops the others: it is named and left out, and nothing is written outside the workspace.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::clinic::{Clinic, Said};
use crate::support::desk::Package;
use crate::support::forge;

/// Values that no file may be called after, as long as a code of an insurer or shorter.
const HOSTILE: [&str; 10] = ["../..", r"..\..", "a/b", "CON", "NUL", "COM1", "a.", r"C:\x", "a|b", "x*?"];

/// All files below a folder, but those of the memory of the workspace.
fn files(folder: &Path, into: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with(".puomp") {
            files(&path, into);
        } else if path.is_file() {
            into.insert(path.to_string_lossy().replace('\\', "/"));
        }
    }
}

/// Loads, forms and sends what is in the folder `in`, with options of the control; returns what `form` said, and the files that are there then and were not before.
fn lives(clinic: &Clinic, control: &[&str]) -> (Said, Vec<String>) {
    let outer = clinic.root().ancestors().nth(2).expect("the temporary folder").to_owned();
    let mut before = BTreeSet::new();
    files(&outer, &mut before);
    clinic.run(&[&["load", "in"], control].concat());
    let formed = clinic.run(&[&["form", "--period", "2021-03"], control].concat());
    let numbers: Vec<String> = clinic.registries().into_iter().map(|(number, ..)| number).collect();
    for number in &numbers {
        clinic.done(&["submit", number]);
    }
    let mut after = BTreeSet::new();
    files(&outer, &mut after);
    let inner = format!("{}/", clinic.root().to_string_lossy().replace('\\', "/"));
    (formed, after.difference(&before).map(|path| path.strip_prefix(&inner).unwrap_or(path).to_owned()).collect())
}

fn deep() -> Clinic {
    Clinic::called("a/b")
}

fn cases(clinic: &Clinic) -> i64 {
    clinic.registries().iter().map(|(_, _, cases, _)| cases).sum()
}

/// An insurer's code that is no code keeps one case out, whoever receives the file.
#[test]
fn an_insurer_that_is_no_code() {
    for receiver in ["S14002", "T14"] {
        let clinic = deep();
        for (number, value) in (1..).zip(HOSTILE) {
            Package::new(number).of_others(number).to(receiver).insured(&format!("<SMO>{value}</SMO>\n")).write(&clinic.path("in"));
        }
        // A file for an insurer names a payer, who is compared with the insurer of each patient.
        let (said, new) = lives(&clinic, if receiver == "T14" { &[] } else { &["--ignore", "R013,003F,006F"] });
        assert_eq!((said.code, cases(&clinic)), (1, 10), "{receiver}: {said:?}");
        for (number, value) in (1..).zip(HOSTILE) {
            let name = format!("HM140001{receiver}_2103{number}.xml: N_ZAP 2, IDCASE 2: «{value}»");
            assert!(said.err.contains(&name), "{name}: {}", said.err);
        }
        assert!(said.err.contains("10\u{a0}случаев") && said.err.contains("SMO") && said.err.contains("дальше: puomp submit"), "{}", said.err);
        assert!(said.widest <= 80, "{}{}", said.out, said.err);
        for secret in ["Жаворонков", "Незабудкина", "77553"] {
            assert!(!said.err.contains(secret) && !said.out.contains(secret));
        }
        assert_eq!(new, [format!("outbox/14002/HM140001{}_21031.zip", if receiver == "T14" { "T14" } else { "S14002" })], "{receiver}");
    }
}

/// A payer of the account that is no code, where the rule that compares it with the receiver is off.
#[test]
fn a_payer_that_is_no_code() {
    let clinic = deep();
    Package::new(1).of_others(1).write(&clinic.path("in"));
    for (number, value) in (2..).zip(HOSTILE) {
        let package = Package::new(number).of_others(number).spoil("<PLAT>14002", &format!("<PLAT>{value}"));
        Package { main: package.main.replace("<SMO>14002</SMO>\n", ""), ..package }.write(&clinic.path("in"));
    }
    let (said, new) = lives(&clinic, &["--ignore", "R013,003F,006F"]);
    assert_eq!((said.code, cases(&clinic)), (1, 2), "{said:?}");
    assert!(
        said.err.contains("20\u{a0}случаев") && said.err.contains("N_ZAP 1, IDCASE 1: «../..»") && said.err.contains("ещё 10\u{a0}случаев"),
        "{}",
        said.err
    );
    assert_eq!(new, ["outbox/14002/HM140001S14002_21031.zip"]);
}

/// A clinic's code that is no code, where the checks that compare it with the name of the file are off.
#[test]
fn a_clinic_that_is_no_code() {
    let clinic = deep();
    Package::new(1).of_others(1).write(&clinic.path("in"));
    for (number, value) in (2..).zip(["../../", r"..\..\", "a/../b", "CON", "NUL.xm", "1400 1"]) {
        Package::new(number).of_others(number).spoil("<CODE_MO>140001", &format!("<CODE_MO>{value}")).write(&clinic.path("in"));
    }
    let (said, new) = lives(&clinic, &["--ignore", "R012,006F,004F"]);
    assert_eq!((said.code, cases(&clinic)), (1, 2), "{said:?}");
    assert!(said.err.contains("12\u{a0}случаев") && said.err.contains("CODE_MO") && said.err.contains("«../../»"), "{}", said.err);
    assert_eq!(new, ["outbox/14002/HM140001S14002_21031.zip"]);
}

/// A subdivision names no file: the control says what is wrong with it, and without it the case is formed.
#[test]
fn a_subdivision_that_is_no_code() {
    let clinic = deep();
    for (number, value) in (1..).zip(HOSTILE) {
        let package = Package::new(number).of_others(number);
        let unit = format!("<SL_ID>2-{number}</SL_ID>\n");
        package.clone().spoil(&unit, &format!("{unit}<LPU_1>{value}</LPU_1>\n")).write(&clinic.path("in"));
    }
    let (said, new) = lives(&clinic, &[]);
    assert!(cases(&clinic) >= 10, "{said:?}");
    assert_eq!((said.code, new), (0, vec!["outbox/14002/HM140001S14002_21031.zip".to_owned()]), "{}", said.err);
}

/// Names inside archives.
#[test]
fn names_in_archives_that_lead_out() {
    let clinic = deep();
    Package::new(1).of_others(1).zip(&clinic.path("in"));
    for (number, folder) in (2..).zip(["../", "../../", "/", "C:/", r"..\..\", "NUL/", "a\u{1b}[2J/"]) {
        let package = Package::new(number).of_others(number);
        let entries: Vec<_> = package.files().iter().map(|(name, bytes)| forge::Forged::deflated(&format!("{folder}{name}"), bytes)).collect();
        fs::write(clinic.path("in").join(format!("{}.zip", package.stem)), forge::archive(&entries)).expect("written");
    }
    let (said, new) = lives(&clinic, &[]);
    assert!(said.code == 0 && cases(&clinic) >= 2, "{said:?}");
    assert_eq!(new, ["outbox/14002/HM140001S14002_21031.zip"]);
}

/// A character that windows-1251 lacks stands in one case: the others are formed without it.
#[test]
fn a_case_that_cannot_be_written() {
    let clinic = deep();
    let package =
        Package::new(1).of_others(1).spoil("<SL_ID>2-1</SL_ID>", "<SL_ID>2-1</SL_ID>").spoil("204.50</SUM_M>\n", "204.50</SUM_M>\n<COMENTSL>өй</COMENTSL>\n");
    fs::create_dir_all(clinic.path("in")).expect("a folder");
    for (name, text) in [(format!("{}.xml", package.stem), &package.main), (format!("L{}.xml", &package.stem[1..]), &package.persons)] {
        fs::write(clinic.path("in").join(name), text.replace("windows-1251", "UTF-8")).expect("written");
    }
    Package::new(2).of_others(2).write(&clinic.path("in"));
    let (said, new) = lives(&clinic, &[]);
    assert_eq!((said.code, cases(&clinic)), (1, 3), "{said:?}");
    assert!(said.err.contains("HM140001S14002_21031.xml: N_ZAP 2, IDCASE 2") && said.err.contains("U+04E9"), "{}", said.err);
    assert_eq!(new, ["outbox/14002/HM140001S14002_21031.zip"]);
    // It waits for its correction, and is named again.
    let again = clinic.refused(&["form", "--period", "2021-03"], 1);
    assert!(again.contains("IDCASE 2"), "{again}");
}

/// A kept file that is damaged keeps its own registries back; those of other files are formed.
#[test]
fn a_registry_that_cannot_be_formed_does_not_keep_others_back() {
    let clinic = deep();
    Package::new(1).of_others(1).write(&clinic.path("in"));
    let other = Package::new(2).of_others(2);
    let other =
        Package { main: other.main.replace("14002", "14003"), persons: other.persons.replace("14002", "14003"), stem: other.stem.replace("14002", "14003") };
    other.write(&clinic.path("in"));
    let second = fs::read(clinic.path("in/HM140001S14003_21032.xml")).expect("read");
    clinic.done(&["load", "in"]);
    let mut objects = BTreeSet::new();
    files(&clinic.path(".puomp/objects"), &mut objects);
    let kept = objects.iter().find(|path| fs::read(path).expect("read") == second).expect("kept");
    fs::write(kept, "damaged").expect("written");
    let said = clinic.run(&["form", "--period", "2021-03"]);
    assert_eq!(said.code, 6, "{said:?}");
    assert!(said.err.contains("реестр не сформирован: 140001") && said.err.contains("HM140001S14003_21032.xml"), "{}", said.err);
    assert!(said.err.contains("дальше: puomp submit 2103-1") && !clinic.registries().is_empty(), "{said:?}");
}
