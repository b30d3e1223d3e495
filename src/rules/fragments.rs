//! Finds a passing and a failing piece of XML for a rule about records, by trying the values that the rule itself names.
//!
//! Each piece was judged by the compiled rule, so an example is never wrong; if the few values tried show nothing, there is no example.

use std::collections::BTreeMap;

use super::ast::{Arg, Call, Expr, Item, Literal, Set, Term};
use super::compile::Sources;
use super::eval::Facts;
use super::resolve::{Found, Names};
use super::set::{RuleSet, Side};
use super::table::RuleRow;
use super::witness::typical;
use crate::nsi::{Books, LookupDate};
use crate::registry::encoding::Encoding;
use crate::registry::format::mask::Mask;
use crate::registry::format::value::{Base, ValueType};
use crate::registry::format::{Content, Format, NodeId, Role};
use crate::registry::record::Record;
use crate::values::{Date, Month};

/// Two pieces of XML, indented by two spaces a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragments {
    /// A piece to which the rule applies and that satisfies it.
    pub passing: String,
    /// A piece to which the rule applies and that breaks it.
    pub failing: String,
}

/// Limits on the elements that are varied, and on the combinations that are tried.
const MOST_ELEMENTS: usize = 5;
const MOST_TRIES: usize = 6_000;

/// Content of an element in a piece: a value, an empty text for a block, or `None` if it is absent.
type Choice = Option<String>;

/// Finds both pieces for a row in files of a letter; `None` for rules about persons and about values of several records, or if the simple search finds
/// nothing.
pub fn fragments(row: &RuleRow, letter: char, sources: Sources<'_>) -> Option<Fragments> {
    let format = sources.format;
    let require = row.require.as_ref()?;
    let element = format.find(&row.element)?;
    let record = format.role(Role::Record)?;
    if element == record {
        return None;
    }
    let block = format.node(element).parent?;
    let names = Names { own: format, persons: sources.persons };
    let mut elements: BTreeMap<NodeId, Vec<Choice>> = BTreeMap::new();
    let mut scan = Scan { names, block, checked: element, books: sources.books, elements: &mut elements, lengths: BTreeMap::new(), alone: true };
    scan.element(element, Vec::new());
    row.when.iter().chain([require]).for_each(|e| scan.expr(e));
    let Scan { lengths, alone, .. } = scan;
    if !alone || elements.len() > MOST_ELEMENTS {
        return None;
    }
    // The checked element comes last and so changes fastest, which lets both pieces share the rest.
    let few = |id| lengths.get(&id).map_or(&[][..], Vec::as_slice);
    let mut order: Vec<(NodeId, Vec<Choice>)> = elements.into_iter().map(|(id, tried)| (id, choices(format, id, tried, few(id)))).collect();
    order.sort_by_key(|(id, _)| (*id == element, *id));
    let judge = Judge::new(row, require, letter, sources)?;
    let count: usize = order.iter().map(|(_, c)| c.len()).product();
    let (mut passing, mut failing) = (None, None);
    for n in 0..count.min(MOST_TRIES) {
        let mut rest = n;
        let mut values: Vec<(NodeId, &Choice)> = Vec::with_capacity(order.len());
        for (id, choices) in order.iter().rev() {
            values.push((*id, &choices[rest % choices.len()]));
            rest /= choices.len();
        }
        let piece = Piece { format, block, values: values.into_iter().filter_map(|(id, c)| c.as_ref().map(|c| (id, c.as_str()))).collect() };
        let record = piece.record(record);
        if failing.is_none() && judge.hits(&judge.rule, &record, &piece) {
            failing = Some(piece.xml(&order));
        }
        if passing.is_none() && judge.hits(&judge.reverse, &record, &piece) {
            passing = Some(piece.xml(&order));
        }
        if let (Some(passing), Some(failing)) = (&passing, &failing) {
            return Some(Fragments { passing: passing.clone(), failing: failing.clone() });
        }
    }
    None
}

/// The rule, and the rule with its requirement negated: a record that breaks the second one passes the first although it applies.
struct Judge {
    rule: RuleSet,
    reverse: RuleSet,
    /// A month in which the rule is in force.
    month: Option<Month>,
}

