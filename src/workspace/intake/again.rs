//! Packages that an earlier program loaded are read once more from their kept files, for what that program did not remember of a case.

use serde_json::json;

use crate::cases::READING;
use crate::flk::Verdict;
use crate::registry::format::Role;
use crate::registry::package::{Input, Package, discover};
use crate::registry::source::{DiskFile, Source};
use crate::workspace::note::{JournalNote, record};
use crate::workspace::store::{PackageRow, Particulars};
use crate::workspace::{Operation, Problem, Tools, Workspace};

/// The action in the journal.
const ACTION: &str = "read-again";

impl Workspace {
    /// Whether there are packages of which less is known than this program reads.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn has_unread(&mut self) -> Result<bool, Problem> {
        Ok(!self.store.packages_read_before(READING)?.is_empty())
    }

    /// Reads the packages again of which less is known than this program reads, once for an opened workspace. [`Workspace::unread`] tells which could not be.
    ///
    /// # Errors
    /// The store cannot be changed, or the work was stopped; packages that were read before that remain so.
    pub fn read_again(&mut self, operation: &Operation<'_>, tools: Tools<'_>) -> Result<(), Problem> {
        if std::mem::replace(&mut self.is_read_again, true) {
            return Ok(());
        }
        for row in self.store.packages_read_before(READING)? {
            operation.check()?;
            let is_whole = match self.objects.check_all(row.files()) {
                Err(Problem::Damaged(_)) => false,
                checked => checked.map(|()| true)?,
            };
            if !is_whole || !self.read_package_again(operation, &row, tools)? {
                self.unread.push(if row.main_entry.is_empty() { row.main_name } else { row.main_entry });
            }
        }
        Ok(())
    }

    /// Returns whether the package and all of its cases were found in its files.
    fn read_package_again(&mut self, operation: &Operation<'_>, row: &PackageRow, tools: Tools<'_>) -> Result<bool, Problem> {
        let mut inputs: Vec<Input> = Vec::new();
        for (object, name) in row.files() {
            let file = DiskFile::kept(self.objects.local(object, name)?, name);
            if inputs.iter().all(|input| input.file != file) {
                inputs.push(Input::kept(file));
            }
        }
        let is_it = |package: &Package| {
            package.main.as_ref().is_some_and(|main| match &main.source {
                Source::Entry { name, .. } => *name == row.main_entry,
                Source::File(file) => row.main_entry.is_empty() && file.name() == row.main_name,
            })
        };
        let Some(package) = discover(&inputs, tools.formats, &tools.config.archives).into_iter().find(is_it) else { return Ok(false) };
        let (report, cases, persons) = tools.checker.package_with_cases(&package, tools.config, operation.watch).map_err(Problem::Stream)?;
        if report.verdict == Verdict::Rejected {
            return Ok(false);
        }
        let (locks, store, identity) = (&mut self.locks, &mut self.store, &self.tables.identity);
        locks.change(store, operation, &row.mo, |clinic| {
            // Where the cases begin in the main file, and their ids.
            let stored = clinic.cases().begins(row.id)?;
            let (mut found, mut read) = (0, 0);
            for batch in cases.batches() {
                found += batch?.cases()?.iter().map(|case| of_place(&stored, case.case.start).len()).sum::<usize>();
            }
            if found < stored.len() {
                return Ok(false);
            }
            clinic.cases().rewrite_package(row.id, |clinic| {
                for batch in cases.batches() {
                    let batch = batch?;
                    for case in batch.cases()? {
                        for (_, id) in of_place(&stored, case.case.start) {
                            let person = persons.find(case.value(Role::IdPac)).map(|at| &persons.all()[at as usize]);
                            let keys = identity.keys(&row.mo, &case, person);
                            let particulars = Particulars {
                                id: *id,
                                resemblance: keys.resemblance,
                                person: keys.person,
                                history: case.value(Role::History),
                                doctor: case.value(Role::Doctor),
                                unit: case.value(Role::Unit),
                                profile: case.value(Role::Profile),
                                conditions: case.value(Role::Conditions),
                            };
                            clinic.cases().set_particulars(&particulars, operation.watch)?;
                            read += 1;
                        }
                    }
                }
                Ok(())
            })?;
            clinic.packages().set_reading(row.id, READING)?;
            let details = json!({ "cases": read, "reading": READING });
            record(clinic, operation, JournalNote { action: ACTION, subject: &row.main_name, details, ..JournalNote::default() })?;
            Ok(true)
        })
    }
}

/// The cases that begin at an offset: `stored` are offsets and ids in ascending order.
fn of_place(stored: &[(u64, i64)], offset: u64) -> &[(u64, i64)] {
    let first = stored.partition_point(|(begin, _)| *begin < offset);
    let count = stored[first..].iter().take_while(|(begin, _)| *begin == offset).count();
    &stored[first..first + count]
}
