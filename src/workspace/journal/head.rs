//! The head of a journal: a small proof of the journal's content that can be signed and kept elsewhere.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Chain, Digest, Entry, OLD_SCHEMA, SCHEMA};
use crate::texts::{Coded, Key, Slot, display};

/// Number and hash of the last entry of a chain, which prove the chain up to that entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainHead {
    /// The chain.
    pub chain: Chain,
    /// Number of the entry, from 1.
    pub seq: u64,
    /// Hash of the entry.
    pub hash: Digest,
}

/// The heads of all chains that have entries, which prove the whole journal up to a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalHead {
    /// When the head was taken, RFC 3339 in universal time.
    pub at: String,
    /// The heads, in the order of their chains, each chain once; none for an empty journal.
    pub heads: Vec<ChainHead>,
}

/// Why an exported head is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadError {
    /// The file is not the head of a journal.
    NotAHead {
        /// Name of the file.
        file: String,
        /// The message of the JSON reader.
        reason: String,
    },
    /// Another version of the program wrote the head.
    Schema {
        /// Name of the file.
        file: String,
        /// The version that the file names.
        found: u8,
    },
}

impl Coded for HeadError {
    fn key(&self) -> Key {
        match self {
            Self::NotAHead { .. } => Key::JournalHeadBroken,
            Self::Schema { .. } => Key::JournalHeadSchema,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match self {
            Self::NotAHead { file, reason } => vec![("file", Slot::text(file)), ("reason", Slot::text(reason))],
            Self::Schema { file, found } => {
                vec![("file", Slot::text(file)), ("found", Slot::Number((*found).into())), ("known", Slot::Number(SCHEMA.into()))]
            }
        }
    }
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for HeadError {}

/// The exported form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exported {
    schema: u8,
    at: String,
    heads: Vec<ExportedChain>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExportedChain {
    chain: String,
    mo: String,
    seq: u64,
    hash: Digest,
}

/// The exported form of schema 1, when the journal was one chain: 0 and zeros for an empty journal.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExportedOnce {
    #[serde(rename = "schema")]
    _schema: u8,
    seq: u64,
    hash: Digest,
    at: String,
}

impl JournalHead {
    /// The head of a journal with these heads of chains, in any order.
    #[must_use]
    pub fn new(mut heads: Vec<ChainHead>, at: &str) -> Self {
        heads.sort_by(|a, b| a.chain.cmp(&b.chain));
        Self { at: at.to_owned(), heads }
    }

    /// The head of a journal with these entries, of which the one with the highest number is the head of its chain.
    #[must_use]
    pub fn of<'e>(entries: impl IntoIterator<Item = &'e Entry>, at: &str) -> Self {
        let mut last: BTreeMap<&Chain, (u64, Digest)> = BTreeMap::new();
        for entry in entries {
            let head = last.entry(&entry.chain).or_insert((entry.seq, entry.hash));
            if head.0 < entry.seq {
                *head = (entry.seq, entry.hash);
            }
        }
        Self::new(last.into_iter().map(|(chain, (seq, hash))| ChainHead { chain: chain.clone(), seq, hash }).collect(), at)
    }

    /// The bytes to be signed: one line of JSON, the same for the same head.
    pub fn export(&self) -> String {
        let of = |head: &ChainHead| ExportedChain { chain: head.chain.word().to_owned(), mo: head.chain.mo().to_owned(), seq: head.seq, hash: head.hash };
        let exported = Exported { schema: SCHEMA, at: self.at.clone(), heads: self.heads.iter().map(of).collect() };
        // Texts, numbers and hashes can always be written as JSON.
        serde_json::to_string(&exported).unwrap_or_default() + "\n"
    }

    /// Reads an exported head, also one of schema 1, which is the head of the old chain; `file` is its name, for errors.
    ///
    /// # Errors
    /// The bytes are not a head, or of an unknown version.
    pub fn import(file: &str, json: &[u8]) -> Result<Self, HeadError> {
        #[derive(Deserialize)]
        struct Version {
            schema: u8,
        }
        let not = |reason: String| HeadError::NotAHead { file: file.to_owned(), reason };
        let broken = |e: serde_json::Error| not(e.to_string());
        // Read the version first: another version may have other fields.
        let Version { schema: found } = serde_json::from_slice(json).map_err(broken)?;
        let head = match found {
            OLD_SCHEMA => {
                let ExportedOnce { seq, hash, at, .. } = serde_json::from_slice(json).map_err(broken)?;
                let is_empty = seq == 0 && hash == Digest::NONE;
                Self { at, heads: if is_empty { Vec::new() } else { vec![ChainHead { chain: Chain::Old, seq, hash }] } }
            }
            SCHEMA => {
                let Exported { at, heads, .. } = serde_json::from_slice(json).map_err(broken)?;
                let of = |head: ExportedChain| Some(ChainHead { chain: Chain::of(&head.chain, &head.mo)?, seq: head.seq, hash: head.hash });
                let heads: Option<Vec<ChainHead>> = heads.into_iter().map(of).collect();
                Self { at, heads: heads.ok_or_else(|| not("no such chain".to_owned()))? }
            }
            found => return Err(HeadError::Schema { file: file.to_owned(), found }),
        };
        if head.heads.iter().any(|head| (head.seq == 0) || (head.hash == Digest::NONE)) {
            return Err(not("seq and hash do not fit each other".to_owned()));
        }
        if !head.heads.is_sorted_by(|a, b| a.chain < b.chain) {
            return Err(not("the chains are not in order".to_owned()));
        }
        Ok(head)
    }
}
