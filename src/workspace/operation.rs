//! One change of a workspace: who makes it, when, and who follows it.

use jiff::tz::TimeZone;

use super::{Actor, Problem};
use crate::values::{Date, Moment};
use crate::watch::{Stopped, Watch};

/// What every change is told by its caller: the library reads no clock, no user and no environment.
#[derive(Clone, Copy)]
pub struct Operation<'a> {
    /// Who acts.
    pub actor: &'a Actor,
    /// The one moment of everything that the change writes.
    pub at: Moment,
    /// The calendar day of that moment in the clinic's time zone.
    pub today: Date,
    /// Follows the work and may stop it; the workspace is then as it was before.
    pub watch: &'a dyn Watch,
}

impl<'a> Operation<'a> {
    /// An operation of a clinic whose time zone is `zone`.
    pub fn new(actor: &'a Actor, at: Moment, zone: &TimeZone, watch: &'a dyn Watch) -> Self {
        Self { actor, at, today: at.day_in(zone), watch }
    }

    /// An error when the watch wants the work to end.
    pub(super) fn check(&self) -> Result<(), Problem> {
        Ok(Stopped::check(self.watch)?)
    }
}

impl std::fmt::Debug for Operation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operation").field("actor", self.actor).field("at", &self.at).field("today", &self.today).finish_non_exhaustive()
    }
}
