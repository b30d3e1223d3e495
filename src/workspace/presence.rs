//! The programs that change a workspace at the same time. Each keeps files before a row refers to them, so files without a row may be removed
//! only while no other program is at work.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Problem;
use super::lock::Wait;
use super::store::Store;
use crate::sys::{Access, private_file};
use crate::watch::Watch;

/// Tells other programs that this one is changing the workspace, until dropped: a lock that many programs share. With a shared store it is also a
/// lock there, because programs on other machines do not see the file, and because the server may still work for a program that was killed.
#[derive(Debug)]
pub(super) struct Presence {
    /// The file with the lock. It is closed to release the lock: not every system lets a lock that several programs share be released otherwise.
    file: Option<File>,
    path: PathBuf,
    /// The longest wait for a program that removes what a stopped one left.
    wait: Duration,
}

impl Presence {
    /// Begins to be present.
    ///
    /// # Errors
    /// The file cannot be created, the wait is over, or the watch stopped it.
    pub(super) fn begin(path: &Path, store: &mut Store, wait: Duration, watch: &dyn Watch) -> Result<Self, Problem> {
        let mut this = Self { file: None, path: path.to_owned(), wait };
        this.share(store, watch)?;
        Ok(this)
    }

    fn open(&self) -> Result<File, Problem> {
        private_file(&self.path, Access::Private).map_err(|error| self.failed(error))
    }

    fn share(&mut self, store: &mut Store, watch: &dyn Watch) -> Result<(), Problem> {
        let wait = Wait::new(self.wait);
        loop {
            let file = self.open()?;
            match file.try_lock_shared() {
                Ok(()) if store.try_present()? => {
                    self.file = Some(file);
                    return Ok(());
                }
                Ok(()) | Err(TryLockError::WouldBlock) => drop(file),
                Err(TryLockError::Error(error)) => return Err(self.failed(error)),
            }
            if !wait.rest(watch)? {
                return Err(Problem::Busy(String::new()));
            }
        }
    }

    /// Runs `work` if no other program is present, and keeps others from beginning meanwhile. This program must have nothing in work.
    ///
    /// # Errors
    /// A lock fails, or the watch stopped the wait.
    pub(super) fn alone(&mut self, store: &mut Store, watch: &dyn Watch, work: impl FnOnce(&mut Store)) -> Result<(), Problem> {
        // A shared lock cannot be made exclusive in one step everywhere.
        self.file = None;
        store.leave(false)?;
        let file = self.open()?;
        match file.try_lock() {
            Ok(()) => {
                if store.try_alone()? {
                    work(store);
                    store.leave(true)?;
                }
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(self.failed(error)),
        }
        drop(file);
        self.share(store, watch)
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
        let file = folder.path().join("store.sqlite");
        std::fs::write(&file, "").expect("written");
        let mut store = Store::connect(&crate::workspace::store::sqlite_url(&file)).expect("a store");
        let mut cleans = |one: &mut Presence| {
            let mut cleaned = false;
            one.alone(&mut store, &Unwatched, |_| cleaned = true).expect("asked");
            cleaned
        };
        let begin = |store: &mut Store| Presence::begin(&path, store, Duration::ZERO, &Unwatched).expect("present");
        let mut other = Store::connect(&crate::workspace::store::sqlite_url(&file)).expect("a store");
        let mut first = begin(&mut other);
        assert!(cleans(&mut first));
        let mut second = begin(&mut other);
        assert!(!cleans(&mut first) && !cleans(&mut second));
        drop(first);
        assert!(cleans(&mut second));
        // Whoever removes files keeps others from beginning.
        drop(second);
        let file = private_file(&path, Access::Private).expect("a file");
        file.try_lock().expect("alone");
        assert!(matches!(Presence::begin(&path, &mut other, Duration::ZERO, &Unwatched), Err(Problem::Busy(_))));
    }
}
