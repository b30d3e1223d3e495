//! Where the cases of a package stand and what forming, МЭК and the match with earlier versions need of them.
//!
//! It looks on while the files are controlled, piece by piece, so that they are read and unpacked once; what it saw of a file that the
//! control then refuses is of no use. Elements are found by their roles in the format tables.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::Range;
use std::sync::{Mutex, OnceLock, PoisonError};

use sha2::{Digest, Sha256};

use crate::finding::FileRole;
use crate::registry::chunk::{Chunk, ChunkObserver};
use crate::registry::encoding::Encoding;
use crate::registry::fault::Fault;
use crate::registry::format::{Format, NameKey, NodeId, Role};
use crate::registry::scan::{ScanLimits, Scanner, Token};
use crate::values::kopecks;

/// A completed case as it stands in its main file. Texts are decoded; what is absent is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Case {
    /// The whole record, in bytes of the unpacked file.
    pub record: Range<u64>,
    /// The case in it.
    pub case: Range<u64>,
    /// Values by role, see [`VALUES`], one behind the other.
    text: Box<str>,
    /// Where each of them ends.
    ends: [u32; VALUES.len()],
    /// SHA-256 of the case and its patient but for the running numbers (IDCASE, ID_PAC).
    pub digest: [u8; 32],
}

/// A person of the L file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The whole element, in bytes of the unpacked file.
    pub place: Range<u64>,
    /// SHA-256 of it but for ID_PAC.
    pub digest: [u8; 32],
}

/// What is kept of each case.
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
    /// The value of a role; empty if there is none.
    pub fn value(&self, role: Role) -> &str {
        let Some(at) = VALUES.iter().position(|r| *r == role) else { return "" };
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[at] as usize]
    }

    /// SUMV in kopecks; 0 if it cannot be read.
    pub fn sum(&self) -> i64 {
        kopecks(self.value(Role::CaseSum).as_bytes()).unwrap_or(0)
    }
}

/// What the files of a package hold, gathered piece by piece while they are controlled.
#[derive(Default)]
pub struct Index {
    main: Gathered<Case>,
    persons: Gathered<(String, Person)>,
}

/// Of one file.
struct Gathered<T> {
    /// None: the format is not one of registries.
    names: OnceLock<Option<Names>>,
    /// By the offset of the piece.
    pieces: Mutex<BTreeMap<u64, Result<Vec<T>, Fault>>>,
}

impl<T> Default for Gathered<T> {
    fn default() -> Self {
        Self { names: OnceLock::new(), pieces: Mutex::default() }
    }
}

impl<T> Gathered<T> {
    fn look(&self, format: &Format, encoding: Encoding, chunk: &Chunk, walk: impl Fn(&Chunk, &Names) -> Result<Vec<T>, Fault>) {
        let Some(names) = self.names.get_or_init(|| Names::new(format, encoding)) else { return };
        let found = walk(chunk, names);
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner).insert(chunk.offset, found);
    }

    /// All of the file, in its order.
    fn all(self) -> io::Result<impl Iterator<Item = T>> {
        let pieces = self.pieces.into_inner().unwrap_or_else(PoisonError::into_inner);
        let pieces = pieces.into_values().collect::<Result<Vec<_>, _>>().map_err(io::Error::other)?;
        Ok(pieces.into_iter().flatten())
    }
}

impl ChunkObserver for Index {
    fn piece(&self, file: FileRole, format: &Format, encoding: Encoding, chunk: &Chunk) {
        match file {
            FileRole::Main => self.main.look(format, encoding, chunk, walk),
            FileRole::Persons => self.persons.look(format, encoding, chunk, walk_persons),
            FileRole::Container => {}
        }
    }
}

impl Index {
    /// Every case of the main file, in its order, and every person of the L file by ID_PAC; of two with the same the first.
    ///
    /// # Errors
    /// The markup of a file is broken where the control let it pass.
    pub fn finish(self) -> io::Result<(Vec<Case>, HashMap<String, Person>)> {
        let mut persons = HashMap::new();
        for (id, person) in self.persons.all()? {
            persons.entry(id).or_insert(person);
        }
        Ok((self.main.all()?.collect(), persons))
    }
}

/// Blocks whose values are of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Root,
    Record,
    Patient,
    Case,
    Part,
    Other,
}

const BLOCKS: usize = 6;

/// Names to look for, taken from a format once.
struct Names {
    record: NameKey,
    patient: Option<NameKey>,
    case: Option<NameKey>,
    part: Option<NameKey>,
    /// Values by the block that holds them; the number is the place in [`VALUES`].
    values: [Vec<(NameKey, usize)>; BLOCKS],
    encoding: Encoding,
    root: Vec<u8>,
    id_case: usize,
    id_pac: usize,
}

