//! What goes to standard output, or to a file in its place: text, JSON, tables for Excel. A reader that has seen enough is no error.

mod target;

use std::io::{self, Write as _};

use serde::Serialize;

pub(super) use target::Target;

use super::Failure;
use crate::api::Answer;

/// Writes a text to standard output.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    bytes(text.as_bytes())
}

/// Writes bytes to standard output.
pub(super) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    Ok(out.write_all(bytes).and_then(|()| out.flush())?)
}

/// Writes an answer for programs to standard output.
pub(super) fn json<B: Serialize>(body: &B) -> Result<(), Failure> {
    bytes(&json_bytes(body)?)
}

/// An answer for programs: schema and tool around a body.
pub(super) fn json_bytes<B: Serialize>(body: &B) -> io::Result<Vec<u8>> {
    let mut out = serde_json::to_vec_pretty(&Answer::new(body))?;
    out.push(b'\n');
    Ok(out)
}

/// As Excel of a Russian Windows opens it: byte order mark, semicolons, CR LF.
pub(super) fn csv(head: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    let mut table = ::csv::WriterBuilder::new().delimiter(b';').terminator(::csv::Terminator::CRLF).from_writer("\u{feff}".as_bytes().to_vec());
    table.write_record(head).map_err(io::Error::from)?;
    for row in rows {
        table.write_record(row).map_err(io::Error::from)?;
    }
    bytes(&table.into_inner().map_err(::csv::IntoInnerError::into_error)?)
}

/// Rows in columns, two spaces apart; nothing after the last one.
pub(super) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(|i| rows.iter().filter_map(|r| r.get(i)).map(|c| c.chars().count()).max().unwrap_or(0)).collect();
    let line = |row: &Vec<String>| row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}  ")).collect::<String>().trim_end().to_owned() + "\n";
    rows.iter().map(line).collect()
}
