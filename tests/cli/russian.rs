//! Under `--lang ru` a user meets no English: only codes, options, names of elements and paths have Latin letters.

use std::collections::BTreeSet;

use crate::support::desk::{Desk, Package};

/// Words that may stand in Russian texts: names of formats and programs, and words of the command line that are the same in every language.
const KNOWN: &[&str] = &[
    "puomp",
    "human",
    "json",
    "jsonl",
    "csv",
    "flk",
    "xlsx",
    "html",
    "toml",
    "xml",
    "ru",
    "en",
    "auto",
    "always",
    "never",
    "error",
    "warning",
    "info",
    "off",
    "executor",
    "accountant",
    "head",
    "insurer",
    "fund",
    "clinic",
    "developer",
    "books",
    "validate",
    "review",
    "accept",
    "return",
    "start",
    "pay",
    "unpay",
    "formats",
    "list",
    "show",
    "rules",
    "coverage",
    "nsi",
    "form",
    "submit",
    "status",
    "load",
    "init",
    "generate",
    "explain",
    "import",
    "update",
    "cases",
    "help",
    "formed",
    "junit",
    "sarif",
    "https",
    "refusal",
    "sent",
    "in_review",
    "to_sign",
    "journal",
    "free",
    "held",
    "export",
    "receive",
    "config",
    "region",
    "withdraw",
    "true",
    "false",
];

/// Latin words of a text that are neither known, nor a code, an option, a name in capitals, nor part of what was typed.
fn foreign<'t>(text: &'t str, typed: &str) -> BTreeSet<&'t str> {
    let is_word = |word: &&str| {
        let latin = word.chars().any(|c| c.is_ascii_lowercase());
        let is_code = word.chars().any(|c| c.is_ascii_digit() || "/\\.=@_".contains(c)) || word.starts_with('-');
        latin && !is_code && !KNOWN.contains(word) && !typed.contains(*word)
    };
    text.split(|c: char| c.is_whitespace() || "«»(),:;|<>[]`'\"…→·××".contains(c)).map(|word| word.trim_matches(['.', '!', '?'])).filter(is_word).collect()
}

#[test]
fn no_wrong_command_is_answered_in_english() {
    let desk = Desk::new();
    Package::new(1).zip(&desk.path("выгрузка"));
    std::fs::write(desk.path("кривой.toml"), "limit = \"много\"\n").expect("written");
    std::fs::write(desk.path("лишний.toml"), "предел = 3\n").expect("written");
    std::fs::write(desk.path("разорван.toml"), "limit = [1,\n").expect("written");
    for (folder, table, text) in [
        ("мало", "formats/editions.csv", "family,edition\nH\n"),
        ("месяц", "formats/editions.csv", "family,edition,version,from,until,basis,source_note\nH,3.1,3.1,2019-13,,proven,x\n"),
        ("роль", "workflow.toml", "signatures = []\n"),
        ("текст", "texts.csv", "key,ru,en\nнечто,а,b\n"),
    ] {
        let file = desk.path(folder).join(table);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, text).expect("written");
    }
    // The rule with a misspelt function, in a copy of the whole table.
    let rules = include_str!("../../rules/flk/006F.csv").replacen("DATA <= TODAY()", "DATA <= TODAI()", 1);
    std::fs::create_dir_all(desk.path("правило/flk")).expect("a folder");
    std::fs::write(desk.path("правило/flk/006F.csv"), rules).expect("written");
    let commands: &[&str] = &[
        "validte x",
        "validate x --ful",
        "validate",
        "validate x --format xml",
        "validate x --limit много",
        "validate x --limit",
        "validate x --threads 300",
        "validate x --threads -1",
        "validate x --protocol-letter VV",
        "validate x --summary --full",
        "validate x --timings --no-timing",
        "validate x --lang fr",
        "validate x --color red",
        "validate x --mendable никто",
        "validate x --severity 006F",
        "validate x --select 009F",
        "validate x --baseline нет",
        "validate [",
        "validate нет-такого",
        "validate выгрузка --config нет.toml",
        "validate выгрузка --config кривой.toml",
        "validate выгрузка --config лишний.toml",
        "validate выгрузка --config разорван.toml",
        "validate выгрузка --rules нет",
        "validate выгрузка --rules мало",
        "validate выгрузка --rules месяц",
        "validate выгрузка --rules правило",
        "validate выгрузка --rules текст",
        "status --rules роль",
        "validate выгрузка --region 77",
        "validate выгрузка --time-zone Луна",
        "form",
        "form --period 2021",
        "form --period 2021-3",
        "form --period 2021-13 --dry-run",
        "status --period март",
        "status",
        "submit",
        "submit 1",
        "review",
        "review принять 1",
        "journal --against x",
        "journal --wait долго",
        "cases --state никакой",
        "cases --since вчера",
        "formats",
        "formats show",
        "formats show H",
        "formats show Q 1",
        "formats show H 9.9",
        "formats show H 6.0 PROFILE",
        "generate учебные --cases много",
        "generate учебные --defects 7",
        "generate учебные --defects x",
        "generate учебные --encoding koi8",
        "generate учебные --family Q",
        "nsi show V999",
        "nsi show V002 97 --on вчера",
        "nsi import нет-такого",
        "nsi show levels 140001",
        "nsi update --url ftp://x",
        "explain 009",
        "explain нет",
        "rules list --on вчера",
        "rules import нет-такого.xml",
        "restore нет-такого.zip новая",
        "watch нет --every 0",
        "rules",
        "nsi",
    ];
    let mut troubles = String::new();
    for command in commands {
        let mut args: Vec<&str> = command.split(' ').collect();
        if !args.contains(&"--lang") {
            args.extend(["--lang", "ru"]);
        }
        let (code, out, err) = desk.run(&args);
        assert_ne!(code, 0, "{command}: {out}");
        let words = foreign(&err, command);
        if !words.is_empty() {
            troubles += &format!("{command}: {words:?}\n    {}\n", err.trim_end().replace('\n', "\n    "));
        }
    }
    assert!(troubles.is_empty(), "\n{troubles}");
}

