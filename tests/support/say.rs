//! Counts that are the result of a test.

use std::io::Write as _;

/// Says something past the test harness, which keeps what tests print.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
