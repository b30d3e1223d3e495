//! The examples of `--help` do what they promise.

use crate::support::desk::{Desk, Package, wrong};

/// What must have been done before the examples of a verb.
const STEPS: [(&str, &[&str]); 13] = [
    (
        "receive",
        &[
            "init",
            "generate -q --period 2021-02 --cases 5 выгрузка",
            "load -q выгрузка",
            "form -q --period 2021-02",
            "submit -q 2102-1",
            "validate -q outbox --protocol-dir .",
        ],
    ),
    ("init", &[]),
    ("load", &["init", "generate -q --period 2021-02 --cases 5 выгрузка", "generate -q --period 2021-02 --cases 5 посылки"]),
    ("watch", &["init", "generate -q --period 2021-02 --cases 5 выгрузка"]),
    ("form", &["init", "generate -q --period 2021-02 --cases 5 выгрузка", "load -q выгрузка"]),
    ("submit", &["init", "generate -q --period 2021-02 --cases 5 выгрузка", "load -q выгрузка", "form -q --period 2021-02"]),
    ("review", &["init", "generate -q --period 2021-02 --cases 5 выгрузка", "load -q выгрузка", "form -q --period 2021-02", "submit -q 2102-1"]),
    ("withdraw", &["init", "generate -q --period 2021-02 --cases 5 выгрузка", "load -q выгрузка", "form -q --period 2021-02", "submit -q 2102-1"]),
    ("status", &["init", "generate -q --period 2021-02 --cases 5 выгрузка", "load -q выгрузка"]),
    ("journal", &["init"]),
    ("cases", &["init", "generate -q --period 2021-02 --cases 5 выгрузка", "load -q выгрузка", "cases drop -q c3 --reason нет"]),
    ("backup", &["init"]),
    ("restore", &["init", "backup копия.zip", "backup copy.zip"]),
];

/// Words of a line; what stands in quotes is one.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for (number, part) in line.split('"').enumerate() {
        if number % 2 == 1 { words.push(part) } else { words.extend(part.split_whitespace()) }
    }
    words
}

#[test]
fn every_example_of_every_verb_runs() {
    let desk = Desk::new();
    Package::new(1).zip(&desk.path("выгрузка"));
    wrong(2).write(&desk.path("выгрузка"));
    // A workspace: imported books go into it, not among the data of who runs the tests.
    std::fs::create_dir(desk.path(".puomp")).expect("a folder");
    std::fs::create_dir(desk.path("справочники")).expect("a folder");
    let rows: String = (1..=200).map(|code| format!("<zap><IDPR>{code}</IDPR><DATEBEG>01.01.2011</DATEBEG></zap>")).collect();
    let packet = format!("<packet><zglv><type>ProfOt</type><version>5.0</version><date>30.01.2026</date></zglv>{rows}</packet>");
    std::fs::write(desk.path("справочники/V002.xml"), packet).expect("written");
    std::fs::create_dir(desk.path("регистры")).expect("a folder");
    std::fs::write(desk.path("регистры/levels.csv"), "mo;level;date_from;date_to\n140001;2;2026-01-01;\n").expect("written");
    std::fs::create_dir(desk.path("правила")).expect("a folder");
    let rule =
        "<zap><ID_TEST>003F.00.0120</ID_TEST><ID_EL>ZL_LIST/ZAP/PACIENT/SMO</ID_EL><TYPE_MD><TYPE_D>H</TYPE_D></TYPE_MD><DATEBEG>01.11.2019</DATEBEG></zap>";
    let packet = format!("<packet><zglv><type>FLK_MPF</type><version>2.2</version><date>12.02.2021</date></zglv>{rule}</packet>");
    std::fs::write(desk.path("правила/Q015.xml"), packet).expect("written");
    let mut verbs: Vec<Vec<String>> = vec![Vec::new()];
    let mut ran = 0;
    while let Some(verb) = verbs.pop() {
        for lang in ["ru", "en"] {
            let mut args: Vec<&str> = verb.iter().map(String::as_str).collect();
            args.extend(["--help", "--lang", lang]);
            let (code, help, _) = desk.run(&args);
            assert_eq!(code, 0);
            let heading = if lang == "ru" { "Команды:" } else { "Commands:" };
            if lang == "ru" {
                let listed = help.split_once(heading).map_or("", |(_, rest)| rest.split("\n\n").next().unwrap_or(""));
                verbs.extend(listed.lines().filter_map(|l| l.split_whitespace().next()).map(|name| verb.iter().cloned().chain([name.to_owned()]).collect()));
            }
            let examples: Vec<&str> = help.lines().filter_map(|l| l.strip_prefix("  puomp ")).collect();
            assert!(!examples.is_empty(), "no example for {verb:?}");
            for example in examples {
                let args: Vec<&str> = example.split_whitespace().collect();
                let in_workspace = STEPS.iter().find(|(verb, _)| *verb == args[0]);
                let (code, out, err) = match in_workspace {
                    Some((_, steps)) => {
                        let room = Desk::new();
                        for step in *steps {
                            let step: Vec<&str> = step.split_whitespace().collect();
                            let (code, out, err) = room.run(&step);
                            assert_eq!(code, 0, "puomp {step:?}: {out}\n{err}");
                        }
                        // What comes next, and what stays out, is said beside the result.
                        let (code, out, _) = room.run(&words(example));
                        (code, out, String::new())
                    }
                    None => desk.run(&args),
                };

                let expected =
                    if args[0] == "validate" && !example.contains("HM1") && !example.contains("*.zip") && !example.contains("--help") { 1 } else { 0 };
                // Where a schema went is said on stderr; nothing else is.
                let said = args.iter().skip_while(|a| **a != "--xsd").nth(1).filter(|file| **file != "-");
                let talk_fits = said.map_or(err.is_empty(), |file| err.lines().count() == 1 && err.contains(file));
                assert!(code == expected && talk_fits, "puomp {example}: {code}\n{out}\n{err}");
                ran += 1;
            }
        }
    }
    assert!(ran >= 20, "{ran}");
}
