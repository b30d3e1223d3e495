//! Numbers and days as rules compare them: exact, never floating-point.

use std::cmp::Ordering;

use crate::values::{Date, days_in_month};

/// A decimal with six digits after the point: coefficients have five, money two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal(i128);

const SCALE: i128 = 1_000_000;
const DIGITS_AFTER: usize = 6;
const TENS: [u32; DIGITS_AFTER + 1] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000];

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// A whole number.
    pub fn whole(n: i64) -> Self {
        Self(i128::from(n) * SCALE)
    }

    /// Reads digits with at most one point and at most six digits after it; `None` for any other text.
    #[inline]
    pub fn parse(text: &[u8]) -> Option<Self> {
        // A number of 19 digits fits into 64 bits.
        if text.is_empty() || text.len() > 19 {
            return Self::parse_long(text);
        }
        let (mut number, mut point) = (0u64, None);
        for (at, b) in text.iter().enumerate() {
            let digit = b.wrapping_sub(b'0');
            if digit < 10 {
                number = number * 10 + u64::from(digit);
            } else if *b == b'.' && point.is_none() {
                point = Some(at);
            } else {
                return None;
            }
        }
        let after = point.map_or(0, |at| text.len() - at - 1);
        TENS.get(DIGITS_AFTER.checked_sub(after)?).map(|tens| Self(i128::from(number) * i128::from(*tens)))
    }

    #[cold]
    fn parse_long(text: &[u8]) -> Option<Self> {
        if text.is_empty() || text.len() > 30 {
            return None;
        }
        let (mut number, mut after) = (0i128, None);
        for &b in text {
            match b {
                b'0'..=b'9' => {
                    if let Some(n) = &mut after {
                        *n += 1;
                        if *n > DIGITS_AFTER {
                            return None;
                        }
                    }
                    number = number * 10 + i128::from(b - b'0');
                }
                b'.' if after.is_none() => after = Some(0),
                _ => return None,
            }
        }
        let after = after.unwrap_or(0);
        (number <= i128::MAX / SCALE).then(|| Self(number * 10i128.pow((DIGITS_AFTER - after) as u32)))
    }

    /// Sum; the largest number on overflow.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Difference; may be negative.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The number of binary digits of the number in hundredths; `None` unless it is above zero.
    pub(super) fn doublings(self) -> Option<u8> {
        let hundredths = u128::try_from(self.0 / (SCALE / 100)).ok().filter(|n| *n > 0)?;
        Some((u128::BITS - hundredths.leading_zeros()) as u8)
    }

    /// The remainder of a division by a whole number, for years of two digits.
    #[must_use]
    pub fn modulo(self, n: i64) -> Self {
        Self(self.0 % (i128::from(n) * SCALE))
    }
}

impl std::fmt::Display for Decimal {
    /// Writes the number without trailing zeros after the point.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (sign, number) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let scale = SCALE.unsigned_abs();
        let after = format!("{:0width$}", number % scale, width = DIGITS_AFTER);
        let after = after.trim_end_matches('0');
        let point = if after.is_empty() { "" } else { "." };
        write!(f, "{sign}{}{point}{after}", number / scale)
    }
}

/// Reads an ISO date; `None` if the calendar has no such day.
#[inline]
pub(super) fn iso_date(text: &[u8]) -> Option<Date> {
    Date::of_iso(text)
}

/// The same day some years later; February 29 becomes February 28 in a common year.
pub(super) fn add_years(day: Date, years: u16) -> Date {
    let (year, month, number) = day.parts();
    let year = year.saturating_add(years).min(9999);
    Date::new(year, month, number.min(days_in_month(year, month))).unwrap_or(day)
}

/// Full years between two days; negative if the second is earlier: −1 on the day before.
pub(super) fn full_years(from: Date, to: Date) -> i64 {
    let ((from_year, from_month, from_day), (year, month, day)) = (from.parts(), to.parts());
    let whole = i64::from(year) - i64::from(from_year);
    if (month, day) < (from_month, from_day) { whole - 1 } else { whole }
}

/// Compares codes of letters and a number, `gemop2` before `gemop10`; `None` if the letters differ or a code is not of this form.
pub(super) fn natural(a: &[u8], b: &[u8]) -> Option<Ordering> {
    let split = |text: &[u8]| text.iter().position(u8::is_ascii_digit).filter(|n| *n > 0).map(|n| (text[..n].to_ascii_lowercase(), Decimal::parse(&text[n..])));
    match (split(a)?, split(b)?) {
        ((letters_a, Some(a)), (letters_b, Some(b))) if letters_a == letters_b => Some(a.cmp(&b)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        let d = |t: &str| Decimal::parse(t.as_bytes());
        assert_eq!(d("1.50"), d("01.5"));
        assert!(d("0.30000") == d("0.10000").and_then(|a| Some(a.plus(d("0.2")?))));
        assert!(d("999999999999999.99") > d("999999999999999.98"));
        assert_eq!([d(""), d("."), d("1,5"), d("-1"), d("1.2.3"), d("1.1234567")].map(|n| n.is_some()), [false, true, false, false, false, false]);
    }

    #[test]
    fn days_and_ages() {
        let day = |t: &str| iso_date(t.as_bytes()).expect(t);
        assert_eq!(add_years(day("2004-02-29"), 14), day("2018-02-28"));
        assert_eq!(full_years(day("2001-03-10"), day("2019-03-09")), 17);
        assert_eq!(full_years(day("2001-03-10"), day("2019-03-10")), 18);
        assert_eq!(full_years(day("2019-03-10"), day("2019-03-09")), -1);
        assert_eq!(iso_date(b"2019-02-29"), None);
    }

    #[test]
    fn codes_in_natural_order() {
        assert_eq!(natural(b"gemop2", b"gemop10"), Some(Ordering::Less));
        assert_eq!(natural(b"sh001", b"mt001"), None);
        assert_eq!(natural(b"gem", b"gemop1"), None);
    }
}
