//! `puomp watch`: watches a folder into which a MIS exports, and loads its packages.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use clap::Args;

use super::flags::{ControlArgs, PlaceArgs};
use super::load::{is_sound, line, questions, replaced};
use super::out::tell;
use super::say::say;
use super::session::Session;
use super::validate::Protocols;
use super::workspace::with_tools;
use super::{Exit, Failure, stop};
use crate::registry::package::{Input, Package, discover};
use crate::registry::source::DiskFile;
use crate::report::flk::Protocol;
use crate::sys::{private_folder, rename};
use crate::texts::Key;
use crate::workspace::{Loading, Outcome};

/// Arguments of `puomp watch`.
#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    /// The folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// How often to look, seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    every: f64,
    /// Take what is there and end.
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    control: ControlArgs,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Subfolders for files that were loaded, and for those that were refused.
const DONE: &str = "done";
const REFUSED: &str = "refused";

/// Size and time of each file: while they change, the file is still being written.
type Look = BTreeMap<PathBuf, (u64, Option<SystemTime>)>;

impl WatchArgs {
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        if !self.folder.is_dir() {
            return Err(Failure::NoFolder(self.folder.clone()));
        }
        let pause = Duration::from_secs_f64(if self.every.is_finite() { self.every.clamp(0.1, 3600.0) } else { 5.0 });
        let mut before = look(&self.folder)?;
        let mut told = Look::new();
        let mut exit = Exit::Done;
        loop {
            stop::at_once()?;
            thread::sleep(pause);
            let now = look(&self.folder)?;
            let still: Vec<&PathBuf> = now.iter().filter(|(path, seen)| before.get(*path) == Some(*seen)).map(|(path, _)| path).collect();
            // Packages that wait for their other file are tried again only when the folder has changed.
            if !still.is_empty() && now != told {
                let ended = self.take(&still, &session.renewed())?;
                exit = exit.max(ended);
                // Only what was there before: a file that came meanwhile is still to be offered.
                told = now.clone();
                told.retain(|path, _| path.exists());
            }
            before = now;
            if self.once {
                return Ok(exit);
            }
        }
    }

    fn take(&self, still: &[&PathBuf], session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { files, ui, .. } = *session;
        let inputs: Vec<Input> = still.iter().map(|path| Input { file: DiskFile::at(*path), explicit: false }).collect();
        let bar = ui.bar();
        let protocol = Protocol::load(files)?;
        let exit = with_tools(session, &self.control, |tools, filter| {
            let (whole, halves): (Vec<Package>, Vec<Package>) = discover(&inputs, tools.formats, &tools.config.archives).into_iter().partition(|p| !is_half(p));
            for half in &halves {
                say(&ui.texts.fill(Key::WatchHalf, ui.lang, &[("file", &half.file.shown())]));
            }
            if whole.is_empty() {
                return Ok(Exit::Done);
            }
            let Some(naming) = protocol.naming(None) else { return Ok(Exit::Usage) };
            let mut protocols = Protocols::new(&self.folder, &protocol, tools.catalog, naming)?;
            let (mut workspace, actor) = self.place.open_write("watch", session, &bar)?;
            let mut exit = Exit::Done;
            for package in &whole {
                let name = package.main.as_ref().or(package.persons.as_ref()).map_or_else(|| package.file.shown(), |m| m.file_name());
                let loaded = workspace.load(&session.operation(&actor, &bar), package, tools, Loading::default(), filter)?;
                if let Some(report) = &loaded.report {
                    protocols.write(report)?;
                }
                if !is_sound(&loaded.outcome) {
                    exit = Exit::Findings;
                }
                if !ui.quiet || !is_sound(&loaded.outcome) || !loaded.repaired.is_empty() {
                    tell(&line(&name, &loaded, ui))?;
                    questions(&mut workspace, &loaded, session)?;
                } else {
                    tell(&replaced(&name, &loaded, ui))?;
                }
                let target = if matches!(loaded.outcome, Outcome::Rejected | Outcome::Foreign) { REFUSED } else { DONE };
                for member in [&package.main, &package.persons].into_iter().flatten() {
                    put_away(member.source.container(), &self.folder.join(target))?;
                }
                put_away(&package.file.path, &self.folder.join(target))?;
            }
            workspace.close();
            Ok(exit)
        });
        bar.done();
        exit
    }
}

/// Whether the person file or the main file of a package is missing.
fn is_half(package: &Package) -> bool {
    package.faults.iter().any(|f| matches!(f.check, crate::finding::Check::PersonsMissing | crate::finding::Check::MainMissing))
}

/// The files in a folder itself, without subfolders and hidden files.
fn look(folder: &Path) -> Result<Look, Failure> {
    let failed = |e| Failure::Read(folder.to_owned(), e);
    let mut seen = Look::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // A file without metadata has just been removed by its writer.
        let Ok(data) = entry.metadata() else { continue };
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if data.is_file() && !hidden {
            seen.insert(entry.path(), (data.len(), data.modified().ok()));
        }
    }
    Ok(seen)
}

/// Moves a file into a folder. If a file of that name is there, the new one gets a number.
fn put_away(file: &Path, folder: &Path) -> Result<(), Failure> {
    if !file.is_file() {
        return Ok(());
    }
    let failed = |e| Failure::Write(folder.to_owned(), e);
    private_folder(folder).map_err(failed)?;
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let (stem, end) = name.rsplit_once('.').unwrap_or((&name, ""));
    let mut target = folder.join(&name);
    let mut number = 2;
    while target.exists() {
        target = folder.join(format!("{stem}-{number}.{end}"));
        number += 1;
    }
    rename(file, &target).map_err(failed)
}
