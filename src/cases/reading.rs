//! Reads from a package where its cases stand and the values that forming, МЭК and the matching with earlier versions need.
//!
//! Cases are taken from each record right after the control has read it, so a file is read and unpacked once. Elements are found by their roles
//! in the format tables.

use std::borrow::Cow;
use std::ops::Range;

use sha2::{Digest, Sha256};

use super::case::{Case, VALUES};
use super::identity::short_digest;
use super::index::{Found, Person};
use crate::registry::encoding::Encoding;
use crate::registry::format::{Format, NodeId, PERSONS, Role};
use crate::registry::record::{Record, Value};

/// The version of this reading. It grows when more is read of a case for the store, so that packages which were loaded before are read again.
pub const READING: i64 = 1;

/// The roles by which a person is known in the L file.
const NAMES: [Role; 4] = [Role::Surname, Role::Name, Role::Patronymic, Role::Birth];

/// The blocks of a record whose values are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Holder {
    Record,
    Patient,
    Case,
    /// Blocks within the case: the positions that lead to them. There may be several.
    Within(Vec<u8>),
}

/// How to read the records of one format: the positions of the elements, looked up once by their roles.
#[derive(Debug)]
pub struct Reading {
    encoding: Encoding,
    /// Whether the records are persons and not cases.
    persons: bool,
    /// Positions of the patient and the case in the record.
    patient: Option<u8>,
    case: Option<u8>,
    /// For each role in [`VALUES`]: the block that holds it and its position there.
    values: [Option<(Holder, u8)>; VALUES.len()],
    /// Positions of the roles in [`NAMES`] in a person.
    names: [Option<u8>; NAMES.len()],
}

impl Reading {
    /// The reading for files of a format; `None` for a format without records.
    pub fn new(format: &Format, encoding: Encoding) -> Option<Self> {
        let record = format.role(Role::Record)?;
        let of_record = |role| format.role(role).map(|id| format.node(id)).filter(|node| node.parent == Some(record)).map(|node| node.position);
        let place = |role| {
            let node = format.role(role).map(|id| format.node(id))?;
            let parent = node.parent?;
            let holder = if parent == record {
                Holder::Record
            } else if Some(parent) == format.role(Role::Patient) {
                Holder::Patient
            } else if Some(parent) == format.role(Role::Case) {
                Holder::Case
            } else {
                Holder::Within(path(format, format.role(Role::Case)?, parent)?)
            };
            Some((holder, node.position))
        };
        Some(Self {
            encoding,
            persons: format.family == PERSONS,
            patient: of_record(Role::Patient),
            case: of_record(Role::Case),
            values: VALUES.map(place),
            names: NAMES.map(of_record),
        })
    }

    /// Adds the cases of a record, or its person, to what was found. `bytes` is the whole record as written in the file.
    pub fn read(&self, record: &Record, bytes: &[u8], found: &mut Found) {
        let Some(place) = record.place(0) else { return };
        let raw = Raw { bytes, at: place.start };
        if self.persons { self.person(record, &raw, &place, found) } else { self.cases(record, &raw, &place, found) }
    }

