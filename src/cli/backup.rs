//! `puomp backup`: writes a backup of the workspace into a file.

use std::path::PathBuf;

use clap::Args;

use super::flags::PlaceArgs;
use super::out::print;
use super::say::say;
use super::session::Session;
use super::stop::ByUser;
use super::workspace::shown;
use super::{Exit, Failure};
use crate::texts::Key;
use crate::workspace::{Password, Saved};

/// Arguments of `puomp backup`.
#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The file of the backup.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Passwords of the configuration go into the backup too.
    #[arg(long)]
    with_secret: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

impl BackupArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { ui, .. } = *session;
        let watch = ByUser::new();
        let (mut workspace, actor) = self.place.open_write("backup", session, &watch)?;
        let saved = workspace.backup(&session.operation(&actor, &watch), &self.file, self.with_secret)?;
        workspace.close();
        let Saved { files, size, mended, password, shared } = saved;
        for file in &mended {
            say(&ui.texts.fill(Key::BackupMended, ui.lang, &[("file", file)]));
        }
        let of_password = match password {
            Password::None => None,
            Password::Kept => Some(Key::BackupPasswordKept),
            Password::LeftOut => Some(Key::BackupPasswordLeftOut),
            Password::FileLeftOut => Some(Key::BackupFileLeftOut),
        };
        if let Some(key) = of_password {
            say(ui.texts.get(key, ui.lang));
        }
        let path = shown(&self.file);
        if let Some(url) = &shared {
            say(&ui.texts.fill(Key::BackupPostgres, ui.lang, &[("url", url), ("path", &path)]));
        }
        if !ui.quiet {
            let slots = [("path", &*path), ("files", &files.to_string()), ("size", &size.to_string())];
            print(&(ui.texts.fill(Key::BackupDone, ui.lang, &slots) + "\n"))?;
        }
        Ok(Exit::Done)
    }
}
