//! Packages that were loaded.

use super::Store;
use super::row::{read_row, table_row};
use super::statement::list;
use crate::cases::CaseState::Replaced;
use crate::values::Month;
use crate::workspace::Problem;

table_row! {
    /// A package as loaded: where its files lie and what its head said. What is absent is empty.
    #[derive(Debug, Clone)]
    pub(in crate::workspace) struct PackageRow in "packages" {
        pub(in crate::workspace) id: i64,
        /// SHA-256 of the file that holds the main file.
        pub(in crate::workspace) main_object: String,
        /// Name of the entry of the archive that it is; empty for a file of its own.
        pub(in crate::workspace) main_entry: String,
        /// Index of that entry.
        pub(in crate::workspace) main_index: i64,
        /// Name of the file that was given.
        pub(in crate::workspace) main_name: String,
        /// The same of the person file.
        pub(in crate::workspace) persons_object: String,
        pub(in crate::workspace) persons_entry: String,
        pub(in crate::workspace) persons_index: i64,
        pub(in crate::workspace) persons_name: String,
        /// Letters of the main file's name.
        pub(in crate::workspace) letters: String,
        pub(in crate::workspace) family: String,
        pub(in crate::workspace) edition: String,
        pub(in crate::workspace) persons_edition: String,
        /// Reporting month.
        pub(in crate::workspace) period: Option<Month>,
        /// The clinic.
        pub(in crate::workspace) mo: String,
        /// Who receives the file: `S14002`.
        pub(in crate::workspace) receiver: String,
        /// The insurer of the account.
        pub(in crate::workspace) payer: String,
        /// NSCHET.
        pub(in crate::workspace) account_no: String,
        /// DSCHET, as it stands there.
        pub(in crate::workspace) account_date: String,
        /// Completed cases.
        pub(in crate::workspace) cases: i64,
        /// Their sum, kopecks.
        pub(in crate::workspace) sum: i64,
        /// What the control came to.
        pub(in crate::workspace) verdict: String,
        /// A finding of error grade about the package as a whole keeps its cases out of registries.
        pub(in crate::workspace) blocked: bool,
        pub(in crate::workspace) loaded_at: String,
        /// `user@host`.
        pub(in crate::workspace) loaded_by: String,
        /// What must be the same in all packages of one registry.
        pub(in crate::workspace) binding: String,
    }
}

read_row! {
    /// A package that was loaded before.
    pub(in crate::workspace) struct LoadedBefore {
        pub(in crate::workspace) id: i64,
        pub(in crate::workspace) loaded_at: String,
    }
}

impl PackageRow {
    /// SHA-256 and name of the files that hold the package.
    pub(in crate::workspace) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = [(&*self.main_object, &*self.main_name), (&*self.persons_object, &*self.persons_name)];
        files.into_iter().filter(|(object, _)| !object.is_empty())
    }
}

/// Packages that were loaded.
pub(in crate::workspace) struct Packages<'s>(pub(super) &'s mut Store);

impl Packages<'_> {
    pub(in crate::workspace) fn insert(&mut self, package: &PackageRow) -> Result<(), Problem> {
        self.0.insert(package)
    }

    /// The package of the same bytes: the objects and entries of its main file and its person file.
    pub(in crate::workspace) fn of_content(&mut self, main: (&str, &str), persons: (&str, &str)) -> Result<Option<LoadedBefore>, Problem> {
        self.0.first(
            "SELECT id, loaded_at FROM packages WHERE main_object = $1 AND main_entry = $2 AND persons_object = $3 AND persons_entry = $4",
            &[main.0.into(), main.1.into(), persons.0.into(), persons.1.into()],
        )
    }

    /// Whether a clinic has loaded anything.
    pub(in crate::workspace) fn has_any_of(&mut self, mo: &str) -> Result<bool, Problem> {
        Ok(self.0.number("SELECT CAST(COUNT(*) AS BIGINT) FROM packages WHERE mo = $1", &[mo.into()])? > 0)
    }

    /// Packages of a month that no finding about the whole keeps out, the first loaded first.
    pub(in crate::workspace) fn open_of_period(&mut self, period: Month) -> Result<Vec<PackageRow>, Problem> {
        let columns = PackageRow::COLUMNS;
        self.0.select(format!("SELECT {columns} FROM packages WHERE blocked = 0 AND period = $1 ORDER BY id"), &[period.to_string().into()])
    }

    /// Packages by their ids, but for those that a finding about the whole keeps out.
    pub(in crate::workspace) fn open_with_ids(&mut self, ids: &[i64]) -> Result<Vec<PackageRow>, Problem> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (columns, list) = (PackageRow::COLUMNS, list(ids));
        self.0.select(format!("SELECT {columns} FROM packages WHERE blocked = 0 AND id IN ({list}) ORDER BY id"), &[])
    }

    /// Packages whose cases are not all replaced, in the order in which they were loaded.
    pub(in crate::workspace) fn current(&mut self) -> Result<Vec<PackageRow>, Problem> {
        let columns = PackageRow::COLUMNS;
        let sql =
            format!("SELECT {columns} FROM packages p WHERE EXISTS (SELECT 1 FROM stock s WHERE s.package = p.id AND s.state <> '{Replaced}') ORDER BY id");
        self.0.select(sql, &[])
    }
}
