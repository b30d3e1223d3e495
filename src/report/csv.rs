//! `--format csv`: one finding a row, for Excel as Russian clinics have it.
//!
//! UTF-8 with a byte-order mark (else Excel takes it for windows-1251), semicolons (the list separator of the Russian Windows), lines end
//! in CR LF. A text that Excel would run as a formula gets an apostrophe in front, as one types it by hand.

use std::borrow::Cow;
use std::io::{self, Write};

use csv::{Terminator, Writer, WriterBuilder};

use super::wire::Entry;
use super::{Ending, Report, shown};
use crate::finding::Catalog;
use crate::flk::PackageReport;

const COLUMNS: [&str; 15] =
    ["package", "rule", "severity", "file", "line", "column", "offset", "path", "n_zap", "idcase", "sl_id", "idserv", "id_pac", "value", "message"];

/// Writes the table.
#[derive(Debug)]
pub struct Csv<'a, W: Write> {
    out: Writer<W>,
    catalog: &'a Catalog,
    show_personal: bool,
}

impl<'a, W: Write> Csv<'a, W> {
    /// Begins the table with its header.
    ///
    /// # Errors
    /// The target cannot be written.
    pub fn new(mut out: W, catalog: &'a Catalog, show_personal: bool) -> io::Result<Self> {
        out.write_all("\u{feff}".as_bytes())?;
        let mut out = WriterBuilder::new().delimiter(b';').terminator(Terminator::CRLF).from_writer(out);
        out.write_record(COLUMNS)?;
        Ok(Self { out, catalog, show_personal })
    }
}

impl<W: Write> Report for Csv<'_, W> {
    fn package(&mut self, report: &PackageReport) -> io::Result<()> {
        let number = |n: Option<u64>| n.map_or_else(String::new, |n| n.to_string());
        for finding in report.findings.iter()? {
            let finding = shown(finding?, self.show_personal);
            let e = Entry::new(&finding, report, self.catalog);
            let (line, column, offset) = (number(e.line.map(u64::from)), number(e.column.map(u64::from)), number(e.offset));
            let text = |t: Option<&'_ str>| harmless(t.unwrap_or("")).into_owned();
            self.out.write_record([
                text(Some(&report.path)),
                text(Some(e.rule)),
                text(Some(e.severity)),
                text(Some(e.file)),
                line,
                column,
                offset,
                text(e.path),
                text(e.n_zap),
                text(e.idcase),
                text(e.sl_id),
                text(e.idserv),
                text(e.id_pac),
                text(e.value),
                text(Some(&e.message)),
            ])?;
        }
        Ok(())
    }

    fn finish(&mut self, _ending: &Ending<'_>) -> io::Result<()> {
        self.out.flush()
    }
}

/// What begins like a formula is no formula; plain negative numbers stay numbers.
fn harmless(text: &str) -> Cow<'_, str> {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) && text.parse::<f64>().is_err();
    if formula { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, Desk};
    use super::*;

    #[test]
    fn excel_opens_it_without_questions() {
        let desk = Desk::new();
        let mut out = Vec::new();
        let mut report = Csv::new(&mut out, &desk.catalog, false).expect("begun");
        desk.run(&mut report, &[samples::mixed(&desk), samples::damaged(&desk)], None);
        drop(report);
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.starts_with("\u{feff}package;rule;severity;") && text.ends_with("\r\n"));
        assert!(!text.contains("Кириллов"));
        insta::assert_snapshot!(text.trim_start_matches('\u{feff}').replace("\r\n", "\n"));
    }

    #[test]
    fn formulas_are_texts() {
        assert_eq!(["=1+1", "-5", "-5.5", "-cmd", "@x", "a=b", ""].map(|t| harmless(t).into_owned()), ["'=1+1", "-5", "-5.5", "'-cmd", "'@x", "a=b", ""]);
    }
}
