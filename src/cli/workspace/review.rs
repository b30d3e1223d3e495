//! `puomp review` and `puomp withdraw`: decisions of the payer, and of the clinic before them.

use std::path::PathBuf;

use clap::Args;

use super::super::config::Config;
use super::super::ui::{Ui, say};
use super::super::{Exit, Failure, print};
use super::status::registry_line;
use super::{PlaceArgs, failed};
use crate::report::Key;
use crate::tables::RuleFiles;
use crate::workspace::workflow::Move;
use crate::workspace::{Sanction, SanctionTrouble};

/// What `review` takes.
#[derive(Debug, Args)]
pub(in super::super) struct ReviewArgs {
    /// What the payer does.
    #[arg(value_name = "ACTION")]
    action: String,
    /// The registry.
    #[arg(value_name = "REG")]
    registry: String,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
    /// What is taken off.
    #[arg(long, value_name = "FILE")]
    sanctions: Option<PathBuf>,
    #[command(flatten)]
    place: PlaceArgs,
}

/// What `withdraw` takes.
#[derive(Debug, Args)]
pub(in super::super) struct WithdrawArgs {
    /// The registry.
    #[arg(value_name = "REG")]
    registry: String,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
    #[command(flatten)]
    place: PlaceArgs,
}

impl ReviewArgs {
    pub(in super::super) fn run(&self, config: &Config, files: &RuleFiles, ui: &Ui<'_>) -> Result<Exit, Failure> {
        let Some(by) = Move::find("review", &self.action) else {
            let known: Vec<&str> = Move::ALL.iter().filter(|m| m.verb() == "review").map(|m| m.action()).collect();
            return Err(Failure::Value(self.action.clone(), known.join(", ")));
        };
        let sanctions = match &self.sanctions {
            Some(path) => sanctions(path, ui)?,
            None => Vec::new(),
        };
        let source = self.sanctions.as_deref().and_then(|p| p.file_name()).map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let mut workspace = self.place.change("review", config, files, ui)?;
        for trouble in failed(workspace.sanction_troubles(&self.registry, &sanctions), ui)? {
            let (key, number, sum, all) = match trouble {
                SanctionTrouble::NoCase(number) => (Key::SanctionNoCase, number, 0, 0),
                SanctionTrouble::TooMuch(number, sum, all) => (Key::SanctionTooMuch, number, sum, all),
            };
            let money = |kopecks| ui.texts.money(ui.lang, kopecks);
            say(&ui.texts.fill(key, ui.lang, &[("file", &source), ("line", &(number + 1).to_string()), ("sum", &money(sum)), ("all", &money(all))]));
        }
        let decided = failed(workspace.review(&self.registry, by, &self.reason, &sanctions, &source), ui)?;
        if !ui.quiet {
            print(&registry_line(&decided.registry, workspace.tables(), ui))?;
            if !sanctions.is_empty() {
                let cases = ui.texts.count(Key::CountCase, ui.lang, decided.refused);
                print(&format!(
                    "  {}\n",
                    ui.texts.fill(Key::ReviewSanctions, ui.lang, &[("cases", &cases), ("sum", &ui.texts.money(ui.lang, decided.taken_off))])
                ))?;
            }
        }
        workspace.close();
        Ok(Exit::Done)
    }
}

impl WithdrawArgs {
    pub(in super::super) fn run(&self, config: &Config, files: &RuleFiles, ui: &Ui<'_>) -> Result<Exit, Failure> {
        let mut workspace = self.place.change("withdraw", config, files, ui)?;
        let registry = failed(workspace.withdraw(&self.registry, &self.reason), ui)?;
        if !ui.quiet {
            print(&registry_line(&registry, workspace.tables(), ui))?;
        }
        workspace.close();
        Ok(Exit::Done)
    }
}

/// Sanctions of a CSV file: `idcase`, `n_zap` or `sl_id`, then `code`, `sum` (roubles; empty: all) and `comment`.
fn sanctions(path: &std::path::Path, ui: &Ui<'_>) -> Result<Vec<Sanction>, Failure> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(|e| Failure::Read(path.to_owned(), e.into()))?;
    let bad = |line: u64, column: &str| {
        Failure::Verb(
            ui.texts.fill(Key::SanctionColumn, ui.lang, &[("file", &path.display().to_string()), ("line", &line.to_string()), ("column", column)]),
            Exit::Usage,
        )
    };
    let headers = reader.headers().map_err(|e| Failure::Read(path.to_owned(), e.into()))?.clone();
    let column = |name: &str| headers.iter().position(|h| h.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name));
    let (idcase, n_zap, sl_id) = (column("idcase"), column("n_zap"), column("sl_id"));
    let Some(code) = column("code").or_else(|| column("s_osn")) else { return Err(bad(1, "code")) };
    if idcase.or(n_zap).or(sl_id).is_none() {
        return Err(bad(1, "idcase"));
    }
    let (sum, comment) = (column("sum").or_else(|| column("s_sum")), column("comment").or_else(|| column("s_com")));
    let mut all = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| Failure::Read(path.to_owned(), e.into()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let value = |at: Option<usize>| at.and_then(|at| record.get(at)).filter(|v| !v.is_empty());
        let number = |at: Option<usize>, name: &str| value(at).map(|v| v.parse::<i64>().map_err(|_| bad(line, name))).transpose();
        let kopecks =
            value(sum).map(|v| crate::registry::format::value::kopecks(v.replace(',', ".").as_bytes()).ok_or_else(|| bad(line, "sum"))).transpose()?;
        all.push(Sanction {
            idcase: number(idcase, "idcase")?,
            n_zap: number(n_zap, "n_zap")?,
            sl_id: value(sl_id).map(str::to_owned),
            code: value(Some(code)).ok_or_else(|| bad(line, "code"))?.to_owned(),
            sum: kopecks,
            comment: value(comment).unwrap_or_default().to_owned(),
        });
    }
    Ok(all)
}
