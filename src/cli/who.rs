//! Who acts: the account and the machine of this process. The library is told them with every change.

use crate::values::Moment;
use crate::workspace::Actor;

/// The account and machine that this process runs under, in a role.
pub(super) fn actor(role: &str) -> Actor {
    let or = |name: whoami::Result<String>| name.ok().filter(|n| !n.is_empty()).unwrap_or_else(|| "?".to_owned());
    Actor { user: or(whoami::username()), host: or(whoami::hostname()), role: role.to_owned() }
}

/// What others read who wait for a workspace that this process changes since a moment.
pub(super) fn holder(actor: &Actor, command: &str, since: Moment) -> String {
    format!("{} (pid {}): puomp {command}, {since}", actor.shown(), std::process::id())
}
