//! Values of persons that rules ask for, kept for the walk of the main file: a few bytes a person, never a name.
//!
//! Elements of which only the presence counts, and values with few variants (sex, marks of reliability), form one of a few hundred tuples, each
//! stored once; dates have their own table. A person is then a key, the number of a tuple and the numbers of dates.

use std::collections::HashMap;

use crate::registry::format::value::Base;
use crate::registry::format::{Format, NodeId};
use crate::registry::record::Record;
use crate::rules::{Captured, Person};
use crate::values::hash;

/// Limits on what is kept: bytes of a value, and values of an element. Anything beyond is malformed, and the structural checks report it.
const LONGEST: usize = 24;
const MOST: usize = 8;

/// Which elements of a person are kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Keeping {
    /// In the order of the rules' indexes: position in the person's block, whether the value is kept (else only presence), whether it is a date.
    elements: Vec<(u8, bool, bool)>,
}

impl Keeping {
    pub(super) fn new(format: &Format, captured: &[Captured]) -> Self {
        let is_date = |id: NodeId| format.node(id).value_type().is_some_and(|kind| kind.base() == Base::Date);
        let elements = captured.iter().map(|c| (format.node(c.element).position, c.value, c.value && is_date(c.element))).collect();
        Self { elements }
    }

    /// Writes one person: key, length and bytes of the tuple, then of each date.
    pub(super) fn write(&self, id: &[u8], record: &Record, out: &mut Vec<u8>) {
        out.extend_from_slice(&person_key(id).to_le_bytes());
        self.part(out, |out| {
            for (position, value, date) in &self.elements {
                if !date {
                    part_of(record, *position, *value, out);
                }
            }
        });
        for (position, ..) in self.elements.iter().filter(|e| e.2) {
            self.part(out, |out| part_of(record, *position, true, out));
        }
    }

    fn part(&self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        let at = out.len();
        out.extend_from_slice(&[0; 2]);
        write(out);
        let length = u16::try_from(out.len() - at - 2).unwrap_or(u16::MAX);
        out[at..at + 2].copy_from_slice(&length.to_le_bytes());
    }

    fn dates(&self) -> usize {
        self.elements.iter().filter(|e| e.2).count()
    }
}

/// A key that no person has; it marks a repeated entry.
const AGAIN: u64 = 0;

/// The key of a person: a hash of ID_PAC.
pub(super) fn person_key(id: &[u8]) -> u64 {
    hash(0, id).max(AGAIN + 1)
}

/// Writes the number of values, then each value with its length. If `value` is false, only presence counts: one empty value at most.
fn part_of(record: &Record, position: u8, value: bool, out: &mut Vec<u8>) {
    let at = out.len();
    out.push(0);
    for text in record.values(0, position).take(if value { MOST } else { 1 }) {
        let text = if value { &text.text[..text.text.len().min(LONGEST)] } else { &[] };
        out[at] += 1;
        out.push(text.len() as u8);
        out.extend_from_slice(text);
    }
}

/// Different byte strings, each stored once.
#[derive(Debug, Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    numbers: HashMap<Box<[u8]>, u32>,
}

impl Texts {
    fn intern(&mut self, text: &[u8]) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.ends.len() as u32;
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u32);
        self.numbers.insert(text.into(), number);
        number
    }

    fn get(&self, number: u32) -> &[u8] {
        let at = number as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.ends.get(at).map_or(&[], |end| &self.bytes[start..*end as usize])
    }
}

/// The persons of a person file.
#[derive(Debug, Default)]
pub(super) struct Persons {
    keeping: Keeping,
    tuples: Texts,
    dates: Texts,
    /// Keys of the persons; [`AGAIN`] for a repeated entry of a key.
    keys: Vec<u64>,
    /// For each person, the number of the tuple, then the numbers of the dates.
    numbers: Vec<u32>,
    /// Hash table of the persons by key, filled by [`Persons::close`]: index + 1, or 0 for a free place.
    places: Vec<u32>,
}

impl Persons {
    pub(super) fn new(keeping: Keeping) -> Self {
        Self { keeping, ..Self::default() }
    }

    /// Adds the persons of a piece, as [`Keeping::write`] wrote them.
    pub(super) fn extend(&mut self, mut bytes: &[u8]) {
        fn part<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
            let (length, rest) = bytes.split_first_chunk::<2>()?;
            let (text, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            *bytes = rest;
            Some(text)
        }
        while let Some((key, rest)) = bytes.split_first_chunk::<8>() {
            bytes = rest;
            self.keys.push(u64::from_le_bytes(*key));
            let tuple = part(&mut bytes).unwrap_or(&[]);
            self.numbers.push(self.tuples.intern(tuple));
            for _ in 0..self.keeping.dates() {
                let date = part(&mut bytes).unwrap_or(&[]);
                self.numbers.push(self.dates.intern(date));
            }
        }
    }

    /// Builds the hash table after all persons were added. Of several entries of one key the first counts.
    pub(super) fn close(&mut self) {
        self.tuples.numbers = HashMap::new();
        self.dates.numbers = HashMap::new();
        self.places = vec![0; self.keys.len() + self.keys.len() / 2 + 1];
        for number in 0..self.keys.len() {
            let key = self.keys[number];
            let mut at = place(key, self.places.len());
            while let Some(other) = self.places[at].checked_sub(1) {
                if self.keys[other as usize] == key {
                    self.keys[number] = AGAIN;
                    break;
                }
                at = (at + 1) % self.places.len();
            }
            if self.places[at] == 0 {
                self.places[at] = number as u32 + 1;
            }
        }
    }

