//! The source of the bytes of a registry file: a file on disk or an entry of an archive.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::archive::{Archive, Limits};

/// A source from which a file can be read repeatedly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A file on disk.
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
    /// Opens the file at its beginning. The stream of an archive entry enforces the default [`Limits`] and fails with a
    /// [`crate::registry::fault::Fault`] inside the error. The streams are not buffered beyond the needs of unpacking, so read large pieces.
    ///
    /// # Errors
    /// The file or archive cannot be opened, or the archive has changed since it was inspected.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        self.open_within(&Limits::default())
    }

    /// Like [`Source::open`], with other limits for archives.
    ///
    /// # Errors
    /// See [`Source::open`].
    pub fn open_within(&self, limits: &Limits) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::File(path) => Ok(Box::new(File::open(path)?)),
            Self::Entry { archive, index, .. } => Ok(Box::new(Archive::open(archive, limits)?.into_entry(*index)?)),
        }
    }

    /// Name of the file with its extension, without folders.
    pub fn file_name(&self) -> String {
        match self {
            Self::File(path) => path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned()),
            Self::Entry { name, .. } => name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned(),
        }
    }

    /// Name of the file without its extension.
    pub fn stem(&self) -> String {
        let name = self.file_name();
        Path::new(&name).file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned())
    }

    /// The file on disk that holds the bytes: the file itself or the archive.
    pub fn container(&self) -> &Path {
        match self {
            Self::File(path) | Self::Entry { archive: path, .. } => path,
        }
    }
}
