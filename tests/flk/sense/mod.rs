//! What common sense sees (`rules/sense/`): each row of `rows.csv` spoils a record of a sound invented package so that its rule, and no other but those
//! beside it, speaks; the same edit with a right value, at the border of the rule where it has one, is silent.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use puomp::registry::encoding::Encoding;
use puomp::rules::{RULE_TABLES, load};
use puomp::tables::RuleFiles;
use puomp::texts::Severity;
use serde::Deserialize;

use super::samples::told;
use crate::support::pair::encoded;

/// A row of `rows.csv`.
#[derive(Debug, Deserialize)]
struct Row {
    id: String,
    /// Word of [`PACKAGES`].
    package: String,
    /// The file whose record is edited, `H` or `L`.
    file: String,
    /// What stands in that record.
    #[serde(rename = "where")]
    of: String,
    /// Edits, divided by `; `: `A=text` sets the first A of the record, `B/A=text` the first one behind B, `L:A=text` that of the record's person; `copy`
    /// repeats the record and edits the copy.
    wrong: String,
    right: String,
    /// Rules that speak of the edits too; `*` where the record is not sound otherwise.
    beside: String,
    what: String,
}

/// The packages: family, month and number of cases.
const PACKAGES: [(&str, [&str; 3]); 4] =
    [("H", ["H", "2026-02", "6000"]), ("H-2021", ["H", "2021-02", "300"]), ("T", ["T", "2026-02", "100"]), ("DP", ["DP", "2026-02", "100"])];

/// Rules that no document here can break, with the reason.
const NOT_HERE: [(&str, &str); 2] = [("L031", "needs an imported book; see the last but one test"), ("L036", "is about whole packages; see the last test")];

/// A package's files by name.
type Files = BTreeMap<String, String>;

fn made(folder: &Path, [family, period, cases]: [&str; 3]) -> Files {
    let options = ["--plain", "--period", period, "--cases", cases, "--seed", "7", "--family", family];
    let made = Command::new(env!("CARGO_BIN_EXE_puomp")).arg("generate").args(options).arg(folder).output().expect("started");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let read = |entry: fs::DirEntry| {
        let text = Encoding::Windows1251.decode(&fs::read(entry.path()).expect("read")).into_owned();
        (entry.file_name().into_string().expect("a name"), text)
    };
    fs::read_dir(folder).expect("read").map(|entry| read(entry.expect("read"))).collect()
}

/// The first unit of a file that holds a text.
fn unit(text: &str, [open, close]: [&str; 2], of: &str) -> Range<usize> {
    let mut at = text.find(open).expect("a record");
    let found = text[at..].split_inclusive(close).find_map(|unit| {
        at += unit.len();
        unit.contains(of).then_some(at - unit.len()..at)
    });
    found.unwrap_or_else(|| panic!("no record with {of}"))
}

/// Sets the first element of a name in a range of a text; returns the range of the changed text.
fn set(text: &mut String, range: Range<usize>, name: &str, value: &str) -> Range<usize> {
    let mut from = range.start;
    for block in name.split('/') {
        from += text[from..range.end].find(&format!("<{block}>")).unwrap_or_else(|| panic!("no {name}")) + block.len() + 2;
    }
    let to = from + text[from..range.end].find("</").expect("closed");
    text.replace_range(from..to, value);
    // What was put in may have left its own element.
    let opened = value.rsplit_once('<').and_then(|(_, tag)| tag.split_once('>')).map(|(tag, _)| tag);
    let grown = range.end + value.len() - (to - from);
    match opened {
        Some(tag) => {
            let close = from + value.len();
            let old = text[close..].find('>').expect("closed") + 1;
            let new = format!("</{tag}>");
            text.replace_range(close..close + old, &new);
            range.start..grown + new.len() - old
        }
        None => range.start..grown,
    }
}

const RECORD: [&str; 2] = ["<ZAP>", "</ZAP>"];
const PERSON: [&str; 2] = ["<PERS>", "</PERS>"];

/// The package with the edits of a row.
fn edited(files: &Files, row: &Row, edits: &str) -> Files {
    let mut files = files.clone();
    let (persons, main): (Vec<String>, Vec<String>) = files.keys().cloned().partition(|name| name.starts_with('L'));
    let (name, of) = if row.file == "L" { (&persons[0], PERSON) } else { (&main[0], RECORD) };
    let text = files.get_mut(name).expect("there");
    let mut place = unit(text, of, &row.of);
    let record = text[place.clone()].to_owned();
    for edit in edits.split("; ") {
        match edit.split_once('=') {
            None => {
                assert_eq!(edit, "copy");
                text.insert_str(place.end, &record);
                place = place.end..place.end + record.len();
            }
            Some((name, value)) if !name.starts_with("L:") => place = set(text, place, name, value),
            Some(_) => {}
        }
    }
    for (name, value) in edits.split("; ").filter_map(|edit| edit.strip_prefix("L:")?.split_once('=')) {
        let id = record.split_once("<ID_PAC>").and_then(|(_, rest)| rest.split_once('<')).expect("an ID_PAC").0;
        let text = files.get_mut(&persons[0]).expect("there");
        let place = unit(text, PERSON, id);
        set(text, place, name, value);
    }
    files
}

