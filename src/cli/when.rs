//! The time zone of the clinic, in which its calendar days are counted.

use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;

/// The offsets from UTC that exist, seconds: from 12 hours behind to 14 hours ahead.
const OFFSETS: std::ops::RangeInclusive<i32> = -12 * 3600..=14 * 3600;

/// The zone of an IANA name or of a fixed offset from UTC such as `+09:00`; `None` for anything else.
///
/// POSIX rules (`MSK-3`) are refused: their sign is reversed, so that `UTC+9` would mean nine hours behind UTC.
pub(super) fn zone(text: &str) -> Option<TimeZone> {
    if text.starts_with(['+', '-']) {
        let offset = DateTimeParser::new().parse_time_zone(text).ok()?.to_fixed_offset().ok()?;
        return OFFSETS.contains(&offset.seconds()).then(|| TimeZone::fixed(offset));
    }
    TimeZone::get(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Moment;

    #[test]
    fn the_day_turns_at_midnight_of_the_clinic() {
        let day_in = |moment: &str, name: &str| moment.parse::<Moment>().expect("a moment").day_in(&zone(name).expect("a zone")).to_string();
        for (moment, name, due) in [
            // 23:30 and 00:30 by the clock of the clinic.
            ("2026-03-09T14:30:00Z", "+09:00", "2026-03-09"),
            ("2026-03-09T15:30:00Z", "+09:00", "2026-03-10"),
            ("2026-03-09T14:30:00Z", "Asia/Yakutsk", "2026-03-09"),
            ("2026-03-09T15:30:00Z", "Asia/Yakutsk", "2026-03-10"),
            ("2026-03-10T00:30:00Z", "-01:00", "2026-03-09"),
            ("2026-03-10T01:30:00Z", "-01:00", "2026-03-10"),
            // 23:30 and 00:30 in universal time.
            ("2026-12-31T23:30:00Z", "+09:00", "2027-01-01"),
            ("2026-12-31T23:30:00Z", "-01:00", "2026-12-31"),
            ("2027-01-01T00:30:00Z", "+09:00", "2027-01-01"),
            ("2027-01-01T00:30:00Z", "-01:00", "2026-12-31"),
            ("2027-01-01T00:30:00Z", "UTC", "2027-01-01"),
        ] {
            assert_eq!(day_in(moment, name), due, "{moment} {name}");
        }
    }

    #[test]
    fn zones_are_named_or_counted_from_utc() {
        for good in ["Asia/Yakutsk", "europe/moscow", "UTC", "+09:00", "-01:00", "+03", "+14:00", "-12:00"] {
            assert!(zone(good).is_some(), "{good}");
        }
        for bad in ["", "Moscow", "UTC+9", "MSK-3", "9", "+9", "+25:00", "+14:01", "-13:00", "09:00"] {
            assert!(zone(bad).is_none(), "{bad}");
        }
    }
}
