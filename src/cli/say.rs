//! The talk of the program: what goes to standard error, beside the result on standard output.

use std::io::{self, Write as _};

/// Says something on standard error; when nobody listens, it is lost.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
