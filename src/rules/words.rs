//! Puts a rule's condition into words in both languages. The phrases are in `rules/flk/words.csv`, names of elements in the format tables.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::ast::{Arg, ArithmeticOp, Call, CompareOp, Expr, Item, Quantifier, Ref, Set, Term};
use crate::registry::format::value::Base;
use crate::registry::format::{Charset, Content, Family, Format, Formats, Node, PERSONS, Role};
use crate::tables::{RuleFiles, TableError};
use crate::texts::{Lang, Text, fill};

const TABLE: &str = "flk/words.csv";

/// Phrases that every rule may need; a function's phrase has the name of the function as its key.
const DUE: &[&str] = &[
    "and",
    "or",
    "not",
    "named",
    "value",
    "equal",
    "unequal",
    "less",
    "less-equal",
    "more",
    "more-equal",
    "day-less",
    "day-less-equal",
    "day-more",
    "day-more-equal",
    "among",
    "not-among",
    "range",
    "list",
    "like",
    "present",
    "absent",
    "exists",
    "for-all",
    "within",
    "plus",
    "minus",
    "expression",
    "field",
    "other",
];

#[derive(Deserialize)]
struct Phrase {
    key: String,
    ru: String,
    en: String,
}

#[derive(Deserialize)]
struct ListRow {
    id: String,
    name_ru: String,
    name_en: String,
}

/// An element with its name from the format tables.
#[derive(Debug, Clone)]
struct Title {
    path: String,
    family: Family,
    text: Text,
    date: bool,
    block: bool,
    /// The name in messages; in a repeated block within a case with the block, `USL/LPU`.
    label: String,
}

/// An element as messages name it.
#[derive(Debug, Clone, Copy)]
pub struct Named<'w> {
    /// Its name in words.
    pub title: &'w Text,
    /// Its name in the format; in a repeated block within a case with the block, `USL/LPU`.
    pub label: &'w str,
    /// Whether it is a block.
    pub is_block: bool,
}

/// The name of an element in messages. Names within a case may repeat from block to block.
fn label(format: &Format, node: &Node) -> String {
    let parent = node.parent.map(|parent| format.node(parent));
    match parent.filter(|p| p.obligation.repeatable && !matches!(p.role, Some(Role::Record | Role::Case | Role::Part))) {
        Some(block) => format!("{}/{}", block.name, node.name),
        None => node.name.to_string(),
    }
}

/// The phrases and the names of elements.
#[derive(Debug, Clone)]
pub struct Words {
    phrases: BTreeMap<String, Text>,
    lists: BTreeMap<String, Text>,
    charsets: BTreeMap<String, Text>,
    /// By the element's name without its path.
    titles: BTreeMap<String, Vec<Title>>,
    /// Name of the records of main files.
    record: Option<String>,
}

impl Words {
    /// Reads the phrases, and the names of elements from the formats (the latest edition of the first family that has
    /// the element wins).
    ///
    /// # Errors
    /// A phrase is missing, repeats or lacks one of its languages.
    pub fn load(files: &RuleFiles, formats: &Formats) -> Result<Self, TableError> {
        let mut phrases = BTreeMap::new();
        for (line, row) in files.rows::<Phrase>(TABLE)? {
            if row.ru.is_empty() || row.en.is_empty() {
                return Err(TableError::new(TABLE, line, format!("{}: both texts are due", row.key)));
            }
            if phrases.insert(row.key.clone(), Text { ru: row.ru, en: row.en }).is_some() {
                return Err(TableError::new(TABLE, line, format!("{} stands twice", row.key)));
            }
        }
        if let Some(missing) = DUE.iter().find(|key| !phrases.contains_key(**key)) {
            return Err(TableError::new(TABLE, 0, format!("no row for «{missing}»")));
        }
        let lists = files.rows::<ListRow>("flk/lists.csv")?.into_iter().map(|(_, r)| (r.id, Text { ru: r.name_ru, en: r.name_en })).collect();
        let mut titles: BTreeMap<String, Vec<Title>> = BTreeMap::new();
        for format in formats.all() {
            for node in format.nodes() {
                let title = Title {
                    family: format.family,
                    path: node.path.to_string(),
                    text: node.title.clone(),
                    date: node.value_type().is_some_and(|v| matches!(v.base(), Base::Date)),
                    block: matches!(node.content, Content::Block),
                    label: label(format, node),
                };
                let named = titles.entry(node.name.to_string()).or_default();
                match named.iter_mut().find(|t| t.path == title.path) {
                    // Families between funds name some elements of the clinics' families in other words.
                    Some(earlier) if earlier.family == title.family => *earlier = title,
                    Some(_) => {}
                    None => named.push(title),
                }
            }
        }
        let mut charsets = BTreeMap::new();
        for (_, row) in files.rows::<CharsetRow>("formats/charsets.csv")? {
            if let Some(set) = formats.charset(&row.id).map(|c: &Charset| c.title.clone()) {
                charsets.insert(row.id, set);
            }
        }
        let main = formats.all().find(|f| f.family != PERSONS);
        let record = main.and_then(|f| Some(f.node(f.role(Role::Record)?).name.to_string()));
        Ok(Self { phrases, lists, charsets, titles, record })
    }

