//! The cases and persons of a file, read from its bytes by the names of elements: the reading that stood beside the control's pass before it
//! was done in it. It looks at each file as a whole.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use puomp::registry::encoding::Encoding;
use puomp::registry::format::{Format, NameKey, Role};
use puomp::registry::scan::{ScanLimits, Scanner, Token};
use sha2::{Digest as _, Sha256};

/// What is kept of each case.
pub(crate) const VALUES: [Role; 15] = [
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

/// A case as the oracle sees it.
pub(crate) struct CaseSeen {
    record: Range<usize>,
    case: Range<usize>,
    values: Vec<String>,
    digest: i64,
}

impl fmt::Debug for CaseSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?} {:?} {:?}", self.record, self.case, self.values, self.digest)
    }
}

/// A person as the oracle sees it.
pub(crate) struct PersonSeen {
    pub(crate) id: String,
    place: Range<usize>,
    digest: [u8; 32],
}

impl fmt::Debug for PersonSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {:?}", self.id, self.place, self.digest)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Root,
    Record,
    Patient,
    Case,
    Part,
    Other,
}

/// Names to look for, and the bytes in which they are looked for.
struct Names<'f> {
    format: &'f Format,
    encoding: Encoding,
    bytes: &'f [u8],
}

impl<'f> Names<'f> {
    fn key(&self, role: Role) -> Option<NameKey> {
        self.format.role(role).map(|id| self.format.node(id).key)
    }

    fn inner(&self, block: Block, name: Option<NameKey>) -> Block {
        let is = |role| name.is_some() && self.key(role) == name;
        match block {
            Block::Root if is(Role::Record) => Block::Record,
            Block::Record if is(Role::Patient) => Block::Patient,
            Block::Record if is(Role::Case) => Block::Case,
            Block::Case if is(Role::Part) => Block::Part,
            _ => Block::Other,
        }
    }

    /// The place in [`VALUES`] of an element of a block.
    fn value(&self, block: Block, name: Option<NameKey>) -> Option<usize> {
        let holder = match block {
            Block::Record => Role::Record,
            Block::Patient => Role::Patient,
            Block::Case => Role::Case,
            Block::Part => Role::Part,
            Block::Root | Block::Other => return None,
        };
        VALUES.iter().position(|role| {
            let node = self.format.role(*role).map(|id| self.format.node(id));
            node.is_some_and(|node| node.parent.is_some() && node.parent == self.format.role(holder) && Some(node.key) == name)
        })
    }

    fn text(&self, value: &[u8]) -> String {
        self.encoding.decode(value.trim_ascii()).into_owned()
    }

    fn scanner(&self) -> (usize, Scanner<'f>) {
        let base = if self.bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        (base, Scanner::new(&self.bytes[base..], self.encoding, ScanLimits::default(), Vec::new()))
    }

    fn behind_tag(&self, at: usize) -> usize {
        at + 1 + self.bytes[at..].iter().position(|b| *b == b'>').expect("a tag ends")
    }

    fn hash(&self, hasher: &mut Sha256, place: Range<usize>, without: Option<Range<usize>>) {
        match without.filter(|hole| place.start <= hole.start) {
            Some(hole) => {
                hasher.update(&self.bytes[place.start..hole.start]);
                hasher.update(&self.bytes[hole.end..place.end]);
            }
            None => hasher.update(&self.bytes[place]),
        }
    }
}

/// Where a value stands; `None` where references were resolved.
#[expect(clippy::ptr_arg, reason = "whether it was resolved is what is asked")]
fn raw(at: usize, text: &Cow<'_, [u8]>) -> Option<Range<usize>> {
    matches!(text, Cow::Borrowed(_)).then(|| at..at + text.len())
}

#[derive(Default)]
struct Open {
    values: Vec<String>,
    place: Range<usize>,
    id_case: Option<Range<usize>>,
}

#[derive(Default)]
struct Record {
    at: usize,
    values: Vec<String>,
    patient: Option<Range<usize>>,
    id_pac: Option<Range<usize>>,
    cases: Vec<Open>,
}

