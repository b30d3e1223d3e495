//! Lists of records of bytes. A [`Spool`] may be of any length: what exceeds its budget goes to an unnamed temporary file.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::{Mutex, PoisonError};

/// Bytes read from the temporary file at once.
const BLOCK: usize = 256 << 10;

/// Records in memory, one after another. Each is its length and its bytes.
#[derive(Debug, Default)]
pub struct Records(Vec<u8>);

impl Records {
    /// Appends a record; `write` appends its bytes. Returns where the record begins.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        // Nearly every length fits in two bytes: two are reserved, and the record is moved only when that is not enough.
        let start = self.0.len();
        self.0.extend_from_slice(&[0, 0]);
        write(&mut self.0);
        let length = self.0.len() - start - 2;
        if length < 1 << 14 {
            // Exactly two bytes; the first one has the continuation bit even when the number is small.
            self.0[start] = (length & 0x7f) as u8 | 0x80;
            self.0[start + 1] = (length >> 7) as u8;
        } else {
            let record = self.0.split_off(start + 2);
            self.0.truncate(start);
            write_number(&mut self.0, length as u64);
            self.0.extend_from_slice(&record);
        }
        start
    }

    /// The record that begins at `start`.
    ///
    /// # Errors
    /// No record begins there.
    pub fn at(&self, start: usize) -> io::Result<&[u8]> {
        let rest = self.0.get(start..).ok_or_else(damaged)?;
        frame(rest)?.and_then(|(record, end)| rest.get(record..end)).ok_or_else(damaged)
    }

    /// Removes all records, but keeps their memory for later ones.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The records in their order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (record, end) = frame(rest).ok()??;
            let bytes = &rest[record..end];
            rest = &rest[end..];
            Some(bytes)
        })
    }
}

/// A list of records of any length that only grows.
#[derive(Debug)]
pub struct Spool {
    budget: usize,
    /// Records that are not yet in the file; always the newest.
    tail: Records,
    spill: Option<Spill>,
}

#[derive(Debug)]
struct Spill {
    /// A replay seeks and then reads; the lock keeps the two together.
    file: Mutex<File>,
    length: u64,
}

impl Spool {
    /// A spool that keeps about `budget` bytes in memory.
    pub fn with_budget(budget: usize) -> Self {
        Self { budget, tail: Records::default(), spill: None }
    }

    /// Appends a record; `write` appends its bytes.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        self.tail.push(write);
        self.spill_if_full()
    }

    /// Appends records.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub fn extend(&mut self, records: &Records) -> io::Result<()> {
        self.tail.0.extend_from_slice(&records.0);
        self.spill_if_full()
    }

    /// Sets how many bytes are kept in memory.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub fn set_budget(&mut self, budget: usize) -> io::Result<()> {
        self.budget = budget;
        self.spill_if_full()
    }

    fn spill_if_full(&mut self) -> io::Result<()> {
        if self.tail.0.len() < self.budget {
            return Ok(());
        }
        let spill = match &mut self.spill {
            Some(spill) => spill,
            None => self.spill.insert(Spill { file: Mutex::new(tempfile::tempfile()?), length: 0 }),
        };
        let file = spill.file.get_mut().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(spill.length))?;
        file.write_all(&self.tail.0)?;
        spill.length += self.tail.0.len() as u64;
        self.tail.0.clear();
        Ok(())
    }

    /// The records in the order in which they were appended. Several replays may run at once.
    pub fn replay(&self) -> Replay<'_> {
        Replay { spool: self, block: Vec::new(), at: 0, read: 0, tail_at: 0 }
    }
}

/// Records read back from a [`Spool`].
#[derive(Debug)]
pub struct Replay<'s> {
    spool: &'s Spool,
    /// The bytes read from the file and not yet consumed.
    block: Vec<u8>,
    /// Where the next record begins in the block.
    at: usize,
    /// How much of the file has been read.
    read: u64,
    tail_at: usize,
}

