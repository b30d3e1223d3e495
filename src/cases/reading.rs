//! Reads from a package where its cases stand and the values that forming, МЭК and the matching with earlier versions need.
//!
//! Cases are taken from each record right after the control has read it, so a file is read and unpacked once. Elements are found by their roles
//! in the format tables.

use std::collections::HashMap;
use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::registry::encoding::Encoding;
use crate::registry::format::{Format, PERSONS, Role};
use crate::registry::record::{Record, Value};
use crate::values::kopecks;

/// A completed case as written in its main file. Texts are decoded; a missing value is an empty text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Case {
    /// Bytes of the whole record in the unpacked file.
    pub record: Range<u64>,
    /// Bytes of the case in the unpacked file; they lie within `record`.
    pub case: Range<u64>,
    /// The values of the roles in [`VALUES`], concatenated.
    text: Box<str>,
    /// The end of each value in `text`.
    ends: [u32; VALUES.len()],
    /// SHA-256 of the case and its patient block, without the running numbers (IDCASE, ID_PAC).
    pub digest: [u8; 32],
}

/// A person of the L file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Bytes of the whole element in the unpacked file.
    pub place: Range<u64>,
    /// SHA-256 of the element without its ID_PAC.
    pub digest: [u8; 32],
}

/// The roles whose values are kept for each case.
const VALUES: [Role; 15] = [
    Role::NZap,
    Role::PrNov,
    Role::IdPac,
    Role::Policy,
    Role::Enp,
    Role::Insurer,
    Role::IdCase,
    Role::CaseFrom,
    Role::CaseTo,
    Role::Lpu,
    Role::Conditions,
    Role::CaseSum,
    Role::SlId,
    Role::History,
    Role::Subdivision,
];

impl Case {
    /// The value of a role; empty when the case has none or the role is not kept.
    pub fn value(&self, role: Role) -> &str {
        let Some(at) = VALUES.iter().position(|r| *r == role) else { return "" };
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[at] as usize]
    }

    /// SUMV in kopecks; 0 when it cannot be read.
    pub fn sum(&self) -> i64 {
        kopecks(self.value(Role::CaseSum).as_bytes()).unwrap_or(0)
    }
}

/// The cases and persons read from the files of a package. What was read from a file that the control refuses must not be used.
#[derive(Debug, Default)]
pub struct Index {
    cases: Vec<Case>,
    persons: Vec<(String, Person)>,
}

impl Index {
    /// Adds the cases and persons of a later piece of the package.
    pub fn append(&mut self, mut later: Self) {
        self.cases.append(&mut later.cases);
        self.persons.append(&mut later.persons);
    }

    /// All cases in the order of the main file, and the persons of the L file by ID_PAC. When an ID_PAC is repeated, the first person counts.
    pub fn finish(self) -> (Vec<Case>, HashMap<String, Person>) {
        let mut persons = HashMap::with_capacity(self.persons.len());
        for (id, person) in self.persons {
            persons.entry(id).or_insert(person);
        }
        (self.cases, persons)
    }
}

/// The blocks of a record whose values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Record,
    Patient,
    Case,
    Part,
}

/// How to read the records of one format: the positions of the elements, looked up once by their roles.
#[derive(Debug)]
pub struct Reading {
    encoding: Encoding,
    /// Whether the records are persons and not cases.
    persons: bool,
    /// Positions of the patient, case and case part among the children of their parent blocks.
    patient: Option<u8>,
    case: Option<u8>,
    part: Option<u8>,
    /// For each role in [`VALUES`]: the block that holds it and its position there.
    values: [Option<(Holder, u8)>; VALUES.len()],
}

