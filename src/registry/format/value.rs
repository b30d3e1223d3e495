//! Value types: the form that a number, a date or a text must have in an element.

use std::sync::Arc;

use super::mask::Mask;
use crate::finding::Check;
use crate::registry::encoding::{Encoding, windows_1251_char};
use crate::texts::Text;
use crate::values::{is_date_shape, iso_parts, split_decimal};

/// A named set of characters, a row of `rules/formats/charsets.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charset {
    /// Id in the table.
    pub id: String,
    /// First and last character of each run.
    pub ranges: Vec<(char, char)>,
    /// Name for people.
    pub title: Text,
    bytes: [bool; 256],
}

impl Charset {
    /// Compiles the items of the table: ranges such as `0-9`, single characters, the word `space`.
    ///
    /// # Errors
    /// An item of another form, a range in reverse order, or no items.
    pub fn new(id: &str, items: &str, title: Text) -> Result<Self, String> {
        let mut ranges = Vec::new();
        for item in items.split(' ').filter(|i| !i.is_empty()) {
            let chars: Vec<char> = item.chars().collect();
            match *chars.as_slice() {
                _ if item == "space" => ranges.push((' ', ' ')),
                [one] => ranges.push((one, one)),
                [first, '-', last] if first < last => ranges.push((first, last)),
                _ => return Err(format!("«{item}» is no item of a character set")),
            }
        }
        if ranges.is_empty() {
            return Err("the character set is empty".to_owned());
        }
        let mut bytes = [false; 256];
        for byte in 0..=255u8 {
            bytes[usize::from(byte)] = windows_1251_char(byte).is_some_and(|c| ranges.iter().any(|(a, b)| (*a..=*b).contains(&c)));
        }
        Ok(Self { id: id.to_owned(), ranges, title, bytes })
    }

    /// The set in a form that needs no translation: `0-9 A-Z ␣ -`.
    pub fn shown(&self) -> String {
        let item = |(a, b): &(char, char)| match (a, b) {
            (' ', ' ') => "␣".to_owned(),
            (a, b) if a == b => a.to_string(),
            (a, b) => format!("{a}-{b}"),
        };
        self.ranges.iter().map(item).collect::<Vec<_>>().join(" ")
    }

    /// Whether a character belongs to the set.
    pub fn holds(&self, c: char) -> bool {
        self.ranges.iter().any(|(a, b)| (*a..=*b).contains(&c))
    }

    /// Whether a windows-1251 byte belongs to the set.
    #[inline]
    pub fn holds_byte(&self, byte: u8) -> bool {
        self.bytes[usize::from(byte)]
    }

    /// The set as the content of a bracket expression of XML Schema 1.0, with the hyphen last.
    pub fn to_regex_class(&self) -> String {
        let mut out = String::new();
        let push = |out: &mut String, c: char| {
            if matches!(c, '-' | '\\' | '[' | ']' | '^') {
                out.push('\\');
            }
            out.push(c);
        };
        for &(first, last) in &self.ranges {
            if (first, last) != ('-', '-') {
                push(&mut out, first);
                if first != last {
                    out.push('-');
                    push(&mut out, last);
                }
            }
        }
        // The hyphen is escaped and last: some engines read it elsewhere as a range or a subtraction.
        if self.ranges.contains(&('-', '-')) {
            push(&mut out, '-');
        }
        out
    }
}

/// The required form of a text.
#[derive(Debug, Clone)]
enum Shape {
    Digits { min: u8, max: u8 },
    Decimal { whole: u8, fraction: u8, fixed: bool },
    Date,
    Text { min: u32, max: u32, set: Option<Arc<Charset>> },
    Mask(Mask),
}

/// A base type of the formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// Т, text.
    Text,
    /// N, number.
    Number,
    /// D, date.
    Date,
}

/// The type of an element's value.
#[derive(Debug, Clone)]
pub struct ValueType {
    base: Base,
    shape: Shape,
    /// The allowed values; empty when any value is allowed.
    list: Vec<Box<str>>,
}

/// Why a value does not fit its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueFault {
    /// Kind of the finding.
    pub check: Check,
    /// What was expected, in a form without language except for the characters of a set.
    pub expected: Option<String>,
    /// What was found (a length or a count), without personal data.
    pub found: Option<String>,
}

