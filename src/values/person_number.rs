//! Numbers that may be those of a person: a СНИЛС has 11 digits, a policy 16. Texts for people and programs show only their last digits.

/// The number of digits from which a number may be that of a person.
const LONG: usize = 11;
/// How many of its digits stay.
const SHOWN: usize = 4;

/// The digits of a value that is such a number as a whole: there are many of them, and no letters.
pub fn person_digits(value: &str) -> Option<String> {
    let is_number = value.chars().all(|c| c.is_ascii_digit() || !c.is_alphanumeric());
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    (is_number && digits.len() >= LONG).then_some(digits)
}

/// What is shown of the digits of such a number.
pub fn last_digits(digits: &str) -> String {
    format!("…{}", &digits[digits.len().saturating_sub(SHOWN)..])
}

/// A card number, a doctor's code or the like, in which only the last digits of a person's number are shown, however it is written.
pub fn without_person_number(value: &str) -> String {
    person_digits(value).map_or_else(|| without_person_numbers(value), |digits| last_digits(&digits))
}

/// A text in which only the last digits of each such number are shown. Its digits may be parted by spaces and hyphens.
pub fn without_person_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        out += &rest[..at];
        let number = &rest[at..];
        let end = number.find(|c: char| !(c.is_ascii_digit() || c == '-' || c == ' ')).unwrap_or(number.len());
        let number = number[..end].trim_end_matches(['-', ' ']);
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        out += &if digits.len() < LONG { number.to_owned() } else { last_digits(&digits) };
        rest = &rest[at + number.len()..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_persons_are_not_shown_whole() {
        for (text, shown) in [
            ("", ""),
            ("тариф 12345,67; п. 5.3.2.", "тариф 12345,67; п. 5.3.2."),
            ("нет ЕНП 9999000000000012 в базе", "нет ЕНП …0012 в базе"),
            ("СНИЛС 123-456-789 00", "СНИЛС …8900"),
            ("SL/DS1: 2026-04-02 10:00", "SL/DS1: 2026-04-02 10:00"),
            ("12345678901-", "…8901-"),
        ] {
            assert_eq!(without_person_numbers(text), shown, "{text}");
        }
    }

    #[test]
    fn a_value_is_a_number_however_it_is_written() {
        for (value, shown) in
            [("57", "57"), ("2021-03/15", "2021-03/15"), ("123.456.789/00", "…8900"), ("Д12345678900", "Д…8900"), ("1234567890", "1234567890")]
        {
            assert_eq!(without_person_number(value), shown, "{value}");
        }
    }
}
