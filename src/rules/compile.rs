//! Compiles the syntax tree of a rule against one format into the form that evaluation walks. All mistakes are found here, with their places.

use std::sync::Arc;

use super::across::Compares;
use super::ast::{Arg, ArithmeticOp, At, Call, CompareOp, Expr, Item, Literal as Written, Quantifier, Ref, Set, Term};
use super::code::{Between, BookLookup, Cond, FilePart, Kind, Literal, Mode, Operand, Place, Shape, ValueSet, Whose};
use super::number::{Decimal, iso_date};
use super::numbering::Numbering;
use super::resolve::{Found, Names};
use super::{Conventions, functions};
use crate::nsi::{Book, Books, Origin, StandIn};
use crate::registry::encoding::to_windows_1251;
use crate::registry::format::mask::Mask;
use crate::registry::format::value::Base;
use crate::registry::format::{Content, Format, Formats, NodeId, PERSONS, Role};
use crate::values::Month;

/// Why a rule does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The rule itself is wrong; the program must not start with it.
    Mistake {
        /// Offset in the text of the rule.
        at: At,
        /// What is wrong.
        message: String,
    },
    /// A reference book, or its field, is missing.
    NoBook(String),
    /// The rule needs data that no file holds: a regional register, a history, a grouper.
    External(String),
    /// The rule walks a block that this edition does not have.
    OtherEdition,
    /// The rule uses the main file, but a person file is compiled alone.
    OtherFile,
}

type Compiled<T> = Result<T, Stop>;

fn mistake<T>(at: At, message: impl Into<String>) -> Compiled<T> {
    Err(Stop::Mistake { at, message: message.into() })
}

/// Values that the rules of a file need from other places: compilation lists them, evaluation provides them.
#[derive(Debug, Clone, Default)]
pub struct Captures {
    /// Elements of the head, in the order of their indexes.
    pub head: Vec<NodeId>,
    /// Elements of the person file, in the order of their indexes.
    pub persons: Vec<Captured>,
    /// Values gathered from all records.
    pub(super) gathers: Vec<Gather>,
}

/// An element that is kept of each person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Captured {
    /// The element.
    pub element: NodeId,
    /// Whether its values are kept; else only its presence, so that no name is stored.
    pub value: bool,
}

/// An element that a rule reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// An element of the walked file.
    Own(NodeId),
    /// An element of the person file, read from the main file.
    Person(NodeId),
}

/// A value gathered from all records for a rule about the head.
#[derive(Debug, Clone)]
pub(super) struct Gather {
    /// The element at whose every block the value is updated.
    pub(super) block: NodeId,
    pub(super) what: What,
}

/// What is gathered.
#[derive(Debug, Clone)]
pub(super) enum What {
    Exists(Cond),
    ForAll(Cond),
    Sum { place: Place, condition: Option<Cond> },
    Count,
}

/// Everything that a compilation reads.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'s> {
    /// The format of the walked file.
    pub format: &'s Format,
    /// The format of the paired person file.
    pub persons: Option<&'s Format>,
    /// All formats, to tell an element of another edition from a mistake.
    pub formats: &'s Formats,
    /// The reference books that are present.
    pub books: &'s Books,
    /// Small tables of conventions.
    pub conventions: &'s Conventions,
}

/// The place from which a rule is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A block of a record; the checked element is a child of it.
    Block { block: NodeId, element: NodeId },
    /// The head of the file.
    Head { block: NodeId, element: NodeId },
    /// A person, evaluated from the record that names the person.
    Person { element: NodeId },
    /// The head of the person file, evaluated from the main file.
    PersonsHead,
}

/// What a compiled rule needs.
#[derive(Debug, Clone, Default)]
pub(super) struct Needs {
    /// Whether the rule needs the record's person, and is skipped if the person is unknown.
    pub(super) person: bool,
    /// Whether the rule uses the checked element's own occurrence.
    pub(super) this: bool,
    /// The file of whose name the rule uses parts, if any; the rule is skipped if they are unknown.
    pub(super) name: Option<Whose>,
    /// Reference books that the rule uses.
    pub(super) books: Vec<Arc<Book>>,
    /// Elements that the rule reads, but for the day of its lookups.
    pub(super) reads: Vec<Read>,
}

pub(super) struct Compiler<'s, 'c> {
    sources: Sources<'s>,
    names: Names<'s>,
    captures: &'c mut Captures,
    /// The unit of the whole rule, also while an inner block is compiled.
    whole: Unit,
    unit: Unit,
    /// The block that names are looked up from.
    from: NodeId,
    mode: Mode,
    pub(super) needs: Needs,
}

impl<'s, 'c> Compiler<'s, 'c> {
    pub(super) fn new(sources: Sources<'s>, captures: &'c mut Captures, unit: Unit) -> Self {
        let from = match unit {
            Unit::Block { block, .. } | Unit::Head { block, .. } => block,
            Unit::Person { .. } => sources.format.role(Role::Record).unwrap_or(sources.format.root()),
            Unit::PersonsHead => sources.format.role(Role::Account).unwrap_or(sources.format.root()),
        };
        Self {
            sources,
            names: Names { own: sources.format, persons: sources.persons },
            captures,
            whole: unit,
            unit,
            from,
            mode: Mode::Any,
            needs: Needs::default(),
        }
    }

    pub(super) fn condition(&mut self, expr: &Expr) -> Compiled<Cond> {
        self.mode = Mode::Any;
        self.expr(expr)
    }

    pub(super) fn requirement(&mut self, expr: &Expr) -> Compiled<Cond> {
        self.mode = Mode::All;
        self.expr(expr)
    }

