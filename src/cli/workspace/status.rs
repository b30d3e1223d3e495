//! `puomp status`: what stands where, since when, and who must act now.

use std::thread;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::super::config::Config;
use super::super::nsi::columns;
use super::super::ui::Ui;
use super::super::{Exit, Failure, nsi, print};
use super::words::time;
use super::{PlaceArgs, failed};
use crate::registry::month::Month;
use crate::report::Key;
use crate::tables::RuleFiles;
use crate::workspace::journal::Entry;
use crate::workspace::{Registry, Stock, Tables, Workspace, case_state};

/// What `status` takes.
#[derive(Debug, Args)]
pub(in super::super) struct StatusArgs {
    /// One registry.
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
    /// What was done, and by whom.
    #[arg(long, requires = "registry")]
    history: bool,
    /// Again and again.
    #[arg(long, conflicts_with = "history")]
    watch: bool,
    /// Form of the answer.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: FormatArg,
    #[command(flatten)]
    place: PlaceArgs,
}

/// Forms of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum FormatArg {
    /// For reading.
    #[default]
    Human,
    /// For programs.
    Json,
    /// For tables.
    Csv,
}

/// How often `--watch` looks.
const PAUSE: Duration = Duration::from_secs(2);

/// A registry as machines read it.
#[derive(Serialize)]
struct RegistryRow<'r> {
    number: &'r str,
    status: &'r str,
    status_name: &'r str,
    since: &'r str,
    acts: &'r [String],
    revision: i64,
    period: &'r str,
    mo: &'r str,
    payer: &'r str,
    receiver: &'r str,
    kind: &'r str,
    subdivision: &'r str,
    family: &'r str,
    edition: &'r str,
    account_date: &'r str,
    file: &'r str,
    cases: i64,
    persons: i64,
    sum_kopecks: i64,
    accepted_cases: i64,
    accepted_sum_kopecks: i64,
    formed_at: &'r str,
    sent_at: &'r str,
}

/// Cases outside registries as machines read them.
#[derive(Serialize)]
struct StockRow<'s> {
    period: &'s str,
    mo: &'s str,
    payer: &'s str,
    kind: &'s str,
    state: &'s str,
    blocked: bool,
    cases: i64,
    sum_kopecks: i64,
}

#[derive(Serialize)]
struct Body<'b> {
    registries: Vec<RegistryRow<'b>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cases: Vec<StockRow<'b>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    history: Vec<HistoryRow<'b>>,
}

/// An entry of the journal as machines read it.
#[derive(Serialize)]
struct HistoryRow<'e> {
    seq: u64,
    at: &'e str,
    user: &'e str,
    host: &'e str,
    role: &'e str,
    action: &'e str,
    before: &'e str,
    after: &'e str,
    details: &'e str,
}

/// Everything that a status shows.
#[derive(PartialEq, Eq)]
struct Seen {
    registries: Vec<Registry>,
    stock: Vec<Stock>,
    history: Vec<Entry>,
}

impl StatusArgs {
    pub(in super::super) fn run(&self, config: &Config, files: &RuleFiles, ui: &Ui<'_>) -> Result<Exit, Failure> {
        let mut workspace = self.place.look(config, files, ui)?;
        let mut seen = self.see(&mut workspace, ui)?;
        self.show(&seen, workspace.tables(), ui)?;
        if self.watch {
            loop {
                thread::sleep(PAUSE);
                let now = self.see(&mut workspace, ui)?;
                if now != seen {
                    seen = now;
                    print("\n")?;
                    self.show(&seen, workspace.tables(), ui)?;
                }
            }
        }
        workspace.close();
        Ok(Exit::Done)
    }

