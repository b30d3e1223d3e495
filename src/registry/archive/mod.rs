//! Reading of zip archives, with protection against hostile ones.
//!
//! The same parser checks the archive and feeds the decompressor. A check in front of another library's parser would let through everything that
//! the two parsers read differently. Structure after PKWARE's APPNOTE.TXT 6.3, with zip64; only stored and deflated entries.

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
use crate::sys::open_input;

/// Limits of an archive. The defaults keep what the program promises: a hostile archive is refused within one second and 64 MB of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Number of entries, including folders.
    pub entries: usize,
    /// Unpacked bytes of all entries.
    pub total: u64,
    /// Unpacked size of an entry divided by its packed size.
    pub ratio: u64,
    /// Unpacked size up to which the ratio is not checked: small files may pack to almost nothing.
    pub ratio_from: u64,
    /// Size of the central directory in bytes.
    pub directory: u64,
    /// Whether folders do not count: a name of a file may stand in one folder alone, and no archive may lie inside. So it is with registries.
    pub is_flat: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 64, total: 4 << 30, ratio: 200, ratio_from: 1 << 20, directory: 1 << 20, is_flat: true }
    }
}

impl Limits {
    /// Whether the sizes exceed the allowed ratio.
    fn is_bomb(&self, unpacked: u64, packed: u64) -> bool {
        unpacked > self.ratio_from && unpacked > packed.saturating_mul(self.ratio)
    }
}

/// An archive whose directory has passed all checks.
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
        Self::new(open_input(path)?, limits)
    }
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the directory and checks everything that does not need unpacking: number, names, methods, sizes and places of the entries.
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

    /// A stream of one entry's unpacked bytes; limits are checked while it is read.
    ///
    /// # Errors
    /// There is no such entry, or the archive cannot be read.
    pub fn entry(&mut self, index: usize) -> Result<EntryReader<&mut R>, Fault> {
        let entry = self.entries.get(index).ok_or_else(gone)?;
        EntryReader::new(&mut self.reader, entry, &self.limits)
    }

    /// Like [`Archive::entry`], but the stream owns the archive's reader.
    ///
    /// # Errors
    /// See [`Archive::entry`].
    pub fn into_entry(self, index: usize) -> Result<EntryReader<R>, Fault> {
        let entry = self.entries.get(index).ok_or_else(gone)?;
        EntryReader::new(self.reader, entry, &self.limits)
    }

    /// Checks the first bytes of every entry for an archive with another extension.
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

/// Whether an entry of this name is not refused: the name does not lead out of its folder and hides nothing.
pub fn is_safe_name(name: &str) -> bool {
    !names::is_unsafe(name)
}

/// Whether a file begins like a zip archive.
pub fn is_zip(head: &[u8]) -> bool {
    names::is_zip(head)
}

/// The fault of an archive that has changed since its directory was read.
fn gone() -> Fault {
    damaged("entry")
}

/// The fault of a damaged archive; `what` is a term of the archive format, the same in every language.
fn damaged(what: &str) -> Fault {
    Fault::new(Check::ZipDamaged).found(what)
}
