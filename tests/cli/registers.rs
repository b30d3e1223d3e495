//! Registers of МЭК at the desk of a user.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use puomp::sys::is_private;
use serde_json::Value;

use crate::support::desk::Desk;

/// What tells who somebody is in the files of these tests.
const SECRETS: &[&str] = &["990000000000000", "7755330111", "Незабудкина", "НЕЗАБУДКИНА", "Жаворонков", "1951-07-23", "900-555-176 61"];

const INSURED: &str = "enp;vpolis;spolis;npolis;smo;date_from;date_to;fam;im;dr\n\
    9900000000000001;3;;9900000000000001;14002;2012-05-01;2021-04-30;Незабудкина;Аграфена;1951-07-23\n\
    9900000000000001;3;;9900000000000001;14005;2021-05-01;2026-12-31;Незабудкина;Аграфена;1951-07-23\n\
    9900000000000002;1;ЖЩ;7755330111;14002;2019-01-01;2026-12-31;Жаворонков;Пётр;1980-02-29\n";
const LEVELS: &str = "mo,level,usl_ok,date_from,date_to\n140001,2.1,,2020-01-01,\n";

/// A desk with a workspace and files of registers.
fn desk() -> Desk {
    let desk = Desk::new();
    assert_eq!(desk.run(&["init"]).0, 0);
    fs::create_dir(desk.path("из фонда")).expect("a folder");
    fs::write(desk.path("из фонда/застрахованные.csv"), INSURED).expect("written");
    fs::write(desk.path("из фонда/уровни.csv"), LEVELS).expect("written");
    desk
}

fn assert_hidden(said: &str) {
    for secret in SECRETS {
        assert!(!said.contains(secret), "shows {secret}: {said}");
    }
}

