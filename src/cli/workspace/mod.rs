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

use super::args::Cli;
use super::config::{Config, ControlArgs};
use super::tools::Tools;
use super::validate::judge;
use super::{Failure, who};
use crate::flk::{self, PackageReport};
use crate::forming::Former;
use crate::registry::package::Input;
use crate::report::Hidden;
use crate::tables::RuleFiles;
use crate::texts::{ErrorClass, Key};
use crate::workspace::{self, Actor, FindingFilter, Place, Tables, Workspace};

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

    fn place(&self, config: &Config) -> Result<Place, Failure> {
        let here = std::env::current_dir().unwrap_or_default();
        Ok(Place::find(&here, self.store(config).as_deref())?)
    }

    fn actor(&self, config: &Config, tables: &Tables) -> Result<Actor, Failure> {
        let workflow = &tables.workflow;
        // Who names no role is the one who forms: the first of the table.
        let first = || workflow.roles().first().map_or_else(String::new, |r| r.id.clone());
        let role = self.role.clone().or_else(|| config.role()).unwrap_or_else(first);
        if workflow.role(&role).is_none() {
            let known: Vec<&str> = workflow.roles().iter().map(|r| r.id.as_str()).collect();
            return Err(Failure::Value(role, known.join(", ")));
        }
        Ok(who::actor(&role))
    }

    fn look(&self, config: &Config, files: &RuleFiles) -> Result<Workspace, Failure> {
        let tables = Tables::load(files)?;
        // A role that does not exist is told whatever is done with it.
        self.actor(config, &tables)?;
        Ok(Workspace::open_read(self.place(config)?, tables)?)
    }

    /// The workspace, to be changed, and who does it.
    fn change(&self, command: &str, config: &Config, files: &RuleFiles) -> Result<(Workspace, Actor), Failure> {
        let tables = Tables::load(files)?;
        let actor = self.actor(config, &tables)?;
        let wait = Duration::from_secs_f64(if self.wait.is_finite() { self.wait.clamp(0.0, LONGEST) } else { 0.0 });
        let workspace = Workspace::open_write(self.place(config)?, tables, &who::holder(&actor, command), wait)?;
        Ok((workspace, actor))
    }
}

/// Makes the tools of control and forming and hands them to a verb.
fn with_tools<T>(
    cli: &Cli,
    config: &Config,
    files: &RuleFiles,
    control: &ControlArgs,
    work: impl FnOnce(workspace::Tools<'_>, FindingFilter<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let tools = Tools::load(cli, config, files, control)?;
    let checker = tools.checker()?;
    let former = Former::load(files, &tools.formats, &tools.catalog)?;
    let settings = flk::Config::default();
    let means = workspace::Tools { checker: &checker, catalog: &tools.catalog, formats: &tools.formats, former: &former, config: &settings };
    let mut hidden = Hidden::default();
    work(means, &mut |report: &mut PackageReport| judge(&mut hidden, report, &tools.control, None, &tools.catalog))
}

/// A path as the user sees it: from the folder that he is in, when it lies there.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    match path.strip_prefix(&here) {
        Ok(inner) if inner.as_os_str().is_empty() => ".".to_owned(),
        inner => inner.unwrap_or(path).display().to_string(),
    }
}

/// The packages that the workspace holds, as they were loaded.
pub(super) fn loaded(config: &Config, files: &RuleFiles) -> Result<Vec<Input>, Failure> {
    let place = PlaceArgs::default();
    if place.place(config).is_err() {
        return Err(Failure::said(ErrorClass::Usage, Key::ValidateNoPath, &[]));
    }
    let mut workspace = place.look(config, files)?;
    let files = workspace.kept_files()?;
    workspace.close();
    Ok(files.into_iter().map(Input::named).collect())
}
