//! Answers of payers that were received.

use super::Store;
use super::row::{insert_row, read_row};
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
        pub(in crate::workspace) registry: i64,
        pub(in crate::workspace) received_at: String,
    }
}

/// The table of answers.
pub(in crate::workspace) struct Answers<'s>(pub(super) &'s mut Store);

impl Answers<'_> {
    pub(in crate::workspace) fn insert(&mut self, answer: NewAnswer<'_>) -> Result<(), Problem> {
        self.0.insert(answer)
    }

    /// The stored answer with the same bytes, by SHA-256.
    pub(in crate::workspace) fn get(&mut self, object: &str) -> Result<Option<ReceivedBefore>, Problem> {
        self.0.first("SELECT registry, received_at FROM answers WHERE object = $1", &[object.into()])
    }
}
