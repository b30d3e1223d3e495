//! `--format jsonl`: one line for each finding, and a last line with the summary and everything else that the JSON report has.

use std::io::{self, Write};

use serde::Serialize;

use super::wire::{Book, Entry, NotExecuted, Package, Rules, SCHEMA, Summary, TOOL, Timings, Tool, books, not_executed};
use super::{Ending, Report, RuleSet, shown};
use crate::finding::Catalog;
use crate::flk::PackageReport;

/// Writes the JSON lines.
#[derive(Debug)]
pub struct Jsonl<'a, W> {
    out: W,
    rules: RuleSet,
    catalog: &'a Catalog,
    show_personal: bool,
    packages: Vec<Package>,
}

#[derive(Serialize)]
struct Last<'a> {
    schema: u32,
    tool: Tool,
    rules: Rules,
    packages: &'a [Package],
    not_executed: Vec<NotExecuted<'a>>,
    books: Vec<Book<'a>>,
    summary: Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    timings: Option<Timings>,
}

impl<'a, W: Write> Jsonl<'a, W> {
    /// Begins the report.
    pub fn new(out: W, rules: &RuleSet, catalog: &'a Catalog, show_personal: bool) -> Self {
        Self { out, rules: rules.clone(), catalog, show_personal, packages: Vec::new() }
    }
}

impl<W: Write> Report for Jsonl<'_, W> {
    fn package(&mut self, report: &PackageReport) -> io::Result<()> {
        for finding in report.findings.iter()? {
            let finding = shown(finding?, self.show_personal);
            serde_json::to_writer(&mut self.out, &Entry::new(&finding, report, self.catalog))?;
            self.out.write_all(b"\n")?;
        }
        self.packages.push(Package::new(report));
        Ok(())
    }

    fn finish(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        let last = Last {
            schema: SCHEMA,
            tool: TOOL,
            rules: Rules::new(&self.rules),
            packages: &self.packages,
            not_executed: not_executed(ending.tally),
            books: books(ending.tally),
            summary: Summary::new(ending.tally, self.catalog, ending.seconds, ending.hidden),
            timings: ending.timings.map(Timings::new),
        };
        serde_json::to_writer(&mut self.out, &last)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, Desk};
    use super::*;

    #[test]
    fn every_line_is_json_and_the_last_one_the_summary() {
        let desk = Desk::new();
        let mut out = Vec::new();
        let mut report = Jsonl::new(&mut out, &desk.rules, &desk.catalog, false);
        desk.run(&mut report, &[samples::mixed(&desk), samples::clean()], None);
        let text = String::from_utf8(out).expect("UTF-8");
        let lines: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
        let (last, findings) = lines.split_last().expect("lines");
        assert_eq!(findings.len() as u64, samples::mixed(&desk).findings.len());
        assert!(findings.iter().all(|f| f["rule"].is_string() && f.as_object().expect("an object").len() == 24));
        assert_eq!((last["schema"].as_u64(), last["packages"].as_array().map(Vec::len), last["summary"]["files"].as_u64()), (Some(1), Some(2), Some(4)));
        assert!(!text.contains("Кириллов"));
    }
}
