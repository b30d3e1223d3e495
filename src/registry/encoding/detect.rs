//! Detects which encoding a file declares and which it really has.

use encoding_rs::{Encoding as Label, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251};

use super::{BOM, Encoding};
use crate::finding::Check;
use crate::registry::fault::Fault;

/// Number of characters of a label that are kept for messages.
const LABEL: usize = 40;
/// Upper bound of the length of an XML declaration.
const DECLARATION: usize = 1 << 10;

/// The encoding of a file, judged by its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The encoding to decode the file with: the real one, as far as the bytes show it.
    pub encoding: Encoding,
    /// The label in the XML declaration; `None` when there is none.
    pub declared: Option<String>,
    /// Whether the declared encoding differs from the real one. Without a declaration UTF-8 is assumed, as in XML.
    pub differs: bool,
    /// Whether the file begins with the byte order mark of UTF-8.
    pub bom: bool,
}

/// The encoding that a declaration names.
enum Declared {
    Known(Encoding),
    /// UTF-16, which is false: the declaration was readable byte by byte. Programs that write XML into a string produce it.
    Wide,
}

/// Detects the encoding from the first bytes of a file. `whole` means that these are all its bytes.
///
/// A file in pure ASCII has the encoding that it declares. Otherwise the characters decide: a file declared as windows-1251 counts as UTF-8 only
/// when most of its non-ASCII content is Russian letters in UTF-8; a file declared as UTF-8 counts as windows-1251 when most of that content is
/// invalid UTF-8.
///
/// # Errors
/// [`Check::EncodingUnknown`]: UTF-16, UTF-32, or a label other than windows-1251 and UTF-8.
pub fn detect(head: &[u8], whole: bool) -> Result<Detected, Fault> {
    if let Some(wide) = wide(head) {
        return Err(Fault::new(Check::EncodingUnknown).found(wide));
    }
    let bom = head.starts_with(BOM);
    let text = if bom { &head[BOM.len()..] } else { head };
    let declared = label(text);
    let promised = match &declared {
        None => Declared::Known(Encoding::Utf8),
        Some(label) => meaning(label).ok_or_else(|| Fault::new(Check::EncodingUnknown).found(label))?,
    };
    let count = Letters::count(text, whole);
    let like_utf8 = count.valid > count.broken;
    let encoding = match promised {
        _ if bom => {
            if like_utf8 || count.none() {
                Encoding::Utf8
            } else {
                Encoding::Windows1251
            }
        }
        Declared::Known(encoding) if count.none() => encoding,
        Declared::Wide if count.none() => Encoding::Windows1251,
        Declared::Known(Encoding::Windows1251) if count.russian > count.broken + (count.valid - count.russian) => Encoding::Utf8,
        Declared::Known(Encoding::Windows1251) => Encoding::Windows1251,
        _ => {
            if like_utf8 {
                Encoding::Utf8
            } else {
                Encoding::Windows1251
            }
        }
    };
    let differs = !matches!(promised, Declared::Known(promised) if promised == encoding);
    Ok(Detected { encoding, declared, differs, bom })
}

fn wide(head: &[u8]) -> Option<&'static str> {
    Some(match head {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => "UTF-32",
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [b'<', 0, ..] | [0, b'<', ..] => "UTF-16",
        _ => return None,
    })
}

