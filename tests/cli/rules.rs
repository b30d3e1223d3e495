//! The rule book at the desk of a user.

use std::fs;

use serde_json::Value;

use crate::support::book::{Book, Zap};
use crate::support::desk::{Desk, Package};

/// A desk with a workspace, and a later edition of the book with four rules.
fn desk() -> Desk {
    let desk = Desk::new();
    fs::create_dir(desk.path(".puomp")).expect("a folder");
    let zap = |id: &str, element: &str, files: &str, rest: &str| {
        let files: String = files.chars().map(|c| format!("<TYPE_D>{c}</TYPE_D>")).collect();
        format!("<zap><ID_TEST>{id}</ID_TEST><ID_EL>{element}</ID_EL><TYPE_MD>{files}</TYPE_MD>{rest}<DATEBEG>01.11.2019</DATEBEG></zap>")
    };
    let rules = [
        zap("003F.00.0120", "ZL_LIST/ZAP/PACIENT/SMO", "CHTX", "<USL_TEST>PLAT присутствует</USL_TEST>"),
        zap("003F.00.9990", "ZL_LIST/ZAP/Z_SL/SL/DN", "H", "<USL_TEST>USL_0K=3</USL_TEST>"),
        zap("006F.00.9991", "ZL_LIST/ZAP/Z_SL/SUMV", "H", "<VAL_EL>SUMV=(</VAL_EL>"),
        zap("006F.00.9992", "ZL_LIST/ZAP/Z_SL/SUMV", "H", "<VAL_EL>Сумма должна сходиться</VAL_EL>"),
    ];
    let packet = format!("<packet><zglv><type>FLK_MPF</type><version>9.9</version><date>01.02.2030</date></zglv>{}</packet>", rules.concat());
    fs::write(desk.path("Q015.xml"), packet).expect("written");
    desk
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn a_rule_is_found_by_its_id_family_and_day() {
    let desk = desk();
    let (code, out, err) = desk.run(&["rules", "list", "--id", "003F.00.2170"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("003F.00.2170  H ") && out.contains("2019-11-01 … 2021-12-31*  ошибка") && out.ends_with("правил: 1\n"), "{out}");
    assert!(out.contains("puomp rules list --inferred"), "{out}");
    let (_, out, _) = desk.run(&["rules", "list", "--id", "003F.00.2170", "--family", "h", "--on", "2022-01-01"]);
    assert!(out.contains("003F.00.2170  H              2022-01-01 …*") && out.ends_with("правил: 1\n"), "{out}");
    let (_, out, _) = desk.run(&["rules", "list", "--id", "003F.00.0760", "--family", "h", "--on", "2022-01-01"]);
    assert!(out.ends_with("правил: 0\n"), "{out}");
    let (code, out, _) = desk.run(&["rules", "list", "--id", "003F.00.2170", "--inferred", "--lang", "en"]);
    assert!(code == 0 && out.contains("* NPOLIS is no longer obligatory"), "{out}");
    assert!(out.contains("(confidence: high; source: yuraigle/medflk 2026; NesTeRDGIT/ServiceVersion 2022; chipcom/2.x 2026)"), "{out}");
    // What was decided without a row, and where others read a rule otherwise.
    let (_, out, _) = desk.run(&["rules", "list", "--id", "003F.00.1280", "--id", "001F.00.0640", "--inferred", "--lang", "en"]);
    assert!(out.contains("003F.00.1280  X  … 2021-07-31\n    NAZ_IDDOKT may stand") && out.contains("001F.00.0640\n    a program looks"), "{out}");
    let (_, out, _) = desk.run(&["explain", "003F.00.2170", "--lang", "en"]);
    assert!(out.contains("  afterwards        003F.00.2170, 003F.00.9040\n") && out.contains("  elsewhere         it goes on in its new form"), "{out}");
    let (_, out, _) = desk.run(&["rules", "list", "--id", "001F.00.0270", "--format", "json"]);
    let rule = &json(&out)["rules"][0];
    assert_eq!((rule["require"].as_str(), rule["files"].as_str()), (Some("BOOK(V002.IDPR)"), Some("C H T M R")));
    let (code, _, err) = desk.run(&["rules", "list", "--on", "завтра"]);
    assert!(code == 2 && err.contains("ГГГГ-ММ-ДД"), "{err}");
}

#[test]
fn coverage_adds_up_and_names_what_does_not_run() {
    let desk = desk();
    let (code, out, _) = desk.run(&["rules", "coverage", "--format", "json"]);
    assert_eq!(code, 0);
    let coverage = json(&out);
    let sum = |name: &str| coverage["groups"].as_array().expect("groups").iter().map(|g| g[name].as_u64().expect("a number")).sum::<u64>();
    assert_eq!(sum("total"), 911);
    assert_eq!(sum("executed") + sum("no_book") + sum("not_expressible") + sum("no_format"), 911);
    assert_eq!(coverage["not_executed"].as_array().map(Vec::len), Some((911 - sum("executed")) as usize));
    let of_book = coverage["groups"].as_array().expect("groups").iter().find(|g| g["source"] == "Q015 2.2").expect("the book");
    assert!(of_book["executed"].as_u64() >= Some(640), "{out}");
    let (_, out, _) = desk.run(&["rules", "coverage"]);
    assert!(out.starts_with("правила: Q015, редакция 2.2 от 12.02.2021\n") && out.contains("006F.00.1350"), "{out}");
}

#[test]
fn an_import_tells_every_rule_and_counts_from_then_on() {
    let desk = desk();
    let (code, out, err) = desk.run(&["rules", "import", "Q015.xml", "--dry-run", "--force"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("Q015, редакция 9.9 от 2030-02-01; строк в книге: 4\n"), "{out}");
    assert!(out.contains("003F.00.9990  новое\n    исправлено в тексте: опечатка (when)\n"), "{out}");
    assert!(out.contains("006F.00.9991  не выразить\n    require: колонка 7: ожидается элемент, число или код, стоит «»\n"), "{out}");
    assert!(out.contains("006F.00.9992  не выразить\n    require: текст для людей, а не формула (колонка 1)\n"), "{out}");
    assert!(!desk.path(".puomp/rules").exists());
    let (code, out, _) = desk.run(&["rules", "import", "Q015.xml", "--force", "--format", "json"]);
    assert_eq!(code, 0);
    let import = &json(&out)["imports"][0];
    assert_eq!((import["edition"].as_str(), import["stored"].is_string()), (Some("9.9"), true));
    // The imported book is in force without a word more.
    let (_, out, _) = desk.run(&["rules", "list", "--id", "003F.00.9990"]);
    assert!(out.ends_with("правил: 1\n"), "{out}");
    let (_, out, _) = desk.run(&["rules", "coverage"]);
    assert!(out.starts_with("правила: Q015, редакция 9.9 от 01.02.2030\n"), "{out}");
    let bare = fs::read_to_string(desk.path("Q015.xml")).expect("there").replace("<version>9.9</version>", "<version></version>").replace("2030", "2031");
    fs::write(desk.path("bare.xml"), bare).expect("written");
    assert_eq!(desk.run(&["rules", "import", "bare.xml", "--force", "--rules", "bare"]).0, 0);
    let (_, out, _) = desk.run(&["rules", "coverage", "--rules", "bare"]);
    assert!(out.starts_with("правила: Q015, редакция без номера от 01.02.2031\n"), "{out}");
    assert_eq!(desk.run(&["generate", "a", "--family", "H", "--period", "2026-03", "--cases", "1", "--plain"]).0, 0);
    let (_, out, _) = desk.run(&["validate", "a", "--rules", "bare"]);
    assert!(out.contains("правила ФЛК: Q015, редакция без номера от 01.02.2031\n"), "{out}");
    // Again: nothing new.
    let (_, out, _) = desk.run(&["rules", "import", "Q015.xml", "--force", "--lang", "en"]);
    assert!(!out.contains("new: ") && !out.contains("changed: ") && !out.contains("ended: "), "{out}");
}

#[test]
fn what_is_no_rule_book_is_refused_in_words() {
    let desk = desk();
    fs::write(desk.path("old.xml"), fs::read_to_string(desk.path("Q015.xml")).expect("there").replace("2030", "2020")).expect("written");
    fs::write(desk.path("cut.xml"), "<packet><zglv>").expect("written");
    fs::write(desk.path("part.xml"), fs::read_to_string(desk.path("Q015.xml")).expect("there").replace("2030", "2025")).expect("written");
    for (file, reason) in [
        ("old.xml", "старше той, что есть"),
        ("Q015.xml", "ещё не вышла"),
        ("part.xml", "действующих правил осталось бы 1: часть не заменит целое"),
        ("cut.xml", "файл обрывается"),
        ("none.xml", "не читается"),
    ] {
        let (code, out, err) = desk.run(&["rules", "import", file]);
        assert_eq!((code, out.as_str()), (6, ""), "{file}");
        assert!(err.contains(file) && err.contains(reason), "{err}");
    }
    assert!(!desk.path(".puomp/rules").exists());
    let (code, _, _) = desk.run(&["rules", "import", "old.xml", "--force", "--rules", "мои правила"]);
    assert_eq!(code, 0);
    assert!(desk.path("мои правила/flk/editions.csv").is_file());
}

#[test]
fn an_import_is_taken_back_by_the_command_that_made_it() {
    let desk = desk();
    let (code, out, err) = desk.run(&["rules", "import", "--undo"]);
    assert!(code == 3 && out.is_empty() && err.contains("брать назад нечего"), "{err}");
    let (_, before, _) = desk.run(&["rules", "list", "--format", "csv"]);
    assert_eq!(desk.run(&["rules", "import", "Q015.xml", "--force", "-q"]).0, 0);
    let (code, out, _) = desk.run(&["rules", "import", "--undo", "--dry-run", "--lang", "en"]);
    assert!(code == 0 && out.starts_with("the import would be taken back: Q015, edition 9.9 of 2030-02-01; as before it would be: flk/001F.csv"), "{out}");
    let table = desk.path(".puomp/rules/flk/003F.csv");
    let text = fs::read_to_string(&table).expect("stored");
    fs::write(&table, text + "\n").expect("written");
    let (code, _, err) = desk.run(&["rules", "import", "--undo"]);
    assert!(code == 2 && err.contains("flk/003F.csv") && err.contains("--force"), "{err}");
    let (code, out, _) = desk.run(&["rules", "import", "--undo", "--force"]);
    assert!(code == 0 && out.ends_with("правила: Q015, редакция 2.2 от 2021-02-12\n"), "{out}");
    assert!(!desk.path(".puomp/rules").exists());
    assert_eq!(desk.run(&["rules", "list", "--format", "csv"]).1, before);
    // Files and --undo at once are a misuse.
    assert_eq!(desk.run(&["rules", "import", "Q015.xml", "--undo"]).0, 2);
}

#[test]
fn what_can_never_run_is_named_with_its_reason() {
    let desk = desk();
    let mut book = Book::at_hand("5.2", "18.02.2025");
    let sl = "ZL_LIST/ZAP/Z_SL/SL";
    book.rows.push(Zap::new("002F.00.9006", &format!("{sl}/ED_COL"), "H").with("USL_TEST", "USL_OK=3 и не (DET=1)").with("VAL_EL", "((1"));
    book.rows.push(Zap::new("003F.00.9005", &format!("{sl}/KSG_KPG/NEWEL"), "H").with("USL_TEST", "KSG_PG=0"));
    book.rows.push(Zap::new("003F.00.9007", &format!("{sl}/DN"), "T").with("USL_TEST", "(USL_OK=1"));
    fs::write(desk.path("whole.xml"), book.xml()).expect("written");
    let (code, out, err) = desk.run(&["rules", "import", "whole.xml", "--lang", "en"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("003F.00.9005  new\n    not executed: no format has this element\n"), "{out}");
    fs::write(desk.path(".puomp/rules/flk/007F.csv"), "id\n").expect("written");

    let (_, out, _) = desk.run(&["explain", "002F.00.9006", "--lang", "en"]);
    let reason = "the row of the book could not be read: column 12: an element, a number or a code is due, «не» stands there; column 4: ";
    for line in ["  if                USL_OK=3 и не (DET=1)\n", "  must hold         ((1\n", &format!("  runs              no: {reason}")] {
        assert!(out.contains(line), "{out}");
    }
    for word in ["always", "does not hold", "what no file holds", "correct ED_COL", "simple search"] {
        assert!(!out.contains(word), "«{word}»: {out}");
    }
    let (_, out, _) = desk.run(&["rules", "coverage", "--lang", "en"]);
    assert!(out.contains(reason) && out.contains(": 002F.00.9006\n") && out.contains("no format has this element: 003F.00.9005\n"), "{out}");
    assert!(out.contains("nothing reads a table of this name; a similar one: flk/001F.csv: flk/007F.csv\n"), "{out}");

    Package::new(1).write(&desk.path("in"));
    let (_, out, err) = desk.run(&["validate", "in", "--format", "json", "--no-timing"]);
    let report = json(&out);
    let idle = |id: &str| {
        let all = report["not_executed"].as_array().unwrap_or_else(|| panic!("{out} {err}"));
        all.iter().find(|r| r["rule"] == id).map(|r| r["reason"].as_str().unwrap_or("").to_owned())
    };
    assert!(idle("002F.00.9006").is_some_and(|r| r.starts_with("строка книги не прочитана: колонка 12: ")), "{:?}", idle("002F.00.9006"));
    assert_eq!(idle("003F.00.9005").as_deref(), Some("ни в одном формате нет этого элемента"));
    assert_eq!(idle("003F.00.9007"), None, "a rule of another family");
    assert!(idle("flk/007F.csv").is_some_and(|r| r.contains("flk/001F.csv")), "{:?}", idle("flk/007F.csv"));
}

#[test]
fn a_kind_or_slot_that_nobody_knows_is_a_mistake_of_the_table() {
    let desk = desk();
    let table = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/flk/006F.csv")).expect("a table");
    let row = "006F.14.0010,H C,ZL_LIST/ZAP/Z_SL/SL/DATE_1,USL_OK = 3,DATE_1 >= DATE_Z_1,template,2019-11-01,,,error,,,,начало {value},start {value},дата,date,own,\n";
    let line = table.lines().count() + 1;
    fs::create_dir_all(desk.path("my/flk")).expect("a folder");
    for (from, to, said) in [
        ("template", "tempate", "kind «tempate» — не из списка: core, builtin, template"),
        ("DATE_1 >= DATE_Z_1", "", "столбец require пуст"),
        ("начало {value}", "начало {vale}", "ru: неизвестная подстановка {vale}; есть: element, parent, value"),
    ] {
        fs::write(desk.path("my/flk/006F.csv"), table.clone() + &row.replace(from, to)).expect("written");
        for verb in [&["rules", "coverage"][..], &["explain", "006F.14.0010"]] {
            let (code, _, err) = desk.run(&[&["--rules", "my"][..], verb].concat());
            assert!(code == 2 && err.contains(&format!("flk/006F.csv:{line}: 006F.14.0010: {said}")), "{err}");
        }
    }
}
