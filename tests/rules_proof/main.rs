//! The proof of the rule tables: for every row that runs a document that breaks exactly it yields exactly its id, the repaired twin yields
//! nothing, and outside of its days the row is silent. Documents are found near generated ones by what the row's syntax tree says.

#![allow(clippy::print_stderr, reason = "the counts are the result")]

mod bases;
mod lab;
mod search;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use puomp::nsi::{Books, Date};
use puomp::registry::format::{Formats, PERSONS, Role};
use puomp::rules::ast::Expr;
use puomp::rules::witness::{Document, Solver, Stock, has_element};
use puomp::rules::{Conventions, Row, Standing, Survey};
use puomp::tables::RuleFiles;
use rayon::prelude::*;
use serde::Deserialize;

use lab::{Lab, Tables, turned};
use search::{Goal, Outcome, Search};

/// The rows that a clean document meets, or the ids of what was found in it.
type Judged = Result<BTreeSet<usize>, Vec<String>>;

/// Rows that nothing has proven yet; this number only falls.
const NOT_PROVEN: usize = 12;

/// Findings in generated records: kinds of dispensary care that book V016 no longer has and whose letters have no last month.
const NOT_YET_OF_THE_GENERATOR: &[&str] = &["001F.00.0050"];

/// What was shown of a row.
#[derive(Debug, Default)]
struct Proof {
    /// The repaired twin: none, a generated document, or one that was searched for.
    twin: Option<bool>,
    /// A document that breaks exactly this row was found.
    broken: bool,
    /// Ids that necessarily follow came with it.
    followers: bool,
    /// The days on which it must be silent, and was.
    silent: usize,
    /// It spoke where it must not.
    spoke: bool,
    /// Why it is not proven.
    why: String,
}

/// A row of `follow.csv`.
#[derive(Debug, Deserialize)]
struct Follow {
    /// Of the broken row.
    id: String,
    /// Ids that a document cannot be without when it breaks that row.
    follows: String,
    /// `yes`: not even a document that meets the row can be without them.
    twin: String,
    /// Why.
    reason: String,
}

/// A row of `dead.csv`: a rule that no document can break.
#[derive(Debug, Deserialize)]
struct Dead {
    id: String,
    files: String,
    reason: String,
}

fn table<T: serde::de::DeserializeOwned>(text: &str) -> Vec<T> {
    csv::Reader::from_reader(text.as_bytes()).deserialize().collect::<Result<_, _>>().expect("sound tables beside this test")
}

/// Whether the row's element stands in a document.
fn stands(doc: &Document, row: &Row) -> bool {
    [&doc.main, &doc.persons].iter().any(|tree| tree.format.find(&row.element).is_some_and(|id| !tree.below(&[], id).is_empty()))
}

/// Whether a row forbids an element that the format demands, or by a condition about the element itself: nothing meets it but for want of
/// an occasion.
fn forbids_what_must_stand(row: &Row, docs: &[&Document]) -> bool {
    let name = row.element.rsplit('/').next().unwrap_or_default();
    let itself = row.when.as_ref().is_some_and(|w| w.to_string().starts_with(&format!("{name} =")));
    matches!(&row.require, Some(Expr::Absent(names)) if names.len() == 1)
        && (itself || docs.iter().any(|d| d.main.format.find(&row.element).is_some_and(|id| d.main.format.node(id).obligation.required)))
}

fn date(doc: &Document) -> Option<Date> {
    doc.main.role(Role::AccountDate).and_then(Date::parse)
}

fn main_letter(formats: &Formats, doc: &Document) -> char {
    formats.book_letter(doc.main.format.family)
}

/// Whether a row may be looked at in a document of a family and day.
fn speaks_of(formats: &Formats, row: &Row, doc: &Document) -> bool {
    let letters = [main_letter(formats, doc), formats.book_letter(PERSONS)];
    let of_persons = row.files.contains(&letters[1]) && doc.persons.format.find(&row.element).is_some();
    (row.files.contains(&letters[0]) || of_persons) && has_element(&doc.main.format, &doc.persons.format, row) && date(doc).is_some_and(|d| row.in_force(d))
}

