//! Who acts: stands in every entry of the journal.

/// A person or a program at work, in a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Name of the account.
    pub user: String,
    /// Name of the machine.
    pub host: String,
    /// Id of a role of `rules/workflow.toml`.
    pub role: String,
}

impl Actor {
    /// The account and machine that this process runs under.
    pub fn of_system(role: &str) -> Self {
        let or = |name: whoami::Result<String>| name.ok().filter(|n| !n.is_empty()).unwrap_or_else(|| "?".to_owned());
        Self { user: or(whoami::username()), host: or(whoami::hostname()), role: role.to_owned() }
    }

    /// `user@host`.
    pub fn shown(&self) -> String {
        format!("{}@{}", self.user, self.host)
    }
}

/// The time now, UTC, to the millisecond: `2026-11-25T09:12:30.123Z`.
pub fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Millisecond).unwrap_or(now).to_string()
}
