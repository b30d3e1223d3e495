//! Tables for Excel. Numbers are stored as numbers, sums in roubles with kopecks, dates as dates.
//!
//! A sheet has a frozen header with a filter, columns as wide as their content, and a last row with the totals of the rows that the filter shows.
//! The same tables always give the same bytes.

use std::fmt;
use std::io::{self, Write};

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatBorder, Formula, IgnoreError, Workbook, Worksheet, XlsxError};

use crate::texts::{Key, Lang, Texts};
use crate::values::{Date, Month};

/// The value of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A text, which Excel never runs as a formula.
    Text(String),
    /// A count, with separators of thousands.
    Count(i64),
    /// A running number, without separators.
    Number(i64),
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
/// Rows of a sheet below its header. Excel has 1,048,576; one is for the totals.
const ROWS: u32 = 1_048_574;
/// Widest column in characters.
const WIDEST: usize = 60;
/// Room for the filter button and the edges of a cell, in characters.
const BUTTON: usize = 4;
/// Room for the edges of a cell, in characters.
const EDGES: usize = 2;
/// How hard the archive is packed, from 1 to 9. Of 111,000 findings (158 MB of XML) level 6 makes 19 MB in the time in which level 2 makes 24 MB and all else is
/// done besides; level 1 saves a tenth of that time more, but makes 31 MB.
const LEVEL: u8 = 2;
/// The creation date of every document, so that equal tables give equal bytes; the archive's entries have the same date.
const MADE: (u16, u8, u8) = (1980, 1, 1);

/// How a number is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Count,
    Money,
    Month,
    Day,
    Moment,
}

impl Form {
    /// The form of a cell; `None` for texts and running numbers, which are shown as they are.
    fn of(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Text(_) | Cell::Number(_) => None,
            Cell::Count(_) => Some(Self::Count),
            Cell::Money(_) => Some(Self::Money),
            Cell::Month(_) => Some(Self::Month),
            Cell::Day(_) => Some(Self::Day),
            Cell::Moment(..) => Some(Self::Moment),
        }
    }
}

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

    fn get(&self, form: Form) -> &Format {
        match form {
            Form::Count => &self.count,
            Form::Money => &self.money,
            Form::Month => &self.month,
            Form::Day => &self.day,
            Form::Moment => &self.moment,
        }
    }
}

/// Builds a workbook from tables.
///
/// # Errors
/// An invalid sheet name, a text of more than 32 767 characters, or a temporary file that cannot be written.
pub fn workbook(sheets: &[Sheet], texts: &Texts, lang: Lang) -> io::Result<Vec<u8>> {
    let mut book = Book::new(texts, lang)?;
    for sheet in sheets {
        book.begin(&sheet.name, sheet.columns.clone())?;
        sheet.rows.iter().try_for_each(|row| book.row(row.iter().cloned()))?;
    }
    let mut out = Vec::new();
    book.save(&mut out)?;
    Ok(out)
}

/// A workbook that is written row by row. Rows go to temporary files at once, so that the memory does not grow with them.
pub struct Book<'a> {
    book: Workbook,
    looks: Looks,
    texts: &'a Texts,
    lang: Lang,
    /// Most rows of a sheet below its header.
    most: u32,
    open: Option<Open>,
}

impl fmt::Debug for Book<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Book")
    }
}

/// The sheet that is being written.
struct Open {
    /// Name of the table, and the number of its sheet, from 1.
    name: String,
    number: u32,
    columns: Vec<Column>,
    /// What is known of each column.
    seen: Vec<Seen>,
    /// Rows below the header.
    rows: u32,
}

/// What the cells of a column have been so far.
#[derive(Default)]
struct Seen {
    /// Width in characters.
    width: usize,
    /// The total, and whether it is an amount in kopecks.
    sum: (i64, bool),
    /// The least and the greatest number: no other is wider.
    numbers: Option<(i64, i64)>,
    /// The form of the first cell that has one. It is the column's, because a form of its own is looked up for each cell.
    form: Option<Form>,
}

impl Seen {
    /// Takes in a cell. Only a number beyond those before can be wider than they are, and days are all equally wide.
    fn look(&mut self, cell: &Cell, texts: &Texts, lang: Lang) {
        let may_be_wider = match cell {
            Cell::Text(text) => {
                if self.width < WIDEST {
                    self.width = self.width.max(text.chars().count() + EDGES);
                }
                false
            }
            Cell::Number(number) => self.is_beyond(*number),
            Cell::Count(number) => {
                self.sum.0 += number;
                self.is_beyond(*number)
            }
            Cell::Money(kopecks) => {
                self.sum = (self.sum.0 + kopecks, true);
                self.is_beyond(*kopecks)
            }
            Cell::Month(_) | Cell::Day(_) | Cell::Moment(..) => self.is_beyond(0),
        };
        if may_be_wider {
            self.width = self.width.max(shown(cell, texts, lang).chars().count() + EDGES);
        }
    }

