//! The head of a journal, small enough to be signed and kept elsewhere.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Digest, Entry, SCHEMA};
use crate::texts::{Coded, Key, Slot, display};

/// What proves the whole journal up to an entry: that entry's number and hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalHead {
    /// Version of this form.
    pub schema: u8,
    /// Number of the last entry; 0 for an empty journal.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
    /// When the head was taken, RFC 3339 in universal time.
    pub at: String,
}

/// What is wrong with an exported head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadError {
    /// It is no head of a journal.
    NotAHead {
        /// The file.
        file: String,
        /// What the reader says.
        reason: String,
    },
    /// Another version of the program wrote it.
    Schema {
        /// The file.
        file: String,
        /// The version that it names.
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
    /// The head of a journal that ends with this entry; with none, of an empty one.
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
    /// It is not one, or of a version that is not known.
    pub fn import(file: &str, json: &[u8]) -> Result<Self, HeadError> {
        #[derive(Deserialize)]
        struct Version {
            schema: u8,
        }
        let not = |e: serde_json::Error| HeadError::NotAHead { file: file.to_owned(), reason: e.to_string() };
        // The version first: of another one the fields may differ.
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
