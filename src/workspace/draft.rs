//! Entries of the journal, written in the transaction that does what they say.

use sqlx::any::AnyRow;

use super::actor::{Actor, now};
use super::journal::{Digest, Draft, Entry, canonical};
use super::store::{Store, Value, int, text};
use super::{Problem, Workspace};

/// What an entry says beyond who and when.
#[derive(Debug, Default)]
pub(super) struct Note<'n> {
    pub(super) action: &'n str,
    pub(super) registry: &'n str,
    pub(super) subject: &'n str,
    pub(super) before: &'n str,
    pub(super) after: &'n str,
    pub(super) details: serde_json::Value,
}

/// Appends an entry.
pub(super) fn record(store: &mut Store, actor: &Actor, note: Note<'_>) -> Result<(), Problem> {
    let last = match store.row("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1", &[])? {
        Some(row) => {
            let hash: Digest = text(&row, "hash")?.parse().map_err(|_| Problem::Journal(format!("hash {}", int(&row, "seq").unwrap_or(0))))?;
            Some((u64::try_from(int(&row, "seq")?).unwrap_or(0), hash))
        }
        None => None,
    };
    let draft = Draft {
        at: now(),
        user: actor.user.clone(),
        host: actor.host.clone(),
        role: actor.role.clone(),
        action: note.action.to_owned(),
        registry: note.registry.to_owned(),
        subject: note.subject.to_owned(),
        before: note.before.to_owned(),
        after: note.after.to_owned(),
        details: if note.details.is_null() { String::new() } else { canonical(&note.details) },
    };
    let Entry { seq, draft, prev, hash } = Entry::seal_after(last, draft);
    let seq = i64::try_from(seq).unwrap_or(i64::MAX);
    let values: [Value<'_>; 13] = [
        seq.into(),
        draft.at.into(),
        draft.user.into(),
        draft.host.into(),
        draft.role.into(),
        draft.action.into(),
        draft.registry.into(),
        draft.subject.into(),
        draft.before.into(),
        draft.after.into(),
        draft.details.into(),
        prev.to_string().into(),
        hash.to_string().into(),
    ];
    store.insert("INSERT INTO journal (seq, at, actor, host, role, action, registry, subject, before_state, after_state, details, prev, hash)", [values])
}

/// Entries as they stand in the store, whether they fit each other or not; those that do not even read as entries get a hash of zeros.
fn entry(row: &AnyRow) -> Result<Entry, Problem> {
    let digest = |column| text(row, column).map(|t| t.parse().unwrap_or(Digest::NONE));
    Ok(Entry {
        seq: u64::try_from(int(row, "seq")?).unwrap_or(0),
        draft: Draft {
            at: text(row, "at")?,
            user: text(row, "actor")?,
            host: text(row, "host")?,
            role: text(row, "role")?,
            action: text(row, "action")?,
            registry: text(row, "registry")?,
            subject: text(row, "subject")?,
            before: text(row, "before_state")?,
            after: text(row, "after_state")?,
            details: text(row, "details")?,
        },
        prev: digest("prev")?,
        hash: digest("hash")?,
    })
}

impl Workspace {
    /// Entries of the journal, the oldest first; of one registry only, if it is named by its number.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn journal(&mut self, registry: Option<&str>) -> Result<Vec<Entry>, Problem> {
        let rows = match registry {
            Some(number) => self.store.rows("SELECT * FROM journal WHERE registry = $1 ORDER BY seq", &[number.into()])?,
            None => self.store.rows("SELECT * FROM journal ORDER BY seq", &[])?,
        };
        rows.iter().map(entry).collect()
    }
}