    fn expr(&mut self, expr: &Expr) -> Compiled<Cond> {
        if let Some(gathered) = self.gathered(expr)? {
            return Ok(gathered);
        }
        match expr {
            Expr::And(parts) => self.and(parts),
            Expr::Or(parts) => Ok(Cond::Or(parts.iter().map(|p| self.expr(p)).collect::<Compiled<_>>()?)),
            Expr::Not(inner) => Ok(Cond::Not(Box::new(self.expr(inner)?))),
            Expr::Compare(op, left, right) => match self.dotted_block(expr) {
                Some(block) => self.some_block(block, std::slice::from_ref(expr)),
                None => self.compare(*op, left, right),
            },
            Expr::In { term, set, negated } => match self.dotted_block(expr) {
                Some(block) => self.some_block(block, std::slice::from_ref(expr)),
                None => self.member(term, set, *negated),
            },
            Expr::Like(term, pattern) => {
                let (value, _) = self.operand(term, Some(Kind::Text))?;
                Ok(Cond::Prefix { value, prefixes: [literal(pattern.trim_end_matches('*'))].into(), negated: false })
            }
            Expr::Present(names) => Ok(Cond::And(names.iter().map(|n| self.present(n)).collect::<Compiled<_>>()?)),
            Expr::Absent(names) => Ok(Cond::And(names.iter().map(|n| Ok(Cond::Not(Box::new(self.present(n)?)))).collect::<Compiled<_>>()?)),
            Expr::Quantified { quantifier, block, within, condition } => self.quantified(*quantifier, block, within.as_ref(), condition),
            Expr::Call(call) => self.truth(call),
        }
    }

    /// Compiles a conjunction: both ends of a range hold for one value; parts that name one repeated block by dots hold for the same block.
    fn and(&mut self, parts: &[Expr]) -> Compiled<Cond> {
        let mut flat = Vec::new();
        flatten(parts, &mut flat);
        let mut out = Vec::new();
        let mut i = 0;
        while i < flat.len() {
            if let Some(block) = self.dotted_block(flat[i]) {
                let same: Vec<Expr> = flat.iter().filter(|p| self.dotted_block(p) == Some(block)).map(|p| (*p).clone()).collect();
                if self.mode == Mode::Any {
                    if flat[..i].iter().all(|p| self.dotted_block(p) != Some(block)) {
                        out.push(self.some_block(block, &same)?);
                    }
                    i += 1;
                    continue;
                }
            }
            if let (Some(part), Some(next)) = (flat.get(i), flat.get(i + 1))
                && let Some(between) = self.between(part, next)?
            {
                out.push(between);
                i += 2;
                continue;
            }
            out.push(self.expr(flat[i])?);
            i += 1;
        }
        Ok(if out.len() == 1 { out.remove(0) } else { Cond::And(out.into()) })
    }

    fn between(&mut self, low: &Expr, high: &Expr) -> Compiled<Option<Cond>> {
        let (Expr::Compare(low_op, low, Term::Ref(a)), Expr::Compare(high_op, Term::Ref(b), high)) = (low, high) else { return Ok(None) };
        let less = |op: &CompareOp| matches!(op, CompareOp::Lt | CompareOp::Le);
        if a.name != b.name || !less(low_op) || !less(high_op) || !is_constant(low) || !is_constant(high) {
            return Ok(None);
        }
        let (value, kind) = self.reference(a, None)?;
        let kind = natural_kind(kind, low);
        let (low, _) = self.operand(low, Some(kind))?;
        let (high, _) = self.operand(high, Some(kind))?;
        let between = Between { value, low: (low, *low_op == CompareOp::Le), high: (high, *high_op == CompareOp::Le), kind, mode: self.mode };
        Ok(Some(Cond::Between(Box::new(between)).with_codes()))
    }

    /// The repeated block below the scope that a comparison names by dots (`SANK.S_TIP`), if all its dotted names belong to that block.
    fn dotted_block(&self, expr: &Expr) -> Option<NodeId> {
        if self.mode == Mode::All || !matches!(expr, Expr::Compare(..) | Expr::In { .. }) {
            return None;
        }
        let mut names = Vec::new();
        references(expr, &mut names);
        let mut block = None;
        for name in names.iter().filter(|n| n.name.contains('.') && !n.name.contains('/')) {
            let Found::Own(id) = self.names.find(&name.name, self.from) else { return None };
            let parent = self.sources.format.node(id).parent?;
            if !self.names.in_record(id) || self.sources.format.is_within(self.from, parent) || block.is_some_and(|b| b != parent) {
                return None;
            }
            block = Some(parent);
        }
        block.filter(|b| self.names.place(self.from, *b).many || self.is_head())
    }

    fn some_block(&mut self, block: NodeId, parts: &[Expr]) -> Compiled<Cond> {
        if self.is_head() {
            let holds = self.inside(block, |c| c.and(parts))?;
            return Ok(self.gather(block, What::Exists(holds)));
        }
        let place = self.names.place(self.from, block);
        let holds = self.inside(block, |c| c.and(parts))?;
        Ok(Cond::Some { place, holds: Box::new(holds) })
    }

    /// Compiles something with names looked up from an inner block.
    fn inside<T>(&mut self, block: NodeId, read: impl FnOnce(&mut Self) -> Compiled<T>) -> Compiled<T> {
        let (from, unit) = (self.from, self.unit);
        self.from = block;
        self.unit = Unit::Block { block, element: block };
        let result = read(self);
        self.from = from;
        self.unit = unit;
        result
    }

    /// Whether the rule is evaluated once for the whole file.
    fn is_head(&self) -> bool {
        matches!(self.unit, Unit::Head { .. } | Unit::PersonsHead)
    }

    fn book(&mut self, id: &str) -> Compiled<Arc<Book>> {
        let Some(book) = self.sources.books.get(id).cloned() else { return Err(Stop::NoBook(id.to_owned())) };
        self.needs.books.push(Arc::clone(&book));
        Ok(book)
    }

    /// How many values are gathered from the records so far.
    pub(super) fn gathers(&self) -> usize {
        self.captures.gathers.len()
    }

    fn gather(&mut self, block: NodeId, what: What) -> Cond {
        Cond::Gathered(self.gather_index(block, what))
    }

