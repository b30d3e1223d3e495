//! `puomp status`: shows the registries, since when each has its status, and who must act now.

mod overview;

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use clap::Args;

use super::flags::{PlaceArgs, TableShape};
use super::out::{self, Target, print};
use super::session::Session;
use super::ui::Ui;
use super::workspace::sanctions::{OfSanction, sanction, sanction_cell, sanctions, without_numbers};
use super::workspace::words::moment;
use super::{Exit, Failure, stop};
use crate::api::status as api;
use crate::cases::CaseState;
use crate::report::columns::{Columns, fields};
use crate::report::xlsx::{self, Cell};
use crate::sys::Access;
use crate::tables::{RuleFiles, TableError};
use crate::texts::layout::{columns, fit};
use crate::texts::{ErrorClass, Key};
use crate::values::{Date, Month, money};
use crate::workspace::journal::Entry;
use crate::workspace::{CaseSanction, Registry, Stock, Tables, Workspace};

/// Arguments of `puomp status`.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Show only this registry.
    #[arg(value_name = "REG")]
    registry: Option<String>,
    /// Only this month.
    #[arg(long, value_name = "YYYY-MM")]
    period: Option<Month>,
    /// Only this insurer.
    #[arg(long, value_name = "CODE")]
    payer: Option<String>,
    /// Only in this status.
    #[arg(long, value_name = "STATUS")]
    state: Option<String>,
    /// Show what was done with the registry, and by whom.
    #[arg(long, requires = "registry")]
    history: bool,
    /// Show the status again whenever it changes.
    #[arg(long, conflicts_with = "history")]
    watch: bool,
    /// Form of the answer.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: TableShape,
    /// Where the answer goes instead of standard output.
    #[arg(long, short, value_name = "FILE", conflicts_with = "watch")]
    output: Option<PathBuf>,
    #[command(flatten)]
    place: PlaceArgs,
}

fields!(
    /// The columns of a registry.
    OfRegistry,
    "status",
    "registries",
    Number,
    Status,
    Since,
    Acts,
    Revision,
    Period,
    Mo,
    Payer,
    Kind,
    Subdivision,
    Cases,
    Persons,
    Sum,
    AcceptedCases,
    AcceptedSum,
    File,
    FormedAt,
    SentAt,
    AccountDate
);
fields!(
    /// The columns of cases outside registries.
    OfStock,
    "status",
    "stock",
    Period,
    Mo,
    Payer,
    Kind,
    Cases,
    Sum,
    State
);
fields!(
    /// The columns of a journal entry.
    OfEntry,
    "status",
    "history",
    At,
    User,
    Role,
    Action,
    After,
    Reason
);
/// The columns of all lists.
struct Lists {
    registries: Columns<OfRegistry>,
    stock: Columns<OfStock>,
    history: Columns<OfEntry>,
    sanctions: Columns<OfSanction>,
}

impl Lists {
    fn load(files: &RuleFiles) -> Result<Self, TableError> {
        Ok(Self { registries: Columns::load(files)?, stock: Columns::load(files)?, history: Columns::load(files)?, sanctions: Columns::load(files)? })
    }
}

/// How often `--watch` reads the store.
const PAUSE: Duration = Duration::from_secs(2);

/// Everything that a status shows.
#[derive(PartialEq, Eq)]
struct Seen {
    registries: Vec<Registry>,
    stock: Vec<Stock>,
    history: Vec<Entry>,
    sanctions: Vec<CaseSanction>,
    /// Why the registry that was asked for has its status, if a reason was given.
    reason: String,
}

