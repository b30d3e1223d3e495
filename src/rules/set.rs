//! The rules of one kind of file, compiled and grouped by the block at which each is evaluated.

use std::cell::Cell;
use std::sync::Arc;

use super::across::{Across, Noted};
use super::ast::{Expr, Ref};
use super::code::{Cond, Whose};
use super::compile::{Captured, Captures, Compiler, Gather, Needs, Read, Sources, Stop, Unit, What};
use super::eval::{Env, Facts, Gathered, Person};

use super::table::RuleRow;
use crate::nsi::{Book, StandsFor};
use crate::registry::format::{Content, Format, NodeId, Role};
use crate::registry::record::Record;
use crate::tables::TableError;
use crate::values::Date;

/// The file whose elements are checked, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Elements of the walked file.
    Own,
    /// Elements of the person file that the person file alone cannot judge, evaluated from the records that name the persons.
    PersonsFromRecords,
}

/// Whether a row runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The rule runs.
    Executed,
    /// Its element is not part of this format, or the rule runs in the other file of the package.
    NotOfFormat,
    /// The rule lacks this reference book or field.
    NoBook(String),
    /// The rule cannot run, for this reason.
    External(String),
}

/// The state of a row, and the reference books that it uses.
#[derive(Debug, Clone)]
pub struct RowState {
    /// Index of the row.
    pub row: usize,
    /// Whether it runs.
    pub state: State,
    /// Reference books that it uses.
    pub books: Vec<Arc<Book>>,
}

impl RowState {
    /// The missing book for which another one answers in this row, so that the rule runs only in part.
    pub fn stands_in(&self) -> Option<&Arc<StandsFor>> {
        self.books.iter().find_map(|b| b.stands_for())
    }
}

#[derive(Debug, Clone)]
struct Compiled {
    row: usize,
    element: NodeId,
    /// Position of the element among the children of its block.
    position: u8,
    asks: Asks,
    when: When,
    require: Box<Cond>,
    /// The parts of the requirement that ask no book, when other parts ask one; `None` when the rule is decided by books alone, or without them.
    without_books: Option<Box<Cond>>,
    /// Whether the rule is skipped if the person is unknown.
    person: bool,
    /// The file whose name the rule uses, if any: the rule is skipped if the parts of that name are unknown.
    name: Option<Whose>,
}

/// What a rule requires of its element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// Only that the element is present.
    Standing,
    /// Only that the element is absent.
    Absence,
    /// Presence or absence together with other elements.
    Presence,
    /// Something about its value or its block; the rule passes if the element is absent.
    Value,
}

/// When a rule applies.
#[derive(Debug, Clone)]
enum When {
    Always,
    /// A condition of this rule only.
    Own(Box<Cond>),
    /// A condition that rules of the block share, by its number; evaluated once for each block.
    Shared(usize),
}

/// The rules of one block.
#[derive(Debug, Default)]
struct Block {
    /// Conditions that several rules share.
    conditions: Conditions,
    /// Rules that require only the presence (`demanded`) or absence (`forbidden`) of a child, by its position: evaluated only if the child is absent
    /// or present.
    demanded: ByChild,
    forbidden: ByChild,
    /// Rules about the presence of several elements, evaluated for every block.
    presence: Vec<Compiled>,
    /// Rules that pass if the child is absent.
    of_values: ByChild,
    /// Bit mask of positions whose child is a value: their rules are evaluated for each value, those of a child block once.
    values: u64,
    /// Numbers of the values that are gathered from each such block.
    gathers: Vec<usize>,
    /// Numbers of the rules that compare such blocks with each other.
    across: Vec<usize>,
}

/// Conditions that several rules share, by number.
#[derive(Debug, Default)]
struct Conditions(Vec<(Expr, Cond)>);

/// Rules about persons, evaluated from the records that name them.
#[derive(Debug, Default)]
struct OfPersons {
    conditions: Conditions,
    /// Each rule with the index of the checked element among the kept elements of a person.
    rules: Vec<(Compiled, usize)>,
}

/// Rules by the position of a child.
#[derive(Debug, Default)]
struct ByChild {
    /// Bit mask of the positions that have rules.
    children: u64,
    rules: Vec<Vec<Compiled>>,
}

/// The working memory of an evaluation: gathered values, and results for the open block.
#[derive(Debug, Clone, Default)]
pub struct Work {
    /// Values gathered from the records for rules about the head.
    pub gathered: Vec<Gathered>,
    /// For each of them, the records because of which it does not hold.
    pub blamed: Vec<Blamed>,
    /// What the rules that compare records have noted, in the order of [`RuleSet::across`].
    pub noted: Vec<Noted>,
    /// Results of the block's shared conditions; `None` if not yet evaluated.
    holds: Vec<Option<bool>>,
}

/// Records that break a rule about the head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blamed {
    /// How many there are.
    pub records: u64,
    /// The numbers (N_ZAP) of the first of them, in the file's encoding.
    pub first: Vec<Box<[u8]>>,
    /// Offset of the last one: several blocks of one record count once.
    last: Option<u64>,
}

impl Blamed {
    /// Most numbers that are kept.
    const MOST: usize = 10;

