//! Counts the sums of a clinic's rows anew, to compare them with those that the journal states.

use super::answers::NewAnswer;
use super::cases::NewCase;
use super::findings::NewFinding;
use super::members::NewMember;
use super::outbox::NewOutgoing;
use super::packages::PackageRow;
use super::registries::Registry;
use super::row::Insert;
use super::sanctions::NewSanction;
use super::sums::{BETWEEN, Part, RowSums, parts};
use super::{Clinic, Store, row::read_row};
use crate::workspace::Problem;

/// Tables that may have a million rows for one clinic, and the column by which they are read piece by piece.
const PIECES: [(&str, &str); 3] = [("cases", "package"), ("findings", "package"), ("members", "registry")];

/// A table whose rows the sums cover.
struct Covered {
    table: &'static str,
    columns: &'static [&'static str],
}

fn covered<'v, T: Insert<'v>>() -> Covered {
    Covered { table: T::TABLE, columns: T::COLUMNS }
}

fn all() -> [Covered; 8] {
    [
        covered::<&PackageRow>(),
        covered::<NewCase<'_>>(),
        covered::<NewFinding<'_>>(),
        covered::<&Registry>(),
        covered::<NewMember<'_>>(),
        covered::<NewSanction<'_>>(),
        covered::<NewAnswer<'_>>(),
        covered::<NewOutgoing<'_>>(),
    ]
}

read_row! {
    struct LineRow {
        line: String,
    }
}

impl Store {
    /// The sums of all rows of a clinic.
    pub(in crate::workspace) fn count_rows(&mut self, mo: &str) -> Result<RowSums, Problem> {
        let mut sums = RowSums::default();
        for Covered { table, columns } in all() {
            sums.merge(&self.count_table(mo, table, &parts(table, columns))?);
        }
        Ok(sums)
    }

    /// The sums of the rows of a clinic in one table.
    pub(super) fn count_table(&mut self, mo: &str, table: &str, parts: &[Part]) -> Result<RowSums, Problem> {
        let Some((_, by)) = PIECES.iter().find(|(name, _)| *name == table) else { return self.count_some(mo, table, parts, "") };
        let mut sums = RowSums::default();
        for piece in self.of(mo).numbers(format!("SELECT DISTINCT {by} FROM {table} WHERE mo = $1"), &[])? {
            sums.merge(&self.count_some(mo, table, parts, &format!(" AND {by} = {piece}"))?);
        }
        Ok(sums)
    }

    /// The sums of those rows that meet a condition, which begins with ` AND `.
    fn count_some(&mut self, mo: &str, table: &str, parts: &[Part], condition: &str) -> Result<RowSums, Problem> {
        let mut sums = RowSums::default();
        for part in parts {
            let line = part.columns.join(" || $2 || ");
            let unless = part.unless_zero.map_or_else(String::new, |column| format!(" AND {column} <> 0"));
            let sql = format!("SELECT {line} AS line FROM {table} WHERE mo = $1{condition}{unless}");
            let rows: Vec<LineRow> = self.of(mo).select(sql, &[BETWEEN.to_string().into()])?;
            sums.add_lines(part.name, rows.iter().map(|row| row.line.as_str()));
        }
        Ok(sums)
    }

    /// Codes of the clinics that have rows in any table, sorted.
    pub(in crate::workspace) fn clinics(&mut self) -> Result<Vec<String>, Problem> {
        let tables: Vec<&str> = all().iter().map(|covered| covered.table).chain(["stock", "counters", "journal"]).collect();
        self.clinics_in(&tables)
    }

    /// Codes of the clinics that have rows in one of these tables, sorted.
    pub(super) fn clinics_in(&mut self, tables: &[&str]) -> Result<Vec<String>, Problem> {
        let union = tables.iter().map(|table| format!("SELECT DISTINCT mo FROM {table}")).collect::<Vec<_>>().join(" UNION ");
        let mut clinics = self.rows(union, &[])?.iter().map(|row| row.get("mo")).collect::<Result<Vec<String>, _>>()?;
        clinics.sort_unstable();
        Ok(clinics)
    }

    /// Packages of a clinic whose counts of cases are not what a new count gives, by id.
    pub(in crate::workspace) fn miscounted(&mut self, mo: &str) -> Result<Vec<i64>, Problem> {
        let kept = "SELECT package, kind, payer, state, blocked, cases, sum FROM stock WHERE mo = $1";
        let counted = "SELECT package, kind, payer, state, CAST(CASE WHEN errors > 0 THEN 1 ELSE 0 END AS BIGINT) AS blocked, \
                       CAST(COUNT(*) AS BIGINT) AS cases, CAST(SUM(sum) AS BIGINT) AS sum \
                       FROM cases WHERE mo = $1 GROUP BY package, kind, payer, state, CASE WHEN errors > 0 THEN 1 ELSE 0 END";
        let mut packages = self.of(mo).numbers(format!("SELECT package FROM ({kept} EXCEPT {counted}) a"), &[])?;
        packages.extend(self.of(mo).numbers(format!("SELECT package FROM ({counted} EXCEPT {kept}) b"), &[])?);
        packages.sort_unstable();
        packages.dedup();
        Ok(packages)
    }
}

impl Clinic<'_> {
    /// Changes rows of a table that were written as `T`, and the sums with them. The condition begins with ` AND ` and holds before and after the change
    /// for the same rows, all that change among them.
    pub(super) fn rewrite<'v, T: Insert<'v>>(&mut self, condition: &str, change: impl FnOnce(&mut Self) -> Result<(), Problem>) -> Result<(), Problem> {
        let (mo, parts) = (self.mo().to_owned(), parts(T::TABLE, T::COLUMNS));
        let before = self.whole().count_some(&mo, T::TABLE, &parts, condition)?;
        change(self)?;
        let after = self.whole().count_some(&mo, T::TABLE, &parts, condition)?;
        self.changed().merge(&after);
        self.changed().take_back(&before);
        Ok(())
    }
}
