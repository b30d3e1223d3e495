//! Cuts a stream into pieces at record boundaries, so that records can be checked in parallel and a file is never held in memory as a whole.

use std::io::{self, Read};

use memchr::memmem;
use sha2::{Digest, Sha256};

use super::encoding::{BOM, Coding, Evidence};
use super::fault::Fault;
use crate::finding::Check;
use crate::timings::{self, Phase, Timings};
use crate::values::hex;

/// Target size of a piece in bytes.
pub const PIECE: usize = 512 << 10;
/// Largest size of a record in bytes.
pub const LARGEST_RECORD: usize = 8 << 20;

/// A piece of whole records. The first piece also contains the head of the file, the last one its tail.
#[derive(Debug)]
pub struct Chunk {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Offset of the first byte in the file.
    pub offset: u64,
    /// Whether this is the last piece.
    pub last: bool,
    /// Whether the piece is the last one because no record ended within the largest size, and not because the file ended.
    pub cut: bool,
}

impl Chunk {
    /// The text without a byte order mark, and its offset in the file.
    pub fn text(&self) -> (&[u8], u64) {
        match self.bytes.strip_prefix(BOM) {
            Some(text) if self.offset == 0 => (text, BOM.len() as u64),
            _ => (&self.bytes, self.offset),
        }
    }
}

/// Reads a stream and cuts it after end tags of records.
pub struct Chunks<'t> {
    source: Box<dyn Read + Send>,
    /// The end tag of a record, `</ZAP>`.
    boundary: memmem::Finder<'static>,
    rest: Vec<u8>,
    offset: u64,
    hasher: Option<Sha256>,
    /// Whether the last piece has been returned.
    done: bool,
    /// Whether the stream has ended.
    ended: bool,
    failed: bool,
    piece: usize,
    largest: usize,
    timings: Option<&'t Timings>,
    /// The encoding of the file.
    coding: Coding,
    /// What the file's encoding should be and what speaks for another one, while it is not sure.
    unsure: Option<(Coding, Evidence)>,
    turned: Option<Coding>,
}

impl std::fmt::Debug for Chunks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chunks").field("offset", &self.offset).field("done", &self.done).finish_non_exhaustive()
    }
}

impl<'t> Chunks<'t> {
    /// Cuts a stream whose records are elements named `record`. With `hash` it also computes the SHA-256 of all bytes.
    pub fn new(source: Box<dyn Read + Send>, record: &str, hash: bool) -> Self {
        let boundary = memmem::Finder::new(format!("</{record}>").as_bytes()).into_owned();
        let hasher = hash.then(Sha256::new);
        Self {
            source,
            boundary,
            rest: Vec::new(),
            offset: 0,
            hasher,
            done: false,
            ended: false,
            failed: false,
            piece: PIECE,
            largest: LARGEST_RECORD,
            timings: None,
            coding: Coding::default(),
            unsure: None,
            turned: None,
        }
    }

    /// Sets the encoding of the file, if it is not one that can be read as it is. With `unsure`, the declared encoding, the pieces are watched
    /// until they hold enough letters to be sure of it; see [`Chunks::turned`].
    #[must_use]
    pub fn coded(mut self, coding: Coding, unsure: Option<Coding>) -> Self {
        self.coding = coding;
        self.unsure = unsure.map(|declared| (declared, Evidence::default()));
        self
    }

    /// The real encoding, if a piece has shown that it is not the one that was taken for it.
    pub fn turned(&self) -> Option<Coding> {
        self.turned
    }

    /// Takes in what a piece says about the encoding. Pieces of ASCII, as most main files have, cost a look of a few microseconds.
    fn watch(&mut self, piece: &[u8], whole: bool) {
        if let Some((declared, evidence)) = &mut self.unsure {
            evidence.add(piece, whole);
            let found = evidence.judge(*declared);
            self.turned = Some(found).filter(|found| *found != self.coding);
            if self.turned.is_some() || evidence.is_settled() {
                self.unsure = None;
            }
        }
    }

    /// Sets another piece size than [`PIECE`].
    #[must_use]
    pub fn with_piece(mut self, piece: usize) -> Self {
        self.piece = piece.max(1);
        self
    }

    /// Sets another largest record size than [`LARGEST_RECORD`].
    #[must_use]
    pub fn with_largest(mut self, largest: usize) -> Self {
        self.largest = largest;
        self
    }

