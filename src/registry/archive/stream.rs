//! Unpacks one entry and enforces the limits on the bytes that are actually produced.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::{Entry, Limits, damaged, names};
use crate::finding::Check;
use crate::registry::fault::Fault;

/// Packed bytes read at once. They give about twenty times as many unpacked bytes, so the cost of system calls is negligible.
const BUFFER: usize = 128 << 10;

/// The unpacked bytes of an entry.
///
/// Reading fails with a [`Fault`] inside the error when there are more bytes than the directory declares, when the ratio or the total is
/// exceeded, when the packed data are damaged or cut, and at the end when the checksum is wrong. The bytes before the fault have been returned by
/// then.
pub struct EntryReader<R> {
    input: R,
    /// Packed bytes not yet read from `input`.
    left: u64,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// `None` for a stored entry.
    inflate: Option<Decompress>,
    crc: Crc,
    /// Number of unpacked bytes so far.
    out: u64,
    entry: Entry,
    limits: Limits,
    state: State,
}

#[derive(Debug, Clone)]
enum State {
    Running,
    Done,
    Failed(Fault),
}

impl<R> fmt::Debug for EntryReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntryReader").field("entry", &self.entry).field("out", &self.out).field("state", &self.state).finish_non_exhaustive()
    }
}

impl<R: Read + Seek> EntryReader<R> {
    pub(super) fn new(mut input: R, entry: &Entry, limits: &Limits) -> Result<Self, Fault> {
        input.seek(SeekFrom::Start(entry.data_at))?;
        let inflate = entry.deflated.then(|| Decompress::new(false));
        let buffer = if entry.deflated { entry.packed.min(BUFFER as u64) as usize } else { 0 };
        Ok(Self {
            input,
            left: entry.packed,
            buffer: vec![0; buffer].into(),
            start: 0,
            end: 0,
            inflate,
            crc: Crc::new(),
            out: 0,
            entry: entry.clone(),
            limits: *limits,
            state: State::Running,
        })
    }
}

impl<R: Read> EntryReader<R> {
    /// Unpacks into the non-empty `into`; returns 0 at the end.
    fn step(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
        let (count, ended) = if self.inflate.is_some() { self.inflate(into)? } else { self.copy(into)? };
        self.crc.update(&into[..count]);
        self.out += count as u64;
        if self.out > self.entry.size {
            return Err(self.damaged("size"));
        }
        let used = self.entry.packed - self.left - (self.end - self.start) as u64;
        if self.limits.is_bomb(self.out, used) {
            return Err(Fault::new(Check::ZipRatio).value(names::printable(&self.entry.name)).expected(self.limits.ratio));
        }
        if self.out > self.limits.total {
            return Err(Fault::new(Check::ZipTotal).expected(self.limits.total));
        }
        if ended {
            self.state = match self.verify() {
                Ok(()) => State::Done,
                Err(fault) if count == 0 => return Err(fault),
                // The bytes in `into` are returned; the next read reports the fault.
                Err(fault) => State::Failed(fault),
            };
        }
        Ok(count)
    }

    fn copy(&mut self, into: &mut [u8]) -> Result<(usize, bool), Fault> {
        let wanted = self.left.min(into.len() as u64) as usize;
        let count = read_some(&mut self.input, &mut into[..wanted])?;
        if count == 0 && self.left > 0 {
            return Err(self.damaged("end of file"));
        }
        self.left -= count as u64;
        Ok((count, self.left == 0))
    }

    fn inflate(&mut self, into: &mut [u8]) -> Result<(usize, bool), Fault> {
        loop {
            if self.start == self.end && self.left > 0 {
                let wanted = self.left.min(self.buffer.len() as u64) as usize;
                self.end = read_some(&mut self.input, &mut self.buffer[..wanted])?;
                self.start = 0;
                if self.end == 0 {
                    return Err(self.damaged("end of file"));
                }
                self.left -= self.end as u64;
            }
            let Some(inflate) = &mut self.inflate else { return Err(self.damaged("deflate")) };
            let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(&self.buffer[self.start..self.end], into, FlushDecompress::None);
            let (taken, given) = ((inflate.total_in() - before_in) as usize, (inflate.total_out() - before_out) as usize);
            self.start += taken;
            match status {
                Ok(Status::StreamEnd) => return Ok((given, true)),
                Ok(_) if given > 0 => return Ok((given, false)),
                // Headers and tables consume input without giving output. When neither input nor output moves, nothing can follow.
                Ok(_) if taken > 0 => {}
                _ => return Err(self.damaged("deflate")),
            }
        }
    }

    /// Checks size, rest and checksum at the end of the packed data.
    fn verify(&self) -> Result<(), Fault> {
        if self.out != self.entry.size {
            return Err(self.damaged("size"));
        }
        if self.left > 0 || self.start < self.end {
            return Err(self.damaged("deflate"));
        }
        if self.crc.sum() != self.entry.crc {
            return Err(self.damaged("CRC-32"));
        }
        Ok(())
    }

    fn damaged(&self, what: &str) -> Fault {
        damaged(what).value(names::printable(&self.entry.name))
    }
}

fn read_some<R: Read>(input: &mut R, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

impl<R: Read> Read for EntryReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        match &self.state {
            State::Running => self.step(into).map_err(|fault| {
                self.state = State::Failed(fault.clone());
                fault.into()
            }),
            State::Done => Ok(0),
            State::Failed(fault) => Err(fault.clone().into()),
        }
    }
}
