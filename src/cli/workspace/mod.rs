//! The verbs that work on a workspace: one file each.

mod columns;
mod form;
mod init;
mod journal;
mod load;
mod receive;
mod review;
mod status;
mod submit;
mod watch;
mod words;

use std::path::Path;
use std::time::Duration;

use clap::Args;

pub(super) use form::FormArgs;
pub(super) use init::InitArgs;
pub(super) use journal::JournalArgs;
pub(super) use load::LoadArgs;
pub(super) use receive::ReceiveArgs;
pub(super) use review::{ReviewArgs, WithdrawArgs};
pub(super) use status::StatusArgs;
pub(super) use submit::SubmitArgs;
pub(super) use watch::WatchArgs;
use words::problem;

use super::args::Cli;
use super::config::{Config, ControlArgs};
use super::tools::Tools;
use super::ui::{Bar, Ui};
use super::validate::judge;
use super::{Exit, Failure};
use crate::flk::{self, PackageReport};
use crate::forming::Former;
use crate::registry::package::Input;
use crate::report::{Hidden, Key};
use crate::sys;
use crate::tables::RuleFiles;
use crate::workspace::{Actor, Judge, Means, Place, Problem, Tables, Workspace};

/// Where the workspace is and who acts.
#[derive(Debug, Default, Clone, Args)]
pub(super) struct PlaceArgs {
    /// Address of the store.
    #[arg(long, value_name = "URL", env = "PUOMP_STORE", hide_env_values = true)]
    store: Option<String>,
    /// In which role.
    #[arg(long, value_name = "ROLE", env = "PUOMP_ROLE")]
    role: Option<String>,
    /// How long to wait for another program.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    wait: f64,
}

/// Longest wait, seconds: beyond it a number is a mistake.
const LONGEST: f64 = 86_400.0;

impl PlaceArgs {
    fn store(&self, config: &Config) -> Option<String> {
        let variable = || std::env::var("PUOMP_STORE").ok().filter(|v| !v.is_empty());
        self.store.clone().or_else(variable).or_else(|| config.store())
    }

    fn place(&self, config: &Config, ui: &Ui<'_>) -> Result<Place, Failure> {
        let here = std::env::current_dir().unwrap_or_default();
        Place::find(&here, self.store(config).as_deref()).map_err(|p| problem(p, ui))
    }

    fn actor(&self, config: &Config, tables: &Tables, ui: &Ui<'_>) -> Result<Actor, Failure> {
        let workflow = &tables.workflow;
        // Who names no role is the one who forms: the first of the table.
        let first = || workflow.roles().first().map_or_else(String::new, |r| r.id.clone());
        let role = self.role.clone().or_else(|| config.role()).unwrap_or_else(first);
        if workflow.role(&role).is_none() {
            let known: Vec<&str> = workflow.roles().iter().map(|r| r.id.as_str()).collect();
            return Err(Failure::Verb(ui.texts.fill(Key::UsageValue, ui.lang, &[("value", &role), ("allowed", &known.join(", "))]), Exit::Usage));
        }
        Ok(Actor::of_system(&role))
    }

    fn look(&self, config: &Config, files: &RuleFiles, ui: &Ui<'_>) -> Result<Workspace, Failure> {
        let tables = Tables::load(files)?;
        let actor = self.actor(config, &tables, ui)?;
        Workspace::look(self.place(config, ui)?, tables, actor).map_err(|p| problem(p, ui))
    }

    fn change(&self, command: &str, config: &Config, files: &RuleFiles, ui: &Ui<'_>) -> Result<Workspace, Failure> {
        let tables = Tables::load(files)?;
        let actor = self.actor(config, &tables, ui)?;
        let wait = Duration::from_secs_f64(if self.wait.is_finite() { self.wait.clamp(0.0, LONGEST) } else { 0.0 });
        Workspace::change(self.place(config, ui)?, tables, actor, wait, command).map_err(|p| problem(p, ui))
    }
}

/// Makes the tools of control and forming and hands them to a verb.
fn with_means<T>(
    cli: &Cli,
    config: &Config,
    files: &RuleFiles,
    ui: &Ui<'_>,
    control: &ControlArgs,
    bar: &Bar,
    work: impl FnOnce(Means<'_>, Judge<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let tools = Tools::load(cli, config, files, ui, control)?;
    let checker = tools.checker()?;
    let former = Former::load(files, &tools.formats, &tools.catalog)?;
    let settings = flk::Config::default();
    let means = Means { checker: &checker, catalog: &tools.catalog, formats: &tools.formats, former: &former, config: &settings, progress: bar };
    let mut hidden = Hidden::default();
    work(means, &mut |report: &mut PackageReport| judge(&mut hidden, report, &tools.control, None, &tools.catalog))
}

/// A path as the user sees it: from the folder that he is in, when it lies there.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    match path.strip_prefix(&here) {
        Ok(inner) if inner.as_os_str().is_empty() => ".".to_owned(),
        inner => sys::shown(inner.unwrap_or(path)),
    }
}

/// The failure of a workspace in the user's words.
fn failed<T>(result: Result<T, Problem>, ui: &Ui<'_>) -> Result<T, Failure> {
    result.map_err(|p| problem(p, ui))
}

/// The packages that the workspace holds, as they were loaded.
pub(super) fn loaded(config: &Config, files: &RuleFiles, ui: &Ui<'_>) -> Result<Vec<Input>, Failure> {
    let place = PlaceArgs::default();
    if place.place(config, ui).is_err() {
        return Err(Failure::Verb(ui.texts.get(Key::ValidateNoPath, ui.lang).to_owned(), Exit::Usage));
    }
    let mut workspace = place.look(config, files, ui)?;
    let files = failed(workspace.kept_files(), ui)?;
    workspace.close();
    Ok(files.into_iter().map(Input::named).collect())
}
