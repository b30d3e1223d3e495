//! What the bytes beyond ASCII say about the encoding of a Russian text.
//!
//! A run of such bytes is read as a word in each encoding of one byte a character, and the reading is weighed by how often its letters occur in
//! Russian and by its capitals: a small letter before a capital one is no Russian word. Weights are tenths of a bit.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher as _};

use super::Coding;

/// Bytes after which no more words are weighed.
const ENOUGH: usize = 2000;
/// Bytes after which the encoding does not change any more.
const SETTLED: usize = 200;
/// Least number of bytes for an encoding other than the expected one.
const LEAST: usize = 4;
/// By how much another encoding must be better than the expected one. The letters of KOI8-R are letters of windows-1251 too, so chance may
/// prefer them; with this weight, a right text of 20 or 30 capitals is taken for KOI8-R less than once in a million.
const MARGIN: i64 = 160;
const MARGIN_KOI8: i64 = 240;
/// The same for each byte.
const MARGIN_BYTE: i64 = 5;
/// What a text in KOI8-R must weigh at least for each byte: real words weigh more, and letters by chance weigh less than nothing.
const PLAUSIBLE: i64 = 2;
/// Distinct words that are remembered, and how often each counts: one that is repeated in each record says little more than a few times.
const WORDS: usize = 1 << 10;
const REPEATED: u8 = 3;

/// How often each letter from а to я occurs in Russian, as tenths of a bit over the mean.
const LETTERS: [i64; 32] =
    [14, -10, 5, -9, -1, 14, -17, -9, 12, -14, 2, 5, 0, 11, 18, -2, 6, 8, 10, -3, -36, -17, -27, -11, -21, -31, -50, -7, -8, -33, -23, -6];
/// Number of the first letter with which no word begins among ъ, ы, ь, and their weight there.
const NEVER_FIRST: std::ops::RangeInclusive<u8> = 26..=28;
const AT_FIRST: i64 = -40;
/// The weight of ё, of a letter of another language, of a sign of typography, and of any other sign inside a word.
const YO: i64 = -20;
const FOREIGN: i64 = -30;
const TYPOGRAPHY: i64 = -10;
const SIGN: i64 = -55;
/// The weight of a capital after a small letter.
const MIXED: i64 = -60;

/// A byte in one encoding.
#[derive(Clone, Copy)]
enum Sign {
    /// A Russian letter by its number from 0 (а) to 31 (я), and whether it is a capital.
    Letter(u8, bool),
    Yo(bool),
    Other(i64),
}

/// The order of the letters in KOI8-R.
const KOI8: [u8; 32] = [30, 0, 1, 22, 4, 5, 20, 3, 21, 8, 9, 10, 11, 12, 13, 14, 15, 31, 16, 17, 18, 19, 6, 2, 28, 27, 7, 24, 29, 25, 23, 26];

fn windows_1251(byte: u8) -> Sign {
    match byte {
        0xC0..=0xDF => Sign::Letter(byte - 0xC0, true),
        0xE0..=0xFF => Sign::Letter(byte - 0xE0, false),
        0xA8 => Sign::Yo(true),
        0xB8 => Sign::Yo(false),
        _ if is_typography(byte) => Sign::Other(TYPOGRAPHY),
        0x80 | 0x81 | 0x83 | 0x8A | 0x8C..=0x90 | 0x9A | 0x9C..=0x9F | 0xA1..=0xA3 | 0xA5 | 0xAA | 0xAF | 0xB2..=0xB4 | 0xBA | 0xBC..=0xBF => {
            Sign::Other(FOREIGN)
        }
        _ => Sign::Other(SIGN),
    }
}

/// Quotation marks, dashes, the ellipsis, the no-break space, ° and № of windows-1251.
fn is_typography(byte: u8) -> bool {
    matches!(byte, 0x84 | 0x85 | 0x91..=0x97 | 0xA0 | 0xAB | 0xB0 | 0xB9 | 0xBB)
}

/// Whether signs of typography of windows-1251 cannot be punctuation: a closing quotation mark, which begins no text, an ellipsis and an opening mark. In cp866
/// they are the letters Т, Е and С: «ТЕСТ» may be the only Russian word of a main file.
fn is_no_punctuation(word: &[u8]) -> bool {
    const LETTERS: [u8; 3] = [0x92, 0x85, 0x91];
    word.len() >= LEAST && word[0] == LETTERS[0] && word.iter().all(|byte| LETTERS.contains(byte)) && LETTERS.iter().all(|byte| word.contains(byte))
}

