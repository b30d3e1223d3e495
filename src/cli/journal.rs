//! `puomp journal`: shows who did what, and verifies that the journal was not changed.

use std::collections::BTreeSet;
use std::io::BufReader;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::flags::PlaceArgs;
use super::out::{self, print, tell};
use super::session::Session;
use super::status::action_name;
use super::ui::Ui;
use super::workspace::words::time;
use super::{Exit, Failure};
use crate::sys::{Access, open_input, read_input, write_atomic};
use crate::texts::Key;
use crate::texts::layout::columns;
use crate::values::Moment;
use crate::workspace::Tables;
use crate::workspace::journal::{Chain, Entry, JournalHead, JournalVerdict, verify_jsonl, write_jsonl};

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
            let file = open_input(path).map_err(|e| Failure::Read(path.clone(), e))?;
            let verdict = verify_jsonl(BufReader::new(file), head.as_ref()).map_err(|e| Failure::Read(path.clone(), e))?;
            return self.verdict(&verdict, ui);
        }
        let mut workspace = self.place.open_read(session)?;
        if self.verify {
            let verified = workspace.verify(head.as_ref())?;
            workspace.close();
            let exit = self.verdict(&verified.journal, ui)?;
            if !verified.rows.is_empty() {
                let mut lines: Vec<String> = verified.rows.iter().map(|fault| ui.texts.error(fault, ui.lang)).collect();
                lines.push(ui.texts.get(Key::VerifyAdvice, ui.lang).to_owned());
                tell(&(lines.join("\n") + "\n"))?;
                return Ok(Exit::Findings);
            }
            if exit == Exit::Done && !ui.quiet {
                tell(&(ui.texts.get(Key::VerifySound, ui.lang).to_owned() + "\n"))?;
            }
            return Ok(exit);
        }
        if let Some(path) = &self.head {
            let entries = workspace.journal(None)?;
            workspace.close();
            let text = JournalHead::of(&entries, &session.moment().to_string()).export();
            write_atomic(path, Access::Default, text.as_bytes()).map_err(|e| Failure::Write(path.clone(), e))?;
            return Ok(Exit::Done);
        }
        let number = match &self.registry {
            Some(name) => Some(workspace.registry(name)?),
            None => None,
        };
        let entries = workspace.journal(number.as_ref())?;
        match self.format {
            FormatArg::Human => print(&columns(&rows(&entries, &named(workspace.tables(), ui))))?,
            FormatArg::Jsonl => {
                let mut bytes = Vec::new();
                write_jsonl(&mut bytes, &entries)?;
                out::bytes(&bytes)?;
            }
        }
        workspace.close();
        Ok(Exit::Done)
    }

    fn import(&self, path: &std::path::Path) -> Result<JournalHead, Failure> {
        let bytes = read_input(path).map_err(|e| Failure::Read(path.to_owned(), e))?;
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

/// How the words of an entry are shown.
struct Named<'n> {
    time: Box<dyn Fn(&str) -> String + 'n>,
    role: Box<dyn Fn(&str) -> String + 'n>,
    action: Box<dyn Fn(&str) -> String + 'n>,
    status: Box<dyn Fn(&str) -> String + 'n>,
}

/// The words in the language of the reader; one that the tables do not know stays as it is.
fn named<'n>(tables: &'n Tables, ui: &'n Ui<'n>) -> Named<'n> {
    let workflow = &tables.workflow;
    Named {
        time: Box::new(|at| time(at, ui)),
        role: Box::new(|id| workflow.role(id).map_or(id, |role| role.name.get(ui.lang)).to_owned()),
        action: Box::new(|id| action_name(id, tables, ui)),
        status: Box::new(|id| workflow.status(id).map_or(id, |status| status.name.get(ui.lang)).to_owned()),
    }
}

/// The rows of the list for people: entries in the order of time, without the daily ones, which only the program needs. An entry's number counts in
/// its chain, so the clinic's code stands before it where more than one clinic has entries.
fn rows(entries: &[Entry], named: &Named<'_>) -> Vec<Vec<String>> {
    let mut listed: Vec<&Entry> = entries.iter().filter(|e| e.chain != Chain::Days).collect();
    listed.sort_by_cached_key(|e| (e.draft.at.parse::<Moment>().ok(), &e.chain, e.seq));
    let clinics: BTreeSet<&Chain> = listed.iter().map(|e| &e.chain).filter(|chain| **chain != Chain::Old).collect();
    let row = |e: &&Entry| {
        let d = &e.draft;
        let statuses = [d.before.as_str(), d.after.as_str()].into_iter().filter(|status| !status.is_empty());
        let moved = statuses.map(|status| (named.status)(status)).collect::<Vec<_>>().join(" → ");
        let code = (clinics.len() > 1).then(|| e.chain.shown().into_owned());
        let (at, role, action) = ((named.time)(&d.at), (named.role)(&d.role), (named.action)(&d.action));
        let who = format!("{}@{}", d.user, d.host);
        let who = if role.is_empty() { who } else { format!("{who}, {role}") };
        let what = if moved.is_empty() { action } else { format!("{action}: {moved}") };
        let cells = [e.seq.to_string(), at, who, what, d.registry.clone(), d.subject.clone()];
        code.into_iter().chain(cells).collect()
    };
    listed.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::journal::{Digest, Draft};

    fn entry(chain: Chain, before: u64, at: &str) -> Entry {
        let draft = Draft { at: format!("2026-11-25T{at}Z"), user: "a".to_owned(), host: "b".to_owned(), ..Draft::default() };
        Entry::seal(chain, Some((before, Digest::NONE)), Digest::NONE, draft)
    }

    /// The words as the journal has them.
    fn bare() -> Named<'static> {
        let same = || Box::new(str::to_owned);
        Named { time: same(), role: same(), action: same(), status: same() }
    }

    fn firsts(entries: &[Entry], cells: usize) -> Vec<String> {
        rows(entries, &bare()).iter().map(|row| row[..cells].join(" ")).collect()
    }

    #[test]
    fn people_see_entries_in_the_order_of_time() {
        let clinic = |mo: &str| Chain::Clinic(mo.to_owned());
        let mut entries = vec![
            entry(Chain::Old, 0, "09:00:00.000"),
            entry(Chain::Old, 1, "10:00:00.000"),
            entry(Chain::Days, 0, "10:30:00.000"),
            entry(clinic("140001"), 0, "10:00:00.000"),
            // Written by a program with another precision of time, at the same moment as the one before.
            entry(clinic("140001"), 1, "10:00:00"),
            entry(clinic("140001"), 2, "12:00:00.000"),
        ];
        let due =
            ["1 2026-11-25T09:00:00.000Z", "2 2026-11-25T10:00:00.000Z", "1 2026-11-25T10:00:00.000Z", "2 2026-11-25T10:00:00Z", "3 2026-11-25T12:00:00.000Z"];
        assert_eq!(firsts(&entries, 2), due, "one clinic needs no code");
        entries.push(entry(clinic(""), 0, "11:00:00.000"));
        entries.push(entry(clinic("14\n"), 6, "11:00:00.000"));
        let due = [" 1", " 2", "140001 1", "140001 2", " 1", "14\u{fffd} 7", "140001 3"];
        assert_eq!(firsts(&entries, 2), due);
        assert_eq!(rows(&entries, &bare())[2][2..4], ["2026-11-25T10:00:00.000Z", "a@b"]);
    }
}
