//! Ctrl-C: work that checks a [`ByUser`] ends by itself and leaves everything as before; otherwise the program ends at once.

use std::io;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Failure;
use crate::sys;
use crate::watch::{Stopped, Watch};

/// Whether the user has asked the program to stop.
static ASKED: AtomicBool = AtomicBool::new(false);

/// Whether the running work checks [`ASKED`] by itself, or has ended and only the exit code is missing.
static FOLLOWED: AtomicBool = AtomicBool::new(false);

/// Handles Ctrl-C, and the other requests to stop (SIGTERM, SIGHUP; on Windows Ctrl-Break), from now on. `say` reports the stop and returns the
/// exit code. Closing the console of Windows gives a program no time for a clean end; that is as a kill.
pub(super) fn listen(say: impl Fn(&Failure) -> i32 + Send + 'static) {
    let asked = move || {
        // At the second request the user does not want to wait. The state is then as after a kill; the next command cleans it up.
        if !ASKED.swap(true, Ordering::SeqCst) && FOLLOWED.load(Ordering::SeqCst) {
            return;
        }
        sys::remove_unfinished();
        #[expect(clippy::exit, reason = "a thread of its own ends the program while others work")]
        process::exit(say(&Failure::of(Stopped)));
    };
    // Fails where the caller ignores one of these signals (`nohup`, background jobs): all of them then do what they do by themselves.
    let _ = ctrlc::try_set_handler(asked);
}

/// The watch of work that checks for Ctrl-C by itself: once one is made, Ctrl-C waits for the work, until [`at_once`] is called.
#[derive(Debug)]
pub(super) struct ByUser(());

impl ByUser {
    pub(super) fn new() -> Self {
        FOLLOWED.store(true, Ordering::SeqCst);
        Self(())
    }
}

impl Watch for ByUser {
    fn is_stopped(&self) -> bool {
        ASKED.load(Ordering::Relaxed)
    }
}

/// Makes Ctrl-C end the program at once from now on: there is nothing left that would have to be undone.
///
/// # Errors
/// The user has already asked the program to stop.
pub(super) fn at_once() -> io::Result<()> {
    FOLLOWED.store(false, Ordering::SeqCst);
    if ASKED.load(Ordering::SeqCst) { Err(Stopped.into()) } else { Ok(()) }
}