fn cp866(byte: u8) -> Sign {
    match byte {
        0x80..=0x9F => Sign::Letter(byte - 0x80, true),
        0xA0..=0xAF => Sign::Letter(byte - 0xA0, false),
        0xE0..=0xEF => Sign::Letter(byte - 0xE0 + 16, false),
        0xF0 => Sign::Yo(true),
        0xF1 => Sign::Yo(false),
        0xF2..=0xF7 => Sign::Other(FOREIGN),
        0xF8 | 0xFC | 0xFF => Sign::Other(TYPOGRAPHY),
        _ => Sign::Other(SIGN),
    }
}

fn koi8_r(byte: u8) -> Sign {
    match byte {
        0xC0..=0xDF => Sign::Letter(KOI8[usize::from(byte - 0xC0)], false),
        0xE0..=0xFF => Sign::Letter(KOI8[usize::from(byte - 0xE0)], true),
        0xA3 => Sign::Yo(false),
        0xB3 => Sign::Yo(true),
        0x9A => Sign::Other(TYPOGRAPHY),
        _ => Sign::Other(SIGN),
    }
}

/// What a byte is in one encoding.
type Reader = fn(u8) -> Sign;

/// The encodings of one byte a character, as [`Evidence`] weighs them.
const SINGLE: [(Coding, Reader); 3] = [(Coding::Windows1251, windows_1251), (Coding::Cp866, cp866), (Coding::Koi8R, koi8_r)];

/// What has been counted and weighed so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    /// Valid characters of UTF-8 beyond ASCII.
    valid: usize,
    /// Russian letters among them.
    russian: usize,
    /// Bytes that are not valid in UTF-8.
    broken: usize,
    /// Bytes of the weighed words.
    weighed: usize,
    /// Hashes of the weighed words, which may be names, and how often each has counted.
    words: BTreeMap<u64, u8>,
    /// Weight of the words in each encoding of [`SINGLE`].
    weights: [i64; SINGLE.len()],
}

impl Evidence {
    /// Takes in a text. `whole` says that its last character is not cut.
    pub fn add(&mut self, text: &[u8], whole: bool) {
        let mut rest = text;
        while let Some(start) = high(rest) {
            let before = rest[..start].last().copied();
            let word = &rest[start..];
            let length = word.iter().position(u8::is_ascii).unwrap_or(word.len());
            rest = &word[length..];
            let is_whole_value = before == Some(b'>') && rest.first() == Some(&b'<');
            self.count(&word[..length], whole || !rest.is_empty());
            if self.weighed < ENOUGH {
                self.word(&word[..length.min(ENOUGH)], is_whole_value);
            }
        }
    }

