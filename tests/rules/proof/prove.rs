//! What is shown of one row, and how.

use std::collections::BTreeSet;

use puomp::registry::format::{Formats, PERSONS, Role};
use puomp::rules::RuleRow;
use puomp::rules::ast::Expr;
use puomp::rules::witness::{Document, has_element};
use puomp::values::{Date, Month};

use super::by_hand::{self, ByHand};
use super::examples::{Pieces, pieces};
use super::search::{Goal, Outcome, Search};
use super::tables::Follow;

/// A clean document and the rows that it meets.
pub(crate) type Base = (Document, BTreeSet<usize>);

/// What was shown of a row.
#[derive(Debug, Default)]
pub(crate) struct Proof {
    /// The repaired twin.
    pub(crate) twin: Option<Twin>,
    /// A document that breaks exactly this row was found.
    pub(crate) broken: bool,
    /// It, or its twin, stands in `by_hand.csv`.
    pub(crate) by_hand: bool,
    /// Ids that came with it or with its twin, and necessarily follow.
    pub(crate) beside: BTreeSet<String>,
    /// The months in which it must be silent, and was.
    pub(crate) silent: usize,
    /// It spoke where it must not.
    pub(crate) spoke: bool,
    /// Why it is not proven.
    pub(crate) why: String,
    /// Pieces of its documents, if they are asked for.
    pub(crate) pieces: Option<Pieces>,
}

/// Where a twin comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twin {
    /// A base meets the row as it is.
    Base,
    /// It was searched for.
    Searched,
    /// It was written by hand.
    Written,
    /// Nothing can meet the row but for want of an occasion: the base is it.
    Without,
}

impl Proof {
    /// Whether nothing is missing.
    pub(crate) fn is_whole(&self) -> bool {
        self.twin.is_some() && self.broken && !self.spoke
    }
}

/// What proofs are made from.
pub(crate) struct Ground<'g> {
    pub(crate) formats: &'g Formats,
    pub(crate) bases: &'g [Base],
    pub(crate) follow: &'g [Follow],
    pub(crate) by_hand: &'g [ByHand],
    /// Whether pieces of the documents are wanted.
    pub(crate) with_pieces: bool,
}

impl Ground<'_> {
    fn pieces(&self, row: &RuleRow, twins: &[&Document], broken: &Document) -> Option<Pieces> {
        if self.with_pieces { pieces(row, twins, broken) } else { None }
    }
}

/// Whether the row's element stands in a document.
pub(crate) fn stands(doc: &Document, row: &RuleRow) -> bool {
    doc.trees().any(|tree| tree.format.find(&row.element).is_some_and(|id| !tree.below(&[], id).is_empty()))
}

/// Whether a row forbids an element that the format demands, or by a condition about the element itself: nothing meets it but for want of
/// an occasion.
fn forbids_what_must_stand(row: &RuleRow, docs: &[&Document]) -> bool {
    let name = row.element.rsplit('/').next().unwrap_or_default();
    let itself = row.when.as_ref().is_some_and(|w| w.to_string().starts_with(&format!("{name} =")));
    matches!(&row.require, Some(Expr::Absent(names)) if names.len() == 1)
        && (itself || docs.iter().any(|d| d.main.format.find(&row.element).is_some_and(|id| d.main.format.node(id).obligation.required)))
}

/// The reporting month of a document.
fn month(doc: &Document) -> Option<Month> {
    let number = |role| doc.main.role(role).and_then(|t| t.parse::<u16>().ok());
    Month::new(number(Role::Year)?, u8::try_from(number(Role::Month)?).ok()?)
}

/// The last day of a month, which says whether a rule is in force.
fn last_day(month: Month) -> Date {
    Date::new(month.year, month.month, month.days()).expect("a day")
}

fn date(doc: &Document) -> Option<Date> {
    month(doc).map(last_day).or_else(|| doc.main.role(Role::AccountDate).and_then(Date::parse))
}

