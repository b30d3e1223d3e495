//! `puomp submit`: sends registries to their payers.

use clap::Args;

use super::flags::PlaceArgs;
use super::out::print;
use super::session::Session;
use super::status::registry_line;
use super::stop::ByUser;
use super::{Exit, Failure};
use crate::texts::Key;

/// Arguments of `puomp submit`.
#[derive(Debug, Args)]
pub(super) struct SubmitArgs {
    /// Numbers of registries, unique beginnings of them, or names of their files.
    #[arg(required = true, value_name = "REG")]
    registries: Vec<String>,
    #[command(flatten)]
    place: PlaceArgs,
}

impl SubmitArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { ui, .. } = *session;
        let watch = ByUser::new();
        let (mut workspace, actor) = self.place.change("submit", session, &watch)?;
        for name in &self.registries {
            let sent = workspace.submit(&session.operation(&actor, &watch), name)?;
            if !ui.quiet {
                let line = registry_line(&sent.registry, workspace.tables(), ui);
                print(&format!("{line}  {}\n", ui.texts.fill(Key::SubmitPlaced, ui.lang, &[("path", &sent.path)])))?;
            }
        }
        workspace.close();
        Ok(Exit::Done)
    }
}
