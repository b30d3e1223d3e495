//! Cleans the text of a published rule before it is read, and keeps the original place of each character.

use serde::Deserialize;

use crate::tables::{RuleFiles, TableError};

const TABLE: &str = "import/repairs.csv";

/// The kind of a defect in a published text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Repair {
    /// No-break spaces and typographic quotes.
    Chars,
    /// A misspelt name.
    Typo,
    /// A word glued to its neighbour.
    Glued,
    /// A Cyrillic letter in a Latin name.
    Homoglyph,
    /// A note after the condition.
    Note,
}

impl Repair {
    /// The word for the kind in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chars => "chars",
            Self::Typo => "typo",
            Self::Glued => "glued",
            Self::Homoglyph => "homoglyph",
            Self::Note => "note",
        }
    }
}

#[derive(Debug, Deserialize)]
struct RepairRow {
    kind: Repair,
    find: String,
    replace: String,
}

#[derive(Debug)]
struct Item {
    kind: Repair,
    find: Vec<char>,
    replace: Vec<char>,
}

/// A text whose characters keep their places in the published text.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) chars: Vec<char>,
    /// Places in the published text, counted in characters, with one more for the end.
    pub(super) places: Vec<usize>,
}

impl Text {
    fn new(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let places = (0..=chars.len()).collect();
        Self { chars, places }
    }

    fn replace(&mut self, at: usize, length: usize, by: &[char]) {
        let place = self.places[at];
        self.chars.splice(at..at + length, by.iter().copied());
        self.places.splice(at..at + length, by.iter().map(|_| place));
    }

    fn find(&self, what: &[char], from: usize) -> Option<usize> {
        (from..(self.chars.len() + 1).saturating_sub(what.len())).find(|&i| self.chars[i..].starts_with(what))
    }

    fn at(&self, i: usize) -> char {
        self.chars.get(i).copied().unwrap_or(' ')
    }

    fn before(&self, i: usize) -> char {
        i.checked_sub(1).map_or(' ', |i| self.chars[i])
    }
}

/// The repairs of `rules/import/repairs.csv`, in the order of the table.
#[derive(Debug)]
pub(super) struct Repairs {
    items: Vec<Item>,
}

impl Repairs {
    pub(super) fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let mut items = Vec::new();
        for (line, row) in files.rows::<RepairRow>(TABLE)? {
            let find = symbols(&row.find).filter(|f| !f.is_empty());
            let (Some(find), Some(replace)) = (find, symbols(&row.replace)) else {
                return Err(TableError::new(TABLE, line, "«find» and «replace» are texts or U+XXXX"));
            };
            if row.kind == Repair::Homoglyph && (find.len(), replace.len()) != (1, 1) {
                return Err(TableError::new(TABLE, line, "one letter for one letter is due"));
            }
            items.push(Item { kind: row.kind, find, replace });
        }
        Ok(Self { items })
    }

    /// The cleaned text, and the repairs that it needed, each kind once.
    pub(super) fn clean(&self, text: &str) -> (Text, Vec<Repair>) {
        let mut text = Text::new(text);
        let mut done = Vec::new();
        for item in &self.items {
            let changed = match item.kind {
                Repair::Chars | Repair::Typo => replace_all(&mut text, item),
                Repair::Note => cut(&mut text, &item.find),
                Repair::Glued => part(&mut text, &item.find),
                Repair::Homoglyph => false,
            };
            if changed && !done.contains(&item.kind) {
                done.push(item.kind);
            }
        }
        if self.latinise(&mut text) {
            done.push(Repair::Homoglyph);
        }
        done.sort_unstable();
        (text, done)
    }

    fn latin(&self, c: char) -> Option<char> {
        self.items.iter().find(|i| i.kind == Repair::Homoglyph && i.find[0] == c).map(|i| i.replace[0])
    }

    /// Replaces Cyrillic look-alikes in words that are otherwise Latin, and a single such capital after `=`.
    fn latinise(&self, text: &mut Text) -> bool {
        let mut changed = false;
        let mut start = 0;
        while start < text.chars.len() {
            if !is_word(text.chars[start]) {
                start += 1;
                continue;
            }
            let end = (start..text.chars.len()).find(|&i| !is_word(text.chars[i])).unwrap_or(text.chars.len());
            let word = &text.chars[start..end];
            let foreign = word.iter().any(|c| is_cyrillic(*c));
            let alike = word.iter().all(|c| !is_cyrillic(*c) || self.latin(*c).is_some());
            let latin = word.iter().any(char::is_ascii_alphabetic);
            let value = word.len() == 1 && word[0].is_uppercase() && text.before(start) == '=';
            if foreign && alike && (latin || value) {
                for i in start..end {
                    if let Some(c) = self.latin(text.chars[i]) {
                        text.chars[i] = c;
                    }
                }
                changed = true;
            }
            start = end;
        }
        changed
    }
}

