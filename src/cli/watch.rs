//! `puomp watch`: watches a folder into which a MIS exports, and loads its packages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io, thread};

use clap::Args;

use super::flags::{ControlArgs, PlaceArgs};
use super::load::{is_sound, told};
use super::protocols::Protocols;
use super::say::say;
use super::session::Session;
use super::ui::Ui;
use super::workspace::{shown, tell_unread, with_tools};
use super::{Exit, Failure, stop};
use crate::flk::PackageReport;
use crate::registry::package::{Input, Package, discover};
use crate::registry::source::DiskFile;
use crate::report::flk::Protocol;
use crate::sys::{self, TEMPORARY, private_folder, rename};
use crate::texts::{Key, Slot};
use crate::watch::Watch;
use crate::workspace::{FOLDER, FindingFilter, Loading, OUTBOX, Outcome, Tools};

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

/// How often to look, seconds.
const SHORTEST: f64 = 0.1;
const LONGEST: f64 = 3_600.0;

/// Packages that are loaded, told and put away together.
const TOGETHER: usize = 64;

/// Size and time of each file: while they change, the file is still being written.
type Look = BTreeMap<PathBuf, (u64, Option<SystemTime>)>;

impl WatchArgs {
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let ui = session.ui;
        if !self.folder.is_dir() {
            return Err(Failure::NoFolder(self.folder.clone()));
        }
        if !ui.quiet {
            let [done, refused] = [DONE, REFUSED].map(|name| shown(&self.folder.join(name)));
            say(&ui.texts.fill(Key::WatchMoves, ui.lang, &[("done", &done), ("refused", &refused)]));
        }
        if !(SHORTEST..=LONGEST).contains(&self.every) {
            return Err(Failure::Value(self.every.to_string(), format!("{SHORTEST}…{LONGEST}")));
        }
        let pause = Duration::from_secs_f64(self.every);
        let mut eyes = Eyes { ui, told: BTreeSet::new() };
        forget_unfinished(&self.folder);
        let mut before = eyes.look(&self.folder)?;
        let mut told = Look::new();
        let mut exit = Exit::Done;
        loop {
            stop::at_once()?;
            thread::sleep(pause);
            let now = eyes.look(&self.folder)?;
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
            for packages in batches(&whole) {
                let operation = session.operation(&actor, &bar);
                let loaded = workspace.load_all(&operation, packages, tools, Loading::default(), filter)?;
                // A file is put away when what it came to is safe. Whatever ends this program before that, the next run finds the file here and loads it again,
                // which changes nothing, and writes the protocol that is not there.
                for (package, loaded) in packages.iter().zip(&loaded) {
                    let again = match &loaded.report {
                        Some(_) => None,
                        None => Some(controlled(package, tools, filter, &bar)?),
                    };
                    if let Some(report) = loaded.report.as_ref().or(again.as_ref()) {
                        protocols.add(folder_of(&package.file.path), report, !matches!(loaded.outcome, Outcome::Taken(_)))?;
                    }
                }
                protocols.settle()?;
                for (package, loaded) in packages.iter().zip(&loaded) {
                    let target =
                        self.folder.join(if matches!(loaded.outcome, Outcome::Rejected | Outcome::Foreign | Outcome::ThirdFile) { REFUSED } else { DONE });
                    // The package is moved there in a moment.
                    let path = target.join(package.file.path.strip_prefix(&self.folder).unwrap_or(&package.file.path));
                    told(package, &sys::shown(&path), loaded, &mut workspace, session)?;
                    exit = exit.max(if is_sound(loaded) { Exit::Done } else { Exit::Findings });
                    for member in [&package.main, &package.persons].into_iter().flatten() {
                        self.put_away(member.source.container(), &target)?;
                    }
                    self.put_away(&package.file.path, &target)?;
                }
            }
            tell_unread(&mut workspace, ui);
            workspace.close();
            Ok(exit)
        });
        bar.done();
        exit
    }

    /// Moves a file into a folder, below which it lies as it lay below the watched one. If a file of that name is there, the new one gets a number.
    fn put_away(&self, file: &Path, folder: &Path) -> Result<(), Failure> {
        if !file.is_file() {
            return Ok(());
        }
        let below = folder_of(file).strip_prefix(&self.folder).unwrap_or(Path::new(""));
        let folder = folder.join(below);
        let failed = |e| Failure::Write(folder.clone(), e);
        private_folder(&folder).map_err(failed)?;
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
}

