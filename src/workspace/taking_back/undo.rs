//! A package that was loaded by mistake is taken back: its cases count as never loaded, and the versions that they replaced count again.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;

use super::{TakingError, UNDO};
use crate::cases::CaseState;
use crate::workspace::note::{JournalNote, record};
use crate::workspace::store::{PackageRow, Reversal};
use crate::workspace::{Operation, Problem, Workspace};

/// A package that could be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unloaded {
    /// Code of the clinic.
    pub mo: String,
    /// Id of the package in the clinic.
    pub id: i64,
    /// Name of its main file, or of the archive.
    pub name: String,
    /// The moment at which it was loaded, in UTC.
    pub loaded_at: String,
    /// The first digits of its SHA-256.
    pub digest: String,
    /// Completed cases in its file.
    pub cases: i64,
}

/// What became of the cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Undone {
    /// Cases that count as never loaded.
    pub cases: u64,
    /// Kopecks.
    pub sum: i64,
    /// Earlier versions that count again.
    pub restored: u64,
}

/// Digits of a digest by which a package can be named.
const DIGITS: usize = 8;

impl Unloaded {
    fn of(row: &PackageRow) -> Self {
        let name = if row.main_entry.is_empty() { &row.main_name } else { &row.main_entry };
        Self {
            mo: row.mo.clone(),
            id: row.id,
            name: name.clone(),
            loaded_at: row.loaded_at.clone(),
            digest: row.main_object.chars().take(DIGITS).collect(),
            cases: row.cases,
        }
    }
}

impl Workspace {
    /// The packages that a name may mean: that of the file or the archive, or the beginning of the SHA-256, at least 8 digits.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn packages_called(&mut self, name: &str) -> Result<Vec<Unloaded>, Problem> {
        let file = Path::new(name).file_name().map_or_else(|| name.to_owned(), |name| name.to_string_lossy().into_owned());
        let is_digest = name.len() >= DIGITS && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let packages = self.store.standing_packages()?;
        let is_called = |row: &&PackageRow| {
            [&row.main_name, &row.main_entry, &row.persons_name, &row.persons_entry].iter().any(|own| own.eq_ignore_ascii_case(&file))
                || (is_digest && row.main_object.starts_with(&name.to_ascii_lowercase()))
        };
        Ok(packages.iter().filter(is_called).map(Unloaded::of).collect())
    }

    /// Takes a package back.
    ///
    /// # Errors
    /// [`TakingError`]: a registry holds cases of it or they were paid, or a later package stands on it.
    pub fn undo_load(&mut self, operation: &Operation<'_>, package: &Unloaded, reason: &str) -> Result<Undone, Problem> {
        let name = package.name.clone();
        self.change(operation, &package.mo, |clinic| {
            let registries = clinic.packages().held_by(package.id)?;
            if !registries.is_empty() {
                return Err(TakingError::InRegistries(name.clone(), registries).into());
            }
            let later = clinic.packages().later_of(package.id)?;
            if !later.is_empty() {
                return Err(TakingError::Later(name.clone(), later).into());
            }
            let reversals = clinic.cases().reversals(package.id)?;
            let ids = clinic.cases().of_package(package.id)?;
            let (sum, ids): (i64, Vec<i64>) = (ids.iter().map(|case| case.sum).sum(), ids.iter().map(|case| case.id).collect());
            clinic.cases().set_aside(CaseState::Undone, &ids)?;
            let mut touched: BTreeSet<i64> = BTreeSet::from([package.id]);
            for refused in [false, true] {
                // A version that a registry held is free now; one whose successor the payer refused has not been corrected.
                let back: Vec<&Reversal> = reversals.iter().filter(|reversal| reversal.refused == refused).collect();
                let state = if refused { CaseState::Refused } else { CaseState::Free };
                clinic.cases().give_back(&back.iter().map(|reversal| reversal.former).collect::<Vec<_>>(), state)?;
                touched.extend(back.iter().map(|reversal| reversal.package));
            }
            // A question whether a case is the same as one that never was is none.
            touched.extend(clinic.cases().free_questions_about(&ids)?);
            clinic.cases().settle_waiting()?;
            clinic.stock().recount(&Vec::from_iter(touched))?;
            clinic.packages().set_undone(package.id, operation.at)?;
            let details = json!({ "cases": ids, "sum": sum, "restored": reversals.len(), "sha256": package.digest, "reason": reason });
            record(clinic, operation, JournalNote { action: UNDO, subject: &name, details, ..JournalNote::default() })?;
            Ok(Undone { cases: ids.len() as u64, sum, restored: reversals.len() as u64 })
        })
    }
}
