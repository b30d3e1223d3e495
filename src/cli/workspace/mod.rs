//! Shared parts of the verbs that work on a workspace: its place, the actor, the tools of control and forming.

pub(super) mod sanctions;
pub(super) mod words;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::control::judge;
use super::flags::{ControlArgs, PlaceArgs};
use super::say::say;
use super::session::Session;
use super::settings::Origin;
use super::stop::ByUser;
use super::tools::Tools;
use super::ui::Ui;
use super::{Failure, who};
use crate::flk::{self, PackageReport};
use crate::forming::Former;
use crate::registry::package::Input;
use crate::report::Hidden;
use crate::sys;
use crate::texts::{ErrorClass, Key};
use crate::watch::Watch;
use crate::workspace::{self, Actor, FindingFilter, Migrated, Opening, Place, Restored, StoreCopy, Tables, Workspace};

/// The longest wait for another program, seconds; a longer one is cut to this.
const LONGEST: f64 = 86_400.0;

impl PlaceArgs {
    /// Address of the store; `None` for the file in the workspace.
    pub(super) fn store(&self, session: &Session<'_>) -> Option<String> {
        session.settings.store(self.store.as_deref()).map(|store| store.value)
    }

    fn place(&self, session: &Session<'_>) -> Result<Place, Failure> {
        Ok(Place::find(session.settings.here(), self.store(session).as_deref())?)
    }

    /// Opens the workspace for reading. The watch can end the wait for another program.
    pub(super) fn open_read(&self, session: &Session<'_>) -> Result<Workspace, Failure> {
        let tables = Tables::load(session.files)?;
        // A role that does not exist is an error even if the verb does not use it.
        let actor = session.actor(self.role.as_deref(), &tables)?;
        let watch = ByUser::new();
        let mut workspace = self.opening("read", session, &actor, &watch, |opening| Ok(Workspace::open_read(self.place(session)?, tables, opening)?))?;
        tell_migrated(workspace.migrated(), session);
        Ok(workspace)
    }

    /// Opens the workspace for a change, and returns the actor. Programs that wait meanwhile show `command`. The watch can end the wait for
    /// another program.
    pub(super) fn open_write(&self, command: &str, session: &Session<'_>, watch: &dyn Watch) -> Result<(Workspace, Actor), Failure> {
        let tables = Tables::load(session.files)?;
        let actor = session.actor(self.role.as_deref(), &tables)?;
        let mut workspace = self.opening(command, session, &actor, watch, |opening| Ok(Workspace::open_write(self.place(session)?, tables, opening)?))?;
        tell_migrated(workspace.migrated(), session);
        if let Some(problem) = workspace.unplaced() {
            session.ui.complain(&Failure::from(problem));
        }
        Ok((workspace, actor))
    }

    /// Makes a folder a workspace; returns whether it was none.
    pub(super) fn init(&self, root: PathBuf, session: &Session<'_>) -> Result<bool, Failure> {
        let tables = Tables::load(session.files)?;
        let actor = session.actor(self.role.as_deref(), &tables)?;
        let place = Place { root, store: self.store(session) };
        let made = self.opening("init", session, &actor, &ByUser::new(), |opening| Ok(place.init(opening)?))?;
        tell_migrated(made.migrated, session);
        Ok(made.is_new)
    }

    /// Makes a folder a workspace with the content of a backup. A store that the configuration around the current folder names is not that of the new
    /// workspace.
    pub(super) fn restore(&self, file: &Path, folder: &Path, session: &Session<'_>) -> Result<Restored, Failure> {
        let tables = Tables::load(session.files)?;
        let actor = session.actor(self.role.as_deref(), &tables)?;
        let store = session.settings.store(self.store.as_deref()).filter(|store| !matches!(store.origin, Origin::File(_))).map(|store| store.value);
        let mut restored =
            self.opening("restore", session, &actor, &ByUser::new(), |opening| Ok(workspace::restore(file, folder, store.as_deref(), opening)?))?;
        tell_migrated(restored.migrated.take(), session);
        Ok(restored)
    }

    fn opening<T>(
        &self,
        command: &str,
        session: &Session<'_>,
        actor: &Actor,
        watch: &dyn Watch,
        open: impl FnOnce(&Opening<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let wait = Duration::from_secs_f64(if self.wait.is_finite() { self.wait.clamp(0.0, LONGEST) } else { 0.0 });
        let holder = who::holder(actor, command, session.moment());
        open(&Opening { operation: session.operation(actor, watch), wait, holder: &holder })
    }
}

/// Says that the store of an older program was brought up to date.
fn tell_migrated(migrated: Option<Migrated>, session: &Session<'_>) {
    let Some(Migrated { from, to, copy }) = migrated else { return };
    let ui = session.ui;
    let copy = match copy {
        StoreCopy::File(path) => shown(&path),
        StoreCopy::Schema(schema) => format!("PostgreSQL, schema {schema}"),
    };
    say(&ui.texts.fill(Key::WorkspaceMigrated, ui.lang, &[("from", &from.to_string()), ("to", &to.to_string()), ("copy", &copy)]));
}

/// Says of which packages less is known than this program reads.
pub(super) fn tell_unread(workspace: &mut Workspace, ui: &Ui<'_>) {
    for name in workspace.unread() {
        say(&ui.texts.fill(Key::CasesUnread, ui.lang, &[("name", &name)]));
    }
}

/// Makes the tools of control and forming and calls `work` with them.
pub(super) fn with_tools<T>(
    session: &Session<'_>,
    control: &ControlArgs,
    work: impl FnOnce(workspace::Tools<'_>, FindingFilter<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let tools = Tools::load(session, control)?;
    let checker = tools.checker()?;
    let former = Former::load(session.files, &tools.formats, &tools.catalog)?;
    let config = flk::Config::on(session.today());
    let for_workspace = workspace::Tools { checker: &checker, catalog: &tools.catalog, formats: &tools.formats, former: &former, config: &config };
    let mut hidden = Hidden::default();
    work(for_workspace, &mut |report: &mut PackageReport| judge(&mut hidden, report, &tools.control, None, &tools.catalog))
}

/// A path as shown to the user: relative to the current folder when it lies there.
pub(super) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    match path.strip_prefix(&here) {
        Ok(inner) if inner.as_os_str().is_empty() => ".".to_owned(),
        inner => sys::shown(inner.unwrap_or(path)),
    }
}

/// The kept files of the packages in the workspace, as inputs.
pub(super) fn loaded(session: &Session<'_>) -> Result<Vec<Input>, Failure> {
    let place = PlaceArgs::default();
    if place.place(session).is_err() {
        return Err(Failure::said(ErrorClass::Usage, Key::ValidateNoPath, &[]));
    }
    let mut workspace = place.open_read(session)?;
    let files = workspace.kept_files()?;
    workspace.close();
    Ok(files.into_iter().map(Input::kept).collect())
}
