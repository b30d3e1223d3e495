//! A compiled rule, as evaluation walks it: names have become places and literals values, so that nothing is looked up by text.

use std::sync::Arc;

use super::ast::CompareOp;
use super::number::Decimal;
use super::numbering::Numbering;
use crate::nsi::{Book, FieldIx};
use crate::registry::format::NodeId;
use crate::registry::format::mask::Mask;
use crate::registry::format::value::Charset;
use crate::values::{Date, Month};

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Date,
    /// Codes such as `sh0001`: the letters must be equal, the numbers are compared.
    Natural,
    /// Years by their last two digits.
    ShortYear,
}

/// Whether one value is enough (conditions) or every value must fit (requirements).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Any,
    All,
}

/// A condition. It is kept small, because a rule book has thousands and all are walked for each record; rare parts are boxed.
#[derive(Debug, Clone)]
pub(super) enum Cond {
    Const(bool),
    And(Box<[Cond]>),
    Or(Box<[Cond]>),
    Not(Box<Cond>),
    Compare {
        op: CompareOp,
        left: Operand,
        right: Operand,
        kind: Kind,
        mode: Mode,
    },
    /// A comparison of one value with numbers, precomputed for codes of at most three digits, as most values are.
    Code {
        /// An operand with at most one value.
        value: Operand,
        /// Whether the comparison holds for each number below 128, the lower half first.
        holds: [u64; 2],
        /// Whether the comparison holds if there is no value.
        absent: bool,
        /// The comparison itself, for all other values.
        whole: Box<Cond>,
    },
    Between(Box<Between>),
    Member {
        value: Operand,
        set: Box<ValueSet>,
        negated: bool,
        mode: Mode,
    },
    /// Whether a text is (or is not) among the values of an element.
    Among {
        text: Literal,
        values: Operand,
        negated: bool,
    },
    Prefix {
        value: Operand,
        prefixes: Box<[Literal]>,
        negated: bool,
    },
    /// Whether a value begins with one of these codes, which are sorted and of one length.
    Begins {
        value: Operand,
        codes: Box<[Box<[u8]>]>,
        mode: Mode,
    },
    Present(Place),
    /// Whether an element of the head is present, by its index in the facts of the file.
    HasHead(usize),
    /// Whether an element of the person is present, by its index among the kept elements.
    HasPerson(usize),
    Every {
        place: Place,
        holds: Box<Cond>,
    },
    Some {
        place: Place,
        holds: Box<Cond>,
    },
    InBook {
        value: Operand,
        book: Arc<Book>,
        field: FieldIx,
        rubric: bool,
        on: Operand,
        mode: Mode,
    },
    BookRow(Box<BookLookup>),
    Shape {
        value: Operand,
        shape: Shape,
    },
    /// Whether the newborn's mark is right: `0`, or sex, birth date and order of birth.
    Newborn {
        mark: Operand,
        sex: Operand,
        birth: Operand,
    },
    /// Whether the checked value stands before all equal ones of its element within a block around it.
    First(Place),
    /// A truth value gathered from all records, by the index of the aggregate.
    Gathered(usize),
}

/// A range test whose two ends must hold for the same value.
#[derive(Debug, Clone)]
pub(super) struct Between {
    pub(super) value: Operand,
    /// The lower end, and whether it belongs to the range.
    pub(super) low: (Operand, bool),
    pub(super) high: (Operand, bool),
    pub(super) kind: Kind,
    pub(super) mode: Mode,
}

/// The choice of rows in a reference book by the values of fields.
#[derive(Debug, Clone)]
pub(super) struct BookLookup {
    pub(super) book: Arc<Book>,
    /// The field whose index finds the rows.
    pub(super) field: FieldIx,
    pub(super) key: Operand,
    /// Whether the key also matches by its three-character rubric.
    pub(super) rubric: bool,
    pub(super) others: Box<[(FieldIx, Operand)]>,
    pub(super) on: Operand,
}

/// The form that a value must have.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    Length {
        min: usize,
        max: usize,
    },
    Charset(Arc<Charset>),
    Mask(Arc<Mask>),
    Digits {
        min: usize,
        max: usize,
    },
    /// At most `whole` digits before the point, exactly `fraction` after it.
    Decimal {
        whole: usize,
        fraction: usize,
    },
    Date,
    /// A number whose last digits prove the others.
    CheckDigit(Numbering),
    /// No blank at either end, and none beside another blank or a hyphen.
    Tidy,
    /// The end is one of these, each in capitals and in small letters.
    Ends(Box<[Literal]>),
    /// The mask is in a row of a reference book (F011).
    BookMask(Box<BookLookup>, FieldIx),
}

