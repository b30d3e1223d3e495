//! Makes a workspace of a backup: everything is written and verified in a folder beside the place of its memory, which then gets its name.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::configuration::{self, SETTINGS};
use super::container::{Container, broken, is_plain};
use super::error::BackupError;
use super::manifest::{ConfigurationFile, Object, Password, STORE, configuration_entry, object_entry};
use super::{Names, names_in, refuse_parts};
use crate::sys::{self, Access, AtomicFile, Temporary, private_folder};
use crate::watch::{Stopped, Unwatched};
use crate::workspace::journal::JournalHead;
use crate::workspace::lock::Lock;
use crate::workspace::objects::Objects;
use crate::workspace::place::{FOLDER, Place};
use crate::workspace::store::{Migrated, Store, VERSION, Version};
use crate::workspace::verify::verify_store;
use crate::workspace::{Opening, Problem};

/// The folder in which a workspace is put together, below the folder that becomes the workspace.
const UNFINISHED: &str = ".puomp-restore";
const LOCK: &str = "lock";

/// A workspace that was made of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Number of kept files.
    pub files: usize,
    /// Whether the store is a PostgreSQL database, which is restored by its own means.
    pub is_shared: bool,
    /// Names of files that rows of the PostgreSQL database name and the backup does not have; `None` when there was no database to compare with.
    pub missing: Option<Vec<String>>,
    /// What was done about passwords in the configuration when the backup was made.
    pub password: Password,
    /// What was done to the store of an older program.
    pub migrated: Option<Migrated>,
}

/// Makes a new or empty folder a workspace with the content of a backup. `store` is the address of a PostgreSQL database whose rows are compared with the
/// kept files; it can be given only when the backup is that of a workspace on PostgreSQL.
///
/// # Errors
/// The folder is not empty, or the backup is damaged or was not made by this program; the folder is then as it was. The watch stopped the work.
pub fn restore(file: &Path, folder: &Path, store: Option<&str>, opening: &Opening<'_>) -> Result<Restored, Problem> {
    let mut backup = Container::open(file)?;
    if backup.manifest.version > VERSION {
        return Err(Problem::Newer(backup.manifest.version, VERSION));
    }
    let is_shared = backup.manifest.store.is_none();
    if !is_shared && store.is_some() {
        return Err(BackupError::OtherStore.into());
    }
    let site = Site::begin(folder, opening)?;
    let place = site.place();
    private_folder(&place.memory()).map_err(|error| Problem::of_file(folder, error))?;
    let (names, missing, migrated) = if is_shared {
        (listed(&backup), compare(&backup, store)?, None)
    } else {
        let (names, migrated) = restore_store(&mut backup, &place, opening)?;
        (names, None, migrated)
    };
    restore_objects(&mut backup, &place, &names, opening)?;
    for file in backup.manifest.configuration.clone() {
        restore_configuration(&mut backup, &place, &file, opening)?;
    }
    let restored = Restored { files: names.len(), is_shared, missing, password: backup.manifest.password, migrated };
    drop(backup);
    site.finish(opening)?;
    Ok(restored)
}

/// The names of the kept files by their digests, as the list of contents says.
fn listed(backup: &Container) -> Names {
    let of = |object: &Object| (object.sha256.clone(), object.names.iter().cloned().collect());
    backup.manifest.objects.iter().map(of).collect()
}

/// Names of files that rows of a shared store name and the backup does not have; `None` when there is no such store yet.
fn compare(backup: &Container, store: Option<&str>) -> Result<Option<Vec<String>>, Problem> {
    let Some(url) = store else { return Ok(None) };
    let mut store = Store::connect(url)?;
    let kept = match store.version()? {
        Version::Current => store.kept_files()?,
        Version::Newer(found) => return Err(Problem::Newer(found, VERSION)),
        Version::None | Version::Older(_) => return Ok(None),
    };
    store.close();
    let there: BTreeSet<&str> = backup.manifest.objects.iter().map(|object| object.sha256.as_str()).collect();
    let missing: BTreeSet<String> = kept.into_iter().filter(|(sha256, _)| !there.contains(&**sha256)).flat_map(|(_, names)| names).collect();
    Ok(Some(missing.into_iter().collect()))
}