    /// The name of the element at a path, if a format has it.
    pub fn title(&self, path: &str) -> Option<&Text> {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.titles.get(name)?.iter().find(|t| t.path == path).map(|t| &t.text)
    }

    /// The element at a path as messages name it, if a format has it.
    pub fn element(&self, path: &str) -> Option<Named<'_>> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let title = self.titles.get(name)?.iter().find(|t| t.path == path)?;
        Some(Named { title: &title.text, label: &title.label, is_block: title.block })
    }

    /// The name of a set of characters.
    pub fn charset(&self, id: &str) -> Option<&Text> {
        self.charsets.get(id)
    }

    /// Name of the records of main files.
    pub fn record(&self) -> Option<&str> {
        self.record.as_deref()
    }

    /// A condition in words; names are looked up from the element with the path `element`.
    pub fn condition(&self, expr: &Expr, element: &str, lang: Lang) -> String {
        Speech { words: self, element, lang, named: BTreeSet::new() }.expr(expr)
    }

    fn find(&self, name: &str, element: &str) -> Option<&Title> {
        let wanted = name.replace('.', "/");
        let last = wanted.rsplit('/').next().unwrap_or(&wanted);
        let fits = |t: &&Title| t.path == wanted || t.path.ends_with(&format!("/{wanted}"));
        let common = |t: &Title| t.path.split('/').zip(element.split('/')).take_while(|(a, b)| a == b).count();
        self.titles.get(last)?.iter().filter(fits).max_by_key(|t| (common(t), std::cmp::Reverse(t.path.len())))
    }
}

#[derive(Deserialize)]
struct CharsetRow {
    id: String,
}

/// One sentence, in which an element's name is given once.
struct Speech<'w> {
    words: &'w Words,
    element: &'w str,
    lang: Lang,
    named: BTreeSet<String>,
}

