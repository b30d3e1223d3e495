//! Entries of the journal as the store holds them, whether or not they fit each other.

use super::Store;
use super::row::{read_row, table_row};
use crate::workspace::Problem;
use crate::workspace::journal::{Chain, Digest, Draft, Entry};

table_row! {
    struct EntryRow in "journal" {
        seq: i64,
        at: String,
        actor: String,
        host: String,
        role: String,
        action: String,
        registry: String,
        subject: String,
        before_state: String,
        after_state: String,
        details: String,
        prev: String,
        hash: String,
    }
}

read_row! {
    struct LastRow {
        seq: i64,
        hash: String,
    }
}

impl EntryRow {
    fn new(entry: Entry) -> Self {
        let Entry { seq, draft, prev, hash, .. } = entry;
        Self {
            seq: i64::try_from(seq).unwrap_or(i64::MAX),
            at: draft.at,
            actor: draft.user,
            host: draft.host,
            role: draft.role,
            action: draft.action,
            registry: draft.registry,
            subject: draft.subject,
            before_state: draft.before,
            after_state: draft.after,
            details: draft.details,
            prev: prev.to_string(),
            hash: hash.to_string(),
        }
    }

    /// The entry of the row. A hash that cannot be read becomes zeros.
    fn entry(self) -> Entry {
        let digest = |text: &str| text.parse().unwrap_or(Digest::NONE);
        Entry {
            chain: Chain::Clinic(String::new()),
            seq: u64::try_from(self.seq).unwrap_or(0),
            prev: digest(&self.prev),
            hash: digest(&self.hash),
            draft: Draft {
                at: self.at,
                user: self.actor,
                host: self.host,
                role: self.role,
                action: self.action,
                registry: self.registry,
                subject: self.subject,
                before: self.before_state,
                after: self.after_state,
                details: self.details,
            },
        }
    }
}

/// The table of the journal.
pub(in crate::workspace) struct JournalEntries<'s>(pub(super) &'s mut Store);

impl JournalEntries<'_> {
    /// Appends an entry after the last one.
    pub(in crate::workspace) fn append(&mut self, draft: Draft) -> Result<(), Problem> {
        let last = match self.0.first::<LastRow>("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1", &[])? {
            Some(LastRow { seq, hash }) => {
                let hash: Digest = hash.parse().map_err(|_| Problem::Journal(format!("hash {seq}")))?;
                Some((u64::try_from(seq).unwrap_or(0), hash))
            }
            None => None,
        };
        self.0.insert(&EntryRow::new(Entry::seal(Chain::Clinic(String::new()), last, Digest::NONE, draft)))
    }

    /// Entries, the oldest first; only those of one registry if its number is given.
    pub(in crate::workspace) fn entries(&mut self, registry: Option<&str>) -> Result<Vec<Entry>, Problem> {
        let columns = EntryRow::COLUMNS;
        let rows: Vec<EntryRow> = match registry {
            Some(number) => self.0.select(format!("SELECT {columns} FROM journal WHERE registry = $1 ORDER BY seq"), &[number.into()])?,
            None => self.0.select(format!("SELECT {columns} FROM journal ORDER BY seq"), &[])?,
        };
        Ok(rows.into_iter().map(EntryRow::entry).collect())
    }
}
