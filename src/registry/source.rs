//! Where the bytes of a registry file come from: a file of its own or an entry of an archive.

use std::io::{self, Read};
use std::path::PathBuf;

/// A place from which a file can be read, as often as needed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// An entry of an archive, by its index in the central directory.
    Entry {
        /// The archive.
        archive: PathBuf,
        /// Index of the entry.
        index: usize,
        /// Name of the entry.
        name: String,
    },
}

impl Source {
    /// Opens the file from its beginning. The stream of an archive entry is guarded: it fails with a [`crate::registry::fault::Fault`] inside.
    ///
    /// # Errors
    /// The file or archive cannot be opened.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::File(path) => Ok(Box::new(std::fs::File::open(path)?)),
            Self::Entry { .. } => Err(io::Error::from(io::ErrorKind::Unsupported)),
        }
    }

    /// Name of the file with its extension, without folders.
    pub fn file_name(&self) -> String {
        match self {
            Self::File(path) => path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned()),
            Self::Entry { name, .. } => name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned(),
        }
    }
}
