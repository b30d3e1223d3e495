//! The syntax tree of the rule language.

use std::cmp::Ordering;

/// Byte offset in the text of a rule.
pub type At = usize;

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// All hold.
    And(Vec<Expr>),
    /// At least one holds.
    Or(Vec<Expr>),
    /// Does not hold.
    Not(Box<Expr>),
    /// Comparison of two terms.
    Compare(CompareOp, Term, Term),
    /// A term is one of a set (or is not).
    In {
        /// The term.
        term: Term,
        /// Where it must be found.
        set: Set,
        /// `NOT IN`.
        negated: bool,
    },
    /// A text begins as a pattern that ends in `*`: `DS1 LIKE 'C50*'`.
    Like(Term, String),
    /// Every element stands.
    Present(Vec<Ref>),
    /// No element stands.
    Absent(Vec<Ref>),
    /// For at least one (or for every) block the condition holds.
    Quantified {
        /// Which of the two.
        quantifier: Quantifier,
        /// The block or repeated element that is walked.
        block: Ref,
        /// Within which block; none = within what holds both it and the checked element.
        within: Option<Ref>,
        /// The condition, in the scope of the block.
        condition: Box<Expr>,
    },
    /// A function that is true or false.
    Call(Call),
}

/// `EXISTS` or `FORALL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// At least one.
    Exists,
    /// Every one; true where there is none.
    ForAll,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareOp {
    /// `=`
    Eq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl CompareOp {
    /// Whether the comparison holds of values in this order.
    pub fn allows(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
        }
    }

    /// How it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "<>",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// An element, a part of the file's name, a named list's member.
    Ref(Ref),
    /// A number as written.
    Number(String),
    /// A text.
    Text(String),
    /// A function with a value.
    Call(Call),
    /// `left + right` or `left - right`.
    Arithmetic(ArithmeticOp, Box<Term>, Box<Term>),
}

/// Plus or minus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArithmeticOp {
    /// `+`
    Plus,
    /// `-`
    Minus,
}

/// A name: `DS1`, `SANK.S_TIP`, `ZL_LIST/ZAP/Z_SL/SL/DS1`, `FILE.Pi`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ref {
    /// The name as written.
    pub name: String,
    /// Where it stands.
    pub at: At,
}

impl Ref {
    /// A name that was not written by a person.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), at: 0 }
    }
}

/// Where `IN` looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Set {
    /// `{1, 4..8, 'нет'}` or the range `1..36`.
    Items(Vec<Item>),
    /// A named list, or the values of a repeated element.
    Named(Ref),
}

/// One item of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// One value.
    One(Literal),
    /// All from the first to the last.
    Range(Literal, Literal),
}

/// A number or a text of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// As written.
    Number(String),
    /// Without its quotes.
    Text(String),
}

/// A call of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its name, in capitals.
    pub name: String,
    /// Its arguments.
    pub args: Vec<Arg>,
    /// Where it stands.
    pub at: At,
}

/// An argument of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    /// A value.
    Term(Term),
    /// `field = value`, the choice of a book's rows.
    Field(Ref, Term),
    /// `name WHERE condition`.
    Where(Ref, Box<Expr>),
}
