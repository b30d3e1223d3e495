//! Completed cases: one row for each version of a case.

use super::Clinic;
use super::row::{Column as _, Value, insert_row, read_row, unreadable};
use super::statement::{IDS, list};
use super::stock::{StockKey, Total};
use super::sums::{CaseMove, VERSIONS};
use crate::cases::CaseState::{self, Free, Held, Paid, Question, Refused, Replaced, Waiting};
use crate::cases::{CaseKey, CasePlace};
use crate::values::Date;
use crate::watch::Watch;
use crate::workspace::Problem;

insert_row! {
    /// A version of a case to be stored.
    struct NewCase<'c> into "cases" {
        id: i64,
        package: i64,
        state: CaseState,
        /// Id of the version that it replaces or waits for; 0 for none.
        replaces: i64,
        /// Its kind of care; empty for none.
        kind: &'c str,
        payer: &'c str,
        subdivision: &'c str,
        /// Numbers in the package; 0 when the value is not a number.
        n_zap: i64,
        idcase: i64,
        sl_id: &'c str,
        id_pac: &'c str,
        date_from: Option<Date>,
        date_to: Option<Date>,
        /// Kopecks.
        sum: i64,
        pr_nov: bool,
        /// Number of findings of severity `error`.
        errors: i64,
        /// The two halves of its identity.
        identity: i64,
        identity_rest: i64,
        resemblance: i64,
        /// A short digest of the case and its person.
        content: i64,
        place: CasePlace,
    }
}

read_row! {
    /// A stored case of which a new one may be a version.
    #[derive(Debug)]
    pub(in crate::workspace) struct KnownCase {
        pub(in crate::workspace) id: i64,
        pub(in crate::workspace) state: CaseState,
        pub(in crate::workspace) content: i64,
        identity: i64,
        identity_rest: i64,
        pub(in crate::workspace) resemblance: i64,
    }
}

impl KnownCase {
    pub(in crate::workspace) fn identity(&self) -> CaseKey {
        CaseKey(self.identity, self.identity_rest)
    }
}

/// A case of which the user must say whether it is the same as another one.
#[derive(Debug)]
pub(in crate::workspace) struct OpenQuestion {
    pub(in crate::workspace) id: i64,
    /// Id of the case that it may be the same as.
    pub(in crate::workspace) other: i64,
    /// State and package of that case; `None` when the question is between two cases of one package.
    pub(in crate::workspace) of_other: Option<(CaseState, i64)>,
}

read_row! {
    /// A version of a case that has replaced another one, or waits to.
    pub(in crate::workspace) struct CaseVersion {
        pub(in crate::workspace) id: i64,
        /// Id of the other one.
        pub(in crate::workspace) replaces: i64,
    }
}

read_row! {
    /// Counts of cases of one package that share kind, payer, state and blocking.
    struct AlikeCases {
        package: i64,
        kind: String,
        payer: String,
        state: CaseState,
        blocked: bool,
        cases: i64,
        sum: i64,
    }
}

/// The columns of all found cases as one text, because reading separate rows takes the driver many times longer. `$2` separates values, `$3`
/// separates cases; both are characters that cannot occur in an XML file.
const FOUND: &str = "COALESCE(string_agg(c.id || $2 || c.package || $2 || c.sum || $2 || c.pr_nov || $2 || c.place || $2 || c.payer || $2 || c.kind || $2 || c.subdivision, $3), '') \
     AS found";
const BETWEEN_VALUES: &str = "\u{1f}";
const BETWEEN_CASES: &str = "\u{1e}";

/// Cases that may be formed, as the text that the store returns, in no particular order.
#[derive(Debug)]
pub(in crate::workspace) struct FoundCases(String);

/// One case of [`FoundCases`].
#[derive(Debug)]
pub(in crate::workspace) struct FoundCase<'t> {
    pub(in crate::workspace) id: i64,
    pub(in crate::workspace) package: i64,
    /// Kopecks.
    pub(in crate::workspace) sum: i64,
    /// PR_NOV of the export.
    pub(in crate::workspace) pr_nov: bool,
    pub(in crate::workspace) place: CasePlace,
    pub(in crate::workspace) payer: &'t str,
    pub(in crate::workspace) kind: &'t str,
    pub(in crate::workspace) subdivision: &'t str,
}

impl FoundCases {
    /// Iterates over the cases; an item is an error when its text cannot be read.
    pub(in crate::workspace) fn iter(&self) -> impl Iterator<Item = Result<FoundCase<'_>, Problem>> {
        self.0.split(BETWEEN_CASES).filter(|case| !case.is_empty()).map(|case| FoundCase::read(case).ok_or_else(|| unreadable("place", case)))
    }
}

