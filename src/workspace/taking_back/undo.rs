//! A package that was loaded by mistake is taken back: its cases count as never loaded, and the versions that they replaced count again.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use serde_json::json;

use super::error::TakingError;
use super::kind::UNDO;
use crate::cases::CaseState;
use crate::workspace::note::{JournalNote, record};
use crate::workspace::store::PackageRow;
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
    /// The packages that a name may mean: that of the file or the archive, the beginning of the SHA-256, at least 8 digits, or both: `1a2b3c4d:NAME`.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn packages_called(&mut self, name: &str) -> Result<Vec<Unloaded>, Problem> {
        let is_digest = |text: &str| text.len() >= DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (digest, rest) = match name.split_once(':') {
            Some((digest, rest)) if is_digest(digest) => (Some(digest.to_ascii_lowercase()), rest),
            _ => (None, name),
        };
        let file = Path::new(rest).file_name().map_or_else(|| rest.to_owned(), |name| name.to_string_lossy().into_owned());
        let packages = self.store.standing_packages()?;
        let is_called = |row: &&PackageRow| {
            let is_named =
                [&row.main_name, &row.main_entry, &row.persons_name, &row.persons_entry].iter().any(|own| !own.is_empty() && own.eq_ignore_ascii_case(&file));
            let is_digested = is_digest(rest) && row.main_object.starts_with(&rest.to_ascii_lowercase());
            (is_named || is_digested) && digest.as_ref().is_none_or(|digest| row.main_object.starts_with(digest))
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
            if !clinic.packages().stands(package.id)? {
                return Err(Problem::Overtaken(package.mo.clone()));
            }
            let registries = clinic.packages().held_by(package.id)?;
            if !registries.is_empty() {
                return Err(TakingError::InRegistries(name.clone(), registries).into());
            }
            let later = clinic.packages().later_of(package.id)?;
            if !later.is_empty() {
                return Err(TakingError::Later(name.clone(), later).into());
            }
            let reversals = clinic.cases().reversals(package.id)?;
            let all = clinic.cases().of_package(package.id)?;
            let current: Vec<_> = all.iter().filter(|case| case.state.is_current()).collect();
            let (sum, cases) = (current.iter().map(|case| case.sum).sum::<i64>(), current.len() as u64);
            let ids: Vec<i64> = all.iter().map(|case| case.id).collect();
            let mut touched: BTreeSet<i64> = clinic.cases().packages_of_awaited(&ids)?.into_iter().chain([package.id]).collect();
            clinic.cases().set_aside(CaseState::Undone, &ids)?;
            let former: Vec<i64> = reversals.iter().map(|reversal| reversal.former).collect();
            // A version that a registry held is free now.
            clinic.cases().give_back(&former, CaseState::Free)?;
            touched.extend(reversals.iter().map(|reversal| reversal.package));
            touched.extend(clinic.cases().packages_of_awaited(&former)?);
            // What a payer has refused is refused without its correction, too; what a user has dropped or set aside stays so.
            let of = |state| reversals.iter().filter(|reversal| reversal.state == state).map(|reversal| reversal.former).collect::<Vec<i64>>();
            clinic.cases().refuse_free(&of(CaseState::Refused))?;
            clinic.cases().set_aside(CaseState::Dropped, &of(CaseState::Dropped))?;
            clinic.cases().set_aside_free(&of(CaseState::Aside))?;
            let instead: HashMap<i64, i64> = reversals.iter().map(|reversal| (reversal.later, reversal.former)).collect();
            touched.extend(clinic.cases().turn_questions(&ids, &instead)?);
            clinic.cases().settle_waiting()?;
            clinic.stock().recount(&Vec::from_iter(touched))?;
            clinic.packages().set_undone(package.id, operation.at)?;
            let details = json!({ "cases": ids, "sum": sum, "restored": reversals.len(), "sha256": package.digest, "reason": reason });
            record(clinic, operation, JournalNote { action: UNDO, subject: &name, details, ..JournalNote::default() })?;
            Ok(Undone { cases, sum, restored: reversals.len() as u64 })
        })
    }
}
