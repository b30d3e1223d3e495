//! A value of a statement.

use std::borrow::Cow;

use crate::cases::CaseState;

/// A number or a text; the store knows nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'v> {
    /// A number.
    Int(i64),
    /// A text.
    Text(Cow<'v, str>),
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<CaseState> for Value<'_> {
    fn from(value: CaseState) -> Self {
        Self::Text(Cow::Borrowed(value.as_str()))
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
