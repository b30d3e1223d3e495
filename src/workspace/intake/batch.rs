//! Loads many packages with few waits for the disk: a small package is controlled in a fraction of the time that its five flushes would take.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use super::{Kept, Loaded, Loading, Outcome};
use crate::registry::package::Package;
use crate::sys::{side_by_side, sync_file, sync_parents};
use crate::watch::Stopped;
use crate::workspace::{FindingFilter, Operation, Problem, Tools, Workspace};

impl Workspace {
    /// Loads packages one after another, each like [`Workspace::load`] in a transaction of its own. Their files are kept at the same time, and the store is
    /// flushed once at the end: what was loaded is safe from a power cut when this returns.
    ///
    /// # Errors
    /// See [`Workspace::load`]; packages before the one that failed are loaded then.
    pub fn load_all(
        &mut self,
        operation: &Operation<'_>,
        packages: &[Package],
        tools: Tools<'_>,
        loading: Loading,
        filter: FindingFilter<'_>,
    ) -> Result<Vec<Loaded>, Problem> {
        // Cases are compared with all that is known of the stored ones.
        self.read_again(operation, tools)?;
        let loaded = self.sweeping(operation, |this| {
            let kept = this.keep_ahead(operation, packages)?;
            this.flushing_once(|this| {
                let each = packages.iter().map(|package| {
                    let own = containers(package).filter_map(|file| Some((file.to_owned(), kept.get(file)?.clone()))).collect();
                    this.load_kept(operation, package, tools, loading, filter, own)
                });
                each.collect::<Result<Vec<Loaded>, Problem>>()
            })
        })?;
        if loaded.iter().any(|one| matches!(one.outcome, Outcome::Rejected | Outcome::Foreign | Outcome::ThirdFile)) {
            self.sweep(operation.watch)?;
        }
        Ok(loaded)
    }

    /// Keeps the files of packages. One that cannot be kept is left out here: the load of its package tells why.
    fn keep_ahead(&self, operation: &Operation<'_>, packages: &[Package]) -> Result<HashMap<PathBuf, Kept>, Problem> {
        let files: BTreeSet<&Path> = packages.iter().filter(|package| package.main.is_some()).flat_map(containers).collect();
        let mut files: Vec<(&Path, Option<Kept>)> = files.into_iter().map(|file| (file, None)).collect();
        let (objects, watch) = (&self.objects, operation.watch);
        side_by_side(&mut files, |(file, kept)| {
            *kept = match objects.keep(file, watch) {
                Err(error) if Stopped::is(&error) => return Err(Problem::Stream(error)),
                result => result.ok(),
            };
            Ok(())
        })?;
        Ok(files.into_iter().filter_map(|(file, kept)| Some((file.to_owned(), kept?))).collect())
    }

    /// Runs changes that do not wait for the disk one by one; afterwards all of them are on the disk, also when `work` fails.
    fn flushing_once<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        if self.store.is_shared() {
            return work(self);
        }
        self.store.wait_for_disk(false)?;
        let done = work(self);
        self.store.wait_for_disk(true)?;
        let mut log = self.place.store_file().into_os_string();
        log.push("-wal");
        let log = PathBuf::from(log);
        match sync_file(&log) {
            // All of it has been written back into the store, which SQLite flushes itself.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            flushed => flushed.map_err(|error| Problem::Io(log.clone(), error))?,
        }
        // The log may have been made just now.
        sync_parents(&log, &self.place.memory()).map_err(|error| Problem::Io(log, error))?;
        done
    }
}

/// The files on the disk that hold the members of a package.
fn containers(package: &Package) -> impl Iterator<Item = &Path> {
    [&package.main, &package.persons].into_iter().flatten().map(|member| member.source.container())
}
