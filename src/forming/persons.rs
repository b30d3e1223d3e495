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

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;
use std::num::NonZero;
use std::ops::Range;

use hashbrown::HashTable;
use sha2::{Digest, Sha256};

use super::encode::append;
use super::feed::Extent;
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
    /// Origin and offset of the entry.
    pub(super) place: (usize, u64),
    pub(super) id_pac: Vec<u8>,
    /// Range of the ID_PAC element in the entry.
    id_at: (usize, usize),
    /// Hash of everything except ID_PAC.
    content: u128,
    /// Hash of the identity; `None` for a person without a name.
    identity: Option<NonZero<u64>>,
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
    let mut seen = Seen { place: (0, 0), id_pac: Vec::new(), id_at: (0, 0), content: 0, identity: None, elements: 0 };
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
        seen.identity = Some(NonZero::new(hasher.finish()).unwrap_or(NonZero::<u64>::MIN));
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

/// Where an entry of a person file that a case needs stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    origin: u32,
    start: u64,
    length: u32,
}

impl Entry {
    /// An entry that is longer than any record is refused when it is read.
    pub(super) fn new(origin: usize, place: &Range<u64>) -> Self {
        let length = u32::try_from(place.end.saturating_sub(place.start)).unwrap_or(u32::MAX);
        Self { origin: origin as u32, start: place.start, length }
    }

    pub(super) fn extent<P>(&self, payload: P) -> Extent<P> {
        Extent { origin: self.origin as usize, start: self.start, end: self.start + u64::from(self.length), payload }
    }
}

/// Index of the entry at a place, of entries in the order of origins and places; `None` if it is not among them.
pub(super) fn find(entries: &[Entry], origin: usize, start: u64) -> Option<usize> {
    let origin = u32::try_from(origin).ok()?;
    entries.binary_search_by_key(&(origin, start), |entry| (entry.origin, entry.start)).ok()
}

/// ID_PAC of an entry, and the group of entries to which it belongs.
#[derive(Debug, Clone, Copy)]
struct Person {
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
    /// Index of the entry that is written.
    written: u32,
    id: Text,
}

/// What is compared of the written entry of a group.
#[derive(Debug)]
struct Sketch {
    identity: Option<NonZero<u64>>,
    elements: u64,
    /// Index in [`Meeting::contents`].
    content: u32,
}

/// What is needed only until the last entry has been taken in.
#[derive(Debug, Default)]
struct Meeting {
    /// For each group.
    sketches: Vec<Sketch>,
    /// Contents of entries, and the group of each.
    contents: Vec<u128>,
    holders: Vec<u32>,
    /// Groups by ID_PAC.
    by_id: HashTable<u32>,
    /// Contents of entries with a name; of equal ones the first.
    by_content: HashTable<u32>,
}

/// All persons that the cases of a registry need.
#[derive(Debug, Default)]
pub(super) struct Persons {
    /// For each entry.
    people: Vec<Person>,
    groups: Vec<Group>,
    texts: Vec<u8>,
    meeting: Meeting,
}

impl Meeting {
    /// Index of the first content that is equal.
    fn same(&self, content: u128) -> Option<u32> {
        self.by_content.find(content as u64, |at| self.contents[*at as usize] == content).copied()
    }

    /// Keeps the content of a group's entry, to be found by [`Meeting::same`] if `is_named`; returns its index.
    fn keep(&mut self, content: u128, group: u32, is_named: bool) -> u32 {
        let at = self.contents.len() as u32;
        let is_first = is_named && self.same(content).is_none();
        self.contents.push(content);
        self.holders.push(group);
        if is_first {
            self.by_content.insert_unique(content as u64, at, |at| self.contents[*at as usize] as u64);
        }
        at
    }
}

impl Persons {
    /// With room for so many entries: what grows by doubling needs up to three times its size.
    pub(super) fn with_room(entries: usize) -> Self {
        let meeting = Meeting {
            sketches: Vec::with_capacity(entries),
            contents: Vec::with_capacity(entries),
            holders: Vec::with_capacity(entries),
            by_id: HashTable::with_capacity(entries),
            by_content: HashTable::with_capacity(entries),
        };
        Self { people: Vec::with_capacity(entries), groups: Vec::with_capacity(entries), texts: Vec::new(), meeting }
    }