fn symbols(text: &str) -> Option<Vec<char>> {
    match text.strip_prefix("U+") {
        Some(code) => Some(vec![char::from_u32(u32::from_str_radix(code, 16).ok()?)?]),
        None => Some(text.chars().collect()),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

pub(super) fn is_cyrillic(c: char) -> bool {
    ('\u{400}'..='\u{4ff}').contains(&c)
}

fn replace_all(text: &mut Text, item: &Item) -> bool {
    let mut from = 0;
    let mut changed = false;
    while let Some(at) = text.find(&item.find, from) {
        text.replace(at, item.find.len(), &item.replace);
        from = at + item.replace.len();
        changed = true;
    }
    changed
}

/// Cuts off a note from its introducing mark on.
fn cut(text: &mut Text, find: &[char]) -> bool {
    let Some(mut at) = text.find(find, 0) else { return false };
    while at > 0 && (text.chars[at - 1].is_whitespace() || matches!(text.chars[at - 1], ';' | ',' | '.')) {
        at -= 1;
    }
    text.replace(at, text.chars.len() - at, &[]);
    true
}

/// Separates a word from the characters glued to it: `D10или`, `и(`.
fn part(text: &mut Text, find: &[char]) -> bool {
    let mut from = 0;
    let mut changed = false;
    let foreign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '(' | ')' | '{' | '}');
    while let Some(at) = text.find(find, from) {
        let end = at + find.len();
        let (before, after) = (text.before(at), text.at(end));
        if is_cyrillic(before) || is_cyrillic(after) {
            from = end;
            continue;
        }
        if foreign(after) {
            text.replace(end, 0, &[' ']);
            changed = true;
        }
        if foreign(before) {
            text.replace(at, 0, &[' ']);
            changed = true;
        }
        from = end + 1;
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str) -> (String, Vec<Repair>) {
        let (text, done) = Repairs::load(&RuleFiles::embedded()).expect("the table").clean(text);
        assert_eq!(text.places.len(), text.chars.len() + 1);
        (text.chars.into_iter().collect(), done)
    }

    #[test]
    fn texts_are_cleaned() {
        for (text, cleaned, done) in [
            ("A=1", "A=1", vec![]),
            ("тег\u{a0}SMO_ОК отсутствует", "тег SMO_OK отсутствует", vec![Repair::Chars, Repair::Homoglyph]),
            ("DS1<D10или (DS1=D70)\u{a0}и(A=1)", "DS1<D10 или (DS1=D70) и (A=1)", vec![Repair::Chars, Repair::Glued]),
            ("Pi=S или Pi=Т , Pi и Pp определяются по полю FILENAME", "Pi=S или Pi=T", vec![Repair::Homoglyph, Repair::Note]),
            ("USL_0K<>1", "USL_OK<>1", vec![Repair::Typo]),
            ("DISP={ДВ4, ОПВ} и лицо", "DISP={ДВ4, ОПВ} и лицо", vec![]),
        ] {
            assert_eq!(clean(text), (cleaned.to_owned(), done), "{text}");
        }
    }

    #[test]
    fn places_are_those_of_the_published_text() {
        let (text, _) = Repairs::load(&RuleFiles::embedded()).expect("the table").clean("DS1<D10или B");
        let at = text.chars.iter().position(|c| *c == 'B').expect("there");
        assert_eq!(text.places[at], 11);
    }
}
