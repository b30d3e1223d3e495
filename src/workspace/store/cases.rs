//! Completed cases: one row for each version of a case.

use std::collections::BTreeMap;

use super::Clinic;
use super::row::{Value, insert_row, read_row, unreadable};
use super::standing::{STEP, former, was_never};
use super::statement::{IDS, list};
use super::stock::{StockKey, Total};
use super::sums::{CaseMove, Standing};
use crate::cases::CaseState::{self, Aside, Dropped, Free, Held, Paid, Question, Refused, Replaced, Undone, Waiting};
use crate::cases::{CaseKey, CasePlace, PersonMark};
use crate::values::Date;
use crate::watch::{Stopped, Watch};
use crate::workspace::Problem;

insert_row! {
    /// A version of a case to be stored.
    struct NewCase<'c> into "cases" {
        id: i64,
        package: i64,
        state: CaseState,
        /// What it was before it was replaced, set aside or dropped; empty for a new one.
        was: &'static str,
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
        /// NHISTORY, the doctor, PODR, PROFIL and USL_OK; of several parts of a case the smallest.
        history: &'c str,
        doctor: &'c str,
        unit: &'c str,
        profile: &'c str,
        conditions: &'c str,
        person: PersonMark,
    }
}

/// A stored case of which a new one may be a version.
#[derive(Debug, Clone)]
pub(in crate::workspace) struct KnownCase<'t> {
    pub(in crate::workspace) id: i64,
    pub(in crate::workspace) state: CaseState,
    /// Id of the version that it replaces or waits for, or of the case that it may be the same as; 0 for none.
    pub(in crate::workspace) replaces: i64,
    pub(in crate::workspace) content: i64,
    pub(in crate::workspace) identity: CaseKey,
    pub(in crate::workspace) resemblance: i64,
    /// Last day as the number `yyyymmdd`.
    pub(in crate::workspace) date_to: i64,
    pub(in crate::workspace) person: PersonMark,
    pub(in crate::workspace) family: &'t str,
    /// Reporting month of its package; empty for none.
    pub(in crate::workspace) period: &'t str,
    /// Whether its findings, or those of its package, keep it out of registries.
    pub(in crate::workspace) is_blocked: bool,
}

/// The columns of [`KnownCase`] of all cases as one text; see [`FOUND`].
const KNOWN: &str = "COALESCE(string_agg(c.id || $2 || c.state || $2 || c.replaces || $2 || c.content || $2 || c.identity || $2 || c.identity_rest || $2 || c.resemblance \
     || $2 || c.date_to || $2 || c.person || $2 || p.family || $2 || p.period || $2 || CASE WHEN c.errors > 0 OR p.blocked > 0 THEN 1 ELSE 0 END, $3), '') AS found";

impl<'t> KnownCase<'t> {
    fn read(text: &'t str) -> Option<Self> {
        let mut values = text.split(BETWEEN_VALUES);
        let id = values.next()?.parse().ok()?;
        let state = values.next()?.parse().ok()?;
        let mut number = || values.next()?.parse::<i64>().ok();
        let (replaces, content, identity, resemblance) = (number()?, number()?, CaseKey(number()?, number()?), number()?);
        let (date_to, person) = (number()?, PersonMark::from(number()?));
        let (family, period, is_blocked) = (values.next()?, values.next()?, values.next()? == "1");
        Some(Self { id, state, replaces, content, identity, resemblance, date_to, person, family, period, is_blocked })
    }
}

/// What is known of a case besides its keys.
#[derive(Debug)]
pub(in crate::workspace) struct Particulars<'c> {
    pub(in crate::workspace) id: i64,
    pub(in crate::workspace) resemblance: i64,
    pub(in crate::workspace) person: PersonMark,
    pub(in crate::workspace) history: &'c str,
    pub(in crate::workspace) doctor: &'c str,
    pub(in crate::workspace) unit: &'c str,
    pub(in crate::workspace) profile: &'c str,
    pub(in crate::workspace) conditions: &'c str,
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
pub(super) const BETWEEN_VALUES: &str = "\u{1f}";
const BETWEEN_CASES: &str = "\u{1e}";

/// A case that may be formed.
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
/// Number of ids whose cases are found with one query.
const PAGE: i64 = 5_000;

read_row! {
    /// The ids of a package's cases.
    struct Span {
        first: i64,
        last: i64,
    }
}

read_row! {
    struct StandingRow {
        id: i64,
        state: CaseState,
        registry: i64,
        was: String,
    }
}

/// The table of completed cases.
pub(in crate::workspace) struct Cases<'s>(pub(super) Clinic<'s>);

