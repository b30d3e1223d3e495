//! No personal data where nobody asked for them.

use crate::support::desk::{Desk, Package, SECRETS, wrong};

#[test]
fn default_reports_and_standard_error_show_none() {
    let desk = Desk::new();
    wrong(1).zip(&desk.path("out"));
    // Every personal element with a value that a check does not like.
    let many = Package::new(2)
        .spoil("<FAM>Незабудкина", "<FAM>Незабудкина1")
        .spoil("<IM>Аграфена", "<IM>Аграфена  Незабудкина")
        .spoil("<SNILS>900-555-176 61", "<SNILS>900-555-17 61Ы")
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
    ] {
        let (code, out, err) = desk.run(&[&["validate", "out"], args].concat());
        assert_eq!(code, 1, "{err}");
        for secret in SECRETS {
            assert!(!out.contains(secret) && !err.contains(secret), "{args:?} shows {secret}: {out}{err}");
        }
    }
    let (_, out, _) = desk.run(&["validate", "out", "--show-personal", "--full"]);
    assert!(out.contains("Иннокентьевна") && out.contains("1951-07-2Э"), "{out}");
}
