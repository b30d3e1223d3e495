//! Encodes bytes of a package in windows-1251, the encoding of registries.

use crate::registry::encoding::{Encoding, to_windows_1251};

/// Bytes that cannot be written in windows-1251.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unwritable {
    /// Offset of the character in the bytes.
    pub(super) at: usize,
    /// The character; `None` if the bytes are not UTF-8.
    pub(super) character: Option<char>,
}

/// Appends bytes of a file in windows-1251; bytes that are already in it stay as they are.
#[inline]
pub(super) fn append(bytes: &[u8], encoding: Encoding, out: &mut Vec<u8>) -> Result<(), Unwritable> {
    match encoding {
        Encoding::Windows1251 => out.extend_from_slice(bytes),
        Encoding::Utf8 if bytes.is_ascii() => out.extend_from_slice(bytes),
        Encoding::Utf8 => {
            let text = std::str::from_utf8(bytes).map_err(|e| Unwritable { at: e.valid_up_to(), character: None })?;
            match to_windows_1251(text) {
                Some(bytes) => out.extend_from_slice(&bytes),
                None => return Err(first_unwritable(text)),
            }
        }
    }
    Ok(())
}

#[cold]
fn first_unwritable(text: &str) -> Unwritable {
    let lacking = text.char_indices().find(|(_, c)| to_windows_1251(c.encode_utf8(&mut [0; 4])).is_none());
    Unwritable { at: lacking.map_or(0, |(at, _)| at), character: lacking.map(|(_, c)| c) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_windows_1251_lacks_is_named() {
        let mut out = Vec::new();
        assert_eq!(append("Ёж".as_bytes(), Encoding::Utf8, &mut out), Ok(()));
        assert_eq!(append(&[0x98, 0xFF], Encoding::Windows1251, &mut out), Ok(()));
        assert_eq!(out, [0xA8, 0xE6, 0x98, 0xFF]);
        assert_eq!(append("аө".as_bytes(), Encoding::Utf8, &mut out), Err(Unwritable { at: 2, character: Some('ө') }));
        assert_eq!(append(b"a\xFF", Encoding::Utf8, &mut out), Err(Unwritable { at: 1, character: None }));
    }
}
