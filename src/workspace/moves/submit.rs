//! Sends a registry to its payer.

use serde_json::json;

use crate::sys::{is_file_path, printable};
use crate::watch::Unwatched;
use crate::workspace::note::JournalNote;
use crate::workspace::objects::Staged;
use crate::workspace::place::OUTBOX;
use crate::workspace::store::NewOutgoing;
use crate::workspace::workflow::Move;
use crate::workspace::{Operation, Problem, Registry, Workspace};

/// Most characters shown of a path that cannot be one.
const LONGEST: usize = 80;

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
    /// The package is copied first and gets its name last. Between the two the registry is marked, with a row that says that the file is due. A
    /// program stopped in between leaves a registry marked as sent; the next command that changes the workspace writes its file.
    ///
    /// # Errors
    /// The workflow does not allow it ([`Problem::AlreadySent`] for a registry that has been sent), conditions are not met, the formed
    /// package is damaged, or the file cannot be written.
    pub fn submit(&mut self, operation: &Operation<'_>, name: &str) -> Result<Submitted, Problem> {
        let (sent, staged) = self.trying(|this| this.submit_once(operation, name))?;
        // The registry is sent: a stop of the work comes too late.
        self.place_of(&sent.registry.mo, sent.registry.id, staged, &Unwatched)?;
        Ok(sent)
    }

    fn submit_once(&mut self, operation: &Operation<'_>, name: &str) -> Result<(Submitted, Option<Staged>), Problem> {
        let seen = self.see(name)?;
        let registry = &seen.registry;
        let facts = self.facts(registry)?;
        let transition = match self.allowed(operation, registry, Move::Submit, facts) {
            Err(Problem::Refused(_)) if !registry.sent_at.is_empty() && self.tables.workflow.status(&registry.status).is_some_and(|s| s.frozen) => {
                self.place_of(&registry.mo, registry.id, None, operation.watch)?;
                return Err(Problem::AlreadySent(registry.number.clone(), registry.sent_at.clone()));
            }
            transition => transition?,
        };
        let file = format!("{}.zip", registry.file_name);
        let folder = if registry.payer.is_empty() { &registry.receiver } else { &registry.payer };
        let path = format!("{OUTBOX}/{folder}/{file}");
        let target = self.place.root.join(&path);
        if !is_file_path(&path) {
            return Err(Problem::NoName(registry.number.clone(), printable(&path, LONGEST)));
        }
        let staged = match self.objects.stage(&registry.object, &file, &target) {
            Ok(staged) => Some(staged),
            Err(damaged @ Problem::Damaged(_)) => return Err(damaged),
            // The outbox cannot be written now: the registry is sent all the same, and its file stays due.
            Err(_) => None,
        };
        let details = json!({ "sha256": registry.object, "cases": registry.cases, "sum": registry.sum, "path": path });
        let note = JournalNote { subject: &file, details, ..JournalNote::default() };
        let moved = self.make(operation, &seen, &transition, &[], note, |clinic| {
            clinic.registries().set_sent(registry.id, operation.at)?;
            let Registry { id, revision, object, .. } = registry;
            clinic.outbox().insert(NewOutgoing { registry: *id, revision: *revision, path: &path, object, name: &file, placed: false })
        })?;
        Ok((Submitted { registry: moved, path }, staged))
    }
}
