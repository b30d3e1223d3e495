//! The encodings in which files come, and how a file in one of DOS or Unix is read.

use std::fmt;
use std::sync::LazyLock;

use encoding_rs::{Encoding as Label, IBM866, KOI8_R, WINDOWS_1251};

use super::{BOM, Encoding, UNDEFINED};

/// The encoding of a file as it lies on the disk. Those of one byte a character other than windows-1251 are rewritten into it byte by byte when
/// they are read, so all places stay those of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Coding {
    /// What the exchange requires.
    #[default]
    Windows1251,
    /// What some clinics send.
    Utf8,
    /// That of DOS: systems that keep their texts in DBF files.
    Cp866,
    /// That of old Unix systems.
    Koi8R,
}

impl Coding {
    /// The encoding of the bytes after [`Coding::rewrite`].
    pub fn read_as(self) -> Encoding {
        match self {
            Self::Utf8 => Encoding::Utf8,
            Self::Windows1251 | Self::Cp866 | Self::Koi8R => Encoding::Windows1251,
        }
    }

    /// Rewrites bytes of a file, which begin at an offset of it, into [`Coding::read_as`], one for one; the mark of UTF-8 at the beginning stays. A
    /// character that windows-1251 lacks (a frame of DOS) becomes its undefined byte.
    pub fn rewrite(self, bytes: &mut [u8], offset: u64) {
        let table: &[u8; 256] = match self {
            Self::Windows1251 | Self::Utf8 => return,
            Self::Cp866 => &CP866,
            Self::Koi8R => &KOI8,
        };
        let mark = if offset == 0 && bytes.starts_with(BOM) { BOM.len() } else { 0 };
        bytes[mark..].iter_mut().for_each(|byte| *byte = table[usize::from(*byte)]);
    }

    /// The name that people know.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Windows1251 => Encoding::Windows1251.as_str(),
            Self::Utf8 => Encoding::Utf8.as_str(),
            Self::Cp866 => "cp866 (DOS)",
            Self::Koi8R => "KOI8-R",
        }
    }
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

static CP866: LazyLock<[u8; 256]> = LazyLock::new(|| table(IBM866));
static KOI8: LazyLock<[u8; 256]> = LazyLock::new(|| table(KOI8_R));

/// The byte of windows-1251 for each byte of another encoding.
fn table(from: &'static Label) -> [u8; 256] {
    std::array::from_fn(|byte| {
        let byte = byte as u8;
        if byte.is_ascii() {
            return byte;
        }
        let one = [byte];
        let (text, _) = from.decode_without_bom_handling(&one);
        match WINDOWS_1251.encode(&text) {
            (bytes, _, false) if bytes.len() == 1 => bytes[0],
            _ => UNDEFINED,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn russian_letters_survive_and_frames_do_not() {
        for (coding, label) in [(Coding::Cp866, IBM866), (Coding::Koi8R, KOI8_R)] {
            let (bytes, _, lost) = label.encode("Ёжик съел щуку, №1");
            let mut bytes = bytes.into_owned();
            let is_whole = !lost || coding == Coding::Koi8R;
            assert!(is_whole, "{coding}");
            coding.rewrite(&mut bytes, 1);
            assert!(Encoding::Windows1251.decode(&bytes).starts_with("Ёжик съел щуку, "), "{coding}");
        }
        let mut frame = IBM866.encode("║а").0.into_owned();
        Coding::Cp866.rewrite(&mut frame, 0);
        assert_eq!(frame, [UNDEFINED, 0xE0]);
        let mut same = vec![0xE0, 0xD0];
        Coding::Utf8.rewrite(&mut same, 0);
        assert_eq!(same, [0xE0, 0xD0]);
        let mut marked = [BOM, &[0x80]].concat();
        Coding::Cp866.rewrite(&mut marked, 0);
        assert_eq!(marked, [BOM, &[0xC0]].concat());
    }
}