fn month_of(day: Date) -> Month {
    let (year, month, _) = day.parts();
    Month::new(year, month).expect("a month")
}

/// The last month before a row is in force, and the first one after.
fn months_outside(row: &RuleRow) -> impl Iterator<Item = Month> {
    let before = row.from.map(|from| {
        let eve = month_of(from.day_before());
        if last_day(eve) < from { eve } else { eve.previous() }
    });
    before.into_iter().chain(row.until.map(|until| month_of(until.day_after())))
}

/// Whether a row may be looked at in a document of a family and day.
pub(crate) fn speaks_of(formats: &Formats, row: &RuleRow, doc: &Document) -> bool {
    let own = row.files.contains(&formats.book_letter(doc.main.format.family));
    let persons = doc.persons.as_ref().filter(|_| row.files.contains(&formats.book_letter(PERSONS)));
    let of_persons = persons.is_some_and(|tree| tree.format.find(&row.element).is_some());
    (own || of_persons) && has_element(doc, row) && date(doc).is_some_and(|d| row.in_force(d))
}

/// The text of the row's element where it first stands.
fn value<'d>(doc: &'d Document, row: &RuleRow) -> Option<&'d str> {
    doc.trees().find_map(|tree| {
        let way = tree.below(&[], tree.format.find(&row.element)?).into_iter().next()?;
        tree.root.at(&way).map(|e| e.text.as_str())
    })
}

/// Some documents that meet a row: of all times, and with different values of its element.
fn some_near<'b>(near: &[&'b Document], row: &RuleRow) -> Vec<&'b Document> {
    let stride = (near.len() / 6).max(1);
    let mut out: Vec<&Document> = near.iter().copied().step_by(stride).collect();
    let mut values: BTreeSet<&str> = out.iter().filter_map(|d| value(d, row)).collect();
    for doc in near {
        if out.len() >= 12 {
            break;
        }
        if value(doc, row).is_some_and(|v| values.insert(v)) {
            out.push(doc);
        }
    }
    out
}

/// Documents in which a row might be met or broken: the nearest, and some of every kind.
fn others<'b>(search: &Search<'_>, ground: &Ground<'b>, row: &RuleRow, near: &[&Document]) -> Vec<&'b Document> {
    // All are looked at: what a rare rule needs, such as a newborn child, may stand in few documents.
    let speaking = ground.bases.iter().map(|(d, _)| d).filter(|d| speaks_of(ground.formats, row, d));
    let mut scored: Vec<(usize, &Document)> = speaking.map(|d| (search.solver.closeness(d, row), d)).collect();
    let stride = (scored.len() / 6).max(1);
    let diverse: Vec<&Document> = scored.iter().step_by(stride).map(|(_, d)| *d).collect();
    scored.sort_by_key(|(close, _)| std::cmp::Reverse(*close));
    let mut out: Vec<&Document> = Vec::new();
    for doc in scored.into_iter().map(|(_, d)| d).take(6).chain(diverse) {
        if !near.iter().chain(&out).any(|n| std::ptr::eq(*n, doc)) {
            out.push(doc);
        }
    }
    out
}

