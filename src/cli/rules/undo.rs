//! `puomp rules import --undo`: takes the last import back.

use std::path::Path;

use serde::Serialize;

use crate::cli::flags::ListShape;
use crate::cli::out::{self, print};
use crate::cli::session::Session;
use crate::cli::{Exit, Failure};
use crate::rules::import::{Edition, Kept, Record, last, take_back, turn};
use crate::tables::RuleFiles;
use crate::texts::{ErrorClass, Key};

const EDITIONS: &str = "flk/editions.csv";

#[derive(Serialize)]
struct Body<'a> {
    /// The edition that was taken back.
    undone: &'a Edition,
    /// The tables that are as before.
    tables: Vec<&'a str>,
    /// The editions that count now; under `--dry-run` those that count still.
    editions: Vec<Edition>,
    dry_run: bool,
}

/// Takes the last import in a folder back.
pub(super) fn undo(folder: Option<&Path>, force: bool, dry_run: bool, format: ListShape, session: &Session<'_>) -> Result<Exit, Failure> {
    let (texts, lang) = (session.ui.texts, session.ui.lang);
    let there = folder.filter(|folder| !dry_run && folder.is_dir());
    let _turn = there.map(|folder| turn(folder).map_err(|e| Failure::Write(folder.to_owned(), e))).transpose()?;
    let Some((folder, record)) = folder.map(|f| last(f).map(|r| r.map(|r| (f, r)))).transpose()?.flatten() else {
        return Err(Failure::said(ErrorClass::Nothing, Key::RulesNothingToUndo, &[]));
    };
    if !dry_run {
        take_back(&record, folder, force).map_err(|kept| match kept {
            Kept::Edited(table) => Failure::said(ErrorClass::Usage, Key::RulesEdited, &[("table", &table)]),
            Kept::Io(error) => Failure::Write(folder.to_owned(), error),
        })?;
    }
    let files = if folder.is_dir() { RuleFiles::with_overlay(folder) } else { RuleFiles::embedded() };
    let editions: Vec<Edition> = files.rows(EDITIONS)?.into_iter().map(|(_, e)| e).collect();
    match format {
        ListShape::Human => {
            let Record { edition, tables, .. } = &record;
            let names: Vec<&str> = tables.iter().map(|t| t.name.as_str()).collect();
            let key = if dry_run { Key::RulesWouldUndo } else { Key::RulesUndone };
            let slots = [("book", edition.book.as_str()), ("edition", edition.number(texts, lang)), ("date", &edition.date), ("tables", &names.join(", "))];
            let mut out = texts.fill(key, lang, &slots) + "\n";
            for e in editions.iter().filter(|_| !dry_run) {
                out.push_str(&texts.fill(Key::RulesEdition, lang, &[("book", &e.book), ("edition", e.number(texts, lang)), ("date", &e.date)]));
                out.push('\n');
            }
            if !session.ui.quiet {
                print(&out)?;
            }
        }
        ListShape::Json | ListShape::Csv => {
            out::json(&Body { undone: &record.edition, tables: record.tables.iter().map(|t| t.name.as_str()).collect(), editions, dry_run })?;
        }
    }
    Ok(Exit::Done)
}
