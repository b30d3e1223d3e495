//! Findings for other programs, against the schemas of their formats, which stand in `schemas/`.

use std::process::Command;

use serde_json::Value;

use crate::support::desk::Desk;

/// What the program writes in a format about the broken samples and an invented package with every defect.
fn written(format: &str) -> String {
    let desk = Desk::new();
    let (code, ..) = desk.run(&["generate", "made", "--plain", "--cases", "200", "--defects", "0.7", "--period", "2026-02"]);
    assert_eq!(code, 0);
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/broken");
    let (code, out, err) = desk.run(&["validate", "made", samples, "--format", format]);
    assert_ne!(code, 0, "they are broken");
    assert!(!out.is_empty(), "{err}");
    out
}

#[test]
fn sarif_is_valid_and_the_schema_refuses_what_is_not() {
    let schema: Value = serde_json::from_str(include_str!("schemas/sarif-2.1.0.json")).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let mut log: Value = serde_json::from_str(&written("sarif")).expect("JSON");
    let faults: Vec<String> = schema.iter_errors(&log).map(|fault| format!("{} at {}", fault, fault.instance_path())).take(5).collect();
    assert_eq!(faults, [""; 0]);
    let results = log["runs"][0]["results"].as_array_mut().expect("results");
    assert!(results.len() > 100, "{}", results.len());
    results[0]["level"] = "wrong".into();
    assert!(!schema.is_valid(&log), "a level that SARIF does not know");
}

/// The schema of Jenkins, of which the other readers of JUnit's format are a part.
#[test]
#[ignore = "needs xmllint"]
fn junit_is_valid_and_the_schema_refuses_what_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/schemas/junit-10.xsd");
    let valid = |text: &str| {
        let path = folder.path().join("junit.xml");
        std::fs::write(&path, text).expect("written");
        let output = Command::new("xmllint").args(["--noout", "--schema", schema]).arg(&path).output().expect("xmllint is there");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let text = written("junit");
    let (is_valid, said) = valid(&text);
    assert!(is_valid, "{said}");
    assert!(text.matches("<testcase").count() > 20, "{text}");
    assert!(!valid(&text.replacen("<testcase ", "<testcase unknown=\"1\" ", 1)).0, "an attribute that the schema does not have");
}
