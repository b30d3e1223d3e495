//! Who makes a change. Every entry of the journal names an actor.

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
    /// `user@host`.
    pub fn shown(&self) -> String {
        format!("{}@{}", self.user, self.host)
    }
}
