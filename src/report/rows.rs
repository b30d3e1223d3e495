//! The rows of findings in tables, the same for CSV and Excel.

use super::columns::fields;
use super::wire::Entry;
use super::xlsx::Cell;
use crate::finding::{Catalog, Finding};
use crate::flk::PackageReport;
use crate::texts::{Lang, Texts};
use crate::values::Date;

fields!(
    /// Columns of a finding.
    pub OfFinding,
    "report",
    "findings",
    Package,
    Rule,
    Severity,
    File,
    Line,
    Column,
    Offset,
    Path,
    NZap,
    Idcase,
    SlId,
    Idserv,
    IdPac,
    Card,
    Doctor,
    Unit,
    Subdivision,
    Profile,
    From,
    To,
    Sum,
    Value,
    Message,
    Advice,
    FollowsFrom,
    Mends
);

/// One finding as a row.
#[derive(Debug)]
pub(super) struct Row<'a> {
    entry: Entry<'a>,
    package: &'a str,
    severity: String,
    mends: String,
    advice: String,
}

impl<'a> Row<'a> {
    /// The row for a program: words as in JSON. Takes the finding as it is, so the caller masks it first.
    pub(super) fn new(finding: &'a Finding, report: &'a PackageReport, catalog: &'a Catalog) -> Self {
        let entry = Entry::new(finding, report, catalog);
        let severity = entry.severity.to_owned();
        let mends = entry.mends.to_owned();
        Self { entry, package: &report.path, severity, mends, advice: finding.advice(catalog.rule(finding.rule), Lang::Ru) }
    }

    /// The row for people in a language.
    pub(super) fn in_words(finding: &'a Finding, report: &'a PackageReport, catalog: &'a Catalog, texts: &Texts, lang: Lang) -> Self {
        let rule = catalog.rule(finding.rule);
        let mut row = Self::new(finding, report, catalog);
        row.severity = texts.severity(rule.severity, lang).to_owned();
        row.mends = rule.mends.name(texts, lang).to_owned();
        if lang != Lang::Ru {
            row.entry.message = finding.message(rule, lang);
            row.advice = finding.advice(rule, lang);
        }
        row
    }

    /// The cell in a column.
    pub(super) fn cell(&self, field: OfFinding) -> Cell {
        let e = &self.entry;
        let text = |text: Option<&str>| Cell::Text(text.unwrap_or_default().to_owned());
        let count = |number: Option<u64>| number.and_then(|n| i64::try_from(n).ok()).map_or_else(|| Cell::Text(String::new()), Cell::Number);
        let number = |own: Option<&str>| own.and_then(plain_number).map_or_else(|| text(own), Cell::Number);
        let day = |own: Option<&str>| own.and_then(Date::parse).map_or_else(|| text(own), Cell::Day);
        match field {
            OfFinding::Package => Cell::Text(self.package.to_owned()),
            OfFinding::Rule => text(Some(e.rule)),
            OfFinding::Severity => text(Some(&self.severity)),
            OfFinding::File => text(Some(e.file)),
            OfFinding::Line => count(e.line.map(u64::from)),
            OfFinding::Column => count(e.column.map(u64::from)),
            OfFinding::Offset => count(e.offset),
            OfFinding::Path => text(e.path),
            OfFinding::NZap => number(e.n_zap),
            OfFinding::Idcase => number(e.idcase),
            OfFinding::SlId => text(e.sl_id),
            OfFinding::Idserv => text(e.idserv),
            OfFinding::IdPac => text(e.id_pac),
            OfFinding::Card => text(e.card),
            OfFinding::Doctor => text(e.doctor),
            OfFinding::Unit => text(e.unit),
            OfFinding::Subdivision => text(e.subdivision),
            OfFinding::Profile => text(e.profile),
            OfFinding::From => day(e.from),
            OfFinding::To => day(e.to),
            OfFinding::Sum => e.sum_kopecks.map_or_else(|| Cell::Text(String::new()), Cell::Money),
            OfFinding::Value => text(e.value),
            OfFinding::Message => text(Some(&e.message)),
            OfFinding::Advice => text(Some(&self.advice)),
            OfFinding::FollowsFrom => text(e.follows_from),
            OfFinding::Mends => text(Some(&self.mends)),
        }
    }
}

/// A running number as a number that is written the same way; long ones, and those with leading zeros, stay texts.
fn plain_number(text: &str) -> Option<i64> {
    let is_plain = (1..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    is_plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_running_numbers_are_numbers() {
        assert_eq!(["57", "0", "007", "", "1a", "1234567890123"].map(plain_number), [Some(57), Some(0), None, None, None, None]);
    }
}