    fn add(&mut self, record: &Record, number: Option<u8>) {
        let at = Some(record.offset(0));
        if self.last == at {
            return;
        }
        self.last = at;
        self.records += 1;
        if let (true, Some(number)) = (self.first.len() < Self::MOST, number.and_then(|position| record.text(0, position))) {
            self.first.push(number[..number.len().min(64)].into());
        }
    }

    fn join(&mut self, more: &Self) {
        self.records += more.records;
        self.first.extend(more.first.iter().take(Self::MOST - self.first.len()).cloned());
    }
}

/// Rules ready to run over the files of one format.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// By the node of the block.
    blocks: Vec<Block>,
    /// Rules that the format's table covers: evaluated only if the structural checks have found something.
    covered: Vec<Block>,
    head: Vec<HeadRule>,
    persons_head: Vec<Compiled>,
    persons: OfPersons,
    across: Vec<Across>,
    captures: Captures,
    states: Vec<RowState>,
    /// By the index of the row, the elements that it reads.
    reads: Vec<Box<[Read]>>,
    /// Rules about the head whose requirement is gathered from the records: the row, and the first and the last but one of its aggregates.
    blames: Vec<(usize, usize, usize)>,
    /// Position of the number among the elements of a record.
    number: Option<u8>,
}

#[derive(Debug)]
struct HeadRule {
    rule: Compiled,
    /// Index of the element's block among the elements of the head; `None` for the root. The rule is skipped if the block is absent.
    block: Option<usize>,
    /// Index of the element's value among the elements of the head.
    value: Option<usize>,
    covered: bool,
}

/// The place where a rule was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// In a block of the record.
    Record {
        /// Index of the block.
        block: usize,
        /// Offset in the file: of the element, or of the block if the element is absent.
        offset: u64,
    },
    /// In the head.
    Head,
    /// In the record's person.
    Person,
    /// In the head of the person file.
    PersonsHead,
}

/// A rule that did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Index of the row.
    pub row: usize,
    /// The element; for rules about persons, one of the person file.
    pub element: NodeId,
    /// The place.
    pub at: At,
    /// Whether the element is present.
    pub stands: bool,
    /// Whether only what a book says breaks the rule, if it asks one: its other parts hold.
    pub by_book: bool,
    /// The absent element with which nothing can be compared, if that breaks the rule.
    pub lacks: Option<Read>,
}

impl RuleSet {
    /// Compiles the rows that are in force on `on` (all rows if `None`). Each pass takes the rows with its file letter, checked from its side.
    ///
    /// # Errors
    /// A row does not compile; the error names its table, its line and the place in it.
    pub fn compile(rows: &[RuleRow], passes: &[(char, Side)], on: Option<Date>, sources: Sources<'_>) -> Result<Self, TableError> {
        let blocks = || sources.format.nodes().iter().map(|_| Block::default()).collect();
        let number = sources.format.role(Role::NZap).filter(|id| sources.format.node(*id).parent == sources.format.role(Role::Record));
        let number = number.map(|id| sources.format.node(id).position);
        let mut set = Self { blocks: blocks(), covered: blocks(), reads: vec![Box::default(); rows.len()], number, ..Self::default() };
        for (index, row) in rows.iter().enumerate() {
            if on.is_some_and(|day| !row.in_force(day)) {
                continue;
            }
            for (_, side) in passes.iter().filter(|(letter, _)| row.files.contains(letter)) {
                let (state, books) = match set.add(index, row, *side, sources) {
                    Ok(found) => found,
                    Err(Stop::NoBook(book)) => (State::NoBook(book), Vec::new()),
                    Err(Stop::External(what)) => (State::External(what), Vec::new()),
                    Err(Stop::OtherEdition | Stop::OtherFile) => (State::NotOfFormat, Vec::new()),
                    Err(Stop::Mistake { at, message }) => {
                        return Err(TableError::new(&row.place.0, row.place.1, format!("{}: at {}: {message}", row.id, at + 1)));
                    }
                };
                set.states.push(RowState { row: index, state, books });
            }
        }
        for (number, gather) in set.captures.gathers.iter().enumerate() {
            set.blocks[usize::from(gather.block.0)].gathers.push(number);
        }
        Ok(set)
    }