impl Judge {
    fn new(row: &RuleRow, require: &Expr, letter: char, sources: Sources<'_>) -> Option<Self> {
        let reverse = match require {
            Expr::Present(names) => Expr::Absent(names.clone()),
            Expr::Absent(names) => Expr::Present(names.clone()),
            other => Expr::Not(Box::new(other.clone())),
        };
        let compile = |row: &RuleRow| {
            let set = RuleSet::compile(std::slice::from_ref(row), &[(letter, Side::Own)], None, sources).ok()?;
            // Values of the person are not tried.
            (set.person_elements().is_empty() && set.states().iter().all(|s| s.state == super::State::Executed) && !set.states().is_empty()).then_some(set)
        };
        let month = row.from.map(|from| from.parts()).and_then(|(year, month, _)| Month::new(year, month));
        Some(Self { rule: compile(row)?, reverse: compile(&RuleRow { require: Some(reverse), ..row.clone() })?, month })
    }

    fn hits(&self, set: &RuleSet, record: &Record, piece: &Piece<'_, '_>) -> bool {
        let head = set.head_elements().iter().map(|id| piece.head(*id)).collect();
        let period = self.month.or(Month::new(2021, 2));
        let facts = Facts { head, period, encoding: Encoding::Utf8, account_date: Date::new(2021, 3, 5), today: Date::new(2021, 3, 6), ..Facts::default() };
        let (mut hit, mut work) = (false, set.work());
        set.record(record, &facts, None, true, &mut work, &mut |_| hit = true);
        set.head(&facts, &work.gathered, true, &mut |_| hit = true);
        hit
    }
}

/// Elements that a rule names, with the values that it compares them with.
struct Scan<'f, 'e> {
    names: Names<'f>,
    block: NodeId,
    /// The element of the rule.
    checked: NodeId,
    books: &'f Books,
    elements: &'e mut BTreeMap<NodeId, Vec<Choice>>,
    /// Lengths that the rule names.
    lengths: BTreeMap<NodeId, Vec<usize>>,
    /// Whether the rule names only elements of its own file.
    alone: bool,
}

impl Scan<'_, '_> {
    fn element(&mut self, id: NodeId, values: Vec<String>) {
        self.elements.entry(id).or_default().extend(values.into_iter().map(Some));
    }

    fn name(&mut self, name: &str, values: Vec<String>) {
        match self.names.find(name, self.block) {
            Found::Own(id) => self.element(id, values),
            _ => self.alone = false,
        }
    }

    /// Codes of a book for an element, and a day for which they are looked up.
    fn codes(&mut self, element: Option<NodeId>, field: &str, on: Option<&str>) {
        let found = field.split_once('.').and_then(|(id, field)| self.books.get(id).map(|book| (book, book.field(field)))).filter(|_| element.is_some());
        let (Some((book, Some(field))), Some(element)) = (found, element) else { return self.alone = false };
        let Some(day) = Date::new(2021, 2, 15) else { return };
        let rows = book.rows().filter(|row| book.valid(*row, day)).take(2);
        let codes = rows.map(|row| book.value(row, field).to_owned()).collect();
        self.element(element, codes);
        if self.names.in_record(element) && on != Some(LookupDate::Account.element()) {
            let on = on.unwrap_or_else(|| book.info().on.element());
            if let Found::Own(date) = self.names.find(on, self.block) {
                self.element(date, vec![day.to_string()]);
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|p| self.expr(p)),
            Expr::Not(inner) => self.expr(inner),
            Expr::Compare(_, left, right) => {
                let literals: Vec<String> = [left, right].into_iter().filter_map(constant).flat_map(around).collect();
                for term in [left, right] {
                    self.term(term, &literals);
                }
            }
            Expr::In { term: Term::Call(call), set: Set::Items(items), .. } if call.name == "LEN" => {
                self.call(call);
                if let ([Arg::Term(Term::Ref(name))], [Item::Range(first, last)]) = (call.args.as_slice(), items.as_slice())
                    && let Found::Own(id) = self.names.find(&name.name, self.block)
                {
                    self.lengths.entry(id).or_default().extend([first, last].into_iter().filter_map(|n| literal(n).parse::<usize>().ok()));
                }
            }
            Expr::In { term, set, .. } => {
                let mut literals = Vec::new();
                match set {
                    Set::Items(items) => {
                        for item in items.iter().take(3) {
                            literals.extend(match item {
                                Item::One(one) => around(literal(one)),
                                Item::Range(first, last) => vec![literal(first), literal(last)],
                            });
                        }
                    }
                    Set::Named(name) if self.names.find(&name.name, self.block) == Found::Unknown => {}
                    Set::Named(name) => self.name(&name.name, constant(term).into_iter().collect()),
                }
                self.term(term, &literals);
            }
            Expr::Like(term, pattern) => self.term(term, &[pattern.trim_end_matches('*').to_owned()]),
            Expr::Present(names) | Expr::Absent(names) => names.iter().for_each(|n| self.name(&n.name, Vec::new())),
            Expr::Quantified { block, condition, .. } => match self.names.find(&block.name, self.block) {
                Found::Own(id) => {
                    let own = self.block;
                    if matches!(self.names.own.node(id).content, Content::Block) {
                        self.block = id;
                    }
                    self.expr(condition);
                    self.block = own;
                }
                _ => self.alone = false,
            },
            Expr::Call(call) => self.call(call),
        }
    }

