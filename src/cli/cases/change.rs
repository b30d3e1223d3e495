//! `puomp cases drop`, `hold` and `release`.

use clap::Args;

use super::{Shape, lines, one};
use crate::cli::flags::PlaceArgs;
use crate::cli::out::tell;
use crate::cli::session::Session;
use crate::cli::stop::ByUser;
use crate::cli::{Exit, Failure};
use crate::texts::Key;
use crate::workspace::{CaseId, Taking};

/// Arguments of a change.
#[derive(Debug, Args)]
pub(super) struct ChangeArgs {
    /// The cases.
    #[arg(required = true, value_name = "CASE")]
    cases: Vec<String>,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
    /// Show personal numbers whole.
    #[arg(long)]
    show_personal: bool,
    #[command(flatten)]
    place: PlaceArgs,
}

impl ChangeArgs {
    pub(super) fn run(&self, taking: Taking, session: &Session<'_>) -> Result<Exit, Failure> {
        let ui = session.ui;
        let watch = ByUser::new();
        let (mut workspace, actor) = self.place.open_write(&format!("cases {}", taking.as_str()), session, &watch)?;
        let mask = workspace.mask()?;
        let shape = Shape::new(session, &workspace, &mask, self.show_personal)?;
        let mut cases: Vec<CaseId> = Vec::new();
        for name in &self.cases {
            let case = one(&mut workspace, name, &shape)?;
            if !cases.contains(&case) {
                cases.push(case);
            }
        }
        workspace.take_cases(&session.operation(&actor, &watch), &cases, taking, &self.reason)?;
        let mut text = String::new();
        for case in &cases {
            text += &lines(&workspace.cases_with_ids(&case.mo, &[case.id])?, &shape);
        }
        workspace.close();
        if ui.quiet {
            return Ok(Exit::Done);
        }
        let key = match taking {
            Taking::Drop => Key::CasesDropped,
            Taking::Hold => Key::CasesHeld,
            Taking::Release => Key::CasesReleased,
        };
        let count = ui.texts.count(Key::CountCase, ui.lang, cases.len() as u64);
        tell(&format!("{}\n{text}", ui.texts.fill(key, ui.lang, &[("cases", &count)])))?;
        Ok(Exit::Done)
    }
}
