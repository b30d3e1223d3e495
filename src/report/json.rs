//! `--format json`: one document with schema 1.
//!
//! Packages precede findings in the document, but both arrive package by package: findings are kept in a temporary file until the end.

use std::io::{self, Seek as _, SeekFrom, Write};

use serde::Serialize;
use tempfile::SpooledTempFile;

use super::wire::{Entry, Package, Rules, SCHEMA, Summary, TOOL, Timings, books, not_executed};
use super::{Ending, Report, RuleSet, shown};
use crate::finding::Catalog;
use crate::flk::PackageReport;

const IN_MEMORY: usize = 4 << 20;

/// Writes the JSON report.
#[derive(Debug)]
pub struct Json<'a, W> {
    out: W,
    catalog: &'a Catalog,
    show_personal: bool,
    packages: u64,
    findings: io::BufWriter<SpooledTempFile>,
    found: u64,
}

impl<'a, W: Write> Json<'a, W> {
    /// Begins the report.
    ///
    /// # Errors
    /// The target cannot be written.
    pub fn new(mut out: W, rules: &RuleSet, catalog: &'a Catalog, show_personal: bool) -> io::Result<Self> {
        let rules = Rules::new(rules);
        write!(out, "{{\"schema\":{SCHEMA},\n\"tool\":{},\n\"rules\":{},\n\"packages\":[", json(&TOOL)?, json(&rules)?)?;
        Ok(Self { out, catalog, show_personal, packages: 0, findings: io::BufWriter::new(tempfile::spooled_tempfile(IN_MEMORY)), found: 0 })
    }
}

impl<W: Write> Report for Json<'_, W> {
    fn package(&mut self, report: &PackageReport) -> io::Result<()> {
        write!(self.out, "{}{}", separator(&mut self.packages), json(&Package::new(report))?)?;
        for finding in report.findings.iter()? {
            let finding = shown(finding?, self.show_personal);
            self.findings.write_all(separator(&mut self.found).as_bytes())?;
            serde_json::to_writer(&mut self.findings, &Entry::new(&finding, report, self.catalog))?;
        }
        Ok(())
    }

    fn finish(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        write!(self.out, "],\n\"findings\":[")?;
        self.findings.flush()?;
        let findings = self.findings.get_mut();
        findings.seek(SeekFrom::Start(0))?;
        io::copy(findings, &mut self.out)?;
        let (idle, summary) = (not_executed(ending.tally), Summary::new(ending.tally, self.catalog, ending.seconds, ending.hidden));
        let books = books(ending.tally);
        write!(self.out, "],\n\"not_executed\":{},\n\"books\":{},\n\"summary\":{}", json(&idle)?, json(&books)?, json(&summary)?)?;
        if let Some(timings) = ending.timings {
            write!(self.out, ",\n\"timings\":{}", json(&Timings::new(timings))?)?;
        }
        self.out.write_all(b"}\n")?;
        self.out.flush()
    }
}

/// The separator before an entry; each entry has its own line.
fn separator(count: &mut u64) -> &'static str {
    *count += 1;
    if *count == 1 { "\n" } else { ",\n" }
}

fn json(value: &impl Serialize) -> io::Result<String> {
    Ok(serde_json::to_string(value)?)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, Desk};
    use super::*;

    fn write(show_personal: bool, seconds: Option<f64>) -> String {
        let desk = Desk::new();
        let mut out = Vec::new();
        let mut report = Json::new(&mut out, &desk.rules, &desk.catalog, show_personal).expect("begun");
        desk.run(&mut report, &[samples::mixed(&desk), samples::clean(), samples::damaged(&desk)], seconds);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn the_schema_of_the_issue_key_by_key() {
        let text = write(false, Some(0.012_345));
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["summary"]["seconds"], 0.012);
        let keys = ["schema", "tool", "name", "version", "rules", "version", "date", "packages", "main", "persons", "path", "sha256"];
        let more = ["family", "edition", "period", "records", "cases", "services", "sum_kopecks", "verdict"];
        let finding = ["findings", "rule", "severity", "file", "line", "column", "offset", "path", "n_zap", "idcase", "sl_id", "idserv", "id_pac", "value"];
        let end = ["mends", "not_executed", "rule", "reason", "books", "summary", "errors", "warnings", "files", "cases", "by_rule", "by_mender", "seconds"];
        let facts = ["message", "follows_from", "card", "doctor", "unit", "subdivision", "profile", "from", "to", "sum_kopecks"];
        let mut rest = text.as_str();
        for key in keys.iter().chain(&more).chain(&finding).chain(&facts).chain(&end) {
            let quoted = format!("\"{key}\":");
            let at = rest.find(&quoted).unwrap_or_else(|| panic!("{key} is not where the schema has it"));
            rest = &rest[at + quoted.len()..];
        }
        let lengths = [&value, &value["packages"][0], &value["findings"][0], &value["summary"]].map(|v| v.as_object().expect("an object").len());
        assert_eq!(lengths, [8, 12, 24, 7]);
    }

    #[test]
    fn the_whole_report() {
        insta::assert_snapshot!(write(false, None));
    }

    #[test]
    fn personal_values_only_on_request() {
        assert!(!write(false, None).contains("Кириллов"));
        assert!(write(true, None).contains("Кириллов"));
    }
}