#[test]
fn registers_are_imported_listed_and_shown_without_persons() {
    let desk = desk();
    let (code, out, err) = desk.run(&["nsi", "import", "из фонда"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("insured (застрахованные лица): строк 3\n") && out.contains("levels (уровни медицинских организаций): строк 1\n"), "{out}");
    assert!(out.contains("загружено 2, отказано 0") && out.contains("registers"), "{out}");
    for id in ["insured", "levels"] {
        assert!(is_private(&desk.path(&format!(".puomp/registers/{id}.reg"))).expect("there"), "{id}");
    }
    let (code, list, _) = desk.run(&["nsi", "list"]);
    assert_eq!(code, 0);
    assert!(list.contains("регистры МЭК:") && list.contains("3      2012-05-01   2026-12-31      застрахованные лица"), "{list}");
    assert!(list.contains("регистры не загружены: deaths attachment licences tariffs plan doctors; загрузить: puomp nsi import ФАЙЛ.csv"), "{list}");
    let (code, shown, _) = desk.run(&["nsi", "show", "insured"]);
    assert_eq!(code, 0);
    assert!(shown.contains("ключами: без номеров, имён и дат рождения") && shown.contains("страховая медицинская организация"), "{shown}");
    assert!(!shown.contains("повторов"), "{shown}");
    assert_eq!(desk.run(&["nsi", "show", "deaths"]).0, 3);
    let (code, _, err) = desk.run(&["nsi", "show", "insured", "9900000000000001"]);
    assert!(code == 2 && err.contains("puomp nsi show insured"), "{code} {err}");
    for args in [
        ["nsi", "list", "--format", "json"].as_slice(),
        &["nsi", "list", "--format", "csv"],
        &["nsi", "show", "insured", "--format", "json"],
        &["nsi", "show", "insured", "--format", "csv"],
        &["nsi", "import", "из фонда", "--format", "json"],
        &["nsi", "import", "из фонда", "--format", "csv"],
        &["nsi", "list", "--lang", "en"],
        &["nsi", "show", "insured", "--lang", "en"],
    ] {
        let (code, out, err) = desk.run(args);
        assert_eq!(code, 0, "{args:?}: {err}");
        assert_hidden(&(out + &err));
    }
    assert_hidden(&(list + &shown + &err));
}

#[test]
fn machine_formats_tell_registers_from_books() {
    let desk = desk();
    let json = |args: &[&str]| serde_json::from_str::<Value>(&desk.run(args).1).expect("JSON");
    let imports = json(&["nsi", "import", "из фонда", "--format", "json"]);
    assert_eq!(
        (&imports["imports"][0]["kind"], &imports["imports"][0]["book"], &imports["imports"][0]["rows"]),
        (&"register".into(), &"insured".into(), &3.into())
    );
    let list = json(&["nsi", "list", "--format", "json"]);
    let registers = list["registers"].as_array().expect("a list");
    assert_eq!(registers.len(), 8);
    assert_eq!((&registers[0]["state"], &registers[0]["personal"], &registers[0]["from"]), (&"imported".into(), &true.into(), &"2012-05-01".into()));
    assert_eq!((&registers[1]["state"], &registers[1]["rows"]), (&"absent".into(), &0.into()));
    assert!(list["books"].as_array().is_some_and(|books| books.iter().all(|book| book["book"] != "insured")), "registers are no books");
    let (_, table, _) = desk.run(&["nsi", "list", "--format", "csv"]);
    assert!(table.lines().any(|line| line.starts_with("insured;застрахованные лица;") && line.ends_with(";register")), "{table}");
    let shown = json(&["nsi", "show", "levels", "--format", "json"]);
    assert_eq!((&shown["register"]["until"], &shown["columns"][0]["column"]), (&Value::Null, &"mo".into()));
}

#[test]
fn a_bad_row_is_named_and_the_register_before_stays() {
    let desk = desk();
    desk.run(&["nsi", "import", "из фонда"]);
    let before = fs::read(desk.path(".puomp/registers/insured.reg")).expect("there");
    fs::write(desk.path("новый.csv"), INSURED.replace("9900000000000002;1", "990000000000002;1")).expect("written");
    let (code, out, err) = desk.run(&["nsi", "import", "новый.csv"]);
    assert_eq!(code, 1);
    assert!(out.contains("новый.csv: не загружен: строка 4, столбец enp: знаков должно быть 16, здесь 15"), "{out}");
    assert_hidden(&(out + &err));
    let (code, out, _) = desk.run(&["nsi", "import", "новый.csv", "--lang", "en", "--format", "json"]);
    let answer: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(
        (code, &answer["imports"][0]["refusal"], &answer["imports"][0]["details"]),
        (1, &"cell".into(), &"cell line=4 column=enp what=length 15, due 16".into())
    );
    assert_eq!(fs::read(desk.path(".puomp/registers/insured.reg")).expect("there"), before);
    // A right one replaces it.
    fs::write(desk.path("новый.csv"), INSURED.lines().take(2).collect::<Vec<_>>().join("\n")).expect("written");
    let (code, out, _) = desk.run(&["nsi", "import", "новый.csv"]);
    assert!(code == 0 && out.contains("insured (застрахованные лица): строк 1; было 3 от "), "{out}");
}

#[test]
fn outside_of_a_workspace_registers_are_refused_with_the_way_in() {
    let desk = Desk::new();
    fs::write(desk.path("уровни.csv"), LEVELS).expect("written");
    fs::write(desk.path("застрахованные.csv"), INSURED).expect("written");
    for file in ["уровни.csv", "застрахованные.csv"] {
        let (code, out, _) = desk.run(&["nsi", "import", file, "--books", "книги"]);
        assert!(code == 1 && out.contains("puomp init"), "{out}");
    }
    assert!(!desk.path(".puomp").exists());
}

#[test]
fn an_archive_may_hold_registers_beside_books() {
    let desk = desk();
    let mut zip = zip::ZipWriter::new(File::create(desk.path("всё.zip")).expect("a file"));
    let book = "IDPOL;POLNAME;DATEBEG;DATEEND\n1;Мужской;;\n2;Женский;;\n";
    for (name, text) in [("V005.csv", book), ("a/levels.csv", LEVELS), ("insured.csv", INSURED)] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("begun");
        zip.write_all(text.as_bytes()).expect("written");
    }
    zip.finish().expect("finished");
    let (_, out, _) = desk.run(&["nsi", "import", "всё.zip"]);
    assert!(out.contains("levels (уровни медицинских организаций): строк 1") && out.contains("insured (застрахованные лица): строк 3"), "{out}");
    assert!(out.contains("V005"), "{out}");
}

