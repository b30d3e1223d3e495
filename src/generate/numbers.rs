//! Numbers of people that carry check digits: СНИЛС and ЕНП. All are invented, and visibly so.

use crate::values::{enp_check, snils_check};

/// Appends a СНИЛС of the last six digits of a number as `000-123-456 78` with its check number. It begins with 000, because real numbers begin at 001-001-998.
pub(super) fn append_snils(number: u64, out: &mut Vec<u8>) {
    let (digits, check) = snils(number);
    for (i, digit) in digits.iter().enumerate() {
        if i > 0 && i % 3 == 0 {
            out.push(b'-');
        }
        out.push(b'0' + *digit);
    }
    out.push(b' ');
    append_two(check, out);
}

/// Appends a СНИЛС as its eleven digits alone, as doctors are named in registries.
pub(super) fn append_snils_digits(number: u64, out: &mut Vec<u8>) {
    let (digits, check) = snils(number);
    out.extend(digits.iter().map(|digit| b'0' + *digit));
    append_two(check, out);
}

/// The nine digits of a СНИЛС and its check number.
fn snils(number: u64) -> ([u8; 9], u8) {
    let mut digits = [0; 9];
    let mut left = number % 1_000_000;
    for digit in digits.iter_mut().rev() {
        *digit = (left % 10) as u8;
        left /= 10;
    }
    (digits, snils_check(&digits))
}

/// Appends an ЕНП of a number: 9999, which is the code of no region with a month, the last eleven digits of the number, and the check digit.
///
/// A real ЕНП also states birth date and sex in a code. The order that describes the code is not among our facts, so ours does not.
pub(super) fn append_enp(number: u64, out: &mut Vec<u8>) {
    let mut digits = [9u8; 15];
    let mut left = number;
    for digit in digits[4..].iter_mut().rev() {
        *digit = (left % 10) as u8;
        left /= 10;
    }
    out.extend(digits.iter().map(|digit| b'0' + digit));
    out.push(b'0' + enp_check(&digits));
}

fn append_two(number: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'0' + number / 10, b'0' + number % 10]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn snils_of_the_textbook() {
        // 087-654-303 00 is the textbook example; ours begin with 000.
        assert_eq!(text(|out| append_snils(0, out)), "000-000-000 00");
        assert_eq!(text(|out| append_snils(654_303, out)), "000-654-303 89");
        assert_eq!(text(|out| append_snils_digits(654_303, out)), "00065430389");
    }

    #[test]
    fn enp_with_the_digit_of_luhn() {
        // By hand, from the right: 9→9 8 7→5 6 5→1 4 3→6 2 1→2 0 0→0 9 9→9 9 9→9 make 79.
        assert_eq!(text(|out| append_enp(123_456_789, out)), "9999001234567891");
        assert_eq!(text(|out| append_enp(0, out)), "9999000000000004");
    }
}
