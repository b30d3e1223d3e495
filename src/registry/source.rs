//! Where the bytes of a registry file come from: a file of its own or an entry of an archive.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::archive::{Archive, Limits};

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
    /// Opens the file from its beginning. The stream of an archive entry is guarded by the default [`Limits`]: it fails with a
    /// [`crate::registry::fault::Fault`] inside. Neither stream is buffered beyond what inflating needs: read large pieces.
    ///
    /// # Errors
    /// The file or archive cannot be opened, or the archive is not what it was when it was looked through.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        self.open_within(&Limits::default())
    }

    /// The same as [`Source::open`] with other limits for archives.
    ///
    /// # Errors
    /// As there.
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
