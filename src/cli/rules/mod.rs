//! `puomp rules`: the rule book, what of it runs, and the import of other editions.

mod coverage;
mod import;
mod list;
mod undo;

use clap::{Args, Subcommand};

use super::session::Session;
use super::{Exit, Failure};

/// Arguments of `puomp rules`.
#[derive(Debug, Args)]
pub(super) struct RulesArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Take a rule book as published.
    Import(import::ImportArgs),
    /// The rules.
    List(list::ListArgs),
    /// Shows how many rules are executed.
    Coverage(coverage::CoverageArgs),
}

impl RulesArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        match &self.verb {
            Verb::Import(verb) => verb.run(session),
            Verb::List(verb) => verb.run(session),
            Verb::Coverage(verb) => verb.run(session),
        }
    }

    /// Whether the folder of rules may be missing, because the verb is an import that makes it.
    pub(super) fn makes_folder(&self) -> bool {
        matches!(self.verb, Verb::Import(_))
    }
}
