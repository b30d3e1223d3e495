//! The reporting month.

use std::fmt;
use std::str::FromStr;

/// A reporting month, `2019-03`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// Year, 1900 to 2999.
    pub year: u16,
    /// Month of the year, 1 to 12.
    pub month: u8,
}

impl Month {
    /// The month; `None` when the year is not 1900 to 2999 or the month not 1 to 12.
    pub fn new(year: u16, month: u8) -> Option<Self> {
        ((1..=12).contains(&month) && (1900..=2999).contains(&year)).then_some(Self { year, month })
    }

    /// Number of days in the month, 28 to 31.
    pub fn days(self) -> u8 {
        days_in_month(self.year, self.month)
    }

    /// The next month.
    pub fn next(self) -> Self {
        if self.month == 12 { Self { year: self.year + 1, month: 1 } } else { Self { month: self.month + 1, ..self } }
    }

    /// The month before.
    pub fn previous(self) -> Self {
        if self.month == 1 { Self { year: self.year - 1, month: 12 } } else { Self { month: self.month - 1, ..self } }
    }
}

/// Number of days of a month in the Gregorian calendar; 0 when there is no such month.
#[inline]
pub fn days_in_month(year: u16, month: u8) -> u8 {
    const DAYS: [u8; 13] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = || year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    if month == 2 && leap() { 29 } else { DAYS.get(usize::from(month)).copied().unwrap_or(0) }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('-').filter(|(y, m)| y.len() == 4 && m.len() == 2).and_then(|(y, m)| Self::new(y.parse().ok()?, m.parse().ok()?));
        parsed.ok_or_else(|| format!("«{text}» is not a month: YYYY-MM is due"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_steps() {
        let month: Month = "2019-12".parse().expect("a month");
        assert_eq!(month.next().to_string(), "2020-01");
        assert_eq!(month.next().previous(), month);
        assert!("2019-13".parse::<Month>().is_err());
        assert!("2019-3".parse::<Month>().is_err());
    }

    #[test]
    fn february_of_leap_years() {
        assert_eq!([1900, 2000, 2019, 2020].map(|y| days_in_month(y, 2)), [28, 29, 28, 29]);
    }
}
