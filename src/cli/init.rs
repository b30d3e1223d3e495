//! `puomp init`: a folder becomes a workspace.

use std::path::PathBuf;

use clap::Args;

use super::config::Config;
use super::ui::Ui;
use super::workspace::{PlaceArgs, failed, shown};
use super::{Exit, Failure, print};
use crate::texts::Key;
use crate::workspace::Place;

/// What `init` takes.
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The folder.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    #[command(flatten)]
    place: PlaceArgs,
}

impl InitArgs {
    pub(super) fn run(&self, config: &Config, ui: &Ui<'_>) -> Result<Exit, Failure> {
        std::fs::create_dir_all(&self.folder).map_err(|e| Failure::Write(self.folder.clone(), e))?;
        let root = std::fs::canonicalize(&self.folder).map_err(|e| Failure::Read(self.folder.clone(), e))?;
        let place = Place { root, store: self.place.store(config) };
        let key = if failed(place.init(), ui)? { Key::InitDone } else { Key::InitAgain };
        if !ui.quiet {
            print(&(ui.texts.fill(key, ui.lang, &[("path", &shown(&place.root))]) + "\n"))?;
        }
        Ok(Exit::Done)
    }
}
