//! `--format csv`: one row for each finding, for Excel.

use std::io::{self, Write};

use super::columns::{Columns, fields};
use super::table::Table;
use super::wire::Entry;
use super::{Ending, Report, shown};
use crate::finding::Catalog;
use crate::flk::PackageReport;
use crate::texts::Lang;

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
    Value,
    Message,
    FollowsFrom,
    Mends
);

/// Writes the table.
#[derive(Debug)]
pub struct Csv<'a, W: Write> {
    out: Table<W>,
    columns: &'a Columns<OfFinding>,
    catalog: &'a Catalog,
    show_personal: bool,
}

impl<'a, W: Write> Csv<'a, W> {
    /// Begins the table with the titles of its columns in a language.
    ///
    /// # Errors
    /// The target cannot be written.
    pub fn new(out: W, columns: &'a Columns<OfFinding>, lang: Lang, catalog: &'a Catalog, show_personal: bool) -> io::Result<Self> {
        Ok(Self { out: columns.begin(out, lang)?, columns, catalog, show_personal })
    }
}

impl<W: Write> Report for Csv<'_, W> {
    fn package(&mut self, report: &PackageReport) -> io::Result<()> {
        for finding in report.findings.iter()? {
            let finding = shown(finding?, self.show_personal);
            let entry = Entry::new(&finding, report, self.catalog);
            self.columns.row(&mut self.out, |field| cell(field, &entry, report))?;
        }
        Ok(())
    }

    fn finish(&mut self, _ending: &Ending<'_>) -> io::Result<()> {
        self.out.finish()
    }
}

/// The value of a column, the same as in JSON; an empty text for null.
fn cell(field: OfFinding, e: &Entry<'_>, report: &PackageReport) -> String {
    let number = |n: Option<u64>| n.map_or_else(String::new, |n| n.to_string());
    let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
    match field {
        OfFinding::Package => report.path.clone(),
        OfFinding::Rule => e.rule.to_owned(),
        OfFinding::Severity => e.severity.to_owned(),
        OfFinding::File => e.file.to_owned(),
        OfFinding::Line => number(e.line.map(u64::from)),
        OfFinding::Column => number(e.column.map(u64::from)),
        OfFinding::Offset => number(e.offset),
        OfFinding::Path => text(e.path),
        OfFinding::NZap => text(e.n_zap),
        OfFinding::Idcase => text(e.idcase),
        OfFinding::SlId => text(e.sl_id),
        OfFinding::Idserv => text(e.idserv),
        OfFinding::IdPac => text(e.id_pac),
        OfFinding::Value => text(e.value),
        OfFinding::Message => e.message.clone(),
        OfFinding::FollowsFrom => text(e.follows_from),
        // The code, as the severity: a program may read the table all the same.
        OfFinding::Mends => e.mends.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, Desk};
    use super::*;
    use crate::tables::RuleFiles;

    fn written(lang: Lang) -> String {
        let desk = Desk::new();
        let columns = Columns::load(&RuleFiles::embedded()).expect("the table is sound");
        let mut out = Vec::new();
        let mut report = Csv::new(&mut out, &columns, lang, &desk.catalog, false).expect("begun");
        desk.run(&mut report, &[samples::mixed(&desk), samples::damaged(&desk)], None);
        drop(report);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn excel_opens_it_without_questions() {
        let text = written(Lang::Ru);
        assert!(text.starts_with("\u{feff}пакет;правило;уровень;") && text.ends_with("\r\n"));
        assert!(!text.contains("Кириллов"));
        insta::assert_snapshot!(text.trim_start_matches('\u{feff}').replace("\r\n", "\n"));
    }

    #[test]
    fn only_the_titles_change_with_the_language() {
        let [russian, english] = [Lang::Ru, Lang::En].map(written);
        let rows = |text: &str| text.split_once("\r\n").map(|(_, rows)| rows.to_owned());
        assert!(english.starts_with("\u{feff}package;rule;severity;"));
        assert_eq!(rows(&russian), rows(&english));
    }
}