    /// Counts a run of bytes beyond ASCII as UTF-8.
    fn count(&mut self, word: &[u8], whole: bool) {
        let mut chunks = word.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            for c in chunk.valid().chars() {
                self.valid += 1;
                self.russian += usize::from(matches!(c, '\u{410}'..='\u{44F}' | '\u{401}' | '\u{451}'));
            }
            if whole || chunks.peek().is_some() {
                self.broken += chunk.invalid().len();
            }
        }
    }

    /// Weighs a run of bytes beyond ASCII. One byte, and a run of signs of typography, say nothing, unless no text has such a run as its whole value.
    fn word(&mut self, word: &[u8], is_whole_value: bool) {
        let is_signs = word.iter().all(|byte| is_typography(*byte));
        if word.len() < 2 || is_signs && !(is_whole_value && is_no_punctuation(word)) {
            return;
        }
        let mut hasher = DefaultHasher::new();
        hasher.write(word);
        let (hash, has_room) = (hasher.finish(), self.words.len() < WORDS);
        match self.words.get_mut(&hash) {
            Some(times) if *times < REPEATED => *times += 1,
            None if has_room => drop(self.words.insert(hash, 1)),
            _ => return,
        }
        self.weighed += word.len();
        for (weight, (_, read)) in self.weights.iter_mut().zip(SINGLE) {
            let mut before = None;
            for (at, byte) in word.iter().enumerate() {
                let (own, capital) = match read(*byte) {
                    Sign::Letter(letter, capital) => {
                        let first = if at == 0 && NEVER_FIRST.contains(&letter) { AT_FIRST } else { 0 };
                        (LETTERS[usize::from(letter)] + first, Some(capital))
                    }
                    Sign::Yo(capital) => (YO, Some(capital)),
                    Sign::Other(own) => (if is_signs { SIGN } else { own }, None),
                };
                let mixed = if before == Some(false) && capital == Some(true) { MIXED } else { 0 };
                *weight += own + mixed;
                before = capital;
            }
        }
    }

    /// Whether there was nothing but ASCII.
    pub fn is_none(&self) -> bool {
        self.valid == 0 && self.broken == 0
    }

    /// Whether so much was seen that more does not change the encoding.
    pub fn is_settled(&self) -> bool {
        self.weighed >= SETTLED
    }

    /// Whether most of what is beyond ASCII is valid in UTF-8.
    pub fn is_like_utf8(&self) -> bool {
        self.valid > self.broken
    }

    /// The encoding of the text, where `expected` is the one that it should have.
    pub fn judge(&self, expected: Coding) -> Coding {
        if self.is_none() {
            return expected;
        }
        let is_utf8 = match expected {
            Coding::Utf8 => self.is_like_utf8(),
            // Some words of windows-1251 are valid in UTF-8, but the characters are not Russian.
            _ => self.russian > self.broken + (self.valid - self.russian),
        };
        if is_utf8 { Coding::Utf8 } else { self.single(if expected == Coding::Utf8 { Coding::Windows1251 } else { expected }) }
    }

    fn single(&self, expected: Coding) -> Coding {
        let weight = |coding| SINGLE.iter().zip(self.weights).find(|((own, _), _)| *own == coding).map_or(0, |(_, weight)| weight);
        let ahead = |coding: Coding| {
            let margin = if coding == Coding::Koi8R || expected == Coding::Koi8R { MARGIN_KOI8 } else { MARGIN };
            weight(coding) - weight(expected) - margin.max(MARGIN_BYTE * self.weighed as i64)
        };
        let best = SINGLE.map(|(coding, _)| coding).into_iter().filter(|coding| *coding != expected).max_by_key(|coding| weight(*coding));
        let plausible = |coding: Coding| coding != Coding::Koi8R || weight(coding) >= PLAUSIBLE * self.weighed as i64;
        best.filter(|coding| self.weighed >= LEAST && ahead(*coding) >= 0 && plausible(*coding)).unwrap_or(expected)
    }
}

