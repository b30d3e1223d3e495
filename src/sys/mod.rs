//! What depends on the operating system: replacing files as a whole and who may read them.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Who may read a file that we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever the system's defaults allow.
    Default,
    /// The user alone (Unix: mode 0600): the file holds personal data. Windows inherits the rights of the folder.
    Private,
}

/// A file that appears under its name only when it is complete.
///
/// It is written beside the target and takes its place in [`AtomicFile::commit`]; dropped before that, it leaves no trace and the old
/// file as it was. A target that is no regular file (a pipe, `/dev/null`) is written directly.
#[derive(Debug)]
pub struct AtomicFile {
    state: State,
}

#[derive(Debug)]
enum State {
    Beside { file: BufWriter<NamedTempFile>, target: PathBuf },
    Direct(BufWriter<File>),
}

impl AtomicFile {
    /// Begins a file that is to stand at `target`.
    ///
    /// # Errors
    /// The folder does not exist or is not writable.
    pub fn create(target: &Path, access: Access) -> io::Result<Self> {
        if fs::metadata(target).is_ok_and(|m| !m.is_file() && !m.is_dir()) {
            return Ok(Self { state: State::Direct(BufWriter::new(File::options().write(true).open(target)?)) });
        }
        // A link stays a link: what it points to is replaced.
        let target = if target.is_symlink() { fs::canonicalize(target)? } else { target.to_owned() };
        if target.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".puomp-").suffix(".tmp");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(fs::Permissions::from_mode(match access {
                Access::Default => 0o666,
                Access::Private => 0o600,
            }));
        }
        #[cfg(not(unix))]
        let _ = access;
        let file = BufWriter::with_capacity(64 << 10, builder.tempfile_in(folder(&target)).map_err(|e| plain(&e))?);
        Ok(Self { state: State::Beside { file, target } })
    }

    /// Puts the complete file in its place, on the disk and not only in the system's memory.
    ///
    /// # Errors
    /// The disk is full, or the target may not be replaced (on Windows also: another program holds it open).
    pub fn commit(self) -> io::Result<()> {
        match self.state {
            State::Direct(mut file) => file.flush(),
            State::Beside { file, target } => {
                let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.as_file().sync_all()?;
                file.persist(&target)?;
                sync_folder(folder(&target))
            }
        }
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.state {
            State::Beside { file, .. } => file.write(bytes),
            State::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.state {
            State::Beside { file, .. } => file.flush(),
            State::Direct(file) => file.flush(),
        }
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.state {
            State::Beside { file, .. } => file.seek(to),
            State::Direct(file) => file.seek(to),
        }
    }
}

/// Writes a whole file at once; see [`AtomicFile`].
///
/// # Errors
/// See [`AtomicFile::create`] and [`AtomicFile::commit`].
pub fn write_atomic(target: &Path, access: Access, bytes: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create(target, access)?;
    file.write_all(bytes)?;
    file.commit()
}

/// Opens a file for reading and writing and makes it if it is not there.
///
/// # Errors
/// The folder does not exist or is not writable.
pub fn private_file(path: &Path, access: Access) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    if access == Access::Private {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = access;
    options.open(path)
}

/// Whether the device failed (a bad disk, a stick that was pulled out): no kind of [`io::ErrorKind`] says that.
pub fn is_device_failure(error: &io::Error) -> bool {
    // EIO; ERROR_CRC, ERROR_GEN_FAILURE, ERROR_IO_DEVICE.
    let codes: &[i32] = if cfg!(windows) { &[23, 31, 1117] } else { &[5] };
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

/// Makes a folder, and those above it, that only the user may look into (Unix: mode 0700); one that is there stays as it is.
///
/// # Errors
/// It cannot be made.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// Puts the names of a file and of the folders above it, down from `root`, on the disk.
///
/// # Errors
/// A folder cannot be opened.
pub fn sync_parents(file: &Path, root: &Path) -> io::Result<()> {
    for parent in file.ancestors().skip(1).take_while(|p| p.starts_with(root)) {
        sync_folder(parent)?;
    }
    Ok(())
}

/// The kind of what the system said, without the name of our temporary file.
fn plain(error: &io::Error) -> io::Error {
    io::Error::from(error.kind())
}

/// The folder of a user's data, which programs keep beyond their settings.
///
/// `%LOCALAPPDATA%`; `~/Library/Application Support`; `$XDG_DATA_HOME`, else `~/.local/share`.
pub fn data_folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let of = |name: &str| variable(name).map(PathBuf::from).filter(|p| p.is_absolute());
    if cfg!(windows) {
        of("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        of("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        of("XDG_DATA_HOME").or_else(|| of("HOME").map(|home| home.join(".local/share")))
    }
}

fn folder(target: &Path) -> &Path {
    target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The new name itself must survive a power cut; Windows has no such call and needs none.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("отчёт 1.json");
        let mut dropped = AtomicFile::create(&target, Access::Default).expect("begun");
        dropped.write_all(b"half").expect("written");
        assert!(!target.exists());
        drop(dropped);
        assert!(names(folder.path()).is_empty());
        write_atomic(&target, Access::Default, b"one").expect("written");
        write_atomic(&target, Access::Default, b"two").expect("replaced");
        assert_eq!(fs::read(&target).expect("there"), b"two");
        assert_eq!(names(folder.path()), ["отчёт 1.json"]);
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn data_of_the_user() {
        let with = |set: &'static [(&str, &str)]| data_folder(|name| set.iter().find(|(n, _)| *n == name).map(|(_, v)| v.into()));
        assert_eq!(with(&[("HOME", "/home/я")]), Some(PathBuf::from("/home/я/.local/share")));
        assert_eq!(with(&[("HOME", "/home/я"), ("XDG_DATA_HOME", "/data")]), Some(PathBuf::from("/data")));
        assert_eq!(with(&[("HOME", "here")]), None);
    }

    #[test]
    fn a_folder_is_no_target() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(AtomicFile::create(folder.path(), Access::Default).expect_err("a folder").kind(), io::ErrorKind::IsADirectory);
        let error = AtomicFile::create(&folder.path().join("no/such"), Access::Default).expect_err("no folder");
        assert!(error.kind() == io::ErrorKind::NotFound && !error.to_string().contains(".puomp"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn personal_data_is_for_the_user_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let mode = |name: &str, access| {
            let path = folder.path().join(name);
            write_atomic(&path, access, b"x").expect("written");
            fs::metadata(path).expect("there").permissions().mode() & 0o777
        };
        assert_eq!(mode("private", Access::Private), 0o600);
        assert_ne!(mode("shared", Access::Default) & 0o400, 0);
    }

    #[cfg(unix)]
    #[test]
    fn links_and_devices_stay_what_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").expect("written");
        std::os::unix::fs::symlink(&real, &link).expect("a link");
        write_atomic(&link, Access::Default, b"new").expect("written");
        assert!(link.is_symlink());
        assert_eq!(fs::read(&real).expect("there"), b"new");
        write_atomic(Path::new("/dev/null"), Access::Private, b"x").expect("written");
        assert!(!Path::new("/dev/null").is_file());
    }
}
