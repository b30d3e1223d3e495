//! Documents that no search finds: edits of a base, written by hand in `by_hand.csv`.
//!
//! Edits are separated by `; `. `A/B=text` sets every element whose path ends so, or puts one where it belongs; `A/B` puts one more;
//! `-A/B` takes all away; `@Ni=text` changes a part of the file's name; what does not fit then is mended as in a search. A base is a
//! family, a month and values that it must have.

use puomp::registry::format::{NodeId, Role};
use puomp::rules::RuleRow;
use puomp::rules::witness::{Document, Solver, Stock, Tree, Way};
use serde::Deserialize;

use super::prove::{Base, stands};
use super::search::{Goal, Outcome, Search};
use super::tables::of_files;

/// A row of `by_hand.csv`.
#[derive(Debug, Deserialize)]
pub(crate) struct ByHand {
    /// Of the rule.
    pub(crate) id: String,
    files: String,
    /// `H 2021-02 USL_OK=4`; `*` is any month.
    base: String,
    /// Edits that make the repaired twin of the base.
    twin: String,
    /// Edits that break the twin; none: the search breaks it.
    broken: String,
    /// What is meant.
    pub(crate) note: String,
}

impl ByHand {
    pub(crate) fn is_of(&self, row: &RuleRow) -> bool {
        self.id == row.id && of_files(&self.files, row)
    }

    /// Whether a document is one to start from.
    fn takes(&self, doc: &Document) -> bool {
        let mut words = self.base.split(' ');
        let family = words.next().is_some_and(|f| doc.main.format.family.to_string() == f);
        let month = words.next().unwrap_or_default();
        let number = |role| doc.main.role(role).and_then(|t| t.parse::<u16>().ok());
        let same = month == "*" || month.split_once('-').is_some_and(|(y, m)| (y.parse().ok(), m.parse().ok()) == (number(Role::Year), number(Role::Month)));
        let has = |wanted: &str| {
            let (name, text) = wanted.split_once('=').unwrap_or((wanted, ""));
            let values =
                doc.trees().flat_map(|tree| named(tree, name).into_iter().flat_map(|node| tree.below(&[], node)).map(|way| (tree, way)).collect::<Vec<_>>());
            values.filter_map(|(tree, way)| tree.root.at(&way)).any(|e| text.is_empty() || e.text == text)
        };
        family && same && words.all(has)
    }
}

/// So many bases are tried.
const TRIED: usize = 12;

/// The twin and the broken document of a row that is written by hand.
pub(crate) fn apply(
    search: &Search<'_>,
    bases: &[Base],
    written: &ByHand,
    row: usize,
    in_twin: &dyn Fn(&str) -> bool,
    beside: &dyn Fn(&str) -> bool,
) -> Result<(Document, Box<Document>), String> {
    let mut why = "no such base".to_owned();
    for (base, _) in bases.iter().filter(|(doc, _)| written.takes(doc)).take(TRIED) {
        // A row that asks only that its element stands is met by every sound document that has it.
        let rule = &search.rows[row];
        let goal = if rule.when.is_none() && stands(base, rule) { Goal::Clean } else { Goal::Met(row) };
        let twin = match search.near(edited(&search.solver, base, &written.twin)?, goal, in_twin) {
            Ok(twin) => twin,
            Err(ids) => {
                why = format!("the twin: {ids:?}");
                continue;
            }
        };
        if written.broken.is_empty() {
            match search.run(std::iter::once(&twin), Goal::Broken(row), beside) {
                Outcome::Proven(doc) => return Ok((twin, doc)),
                Outcome::Beside(ids) => why = format!("from the twin: {ids:?}"),
                Outcome::Nothing => "from the twin: nothing".clone_into(&mut why),
            }
            continue;
        }
        match search.near(edited(&search.solver, &twin, &written.broken)?, Goal::Broken(row), beside) {
            Ok(broken) => return Ok((twin, Box::new(broken))),
            Err(ids) => why = format!("broken: {ids:?}"),
        }
    }
    Err(why)
}

/// The element whose path ends so.
pub(crate) fn named(tree: &Tree, name: &str) -> Option<NodeId> {
    let ends = |path: &str| path.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
    tree.format.ids().find(|id| ends(&tree.format.node(*id).path))
}

fn edited(solver: &Solver<'_>, base: &Document, edits: &str) -> Result<Document, String> {
    let mut doc = base.clone();
    for edit in edits.split("; ").filter(|e| !e.is_empty()) {
        let (name, text) = edit.split_once('=').map_or((edit, None), |(name, text)| (name, Some(text)));
        if let (Some(part), Some(text)) = (name.strip_prefix('@'), text) {
            doc = solver.named(&doc, part, text).ok_or_else(|| format!("«{edit}»: the file is not named so"))?;
            continue;
        }
        let (name, away) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
        let of_persons = named(&doc.main, name).is_none();
        let day = doc.main.role(Role::CaseTo).unwrap_or_default().to_owned();
        let tree = doc.tree_mut(of_persons);
        let node = named(tree, name).ok_or_else(|| format!("«{edit}»: no such element"))?;
        let mut ways = tree.below(&[], node);
        if away {
            ways.iter().rev().for_each(|way| tree.remove(way));
            continue;
        }
        if ways.is_empty() || text.is_none() {
            ways = vec![placed(tree, solver.stock, node, &day).ok_or_else(|| format!("«{edit}»: no place for it"))?];
        }
        if let Some(text) = text {
            ways.iter().for_each(|way| tree.set(way, text));
        }
    }
    Ok(doc)
}

/// Puts an element into the first block that takes it, and that block where it is missing.
fn placed(tree: &mut Tree, stock: &Stock, node: NodeId, day: &str) -> Option<Way> {
    let parent = tree.format.node(node).parent?;
    let block = match tree.below(&[], parent).into_iter().next() {
        Some(way) => way,
        None => placed(tree, stock, parent, day)?,
    };
    if let Some(there) = tree.below(&block, node).into_iter().next().filter(|_| !tree.format.node(node).obligation.repeatable) {
        return Some(there);
    }
    let elem = stock.bare(&tree.format, node, day);
    tree.insert(&block, elem)
}
