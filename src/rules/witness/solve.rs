//! Changes that probably make a condition true or false, guessed from its form; the caller judges them by the real evaluation.

use std::cmp::Ordering;

use super::stock::{Stock, typical};
use super::tree::{Document, Tree, Way};
use crate::nsi::{Book, Books};
use crate::registry::format::value::Base;
use crate::registry::format::{Content, Format, NodeId, Role, ValueType};
use crate::rules::ast::{Arg, ArithmeticOp, Call, CompareOp, Expr, Item, Literal, Quantifier, Ref, Set, Term};
use crate::rules::code::FilePart;
use crate::rules::number::{Decimal, add_years, full_years, iso_date, natural};
use crate::rules::resolve::{Found, Names, file_part};
use crate::rules::{Conventions, RuleRow};
use crate::values::Date;

/// Most alternatives that are followed at each step.
const WIDTH: usize = 10;
/// Most values that are tried for one element.
const VALUES: usize = 14;

/// The place where a rule is evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The block of the main file from which names are looked up; the root for rules about the head.
    pub scope: Way,
    /// Whether the checked element is one of the person file.
    pub of_persons: bool,
    /// The checked element.
    pub element: NodeId,
    /// Its occurrence, if one is present.
    pub occurrence: Option<Way>,
}

/// The sources of guesses.
#[derive(Debug, Clone, Copy)]
pub struct Solver<'s> {
    /// Reference books, for codes that exist and that do not.
    pub books: &'s Books,
    /// Named lists, and readings of absent flags.
    pub conventions: &'s Conventions,
    /// Values and blocks of valid documents.
    pub stock: &'s Stock,
    /// The value of `TODAY`.
    pub today: Date,
}

/// The elements that a name means.
#[derive(Debug, Clone)]
struct Target {
    of_persons: bool,
    node: NodeId,
    /// Elements that are present.
    ways: Vec<Way>,
    /// The innermost present block that would hold the element.
    anchor: Way,
}

/// The meaning of a name.
#[derive(Debug, Clone)]
enum Meaning {
    Elements(Target),
    Part(FilePart),
    Nothing,
}

impl Target {
    fn tree<'d>(&self, doc: &'d Document) -> &'d Tree {
        doc.tree(self.of_persons)
    }

    fn tree_mut<'d>(&self, doc: &'d mut Document) -> &'d mut Tree {
        doc.tree_mut(self.of_persons)
    }

    fn kind<'d>(&self, doc: &'d Document) -> Option<&'d ValueType> {
        self.tree(doc).format.node(self.node).value_type()
    }

    fn texts<'d>(&self, doc: &'d Document) -> Vec<&'d str> {
        let tree = self.tree(doc);
        self.ways.iter().filter_map(|w| tree.root.at(w)).map(|e| e.text.as_str()).collect()
    }
}

