//! Keys of a whole file in bounded memory: sorted runs in an unnamed temporary file, merged at the end.
//!
//! A key is a number or a 64-bit hash: two different texts of a file of 1,600,000 records share one with a chance below one in a million.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use crate::values::hash;

/// Keys in memory before a run is written: 512 KiB.
const RUN: usize = 1 << 15;
/// Bytes that are written at once.
const WRITTEN: usize = 64 << 10;

/// One key and the offset of its element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) key: u64,
    pub(super) offset: u64,
}

/// The key of a text: its number if the text is 1 to 18 digits, so that ascending numbers are sorted already; else a hash. Unless `numeric`, a text
/// with leading zeros is hashed, so that `01` and `1` differ.
pub(super) fn key_of(text: &[u8], numeric: bool) -> u64 {
    let plain = numeric || text.len() == 1 || text.first() != Some(&b'0');
    if plain && (1..=18).contains(&text.len()) && text.iter().all(u8::is_ascii_digit) {
        return text.iter().fold(0, |n, b| n * 10 + u64::from(b - b'0'));
    }
    hash(0, text) | 1 << 63
}

/// A growing set of keys.
#[derive(Debug, Default)]
pub(super) struct KeySet {
    memory: Vec<Key>,
    runs: Vec<(u64, usize)>,
    file: Option<File>,
}

impl KeySet {
    /// Adds keys.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub(super) fn extend(&mut self, keys: impl IntoIterator<Item = Key>) -> io::Result<()> {
        self.memory.extend(keys);
        if self.memory.len() >= RUN { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> io::Result<()> {
        self.memory.sort_unstable();
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        let start = file.seek(SeekFrom::End(0))?;
        let mut out = BufWriter::with_capacity(WRITTEN, file);
        for key in &self.memory {
            out.write_all(&key.key.to_le_bytes())?;
            out.write_all(&key.offset.to_le_bytes())?;
        }
        out.flush()?;
        self.runs.push((start, self.memory.len()));
        self.memory.clear();
        Ok(())
    }

    /// All keys in order, equal ones by offset.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub(super) fn into_sorted(mut self) -> io::Result<Sorted> {
        self.memory.sort_unstable();
        let mut runs = Vec::new();
        for (start, count) in self.runs {
            let mut file = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?.try_clone()?;
            file.seek(SeekFrom::Start(start))?;
            runs.push(Run { at: start, left: count, file, block: Vec::new(), next: 0 });
        }
        let mut sorted = Sorted { memory: self.memory, memory_at: 0, runs, heads: Vec::new() };
        for i in 0..sorted.runs.len() {
            let head = sorted.runs[i].next()?;
            sorted.heads.push(head);
        }
        Ok(sorted)
    }
}

/// A run of sorted keys in the file. Clones of one file share its position, so each block is read at its own place.
#[derive(Debug)]
struct Run {
    at: u64,
    left: usize,
    file: File,
    block: Vec<Key>,
    next: usize,
}

/// Keys that one run reads at once.
const BLOCK: usize = 512;

impl Run {
    fn next(&mut self) -> io::Result<Option<Key>> {
        if self.next == self.block.len() {
            if self.left == 0 {
                return Ok(None);
            }
            let count = self.left.min(BLOCK);
            self.file.seek(SeekFrom::Start(self.at))?;
            let mut bytes = vec![0; count * 16];
            BufReader::with_capacity(0, &mut self.file).read_exact(&mut bytes)?;
            self.block.clear();
            self.block.extend(bytes.as_chunks::<16>().0.iter().map(|b| {
                let word = |from: usize| u64::from_le_bytes(std::array::from_fn(|i| b[from + i]));
                Key { key: word(0), offset: word(8) }
            }));
            self.at += count as u64 * 16;
            self.left -= count;
            self.next = 0;
        }
        self.next += 1;
        Ok(Some(self.block[self.next - 1]))
    }
}

/// Keys in ascending order, merged from memory and the runs.
#[derive(Debug)]
pub(super) struct Sorted {
    memory: Vec<Key>,
    memory_at: usize,
    runs: Vec<Run>,
    heads: Vec<Option<Key>>,
}

