//! Members of registries: which version of a case has which numbers in which revision of a registry.

use super::Clinic;
use super::row::{insert_row, read_row};
use super::stock::Total;
use crate::watch::Watch;
use crate::workspace::Problem;

insert_row! {
    /// A case of a registry's revision with its numbers there, to be stored.
    struct NewMember<'m> into "members" {
        registry: i64,
        revision: i64,
        n_zap: i64,
        idcase: i64,
        case_id: i64,
        /// ID_PAC in the registry if it differs from the package's; else empty.
        id_pac: &'m str,
    }
}

read_row! {
    /// A case of a registry.
    #[derive(Debug)]
    pub(in crate::workspace) struct Member {
        pub(in crate::workspace) case_id: i64,
        /// N_ZAP and IDCASE in the registry.
        pub(in crate::workspace) n_zap: i64,
        pub(in crate::workspace) idcase: i64,
        pub(in crate::workspace) id_pac: String,
        pub(in crate::workspace) sl_id: String,
        /// Kopecks.
        pub(in crate::workspace) sum: i64,
        /// Whether an earlier answer refused the case, so that the registry no longer holds it.
        pub(in crate::workspace) has_left: bool,
    }
}

read_row! {
    /// Totals of the cases of a revision, including those that have left the registry.
    #[derive(Debug, Default)]
    pub(in crate::workspace) struct MemberTotals {
        pub(in crate::workspace) cases: i64,
        /// Kopecks.
        pub(in crate::workspace) sum: i64,
        /// Number of findings of severity `error` in these cases.
        pub(in crate::workspace) errors: i64,
    }
}

/// The table of members.
pub(in crate::workspace) struct Members<'s>(pub(super) Clinic<'s>);

impl Members<'_> {
    pub(in crate::workspace) fn insert<'m, R>(&mut self, members: R, watch: &dyn Watch) -> Result<(), Problem>
    where
        R: IntoIterator<Item = NewMember<'m>>,
        R::IntoIter: Send,
    {
        self.0.insert_all(members, watch)
    }

    /// The cases of a revision, in the order of IDCASE.
    pub(in crate::workspace) fn of(&mut self, registry: i64, revision: i64) -> Result<Vec<Member>, Problem> {
        self.0.select(
            "SELECT m.idcase AS idcase, m.n_zap AS n_zap, CASE WHEN m.id_pac = '' THEN c.id_pac ELSE m.id_pac END AS id_pac, c.id AS case_id, \
             c.sl_id AS sl_id, c.sum AS sum, CASE WHEN c.registry <> m.registry THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS has_left \
             FROM members m JOIN cases c ON c.mo = m.mo AND c.id = m.case_id WHERE m.mo = $1 AND m.registry = $2 AND m.revision = $3 ORDER BY m.idcase",
            &[registry.into(), revision.into()],
        )
    }

    /// Totals of the cases of a revision.
    pub(in crate::workspace) fn totals(&mut self, registry: i64, revision: i64) -> Result<MemberTotals, Problem> {
        let found = self.0.first(
            "SELECT CAST(COUNT(*) AS BIGINT) AS cases, CAST(COALESCE(SUM(c.sum), 0) AS BIGINT) AS sum, CAST(COALESCE(SUM(c.errors), 0) AS BIGINT) AS errors \
             FROM members m JOIN cases c ON c.mo = m.mo AND c.id = m.case_id WHERE m.mo = $1 AND m.registry = $2 AND m.revision = $3",
            &[registry.into(), revision.into()],
        )?;
        Ok(found.unwrap_or_default())
    }

    /// Number and sum of those cases of a revision that the registry still holds.
    pub(in crate::workspace) fn held(&mut self, registry: i64, revision: i64) -> Result<Total, Problem> {
        let found = self.0.first(
            "SELECT CAST(COUNT(*) AS BIGINT) AS cases, CAST(COALESCE(SUM(c.sum), 0) AS BIGINT) AS sum \
             FROM members m JOIN cases c ON c.mo = m.mo AND c.id = m.case_id AND c.registry = m.registry WHERE m.mo = $1 AND m.registry = $2 AND m.revision = $3",
            &[registry.into(), revision.into()],
        )?;
        Ok(found.unwrap_or_default())
    }

    /// Ids of the packages with cases of a registry (of any revision) or newer versions of them.
    pub(in crate::workspace) fn packages(&mut self, registry: i64) -> Result<Vec<i64>, Problem> {
        self.0.numbers(
            "SELECT DISTINCT c.package AS package FROM members m JOIN cases c ON c.mo = m.mo AND c.id = m.case_id WHERE m.mo = $1 AND m.registry = $2 \
             UNION SELECT DISTINCT w.package FROM members m JOIN cases w ON w.mo = m.mo AND w.replaces = m.case_id WHERE m.mo = $1 AND m.registry = $2 AND w.replaces <> 0",
            &[registry.into()],
        )
    }
}
