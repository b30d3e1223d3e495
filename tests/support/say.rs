//! Prints counts that are the result of a test.

use std::io::Write as _;

/// Prints a line past the test harness, which captures the output of tests.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
