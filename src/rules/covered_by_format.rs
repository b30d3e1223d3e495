//! Tells which requirements of form the format's table already makes.

use super::ast::{Arg, Call, Expr, Item, Literal, Set, Term};
use crate::registry::format::ValueType;
use crate::registry::format::value::Base;

/// Whether every value of a type satisfies a requirement of form (length, mask, characters, digits, decimals, date) or of a closed list.
pub(super) fn by_type(require: &Expr, kind: &ValueType) -> bool {
    match require {
        Expr::In { term: Term::Call(call), set: Set::Items(items), negated: false } if call.name == "LEN" => match items.as_slice() {
            [Item::Range(Literal::Number(min), Literal::Number(max))] => {
                let (shortest, longest) = kind.lengths();
                min.parse::<usize>().is_ok_and(|m| m <= shortest) && max.parse::<usize>().is_ok_and(|m| longest <= m)
            }
            _ => false,
        },
        Expr::In { term: Term::Ref(_), set: Set::Items(items), negated: false } => {
            !kind.list().is_empty() && kind.list().iter().all(|value| items.iter().any(|item| item_holds(item, value)))
        }
        Expr::Call(call) => form(call, kind),
        _ => false,
    }
}

fn item_holds(item: &Item, value: &str) -> bool {
    let text = |literal: &Literal| match literal {
        Literal::Number(text) | Literal::Text(text) => text.clone(),
    };
    match item {
        Item::One(one) => text(one) == value,
        Item::Range(first, last) => {
            let number = |text: &str| text.parse::<u64>().ok();
            number(value).is_some_and(|v| number(&text(first)).is_some_and(|f| f <= v) && number(&text(last)).is_some_and(|l| v <= l))
        }
    }
}

fn form(call: &Call, kind: &ValueType) -> bool {
    let number = |index: usize| match call.args.get(index) {
        Some(Arg::Term(Term::Number(n))) => n.parse::<usize>().ok(),
        _ => None,
    };
    match call.name.as_str() {
        "DATE" => kind.base() == Base::Date,
        "CHARSET" => matches!(&call.args[..], [_, Arg::Term(Term::Text(id))] if kind.charset().is_some_and(|c| c.id == *id)),
        "MASK" => matches!(&call.args[..], [_, Arg::Term(Term::Text(text))] if kind.mask().is_some_and(|m| m.as_str() == text)),
        "DIGITS" => {
            let (shortest, longest) = kind.lengths();
            let digits = kind.base() == Base::Number && kind.decimal().is_none() && kind.mask().is_none();
            digits && number(1).is_some_and(|n| n <= shortest) && number(2).is_some_and(|n| longest <= n)
        }
        "DECIMAL" => {
            kind.decimal().is_some_and(|(whole, fraction, fixed)| fixed && number(1) >= Some(usize::from(whole)) && number(2) == Some(usize::from(fraction)))
        }
        _ => false,
    }
}
