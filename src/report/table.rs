//! Tables as CSV for Excel (`--format csv`, schema 2), in the form that works on Russian Windows.
//!
//! UTF-8 with a byte order mark (Excel would otherwise assume windows-1251), semicolons (the list separator of Russian Windows), quotes as in RFC
//! 4180, CR LF at line ends. A text that Excel would run as a formula gets a leading apostrophe.

use std::borrow::Cow;
use std::io::{self, Write};

use csv::{Terminator, Writer, WriterBuilder};

/// Writes a table row by row.
#[derive(Debug)]
pub struct Table<W: Write> {
    out: Writer<W>,
}

impl<W: Write> Table<W> {
    /// Begins the table with the titles of its columns.
    ///
    /// # Errors
    /// The target cannot be written.
    pub fn new<T: AsRef<str>>(mut out: W, titles: impl IntoIterator<Item = T>) -> io::Result<Self> {
        out.write_all("\u{feff}".as_bytes())?;
        let out = WriterBuilder::new().delimiter(b';').terminator(Terminator::CRLF).from_writer(out);
        let mut table = Self { out };
        table.row(titles)?;
        Ok(table)
    }

    /// Writes a row.
    ///
    /// # Errors
    /// The target cannot be written, or the row has another number of cells than the titles.
    pub fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) -> io::Result<()> {
        for cell in cells {
            self.out.write_field(harmless(cell.as_ref()).as_bytes())?;
        }
        Ok(self.out.write_record(None::<&[u8]>)?)
    }

    /// Completes the table.
    ///
    /// # Errors
    /// The target cannot be written.
    pub fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Prevents a text from being run as a formula; negative numbers stay numbers.
fn harmless(text: &str) -> Cow<'_, str> {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) && !is_negative(text);
    if formula { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Whether a text is a negative number: `-5`, `-12.50`, `-12,50`.
fn is_negative(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let Some(number) = text.strip_prefix('-') else { return false };
    number.split_once(['.', ',']).map_or_else(|| digits(number), |(whole, fraction)| digits(whole) && digits(fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialect_of_excel() {
        let mut out = Vec::new();
        let mut table = Table::new(&mut out, ["номер", "сумма; руб."]).expect("begun");
        table.row(["1", "-12,50"]).expect("written");
        table.row(["Кафе \"Весна\"\nдва", "=HYPERLINK(\"http://x\";1)"]).expect("written");
        table.row(["", ""]).expect("written");
        table.finish().expect("written");
        drop(table);
        let due = "\u{feff}номер;\"сумма; руб.\"\r\n1;-12,50\r\n\"Кафе \"\"Весна\"\"\nдва\";\"'=HYPERLINK(\"\"http://x\"\";1)\"\r\n;\r\n";
        assert_eq!(String::from_utf8(out).expect("UTF-8"), due);
    }

    #[test]
    fn formulas_are_texts_and_numbers_stay_numbers() {
        for same in ["-5", "-5.5", "-12,50", "5", "0,01", "a=b", "1+1", "", "'=1"] {
            assert_eq!(harmless(same), same);
        }
        for formula in ["=1+1", "+5", "+79140000000", "-cmd", "-1-1", "-", "-1e5", "-inf", "-5.", "@x", "\t=1", "\r=1", "\n=1", "=-5"] {
            assert_eq!(harmless(formula), format!("'{formula}"));
        }
    }
}
