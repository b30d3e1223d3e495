//! The proof of the rule tables: for every row that runs a document that breaks exactly it yields exactly its id, the repaired twin yields
//! nothing, and outside of its days the row is silent. Documents are found near sound ones by what the row's syntax tree says; where no
//! search finds one, it is written by hand. Rows that wait for imported books are proven with those of `../shared/nsi`.

#![allow(clippy::print_stderr, reason = "the counts are the result")]

mod bases;
mod between;
mod by_hand;
mod examples;
mod lab;
mod prove;
mod search;
mod tables;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use puomp::registry::format::{Formats, PERSONS};
use puomp::rules::witness::{Solver, Stock};
use puomp::rules::{Conventions, RuleRow, Standing};
use puomp::tables::RuleFiles;
use rayon::prelude::*;

use crate::support::needs::shared;
use by_hand::ByHand;
use prove::{Base, Ground, Proof, Twin, prove, speaks_of};
use search::Search;
use tables::{Dead, Follow, table};
use world::{World, turned};

/// Documents that one search judges.
const EVALUATIONS: usize = 200;

/// What is the same in every world.
struct Given<'g> {
    formats: &'g Formats,
    scratch: &'g Path,
    follow: Vec<Follow>,
    by_hand: Vec<ByHand>,
    dead: Vec<Dead>,
    /// Rows to look at, for those who work on one: `ONLY="006F.00.0310 003F"`.
    only: Option<String>,
    /// Where pieces of the documents are written: `EXAMPLES=list.csv`.
    examples: Option<PathBuf>,
}

impl Given<'_> {
    fn is_dead(&self, row: &RuleRow) -> bool {
        self.dead.iter().any(|d| d.is_of(row))
    }

    /// Whether clinics write files that a row speaks of.
    fn is_of_clinics(&self, row: &RuleRow) -> bool {
        let mut written = self.formats.families().filter(|f| *f == PERSONS || self.formats.has_persons(*f));
        written.any(|f| row.files.contains(&self.formats.book_letter(f)))
    }

    fn wanted(&self, row: &RuleRow) -> bool {
        self.only.as_ref().is_none_or(|o| o.split(' ').any(|o| row.id.starts_with(o)))
    }
}

fn named(row: &RuleRow) -> String {
    format!("{}/{}", row.id, row.files.iter().collect::<String>())
}

#[test]
fn every_row_is_broken_by_a_document_of_its_own() {
    proof(None);
}

#[test]
#[ignore = "needs PUOMP_SHARED"]
fn so_is_every_row_that_waits_for_published_books() {
    proof(Some(&shared("nsi")));
}

