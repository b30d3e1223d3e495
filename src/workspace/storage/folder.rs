//! Kept files in a folder: `ab/` and the digest. A file is first written under a temporary name and renamed when it is complete and on the disk: a
//! file under a digest is always complete.
//!
//! Programs of store version 2 and before kept a file as `ab/cdef…/NAME`. Such files are found as well, and [`Storage::tidy`] moves them.

use std::fs::{self, DirEntry, File};
use std::io::{self, Read, Seek as _, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::{Incoming, Storage, is_digest};
use crate::sys::{Access, TEMPORARY, Temporary, private_folder, rename, sync_parents};
use crate::values::sha256_of;
use crate::workspace::damage::Damage;

/// Digits of a digest that name the folder in which its file lies.
const HEAD: usize = 2;

/// A folder of kept files.
#[derive(Debug, Clone)]
pub(in crate::workspace) struct Folder {
    root: PathBuf,
}

/// A file that is being written.
struct Begun {
    folder: Folder,
    file: Temporary,
}

impl Folder {
    /// The kept files in `root`, which need not exist yet.
    pub(in crate::workspace) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.root.join(&digest[..HEAD]).join(digest)
    }

    /// Where a file lies: in its place, or where earlier programs put it. `None` if something else stands in its place, or nothing.
    fn find(&self, digest: &str) -> Result<PathBuf, Damage> {
        // A row that another hand has written must not lead out of the folder.
        if !is_digest(digest) {
            return Err(Damage::Missing);
        }
        let path = self.path(digest);
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // A pipe is never opened: it would be waited for.
            there => return if there?.is_file() { Ok(path) } else { Err(Damage::NotAFile) },
        }
        let old = self.root.join(&digest[..HEAD]).join(&digest[HEAD..]);
        let files = entries(&old)?;
        let file = files.iter().find(|file| file.file_type().is_ok_and(|kind| kind.is_file())).map(DirEntry::path);
        file.ok_or(if files.is_empty() { Damage::Missing } else { Damage::NotAFile })
    }

    /// Gives a file its place, whatever stands there.
    fn put(&self, complete: Temporary, digest: &str) -> io::Result<()> {
        if !is_digest(digest) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let path = self.path(digest);
        self.clear(digest)?;
        complete.persist(&path)?;
        sync_parents(&path, &self.root)
    }

    /// Makes the place of a file free.
    fn clear(&self, digest: &str) -> io::Result<()> {
        let head = self.root.join(&digest[..HEAD]);
        // What stands in the way is none of ours.
        if fs::metadata(&head).is_ok_and(|there| !there.is_dir()) || head.is_symlink() && !head.exists() {
            fs::remove_file(&head)?;
        }
        private_folder(&head)?;
        let path = head.join(digest);
        if fs::symlink_metadata(&path).is_ok_and(|there| there.is_dir()) {
            fs::remove_dir_all(&path)?;
        }
        Ok(())
    }

    /// Moves a file that an earlier program kept, and removes its folder. Of several names with the same bytes that which is undamaged is taken.
    fn take_over(&self, old: &Path, digest: &str) -> io::Result<()> {
        let files = entries(old)?;
        let sound = |file: &&DirEntry| files.len() == 1 || File::open(file.path()).and_then(|file| sha256_of(file, |_| ())).is_ok_and(|found| found == digest);
        let is_there = self.path(digest).exists();
        if !is_there && let Some(file) = files.iter().find(sound).or(files.first()) {
            self.clear(digest)?;
            rename(&file.path(), &self.path(digest))?;
            sync_parents(&self.path(digest), &self.root)?;
        }
        fs::remove_dir_all(old)
    }

    /// Runs `each` for what lies in the folders of digests, with the folder's digits and the entry.
    fn walk(&self, mut each: impl FnMut(&str, &DirEntry) -> io::Result<()>) -> io::Result<()> {
        for head in entries(&self.root)? {
            let digits = head.file_name().to_string_lossy().into_owned();
            if digits.len() != HEAD || !head.file_type()?.is_dir() {
                continue;
            }
            for entry in entries(&head.path())? {
                each(&digits, &entry)?;
            }
        }
        Ok(())
    }
}

impl Storage for Folder {
    fn begin(&self) -> io::Result<Box<dyn Incoming>> {
        private_folder(&self.root)?;
        Ok(Box::new(Begun { folder: self.clone(), file: Temporary::create(&self.root, Access::Private)? }))
    }

