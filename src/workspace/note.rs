//! Entries of the journal, written in the same transaction as the change that they describe.

use serde_json::{Value, json};

use super::journal::{Draft, Entry, canonical};
use super::store::{Clinic, Registry};
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
    pub(super) details: Value,
}

/// Appends an entry to the journal of a clinic, with the sums of the clinic's rows after the change.
pub(super) fn record(clinic: &mut Clinic<'_>, operation: &Operation<'_>, mut note: JournalNote<'_>) -> Result<(), Problem> {
    let last = clinic.journal().last()?;
    let mut rows = last.as_ref().map(|last| last.rows.clone()).unwrap_or_default();
    rows.merge(&clinic.journal().take_changes());
    if note.details.is_null() {
        note.details = json!({});
    }
    note.details["rows"] = rows.json();
    let entry = Draft {
        registry: note.registry.to_owned(),
        subject: note.subject.to_owned(),
        before: note.before.to_owned(),
        after: note.after.to_owned(),
        ..operation.draft(note.action, canonical(&note.details))
    };
    clinic.journal().append(last.as_ref(), entry)
}

impl Workspace {
    /// Entries of the journal in the order of its export; only those of a registry if one is given.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn journal(&mut self, registry: Option<&Registry>) -> Result<Vec<Entry>, Problem> {
        self.store.snapshot(|store| store.entries(registry))
    }
}