/// The encoding label of an XML declaration.
fn label(text: &[u8]) -> Option<String> {
    let text = &text[..text.len().min(DECLARATION)];
    let inside = text.trim_ascii_start().strip_prefix(b"<?xml")?;
    let inside = &inside[..memchr::memmem::find(inside, b"?>")?];
    let at = memchr::memmem::find(inside, b"encoding")?;
    let value = inside[at + b"encoding".len()..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first().filter(|(q, _)| matches!(q, b'"' | b'\''))?;
    let value = &value[..memchr::memchr(*quote, value)?];
    Some(value.iter().take(LABEL).map(|b| if b.is_ascii_graphic() { char::from(*b) } else { '?' }).collect())
}

fn meaning(label: &str) -> Option<Declared> {
    let known = Label::for_label(label.as_bytes())?;
    if known == WINDOWS_1251 {
        Some(Declared::Known(Encoding::Windows1251))
    } else if known == UTF_8 {
        Some(Declared::Known(Encoding::Utf8))
    } else {
        (known == UTF_16LE || known == UTF_16BE).then_some(Declared::Wide)
    }
}

/// Counts of the content beyond ASCII, read as UTF-8.
#[derive(Debug, Default)]
struct Letters {
    /// Valid characters.
    valid: usize,
    /// Russian letters among the valid characters.
    russian: usize,
    /// Invalid bytes.
    broken: usize,
}

impl Letters {
    fn count(text: &[u8], whole: bool) -> Self {
        let mut count = Self::default();
        if text.is_ascii() {
            return count;
        }
        let mut chunks = text.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            for c in chunk.valid().chars().filter(|c| !c.is_ascii()) {
                count.valid += 1;
                count.russian += usize::from(matches!(c, 'А'..='я' | 'Ё' | 'ё'));
            }
            // The end of the window may cut the last character.
            if whole || chunks.peek().is_some() {
                count.broken += chunk.invalid().len();
            }
        }
        count
    }

    fn none(&self) -> bool {
        self.valid == 0 && self.broken == 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::to_windows_1251;
    use super::*;

    fn document(label: &str, text: &[u8]) -> Vec<u8> {
        let declaration = if label.is_empty() { String::new() } else { format!("<?xml version=\"1.0\" encoding=\"{label}\"?>\r\n") };
        [declaration.as_bytes(), b"<A>", text, b"</A>"].concat()
    }

    fn found(bytes: &[u8]) -> (Encoding, bool) {
        let detected = detect(bytes, true).expect("an encoding of the exchange");
        (detected.encoding, detected.differs)
    }

    #[test]
    fn what_is_declared_and_what_is_real() {
        let utf8 = "Иванова Мария".as_bytes();
        let ansi = to_windows_1251("Иванова Мария").expect("of windows-1251");
        for (label, text, expected) in [
            ("windows-1251", &*ansi, (Encoding::Windows1251, false)),
            ("Windows-1251", b"ascii".as_slice(), (Encoding::Windows1251, false)),
            ("cp1251", utf8, (Encoding::Utf8, true)),
            ("UTF-8", utf8, (Encoding::Utf8, false)),
            ("utf-8", b"ascii", (Encoding::Utf8, false)),
            ("UTF-8", &*ansi, (Encoding::Windows1251, true)),
            ("", b"ascii", (Encoding::Utf8, false)),
            ("", utf8, (Encoding::Utf8, false)),
            ("", &*ansi, (Encoding::Windows1251, true)),
            ("utf-16", &*ansi, (Encoding::Windows1251, true)),
            ("utf-16", utf8, (Encoding::Utf8, true)),
            ("utf-16", b"ascii", (Encoding::Windows1251, true)),
        ] {
            assert_eq!(found(&document(label, text)), expected, "{label} {}", text.len());
        }
    }

    #[test]
    fn a_stray_byte_does_not_change_the_encoding() {
        let bytes = document("UTF-8", &[&"Иванова".as_bytes()[..12], b"\xFF"].concat());
        assert_eq!(found(&bytes), (Encoding::Utf8, false));
        // «СЁ» in windows-1251 is a valid character of UTF-8, but not a Russian one.
        assert_eq!(found(&document("windows-1251", b"\xD1\xA8")), (Encoding::Windows1251, false));
        assert_eq!(found(&document("windows-1251", &to_windows_1251("ДВ4 №1 «Ё»").expect("of windows-1251"))), (Encoding::Windows1251, false));
    }

    #[test]
    fn the_mark_of_utf_8() {
        let marked = |bytes: &[u8]| [BOM, bytes].concat();
        assert_eq!(found(&marked(&document("UTF-8", b"a"))), (Encoding::Utf8, false));
        assert_eq!(found(&marked(&document("windows-1251", "я".as_bytes()))), (Encoding::Utf8, true));
        assert_eq!(found(&marked(&document("windows-1251", b"\xE8\xE2"))), (Encoding::Windows1251, false));
        assert!(detect(&marked(b"<A/>"), true).expect("UTF-8").bom);
    }

    #[test]
    fn a_character_cut_by_the_window_is_not_broken() {
        let bytes = document("UTF-8", "я".as_bytes());
        let cut = &bytes[..bytes.len() - 5];
        assert_eq!(detect(cut, false).expect("UTF-8").encoding, Encoding::Utf8);
        assert_eq!(detect(cut, true).expect("an encoding").encoding, Encoding::Windows1251);
    }

    #[test]
    fn foreign_encodings_are_refused() {
        let wide: Vec<u8> = "<?xml?>".bytes().flat_map(|b| [b, 0]).collect();
        let wide_be: Vec<u8> = "<?xml?>".bytes().flat_map(|b| [0, b]).collect();
        for (bytes, label) in [
            ([b"\xFF\xFE".as_slice(), &wide].concat(), "UTF-16"),
            (wide, "UTF-16"),
            (wide_be, "UTF-16"),
            (b"\xFF\xFE\0\0<\0\0\0".to_vec(), "UTF-32"),
            (document("koi8-r", b"a"), "koi8-r"),
            (document("кои", b"a"), "??????"),
        ] {
            let fault = detect(&bytes, true).expect_err(label);
            assert_eq!((fault.check, fault.found.as_deref()), (Check::EncodingUnknown, Some(label)));
        }
    }
}
