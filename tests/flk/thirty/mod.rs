//! Thirty faults as clinics make them, each alone in an invented package of three thousand cases: each is found, at its place, as one finding.
//! `faults.csv` lists them, and the snapshot beside it has what the program says of each in Russian.

use std::fs;
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use encoding_rs::IBM866;
use puomp::registry::encoding::Encoding;
use serde::Deserialize;
use serde_json::Value;

use crate::support::pair::encoded;

/// A row of `faults.csv`.
#[derive(Debug, Deserialize)]
struct Fault {
    n: u32,
    what: String,
    /// The file that is edited: `H` or `L`; none where the fault is made of whole files.
    file: String,
    /// What stands in the record that is edited; none where it is the head.
    #[serde(rename = "where")]
    of: String,
    /// What is replaced, the first time that it stands there. `*` stands for any text.
    from: String,
    /// What comes in its place, where `*` is the text that stood there; or what is done with the files.
    to: String,
    /// The element of the finding; none where it is about a file.
    element: String,
}

/// The files of a sound package, by their letter.
struct Package {
    main: String,
    persons: String,
}

const STEM: &str = "M140001S14002_26021";
const RECORD: [&str; 2] = ["<ZAP>", "</ZAP>"];
const PERSON: [&str; 2] = ["<PERS>", "</PERS>"];

impl Package {
    fn made(folder: &Path) -> Self {
        let options = ["--plain", "--period", "2026-02", "--cases", "3000", "--seed", "7", "--family", "H", "--edition", "6.0"];
        let made = Command::new(env!("CARGO_BIN_EXE_puomp")).arg("generate").args(options).arg(folder).output().expect("started");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let read = |letter: &str| {
            let path = folder.join(name(letter));
            let text = Encoding::Windows1251.decode(&fs::read(&path).expect("read")).into_owned();
            fs::remove_file(path).expect("removed");
            text
        };
        Self { main: read("H"), persons: read("L") }
    }
}

/// The name of the package's file of a letter.
fn name(letter: &str) -> String {
    format!("{letter}{STEM}.xml")
}

/// The first occurrence of a pattern, where `*` stands for any text: where it is, and what `*` is.
fn found<'t>(text: &'t str, pattern: &str) -> Option<(Range<usize>, &'t str)> {
    let (before, behind) = pattern.split_once('*').unwrap_or((pattern, ""));
    let from = text.find(before)?;
    let star = from + before.len();
    let end = star + text[star..].find(behind)?;
    Some((from..end + behind.len(), &text[star..end]))
}

/// The text of a file with a fault in it, and the lines of the record in which the fault is.
fn spoilt(text: &str, [open, close]: [&str; 2], fault: &Fault) -> (String, Range<usize>) {
    let (head, tail) = text.split_at(text.find(open).expect("a record"));
    let unit = if fault.of.is_empty() {
        0..head.len()
    } else {
        let mut at = head.len();
        tail.split_inclusive(close)
            .find_map(|unit| {
                at += unit.len();
                (unit.contains(&fault.of) && found(unit, &fault.from).is_some()).then_some(at - unit.len()..at)
            })
            .expect("a record with what the fault needs")
    };
    let (place, star) = found(&text[unit.clone()], &fault.from).expect("what is replaced");
    let place = unit.start + place.start..unit.start + place.end;
    let changed = format!("{}{}{}", &text[..place.start], fault.to.replace('*', star), &text[place.end..]);
    let line = |at: usize| changed[..at].matches('\n').count() + 1;
    let lines = line(unit.start)..line(changed.len() - (text.len() - unit.end)) + 1;
    (changed, lines)
}

