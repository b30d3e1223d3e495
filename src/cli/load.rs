//! `puomp load`: loads packages into the workspace.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::cases::{Shape, lines};
use super::flags::{ControlArgs, PlaceArgs};
use super::inputs::inputs;
use super::out::tell;
use super::say::say;
use super::session::Session;
use super::status::registry_line;
use super::taking_back;
use super::ui::Ui;
use super::workspace::words::time;
use super::workspace::{tell_unread, with_tools};
use super::{Exit, Failure};
use crate::flk::Verdict;
use crate::registry::package::{Package, discover};
use crate::texts::Key;
use crate::texts::layout::wrapped;
use crate::timings::{self, Phase};
use crate::watch::Watch as _;
use crate::workspace::{CaseCounts, Doubt, Loaded, Loading, Outcome, Problem, Workspace};

/// How many questions are shown with their cases.
const QUESTIONS: usize = 5;

/// Arguments of `puomp load`.
#[derive(Debug, Args)]
pub(super) struct LoadArgs {
    /// Files, folders, wildcards, `-`.
    #[arg(required_unless_present = "undo", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The loaded file that is taken back.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "doubtful", "complete", "yes", "timings", "as_payer"])]
    undo: Option<String>,
    /// Why it is taken back.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, requires = "undo")]
    reason: String,
    /// The files are all of the clinic's month.
    #[arg(long)]
    complete: bool,
    /// Drop what is absent without asking.
    #[arg(long, requires = "complete")]
    yes: bool,
    /// The clinic has sent them to this workspace: each becomes a registry.
    #[arg(long, conflicts_with = "complete")]
    as_payer: bool,
    /// What to do with cases that may be the same as stored ones.
    #[arg(long, value_name = "WHAT", default_value = "ask")]
    doubtful: DoubtArg,
    /// Show how long each phase took.
    #[arg(long)]
    timings: bool,
    #[command(flatten)]
    control: ControlArgs,
    #[command(flatten)]
    place: PlaceArgs,
}

/// The values of `--doubtful`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DoubtArg {
    /// Keep aside.
    Ask,
    /// New versions.
    Same,
    /// Others.
    Different,
}

impl LoadArgs {
    pub(super) fn inputs(&self) -> Vec<&Path> {
        self.paths.iter().map(PathBuf::as_path).collect()
    }

    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { ui, .. } = *session;
        if let Some(name) = &self.undo {
            return taking_back::undo(name, &self.reason, &self.place, session);
        }
        let inputs = inputs(&self.paths)?;
        let doubt = match self.doubtful {
            DoubtArg::Ask => Doubt::Ask,
            DoubtArg::Same => Doubt::Same,
            DoubtArg::Different => Doubt::Different,
        };
        let bar = ui.bar().timed(self.timings);
        let exit = with_tools(session, &self.control, |tools, filter| {
            let find = timings::span(bar.timings(), Phase::Find);
            let packages = discover(&inputs, tools.formats, &tools.config.archives);
            if let Some(timings) = bar.timings() {
                timings.bytes(Phase::Find, packages.iter().map(Package::size_on_disk).sum());
            }
            drop(find);
            if packages.is_empty() {
                return Err(Failure::Nothing);
            }
            let lock = timings::span(bar.timings(), Phase::Lock);
            let (workspace, actor) = self.place.open_write("load", session, &bar)?;
            let mut workspace = workspace.timed(bar.timings());
            drop(lock);
            let mut exit = LoadExit::default();
            let loading = Loading { doubt, complete: self.complete, as_payer: self.as_payer };
            let mut present = Vec::new();
            for package in &packages {
                let loaded = match workspace.load(&session.operation(&actor, &bar), package, tools, loading, filter) {
                    // One that cannot become a registry does not keep the others back.
                    Err(error @ Problem::NotTaken(_)) => {
                        ui.complain(&Failure::from(error));
                        exit.is_refused = true;
                        continue;
                    }
                    loaded => loaded?,
                };
                exit.add(&loaded);
                told(package, &package.file.shown(), &loaded, &mut workspace, session)?;
                if let Some(registry) = loaded.registry.as_ref().filter(|_| !ui.quiet) {
                    tell(&registry_line(registry, workspace.tables(), ui))?;
                }
                present.extend(loaded.present);
            }
            tell_unread(&mut workspace, ui);
            if self.complete {
                let operation = session.operation(&actor, &bar);
                if present.len() < packages.len() {
                    say(ui.texts.get(Key::CompleteBroken, ui.lang));
                    exit.has_errors = true;
                } else if taking_back::complete(&mut workspace, &operation, &present, self.yes, session)? {
                    exit.has_errors = true;
                }
            }
            workspace.close();
            Ok(exit.exit())
        });
        bar.done();
        super::timings::tell(bar.timings(), ui);
        exit
    }
}

/// How loading ends: as `puomp validate` does on the same files, and besides with [`Exit::Findings`] if there is a question or a package that cannot be loaded.
#[derive(Default)]
struct LoadExit {
    packages: u64,
    rejected: u64,
    has_errors: bool,
    /// A package could not become a registry.
    is_refused: bool,
}

impl LoadExit {
    fn add(&mut self, loaded: &Loaded) {
        self.packages += 1;
        self.rejected += u64::from(loaded.verdict == Verdict::Rejected);
        self.has_errors |= !is_sound(loaded);
    }

    fn exit(&self) -> Exit {
        match () {
            () if self.is_refused => Exit::Refused,
            () if self.rejected == self.packages => Exit::Input,
            () if self.has_errors => Exit::Findings,
            () => Exit::Done,
        }
    }
}

