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
use crate::watch::{Stopped, Unwatched, Watch};
use crate::workspace::Problem;

/// Parameters of one statement at most: SQLite takes 32,766, PostgreSQL 65,535.
const PARAMETERS: usize = 2_600;
/// The largest number of ids in the text of one statement.
const IDS: usize = 10_000;

impl Store {
    pub(super) fn raw(&mut self, sql: &'static str) -> Result<(), Problem> {
        self.runtime.block_on(self.connection.execute(sqlx::raw_sql(sql)))?;
        Ok(())
    }

    /// Runs a statement and returns the number of changed rows.
    pub(super) fn execute(&mut self, sql: impl Into<Cow<'static, str>>, values: &[Value<'_>]) -> Result<u64, Problem> {
        let query = bind(AssertSqlSafe(sql.into()), values.iter().cloned());
        Ok(self.runtime.block_on(query.execute(&mut self.connection))?.rows_affected())
    }

    /// Runs a query and returns its rows.
    pub(super) fn rows(&mut self, sql: impl Into<Cow<'static, str>>, values: &[Value<'_>]) -> Result<Vec<Row>, Problem> {
        let query = bind(AssertSqlSafe(sql.into()), values.iter().cloned());
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

    /// Inserts a row.
    pub(super) fn insert<'v, T: Insert<'v> + Send>(&mut self, row: T) -> Result<(), Problem> {
        self.insert_all([row], &Unwatched)
    }

    /// Inserts rows, many with one statement, until the watch stops the work. The next rows are prepared in another thread while the store
    /// inserts.
    pub(super) fn insert_all<'v, T, R>(&mut self, rows: R, watch: &dyn Watch) -> Result<(), Problem>
    where
        T: Insert<'v>,
        R: IntoIterator<Item = T>,
        R::IntoIter: Send,
    {
        let at_once = (PARAMETERS / T::COLUMNS).max(1);
        let (mut rows, shared) = (rows.into_iter(), self.shared);
        let mut full: Option<Arc<str>> = None;
        let mut statement = move || {
            let mut batch = Vec::with_capacity(at_once * T::COLUMNS);
            rows.by_ref().take(at_once).for_each(|row| row.push(&mut batch));
            if batch.is_empty() {
                return None;
            }
            let is_full = batch.len() == at_once * T::COLUMNS;
            let sql = match &full {
                Some(sql) if is_full => Arc::clone(sql),
                _ => insertion(T::HEAD, T::COLUMNS, batch.len() / T::COLUMNS, shared).into(),
            };
            if is_full {
                full = Some(Arc::clone(&sql));
            }
            Some((is_full, bind(AssertSqlSafe(sql), batch).persistent(is_full)))
        };
        let (mut more, first) = match statement() {
            None => return Ok(()),
            Some(first) => first,
        };
        self.runtime.block_on(first.execute(&mut self.connection))?;
        if !more {
            return Ok(());
        }
        thread::scope(|scope| {
            let (sender, receiver) = mpsc::sync_channel(4);
            scope.spawn(move || {
                while more {
                    let Some((is_full, query)) = statement() else { return };
                    more = sender.send(query).is_ok() && is_full;
                }
            });
            for query in receiver {
                Stopped::check(watch)?;
                self.runtime.block_on(query.execute(&mut self.connection))?;
            }
            Ok(())
        })
    }

    /// Runs a statement for many ids in batches: `head` ends with `IN`, the ids follow it.
    pub(super) fn for_ids(&mut self, head: &str, ids: &[i64]) -> Result<(), Problem> {
        for batch in ids.chunks(IDS) {
            let query = sqlx::query(AssertSqlSafe(format!("{head} ({})", list(batch)))).persistent(false);
            self.runtime.block_on(query.execute(&mut self.connection))?;
        }
        Ok(())
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

/// Ids separated by commas, for a statement.
pub(super) fn list(ids: &[i64]) -> String {
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

/// The text of an insertion. SQLite searches for parameters by name, so they have no names there. `OR FAIL` keeps SQLite from copying each
/// page before the change in order to undo one statement alone; a failure ends the whole transaction anyway.
fn insertion(head: &str, columns: usize, rows: usize, numbered: bool) -> String {
    let mut sql = if numbered { head.to_owned() } else { head.replacen("INSERT", "INSERT OR FAIL", 1) };
    sql.reserve(rows * columns * 6);
    sql.push_str(" VALUES ");
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