impl StatusArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { files, ui, .. } = *session;
        if self.needs_file(io::stdout().is_terminal()) {
            return Err(Failure::said(ErrorClass::Usage, Key::XlsxNeedsFile, &[]));
        }
        let lists = Lists::load(files)?;
        let mut workspace = self.place.open_read(session)?;
        let mut seen = self.see(&mut workspace, session)?;
        self.show(&seen, &lists, workspace.tables(), ui)?;
        if self.watch {
            loop {
                stop::at_once()?;
                thread::sleep(PAUSE);
                let now = self.see(&mut workspace, session)?;
                if now != seen {
                    seen = now;
                    print("\n")?;
                    self.show(&seen, &lists, workspace.tables(), ui)?;
                }
            }
        }
        workspace.close();
        Ok(Exit::Done)
    }

    fn see(&self, workspace: &mut Workspace, session: &Session<'_>) -> Result<Seen, Failure> {
        if let Some(name) = &self.registry {
            let registry = workspace.registry(name)?;
            let entries = workspace.journal(Some(&registry))?;
            let last = entries.iter().rev().find(|e| !e.draft.after.is_empty()).filter(|e| e.draft.after == registry.status);
            let reason = last.map(reason).unwrap_or_default();
            let sanctions = workspace.sanctions(&registry)?;
            let history = if self.history { entries } else { Vec::new() };
            return Ok(Seen { registries: vec![registry], stock: Vec::new(), history, sanctions, reason });
        }
        let status = match &self.state {
            None => None,
            Some(word) => {
                let workflow = &workspace.tables().workflow;
                let known = || workflow.statuses().iter().map(|s| format!("{} ({})", s.id, s.name.get(session.ui.lang))).collect::<Vec<_>>().join(", ");
                Some(workflow.status_called(word).map(|s| s.id.clone()).ok_or_else(|| Failure::Value(word.clone(), known()))?)
            }
        };
        let period = self.period.map(|p| p.to_string());
        let asked = |p: &str, payer: &str| period.as_ref().is_none_or(|w| w == p) && self.payer.as_ref().is_none_or(|w| w == payer);
        let mut registries = workspace.registries()?;
        registries.retain(|r| asked(&r.period, &r.payer) && status.as_ref().is_none_or(|s| *s == r.status));
        let mut stock = if status.is_some() { Vec::new() } else { workspace.stock()? };
        stock.retain(|s| asked(&s.period, &s.payer));
        Ok(Seen { registries, stock, history: Vec::new(), sanctions: Vec::new(), reason: String::new() })
    }

    /// Whether the answer is a workbook that would be printed on a terminal or repeated by `--watch`.
    fn needs_file(&self, to_terminal: bool) -> bool {
        self.format == TableShape::Xlsx && self.output.is_none() && (to_terminal || self.watch)
    }

    fn show(&self, seen: &Seen, lists: &Lists, tables: &Tables, ui: &Ui<'_>) -> Result<(), Failure> {
        let answer = match self.format {
            TableShape::Human => {
                let mut text = human(seen, self.registry.is_some().then_some(self.history), lists, tables, ui);
                if text.is_empty() {
                    text = match self.period {
                        Some(month) if self.payer.is_none() && self.state.is_none() => {
                            ui.texts.fill(Key::StatusNoneMonth, ui.lang, &[("month", &ui.texts.month(ui.lang, month))])
                        }
                        None if self.payer.is_none() && self.state.is_none() => ui.texts.get(Key::StatusEmpty, ui.lang).to_owned(),
                        _ => ui.texts.get(Key::StatusNone, ui.lang).to_owned(),
                    } + "\n";
                }
                fit(&text).into_bytes()
            }
            TableShape::Json => {
                let registries = seen.registries.iter().map(|r| row(r, tables, ui)).collect();
                let cases = seen.stock.iter().map(stock_row).collect();
                let history = seen.history.iter().map(step).collect();
                let sanctions = seen.sanctions.iter().map(sanction).collect();
                out::json_bytes(&api::Status { registries, cases, history, sanctions })?
            }
            TableShape::Csv => out::csv_bytes(&lists.registries, ui.lang, &seen.registries, |field, r| plain(field, r, tables, ui)).map_err(Failure::Stream)?,
            TableShape::Xlsx => self.xlsx(seen, lists, tables, ui).map_err(Failure::Stream)?,
        };
        let mut target = Target::new(self.output.as_deref(), Access::Default, None)?;
        target.write_all(&answer)?;
        target.commit()
    }

    /// The answer as a workbook: registries, then the cases outside registries or the history of the registry.
    fn xlsx(&self, seen: &Seen, lists: &Lists, tables: &Tables, ui: &Ui<'_>) -> io::Result<Vec<u8>> {
        let name = |key| ui.texts.get(key, ui.lang);
        let mut sheets = vec![lists.registries.sheet(name(Key::StatusSheet), &seen.registries, ui.lang, |field, r| cell(field, r, tables, ui))];
        if !seen.stock.is_empty() {
            sheets.push(lists.stock.sheet(name(Key::StatusSheetStock), &seen.stock, ui.lang, |field, s| stock_cell(field, s, tables, ui)));
        }
        if !seen.sanctions.is_empty() {
            sheets.push(lists.sanctions.sheet(name(Key::StatusSheetSanctions), &seen.sanctions, ui.lang, sanction_cell));
        }
        if self.history {
            sheets.push(lists.history.sheet(name(Key::StatusSheetHistory), &seen.history, ui.lang, |field, e| entry_cell(field, e, tables, ui)));
        }
        xlsx::workbook(&sheets, ui.texts, ui.lang)
    }
}

