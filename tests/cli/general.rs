//! What all verbs have in common.

use std::process::Stdio;

use insta_cmd::assert_cmd_snapshot;

use crate::support::desk::{Desk, Package};

#[test]
fn help_in_both_languages() {
    let desk = Desk::new();
    assert_cmd_snapshot!(desk.puomp(&["--help"]));
    assert_cmd_snapshot!(desk.puomp(&["validate", "--help"]));
    assert_cmd_snapshot!(desk.puomp(&["validate", "--help"]).env("LANG", "en_US.UTF-8"));
}

#[test]
fn wrong_usage_says_what_is_right() {
    let desk = Desk::new();
    assert_cmd_snapshot!(desk.puomp(&["validate", "x", "--ful"]));
    assert_cmd_snapshot!(desk.puomp(&["validte", "x"]).env("PUOMP_LANG", "en"));
    assert_cmd_snapshot!(desk.puomp(&["validate", "x", "--format", "xml"]));
    assert_cmd_snapshot!(desk.puomp(&["validate"]));
    assert_eq!(desk.run(&[]).0, 2);
}

#[test]
fn an_edition_that_does_not_fit_the_month_is_refused_with_those_that_do() {
    let desk = Desk::new();
    assert_cmd_snapshot!(desk.puomp(&["generate", "out", "--family", "DP", "--edition", "3.1", "--period", "2021-01", "--lang", "ru"]));
    assert_cmd_snapshot!(desk.puomp(&["generate", "out", "--edition", "2.1", "--period", "2026-01", "--lang", "en"]));
    assert_cmd_snapshot!(desk.puomp(&["generate", "out", "--edition", "6.0", "--period", "2021-02", "--everything", "--lang", "ru"]));
    assert_cmd_snapshot!(desk.puomp(&["generate", "out", "--family", "C", "--edition", "3.1", "--period", "2018-02", "--lang", "en"]));
    assert!(!desk.path("out").exists());
}

#[test]
fn the_version() {
    let desk = Desk::new();
    assert_eq!(desk.run(&["--version"]), (0, format!("puomp {}\n", env!("CARGO_PKG_VERSION")), String::new()));
}

