//! `puomp withdraw`: takes a registry back before the payer decides.

use clap::Args;

use super::flags::PlaceArgs;
use super::out::tell;
use super::session::Session;
use super::status::registry_line;
use super::stop::ByUser;
use super::{Exit, Failure};

/// Arguments of `puomp withdraw`.
#[derive(Debug, Args)]
pub(super) struct WithdrawArgs {
    /// The registry.
    #[arg(value_name = "REG")]
    registry: String,
    /// The reason.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
    #[command(flatten)]
    place: PlaceArgs,
}

impl WithdrawArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { ui, .. } = *session;
        let watch = ByUser::new();
        let (mut workspace, actor) = self.place.open_write("withdraw", session, &watch)?;
        let registry = workspace.withdraw(&session.operation(&actor, &watch), &self.registry, &self.reason)?;
        if !ui.quiet {
            tell(&registry_line(&registry, workspace.tables(), ui))?;
        }
        workspace.close();
        Ok(Exit::Done)
    }
}
