//! `rules/forms/sanctions.csv`: the columns of a payer's file of sanctions, and the reader of such files.
//!
//! Such a file is saved from Excel: semicolons, tabs or commas, windows-1251 or UTF-8 with or without a byte order mark, a decimal comma or
//! point. Anything that could be read in two ways is refused, because a wrong sum takes off wrong money. An error names the line, the column
//! and what is expected there, never the value.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;

use super::moves::{Sanction, SanctionTrouble};
use crate::registry::encoding::{BOM, Encoding};
use crate::tables::{RuleFiles, TableError};
use crate::texts::{Coded, Key, Slot, Text, display};
use crate::values;

const TABLE: &str = "forms/sanctions.csv";
/// The largest number of errors that are reported at once.
const MOST: usize = 20;

/// The meaning of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SanctionColumn {
    /// IDCASE in the registry.
    #[serde(rename = "idcase")]
    IdCase,
    /// N_ZAP in the registry.
    NZap,
    /// SL_ID.
    SlId,
    /// Code of the reason (F014).
    Code,
    /// Sum taken off in roubles; empty for the whole case.
    Sum,
    /// The payer's comment.
    Comment,
}

impl SanctionColumn {
    const ALL: [Self; 6] = [Self::IdCase, Self::NZap, Self::SlId, Self::Code, Self::Sum, Self::Comment];
    const CASE: [Self; 3] = [Self::IdCase, Self::NZap, Self::SlId];
}

/// Why a file of sanctions is refused. Lines are counted in the file, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SanctionFault {
    /// The file is larger than [`SanctionColumns::LARGEST`].
    TooLarge,
    /// The file is not text: a workbook, an archive, UTF-16.
    NotText,
    /// The file holds no sanction.
    Empty,
    /// The header has no such column: line, column.
    NoColumn(u64, SanctionColumn),
    /// The header names a column twice: line, column.
    Twice(u64, SanctionColumn),
    /// A row has another number of cells than the header: line, cells found, cells expected.
    Cells(u64, usize, usize),
    /// A value is missing or does not fit its column: line, column.
    Value(u64, SanctionColumn),
}

/// What is wrong: an error of the file, or a sanction that does not fit the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wrong {
    /// An error of the file; for a column also its name and the expected value.
    Fault(SanctionFault, Option<(Text, Text)>),
    /// A sanction that does not fit the registry.
    Trouble(SanctionTrouble),
}

/// One error of a file of sanctions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SanctionError {
    file: String,
    wrong: Wrong,
}

impl SanctionError {
    /// The error for a sanction of a file that does not fit the registry.
    pub fn misfit(file: &str, trouble: SanctionTrouble) -> Self {
        Self { file: file.to_owned(), wrong: Wrong::Trouble(trouble) }
    }
}