impl Names {
    fn new(format: &Format, encoding: Encoding) -> Option<Self> {
        let key = |role| format.role(role).map(|id: NodeId| format.node(id).key);
        let mut values: [Vec<(NameKey, usize)>; BLOCKS] = Default::default();
        for (at, role) in VALUES.iter().enumerate() {
            let Some(node) = format.role(*role).map(|id| format.node(id)) else { continue };
            let of = |block: Role| node.parent.is_some() && node.parent == format.role(block);
            let block = [(Role::Record, Block::Record), (Role::Patient, Block::Patient), (Role::Case, Block::Case), (Role::Part, Block::Part)];
            if let Some((_, block)) = block.into_iter().find(|(role, _)| of(*role)) {
                values[block as usize].push((node.key, at));
            }
        }
        let place = |role| VALUES.iter().position(|r| *r == role);
        Some(Self {
            record: key(Role::Record)?,
            patient: key(Role::Patient),
            case: key(Role::Case),
            part: key(Role::Part),
            values,
            encoding,
            root: format.node(format.root()).name.as_bytes().to_vec(),
            id_case: place(Role::IdCase)?,
            id_pac: place(Role::IdPac)?,
        })
    }

    fn inner(&self, block: Block, name: Option<NameKey>) -> Block {
        let is = |wanted: Option<NameKey>| name.is_some() && wanted == name;
        match block {
            Block::Root if is(Some(self.record)) => Block::Record,
            Block::Record if is(self.patient) => Block::Patient,
            Block::Record if is(self.case) => Block::Case,
            Block::Case if is(self.part) => Block::Part,
            _ => Block::Other,
        }
    }
}

/// A digest of bytes but for one value in them.
struct Partial {
    hasher: Sha256,
}

impl Partial {
    fn new() -> Self {
        Self { hasher: Sha256::new() }
    }

    fn add(&mut self, bytes: &[u8], place: Range<usize>, without: Option<Range<usize>>) {
        match without {
            Some(hole) => {
                self.hasher.update(&bytes[place.start..hole.start]);
                self.hasher.update(&bytes[hole.end..place.end]);
            }
            None => self.hasher.update(&bytes[place]),
        }
    }
}

/// Offset behind the tag that begins at an offset.
fn behind_tag(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'>', &bytes[at..]).map_or(bytes.len(), |n| at + n + 1)
}

fn scanner<'c>(chunk: &'c Chunk, names: &Names) -> (&'c [u8], u64, Scanner<'c>) {
    let (text, base) = chunk.text();
    let open = if chunk.offset == 0 { Vec::new() } else { vec![names.root.clone()] };
    (text, base, Scanner::new(text, names.encoding, ScanLimits::default(), open))
}

/// The bytes of a value, as they stand between its tags; none where references were resolved.
#[expect(clippy::ptr_arg, reason = "whether it was resolved is what is asked")]
fn raw(text_at: usize, text: &Cow<'_, [u8]>) -> Option<Range<usize>> {
    matches!(text, Cow::Borrowed(_)).then(|| text_at..text_at + text.len())
}

/// The values of a block, as they stand in a piece.
type Values<'c> = [Cow<'c, [u8]>; VALUES.len()];

/// A case that is being read.
struct Open<'c> {
    values: Values<'c>,
    place: Range<usize>,
    id_case: Option<Range<usize>>,
}

/// A record that is being read: where it begins, its own values, its patient's bytes and where ID_PAC stands, its cases.
#[derive(Default)]
struct Record<'c> {
    at: usize,
    values: Values<'c>,
    patient: Option<Range<usize>>,
    id_pac: Option<Range<usize>>,
    cases: Vec<Open<'c>>,
}

impl Record<'_> {
    /// Its cases, now that it ends at an offset of the text, which begins at `base` of the file.
    fn close(&mut self, text: &[u8], base: u64, end: usize, names: &Names, done: &mut Vec<Case>) {
        for open in self.cases.drain(..) {
            let mut all = String::with_capacity(160);
            let mut ends = [0; VALUES.len()];
            for ((end, value), own) in ends.iter_mut().zip(&open.values).zip(&self.values) {
                all.push_str(&names.encoding.decode(if value.is_empty() { own } else { value }));
                *end = u32::try_from(all.len()).unwrap_or(u32::MAX);
            }
            let in_file = |place: Range<usize>| base + place.start as u64..base + place.end as u64;
            let mut partial = Partial::new();
            partial.add(text, open.place.clone(), open.id_case);
            let case = Case { record: in_file(self.at..end), case: in_file(open.place), text: all.into(), ends, digest: [0; 32] };
            partial.hasher.update(case.value(Role::PrNov));
            if let Some(patient) = &self.patient {
                partial.add(text, patient.clone(), self.id_pac.clone());
            }
            done.push(Case { digest: partial.hasher.finalize().into(), ..case });
        }
    }
}