    fn add(&mut self, index: usize, row: &RuleRow, side: Side, sources: Sources<'_>) -> Result<(State, Vec<Arc<Book>>), Stop> {
        let of_none = Ok((State::NotOfFormat, Vec::new()));
        let Some(require) = &row.require else { return Ok((State::External(row.kind.clone()), Vec::new())) };
        let Some(format) = (if side == Side::Own { Some(sources.format) } else { sources.persons }) else { return of_none };
        let Some(element) = format.find(&row.element) else { return of_none };
        let node = format.node(element);
        let Some(block) = node.parent else { return of_none };
        let in_record = format.role(Role::Record).is_some_and(|r| element != r && format.is_within(element, r));
        if side == Side::PersonsFromRecords && stands_alone(row, sources) {
            return of_none;
        }
        let unit = match (side, in_record) {
            (Side::Own, true) => Unit::Block { block, element },
            (Side::Own, false) => Unit::Head { block, element },
            (Side::PersonsFromRecords, true) => Unit::Person { element },
            (Side::PersonsFromRecords, false) => Unit::PersonsHead,
        };
        let mut compiler = Compiler::new(sources, &mut self.captures, unit);
        let when = row.when.as_ref().map(|e| compiler.condition(e)).transpose()?;
        // A condition on the checked element's own value cannot be shared in the block.
        let own = compiler.needs.this;
        let asks = asks(require, &node.name);
        if let Some(compares) = compiler.compares(require)? {
            let Needs { person, reads, .. } = compiler.needs;
            if let Some(list) = self.reads.get_mut(index) {
                *list = reads.into();
            }
            self.blocks[usize::from(block.0)].across.push(self.across.len());
            self.across.push(Across { row: index, position: node.position, when, person, compares });
            return Ok((State::Executed, Vec::new()));
        }
        let gathers = compiler.gathers();
        let require_code = compiler.requirement(require)?;
        let required = gathers..compiler.gathers();
        let Needs { person, name, books, mut reads, .. } = compiler.needs;
        let checked = if side == Side::Own { Read::Own(element) } else { Read::Person(element) };
        if !reads.contains(&checked) {
            reads.push(checked);
        }
        if let Some(list) = self.reads.get_mut(index) {
            *list = reads.into();
        }
        if !required.is_empty() {
            self.blames.push((index, required.start, required.end));
        }
        let without_books = if when.is_some() && asks_books(row.when.as_ref(), sources, &mut self.captures, unit) {
            None
        } else {
            without_books(require, sources, &mut self.captures, unit)?.map(Box::new)
        };
        let when = match (when, &row.when, unit) {
            (None, ..) | (_, None, _) => When::Always,
            (Some(cond), Some(expr), Unit::Block { .. }) if !own => When::Shared(self.blocks[usize::from(block.0)].conditions.share(expr, cond)),
            (Some(cond), Some(expr), Unit::Person { .. }) if !own => When::Shared(self.persons.conditions.share(expr, cond)),
            (Some(cond), ..) => When::Own(Box::new(cond)),
        };
        let compiled = Compiled { row: index, element, position: node.position, asks, when, require: Box::new(require_code), without_books, person, name };
        let covered = row.when.is_none() && covered(require, format, element);
        let is_value = matches!(node.content, Content::Value(_));
        match unit {
            Unit::Block { .. } => {
                let blocks = if covered { &mut self.covered } else { &mut self.blocks };
                blocks[usize::from(block.0)].add(compiled, is_value);
            }
            Unit::Head { .. } => {
                let value = is_value.then(|| position_of(&mut self.captures.head, element));
                let block = (block != format.root()).then(|| position_of(&mut self.captures.head, block));
                self.head.push(HeadRule { rule: compiled, block, value, covered });
            }
            Unit::Person { .. } => {
                let kept = &mut self.captures.persons;
                let value = kept.iter().position(|c| c.element == element).unwrap_or_else(|| {
                    kept.push(Captured { element, value: false });
                    kept.len() - 1
                });
                self.persons.rules.push((compiled, value));
            }
            Unit::PersonsHead => self.persons_head.push(compiled),
        }
        Ok((State::Executed, books))
    }

    /// The elements that a row reads.
    pub fn reads(&self, row: usize) -> &[Read] {
        self.reads.get(row).map_or(&[], |reads| reads)
    }

    /// Whether the requirement of a rule about the head is gathered from the records.
    pub fn is_of_records(&self, row: usize) -> bool {
        self.blames.iter().any(|(index, ..)| *index == row)
    }

