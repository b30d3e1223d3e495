//! Windows: access rights are access lists, which a file or folder gets when it is created.
#![allow(
    unsafe_code,
    reason = "std cannot hand the rights of a new file to the system; given afterwards, they would come too late for whoever opened it in between"
)]

use std::ffi::c_void;
use std::fs::{self, File};
use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::path::Path;
use std::ptr::null_mut;
use std::thread;
use std::time::Duration;

use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, GENERIC_READ, GENERIC_WRITE, INVALID_HANDLE_VALUE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSecurityDescriptorToStringSecurityDescriptorW, ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, GetNamedSecurityInfoW,
    SDDL_REVISION_1, SE_FILE_OBJECT,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, GetTokenInformation, OWNER_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_NEW, CreateDirectoryW, CreateFileW, FILE_ATTRIBUTE_NORMAL, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, OPEN_ALWAYS,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::paths::{is_long, verbatim};
use super::{Access, Existing};

/// Errors for a file that another program holds open. Protected files give the second one too; then waiting does not help.
const HELD: [u32; 2] = [ERROR_SHARING_VIOLATION, ERROR_ACCESS_DENIED];

/// How often a rename is repeated while another program holds the file, and the pause between tries. Virus scanners open files that have just
/// been written.
const MOVES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(50);

/// Opens a file for reading and writing, and creates it if it does not exist.
pub(super) fn open(path: &Path, access: Access, existing: Existing) -> io::Result<File> {
    let rights = match access {
        Access::Default => return File::options().read(true).write(true).create(true).truncate(false).create_new(existing == Existing::Refused).open(path),
        Access::Private => Rights::of_the_user(Of::File)?,
    };
    let disposition = match existing {
        Existing::Opened => OPEN_ALWAYS,
        Existing::Refused => CREATE_NEW,
    };
    let name = wide(path)?;
    let share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    // SAFETY: `name` ends with a zero. `name` and `rights` live until the call returns; the system keeps neither.
    let handle =
        unsafe { CreateFileW(name.as_ptr(), GENERIC_READ | GENERIC_WRITE, share, &rights.attributes(), disposition, FILE_ATTRIBUTE_NORMAL, null_mut()) };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is open and has no other owner.
    Ok(unsafe { File::from_raw_handle(handle) })
}

/// Creates a folder and its parents.
pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    let rights = Rights::of_the_user(Of::Folder)?;
    let name = wide(path)?;
    let make = || {
        // SAFETY: as in `open`.
        let made = unsafe { CreateDirectoryW(name.as_ptr(), &rights.attributes()) };
        if made == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    };
    match make() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            private_folder(path.parent().ok_or(error)?)?;
            make().or_else(|error| if path.is_dir() { Ok(()) } else { Err(error) })
        }
        // Another program has created it in the meantime, or it is the root of a drive.
        Err(_) if path.is_dir() => Ok(()),
        made => made,
    }
}

/// Whether the access list allows only the owner and the system's own account.
pub(super) fn is_private(path: &Path) -> io::Result<bool> {
    let text = rights_of(path)?;
    let (owner, list) = text.strip_prefix("O:").and_then(|text| text.split_once("D:")).ok_or(io::ErrorKind::InvalidData)?;
    // The list is written as `P(A;OICI;FA;;;S-1-5-21-…)(…)`: flags, then an entry in brackets for each allowed or denied account.
    let mut entries = list.split('(').skip(1).map(|entry| entry.trim_end_matches(')').split(';'));
    let is_nobody_else = |mut entry: std::str::Split<'_, char>| {
        let kind = entry.next();
        let who = entry.nth(4);
        kind == Some("D") || who.is_some_and(|who| who == owner || who == "SY")
    };
    Ok(list.contains('(') && entries.all(is_nobody_else))
}

/// Whether a path names a stream that this program was started with; no path does here.
pub(super) fn is_own_stream(_path: &Path) -> bool {
    false
}

/// Renames a file; an existing file with the new name is replaced.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let mut left = MOVES;
    loop {
        match fs::rename(from, to) {
            Err(error) if left > 0 && error.raw_os_error().is_some_and(|code| HELD.contains(&(code as u32))) => {
                left -= 1;
                thread::sleep(PAUSE);
            }
            moved => return moved,
        }
    }
}

/// Does nothing: the file system's journal keeps new names over a power cut, and there is no call for it.
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// The kind of object that gets the rights; files created in a folder inherit the folder's rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    File,
    Folder,
}

/// The rights of a file or folder to be created, in memory allocated by the system.
#[derive(Debug)]
struct Rights(PSECURITY_DESCRIPTOR);

impl Rights {
    /// Rights with the user as owner: the user has all rights, nobody else has any, and nothing is inherited from the parent folder (`P`).
    ///
    /// The text names the user and not «the owner»: for an administrator the system would make the group of administrators the owner.
    fn of_the_user(of: Of) -> io::Result<Self> {
        let user = user()?;
        let inheritance = if of == Of::Folder { "OICI" } else { "" };
        let text: Vec<u16> = format!("O:{user}D:P(A;{inheritance};FA;;;{user})\0").encode_utf16().collect();
        let mut descriptor: PSECURITY_DESCRIPTOR = null_mut();
        // SAFETY: `text` ends with a zero. The system stores the address of memory that we then own.
        let made = unsafe { ConvertStringSecurityDescriptorToSecurityDescriptorW(text.as_ptr(), SDDL_REVISION_1, &raw mut descriptor, null_mut()) };
        if made == 0 { Err(io::Error::last_os_error()) } else { Ok(Self(descriptor)) }
    }

    fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES { nLength: size_of::<SECURITY_ATTRIBUTES>() as u32, lpSecurityDescriptor: self.0, bInheritHandle: 0 }
    }

    /// Owner and access list in the notation of the system (SDDL).
    fn text(&self) -> io::Result<String> {
        let mut text = null_mut();
        let wanted = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
        // SAFETY: the descriptor was made by the system, which stores the address of memory that we then own.
        let made = unsafe { ConvertSecurityDescriptorToStringSecurityDescriptorW(self.0, SDDL_REVISION_1, wanted, &raw mut text, null_mut()) };
        if made == 0 { Err(io::Error::last_os_error()) } else { Ok(take_text(text)) }
    }
}

impl Drop for Rights {
    fn drop(&mut self) {
        // SAFETY: the system allocated the memory with `LocalAlloc`, and it is not used after this.
        unsafe { LocalFree(self.0) };
    }
}

/// Owner and access list of a file or folder: `O:S-1-5-21-…D:P(A;;FA;;;S-1-5-21-…)`.
fn rights_of(path: &Path) -> io::Result<String> {
    let name = wide(path)?;
    let mut descriptor: PSECURITY_DESCRIPTOR = null_mut();
    let wanted = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    // SAFETY: `name` ends with a zero. The system stores the address of memory that we then own.
    let error = unsafe { GetNamedSecurityInfoW(name.as_ptr(), SE_FILE_OBJECT, wanted, null_mut(), null_mut(), null_mut(), null_mut(), &raw mut descriptor) };
    if error == 0 { Rights(descriptor).text() } else { Err(io::Error::from_raw_os_error(error as i32)) }
}

/// The security identifier of the user of this process: `S-1-5-21-…`.
fn user() -> io::Result<String> {
    let mut token = null_mut();
    // SAFETY: the pseudo-handle of the own process needs no closing. The system stores a handle that we then own.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is open and has no other owner.
    let token = unsafe { OwnedHandle::from_raw_handle(token) };
    // Room for a TOKEN_USER followed by an identifier of at most 68 bytes, with the alignment of TOKEN_USER.
    let mut answer = [0_u64; 16];
    let mut length = 0;
    // SAFETY: the system writes no more bytes than the size of `answer`.
    let known =
        unsafe { GetTokenInformation(token.as_raw_handle(), TokenUser, answer.as_mut_ptr().cast::<c_void>(), size_of_val(&answer) as u32, &raw mut length) };
    if known == 0 {
        return Err(io::Error::last_os_error());
    }
    let mut text = null_mut();
    // SAFETY: `answer` begins with a TOKEN_USER, and the identifier that it points to is in `answer` too.
    let made = unsafe { ConvertSidToStringSidW((*answer.as_ptr().cast::<TOKEN_USER>()).User.Sid, &raw mut text) };
    if made == 0 { Err(io::Error::last_os_error()) } else { Ok(take_text(text)) }
}

/// Copies a text that the system allocated with `LocalAlloc`, and frees it.
fn take_text(text: *mut u16) -> String {
    // SAFETY: texts of the system end with a zero; this one is not used after it is freed.
    unsafe {
        let length = (0..).take_while(|at| *text.add(*at) != 0).count();
        let taken = String::from_utf16_lossy(std::slice::from_raw_parts(text, length));
        LocalFree(text.cast::<c_void>());
        taken
    }
}

/// A path in the form for system calls, whatever its length.
fn wide(path: &Path) -> io::Result<Vec<u16>> {
    let absolute = std::path::absolute(path)?;
    let mut units: Vec<u16> = match absolute.to_str() {
        Some(text) if is_long(text) => verbatim(text).encode_utf16().collect(),
        _ => absolute.as_os_str().encode_wide().collect(),
    };
    if units.contains(&0) {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    units.push(0);
    Ok(units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_alone_is_let_in() {
        let user = user().expect("somebody");
        assert!(user.starts_with("S-1-"), "{user}");
        let text = |of| Rights::of_the_user(of).expect("made").text().expect("told");
        assert_eq!(text(Of::File), format!("O:{user}D:P(A;;FA;;;{user})"));
        assert_eq!(text(Of::Folder), format!("O:{user}D:P(A;OICI;FA;;;{user})"));
    }

    #[test]
    fn a_file_that_is_held_for_a_moment_is_replaced_all_the_same() {
        use std::os::windows::fs::OpenOptionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let (new, target) = (folder.path().join("new"), folder.path().join("target"));
        fs::write(&new, "new").expect("written");
        fs::write(&target, "old").expect("written");
        let held = File::options().read(true).share_mode(0).open(&target).expect("open");
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(PAUSE * 3);
                drop(held);
            });
            rename(&new, &target).expect("replaced");
        });
        assert_eq!(fs::read(&target).expect("there"), b"new");
    }

    #[test]
    fn the_rights_of_others_are_seen() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("shared");
        fs::write(&file, "x").expect("written");
        assert!(rights_of(&file).expect("told").starts_with("O:S-1-"));
        assert_eq!(rights_of(&folder.path().join("none")).expect_err("not there").kind(), io::ErrorKind::NotFound);
    }
}