    fn see(&self, workspace: &mut Workspace, ui: &Ui<'_>) -> Result<Seen, Failure> {
        if let Some(name) = &self.registry {
            let registry = failed(workspace.registry(name), ui)?;
            let history = if self.history { failed(workspace.journal(Some(&registry.number)), ui)? } else { Vec::new() };
            return Ok(Seen { registries: vec![registry], stock: Vec::new(), history });
        }
        let status = match &self.state {
            None => None,
            Some(word) => {
                let workflow = &workspace.tables().workflow;
                let known = || workflow.statuses().iter().map(|s| s.id.as_str()).collect::<Vec<_>>().join(", ");
                Some(workflow.status_called(word).map(|s| s.id.clone()).ok_or_else(|| Failure::Value(word.clone(), known()))?)
            }
        };
        let period = self.period.map(|p| p.to_string());
        let asked = |p: &str, payer: &str| period.as_ref().is_none_or(|w| w == p) && self.payer.as_ref().is_none_or(|w| w == payer);
        let mut registries = failed(workspace.registries(), ui)?;
        registries.retain(|r| asked(&r.period, &r.payer) && status.as_ref().is_none_or(|s| *s == r.status));
        let mut stock = if status.is_some() { Vec::new() } else { failed(workspace.stock(), ui)? };
        stock.retain(|s| asked(&s.period, &s.payer));
        Ok(Seen { registries, stock, history: Vec::new() })
    }

    fn show(&self, seen: &Seen, tables: &Tables, ui: &Ui<'_>) -> Result<(), Failure> {
        match self.format {
            FormatArg::Human => print(&human(seen, self.registry.is_some(), tables, ui)),
            FormatArg::Json => {
                let registries = seen.registries.iter().map(|r| row(r, tables, ui)).collect();
                let cases = seen.stock.iter().map(stock_row).collect();
                let history = seen.history.iter().map(history_row).collect();
                nsi::json(&Body { registries, cases, history })
            }
            FormatArg::Csv => {
                let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
                let head: Vec<&str> =
                    "number,status,since,acts,revision,period,mo,payer,kind,subdivision,cases,persons,sum,accepted_cases,accepted_sum,file,formed_at,sent_at"
                        .split(',')
                        .collect();
                let failed = |e: csv::Error| Failure::Stream(e.into());
                writer.write_record(&head).map_err(failed)?;
                for r in &seen.registries {
                    let acts = tables.workflow.status(&r.status).map_or_else(String::new, |s| s.acts.join(" "));
                    let money = |kopecks: i64| crate::registry::format::value::money(kopecks);
                    let cells = [
                        r.number.clone(),
                        r.status.clone(),
                        r.since.clone(),
                        acts,
                        r.revision.to_string(),
                        r.period.clone(),
                        r.mo.clone(),
                        r.payer.clone(),
                        r.kind.clone(),
                        r.subdivision.clone(),
                        r.cases.to_string(),
                        r.persons.to_string(),
                        money(r.sum),
                        r.accepted_cases.to_string(),
                        money(r.accepted_sum),
                        r.file_name.clone(),
                        r.formed_at.clone(),
                        r.sent_at.clone(),
                    ];
                    writer.write_record(&cells).map_err(failed)?;
                }
                let bytes = writer.into_inner().map_err(|e| Failure::Stream(e.into_error()))?;
                print(&String::from_utf8_lossy(&bytes))
            }
        }
    }
}

fn row<'r>(r: &'r Registry, tables: &'r Tables, ui: &Ui<'_>) -> RegistryRow<'r> {
    let status = tables.workflow.status(&r.status);
    RegistryRow {
        number: &r.number,
        status: &r.status,
        status_name: status.map_or("", |s| s.name.get(ui.lang)),
        since: &r.since,
        acts: status.map_or(&[], |s| &s.acts),
        revision: r.revision,
        period: &r.period,
        mo: &r.mo,
        payer: &r.payer,
        receiver: &r.receiver,
        kind: &r.kind,
        subdivision: &r.subdivision,
        family: &r.family,
        edition: &r.edition,
        account_date: &r.account_date,
        file: &r.file_name,
        cases: r.cases,
        persons: r.persons,
        sum_kopecks: r.sum,
        accepted_cases: r.accepted_cases,
        accepted_sum_kopecks: r.accepted_sum,
        formed_at: &r.formed_at,
        sent_at: &r.sent_at,
    }
}

fn stock_row(s: &Stock) -> StockRow<'_> {
    StockRow { period: &s.period, mo: &s.mo, payer: &s.payer, kind: &s.kind, state: &s.state, blocked: s.blocked, cases: s.cases, sum_kopecks: s.sum }
}

