//! `puomp validate`.

use std::io::Write as _;
use std::process::Stdio;

use insta_cmd::assert_cmd_snapshot;

use crate::support::desk::{Desk, Package, wrong};

#[test]
fn a_clean_archive() {
    let desk = Desk::new();
    Package::new(1).zip(&desk.path("выгрузка"));
    assert_cmd_snapshot!(desk.puomp(&["validate", "выгрузка"]));
}

#[test]
fn few_findings_show_their_source() {
    let desk = Desk::new();
    wrong(1).zip(&desk.path("выгрузка"));
    assert_cmd_snapshot!(desk.puomp(&["validate", "выгрузка"]));
}

#[test]
fn the_same_in_english_with_personal_data() {
    let desk = Desk::new();
    wrong(1).write(&desk.path("out"));
    assert_cmd_snapshot!(desk.puomp(&["validate", "out", "--lang", "en", "--show-personal", "--limit", "1"]));
}

#[test]
fn a_folder_of_good_and_bad() {
    let desk = Desk::new();
    let folder = desk.path("пакеты за март");
    Package::new(1).zip(&folder);
    wrong(2).write(&folder);
    std::fs::write(folder.join("HM140001S14002_21033.zip"), "PK\u{3}\u{4}half").expect("written");
    std::fs::write(folder.join("HM140001S14002_21034.xml"), "").expect("written");
    assert_cmd_snapshot!(desk.puomp(&["validate", "пакеты за март", "--limit", "0"]));
    assert_cmd_snapshot!(desk.puomp(&["-q", "validate", "пакеты за март"]));
    assert_eq!(desk.run(&["validate", "пакеты за март", "--exit-zero"]).0, 0);
    assert_eq!(desk.run(&["validate", "пакеты за март/HM140001S14002_21033.zip"]).0, 6);
}

#[test]
fn the_json_report() {
    let desk = Desk::new();
    wrong(1).write(&desk.path("out"));
    assert_cmd_snapshot!(desk.puomp(&["validate", "out", "--format", "json", "--no-timing"]));
}

#[test]
fn machine_formats_do_not_change_with_the_language_or_the_threads() {
    let desk = Desk::new();
    for n in 1..=9 {
        if n % 2 == 0 { wrong(n) } else { Package::new(n) }.zip(&desk.path("out"));
    }
    for format in ["json", "jsonl"] {
        let run = |more: &[&str]| desk.run(&[&["validate", "out", "--no-timing", "--format", format], more].concat());
        let first = run(&["--threads", "1"]);
        assert_eq!(first.0, 1);
        for more in [["--threads", "2"], ["--threads", "8"], ["--lang", "en"]] {
            assert_eq!(run(&more), first, "{format} {more:?}");
        }
    }
    // A table for Excel has its titles and the decimal sign of sums in the language of the user, and nothing else.
    let table = |more: &[&str]| desk.run(&[&["validate", "out", "--format", "csv"], more].concat()).1;
    let rows = |text: &str| text.split_once("\r\n").map(|(_, rows)| rows.to_owned());
    let (russian, english) = (table(&["--threads", "1"]), table(&["--lang", "en"]));
    let in_russian = english.replace(";1000.00;", ";1000,00;").replace(";204.50;", ";204,50;");
    assert_eq!((table(&["--threads", "8"]), rows(&in_russian)), (russian.clone(), rows(&russian)));
    assert!(russian.starts_with("\u{feff}пакет;") && english.starts_with("\u{feff}package;"), "{russian}{english}");
}

#[test]
fn silence_on_success() {
    let desk = Desk::new();
    Package::new(1).zip(&desk.path("out"));
    assert_eq!(desk.run(&["validate", "-q", "out"]), (0, String::new(), String::new()));
}

#[test]
fn nothing_to_work_on() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("пусто")).expect("a folder");
    assert_cmd_snapshot!(desk.puomp(&["validate", "пусто"]));
    assert_eq!(desk.run(&["validate", "пусто/*.zip"]).0, 3);
    assert_cmd_snapshot!(desk.puomp(&["validate", "нет такого.zip"]));
}

