//! What is said of books, in the user's language.

use crate::cli::failure::reason;
use crate::cli::ui::Ui;
use crate::nsi::update::TakenRules;
use crate::nsi::{BookFault, Description, ImageError, Refusal, Taken};
use crate::texts::{Key, Lang, Texts};
use crate::values::Date;

/// «3.0 от 2018-03-30», «без номера, по строкам 2022-01-01».
pub(super) fn edition(book: &Description, texts: &Texts, lang: Lang) -> String {
    let number = if book.edition.is_empty() { texts.get(Key::NsiUnnumbered, lang) } else { &book.edition };
    match book.date {
        None => number.to_owned(),
        Some(date) => {
            let key = if book.dated_by_rows { Key::NsiEditionByRows } else { Key::NsiEdition };
            texts.fill(key, lang, &[("edition", number), ("date", &date.to_string())])
        }
    }
}

/// «V002: 5.0 от 2026-01-30, строк 200; была 3.0 от 2018-03-30».
pub(super) fn taken(taken: &Taken, texts: &Texts, lang: Lang) -> String {
    let mut line = in_place_of(&taken.book, taken.replaced.as_ref(), texts, lang);
    if taken.left_out > 0 {
        line.push_str(&texts.fill(Key::NsiTakenLeftOut, lang, &[("rows", &texts.number(lang, taken.left_out as u64))]));
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

/// «7 лет», «3 месяца», «12 дней».
pub(super) fn age(date: Date, today: Date, texts: &Texts, lang: Lang) -> String {
    let days = u64::try_from(today.days_since(date)).unwrap_or(0);
    match days {
        0..=59 => texts.count(Key::CountDay, lang, days),
        60..=729 => texts.count(Key::CountMonth, lang, days * 12 / 365),
        _ => texts.count(Key::CountYear, lang, days * 4 / 1461),
    }
}

/// Why a file was not taken.
pub(super) fn refusal(refusal: &Refusal, texts: &Texts, lang: Lang) -> String {
    let key = match refusal {
        Refusal::Unreadable(_) => Key::NsiRefusedUnreadable,
        Refusal::Archive(_) => Key::NsiRefusedArchive,
        Refusal::TooLarge => Key::NsiRefusedTooLarge,
        Refusal::Encoding => Key::NsiRefusedEncoding,
        Refusal::Broken { .. } => Key::NsiRefusedBroken,
        Refusal::NotABook => Key::NsiRefusedNotABook,
        Refusal::Unknown => Key::NsiRefusedUnknown,
        Refusal::Ambiguous(_) => Key::NsiRefusedAmbiguous,
        Refusal::Rules { .. } => Key::NsiRefusedRules,
        Refusal::OtherBook { .. } => Key::NsiRefusedOtherBook,
        Refusal::NoKey { .. } => Key::NsiRefusedNoKey,
        Refusal::EmptyKey { .. } => Key::NsiRefusedEmptyKey,
        Refusal::BadDate { .. } => Key::NsiRefusedBadDate,
        Refusal::BadEditionDate { .. } => Key::NsiRefusedBadEditionDate,
        Refusal::Empty => Key::NsiRefusedEmpty,
        Refusal::NothingNew => Key::NsiRefusedNothingNew,
        Refusal::Older { .. } => Key::NsiRefusedOlder,
        Refusal::Undated { .. } => Key::NsiRefusedUndated,
        Refusal::Shrinks { .. } => Key::NsiRefusedShrinks,
        Refusal::NotWritten(_) => Key::NsiRefusedNotWritten,
        Refusal::Table(_) => Key::NsiRefusedTable,
    };
    // Descriptions are worded here; everything else is a name, a number or a word of the system.
    let mut args = refusal.args();
    for (name, book) in books(refusal) {
        args.retain(|(n, _)| *n != name);
        args.push((name, edition(book, texts, lang)));
    }
    let slots: Vec<(&str, &str)> = args.iter().map(|(name, value)| (*name, value.as_str())).collect();
    texts.fill(key, lang, &slots)
}

fn books(refusal: &Refusal) -> Vec<(&'static str, &Description)> {
    match refusal {
        Refusal::Older { offered, current } => vec![("offered", offered), ("current", current)],
        Refusal::Undated { current } | Refusal::Shrinks { current, .. } => vec![("current", current)],
        _ => Vec::new(),
    }
}

/// A compiled book that cannot be used.
pub(super) fn fault(fault: &BookFault, ui: &Ui<'_>) -> String {
    let (id, path, reason) = match fault {
        BookFault::Table(error) => return ui.texts.fill(Key::ErrorTable, ui.lang, &[("error", &error.to_string())]),
        BookFault::Unreadable { id, path, error } => (id, path, reason(&(*error).into(), ui.texts, ui.lang)),
        BookFault::Damaged { id, path, error } => {
            let key = match error {
                ImageError::Foreign => Key::NsiFaultForeign,
                ImageError::Newer => Key::NsiFaultNewer,
                ImageError::Digest | ImageError::Structure => Key::NsiFaultDamaged,
            };
            (id, path, ui.texts.get(key, ui.lang).to_owned())
        }
    };
    ui.texts.fill(Key::NsiFault, ui.lang, &[("book", id), ("path", &path.display().to_string()), ("reason", &reason)])
}
