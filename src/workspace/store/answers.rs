//! Answers of payers that were received.

use super::row::{insert_row, read_row};
use super::{Clinic, Store};
use crate::values::Moment;
use crate::workspace::Problem;

insert_row! {
    /// An answer to be stored.
    struct NewAnswer<'a> into "answers" {
        /// SHA-256 of its file.
        object: &'a str,
        /// Name of its file.
        name: &'a str,
        registry: i64,
        /// Action of the move that the answer asked for.
        kind: &'a str,
        received_at: Moment,
    }
}

read_row! {
    /// An answer that was taken in before.
    pub(in crate::workspace) struct ReceivedBefore {
        /// Code of the clinic of the registry.
        pub(in crate::workspace) mo: String,
        pub(in crate::workspace) registry: i64,
        pub(in crate::workspace) received_at: String,
    }
}

/// The table of answers.
pub(in crate::workspace) struct Answers<'s>(pub(super) Clinic<'s>);

impl Answers<'_> {
    pub(in crate::workspace) fn insert(&mut self, answer: NewAnswer<'_>) -> Result<(), Problem> {
        self.0.insert(answer)
    }
}

impl Store {
    /// The stored answer with the same bytes, by SHA-256.
    pub(in crate::workspace) fn answer_of(&mut self, object: &str) -> Result<Option<ReceivedBefore>, Problem> {
        self.first("SELECT mo, registry, received_at FROM answers WHERE object = $1 ORDER BY mo LIMIT 1", &[object.into()])
    }
}
