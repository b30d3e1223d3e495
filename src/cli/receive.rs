//! `puomp receive`: receives answers of payers.

use std::path::{Path, PathBuf};

use clap::Args;

use super::flags::PlaceArgs;
use super::out::tell;
use super::say::say;
use super::session::Session;
use super::status::registry_line;
use super::stop::ByUser;
use super::ui::Ui;
use super::workspace::words::time;
use super::{Exit, Failure};
use crate::registry::format::Formats;
use crate::texts::{Coded as _, Key};
use crate::workspace::workflow::Move;
use crate::workspace::{Received, Workspace};

/// Arguments of `puomp receive`.
#[derive(Debug, Args)]
pub(super) struct ReceiveArgs {
    /// Files of answers.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    place: PlaceArgs,
}

impl ReceiveArgs {
    pub(super) fn inputs(&self) -> Vec<&Path> {
        self.files.iter().map(PathBuf::as_path).collect()
    }

    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { ui, .. } = *session;
        let watch = ByUser::new();
        let (mut workspace, actor) = self.place.open_write("receive", session, &watch)?;
        let formats = Formats::load(session.files)?;
        let mut exit = Exit::Done;
        for path in &self.files {
            match workspace.receive(&session.operation(&actor, &watch), path, &formats) {
                Ok(received) if !ui.quiet => tell(&shown(path, &received, &workspace, ui))?,
                Ok(_) => {}
                Err(error) if error.is_stop() => return Err(error.into()),
                // One bad file does not keep the others out.
                Err(error) => {
                    let failure = Failure::from(error);
                    say(&ui.texts.error(&failure, ui.lang));
                    exit = exit.max(failure.class().into());
                }
            }
        }
        workspace.close();
        Ok(exit)
    }
}

/// The text about a received answer.
fn shown(path: &Path, received: &Received, workspace: &Workspace, ui: &Ui<'_>) -> String {
    let line = registry_line(&received.registry, workspace.tables(), ui);
    if let Some(at) = &received.already {
        let name = path.display().to_string();
        return format!("{}\n{line}", ui.texts.fill(Key::ReceiveAlready, ui.lang, &[("file", &name), ("time", &time(at, ui))]));
    }
    let mut out = line;
    if received.taken_off > 0 || received.refused > 0 {
        let cases = ui.texts.count(Key::CountCase, ui.lang, received.refused);
        out += &format!("  {}\n", ui.texts.fill(Key::ReceiveFindings, ui.lang, &[("cases", &cases), ("sum", &ui.texts.money(ui.lang, received.taken_off))]));
    }
    for one in &received.added_up {
        let [off, largest] = [one.taken_off, one.largest].map(|sum| ui.texts.money(ui.lang, sum));
        let slots = [("idcase", &*one.idcase.to_string()), ("off", &*off), ("largest", &*largest)];
        out += &format!("  {}\n", ui.texts.fill(Key::ReceiveAdded, ui.lang, &slots));
    }
    if received.refused > 0 {
        let workflow = &workspace.tables().workflow;
        let is_back = workflow.possible(Some(&received.registry.status), None).any(|t| t.by == Move::FormAgain);
        let key = if is_back { Key::ReceiveAgain } else { Key::ReceiveNext };
        out += &format!("  {}\n", ui.texts.fill(key, ui.lang, &[("number", &received.registry.number)]));
    }
    out
}
