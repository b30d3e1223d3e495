//! Evaluation of compiled rules over one record. No allocation, no panic, no error: values that cannot be compared are unequal.

use std::cell::Cell;
use std::cmp::Ordering;

use super::ast::CompareOp;
use super::code::{Between, BookLookup, Cond, FilePart, Kind, Literal, Mode, Operand, Place, ValueSet, Whose};
use super::number::{Decimal, add_years, full_years, iso_date, natural};
use crate::nsi::{Index, RowIx};
use crate::registry::encoding::Encoding;
use crate::registry::name::{FileName, Party};
use crate::registry::record::Record;
use crate::values::{Date, Month};

/// Facts about a file that are known before its records.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Values of the head by the index from compilation; `None` if the element is absent.
    pub head: Vec<Option<Vec<u8>>>,
    /// Reporting month.
    pub period: Option<Month>,
    /// Parts of the file's own name.
    pub name: NameParts,
    /// For the main file, parts of the person file's name.
    pub persons_name: NameParts,
    /// Letter of the main file's family in the rule book (X for dispensary).
    pub family: char,
    /// Encoding of the walked file.
    pub encoding: Encoding,
    /// The day of the control.
    pub today: Option<Date>,
    /// The account's date, else the day when the file was made; lookups without a day of their own use it.
    pub account_date: Option<Date>,
}

impl Facts {
    /// Parts of the name of a file.
    pub(super) fn name_of(&self, whose: Whose) -> &NameParts {
        match whose {
            Whose::Own => &self.name,
            Whose::Persons => &self.persons_name,
        }
    }
}

/// Parts of a file's name.
#[derive(Debug, Clone, Default)]
pub struct NameParts {
    /// Sender's letter.
    pub pi: Option<String>,
    /// Sender's code.
    pub ni: Option<String>,
    /// Receiver's letter.
    pub pp: Option<String>,
    /// Receiver's code.
    pub np: Option<String>,
    /// Two digits of the year.
    pub yy: Option<String>,
    /// Two digits of the month.
    pub mm: Option<String>,
}

impl NameParts {
    /// Parts of a name; all `None` without a name.
    pub fn of(name: Option<&FileName>) -> Self {
        let Some(name) = name else { return Self::default() };
        let letter = |party: &Party| Some(party.kind.letter().to_string());
        Self {
            pi: letter(&name.sender),
            ni: Some(name.sender.code.clone()),
            pp: letter(&name.receiver),
            np: Some(name.receiver.code.clone()),
            yy: Some(format!("{:02}", name.year % 100)),
            mm: Some(format!("{:02}", name.month)),
        }
    }

    /// Whether the parts are known.
    pub fn is_known(&self) -> bool {
        self.pi.is_some()
    }
}

/// Values of the person whom a record is about, by the index from compilation.
pub trait Person {
    /// The nth value (from 0) of an element, even if empty; `None` if there are fewer. An element of which only presence counts gives an empty one.
    fn value(&self, index: usize, nth: usize) -> Option<&[u8]>;
}

/// A value gathered from the records for rules about the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gathered {
    /// Whether a condition holds in at least one block (or, for FORALL, in every block).
    Truth(bool),
    /// A sum or a number of blocks.
    Sum(Decimal),
}

/// The environment of an evaluation: record, block and facts.
#[derive(Clone, Copy)]
pub(super) struct Env<'e> {
    pub(super) record: &'e Record,
    pub(super) block: usize,
    pub(super) this: Option<&'e [u8]>,
    pub(super) facts: &'e Facts,
    pub(super) person: Option<&'e dyn Person>,
    pub(super) gathered: &'e [Gathered],
    /// Set if a value is present but is not the number or date that it should be, so that no comparison with it is reliable. Watched only when a rule
    /// is about to be reported.
    pub(super) unreadable: Option<&'e Cell<bool>>,
}

/// The operand may have several values.
#[derive(Debug)]
struct Several;

/// A value during evaluation.
#[derive(Debug, Clone, Copy, PartialEq)]
enum V<'v> {
    Text(&'v [u8]),
    Number(Decimal),
    Day(Date),
}

