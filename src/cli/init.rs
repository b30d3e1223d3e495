//! `puomp init`: makes a folder into a workspace.

use std::path::PathBuf;

use clap::Args;

use super::flags::PlaceArgs;
use super::out::print;
use super::session::Session;
use super::workspace::shown;
use super::{Exit, Failure};
use crate::sys;
use crate::texts::Key;

/// Arguments of `puomp init`.
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The folder.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    #[command(flatten)]
    place: PlaceArgs,
}

impl InitArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { ui, .. } = *session;
        std::fs::create_dir_all(&self.folder).map_err(|e| Failure::Write(self.folder.clone(), e))?;
        let root = sys::canonicalize(&self.folder).map_err(|e| Failure::Read(self.folder.clone(), e))?;
        let key = if self.place.init(root.clone(), session)? { Key::InitDone } else { Key::InitAgain };
        if !ui.quiet {
            print(&(ui.texts.fill(key, ui.lang, &[("path", &shown(&root))]) + "\n"))?;
        }
        Ok(Exit::Done)
    }
}
