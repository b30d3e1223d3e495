//! Where a completed case stands in its package.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// The byte ranges of a case in the unpacked files of its package. Offsets count from the start of the file, including a byte order mark.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CasePlace {
    /// The whole `<ZAP>…</ZAP>` in the main file.
    pub record: Range<u64>,
    /// The `<Z_SL>…</Z_SL>` (format 2.1: `<SLUCH>…</SLUCH>`) inside the record.
    pub case: Range<u64>,
    /// The whole `<PERS>…</PERS>` of the patient in the person file; `None` when the case has no person there.
    pub person: Option<Range<u64>>,
}

/// The stored form: offset and length of the record, of the case and of the person, separated by single spaces; the person's are `0 0` when there
/// is none.
impl fmt::Display for CasePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let person = self.person.as_ref().map_or((0, 0), |p| (p.start, p.end - p.start));
        let (record, case) = (&self.record, &self.case);
        write!(f, "{} {} {} {} {} {}", record.start, record.end - record.start, case.start, case.end - case.start, person.0, person.1)
    }
}

/// A text that is not the stored form of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAPlace;

impl FromStr for CasePlace {
    type Err = NotAPlace;

    /// Reads what [`fmt::Display`] writes.
    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let mut numbers = text.split(' ').map(|number| number.parse::<u64>().map_err(|_| NotAPlace));
        let mut number = || numbers.next().unwrap_or(Err(NotAPlace));
        let mut range = || {
            let (start, length) = (number()?, number()?);
            Ok(start..start.checked_add(length).ok_or(NotAPlace)?)
        };
        let (record, case, person) = (range()?, range()?, range()?);
        match numbers.next() {
            None => Ok(Self { record, case, person: (!person.is_empty()).then_some(person) }),
            Some(_) => Err(NotAPlace),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_is_read_back() {
        let alone = CasePlace { record: 900..2_900, case: 1_300..2_850, person: None };
        let whole = CasePlace { person: Some(48..401), ..alone.clone() };
        let largest = CasePlace { record: 0..u64::MAX, case: 1..u64::MAX - 1, person: Some(u64::MAX - 1..u64::MAX) };
        // Stores made by earlier versions hold these texts, so they must not change.
        assert_eq!(alone.to_string(), "900 2000 1300 1550 0 0");
        assert_eq!(whole.to_string(), "900 2000 1300 1550 48 353");
        for place in [alone, whole, largest] {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in ["", "1 2 3 4 5", "1 2 3 4 5 6 7", "1 2 3 4 5 -6", "1 2 3 4 5 ", "1  2 3 4 5 6", "a b c d e f", "18446744073709551615 1 0 0 0 0"] {
            assert_eq!(text.parse::<CasePlace>(), Err(NotAPlace), "{text}");
        }
    }
}
