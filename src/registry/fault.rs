//! Why a file cannot be read further: one fault ends that file, never the batch.

use std::fmt;

use crate::finding::Check;
use crate::texts::{Coded, ErrorClass, Key, Slot, display};

/// A fault of a container, an encoding or the markup.
///
/// It becomes one finding about the file. Free of personal data: `value` holds names of files or archive entries only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Kind of the finding.
    pub check: Check,
    /// Byte offset in the (unpacked) file, if the place is known.
    pub offset: Option<u64>,
    /// Name of a file or an entry.
    pub value: Option<String>,
    /// What would be right, free of language.
    pub expected: Option<String>,
    /// What stands there, free of language and personal data.
    pub found: Option<String>,
}

impl Fault {
    /// A fault of a kind, without details.
    pub fn new(check: Check) -> Self {
        Self { check, offset: None, value: None, expected: None, found: None }
    }

    /// What the operating system says when it does not give a file.
    pub fn refused(kind: std::io::ErrorKind) -> Self {
        match kind {
            std::io::ErrorKind::NotFound => Self::new(Check::NotFound),
            std::io::ErrorKind::PermissionDenied => Self::new(Check::NoAccess),
            _ => Self::new(Check::Unreadable).found(kind),
        }
    }

    /// At a byte offset of the unpacked file.
    #[must_use]
    pub fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// About a file or an entry of this name.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// With what would be right.
    #[must_use]
    pub fn expected(mut self, expected: impl ToString) -> Self {
        self.expected = Some(expected.to_string());
        self
    }

    /// With what stands there.
    #[must_use]
    pub fn found(mut self, found: impl ToString) -> Self {
        self.found = Some(found.to_string());
        self
    }

    /// The check's word and the values behind it, for fields of machine formats: `zip-damaged H.xml`.
    pub fn details(&self) -> String {
        let parts = [&self.value, &self.expected, &self.found].into_iter().flatten();
        parts.fold(self.check.as_str().to_owned(), |line, part| line + " " + part)
    }
}

impl Coded for Fault {
    /// The text of the structural check.
    fn key(&self) -> Key {
        Key::of_check(self.check.as_str()).expect("a test looks whether every check has a text")
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        let slots = [("value", &self.value), ("expected", &self.expected), ("found", &self.found)];
        slots.map(|(name, text)| (name, Slot::text(text.as_deref().unwrap_or_default()))).into()
    }

    fn class(&self) -> ErrorClass {
        ErrorClass::Input
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for Fault {}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        // Guards of readers travel inside io::Error: a stream can only fail that way.
        let kind = error.kind();
        match error.into_inner().map(|inner| inner.downcast::<Self>()) {
            Some(Ok(fault)) => *fault,
            Some(Err(other)) => Self::new(Check::Unreadable).found(other),
            None => Self::refused(kind),
        }
    }
}

impl From<Fault> for std::io::Error {
    fn from(fault: Fault) -> Self {
        Self::other(fault)
    }
}
