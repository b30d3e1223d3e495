//! The syntax tree of the rule language.

use std::cmp::Ordering;

/// Byte offset in the text of a rule.
pub type At = usize;

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// True if all parts hold.
    And(Vec<Expr>),
    /// True if at least one part holds.
    Or(Vec<Expr>),
    /// True if the part does not hold.
    Not(Box<Expr>),
    /// Comparison of two terms.
    Compare(CompareOp, Term, Term),
    /// Whether a term is in a set.
    In {
        /// The term.
        term: Term,
        /// The set in which it is looked up.
        set: Set,
        /// Whether the condition is `NOT IN`.
        negated: bool,
    },
    /// Whether a text begins like a pattern that ends in `*`: `DS1 LIKE 'C50*'`.
    Like(Term, String),
    /// Whether every named element is present.
    Present(Vec<Ref>),
    /// Whether no named element is present.
    Absent(Vec<Ref>),
    /// Whether the condition holds for at least one block, or for every block.
    Quantified {
        /// At least one, or every.
        quantifier: Quantifier,
        /// The block or repeated element that is walked.
        block: Ref,
        /// The block inside which blocks are walked; `None` means the smallest one that holds both `block` and the checked element.
        within: Option<Ref>,
        /// The condition, in the scope of the block.
        condition: Box<Expr>,
    },
    /// A function that returns true or false.
    Call(Call),
}

/// `EXISTS` or `FORALL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// At least one.
    Exists,
    /// Every one; also true if there is none.
    ForAll,
}

/// An operator of comparison.
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
    /// Whether the comparison is true for two values in this order.
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

    /// The spelling in the rule language.
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
    /// An element, a part of the file's name, or a member of a named list.
    Ref(Ref),
    /// A number as written.
    Number(String),
    /// A text.
    Text(String),
    /// A function that returns a value.
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
    /// Offset of the name in the rule.
    pub at: At,
}

impl Ref {
    /// A name made by the program, without an offset.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), at: 0 }
    }
}

/// The set of an `IN`.
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
    /// All values from the first to the last, inclusive.
    Range(Literal, Literal),
}

/// A number or a text of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// A number as written.
    Number(String),
    /// A text without its quotes.
    Text(String),
}

/// A call of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Name of the function in capitals.
    pub name: String,
    /// Arguments of the call.
    pub args: Vec<Arg>,
    /// Offset of the call in the rule.
    pub at: At,
}

/// An argument of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    /// A value.
    Term(Term),
    /// `field = value`, which chooses rows of a reference book.
    Field(Ref, Term),
    /// `name WHERE condition`.
    Where(Ref, Box<Expr>),
}
