//! Cleans up after a program that was stopped.

use std::path::Path;

use super::store::DueFile;
use super::{Problem, Workspace, objects};

impl Workspace {
    /// Removes files that no row refers to, and writes the files that are due in the outbox. A file that cannot be written there stops nothing
    /// else; [`Workspace::unplaced`] tells it.
    pub(super) fn recover(&mut self) -> Result<(), Problem> {
        self.sweep()?;
        let outbox = self.place.outbox();
        objects::sweep_placed(&outbox).map_err(|e| Problem::Io(outbox, e))?;
        self.unplaced = match self.place_outgoing() {
            Err(problem @ Problem::Unplaced(..)) => Some(problem),
            placed => placed.map(|()| None)?,
        };
        Ok(())
    }

    fn sweep(&mut self) -> Result<(), Problem> {
        let known = self.store.kept_files()?;
        self.objects.sweep(&known).map_err(|e| Problem::Io(self.place.memory(), e))?;
        Ok(())
    }

    /// Returns the outcome of a change; if it failed, removes the files that the change has kept.
    pub(super) fn swept<T>(&mut self, outcome: Result<T, Problem>) -> Result<T, Problem> {
        if outcome.is_err() {
            // Report the first failure; the next command removes what cannot be removed now.
            let _ = self.sweep();
        }
        outcome
    }

    /// Writes the files that are due in the outbox. Repeating it is safe: each file is written completely, with the same bytes each time.
    ///
    /// # Errors
    /// [`Problem::Unplaced`] for the first file that could not be written; the others are tried too.
    pub(super) fn place_outgoing(&mut self) -> Result<(), Problem> {
        let mut first = None;
        for file in self.store.outbox().due()? {
            let target = self.place.root.join(&file.path);
            if let Err(problem) = self.place_one(&file, &target) {
                first.get_or_insert(Problem::Unplaced(file.number, target, Box::new(problem)));
            }
        }
        first.map_or(Ok(()), Err)
    }

    fn place_one(&mut self, file: &DueFile, target: &Path) -> Result<(), Problem> {
        self.objects.place(&file.object, &file.name, target)?;
        self.store.outbox().set_placed(file.registry, file.revision)
    }
}