    fn gather_index(&mut self, block: NodeId, what: What) -> usize {
        self.captures.gathers.push(Gather { block, what });
        self.captures.gathers.len() - 1
    }

    /// In a rule about the head, compiles a comparison of elements of the records, to be evaluated in every record; `None` for other conditions.
    fn gathered(&mut self, expr: &Expr) -> Compiled<Option<Cond>> {
        if !self.is_head() || !matches!(expr, Expr::Compare(..) | Expr::In { .. } | Expr::Present(_) | Expr::Absent(_)) {
            return Ok(None);
        }
        let mut names = Vec::new();
        references(expr, &mut names);
        let in_records = names.iter().filter_map(|n| match self.names.find(&n.name, self.from) {
            Found::Own(id) if self.names.in_record(id) => self.sources.format.node(id).parent,
            _ => None,
        });
        // The presence of records themselves concerns the file, not each record.
        let in_records = in_records.filter(|block| self.names.in_record(*block));
        let Some(block) = in_records.max_by_key(|b| self.names.place(self.sources.format.root(), *b).down.len()) else { return Ok(None) };
        let holds = self.inside(block, |c| c.expr(expr))?;
        let what = if self.mode == Mode::All { What::ForAll(holds) } else { What::Exists(holds) };
        Ok(Some(self.gather(block, what)))
    }

    fn quantified(&mut self, quantifier: Quantifier, block: &Ref, within: Option<&Ref>, condition: &Expr) -> Compiled<Cond> {
        let start = match within {
            None => self.from,
            Some(within) if self.sources.format.node(self.sources.format.root()).name.as_ref() == within.name => self.sources.format.root(),
            Some(within) => self.block_named(within)?,
        };
        let outer = std::mem::replace(&mut self.from, start);
        let found = self.names.find(&block.name, start);
        self.from = outer;
        let Found::Own(id) = found else { return self.elsewhere(block) };
        // What FORALL requires is required of every block; EXISTS asks for one that fits.
        let inner = if quantifier == Quantifier::ForAll { self.mode } else { Mode::Any };
        let mode = std::mem::replace(&mut self.mode, inner);
        let result = (|| {
            if let Content::Value(_) = self.sources.format.node(id).content {
                // A repeated value: the condition is tested for each value separately.
                let inner = self.expr(condition)?;
                return Ok(if quantifier == Quantifier::Exists { inner } else { mistake(block.at, "FORALL walks blocks")? });
            }
            let holds = self.inside(id, |c| c.expr(condition))?;
            if self.is_head() {
                let what = if quantifier == Quantifier::Exists { What::Exists(holds) } else { What::ForAll(holds) };
                return Ok(self.gather(id, what));
            }
            let place = self.names.place(self.from, id);
            Ok(match quantifier {
                Quantifier::Exists => Cond::Some { place, holds: Box::new(holds) },
                Quantifier::ForAll => Cond::Every { place, holds: Box::new(holds) },
            })
        })();
        self.mode = mode;
        result
    }

    fn block_named(&self, name: &Ref) -> Compiled<NodeId> {
        let format = self.sources.format;
        let around = std::iter::successors(Some(self.from), |id| format.node(*id).parent).find(|id| *format.node(*id).name == *name.name);
        match around.map(Found::Own).unwrap_or_else(|| self.names.find(&name.name, self.from)) {
            Found::Own(id) => Ok(id),
            _ => mistake(name.at, format!("no block {} here", name.name)),
        }
    }

    fn present(&mut self, name: &Ref) -> Compiled<Cond> {
        let found = self.names.find(&name.name, self.from);
        if let Found::Own(id) = found {
            self.reads(Read::Own(id));
        }
        match found {
            Found::Person(id) => Ok(Cond::HasPerson(self.person(id, false))),
            Found::Own(id) if self.is_head() && self.names.in_record(id) => {
                let block = if matches!(self.sources.format.node(id).content, Content::Block) { id } else { self.sources.format.node(id).parent.unwrap_or(id) };
                let holds = if block == id { Cond::Const(true) } else { Cond::Present(self.names.place(block, id)) };
                Ok(self.gather(block, What::Exists(holds)))
            }
            Found::Own(id) if self.names.in_record(id) => Ok(Cond::Present(self.names.place(self.from, id))),
            Found::Own(id) => Ok(Cond::HasHead(self.head(id))),
            Found::File(_) => mistake(name.at, "a part of the file's name always stands"),
            Found::Unknown if self.known_elsewhere(&name.name) => self.nowhere(Cond::Const(false)),
            Found::Unknown => mistake(name.at, format!("unknown name {}", name.name)),
        }
    }

    /// The error for a block or a summed element that is not here: it belongs to another edition, or its name is a mistake.
    fn elsewhere<T>(&self, name: &Ref) -> Compiled<T> {
        if self.known_elsewhere(&name.name) { self.nowhere(()).and(Err(Stop::OtherEdition)) } else { mistake(name.at, format!("unknown name {}", name.name)) }
    }

    /// Returns the reading of an element that this edition lacks; in a person file an error, because the element belongs to the main file.
    fn nowhere<T>(&self, reading: T) -> Compiled<T> {
        if self.sources.format.family == PERSONS { Err(Stop::OtherFile) } else { Ok(reading) }
    }

    fn known_elsewhere(&self, name: &str) -> bool {
        let last = name.rsplit(['.', '/']).next().unwrap_or(name);
        self.sources.formats.all().any(|f| f.named(last).next().is_some())
    }

    fn reads(&mut self, read: Read) {
        if !self.needs.reads.contains(&read) {
            self.needs.reads.push(read);
        }
    }

    fn head(&mut self, id: NodeId) -> usize {
        self.reads(Read::Own(id));
        index_of(&mut self.captures.head, id)
    }

    fn person(&mut self, element: NodeId, value: bool) -> usize {
        self.needs.person = true;
        self.reads(Read::Person(element));
        let kept = &mut self.captures.persons;
        match kept.iter().position(|c| c.element == element) {
            Some(at) => {
                kept[at].value |= value;
                at
            }
            None => {
                kept.push(Captured { element, value });
                kept.len() - 1
            }
        }
    }

