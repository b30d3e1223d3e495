//! Personal data leave the program only where they were asked for: every personal element, spoiled in every way, in every format.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use rayon::prelude::*;

use crate::support::pair::{DESK, MAIN, PERSONS, edited, encoded};

/// A value for every personal element of the two files; none stands anywhere else.
const SECRETS: &[(&str, &str)] = &[
    ("FAM", "Выдумкинская"),
    ("IM", "Аграфенушка"),
    ("OT", "Кирибеевична"),
    ("DR", "1934-07-23"),
    ("TEL", "8-914-2233445"),
    ("FAM_P", "Опекунцова"),
    ("IM_P", "Феодосиюшка"),
    ("OT_P", "Порфирьевна"),
    ("DR_P", "1921-11-30"),
    ("MR", "г. Тридевятинск"),
    ("DOCSER", "98 ЯЩ77"),
    ("DOCNUM", "46201175"),
    ("DOCDATE", "2004-01-09"),
    ("DOCORG", "УВД Тридесятова"),
    ("SNILS", "900-555-176 78"),
    ("COMENTP", "приметаособая"),
    ("SPOLIS", "ЩЪ-5577"),
    ("NPOLIS", "7755330111222333"),
    ("IDDOKT", "90055517661"),
    ("CODE_MD", "90055517662"),
    ("COMENTU", "стояллевымбоком"),
    ("COMENTSL", "жалобынасердце"),
    ("COMENTS", "оплатитьсрочно"),
    ("S_COM", "отказбезповода"),
];

fn of(name: &str) -> &'static str {
    SECRETS.iter().find(|s| s.0 == name).map_or_else(|| panic!("no secret for {name}"), |s| s.1)
}

fn leaf(name: &str) -> String {
    format!("<{name}>{}</{name}>", of(name))
}

/// A clean package in which every secret stands once.
fn package(number: usize) -> (String, String) {
    let stem = format!("M140001S14002_2103{number}");
    let main = edited(
        MAIN,
        &[
            ("HM140001S14002_19031", &format!("H{stem}")),
            ("<YEAR>2019", "<YEAR>2021"),
            ("<DSCHET>2019", "<DSCHET>2021"),
            ("<SUMMAV>350.50</SUMMAV>", &format!("<SUMMAV>350.50</SUMMAV>{}", leaf("COMENTS"))),
            ("<SPOLIS>Ю-7</SPOLIS><NPOLIS>22</NPOLIS>", &format!("{}{}", leaf("SPOLIS"), leaf("NPOLIS"))),
            ("<IDDOKT>102</IDDOKT>", &leaf("IDDOKT")),
            ("<COMENTSL>Ёж &amp; ы</COMENTSL>", &leaf("COMENTSL")),
            (
                "<SUMV_USL>40.50</SUMV_USL><PRVS>49</PRVS><CODE_MD>101</CODE_MD>",
                &format!("<SUMV_USL>40.50</SUMV_USL><PRVS>49</PRVS>{}{}", leaf("CODE_MD"), leaf("COMENTU")),
            ),
            (
                "<SUMV>250.00</SUMV>",
                &format!(
                    "<SUMV>250.00</SUMV><SANK><S_CODE>1</S_CODE><S_SUM>1.00</S_SUM><S_TIP>1</S_TIP><DATE_ACT>2021-04-01</DATE_ACT><NUM_ACT>1</NUM_ACT>{}<S_IST>1</S_IST></SANK>",
                    leaf("S_COM")
                ),
            ),
        ],
    );
    let first: String = ["FAM", "IM", "OT"].map(leaf).concat();
    let rest: String = ["DR", "TEL", "FAM_P", "IM_P", "OT_P"].map(leaf).concat();
    let documents: String = ["DOCSER", "DOCNUM", "DOCDATE", "DOCORG", "SNILS"].map(leaf).concat();
    let person = format!("{first}<W>2</W>{rest}<W_P>2</W_P>{}{}<DOCTYPE>14</DOCTYPE>{documents}{}", leaf("DR_P"), leaf("MR"), leaf("COMENTP"));
    let persons = edited(
        PERSONS,
        &[
            ("<VERSION>3.1", "<VERSION>3.2"),
            ("LM140001S14002_19031", &format!("L{stem}")),
            ("HM140001S14002_19031", &format!("H{stem}")),
            ("<FAM>Выдумкина</FAM><IM>Анна</IM><OT>Ивановна</OT><W>2</W><DR>1980-05-17</DR>", &person),
        ],
    );
    (main, persons)
}

/// The element spoiled in one way: what is put in its place, and what at the head of the file.
fn ways(name: &str, value: &str) -> Vec<(String, &'static str)> {
    let whole = format!("<{name}>{value}</{name}>");
    let inside = |text: String| format!("<{name}>{text}</{name}>");
    vec![
        (inside(format!("{value}~#")), ""),
        (inside(value.repeat(60)), ""),
        (inside(value.repeat(3000)), ""),
        (format!("{whole}{whole}"), ""),
        (format!("<{name} a=\"{value}\">{value}</{name}>"), ""),
        (inside(format!("<X>{value}</X>")), ""),
        (format!("{value}{whole}"), ""),
        (format!("<!-- {value} --><?x {value}?><{name}></{name}>"), ""),
        (format!("<{name}X>{value}</{name}X><БЯ>{value}</БЯ>"), ""),
        (String::new(), "misplaced"),
        (inside(format!("{value} & {value}")), ""),
        (inside(format!("&{value};")), ""),
        (inside(format!("{value} < {value}")), ""),
        (inside(format!("{value} <{value}")), ""),
        (format!("<{name}>{value}</ {value}>"), ""),
        (format!("<{name}>{value}</{value}>"), ""),
        (inside(format!("{value}\u{1}")), ""),
        (inside(format!("{value}\u{98}")), ""),
        (format!("{whole}<БЯ/>"), ""),
        (inside(format!("<![CDATA[{value}]]>~")), ""),
        (format!("<{name}>{value}"), "cut"),
        (format!("<{name} a={value}>{value}</{name}>"), ""),
    ]
}

