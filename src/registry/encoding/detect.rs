//! Detects which encoding a file declares and which it really has.

use encoding_rs::{Encoding as Label, IBM866, KOI8_R, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251};

use super::{BOM, Coding, Evidence};
use crate::finding::Check;
use crate::registry::fault::Fault;

/// Number of characters of a label that are kept for messages.
const LABEL: usize = 40;
/// Upper bound of the length of an XML declaration.
const DECLARATION: usize = 1 << 10;

/// The encoding of a file, judged by its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The real encoding, as far as the bytes show it.
    pub coding: Coding,
    /// The label in the XML declaration; `None` when there is none.
    pub declared: Option<String>,
    /// Whether the declared encoding differs from the real one. Without a declaration UTF-8 is assumed, as in XML.
    pub differs: bool,
    /// Whether the file begins with the byte order mark of UTF-8.
    pub bom: bool,
    /// The declared encoding while the beginning holds too few letters to be sure of the real one; `None` when it is sure.
    pub unsure: Option<Coding>,
}

/// The encoding that a declaration names.
enum Declared {
    Known(Coding),
    /// UTF-16, which is false: the declaration was readable byte by byte. Programs that write XML into a string produce it.
    Wide,
}

/// Detects the encoding from the first bytes of a file. `whole` means that these are all its bytes.
///
/// A file in pure ASCII has the encoding that it declares. Otherwise the characters decide: a file declared as windows-1251 counts as UTF-8 only
/// when most of its non-ASCII content is Russian letters in UTF-8; a file declared as UTF-8 counts as another when most of that content is
/// invalid UTF-8. Encodings of one byte a character are told apart by the letters, see [`Evidence`].
///
/// # Errors
/// [`Check::EncodingUnknown`]: UTF-16, UTF-32, or a label other than windows-1251, UTF-8, cp866 and KOI8-R.
pub fn detect(head: &[u8], whole: bool) -> Result<Detected, Fault> {
    if let Some(wide) = wide(head) {
        return Err(Fault::new(Check::EncodingUnknown).found(wide));
    }
    let bom = head.starts_with(BOM);
    let text = if bom { &head[BOM.len()..] } else { head };
    let declared = label(text);
    let promised = match &declared {
        None => Declared::Known(Coding::Utf8),
        Some(label) => meaning(label).ok_or_else(|| Fault::new(Check::EncodingUnknown).found(label))?,
    };
    let mut evidence = Evidence::default();
    evidence.add(text, whole);
    let coding = match promised {
        Declared::Known(coding) if bom && evidence.is_like_utf8() && coding != Coding::Utf8 => Coding::Utf8,
        Declared::Known(coding) => evidence.judge(coding),
        Declared::Wide if evidence.is_none() => Coding::Windows1251,
        Declared::Wide => evidence.judge(Coding::Utf8),
    };
    let (differs, unsure) = match promised {
        Declared::Known(promised) => (coding != promised, Some(promised).filter(|_| coding == promised && !whole && !evidence.is_settled())),
        Declared::Wide => (true, None),
    };
    Ok(Detected { coding, declared, differs, bom, unsure })
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
    let coding = [(WINDOWS_1251, Coding::Windows1251), (UTF_8, Coding::Utf8), (IBM866, Coding::Cp866), (KOI8_R, Coding::Koi8R)];
    match coding.into_iter().find(|(own, _)| *own == known) {
        Some((_, coding)) => Some(Declared::Known(coding)),
        None => (known == UTF_16LE || known == UTF_16BE).then_some(Declared::Wide),
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

    fn found(bytes: &[u8]) -> (Coding, bool) {
        let detected = detect(bytes, true).expect("an encoding of the exchange");
        (detected.coding, detected.differs)
    }

    #[test]
    fn what_is_declared_and_what_is_real() {
        let utf8 = "Иванова Мария".as_bytes();
        let ansi = to_windows_1251("Иванова Мария").expect("of windows-1251");
        for (label, text, expected) in [
            ("windows-1251", &*ansi, (Coding::Windows1251, false)),
            ("Windows-1251", b"ascii".as_slice(), (Coding::Windows1251, false)),
            ("cp1251", utf8, (Coding::Utf8, true)),
            ("UTF-8", utf8, (Coding::Utf8, false)),
            ("utf-8", b"ascii", (Coding::Utf8, false)),
            ("UTF-8", &*ansi, (Coding::Windows1251, true)),
            ("", b"ascii", (Coding::Utf8, false)),
            ("", utf8, (Coding::Utf8, false)),
            ("", &*ansi, (Coding::Windows1251, true)),
            ("utf-16", &*ansi, (Coding::Windows1251, true)),
            ("utf-16", utf8, (Coding::Utf8, true)),
            ("utf-16", b"ascii", (Coding::Windows1251, true)),
        ] {
            assert_eq!(found(&document(label, text)), expected, "{label} {}", text.len());
        }
    }

    #[test]
    fn a_stray_byte_does_not_change_the_encoding() {
        let bytes = document("UTF-8", &[&"Иванова".as_bytes()[..12], b"\xFF"].concat());
        assert_eq!(found(&bytes), (Coding::Utf8, false));
        // «СЁ» in windows-1251 is a valid character of UTF-8, but not a Russian one.
        assert_eq!(found(&document("windows-1251", b"\xD1\xA8")), (Coding::Windows1251, false));
        assert_eq!(found(&document("windows-1251", &to_windows_1251("ДВ4 №1 «Ё»").expect("of windows-1251"))), (Coding::Windows1251, false));
    }

    #[test]
    fn the_mark_of_utf_8() {
        let marked = |bytes: &[u8]| [BOM, bytes].concat();
        assert_eq!(found(&marked(&document("UTF-8", b"a"))), (Coding::Utf8, false));
        assert_eq!(found(&marked(&document("windows-1251", "я".as_bytes()))), (Coding::Utf8, true));
        assert_eq!(found(&marked(&document("windows-1251", b"\xE8\xE2"))), (Coding::Windows1251, false));
        assert!(detect(&marked(b"<A/>"), true).expect("UTF-8").bom);
    }

    #[test]
    fn a_character_cut_by_the_window_is_not_broken() {
        let bytes = document("UTF-8", "я".as_bytes());
        let cut = &bytes[..bytes.len() - 5];
        assert_eq!(detect(cut, false).expect("UTF-8").coding, Coding::Utf8);
        assert_eq!(detect(cut, true).expect("an encoding").coding, Coding::Windows1251);
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
            (document("iso-8859-5", b"a"), "iso-8859-5"),
            (document("кои", b"a"), "??????"),
        ] {
            let fault = detect(&bytes, true).expect_err(label);
            assert_eq!((fault.check, fault.found.as_deref()), (Check::EncodingUnknown, Some(label)));
        }
    }
}
