//! What is wrong with a table or a setting, in Russian. Those who find it (the readers of tables, and the libraries for TOML, CSV and the command line) say it
//! in English; `rules/sayings.csv` has each sentence in both languages, with slots for what differs.

use std::cmp::Reverse;

use serde::Deserialize;

use super::fill;
use crate::tables::{RuleFiles, TableError};

pub(super) const TABLE: &str = "sayings.csv";
/// How deep sentences may lie in the slots of others.
const DEPTH: usize = 8;

#[derive(Deserialize)]
struct Row {
    en: String,
    ru: String,
}

/// The sentences in both languages.
#[derive(Debug, Clone)]
pub(super) struct Sayings(Vec<Saying>);

#[derive(Debug, Clone)]
struct Saying {
    /// The texts around the slots, in their order: one more than there are slots.
    between: Vec<String>,
    /// The names of the slots.
    slots: Vec<String>,
    ru: String,
}

/// The parts of a template: texts around its slots, and the names of the slots. A slot is a digit in braces.
fn parts(template: &str) -> (Vec<String>, Vec<String>) {
    let (mut between, mut slots, mut rest) = (vec![String::new()], Vec::new(), template);
    while let Some(c) = rest.chars().next() {
        let slot =
            rest.strip_prefix('{').and_then(|r| r.split_once('}')).map(|(name, _)| name).filter(|name| name.len() == 1 && name.as_bytes()[0].is_ascii_digit());
        if let Some(name) = slot {
            slots.push(name.to_owned());
            between.push(String::new());
            rest = &rest[name.len() + 2..];
        } else {
            between.last_mut().expect("there is always one").push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    (between, slots)
}

impl Sayings {
    /// Reads the table. Of two sentences that fit, the one with more text of its own is meant.
    pub(super) fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let mut all = Vec::new();
        for (line, row) in files.rows::<Row>(TABLE)? {
            let (between, slots) = parts(&row.en);
            if row.ru.is_empty() || between.iter().all(String::is_empty) {
                return Err(TableError::new(TABLE, line, format!("{}: both texts are due", row.en)));
            }
            all.push(Saying { between, slots, ru: row.ru });
        }
        all.sort_by_key(|saying: &Saying| Reverse(saying.between.iter().map(String::len).sum::<usize>()));
        Ok(Self(all))
    }

    /// The sentence in Russian; a sentence that the table does not have stays as it is.
    pub(super) fn russian(&self, sentence: &str) -> String {
        self.told(sentence, DEPTH)
    }

    fn told(&self, sentence: &str, depth: usize) -> String {
        let known = (depth > 0).then(|| self.0.iter().find_map(|saying| Some((saying, matched(sentence, &saying.between)?)))).flatten();
        let Some((saying, values)) = known else { return sentence.to_owned() };
        let values: Vec<String> = values.into_iter().map(|value| self.told(value, depth - 1)).collect();
        fill(&saying.ru, |slot| saying.slots.iter().position(|name| name == slot).map(|at| values[at].as_str()))
    }

    /// Whether the table has the sentence.
    #[cfg(test)]
    pub(super) fn has(&self, sentence: &str) -> bool {
        self.0.iter().any(|saying| matched(sentence, &saying.between).is_some())
    }
}

/// What stands in the slots between the texts; `None` if the sentence does not fit. A slot is never empty, unless it is the last thing.
fn matched<'s>(sentence: &'s str, between: &[String]) -> Option<Vec<&'s str>> {
    let (first, rest) = between.split_first()?;
    let sentence = sentence.strip_prefix(first.as_str())?;
    let Some(next) = rest.first() else { return sentence.is_empty().then(Vec::new) };
    if rest.len() == 1 && next.is_empty() {
        return Some(vec![sentence]);
    }
    let mut from = sentence.chars().next()?.len_utf8();
    while let Some(at) = sentence.get(from..).and_then(|tail| tail.find(next.as_str())).map(|at| at + from) {
        if let Some(mut values) = matched(&sentence[at..], rest) {
            values.insert(0, &sentence[..at]);
            return Some(values);
        }
        from = at + sentence[at..].chars().next().map_or(1, char::len_utf8);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sayings() -> Sayings {
        Sayings::load(&RuleFiles::embedded()).expect("the built-in table is sound")
    }

    #[test]
    fn sentences_in_sentences_are_told() {
        let sayings = sayings();
        for (english, russian) in [
            ("column ru is empty", "столбец ru пуст"),
            ("006F.14.0010: when at 5: no function MASKE", "006F.14.0010: условие у знака 5: нет функции MASKE"),
            ("invalid type: string \"x\", expected a boolean", "стоит строка «x», а ожидается true или false"),
            ("unknown field `a`, expected `b` or `c`", "неизвестное поле «a», допустимы: `b` или `c`"),
            ("column ru: no slot is called {fuond}", "столбец ru: подстановки {fuond} нет"),
            ("nobody knows this sentence", "nobody knows this sentence"),
        ] {
            assert_eq!(sayings.russian(english), russian);
        }
        assert!(sayings.has("no elements") && !sayings.has("nobody knows this sentence"));
    }

    /// The strings in a piece of source, with `x` for what is formatted into them.
    fn strings(source: &str) -> Vec<String> {
        let mut out = Vec::new();
        let mut parts = source.split('"');
        parts.next();
        while let (Some(text), rest) = (parts.next(), parts.next()) {
            let plain = text.replace("{{", "‹").replace("}}", "›");
            let mut said = String::new();
            for (n, part) in plain.split('{').enumerate() {
                said += &if n == 0 { part.to_owned() } else { format!("x{}", part.split_once('}').map_or("", |(_, tail)| tail)) };
            }
            out.push(said.replace('‹', "{").replace('›', "}"));
            if rest.is_none() {
                break;
            }
        }
        out
    }

    fn sources(folder: &std::path::Path, out: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                sources(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
                out.push(path);
            }
        }
    }

    /// Whether two words of small Latin letters stand side by side with nothing between them: one alone, or in a list, may be a word of a table.
    fn is_english(text: &str) -> bool {
        let is_word = |word: &str| word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase());
        let words: Vec<&str> = text.split(' ').collect();
        words.windows(2).any(|pair| pair.iter().all(|word| is_word(word)))
    }

    #[test]
    fn what_readers_of_tables_say_has_its_russian() {
        let (sayings, mut files) = (sayings(), Vec::new());
        sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        let (mut troubles, mut seen) = (String::new(), 0);
        for path in files {
            let text = std::fs::read_to_string(&path).expect("a source");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for marker in ["TableError::new(", " fail(", "(fail(", "mistake(", "SyntaxError::new("] {
                for (at, _) in code.match_indices(marker) {
                    let call = code[at..].lines().next().unwrap_or_default();
                    for said in strings(call).into_iter().filter(|said| said.contains(' ') && said.contains(char::is_alphabetic)) {
                        seen += 1;
                        if !sayings.has(&said) || is_english(&sayings.russian(&said)) {
                            troubles += &format!("{}: {said}\n", path.display());
                        }
                    }
                }
            }
        }
        assert!(troubles.is_empty() && seen > 100, "{seen} sentences; without Russian:\n{troubles}");
    }
}