/// Packages that are loaded together; all of one archive are in one batch, because it is put away after that.
fn batches(packages: &[Package]) -> Vec<&[Package]> {
    let mut batches = Vec::new();
    let mut start = 0;
    for end in 1..=packages.len() {
        let is_between = packages.get(end).is_none_or(|next| next.file != packages[end - 1].file);
        if is_between && (end - start >= TOGETHER || end == packages.len()) {
            batches.push(&packages[start..end]);
            start = end;
        }
    }
    batches
}

/// Controls a package that was loaded before, for its protocol.
fn controlled(package: &Package, tools: Tools<'_>, filter: FindingFilter<'_>, watch: &dyn Watch) -> Result<PackageReport, Failure> {
    let mut report = tools.checker.package(package, tools.config, watch)?;
    filter(&mut report)?;
    Ok(report)
}

fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

/// Whether the person file or the main file of a package is missing.
fn is_half(package: &Package) -> bool {
    package.faults.iter().any(|f| matches!(f.check, crate::finding::Check::PersonsMissing | crate::finding::Check::MainMissing))
}

/// Looks at folders, and tells once what it leaves out.
struct Eyes<'u> {
    ui: &'u Ui<'u>,
    told: BTreeSet<PathBuf>,
}

impl Eyes<'_> {
    /// The files below the watched folder, without hidden ones, what was put away, and what is a workspace's own.
    fn look(&mut self, watched: &Path) -> Result<Look, Failure> {
        let mut seen = Look::new();
        self.list(watched, &mut seen).map_err(|error| Failure::Read(watched.to_owned(), error))?;
        Ok(seen)
    }

    fn list(&mut self, folder: &Path, seen: &mut Look) -> io::Result<()> {
        let is_workspace = folder.join(FOLDER).is_dir();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            // A file without metadata has just been removed by its writer. A link is not followed: it could lead back up.
            let Ok(data) = entry.metadata() else { continue };
            let (path, name) = (entry.path(), entry.file_name());
            if name.to_string_lossy().starts_with('.') || data.is_symlink() {
                continue;
            }
            if data.is_file() {
                seen.insert(path, (data.len(), data.modified().ok()));
            } else if !data.is_dir() {
                self.tell_once(&path, &io::ErrorKind::NotSeekable.into());
            } else if name != DONE && name != REFUSED && !(is_workspace && name == OUTBOX) {
                match self.list(&path, seen) {
                    // One folder that cannot be read keeps nobody from the others.
                    Err(error) if error.kind() != io::ErrorKind::NotFound => self.tell_once(&path, &error),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn tell_once(&mut self, path: &Path, error: &io::Error) {
        if self.told.insert(path.to_owned()) {
            let Ui { texts, lang, .. } = *self.ui;
            say(&texts.fill(Key::WatchLeftOut, lang, &[("file", &shown(path)), ("reason", &texts.slot(&Slot::io(error), lang))]));
        }
    }
}

/// Removes the protocols that a program that was killed has left half written. One that cannot be removed does no harm.
fn forget_unfinished(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if kind.is_file() && name.starts_with(TEMPORARY) {
            let _ = fs::remove_file(entry.path());
        } else if kind.is_dir() && !name.starts_with('.') && name != DONE && name != REFUSED && name != OUTBOX {
            forget_unfinished(&entry.path());
        }
    }
}