impl<'t> FoundCase<'t> {
    fn read(text: &'t str) -> Option<Self> {
        let mut values = text.split(BETWEEN_VALUES);
        let mut number = || values.next()?.parse().ok();
        let (id, package, sum, pr_nov) = (number()?, number()?, number()?, number()? != 0);
        let place = values.next()?.parse().ok()?;
        Some(Self { id, package, sum, pr_nov, place, payer: values.next()?, kind: values.next()?, subdivision: values.next()? })
    }
}

/// Number of keys looked up with one query.
const KEYS: usize = 1_000;

/// The table of completed cases.
pub(in crate::workspace) struct Cases<'s>(pub(super) Clinic<'s>);

impl Cases<'_> {
    /// All versions that have replaced another one, or wait to.
    pub(in crate::workspace) fn versions(&mut self) -> Result<Vec<CaseVersion>, Problem> {
        self.0.select(format!("SELECT id, replaces FROM cases WHERE mo = $1 AND replaces <> 0 AND state <> '{Question}'"), &[])
    }

    pub(in crate::workspace) fn insert<'c, R>(&mut self, cases: R, watch: &dyn Watch) -> Result<(), Problem>
    where
        R: IntoIterator<Item = NewCase<'c>>,
        R::IntoIter: Send,
    {
        self.0.insert_all(cases, watch)
    }

    /// Cases that share the first half of an identity with one of `keys` and are not replaced. The keys are asked for in batches; within a
    /// batch the order is by id.
    pub(in crate::workspace) fn by_identity(&mut self, keys: Vec<i64>) -> Result<Vec<KnownCase>, Problem> {
        self.by("identity", keys)
    }

    /// Cases with one of these resemblances that are not replaced. The keys are asked for in batches; within a batch the order is by id.
    pub(in crate::workspace) fn by_resemblance(&mut self, keys: Vec<i64>) -> Result<Vec<KnownCase>, Problem> {
        self.by("resemblance", keys)
    }

    fn by(&mut self, column: &'static str, mut keys: Vec<i64>) -> Result<Vec<KnownCase>, Problem> {
        // Sorted keys let each search of the index continue near the last one.
        keys.sort_unstable();
        let mut found = Vec::new();
        for batch in keys.chunks(KEYS) {
            let sql = format!(
                "SELECT id, state, content, identity, identity_rest, resemblance FROM cases WHERE mo = $1 AND state <> '{Replaced}' AND {column} IN ({}) \
                 ORDER BY id",
                list(batch)
            );
            found.extend(self.0.select::<KnownCase>(sql, &[])?);
        }
        Ok(found)
    }

    /// Cases of a package that wait for the user's answer.
    pub(in crate::workspace) fn open_questions(&mut self, package: i64) -> Result<Vec<OpenQuestion>, Problem> {
        let sql = format!(
            "SELECT q.id AS id, q.replaces AS other, COALESCE(o.state, '') AS state, COALESCE(o.package, 0) AS package FROM cases q \
             LEFT JOIN cases o ON o.mo = q.mo AND o.id = q.replaces WHERE q.mo = $1 AND q.package = $2 AND q.state = '{Question}'"
        );
        let rows = self.0.rows(sql, &[package.into()])?;
        let question = |row: &super::row::Row| {
            let of_other = match row.get::<i64>("package")? {
                0 => None,
                package => Some((CaseState::read(row, "state")?, package)),
            };
            Ok(OpenQuestion { id: row.get("id")?, other: row.get("other")?, of_other })
        };
        rows.iter().map(question).collect()
    }

    /// Sets the state of an answered question and the version that it replaces (0 for none).
    pub(in crate::workspace) fn settle(&mut self, question: &OpenQuestion, state: CaseState, replaces: i64) -> Result<(), Problem> {
        let id = question.id;
        self.set(state, None, "id = $2".to_owned(), &[id.into()])?;
        self.0.execute("UPDATE cases SET replaces = $2 WHERE mo = $1 AND id = $3", &[replaces.into(), id.into()])?;
        let line = |replaces| Some(format!("{id}{BETWEEN_VALUES}{replaces}")).filter(|_| replaces != 0);
        self.0.changed().exchange(VERSIONS, line(question.other).as_deref(), line(replaces).as_deref());
        Ok(())
    }

    /// Sets the state of the cases that meet a condition, and their registry unless it stays as it is. Returns their number. The condition's own
    /// values begin with `$2`.
    fn set(&mut self, state: CaseState, registry: Option<i64>, condition: String, values: &[Value<'_>]) -> Result<u64, Problem> {
        let (between, cases) = (values.len() + 2, values.len() + 3);
        let sql = format!(
            "SELECT COALESCE(string_agg(id || ${between} || state || ${between} || registry, ${cases}), '') AS found FROM cases WHERE mo = $1 AND {condition}"
        );
        let all: Vec<Value<'_>> = values.iter().cloned().chain([BETWEEN_VALUES.into(), BETWEEN_CASES.into()]).collect();
        let text: String = self.0.rows(sql, &all)?.first().map_or_else(|| Ok(String::new()), |row| row.get("found"))?;
        if text.is_empty() {
            return Ok(0);
        }
        let case = |text| {
            let read = || {
                let mut values = str::split(text, BETWEEN_VALUES);
                let (id, before, held_by): (_, _, i64) = (values.next()?.parse().ok()?, values.next()?, values.next()?.parse().ok()?);
                Some(CaseMove { id, before: (before, held_by), after: (state.as_str(), registry.unwrap_or(held_by)) })
            };
            read().ok_or_else(|| unreadable("state", text))
        };
        let moves = text.split(BETWEEN_CASES).map(case).collect::<Result<Vec<_>, _>>()?;
        self.0.changed().move_cases(&moves);
        let registry = registry.map_or_else(String::new, |registry| format!(", registry = {registry}"));
        self.0.execute(format!("UPDATE cases SET state = '{state}'{registry} WHERE mo = $1 AND {condition}"), values)
    }

    /// The same for cases with these ids that meet the condition.
    fn set_ids(&mut self, state: CaseState, registry: Option<i64>, condition: &str, ids: &[i64]) -> Result<(), Problem> {
        ids.chunks(IDS).try_for_each(|ids| self.set(state, registry, format!("{condition} AND id IN ({})", list(ids)), &[]).map(drop))
    }

    /// Marks cases as replaced. The caller updates the counts of stock.
    pub(in crate::workspace) fn mark_replaced(&mut self, ids: &[i64]) -> Result<(), Problem> {
        self.set_ids(Replaced, None, "1 = 1", ids)
    }

    /// Marks cases as replaced and updates the counts of stock.
    pub(in crate::workspace) fn replace(&mut self, ids: &[i64]) -> Result<(), Problem> {
        let alike = self.0.select_for_ids::<AlikeCases>(
            "SELECT package, kind, payer, state, CASE WHEN errors > 0 THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS blocked, \
             CAST(COUNT(*) AS BIGINT) AS cases, CAST(SUM(sum) AS BIGINT) AS sum FROM cases WHERE mo = $1 AND id IN",
            ids,
            "GROUP BY package, kind, payer, state, blocked",
        )?;
        for AlikeCases { package, kind, payer, state, blocked, cases, sum } in alike {
            let key = StockKey { kind: &kind, payer: &payer, state, blocked };
            self.0.stock().shift(package, key, Replaced, Total { cases, sum })?;
        }
        self.mark_replaced(ids)
    }

    /// Cases of a package that may be formed: free and without findings of severity `error`.
    pub(in crate::workspace) fn free_of(&mut self, package: i64) -> Result<FoundCases, Problem> {
        self.found(format!("cases c WHERE c.mo = $1 AND c.package = $4 AND c.state = '{Free}' AND c.errors = 0"), package)
    }

    /// The newest versions of the cases that a registry holds, without those blocked by findings.
    pub(in crate::workspace) fn newest_of(&mut self, registry: i64) -> Result<FoundCases, Problem> {
        let from = format!(
            "(SELECT * FROM cases h WHERE h.mo = $1 AND h.registry = $4 AND h.registry <> 0 AND h.state = '{Held}' \
             AND NOT EXISTS (SELECT 1 FROM cases w WHERE w.mo = h.mo AND w.replaces = h.id AND w.state = '{Waiting}') \
             UNION ALL SELECT w.* FROM cases w JOIN cases o ON o.mo = w.mo AND o.id = w.replaces \
             WHERE w.mo = $1 AND w.state = '{Waiting}' AND o.registry = $4 AND o.state = '{Held}') c \
             JOIN packages p ON p.mo = c.mo AND p.id = c.package WHERE c.errors = 0 AND p.blocked = 0"
        );
        self.found(from, registry)
    }

    fn found(&mut self, from: String, of: i64) -> Result<FoundCases, Problem> {
        let rows = self.0.rows(format!("SELECT {FOUND} FROM {from}"), &[BETWEEN_VALUES.into(), BETWEEN_CASES.into(), of.into()])?;
        rows.first().map_or_else(|| Ok(String::new()), |row| row.get("found")).map(FoundCases)
    }

    /// Cases that a registry holds, that its payer refused whole and nobody corrected.
    pub(in crate::workspace) fn refused_whole(&mut self, registry: i64, revision: i64) -> Result<Vec<i64>, Problem> {
        let sql = format!(
            "SELECT c.id AS id FROM sanctions s JOIN cases c ON c.mo = s.mo AND c.id = s.case_id \
             WHERE s.mo = $1 AND s.registry = $2 AND s.revision = $3 AND c.registry = s.registry AND c.state = '{Held}' \
             AND NOT EXISTS (SELECT 1 FROM cases w WHERE w.mo = c.mo AND w.replaces = c.id AND w.state = '{Waiting}') \
             GROUP BY c.id, c.sum HAVING MAX(s.sum) >= c.sum"
        );
        self.0.numbers(sql, &[registry.into(), revision.into()])
    }

    /// Cases that a registry holds and that have a newer version.
    pub(in crate::workspace) fn corrected(&mut self, registry: i64) -> Result<Vec<i64>, Problem> {
        let sql = format!(
            "SELECT o.id AS id FROM cases o WHERE o.mo = $1 AND o.registry = $2 AND o.registry <> 0 AND o.state = '{Held}' \
             AND EXISTS (SELECT 1 FROM cases w WHERE w.mo = o.mo AND w.replaces = o.id AND w.state = '{Waiting}')"
        );
        self.0.numbers(sql, &[registry.into()])
    }

    /// Number of cases of a registry that have a newer version waiting for it.
    pub(in crate::workspace) fn waiting_for(&mut self, registry: i64) -> Result<i64, Problem> {
        let sql = format!(
            "SELECT CAST(COUNT(*) AS BIGINT) FROM cases w JOIN cases o ON o.mo = w.mo AND o.id = w.replaces \
             WHERE w.mo = $1 AND w.state = '{Waiting}' AND o.registry = $2 AND o.registry <> 0"
        );
        self.0.number(sql, &[registry.into()])
    }

    /// Marks cases as held by a registry if all of them are free; returns whether they were. If not, the transaction must be undone.
    pub(in crate::workspace) fn hold_free(&mut self, registry: i64, ids: &[i64]) -> Result<bool, Problem> {
        let head =
            format!("UPDATE cases SET state = '{Held}', registry = {registry} WHERE mo = $1 AND state = '{Free}' AND registry = 0 AND errors = 0 AND id IN");
        let all_free = self.0.for_ids(&head, ids)? == ids.len() as u64;
        let (before, after) = ((Free.as_str(), 0), (Held.as_str(), registry));
        self.0.changed().move_cases(&ids.iter().map(|id| CaseMove { id: *id, before, after }).collect::<Vec<_>>());
        Ok(all_free)
    }

    /// Marks cases as held by a registry; paid cases stay as they are.
    pub(in crate::workspace) fn hold(&mut self, registry: i64, ids: &[i64]) -> Result<(), Problem> {
        self.set_ids(Held, Some(registry), &format!("state <> '{Paid}'"), ids)
    }

    /// Frees all cases that a registry holds.
    pub(in crate::workspace) fn free_held(&mut self, registry: i64) -> Result<(), Problem> {
        self.set_all(registry, Held, (Free, 0))
    }

    /// Marks cases that a registry holds as refused by its payer. A case that another registry holds now is not changed.
    pub(in crate::workspace) fn refuse(&mut self, registry: i64, ids: &[i64]) -> Result<(), Problem> {
        self.set_ids(Refused, Some(0), &format!("state = '{Held}' AND registry = {registry}"), ids)
    }

    /// Marks free cases as refused.
    pub(in crate::workspace) fn refuse_free(&mut self, ids: &[i64]) -> Result<(), Problem> {
        self.set_ids(Refused, None, &format!("state = '{Free}'"), ids)
    }

    /// Marks all cases that a registry holds as paid.
    pub(in crate::workspace) fn pay(&mut self, registry: i64) -> Result<(), Problem> {
        self.set_all(registry, Held, (Paid, registry))
    }

    /// Takes back the mark of payment: the paid cases of a registry are held by it again.
    pub(in crate::workspace) fn unpay(&mut self, registry: i64) -> Result<(), Problem> {
        self.set_all(registry, Paid, (Held, registry))
    }

    fn set_all(&mut self, registry: i64, from: CaseState, to: (CaseState, i64)) -> Result<(), Problem> {
        self.set(to.0, Some(to.1), format!("registry = $2 AND registry <> 0 AND state = '{from}'"), &[registry.into()]).map(drop)
    }

    /// Waiting versions whose earlier version no registry holds any more replace it and become free; those of paid ones become questions.
    pub(in crate::workspace) fn settle_waiting(&mut self) -> Result<(), Problem> {
        let is_awaited = format!("state IN ('{Free}', '{Refused}') AND id IN (SELECT w.replaces FROM cases w WHERE w.mo = $1 AND w.state = '{Waiting}')");
        self.set(Replaced, None, is_awaited, &[])?;
        for (state, of_old) in [(Free, Replaced), (Question, Paid)] {
            let waits =
                format!("state = '{Waiting}' AND EXISTS (SELECT 1 FROM cases o WHERE o.mo = cases.mo AND o.id = cases.replaces AND o.state = '{of_old}')");
            self.set(state, None, waits, &[])?;
        }
        Ok(())
    }
}
