//! Regions as overlays: the invented region 99 has a row of each kind.

use std::fs;

use serde_json::Value;

use crate::support::desk::Desk;

/// A generated package of March 2026 whose main file is edited.
fn exported(desk: &Desk, folder: &str, edit: impl Fn(&str) -> String) {
    assert_eq!(desk.run(&["generate", folder, "--family", "H", "--period", "2026-03", "--cases", "3", "--plain"]).0, 0);
    let entries: Vec<_> = fs::read_dir(desk.path(folder)).expect("listed").map(|e| e.expect("listed").path()).collect();
    let main = entries.iter().find(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with('H'))).expect("a main file");
    let text = puomp::registry::encoding::Encoding::Windows1251.decode(&fs::read(main).expect("read")).into_owned();
    let changed = edit(&text);
    assert_ne!(changed, text, "the edit must do something");
    fs::write(main, &*puomp::registry::encoding::to_windows_1251(&changed).expect("of windows-1251")).expect("written");
}

/// Ids, severities and elements of the findings that stand on their own.
fn found(desk: &Desk, folder: &str, more: &[&str]) -> Vec<String> {
    let (_, out, err) = desk.run(&[&["validate", folder, "--format", "json", "--no-timing"], more].concat());
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"));
    let findings = report["findings"].as_array().expect("findings");
    let told = |f: &Value| {
        let element = f["path"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
        format!("{} {} {element}", f["rule"].as_str().expect("an id"), f["severity"].as_str().expect("a severity"))
    };
    let mut told: Vec<String> = findings.iter().filter(|f| f["follows_from"].is_null()).map(told).collect();
    told.sort();
    told.dedup();
    told
}

const REGION: [&str; 2] = ["--region", "99"];

#[test]
fn a_regional_element_is_let_in_and_its_value_checked() {
    let desk = Desk::new();
    exported(&desk, "a", |text| text.replace("</SUM_M>", "</SUM_M><LPU_LEVEL>2</LPU_LEVEL>"));
    assert_eq!(found(&desk, "a", &[]), ["S002 error LPU_LEVEL"]);
    assert_eq!(found(&desk, "a", &REGION), Vec::<String>::new());
    exported(&desk, "b", |text| text.replace("</SUM_M>", "</SUM_M><LPU_LEVEL>7</LPU_LEVEL>"));
    assert_eq!(found(&desk, "b", &REGION), ["006F.99.0010 error LPU_LEVEL"], "the region's book has no such level");
    exported(&desk, "c", |text| text.replace("<SUM_M>", "<LPU_LEVEL>2</LPU_LEVEL><SUM_M>"));
    assert_eq!(found(&desk, "c", &REGION), ["S005 error SUM_M"], "it has its place in the order");
    exported(&desk, "d", |text| text.replace("</SUM_M>", "</SUM_M><LPU_LEVEL>two</LPU_LEVEL><USLDOPPARM>1</USLDOPPARM>"));
    assert_eq!(
        found(&desk, "d", &REGION),
        ["S002 error USLDOPPARM", "V001 error LPU_LEVEL"],
        "its type, from which the rule's finding follows, and what nobody declared"
    );
}

#[test]
fn severities_dates_and_character_sets_are_the_regions() {
    let desk = Desk::new();
    exported(&desk, "a", |text| {
        let at = text.find("<DATE_1>").expect("a date") + "<DATE_1>".len();
        let day = &text[at..at + 10];
        text.replacen(&format!("<DATE_1>{day}"), "<DATE_1>2026-02-01", 1)
    });
    assert!(found(&desk, "a", &[]).contains(&"006F.00.0400 error DATE_1".to_owned()));
    assert!(found(&desk, "a", &REGION).contains(&"006F.00.0400 warning DATE_1".to_owned()));
    exported(&desk, "b", |text| {
        let at = text.find("<IDDOKT>").expect("a doctor") + "<IDDOKT>".len();
        let code = &text[at..at + text[at..].find('<').expect("its end")];
        text.replace(&format!("<IDDOKT>{code}<"), "<IDDOKT>000-000-000 00<")
    });
    assert!(found(&desk, "b", &[]).iter().any(|f| f.starts_with("004F.00.0920 ")));
    assert_eq!(found(&desk, "b", &REGION), Vec::<String>::new());
}

#[test]
fn names_answers_payers_and_the_workflow_are_the_regions() {
    let files = puomp::tables::RuleFiles::embedded().with_region("99").expect("sound");
    let formats = puomp::registry::format::Formats::load(&files).expect("sound");
    let name = puomp::registry::name::FileName::parse(formats.prefixes(), "LZM140001S14002_26031").expect("a name");
    assert_eq!((name.family.map(|family| family.0), name.is_persons), (Some('D'), true));
    puomp::workspace::Tables::load(&files).expect("answers, payers and the workflow can be lived with");
}

#[test]
fn what_a_region_changes_is_said() {
    let desk = Desk::new();
    exported(&desk, "a", |text| text.replace("</SUM_M>", "</SUM_M><LPU_LEVEL>2</LPU_LEVEL>"));
    let (code, out, _) = desk.run(&["--region", "99", "validate", "a"]);
    assert!(code == 0 && out.contains("правила региона 99 Примерный край (вымышленный): строк изменено "), "{out}");
    assert!(out.contains("регион меняет серьёзность: 006F.00.0010 warning"), "{out}");
    let (_, out, _) = desk.run(&["--region", "99", "validate", "a", "--format", "json"]);
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(report["rules"]["region"]["code"], "99");
    assert_eq!(report["rules"]["region"]["severity"]["006F.00.0010"], "warning");
    assert!(report["rules"]["region"]["tables"].as_array().is_some_and(|tables| tables.iter().any(|t| t["table"] == "formats/H.csv" && t["added"] == 1)));
    let (_, out, _) = desk.run(&["--region", "99", "config"]);
    // Long names are broken in the cells of the table.
    let joined: String = out.split_whitespace().collect();
    assert!(out.contains("formats/H.csv") && joined.contains("rules/regions/99/formats/H.csv"), "{out}");
    let (code, _, err) = desk.run(&["--region", "98", "config"]);
    assert_eq!((code, err.as_str()), (2, "puomp: --region: нет таблицы региона 98; есть: 14, 99\n"));
    // A file that came with the exports does not choose the region.
    fs::write(desk.path("a/puomp.toml"), "region = \"99\"\n").expect("written");
    assert_eq!(found(&desk, "a", &[]), ["S002 error LPU_LEVEL"]);
}

#[test]
fn a_federal_update_beneath_a_region_arrives() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("new/flk")).expect("made");
    let table = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/flk/006F.csv")).expect("read");
    let line = table.lines().find(|l| l.starts_with("006F.00.0400,")).expect("the rule");
    let newer = table.replace(line, &line.replace("DATE_1 >= DATE_Z_1", "DATE_1 > DATE_Z_1"));
    assert_ne!(newer, table);
    fs::write(desk.path("new/flk/006F.csv"), newer).expect("written");
    let (_, out, _) = desk.run(&["--rules", "new", "--region", "99", "rules", "list", "--id", "006F.00.0400", "--format", "json"]);
    let rules: Value = serde_json::from_str(&out).expect("JSON");
    let rule = &rules["rules"][0];
    assert_eq!([&rule["require"], &rule["severity"]], ["DATE_1 > DATE_Z_1", "warning"]);
    let (_, out, _) = desk.run(&["--rules", "new", "--region", "99", "rules", "list", "--id", "006F.99", "--format", "json"]);
    assert!(out.contains("006F.99.0010"), "{out}");
}

