//! Cleans up after a program that was stopped.

use std::path::Path;
use std::{fs, io};

use super::change::Locks;
use super::objects::Staged;
use super::store::DueFile;
use super::{Operation, Problem, Workspace, backup, objects};
use crate::sys::{TEMPORARY, is_file_path};
use crate::watch::{Stopped, Watch};

impl Workspace {
    /// Removes files that no row refers to, and writes the files that are due in the outbox. A file that cannot be written there stops nothing
    /// else; [`Workspace::unplaced`] tells it.
    pub(super) fn recover(&mut self, watch: &dyn Watch) -> Result<(), Problem> {
        self.sweep(watch)?;
        let at_once = self.locks.without_wait();
        for file in self.store.due_files()? {
            match self.place_due(&file, None, &at_once, watch) {
                Ok(()) => {}
                // Another program changes this clinic; a later command places the file.
                Err(Problem::Unplaced(_, _, cause)) if matches!(*cause, Problem::Busy(_)) => {}
                Err(problem) => {
                    Stopped::check(watch)?;
                    self.unplaced.get_or_insert(problem);
                }
            }
        }
        Ok(())
    }

    /// Removes files that no row refers to, unless another program is at work, whose rows may not be stored yet. A file that cannot be removed
    /// now, because another program holds it, is removed by a later command.
    pub(super) fn sweep(&mut self, watch: &dyn Watch) -> Result<(), Problem> {
        let Self { presence, store, objects, place, .. } = self;
        let Some(presence) = presence else { return Ok(()) };
        presence.alone(store, watch, |store| {
            if let Ok(known) = store.kept_files() {
                let _ = objects.sweep(&known.into_keys().collect());
            }
            let _ = objects::sweep_placed(&place.outbox());
            // What a backup or a restoration left that was stopped.
            let _ = sweep_unfinished(&place.memory());
            backup::forget_unfinished(&place.root);
        })
    }

    /// Makes a change; the files that a failed change has kept are removed.
    pub(super) fn sweeping<T>(&mut self, operation: &Operation<'_>, change: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        let outcome = change(self);
        if outcome.is_err() {
            // The error that is told is that of the change.
            let _ = self.sweep(operation.watch);
        }
        outcome
    }

    /// Writes the file of a registry that is due in the outbox, if it is. `staged` is its copy, if it was made before. It may run again: a file is
    /// written completely or not at all, and always with the same bytes.
    ///
    /// # Errors
    /// [`Problem::Unplaced`], or the store cannot be read.
    pub(super) fn place_of(&mut self, mo: &str, registry: i64, staged: Option<Staged>, watch: &dyn Watch) -> Result<(), Problem> {
        let due = self.store.of(mo).outbox().due_of(registry)?;
        let locks = self.locks.clone();
        due.map_or(Ok(()), |file| self.place_due(&file, staged, &locks, watch))
    }

    fn place_due(&mut self, file: &DueFile, staged: Option<Staged>, locks: &Locks, watch: &dyn Watch) -> Result<(), Problem> {
        let target = self.place.root.join(&file.path);
        // A row that another hand has written must not lead out of the workspace.
        if !is_file_path(&file.path) {
            let cause = Problem::Io(target.clone(), io::ErrorKind::InvalidInput.into());
            return Err(Problem::Unplaced(file.number.clone(), target, Box::new(cause)));
        }
        let staged = staged.map_or_else(|| self.objects.stage(&file.object, &file.name, &target), Ok);
        let placed = staged.and_then(|staged| self.place_staged(file, staged, locks, watch));
        placed.map_err(|problem| Problem::Unplaced(file.number.clone(), target, Box::new(problem)))
    }

    /// Gives a copy its name in the outbox, if it is still due there.
    fn place_staged(&mut self, file: &DueFile, staged: Staged, locks: &Locks, watch: &dyn Watch) -> Result<(), Problem> {
        locks.locked(&mut self.store, Some(&file.mo), watch, |store| {
            let mut clinic = store.of(&file.mo);
            if clinic.outbox().due_of(file.registry)?.is_some_and(|due| due.revision == file.revision) {
                staged.place()?;
                clinic.outbox().set_placed(file.registry, file.revision)?;
            }
            Ok(())
        })
    }
}

/// Removes the incomplete files in a folder.
fn sweep_unfinished(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
