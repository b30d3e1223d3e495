//! Prints a syntax tree in the standard spelling of the tables.

use std::fmt::{self, Display};

use super::ast::{Arg, ArithmeticOp, Call, Expr, Item, Literal, Quantifier, Ref, Set, Term};

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // AND binds tighter than OR, but brackets help the reader.
            Self::Or(parts) => joined(f, parts, " OR ", |p| matches!(p, Self::And(_))),
            Self::And(parts) => joined(f, parts, " AND ", |p| matches!(p, Self::Or(_))),
            Self::Not(inner) if matches!(**inner, Self::Call(_) | Self::Quantified { .. } | Self::Present(_) | Self::Absent(_)) => write!(f, "NOT {inner}"),
            Self::Not(inner) => write!(f, "NOT ({inner})"),
            Self::Compare(op, left, right) => write!(f, "{left} {} {right}", op.as_str()),
            Self::In { term, set, negated } => write!(f, "{term} {}IN {set}", if *negated { "NOT " } else { "" }),
            Self::Like(term, pattern) => write!(f, "{term} LIKE '{pattern}'"),
            Self::Present(names) => list(f, "PRESENT", names),
            Self::Absent(names) => list(f, "ABSENT", names),
            Self::Quantified { quantifier, block, within, condition } => {
                f.write_str(if *quantifier == Quantifier::Exists { "EXISTS(" } else { "FORALL(" })?;
                write!(f, "{}", block.name)?;
                if let Some(within) = within {
                    write!(f, " IN {}", within.name)?;
                }
                write!(f, ": {condition})")
            }
            Self::Call(call) => call.fmt(f),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Expr], word: &str, bracket: impl Fn(&Expr) -> bool) -> fmt::Result {
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            f.write_str(word)?;
        }
        if bracket(part) { write!(f, "({part})")? } else { part.fmt(f)? }
    }
    Ok(())
}

fn list(f: &mut fmt::Formatter<'_>, word: &str, names: &[Ref]) -> fmt::Result {
    write!(f, "{word}(")?;
    for (i, name) in names.iter().enumerate() {
        write!(f, "{}{}", if i > 0 { ", " } else { "" }, name.name)?;
    }
    f.write_str(")")
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ref(name) => f.write_str(&name.name),
            Self::Number(number) => f.write_str(number),
            Self::Text(text) => write!(f, "'{text}'"),
            Self::Call(call) => call.fmt(f),
            Self::Arithmetic(op, left, right) => {
                let sign = if *op == ArithmeticOp::Plus { '+' } else { '-' };
                match **right {
                    Self::Arithmetic(..) => write!(f, "{left} {sign} ({right})"),
                    _ => write!(f, "{left} {sign} {right}"),
                }
            }
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (i, arg) in self.args.iter().enumerate() {
            f.write_str(if i > 0 { ", " } else { "" })?;
            match arg {
                Arg::Term(term) => term.fmt(f)?,
                Arg::Field(field, term) => write!(f, "{} = {term}", field.name)?,
                Arg::Where(name, condition) => write!(f, "{} WHERE {condition}", name.name)?,
            }
        }
        f.write_str(")")
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(&name.name),
            Self::Items(items) => match items.as_slice() {
                [Item::Range(first, last)] => write!(f, "{first}..{last}"),
                items => {
                    f.write_str("{")?;
                    for (i, item) in items.iter().enumerate() {
                        f.write_str(if i > 0 { ", " } else { "" })?;
                        match item {
                            Item::One(one) => one.fmt(f)?,
                            Item::Range(first, last) => write!(f, "{first}..{last}")?,
                        }
                    }
                    f.write_str("}")
                }
            },
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => f.write_str(number),
            Self::Text(text) => write!(f, "'{text}'"),
        }
    }
}