/// The text in a column of a registry, in the form of the JSON answer. Sums are roubles with the decimal sign of the language, with which
/// Excel can calculate.
fn plain(field: OfRegistry, r: &Registry, tables: &Tables, ui: &Ui<'_>) -> String {
    let money = |kopecks| money(kopecks).replace('.', ui.texts.get(Key::NumberPoint, ui.lang));
    match field {
        OfRegistry::Number => r.number.clone(),
        OfRegistry::Status => r.status.clone(),
        OfRegistry::Since => r.since.clone(),
        OfRegistry::Acts => tables.workflow.status(&r.status).map_or_else(String::new, |s| s.acts.join(" ")),
        OfRegistry::Revision => r.revision.to_string(),
        OfRegistry::Period => r.period.clone(),
        OfRegistry::Mo => r.mo.clone(),
        OfRegistry::Payer => r.payer.clone(),
        OfRegistry::Kind => r.kind.clone(),
        OfRegistry::Subdivision => r.subdivision.clone(),
        OfRegistry::Cases => r.cases.to_string(),
        OfRegistry::Persons => r.persons.to_string(),
        OfRegistry::Sum => money(r.sum),
        OfRegistry::AcceptedCases => r.accepted_cases.to_string(),
        OfRegistry::AcceptedSum => money(r.accepted_sum),
        OfRegistry::File => r.file_name.clone(),
        OfRegistry::FormedAt => r.formed_at.clone(),
        OfRegistry::SentAt => r.sent_at.clone(),
        OfRegistry::AccountDate => r.account_date.clone(),
    }
}

/// The cell in a column of a registry, for people.
fn cell(field: OfRegistry, r: &Registry, tables: &Tables, ui: &Ui<'_>) -> Cell {
    let status = tables.workflow.status(&r.status);
    match field {
        OfRegistry::Status => Cell::Text(status.map_or(r.status.as_str(), |s| s.name.get(ui.lang)).to_owned()),
        OfRegistry::Acts => Cell::Text(status.map_or_else(String::new, |s| tables.workflow.role_names(&s.acts, ui.lang))),
        OfRegistry::Kind => Cell::Text(kind(&r.kind, tables, ui)),
        OfRegistry::Period => month(&r.period),
        OfRegistry::Since => moment(&r.since, ui),
        OfRegistry::FormedAt => moment(&r.formed_at, ui),
        OfRegistry::SentAt => moment(&r.sent_at, ui),
        OfRegistry::AccountDate => Date::parse(&r.account_date).map_or_else(|| Cell::Text(r.account_date.clone()), Cell::Day),
        OfRegistry::Revision => Cell::Count(r.revision),
        OfRegistry::Cases => Cell::Count(r.cases),
        OfRegistry::Persons => Cell::Count(r.persons),
        OfRegistry::AcceptedCases => Cell::Count(r.accepted_cases),
        OfRegistry::Sum => Cell::Money(r.sum),
        OfRegistry::AcceptedSum => Cell::Money(r.accepted_sum),
        OfRegistry::Number | OfRegistry::Mo | OfRegistry::Payer | OfRegistry::Subdivision | OfRegistry::File => Cell::Text(plain(field, r, tables, ui)),
    }
}

fn stock_cell(field: OfStock, s: &Stock, tables: &Tables, ui: &Ui<'_>) -> Cell {
    match field {
        OfStock::Period => month(&s.period),
        OfStock::Mo => Cell::Text(s.mo.clone()),
        OfStock::Payer => Cell::Text(s.payer.clone()),
        OfStock::Kind => Cell::Text(kind(&s.kind, tables, ui)),
        OfStock::Cases => Cell::Count(s.cases),
        OfStock::Sum => Cell::Money(s.sum),
        OfStock::State => Cell::Text(ui.texts.get(state_key(s), ui.lang).to_owned()),
    }
}