#[test]
fn a_broken_rule_table_stops_the_program_and_is_named() {
    let desk = Desk::new();
    Package::new(1).zip(&desk.path("out"));
    std::fs::create_dir_all(desk.path("rules/formats")).expect("a folder");
    std::fs::write(desk.path("rules/formats/editions.csv"), "family,edition,version,from,until,basis,source_note\nH,3.1,3.1,2019-13,,proven,x\n")
        .expect("written");
    assert_cmd_snapshot!(desk.puomp(&["validate", "out", "--rules", "rules"]));
    assert_cmd_snapshot!(desk.puomp(&["validate", "out"]).env("PUOMP_RULES", "нет такой"));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let desk = Desk::new();
    for args in [&["formats", "show", "H", "6.0"][..], &["formats", "show", "H", "6.0", "--format", "csv"], &["completions", "bash"], &["--help"]] {
        let mut child = desk.puomp(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("ended");
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn config_tells_where_each_value_comes_from() {
    let desk = Desk::new();
    std::fs::write(desk.path("puomp.toml"), "role = \"head\"\nstore = \"postgres://a:b@c/d\"\nbooks = \"x\"\ntime_zone = \"Asia/Yakutsk\"\n").expect("written");
    let mut command = desk.puomp(&["config", "--format", "json", "--threads", "2"]);
    let output = command.env("PUOMP_ROLE", "insurer").env("PUOMP_BOOKS", desk.path("x")).env("LC_ALL", "en_US.UTF-8").output().expect("started");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let settings = answer["settings"].as_array().expect("a list");
    let of = |key: &str| {
        let setting = settings.iter().find(|s| s["key"] == key).unwrap_or_else(|| panic!("{key}"));
        [&setting["value"], &setting["origin"]].map(|v| v.as_str().expect("a text").to_owned())
    };
    let due = |value: &str, origin: &str| [value.to_owned(), origin.to_owned()];
    assert_eq!(of("role"), due("insurer", "PUOMP_ROLE"));
    // The same folder as the file's, but the environment said it.
    assert_eq!(of("books"), due(&desk.path("x").display().to_string(), "PUOMP_BOOKS"));
    assert_eq!(of("store"), due("…@c/d", "puomp.toml"));
    assert_eq!(of("time_zone"), due("Asia/Yakutsk", "puomp.toml"));
    assert_eq!(of("threads"), due("2", "--threads"));
    assert_eq!(of("lang"), due("en", "LC_ALL"));
    assert_eq!(of("limit"), due("3", "built in"));
}

#[test]
fn today_is_the_day_of_the_clinic() {
    let desk = Desk::new();
    let day = |zone: &str| {
        let (code, out, err) = desk.run(&["nsi", "show", "V009", "--format", "json", "--time-zone", zone]);
        assert_eq!((code, err.as_str()), (0, ""), "{zone}");
        let answer: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        answer["book"]["on"].as_str().expect("a day").to_owned()
    };
    // 26 hours lie between the two: it is never the same day there.
    assert!(day("-12:00") < day("+14:00"));
    std::fs::write(desk.path("puomp.toml"), "time_zone = \"Якутск\"\n").expect("written");
    let (code, out, err) = desk.run(&["nsi", "show", "V009"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("puomp.toml: «Якутск» не часовой пояс"), "{err}");
}

#[test]
fn every_table_for_excel_is_of_one_dialect_with_titles_of_the_language() {
    let desk = Desk::new();
    std::fs::write(desk.path("x.xml"), "<x/>").expect("written");
    std::fs::create_dir(desk.path("empty")).expect("a folder");
    for (args, russian, english) in [
        ("validate x.xml", "пакет;правило;уровень;файл;", "package;rule;severity;file;"),
        ("formats list", "семейство;редакция;", "family;edition;"),
        ("formats show H 6.0 PROFIL", "путь;элемент;", "path;element;"),
        ("nsi list", "справочник;название;название по-английски;наличие;", "book;name in Russian;name in English;state;"),
        ("nsi import x.xml --books books", "файл;справочник;", "file;book;"),
        ("nsi update --from empty --books books", "справочник;итог;сравнение;", "book;outcome;standing;"),
        ("rules list --id 001F", "правило;файлы;элемент;условие;", "rule;files;element;when;"),
        ("rules coverage", "правило;файлы;вид;", "rule;files;kind;"),
        ("rules import --dry-run x.xml", "файл;книга правил;", "file;rule book;"),
    ] {
        for (lang, titles) in [("ru", russian), ("en", english)] {
            let (_, out, err) = desk.run(&args.split(' ').chain(["--format", "csv", "--lang", lang]).collect::<Vec<_>>());
            let table = out.strip_prefix('\u{feff}').unwrap_or_else(|| panic!("{args}: no byte-order mark: {out}{err}"));
            assert!(table.starts_with(titles) && table.ends_with("\r\n"), "{args}: {out}");
            let mut rows = csv::ReaderBuilder::new().delimiter(b';').from_reader(table.as_bytes());
            assert!(rows.records().all(|row| row.is_ok()), "{args}: {out}");
        }
    }
}

#[test]
fn colours_when_asked_for() {
    let desk = Desk::new();
    Package::new(1).zip(&desk.path("out"));
    assert!(desk.run(&["validate", "out", "--color", "always"]).1.contains('\u{1b}'));
    assert!(!desk.run(&["validate", "out"]).1.contains('\u{1b}'));
}

#[test]
fn programs_get_errors_as_json() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.path("empty")).expect("a folder");
    std::fs::write(desk.path("book.xml"), "<a/>").expect("written");
    for (args, code, class, exit) in [
        (&["status", "--format", "json"][..], "workspace.none", "usage", 2),
        (&["journal", "--format=jsonl"], "workspace.none", "usage", 2),
        (&["validate", "empty", "--format", "json"], "error.nothing", "nothing", 3),
        (&["validate", "x", "--format", "json", "--ful"], "usage.unknown", "usage", 2),
        (&["validate", "x", "--format", "json", "--limit", "many"], "usage.bad-value", "usage", 2),
        (&["--format", "json"], "usage.unknown", "usage", 2),
        (&["formats", "show", "H", "9.9", "--format", "json"], "formats.no-edition", "usage", 2),
        (&["nsi", "show", "X999", "--format", "json"], "nsi.show-unknown", "usage", 2),
        (&["explain", "X999", "--format", "json"], "explain.unknown-near", "usage", 2),
        (&["rules", "import", "book.xml", "--format", "json"], "nsi.refused", "input", 6),
    ] {
        let (status, _, stderr) = desk.run(args);
        let lines: Vec<&str> = stderr.lines().collect();
        let [line] = lines.as_slice() else { panic!("{args:?}: {stderr}") };
        let json: serde_json::Value = serde_json::from_str(line).expect(line);
        let error = &json["error"];
        assert_eq!((&json["schema"], &error["code"], &error["class"], &error["exit"]), (&1.into(), &code.into(), &class.into(), &exit.into()), "{line}");
        assert_eq!(status, exit, "{args:?}");
        let in_english = desk.puomp(args).env("PUOMP_LANG", "en").output().expect("run");
        assert_eq!(String::from_utf8_lossy(&in_english.stderr), stderr, "{args:?}");
        let ru = error["message_ru"].as_str().expect("a text");
        assert!(!ru.is_empty() && error["message_en"] != error["message_ru"], "{line}");
    }
    for args in [&["status"][..], &["status", "--format", "csv"], &["validate", "--", "--format", "json"]] {
        assert!(!desk.run(args).2.starts_with('{'), "{args:?}");
    }
}

/// A `puomp.toml` that came with the files does not decide which checks count and where data go.
#[test]
fn a_configuration_beside_the_inputs_is_not_the_users_own() {
    let desk = Desk::new();
    let all = "select = [\"R001\"]\nignore = [\"006F\"]\nrole = \"head\"\nrules = \"rules\"\nbooks = \"books\"\nstore = \"postgres://a/b\"\nprotocol-dir = \"out\"\nlimit = 7\n";
    std::fs::create_dir_all(desk.path("в/их")).expect("folders");
    for file in ["в/puomp.toml", "в/их/puomp.toml"] {
        std::fs::write(desk.path(file), all).expect("written");
    }
    std::fs::write(desk.path("в/их/x.xml"), "<x/>").expect("written");
    let said = "не учтено: rules, books, store, role, protocol-dir, select, ignore";
    let checked = |folder: &str, args: &[&str]| {
        let mut command = desk.puomp(args);
        let output = command.current_dir(desk.path(folder)).output().expect("started");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    // Beside the input, around it where the user does not work, and in the folder that he works in when the input lies there.
    for (folder, path) in [(".", "в/их/x.xml"), (".", "в/их"), ("в/их", "x.xml"), ("в/их", "."), ("в/их", "*.xml"), ("в", "их/x.xml"), ("в", ".")]
    {
        let (code, out, err) = checked(folder, &["validate", path]);
        assert!(err.contains(said) && err.contains("puomp.toml"), "{folder} {path}: {code:?} {out} {err}");
        assert!(!desk.path("в/out").exists() && !desk.path("в/их/out").exists(), "{folder} {path}");
        let (_, out, _) = checked(folder, &["config", path, "--format", "json"]);
        assert!(out.contains("\"limit\"") && out.contains('7') && !out.contains("postgres"), "{folder} {path}: {out}");
    }
    let (_, _, err) = checked("в", &["validate", "их/x.xml", "-o", "report.txt"]);
    let report = std::fs::read_to_string(desk.path("в/report.txt")).expect("a report");
    assert!(err.contains(said) && report.lines().next().is_some_and(|line| line.contains(said)), "{report}");
    // The user's own: named, around the folder that he works in, and in a workspace.
    std::fs::remove_file(desk.path("в/их/puomp.toml")).expect("removed");
    for (folder, args) in [("в", &["validate", "их/x.xml"][..]), (".", &["validate", "в/их/x.xml", "--config", "в/puomp.toml"])] {
        let (_, _, err) = checked(folder, args);
        assert!(!err.contains("не учтено"), "{folder} {args:?}: {err}");
    }
    std::fs::create_dir(desk.path("в/.puomp")).expect("a folder");
    std::fs::write(desk.path("в/y.xml"), "<x/>").expect("written");
    let (_, _, err) = checked("в", &["validate", "y.xml"]);
    assert!(!err.contains("не учтено"), "{err}");
}
