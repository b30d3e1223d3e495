//! `puomp form`: forms registries from cases.

use clap::Args;

use super::flags::{ControlArgs, PlaceArgs};
use super::out::{print, tell};
use super::say::say;
use super::session::Session;
use super::status::registry_line;
use super::stop::ByUser;
use super::ui::Ui;
use super::workspace::with_tools;
use super::{Exit, Failure};
use crate::texts::{ErrorClass, Key};
use crate::timings::{self, Phase};
use crate::values::{Date, Month};
use crate::watch::Watch as _;
use crate::workspace::{FormRequest, Formed, Group, LeftOut, Problem, Tables, Why};

/// How often registries are planned when other programs form from the same cases.
const TRIES: usize = 8;

/// Arguments of `puomp form`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["period", "again", "cancel"])))]
pub(super) struct FormArgs {
    /// Reporting month.
    #[arg(long, value_name = "YYYY-MM")]
    period: Option<Month>,
    /// Only for this insurer.
    #[arg(long, value_name = "CODE", requires = "period", conflicts_with_all = ["again", "cancel"])]
    payer: Option<String>,
    /// Only this kind of care.
    #[arg(long, value_name = "KIND", requires = "period", conflicts_with_all = ["again", "cancel"])]
    kind: Option<String>,
    /// Only this subdivision.
    #[arg(long, value_name = "CODE", requires = "period", conflicts_with_all = ["again", "cancel"])]
    subdivision: Option<String>,
    /// Only this clinic.
    #[arg(long, value_name = "CODE", requires = "period", conflicts_with_all = ["again", "cancel"])]
    mo: Option<String>,
    /// Date of the account.
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with = "cancel")]
    date: Option<String>,
    /// Show the plan without forming.
    #[arg(long, requires = "period", conflicts_with_all = ["again", "cancel"])]
    dry_run: bool,
    /// Show how long each phase took.
    #[arg(long, conflicts_with_all = ["cancel", "dry_run"])]
    timings: bool,
    /// Form this registry again.
    #[arg(long, value_name = "REG")]
    again: Option<String>,
    /// Cancel this registry.
    #[arg(long, value_name = "REG")]
    cancel: Option<String>,
    #[command(flatten)]
    control: ControlArgs,
    #[command(flatten)]
    place: PlaceArgs,
}