    fn person_operand(&mut self, element: NodeId) -> Operand {
        let many = self.sources.persons.is_some_and(|p| p.node(element).obligation.repeatable);
        Operand::Person { index: self.person(element, true), many }
    }

    /// The file whose name is meant: that of the checked element.
    fn whose(&mut self) -> Whose {
        let whose = if self.whole == Unit::PersonsHead { Whose::Persons } else { Whose::Own };
        self.needs.name = Some(whose);
        let stated = match whose {
            Whose::Own => self.sources.format.role(Role::FileName).map(Read::Own),
            Whose::Persons => self.sources.persons.and_then(|p| p.role(Role::FileName)).map(Read::Person),
        };
        if let Some(stated) = stated {
            self.reads(stated);
        }
        whose
    }

    fn compare(&mut self, op: CompareOp, left: &Term, right: &Term) -> Compiled<Cond> {
        let (l, r, kind) = if is_constant(left) && !is_constant(right) {
            let (r, kind) = self.operand(right, None)?;
            let kind = natural_kind(kind, left);
            (self.operand(left, Some(kind))?.0, r, kind)
        } else {
            let (l, kind) = self.operand(left, None)?;
            let kind = if is_constant(right) { natural_kind(kind, right) } else { kind };
            let (r, other) = self.operand(right, is_constant(right).then_some(kind))?;
            (l, r, self.common(kind, other, left, right)?)
        };
        let short = |o: &Operand| matches!(o, Operand::FilePart(FilePart::Yy, _));
        let kind = if short(&l) || short(&r) { Kind::ShortYear } else { kind };
        let kind = if kind == Kind::Natural && matches!(op, CompareOp::Eq | CompareOp::Ne) { Kind::Text } else { kind };
        Ok(Cond::Compare { op, left: l, right: r, kind, mode: self.mode }.with_codes())
    }

    fn common(&self, a: Kind, b: Kind, left: &Term, right: &Term) -> Compiled<Kind> {
        match (a, b) {
            (a, b) if a == b => Ok(a),
            (Kind::Natural, Kind::Text) | (Kind::Text, Kind::Natural) => Ok(Kind::Natural),
            (Kind::Text, Kind::Number) | (Kind::Number, Kind::Text) => Ok(Kind::Text),
            _ => mistake(term_at(left), format!("{left} and {right} cannot be compared")),
        }
    }

    fn member(&mut self, term: &Term, set: &Set, negated: bool) -> Compiled<Cond> {
        if let Term::Call(call) = term
            && call.name == "LEN"
        {
            let Set::Items(items) = set else { return mistake(call.at, "LEN(X) IN 1..36 is due") };
            let [Item::Range(Written::Number(min), Written::Number(max))] = items.as_slice() else { return mistake(call.at, "LEN(X) IN 1..36 is due") };
            let (Ok(min), Ok(max)) = (min.parse(), max.parse()) else { return mistake(call.at, "LEN(X) IN 1..36 is due") };
            return Ok(Cond::Shape { value: self.argument(call, 0)?, shape: Shape::Length { min, max } });
        }
        if let Set::Named(name) = set {
            if let Some((_, prefixes)) = self.sources.conventions.lists.iter().find(|(n, _)| *n == name.name) {
                let (value, _) = self.operand(term, Some(Kind::Text))?;
                return Ok(Cond::Prefix { value, prefixes: prefixes.iter().map(|p| literal(p)).collect(), negated });
            }
            let Term::Text(text) = term else { return mistake(name.at, format!("no list {}", name.name)) };
            let (values, _) = self.reference(name, Some(Kind::Text))?;
            return Ok(Cond::Among { text: literal(text), values, negated });
        }
        let Set::Items(items) = set else { return mistake(0, "a set is due") };
        let (value, kind) = self.operand(term, None)?;
        let mut out = ValueSet::default();
        for item in items {
            self.item(item, kind, term, &mut out)?;
        }
        Ok(Cond::Member { value, set: Box::new(out), negated, mode: self.mode }.with_codes())
    }

    fn item(&self, item: &Item, kind: Kind, term: &Term, out: &mut ValueSet) -> Compiled<()> {
        let number = |written: &Written| match written {
            Written::Number(n) | Written::Text(n) => Decimal::parse(n.as_bytes()),
        };
        match item {
            Item::Range(first, last) => match (number(first), number(last)) {
                (Some(a), Some(b)) if a <= b => out.number_ranges.push((a, b)),
                _ => return mistake(term_at(term), format!("{first}..{last} is no range of numbers")),
            },
            Item::One(one) => match (kind, number(one)) {
                (Kind::Number, Some(n)) => out.numbers.push(n),
                (Kind::Number, None) => return mistake(term_at(term), format!("{term} is a number and never equals {one}")),
                (Kind::Date, _) => return mistake(term_at(term), format!("{term} is a date: a set of dates is not known")),
                (_, _) => match one {
                    Written::Number(text) | Written::Text(text) => out.texts.push(literal(text)),
                },
            },
        }
        Ok(())
    }

