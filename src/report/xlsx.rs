//! Tables for Excel. Numbers are stored as numbers, sums in roubles with kopecks, dates as dates.
//!
//! A sheet has a frozen header with a filter, columns as wide as their content, and a last row with the totals of the rows that the filter shows.
//! The same tables always give the same bytes.

use std::io;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatBorder, Formula, Workbook, Worksheet, XlsxError};

use crate::texts::{Key, Lang, Texts};
use crate::values::{Date, Month};

/// The value of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A text, which Excel never runs as a formula.
    Text(String),
    /// A count.
    Count(i64),
    /// An amount in kopecks; shown in roubles.
    Money(i64),
    /// A month, stored as its first day.
    Month(Month),
    /// A calendar day.
    Day(Date),
    /// A moment: day, hour and minute.
    Moment(Date, u8, u8),
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Title of the column.
    pub title: String,
    /// Whether the last row has the total of the column.
    pub total: bool,
}

/// A table with the name of its sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Name of the sheet, at most 31 characters.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// The rows, with a cell for each column.
    pub rows: Vec<Vec<Cell>>,
}

/// Paper size of the printed table: A4.
const A4: u8 = 9;
/// Widest column in characters.
const WIDEST: usize = 60;
/// Room for the filter button and the edges of a cell, in characters.
const BUTTON: usize = 4;
/// Room for the edges of a cell, in characters.
const EDGES: usize = 2;
/// The creation date of every document, so that equal tables give equal bytes; the archive's entries have the same date.
const MADE: (u16, u8, u8) = (1980, 1, 1);

/// The formats of the cells.
struct Looks {
    head: Format,
    count: Format,
    money: Format,
    month: Format,
    day: Format,
    moment: Format,
}

impl Looks {
    fn new(lang: Lang) -> Self {
        let number = |form: &str| Format::new().set_num_format(form);
        let [month, day, moment] = match lang {
            Lang::Ru => ["mm.yyyy", "dd.mm.yyyy", "dd.mm.yyyy hh:mm"],
            Lang::En => ["yyyy-mm", "yyyy-mm-dd", "yyyy-mm-dd hh:mm"],
        };
        Self {
            head: Format::new().set_bold().set_background_color("#E7E6E6").set_border_bottom(FormatBorder::Thin),
            // Excel shows the separators of its own language instead of these.
            count: number("#,##0"),
            money: number("#,##0.00"),
            month: number(month),
            day: number(day),
            moment: number(moment),
        }
    }
}

/// Builds a workbook from tables.
///
/// # Errors
/// An invalid sheet name, a text of more than 32 767 characters, or more rows than a sheet can have.
pub fn workbook(sheets: &[Sheet], texts: &Texts, lang: Lang) -> io::Result<Vec<u8>> {
    let make = || -> Result<Vec<u8>, XlsxError> {
        let mut book = Workbook::new();
        let (year, month, day) = MADE;
        book.set_properties(&DocProperties::new().set_creation_datetime(&ExcelDateTime::from_ymd(year, month, day)?));
        let looks = Looks::new(lang);
        for sheet in sheets {
            let page = book.add_worksheet();
            page.set_name(&sheet.name)?;
            fill(page, sheet, &looks, texts, lang)?;
        }
        book.save_to_buffer()
    };
    make().map_err(io::Error::other)
}

fn fill(page: &mut Worksheet, sheet: &Sheet, looks: &Looks, texts: &Texts, lang: Lang) -> Result<(), XlsxError> {
    page.set_paper_size(A4).set_landscape().set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    page.set_freeze_panes(1, 1)?;
    let total = texts.get(Key::XlsxTotal, lang);
    let last = u32::try_from(sheet.rows.len()).map_err(|_| XlsxError::RowColumnLimitError)?;
    let word_at = sheet.columns.iter().position(|c| !c.total);
    for (at, column) in sheet.columns.iter().enumerate() {
        let col = u16::try_from(at).map_err(|_| XlsxError::RowColumnLimitError)?;
        page.write_string_with_format(0, col, &column.title, &looks.head)?;
        let mut width = column.title.chars().count() + BUTTON;
        let (mut sum, mut is_money) = (0_i64, false);
        for (row, cell) in (1..).zip(sheet.rows.iter().filter_map(|r| r.get(at))) {
            write(page, row, col, cell, looks)?;
            width = width.max(shown(cell, texts, lang).chars().count() + EDGES);
            match cell {
                Cell::Count(number) => sum += number,
                Cell::Money(kopecks) => (sum, is_money) = (sum + kopecks, true),
                _ => {}
            }
        }
        if last > 0 && column.total {
            let name = rust_xlsxwriter::utility::column_number_to_name(col);
            let (form, value, cell) =
                if is_money { (&looks.money, roubles(sum).to_string(), Cell::Money(sum)) } else { (&looks.count, sum.to_string(), Cell::Count(sum)) };
            // Function 109 sums the rows that the filter shows.
            let formula = Formula::new(format!("=SUBTOTAL(109,{name}2:{name}{})", last + 1)).set_result(value);
            let form = form.clone().set_bold().set_border_top(FormatBorder::Thin);
            page.write_formula_with_format(last + 1, col, formula, &form)?;
            width = width.max(shown(&cell, texts, lang).chars().count() + EDGES);
        } else if last > 0 && word_at == Some(at) && sheet.columns.iter().any(|c| c.total) {
            page.write_string_with_format(last + 1, col, total, &Format::new().set_bold().set_border_top(FormatBorder::Thin))?;
            width = width.max(total.chars().count() + EDGES);
        }
        page.set_column_width(col, u32::try_from(width.min(WIDEST)).unwrap_or_default())?;
    }
    if let Some(end) = u16::try_from(sheet.columns.len()).ok().and_then(|n| n.checked_sub(1)) {
        page.autofilter(0, 0, last, end)?;
    }
    Ok(())
}

