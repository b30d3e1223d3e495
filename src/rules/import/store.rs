//! Writes an overlay to the disk: all of it, or nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::plan::Plan;
use crate::sys::{Access, write_atomic};

/// Stores the tables of a plan in an overlay folder. Other files of the folder stay.
///
/// The new folder is made beside the old one and takes its place when it is complete; the next call repairs a crash in between.
///
/// # Errors
/// A file or folder cannot be written, e.g. because the disk is full, or the folder cannot be replaced.
pub fn store(plan: &Plan, folder: &Path) -> io::Result<()> {
    let (new, old) = (beside(folder, "new"), beside(folder, "old"));
    if !folder.exists() && old.exists() {
        fs::rename(&old, folder)?;
    }
    for leftover in [&new, &old] {
        if leftover.exists() {
            fs::remove_dir_all(leftover)?;
        }
    }
    let made = fill(plan, folder, &new).and_then(|()| swap(folder, &new, &old));
    if made.is_err() && new.exists() {
        // The old folder is untouched; the unfinished one is of no use.
        fs::remove_dir_all(&new)?;
    }
    made
}

fn fill(plan: &Plan, folder: &Path, new: &Path) -> io::Result<()> {
    fs::create_dir_all(new)?;
    if folder.exists() {
        copy(folder, new)?;
    }
    for (table, text) in &plan.tables {
        let path = new.join(table);
        fs::create_dir_all(path.parent().unwrap_or(new))?;
        write_atomic(&path, Access::Default, text.as_bytes())?;
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