impl Solver<'_> {
    /// The places where a row is evaluated, each with its document; if the row's block is absent, with documents to which it was added.
    pub fn units(&self, doc: &Document, row: &RuleRow) -> Vec<(Document, Unit)> {
        let Some((of_persons, element)) = element_of(doc, row) else { return Vec::new() };
        let tree = doc.tree(of_persons);
        let Some(parent) = tree.format.node(element).parent else { return Vec::new() };
        if of_persons {
            let record = doc.main.format.role(Role::Record).and_then(|r| doc.main.below(&[], r).into_iter().next());
            let in_record = tree.format.role(Role::Record).is_some_and(|r| tree.format.is_within(element, r));
            let scope = if in_record { record.unwrap_or_default() } else { Vec::new() };
            let occurrence = tree.below(&[], element).into_iter().next();
            return vec![(doc.clone(), Unit { scope, of_persons, element, occurrence })];
        }
        let units = |doc: &Document| -> Vec<Unit> {
            let mut out = Vec::new();
            for scope in doc.main.below(&[], parent) {
                let own: Vec<Way> = doc.main.below(&scope, element);
                if own.is_empty() {
                    out.push(Unit { scope: scope.clone(), of_persons, element, occurrence: None });
                }
                out.extend(own.into_iter().map(|way| Unit { scope: scope.clone(), of_persons, element, occurrence: Some(way) }));
            }
            out
        };
        let there = units(doc);
        if !there.is_empty() {
            return there.into_iter().map(|u| (doc.clone(), u)).collect();
        }
        let target = Target { of_persons: false, node: parent, ways: Vec::new(), anchor: anchor(&doc.main, &[], parent) };
        let mut out = Vec::new();
        for with in self.added(doc, &target) {
            out.extend(units(&with).into_iter().map(|u| (with.clone(), u)));
        }
        out
    }

    /// Documents near this one in which the condition at the unit probably has the truth value `want`, nearest first.
    pub fn make(&self, doc: &Document, unit: &Unit, expr: &Expr, want: bool) -> Vec<Document> {
        let mut out = Vec::new();
        for found in self.solve(doc, unit, expr, want) {
            if !out.iter().any(|d: &Document| same(d, &found)) {
                out.push(found);
            }
        }
        out
    }

    fn solve(&self, doc: &Document, unit: &Unit, expr: &Expr, want: bool) -> Vec<Document> {
        match expr {
            Expr::Not(inner) => self.solve(doc, unit, inner, !want),
            Expr::And(parts) if want => self.all(doc, unit, parts, true),
            Expr::Or(parts) if !want => self.all(doc, unit, parts, false),
            Expr::And(parts) | Expr::Or(parts) => self.one(doc, unit, expr, parts, want),
            Expr::Present(names) | Expr::Absent(names) => self.presence(doc, unit, names, matches!(expr, Expr::Present(_)), want),
            Expr::In { term: Term::Call(call), negated, .. } if call.name == "LEN" => self.form(doc, unit, call, want != *negated),
            Expr::Compare(..) | Expr::In { .. } | Expr::Like(..) => self.atom(doc, unit, expr, want),
            Expr::Quantified { quantifier, block, within, condition } => {
                let (exists, cond) = match quantifier {
                    Quantifier::Exists => (want, true),
                    Quantifier::ForAll => (!want, false),
                };
                self.quantified(doc, unit, block, within.as_ref(), condition, exists, cond)
            }
            Expr::Call(call) => self.call(doc, unit, call, want),
        }
    }

    /// Gives every part the truth value `want`, one after the other; one value serves all parts about one name.
    fn all(&self, doc: &Document, unit: &Unit, parts: &[Expr], want: bool) -> Vec<Document> {
        let mut groups: Vec<(Option<&str>, Vec<&Expr>)> = Vec::new();
        let mut flat = Vec::new();
        flatten(parts, want, &mut flat);
        for part in flat {
            let name = single_name(part);
            match groups.iter_mut().find(|(n, _)| n.is_some() && *n == name) {
                Some((_, group)) => group.push(part),
                None => groups.push((name, vec![part])),
            }
        }
        let mut docs = vec![doc.clone()];
        for (name, group) in &groups {
            let mut next = Vec::new();
            for doc in &docs {
                match (name, group.as_slice()) {
                    (Some(name), group) if group.len() > 1 || !matches!(group[0], Expr::Compare(..) | Expr::In { .. } | Expr::Like(..)) => {
                        next.extend(self.value_for(doc, unit, name, group, want));
                    }
                    (_, group) => next.extend(self.solve(doc, unit, group[0], want)),
                }
            }
            // Something of each earlier alternative remains.
            next.truncate(WIDTH * 3);
            docs = next;
        }
        docs
    }

    /// Gives one part the truth value `want`.
    fn one(&self, doc: &Document, unit: &Unit, whole: &Expr, parts: &[Expr], want: bool) -> Vec<Document> {
        if let Some(name) = single_name(whole)
            && matches!(self.meaning(doc, unit, name), Meaning::Elements(_))
        {
            return self.value_for(doc, unit, name, &[whole], want);
        }
        in_turn(parts.iter().map(|p| self.solve(doc, unit, p, want).into_iter().take(WIDTH * 2).collect()).collect())
    }

    /// Gives the elements of a name a value with which conditions about that name alone have the truth value `want`.
    fn value_for(&self, doc: &Document, unit: &Unit, name: &str, parts: &[&Expr], want: bool) -> Vec<Document> {
        let Meaning::Elements(target) = self.meaning(doc, unit, name) else { return self.blind_parts(doc, unit, parts, want) };
        let Some(kind) = target.kind(doc) else { return Vec::new() };
        let fits = |value: Option<&str>| parts.iter().all(|p| self.constant(p, value, kind.base()) == want);
        let texts = target.texts(doc);
        let read_as = self.absent_reads(&target.tree(doc).format.node(target.node).name);
        let now = if texts.is_empty() { fits(read_as) } else { texts.iter().any(|t| fits(Some(t))) };
        let mut out = Vec::new();
        if now {
            out.push(doc.clone());
        }
        let mut good: Vec<String> = Vec::new();
        for value in self.pool(doc, &target, parts) {
            if good.len() >= VALUES {
                break;
            }
            if !texts.contains(&value.as_str()) && !good.contains(&value) && fits(Some(&value)) {
                good.push(value);
            }
        }
        for value in good {
            out.extend(self.given(doc, &target, &value));
        }
        if !target.ways.is_empty() && fits(read_as) {
            out.push(self.without(doc, &target));
        }
        out
    }

    fn blind_parts(&self, doc: &Document, unit: &Unit, parts: &[&Expr], want: bool) -> Vec<Document> {
        let mut docs = vec![doc.clone()];
        for part in parts {
            docs = docs.iter().flat_map(|d| self.solve(d, unit, part, want)).take(WIDTH).collect();
        }
        docs
    }

    /// Changes a comparison: to the value that it asks for, else to near ones.
    fn atom(&self, doc: &Document, unit: &Unit, expr: &Expr, want: bool) -> Vec<Document> {
        if let Some(name) = single_name(expr)
            && let Meaning::Elements(_) = self.meaning(doc, unit, name)
        {
            return self.value_for(doc, unit, name, &[expr], want);
        }
        let mut out = Vec::new();
        if self.truth(doc, unit, expr) == want {
            out.push(doc.clone());
        }
        if let Expr::Compare(op, left, right) = expr {
            let op = if want { *op } else { opposite(*op) };
            for (term, other, op) in [(left, right, op), (right, left, mirrored(op))] {
                // The addends may be wrong instead of the sum.
                let name = match term {
                    Term::Ref(name) => name,
                    Term::Call(call) if call.name == "SUM" => match call.args.first() {
                        Some(Arg::Term(Term::Ref(name)) | Arg::Where(name, _)) => name,
                        _ => continue,
                    },
                    _ => continue,
                };
                for value in self.values(doc, unit, other).iter().take(3) {
                    out.extend(self.toward(doc, unit, &name.name, op, value));
                }
            }
        }
        let mut names = Vec::new();
        names_of(expr, &mut names);
        let fitting = |name: &str| self.perturbed(doc, unit, name).into_iter().filter(|d| self.truth(d, unit, expr) == want).collect::<Vec<_>>();
        out.extend(in_turn(names.into_iter().map(fitting).collect()));
        out
    }

    /// Documents in which a name has a value that satisfies the comparison with `value`.
    fn toward(&self, doc: &Document, unit: &Unit, name: &str, op: CompareOp, value: &str) -> Vec<Document> {
        let target = match self.meaning(doc, unit, name) {
            Meaning::Elements(target) => target,
            Meaning::Part(part) if op == CompareOp::Eq => return self.renamed(doc, part, value).into_iter().collect(),
            _ => return Vec::new(),
        };
        let Some(kind) = target.kind(doc) else { return Vec::new() };
        let values: Vec<String> = match kind.base() {
            Base::Date => {
                let Some(day) = iso_date(value.as_bytes()) else { return Vec::new() };
                let days = match op {
                    CompareOp::Eq => vec![day],
                    CompareOp::Ne => vec![day.day_before(), day.day_after()],
                    CompareOp::Lt => vec![day.day_before(), years_before(day, 1)],
                    CompareOp::Le => vec![day, day.day_before()],
                    CompareOp::Gt => vec![day.day_after(), add_years(day, 1)],
                    CompareOp::Ge => vec![day, day.day_after()],
                };
                days.iter().map(Date::to_string).collect()
            }
            Base::Number => {
                let Some(number) = Decimal::parse(value.as_bytes()) else { return Vec::new() };
                let one = Decimal::whole(1);
                let less = || if number > one { number.minus(one) } else { Decimal::ZERO };
                let numbers = match op {
                    CompareOp::Eq => vec![number],
                    CompareOp::Ne => vec![number.plus(one), less()],
                    CompareOp::Lt => vec![less(), Decimal::ZERO],
                    CompareOp::Le => vec![number, less()],
                    CompareOp::Gt => vec![number.plus(one)],
                    CompareOp::Ge => vec![number, number.plus(one)],
                };
                numbers.into_iter().map(|n| formatted(n, kind)).collect()
            }
            Base::Text => {
                let mut values = if matches!(op, CompareOp::Eq | CompareOp::Le | CompareOp::Ge) { vec![value.to_owned()] } else { Vec::new() };
                let fits = |text: &&str| holds(op, Some(text.as_bytes().cmp(value.as_bytes())));
                let path = &target.tree(doc).format.node(target.node).path;
                values.extend(self.stock.texts(path).filter(fits).take(4).map(str::to_owned));
                values.extend(self.codes(doc, &target).iter().map(String::as_str).filter(fits).take(4).map(str::to_owned));
                if values.is_empty() {
                    values.extend(nearby(value, kind));
                }
                values
            }
        };
        values.iter().flat_map(|v| self.given(doc, &target, v)).collect()
    }

    /// Documents with other values of a name.
    fn perturbed(&self, doc: &Document, unit: &Unit, name: &str) -> Vec<Document> {
        let target = match self.meaning(doc, unit, name) {
            Meaning::Elements(target) => target,
            Meaning::Part(part) => {
                let values: &[&str] = match part {
                    FilePart::Pi | FilePart::Pp => &["S", "T", "M"],
                    FilePart::Ni => &["140099"],
                    FilePart::Np => &["14099"],
                    _ => &[],
                };
                return values.iter().filter_map(|v| self.renamed(doc, part, v)).collect();
            }
            Meaning::Nothing => return Vec::new(),
        };
        let Some(kind) = target.kind(doc) else { return Vec::new() };
        let mut values: Vec<String> = Vec::new();
        let path = &target.tree(doc).format.node(target.node).path;
        values.extend(self.stock.texts(path).take(6).map(str::to_owned));
        for text in target.texts(doc) {
            match kind.base() {
                Base::Date => {
                    if let Some(day) = iso_date(text.as_bytes()) {
                        let days = [day.day_before(), day.day_after(), years_before(day, 1), add_years(day, 1)];
                        let years = [3u16, 10, 18, 25, 40, 60].iter().flat_map(|n| [years_before(day, *n), add_years(day, *n)]);
                        values.extend(days.into_iter().chain(years).map(|d| d.to_string()));
                        values.extend([Role::AccountDate, Role::CaseTo].into_iter().filter_map(|r| doc.main.role(r)).map(str::to_owned));
                    }
                }
                Base::Number => {
                    if let Some(number) = Decimal::parse(text.as_bytes()) {
                        let one = Decimal::whole(1);
                        let less = if number > one { number.minus(one) } else { Decimal::ZERO };
                        values.extend([number.plus(one), less, Decimal::ZERO, number.plus(number)].map(|n| formatted(n, kind)));
                    }
                }
                Base::Text => values.extend(nearby(text, kind)),
            }
        }
        if values.is_empty() {
            values.push(typical(kind));
        }
        values.extend(self.codes(doc, &target).into_iter().take(6));
        let mut out: Vec<Document> = values.iter().flat_map(|v| self.given(doc, &target, v)).collect();
        if !target.ways.is_empty() {
            out.push(self.without(doc, &target));
        }
        out
    }

    fn presence(&self, doc: &Document, unit: &Unit, names: &[Ref], present: bool, want: bool) -> Vec<Document> {
        let one = |doc: &Document, name: &Ref, stand: bool| -> Vec<Document> {
            let Meaning::Elements(target) = self.meaning(doc, unit, &name.name) else { return Vec::new() };
            match (stand, target.ways.is_empty()) {
                (true, false) | (false, true) => vec![doc.clone()],
                (true, true) => self.added(doc, &target),
                (false, false) => vec![self.without(doc, &target)],
            }
        };
        if want {
            let mut docs = vec![doc.clone()];
            for name in names {
                docs = docs.iter().flat_map(|d| one(d, name, present)).take(WIDTH * 2).collect();
            }
            return docs;
        }
        names.iter().flat_map(|name| one(doc, name, !present)).collect()
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one quantified condition")]
    fn quantified(&self, doc: &Document, unit: &Unit, block: &Ref, within: Option<&Ref>, condition: &Expr, exists: bool, cond: bool) -> Vec<Document> {
        let mut outer = unit.clone();
        if let Some(within) = within {
            let tree = &doc.main;
            let above = (0..=unit.scope.len()).rev().map(|n| &unit.scope[..n]);
            let mut above = above.filter(|w| tree.root.at(w).is_some_and(|e| *tree.format.node(e.node).name == *within.name));
            if let Some(way) = above.next() {
                outer.scope = way.to_vec();
            }
        }
        let Meaning::Elements(target) = self.meaning(doc, &outer, &block.name) else { return Vec::new() };
        let inner = |way: &Way| Unit { scope: way.clone(), of_persons: false, element: target.node, occurrence: None };
        let is_value = target.kind(doc).is_some();
        let mut out = Vec::new();
        if exists {
            for way in &target.ways {
                let unit = if is_value { unit.clone() } else { inner(way) };
                out.extend(self.solve(doc, &unit, condition, cond));
            }
            for with in self.added(doc, &target) {
                for way in with.main.below(&target.anchor, target.node) {
                    if !target.ways.contains(&way) || target.ways.is_empty() {
                        let unit = if is_value { unit.clone() } else { inner(&way) };
                        out.extend(self.solve(&with, &unit, condition, cond).into_iter().take(WIDTH));
                    }
                }
            }
            return out;
        }
        let mut docs = vec![doc.clone()];
        for way in &target.ways {
            let unit = if is_value { unit.clone() } else { inner(way) };
            docs = docs.iter().flat_map(|d| self.solve(d, &unit, condition, !cond)).take(WIDTH * 2).collect();
        }
        out.extend(docs);
        if !target.ways.is_empty() {
            out.push(self.without(doc, &target));
        }
        out
    }

    fn call(&self, doc: &Document, unit: &Unit, call: &Call, want: bool) -> Vec<Document> {
        match call.name.as_str() {
            "BOOK" | "INBOOK" => {
                let (name, at) = match (call.name.as_str(), call.args.first()) {
                    ("INBOOK", Some(Arg::Term(Term::Ref(name)))) => (name.name.clone(), 1),
                    _ => (own_name(doc, unit), 0),
                };
                let mut names = Vec::new();
                if let Some(Arg::Term(term)) = call.args.get(at) {
                    term_names(term, &mut names);
                }
                let Some((book, field)) = names.first().map(|n| n.split_once('.').unwrap_or((n, ""))) else { return Vec::new() };
                let Some(book) = self.books.get(book) else { return Vec::new() };
                let of_rubrics = self.conventions.by_rubric.iter().find(|(id, _)| id.eq_ignore_ascii_case(&book.info().id)).map(|(_, field)| field.as_str());
                let field = if names.len() > 1 { "" } else { field };
                let field = [field, of_rubrics.unwrap_or_default()].into_iter().find(|f| !f.is_empty()).map_or(Some(book.key()), |f| book.field(f));
                let (Some(field), Meaning::Elements(target)) = (field, self.meaning(doc, unit, &name)) else { return Vec::new() };
                let on = self.day_of(doc, unit, book);
                let index = book.index(field);
                let mut out = Vec::new();
                // Some reference books are matched by the rubric of a diagnosis.
                let holds = |v: &str| on.is_none_or(|d| index.holds(v, d) || rubric(v).is_some_and(|r| index.holds(r, d)));
                let fits = |v: &str| holds(v) == want;
                if target.texts(doc).iter().any(|t| fits(t)) {
                    out.push(doc.clone());
                }
                let Some(kind) = target.kind(doc) else { return out };
                let mut values = Vec::new();
                if want {
                    let path = &target.tree(doc).format.node(target.node).path;
                    values.extend(self.stock.texts(path).filter(|t| fits(t)).map(str::to_owned));
                    values.extend(book.rows().map(|r| book.value(r, field).to_owned()).filter(|v| fits(v)).take(VALUES));
                } else {
                    values.extend(unknown_codes(kind).into_iter().filter(|v| fits(v)));
                    values.extend(book.rows().map(|r| book.value(r, field).to_owned()).filter(|v| fits(v)).take(3));
                }
                values.truncate(VALUES);
                out.extend(values.iter().flat_map(|v| self.given(doc, &target, v)));
                // The code may be right, but the day wrong.
                if let (true, Meaning::Elements(date), Some(day)) = (want, self.meaning(doc, unit, book.info().on.element()), doc.main.role(Role::CaseTo)) {
                    out.extend(self.given(doc, &date, day));
                }
                out
            }
            "BOOKROW" => self.book_row(doc, unit, call, want),
            "NEWBORN" => {
                let names: Vec<&str> = call.args.iter().filter_map(|a| if let Arg::Term(Term::Ref(r)) = a { Some(r.name.as_str()) } else { None }).collect();
                let [mark, sex, birth] = names.as_slice() else { return Vec::new() };
                let Meaning::Elements(target) = self.meaning(doc, unit, mark) else { return Vec::new() };
                let text = |name: &str| self.values(doc, unit, &Term::Ref(Ref::new(name))).into_iter().next().unwrap_or_default();
                let day = text(birth);
                let date: String = match day.split('-').collect::<Vec<_>>().as_slice() {
                    [y, m, d] if y.len() == 4 => format!("{d}{m}{}", &y[2..]),
                    _ => String::new(),
                };
                let good = [format!("{}{date}1", text(sex)), "0".to_owned()];
                let bad = ["201010109".to_owned(), format!("{}0101991", text(sex)), "3".to_owned()];
                if want { good.iter() } else { bad.iter() }.flat_map(|v| self.given(doc, &target, v)).collect()
            }
            "LEN" | "MASK" | "CHARSET" | "DIGITS" | "DECIMAL" | "DATE" | "TIDY" | "CHECKDIGIT" | "ENDS" => self.form(doc, unit, call, want),
            "FIRST" => {
                let Meaning::Elements(target) = self.meaning(doc, unit, &own_name(doc, unit)) else { return Vec::new() };
                let Some(text) = target.texts(doc).first().map(|t| (*t).to_owned()) else { return vec![doc.clone()] };
                if want {
                    return vec![doc.clone()];
                }
                let mut twice = self.added(doc, &target);
                for doc in &mut twice {
                    let ways = target.tree(doc).below(&target.anchor, target.node);
                    ways.iter().for_each(|way| target.tree_mut(doc).set(way, &text));
                }
                twice
            }
            _ => Vec::new(),
        }
    }

    /// Changes the form of a value: to a typical one, or to malformed ones.
    fn form(&self, doc: &Document, unit: &Unit, call: &Call, want: bool) -> Vec<Document> {
        let Some(Arg::Term(Term::Ref(name))) = call.args.first() else { return Vec::new() };
        let Meaning::Elements(target) = self.meaning(doc, unit, &name.name) else { return Vec::new() };
        let Some(kind) = target.kind(doc) else { return Vec::new() };
        let path = &target.tree(doc).format.node(target.node).path;
        let now = target.texts(doc).into_iter().next().unwrap_or("1").to_owned();
        let mut values: Vec<String> = Vec::new();
        if want {
            values.extend(self.stock.texts(path).take(4).map(str::to_owned));
            values.push(typical(kind));
            for arg in call.args.iter().skip(1).filter(|_| call.name == "ENDS") {
                values.extend(if let Arg::Term(Term::Text(end)) = arg { Some(format!("{now}{}", end.to_uppercase())) } else { None });
            }
            if let ("DIGITS", Some(Arg::Term(Term::Number(n)))) = (call.name.as_str(), call.args.get(1)) {
                values.push("1".repeat(n.parse().unwrap_or(1)));
            }
        } else {
            let most = kind.lengths().1.min(2000);
            values.extend([
                format!("{now}#"),
                format!("0{now}"),
                "1".repeat(most + 1),
                "#".to_owned(),
                "x1".to_owned(),
                format!("{now}~"),
                format!("{now}0"),
                "ы".to_owned(),
            ]);
            values.extend([format!("{now}.5"), now.chars().take(now.chars().count().saturating_sub(1)).collect()]);
            values.push("q".repeat(most + 1));
            values.extend([format!("{now} "), format!(" {now}")].into_iter().filter(|_| call.name == "TIDY"));
            // Another last digit, of a known number too.
            let known = self.stock.texts(path).take(4).chain([now.as_str()]);
            values.extend(known.filter(|_| call.name == "CHECKDIGIT").filter_map(with_another_last_digit));
        }
        values.retain(|v| !v.is_empty());
        values.iter().flat_map(|v| self.given(doc, &target, v)).collect()
    }

    fn book_row(&self, doc: &Document, unit: &Unit, call: &Call, want: bool) -> Vec<Document> {
        let Some(Arg::Term(Term::Ref(book))) = call.args.first() else { return Vec::new() };
        let Some(book) = self.books.get(&book.name) else { return Vec::new() };
        let pairs: Vec<_> =
            call.args.iter().filter_map(|a| if let Arg::Field(f, Term::Ref(r)) = a { Some((book.field(&f.name)?, r.name.as_str())) } else { None }).collect();
        let on = self.day_of(doc, unit, book);
        let mut rows: Vec<_> = book.rows().filter(|r| on.is_none_or(|d| book.valid(*r, d))).collect();
        let now: Vec<Vec<String>> = pairs.iter().map(|(_, name)| self.values(doc, unit, &Term::Ref(Ref::new(*name)))).collect();
        let agree = |row: &crate::nsi::RowIx| pairs.iter().zip(&now).filter(|((f, _), now)| now.iter().any(|n| is_or_covers(book.value(*row, *f), n))).count();
        let mut out = Vec::new();
        if !want {
            for (field, name) in pairs.iter().rev() {
                let Meaning::Elements(target) = self.meaning(doc, unit, name) else { continue };
                if pairs.len() == 1 {
                    let path = &target.tree(doc).format.node(target.node).path;
                    let unknown = self.stock.texts(path).filter(|t| !rows.iter().any(|r| is_or_covers(book.value(*r, *field), t)));
                    out.extend(unknown.take(8).flat_map(|v| self.given(doc, &target, v)));
                }
                let mut values: Vec<&str> = rows.iter().map(|r| book.value(*r, *field)).collect();
                values.sort_unstable();
                values.dedup();
                values.retain(|v| !target.texts(doc).contains(v));
                out.extend(values.iter().take(8).flat_map(|v| self.given(doc, &target, v)));
            }
            return out;
        }
        rows.sort_by_key(|r| std::cmp::Reverse(agree(r)));
        for row in rows.into_iter().take(VALUES) {
            let mut docs = vec![doc.clone()];
            for (field, name) in &pairs {
                docs = docs
                    .iter()
                    .flat_map(|d| match self.meaning(d, unit, name) {
                        Meaning::Elements(t) if t.texts(d).iter().any(|n| is_or_covers(book.value(row, *field), n)) => vec![d.clone()],
                        Meaning::Elements(t) => self.given(d, &t, book.value(row, *field)),
                        _ => Vec::new(),
                    })
                    .take(2)
                    .collect();
            }
            out.extend(docs);
        }
        out
    }

    /// Documents with a value at a target: in the first element and in all of them, or in an added one.
    fn given(&self, doc: &Document, target: &Target, value: &str) -> Vec<Document> {
        if target.ways.is_empty() {
            let mut added = self.added(doc, target);
            added.truncate(3);
            for doc in &mut added {
                let ways = target.tree(doc).below(&target.anchor, target.node);
                for way in ways {
                    target.tree_mut(doc).set(&way, value);
                }
            }
            return added;
        }
        let mut first = doc.clone();
        target.tree_mut(&mut first).set(&target.ways[0], value);
        if target.ways.len() == 1 {
            return vec![first];
        }
        let mut every = doc.clone();
        for way in &target.ways {
            target.tree_mut(&mut every).set(way, value);
        }
        vec![first, every]
    }

    /// Documents with one more element, and the missing blocks around it.
    fn added(&self, doc: &Document, target: &Target) -> Vec<Document> {
        let tree = target.tree(doc);
        let format = &tree.format;
        let Some(mut top) = tree.root.at(&target.anchor).map(|e| e.node) else { return Vec::new() };
        // Nodes from the child of the anchor down to the element.
        let mut chain = Vec::new();
        let mut at = target.node;
        while at != top {
            chain.push(at);
            match format.node(at).parent {
                Some(parent) => at = parent,
                None => return Vec::new(),
            }
        }
        let mut out = Vec::new();
        let Some(first) = chain.pop() else { return Vec::new() };
        let day = doc.main.role(Role::CaseTo).unwrap_or("2019-01-15");
        for elem in self.stock.build(format, first, 6, day) {
            let mut with = doc.clone();
            let tree = target.tree_mut(&mut with);
            let Some(mut way) = tree.insert(&target.anchor, elem) else { continue };
            top = first;
            for node in chain.iter().rev() {
                let there = tree.below(&way, *node).into_iter().find(|w| w.len() == way.len() + 1);
                way = match there {
                    Some(way) => way,
                    None => match tree.insert(&way, self.stock.bare(format, *node, day)) {
                        Some(way) => way,
                        None => break,
                    },
                };
                top = *node;
            }
            if top == target.node {
                out.push(with);
            }
        }
        out
    }

    fn without(&self, doc: &Document, target: &Target) -> Document {
        let mut without = doc.clone();
        for way in target.ways.iter().rev() {
            target.tree_mut(&mut without).remove(way);
        }
        without
    }

    /// The package with a part (`Ni`, `Np`) of its names replaced; `None` if the part is unknown or a name has another form.
    pub fn named(&self, doc: &Document, part: &str, value: &str) -> Option<Document> {
        self.renamed(doc, file_part(part)?, value)
    }

    /// The package with a part of its names replaced.
    fn renamed(&self, doc: &Document, part: FilePart, value: &str) -> Option<Document> {
        // Files exchanged between funds do not state their names.
        let name = doc.main.role(Role::FileName).unwrap_or(&doc.main.name);
        let renamed = with_part(name, part, value)?;
        let mut doc = doc.clone();
        renamed.clone_into(&mut doc.main.name);
        doc.main.set_role(Role::FileName, &renamed);
        if let Some(tree) = &mut doc.persons {
            let persons = with_part(tree.role(Role::FileName)?, part, value)?;
            persons.clone_into(&mut tree.name);
            tree.set_role(Role::MainName, &renamed);
            tree.set_role(Role::FileName, &persons);
        }
        Some(doc)
    }

    /// Values to try for an element: those of valid documents, those in the conditions and their neighbours, codes of its book.
    fn pool(&self, doc: &Document, target: &Target, parts: &[&Expr]) -> Vec<String> {
        let Some(kind) = target.kind(doc) else { return Vec::new() };
        let path = &target.tree(doc).format.node(target.node).path;
        let mut out: Vec<String> = self.stock.texts(path).map(str::to_owned).collect();
        let mut literals = Vec::new();
        for part in parts {
            literals_of(part, &mut literals);
        }
        match kind.base() {
            Base::Number => {
                for number in literals.iter().filter_map(|l| Decimal::parse(l.as_bytes())) {
                    let one = Decimal::whole(1);
                    let less = if number > one { number.minus(one) } else { Decimal::ZERO };
                    out.extend([number, number.plus(one), less].map(|n| formatted(n, kind)));
                }
                out.extend(["0", "1", "2", "3", "4", "5", "9"].map(|n| Decimal::parse(n.as_bytes()).map_or_else(String::new, |n| formatted(n, kind))));
                out.extend(["999", "9999"].map(str::to_owned));
            }
            Base::Date => out.extend(literals),
            Base::Text => {
                for literal in &literals {
                    out.push(literal.clone());
                    out.extend(nearby(literal, kind));
                }
            }
        }
        out.extend(self.codes(doc, target));
        out.extend(unknown_codes(kind));
        out
    }

    /// Codes of the reference book that the format names for an element.
    fn codes(&self, doc: &Document, target: &Target) -> Vec<String> {
        let node = target.tree(doc).format.node(target.node);
        let (book, field) = node.book.split_once('.').unwrap_or((&node.book, ""));
        let Some(book) = self.books.get(book) else { return Vec::new() };
        let field = book.field(field).unwrap_or_else(|| book.key());
        let on = doc.main.role(Role::AccountDate).and_then(Date::parse);
        book.rows().filter(|r| on.is_none_or(|d| book.valid(*r, d))).map(|r| book.value(r, field).to_owned()).collect()
    }

    fn day_of(&self, doc: &Document, unit: &Unit, book: &Book) -> Option<Date> {
        let named = self.values(doc, unit, &Term::Ref(Ref::new(book.info().on.element())));
        named.first().and_then(|t| Date::parse(t)).or_else(|| Date::parse(doc.main.role(Role::AccountDate)?))
    }

    fn absent_reads(&self, name: &str) -> Option<&'static str> {
        self.conventions.absent_reads.iter().any(|(n, value)| n == name && *value == 0).then_some("0")
    }

    /// The meaning of a name at a unit.
    fn meaning(&self, doc: &Document, unit: &Unit, name: &str) -> Meaning {
        let own = &*doc.main.format;
        let persons = doc.persons.as_ref().map(|tree| &*tree.format);
        let last = name.rsplit(['.', '/']).next().unwrap_or(name);
        let of_persons = |node: NodeId| {
            let ways = match &unit.occurrence {
                Some(way) if unit.of_persons && unit.element == node => vec![way.clone()],
                _ => doc.tree(true).below(&[], node),
            };
            Meaning::Elements(Target { of_persons: true, node, ways, anchor: anchor(doc.tree(true), &[], node) })
        };
        if let (true, Some(persons)) = (unit.of_persons, persons) {
            let block = persons.node(unit.element).parent;
            let around = std::iter::successors(block, |b| persons.node(*b).parent).chain(persons.role(Role::Header));
            let mut around = around.flat_map(|b| persons.node(b).children.iter().copied());
            if let Some(node) = around.find(|c| *persons.node(*c).name == *last) {
                return of_persons(node);
            }
        }
        let Some(scope) = doc.main.root.at(&unit.scope) else { return Meaning::Nothing };
        match (Names { own, persons }).find(name, scope.node) {
            Found::File(part) => Meaning::Part(part),
            Found::Person(node) => of_persons(node),
            Found::Own(node) => {
                if let Some(way) = unit.occurrence.as_ref().filter(|_| !unit.of_persons && unit.element == node) {
                    return Meaning::Elements(Target { of_persons: false, node, ways: vec![way.clone()], anchor: unit.scope.clone() });
                }
                let mut top = unit.scope.as_slice();
                while !doc.main.root.at(top).is_some_and(|e| own.is_within(node, e.node)) {
                    top = match top.split_last() {
                        Some((_, rest)) => rest,
                        None => return Meaning::Nothing,
                    };
                }
                Meaning::Elements(Target { of_persons: false, node, ways: doc.main.below(top, node), anchor: anchor(&doc.main, top, node) })
            }
            Found::Unknown => Meaning::Nothing,
        }
    }

    /// The values of a term, as texts.
    fn values(&self, doc: &Document, unit: &Unit, term: &Term) -> Vec<String> {
        match term {
            Term::Ref(name) => match self.meaning(doc, unit, &name.name) {
                Meaning::Elements(target) => {
                    let texts = target.texts(doc);
                    if texts.is_empty() {
                        let name = &target.tree(doc).format.node(target.node).name;
                        return self.absent_reads(name).into_iter().map(str::to_owned).collect();
                    }
                    texts.into_iter().map(str::to_owned).collect()
                }
                Meaning::Part(part) => part_of(doc.main.role(Role::FileName).unwrap_or(&doc.main.name), part).into_iter().collect(),
                Meaning::Nothing => Vec::new(),
            },
            Term::Number(text) | Term::Text(text) => vec![text.clone()],
            Term::Arithmetic(op, left, right) => {
                let number = |term| self.values(doc, unit, term).first().and_then(|v| Decimal::parse(v.as_bytes()));
                let (left, right) = (number(left).unwrap_or_default(), number(right).unwrap_or_default());
                match op {
                    ArithmeticOp::Plus => vec![left.plus(right).to_string()],
                    ArithmeticOp::Minus if left >= right => vec![left.minus(right).to_string()],
                    ArithmeticOp::Minus => Vec::new(),
                }
            }
            Term::Call(call) => self.called(doc, unit, call),
        }
    }

    fn called(&self, doc: &Document, unit: &Unit, call: &Call) -> Vec<String> {
        let argument = |n: usize| match call.args.get(n) {
            Some(Arg::Term(term)) => self.values(doc, unit, term),
            _ => Vec::new(),
        };
        let day = |n: usize| argument(n).first().and_then(|t| iso_date(t.as_bytes()));
        let named = |name: &str| self.values(doc, unit, &Term::Ref(Ref::new(name)));
        match call.name.as_str() {
            "AGE" => {
                let birth = doc.tree(true).role(Role::Birth).and_then(|t| iso_date(t.as_bytes()));
                birth.zip(day(0)).map(|(b, d)| full_years(b, d).to_string()).into_iter().collect()
            }
            "AGE_YEARS" => day(0).zip(day(1)).map(|(b, d)| full_years(b, d).to_string()).into_iter().collect(),
            "YEAR" => argument(0).iter().filter_map(|t| iso_date(t.as_bytes())).map(|d| d.parts().0.to_string()).collect(),
            "MONTH" => argument(0).iter().filter_map(|t| iso_date(t.as_bytes())).map(|d| d.parts().1.to_string()).collect(),
            "ADDYEARS" => {
                let years = argument(1).first().and_then(|t| t.parse().ok()).unwrap_or(0);
                day(0).map(|d| add_years(d, years).to_string()).into_iter().collect()
            }
            "DAYS" => day(0).zip(day(1)).map(|(from, to)| to.days_since(from).to_string()).into_iter().collect(),
            "LASTCHAR" => argument(0).iter().filter_map(|t| t.chars().last()).map(String::from).collect(),
            "TODAY" => vec![self.today.to_string()],
            "MAIN" => argument(0),
            "MAINFILE_TYPE" => vec![book_letter(&doc.main.format).to_string()],
            "PERIOD" => {
                let months = |year: &str, month: &str| Some((year.parse::<u32>().ok()? * 12 + month.parse::<u32>().ok()?).to_string());
                let period = match call.args.first() {
                    Some(Arg::Term(Term::Text(text))) => text.split_once('-').and_then(|(y, m)| months(y, m)),
                    _ => doc.main.role(Role::Year).zip(doc.main.role(Role::Month)).and_then(|(y, m)| months(y, m)),
                };
                period.into_iter().collect()
            }
            "SUM" => {
                let (name, condition) = match call.args.first() {
                    Some(Arg::Term(Term::Ref(name))) => (name, None),
                    Some(Arg::Where(name, condition)) => (name, Some(condition)),
                    _ => return Vec::new(),
                };
                let Meaning::Elements(target) = self.meaning(doc, unit, &name.name) else { return Vec::new() };
                let mut sum = Decimal::ZERO;
                for way in &target.ways {
                    let block = way.split_last().map_or(&[][..], |(_, rest)| rest);
                    let unit = Unit { scope: block.to_vec(), of_persons: false, element: target.node, occurrence: None };
                    if condition.is_none_or(|c| self.truth(doc, &unit, c)) {
                        let text = target.tree(doc).root.at(way).map_or("", |e| e.text.as_str());
                        sum = sum.plus(Decimal::parse(text.as_bytes()).unwrap_or_default());
                    }
                }
                vec![sum.to_string()]
            }
            "COUNT" => match call.args.first() {
                Some(Arg::Term(Term::Ref(name))) => match self.meaning(doc, unit, &name.name) {
                    Meaning::Elements(target) => vec![target.ways.len().to_string()],
                    _ => Vec::new(),
                },
                _ => Vec::new(),
            },
            "BOOK1" => {
                let Some(Arg::Term(Term::Ref(book))) = call.args.first() else { return Vec::new() };
                let Some(book) = self.books.get(&book.name) else { return Vec::new() };
                let Some(Arg::Term(Term::Ref(wanted))) = call.args.last() else { return Vec::new() };
                let Some(wanted) = book.field(&wanted.name) else { return Vec::new() };
                let on = self.day_of(doc, unit, book);
                let keys: Vec<_> = call
                    .args
                    .iter()
                    .filter_map(|a| if let Arg::Field(f, Term::Ref(r)) = a { Some((book.field(&f.name)?, named(&r.name))) } else { None })
                    .collect();
                let fits = |row: &crate::nsi::RowIx| {
                    on.is_none_or(|d| book.valid(*row, d)) && keys.iter().all(|(f, values)| values.iter().any(|v| v == book.value(*row, *f)))
                };
                book.rows().filter(fits).map(|r| book.value(r, wanted).to_owned()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether a condition holds, precisely enough to choose among guesses.
    fn truth(&self, doc: &Document, unit: &Unit, expr: &Expr) -> bool {
        match expr {
            Expr::And(parts) => parts.iter().all(|p| self.truth(doc, unit, p)),
            Expr::Or(parts) => parts.iter().any(|p| self.truth(doc, unit, p)),
            Expr::Not(inner) => !self.truth(doc, unit, inner),
            Expr::Compare(op, left, right) => {
                let (l, r) = (self.values(doc, unit, left), self.values(doc, unit, right));
                let base = self.base(doc, unit, left, right);
                let short = [left, right].iter().any(|t| matches!(t, Term::Ref(r) if r.name.trim_start_matches("FILE.") == "YY"));
                let ordering = |a: &str, b: &str| if short { tail(a).cmp(tail(b)).into() } else { order(base, a, b) };
                if *op == CompareOp::Ne {
                    return !l.iter().any(|a| r.iter().any(|b| ordering(a, b) == Some(Ordering::Equal)));
                }
                l.iter().any(|a| r.iter().any(|b| holds(*op, ordering(a, b))))
            }
            Expr::In { term, set, negated } => {
                let base = self.base(doc, unit, term, term);
                self.values(doc, unit, term).iter().any(|v| self.in_set(set, v, base)) != *negated
            }
            Expr::Like(term, pattern) => self.values(doc, unit, term).iter().any(|v| v.starts_with(pattern.trim_end_matches('*'))),
            Expr::Present(names) => names.iter().all(|n| self.stands(doc, unit, n)),
            Expr::Absent(names) => !names.iter().any(|n| self.stands(doc, unit, n)),
            Expr::Quantified { .. } | Expr::Call(_) => false,
        }
    }

    /// A score of how much a document already has of what a rule needs: its block, its elements, parts of its condition that hold.
    pub fn closeness(&self, doc: &Document, row: &RuleRow) -> usize {
        let units = self.units(doc, row);
        let there = units.iter().any(|(d, _)| same(d, doc));
        let exprs = || row.when.iter().chain(&row.require);
        let mut best = 0;
        for (with, unit) in units.iter().take(4) {
            let mut score = 0;
            for expr in exprs() {
                let mut atoms = Vec::new();
                atoms_of(expr, &mut atoms);
                score += atoms.iter().filter(|a| self.truth(with, unit, a)).count() * 2;
                let mut names = Vec::new();
                atoms.iter().for_each(|a| names_of(a, &mut names));
                score += names.iter().filter(|n| self.stands(with, unit, &Ref::new(**n))).count();
            }
            best = best.max(score);
        }
        best + usize::from(there) * 3
    }

    fn stands(&self, doc: &Document, unit: &Unit, name: &Ref) -> bool {
        matches!(self.meaning(doc, unit, &name.name), Meaning::Elements(t) if !t.ways.is_empty())
    }

    fn base(&self, doc: &Document, unit: &Unit, left: &Term, right: &Term) -> Base {
        let of = |term: &Term| match term {
            Term::Ref(name) => match self.meaning(doc, unit, &name.name) {
                Meaning::Elements(target) => target.kind(doc).map(ValueType::base),
                Meaning::Part(FilePart::Mm | FilePart::Yy) => Some(Base::Number),
                _ => Some(Base::Text),
            },
            Term::Call(call) => Some(match call.name.as_str() {
                "ADDYEARS" | "TODAY" => Base::Date,
                "LASTCHAR" | "MAIN" | "MAINFILE_TYPE" => Base::Text,
                _ => Base::Number,
            }),
            Term::Arithmetic(..) => Some(Base::Number),
            Term::Number(_) | Term::Text(_) => None,
        };
        of(left).or_else(|| of(right)).unwrap_or(Base::Text)
    }

    fn in_set(&self, set: &Set, value: &str, base: Base) -> bool {
        match set {
            Set::Items(items) => items.iter().any(|item| match item {
                Item::One(one) => order(base, literal(one), value) == Some(Ordering::Equal) || literal(one) == value,
                Item::Range(first, last) => {
                    let number = |t: &str| Decimal::parse(t.as_bytes());
                    number(value).is_some_and(|v| number(literal(first)) <= Some(v) && Some(v) <= number(literal(last)))
                }
            }),
            Set::Named(name) => self.conventions.lists.iter().any(|(id, prefixes)| *id == name.name && prefixes.iter().any(|p| value.starts_with(p.as_str()))),
        }
    }

    /// Whether a condition about one name holds for one value of it; `None` is an absent element.
    fn constant(&self, expr: &Expr, value: Option<&str>, base: Base) -> bool {
        match expr {
            Expr::And(parts) => parts.iter().all(|p| self.constant(p, value, base)),
            Expr::Or(parts) => parts.iter().any(|p| self.constant(p, value, base)),
            Expr::Not(inner) => !self.constant(inner, value, base),
            Expr::Compare(op, left, right) => {
                let Some(value) = value else { return false };
                let text = |term: &Term| match term {
                    Term::Number(t) | Term::Text(t) => t.clone(),
                    _ => value.to_owned(),
                };
                holds(*op, order(base, &text(left), &text(right)))
            }
            Expr::In { set, negated, .. } => value.is_some_and(|v| self.in_set(set, v, base) != *negated),
            Expr::Like(_, pattern) => value.is_some_and(|v| v.starts_with(pattern.trim_end_matches('*'))),
            _ => false,
        }
    }
}

/// The first of each list, then the second of each, and so on.
fn in_turn(lists: Vec<Vec<Document>>) -> Vec<Document> {
    let mut lists: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
    let mut out = Vec::new();
    loop {
        let before = out.len();
        out.extend(lists.iter_mut().filter_map(Iterator::next));
        if out.len() == before {
            return out;
        }
    }
}

/// A number with another last digit; `None` for a text that does not end with a digit.
fn with_another_last_digit(text: &str) -> Option<String> {
    let last = text.chars().last()?.to_digit(10)?;
    Some(format!("{}{}", &text[..text.len() - 1], (last + 1) % 10))
}

/// The letter of the rule book for a family of main files.
fn book_letter(format: &Format) -> char {
    if format.family.0 == 'D' { 'X' } else { format.family.0 }
}

fn same(a: &Document, b: &Document) -> bool {
    a.main.root == b.main.root && a.persons.as_ref().map(|t| &t.root) == b.persons.as_ref().map(|t| &t.root)
}

/// The checked element of a row in a document.
fn element_of(doc: &Document, row: &RuleRow) -> Option<(bool, NodeId)> {
    let own = doc.main.format.find(&row.element).map(|id| (false, id));
    own.or_else(|| doc.persons.as_ref()?.format.find(&row.element).map(|id| (true, id)))
}

fn own_name(doc: &Document, unit: &Unit) -> String {
    let tree = doc.tree(unit.of_persons);
    tree.format.node(unit.element).name.to_string()
}

/// The innermost present block, from a way down, that would hold a node.
fn anchor(tree: &Tree, top: &[usize], node: NodeId) -> Way {
    let mut way = top.to_vec();
    loop {
        let Some(elem) = tree.root.at(&way) else { return top.to_vec() };
        let next = elem
            .children
            .iter()
            .position(|c| c.node != node && matches!(tree.format.node(c.node).content, Content::Block) && tree.format.is_within(node, c.node));
        match next {
            Some(index) => way.push(index),
            None => return way,
        }
    }
}

fn flatten<'e>(parts: &'e [Expr], want: bool, out: &mut Vec<&'e Expr>) {
    for part in parts {
        match (part, want) {
            (Expr::And(inner), true) | (Expr::Or(inner), false) => flatten(inner, want, out),
            (other, _) => out.push(other),
        }
    }
}

/// The only name in a condition whose other terms are constants; `None` for other conditions.
fn single_name(expr: &Expr) -> Option<&str> {
    fn term(term: &Term) -> Result<Option<&str>, ()> {
        match term {
            Term::Ref(name) => Ok(Some(&name.name)),
            Term::Number(_) | Term::Text(_) => Ok(None),
            _ => Err(()),
        }
    }
    fn walk<'e>(expr: &'e Expr, name: &mut Option<&'e str>) -> Result<(), ()> {
        let mut note = |found: Option<&'e str>| match (found, *name) {
            (None, _) => Ok(()),
            (Some(found), Some(known)) if found != known => Err(()),
            (found, _) => {
                *name = found;
                Ok(())
            }
        };
        match expr {
            Expr::And(parts) | Expr::Or(parts) => parts.iter().try_for_each(|p| walk(p, name)),
            Expr::Not(inner) => walk(inner, name),
            Expr::Compare(_, left, right) => {
                let (left, right) = (term(left)?, term(right)?);
                // With two names, neither value is known beforehand.
                if left.is_some() && right.is_some() {
                    return Err(());
                }
                note(left)?;
                note(right)
            }
            Expr::In { term: found, set, .. } if matches!(set, Set::Items(_)) || !matches!(found, Term::Text(_)) => note(term(found)?),
            Expr::Like(found, _) => note(term(found)?),
            _ => Err(()),
        }
    }
    let mut name = None;
    walk(expr, &mut name).ok()?;
    name
}

