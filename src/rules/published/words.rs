//! Words of published rules, and the phrases that stand for operators and functions.

use std::collections::HashSet;

use serde::Deserialize;

use super::repairs::{Text, is_cyrillic};
use crate::tables::{RuleFiles, TableError};

const TABLE: &str = "import/phrases.csv";

/// A word with its place in the published text, counted in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lexeme {
    pub(super) at: usize,
    pub(super) word: Word,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// An element or a part of the file's name.
    Name(String),
    /// A word that cannot be an element: `C00.0`, `sh001`, `V021`.
    Code(String),
    Number(String),
    /// Russian letters, as written.
    Russian(String),
    /// A text from a phrase.
    Text(String),
    /// A function from a phrase; its bracket follows.
    Function(String),
    Mark(Mark),
    Symbol(&'static str),
    /// A character that no rule uses.
    Other(char),
    End,
}

/// Operators that are words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    And,
    Or,
    Tag,
    Present,
    Absent,
    Some,
    Every,
}

impl Mark {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "AND" => Self::And,
            "OR" => Self::Or,
            "TAG" => Self::Tag,
            "PRESENT" => Self::Present,
            "ABSENT" => Self::Absent,
            "SOME" => Self::Some,
            "EVERY" => Self::Every,
            _ => return None,
        })
    }
}

/// Symbols, longest first.
const SYMBOLS: [&str; 15] = ["<=", ">=", "<>", "<", ">", "=", "(", ")", "{", "}", ",", ";", "+", "-", "\""];

pub(super) fn is_operator(symbol: &str) -> bool {
    matches!(symbol, "<=" | ">=" | "<>" | "<" | ">" | "=")
}

pub(super) fn lex(text: &Text) -> Vec<Lexeme> {
    let chars = &text.chars;
    let mut out = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        let start = i;
        let run = |from: usize, fits: &dyn Fn(char) -> bool| (from..chars.len()).find(|&k| !fits(chars[k])).unwrap_or(chars.len());
        let word = if c.is_whitespace() {
            i += 1;
            continue;
        } else if is_cyrillic(c) {
            i = run(i, &|c| is_cyrillic(c) || c.is_ascii_digit());
            Word::Russian(chars[start..i].iter().collect())
        } else if c.is_ascii_digit() {
            i = run(i, &|c| c.is_ascii_digit());
            if chars.get(i) == Some(&'.') && chars.get(i + 1).is_some_and(char::is_ascii_digit) {
                i = run(i + 1, &|c| c.is_ascii_digit());
            }
            Word::Number(chars[start..i].iter().collect())
        } else if c.is_ascii_alphabetic() || c == '_' {
            i = name_end(chars, i);
            name_or_code(chars[start..i].iter().collect())
        } else if let Some(symbol) = SYMBOLS.iter().find(|s| s.chars().enumerate().all(|(k, s)| chars.get(i + k) == Some(&s))) {
            i += symbol.len();
            Word::Symbol(symbol)
        } else {
            i += 1;
            Word::Other(c)
        };
        out.push(Lexeme { at: text.places[start], word });
    }
    out.push(Lexeme { at: text.places[chars.len()], word: Word::End });
    out
}

/// End of a name: Latin letters, digits and `_`; parts are joined by `.` or `/`.
fn name_end(chars: &[char], start: usize) -> usize {
    let mut end = start;
    while let Some(&c) = chars.get(end) {
        let joint = matches!(c, '.' | '/') && chars.get(end + 1).is_some_and(|c| c.is_ascii_alphanumeric());
        if !(c.is_ascii_alphanumeric() || c == '_' || joint) {
            break;
        }
        end += 1;
    }
    end
}

