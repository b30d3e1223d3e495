//! Messages on standard error, which leave standard output to the result; lines that fit a console.

use std::io::{self, Write as _};

/// Writes a line to standard error; a failure to write is ignored.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Columns of a console.
const COLUMNS: usize = 80;

/// A text as indented lines of at most 80 columns, each with its line break. A line with a command is not broken, because it is to be copied; the lines that
/// a text goes on in are indented further.
pub(super) fn wrapped(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let further = indent + 2;
    for (number, line) in text.lines().enumerate() {
        let own = if number == 0 { indent } else { further };
        if line.contains("puomp ") {
            out += &format!("{:own$}{line}\n", "");
            continue;
        }
        let (mut width, mut is_first) = (own, true);
        out += &" ".repeat(own);
        for word in line.split(' ') {
            let long = word.chars().count();
            if !is_first && width + 1 + long > COLUMNS {
                out += &format!("\n{:further$}", "");
                width = further;
            } else if !is_first {
                out.push(' ');
                width += 1;
            }
            out += word;
            width += long;
            is_first = false;
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_the_console_and_commands_stay_whole() {
        let long = "слово ".repeat(40);
        let text = wrapped(&format!("{}\npuomp validate {}", long.trim_end(), "x".repeat(90)), 2);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[..lines.len() - 1].iter().all(|line| line.chars().count() <= 80), "{text}");
        assert!(lines[0].starts_with("  слово") && lines[1].starts_with("    слово") && lines.last().is_some_and(|l| l.starts_with("    puomp validate xxx")));
        assert_eq!(text.matches("слово").count(), 40);
        assert_eq!(wrapped("a b", 0), "a b\n");
    }
}
