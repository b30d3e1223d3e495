//! The compiled form of a book: an import writes it to a file, and an embedded table is compiled to it in memory.
//!
//! All numbers are little-endian `u32`. The head holds magic, version, SHA-256 of everything after the digest, counts, and ids of strings. Then
//! come the field names, the span of days of each row, the cells row by row (ids of strings), the offsets of the strings, and the strings
//! themselves (UTF-8). The digest and the sizes of a file are checked when it is opened. A file with a forged digest is still safe: every id,
//! offset and text is checked when used, so a wrong one gives a wrong or empty text, never a panic.

use std::fmt;
use std::ops::Deref;

use sha2::{Digest, Sha256};

use super::hash::hash;
use super::map::Mapping;
use crate::texts::{Coded, ErrorClass, Key, display};
use crate::values::{Date, Span};

const MAGIC: &[u8; 8] = b"PUOMPNSI";
const VERSION: u32 = 1;
/// Offset of the digest, which covers everything after itself.
const DIGEST: usize = 12;
const BODY: usize = DIGEST + 32;
/// The numbers at the beginning of the body.
const HEAD: [&str; 10] = ["rows", "fields", "strings", "heap", "date", "checked", "id", "edition", "source", "flags"];
const TABLES: usize = BODY + HEAD.len() * 4;

/// A bound on the number of fields that no real book reaches.
pub(super) const MAX_FIELDS: usize = 256;

/// Why a compiled book cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageError {
    /// The file is not a compiled book.
    Foreign,
    /// The file was written by a later version of the program.
    Newer,
    /// The content does not match the digest.
    Digest,
    /// The digest is right, but the sizes do not form a book.
    Structure,
}

impl Coded for ImageError {
    fn key(&self) -> Key {
        match self {
            Self::Foreign => Key::NsiFaultForeign,
            Self::Newer => Key::NsiFaultNewer,
            Self::Digest | Self::Structure => Key::NsiFaultDamaged,
        }
    }

    fn class(&self) -> ErrorClass {
        ErrorClass::Input
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for ImageError {}

/// The bytes of a compiled book, in memory or in a mapped file.
#[derive(Debug)]
pub(super) enum Bytes {
    Owned(Vec<u8>),
    Mapped(Mapping),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes,
            Self::Mapped(mapping) => mapping,
        }
    }
}

/// The flags in the head.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags(u32);

impl Flags {
    /// The user forced this edition: a newer embedded one does not replace it.
    pub(super) const PINNED: Self = Self(1);
    /// The date of the edition is the latest date in its rows, because the file stated none.
    pub(super) const DATED_BY_ROWS: Self = Self(2);

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The description of an edition, without its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) id: String,
    pub(super) edition: String,
    /// Name of the imported file.
    pub(super) source: String,
    pub(super) date: Option<Date>,
    /// The last day on which the site named this edition as the current one.
    pub(super) checked: Option<Date>,
    pub(super) flags: Flags,
}

/// A checked compiled book.
#[derive(Debug)]
pub(super) struct Image {
    bytes: Bytes,
    rows: u32,
    fields: u32,
    strings: u32,
    spans: usize,
    cells: usize,
    offsets: usize,
    heap: usize,
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    four.try_into().ok().map(u32::from_le_bytes)
}

impl Image {
    /// Checks the digest and the sizes of a file.
    pub(super) fn open(bytes: Bytes) -> Result<Self, ImageError> {
        if bytes.len() < TABLES || !bytes.starts_with(MAGIC) {
            return Err(ImageError::Foreign);
        }
        if number(&bytes, 8) != Some(VERSION) {
            return Err(ImageError::Newer);
        }
        if Sha256::digest(&bytes[BODY..])[..] != bytes[DIGEST..BODY] {
            return Err(ImageError::Digest);
        }
        Self::place(bytes).ok_or(ImageError::Structure)
    }

    fn place(bytes: Bytes) -> Option<Self> {
        let head = |i: usize| number(&bytes, BODY + i * 4);
        let (rows, fields, strings, heap_len) = (head(0)?, head(1)?, head(2)?, head(3)? as usize);
        let sized = |count: u64| usize::try_from(count.checked_mul(4)?).ok();
        let spans = TABLES.checked_add(sized(fields.into())?)?;
        let cells = spans.checked_add(sized(u64::from(rows) * 2)?)?;
        let offsets = cells.checked_add(sized(u64::from(rows).checked_mul(fields.into())?)?)?;
        let heap = offsets.checked_add(sized(u64::from(strings) + 1)?)?;
        let fits = heap.checked_add(heap_len)? == bytes.len() && (1..=MAX_FIELDS).contains(&(fields as usize)) && strings > 0;
        if !fits {
            return None;
        }
        Some(Self { bytes, rows, fields, strings, spans, cells, offsets, heap })
    }

    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    pub(super) fn fields(&self) -> u32 {
        self.fields
    }

