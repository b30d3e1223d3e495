//! The journal: chains of entries, each of which carries the hash of the entry before it.
//!
//! Every clinic has a chain of its own ([`Chain::Clinic`]). The hash of an entry covers its chain, its number, all of its fields and the hash of
//! its predecessor, so an entry in the middle cannot be altered, removed, moved or inserted without a trace, nor passed off as one of another
//! clinic. Entries at the end can be removed; two things show that:
//!
//! - daily entries ([`Chain::Days`], [`day_details`]) hold the heads of the chains of all clinics, and prove each of them up to that day;
//! - a [`JournalHead`] that was exported and signed elsewhere proves all chains up to its moment.
//!
//! A store of version 1 had one chain for everything. A migrated store keeps it as it was ([`Chain::Old`]): its last entry says that it was
//! migrated ([`MIGRATE`]), and the other chains begin with the hash of that entry.
//!
//! This module knows no store; it handles entries one by one, so a long journal needs little memory. Entries hold no personal data: a case is named
//! by its numbers in the registry.

mod chains;
mod days;
mod dues;
mod fault;
mod head;
mod lines;
mod runs;
#[cfg(test)]
mod tests;
mod verify;
mod words;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

pub use chains::{ChainVerdict, JournalVerdict, JournalVerifier, Line, MIGRATE, verify, verify_against};
pub use days::{DAY, day_details, day_heads};
pub use fault::{Fault, Verdict};
pub use head::{ChainHead, HeadError, JournalHead};
pub use lines::{Lines, MAX_LINE, read_jsonl, verify_jsonl, write_jsonl};

/// Version of the hashed encoding and of the exported forms.
pub const SCHEMA: u8 = 2;
/// The version in which entries of [`Chain::Old`] are hashed and exported.
pub const OLD_SCHEMA: u8 = 1;

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The predecessor's hash in the first entry: zeros.
    pub const NONE: Self = Self([0; 32]);

    /// The 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotADigest;

impl fmt::Display for NotADigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("64 digits 0-9 a-f are due")
    }
}

impl std::error::Error for NotADigest {}

impl FromStr for Digest {
    type Err = NotADigest;

    /// Reads the text that [`fmt::Display`] writes, and no other form.
    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let text: &[u8; 64] = text.as_bytes().try_into().map_err(|_| NotADigest)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            for digit in pair {
                let value = match digit {
                    b'0'..=b'9' => digit - b'0',
                    b'a'..=b'f' => digit - b'a' + 10,
                    _ => return Err(NotADigest),
                };
                *byte = *byte << 4 | value;
            }
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The chain that an entry belongs to. The order is that of the export.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Chain {
    /// The only chain of a store of version 1, kept as it was.
    Old,
    /// Daily entries over the heads of the chains of all clinics.
    Days,
    /// The chain of a clinic, by its code. The code is the CODE_MO of its files and may be any text, also an empty one.
    Clinic(String),
}

impl Chain {
    /// The chain with this word and code in an exported form; `None` if there is none.
    pub fn of(word: &str, mo: &str) -> Option<Self> {
        match word {
            "old" if mo.is_empty() => Some(Self::Old),
            "days" if mo.is_empty() => Some(Self::Days),
            "clinic" => Some(Self::Clinic(mo.to_owned())),
            _ => None,
        }
    }

    /// The word for this kind of chain in exported forms.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::Days => "days",
            Self::Clinic(_) => "clinic",
        }
    }

    /// The code of the clinic; empty for a chain that is no clinic's.
    pub fn mo(&self) -> &str {
        match self {
            Self::Old | Self::Days => "",
            Self::Clinic(mo) => mo,
        }
    }
}

