//! Archives written byte by byte, so that every field can be wrong.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::io::Write as _;

/// Packs bytes as deflate does.
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// The checksum of unpacked bytes.
pub fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// An entry of an archive with every field of its headers.
#[derive(Debug, Clone)]
pub struct Forged {
    pub name: Vec<u8>,
    /// The name in the local header.
    pub local_name: Vec<u8>,
    pub flags: u16,
    pub local_flags: u16,
    pub method: u16,
    pub crc: u32,
    pub packed: u64,
    pub size: u64,
    /// The bytes after the local header.
    pub data: Vec<u8>,
    /// A wrong offset of the local header for the directory; `None` for the right one.
    pub local_at: Option<u64>,
    /// Whether the sizes are written in a zip64 field.
    pub zip64: bool,
}

impl Forged {
    /// A correct stored entry.
    pub fn stored(name: &str, bytes: &[u8]) -> Self {
        let size = bytes.len() as u64;
        Self {
            name: name.into(),
            local_name: name.into(),
            flags: 0,
            local_flags: 0,
            method: 0,
            crc: crc(bytes),
            packed: size,
            size,
            data: bytes.to_vec(),
            local_at: None,
            zip64: false,
        }
    }

    /// A correct deflated entry.
    pub fn deflated(name: &str, bytes: &[u8]) -> Self {
        let data = deflate(bytes);
        Self { method: 8, crc: crc(bytes), packed: data.len() as u64, size: bytes.len() as u64, data, ..Self::stored(name, b"") }
    }

    /// The local header and the data.
    pub fn local(&self) -> Vec<u8> {
        let mut out = b"PK\x03\x04\x14\0".to_vec();
        for field in [self.local_flags, self.method, 0, 0x21] {
            out.extend(field.to_le_bytes());
        }
        for field in [self.crc, small(self.packed, false), small(self.size, false)] {
            out.extend(field.to_le_bytes());
        }
        out.extend((self.local_name.len() as u16).to_le_bytes());
        out.extend(0u16.to_le_bytes());
        out.extend(&self.local_name);
        out.extend(&self.data);
        out
    }

    /// The bytes of the header in the central directory.
    pub fn central(&self, local_at: u64) -> Vec<u8> {
        let mut extra = Vec::new();
        if self.zip64 {
            extra.extend([1, 0, 16, 0]);
            extra.extend(self.size.to_le_bytes());
            extra.extend(self.packed.to_le_bytes());
        }
        let mut out = b"PK\x01\x02\x14\0\x14\0".to_vec();
        for field in [self.flags, self.method, 0, 0x21] {
            out.extend(field.to_le_bytes());
        }
        for field in [self.crc, small(self.packed, self.zip64), small(self.size, self.zip64)] {
            out.extend(field.to_le_bytes());
        }
        for field in [self.name.len() as u16, extra.len() as u16, 0, 0, 0] {
            out.extend(field.to_le_bytes());
        }
        out.extend(0u32.to_le_bytes());
        out.extend((self.local_at.unwrap_or(local_at) as u32).to_le_bytes());
        out.extend(&self.name);
        out.extend(extra);
        out
    }
}

fn small(value: u64, wide: bool) -> u32 {
    if wide { u32::MAX } else { u32::try_from(value).unwrap_or(u32::MAX) }
}

/// The end record.
pub fn end(entries: u16, size: u32, at: u32) -> Vec<u8> {
    let mut out = b"PK\x05\x06\0\0\0\0".to_vec();
    out.extend(entries.to_le_bytes());
    out.extend(entries.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend(0u16.to_le_bytes());
    out
}

/// The bytes of the end records of zip64: the record, its locator and the plain record.
pub fn end64(entries: u64, size: u64, at: u64, here: u64) -> Vec<u8> {
    let mut out = b"PK\x06\x06".to_vec();
    out.extend(44u64.to_le_bytes());
    out.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for field in [entries, entries, size, at] {
        out.extend(field.to_le_bytes());
    }
    out.extend(b"PK\x06\x07\0\0\0\0");
    out.extend(here.to_le_bytes());
    out.extend(1u32.to_le_bytes());
    out.extend(end(u16::MAX, u32::MAX, u32::MAX));
    out
}

/// The bytes of an archive with these entries and their directory.
pub fn archive(entries: &[Forged]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        directory.extend(entry.central(out.len() as u64));
        out.extend(entry.local());
    }
    let at = out.len() as u32;
    out.extend(&directory);
    out.extend(end(entries.len() as u16, directory.len() as u32, at));
    out
}

/// A small main file.
pub const MAIN: &[u8] = b"<?xml version=\"1.0\" encoding=\"windows-1251\"?><ZL_LIST><ZGLV><VERSION>3.1</VERSION></ZGLV><ZAP/></ZL_LIST>";
/// A small person file.
pub const PERSONS: &[u8] = b"<?xml version=\"1.0\" encoding=\"windows-1251\"?><PERS_LIST><ZGLV><VERSION>3.1</VERSION></ZGLV><PERS/></PERS_LIST>";

/// A correct package.
pub fn package() -> Vec<Forged> {
    vec![Forged::deflated("HM140001S14002_19031.xml", MAIN), Forged::deflated("LM140001S14002_19031.xml", PERSONS)]
}
