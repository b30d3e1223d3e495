//! Why a file cannot be read further. A fault ends the reading of one file, never of the whole batch.

use std::fmt;

use crate::finding::Check;
use crate::texts::{Coded, ErrorClass, Key, Slot, display};

/// A fault of a container, an encoding or the markup.
///
/// It becomes one finding about the file. It holds no personal data: `value` only holds names of files or archive entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Kind of the finding.
    pub check: Check,
    /// Byte offset in the (unpacked) file; `None` when unknown.
    pub offset: Option<u64>,
    /// Name of a file or an entry.
    pub value: Option<String>,
    /// What was expected, in a form without language.
    pub expected: Option<String>,
    /// What was found instead, in a form without language and without personal data.
    pub found: Option<String>,
}

impl Fault {
    /// A fault of this kind without details.
    pub fn new(check: Check) -> Self {
        Self { check, offset: None, value: None, expected: None, found: None }
    }

    /// The fault of a file that the operating system does not open.
    pub fn refused(kind: std::io::ErrorKind) -> Self {
        match kind {
            std::io::ErrorKind::NotFound => Self::new(Check::NotFound),
            std::io::ErrorKind::PermissionDenied => Self::new(Check::NoAccess),
            std::io::ErrorKind::NotSeekable => Self::new(Check::NotRegular),
            _ => Self::new(Check::Unreadable).found(kind),
        }
    }

    /// Sets the byte offset in the unpacked file.
    #[must_use]
    pub fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// Sets the name of the file or entry.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// Sets what was expected.
    #[must_use]
    pub fn expected(mut self, expected: impl ToString) -> Self {
        self.expected = Some(expected.to_string());
        self
    }

    /// Sets what was found.
    #[must_use]
    pub fn found(mut self, found: impl ToString) -> Self {
        self.found = Some(found.to_string());
        self
    }

    /// The word of the check and the values after it, for machine formats: `zip-damaged H.xml`.
    pub fn details(&self) -> String {
        let parts = [&self.value, &self.expected, &self.found].into_iter().flatten();
        parts.fold(self.check.as_str().to_owned(), |line, part| line + " " + part)
    }
}

impl Coded for Fault {
    /// The key of the structural check's text.
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
        // Faults of guarded readers travel inside io::Error, the only error that a stream can return.
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
