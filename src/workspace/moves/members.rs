//! The cases of a registry by what answers call them, and what a payer took off them.

use std::collections::HashMap;

use crate::workspace::registries::Registry;
use crate::workspace::store::{Store, Value, int, text};
use crate::workspace::{Problem, Workspace};

/// A case of the registry.
pub(super) struct Member {
    pub(super) case: i64,
    pub(super) sum: i64,
    pub(super) sl_id: String,
    /// A former answer refused it: it is the registry's no more.
    pub(super) left: bool,
}

/// Cases of the registry by what answers call them.
#[derive(Default)]
pub(super) struct Members {
    pub(super) all: Vec<Member>,
    pub(super) by_idcase: HashMap<i64, usize>,
    pub(super) by_zap: HashMap<i64, Vec<usize>>,
    pub(super) by_sl: HashMap<String, Vec<usize>>,
    pub(super) by_pac: HashMap<String, Vec<usize>>,
}

/// What is taken off a case, and why.
pub(super) struct Taken {
    pub(super) case: i64,
    pub(super) code: String,
    pub(super) sum: i64,
    pub(super) comment: String,
}

/// Remembers what was taken off; `source` is the file that says so.
pub(super) fn write_sanctions(store: &mut Store, registry: &Registry, taken: &[Taken], source: &str) -> Result<(), Problem> {
    let row = |one: &'_ Taken| -> [Value<'_>; 7] {
        let (code, comment) = (one.code.clone(), one.comment.clone());
        [registry.id.into(), registry.revision.into(), one.case.into(), code.into(), one.sum.into(), comment.into(), source.to_owned().into()]
    };
    store.insert("INSERT INTO sanctions (registry, revision, case_id, code, sum, comment, source)", taken.iter().map(row))
}

impl Workspace {
    pub(super) fn members_of(&mut self, registry: &Registry) -> Result<Members, Problem> {
        let rows = self.store.rows(
            "SELECT m.idcase AS idcase, m.n_zap AS n_zap, CASE WHEN m.id_pac = '' THEN c.id_pac ELSE m.id_pac END AS id_pac, c.id AS id, c.sl_id AS sl_id, c.sum AS sum, c.registry AS registry \
             FROM members m JOIN cases c ON c.id = m.case_id WHERE m.registry = $1 AND m.revision = $2 ORDER BY m.idcase",
            &[registry.id.into(), registry.revision.into()],
        )?;
        let mut members = Members::default();
        for (at, row) in rows.iter().enumerate() {
            let (sl_id, id_pac) = (text(row, "sl_id")?, text(row, "id_pac")?);
            members.by_idcase.insert(int(row, "idcase")?, at);
            members.by_zap.entry(int(row, "n_zap")?).or_default().push(at);
            members.by_pac.entry(id_pac).or_default().push(at);
            if !sl_id.is_empty() {
                members.by_sl.entry(sl_id.clone()).or_default().push(at);
            }
            members.all.push(Member { case: int(row, "id")?, sum: int(row, "sum")?, sl_id, left: int(row, "registry")? != registry.id });
        }
        Ok(members)
    }
}