impl Coded for SanctionError {
    fn key(&self) -> Key {
        match &self.wrong {
            Wrong::Fault(SanctionFault::TooLarge, _) => Key::SanctionTooLarge,
            Wrong::Fault(SanctionFault::NotText, _) => Key::SanctionNotText,
            Wrong::Fault(SanctionFault::Empty, _) => Key::SanctionEmpty,
            Wrong::Fault(SanctionFault::NoColumn(..), _) => Key::SanctionColumn,
            Wrong::Fault(SanctionFault::Twice(..), _) => Key::SanctionTwice,
            Wrong::Fault(SanctionFault::Cells(..), _) => Key::SanctionCells,
            Wrong::Fault(SanctionFault::Value(..), _) => Key::SanctionValue,
            Wrong::Trouble(SanctionTrouble::NoCase(_)) => Key::SanctionNoCase,
            Wrong::Trouble(SanctionTrouble::Several(_)) => Key::SanctionSeveral,
            Wrong::Trouble(SanctionTrouble::TooMuch(..)) => Key::SanctionTooMuch,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        let mut slots = vec![("file", Slot::text(&self.file))];
        match &self.wrong {
            Wrong::Fault(SanctionFault::TooLarge, _) => slots.push(("limit", Slot::Number(SanctionColumns::LARGEST >> 20))),
            Wrong::Fault(SanctionFault::NotText | SanctionFault::Empty, _) => {}
            Wrong::Fault(SanctionFault::NoColumn(line, _) | SanctionFault::Twice(line, _) | SanctionFault::Value(line, _), column) => {
                slots.push(("line", Slot::Number(*line)));
                if let Some((name, due)) = column {
                    slots.extend([("column", Slot::Both(Cow::Borrowed(name))), ("due", Slot::Both(Cow::Borrowed(due)))]);
                }
            }
            Wrong::Fault(SanctionFault::Cells(line, found, due), _) => {
                slots.extend([("line", Slot::Number(*line)), ("found", Slot::number(*found)), ("due", Slot::number(*due))]);
            }
            Wrong::Trouble(SanctionTrouble::NoCase(line) | SanctionTrouble::Several(line)) => slots.push(("line", Slot::Number(*line))),
            Wrong::Trouble(SanctionTrouble::TooMuch(line, sum, all)) => {
                slots.extend([("line", Slot::Number(*line)), ("sum", Slot::Money(*sum)), ("all", Slot::Money(*all))]);
            }
        }
        slots
    }
}

impl fmt::Display for SanctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for SanctionError {}

/// All errors of a refused file of sanctions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SanctionErrors(pub Vec<SanctionError>);

impl Coded for SanctionErrors {
    fn key(&self) -> Key {
        Key::SanctionRefused
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        vec![("errors", Slot::Lines(self.0.iter().map(|error| Slot::Nested(error)).collect()))]
    }
}

impl fmt::Display for SanctionErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for SanctionErrors {}

#[derive(Deserialize)]
struct ColumnRow {
    column: SanctionColumn,
    ru: String,
    en: String,
    due_ru: String,
    due_en: String,
}

#[derive(Debug)]
struct Column {
    column: SanctionColumn,
    name: Text,
    due: Text,
}

/// The columns of a file of sanctions with all their names.
#[derive(Debug)]
pub struct SanctionColumns {
    columns: Vec<Column>,
    names: Vec<(String, SanctionColumn)>,
}

impl SanctionColumns {
    /// The largest size of a file of sanctions, bytes.
    pub const LARGEST: u64 = 64 << 20;

    /// Reads the table.
    ///
    /// # Errors
    /// A column is unknown or missing; a name is empty or occurs twice.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let mut this = Self { columns: Vec::new(), names: Vec::new() };
        for (line, row) in files.rows::<ColumnRow>(TABLE)? {
            for name in row.ru.split('|').chain(row.en.split('|')).map(plain) {
                if name.is_empty() || this.of_name(&name).is_some() {
                    return Err(TableError::new(TABLE, line, format!("the name «{name}» is empty or stands twice")));
                }
                this.names.push((name, row.column));
            }
            let first = |names: &str| names.split('|').next().unwrap_or_default().to_owned();
            let name = Text { ru: first(&row.ru), en: first(&row.en) };
            this.columns.push(Column { column: row.column, name, due: Text { ru: row.due_ru, en: row.due_en } });
        }
        match SanctionColumn::ALL.iter().find(|c| this.columns.iter().filter(|row| row.column == **c).count() != 1) {
            Some(column) => Err(TableError::new(TABLE, 0, format!("one row of {column:?} is due"))),
            None => Ok(this),
        }
    }

    /// The errors of a file as one error, with the names of the table.
    pub fn errors(&self, file: &str, faults: &[SanctionFault]) -> SanctionErrors {
        let column = |fault: &SanctionFault| match fault {
            SanctionFault::NoColumn(_, column) | SanctionFault::Twice(_, column) | SanctionFault::Value(_, column) => self.of(*column),
            _ => None,
        };
        let words = |column: &Column| (column.name.clone(), column.due.clone());
        let error = |fault: &SanctionFault| SanctionError { file: file.to_owned(), wrong: Wrong::Fault(*fault, column(fault).map(words)) };
        SanctionErrors(faults.iter().map(error).collect())
    }

