//! A folder of a thousand packages, fifty of them broken in ten ways: a thousand verdicts, and the broken ones named.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use puomp::generate::{Generator, Options, Packing};
use puomp::registry::format::Family;
use puomp::tables::RuleFiles;

use crate::support::pair::DESK;

/// What is done to an archive or its files, and the rule that must be told.
const WAYS: [&str; 10] = ["P004", "P002", "P003", "P015", "P016", "X002", "X003", "X004", "P014", "X001"];

fn zip(path: &Path, entries: &[(String, Vec<u8>)]) {
    let mut writer = zip::ZipWriter::new(fs::File::create(path).expect("created"));
    for (name, bytes) in entries {
        writer.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).expect("begun");
        writer.write_all(bytes).expect("written");
    }
    writer.finish().expect("finished");
}

/// The two files of an archive.
fn unzip(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(fs::File::open(path).expect("opened")).expect("an archive");
    let mut files = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).expect("an entry");
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).expect("read");
        files.push((entry.name().expect("a name").into_owned(), bytes));
    }
    files
}

fn breaks(path: &Path, rule: &str) {
    let mut files = unzip(path);
    let put = |bytes: &mut Vec<u8>, before: &str, what: &[u8]| {
        let at = bytes.windows(before.len()).position(|w| w == before.as_bytes()).expect("it stands there");
        bytes.splice(at..at, what.iter().copied());
    };
    match rule {
        "P004" => {
            let whole = fs::read(path).expect("read");
            fs::write(path, &whole[..whole.len() - 30]).expect("written");
            return;
        }
        "P002" => return fs::write(path, b"").expect("written"),
        "P003" => return fs::write(path, b"%PDF-1.7 scan of a registry").expect("written"),
        "P015" => drop(files.pop()),
        "P016" => drop(files.remove(0)),
        "P014" => files.iter_mut().for_each(|f| f.0 = f.0.replace(".xml", ".txt")),
        "X002" => {
            let length = files[0].1.len() * 2 / 3;
            files[0].1.truncate(length);
        }
        "X003" => put(&mut files[0].1, "</SCHET>", b"</SHET>"),
        "X004" => put(&mut files[1].1, "<PERS_LIST", b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'>"),
        "X001" => files[0].1 = b"no registry".to_vec(),
        other => panic!("{other}"),
    }
    zip(path, &files);
}

#[test]
fn a_thousand_packages_fifty_of_them_broken() {
    let folder = tempfile::tempdir().expect("a folder");
    let tables = RuleFiles::embedded();
    let mut broken = BTreeMap::new();
    for number in 0..1000u32 {
        let options = Options { packet: 1 + number, ..Options::new(Family('H'), "2021-02".parse().expect("a month"), 2, u64::from(number)) };
        let generator = Generator::new(&tables, &DESK.formats, &options).expect("the tables are sound");
        let summary = generator.write_into(&folder.path().join(format!("clinic {}", number % 7)), Packing::Zip).expect("written");
        if number % 20 == 7 {
            let rule = WAYS[number as usize / 20 % WAYS.len()];
            breaks(&summary.files[0], rule);
            broken.insert(summary.files[0].file_name().expect("a name").to_string_lossy().into_owned(), rule);
        }
    }
    assert_eq!(broken.len(), 50);
    let mut outputs = Vec::new();
    for jobs in ["1", "2", "8"] {
        let output = Command::new(env!("CARGO_BIN_EXE_puomp"))
            .current_dir(folder.path())
            .args(["validate", ".", "--format", "json", "--no-timing", "--threads", jobs])
            .output()
            .expect("started");
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        outputs.push(output.stdout);
    }
    assert!(outputs.windows(2).all(|w| w[0] == w[1]), "the same bytes for 1, 2 and 8 threads");
    let report: serde_json::Value = serde_json::from_slice(&outputs[0]).expect("JSON");
    let packages = report["packages"].as_array().expect("a list");
    assert_eq!(packages.len(), 1000, "a verdict on each");
    let mut verdicts: BTreeMap<&str, u32> = BTreeMap::new();
    for package in packages {
        let verdict = package["verdict"].as_str().expect("a verdict");
        *verdicts.entry(verdict).or_default() += 1;
        let name = package["path"].as_str().expect("a path").rsplit(['/', '\\']).next().expect("a name");
        assert_eq!(broken.contains_key(name), verdict != "clean", "{package}");
    }
    // Each broken one is named, by the rule that its way breaks.
    let text = String::from_utf8(outputs.swap_remove(0)).expect("text");
    for (name, rule) in &broken {
        let stem = name.trim_end_matches(".zip");
        let findings = report["findings"].as_array().expect("a list");
        let own = findings.iter().filter(|f| f["file"].as_str().is_some_and(|file| file[1..].starts_with(&stem[1..])));
        let rules: Vec<&str> = own.map(|f| f["rule"].as_str().expect("an id")).collect();
        assert!(rules.contains(rule), "{name}: {rules:?}, not {rule}");
        assert!(text.contains(name.as_str()));
    }
    let _ = writeln!(std::io::stderr(), "batch: 1000 packages, {verdicts:?}, all 50 broken ones named");
}
