//! Cleans up after a program that was stopped.

use std::path::Path;

use super::store::DueFile;
use super::{Problem, Workspace, objects};

impl Workspace {
    /// Removes files that no row refers to, and writes the files that are due in the outbox. A file that cannot be written there stops nothing
    /// else; [`Workspace::unplaced`] tells it.
    pub(super) fn recover(&mut self) -> Result<(), Problem> {
        self.sweep();
        let _ = objects::sweep_placed(&self.place.outbox());
        self.unplaced = self.place_outgoing()?.into_iter().next().map(|(_, problem)| problem);
        Ok(())
    }

    /// Removes files that no row refers to. A file that cannot be removed now, because another program holds it, is removed by a later command.
    pub(super) fn sweep(&mut self) {
        if let Ok(known) = self.store.kept_files() {
            let _ = self.objects.sweep(&known);
        }
    }

    /// Makes a change; the files that a failed change has kept are removed.
    pub(super) fn sweeping<T>(&mut self, change: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        let outcome = change(self);
        if outcome.is_err() {
            self.sweep();
        }
        outcome
    }

    /// Writes every file that is due in the outbox and not there yet. It may run again: a file is written completely or not at all, and always
    /// with the same bytes. Returns [`Problem::Unplaced`] of each registry whose file could not be written, by the id of the registry.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn place_outgoing(&mut self) -> Result<Vec<(i64, Problem)>, Problem> {
        let mut unplaced = Vec::new();
        for file in self.store.outbox().due()? {
            let target = self.place.root.join(&file.path);
            if let Err(problem) = self.place_one(&file, &target) {
                unplaced.push((file.registry, Problem::Unplaced(file.number, target, Box::new(problem))));
            }
        }
        Ok(unplaced)
    }

    fn place_one(&mut self, file: &DueFile, target: &Path) -> Result<(), Problem> {
        self.objects.place(&file.object, &file.name, target)?;
        self.store.outbox().set_placed(file.registry, file.revision)
    }
}
