//! `puomp review`: decisions of the payer.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::flags::PlaceArgs;
use super::out::print;
use super::session::Session;
use super::status::registry_line;
use super::ui::{Ui, say};
use super::workspace::failed;
use super::{Exit, Failure};
use crate::texts::Key;
use crate::workspace::workflow::Move;
use crate::workspace::{Sanction, SanctionColumns, SanctionFault, SanctionTrouble};

/// What `review` takes.
#[derive(Debug, Args)]
pub(super) struct ReviewArgs {
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

impl ReviewArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { ui, .. } = *session;
        let Some(by) = Move::find("review", &self.action) else {
            let known: Vec<&str> = Move::ALL.iter().filter(|m| m.verb() == "review").map(|m| m.action()).collect();
            return Err(Failure::Value(self.action.clone(), known.join(", ")));
        };
        let sanctions = match &self.sanctions {
            Some(path) => sanctions(path, session)?,
            None => Vec::new(),
        };
        let source = self.sanctions.as_deref().and_then(|p| p.file_name()).map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let mut workspace = self.place.change("review", session)?;
        for trouble in failed(workspace.sanction_troubles(&self.registry, &sanctions), ui)? {
            let (key, line, sum, all) = match trouble {
                SanctionTrouble::NoCase(line) => (Key::SanctionNoCase, line, 0, 0),
                SanctionTrouble::TooMuch(line, sum, all) => (Key::SanctionTooMuch, line, sum, all),
            };
            let money = |kopecks| ui.texts.money(ui.lang, kopecks);
            say(&ui.texts.fill(key, ui.lang, &[("file", &source), ("line", &line.to_string()), ("sum", &money(sum)), ("all", &money(all))]));
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

/// Sanctions of a file, or everything that is wrong with it.
fn sanctions(path: &Path, session: &Session<'_>) -> Result<Vec<Sanction>, Failure> {
    let Session { files, ui, .. } = *session;
    let columns = SanctionColumns::load(files)?;
    let unread = |error| Failure::Read(path.to_owned(), error);
    let mut bytes = Vec::new();
    fs::File::open(path).and_then(|file| file.take(SanctionColumns::LARGEST + 1).read_to_end(&mut bytes)).map_err(unread)?;
    columns.read(&bytes).map_err(|faults| {
        let name = path.display().to_string();
        let lines: Vec<String> = faults.iter().map(|fault| told(*fault, &columns, &name, ui)).collect();
        Failure::Verb(lines.join("\n"), Exit::Usage)
    })
}

/// A fault of a file of sanctions.
fn told(fault: SanctionFault, columns: &SanctionColumns, file: &str, ui: &Ui<'_>) -> String {
    let fill = |key, slots: &[(&str, &str)]| ui.texts.fill(key, ui.lang, &[&[("file", file)], slots].concat());
    let place =
        |key, line: u64, column| fill(key, &[("line", &line.to_string()), ("column", columns.name(column, ui.lang)), ("due", columns.due(column, ui.lang))]);
    match fault {
        SanctionFault::TooLarge => fill(Key::SanctionTooLarge, &[("limit", &(SanctionColumns::LARGEST >> 20).to_string())]),
        SanctionFault::NotText => fill(Key::SanctionNotText, &[]),
        SanctionFault::Empty => fill(Key::SanctionEmpty, &[]),
        SanctionFault::NoColumn(line, column) => place(Key::SanctionColumn, line, column),
        SanctionFault::Twice(line, column) => place(Key::SanctionTwice, line, column),
        SanctionFault::Cells(line, found, due) => {
            fill(Key::SanctionCells, &[("line", &line.to_string()), ("found", &found.to_string()), ("due", &due.to_string())])
        }
        SanctionFault::Value(line, column) => place(Key::SanctionValue, line, column),
    }
}