fn entry_cell(field: OfEntry, e: &Entry, tables: &Tables, ui: &Ui<'_>) -> Cell {
    let d = &e.draft;
    let name = |id: &str| tables.workflow.status(id).map_or(id, |s| s.name.get(ui.lang)).to_owned();
    match field {
        OfEntry::At => moment(&d.at, ui),
        OfEntry::User => Cell::Text(format!("{}@{}", d.user, d.host)),
        OfEntry::Role => Cell::Text(tables.workflow.role(&d.role).map_or(d.role.as_str(), |r| r.name.get(ui.lang)).to_owned()),
        OfEntry::Action => Cell::Text(action_name(&d.action, tables, ui)),
        OfEntry::After => Cell::Text(name(&d.after)),
        OfEntry::Reason => Cell::Text(reason(e)),
    }
}

/// The name of what an entry of the journal records: a move of the workflow, or another change.
pub(super) fn action_name(action: &str, tables: &Tables, ui: &Ui<'_>) -> String {
    let by_workflow = tables.workflow.transition(action).map(|t| t.text.get(ui.lang));
    by_workflow.or_else(|| Key::of_action(action).map(|key| ui.texts.get(key, ui.lang))).unwrap_or(action).to_owned()
}

/// The reason that was given for a move; empty for none.
fn reason(entry: &Entry) -> String {
    let details: serde_json::Value = serde_json::from_str(&entry.draft.details).unwrap_or_default();
    without_numbers(details["reason"].as_str().unwrap_or_default())
}

fn month(period: &str) -> Cell {
    period.parse().map_or_else(|_| Cell::Text(period.to_owned()), Cell::Month)
}

fn row(r: &Registry, tables: &Tables, ui: &Ui<'_>) -> api::Registry {
    let status = tables.workflow.status(&r.status);
    api::Registry {
        number: r.number.clone(),
        status: r.status.clone(),
        status_name: status.map_or_else(String::new, |s| s.name.get(ui.lang).to_owned()),
        since: r.since.clone(),
        acts: status.map_or_else(Vec::new, |s| s.acts.clone()),
        revision: r.revision,
        period: r.period.clone(),
        mo: r.mo.clone(),
        payer: r.payer.clone(),
        receiver: r.receiver.clone(),
        kind: r.kind.clone(),
        subdivision: r.subdivision.clone(),
        family: r.family.clone(),
        edition: r.edition.clone(),
        account_date: r.account_date.clone(),
        file: r.file_name.clone(),
        cases: r.cases,
        persons: r.persons,
        sum_kopecks: r.sum,
        accepted_cases: r.accepted_cases,
        accepted_sum_kopecks: r.accepted_sum,
        formed_at: r.formed_at.clone(),
        sent_at: r.sent_at.clone(),
    }
}

fn stock_row(s: &Stock) -> api::Stock {
    api::Stock {
        period: s.period.clone(),
        mo: s.mo.clone(),
        payer: s.payer.clone(),
        kind: s.kind.clone(),
        state: s.state.as_str().to_owned(),
        blocked: s.blocked,
        cases: s.cases,
        sum_kopecks: s.sum,
    }
}

fn step(e: &Entry) -> api::Step {
    let d = &e.draft;
    api::Step {
        seq: e.seq,
        at: d.at.clone(),
        user: d.user.clone(),
        host: d.host.clone(),
        role: d.role.clone(),
        action: d.action.clone(),
        before: d.before.clone(),
        after: d.after.clone(),
        details: d.details.clone(),
    }
}

/// `of_one`: whether all is to be shown of the one registry that was asked for.
fn human(seen: &Seen, of_one: Option<bool>, lists: &Lists, tables: &Tables, ui: &Ui<'_>) -> String {
    let mut out = String::new();
    if let Some(all) = of_one {
        for registry in &seen.registries {
            out += &registry_line(registry, tables, ui);
            out += &details(registry, &seen.reason, tables, ui);
        }
        if !seen.sanctions.is_empty() {
            out.push('\n');
            let revision = seen.registries.first().map_or(0, |registry| registry.revision);
            out += &sanctions(&seen.sanctions, if all { None } else { Some(revision) }, &lists.sanctions, ui);
        }
        if !seen.history.is_empty() {
            out.push('\n');
            out += &history(&seen.history, lists, tables, ui);
        }
        return out;
    }
    overview::human(seen, lists, tables, ui)
}