    fn cases(&self, record: &Record, raw: &Raw<'_>, place: &Range<u64>, found: &mut Found) {
        let patients = || within(record, 0, self.patient);
        let mut around: [&[u8]; VALUES.len()] = [&[]; VALUES.len()];
        for (value, holder) in around.iter_mut().zip(&self.values) {
            let last = match holder {
                Some((Holder::Record, position)) => record.values(0, *position).last(),
                Some((Holder::Patient, position)) => patients().flat_map(|(block, _)| record.values(block, *position)).last(),
                _ => None,
            };
            *value = last.map_or(&[], |v| v.text.trim_ascii());
        }
        let id_pac = self.position(Role::IdPac, &Holder::Patient);
        let patient = patients().last().map(|(block, place)| (place, last(record, block, id_pac)));
        for (block, case) in within(record, 0, self.case) {
            let mut values = around;
            for (value, holder) in values.iter_mut().zip(&self.values) {
                match holder {
                    Some((Holder::Case, position)) => {
                        let texts = record.values(block, *position).map(|v| v.text.trim_ascii());
                        *value = texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
                    }
                    Some((Holder::Within(path), position)) => *value = self.smallest(record, block, path, *position).unwrap_or_default(),
                    _ => {}
                }
            }
            let values: [Cow<'_, str>; VALUES.len()] = values.map(|value| self.encoding.decode(value));
            let mut hasher = Sha256::new();
            raw.hash(&mut hasher, &case, last(record, block, self.position(Role::IdCase, &Holder::Case)));
            hasher.update(VALUES.iter().position(|role| *role == Role::PrNov).map_or("", |at| &values[at]));
            if let Some((place, id_pac)) = &patient {
                raw.hash(&mut hasher, place, *id_pac);
            }
            let digest = short_digest(&hasher.finalize());
            found.add_case(|out| Case::write(out, place, &case, digest, &values));
        }
    }

    fn person(&self, record: &Record, raw: &Raw<'_>, place: &Range<u64>, found: &mut Found) {
        let id_pac = last(record, 0, self.position(Role::IdPac, &Holder::Record));
        let id = id_pac.map_or(Cow::Borrowed(""), |v| self.encoding.decode(v.text.trim_ascii()));
        let mut hasher = Sha256::new();
        raw.hash(&mut hasher, place, id_pac);
        let names = self.names.map(|position| last(record, 0, position).map_or_else(String::new, |v| self.encoding.decode(v.text.trim_ascii()).to_uppercase()));
        let is_named = !names[0].is_empty() || !names[1].is_empty();
        let names = Sha256::digest(names.join("\n")).first_chunk().copied().filter(|_| is_named);
        found.add_person(Person::new(&id, place, hasher.finalize().into(), names));
    }

    /// The smallest of the values in several blocks, so that their order in an export does not matter; an empty one counts only if all are.
    fn smallest<'r>(&self, record: &'r Record, block: usize, path: &[u8], position: u8) -> Option<&'r [u8]> {
        let smaller = |kept: &'r [u8], text: &'r [u8]| {
            let is_smaller = kept.is_empty() || (!text.is_empty() && self.encoding.decode(text) < self.encoding.decode(kept));
            if is_smaller { text } else { kept }
        };
        match path {
            [] => record.values(block, position).map(|v| v.text.trim_ascii()).reduce(smaller),
            [first, rest @ ..] => within(record, block, Some(*first)).filter_map(|(inner, _)| self.smallest(record, inner, rest, position)).reduce(smaller),
        }
    }

    fn position(&self, role: Role, holder: &Holder) -> Option<u8> {
        let at = VALUES.iter().position(|r| *r == role)?;
        self.values[at].as_ref().filter(|(of, _)| of == holder).map(|(_, position)| *position)
    }
}

/// The positions that lead from a block to one within it.
fn path(format: &Format, from: NodeId, to: NodeId) -> Option<Vec<u8>> {
    let mut path = Vec::new();
    let mut at = to;
    while at != from {
        let node = format.node(at);
        path.push(node.position);
        at = node.parent?;
    }
    path.reverse();
    Some(path)
}

/// The non-empty child blocks at a position of a block, each with its place.
fn within(record: &Record, block: usize, position: Option<u8>) -> impl Iterator<Item = (usize, Range<u64>)> {
    position.into_iter().flat_map(move |position| record.blocks(block, position)).filter_map(|inner| Some((inner, record.place(inner)?)))
}

/// The last value of a child of a block.
fn last(record: &Record, block: usize, position: Option<u8>) -> Option<Value<'_>> {
    record.values(block, position?).last()
}

/// The bytes of a record.
struct Raw<'b> {
    bytes: &'b [u8],
    /// Offset of the first byte in the file.
    at: u64,
}

impl Raw<'_> {
    /// Hashes a part of the record, leaving out one value.
    fn hash(&self, hasher: &mut Sha256, place: &Range<u64>, without: Option<Value<'_>>) {
        let part = &self.bytes[self.index(place.start)..self.index(place.end)];
        match without.and_then(|value| plain(part, value.offset.checked_sub(place.start)?, value.text)) {
            Some(hole) => {
                hasher.update(&part[..hole.start]);
                hasher.update(&part[hole.end..]);
            }
            None => hasher.update(part),
        }
    }

    fn index(&self, offset: u64) -> usize {
        (offset - self.at) as usize
    }
}

/// The place of the text of an element whose start tag begins at `at`; `None` when the text contains references or other markup.
fn plain(bytes: &[u8], at: u64, text: &[u8]) -> Option<Range<usize>> {
    let element = bytes.get(usize::try_from(at).ok()?..)?;
    let start = memchr::memchr(b'>', element)? + 1;
    let rest = element[start..].strip_prefix(text)?;
    let place = at as usize + start;
    rest.starts_with(b"<").then_some(place..place + text.len())
}