/// Writes a package with a fault into a folder. Returns the lines of each file in which the fault is to be found.
fn broken(package: &Package, fault: &Fault, folder: &Path) -> [Range<usize>; 2] {
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).expect("written");
    let [main_name, persons_name] = ["H", "L"].map(name);
    let (mut main, mut persons) = (Some(encoded(&package.main)), Some(encoded(&package.persons)));
    let mut lines = [0..1, 0..1];
    match (fault.file.as_str(), fault.to.as_str()) {
        ("H", "as cp866") => main = Some(IBM866.encode(&package.main).0.into_owned()),
        ("H", _) => {
            let (text, of_record) = spoilt(&package.main, RECORD, fault);
            (main, lines[0]) = (Some(encoded(&text)), of_record);
        }
        ("L", _) => {
            let (text, of_person) = spoilt(&package.persons, PERSON, fault);
            (persons, lines[1]) = (Some(encoded(&text)), of_person);
            // Where the person is gone, it is missed in the records that name it.
            lines[0] = 0..usize::MAX;
        }
        (_, "without L") => persons = None,
        (_, "without H") => main = None,
        (_, "a third file") => write(&name("P"), b"<?xml version=\"1.0\"?><MR_OB></MR_OB>"),
        (_, "an archive too") => {
            let mut archive = zip::ZipWriter::new(fs::File::create(folder.join(format!("H{STEM}.zip"))).expect("made"));
            for (name, bytes) in [(&main_name, &main), (&persons_name, &persons)] {
                archive.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).expect("begun");
                archive.write_all(bytes.as_ref().expect("there")).expect("written");
            }
            archive.finish().expect("closed");
        }
        other => panic!("nobody knows what {other:?} does"),
    }
    for (name, bytes) in [(main_name, main), (persons_name, persons)] {
        if let Some(bytes) = bytes {
            write(&name, &bytes);
        }
    }
    lines
}

#[test]
fn thirty_faults_are_one_finding_each_at_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let package = Package::made(folder.path());
    let faults: Vec<Fault> = csv::Reader::from_reader(include_str!("faults.csv").as_bytes()).deserialize().collect::<Result<_, _>>().expect("a sound list");
    let (mut wrong, mut outputs) = (Vec::new(), Vec::new());
    for fault in &faults {
        let folder = folder.path().join(fault.n.to_string());
        fs::create_dir(&folder).expect("made");
        let [of_main, of_persons] = broken(&package, fault, &folder);
        let output = Command::new(env!("CARGO_BIN_EXE_puomp")).args(["validate", "--lang", "ru", "--format", "json"]).arg(&folder).output().expect("started");
        let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        let counts = |f: &&Value| f["follows_from"].is_null() && f["severity"] != "info";
        let causes: Vec<&Value> = said["findings"].as_array().expect("a list").iter().filter(counts).collect();
        outputs.push(format!("{}. {}", fault.n, fault.what));
        let line_of = |finding: &Value| finding["line"].as_u64().map_or_else(String::new, |line| format!(":{line}"));
        let told = |f: &&Value| format!("   {} {}{} {}: {}", text(f, "severity"), text(f, "file"), line_of(f), text(f, "rule"), text(f, "message"));
        outputs.extend(causes.iter().map(told));
        let at_its_place = |finding: &&&Value| {
            let line = usize::try_from(finding["line"].as_u64().unwrap_or(0)).expect("a line");
            let lines = if text(finding, "file").starts_with('L') { &of_persons } else { &of_main };
            text(finding, "path").ends_with(&fault.element) && (fault.from.is_empty() || lines.contains(&line))
        };
        let mut rules: Vec<String> = causes.iter().map(|finding| text(finding, "rule")).collect();
        rules.dedup();
        if rules.len() != 1 || !causes.iter().all(|finding| at_its_place(&finding)) {
            wrong.push(format!(
                "{} {}: {:?}",
                fault.n,
                fault.what,
                causes.iter().map(|f| (text(f, "rule"), text(f, "path"), f["line"].clone())).collect::<Vec<_>>()
            ));
        }
    }
    assert_eq!(faults.len(), 30);
    insta::assert_snapshot!(outputs.join("\n"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
