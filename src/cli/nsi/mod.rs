//! `puomp nsi`: reference books.

mod import;
mod list;
mod show;
mod update;
mod words;

use std::io::{self, Write};
use std::path::Path;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::args::{Cli, ListShape};
use super::ui::{Ui, say};
use super::{Exit, Failure};
use crate::nsi::Books;
use crate::sys::data_folder;
use crate::tables::RuleFiles;
use crate::texts::{ErrorClass, Key};

/// Names the folder of imported books for every command.
pub(super) const VARIABLE: &str = "PUOMP_BOOKS";

/// Arguments of `puomp nsi`.
#[derive(Debug, Args)]
pub(super) struct NsiArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take books as published.
    Import(import::ImportArgs),
    /// Get current editions from the sites.
    Update(update::UpdateArgs),
    /// Books at hand.
    List {
        /// Form of the answer.
        #[arg(long, value_enum, default_value_t)]
        format: ListShape,
    },
    /// A book or rows of it.
    Show(show::ShowArgs),
}

impl NsiArgs {
    pub(super) fn run(&self, cli: &Cli, files: &RuleFiles, ui: &Ui<'_>) -> Result<Exit, Failure> {
        let folder = folder(cli);
        match &self.command {
            Command::Import(verb) => verb.run(&folder.ok_or_else(no_folder)?, files, ui),
            Command::Update(verb) => verb.run(&folder.ok_or_else(no_folder)?, super::rules::folder(cli).as_deref(), files, ui),
            Command::List { format } => list::run(*format, folder.as_deref(), files, ui),
            Command::Show(verb) => verb.run(folder.as_deref(), files, ui),
        }
    }
}

/// The folder of imported books.
pub(super) fn folder(cli: &Cli) -> Option<std::path::PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty());
    let configured = variable(VARIABLE).map(std::path::PathBuf::from);
    let here = std::env::current_dir().unwrap_or_default();
    crate::nsi::folder(&here, cli.books.as_deref(), configured.as_deref(), data_folder(variable).as_deref())
}

fn no_folder() -> Failure {
    Failure::said(ErrorClass::Usage, Key::NsiNoFolder, &[])
}

/// Loads the books and says which of the imported ones are damaged.
fn load(folder: Option<&Path>, files: &RuleFiles) -> Result<Books, Failure> {
    Ok(Books::load(files, folder)?)
}

/// Says what is wrong with the books that were asked for; an error of a table ends the run.
pub(super) fn complain(books: &Books, ui: &Ui<'_>) -> Result<(), Failure> {
    for fault in books.faults() {
        if let crate::nsi::BookFault::Table(error) = fault {
            return Err(error.clone().into());
        }
        say(&ui.texts.error(fault, ui.lang));
    }
    Ok(())
}

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

pub(super) fn json<B: Serialize>(body: &B) -> Result<(), Failure> {
    json_to(&mut io::stdout().lock(), body)
}

/// The same to anywhere.
pub(super) fn json_to<B: Serialize>(out: &mut impl Write, body: &B) -> Result<(), Failure> {
    let tool = Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
    serde_json::to_writer_pretty(&mut *out, &Answer { schema: 1, tool, body }).map_err(io::Error::from)?;
    Ok(writeln!(out)?)
}

/// As Excel of a Russian Windows opens it: byte order mark, semicolons, CR LF.
pub(super) fn csv(head: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all("\u{feff}".as_bytes())?;
    let mut table = ::csv::WriterBuilder::new().delimiter(b';').terminator(::csv::Terminator::CRLF).from_writer(out);
    table.write_record(head).map_err(io::Error::from)?;
    for row in rows {
        table.write_record(row).map_err(io::Error::from)?;
    }
    Ok(table.flush()?)
}

/// Rows in columns, two spaces apart; nothing after the last one.
pub(super) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(|i| rows.iter().filter_map(|r| r.get(i)).map(|c| c.chars().count()).max().unwrap_or(0)).collect();
    let line = |row: &Vec<String>| row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}  ")).collect::<String>().trim_end().to_owned() + "\n";
    rows.iter().map(line).collect()
}