    /// The records because of which a rule about the head is broken; `None` if it is not about records.
    pub fn blamed<'w>(&self, row: usize, work: &'w Work) -> Option<&'w Blamed> {
        let own = self.blames.iter().filter(|(index, ..)| *index == row);
        own.flat_map(|(_, from, to)| &work.blamed[*from..*to]).find(|blamed| blamed.records > 0)
    }

    /// The rows of the rules that compare records with each other.
    pub fn across(&self) -> impl Iterator<Item = usize> + '_ {
        self.across.iter().map(|rule| rule.row)
    }

    /// The states of the compiled rows.
    pub fn states(&self) -> &[RowState] {
        &self.states
    }

    /// Elements of the head whose values evaluation needs, in the order of [`Facts::head`].
    pub fn head_elements(&self) -> &[NodeId] {
        &self.captures.head
    }

    /// Elements of the person file that evaluation needs, in the order of [`Person::value`].
    pub fn person_elements(&self) -> &[Captured] {
        &self.captures.persons
    }

    /// Indexes of rows that need the persons.
    pub fn of_persons(&self) -> impl Iterator<Item = usize> + '_ {
        self.blocks
            .iter()
            .flat_map(Block::all)
            .filter(|r| r.person)
            .map(|r| r.row)
            .chain(self.persons.rules.iter().map(|(r, _)| r.row))
            .chain(self.persons_head.iter().map(|r| r.row))
            .chain(self.across.iter().filter(|r| r.person).map(|r| r.row))
    }

    /// Working memory at the start: one value for each aggregate that rules about the head need.
    pub fn work(&self) -> Work {
        let start = |g: &Gather| match g.what {
            What::Exists(_) => Gathered::Truth(false),
            What::ForAll(_) => Gathered::Truth(true),
            What::Sum { .. } | What::Count => Gathered::Sum(super::number::Decimal::ZERO),
        };
        let shared = self.blocks.iter().map(|b| &b.conditions).chain([&self.persons.conditions]);
        let most = shared.map(|c| c.0.len()).max().unwrap_or(0);
        let gathered: Vec<Gathered> = self.captures.gathers.iter().map(start).collect();
        let noted = vec![Noted::default(); self.across.len()];
        Work { blamed: vec![Blamed::default(); gathered.len()], gathered, noted, holds: vec![None; most] }
    }

    /// Adds the values that a later piece gathered.
    pub fn join(&self, into: &mut Work, more: &Work) {
        into.blamed.iter_mut().zip(&more.blamed).for_each(|(blamed, more)| blamed.join(more));
        for ((gather, value), more) in self.captures.gathers.iter().zip(&mut into.gathered).zip(&more.gathered) {
            *value = match (*value, *more, &gather.what) {
                (Gathered::Truth(a), Gathered::Truth(b), What::ForAll(_)) => Gathered::Truth(a && b),
                (Gathered::Truth(a), Gathered::Truth(b), _) => Gathered::Truth(a || b),
                (Gathered::Sum(a), Gathered::Sum(b), _) => Gathered::Sum(a.plus(b)),
                (other, ..) => other,
            };
        }
    }

    /// Evaluates every rule about records over one record. `doubtful` says that the structural checks have found something in it.
    pub fn record(&self, record: &Record, facts: &Facts, person: Option<&dyn Person>, doubtful: bool, work: &mut Work, hit: &mut dyn FnMut(Hit)) {
        for (block, instance) in record.instances().iter().enumerate() {
            let env = Env { record, block, this: None, facts, person, gathered: &[], unreadable: None };
            let rules = &self.blocks[usize::from(instance.node.0)];
            rules.run(&env, &mut work.holds, &self.captures, hit);
            if doubtful {
                self.covered[usize::from(instance.node.0)].run(&env, &mut work.holds, &self.captures, hit);
            }
            for number in &rules.across {
                self.across[*number].note(&env, &mut work.noted[*number]);
            }
            for number in &rules.gathers {
                if self.captures.gathers[*number].add(&env, &mut work.gathered[*number], &self.captures) {
                    work.blamed[*number].add(record, self.number);
                }
            }
        }
        let (Some(person), false) = (person, record.is_empty()) else { return };
        let env = Env { record, block: 0, this: None, facts, person: Some(person), gathered: &[], unreadable: None };
        let standing = (0..self.captures.persons.len()).filter(|i| person.value(*i, 0).is_some()).fold(0u64, |all, i| all | 1 << i);
        let OfPersons { conditions, rules } = &self.persons;
        let known = conditions.forget(&mut work.holds);
        for (rule, value) in rules {
            let stands = standing & 1 << value != 0;
            let holds_already = match rule.asks {
                Asks::Standing => stands,
                Asks::Absence | Asks::Value => !stands,
                Asks::Presence => false,
            };
            if !holds_already && rule.breaks(&env, conditions, known) {
                hit(rule.hit_at(&env, At::Person, stands, &self.captures));
            }
        }
    }

    /// Evaluates the rules about the head after the whole file. `doubtful` says that the structural checks have found something in it.
    pub fn head(&self, facts: &Facts, gathered: &[Gathered], doubtful: bool, hit: &mut dyn FnMut(Hit)) {
        let record = Record::default();
        let env = Env { record: &record, block: 0, this: None, facts, person: None, gathered, unreadable: None };
        let stands = |index: &Option<usize>| index.is_none_or(|i| facts.head.get(i).is_some_and(Option::is_some));
        for HeadRule { rule, value, covered, .. } in self.head.iter().filter(|r| stands(&r.block)) {
            let value = value.and_then(|v| facts.head.get(v)?.as_deref());
            let env = Env { this: value, ..env };
            if (value.is_some() || rule.of_absent()) && (doubtful || !covered) && rule.breaks(&env, &Conditions::default(), &mut []) {
                hit(rule.hit_at(&env, At::Head, value.is_some(), &self.captures));
            }
        }
        for rule in self.persons_head.iter().filter(|r| !r.of_absent() && r.breaks(&env, &Conditions::default(), &mut [])) {
            hit(rule.hit_at(&env, At::PersonsHead, true, &self.captures));
        }
    }
}

impl Conditions {
    /// The number of a condition; adds the condition if it is new.
    fn share(&mut self, expr: &Expr, cond: Cond) -> usize {
        self.0.iter().position(|(e, _)| e == expr).unwrap_or_else(|| {
            self.0.push((expr.clone(), cond));
            self.0.len() - 1
        })
    }

    fn get(&self, number: usize) -> &Cond {
        &self.0[number].1
    }

