//! Registries.

use super::Store;
use super::row::{table_row, unreadable};
use super::stock::Total;
use crate::values::{Date, Moment, Month};
use crate::workspace::Problem;

table_row! {
    /// A registry.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Registry in "registries" {
        pub(in crate::workspace) id: i64,
        /// NSCHET: the number by which people call it.
        pub number: String,
        /// Id of its status.
        pub status: String,
        /// Since when, RFC 3339.
        pub since: String,
        /// How often it was formed.
        pub revision: i64,
        /// The clinic.
        pub mo: String,
        /// The insurer; empty for a fund.
        pub payer: String,
        /// Who receives the file: `S14002`.
        pub receiver: String,
        /// Letters of its file's name.
        pub letters: String,
        /// Family of its file.
        pub family: String,
        /// Edition of its format.
        pub edition: String,
        /// Kind of care.
        pub kind: String,
        /// Subdivision; empty for all.
        pub subdivision: String,
        /// Reporting month, `YYYY-MM`.
        pub period: String,
        /// DSCHET.
        pub account_date: String,
        /// Name of its package.
        pub file_name: String,
        pub(in crate::workspace) object: String,
        /// Completed cases.
        pub cases: i64,
        /// Persons.
        pub persons: i64,
        /// Their sum, kopecks.
        pub sum: i64,
        /// Cases that the payer took; 0 before it decided.
        pub accepted_cases: i64,
        /// What the payer pays for, kopecks; 0 before it decided.
        pub accepted_sum: i64,
        /// When it was formed last.
        pub formed_at: String,
        /// When it was sent last; empty before.
        pub sent_at: String,
    }
}

impl Registry {
    /// What its cases come to.
    pub(in crate::workspace) fn total(&self) -> Total {
        Total { cases: self.cases, sum: self.sum }
    }

    /// What the payer accepts of it.
    pub(in crate::workspace) fn accepted(&self) -> Total {
        Total { cases: self.accepted_cases, sum: self.accepted_sum }
    }

    /// Its reporting month.
    ///
    /// # Errors
    /// What the store holds is no month.
    pub(in crate::workspace) fn month(&self) -> Result<Month, Problem> {
        self.period.parse().map_err(|_| unreadable("period", &self.period))
    }
}

/// What forming a registry anew changes in it.
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

/// The order of lists: the newest period first.
const ORDER: &str = "ORDER BY period DESC, mo, payer, id";

/// Registries.
pub(in crate::workspace) struct Registries<'s>(pub(super) &'s mut Store);

impl Registries<'_> {
    pub(in crate::workspace) fn insert(&mut self, registry: &Registry) -> Result<(), Problem> {
        self.0.insert(registry)
    }

    /// All registries, the newest period first.
    pub(in crate::workspace) fn all(&mut self) -> Result<Vec<Registry>, Problem> {
        self.0.select(format!("SELECT {} FROM registries {ORDER}", Registry::COLUMNS), &[])
    }

    /// The registry of an id.
    pub(in crate::workspace) fn get(&mut self, id: i64) -> Result<Option<Registry>, Problem> {
        self.0.first(format!("SELECT {} FROM registries WHERE id = $1", Registry::COLUMNS), &[id.into()])
    }

    /// Registries of a number, of a number that begins so, or of a file's name (in whatever case).
    pub(in crate::workspace) fn called(&mut self, number: &str, file: &str) -> Result<Vec<Registry>, Problem> {
        let columns = Registry::COLUMNS;
        let sql =
            format!("SELECT {columns} FROM registries WHERE number = $1 OR UPPER(file_name) = $2 OR ($1 <> '' AND SUBSTR(number, 1, LENGTH($1)) = $1) {ORDER}");
        self.0.select(sql, &[number.into(), file.to_ascii_uppercase().into()])
    }

    /// Registries of a number, or of a file's name (in whatever case) when the file is called `name`, `tail`, or `tail` but for its first letter.
    pub(in crate::workspace) fn of_answer(&mut self, number: &str, name: &str, tail: &str) -> Result<Vec<Registry>, Problem> {
        let columns = Registry::COLUMNS;
        let sql = format!(
            "SELECT {columns} FROM registries WHERE ($1 <> '' AND number = $1) OR ($2 <> '' AND UPPER(file_name) = $2) \
             OR ($3 <> '' AND (UPPER(file_name) = $3 OR SUBSTR(UPPER(file_name), 2) = $3)) {ORDER}"
        );
        self.0.select(sql, &[number.into(), name.to_ascii_uppercase().into(), tail.to_ascii_uppercase().into()])
    }

    /// A registry goes to a status.
    pub(in crate::workspace) fn set_status(&mut self, id: i64, status: &str, since: Moment) -> Result<(), Problem> {
        self.0.execute("UPDATE registries SET status = $1, since = $2 WHERE id = $3", &[status.into(), since.into(), id.into()])?;
        Ok(())
    }

    /// A registry was formed anew: nothing of it is accepted or sent.
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
        self.0.execute(
            "UPDATE registries SET revision = $1, account_date = $2, file_name = $3, object = $4, cases = $5, persons = $6, sum = $7, accepted_cases = 0, \
             accepted_sum = 0, formed_at = $8, sent_at = '' WHERE id = $9",
            &values,
        )?;
        Ok(())
    }

    /// A registry was sent.
    pub(in crate::workspace) fn set_sent(&mut self, id: i64, at: Moment) -> Result<(), Problem> {
        self.0.execute("UPDATE registries SET sent_at = $1 WHERE id = $2", &[at.into(), id.into()])?;
        Ok(())
    }

    /// What the payer accepts of a registry.
    pub(in crate::workspace) fn set_accepted(&mut self, id: i64, accepted: Total) -> Result<(), Problem> {
        self.0
            .execute("UPDATE registries SET accepted_cases = $1, accepted_sum = $2 WHERE id = $3", &[accepted.cases.into(), accepted.sum.into(), id.into()])?;
        Ok(())
    }
}