fn walk(chunk: &Chunk, names: &Names) -> Result<Vec<Case>, Fault> {
    let (text, base, mut scanner) = scanner(chunk, names);
    let mut blocks = if chunk.offset == 0 { Vec::new() } else { vec![Block::Root] };
    let mut done: Vec<Case> = Vec::new();
    let mut record = Record::default();
    loop {
        match scanner.next_token()? {
            Token::Open { at, name, .. } => {
                let block = blocks.last().map_or(Block::Root, |outer| names.inner(*outer, name.key));
                match block {
                    Block::Record => record = Record { at, cases: std::mem::take(&mut record.cases), ..Record::default() },
                    Block::Patient => record.patient = Some(at..at),
                    Block::Case => record.cases.push(Open { values: Values::default(), place: at..at, id_case: None }),
                    Block::Other if !blocks.is_empty() => {
                        scanner.skip_element()?;
                        continue;
                    }
                    _ => {}
                }
                blocks.push(block);
            }
            Token::Leaf { name, text_at, text, .. } => {
                let Some(&block) = blocks.last() else { continue };
                let Some((_, at)) = names.values[block as usize].iter().find(|(key, _)| Some(*key) == name.key) else { continue };
                let place = raw(text_at, &text);
                let value = trimmed(text);
                match block {
                    Block::Case | Block::Part => {
                        let Some(case) = record.cases.last_mut() else { continue };
                        if *at == names.id_case {
                            case.id_case = place;
                        }
                        // Of several parts the smallest: an export may list them in another order.
                        let kept = &mut case.values[*at];
                        if kept.is_empty() || block == Block::Part && names.encoding.decode(&value) < names.encoding.decode(kept) {
                            *kept = value;
                        }
                    }
                    _ => {
                        if *at == names.id_pac {
                            record.id_pac = place;
                        }
                        record.values[*at] = value;
                    }
                }
            }
            Token::Close { at } => match blocks.pop() {
                Some(Block::Patient) => record.patient = record.patient.take().map(|p| p.start..behind_tag(text, at)),
                Some(Block::Case) => {
                    if let Some(last) = record.cases.last_mut() {
                        last.place.end = behind_tag(text, at);
                    }
                }
                Some(Block::Record) => record.close(text, base, behind_tag(text, at), names, &mut done),
                _ => {}
            },
            Token::Text { .. } => {}
            Token::End => return Ok(done),
        }
    }
}

fn trimmed(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii()),
        Cow::Owned(text) => Cow::Owned(text.trim_ascii().to_vec()),
    }
}

fn walk_persons(chunk: &Chunk, names: &Names) -> Result<Vec<(String, Person)>, Fault> {
    let (text, base, mut scanner) = scanner(chunk, names);
    let mut blocks = if chunk.offset == 0 { Vec::new() } else { vec![Block::Root] };
    let mut done = Vec::new();
    let mut person = (0, String::new(), None);
    loop {
        match scanner.next_token()? {
            Token::Open { at, name, .. } => {
                let block = blocks.last().map_or(Block::Root, |outer| names.inner(*outer, name.key));
                if block == Block::Record {
                    person = (at, String::new(), None);
                }
                blocks.push(block);
            }
            Token::Leaf { name, text_at, text: value, .. } if blocks.last() == Some(&Block::Record) => {
                if names.values[Block::Record as usize].iter().any(|(key, at)| Some(*key) == name.key && *at == names.id_pac) {
                    (person.1, person.2) = (names.encoding.decode(value.trim_ascii()).into_owned(), raw(text_at, &value));
                }
            }
            Token::Close { at } => {
                if blocks.pop() == Some(Block::Record) {
                    let (from, id, hole) = std::mem::take(&mut person);
                    let to = behind_tag(text, at);
                    let mut partial = Partial::new();
                    partial.add(text, from..to, hole);
                    done.push((id, Person { place: base + from as u64..base + to as u64, digest: partial.hasher.finalize().into() }));
                }
            }
            Token::Leaf { .. } | Token::Text { .. } => {}
            Token::End => return Ok(done),
        }
    }
}
