//! Names of entries: decoding, unsafe names, and names of archives.

use encoding_rs::IBM866;

use crate::sys::{self, hides};

/// Number of bytes that [`is_archive`] needs.
pub(super) const MAGIC: usize = 8;

/// First bytes of archives: zip (also empty and split), 7-Zip, RAR, gzip, bzip2, xz, CAB, Zstandard.
const ARCHIVES: [&[u8]; 10] = [
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x07\x08",
    b"7z\xBC\xAF\x27\x1C",
    b"Rar!\x1A\x07",
    b"\x1F\x8B\x08",
    b"BZh",
    b"\xFD7zXZ\x00",
    b"MSCF",
    b"\x28\xB5\x2F\xFD",
];

/// Extensions of archives; `.oms` is a zip archive.
const EXTENSIONS: [&str; 11] = ["zip", "oms", "7z", "rar", "gz", "tgz", "bz2", "xz", "tar", "cab", "arj"];

/// Whether the bytes begin like an archive.
pub(super) fn is_archive(head: &[u8]) -> bool {
    ARCHIVES.iter().any(|magic| head.starts_with(magic))
}

/// Whether the bytes begin like a zip archive.
pub(super) fn is_zip(head: &[u8]) -> bool {
    ARCHIVES[..3].iter().any(|magic| head.starts_with(magic))
}

/// Whether a file name has the extension of an archive.
pub(super) fn names_archive(base: &str) -> bool {
    base.rsplit_once('.').is_some_and(|(_, extension)| EXTENSIONS.iter().any(|e| extension.eq_ignore_ascii_case(e)))
}

/// Decodes a name: as UTF-8 when the entry is flagged so, otherwise from code page 866, which Russian archivers use. `\` becomes `/` because
/// archivers of old .NET versions write it between folders.
pub(super) fn decode(raw: &[u8], utf8: bool) -> String {
    let text = match std::str::from_utf8(raw) {
        Ok(text) if utf8 || text.is_ascii() => text.into(),
        _ => IBM866.decode_without_bom_handling(raw).0,
    };
    text.replace('\\', "/")
}

/// Whether a name leads out of its folder, names a device or a stream, or contains characters that hide what it is.
pub(super) fn is_unsafe(name: &str) -> bool {
    let folderless = name.strip_suffix('/').unwrap_or(name);
    folderless.is_empty()
        || name.starts_with('/')
        || name.chars().any(|c| c == ':' || hides(c))
        // Windows drops dots and spaces at the end of a part: it reads `.. ` as `..`.
        || folderless.split('/').any(|part| part.trim_end_matches(['.', ' ']).is_empty())
}

/// A name for messages: short, and without hiding characters.
pub(super) fn printable(name: &str) -> String {
    sys::printable(name, 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_both_encodings() {
        assert_eq!(decode("счёт.xml".as_bytes(), true), "счёт.xml");
        assert_eq!(decode(&[0xE1, 0xE7, 0xF1, 0xE2, b'.', b'x'], false), "счёт.x");
        assert_eq!(decode(b"a\\b.xml", false), "a/b.xml");
    }

    #[test]
    fn names_that_lead_out() {
        for name in [
            "",
            "/",
            "/x",
            "../x",
            "a/../x",
            "a/..",
            ".. /x",
            "a/.../x",
            "./x",
            "C:/x",
            "x:stream",
            "a\0.xml",
            "a\u{1B}[2J",
            "lmx\u{202E}.exe",
            "a//b",
            "//host/x",
        ] {
            assert!(is_unsafe(name), "{name:?}");
        }
        for name in ["HM.xml", "2019/03/HM.XML", "папка/", "a..b.xml", ".hidden", "a b.xml"] {
            assert!(!is_unsafe(name), "{name:?}");
        }
    }

    #[test]
    fn archives_by_name_and_by_content() {
        assert!(names_archive("x.ZIP") && names_archive("x.oms") && !names_archive("zip") && !names_archive("x.xml"));
        assert!(is_archive(b"PK\x03\x04rest") && is_archive(b"Rar!\x1A\x07\x00") && !is_archive(b"<?xml") && !is_archive(b""));
        assert!(is_zip(b"PK\x05\x06") && !is_zip(b"7z\xBC\xAF\x27\x1C"));
    }
}
