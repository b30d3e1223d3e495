//! Counts of cases by package. They are kept beside the cases, so that the status of a million cases need not count them.

use std::collections::{BTreeMap, BTreeSet};

use super::row::{insert_row, read_row};
use super::{Clinic, Store};
use crate::cases::CaseState::{self, Aside, Free, Question, Refused, Waiting};
use crate::watch::Unwatched;
use crate::workspace::Problem;

read_row! {
    /// Counts of cases of one month, clinic, payer, kind of care and state.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Stock {
        /// Reporting month, `YYYY-MM`.
        pub period: String,
        /// Code of the clinic.
        pub mo: String,
        /// Code of the insurer.
        pub payer: String,
        /// Kind of care.
        pub kind: String,
        /// State of the cases: free, waiting, refused, question or aside.
        pub state: CaseState,
        /// Whether findings keep the cases out of registries.
        pub blocked: bool,
        /// Number of cases.
        pub cases: i64,
        /// Sum of the cases, kopecks.
        pub sum: i64,
    }
}

/// The values that cases counted together share, besides their package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::workspace) struct StockKey<'c> {
    pub(in crate::workspace) kind: &'c str,
    pub(in crate::workspace) payer: &'c str,
    pub(in crate::workspace) state: CaseState,
    /// Whether findings keep the cases out of registries.
    pub(in crate::workspace) blocked: bool,
}

read_row! {
    /// Number of cases and their sum.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct Total {
        /// How many.
        pub cases: i64,
        /// Kopecks.
        pub sum: i64,
    }
}

impl Total {
    /// Counts one more case.
    pub(in crate::workspace) fn add(&mut self, sum: i64) {
        self.cases += 1;
        self.sum += sum;
    }
}

insert_row! {
    /// A count to be stored.
    struct NewStock<'c> into "stock" {
        package: i64,
        kind: &'c str,
        payer: &'c str,
        state: CaseState,
        blocked: bool,
        cases: i64,
        sum: i64,
    }
}

impl<'c> NewStock<'c> {
    fn new(package: i64, key: StockKey<'c>, total: Total) -> Self {
        let StockKey { kind, payer, state, blocked } = key;
        Self { package, kind, payer, state, blocked, cases: total.cases, sum: total.sum }
    }
}

/// The table of counts.
pub(in crate::workspace) struct StockCounts<'s>(pub(super) Clinic<'s>);

impl StockCounts<'_> {
    /// Stores the counts of a new package.
    pub(in crate::workspace) fn add(&mut self, package: i64, counts: &BTreeMap<StockKey<'_>, Total>) -> Result<(), Problem> {
        self.0.insert_all(counts.iter().map(|(key, total)| NewStock::new(package, *key, *total)), &Unwatched)
    }

    /// Moves counted cases of a package to another state.
    pub(in crate::workspace) fn shift(&mut self, package: i64, from: StockKey<'_>, to: CaseState, moved: Total) -> Result<(), Problem> {
        let less = Total { cases: -moved.cases, sum: -moved.sum };
        for (key, total) in [(from, less), (StockKey { state: to, ..from }, moved)] {
            let touched = self.0.execute(
                "UPDATE stock SET cases = cases + $2, sum = sum + $3 WHERE mo = $1 AND package = $4 AND kind = $5 AND payer = $6 AND state = $7 AND blocked = $8",
                &[total.cases.into(), total.sum.into(), package.into(), key.kind.into(), key.payer.into(), key.state.into(), key.blocked.into()],
            )?;
            if touched == 0 {
                self.0.insert(NewStock::new(package, key, total))?;
            }
        }
        self.0.execute("DELETE FROM stock WHERE mo = $1 AND package = $2 AND cases = 0", &[package.into()])?;
        Ok(())
    }

    /// Counts the cases of packages again.
    pub(in crate::workspace) fn recount(&mut self, packages: &[i64]) -> Result<(), Problem> {
        let packages: BTreeSet<i64> = packages.iter().copied().collect();
        self.0.for_ids("DELETE FROM stock WHERE mo = $1 AND package IN", &Vec::from_iter(packages.iter().copied()))?;
        for package in packages {
            self.0.execute(
                "INSERT INTO stock (mo, package, kind, payer, state, blocked, cases, sum) \
                 SELECT mo, package, kind, payer, state, CASE WHEN errors > 0 THEN 1 ELSE 0 END, CAST(COUNT(*) AS BIGINT), CAST(SUM(sum) AS BIGINT) \
                 FROM cases WHERE mo = $1 AND package = $2 GROUP BY mo, package, kind, payer, state, CASE WHEN errors > 0 THEN 1 ELSE 0 END",
                &[package.into()],
            )?;
        }
        Ok(())
    }
}

impl Store {
    /// Counts of cases that are in no registry and not paid, by month, payer, kind of care and state.
    pub(in crate::workspace) fn stock_outside(&mut self) -> Result<Vec<Stock>, Problem> {
        let blocked = "CASE WHEN s.blocked + p.blocked > 0 THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END";
        let sql = format!(
            "SELECT p.period AS period, p.mo AS mo, s.payer AS payer, s.kind AS kind, s.state AS state, {blocked} AS blocked, \
             CAST(SUM(s.cases) AS BIGINT) AS cases, CAST(SUM(s.sum) AS BIGINT) AS sum FROM stock s JOIN packages p ON p.mo = s.mo AND p.id = s.package \
             WHERE s.state IN ('{Free}', '{Waiting}', '{Refused}', '{Question}', '{Aside}') GROUP BY p.period, p.mo, s.payer, s.kind, s.state, {blocked} \
             ORDER BY p.period DESC, p.mo, s.payer, s.kind, s.state"
        );
        self.select(sql, &[])
    }
}
