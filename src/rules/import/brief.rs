//! Puts a condition into the few words of a message: «USL_OK = 3 (амбулаторно) и DS1 из C00–D09».
//!
//! The phrases are rows `if.…` of `rules/import/texts.csv`, what codes mean are rows of `rules/import/glosses.csv`. What has no phrase here is put
//! as `explain` puts it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::rules::Words;
use crate::rules::ast::{Arg, Call, CompareOp, Expr, Item, Literal, Quantifier, Ref, Set, Term};
use crate::tables::{RuleFiles, TableError};
use crate::texts::{Lang, Text, fill};

const TEXTS: &str = "import/texts.csv";
const GLOSSES: &str = "import/glosses.csv";
/// In the column `op` of a gloss: it replaces the whole comparison.
const WHOLE: &str = "is";

#[derive(Debug, Clone, Deserialize)]
struct Gloss {
    element: String,
    /// `=`, `<>`, [`WHOLE`], or empty for any.
    op: String,
    value: String,
    ru: String,
    en: String,
}

#[derive(Deserialize)]
struct TextRow {
    key: String,
    ru: String,
    en: String,
}

/// Texts of the import, and what codes mean.
#[derive(Debug)]
pub(super) struct Phrases {
    pub(super) texts: BTreeMap<String, Text>,
    glosses: Vec<Gloss>,
}

impl Phrases {
    pub(super) fn load(files: &RuleFiles) -> Result<Self, TableError> {
        Ok(Self {
            texts: files.rows::<TextRow>(TEXTS)?.into_iter().map(|(_, t)| (t.key, Text { ru: t.ru, en: t.en })).collect(),
            glosses: files.rows(GLOSSES)?.into_iter().map(|(_, g)| g).collect(),
        })
    }

    /// A text with its slots filled; the key itself if the table lacks it.
    pub(super) fn text(&self, key: &str, lang: Lang, slots: &[(&str, &str)]) -> String {
        let template = self.texts.get(key).map_or(key, |t| t.get(lang));
        fill(template, |slot| slots.iter().find(|(name, _)| *name == slot).map(|(_, value)| *value))
    }

    fn gloss(&self, name: &str, op: &str, value: &str) -> Option<&Gloss> {
        let last = name.rsplit(['/', '.']).next().unwrap_or(name);
        let of = |wanted: &str| self.glosses.iter().find(|g| g.element == last && g.value == value && g.op == wanted);
        if op == WHOLE { of(WHOLE) } else { of(op).or_else(|| of("")) }
    }
}

/// The first rubric of the classification of diseases.
const FIRST_RUBRIC: &str = "A00";

/// How a phrase is built, which decides whether it stands in brackets within another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Built {
    Whole,
    And,
    Or,
    /// A condition on blocks, of several parts.
    Long,
}

/// A speaker of one language.
#[derive(Clone, Copy)]
pub(super) struct Brief<'p> {
    pub(super) phrases: &'p Phrases,
    pub(super) words: &'p Words,
    /// Path of the checked element, from which names are looked up.
    pub(super) element: &'p str,
    pub(super) lang: Lang,
}

/// A comparison of a name with a constant.
struct Bound<'e> {
    name: &'e str,
    op: CompareOp,
    value: &'e str,
    /// Whether the constant is a code, not a number.
    code: bool,
}

fn bound(expr: &Expr) -> Option<Bound<'_>> {
    let Expr::Compare(op, left, right) = expr else { return None };
    let constant = |term: &'_ Term| matches!(term, Term::Number(_) | Term::Text(_));
    let (op, name, value) = match (left, right) {
        (Term::Ref(name), value) if constant(value) => (*op, name, value),
        (value, Term::Ref(name)) if constant(value) => {
            let turned = match op {
                CompareOp::Lt => CompareOp::Gt,
                CompareOp::Le => CompareOp::Ge,
                CompareOp::Gt => CompareOp::Lt,
                CompareOp::Ge => CompareOp::Le,
                same => *same,
            };
            (turned, name, value)
        }
        _ => return None,
    };
    let (value, code) = match value {
        Term::Text(value) => (value, true),
        Term::Number(value) => (value, false),
        _ => return None,
    };
    Some(Bound { name: &name.name, op, value, code })
}