/// The parts of a condition that are not AND, OR or NOT.
fn atoms_of<'e>(expr: &'e Expr, out: &mut Vec<&'e Expr>) {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|p| atoms_of(p, out)),
        Expr::Not(inner) => atoms_of(inner, out),
        other => out.push(other),
    }
}

fn names_of<'e>(expr: &'e Expr, out: &mut Vec<&'e str>) {
    match expr {
        Expr::Compare(_, left, right) => {
            term_names(left, out);
            term_names(right, out);
            if [left, right].iter().any(|t| matches!(t, Term::Call(c) if c.name == "AGE")) {
                out.insert(0, "DR");
            }
        }
        Expr::In { term, set, .. } => {
            term_names(term, out);
            if let Set::Named(name) = set {
                out.push(&name.name);
            }
        }
        Expr::Like(term, _) => term_names(term, out),
        Expr::Present(names) | Expr::Absent(names) => out.extend(names.iter().map(|n| n.name.as_str())),
        Expr::Quantified { block, condition, .. } => {
            out.push(&block.name);
            names_of(condition, out);
        }
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|p| names_of(p, out)),
        Expr::Not(inner) => names_of(inner, out),
        Expr::Call(call) => call.args.iter().for_each(|a| {
            if let Arg::Term(term) | Arg::Field(_, term) = a {
                term_names(term, out);
            }
        }),
    }
}

