//! `--format csv`: one row for each finding, for Excel.

use std::io::{self, Write};

use super::columns::Columns;
use super::rows::{OfFinding, Row};
use super::table::Table;
use super::xlsx::Cell;
use super::{Ending, Report, shown};
use crate::finding::Catalog;
use crate::flk::PackageReport;
use crate::texts::{Key, Lang, Texts};
use crate::values::money;

/// Writes the table.
#[derive(Debug)]
pub struct Csv<'a, W: Write> {
    out: Table<W>,
    columns: &'a Columns<OfFinding>,
    catalog: &'a Catalog,
    point: &'a str,
    show_personal: bool,
}

impl<'a, W: Write> Csv<'a, W> {
    /// Begins the table with the titles of its columns in a language.
    ///
    /// # Errors
    /// The target cannot be written.
    pub fn new(out: W, columns: &'a Columns<OfFinding>, texts: &'a Texts, lang: Lang, catalog: &'a Catalog, show_personal: bool) -> io::Result<Self> {
        Ok(Self { out: columns.begin(out, lang)?, columns, catalog, point: texts.get(Key::NumberPoint, lang), show_personal })
    }
}

impl<W: Write> Report for Csv<'_, W> {
    fn package(&mut self, report: &PackageReport) -> io::Result<()> {
        for finding in report.findings.iter()? {
            let finding = shown(finding?, self.show_personal);
            let row = Row::new(&finding, report, self.catalog);
            self.columns.row(&mut self.out, |field| plain(row.cell(field), self.point))?;
        }
        Ok(())
    }

    fn finish(&mut self, _ending: &Ending<'_>) -> io::Result<()> {
        self.out.finish()
    }
}

/// The text of a cell, the same as in JSON but for sums, which are roubles with the decimal sign of the language.
fn plain(cell: Cell, point: &str) -> String {
    match cell {
        Cell::Text(text) => text,
        Cell::Number(number) | Cell::Count(number) => number.to_string(),
        Cell::Money(kopecks) => money(kopecks).replace('.', point),
        Cell::Month(month) => month.to_string(),
        Cell::Day(day) => day.to_string(),
        Cell::Moment(day, hour, minute) => format!("{day} {hour:02}:{minute:02}"),
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
        let mut report = Csv::new(&mut out, &columns, &desk.texts, lang, &desk.catalog, false).expect("begun");
        desk.run(&mut report, &[samples::mixed(&desk), samples::damaged(&desk)], None);
        drop(report);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn excel_opens_it_without_questions() {
        let text = written(Lang::Ru);
        assert!(text.starts_with("\u{feff}пакет;правило;уровень;файл;") && text.ends_with("\r\n"));
        assert!(!text.contains("Кириллов"));
        insta::assert_snapshot!(text.trim_start_matches('\u{feff}').replace("\r\n", "\n"));
    }

    #[test]
    fn only_the_titles_and_the_decimal_sign_change_with_the_language() {
        let [russian, english] = [Lang::Ru, Lang::En].map(written);
        assert!(russian.contains(";61479,00;"), "{russian}");
        let english = english.replace(";61479.00;", ";61479,00;");
        let rows = |text: &str| text.split_once("\r\n").map(|(_, rows)| rows.to_owned());
        assert!(english.starts_with("\u{feff}package;rule;severity;"));
        assert_eq!(rows(&russian), rows(&english));
    }
}