impl ValueType {
    /// Compiles the columns of a format table.
    ///
    /// # Errors
    /// Columns that contradict each other; the message says which.
    pub fn compile(base: &str, length: &str, mask: &str, set: Option<Arc<Charset>>, list: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<u32>().map_err(|_| format!("length «{length}»"));
        let bounds = || match length.split_once('-') {
            Some((min, max)) => Ok::<_, String>((number(min)?, number(max)?)),
            None => Ok((1, number(length)?)),
        };
        let small = |n: u32| u8::try_from(n).map_err(|_| format!("length «{length}» is too large"));
        let base = match base {
            "T" => Base::Text,
            "N" => Base::Number,
            "D" => Base::Date,
            other => return Err(format!("type «{other}»: T, N, D or S is due")),
        };
        if set.is_some() && base != Base::Text {
            return Err("chars is for texts (T)".to_owned());
        }
        let shape = match (base, mask) {
            (Base::Date, "") if length.is_empty() => Shape::Date,
            (Base::Date, _) => return Err("a date (D) has neither length nor mask".to_owned()),
            (Base::Number, "" | "fixed") if length.contains('.') => {
                let (whole, fraction) = length.split_once('.').ok_or("length")?;
                let (whole, fraction) = (small(number(whole)?)?, small(number(fraction)?)?);
                if whole == 0 || fraction == 0 {
                    return Err(format!("length «{length}»"));
                }
                Shape::Decimal { whole, fraction, fixed: mask == "fixed" }
            }
            (_, "fixed") => return Err("fixed is for numbers (N) with a fraction".to_owned()),
            (Base::Number, "") => {
                let (min, max) = bounds()?;
                Shape::Digits { min: small(min)?, max: small(max)? }
            }
            (Base::Text, "") => {
                let (min, max) = bounds()?;
                Shape::Text { min, max, set }
            }
            (_, mask) => {
                if set.is_some() {
                    return Err("a mask and a character set exclude each other".to_owned());
                }
                Shape::Mask(Mask::compile(mask)?)
            }
        };
        if let Shape::Text { min, max, .. } = &shape
            && (min > max || *min == 0)
        {
            return Err(format!("length «{length}»"));
        }
        if let Shape::Digits { min, max } = &shape
            && (min > max || *min == 0)
        {
            return Err(format!("length «{length}»"));
        }
        let kind = Self { base, shape, list: list.split(' ').filter(|v| !v.is_empty()).map(Into::into).collect() };
        for value in &kind.list {
            if !kind.shape_fits(value.as_bytes(), Encoding::Utf8) {
                return Err(format!("the listed value «{value}» does not fit {}", kind.spec()));
            }
        }
        Ok(kind)
    }

    /// The base type.
    pub fn base(&self) -> Base {
        self.base
    }

    /// The allowed values; empty when any value is allowed.
    pub fn list(&self) -> &[Box<str>] {
        &self.list
    }

    /// The mask; `None` when the type has none.
    pub fn mask(&self) -> Option<&Mask> {
        match &self.shape {
            Shape::Mask(mask) => Some(mask),
            _ => None,
        }
    }

    /// The character set; `None` when the type has none.
    pub fn charset(&self) -> Option<&Charset> {
        match &self.shape {
            Shape::Text { set, .. } => set.as_deref(),
            _ => None,
        }
    }

    /// For numbers with a fraction: the most digits before the point, the most digits after it, and whether the latter number is exact. `None`
    /// for other types.
    pub fn decimal(&self) -> Option<(u8, u8, bool)> {
        match self.shape {
            Shape::Decimal { whole, fraction, fixed } => Some((whole, fraction, fixed)),
            _ => None,
        }
    }

    /// Shortest and longest allowed length in characters.
    pub fn lengths(&self) -> (usize, usize) {
        match &self.shape {
            Shape::Digits { min, max } => (usize::from(*min), usize::from(*max)),
            Shape::Decimal { whole, fraction, fixed } => {
                let tail = usize::from(*fraction) + 1;
                (if *fixed { 1 + tail } else { 1 }, usize::from(*whole) + tail)
            }
            Shape::Date => (10, 10),
            Shape::Text { min, max, .. } => (*min as usize, *max as usize),
            Shape::Mask(mask) => mask.lengths(),
        }
    }

    /// The type in short notation: `N(15.2)` (exactly two decimals), `N(5.0-2)` (at most two), `T(1-36)`, `D`.
    pub fn spec(&self) -> String {
        match &self.shape {
            Shape::Digits { min: 1, max } => format!("N({max})"),
            Shape::Digits { min, max } => format!("N({min}-{max})"),
            Shape::Decimal { whole, fraction, fixed: true } => format!("N({whole}.{fraction})"),
            Shape::Decimal { whole, fraction, fixed: false } => format!("N({whole}.0-{fraction})"),
            Shape::Date => "D".to_owned(),
            Shape::Text { min, max, .. } if min == max => format!("T(={max})"),
            Shape::Text { min: 1, max, .. } => format!("T({max})"),
            Shape::Text { min, max, .. } => format!("T({min}-{max})"),
            Shape::Mask(mask) => format!("{}({})", if self.base == Base::Number { 'N' } else { 'T' }, mask.as_str()),
        }
    }