impl FormArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { ui, .. } = *session;
        let wrong = |text: &String| Failure::Value(text.clone(), "YYYY-MM-DD".to_owned());
        let date = self.date.as_ref().map(|text| Date::parse(text).ok_or_else(|| wrong(text))).transpose()?;
        match (&self.cancel, &self.again, self.period) {
            (Some(name), ..) => {
                let watch = ByUser::new();
                let (mut workspace, actor) = self.place.open_write("form --cancel", session, &watch)?;
                let registry = workspace.form_cancel(&session.operation(&actor, &watch), name)?;
                if !ui.quiet {
                    tell(&registry_line(&registry, workspace.tables(), ui))?;
                }
                workspace.close();
                Ok(Exit::Done)
            }
            (_, Some(name), _) => self.again(name, date, session),
            (.., Some(period)) => self.fresh(period, date, session),
            // clap requires one of the three.
            _ => Ok(Exit::Usage),
        }
    }

    fn again(&self, name: &str, date: Option<Date>, session: &Session<'_>) -> Result<Exit, Failure> {
        let ui = session.ui;
        let bar = ui.bar().timed(self.timings);
        let registry = with_tools(session, &self.control, |tools, filter| {
            let lock = timings::span(bar.timings(), Phase::Lock);
            let (workspace, actor) = self.place.open_write("form --again", session, &bar)?;
            let mut workspace = workspace.timed(bar.timings());
            drop(lock);
            let formed = workspace.form_again(&session.operation(&actor, &bar), name, date, tools, filter)?;
            let line = formed_line(&formed, workspace.tables(), ui);
            workspace.close();
            Ok(line)
        });
        bar.done();
        super::timings::tell(bar.timings(), ui);
        let line = registry?;
        if !ui.quiet {
            tell(&line)?;
        }
        Ok(Exit::Done)
    }

    fn fresh(&self, period: Month, date: Option<Date>, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { files, ui, .. } = *session;
        let tables = Tables::load(files)?;
        if let Some(kind) = &self.kind
            && tables.kinds.get(kind).is_none()
        {
            return Err(Failure::Value(kind.clone(), tables.kinds.ids().collect::<Vec<_>>().join(", ")));
        }
        let request = FormRequest { period, payer: self.payer.clone(), kind: self.kind.clone(), subdivision: self.subdivision.clone(), mo: self.mo.clone() };
        if self.dry_run {
            let mut workspace = self.place.open_read(session)?;
            let (groups, left) = workspace.form_plan(&request)?;
            for group in &groups {
                print(&group_line(group, workspace.tables(), ui))?;
            }
            left_out(&left, ui);
            return if groups.is_empty() { Err(Failure::said(ErrorClass::Nothing, Key::FormNothing, &[])) } else { Ok(Exit::Done) };
        }
        let bar = ui.bar().timed(self.timings);
        let formed = with_tools(session, &self.control, |tools, filter| {
            let lock = timings::span(bar.timings(), Phase::Lock);
            let (workspace, actor) = self.place.open_write("form", session, &bar)?;
            let mut workspace = workspace.timed(bar.timings());
            drop(lock);
            let (mut groups, mut left) = workspace.form_plan(&request)?;
            let mut formed = Vec::new();
            let mut printed = Ok(());
            let mut on_formed = |new: &Formed, tables: &Tables| {
                formed.push(new.registry.number.clone());
                if !ui.quiet && printed.is_ok() {
                    printed = tell(&formed_line(new, tables, ui));
                }
            };
            let operation = session.operation(&actor, &bar);
            let mut tries = TRIES;
            loop {
                match workspace.form(&operation, &groups, date, tools, filter, &mut on_formed) {
                    // Another program has taken some of the cases: the plan is made anew from those that are left.
                    Err(Problem::Overtaken(_)) if tries > 1 => (groups, left) = workspace.form_plan(&request)?,
                    done => break done?,
                }
                tries -= 1;
            }
            printed?;
            workspace.close();
            left.retain(|part| !matches!(&part.why, Why::Held(number) if formed.contains(number)));
            Ok((formed, left))
        });
        bar.done();
        super::timings::tell(bar.timings(), ui);
        let (formed, left) = formed?;
        if !ui.quiet {
            left_out(&left, ui);
        }
        if formed.is_empty() {
            return Err(Failure::said(ErrorClass::Nothing, Key::FormNothing, &[]));
        }
        if !ui.quiet {
            say(&ui.texts.fill(Key::FormNext, ui.lang, &[("numbers", &formed.join(" "))]));
        }
        Ok(Exit::Done)
    }
}

fn formed_line(formed: &Formed, tables: &Tables, ui: &Ui<'_>) -> String {
    let mut line = registry_line(&formed.registry, tables, ui);
    if formed.differing > 0 {
        let cases = ui.texts.count(Key::CountCase, ui.lang, formed.differing);
        line += &format!("  {}\n", ui.texts.fill(Key::FormAgain, ui.lang, &[("cases", &cases)]));
    }
    line
}

fn group_line(group: &Group, tables: &Tables, ui: &Ui<'_>) -> String {
    let kind = tables.kinds.get(group.kind()).map_or(group.kind(), |k| k.title.get(ui.lang));
    let cases = ui.texts.count(Key::CountCase, ui.lang, group.cases() as u64);
    format!("{} · {} · {kind} · {cases} · {}\n", group.mo(), group.payer(), ui.texts.money(ui.lang, group.sum))
}

/// Prints which cases are left out, and why.
fn left_out(left: &[LeftOut], ui: &Ui<'_>) {
    for part in left {
        let (key, number) = match &part.why {
            Why::Blocked => (Key::FormBlocked, ""),
            Why::Question => (Key::FormQuestion, ""),
            Why::Waiting => (Key::FormWaiting, ""),
            Why::Refused => (Key::FormRefused, ""),
            Why::Unclear => (Key::FormUnclear, ""),
            Why::Held(number) => (Key::FormHeld, number.as_str()),
        };
        let cases = ui.texts.count(Key::CountCase, ui.lang, u64::try_from(part.cases).unwrap_or(0));
        say(&ui.texts.fill(key, ui.lang, &[("cases", &cases), ("sum", &ui.texts.money(ui.lang, part.sum)), ("number", number)]));
    }
}
