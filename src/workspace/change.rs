//! Changes of the store: each is one short transaction under the lock of one clinic. The day's first change writes an entry over all clinics first.

use std::path::PathBuf;
use std::time::Duration;

use super::journal::{DAY, Draft, day_details};
use super::lock::{Lock, Wait};
use super::store::{Clinic, Store};
use super::{Operation, Problem};
use crate::timings::{self, Phase};
use crate::values::Date;
use crate::watch::Watch;

/// How this program takes locks.
#[derive(Debug, Clone)]
pub(super) struct Locks {
    /// The file that is locked for a change of a SQLite store.
    file: PathBuf,
    /// The text that waiting programs show.
    holder: String,
    /// The longest wait for one lock.
    wait: Duration,
    /// The day whose entry is known to be written.
    day: Option<Date>,
}

impl Locks {
    pub(super) fn new(file: PathBuf, holder: &str, wait: Duration) -> Self {
        Self { file, holder: holder.to_owned(), wait, day: None }
    }

    /// The same locks without waiting for them.
    pub(super) fn without_wait(&self) -> Self {
        Self { wait: Duration::ZERO, ..self.clone() }
    }

    /// Changes rows of a clinic in one transaction under its lock. A change of rows must write an entry of the journal.
    ///
    /// # Errors
    /// [`Problem::Busy`] when the wait is over, the watch stopped the wait, or the error of `work`; nothing is changed then.
    pub(super) fn change<T>(
        &mut self,
        store: &mut Store,
        operation: &Operation<'_>,
        mo: &str,
        work: impl FnOnce(&mut Clinic<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        self.write_day(store, operation)?;
        self.locked(store, Some(mo), operation.watch, |store| work(&mut store.of(mo)))
    }

    /// Writes the entry of the day over the journals of all clinics, unless it is written.
    fn write_day(&mut self, store: &mut Store, operation: &Operation<'_>) -> Result<(), Problem> {
        let today = operation.today;
        if self.day == Some(today) {
            return Ok(());
        }
        let subject = today.to_string();
        if !store.has_day(&subject)? && !store.heads()?.is_empty() {
            self.locked(store, None, operation.watch, |store| {
                if store.has_day(&subject)? {
                    return Ok(());
                }
                let details = day_details(&store.heads()?);
                store.append_day(Draft { subject: subject.clone(), ..operation.draft(DAY, details) })
            })?;
        }
        self.day = Some(today);
        Ok(())
    }

    /// Runs `work` in one transaction under the lock of a clinic; `None` is the lock of the daily entries.
    pub(super) fn locked<T>(
        &self,
        store: &mut Store,
        mo: Option<&str>,
        watch: &dyn Watch,
        work: impl FnOnce(&mut Store) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let waiting = timings::span(watch.timings(), Phase::Lock);
        if !store.is_shared() {
            let _lock = Lock::take(&self.file, self.wait, &self.holder, watch)?;
            drop(waiting);
            return store.transaction(|store| {
                store.must_be_current()?;
                work(store)
            });
        }
        let wait = Wait::new(self.wait);
        let mut turn = Some((work, waiting));
        loop {
            let done = store.transaction(|store| {
                if !store.try_lock(mo)? {
                    return Ok(None);
                }
                store.must_be_current()?;
                turn.take()
                    .map(|(work, waiting)| {
                        drop(waiting);
                        work(store)
                    })
                    .transpose()
            })?;
            if let Some(value) = done {
                return Ok(value);
            }
            if !wait.rest(watch)? {
                return Err(Problem::Busy(store.lock_holder(mo)?));
            }
        }
    }
}
