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