    /// Clears and returns the room for the results of these conditions.
    fn forget<'h>(&self, holds: &'h mut [Option<bool>]) -> &'h mut [Option<bool>] {
        let known = &mut holds[..self.0.len()];
        known.fill(None);
        known
    }
}

impl ByChild {
    fn add(&mut self, rule: Compiled) {
        let position = usize::from(rule.position);
        self.children |= 1 << position;
        if self.rules.len() <= position {
            self.rules.resize_with(position + 1, Vec::new);
        }
        self.rules[position].push(rule);
    }

    /// The rules at the positions of a bit mask, position by position.
    #[inline]
    fn of(&self, mask: u64) -> impl Iterator<Item = (u8, &[Compiled])> {
        let mut left = self.children & mask;
        std::iter::from_fn(move || {
            let position = (left != 0).then(|| left.trailing_zeros() as u8)?;
            left &= left - 1;
            Some((position, self.rules[usize::from(position)].as_slice()))
        })
    }

    fn all(&self) -> impl Iterator<Item = &Compiled> {
        self.rules.iter().flatten()
    }
}

impl Block {
    fn add(&mut self, rule: Compiled, is_value: bool) {
        if is_value {
            self.values |= 1 << rule.position;
        }
        match rule.asks {
            Asks::Standing => self.demanded.add(rule),
            Asks::Absence => self.forbidden.add(rule),
            Asks::Presence => self.presence.push(rule),
            Asks::Value => self.of_values.add(rule),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Compiled> {
        self.demanded.all().chain(self.forbidden.all()).chain(&self.presence).chain(self.of_values.all())
    }

    #[inline]
    fn run(&self, env: &Env<'_>, holds: &mut [Option<bool>], captures: &Captures, hit: &mut dyn FnMut(Hit)) {
        let (record, block) = (env.record, env.block);
        let conditions = &self.conditions;
        let known = conditions.forget(holds);
        let seen = record.seen(block);
        for rule in self.demanded.of(!seen).flat_map(|(_, rules)| rules) {
            if rule.applies(env, conditions, known) && rule.is_sure(env, conditions) {
                hit(rule.hit(env, record.offset(block), false, captures));
            }
        }
        for rule in self.forbidden.of(seen).flat_map(|(_, rules)| rules) {
            let env = &self.at_first(env, rule.position);
            if rule.applies(env, conditions, known) && rule.is_sure(env, conditions) {
                hit(rule.hit(env, self.offset(env, rule.position), true, captures));
            }
        }
        for rule in &self.presence {
            let env = &self.at_first(env, rule.position);
            if rule.breaks(env, conditions, known) {
                let stands = record.has(block, rule.position);
                let offset = if stands { self.offset(env, rule.position) } else { record.offset(block) };
                hit(rule.hit(env, offset, stands, captures));
            }
        }
        for (position, rules) in self.of_values.of(seen) {
            if self.values & 1 << position != 0 {
                for value in record.values(block, position) {
                    let env = Env { this: Some(value.text), ..*env };
                    for rule in rules {
                        if rule.breaks(&env, conditions, known) {
                            hit(rule.hit(&env, value.offset, true, captures));
                        }
                    }
                }
            } else {
                for rule in rules {
                    if rule.breaks(env, conditions, known) {
                        hit(rule.hit(env, self.offset(env, position), true, captures));
                    }
                }
            }
        }
    }

    /// The environment in which the first value at a position is the checked one.
    #[inline]
    fn at_first<'e>(&self, env: &Env<'e>, position: u8) -> Env<'e> {
        let first = if self.values & 1 << position != 0 { env.record.first(env.block, position).map(|v| v.text) } else { None };
        Env { this: first, ..*env }
    }

    /// Offset of the first element at a position, else of the block.
    fn offset(&self, env: &Env<'_>, position: u8) -> u64 {
        let (record, block) = (env.record, env.block);
        if self.values & 1 << position != 0 {
            return record.first(block, position).map_or_else(|| record.offset(block), |v| v.offset);
        }
        record.blocks(block, position).next().map_or_else(|| record.offset(block), |inner| record.offset(inner))
    }
}

impl Compiled {
    #[inline]
    fn can_be_judged(&self, env: &Env<'_>) -> bool {
        (!self.person || env.person.is_some()) && self.name.is_none_or(|whose| env.facts.name_of(whose).is_known())
    }

    /// Whether the rule applies. `known` holds the results of shared conditions.
    #[inline]
    fn applies(&self, env: &Env<'_>, conditions: &Conditions, known: &mut [Option<bool>]) -> bool {
        self.can_be_judged(env)
            && match &self.when {
                When::Always => true,
                When::Own(cond) => env.holds(cond),
                When::Shared(number) => *known[*number].get_or_insert_with(|| env.holds(conditions.get(*number))),
            }
    }

    #[inline]
    fn breaks(&self, env: &Env<'_>, conditions: &Conditions, known: &mut [Option<bool>]) -> bool {
        self.applies(env, conditions, known) && !env.holds(&self.require) && self.is_sure(env, conditions)
    }

