//! What payers and ФЛК hold against the cases of a registry, for people and programs.

use crate::api::status as api;
use crate::cli::ui::Ui;
use crate::report::columns::{Columns, fields};
use crate::report::xlsx::{self, Cell};
use crate::texts::Key;
use crate::texts::layout::columns;
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

/// What is held against the cases of a registry: some of its last submission by the number of that, or all.
pub(in super::super) fn sanctions(of_registry: &[CaseSanction], revision: Option<i64>, list: &Columns<OfSanction>, ui: &Ui<'_>) -> String {
    let shown = list.human();
    let row = |s: &CaseSanction| shown.iter().map(|c| xlsx::shown(&sanction_cell(c.field, s), ui.texts, ui.lang)).collect();
    let own: Vec<&CaseSanction> = of_registry.iter().filter(|s| revision.is_none_or(|revision| s.revision == revision)).collect();
    let most = if revision.is_some() { SHOWN } else { own.len() };
    let mut out = String::new();
    if !own.is_empty() {
        let head = shown.iter().map(|c| c.title(ui.lang).to_owned()).collect();
        out += &columns(&std::iter::once(head).chain(own.iter().take(most).map(|s| row(s))).collect::<Vec<_>>());
    }
    for (key, number) in [(Key::StatusMore, own.len().saturating_sub(most)), (Key::StatusFormer, of_registry.len() - own.len())] {
        if number > 0 {
            out += &format!("{}\n", ui.texts.fill(key, ui.lang, &[("number", &number.to_string())]));
        }
    }
    out
}

/// The number of digits from which a number may be that of a person, such as a СНИЛС.
const LONG: usize = 11;
/// How many of its digits stay.
const LEFT: usize = 4;

/// A payer's words in one line, in which only the last digits of long numbers are shown: a payer may name a person by them.
pub(in super::super) fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Nor does a text that came from outside lead the terminal, or look like a line of ours.
    let clean = text.replace(char::is_control, " ");
    let mut rest = clean.as_str();
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
            ("а\n2401-9\u{1b}[31m", "а 2401-9 [31m"),
        ] {
            assert_eq!(without_numbers(text), shown, "{text}");
        }
    }
}
