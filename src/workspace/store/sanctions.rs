//! Sanctions of payers, by case.

use super::Clinic;
use super::row::{insert_row, read_row};
use crate::watch::Watch;
use crate::workspace::Problem;

insert_row! {
    /// A sanction of a case.
    struct NewSanction<'s> into "sanctions" {
        registry: i64,
        revision: i64,
        case_id: i64,
        /// Code of F014.
        code: &'s str,
        /// Kopecks.
        sum: i64,
        comment: &'s str,
        /// Name of the file that states the sanction.
        source: &'s str,
    }
}

read_row! {
    /// What is held against a case.
    pub(in crate::workspace) struct Held {
        pub(in crate::workspace) case_id: i64,
        /// Action of the move that the answer asked for which states it; empty for a decision made in this program.
        pub(in crate::workspace) answer: String,
    }
}

/// The table of sanctions.
pub(in crate::workspace) struct Sanctions<'s>(pub(super) Clinic<'s>);

impl Sanctions<'_> {
    /// What any answer or decision holds against cases of the clinic.
    pub(in crate::workspace) fn held(&mut self) -> Result<Vec<Held>, Problem> {
        self.0.select(
            "SELECT DISTINCT s.case_id AS case_id, COALESCE(a.kind, '') AS answer FROM sanctions s \
             LEFT JOIN answers a ON a.mo = s.mo AND a.registry = s.registry AND a.name = s.source WHERE s.mo = $1",
            &[],
        )
    }

    pub(in crate::workspace) fn insert<'v, R>(&mut self, sanctions: R, watch: &dyn Watch) -> Result<(), Problem>
    where
        R: IntoIterator<Item = NewSanction<'v>>,
        R::IntoIter: Send,
    {
        self.0.insert_all(sanctions, watch)
    }
}