fn term_names<'e>(term: &'e Term, out: &mut Vec<&'e str>) {
    match term {
        Term::Ref(name) => out.push(&name.name),
        Term::Arithmetic(_, left, right) => {
            term_names(left, out);
            term_names(right, out);
        }
        Term::Call(call) => {
            for arg in &call.args {
                match arg {
                    Arg::Term(term) | Arg::Field(_, term) => term_names(term, out),
                    Arg::Where(name, _) => out.push(&name.name),
                }
            }
        }
        Term::Number(_) | Term::Text(_) => {}
    }
}

fn literals_of(expr: &Expr, out: &mut Vec<String>) {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|p| literals_of(p, out)),
        Expr::Not(inner) => literals_of(inner, out),
        Expr::Compare(_, left, right) => {
            for term in [left, right] {
                if let Term::Number(text) | Term::Text(text) = term {
                    out.push(text.clone());
                }
            }
        }
        Expr::In { set: Set::Items(items), .. } => {
            for item in items {
                match item {
                    Item::One(one) => out.push(literal(one).to_owned()),
                    Item::Range(first, last) => out.extend([first, last].map(|l| literal(l).to_owned())),
                }
            }
        }
        Expr::Like(_, pattern) => out.push(pattern.trim_end_matches('*').to_owned()),
        _ => {}
    }
}

