//! Where the cases of a package stand and what forming, МЭК and the match with earlier versions need of them.
//!
//! One pass of the tokenizer over each file, pieces side by side. It runs behind the control of the same bytes: a file that cannot be
//! read to its end has been refused there. Elements are found by their roles in the format tables.

use std::collections::HashMap;
use std::io;
use std::ops::Range;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::registry::chunk::{Chunk, Chunks};
use crate::registry::encoding::Encoding;
use crate::registry::fault::Fault;
use crate::registry::format::value::kopecks;
use crate::registry::format::{Format, NameKey, NodeId, Role};
use crate::registry::scan::{ScanLimits, Scanner, Token};
use crate::registry::source::Source;

/// A completed case as it stands in its main file. Texts are decoded; what is absent is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::workspace) struct Case {
    /// The whole record, in bytes of the unpacked file.
    pub(in crate::workspace) record: Range<u64>,
    /// The case in it.
    pub(in crate::workspace) case: Range<u64>,
    /// Values by role, see [`VALUES`].
    values: [String; VALUES.len()],
    /// SHA-256 of the case and its patient but for the running numbers (IDCASE, ID_PAC).
    pub(in crate::workspace) digest: [u8; 32],
}

/// A person of the L file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::workspace) struct Person {
    /// The whole element, in bytes of the unpacked file.
    pub(in crate::workspace) place: Range<u64>,
    /// SHA-256 of it but for ID_PAC.
    pub(in crate::workspace) digest: [u8; 32],
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
    pub(in crate::workspace) fn value(&self, role: Role) -> &str {
        VALUES.iter().position(|r| *r == role).map_or("", |at| &self.values[at])
    }

    /// SUMV in kopecks; 0 if it cannot be read.
    pub(in crate::workspace) fn sum(&self) -> i64 {
        kopecks(self.value(Role::CaseSum).as_bytes()).unwrap_or(0)
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

/// Every case of a main file, in its order.
///
/// # Errors
/// The file cannot be read, or its markup is broken.
pub(in crate::workspace) fn cases(source: &Source, format: &Format, encoding: Encoding) -> io::Result<Vec<Case>> {
    let Some(names) = Names::new(format, encoding) else { return Ok(Vec::new()) };
    let mut cases: Vec<Case> = Vec::new();
    pieces(source, format, |batch| batch.par_iter().map(|chunk| walk(chunk, &names)).collect(), |piece: Vec<Case>| cases.extend(piece))?;
    Ok(cases)
}

/// Every person of an L file by ID_PAC; of two with the same the first.
///
/// # Errors
/// As [`cases`].
pub(in crate::workspace) fn persons(source: &Source, format: &Format, encoding: Encoding) -> io::Result<HashMap<String, Person>> {
    let Some(names) = Names::new(format, encoding) else { return Ok(HashMap::new()) };
    let mut persons = HashMap::new();
    pieces(
        source,
        format,
        |batch| batch.par_iter().map(|chunk| walk_persons(chunk, &names)).collect(),
        |piece| {
            for (id, person) in piece {
                persons.entry(id).or_insert(person);
            }
        },
    )?;
    Ok(persons)
}

fn pieces<T: Send>(source: &Source, format: &Format, walk: impl Fn(&[Chunk]) -> Vec<Result<T, Fault>>, mut each: impl FnMut(T)) -> io::Result<()> {
    let Some(record) = format.role(Role::Record) else { return Ok(()) };
    let mut chunks = Chunks::new(source.open()?, &format.node(record).name, false);
    let at_once = rayon::current_num_threads().max(1) * 2;
    let mut buffers: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut batch = Vec::with_capacity(at_once);
        while batch.len() < at_once {
            match chunks.next_chunk(buffers.pop().unwrap_or_default()).map_err(io::Error::other)? {
                Some(chunk) => batch.push(chunk),
                None => break,
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        for piece in walk(&batch) {
            each(piece.map_err(io::Error::other)?);
        }
        buffers.extend(batch.into_iter().map(|c| c.bytes));
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
fn raw(text_at: usize, text: &std::borrow::Cow<'_, [u8]>) -> Option<Range<usize>> {
    matches!(text, std::borrow::Cow::Borrowed(_)).then(|| text_at..text_at + text.len())
}

fn walk(chunk: &Chunk, names: &Names) -> Result<Vec<Case>, Fault> {
    let (text, base, mut scanner) = scanner(chunk, names);
    let mut blocks = if chunk.offset == 0 { Vec::new() } else { vec![Block::Root] };
    let mut done: Vec<Case> = Vec::new();
    // The record at hand: where it begins, its own values, its patient's bytes and where ID_PAC stands, its cases.
    let mut record_at = 0;
    let mut own: [String; VALUES.len()] = Default::default();
    let mut patient: Option<Range<usize>> = None;
    let mut id_pac = None;
    let mut open: Vec<(Case, usize, Option<Range<usize>>, usize)> = Vec::new();
    loop {
        match scanner.next_token()? {
            Token::Open { at, name, .. } => {
                let block = blocks.last().map_or(Block::Root, |outer| names.inner(*outer, name.key));
                match block {
                    Block::Record => {
                        (record_at, patient, id_pac) = (at, None, None);
                        own = Default::default();
                    }
                    Block::Patient => patient = Some(at..at),
                    Block::Case => open.push((Case::default(), at, None, at)),
                    _ => {}
                }
                blocks.push(block);
            }
            Token::Leaf { name, text_at, text, .. } => {
                let Some(&block) = blocks.last() else { continue };
                let Some((_, at)) = names.values[block as usize].iter().find(|(key, _)| Some(*key) == name.key) else { continue };
                let value = names.encoding.decode(text.trim_ascii());
                let place = raw(text_at, &text);
                match block {
                    Block::Case | Block::Part => {
                        let Some((case, _, id_case, _)) = open.last_mut() else { continue };
                        if *at == names.id_case {
                            *id_case = place;
                        }
                        // Of several parts the smallest: an export may list them in another order.
                        let kept = &mut case.values[*at];
                        if kept.is_empty() || block == Block::Part && *value < **kept {
                            *kept = value.into_owned();
                        }
                    }
                    _ => {
                        if *at == names.id_pac {
                            id_pac = place;
                        }
                        own[*at] = value.into_owned();
                    }
                }
            }
            Token::Close { at } => match blocks.pop() {
                Some(Block::Patient) => patient = patient.map(|p| p.start..behind_tag(text, at)),
                Some(Block::Case) => {
                    if let Some(last) = open.last_mut() {
                        last.3 = behind_tag(text, at);
                    }
                }
                Some(Block::Record) => {
                    let record = base + record_at as u64..base + behind_tag(text, at) as u64;
                    for (mut case, from, id_case, to) in open.drain(..) {
                        for (value, own) in case.values.iter_mut().zip(&own) {
                            if value.is_empty() {
                                value.clone_from(own);
                            }
                        }
                        let mut partial = Partial::new();
                        partial.add(text, from..to, id_case);
                        partial.hasher.update(case.value(Role::PrNov));
                        if let Some(patient) = &patient {
                            partial.add(text, patient.clone(), id_pac.clone());
                        }
                        case.digest = partial.hasher.finalize().into();
                        (case.record, case.case) = (record.clone(), base + from as u64..base + to as u64);
                        done.push(case);
                    }
                }
                _ => {}
            },
            Token::Text { .. } => {}
            Token::End => return Ok(done),
        }
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
