//! Incomplete files. They are deleted when dropped, and also when the program is told to end.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use super::{Access, Existing, system};

/// Beginning of the names of incomplete files. A killed program leaves them behind; they may be deleted.
pub const TEMPORARY: &str = ".puomp-";

/// The incomplete files of this process.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    // The set stays valid even when a thread panics while holding the lock.
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that gets its final name only when it is complete. It is deleted when dropped before that.
#[derive(Debug)]
pub struct Temporary {
    file: NamedTempFile,
    /// Removes the file from the list after the file is deleted: fields are dropped in this order.
    listed: Listed,
}

/// An entry in the list of incomplete files, which is removed when dropped.
#[derive(Debug)]
struct Listed(PathBuf);

impl Drop for Listed {
    fn drop(&mut self) {
        unfinished().remove(&self.0);
    }
}

impl Temporary {
    /// Creates an incomplete file in a folder.
    ///
    /// # Errors
    /// The folder does not exist or is not writable.
    pub fn create(folder: &Path, access: Access) -> io::Result<Self> {
        // The list stays locked during creation: `remove_unfinished` finds every file, and none is created after it.
        let mut list = unfinished();
        let make = |path: &Path| system::open(path, access, Existing::Refused);
        let file = tempfile::Builder::new().prefix(TEMPORARY).suffix(".tmp").make_in(folder, make).map_err(|e| plain(&e))?;
        let listed = Listed(file.path().to_owned());
        list.insert(listed.0.clone());
        Ok(Self { file, listed })
    }

    /// Path of the incomplete file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The file itself.
    pub fn as_file_mut(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Flushes the complete file to the disk and gives it its final name; an existing file with that name is replaced.
    ///
    /// # Errors
    /// The disk is full, or the target may not be replaced (on Windows also: another program holds it open for longer than half a second).
    pub fn persist(self, target: &Path) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        self.place(target)
    }

    /// Gives a complete file that is on the disk its final name; an existing file with that name is replaced.
    ///
    /// # Errors
    /// The target may not be replaced.
    pub fn place(self, target: &Path) -> io::Result<()> {
        let Self { file, listed } = self;
        // Not `NamedTempFile::persist`: on Windows it fails on paths of 260 characters and more.
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

/// Deletes the incomplete files of this process, which is about to end without dropping them. The list stays locked: a thread that tries to
/// create another one blocks forever.
pub fn remove_unfinished() {
    let list = unfinished();
    for path in &*list {
        // A file that is complete by now has another name. A file that cannot be deleted is left behind, as after a kill.
        let _ = std::fs::remove_file(path);
    }
    std::mem::forget(list);
}

/// The error of the system, without the name of the temporary file.
fn plain(error: &io::Error) -> io::Error {
    let inner = error.get_ref().and_then(|named| named.source()).and_then(|inner| inner.downcast_ref::<io::Error>()).unwrap_or(error);
    inner.raw_os_error().map_or_else(|| io::Error::from(inner.kind()), io::Error::from_raw_os_error)
}