    /// Adds the times of reading and of the digest to `timings`.
    #[must_use]
    pub fn timed(mut self, timings: Option<&'t Timings>) -> Self {
        self.timings = timings;
        self
    }

    /// SHA-256 of the whole stream as hexadecimal digits; `None` when the stream has not been read to its end or no digest was requested.
    pub fn digest(&mut self) -> Option<String> {
        let digest = self.hasher.take().filter(|_| self.ended && !self.failed)?.finalize();
        Some(hex(&digest))
    }

    /// The next piece, reusing the memory of `buffer`; `None` at the end.
    ///
    /// # Errors
    /// The stream fails, possibly with the fault of an archive.
    pub fn next_chunk(&mut self, mut buffer: Vec<u8>) -> Result<Option<Chunk>, Fault> {
        if self.done {
            return Ok(None);
        }
        buffer.clear();
        buffer.append(&mut self.rest);
        let mut wanted = self.piece.max(buffer.len() + self.piece / 2);
        loop {
            self.fill(&mut buffer, wanted)?;
            let boundary = if self.ended { Some(buffer.len()) } else { last_boundary(&buffer, &self.boundary) };
            // A piece without the end of a record is returned too: the scanner may find a better reason in it; otherwise the size is the fault.
            let cut = boundary.is_none() && buffer.len() >= self.largest;
            if let Some(end) = boundary.or(cut.then_some(buffer.len())) {
                self.rest.extend_from_slice(&buffer[end..]);
                buffer.truncate(end);
                let offset = self.offset;
                self.offset += end as u64;
                self.watch(&buffer, !cut);
                self.coding.rewrite(&mut buffer, offset);
                self.done = self.ended || cut;
                return Ok(Some(Chunk { bytes: buffer, offset, last: self.done, cut }));
            }
            wanted = (buffer.len() * 2).min(self.largest);
        }
    }

    /// Reads the rest for the digest only, after a fault of the markup.
    ///
    /// # Errors
    /// The stream fails.
    pub fn drain(&mut self) -> Result<(), Fault> {
        self.done = true;
        let mut buffer = Vec::with_capacity(self.piece);
        while !self.ended {
            buffer.clear();
            self.fill(&mut buffer, self.piece)?;
        }
        Ok(())
    }

