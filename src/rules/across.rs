//! Rules that compare a record with the others of its file: what they note of each record, and which records stand out in the end.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::code::{Cond, Operand};
use super::eval::Env;
use crate::values::hash;

/// A requirement that no record can answer by itself.
#[derive(Debug, Clone)]
pub(super) enum Compares {
    /// No other record of the file has the same values.
    Unique(Box<[Operand]>),
    /// A value of a code is of the size that values of that code have in the file.
    Usual { value: Operand, code: Operand },
}

/// A rule that compares records.
#[derive(Debug)]
pub(super) struct Across {
    pub(super) row: usize,
    /// Position of the checked element among the children of its block.
    pub(super) position: u8,
    pub(super) when: Option<Cond>,
    /// Whether the rule is skipped if the person is unknown.
    pub(super) person: bool,
    pub(super) compares: Compares,
}

/// What such a rule has noted of the records.
#[derive(Debug, Clone, Default)]
pub struct Noted {
    /// Hashes of the compared values, and the offset of the element.
    pub keys: Vec<(u64, u64)>,
    /// Offset of the record that was noted last, and the number of its keys: two blocks of one record are not compared.
    record: (u64, usize),
    /// Sizes of values.
    pub sizes: Sizes,
}

/// Keys of one record that are compared with each other; a record with more is no registry.
const MOST_OWN: usize = 256;

impl Across {
    /// Notes the block of the environment, if it has the element and the rule applies to it.
    pub(super) fn note(&self, env: &Env<'_>, noted: &mut Noted) {
        let Some(element) = env.record.first(env.block, self.position) else { return };
        let env = Env { this: Some(element.text), ..*env };
        if self.person && env.person.is_none() || !self.when.as_ref().is_none_or(|when| env.holds(when)) {
            return;
        }
        match &self.compares {
            Compares::Unique(values) => {
                let key = values.iter().fold(0, |key, value| env.hashed(value, key));
                let record = env.record.offset(0);
                if noted.record.0 != record || noted.keys.is_empty() {
                    noted.record = (record, 0);
                }
                let own = &noted.keys[noted.keys.len() - noted.record.1.min(MOST_OWN)..];
                if own.iter().all(|(known, _)| *known != key) {
                    noted.keys.push((key, element.offset));
                    noted.record.1 += 1;
                }
            }
            Compares::Usual { value, code } => {
                if let Some((size, code)) = env.size(value).zip(env.code(code)) {
                    noted.sizes.add(code, size, element.offset);
                }
            }
        }
    }
}

/// How large values of each code are: a number of values for each power of two.
#[derive(Debug, Clone, Default)]
pub struct Sizes(BTreeMap<(u64, u8), Values>);

/// Values of a code of about one size.
#[derive(Debug, Clone, Default)]
struct Values {
    count: u64,
    /// Where the first of them stand.
    first: Vec<u64>,
}

/// Codes and sizes that are kept; a file with more of them is no registry.
const MOST_SIZES: usize = 1 << 14;
/// Values of one size whose places are kept.
const MOST_PLACES: usize = 3;
/// An odd size is one that at most one value of so many has; a code with fewer values has none.
const RARE: u64 = 100;
/// By how many doublings an odd value at least differs from the middle one: it is more than eight times as large or as small.
const FAR: u8 = 4;

impl Sizes {
    fn add(&mut self, code: u64, size: u8, offset: u64) {
        if let Some(values) = self.of((code, size)) {
            values.count += 1;
            if values.first.len() < MOST_PLACES {
                values.first.push(offset);
            }
        }
    }

    /// Adds what a later piece noted.
    pub fn join(&mut self, more: &Self) {
        for (key, more) in &more.0 {
            if let Some(values) = self.of(*key) {
                values.count += more.count;
                let free = MOST_PLACES - values.first.len();
                values.first.extend(more.first.iter().take(free));
            }
        }
    }

    /// The values of a code and size; `None` if there are too many codes.
    fn of(&mut self, key: (u64, u8)) -> Option<&mut Values> {
        let full = self.0.len() >= MOST_SIZES;
        match self.0.entry(key) {
            Entry::Vacant(_) if full => None,
            entry => Some(entry.or_default()),
        }
    }

    /// Places of values that are far larger or smaller than those of their code usually are, a few of each size.
    pub fn odd(&self) -> Vec<u64> {
        let mut codes: BTreeMap<u64, Vec<(u8, &Values)>> = BTreeMap::new();
        self.0.iter().for_each(|((code, size), values)| codes.entry(*code).or_default().push((*size, values)));
        let mut odd = Vec::new();
        for sizes in codes.into_values() {
            let all: u64 = sizes.iter().map(|(_, values)| values.count).sum();
            let mut below = 0;
            let middle = sizes.iter().find(|(_, values)| {
                below += values.count;
                below * 2 >= all
            });
            let Some((middle, _)) = middle else { continue };
            let is_odd = |(size, values): &&(u8, &Values)| size.abs_diff(*middle) >= FAR && values.count * RARE <= all;
            odd.extend(sizes.iter().filter(is_odd).flat_map(|(_, values)| &values.first));
        }
        odd.sort_unstable();
        odd
    }
}

impl Env<'_> {
    /// A hash of all values of an operand, continued from a state. An operand without a value changes the state too.
    fn hashed(&self, operand: &Operand, state: u64) -> u64 {
        let mut key = state.rotate_left(7).wrapping_add(1);
        self.texts(operand, &mut |text| key = hash(key, text));
        key
    }

    fn code(&self, operand: &Operand) -> Option<u64> {
        let mut code = None;
        self.texts(operand, &mut |text| code = code.or(Some(hash(0, text))));
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_odd_among_many_of_another_size() {
        let mut sizes = Sizes::default();
        (0..150).for_each(|n| sizes.add(1, 10 + (n % 3) as u8, n));
        sizes.add(1, 15, 1000);
        sizes.add(1, 3, 1001);
        sizes.add(1, 14, 1002);
        sizes.add(2, 40, 1003);
        assert_eq!(sizes.odd(), [1000, 1001], "14 is too near, and of the second code there is one value alone");
        (0..5).for_each(|n| sizes.add(1, 3, 2000 + n));
        assert_eq!(sizes.odd(), [1000], "six of 157 are not rare");
    }

    #[test]
    fn pieces_are_joined_in_their_order() {
        let (mut first, mut second) = (Sizes::default(), Sizes::default());
        (0..400).for_each(|n| first.add(1, 10, n));
        first.add(1, 20, 500);
        (0..3).for_each(|n| second.add(1, 20, 600 + n));
        first.join(&second);
        assert_eq!(first.odd(), [500, 600, 601]);
    }
}