fn write(page: &mut Worksheet, row: u32, col: u16, cell: &Cell, looks: &Looks) -> Result<(), XlsxError> {
    let date = |d: Date| {
        let (year, month, day) = d.parts();
        ExcelDateTime::from_ymd(year, month, day)
    };
    match cell {
        Cell::Text(text) if text.is_empty() => Ok(page),
        Cell::Text(text) => page.write_string(row, col, text),
        Cell::Count(number) => page.write_number_with_format(row, col, *number as f64, &looks.count),
        Cell::Money(kopecks) => page.write_number_with_format(row, col, roubles(*kopecks), &looks.money),
        Cell::Month(month) => page.write_datetime_with_format(row, col, ExcelDateTime::from_ymd(month.year, month.month, 1)?, &looks.month),
        Cell::Day(day) => page.write_datetime_with_format(row, col, date(*day)?, &looks.day),
        Cell::Moment(day, hour, minute) => {
            let moment = date(*day)?.and_hms(u16::from(*hour), *minute, 0)?;
            page.write_datetime_with_format(row, col, moment, &looks.moment)
        }
    }
    .map(|_| ())
}

/// Kopecks as roubles. Excel only has 64-bit binary numbers; kopecks are exact up to ninety trillion roubles.
fn roubles(kopecks: i64) -> f64 {
    kopecks as f64 / 100.0
}

/// The value of a cell as people read it.
pub fn shown(cell: &Cell, texts: &Texts, lang: Lang) -> String {
    let day = |date: &Date| {
        let (year, month, day) = date.parts();
        match lang {
            Lang::Ru => format!("{day:02}.{month:02}.{year}"),
            Lang::En => format!("{year}-{month:02}-{day:02}"),
        }
    };
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Count(number) => texts.number(lang, u64::try_from(*number).unwrap_or(0)),
        Cell::Money(kopecks) => texts.money(lang, *kopecks),
        Cell::Month(month) => month.to_string(),
        Cell::Day(date) => day(date),
        Cell::Moment(date, hour, minute) => format!("{} {hour:02}:{minute:02}", day(date)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use super::*;
    use crate::tables::RuleFiles;

    fn part(book: &[u8], name: &str) -> String {
        let mut archive = zip::ZipArchive::new(Cursor::new(book)).expect("an archive");
        let mut text = String::new();
        archive.by_name(name).expect(name).read_to_string(&mut text).expect("text");
        text
    }

    fn sheet(rows: Vec<Vec<Cell>>) -> Sheet {
        let column = |title: &str, total| Column { title: title.to_owned(), total };
        Sheet { name: "Реестры".to_owned(), columns: vec![column("номер", false), column("сумма", true), column("с", false)], rows }
    }

    #[test]
    fn a_text_is_no_formula_a_sum_is_a_number_and_the_total_has_its_value() {
        let texts = Texts::load(&RuleFiles::embedded()).expect("sound");
        let day = Date::new(2021, 2, 28).expect("a day");
        let rows = vec![
            vec![Cell::Text("=1+1".to_owned()), Cell::Money(120_433_050), Cell::Moment(day, 23, 59)],
            vec![Cell::Text("<&>".to_owned()), Cell::Money(-1), Cell::Day(day)],
        ];
        let book = workbook(&[sheet(rows)], &texts, Lang::Ru).expect("written");
        let page = part(&book, "xl/worksheets/sheet1.xml");
        assert!(page.contains("<v>1204330.5</v>") && page.contains("<v>-0.01</v>"), "{page}");
        assert!(page.contains("<f>SUBTOTAL(109,B2:B3)</f><v>1204330.49</v>"), "{page}");
        assert_eq!(page.matches("<f>").count(), 1, "{page}");
        assert!(page.contains("<autoFilter ref=\"A1:C3\"/>") && page.contains("topLeftCell=\"B2\""), "{page}");
        // 28 February 2021 is day 44 255 in Excel.
        assert!(page.contains("<v>44255</v>") && page.contains("<v>44255.999"), "{page}");
        let strings = part(&book, "xl/sharedStrings.xml");
        assert!(strings.contains("=1+1") && strings.contains("&lt;&amp;&gt;") && strings.contains(texts.get(Key::XlsxTotal, Lang::Ru)), "{strings}");
        assert!(part(&book, "docProps/core.xml").contains("1980-01-01T00:00:00Z"));
    }

    #[test]
    fn an_empty_table_has_its_header_alone() {
        let texts = Texts::load(&RuleFiles::embedded()).expect("sound");
        let page = part(&workbook(&[sheet(Vec::new())], &texts, Lang::En).expect("written"), "xl/worksheets/sheet1.xml");
        assert_eq!((page.matches("<row ").count(), page.matches("<f>").count()), (1, 0), "{page}");
    }
}
