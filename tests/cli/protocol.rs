//! The official protocols.

use puomp::registry::encoding::Encoding;

use crate::support::desk::{Desk, Package, wrong};

fn protocol(desk: &Desk, name: &str) -> String {
    Encoding::Windows1251.decode(&std::fs::read(desk.path(name)).expect("there")).replace("\r\n", "\n")
}

#[test]
fn one_for_each_package_whatever_came_of_it() {
    let desk = Desk::new();
    Package::new(1).zip(&desk.path("out"));
    wrong(2).zip(&desk.path("out"));
    std::fs::write(desk.path("out/битый.zip"), "PK\u{3}\u{4}half").expect("written");
    let (code, out, _) = desk.run(&["validate", "out", "--protocol-dir", "протоколы"]);
    assert_eq!(code, 1);
    assert!(out.replace('\u{a0}', " ").contains("протоколы (3): протоколы"), "{out}");
    let mut names: Vec<String> =
        std::fs::read_dir(desk.path("протоколы")).expect("a folder").map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names, ["VHM140001S14002_21031.xml", "VHM140001S14002_21032.xml", "Vбитый.xml"]);
    assert!(!protocol(&desk, "протоколы/VHM140001S14002_21031.xml").contains("<PR>"));
    let wrong = protocol(&desk, "протоколы/VHM140001S14002_21032.xml");
    assert_eq!(wrong.matches("<PR>").count(), 4);
    assert!(wrong.contains("<ZN_POL>1951-07-2Э</ZN_POL>") && wrong.contains("<ID_PAC>P-1</ID_PAC>"), "{wrong}");
    assert!(protocol(&desk, "протоколы/Vбитый.xml").contains("<FNAME_I>битый</FNAME_I>"));
}

#[cfg(unix)]
#[test]
fn nobody_else_reads_them() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    Package::new(1).zip(&desk.path("out"));
    assert_eq!(desk.run(&["validate", "out", "--protocol-dir", "p", "--format", "flk", "--output", "один.xml"]).0, 0);
    for name in ["p/VHM140001S14002_21031.xml", "один.xml"] {
        assert_eq!(std::fs::metadata(desk.path(name)).expect("there").permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn names_by_the_setting() {
    let desk = Desk::new();
    Package::new(1).zip(&desk.path("out"));
    for (letter, name) in [("P", "PHM140001S14002_21031.xml"), ("f", "FM140001S14002_21031.xml")] {
        assert_eq!(desk.run(&["validate", "out", "--protocol-dir", "p", "--protocol-letter", letter]).0, 0);
        assert!(desk.path("p").join(name).exists(), "{name}");
    }
    let (code, _, err) = desk.run(&["validate", "out", "--protocol-letter", "X"]);
    assert_eq!((code, err.as_str()), (2, "puomp: значение «X» не подходит, допустимы: V, P, F\n"));
}

#[test]
fn packages_of_one_name_do_not_overwrite_each_other() {
    let desk = Desk::new();
    wrong(1).zip(&desk.path("a"));
    Package::new(1).zip(&desk.path("b"));
    desk.run(&["validate", "a", "b", "--protocol-dir", "p"]);
    assert!(desk.path("p/VHM140001S14002_21031.xml").exists() && desk.path("p/VHM140001S14002_21031-2.xml").exists());
}

#[test]
fn a_stream_holds_one() {
    let desk = Desk::new();
    wrong(1).zip(&desk.path("out"));
    let output = desk.puomp(&["validate", "out", "--format", "flk"]).output().expect("started");
    let text = Encoding::Windows1251.decode(&output.stdout);
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"windows-1251\"?>") && text.trim_end().ends_with("</FLK_P>"), "{text}");
    Package::new(2).zip(&desk.path("out"));
    let (code, out, err) = desk.run(&["validate", "out", "--format", "flk"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("--protocol-dir"), "{err}");
}

#[test]
fn an_account_older_than_the_rules_is_said_beside_its_protocol() {
    let desk = Desk::new();
    assert_eq!(desk.run(&["generate", "old", "--period", "2019-03", "--cases", "2"]).0, 0);
    let (code, out, err) = desk.run(&["validate", "old", "--format", "flk", "--lang", "en"]);
    assert!(code == 0 && out.contains("<FLK_P>"), "{out}{err}");
    let said = err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("no federal rule was run: the period 2019-03 is before the first day of the rule book (2019-11-01)"), "{said}");
    assert_eq!(desk.run(&["generate", "new", "--period", "2026-03", "--cases", "2"]).0, 0);
    assert_eq!(desk.run(&["validate", "new", "--format", "flk"]).2, "");
}
