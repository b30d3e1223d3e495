//! The journal: a chain of entries, each of which carries the hash of the entry before it.
//!
//! The hash of an entry covers its number, all of its fields and the hash of its predecessor, so an entry in the middle cannot be altered,
//! removed, moved or inserted without a trace. Only entries at the end can be removed unnoticed; a [`JournalHead`] that was exported and
//! signed elsewhere shows that too. This module knows no store; it handles entries one by one, so a long journal needs little memory.
//!
//! Entries hold no personal data: a case is named by its numbers in the registry.

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

pub use fault::{Fault, Verdict};
pub use head::{HeadError, JournalHead};
pub use lines::{Lines, MAX_LINE, read_jsonl, verify_jsonl, write_jsonl};
pub use verify::{Line, Verifier, verify, verify_against};

/// Version of the hashed encoding and of the exported forms.
pub const SCHEMA: u8 = 1;

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

/// An entry of the chain. A store returns its fields unchanged; [`Verifier`] finds out whether they still fit each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Number of the entry, from 1, without gaps.
    pub seq: u64,
    /// The content of the entry.
    pub draft: Draft,
    /// The hash of the entry before it; [`Digest::NONE`] for the first.
    pub prev: Digest,
    /// Hash of this entry.
    pub hash: Digest,
}

impl Entry {
    /// Makes an entry that follows `previous`; with `None` the first entry of a journal.
    #[must_use]
    pub fn seal(previous: Option<&Self>, draft: Draft) -> Self {
        Self::seal_after(previous.map(|p| (p.seq, p.hash)), draft)
    }

    /// Does the same as [`Entry::seal`] with only the number and the hash of the last entry.
    #[must_use]
    pub fn seal_after(previous: Option<(u64, Digest)>, draft: Draft) -> Self {
        let (seq, prev) = previous.map_or((1, Digest::NONE), |(seq, hash)| (seq.saturating_add(1), hash));
        let mut entry = Self { seq, draft, prev, hash: Digest::NONE };
        entry.hash = entry.due_hash();
        entry
    }

    /// The hash that the entry must have.
    ///
    /// SHA-256 over: one byte, the version; 8 bytes, the number; 32 bytes, the predecessor's hash; then each field of the draft as 8 bytes of
    /// length and the UTF-8 bytes. Numbers are big-endian. Different contents never have the same encoding, because every part has a fixed
    /// length or follows its length.
    pub fn due_hash(&self) -> Digest {
        let mut hasher = Sha256::new();
        hasher.update([SCHEMA]);
        hasher.update(self.seq.to_be_bytes());
        hasher.update(self.prev.0);
        for field in self.draft.fields() {
            hasher.update((field.len() as u64).to_be_bytes());
            hasher.update(field.as_bytes());
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
