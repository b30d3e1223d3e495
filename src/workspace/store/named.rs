//! What is shown of single cases and packages that are left out of registries.

use super::Store;
use super::cases::Cases;
use super::row::read_row;
use crate::cases::CaseState::Free;
use crate::values::Month;
use crate::workspace::Problem;

read_row! {
    struct CaseNumbers {
        n_zap: i64,
        idcase: i64,
    }
}

read_row! {
    /// Free cases without errors of their own, in a package that has an error about the whole file, of one payer and kind of care.
    pub(in crate::workspace) struct BlockedByPackage {
        /// Code of the clinic.
        pub(in crate::workspace) mo: String,
        /// Name of the file that was loaded.
        pub(in crate::workspace) name: String,
        pub(in crate::workspace) payer: String,
        pub(in crate::workspace) kind: String,
        pub(in crate::workspace) cases: i64,
        /// Kopecks.
        pub(in crate::workspace) sum: i64,
    }
}

impl Cases<'_> {
    /// N_ZAP and IDCASE of a case in its export; 0 for one that is not a number.
    pub(in crate::workspace) fn numbers(&mut self, id: i64) -> Result<(i64, i64), Problem> {
        let found = self.0.first::<CaseNumbers>("SELECT n_zap, idcase FROM cases WHERE mo = $1 AND id = $2", &[id.into()])?;
        Ok(found.map_or((0, 0), |CaseNumbers { n_zap, idcase }| (n_zap, idcase)))
    }
}

impl Store {
    /// Free cases that only an error about their whole package keeps out of the registries of a month.
    pub(in crate::workspace) fn blocked_by_package(&mut self, period: Month) -> Result<Vec<BlockedByPackage>, Problem> {
        let sql = format!(
            "SELECT p.mo AS mo, p.main_name AS name, s.payer AS payer, s.kind AS kind, CAST(SUM(s.cases) AS BIGINT) AS cases, CAST(SUM(s.sum) AS BIGINT) AS sum \
             FROM stock s JOIN packages p ON p.mo = s.mo AND p.id = s.package \
             WHERE p.blocked = 1 AND s.blocked = 0 AND s.state = '{Free}' AND p.period = $1 GROUP BY p.mo, p.id, p.main_name, s.payer, s.kind"
        );
        self.select(sql, &[period.to_string().into()])
    }
}
