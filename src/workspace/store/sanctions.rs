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
    pub(in crate::workspace) struct Against {
        pub(in crate::workspace) case_id: i64,
        /// Action of the move that the answer asked for which states it; empty for a decision made in this program.
        pub(in crate::workspace) answer: String,
    }
}

read_row! {
    /// A sanction of a case, or a refusal of it by ФЛК.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CaseSanction {
        /// How many times the registry had been formed when it was sent.
        pub revision: i64,
        /// N_ZAP of the case in the registry.
        pub n_zap: i64,
        /// IDCASE of the case in the registry.
        pub idcase: i64,
        /// Code of F014; of a protocol, the error code; empty if none was stated.
        pub code: String,
        /// Kopecks taken off.
        pub sum: i64,
        /// What the payer says; of a protocol, the wrong element and the text about it.
        pub comment: String,
        /// Name of the file that states it.
        pub source: String,
    }
}

/// The table of sanctions.
pub(in crate::workspace) struct Sanctions<'s>(pub(super) Clinic<'s>);

impl Sanctions<'_> {
    /// What was held against the cases of a registry, in the order of its revisions and cases.
    pub(in crate::workspace) fn of(&mut self, registry: i64) -> Result<Vec<CaseSanction>, Problem> {
        self.0.select(
            "SELECT s.revision AS revision, COALESCE(m.n_zap, 0) AS n_zap, COALESCE(m.idcase, 0) AS idcase, s.code AS code, s.sum AS sum, s.comment AS comment, \
             s.source AS source FROM sanctions s LEFT JOIN members m ON m.mo = s.mo AND m.registry = s.registry AND m.revision = s.revision \
             AND m.case_id = s.case_id WHERE s.mo = $1 AND s.registry = $2 ORDER BY s.revision, m.idcase, s.source, s.code, s.sum, s.comment",
            &[registry.into()],
        )
    }

    /// What any answer or decision holds against cases of the clinic.
    pub(in crate::workspace) fn against(&mut self) -> Result<Vec<Against>, Problem> {
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
