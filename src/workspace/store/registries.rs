//! Registries.

use super::row::{Insert as _, table_row, unreadable};
use super::stock::Total;
use super::sums::Summing;
use super::{Clinic, Store};
use crate::values::{Date, Moment, Month};
use crate::workspace::Problem;

table_row! {
    /// A registry.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Registry in "registries" {
        /// Code of the clinic.
        pub mo: String,
        pub(in crate::workspace) id: i64,
        /// NSCHET: the number by which people name the registry.
        pub number: String,
        /// Id of its status.
        pub status: String,
        /// When the registry came into this status, RFC 3339 in UTC.
        pub since: String,
        /// How many times the registry was formed.
        pub revision: i64,
        /// Code of the insurer; empty for a fund.
        pub payer: String,
        /// The receiver of the file, such as `S14002`.
        pub receiver: String,
        /// Letters of its file's name.
        pub letters: String,
        /// Letter of the family of the file.
        pub family: String,
        /// Edition of its format.
        pub edition: String,
        /// Kind of care.
        pub kind: String,
        /// Code of the subdivision; empty for all subdivisions.
        pub subdivision: String,
        /// Reporting month, `YYYY-MM`.
        pub period: String,
        /// DSCHET, `YYYY-MM-DD`.
        pub account_date: String,
        /// Name of the package, without extension.
        pub file_name: String,
        pub(in crate::workspace) object: String,
        /// Completed cases.
        pub cases: i64,
        /// Persons.
        pub persons: i64,
        /// Their sum, kopecks.
        pub sum: i64,
        /// Number of cases that the payer accepted; 0 before its decision.
        pub accepted_cases: i64,
        /// Sum that the payer accepted, kopecks; 0 before its decision.
        pub accepted_sum: i64,
        /// When the registry was last formed, RFC 3339 in UTC.
        pub formed_at: String,
        /// When the registry was last sent, RFC 3339 in UTC; empty if never.
        pub sent_at: String,
    }
}

impl Registry {
    /// What its cases come to.
    pub(in crate::workspace) fn total(&self) -> Total {
        Total { cases: self.cases, sum: self.sum }
    }

    /// Number and sum of the cases that the payer accepted.
    pub(in crate::workspace) fn accepted(&self) -> Total {
        Total { cases: self.accepted_cases, sum: self.accepted_sum }
    }

    /// Its reporting month.
    ///
    /// # Errors
    /// The stored text is not a month.
    pub(in crate::workspace) fn month(&self) -> Result<Month, Problem> {
        self.period.parse().map_err(|_| unreadable("period", &self.period))
    }
}

/// The values of a registry that change when it is formed again.
#[derive(Debug)]
pub(in crate::workspace) struct NewRevision<'r> {
    pub(in crate::workspace) revision: i64,
    /// DSCHET.
    pub(in crate::workspace) account_date: Date,
    pub(in crate::workspace) file_name: &'r str,
    /// SHA-256 of its archive.
    pub(in crate::workspace) object: &'r str,
    pub(in crate::workspace) total: Total,
    pub(in crate::workspace) persons: i64,
    pub(in crate::workspace) formed_at: Moment,
}

/// The order of lists of registries: the newest period first.
const ORDER: &str = "ORDER BY period DESC, mo, payer, id";

/// The registries of a clinic.
pub(in crate::workspace) struct Registries<'s>(pub(super) Clinic<'s>);