fn literal(literal: &Literal) -> &str {
    match literal {
        Literal::Number(text) | Literal::Text(text) => text,
    }
}

fn opposite(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq => CompareOp::Ne,
        CompareOp::Ne => CompareOp::Eq,
        CompareOp::Lt => CompareOp::Ge,
        CompareOp::Le => CompareOp::Gt,
        CompareOp::Gt => CompareOp::Le,
        CompareOp::Ge => CompareOp::Lt,
    }
}

fn mirrored(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
        other => other,
    }
}

fn holds(op: CompareOp, ordering: Option<Ordering>) -> bool {
    match (op, ordering) {
        (CompareOp::Ne, ordering) => ordering != Some(Ordering::Equal),
        (_, None) => false,
        (CompareOp::Eq, Some(o)) => o.is_eq(),
        (CompareOp::Lt, Some(o)) => o.is_lt(),
        (CompareOp::Le, Some(o)) => o.is_le(),
        (CompareOp::Gt, Some(o)) => o.is_gt(),
        (CompareOp::Ge, Some(o)) => o.is_ge(),
    }
}

fn order(base: Base, a: &str, b: &str) -> Option<Ordering> {
    let natural_code = |t: &str| t.starts_with(|c: char| c.is_ascii_lowercase()) && t.ends_with(|c: char| c.is_ascii_digit());
    match base {
        Base::Number => Some(Decimal::parse(a.as_bytes())?.cmp(&Decimal::parse(b.as_bytes())?)),
        Base::Date => Some(iso_date(a.as_bytes())?.cmp(&iso_date(b.as_bytes())?)),
        Base::Text if natural_code(a) && natural_code(b) => natural(a.as_bytes(), b.as_bytes()),
        Base::Text => Some(a.as_bytes().cmp(b.as_bytes())),
    }
}

