//! `puomp form`: cases become registries.

use clap::Args;

use super::flags::{ControlArgs, PlaceArgs};
use super::out::print;
use super::session::Session;
use super::status::registry_line;
use super::ui::{Ui, say};
use super::workspace::{failed, with_means};
use super::{Exit, Failure};
use crate::texts::Key;
use crate::values::{Date, Month};
use crate::workspace::{FormRequest, Group, LeftOut, Registry, Tables, Why};

/// What `form` takes.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["period", "again", "cancel"])))]
pub(super) struct FormArgs {
    /// Reporting month.
    #[arg(long, value_name = "YYYY-MM")]
    period: Option<Month>,
    /// Only for this insurer.
    #[arg(long, value_name = "CODE", requires = "period")]
    payer: Option<String>,
    /// Only this kind of care.
    #[arg(long, value_name = "KIND", requires = "period")]
    kind: Option<String>,
    /// Only this subdivision.
    #[arg(long, value_name = "CODE", requires = "period")]
    subdivision: Option<String>,
    /// Only this clinic.
    #[arg(long, value_name = "CODE", requires = "period")]
    mo: Option<String>,
    /// Date of the account.
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with = "cancel")]
    date: Option<String>,
    /// Only show.
    #[arg(long, requires = "period")]
    dry_run: bool,
    /// Form this one anew.
    #[arg(long, value_name = "REG")]
    again: Option<String>,
    /// Give this one up.
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
        if let Some(date) = &self.date
            && Date::parse(date).is_none()
        {
            return Err(Failure::Value(date.clone(), "YYYY-MM-DD".to_owned()));
        }
        match (&self.cancel, &self.again, self.period) {
            (Some(name), ..) => {
                let mut workspace = self.place.change("form --cancel", session)?;
                let registry = failed(workspace.form_cancel(name), ui)?;
                if !ui.quiet {
                    print(&registry_line(&registry, workspace.tables(), ui))?;
                }
                workspace.close();
                Ok(Exit::Done)
            }
            (_, Some(name), _) => self.again(name, session),
            (.., Some(period)) => self.fresh(period, session),
            // clap asks for one of the three.
            _ => Ok(Exit::Usage),
        }
    }

    fn again(&self, name: &str, session: &Session<'_>) -> Result<Exit, Failure> {
        let ui = session.ui;
        let bar = ui.bar();
        let registry = with_means(session, &self.control, &bar, |means, judge| {
            let mut workspace = self.place.change("form --again", session)?;
            let registry = failed(workspace.form_again(name, self.date.as_deref(), means, judge), ui)?;
            let line = registry_line(&registry, workspace.tables(), ui);
            workspace.close();
            Ok(line)
        });
        bar.done();
        let line = registry?;
        if !ui.quiet {
            print(&line)?;
        }
        Ok(Exit::Done)
    }

    fn fresh(&self, period: Month, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { files, ui, .. } = *session;
        let tables = Tables::load(files)?;
        if let Some(kind) = &self.kind
            && tables.kinds.get(kind).is_none()
        {
            return Err(Failure::Value(kind.clone(), tables.kinds.ids().collect::<Vec<_>>().join(", ")));
        }
        let request = FormRequest { period, payer: self.payer.clone(), kind: self.kind.clone(), subdivision: self.subdivision.clone(), mo: self.mo.clone() };
        if self.dry_run {
            let mut workspace = self.place.look(session)?;
            let (groups, left) = failed(workspace.form_plan(&request), ui)?;
            for group in &groups {
                print(&group_line(group, workspace.tables(), ui))?;
            }
            left_out(&left, ui);
            return if groups.is_empty() { Err(Failure::Verb(ui.texts.get(Key::FormNothing, ui.lang).to_owned(), Exit::Nothing)) } else { Ok(Exit::Done) };
        }
        let bar = ui.bar();
        let formed = with_means(session, &self.control, &bar, |means, judge| {
            let mut workspace = self.place.change("form", session)?;
            let (groups, left) = failed(workspace.form_plan(&request), ui)?;
            let mut formed = Vec::new();
            let mut printed = Ok(());
            let mut told = |registry: &Registry, tables: &Tables| {
                formed.push(registry.number.clone());
                if !ui.quiet && printed.is_ok() {
                    printed = print(&registry_line(registry, tables, ui));
                }
            };
            let done = workspace.form(&groups, period, self.date.as_deref(), means, judge, &mut told);
            failed(done, ui)?;
            printed?;
            workspace.close();
            Ok((formed, left))
        });
        bar.done();
        let (formed, left) = formed?;
        if !ui.quiet {
            left_out(&left, ui);
        }
        if formed.is_empty() {
            return Err(Failure::Verb(ui.texts.get(Key::FormNothing, ui.lang).to_owned(), Exit::Nothing));
        }
        if !ui.quiet {
            say(&ui.texts.fill(Key::FormNext, ui.lang, &[("numbers", &formed.join(" "))]));
        }
        Ok(Exit::Done)
    }
}

fn group_line(group: &Group, tables: &Tables, ui: &Ui<'_>) -> String {
    let kind = tables.kinds.get(group.kind()).map_or(group.kind(), |k| k.title.get(ui.lang));
    let cases = ui.texts.count(Key::CountCase, ui.lang, group.cases() as u64);
    format!("{} · {} · {kind} · {cases} · {}\n", group.mo(), group.payer(), ui.texts.money(ui.lang, group.sum))
}

/// What stays out, and why.
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