/// The content of an entry before it has its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// The moment in UTC, RFC 3339: `2026-11-25T09:00:00Z`.
    pub at: String,
    /// Name of the user's account.
    pub user: String,
    /// Name of the computer.
    pub host: String,
    /// Id of the role in which the user acted.
    pub role: String,
    /// What was done: the id of a transition, or the verb of the command.
    pub action: String,
    /// Number of the registry; empty when the entry is about no registry.
    pub registry: String,
    /// The object of the action, when that is not the registry itself: a package, a case, a book.
    pub subject: String,
    /// Id of the status before; empty for none.
    pub before: String,
    /// Id of the status after; empty for none.
    pub after: String,
    /// Further facts, as the text of [`canonical`] JSON.
    pub details: String,
}

impl Draft {
    /// All fields, in the order in which they are hashed and exported.
    fn fields(&self) -> [&str; 10] {
        let Self { at, user, host, role, action, registry, subject, before, after, details } = self;
        [at, user, host, role, action, registry, subject, before, after, details]
    }
}

/// An entry of a chain. A store returns its fields unchanged; [`JournalVerifier`] finds out whether they still fit each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The chain of the entry.
    pub chain: Chain,
    /// Number of the entry in its chain, from 1, without gaps.
    pub seq: u64,
    /// The content of the entry.
    pub draft: Draft,
    /// The hash of the entry before it in its chain. The first entry of the old chain has [`Digest::NONE`]; the first entry of another chain has
    /// the hash of the old chain's last entry, or [`Digest::NONE`] where there is no old chain.
    pub prev: Digest,
    /// Hash of this entry.
    pub hash: Digest,
}

impl Entry {
    /// Makes the entry of `chain` that follows the entry with this number and hash. `origin` is the predecessor's hash of a first entry: the hash of
    /// the old chain's last entry in a migrated store, else [`Digest::NONE`].
    #[must_use]
    pub fn seal(chain: Chain, previous: Option<(u64, Digest)>, origin: Digest, draft: Draft) -> Self {
        let (seq, prev) = previous.map_or((1, origin), |(seq, hash)| (seq.saturating_add(1), hash));
        let mut entry = Self { chain, seq, draft, prev, hash: Digest::NONE };
        entry.hash = entry.due_hash();
        entry
    }

    /// The hash that the entry must have.
    ///
    /// SHA-256 over: one byte, the version, which is 2; one byte, the kind of chain (1 of days, 2 of a clinic); the clinic's code, empty for the
    /// chain of days, as 8 bytes of length and the UTF-8 bytes; 8 bytes, the number; 32 bytes, the predecessor's hash; then each field of the draft
    /// as 8 bytes of length and the UTF-8 bytes. Numbers are big-endian. In the old chain the version is 1, and kind and code are left out.
    /// Different contents never have the same encoding, because every part has a fixed length or follows its length.
    pub fn due_hash(&self) -> Digest {
        self.due_hash_in(&self.chain)
    }

    /// The hash that the entry would have to have in another chain.
    fn due_hash_in(&self, chain: &Chain) -> Digest {
        let mut hasher = Sha256::new();
        let text = |hasher: &mut Sha256, text: &str| {
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        };
        match chain {
            Chain::Old => hasher.update([OLD_SCHEMA]),
            Chain::Days => {
                hasher.update([SCHEMA, 1]);
                text(&mut hasher, "");
            }
            Chain::Clinic(mo) => {
                hasher.update([SCHEMA, 2]);
                text(&mut hasher, mo);
            }
        }
        hasher.update(self.seq.to_be_bytes());
        hasher.update(self.prev.0);
        for field in self.draft.fields() {
            text(&mut hasher, field);
        }
        Digest(hasher.finalize().into())
    }

    /// Whether the hash of the entry fits its content.
    pub fn is_intact(&self) -> bool {
        self.hash == self.due_hash()
    }
}

/// JSON as the same text in whatever order it was built: sorted keys, no white space.
pub fn canonical(value: &serde_json::Value) -> String {
    use serde_json::Value;
    let key = |text: &str| Value::from(text).to_string();
    match value {
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_by_key(|(name, _)| name.as_str());
            let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("{}:{}", key(name), canonical(value))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        plain => plain.to_string(),
    }
}
