//! Packs one state of a workspace into an archive.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;

use super::State;
use super::configuration::{Bytes, Source};
use super::container::Container;
use super::manifest::{ConfigurationFile, Content, MANIFEST, Manifest, Object, Password, SCHEMA, STORE, configuration_entry, object_entry};
use super::pack::{Packer, Take, pour};
use crate::workspace::damage::Damaged;
use crate::workspace::objects::Objects;
use crate::workspace::store::VERSION;
use crate::workspace::{Operation, Problem};

/// What is packed.
pub(super) struct Job<'j> {
    pub(super) objects: &'j Objects,
    pub(super) operation: &'j Operation<'j>,
    pub(super) state: &'j State,
    pub(super) configuration: &'j [Source],
    pub(super) password: Password,
}

/// What has to be done in another way than usual, found by the attempts so far.
#[derive(Default)]
pub(super) struct Detours {
    /// Digests of the kept files that are damaged and are taken from the earlier backup.
    pub(super) earlier: BTreeSet<String>,
    /// Entries that are not deflated, because the reader of the backup would take them for a bomb.
    pub(super) stored: BTreeSet<String>,
}

/// Why an attempt failed.
pub(super) enum Failed {
    /// A kept file, by its digest, is damaged.
    Object(String, Damaged),
    /// Anything else.
    Other(Problem),
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self::Other(problem)
    }
}

impl Job<'_> {
    /// Packs everything, with the list of contents at the end.
    pub(super) fn pack<W: Write + Seek>(
        &self,
        packer: &mut Packer<'_, W>,
        mut earlier: Option<&mut Container>,
        from_earlier: &BTreeSet<String>,
    ) -> Result<(), Failed> {
        let mut configuration = Vec::with_capacity(self.configuration.len());
        for Source { path, bytes } in self.configuration {
            let Content { sha256, size } = packer.entry(&configuration_entry(path), |take| match bytes {
                Bytes::Here(bytes) => take(bytes),
                Bytes::Of(file) => pour_file(file, take),
            })?;
            configuration.push(ConfigurationFile { path: path.clone(), sha256, size });
        }
        let store = match &self.state.copy {
            Some(copy) => Some(packer.entry(STORE, |take| pour_file(copy.path(), take))?),
            None => None,
        };
        let mut objects = Vec::with_capacity(self.state.kept.len());
        for (sha256, names) in &self.state.kept {
            let first = names.first().map_or("", String::as_str);
            let entry = object_entry(sha256);
            let content = packer.entry(&entry, |take| match &mut earlier {
                Some(earlier) if from_earlier.contains(sha256) => earlier.read(&entry, sha256, take),
                _ => self.objects.read(sha256, first, take),
            });
            let content = content.map_err(|problem| match problem {
                Problem::Damaged(damaged) => Failed::Object(sha256.clone(), damaged),
                other => Failed::Other(other),
            })?;
            objects.push(Object { sha256: content.sha256, size: content.size, names: names.iter().cloned().collect() });
        }
        let manifest = Manifest {
            schema: SCHEMA,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            at: self.operation.at.to_string(),
            version: VERSION,
            store,
            password: self.password,
            // What was exported as JSON is JSON.
            journal: serde_json::from_str(&self.state.head.export()).unwrap_or_default(),
            objects,
            configuration,
        };
        packer.entry(MANIFEST, |take| take(&manifest.export()))?;
        Ok(())
    }
}

fn pour_file(file: &Path, take: &mut Take<'_>) -> Result<(), Problem> {
    let unread = |error| Problem::Unread(file.to_owned(), error);
    pour(File::open(file).map_err(unread)?, unread, take)
}