/// Tells what a package came to: all of it, or under `-q` only what must be known. `path` is what the user may type for it.
pub(super) fn told(package: &Package, path: &str, loaded: &Loaded, workspace: &mut Workspace, session: &Session<'_>) -> Result<(), Failure> {
    let ui = session.ui;
    let name = package.main.as_ref().or(package.persons.as_ref()).map_or_else(|| package.file.shown(), |m| m.file_name());
    if ui.quiet && is_sound(loaded) && loaded.repaired.is_empty() {
        return tell(&replaced(&name, loaded, ui));
    }
    tell(&line(&name, path, loaded, ui))?;
    questions(workspace, loaded, session)
}

/// The lines about a loaded package: the result, and remarks about its cases.
fn line(name: &str, path: &str, loaded: &Loaded, ui: &Ui<'_>) -> String {
    let said = |key, slots: &[(&str, &str)]| ui.texts.fill(key, ui.lang, slots);
    let (text, counts) = match &loaded.outcome {
        Outcome::Already(at, counts) => (said(Key::LoadAlready, &[("time", &time(at, ui))]), Some(counts)),
        Outcome::Rejected => (said(Key::LoadRejected, &[]), None),
        Outcome::Foreign => (said(Key::LoadForeign, &[]), None),
        Outcome::ThirdFile => (said(Key::LoadThirdFile, &[]), None),
        Outcome::Taken(counts) => {
            let cases = counts.new + counts.replaced + counts.unchanged + counts.waiting + counts.doubtful;
            (said(Key::LoadTaken, &[("cases", &ui.texts.count(Key::CountCase, ui.lang, cases))]), Some(counts))
        }
    };
    let mut lines = wrapped(&format!("{name}: {text}"), 0);
    for file in &loaded.repaired {
        lines += &wrapped(&said(Key::LoadRepaired, &[("file", file)]), 2);
    }
    for (key, number) in counts.map(|counts| if loaded.registry.is_some() { parts_as_payer(counts) } else { parts(counts) }).unwrap_or_default() {
        if number > 0 {
            lines += &wrapped(&said(key, &[("cases", &ui.texts.count(Key::CountCase, ui.lang, number)), ("path", path)]), 2);
        }
    }
    if loaded.verdict >= Verdict::Errors {
        lines += &wrapped(&said(Key::LoadDetails, &[("path", path)]), 2);
    }
    lines
}

/// What is said of replaced cases even where nothing else is said.
fn replaced(name: &str, loaded: &Loaded, ui: &Ui<'_>) -> String {
    let (Outcome::Already(_, counts) | Outcome::Taken(counts)) = &loaded.outcome else { return String::new() };
    let said = |(key, number): (Key, u64)| {
        let cases = ui.texts.count(Key::CountCase, ui.lang, number);
        format!("{name}: {}\n", ui.texts.fill(key, ui.lang, &[("cases", &cases), ("name", name)]))
    };
    [(Key::LoadReplaced, counts.replaced), (Key::LoadWaiting, counts.waiting)].into_iter().filter(|(_, number)| *number > 0).map(said).collect()
}

/// Shows the first questions of a package with both cases.
fn questions(workspace: &mut Workspace, loaded: &Loaded, session: &Session<'_>) -> Result<(), Failure> {
    let ui = session.ui;
    let Some(mo) = loaded.mo.as_ref().filter(|_| !loaded.questions.is_empty()) else { return Ok(()) };
    let mask = workspace.mask()?;
    let shape = Shape::new(session, workspace, &mask, false)?;
    let mut ids = Vec::new();
    for question in loaded.questions.iter().take(QUESTIONS) {
        ids.extend([question.other, question.id].into_iter().filter(|id| *id != 0));
    }
    ids.sort_unstable();
    ids.dedup();
    let shown = lines(&workspace.cases_with_ids(mo, &ids)?, &shape);
    tell(&shown.lines().map(|line| format!("  {line}\n")).collect::<String>())?;
    let more = loaded.questions.len().saturating_sub(QUESTIONS);
    if more > 0 {
        let cases = ui.texts.count(Key::CountCase, ui.lang, more as u64);
        tell(&format!("  {}\n", ui.texts.fill(Key::LoadQuestionMore, ui.lang, &[("cases", &cases)])))?;
    }
    Ok(())
}

/// The counts that are reported when they are not 0.
fn parts(counts: &CaseCounts) -> Vec<(Key, u64)> {
    vec![
        (Key::LoadReplaced, counts.replaced),
        (Key::LoadUnchanged, counts.unchanged),
        (Key::LoadWaiting, counts.waiting),
        (Key::LoadDoubtful, counts.doubtful),
        (Key::LoadAside, counts.aside),
        (Key::LoadDropped, counts.dropped),
        (Key::LoadAgain, counts.unknown_again),
        (Key::LoadBlocked, counts.blocked),
        (Key::LoadPackageBlocked, u64::from(counts.package_blocked)),
    ]
}

/// The same where the package became a registry: its errors are for the payer to judge.
fn parts_as_payer(counts: &CaseCounts) -> Vec<(Key, u64)> {
    vec![
        (Key::LoadReplaced, counts.replaced),
        (Key::LoadUnchanged, counts.unchanged),
        (Key::AsPayerErrors, counts.blocked),
        (Key::AsPayerHead, u64::from(counts.package_blocked)),
    ]
}

/// Whether the package was taken and nothing in it waits for the user.
pub(super) fn is_sound(loaded: &Loaded) -> bool {
    let is_clear = match &loaded.outcome {
        Outcome::Already(_, counts) | Outcome::Taken(counts) => counts.doubtful == 0,
        Outcome::Rejected | Outcome::Foreign | Outcome::ThirdFile => false,
    };
    is_clear && loaded.verdict < Verdict::Errors
}