    fn of(&self, column: SanctionColumn) -> Option<&Column> {
        self.columns.iter().find(|c| c.column == column)
    }

    fn of_name(&self, name: &str) -> Option<SanctionColumn> {
        self.names.iter().find(|(known, _)| known == name).map(|(_, column)| *column)
    }

    /// The sanctions of a file.
    ///
    /// # Errors
    /// The errors of the file, at most twenty.
    pub fn read(&self, bytes: &[u8]) -> Result<Vec<Sanction>, Vec<SanctionFault>> {
        let text = decode(bytes).map_err(|fault| vec![fault])?;
        let (text, skipped, separator) = dialect(&text);
        let mut reader = csv::ReaderBuilder::new().delimiter(separator).flexible(true).has_headers(false).trim(csv::Trim::All).from_reader(text.as_bytes());
        let mut lines = Lines { text: text.as_bytes(), at: 0, line: 1 + skipped };
        let (mut head, mut all, mut faults) = (None, Vec::new(), Vec::new());
        let mut record = csv::StringRecord::new();
        // Cannot fail: the text is valid UTF-8 and rows may have any length.
        while reader.read_record(&mut record).map_err(|_| vec![SanctionFault::NotText])? {
            if record.iter().all(str::is_empty) {
                continue;
            }
            let line = lines.of(record.position().map_or(0, csv::Position::byte));
            let Some(head) = &head else {
                head = Some(self.head(&record, line)?);
                continue;
            };
            match row(head, &record, line) {
                Ok(sanction) => all.push(sanction),
                Err(fault) => faults.push(fault),
            }
            if faults.len() == MOST {
                break;
            }
        }
        match (faults.is_empty(), all.is_empty()) {
            (false, _) => Err(faults),
            (true, true) => Err(vec![SanctionFault::Empty]),
            (true, false) => Ok(all),
        }
    }

    /// The meaning of each column by the header; `None` for a column of the payer's own.
    fn head(&self, record: &csv::StringRecord, line: u64) -> Result<Vec<Option<SanctionColumn>>, Vec<SanctionFault>> {
        let head: Vec<Option<SanctionColumn>> = record.iter().map(|name| self.of_name(&plain(name))).collect();
        let count = |column| head.iter().filter(|c| **c == Some(column)).count();
        let twice = SanctionColumn::ALL.into_iter().filter(|c| count(*c) > 1).map(|c| SanctionFault::Twice(line, c));
        let no_case = SanctionColumn::CASE.into_iter().all(|c| count(c) == 0).then_some(SanctionColumn::IdCase);
        // An empty sum means the whole case, so the column must be there: a misspelt name must not look like an empty column.
        let lacks = [SanctionColumn::Code, SanctionColumn::Sum].into_iter().filter(|c| count(*c) == 0);
        let faults: Vec<_> = twice.chain(no_case.into_iter().chain(lacks).map(|c| SanctionFault::NoColumn(line, c))).collect();
        if faults.is_empty() { Ok(head) } else { Err(faults) }
    }
}

