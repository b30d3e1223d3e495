//! Messages on standard error, which leave standard output to the result.

use std::io::{self, Write as _};

/// Writes a line to standard error; a failure to write is ignored.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
