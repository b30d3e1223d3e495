//! `puomp review`: decisions of the payer.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::flags::PlaceArgs;
use super::out::tell;
use super::say::say;
use super::session::Session;
use super::status::registry_line;
use super::stop::ByUser;
use super::{Exit, Failure};
use crate::sys::open_input;
use crate::texts::Key;
use crate::workspace::workflow::Move;
use crate::workspace::{Sanction, SanctionColumns, SanctionError};

/// Arguments of `puomp review`.
#[derive(Debug, Args)]
pub(super) struct ReviewArgs {
    /// The decision: an action of the verb.
    #[arg(value_name = "ACTION")]
    action: String,
    /// The registry.
    #[arg(value_name = "REG")]
    registry: String,
    /// The reason of the decision.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
    /// File with the sanctions.
    #[arg(long, value_name = "FILE")]
    sanctions: Option<PathBuf>,
    #[command(flatten)]
    place: PlaceArgs,
}

impl ReviewArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { ui, .. } = *session;
        let Some(by) = Move::find("review", &self.action) else {
            let known: Vec<&str> = Move::ALL.iter().filter(|m| m.verb() == "review").map(|m| m.action()).collect();
            return Err(Failure::Value(self.action.clone(), known.join(", ")));
        };
        let sanctions = match &self.sanctions {
            Some(path) => sanctions(path, session)?,
            None => Vec::new(),
        };
        let source = self.sanctions.as_deref().and_then(|p| p.file_name()).map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let watch = ByUser::new();
        let (mut workspace, actor) = self.place.open_write("review", session, &watch)?;
        for trouble in workspace.sanction_troubles(&self.registry, &sanctions)? {
            say(&ui.texts.error(&SanctionError::misfit(&source, trouble), ui.lang));
        }
        let decided = workspace.review(&session.operation(&actor, &watch), &self.registry, by, &self.reason, &sanctions, &source)?;
        if !ui.quiet {
            tell(&registry_line(&decided.registry, workspace.tables(), ui))?;
            if !sanctions.is_empty() {
                let cases = ui.texts.count(Key::CountCase, ui.lang, decided.refused);
                tell(&format!(
                    "  {}\n",
                    ui.texts.fill(Key::ReviewSanctions, ui.lang, &[("cases", &cases), ("sum", &ui.texts.money(ui.lang, decided.taken_off))])
                ))?;
            }
        }
        workspace.close();
        Ok(Exit::Done)
    }
}

/// Reads a file of sanctions; fails with all errors of the file.
fn sanctions(path: &Path, session: &Session<'_>) -> Result<Vec<Sanction>, Failure> {
    let columns = SanctionColumns::load(session.files)?;
    let unread = |error| Failure::Read(path.to_owned(), error);
    let mut bytes = Vec::new();
    open_input(path).and_then(|file| file.take(SanctionColumns::LARGEST + 1).read_to_end(&mut bytes)).map_err(unread)?;
    columns.read(&bytes).map_err(|faults| Failure::of(columns.errors(&path.display().to_string(), &faults)))
}