fn state_key(stock: &Stock) -> Key {
    match stock.state {
        CaseState::Waiting => Key::StatusWaiting,
        CaseState::Refused => Key::StatusRefused,
        CaseState::Question => Key::StatusQuestion,
        CaseState::Aside => Key::StatusAside,
        _ if stock.blocked => Key::StatusBlocked,
        _ => Key::StatusFree,
    }
}

fn kind(id: &str, tables: &Tables, ui: &Ui<'_>) -> String {
    tables.kinds.get(id).map_or(id, |k| k.title.get(ui.lang)).to_owned()
}

fn details(r: &Registry, reason: &str, tables: &Tables, ui: &Ui<'_>) -> String {
    let status = tables.workflow.status(&r.status);
    let acts = status.map(|s| tables.workflow.role_names(&s.acts, ui.lang)).filter(|a| !a.is_empty());
    let mut out = String::new();
    if let Some(status) = status {
        out += &format!("  {}\n", status.text.get(ui.lang));
    }
    if !reason.is_empty() {
        out += &format!("  {}\n", ui.texts.fill(Key::StatusReason, ui.lang, &[("reason", reason)]));
    }
    if let Some(acts) = acts {
        out += &format!("  {}\n", ui.texts.fill(Key::StatusActs, ui.lang, &[("who", &acts)]));
    }
    if r.accepted_cases > 0 {
        let cases = ui.texts.count(Key::CountCase, ui.lang, u64::try_from(r.accepted_cases).unwrap_or(0));
        out += &format!("  {}\n", ui.texts.fill(Key::StatusAccepted, ui.lang, &[("cases", &cases), ("sum", &ui.texts.money(ui.lang, r.accepted_sum))]));
    }
    for next in tables.workflow.possible(Some(&r.status), None) {
        out += &format!(
            "  → {} ({}): {}\n",
            next.text.get(ui.lang),
            tables.workflow.role_names(&next.roles, ui.lang),
            tables.workflow.command(next, Some(&r.number), ui.lang)
        );
    }
    out
}

fn history(entries: &[Entry], lists: &Lists, tables: &Tables, ui: &Ui<'_>) -> String {
    let row = |e: &Entry| lists.history.iter().map(|c| xlsx::shown(&entry_cell(c.field, e, tables, ui), ui.texts, ui.lang)).collect();
    columns(&entries.iter().map(row).collect::<Vec<_>>())
}

/// The line about a registry for people.
pub(super) fn registry_line(r: &Registry, tables: &Tables, ui: &Ui<'_>) -> String {
    let status = tables.workflow.status(&r.status).map_or(r.status.as_str(), |s| s.name.get(ui.lang));
    let month = r.period.parse::<Month>().map_or_else(|_| r.period.clone(), |m| ui.texts.month(ui.lang, m));
    let cases = ui.texts.count(Key::CountCase, ui.lang, u64::try_from(r.cases).unwrap_or(0));
    let slots = [
        ("number", r.number.as_str()),
        ("file", &r.file_name),
        ("month", &month),
        ("payer", if r.payer.is_empty() { &r.receiver } else { &r.payer }),
        ("kind", &kind(&r.kind, tables, ui)),
        ("cases", &cases),
        ("sum", &ui.texts.money(ui.lang, r.sum)),
        ("status", status),
    ];
    ui.texts.fill(Key::StatusLine, ui.lang, &slots) + "\n"
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        status: StatusArgs,
    }

    #[test]
    fn a_workbook_goes_to_a_file_or_to_a_program() {
        for (line, on_screen, in_pipe) in [
            ("status --format xlsx", true, false),
            ("status --format xlsx --watch", true, true),
            ("status --format xlsx -o a.xlsx", false, false),
            ("status --format csv --watch", false, false),
        ] {
            let status = Line::parse_from(line.split(' ')).status;
            assert_eq!((status.needs_file(true), status.needs_file(false)), (on_screen, in_pipe), "{line}");
        }
        assert!(Line::try_parse_from("status --watch -o a.xlsx".split(' ')).is_err());
    }
}
