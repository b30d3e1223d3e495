//! The archive: several threads deflate both files; the bytes do not depend on the number of threads.
//!
//! A file is deflated in separate pieces, each ended at a byte boundary (a sync flush, as in pigz); one after the other they are one stream. Packed
//! files wait in memory or in an unnamed temporary file, so that the headers of the archive can state their sizes and nobody must seek in the result.

use std::io::{self, Read, Seek, SeekFrom, Write};

use flate2::{Compress, Compression, Crc, FlushCompress};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use tempfile::SpooledTempFile;

use super::feed::{Feed, Work};
use super::{FormError, Formed};
use crate::timings::{self, Phase, Timings};
use crate::values::hex;

/// Most packed bytes of one file that are kept in memory.
const IN_MEMORY: usize = 1 << 20;
/// Compression level of deflate.
const LEVEL: u32 = 2;
/// An empty last block with fixed codes: the end of a deflated stream whose pieces were flushed.
const END: &[u8] = &[0x03, 0x00];

/// A piece of a file, deflated.
#[derive(Debug)]
pub(super) struct Deflated {
    packed: Vec<u8>,
    crc: Crc,
    size: u64,
}

/// Deflates a piece.
pub(super) fn deflate(bytes: &[u8]) -> io::Result<Deflated> {
    let mut crc = Crc::new();
    crc.update(bytes);
    let mut compress = Compress::new(Compression::new(LEVEL), false);
    let mut packed = Vec::with_capacity(bytes.len() / 6 + 1024);
    loop {
        let taken = compress.total_in() as usize;
        compress.compress_vec(&bytes[taken..], &mut packed, FlushCompress::Sync).map_err(io::Error::other)?;
        // Room left after a flush means that all output has come out.
        if compress.total_in() as usize == bytes.len() && packed.len() < packed.capacity() {
            return Ok(Deflated { packed, crc, size: bytes.len() as u64 });
        }
        packed.reserve(packed.len() / 2 + 1024);
    }
}

/// A file of the archive.
#[derive(Debug)]
pub(super) struct Part {
    name: String,
    spool: SpooledTempFile,
    crc: Crc,
    size: u64,
    packed: u64,
}

impl Part {
    pub(super) fn new(name: String) -> Self {
        Self { name, spool: SpooledTempFile::new(IN_MEMORY), crc: Crc::new(), size: 0, packed: 0 }
    }

    pub(super) fn add(&mut self, piece: &Deflated) -> io::Result<()> {
        self.spool.write_all(&piece.packed)?;
        self.crc.combine(&piece.crc);
        self.size += piece.size;
        self.packed += piece.packed.len() as u64;
        Ok(())
    }

    /// Adds bytes that are too few for a thread of their own.
    pub(super) fn add_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.add(&deflate(bytes)?)
    }

    /// Adds the last bytes and ends the stream.
    pub(super) fn end(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.add_bytes(bytes)?;
        self.spool.write_all(END)?;
        self.packed += END.len() as u64;
        self.spool.seek(SeekFrom::Start(0)).map(|_| ())
    }

    /// Unpacked size in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }
}

/// Processes every piece of work, several in parallel. `take` receives the results of each registry in their order, and returns whether it wants
/// more. The time counts as [`Phase::Forming`].
pub(super) fn each<'o, P, T>(
    timings: Option<&Timings>,
    feed: &mut Feed<'o, P>,
    work: impl Fn(&Work<P>) -> Result<T, FormError> + Sync,
    mut take: impl FnMut(usize, Result<T, FormError>) -> bool,
) where
    P: Send + Sync + 'o,
    T: Send,
{
    let one = |one: Result<Work<P>, (usize, FormError)>| match one {
        Ok(one) => {
            let _forming = timings::span(timings, Phase::Forming);
            (one.lane, work(&one))
        }
        Err((lane, error)) => (lane, Err(error)),
    };
    let read = |feed: &mut Feed<'o, P>| {
        let _forming = timings::span(timings, Phase::Forming);
        feed.batch()
    };
    let mut batch = read(feed);
    while !batch.is_empty() {
        let (done, next) = rayon::join(|| batch.into_par_iter().map(one).collect::<Vec<_>>(), || read(feed));
        batch = next;
        let _forming = timings::span(timings, Phase::Forming);
        for (lane, result) in done {
            if !take(lane, result) {
                feed.leave(lane);
                batch.retain(|work| work.as_ref().map_or_else(|(own, _)| *own, |work| work.lane) != lane);
            }
        }
    }
}

/// The date of every entry is 1980-01-01, so that the same registry gives the same archive.
const DATE: u16 = 0x21;
const DEFLATED: u16 = 8;
/// Version 2.0 of the archive format: deflate.
const NEEDED: u16 = 20;

