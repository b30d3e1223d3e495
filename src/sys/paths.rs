//! Windows paths: the verbatim form (`\\?\C:\…`), which the system accepts at any length, and the plain form (`C:\…`), which people read.
//!
//! The standard library turns long paths into the verbatim form before it calls the system. SQLite and our own `CreateFileW` calls do not.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::names::is_device;

const PREFIX: &str = r"\\?\";
const SHARE_PREFIX: &str = r"\\?\UNC\";

/// The most UTF-16 units of a plain path that is surely accepted: files may have 259, folders 247, and SQLite adds up to 8 (`-journal`).
const LONGEST: usize = 239;

/// The real path of a file or folder, with all links resolved; on Windows in the plain form unless that would change its meaning.
///
/// # Errors
/// The file or folder does not exist.
pub fn canonicalize(path: &Path) -> io::Result<PathBuf> {
    let real = match fs::canonicalize(path) {
        // Windows cannot resolve paths on some drives, such as drives in memory or made by programs.
        Err(_) if cfg!(windows) && path.exists() => return std::path::absolute(path),
        real if !cfg!(windows) => return real,
        real => real?,
    };
    let plain = real.to_str().filter(|text| is_lossless(text)).map(plain);
    Ok(plain.map_or(real.clone(), |text| PathBuf::from(&*text)))
}

/// A path for people: without the verbatim prefix of Windows.
pub fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) { plain(&text).into_owned() } else { text.into_owned() }
}

/// Whether a path is so long that Windows may refuse its plain form.
pub(crate) fn is_long(path: &str) -> bool {
    path.encode_utf16().count() > LONGEST
}

/// An absolute Windows path in the verbatim form; any other path unchanged.
pub(crate) fn verbatim(path: &str) -> Cow<'_, str> {
    if path.starts_with(PREFIX) {
        return path.into();
    }
    let path = path.replace('/', r"\");
    let is_drive = matches!(path.as_bytes(), [letter, b':', b'\\', ..] if letter.is_ascii_alphabetic());
    if path.split('\\').any(|name| matches!(name, "." | "..")) {
        path.into()
    } else if is_drive {
        format!("{PREFIX}{path}").into()
    } else if let Some(share) = path.strip_prefix(r"\\").filter(|share| !share.starts_with('.')) {
        format!("{SHARE_PREFIX}{share}").into()
    } else {
        path.into()
    }
}

/// Splits a verbatim path: the beginning of its plain form, and the part after the verbatim prefix. `None` for other paths.
fn tail(path: &str) -> Option<(&'static str, &str)> {
    if let Some(share) = path.strip_prefix(SHARE_PREFIX) {
        return Some((r"\\", share));
    }
    let drive = path.strip_prefix(PREFIX)?;
    matches!(drive.as_bytes(), [letter, b':', b'\\', ..] if letter.is_ascii_alphabetic()).then_some(("", drive))
}

/// A path without its verbatim prefix; other paths unchanged.
fn plain(path: &str) -> Cow<'_, str> {
    match tail(path) {
        Some(("", drive)) => drive.into(),
        Some((head, share)) => format!("{head}{share}").into(),
        None => path.into(),
    }
}

/// Whether the plain form of a verbatim path means the same file. In plain paths the system removes dots and spaces at the end of names, takes
/// names of devices for devices, and `/` for a separator.
fn is_lossless(path: &str) -> bool {
    let Some((_, tail)) = tail(path) else { return true };
    !tail.contains('/') && tail.split('\\').all(|name| !name.ends_with(['.', ' ']) && !is_device(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_goes_where_nothing_is_lost() {
        for (verbatim_form, plain_form) in [
            (r"\\?\C:\реестры\февраль 2021", r"C:\реестры\февраль 2021"),
            (r"\\?\Z:\", r"Z:\"),
            (r"\\?\UNC\сервер\обмен\H.zip", r"\\сервер\обмен\H.zip"),
            (r"\\?\C:\coma\CONSOLE\com10.txt\.puomp", r"C:\coma\CONSOLE\com10.txt\.puomp"),
        ] {
            assert!(is_lossless(verbatim_form), "{verbatim_form}");
            assert_eq!(plain(verbatim_form), plain_form);
            assert_eq!(verbatim(plain_form), verbatim_form);
            assert_eq!(verbatim(verbatim_form), verbatim_form);
            assert_eq!(plain(plain_form), plain_form);
        }
        for path in [r"\\?\C:\a.\b", r"\\?\C:\a \b", r"\\?\C:\aux", r"\\?\C:\x\con .txt", r"\\?\C:\LPT1.xml", r"\\?\UNC\s\d\nul", r"\\?\C:\a/b"] {
            assert!(!is_lossless(path), "{path}");
            assert!(!plain(path).starts_with(PREFIX), "people read it without the prefix all the same");
        }
    }

    #[test]
    fn other_forms_stay_as_they_are() {
        for path in [r"\\?\Volume{b75e2c83-0000-0000-0000-602f00000000}\x", r"\\.\pipe\x", "реестры", r"C:relative", r"C:\a\..\b", r"\\?\C:", ""] {
            assert_eq!(plain(path), path);
            assert_eq!(verbatim(path), path);
        }
        assert_eq!(verbatim("C:/реестры/x"), r"\\?\C:\реестры\x", "a slash is no separator in the verbatim form");
    }

    #[test]
    fn length_is_counted_as_windows_counts() {
        assert!(!is_long(&"я".repeat(239)) && is_long(&"я".repeat(240)));
        assert!(is_long(&"𝄞".repeat(120)), "two units each");
    }
}
