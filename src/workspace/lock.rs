//! The lock of a SQLite store: one program at a time changes it. A file beside it names the holder for those who wait.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::Problem;
use crate::sys::{Access, private_file};
use crate::watch::{Stopped, Watch};

/// How long a waiting program sleeps between two attempts.
const PATIENCE: Duration = Duration::from_millis(10);

/// A wait for another program.
#[derive(Debug)]
pub(super) struct Wait {
    begun: Instant,
    longest: Duration,
}

impl Wait {
    /// A wait that begins now and takes at most `longest`.
    pub(super) fn new(longest: Duration) -> Self {
        Self { begun: Instant::now(), longest }
    }

    /// Sleeps before the next attempt; false when the wait is over.
    ///
    /// # Errors
    /// The watch stopped the wait.
    pub(super) fn rest(&self, watch: &dyn Watch) -> Result<bool, Problem> {
        Stopped::check(watch)?;
        let left = self.longest.saturating_sub(self.begun.elapsed());
        if left.is_zero() {
            return Ok(false);
        }
        thread::sleep(PATIENCE.min(left).max(Duration::from_millis(1)));
        Ok(true)
    }
}

/// The right to change a SQLite store, held until dropped. The system releases the lock of a process that dies.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    /// A separate file with the name of the holder: on Windows other programs cannot read a locked file.
    holder: File,
}

impl Lock {
    /// Takes the lock, waiting at most `wait`; `holder` is what others will read meanwhile.
    ///
    /// # Errors
    /// [`Problem::Busy`] with the holder when the wait is over; the watch stopped the wait; a file cannot be created.
    pub(super) fn take(path: &Path, wait: Duration, holder: &str, watch: &dyn Watch) -> Result<Self, Problem> {
        let told = holder_file(path);
        let open = |path: &Path| private_file(path, Access::Private).map_err(|error| Problem::Io(path.to_owned(), error));
        let file = open(path)?;
        let wait = Wait::new(wait);
        Stopped::check(watch)?;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(Problem::Io(path.to_owned(), error)),
                Err(TryLockError::WouldBlock) if wait.rest(watch)? => {}
                Err(TryLockError::WouldBlock) => return Err(Problem::Busy(held_by(&told).unwrap_or_default())),
            }
        }
        let mut lock = Self { file, holder: open(&told)? };
        lock.write(holder).map_err(|error| Problem::Io(told, error))?;
        Ok(lock)
    }

    fn write(&mut self, holder: &str) -> io::Result<()> {
        self.holder.set_len(0)?;
        self.holder.write_all(holder.as_bytes())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A name that cannot be removed does no harm: it is read only while the lock is held.
        let _ = self.holder.set_len(0);
        let _ = self.file.unlock();
    }
}

fn holder_file(lock: &Path) -> PathBuf {
    lock.with_extension("holder")
}

fn held_by(holder: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(holder)?.take(300).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Unwatched;

    #[test]
    fn the_second_waits_and_then_names_the_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let first = Lock::take(&path, Duration::ZERO, "Анна@касса: form", &Unwatched).expect("free");
        let begun = Instant::now();
        let busy = Lock::take(&path, Duration::from_millis(120), "second", &Unwatched).expect_err("held");
        assert!(begun.elapsed() >= Duration::from_millis(120));
        assert!(matches!(busy, Problem::Busy(who) if who == "Анна@касса: form"));
        drop(first);
        Lock::take(&path, Duration::ZERO, "second", &Unwatched).expect("free again");
    }
}
