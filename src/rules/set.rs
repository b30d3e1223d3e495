//! The rules of one kind of file, compiled and sorted by the block at which each is evaluated.

use super::ast::Expr;
use super::code::Cond;
use super::compile::{Captures, Compiler, Gather, Sources, Stop, Unit, What};
use super::eval::{Env, Facts, Gathered, Person};

use super::table::Row;
use crate::nsi::Date;
use crate::registry::format::{Content, Format, NodeId, Role};
use crate::registry::record::Record;
use crate::tables::TableError;

/// Whose elements a set of rules checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Elements of the walked file.
    Own,
    /// Elements of the person file, looked at from the records that name the persons.
    PersonsFromRecords,
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It runs.
    Executed,
    /// Its element is not part of this format.
    NotOfFormat,
    /// It waits for a book.
    NoBook(String),
    /// It cannot run: what it needs.
    External(String),
}

#[derive(Debug, Clone)]
struct Compiled {
    row: usize,
    element: NodeId,
    /// Position among the children of its block.
    position: u8,
    /// The element holds a value.
    is_value: bool,
    /// It demands or forbids that the element stands; all others pass when it is absent.
    presence: bool,
    when: Option<Cond>,
    require: Cond,
    /// The format's table demands the same: asked only where the structure has found something.
    implied: bool,
}

/// Rules ready to run over the files of one format.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// By the block's node.
    by_block: Vec<Vec<Compiled>>,
    head: Vec<(Compiled, Option<usize>)>,
    persons: Vec<(Compiled, usize)>,
    captures: Captures,
    states: Vec<(usize, State)>,
}

/// A rule that did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Index of the row.
    pub row: usize,
    /// The element; of the person file for rules of persons.
    pub element: NodeId,
    /// Offset of the element, or of its block when the element is absent.
    pub offset: u64,
    /// The block of the record; 0 for rules of the head and of persons.
    pub block: usize,
    /// The element stands there.
    pub stands: bool,
}

impl RuleSet {
    /// Compiles the rows that are in force on a day for files of a letter of the book.
    ///
    /// # Errors
    /// A row is wrong: its table, line and the place in it.
    pub fn compile(rows: &[Row], letter: char, on: Option<Date>, side: Side, sources: Sources<'_>) -> Result<Self, TableError> {
        let mut set = Self { by_block: sources.format.nodes().iter().map(|_| Vec::new()).collect(), ..Self::default() };
        for (index, row) in rows.iter().enumerate() {
            if !row.files.contains(&letter) || on.is_some_and(|day| !row.in_force(day)) {
                continue;
            }
            let state = match set.add(index, row, side, sources) {
                Ok(state) => state,
                Err(Stop::NoBook(book)) => State::NoBook(book),
                Err(Stop::External(what)) => State::External(what),
                Err(Stop::Mistake { at, message }) => {
                    return Err(TableError::new(&row.place.0, row.place.1, format!("{}: at {}: {message}", row.id, at + 1)));
                }
            };
            set.states.push((index, state));
        }
        Ok(set)
    }

    fn add(&mut self, index: usize, row: &Row, side: Side, sources: Sources<'_>) -> Result<State, Stop> {
        let Some(require) = &row.require else { return Ok(State::External(row.kind.clone())) };
        let format = if side == Side::Own { sources.format } else { sources.persons.unwrap_or(sources.format) };
        let Some(element) = format.find(&row.element) else { return Ok(State::NotOfFormat) };
        let node = format.node(element);
        let Some(block) = node.parent else { return Ok(State::NotOfFormat) };
        let in_record = format.role(Role::Record).is_some_and(|r| element != r && format.is_within(element, r));
        let unit = match side {
            Side::Own if in_record => Unit::Block { block, element },
            Side::Own => Unit::Head { block, element },
            Side::PersonsFromRecords => Unit::Person { element },
        };
        let mut compiler = Compiler::new(sources, &mut self.captures, unit);
        let when = row.when.as_ref().map(|e| compiler.condition(e)).transpose()?;
        let presence = is_presence(require, &node.name);
        let compiled = Compiled {
            row: index,
            element,
            position: node.position,
            is_value: matches!(node.content, Content::Value(_)),
            presence,
            when,
            require: compiler.requirement(require)?,
            implied: row.when.is_none() && implied(require, format, element),
        };
        match unit {
            Unit::Block { .. } => self.by_block[usize::from(block.0)].push(compiled),
            Unit::Head { .. } => {
                let value = compiled.is_value.then(|| position_of(&mut self.captures.head, element));
                self.head.push((compiled, value));
            }
            Unit::Person { .. } => {
                let value = position_of(&mut self.captures.persons, element);
                self.persons.push((compiled, value));
            }
        }
        Ok(State::Executed)
    }

    /// What became of each row that was asked for.
    pub fn states(&self) -> &[(usize, State)] {
        &self.states
    }

    /// Elements of the head whose values evaluation needs, in the order of [`Facts::head`].
    pub fn head_elements(&self) -> &[NodeId] {
        &self.captures.head
    }

    /// Elements of the person file whose values evaluation needs, in the order of [`Person::value`].
    pub fn person_elements(&self) -> &[NodeId] {
        &self.captures.persons
    }