#[test]
fn every_row_is_broken_by_a_document_of_its_own() {
    let begun = Instant::now();
    let files = RuleFiles::embedded();
    let formats = Formats::load(&files).expect("sound");
    let conventions = Conventions::load(&files).expect("sound");
    let scratch = tempfile::tempdir().expect("a folder");
    let books_folder: Option<&Path> = None;
    let books = Books::load(&files, books_folder).expect("sound");
    let tables = Tables::load(&files, books_folder);
    let round = Tables::load(&turned(&scratch.path().join("turned")), books_folder);
    let (lab, turned) = (Lab::new(&tables, &formats), Lab::new(&round, &formats));
    let rows = tables.rows();
    let survey = Survey { formats: &formats, books: &books, conventions: &conventions };
    let standing: Vec<Standing> = rows.iter().map(|r| survey.standing(r).expect("sound")).collect();

    // Sound documents, and which rows each of them meets.
    let all = bases::documents(&files, &formats);
    let made = all.len();
    let folder = scratch.path().join("bases");
    let judged: Vec<(Document, Judged)> = all
        .into_par_iter()
        .enumerate()
        .map(|(n, doc)| {
            let folder = folder.join(n.to_string());
            std::fs::create_dir_all(&folder).expect("made");
            let findings = lab.judge(&doc, &folder).expect("written");
            if !findings.is_empty() {
                return (doc, Err(findings.into_iter().map(|f| f.id).collect()));
            }
            let meets = turned.judge(&doc, &folder).expect("written").into_iter().filter_map(|f| f.row).collect();
            (doc, Ok(meets))
        })
        .collect();
    let mut unclean: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept: Vec<(Document, BTreeSet<usize>)> = Vec::new();
    let mut times = vec![0; rows.len()];
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for (doc, result) in judged {
        match result {
            Err(ids) => ids.into_iter().for_each(|id| *unclean.entry(id).or_default() += 1),
            Ok(meets) => {
                let kind = format!("{}{}{:?}", doc.main.format.family, doc.main.format.edition.id, doc.main.role(Role::FileName));
                let of_kind = kinds.entry(kind).or_default();
                *of_kind += 1;
                if *of_kind <= 4 || meets.iter().any(|r| times[*r] < 4) {
                    meets.iter().for_each(|r| times[*r] += 1);
                    kept.push((doc, meets));
                }
            }
        }
    }
    eprintln!("{made} generated records, {} kept, findings in them: {unclean:?}; {:.1?}", kept.len(), begun.elapsed());
    let mut stock = Stock::default();
    kept.iter().for_each(|(doc, _)| stock.add(doc));
    let solver = Solver { books: &books, conventions: &conventions, stock: &stock };

    let follow: Vec<Follow> = table(include_str!("follow.csv"));
    assert!(follow.iter().all(|f| !f.reason.is_empty() && rows.iter().any(|r| r.id == f.id)), "every row of follow.csv is of a rule and has its reason");
    // Files between funds have no person file and are not generated yet: their rows are proven elsewhere.
    let letters: Vec<char> = formats.families().filter(|f| *f == PERSONS || formats.has_persons(*f)).map(|f| formats.book_letter(f)).collect();
    let only = std::env::var("ONLY").ok();
    let proofs: Vec<(usize, Proof)> = (0..rows.len())
        .into_par_iter()
        .filter(|r| {
            standing[*r] == Standing::Executed
                && rows[*r].files.iter().any(|letter| letters.contains(letter))
                && only.as_ref().is_none_or(|o| o.split(' ').any(|o| rows[*r].id.starts_with(o)))
        })
        .map(|r| {
            let folder = scratch.path().join(format!("row-{r}"));
            std::fs::create_dir_all(&folder).expect("made");
            let search = Search { lab: &lab, turned: &turned, solver, rows, folder: &folder, evaluations: 200 };
            (r, prove(&search, &formats, &kept, &follow, r))
        })
        .collect();

    let of_dead: Vec<Dead> = table(include_str!("dead.csv"));
    let is_dead = |row: &Row| of_dead.iter().any(|d| d.id == row.id && d.files.split(' ').all(|f| row.files.iter().any(|l| f.starts_with(*l))));
    let proven = |p: &Proof| p.twin.is_some() && p.broken && !p.spoke;
    let mut open: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut dead = 0;
    for (r, proof) in proofs.iter().filter(|(_, p)| !proven(p)) {
        let row = &rows[*r];
        if is_dead(row) {
            dead += 1;
            continue;
        }
        let files: String = row.files.iter().collect();
        open.entry(proof.why.clone()).or_default().push(format!("{}/{files}", row.id));
    }
    for (why, ids) in &open {
        eprintln!("{} {why}: {}", ids.len(), ids.join(" "));
    }
    let count: usize = open.values().map(Vec::len).sum();
    let broken_dead: Vec<&str> = proofs.iter().filter(|(r, p)| p.broken && is_dead(&rows[*r])).map(|(r, _)| rows[*r].id.as_str()).collect();
    eprintln!(
        "rows tried {}, proven {} ({} with ids that follow), twins generated {}, twins searched for {}, dead {dead}, not proven {count}, silent days {}, documents judged {} + {}; {:.1?}",
        proofs.len(),
        proofs.iter().filter(|(_, p)| proven(p)).count(),
        proofs.iter().filter(|(_, p)| proven(p) && p.followers).count(),
        proofs.iter().filter(|(_, p)| p.twin == Some(false)).count(),
        proofs.iter().filter(|(_, p)| p.twin == Some(true)).count(),
        proofs.iter().map(|(_, p)| p.silent).sum::<usize>(),
        lab.asked.load(std::sync::atomic::Ordering::Relaxed),
        turned.asked.load(std::sync::atomic::Ordering::Relaxed),
        begun.elapsed()
    );
    assert!(unclean.keys().all(|id| NOT_YET_OF_THE_GENERATOR.contains(&id.as_str())), "generated records are clean: {unclean:?}");
    assert!(of_dead.iter().all(|d| !d.reason.is_empty()) && broken_dead.is_empty(), "dead rules speak: {broken_dead:?}");
    assert!(proofs.iter().all(|(_, p)| !p.spoke), "a rule speaks outside of its days");
    assert!(count <= NOT_PROVEN, "{count} rows are not proven, {NOT_PROVEN} were: {open:?}");
}

