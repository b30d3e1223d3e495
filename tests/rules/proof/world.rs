//! The rules with the books of one place, and the sound documents in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use puomp::nsi::{self, Books, ImportOptions, Importer};
use puomp::registry::format::Formats;
use puomp::rules::ast::Expr;
use puomp::rules::witness::{Document, Solver, Stock};
use puomp::rules::{Conventions, RuleRow, Standing, Survey};
use puomp::tables::RuleFiles;
use rayon::prelude::*;

use super::lab::{Lab, Tables, today};
use super::prove::Base;
use super::search::Search;

/// The tables as they are and turned round, with the books of a folder.
pub(crate) struct World {
    tables: Tables,
    round: Tables,
    books: Books,
}

/// What judges documents of a world.
pub(crate) struct Bench<'w> {
    pub(crate) lab: Lab<'w>,
    pub(crate) turned: Lab<'w>,
    rows: &'w [RuleRow],
}

/// How often each id was left in documents that are not sound.
pub(crate) type Left = BTreeMap<String, usize>;

impl World {
    pub(crate) fn load(files: &RuleFiles, turned: &RuleFiles, books: Option<&Path>) -> Self {
        Self { tables: Tables::load(files, books), round: Tables::load(turned, books), books: Books::load(files, books).expect("sound") }
    }

    pub(crate) fn rows(&self) -> &[RuleRow] {
        self.tables.rows()
    }

    pub(crate) fn standing(&self, formats: &Formats, conventions: &Conventions) -> Vec<Standing> {
        let survey = Survey { formats, books: &self.books, conventions };
        self.rows().par_iter().map(|r| survey.standing(r).expect("sound")).collect()
    }

    /// Books that are known and not at hand.
    pub(crate) fn missing(&self) -> BTreeSet<String> {
        let known = self.books.catalog().iter().filter(|info| info.stock != nsi::Stock::Rules);
        known.filter(|info| self.books.get(&info.id).is_none()).map(|info| info.id.to_string()).collect()
    }

    pub(crate) fn bench<'w>(&'w self, formats: &'w Formats) -> Bench<'w> {
        Bench { lab: Lab::new(&self.tables, formats), turned: Lab::new(&self.round, formats), rows: self.rows() }
    }

    pub(crate) fn solver<'s>(&'s self, conventions: &'s Conventions, stock: &'s Stock) -> Solver<'s> {
        Solver { books: &self.books, conventions, stock, today: today() }
    }
}

impl Bench<'_> {
    /// The sound ones of many documents, some of every kind, and for each row some that meet it; what was found in the others.
    pub(crate) fn judged(&self, docs: Vec<Document>, scratch: &Path) -> (Vec<Base>, Left) {
        let one = |(n, doc): (usize, Document)| {
            let folder = folder(scratch, n);
            let findings = self.lab.judge(&doc, &folder).expect("written");
            if findings.is_empty() { Ok(self.met(doc, &folder)) } else { Err(findings.into_iter().map(|f| f.id).collect()) }
        };
        self.chosen(docs.into_par_iter().enumerate().map(one).collect())
    }

    /// The same of documents that may have to be mended first.
    pub(crate) fn cleaned(&self, solver: Solver<'_>, docs: Vec<Document>, scratch: &Path) -> (Vec<Base>, Left) {
        let one = |(n, doc): (usize, Document)| {
            let folder = folder(scratch, n);
            let search = Search { lab: &self.lab, turned: &self.turned, solver, rows: self.rows, folder: &folder, evaluations: 0 };
            search.clean(doc).map(|doc| self.met(doc, &folder))
        };
        self.chosen(docs.into_par_iter().enumerate().map(one).collect())
    }

    fn met(&self, doc: Document, folder: &Path) -> Base {
        let meets = self.turned.judge(&doc, folder).expect("written before").into_iter().filter_map(|f| f.row).collect();
        (doc, meets)
    }

    fn chosen(&self, judged: Vec<Result<Base, BTreeSet<String>>>) -> (Vec<Base>, Left) {
        let mut left = Left::new();
        let mut kept: Vec<Base> = Vec::new();
        let mut times = vec![0; self.rows.len()];
        let mut kinds: BTreeMap<(String, String), usize> = BTreeMap::new();
        for result in judged {
            match result {
                Err(ids) => ids.into_iter().for_each(|id| *left.entry(id).or_default() += 1),
                Ok((doc, meets)) => {
                    let of_kind = kinds.entry((doc.main.name.clone(), doc.main.format.edition.id.clone())).or_default();
                    *of_kind += 1;
                    if *of_kind <= 4 || meets.iter().any(|r| times[*r] < 4) {
                        meets.iter().for_each(|r| times[*r] += 1);
                        kept.push((doc, meets));
                    }
                }
            }
        }
        (kept, left)
    }

    /// Documents judged, as they are and turned round.
    pub(crate) fn asked(&self) -> String {
        format!("{} + {}", self.lab.asked.load(Ordering::Relaxed), self.turned.asked.load(Ordering::Relaxed))
    }
}

fn folder(scratch: &Path, n: usize) -> PathBuf {
    let folder = scratch.join(format!("base-{n}"));
    std::fs::create_dir_all(&folder).expect("made");
    folder
}

/// What stood in sound documents.
pub(crate) fn stock<'d>(bases: impl IntoIterator<Item = &'d Base>) -> Stock {
    let mut stock = Stock::default();
    bases.into_iter().for_each(|(doc, _)| stock.add(doc));
    stock
}

/// Imports the named books into a folder: those of `../shared/nsi`, and small invented ones of those that no public copy is known of.
/// Gives back the files that were refused.
pub(crate) fn import(files: &RuleFiles, books: &BTreeSet<String>, nsi: Option<&Path>, folder: &Path) -> Vec<String> {
    let importer = Importer::new(files, folder, today()).expect("tables");
    let mut places: Vec<PathBuf> = nsi.iter().flat_map(|nsi| ["embedded-csv", "xml-legacy", ""].map(|within| nsi.join(within))).collect();
    places.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules/proof/books"));
    let mut refused = Vec::new();
    for place in places {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(place).expect("a folder").map(|e| e.expect("an entry").path()).collect();
        paths.sort();
        for path in paths.iter().filter(|p| p.file_stem().is_some_and(|stem| books.contains(&*stem.to_string_lossy()))) {
            importer.take(path, &ImportOptions::default(), |import| {
                if let Err(refusal) = &import.outcome {
                    refused.push(format!("{}: {refusal}", path.file_name().unwrap_or_default().to_string_lossy()));
                }
            });
        }
    }
    refused
}

/// The rule tables with every requirement turned round: a row that speaks then is one that a document meets, and not for want of an
/// occasion.
pub(crate) fn turned(folder: &Path) -> RuleFiles {
    let embedded = RuleFiles::embedded();
    std::fs::create_dir_all(folder.join("flk")).expect("made");
    // Rules of common sense are not proven here.
    for table in puomp::rules::RULE_TABLES.iter().filter(|table| table.starts_with("flk/")) {
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