    /// Whether a character may stand in a value: one of the set, of a mask or number one of ASCII that is no blank.
    pub fn allows(&self, c: char) -> bool {
        match &self.shape {
            Shape::Text { set: Some(set), .. } => set.holds(c),
            Shape::Text { set: None, .. } => is_xml_char(c),
            Shape::Mask(_) => c.is_ascii_graphic(),
            Shape::Digits { .. } => c.is_ascii_digit(),
            Shape::Decimal { .. } => c.is_ascii_digit() || c == '.',
            Shape::Date => c.is_ascii_digit() || c == '-',
        }
    }

    /// Whether a non-empty value fits the type. It is called for every value, so it does not allocate.
    #[inline]
    pub fn fits(&self, value: &[u8], encoding: Encoding) -> bool {
        self.shape_fits(value, encoding) && (self.list.is_empty() || self.listed(value))
    }

    fn listed(&self, value: &[u8]) -> bool {
        self.list.iter().any(|v| v.as_bytes() == value)
    }

    #[inline]
    fn shape_fits(&self, value: &[u8], encoding: Encoding) -> bool {
        match &self.shape {
            Shape::Digits { min, max } => (usize::from(*min)..=usize::from(*max)).contains(&value.len()) && value.iter().all(u8::is_ascii_digit),
            Shape::Decimal { whole, fraction, fixed } => decimal_fits(value, usize::from(*whole), usize::from(*fraction), *fixed),
            Shape::Date => iso_parts(value).is_some(),
            Shape::Text { min, max, set } => text_fits(value, *min as usize, *max as usize, set.as_deref(), encoding),
            Shape::Mask(mask) => mask.fits(value),
        }
    }

    /// What is wrong with a value; `None` when it fits. Slower than [`ValueType::fits`]; used for messages.
    pub fn diagnose(&self, value: &[u8], encoding: Encoding) -> Option<ValueFault> {
        if self.shape_fits(value, encoding) {
            let listed = self.list.is_empty() || self.listed(value);
            return (!listed).then(|| fault(Check::NotInList, self.list.join(", "), None));
        }
        let length = encoding.length(value);
        let (shortest, longest) = self.lengths();
        let found = Some(length.to_string());
        Some(match &self.shape {
            Shape::Digits { .. } if !value.iter().all(u8::is_ascii_digit) => fault(Check::NotNumber, self.spec(), None),
            Shape::Digits { .. } if length < shortest => fault(Check::TooShort, self.spec(), found),
            Shape::Digits { .. } => fault(Check::TooLong, self.spec(), found),
            Shape::Decimal { whole, fraction, fixed } => {
                let (head, tail) = split_decimal(value);
                if head.is_empty() || !head.iter().all(u8::is_ascii_digit) || !tail.unwrap_or(b"0").iter().all(u8::is_ascii_digit) {
                    fault(Check::NotNumber, self.spec(), None)
                } else if head.len() > usize::from(*whole) {
                    fault(Check::TooLong, self.spec(), found)
                } else {
                    let places = if *fixed { fraction.to_string() } else { format!("0-{fraction}") };
                    fault(Check::Decimals, places, Some(tail.map_or(0, <[u8]>::len).min(usize::from(u8::MAX)).to_string()))
                }
            }
            Shape::Date if is_date_shape(value) => fault(Check::NoSuchDate, String::new(), None),
            Shape::Date => fault(Check::NotDate, "YYYY-MM-DD".to_owned(), None),
            Shape::Text { .. } if length > longest => fault(Check::TooLong, self.spec(), found),
            Shape::Text { .. } if length < shortest => fault(Check::TooShort, self.spec(), found),
            Shape::Text { set, .. } => fault(Check::Characters, set.as_ref().map_or_else(String::new, |s| s.shown()), None),
            Shape::Mask(mask) if length > longest => fault(Check::TooLong, mask.as_str().to_owned(), found),
            Shape::Mask(mask) => fault(Check::Mask, mask.as_str().to_owned(), None),
        })
    }
}

fn fault(check: Check, expected: String, found: Option<String>) -> ValueFault {
    ValueFault { check, expected: Some(expected).filter(|e| !e.is_empty()), found }
}

fn decimal_fits(value: &[u8], whole: usize, fraction: usize, fixed: bool) -> bool {
    // A fixed number of decimals gives the place of the point without a search.
    if fixed {
        let Some(point) = value.len().checked_sub(fraction + 1) else { return false };
        return point >= 1
            && point <= whole
            && value[point] == b'.'
            && value[..point].iter().all(u8::is_ascii_digit)
            && value[point + 1..].iter().all(u8::is_ascii_digit);
    }
    let (head, tail) = split_decimal(value);
    !head.is_empty()
        && head.len() <= whole
        && head.iter().all(u8::is_ascii_digit)
        && tail.is_none_or(|t| !t.is_empty() && t.len() <= fraction && t.iter().all(u8::is_ascii_digit))
}

