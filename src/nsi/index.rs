//! Finds the rows of a value. Every rule that looks something up uses this, so it must be fast.

use std::fmt;
use std::sync::Arc;

use super::hash::{hash, word};
use super::image::Image;
use crate::values::{Date, Span};

/// Number of a row, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowIx(pub(super) u32);

impl RowIx {
    /// The number as an integer.
    pub fn number(self) -> usize {
        self.0 as usize
    }
}

/// A hash table from the values of one field to the rows that hold them. A lookup does not allocate.
pub struct Index {
    image: Arc<Image>,
    /// The places of the hash table, a power of two, at most half of them used. A place holds everything that a lookup needs.
    places: Vec<Group>,
    values: usize,
    rows: Vec<RowIx>,
    spans: Vec<Span>,
}

/// The rows of one value.
#[derive(Debug, Clone, Copy)]
struct Group {
    /// The value itself when it has at most eight bytes, as nearly all codes do (see [`word`]); otherwise the id of its string.
    code: u64,
    /// Length of the value in bytes, at most [`LONG`].
    length: u8,
    /// Number of rows; 0 marks a free place.
    count: u32,
    first: u32,
    /// The span of the first row.
    span: Span,
}

/// The length stored for all values longer than eight bytes.
const LONG: u8 = 9;

const FREE: Group = Group { code: 0, length: 0, count: 0, first: 0, span: Span::ALWAYS };

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("values", &self.values).field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

impl Index {
    /// Builds the index of a field. Empty values are left out, so looking up an empty value finds nothing.
    pub(super) fn build(image: &Arc<Image>, field: u32) -> Self {
        let mut by_text = vec![0u32; image.strings() as usize + 1];
        let ids: Vec<Option<u32>> = (0..image.rows()).map(|row| image.cell(row, field).filter(|id| !image.bytes_of(*id).is_empty())).collect();
        // Counting sort by string id: the builder of images stores equal values as one string.
        for id in ids.iter().flatten() {
            by_text[*id as usize] += 1;
        }
        let mut groups = Vec::new();
        let mut first = 0;
        for (text, count) in by_text.iter_mut().enumerate() {
            let n = std::mem::replace(count, first);
            if n > 0 {
                groups.push((text as u32, first, n));
                first += n;
            }
        }
        let mut rows = vec![RowIx(0); first as usize];
        for (row, id) in ids.iter().enumerate() {
            if let Some(id) = id {
                let next = &mut by_text[*id as usize];
                rows[*next as usize] = RowIx(row as u32);
                *next += 1;
            }
        }
        let spans: Vec<Span> = rows.iter().map(|row| image.span(row.0)).collect();
        let mut places = vec![FREE; (groups.len() * 2 + 1).next_power_of_two()];
        let mask = places.len() - 1;
        for (text, first, count) in &groups {
            let value = image.bytes_of(*text);
            let mut at = hash(value) as usize & mask;
            while places[at].count != 0 {
                at = (at + 1) & mask;
            }
            let length = length(value);
            let code = if length == LONG { u64::from(*text) } else { word(value) };
            places[at] = Group { code, length, count: *count, first: *first, span: spans[*first as usize] };
        }
        Self { image: Arc::clone(image), places, values: groups.len(), rows, spans }
    }

    #[inline]
    fn find(&self, value: &[u8]) -> Option<&Group> {
        let length = length(value);
        let code = if length == LONG { 0 } else { word(value) };
        let mask = self.places.len() - 1;
        let mut at = hash(value) as usize & mask;
        // At least half of the places are free, so the loop ends.
        loop {
            let group = &self.places[at];
            if group.count == 0 {
                return None;
            }
            if group.length == length && if length == LONG { self.image.bytes_of(group.code as u32) == value } else { group.code == code } {
                return Some(group);
            }
            at = (at + 1) & mask;
        }
    }

    #[inline]
    fn range(&self, value: &[u8]) -> std::ops::Range<usize> {
        self.find(value).map_or(0..0, |group| group.first as usize..(group.first + group.count) as usize)
    }

    /// Whether a row with this value is valid on a day.
    #[inline]
    pub fn holds(&self, value: &str, on: Date) -> bool {
        self.holds_bytes(value.as_bytes(), on)
    }

