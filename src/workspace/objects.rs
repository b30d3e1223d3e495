//! Files kept unchanged under the SHA-256 of their bytes.
//!
//! Path: `objects/ab/cdef…/NAME`. The name is kept because the name of a registry file is part of what is checked. A file is first written
//! under a temporary name and renamed when it is complete and on the disk: a file under a digest is always complete.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::Problem;
use super::damage::{Damage, Damaged};
use crate::sys::{Access, AtomicFile, TEMPORARY, Temporary, private_folder};
use crate::values::hex;
use crate::watch::{Stopped, Watch};

/// The folder of kept files.
#[derive(Debug, Clone)]
pub(super) struct Objects {
    root: PathBuf,
}

/// A kept file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    /// SHA-256 of its bytes, lower-case hex.
    pub(super) sha256: String,
    /// Name of the file.
    pub(super) name: String,
    /// What stood in its place before.
    pub(super) before: Before,
}

/// A complete copy of a kept file that has no name yet; it is deleted when dropped.
#[derive(Debug)]
pub(super) struct Staged {
    file: AtomicFile,
    target: PathBuf,
}

impl Staged {
    /// Gives the copy its name.
    ///
    /// # Errors
    /// The target cannot be replaced.
    pub(super) fn place(self) -> Result<(), Problem> {
        let Self { file, target } = self;
        file.commit().map_err(|error| Problem::Io(target, error))
    }
}

/// What stood in the place of a kept file before it was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// The same bytes.
    Same,
    /// Something else, which was replaced.
    Damaged,
    /// Nothing.
    Nothing,
}

/// Bytes copied at once.
const BUFFER: usize = 256 << 10;

impl Objects {
    /// The kept files in `root`, which need not exist yet.
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Path of a kept file.
    pub(super) fn path(&self, sha256: &str, name: &str) -> PathBuf {
        let (head, tail) = sha256.split_at(sha256.len().min(2));
        self.root.join(head).join(tail).join(name)
    }

    /// Whether a kept file still holds the bytes that were kept; every reader asks before it uses them.
    ///
    /// # Errors
    /// It does not, or cannot be read.
    pub(super) fn check(&self, sha256: &str, name: &str) -> Result<(), Damaged> {
        self.read(sha256, name, |_| Ok(()))
    }

