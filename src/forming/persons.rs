//! Merges the persons of several packages into one person file: which entries are one person, and under which ID_PAC.
//!
//! Persons are read in the order of their packages and places. One entry is written for:
//!
//! * entries of one ID_PAC that are equal, or that name the same person (surname, first name, patronymic, sex, birth date, as the rule about
//!   the same person compares them) if one has all elements of the other: the entry with more elements is written, the later one of equals;
//! * entries of different ID_PAC that are otherwise equal and have a name: the first ID_PAC stays.
//!
//! Everybody else has a separate entry. If its ID_PAC is taken, it gets a new one: the old one with `-2`, `-3`, … at its end, cut where the element
//! has no room.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;

use sha2::{Digest, Sha256};

use super::encode::append;
use super::record::Trouble;
use crate::registry::encoding::Encoding;
use crate::registry::format::{Format, NameKey, NodeId, Role};
use crate::registry::scan::{ScanLimits, Scanner, Token};

/// The elements of a person that are read.
#[derive(Debug)]
pub(super) struct PersonPlan {
    root: Vec<u8>,
    record: NameKey,
    children: Vec<(NameKey, NodeId, u8)>,
    id_pac: NodeId,
    /// Elements that tell persons apart, the names first.
    identity: Vec<NodeId>,
    /// Most characters that ID_PAC may have in both files.
    longest: usize,
}

/// Number of names at the beginning of an identity; a person without them is not compared.
const NAMES: usize = 2;

impl PersonPlan {
    /// `None` if the format has no persons; `longest` is the limit of ID_PAC in the main file.
    pub(super) fn new(format: &Format, identity: &[Role], longest: usize) -> Option<Self> {
        let record = format.role(Role::Record)?;
        let id_pac = format.role(Role::IdPac)?;
        let children = format.node(record).children.iter().map(|id| (format.node(*id).key, *id, format.node(*id).position)).collect();
        let own = format.node(id_pac).value_type().map_or(0, |kind| kind.lengths().1);
        Some(Self {
            root: format.node(format.root()).name.as_bytes().to_vec(),
            record: format.node(record).key,
            children,
            id_pac,
            identity: identity.iter().filter_map(|role| format.role(*role)).collect(),
            longest: own.min(longest),
        })
    }

    /// Name of the root element.
    pub(super) fn root(&self) -> &[u8] {
        &self.root
    }
}

/// A digest of an entry of a person file, without its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// Origin, offset and length of the entry.
    pub(super) place: (u32, u64, u32),
    pub(super) id_pac: Vec<u8>,
    /// Range of the ID_PAC element in the entry.
    id_at: (usize, usize),
    /// Hash of everything except ID_PAC.
    content: u128,
    /// Hash of the identity; `None` for a person without a name.
    identity: Option<u64>,
    /// Bit mask of the elements that are present.
    elements: u64,
}

/// Why an entry cannot be read: a trouble as in records, or an element that the format lacks, by its offset in the entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PersonTrouble {
    Record(Trouble),
    Element { at: usize, name: String },
}

impl<T: Into<Trouble>> From<T> for PersonTrouble {
    fn from(trouble: T) -> Self {
        Self::Record(trouble.into())
    }
}

