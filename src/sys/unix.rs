//! Unix: access rights are file modes.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use super::{Access, Existing};

/// Opens a file for reading and writing, and creates it if it does not exist.
pub(super) fn open(path: &Path, access: Access, existing: Existing) -> io::Result<File> {
    let mode = match access {
        Access::Default => 0o666,
        Access::Private => 0o600,
    };
    File::options().read(true).write(true).create(true).truncate(false).create_new(existing == Existing::Refused).mode(mode).open(path)
}

/// Creates a folder and its parents.
pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Whether neither the group nor others have any rights.
pub(super) fn is_private(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o077 == 0)
}

/// Whether a path names a stream that this program was started with: `/dev/stdin`, or the `/dev/fd/63` of a shell.
pub(super) fn is_own_stream(path: &Path) -> bool {
    path == Path::new("/dev/stdin") || ["/dev/fd", "/proc/self/fd"].iter().any(|streams| path.parent() == Some(Path::new(streams)))
}

/// Renames a file; an existing file with the new name is replaced.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Flushes a folder, so that new names in it survive a power cut.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
