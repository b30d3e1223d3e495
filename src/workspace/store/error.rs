//! Errors of the database behind the store.

use std::fmt;

use crate::texts::{Coded, Key, Slot, display};

/// An error of the database behind the store.
#[derive(Debug)]
pub struct StoreError(sqlx::Error);

impl StoreError {
    /// The reason alone, for a message that already says what failed.
    pub(in crate::workspace) fn reason(&self) -> Slot<'_> {
        database_reason(&self.0)
    }
}

impl Coded for StoreError {
    fn key(&self) -> Key {
        Key::WorkspaceStore
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        vec![("reason", self.reason())]
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self(error)
    }
}

/// The reason of a database error. The address may hold a password and is never shown.
fn database_reason(error: &sqlx::Error) -> Slot<'_> {
    match error {
        sqlx::Error::Database(inner) => match inner.code().as_deref().and_then(store_key) {
            Some(key) => Slot::reason(inner.message(), key),
            None => Slot::text(inner.message()),
        },
        sqlx::Error::Io(inner) => Slot::io(inner),
        sqlx::Error::Configuration(_) => Slot::reason("address", Key::ReasonAddress),
        other => Slot::text(other.to_string()),
    }
}

/// The reason behind an error code of SQLite (a number whose lower byte is the kind) or PostgreSQL (five characters) if the machine is at fault.
fn store_key(code: &str) -> Option<Key> {
    if code.len() == 5 {
        return match code {
            "53100" => Some(Key::ReasonFull),
            "58030" => Some(Key::ReasonDevice),
            "25006" => Some(Key::ReasonReadOnly),
            "42501" => Some(Key::ReasonDenied),
            _ => None,
        };
    }
    match code.parse::<u32>().ok()? & 0xff {
        3 => Some(Key::ReasonDenied),
        8 => Some(Key::ReasonReadOnly),
        10 => Some(Key::ReasonDevice),
        13 => Some(Key::ReasonFull),
        14 => Some(Key::ReasonUnopened),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Texts;

    #[test]
    fn codes_of_the_stores_have_the_same_words() {
        let known = ["13", "10", "778", "1032", "14", "3", "53100", "58030", "25006", "42501"].map(store_key);
        assert!(known.iter().all(Option::is_some), "{known:?}");
        assert_eq!([store_key("778"), store_key("58030")], [Some(Key::ReasonDevice); 2]);
        assert_eq!(["1", "5", "2067", "23505", "", "x"].map(store_key), [None; 6]);
    }

    #[test]
    fn an_address_with_a_password_is_not_told() {
        let problem = StoreError::from(sqlx::Error::Configuration("postgres://anna:secret@host:port/db".into()));
        let json = serde_json::to_string(&Texts::built_in().error_wire(&problem)).expect("JSON");
        assert!(!json.contains("secret") && !problem.to_string().contains("secret"), "{json}");
    }
}
