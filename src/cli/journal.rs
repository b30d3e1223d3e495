//! `puomp journal`: shows who did what, and verifies that the journal was not changed.

use std::fs;
use std::io::BufReader;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::flags::PlaceArgs;
use super::out::{columns, print, tell};
use super::session::Session;
use super::ui::Ui;
use super::workspace::words::time;
use super::{Exit, Failure};
use crate::sys::{Access, write_atomic};
use crate::workspace::journal::{Entry, JournalHead, JournalVerdict, verify, verify_against, verify_jsonl, write_jsonl};

/// Arguments of `puomp journal`.
#[derive(Debug, Args)]
pub(super) struct JournalArgs {
    /// Show only entries of this registry.
    #[arg(value_name = "REG")]
    registry: Option<String>,
    /// Verify the journal.
    #[arg(long)]
    verify: bool,
    /// File with a head that was exported earlier, to compare the journal with.
    #[arg(long, value_name = "FILE", requires = "verify")]
    against: Option<PathBuf>,
    /// File with an exported journal to verify instead of the workspace's.
    #[arg(long, value_name = "FILE", requires = "verify", conflicts_with = "registry")]
    file: Option<PathBuf>,
    /// Export the head.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["registry", "file"])]
    head: Option<PathBuf>,
    /// Form of the answer.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: FormatArg,
    #[command(flatten)]
    place: PlaceArgs,
}

/// The values of `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum FormatArg {
    /// For reading.
    #[default]
    Human,
    /// One entry a line: the export.
    Jsonl,
}

impl JournalArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let Session { ui, .. } = *session;
        let head = match &self.against {
            Some(path) => Some(self.import(path)?),
            None => None,
        };
        if let Some(path) = &self.file {
            let file = fs::File::open(path).map_err(|e| Failure::Read(path.clone(), e))?;
            let verdict = verify_jsonl(BufReader::new(file), head.as_ref()).map_err(|e| Failure::Read(path.clone(), e))?;
            return self.verdict(&verdict, ui);
        }
        let mut workspace = self.place.open_read(session)?;
        if self.verify {
            let entries = workspace.journal(None)?;
            workspace.close();
            let verdict = head.map_or_else(|| verify(&entries), |head| verify_against(&entries, &head));
            return self.verdict(&verdict, ui);
        }
        if let Some(path) = &self.head {
            let entries = workspace.journal(None)?;
            workspace.close();
            let text = JournalHead::of(&entries, &session.moment().to_string()).export();
            write_atomic(path, Access::Default, text.as_bytes()).map_err(|e| Failure::Write(path.clone(), e))?;
            return Ok(Exit::Done);
        }
        let number = match &self.registry {
            Some(name) => Some(workspace.registry(name)?.number),
            None => None,
        };
        let entries = workspace.journal(number.as_deref())?;
        match self.format {
            FormatArg::Human => print(&table(&entries, ui))?,
            FormatArg::Jsonl => {
                let mut bytes = Vec::new();
                write_jsonl(&mut bytes, &entries)?;
                print(&String::from_utf8_lossy(&bytes))?;
            }
        }
        workspace.close();
        Ok(Exit::Done)
    }

    fn import(&self, path: &std::path::Path) -> Result<JournalHead, Failure> {
        let bytes = fs::read(path).map_err(|e| Failure::Read(path.to_owned(), e))?;
        JournalHead::import(&path.display().to_string(), &bytes).map_err(Failure::of)
    }

    fn verdict(&self, verdict: &JournalVerdict, ui: &Ui<'_>) -> Result<Exit, Failure> {
        let lines = verdict.text(ui.texts, ui.lang);
        if !ui.quiet || !verdict.is_sound() {
            tell(&(lines.join("\n") + "\n"))?;
        }
        Ok(if verdict.is_sound() { Exit::Done } else { Exit::Findings })
    }
}

fn table(entries: &[Entry], ui: &Ui<'_>) -> String {
    let row = |e: &Entry| {
        let d = &e.draft;
        let moved = [d.before.as_str(), d.after.as_str()].join(" → ");
        let moved = if d.before.is_empty() && d.after.is_empty() { String::new() } else { moved };
        vec![
            e.seq.to_string(),
            time(&d.at, ui),
            format!("{}@{}", d.user, d.host),
            d.role.clone(),
            d.action.clone(),
            d.registry.clone(),
            d.subject.clone(),
            moved,
        ]
    };
    columns(&entries.iter().map(row).collect::<Vec<_>>())
}
