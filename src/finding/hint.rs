//! What was probably meant: a character that looks like the right one, or a name or code that is nearly the given one. Worked out for values that
//! are wrong, never for others.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::tables::{RuleFiles, TableError};
use crate::texts::{Text, fill};

const CHARACTERS: &str = "lookalikes.csv";
const PHRASES: &str = "hints.csv";
/// Most characters of a value that are looked at.
const LONGEST: usize = 120;
/// Least length of a name or code that a slip of one character can be seen in.
const SHORTEST: usize = 4;

#[derive(Deserialize)]
struct CharacterRow {
    code: String,
    name_ru: String,
    name_en: String,
    meant: String,
}

#[derive(Deserialize)]
struct PhraseRow {
    kind: String,
    ru: String,
    en: String,
}

/// A character that is taken for another one.
#[derive(Debug, Clone)]
struct LookAlike {
    name: Text,
    /// What may have been meant, the likeliest first; `None` stands for no character at all.
    meant: Vec<Option<char>>,
}

/// The words for hints, and the characters that look alike.
#[derive(Debug, Clone)]
pub struct Hints {
    characters: BTreeMap<char, LookAlike>,
    phrases: BTreeMap<String, Text>,
}

/// The phrases that the code asks for.
const KINDS: [&str; 14] =
    ["at", "more", "latin", "russian", "digit", "space", "hyphen", "dot", "nothing", "like", "letter-latin", "letter-russian", "sign", "invisible"];

