//! `--format xlsx`: a workbook with the findings, and their counts by rule, by doctor and by unit.

use std::io::{self, Write};

use super::columns::{Column, Columns, Field, fields};
use super::counts::{Counts, Doctors, by_size};
use super::rows::{OfFinding, Row};
use super::xlsx::{Book, Cell};
use super::{Ending, Report, shown};
use crate::finding::{Catalog, Fact, Finding, Rule, Slots};
use crate::flk::PackageReport;
use crate::tables::{RuleFiles, TableError};
use crate::texts::{Key, Lang, Texts};

fields!(
    /// Columns of a rule with its findings.
    pub OfRule,
    "report",
    "rules",
    Rule,
    Severity,
    Count,
    Packages,
    Message,
    Advice
);

fields!(
    /// Columns of a doctor with the findings in his cases.
    pub OfDoctor,
    "report",
    "people",
    Doctor,
    Errors,
    Warnings,
    Infos,
    Rules
);

fields!(
    /// Columns of a unit with the findings in its cases.
    pub OfUnit,
    "report",
    "units",
    Subdivision,
    Unit,
    Errors,
    Warnings,
    Infos,
    Rules
);

/// The columns of all sheets.
#[derive(Debug)]
pub struct Sheets {
    findings: Columns<OfFinding>,
    rules: Columns<OfRule>,
    doctors: Columns<OfDoctor>,
    units: Columns<OfUnit>,
}

impl Sheets {
    /// Reads the table of columns.
    ///
    /// # Errors
    /// An unknown, repeated or missing column, or a column without titles.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        Ok(Self { findings: Columns::load(files)?, rules: Columns::load(files)?, doctors: Columns::load(files)?, units: Columns::load(files)? })
    }
}

/// Writes the workbook.
#[derive(Debug)]
pub struct FindingsBook<'a, W> {
    out: W,
    book: Option<Book<'a>>,
    sheets: &'a Sheets,
    /// The columns of findings in their order.
    order: Vec<&'a Column<OfFinding>>,
    catalog: &'a Catalog,
    texts: &'a Texts,
    lang: Lang,
    show_personal: bool,
    doctors: Doctors,
    counts: Counts,
}

impl<'a, W: Write + Send> FindingsBook<'a, W> {
    /// Begins the workbook.
    ///
    /// # Errors
    /// A temporary file cannot be written.
    pub fn new(out: W, sheets: &'a Sheets, texts: &'a Texts, lang: Lang, catalog: &'a Catalog, show_personal: bool) -> io::Result<Self> {
        let mut book = Book::new(texts, lang)?;
        book.begin(texts.get(Key::BookFindings, lang), sheets.findings.of_human_sheet(lang))?;
        let doctors = Doctors::new(show_personal);
        let order = sheets.findings.human();
        Ok(Self { out, book: Some(book), sheets, order, catalog, texts, lang, show_personal, doctors, counts: Counts::default() })
    }

    fn finding(&mut self, finding: Finding, report: &PackageReport) -> io::Result<()> {
        let doctor = finding.fact(Fact::Doctor).map(str::to_owned);
        let finding = shown(finding, self.show_personal);
        let label = doctor.as_deref().map_or("", |code| self.doctors.label(code)).to_owned();
        // What follows from another finding goes with its cause.
        if finding.follows_from.is_none() {
            self.counts.finding(&finding, self.catalog, &label);
        }
        let row = Row::in_words(&finding, report, self.catalog, self.texts, self.lang);
        let cell = |column: &&Column<OfFinding>| if column.field == OfFinding::Doctor { Cell::Text(label.clone()) } else { row.cell(column.field) };
        self.book.as_mut().map_or(Ok(()), |book| book.row(self.order.iter().map(cell)))
    }
}

/// Writes a sheet with a row for each of `rows`; `cell` gives the values.
fn sheet<F: Field, R>(
    book: &mut Book<'_>,
    name: &str,
    lang: Lang,
    columns: &Columns<F>,
    rows: impl IntoIterator<Item = R>,
    cell: impl Fn(F, &R) -> Cell,
) -> io::Result<()> {
    book.begin(name, columns.of_sheet(lang))?;
    rows.into_iter().try_for_each(|row| book.row(columns.iter().map(|c| cell(c.field, &row))))
}

/// A rule's text or advice without the values of a finding.
pub(super) fn in_general(template: &str) -> String {
    const ANY: &str = "…";
    Slots { element: ANY, parent: ANY, value: ANY, expected: ANY, found: ANY }.fill(template)
}

