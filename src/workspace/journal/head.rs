//! The head of a journal: a small proof of the journal's content that can be signed and kept elsewhere.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Digest, Entry, SCHEMA};
use crate::texts::{Coded, Key, Slot, display};

/// Number and hash of an entry, which prove the whole journal up to that entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalHead {
    /// Version of the exported form.
    pub schema: u8,
    /// Number of the last entry; 0 for an empty journal.
    pub seq: u64,
    /// Hash of the last entry; zeros for an empty journal.
    pub hash: Digest,
    /// When the head was taken, RFC 3339 in universal time.
    pub at: String,
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

impl JournalHead {
    /// The head of a journal that ends with `last`; `None` means an empty journal.
    #[must_use]
    pub fn of(last: Option<&Entry>, at: &str) -> Self {
        let (seq, hash) = last.map_or((0, Digest::NONE), |e| (e.seq, e.hash));
        Self { schema: SCHEMA, seq, hash, at: at.to_owned() }
    }

    /// The bytes to be signed: one line of JSON, the same for the same head.
    pub fn export(&self) -> String {
        let text = |t: &str| serde_json::Value::from(t).to_string();
        format!("{{\"schema\":{},\"seq\":{},\"hash\":\"{}\",\"at\":{}}}\n", self.schema, self.seq, self.hash, text(&self.at))
    }

    /// Reads an exported head; `file` is its name, for errors.
    ///
    /// # Errors
    /// The bytes are not a head, or of an unknown version.
    pub fn import(file: &str, json: &[u8]) -> Result<Self, HeadError> {
        #[derive(Deserialize)]
        struct Version {
            schema: u8,
        }
        let not = |e: serde_json::Error| HeadError::NotAHead { file: file.to_owned(), reason: e.to_string() };
        // Read the version first: another version may have other fields.
        let Version { schema: found } = serde_json::from_slice(json).map_err(not)?;
        if found != SCHEMA {
            return Err(HeadError::Schema { file: file.to_owned(), found });
        }
        let head: Self = serde_json::from_slice(json).map_err(not)?;
        if (head.seq == 0) != (head.hash == Digest::NONE) {
            return Err(HeadError::NotAHead { file: file.to_owned(), reason: "seq and hash do not fit each other".to_owned() });
        }
        Ok(head)
    }
}
