//! Registries as the store remembers them, and the counts of cases that stand in none.

use std::collections::BTreeMap;

use sqlx::any::AnyRow;

use super::store::{Store, Value, int, state, text};
use super::{Problem, Workspace};
use crate::cases::CaseState;

/// A registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    pub(super) id: i64,
    /// NSCHET: the number by which people call it.
    pub number: String,
    /// Id of its status.
    pub status: String,
    /// Since when, RFC 3339.
    pub since: String,
    /// How often it was formed.
    pub revision: i64,
    /// The clinic.
    pub mo: String,
    /// The insurer; empty for a fund.
    pub payer: String,
    /// Who receives the file: `S14002`.
    pub receiver: String,
    /// Letters of its file's name.
    pub letters: String,
    /// Family of its file.
    pub family: String,
    /// Edition of its format.
    pub edition: String,
    /// Kind of care.
    pub kind: String,
    /// Subdivision; empty for all.
    pub subdivision: String,
    /// Reporting month, `YYYY-MM`.
    pub period: String,
    /// DSCHET.
    pub account_date: String,
    /// Name of its package.
    pub file_name: String,
    pub(super) object: String,
    /// Completed cases.
    pub cases: i64,
    /// Persons.
    pub persons: i64,
    /// Their sum, kopecks.
    pub sum: i64,
    /// Cases that the payer took; 0 before it decided.
    pub accepted_cases: i64,
    /// What the payer pays for, kopecks; 0 before it decided.
    pub accepted_sum: i64,
    /// When it was formed last.
    pub formed_at: String,
    /// When it was sent last; empty before.
    pub sent_at: String,
}

impl Registry {
    pub(super) fn of(row: &AnyRow) -> Result<Self, Problem> {
        Ok(Self {
            id: int(row, "id")?,
            number: text(row, "number")?,
            status: text(row, "status")?,
            since: text(row, "since")?,
            revision: int(row, "revision")?,
            mo: text(row, "mo")?,
            payer: text(row, "payer")?,
            receiver: text(row, "receiver")?,
            letters: text(row, "letters")?,
            family: text(row, "family")?,
            edition: text(row, "edition")?,
            kind: text(row, "kind")?,
            subdivision: text(row, "subdivision")?,
            period: text(row, "period")?,
            account_date: text(row, "account_date")?,
            file_name: text(row, "file_name")?,
            object: text(row, "object")?,
            cases: int(row, "cases")?,
            persons: int(row, "persons")?,
            sum: int(row, "sum")?,
            accepted_cases: int(row, "accepted_cases")?,
            accepted_sum: int(row, "accepted_sum")?,
            formed_at: text(row, "formed_at")?,
            sent_at: text(row, "sent_at")?,
        })
    }
}

/// Cases of one month, payer and kind in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    /// Reporting month.
    pub period: String,
    /// The clinic.
    pub mo: String,
    /// The insurer.
    pub payer: String,
    /// Kind of care.
    pub kind: String,
    /// State of the cases: free, waiting, refused or question.
    pub state: CaseState,
    /// Findings keep them out of a registry.
    pub blocked: bool,
    /// How many.
    pub cases: i64,
    /// Their sum, kopecks.
    pub sum: i64,
}

/// Cases that stand alike: kind, payer, state, whether findings keep them out.
pub(super) type StockKey<'c> = (&'c str, &'c str, CaseState, bool);

/// The cases of a new package: how many stand alike, and their sum.
pub(super) fn add_stock(store: &mut Store, package: i64, counts: &BTreeMap<StockKey<'_>, (i64, i64)>) -> Result<(), Problem> {
    let row = |(&(kind, payer, state, blocked), &(cases, sum)): (&StockKey<'_>, &(i64, i64))| -> [Value<'_>; 7] {
        let own = |text: &str| Value::from(text.to_owned());
        [package.into(), own(kind), own(payer), state.into(), blocked.into(), cases.into(), sum.into()]
    };
    store.insert("INSERT INTO stock (package, kind, payer, state, blocked, cases, sum)", counts.iter().map(row))
}

/// Cases of a package that stand alike go to another state.
pub(super) fn shift_stock(
    store: &mut Store,
    package: i64,
    (kind, payer, from, blocked): StockKey<'_>,
    to: CaseState,
    (cases, sum): (i64, i64),
) -> Result<(), Problem> {
    for (state, cases, sum) in [(from, -cases, -sum), (to, cases, sum)] {
        let moved = store.execute(
            "UPDATE stock SET cases = cases + $1, sum = sum + $2 WHERE package = $3 AND kind = $4 AND payer = $5 AND state = $6 AND blocked = $7",
            &[cases.into(), sum.into(), package.into(), kind.into(), payer.into(), state.into(), blocked.into()],
        )?;
        if moved == 0 {
            add_stock(store, package, &BTreeMap::from([((kind, payer, state, blocked), (cases, sum))]))?;
        }
    }
    store.execute("DELETE FROM stock WHERE package = $1 AND cases = 0", &[package.into()])?;
    Ok(())
}

