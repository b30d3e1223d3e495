//! Ctrl-C: work that follows a [`ByUser`] ends by itself and leaves everything as before; where nothing does, the program ends at once.

use std::io;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Failure;
use crate::sys;
use crate::watch::{Stopped, Watch};

/// The user has asked for the end.
static ASKED: AtomicBool = AtomicBool::new(false);

/// Work follows the user's wish, or has ended and only its exit code is missing.
static FOLLOWED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C, and what else asks a program to end (SIGTERM, SIGHUP; on Windows the closing of the console), stops the program.
/// `say` is told how it ends, and gives the exit code.
pub(super) fn listen(say: impl Fn(&Failure) -> i32 + Send + 'static) {
    let asked = move || {
        // The second time is a user who does not want to wait: what is left is as after a kill, and the next command puts it right.
        if !ASKED.swap(true, Ordering::SeqCst) && FOLLOWED.load(Ordering::SeqCst) {
            return;
        }
        sys::remove_unfinished();
        process::exit(say(&Failure::of(Stopped)));
    };
    // Fails where the caller has switched these signals off (`nohup`, a job in the background): then he does not want them heard.
    let _ = ctrlc::try_set_handler(asked);
}

/// Work that looks by itself whether the user wants it to end: from the first of these on Ctrl-C waits for it, until [`at_once`].
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

/// From now on there is nothing that would have to be as before, and Ctrl-C ends the program at once.
///
/// # Errors
/// The user has asked for the end already.
pub(super) fn at_once() -> io::Result<()> {
    FOLLOWED.store(false, Ordering::SeqCst);
    if ASKED.load(Ordering::SeqCst) { Err(Stopped.into()) } else { Ok(()) }
}