    /// The same for several files, each once: SHA-256 and name.
    ///
    /// # Errors
    /// The first that is damaged.
    pub(super) fn check_all<'f>(&self, files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Result<(), Problem> {
        let files: BTreeSet<_> = files.into_iter().collect();
        files.into_par_iter().try_for_each(|(sha256, name)| self.check(sha256, name))?;
        Ok(())
    }

    /// Reads a kept file in pieces, and fails after the last of them if they are not the bytes that were kept.
    ///
    /// # Errors
    /// It is damaged, or the error of `each`.
    pub(super) fn read<E: From<Damaged>>(&self, sha256: &str, name: &str, mut each: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let of = |damage: Damage| Damaged { name: name.to_owned(), damage };
        let path = self.path(sha256, name);
        let mut file = open_file(&path).map_err(of)?;
        let (mut hasher, mut buffer) = (Sha256::new(), vec![0; BUFFER]);
        loop {
            let count = file.read(&mut buffer).map_err(|error| of(error.into()))?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
            each(&buffer[..count])?;
        }
        if hex(&hasher.finalize()) == sha256 { Ok(()) } else { Err(of(Damage::Changed).into()) }
    }

    /// Puts a complete file in its place among the kept ones, whatever stands there.
    fn put(&self, complete: Temporary, sha256: &str, name: &str) -> io::Result<()> {
        let path = self.path(sha256, name);
        for folder in path.ancestors().skip(1).take(2).collect::<Vec<_>>().into_iter().rev() {
            // What stands in the way is none of ours.
            if fs::metadata(folder).is_ok_and(|there| !there.is_dir()) || folder.is_symlink() && !folder.exists() {
                fs::remove_file(folder)?;
            }
            private_folder(folder)?;
        }
        if fs::symlink_metadata(&path).is_ok_and(|there| there.is_dir()) {
            fs::remove_dir_all(&path)?;
        }
        complete.persist(&path)?;
        crate::sys::sync_parents(&path, &self.root)
    }

    /// Keeps a copy of a file under its own name.
    ///
    /// # Errors
    /// The file cannot be read, the copy cannot be written, or the watch wants the work to end.
    pub(super) fn keep(&self, file: &Path, watch: &dyn Watch) -> io::Result<Kept> {
        let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).ok_or(io::ErrorKind::InvalidInput)?;
        self.keep_stream(File::open(file)?, &name, watch)
    }

    /// Keeps the bytes of a stream under a name.
    ///
    /// # Errors
    /// The stream fails, the copy cannot be written, or the watch wants the work to end.
    pub(super) fn keep_stream(&self, mut stream: impl Read, name: &str, watch: &dyn Watch) -> io::Result<Kept> {
        private_folder(&self.root)?;
        // The digest, and so the final path, is known only at the end.
        let mut copy = Temporary::create(&self.root, Access::Private)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; BUFFER];
        loop {
            Stopped::check(watch)?;
            let count = stream.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
            copy.write_all(&buffer[..count])?;
        }
        let sha256 = hex(&hasher.finalize());
        let before = match self.check(&sha256, name) {
            Ok(()) => Before::Same,
            Err(Damaged { damage: Damage::Missing, .. }) => Before::Nothing,
            Err(_) => Before::Damaged,
        };
        if before != Before::Same {
            self.put(copy, &sha256, name)?;
        }
        Ok(Kept { sha256, name: name.to_owned(), before })
    }

    /// Keeps the file that `write` writes, under a name; `write` returns its SHA-256 and a value.
    ///
    /// # Errors
    /// The error of `write`, or the file cannot be written.
    pub(super) fn keep_written<T, E: From<io::Error>>(&self, name: &str, write: impl FnOnce(&mut File) -> Result<(String, T), E>) -> Result<(Kept, T), E> {
        private_folder(&self.root)?;
        let mut file = Temporary::create(&self.root, Access::Private)?;
        let (sha256, value) = write(file.as_file_mut())?;
        // Another program that forms the same may have kept it, and may be reading it.
        if self.check(&sha256, name).is_err() {
            self.put(file, &sha256, name)?;
        }
        Ok((Kept { sha256, name: name.to_owned(), before: Before::Nothing }, value))
    }

    /// Copies a kept file to a place outside, where it gets its name only with [`Staged::place`].
    ///
    /// # Errors
    /// The kept file is damaged or the target cannot be written.
    pub(super) fn stage(&self, sha256: &str, name: &str, target: &Path) -> Result<Staged, Problem> {
        let unwritten = |error| Problem::Io(target.to_owned(), error);
        if let Some(folder) = target.parent() {
            private_folder(folder).map_err(unwritten)?;
        }
        // A pipe or a device in its place would be written into.
        if fs::metadata(target).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
            return Err(unwritten(io::ErrorKind::AlreadyExists.into()));
        }
        let mut file = AtomicFile::create(target, Access::Private).map_err(unwritten)?;
        self.read(sha256, name, |bytes| file.write_all(bytes).map_err(unwritten))?;
        file.sync().map_err(unwritten)?;
        Ok(Staged { file, target: target.to_owned() })
    }

    /// Removes incomplete copies and files that no row refers to; a program that was stopped may have left them. `known` holds the names of each
    /// digest; a file under another name is removed too, unless it is the last copy. Returns the number of removed files.
    ///
    /// # Errors
    /// A folder cannot be read or a file cannot be removed.
    pub(super) fn sweep(&self, known: &HashMap<String, HashSet<String>>) -> io::Result<u64> {
        let mut removed = 0;
        for head in entries(&self.root)? {
            let head_name = head.file_name().to_string_lossy().into_owned();
            if head_name.starts_with(TEMPORARY) {
                fs::remove_file(head.path())?;
                removed += 1;
                continue;
            }
            if !head.file_type()?.is_dir() {
                continue;
            }
            for tail in entries(&head.path())? {
                let Some(names) = known.get(&format!("{head_name}{}", tail.file_name().to_string_lossy())) else {
                    remove(&tail)?;
                    removed += 1;
                    continue;
                };
                if !tail.file_type()?.is_dir() {
                    continue;
                }
                // A file system that ignores case keeps a file under its first name. The last copy of known bytes stays, whatever its name.
                let is_known = |file: &fs::DirEntry| {
                    let name = file.file_name().to_string_lossy().to_lowercase();
                    names.iter().any(|n| n.to_lowercase() == name)
                };
                let (kept, spare): (Vec<_>, Vec<_>) = entries(&tail.path())?.into_iter().partition(is_known);
                for file in spare.iter().filter(|_| !kept.is_empty()) {
                    remove(file)?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }
}

/// Opens what must be a file of its own.
fn open_file(path: &Path) -> Result<File, Damage> {
    // Asked first: opening a pipe waits for somebody who writes into it.
    if fs::metadata(path)?.is_file() { Ok(File::open(path)?) } else { Err(Damage::NotAFile) }
}

/// Removes the incomplete files that a stopped program left in the subfolders of a folder such as the outbox.
///
/// # Errors
/// A folder cannot be read or a file cannot be removed.
pub(super) fn sweep_placed(root: &Path) -> io::Result<()> {
    for folder in entries(root)? {
        if !folder.file_type()?.is_dir() {
            continue;
        }
        for file in entries(&folder.path())? {
            if file.file_name().to_string_lossy().starts_with(TEMPORARY) {
                fs::remove_file(file.path())?;
            }
        }
    }
    Ok(())
}

fn remove(entry: &fs::DirEntry) -> io::Result<()> {
    if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) }
}

