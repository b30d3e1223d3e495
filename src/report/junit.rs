//! `--format junit`: test results as build systems read them. A package is a suite, a broken rule a test. It does not change with the language.

use std::io::{self, Write};

use quick_xml::escape::escape;

use super::group::{Ruled, by_rule};
use super::wire::Entry;
use super::{Ending, Report, shown, tidy};
use crate::finding::{Catalog, FileRole};
use crate::flk::PackageReport;
use crate::report::book::in_general;
use crate::texts::{Lang, Severity};

/// Most places named for a rule at one element.
const PLACES: u64 = 100;

/// Writes the results.
#[derive(Debug)]
pub struct Junit<'a, W> {
    out: W,
    catalog: &'a Catalog,
    show_personal: bool,
}

impl<'a, W: Write> Junit<'a, W> {
    /// Begins the results.
    ///
    /// # Errors
    /// The target cannot be written.
    pub fn new(mut out: W, catalog: &'a Catalog, show_personal: bool) -> io::Result<Self> {
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\">", env!("CARGO_PKG_NAME"))?;
        Ok(Self { out, catalog, show_personal })
    }

    /// Writes a rule as a test. Only errors fail it; warnings and notes are its output.
    fn rule(&mut self, report: &PackageReport, ruled: &Ruled) -> io::Result<()> {
        let rule = self.catalog.rule(ruled.rule);
        let text = in_general(rule.text.get(Lang::Ru));
        writeln!(self.out, "  <testcase classname=\"{}\" name=\"{}\">", xml(&report.path), xml(&format!("{} {text}", rule.id)))?;
        let end = if rule.severity == Severity::Error {
            write!(self.out, "    <failure type=\"{}\" message=\"{}\">", xml(&rule.id), xml(&format!("{text} × {}", ruled.count)))?;
            "failure"
        } else {
            write!(self.out, "    <system-out>")?;
            "system-out"
        };
        let mut named = 0;
        for group in &ruled.elements {
            for finding in group.places.iter()? {
                let finding = shown(finding?, self.show_personal);
                let entry = Entry::new(&finding, report, self.catalog);
                let place = entry.line.map_or_else(String::new, |line| format!(":{line}:{}", entry.column.unwrap_or(0)));
                let keys = [("n_zap", entry.n_zap), ("idcase", entry.idcase), ("card", entry.card)];
                let keys: String = keys.iter().filter_map(|(name, key)| key.map(|key| format!(" {name} {key}"))).collect();
                writeln!(self.out, "{}", xml(&format!("{}{place}{keys}: {}", entry.file, entry.message)))?;
                named += 1;
            }
        }
        if named < ruled.count {
            writeln!(self.out, "… + {}", ruled.count - named)?;
        }
        let advice = in_general(rule.advice.get(Lang::Ru));
        writeln!(self.out, "{}</{end}>\n  </testcase>", xml(&advice))
    }
}

/// A text as XML may hold it.
fn xml(text: &str) -> String {
    escape(tidy(text)).into_owned()
}

impl<W: Write> Report for Junit<'_, W> {
    fn package(&mut self, report: &PackageReport) -> io::Result<()> {
        let rules = by_rule(&report.findings, self.catalog, PLACES, self.show_personal, false)?;
        let failures = rules.iter().filter(|r| self.catalog.rule(r.rule).severity == Severity::Error).count();
        let (name, tests) = (xml(report.file_name(FileRole::Container)), rules.len().max(1));
        writeln!(self.out, "<testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\">")?;
        if rules.is_empty() {
            writeln!(self.out, "  <testcase classname=\"{}\" name=\"{name}\"/>", xml(&report.path))?;
        }
        for ruled in &rules {
            self.rule(report, ruled)?;
        }
        writeln!(self.out, "</testsuite>")
    }

    fn finish(&mut self, _ending: &Ending<'_>) -> io::Result<()> {
        writeln!(self.out, "</testsuites>")?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, Desk};
    use super::*;

    #[test]
    fn a_package_is_a_suite_and_a_rule_a_test() {
        let desk = Desk::new();
        let mut out = Vec::new();
        let mut report = Junit::new(&mut out, &desk.catalog, false).expect("begun");
        desk.run(&mut report, &[samples::mixed(&desk), samples::clean(), samples::damaged(&desk)], None);
        let text = String::from_utf8(out).expect("UTF-8");
        let counted = |name: &str| -> u64 { text.split(&format!("{name}=\"")).skip(1).filter_map(|rest| rest.split('"').next()?.parse::<u64>().ok()).sum() };
        assert_eq!((counted("tests"), counted("failures")), (text.matches("<testcase ").count() as u64, text.matches("<failure ").count() as u64));
        assert!(!text.contains("Кириллов"));
        insta::assert_snapshot!(text);
    }
}