/// Index of the first byte beyond ASCII.
fn high(bytes: &[u8]) -> Option<usize> {
    const STEP: usize = 64;
    let step = bytes.chunks(STEP).position(|chunk| !chunk.is_ascii())? * STEP;
    bytes[step..].iter().position(|byte| !byte.is_ascii()).map(|at| step + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{IBM866, KOI8_R, WINDOWS_1251};

    fn judged(text: &[u8], expected: Coding) -> Coding {
        let mut evidence = Evidence::default();
        evidence.add(text, true);
        evidence.judge(expected)
    }

    /// Every text here is one of the exchange: names, titles, notes, signs.
    const TEXTS: &[&str] = &[
        "<FAM>ИВАНОВА</FAM><IM>МАРИЯ</IM><OT>ПЕТРОВНА</OT>",
        "<FAM>Цой</FAM><IM>Юрий</IM><OT>Эдуардович</OT>",
        "<FAM>ЛИ</FAM><IM>АН</IM><OT>ВАНОВИЧ</OT>",
        "<FAM>Щукина</FAM><IM>Ёлка</IM><MR>г. Якутск, ул. Ленина</MR>",
        "<COMENTU>первичный осмотр терапевта</COMENTU>",
        "<FAM>АЛЕКСЕЕВ</FAM><IM>АЙСЕН</IM><FAM>ХАРЮЩЕНКО</FAM><IM>ЗОЯ</IM>",
    ];

    #[test]
    fn each_encoding_is_known_by_a_few_names() {
        for text in TEXTS {
            let utf8 = text.as_bytes();
            let (ansi, dos) = (WINDOWS_1251.encode(text).0, IBM866.encode(text).0);
            assert_eq!(judged(&ansi, Coding::Windows1251), Coding::Windows1251, "{text}");
            assert_eq!(judged(&dos, Coding::Windows1251), Coding::Cp866, "{text}");
            assert_eq!(judged(utf8, Coding::Windows1251), Coding::Utf8, "{text}");
            assert_eq!(judged(&dos, Coding::Utf8), Coding::Cp866, "{text}");
            assert_eq!(judged(&ansi, Coding::Cp866), Coding::Windows1251, "{text}");
            assert_eq!(judged(&dos, Coding::Cp866), Coding::Cp866, "{text}");
        }
        // The capitals of KOI8-R are small letters of windows-1251, so that more of them are needed.
        let all = TEXTS.concat();
        assert_eq!(judged(&KOI8_R.encode(&all).0, Coding::Windows1251), Coding::Koi8R);
        let capitals = "<FAM>ВЫДУМКИНА</FAM><IM>АННА</IM><OT>СЕРГЕЕВНА</OT><FAM>НЕБЫВАЛОВ</FAM><IM>ПЁТР</IM><OT>ИВАНОВИЧ</OT>";
        assert_eq!(judged(&KOI8_R.encode(capitals).0, Coding::Windows1251), Coding::Koi8R);
        assert_eq!(judged(&WINDOWS_1251.encode(capitals).0, Coding::Windows1251), Coding::Windows1251);
    }

    /// Real texts of windows-1251 with few letters, or with signs that are letters in cp866.
    #[test]
    fn few_letters_never_make_another_encoding() {
        for text in [
            "№1",
            "«дом»",
            "„дом“",
            "“дом”",
            "…дом",
            "—",
            "… —",
            "10\u{a0}000\u{a0}\u{a0}\u{a0}",
            "ДВ4",
            "Ё",
            "ёж",
            "Ю-7",
            "а",
            "Д-71",
            "±°",
            "І-ВЕ",
            "щюц",
            "ЩЮЦ",
            "Цыц",
            "ы",
            "жжж",
            "фыва",
            "ХЪЩ",
            "«Ё»",
            "5°…7°",
            "–«№1»–",
            "ФЭЮ ЩЪ",
            "\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}\u{a0}",
            "— — — … … …",
        ] {
            let bytes = WINDOWS_1251.encode(text).0;
            assert_eq!(judged(&bytes, Coding::Windows1251), Coding::Windows1251, "{text}");
        }
    }

    #[test]
    fn a_word_that_windows_1251_reads_as_quotation_marks_is_one() {
        let of = |text: &str, encoding: &'static encoding_rs::Encoding| judged(&encoding.encode(text).0, Coding::Windows1251);
        assert_eq!(of("<COMENTSL>ТЕСТ</COMENTSL>", IBM866), Coding::Cp866);
        // The same bytes within a text, and other runs of such marks, are of windows-1251.
        for text in ["<A>дом’…‘’</A>", "<A>’…‘’ 1</A>", "<A>’…’’</A>", "<A>‘…’</A>", "<A>‘’…’</A>", "<A>“”…’</A>", "<A>………</A>", "<A>’…‘</A>", "<A>————</A>"]
        {
            assert_eq!(of(text, WINDOWS_1251), Coding::Windows1251, "{text}");
        }
    }

    /// Abbreviations that each record of a main file repeats, which has no other Russian text.
    #[test]
    fn what_each_record_repeats_is_no_proof() {
        for text in ["ЩЖ", "ЭХО-КГ", "ФЭГДС", "УЗИ ЩЖ", "юФ & Ш", "ЫЮ", "шч", "ЛФК", "ЦДК БЦА", "ЩФ, ЖКТ"] {
            let bytes = WINDOWS_1251.encode(&format!("<COMENTU>{text}</COMENTU>").repeat(1000)).0.into_owned();
            assert_eq!(judged(&bytes, Coding::Windows1251), Coding::Windows1251, "{text}");
        }
    }

    /// The same as a search: each surname and name of a long list alone, as the only Russian text of a file.
    #[test]
    fn no_name_alone_is_taken_for_another_encoding() {
        let files = crate::tables::RuleFiles::embedded();
        let mut names = 0;
        for table in ["generate/pools/surnames.csv", "generate/pools/names.csv"] {
            let text = files.text(table).expect("there");
            for name in text.split([',', '\n', ' ']).filter(|word| word.chars().next().is_some_and(|c| !c.is_ascii())) {
                for name in [name.to_owned(), name.to_uppercase(), name.to_lowercase()] {
                    let bytes = WINDOWS_1251.encode(&name).0;
                    assert_eq!(judged(&bytes, Coding::Windows1251), Coding::Windows1251, "{name}");
                    names += 1;
                }
            }
        }
        assert!(names > 200, "{names}");
    }

    #[test]
    fn the_first_high_byte_is_found() {
        for at in [0, 1, 63, 64, 65, 200] {
            let mut bytes = vec![b'a'; 300];
            bytes[at] = 0xC0;
            assert_eq!(high(&bytes), Some(at));
        }
        assert_eq!(high(b"ascii"), None);
    }
}
