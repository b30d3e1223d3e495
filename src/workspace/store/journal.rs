//! Entries of the journal as the store holds them, whether or not they fit each other.

use super::row::{Value, read_row};
use super::sums::RowSums;
use super::{Clinic, Store};
use crate::workspace::journal::{Chain, Digest, Draft, Entry};
use crate::workspace::{Problem, Registry};

const COLUMNS: &str = "seq, at, actor, host, role, action, registry, subject, before_state, after_state, details, prev, hash";

read_row! {
    struct EntryRow {
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
        details: String,
    }
}

read_row! {
    struct HeadRow {
        mo: String,
        seq: i64,
        hash: String,
    }
}

impl EntryRow {
    /// The entry of the row. A hash that cannot be read becomes one that fits nothing; zeros would fit the beginning of a chain.
    fn entry(self, chain: Chain) -> Entry {
        let digest = |text: &str| text.parse().unwrap_or(Digest::from([0xff; 32]));
        Entry {
            chain,
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

/// The values of an entry in the order of [`COLUMNS`].
fn values(entry: &Entry) -> [Value<'_>; 13] {
    let Entry { seq, draft, prev, hash, .. } = entry;
    let Draft { at, user, host, role, action, registry, subject, before, after, details } = draft;
    let seq = i64::try_from(*seq).unwrap_or(i64::MAX);
    [
        seq.into(),
        at.into(),
        user.into(),
        host.into(),
        role.into(),
        action.into(),
        registry.into(),
        subject.into(),
        before.into(),
        after.into(),
        details.into(),
        prev.to_string().into(),
        hash.to_string().into(),
    ]
}

/// The end of a chain.
#[derive(Debug)]
pub(in crate::workspace) struct LastEntry {
    pub(in crate::workspace) seq: u64,
    pub(in crate::workspace) hash: Digest,
    /// The sums of the clinic's rows that the entry states; empty when it states none.
    pub(in crate::workspace) rows: RowSums,
}

impl LastEntry {
    fn read(row: LastRow) -> Result<Self, Problem> {
        let seq = u64::try_from(row.seq).unwrap_or(0);
        let broken = |what: &str| Problem::Journal(format!("{what} {seq}"));
        let hash = row.hash.parse().map_err(|_| broken("hash"))?;
        let details: serde_json::Value =
            if row.details.is_empty() { serde_json::Value::Null } else { serde_json::from_str(&row.details).map_err(|_| broken("details"))? };
        let rows = match details.get("rows") {
            Some(rows) => RowSums::of_json(rows).ok_or_else(|| broken("rows"))?,
            None => RowSums::default(),
        };
        Ok(Self { seq, hash, rows })
    }

    /// Number and hash.
    pub(in crate::workspace) fn link(&self) -> (u64, Digest) {
        (self.seq, self.hash)
    }
}

/// The journal of a clinic.
pub(in crate::workspace) struct ClinicJournal<'s>(pub(super) Clinic<'s>);

impl ClinicJournal<'_> {
    /// The last entry; `None` before the first.
    pub(in crate::workspace) fn last(&mut self) -> Result<Option<LastEntry>, Problem> {
        let last = self.0.first("SELECT seq, hash, details FROM journal WHERE mo = $1 ORDER BY seq DESC LIMIT 1", &[])?;
        last.map(LastEntry::read).transpose()
    }

    /// Number of the last entry, which every change of the clinic's rows increases, but for counters and what has been placed; 0 before the first.
    pub(in crate::workspace) fn version(&mut self) -> Result<i64, Problem> {
        self.0.number("SELECT CAST(COALESCE(MAX(seq), 0) AS BIGINT) FROM journal WHERE mo = $1", &[])
    }

    /// The sums of the rows that this transaction has changed since its last entry; they begin anew.
    pub(in crate::workspace) fn take_changes(&mut self) -> RowSums {
        std::mem::take(self.0.changed())
    }

    /// The entries of these actions, in their order.
    pub(in crate::workspace) fn of_actions(&mut self, actions: &[&'static str]) -> Result<Vec<Entry>, Problem> {
        let mo = self.0.mo().to_owned();
        let actions = actions.iter().map(|action| format!("'{action}'")).collect::<Vec<_>>().join(",");
        let rows: Vec<EntryRow> = self.0.select(format!("SELECT {COLUMNS} FROM journal WHERE mo = $1 AND action IN ({actions}) ORDER BY seq"), &[])?;
        Ok(rows.into_iter().map(|row| row.entry(Chain::Clinic(mo.clone()))).collect())
    }

    /// Appends an entry after the last one.
    pub(in crate::workspace) fn append(&mut self, last: Option<&LastEntry>, draft: Draft) -> Result<(), Problem> {
        let origin = if last.is_none() { self.0.whole().origin()? } else { Digest::NONE };
        let chain = Chain::Clinic(self.0.mo().to_owned());
        let entry = Entry::seal(chain, last.map(LastEntry::link), origin, draft);
        self.0.execute(format!("INSERT INTO journal (mo, {COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"), &values(&entry))?;
        Ok(())
    }
}

impl Store {
    /// The hash to which the first entry of a chain links: that of the last entry of the journal before version 2, if there is one.
    pub(super) fn origin(&mut self) -> Result<Digest, Problem> {
        Ok(self.last_before()?.map_or(Digest::NONE, |last| last.hash))
    }

    /// The last entry of the journal before version 2.
    pub(super) fn last_before(&mut self) -> Result<Option<LastEntry>, Problem> {
        let last = self.first("SELECT seq, hash, details FROM journal_before ORDER BY seq DESC LIMIT 1", &[])?;
        last.map(LastEntry::read).transpose()
    }

    /// Appends an entry to the journal before version 2.
    pub(super) fn append_before(&mut self, last: Option<&LastEntry>, draft: Draft) -> Result<(), Problem> {
        let entry = Entry::seal(Chain::Old, last.map(LastEntry::link), Digest::NONE, draft);
        self.append_to("journal_before", &entry)
    }

    fn append_to(&mut self, table: &str, entry: &Entry) -> Result<(), Problem> {
        let sql = format!("INSERT INTO {table} ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");
        self.execute(sql, &values(entry))?;
        Ok(())
    }

    /// Whether there is an entry of a day, `YYYY-MM-DD`.
    pub(in crate::workspace) fn has_day(&mut self, day: &str) -> Result<bool, Problem> {
        Ok(self.number("SELECT CAST(COUNT(*) AS BIGINT) FROM days WHERE subject = $1", &[day.into()])? > 0)
    }

    /// Appends a daily entry.
    pub(in crate::workspace) fn append_day(&mut self, draft: Draft) -> Result<(), Problem> {
        let last: Option<LastRow> = self.first("SELECT seq, hash, details FROM days ORDER BY seq DESC LIMIT 1", &[])?;
        let last = last.map(LastEntry::read).transpose()?;
        let origin = self.origin()?;
        let entry = Entry::seal(Chain::Days, last.as_ref().map(LastEntry::link), origin, draft);
        self.append_to("days", &entry)
    }

    /// Code of the clinic, number and hash of the last entry of each clinic's journal, by code.
    pub(in crate::workspace) fn heads(&mut self) -> Result<Vec<(String, u64, Digest)>, Problem> {
        let rows: Vec<HeadRow> = self.select(
            "SELECT j.mo AS mo, j.seq AS seq, j.hash AS hash FROM journal j \
             JOIN (SELECT mo, MAX(seq) AS seq FROM journal GROUP BY mo) l ON l.mo = j.mo AND l.seq = j.seq",
            &[],
        )?;
        // A damaged hash, which a verification tells, does not keep the other clinics from work.
        let head = |row: HeadRow| Some((row.mo, u64::try_from(row.seq).ok()?, row.hash.parse().ok()?));
        let mut heads: Vec<(String, u64, Digest)> = rows.into_iter().filter_map(head).collect();
        // Databases sort texts in different ways.
        heads.sort_unstable();
        Ok(heads)
    }

    /// Entries of the journal in the order of its export; only those of one registry if it is given.
    pub(in crate::workspace) fn entries(&mut self, registry: Option<&Registry>) -> Result<Vec<Entry>, Problem> {
        let (own, of_registry) = match registry {
            Some(registry) => ("WHERE registry = $1", vec![Value::from(&registry.number)]),
            None => ("", Vec::new()),
        };
        let rows: Vec<EntryRow> = self.select(format!("SELECT {COLUMNS} FROM journal_before {own} ORDER BY seq"), &of_registry)?;
        let mut entries: Vec<Entry> = rows.into_iter().map(|row| row.entry(Chain::Old)).collect();
        let clinics = match registry {
            Some(registry) => vec![registry.mo.clone()],
            None => {
                let rows: Vec<EntryRow> = self.select(format!("SELECT {COLUMNS} FROM days ORDER BY seq"), &[])?;
                entries.extend(rows.into_iter().map(|row| row.entry(Chain::Days)));
                self.journal_clinics()?
            }
        };
        for mo in clinics {
            let own = if registry.is_some() { "AND registry = $2" } else { "" };
            let rows: Vec<EntryRow> = self.of(&mo).select(format!("SELECT {COLUMNS} FROM journal WHERE mo = $1 {own} ORDER BY seq"), &of_registry)?;
            entries.extend(rows.into_iter().map(|row| row.entry(Chain::Clinic(mo.clone()))));
        }
        Ok(entries)
    }

    /// Codes of the clinics that have a journal, sorted.
    pub(in crate::workspace) fn journal_clinics(&mut self) -> Result<Vec<String>, Problem> {
        self.clinics_in(&["journal"])
    }
}
