//! Splits the text of a rule into words.

use std::fmt;

use super::ast::At;

/// An error in the text of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Byte offset in the text.
    pub at: At,
    /// What was expected, or what is unknown.
    pub message: String,
}

impl SyntaxError {
    pub(super) fn new(at: At, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}: {}", self.at + 1, self.message)
    }
}

impl std::error::Error for SyntaxError {}

/// A word with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lexeme {
    pub(super) at: At,
    pub(super) word: Word,
}

/// A word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    Name(String),
    Number(String),
    Text(String),
    Symbol(&'static str),
    End,
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(n) | Self::Number(n) => write!(f, "«{n}»"),
            Self::Text(t) => write!(f, "«'{t}'»"),
            Self::Symbol(s) => write!(f, "«{s}»"),
            Self::End => f.write_str("the end"),
        }
    }
}

/// Symbols, longest first.
const SYMBOLS: &[&str] = &["<=", ">=", "<>", "..", "<", ">", "=", "(", ")", "{", "}", ",", ":", "+", "-"];

/// Longest text of a rule in bytes; a longer one is an error of the table.
const MAX_TEXT: usize = 16 << 10;

pub(super) fn lex(text: &str) -> Result<Vec<Lexeme>, SyntaxError> {
    if text.len() > MAX_TEXT {
        return Err(SyntaxError::new(MAX_TEXT, format!("a rule has at most {MAX_TEXT} bytes")));
    }
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (word, length) = if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        } else if c == '\'' {
            let Some(end) = rest[1..].find('\'') else { return Err(SyntaxError::new(at, "the text has no closing quote")) };
            (Word::Text(rest[1..1 + end].to_owned()), end + 2)
        } else if c.is_ascii_digit() {
            let end = number_end(rest);
            if rest[end..].starts_with(|c: char| c.is_alphabetic() || c == '_') {
                return Err(SyntaxError::new(at + end, "a number ends here: texts stand in quotes"));
            }
            (Word::Number(rest[..end].to_owned()), end)
        } else if c.is_alphabetic() || c == '_' {
            let end = name_end(rest);
            (Word::Name(rest[..end].to_owned()), end)
        } else if let Some(symbol) = SYMBOLS.iter().find(|s| rest.starts_with(**s)) {
            (Word::Symbol(symbol), symbol.len())
        } else {
            return Err(SyntaxError::new(at, format!("«{c}» has no place in a rule")));
        };
        out.push(Lexeme { at, word });
        at += length;
    }
    out.push(Lexeme { at, word: Word::End });
    Ok(out)
}

fn number_end(text: &str) -> usize {
    let digits = |from: usize| text[from..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |n| from + n);
    let whole = digits(0);
    // `1..36` is a range, not a fraction.
    if text[whole..].starts_with('.') && text[whole + 1..].starts_with(|c: char| c.is_ascii_digit()) { digits(whole + 1) } else { whole }
}

/// Length of the name at the beginning of a text: letters, digits and `_`; parts are joined by `.` or `/`.
fn name_end(text: &str) -> usize {
    let mut end = 0;
    for (i, c) in text.char_indices() {
        let joint = matches!(c, '.' | '/') && text[i + 1..].starts_with(|c: char| c.is_alphabetic() || c == '_');
        if !(c.is_alphanumeric() || c == '_' || joint) {
            break;
        }
        end = i + c.len_utf8();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let words: Vec<Word> = lex("SANK.S_TIP IN {1, 4..8} AND 'C00.0'<=DS1").expect("sound").into_iter().map(|l| l.word).collect();
        let name = |n: &str| Word::Name(n.to_owned());
        let number = |n: &str| Word::Number(n.to_owned());
        assert_eq!(
            words,
            [
                name("SANK.S_TIP"),
                name("IN"),
                Word::Symbol("{"),
                number("1"),
                Word::Symbol(","),
                number("4"),
                Word::Symbol(".."),
                number("8"),
                Word::Symbol("}"),
                name("AND"),
                Word::Text("C00.0".to_owned()),
                Word::Symbol("<="),
                name("DS1"),
                Word::End
            ]
        );
    }

    #[test]
    fn places_of_mistakes() {
        for (text, at) in [("A = 'x", 4), ("A # B", 2), ("A = 1b", 5)] {
            assert_eq!(lex(text).expect_err(text).at, at, "{text}");
        }
    }
}
