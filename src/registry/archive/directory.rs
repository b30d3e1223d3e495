//! The directory of an archive: the end record, the central headers and the local headers, and the checks among them.

use std::collections::HashSet;
use std::io::{Read, Seek, SeekFrom};

use memchr::memmem;

use super::{Limits, damaged, names};
use crate::finding::Check;
use crate::registry::fault::Fault;

const END: &[u8; 4] = b"PK\x05\x06";
const END_SIZE: usize = 22;
const LOCATOR: &[u8; 4] = b"PK\x06\x07";
const LOCATOR_SIZE: usize = 20;
const END64: &[u8; 4] = b"PK\x06\x06";
const END64_SIZE: usize = 56;
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const CENTRAL_SIZE: usize = 46;
const LOCAL: &[u8; 4] = b"PK\x03\x04";
const LOCAL_SIZE: usize = 30;
/// A digital signature may stand after the last central header.
const SIGNATURE: &[u8; 4] = b"PK\x05\x05";
const ZIP64_FIELD: u16 = 1;

/// Flags: encrypted, patch data, strong encryption, masked headers.
const UNREADABLE_FLAGS: u16 = 1 | 1 << 5 | 1 << 6 | 1 << 13;
const UTF8_FLAG: u16 = 1 << 11;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// One entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name with folders, separated by `/`.
    pub name: String,
    /// Packed size in bytes.
    pub packed: u64,
    /// Unpacked size in bytes as the directory declares it; [`super::EntryReader`] enforces it.
    pub size: u64,
    pub(super) crc: u32,
    pub(super) deflated: bool,
    /// Offset of the packed bytes in the archive.
    pub(super) data_at: u64,
}

impl Entry {
    /// Whether the entry is a folder, which has no content.
    pub fn is_folder(&self) -> bool {
        self.name.ends_with('/')
    }

    /// The name without folders.
    pub fn base_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
}

/// A central header.
#[derive(Debug)]
struct Header {
    raw_name: Vec<u8>,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    local_at: u64,
}