impl Hints {
    /// Reads `rules/lookalikes.csv` and `rules/hints.csv`.
    ///
    /// # Errors
    /// A code that is no character, a word that means none, an empty name, or a phrase that is missing.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let mut characters = BTreeMap::new();
        for (line, row) in files.rows::<CharacterRow>(CHARACTERS)? {
            let fail = |message: String| TableError::new(CHARACTERS, line, message);
            let code = u32::from_str_radix(&row.code, 16).ok().and_then(char::from_u32);
            let code = code.ok_or_else(|| fail(format!("code «{}»: the number of a character in hexadecimal digits is due", row.code)))?;
            if row.name_ru.is_empty() || row.name_en.is_empty() {
                return Err(fail(format!("{}: both names are due", row.code)));
            }
            let meant = row.meant.split_whitespace().map(meant).collect::<Result<_, _>>().map_err(&fail)?;
            let known = LookAlike { name: Text { ru: row.name_ru, en: row.name_en }, meant };
            if characters.insert(code, known).is_some() {
                return Err(fail(format!("{} stands twice", row.code)));
            }
        }
        let rows = files.rows::<PhraseRow>(PHRASES)?;
        let phrases: BTreeMap<String, Text> = rows.into_iter().map(|(_, row)| (row.kind, Text { ru: row.ru, en: row.en })).collect();
        match KINDS.iter().find(|kind| !phrases.contains_key(**kind)) {
            Some(kind) => Err(TableError::new(PHRASES, 0, format!("no row for «{kind}»"))),
            None => Ok(Self { characters, phrases }),
        }
    }

    fn phrase(&self, kind: &str, slots: &[(&str, &Text)]) -> Text {
        let phrase = self.phrases.get(kind).cloned().unwrap_or_default();
        let of = |template: &str, pick: fn(&Text) -> &str| fill(template, |slot| slots.iter().find(|(name, _)| *name == slot).map(|(_, text)| pick(text)));
        Text { ru: of(&phrase.ru, |t| &t.ru), en: of(&phrase.en, |t| &t.en) }
    }

    /// «похоже на …».
    pub fn like(&self, what: &str) -> Text {
        self.phrase("like", &[("text", &both(what))])
    }

    /// «похоже на 2026-02-05»: a day as people or other programs write it. `None` if the value is no such day, as `fits` says.
    pub fn date(&self, value: &str, fits: &dyn Fn(&str) -> bool) -> Option<Text> {
        let is_mark = |c: char| matches!(c, '.' | '/' | '-' | ' ');
        let parts: Vec<&str> = value.split(is_mark).collect();
        let date = match *parts.as_slice() {
            [day, month, year] if year.len() == 4 => format!("{year}-{month:0>2}-{day:0>2}"),
            [year, month, day] => format!("{year}-{month:0>2}-{day:0>2}"),
            [digits] if digits.len() == 8 && digits.is_ascii() => format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..]),
            _ => return None,
        };
        fits(&date).then(|| self.like(&date))
    }

    /// Names the character that makes a value wrong, with its place and what was meant; `None` if no character is to blame.
    ///
    /// `allows` says whether a character may stand in such a value, `fits` whether a whole value is right. Of a personal value nothing but
    /// that character is told.
    pub fn odd(&self, value: &str, personal: bool, allows: &dyn Fn(char) -> bool, fits: &dyn Fn(&str) -> bool) -> Option<Text> {
        let chars: Vec<char> = value.chars().take(LONGEST + 1).collect();
        if chars.len() > LONGEST {
            return None;
        }
        let bad: Vec<usize> = (0..chars.len()).filter(|at| !allows(chars[*at])).collect();
        let Some(first) = bad.first() else { return if personal { None } else { self.mistaken(&chars, fits) } };
        let options = bad.iter().filter_map(|at| self.characters.get(&chars[*at])).map(|known| known.meant.len()).max().unwrap_or(0);
        // The n-th meaning of each of them, the last one where there are fewer.
        let corrected = |n: usize| -> String {
            let change = |(at, c): (usize, &char)| match self.characters.get(c).filter(|known| bad.contains(&at) && !known.meant.is_empty()) {
                Some(known) => known.meant[n.min(known.meant.len() - 1)],
                None => Some(*c),
            };
            chars.iter().enumerate().filter_map(change).collect()
        };
        let meant = self.characters.get(&chars[*first]).filter(|known| !known.meant.is_empty()).and_then(|known| {
            let of = |n: usize| known.meant[n.min(known.meant.len() - 1)];
            let right = (0..options).find(|n| fits(&corrected(*n))).map(of);
            right.or_else(|| known.meant.iter().copied().find(|c| c.is_none_or(allows)))
        });
        Some(self.tell(*first, chars[*first], meant, bad.len()))
    }

    /// A value of characters that are allowed where each may be the wrong one: a digit for a letter, a small letter for a capital one.
    fn mistaken(&self, chars: &[char], fits: &dyn Fn(&str) -> bool) -> Option<Text> {
        let mut found = None;
        for (at, c) in chars.iter().enumerate() {
            for meant in self.characters.get(c).map_or(&[][..], |known| &known.meant) {
                let corrected: String = chars.iter().enumerate().filter_map(|(i, c)| if i == at { *meant } else { Some(*c) }).collect();
                if !corrected.is_empty() && fits(&corrected) {
                    if found.is_some() {
                        return None;
                    }
                    found = Some((at, *c, *meant));
                }
            }
        }
        if let Some((at, c, meant)) = found {
            return Some(self.tell(at, c, Some(meant), 1));
        }
        let value: String = chars.iter().collect();
        let capitals = value.to_uppercase();
        (capitals != value && fits(&capitals)).then(|| self.like(&capitals))
    }

    fn tell(&self, at: usize, c: char, meant: Option<Option<char>>, count: usize) -> Text {
        let own = both(c.encode_utf8(&mut [0; 4]));
        let name = match self.characters.get(&c) {
            Some(known) => known.name.clone(),
            None if c.is_ascii_alphabetic() => self.phrase("letter-latin", &[("char", &own)]),
            None if is_cyrillic(c) => self.phrase("letter-russian", &[("char", &own)]),
            None if c.is_control() || c.is_whitespace() => self.phrase("invisible", &[]),
            None => self.phrase("sign", &[("char", &own)]),
        };
        let (place, code) = (both(&(at + 1).to_string()), both(&format!("U+{:04X}", u32::from(c))));
        let mut text = self.phrase("at", &[("place", &place), ("name", &name), ("code", &code)]);
        if let Some(meant) = meant {
            let kind = match meant {
                None => "nothing",
                Some(' ') => "space",
                Some('-') => "hyphen",
                Some('.') => "dot",
                Some(c) if c.is_ascii_digit() => "digit",
                Some(c) if c.is_ascii() => "latin",
                Some(_) => "russian",
            };
            let meant = both(&meant.map_or_else(String::new, String::from));
            append(&mut text, ", ", &self.phrase(kind, &[("char", &meant)]));
        }
        if count > 1 {
            append(&mut text, "; ", &self.phrase("more", &[("count", &both(&count.to_string()))]));
        }
        text
    }
}

