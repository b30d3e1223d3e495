//! Sends a registry to its payer.

use serde_json::json;

use crate::workspace::note::JournalNote;
use crate::workspace::place::OUTBOX;
use crate::workspace::store::NewOutgoing;
use crate::workspace::workflow::Move;
use crate::workspace::{Operation, Problem, Registry, Workspace};

/// The result of sending a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The registry after it was sent.
    pub registry: Registry,
    /// Path of its package, relative to the workspace's root.
    pub path: String,
}

impl Workspace {
    /// Writes the package into the outbox of the payer and marks the registry as sent.
    ///
    /// The registry is marked first, with a row that says that the file is due. A program stopped in between leaves a registry marked as sent;
    /// the next command that changes the workspace writes its file.
    ///
    /// # Errors
    /// The workflow does not allow it ([`Problem::AlreadySent`] for a registry that has been sent), conditions are not met, the formed
    /// package is damaged, or the file cannot be written.
    pub fn submit(&mut self, operation: &Operation<'_>, name: &str) -> Result<Submitted, Problem> {
        let registry = self.registry(name)?;
        let facts = self.facts(&registry)?;
        let transition = match self.allowed(operation, &registry, Move::Submit, facts) {
            Err(Problem::Refused(_)) if !registry.sent_at.is_empty() && self.tables.workflow.status(&registry.status).is_some_and(|s| s.frozen) => {
                self.place_of(registry.id)?;
                return Err(Problem::AlreadySent(registry.number, registry.sent_at));
            }
            transition => transition?,
        };
        let file = format!("{}.zip", registry.file_name);
        self.objects.check(&registry.object, &file)?;
        let folder = if registry.payer.is_empty() { &registry.receiver } else { &registry.payer };
        let path = format!("{OUTBOX}/{folder}/{file}");
        let details = json!({ "sha256": registry.object, "cases": registry.cases, "sum": registry.sum, "path": path });
        let note = JournalNote { subject: &file, details, ..JournalNote::default() };
        let registry = self.make(operation, &registry, &transition, &[], note, |store| {
            store.registries().set_sent(registry.id, operation.at)?;
            let Registry { id, revision, object, .. } = &registry;
            store.outbox().insert(NewOutgoing { registry: *id, revision: *revision, path: &path, object, name: &file, placed: false })
        })?;
        self.place_of(registry.id)?;
        Ok(Submitted { registry, path })
    }

    /// Writes what is due in the outbox; an error when the package of this registry could not be written.
    fn place_of(&mut self, registry: i64) -> Result<(), Problem> {
        self.place_outgoing()?.into_iter().find(|(id, _)| *id == registry).map_or(Ok(()), |(_, problem)| Err(problem))
    }
}
