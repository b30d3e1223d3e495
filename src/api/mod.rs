//! The answers for programs: the JSON of the command line, and what a server and its client say to each other.
//!
//! Every answer is an [`Answer`]: `schema`, `tool`, then its own keys. Scripts rely on the names and their order; a change that could break one
//! gets another number. Findings are the [`Finding`]s of `report`, which writes them as they come; the export of the journal is
//! `workspace::journal::write_jsonl`, for the chain of hashes covers its bytes.

pub mod config;
pub mod nsi;
pub mod rules;
pub mod status;

use serde::{Deserialize, Serialize};

pub use crate::report::wire::{Entry as Finding, Package, SCHEMA};

/// The program that answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// An answer: schema and tool around a body whose keys stand beside them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer<B> {
    /// Number of the schema.
    pub schema: u32,
    /// Who answers.
    pub tool: Tool,
    /// The answer itself.
    #[serde(flatten)]
    pub body: B,
}

impl<B> Answer<B> {
    /// An answer of this program.
    pub fn new(body: B) -> Self {
        let tool = Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
        Self { schema: SCHEMA, tool, body }
    }
}