fn tail(text: &str) -> &str {
    text.get(text.len().saturating_sub(2)..).unwrap_or(text)
}

/// A number in the notation of a type.
fn formatted(number: Decimal, kind: &ValueType) -> String {
    let text = number.to_string();
    let masked = || kind.mask().and_then(|m| m.as_str().rsplit_once('.')).map(|(_, after)| after.len());
    match kind.decimal().map(|(_, fraction, _)| usize::from(fraction)).or_else(masked) {
        Some(fraction) => {
            let (whole, after) = text.split_once('.').unwrap_or((&text, ""));
            format!("{whole}.{after:0<fraction$}")
        }
        None => text,
    }
}

/// Texts that are similar to another but differ.
fn nearby(text: &str, kind: &ValueType) -> Vec<String> {
    let mut out = Vec::new();
    if let Some((last, head)) = text.as_bytes().split_last().and_then(|(l, _)| Some((char::from(*l), text.get(..text.len() - 1)?))) {
        let digit = |d: u32| char::from_digit(d, 10).map(|c| format!("{head}{c}"));
        if let Some(n) = last.to_digit(10) {
            out.extend(digit((n + 1) % 10));
            out.extend(digit((n + 9) % 10));
        }
    }
    let first = text.as_bytes().first().copied().unwrap_or(0);
    if first.is_ascii_uppercase() && text.as_bytes().get(1..3).is_some_and(|d| d.iter().all(u8::is_ascii_digit)) {
        out.extend([format!("{text}.1"), format!("{}.9", &text[..3])]);
        if let Ok(n) = text[1..3].parse::<u8>() {
            out.extend([format!("{}{:02}", char::from(first), n.saturating_sub(1)), format!("{}{:02}.0", char::from(first), n + 1)]);
        }
        out.extend(["I10", "J06.9", "C50.4", "C81.1", "D09.0", "D46.9", "D70", "Z00.0"].map(str::to_owned));
    }
    let (shortest, longest) = kind.lengths();
    out.retain(|t| (shortest..=longest).contains(&t.chars().count()));
    out
}

