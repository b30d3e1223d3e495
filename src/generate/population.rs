//! Who comes to a clinic. People stay with it for some years, so that its months follow one another.

use super::calendar::{Day, day};
use super::rng::{Rng, mix, spread};
use crate::values::Month;

/// The people of a clinic and an insurer in one reporting month. Another clinic, insurer or seed has other people.
#[derive(Debug, Clone, Copy)]
pub(super) struct Population {
    key: u64,
    /// Months from January of the year 0 to the reporting month.
    month: i64,
    /// How many months a person stays, at least one.
    stay: i64,
}

/// The person who holds a number of the population in the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Visitor {
    /// A random number of the person's own, the same in every month.
    pub(super) key: u64,
    /// First day of the month in which the person came to the clinic.
    pub(super) since: Day,
}

/// Keeps what is drawn for the person file apart from what is drawn for the person.
const PERSON_FILE: u64 = 0x7E50;

impl Population {
    /// The population of a clinic and an insurer under a seed. After `stay` months somebody else takes the number of a person; each month this
    /// happens to an equal share of the numbers.
    pub(super) fn new(seed: u64, clinic: &str, insurer: &str, period: Month) -> Self {
        let key = mix(mix(mix(seed) ^ spread(clinic)) ^ spread(insurer));
        Self { key, month: i64::from(period.year) * 12 + i64::from(period.month) - 1, stay: 1 }
    }

    /// The same population with another time of stay, in months.
    pub(super) fn staying(self, months: i64) -> Self {
        Self { stay: months.max(1), ..self }
    }

    /// A random number of the population's own.
    pub(super) fn key(&self) -> u64 {
        self.key
    }

    /// The seed of the cases of a kind of file in the month.
    pub(super) fn cases(&self, letters: &str) -> u64 {
        mix(mix(self.key ^ spread(letters)) ^ self.month as u64)
    }

    /// Who holds a number in the month.
    pub(super) fn visitor(&self, number: u64) -> Visitor {
        let own = mix(self.key ^ mix(number));
        let phase = (own % self.stay as u64) as i64;
        let turn = (self.month + phase) / self.stay;
        Visitor { key: mix(own ^ mix(turn as u64)), since: day(0, turn * self.stay - phase + 1, 1) }
    }
}

impl Visitor {
    /// The random choices that make the person.
    pub(super) fn rng(&self) -> Rng {
        Rng::new(self.key, 0)
    }

    /// The random choices in the person file, which are the same in every month.
    pub(super) fn file_rng(&self) -> Rng {
        Rng::new(self.key, PERSON_FILE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(seed: u64, clinic: &str, period: &str) -> Vec<Visitor> {
        let population = Population::new(seed, clinic, "14002", period.parse().expect("a month")).staying(60);
        (0..6_000).map(|number| population.visitor(number)).collect()
    }

    fn shared(a: &[Visitor], b: &[Visitor]) -> usize {
        a.iter().zip(b).filter(|(a, b)| a == b).count()
    }

    #[test]
    fn one_of_sixty_leaves_in_a_month() {
        for (before, after, expected) in [
            ("2021-02", "2021-02", 6_000),
            ("2021-02", "2021-03", 5_900),
            ("2020-12", "2021-01", 5_900),
            ("2021-02", "2022-02", 4_800),
            ("2021-02", "2026-02", 0),
        ] {
            let shared = shared(&people(1, "140001", before), &people(1, "140001", after));
            assert!(shared.abs_diff(expected) < 120, "{before} {after}: {shared}");
        }
    }

    #[test]
    fn another_clinic_or_seed_has_other_people() {
        let here = people(1, "140001", "2021-02");
        assert_eq!((shared(&here, &people(2, "140001", "2021-02")), shared(&here, &people(1, "140002", "2021-02"))), (0, 0));
    }

    #[test]
    fn nobody_has_come_after_the_month_or_stayed_too_long() {
        let (first, after) = (day(2016, 3, 1), day(2021, 3, 1));
        assert!(people(1, "140001", "2021-02").iter().all(|v| first <= v.since && v.since < after));
    }
}