/// Proves a row, or says what is missing.
pub(crate) fn prove(search: &Search<'_>, ground: &Ground<'_>, r: usize) -> Proof {
    let row = &search.rows[r];
    let beside = |id: &str| ground.follow.iter().any(|f| f.is_of(row) && f.follows.split(' ').any(|f| f == id));
    let in_twin = |id: &str| ground.follow.iter().any(|f| f.is_of(row) && f.twin == "yes" && f.follows.split(' ').any(|f| f == id));
    if let Some(written) = ground.by_hand.iter().find(|h| h.is_of(row)) {
        return match by_hand::apply(search, ground.bases, written, r, &in_twin, &beside) {
            Ok((twin, broken)) => {
                let pieces = ground.pieces(row, &[&twin], &broken);
                finish(search, r, &broken, Proof { twin: Some(Twin::Written), by_hand: true, pieces, ..Proof::default() })
            }
            Err(why) => Proof { why: format!("by hand: {why}"), ..Proof::default() },
        };
    }
    let asks_only_that_it_stands = row.when.is_none() && matches!(&row.require, Some(Expr::Present(names)) if names.len() == 1);
    let meets =
        |doc: &Document, meets: &BTreeSet<usize>| meets.contains(&r) || asks_only_that_it_stands && speaks_of(ground.formats, row, doc) && stands(doc, row);
    let near: Vec<&Document> = ground.bases.iter().filter(|(doc, rows)| meets(doc, rows)).map(|(d, _)| d).collect();
    let near = some_near(&near, row);
    let mut proof = Proof::default();
    let mut searched = None;
    let broken = if near.is_empty() {
        let others = others(search, ground, row, &near);
        if others.is_empty() {
            return Proof { why: "no document of its files and days".to_owned(), ..proof };
        }
        match search.run(others.iter().copied(), Goal::Met(r), &in_twin) {
            Outcome::Proven(twin) => {
                proof.twin = Some(Twin::Searched);
                proof.beside.extend(ids_beside(search, &twin, row));
                let twin = searched.insert(twin);
                search.run(std::iter::once(&**twin).chain(others), Goal::Broken(r), &beside)
            }
            // A block that the format demands cannot be missing: the rule says that the whole case is in the wrong file.
            _ if forbids_what_must_stand(row, &others) => {
                proof.twin = Some(Twin::Without);
                search.run(others.into_iter(), Goal::Broken(r), &beside)
            }
            Outcome::Beside(ids) => return Proof { why: format!("twin: beside it {ids:?}"), ..proof },
            Outcome::Nothing => return Proof { why: "twin: nothing".to_owned(), ..proof },
        }
    } else {
        proof.twin = Some(Twin::Base);
        let others = std::iter::once_with(|| others(search, ground, row, &near)).flatten();
        search.run(near.iter().copied().chain(others), Goal::Broken(r), &beside)
    };
    match broken {
        Outcome::Proven(doc) => {
            let twins: Vec<&Document> = near.iter().copied().chain(searched.as_deref()).collect();
            proof.pieces = ground.pieces(row, &twins, &doc);
            finish(search, r, &doc, proof)
        }
        Outcome::Beside(ids) => Proof { why: format!("broken: beside it {ids:?}"), ..proof },
        Outcome::Nothing => Proof { why: "broken: nothing".to_owned(), ..proof },
    }
}

/// Ids that are found in a document beside that of a row.
fn ids_beside(search: &Search<'_>, doc: &Document, row: &RuleRow) -> BTreeSet<String> {
    search.lab.judge(doc, search.folder).expect("written before").into_iter().map(|f| f.id).filter(|id| *id != row.id).collect()
}

/// With the broken document at hand: what follows in it, and whether the row is silent in the month before its first and after its last day.
fn finish(search: &Search<'_>, r: usize, broken: &Document, mut proof: Proof) -> Proof {
    let row = &search.rows[r];
    proof.broken = true;
    proof.beside.extend(ids_beside(search, broken, row));
    for outside in months_outside(row) {
        let mut doc = broken.clone();
        let day = last_day(outside).to_string();
        if month(&doc).is_some() {
            doc.main.set_role(Role::Year, &outside.year.to_string());
            doc.main.set_role(Role::Month, &outside.month.to_string());
        } else if doc.main.role(Role::AccountDate).is_some() {
            doc.main.set_role(Role::AccountDate, &day);
        } else {
            doc.main.set_role(Role::MadeOn, &day);
        }
        let findings = search.lab.judge(&doc, search.folder).expect("written");
        if findings.iter().any(|f| f.row == Some(r)) {
            proof.spoke = true;
            proof.why = format!("speaks in {outside}");
        } else {
            proof.silent += 1;
        }
    }
    proof
}