fn prove(search: &Search<'_>, formats: &Formats, kept: &[(Document, BTreeSet<usize>)], follow: &[Follow], r: usize) -> Proof {
    let row = &search.rows[r];
    let mut proof = Proof::default();
    let asks_only_that_it_stands = row.when.is_none() && matches!(&row.require, Some(Expr::Present(names)) if names.len() == 1);
    let meets = |doc: &Document, meets: &BTreeSet<usize>| meets.contains(&r) || asks_only_that_it_stands && speaks_of(formats, row, doc) && stands(doc, row);
    let near: Vec<&Document> = kept.iter().filter(|(doc, rows)| meets(doc, rows)).map(|(d, _)| d).collect();
    let stride = (near.len() / 8).max(1);
    let near: Vec<&Document> = near.into_iter().step_by(stride).collect();
    let mut others: Vec<(usize, &Document)> = kept.iter().map(|(d, _)| d).filter(|d| speaks_of(formats, row, d)).map(|d| (0, d)).collect();
    // Some of every kind, and of them the nearest.
    let stride = (others.len() / 50).max(1);
    others = others.into_iter().step_by(stride).map(|(_, d)| (search.solver.closeness(d, row), d)).collect();
    let stride = (others.len() / 6).max(1);
    let diverse: Vec<&Document> = others.iter().step_by(stride).map(|(_, d)| *d).collect();
    others.sort_by_key(|(close, _)| std::cmp::Reverse(*close));
    let mut starts: Vec<&Document> = Vec::new();
    for doc in others.into_iter().map(|(_, d)| d).take(6).chain(diverse) {
        if !near.iter().chain(&starts).any(|n| std::ptr::eq(*n, doc)) {
            starts.push(doc);
        }
    }
    let others = starts;
    let beside = |id: &str| follow.iter().any(|f| f.id == row.id && f.follows.split(' ').any(|f| f == id));
    let in_twin = |id: &str| follow.iter().any(|f| f.id == row.id && f.twin == "yes" && f.follows.split(' ').any(|f| f == id));
    let twin;
    let starts: Vec<&Document> = if near.is_empty() {
        if others.is_empty() {
            proof.why = "no document of its files and days".to_owned();
            return proof;
        }
        match search.run(&others, r, Goal::Met, &in_twin) {
            Outcome::Proven(doc) => {
                proof.twin = Some(true);
                twin = doc;
                std::iter::once(&*twin).chain(others).collect()
            }
            // A block that the format demands cannot be missing: the rule says that the whole case is in the wrong file.
            _ if forbids_what_must_stand(row, &others) => {
                proof.twin = Some(false);
                others
            }
            Outcome::Beside(ids) => {
                proof.why = format!("twin: beside it {ids:?}");
                return proof;
            }
            Outcome::Nothing => {
                proof.why = "twin: nothing".to_owned();
                return proof;
            }
        }
    } else {
        proof.twin = Some(false);
        near.into_iter().chain(others).collect()
    };
    match search.run(&starts, r, Goal::Broken, &beside) {
        Outcome::Proven(doc) => {
            proof.broken = true;
            let findings = search.lab.judge(&doc, search.folder).expect("written");
            proof.followers = findings.iter().any(|f| f.id != row.id);
            for day in [row.from.map(Date::day_before), row.until.map(Date::day_after)].into_iter().flatten() {
                let mut doc = (*doc).clone();
                // Where no account's date stands, that of the file decides.
                let role = if doc.main.role(Role::AccountDate).is_some() { Role::AccountDate } else { Role::MadeOn };
                doc.main.set_role(role, &day.to_string());
                let findings = search.lab.judge(&doc, search.folder).expect("written");
                if findings.iter().any(|f| f.row == Some(r)) {
                    proof.spoke = true;
                    proof.why = format!("speaks on {day}");
                } else {
                    proof.silent += 1;
                }
            }
        }
        Outcome::Beside(ids) => proof.why = format!("broken: beside it {ids:?}"),
        Outcome::Nothing => proof.why = "broken: nothing".to_owned(),
    }
    proof
}
