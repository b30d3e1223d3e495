//! `puomp init`: a folder becomes a workspace.

use std::path::PathBuf;

use clap::Args;

use super::super::config::Config;
use super::super::ui::Ui;
use super::super::{Exit, Failure, print};
use super::{PlaceArgs, failed, shown};
use crate::report::Key;
use crate::sys::canonicalize;
use crate::workspace::Place;

/// What `init` takes.
#[derive(Debug, Args)]
pub(in super::super) struct InitArgs {
    /// The folder.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    #[command(flatten)]
    place: PlaceArgs,
}

impl InitArgs {
    pub(in super::super) fn run(&self, config: &Config, ui: &Ui<'_>) -> Result<Exit, Failure> {
        std::fs::create_dir_all(&self.folder).map_err(|e| Failure::Write(self.folder.clone(), e))?;
        let root = canonicalize(&self.folder).map_err(|e| Failure::Read(self.folder.clone(), e))?;
        let place = Place { root, store: self.place.store(config) };
        let key = if failed(place.init(), ui)? { Key::InitDone } else { Key::InitAgain };
        if !ui.quiet {
            print(&(ui.texts.fill(key, ui.lang, &[("path", &shown(&place.root))]) + "\n"))?;
        }
        Ok(Exit::Done)
    }
}
