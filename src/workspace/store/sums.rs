//! Sums of digests over the rows of a clinic, by table. Each entry of the journal carries them, so that a row which was changed, added or
//! removed past this program shows when they are counted again.
//!
//! A digest is the SHA-256 of a row's values; a sum of digests does not depend on the order of rows and follows a change at the cost of the
//! changed rows alone. Whoever can write the database can also count these sums and write a new journal: what proves a journal against such a
//! hand is its head, exported and kept elsewhere. Sums find changes that are made by mistake or by hand; they are no proof against somebody who can add
//! many thousands of rows that he chose, because sums modulo 2^256 can be balanced with those.

use std::collections::BTreeMap;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::row::{Insert, Value};
use crate::values::hex;

/// Separates the values of a row in the text that is hashed. No value of an XML file can hold it; in a name of a file or a comment it would only make two
/// rows alike whose values are divided otherwise.
pub(super) const BETWEEN: char = '\u{1f}';

/// A sum of digests modulo 2^256, the least significant part first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::workspace) struct RowSum([u64; 4]);

impl RowSum {
    /// The sum of one row: the digest of its part's name and its values.
    fn of(part: &str, line: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(part.as_bytes());
        hasher.update([0]);
        hasher.update(line);
        Self::from_bytes(&hasher.finalize().into())
    }

    fn from_bytes(bytes: &[u8; 32]) -> Self {
        let (words, _) = bytes.as_chunks::<8>();
        let mut limbs = [0; 4];
        limbs.iter_mut().zip(words.iter().rev()).for_each(|(limb, word)| *limb = u64::from_be_bytes(*word));
        Self(limbs)
    }

    fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (word, limb) in bytes.chunks_exact_mut(8).zip(self.0.iter().rev()) {
            word.copy_from_slice(&limb.to_be_bytes());
        }
        bytes
    }

    fn plus(self, other: Self) -> Self {
        let mut carry = false;
        let mut limbs = [0; 4];
        for (at, limb) in limbs.iter_mut().enumerate() {
            let (sum, first) = self.0[at].overflowing_add(other.0[at]);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            (*limb, carry) = (sum, first || second);
        }
        Self(limbs)
    }

    fn negative(self) -> Self {
        Self(self.0.map(|limb| !limb)).plus(Self([1, 0, 0, 0]))
    }
}

/// Sums by part; a part without rows is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::workspace) struct RowSums(BTreeMap<String, RowSum>);

impl RowSums {
    fn add_sum(&mut self, part: &str, sum: RowSum) {
        let entry = self.0.entry(part.to_owned()).or_default();
        *entry = entry.plus(sum);
        if *entry == RowSum::default() {
            self.0.remove(part);
        }
    }

    /// Adds the sums of `other`.
    pub(in crate::workspace) fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|(part, sum)| self.add_sum(part, *sum));
    }

    /// Takes back the sums of `other`.
    pub(super) fn take_back(&mut self, other: &Self) {
        other.0.iter().for_each(|(part, sum)| self.add_sum(part, sum.negative()));
    }

    /// Adds rows of a part, given as the texts of their values.
    pub(super) fn add_lines<'l>(&mut self, part: &str, lines: impl IntoIterator<Item = &'l str>) {
        let lines: Vec<&str> = lines.into_iter().collect();
        self.add_sum(part, total(part, &lines));
    }

    /// Replaces a row of a part by another one; `None` for no row.
    pub(super) fn exchange(&mut self, part: &str, before: Option<&str>, after: Option<&str>) {
        if let Some(line) = before {
            self.add_sum(part, RowSum::of(part, line.as_bytes()).negative());
        }
        if let Some(line) = after {
            self.add_sum(part, RowSum::of(part, line.as_bytes()));
        }
    }

    /// Cases change their state and registry.
    pub(super) fn move_cases(&mut self, moves: &[CaseMove<'_>]) {
        let line = |id: i64, at: &Standing<'_>| format!("{id}{BETWEEN}{}{BETWEEN}{}{BETWEEN}{}", at.state, at.registry, at.was);
        let one = |case: &CaseMove<'_>| {
            let (before, after) = (line(case.id, &case.before), line(case.id, &case.after));
            RowSum::of(STATES, before.as_bytes()).negative().plus(RowSum::of(STATES, after.as_bytes()))
        };
        self.add_sum(STATES, moves.par_iter().with_min_len(1_000).map(one).reduce(RowSum::default, RowSum::plus));
    }

    /// The sums as JSON: the name of each part and 64 hexadecimal digits.
    pub(in crate::workspace) fn json(&self) -> serde_json::Value {
        self.0.iter().map(|(part, sum)| (part.clone(), serde_json::Value::from(hex(&sum.to_bytes())))).collect::<serde_json::Map<_, _>>().into()
    }

    /// Reads what [`RowSums::json`] writes; `None` for anything else.
    pub(in crate::workspace) fn of_json(value: &serde_json::Value) -> Option<Self> {
        let parts = value.as_object()?.iter().map(|(part, sum)| {
            let digest: crate::workspace::journal::Digest = sum.as_str()?.parse().ok()?;
            Some((part.clone(), RowSum::from_bytes(digest.bytes())))
        });
        parts.collect::<Option<BTreeMap<_, _>>>().map(Self)
    }

    /// The parts in which two sums differ: a table, or a column of a table that has a sum of its own.
    pub(in crate::workspace) fn differences(&self, other: &Self) -> Vec<String> {
        let mut parts: Vec<&String> = self.0.keys().chain(other.0.keys()).collect();
        parts.sort_unstable();
        parts.dedup();
        parts.into_iter().filter(|part| self.0.get(*part) != other.0.get(*part)).map(|part| shown(part).to_owned()).collect()
    }

    /// Whether there are no rows.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn total(part: &str, lines: &[&str]) -> RowSum {
    lines.par_iter().with_min_len(1_000).map(|line| RowSum::of(part, line.as_bytes())).reduce(RowSum::default, RowSum::plus)
}