fn append(text: &mut Text, between: &str, more: &Text) {
    text.ru.push_str(between);
    text.ru.push_str(&more.ru);
    text.en.push_str(between);
    text.en.push_str(&more.en);
}

fn both(text: &str) -> Text {
    Text { ru: text.to_owned(), en: text.to_owned() }
}

/// A word of the table's column `meant`.
fn meant(word: &str) -> Result<Option<char>, String> {
    let mut chars = word.chars();
    match (word, chars.next(), chars.next()) {
        ("nothing", ..) => Ok(None),
        ("space", ..) => Ok(Some(' ')),
        ("dot", ..) => Ok(Some('.')),
        ("hyphen", ..) => Ok(Some('-')),
        (_, Some(c), None) => Ok(Some(c)),
        _ => Err(format!("meant «{word}»: a character, space, dot, hyphen or nothing is due")),
    }
}

/// Whether a character is one of the Cyrillic alphabets.
pub fn is_cyrillic(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{52F}')
}

/// A Russian letter, to ask whether an element may have such letters.
pub const LETTER: char = '\u{430}';
/// Russian letters side by side that make a word: fewer are a slip of the keyboard.
const WORD: usize = 3;

/// Whether a text has a Russian word.
pub fn has_word(text: &str) -> bool {
    let mut run = 0;
    text.chars().any(|c| {
        run = if is_cyrillic(c) { run + 1 } else { 0 };
        run >= WORD
    })
}

/// The only one of some names that a given one may stand for: the same but for capitals, else one slip away (a character that is wrong,
/// missing, too many, or exchanged with the next). `None` if there is none, or more than one.
pub fn nearest<'n>(given: &str, names: impl Iterator<Item = &'n str> + Clone) -> Option<&'n str> {
    let given = given.to_uppercase();
    let one = |mut found: Box<dyn Iterator<Item = &'n str> + '_>| {
        let first = found.next()?;
        found.all(|other| other == first).then_some(first)
    };
    let same = one(Box::new(names.clone().filter(|name| *name == given)));
    let is_long = given.chars().count() >= SHORTEST;
    same.or_else(|| if is_long { one(Box::new(names.filter(|name| name.len() + 1 >= SHORTEST && is_one_slip(&given, name)))) } else { None })
}

/// Whether two texts differ in one character that is wrong, missing, too many, or exchanged with the next.
fn is_one_slip(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    match (a.len(), b.len()) {
        (n, m) if n == m => n > 0 && (a[1..] == b[1..] || n > 1 && a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..]),
        (n, m) if n + 1 == m => a == &b[1..],
        (n, m) if n == m + 1 => &a[1..] == b,
        _ => false,
    }
}

