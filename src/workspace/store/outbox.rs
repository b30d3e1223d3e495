//! Files that are to be written into the outbox.

use super::row::{insert_row, read_row};
use super::{Clinic, Store};
use crate::workspace::Problem;

insert_row! {
    /// A package that is to be written into the outbox.
    struct NewOutgoing<'o> into "outbox" {
        registry: i64,
        revision: i64,
        /// Path of the file, relative to the workspace's root.
        path: &'o str,
        /// SHA-256 of its bytes.
        object: &'o str,
        name: &'o str,
        placed: bool,
    }
}

read_row! {
    /// A package that is due in the outbox and has not been written yet.
    #[derive(Debug)]
    pub(in crate::workspace) struct DueFile {
        /// Code of the clinic.
        pub(in crate::workspace) mo: String,
        pub(in crate::workspace) registry: i64,
        pub(in crate::workspace) revision: i64,
        pub(in crate::workspace) path: String,
        pub(in crate::workspace) object: String,
        pub(in crate::workspace) name: String,
        /// Number of the registry.
        pub(in crate::workspace) number: String,
    }
}

const DUE: &str = "SELECT o.mo AS mo, o.registry AS registry, o.revision AS revision, o.path AS path, o.object AS object, o.name AS name, r.number AS number \
     FROM outbox o JOIN registries r ON r.mo = o.mo AND r.id = o.registry WHERE o.placed = 0";

/// The table of the outbox.
pub(in crate::workspace) struct Outbox<'s>(pub(super) Clinic<'s>);

impl Outbox<'_> {
    pub(in crate::workspace) fn insert(&mut self, file: NewOutgoing<'_>) -> Result<(), Problem> {
        self.0.insert(file)
    }

    /// The file of a registry that has not been written yet.
    pub(in crate::workspace) fn due_of(&mut self, registry: i64) -> Result<Option<DueFile>, Problem> {
        self.0.first(format!("{DUE} AND o.mo = $1 AND o.registry = $2 ORDER BY o.revision DESC"), &[registry.into()])
    }

    /// Records that a file was written into the outbox.
    pub(in crate::workspace) fn set_placed(&mut self, registry: i64, revision: i64) -> Result<(), Problem> {
        self.0.execute("UPDATE outbox SET placed = 1 WHERE mo = $1 AND registry = $2 AND revision = $3", &[registry.into(), revision.into()])?;
        Ok(())
    }

    /// Records that the files of a registry that are still due are not to be written any more.
    pub(in crate::workspace) fn give_up(&mut self, registry: i64) -> Result<(), Problem> {
        self.0.execute("UPDATE outbox SET placed = 1 WHERE mo = $1 AND registry = $2", &[registry.into()])?;
        Ok(())
    }
}

impl Store {
    /// All files that have not been written yet.
    pub(in crate::workspace) fn due_files(&mut self) -> Result<Vec<DueFile>, Problem> {
        self.select(format!("{DUE} ORDER BY o.mo, o.registry"), &[])
    }
}
