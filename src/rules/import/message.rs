//! The message and the advice of a rule, made from its formula in the words of the built-in rows.

use super::brief::{Brief, Phrases, form_of, values};
use crate::nsi::{Catalog, LookupDate};
use crate::rules::ast::{Arg, Call, CompareOp, Expr, Item, Literal, Ref, Set, Term};
use crate::rules::{Words, parse};
use crate::texts::{Lang, Text};

/// What a requirement asks of its element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    Book,
    Regional,
    Presence,
    Absence,
    Form,
    Values,
}

impl Asks {
    /// The beginning of the keys of its texts.
    fn key(self) -> &'static str {
        match self {
            Self::Book => "row.book",
            Self::Regional => "row.regional",
            Self::Presence => "row.present",
            Self::Absence => "row.absent",
            Self::Form => "row.format",
            Self::Values => "row.value",
        }
    }
}

/// Makes messages from formulas.
#[derive(Clone, Copy)]
pub(super) struct Messages<'m> {
    pub(super) phrases: &'m Phrases,
    pub(super) words: &'m Words,
    pub(super) books: &'m Catalog,
}

/// A message with its advice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) text: Text,
    pub(super) advice: Text,
}

impl Messages<'_> {
    /// The message of a rule on the element with this path; `None` if there is no fixed text for such a requirement.
    pub(super) fn of(self, element: &str, when: &str, require: &str) -> Option<Message> {
        let when = if when.is_empty() { None } else { Some(parse(when).ok()?) };
        let require = parse(require).ok()?;
        let asks = asks(&require, element.rsplit('/').next().unwrap_or(""))?;
        let make = |lang| self.in_language(asks, element, when.as_ref(), &require, lang);
        let (ru, en) = (make(Lang::Ru)?, make(Lang::En)?);
        Some(Message { text: Text { ru: ru.0, en: en.0 }, advice: Text { ru: ru.1, en: en.1 } })
    }

    fn in_language(self, asks: Asks, path: &str, when: Option<&Expr>, require: &Expr, lang: Lang) -> Option<(String, String)> {
        let brief = Brief { phrases: self.phrases, words: self.words, element: path, lang };
        let name = path.rsplit('/').next().unwrap_or("");
        let known = self.words.element(path);
        let of = known.map_or_else(String::new, |e| format!(" ({})", flat(e.title.get(lang))));
        let label = known.map_or(name, |e| e.label);
        let parent = path.rsplit('/').nth(1).unwrap_or("");
        let within = |when: &Expr| matches!(when, Expr::Present(names) if names.len() == 1 && names[0].name.rsplit('.').next() == Some(parent));
        let (key, label, when) = match (asks, when) {
            (Asks::Presence, Some(condition)) if within(condition) => ("row.present-in", name, None),
            (Asks::Presence, None) => ("row.present-always", label, None),
            (Asks::Absence, None) => ("row.absent-always", label, None),
            (asks, when) => (asks.key(), label, when),
        };
        let is_block = known.is_some_and(|e| e.is_block) && matches!(asks, Asks::Presence | Asks::Absence);
        let key = if is_block { format!("{key}.block") } else { key.to_owned() };
        let (book, on) = if asks == Asks::Book { self.book(require, path)? } else { (String::new(), String::new()) };
        let on = self.phrases.text(&format!("on.{on}"), lang, &[]);
        let asked = match asks {
            Asks::Form => self.form(require, brief, lang)?,
            Asks::Values => allowed(require, brief)?,
            _ => String::new(),
        };
        let condition = when.map(|expr| plain(&brief.condition(expr)));
        let tail = match &condition {
            Some(text) => self.phrases.text("row.condition", lang, &[("condition", text)]),
            None => String::new(),
        };
        let elements =
            when.map(names).unwrap_or_default().into_iter().filter(|n| n.rsplit(['/', '.']).next() != Some(name)).take(3).collect::<Vec<_>>().join(", ");
        let condition = condition.unwrap_or_default();
        let slots: [(&str, &str); 9] = [
            ("element", label),
            ("of", &of),
            ("block", parent),
            ("book", &book),
            ("on", &on),
            ("asked", &asked),
            ("condition", &condition),
            ("tail", &tail),
            ("elements", &elements),
        ];
        let advice = match asks {
            Asks::Presence | Asks::Absence if elements.is_empty() => format!("{}-always.advice", asks.key()),
            asks => format!("{}.advice", asks.key()),
        };
        Some((self.phrases.text(&key, lang, &slots), self.phrases.text(&advice, lang, &slots)))
    }

    /// The book of a lookup, and the element with the date for which it is made.
    fn book(self, require: &Expr, path: &str) -> Option<(String, String)> {
        let Expr::Call(call) = require else { return None };
        let (Arg::Term(first), rest) = call.args.split_first()? else { return None };
        let whole = first.to_string();
        let book = whole.split('.').next()?.to_owned();
        // Outside of the records there is no date but that of the account.
        let of_head = path.split('/').nth(1) != self.words.record();
        let on = match rest {
            [Arg::Term(Term::Ref(day))] => day.name.clone(),
            _ if of_head => LookupDate::Account.element().to_owned(),
            _ => self.books.get(&book)?.on.element().to_owned(),
        };
        Some((book, on))
    }

    /// The look of a value: `от 1 до 4 знаков; цифры`.
    fn form(self, require: &Expr, brief: Brief<'_>, lang: Lang) -> Option<String> {
        let parts = if let Expr::And(parts) = require { parts.as_slice() } else { std::slice::from_ref(require) };
        let parts: Option<Vec<String>> = parts.iter().map(|part| self.look(part, brief, lang)).collect();
        Some(parts?.join("; "))
    }

    fn look(self, part: &Expr, brief: Brief<'_>, lang: Lang) -> Option<String> {
        let text = |key: &str, slots: &[(&str, &str)]| self.phrases.text(key, lang, slots);
        let counted = |what: &str, from: &str, to: &str| {
            let many = if from == to { form_of(from) } else { "range" };
            text(&format!("form.{what}.{many}"), &[("from", from), ("to", to)])
        };
        match part {
            Expr::In { set: Set::Items(items), .. } => match items.as_slice() {
                [Item::Range(Literal::Number(from), Literal::Number(to))] => Some(counted("length", from, to)),
                _ => None,
            },
            Expr::Call(call) => match (call.name.as_str(), call.args.as_slice()) {
                ("DATE", _) => Some(text("form.date", &[])),
                ("DIGITS", [_, Arg::Term(Term::Number(from)), Arg::Term(Term::Number(to))]) => Some(counted("digits", from, to)),
                ("DECIMAL", [_, Arg::Term(Term::Number(whole)), Arg::Term(Term::Number(part))]) => {
                    Some(text(&format!("form.decimal.{}", if whole == "1" { "one" } else { "many" }), &[("whole", whole), ("part", part)]))
                }
                ("MASK", [_, Arg::Term(Term::Text(mask))]) => Some(text("form.mask", &[("mask", mask)])),
                ("MASK", [_, Arg::Term(Term::Call(row))]) => {
                    let Some(Arg::Term(Term::Ref(book))) = row.args.first() else { return None };
                    Some(text("form.mask-of-book", &[("book", &book.name)]))
                }
                ("CHARSET", [_, Arg::Term(Term::Text(set))]) => Some(self.words.charset(set)?.get(brief.lang).to_owned()),
                _ => None,
            },
            _ => None,
        }
    }
}