    /// Indexes of the entries that are written.
    pub(super) fn written(&self) -> impl Iterator<Item = usize> + Send + '_ {
        let all = self.people.iter().enumerate().map(|(at, person)| (at, person.group));
        all.filter(|(at, group)| self.groups[*group as usize].written as usize == *at).map(|(at, _)| at)
    }

    /// Takes in the next entry, in the order of origins and places; returns false if no ID_PAC is free for it.
    pub(super) fn meet(&mut self, plan: &PersonPlan, seen: &Seen) -> bool {
        let index = self.people.len() as u32;
        let own = self.keep(&seen.id_pac);
        let holder = self.holder(&seen.id_pac);
        let is_named = seen.identity.is_some();
        let mut group = None;
        if let Some(holder) = holder {
            let held = &self.meeting.sketches[holder as usize];
            // If two texts have the same hash, the second is renamed needlessly, which does no harm.
            let same_id = slice(&self.texts, self.groups[holder as usize].id) == seen.id_pac;
            let same_person = is_named && held.identity == seen.identity;
            let (both, either) = (held.elements & seen.elements, held.elements | seen.elements);
            if same_id && self.meeting.contents[held.content as usize] == seen.content {
                group = Some(holder);
            } else if same_id && same_person && (both == held.elements || both == seen.elements) {
                if seen.elements == either {
                    self.groups[holder as usize].written = index;
                    let content = self.meeting.keep(seen.content, holder, true);
                    let held = &mut self.meeting.sketches[holder as usize];
                    (held.content, held.elements) = (content, seen.elements);
                }
                group = Some(holder);
            }
        }
        if group.is_none() && is_named {
            group = self.meeting.same(seen.content).map(|at| self.meeting.holders[at as usize]);
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
                let content = self.meeting.keep(seen.content, group, is_named);
                self.meeting.sketches.push(Sketch { identity: seen.identity, elements: seen.elements, content });
                self.groups.push(Group { written: index, id });
                let (groups, texts) = (&self.groups, &self.texts);
                self.meeting.by_id.insert_unique(hash(slice(texts, id)), group, |group| hash(slice(texts, groups[*group as usize].id)));
                group
            }
        };
        self.people.push(Person { id: own, group });
        true
    }

    /// The group with an ID_PAC.
    fn holder(&self, id_pac: &[u8]) -> Option<u32> {
        let hashed = hash(id_pac);
        self.meeting.by_id.find(hashed, |group| hash(slice(&self.texts, self.groups[*group as usize].id)) == hashed).copied()
    }

    /// Frees what is needed only until the last entry has been taken in.
    pub(super) fn close(&mut self) {
        self.meeting = Meeting::default();
    }

    /// Number of persons that are written.
    pub(super) fn count(&self) -> u64 {
        self.groups.len() as u64
    }

    /// ID_PAC of an entry in its package, and in the registry.
    pub(super) fn ids(&self, index: usize) -> (&[u8], &[u8]) {
        let person = &self.people[index];
        (slice(&self.texts, person.id), slice(&self.texts, self.groups[person.group as usize].id))
    }

    fn keep(&mut self, text: &[u8]) -> Text {
        if self.texts.is_empty() {
            // Nearly always all ID_PAC of a package have one length.
            self.texts.reserve_exact(self.people.capacity() * text.len());
        }
        let kept = Text { at: self.texts.len() as u32, length: text.len() as u16 };
        self.texts.extend_from_slice(&text[..usize::from(kept.length)]);
        kept
    }

    fn free_id(&self, id: &[u8], longest: usize) -> Option<Vec<u8>> {
        (2u32..100_000).find_map(|n| {
            let tail = format!("-{n}");
            let room = longest.checked_sub(tail.len()).filter(|room| *room > 0)?;
            let new = [&id[..id.len().min(room)], tail.as_bytes()].concat();
            self.holder(&new).is_none().then_some(new)
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
