//! The cases and persons of a package while it is loaded: the cases stand in a spool and are read in batches, the persons in a table.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::ops::Range;
use std::sync::LazyLock;

use hashbrown::HashTable;
use rayon::prelude::*;

use super::case::Case;
use crate::spool::{Records, Replay, Spool, damaged};

/// Bytes of cases that are kept in memory: about 10,000 cases.
const BUDGET: usize = 4 << 20;
/// Number of cases in a batch.
const BATCH: usize = 4_096;

/// A person of the L file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// The hash of its ID_PAC.
    id: u64,
    start: u64,
    length: u32,
    is_named: bool,
    names: [u8; 8],
    /// SHA-256 of the element without its ID_PAC.
    pub digest: [u8; 32],
}

impl Person {
    /// `place` are the bytes of the element in the unpacked file, and `names` the start of a digest of the names, in capital letters, and the date of
    /// birth; `None` when there is neither surname nor first name.
    pub(super) fn new(id_pac: &str, place: &Range<u64>, digest: [u8; 32], names: Option<[u8; 8]>) -> Self {
        // No element is longer than the largest record.
        let length = u32::try_from(place.end - place.start).unwrap_or(u32::MAX);
        Self { id: hash(id_pac), start: place.start, length, is_named: names.is_some(), names: names.unwrap_or_default(), digest }
    }

    /// Bytes of the whole element in the unpacked file.
    pub fn place(&self) -> Range<u64> {
        self.start..self.start + u64::from(self.length)
    }

    /// The start of a digest of the names, in capital letters, and the date of birth; `None` when there is neither surname nor first name.
    pub fn names(&self) -> Option<[u8; 8]> {
        self.is_named.then_some(self.names)
    }
}

/// The hash by which persons are found. Its key differs from run to run, so that no file can be made in which two ID_PAC share one. By chance that happens
/// in one of 37 million files with a million persons each; the later person is then taken for the earlier one.
fn hash(id_pac: &str) -> u64 {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    KEY.hash_one(id_pac)
}

/// The cases and persons of a piece of a file.
#[derive(Debug, Default)]
pub struct Found {
    count: usize,
    cases: Records,
    persons: Vec<Person>,
}

impl Found {
    pub(super) fn add_case(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.count += 1;
        self.cases.push(write);
    }

    pub(super) fn add_person(&mut self, person: Person) {
        self.persons.push(person);
    }
}

/// The cases and persons read from the files of a package. What was read from a file that the control refuses must not be used.
#[derive(Debug)]
pub struct Index {
    count: usize,
    cases: Spool,
    persons: Vec<Person>,
}

impl Default for Index {
    fn default() -> Self {
        Self { count: 0, cases: Spool::with_budget(BUDGET), persons: Vec::new() }
    }
}

impl Index {
    /// Adds the cases and persons of the next piece.
    ///
    /// # Errors
    /// The temporary file cannot be written, or there are more cases or persons than can be counted.
    pub fn extend(&mut self, piece: &Found) -> io::Result<()> {
        self.count += piece.count;
        self.persons.extend_from_slice(&piece.persons);
        if self.count.max(self.persons.len()) >= u32::MAX as usize {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.cases.extend(&piece.cases)
    }

    /// The cases of this index, which is one of a main file, and the persons of another, which is one of its person file. When an ID_PAC is repeated, the
    /// first person counts.
    pub fn finish(self, of_persons: Self) -> (Cases, Persons) {
        (Cases { count: self.count, spool: self.cases }, Persons::new(of_persons.persons))
    }
}

/// The cases of a package in the order of the main file.
#[derive(Debug)]
pub struct Cases {
    count: usize,
    spool: Spool,
}

impl Cases {
    /// How many cases.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All cases in batches. They may be read as often as needed.
    pub fn batches(&self) -> Batches<'_> {
        Batches { replay: self.spool.replay(), next: 0 }
    }
}

/// Batches of cases, read one after another.
#[derive(Debug)]
pub struct Batches<'c> {
    replay: Replay<'c>,
    next: usize,
}

impl Iterator for Batches<'_> {
    type Item = io::Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut batch = Batch { first: self.next, bytes: Vec::new(), ends: Vec::new() };
        while batch.ends.len() < BATCH {
            match self.replay.next_record() {
                Ok(Some(record)) => {
                    batch.bytes.extend_from_slice(record);
                    batch.ends.push(batch.bytes.len());
                }
                Ok(None) => break,
                Err(error) => return Some(Err(error)),
            }
        }
        self.next += batch.ends.len();
        (!batch.ends.is_empty()).then_some(Ok(batch))
    }
}

/// Some cases that follow one another.
#[derive(Debug)]
pub struct Batch {
    /// Index of the first case in the package.
    pub first: usize,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Batch {
    /// The cases.
    ///
    /// # Errors
    /// They are not what was written to the temporary file.
    pub fn cases(&self) -> io::Result<Vec<Case<'_>>> {
        let case = |at: usize| {
            let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
            Case::read(&self.bytes[start..self.ends[at]]).ok_or_else(damaged)
        };
        (0..self.ends.len()).into_par_iter().with_min_len(256).map(case).collect()
    }
}

/// The persons of a package in the order of the person file.
#[derive(Debug)]
pub struct Persons {
    all: Vec<Person>,
    by_id: HashTable<u32>,
}

impl Persons {
    fn new(mut all: Vec<Person>) -> Self {
        let mut by_id: HashTable<u32> = HashTable::with_capacity(all.len());
        let mut count = 0;
        for at in 0..all.len() {
            let person = all[at];
            if by_id.find(person.id, |known| all[*known as usize].id == person.id).is_none() {
                all[count] = person;
                by_id.insert_unique(person.id, count as u32, |known| all[*known as usize].id);
                count += 1;
            }
        }
        all.truncate(count);
        Self { all, by_id }
    }

    /// Index of the person with an ID_PAC.
    pub fn find(&self, id_pac: &str) -> Option<u32> {
        let id = hash(id_pac);
        self.by_id.find(id, |known| self.all[*known as usize].id == id).copied()
    }

    /// The persons.
    pub fn all(&self) -> &[Person] {
        &self.all
    }
}