#[test]
fn wildcards_and_lists_of_paths() {
    let desk = Desk::new();
    for n in 1..=3 {
        Package::new(n).zip(&desk.path("мои пакеты"));
    }
    let (code, out, _) = desk.run(&["validate", "мои пакеты/*2103[12].zip"]);
    assert_eq!((code, out.matches(".zip").count()), (0, 2), "{out}");
    let mut child = desk.puomp(&["validate", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
    let list = "мои пакеты/HM140001S14002_21033.zip\r\nмои пакеты/HM140001S14002_21031.zip\r\n";
    child.stdin.take().expect("a pipe").write_all(list.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("ended");
    let out = String::from_utf8_lossy(&output.stdout);
    assert_eq!((output.status.code(), out.matches(".zip").count()), (Some(0), 2), "{out}");
    assert!(out.find("21033") < out.find("21031"), "in the order of the list");
}

#[test]
fn the_result_in_a_file() {
    let desk = Desk::new();
    wrong(1).zip(&desk.path("out"));
    let (code, out, _) = desk.run(&["validate", "out", "--format", "csv", "--output", "отчёт.csv"]);
    assert_eq!((code, out.as_str()), (1, ""));
    let report = std::fs::read_to_string(desk.path("отчёт.csv")).expect("there");
    assert!(report.starts_with("\u{feff}пакет;правило;") && report.lines().count() == 5, "{report}");
    assert_cmd_snapshot!(desk.puomp(&["validate", "out", "--output", "нет/отчёт.txt"]));
}

#[test]
fn findings_name_the_card_the_doctor_and_the_days_of_their_case() {
    let desk = Desk::new();
    // One in a case part, one of the second case as a whole, one across records, one in a person's data.
    Package::new(1)
        .spoil("<DATE_1>2021-03-10", "<DATE_1>2021-02-30")
        .spoil("<SUMV>204.50</SUMV>", "<SUMV>204.5</SUMV>")
        .spoil("<IDCASE>2</IDCASE>", "<IDCASE>1</IDCASE>")
        .spoil("<SD_Z>2</SD_Z>", "<SD_Z>3</SD_Z>")
        .spoil("<NHISTORY>1/21", "<PODR>12</PODR><NHISTORY>900-555-176 62")
        .spoil("<DR>1951-07-23</DR>", "<DR>1951-07-2Э</DR>")
        .write(&desk.path("out"));
    let found = |more: &[&str]| -> Vec<serde_json::Value> {
        let (_, out, err) = desk.run(&[&["validate", "out", "--format", "jsonl"], more].concat());
        let mut lines: Vec<_> = out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}{err}"))).collect();
        lines.pop();
        lines
    };
    let of = |all: &[serde_json::Value], element: &str| {
        let finding = all.iter().find(|f| f["path"].as_str().is_some_and(|p| p.ends_with(element))).unwrap_or_else(|| panic!("{element}: {all:?}"));
        ["card", "doctor", "profile", "from", "to"].map(|key| finding[key].as_str().unwrap_or("-").to_owned())
    };
    let all = found(&[]);
    let second = ["2/21", "…1112", "97", "2021-03-10", "2021-03-12"].map(str::to_owned);
    for element in ["/DATE_1", "/SUMV", "/IDCASE"] {
        assert_eq!(of(&all, element), second, "{element}");
    }
    assert_eq!(of(&all, "/DR"), ["…7662", "…1112", "97", "2021-03-01", "2021-03-04"], "a person has the case of the first record");
    let of_file = all.iter().find(|f| f["n_zap"].is_null() && f["card"].is_null());
    assert!(of_file.is_some_and(|f| f["doctor"].is_null()), "what is about the file alone has no case: {all:?}");
    let open = found(&["--show-personal"]);
    assert_eq!(of(&open, "/DR")[..2], ["900-555-176 62".to_owned(), "77553301112".to_owned()]);
}
