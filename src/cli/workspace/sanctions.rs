//! What payers and ФЛК hold against the cases of a registry, for people and programs.

use crate::api::status as api;
use crate::cli::out::columns;
use crate::cli::ui::Ui;
use crate::report::columns::{Columns, fields};
use crate::report::xlsx::{self, Cell};
use crate::texts::Key;
use crate::workspace::CaseSanction;

/// How many are shown unless all are asked for.
const SHOWN: usize = 20;

fields!(
    /// The columns of what is held against cases.
    pub(in super::super) OfSanction,
    "status",
    "sanctions",
    Revision,
    NZap,
    Idcase,
    Code,
    Sum,
    Comment,
    Source
);

/// The cell in a column, for people.
pub(in super::super) fn sanction_cell(field: OfSanction, s: &CaseSanction) -> Cell {
    match field {
        OfSanction::Revision => Cell::Count(s.revision),
        OfSanction::NZap => Cell::Count(s.n_zap),
        OfSanction::Idcase => Cell::Count(s.idcase),
        OfSanction::Code => Cell::Text(s.code.clone()),
        OfSanction::Sum => Cell::Money(s.sum),
        OfSanction::Comment => Cell::Text(without_numbers(&s.comment)),
        OfSanction::Source => Cell::Text(s.source.clone()),
    }
}

/// The same for programs.
pub(in super::super) fn sanction(s: &CaseSanction) -> api::Sanction {
    api::Sanction {
        revision: s.revision,
        n_zap: s.n_zap,
        idcase: s.idcase,
        code: s.code.clone(),
        sum_kopecks: s.sum,
        comment: without_numbers(&s.comment),
        source: s.source.clone(),
    }
}

/// What is held against the cases of a registry.
pub(in super::super) fn sanctions(of_registry: &[CaseSanction], all: bool, list: &Columns<OfSanction>, ui: &Ui<'_>) -> String {
    let shown = list.human();
    let head = shown.iter().map(|c| c.title(ui.lang).to_owned()).collect();
    let most = if all { of_registry.len() } else { SHOWN };
    let row = |s: &CaseSanction| shown.iter().map(|c| xlsx::shown(&sanction_cell(c.field, s), ui.texts, ui.lang)).collect();
    let mut out = columns(&std::iter::once(head).chain(of_registry.iter().take(most).map(row)).collect::<Vec<_>>());
    if of_registry.len() > most {
        let more = (of_registry.len() - most).to_string();
        out += &format!("{}\n", ui.texts.fill(Key::StatusMore, ui.lang, &[("number", &more)]));
    }
    out
}

/// The number of digits from which a number may be that of a person, such as a СНИЛС.
const LONG: usize = 11;
/// How many of its digits stay.
const LEFT: usize = 4;

/// A payer's words, in which only the last digits of long numbers are shown: a payer may name a person by them.
fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        out += &rest[..at];
        let number = &rest[at..];
        let end = number.find(|c: char| !(c.is_ascii_digit() || c == '-' || c == ' ')).unwrap_or(number.len());
        let number = number[..end].trim_end_matches(['-', ' ']);
        let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
        if digits.len() < LONG {
            out += number;
        } else {
            out.push('…');
            out.extend(&digits[digits.len() - LEFT..]);
        }
        rest = &rest[at + number.len()..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_persons_are_not_shown_whole() {
        for (text, shown) in [
            ("", ""),
            ("тариф 12345,67; п. 5.3.2.", "тариф 12345,67; п. 5.3.2."),
            ("нет ЕНП 9999000000000012 в базе", "нет ЕНП …0012 в базе"),
            ("СНИЛС 123-456-789 00", "СНИЛС …8900"),
            ("SL/DS1: 2026-04-02 10:00", "SL/DS1: 2026-04-02 10:00"),
            ("12345678901-", "…8901-"),
        ] {
            assert_eq!(without_numbers(text), shown, "{text}");
        }
    }
}
