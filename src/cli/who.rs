//! The actor of this process: the account and the machine. The library gets them with every change.

use crate::values::Moment;
use crate::workspace::Actor;

/// The account and the machine of this process, in a role. An unknown name becomes `?`.
pub(super) fn actor(role: &str) -> Actor {
    let or = |name: whoami::Result<String>| name.ok().filter(|n| !n.is_empty()).unwrap_or_else(|| "?".to_owned());
    Actor { user: or(whoami::username()), host: or(whoami::hostname()), role: role.to_owned() }
}

/// The text that programs show while they wait for this process to finish its change.
pub(super) fn holder(actor: &Actor, command: &str, since: Moment) -> String {
    format!("{} (pid {}): puomp {command}, {since}", actor.shown(), std::process::id())
}
