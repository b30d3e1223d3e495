//! Entries of the journal, written in the same transaction as the change that they describe.

use super::journal::{Draft, Entry, canonical};
use super::store::Store;
use super::{Operation, Problem, Workspace};

/// The content of a journal entry, without the actor and the moment.
#[derive(Debug, Default)]
pub(super) struct JournalNote<'n> {
    /// Id of a transition, or the verb of the command.
    pub(super) action: &'n str,
    /// Number of the registry; empty when the entry is about no registry.
    pub(super) registry: &'n str,
    /// Name of the file that it is about.
    pub(super) subject: &'n str,
    /// Status before; empty for none.
    pub(super) before: &'n str,
    /// Status after; empty for none.
    pub(super) after: &'n str,
    /// Further facts; `Null` for none.
    pub(super) details: serde_json::Value,
}

/// Appends an entry.
pub(super) fn record(store: &mut Store, operation: &Operation<'_>, note: JournalNote<'_>) -> Result<(), Problem> {
    let Operation { actor, at, .. } = operation;
    store.journal().append(Draft {
        at: at.to_string(),
        user: actor.user.clone(),
        host: actor.host.clone(),
        role: actor.role.clone(),
        action: note.action.to_owned(),
        registry: note.registry.to_owned(),
        subject: note.subject.to_owned(),
        before: note.before.to_owned(),
        after: note.after.to_owned(),
        details: if note.details.is_null() { String::new() } else { canonical(&note.details) },
    })
}

impl Workspace {
    /// Entries of the journal, the oldest first; only those of the registry of this number if one is given.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn journal(&mut self, registry: Option<&str>) -> Result<Vec<Entry>, Problem> {
        self.store.journal().entries(registry)
    }
}
