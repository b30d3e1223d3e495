//! Values and rows of the store, and macros that make a struct's fields the columns of a table.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::cases::{CasePlace, CaseState, PersonMark};
use crate::values::{Date, Moment, Month};
use crate::workspace::Problem;

/// A number or a text; the store holds no other values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'v> {
    Int(i64),
    Text(Cow<'v, str>),
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&i64> for Value<'_> {
    fn from(value: &i64) -> Self {
        Self::Int(*value)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<&bool> for Value<'_> {
    fn from(value: &bool) -> Self {
        Self::Int(i64::from(*value))
    }
}

/// A day as the number `yyyymmdd`; 0 for `None`.
impl From<Option<Date>> for Value<'_> {
    fn from(value: Option<Date>) -> Self {
        Self::Int(value.map_or(0, |day| i64::from(day.number())))
    }
}

/// A month as `YYYY-MM`; an empty text for `None`.
impl From<&Option<Month>> for Value<'_> {
    fn from(value: &Option<Month>) -> Self {
        Self::Text(value.map_or(Cow::Borrowed(""), |month| Cow::Owned(month.to_string())))
    }
}

impl From<Moment> for Value<'_> {
    fn from(value: Moment) -> Self {
        Self::Text(Cow::Owned(value.to_string()))
    }
}

impl From<CaseState> for Value<'_> {
    fn from(value: CaseState) -> Self {
        Self::Text(Cow::Borrowed(value.as_str()))
    }
}

impl From<PersonMark> for Value<'_> {
    fn from(value: PersonMark) -> Self {
        Self::Int(value.number())
    }
}

impl From<CasePlace> for Value<'_> {
    fn from(value: CasePlace) -> Self {
        Self::Text(Cow::Owned(value.to_string()))
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(value: &'v str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl<'v> From<&'v String> for Value<'v> {
    fn from(value: &'v String) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }
}

/// A row returned by a query.
pub(super) struct Row(pub(super) AnyRow);

impl Row {
    /// The value of a column.
    ///
    /// # Errors
    /// The row has no such column, or the value is not one that this program writes.
    pub(super) fn get<T: Column>(&self, column: &str) -> Result<T, Problem> {
        T::read(self, column)
    }

    /// The value of the first column, a number.
    pub(super) fn number(&self) -> Result<i64, Problem> {
        Ok(self.0.try_get(0)?)
    }

    fn parsed<T: FromStr>(&self, column: &str) -> Result<T, Problem> {
        let text: String = self.get(column)?;
        text.parse().map_err(|_| unreadable(column, &text))
    }
}

/// The error for a value that this program never writes into its column.
pub(super) fn unreadable(column: &str, value: impl Display) -> Problem {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: format!("«{value}»").into() }.into()
}

/// A type that can be read from a column.
pub(super) trait Column: Sized {
    fn read(row: &Row, column: &str) -> Result<Self, Problem>;
}

impl Column for i64 {
    fn read(row: &Row, column: &str) -> Result<Self, Problem> {
        Ok(row.0.try_get(column)?)
    }
}

impl Column for bool {
    fn read(row: &Row, column: &str) -> Result<Self, Problem> {
        Ok(row.get::<i64>(column)? > 0)
    }
}

impl Column for String {
    fn read(row: &Row, column: &str) -> Result<Self, Problem> {
        Ok(row.0.try_get(column)?)
    }
}

impl Column for Option<Month> {
    fn read(row: &Row, column: &str) -> Result<Self, Problem> {
        if row.get::<String>(column)?.is_empty() { Ok(None) } else { row.parsed(column).map(Some) }
    }
}

impl Column for PersonMark {
    fn read(row: &Row, column: &str) -> Result<Self, Problem> {
        Ok(row.get::<i64>(column)?.into())
    }
}

impl Column for CaseState {
    fn read(row: &Row, column: &str) -> Result<Self, Problem> {
        row.parsed(column)
    }
}

/// A struct that is read from a row: its fields have the names of the columns.
pub(super) trait Read: Sized {
    fn of(row: &Row) -> Result<Self, Problem>;
}

/// A row to be inserted into a table of a clinic.
pub(super) trait Insert<'v> {
    /// Name of the table.
    const TABLE: &'static str;
    /// Its columns without `mo`, the clinic's code, which is the first column of every table of a clinic.
    const COLUMNS: &'static [&'static str];

    /// Appends the values of these columns.
    fn push(self, values: &mut Vec<Value<'v>>);
}

/// Defines a struct that is read from rows; its fields are the columns.
macro_rules! read_row {
    ($(#[$doc:meta])* $vis:vis struct $name:ident { $($(#[$field_doc:meta])* $field_vis:vis $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        $vis struct $name { $($(#[$field_doc])* $field_vis $field: $kind,)* }

        impl $crate::workspace::store::row::Read for $name {
            fn of(row: &$crate::workspace::store::row::Row) -> Result<Self, $crate::workspace::Problem> {
                Ok(Self { $($field: row.get(stringify!($field))?,)* })
            }
        }
    };
}

/// Defines a struct that is written as a row; its fields are the columns after `mo`. It borrows its texts, because there may be a million rows.
macro_rules! insert_row {
    ($(#[$doc:meta])* struct $name:ident<$life:lifetime> into $table:literal { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        pub(in crate::workspace) struct $name<$life> {
            $($(#[$field_doc])* pub(in crate::workspace) $field: $kind,)*
        }

        impl<$life> $crate::workspace::store::row::Insert<$life> for $name<$life> {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),*];

            fn push(self, values: &mut Vec<$crate::workspace::store::row::Value<$life>>) {
                values.extend([$(self.$field.into()),*]);
            }
        }
    };
}

/// Defines a struct that is a whole row of a table, read and written; its first field is `mo` and its other fields are the columns.
macro_rules! table_row {
    ($(#[$doc:meta])* $vis:vis struct $name:ident in $table:literal {
        $(#[$mo_doc:meta])* $mo_vis:vis mo: String, $($(#[$field_doc:meta])* $field_vis:vis $field:ident: $kind:ty,)*
    }) => {
        $crate::workspace::store::row::read_row! {
            $(#[$doc])*
            $vis struct $name {
                $(#[$mo_doc])* $mo_vis mo: String,
                $($(#[$field_doc])* $field_vis $field: $kind,)*
            }
        }

        impl $name {
            /// The columns of the table, separated by commas, for a query.
            pub(super) const COLUMNS: &'static str = concat!("mo", $(", ", stringify!($field),)*);
        }

        impl<'v> $crate::workspace::store::row::Insert<'v> for &'v $name {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),*];

            fn push(self, values: &mut Vec<$crate::workspace::store::row::Value<'v>>) {
                values.extend([$((&self.$field).into()),*]);
            }
        }
    };
}

pub(super) use {insert_row, read_row, table_row};
