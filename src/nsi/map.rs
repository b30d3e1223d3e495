//! Compiled books as memory-mapped files: besides `sys`, which needs it on Windows, the only place with `unsafe` code.
//!
//! Reason: the control loads a dozen books of tens of megabytes for each file that it checks. The pages of mapped files are shared between
//! processes and cost nothing until they are read. [`Mapping::open`] explains why this is sound enough.
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
        // SAFETY: the bytes of a mapping must not change while they are borrowed. This program never writes into a compiled book: an import
        // writes a new file and renames it over the old one, which keeps the old pages (Windows refuses to replace a mapped file; the import then
        // reports it). Another program could still write into the file or truncate it. Readers therefore rely on nothing that they read before:
        // every access is bounds-checked, texts are checked for UTF-8 each time, and all references into the mapping are `&[u8]`, which any byte
        // is valid for. Truncating the file under a running program ends the program with a bus error, as with any mapped file.
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
