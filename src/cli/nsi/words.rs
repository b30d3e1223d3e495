//! Phrases about books in the user's language.

use crate::nsi::update::TakenRules;
use crate::nsi::{Description, Taken};
use crate::registers;
use crate::texts::{Key, Lang, Texts};
use crate::values::{Date, Span};

/// «3.0 от 2018-03-30», «без номера, по строкам 2022-01-01».
pub(super) fn edition(book: &Description, texts: &Texts, lang: Lang) -> String {
    texts.slot(&book.phrase(), lang)
}

/// «V002: 5.0 от 2026-01-30, строк 200; была 3.0 от 2018-03-30».
pub(super) fn taken(taken: &Taken, texts: &Texts, lang: Lang) -> String {
    let mut line = in_place_of(&taken.book, taken.replaced.as_ref(), texts, lang);
    if taken.left_out > 0 {
        line.push_str(&texts.fill(Key::NsiTakenLeftOut, lang, &[("rows", &texts.number(lang, taken.left_out as u64))]));
    }
    line
}

/// «insured (застрахованные лица): строк 1 000; было 990 от 2026-01-30».
pub(super) fn register(taken: &registers::Taken, name: &str, texts: &Texts, lang: Lang) -> String {
    let number = |n: u64| texts.number(lang, n);
    let mut line = texts.fill(Key::RegisterTaken, lang, &[("register", &taken.id), ("name", name), ("rows", &number(taken.rows))]);
    if taken.repeated > 0 {
        line += &texts.fill(Key::RegisterTakenRepeated, lang, &[("rows", &number(taken.repeated))]);
    }
    if let Some((day, rows)) = taken.replaced {
        line += &texts.fill(Key::RegisterTakenWas, lang, &[("rows", &number(rows)), ("date", &day.to_string())]);
    }
    line
}

/// The same of a rule book.
pub(super) fn taken_rules(taken: &TakenRules, texts: &Texts, lang: Lang) -> String {
    in_place_of(&taken.book, taken.replaced.as_ref(), texts, lang)
}

fn in_place_of(book: &Description, replaced: Option<&Description>, texts: &Texts, lang: Lang) -> String {
    let rows = texts.number(lang, book.rows as u64);
    let mut line = texts.fill(Key::NsiTaken, lang, &[("book", &book.id), ("edition", &edition(book, texts, lang)), ("rows", &rows)]);
    if let Some(replaced) = replaced {
        let key = if replaced.imported { Key::NsiTakenWas } else { Key::NsiTakenWasBuiltIn };
        line.push_str(&texts.fill(key, lang, &[("edition", &edition(replaced, texts, lang))]));
    }
    line
}

/// The age of a date in days, months or years: «7 лет», «3 месяца», «12 дней».
pub(super) fn age(date: Date, today: Date, texts: &Texts, lang: Lang) -> String {
    let days = u64::try_from(today.days_since(date)).unwrap_or(0);
    match days {
        0..=59 => texts.count(Key::CountDay, lang, days),
        60..=729 => texts.count(Key::CountMonth, lang, days * 12 / 365),
        _ => texts.count(Key::CountYear, lang, days * 4 / 1461),
    }
}

/// The first day of a span; `None` when it has no beginning.
pub(super) fn first(span: Span) -> Option<String> {
    (span.from > Date::MIN).then(|| span.from.to_string())
}

/// The last day of a span; `None` when it has no end.
pub(super) fn last(span: Span) -> Option<String> {
    (span.until < Date::MAX).then(|| span.until.to_string())
}

/// The days on which a row is valid: «с 2011-01-01 по 2013-07-07», «всегда».
pub(super) fn days(span: Span, texts: &Texts, lang: Lang) -> String {
    match (first(span), last(span)) {
        (None, None) => texts.get(Key::NsiDaysAlways, lang).to_owned(),
        (Some(from), None) => texts.fill(Key::NsiDaysFrom, lang, &[("from", &from)]),
        (None, Some(until)) => texts.fill(Key::NsiDaysUntil, lang, &[("until", &until)]),
        (Some(from), Some(until)) => texts.fill(Key::NsiDaysBoth, lang, &[("from", &from), ("until", &until)]),
    }
}
