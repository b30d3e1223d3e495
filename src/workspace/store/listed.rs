//! Cases as people ask for them: lists by what is known of them, and all that is known of one.

use super::row::{Value, read_row};
use super::standing::was_never;
use super::statement::{IDS, list};
use super::{Clinic, Store};
use crate::cases::{CaseKey, CaseState};
use crate::workspace::Problem;

read_row! {
    /// A version of a case, as it is listed.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ListedCase {
        /// Code of the clinic.
        pub mo: String,
        /// Id of the version in the clinic.
        pub id: i64,
        /// Its state.
        pub state: CaseState,
        /// What it was before it was set aside, dropped or replaced, the last first.
        pub was: String,
        /// Id of the version that it replaces or waits for, or of the case that it may be the same as; 0 for none.
        pub replaces: i64,
        /// Number of the registry that holds it; empty for none.
        pub registry: String,
        /// Id of its package in the clinic.
        pub package: i64,
        /// Name of its file.
        pub file: String,
        /// Letter of the family of the file.
        pub family: String,
        /// The moment at which the package was loaded, in UTC.
        pub loaded_at: String,
        /// Whether a finding about the whole package keeps it out of registries.
        pub package_blocked: bool,
        /// Reporting month, `YYYY-MM`.
        pub period: String,
        /// Code of the payer.
        pub payer: String,
        /// Id of the kind of care; empty for none.
        pub kind: String,
        /// Numbers in the package; 0 when the value is not a number.
        pub n_zap: i64,
        /// IDCASE.
        pub idcase: i64,
        /// Number of the medical card or case history.
        pub history: String,
        /// Code of the doctor.
        pub doctor: String,
        /// Code of the department.
        pub unit: String,
        /// Code of the subdivision.
        pub subdivision: String,
        /// Profile of care.
        pub profile: String,
        /// Conditions of care.
        pub conditions: String,
        /// First day as the number `yyyymmdd`; 0 for none.
        pub date_from: i64,
        /// Last day as the number `yyyymmdd`; 0 for none.
        pub date_to: i64,
        /// Kopecks.
        pub sum: i64,
        /// Number of findings of severity `error` in it.
        pub errors: i64,
    }
}

/// Which cases to list; an empty field asks for nothing.
#[derive(Debug, Clone, Default)]
pub(in crate::workspace) struct Wanted {
    /// States of which a case has one.
    pub(in crate::workspace) states: Vec<CaseState>,
    /// Reporting month.
    pub(in crate::workspace) period: String,
    pub(in crate::workspace) payer: String,
    /// Id of a registry and its revision, whose members are wanted.
    pub(in crate::workspace) registry: Option<(i64, i64)>,
    /// Id of a rule, or the beginning of one.
    pub(in crate::workspace) rule: String,
    /// Codes of doctors of which a case has one.
    pub(in crate::workspace) doctors: Option<Vec<String>>,
    /// Code of a department or a subdivision.
    pub(in crate::workspace) unit: String,
    /// The moment since which its package was loaded, or else the ids of which it has one.
    pub(in crate::workspace) since: Option<(String, Vec<i64>)>,
}

read_row! {
    /// A finding of a case, or of its whole package.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CaseFinding {
        /// Id of the version; 0 for the whole package.
        pub case_id: i64,
        /// Id of its package.
        pub package: i64,
        /// Id of the rule.
        pub rule: String,
        /// Severity of the rule, as the package was loaded.
        pub severity: String,
        /// `main` or `persons`.
        pub file: String,
        /// Line of the first place.
        pub line: i64,
        /// Path of the element there.
        pub path: String,
        /// How many places.
        pub count: i64,
    }
}

read_row! {
    /// A revision of a registry in which a version of a case stood.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CaseMember {
        /// Id of the version.
        pub case_id: i64,
        /// Number of the registry.
        pub number: String,
        /// Its status.
        pub status: String,
        /// How many times it had been formed.
        pub revision: i64,
        /// N_ZAP of the case in the registry.
        pub n_zap: i64,
        /// IDCASE of the case in the registry.
        pub idcase: i64,
        /// The moment since when the registry has its status, in UTC.
        pub since: String,
    }
}

read_row! {
    /// What was held against a version of a case.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct HeldAgainst {
        /// Id of the version.
        pub case_id: i64,
        /// Number of the registry.
        pub number: String,
        /// How many times it had been formed.
        pub revision: i64,
        /// Code of F014; of a protocol, the error code; empty if none was stated.
        pub code: String,
        /// Kopecks taken off.
        pub sum: i64,
        /// What the payer says.
        pub comment: String,
        /// Name of the file that states it.
        pub source: String,
    }
}

read_row! {
    struct LinkRow {
        id: i64,
        replaces: i64,
        is_version: bool,
    }
}

read_row! {
    struct TextRow {
        text: String,
    }
}

