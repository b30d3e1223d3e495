//! Counters of the numbers that a clinic gives out.

use super::Clinic;
use crate::workspace::Problem;

/// A run of numbers of a clinic, which begins with 1.
#[derive(Debug, Clone, Copy)]
pub(in crate::workspace) enum Run<'r> {
    /// Ids of packages.
    Packages,
    /// Ids of cases.
    Cases,
    /// Ids of registries. A clinic gives out numbers of its block, so that no other clinic of the store has a registry with the same number.
    Registries,
    /// The last number of that block.
    RegistriesEnd,
    /// Packet numbers in file names of one sender, receiver, family and month; the text identifies the run.
    Packets(&'r str),
}

impl Run<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Packages => "packages",
            Self::Cases => "cases",
            Self::Registries => "registries",
            Self::RegistriesEnd => "registries_end",
            Self::Packets(name) => name,
        }
    }
}

/// How many numbers of registries a clinic gets at once.
const BLOCK: i64 = 100;

/// The table of counters.
pub(in crate::workspace) struct Counters<'s>(pub(super) Clinic<'s>);

impl Counters<'_> {
    /// Takes `count` numbers of a run and returns the first.
    pub(in crate::workspace) fn take(&mut self, run: Run<'_>, count: usize) -> Result<i64, Problem> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let last = self.0.number(
            "INSERT INTO counters (mo, name, value) VALUES ($1, $2, $3) ON CONFLICT (mo, name) DO UPDATE SET value = counters.value + excluded.value \
             RETURNING value",
            &[run.name().into(), count.into()],
        )?;
        Ok(last - count + 1)
    }

    /// The next number of a run, without taking it. Only the lock of the clinic keeps others from taking it.
    pub(in crate::workspace) fn peek(&mut self, run: Run<'_>) -> Result<i64, Problem> {
        Ok(self.0.number("SELECT value FROM counters WHERE mo = $1 AND name = $2", &[run.name().into()])? + 1)
    }

    /// Whether the block of the clinic has `count` numbers of registries left.
    pub(in crate::workspace) fn has_registries(&mut self, count: usize) -> Result<bool, Problem> {
        let left = self.peek(Run::RegistriesEnd)? - self.peek(Run::Registries)?;
        Ok(usize::try_from(left).is_ok_and(|left| left >= count))
    }

    /// Gives the clinic a new block of numbers of registries. What is left of its former one is lost, unless the new one goes on from it.
    pub(in crate::workspace) fn take_registries(&mut self) -> Result<(), Problem> {
        let end = self.0.whole().number(
            "INSERT INTO blocks (name, value) VALUES ('registries', $1) ON CONFLICT (name) DO UPDATE SET value = blocks.value + excluded.value RETURNING value",
            &[BLOCK.into()],
        )?;
        if self.peek(Run::RegistriesEnd)? != end - BLOCK + 1 {
            self.set(Run::Registries, end - BLOCK)?;
        }
        self.set(Run::RegistriesEnd, end)
    }

    /// Sets the last number that was given out of a run.
    pub(in crate::workspace) fn set(&mut self, run: Run<'_>, value: i64) -> Result<(), Problem> {
        self.0.execute(
            "INSERT INTO counters (mo, name, value) VALUES ($1, $2, $3) ON CONFLICT (mo, name) DO UPDATE SET value = excluded.value",
            &[run.name().into(), value.into()],
        )?;
        Ok(())
    }
}