impl Registries<'_> {
    pub(in crate::workspace) fn insert(&mut self, registry: &Registry) -> Result<(), Problem> {
        self.0.insert(registry)
    }

    /// The registry of an id.
    pub(in crate::workspace) fn get(&mut self, id: i64) -> Result<Option<Registry>, Problem> {
        self.0.first(format!("SELECT {} FROM registries WHERE mo = $1 AND id = $2", Registry::COLUMNS), &[id.into()])
    }

    /// The registries that hold any of these cases, or have been paid for them.
    pub(in crate::workspace) fn holding(&mut self, cases: &[i64]) -> Result<Vec<Registry>, Problem> {
        let head = format!("SELECT {} FROM registries WHERE mo = $1 AND id IN (SELECT registry FROM cases WHERE mo = $1 AND id IN", Registry::COLUMNS);
        let mut found: Vec<Registry> = self.0.select_for_ids(&head, cases, ")")?;
        found.sort_unstable_by_key(|registry| registry.id);
        found.dedup_by_key(|registry| registry.id);
        Ok(found)
    }

    /// Whether a registry has a file of this name.
    pub(in crate::workspace) fn has_file(&mut self, name: &str) -> Result<bool, Problem> {
        Ok(self.0.number("SELECT CAST(COUNT(*) AS BIGINT) FROM registries WHERE mo = $1 AND file_name = $2", &[name.into()])? > 0)
    }

    /// Sets the status of a registry and the moment since when it holds.
    pub(in crate::workspace) fn set_status(&mut self, id: i64, status: &str, since: Moment) -> Result<(), Problem> {
        self.set("status = $2, since = $3 WHERE mo = $1 AND id = $4", id, &[status.into(), since.into(), id.into()])
    }

    /// Stores a new revision of a registry, which is neither sent nor accepted.
    pub(in crate::workspace) fn set_revision(&mut self, id: i64, new: &NewRevision<'_>) -> Result<(), Problem> {
        let values = [
            new.revision.into(),
            new.account_date.to_string().into(),
            new.file_name.into(),
            new.object.into(),
            new.total.cases.into(),
            new.persons.into(),
            new.total.sum.into(),
            new.formed_at.into(),
            id.into(),
        ];
        self.set(
            "revision = $2, account_date = $3, file_name = $4, object = $5, cases = $6, persons = $7, sum = $8, accepted_cases = 0, accepted_sum = 0, \
             formed_at = $9, sent_at = '' WHERE mo = $1 AND id = $10",
            id,
            &values,
        )
    }

    /// Sets the moment when a registry was sent.
    pub(in crate::workspace) fn set_sent(&mut self, id: i64, at: Moment) -> Result<(), Problem> {
        self.set("sent_at = $2 WHERE mo = $1 AND id = $3", id, &[at.into(), id.into()])
    }

    /// Sets what the payer accepted of a registry.
    pub(in crate::workspace) fn set_accepted(&mut self, id: i64, accepted: Total) -> Result<(), Problem> {
        self.set("accepted_cases = $2, accepted_sum = $3 WHERE mo = $1 AND id = $4", id, &[accepted.cases.into(), accepted.sum.into(), id.into()])
    }

    /// Changes the row of a registry, and its sum.
    fn set(&mut self, change: &str, id: i64, values: &[super::row::Value<'_>]) -> Result<(), Problem> {
        let before = self.sum(id)?;
        self.0.execute(format!("UPDATE registries SET {change}"), values)?;
        let after = self.sum(id)?;
        self.0.changed().take_back(&before);
        self.0.changed().merge(&after);
        Ok(())
    }

    fn sum(&mut self, id: i64) -> Result<super::sums::RowSums, Problem> {
        let registry = self.get(id)?;
        let mut summing = Summing::of::<&Registry>();
        if let Some(registry) = &registry {
            let mut values = Vec::new();
            registry.push(&mut values);
            summing.row(&values);
        }
        Ok(summing.sums())
    }
}

impl Store {
    /// All registries, the newest period first.
    pub(in crate::workspace) fn all_registries(&mut self) -> Result<Vec<Registry>, Problem> {
        self.select(format!("SELECT {} FROM registries {ORDER}", Registry::COLUMNS), &[])
    }

    /// Registries with this number, with a number that begins with this text, or with a file of this name (case is ignored).
    pub(in crate::workspace) fn registries_called(&mut self, number: &str, file: &str) -> Result<Vec<Registry>, Problem> {
        let columns = Registry::COLUMNS;
        let sql =
            format!("SELECT {columns} FROM registries WHERE number = $1 OR UPPER(file_name) = $2 OR ($1 <> '' AND SUBSTR(number, 1, LENGTH($1)) = $1) {ORDER}");
        self.select(sql, &[number.into(), file.to_ascii_uppercase().into()])
    }

    /// Registries with this number, or with a file named `name`, `tail`, or `tail` after any first letter (case is ignored). Empty texts match
    /// nothing.
    pub(in crate::workspace) fn registries_of_answer(&mut self, number: &str, name: &str, tail: &str) -> Result<Vec<Registry>, Problem> {
        let columns = Registry::COLUMNS;
        let sql = format!(
            "SELECT {columns} FROM registries WHERE ($1 <> '' AND number = $1) OR ($2 <> '' AND UPPER(file_name) = $2) \
             OR ($3 <> '' AND (UPPER(file_name) = $3 OR SUBSTR(UPPER(file_name), 2) = $3)) {ORDER}"
        );
        self.select(sql, &[number.into(), name.to_ascii_uppercase().into(), tail.to_ascii_uppercase().into()])
    }
}