    fn fill(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> Result<(), Fault> {
        let start = buffer.len();
        if wanted <= start || self.ended {
            return Ok(());
        }
        let inflate = timings::span(self.timings, Phase::Inflate);
        let read = (&mut self.source).take((wanted - start) as u64).read_to_end(buffer);
        drop(inflate);
        let read = read.map_err(|e: io::Error| {
            // A stream that has failed is not read again.
            (self.done, self.ended, self.failed) = (true, true, true);
            Fault::from(e)
        })?;
        timings::bytes(self.timings, Phase::Inflate, read as u64);
        if let Some(hasher) = &mut self.hasher {
            let _digest = timings::span(self.timings, Phase::Digest);
            timings::bytes(self.timings, Phase::Digest, read as u64);
            hasher.update(&buffer[start..]);
        }
        self.ended = read < wanted - start;
        Ok(())
    }
}

/// The fault of a record that begins at `offset` and does not end within `largest` bytes.
pub fn record_too_large(offset: u64, largest: usize) -> Fault {
    Fault::new(Check::XmlRecord).at(offset).expected(largest)
}

/// The offset after the last end tag of a record outside comments, CDATA and instructions.
fn last_boundary(bytes: &[u8], boundary: &memmem::Finder<'_>) -> Option<usize> {
    let length = boundary.needle().len();
    // Registries contain neither comments nor CDATA after their head, so usually one search is enough.
    if memmem::find(bytes, b"<!").is_none() && memmem::find(bytes, b"<?").is_none() {
        return memmem::rfind(bytes, boundary.needle()).map(|at| at + length);
    }
    let (mut at, mut last) = (0, None);
    while at < bytes.len() {
        let Some(next) = memchr::memchr(b'<', &bytes[at..]).map(|n| at + n) else { return last };
        let rest = &bytes[next..];
        at = next + 1;
        match rest.get(1) {
            Some(b'/') if rest.starts_with(boundary.needle()) => {
                at = next + length;
                last = Some(at);
            }
            Some(b'!' | b'?') => {
                let hidden = [(b"<!--".as_slice(), b"-->".as_slice()), (b"<![CDATA[", b"]]>"), (b"<?", b"?>")];
                if let Some((head, tail)) = hidden.iter().find(|(head, _)| rest.starts_with(head)) {
                    match memmem::find(&rest[head.len()..], tail) {
                        Some(n) => at = next + head.len() + n + tail.len(),
                        None => return last,
                    }
                }
            }
            _ => {}
        }
        if at >= bytes.len() {
            return last;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, piece: usize) -> Vec<String> {
        let mut chunks = Chunks::new(Box::new(io::Cursor::new(text.as_bytes().to_vec())), "Z", true).with_piece(piece);
        let mut out = Vec::new();
        let mut offset = 0;
        while let Some(chunk) = chunks.next_chunk(Vec::new()).expect("reads") {
            assert_eq!(chunk.offset, offset);
            offset += chunk.bytes.len() as u64;
            out.push(String::from_utf8(chunk.bytes).expect("text"));
        }
        assert_eq!(out.concat(), text, "nothing is lost");
        out
    }

    #[test]
    fn cuts_after_records_only() {
        let text = format!("<R>{}</R>", "<Z><A>1</A></Z>".repeat(50));
        for piece in [16, 40, 100, 1000] {
            let pieces = pieces(&text, piece);
            for middle in &pieces[..pieces.len() - 1] {
                assert!(middle.ends_with("</Z>"), "{middle}");
            }
        }
    }

    #[test]
    fn boundaries_in_comments_do_not_count() {
        let text = "<R><!-- </Z> --><Z>1</Z><Z><![CDATA[</Z>]]></Z><?p </Z> ?></R>";
        for piece in 8..text.len() {
            for middle in pieces(text, piece) {
                assert!(!middle.ends_with("<!-- </Z>") && !middle.ends_with("[</Z>") && !middle.ends_with("<?p </Z>"), "{middle}");
            }
        }
    }

    #[test]
    fn a_piece_may_end_in_text() {
        let text = format!("<?xml version='1.0'?><R>{}</R>", "<Z><A>a long text without any markup</A></Z>".repeat(40));
        assert!(pieces(&text, 100).len() > 10);
    }

    #[test]
    fn digest_is_of_all_bytes() {
        let mut chunks = Chunks::new(Box::new(io::Cursor::new(b"abc".to_vec())), "Z", true);
        while chunks.next_chunk(Vec::new()).expect("reads").is_some() {}
        assert_eq!(chunks.digest().as_deref(), Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    }

    #[test]
    fn an_endless_record_is_cut() {
        let mut chunks = Chunks::new(Box::new(io::repeat(b'a')), "Z", true).with_piece(1 << 10).with_largest(100 << 10);
        let chunk = chunks.next_chunk(Vec::new()).expect("reads").expect("a piece");
        assert!(chunk.last && chunk.cut && chunk.bytes.len() == 100 << 10);
        assert!(chunks.next_chunk(Vec::new()).expect("reads").is_none());
        assert_eq!(chunks.digest(), None, "the stream is not at its end");
        let mut chunks = Chunks::new(Box::new(io::Cursor::new(vec![b'a'; 1 << 20])), "Z", true).with_piece(1 << 10).with_largest(100 << 10);
        assert!(chunks.next_chunk(Vec::new()).expect("reads").is_some_and(|c| c.cut));
        chunks.drain().expect("reads");
        assert_eq!(chunks.digest().as_deref(), Some("9bc1b2a288b26af7257a36277ae3816a7d4f16e89c1e7e77d0a5c48bad62b360"), "of all bytes, also behind the cut");
    }

    #[test]
    fn a_broken_stream_stays_broken() {
        struct Broken(u8);
        impl Read for Broken {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                buffer.fill(b'a');
                if self.0 == 2 { Err(io::ErrorKind::TimedOut.into()) } else { Ok(buffer.len()) }
            }
        }
        let mut chunks = Chunks::new(Box::new(Broken(0)), "Z", true);
        assert_eq!(chunks.next_chunk(Vec::new()).expect_err("broken").check, Check::Unreadable);
        assert!(chunks.next_chunk(Vec::new()).expect("over").is_none());
        assert_eq!((chunks.drain(), chunks.digest()), (Ok(()), None));
    }
}
