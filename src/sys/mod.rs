//! Parts that depend on the operating system: atomic replacement of files, access rights, the notation of paths, the names that every
//! system takes, and the notation of arguments in shells.

mod names;
mod paths;
mod shell;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;
mod temporary;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::{panic, thread};

pub use names::{file_name, hides, is_file_name, is_file_path, printable};
pub use paths::{canonicalize, shown};
pub(crate) use paths::{is_long, verbatim};
pub use shell::quoted;
pub use temporary::{TEMPORARY, Temporary, remove_unfinished};

/// Whether paths begin with drives and are separated by backslashes.
pub(crate) const IS_WINDOWS: bool = cfg!(windows);

/// Who may read a file that this program writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The users that the system's defaults allow.
    Default,
    /// Only the user: the file holds personal data. Unix: mode 0600. Windows: an access list that names only the user and inherits nothing.
    Private,
}

/// What happens when the file already exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existing {
    /// The file is opened as it is.
    Opened,
    /// Opening fails.
    Refused,
}

/// A file that appears under its name only when it is complete.
///
/// The content is written to a temporary file in the target's folder, which replaces the target in [`AtomicFile::commit`]. When dropped before
/// that, it is deleted and the old file stays as it was. A target that is not a regular file (a pipe, `/dev/null`) is written directly.
#[derive(Debug)]
pub struct AtomicFile {
    state: State,
}

#[derive(Debug)]
enum State {
    Beside { file: BufWriter<Temporary>, target: PathBuf },
    Direct(BufWriter<File>),
}

impl AtomicFile {
    /// Begins writing a file with the path `target`.
    ///
    /// # Errors
    /// The folder does not exist or is not writable.
    pub fn create(target: &Path, access: Access) -> io::Result<Self> {
        if fs::metadata(target).is_ok_and(|m| !m.is_file() && !m.is_dir()) {
            return Ok(Self { state: State::Direct(BufWriter::new(File::options().write(true).open(target)?)) });
        }
        // A symbolic link stays a link: the file that it points to is replaced.
        let target = if target.is_symlink() { fs::canonicalize(target)? } else { target.to_owned() };
        if target.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        let file = BufWriter::with_capacity(64 << 10, Temporary::create(folder(&target), access)?);
        Ok(Self { state: State::Beside { file, target } })
    }

    /// Writes the complete file to the disk, so that [`AtomicFile::commit`] takes little time.
    ///
    /// # Errors
    /// The disk is full.
    pub fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        match &mut self.state {
            State::Direct(_) => Ok(()),
            State::Beside { file, .. } => file.get_mut().as_file_mut().sync_all(),
        }
    }

    /// The file as it was written so far, for reading before [`AtomicFile::commit`]. It must not be written any more.
    ///
    /// # Errors
    /// The disk is full.
    pub fn read_back(&mut self) -> io::Result<&mut File> {
        self.flush()?;
        Ok(match &mut self.state {
            State::Beside { file, .. } => file.get_mut().as_file_mut(),
            State::Direct(file) => file.get_mut(),
        })
    }

    /// Flushes the complete file to the disk and replaces the target.
    ///
    /// # Errors
    /// The disk is full, or the target may not be replaced (on Windows also: another program holds it open for longer than half a second).
    pub fn commit(self) -> io::Result<()> {
        match self.state {
            State::Direct(mut file) => file.flush(),
            State::Beside { file, target } => {
                file.into_inner().map_err(io::IntoInnerError::into_error)?.persist(&target)?;
                system::sync_folder(folder(&target))
            }
        }
    }
}

impl AtomicFile {
    /// Completes several files like [`AtomicFile::commit`] with few waits for the disk: their bytes are flushed at the same time, and each folder once.
    ///
    /// # Errors
    /// The first file that fails, and why. No file whose bytes are not on the disk has got its name.
    pub fn commit_all(mut files: Vec<Self>) -> Result<(), (PathBuf, io::Error)> {
        let of = |path: &Path| {
            let path = path.to_owned();
            move |error| (path, error)
        };
        side_by_side(&mut files, |file| file.sync().map_err(of(file.target())))?;
        let mut folders = BTreeSet::new();
        for file in files {
            if let State::Beside { file, target } = file.state {
                file.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| file.place(&target)).map_err(of(&target))?;
                folders.insert(folder(&target).to_owned());
            }
        }
        folders.iter().try_for_each(|folder| system::sync_folder(folder).map_err(of(folder)))
    }

    /// Path of the target; empty for one that is written directly.
    fn target(&self) -> &Path {
        match &self.state {
            State::Beside { target, .. } => target,
            State::Direct(_) => Path::new(""),
        }
    }
}

