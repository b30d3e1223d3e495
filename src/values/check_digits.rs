//! Check digits of numbers of persons: СНИЛС of the pension fund, ЕНП of compulsory medical insurance.

/// The number of two digits that proves the nine digits of a СНИЛС: the sum of digit times place, counted from the right, modulo 101; 100 is written 00.
pub fn snils_check(digits: &[u8; 9]) -> u8 {
    let sum: u32 = digits.iter().zip((1..=9).rev()).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    (sum % 101 % 100) as u8
}

/// The digit that proves the first fifteen of an ЕНП, by the algorithm of Luhn: beginning with the last, every other digit is doubled, and the digits of the
/// products are summed.
pub fn enp_check(digits: &[u8; 15]) -> u8 {
    let part = |digit: u8, doubled: bool| if doubled { digit * 2 / 10 + digit * 2 % 10 } else { digit };
    let sum: u32 = digits.iter().rev().enumerate().map(|(at, digit)| u32::from(part(*digit, at % 2 == 0))).sum();
    ((10 - sum % 10) % 10) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remainder_of_a_hundred_is_written_as_zeros() {
        let ending_with = |last: u8| snils_check(&[9, 2, 0, 0, 0, 0, 0, 0, last]);
        // The sums are 99, 100, 101 and 102.
        assert_eq!([2, 3, 4, 5].map(ending_with), [99, 0, 0, 1]);
        // The example of the textbook.
        assert_eq!(snils_check(&[0, 8, 7, 6, 5, 4, 3, 0, 3]), 0);
    }

    #[test]
    fn a_product_of_two_digits_counts_both() {
        let with_last = |last: u8| enp_check(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
        assert_eq!([0, 4, 5, 9].map(with_last), [0, 2, 9, 1]);
    }
}
