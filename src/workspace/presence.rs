//! The programs that change a workspace at the same time. Each keeps files before a row refers to them, so files without a row may be removed
//! only while no other program is at work.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::Problem;
use crate::sys::{Access, private_file};
use crate::watch::{Stopped, Watch};

/// How long a program sleeps while another one removes what a stopped program left.
const PATIENCE: Duration = Duration::from_millis(5);

/// Tells other programs that this one is changing the workspace, until dropped: a lock that many programs share.
#[derive(Debug)]
pub(super) struct Presence {
    file: File,
    path: PathBuf,
}

impl Presence {
    /// Begins to be present.
    ///
    /// # Errors
    /// The file cannot be created, or the watch stopped the wait.
    pub(super) fn begin(path: &Path, watch: &dyn Watch) -> Result<Self, Problem> {
        let file = private_file(path, Access::Private).map_err(|error| Problem::Io(path.to_owned(), error))?;
        let this = Self { file, path: path.to_owned() };
        this.share(watch)?;
        Ok(this)
    }

    fn share(&self, watch: &dyn Watch) -> Result<(), Problem> {
        loop {
            match self.file.try_lock_shared() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => {
                    Stopped::check(watch)?;
                    thread::sleep(PATIENCE);
                }
                Err(TryLockError::Error(error)) => return Err(self.failed(error)),
            }
        }
    }

    /// Runs `work` if no other program is present, and keeps others from beginning meanwhile. This program must have nothing in work.
    ///
    /// # Errors
    /// The lock fails, or the watch stopped the wait.
    pub(super) fn alone(&self, watch: &dyn Watch, work: impl FnOnce()) -> Result<(), Problem> {
        // A shared lock cannot be made exclusive in one step everywhere.
        self.file.unlock().map_err(|error| self.failed(error))?;
        match self.file.try_lock() {
            Ok(()) => {
                work();
                self.file.unlock().map_err(|error| self.failed(error))?;
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(self.failed(error)),
        }
        self.share(watch)
    }

    fn failed(&self, error: io::Error) -> Problem {
        Problem::Io(self.path.clone(), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Unwatched;

    #[test]
    fn only_a_program_that_is_alone_cleans_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("present");
        let cleans = |one: &Presence| {
            let mut cleaned = false;
            one.alone(&Unwatched, || cleaned = true).expect("asked");
            cleaned
        };
        let first = Presence::begin(&path, &Unwatched).expect("present");
        assert!(cleans(&first));
        let second = Presence::begin(&path, &Unwatched).expect("present");
        assert!(!cleans(&first) && !cleans(&second));
        drop(first);
        assert!(cleans(&second));
    }
}