    fn term(&mut self, term: &Term, literals: &[String]) {
        match term {
            Term::Ref(name) => self.name(&name.name, literals.to_vec()),
            Term::Number(_) | Term::Text(_) => {}
            Term::Arithmetic(_, left, right) => {
                self.term(left, literals);
                self.term(right, literals);
            }
            Term::Call(call) => self.call(call),
        }
    }

    fn call(&mut self, call: &Call) {
        match (call.name.as_str(), call.args.as_slice()) {
            ("MASK", [Arg::Term(value), Arg::Term(Term::Text(mask))]) => {
                let samples = Mask::compile(mask).map(|mask| [false, true].map(|keep| mask.sample(|| keep, |_| 1)).to_vec());
                self.term(value, &samples.unwrap_or_default());
            }
            ("DIGITS", [Arg::Term(value), Arg::Term(Term::Number(least)), Arg::Term(Term::Number(most))]) => {
                let samples: Vec<String> = [least, most].into_iter().filter_map(|n| Some("1".repeat(n.parse().ok()?))).collect();
                self.term(value, &samples);
            }
            ("DECIMAL", [Arg::Term(value), _, Arg::Term(Term::Number(part))]) => {
                let part: usize = part.parse().unwrap_or(0);
                self.term(value, &[format!("1.{}", "0".repeat(part)), "1".to_owned(), "1,5".to_owned()]);
            }
            ("DATE", [Arg::Term(value)]) => self.term(value, &["2021-02-15".to_owned(), "15.02.2021".to_owned()]),
            ("BOOK", [Arg::Term(Term::Ref(field))]) => self.codes(Some(self.checked), &field.name, None),
            ("BOOK", [Arg::Term(Term::Ref(field)), Arg::Term(Term::Ref(on))]) => self.codes(Some(self.checked), &field.name, Some(&on.name)),
            ("PERIOD", _) => {}
            // The first argument is a value, the others describe its form.
            (
                "LEN" | "MASK" | "CHARSET" | "DIGITS" | "DECIMAL" | "DATE" | "YEAR" | "MONTH" | "LASTCHAR" | "INBOOK" | "TIDY" | "CHECKDIGIT" | "ENDS",
                [Arg::Term(value), ..],
            ) => {
                self.term(value, &[]);
            }
            ("TODAY", []) => {}
            _ => self.alone = false,
        }
    }
}

fn constant(term: &Term) -> Option<String> {
    match term {
        Term::Number(text) | Term::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Number(text) | Literal::Text(text) => text.clone(),
    }
}

/// A literal; for a whole number also its two neighbours.
fn around(text: String) -> Vec<String> {
    match text.parse::<u32>() {
        Ok(n) if !text.starts_with('0') || n == 0 => vec![text, (n + 1).to_string(), n.saturating_sub(1).to_string()],
        _ => vec![text],
    }
}