/// Writes the SQLite file, verifies it and brings it up to date; returns the names of the files that its rows name, by digest.
fn restore_store(backup: &mut Container, place: &Place, opening: &Opening<'_>) -> Result<(Names, Option<Migrated>), Problem> {
    let operation = &opening.operation;
    let target = place.store_file();
    let unwritten = |error| Problem::of_file(&target, error);
    let content = backup.manifest.store.clone().ok_or_else(|| BackupError::Entry(STORE.to_owned()))?;
    let mut copy = Temporary::create(&place.memory(), Access::Private).map_err(unwritten)?;
    backup.read(STORE, &content.sha256, &mut |bytes| {
        operation.check()?;
        copy.write_all(bytes).map_err(unwritten)
    })?;
    copy.persist(&target).map_err(unwritten)?;
    let is_current = backup.manifest.version == VERSION;
    Store::open_copy(&target).and_then(|store| looked_at(store, is_current)).map_err(|problem| match problem {
        // No SQLite file at all.
        Problem::Store(error) => BackupError::StoreBroken(error.reason().plain()).into(),
        other => other,
    })?;
    operation.check()?;
    let mut store = place.connect()?;
    let done = proven(&mut store, backup, place, opening);
    // Closed on an error too: on Windows an open file cannot be removed.
    store.close();
    let (names, migrated) = done?;
    let listed = listed(backup);
    if let Some(sha256) = names.keys().find(|sha256| !listed.contains_key(*sha256)).or_else(|| listed.keys().find(|sha256| !names.contains_key(*sha256))) {
        return Err(BackupError::Entry(object_entry(sha256)).into());
    }
    // Rows can be forged, journal and all.
    if let Some((sha256, _)) = names.iter().find(|(_, names)| !names.iter().all(|name| is_plain(name))) {
        return Err(BackupError::Entry(object_entry(sha256)).into());
    }
    Ok((names, migrated))
}

/// Brings the store up to date and verifies it; returns the names of the files that its rows name, by digest.
fn proven(store: &mut Store, backup: &Container, place: &Place, opening: &Opening<'_>) -> Result<(Names, Option<Migrated>), Problem> {
    let operation = &opening.operation;
    let migrated = place.prepare(store, opening)?;
    if migrated.is_some() {
        refuse_parts(store, true)?;
    }
    operation.check()?;
    let head = backup.manifest.head(backup.path())?;
    let verified = verify_store(store, Some(&head))?;
    if !verified.is_sound() {
        return Err(BackupError::CopyUnsound.into());
    }
    // A journal that goes on after the head of the list is not the one that was saved.
    if migrated.is_none() && JournalHead::of(&store.entries(None)?, &head.at) != head {
        return Err(BackupError::OtherJournal.into());
    }
    Ok((names_in(store)?, migrated))
}

fn looked_at(mut store: Store, exactly: bool) -> Result<(), Problem> {
    let done = refuse_parts(&mut store, exactly);
    store.close();
    done
}

/// Writes the kept files.
fn restore_objects(backup: &mut Container, place: &Place, names: &Names, opening: &Opening<'_>) -> Result<(), Problem> {
    let objects = Objects::in_folder(place.objects());
    let path = backup.path().to_owned();
    for (sha256, names) in names {
        let entry = object_entry(sha256);
        let stream = backup.stream(&entry)?;
        let name = names.first().map_or("", String::as_str);
        let kept = objects.keep_stream(stream, name, opening.operation.watch).map_err(|error| broken(&path, error))?;
        if kept.sha256 != *sha256 {
            return Err(BackupError::Changed(entry).into());
        }
    }
    Ok(())
}

fn restore_configuration(backup: &mut Container, place: &Place, file: &ConfigurationFile, opening: &Opening<'_>) -> Result<(), Problem> {
    let target = configuration::target(place, &file.path);
    let unwritten = |error| Problem::of_file(&target, error);
    if let Some(folder) = target.parent() {
        private_folder(folder).map_err(unwritten)?;
    }
    let mut copy = AtomicFile::create(&target, Access::Private).map_err(unwritten)?;
    backup.read(&configuration_entry(&file.path), &file.sha256, &mut |bytes| {
        Stopped::check(opening.operation.watch)?;
        copy.write_all(bytes).map_err(unwritten)
    })?;
    copy.commit().map_err(unwritten)
}