/// Reads one entry.
pub(super) fn look(plan: &PersonPlan, bytes: &[u8], encoding: Encoding) -> Result<Seen, PersonTrouble> {
    let mut scanner = Scanner::new(bytes, encoding, ScanLimits::default(), vec![plan.root.clone()]);
    match scanner.next_token()? {
        Token::Open { at: 0, name, .. } if name.key == Some(plan.record) => {}
        _ => return Err(Trouble::Changed(0).into()),
    }
    let mut seen = Seen { place: (0, 0, 0), id_pac: Vec::new(), id_at: (0, 0), content: 0, identity: None, elements: 0 };
    let mut content = Vec::with_capacity(bytes.len());
    // Ranges of the parts of the identity in `content`.
    let mut parts = vec![0..0; plan.identity.len()];
    loop {
        match scanner.next_token()? {
            Token::Leaf { at, name, text, .. } => {
                let Some((_, id, position)) = plan.children.iter().find(|(key, ..)| Some(*key) == name.key) else {
                    return Err(PersonTrouble::Element { at, name: name.to_text(encoding) });
                };
                if *id == plan.id_pac {
                    seen.id_pac = text.trim_ascii().to_vec();
                    seen.id_at = (at, scanner.offset());
                    continue;
                }
                seen.elements |= 1 << position;
                let start = content.len();
                content.push(*position);
                // A character that windows-1251 lacks is reported when the entry is written.
                if append(&text, encoding, &mut content).is_err() {
                    content.truncate(start + 1);
                    content.extend_from_slice(&text);
                }
                if let Some(part) = plan.identity.iter().position(|i| i == id) {
                    parts[part] = start + 1..content.len();
                }
                // No value contains this byte.
                content.push(0);
            }
            Token::Open { at, name, .. } => {
                if plan.children.iter().all(|(key, ..)| Some(*key) != name.key) {
                    return Err(PersonTrouble::Element { at, name: name.to_text(encoding) });
                }
                let end = scanner.skip_element()?;
                content.extend_from_slice(&bytes[at..end]);
                content.push(0);
            }
            Token::Close { .. } => break,
            Token::Text { .. } => {}
            Token::End => return Err(Trouble::Changed(bytes.len()).into()),
        }
    }
    if seen.id_at.1 == 0 || scanner.offset() != bytes.len() {
        return Err(Trouble::Changed(0).into());
    }
    if parts.len() >= NAMES && parts[..NAMES].iter().all(|p| !p.is_empty()) {
        let mut hasher = DefaultHasher::new();
        for part in &parts {
            hasher.write(&content[part.clone()]);
            hasher.write_u8(0);
        }
        seen.identity = Some(hasher.finish());
    }
    let digest = Sha256::digest(&content);
    seen.content = digest.iter().take(16).fold(0, |n, b| n << 8 | u128::from(*b));
    Ok(seen)
}

