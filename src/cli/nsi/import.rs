//! `puomp nsi import`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::words;
use crate::cli::flags::ListShape;
use crate::cli::out::{self, print};
use crate::cli::session::Session;
use crate::cli::{Exit, Failure};
use crate::nsi::{Import, ImportOptions, Importer, Refusal};
use crate::report::columns::fields;
use crate::texts::{Key, Lang, Texts};

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
        let mut all = Vec::new();
        for path in &self.paths {
            importer.take(path, &wish, |import| all.push(import));
        }
        report(&all, &folder, self.format, session)?;
        Ok(exit(&all))
    }
}

/// The exit code: nothing found, all imported, all unreadable, or some refused.
pub(super) fn exit(all: &[Import]) -> Exit {
    let refusals: Vec<_> = all.iter().filter_map(|i| i.outcome.as_ref().err()).collect();
    if all.is_empty() {
        Exit::Nothing
    } else if refusals.is_empty() {
        Exit::Done
    } else if refusals.len() == all.len() && refusals.iter().all(|r| matches!(r, Refusal::Unreadable(_) | Refusal::Archive(_))) {
        Exit::Input
    } else {
        Exit::Findings
    }
}

#[derive(Serialize)]
struct ImportedRow<'a> {
    file: &'a str,
    book: &'a str,
    edition: &'a str,
    date: Option<String>,
    rows: usize,
    replaced_edition: Option<&'a str>,
    replaced_date: Option<String>,
    refusal: Option<&'static str>,
    details: String,
}

impl<'a> ImportedRow<'a> {
    fn new(import: &'a Import) -> Self {
        let taken = import.outcome.as_ref().ok();
        let replaced = taken.and_then(|t| t.replaced.as_ref());
        Self {
            file: &import.file,
            book: taken.map_or("", |t| &t.book.id),
            edition: taken.map_or("", |t| &t.book.edition),
            date: taken.and_then(|t| t.book.date).map(|d| d.to_string()),
            rows: taken.map_or(0, |t| t.book.rows),
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
    Details
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
    }
}

/// Prints the result for each file.
fn report(all: &[Import], folder: &Path, format: ListShape, session: &Session<'_>) -> Result<(), Failure> {
    let ui = session.ui;
    let rows = || all.iter().map(ImportedRow::new);
    match format {
        ListShape::Json => out::json(&Body { folder: folder.display().to_string(), imports: rows().collect() }),
        ListShape::Csv => out::csv(session, &rows().collect::<Vec<_>>(), cell),
        ListShape::Human => print(&human(all, folder, ui.quiet, ui.texts, ui.lang)),
    }
}

fn human(all: &[Import], folder: &Path, quiet: bool, texts: &Texts, lang: Lang) -> String {
    let mut out = String::new();
    for import in all {
        match &import.outcome {
            Ok(_) if quiet => {}
            Ok(taken) => {
                out.push_str(&words::taken(taken, texts, lang));
                out.push('\n');
            }
            Err(refusal) => {
                out.push_str(&texts.fill(Key::NsiRefused, lang, &[("file", &import.file), ("reason", &texts.error(refusal, lang))]));
                out.push('\n');
            }
        }
    }
    let taken = all.iter().filter(|i| i.outcome.is_ok()).count() as u64;
    let refused = all.len() as u64 - taken;
    if all.iter().any(|i| i.outcome.as_ref().is_err_and(Refusal::yields_to_force)) {
        out.push_str(texts.get(Key::NsiForce, lang));
        out.push('\n');
    }
    if !quiet {
        let slots = [("taken", texts.number(lang, taken)), ("refused", texts.number(lang, refused)), ("folder", folder.display().to_string())];
        out.push_str(&texts.fill(Key::NsiImportTotal, lang, &slots.each_ref().map(|(n, v)| (*n, v.as_str()))));
        out.push('\n');
    }
    out
}