    /// The start of gathering: one value for each thing that rules of the head ask of all records.
    pub fn gathered(&self) -> Vec<Gathered> {
        let start = |g: &Gather| match g.what {
            What::Exists(_) => Gathered::Truth(false),
            What::ForAll(_) => Gathered::Truth(true),
            What::Sum { .. } | What::Count => Gathered::Sum(super::number::Decimal::ZERO),
        };
        self.captures.gathers.iter().map(start).collect()
    }

    /// Joins what later pieces gathered.
    pub fn join(&self, into: &mut [Gathered], more: &[Gathered]) {
        for ((gather, value), more) in self.captures.gathers.iter().zip(into).zip(more) {
            *value = match (*value, *more, &gather.what) {
                (Gathered::Truth(a), Gathered::Truth(b), What::ForAll(_)) => Gathered::Truth(a && b),
                (Gathered::Truth(a), Gathered::Truth(b), _) => Gathered::Truth(a || b),
                (Gathered::Sum(a), Gathered::Sum(b), _) => Gathered::Sum(a.plus(b)),
                (other, ..) => other,
            };
        }
    }

    /// Evaluates every rule of the records over one record. `doubtful`: the structure has found something in it.
    pub fn record(&self, record: &Record, facts: &Facts, person: Option<&dyn Person>, doubtful: bool, gathered: &mut [Gathered], hit: &mut dyn FnMut(Hit)) {
        for (block, instance) in record.instances().iter().enumerate() {
            let env = Env { record, block, this: None, facts, person, gathered: &[] };
            for rule in &self.by_block[usize::from(instance.node.0)] {
                if rule.implied && !doubtful {
                    continue;
                }
                rule.run(&env, hit);
            }
            for (gather, value) in self.captures.gathers.iter().zip(gathered.iter_mut()) {
                if gather.block == instance.node {
                    gather.add(&env, value);
                }
            }
        }
        let env = Env { record, block: 0, this: None, facts, person, gathered: &[] };
        for (rule, value) in &self.persons {
            let stands = person.is_some_and(|p| p.value(*value).is_some());
            if person.is_some() && (stands || rule.presence) && rule.breaks(&env) {
                hit(Hit { row: rule.row, element: rule.element, offset: record.offset(0), block: 0, stands });
            }
        }
    }

    /// Evaluates the rules of the head when the whole file is known.
    pub fn head(&self, facts: &Facts, gathered: &[Gathered], hit: &mut dyn FnMut(Hit)) {
        let record = Record::default();
        let env = Env { record: &record, block: 0, this: None, facts, person: None, gathered };
        for (rule, value) in &self.head {
            let stands = value.is_some_and(|v| facts.head.get(v).is_some_and(Option::is_some));
            if (stands || rule.presence) && !rule.implied && rule.breaks(&env) {
                hit(Hit { row: rule.row, element: rule.element, offset: 0, block: 0, stands });
            }
        }
    }
}

impl Compiled {
    fn breaks(&self, env: &Env<'_>) -> bool {
        self.when.as_ref().is_none_or(|w| env.holds(w)) && !env.holds(&self.require)
    }

    fn run(&self, env: &Env<'_>, hit: &mut dyn FnMut(Hit)) {
        let (record, block) = (env.record, env.block);
        let stands = record.has(block, self.position);
        if self.presence || !self.is_value {
            let first = if self.is_value { record.first(block, self.position) } else { None };
            let env = Env { this: first.map(|v| v.text), ..*env };
            if (stands || self.presence) && self.breaks(&env) {
                let inner = || record.blocks(block, self.position).next().map(|b| record.offset(b));
                let offset = first.map(|v| v.offset).or_else(inner).unwrap_or_else(|| record.offset(block));
                hit(Hit { row: self.row, element: self.element, offset, block, stands });
            }
        } else if stands {
            for value in record.values(block, self.position) {
                if self.breaks(&Env { this: Some(value.text), ..*env }) {
                    hit(Hit { row: self.row, element: self.element, offset: value.offset, block, stands: true });
                }
            }
        }
    }
}

impl Gather {
    fn add(&self, env: &Env<'_>, value: &mut Gathered) {
        match (&self.what, value) {
            (What::Exists(cond), Gathered::Truth(truth)) => *truth = *truth || env.holds(cond),
            (What::ForAll(cond), Gathered::Truth(truth)) => *truth = *truth && env.holds(cond),
            (What::Sum { place, condition }, Gathered::Sum(sum)) => *sum = sum.plus(env.sum(place, condition.as_ref())),
            (What::Count, Gathered::Sum(sum)) => *sum = sum.plus(super::number::Decimal::whole(1)),
            _ => {}
        }
    }
}

fn position_of(list: &mut Vec<NodeId>, id: NodeId) -> usize {
    list.iter().position(|n| *n == id).unwrap_or_else(|| {
        list.push(id);
        list.len() - 1
    })
}

/// Whether a requirement is about the element's standing or not standing.
fn is_presence(require: &Expr, name: &str) -> bool {
    match require {
        Expr::Present(names) | Expr::Absent(names) => names.iter().any(|n| n.name.rsplit(['.', '/']).next() == Some(name)),
        _ => false,
    }
}

/// Whether the format's table demands at least what an unconditional rule demands, so that the structure finds every breach first.
fn implied(require: &Expr, format: &Format, element: NodeId) -> bool {
    let node = format.node(element);
    match require {
        Expr::Present(_) => node.obligation.required && !node.regional,
        Expr::And(parts) => parts.iter().all(|p| implied(p, format, element)),
        other => node.value_type().is_some_and(|kind| super::implied::by_type(other, kind)),
    }
}