/// The rubric `by` places after that of a code: `D10` and −1 make `D09`. `None` if the code is no letter with digits.
fn rubric(code: &str, by: i32) -> Option<String> {
    let code = code.strip_suffix(".0").unwrap_or(code);
    let letter = code.bytes().next().filter(u8::is_ascii_uppercase)?;
    let number: i32 = code.get(1..).filter(|rest| rest.len() == 2)?.parse().ok()?;
    let place = i32::from(letter) * 100 + number + by;
    let letter = u8::try_from(place / 100).ok().filter(u8::is_ascii_uppercase)?;
    Some(format!("{}{:02}", char::from(letter), place % 100))
}

/// The codes between two bounds of one name: `C00–D09`.
fn codes<'e>(low: &Bound<'e>, high: &Bound<'e>) -> Option<String> {
    if low.name != high.name || !low.code || !high.code {
        return None;
    }
    let first = rubric(
        low.value,
        match low.op {
            CompareOp::Ge => 0,
            CompareOp::Gt => 1,
            _ => return None,
        },
    )?;
    let last = rubric(
        high.value,
        match high.op {
            CompareOp::Lt => -1,
            CompareOp::Le => 0,
            _ => return None,
        },
    )?;
    Some(span(&first, &last))
}

fn span(first: &str, last: &str) -> String {
    if first == last { first.to_owned() } else { format!("{first}–{last}") }
}

/// A range of codes with its name: an `AND` of two bounds.
fn range(expr: &Expr) -> Option<(&str, String)> {
    let Expr::And(parts) = expr else { return None };
    let [low, high] = parts.as_slice() else { return None };
    let (low, high) = (bound(low)?, bound(high)?);
    Some((low.name, codes(&low, &high)?))
}

