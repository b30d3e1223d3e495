//! Files that are not complete yet: they go when they are dropped, and also when the program is told to end.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use super::{Access, Existing, system};

/// Beginning of the names of files that are not complete yet. A program that was killed leaves them behind; they may be removed.
pub const TEMPORARY: &str = ".puomp-";

/// The incomplete files of this process.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    // A set of paths is sound whatever a thread did that held it.
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that is to be complete before it gets its name, in the folder of that name. Dropped, it goes.
#[derive(Debug)]
pub struct Temporary {
    file: NamedTempFile,
    /// Unlists the file after it is gone: fields are dropped in this order.
    listed: Listed,
}

/// An entry in the list of incomplete files, taken out when it is dropped.
#[derive(Debug)]
struct Listed(PathBuf);

impl Drop for Listed {
    fn drop(&mut self) {
        unfinished().remove(&self.0);
    }
}

impl Temporary {
    /// Makes a file in a folder.
    ///
    /// # Errors
    /// The folder does not exist or is not writable.
    pub fn create(folder: &Path, access: Access) -> io::Result<Self> {
        // Listed while it is made: `remove_unfinished` finds every file, or none is made any more.
        let mut list = unfinished();
        let make = |path: &Path| system::open(path, access, Existing::Refused);
        let file = tempfile::Builder::new().prefix(TEMPORARY).suffix(".tmp").make_in(folder, make).map_err(|e| plain(&e))?;
        let listed = Listed(file.path().to_owned());
        list.insert(listed.0.clone());
        Ok(Self { file, listed })
    }

    /// Where it lies while it is incomplete.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The file itself.
    pub fn as_file_mut(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Gives the complete file its name, on the disk and not only in the system's memory; a file that has the name is replaced.
    ///
    /// # Errors
    /// The disk is full, or the target may not be replaced (on Windows also: another program holds it open for half a second).
    pub fn persist(self, target: &Path) -> io::Result<()> {
        let Self { file, listed } = self;
        // Not by `NamedTempFile::persist`: on Windows it fails on paths of 260 characters and more.
        file.as_file().sync_all()?;
        let (file, mut path) = file.into_parts();
        drop(file);
        system::rename(&path, target)?;
        path.disable_cleanup(true);
        drop(listed);
        Ok(())
    }
}

impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}

impl Seek for Temporary {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.as_file_mut().seek(to)
    }
}

/// Removes the incomplete files of this process, which is about to end without dropping them. No thread makes new ones afterwards: whoever
/// tries waits for ever.
pub fn remove_unfinished() {
    let list = unfinished();
    for path in &*list {
        // One that is complete by now has another name; one that cannot be removed is left, as after a kill.
        let _ = std::fs::remove_file(path);
    }
    std::mem::forget(list);
}

/// What the system said, without the name of our temporary file.
fn plain(error: &io::Error) -> io::Error {
    let inner = error.get_ref().and_then(|named| named.source()).and_then(|inner| inner.downcast_ref::<io::Error>()).unwrap_or(error);
    inner.raw_os_error().map_or_else(|| io::Error::from(inner.kind()), io::Error::from_raw_os_error)
}
