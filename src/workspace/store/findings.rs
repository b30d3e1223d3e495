//! What ФЛК found: one row for a rule of a case, without values.

use super::Store;
use super::row::insert_row;
use crate::watch::Watch;
use crate::workspace::Problem;

insert_row! {
    /// The findings of one rule in one case.
    struct NewFinding<'f> into "findings" {
        package: i64,
        /// 0: about the package as a whole.
        case_id: i64,
        rule: &'f str,
        severity: &'f str,
        /// Which of the files: main, persons, container.
        file: &'f str,
        /// Line and path of the first of them.
        line: i64,
        path: &'f str,
        /// How many.
        count: i64,
    }
}

/// Findings.
pub(in crate::workspace) struct Findings<'s>(pub(super) &'s mut Store);

impl Findings<'_> {
    pub(in crate::workspace) fn insert<'f, R>(&mut self, findings: R, watch: &dyn Watch) -> Result<(), Problem>
    where
        R: IntoIterator<Item = NewFinding<'f>>,
        R::IntoIter: Send,
    {
        self.0.insert_all(findings, watch)
    }
}