#[test]
fn a_register_of_another_secret_or_a_damaged_one_is_told_with_the_way_out() {
    let desk = desk();
    desk.run(&["nsi", "import", "из фонда"]);
    fs::remove_file(desk.path(".puomp/secret")).expect("removed");
    let (code, out, _) = desk.run(&["nsi", "list"]);
    assert!(code == 0 && out.contains("сделан с другим секретом") && out.contains("puomp nsi import insured.csv"), "{out}");
    assert!(out.contains("levels"), "a register without persons is used: {out}");
    let (code, _, err) = desk.run(&["nsi", "show", "insured"]);
    assert!(code != 0 && err.contains("puomp nsi import insured.csv"), "{code} {err}");
    let list: Value = serde_json::from_str(&desk.run(&["nsi", "list", "--format", "json"]).1).expect("JSON");
    assert_eq!(list["registers"][0]["state"], "unusable");
    desk.run(&["nsi", "import", "из фонда"]);
    assert_eq!(desk.run(&["nsi", "show", "insured"]).0, 0);
    let path = desk.path(".puomp/registers/levels.reg");
    let mut bytes = fs::read(&path).expect("there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).expect("written");
    let (_, out, _) = desk.run(&["nsi", "list"]);
    assert!(out.contains("файл повреждён или изменён") && out.contains("puomp nsi import levels.csv"), "{out}");
}

/// A quote at the beginning of a file of a gigabyte; the file takes no place on the disk.
#[test]
fn a_quote_that_is_never_closed_is_found_at_once() {
    let desk = desk();
    let mut file = File::create(desk.path("большой.csv")).expect("a file");
    file.write_all(b"enp;death_date\n\"9900000000000001;2026-01-01\n").expect("written");
    file.set_len(1 << 30).expect("a long file");
    drop(file);
    let begun = Instant::now();
    let (code, out, err) = desk.run(&["nsi", "import", "большой.csv"]);
    assert!(code == 1 && out.contains("строка 2: кавычка открыта и не закрыта"), "{out}{err}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_hidden(&out);
}

/// kill -9 at many moments of an import: the register is the one before or the new one, and the next import clears up.
#[test]
fn a_killed_import_leaves_the_old_register_or_the_new_one() {
    let desk = desk();
    desk.run(&["nsi", "import", "из фонда"]);
    let path = desk.path(".puomp/registers/insured.reg");
    let old = fs::read(&path).expect("there");
    let mut big = INSURED.to_owned();
    for n in 0..40_000_u64 {
        big += &format!("{0};3;;{0};14002;2012-05-01;2026-12-31;;;\n", 9_900_000_000_100_000 + n);
    }
    fs::write(desk.path("большой.csv"), &big).expect("written");
    let begun = Instant::now();
    assert_eq!(desk.run(&["nsi", "import", "большой.csv"]).0, 0);
    let usual = begun.elapsed();
    let new = fs::read(&path).expect("there");
    let (mut olds, mut news) = (0, 0);
    for number in 0..20_u32 {
        fs::write(&path, &old).expect("written");
        let mut child = desk.puomp(&["nsi", "import", "большой.csv"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        thread::sleep(usual.mul_f64(f64::from(number) / 16.0));
        // A program that has ended is no error.
        let _ = child.kill();
        child.wait().expect("it ended");
        let found = fs::read(&path).expect("there");
        assert!(found == old || found == new, "a register between the old and the new one");
        *(if found == old { &mut olds } else { &mut news }) += 1;
    }
    assert!(olds > 0, "no kill came before the end: {news}");
    assert_eq!(desk.run(&["nsi", "import", "большой.csv"]).0, 0);
    let left: Vec<_> =
        fs::read_dir(desk.path(".puomp/registers")).expect("a folder").map(|e| e.expect("an entry").file_name().into_string().expect("a name")).collect();
    assert!(left.iter().all(|name| !name.starts_with(".puomp-")), "{left:?}");
}
