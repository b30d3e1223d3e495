//! What judges documents: the whole control over a package written to a folder.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use puomp::finding::{Catalog, FileRole};
use puomp::flk::{Checker, Config, Rulebook};
use puomp::registry::archive::Limits;
use puomp::registry::encoding::Encoding;
use puomp::registry::format::Formats;
use puomp::registry::package::{Input, discover};
use puomp::rules::RuleRow;
use puomp::rules::witness::{Document, Way};
use puomp::tables::RuleFiles;
use puomp::texts::Severity;
use puomp::values::Date;
use puomp::watch::Unwatched;

/// The day on which everything runs here: what is in force must not change with the calendar.
pub(crate) fn today() -> Date {
    Date::new(2026, 6, 1).expect("a day")
}

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

impl Found {
    /// The rule and the last names of the place.
    pub(crate) fn told(&self) -> String {
        let end: Vec<&str> = self.path.rsplit('/').take(2).collect();
        format!("{} {}", self.id, end.into_iter().rev().collect::<Vec<_>>().join("/"))
    }
}

/// Tables that outlive the checker.
pub(crate) struct Tables {
    catalog: Catalog,
    book: Rulebook,
}

impl Tables {
    pub(crate) fn load(files: &RuleFiles, books: Option<&Path>) -> Self {
        let mut catalog = Catalog::load(files).expect("sound");
        // What common sense sees beside a broken rule is proven by tests/flk/sense.
        let book = Rulebook::load(files, books, &mut catalog, |id| !id.starts_with('L')).expect("sound");
        Self { catalog, book }
    }

    pub(crate) fn rows(&self) -> &[RuleRow] {
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
        let mut paths = Vec::new();
        let mut offsets = Vec::new();
        for tree in doc.trees() {
            let (bytes, places) = tree.write(Encoding::Windows1251).ok()?;
            let path = folder.join(format!("{}.xml", tree.name));
            std::fs::write(&path, bytes).expect("written");
            paths.push(path);
            offsets.push(places);
        }
        let inputs: Vec<Input> = paths.iter().cloned().map(Input::named).collect();
        let packages = discover(&inputs, self.formats, &Limits::default());
        let mut out = Vec::new();
        for package in &packages {
            let report = self.checker.package(package, &Config { piece: 1 << 16, ..Config::on(today()) }, &Unwatched).expect("read");
            for finding in report.findings.iter().expect("in memory") {
                let finding = finding.expect("in memory");
                // A package older than the rule book says so; that is no fault.
                if self.tables.catalog.rule(finding.rule).severity == Severity::Info {
                    continue;
                }
                let row = self.tables.book.row_of(finding.rule);
                let of_persons = finding.file == FileRole::Persons;
                let offsets = if of_persons { offsets.last() } else { offsets.first() };
                let way = offsets?.iter().find(|(at, _)| *at == finding.place.offset).map(|(_, way)| way.clone());
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