/// An archive whose files are packed.
#[derive(Debug)]
pub struct Packed {
    /// The main file, then the person file.
    pub(super) parts: Vec<Part>,
    pub(super) formed: Formed,
}

impl Packed {
    /// Writes the archive.
    ///
    /// # Errors
    /// The target cannot be written; the archive is larger than its format allows.
    pub fn write(mut self, out: impl Write) -> Result<Formed, FormError> {
        let sha256 = write(&mut self.parts, out)?;
        Ok(Formed { sha256, ..self.formed })
    }
}

/// Writes the archive; returns its SHA-256.
fn write(parts: &mut [Part], out: impl Write) -> io::Result<String> {
    let mut out = Hashed { out, hasher: Sha256::new(), written: 0 };
    let mut directory = Vec::new();
    for part in parts.iter_mut() {
        let too_large = || io::Error::from(io::ErrorKind::FileTooLarge);
        let small = |n: u64| u32::try_from(n).map_err(|_| too_large());
        let mut common = Vec::new();
        for number in [NEEDED, 0, DEFLATED, 0, DATE] {
            common.extend_from_slice(&number.to_le_bytes());
        }
        for number in [part.crc.sum(), small(part.packed)?, small(part.size)?] {
            common.extend_from_slice(&number.to_le_bytes());
        }
        common.extend_from_slice(&u16::try_from(part.name.len()).map_err(|_| too_large())?.to_le_bytes());
        common.extend_from_slice(&[0; 2]);

        directory.extend_from_slice(b"PK\x01\x02");
        directory.extend_from_slice(&NEEDED.to_le_bytes());
        directory.extend_from_slice(&common);
        // No comment, the first disk, no attributes.
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&small(out.written)?.to_le_bytes());
        directory.extend_from_slice(part.name.as_bytes());

        out.write_all(b"PK\x03\x04")?;
        out.write_all(&common)?;
        out.write_all(part.name.as_bytes())?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            match part.spool.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => out.write_all(&buffer[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    let start = u32::try_from(out.written).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    let count = parts.len() as u16;
    out.write_all(&directory)?;
    out.write_all(b"PK\x05\x06\0\0\0\0")?;
    for number in [count, count] {
        out.write_all(&number.to_le_bytes())?;
    }
    for number in [directory.len() as u32, start] {
        out.write_all(&number.to_le_bytes())?;
    }
    out.write_all(&[0; 2])?;
    out.flush()?;
    Ok(hex(&out.hasher.finalize()))
}

struct Hashed<W> {
    out: W,
    hasher: Sha256,
    written: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::archive::{Archive, Limits};

    /// Bytes that deflate well, badly and not at all.
    fn pieces() -> Vec<Vec<u8>> {
        let mut state = 7u64;
        let noise = |n: usize, state: &mut u64| {
            (0..n)
                .map(|_| {
                    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (*state >> 56) as u8
                })
                .collect::<Vec<u8>>()
        };
        let mut pieces = vec![Vec::new(), b"<A>1</A>".to_vec(), vec![b'x'; 700_000]];
        for n in [1, 1023, 65_536, 300_001] {
            pieces.push(noise(n, &mut state));
        }
        pieces
    }

    #[test]
    fn our_guard_and_the_zip_crate_read_what_we_write() {
        let (all, half) = (pieces().concat(), pieces()[..3].concat());
        let mut parts = [Part::new("HM1.xml".into()), Part::new("LM1.xml".into())];
        for (i, piece) in pieces().iter().enumerate() {
            parts[0].add_bytes(piece).expect("memory takes it");
            if i < 3 {
                parts[1].add_bytes(piece).expect("memory takes it");
            }
        }
        parts.iter_mut().for_each(|p| p.end(b"").expect("memory takes it"));
        let mut bytes = Vec::new();
        let digest = write(&mut parts, &mut bytes).expect("memory takes it");
        assert_eq!(digest, hex(&Sha256::digest(&bytes)));

        let mut own = Archive::new(io::Cursor::new(&bytes), &Limits::default()).expect("sound");
        let mut foreign = zip::ZipArchive::new(io::Cursor::new(&bytes)).expect("sound");
        for (i, (name, wanted)) in [("HM1.xml", &all), ("LM1.xml", &half)].into_iter().enumerate() {
            let mut read = Vec::new();
            own.entry(i).expect("an entry").read_to_end(&mut read).expect("sound");
            assert!(read == *wanted);
            let mut entry = foreign.by_index(i).expect("an entry");
            assert_eq!((&*entry.name().expect("a name"), entry.last_modified().map(|d| (d.year(), d.month(), d.day()))), (name, Some((1980, 1, 1))));
            read.clear();
            entry.read_to_end(&mut read).expect("sound");
            assert!(read == *wanted);
        }
    }
}
