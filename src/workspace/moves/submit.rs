//! A registry goes to its payer.

use serde_json::json;

use super::{Facts, Saying};
use crate::workspace::workflow::Move;
use crate::workspace::{OUTBOX, Problem, Registry, Workspace, now};

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
    /// The table does not allow it ([`Problem::AlreadySent`] when it has been sent), conditions are not met, the file cannot be written.
    pub fn submit(&mut self, name: &str) -> Result<Submitted, Problem> {
        let registry = self.registry(name)?;
        let facts: Facts = self.facts(&registry)?;
        let transition = match self.allowed(&registry, Move::Submit, facts) {
            Err(Problem::Refused(_)) if !registry.sent_at.is_empty() && self.tables.workflow.status(&registry.status).is_some_and(|s| s.frozen) => {
                return Err(Problem::AlreadySent(registry.number, registry.sent_at));
            }
            transition => transition?,
        };
        let folder = if registry.payer.is_empty() { &registry.receiver } else { &registry.payer };
        let file = format!("{}.zip", registry.file_name);
        let path = format!("{OUTBOX}/{folder}/{file}");
        let details = json!({ "sha256": registry.object, "cases": registry.cases, "sum": registry.sum, "path": path });
        let registry = self.make(&registry, &transition, &[], Saying { subject: file.clone(), details }, |store| {
            store.execute("UPDATE registries SET sent_at = $1 WHERE id = $2", &[now().into(), registry.id.into()])?;
            let row = [registry.id.into(), registry.revision.into(), (&path).into(), (&registry.object).into(), (&file).into(), 0.into()];
            store.insert("INSERT INTO outbox (registry, revision, path, object, name, placed)", [row])
        })?;
        self.place_outgoing()?;
        Ok(Submitted { registry, path })
    }
}
