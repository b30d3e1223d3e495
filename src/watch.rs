//! Progress and stopping of long work. The library reports progress and asks whether to stop; its caller shows the progress and decides.

use std::fmt;
use std::io;

use crate::timings::Timings;

/// Follows a run. It is called from several threads at once.
pub trait Watch: Sync {
    /// Called when the inputs are known: their total size on disk in bytes.
    fn start(&self, _bytes: u64) {}

    /// Called when further bytes have been read; the argument is their number.
    fn advance(&self, _bytes: u64) {}

    /// Whether the work must stop now. Unfinished work is then undone.
    fn is_stopped(&self) -> bool {
        false
    }

    /// Collects the times of the phases; `None` when they are not measured, and then no clock is read.
    fn timings(&self) -> Option<&Timings> {
        None
    }
}

/// A watch that shows nothing and never stops the work.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {}

/// The error of work that was stopped by its watch. Functions that return [`io::Error`] wrap it in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

impl Stopped {
    /// Returns an error when the watch wants the work to stop.
    ///
    /// # Errors
    /// The watch wants the work to stop.
    pub fn check(watch: &dyn Watch) -> io::Result<()> {
        if watch.is_stopped() { Err(Self.into()) } else { Ok(()) }
    }

    /// Whether an error means that the work was stopped.
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
        // Not `Interrupted`: the standard library retries such errors.
        Self::other(stopped)
    }
}