/// The whole proof; the rows that wait for books with those of a folder, or with the few that stand beside this file alone.
fn proof(nsi: Option<&Path>) {
    let begun = Instant::now();
    let files = RuleFiles::embedded();
    let formats = Formats::load(&files).expect("sound");
    let conventions = Conventions::load(&files).expect("sound");
    let scratch = tempfile::tempdir().expect("a folder");
    let given = Given {
        formats: &formats,
        scratch: scratch.path(),
        follow: table(include_str!("follow.csv")),
        by_hand: table(include_str!("by_hand.csv")),
        dead: table(include_str!("dead.csv")),
        only: std::env::var("ONLY").ok(),
        examples: std::env::var_os("EXAMPLES").map(PathBuf::from),
    };
    let turned_files = turned(&scratch.path().join("turned"));
    let embedded = World::load(&files, &turned_files, None);
    let rows = embedded.rows();
    let is_row = |id: &str| rows.iter().any(|r| r.id == id);
    assert!(given.follow.iter().all(|f| !f.reason.is_empty() && is_row(&f.id)), "every row of follow.csv is of a rule and has its reason");
    assert!(given.by_hand.iter().all(|h| !h.note.is_empty() && is_row(&h.id)), "every row of by_hand.csv is of a rule and says what is meant");
    assert!(given.dead.iter().all(|d| !d.reason.is_empty() && is_row(&d.id)), "every row of dead.csv is of a rule and has its reason");
    let standing = embedded.standing(&formats, &conventions);

    // Sound documents, and which rows each of them meets.
    let bench = embedded.bench(&formats);
    let generated = bases::documents(&files, &formats);
    let made = generated.len();
    let (mut kept, unclean) = bench.judged(generated, given.scratch);
    eprintln!("{made} generated records, {} kept, findings in them: {unclean:?}; {:.1?}", kept.len(), begun.elapsed());
    let between = {
        let stock = world::stock(&kept);
        let solver = embedded.solver(&conventions, &stock);
        let (docs, left) = bench.cleaned(solver, bases::between_funds(&formats, &kept), given.scratch);
        eprintln!("{} documents between funds are clean, left in others: {left:?}; {:.1?}", docs.len(), begun.elapsed());
        docs
    };
    kept.extend(between);
    let stocks = Stocks::of(&kept);
    let solver = embedded.solver(&conventions, &stocks.all);
    let search = Search { lab: &bench.lab, turned: &bench.turned, solver, rows, folder: given.scratch, evaluations: EVALUATIONS };
    let runs = |s: &Standing| matches!(s, Standing::Executed | Standing::Partly(_));
    let executed: Vec<usize> = (0..rows.len()).filter(|r| runs(&standing[*r]) && given.wanted(&rows[*r])).collect();
    let proofs = proven(&search, &stocks, &given, [&kept, &[]], &executed);
    let mut open = told("with the embedded books", rows, &proofs, &given);
    let mut seen = seen_beside(rows, &proofs);
    let mut pieces = pieces_of(rows, proofs);
    eprintln!("documents judged {}; {:.1?}", bench.asked(), begun.elapsed());

    // Rows that wait for books, or run with another in its place.
    let waits = |s: &Standing| matches!(s, Standing::NoBook(_) | Standing::Partly(_));
    let waiting: Vec<usize> = (0..rows.len()).filter(|r| waits(&standing[*r]) && given.wanted(&rows[*r])).collect();
    let folder = scratch.path().join("books");
    let refused = world::import(&files, &embedded.missing(), nsi, &folder);
    let imported = World::load(&files, &turned_files, Some(&folder));
    let standing = imported.standing(&formats, &conventions);
    let (run, still): (Vec<usize>, Vec<usize>) = waiting.into_iter().partition(|r| standing[*r] == Standing::Executed);
    eprintln!("{} rows wait for books still", still.len());
    let bench = imported.bench(&formats);
    let unsure = kept;
    let (kept, left) = bench.cleaned(imported.solver(&conventions, &stocks.all), unsure.iter().map(|(doc, _)| doc.clone()).collect(), given.scratch);
    eprintln!("{} documents are clean with imported books, left in others: {left:?}; refused {refused:?}; {:.1?}", kept.len(), begun.elapsed());
    let stocks = Stocks::of(&kept);
    let search = Search { lab: &bench.lab, turned: &bench.turned, solver: imported.solver(&conventions, &stocks.all), ..search };
    let proofs = proven(&search, &stocks, &given, [&kept, &unsure], &run);
    open.extend(told("with imported books", rows, &proofs, &given));
    seen.extend(seen_beside(rows, &proofs));
    pieces.extend(pieces_of(rows, proofs));
    if let Some(path) = &given.examples {
        examples::write(path, pieces.into_iter());
    }
    eprintln!("documents judged {}; {:.1?}", bench.asked(), begun.elapsed());

    let mut not_executed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for r in (0..rows.len()).filter(|r| given.wanted(&rows[*r])) {
        let why = match &standing[r] {
            Standing::NoBook(books) => format!("wait for {}", books.join(", ")),
            Standing::Executed | Standing::Partly(_) => continue,
            other => other.as_str().to_owned(),
        };
        not_executed.entry(why).or_default().push(named(&rows[r]));
    }
    let count: usize = not_executed.values().map(Vec::len).sum();
    eprintln!("{count} rows of {} are not executed: {not_executed:?}", rows.len());

    assert!(unclean.is_empty(), "generated records are clean: {unclean:?}");
    assert!(open.is_empty(), "rows that nothing proves: {open:?}");
    if given.only.is_none() && nsi.is_some() {
        let of_follow = given.follow.iter().flat_map(|f| f.follows.split(' ').map(|follows| (f.id.as_str(), follows)));
        // A document that is written by hand is repaired where that can be done, so that what may follow need not come.
        let by_hand = |id: &str| given.by_hand.iter().any(|written| written.id == id);
        let of_follow = of_follow.filter(|(id, _)| !by_hand(id));
        let unseen: Vec<_> = of_follow.filter(|(id, follows)| !seen.contains(&((*id).to_owned(), (*follows).to_owned()))).collect();
        assert!(unseen.is_empty(), "what follow.csv says to follow did not: {unseen:?}");
    }
}

/// What stood in sound documents. Funds write into the same elements what clinics must not: an answer's source of a sanction is 2.
struct Stocks {
    clinics: Stock,
    between: Stock,
    all: Stock,
}

