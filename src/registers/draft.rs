//! Rows of a register while its file is read, and their order in the stored file.
//!
//! A stored row has a fixed number of bytes, all numbers with the highest byte first, so that rows in the order of their bytes are in the order of
//! their person or key, and then of their first day: the key of a person (8 bytes, in registers of persons), the numbers of key cells (4 each), the first and
//! the last day (4 each), the numbers of further words (4 each), amounts (8 each). Words are numbered in their own order.

use std::collections::HashMap;
use std::io::{self, Write};
use std::ops::Range;

use rayon::prelude::*;

use crate::cases::PersonKey;
use crate::values::Span;

/// An amount that is not given.
pub(super) const NO_AMOUNT: u64 = u64::MAX;

/// Where the parts of a stored row stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) is_personal: bool,
    pub(super) keys: usize,
    pub(super) words: usize,
    pub(super) amounts: usize,
}

impl Shape {
    /// Bytes of a row.
    pub(super) fn width(self) -> usize {
        self.amounts_at() + 8 * self.amounts
    }

    pub(super) fn keys_at(self) -> usize {
        if self.is_personal { 8 } else { 0 }
    }

    pub(super) fn days_at(self) -> usize {
        self.keys_at() + 4 * self.keys
    }

    pub(super) fn words_at(self) -> usize {
        self.days_at() + 8
    }

    pub(super) fn amounts_at(self) -> usize {
        self.words_at() + 4 * self.words
    }

    /// The places of all numbers of words.
    pub(super) fn all_words(self) -> impl Iterator<Item = Range<usize>> {
        let keys = (0..self.keys).map(move |n| self.keys_at() + 4 * n);
        keys.chain((0..self.words).map(move |n| self.words_at() + 4 * n)).map(|at| at..at + 4)
    }
}

/// The rows that were read so far.
#[derive(Debug)]
pub(super) struct Draft {
    shape: Shape,
    rows: Vec<u8>,
    /// Words by their numbers in the order of their coming; 0 is the empty one.
    words: HashMap<Box<str>, u32>,
}

impl Draft {
    pub(super) fn new(shape: Shape) -> Self {
        Self { shape, rows: Vec::new(), words: HashMap::from([(Box::from(""), 0)]) }
    }

    pub(super) fn count(&self) -> usize {
        self.rows.len() / self.shape.width()
    }

    /// The number of a word.
    pub(super) fn word(&mut self, word: &str) -> u32 {
        if let Some(number) = self.words.get(word) {
            return *number;
        }
        let number = self.words.len() as u32;
        self.words.insert(word.into(), number);
        number
    }

    /// Adds a row; the numbers of words and the amounts in the order of the shape.
    pub(super) fn push(&mut self, person: Option<PersonKey>, keys: &[u32], days: Span, words: &[u32], amounts: &[u64]) {
        if let Some(PersonKey(key)) = person {
            self.rows.extend(key.to_be_bytes());
        }
        keys.iter().for_each(|key| self.rows.extend(key.to_be_bytes()));
        self.rows.extend(days.from.number().to_be_bytes());
        self.rows.extend(days.until.number().to_be_bytes());
        words.iter().for_each(|word| self.rows.extend(word.to_be_bytes()));
        amounts.iter().for_each(|amount| self.rows.extend(amount.to_be_bytes()));
    }

    /// Writes the words and the rows in their order, equal rows once.
    pub(super) fn write(mut self, out: &mut impl Write) -> io::Result<()> {
        let mut words: Vec<(&str, u32)> = self.words.iter().map(|(word, number)| (&**word, *number)).collect();
        words.sort_unstable();
        let mut ranks = vec![0; words.len()];
        out.write_all(&(words.len() as u32).to_be_bytes())?;
        for (rank, (word, number)) in words.iter().enumerate() {
            ranks[*number as usize] = rank as u32;
            write_text(out, word)?;
        }
        let (shape, width) = (self.shape, self.shape.width());
        self.rows.par_chunks_exact_mut(width).for_each(|row| {
            for at in shape.all_words() {
                let bytes = &mut row[at];
                let number = bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
                bytes.copy_from_slice(&ranks[number].to_be_bytes());
            }
        });
        // The beginning of a row beside its number: most comparisons need no look at the rows, which lie far apart.
        let row = |number: u32| &self.rows[number as usize * width..][..width];
        let beginning = |number: u32| row(number)[..8].iter().fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte));
        let mut order: Vec<(u64, u32)> = (0..self.count() as u32).into_par_iter().map(|number| (beginning(number), number)).collect();
        order.par_sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| row(a.1).cmp(row(b.1))));
        order.dedup_by(|a, b| a.0 == b.0 && row(a.1) == row(b.1));
        out.write_all(&(order.len() as u64).to_be_bytes())?;
        order.iter().try_for_each(|(_, number)| out.write_all(row(*number)))
    }
}

/// Writes a text behind its length.
pub(super) fn write_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    // No name of a column and no cell is longer.
    out.write_all(&(text.len() as u16).to_be_bytes())?;
    out.write_all(text.as_bytes())
}
