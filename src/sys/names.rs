//! Names of files and folders that are made from values of exports and answers. Whatever the system, a name is accepted only if every system takes it as
//! one name in the folder where it is put: what is written at a Linux server is read at a Windows desk.

/// Most bytes of a name: ext4 takes 255, and NTFS 255 units of UTF-16, of which there are never more than bytes.
const LONGEST: usize = 255;

/// Whether a text may name a file or a folder on every system: no separator or other character that Windows forbids, no character that controls a
/// terminal or hides what follows, no dot or space at the end (which Windows drops, so that `.. ` becomes `..`), no device, not empty, not too long.
pub fn is_file_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST && !name.ends_with(['.', ' ']) && !name.chars().any(is_forbidden) && !is_device(name)
}

/// Whether each part of a relative path, separated by `/`, may name a file or a folder on every system.
pub fn is_file_path(path: &str) -> bool {
    path.split('/').all(is_file_name)
}

/// A text as the name of a file with an extension, of at most `most` characters without it: what no name may contain becomes `_`.
pub fn file_name(text: &str, most: usize, extension: &str) -> String {
    let stem: String = text.chars().take(most).map(|c| if is_forbidden(c) { '_' } else { c }).collect();
    let stem = stem.trim_end();
    // A device is a device with any extension.
    let guard = if stem.is_empty() || is_device(stem) { "_" } else { "" };
    format!("{guard}{stem}.{extension}")
}

/// Whether a character controls a terminal or changes the direction of writing.
pub fn hides(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A value for messages: cut to `most` characters, with hiding characters replaced.
pub fn printable(value: &str, most: usize) -> String {
    let mut out: String = value.chars().take(most).map(|c| if hides(c) { char::REPLACEMENT_CHARACTER } else { c }).collect();
    if value.chars().nth(most).is_some() {
        out.push('…');
    }
    out
}

fn is_forbidden(c: char) -> bool {
    hides(c) || matches!(c, '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*')
}

/// Whether Windows takes a name for one of its devices, whatever its extension.
pub(super) fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or("").trim_end_matches(' ').to_ascii_uppercase();
    let port = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    matches!(&*stem, "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || port.is_some_and(|n| n.chars().count() == 1 && n.contains(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '¹', '²', '³']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_system_or_not_every_system_takes() {
        for name in [
            "",
            ".",
            "..",
            "../..",
            "a/b",
            r"a\b",
            r"..\..",
            "/etc",
            "C:",
            "C:x",
            "a.",
            "a ",
            ".. ",
            "a\0b",
            "a\nb",
            "a\u{1b}[2J",
            "\u{202E}cod",
            "CON",
            "con",
            "NUL",
            "nul.xml",
            "COM1",
            "lpt9.zip",
            "COM¹",
            "CONIN$",
            "AUX .txt",
            "a<b",
            "a>b",
            "a\"b",
            "a|b",
            "a?b",
            "a*b",
            "x:stream",
        ] {
            assert!(!is_file_name(name), "{name:?}");
        }
        assert!(is_file_name(&"x".repeat(255)) && !is_file_name(&"x".repeat(256)) && !is_file_name(&"я".repeat(128)));
        for name in ["14002", "T14", "HM140001S14002_21031.zip", "реестр за март", "console", "COM10", ".hidden", "a..b", "a'b", "$HOME", "%TEMP%", "-rf"]
        {
            assert!(is_file_name(name), "{name:?}");
        }
    }

    #[test]
    fn a_path_is_as_good_as_each_of_its_parts() {
        assert!(is_file_path("outbox/14002/HM140001S14002_21031.zip"));
        for path in ["", "outbox/../../x.zip", "/outbox/x.zip", "outbox//x.zip", "outbox/", r"outbox/..\x.zip", "outbox/NUL/x.zip", "C:/x.zip"] {
            assert!(!is_file_path(path), "{path:?}");
        }
    }

    #[test]
    fn a_text_becomes_a_name() {
        for (text, name) in [
            ("VHM140001S14002_21031", "VHM140001S14002_21031.xml"),
            ("../../etc/passwd", ".._.._etc_passwd.xml"),
            ("NUL", "_NUL.xml"),
            ("prn.1", "_prn.1.xml"),
            (" ", "_.xml"),
            ("a:b\u{7} ", "a_b_.xml"),
        ] {
            assert_eq!(file_name(text, 100, "xml"), name);
            assert!(is_file_name(name));
        }
        assert_eq!(file_name(&"я".repeat(300), 100, "xml").chars().count(), 104);
    }

    #[test]
    fn messages_get_short_and_harmless_values() {
        assert_eq!(printable("a\0b", 80), "a\u{FFFD}b");
        assert_eq!(printable(&"я".repeat(100), 80).chars().count(), 81);
        assert_eq!(printable(&"я".repeat(80), 80).chars().count(), 80);
    }
}
