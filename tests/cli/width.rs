//! What people read fits a console of 80 columns. Paths, commands to be copied and single long words may be wider.

use crate::support::desk::{Desk, Package, wrong};

const COLUMNS: usize = 80;

/// The lines of a text that are too wide and that could have been broken.
fn wide(text: &str) -> Vec<&str> {
    let is_breakable = |line: &&str| {
        let line = line.trim_start();
        // A command stands whole; a word of its own cannot be broken; a source window shows the file as it is.
        !line.starts_with("puomp ") && line.contains(' ') && !line.contains(" │ ")
    };
    text.lines().filter(|line| line.chars().count() > COLUMNS).filter(is_breakable).collect()
}

fn workspace() -> Desk {
    let desk = Desk::new();
    Package::new(1).zip(&desk.path("выгрузка"));
    wrong(2).spoil("<SD_Z>2</SD_Z>", "<SD_Z>3</SD_Z>").of_others(2).zip(&desk.path("с ошибками"));
    assert_eq!(desk.run(&["init"]).0, 0);
    assert_eq!(desk.run(&["load", "выгрузка"]).0, 0);
    desk
}

#[test]
fn every_answer_and_every_error_fits_80_columns() {
    let desk = workspace();
    std::fs::write(desk.path("levels.csv"), "mo;level;date_from;date_to\n140001;2;2026-01-01;\n").expect("written");
    std::fs::write(desk.path("plan.csv"), "mo;unit;qty;sum;date_from;date_to\n140001;visit;много;1000.00;2026-01-01;\n").expect("written");
    let commands: &[&str] = &[
        "--help",
        "validate --help",
        "form --help",
        "nsi update --help",
        "validate выгрузка",
        "validate *ошибками",
        "validate *ошибками --full",
        "validate *ошибками --summary",
        "validate *ошибками --summary --mendable МО",
        "validate *ошибками --select 003F",
        "validate нет-такого-файла-с-очень-длинным-именем-в-такой-же-длинной-папке/и-в-ней-ещё-одной",
        "status",
        "status --period 2020-01",
        "form --period 2021-03 --dry-run",
        "form --period 2021-03",
        "form --period 2021-03",
        "status",
        "status 2103-1",
        "submit 2103-1 --role бухгалтер",
        "submit 2103-1",
        "submit 2103-1",
        "review accept 2103-1",
        "review start 2103-1 --role СМО",
        "status 2103-1 --history",
        "review return 2103-1 --role страховая",
        "review accept 2103-1 --role страховая",
        "status",
        "review accept 2103-1 --role страховая",
        "cases",
        "cases c1",
        "cases --state свободен",
        "cases drop c1",
        "journal",
        "journal --verify",
        "config",
        "formats list",
        "formats show H 6.0",
        "formats show H 6.0 PROFIL",
        "formats show H 9.0",
        "rules list --id 006F",
        "rules list --inferred",
        "rules coverage",
        "nsi list",
        "nsi show V002",
        "nsi show insured",
        "nsi show tariffs",
        "nsi import levels.csv plan.csv",
        "nsi import --help",
        "nsi show V002 97",
        "explain 006F.00.0310 003F.00.3130 R012 S001",
        "explain 006F.00.03",
        "explain 006F.99",
        "generate учебные --family Q",
        "generate учебные --cases 2",
        "validate x --severity 006F=никак",
        "status --state никакой --role никто",
    ];
    let mut troubles = String::new();
    for command in commands {
        for lang in ["ru", "en"] {
            let mut args: Vec<&str> = command.split(' ').collect();
            // A command that changes something is run once.
            let changes = ["form", "submit", "review", "generate"].contains(&args[0]) && !args.contains(&"--help");
            if changes && lang == "en" {
                continue;
            }
            args.extend(["--lang", lang]);
            // `run` would join the lines.
            let output = desk.puomp(&args).output().expect("started");
            let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            for line in wide(&out).into_iter().chain(wide(&err)) {
                troubles += &format!("{command} ({lang}): {}: {line}\n", line.chars().count());
            }
        }
    }
    assert!(troubles.is_empty(), "\n{troubles}");
}

#[test]
fn the_foot_of_a_report_is_two_lines() {
    let desk = workspace();
    let (code, out, _) = desk.run(&["validate", "с ошибками", "--limit", "0"]);
    let foot: Vec<&str> = out.lines().skip_while(|line| !line.starts_with("1\u{a0}пакет")).collect();
    assert_eq!((code, foot.len()), (1, 2), "{out}");
    assert!(foot[0].ends_with("; код завершения 1") && foot[1].starts_with("не выполнено правил: ") && foot[1].ends_with("какие: --summary"), "{foot:?}");
    let (_, summary, _) = desk.run(&["validate", "с ошибками", "--summary"]);
    assert!(summary.contains("правил не выполнено: ") || summary.contains("правила не выполнены: "), "{summary}");
    assert!(summary.contains("кто исправляет: "), "{summary}");
}

#[test]
fn findings_are_counted_and_chosen_by_who_mends_them() {
    let desk = workspace();
    let all = |args: &[&str]| -> serde_json::Value {
        let args: Vec<&str> = ["validate", "с ошибками", "--format", "json"].iter().chain(args).copied().collect();
        serde_json::from_str(&desk.run(&args).1).expect("JSON")
    };
    let report = all(&[]);
    let count = |report: &serde_json::Value, who: &str| report["findings"].as_array().expect("a list").iter().filter(|f| f["mends"] == who).count() as u64;
    let total: u64 = report["summary"]["by_mender"].as_object().expect("an object").values().filter_map(serde_json::Value::as_u64).sum();
    assert_eq!(total, report["findings"].as_array().expect("a list").len() as u64);
    assert_eq!(report["summary"]["by_mender"]["clinic"].as_u64(), Some(count(&report, "clinic")));
    assert!(count(&report, "clinic") > 0 && count(&report, "developer") > 0, "{}", report["summary"]);
    for words in [["--mendable", "clinic"], ["--mendable", "МО"]] {
        let chosen = all(&words);
        assert_eq!((count(&chosen, "clinic"), count(&chosen, "developer")), (count(&report, "clinic"), 0));
        assert_eq!(chosen["summary"]["hidden"]["others"].as_u64(), Some(total - count(&report, "clinic")));
    }
    let (code, _, err) = desk.run(&["validate", "с ошибками", "--mendable", "никто"]);
    assert!(code == 2 && err.contains("clinic (сотрудники МО)"), "{err}");
}
