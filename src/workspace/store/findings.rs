//! Findings of ФЛК: one row for each rule and case, without values.

use super::Clinic;
use super::row::insert_row;
use crate::watch::Watch;
use crate::workspace::Problem;

insert_row! {
    /// The findings of one rule in one case.
    struct NewFinding<'f> into "findings" {
        package: i64,
        /// Id of the case; 0 for findings about the whole package.
        case_id: i64,
        rule: &'f str,
        severity: &'f str,
        /// The file of the package: `main`, `persons` or `container`.
        file: &'f str,
        /// Line and path of the first of them.
        line: i64,
        path: &'f str,
        /// Number of findings.
        count: i64,
    }
}

/// The table of findings.
pub(in crate::workspace) struct Findings<'s>(pub(super) Clinic<'s>);

impl Findings<'_> {
    pub(in crate::workspace) fn insert<'f, R>(&mut self, findings: R, watch: &dyn Watch) -> Result<(), Problem>
    where
        R: IntoIterator<Item = NewFinding<'f>>,
        R::IntoIter: Send,
    {
        self.0.insert_all(findings, watch)
    }
}
