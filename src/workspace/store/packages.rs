//! Packages that were loaded.

use super::row::{read_row, table_row};
use super::standing::was_never;
use super::statement::list;
use super::{Clinic, Store};
use crate::cases::CaseState::{Dropped, Held, Paid, Question, Replaced, Undone};
use crate::flk::Verdict;
use crate::values::{Moment, Month};
use crate::workspace::Problem;

table_row! {
    /// A loaded package: where its files are kept and the values of its head. Absent texts are empty.
    #[derive(Debug, Clone)]
    pub(in crate::workspace) struct PackageRow in "packages" {
        /// Code of the clinic.
        pub(in crate::workspace) mo: String,
        pub(in crate::workspace) id: i64,
        /// SHA-256 of the file or archive that holds the main file.
        pub(in crate::workspace) main_object: String,
        /// Name of the main file's entry in the archive; empty for a file outside an archive.
        pub(in crate::workspace) main_entry: String,
        /// Index of that entry.
        pub(in crate::workspace) main_index: i64,
        /// Name of the file that was given.
        pub(in crate::workspace) main_name: String,
        /// The same four values of the person file; empty without one.
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
        /// The receiver of the file, such as `S14002`.
        pub(in crate::workspace) receiver: String,
        /// The insurer of the account.
        pub(in crate::workspace) payer: String,
        /// NSCHET.
        pub(in crate::workspace) account_no: String,
        /// DSCHET as written in the file.
        pub(in crate::workspace) account_date: String,
        /// Completed cases.
        pub(in crate::workspace) cases: i64,
        /// Their sum, kopecks.
        pub(in crate::workspace) sum: i64,
        /// Verdict of the control.
        pub(in crate::workspace) verdict: String,
        /// Whether a finding of severity `error` about the whole package keeps its cases out of registries.
        pub(in crate::workspace) blocked: bool,
        pub(in crate::workspace) loaded_at: String,
        /// `user@host`.
        pub(in crate::workspace) loaded_by: String,
        /// Values of the head, `path=value` a line, that must be equal in all packages of a registry.
        pub(in crate::workspace) binding: String,
        /// The moment at which the package was taken back; empty for one that counts.
        pub(in crate::workspace) undone: String,
        /// The version of the reading of its cases ([`crate::cases::READING`]); 0 for a package of an earlier program.
        pub(in crate::workspace) reading: i64,
    }
}

read_row! {
    /// A package that was loaded before.
    pub(in crate::workspace) struct LoadedBefore {
        /// Code of the clinic.
        pub(in crate::workspace) mo: String,
        pub(in crate::workspace) id: i64,
        pub(in crate::workspace) loaded_at: String,
        /// Verdict of the control then.
        verdict: String,
        /// Name of the kept file that holds the main file.
        pub(in crate::workspace) main_name: String,
        /// Name of the kept file that holds the person file; empty without one.
        pub(in crate::workspace) persons_name: String,
    }
}

impl LoadedBefore {
    /// The verdict of the control when it was loaded. A word that this program does not know counts as errors.
    pub(in crate::workspace) fn verdict(&self) -> Verdict {
        [Verdict::Clean, Verdict::Warnings, Verdict::Rejected].into_iter().find(|verdict| verdict.as_str() == self.verdict).unwrap_or(Verdict::Errors)
    }
}

impl PackageRow {
    /// SHA-256 and name of the files that hold the package.
    pub(in crate::workspace) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = [(&*self.main_object, &*self.main_name), (&*self.persons_object, &*self.persons_name)];
        files.into_iter().filter(|(object, _)| !object.is_empty())
    }
}

/// Packages of a clinic that were loaded.
pub(in crate::workspace) struct Packages<'s>(pub(super) Clinic<'s>);

