//! Calendar days and spans of days.

use std::fmt;

use super::month::days_in_month;

/// A calendar day, stored as the number `yyyymmdd`, so that comparing days is comparing integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(u32);

impl Date {
    /// Earlier than any real day: the first day of a row that states none.
    pub const MIN: Self = Self(0);
    /// The last possible day: the last day of a row that states none.
    pub const MAX: Self = Self(99_991_231);

    /// The day with these parts; `None` when the calendar has no such day.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let exists = (1..=9999).contains(&year) && (1..=days_in_month(year, month)).contains(&day);
        exists.then(|| Self(u32::from(year) * 10_000 + u32::from(month) * 100 + u32::from(day)))
    }

    /// Reads `2021-02-28` and no other spelling; `None` when the calendar has no such day.
    #[inline]
    pub fn of_iso(text: &[u8]) -> Option<Self> {
        let (year, month, day) = iso_parts(text)?;
        Some(Self(u32::from(year) * 10_000 + u32::from(month) * 100 + u32::from(day)))
    }

    /// Reads `2021-02-28`, `28.02.2021` or `20210228`; `None` for anything else. A time after the day, as in database exports, is ignored.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let day = text.split(['T', ' ']).next().unwrap_or(text);
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<u16>().ok()).flatten();
        let bytes = day.as_bytes();
        let (year, month, day) = match bytes.len() {
            10 if bytes[4] == b'-' && bytes[7] == b'-' => (day.get(..4)?, day.get(5..7)?, day.get(8..)?),
            10 if bytes[2] == b'.' && bytes[5] == b'.' => (day.get(6..)?, day.get(3..5)?, day.get(..2)?),
            8 => (day.get(..4)?, day.get(4..6)?, day.get(6..)?),
            _ => return None,
        };
        Self::new(digits(year)?, u8::try_from(digits(month)?).ok()?, u8::try_from(digits(day)?).ok()?)
    }

    /// The number `yyyymmdd`.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The day with this number `yyyymmdd`: [`Date::MIN`] for 0, `None` when the calendar has no such day.
    pub fn from_number(number: u32) -> Option<Self> {
        if number == 0 {
            return Some(Self::MIN);
        }
        Self::new(u16::try_from(number / 10_000).ok()?, (number / 100 % 100) as u8, (number % 100) as u8)
    }

    /// Year, month, day.
    pub fn parts(self) -> (u16, u8, u8) {
        ((self.0 / 10_000) as u16, (self.0 / 100 % 100) as u8, (self.0 % 100) as u8)
    }

    /// The day before this one.
    pub fn day_before(self) -> Self {
        Self::from_days(self.to_days() - 1)
    }

    /// The day after this one.
    pub fn day_after(self) -> Self {
        Self::from_days(self.to_days() + 1)
    }

    /// Calendar days from another day to this one; negative when the other is later.
    pub fn days_since(self, other: Self) -> i64 {
        self.to_days() - other.to_days()
    }

    /// Days since 1970-01-01 (H. Hinnant's `days_from_civil`).
    fn to_days(self) -> i64 {
        let (year, month, day) = self.parts();
        let (month, day) = (i64::from(month), i64::from(day));
        let year = i64::from(year) - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let of_era = year - era * 400;
        let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    fn from_days(days: i64) -> Self {
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted - era * 146_097;
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year + era * 400 + i64::from(month <= 2);
        let number = year * 10_000 + month * 100 + day;
        u32::try_from(number).map_or(Self::MIN, Self)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.parts();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// A span of days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First day; [`Date::MIN`] when the span has no beginning.
    pub from: Date,
    /// Last day; [`Date::MAX`] when the span has no end.
    pub until: Date,
}

impl Span {
    /// Every day.
    pub const ALWAYS: Self = Self { from: Date::MIN, until: Date::MAX };

    /// Whether a day lies in the span.
    #[inline]
    pub fn holds(self, on: Date) -> bool {
        self.from <= on && on <= self.until
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from > Date::MIN {
            write!(f, "{}", self.from)?;
        }
        f.write_str("..")?;
        if self.until < Date::MAX { write!(f, "{}", self.until) } else { Ok(()) }
    }
}

/// Whether a value has the form `YYYY-MM-DD`; the calendar is not checked.
pub fn is_date_shape(value: &[u8]) -> bool {
    value.len() == 10 && value.iter().enumerate().all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() })
}

/// Year, month and day of a date `YYYY-MM-DD`; `None` when the form is wrong or the calendar has no such day (years 1 to 9999).
#[inline]
pub fn iso_parts(value: &[u8]) -> Option<(u16, u8, u8)> {
    // Eight bytes at once, because dates are read more often than any other value. The XOR turns digits into 0 to 9 and correct hyphens into 0.
    let value: &[u8; 10] = value.try_into().ok()?;
    let [head @ .., tens, units] = *value;
    let head = u64::from_le_bytes(head) ^ u64::from_le_bytes(*b"0000-00-");
    let (tens, units) = (tens.wrapping_sub(b'0'), units.wrapping_sub(b'0'));
    // The sum sets the highest bit of a byte for anything above 9 in a digit's place and anything but 0 in a hyphen's place.
    let odd = (head.wrapping_add(0x7F76_767F_7676_7676) | head) & 0x8080_8080_8080_8080;
    if odd != 0 || tens > 9 || units > 9 {
        return None;
    }
    // Each byte times ten plus the next byte: the value of a two-digit pair stands in the byte of its first digit.
    let pairs = head * 10 + (head >> 8);
    let pair = |at: u32| (pairs >> (8 * at)) as u8;
    let (year, month, day) = (u16::from(pair(0)) * 100 + u16::from(pair(2)), pair(5), tens * 10 + units);
    (year >= 1 && day >= 1 && day <= days_in_month(year, month)).then_some((year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_three_spellings() {
        let day = Date::new(2021, 2, 28);
        for text in ["2021-02-28", "28.02.2021", "20210228", " 28.02.2021 0:00:00", "2021-02-28T00:00:00"] {
            assert_eq!(Date::parse(text), day, "{text}");
        }
        for text in ["", "0", "2021-02-29", "29.02.2021", "2021/02/28", "28.02.21", "2021-2-28", "ааааа", "20210228Я", "+0210228"] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }

    #[test]
    fn days_are_counted_over_leap_years() {
        let date = |text| Date::parse(text).expect("a day");
        assert_eq!(date("2020-03-01").days_since(date("2020-02-28")), 2);
        assert_eq!(date("2026-01-01").days_since(date("2018-01-01")), 8 * 365 + 2);
        for days in [-1, 0, 59, 11_016, 20_000, 40_000] {
            assert_eq!(Date::from_days(days).to_days(), days);
        }
    }

    #[test]
    fn both_ends_belong_to_a_span() {
        let date = |text| Date::parse(text).expect("a day");
        let span = Span { from: date("2018-01-01"), until: date("2018-12-31") };
        assert_eq!(["2017-12-31", "2018-01-01", "2018-12-31", "2019-01-01"].map(|d| span.holds(date(d))), [false, true, true, false]);
        assert_eq!((span.to_string(), Span::ALWAYS.to_string()), ("2018-01-01..2018-12-31".to_owned(), "..".to_owned()));
        assert!(Span::ALWAYS.holds(date("2099-12-31")));
    }
}