impl V<'_> {
    fn number(self) -> Option<Decimal> {
        match self {
            Self::Text(text) => Decimal::parse(text),
            Self::Number(n) => Some(n),
            Self::Day(_) => None,
        }
    }

    fn day(self) -> Option<Date> {
        match self {
            Self::Text(text) => iso_date(text),
            Self::Day(day) => Some(day),
            Self::Number(_) => None,
        }
    }
}

#[inline]
fn ordering(kind: Kind, a: V<'_>, b: V<'_>) -> Option<Ordering> {
    match kind {
        Kind::Text => match (a, b) {
            (V::Text(a), V::Text(b)) => Some(a.cmp(b)),
            _ => None,
        },
        Kind::Number => Some(a.number()?.cmp(&b.number()?)),
        Kind::Date => Some(a.day()?.cmp(&b.day()?)),
        Kind::Natural => match (a, b) {
            (V::Text(a), V::Text(b)) => natural(a, b),
            _ => None,
        },
        Kind::ShortYear => Some(a.number()?.modulo(100).cmp(&b.number()?.modulo(100))),
    }
}

fn holds(op: CompareOp, ordering: Option<Ordering>) -> bool {
    ordering.map_or(op == CompareOp::Ne, |o| op.allows(o))
}

impl Literal {
    #[inline]
    pub(super) fn bytes(&self, encoding: Encoding) -> &[u8] {
        match encoding {
            Encoding::Windows1251 => &self.windows_1251,
            Encoding::Utf8 => &self.utf8,
        }
    }
}