/// A case before and after a change.
pub(super) struct CaseMove<'c> {
    pub(super) id: i64,
    pub(super) before: Standing<'c>,
    pub(super) after: Standing<'c>,
}

/// What changes often of a case: its state, its registry (0 for none), and what it was before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Standing<'c> {
    pub(super) state: &'c str,
    pub(super) registry: i64,
    pub(super) was: std::borrow::Cow<'c, str>,
}

/// A part of a table that has a sum of its own.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) columns: Vec<&'static str>,
    /// Rows in which this column is 0 do not count.
    pub(super) unless_zero: Option<&'static str>,
}

/// The part of `cases` that changes often.
const STATES: &str = "states";
/// The part of `cases` that changes seldom.
pub(super) const VERSIONS: &str = "versions";

/// The name of a part as users know it, by table and column.
fn shown(part: &str) -> &str {
    match part {
        STATES => "cases.state",
        VERSIONS => "cases.replaces",
        table => table,
    }
}

/// The parts of a table with these columns. A case is written once; its state and registry change often, what it replaces seldom. Whether a file
/// of the outbox was placed is not covered: it changes without an entry of the journal.
pub(super) fn parts(table: &'static str, columns: &[&'static str]) -> Vec<Part> {
    let without = |left_out: &[&str]| columns.iter().copied().filter(|column| !left_out.contains(column)).collect();
    let part = |name, columns| Part { name, columns, unless_zero: None };
    match table {
        "cases" => vec![
            part("cases", without(&["state", "registry", "replaces", "was"])),
            part(STATES, vec!["id", "state", "registry", "was"]),
            Part { name: VERSIONS, columns: vec!["id", "replaces"], unless_zero: Some("replaces") },
        ],
        "outbox" => vec![part("outbox", without(&["placed"]))],
        "stock" => Vec::new(),
        table => vec![part(table, columns.to_vec())],
    }
}

/// Sums up rows that are inserted.
pub(super) struct Summing {
    /// Each part with the places of its columns among the values, and the place of the column by which a row is left out.
    parts: Vec<(Part, Vec<Option<usize>>, Option<usize>)>,
    sums: Vec<RowSum>,
    line: Vec<u8>,
}

impl Summing {
    /// For rows of a type.
    pub(super) fn of<'v, T: Insert<'v>>() -> Self {
        let place = |column: &str| T::COLUMNS.iter().position(|own| *own == column);
        let parts: Vec<_> = parts(T::TABLE, T::COLUMNS)
            .into_iter()
            .map(|part| {
                let places = part.columns.iter().map(|column| place(column)).collect();
                let unless = part.unless_zero.and_then(place);
                (part, places, unless)
            })
            .collect();
        Self { sums: vec![RowSum::default(); parts.len()], parts, line: Vec::new() }
    }

    /// Counts a row by its values in the order of the columns. A column without a value is 0, its default.
    pub(super) fn row(&mut self, values: &[Value<'_>]) {
        use std::io::Write as _;
        for ((part, places, unless), sum) in self.parts.iter().zip(&mut self.sums) {
            if unless.is_some_and(|at| values[at] == Value::Int(0)) {
                continue;
            }
            self.line.clear();
            for (at, place) in places.iter().enumerate() {
                if at > 0 {
                    self.line.push(BETWEEN as u8);
                }
                match place.map(|at| &values[at]) {
                    None => self.line.push(b'0'),
                    Some(Value::Int(number)) => {
                        let _ = write!(self.line, "{number}");
                    }
                    Some(Value::Text(text)) => self.line.extend_from_slice(text.as_bytes()),
                }
            }
            *sum = sum.plus(RowSum::of(part.name, &self.line));
        }
    }

    /// The sums so far.
    pub(super) fn sums(&self) -> RowSums {
        let mut sums = RowSums::default();
        self.parts.iter().zip(&self.sums).for_each(|((part, ..), sum)| sums.add_sum(part.name, *sum));
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_does_not_depend_on_the_order_and_can_be_taken_back() {
        let (mut one, mut other) = (RowSums::default(), RowSums::default());
        one.add_lines("members", ["1", "2", "3"]);
        other.add_lines("members", ["3", "1", "2"]);
        assert_eq!(one, other);
        other.exchange("members", Some("2"), Some("4"));
        assert_eq!(one.differences(&other), ["members"]);
        other.exchange("members", Some("4"), Some("2"));
        assert_eq!(one, other);
        assert_eq!(RowSums::of_json(&one.json()), Some(one.clone()));
        other.add_lines("answers", ["1"]);
        assert_eq!(one.differences(&other), ["answers"], "the same text in another table is another row");
        assert_eq!([serde_json::json!([]), serde_json::json!({ "a": 1 }), serde_json::json!({ "a": "12" })].map(|v| RowSums::of_json(&v)), [None, None, None]);
    }

    #[test]
    fn sums_wrap_around() {
        let most = RowSum([u64::MAX; 4]);
        assert_eq!(most.plus(RowSum([1, 0, 0, 0])), RowSum::default());
        assert_eq!(most.negative(), RowSum([1, 0, 0, 0]));
        assert_eq!(RowSum::default().negative(), RowSum::default());
        let bytes: [u8; 32] = std::array::from_fn(|at| at as u8);
        assert_eq!(RowSum::from_bytes(&bytes).to_bytes(), bytes);
    }
}
