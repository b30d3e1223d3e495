//! `puomp completions`: completions for a shell, made from the parser's own definitions. The verb is hidden: it is for packagers.

use clap::Args;
use clap_complete::Shell;

use super::session::Session;
use super::{Exit, Failure, help, out};
use crate::tables::RuleFiles;
use crate::texts::{Lang, Texts};

/// `puomp completions SHELL`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

impl CompletionsArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let texts = Texts::load(&RuleFiles::embedded())?;
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut help::command((session.command)(), &texts, Lang::En), "puomp", &mut script);
        out::bytes(&script)?;
        Ok(Exit::Done)
    }
}
