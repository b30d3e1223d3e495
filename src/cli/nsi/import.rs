//! `puomp nsi import`.

use std::cell::{Cell, RefCell};
use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::registers::{Imported, Registers};
use super::words;
use crate::cli::flags::ListShape;
use crate::cli::out::{self, print};
use crate::cli::session::Session;
use crate::cli::ui::Ui;
use crate::cli::{Exit, Failure};
use crate::nsi::{Import, ImportOptions, Importer, Refusal};
use crate::registers::ImportError;
use crate::report::columns::fields;
use crate::texts::Key;
use crate::values::Date;

/// Arguments of `puomp nsi import`.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// Files, archives, folders.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Id of the book in the files.
    #[arg(long, value_name = "ID")]
    book: Option<String>,
    /// Import a book even if it is older or smaller than the present one.
    #[arg(long)]
    force: bool,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: ListShape,
}

impl ImportArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let folder = super::target(session)?;
        let importer = Importer::new(session.files, &folder, session.today())?;
        let wish = ImportOptions { book: self.book.clone(), force: self.force, checked: None };
        let registers = Registers::load(session)?;
        let (all, failed) = (RefCell::new(Vec::new()), Cell::new(None));
        let mut aside = |file: &str, head: &[u8], stream: &mut dyn Read| match registers.take(file, head, stream, self.book.as_deref(), session.today()) {
            Ok(None) => false,
            Ok(Some(imported)) => {
                all.borrow_mut().push(Item::Register(imported));
                true
            }
            Err(problem) => {
                failed.set(Some(problem));
                true
            }
        };
        for path in &self.paths {
            importer.take_besides(path, &wish, &mut aside, |import| all.borrow_mut().push(Item::Book(import)));
        }
        if let Some(problem) = failed.into_inner() {
            return Err(problem.into());
        }
        let all = all.into_inner();
        // Registers have a folder of their own.
        let only_registers = all.iter().all(|item| matches!(item, Item::Register(_)));
        let folder = registers.folder().filter(|_| only_registers && !all.is_empty()).unwrap_or_else(|| folder.display().to_string());
        report(&all, &registers, folder, self.format, session)?;
        Ok(exit(&all))
    }
}

/// What became of a file.
enum Item {
    Book(Import),
    Register(Imported),
}

impl Item {
    fn is_taken(&self) -> bool {
        match self {
            Self::Book(import) => import.outcome.is_ok(),
            Self::Register(imported) => imported.outcome.is_ok(),
        }
    }

    fn is_unreadable(&self) -> bool {
        match self {
            Self::Book(import) => matches!(import.outcome, Err(Refusal::Unreadable(_) | Refusal::Archive(_))),
            Self::Register(imported) => imported.outcome.as_ref().is_err_and(ImportError::is_unreadable),
        }
    }
}

/// The exit code: nothing found, all imported, all unreadable, or some refused.
fn exit(all: &[Item]) -> Exit {
    if all.is_empty() {
        Exit::Nothing
    } else if all.iter().all(Item::is_taken) {
        Exit::Done
    } else if all.iter().all(Item::is_unreadable) {
        Exit::Input
    } else {
        Exit::Findings
    }
}

#[derive(Serialize)]
struct ImportedRow<'a> {
    file: &'a str,
    /// `book` or `register`.
    kind: &'static str,
    book: &'a str,
    edition: &'a str,
    date: Option<String>,
    rows: u64,
    replaced_edition: Option<&'a str>,
    replaced_date: Option<String>,
    refusal: Option<&'static str>,
    details: String,
}

impl<'a> ImportedRow<'a> {
    fn new(item: &'a Item, today: Date) -> Self {
        match item {
            Item::Book(import) => Self::of_book(import),
            Item::Register(imported) => Self::of_register(imported, today),
        }
    }

    fn of_register(imported: &'a Imported, today: Date) -> Self {
        let taken = imported.outcome.as_ref().ok();
        let error = imported.outcome.as_ref().err();
        Self {
            file: &imported.file,
            kind: "register",
            book: taken.map_or("", |t| &t.id),
            edition: "",
            date: taken.map(|_| today.to_string()),
            rows: taken.map_or(0, |t| t.rows),
            replaced_edition: None,
            replaced_date: taken.and_then(|t| t.replaced).map(|(day, _)| day.to_string()),
            refusal: error.map(ImportError::code),
            details: error.map(ImportError::details).unwrap_or_default(),
        }
    }

