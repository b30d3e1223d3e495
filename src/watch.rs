//! How far long work has come, and whether it is to stop: the library tells and asks, whoever called it shows and decides.

use std::fmt;
use std::io;

use crate::timings::Timings;

/// Follows a run, from several threads at once.
pub trait Watch: Sync {
    /// Called when the inputs are known: bytes to be read in all, as they stand on the disk.
    fn start(&self, _packages: u64, _bytes: u64) {}

    /// Called when so many further bytes have been read.
    fn advance(&self, _bytes: u64) {}

    /// Called when one package is finished.
    fn package_done(&self) {}

    /// Whether the work is to end now. What was begun is then given up, as if it had not been asked for.
    fn is_stopped(&self) -> bool {
        false
    }

    /// Where the time of the work is added up by phase; `None` when nobody asks for it, and then no clock is read.
    fn timings(&self) -> Option<&Timings> {
        None
    }
}

/// A watch that shows nothing and never stops the work.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {}

/// The work was stopped by its watch; an [`io::Error`] carries it where a function gives those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

impl Stopped {
    /// An error when the watch wants the work to end.
    ///
    /// # Errors
    /// The watch wants it.
    pub fn check(watch: &dyn Watch) -> io::Result<()> {
        if watch.is_stopped() { Err(Self.into()) } else { Ok(()) }
    }

    /// Whether an error says that the work was stopped.
    pub fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped")
    }
}

impl std::error::Error for Stopped {}

impl From<Stopped> for io::Error {
    fn from(stopped: Stopped) -> Self {
        // Not `Interrupted`: the standard library tries those again by itself.
        Self::other(stopped)
    }
}
