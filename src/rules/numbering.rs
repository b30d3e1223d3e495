//! Numbers whose last digits prove the others: СНИЛС of the pension fund, ЕНП of compulsory medical insurance.

use crate::values::{enp_check, snils_check};

/// The kind of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbering {
    /// Eleven digits, the last two of which prove the first nine; signs between them are left out.
    Snils,
    /// Sixteen digits, the last of which proves the others.
    Enp,
}

/// Up to this number СНИЛС were given without a proof.
const LAST_UNPROVEN_SNILS: u64 = 1_001_998;

impl Numbering {
    /// The kind that a word of the rule language names.
    pub(super) fn named(word: &str) -> Option<Self> {
        match word {
            "snils" => Some(Self::Snils),
            "enp" => Some(Self::Enp),
            _ => None,
        }
    }

    /// Whether the last digits agree with the others. A text of another form is no such number, and nothing is said of it.
    pub(super) fn agrees(self, text: &[u8]) -> bool {
        match self {
            Self::Snils => digits(text, b"- ").is_none_or(snils_agrees),
            Self::Enp => digits(text, b"").is_none_or(enp_agrees),
        }
    }
}

/// Exactly `N` digits, between which only the given signs stand.
fn digits<const N: usize>(text: &[u8], signs: &[u8]) -> Option<[u8; N]> {
    let mut out = [0; N];
    let mut count = 0;
    for byte in text.iter().filter(|b| !signs.contains(b)) {
        *out.get_mut(count)? = byte.is_ascii_digit().then(|| byte - b'0')?;
        count += 1;
    }
    (count == N).then_some(out)
}

fn snils_agrees(digits: [u8; 11]) -> bool {
    let ([tens, ones], [number @ .., _, _]) = ([digits[9], digits[10]], digits);
    let value = number.iter().fold(0, |n, d| n * 10 + u64::from(*d));
    // No number is made of zeros alone.
    digits != [0; 11] && (value <= LAST_UNPROVEN_SNILS || snils_check(&number) == tens * 10 + ones)
}

fn enp_agrees(digits: [u8; 16]) -> bool {
    let [number @ .., last] = digits;
    digits != [0; 16] && enp_check(&number) == last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snils_is_proven_by_its_last_two_digits() {
        // The example of the pension fund.
        assert!(Numbering::Snils.agrees(b"112-233-445 95") && Numbering::Snils.agrees(b"11223344595"));
        assert!(!Numbering::Snils.agrees(b"112-233-445 96") && !Numbering::Snils.agrees(b"11223344559"));
        assert!(Numbering::Snils.agrees(b"001-001-998 99"), "given without a proof");
        assert!(!Numbering::Snils.agrees(b"001-001-999 99"));
        assert!(Numbering::Snils.agrees(b"00000000066"), "invented numbers of tests look so");
        assert!(!Numbering::Snils.agrees(b"000-000-000 00") && !Numbering::Enp.agrees(b"0000000000000000"), "zeros stand for no number");
        assert!(Numbering::Snils.agrees(b"") && Numbering::Snils.agrees(b"112-233-445") && Numbering::Snils.agrees(b"112 233 445 9X"), "another form");
    }

    #[test]
    fn an_enp_is_proven_by_its_last_digit() {
        assert!(Numbering::Enp.agrees(b"9999001234567891") && !Numbering::Enp.agrees(b"9999001234567892"));
        assert!(!Numbering::Enp.agrees(b"9999001234576891"), "two neighbours are exchanged");
        assert!(Numbering::Enp.agrees(b"999900123456789") && Numbering::Enp.agrees(b"99990012345678911"), "another form");
    }
}
