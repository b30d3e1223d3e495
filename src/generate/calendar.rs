//! Days as numbers, counted from 1970-01-01, in the Gregorian calendar.

use crate::values::Month;

/// A day, counted from 1970-01-01.
pub(super) type Day = i32;

/// The day of a date; a month outside 1 to 12 carries into the year.
pub(super) fn day(year: i64, month: i64, day: i64) -> Day {
    let months = year * 12 + month - 1;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    // Howard Hinnant's days_from_civil.
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y - era * 400;
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    days as Day
}

/// Year, month and day of the month.
pub(super) fn date(day: Day) -> (i64, i64, i64) {
    let z = i64::from(day) + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z - era * 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * of_year + 2) / 153;
    let month = if m < 10 { m + 3 } else { m - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, of_year - (153 * m + 2) / 5 + 1)
}

/// First and last day of a month.
pub(super) fn month_days(month: Month) -> (Day, Day) {
    let first = day(i64::from(month.year), i64::from(month.month), 1);
    (first, first + Day::from(month.days()) - 1)
}

/// Full years from birth to a day, as the rule book counts age.
pub(super) fn age(birth: Day, on: Day) -> i64 {
    let ((by, bm, bd), (y, m, d)) = (date(birth), date(on));
    y - by - i64::from((m, d) < (bm, bd))
}

/// Appends `YYYY-MM-DD`.
#[inline]
pub(super) fn append_iso(at: Day, out: &mut Vec<u8>) {
    let (y, m, d) = date(at);
    let two = |n: i64| [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
    let ([a, b], [c, e], [f, g], [h, i]) = (two(y / 100), two(y % 100), two(m), two(d));
    out.extend_from_slice(&[a, b, c, e, b'-', f, g, b'-', h, i]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        assert_eq!(day(1970, 1, 1), 0);
        assert_eq!(day(2000, 2, 29), 11_016);
        assert_eq!(day(2019, 13, 1), day(2020, 1, 1));
        for at in (-30_000..40_000).step_by(13) {
            let (y, m, d) = date(at);
            assert_eq!(day(y, m, d), at);
        }
    }

    #[test]
    fn age_counts_full_years() {
        let on = day(2019, 3, 14);
        assert_eq!(age(day(2001, 3, 15), on), 17);
        assert_eq!(age(day(2001, 3, 14), on), 18);
        assert_eq!(age(day(2019, 3, 14), on), 0);
    }

    #[test]
    fn written_as_iso() {
        let mut out = Vec::new();
        append_iso(day(1905, 7, 4), &mut out);
        assert_eq!(out, b"1905-07-04");
    }
}