    pub(super) fn strings(&self) -> u32 {
        self.strings
    }

    /// The bytes of a string; empty when there is no such string.
    #[inline]
    pub(super) fn bytes_of(&self, id: u32) -> &[u8] {
        let at = self.offsets + id as usize * 4;
        let range = || Some(self.heap + number(&self.bytes, at)? as usize..self.heap + number(&self.bytes, at + 4)? as usize);
        if id < self.strings { range().and_then(|r| self.bytes.get(r)).unwrap_or_default() } else { &[] }
    }

    pub(super) fn text(&self, id: u32) -> &str {
        std::str::from_utf8(self.bytes_of(id)).unwrap_or_default()
    }

    pub(super) fn field_name(&self, field: u32) -> &str {
        number(&self.bytes, TABLES + field as usize * 4).filter(|_| field < self.fields).map_or("", |id| self.text(id))
    }

    /// Id of the string in a cell.
    #[inline]
    pub(super) fn cell(&self, row: u32, field: u32) -> Option<u32> {
        let inside = row < self.rows && field < self.fields;
        let at = self.cells + (row as usize * self.fields as usize + field as usize) * 4;
        if inside { number(&self.bytes, at).filter(|id| *id < self.strings) } else { None }
    }

    #[inline]
    pub(super) fn span(&self, row: u32) -> Span {
        let at = self.spans + row as usize * 8;
        let day = |at| number(&self.bytes, at).and_then(Date::from_number);
        // A row that does not exist is valid on no day.
        let never = Span { from: Date::MAX, until: Date::MIN };
        if row < self.rows { day(at).zip(day(at + 4)).map_or(never, |(from, until)| Span { from, until }) } else { never }
    }

    pub(super) fn head(&self) -> Head {
        let field = |i: usize| number(&self.bytes, BODY + i * 4).unwrap_or(0);
        let day = |i: usize| Date::from_number(field(i)).filter(|d| *d > Date::MIN);
        Head {
            id: self.text(field(6)).to_owned(),
            edition: self.text(field(7)).to_owned(),
            source: self.text(field(8)).to_owned(),
            date: day(4),
            checked: day(5),
            flags: Flags(field(9)),
        }
    }
}

/// Collects rows and writes them as a compiled book.
#[derive(Debug, Default)]
pub(super) struct Builder {
    /// Hash table of string ids + 1; 0 marks a free place. Its length is a power of two, and at most half of the places are used.
    ids: Vec<u32>,
    heap: String,
    /// The start of each string, and the end of the last one.
    offsets: Vec<u32>,
    fields: Vec<u32>,
    spans: Vec<Span>,
    cells: Vec<u32>,
}

/// The book exceeds the compiled form: 4 GB of text or 256 fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLarge;

