//! Why a backup cannot be made or restored.

use std::fmt;
use std::path::PathBuf;

use crate::registry::fault::Fault;
use crate::texts::{Coded, ErrorClass, Key, Slot, display};

/// Why a backup cannot be made or restored. Nothing is changed then: an earlier backup stays as it was, and no workspace appears.
#[derive(Debug)]
pub enum BackupError {
    /// The backup would lie in the memory of the workspace that it saves.
    Inside(PathBuf),
    /// Something that is no file stands in the place of the backup.
    NotAFile(PathBuf),
    /// Something else than a backup stands in the file.
    Foreign(PathBuf),
    /// The workspace has more files than a backup holds: how many, and how many are allowed.
    TooMany(usize, usize),
    /// The name of a file of the configuration cannot be kept on every system.
    Name(PathBuf),
    /// The journal or the rows of the workspace were changed by another hand.
    Unsound,
    /// The store has a table, a view or a trigger that puomp has not made.
    ForeignPart(String),
    /// SQLite finds its file damaged: its own words.
    StoreBroken(String),
    /// The file is no backup, or is damaged: what the reader of archives says.
    NotABackup(PathBuf, Fault),
    /// The list of contents cannot be read: the message of the JSON reader.
    Manifest(PathBuf, String),
    /// A later version of the program made the backup: its schema, and the one that this program knows.
    Schema(PathBuf, u64, u64),
    /// Contents and list of contents differ in an entry, by its name: it is in one of them alone, or has another size.
    Entry(String),
    /// The bytes of an entry, by its name, are not those that were saved.
    Changed(String),
    /// The journal in the backup is not the one of its list of contents.
    OtherJournal,
    /// The journal and the rows of the backup do not fit each other.
    CopyUnsound,
    /// The folder is a workspace already, or is not empty.
    Occupied(PathBuf),
    /// The backup holds a store of its own, and another store was named.
    OtherStore,
}

impl Coded for BackupError {
    fn key(&self) -> Key {
        match self {
            Self::Inside(_) => Key::BackupInside,
            Self::NotAFile(_) => Key::BackupNotAFile,
            Self::Foreign(_) => Key::BackupForeign,
            Self::TooMany(..) => Key::BackupTooMany,
            Self::Name(_) => Key::BackupName,
            Self::Unsound => Key::BackupUnsound,
            Self::ForeignPart(_) => Key::BackupForeignPart,
            Self::StoreBroken(_) => Key::BackupStoreBroken,
            Self::NotABackup(..) => Key::BackupNotABackup,
            Self::Manifest(..) => Key::BackupManifest,
            Self::Schema(..) => Key::BackupSchema,
            Self::Entry(_) => Key::BackupEntry,
            Self::Changed(_) => Key::BackupChanged,
            Self::OtherJournal => Key::BackupOtherJournal,
            Self::CopyUnsound => Key::BackupCopyUnsound,
            Self::Occupied(_) => Key::RestoreOccupied,
            Self::OtherStore => Key::RestoreOtherStore,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match self {
            Self::Inside(path) | Self::NotAFile(path) | Self::Foreign(path) | Self::Name(path) | Self::Occupied(path) => vec![("path", Slot::Path(path))],
            Self::TooMany(files, limit) => vec![("files", Slot::number(*files)), ("limit", Slot::number(*limit))],
            Self::ForeignPart(part) => vec![("part", Slot::text(part))],
            Self::StoreBroken(reason) => vec![("reason", Slot::text(reason))],
            Self::NotABackup(path, fault) => vec![("path", Slot::Path(path)), ("reason", Slot::Nested(fault))],
            Self::Manifest(path, reason) => vec![("path", Slot::Path(path)), ("reason", Slot::text(reason))],
            Self::Schema(path, found, known) => vec![("path", Slot::Path(path)), ("found", Slot::Number(*found)), ("known", Slot::Number(*known))],
            Self::Entry(name) | Self::Changed(name) => vec![("name", Slot::text(name))],
            Self::Unsound | Self::OtherJournal | Self::CopyUnsound | Self::OtherStore => Vec::new(),
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::Inside(_)
            | Self::NotAFile(_)
            | Self::Foreign(_)
            | Self::TooMany(..)
            | Self::Name(_)
            | Self::Schema(..)
            | Self::Occupied(_)
            | Self::OtherStore => ErrorClass::Usage,
            Self::Unsound => ErrorClass::Findings,
            Self::ForeignPart(_)
            | Self::StoreBroken(_)
            | Self::NotABackup(..)
            | Self::Manifest(..)
            | Self::Entry(_)
            | Self::Changed(_)
            | Self::OtherJournal
            | Self::CopyUnsound => ErrorClass::Input,
        }
    }
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for BackupError {}
