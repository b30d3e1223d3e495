//! A compiled rule: what evaluation walks. Names are places, literals are values, nothing is looked up by text any more.

use std::sync::Arc;

use super::ast::CompareOp;
use super::number::Decimal;
use crate::nsi::{Book, FieldIx};
use crate::registry::format::mask::Mask;
use crate::registry::format::value::Charset;
use crate::values::{Date, Month};

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Date,
    /// Codes such as `sh0001`: same letters, then by number.
    Natural,
    /// Years by their last two digits.
    ShortYear,
}

/// Whether one value is enough (conditions) or every value must do (requirements).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Any,
    All,
}

/// A condition. Small, for a rule book has thousands and all are walked for each record: what is seldom asked is boxed.
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
    /// A comparison of one value with numbers, worked out for the codes of at most three digits that most values are.
    Code {
        /// What cannot have several values.
        value: Operand,
        /// For each number below 128 whether the comparison holds, the lower half first.
        holds: [u64; 2],
        /// Whether it holds where no value stands.
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
    /// A text is (or is not) among the values of an element.
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
    /// A value begins with one of these codes: sorted, all of one length.
    Begins {
        value: Operand,
        codes: Box<[Box<[u8]>]>,
        mode: Mode,
    },
    Present(Place),
    /// A value of the head stands.
    HasHead(usize),
    /// A value of the person stands.
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
    /// The newborn's mark: `0`, or sex, birth date and order of birth.
    Newborn {
        mark: Operand,
        sex: Operand,
        birth: Operand,
    },
    /// What was gathered from all records: index of the aggregate.
    Gathered(usize),
}

/// Both ends hold for one and the same value.
#[derive(Debug, Clone)]
pub(super) struct Between {
    pub(super) value: Operand,
    /// An end and whether it belongs to the range.
    pub(super) low: (Operand, bool),
    pub(super) high: (Operand, bool),
    pub(super) kind: Kind,
    pub(super) mode: Mode,
}

/// A row of a book chosen by fields.
#[derive(Debug, Clone)]
pub(super) struct BookLookup {
    pub(super) book: Arc<Book>,
    /// Rows come from this field's index.
    pub(super) field: FieldIx,
    pub(super) key: Operand,
    /// The key is matched by the whole code or its three-character rubric.
    pub(super) rubric: bool,
    pub(super) others: Box<[(FieldIx, Operand)]>,
    pub(super) on: Operand,
}

/// What a value must look like.
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
    /// Whole digits at most, digits after the point exactly.
    Decimal {
        whole: usize,
        fraction: usize,
    },
    Date,
    /// The mask stands in a book's row (F011).
    BookMask(Box<BookLookup>, FieldIx),
}

/// Where a value stands, from the block that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) up: u8,
    /// Positions among the children; the last is the element itself. Empty: the block itself.
    pub(super) down: Box<[u8]>,
    /// More than one may stand there.
    pub(super) many: bool,
}

/// A value, or several.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    /// The checked element's own occurrence.
    This,
    Place(Place),
    /// The place, or this when nothing stands there (REAB, DS_ONK read 0; absent amounts of sums).
    Default(Box<(Place, Operand)>),
    /// A value of the header or the account, by its index in the facts of the file.
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
    /// Known in another edition of the format: here it never stands.
    Nothing,
    Age {
        birth: Box<Operand>,
        on: Box<Operand>,
    },
    Year(Box<Operand>),
    MonthOf(Box<Operand>),
    AddYears(Box<Operand>, u16),
    LastChar(Box<Operand>),
    Period,
    Month(Month),
    Today,
    Plus(Box<Operand>, Box<Operand>),
    Minus(Box<Operand>, Box<Operand>),
    /// Sum of a place's values where a condition holds in their block.
    Sum(Box<(Place, Option<Cond>)>),
    /// Number of blocks or values at a place.
    Count(Place),
    BookField(Box<BookLookup>, FieldIx),
    Gathered(usize),
    /// The first that stands.
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

/// Whose name is asked for a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The walked file's.
    Own,
    /// The person file's, in a rule of its head that looks into the main file.
    Persons,
}

/// A closed set.
#[derive(Debug, Clone, Default)]
pub(super) struct ValueSet {
    pub(super) numbers: Vec<Decimal>,
    pub(super) number_ranges: Vec<(Decimal, Decimal)>,
    pub(super) texts: Vec<Literal>,
}

impl ValueSet {
    /// Whether a number is in it.
    pub(super) fn holds(&self, number: Decimal) -> bool {
        self.numbers.contains(&number) || self.number_ranges.iter().any(|(a, b)| (*a..=*b).contains(&number))
    }
}

impl Cond {
    /// The same as [`Cond::Code`], where it compares one value with numbers.
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

/// A table of the numbers of which a comparison holds, for a value that cannot have several; `absent`: it holds where no value stands.
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