    fn reference(&mut self, name: &Ref, hint: Option<Kind>) -> Compiled<(Operand, Kind)> {
        match self.names.find(&name.name, self.from) {
            Found::File(part) => {
                Ok((Operand::FilePart(part, self.whose()), if matches!(part, FilePart::Yy | FilePart::Mm) { Kind::Number } else { Kind::Text }))
            }
            Found::Person(id) => {
                let Some(kind) = self.sources.persons.and_then(|p| kind_of(p, id)) else { return mistake(name.at, format!("{} is a block", name.name)) };
                Ok((self.person_operand(id), kind))
            }
            Found::Own(id) => {
                let Some(kind) = kind_of(self.sources.format, id) else { return mistake(name.at, format!("{} is a block and has no value", name.name)) };
                if !self.names.in_record(id) {
                    return Ok((Operand::Head(self.head(id)), kind));
                }
                if self.is_head() {
                    return mistake(name.at, format!("{} stands in the records: say which by EXISTS, FORALL or SUM", name.name));
                }
                self.reads(Read::Own(id));
                if matches!(self.unit, Unit::Block { element, .. } if element == id) {
                    self.needs.this = true;
                    return Ok((Operand::This, kind));
                }
                let place = self.names.place(self.from, id);
                let reads = self.sources.conventions.absent_reads.iter().find(|(n, _)| *n == *self.sources.format.node(id).name);
                let operand = match reads {
                    Some((_, number)) => {
                        let fallback = if kind == Kind::Number { number_operand(Decimal::whole(*number)) } else { text_operand(&number.to_string()) };
                        Operand::Default(Box::new((place, fallback)))
                    }
                    None => Operand::Place(place),
                };
                Ok((operand, kind))
            }
            Found::Unknown if self.known_elsewhere(&name.name) => {
                self.nowhere((Operand::Nothing, hint.or_else(|| self.kind_elsewhere(&name.name)).unwrap_or(Kind::Text)))
            }
            Found::Unknown => mistake(name.at, format!("unknown name {}", name.name)),
        }
    }

    fn kind_elsewhere(&self, name: &str) -> Option<Kind> {
        let last = name.rsplit(['.', '/']).next().unwrap_or(name);
        self.sources.formats.all().find_map(|f| f.named(last).find_map(|id| kind_of(f, id)))
    }

    fn operand(&mut self, term: &Term, hint: Option<Kind>) -> Compiled<(Operand, Kind)> {
        match term {
            Term::Ref(name) => self.reference(name, hint),
            Term::Number(number) => match hint {
                Some(kind @ (Kind::Text | Kind::Natural)) => Ok((text_operand(number), kind)),
                Some(Kind::Date) => mistake(0, format!("{number} is no date")),
                _ => match Decimal::parse(number.as_bytes()) {
                    Some(n) => Ok((number_operand(n), Kind::Number)),
                    None => mistake(0, format!("{number} is too long a number")),
                },
            },
            Term::Text(text) => match hint {
                Some(Kind::Number | Kind::ShortYear) => match Decimal::parse(text.as_bytes()) {
                    Some(n) => Ok((number_operand(n), Kind::Number)),
                    None => mistake(0, format!("a number never equals '{text}'")),
                },
                Some(Kind::Date) => match iso_date(text.as_bytes()) {
                    Some(day) => Ok((Operand::Day(day), Kind::Date)),
                    None => mistake(0, format!("'{text}' is no date YYYY-MM-DD")),
                },
                Some(kind) => Ok((text_operand(text), kind)),
                None => Ok((text_operand(text), Kind::Text)),
            },
            Term::Arithmetic(op, left, right) => {
                let (l, _) = self.operand(left, Some(Kind::Number))?;
                let (r, _) = self.operand(right, Some(Kind::Number))?;
                // An absent amount counts as zero in a sum and as a subtrahend.
                let zero = |o: Operand| match o {
                    Operand::Place(place) => Operand::Default(Box::new((place, number_operand(Decimal::ZERO)))),
                    head @ (Operand::Head(_) | Operand::Nothing) => Operand::FirstOf([head, number_operand(Decimal::ZERO)].into()),
                    other => other,
                };
                Ok(match op {
                    ArithmeticOp::Plus => (Operand::Plus(Box::new(zero(l)), Box::new(zero(r))), Kind::Number),
                    ArithmeticOp::Minus => (Operand::Minus(Box::new(l), Box::new(zero(r))), Kind::Number),
                })
            }
            Term::Call(call) => self.value(call),
        }
    }

    /// Compiles a function that returns a value.
    fn value(&mut self, call: &Call) -> Compiled<(Operand, Kind)> {
        let number = |operand| Ok((operand, Kind::Number));
        match (call.name.as_str(), call.args.len()) {
            ("AGE", 1) => {
                let birth = self.birth(call.at)?;
                number(Operand::Age { birth: Box::new(birth), on: Box::new(self.argument(call, 0)?) })
            }
            ("AGE_YEARS", 2) => number(Operand::Age { birth: Box::new(self.argument(call, 0)?), on: Box::new(self.argument(call, 1)?) }),
            ("YEAR", 1) => number(Operand::Year(Box::new(self.argument(call, 0)?))),
            ("MONTH", 1) => number(Operand::MonthOf(Box::new(self.argument(call, 0)?))),
            // A person file states no period; the main file's is used.
            ("PERIOD", 0) => number(Operand::Period),
            ("PERIOD", 1) => match &call.args[0] {
                Arg::Term(Term::Text(text)) => match month(text) {
                    Some(month) => number(Operand::Month(month)),
                    None => mistake(call.at, format!("'{text}' is no month: '2019-11' is due")),
                },
                _ => mistake(call.at, "PERIOD('2019-11') is due"),
            },
            ("TODAY", 0) => Ok((Operand::Today, Kind::Date)),
            ("ADDYEARS", 2) => match &call.args[1] {
                Arg::Term(Term::Number(years)) if years.parse::<u16>().is_ok() => {
                    Ok((Operand::AddYears(Box::new(self.argument(call, 0)?), years.parse().unwrap_or(0)), Kind::Date))
                }
                _ => mistake(call.at, "ADDYEARS(date, years) is due"),
            },
            ("DAYS", 2) => number(Operand::Days(Box::new(self.argument(call, 0)?), Box::new(self.argument(call, 1)?))),
            ("LASTCHAR", 1) => Ok((Operand::LastChar(Box::new(self.argument(call, 0)?)), Kind::Text)),
            ("MAIN" | "MAINFILE_TYPE", _) if self.sources.format.family == PERSONS => Err(Stop::OtherFile),
            ("MAIN", 1) => match &call.args[0] {
                Arg::Term(term @ Term::Ref(_)) => self.operand(term, None),
                _ => mistake(call.at, "MAIN(name) is due"),
            },
            ("MAINFILE_TYPE", 0) => Ok((Operand::FilePart(FilePart::Type, Whose::Own), Kind::Text)),
            ("SUM", 1) => self.sum(call),
            ("COUNT", 1) => self.count(call),
            ("BOOK1", 3..) => {
                let Some(Arg::Term(Term::Ref(field))) = call.args.last() else { return mistake(call.at, "the field is due last") };
                let lookup = self.lookup(call, &call.args[..call.args.len() - 1])?;
                let Some(field) = lookup.book.field(&field.name) else { return no_field(&lookup.book, &field.name, field.at) };
                Ok((Operand::BookField(Box::new(lookup), field), Kind::Number))
            }
            (name, count) => mistake(call.at, functions::unknown(name, count, "has a value")),
        }
    }