/// The three-character rubric of a diagnosis, if the code is longer.
fn rubric(code: &str) -> Option<&str> {
    code.split_once('.').map(|(rubric, _)| rubric).filter(|r| r.len() == 3)
}

/// Whether a code of a book equals another code or its rubric.
fn is_or_covers(code: &str, other: &str) -> bool {
    code == other || rubric(other) == Some(code)
}

/// Codes that fit a type but are probably in no book.
fn unknown_codes(kind: &ValueType) -> Vec<String> {
    let (shortest, longest) = kind.lengths();
    let mut out = Vec::new();
    if let Some(mask) = kind.mask() {
        for digit in [9u8, 8, 7, 0] {
            out.push(mask.sample(|| true, |bound| digit.min(bound.saturating_sub(1))));
            out.push(mask.sample(|| false, |bound| digit.min(bound.saturating_sub(1))));
        }
        return out;
    }
    for length in [longest.min(8), longest.min(3), shortest.max(1), 2, 1] {
        for digit in ["9", "8", "7"] {
            if (shortest..=longest).contains(&length) {
                out.push(digit.repeat(length));
            }
        }
    }
    if let Some((_, fraction, _)) = kind.decimal() {
        out.insert(0, format!("7.{}", "7".repeat(fraction.into())));
    }
    if kind.base() == Base::Text {
        out.extend(["X99.9".to_owned(), "U99".to_owned(), "zz9.999".to_owned()]);
    }
    out
}

