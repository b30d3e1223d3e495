//! Writes the archive of a backup, and says what its reader allows.

use std::collections::BTreeSet;
use std::io::{self, Seek, Write};
use std::path::Path;

use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::manifest::Content;
use crate::registry::archive::Limits;
use crate::values::hex;
use crate::watch::{Stopped, Watch};
use crate::workspace::Problem;

/// What a backup may hold. A store of 300 clinics has about a million files in five years.
pub(super) const LIMITS: Limits = Limits { entries: 4_000_000, total: 1 << 50, ratio: 200, ratio_from: 1 << 20, directory: 1 << 30, is_flat: false };

/// Compression level of deflate, as in the packages that `form` writes.
const LEVEL: i64 = 2;

/// Takes pieces of an entry.
pub(super) type Take<'t> = dyn FnMut(&[u8]) -> Result<(), Problem> + 't;

/// An archive that is being written. Its entries may be larger than 4 GiB, and so may it (zip64).
pub(super) struct Packer<'p, W: Write + Seek> {
    zip: ZipWriter<W>,
    /// Path of the archive, for errors.
    target: &'p Path,
    /// Entries that are not deflated, because the reader would take them for a bomb.
    stored: &'p BTreeSet<String>,
    watch: &'p dyn Watch,
}

impl<'p, W: Write + Seek> Packer<'p, W> {
    pub(super) fn new(out: W, target: &'p Path, stored: &'p BTreeSet<String>, watch: &'p dyn Watch) -> Self {
        Self { zip: ZipWriter::new(out), target, stored, watch }
    }

    /// Writes an entry of the bytes that `feed` hands on; returns their digest and number.
    ///
    /// # Errors
    /// The error of `feed`, the archive cannot be written, or the watch stopped the work. The archive cannot be continued then.
    pub(super) fn entry(&mut self, name: &str, feed: impl FnOnce(&mut Take<'_>) -> Result<(), Problem>) -> Result<Content, Problem> {
        let Self { zip, target, stored, watch } = self;
        let unwritten = |error| Problem::of_file(target, error);
        let is_stored = stored.contains(name);
        // The date is fixed (1980-01-01): when a file was written says nothing.
        let options = SimpleFileOptions::default().large_file(true);
        let options = match is_stored {
            true => options.compression_method(CompressionMethod::Stored),
            false => options.compression_method(CompressionMethod::Deflated).compression_level(Some(LEVEL)),
        };
        zip.start_file(name, options).map_err(|error| unwritten(error.into()))?;
        let (mut hasher, mut size) = (Sha256::new(), 0);
        feed(&mut |bytes| {
            Stopped::check(*watch)?;
            hasher.update(bytes);
            size += bytes.len() as u64;
            zip.write_all(bytes).map_err(unwritten)
        })?;
        Ok(Content { sha256: hex(&hasher.finalize()), size })
    }

    /// Writes the directory of the archive.
    ///
    /// # Errors
    /// The archive cannot be written.
    pub(super) fn finish(self) -> Result<(), Problem> {
        let Self { zip, target, .. } = self;
        zip.finish().map(drop).map_err(|error| Problem::of_file(target, error.into()))
    }

    /// Gives up an archive: a [`ZipWriter`] that is dropped would write its directory, and complain on standard error when the disk is full.
    pub(super) fn give_up(self) {
        std::mem::forget(self);
    }
}

/// Hands on what a stream holds, in pieces.
///
/// # Errors
/// The stream cannot be read, or the error of `take`.
pub(super) fn pour(mut stream: impl io::Read, unread: impl Fn(io::Error) -> Problem, take: &mut Take<'_>) -> Result<(), Problem> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => take(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unread(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, SeekFrom};

    use super::*;
    use crate::registry::archive::Archive;
    use crate::watch::Unwatched;

    /// A file in memory of which blocks of zeros are not kept.
    #[derive(Default)]
    struct Sparse {
        blocks: std::collections::BTreeMap<u64, Vec<u8>>,
        at: u64,
        end: u64,
    }

    const BLOCK: u64 = 4096;

    impl Write for Sparse {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let inside = (self.at % BLOCK) as usize;
            let count = bytes.len().min(BLOCK as usize - inside);
            let number = self.at / BLOCK;
            if bytes[..count].iter().any(|byte| *byte != 0) || self.blocks.contains_key(&number) {
                self.blocks.entry(number).or_insert_with(|| vec![0; BLOCK as usize])[inside..inside + count].copy_from_slice(&bytes[..count]);
            }
            self.at += count as u64;
            self.end = self.end.max(self.at);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Read for Sparse {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let inside = (self.at % BLOCK) as usize;
            let count = into.len().min(BLOCK as usize - inside).min((self.end - self.at) as usize);
            match self.blocks.get(&(self.at / BLOCK)) {
                Some(block) => into[..count].copy_from_slice(&block[inside..inside + count]),
                None => into[..count].fill(0),
            }
            self.at += count as u64;
            Ok(count)
        }
    }

    impl Seek for Sparse {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            let from = |base: u64, by: i64| base.checked_add_signed(by).ok_or(io::ErrorKind::InvalidInput);
            self.at = match to {
                SeekFrom::Start(at) => at,
                SeekFrom::End(by) => from(self.end, by)?,
                SeekFrom::Current(by) => from(self.at, by)?,
            };
            Ok(self.at)
        }
    }

    fn packed(entries: &[(String, u64)], stored: &BTreeSet<String>) -> Sparse {
        let mut out = Sparse::default();
        let mut packer = Packer::new(&mut out, Path::new("x"), stored, &Unwatched);
        let zeros = vec![0; 1 << 20];
        for (name, size) in entries {
            let feed = |take: &mut Take<'_>| {
                let mut left = *size;
                while left > 0 {
                    let count = left.min(zeros.len() as u64);
                    take(&zeros[..count as usize])?;
                    left -= count;
                }
                Ok(())
            };
            assert_eq!(packer.entry(name, feed).expect("memory takes it").size, *size);
        }
        packer.finish().expect("memory takes it");
        out
    }

    #[test]
    fn as_many_entries_as_there_are() {
        let entries: Vec<_> = (0..70_000).map(|n| (format!("objects/{n}"), u64::from(n % 7 == 0))).collect();
        let archive = Archive::new(packed(&entries, &BTreeSet::new()), &LIMITS).expect("our reader takes it");
        let read: Vec<_> = archive.entries().iter().map(|entry| (entry.name.clone(), entry.size)).collect();
        assert!(read == entries);
    }

    #[test]
    #[ignore = "a measurement: five gigabytes are packed and unpacked"]
    fn more_than_four_gigabytes() {
        let entries = [("store.sqlite".to_owned(), (4 << 30) + 7), ("objects/a".to_owned(), 100)];
        let stored = BTreeSet::from(["store.sqlite".to_owned()]);
        let mut archive = Archive::new(packed(&entries, &stored), &LIMITS).expect("our reader takes it");
        for (number, (name, size)) in entries.iter().enumerate() {
            let entry = archive.entries()[number].clone();
            assert_eq!((&entry.name, entry.size), (name, *size));
            assert_eq!(io::copy(&mut archive.entry(number).expect("an entry"), &mut io::sink()).expect("whole"), *size);
        }
    }
}
