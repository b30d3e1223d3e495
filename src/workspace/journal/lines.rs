//! The journal as JSON lines, one entry a line. There is only one way to write an entry, so that any changed byte is found.
//!
//! Entries of the old chain have the form of schema 1, byte for byte as older programs wrote them. Those of other chains have schema 2, with the
//! kind of chain and the code of the clinic.

use std::io::{self, BufRead, Read as _, Write};

use serde::{Deserialize, Serialize};

use super::{Chain, Digest, Draft, Entry, JournalHead, JournalVerdict, JournalVerifier, Line, OLD_SCHEMA, SCHEMA};

/// The longest line, bytes. Entries are small; a longer line cannot be an entry and must not fill the memory.
pub const MAX_LINE: usize = 16 << 20;

#[derive(Serialize)]
struct LineWritten<'e> {
    schema: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mo: Option<&'e str>,
    seq: u64,
    at: &'e str,
    user: &'e str,
    host: &'e str,
    role: &'e str,
    action: &'e str,
    registry: &'e str,
    subject: &'e str,
    before: &'e str,
    after: &'e str,
    details: &'e str,
    prev: Digest,
    hash: Digest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineRead {
    schema: u8,
    chain: Option<String>,
    mo: Option<String>,
    seq: u64,
    at: String,
    user: String,
    host: String,
    role: String,
    action: String,
    registry: String,
    subject: String,
    before: String,
    after: String,
    details: String,
    prev: Digest,
    hash: Digest,
}

fn write_line(out: &mut Vec<u8>, entry: &Entry) -> io::Result<()> {
    let [at, user, host, role, action, registry, subject, before, after, details] = entry.draft.fields();
    let (seq, prev, hash) = (entry.seq, entry.prev, entry.hash);
    let (schema, chain, mo) = match &entry.chain {
        Chain::Old => (OLD_SCHEMA, None, None),
        chain => (SCHEMA, Some(chain.word()), Some(chain.mo())),
    };
    out.clear();
    serde_json::to_writer(
        &mut *out,
        &LineWritten { schema, chain, mo, seq, at, user, host, role, action, registry, subject, before, after, details, prev, hash },
    )?;
    out.push(b'\n');
    if out.len() > MAX_LINE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("entry {seq} has {} bytes, at most {MAX_LINE} can be read back", out.len())));
    }
    Ok(())
}

/// Writes entries, one a line.
///
/// # Errors
/// The target cannot be written, or an entry is longer than [`MAX_LINE`].
pub fn write_jsonl<'e>(out: &mut dyn Write, entries: impl IntoIterator<Item = &'e Entry>) -> io::Result<()> {
    let mut line = Vec::new();
    for entry in entries {
        write_line(&mut line, entry)?;
        out.write_all(&line)?;
    }
    Ok(())
}

impl Line {
    fn parse(bytes: &[u8], canonical: &mut Vec<u8>) -> Self {
        let Ok(row) = serde_json::from_slice::<LineRead>(bytes) else { return Self::Unreadable };
        let LineRead { schema, chain, mo, seq, at, user, host, role, action, registry, subject, before, after, details, prev, hash } = row;
        let chain = match (schema, chain.as_deref(), mo.as_deref()) {
            (OLD_SCHEMA, None, None) => Some(Chain::Old),
            (SCHEMA, Some(word), Some(mo)) => Chain::of(word, mo).filter(|chain| *chain != Chain::Old),
            _ => None,
        };
        let Some(chain) = chain else { return Self::Unreadable };
        let draft = Draft { at, user, host, role, action, registry, subject, before, after, details };
        let entry = Entry { chain, seq, draft, prev, hash };
        let as_written = write_line(canonical, &entry).is_ok() && canonical == bytes;
        Self::Entry { entry: Box::new(entry), as_written }
    }
}

/// The lines of an exported journal, one after another.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    canonical: Vec<u8>,
}

/// Reads an exported journal line by line, in the memory of one line.
pub fn read_jsonl<R: BufRead>(reader: R) -> Lines<R> {
    Lines { reader, line: Vec::new(), canonical: Vec::new() }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<io::Result<Line>> {
        self.line.clear();
        match self.reader.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut self.line) {
            Err(error) => return Some(Err(error)),
            Ok(0) => return None,
            Ok(MAX_LINE) if self.line.last() != Some(&b'\n') => {
                return Some(skip_line(&mut self.reader).map(|()| Line::Unreadable));
            }
            Ok(_) => {}
        }
        Some(Ok(Line::parse(&self.line, &mut self.canonical)))
    }
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = memchr::memchr(b'\n', buffer);
        let used = end.map_or(buffer.len(), |at| at + 1);
        reader.consume(used);
        if end.is_some() || used == 0 {
            return Ok(());
        }
    }
}

/// Verifies an exported journal, and compares it with a head if one is given.
///
/// # Errors
/// The file cannot be read. Faults of its content are in the verdict.
pub fn verify_jsonl(reader: impl BufRead, head: Option<&JournalHead>) -> io::Result<JournalVerdict> {
    let mut verifier = head.map_or_else(JournalVerifier::new, JournalVerifier::against);
    for line in read_jsonl(reader) {
        verifier.line(&line?);
    }
    Ok(verifier.finish())
}
