//! A registry goes to its payer.

use serde_json::json;

use crate::workspace::note::JournalNote;
use crate::workspace::place::OUTBOX;
use crate::workspace::store::NewOutgoing;
use crate::workspace::workflow::Move;
use crate::workspace::{Operation, Problem, Registry, Workspace};

/// A registry that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// As it stands now.
    pub registry: Registry,
    /// Where its package lies, from the workspace's root.
    pub path: String,
}

impl Workspace {
    /// Writes the package into the outbox of the payer and marks the registry as sent.
    ///
    /// The mark comes first and says that the file is due: a program that is stopped in between leaves a registry that was sent, and the
    /// next command that changes something places its file.
    ///
    /// # Errors
    /// The table does not allow it ([`Problem::AlreadySent`] when it has been sent), conditions are not met, the package that was formed
    /// is damaged, the file cannot be written.
    pub fn submit(&mut self, operation: &Operation<'_>, name: &str) -> Result<Submitted, Problem> {
        let registry = self.registry(name)?;
        let facts = self.facts(&registry)?;
        let transition = match self.allowed(operation, &registry, Move::Submit, facts) {
            Err(Problem::Refused(_)) if !registry.sent_at.is_empty() && self.tables.workflow.status(&registry.status).is_some_and(|s| s.frozen) => {
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
        self.place_outgoing()?;
        Ok(Submitted { registry, path })
    }
}