#[test]
fn lists_have_no_english_either() {
    let desk = Desk::new();
    Package::new(1).zip(&desk.path("выгрузка"));
    for command in ["init", "load выгрузка", "form --period 2021-03", "submit 2103-1"] {
        assert_eq!(desk.run(&command.split(' ').collect::<Vec<_>>()).0, 0, "{command}");
    }
    let mut troubles = String::new();
    // The account and the machine stand in the journal, the tag of a hidden number in lists of cases: four letters or digits of chance.
    let shown = desk.run(&["status", "2103-1", "--history"]).1 + &desk.run(&["cases"]).1;
    let who: String = shown.split_whitespace().filter(|word| word.contains('@') || word.contains('…') && word.contains('·')).collect();
    for command in ["journal", "status", "cases", "cases c1", "status 2103-1 --history", "rules coverage"] {
        let out = desk.run(&command.split(' ').collect::<Vec<_>>()).1;
        // Sources of rules are names of repositories.
        let out: String = out.lines().filter(|line| !line.contains("2026") || command != "rules coverage").collect::<Vec<_>>().join("\n");
        let words: Vec<&str> = foreign(&out, &who).into_iter().filter(|w| !["medflk", "HealthInvoice-", "Hub-API", "ServiceVersion"].contains(w)).collect();
        if !words.is_empty() {
            troubles += &format!("{command}: {words:?}\n{out}\n");
        }
    }
    assert!(troubles.is_empty(), "\n{troubles}");
}

#[test]
fn values_of_options_take_russian_words() {
    let desk = Desk::new();
    Package::new(1).zip(&desk.path("выгрузка"));
    for command in ["init", "load выгрузка", "form --period 2021-03", "submit 2103-1 --role исполнитель", "status --state отправлен", "cases --state оплачен"]
    {
        let (code, out, err) = desk.run(&command.split(' ').collect::<Vec<_>>());
        assert_eq!(code, 0, "{command}: {out}{err}");
    }
    let (code, _, err) = desk.run(&["review", "start", "2103-1", "--role", "бухгалтер"]);
    assert!(code == 4 && err.contains("главный бухгалтер МО"), "{err}");
}
