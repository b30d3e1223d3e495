//! `puomp submit`: registries go to their payers.

use clap::Args;

use super::config::Config;
use super::status::registry_line;
use super::ui::Ui;
use super::workspace::{PlaceArgs, failed};
use super::{Exit, Failure, print};
use crate::tables::RuleFiles;
use crate::texts::Key;

/// What `submit` takes.
#[derive(Debug, Args)]
pub(super) struct SubmitArgs {
    /// Numbers of registries, unique beginnings of them, or names of their files.
    #[arg(required = true, value_name = "REG")]
    registries: Vec<String>,
    #[command(flatten)]
    place: PlaceArgs,
}

impl SubmitArgs {
    pub(super) fn run(&self, config: &Config, files: &RuleFiles, ui: &Ui<'_>) -> Result<Exit, Failure> {
        let mut workspace = self.place.change("submit", config, files, ui)?;
        for name in &self.registries {
            let sent = failed(workspace.submit(name), ui)?;
            if !ui.quiet {
                let line = registry_line(&sent.registry, workspace.tables(), ui);
                print(&format!("{line}  {}\n", ui.texts.fill(Key::SubmitPlaced, ui.lang, &[("path", &sent.path)])))?;
            }
        }
        workspace.close();
        Ok(Exit::Done)
    }
}
