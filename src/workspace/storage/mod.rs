//! Where kept files lie: bytes under their SHA-256. A folder is the storage of today; whatever else can do this, such as an object store, can be another.

mod folder;
#[cfg(test)]
mod memory;

use std::fmt;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::PathBuf;

pub(super) use folder::{Folder, entries};
#[cfg(test)]
pub(super) use memory::Memory;

use super::damage::Damage;

/// Keeps bytes under their SHA-256, written as 64 lower-case hexadecimal digits. Kept bytes never change, so that putting them twice is harmless. A
/// storage does not compare bytes with their digest: whoever reads them does.
pub(super) trait Storage: fmt::Debug + Send + Sync {
    /// Begins a file whose digest is known only at its end.
    ///
    /// # Errors
    /// The storage cannot be written.
    fn begin(&self) -> io::Result<Box<dyn Incoming>>;

    /// Length of a file in bytes.
    ///
    /// # Errors
    /// It is missing or something else stands in its place.
    fn stat(&self, digest: &str) -> Result<u64, Damage>;

    /// Opens a range of the bytes of a file; what lies beyond its end is left out.
    ///
    /// # Errors
    /// See [`Storage::stat`].
    fn open(&self, digest: &str, range: Range<u64>) -> Result<Box<dyn Read + Send>, Damage>;

    /// The path of a file on this machine that holds the bytes; archives are read at many places at once. A storage elsewhere fetches the bytes first.
    ///
    /// # Errors
    /// See [`Storage::stat`].
    fn local(&self, digest: &str) -> Result<PathBuf, Damage>;

    /// Tells the digest of each file, in no order.
    ///
    /// # Errors
    /// The storage cannot be read, or the error of `each`.
    fn list(&self, each: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()>;

    /// Removes a file, or what stands in its place.
    ///
    /// # Errors
    /// It cannot be removed.
    fn remove(&self, digest: &str) -> io::Result<()>;

    /// Removes what programs that were stopped left unfinished, and returns how much that was. No other program may be at work.
    ///
    /// # Errors
    /// The storage cannot be read or written.
    fn tidy(&self) -> io::Result<u64>;
}

/// A file that is being written and has no digest yet; when dropped, it is gone.
pub(super) trait Incoming: Write {
    /// Puts the complete file under its digest unless something stands there; false if something does.
    ///
    /// # Errors
    /// The storage cannot be written.
    fn put_if_absent(self: Box<Self>, digest: &str) -> io::Result<bool>;

    /// Puts the complete file under its digest, whatever stands there.
    ///
    /// # Errors
    /// The storage cannot be written.
    fn replace(self: Box<Self>, digest: &str) -> io::Result<()>;
}

/// Whether a text has the form of a digest.
pub(super) fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(storage: &dyn Storage, bytes: &str, digest: &str) -> bool {
        let mut file = storage.begin().expect("begun");
        file.write_all(bytes.as_bytes()).expect("written");
        file.put_if_absent(digest).expect("put")
    }

    fn read(storage: &dyn Storage, digest: &str, range: Range<u64>) -> String {
        let mut text = String::new();
        storage.open(digest, range).expect("there").read_to_string(&mut text).expect("read");
        text
    }

    fn listed(storage: &dyn Storage) -> Vec<String> {
        let mut digests = Vec::new();
        storage
            .list(&mut |digest| {
                digests.push(digest.to_owned());
                Ok(())
            })
            .expect("listed");
        digests.sort_unstable();
        digests
    }

    /// What every storage does.
    fn keeps(storage: &dyn Storage) {
        let (one, other) = ("ab".repeat(32), "0c".repeat(32));
        assert!(listed(storage).is_empty());
        assert!(matches!(storage.stat(&one), Err(Damage::Missing)) && matches!(storage.open(&one, 0..9), Err(Damage::Missing)));
        assert!(matches!(storage.local(&one), Err(Damage::Missing)));
        assert!(put(storage, "0123456789", &one) && put(storage, "", &other));
        assert!(!put(storage, "another", &one), "what is there stays");
        assert_eq!((storage.stat(&one).expect("there"), storage.stat(&other).expect("there")), (10, 0));
        assert_eq!([0..10, 0..99, 3..5, 9..10, 10..12, 4..4].map(|range| read(storage, &one, range)), ["0123456789", "0123456789", "34", "9", "", ""]);
        assert_eq!(std::fs::read(storage.local(&one).expect("there")).expect("read"), b"0123456789");
        assert_eq!(listed(storage), [other.clone(), one.clone()]);
        let mut file = storage.begin().expect("begun");
        file.write_all(b"new").expect("written");
        file.replace(&one).expect("replaced");
        assert_eq!(read(storage, &one, 0..u64::MAX), "new");
        storage.begin().expect("begun").write_all(b"dropped").expect("written");
        assert_eq!(storage.tidy().expect("tidied"), 0);
        storage.remove(&one).expect("removed");
        assert_eq!(listed(storage), [other]);
    }

    #[test]
    fn a_folder_keeps_files() {
        let folder = tempfile::tempdir().expect("a folder");
        keeps(&Folder::new(folder.path().join("objects")));
    }

    #[test]
    fn memory_keeps_files() {
        keeps(&Memory::default());
    }
}
