//! The guard in front of archives, and the reader behind it.
//!
//! One parser decides what an archive holds and feeds the inflater: a guard before somebody else's parser would let through whatever the
//! two read differently. Structure after APPNOTE.TXT 6.3 of PKWARE, with zip64; stored and deflated entries only.

mod directory;
mod names;
mod stream;

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

pub use directory::Entry;
pub use stream::EntryReader;

use super::fault::Fault;
use crate::finding::Check;

/// What an archive may be at most. The defaults are those of the program's promise: a hostile archive ends within a second and 64 MB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries, folders included.
    pub entries: usize,
    /// Unpacked bytes of all entries together.
    pub total: u64,
    /// Unpacked size of an entry by its packed size.
    pub ratio: u64,
    /// Unpacked bytes of an entry that are never held against it: small files may shrink to nothing.
    pub ratio_from: u64,
    /// Bytes of the central directory.
    pub directory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 64, total: 4 << 30, ratio: 200, ratio_from: 1 << 20, directory: 1 << 20 }
    }
}

impl Limits {
    /// Whether so many unpacked bytes from so many packed ones are a bomb.
    fn is_bomb(&self, unpacked: u64, packed: u64) -> bool {
        unpacked > self.ratio_from && unpacked > packed.saturating_mul(self.ratio)
    }
}

/// An archive whose directory has passed the guard.
#[derive(Debug)]
pub struct Archive<R> {
    reader: R,
    entries: Vec<Entry>,
    limits: Limits,
}

impl Archive<File> {
    /// Opens an archive.
    ///
    /// # Errors
    /// The file cannot be opened; see also [`Archive::new`].
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, Fault> {
        Self::new(File::open(path)?, limits)
    }
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the directory and checks everything that can be checked without unpacking: number, names, methods, sizes and places of entries.
    ///
    /// # Errors
    /// The first violation; the archive is refused as a whole.
    pub fn new(mut reader: R, limits: &Limits) -> Result<Self, Fault> {
        let entries = directory::read(&mut reader, limits)?;
        Ok(Self { reader, entries, limits: *limits })
    }

    /// The entries in the order of the directory.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// A stream of one entry's unpacked bytes, guarded while it runs.
    ///
    /// # Errors
    /// No such entry, or the archive cannot be read.
    pub fn entry(&mut self, index: usize) -> Result<EntryReader<&mut R>, Fault> {
        let entry = self.entries.get(index).ok_or_else(gone)?;
        EntryReader::new(&mut self.reader, entry, &self.limits)
    }

    /// The same as [`Archive::entry`], owning the archive's reader.
    ///
    /// # Errors
    /// As there.
    pub fn into_entry(self, index: usize) -> Result<EntryReader<R>, Fault> {
        let entry = self.entries.get(index).ok_or_else(gone)?;
        EntryReader::new(self.reader, entry, &self.limits)
    }

    /// Looks at the first bytes of every entry for an archive under another name.
    ///
    /// # Errors
    /// An entry is an archive, or its beginning cannot be unpacked.
    pub fn refuse_nested(&mut self) -> Result<(), Fault> {
        for index in 0..self.entries.len() {
            if self.entries[index].is_folder() {
                continue;
            }
            let mut head = Vec::with_capacity(names::MAGIC);
            self.entry(index)?.take(names::MAGIC as u64).read_to_end(&mut head)?;
            if names::is_archive(&head) {
                return Err(Fault::new(Check::ZipNested).value(names::printable(&self.entries[index].name)));
            }
        }
        Ok(())
    }
}

/// Whether a file begins as a zip archive does.
pub fn is_zip(head: &[u8]) -> bool {
    names::is_zip(head)
}

/// The file has changed between two looks at it.
fn gone() -> Fault {
    damaged("entry")
}

/// Damage; `what` is a term of the archive format, the same in every language.
fn damaged(what: &str) -> Fault {
    Fault::new(Check::ZipDamaged).found(what)
}
