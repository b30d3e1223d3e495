//! Compiled books as memory-mapped files: the one place with `unsafe` code beside `sys`, where Windows needs it.
//!
//! Why at all: a clinic's control loads a dozen books of some tens of megabytes for each file that it checks; mapped, their pages are shared
//! and cost nothing until they are looked at. Why it is sound enough: see [`Mapping::open`].
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::Path;

use memmap2::Mmap;

/// A file mapped for reading.
#[derive(Debug)]
pub(super) struct Mapping(Mmap);

impl Mapping {
    /// Maps a whole file.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        // SAFETY: the bytes of a mapping must not change while they are borrowed. We never write into a compiled book: an import writes a
        // new file and renames it over the old one, which keeps the old pages (Windows refuses to replace a mapped file; the import then
        // reports it). What remains is another program that writes into or cuts this file while we run. Readers take nothing from an
        // earlier look for granted: every access is bounds-checked, texts are checked for UTF-8 each time, and no reference into the
        // mapping has an invariant that another byte could break, for all are `&[u8]`. A file cut short under a running program ends it
        // with a bus error, as it would end any program that maps files.
        let map = unsafe { Mmap::map(&file)? };
        Ok(Self(map))
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_bytes_of_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("книга 1");
        std::fs::write(&path, b"bytes").expect("written");
        assert_eq!(&*Mapping::open(&path).expect("mapped"), b"bytes");
        std::fs::write(&path, b"").expect("written");
        assert_eq!(&*Mapping::open(&path).expect("mapped"), b"");
    }

    #[test]
    fn folders_and_missing_files_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(Mapping::open(folder.path()).is_err());
        assert!(Mapping::open(&folder.path().join("nothing")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_replaced_file_keeps_its_old_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("book");
        std::fs::write(&path, b"old").expect("written");
        let mapping = Mapping::open(&path).expect("mapped");
        crate::sys::write_atomic(&path, crate::sys::Access::Default, b"new and longer").expect("replaced");
        assert_eq!(&*mapping, b"old");
        assert_eq!(&*Mapping::open(&path).expect("mapped"), b"new and longer");
    }
}
