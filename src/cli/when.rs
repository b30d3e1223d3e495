//! When the program runs: the one moment of a run, the time zone of the clinic, and the calendar day that it is there.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::values::Date;

/// The calendar day of this moment at the system's zone.
pub(super) fn today() -> Date {
    day(Timestamp::now(), &TimeZone::system())
}

/// The calendar day of a moment in a zone.
pub(super) fn day(moment: Timestamp, zone: &TimeZone) -> Date {
    let local = zone.to_datetime(moment);
    let part = |number: i8| u8::try_from(number).unwrap_or_default();
    // Years before 1 or after 9999 have no day here: no clock shows them.
    Date::new(u16::try_from(local.year()).unwrap_or_default(), part(local.month()), part(local.day())).unwrap_or(Date::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_turns_at_midnight_of_the_clinic() {
        let zone = |name: &str| jiff::fmt::temporal::DateTimeParser::new().parse_time_zone(name).expect("a zone");
        let day_in = |moment: &str, name: &str| day(moment.parse().expect("a moment"), &zone(name)).to_string();
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
}
