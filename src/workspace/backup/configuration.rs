//! The files of a workspace's configuration: `puomp.toml` in its folder, and the imported rules, books and registers in its memory.
//!
//! Registers of persons stay out: without the secret of the workspace, which is in no backup, nobody is found in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::BackupError;
use super::manifest::Password;
use super::secret;
use crate::registers::{LOCK, is_of_persons};
use crate::registry::archive::is_safe_name;
use crate::sys::TEMPORARY;
use crate::workspace::place::REGISTERS;
use crate::workspace::{Place, Problem};

/// The file in the workspace's folder.
pub(super) const SETTINGS: &str = "puomp.toml";
/// The folders in the workspace's memory: `puomp rules import` and `puomp nsi import` write there.
const FOLDERS: [&str; 3] = ["books", REGISTERS, "rules"];

/// A file of the configuration.
#[derive(Debug)]
pub(super) struct Source {
    /// Its path in a backup: `puomp.toml`, `rules/…`, `books/…`, `registers/…`.
    pub(super) path: String,
    pub(super) bytes: Bytes,
}

/// Where the bytes of a file of the configuration are.
#[derive(Debug)]
pub(super) enum Bytes {
    /// They are the file's own.
    Of(PathBuf),
    /// They are not the file's own, or were read already.
    Here(Vec<u8>),
}

/// Whether a path of a list of contents is one of a configuration.
pub(super) fn is_known(path: &str) -> bool {
    let is_inner = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    is_safe_name(path) && !path.ends_with('/') && (path == SETTINGS || FOLDERS.into_iter().any(is_inner))
}

/// Where a file of the configuration stands below a workspace's folder.
pub(super) fn target(place: &Place, path: &str) -> PathBuf {
    let base = if path == SETTINGS { place.root.clone() } else { place.memory() };
    base.join(path.split('/').collect::<PathBuf>())
}

/// The files of a workspace's configuration, sorted by path. Passwords stay in them only with `with_secret`.
///
/// # Errors
/// A file cannot be read, or has a name that another system does not take.
pub(super) fn collect(place: &Place, with_secret: bool) -> Result<(Vec<Source>, Password), Problem> {
    let (settings, password) = settings(&place.root.join(SETTINGS), with_secret)?;
    let mut all: Vec<Source> = settings.map(|bytes| Source { path: SETTINGS.to_owned(), bytes: Bytes::Here(bytes) }).into_iter().collect();
    for folder in FOLDERS {
        walk(&place.memory().join(folder), folder, &mut all)?;
    }
    let mut of_persons = BTreeSet::new();
    for Source { path, bytes } in &all {
        if let (true, Bytes::Of(file)) = (path.starts_with(REGISTERS), bytes)
            && is_of_persons(file).map_err(|error| Problem::Unread(file.clone(), error))?
        {
            of_persons.insert(path.clone());
        }
    }
    all.retain(|source| !of_persons.contains(&source.path));
    all.sort_by(|a, b| a.path.cmp(&b.path));
    let mut seen = BTreeSet::new();
    for Source { path, .. } in &all {
        if !is_known(path) || !seen.insert(path.to_lowercase()) {
            return Err(BackupError::Name(target(place, path)).into());
        }
    }
    Ok((all, password))
}

/// The bytes of `puomp.toml` that a backup takes; `None` when there is no such file, or it must stay out.
fn settings(file: &Path, with_secret: bool) -> Result<(Option<Vec<u8>>, Password), Problem> {
    let bytes = match fs::read(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((None, Password::None)),
        bytes => bytes.map_err(|error| Problem::Unread(file.to_owned(), error))?,
    };
    let text = std::str::from_utf8(&bytes).ok();
    let clean = text.and_then(secret::cleaned);
    Ok(match clean {
        Some(clean) if text == Some(&*clean) => (Some(bytes), Password::None),
        _ if with_secret => (Some(bytes), Password::Kept),
        Some(clean) => (Some(clean.into_bytes()), Password::LeftOut),
        None => (None, Password::FileLeftOut),
    })
}

/// Adds the files below a folder. A link to a folder is not followed: it may lead anywhere, and in a circle.
fn walk(folder: &Path, path: &str, into: &mut Vec<Source>) -> Result<(), Problem> {
    let unread = |error| Problem::Unread(folder.to_owned(), error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(unread)?,
    };
    for entry in entries {
        let entry = entry.map_err(unread)?;
        let own = entry.path();
        let name = entry.file_name().into_string().map_err(|_| BackupError::Name(own.clone()))?;
        // A file that another program is writing, or the lock of the folder of registers.
        if name.starts_with(TEMPORARY) || path == REGISTERS && name == LOCK {
            continue;
        }
        let inner = format!("{path}/{name}");
        if entry.file_type().map_err(unread)?.is_dir() {
            walk(&own, &inner, into)?;
        } else if fs::metadata(&own).map_err(|error| Problem::Unread(own.clone(), error))?.is_file() {
            into.push(Source { path: inner, bytes: Bytes::Of(own) });
        }
    }
    Ok(())
}
