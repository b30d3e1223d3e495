//! Types of cells: what a value must look like, and what is wrong with one that does not.

use crate::values::{Date, kopecks};

/// What the values of a column look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Digits, at least and at most so many.
    Digits(usize, usize),
    /// Any characters, at least and at most so many.
    Text(usize, usize),
    /// One of these words.
    List(Vec<String>),
    /// `2021-02-28` or `28.02.2021`.
    Date,
    /// A number that is not negative, with at most two decimals behind a point.
    Decimal,
    /// Anything.
    Any,
}

/// What is wrong with a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Nothing is in it, and something must be.
    Empty,
    /// So many characters are due, at least and at most; so many are there.
    Length(usize, usize, usize),
    /// The character with this number, from 1, is no digit.
    NotADigit(usize),
    /// One of these words is due.
    NotListed(Vec<String>),
    /// It is no day of the calendar in one of the two forms.
    NotADate,
    /// It is no such number.
    NotADecimal,
    /// The last day lies before the first.
    Backwards,
    /// The number of a unified policy is not the ЕНП.
    NotTheEnp,
}

impl Kind {
    /// Reads the columns `type` and `size` of the table; else what is due.
    pub(super) fn parse(word: &str, size: &str) -> Result<Self, String> {
        let length = || {
            let (least, most) = size.split_once('-').unwrap_or((size, size));
            let number = |text: &str| text.parse::<usize>().ok().filter(|n| (1..=200).contains(n));
            number(least).zip(number(most)).filter(|(least, most)| least <= most).ok_or_else(|| format!("size «{size}»: a length such as 16 or 1-20 is due"))
        };
        Ok(match word {
            "digits" => length().map(|(least, most)| Self::Digits(least, most))?,
            "text" => length().map(|(least, most)| Self::Text(least, most))?,
            "list" if !size.trim().is_empty() => Self::List(size.split_whitespace().map(str::to_owned).collect()),
            "list" => return Err("size: values are due".to_owned()),
            "date" => Self::Date,
            "decimal" => Self::Decimal,
            "" => Self::Any,
            other => return Err(format!("type «{other}»: digits, text, list, date or decimal is due")),
        })
    }

    /// Checks a value that is not empty.
    pub(super) fn check(&self, value: &str) -> Result<(), Wrong> {
        match self {
            Self::Digits(least, most) | Self::Text(least, most) => {
                let count = if value.is_ascii() { value.len() } else { value.chars().count() };
                if !(*least..=*most).contains(&count) {
                    return Err(Wrong::Length(*least, *most, count));
                }
                match value.chars().position(|c| !c.is_ascii_digit()) {
                    Some(at) if matches!(self, Self::Digits(..)) => Err(Wrong::NotADigit(at + 1)),
                    _ => Ok(()),
                }
            }
            Self::List(words) if words.iter().any(|word| word == value) => Ok(()),
            Self::List(words) => Err(Wrong::NotListed(words.clone())),
            Self::Date => date(value).map(drop).ok_or(Wrong::NotADate),
            Self::Decimal => kopecks(value.as_bytes()).map(drop).ok_or(Wrong::NotADecimal),
            Self::Any => Ok(()),
        }
    }
}

/// A day in one of the two forms that registers have.
pub(super) fn date(value: &str) -> Option<Date> {
    match value.as_bytes() {
        [_, _, b'.', _, _, b'.', _, _, _, _] => Date::parse(value),
        bytes => Date::of_iso(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(word: &str, size: &str, value: &str) -> Option<Wrong> {
        Kind::parse(word, size).expect("a type").check(value).err()
    }

    #[test]
    fn each_type_takes_its_values_alone() {
        for (word, size, value) in [
            ("digits", "16", "9900000000000001"),
            ("digits", "1-3", "97"),
            ("text", "1-3", "ДВ4"),
            ("list", "1 2 3", "3"),
            ("date", "", "2024-02-29"),
            ("date", "", "29.02.2024"),
            ("decimal", "", "1204330.5"),
            ("decimal", "", "0"),
            ("", "", "anything"),
        ] {
            assert_eq!(wrong(word, size, value), None, "{value}");
        }
        for (word, size, value, what) in [
            ("digits", "16", "990000000000001", Wrong::Length(16, 16, 15)),
            ("digits", "16", "990000000000000О", Wrong::NotADigit(16)),
            ("text", "1-3", "ДВ44", Wrong::Length(1, 3, 4)),
            ("list", "1 2 3", "4", Wrong::NotListed(["1", "2", "3"].map(str::to_owned).to_vec())),
            ("date", "", "2023-02-29", Wrong::NotADate),
            ("date", "", "20240229", Wrong::NotADate),
            ("date", "", "2024-02-29 00:00", Wrong::NotADate),
            ("date", "", "29.02.24", Wrong::NotADate),
            ("decimal", "", "1204330,50", Wrong::NotADecimal),
            ("decimal", "", "-1", Wrong::NotADecimal),
            ("decimal", "", "1.005", Wrong::NotADecimal),
            ("decimal", "", "1e3", Wrong::NotADecimal),
        ] {
            assert_eq!(wrong(word, size, value), Some(what), "{value}");
        }
    }
}