/// The locked folder in which a workspace is put together. When dropped before [`Site::finish`], the folder around it is as it was.
struct Site {
    /// The folder that becomes the workspace.
    root: PathBuf,
    /// Whether it was made for this.
    is_made: bool,
    lock: Option<Lock>,
}

impl Site {
    /// Begins in a new or empty folder. What a stopped program left there is removed.
    fn begin(root: &Path, opening: &Opening<'_>) -> Result<Self, Problem> {
        let unwritten = |error| Problem::of_file(root, error);
        refuse_occupied(root)?;
        let is_made = !root.exists();
        fs::create_dir_all(root).map_err(unwritten)?;
        let mut site = Self { root: root.to_owned(), is_made, lock: None };
        let own = site.own();
        private_folder(&own).map_err(unwritten)?;
        site.lock = Some(Lock::take(&own.join(LOCK), opening.wait, opening.holder, opening.operation.watch)?);
        // Another program may have finished meanwhile.
        refuse_occupied(root)?;
        let place = site.place();
        if place.memory().exists() {
            fs::remove_dir_all(place.memory()).map_err(unwritten)?;
        }
        Ok(site)
    }

    fn own(&self) -> PathBuf {
        self.root.join(UNFINISHED)
    }

    /// The workspace that is put together.
    fn place(&self) -> Place {
        Place { root: self.own(), store: None }
    }

    /// Gives everything its place. The memory comes last: where it is, the workspace is whole.
    fn finish(mut self, opening: &Opening<'_>) -> Result<(), Problem> {
        let unwritten = |error| Problem::of_file(&self.root, error);
        let place = self.place();
        let (settings, target) = (place.root.join(SETTINGS), self.root.join(SETTINGS));
        opening.operation.check()?;
        if target.exists() && fs::read(&target).ok() != fs::read(&settings).ok() {
            return Err(BackupError::Occupied(self.root.clone()).into());
        }
        let memory = place.memory();
        sys::sync_parents(&memory.join(LOCK), &place.root).map_err(unwritten)?;
        let has_settings = settings.exists();
        if has_settings {
            sys::rename(&settings, &target).map_err(unwritten)?;
        }
        if let Err(error) = sys::rename(&memory, &self.root.join(FOLDER)) {
            if has_settings {
                sys::rename(&target, &settings).map_err(unwritten)?;
            }
            return Err(unwritten(error));
        }
        self.is_made = false;
        sys::sync_parents(&self.root.join(FOLDER), &self.root).map_err(unwritten)
    }
}

impl Drop for Site {
    /// Removes what is unfinished. The error that is told is that of the restoration.
    fn drop(&mut self) {
        // On Windows a folder with an open file cannot be removed.
        if self.lock.take().is_some() {
            let _ = fs::remove_dir_all(self.own());
        }
        if self.is_made {
            let _ = fs::remove_dir(&self.root);
        }
    }
}

/// Refuses a folder that is a workspace or has content. What a stopped restoration left is none: its own folder, and `puomp.toml`, which is compared later.
fn refuse_occupied(root: &Path) -> Result<(), Problem> {
    let occupied = || Err(BackupError::Occupied(root.to_owned()).into());
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(_) if root.is_file() => return occupied(),
        entries => entries.map_err(|error| Problem::Unread(root.to_owned(), error))?,
    };
    for entry in entries {
        let entry = entry.map_err(|error| Problem::Unread(root.to_owned(), error))?;
        if entry.file_name() != UNFINISHED && entry.file_name() != SETTINGS {
            return occupied();
        }
    }
    Ok(())
}

/// Removes what a restoration left that was stopped after its work was done, unless another one is running.
pub(in crate::workspace) fn forget_unfinished(root: &Path) {
    let own = root.join(UNFINISHED);
    if own.is_dir()
        && let Ok(lock) = Lock::take(&own.join(LOCK), Duration::ZERO, "", &Unwatched)
    {
        drop(lock);
        let _ = fs::remove_dir_all(own);
    }
}
