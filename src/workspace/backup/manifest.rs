//! The list of contents of a backup, its entry `manifest.json`: what is in it, and by which digests and heads it is verified.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::BackupError;
use crate::workspace::journal::JournalHead;

/// Version of the list.
pub(super) const SCHEMA: u64 = 1;
/// Entry with the list.
pub(super) const MANIFEST: &str = "manifest.json";
/// Entry with the SQLite file.
pub(super) const STORE: &str = "store.sqlite";

/// The list of contents of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// [`SCHEMA`].
    pub(super) schema: u64,
    /// Version of the program that made the backup.
    pub(super) program: String,
    /// The moment of the run, RFC 3339 in universal time.
    pub(super) at: String,
    /// Version of the store.
    pub(super) version: i64,
    /// The SQLite file; `None` when the store is a PostgreSQL database, which is saved by its own means.
    pub(super) store: Option<Content>,
    /// What was done about passwords in the configuration.
    pub(super) password: Password,
    /// The head of the journal in its exported form.
    pub(super) journal: serde_json::Value,
    /// The kept files, sorted by digest.
    pub(super) objects: Vec<Object>,
    /// The files of the configuration, sorted by path.
    pub(super) configuration: Vec<ConfigurationFile>,
}

/// Digest and size of the bytes of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Content {
    /// SHA-256, lower-case hex.
    pub(super) sha256: String,
    /// Size in bytes.
    pub(super) size: u64,
}

/// A kept file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Object {
    /// SHA-256, lower-case hex, by which the entry is named.
    pub(super) sha256: String,
    /// Size in bytes.
    pub(super) size: u64,
    /// The names under which rows know it, sorted; at least one.
    pub(super) names: Vec<String>,
}

/// A file of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigurationFile {
    /// Path: `puomp.toml` of the workspace's folder, or `rules/…`, `books/…` of its memory.
    pub(super) path: String,
    /// SHA-256, lower-case hex.
    pub(super) sha256: String,
    /// Size in bytes.
    pub(super) size: u64,
}

/// What was done about passwords in the configuration of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Password {
    /// There is none.
    None,
    /// It is in the backup, as was asked for.
    Kept,
    /// It was cut out of `puomp.toml`.
    LeftOut,
    /// `puomp.toml` was left out as a whole, because it cannot be told where in it passwords stand.
    FileLeftOut,
}

/// Entry of a kept file: `objects/ab/` and the 64 digits of its digest.
pub(super) fn object_entry(sha256: &str) -> String {
    format!("objects/{}/{sha256}", sha256.get(..2).unwrap_or_default())
}

/// Entry of a file of the configuration.
pub(super) fn configuration_entry(path: &str) -> String {
    format!("configuration/{path}")
}

impl Manifest {
    /// The JSON of the list.
    pub(super) fn export(&self) -> Vec<u8> {
        // Texts and numbers can always be written as JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a list; `file` is the backup, for errors.
    ///
    /// # Errors
    /// The bytes are no such list, or one of an unknown version.
    pub(super) fn import(file: &Path, json: &[u8]) -> Result<Self, BackupError> {
        #[derive(Deserialize)]
        struct Version {
            schema: u64,
        }
        let broken = |e: serde_json::Error| BackupError::Manifest(file.to_owned(), e.to_string());
        // Read the version first: another version may have other fields.
        let Version { schema } = serde_json::from_slice(json).map_err(broken)?;
        if schema != SCHEMA {
            return Err(BackupError::Schema(file.to_owned(), schema, SCHEMA));
        }
        serde_json::from_slice(json).map_err(broken)
    }

    /// The head of the journal.
    ///
    /// # Errors
    /// It is no exported head.
    pub(super) fn head(&self, file: &Path) -> Result<JournalHead, BackupError> {
        let broken = |reason: String| BackupError::Manifest(file.to_owned(), reason);
        let json = serde_json::to_vec(&self.journal).map_err(|e| broken(e.to_string()))?;
        JournalHead::import("manifest.json", &json).map_err(|e| broken(e.to_string()))
    }

    /// Every entry but the list itself: name and content.
    pub(super) fn entries(&self) -> impl Iterator<Item = (String, Content)> {
        let content = |sha256: &str, size: u64| Content { sha256: sha256.to_owned(), size };
        let store = self.store.iter().map(|store| (STORE.to_owned(), store.clone()));
        let objects = self.objects.iter().map(move |object| (object_entry(&object.sha256), content(&object.sha256, object.size)));
        let configuration = self.configuration.iter().map(move |file| (configuration_entry(&file.path), content(&file.sha256, file.size)));
        store.chain(objects).chain(configuration)
    }
}
