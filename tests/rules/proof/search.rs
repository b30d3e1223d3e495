//! From a sound document to one that breaks (or meets) exactly one rule, and from a document with findings to a sound one.

use std::collections::BTreeSet;
use std::path::Path;

use puomp::registry::format::Role;
use puomp::rules::RuleRow;
use puomp::rules::witness::{Document, Solver, Unit};

use super::lab::{Found, Lab};

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// The row speaks.
    Broken(usize),
    /// The row has its occasion and is met.
    Met(usize),
    /// Nothing is found.
    Clean,
}

/// What a search came to.
pub(crate) enum Outcome {
    Proven(Box<Document>),
    /// The fewest ids beside the wanted one.
    Beside(BTreeSet<String>),
    /// No document at all was found.
    Nothing,
}

#[derive(Clone, Copy)]
pub(crate) struct Search<'s> {
    pub(crate) lab: &'s Lab<'s>,
    pub(crate) turned: &'s Lab<'s>,
    pub(crate) solver: Solver<'s>,
    pub(crate) rows: &'s [RuleRow],
    pub(crate) folder: &'s Path,
    pub(crate) evaluations: usize,
}

/// A document on the way.
struct Step {
    depth: usize,
    unwanted: Vec<Found>,
    doc: Document,
}

/// One search.
struct Run<'a> {
    goal: Goal,
    /// Ids that may stand beside the goal.
    allowed: &'a dyn Fn(&str) -> bool,
    /// Documents that may still be judged.
    left: usize,
    seen: BTreeSet<u64>,
    waiting: Vec<Step>,
    best: Option<BTreeSet<String>>,
}

/// So many ideas are taken from one start.
const IDEAS: usize = 60;
/// So often in a row a document is mended.
const DEPTH: usize = 9;
/// Documents that wait to be mended.
const WAITING: usize = 40;
/// So many documents are judged to make one sound.
const TO_CLEAN: usize = 24;

