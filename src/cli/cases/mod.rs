//! `puomp cases`: lists cases, tells the story of one, and takes cases back.

mod change;
mod line;
mod list;
mod story;

use clap::{Args, Subcommand};

use super::session::Session;
use super::{Exit, Failure};
use crate::cli::flags::PlaceArgs;
use crate::cli::workspace::{tell_unread, with_tools};
use crate::texts::{ErrorClass, Key};
use crate::workspace::{CaseId, Workspace};

pub(super) use line::{Shape, lines};

/// Arguments of `puomp cases`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct CasesArgs {
    #[command(subcommand)]
    change: Option<Change>,
    #[command(flatten)]
    list: list::ListArgs,
}

/// What can be done with cases.
#[derive(Debug, Subcommand)]
enum Change {
    /// They are not billed.
    Drop(change::ChangeArgs),
    /// They are set aside.
    Hold(change::ChangeArgs),
    /// They are again what they were.
    Release(change::ChangeArgs),
}

impl CasesArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        use crate::workspace::Taking;
        match &self.change {
            Some(Change::Drop(args)) => args.run(Taking::Drop, session),
            Some(Change::Hold(args)) => args.run(Taking::Hold, session),
            Some(Change::Release(args)) => args.run(Taking::Release, session),
            None => self.list.run(session),
        }
    }
}

/// Opens the workspace for reading; packages of which an earlier program remembered less are read again first.
fn open(place: &PlaceArgs, session: &Session<'_>) -> Result<Workspace, Failure> {
    let mut workspace = place.open_read(session)?;
    if !workspace.has_unread()? {
        return Ok(workspace);
    }
    workspace.close();
    let bar = session.ui.bar();
    let read = with_tools(session, &Default::default(), |tools, _| {
        let (mut workspace, actor) = place.open_write("cases", session, &bar)?;
        workspace.read_again(&session.operation(&actor, &bar), tools)?;
        tell_unread(&mut workspace, session.ui);
        workspace.close();
        Ok(())
    });
    bar.done();
    read?;
    place.open_read(session)
}

/// The one case that a user calls so.
fn one(workspace: &mut Workspace, name: &str, shape: &Shape<'_, '_>) -> Result<CaseId, Failure> {
    let mut found = workspace.called(name)?;
    match (found.pop(), found.is_empty()) {
        (None, _) => Err(Failure::said(ErrorClass::Usage, Key::CasesNone, &[("name", name)])),
        (Some(one), true) => Ok(one),
        (Some(last), false) => {
            found.push(last);
            let mut text = String::new();
            for case in found.iter().take(line::SHOWN) {
                text += &lines(&workspace.cases_with_ids(&case.mo, &[case.id])?, shape);
            }
            Err(Failure::said(ErrorClass::Usage, Key::CasesSeveral, &[("name", name), ("all", text.trim_end())]))
        }
    }
}