impl Replay<'_> {
    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// The temporary file cannot be read, or is damaged.
    pub fn next_record(&mut self) -> io::Result<Option<&[u8]>> {
        loop {
            if let Some((record, end)) = frame(&self.block[self.at..])? {
                let start = self.at;
                self.at += end;
                return Ok(Some(&self.block[start + record..start + end]));
            }
            if !self.refill()? {
                break;
            }
        }
        if self.at < self.block.len() {
            return Err(damaged());
        }
        let rest = &self.spool.tail.0[self.tail_at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let (record, end) = frame(rest)?.ok_or_else(damaged)?;
        self.tail_at += end;
        Ok(Some(&rest[record..end]))
    }

    /// Reads more of the file and appends it to the rest of the block; false at the end.
    fn refill(&mut self) -> io::Result<bool> {
        let Some(spill) = &self.spool.spill else { return Ok(false) };
        let wanted = usize::try_from(spill.length - self.read).unwrap_or(usize::MAX).min(BLOCK);
        if wanted == 0 {
            return Ok(false);
        }
        self.block.drain(..self.at);
        self.at = 0;
        let kept = self.block.len();
        self.block.resize(kept + wanted, 0);
        let mut file = spill.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.read))?;
        file.read_exact(&mut self.block[kept..])?;
        self.read += wanted as u64;
        Ok(true)
    }
}

/// Where the bytes of the record at the beginning of `bytes` start and end; `None` when it is incomplete.
fn frame(bytes: &[u8]) -> io::Result<Option<(usize, usize)>> {
    let mut rest = Bytes(bytes);
    let Some(length) = rest.number() else {
        return if bytes.len() >= 10 { Err(damaged()) } else { Ok(None) };
    };
    let start = bytes.len() - rest.0.len();
    let length = usize::try_from(length).map_err(|_| damaged())?;
    Ok((rest.0.len() >= length).then_some((start, start + length)))
}

/// The error for bytes that are not those which were written.
pub fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a temporary file is damaged")
}

/// Appends a number; small ones take few bytes.
pub fn write_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a text and its length.
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    write_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Bytes of a record that are still to be read. Each method returns `None` when they are not what was to be read.
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// What [`write_number`] wrote.
    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for (i, byte) in self.0.iter().take(10).enumerate() {
            number |= u64::from(byte & 0x7f) << (7 * i as u32);
            if byte & 0x80 == 0 {
                self.0 = &self.0[i + 1..];
                return Some(number);
            }
        }
        None
    }

    /// So many bytes.
    pub fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    /// So many bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// What [`write_text`] wrote.
    pub fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.take(length)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(n: usize) -> Vec<u8> {
        vec![n as u8; [0, 1, 127, 128, 16_383, 16_384, 40_000][n % 7]]
    }

    fn back(spool: &Spool) -> Vec<Vec<u8>> {
        let (mut replay, mut all) = (spool.replay(), Vec::new());
        while let Some(record) = replay.next_record().expect("readable") {
            all.push(record.to_vec());
        }
        all
    }

    #[test]
    fn records_come_back_from_memory_and_from_the_file() {
        let due: Vec<Vec<u8>> = (0..500).map(record).collect();
        for budget in [1, 700, 300_000, usize::MAX] {
            let mut spool = Spool::with_budget(budget);
            for pair in due.chunks(2) {
                let mut later = Records::default();
                spool.push(|out| out.extend_from_slice(&pair[0])).expect("pushed");
                let start = later.push(|out| out.extend_from_slice(&pair[1]));
                assert_eq!(later.at(start).expect("it begins there"), pair[1]);
                assert_eq!(later.iter().collect::<Vec<_>>(), [&pair[1]]);
                spool.extend(&later).expect("appended");
            }
            assert_eq!(spool.spill.is_some(), budget < usize::MAX);
            assert!(back(&spool) == due && back(&spool) == due, "{budget}");
        }
    }

    #[test]
    fn a_damaged_file_is_an_error_and_no_panic() {
        let mut spool = Spool::with_budget(1);
        spool.push(|out| out.extend_from_slice(b"abc")).expect("pushed");
        spool.spill.as_mut().expect("spilled").length -= 1;
        assert_eq!(spool.replay().next_record().expect_err("cut").kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn numbers_and_texts_are_read_back() {
        let numbers = [0, 127, 128, 1 << 35, u64::MAX];
        let mut out = Vec::new();
        numbers.iter().for_each(|number| write_number(&mut out, *number));
        write_text(&mut out, "Ю");
        let mut bytes = Bytes(&out);
        assert_eq!(numbers.map(|_| bytes.number()), numbers.map(Some));
        assert_eq!((bytes.text(), bytes.number(), bytes.text()), (Some("Ю"), None, None));
    }
}