impl Search<'_> {
    /// Looks for a document that reaches a goal of a row, with no finding but the allowed ids.
    pub(crate) fn run<'d>(&self, starts: impl Iterator<Item = &'d Document>, goal: Goal, allowed: &dyn Fn(&str) -> bool) -> Outcome {
        let mut run = Run { goal, allowed, left: self.evaluations, seen: BTreeSet::new(), waiting: Vec::new(), best: None };
        // The first ideas of every start come before the later ones of any; most rows need no second start.
        let first = run.left / 2;
        let mut ideas: Vec<std::vec::IntoIter<Document>> = Vec::new();
        for start in starts {
            let mut list = self.ideas(start, goal).into_iter();
            let proven = list.next().and_then(|doc| self.consider(doc, 0, &mut run));
            if let Some(doc) = proven {
                return Outcome::Proven(Box::new(doc));
            }
            ideas.push(list);
        }
        while run.left > first && !ideas.is_empty() {
            ideas.retain_mut(|list| list.len() > 0);
            for list in &mut ideas {
                let proven = list.next().filter(|_| run.left > first).and_then(|doc| self.consider(doc, 0, &mut run));
                if let Some(doc) = proven {
                    return Outcome::Proven(Box::new(doc));
                }
            }
        }
        match self.mend(&mut run) {
            Some(doc) => Outcome::Proven(Box::new(doc)),
            None => run.best.map_or(Outcome::Nothing, Outcome::Beside),
        }
    }

    /// The document, or one near it, in which nothing is found; else the fewest that was left.
    pub(crate) fn clean(&self, doc: Document) -> Result<Document, BTreeSet<String>> {
        self.near(doc, Goal::Clean, &|_| false)
    }

    /// The document, or one near it, that reaches a goal; else the fewest that was found beside it.
    pub(crate) fn near(&self, doc: Document, goal: Goal, allowed: &dyn Fn(&str) -> bool) -> Result<Document, BTreeSet<String>> {
        let mut run = Run { goal, allowed, left: TO_CLEAN, seen: BTreeSet::new(), waiting: Vec::new(), best: None };
        self.consider(doc, 0, &mut run).or_else(|| self.mend(&mut run)).ok_or(run.best.unwrap_or_default())
    }

    /// Mends what waits, the nearest to the goal first.
    fn mend(&self, run: &mut Run<'_>) -> Option<Document> {
        while run.left > 0 && !run.waiting.is_empty() {
            let at = (0..run.waiting.len()).min_by_key(|i| (run.waiting[*i].unwanted.len(), run.waiting[*i].depth)).unwrap_or(0);
            let step = run.waiting.swap_remove(at);
            if step.depth >= DEPTH {
                continue;
            }
            for found in step.unwanted.iter().take(3) {
                for doc in self.mended(&step.doc, found) {
                    if run.left == 0 {
                        break;
                    }
                    let proven = self.consider(doc, step.depth + 1, run);
                    if proven.is_some() {
                        return proven;
                    }
                }
            }
        }
        None
    }

    /// Documents near a start in which the goal may be reached.
    fn ideas(&self, start: &Document, goal: Goal) -> Vec<Document> {
        let (row, want) = match goal {
            Goal::Broken(row) => (row, false),
            Goal::Met(row) => (row, true),
            Goal::Clean => return Vec::new(),
        };
        let rule = &self.rows[row];
        let Some(require) = &rule.require else { return Vec::new() };
        let mut out = Vec::new();
        for (doc, unit) in self.solver.units(start, rule).into_iter().take(8) {
            let occasions = match &rule.when {
                Some(when) => self.solver.make(&doc, &unit, when, true),
                None => vec![doc],
            };
            for occasion in occasions.into_iter().take(24) {
                if out.len() >= IDEAS {
                    return out;
                }
                let units = self.solver.units(&occasion, rule);
                let unit = units.iter().map(|(_, u)| u).find(|u| u.scope == unit.scope).unwrap_or(&unit);
                out.extend(self.solver.make(&occasion, unit, require, want).into_iter().take(24));
            }
        }
        out
    }

    /// Whether a document reaches a goal of a row, and what else is found in it.
    fn reaches(&self, doc: &Document, goal: Goal, allowed: &dyn Fn(&str) -> bool) -> Option<Vec<Found>> {
        let findings = self.lab.judge(doc, self.folder)?;
        let of_row = |list: &[Found], row| list.iter().any(|f| f.row == Some(row));
        let own = match goal {
            Goal::Broken(row) if !of_row(&findings, row) => return None,
            Goal::Met(row) if of_row(&findings, row) || !of_row(&self.turned.judge(doc, self.folder)?, row) => return None,
            Goal::Broken(row) => Some(self.rows[row].id.as_str()),
            Goal::Met(_) | Goal::Clean => None,
        };
        Some(findings.into_iter().filter(|f| !(own == Some(f.id.as_str()) || allowed(&f.id))).collect())
    }

    fn consider(&self, doc: Document, depth: usize, run: &mut Run<'_>) -> Option<Document> {
        if !run.seen.insert(key(&doc)?) {
            return None;
        }
        run.left = run.left.saturating_sub(1);
        let unwanted = self.reaches(&doc, run.goal, run.allowed)?;
        if unwanted.is_empty() {
            return Some(doc);
        }
        let ids: BTreeSet<String> = unwanted.iter().map(Found::told).collect();
        if run.best.as_ref().is_none_or(|b| ids.len() < b.len()) {
            run.best = Some(ids);
        }
        run.waiting.push(Step { depth, unwanted, doc });
        if run.waiting.len() > WAITING {
            let worst = (0..run.waiting.len()).max_by_key(|i| (run.waiting[*i].unwanted.len(), run.waiting[*i].depth)).unwrap_or(0);
            run.waiting.swap_remove(worst);
        }
        None
    }

    /// Documents in which a finding may be gone.
    fn mended(&self, doc: &Document, found: &Found) -> Vec<Document> {
        let Some(rule) = found.row.map(|r| &self.rows[r]) else { return vec![counted(doc)] };
        let units = self.solver.units(doc, rule);
        let here = |unit: &Unit| found.way.as_ref().is_none_or(|way| unit.occurrence.as_ref() == Some(way) || unit.scope == *way);
        let unit = units.iter().map(|(_, u)| u).find(|u| here(u)).or_else(|| units.first().map(|(_, u)| u));
        let Some(unit) = unit else { return Vec::new() };
        let mut ways = Vec::new();
        if let Some(require) = &rule.require {
            ways.push(self.solver.make(doc, unit, require, true));
        }
        if let Some(when) = &rule.when {
            ways.push(self.solver.make(doc, unit, when, false));
        }
        let mut lists: Vec<_> = ways.into_iter().map(|w| w.into_iter().take(14)).collect();
        let mut out = Vec::new();
        loop {
            let next: Vec<Document> = lists.iter_mut().filter_map(Iterator::next).collect();
            if next.is_empty() {
                return out;
            }
            out.extend(next);
        }
    }
}

/// The document with as many cases declared as stand in it.
fn counted(doc: &Document) -> Document {
    let mut doc = doc.clone();
    let cases = doc.main.format.role(Role::Case).map_or(0, |id| doc.main.below(&[], id).len());
    doc.main.set_role(Role::CasesDeclared, &cases.to_string());
    doc
}

fn key(doc: &Document) -> Option<u64> {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    doc.main.name.hash(&mut hasher);
    for tree in doc.trees() {
        tree.write(puomp::registry::encoding::Encoding::Windows1251).ok()?.0.hash(&mut hasher);
    }
    Some(hasher.finish())
}