impl Speech<'_> {
    fn say(&self, key: &str, args: &[&str]) -> String {
        let Some(text) = self.words.phrases.get(key) else { return args.join(", ") };
        fill(text.get(self.lang), |slot| slot.parse::<usize>().ok().and_then(|i| args.get(i).copied()))
    }

    fn joined(&mut self, key: &str, parts: &[Expr], bracket: impl Fn(&Expr) -> bool) -> String {
        let mut out = String::new();
        for part in parts {
            let text = self.expr(part);
            let text = if bracket(part) { format!("({text})") } else { text };
            out = if out.is_empty() { text } else { self.say(key, &[&out, &text]) };
        }
        out
    }

    fn expr(&mut self, expr: &Expr) -> String {
        match expr {
            Expr::And(parts) => self.joined("and", parts, |p| matches!(p, Expr::Or(_))),
            Expr::Or(parts) => self.joined("or", parts, |p| matches!(p, Expr::And(_))),
            Expr::Not(inner) => {
                let inner = self.expr(inner);
                self.say("not", &[&inner])
            }
            Expr::Compare(op, left, right) => self.compare(*op, left, right),
            Expr::In { term: Term::Call(call), set, negated: false } if call.name == "LEN" => {
                let value = self.args(call);
                let set = self.set(set);
                self.say("LEN", &[value.first().map_or("", String::as_str), &set])
            }
            Expr::In { term, set, negated } => {
                let term = self.subject(term);
                let set = self.set(set);
                self.say(if *negated { "not-among" } else { "among" }, &[&term, &set])
            }
            Expr::Like(term, pattern) => {
                let term = self.subject(term);
                self.say("like", &[&term, pattern.trim_end_matches('*')])
            }
            Expr::Present(names) => self.standing("present", names),
            Expr::Absent(names) => self.standing("absent", names),
            Expr::Quantified { quantifier, block, within, condition } => {
                let mut block = self.name(block);
                if let Some(within) = within {
                    let within = self.name(within);
                    block = self.say("within", &[&block, &within]);
                }
                let condition = self.expr(condition);
                self.say(if *quantifier == Quantifier::Exists { "exists" } else { "for-all" }, &[&block, &condition])
            }
            Expr::Call(call) => self.call(call),
        }
    }

    fn standing(&mut self, key: &str, names: &[Ref]) -> String {
        let mut out = String::new();
        for name in names {
            let name = self.name(name);
            let text = self.say(key, &[&name]);
            out = if out.is_empty() { text } else { self.say("and", &[&out, &text]) };
        }
        out
    }

    fn compare(&mut self, op: CompareOp, left: &Term, right: &Term) -> String {
        let constant = |t: &Term| matches!(t, Term::Number(_) | Term::Text(_));
        // The element comes first in speech.
        if constant(left) && !constant(right) {
            let op = match op {
                CompareOp::Lt => CompareOp::Gt,
                CompareOp::Le => CompareOp::Ge,
                CompareOp::Gt => CompareOp::Lt,
                CompareOp::Ge => CompareOp::Le,
                same => same,
            };
            return self.compare(op, right, left);
        }
        let days = self.is_day(left) || self.is_day(right);
        let key = match (op, days) {
            (CompareOp::Eq, _) => "equal",
            (CompareOp::Ne, _) => "unequal",
            (CompareOp::Lt, false) => "less",
            (CompareOp::Le, false) => "less-equal",
            (CompareOp::Gt, false) => "more",
            (CompareOp::Ge, false) => "more-equal",
            (CompareOp::Lt, true) => "day-less",
            (CompareOp::Le, true) => "day-less-equal",
            (CompareOp::Gt, true) => "day-more",
            (CompareOp::Ge, true) => "day-more-equal",
        };
        let left = self.subject(left);
        let right = self.term(right);
        self.say(key, &[&left, &right])
    }

    fn is_day(&self, term: &Term) -> bool {
        match term {
            Term::Ref(name) => self.words.find(&name.name, self.element).is_some_and(|t| t.date),
            Term::Call(call) => matches!(call.name.as_str(), "PERIOD" | "TODAY" | "ADDYEARS"),
            _ => false,
        }
    }

    /// A term at the beginning of a sentence.
    fn subject(&mut self, term: &Term) -> String {
        let text = self.term(term);
        match term {
            Term::Arithmetic(..) => self.say("expression", &[&text]),
            Term::Ref(_) => self.say("value", &[&text]),
            // A function says itself what it is: «последний знак NOVOR».
            Term::Call(_) | Term::Number(_) | Term::Text(_) => text,
        }
    }

    fn term(&mut self, term: &Term) -> String {
        match term {
            Term::Ref(name) => self.name(name),
            Term::Number(number) => number.clone(),
            Term::Text(text) => text.clone(),
            Term::Call(call) => self.call(call),
            Term::Arithmetic(op, left, right) => {
                let left = self.term(left);
                let inner = self.term(right);
                let right = if matches!(**right, Term::Arithmetic(..)) { format!("({inner})") } else { inner };
                self.say(if *op == ArithmeticOp::Plus { "plus" } else { "minus" }, &[&left, &right])
            }
        }
    }

    fn name(&mut self, name: &Ref) -> String {
        let part = format!("file.{}", name.name.strip_prefix("FILE.").unwrap_or(&name.name));
        if self.words.phrases.contains_key(&part) {
            return self.say(&part, &[]);
        }
        match self.words.find(&name.name, self.element) {
            Some(title) if self.named.insert(name.name.clone()) => self.say("named", &[&name.name, title.text.get(self.lang)]),
            _ => name.name.clone(),
        }
    }

    fn set(&mut self, set: &Set) -> String {
        match set {
            Set::Named(name) => match self.words.lists.get(&name.name) {
                Some(list) => self.say("list", &[&name.name, list.get(self.lang)]),
                None => self.name(name),
            },
            Set::Items(items) => {
                let bare = |text: String| text.trim_matches('\'').to_owned();
                let item = |item: &Item| match item {
                    Item::One(one) => bare(one.to_string()),
                    Item::Range(first, last) => self.say("range", &[&bare(first.to_string()), &bare(last.to_string())]),
                };
                items.iter().map(item).collect::<Vec<_>>().join(", ")
            }
        }
    }

    fn args(&mut self, call: &Call) -> Vec<String> {
        call.args
            .iter()
            .map(|arg| match arg {
                Arg::Term(term) => self.term(term),
                Arg::Field(field, term) => {
                    let value = self.term(term);
                    self.say("field", &[&field.name, &value])
                }
                Arg::Where(name, condition) => format!("{}: {}", self.name(name), self.expr(condition)),
            })
            .collect()
    }

    fn call(&mut self, call: &Call) -> String {
        if let Some(Arg::Where(name, condition)) = call.args.first() {
            let (name, condition) = (self.name(name), self.expr(condition));
            return self.say(&format!("{}-where", call.name), &[&name, &condition]);
        }
        let args = self.args(call);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        match (call.name.as_str(), args.as_slice()) {
            ("PERIOD", [_, ..]) => self.say("PERIOD-of", &args),
            ("BOOK", [_, _]) => self.say("BOOK-on", &args),
            ("UNIQUE", values) => self.say("UNIQUE", &[&values.join(", ")]),
            ("ENDS", [value, ends @ ..]) => self.say("ENDS", &[value, &ends.join(", ")]),
            ("CHECKDIGIT", [value, kind]) => self.say(&format!("CHECKDIGIT-{kind}"), &[value]),
            ("BOOKROW", [book, fields @ ..]) => self.say("BOOKROW", &[book, &fields.join(", ")]),
            ("BOOK1", [book, fields @ .., field]) => self.say("BOOK1", &[field, book, &fields.join(", ")]),
            ("CHARSET", [value, set]) => {
                let title = self.words.charsets.get(*set).map_or(*set, |t| t.get(self.lang));
                self.say("CHARSET", &[value, title])
            }
            (name, _) if self.words.phrases.contains_key(name) => self.say(name, &args),
            (name, _) => self.say("other", &[name]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{RULE_TABLES, functions, load, parse};

    #[test]
    fn conditions_are_read_as_a_person_says_them() {
        let files = RuleFiles::embedded();
        let words = Words::load(&files, &Formats::load(&files).expect("sound")).expect("sound");
        let say = |text: &str, lang| words.condition(&parse(text).expect(text), "ZL_LIST/ZAP/Z_SL/SL/DS1", lang);
        assert_eq!(say("USL_OK = 3", Lang::Ru), "значение USL_OK (условия оказания помощи) равно 3");
        assert_eq!(say("'C00' <= DS1 AND DS1 < 'D10'", Lang::Ru), "значение DS1 (основной диагноз) не меньше C00 и значение DS1 меньше D10");
        assert!(say("NPR_DATE <= DATE_Z_1", Lang::En).contains("is not later than DATE_Z_1"));
        assert!(say("NOT (A = 1 OR B IN {1, 4..8})", Lang::Ru).contains("от 4 до 8"));
    }

    #[test]
    fn every_rule_and_every_function_has_its_words() {
        let files = RuleFiles::embedded();
        let words = Words::load(&files, &Formats::load(&files).expect("sound")).expect("sound");
        for function in functions::FUNCTIONS {
            assert!(matches!(*function, "PRESENT" | "ABSENT" | "EXISTS" | "FORALL") || words.phrases.contains_key(*function), "{function}");
        }
        for row in load(&files, RULE_TABLES).expect("sound") {
            for expr in row.when.iter().chain(&row.require) {
                for lang in [Lang::Ru, Lang::En] {
                    let said = words.condition(expr, &row.element, lang);
                    assert!(!said.is_empty() && !said.contains(['{', '}']) && !said.contains("()"), "{}: {said}", row.id);
                }
            }
        }
    }
}