    fn stat(&self, digest: &str) -> Result<u64, Damage> {
        Ok(fs::metadata(self.find(digest)?)?.len())
    }

    fn open(&self, digest: &str, range: Range<u64>) -> Result<Box<dyn Read + Send>, Damage> {
        let mut file = File::open(self.find(digest)?)?;
        if range.start > 0 {
            file.seek(SeekFrom::Start(range.start))?;
        }
        Ok(Box::new(file.take(range.end.saturating_sub(range.start))))
    }

    fn local(&self, digest: &str) -> Result<PathBuf, Damage> {
        self.find(digest)
    }

    fn list(&self, each: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        self.walk(|digits, entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let old = format!("{digits}{name}");
            match [name, old].into_iter().find(|digest| is_digest(digest) && digest.starts_with(digits)) {
                Some(digest) => each(&digest),
                None => Ok(()),
            }
        })
    }

    fn remove(&self, digest: &str) -> io::Result<()> {
        if !is_digest(digest) {
            return Ok(());
        }
        let head = self.root.join(&digest[..HEAD]);
        for path in [head.join(digest), head.join(&digest[HEAD..])] {
            remove(&path)?;
        }
        Ok(())
    }

    fn tidy(&self) -> io::Result<u64> {
        let mut removed = 0;
        for entry in entries(&self.root)? {
            if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
                fs::remove_file(entry.path())?;
                removed += 1;
            }
        }
        self.walk(|digits, entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let digest = format!("{digits}{name}");
            if is_digest(&name) && name.starts_with(digits) {
                return Ok(());
            }
            if is_digest(&digest) && entry.file_type()?.is_dir() {
                return self.take_over(&entry.path(), &digest);
            }
            removed += 1;
            remove(&entry.path())
        })?;
        Ok(removed)
    }
}

impl Write for Begun {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Incoming for Begun {
    fn put_if_absent(self: Box<Self>, digest: &str) -> io::Result<bool> {
        if !matches!(self.folder.find(digest), Err(Damage::Missing)) {
            return Ok(false);
        }
        self.replace(digest)?;
        Ok(true)
    }

    fn replace(self: Box<Self>, digest: &str) -> io::Result<()> {
        let Self { folder, file } = *self;
        folder.put(file, digest)
    }
}

/// Removes a file or a folder, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        there => {
            if there?.is_dir() {
                fs::remove_dir_all(path)
            } else {
                fs::remove_file(path)
            }
        }
    }
}

/// Entries of a folder; empty when there is no such folder.
pub(in crate::workspace) fn entries(folder: &Path) -> io::Result<Vec<DirEntry>> {
    match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(Vec::new()),
        entries => entries?.collect(),
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::values::hex;

    /// What programs of store version 2 kept.
    #[test]
    fn files_of_earlier_programs_are_found_and_moved() {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = Folder::new(folder.path().join("objects"));
        let digest = hex(&Sha256::digest("bytes"));
        let other = hex(&Sha256::digest("other"));
        let old = |digest: &str, name: &str| folder.path().join("objects").join(&digest[..2]).join(&digest[2..]).join(name);
        for (path, bytes) in [(old(&digest, "HM1.zip"), "damaged"), (old(&digest, "HM1 (1).zip"), "bytes"), (old(&other, "x.xml"), "any")] {
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, bytes).expect("written");
        }
        fs::write(folder.path().join("objects").join(&digest[..2]).join("junk"), "junk").expect("written");
        fs::write(folder.path().join("objects/.puomp-half"), "half").expect("written");
        assert_eq!((storage.stat(&other).expect("there"), storage.local(&other).expect("there")), (3, old(&other, "x.xml")));
        let listed = |storage: &Folder| {
            let mut digests = std::collections::BTreeSet::new();
            storage
                .list(&mut |digest| {
                    digests.insert(digest.to_owned());
                    Ok(())
                })
                .expect("listed");
            digests
        };
        assert_eq!(listed(&storage), [digest.clone(), other.clone()].into());
        assert_eq!(storage.tidy().expect("tidied"), 2, "junk and what is half written");
        assert_eq!(fs::read(storage.local(&digest).expect("there")).expect("read"), b"bytes");
        assert_eq!(storage.local(&other).expect("there"), storage.path(&other));
        assert!(!old(&digest, "").exists() && !old(&other, "").exists());
        assert_eq!(listed(&storage), [digest, other].into());
        assert_eq!(storage.tidy().expect("tidied"), 0);
    }
}
