//! The paths that a verb works on: as typed, by wildcards (the Windows shells do not expand them), or listed on standard input.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::Failure;
use crate::registry::encoding::Encoding;
use crate::registry::package::{Input, expand};

/// The argument that means a list on standard input.
const LIST: &str = "-";

/// All inputs in the order given.
pub(super) fn inputs(paths: &[PathBuf]) -> Result<Vec<Input>, Failure> {
    let mut inputs = Vec::new();
    for path in paths {
        if path.as_os_str() == OsStr::new(LIST) {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes).map_err(|error| Failure::Read(PathBuf::from(LIST), error))?;
            for line in list(&bytes) {
                inputs.extend(of(Path::new(&line))?);
            }
        } else {
            inputs.extend(of(path)?);
        }
    }
    Ok(inputs)
}

fn of(path: &Path) -> Result<Vec<Input>, Failure> {
    match path.to_str() {
        Some(text) => expand(text).map_err(|reason| Failure::Pattern(text.to_owned(), reason)),
        None => Ok(vec![Input::named(path)]),
    }
}

/// Reads one path a line: in UTF-8, in windows-1251 as older Windows programs write, or in code page 866 as `dir /b` of a Russian console does.
///
/// The bytes do not tell the last two apart: code page 866 is used only if it names a file that exists and windows-1251 names none.
fn list(bytes: &[u8]) -> Vec<String> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return lines(text);
    }
    let ansi = lines(&Encoding::Windows1251.decode(bytes));
    let oem = lines(&encoding_rs::IBM866.decode_without_bom_handling(bytes).0);
    let is_there = |path: &String| Path::new(path).exists();
    if oem.iter().any(is_there) && !ansi.iter().any(is_there) { oem } else { ansi }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(|l| l.trim_end_matches('\r')).filter(|l| !l.trim().is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_any_origin() {
        assert_eq!(list("\u{feff}мои файлы/a.zip\r\n\r\nb.xml".as_bytes()), ["мои файлы/a.zip", "b.xml"]);
        assert_eq!(list(b"\xec\xee\xe8/a.zip\n"), ["мои/a.zip"]);
        assert!(list(b"\n \n").is_empty());
    }

    #[test]
    fn the_encoding_in_which_a_file_is_there_is_the_right_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("мои").to_str().expect("a plain path").to_owned();
        let in_866 = encoding_rs::IBM866.encode(&file).0;
        assert!(in_866.ends_with(b"\xac\xae\xa8"));
        assert_ne!(list(&in_866), [&*file]);
        std::fs::write(&file, "x").expect("written");
        assert_eq!(list(&in_866), [&*file]);
    }
}
