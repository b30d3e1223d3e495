//! What a program that was stopped left behind is put right.

use std::path::Path;

use super::store::DueFile;
use super::{Problem, Workspace, objects};

impl Workspace {
    /// Sweeps files that no row speaks of, and places what is to stand in the outbox; what cannot be placed stops nothing else and is told
    /// by [`Workspace::unplaced`].
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

    /// The outcome of a change; the files that a failed one has kept are removed.
    pub(super) fn swept<T>(&mut self, outcome: Result<T, Problem>) -> Result<T, Problem> {
        if outcome.is_err() {
            // The first failure is the one to tell; what cannot be removed now is removed by the next command.
            let _ = self.sweep();
        }
        outcome
    }

    /// Puts into the outbox what is not there yet. Safe to repeat: a file is placed whole, and the same bytes each time.
    ///
    /// # Errors
    /// [`Problem::Unplaced`] of the first that could not be placed; the others were tried.
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
