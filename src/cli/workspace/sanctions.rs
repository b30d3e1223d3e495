//! What payers and ФЛК hold against the cases of a registry, for people and programs.

use crate::api::status as api;
use crate::cli::ui::Ui;
use crate::report::columns::{Columns, fields};
use crate::report::xlsx::{self, Cell};
use crate::texts::Key;
use crate::texts::layout::columns;
use crate::values::without_person_numbers;
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

/// A payer's words in one line, in which only the last digits of long numbers are shown: a payer may name a person by them.
pub(in super::super) fn without_numbers(text: &str) -> String {
    // Nor does a text that came from outside lead the terminal, or look like a line of ours.
    without_person_numbers(&text.replace(char::is_control, " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payers_words_stay_in_one_line() {
        assert_eq!(without_numbers("а\n12345678901\u{1b}[31m"), "а …8901 [31m");
    }
}