/// Threads that wait for the disk at the same time: it then serves them together, several times as fast as one by one.
const WAITING: usize = 16;

/// Does something with each item, several at the same time: for work that waits for the disk.
///
/// # Errors
/// The first error; items after it may or may not be done.
pub fn side_by_side<T: Send, E: Send>(items: &mut [T], work: impl Fn(&mut T) -> Result<(), E> + Sync) -> Result<(), E> {
    let size = items.len().div_ceil(WAITING).max(1);
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = items.chunks_mut(size).map(|some| scope.spawn(move || some.iter_mut().try_for_each(work))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic)))
    })
}

/// Flushes a file that another handle has written to the disk.
///
/// # Errors
/// There is no such file, or the disk fails.
pub fn sync_file(path: &Path) -> io::Result<()> {
    // Windows flushes by handles that may write only.
    File::options().write(true).open(path)?.sync_all()
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

/// Writes a whole file at once, like [`AtomicFile`].
///
/// # Errors
/// See [`AtomicFile::create`] and [`AtomicFile::commit`].
pub fn write_atomic(target: &Path, access: Access, bytes: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create(target, access)?;
    file.write_all(bytes)?;
    file.commit()
}

/// Renames a file; an existing file with the new name is replaced.
///
/// # Errors
/// The system refuses (on Windows also: another program holds one of the files open for half a second).
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    system::rename(from, to)
}

/// Opens an existing file for reading, whatever path a user gave. A pipe would be waited for and a device may have no end: they are not opened, unless
/// the path names a stream that this program was started with (`/dev/stdin`).
///
/// # Errors
/// There is no such file, it may not be read, or it is no file ([`io::ErrorKind::NotSeekable`]).
pub fn open_input(path: &Path) -> io::Result<File> {
    let there = fs::metadata(path)?;
    if !there.is_file() && !there.is_dir() && !system::is_own_stream(path) {
        return Err(io::ErrorKind::NotSeekable.into());
    }
    File::open(path)
}

