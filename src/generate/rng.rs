//! A small deterministic random generator: the same seed gives the same file on every machine, whatever the number of threads.

/// Spreads the bits of a number (the finaliser of SplitMix64); a bijection.
#[inline]
pub(super) fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number that depends on the characters of a text alone (FNV-1a, then spread).
pub(super) fn spread(text: &str) -> u64 {
    mix(text.bytes().fold(0xCBF2_9CE4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)))
}

/// The SplitMix64 generator.
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    /// Starts from a seed and a number within it (of a person, of a case).
    #[inline]
    pub(super) fn new(seed: u64, number: u64) -> Self {
        Self(mix(seed ^ mix(number)))
    }

    /// The next 64 bits.
    #[inline]
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number from 0 to `bound` − 1; 0 for a bound of 0.
    #[inline]
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from `low` to `high`, both inclusive; `low` if `high` is smaller.
    #[inline]
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low { low } else { low + self.below((high - low + 1) as u64) as i64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_in_its_bounds_and_reaches_both() {
        let mut rng = Rng::new(1, 2);
        let drawn: std::collections::BTreeSet<i64> = (0..200).map(|_| rng.between(-1, 3)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [-1, 0, 1, 2, 3]);
        assert_eq!(rng.between(5, 4), 5);
    }

    #[test]
    fn a_seed_repeats_itself_and_neighbours_differ() {
        assert_eq!(Rng::new(7, 1).bits(), Rng::new(7, 1).bits());
        assert_ne!(Rng::new(7, 1).bits(), Rng::new(7, 2).bits());
        assert_ne!(Rng::new(7, 1).bits(), Rng::new(8, 1).bits());
    }
}