/// The choices for an element: the rule's values, values of its type, and absence.
fn choices(format: &Format, id: NodeId, tried: Vec<Choice>, lengths: &[usize]) -> Vec<Choice> {
    let mut all = tried;
    if let Content::Value(kind) = &format.node(id).content {
        let sample = typical(kind);
        let sign = sample.chars().next().map(String::from).unwrap_or_default();
        all.extend(lengths.iter().flat_map(|n| [*n, n + 1]).map(|n| Some(sign.repeat(n))));
        all.push(Some(sample));
    }
    match &format.node(id).content {
        Content::Block => all.push(Some(String::new())),
        Content::Value(kind) => all.extend(samples(kind).into_iter().map(Some)),
    }
    all.push(None);
    let mut out: Vec<Choice> = Vec::new();
    for choice in all {
        if !out.contains(&choice) {
            out.push(choice);
        }
    }
    out
}

fn samples(kind: &ValueType) -> Vec<String> {
    let (least, most) = kind.lengths();
    let mut all: Vec<String> = kind.list().iter().take(3).map(|v| v.to_string()).collect();
    match kind.base() {
        Base::Date => all.extend(["2021-02-15", "2021-02-20", "2021-02-30"].map(str::to_owned)),
        Base::Number if kind.decimal().is_some() => all.extend(["1.00", "2.00", "1.000", "0.00"].map(str::to_owned)),
        Base::Number => all.extend([least.max(1), most.min(20), most.min(20) + 1].iter().map(|n| "1".repeat(*n))),
        Base::Text => {
            all.extend(["1", "I10", "?"].map(str::to_owned));
            all.extend([least.max(1), most.min(40), most.min(40) + 1].iter().map(|n| "1".repeat(*n)));
        }
    }
    all
}

/// Values of a record; the blocks around them are implied.
struct Piece<'f, 'v> {
    format: &'f Format,
    block: NodeId,
    values: Vec<(NodeId, &'v str)>,
}

impl Piece<'_, '_> {
    fn stands(&self, id: NodeId) -> bool {
        self.format.is_within(self.block, id) || self.values.iter().any(|(v, _)| self.format.is_within(*v, id))
    }

    /// The content of an element of the head, as the rules get it: a block that stands has an empty one.
    fn head(&self, id: NodeId) -> Option<Vec<u8>> {
        match &self.format.node(id).content {
            Content::Block => (self.value(id).is_some() || self.values.iter().any(|(v, _)| self.format.is_within(*v, id)) || id == self.block).then(Vec::new),
            Content::Value(_) => self.value(id).map(|text| text.as_bytes().to_vec()),
        }
    }

    fn value(&self, id: NodeId) -> Option<&str> {
        self.values.iter().find(|(v, _)| *v == id).map(|(_, text)| *text)
    }

    fn record(&self, root: NodeId) -> Record {
        let mut record = Record::default();
        self.fill(&mut record, root, None);
        record
    }

    fn fill(&self, record: &mut Record, id: NodeId, parent: Option<usize>) {
        let block = record.open(self.format, id, parent, 0);
        for child in &self.format.node(id).children {
            let node = self.format.node(*child);
            match (&node.content, self.value(*child)) {
                (Content::Block, _) if self.stands(*child) => self.fill(record, *child, Some(block)),
                (Content::Value(_), Some(text)) => record.value(block, node.position, text.as_bytes(), 0),
                _ => {}
            }
        }
    }

    /// The XML from the innermost block that holds all elements of the rule.
    fn xml(&self, order: &[(NodeId, Vec<Choice>)]) -> String {
        let holds = |id: &NodeId| order.iter().all(|(e, _)| *e != *id && self.format.is_within(*e, *id));
        let top = std::iter::successors(Some(self.block), |id| self.format.node(*id).parent).find(holds).unwrap_or(self.format.root());
        let mut out = String::new();
        self.write(&mut out, top, 0);
        out
    }

    fn write(&self, out: &mut String, id: NodeId, depth: usize) {
        let (name, indent) = (&self.format.node(id).name, "  ".repeat(depth));
        let mut inner = String::new();
        for child in &self.format.node(id).children {
            match (&self.format.node(*child).content, self.value(*child)) {
                (Content::Block, _) if self.stands(*child) => self.write(&mut inner, *child, depth + 1),
                (Content::Value(_), Some(text)) => {
                    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                    let name = &self.format.node(*child).name;
                    inner.push_str(&format!("{indent}  <{name}>{text}</{name}>\n"));
                }
                _ => {}
            }
        }
        out.push_str(&if inner.is_empty() { format!("{indent}<{name}/>\n") } else { format!("{indent}<{name}>\n{inner}{indent}</{name}>\n") });
    }
}
