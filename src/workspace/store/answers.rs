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
    /// A name under which no answer to a registry is stored: `name`, or `name (2)` and so on.
    pub(in crate::workspace) fn free_name(&mut self, registry: i64, name: &str) -> Result<String, Problem> {
        let mut free = name.to_owned();
        for number in 2.. {
            let taken = self
                .0
                .number("SELECT CAST(COUNT(*) AS BIGINT) FROM answers WHERE mo = $1 AND registry = $2 AND name = $3", &[registry.into(), (&free).into()])?;
            if taken == 0 {
                break;
            }
            free = format!("{name} ({number})");
        }
        Ok(free)
    }

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
