//! From a sound document to one that breaks (or meets) exactly one rule.

use std::collections::BTreeSet;
use std::path::Path;

use puomp::registry::format::Role;
use puomp::rules::Row;
use puomp::rules::witness::{Document, Solver, Unit};

use super::lab::{Found, Lab};

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// The row speaks.
    Broken,
    /// The row has its occasion and is met.
    Met,
}

/// What a search came to.
pub(crate) enum Outcome {
    Proven(Box<Document>),
    /// The fewest ids beside the wanted one.
    Beside(BTreeSet<String>),
    /// No document at all was found.
    Nothing,
}

pub(crate) struct Search<'s> {
    pub(crate) lab: &'s Lab<'s>,
    pub(crate) turned: &'s Lab<'s>,
    pub(crate) solver: Solver<'s>,
    pub(crate) rows: &'s [Row],
    pub(crate) folder: &'s Path,
    pub(crate) evaluations: usize,
}

/// A document on the way.
struct Step {
    depth: usize,
    unwanted: Vec<Found>,
    doc: Document,
}

/// So many ideas are taken from one start.
const IDEAS: usize = 60;
/// So often in a row a document is mended.
const DEPTH: usize = 9;
/// Documents that wait to be mended.
const WAITING: usize = 40;

impl Search<'_> {
    /// Looks for a document that reaches a goal, with no finding but the allowed ids.
    pub(crate) fn run(&self, starts: &[&Document], row: usize, goal: Goal, allowed: &dyn Fn(&str) -> bool) -> Outcome {
        let rule = &self.rows[row];
        let (mut left, mut seen) = (self.evaluations, BTreeSet::new());
        let mut waiting: Vec<Step> = Vec::new();
        let mut best: Option<BTreeSet<String>> = None;
        // The first ideas of every start come before the later ones of any.
        let mut ideas: Vec<std::vec::IntoIter<Document>> = starts.iter().map(|start| self.ideas(start, rule, goal).into_iter()).collect();
        let first = left / 2;
        'ideas: loop {
            let mut any = false;
            for list in &mut ideas {
                let Some(doc) = list.next() else { continue };
                any = true;
                if left <= first {
                    break 'ideas;
                }
                if let Some(proven) = self.consider(doc, 0, row, goal, allowed, &mut left, &mut seen, &mut waiting, &mut best) {
                    return Outcome::Proven(Box::new(proven));
                }
            }
            if !any {
                break;
            }
        }
        while left > 0 && !waiting.is_empty() {
            let at = (0..waiting.len()).min_by_key(|i| (waiting[*i].unwanted.len(), waiting[*i].depth)).unwrap_or(0);
            let step = waiting.swap_remove(at);
            if step.depth >= DEPTH {
                continue;
            }
            for found in step.unwanted.iter().take(3) {
                for doc in self.mended(&step.doc, found) {
                    if left == 0 {
                        break;
                    }
                    if let Some(proven) = self.consider(doc, step.depth + 1, row, goal, allowed, &mut left, &mut seen, &mut waiting, &mut best) {
                        return Outcome::Proven(Box::new(proven));
                    }
                }
            }
        }
        best.map_or(Outcome::Nothing, Outcome::Beside)
    }

    /// Documents near a start in which the goal may be reached.
    fn ideas(&self, start: &Document, rule: &Row, goal: Goal) -> Vec<Document> {
        let Some(require) = &rule.require else { return Vec::new() };
        let want = goal == Goal::Met;
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

    #[expect(clippy::too_many_arguments, reason = "the state of one search")]
    fn consider(
        &self,
        doc: Document,
        depth: usize,
        row: usize,
        goal: Goal,
        allowed: &dyn Fn(&str) -> bool,
        left: &mut usize,
        seen: &mut BTreeSet<Vec<u8>>,
        waiting: &mut Vec<Step>,
        best: &mut Option<BTreeSet<String>>,
    ) -> Option<Document> {
        let key = key(&doc)?;
        if !seen.insert(key) {
            return None;
        }
        *left = left.saturating_sub(1);
        let findings = self.lab.judge(&doc, self.folder)?;
        let of_row = |list: &[Found]| list.iter().any(|f| f.row == Some(row));
        match goal {
            Goal::Broken if !of_row(&findings) => return None,
            Goal::Met if of_row(&findings) || !of_row(&self.turned.judge(&doc, self.folder)?) => return None,
            _ => {}
        }
        let unwanted: Vec<Found> = findings.into_iter().filter(|f| !(goal == Goal::Broken && f.id == self.rows[row].id || allowed(&f.id))).collect();
        if unwanted.is_empty() {
            return Some(doc);
        }
        let ids: BTreeSet<String> = unwanted.iter().map(|f| f.id.clone()).collect();
        if best.as_ref().is_none_or(|b| ids.len() < b.len()) {
            *best = Some(ids);
        }
        waiting.push(Step { depth, unwanted, doc });
        if waiting.len() > WAITING {
            let worst = (0..waiting.len()).max_by_key(|i| (waiting[*i].unwanted.len(), waiting[*i].depth)).unwrap_or(0);
            waiting.swap_remove(worst);
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

fn key(doc: &Document) -> Option<Vec<u8>> {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    for tree in [&doc.main, &doc.persons] {
        tree.write(puomp::registry::encoding::Encoding::Windows1251).ok()?.0.hash(&mut hasher);
    }
    Some(hasher.finish().to_le_bytes().to_vec())
}
