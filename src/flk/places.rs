//! Lines and columns: counted within a piece, then shifted by the text before the piece.

use crate::finding::Place;
use crate::registry::encoding::Encoding;

/// How far a file has been read, in lines and characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progressed {
    /// Line breaks so far.
    lines: u32,
    /// Characters after the last line break.
    tail: u32,
}

impl Progressed {
    /// Lines and characters of a text.
    pub(super) fn of(bytes: &[u8], encoding: Encoding) -> Self {
        let lines = memchr::memchr_iter(b'\n', bytes).count();
        let tail = memchr::memrchr(b'\n', bytes).map_or(bytes, |at| &bytes[at + 1..]);
        Self { lines: saturated(lines), tail: saturated(encoding.columns(tail)) }
    }

    /// Adds the text that was read next.
    pub(super) fn advance(&mut self, more: Self) {
        self.tail = if more.lines == 0 { self.tail.saturating_add(more.tail) } else { more.tail };
        self.lines = self.lines.saturating_add(more.lines);
    }

    /// The place of the next character.
    pub(super) fn place(self, offset: u64) -> Place {
        Place { offset, line: self.lines.saturating_add(1), column: self.tail.saturating_add(1) }
    }

    /// Converts a place counted from this point into a place counted from the beginning of the file.
    pub(super) fn shift(self, place: &mut Place) {
        if place.line == 1 {
            place.column = place.column.saturating_add(self.tail);
        }
        if place.line > 0 {
            place.line = place.line.saturating_add(self.lines);
        }
    }
}

/// Sets line and column of places within a piece, counted from its first byte (offset `base` of the file), in one pass. Places outside the piece stay
/// as they are. Returns the lines and characters of the piece.
pub(super) fn resolve<'a>(places: impl Iterator<Item = &'a mut Place>, bytes: &[u8], base: u64, encoding: Encoding) -> Progressed {
    let inside = |place: &Place| place.offset.checked_sub(base).is_some_and(|at| at <= bytes.len() as u64);
    let mut places: Vec<&mut Place> = places.filter(|place| inside(place)).collect();
    places.sort_by_key(|place| place.offset);
    let mut read = Progressed::default();
    let mut counted = 0;
    for place in places {
        let at = (place.offset - base) as usize;
        read.advance(Progressed::of(&bytes[counted..at], encoding));
        counted = at;
        *place = read.place(place.offset);
    }
    read.advance(Progressed::of(&bytes[counted..], encoding));
    read
}

/// The place of an offset: the known one, else one whose line and column are not yet counted.
pub(super) fn settled(known: &[Place], offset: u64) -> Place {
    known.binary_search_by_key(&offset, |p| p.offset).map_or(Place { offset, ..Place::default() }, |at| known[at])
}

fn saturated(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u64) -> Place {
        Place { offset, ..Place::default() }
    }

    #[test]
    fn columns_are_characters() {
        let text = "a\nЯя<\n\nb".as_bytes();
        let mut places = [at(107), at(102), at(100), at(99), at(100 + text.len() as u64)];
        let read = resolve(places.iter_mut(), text, 100, Encoding::Utf8);
        assert_eq!(places.map(|p| (p.line, p.column)), [(2, 4), (2, 1), (1, 1), (0, 0), (4, 2)]);
        assert_eq!(read, Progressed { lines: 3, tail: 1 });
        let mut place = at(106);
        resolve(std::iter::once(&mut place), text, 100, Encoding::Windows1251);
        assert_eq!((place.line, place.column), (2, 5));
    }

    #[test]
    fn pieces_add_up_to_the_whole() {
        let text = "Дом\nна\n\nгоре: ы\nконец".as_bytes();
        for cut in 0..=text.len() {
            let mut read = Progressed::of(&text[..cut], Encoding::Utf8);
            for offset in cut..text.len() {
                let (mut whole, mut piece) = (at(offset as u64), at(offset as u64));
                resolve(std::iter::once(&mut whole), text, 0, Encoding::Utf8);
                resolve(std::iter::once(&mut piece), &text[cut..], cut as u64, Encoding::Utf8);
                read.shift(&mut piece);
                assert_eq!(whole, piece, "cut at {cut}");
            }
            read.advance(Progressed::of(&text[cut..], Encoding::Utf8));
            assert_eq!(read, Progressed::of(text, Encoding::Utf8));
        }
    }

    #[test]
    fn huge_files_do_not_overflow() {
        let mut read = Progressed { lines: u32::MAX, tail: u32::MAX };
        read.advance(Progressed { lines: 0, tail: 7 });
        let mut place = Place { offset: 1, line: 1, column: 5 };
        read.shift(&mut place);
        assert_eq!((place.line, place.column), (u32::MAX, u32::MAX));
    }
}