/// Writes one package for each way to spoil each element; gives their names.
fn write_all(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for (name, value) in SECRETS {
        for (way, (with, how)) in ways(name, value).into_iter().enumerate() {
            let number = names.len() + 1;
            let (mut main, mut persons) = package(number);
            let file = if persons.contains(&leaf(name)) { &mut persons } else { &mut main };
            *file = edited(file, &[(&leaf(name), &with)]);
            match how {
                "misplaced" => *file = edited(file, &[("</VERSION>", &format!("</VERSION>{}", leaf(name)))]),
                "cut" => file.truncate(file.find(&with).expect("it stands there") + with.len()),
                _ => {}
            }
            let stem = format!("M140001S14002_2103{number}");
            let to = folder.join(format!("{name}-{way}"));
            fs::create_dir_all(&to).expect("a folder");
            fs::write(to.join(format!("H{stem}.xml")), encoded(&main)).expect("written");
            fs::write(to.join(format!("L{stem}.xml")), encoded(&persons)).expect("written");
            names.push(format!("{name}-{way}"));
        }
    }
    names
}

/// Exit code, and both streams as one text.
fn run(folder: &Path, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_puomp"));
    for variable in ["LC_ALL", "LC_MESSAGES", "LANG", "PUOMP_LANG", "PUOMP_RULES", "NO_COLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(variable);
    }
    let output = command.current_dir(folder).arg("validate").args(args).output().expect("started");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().expect("a code"), text)
}

/// The secrets that a text shows, whole or but for what stands around a character.
fn shown(text: &str) -> Vec<&'static str> {
    let parts = SECRETS.iter().flat_map(|(_, value)| [*value].into_iter().chain(value.split(' ').filter(|p| p.chars().count() > 5)));
    parts.filter(|part| text.contains(part)).collect()
}

#[test]
fn the_secrets_stand_in_a_clean_package() {
    let folder = tempfile::tempdir().expect("a folder");
    let (main, persons) = package(1);
    fs::write(folder.path().join("HM140001S14002_21031.xml"), encoded(&main)).expect("written");
    fs::write(folder.path().join("LM140001S14002_21031.xml"), encoded(&persons)).expect("written");
    // The secrets are of no book and no care: only the structure finds nothing in them.
    let (code, text) = run(folder.path(), &[".", "--full", "--ignore", "001F,002F,003F,004F,005F,006F"]);
    assert_eq!(code, 0, "{text}");
    assert!(shown(&text).is_empty());
    assert_eq!(shown(&(main + &persons)).len(), shown(&SECRETS.map_text()).len());
    // Every personal element of the two formats has its secret, but for those that are absent from what a clinic sends here.
    let personal = |family, edition| DESK.format(family, edition).nodes().iter().filter(|n| n.personal).map(|n| n.name.to_string()).collect::<Vec<_>>();
    for name in personal('H', "3.1").into_iter().chain(personal('L', "3.2")).filter(|n| n != "NOVOR") {
        assert!(SECRETS.iter().any(|s| s.0 == name), "{name}");
    }
}

trait Text {
    fn map_text(&self) -> String;
}

impl Text for [(&str, &str)] {
    fn map_text(&self) -> String {
        self.iter().map(|s| s.1).collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn nothing_personal_is_shown_unasked() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = write_all(folder.path());
    for args in [
        &["."][..],
        &[".", "--full"],
        &[".", "--lang", "en", "--color", "always"],
        &[".", "--format", "json"],
        &[".", "--format", "jsonl"],
        &[".", "--format", "csv"],
        &[".", "--format", "html"],
        &[".", "--format", "sarif"],
        &[".", "--format", "junit"],
        &[".", "--protocol-dir", "protocols"],
    ] {
        let (code, text) = run(folder.path(), args);
        assert_eq!(code, 1, "{args:?}");
        assert_eq!(shown(&text), Vec::<&str>::new(), "{args:?}: {:?}", text.lines().filter(|l| !shown(l).is_empty()).take(4).collect::<Vec<_>>());
    }
    // Each alone: then every finding has its window.
    let leaks: Vec<String> = names
        .par_iter()
        .filter_map(|name| {
            let (_, text) = run(folder.path(), &[name, "--full"]);
            let shown = shown(&text);
            (!shown.is_empty()).then(|| format!("{name}: {shown:?} in {text}"))
        })
        .collect();
    assert!(leaks.is_empty(), "{} leaks, the first:\n{}", leaks.len(), leaks[..leaks.len().min(5)].join("\n"));
    // Who asks sees them.
    let (_, text) = run(folder.path(), &[".", "--full", "--show-personal", "--format", "csv"]);
    assert!(shown(&text).len() > 10, "{:?}", shown(&text));
    let _ = writeln!(std::io::stderr(), "personal data: {} packages, {} secrets, none shown", names.len(), SECRETS.len());
}