/// Entries of a folder; empty when there is no such folder.
fn entries(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Unwatched;

    #[test]
    fn the_same_bytes_are_kept_once_and_orphans_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let objects = Objects::new(folder.path().join("objects"));
        let file = folder.path().join("HM1.xml");
        fs::write(&file, "<a/>").expect("written");
        let kept = objects.keep(&file, &Unwatched).expect("kept");
        assert_eq!(kept.before, Before::Nothing);
        assert_eq!(objects.keep(&file, &Unwatched).expect("kept"), Kept { before: Before::Same, ..kept.clone() });
        assert_eq!(fs::read(objects.path(&kept.sha256, &kept.name)).expect("there"), b"<a/>");
        let other = objects.keep_stream(&b"other"[..], "x.zip", &Unwatched).expect("kept");
        fs::write(folder.path().join("objects/.puomp-half"), "ha").expect("written");
        let twin = objects.keep_stream(&b"<a/>"[..], "copy of HM1.xml", &Unwatched).expect("kept");
        assert_eq!(twin.sha256, kept.sha256);
        let names = |names: &[&str]| HashMap::from([(kept.sha256.clone(), names.iter().map(|n| (*n).to_owned()).collect())]);
        assert_eq!(objects.sweep(&names(&["another.xml"])).expect("swept"), 2, "the last copies of known bytes stay");
        assert!(objects.path(&twin.sha256, &twin.name).is_file());
        assert_eq!(objects.sweep(&names(&["hm1.XML"])).expect("swept"), 1);
        assert!(!objects.path(&twin.sha256, &twin.name).exists());
        assert!(objects.path(&kept.sha256, &kept.name).is_file() && !objects.path(&other.sha256, "x.zip").exists());
        objects.stage(&kept.sha256, &kept.name, &folder.path().join("out/14002/HM1.xml")).expect("copied").place().expect("placed");
        assert_eq!(fs::read(folder.path().join("out/14002/HM1.xml")).expect("there"), b"<a/>");
        fs::write(folder.path().join("out/14002/.puomp-half.tmp"), "ha").expect("written");
        fs::write(folder.path().join("out/note"), "a user's own").expect("written");
        sweep_placed(&folder.path().join("out")).expect("swept");
        sweep_placed(&folder.path().join("absent")).expect("nothing to do");
        let left: Vec<_> = entries(&folder.path().join("out/14002")).expect("read").iter().map(fs::DirEntry::file_name).collect();
        assert_eq!(left, ["HM1.xml"]);
        assert!(folder.path().join("out/note").is_file());
    }
}