    /// The patient's birth date, from the person file or from the record.
    fn birth(&mut self, at: At) -> Compiled<Operand> {
        if let Some(persons) = self.sources.persons
            && let Some(id) = persons.role(Role::Birth)
        {
            return Ok(self.person_operand(id));
        }
        let birth = self.sources.format.role(Role::Birth);
        if let Some(id) = birth {
            self.reads(Read::Own(id));
        }
        match birth {
            Some(id) => Ok(Operand::Place(self.names.place(self.from, id))),
            None => mistake(at, "nobody's birth date is known here"),
        }
    }

    fn sum(&mut self, call: &Call) -> Compiled<(Operand, Kind)> {
        let (name, condition) = match &call.args[0] {
            Arg::Term(Term::Ref(name)) => (name, None),
            Arg::Where(name, condition) => (name, Some(&**condition)),
            _ => return mistake(call.at, "SUM(name) is due"),
        };
        let Found::Own(id) = self.names.find(&name.name, self.from) else { return self.elsewhere(name) };
        let Some(block) = self.sources.format.node(id).parent else { return mistake(name.at, "the root has no sum") };
        self.reads(Read::Own(id));
        let mode = std::mem::replace(&mut self.mode, Mode::Any);
        let condition = condition.map(|c| self.inside(block, |s| s.expr(c))).transpose();
        self.mode = mode;
        let condition = condition?;
        if self.is_head() {
            let place = self.names.place(block, id);
            return Ok((Operand::Gathered(self.gather_index(block, What::Sum { place, condition })), Kind::Number));
        }
        Ok((Operand::Sum(Box::new((self.names.place(self.from, id), condition))), Kind::Number))
    }

    fn count(&mut self, call: &Call) -> Compiled<(Operand, Kind)> {
        let Arg::Term(Term::Ref(name)) = &call.args[0] else { return mistake(call.at, "COUNT(name) is due") };
        let Found::Own(id) = self.names.find(&name.name, self.from) else { return self.elsewhere(name) };
        if self.is_head() {
            return Ok((Operand::Gathered(self.gather_index(id, What::Count)), Kind::Number));
        }
        Ok((Operand::Count(self.names.place(self.from, id)), Kind::Number))
    }

    /// Compiles a function that returns true or false.
    fn truth(&mut self, call: &Call) -> Compiled<Cond> {
        let shape = |value, shape| Ok(Cond::Shape { value, shape });
        match (call.name.as_str(), call.args.len()) {
            ("BOOK", 1 | 2) if let Some(stand_in) = self.stand_in(call) => {
                self.needs.books.push(Arc::clone(&stand_in.book));
                let codes = stand_in.beginnings.iter().map(|b| b.as_bytes().into()).collect();
                Ok(Cond::Begins { value: self.this(call.at)?, codes, mode: self.mode })
            }
            ("BOOK", 1 | 2) => {
                let (book, field) = self.book_of(call, 0)?;
                let on = self.lookup_date(&book, call.args.get(1))?;
                Ok(Cond::InBook { value: self.this(call.at)?, book, field, rubric: false, on, mode: self.mode })
            }
            ("INBOOK", 2) => {
                let value = self.argument(call, 0)?;
                let (book, field) = self.book_of(call, 1)?;
                let rubric = self.rubric(&book.info().id);
                // The key of such a book is a row number; the diagnosis is in another field.
                let field = rubric.and_then(|name| book.field(name)).filter(|_| field == book.key()).unwrap_or(field);
                let rubric = rubric.is_some();
                let on = self.lookup_date(&book, None)?;
                Ok(Cond::InBook { value, book, field, rubric, on, mode: self.mode })
            }
            ("BOOKROW", 2..) => Ok(Cond::BookRow(Box::new(self.lookup(call, &call.args)?))),
            ("MASK", 2) => {
                let value = self.argument(call, 0)?;
                match &call.args[1] {
                    Arg::Term(Term::Text(text)) => match Mask::compile(text) {
                        Ok(mask) => shape(value, Shape::Mask(Arc::new(mask))),
                        Err(error) => mistake(call.at, format!("mask '{text}': {error}")),
                    },
                    Arg::Term(Term::Call(inner)) if inner.name == "BOOK1" => match self.value(inner)? {
                        (Operand::BookField(lookup, field), _) => shape(value, Shape::BookMask(lookup, field)),
                        _ => mistake(inner.at, "a mask is due"),
                    },
                    _ => mistake(call.at, "MASK(X, '99') is due"),
                }
            }
            ("CHARSET", 2) => {
                let Arg::Term(Term::Text(id)) = &call.args[1] else { return mistake(call.at, "CHARSET(X, 'id') is due") };
                match self.sources.formats.shared_charset(id) {
                    Some(set) => shape(self.argument(call, 0)?, Shape::Charset(set)),
                    None => mistake(call.at, format!("no character set '{id}'")),
                }
            }
            ("DIGITS", 3) => shape(self.argument(call, 0)?, Shape::Digits { min: self.small(call, 1)?, max: self.small(call, 2)? }),
            ("DECIMAL", 3) => shape(self.argument(call, 0)?, Shape::Decimal { whole: self.small(call, 1)?, fraction: self.small(call, 2)? }),
            ("DATE", 1) => shape(self.argument(call, 0)?, Shape::Date),
            ("CHECKDIGIT", 2) => match &call.args[1] {
                Arg::Term(Term::Text(word)) if let Some(numbering) = Numbering::named(word) => shape(self.argument(call, 0)?, Shape::CheckDigit(numbering)),
                _ => mistake(call.at, "CHECKDIGIT(X, 'snils') or CHECKDIGIT(X, 'enp') is due"),
            },
            ("TIDY", 1) => shape(self.argument(call, 0)?, Shape::Tidy),
            ("ENDS", 2..) => {
                let ends = call.args[1..].iter().map(|arg| match arg {
                    Arg::Term(Term::Text(text)) => Ok([literal(&text.to_uppercase()), literal(&text.to_lowercase())]),
                    _ => mistake(call.at, "ENDS(X, 'end', …) is due"),
                });
                let ends: Vec<[Literal; 2]> = ends.collect::<Compiled<_>>()?;
                shape(self.argument(call, 0)?, Shape::Ends(ends.into_iter().flatten().collect()))
            }
            ("FIRST", 1) => self.first(call),
            ("UNIQUE", 1..) | ("USUAL", 2) => mistake(call.at, format!("{} is the whole requirement: it stands without AND and OR", call.name)),
            ("NEWBORN", 3) => Ok(Cond::Newborn { mark: self.argument(call, 0)?, sex: self.argument(call, 1)?, birth: self.argument(call, 2)? }),
            ("REGIONAL_BOOK", 1) => Err(Stop::External("regional".to_owned())),
            ("IS_EKO_STAGE_WITH_KSLP_1", _) => Err(Stop::External("expert".to_owned())),
            (name, count) => mistake(call.at, functions::unknown(name, count, "is true or false")),
        }
    }

