//! The tables of `rules/generate/` compiled for one family, edition and month: which elements appear when, with what values.

use std::sync::Arc;

use serde::Deserialize;

use super::expr::{self, Expr};
use super::words::{Slot, State, Value, Words};
use crate::registry::encoding::Encoding;
use crate::registry::format::value::Base;
use crate::registry::format::{Content, Format, Node, NodeId, ValueType};
use crate::registry::writer::{Layout, Tags, append_text};
use crate::tables::{Line, RuleFiles, TableError};

const FACTS: &str = "generate/facts.csv";
const ELEMENTS: &str = "generate/elements.csv";

#[derive(Deserialize)]
struct FactRow {
    block: String,
    fact: String,
    when: String,
    value: String,
}

#[derive(Deserialize)]
struct ElementRow {
    #[serde(rename = "for")]
    only: String,
    parent: String,
    element: String,
    when: String,
    repeat: String,
    value: String,
}

/// A row that sets a fact, or draws from a pool.
#[derive(Debug)]
pub(super) struct Assign {
    slot: Option<Slot>,
    when: Option<Expr>,
    value: Expr,
    line: Line,
}

/// How a value becomes a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Numbers as they are, days as ISO dates, texts as they are.
    Plain,
    /// A number in units of the last digit, with so many digits after the point (two for kopecks).
    Fixed(u8),
}

/// How an element is made.
#[derive(Debug)]
pub(super) enum Recipe {
    /// Never written.
    Absent,
    /// A block, with the facts that are set before its children are written.
    Block(Vec<Assign>),
    /// A value.
    Value(Expr, Form),
    /// A required value without a row: any value of its type.
    Typical,
}

/// How and when one element is written.
#[derive(Debug)]
pub(super) struct NodePlan {
    pub(super) when: Option<Expr>,
    pub(super) repeat: Option<Expr>,
    pub(super) recipe: Recipe,
    /// Line in the table, for messages; 0 without a row.
    pub(super) line: Line,
}

/// One file: its format and the plans of its elements.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) format: Arc<Format>,
    pub(super) tags: Tags,
    pub(super) nodes: Vec<NodePlan>,
}

/// The compiled tables.
#[derive(Debug)]
pub(super) struct Plan<'t> {
    pub(super) words: Words<'t>,
    /// What a person is in every month.
    pub(super) person: Vec<Assign>,
    /// What the person comes for in the month.
    pub(super) visit: Vec<Assign>,
    pub(super) case: Vec<Assign>,
    pub(super) main: Document,
    pub(super) persons: Document,
    /// Facts of the package.
    pub(super) package: State,
    /// The fact that holds the sum of a case in kopecks.
    pub(super) case_sum: Slot,
    /// The fact that holds the number of a person's records.
    pub(super) cases: Slot,
    /// The fact that holds how many months a person stays with the clinic.
    pub(super) stay: Slot,
    /// Every text in the encoding of the files, escaped.
    pub(super) encoded: Vec<Box<[u8]>>,
}

/// Names of the blocks of facts that are not elements of the format.
const PACKAGE: &str = "package";
const PERSON: &str = "person";
const VISIT: &str = "visit";
const CASE: &str = "case";

impl<'t> Plan<'t> {
    /// Compiles the tables. `words` holds the facts that the program sets.
    pub(super) fn new(
        files: &'t RuleFiles,
        mut words: Words<'t>,
        main: &Arc<Format>,
        persons: &Arc<Format>,
        encoding: Encoding,
        layout: Layout,
    ) -> Result<Self, TableError> {
        words.know_elements(main.nodes().iter().map(|n| &*n.name));
        let rows = files.rows::<FactRow>(FACTS)?;
        let mut facts = Vec::with_capacity(rows.len());
        for (line, row) in &rows {
            let assign = assign(&mut words, *line, row).map_err(|e| TableError::new(FACTS, *line, e))?;
            facts.push((row.block.as_str(), Some(assign)));
        }
        let mut take = |block: &str| -> Vec<Assign> {
            let mine = facts.iter_mut().filter(|(names, _)| names.split('|').any(|n| n == block));
            mine.filter_map(|(_, assign)| assign.take()).collect()
        };
        let package = take(PACKAGE);
        let (person, visit, case) = (take(PERSON), take(VISIT), take(CASE));
        let mut state = words.given().clone();
        state.facts.resize(words.fact_count(), Value::None);
        run(&words, &package, &mut state).map_err(|(line, e)| TableError::new(FACTS, line, e))?;

        let elements = files.rows::<ElementRow>(ELEMENTS)?;
        let mut documents = Vec::new();
        for format in [main, persons] {
            let tags = Tags::new(format, encoding, layout);
            let nodes = nodes(&mut words, format, &elements, &mut state, &mut take)?;
            documents.push(Document { format: Arc::clone(format), tags, nodes });
        }
        let never_set = words.never_set();
        if !never_set.is_empty() {
            return Err(TableError::new(FACTS, 0, format!("facts that nothing sets: {}", never_set.join(", "))));
        }
        let (case_sum, cases, stay) = (words.fact("case_sum"), words.fact("cases"), words.fact("stay_months"));
        state.facts.resize(words.fact_count(), Value::None);
        let encode = |text: &str| {
            let mut out = Vec::new();
            append_text(text, encoding, &mut out).map_err(|e| TableError::new(FACTS, 0, format!("«{text}»: {e}")))?;
            Ok(out.into())
        };
        let encoded = words.texts().iter().map(|t| encode(t)).collect::<Result<_, TableError>>()?;
        let persons = documents.remove(1);
        let main = documents.remove(0);
        Ok(Self { words, person, visit, case, main, persons, package: state, case_sum, cases, stay, encoded })
    }