fn said(files: &Files) -> BTreeSet<String> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), encoded(text)).expect("written");
    }
    told(folder.path(), Severity::Info)
}

#[test]
fn each_rule_of_common_sense_speaks_of_its_fault_alone() {
    let rows: Vec<Row> = csv::Reader::from_reader(include_str!("rows.csv").as_bytes()).deserialize().collect::<Result<_, _>>().expect("a sound list");
    let folder = tempfile::tempdir().expect("a folder");
    let packages: BTreeMap<&str, Files> = PACKAGES.iter().map(|(word, options)| (*word, made(&folder.path().join(word), *options))).collect();
    for (word, files) in &packages {
        assert_eq!(said(files), BTreeSet::new(), "{word} is sound");
    }
    let mut wrong = Vec::new();
    for row in &rows {
        let beside: BTreeSet<String> = row.beside.split_whitespace().map(str::to_owned).collect();
        let fits = |said: &BTreeSet<String>, due: bool| {
            said.contains(&row.id) == due && (row.beside == "*" || said.iter().all(|id| *id == row.id || beside.contains(id)))
        };
        for (edits, due) in [(&row.wrong, true), (&row.right, false)] {
            let said = said(&edited(&packages[row.package.as_str()], row, edits));
            if !fits(&said, due) {
                wrong.push(format!("{}: {}: «{edits}»: {said:?}", row.id, row.what));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let proven: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).chain(NOT_HERE.map(|(id, _)| id)).collect();
    let table: BTreeSet<String> =
        load(&RuleFiles::embedded(), RULE_TABLES).expect("sound").into_iter().map(|row| row.id).filter(|id| id.starts_with('L')).collect();
    let unproven: Vec<&String> = table.iter().filter(|id| !proven.contains(id.as_str())).collect();
    assert!(unproven.is_empty(), "no row proves {unproven:?}");
}

#[test]
fn a_service_that_the_nomenclature_lacks_is_told_once_the_book_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let (books, package) = (folder.path().join("books"), folder.path().join("package"));
    let files = made(&package, ["H", "2026-02", "20"]);
    let main = files.iter().find(|(name, _)| name.starts_with('H')).expect("a main file").1;
    let codes: BTreeSet<&str> = main.split("<CODE_USL>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
    let lacking = *codes.first().expect("a service");
    let rows = codes.iter().skip(1).map(|code| format!("{code};Проба;2012-01-01;\n"));
    let book = folder.path().join("V001.csv");
    fs::write(&book, rows.fold("S_CODE;S_NAME;DATEBEG;DATEEND\n".to_owned(), |all, row| all + &row)).expect("written");
    let puomp = |args: &[&OsStr]| Command::new(env!("CARGO_BIN_EXE_puomp")).env("PUOMP_BOOKS", &books).args(args).output().expect("started");
    let imported = puomp(&["nsi".as_ref(), "import".as_ref(), book.as_ref()]);
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let said = puomp(&["validate".as_ref(), "--format".as_ref(), "jsonl".as_ref(), package.as_ref()]);
    let said = String::from_utf8(said.stdout).expect("text");
    let of_book: Vec<&str> = said.lines().filter(|line| line.starts_with(r#"{"rule":"L031""#)).collect();
    assert!(!of_book.is_empty() && of_book.iter().all(|line| line.contains(lacking)), "{of_book:?}");
}

#[test]
fn a_copy_of_a_package_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (folder.path().join("a"), folder.path().join("b"));
    let files = made(&first, ["H", "2026-02", "20"]);
    fs::create_dir(&second).expect("made");
    for name in files.keys() {
        fs::copy(first.join(name), second.join(name)).expect("copied");
    }
    assert_eq!(told(folder.path(), Severity::Info), BTreeSet::from(["L036".to_owned()]));
    let mut other = files;
    other.values_mut().for_each(|text| *text = text.replace("<PR_NOV>0</PR_NOV>\r\n<PACIENT>", "<PR_NOV>1</PR_NOV>\r\n<PACIENT>"));
    for (name, text) in &other {
        fs::write(second.join(name), encoded(text)).expect("written");
    }
    assert!(!told(folder.path(), Severity::Info).contains("L036"), "of one size, but not the same");
}
