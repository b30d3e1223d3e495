//! Files kept unchanged under the SHA-256 of their bytes, wherever a [`Storage`] puts them. Their names stand in the rows that refer to them: the name of
//! a registry file is part of what is checked.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::Problem;
use super::damage::{Damage, Damaged};
use super::storage::{Folder, Incoming, Storage, entries};
use crate::sys::{Access, AtomicFile, TEMPORARY, open_input, private_folder};
use crate::values::hex;
use crate::watch::{Stopped, Watch};

/// The kept files.
#[derive(Debug)]
pub(super) struct Objects {
    storage: Box<dyn Storage>,
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
    /// The kept files in a folder, which need not exist yet.
    pub(super) fn in_folder(root: PathBuf) -> Self {
        Self { storage: Box::new(Folder::new(root)) }
    }

    /// A file on this machine with the bytes of a kept file. Whoever reads it compares its digest first, by [`Objects::check`].
    ///
    /// # Errors
    /// There is no such file.
    pub(super) fn local(&self, sha256: &str, name: &str) -> Result<PathBuf, Damaged> {
        self.storage.local(sha256).map_err(|damage| Damaged { name: name.to_owned(), damage })
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

    /// Digests of those among several files, SHA-256 and name, that are damaged; each file is looked at once.
    pub(super) fn damaged<'f>(&self, files: impl IntoIterator<Item = (&'f str, &'f str)>) -> HashSet<&'f str> {
        let files: BTreeSet<_> = files.into_iter().collect();
        files.into_par_iter().filter(|(sha256, name)| self.check(sha256, name).is_err()).map(|(sha256, _)| sha256).collect()
    }

    /// Reads a kept file in pieces, and fails after the last of them if they are not the bytes that were kept.
    ///
    /// # Errors
    /// The file is damaged, or the error of `each`.
    pub(super) fn read<E: From<Damaged>>(&self, sha256: &str, name: &str, mut each: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let of = |damage: Damage| Damaged { name: name.to_owned(), damage };
        let mut file = self.storage.open(sha256, 0..u64::MAX).map_err(of)?;
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

    /// Puts a complete file among the kept ones. One that is damaged is replaced; the same bytes stay, because another program may be reading them.
    fn put(&self, complete: Box<dyn Incoming>, sha256: &str) -> io::Result<Before> {
        if matches!(self.storage.stat(sha256), Err(Damage::Missing)) {
            let is_first = complete.put_if_absent(sha256)?;
            return Ok(if is_first { Before::Nothing } else { Before::Same });
        }
        if self.check(sha256, "").is_ok() {
            return Ok(Before::Same);
        }
        complete.replace(sha256).map(|()| Before::Damaged)
    }

    /// Keeps a copy of a file under its own name.
    ///
    /// # Errors
    /// The file cannot be read, the copy cannot be written, or the watch wants the work to end.
    pub(super) fn keep(&self, file: &Path, watch: &dyn Watch) -> io::Result<Kept> {
        let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).ok_or(io::ErrorKind::InvalidInput)?;
        self.keep_stream(open_input(file)?, &name, watch)
    }

    /// Keeps the bytes of a stream under a name.
    ///
    /// # Errors
    /// The stream fails, the copy cannot be written, or the watch wants the work to end.
    pub(super) fn keep_stream(&self, mut stream: impl Read, name: &str, watch: &dyn Watch) -> io::Result<Kept> {
        // The digest, and so the place, is known only at the end.
        let mut copy = self.storage.begin()?;
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
        let before = self.put(copy, &sha256)?;
        Ok(Kept { sha256, name: name.to_owned(), before })
    }

    /// Keeps the file that `write` writes, under a name; `write` returns its SHA-256 and a value.
    ///
    /// # Errors
    /// The error of `write`, or the file cannot be written.
    pub(super) fn keep_written<T, E: From<io::Error>>(&self, name: &str, write: impl FnOnce(&mut dyn Write) -> Result<(String, T), E>) -> Result<(Kept, T), E> {
        let mut file = self.storage.begin()?;
        let (sha256, value) = write(&mut *file)?;
        let before = self.put(file, &sha256)?;
        Ok((Kept { sha256, name: name.to_owned(), before }, value))
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

    /// Removes files that no row refers to, and what programs that were stopped left unfinished. Returns the number of removed files.
    ///
    /// # Errors
    /// The storage cannot be read or a file cannot be removed.
    pub(super) fn sweep(&self, known: &HashSet<String>) -> io::Result<u64> {
        let mut orphans = BTreeSet::new();
        self.storage.list(&mut |digest| {
            if !known.contains(digest) {
                orphans.insert(digest.to_owned());
            }
            Ok(())
        })?;
        orphans.iter().try_for_each(|digest| self.storage.remove(digest))?;
        Ok(orphans.len() as u64 + self.storage.tidy()?)
    }
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

#[cfg(test)]
mod tests {
    use super::super::storage::Memory;
    use super::*;
    use crate::watch::Unwatched;

    fn in_memory() -> (Memory, Objects) {
        let storage = Memory::default();
        (storage.clone(), Objects { storage: Box::new(storage) })
    }

    fn keep(objects: &Objects, bytes: &str, name: &str) -> Kept {
        objects.keep_stream(bytes.as_bytes(), name, &Unwatched).expect("kept")
    }

    /// The same bytes are kept once whatever their names, and those of no row go.
    fn keeps(objects: &Objects) {
        let kept = keep(objects, "<a/>", "HM1.xml");
        assert_eq!(kept.before, Before::Nothing);
        let twin = keep(objects, "<a/>", "copy of HM1.xml");
        assert_eq!((&twin.sha256, twin.before), (&kept.sha256, Before::Same));
        assert_eq!(fs::read(objects.local(&kept.sha256, &kept.name).expect("there")).expect("read"), b"<a/>");
        let other = keep(objects, "other", "x.zip");
        assert_eq!(objects.sweep(&[kept.sha256.clone()].into()).expect("swept"), 1);
        assert!(objects.check(&kept.sha256, &kept.name).is_ok());
        let gone = objects.check(&other.sha256, &other.name).expect_err("gone");
        assert!(gone.name == "x.zip" && matches!(gone.damage, Damage::Missing));
        let written = objects.keep_written::<_, io::Error>("y", |file| file.write_all(b"<a/>").map(|()| (kept.sha256.clone(), 7))).expect("written");
        assert_eq!((written.0.before, written.1), (Before::Same, 7));
    }

    #[test]
    fn files_are_kept_in_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let objects = Objects::in_folder(folder.path().join("objects"));
        keeps(&objects);
        let file = folder.path().join("HM2.xml");
        fs::write(&file, "<b/>").expect("written");
        let kept = objects.keep(&file, &Unwatched).expect("kept");
        assert_eq!((kept.name.as_str(), kept.before), ("HM2.xml", Before::Nothing));
        objects.stage(&kept.sha256, &kept.name, &folder.path().join("out/14002/HM2.xml")).expect("copied").place().expect("placed");
        assert_eq!(fs::read(folder.path().join("out/14002/HM2.xml")).expect("there"), b"<b/>");
        fs::write(folder.path().join("out/14002/.puomp-half.tmp"), "ha").expect("written");
        fs::write(folder.path().join("out/note"), "a user's own").expect("written");
        sweep_placed(&folder.path().join("out")).expect("swept");
        sweep_placed(&folder.path().join("absent")).expect("nothing to do");
        let left: Vec<_> = entries(&folder.path().join("out/14002")).expect("read").iter().map(fs::DirEntry::file_name).collect();
        assert_eq!(left, ["HM2.xml"]);
        assert!(folder.path().join("out/note").is_file());
    }

    #[test]
    fn files_are_kept_in_another_storage() {
        let (storage, objects) = in_memory();
        keeps(&objects);
        let kept = keep(&objects, "bytes", "z");
        storage.damage(&kept.sha256);
        assert!(matches!(objects.check(&kept.sha256, "z"), Err(Damaged { damage: Damage::Changed, .. })));
        assert_eq!(keep(&objects, "bytes", "z").before, Before::Damaged);
        assert!(objects.check(&kept.sha256, "z").is_ok());
    }
}
