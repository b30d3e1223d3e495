//! What judges documents: the whole control over a package written to a folder.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use puomp::finding::{Catalog, FileRole, RuleIx};
use puomp::flk::{Checker, Config, Rulebook, Silent};
use puomp::registry::archive::Limits;
use puomp::registry::encoding::Encoding;
use puomp::registry::format::Formats;
use puomp::registry::package::{Input, discover};
use puomp::rules::Row;
use puomp::rules::witness::{Document, Way};
use puomp::tables::RuleFiles;

/// What one finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The federal row; none for a structural check.
    pub(crate) row: Option<usize>,
    /// Id of the rule.
    pub(crate) id: String,
    /// It is about the person file.
    pub of_persons: bool,
    /// Path of the element.
    pub(crate) path: String,
    /// The element, or the block that lacks it.
    pub(crate) way: Option<Way>,
}

/// Tables that outlive the checker.
pub(crate) struct Tables {
    catalog: Catalog,
    book: Rulebook,
    first: usize,
}

impl Tables {
    pub(crate) fn load(files: &RuleFiles, books: Option<&Path>) -> Self {
        let mut catalog = Catalog::load(files).expect("sound");
        let first = catalog.rules().count();
        let book = Rulebook::load(files, books, &mut catalog, |_| true).expect("sound");
        Self { catalog, book, first }
    }

    pub(crate) fn rows(&self) -> &[Row] {
        self.book.rows()
    }
}

/// The control.
pub(crate) struct Lab<'t> {
    tables: &'t Tables,
    formats: &'t Formats,
    checker: Checker<'t>,
    pub(crate) asked: AtomicU64,
}

impl<'t> Lab<'t> {
    pub(crate) fn new(tables: &'t Tables, formats: &'t Formats) -> Self {
        let checker = Checker::new(&tables.catalog, formats).expect("sound").with_rules(&tables.book);
        Self { tables, formats, checker, asked: AtomicU64::new(0) }
    }

    /// Findings about a document; none when it cannot be written.
    pub(crate) fn judge(&self, doc: &Document, folder: &Path) -> Option<Vec<Found>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let (main_bytes, main_offsets) = doc.main.write(Encoding::Windows1251).ok()?;
        let (persons_bytes, persons_offsets) = doc.persons.write(Encoding::Windows1251).ok()?;
        let paths = [&doc.main, &doc.persons].map(|tree| folder.join(format!("{}.xml", tree.name)));
        std::fs::write(&paths[0], &main_bytes).expect("written");
        std::fs::write(&paths[1], &persons_bytes).expect("written");
        let inputs = paths.clone().map(Input::named);
        let packages = discover(&inputs, self.formats, &Limits::default());
        let mut out = Vec::new();
        for package in &packages {
            let report = self.checker.package(package, &Config { piece: 1 << 16, ..Config::default() }, &Silent).expect("read");
            for finding in report.findings.iter().expect("in memory") {
                let finding = finding.expect("in memory");
                let RuleIx(ix) = finding.rule;
                let row = usize::from(ix).checked_sub(self.tables.first).map(|n| n / 2);
                let of_persons = finding.file == FileRole::Persons;
                let offsets = if of_persons { &persons_offsets } else { &main_offsets };
                let way = offsets.iter().find(|(at, _)| *at == finding.place.offset).map(|(_, way)| way.clone());
                let id = self.tables.catalog.rule(finding.rule).id.clone();
                out.push(Found { row, id, of_persons, path: finding.path.to_string(), way });
            }
        }
        for path in paths {
            std::fs::remove_file(path).expect("removed");
        }
        Some(out)
    }
}

/// The rule tables with every requirement turned round: a row that speaks then is one that a document meets, and not for want of an
/// occasion.
pub(crate) fn turned(folder: &Path) -> RuleFiles {
    use puomp::rules::ast::Expr;
    let embedded = RuleFiles::embedded();
    std::fs::create_dir_all(folder.join("flk")).expect("made");
    for table in puomp::rules::FLK_TABLES {
        let text = embedded.text(table).expect("embedded");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().expect("a header").clone();
        let column = header.iter().position(|h| h == "require").expect("a column");
        let mut writer = csv::Writer::from_path(folder.join(table)).expect("made");
        writer.write_record(&header).expect("written");
        for record in reader.records() {
            let record = record.expect("sound");
            let turned = |text: &str| match puomp::rules::parse(text) {
                Ok(Expr::Present(names)) if names.len() == 1 => Expr::Absent(names).to_string(),
                Ok(Expr::Absent(names)) if names.len() == 1 => Expr::Present(names).to_string(),
                Ok(other) => format!("NOT ({other})"),
                Err(_) => text.to_owned(),
            };
            writer.write_record(record.iter().enumerate().map(|(i, t)| if i == column { turned(t) } else { t.to_owned() })).expect("written");
        }
        writer.flush().expect("written");
    }
    RuleFiles::with_overlay(folder)
}