impl<W: Write + Send> Report for FindingsBook<'_, W> {
    fn package(&mut self, report: &PackageReport) -> io::Result<()> {
        self.counts.package(report.findings.counts());
        for finding in report.findings.iter()? {
            self.finding(finding?, report)?;
        }
        Ok(())
    }

    fn finish(&mut self, _ending: &Ending<'_>) -> io::Result<()> {
        let Some(mut book) = self.book.take() else { return Ok(()) };
        let Self { sheets, catalog, texts, lang, counts, .. } = self;
        let (lang, name) = (*lang, |key| texts.get(key, *lang));
        let mut rules: Vec<_> = counts.rules.iter().map(|(ix, of)| (catalog.rule(*ix), of)).collect();
        rules.sort_by_key(|(rule, of)| std::cmp::Reverse((rule.severity, of.findings)));
        sheet(&mut book, name(Key::BookRules), lang, &sheets.rules, rules, |field, (rule, of): &(&Rule, _)| match field {
            OfRule::Rule => Cell::Text(rule.id.clone()),
            OfRule::Severity => Cell::Text(texts.severity(rule.severity, lang).to_owned()),
            OfRule::Count => Cell::Count(of.findings),
            OfRule::Packages => Cell::Number(of.packages),
            OfRule::Message => Cell::Text(in_general(rule.text.get(lang))),
            OfRule::Advice => Cell::Text(in_general(rule.advice.get(lang))),
        })?;
        let none = |text: &str| Cell::Text(if text.is_empty() { name(Key::BookNone).to_owned() } else { text.to_owned() });
        sheet(&mut book, name(Key::BookDoctors), lang, &sheets.doctors, by_size(&counts.doctors), |field, (doctor, count)| match field {
            OfDoctor::Doctor => none(doctor),
            OfDoctor::Errors => Cell::Count(count.errors),
            OfDoctor::Warnings => Cell::Count(count.warnings),
            OfDoctor::Infos => Cell::Count(count.infos),
            OfDoctor::Rules => Cell::Number(count.rules()),
        })?;
        sheet(&mut book, name(Key::BookUnits), lang, &sheets.units, by_size(&counts.units), |field, ((subdivision, unit), count)| match field {
            OfUnit::Subdivision => none(subdivision),
            OfUnit::Unit => none(unit),
            OfUnit::Errors => Cell::Count(count.errors),
            OfUnit::Warnings => Cell::Count(count.warnings),
            OfUnit::Infos => Cell::Count(count.infos),
            OfUnit::Rules => Cell::Number(count.rules()),
        })?;
        book.save(&mut self.out)?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader as _, Xlsx};

    use super::super::samples::{self, Desk};
    use super::*;

    fn written(desk: &Desk, packages: &[PackageReport], lang: Lang) -> Vec<u8> {
        let sheets = Sheets::load(&RuleFiles::embedded()).expect("the table is sound");
        let mut out = Vec::new();
        let mut report = FindingsBook::new(&mut out, &sheets, &desk.texts, lang, &desk.catalog, false).expect("begun");
        desk.run(&mut report, packages, None);
        drop(report);
        out
    }

    fn read(bytes: Vec<u8>) -> Xlsx<Cursor<Vec<u8>>> {
        Xlsx::new(Cursor::new(bytes)).expect("a workbook")
    }

    #[test]
    fn it_is_read_back_with_texts_numbers_and_days() {
        let desk = Desk::new();
        let mut odd = samples::clean();
        for value in ["=1+1", "+7", "-1", "@a"] {
            let finding = Finding { value: Some(value.into()), ..samples::finding(&desk, "not-in-list", "ZL_LIST/ZAP/Z_SL/SL/DET") };
            odd.findings.push(finding).expect("pushed");
        }
        let packages = [samples::mixed(&desk), odd];
        let bytes = written(&desk, &packages, Lang::Ru);
        assert_eq!(bytes, written(&desk, &packages, Lang::Ru), "the same bytes for the same findings");
        let mut book = read(bytes);
        assert_eq!(book.sheet_names(), ["ошибки", "по правилам", "по врачам", "по отделениям"]);
        let findings = book.worksheet_range("ошибки").expect("a sheet");
        let titles: Vec<String> = findings.rows().next().expect("titles").iter().map(ToString::to_string).collect();
        let at = |title: &str| titles.iter().position(|t| t == title).unwrap_or_else(|| panic!("{title}: {titles:?}"));
        let column = |title: &str| findings.rows().skip(1).map(|row| row[at(title)].clone()).collect::<Vec<Data>>();
        let due = packages.iter().map(|p| p.findings.len()).sum::<u64>() as usize;
        assert_eq!(column("правило").iter().filter(|c| matches!(c, Data::String(_))).count(), due);
        assert!(["=1+1", "+7", "-1", "@a"].iter().all(|text| column("значение").contains(&Data::String((*text).to_owned()))));
        assert!(
            column("врач").contains(&Data::String("…7061 (2)".to_owned())) || column("врач").contains(&Data::String("…7161".to_owned())),
            "{:?}",
            column("врач")
        );
        assert!(column("сумма случая").contains(&Data::Float(61_479.0)) && column("номер записи (N_ZAP)").contains(&Data::Float(4.0)));
        assert!(column("начат").iter().any(|c| matches!(c, Data::DateTime(_))), "a day is a day");
        assert!(column("окончен").contains(&Data::String("2021-02-30".to_owned())), "no day is a text");
        assert!(column("что делать").iter().filter(|c| matches!(c, Data::String(_))).count() == due, "each has its advice");
        let rules = book.worksheet_range("по правилам").expect("a sheet");
        assert_eq!(rules.rows().nth(1).map(|row| (row[0].to_string(), row[2].clone())), Some(("S001".to_owned(), Data::Float(6.0))));
        let doctors = book.worksheet_range("по врачам").expect("a sheet");
        assert_eq!(doctors.rows().count(), 1 + 3 + 1, "two doctors, findings without one, the total");
        let all: String = ["ошибки", "по врачам"].iter().map(|name| format!("{:?}", book.worksheet_range(name).expect("a sheet"))).collect();
        assert!(!all.contains("Кириллов") && !all.contains("900-555"));
    }

    #[test]
    fn in_english_the_words_are_english() {
        let desk = Desk::new();
        let mut book = read(written(&desk, &[samples::mixed(&desk)], Lang::En));
        assert_eq!(book.sheet_names(), ["findings", "by rule", "by doctor", "by unit"]);
        let findings = book.worksheet_range("findings").expect("a sheet");
        assert!(findings.rows().nth(2).is_some_and(|row| row.contains(&Data::String("error".to_owned()))));
        assert!(!format!("{findings:?}").contains("обязательного"));
    }
}
