//! Sanctions of payers, by case.

use super::Clinic;
use super::row::insert_row;
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

/// The table of sanctions.
pub(in crate::workspace) struct Sanctions<'s>(pub(super) Clinic<'s>);

impl Sanctions<'_> {
    pub(in crate::workspace) fn insert<'v, R>(&mut self, sanctions: R, watch: &dyn Watch) -> Result<(), Problem>
    where
        R: IntoIterator<Item = NewSanction<'v>>,
        R::IntoIter: Send,
    {
        self.0.insert_all(sanctions, watch)
    }
}