    /// The same for bytes in UTF-8, or in ASCII, which is the same in both encodings of registry files.
    #[inline]
    pub fn holds_bytes(&self, value: &[u8], on: Date) -> bool {
        self.find(value).is_some_and(|group| group.span.holds(on) || group.count > 1 && self.later_holds(group, on))
    }

    #[cold]
    fn later_holds(&self, group: &Group, on: Date) -> bool {
        self.spans[group.first as usize..(group.first + group.count) as usize].iter().any(|span| span.holds(on))
    }

    /// Whether any row has this value, valid or not.
    #[inline]
    pub fn knows(&self, value: &str) -> bool {
        !self.range(value.as_bytes()).is_empty()
    }

    /// The rows with this value in the order of the book, valid or not.
    #[inline]
    pub fn rows(&self, value: &str) -> &[RowIx] {
        &self.rows[self.range(value.as_bytes())]
    }

    /// The rows with this value that are valid on a day.
    #[inline]
    pub fn rows_on(&self, value: &str, on: Date) -> impl Iterator<Item = RowIx> + '_ {
        let range = self.range(value.as_bytes());
        self.rows[range.clone()].iter().zip(&self.spans[range]).filter(move |(_, span)| span.holds(on)).map(|(row, _)| *row)
    }

    /// Number of distinct values.
    pub fn len(&self) -> usize {
        self.values
    }

    /// Whether the field has no value in any row.
    pub fn is_empty(&self) -> bool {
        self.values == 0
    }
}

#[inline]
fn length(value: &[u8]) -> u8 {
    value.len().min(usize::from(LONG)) as u8
}

#[cfg(test)]
mod tests {
    use super::super::image::{Builder, Bytes, Head};
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text).expect("a day")
    }

    fn index(rows: &[(&str, Span)]) -> Index {
        let mut builder = Builder::new(["K"]).expect("a field");
        for (key, span) in rows {
            builder.push([*key], *span).expect("small");
        }
        let bytes = builder.finish(&Head::default()).expect("small");
        Index::build(&Arc::new(Image::open(Bytes::Owned(bytes)).expect("sound")), 0)
    }

    #[test]
    fn days_decide_among_rows_of_one_value() {
        let early = Span { from: date("2013-07-08"), until: date("2017-12-11") };
        let late = Span { from: date("2017-12-13"), until: Date::MAX };
        let index = index(&[("136", late), ("97", Span::ALWAYS), ("136", early), ("", Span::ALWAYS)]);
        let days = ["2013-07-07", "2013-07-08", "2017-12-11", "2017-12-12", "2017-12-13", "2099-01-01"];
        assert_eq!(days.map(|d| index.holds("136", date(d))), [false, true, true, false, true, true]);
        assert_eq!(index.rows("136"), [RowIx(0), RowIx(2)]);
        assert_eq!(index.rows_on("136", date("2014-01-01")).collect::<Vec<_>>(), [RowIx(2)]);
        assert_eq!((index.len(), index.knows("97"), index.knows("098"), index.knows("")), (2, true, false, false));
    }

    #[test]
    fn words_are_the_bytes() {
        let text = b"ABCDEFGH";
        for n in 0..=8 {
            let mut padded = [0; 8];
            padded[..n].copy_from_slice(&text[..n]);
            assert_eq!(word(&text[..n]), u64::from_le_bytes(padded), "{n}");
        }
    }

    #[test]
    fn an_empty_book_holds_nothing() {
        let index = index(&[]);
        assert!(index.is_empty() && !index.holds("1", Date::new(2026, 3, 1).expect("a day")) && index.rows("").is_empty());
    }

    #[test]
    fn agrees_with_a_list_over_many_keys() {
        let keys: Vec<String> = (0..5000).map(|i| format!("sh{i:04}.{}", i % 7)).collect();
        let rows: Vec<_> = keys.iter().map(|k| (k.as_str(), Span::ALWAYS)).collect();
        let index = index(&rows);
        for (number, key) in keys.iter().enumerate() {
            assert_eq!(index.rows(key), [RowIx(number as u32)]);
            assert!(!index.knows(&key[1..]));
        }
    }
}
