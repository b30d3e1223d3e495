//! Runs SQL statements with their values. This is the only place that waits for sqlx's futures.
//!
//! The text of a statement is written by this library alone; anything that comes from a user is passed as a value.

use std::borrow::Cow;
use std::sync::{Arc, mpsc};
use std::thread;

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Executor as _, SqlSafeStr};

use super::Store;
use super::row::{Insert, Read, Row, Value};
use super::sums::{RowSums, Summing};
use crate::watch::{Stopped, Watch};
use crate::workspace::Problem;

/// Parameters of one statement at most: SQLite takes 32,766, PostgreSQL 65,535.
const PARAMETERS: usize = 2_600;
/// A statement of this length holds a list of ids and will not come again, so the driver need not remember it.
const LONG: usize = 4_000;
/// The largest number of ids in the text of one statement.
pub(super) const IDS: usize = 10_000;

impl Store {
    /// What stands after the first word of a statement that changes many rows. `OR FAIL` keeps SQLite from copying each page before the change in
    /// order to undo one statement alone; a failure ends the whole transaction anyway. PostgreSQL has no such word and needs none.
    pub(super) fn or_fail(&self) -> &'static str {
        if self.shared { "" } else { "OR FAIL " }
    }

    /// What makes SQLite search an index. For a long list of keys it would rather read all cases of the clinic each time, because its keys begin with the
    /// clinic too. PostgreSQL counts its rows and chooses by itself.
    pub(super) fn indexed_by(&self, index: &str) -> String {
        if self.shared { String::new() } else { format!(" INDEXED BY {index}") }
    }

    pub(super) fn raw(&mut self, sql: &'static str) -> Result<(), Problem> {
        self.runtime.block_on(self.connection.execute(sqlx::raw_sql(sql)))?;
        Ok(())
    }

    /// Runs several statements without values.
    pub(super) fn raw_owned(&mut self, sql: String) -> Result<(), Problem> {
        self.runtime.block_on(self.connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))))?;
        Ok(())
    }

    /// Runs a statement and returns the number of changed rows.
    pub(super) fn execute(&mut self, sql: impl Into<Cow<'static, str>>, values: &[Value<'_>]) -> Result<u64, Problem> {
        let sql = sql.into();
        let is_kept = sql.len() < LONG;
        let query = bind(AssertSqlSafe(sql), values.iter().cloned()).persistent(is_kept);
        Ok(self.runtime.block_on(query.execute(&mut self.connection))?.rows_affected())
    }

    /// Runs a query and returns its rows.
    pub(super) fn rows(&mut self, sql: impl Into<Cow<'static, str>>, values: &[Value<'_>]) -> Result<Vec<Row>, Problem> {
        let sql = sql.into();
        let is_kept = sql.len() < LONG;
        let query = bind(AssertSqlSafe(sql), values.iter().cloned()).persistent(is_kept);
        Ok(self.runtime.block_on(query.fetch_all(&mut self.connection))?.into_iter().map(Row).collect())
    }

    /// Runs a query and reads its rows into structs.
    pub(super) fn select<T: Read>(&mut self, sql: impl Into<Cow<'static, str>>, values: &[Value<'_>]) -> Result<Vec<T>, Problem> {
        self.rows(sql, values)?.iter().map(T::of).collect()
    }

    /// Runs a query and reads its first row into a struct; `None` when there is no row.
    pub(super) fn first<T: Read>(&mut self, sql: impl Into<Cow<'static, str>>, values: &[Value<'_>]) -> Result<Option<T>, Problem> {
        self.rows(sql, values)?.first().map(T::of).transpose()
    }

    /// Runs a query and returns the numbers of the first column.
    pub(super) fn numbers(&mut self, sql: impl Into<Cow<'static, str>>, values: &[Value<'_>]) -> Result<Vec<i64>, Problem> {
        self.rows(sql, values)?.iter().map(Row::number).collect()
    }

    /// Runs a query and returns its first number; 0 when there is no row.
    pub(super) fn number(&mut self, sql: impl Into<Cow<'static, str>>, values: &[Value<'_>]) -> Result<i64, Problem> {
        self.rows(sql, values)?.first().map_or(Ok(0), Row::number)
    }

    /// Inserts rows of a clinic, many with one statement, until the watch stops the work. The next rows are prepared in another thread while the
    /// store inserts. Returns the sums of the inserted rows.
    pub(super) fn insert_all<'v, T, R>(&mut self, mo: &str, rows: R, watch: &dyn Watch) -> Result<RowSums, Problem>
    where
        T: Insert<'v>,
        R: IntoIterator<Item = T>,
        R::IntoIter: Send,
    {
        let columns = T::COLUMNS.len() + 1;
        let at_once = (PARAMETERS / columns).max(1);
        let (mut rows, shared, or_fail) = (rows.into_iter(), self.shared, self.or_fail());
        let mut full: Option<Arc<str>> = None;
        let mut summing = Summing::of::<T>();
        let mut statement = move || {
            let mut batch = Vec::with_capacity(at_once * columns);
            for row in rows.by_ref().take(at_once) {
                batch.push(Value::from(mo.to_owned()));
                let start = batch.len();
                row.push(&mut batch);
                summing.row(&batch[start..]);
            }
            if batch.is_empty() {
                return Err(summing.sums());
            }
            let is_full = batch.len() == at_once * columns;
            let sql = match &full {
                Some(sql) if is_full => Arc::clone(sql),
                _ => insertion(or_fail, T::TABLE, T::COLUMNS, batch.len() / columns, shared).into(),
            };
            if is_full {
                full = Some(Arc::clone(&sql));
            }
            Ok((bind(AssertSqlSafe(sql), batch).persistent(is_full), if is_full { None } else { Some(summing.sums()) }))
        };
        let last = match statement() {
            Err(none) => return Ok(none),
            Ok((first, last)) => {
                self.runtime.block_on(first.execute(&mut self.connection))?;
                last
            }
        };
        if let Some(sums) = last {
            return Ok(sums);
        }
        thread::scope(|scope| {
            let (sender, receiver) = mpsc::sync_channel(4);
            let sums = scope.spawn(move || {
                loop {
                    match statement() {
                        Err(sums) => return sums,
                        Ok((query, last)) => {
                            // The receiver is gone after a failure, and with it the need for the sums.
                            let is_heard = sender.send(query).is_ok();
                            if let Some(sums) = last {
                                return sums;
                            }
                            if !is_heard {
                                return RowSums::default();
                            }
                        }
                    }
                }
            });
            for query in receiver {
                Stopped::check(watch)?;
                self.runtime.block_on(query.execute(&mut self.connection))?;
            }
            Ok(sums.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }
}

/// Ids separated by commas, for a statement.
pub(super) fn list(ids: &[i64]) -> String {
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

/// The text of an insertion into a table of a clinic. SQLite searches for parameters by name, so they have no names there.
fn insertion(or_fail: &str, table: &str, columns: &[&str], rows: usize, numbered: bool) -> String {
    let mut sql = format!("INSERT {or_fail}INTO {table} (mo, {}) VALUES ", columns.join(", "));
    let columns = columns.len() + 1;
    sql.reserve(rows * columns * 6);
    let mut number = 0;
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..columns {
            number += 1;
            if column > 0 {
                sql.push(',');
            }
            if numbered {
                sql.push_str(&format!("${number}"));
            } else {
                sql.push('?');
            }
        }
        sql.push(')');
    }
    sql
}

fn bind<'q, 'v>(sql: impl SqlSafeStr, values: impl IntoIterator<Item = Value<'v>>) -> Query<'q, Any, AnyArguments> {
    values.into_iter().fold(sqlx::query(sql), |query, value| match value {
        Value::Int(number) => query.bind(number),
        Value::Text(text) => query.bind(text.into_owned()),
    })
}