    /// What a requirement compares among the records of the file; `None` if each record can answer it by itself.
    pub(super) fn compares(&mut self, require: &Expr) -> Compiled<Option<Compares>> {
        let Expr::Call(call) = require else { return Ok(None) };
        self.mode = Mode::All;
        let compares = match (call.name.as_str(), call.args.len()) {
            ("UNIQUE", 1..) => Compares::Unique((0..call.args.len()).map(|n| self.argument(call, n)).collect::<Compiled<_>>()?),
            ("USUAL", 2) => Compares::Usual { value: self.argument(call, 0)?, code: self.argument(call, 1)? },
            _ => return Ok(None),
        };
        match self.unit {
            Unit::Block { .. } => Ok(Some(compares)),
            _ => mistake(call.at, format!("{} compares elements of the records", call.name)),
        }
    }

    /// Whether the checked value is the first of its kind within a block around it.
    fn first(&mut self, call: &Call) -> Compiled<Cond> {
        let (Arg::Term(Term::Ref(name)), Unit::Block { block, element }) = (&call.args[0], self.unit) else {
            return mistake(call.at, "FIRST(block) asks about an element of the records, within a block around it");
        };
        let within = self.block_named(name)?;
        if element == block || !self.sources.format.is_within(element, within) {
            return mistake(name.at, format!("{} is no block around the checked element", name.name));
        }
        self.needs.this = true;
        let Place { up, .. } = self.names.place(block, within);
        Ok(Cond::First(Place { up, ..self.names.place(within, element) }))
    }

    fn this(&mut self, at: At) -> Compiled<Operand> {
        self.needs.this = true;
        match self.unit {
            Unit::Block { block, element } if block != element => Ok(Operand::This),
            Unit::Block { .. } => mistake(at, "the checked element is not known here"),
            Unit::Head { element, .. } => Ok(Operand::Head(self.head(element))),
            Unit::Person { element } => Ok(self.person_operand(element)),
            Unit::PersonsHead => mistake(at, "the value of a person file's head is not known in the main file"),
        }
    }

    fn argument(&mut self, call: &Call, index: usize) -> Compiled<Operand> {
        match call.args.get(index) {
            Some(Arg::Term(term)) => Ok(self.operand(term, None)?.0),
            _ => mistake(call.at, "a value is due as an argument"),
        }
    }

    fn small(&self, call: &Call, index: usize) -> Compiled<usize> {
        match call.args.get(index) {
            Some(Arg::Term(Term::Number(n))) => n.parse().or_else(|_| mistake(call.at, format!("{n} is no small number"))),
            _ => mistake(call.at, "a number is due as an argument"),
        }
    }

    /// The book and field that an argument names: `V002.IDPR`, or `N009` with its key field.
    fn book_of(&mut self, call: &Call, index: usize) -> Compiled<(Arc<Book>, crate::nsi::FieldIx)> {
        let Some(Arg::Term(term)) = call.args.get(index) else { return mistake(call.at, "a book is due") };
        let mut names = Vec::new();
        term_references(term, &mut names);
        let Some(name) = names.first() else { return mistake(call.at, "a book is due") };
        let (id, field) = name.name.split_once('.').unwrap_or((&name.name, ""));
        // A key made of several fields (O002.TER+KOD1+KOD2+KOD3) means the book's own key.
        let field_name = if names.len() > 1 { "" } else { field };
        let book = self.book(id)?;
        let field = if field_name.is_empty() { Some(book.key()) } else { book.field(field_name) };
        match field {
            Some(field) => Ok((book, field)),
            None => no_field(&book, field_name, name.at),
        }
    }

