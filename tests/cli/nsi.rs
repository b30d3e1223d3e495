//! Reference books at the desk of a user.

use std::fs;

use serde_json::Value;

use crate::support::desk::Desk;

/// A desk with a workspace, so that nothing is written among the user's data, and a packet of profiles.
fn desk() -> Desk {
    let desk = Desk::new();
    fs::create_dir(desk.path(".puomp")).expect("a folder");
    fs::create_dir(desk.path("новые справочники")).expect("a folder");
    packet(&desk, "5.0", "30.01.2026", 200);
    desk
}

fn packet(desk: &Desk, version: &str, date: &str, rows: u32) {
    let rows: String = (1..=rows).map(|code| format!("<zap><IDPR>{code}</IDPR><PRNAME>профиль</PRNAME><DATEBEG>01.01.2011</DATEBEG></zap>\n")).collect();
    let text = format!("<packet><zglv><type>ProfOt</type><version>{version}</version><date>{date}</date></zglv>{rows}</packet>");
    fs::write(desk.path("новые справочники/V002.xml"), text).expect("written");
}

#[test]
fn an_import_says_what_it_took_and_what_it_replaced() {
    let desk = desk();
    let (code, out, err) = desk.run(&["nsi", "import", "новые справочники"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("V002: 5.0 от 2026-01-30, строк 200; была встроенная 3.0 от 2018-03-30\n"), "{out}");
    assert!(desk.path(".puomp/books/V002.nsi").is_file());
    // In the workspace's subfolders too, and in English.
    let (code, out, _) = desk.run(&["nsi", "show", "v002", "200", "--on", "2026-02-01", "--lang", "en"]);
    assert_eq!(code, 0);
    assert!(out.contains("edition 5.0 of 2026-01-30") && out.contains("from 2011-01-01"), "{out}");
    let (code, out, _) = desk.run(&["nsi", "import", "новые справочники/V002.xml", "-q"]);
    assert_eq!((code, out.as_str()), (0, ""));
}

#[test]
fn refusals_name_the_file_the_reason_and_the_way_out() {
    let desk = desk();
    desk.run(&["nsi", "import", "новые справочники"]);
    packet(&desk, "4.0", "01.01.2020", 200);
    let (code, out, _) = desk.run(&["nsi", "import", "новые справочники"]);
    assert_eq!(code, 1);
    assert!(out.contains("V002.xml: не загружен: редакция 4.0 от 2020-01-01 старее имеющейся 5.0 от 2026-01-30"), "{out}");
    assert!(out.contains("--force") && out.contains("загружено 0, отказано 1"), "{out}");
    assert_eq!(desk.run(&["nsi", "import", "новые справочники", "--force", "-q"]), (0, String::new(), String::new()));
    let (code, out, _) = desk.run(&["nsi", "import", "нет такого.xml"]);
    assert_eq!(code, 6);
    assert!(out.contains("нет такого.xml: не загружен"), "{out}");
    fs::create_dir(desk.path("пусто")).expect("a folder");
    assert_eq!(desk.run(&["nsi", "import", "пусто"]).0, 3);
}

#[test]
fn machine_formats_are_versioned_and_free_of_language() {
    let desk = desk();
    let (code, json, _) = desk.run(&["nsi", "import", "новые справочники", "--format", "json"]);
    let answer: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((code, &answer["schema"], &answer["imports"][0]["book"], &answer["imports"][0]["rows"]), (0, &1.into(), &"V002".into(), &200.into()));
    let list = |lang: &str| serde_json::from_str::<Value>(&desk.run(&["nsi", "list", "--format", "json", "--lang", lang]).1).expect("JSON");
    let russian = list("ru");
    assert_eq!(russian, list("en"));
    let state = |id: &str| russian["books"].as_array().expect("a list").iter().find(|b| b["book"] == id).expect("known")["state"].clone();
    assert_eq!([state("V002"), state("V005"), state("F002")], ["imported", "embedded", "absent"]);
    let (_, table, _) = desk.run(&["nsi", "list", "--format", "csv"]);
    assert!(table.starts_with("\u{feff}справочник;название;"), "{table}");
    let shown: Value = serde_json::from_str(&desk.run(&["nsi", "show", "V009", "313", "--format", "json"]).1).expect("JSON");
    assert_eq!(
        (&shown["rows"][0]["fields"]["DL_USLOV"], &shown["rows"][0]["from"], &shown["book"]["key"]),
        (&"3".into(), &"2011-01-01".into(), &"IDRMP".into())
    );
    let (_, rows, _) = desk.run(&["nsi", "show", "V005", "--format", "csv"]);
    assert_eq!(rows.lines().count(), 3, "{rows}");
    // The columns of a book are its own.
    assert!(rows.starts_with("\u{feff}IDPOL;POLNAME;DATEBEG;DATEEND\r\n"), "{rows}");
}

#[test]
fn what_is_not_there_is_said() {
    let desk = desk();
    let (code, out, _) = desk.run(&["nsi", "show", "V002", "113", "--on", "2021-02-28"]);
    assert_eq!(code, 3);
    assert!(out.contains("113: на 2021-02-28 не действует (с 2011-01-01 по 2013-07-07)"), "{out}");
    for (args, code, text) in [
        (["nsi", "show", "V002", "999"].as_slice(), 3, ""),
        (&["nsi", "show", "F002"], 3, "F002"),
        (&["nsi", "show", "X001"], 2, "puomp nsi list"),
        (&["nsi", "show", "Q015"], 2, "puomp rules import"),
        (&["nsi", "show", "V002", "97", "--on", "28.2.2021"], 2, "ГГГГ-ММ-ДД"),
        (&["nsi", "show", "V002", "97", "--field", "NO"], 2, "IDPR"),
    ] {
        let (found, _, err) = desk.run(args);
        assert!(found == code && err.contains(text), "{args:?}: {found} {err}");
    }
}

#[test]
fn a_damaged_book_is_named_and_the_built_in_one_serves() {
    let desk = desk();
    desk.run(&["nsi", "import", "новые справочники"]);
    let path = desk.path(".puomp/books/V002.nsi");
    let mut bytes = fs::read(&path).expect("there");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, bytes).expect("written");
    let (code, out, err) = desk.run(&["nsi", "show", "V002", "97"]);
    assert_eq!(code, 0);
    assert!(out.contains("3.0") && err.contains("V002") && err.contains("повреждён"), "{out}{err}");
}

#[test]
fn the_folder_is_named_by_option_or_variable() {
    let desk = desk();
    let (code, out, _) = desk.run(&["nsi", "import", "новые справочники", "--books", "общие"]);
    assert!(code == 0 && desk.path("общие/V002.nsi").is_file(), "{out}");
    fs::remove_dir(desk.path(".puomp")).expect("removed");
    let output = desk.puomp(&["nsi", "show", "V002", "--format", "json"]).env("PUOMP_BOOKS", "общие").output().expect("started");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["book"]["imported"], true);
}