/// Reads an existing file whole; see [`open_input`].
///
/// # Errors
/// See [`open_input`]; the file cannot be read to its end.
pub fn read_input(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_input(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a file for reading and writing, and creates it if it does not exist. An existing file keeps its rights.
///
/// # Errors
/// The folder does not exist or is not writable.
pub fn private_file(path: &Path, access: Access) -> io::Result<File> {
    system::open(path, access, Existing::Opened)
}

/// Whether only the owner (and the system itself) may read a file or list a folder.
///
/// # Errors
/// The file or folder does not exist, or its rights cannot be read.
pub fn is_private(path: &Path) -> io::Result<bool> {
    system::is_private(path)
}

/// Whether the error says that another program holds the file open and thereby prevents the access. No [`io::ErrorKind`] stands for that.
pub fn is_held_elsewhere(error: &io::Error) -> bool {
    // ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION, ERROR_USER_MAPPED_FILE. Unix has no such errors.
    cfg!(windows) && error.raw_os_error().is_some_and(|code| [32, 33, 1224].contains(&code))
}

/// Whether the error says that the device failed (a bad disk, a removed stick). No [`io::ErrorKind`] stands for that.
pub fn is_device_failure(error: &io::Error) -> bool {
    // EIO; ERROR_CRC, ERROR_GEN_FAILURE, ERROR_IO_DEVICE.
    let codes: &[i32] = if cfg!(windows) { &[23, 31, 1117] } else { &[5] };
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

/// Creates a folder and its parents, accessible to the user only. An existing folder stays as it is.
///
/// Unix: mode 0700. Windows: an access list that names only the user and inherits nothing; files created inside inherit it.
///
/// # Errors
/// The folder cannot be created.
pub fn private_folder(path: &Path) -> io::Result<()> {
    system::private_folder(path)
}

/// Flushes the folders above a file to the disk, up to and including `root`, so that the file's name survives a power cut.
///
/// # Errors
/// A folder cannot be opened.
pub fn sync_parents(file: &Path, root: &Path) -> io::Result<()> {
    for parent in file.ancestors().skip(1).take_while(|p| p.starts_with(root)) {
        system::sync_folder(parent)?;
    }
    Ok(())
}

/// The folder for the user's data that programs keep besides settings; `None` when the environment names none.
///
/// Windows: `%LOCALAPPDATA%`. macOS: `~/Library/Application Support`. Others: `$XDG_DATA_HOME`, otherwise `~/.local/share`.
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

    #[test]
    fn many_files_appear_together() {
        let folder = tempfile::tempdir().expect("a folder");
        let begun = |name: String| {
            let mut file = AtomicFile::create(&folder.path().join(&name), Access::Private).expect("begun");
            file.write_all(name.as_bytes()).expect("written");
            file
        };
        fs::write(folder.path().join("07"), "old").expect("written");
        AtomicFile::commit_all((0..40).map(|number| begun(format!("{number:02}"))).collect()).expect("written");
        AtomicFile::commit_all(Vec::new()).expect("nothing to do");
        assert_eq!(names(folder.path()), (0..40).map(|number| format!("{number:02}")).collect::<Vec<_>>());
        for name in names(folder.path()) {
            assert_eq!(fs::read_to_string(folder.path().join(&name)).expect("there"), name);
        }
        let in_the_way = folder.path().join("x");
        let file = begun("x".into());
        fs::create_dir_all(in_the_way.join("full")).expect("made");
        let (path, _) = AtomicFile::commit_all(vec![file]).expect_err("a folder is in the way");
        assert_eq!(path, in_the_way);
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
        assert!(error.raw_os_error().is_some(), "what the system said is kept");
    }

    #[test]
    fn personal_data_is_for_the_user_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let within = |name: &str| folder.path().join(name);
        write_atomic(&within("private"), Access::Private, b"x").expect("written");
        write_atomic(&within("shared"), Access::Default, b"x").expect("written");
        drop(private_file(&within("made"), Access::Private).expect("made"));
        private_folder(&within("a/b")).expect("made");
        private_folder(&within("a/b")).expect("there already");
        for name in ["private", "made", "a", "a/b"] {
            assert!(is_private(&within(name)).expect("there"), "{name}");
        }
        assert!(is_private(&within("none")).is_err());
        assert_eq!(fs::read(within("shared")).expect("readable"), b"x");
    }

    #[cfg(unix)]
    #[test]
    fn a_complete_file_takes_the_place_of_one_that_is_being_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("книга");
        fs::write(&target, "old").expect("written");
        let reader = File::open(&target).expect("open");
        write_atomic(&target, Access::Default, b"new").expect("replaced");
        assert_eq!(io::read_to_string(reader).expect("the old bytes"), "old");
        assert_eq!(fs::read(&target).expect("there"), b"new");
    }

    /// Windows accepts at most 259 characters unless the path is in the verbatim form.
    #[test]
    fn paths_may_be_long() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep = (0..6).fold(folder.path().to_owned(), |path, _| path.join("реестры оказанной медицинской помощи за февраль"));
        assert!(deep.to_string_lossy().chars().count() > 260);
        private_folder(&deep).expect("made");
        let target = deep.join("отчёт 1.json");
        write_atomic(&target, Access::Private, b"one").expect("written");
        write_atomic(&target, Access::Private, b"two").expect("replaced");
        assert_eq!(fs::read(&target).expect("there"), b"two");
        assert!(is_private(&target).expect("there"));
        assert_eq!(names(&deep), ["отчёт 1.json"]);
        let real = canonicalize(&target).expect("there");
        assert!(!real.to_string_lossy().starts_with(r"\\?\"), "{}", real.display());
        assert_eq!(fs::read(real).expect("the same"), b"two");
    }

    #[cfg(unix)]
    #[test]
    fn only_files_are_opened() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("HM1.xml");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
        let socket = folder.path().join("HM2.xml");
        let _listening = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        for path in [&*pipe, &*socket, Path::new("/dev/zero")] {
            assert_eq!(open_input(path).expect_err("refused").kind(), io::ErrorKind::NotSeekable, "{}", path.display());
        }
        let link = folder.path().join("HM3.xml");
        std::os::unix::fs::symlink(&pipe, &link).expect("a link");
        assert!(read_input(&link).is_err());
        let file = folder.path().join("HM4.xml");
        fs::write(&file, "x").expect("written");
        assert_eq!(read_input(&file).expect("a file"), b"x");
        assert_eq!(open_input(&folder.path().join("none")).expect_err("nothing").kind(), io::ErrorKind::NotFound);
        // Whatever stands behind it, a pipe of the shell or the terminal: it was given to this program.
        open_input(Path::new("/dev/stdin")).expect("a stream of our own");
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