impl Sorted {
    /// The next key; `None` at the end.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub(super) fn next(&mut self) -> io::Result<Option<Key>> {
        let mut best: Option<(Key, usize)> = self.memory.get(self.memory_at).map(|k| (*k, usize::MAX));
        for (i, head) in self.heads.iter().enumerate() {
            if let Some(key) = head
                && best.is_none_or(|(b, _)| *key < b)
            {
                best = Some((*key, i));
            }
        }
        let Some((key, from)) = best else { return Ok(None) };
        if from == usize::MAX {
            self.memory_at += 1;
        } else {
            self.heads[from] = self.runs[from].next()?;
        }
        Ok(Some(key))
    }
}

/// Calls `each` for every repetition of a key after its first occurrence, in order of key, then offset.
///
/// # Errors
/// The temporary file cannot be read.
pub(super) fn repeated(mut sorted: Sorted, mut each: impl FnMut(Key)) -> io::Result<()> {
    let mut before: Option<u64> = None;
    while let Some(key) = sorted.next()? {
        if before == Some(key.key) {
            each(key);
        }
        before = Some(key.key);
    }
    Ok(())
}

/// Compares two sorted sets: calls `repeat` for each repetition within a set, and `alone` for each key that the other set lacks.
///
/// # Errors
/// A temporary file cannot be read.
pub(super) fn compare(mut left: Sorted, mut right: Sorted, mut repeat: impl FnMut(Side, Key), mut alone: impl FnMut(Side, Key)) -> io::Result<()> {
    let (mut l, mut r) = (left.next()?, right.next()?);
    while l.is_some() || r.is_some() {
        let key = match (l, r) {
            (Some(a), Some(b)) => a.key.min(b.key),
            (Some(a), None) => a.key,
            (None, Some(b)) => b.key,
            (None, None) => break,
        };
        let both = l.is_some_and(|k| k.key == key) && r.is_some_and(|k| k.key == key);
        for (side, head, set) in [(Side::Left, &mut l, &mut left), (Side::Right, &mut r, &mut right)] {
            let mut first = true;
            while let Some(k) = head.filter(|k| k.key == key) {
                if !first {
                    repeat(side, k);
                }
                if !both {
                    alone(side, k);
                }
                first = false;
                *head = set.next()?;
            }
        }
    }
    Ok(())
}

/// A side of [`compare`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(keys: impl Iterator<Item = u64>) -> Sorted {
        let mut set = KeySet::default();
        for (i, key) in keys.enumerate() {
            set.extend([Key { key, offset: i as u64 }]).expect("kept");
        }
        set.into_sorted().expect("sorted")
    }

    #[test]
    fn spilled_runs_come_back_in_order() {
        let count = 3 * RUN as u64 + 77;
        let mut sorted = set((0..count).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        let (mut seen, mut before) = (0, None);
        while let Some(key) = sorted.next().expect("read") {
            assert!(before < Some(key.key));
            assert_eq!(key.key, key.offset.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            before = Some(key.key);
            seen += 1;
        }
        assert_eq!(seen, count);
    }

    #[test]
    fn later_places_are_reported() {
        let mut found = Vec::new();
        repeated(set([5, 7, 5, 9, 5].into_iter()), |k| found.push(k.offset)).expect("read");
        assert_eq!(found, [2, 4]);
    }

    #[test]
    fn both_sides_are_compared() {
        let (mut again, mut alone) = (Vec::new(), Vec::new());
        compare(set([1, 2, 2, 4].into_iter()), set([2, 3, 3].into_iter()), |s, k| again.push((s, k.offset)), |s, k| alone.push((s, k.key))).expect("read");
        assert_eq!(again, [(Side::Left, 2), (Side::Right, 2)]);
        assert_eq!(alone, [(Side::Left, 1), (Side::Right, 3), (Side::Right, 3), (Side::Left, 4)]);
    }

    #[test]
    fn numbers_and_texts_do_not_meet() {
        assert_eq!(key_of(b"0042", true), key_of(b"42", true));
        assert_ne!(key_of(b"0042", false), key_of(b"42", false));
        assert_ne!(key_of(b"0", false), key_of(b"00", false));
        assert_eq!(key_of(b"42", false), 42);
        assert_ne!(key_of(b"42", false), key_of(b"42a", false));
        assert_ne!(key_of(b"abc", false), key_of(b"abc\0", false));
        assert!(key_of(b"a", false) >> 63 == 1 && key_of(b"999999999999999999", true) >> 63 == 0);
    }
}
