//! `puomp nsi`: reference books.

mod asked;
mod import;
mod list;
mod registers;
mod show;
mod update;
mod words;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::say::say;
use super::session::Session;
use super::ui::Ui;
use super::{Exit, Failure};
use crate::nsi::Books;
use crate::texts::{ErrorClass, Key};

/// Arguments of `puomp nsi`.
#[derive(Debug, Args)]
pub(super) struct NsiArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Take books as published.
    Import(import::ImportArgs),
    /// Get current editions from the sites.
    Update(update::UpdateArgs),
    /// Lists the books.
    List(list::ListArgs),
    /// Shows a book or its rows.
    Show(show::ShowArgs),
}

impl NsiArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        match &self.verb {
            Verb::Import(verb) => verb.run(session),
            Verb::Update(verb) => verb.run(session),
            Verb::List(verb) => verb.run(session),
            Verb::Show(verb) => verb.run(session),
        }
    }
}

/// The folder of imported books, which need not exist; `None` if no place for it is known.
fn folder(session: &Session<'_>) -> Option<PathBuf> {
    session.settings.books().map(|books| books.value)
}

/// The folder that books are imported to.
fn target(session: &Session<'_>) -> Result<PathBuf, Failure> {
    folder(session).ok_or_else(|| Failure::said(ErrorClass::Usage, Key::NsiNoFolder, &[]))
}

/// Reports the faults of the books that were used. A faulty table ends the run.
pub(super) fn complain(books: &Books, ui: &Ui<'_>) -> Result<(), Failure> {
    for fault in books.faults() {
        if let crate::nsi::BookFault::Table(error) = fault {
            return Err(error.clone().into());
        }
        say(&ui.texts.error(fault, ui.lang));
    }
    Ok(())
}
