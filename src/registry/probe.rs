//! A first look at a file: what it is, in which encoding, and what its head says.

use std::collections::BTreeMap;

use super::encoding::Encoding;
use super::fault::Fault;
use super::format::{Formats, Role};
use super::month::Month;
use super::source::Source;
use crate::finding::Check;

/// What a file is by its root element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A main file.
    Main,
    /// A person file.
    Persons,
    /// A protocol or another answer of the exchange: no registry, but no surprise in a folder of registries either.
    Protocol,
    /// Some other XML.
    Other,
}

/// What the first 64 KiB of a file say. Nothing in it is checked: the values are those that stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Name of the root element.
    pub root: String,
    /// What the root makes of the file.
    pub kind: Kind,
    /// The encoding to read it in: the real one as far as the beginning shows it.
    pub encoding: Encoding,
    /// The label of the XML declaration, as it stands there.
    pub encoding_declared: Option<String>,
    /// The declared encoding (UTF-8 when nothing is declared, as XML has it) is not the real one.
    pub encoding_differs: bool,
    /// The file begins with the three bytes of a UTF-8 byte-order mark.
    pub bom: bool,
    /// Values by role, of the elements before the first record; trimmed, the five entities of XML resolved.
    pub values: BTreeMap<Role, String>,
}

impl Head {
    /// The value of a role, if the head has it and it is not empty.
    pub fn value(&self, role: Role) -> Option<&str> {
        self.values.get(&role).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// The reporting month by year and month; none when either is absent or unreadable (person files have none).
    pub fn period(&self) -> Option<Month> {
        Month::new(self.value(Role::Year)?.parse().ok()?, self.value(Role::Month)?.parse().ok()?)
    }
}

/// Looks at the beginning of a file.
///
/// # Errors
/// Nothing in it, not XML, an encoding that the exchange does not know, or whatever its archive's guard says.
pub fn probe(source: &Source, formats: &Formats) -> Result<Head, Fault> {
    let _ = (source, formats);
    Err(Fault::new(Check::NotXml))
}
