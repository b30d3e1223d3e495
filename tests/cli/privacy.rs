//! No personal data where nobody asked for them.

use std::io::Read as _;

use crate::support::desk::{Desk, Package, SECRETS, wrong};

#[test]
fn default_reports_and_standard_error_show_none() {
    let desk = Desk::new();
    wrong(1).zip(&desk.path("out"));
    // Every personal element with a value that a check does not like.
    let many = Package::new(2)
        .spoil("<FAM>Незабудкина", "<FAM>Незабудкина1")
        .spoil("<IM>Аграфена", "<IM>Аграфена  Незабудкина")
        .spoil("<SNILS>900-555-176 78", "<SNILS>900-555-17 61Ы")
        .spoil("<DOCNUM>4620117</DOCNUM>", "<DOCNUM>4620117</DOCNUM><DOCNUM>4620117</DOCNUM>")
        .spoil("<DR>1951-07-23</DR>", "<DR>1951-07-23 </DR>")
        .spoil("<OT>Ильич</OT>", "<OTCH>Жаворонков</OTCH>")
        .spoil("<W>1</W>", "<!-- Жаворонков --><W a=\"Жаворонков\">1</W>Жаворонков");
    many.write(&desk.path("out"));
    for args in [
        &["--format", "human"][..],
        &["--full"],
        &["--lang", "en", "--full", "--color", "always"],
        &["--format", "json"],
        &["--format", "jsonl"],
        &["--format", "csv"],
        &["--format", "html"],
        &["--format", "sarif"],
        &["--format", "junit"],
    ] {
        let (code, out, err) = desk.run(&[&["validate", "out"], args].concat());
        assert_eq!(code, 1, "{err}");
        for secret in SECRETS {
            assert!(!out.contains(secret) && !err.contains(secret), "{args:?} shows {secret}: {out}{err}");
        }
    }
    // A workbook is an archive: its sheets are read as they are, packed they would hide everything.
    let (code, _, err) = desk.run(&["validate", "out", "--format", "xlsx", "--output", "a.xlsx"]);
    assert_eq!(code, 1, "{err}");
    let mut book = zip::ZipArchive::new(std::fs::File::open(desk.path("a.xlsx")).expect("written")).expect("an archive");
    let mut sheets = String::new();
    for at in 0..book.len() {
        book.by_index(at).expect("an entry").read_to_string(&mut sheets).expect("text");
    }
    assert!(sheets.contains("006F") || sheets.contains("V0"), "the findings are there");
    for secret in SECRETS {
        assert!(!sheets.contains(secret), "xlsx shows {secret}");
    }
    let (_, out, _) = desk.run(&["validate", "out", "--show-personal", "--full"]);
    assert!(out.contains("Иннокентьевна") && out.contains("1951-07-2Э"), "{out}");
}