    fn is_beyond(&mut self, number: i64) -> bool {
        let (least, most) = self.numbers.unwrap_or((i64::MAX, i64::MIN));
        self.numbers = Some((least.min(number), most.max(number)));
        number < least || number > most
    }
}

impl<'a> Book<'a> {
    /// A workbook without sheets.
    ///
    /// # Errors
    /// None at present.
    pub fn new(texts: &'a Texts, lang: Lang) -> io::Result<Self> {
        let mut book = Workbook::new();
        let (year, month, day) = MADE;
        let made = ExcelDateTime::from_ymd(year, month, day).map_err(io::Error::other)?;
        book.set_properties(&DocProperties::new().set_creation_datetime(&made));
        book.set_zip_compression_level(LEVEL);
        Ok(Self { book, looks: Looks::new(lang), texts, lang, most: ROWS, open: None })
    }

    /// Ends the sheet before and begins a table on a new one. The name has at most 31 characters.
    ///
    /// # Errors
    /// An invalid name, or a temporary file that cannot be written.
    pub fn begin(&mut self, name: &str, columns: Vec<Column>) -> io::Result<()> {
        self.end()?;
        self.add(name.to_owned(), 1, columns).map_err(io::Error::other)
    }

    fn add(&mut self, name: String, number: u32, columns: Vec<Column>) -> Result<(), XlsxError> {
        let page = self.book.add_worksheet_with_constant_memory()?;
        if number == 1 {
            page.set_name(&name)?;
        } else {
            page.set_name(format!("{name} {number}"))?;
        }
        page.set_paper_size(A4).set_landscape().set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
        page.set_freeze_panes(1, 1)?;
        for (col, column) in (0..).zip(&columns) {
            page.write_string_with_format(0, col, &column.title, &self.looks.head)?;
        }
        let seen = columns.iter().map(|column| Seen { width: column.title.chars().count() + BUTTON, ..Seen::default() }).collect();
        self.open = Some(Open { name, number, columns, seen, rows: 0 });
        Ok(())
    }

    /// Writes the next row of the table, on a further sheet when one is full.
    ///
    /// # Errors
    /// A text of more than 32 767 characters, or a temporary file that cannot be written.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) -> io::Result<()> {
        if let Some(full) = self.open.as_ref().filter(|open| open.rows == self.most) {
            let (name, number, columns) = (full.name.clone(), full.number + 1, full.columns.clone());
            self.end()?;
            self.add(name, number, columns).map_err(io::Error::other)?;
        }
        self.write_row(cells).map_err(io::Error::other)
    }

    fn write_row(&mut self, cells: impl IntoIterator<Item = Cell>) -> Result<(), XlsxError> {
        let (page, Some(open)) = (last(&mut self.book)?, &mut self.open) else { return Ok(()) };
        open.rows += 1;
        for ((col, cell), seen) in (0..).zip(cells).zip(&mut open.seen) {
            let form = Form::of(&cell);
            if let (None, Some(first)) = (seen.form, form) {
                page.set_column_format(col, self.looks.get(first))?;
                seen.form = form;
            }
            seen.look(&cell, self.texts, self.lang);
            write(page, open.rows, col, cell, form.filter(|_| form != seen.form).map(|form| self.looks.get(form)))?;
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.close().map_err(io::Error::other)
    }

    /// Writes the totals, and sets what depends on all rows.
    fn close(&mut self) -> Result<(), XlsxError> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        let page = last(&mut self.book)?;
        let rows = open.rows;
        let has_total = rows > 0 && open.columns.iter().any(|c| c.total);
        let word_at = open.columns.iter().position(|c| !c.total);
        for (at, (column, seen)) in open.columns.iter().zip(&mut open.seen).enumerate() {
            let (width, (sum, is_money)) = (&mut seen.width, &seen.sum);
            let col = u16::try_from(at).map_err(|_| XlsxError::RowColumnLimitError)?;
            if has_total && column.total {
                let name = rust_xlsxwriter::utility::column_number_to_name(col);
                let (form, value, cell) = if *is_money {
                    (&self.looks.money, roubles(*sum).to_string(), Cell::Money(*sum))
                } else {
                    (&self.looks.count, sum.to_string(), Cell::Count(*sum))
                };
                // Function 109 sums the rows that the filter shows.
                let formula = Formula::new(format!("=SUBTOTAL(109,{name}2:{name}{})", rows + 1)).set_result(value);
                let form = form.clone().set_bold().set_border_top(FormatBorder::Thin);
                page.write_formula_with_format(rows + 1, col, formula, &form)?;
                *width = (*width).max(shown(&cell, self.texts, self.lang).chars().count() + EDGES);
            } else if has_total && word_at == Some(at) {
                let total = self.texts.get(Key::XlsxTotal, self.lang);
                page.write_string_with_format(rows + 1, col, total, &Format::new().set_bold().set_border_top(FormatBorder::Thin))?;
                *width = (*width).max(total.chars().count() + EDGES);
            }
            page.set_column_width(col, u32::try_from((*width).min(WIDEST)).unwrap_or_default())?;
        }
        if let Some(end) = u16::try_from(open.columns.len()).ok().and_then(|n| n.checked_sub(1)) {
            page.autofilter(0, 0, rows, end)?;
            // Numbers of policies and cards are texts on purpose: Excel shall not mark each of them.
            page.ignore_error_range(0, 0, rows + 1, end, IgnoreError::NumberStoredAsText)?;
        }
        Ok(())
    }

    /// Ends the last sheet and writes the workbook.
    ///
    /// # Errors
    /// The target or a temporary file cannot be written.
    pub fn save(mut self, out: impl Write + Send) -> io::Result<()> {
        self.end()?;
        self.book.save_to_writer(out).map_err(io::Error::other)
    }
}