/// The codes that one slip away from a given one might be, for a look-up of each: first those that differ in blanks, points and zeros at the ends
/// and in capitals, then those of one character. At most some hundreds, whatever the size of the book.
pub fn neighbours(code: &str) -> [Vec<String>; 2] {
    let (mut ends, mut slips) = (Vec::new(), Vec::new());
    let trimmed = code.trim_matches(|c: char| c.is_whitespace() || c == '.');
    for own in [code, trimmed] {
        let capitals = own.to_uppercase();
        ends.extend([own.to_owned(), own.trim_end_matches('0').to_owned(), own.trim_start_matches('0').to_owned(), format!("0{own}"), format!("{own}0")]);
        ends.push(capitals.trim_end_matches(".0").to_owned());
        ends.push(capitals);
    }
    let chars: Vec<char> = code.chars().collect();
    if code.is_ascii() && (SHORTEST..=16).contains(&chars.len()) {
        let with = |from: usize, to: usize, middle: &[char]| chars[..from].iter().chain(middle).chain(&chars[to..]).collect::<String>();
        for at in 0..chars.len() {
            // A digit stands for a digit and a letter for a letter: others are look-alikes, which are named by their character.
            let kind = if chars[at].is_ascii_digit() { '0'..='9' } else { 'A'..='Z' };
            slips.extend(kind.map(|c| with(at, at + 1, &[c])));
            slips.push(with(at, at + 1, &[]));
            if at + 1 < chars.len() {
                slips.push(with(at, at + 2, &[chars[at + 1], chars[at]]));
            }
        }
        for at in 0..=chars.len() {
            slips.extend(('0'..='9').chain(['.']).map(|c| with(at, at, &[c])));
        }
    }
    [ends, slips].map(|mut codes| {
        codes.retain(|own| own != code && !own.is_empty());
        codes.sort_unstable();
        codes.dedup();
        codes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints() -> Hints {
        Hints::load(&RuleFiles::embedded()).expect("the built-in tables are sound")
    }

    #[test]
    fn the_character_its_place_and_what_was_meant() {
        let hints = hints();
        let ascii = |c: char| c.is_ascii_graphic();
        let code =
            |text: &str| text.is_ascii() && text.starts_with(|c: char| c.is_ascii_uppercase()) && text[1..].chars().all(|c| c.is_ascii_digit() || c == '.');
        let name = |c: char| is_cyrillic(c) || matches!(c, ' ' | '-');
        for (value, expected) in [
            ("К31.9", "1-й знак — русская К (U+041A), нужна латинская K"),
            ("J0О.9", "3-й знак — русская О (U+041E), нужна цифра 0"),
            ("JО6.9\u{a0}", "2-й знак — русская О (U+041E), нужна цифра 0; всего таких знаков 2"),
            ("J06,9", "4-й знак — запятая (U+002C), нужна точка"),
            ("031", "1-й знак — цифра 0 (U+0030), нужна латинская O"),
            ("JO6.9", "2-й знак — латинская O (U+004F), нужна цифра 0"),
            ("j06.9", "похоже на J06.9"),
            ("Ж06", "1-й знак — русская Ж (U+0416)"),
            ("J06.9\u{200b}", "6-й знак — пробел нулевой ширины (U+200B), уберите его"),
            ("J06.9\t", "6-й знак — знак табуляции (U+0009), уберите его"),
        ] {
            assert_eq!(hints.odd(value, false, &ascii, &code).map(|t| t.ru).as_deref(), Some(expected), "{value:?}");
        }
        for (value, expected) in [
            ("Ивaнов", "3-й знак — латинская a (U+0061), нужна русская а"),
            ("Иванова\u{a0}Мария", "8-й знак — неразрывный пробел (U+00A0), нужен обычный пробел"),
            ("Иванов@", "7-й знак — «@» (U+0040)"),
            ("Jon", "1-й знак — латинская J (U+004A); всего таких знаков 3"),
        ] {
            assert_eq!(hints.odd(value, true, &name, &|text| text.chars().all(name)).map(|t| t.ru).as_deref(), Some(expected), "{value:?}");
        }
        assert_eq!(hints.odd("Q", false, &ascii, &|_| false), None);
        assert_eq!(hints.odd("031", true, &ascii, &code), None, "the characters of a personal value that are allowed are not told");
    }

    #[test]
    fn near_names_and_codes() {
        let names = ["PROFIL", "PROFIL_K", "DS1", "DS2", "NPOLIS", "SPOLIS", "N_ZAP"];
        for (given, expected) in [
            ("PROFILL", Some("PROFIL")),
            ("profil", Some("PROFIL")),
            ("PRFOIL", Some("PROFIL")),
            ("NZAP", Some("N_ZAP")),
            ("POLIS", None),
            ("DS", None),
            ("XYZ", None),
        ] {
            assert_eq!(nearest(given, names.into_iter()), expected, "{given}");
        }
        let [ends, slips] = neighbours("J06.90");
        assert!(ends.contains(&"J06.9".to_owned()) && slips.contains(&"J06.0".to_owned()) && slips.len() < 300, "{}", slips.len());
        assert!(neighbours("j06.9 ").iter().flatten().any(|code| code == "J06.9"));
        assert_eq!(neighbours("").map(|codes| codes.len()), [1, 0]);
    }
}
