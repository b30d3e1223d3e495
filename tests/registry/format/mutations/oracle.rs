//! The second opinion: libxml2's validator of XML Schema 1.0, many documents a call.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use puomp::registry::format::{Format, write_xsd};
use puomp::texts::Texts;

/// Documents a call: the command line has an end.
const BATCH: usize = 1000;

/// Fails with a clear word where there is no `xmllint`.
pub(crate) fn must_be_here() {
    let version = Command::new("xmllint").arg("--version").output();
    assert!(version.is_ok_and(|o| o.status.success()), "there is no xmllint (Debian: libxml2-utils; tests/README.md)");
}

/// For each document whether the schema of the format accepts it.
pub(crate) fn verdicts<'a>(format: &Format, documents: impl Iterator<Item = &'a [u8]>) -> Vec<bool> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut schema = Vec::new();
    write_xsd(format, Texts::built_in(), &mut schema).expect("memory takes it");
    fs::write(folder.path().join("format.xsd"), schema).expect("written");
    let documents: Vec<&[u8]> = documents.collect();
    documents.chunks(BATCH).flat_map(|batch| ask(folder.path(), batch)).collect()
}

fn ask(folder: &Path, batch: &[&[u8]]) -> Vec<bool> {
    let name = |i: usize| format!("{i}.xml");
    for (i, document) in batch.iter().enumerate() {
        fs::write(folder.join(name(i)), document).expect("written");
    }
    let mut command = Command::new("xmllint");
    command.current_dir(folder).args(["--noout", "--schema", "format.xsd"]).args((0..batch.len()).map(name));
    let output = command.output().expect("xmllint runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let mut verdicts = BTreeMap::new();
    for line in said.lines() {
        if let Some(file) = line.strip_suffix(" validates") {
            verdicts.insert(file, true);
        } else if let Some(file) = line.strip_suffix(" fails to validate") {
            verdicts.insert(file, false);
        }
    }
    let verdict = |i: usize| {
        *verdicts
            .get(name(i).as_str())
            .unwrap_or_else(|| panic!("xmllint says nothing of document {i}: {}", said.lines().take(5).collect::<Vec<_>>().join("\n")))
    };
    (0..batch.len()).map(verdict).collect()
}