    /// Whether a rule that seems broken was judged by readable values only; rules of form report the others.
    #[cold]
    fn is_sure(&self, env: &Env<'_>, conditions: &Conditions) -> bool {
        let unreadable = Cell::new(false);
        let env = env.watching(&unreadable);
        match &self.when {
            When::Always => true,
            When::Own(cond) => env.holds(cond),
            When::Shared(number) => env.holds(conditions.get(*number)),
        };
        env.holds(&self.require);
        !unreadable.get()
    }

    /// Whether the rule is evaluated also if the element is absent.
    fn of_absent(&self) -> bool {
        self.asks != Asks::Value
    }

    fn hit(&self, env: &Env<'_>, offset: u64, stands: bool, captures: &Captures) -> Hit {
        self.hit_at(env, At::Record { block: env.block, offset }, stands, captures)
    }

    #[cold]
    fn hit_at(&self, env: &Env<'_>, at: At, stands: bool, captures: &Captures) -> Hit {
        let by_book = self.without_books.as_ref().is_none_or(|others| env.holds(others));
        let lacks = if self.asks == Asks::Value { env.lacks(&self.require, captures) } else { None };
        Hit { row: self.row, element: self.element, at, stands, by_book, lacks }
    }
}

/// Whether the person file alone can judge one of its rules.
fn stands_alone(row: &RuleRow, sources: Sources<'_>) -> bool {
    let Some(persons) = sources.persons else { return false };
    let mut alone = RuleSet { blocks: persons.nodes().iter().map(|_| Block::default()).collect(), ..RuleSet::default() };
    alone.covered = persons.nodes().iter().map(|_| Block::default()).collect();
    let found = alone.add(0, row, Side::Own, Sources { format: persons, persons: None, ..sources });
    row.files.contains(&persons.family.0) && !matches!(found, Err(Stop::OtherFile | Stop::Mistake { .. }))
}

impl Gather {
    /// Adds one block; returns whether the block is to blame when a requirement does not hold.
    fn add(&self, env: &Env<'_>, value: &mut Gathered, captures: &Captures) -> bool {
        match (&self.what, value) {
            (What::Exists(cond), Gathered::Truth(truth)) => *truth = *truth || env.holds(cond),
            (What::ForAll(cond), Gathered::Truth(truth)) if !env.holds(cond) && env.can_tell(cond, captures) => {
                *truth = false;
                return true;
            }
            (What::Sum { place, condition }, Gathered::Sum(sum)) => *sum = sum.plus(env.sum(place, condition.as_ref())),
            (What::Count, Gathered::Sum(sum)) => *sum = sum.plus(super::number::Decimal::whole(1)),
            _ => {}
        }
        false
    }
}

/// The parts of a requirement that ask no book, if other parts ask one.
fn without_books(require: &Expr, sources: Sources<'_>, captures: &mut Captures, unit: Unit) -> Result<Option<Cond>, Stop> {
    let Expr::And(parts) = require else { return Ok(None) };
    let plain: Vec<Expr> = parts.iter().filter(|part| !asks_books(Some(part), sources, captures, unit)).cloned().collect();
    if plain.is_empty() || plain.len() == parts.len() {
        return Ok(None);
    }
    Compiler::new(sources, captures, unit).requirement(&Expr::And(plain)).map(Some)
}

/// Whether an expression looks something up in a book.
fn asks_books(expr: Option<&Expr>, sources: Sources<'_>, captures: &mut Captures, unit: Unit) -> bool {
    let mut compiler = Compiler::new(sources, captures, unit);
    expr.is_some_and(|expr| compiler.condition(expr).is_err() || !compiler.needs.books.is_empty())
}

fn position_of(list: &mut Vec<NodeId>, id: NodeId) -> usize {
    list.iter().position(|n| *n == id).unwrap_or_else(|| {
        list.push(id);
        list.len() - 1
    })
}

/// What a requirement asks of the element with a name.
fn asks(require: &Expr, name: &str) -> Asks {
    let own = |names: &[Ref]| names.iter().any(|n| last(&n.name) == name);
    match require {
        Expr::Present(names) if own(names) && names.len() == 1 => Asks::Standing,
        Expr::Absent(names) if own(names) && names.len() == 1 => Asks::Absence,
        Expr::Present(names) | Expr::Absent(names) if own(names) => Asks::Presence,
        _ => Asks::Value,
    }
}

/// The last part of a name: the element itself.
fn last(name: &str) -> &str {
    name.rsplit(['.', '/']).next().unwrap_or(name)
}