fn asks(require: &Expr, name: &str) -> Option<Asks> {
    let own = |names: &[Ref]| matches!(names, [one] if one.name == name);
    let of_form = |part: &Expr| match part {
        Expr::In { term: Term::Call(call), negated: false, .. } => call.name == "LEN",
        Expr::Call(call) => matches!(call.name.as_str(), "DATE" | "DIGITS" | "DECIMAL" | "MASK" | "CHARSET"),
        _ => false,
    };
    match require {
        Expr::Present(names) if own(names) => Some(Asks::Presence),
        Expr::Absent(names) if own(names) => Some(Asks::Absence),
        Expr::Call(Call { name, .. }) if name == "BOOK" => Some(Asks::Book),
        Expr::Call(Call { name, .. }) if name == "REGIONAL_BOOK" => Some(Asks::Regional),
        Expr::And(parts) if parts.iter().all(of_form) => Some(Asks::Form),
        part if of_form(part) => Some(Asks::Form),
        Expr::Compare(CompareOp::Eq, Term::Ref(element), Term::Text(_) | Term::Number(_)) if element.name == name => Some(Asks::Values),
        Expr::In { term: Term::Ref(element), set: Set::Items(items), negated: false } if element.name == name && values(items).is_some() => Some(Asks::Values),
        _ => None,
    }
}

