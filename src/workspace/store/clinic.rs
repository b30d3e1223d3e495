//! The part of the store that belongs to one clinic. Its queries have the clinic's code as `$1`; their own values begin with `$2`.

use std::borrow::Cow;

use super::Store;
use super::row::{Insert, Read, Row, Value};
use super::statement::{IDS, list};
use super::sums::RowSums;
use crate::watch::{Unwatched, Watch};
use crate::workspace::Problem;

/// The rows of one clinic.
pub(in crate::workspace) struct Clinic<'s> {
    store: &'s mut Store,
    mo: &'s str,
}

impl Store {
    /// The part of a clinic, by its code.
    pub(in crate::workspace) fn of<'s>(&'s mut self, mo: &'s str) -> Clinic<'s> {
        Clinic { store: self, mo }
    }
}

impl Clinic<'_> {
    /// Code of the clinic.
    pub(in crate::workspace) fn mo(&self) -> &str {
        self.mo
    }

    /// The same part, for a table's own methods.
    pub(super) fn again(&mut self) -> Clinic<'_> {
        Clinic { store: self.store, mo: self.mo }
    }

    /// The sums of the rows that this transaction has changed so far.
    pub(super) fn changed(&mut self) -> &mut RowSums {
        &mut self.store.changed
    }

    /// The store as a whole, for what belongs to no clinic.
    pub(super) fn whole(&mut self) -> &mut Store {
        self.store
    }

    /// Runs a statement and returns the number of changed rows.
    pub(super) fn execute(&mut self, sql: impl Into<Cow<'static, str>>, values: &[Value<'_>]) -> Result<u64, Problem> {
        self.store.execute(sql, &with(self.mo, values))
    }

    /// Changes the cases of the clinic that meet a condition; returns their number. `set` and the condition have their own values from `$2` on.
    pub(super) fn update_cases(&mut self, set: &str, condition: &str, values: &[Value<'_>]) -> Result<u64, Problem> {
        let or_fail = self.store.or_fail();
        self.execute(format!("UPDATE {or_fail}cases SET {set} WHERE mo = $1 AND {condition}"), values)
    }

    /// See [`Store::indexed_by`].
    pub(super) fn indexed_by(&self, index: &str) -> String {
        self.store.indexed_by(index)
    }

    /// Runs a query and returns its rows.
    pub(super) fn rows(&mut self, sql: impl Into<Cow<'static, str>>, values: &[Value<'_>]) -> Result<Vec<Row>, Problem> {
        self.store.rows(sql, &with(self.mo, values))
    }

    /// Runs a query and reads its rows into structs.
    pub(super) fn select<T: Read>(&mut self, sql: impl Into<Cow<'static, str>>, values: &[Value<'_>]) -> Result<Vec<T>, Problem> {
        self.store.select(sql, &with(self.mo, values))
    }

    /// Runs a query and reads its first row into a struct; `None` when there is no row.
    pub(super) fn first<T: Read>(&mut self, sql: impl Into<Cow<'static, str>>, values: &[Value<'_>]) -> Result<Option<T>, Problem> {
        self.store.first(sql, &with(self.mo, values))
    }

    /// Runs a query and returns the numbers of the first column.
    pub(super) fn numbers(&mut self, sql: impl Into<Cow<'static, str>>, values: &[Value<'_>]) -> Result<Vec<i64>, Problem> {
        self.store.numbers(sql, &with(self.mo, values))
    }

    /// Runs a query and returns its first number; 0 when there is no row.
    pub(super) fn number(&mut self, sql: impl Into<Cow<'static, str>>, values: &[Value<'_>]) -> Result<i64, Problem> {
        self.store.number(sql, &with(self.mo, values))
    }

    /// Runs queries for many rows that are not needed again; see [`Store::reading_once`].
    pub(super) fn reading_once<T>(&mut self, work: impl FnOnce(&mut Clinic<'_>) -> Result<T, Problem>) -> Result<T, Problem> {
        let mo = self.mo;
        self.store.reading_once(|store| work(&mut Clinic { store, mo }))
    }

    /// Runs a query and returns the text in the column `found` of its first row; empty when there is no row.
    pub(super) fn text(&mut self, sql: impl Into<Cow<'static, str>>, values: &[Value<'_>]) -> Result<String, Problem> {
        self.rows(sql, values)?.first().map_or_else(|| Ok(String::new()), |row| row.get("found"))
    }

    /// Inserts a row.
    pub(super) fn insert<'v, T: Insert<'v> + Send>(&mut self, row: T) -> Result<(), Problem> {
        self.insert_all([row], &Unwatched)
    }

    /// Inserts rows until the watch stops the work.
    pub(super) fn insert_all<'v, T, R>(&mut self, rows: R, watch: &dyn Watch) -> Result<(), Problem>
    where
        T: Insert<'v>,
        R: IntoIterator<Item = T>,
        R::IntoIter: Send,
    {
        let sums = self.store.insert_all(self.mo, rows, watch)?;
        self.store.changed.merge(&sums);
        Ok(())
    }

    /// Runs a statement for many ids in batches: `head` ends with `IN`, the ids follow it. Returns the number of changed rows.
    pub(super) fn for_ids(&mut self, head: &str, ids: &[i64]) -> Result<u64, Problem> {
        let mut changed = 0;
        for batch in ids.chunks(IDS) {
            changed += self.execute(format!("{head} ({})", list(batch)), &[])?;
        }
        Ok(changed)
    }

    /// Runs a query for many ids in batches: `head` ends with `IN`, the ids follow it, then `tail`.
    pub(super) fn select_for_ids<T: Read>(&mut self, head: &str, ids: &[i64], tail: &str) -> Result<Vec<T>, Problem> {
        let mut found = Vec::new();
        for batch in ids.chunks(IDS) {
            found.extend(self.select::<T>(format!("{head} ({}) {tail}", list(batch)), &[])?);
        }
        Ok(found)
    }
}

fn with<'v>(mo: &'v str, own: &[Value<'v>]) -> Vec<Value<'v>> {
    std::iter::once(mo.into()).chain(own.iter().cloned()).collect()
}
