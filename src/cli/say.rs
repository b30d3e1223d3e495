//! Messages on standard error, which leave standard output to the result.

use std::io::{self, Write as _};

use crate::texts::layout::fit;

/// Writes a text for people to standard error, in lines that fit a console; a failure to write is ignored.
pub(super) fn say(text: &str) {
    say_as_is(&fit(text));
}

/// Writes a line to standard error as it is: JSON, or a text that somebody else has laid out. A failure to write is ignored.
pub(super) fn say_as_is(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
