//! Counters of numbers that are given out.

use super::Store;
use crate::workspace::Problem;

/// A run of numbers, which begins with 1.
#[derive(Debug, Clone, Copy)]
pub(in crate::workspace) enum Run<'r> {
    /// Ids of packages.
    Packages,
    /// Ids of cases.
    Cases,
    /// Ids of registries.
    Registries,
    /// Packet numbers in file names of one sender, receiver, family and month; the text identifies the run.
    Packets(&'r str),
}

impl Run<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Packages => "packages",
            Self::Cases => "cases",
            Self::Registries => "registries",
            Self::Packets(name) => name,
        }
    }
}

/// The table of counters.
pub(in crate::workspace) struct Counters<'s>(pub(super) &'s mut Store);

impl Counters<'_> {
    /// Takes `count` numbers of a run and returns the first.
    pub(in crate::workspace) fn take(&mut self, run: Run<'_>, count: usize) -> Result<i64, Problem> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let last = self.0.number(
            "INSERT INTO counters (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value RETURNING value",
            &[run.name().into(), count.into()],
        )?;
        Ok(last - count + 1)
    }

    /// The next number of a run, without taking it. The lock of the workspace keeps others from taking it.
    pub(in crate::workspace) fn peek(&mut self, run: Run<'_>) -> Result<i64, Problem> {
        Ok(self.0.number("SELECT value FROM counters WHERE name = $1", &[run.name().into()])? + 1)
    }
}
