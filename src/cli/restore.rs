//! `puomp restore`: makes a workspace of a backup.

use std::path::PathBuf;

use clap::Args;

use super::flags::PlaceArgs;
use super::out::print;
use super::say::say;
use super::session::Session;
use super::workspace::shown;
use super::{Exit, Failure};
use crate::texts::Key;
use crate::workspace::{Password, Restored};

/// Arguments of `puomp restore`.
#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The backup.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    place: PlaceArgs,
}

impl RestoreArgs {
    /// Restores the workspace; exit code 1 when the database names files that the backup does not have.
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { ui, .. } = *session;
        let Restored { files, is_shared, missing, password, .. } = self.place.restore(&self.file, &self.folder, session)?;
        if !ui.quiet {
            let slots = [("path", &*shown(&self.folder)), ("files", &files.to_string())];
            let key = if is_shared { Key::RestoreDoneFiles } else { Key::RestoreDone };
            print(&(ui.texts.fill(key, ui.lang, &slots) + "\n"))?;
        }
        let of_password = match password {
            Password::LeftOut => Some(Key::RestorePassword),
            Password::FileLeftOut => Some(Key::RestoreFileLeftOut),
            Password::None | Password::Kept => None,
        };
        let next = match &missing {
            _ if !is_shared => None,
            None => Some(Key::RestorePostgres),
            Some(missing) if missing.is_empty() => Some(Key::RestoreCompared),
            Some(_) => None,
        };
        for key in of_password.into_iter().chain(next) {
            say(ui.texts.get(key, ui.lang));
        }
        let missing = missing.unwrap_or_default();
        for file in &missing {
            say(&ui.texts.fill(Key::RestoreMissing, ui.lang, &[("file", file)]));
        }
        Ok(if missing.is_empty() { Exit::Done } else { Exit::Findings })
    }
}
