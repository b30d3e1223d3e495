//! The tables as a person reads them.

use super::rows::{EditionRow, ElementRow};
use crate::registry::format::{Family, Format, Formats};
use crate::texts::layout::columns;
use crate::texts::{Key, Lang, Texts};

/// The longest closed list that is shown completely, in characters.
const SHORT_LIST: usize = 24;

pub(super) fn list(list: &[EditionRow<'_>], formats: &Formats, texts: &Texts, lang: Lang) -> String {
    let mut rows = vec![head(texts.get(Key::FormatsListHead, lang))];
    for row in list {
        let known = basis(texts, lang, row.basis);
        rows.push(vec![row.family.to_string(), row.edition.to_owned(), row.version.to_owned(), row.period(), known, row.elements.to_string()]);
    }
    let mut out = columns(&rows);
    let mut letters = vec![head(texts.get(Key::FormatsListLetters, lang))];
    letters.extend(formats.prefixes().iter().map(|p| vec![p.letters.clone(), p.persons.clone(), p.title.get(lang).to_owned()]));
    out += "\n";
    out += &columns(&letters);
    if let Some(last) = list.first().and_then(|first| list.iter().rev().find(|r| r.family == first.family)) {
        out += &format!("\n{}\n", texts.fill(Key::FormatsListMore, lang, &[("family", &last.family.to_string()), ("edition", last.edition)]));
    }
    out
}

pub(super) fn table(list: &[ElementRow<'_>], format: &Format, texts: &Texts, lang: Lang) -> String {
    let mut rows = vec![head(texts.get(Key::FormatsShowHead, lang))];
    for row in list {
        let element = format!("{}{}", "  ".repeat(row.depth), row.element);
        rows.push(vec![element, row.obligation.clone(), kind(row), row.book.unwrap_or("").to_owned(), row.node.title.get(lang).to_owned()]);
    }
    let more = texts.fill(Key::FormatsShowMore, lang, &[("family", &format.family.to_string()), ("edition", &format.edition.id)]);
    format!("{}{}\n{}\n{more}\n", title(format, texts, lang), columns(&rows), texts.get(Key::FormatsLegend, lang))
}

pub(super) fn elements(list: &[ElementRow<'_>], format: &Format, formats: &Formats, texts: &Texts, lang: Lang) -> String {
    let mut out = title(format, texts, lang);
    for row in list {
        out += &format!("\n{}\n", row.path);
        let node = row.node;
        let mut obligation = texts
            .get(
                match (node.obligation.required, node.obligation.conditional) {
                    (true, _) => Key::FormatsRequired,
                    (_, true) => Key::FormatsConditional,
                    _ => Key::FormatsOptional,
                },
                lang,
            )
            .to_owned();
        if node.obligation.repeatable {
            obligation = format!("{obligation}, {}", texts.get(Key::FormatsRepeatable, lang));
        }
        let set = node.value_type().and_then(|k| k.charset()).map(|s| s.title.get(lang).to_owned());
        let lengths = row.min_length.zip(row.max_length).map(|(min, max)| if min == max { max.to_string() } else { format!("{min}–{max}") });
        let region = node.regional.then(|| texts.get(Key::FormatsRegional, lang).to_owned());
        let personal = row.personal.then(|| texts.get(Key::FormatsPersonal, lang).to_owned());
        let facts = [
            (Key::FormatsName, Some(node.title.get(lang).to_owned())),
            (Key::FormatsObligation, Some(format!("{}: {obligation}", row.obligation))),
            (Key::FormatsType, Some(row.spec.clone().unwrap_or_else(|| texts.get(Key::FormatsBlock, lang).to_owned()))),
            (Key::FormatsLength, lengths),
            (Key::FormatsMask, row.mask.map(str::to_owned)),
            (Key::FormatsChars, set),
            (Key::FormatsValues, row.values.as_ref().map(|v| v.replace(' ', ", "))),
            (Key::FormatsBook, row.book.map(str::to_owned)),
            (Key::FormatsEditions, Some(ranges(formats, format.family, &row.editions))),
            (Key::FormatsBasis, Some(basis(texts, lang, row.basis))),
            (Key::FormatsScope, region),
            (Key::FormatsPrivacy, personal),
        ];
        let rows: Vec<Vec<String>> = facts.into_iter().filter_map(|(key, fact)| Some(vec![format!("  {}", texts.get(key, lang)), fact?])).collect();
        out += &columns(&rows);
    }
    out
}

fn title(format: &Format, texts: &Texts, lang: Lang) -> String {
    let row = EditionRow::new(format);
    let (family, elements) = (row.family.to_string(), row.elements.to_string());
    let slots = [
        ("family", family.as_str()),
        ("edition", row.edition),
        ("version", row.version),
        ("period", &row.period()),
        ("basis", &basis(texts, lang, row.basis)),
        ("elements", &elements),
    ];
    texts.fill(Key::FormatsTitle, lang, &slots) + "\n"
}

/// The words for a value of the column `basis`; an unknown value is shown as it is.
fn basis(texts: &Texts, lang: Lang, basis: &str) -> String {
    let key = match basis {
        "proven" | "Q015" => Key::FormatsProven,
        "practice" => Key::FormatsPractice,
        "inferred" => Key::FormatsInferred,
        "schema" | "structure" => Key::FormatsSchema,
        _ => return basis.to_owned(),
    };
    texts.get(key, lang).to_owned()
}

fn head(text: &str) -> Vec<String> {
    text.split('|').map(str::to_owned).collect()
}

/// `N(1) {0, 1}`: the type with its closed list, if that is short.
fn kind(row: &ElementRow<'_>) -> String {
    let spec = row.spec.as_deref().unwrap_or("");
    match &row.values {
        Some(values) if values.len() <= SHORT_LIST => format!("{spec} {{{}}}", values.replace(' ', ", ")),
        Some(values) => {
            let first = values.split(' ').next().unwrap_or("");
            let last = values.rsplit(' ').next().unwrap_or("");
            format!("{spec} {{{first}, …, {last}}}")
        }
        None => spec.to_owned(),
    }
}

/// Editions as runs: `3.0 – 3.2, 5.0 – …` where the last one of the family is open.
fn ranges(formats: &Formats, family: Family, editions: &str) -> String {
    let all: Vec<&str> = formats.editions(family).iter().map(|f| f.edition.id.as_str()).collect();
    let have = |id: &str| editions.split(' ').any(|e| e == id);
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for i in (0..all.len()).filter(|i| have(all[*i])) {
        match runs.last_mut() {
            Some(run) if run.1 + 1 == i => run.1 = i,
            _ => runs.push((i, i)),
        }
    }
    let shown = runs.iter().map(|&(first, last)| match (first == last, last + 1 == all.len()) {
        (_, true) => format!("{} – …", all[first]),
        (true, false) => all[first].to_owned(),
        (false, false) => format!("{} – {}", all[first], all[last]),
    });
    shown.collect::<Vec<_>>().join(", ")
}