impl Packages<'_> {
    pub(in crate::workspace) fn insert(&mut self, package: &PackageRow) -> Result<(), Problem> {
        self.0.insert(package)
    }

    /// Whether any package of the clinic was loaded.
    pub(in crate::workspace) fn has_any(&mut self) -> Result<bool, Problem> {
        Ok(self.0.number("SELECT CAST(COUNT(*) AS BIGINT) FROM packages WHERE mo = $1", &[])? > 0)
    }

    /// The package with the same bytes; see [`Store::package_of_content`].
    pub(in crate::workspace) fn of_content(&mut self, main: (&str, &str), persons: (&str, &str)) -> Result<Option<LoadedBefore>, Problem> {
        self.0.whole().package_of_content(main, persons)
    }

    /// Numbers of the registries that hold cases of a package or have been paid for them.
    pub(in crate::workspace) fn held_by(&mut self, package: i64) -> Result<Vec<String>, Problem> {
        let sql = format!(
            "SELECT DISTINCT r.number AS name FROM cases c JOIN registries r ON r.mo = c.mo AND r.id = c.registry \
             WHERE c.mo = $1 AND c.package = $2 AND c.state IN ('{Held}', '{Paid}') ORDER BY name"
        );
        self.names(sql, package)
    }

    /// Names of the packages that were loaded after this one and stand on it, the last one first: they replaced a case of it, or have cases that were known
    /// when they were loaded, which may be its cases.
    pub(in crate::workspace) fn later_of(&mut self, package: i64) -> Result<Vec<String>, Problem> {
        let sql = format!(
            "SELECT substr(p.main_object, 1, 8) || ':' || CASE WHEN p.main_entry = '' THEN p.main_name ELSE p.main_entry END AS name FROM packages p WHERE p.mo = $1 AND p.id > $2 AND p.undone = '' \
             AND (p.cases > (SELECT CAST(COALESCE(SUM(s.cases), 0) AS BIGINT) FROM stock s WHERE s.mo = p.mo AND s.package = p.id) \
             OR EXISTS (SELECT 1 FROM cases c JOIN cases o ON o.mo = c.mo AND o.id = c.replaces \
             WHERE c.mo = p.mo AND c.package = p.id AND c.replaces <> 0 AND {} AND o.package = $2)) ORDER BY p.id DESC",
            was_never("c", Question)
        );
        self.names(sql, package)
    }

    fn names(&mut self, sql: String, package: i64) -> Result<Vec<String>, Problem> {
        self.0.rows(sql, &[package.into()])?.iter().map(|row| row.get("name")).collect()
    }

    /// Whether a package counts.
    pub(in crate::workspace) fn stands(&mut self, package: i64) -> Result<bool, Problem> {
        Ok(self.0.number("SELECT CAST(COUNT(*) AS BIGINT) FROM packages WHERE mo = $1 AND id = $2 AND undone = ''", &[package.into()])? > 0)
    }

    /// Notes the moment at which a package was taken back.
    pub(in crate::workspace) fn set_undone(&mut self, package: i64, at: Moment) -> Result<(), Problem> {
        self.0.rewrite::<&PackageRow>(&format!(" AND id = {package}"), |clinic| {
            clinic.execute("UPDATE packages SET undone = $2 WHERE mo = $1 AND id = $3", &[at.into(), package.into()]).map(drop)
        })
    }

    /// Notes by which version of the reading its cases were read.
    pub(in crate::workspace) fn set_reading(&mut self, package: i64, reading: i64) -> Result<(), Problem> {
        self.0.rewrite::<&PackageRow>(&format!(" AND id = {package}"), |clinic| {
            clinic.execute("UPDATE packages SET reading = $2 WHERE mo = $1 AND id = $3", &[reading.into(), package.into()]).map(drop)
        })
    }

    /// Packages with these ids, without those blocked by a finding about the whole package.
    pub(in crate::workspace) fn open_with_ids(&mut self, ids: &[i64]) -> Result<Vec<PackageRow>, Problem> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (columns, list) = (PackageRow::COLUMNS, list(ids));
        self.0.select(format!("SELECT {columns} FROM packages WHERE mo = $1 AND blocked = 0 AND undone = '' AND id IN ({list}) ORDER BY id"), &[])
    }
}

impl Store {
    /// The package with the same bytes, by the SHA-256 and the entry of its main file and of its person file.
    pub(in crate::workspace) fn package_of_content(&mut self, main: (&str, &str), persons: (&str, &str)) -> Result<Option<LoadedBefore>, Problem> {
        self.first(
            "SELECT mo, id, loaded_at, verdict, main_name, persons_name FROM packages \
             WHERE main_object = $1 AND main_entry = $2 AND persons_object = $3 AND persons_entry = $4 AND undone = ''",
            &[main.0.into(), main.1.into(), persons.0.into(), persons.1.into()],
        )
    }

    /// Packages of a reporting month without a blocking finding about the whole package, by clinic in the order of loading; only those of one clinic if
    /// its code is given.
    pub(in crate::workspace) fn open_packages(&mut self, period: Month, mo: Option<&str>) -> Result<Vec<PackageRow>, Problem> {
        let columns = PackageRow::COLUMNS;
        let sql = format!("SELECT {columns} FROM packages WHERE blocked = 0 AND undone = '' AND period = $1 AND ($2 = 0 OR mo = $3) ORDER BY mo, id");
        self.select(sql, &[period.to_string().into(), mo.is_some().into(), mo.unwrap_or_default().into()])
    }

    /// Packages whose cases were read by an earlier version of the reading, by clinic in the order of loading.
    pub(in crate::workspace) fn packages_read_before(&mut self, reading: i64) -> Result<Vec<PackageRow>, Problem> {
        let columns = PackageRow::COLUMNS;
        self.select(format!("SELECT {columns} FROM packages WHERE undone = '' AND reading < $1 ORDER BY mo, id"), &[reading.into()])
    }

    /// Packages that count, by clinic in the order of loading.
    pub(in crate::workspace) fn standing_packages(&mut self) -> Result<Vec<PackageRow>, Problem> {
        let columns = PackageRow::COLUMNS;
        self.select(format!("SELECT {columns} FROM packages WHERE undone = '' ORDER BY mo, id"), &[])
    }

    /// Packages that have cases which count, by clinic in the order of loading.
    pub(in crate::workspace) fn current_packages(&mut self) -> Result<Vec<PackageRow>, Problem> {
        let columns = PackageRow::COLUMNS;
        let sql = format!(
            "SELECT {columns} FROM packages p WHERE EXISTS \
             (SELECT 1 FROM stock s WHERE s.mo = p.mo AND s.package = p.id AND s.state NOT IN ('{Replaced}', '{Dropped}', '{Undone}')) \
             ORDER BY mo, id"
        );
        self.select(sql, &[])
    }
}