/// The sheet that was added last.
fn last(book: &mut Workbook) -> Result<&mut Worksheet, XlsxError> {
    let at = book.worksheets().len().saturating_sub(1);
    book.worksheet_from_index(at)
}

/// Writes a cell, with a form unless the column has it.
fn write(page: &mut Worksheet, row: u32, col: u16, cell: Cell, form: Option<&Format>) -> Result<(), XlsxError> {
    let date = |d: Date| {
        let (year, month, day) = d.parts();
        ExcelDateTime::from_ymd(year, month, day)
    };
    let number = match cell {
        Cell::Text(text) => {
            if !text.is_empty() {
                page.write_string(row, col, text)?;
            }
            return Ok(());
        }
        Cell::Count(number) | Cell::Number(number) => number as f64,
        Cell::Money(kopecks) => roubles(kopecks),
        Cell::Month(month) => ExcelDateTime::from_ymd(month.year, month.month, 1)?.to_excel(),
        Cell::Day(day) => date(day)?.to_excel(),
        Cell::Moment(day, hour, minute) => date(day)?.and_hms(u16::from(hour), minute, 0)?.to_excel(),
    };
    match form {
        Some(form) => page.write_number_with_format(row, col, number, form),
        None => page.write_number(row, col, number),
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
        Cell::Number(number) => number.to_string(),
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
        assert!(page.contains("<t>=1+1</t>") && page.contains("&lt;&amp;&gt;") && page.contains(texts.get(Key::XlsxTotal, Lang::Ru)), "{page}");
        assert!(part(&book, "docProps/core.xml").contains("1980-01-01T00:00:00Z"));
    }

    #[test]
    fn a_full_sheet_goes_on_on_the_next() {
        let texts = Texts::load(&RuleFiles::embedded()).expect("sound");
        let mut book = Book { most: 2, ..Book::new(&texts, Lang::Ru).expect("begun") };
        book.begin("ошибки", sheet(Vec::new()).columns).expect("begun");
        for n in 0..5 {
            book.row([Cell::Number(n), Cell::Count(n)]).expect("written");
        }
        let mut out = Vec::new();
        book.save(&mut out).expect("saved");
        let names = part(&out, "xl/workbook.xml");
        assert!(["ошибки", "ошибки 2", "ошибки 3"].iter().all(|name| names.contains(&format!("name=\"{name}\""))), "{names}");
        let pages = ["1", "2", "3"].map(|n| part(&out, &format!("xl/worksheets/sheet{n}.xml")));
        assert_eq!(pages.each_ref().map(|page| page.matches("<row ").count()), [4, 4, 3]);
        assert!(pages[1].contains("<v>2</v>") && pages[1].contains("<v>3</v>") && pages[1].contains("<v>5</v>"), "{}", pages[1]);
    }

    #[test]
    fn an_empty_table_has_its_header_alone() {
        let texts = Texts::load(&RuleFiles::embedded()).expect("sound");
        let page = part(&workbook(&[sheet(Vec::new())], &texts, Lang::En).expect("written"), "xl/worksheets/sheet1.xml");
        assert_eq!((page.matches("<row ").count(), page.matches("<f>").count()), (1, 0), "{page}");
    }
}