    /// Finds the person of an ID_PAC. `next` is the index that is tried first, and becomes the index after the person found: persons usually stand in
    /// the order of the records that name them.
    pub(super) fn find(&self, id: &[u8], next: &mut usize) -> Option<Known<'_>> {
        let key = person_key(id);
        let number = if self.keys.get(*next) == Some(&key) { *next } else { self.number(key)? };
        *next = number + 1;
        Some(self.known(number))
    }

    fn number(&self, key: u64) -> Option<usize> {
        let mut at = place(key, self.places.len());
        // A third of the places is free, so the loop ends.
        while let Some(number) = self.places.get(at)?.checked_sub(1) {
            if self.keys[number as usize] == key {
                return Some(number as usize);
            }
            at = (at + 1) % self.places.len();
        }
        None
    }

    fn known(&self, person: usize) -> Known<'_> {
        let width = 1 + self.keeping.dates();
        let numbers = &self.numbers[person * width..(person + 1) * width];
        let mut parts = Known { parts: [&[]; KEPT], count: 0 };
        let mut tuple = self.tuples.get(numbers[0]);
        let mut dates = numbers[1..].iter();
        for (_, _, date) in &self.keeping.elements {
            if *date {
                parts.push(dates.next().map_or(&[], |n| self.dates.get(*n)));
            } else {
                let (own, rest) = tuple.split_at(length_of(tuple));
                parts.push(own);
                tuple = rest;
            }
        }
        parts
    }
}

/// The place where a key is looked for first.
fn place(key: u64, places: usize) -> usize {
    ((u128::from(key) * places as u128) >> 64) as usize
}

/// Length of the first element's part of a tuple.
fn length_of(tuple: &[u8]) -> usize {
    let mut at = 1.min(tuple.len());
    for _ in 0..tuple.first().copied().unwrap_or(0) {
        at += 1 + tuple.get(at).map_or(0, |n| usize::from(*n));
    }
    at.min(tuple.len())
}

/// Most elements of a person that rules may ask for; the rule book uses half of them.
const KEPT: usize = 32;

/// The kept values of a person, one part per element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'p> {
    parts: [&'p [u8]; KEPT],
    count: usize,
}

impl<'p> Known<'p> {
    fn push(&mut self, part: &'p [u8]) {
        if let Some(slot) = self.parts.get_mut(self.count) {
            *slot = part;
            self.count += 1;
        }
    }
}

impl Person for Known<'_> {
    fn value(&self, index: usize, nth: usize) -> Option<&[u8]> {
        let part = self.parts.get(index)?;
        let (count, mut rest) = part.split_first()?;
        if nth >= usize::from(*count) {
            return None;
        }
        for _ in 0..nth {
            rest = &rest[1 + usize::from(*rest.first()?)..];
        }
        let (length, text) = rest.split_first()?;
        text.get(..usize::from(*length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::format::{Formats, PERSONS, Role};
    use crate::tables::RuleFiles;

    #[test]
    fn persons_come_back_as_they_were() {
        let formats = Formats::load(&RuleFiles::embedded()).expect("sound");
        let format = formats.get(PERSONS, "3.2").expect("known");
        let id = |name: &str| format.find(&format!("PERS_LIST/PERS/{name}")).expect(name);
        let captured: Vec<Captured> =
            [("DR", true), ("FAM", false), ("DOST", true), ("W", true), ("OT", false)].map(|(n, value)| Captured { element: id(n), value }).into();
        let keeping = Keeping::new(format, &captured);
        let mut record = Record::default();
        let mut bytes = Vec::new();
        let position = |name: &str| format.node(id(name)).position;
        for n in 0..1000u32 {
            record.clear(0);
            let pers = record.open(format, format.role(Role::Record).expect("there"), None, 0);
            record.value(pers, position("FAM"), "ПРИМЕРОВ".as_bytes(), 0);
            record.value(pers, position("W"), if n % 2 == 0 { b"1" } else { b"2" }, 0);
            record.value(pers, position("DR"), format!("1980-01-{:02}", n % 28 + 1).as_bytes(), 0);
            for mark in 0..n % 3 {
                record.value(pers, position("DOST"), &[b'1' + mark as u8], 0);
            }
            keeping.write(format!("p{n}").as_bytes(), &record, &mut bytes);
        }
        record.clear(0);
        record.open(format, format.role(Role::Record).expect("there"), None, 0);
        keeping.write(b"p7", &record, &mut bytes);
        let mut persons = Persons::new(keeping);
        persons.extend(&bytes);
        persons.close();
        assert_eq!((persons.tuples.ends.len(), persons.dates.ends.len()), (7, 29));
        let mut next = 0;
        // In their order, and then in another.
        for n in (0..1000u32).chain([7, 999, 0]) {
            let known = persons.find(format!("p{n}").as_bytes(), &mut next).expect("kept");
            assert_eq!(known.value(0, 0), Some(format!("1980-01-{:02}", n % 28 + 1).as_bytes()));
            assert_eq!((known.value(1, 0), known.value(4, 0)), (Some(&b""[..]), None), "no name is kept, only that it stands");
            assert_eq!((0..).map_while(|i| known.value(2, i)).count() as u32, n % 3);
            assert_eq!(known.value(3, 0), Some(if n % 2 == 0 { &b"1"[..] } else { b"2" }));
        }
        assert!(persons.find(b"p1000", &mut next).is_none() && Persons::default().find(b"p1", &mut next).is_none());
        next = 1000;
        let first = persons.find(b"p7", &mut next).and_then(|known| known.value(3, 0).map(<[u8]>::to_vec));
        assert_eq!((first, next), (Some(b"2".to_vec()), 8), "of several entries the first counts");
    }
}