impl Reading {
    /// The reading for files of a format; `None` for a format without records.
    pub fn new(format: &Format, encoding: Encoding) -> Option<Self> {
        let record = format.role(Role::Record)?;
        let holders = [(Role::Record, Holder::Record), (Role::Patient, Holder::Patient), (Role::Case, Holder::Case), (Role::Part, Holder::Part)];
        let place = |role| {
            let node = format.role(role).map(|id| format.node(id))?;
            let (_, holder) = holders.into_iter().find(|(block, _)| node.parent.is_some() && node.parent == format.role(*block))?;
            Some((holder, node.position))
        };
        let within = |role, block| format.role(role).map(|id| format.node(id)).filter(|node| node.parent == block).map(|node| node.position);
        Some(Self {
            encoding,
            persons: format.family == PERSONS,
            patient: within(Role::Patient, Some(record)),
            case: within(Role::Case, Some(record)),
            part: format.role(Role::Case).and_then(|case| within(Role::Part, Some(case))),
            values: VALUES.map(place),
        })
    }

    /// Adds the cases of a record, or its person, to the index. `bytes` is the whole record as written in the file.
    pub fn read(&self, record: &Record, bytes: &[u8], index: &mut Index) {
        let Some(place) = record.place(0) else { return };
        let raw = Raw { bytes, at: place.start };
        if self.persons { self.person(record, &raw, place, index) } else { self.cases(record, &raw, place, index) }
    }

    fn cases(&self, record: &Record, raw: &Raw<'_>, place: Range<u64>, index: &mut Index) {
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
        let id_pac = self.position(Role::IdPac, Holder::Patient);
        let patient = patients().last().map(|(block, place)| (place, last(record, block, id_pac)));
        for (block, case) in within(record, 0, self.case) {
            let mut values = around;
            for (value, holder) in values.iter_mut().zip(&self.values) {
                match holder {
                    Some((Holder::Case, position)) => {
                        let texts = record.values(block, *position).map(|v| v.text.trim_ascii());
                        *value = texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
                    }
                    Some((Holder::Part, position)) => {
                        let texts = within(record, block, self.part).flat_map(|(part, _)| record.values(part, *position)).map(|v| v.text.trim_ascii());
                        *value = self.smallest(texts);
                    }
                    _ => {}
                }
            }
            let mut text = String::with_capacity(160);
            let ends = values.map(|value| {
                text.push_str(&self.encoding.decode(value));
                u32::try_from(text.len()).unwrap_or(u32::MAX)
            });
            let mut hasher = Sha256::new();
            raw.hash(&mut hasher, &case, last(record, block, self.position(Role::IdCase, Holder::Case)));
            let case = Case { record: place.clone(), case, text: text.into(), ends, digest: [0; 32] };
            hasher.update(case.value(Role::PrNov));
            if let Some((place, id_pac)) = &patient {
                raw.hash(&mut hasher, place, *id_pac);
            }
            index.cases.push(Case { digest: hasher.finalize().into(), ..case });
        }
    }

    fn person(&self, record: &Record, raw: &Raw<'_>, place: Range<u64>, index: &mut Index) {
        let id_pac = last(record, 0, self.position(Role::IdPac, Holder::Record));
        let id = id_pac.map_or_else(String::new, |v| self.encoding.decode(v.text.trim_ascii()).into_owned());
        let mut hasher = Sha256::new();
        raw.hash(&mut hasher, &place, id_pac);
        index.persons.push((id, Person { place, digest: hasher.finalize().into() }));
    }

    /// The smallest of the values of several case parts, so that the order of the parts in an export does not matter.
    fn smallest<'r>(&self, mut texts: impl Iterator<Item = &'r [u8]>) -> &'r [u8] {
        let first = texts.next().unwrap_or_default();
        texts.fold(first, |kept, text| if kept.is_empty() || self.encoding.decode(text) < self.encoding.decode(kept) { text } else { kept })
    }

    fn position(&self, role: Role, holder: Holder) -> Option<u8> {
        let at = VALUES.iter().position(|r| *r == role)?;
        self.values[at].filter(|(of, _)| *of == holder).map(|(_, position)| position)
    }
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
