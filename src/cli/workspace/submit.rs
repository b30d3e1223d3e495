//! `puomp submit`: registries go to their payers.

use clap::Args;

use super::super::config::Config;
use super::super::ui::Ui;
use super::super::{Exit, Failure, print, who};
use super::PlaceArgs;
use super::status::registry_line;
use crate::tables::RuleFiles;
use crate::texts::Key;
use crate::watch::Unwatched;

/// What `submit` takes.
#[derive(Debug, Args)]
pub(in super::super) struct SubmitArgs {
    /// Numbers of registries, unique beginnings of them, or names of their files.
    #[arg(required = true, value_name = "REG")]
    registries: Vec<String>,
    #[command(flatten)]
    place: PlaceArgs,
}

impl SubmitArgs {
    pub(in super::super) fn run(&self, config: &Config, files: &RuleFiles, ui: &Ui<'_>) -> Result<Exit, Failure> {
        let (mut workspace, actor) = self.place.change("submit", config, files)?;
        for name in &self.registries {
            let sent = workspace.submit(&who::operation(&actor, &Unwatched), name)?;
            if !ui.quiet {
                let line = registry_line(&sent.registry, workspace.tables(), ui);
                print(&format!("{line}  {}\n", ui.texts.fill(Key::SubmitPlaced, ui.lang, &[("path", &sent.path)])))?;
            }
        }
        workspace.close();
        Ok(Exit::Done)
    }
}