impl Stocks {
    fn of(bases: &[Base]) -> Self {
        let (clinics, between): (Vec<&Base>, Vec<&Base>) = bases.iter().partition(|(doc, _)| doc.persons.is_some());
        Self { clinics: world::stock(clinics), between: world::stock(between), all: world::stock(bases) }
    }
}

/// Proves rows from sound documents; where none of a row's files and days is among them, from others.
fn proven(search: &Search<'_>, stocks: &Stocks, given: &Given<'_>, [bases, others]: [&[Base]; 2], rows: &[usize]) -> Vec<(usize, Proof)> {
    let ground = |bases| Ground { formats: given.formats, bases, follow: &given.follow, by_hand: &given.by_hand, with_pieces: given.examples.is_some() };
    let one = |r: usize| {
        let folder = given.scratch.join(format!("row-{r}"));
        std::fs::create_dir_all(&folder).expect("made");
        let of_row = bases.iter().any(|(doc, _)| speaks_of(given.formats, &search.rows[r], doc));
        let ground = ground(if of_row { bases } else { others });
        let with = |stock| prove(&Search { folder: &folder, solver: Solver { stock, ..search.solver }, ..*search }, &ground, r);
        let own = if given.is_of_clinics(&search.rows[r]) { &stocks.clinics } else { &stocks.between };
        let proof = with(own);
        // What nobody of its own kind wrote may still stand with the others.
        let proof = if proof.is_whole() || proof.spoke { proof } else { with(&stocks.all) };
        (r, proof)
    };
    rows.par_iter().map(|r| one(*r)).collect()
}

/// Ids of rows and what was found beside them.
fn seen_beside(rows: &[RuleRow], proofs: &[(usize, Proof)]) -> BTreeSet<(String, String)> {
    proofs.iter().flat_map(|(r, p)| p.beside.iter().map(|id| (rows[*r].id.clone(), id.clone()))).collect()
}

/// Ids of rows and pieces of what proves them.
fn pieces_of(rows: &[RuleRow], proofs: Vec<(usize, Proof)>) -> Vec<(String, examples::Pieces)> {
    proofs.into_iter().filter_map(|(r, proof)| Some((rows[r].id.clone(), proof.pieces?))).collect()
}

/// Prints the counts; the rows that are neither proven nor dead.
fn told(what: &str, rows: &[RuleRow], proofs: &[(usize, Proof)], given: &Given<'_>) -> Vec<String> {
    let mut open: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut dead = 0;
    for (r, proof) in proofs.iter().filter(|(_, p)| !p.is_whole()) {
        if given.is_dead(&rows[*r]) {
            dead += 1;
        } else {
            open.entry(&proof.why).or_default().push(named(&rows[*r]));
        }
    }
    for (why, ids) in &open {
        eprintln!("{} {why}: {}", ids.len(), ids.join(" "));
    }
    let not_proven: Vec<String> = open.into_values().flatten().collect();
    let count = |fits: &dyn Fn(&Proof) -> bool| proofs.iter().filter(|(_, p)| fits(p)).count();
    eprintln!(
        "{what}: rows tried {}, proven mechanically {}, by hand {}, dead {dead}, not proven {}; of the proven {} with ids that follow; twins: {} bases, {} searched for, {} written, {} for want of an occasion; silent on {} days",
        proofs.len(),
        count(&|p| p.is_whole() && !p.by_hand),
        count(&|p| p.is_whole() && p.by_hand),
        not_proven.len(),
        count(&|p| p.is_whole() && !p.beside.is_empty()),
        count(&|p| p.twin == Some(Twin::Base)),
        count(&|p| p.twin == Some(Twin::Searched)),
        count(&|p| p.twin == Some(Twin::Written)),
        count(&|p| p.twin == Some(Twin::Without)),
        proofs.iter().map(|(_, p)| p.silent).sum::<usize>(),
    );
    let speaking: Vec<String> = proofs.iter().filter(|(_, p)| p.spoke).map(|(r, p)| format!("{} {}", named(&rows[*r]), p.why)).collect();
    assert!(speaking.is_empty(), "rules speak outside of their days: {speaking:?}");
    let broken_dead: Vec<String> = proofs.iter().filter(|(r, p)| p.broken && given.is_dead(&rows[*r])).map(|(r, _)| named(&rows[*r])).collect();
    assert!(broken_dead.is_empty(), "dead rules speak: {broken_dead:?}");
    not_proven
}
