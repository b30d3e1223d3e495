//! `puomp rules`: the rule book, what of it runs, and the import of other editions.

mod coverage;
mod import;
mod list;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::args::{Cli, ListShape};
use super::ui::Ui;
use super::{Exit, Failure, nsi};
use crate::sys::data_folder;
use crate::tables::RuleFiles;

/// The folder of a workspace, that of this program among the user's data, and that of imported rules in either.
const WORKSPACE: &str = ".puomp";
const PROGRAM: &str = "puomp";
const RULES: &str = "rules";

/// Arguments of `puomp rules`.
#[derive(Debug, Args)]
pub(super) struct RulesArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take a rule book as published.
    Import(import::ImportArgs),
    /// The rules.
    List(list::ListArgs),
    /// What of them runs.
    Coverage {
        /// Form of the answer.
        #[arg(long, value_enum, default_value_t)]
        format: ListShape,
    },
}

impl RulesArgs {
    pub(super) fn run(&self, cli: &Cli, files: &RuleFiles, ui: &Ui<'_>) -> Result<Exit, Failure> {
        let books = nsi::folder(cli);
        match &self.command {
            Command::Import(verb) => verb.run(folder(cli).as_deref(), books.as_deref(), files, ui),
            Command::List(verb) => verb.run(files, ui),
            Command::Coverage { format } => coverage::run(*format, books.as_deref(), files, ui),
        }
    }

    /// Whether the folder of rules may still be missing: an import makes it.
    pub(super) fn makes_folder(&self) -> bool {
        matches!(self.command, Command::Import(_))
    }
}

/// Where imported rules live: the folder that was named, else that of the workspace, else that among the user's data.
pub(super) fn folder(cli: &Cli) -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty());
    let here = std::env::current_dir().unwrap_or_default();
    let workspace = here.ancestors().map(|a| a.join(WORKSPACE)).find(|w| w.is_dir()).map(|w| w.join(RULES));
    let user = || data_folder(variable).map(|data| data.join(PROGRAM).join(RULES));
    cli.rules.clone().or(workspace).or_else(user)
}
