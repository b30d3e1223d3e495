//! Writes an overlay to the disk, or takes the last import back: all of it, or nothing.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::history::{self, Record};
use super::outcome::Plan;
use crate::rules::{RULE_TABLES, load};
use crate::sys::{Access, private_file, write_atomic};
use crate::tables::RuleFiles;

/// Why an import cannot be taken back.
#[derive(Debug)]
pub enum Kept {
    /// This table has been changed since.
    Edited(String),
    /// A file or folder cannot be read or written.
    Io(io::Error),
}

impl From<io::Error> for Kept {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The right to change an overlay folder, held until dropped. The system takes it from a process that dies.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "what counts is that it is open and locked")] File);

/// Waits until no other program changes an overlay folder. A program that waited has to read the folder anew.
///
/// # Errors
/// The file of the lock, beside the folder, cannot be made.
pub fn turn(folder: &Path) -> io::Result<Turn> {
    if let Some(parent) = folder.parent().filter(|p| !p.as_os_str().is_empty()) {
        fs::create_dir_all(parent)?;
    }
    let file = private_file(&beside(folder, "lock"), Access::Default)?;
    file.lock()?;
    Ok(Turn(file))
}

/// Stores the tables of a plan in an overlay folder, with a record of what they replace. Other files of the folder stay. Nothing is written if
/// no table changes.
///
/// # Errors
/// A file or folder cannot be written, e.g. because the disk is full, or the folder cannot be replaced.
pub fn store(plan: &Plan, folder: &Path) -> io::Result<()> {
    if plan.tables.is_empty() {
        return Ok(());
    }
    replace(folder, |new| {
        history::write(plan, folder, new)?;
        for (table, text) in &plan.tables {
            let path = new.join(table);
            match text {
                Some(text) => {
                    fs::create_dir_all(path.parent().unwrap_or(new))?;
                    write_atomic(&path, Access::Default, text.as_bytes())?;
                }
                None => remove(&path, new)?,
            }
        }
        // A table that the program would not start with does not come into the folder.
        load(&RuleFiles::with_overlay(new), RULE_TABLES).map(drop).map_err(io::Error::other)
    })
}

/// Takes the last import back: its tables are again as they were before it, byte for byte. Tables that were changed since are overwritten only
/// with `force`.
///
/// # Errors
/// See [`Kept`].
pub fn take_back(record: &Record, folder: &Path, force: bool) -> Result<(), Kept> {
    for table in record.tables.iter().filter(|_| !force) {
        let is = fs::read(folder.join(&table.name)).map_or_else(|_| String::new(), |bytes| history::fingerprint(&bytes));
        if is != table.wrote {
            return Err(Kept::Edited(table.name.clone()));
        }
    }
    let own = record.folder.strip_prefix(folder).map_err(io::Error::other)?;
    replace(folder, |new| {
        for table in &record.tables {
            let path = new.join(&table.name);
            if table.was_there {
                fs::create_dir_all(path.parent().unwrap_or(new))?;
                fs::copy(record.folder.join(&table.name), path)?;
            } else {
                remove(&path, new)?;
            }
        }
        fs::remove_dir_all(new.join(own))?;
        prune(new.join(own).parent(), new)
    })?;
    if record.made_folder && fs::read_dir(folder)?.next().is_none() {
        fs::remove_dir(folder)?;
    }
    Ok(())
}

/// Replaces a folder by a changed copy. The new folder is made beside the old one and takes its place when it is complete; the next call repairs a
/// crash in between.
fn replace(folder: &Path, change: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let (new, old) = (beside(folder, "new"), beside(folder, "old"));
    if !folder.exists() && old.exists() {
        fs::rename(&old, folder)?;
    }
    for leftover in [&new, &old] {
        if leftover.exists() {
            fs::remove_dir_all(leftover)?;
        }
    }
    let fill = || {
        fs::create_dir_all(&new)?;
        if folder.exists() {
            copy(folder, &new)?;
        }
        change(&new)
    };
    let made = fill().and_then(|()| swap(folder, &new, &old));
    if made.is_err() && new.exists() {
        // The old folder is untouched; the unfinished one is of no use.
        fs::remove_dir_all(&new)?;
    }
    made
}

/// Removes a file of an overlay if it is there, and the folders that it leaves empty.
fn remove(path: &Path, overlay: &Path) -> io::Result<()> {
    if path.exists() {
        fs::remove_file(path)?;
        prune(path.parent(), overlay)?;
    }
    Ok(())
}

/// Removes empty folders from the inside out, up to the overlay.
fn prune(from: Option<&Path>, overlay: &Path) -> io::Result<()> {
    for folder in from.into_iter().flat_map(Path::ancestors).take_while(|f| *f != overlay) {
        if fs::read_dir(folder)?.next().is_some() {
            break;
        }
        fs::remove_dir(folder)?;
    }
    Ok(())
}

fn swap(folder: &Path, new: &Path, old: &Path) -> io::Result<()> {
    if folder.exists() {
        fs::rename(folder, old)?;
        if let Err(error) = fs::rename(new, folder) {
            fs::rename(old, folder)?;
            return Err(error);
        }
        return fs::remove_dir_all(old);
    }
    fs::rename(new, folder)
}

/// A temporary folder beside the target, hidden on systems where a leading dot hides.
fn beside(folder: &Path, what: &str) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!(".{name}.puomp-{what}"))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            fs::create_dir_all(&target)?;
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}
