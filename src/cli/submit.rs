//! `puomp submit`: sends registries to their payers.

use clap::Args;

use super::flags::PlaceArgs;
use super::out::tell;
use super::say::say;
use super::session::Session;
use super::status::registry_line;
use super::{Exit, Failure};
use crate::texts::{Coded as _, Key};
use crate::timings::{self, Phase};
use crate::watch::Watch;
use crate::workspace::Problem;

/// Arguments of `puomp submit`.
#[derive(Debug, Args)]
pub(super) struct SubmitArgs {
    /// Numbers of registries, unique beginnings of them, or names of their files.
    #[arg(required = true, value_name = "REG")]
    registries: Vec<String>,
    /// Show how long each phase took.
    #[arg(long)]
    timings: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

impl SubmitArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let bar = session.ui.bar().timed(self.timings);
        let exit = self.send(session, &bar);
        bar.done();
        super::timings::tell(bar.timings(), session.ui);
        exit
    }

    fn send(&self, session: &Session<'_>, watch: &dyn Watch) -> Result<Exit, Failure> {
        let Session { ui, .. } = *session;
        let lock = timings::span(watch.timings(), Phase::Lock);
        let (workspace, actor) = self.place.open_write("submit", session, watch)?;
        let mut workspace = workspace.timed(watch.timings());
        drop(lock);
        let mut exit = Exit::Done;
        for name in &self.registries {
            match workspace.submit(&session.operation(&actor, watch), name) {
                Ok(sent) if ui.quiet => drop(sent),
                Ok(sent) => {
                    let line = registry_line(&sent.registry, workspace.tables(), ui);
                    tell(&format!("{line}  {}\n", ui.texts.fill(Key::SubmitPlaced, ui.lang, &[("path", &sent.path)])))?;
                }
                Err(error) if !error.is_of_one_registry() => return Err(error.into()),
                // The repeat of a command that was broken off half-way.
                Err(sent @ Problem::AlreadySent(..)) => say(&ui.texts.error(&sent, ui.lang)),
                // One that cannot go does not keep the others back.
                Err(error) => {
                    let failure = Failure::from(error);
                    ui.complain(&failure);
                    exit = exit.max(failure.class().into());
                }
            }
        }
        workspace.close();
        Ok(exit)
    }
}