/// The place of a value relative to the block under evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) up: u8,
    /// Positions among the children on the way down; the last is the element. If empty, the place is the block itself.
    pub(super) down: Box<[u8]>,
    /// The element there.
    pub(super) element: NodeId,
    /// Whether several values may be there.
    pub(super) many: bool,
}

/// The source of one or several values.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    /// The checked element's own occurrence.
    This,
    Place(Place),
    /// The value at a place, or the operand if the place is empty (REAB and DS_ONK read 0; absent amounts in sums).
    Default(Box<(Place, Operand)>),
    /// A value of the head, by its index in the facts of the file.
    Head(usize),
    /// Values of the person, by the index among the person's kept elements.
    Person {
        index: usize,
        /// The element may be repeated.
        many: bool,
    },
    FilePart(FilePart, Whose),
    Number(Box<Decimal>),
    Text(Box<Literal>),
    Day(Date),
    /// An element of another edition of the format, always absent here.
    Nothing,
    Age {
        birth: Box<Operand>,
        on: Box<Operand>,
    },
    Year(Box<Operand>),
    MonthOf(Box<Operand>),
    AddYears(Box<Operand>, u16),
    LastChar(Box<Operand>),
    /// Calendar days from the first day to the second; below zero if the second is earlier.
    Days(Box<Operand>, Box<Operand>),
    Period,
    Month(Month),
    Today,
    Plus(Box<Operand>, Box<Operand>),
    Minus(Box<Operand>, Box<Operand>),
    /// Sum of the values at a place in the blocks where the condition holds.
    Sum(Box<(Place, Option<Cond>)>),
    /// Number of blocks or values at a place.
    Count(Place),
    BookField(Box<BookLookup>, FieldIx),
    Gathered(usize),
    /// The first operand that has a value.
    FirstOf(Box<[Operand]>),
}

/// A text in both encodings of registry files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Literal {
    pub(super) utf8: Box<[u8]>,
    pub(super) windows_1251: Box<[u8]>,
}

/// A part of the checked file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FilePart {
    Pi,
    Ni,
    Pp,
    Np,
    Yy,
    Mm,
    Type,
}

/// The file whose name a part is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The walked file.
    Own,
    /// The person file, in a rule about its head that uses the main file.
    Persons,
}

/// A set of numbers, ranges and texts.
#[derive(Debug, Clone, Default)]
pub(super) struct ValueSet {
    pub(super) numbers: Vec<Decimal>,
    pub(super) number_ranges: Vec<(Decimal, Decimal)>,
    pub(super) texts: Vec<Literal>,
}

impl ValueSet {
    /// Whether the set contains a number.
    pub(super) fn holds(&self, number: Decimal) -> bool {
        self.numbers.contains(&number) || self.number_ranges.iter().any(|(a, b)| (*a..=*b).contains(&number))
    }
}

impl Cond {
    /// Turns a comparison of one value with numbers into [`Cond::Code`]; other conditions stay as they are.
    pub(super) fn with_codes(self) -> Self {
        match self.codes() {
            Some((value, holds, absent)) => Self::Code { value, holds, absent, whole: Box::new(self) },
            None => self,
        }
    }

    fn codes(&self) -> Option<(Operand, [u64; 2], bool)> {
        match self {
            Self::Compare { op, left, right: Operand::Number(number), kind: Kind::Number, mode } => {
                table(left, *op == CompareOp::Ne && *mode == Mode::All, |n| op.allows(n.cmp(number)))
            }
            Self::Member { value, set, negated, mode } if set.texts.is_empty() => table(value, *negated && *mode == Mode::All, |n| set.holds(n) != *negated),
            Self::Between(between) => match &**between {
                Between { value, low: (Operand::Number(low), from), high: (Operand::Number(high), to), kind: Kind::Number, .. } => {
                    table(value, false, |n| (**low < n || *from && **low == n) && (n < **high || *to && n == **high))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// A table of the numbers for which a comparison holds; `None` if the operand is no single text. `absent` is the result without a value.
fn table(value: &Operand, absent: bool, holds: impl Fn(Decimal) -> bool) -> Option<(Operand, [u64; 2], bool)> {
    let (value, absent) = match value {
        Operand::Default(reads) => match &**reads {
            (place, Operand::Number(number)) => (Operand::Place(place.clone()), holds(**number)),
            _ => return None,
        },
        value => (value.clone(), absent),
    };
    let half = |from: i64| (0..64).filter(|n| holds(Decimal::whole(from + n))).fold(0, |all, n| all | 1 << n);
    let numbers = [half(0), half(64)];
    value.is_text().then_some((value, numbers, absent))
}
