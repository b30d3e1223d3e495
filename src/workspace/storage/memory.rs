//! A storage without files of its own, for tests: it shows that nothing but the trait is used.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Incoming, Storage};
use crate::workspace::damage::Damage;

type Files = BTreeMap<String, Vec<u8>>;

/// Files in memory. The bytes that are asked for as a file are fetched into a temporary folder.
#[derive(Debug, Clone)]
pub(in crate::workspace) struct Memory {
    files: Arc<Mutex<Files>>,
    fetched: Arc<tempfile::TempDir>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { files: Arc::default(), fetched: Arc::new(tempfile::tempdir().expect("a folder")) }
    }
}

impl Memory {
    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the bytes of a kept file.
    pub(in crate::workspace) fn damage(&self, digest: &str) {
        if let Some(bytes) = self.files().get_mut(digest) {
            bytes.push(0);
        }
    }
}

struct Begun {
    storage: Memory,
    bytes: Vec<u8>,
}

impl Storage for Memory {
    fn begin(&self) -> io::Result<Box<dyn Incoming>> {
        Ok(Box::new(Begun { storage: self.clone(), bytes: Vec::new() }))
    }

    fn stat(&self, digest: &str) -> Result<u64, Damage> {
        self.files().get(digest).map(|bytes| bytes.len() as u64).ok_or(Damage::Missing)
    }

    fn open(&self, digest: &str, range: Range<u64>) -> Result<Box<dyn Read + Send>, Damage> {
        let bytes = self.files().get(digest).cloned().ok_or(Damage::Missing)?;
        let [from, to] = [range.start, range.end].map(|at| bytes.len().min(usize::try_from(at).unwrap_or(usize::MAX)));
        Ok(Box::new(io::Cursor::new(bytes[from..to].to_vec())))
    }

    fn local(&self, digest: &str) -> Result<PathBuf, Damage> {
        let path = self.fetched.path().join(digest);
        std::fs::write(&path, self.files().get(digest).ok_or(Damage::Missing)?)?;
        Ok(path)
    }

    fn list(&self, each: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        let digests: Vec<String> = self.files().keys().cloned().collect();
        digests.iter().try_for_each(|digest| each(digest))
    }

    fn remove(&self, digest: &str) -> io::Result<()> {
        self.files().remove(digest).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn tidy(&self) -> io::Result<u64> {
        Ok(0)
    }
}

impl Write for Begun {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Incoming for Begun {
    fn put_if_absent(self: Box<Self>, digest: &str) -> io::Result<bool> {
        let is_new = !self.storage.files().contains_key(digest);
        if is_new {
            self.replace(digest)?;
        }
        Ok(is_new)
    }

    fn replace(self: Box<Self>, digest: &str) -> io::Result<()> {
        let Self { storage, bytes } = *self;
        storage.files().insert(digest.to_owned(), bytes);
        Ok(())
    }
}
