//! Answers for programs: the JSON of the command line, and the messages between a server and its client.
//!
//! Every answer is an [`Answer`]: `schema`, `tool`, then its own keys. Scripts rely on the names and their order; a change that could break
//! a script gets another schema number. Findings are the [`Finding`]s of `report`, which writes them one by one; the journal is exported by
//! `workspace::journal::write_jsonl`, because the chain of hashes covers its bytes.

pub mod cases;
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

/// An answer: schema and tool, then the keys of the body on the same level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer<B> {
    /// Number of the schema.
    pub schema: u32,
    /// The program that made the answer.
    pub tool: Tool,
    /// The body of the answer.
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