impl Cases<'_> {
    /// All versions that have replaced another one, or wait to.
    pub(in crate::workspace) fn versions(&mut self) -> Result<Vec<CaseVersion>, Problem> {
        self.0.select(format!("SELECT id, replaces FROM cases WHERE mo = $1 AND replaces <> 0 AND {}", was_never("cases", Question)), &[])
    }

    pub(in crate::workspace) fn insert<'c, R>(&mut self, cases: R, watch: &dyn Watch) -> Result<(), Problem>
    where
        R: IntoIterator<Item = NewCase<'c>>,
        R::IntoIter: Send,
    {
        self.0.insert_all(cases, watch)
    }

    /// Gives cases that share the first half of an identity with one of `keys` and are not replaced, in no particular order. The keys grow.
    pub(in crate::workspace) fn by_identity(&mut self, keys: impl Iterator<Item = i64>, each: &mut dyn FnMut(KnownCase<'_>)) -> Result<(), Problem> {
        self.by("identity", keys, each)
    }

    /// Gives cases with one of these resemblances that are not replaced, in no particular order. The keys grow.
    pub(in crate::workspace) fn by_resemblance(&mut self, keys: impl Iterator<Item = i64>, each: &mut dyn FnMut(KnownCase<'_>)) -> Result<(), Problem> {
        self.by("resemblance", keys, each)
    }

    fn by(&mut self, column: &str, mut keys: impl Iterator<Item = i64>, each: &mut dyn FnMut(KnownCase<'_>)) -> Result<(), Problem> {
        let indexed = self.0.indexed_by(&format!("cases_{column}"));
        self.0.reading_once(|clinic| {
            let mut batch: Vec<i64> = Vec::with_capacity(KEYS);
            loop {
                // Growing keys let each search of the index continue near the last one.
                let last = batch.last().copied();
                batch.clear();
                batch.extend(keys.by_ref().skip_while(|key| Some(*key) == last).take(KEYS));
                batch.dedup();
                if batch.is_empty() {
                    return Ok(());
                }
                let sql = format!(
                    "SELECT {KNOWN} FROM cases c{indexed} JOIN packages p ON p.mo = c.mo AND p.id = c.package \
                     WHERE c.mo = $1 AND c.state NOT IN ('{Replaced}', '{Undone}') AND c.{column} IN ({})",
                    list(&batch)
                );
                let text = clinic.text(sql, &[BETWEEN_VALUES.into(), BETWEEN_CASES.into()])?;
                for case in text.split(BETWEEN_CASES).filter(|case| !case.is_empty()) {
                    each(KnownCase::read(case).ok_or_else(|| unreadable("identity", case))?);
                }
            }
        })
    }

    /// Where the cases of a package begin in its main file, and their ids, in this order.
    pub(in crate::workspace) fn begins(&mut self, package: i64) -> Result<Vec<(u64, i64)>, Problem> {
        let rows = self.0.rows("SELECT id, place FROM cases WHERE mo = $1 AND package = $2", &[package.into()])?;
        let begin = |row: &super::row::Row| {
            let text: String = row.get("place")?;
            let place: CasePlace = text.parse().map_err(|_| unreadable("place", &text))?;
            Ok((place.case.start, row.get("id")?))
        };
        let mut begins = rows.iter().map(begin).collect::<Result<Vec<_>, Problem>>()?;
        begins.sort_unstable();
        Ok(begins)
    }

    /// Lets `change` change the cases of a package, and no others.
    pub(in crate::workspace) fn rewrite_package(&mut self, package: i64, change: impl FnOnce(&mut Clinic<'_>) -> Result<(), Problem>) -> Result<(), Problem> {
        self.0.rewrite::<NewCase<'_>>(&format!(" AND package = {package}"), change)
    }

    /// Sets what is known of a case besides its keys; only within [`Cases::rewrite_package`].
    pub(in crate::workspace) fn set_particulars(&mut self, case: &Particulars<'_>, watch: &dyn Watch) -> Result<(), Problem> {
        Stopped::check(watch)?;
        self.0.update_cases(
            "resemblance = $2, person = $3, history = $4, doctor = $5, unit = $6, profile = $7, conditions = $8",
            "id = $9",
            &[
                case.resemblance.into(),
                case.person.into(),
                case.history.into(),
                case.doctor.into(),
                case.unit.into(),
                case.profile.into(),
                case.conditions.into(),
                case.id.into(),
            ],
        )?;
        Ok(())
    }

    /// Gives cases a state in which they keep what they were; their registry stays. The caller updates the counts of stock.
    pub(in crate::workspace) fn set_aside(&mut self, state: CaseState, ids: &[i64]) -> Result<(), Problem> {
        self.set_ids(state, None, "1 = 1", ids)
    }

    /// Sets free cases aside.
    pub(in crate::workspace) fn set_aside_free(&mut self, ids: &[i64]) -> Result<(), Problem> {
        self.set_ids(Aside, None, &format!("state = '{Free}'"), ids)
    }

    /// Sets the state of the cases that meet a condition, and their registry unless it stays as it is. Returns their number. The condition's own
    /// values begin with `$2`.
    pub(super) fn set(&mut self, state: CaseState, registry: Option<i64>, condition: String, values: &[Value<'_>]) -> Result<u64, Problem> {
        let (between, cases) = (values.len() + 2, values.len() + 3);
        let sql = format!(
            "SELECT COALESCE(string_agg(id || ${between} || state || ${between} || registry || ${between} || was, ${cases}), '') AS found \
             FROM cases WHERE mo = $1 AND {condition}"
        );
        let all: Vec<Value<'_>> = values.iter().cloned().chain([BETWEEN_VALUES.into(), BETWEEN_CASES.into()]).collect();
        let text = self.0.text(sql, &all)?;
        if text.is_empty() {
            return Ok(0);
        }
        let case = |text| {
            let read = || {
                let mut values = str::split(text, BETWEEN_VALUES);
                let (id, before) = (values.next()?.parse().ok()?, values.next()?);
                let (held_by, was): (i64, _) = (values.next()?.parse().ok()?, values.next()?);
                let after = Standing { state: state.as_str(), registry: registry.unwrap_or(held_by), was: former(state, before, was) };
                Some(CaseMove { id, before: Standing { state: before, registry: held_by, was: was.into() }, after })
            };
            read().ok_or_else(|| unreadable("state", text))
        };
        let moves = text.split(BETWEEN_CASES).map(case).collect::<Result<Vec<_>, _>>()?;
        self.0.changed().move_cases(&moves);
        let registry = registry.map_or_else(String::new, |registry| format!(", registry = {registry}"));
        let was = match state.keeps_former() {
            true => format!("CASE WHEN state = '{state}' THEN was WHEN was = '' THEN state ELSE state || '{STEP}' || was END"),
            false => "''".to_owned(),
        };
        self.0.update_cases(&format!("state = '{state}', was = {was}{registry}"), &condition, values)
    }

    /// Gives each case the state that it had before; `held` is the state of a case that a registry held then.
    pub(in crate::workspace) fn give_back(&mut self, ids: &[i64], held: CaseState) -> Result<(), Problem> {
        let rows: Vec<StandingRow> = self.0.select_for_ids("SELECT id, state, registry, was FROM cases WHERE mo = $1 AND id IN", ids, "")?;
        let mut moves = Vec::with_capacity(rows.len());
        for StandingRow { id, state, registry, was } in &rows {
            let (last, rest) = was.split_once(STEP).unwrap_or((was, ""));
            let former: CaseState = last.parse().map_err(|_| unreadable("was", was))?;
            let after = Standing { state: if former == Held { held } else { former }.as_str(), registry: 0, was: rest.into() };
            moves.push(CaseMove { id: *id, before: Standing { state: state.as_str(), registry: *registry, was: was.into() }, after });
        }
        self.0.changed().move_cases(&moves);
        let mut alike: BTreeMap<&Standing<'_>, Vec<i64>> = BTreeMap::new();
        moves.iter().for_each(|case| alike.entry(&case.after).or_default().push(case.id));
        for (Standing { state, registry, was }, ids) in alike {
            for ids in ids.chunks(IDS) {
                let values = [(*state).into(), (*registry).into(), was.as_ref().into()];
                self.0.update_cases("state = $2, registry = $3, was = $4", &format!("id IN ({})", list(ids)), &values)?;
            }
        }
        Ok(())
    }

    /// Sets the state of those of these cases that meet a condition; see [`Cases::set`].
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

    /// Gives the cases of a package that may be formed, free and without findings of severity `error`, in the order of their ids.
    pub(in crate::workspace) fn free_of(&mut self, package: i64, each: &mut dyn FnMut(FoundCase<'_>) -> Result<(), Problem>) -> Result<(), Problem> {
        let span =
            "SELECT CAST(COALESCE(MIN(id), 0) AS BIGINT) AS first, CAST(COALESCE(MAX(id), -1) AS BIGINT) AS last FROM cases WHERE mo = $1 AND package = $2";
        let Some(Span { first, last }) = self.0.first(span, &[package.into()])? else { return Ok(()) };
        self.0.reading_once(|clinic| {
            let mut next = first;
            // The cases of a package have ids that follow one another.
            while next <= last {
                let end = last.min(next + PAGE - 1);
                let which = format!("c.package = $4 AND c.id BETWEEN $5 AND $6 AND c.state = '{Free}' AND c.errors = 0");
                found(clinic, &which, &[package.into(), next.into(), end.into()], each)?;
                next = end + 1;
            }
            Ok(())
        })
    }

    /// Gives the newest versions of the cases that a registry holds, without those blocked by findings, in the order of their ids.
    pub(in crate::workspace) fn newest_of(&mut self, registry: i64, each: &mut dyn FnMut(FoundCase<'_>) -> Result<(), Problem>) -> Result<(), Problem> {
        let sql = format!(
            "SELECT COALESCE(string_agg(c.id || $2, ''), '') AS found FROM (SELECT * FROM cases h WHERE h.mo = $1 AND h.registry = $3 AND h.registry <> 0 \
             AND h.state = '{Held}' AND NOT EXISTS (SELECT 1 FROM cases w WHERE w.mo = h.mo AND w.replaces = h.id AND w.state = '{Waiting}') \
             UNION ALL SELECT w.* FROM cases w JOIN cases o ON o.mo = w.mo AND o.id = w.replaces \
             WHERE w.mo = $1 AND w.state = '{Waiting}' AND o.registry = $3 AND o.state = '{Held}') c \
             JOIN packages p ON p.mo = c.mo AND p.id = c.package WHERE c.errors = 0 AND p.blocked = 0"
        );
        let text = self.0.text(sql, &[BETWEEN_VALUES.into(), registry.into()])?;
        let id = |id: &str| id.parse().map_err(|_| unreadable("id", id));
        let mut ids = text.split_terminator(BETWEEN_VALUES).map(id).collect::<Result<Vec<i64>, Problem>>()?;
        drop(text);
        ids.sort_unstable();
        ids.chunks(PAGE as usize).try_for_each(|ids| found(&mut self.0, &format!("c.id IN ({})", list(ids)), &[], each))
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

    /// Number and sum of these cases.
    pub(in crate::workspace) fn total_of(&mut self, ids: &[i64]) -> Result<Total, Problem> {
        let head = "SELECT CAST(COUNT(*) AS BIGINT) AS cases, CAST(COALESCE(SUM(sum), 0) AS BIGINT) AS sum FROM cases WHERE mo = $1 AND id IN";
        let totals: Vec<Total> = self.0.select_for_ids(head, ids, "")?;
        Ok(totals.into_iter().fold(Total::default(), |all, one| Total { cases: all.cases + one.cases, sum: all.sum + one.sum }))
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
        let set = format!("state = '{Held}', registry = {registry}");
        let of = |state: CaseState, registry| Standing { state: state.as_str(), registry, was: "".into() };
        let mut changed = 0;
        for ids in ids.chunks(IDS) {
            changed += self.0.update_cases(&set, &format!("state = '{Free}' AND registry = 0 AND errors = 0 AND id IN ({})", list(ids)), &[])?;
            self.0.changed().move_cases(&ids.iter().map(|id| CaseMove { id: *id, before: of(Free, 0), after: of(Held, registry) }).collect::<Vec<_>>());
        }
        Ok(changed == ids.len() as u64)
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

    /// Waiting versions whose earlier version no registry holds any more replace it and become free; those of paid and dropped ones become questions.
    pub(in crate::workspace) fn settle_waiting(&mut self) -> Result<(), Problem> {
        let is_awaited =
            format!("state IN ('{Free}', '{Refused}', '{Aside}') AND id IN (SELECT w.replaces FROM cases w WHERE w.mo = $1 AND w.state = '{Waiting}')");
        self.set(Replaced, None, is_awaited, &[])?;
        for (state, of_old) in [(Free, Replaced), (Question, Paid), (Question, Dropped)] {
            let waits =
                format!("state = '{Waiting}' AND EXISTS (SELECT 1 FROM cases o WHERE o.mo = cases.mo AND o.id = cases.replaces AND o.state = '{of_old}')");
            self.set(state, None, waits, &[])?;
        }
        Ok(())
    }
}

/// Gives the cases of a clinic that meet a condition, in the order of their ids. The condition's own values begin with `$4`.
fn found(clinic: &mut Clinic<'_>, which: &str, values: &[Value<'_>], each: &mut dyn FnMut(FoundCase<'_>) -> Result<(), Problem>) -> Result<(), Problem> {
    let all: Vec<Value<'_>> = [BETWEEN_VALUES.into(), BETWEEN_CASES.into()].into_iter().chain(values.iter().cloned()).collect();
    let text = clinic.text(format!("SELECT {FOUND} FROM cases c WHERE c.mo = $1 AND {which}"), &all)?;
    let cases = text.split(BETWEEN_CASES).filter(|case| !case.is_empty());
    let mut cases = cases.map(|case| FoundCase::read(case).ok_or_else(|| unreadable("place", case))).collect::<Result<Vec<_>, _>>()?;
    cases.sort_unstable_by_key(|case| case.id);
    cases.into_iter().try_for_each(each)
}
