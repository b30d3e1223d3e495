//! Encodings of registry files: windows-1251, which the exchange requires, and UTF-8, which some clinics send. A file in cp866 or KOI8-R is an
//! error, and is rewritten into windows-1251 as it is read, so that its contents are checked too.

mod coding;
mod detect;
mod evidence;

use std::borrow::Cow;
use std::fmt;

pub use coding::Coding;
pub use detect::{Detected, detect};
use encoding_rs::WINDOWS_1251;
pub use evidence::Evidence;

/// The encoding of bytes as they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Encoding {
    /// One byte for each character.
    #[default]
    Windows1251,
    /// One to four bytes for each character.
    Utf8,
}

impl Encoding {
    /// Decodes bytes; undefined ones become U+FFFD.
    pub fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Windows1251 => {
                let text = WINDOWS_1251.decode_without_bom_handling(bytes).0;
                // Like web browsers, the decoder maps the undefined byte to a control character.
                if bytes.contains(&UNDEFINED) { text.replace(char::from(UNDEFINED), "\u{fffd}").into() } else { text }
            }
            Self::Utf8 => String::from_utf8_lossy(bytes),
        }
    }

    /// Number of characters in the bytes.
    pub fn length(self, bytes: &[u8]) -> usize {
        match self {
            Self::Windows1251 => bytes.len(),
            Self::Utf8 => String::from_utf8_lossy(bytes).chars().count(),
        }
    }

    /// Number of characters for counting columns: the counts of parts add up wherever the bytes are cut. A stray continuation byte of UTF-8
    /// belongs to the character before it.
    pub fn columns(self, bytes: &[u8]) -> usize {
        match self {
            Self::Windows1251 => bytes.len(),
            Self::Utf8 => bytes.iter().filter(|b| **b & 0xC0 != 0x80).count(),
        }
    }

    /// The first byte that the encoding does not define; `None` when there is none.
    pub fn undefined(self, bytes: &[u8]) -> Option<u8> {
        match self {
            Self::Windows1251 => bytes.iter().copied().find(|b| *b == UNDEFINED),
            Self::Utf8 => std::str::from_utf8(bytes).err().map(|e| bytes[e.valid_up_to()]),
        }
    }

    /// The label used in XML declarations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Windows1251 => "windows-1251",
            Self::Utf8 => "UTF-8",
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The only byte that windows-1251 does not define.
const UNDEFINED: u8 = 0x98;

/// The byte order mark of UTF-8; it is not part of the text.
pub const BOM: &[u8] = b"\xEF\xBB\xBF";

/// The character of a windows-1251 byte; `None` for 0x98, which the encoding leaves undefined.
pub fn windows_1251_char(byte: u8) -> Option<char> {
    if byte == UNDEFINED {
        return None;
    }
    let (text, _) = WINDOWS_1251.decode_without_bom_handling(std::slice::from_ref(&byte));
    text.chars().next()
}

/// The bytes of a text in windows-1251; `None` when the encoding lacks a character.
pub fn to_windows_1251(text: &str) -> Option<Cow<'_, [u8]>> {
    let (bytes, _, unmappable) = WINDOWS_1251.encode(text);
    (!unmappable).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_is_undefined() {
        let undefined: Vec<u8> = (0..=255).filter(|b| windows_1251_char(*b).is_none()).collect();
        assert_eq!(undefined, [0x98]);
    }

    #[test]
    fn both_directions_agree() {
        for byte in (0..=255).filter(|b| *b != 0x98) {
            let c = windows_1251_char(byte).expect("defined").to_string();
            assert_eq!(to_windows_1251(&c).as_deref(), Some([byte].as_slice()));
        }
        assert_eq!(to_windows_1251("日"), None);
    }
}