/// The allowed values: `только 0 или 1`.
fn allowed(require: &Expr, brief: Brief<'_>) -> Option<String> {
    let (name, values) = match require {
        Expr::Compare(_, Term::Ref(name), Term::Text(value) | Term::Number(value)) => (name, vec![value.clone()]),
        Expr::In { term: Term::Ref(name), set: Set::Items(items), .. } => (name, values(items)?),
        _ => return None,
    };
    let mut list = brief.list(&values, "if.list");
    if let Some(glosses) = brief.glosses(&name.name, &values) {
        list = format!("{list} ({glosses})");
    }
    Some(brief.phrases.text(if values.len() == 1 { "form.value" } else { "form.values" }, brief.lang, &[("list", &list)]))
}

/// A name of an element without brackets, because it stands in brackets itself.
fn flat(title: &str) -> String {
    title.replace(" (", ", ").replace(')', "")
}

/// Braces would be read as slots.
fn plain(text: &str) -> String {
    text.replace('{', "(").replace('}', ")")
}

/// The elements that a condition names, each once, in their order.
fn names(expr: &Expr) -> Vec<&str> {
    let mut found = Vec::new();
    gather(expr, &mut found);
    found
}

fn gather<'e>(expr: &'e Expr, found: &mut Vec<&'e str>) {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| gather(part, found)),
        Expr::Not(inner) => gather(inner, found),
        Expr::Compare(_, left, right) => {
            gather_term(left, found);
            gather_term(right, found);
        }
        Expr::In { term, .. } | Expr::Like(term, _) => gather_term(term, found),
        Expr::Quantified { condition, .. } => gather(condition, found),
        Expr::Present(names) | Expr::Absent(names) => names.iter().for_each(|name| add(&name.name, found)),
        Expr::Call(call) => gather_call(call, found),
    }
}

fn gather_term<'e>(term: &'e Term, found: &mut Vec<&'e str>) {
    match term {
        Term::Ref(name) => add(&name.name, found),
        Term::Call(call) => gather_call(call, found),
        Term::Arithmetic(_, left, right) => {
            gather_term(left, found);
            gather_term(right, found);
        }
        Term::Number(_) | Term::Text(_) => {}
    }
}

fn gather_call<'e>(call: &'e Call, found: &mut Vec<&'e str>) {
    for arg in &call.args {
        match arg {
            Arg::Term(term) | Arg::Field(_, term) => gather_term(term, found),
            Arg::Where(_, condition) => gather(condition, found),
        }
    }
}

fn add<'e>(name: &'e str, found: &mut Vec<&'e str>) {
    // Parts of the file's name have small letters; no element can be mended there.
    if !name.chars().any(|c| c.is_ascii_lowercase()) && !found.contains(&name) {
        found.push(name);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::import::{Importer, TableRow};
    use crate::tables::RuleFiles;

    /// Of how many in a hundred built-in rows both texts are, letter by letter, those that would be made from their formulas. The others name another
    /// date or element title, or are made by hand, as those of rows that were inferred.
    const LEAST: [(&str, usize); 3] = [("flk/001F.csv", 75), ("flk/003F.csv", 85), ("flk/004F.csv", 85)];

    #[test]
    fn the_built_in_texts_are_made_letter_by_letter() {
        let files = RuleFiles::embedded();
        let importer = Importer::new(&files, None).expect("the tables");
        for (table, least) in LEAST {
            let rows = files.rows::<TableRow>(table).expect("a table");
            let count = rows.len();
            let (mut same, mut odd) = (0, String::new());
            for (_, row) in rows {
                let message = importer.messages().of(&row.element, &row.when, &row.require);
                if message.as_ref().is_some_and(|m| m.text.ru == row.ru && m.text.en == row.en) {
                    same += 1;
                } else {
                    let text = message.map(|m| m.text);
                    odd += &format!(
                        "{}\n  {}\n  {}\n  {}\n  {}\n",
                        row.id,
                        row.ru,
                        text.as_ref().map_or("", |t| &t.ru),
                        row.en,
                        text.as_ref().map_or("", |t| &t.en)
                    );
                }
            }
            assert!(same * 100 >= count * least, "{table}: {same} of {count}\n{odd}");
        }
    }
}