/// The cases of a main file that the control accepts.
pub(crate) fn cases(bytes: &[u8], format: &Format, encoding: Encoding) -> Vec<CaseSeen> {
    let names = Names { format, encoding, bytes };
    let empty = || vec![String::new(); VALUES.len()];
    let (base, mut scanner) = names.scanner();
    let (mut blocks, mut done, mut record) = (Vec::new(), Vec::new(), Record::default());
    loop {
        match scanner.next_token().expect("the control accepts it") {
            Token::Open { at, name, .. } => {
                let at = base + at;
                let block = blocks.last().map_or(Block::Root, |outer| names.inner(*outer, name.key));
                match block {
                    Block::Record => record = Record { at, values: empty(), ..Record::default() },
                    Block::Patient => record.patient = Some(at..at),
                    Block::Case => record.cases.push(Open { values: empty(), place: at..at, id_case: None }),
                    _ => {}
                }
                blocks.push(block);
            }
            Token::Leaf { name, text_at, text, .. } => {
                let Some(&block) = blocks.last() else { continue };
                let Some(at) = names.value(block, name.key) else { continue };
                let (place, value) = (raw(base + text_at, &text), names.text(&text));
                if let Block::Case | Block::Part = block {
                    let case = record.cases.last_mut().expect("a case is open");
                    if VALUES[at] == Role::IdCase {
                        case.id_case = place;
                    }
                    if case.values[at].is_empty() || block == Block::Part && value < case.values[at] {
                        case.values[at] = value;
                    }
                } else {
                    if VALUES[at] == Role::IdPac {
                        record.id_pac = place;
                    }
                    record.values[at] = value;
                }
            }
            Token::Close { at } => {
                let end = names.behind_tag(base + at);
                match blocks.pop() {
                    Some(Block::Patient) => record.patient = record.patient.take().map(|p| p.start..end),
                    Some(Block::Case) => record.cases.last_mut().expect("a case is open").place.end = end,
                    Some(Block::Record) => {
                        let Record { at, values, patient, id_pac, cases } = std::mem::take(&mut record);
                        for open in cases {
                            let values: Vec<String> =
                                open.values.into_iter().zip(&values).map(|(own, of)| if own.is_empty() { of.clone() } else { own }).collect();
                            let mut hasher = Sha256::new();
                            names.hash(&mut hasher, open.place.clone(), open.id_case);
                            hasher.update(&values[VALUES.iter().position(|role| *role == Role::PrNov).expect("among them")]);
                            if let Some(patient) = &patient {
                                names.hash(&mut hasher, patient.clone(), id_pac.clone());
                            }
                            let digest = hasher.finalize().first_chunk::<8>().map(|start| i64::from_be_bytes(*start)).expect("32 bytes");
                            done.push(CaseSeen { record: at..end, case: open.place, values, digest });
                        }
                    }
                    _ => {}
                }
            }
            Token::Text { .. } => {}
            Token::End => return done,
        }
    }
}

/// The persons of a person file that the control accepts; of two with the same ID_PAC the first.
pub(crate) fn persons(bytes: &[u8], format: &Format, encoding: Encoding) -> Vec<PersonSeen> {
    let names = Names { format, encoding, bytes };
    let (base, mut scanner) = names.scanner();
    let (mut blocks, mut done) = (Vec::new(), Vec::<PersonSeen>::new());
    let mut person = (0, String::new(), None);
    loop {
        match scanner.next_token().expect("the control accepts it") {
            Token::Open { at, name, .. } => {
                let block = blocks.last().map_or(Block::Root, |outer| names.inner(*outer, name.key));
                if block == Block::Record {
                    person = (base + at, String::new(), None);
                }
                blocks.push(block);
            }
            Token::Leaf { name, text_at, text, .. } if blocks.last() == Some(&Block::Record) => {
                if names.value(Block::Record, name.key).is_some_and(|at| VALUES[at] == Role::IdPac) {
                    (person.1, person.2) = (names.text(&text), raw(base + text_at, &text));
                }
            }
            Token::Close { at } => {
                if blocks.pop() == Some(Block::Record) {
                    let (from, id, hole) = std::mem::take(&mut person);
                    let place = from..names.behind_tag(base + at);
                    let mut hasher = Sha256::new();
                    names.hash(&mut hasher, place.clone(), hole);
                    if done.iter().all(|p| p.id != id) {
                        done.push(PersonSeen { id, place, digest: hasher.finalize().into() });
                    }
                }
            }
            Token::Leaf { .. } | Token::Text { .. } => {}
            Token::End => return done,
        }
    }
}