    fn of_book(import: &'a Import) -> Self {
        let taken = import.outcome.as_ref().ok();
        let replaced = taken.and_then(|t| t.replaced.as_ref());
        Self {
            file: &import.file,
            kind: "book",
            book: taken.map_or("", |t| &t.book.id),
            edition: taken.map_or("", |t| &t.book.edition),
            date: taken.and_then(|t| t.book.date).map(|d| d.to_string()),
            rows: taken.map_or(0, |t| t.book.rows as u64),
            replaced_edition: replaced.map(|r| r.edition.as_str()),
            replaced_date: replaced.and_then(|r| r.date).map(|d| d.to_string()),
            refusal: import.outcome.as_ref().err().map(Refusal::code),
            details: import.outcome.as_ref().err().map(Refusal::details).unwrap_or_default(),
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    folder: String,
    imports: Vec<ImportedRow<'a>>,
}

fields!(
    /// The columns of a file to be imported.
    OfImport,
    "nsi",
    "imports",
    File,
    Book,
    Edition,
    Date,
    Rows,
    ReplacedEdition,
    ReplacedDate,
    Refusal,
    Details,
    Kind
);

fn cell(column: OfImport, r: &ImportedRow<'_>) -> String {
    let text = |o: Option<&str>| o.unwrap_or_default().to_owned();
    match column {
        OfImport::File => r.file.to_owned(),
        OfImport::Book => r.book.to_owned(),
        OfImport::Edition => r.edition.to_owned(),
        OfImport::Date => text(r.date.as_deref()),
        OfImport::Rows => r.rows.to_string(),
        OfImport::ReplacedEdition => text(r.replaced_edition),
        OfImport::ReplacedDate => text(r.replaced_date.as_deref()),
        OfImport::Refusal => text(r.refusal),
        OfImport::Details => r.details.clone(),
        OfImport::Kind => r.kind.to_owned(),
    }
}

/// Prints the result for each file.
fn report(all: &[Item], registers: &Registers, folder: String, format: ListShape, session: &Session<'_>) -> Result<(), Failure> {
    let rows = || all.iter().map(|item| ImportedRow::new(item, session.today()));
    match format {
        ListShape::Json => out::json(&Body { folder, imports: rows().collect() }),
        ListShape::Csv => out::csv(session, &rows().collect::<Vec<_>>(), cell),
        ListShape::Human => print(&human(all, registers, &folder, session.ui)),
    }
}

fn human(all: &[Item], registers: &Registers, folder: &str, ui: &Ui<'_>) -> String {
    let (texts, lang) = (ui.texts, ui.lang);
    let mut out = String::new();
    let refused = |file: &str, reason: String| texts.fill(Key::NsiRefused, lang, &[("file", file), ("reason", &reason)]);
    for item in all {
        let line = match item {
            item if item.is_taken() && ui.quiet => continue,
            Item::Book(Import { outcome: Ok(taken), .. }) => words::taken(taken, texts, lang),
            Item::Book(Import { file, outcome: Err(refusal) }) => refused(file, texts.error(refusal, lang)),
            Item::Register(Imported { outcome: Ok(taken), .. }) => words::register(taken, registers.name(&taken.id, lang), texts, lang),
            Item::Register(Imported { file, outcome: Err(error) }) => refused(file, texts.error(error, lang)),
        };
        out.push_str(&line);
        out.push('\n');
    }
    let taken = all.iter().filter(|item| item.is_taken()).count() as u64;
    let refused = all.len() as u64 - taken;
    if all.iter().any(|item| matches!(item, Item::Book(import) if import.outcome.as_ref().is_err_and(Refusal::yields_to_force))) {
        out.push_str(texts.get(Key::NsiForce, lang));
        out.push('\n');
    }
    if !ui.quiet {
        let slots = [("taken", texts.number(lang, taken)), ("refused", texts.number(lang, refused)), ("folder", folder.to_owned())];
        out.push_str(&texts.fill(Key::NsiImportTotal, lang, &slots.each_ref().map(|(n, v)| (*n, v.as_str()))));
        out.push('\n');
    }
    out
}