/// The sanction of a row.
fn row(head: &[Option<SanctionColumn>], record: &csv::StringRecord, line: u64) -> Result<Sanction, SanctionFault> {
    // Excel may add empty cells at the end; one cell too many or too few means that a value contains a separator.
    let cells = record.iter().enumerate().filter(|(_, cell)| !cell.is_empty()).last().map_or(0, |(last, _)| last + 1).max(record.len().min(head.len()));
    if cells != head.len() {
        return Err(SanctionFault::Cells(line, cells, head.len()));
    }
    let value = |column| head.iter().position(|c| *c == Some(column)).and_then(|at| record.get(at)).filter(|cell| !cell.is_empty());
    let bad = |column| SanctionFault::Value(line, column);
    let number = |column| value(column).map(|v| number(v).ok_or_else(|| bad(column))).transpose();
    let (idcase, n_zap) = (number(SanctionColumn::IdCase)?, number(SanctionColumn::NZap)?);
    let sl_id = value(SanctionColumn::SlId).map(clean);
    if idcase.is_none() && n_zap.is_none() && sl_id.is_none() {
        let column = SanctionColumn::CASE.into_iter().find(|c| head.contains(&Some(*c))).unwrap_or(SanctionColumn::IdCase);
        return Err(bad(column));
    }
    let code = value(SanctionColumn::Code).filter(|code| is_code(code)).ok_or_else(|| bad(SanctionColumn::Code))?.to_owned();
    let sum = value(SanctionColumn::Sum).map(|v| roubles(v).ok_or_else(|| bad(SanctionColumn::Sum))).transpose()?;
    Ok(Sanction { idcase, n_zap, sl_id, code, sum, comment: value(SanctionColumn::Comment).map(clean).unwrap_or_default(), line })
}

/// Decodes a file: UTF-8 if it is valid, else windows-1251.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, SanctionFault> {
    if bytes.len() as u64 > SanctionColumns::LARGEST {
        return Err(SanctionFault::TooLarge);
    }
    if bytes.contains(&0) || bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(SanctionFault::NotText);
    }
    match (bytes.strip_prefix(BOM), str::from_utf8(bytes)) {
        (Some(marked), _) => str::from_utf8(marked).map(Cow::Borrowed).map_err(|_| SanctionFault::NotText),
        (None, Ok(text)) => Ok(Cow::Borrowed(text)),
        (None, Err(_)) => Ok(Encoding::Windows1251.decode(bytes)),
    }
}

/// The text after a line `sep=;` of Excel, the number of lines before it (0 or 1), and the separator of its cells.
fn dialect(text: &str) -> (&str, u64, u8) {
    if let Some(rest) = text.strip_prefix("sep=")
        && let Some(separator @ (b';' | b',' | b'\t')) = rest.bytes().next()
        && let Some((_, rest)) = rest.split_once('\n').filter(|(line, _)| line.trim_end().len() <= 1)
    {
        return (rest, 1, separator);
    }
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let separator = [b';', b'\t'].into_iter().find(|b| first.as_bytes().contains(b)).unwrap_or(b',');
    (text, 0, separator)
}

/// Counts lines by byte positions in ascending order. The csv reader's own count is off by one after CR LF and after empty lines.
struct Lines<'t> {
    text: &'t [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn of(&mut self, byte: u64) -> u64 {
        let mut end = usize::try_from(byte).unwrap_or(usize::MAX).clamp(self.at, self.text.len());
        end += self.text[end..].iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        self.line += self.text[self.at..end].iter().filter(|b| **b == b'\n').count() as u64;
        self.at = end;
        self.line
    }
}

/// The form of a name for comparing: single spaces, lower case, `е` for `ё`.
fn plain(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase().replace('ё', "е")
}

/// A text with spaces in place of control characters, which could drive a terminal.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Reads a positive number that consists of digits only.
fn number(text: &str) -> Option<i64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten().filter(|n| *n > 0)
}

/// Whether a text can be a reason code: digits, letters, `.`, `-`, `_`, `/`. `05.01.2004` is refused: Excel makes it of 5.1.4.
fn is_code(text: &str) -> bool {
    let is_date = text.len() == 10 && text.bytes().enumerate().all(|(at, b)| if at == 2 || at == 5 { b == b'.' } else { b.is_ascii_digit() });
    !is_date && text.chars().count() <= 20 && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '/'))
}