fn years_before(day: Date, years: u16) -> Date {
    let (year, month, number) = day.parts();
    Date::new(year.saturating_sub(years).max(1), month, number.min(28)).unwrap_or(day)
}

/// Positions of the sender, the receiver and the `_` in `HM140001S14002_21021`.
fn split_name(name: &str) -> Option<(usize, usize, usize)> {
    let underscore = name.find('_')?;
    let party = |from: usize, to: usize| name.get(from..to)?.rfind(['M', 'S', 'T']).map(|at| from + at);
    let receiver = party(0, underscore)?;
    let sender = party(0, receiver)?;
    Some((sender, receiver, underscore))
}

fn part_of(name: &str, part: FilePart) -> Option<String> {
    let (sender, receiver, underscore) = split_name(name)?;
    let range = match part {
        FilePart::Pi => sender..sender + 1,
        FilePart::Ni => sender + 1..receiver,
        FilePart::Pp => receiver..receiver + 1,
        FilePart::Np => receiver + 1..underscore,
        FilePart::Yy => underscore + 1..underscore + 3,
        FilePart::Mm => underscore + 3..underscore + 5,
        FilePart::Type => 0..sender,
    };
    name.get(range).map(str::to_owned)
}

fn with_part(name: &str, part: FilePart, value: &str) -> Option<String> {
    let (sender, receiver, underscore) = split_name(name)?;
    let two = format!("{:0>2}", tail(value));
    let (range, text) = match part {
        FilePart::Pi => (sender..receiver, own_party(value, name.get(sender + 1..receiver)?)),
        FilePart::Ni => (sender + 1..receiver, value.to_owned()),
        FilePart::Pp => (receiver..underscore, own_party(value, name.get(receiver + 1..underscore)?)),
        FilePart::Np => (receiver + 1..underscore, value.to_owned()),
        FilePart::Yy => (underscore + 1..underscore + 3, two),
        FilePart::Mm => (underscore + 3..underscore + 5, two),
        FilePart::Type => return None,
    };
    let mut out = name.to_owned();
    out.replace_range(range, &text);
    Some(out)
}

/// A party's letter and code, fitted to the length of its kind: a clinic has six digits, an insurer five, a fund two.
fn own_party(letter: &str, code: &str) -> String {
    let length = match letter {
        "M" => 6,
        "S" => 5,
        _ => 2,
    };
    let code: String = code.chars().chain("000000".chars()).take(length).collect();
    format!("{letter}{code}")
}

/// Whether the format of a document's file has the element of a row.
pub fn has_element(doc: &Document, row: &RuleRow) -> bool {
    doc.trees().any(|tree| tree.format.find(&row.element).is_some())
}
