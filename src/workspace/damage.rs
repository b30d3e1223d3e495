//! The error about a kept file that is not what was kept.

use std::fmt;
use std::io;

use crate::texts::{Coded, ErrorClass, Key, Slot, display};

/// A kept file that cannot be used.
#[derive(Debug)]
pub struct Damaged {
    /// Name of the file.
    pub name: String,
    /// What is wrong with it.
    pub damage: Damage,
}

/// Why a kept file cannot be used.
#[derive(Debug)]
pub enum Damage {
    /// The file is gone.
    Missing,
    /// A folder, a pipe or a device stands in its place.
    NotAFile,
    /// Its bytes are not those that were kept.
    Changed,
    /// The system cannot read it.
    Unread(io::Error),
}

impl From<io::Error> for Damage {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Unread(error),
        }
    }
}

impl Coded for Damaged {
    fn key(&self) -> Key {
        match self.damage {
            Damage::Missing => Key::KeptMissing,
            Damage::NotAFile => Key::KeptNotAFile,
            Damage::Changed => Key::KeptChanged,
            Damage::Unread(_) => Key::KeptUnread,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        let mut slots = vec![("file", Slot::text(&self.name))];
        if let Damage::Unread(error) = &self.damage {
            slots.push(("reason", Slot::io(error)));
        }
        slots
    }

    fn class(&self) -> ErrorClass {
        ErrorClass::Input
    }
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for Damaged {}