/// Reads roubles as people write them (`1 204,50`, `1204.5 ₽`) into kopecks. `1,204` is refused: it could mean thousands.
fn roubles(text: &str) -> Option<i64> {
    let text = text.trim_end_matches('₽').trim_end();
    let is_space = |c: char| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}');
    let head = text.find([',', '.']).map_or(text, |at| &text[..at]);
    let groups: Vec<&str> = head.split(is_space).collect();
    let sound = groups.len() == 1 || (1..=3).contains(&groups[0].len()) && groups[1..].iter().all(|g| g.len() == 3);
    let rest = &text[head.len()..];
    let plain = format!("{}{}", groups.concat(), rest.replacen(',', ".", 1));
    sound.then(|| values::kopecks(plain.as_bytes())).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::encoding::to_windows_1251;
    use crate::texts::{Lang, Texts};

    fn columns() -> SanctionColumns {
        SanctionColumns::load(&RuleFiles::embedded()).expect("the built-in table is sound")
    }

    fn read(text: &str) -> Result<Vec<Sanction>, Vec<SanctionFault>> {
        columns().read(text.as_bytes())
    }

    #[test]
    fn what_excel_and_programs_write_is_one_thing() {
        let expected = vec![
            Sanction {
                idcase: Some(12),
                code: "1.1.3.".to_owned(),
                sum: Some(120_450),
                comment: "нет полиса; тариф".to_owned(),
                line: 2,
                ..Sanction::default()
            },
            Sanction { idcase: Some(13), code: "53".to_owned(), sum: None, line: 3, ..Sanction::default() },
        ];
        let russian = "Номер случая;Код причины;Сумма;Комментарий\r\n12;1.1.3.;1\u{a0}204,50;\"нет полиса; тариф\"\r\n13;53;;\r\n";
        let english = "idcase,code,sum,comment\n12,1.1.3.,1204.5,\"нет полиса; тариф\"\n13,53,,\n";
        let elements = " IDCASE\tS_OSN\tS_SUM\tS_COM\n12\t1.1.3.\t1 204,50 ₽\tнет полиса; тариф\n13\t53\t\t\n";
        for text in [russian, english, elements] {
            assert_eq!(read(text).as_ref(), Ok(&expected), "{text}");
            assert_eq!(columns().read(&[BOM, text.as_bytes()].concat()).as_ref(), Ok(&expected), "{text}");
            if let Some(bytes) = to_windows_1251(text) {
                assert_eq!(columns().read(&bytes).as_ref(), Ok(&expected), "{text}");
            }
        }
        assert!(to_windows_1251(russian).is_some());
    }

    #[test]
    fn lines_are_those_of_the_file() {
        for end in ["\n", "\r\n"] {
            let text = ["", "n_zap;code;sum;comment", "1;53;;\"two", "lines\"", "", ";;;", "2;53;;", "", "x;53;;", "3;53;-1;"].join(end);
            assert_eq!(read(&text), Err(vec![SanctionFault::Value(9, SanctionColumn::NZap), SanctionFault::Value(10, SanctionColumn::Sum)]), "{end:?}");
            let lines: Vec<u64> = read(&text.replace("x;", "9;").replace("-1", "1")).expect("read").iter().map(|s| s.line).collect();
            assert_eq!(lines, [3, 7, 9, 10], "{end:?}");
            let first = read(&["sep=;", "n_zap;code;sum", "1;53;"].join(end)).expect("read");
            assert_eq!((first.len(), first[0].line), (1, 3));
        }
    }

    #[test]
    fn sums_that_can_be_read_in_two_ways_are_refused() {
        for (text, kopecks) in [("0", 0), ("7", 700), ("0,05", 5), ("1 000 000,00", 100_000_000), ("12.5", 1_250), ("5₽", 500)] {
            assert_eq!(roubles(text), Some(kopecks), "{text}");
        }
        for text in [
            "",
            " ",
            ",",
            "1,204",
            "1,204.50",
            "1.204,50",
            "1 20",
            "12 34,00",
            "-1",
            "+1",
            "1e3",
            "0x1",
            "∞",
            "1,2,3",
            "9999999999999999999",
            "1 руб",
            "=1+1",
            "٣",
        ] {
            assert_eq!(roubles(text), None, "{text}");
        }
    }

    #[test]
    fn a_fault_names_its_place_and_nothing_else() {
        use SanctionColumn::{Code, IdCase, Sum};
        let cases = [
            ("", vec![SanctionFault::Empty]),
            ("\u{feff}\n\n", vec![SanctionFault::Empty]),
            ("idcase;code;sum\n", vec![SanctionFault::Empty]),
            ("idcase;code;summ\n1;53;1\n", vec![SanctionFault::NoColumn(1, Sum)]),
            ("\nПётр Иванов\n", vec![SanctionFault::NoColumn(2, IdCase), SanctionFault::NoColumn(2, Code), SanctionFault::NoColumn(2, Sum)]),
            ("idcase;код;s_osn;sum\n1;53;53;1\n", vec![SanctionFault::Twice(1, Code)]),
            ("idcase,code,sum\n1,53,1,50\n", vec![SanctionFault::Cells(2, 4, 3)]),
            ("idcase;code;sum\n1;53\n", vec![SanctionFault::Cells(2, 2, 3)]),
            ("idcase;code;sum\n;53;1\n", vec![SanctionFault::Value(2, IdCase)]),
            ("idcase;code;sum\n0;53;1\n-1;53;1\n1.0;53;1\n99999999999999999999;53;1\n", (2..6).map(|n| SanctionFault::Value(n, IdCase)).collect()),
            ("idcase;code;sum\n1;05.01.2004;1\n1;;1\n1;53 54;1\n", (2..5).map(|n| SanctionFault::Value(n, Code)).collect()),
        ];
        for (text, faults) in cases {
            assert_eq!(read(text), Err(faults), "{text}");
        }
        assert_eq!(read(&format!("idcase;code;sum\n{}", "x;53;1\n".repeat(1_000))).map_err(|f| f.len()), Err(MOST));
        // Excel adds empty cells after the last column.
        assert_eq!(read("idcase;code;sum;;\n1;53;1;;\n2;53;;;;;\n").map(|all| all.len()), Ok(2));
    }

    #[test]
    fn what_is_no_text_is_said_to_be_none() {
        let utf16: Vec<u8> = "idcase;code;sum\n1;53;1".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [b"PK\x03\x04\0\0".to_vec(), utf16.clone(), [b"\xff\xfe".as_slice(), &utf16].concat(), [BOM, b"idcase;code;sum\n1;\xcf;1"].concat()] {
            assert_eq!(columns().read(&bytes), Err(vec![SanctionFault::NotText]));
        }
        let spaces = vec![b' '; usize::try_from(SanctionColumns::LARGEST).expect("a size") + 1];
        assert_eq!(columns().read(&spaces), Err(vec![SanctionFault::TooLarge]));
        // An open quotation mark or arbitrary bytes must give an error, not a panic.
        for bytes in [b"idcase;code;sum\n\"1;53;1\n2;53;1\n".as_slice(), b"\"", b"\r\r\r", b"\x98\x81;\xff", b"sep=", b"sep=;"] {
            assert!(columns().read(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_table_that_lacks_or_repeats_a_name_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("forms")).expect("a folder");
        let good = RuleFiles::embedded().text(TABLE).expect("there").into_owned();
        for (from, to, message) in [("|s_sum", "|s_osn", "s_osn"), ("комментарий|", "|", "is empty"), ("n_zap,", "idcase,", "IdCase")] {
            assert!(good.contains(from));
            std::fs::write(folder.path().join(TABLE), good.replacen(from, to, 1)).expect("written");
            let error = SanctionColumns::load(&RuleFiles::with_overlay(folder.path())).expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn messages_have_names_and_what_is_due_in_both_languages() {
        let columns = columns();
        for column in SanctionColumn::ALL {
            for lang in [Lang::Ru, Lang::En] {
                let said = Texts::built_in().error(&columns.errors("s.csv", &[SanctionFault::Value(7, column)]), lang);
                assert!(said.starts_with("s.csv:7: ") && !said.contains("«»") && !said.ends_with(": "), "{said}");
            }
        }
    }
}