impl Builder {
    pub(super) fn new<'a>(fields: impl IntoIterator<Item = &'a str>) -> Result<Self, TooLarge> {
        let mut builder = Self { ids: vec![0; 64], offsets: vec![0], ..Self::default() };
        for field in fields {
            let id = builder.intern(field)?;
            builder.fields.push(id);
        }
        if (1..=MAX_FIELDS).contains(&builder.fields.len()) { Ok(builder) } else { Err(TooLarge) }
    }

    fn intern(&mut self, text: &str) -> Result<u32, TooLarge> {
        let mut at = self.place(text);
        if let Some(id) = self.ids[at].checked_sub(1) {
            return Ok(id);
        }
        if self.strings() * 2 >= self.ids.len() {
            self.ids = vec![0; self.ids.len() * 2];
            for id in 0..self.strings() {
                let at = self.place(self.string(id));
                self.ids[at] = id as u32 + 1;
            }
            at = self.place(text);
        }
        let next = u32::try_from(self.strings() + 1).map_err(|_| TooLarge)?;
        self.heap.push_str(text);
        self.offsets.push(u32::try_from(self.heap.len()).map_err(|_| TooLarge)?);
        self.ids[at] = next;
        Ok(next - 1)
    }

    fn strings(&self) -> usize {
        self.offsets.len() - 1
    }

    fn string(&self, id: usize) -> &str {
        &self.heap[self.offsets[id] as usize..self.offsets[id + 1] as usize]
    }

    /// The place of a string's id in the hash table, or the free place where it belongs.
    fn place(&self, text: &str) -> usize {
        let mask = self.ids.len() - 1;
        let mut at = hash(text.as_bytes()) as usize & mask;
        while self.ids[at].checked_sub(1).is_some_and(|id| self.string(id as usize) != text) {
            at = (at + 1) & mask;
        }
        at
    }

    /// Adds a row. Missing cells are empty; cells beyond the number of fields are ignored.
    pub(super) fn push<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>, span: Span) -> Result<(), TooLarge> {
        let mut cells = cells.into_iter();
        for _ in 0..self.fields.len() {
            let id = self.intern(cells.next().unwrap_or_default())?;
            self.cells.push(id);
        }
        self.spans.push(span);
        Ok(())
    }

    /// The compiled form as the bytes of a file.
    pub(super) fn finish(self, head: &Head) -> Result<Vec<u8>, TooLarge> {
        let mut out = self.undigested(head)?;
        let digest = Sha256::digest(&out[BODY..]);
        out[DIGEST..BODY].copy_from_slice(&digest);
        Ok(out)
    }

    /// The compiled form kept in memory.
    pub(super) fn image(self, head: &Head) -> Result<Image, TooLarge> {
        Image::place(Bytes::Owned(self.undigested(head)?)).ok_or(TooLarge)
    }

    fn undigested(mut self, head: &Head) -> Result<Vec<u8>, TooLarge> {
        let texts = [self.intern(&head.id)?, self.intern(&head.edition)?, self.intern(&head.source)?];
        let length = |n: usize| u32::try_from(n).map_err(|_| TooLarge);
        let day = |d: Option<Date>| d.map_or(0, Date::number);
        let counts =
            [length(self.spans.len())?, length(self.fields.len())?, length(self.strings())?, length(self.heap.len())?, day(head.date), day(head.checked)];
        let spans = self.spans.iter().flat_map(|s| [s.from.number(), s.until.number()]);
        let mut out = Vec::with_capacity(TABLES + self.heap.len() + (self.fields.len() + self.spans.len() * 2 + self.cells.len() + self.offsets.len()) * 4);
        let numbers = counts.into_iter().chain(texts).chain([head.flags.0]).chain(self.fields).chain(spans).chain(self.cells).chain(self.offsets);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; BODY - DIGEST]);
        numbers.for_each(|n| out.extend_from_slice(&n.to_le_bytes()));
        out.extend_from_slice(self.heap.as_bytes());
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut builder = Builder::new(["IDPR", "PRNAME"]).expect("two fields");
        let date = |text| Date::parse(text).expect("a day");
        builder.push(["97", "терапии"], Span::ALWAYS).expect("small");
        builder.push(["113"], Span { from: date("2011-01-01"), until: date("2013-07-07") }).expect("small");
        let head = Head { id: "V002".into(), edition: "3.0".into(), source: "V002.xml".into(), date: Some(date("2018-03-30")), ..Head::default() };
        builder.finish(&head).expect("small")
    }

    fn digest_again(bytes: &mut [u8]) {
        let digest = Sha256::digest(&bytes[BODY..]);
        bytes[DIGEST..BODY].copy_from_slice(&digest);
    }

    #[test]
    fn what_is_written_is_read() {
        let image = Image::open(Bytes::Owned(sample())).expect("sound");
        assert_eq!((image.rows(), image.fields(), image.field_name(1), image.field_name(2)), (2, 2, "PRNAME", ""));
        let cell = |row, field| image.cell(row, field).map(|id| image.text(id));
        assert_eq!([cell(0, 0), cell(0, 1), cell(1, 0), cell(1, 1), cell(2, 0), cell(0, 2)], [Some("97"), Some("терапии"), Some("113"), Some(""), None, None]);
        assert_eq!([image.span(0).to_string(), image.span(1).to_string()], ["..", "2011-01-01..2013-07-07"]);
        assert!(!image.span(2).holds(Date::new(2026, 3, 1).expect("a day")));
        let head = image.head();
        assert_eq!((head.id.as_str(), head.edition.as_str(), head.source.as_str(), head.checked), ("V002", "3.0", "V002.xml", None));
        assert_eq!(head.date.map(|d| d.to_string()).as_deref(), Some("2018-03-30"));
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_seen() {
        let good = sample();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            assert!(Image::open(Bytes::Owned(bad)).is_err(), "byte {at}");
            assert!(Image::open(Bytes::Owned(good[..at].to_vec())).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_forged_digest_does_not_help() {
        let good = sample();
        for at in (BODY..good.len()).step_by(4) {
            for value in [0, 1, 2, 1000, u32::MAX, u32::MAX / 4, 0x8000_0000] {
                let mut bad = good.clone();
                bad.resize(good.len().max(at + 4), 0);
                bad[at..at + 4].copy_from_slice(&value.to_le_bytes());
                digest_again(&mut bad);
                if let Ok(image) = Image::open(Bytes::Owned(bad)) {
                    for row in 0..image.rows().min(10) + 1 {
                        let _ = (image.span(row), (0..image.fields()).map(|f| image.cell(row, f).map(|id| image.text(id).len())).collect::<Vec<_>>());
                    }
                    let _ = image.head();
                }
            }
        }
    }
}
