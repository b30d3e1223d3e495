//! The context of one change of a workspace: who makes it, when, and the watch that can stop it.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::journal::Draft;
use super::{Actor, Problem};
use crate::values::{Date, Moment};
use crate::watch::{Stopped, Watch};

/// What the caller tells about a change: the library does not read the clock, the user or the environment.
#[derive(Clone, Copy)]
pub struct Operation<'a> {
    /// Who acts.
    pub actor: &'a Actor,
    /// The moment that everything written by the change bears.
    pub at: Moment,
    /// The calendar day of that moment in the clinic's time zone.
    pub today: Date,
    /// Receives progress and may stop the work; the workspace then stays as it was.
    pub watch: &'a dyn Watch,
}

/// How a workspace is opened.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// Who opens it and when: an older store is brought up to date, which its journal records.
    pub operation: Operation<'a>,
    /// The longest wait for another program at each lock.
    pub wait: Duration,
    /// The text that programs show which wait for this one.
    pub holder: &'a str,
}

impl<'a> Operation<'a> {
    /// The context of a change at a clinic in the time zone `zone`.
    pub fn new(actor: &'a Actor, at: Moment, zone: &TimeZone, watch: &'a dyn Watch) -> Self {
        Self { actor, at, today: at.day_in(zone), watch }
    }

    /// A journal entry about no single registry or file, with the actor and the moment. `details` are in the form of [`super::journal::canonical`].
    pub(super) fn draft(&self, action: &str, details: String) -> Draft {
        let Actor { user, host, role } = self.actor;
        Draft { at: self.at.to_string(), user: user.clone(), host: host.clone(), role: role.clone(), action: action.to_owned(), details, ..Draft::default() }
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
