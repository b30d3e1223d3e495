//! Compares the rows of the store with what the journal says.

use std::collections::HashMap;
use std::fmt;

use super::journal::{Chain, Entry, JournalHead, JournalVerdict, verify, verify_against};
use super::store::{Registry, RowSums, Store};
use super::{Problem, Workspace};
use crate::texts::{Coded, ErrorClass, Key, Slot, display};

/// What `journal --verify` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What was done to the journal.
    pub journal: JournalVerdict,
    /// What was done to rows past the journal.
    pub rows: Vec<RowFault>,
}

impl Verified {
    /// Whether neither the journal nor any row was changed by another hand.
    pub fn is_sound(&self) -> bool {
        self.journal.is_sound() && self.rows.is_empty()
    }
}

/// A difference between the rows of a clinic and its journal. `mo` is the code of the clinic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowFault {
    /// Rows of a table were changed, added or removed: the last entry of the journal states another sum.
    Changed {
        /// Code of the clinic.
        mo: String,
        /// The table, or the part of it that has a sum of its own.
        part: String,
    },
    /// There are rows of a clinic that has no journal.
    NoJournal {
        /// Code of the clinic.
        mo: String,
    },
    /// Counts of cases are not what a new count gives.
    Miscounted {
        /// Code of the clinic.
        mo: String,
        /// Ids of the packages.
        packages: Vec<i64>,
    },
    /// A registry has another status than the last entry about it.
    Status {
        /// Code of the clinic.
        mo: String,
        /// Number of the registry.
        registry: String,
        /// Id of the status that it has.
        is: String,
        /// Id of the status by the journal.
        due: String,
    },
    /// A registry has another number or sum of cases than the last entry about it.
    Total {
        /// Code of the clinic.
        mo: String,
        /// Number of the registry.
        registry: String,
        /// Cases and kopecks of the registry.
        is: (i64, i64),
        /// Cases and kopecks by the journal.
        due: (i64, i64),
    },
}

impl Coded for RowFault {
    fn key(&self) -> Key {
        match self {
            Self::Changed { .. } => Key::VerifyChanged,
            Self::NoJournal { .. } => Key::VerifyNoJournal,
            Self::Miscounted { .. } => Key::VerifyMiscounted,
            Self::Status { .. } => Key::VerifyStatus,
            Self::Total { .. } => Key::VerifyTotal,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match self {
            Self::Changed { mo, part } => vec![("mo", Slot::text(mo)), ("table", Slot::text(part))],
            Self::NoJournal { mo } => vec![("mo", Slot::text(mo))],
            Self::Miscounted { mo, packages } => {
                let packages = packages.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
                vec![("mo", Slot::text(mo)), ("packages", Slot::text(packages))]
            }
            Self::Status { mo, registry, is, due } => {
                vec![("mo", Slot::text(mo)), ("number", Slot::text(registry)), ("is", Slot::text(is)), ("due", Slot::text(due))]
            }
            Self::Total { mo, registry, is, due } => vec![
                ("mo", Slot::text(mo)),
                ("number", Slot::text(registry)),
                ("cases", Slot::text(is.0.to_string())),
                ("sum", Slot::Money(is.1)),
                ("due_cases", Slot::text(due.0.to_string())),
                ("due_sum", Slot::Money(due.1)),
            ],
        }
    }

    fn class(&self) -> ErrorClass {
        ErrorClass::Findings
    }
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for RowFault {}

/// What the entries about a registry say last.
#[derive(Default)]
struct Due<'e> {
    status: Option<&'e str>,
    total: Option<(i64, i64)>,
}

impl Workspace {
    /// Verifies the journals of all clinics, against an exported head if one is given, and compares the rows of every table with them.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn verify(&mut self, head: Option<&JournalHead>) -> Result<Verified, Problem> {
        verify_store(&mut self.store, head)
    }
}

/// Verifies a store as [`Workspace::verify`] does.
pub(super) fn verify_store(store: &mut Store, head: Option<&JournalHead>) -> Result<Verified, Problem> {
    store.snapshot(|store| {
        let entries = store.entries(None)?;
        let journal = head.map_or_else(|| verify(&entries), |head| verify_against(&entries, head));
        let registries = store.all_registries()?;
        let mut rows = Vec::new();
        for mo in store.clinics()? {
            let mut own = entries.iter().filter(|entry| matches!(&entry.chain, Chain::Clinic(code) if *code == mo));
            let Some(last) = own.next_back() else {
                rows.push(RowFault::NoJournal { mo });
                continue;
            };
            let stated = details(last).get("rows").and_then(RowSums::of_json).unwrap_or_default();
            let changed = stated.differences(&store.count_rows(&mo)?);
            rows.extend(changed.into_iter().map(|part| RowFault::Changed { mo: mo.clone(), part }));
            let packages = store.miscounted(&mo)?;
            if !packages.is_empty() {
                rows.push(RowFault::Miscounted { mo, packages });
            }
        }
        rows.extend(compare(&registries, &entries));
        Ok(Verified { journal, rows })
    })
}

fn details(entry: &Entry) -> serde_json::Value {
    serde_json::from_str(&entry.draft.details).unwrap_or_default()
}

/// Compares status and totals of registries with the last entries about them.
fn compare(registries: &[Registry], entries: &[Entry]) -> Vec<RowFault> {
    // Before version 2 the numbers of registries were unique among all clinics.
    let key = |entry: &'_ Entry| match &entry.chain {
        Chain::Clinic(mo) => (Some(mo.clone()), entry.draft.registry.clone()),
        Chain::Old | Chain::Days => (None, entry.draft.registry.clone()),
    };
    let mut due: HashMap<(Option<String>, String), Due<'_>> = HashMap::new();
    for entry in entries.iter().filter(|entry| !entry.draft.registry.is_empty()) {
        let due = due.entry(key(entry)).or_default();
        if !entry.draft.after.is_empty() {
            due.status = Some(&entry.draft.after);
        }
        let details = details(entry);
        if let (Some(cases), Some(sum)) = (details["cases"].as_i64(), details["sum"].as_i64()) {
            due.total = Some((cases, sum));
        }
    }
    let mut faults = Vec::new();
    for registry in registries {
        let Registry { mo, number, status, cases, sum, .. } = registry;
        let own = due.get(&(Some(mo.clone()), number.clone()));
        let before = due.get(&(None, number.clone()));
        let both = || own.into_iter().chain(before);
        if let Some(due) = both().find_map(|due| due.status).filter(|due| due != status) {
            faults.push(RowFault::Status { mo: mo.clone(), registry: number.clone(), is: status.clone(), due: due.to_owned() });
        }
        if let Some(due) = both().find_map(|due| due.total).filter(|due| *due != (*cases, *sum)) {
            faults.push(RowFault::Total { mo: mo.clone(), registry: number.clone(), is: (*cases, *sum), due });
        }
    }
    faults
}
