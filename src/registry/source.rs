//! The source of the bytes of a registry file: a file on disk or an entry of an archive.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::archive::{Archive, Limits};
use crate::sys::open_input;

/// A file on disk and the name that it bears. A kept file lies under its digest and bears the name with which it was given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiskFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its name with the extension, if it lies under another one.
    pub alias: Option<String>,
}

impl DiskFile {
    /// A file that bears the name under which it lies.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), alias: None }
    }

    /// A file that bears another name than that under which it lies.
    pub fn kept(path: impl Into<PathBuf>, name: impl Into<String>) -> Self {
        Self { path: path.into(), alias: Some(name.into()) }
    }

    /// Name with the extension, without folders.
    pub fn name(&self) -> String {
        let own = || self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        self.alias.clone().unwrap_or_else(own)
    }

    /// Name without the extension.
    pub fn stem(&self) -> String {
        stem(&self.name())
    }

    /// What is shown to users: the path, or the name if the file lies under another one.
    pub fn shown(&self) -> String {
        self.alias.clone().unwrap_or_else(|| self.path.display().to_string())
    }
}

/// A source from which a file can be read repeatedly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A file on disk.
    File(DiskFile),
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
            Self::File(file) => Ok(Box::new(open_input(&file.path)?)),
            Self::Entry { archive, index, .. } => Ok(Box::new(Archive::open(archive, limits)?.into_entry(*index)?)),
        }
    }

    /// Name of the file with its extension, without folders.
    pub fn file_name(&self) -> String {
        match self {
            Self::File(file) => file.name(),
            Self::Entry { name, .. } => name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned(),
        }
    }

    /// Name of the file without its extension.
    pub fn stem(&self) -> String {
        stem(&self.file_name())
    }

    /// The file on disk that holds the bytes: the file itself or the archive.
    pub fn container(&self) -> &Path {
        match self {
            Self::File(file) => &file.path,
            Self::Entry { archive, .. } => archive,
        }
    }
}

fn stem(name: &str) -> String {
    Path::new(name).file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}
