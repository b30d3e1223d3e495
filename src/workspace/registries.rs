//! Queries for registries, and for the cases outside them.

use super::store::{CaseSanction, Registry, Stock};
use super::{Problem, Workspace};

/// File extensions under which a registry may be named.
const ENDINGS: [&str; 3] = ["xml", "zip", "oms"];

impl Workspace {
    /// All registries, the newest period first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn registries(&mut self) -> Result<Vec<Registry>, Problem> {
        self.store.all_registries()
    }

    /// The registry of a number, of a number's unique beginning, or of a file's name.
    ///
    /// # Errors
    /// No registry matches, or several do.
    pub fn registry(&mut self, name: &str) -> Result<Registry, Problem> {
        let stem = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let stem = stem.rsplit_once('.').filter(|(_, end)| ENDINGS.iter().any(|e| end.eq_ignore_ascii_case(e))).map_or(stem, |(stem, _)| stem);
        let mut found = self.store.registries_called(name, stem)?;
        if let Some(exact) = found.iter().position(|r| r.number == name || r.file_name.eq_ignore_ascii_case(stem)) {
            return Ok(found.swap_remove(exact));
        }
        match (found.pop(), found.as_slice()) {
            (None, _) => Err(Problem::NoRegistry(name.to_owned())),
            (Some(one), []) => Ok(one),
            (Some(last), others) => Err(Problem::ManyRegistries(name.to_owned(), others.iter().chain([&last]).map(|r| r.number.clone()).collect())),
        }
    }

    /// What payers hold against the cases of a registry, and ФЛК, in the order of its revisions and cases.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn sanctions(&mut self, registry: &Registry) -> Result<Vec<CaseSanction>, Problem> {
        self.store.of(&registry.mo).sanctions().of(registry.id)
    }

    /// The registry with an id that the store is known to hold.
    pub(super) fn registry_of(&mut self, mo: &str, id: i64) -> Result<Registry, Problem> {
        self.store.of(mo).registries().get(id)?.ok_or_else(|| Problem::NoRegistry(id.to_string()))
    }

    /// Counts of cases that are in no registry and not paid, by month, payer, kind of care and state.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn stock(&mut self) -> Result<Vec<Stock>, Problem> {
        self.store.stock_outside()
    }
}
