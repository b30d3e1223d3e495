//! A compiled rule: what evaluation walks. Names are places, literals are values, nothing is looked up by text any more.

use std::sync::Arc;

use super::ast::CompareOp;
use super::number::Decimal;
use crate::nsi::{Book, Date, FieldIx, Index};
use crate::registry::format::mask::Mask;
use crate::registry::format::value::Charset;
use crate::registry::month::Month;

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

/// A condition.
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
    /// Both ends hold for one and the same value.
    Between {
        value: Operand,
        low: (Operand, bool),
        high: (Operand, bool),
        kind: Kind,
        mode: Mode,
    },
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
        index: Arc<Index>,
        rubric: bool,
        on: Operand,
        mode: Mode,
    },
    BookRow {
        lookup: BookLookup,
    },
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

/// A row of a book chosen by fields.
#[derive(Debug, Clone)]
pub(super) struct BookLookup {
    pub(super) book: Arc<Book>,
    /// Rows come from this field's index.
    pub(super) index: Arc<Index>,
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
    Default(Place, Box<Operand>),
    /// A value of the header or the account, by its index in the facts of the file.
    Head(usize),
    /// Values of the person, by the index among the person's kept elements.
    Person {
        index: usize,
        /// The element may be repeated.
        many: bool,
    },
    FilePart(FilePart, Whose),
    Number(Decimal),
    Text(Literal),
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
    Sum(Place, Option<Box<Cond>>),
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
