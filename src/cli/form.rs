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
use crate::texts::layout::wrapped;
use crate::texts::{Coded as _, ErrorClass, Key};
use crate::timings::{self, Phase};
use crate::values::{Date, Month};
use crate::watch::Watch as _;
use crate::workspace::{FormEvent, FormPlan, FormRequest, Formed, Group, LeftOut, NamedCase, Problem, Tables, Why};

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
            let FormPlan { groups, left } = workspace.form_plan(&request)?;
            for group in &groups {
                print(&(group_line(group, workspace.tables(), ui) + "\n"))?;
            }
            left.iter().for_each(|part| left_out(part, ui));
            return if groups.is_empty() { Err(Failure::said(ErrorClass::Nothing, Key::FormNothing, &[])) } else { Ok(exit(&left)) };
        }
        let bar = ui.bar().timed(self.timings);
        let done = with_tools(session, &self.control, |tools, filter| {
            let lock = timings::span(bar.timings(), Phase::Lock);
            let (workspace, actor) = self.place.open_write("form", session, &bar)?;
            let mut workspace = workspace.timed(bar.timings());
            drop(lock);
            let mut plan = workspace.form_plan(&request)?;
            let mut done = Done::default();
            let operation = session.operation(&actor, &bar);
            let mut tries = TRIES;
            loop {
                match workspace.form(&operation, plan.groups, date, tools, filter, &mut |event, tables| done.take(event, tables, ui)) {
                    // Another program has taken some of the cases: the plan is made anew from those that are left.
                    Err(Problem::Overtaken(_)) if tries > 1 => plan = workspace.form_plan(&request)?,
                    ended => break ended?,
                }
                tries -= 1;
            }
            workspace.close();
            plan.left.retain(|part| !matches!(&part.why, Why::Held(number) if done.formed.contains(number)));
            done.exit = done.exit.max(exit(&plan.left));
            Ok((done, plan.left))
        });
        bar.done();
        super::timings::tell(bar.timings(), ui);
        let (Done { formed, exit, printed }, left) = done?;
        printed?;
        for part in left.iter().filter(|part| !ui.quiet || is_named(&part.why)) {
            left_out(part, ui);
        }
        match (formed.is_empty(), exit) {
            (true, Exit::Done) => return Err(Failure::said(ErrorClass::Nothing, Key::FormNothing, &[])),
            (true, _) => {}
            (false, _) if ui.quiet => {}
            (false, _) => say(&ui.texts.fill(Key::FormNext, ui.lang, &[("numbers", &formed.join(" "))])),
        }
        Ok(exit)
    }
}

/// What was formed, and how the command ends.
struct Done {
    /// Numbers of the registries.
    formed: Vec<String>,
    exit: Exit,
    printed: Result<(), Failure>,
}

impl Default for Done {
    fn default() -> Self {
        Self { formed: Vec::new(), exit: Exit::Done, printed: Ok(()) }
    }
}

impl Done {
    /// Tells of a registry that was formed, or of what keeps cases out; the command goes on.
    fn take(&mut self, event: FormEvent<'_>, tables: &Tables, ui: &Ui<'_>) {
        match event {
            FormEvent::Formed(new) => {
                self.formed.push(new.registry.number.clone());
                if !ui.quiet && self.printed.is_ok() {
                    self.printed = tell(&formed_line(new, tables, ui));
                }
            }
            FormEvent::LeftOut(left, problem) => {
                self.exit = self.exit.max(Exit::Findings);
                left_out(left, ui);
                say(wrapped(&ui.texts.error(problem, ui.lang), 2).trim_end());
            }
            FormEvent::Failed(group, problem) => {
                self.exit = self.exit.max(problem.class().into());
                say(wrapped(&ui.texts.fill(Key::FormFailed, ui.lang, &[("group", &group_line(group, tables, ui))]), 0).trim_end());
                ui.complain(problem);
            }
        }
    }
}

/// How the command ends when these cases are left out: those that nothing has named before are errors of the data.
fn exit(left: &[LeftOut]) -> Exit {
    if left.iter().any(|part| is_named(&part.why)) { Exit::Findings } else { Exit::Done }
}

/// Whether cases left out for this reason are named one by one, because no command has said before that they are.
fn is_named(why: &Why) -> bool {
    matches!(why, Why::Unclear | Why::Payer | Why::Clinic | Why::Failed)
}

fn formed_line(formed: &Formed, tables: &Tables, ui: &Ui<'_>) -> String {
    let mut line = wrapped(&registry_line(&formed.registry, tables, ui), 0);
    if formed.left.cases > 0 {
        let cases = ui.texts.count(Key::CountCase, ui.lang, u64::try_from(formed.left.cases).unwrap_or(0));
        line += &wrapped(&ui.texts.fill(Key::FormRefused, ui.lang, &[("cases", &cases), ("sum", &ui.texts.money(ui.lang, formed.left.sum))]), 2);
    }
    if formed.differing > 0 {
        let cases = ui.texts.count(Key::CountCase, ui.lang, formed.differing);
        line += &wrapped(&ui.texts.fill(Key::FormAgain, ui.lang, &[("cases", &cases)]), 2);
    }
    line
}

fn group_line(group: &Group, tables: &Tables, ui: &Ui<'_>) -> String {
    let kind = tables.kinds.get(group.kind()).map_or(group.kind(), |k| k.title.get(ui.lang));
    let cases = ui.texts.count(Key::CountCase, ui.lang, group.cases() as u64);
    let payer = if group.payer().is_empty() { group.receiver() } else { group.payer() };
    format!("{} · {payer} · {kind} · {cases} · {}", group.mo(), ui.texts.money(ui.lang, group.sum))
}

/// Says which cases are left out, and why.
fn left_out(part: &LeftOut, ui: &Ui<'_>) {
    let (key, number) = match &part.why {
        Why::Blocked => (Key::FormBlocked, ""),
        Why::PackageBlocked => (Key::FormPackageBlocked, ""),
        Why::Question => (Key::FormQuestion, ""),
        Why::Waiting => (Key::FormWaiting, ""),
        Why::Refused => (Key::FormRefused, ""),
        Why::Aside => (Key::FormAside, ""),
        Why::Unclear => (Key::FormUnclear, ""),
        Why::Payer => (Key::FormPayer, ""),
        Why::Clinic => (Key::FormClinic, ""),
        Why::Failed => (Key::FormDropped, ""),
        Why::Held(number) => (Key::FormHeld, number.as_str()),
    };
    let cases = ui.texts.count(Key::CountCase, ui.lang, u64::try_from(part.cases).unwrap_or(0));
    let text = ui.texts.fill(key, ui.lang, &[("cases", &cases), ("sum", &ui.texts.money(ui.lang, part.sum)), ("number", number)]);
    say(wrapped(&text, 0).trim_end());
    for package in &part.packages {
        say(wrapped(package, 2).trim_end());
    }
    for NamedCase { package, n_zap, idcase, value } in &part.named {
        let key = if value.is_empty() { Key::FormCase } else { Key::FormCaseValue };
        let slots = [("package", &**package), ("n_zap", &n_zap.to_string()), ("idcase", &idcase.to_string()), ("value", value)];
        say(wrapped(&ui.texts.fill(key, ui.lang, &slots), 2).trim_end());
    }
    let more = u64::try_from(part.cases).unwrap_or(0).saturating_sub(part.named.len() as u64);
    if !part.named.is_empty() && more > 0 {
        say(wrapped(&ui.texts.fill(Key::FormMore, ui.lang, &[("cases", &ui.texts.count(Key::CountCase, ui.lang, more))]), 2).trim_end());
    }
}