/// A capital with two or more digits (`C00.0`, `V021`) or a small first letter (`sh001`) makes a code; other words are names.
fn name_or_code(word: String) -> Word {
    let mut chars = word.chars();
    let first = chars.next().unwrap_or(' ');
    let rest = chars.as_str();
    let code = first.is_ascii_lowercase()
        || (first.is_ascii_uppercase()
            && rest.len() > 1
            && rest.bytes().take(2).all(|b| b.is_ascii_digit())
            && rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    if code { Word::Code(word) } else { Word::Name(word) }
}

#[derive(Debug, Deserialize)]
struct WordRow {
    find: String,
    means: String,
}

/// One word of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Find {
    Word(String),
    Symbol(&'static str),
    /// `{name}`, `{number}`, `{op}`: the word found there is kept.
    Name,
    Number,
    Operator,
}

#[derive(Debug, Clone)]
enum Means {
    Word(Word),
    /// A text with slots for the kept words.
    Text(String),
    Kept(usize),
}

#[derive(Debug)]
struct Phrase {
    find: Vec<Find>,
    means: Vec<Means>,
}

/// The phrases of `rules/import/phrases.csv`; earlier ones are replaced first.
#[derive(Debug)]
pub(super) struct Phrases {
    phrases: Vec<Phrase>,
    vocabulary: HashSet<String>,
}

impl Phrases {
    pub(super) fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let mut phrases = Vec::new();
        let mut vocabulary = HashSet::new();
        for (line, row) in files.rows::<WordRow>(TABLE)? {
            let bad = |what: &str| TableError::new(TABLE, line, format!("«{what}» is not understood"));
            let find: Vec<Find> = row.find.split_whitespace().map(|w| find(w).ok_or_else(|| bad(w))).collect::<Result<_, _>>()?;
            let kept = find.iter().filter(|f| matches!(f, Find::Name | Find::Number | Find::Operator)).count();
            let means = means(&row.means, kept).ok_or_else(|| bad(&row.means))?;
            if find.is_empty() || means.is_empty() {
                return Err(bad(&row.find));
            }
            vocabulary.extend(find.iter().filter_map(|f| if let Find::Word(w) = f { Some(w.clone()) } else { None }));
            phrases.push(Phrase { find, means });
        }
        Ok(Self { phrases, vocabulary })
    }

    /// Replaces phrases; `Err` is the place of a word that no phrase knows, which makes the text prose.
    pub(super) fn apply(&self, mut words: Vec<Lexeme>) -> Result<Vec<Lexeme>, usize> {
        for phrase in &self.phrases {
            let mut at = 0;
            while at + phrase.find.len() <= words.len() {
                match phrase.fit(&words[at..]) {
                    Some(kept) => {
                        let place = words[at].at;
                        let new: Vec<Lexeme> = phrase.means.iter().map(|m| m.word(place, &kept)).collect();
                        let length = new.len();
                        words.splice(at..at + phrase.find.len(), new);
                        at += length;
                    }
                    None => at += 1,
                }
            }
        }
        // A Russian code is in capitals (ДВ4); a word of a sentence is not.
        let sentence =
            words.iter().find(|l| matches!(&l.word, Word::Russian(w) if w.chars().any(char::is_lowercase) && !self.vocabulary.contains(&w.to_lowercase())));
        match sentence {
            Some(word) => Err(word.at),
            None => Ok(words),
        }
    }
}

fn find(word: &str) -> Option<Find> {
    Some(match word {
        "{name}" => Find::Name,
        "{number}" => Find::Number,
        "{op}" => Find::Operator,
        _ => match SYMBOLS.iter().find(|s| **s == word) {
            Some(symbol) => Find::Symbol(symbol),
            None if word.chars().all(is_cyrillic) => Find::Word(word.to_owned()),
            None => return None,
        },
    })
}

/// Reads the meaning of a phrase: words of the rule language, with `{1}`, `{2}` for the kept words. `None` if it is invalid.
fn means(text: &str, kept: usize) -> Option<Vec<Means>> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let (item, length) = if c == '{' {
            let number: usize = rest[1..rest.find('}')?].parse().ok()?;
            (1..=kept).contains(&number).then_some(())?;
            (Means::Kept(number - 1), rest.find('}')? + 1)
        } else if c == '\'' {
            let end = rest[1..].find('\'')?;
            (Means::Text(rest[1..=end].to_owned()), end + 2)
        } else if c.is_ascii_alphabetic() {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let name = &rest[..end];
            let word = match Mark::named(name) {
                Some(mark) => Word::Mark(mark),
                None if rest[end..].starts_with('(') => Word::Function(name.to_owned()),
                None => Word::Name(name.to_owned()),
            };
            (Means::Word(word), end)
        } else {
            let symbol = SYMBOLS.iter().find(|s| rest.starts_with(**s))?;
            (Means::Word(Word::Symbol(symbol)), symbol.len())
        };
        out.push(item);
        rest = rest[length..].trim_start();
    }
    Some(out)
}

impl Phrase {
    fn fit(&self, words: &[Lexeme]) -> Option<Vec<Word>> {
        let mut kept = Vec::new();
        for (find, lexeme) in self.find.iter().zip(words) {
            let word = &lexeme.word;
            let fits = match find {
                Find::Word(w) => matches!(word, Word::Russian(r) if r.to_lowercase() == *w),
                Find::Symbol(s) => matches!(word, Word::Symbol(o) if o == s),
                Find::Name => matches!(word, Word::Name(_) | Word::Code(_)),
                Find::Number => matches!(word, Word::Number(_)),
                Find::Operator => matches!(word, Word::Symbol(s) if is_operator(s)),
            };
            if !fits {
                return None;
            }
            if matches!(find, Find::Name | Find::Number | Find::Operator) {
                kept.push(word.clone());
            }
        }
        Some(kept)
    }
}

impl Means {
    fn word(&self, at: usize, kept: &[Word]) -> Lexeme {
        let word = match self {
            Self::Word(word) => word.clone(),
            Self::Kept(i) => kept[*i].clone(),
            Self::Text(text) => {
                let mut text = text.clone();
                for (i, word) in kept.iter().enumerate() {
                    if let Word::Name(w) | Word::Code(w) | Word::Number(w) = word {
                        text = text.replace(&format!("{{{}}}", i + 1), w);
                    }
                }
                Word::Text(text)
            }
        };
        Lexeme { at, word }
    }
}