fn history_row(e: &Entry) -> HistoryRow<'_> {
    let d = &e.draft;
    HistoryRow {
        seq: e.seq,
        at: &d.at,
        user: &d.user,
        host: &d.host,
        role: &d.role,
        action: &d.action,
        before: &d.before,
        after: &d.after,
        details: &d.details,
    }
}

fn human(seen: &Seen, is_one: bool, tables: &Tables, ui: &Ui<'_>) -> String {
    let mut out = String::new();
    if is_one {
        for registry in &seen.registries {
            out += &registry_line(registry, tables, ui);
            out += &details(registry, tables, ui);
        }
        if !seen.history.is_empty() {
            out.push('\n');
            out += &history(&seen.history, tables, ui);
        }
        return out;
    }
    if !seen.registries.is_empty() {
        let head: Vec<String> = ui.texts.get(Key::StatusHead, ui.lang).split('|').map(str::to_owned).collect();
        let rows = seen.registries.iter().map(|r| {
            let status = tables.workflow.status(&r.status);
            vec![
                r.number.clone(),
                r.period.clone(),
                r.mo.clone(),
                r.payer.clone(),
                kind(&r.kind, tables, ui),
                ui.texts.number(ui.lang, u64::try_from(r.cases).unwrap_or(0)),
                ui.texts.money(ui.lang, r.sum),
                status.map_or(r.status.as_str(), |s| s.name.get(ui.lang)).to_owned(),
                time(&r.since, ui),
                status.map_or_else(String::new, |s| tables.workflow.role_names(&s.acts, ui.lang)),
            ]
        });
        out += &columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>());
    }
    if !seen.stock.is_empty() {
        if !out.is_empty() {
            out.push('\n');
        }
        out += &ui.texts.get(Key::StatusOutside, ui.lang).replace("\\n", "\n");
        out.push('\n');
        let rows: Vec<Vec<String>> = seen
            .stock
            .iter()
            .map(|s| {
                vec![
                    String::new(),
                    s.period.clone(),
                    s.mo.clone(),
                    s.payer.clone(),
                    kind(&s.kind, tables, ui),
                    ui.texts.count(Key::CountCase, ui.lang, u64::try_from(s.cases).unwrap_or(0)),
                    ui.texts.money(ui.lang, s.sum),
                    ui.texts.get(state_key(s), ui.lang).to_owned(),
                ]
            })
            .collect();
        out += &columns(&rows);
    }
    if out.is_empty() {
        out = ui.texts.get(Key::StatusEmpty, ui.lang).to_owned() + "\n";
    }
    out
}

fn state_key(stock: &Stock) -> Key {
    match stock.state.as_str() {
        case_state::WAITING => Key::StatusWaiting,
        case_state::REFUSED => Key::StatusRefused,
        case_state::QUESTION => Key::StatusQuestion,
        _ if stock.blocked => Key::StatusBlocked,
        _ => Key::StatusFree,
    }
}

fn kind(id: &str, tables: &Tables, ui: &Ui<'_>) -> String {
    tables.kinds.get(id).map_or(id, |k| k.title.get(ui.lang)).to_owned()
}

fn details(r: &Registry, tables: &Tables, ui: &Ui<'_>) -> String {
    let status = tables.workflow.status(&r.status);
    let acts = status.map(|s| tables.workflow.role_names(&s.acts, ui.lang)).filter(|a| !a.is_empty());
    let mut out = String::new();
    if let Some(status) = status {
        out += &format!("  {}\n", status.text.get(ui.lang));
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
            next.command.replace("{registry}", &r.number)
        );
    }
    out
}

fn history(entries: &[Entry], tables: &Tables, ui: &Ui<'_>) -> String {
    let name = |id: &str| tables.workflow.status(id).map_or(id, |s| s.name.get(ui.lang)).to_owned();
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|e| {
            let d = &e.draft;
            let what = tables.workflow.transition(&d.action).map_or(d.action.as_str(), |t| t.text.get(ui.lang)).to_owned();
            vec![
                time(&d.at, ui),
                format!("{}@{}", d.user, d.host),
                tables.workflow.role(&d.role).map_or(d.role.as_str(), |r| r.name.get(ui.lang)).to_owned(),
                what,
                name(&d.after),
            ]
        })
        .collect();
    columns(&rows)
}

/// A registry in one line.
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
