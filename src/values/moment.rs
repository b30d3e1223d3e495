//! Moments in UTC.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Date;

/// A moment in UTC with millisecond precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(Timestamp);

impl Moment {
    /// The calendar day at this moment in a time zone.
    pub fn day_in(self, zone: &TimeZone) -> Date {
        let local = zone.to_datetime(self.0);
        let number = |part: i8| u8::try_from(part).unwrap_or(0);
        // A clock never shows a year before 1 or after 9999, so the fallback is not reached in practice.
        u16::try_from(local.year()).ok().and_then(|year| Date::new(year, number(local.month()), number(local.day()))).unwrap_or(Date::MIN)
    }

    /// The offset of a time zone from UTC at this moment, as `+09:00`.
    pub fn offset_in(self, zone: &TimeZone) -> String {
        zone.to_offset(self.0).to_string()
    }
}

impl From<Timestamp> for Moment {
    /// Truncates the timestamp to whole milliseconds.
    fn from(timestamp: Timestamp) -> Self {
        Self(Timestamp::from_millisecond(timestamp.as_millisecond()).unwrap_or(timestamp))
    }
}

/// The form that the store and the journal keep: `2026-11-25T09:12:30.123Z`. Texts of the same length sort in the order of their moments.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

/// A text that is not a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAMoment;

impl FromStr for Moment {
    type Err = NotAMoment;

    /// Reads RFC 3339 with any number of decimals and any offset.
    fn from_str(text: &str) -> Result<Self, NotAMoment> {
        text.parse::<Timestamp>().map(Self::from).map_err(|_| NotAMoment)
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::Offset;

    use super::*;

    fn moment(text: &str) -> Moment {
        text.parse().expect("a moment")
    }

    #[test]
    fn the_stored_form_has_milliseconds_and_is_read_back() {
        for (text, stored) in [
            ("2026-11-25T09:12:30.123Z", "2026-11-25T09:12:30.123Z"),
            ("2026-11-25T09:12:30Z", "2026-11-25T09:12:30.000Z"),
            ("2026-11-25T09:12:30.12Z", "2026-11-25T09:12:30.120Z"),
            ("2026-11-25T09:12:30.123999Z", "2026-11-25T09:12:30.123Z"),
            ("2026-11-25T18:12:30.123+09:00", "2026-11-25T09:12:30.123Z"),
        ] {
            assert_eq!(moment(text).to_string(), stored, "{text}");
            assert_eq!(moment(stored), moment(text), "{text}");
        }
        for text in ["", "2026-11-25", "2026-11-25T09:12:30", "2026-02-30T00:00:00Z", "9:12"] {
            assert_eq!(text.parse::<Moment>(), Err(NotAMoment), "{text}");
        }
    }

    #[test]
    fn later_moments_are_larger() {
        let (early, late) = (moment("2026-11-25T09:12:30.999Z"), moment("2026-11-25T19:12:31+09:00"));
        assert!(early < late && early.to_string() < late.to_string());
    }

    #[test]
    fn the_day_turns_at_midnight_of_the_zone() {
        let east = TimeZone::fixed(Offset::from_hours(9).expect("an offset"));
        let west = TimeZone::fixed(Offset::from_hours(-1).expect("an offset"));
        for (text, of_east, of_west) in [
            // 23:30 and 00:30 by the clock of the eastern zone, of the western zone, and in UTC.
            ("2026-03-09T14:30:00Z", "2026-03-09", "2026-03-09"),
            ("2026-03-09T15:30:00Z", "2026-03-10", "2026-03-09"),
            ("2026-03-10T00:30:00Z", "2026-03-10", "2026-03-09"),
            ("2026-03-10T01:30:00Z", "2026-03-10", "2026-03-10"),
            ("2026-12-31T23:30:00Z", "2027-01-01", "2026-12-31"),
        ] {
            let days = [&east, &west].map(|zone| moment(text).day_in(zone).to_string());
            assert_eq!(days, [of_east, of_west], "{text}");
        }
    }
}