    /// Sets the facts of a list.
    pub(super) fn run(&self, list: &[Assign], state: &mut State) -> Result<(), TableError> {
        run(&self.words, list, state).map_err(|(line, e)| TableError::new(FACTS, line, e))
    }
}

fn run(words: &Words<'_>, list: &[Assign], state: &mut State) -> Result<(), (Line, String)> {
    for assign in list {
        let applies = match &assign.when {
            Some(when) => words.eval(when, state).map_err(|e| (assign.line, e))?.is_true(),
            None => true,
        };
        if applies {
            let value = words.eval(&assign.value, state).map_err(|e| (assign.line, e))?;
            if let Some(slot) = assign.slot {
                state.facts[slot] = value;
            }
        }
    }
    Ok(())
}

fn condition(words: &mut Words<'_>, text: &str) -> Result<Option<Expr>, String> {
    if text.is_empty() { Ok(None) } else { expr::parse(words, text).map(Some) }
}

fn assign(words: &mut Words<'_>, line: Line, row: &FactRow) -> Result<Assign, String> {
    let when = condition(words, &row.when)?;
    let value = expr::parse(words, &row.value)?;
    let slot = if row.fact.is_empty() { None } else { Some(words.assign(&row.fact)?) };
    Ok(Assign { slot, when, value, line })
}

fn nodes(
    words: &mut Words<'_>,
    format: &Format,
    rows: &[(Line, ElementRow)],
    package: &mut State,
    take: &mut impl FnMut(&str) -> Vec<Assign>,
) -> Result<Vec<NodePlan>, TableError> {
    let mut plans = Vec::with_capacity(format.nodes().len());
    for id in format.ids() {
        let node = format.node(id);
        let mut plan = NodePlan { when: None, repeat: None, recipe: Recipe::Absent, line: Line::default() };
        for (line, row) in rows.iter().filter(|(_, row)| matches(format, id, row)) {
            let wrong = |e: String| TableError::new(ELEMENTS, *line, e);
            if let Some(only) = condition(words, &row.only).map_err(wrong)? {
                package.facts.resize(words.fact_count(), Value::None);
                if !words.eval(&only, package).map_err(wrong)?.is_true() {
                    continue;
                }
            }
            plan.line = *line;
            plan.when = condition(words, &row.when).map_err(wrong)?;
            plan.repeat = condition(words, &row.repeat).map_err(wrong)?;
            if plan.repeat.is_some() && !node.obligation.repeatable {
                return Err(wrong(format!("{} is not repeatable", node.path)));
            }
            plan.recipe = recipe(words, node, &row.value).map_err(wrong)?;
            break;
        }
        if plan.line.number() == 0 && node.obligation.required {
            plan.recipe = if node.value_type().is_some() { Recipe::Typical } else { Recipe::Block(Vec::new()) };
        }
        if let Recipe::Block(facts) = &mut plan.recipe {
            *facts = take(&node.name);
        }
        plans.push(plan);
    }
    Ok(plans)
}

fn recipe(words: &mut Words<'_>, node: &Node, value: &str) -> Result<Recipe, String> {
    Ok(match (&node.content, value) {
        (Content::Block, "") => Recipe::Block(Vec::new()),
        (Content::Block, _) => return Err(format!("{} is a block and has no value", node.path)),
        (Content::Value(_), "") => Recipe::Absent,
        (Content::Value(kind), value) => Recipe::Value(expr::parse(words, value)?, form(kind)),
    })
}

fn form(kind: &ValueType) -> Form {
    let after_point = |mask: &str| mask.rsplit_once('.').map(|(_, tail)| tail.bytes().filter(|b| *b == b'9').count() as u8);
    let digits = match (kind.decimal(), kind.mask()) {
        (Some((_, digits, _)), _) => Some(digits),
        (None, Some(mask)) => after_point(mask.as_str()),
        (None, None) => None,
    };
    digits.filter(|_| kind.base() == Base::Number).map_or(Form::Plain, Form::Fixed)
}

/// Whether a row is about an element, by its name and the end of its parent's path.
fn matches(format: &Format, id: NodeId, row: &ElementRow) -> bool {
    let node = format.node(id);
    if !row.element.split('|').any(|name| name == &*node.name) {
        return false;
    }
    if row.parent.is_empty() {
        return true;
    }
    let parent = node.path.strip_suffix(&*node.name).unwrap_or("").trim_end_matches('/');
    row.parent.split('|').any(|wanted| parent.strip_suffix(wanted).is_some_and(|rest| rest.is_empty() || rest.ends_with('/')))
}
