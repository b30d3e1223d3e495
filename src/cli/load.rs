//! `puomp load`: loads packages into the workspace.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::flags::{ControlArgs, PlaceArgs};
use super::inputs::inputs;
use super::out::tell;
use super::session::Session;
use super::ui::Ui;
use super::workspace::with_tools;
use super::workspace::words::time;
use super::{Exit, Failure};
use crate::registry::package::{Package, discover};
use crate::texts::Key;
use crate::timings::{self, Phase};
use crate::watch::Watch as _;
use crate::workspace::{CaseCounts, Doubt, Loaded, Outcome};

/// Arguments of `puomp load`.
#[derive(Debug, Args)]
pub(super) struct LoadArgs {
    /// Files, folders, wildcards, `-`.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
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
            let mut exit = Exit::Done;
            let mut rejected = 0;
            for package in &packages {
                let name = package.main.as_ref().or(package.persons.as_ref()).map_or_else(|| package.file.shown(), |m| m.file_name());
                let loaded = workspace.load(&session.operation(&actor, &bar), package, tools, doubt, filter)?;
                rejected += usize::from(loaded.outcome == Outcome::Rejected);
                if !is_sound(&loaded.outcome) {
                    exit = Exit::Findings;
                }
                if !ui.quiet || !is_sound(&loaded.outcome) || !loaded.repaired.is_empty() {
                    tell(&line(&name, &loaded, ui))?;
                }
            }
            workspace.close();
            Ok(if rejected == packages.len() { Exit::Input } else { exit })
        });
        bar.done();
        super::timings::tell(bar.timings(), ui);
        exit
    }
}

/// The lines about a loaded package: the result, and remarks about its cases.
pub(super) fn line(name: &str, loaded: &Loaded, ui: &Ui<'_>) -> String {
    let said = |key, slots: &[(&str, &str)]| ui.texts.fill(key, ui.lang, slots);
    let (text, counts) = match &loaded.outcome {
        Outcome::Already(at, counts) => (said(Key::LoadAlready, &[("time", &time(at, ui))]), Some(counts)),
        Outcome::Rejected => (said(Key::LoadRejected, &[("name", name)]), None),
        Outcome::Foreign => (said(Key::LoadForeign, &[]), None),
        Outcome::Taken(counts) => {
            let cases = counts.new + counts.replaced + counts.unchanged + counts.waiting + counts.doubtful;
            (said(Key::LoadTaken, &[("cases", &ui.texts.count(Key::CountCase, ui.lang, cases))]), Some(counts))
        }
    };
    let mut lines = format!("{name}: {text}\n");
    for file in &loaded.repaired {
        lines += &format!("  {}\n", said(Key::LoadRepaired, &[("file", file)]));
    }
    for (key, number) in counts.map(parts).unwrap_or_default() {
        if number > 0 {
            lines += &format!("  {}\n", said(key, &[("cases", &ui.texts.count(Key::CountCase, ui.lang, number)), ("name", name)]));
        }
    }
    lines
}

/// The counts that are reported when they are not 0.
fn parts(counts: &CaseCounts) -> Vec<(Key, u64)> {
    vec![
        (Key::LoadReplaced, counts.replaced),
        (Key::LoadUnchanged, counts.unchanged),
        (Key::LoadWaiting, counts.waiting),
        (Key::LoadDoubtful, counts.doubtful),
        (Key::LoadAgain, counts.unknown_again),
        (Key::LoadBlocked, counts.blocked),
        (Key::LoadPackageBlocked, u64::from(counts.package_blocked)),
    ]
}

pub(super) fn is_sound(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Already(_, counts) | Outcome::Taken(counts) => counts.blocked == 0 && counts.doubtful == 0 && !counts.package_blocked,
        Outcome::Rejected | Outcome::Foreign => false,
    }
}