impl Brief<'_> {
    pub(super) fn condition(self, expr: &Expr) -> String {
        self.expr(expr).0
    }

    /// A list of values: `1, 10 или 12`. `last` is the key of the last joint.
    pub(super) fn list(self, items: &[String], last: &str) -> String {
        match items {
            [] => String::new(),
            [one] => one.clone(),
            [first @ .., end] => self.say(last, &[&first.join(", "), end]),
        }
    }

    fn say(self, key: &str, args: &[&str]) -> String {
        let Some(template) = self.phrases.texts.get(key) else { return args.join(", ") };
        fill(template.get(self.lang), |slot| slot.parse::<usize>().ok().and_then(|i| args.get(i).copied()))
    }

    fn expr(self, expr: &Expr) -> (String, Built) {
        let whole = |text: String| (text, Built::Whole);
        match expr {
            Expr::And(parts) => self.joined(parts, Built::And),
            Expr::Or(parts) => self.joined(parts, Built::Or),
            Expr::Compare(op, left, right) => whole(self.compare(*op, left, right, expr)),
            Expr::In { term: Term::Text(value), set: Set::Named(name), negated } => {
                whole(self.say(if *negated { "if.not-within" } else { "if.within" }, &[value, &shown(&name.name)]))
            }
            Expr::In { term, set: Set::Items(items), negated } => whole(self.among(term, items, *negated).unwrap_or_else(|| self.otherwise(expr))),
            Expr::Like(Term::Ref(name), pattern) => whole(self.say("if.begins", &[&shown(&name.name), pattern.trim_end_matches('*')])),
            Expr::Present(names) => whole(self.standing("if.present", names)),
            Expr::Absent(names) => whole(self.standing("if.absent", names)),
            Expr::Quantified { quantifier, block, condition, .. } => {
                self.quantified(if *quantifier == Quantifier::Exists { "if.exists" } else { "if.for-all" }, &block.name, condition)
            }
            Expr::Not(inner) => whole(match &**inner {
                Expr::Quantified { quantifier: Quantifier::Exists, block, condition, .. } => return self.quantified("if.none", &block.name, condition),
                Expr::Call(call) => self.in_book(call, "if.not-in-book").unwrap_or_else(|| self.otherwise(expr)),
                _ => self.otherwise(expr),
            }),
            Expr::Call(call) => whole(self.in_book(call, "if.in-book").unwrap_or_else(|| self.otherwise(expr))),
            _ => whole(self.otherwise(expr)),
        }
    }

    /// A condition on the blocks of one name. One of several parts stands in brackets within another condition, so that its end is seen.
    fn quantified(self, key: &str, block: &str, condition: &Expr) -> (String, Built) {
        let is_long = matches!(condition, Expr::And(_) | Expr::Or(_));
        (self.say(key, &[&shown(block), &self.expr(condition).0]), if is_long { Built::Long } else { Built::Whole })
    }

    fn otherwise(self, expr: &Expr) -> String {
        self.words.condition(expr, self.element, self.lang)
    }

    fn joined(self, parts: &[Expr], how: Built) -> (String, Built) {
        let mut pieces: Vec<String> = Vec::new();
        let mut at = 0;
        while at < parts.len() {
            let found = if how == Built::And {
                self.between(&parts[at..])
            } else {
                self.outside(&parts[at..]).or_else(|| self.of_codes(&parts[at..])).or_else(|| self.begins(&parts[at..]))
            };
            if let Some((text, taken)) = found {
                pieces.push(text);
                at += taken;
                continue;
            }
            let (text, built) = self.expr(&parts[at]);
            pieces.push(if built != Built::Whole && built != how { format!("({text})") } else { text });
            at += 1;
        }
        let key = if how == Built::And { "if.and" } else { "if.or" };
        let built = if pieces.len() == 1 { Built::Whole } else { how };
        let all = pieces.into_iter().reduce(|all, piece| self.say(key, &[&all, &piece])).unwrap_or_default();
        (all, built)
    }

    /// Two bounds of one name at the beginning of an `AND`.
    fn between(self, parts: &[Expr]) -> Option<(String, usize)> {
        let [low, high, ..] = parts else { return None };
        let (low, high) = (bound(low)?, bound(high)?);
        if let Some(codes) = codes(&low, &high) {
            return Some((self.say("if.codes", &[&shown(low.name), &codes]), 2));
        }
        let (low_key, high_key) = (self.bound_key(low.op)?, self.bound_key(high.op)?);
        let lower = matches!(low.op, CompareOp::Gt | CompareOp::Ge) && matches!(high.op, CompareOp::Lt | CompareOp::Le);
        if low.name != high.name || low.code || high.code || !lower {
            return None;
        }
        if (low.op, high.op) == (CompareOp::Ge, CompareOp::Le) {
            return Some((self.say("if.from-to", &[&shown(low.name), low.value, high.value]), 2));
        }
        let (low_text, high_text) = (self.say(low_key, &[low.value]), self.say(high_key, &[high.value]));
        Some((self.say("if.bounds", &[&shown(low.name), &low_text, &high_text]), 2))
    }

    fn bound_key(self, op: CompareOp) -> Option<&'static str> {
        match op {
            CompareOp::Lt => Some("if.below"),
            CompareOp::Le => Some("if.at-most"),
            CompareOp::Gt => Some("if.above"),
            CompareOp::Ge => Some("if.at-least"),
            CompareOp::Eq | CompareOp::Ne => None,
        }
    }

    /// Ranges of codes of one name, and single codes behind them, at the beginning of an `OR`.
    fn of_codes(self, parts: &[Expr]) -> Option<(String, usize)> {
        let (name, first) = range(parts.first()?)?;
        let mut all = vec![first];
        for part in &parts[1..] {
            let more = range(part).filter(|(other, _)| *other == name).map(|(_, codes)| codes);
            let one = || bound(part).filter(|b| b.name == name && b.code && b.op == CompareOp::Eq).map(|b| b.value.to_owned());
            let Some(codes) = more.or_else(one) else { break };
            all.push(codes);
        }
        let taken = all.len();
        let list = all.into_iter().reduce(|all, codes| self.say("if.or", &[&all, &codes]))?;
        Some((self.say("if.codes", &[&shown(name), &list]), taken))
    }

    /// Beginnings of one name, at the beginning of an `OR`.
    fn begins(self, parts: &[Expr]) -> Option<(String, usize)> {
        let like = |part: &'_ Expr| match part {
            Expr::Like(Term::Ref(name), pattern) => Some((name.name.clone(), pattern.trim_end_matches('*').to_owned())),
            _ => None,
        };
        let (name, first) = like(parts.first()?)?;
        let others = parts[1..].iter().map_while(|part| like(part).filter(|(other, _)| *other == name));
        let all: Vec<String> = std::iter::once(first).chain(others.map(|(_, pattern)| pattern)).collect();
        Some((self.say("if.begins", &[&shown(&name), &self.list(&all, "if.list")]), all.len()))
    }

    /// All codes but some ranges, at the beginning of an `OR`: before the first, between them, behind the last.
    fn outside(self, parts: &[Expr]) -> Option<(String, usize)> {
        let first = bound(parts.first()?).filter(|b| b.code && b.op == CompareOp::Lt)?;
        let mut begin = rubric(first.value, 0)?;
        let mut excluded = Vec::new();
        for (at, part) in parts.iter().enumerate().skip(1) {
            if let Some(end) = bound(part).filter(|b| b.code && b.name == first.name) {
                excluded.push(span(
                    &begin,
                    &rubric(
                        end.value,
                        match end.op {
                            CompareOp::Gt => 0,
                            CompareOp::Ge => -1,
                            _ => return None,
                        },
                    )?,
                ));
                let list = self.list(&excluded, "if.list-not");
                return Some((self.say("if.not-codes", &[&shown(first.name), &list]), at + 1));
            }
            let Expr::And(gap) = part else { return None };
            let [low, high] = gap.as_slice() else { return None };
            let (low, high) = (bound(low).filter(|b| b.name == first.name && b.op == CompareOp::Ge)?, bound(high).filter(|b| b.op == CompareOp::Lt)?);
            excluded.push(span(&begin, &rubric(low.value, -1)?));
            begin = rubric(high.value, 0)?;
        }
        None
    }

    fn compare(self, op: CompareOp, left: &Term, right: &Term, whole: &Expr) -> String {
        if let Some(Bound { name, op, value, code }) = bound(whole) {
            if let (CompareOp::Eq, Some(gloss)) = (op, self.phrases.gloss(name, WHOLE, value)) {
                return self.gloss(gloss);
            }
            let name_shown = shown(name);
            return match (op, self.bound_key(op)) {
                // Codes before a rubric are those from the first one on.
                (CompareOp::Lt, _) if code => match rubric(value, -1) {
                    Some(last) => self.say("if.codes", &[&name_shown, &span(FIRST_RUBRIC, &last)]),
                    None => self.say("if.before", &[&name_shown, value]),
                },
                (_, Some(_)) if code => self.otherwise(whole),
                (_, Some(key)) => self.say("if.bound", &[&name_shown, &self.say(key, &[value])]),
                (op, None) => {
                    let text = self.say(if op == CompareOp::Eq { "if.equal" } else { "if.unequal" }, &[&name_shown, value]);
                    match self.phrases.gloss(name, op.as_str(), value) {
                        // What a code means that is not meant must not be read as what is.
                        Some(gloss) if op == CompareOp::Ne && gloss.op.is_empty() => self.say("if.unequal-gloss", &[&text, value, &self.gloss(gloss)]),
                        Some(gloss) => format!("{text} ({})", self.gloss(gloss)),
                        None => text,
                    }
                }
            };
        }
        match (left, right) {
            (Term::Call(call), Term::Number(years)) if call.name == "AGE" => match (op, call.args.as_slice()) {
                (CompareOp::Ge, [Arg::Term(Term::Ref(day))]) => self.say(&format!("if.age.{}", form_of(years)), &[years, &shown(&day.name)]),
                (CompareOp::Lt, [Arg::Term(Term::Ref(day))]) => self.say(&format!("if.younger.{}", form_of(years)), &[years, &shown(&day.name)]),
                _ => self.otherwise(whole),
            },
            (Term::Call(call), Term::Number(value) | Term::Text(value)) => match (self.subject(call), op) {
                (Some(subject), CompareOp::Eq) => self.say("if.equal", &[&subject, value]),
                (Some(subject), CompareOp::Ne) => self.say("if.unequal", &[&subject, value]),
                _ => self.otherwise(whole),
            },
            _ => self.otherwise(whole),
        }
    }

    /// The value of a function at the beginning of a comparison.
    fn subject(self, call: &Call) -> Option<String> {
        match (call.name.as_str(), call.args.as_slice()) {
            ("LASTCHAR", [Arg::Term(Term::Ref(name))]) => Some(self.say("if.last", &[&shown(&name.name)])),
            ("MAIN", [Arg::Term(Term::Ref(name))]) => Some(self.say("if.main", &[&shown(&name.name)])),
            ("MAINFILE_TYPE", []) => Some(self.say("if.main-file", &[])),
            _ => None,
        }
    }

    fn among(self, term: &Term, items: &[Item], negated: bool) -> Option<String> {
        let (subject, name) = match term {
            Term::Ref(name) => (shown(&name.name), name.name.as_str()),
            Term::Call(call) => (self.subject(call)?, ""),
            _ => return None,
        };
        let values = values(items)?;
        if let [one] = values.as_slice() {
            let text = self.say(if negated { "if.unequal" } else { "if.equal" }, &[&subject, one]);
            return Some(match self.glosses(name, &values) {
                Some(gloss) if negated => self.say("if.unequal-gloss", &[&text, one, &gloss]),
                Some(gloss) => format!("{text} ({gloss})"),
                None => text,
            });
        }
        let list = self.list(&values, if negated { "if.list-not" } else { "if.list" });
        let text = self.say(if negated { "if.not-among" } else { "if.among" }, &[&subject, &list]);
        Some(match self.glosses(name, &values) {
            Some(glosses) => format!("{text} ({glosses})"),
            None => text,
        })
    }

    /// What values mean, if all are known.
    pub(super) fn glosses(self, name: &str, values: &[String]) -> Option<String> {
        let all: Option<Vec<&Gloss>> = values.iter().map(|value| self.phrases.gloss(name, "=", value)).collect();
        Some(all?.into_iter().map(|gloss| self.gloss(gloss)).collect::<Vec<_>>().join(", "))
    }

    fn gloss(self, gloss: &Gloss) -> String {
        if self.lang == Lang::Ru { gloss.ru.clone() } else { gloss.en.clone() }
    }

    fn standing(self, key: &str, names: &[Ref]) -> String {
        names.iter().map(|name| self.say(key, &[&shown(&name.name)])).reduce(|all, one| self.say("if.and", &[&all, &one])).unwrap_or_default()
    }

    /// A lookup of one element in a book.
    fn in_book(self, call: &Call, key: &str) -> Option<String> {
        match (call.name.as_str(), call.args.as_slice()) {
            ("BOOKROW", [Arg::Term(Term::Ref(book)), Arg::Field(_, Term::Ref(name))])
            | ("INBOOK", [Arg::Term(Term::Ref(name)), Arg::Term(Term::Ref(book))]) => {
                Some(self.say(key, &[&shown(&name.name), book.name.split('.').next().unwrap_or("")]))
            }
            _ => None,
        }
    }
}

/// Form of a counted word in Russian.
pub(super) fn form_of(number: &str) -> &'static str {
    let number: u64 = number.parse().unwrap_or(0);
    match (number % 10, number % 100) {
        (_, 11..=14) => "many",
        (1, _) => "one",
        (2..=4, _) => "few",
        _ => "many",
    }
}

/// The single values of a set; `None` if it holds ranges.
pub(super) fn values(items: &[Item]) -> Option<Vec<String>> {
    let one = |item: &Item| match item {
        Item::One(Literal::Number(value) | Literal::Text(value)) => Some(value.clone()),
        Item::Range(..) => None,
    };
    items.iter().map(one).collect()
}

/// A name as messages show it: of a path the last two steps.
fn shown(name: &str) -> String {
    let steps: Vec<&str> = name.split('/').collect();
    steps[steps.len().saturating_sub(2)..].join("/")
}