/// Whether the format's table requires at least the same as an unconditional rule, so that the structural checks find every breach first.
fn covered(require: &Expr, format: &Format, element: NodeId) -> bool {
    let node = format.node(element);
    match require {
        Expr::Present(_) => node.obligation.required && !node.regional,
        Expr::And(parts) => parts.iter().all(|p| covered(p, format, element)),
        other => node.value_type().is_some_and(|kind| super::covered_by_format::by_type(other, kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Mends;
    use crate::nsi::Books;
    use crate::registry::encoding::Encoding;
    use crate::registry::format::{Family, Formats, PERSONS};
    use crate::registry::scan::{ScanLimits, Scanner, Token};
    use crate::rules::{Conventions, parse};
    use crate::tables::RuleFiles;
    use crate::texts::{Severity, Text};

    struct Bench {
        formats: Formats,
        books: Books,
        conventions: Conventions,
    }

    struct Born(&'static str);

    impl Person for Born {
        fn value(&self, _: usize, nth: usize) -> Option<&[u8]> {
            (nth == 0 && !self.0.is_empty()).then_some(self.0.as_bytes())
        }
    }

    impl Bench {
        fn new() -> Self {
            let files = RuleFiles::embedded();
            let conventions = Conventions { absent_reads: vec![("REAB".into(), 0), ("DS_ONK".into(), 0)], ..Conventions::default() };
            Self { formats: Formats::load(&files).expect("sound"), books: Books::load(&files, None).expect("sound"), conventions }
        }

        fn rule(&self, element: &str, when: &str, require: &str) -> Result<RuleSet, TableError> {
            let expr = |text: &str| (!text.is_empty()).then(|| parse(text).unwrap_or_else(|e| panic!("{text}: {e}")));
            let text = Text { ru: "р".into(), en: "e".into() };
            let row = RuleRow {
                unread: None,
                id: "T".into(),
                files: vec!['C'],
                element: element.into(),
                when: expr(when),
                require: expr(require),
                kind: "core".into(),
                from: None,
                until: None,
                inferred: String::new(),
                severity: Severity::Error,
                note: text.clone(),
                text: text.clone(),
                advice: text,
                mends: Mends::Clinic,
                place: ("flk/test.csv".into(), 2.into()),
            };
            let sources = Sources {
                format: self.formats.get(Family('C'), "3.1").expect("known"),
                persons: Some(self.formats.get(PERSONS, "3.2").expect("known")),
                formats: &self.formats,
                books: &self.books,
                conventions: &self.conventions,
            };
            RuleSet::compile(&[row], &[('C', Side::Own)], None, sources)
        }

        fn record(&self, xml: &str) -> Record {
            let format = self.formats.get(Family('C'), "3.1").expect("known");
            let mut record = Record::default();
            let mut scanner = Scanner::new(xml.as_bytes(), Encoding::Utf8, ScanLimits::default(), vec![b"ZL_LIST".to_vec()]);
            let mut stack: Vec<(usize, NodeId)> = Vec::new();
            let child = |block: NodeId, name: &[u8]| format.node(block).children.iter().copied().find(|c| format.node(*c).name.as_bytes() == name);
            loop {
                match scanner.next_token().expect("sound") {
                    Token::Leaf { at, name, text, .. } => {
                        let (block, node) = *stack.last().expect("in a block");
                        let node = child(node, name.bytes).unwrap_or_else(|| panic!("{}", name.to_text(Encoding::Utf8)));
                        record.value(block, format.node(node).position, &text, at as u64);
                    }
                    Token::Open { at, name, .. } => {
                        let outer = stack.last().copied();
                        let node = outer.map_or(format.role(Role::Record), |(_, n)| child(n, name.bytes)).expect("known");
                        let block = record.open(format, node, outer.map(|o| o.0), at as u64);
                        stack.push((block, node));
                    }
                    Token::Close { .. } => {
                        stack.pop();
                    }
                    Token::Text { .. } => {}
                    Token::End => return record,
                }
            }
        }

        fn hits(&self, element: &str, when: &str, require: &str, xml: &str) -> usize {
            let set = self.rule(element, when, require).unwrap_or_else(|e| panic!("{e}"));
            let facts = Facts {
                encoding: Encoding::Utf8,
                account_date: Date::new(2021, 3, 5),
                head: vec![Some(b"14002".to_vec()); set.head_elements().len()],
                ..Facts::default()
            };
            let mut hits = 0;
            set.record(&self.record(xml), &facts, Some(&Born("2001-03-10")), true, &mut set.work(), &mut |_| hits += 1);
            hits
        }
    }

    const SL: &str = "ZL_LIST/ZAP/Z_SL/SL";

    fn case(inner: &str) -> String {
        format!(
            "<ZAP><N_ZAP>1</N_ZAP><PACIENT><NOVOR>0</NOVOR></PACIENT><Z_SL><USL_OK>3</USL_OK><DATE_Z_1>2021-02-01</DATE_Z_1><DATE_Z_2>2021-02-28</DATE_Z_2>{inner}</Z_SL></ZAP>"
        )
    }

    #[test]
    fn comparisons_and_absent_operands() {
        let bench = Bench::new();
        let hits = |require: &str, sl: &str| bench.hits(&format!("{SL}/DATE_1"), "", require, &case(&format!("<SL>{sl}</SL>")));
        assert_eq!(hits("DATE_1 >= DATE_Z_1", "<DATE_1>2021-02-01</DATE_1>"), 0);
        assert_eq!(hits("DATE_1 >= DATE_Z_1", "<DATE_1>2021-01-31</DATE_1>"), 1);
        assert_eq!(hits("DATE_1 <= DATE_2", "<DATE_1>2021-01-31</DATE_1>"), 1, "an absent operand is no excuse");
        assert_eq!(hits("DATE_1 <= DATE_2", ""), 0, "an absent element is");
        assert_eq!(bench.hits(&format!("{SL}/DS1"), "REAB <> 1 AND DS_ONK = 0", "DS1 < 'C00'", &case("<SL><DS1>C50</DS1></SL>")), 1, "absent flags read 0");
    }

    #[test]
    fn presence_under_conditions() {
        let bench = Bench::new();
        let hits = |sl: &str| bench.hits(&format!("{SL}/P_CEL"), "USL_OK = 3", "PRESENT(P_CEL)", &case(sl));
        assert_eq!((hits("<SL><DET>0</DET></SL><SL><P_CEL>1.0</P_CEL></SL>"), hits("<SL><P_CEL>1.0</P_CEL></SL>")), (1, 0));
        let absent = |sl: &str| bench.hits(&format!("{SL}/P_CEL"), "USL_OK <> 3", "ABSENT(P_CEL)", &case(sl));
        assert_eq!(absent("<SL><P_CEL>1.0</P_CEL></SL>"), 0);
    }

    #[test]
    fn repeated_values_and_blocks() {
        let bench = Bench::new();
        let any = |sl: &str| bench.hits(&format!("{SL}/DS1"), "'C00' <= DS2 AND DS2 < 'C81'", "DS1 <> 'D70'", &case(&format!("<SL><DS1>D70</DS1>{sl}</SL>")));
        assert_eq!(any("<DS2>I10</DS2><DS2>C50</DS2>"), 1, "any value may meet the condition");
        assert_eq!(any("<DS2>B99</DS2><DS2>D10</DS2>"), 0, "both ends of a range hold for one value");
        assert_eq!(any(""), 0);
        let sanction = |s: &str| bench.hits("ZL_LIST/ZAP/Z_SL/SANK_IT", "SANK.S_TIP = 1 AND SANK.S_SUM <> 0", "PRESENT(SANK_IT)", &case(s));
        assert_eq!(
            sanction("<SANK><S_SUM>5.00</S_SUM><S_TIP>2</S_TIP></SANK><SANK><S_SUM>0.00</S_SUM><S_TIP>1</S_TIP></SANK>"),
            0,
            "one block meets all parts"
        );
        assert_eq!(sanction("<SANK><S_SUM>5.00</S_SUM><S_TIP>1</S_TIP></SANK>"), 1);
        let every = |sl: &str| bench.hits("ZL_LIST/ZAP/Z_SL/VB_P", "FORALL(SL IN Z_SL: P_PER <> 4)", "ABSENT(VB_P)", &case(&format!("{sl}<VB_P>1</VB_P>")));
        assert_eq!((every("<SL><P_PER>1</P_PER></SL><SL><P_PER>4</P_PER></SL>"), every("<SL><P_PER>1</P_PER></SL>")), (0, 1));
    }

    #[test]
    fn sums_ages_and_books() {
        let bench = Bench::new();
        let sum = |parts: &str| bench.hits("ZL_LIST/ZAP/Z_SL/SUMV", "", "SUMV = SUM(SL.SUM_M)", &case(&format!("{parts}<SUMV>30.10</SUMV>")));
        assert_eq!((sum("<SL><SUM_M>10.05</SUM_M></SL><SL><SUM_M>20.05</SUM_M></SL>"), sum("<SL><SUM_M>10.05</SUM_M></SL>")), (0, 1));
        let adult = |age: &str| bench.hits(&format!("{SL}/DET"), &format!("AGE(DATE_Z_1) < {age}"), "DET = 1", &case("<SL><DET>0</DET></SL>"));
        assert_eq!((adult("19"), adult("20"), adult("21")), (0, 1, 1));
        let book = |code: &str| bench.hits(&format!("{SL}/PROFIL"), "", "BOOK(V002.IDPR)", &case(&format!("<SL><PROFIL>{code}</PROFIL></SL>")));
        assert_eq!((book("97"), book("999")), (0, 1));
    }

    #[test]
    fn mistakes_stop_with_their_place() {
        let bench = Bench::new();
        for (when, require, what) in [
            ("NO_SUCH = 1", "PRESENT(DS1)", "unknown name NO_SUCH"),
            ("", "DATE_1 > 5", "5 is no date"),
            ("", "DATE_1 > SUM_M", "cannot be compared"),
            ("", "SUM_M = 'many'", "never equals"),
            ("", "KD IN {1, 'x'}", "never equals"),
            ("", "ONK_SL = 1", "is a block"),
            ("", "FRIDAY(DATE_1)", "no function FRIDAY"),
            ("", "MASK(DS1, '9[')", "mask"),
            ("", "BOOK(V002.NO_FIELD)", "no such field"),
        ] {
            let error = bench.rule(&format!("{SL}/DS1"), when, require).expect_err(what).to_string();
            assert!(error.contains(what) && error.contains("rules/flk/test.csv:2"), "{error}");
        }
        let missing = bench.rule(&format!("{SL}/LPU_1"), "", "BOOK(F032.MCOD)").expect("waits");
        assert_eq!(missing.states()[0].state, State::NoBook("F032".into()));
    }
}