/// Place and size of the central directory.
#[derive(Debug, Clone, Copy)]
struct Place {
    at: u64,
    size: u64,
    entries: u64,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

fn bytes_at<R: Read + Seek>(reader: &mut R, at: u64, count: usize) -> Result<Vec<u8>, Fault> {
    reader.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::with_capacity(count);
    reader.take(count as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads and checks the directory.
pub(super) fn read<R: Read + Seek>(reader: &mut R, limits: &Limits) -> Result<Vec<Entry>, Fault> {
    let place = find(reader)?;
    if place.entries > limits.entries as u64 {
        return Err(Fault::new(Check::ZipEntries).expected(limits.entries).found(place.entries));
    }
    if place.size > limits.directory {
        return Err(damaged("central directory").value(place.size.to_string()));
    }
    let directory = bytes_at(reader, place.at, usize::try_from(place.size).map_err(|_| damaged("central directory"))?)?;
    let headers = headers(&directory, limits)?;
    if headers.len() as u64 != place.entries {
        return Err(damaged("central directory"));
    }
    let names: Vec<String> = headers.iter().map(|h| names::decode(&h.raw_name, h.flags & UTF8_FLAG != 0)).collect();
    check_names(&names, limits)?;
    for (header, name) in headers.iter().zip(&names) {
        if header.flags & UNREADABLE_FLAGS != 0 || !matches!(header.method, STORED | DEFLATED) {
            return Err(Fault::new(Check::ZipMethod).value(names::printable(name)));
        }
    }
    let entries = places(reader, &headers, names, place.at)?;
    check_sizes(&entries, limits)?;
    Ok(entries)
}

/// Finds the end record and, through it, the central directory.
fn find<R: Read + Seek>(reader: &mut R) -> Result<Place, Fault> {
    let length = reader.seek(SeekFrom::End(0))?;
    let window = length.min((END_SIZE + usize::from(u16::MAX) + LOCATOR_SIZE) as u64);
    let tail_at = length - window;
    let tail = bytes_at(reader, tail_at, window as usize)?;
    // The last record whose comment fits into the file: some mail gateways append bytes to it.
    let end = memmem::rfind_iter(&tail, END).find(|at| u16_at(&tail, at + 20).is_some_and(|comment| at + END_SIZE + usize::from(comment) <= tail.len()));
    let end = end.ok_or_else(|| damaged("end of central directory"))?;
    let record = &tail[end..];
    let field16 = |at: usize| u16_at(record, at).unwrap_or_default();
    let field32 = |at: usize| u32_at(record, at).unwrap_or_default();
    let (disk, first_disk, here, entries) = (field16(4), field16(6), field16(8), field16(10));
    let mut place = Place { at: field32(16).into(), size: field32(12).into(), entries: entries.into() };
    let mut limit = tail_at + end as u64;
    if disk == u16::MAX || entries == u16::MAX || place.size == u64::from(u32::MAX) || place.at == u64::from(u32::MAX) {
        (place, limit) = find64(reader, &tail[..end], limit)?;
    } else if disk != 0 || first_disk != 0 || here != entries {
        return Err(damaged("multi-volume"));
    }
    match place.at.checked_add(place.size) {
        Some(end) if end <= limit => Ok(place),
        _ => Err(damaged("central directory")),
    }
}

/// Reads the zip64 end record. `before` holds the bytes up to the plain end record, which is at `limit`.
fn find64<R: Read + Seek>(reader: &mut R, before: &[u8], limit: u64) -> Result<(Place, u64), Fault> {
    let fault = || damaged("zip64 end of central directory");
    let locator = before.len().checked_sub(LOCATOR_SIZE).map(|at| &before[at..]).filter(|l| l.starts_with(LOCATOR)).ok_or_else(fault)?;
    let at = u64_at(locator, 8).filter(|at| at.checked_add(END64_SIZE as u64).is_some_and(|end| end <= limit)).ok_or_else(fault)?;
    let record = bytes_at(reader, at, END64_SIZE)?;
    if record.len() < END64_SIZE || !record.starts_with(END64) {
        return Err(fault());
    }
    let field = |at: usize| u64_at(&record, at).ok_or_else(fault);
    let entries = field(32)?;
    if u32_at(&record, 16) != Some(0) || u32_at(&record, 20) != Some(0) || field(24)? != entries {
        return Err(damaged("multi-volume"));
    }
    Ok((Place { at: field(48)?, size: field(40)?, entries }, at))
}

fn headers(directory: &[u8], limits: &Limits) -> Result<Vec<Header>, Fault> {
    let fault = || damaged("central header");
    let mut headers = Vec::new();
    let mut rest = directory;
    while !rest.is_empty() && !rest.starts_with(SIGNATURE) {
        if headers.len() == limits.entries {
            // The end record gave a smaller number. The exact number does not matter.
            return Err(Fault::new(Check::ZipEntries).expected(limits.entries).found(format!("> {}", limits.entries)));
        }
        if !rest.starts_with(CENTRAL) || rest.len() < CENTRAL_SIZE {
            return Err(fault());
        }
        let length = |at: usize| usize::from(u16_at(rest, at).unwrap_or_default());
        let (name, extra, comment) = (length(28), length(30), length(32));
        let raw_name = rest.get(CENTRAL_SIZE..CENTRAL_SIZE + name).ok_or_else(fault)?;
        let extra_at = CENTRAL_SIZE + name;
        let extra_field = rest.get(extra_at..extra_at + extra).ok_or_else(fault)?;
        let field32 = |at: usize| u32_at(rest, at).ok_or_else(fault);
        let mut large = Zip64 { rest: zip64_field(extra_field) };
        // The wide fields have a fixed order, and only those are present whose narrow field is saturated.
        let size = large.widen(field32(24)?)?;
        let packed = large.widen(field32(20)?)?;
        let local_at = large.widen(field32(42)?)?;
        headers.push(Header {
            raw_name: raw_name.to_vec(),
            flags: u16_at(rest, 8).ok_or_else(fault)?,
            method: u16_at(rest, 10).ok_or_else(fault)?,
            crc: field32(16)?,
            packed,
            size,
            local_at,
        });
        rest = rest.get(extra_at + extra + comment..).ok_or_else(fault)?;
    }
    Ok(headers)
}

struct Zip64<'a> {
    rest: &'a [u8],
}

impl Zip64<'_> {
    fn widen(&mut self, value: u32) -> Result<u64, Fault> {
        if value != u32::MAX {
            return Ok(value.into());
        }
        let wide = u64_at(self.rest, 0).ok_or_else(|| damaged("zip64 field"))?;
        self.rest = &self.rest[8..];
        Ok(wide)
    }
}

/// The body of the zip64 field among the extra fields; empty when there is none.
fn zip64_field(mut extra: &[u8]) -> &[u8] {
    while let (Some(id), Some(size)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let Some(body) = extra.get(4..4 + usize::from(size)) else { break };
        if id == ZIP64_FIELD {
            return body;
        }
        extra = &extra[4 + body.len()..];
    }
    &[]
}

fn check_names(names: &[String], limits: &Limits) -> Result<(), Fault> {
    if let Some(name) = names.iter().find(|n| names::is_unsafe(n)) {
        return Err(Fault::new(Check::ZipName).value(names::printable(name)));
    }
    let mut seen = HashSet::new();
    for name in names.iter().filter(|n| !n.ends_with('/')) {
        let base = if limits.is_flat { name.rsplit('/').next().unwrap_or(name) } else { name };
        // A registry is identified by its file name alone: the same name in two folders or in another letter case means the same file twice.
        if !seen.insert(base.to_lowercase()) {
            return Err(Fault::new(Check::ZipDuplicate).value(names::printable(base)));
        }
        if limits.is_flat && names::names_archive(base) {
            return Err(Fault::new(Check::ZipNested).value(names::printable(base)));
        }
    }
    Ok(())
}

/// Reads the local headers and checks that no two entries share bytes.
fn places<R: Read + Seek>(reader: &mut R, headers: &[Header], names: Vec<String>, directory_at: u64) -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::with_capacity(headers.len());
    let mut spans = Vec::with_capacity(headers.len());
    let mut disagreement = None;
    for (header, name) in headers.iter().zip(names) {
        let fault = || damaged("local header").value(names::printable(&name));
        let local = bytes_at(reader, header.local_at, LOCAL_SIZE + header.raw_name.len())?;
        if local.len() < LOCAL_SIZE || !local.starts_with(LOCAL) {
            return Err(fault());
        }
        let field = |at: usize| u16_at(&local, at).unwrap_or_default();
        let (flags, method, name_size, extra_size) = (field(6), field(8), field(26), field(28));
        let data_at = header.local_at.checked_add(LOCAL_SIZE as u64 + u64::from(name_size) + u64::from(extra_size)).ok_or_else(fault)?;
        let end = data_at.checked_add(header.packed).filter(|end| *end <= directory_at).ok_or_else(fault)?;
        spans.push((header.local_at, end));
        if flags & UNREADABLE_FLAGS != 0 {
            disagreement.get_or_insert(Fault::new(Check::ZipMethod).value(names::printable(&name)));
        }
        if method != header.method || usize::from(name_size) != header.raw_name.len() || local[LOCAL_SIZE..] != header.raw_name {
            disagreement.get_or_insert(fault());
        }
        // Some archivers mark an empty file as deflated without the two bytes that deflate writes for empty content.
        let deflated = header.method == DEFLATED && header.packed > 0;
        entries.push(Entry { packed: header.packed, size: header.size, crc: header.crc, deflated, data_at, name });
    }
    spans.sort_unstable();
    if spans.windows(2).any(|pair| pair[1].0 < pair[0].1) {
        return Err(Fault::new(Check::ZipOverlap));
    }
    // Two directory entries with the same local header also disagree with it; the overlap is the more useful message.
    disagreement.map_or(Ok(entries), Err)
}

fn check_sizes(entries: &[Entry], limits: &Limits) -> Result<(), Fault> {
    let total = entries.iter().try_fold(0u64, |sum, e| sum.checked_add(e.size)).unwrap_or(u64::MAX);
    if total > limits.total {
        return Err(Fault::new(Check::ZipTotal).expected(limits.total).found(total));
    }
    if let Some(bomb) = entries.iter().find(|e| limits.is_bomb(e.size, e.packed)) {
        return Err(Fault::new(Check::ZipRatio).value(names::printable(&bomb.name)).expected(limits.ratio));
    }
    match entries.iter().find(|e| !e.deflated && e.size != e.packed) {
        Some(entry) => Err(damaged("size").value(names::printable(&entry.name))),
        None => Ok(()),
    }
}
