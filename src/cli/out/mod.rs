//! Output to standard output or to a file: text, JSON, tables for Excel. It is no error when the reader closes standard output.

mod target;

use std::io::{self, Write as _};

use serde::Serialize;

pub(super) use target::Target;

use super::Failure;
use super::session::Session;
use crate::api::Answer;
use crate::report::columns::{Columns, Field};
use crate::texts::Lang;
use crate::texts::layout::fit;

/// Writes a text for people to standard output, in lines that fit a console.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    bytes(fit(text).as_bytes())
}

/// Writes a text of a command that changes something: a reader who has closed standard output does not end the change.
pub(super) fn tell(text: &str) -> Result<(), Failure> {
    match print(text) {
        Err(Failure::Pipe) => Ok(()),
        told => told,
    }
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

/// Writes a table for Excel to standard output.
pub(super) fn csv<F: Field, R>(session: &Session<'_>, rows: &[R], cell: impl Fn(F, &R) -> String) -> Result<(), Failure> {
    let columns = Columns::load(session.files)?;
    bytes(&csv_bytes(&columns, session.ui.lang, rows, cell)?)
}

/// The CSV of a table for Excel.
pub(super) fn csv_bytes<F: Field, R>(columns: &Columns<F>, lang: Lang, rows: &[R], cell: impl Fn(F, &R) -> String) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut table = columns.begin(&mut out, lang)?;
    rows.iter().try_for_each(|row| columns.row(&mut table, |field| cell(field, row)))?;
    table.finish()?;
    drop(table);
    Ok(out)
}
