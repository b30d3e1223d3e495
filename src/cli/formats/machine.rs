//! JSON and CSV of the tables; the same whatever the language.

use std::io::{self, Write};

use serde::Serialize;

use super::rows::{EditionRow, ElementRow};
use crate::registry::format::Format;

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Answer<'a, B: Serialize> {
    schema: u32,
    tool: Tool,
    #[serde(flatten)]
    body: &'a B,
}

#[derive(Serialize)]
struct List<'a> {
    formats: &'a [EditionRow<'a>],
}

#[derive(Serialize)]
struct Shown<'a> {
    format: EditionRow<'a>,
    elements: &'a [ElementRow<'a>],
}

fn json<B: Serialize>(body: &B, out: &mut dyn Write) -> io::Result<()> {
    let tool = Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
    serde_json::to_writer_pretty(&mut *out, &Answer { schema: 1, tool, body })?;
    writeln!(out)
}

pub(super) fn list_json(list: &[EditionRow<'_>], out: &mut dyn Write) -> io::Result<()> {
    json(&List { formats: list }, out)
}

pub(super) fn show_json(format: &Format, elements: &[ElementRow<'_>], out: &mut dyn Write) -> io::Result<()> {
    json(&Shown { format: EditionRow::new(format), elements }, out)
}

/// A table as Excel of a Russian Windows opens it, the same as the other CSV reports: byte-order mark, semicolons, CR LF.
pub(super) fn csv<R: Serialize>(rows: &[R], out: &mut dyn Write) -> io::Result<()> {
    out.write_all("\u{feff}".as_bytes())?;
    let mut table = csv::WriterBuilder::new().delimiter(b';').terminator(csv::Terminator::CRLF).from_writer(out);
    for row in rows {
        table.serialize(row)?;
    }
    table.flush()
}