/// The columns of [`ListedCase`], from the tables that `FROM` joins.
const LISTED: &str = "c.mo AS mo, c.id AS id, c.state AS state, c.was AS was, c.replaces AS replaces, COALESCE(r.number, '') AS registry, c.package AS package, \
    CASE WHEN p.main_entry = '' THEN p.main_name ELSE p.main_entry END AS file, p.family AS family, p.loaded_at AS loaded_at, p.blocked AS package_blocked, \
    p.period AS period, c.payer AS payer, c.kind AS kind, c.n_zap AS n_zap, c.idcase AS idcase, c.history AS history, c.doctor AS doctor, c.unit AS unit, \
    c.subdivision AS subdivision, c.profile AS profile, c.conditions AS conditions, c.date_from AS date_from, c.date_to AS date_to, c.sum AS sum, \
    c.errors AS errors";
const FROM: &str = "cases c JOIN packages p ON p.mo = c.mo AND p.id = c.package \
    LEFT JOIN registries r ON r.mo = c.mo AND r.id = c.registry AND c.registry <> 0 AND c.state IN ('held', 'paid')";

/// Lists of cases.
pub(in crate::workspace) struct Listed<'s>(pub(super) Clinic<'s>);

impl Listed<'_> {
    /// Cases in the order of their ids, those after the id `after`, `most` at once.
    pub(in crate::workspace) fn page(&mut self, wanted: &Wanted, after: i64, most: i64) -> Result<Vec<ListedCase>, Problem> {
        let mut conditions = String::new();
        let mut values: Vec<Value<'_>> = vec![after.into(), most.into()];
        let mut bind = |value: Value<'static>| {
            values.push(value);
            values.len() + 1
        };
        if !wanted.states.is_empty() {
            let states = wanted.states.iter().map(|state| format!("'{state}'")).collect::<Vec<_>>().join(",");
            conditions += &format!(" AND c.state IN ({states})");
        }
        for (column, value) in [("p.period", &wanted.period), ("c.payer", &wanted.payer)] {
            if !value.is_empty() {
                conditions += &format!(" AND {column} = ${}", bind(value.clone().into()));
            }
        }
        if !wanted.unit.is_empty() {
            let at = bind(wanted.unit.clone().into());
            conditions += &format!(" AND (c.unit = ${at} OR c.subdivision = ${at})");
        }
        if let Some((registry, revision)) = wanted.registry {
            conditions += &format!(
                " AND EXISTS (SELECT 1 FROM members m WHERE m.mo = c.mo AND m.registry = {registry} AND m.revision = {revision} AND m.case_id = c.id)"
            );
        }
        if !wanted.rule.is_empty() {
            // A case has its own findings, and those of its package that are of no case.
            let (at, length) = (bind(wanted.rule.clone().into()), wanted.rule.chars().count());
            conditions += &format!(
                " AND EXISTS (SELECT 1 FROM findings f WHERE f.mo = c.mo AND f.package = c.package AND f.case_id IN (c.id, 0) AND substr(f.rule, 1, {length}) = ${at})"
            );
        }
        if let Some(doctors) = &wanted.doctors {
            let places: Vec<String> = doctors.iter().map(|doctor| format!("${}", bind(doctor.clone().into()))).collect();
            // Nobody has no doctor: an empty list fits no case.
            conditions += &format!(" AND c.doctor IN ({})", if places.is_empty() { "NULL".to_owned() } else { places.join(",") });
        }
        if let Some((since, ids)) = &wanted.since {
            let ids = if ids.is_empty() { "-1".to_owned() } else { list(ids) };
            conditions += &format!(" AND (p.loaded_at >= ${} OR c.id IN ({ids}))", bind(since.clone().into()));
        }
        self.0.select(format!("SELECT {LISTED} FROM {FROM} WHERE c.mo = $1 AND c.id > $2{conditions} ORDER BY c.id LIMIT $3"), &values)
    }

    /// Cases with these ids, in their order.
    pub(in crate::workspace) fn with_ids(&mut self, ids: &[i64]) -> Result<Vec<ListedCase>, Problem> {
        let mut found: Vec<ListedCase> = self.0.select_for_ids(&format!("SELECT {LISTED} FROM {FROM} WHERE c.mo = $1 AND c.id IN"), ids, "")?;
        found.sort_unstable_by_key(|case| case.id);
        Ok(found)
    }

    /// Ids and keys of the free cases of a month, from files with these letters, about which no question is open.
    pub(in crate::workspace) fn free_of_month(&mut self, period: &str, letters: &str) -> Result<Vec<(i64, CaseKey)>, Problem> {
        let sql = format!(
            "SELECT c.id AS id, c.identity AS identity, c.identity_rest AS identity_rest FROM cases c JOIN packages p ON p.mo = c.mo AND p.id = c.package \
             WHERE c.mo = $1 AND p.period = $2 AND p.letters = $3 AND c.state = '{free}' \
             AND NOT EXISTS (SELECT 1 FROM cases q WHERE q.mo = c.mo AND q.replaces = c.id AND q.state = '{question}') ORDER BY c.id",
            free = CaseState::Free,
            question = CaseState::Question
        );
        let rows = self.0.rows(sql, &[period.into(), letters.into()])?;
        rows.iter().map(|row| Ok((row.get("id")?, CaseKey(row.get("identity")?, row.get("identity_rest")?)))).collect()
    }

    /// Ids of the current cases that a user may call so: by card number or SL_ID.
    pub(in crate::workspace) fn called(&mut self, name: &str) -> Result<Vec<i64>, Problem> {
        let sql = format!(
            "SELECT id FROM cases WHERE mo = $1 AND (history = $2 OR sl_id = $2) AND state NOT IN ('{}', '{}') ORDER BY id",
            CaseState::Replaced,
            CaseState::Undone
        );
        self.0.numbers(sql, &[name.into()])
    }

    /// Card numbers that cases of the clinic have, each once.
    pub(in crate::workspace) fn histories(&mut self) -> Result<Vec<String>, Problem> {
        self.distinct("history")
    }

    /// Codes of doctors that cases of the clinic have, each once.
    pub(in crate::workspace) fn doctors(&mut self) -> Result<Vec<String>, Problem> {
        self.distinct("doctor")
    }

    fn distinct(&mut self, column: &'static str) -> Result<Vec<String>, Problem> {
        let sql = format!("SELECT DISTINCT {column} AS text FROM cases WHERE mo = $1 AND {column} <> ''");
        Ok(self.0.select::<TextRow>(sql, &[])?.into_iter().map(|row| row.text).collect())
    }

    /// Ids of all versions of a case, the oldest first.
    pub(in crate::workspace) fn versions_of(&mut self, id: i64) -> Result<Vec<i64>, Problem> {
        let mut known = std::collections::BTreeSet::from([id]);
        let mut next = vec![id];
        while !next.is_empty() {
            let ids = list(&next);
            // A question that was never answered says nothing of what is the same.
            let sql = format!(
                "SELECT id, replaces, CASE WHEN {} THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS is_version FROM cases \
                 WHERE mo = $1 AND (id IN ({ids}) OR (replaces <> 0 AND replaces IN ({ids})))",
                was_never("cases", CaseState::Question)
            );
            let mut found = Vec::new();
            for LinkRow { id, replaces, .. } in self.0.select::<LinkRow>(sql, &[])?.into_iter().filter(|link| link.is_version) {
                found.extend([id, replaces].into_iter().filter(|id| *id != 0));
            }
            next = found.into_iter().filter(|id| known.insert(*id)).collect();
        }
        Ok(known.into_iter().collect())
    }

    /// Ids of the cases that may be the same as one of these.
    pub(in crate::workspace) fn asking_about(&mut self, ids: &[i64]) -> Result<Vec<i64>, Problem> {
        let sql = format!("SELECT id FROM cases WHERE mo = $1 AND state = '{}' AND replaces <> 0 AND replaces IN ({})", CaseState::Question, list(ids));
        self.0.numbers(sql, &[])
    }

    /// Findings of these cases, and those of their packages that are of no case.
    pub(in crate::workspace) fn findings_of(&mut self, packages: &[i64], ids: &[i64]) -> Result<Vec<CaseFinding>, Problem> {
        let mut found: Vec<CaseFinding> = Vec::new();
        if packages.is_empty() {
            return Ok(found);
        }
        for ids in ids.chunks(IDS) {
            let sql = format!(
                "SELECT case_id, package, rule, severity, file, line, path, count FROM findings WHERE mo = $1 AND package IN ({}) AND case_id IN ({}) \
                 ORDER BY package, case_id, rule",
                list(packages),
                list(ids)
            );
            found.extend(self.0.select::<CaseFinding>(sql, &[])?);
        }
        Ok(found)
    }

    /// The registries in which these cases stood, in the order of their forming.
    pub(in crate::workspace) fn members_of(&mut self, ids: &[i64]) -> Result<Vec<CaseMember>, Problem> {
        self.0.select_for_ids(
            "SELECT m.case_id AS case_id, r.number AS number, r.status AS status, m.revision AS revision, m.n_zap AS n_zap, m.idcase AS idcase, r.since AS since \
             FROM members m JOIN registries r ON r.mo = m.mo AND r.id = m.registry WHERE m.mo = $1 AND m.case_id IN",
            ids,
            "ORDER BY m.registry, m.revision, m.case_id",
        )
    }

    /// What was held against these cases, in the order of the registries.
    pub(in crate::workspace) fn against(&mut self, ids: &[i64]) -> Result<Vec<HeldAgainst>, Problem> {
        self.0.select_for_ids(
            "SELECT s.case_id AS case_id, COALESCE(r.number, '') AS number, s.revision AS revision, s.code AS code, s.sum AS sum, s.comment AS comment, \
             s.source AS source FROM sanctions s LEFT JOIN registries r ON r.mo = s.mo AND r.id = s.registry WHERE s.mo = $1 AND s.case_id IN",
            ids,
            "ORDER BY s.registry, s.revision, s.case_id, s.code",
        )
    }
}

impl Store {
    /// Codes of the clinics that have packages, sorted.
    pub(in crate::workspace) fn clinics_with_packages(&mut self) -> Result<Vec<String>, Problem> {
        self.clinics_in(&["packages"])
    }
}