    /// The book that answers instead of the missing book of a lookup, if there is one.
    fn stand_in(&self, call: &Call) -> Option<&'s StandIn> {
        let Some(Arg::Term(term)) = call.args.first() else { return None };
        let mut names = Vec::new();
        term_references(term, &mut names);
        let name = names.first()?;
        self.sources.books.stand_in(name.name.split_once('.').map_or(&name.name, |(id, _)| id))
    }

    fn lookup(&mut self, call: &Call, args: &[Arg]) -> Compiled<BookLookup> {
        let Some(Arg::Term(Term::Ref(name))) = args.first() else { return mistake(call.at, "a book is due") };
        let book = self.book(&name.name)?;
        let mut fields = Vec::new();
        let mut on = None;
        for arg in &args[1..] {
            match arg {
                Arg::Field(field, term) => {
                    let Some(index) = book.field(&field.name) else { return no_field(&book, &field.name, field.at) };
                    fields.push((index, self.operand(term, Some(Kind::Text))?.0));
                }
                date => on = Some(date),
            }
        }
        if fields.is_empty() {
            return mistake(call.at, "field = value is due");
        }
        let (key_field, key) = fields.remove(0);
        let rubric = self.rubric(&name.name).is_some();
        let on = self.lookup_date(&book, on)?;
        Ok(BookLookup { field: key_field, book, key, rubric, others: fields.into(), on })
    }

    /// The field of a book's diagnoses, if they are also matched by rubric.
    fn rubric(&self, book: &str) -> Option<&'s str> {
        self.sources.conventions.by_rubric.iter().find(|(id, _)| id.eq_ignore_ascii_case(book)).map(|(_, field)| field.as_str())
    }

    /// The day on which a book is consulted: the date in the rule, else the element that the book's description names.
    fn lookup_date(&mut self, book: &Book, written: Option<&Arg>) -> Compiled<Operand> {
        let name = match written {
            Some(Arg::Term(Term::Ref(name))) => name.clone(),
            Some(_) => return mistake(0, "a date is due"),
            None => Ref::new(book.info().on.element()),
        };
        let found = self.names.find(&name.name, self.from);
        if self.is_head() && matches!(found, Found::Own(id) if self.names.in_record(id)) {
            return Ok(Operand::Nothing);
        }
        match found {
            Found::Unknown => Ok(Operand::Nothing),
            _ => {
                // Where this day is absent another is taken, so nothing follows from its absence.
                let reads = self.needs.reads.clone();
                let day = self.reference(&name, Some(Kind::Date))?.0;
                self.needs.reads = reads;
                Ok(day)
            }
        }
    }
}

/// The error for a field that a book lacks: an imported edition may be older than the rule, but a built-in book must have it.
fn no_field<T>(book: &Book, field: &str, at: At) -> Compiled<T> {
    match book.origin() {
        Origin::Imported(_) => Err(Stop::NoBook(format!("{}.{field}", book.info().id))),
        Origin::Embedded => mistake(at, format!("book {} has no such field: {field}", book.info().id)),
    }
}

fn index_of(list: &mut Vec<NodeId>, id: NodeId) -> usize {
    list.iter().position(|n| *n == id).unwrap_or_else(|| {
        list.push(id);
        list.len() - 1
    })
}

fn kind_of(format: &Format, id: NodeId) -> Option<Kind> {
    Some(match format.node(id).value_type()?.base() {
        Base::Text => Kind::Text,
        Base::Number => Kind::Number,
        Base::Date => Kind::Date,
    })
}

fn is_constant(term: &Term) -> bool {
    matches!(term, Term::Number(_) | Term::Text(_))
}

/// The kind of comparison with a constant: codes such as `sh0001` are compared by number.
fn natural_kind(kind: Kind, constant: &Term) -> Kind {
    match constant {
        Term::Text(text) if kind == Kind::Text && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.ends_with(|c: char| c.is_ascii_digit()) => {
            Kind::Natural
        }
        _ => kind,
    }
}

fn literal(text: &str) -> Literal {
    let windows_1251 = to_windows_1251(text).map_or_else(|| text.as_bytes().into(), |b| b.into_owned().into());
    Literal { utf8: text.as_bytes().into(), windows_1251 }
}

const MONTHS: [&str; 12] = ["январь", "февраль", "март", "апрель", "май", "июнь", "июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь"];

/// Reads a month written as `2019-11` or, as in the published books, `ноябрь 2019`.
fn month(text: &str) -> Option<Month> {
    if let Ok(month) = text.parse() {
        return Some(month);
    }
    let (name, year) = text.split_once(' ')?;
    let number = MONTHS.iter().position(|m| *m == name.to_lowercase())? + 1;
    Month::new(year.trim().parse().ok()?, number as u8)
}

fn flatten<'e>(parts: &'e [Expr], out: &mut Vec<&'e Expr>) {
    for part in parts {
        match part {
            Expr::And(inner) => flatten(inner, out),
            other => out.push(other),
        }
    }
}

/// Collects the names in a comparison, set test or presence test, except those inside SUM and COUNT.
fn references<'e>(expr: &'e Expr, out: &mut Vec<&'e Ref>) {
    match expr {
        Expr::Compare(_, left, right) => {
            term_references(left, out);
            term_references(right, out);
        }
        Expr::In { term, set, .. } => {
            term_references(term, out);
            if let Set::Named(name) = set {
                out.push(name);
            }
        }
        Expr::Present(names) | Expr::Absent(names) => out.extend(names),
        _ => {}
    }
}

fn term_references<'e>(term: &'e Term, out: &mut Vec<&'e Ref>) {
    match term {
        Term::Ref(name) => out.push(name),
        Term::Arithmetic(_, left, right) => {
            term_references(left, out);
            term_references(right, out);
        }
        Term::Call(call) if !matches!(call.name.as_str(), "SUM" | "COUNT") => {
            for arg in &call.args {
                if let Arg::Term(term) = arg {
                    term_references(term, out);
                }
            }
        }
        _ => {}
    }
}

fn number_operand(number: Decimal) -> Operand {
    Operand::Number(Box::new(number))
}

fn text_operand(text: &str) -> Operand {
    Operand::Text(Box::new(literal(text)))
}

fn term_at(term: &Term) -> At {
    match term {
        Term::Ref(name) => name.at,
        Term::Call(call) => call.at,
        Term::Arithmetic(_, left, _) => term_at(left),
        Term::Number(_) | Term::Text(_) => 0,
    }
}
