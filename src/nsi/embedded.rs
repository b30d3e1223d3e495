//! The books embedded in the binary, written as tables under `rules/nsi/`.
//!
//! A table has the fields of the published packet under their own names, including `DATEBEG` and `DATEEND`, so it can be imported like any other
//! CSV. Only M001 is written differently, one rubric per line, because a line for each of its 15,000 codes would make it twenty times as long:
//! `A00,0 1 9` is the rubric A00 with A00.0, A00.1 and A00.9. `>20201007` after a code is its first day, `<20201007` its last day.

use super::catalog::{BookInfo, Catalog, Stock, TABLE, table_of};
use super::image::{Builder, Head, Image};
use crate::tables::{RuleFiles, TableError};
use crate::values::{Date, Span};

const FROM: &str = "DATEBEG";
const UNTIL: &str = "DATEEND";
/// The header of a table that is written as a tree of codes.
const TREE: [&str; 2] = ["rubric", "codes"];

/// Compiles the embedded books whose tables are among these, so that an error does not wait for the rule that asks the book.
///
/// # Errors
/// A table is broken, or nothing reads it because no embedded book has its name.
pub fn prove<'t>(files: &RuleFiles, tables: impl Iterator<Item = &'t str>) -> Result<(), TableError> {
    let catalog = Catalog::load(files)?;
    for name in tables {
        let Some(id) = name.strip_prefix("nsi/").and_then(|file| file.strip_suffix(".csv")).filter(|_| name != TABLE) else { continue };
        let Some(info) = catalog.get(id).filter(|info| *info.id == *id && info.stock == Stock::Embedded) else {
            return Err(TableError::new(name, 0, format!("nothing reads this table: nsi/books.csv has no embedded book {id}")));
        };
        compile(files, info)?;
    }
    Ok(())
}

/// Compiles the table of an embedded book.
pub(super) fn compile(files: &RuleFiles, info: &BookInfo) -> Result<Image, TableError> {
    let table = table_of(&info.id);
    let text = files.text(&table)?;
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| broken(&table, &e))?.clone();
    let builder = if header.iter().eq(TREE) { tree(&table, info, reader) } else { rows(&table, info, &header, reader) }?;
    let head = Head { id: info.id.to_string(), edition: info.edition.to_string(), date: info.date, ..Head::default() };
    builder.image(&head).map_err(|_| too_large(&table))
}

fn rows(table: &str, info: &BookInfo, header: &csv::StringRecord, mut reader: csv::Reader<&[u8]>) -> Result<Builder, TableError> {
    let at = |name: &str| header.iter().position(|h| h == name);
    let (from, until) = (at(FROM), at(UNTIL));
    let fields: Vec<usize> = (0..header.len()).filter(|i| Some(*i) != from && Some(*i) != until).collect();
    let key = at(&info.key).ok_or_else(|| TableError::new(table, 1, format!("the key «{}» is missing", info.key)))?;
    let mut builder = Builder::new(fields.iter().map(|i| &header[*i])).map_err(|_| too_large(table))?;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|e| broken(table, &e))? {
        let line = record.position().map_or(0, csv::Position::line);
        if record[key].is_empty() {
            return Err(TableError::new(table, line, format!("the key «{}» is empty", info.key)));
        }
        let day = |column: Option<usize>, open: Date| match column.map(|i| &record[i]) {
            None | Some("") => Ok(open),
            Some(text) => Date::parse(text).ok_or_else(|| TableError::new(table, line, format!("«{text}» is no date"))),
        };
        let span = Span { from: day(from, Date::MIN)?, until: day(until, Date::MAX)? };
        if span.from > span.until {
            return Err(TableError::new(table, line, "the row ends before it begins"));
        }
        builder.push(fields.iter().map(|i| &record[*i]), span).map_err(|_| too_large(table))?;
    }
    Ok(builder)
}

fn tree(table: &str, info: &BookInfo, mut reader: csv::Reader<&[u8]>) -> Result<Builder, TableError> {
    let mut builder = Builder::new([&*info.key]).map_err(|_| too_large(table))?;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|e| broken(table, &e))? {
        let line = record.position().map_or(0, csv::Position::line);
        let split = |word| dated(word).ok_or_else(|| TableError::new(table, line, format!("«{word}»: a code, or a code and >yyyymmdd or <yyyymmdd is due")));
        let (rubric, span) = split(&record[0])?;
        builder.push([rubric], span).map_err(|_| too_large(table))?;
        let mut code = format!("{rubric}.");
        for word in record[1].split(' ').filter(|w| !w.is_empty()) {
            let (tail, span) = split(word)?;
            code.truncate(rubric.len() + 1);
            code.push_str(tail);
            builder.push([code.as_str()], span).map_err(|_| too_large(table))?;
        }
    }
    Ok(builder)
}

/// A code and its days: `9`, `9>20201007` (first day), `9<20201007` (last day).
fn dated(word: &str) -> Option<(&str, Span)> {
    let (code, span) = match word.find(['<', '>']) {
        None => (word, Span::ALWAYS),
        Some(at) => {
            let day = Date::parse(&word[at + 1..])?;
            let span = if word.as_bytes()[at] == b'>' { Span { from: day, ..Span::ALWAYS } } else { Span { until: day, ..Span::ALWAYS } };
            (&word[..at], span)
        }
    };
    (!code.is_empty()).then_some((code, span))
}

fn broken(table: &str, error: &csv::Error) -> TableError {
    TableError::new(table, error.position().map_or(0, csv::Position::line), error.to_string())
}

fn too_large(table: &str) -> TableError {
    TableError::new(table, 0, "too large for the compiled form")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile_text(id: &str, key: &str, text: &str) -> Result<Vec<(String, String)>, u64> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("nsi")).expect("a folder");
        std::fs::write(folder.path().join(format!("nsi/{id}.csv")), text).expect("written");
        let image = compile(&RuleFiles::with_overlay(folder.path()), &BookInfo::unknown(id, key)).map_err(|e| e.line)?;
        Ok((0..image.rows()).map(|r| (image.text(image.cell(r, 0).expect("a cell")).to_owned(), image.span(r).to_string())).collect())
    }

    #[test]
    fn reads_rows_with_days() {
        let rows = compile_text("V900", "K", "K,DATEBEG,DATEEND\n1,2011-01-01,\n2,,2012-12-31\n").expect("sound");
        assert_eq!(rows, [("1", "2011-01-01.."), ("2", "..2012-12-31")].map(|(k, s)| (k.to_owned(), s.to_owned())));
    }

    #[test]
    fn reads_a_tree_of_codes() {
        let rows = compile_text("V900", "K", "rubric,codes\nA00,0 1>20200101\nA90<20201007,\n").expect("sound");
        let expected = [("A00", ".."), ("A00.0", ".."), ("A00.1", "2020-01-01.."), ("A90", "..2020-10-07")];
        assert_eq!(rows, expected.map(|(k, s)| (k.to_owned(), s.to_owned())));
    }

    #[test]
    fn names_the_line_of_an_error() {
        for (text, line) in [
            ("X\n1\n", 1),
            ("K,DATEBEG\n1,soon\n", 2),
            ("K\n1\n\"\"\n", 3),
            ("K,DATEBEG,DATEEND\n1,2020-01-02,2020-01-01\n", 2),
            ("K,A\n1,2\n3\n", 3),
            ("rubric,codes\nA00,1 2<2020\n", 2),
            ("rubric,codes\nA00,>20200101\n", 2),
        ] {
            assert_eq!(compile_text("V900", "K", text), Err(line), "{text}");
        }
    }
}