impl Env<'_> {
    /// Whether a condition holds.
    pub(super) fn holds(&self, cond: &Cond) -> bool {
        match cond {
            Cond::Const(truth) => *truth,
            Cond::And(parts) => parts.iter().all(|p| self.holds(p)),
            Cond::Or(parts) => parts.iter().any(|p| self.holds(p)),
            Cond::Not(inner) => !self.holds(inner),
            Cond::Code { value, holds, absent, whole } => match self.text(value) {
                None => *absent,
                Some(text) => small(text).map_or_else(|| self.holds(whole), |n| holds[n / 64] >> (n % 64) & 1 != 0),
            },
            Cond::Compare { op, left, right, kind, mode } => self.compare(*op, left, right, *kind, *mode),
            Cond::InBook { value, book, field, rubric, on, mode } => {
                let Some(on) = self.lookup_day(on) else { return true };
                self.in_book(value, book.index(*field), *rubric, on, *mode)
            }
            Cond::Present(place) => self.stands(place),
            Cond::HasHead(index) => self.facts.head.get(*index).is_some_and(Option::is_some),
            Cond::HasPerson(index) => self.person.is_some_and(|p| p.value(*index, 0).is_some()),
            Cond::Some { place, holds } => self.blocks(place, &mut |block| Env { block, this: None, ..*self }.holds(holds)),
            Cond::Every { place, holds } => !self.blocks(place, &mut |block| !Env { block, this: None, ..*self }.holds(holds)),
            Cond::Gathered(index) => matches!(self.gathered.get(*index), Some(Gathered::Truth(true))),
            Cond::Between(_) | Cond::Member { .. } | Cond::Among { .. } | Cond::Prefix { .. } | Cond::Begins { .. } => self.holds_of_values(cond),
            Cond::BookRow(_) | Cond::Shape { .. } | Cond::Newborn { .. } | Cond::First(_) => self.holds_of_forms(cond),
        }
    }

    /// The rarer part of [`Env::holds`], kept separate so that the frequent part stays short.
    #[inline(never)]
    fn holds_of_values(&self, cond: &Cond) -> bool {
        match cond {
            Cond::Between(between) => {
                let Between { value, low, high, kind, mode } = &**between;
                self.check(value, *mode, false, |v| {
                    self.visit(&low.0, &mut |l| holds(if low.1 { CompareOp::Le } else { CompareOp::Lt }, self.ordering(*kind, l, v)))
                        && self.visit(&high.0, &mut |h| holds(if high.1 { CompareOp::Le } else { CompareOp::Lt }, self.ordering(*kind, v, h)))
                })
            }
            Cond::Member { value, set, negated, mode } => self.check(value, *mode, *negated, |v| self.in_set(set, v)),
            Cond::Among { text, values, negated } => self.visit(values, &mut |v| v == V::Text(text.bytes(self.facts.encoding))) != *negated,
            Cond::Prefix { value, prefixes, negated } => self.check(value, Mode::Any, *negated, |v| match v {
                V::Text(text) => prefixes.iter().any(|p| begins(text, p.bytes(self.facts.encoding))),
                _ => false,
            }),
            Cond::Begins { value, codes, mode } => self.check(value, *mode, false, |v| match v {
                V::Text(text) => text.get(..codes.first().map_or(0, |c| c.len())).is_some_and(|b| codes.binary_search_by(|c| (**c).cmp(b)).is_ok()),
                _ => false,
            }),
            _ => false,
        }
    }

    #[inline(never)]
    fn holds_of_forms(&self, cond: &Cond) -> bool {
        match cond {
            Cond::BookRow(lookup) => self.book_rows(lookup, &mut |_| true),
            Cond::Shape { value, shape } => self.check(value, Mode::All, false, |v| match v {
                V::Text(text) => self.fits(shape, text),
                _ => true,
            }),
            Cond::First(place) => self.is_first(place),
            Cond::Newborn { mark, sex, birth } => self.check(mark, Mode::All, false, |v| match v {
                V::Text(text) => self.newborn(text, sex, birth),
                _ => false,
            }),
            _ => false,
        }
    }

    #[inline(never)]
    fn in_book(&self, value: &Operand, index: &Index, rubric: bool, on: Date, mode: Mode) -> bool {
        self.check(value, mode, false, |v| match v {
            V::Text(text) if text.is_ascii() => index.holds_bytes(text, on) || rubric && text.get(..3).is_some_and(|r| index.holds_bytes(r, on)),
            V::Text(text) => {
                let code = self.facts.encoding.decode(text);
                index.holds(&code, on) || rubric && code.get(..3).is_some_and(|r| index.holds(r, on))
            }
            _ => false,
        })
    }

    #[inline]
    fn ordering(&self, kind: Kind, a: V<'_>, b: V<'_>) -> Option<Ordering> {
        let ordering = ordering(kind, a, b);
        if ordering.is_none() && matches!(kind, Kind::Number | Kind::Date | Kind::ShortYear) {
            self.cannot_read();
        }
        ordering
    }

    fn cannot_read(&self) {
        if let Some(unreadable) = self.unreadable {
            unreadable.set(true);
        }
    }

    /// The same environment, but watching for values that cannot be read.
    pub(super) fn watching<'w>(&self, unreadable: &'w Cell<bool>) -> Env<'w>
    where
        Self: 'w,
    {
        Env { unreadable: Some(unreadable), ..*self }
    }

    /// The text of an operand for which [`Operand::is_text`] is true; `None` if it is absent.
    #[inline]
    fn text(&self, operand: &Operand) -> Option<&[u8]> {
        match operand {
            Operand::This => self.this,
            Operand::Place(place) => self.text_at(place),
            Operand::Head(index) => self.facts.head.get(*index)?.as_deref(),
            Operand::Person { index, .. } => self.person?.value(*index, 0),
            _ => None,
        }
    }

    /// The value of an operand with at most one value, as most are; `Err` if it may have several.
    #[inline]
    fn single<'v>(&'v self, operand: &'v Operand) -> Result<Option<V<'v>>, Several> {
        match operand {
            Operand::Number(number) => Ok(Some(V::Number(**number))),
            Operand::Text(text) => Ok(Some(V::Text(text.bytes(self.facts.encoding)))),
            text if text.is_text() => Ok(self.text(text).map(V::Text)),
            other => self.worked_out(other),
        }
    }

    #[inline(never)]
    fn worked_out<'v>(&'v self, operand: &'v Operand) -> Result<Option<V<'v>>, Several> {
        let number = |n: Decimal| V::Number(n);
        let small = |n: u16| V::Number(Decimal::whole(i64::from(n)));
        Ok(match operand {
            Operand::Default(reads) if !reads.0.many => match self.text_at(&reads.0) {
                Some(text) => Some(V::Text(text)),
                None => return self.single(&reads.1),
            },
            Operand::FilePart(part, whose) if *part != FilePart::Type => self.file_part(*part, *whose).map(|text| V::Text(text.as_bytes())),
            Operand::Day(day) => Some(V::Day(*day)),
            Operand::Nothing => None,
            Operand::Age { birth, on } => self.day(birth).zip(self.day(on)).map(|(b, d)| number(Decimal::whole(full_years(b, d)))),
            Operand::Year(day) => self.day(day).map(|d| small(d.parts().0)),
            Operand::MonthOf(day) => self.day(day).map(|d| small(u16::from(d.parts().1))),
            Operand::AddYears(day, years) => self.day(day).map(|d| V::Day(add_years(d, *years))),
            Operand::Days(from, to) => self.day(from).zip(self.day(to)).map(|(from, to)| number(Decimal::whole(to.days_since(from)))),
            Operand::Period => self.facts.period.map(|m| number(month_number(m))),
            Operand::Month(month) => Some(number(month_number(*month))),
            Operand::Today => self.facts.today.map(V::Day),
            Operand::Plus(a, b) => self.number(a).zip(self.number(b)).map(|(a, b)| number(a.plus(b))),
            Operand::Minus(a, b) => self.number(a).zip(self.number(b)).map(|(a, b)| number(a.minus(b))),
            Operand::Sum(sum) => Some(number(self.sum(&sum.0, sum.1.as_ref()))),
            Operand::Gathered(index) => match self.gathered.get(*index) {
                Some(Gathered::Sum(sum)) => Some(number(*sum)),
                _ => None,
            },
            _ => return Err(Several),
        })
    }

    /// The text at a place that has at most one.
    #[inline]
    fn text_at(&self, place: &Place) -> Option<&[u8]> {
        let (last, way) = place.down.split_last()?;
        let mut block = self.climb(place.up);
        for position in way {
            block = self.record.block(block, *position)?;
        }
        self.record.text(block, *last)
    }

    /// Tests the values of an operand: conditions need one that fits, requirements need all to fit. Without a value the result is false, except for a
    /// negated test in a requirement or of an operand that may have several values.
    #[inline]
    fn check(&self, value: &Operand, mode: Mode, negated: bool, mut fits: impl FnMut(V<'_>) -> bool) -> bool {
        match self.single(value) {
            Ok(value) => value.map_or(negated && mode == Mode::All, |v| fits(v) != negated),
            Err(Several) => self.check_several(value, mode, negated, &mut fits),
        }
    }

    fn check_several(&self, value: &Operand, mode: Mode, negated: bool, fits: &mut dyn FnMut(V<'_>) -> bool) -> bool {
        let (mut seen, mut good, mut bad) = (false, false, false);
        self.visit(value, &mut |v| {
            seen = true;
            if fits(v) {
                good = true
            } else {
                bad = true
            }
            false
        });
        if !seen {
            return negated && (mode == Mode::All || value.many());
        }
        match (negated, mode) {
            (true, _) => !good,
            (false, Mode::Any) => good,
            (false, Mode::All) => !bad,
        }
    }

    #[inline(never)]
    fn compare(&self, op: CompareOp, left: &Operand, right: &Operand, kind: Kind, mode: Mode) -> bool {
        let of_nothing = op == CompareOp::Ne && mode == Mode::All;
        match self.single(left) {
            Ok(None) => of_nothing,
            Ok(Some(l)) => match self.single(right) {
                Ok(None) => of_nothing,
                Ok(Some(r)) => holds(op, self.ordering(kind, l, r)),
                Err(Several) => self.compare_several(op, left, right, kind, mode),
            },
            Err(Several) => self.compare_several(op, left, right, kind, mode),
        }
    }

    fn compare_several(&self, op: CompareOp, left: &Operand, right: &Operand, kind: Kind, mode: Mode) -> bool {
        let (mut seen_left, mut seen_right, mut good, mut bad) = (false, false, false, false);
        // `<>` negates `=`: none of several values may be equal.
        let negated = op == CompareOp::Ne;
        let test = if negated { CompareOp::Eq } else { op };
        self.visit(left, &mut |l| {
            seen_left = true;
            self.visit(right, &mut |r| {
                seen_right = true;
                if holds(test, self.ordering(kind, l, r)) {
                    good = true
                } else {
                    bad = true
                }
                false
            });
            false
        });
        if !seen_left || !seen_right {
            let many = if seen_left { right.many() } else { left.many() };
            return negated && (mode == Mode::All || many);
        }
        match (negated, mode) {
            (true, _) => !good,
            (false, Mode::Any) => good,
            (false, Mode::All) => !bad,
        }
    }

    fn in_set(&self, set: &ValueSet, v: V<'_>) -> bool {
        if let V::Text(text) = v
            && set.texts.iter().any(|t| t.bytes(self.facts.encoding) == text)
        {
            return true;
        }
        if set.numbers.is_empty() && set.number_ranges.is_empty() {
            return false;
        }
        v.number().is_some_and(|n| set.holds(n))
    }

    #[inline]
    fn climb(&self, up: u8) -> usize {
        (0..up).fold(self.block, |block, _| self.record.parent(block))
    }

    /// Whether an element is present at a place.
    pub(super) fn stands(&self, place: &Place) -> bool {
        match &*place.down {
            [] => true,
            [last] => self.record.has(self.climb(place.up), *last),
            [way @ .., last] => self.walk(self.climb(place.up), way, &mut |block| self.record.has(block, *last)),
        }
    }

    /// Visits the blocks at a place until the visitor returns true; returns whether it did.
    pub(super) fn blocks(&self, place: &Place, each: &mut dyn FnMut(usize) -> bool) -> bool {
        self.walk(self.climb(place.up), &place.down, each)
    }

    fn walk(&self, block: usize, way: &[u8], each: &mut dyn FnMut(usize) -> bool) -> bool {
        match way.split_first() {
            None => each(block),
            Some((position, rest)) => {
                for inner in self.record.blocks(block, *position) {
                    if self.walk(inner, rest, each) {
                        return true;
                    }
                }
                false
            }
        }
    }

    /// Visits the values of an operand until the visitor returns true; returns whether it did.
    fn visit(&self, operand: &Operand, each: &mut dyn FnMut(V<'_>) -> bool) -> bool {
        match operand {
            Operand::Place(place) => self.visit_place(place, each),
            Operand::Default(reads) => {
                let (place, fallback) = &**reads;
                let mut seen = false;
                self.visit_place(place, &mut |v| {
                    seen = true;
                    each(v)
                }) || !seen && self.visit(fallback, each)
            }
            Operand::Person { index, .. } => {
                let values = |nth| self.person.and_then(|p| p.value(*index, nth));
                (0..).map_while(values).any(|text| each(V::Text(text)))
            }
            Operand::FilePart(FilePart::Type, _) => {
                let mut buffer = [0; 4];
                each(V::Text(self.facts.family.encode_utf8(&mut buffer).as_bytes()))
            }
            Operand::LastChar(inner) => self.visit(inner, &mut |v| match v {
                V::Text([.., last]) => each(V::Text(&[*last])),
                _ => false,
            }),
            Operand::Count(place) => {
                let mut count = 0;
                match place.down.split_last() {
                    None => count = 1,
                    Some((last, way)) => {
                        self.walk(self.climb(place.up), way, &mut |block| {
                            let blocks = self.record.blocks(block, *last).count() as i64;
                            count += blocks;
                            false
                        });
                    }
                }
                each(V::Number(Decimal::whole(count)))
            }
            // One valid row of the key is enough: the visitor sees the field of each.
            Operand::BookField(lookup, field) => self.book_rows(lookup, &mut |row| each(V::Text(lookup.book.value(row, *field).as_bytes()))),
            Operand::FirstOf(operands) => {
                for operand in operands {
                    let mut seen = false;
                    let stop = self.visit(operand, &mut |v| {
                        seen = true;
                        each(v)
                    });
                    if seen {
                        return stop;
                    }
                }
                false
            }
            // All other operands have at most one value.
            one => self.single(one).ok().flatten().is_some_and(each),
        }
    }

    /// Visits the texts of an operand; of a worked-out value the text that it is written as.
    pub(super) fn texts(&self, operand: &Operand, each: &mut dyn FnMut(&[u8])) {
        if operand.is_text() {
            return self.text(operand).into_iter().for_each(each);
        }
        self.visit(operand, &mut |v| {
            match v {
                V::Text(text) => each(text),
                V::Number(number) => each(number.to_string().as_bytes()),
                V::Day(day) => each(day.to_string().as_bytes()),
            }
            false
        });
    }

    /// The number of binary digits of an amount in kopecks; `None` if it is absent, no number, or not above zero.
    pub(super) fn size(&self, operand: &Operand) -> Option<u8> {
        self.number(operand)?.doublings()
    }

    fn visit_place(&self, place: &Place, each: &mut dyn FnMut(V<'_>) -> bool) -> bool {
        let Some((last, way)) = place.down.split_last() else { return false };
        if !place.many && way.is_empty() {
            return self.text_at(place).is_some_and(|text| each(V::Text(text)));
        }
        self.walk(self.climb(place.up), way, &mut |block| self.record.values(block, *last).any(|v| each(V::Text(v.text))))
    }

    fn file_part(&self, part: FilePart, whose: Whose) -> Option<&str> {
        let name = self.facts.name_of(whose);
        let text = match part {
            FilePart::Pi => &name.pi,
            FilePart::Ni => &name.ni,
            FilePart::Pp => &name.pp,
            FilePart::Np => &name.np,
            FilePart::Yy => &name.yy,
            FilePart::Mm => &name.mm,
            FilePart::Type => return None,
        };
        text.as_deref()
    }

    fn day(&self, operand: &Operand) -> Option<Date> {
        if let Ok(value) = self.single(operand) {
            let day = value?.day();
            if day.is_none() {
                self.cannot_read();
            }
            return day;
        }
        let mut found = None;
        self.visit(operand, &mut |v| {
            found = v.day();
            true
        });
        found
    }

    fn number(&self, operand: &Operand) -> Option<Decimal> {
        if let Ok(value) = self.single(operand) {
            let number = value?.number();
            if number.is_none() {
                self.cannot_read();
            }
            return number;
        }
        let mut found = None;
        self.visit(operand, &mut |v| {
            found = v.number();
            true
        });
        found
    }

    pub(super) fn sum(&self, place: &Place, condition: Option<&Cond>) -> Decimal {
        let Some((last, way)) = place.down.split_last() else { return Decimal::ZERO };
        let mut sum = Decimal::ZERO;
        self.walk(self.climb(place.up), way, &mut |block| {
            if condition.is_none_or(|c| Env { block, this: None, ..*self }.holds(c)) {
                for value in self.record.values(block, *last) {
                    match Decimal::parse(value.text) {
                        Some(number) => sum = sum.plus(number),
                        None => self.cannot_read(),
                    }
                }
            }
            false
        });
        sum
    }

    /// The day of a lookup: the rule's, else the account's; `None` if neither is known, so that nothing can be looked up.
    fn lookup_day(&self, on: &Operand) -> Option<Date> {
        self.day(on).or(self.facts.account_date)
    }

    /// Visits the rows of a book that a lookup chooses until the visitor returns true; returns whether it did.
    pub(super) fn book_rows(&self, lookup: &BookLookup, each: &mut dyn FnMut(RowIx) -> bool) -> bool {
        let Some(on) = self.lookup_day(&lookup.on) else { return false };
        let fits = |row: RowIx| {
            lookup.book.valid(row, on)
                && lookup.others.iter().all(|(field, operand)| {
                    let wanted = lookup.book.value(row, *field);
                    self.visit(operand, &mut |v| match v {
                        V::Text(text) => same_code(wanted, &self.facts.encoding.decode(text)),
                        V::Number(n) => Decimal::parse(wanted.as_bytes()) == Some(n),
                        V::Day(_) => false,
                    })
                })
        };
        let mut asked = false;
        let found = self.visit(&lookup.key, &mut |v| {
            asked = true;
            let V::Text(text) = v else { return false };
            let code = self.facts.encoding.decode(text);
            let index = lookup.book.index(lookup.field);
            let whole = index.rows(&code).iter().copied();
            let rubric = lookup.rubric.then(|| code.get(..3)).flatten().filter(|r| r.len() < code.len());
            let rubric = rubric.map_or(&[][..], |r| index.rows(r)).iter().copied();
            for row in whole.chain(rubric) {
                if fits(row) && each(row) {
                    return true;
                }
            }
            false
        });
        // A rule is not reported if the key of its lookup is absent.
        if !asked {
            self.cannot_read();
        }
        found
    }

    /// Whether the checked value stands before all equal ones at a place, as far as [`MOST_COMPARED`] of them tell; true if there is none.
    fn is_first(&self, place: &Place) -> bool {
        let Some(this) = self.this else { return true };
        let (mut first, mut seen) = (true, 0);
        self.visit_place(place, &mut |v| {
            seen += 1;
            match v {
                V::Text(text) if std::ptr::eq(text, this) => true,
                V::Text(text) if text == this => {
                    first = false;
                    true
                }
                _ => seen == MOST_COMPARED,
            }
        });
        first
    }

    fn newborn(&self, mark: &[u8], sex: &Operand, birth: &Operand) -> bool {
        if mark == b"0" {
            return true;
        }
        if !(8..=9).contains(&mark.len()) || !mark.iter().all(u8::is_ascii_digit) {
            return false;
        }
        let order = mark[7..].iter().fold(0u32, |n, b| n * 10 + u32::from(b - b'0'));
        let date = self.day(birth).is_none_or(|day| mark[1..7] == *format_day(day).as_slice());
        let mut same_sex = true;
        self.visit(sex, &mut |v| {
            same_sex = v == V::Text(&mark[..1]);
            true
        });
        matches!(mark[0], b'1' | b'2') && same_sex && date && (1..=10).contains(&order)
    }
}

impl Operand {
    /// Whether the operand is a text of the file, with at most one value.
    #[inline]
    pub(super) fn is_text(&self) -> bool {
        match self {
            Self::This | Self::Head(_) => true,
            Self::Place(place) => !place.many,
            Self::Person { many, .. } => !many,
            _ => false,
        }
    }

    /// Whether the operand may have several values.
    fn many(&self) -> bool {
        match self {
            Self::Place(place) => place.many,
            Self::Default(reads) => reads.0.many,
            Self::Person { many, .. } => *many,
            _ => false,
        }
    }
}

/// Values of a record with which one is compared, so that a record of very many costs no more for each.
const MOST_COMPARED: usize = 256;

/// A day as `DDMMYY`.
fn format_day(day: Date) -> [u8; 6] {
    let two = |n: u32| [b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8];
    let (year, month, day) = day.parts();
    let ([d0, d1], [m0, m1], [y0, y1]) = (two(u32::from(day)), two(u32::from(month)), two(u32::from(year)));
    [d0, d1, m0, m1, y0, y1]
}

/// Whether a text begins so; most texts of a long list are told apart by their first letter.
#[inline]
fn begins(text: &[u8], beginning: &[u8]) -> bool {
    beginning.is_empty() || text.first() == beginning.first() && text.starts_with(beginning)
}

/// A number below 128, written with one to three digits.
#[inline]
fn small(text: &[u8]) -> Option<usize> {
    let digit = |b: u8| b.is_ascii_digit().then(|| usize::from(b - b'0'));
    match *text {
        [a] => digit(a),
        [a, b] => Some(digit(a)? * 10 + digit(b)?),
        [a, b, c] => Some(digit(a)? * 100 + digit(b)? * 10 + digit(c)?).filter(|n| *n < 128),
        _ => None,
    }
}

fn month_number(month: Month) -> Decimal {
    Decimal::whole(i64::from(month.year) * 12 + i64::from(month.month))
}

/// Whether two codes are equal; those of books and of files sometimes differ in leading zeros.
fn same_code(a: &str, b: &str) -> bool {
    a == b || Decimal::parse(a.as_bytes()).is_some_and(|n| Some(n) == Decimal::parse(b.as_bytes()))
}