#[inline]
fn text_fits(value: &[u8], min: usize, max: usize, set: Option<&Charset>, encoding: Encoding) -> bool {
    if encoding == Encoding::Utf8 && !value.is_ascii() {
        let Ok(text) = std::str::from_utf8(value) else { return false };
        let mut length = 0;
        for c in text.chars() {
            length += 1;
            if !set.map_or_else(|| is_xml_char(c), |s| s.holds(c)) {
                return false;
            }
        }
        return (min..=max).contains(&length);
    }
    let in_set = match set {
        Some(set) => value.iter().all(|b| set.bytes[usize::from(*b)]),
        None => value.iter().all(|b| *b >= 0x20 && *b != 0x98 || matches!(b, b'\t' | b'\n' | b'\r')),
    };
    in_set && (min..=max).contains(&value.len())
}

/// Whether XML 1.0 allows the character.
pub fn is_xml_char(c: char) -> bool {
    c >= ' ' && !matches!(c, '\u{FFFE}' | '\u{FFFF}') || matches!(c, '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(base: &str, length: &str, mask: &str, list: &str) -> ValueType {
        ValueType::compile(base, length, mask, None, list).expect("sound columns")
    }

    fn says(kind: &ValueType, value: &str) -> Option<Check> {
        let fault = kind.diagnose(value.as_bytes(), Encoding::Utf8);
        assert_eq!(fault.is_none(), kind.fits(value.as_bytes(), Encoding::Utf8), "{value}: both paths agree");
        fault.map(|f| f.check)
    }

    #[test]
    fn numbers() {
        let n = kind("N", "3", "", "");
        assert_eq!(
            ["1", "123", "1234", "1a", "-1", " 1"].map(|v| says(&n, v)),
            [None, None, Some(Check::TooLong), Some(Check::NotNumber), Some(Check::NotNumber), Some(Check::NotNumber)]
        );
        assert_eq!(says(&kind("N", "3-4", "", ""), "12"), Some(Check::TooShort));
        assert_eq!(says(&kind("N", "1", "", "0 1"), "2"), Some(Check::NotInList));
    }

    #[test]
    fn decimals() {
        let sum = kind("N", "15.2", "fixed", "");
        assert_eq!(
            ["0.00", "12.5", "12", "12.345", "1,50", ".50", "1234567890123456.00"].map(|v| says(&sum, v)),
            [None, Some(Check::Decimals), Some(Check::Decimals), Some(Check::Decimals), Some(Check::NotNumber), Some(Check::NotNumber), Some(Check::TooLong)]
        );
        let loose = kind("N", "5.2", "", "");
        assert_eq!(
            ["12", "12.5", "12.55", "12.", "12.555", "1.2.3"].map(|v| says(&loose, v)),
            [None, None, None, Some(Check::Decimals), Some(Check::Decimals), Some(Check::NotNumber)]
        );
    }

    #[test]
    fn dates_exist() {
        let d = kind("D", "", "", "");
        assert_eq!(
            ["2020-02-29", "2019-02-29", "01.02.2019", "2019-13-01", "0000-01-01", "2019-1-1"].map(|v| says(&d, v)),
            [None, Some(Check::NoSuchDate), Some(Check::NotDate), Some(Check::NoSuchDate), Some(Check::NoSuchDate), Some(Check::NotDate)]
        );
    }

    #[test]
    fn texts_in_both_encodings() {
        let set = Arc::new(Charset::new("names", "А-Я а-я Ё ё - space", Text { ru: "имена".into(), en: "names".into() }).expect("a set"));
        let name = ValueType::compile("T", "5", "", Some(set), "").expect("a type");
        let bytes = crate::registry::encoding::to_windows_1251("Ёж-ик").expect("mapped").into_owned();
        assert!(name.fits(&bytes, Encoding::Windows1251));
        assert!(name.fits("Ёж-ик".as_bytes(), Encoding::Utf8));
        assert_eq!(name.diagnose("Ёжикии".as_bytes(), Encoding::Utf8).map(|f| f.check), Some(Check::TooLong));
        assert_eq!(name.diagnose(b"Jo", Encoding::Windows1251).map(|f| f.check), Some(Check::Characters));
        let free = kind("T", "10", "", "");
        assert!(!free.fits(b"a\x98", Encoding::Windows1251));
        assert!(!free.fits(b"a\x01", Encoding::Utf8));
    }

    #[test]
    fn sets_as_regular_expressions() {
        let class = |items: &str| Charset::new("x", items, Text { ru: "x".into(), en: "x".into() }).expect("a set").to_regex_class();
        assert_eq!(class("0-9"), "0-9");
        assert_eq!(class("А-Я ё space - – / \\ | . [ ] ^"), r"А-Яё –/\\|.\[\]\^\-");
    }
}