/// Newer versions take the place of cases.
pub(super) fn replace_cases(store: &mut Store, ids: &[i64]) -> Result<(), Problem> {
    for batch in ids.chunks(10_000) {
        let list = batch.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        let rows = store.rows_of(
            format!(
                "SELECT package, kind, payer, state, CASE WHEN errors > 0 THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS blocked, \
                 CAST(COUNT(*) AS BIGINT) AS cases, CAST(SUM(sum) AS BIGINT) AS sum FROM cases WHERE id IN ({list}) \
                 GROUP BY package, kind, payer, state, blocked"
            ),
            &[],
        )?;
        for row in rows {
            let (kind, payer) = (text(&row, "kind")?, text(&row, "payer")?);
            let alike = (kind.as_str(), payer.as_str(), state(&row, "state")?, int(&row, "blocked")? > 0);
            shift_stock(store, int(&row, "package")?, alike, CaseState::Replaced, (int(&row, "cases")?, int(&row, "sum")?))?;
        }
    }
    store.for_ids("UPDATE cases SET state = 'replaced' WHERE id IN", ids)?;
    Ok(())
}

/// Counts the cases of packages anew.
pub(super) fn count_stock(store: &mut Store, packages: &[i64]) -> Result<(), Problem> {
    store.for_ids("DELETE FROM stock WHERE package IN", packages)?;
    for package in packages {
        store.execute(
            "INSERT INTO stock (package, kind, payer, state, blocked, cases, sum) \
             SELECT package, kind, payer, state, CASE WHEN errors > 0 THEN 1 ELSE 0 END, CAST(COUNT(*) AS BIGINT), CAST(SUM(sum) AS BIGINT) \
             FROM cases WHERE package = $1 GROUP BY package, kind, payer, state, CASE WHEN errors > 0 THEN 1 ELSE 0 END",
            &[(*package).into()],
        )?;
    }
    Ok(())
}

impl Workspace {
    /// All registries, the newest period first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn registries(&mut self) -> Result<Vec<Registry>, Problem> {
        let rows = self.store.rows("SELECT * FROM registries ORDER BY period DESC, mo, payer, id", &[])?;
        rows.iter().map(Registry::of).collect()
    }

    /// The registry of a number, of a number's unique beginning, or of a file's name.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub fn registry(&mut self, name: &str) -> Result<Registry, Problem> {
        let stem = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let stem = stem.rsplit_once('.').filter(|(_, end)| ["xml", "zip", "oms"].iter().any(|e| end.eq_ignore_ascii_case(e))).map_or(stem, |(stem, _)| stem);
        let all = self.registries()?;
        let is_called = |r: &&Registry| r.number == name || r.file_name.eq_ignore_ascii_case(stem);
        if let Some(one) = all.iter().find(is_called) {
            return Ok(one.clone());
        }
        let like: Vec<&Registry> = all.iter().filter(|r| !name.is_empty() && r.number.starts_with(name)).collect();
        match like.as_slice() {
            [one] => Ok((*one).clone()),
            [] => Err(Problem::NoRegistry(name.to_owned())),
            many => Err(Problem::ManyRegistries(name.to_owned(), many.iter().map(|r| r.number.clone()).collect())),
        }
    }

    /// Cases that stand in no registry and are not paid, by month, payer, kind and state.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn stock(&mut self) -> Result<Vec<Stock>, Problem> {
        let rows = self.store.rows(
            "SELECT p.period AS period, p.mo AS mo, s.payer AS payer, s.kind AS kind, s.state AS state, \
             CASE WHEN s.blocked + p.blocked > 0 THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS blocked, \
             CAST(SUM(s.cases) AS BIGINT) AS cases, CAST(SUM(s.sum) AS BIGINT) AS sum FROM stock s JOIN packages p ON p.id = s.package \
             WHERE s.state IN ('free', 'waiting', 'refused', 'question') \
             GROUP BY p.period, p.mo, s.payer, s.kind, s.state, CASE WHEN s.blocked + p.blocked > 0 THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END \
             ORDER BY p.period DESC, p.mo, s.payer, s.kind, s.state",
            &[],
        )?;
        let stock = |row: &AnyRow| {
            Ok(Stock {
                period: text(row, "period")?,
                mo: text(row, "mo")?,
                payer: text(row, "payer")?,
                kind: text(row, "kind")?,
                state: state(row, "state")?,
                blocked: int(row, "blocked")? > 0,
                cases: int(row, "cases")?,
                sum: int(row, "sum")?,
            })
        };
        rows.iter().map(stock).collect()
    }
}