/// Appends an entry that was read by [`look`], with its final ID_PAC instead of its own.
pub(super) fn copy(plan: &PersonPlan, bytes: &[u8], encoding: Encoding, (own, id_pac): (&[u8], &[u8]), out: &mut Vec<u8>) -> Result<(), PersonTrouble> {
    let unwritable = |from: usize| move |u: super::encode::Unwritable| Trouble::Character { at: from + u.at, character: u.character };
    if own == id_pac {
        append(bytes, encoding, out).map_err(unwritable(0))?;
        return Ok(());
    }
    let (at, end) = look(plan, bytes, encoding)?.id_at;
    append(&bytes[..at], encoding, out).map_err(unwritable(0))?;
    let name: &[u8] = bytes[at + 1..end].split(|b| matches!(b, b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n')).next().unwrap_or_default();
    for part in [b"<", name, b">", id_pac, b"</", name, b">"] {
        out.extend_from_slice(part);
    }
    append(&bytes[end..], encoding, out).map_err(unwritable(end))?;
    Ok(())
}

/// An entry of a person file that a case needs.
#[derive(Debug, Clone, Copy)]
struct Person {
    origin: u32,
    start: u64,
    length: u32,
    id: Text,
    group: u32,
}

/// A range of the common text buffer.
#[derive(Debug, Clone, Copy, Default)]
struct Text {
    at: u32,
    length: u16,
}

/// Entries that are the same person.
#[derive(Debug)]
struct Group {
    /// The entry that is written.
    written: u32,
    id: Text,
    content: u128,
    identity: Option<u64>,
    elements: u64,
}

/// All persons that the cases of a registry need.
#[derive(Debug, Default)]
pub(super) struct Persons {
    /// In the order of origins and places.
    people: Vec<Person>,
    groups: Vec<Group>,
    texts: Vec<u8>,
    by_id: HashMap<u64, u32>,
    by_content: HashMap<u128, u32>,
}

impl Persons {
    /// The entries that are written: index, origin, start and end.
    pub(super) fn written(&self) -> impl Iterator<Item = (usize, usize, u64, u64)> + Send + '_ {
        let places = self.people.iter().enumerate().map(|(i, p)| (i, p.group, p.origin as usize, p.start, p.start + u64::from(p.length)));
        places.filter(|(i, group, ..)| self.groups[*group as usize].written as usize == *i).map(|(i, _, origin, start, end)| (i, origin, start, end))
    }

    /// Takes in the next entry, in the order of origins and places; returns false if no ID_PAC is free for it.
    pub(super) fn meet(&mut self, plan: &PersonPlan, seen: &Seen) -> bool {
        let index = self.people.len() as u32;
        let own = self.keep(&seen.id_pac);
        let holder = self.by_id.get(&hash(&seen.id_pac)).copied();
        let mut group = None;
        if let Some(holder) = holder {
            let held = &mut self.groups[holder as usize];
            // If two texts have the same hash, the second is renamed needlessly, which does no harm.
            let same_id = slice(&self.texts, held.id) == seen.id_pac;
            let same_person = seen.identity.is_some() && held.identity == seen.identity;
            let (both, either) = (held.elements & seen.elements, held.elements | seen.elements);
            if same_id && held.content == seen.content {
                group = Some(holder);
            } else if same_id && same_person && (both == held.elements || both == seen.elements) {
                if seen.elements == either {
                    (held.written, held.content, held.elements) = (index, seen.content, seen.elements);
                    self.by_content.entry(seen.content).or_insert(holder);
                }
                group = Some(holder);
            }
        }
        if group.is_none() && seen.identity.is_some() {
            group = self.by_content.get(&seen.content).copied();
        }
        let group = match group {
            Some(group) => group,
            None => {
                let id = match holder {
                    None => own,
                    Some(_) => match self.free_id(&seen.id_pac, plan.longest) {
                        Some(id) => self.keep(&id),
                        None => return false,
                    },
                };
                let group = self.groups.len() as u32;
                self.by_id.insert(hash(slice(&self.texts, id)), group);
                if seen.identity.is_some() {
                    self.by_content.entry(seen.content).or_insert(group);
                }
                self.groups.push(Group { written: index, id, content: seen.content, identity: seen.identity, elements: seen.elements });
                group
            }
        };
        self.people.push(Person { origin: seen.place.0, start: seen.place.1, length: seen.place.2, id: own, group });
        true
    }

    /// Frees the tables that are needed only until the last entry has been taken in.
    pub(super) fn close(&mut self) {
        self.by_id = HashMap::new();
        self.by_content = HashMap::new();
    }

    /// Number of persons that are written.
    pub(super) fn count(&self) -> u64 {
        self.groups.len() as u64
    }

    /// Index of the entry at a place; `None` if it was not taken in.
    pub(super) fn at(&self, origin: usize, start: u64) -> Option<usize> {
        let origin = u32::try_from(origin).ok()?;
        self.people.binary_search_by_key(&(origin, start), |p| (p.origin, p.start)).ok()
    }

    /// ID_PAC of an entry in its package, and in the registry.
    pub(super) fn ids(&self, index: usize) -> (&[u8], &[u8]) {
        let person = &self.people[index];
        (slice(&self.texts, person.id), slice(&self.texts, self.groups[person.group as usize].id))
    }

    fn keep(&mut self, text: &[u8]) -> Text {
        let kept = Text { at: self.texts.len() as u32, length: text.len() as u16 };
        self.texts.extend_from_slice(&text[..usize::from(kept.length)]);
        kept
    }

    fn free_id(&self, id: &[u8], longest: usize) -> Option<Vec<u8>> {
        (2u32..100_000).find_map(|n| {
            let tail = format!("-{n}");
            let room = longest.checked_sub(tail.len()).filter(|room| *room > 0)?;
            let new = [&id[..id.len().min(room)], tail.as_bytes()].concat();
            (!self.by_id.contains_key(&hash(&new))).then_some(new)
        })
    }
}

fn slice(texts: &[u8], text: Text) -> &[u8] {
    &texts[text.at as usize..text.at as usize + usize::from(text.length)]
}

fn hash(text: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text);
    hasher.finish()
}
