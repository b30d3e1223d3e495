//! Who acts and when: the account, the machine and the clock of this process. The library is told them with every change.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::values::Moment;
use crate::watch::Watch;
use crate::workspace::{Actor, Operation};

/// The account and machine that this process runs under, in a role.
pub(super) fn actor(role: &str) -> Actor {
    let or = |name: whoami::Result<String>| name.ok().filter(|n| !n.is_empty()).unwrap_or_else(|| "?".to_owned());
    Actor { user: or(whoami::username()), host: or(whoami::hostname()), role: role.to_owned() }
}

/// This moment.
pub(super) fn now() -> Moment {
    Timestamp::now().into()
}

/// A change that begins now, in the system's time zone.
pub(super) fn operation<'a>(actor: &'a Actor, watch: &'a dyn Watch) -> Operation<'a> {
    Operation::new(actor, now(), &TimeZone::system(), watch)
}

/// What others read who wait for a workspace that this process changes.
pub(super) fn holder(actor: &Actor, command: &str) -> String {
    format!("{} (pid {}): puomp {command}, {}", actor.shown(), std::process::id(), now())
}