/// What is said of a folder of tables in which region 75 has these files.
fn refused(files: &[(&str, &str)], command: &[&str]) -> String {
    let desk = Desk::new();
    for (name, text) in files {
        let path = desk.path(&format!("my/regions/75/{name}"));
        fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
        fs::write(path, text).expect("written");
    }
    let (code, _, err) = desk.run(&[&["--rules", "my", "--region", "75", "--lang", "en"], command].concat());
    assert_eq!(code, 2, "{command:?}: {err}");
    err.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_mistake_in_any_table_of_a_region_stops_every_command_at_its_file_and_line() {
    let transition = "[[transition]]\nid = \"accept\"\nto = \"accepted\"\n\n[[transition]]\nid = \"odd\"\nfrom = [\"nowhere\"]\nto = \"nobody\"\n";
    let book = "id,ru,en,key,name,from,until,on,stock,edition,date,complete_until\n\
                R901,а,a,CODE,NAME,DATEBEG,DATEEND,DATE_Z_2,embedded,1.0,2026-01-01,2030-12-31\n";
    let cases: [(&[(&str, &str)], &str); 14] = [
        (&[("flk/inferred.csv", "id,confidence\nodd,often\n")], "rules/regions/75/flk/inferred.csv:2: column confidence: "),
        (
            &[("flk/002F.csv", "id,until\n002F.00.0260,2026-01-31\n")],
            "rules/regions/75/flk/002F.csv:2: 002F.00.0260 stands twice for the same files and days (line 2); say which",
        ),
        (&[("workflow.toml", transition)], "rules/regions/75/workflow.toml:6: missing field `verb`"),
        (&[("kinds.csv", "kind,family\nodd,QQ\n")], "rules/regions/75/kinds.csv:2: column family: "),
        (&[("forms/payers.csv", "insured,payer\nelsewhere,nobody\n")], "rules/regions/75/forms/payers.csv:2: column payer: unknown variant `nobody`"),
        (&[("forms/sanctions.csv", "column\nodd\n")], "rules/regions/75/forms/sanctions.csv:2: column column: unknown variant `odd`"),
        (&[("formats/H.csv", "parent,element,obligation\nZL_LIST/ZAP/Z_SL/SL,IDDOKT,odd\n")], "rules/regions/75/formats/H.csv:2: IDDOKT "),
        (&[("flk/003F.csv", "id,require\n003F.00.0010,PRESENT(NOWHERE)\n")], "rules/regions/75/flk/003F.csv:2: 003F.00.0010: "),
        (&[("causes.csv", "rule,requires,note\n006F.75,odd,why\n")], "rules/regions/75/causes.csv:2: column requires: unknown variant `odd`"),
        (&[("examples.csv", "odd\n")], "rules/regions/75/examples.csv:1: no column «odd» in the table; id, passing, failing"),
        (&[("nsi/books.csv", book), ("nsi/R901.csv", "CODE,NAME,DATEBEG\n1,a,\n2,b,2026-99-01\n")], "rules/regions/75/nsi/R901.csv:3: «2026-99-01» is no date"),
        (&[("nsi/books.csv", book)], "rules/regions/75/nsi/books.csv:2: R901: the stock is embedded, and there is no table nsi/R901.csv"),
        (&[("nsi/R999.csv", "CODE\n1\n")], "rules/regions/75/nsi/R999.csv: nothing reads this table: nsi/books.csv has no embedded book R999"),
        (
            &[("FLK/003f.CSV", "id\n003F.00.0010\n")],
            "rules/regions/75/FLK/003f.CSV: nothing reads a table of this name: flk/00?F.csv is written in other letters",
        ),
    ];
    for (n, (files, due)) in cases.into_iter().enumerate() {
        let command: &[&str] = [&["config"][..], &["rules", "coverage"], &["validate", "."], &["nsi", "list"]][n % 4];
        let said = refused(files, command);
        assert!(said.contains(due), "{command:?}: {said}, not {due}");
    }
    for ids in ["ignore = [\"999Z\"]", "select = [\"999Z\"]", "severity = { 999Z = \"info\" }"] {
        let said = refused(&[("region.toml", &format!("name = \"\"\n{ids}\n"))], &["status"]);
        assert!(said.contains("rules/regions/75/region.toml:2: no rule has the id or the beginning «999Z»"), "{ids}: {said}");
    }
    let said = refused(&[("identity.csv", "name\nodd\n")], &["config"]);
    assert!(said.contains("rules/regions/75/identity.csv: no region changes this table: all who exchange registries must"), "{said}");
}

#[test]
fn a_region_ends_one_of_two_rows_of_a_rule_and_asks_another_of_fewer_files() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("my/regions/75/flk")).expect("made");
    fs::write(desk.path("my/regions/75/flk/002F.csv"), "id,from,until\n002F.00.0260,2022-01-01,2026-01-31\n").expect("written");
    fs::write(desk.path("my/regions/75/flk/001F.csv"), "id,files,severity\n001F.00.0420,C,warning\n").expect("written");
    let rows = |id: &str| {
        let (code, out, err) = desk.run(&["--rules", "my", "--region", "75", "rules", "list", "--id", id, "--format", "json"]);
        assert_eq!(code, 0, "{err}");
        let told: Value = serde_json::from_str(&out).expect("JSON");
        told["rules"].as_array().expect("rules").clone()
    };
    let ends: Vec<_> = rows("002F.00.0260").iter().map(|row| row["until"].clone()).collect();
    assert_eq!(ends, ["2021-12-31", "2026-01-31"]);
    let of_c: Vec<_> = rows("001F.00.0420").iter().map(|row| format!("{} {}", row["files"], row["severity"])).collect();
    assert_eq!(of_c, ["\"M R\" \"error\"", "\"C\" \"warning\"", "\"C\" \"warning\""]);
}

#[test]
fn what_a_package_of_the_regions_letters_would_hold_nobody_knows() {
    let desk = Desk::new();
    let (code, _, err) = desk.run(&["--region", "99", "--lang", "en", "generate", "out", "--family", "DZ", "--period", "2026-03"]);
    let said = err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(code, 2);
    assert!(said.contains("nothing to fill files «DZ» with: the checks of these letters are not described; there are: DP, "), "{said}");
}
