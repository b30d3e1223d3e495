//! What `puomp load` takes back: a package (`--undo`), and cases that a complete export no longer has (`--complete`).

use std::io::{self, BufRead as _, IsTerminal as _};

use super::cases::{Shape, lines};
use super::flags::PlaceArgs;
use super::out::tell;
use super::say::say;
use super::session::Session;
use super::stop::ByUser;
use super::ui::Ui;
use super::workspace::words::time;
use super::{Exit, Failure};
use crate::sys::printable;
use crate::texts::{ErrorClass, Key};
use crate::values::Month;
use crate::workspace::{Absent, Operation, Present, Unloaded, Workspace};

/// Characters of a name that are shown.
const NAME: usize = 80;

/// Takes a package back.
pub(super) fn undo(name: &str, reason: &str, place: &PlaceArgs, session: &Session<'_>) -> Result<Exit, Failure> {
    let ui = session.ui;
    let watch = ByUser::new();
    let (mut workspace, actor) = place.open_write("load --undo", session, &watch)?;
    let mut found = workspace.packages_called(name)?;
    let package = match (found.pop(), found.is_empty()) {
        (None, _) => return Err(Failure::said(ErrorClass::Usage, Key::UndoNone, &[("name", name)])),
        (Some(one), true) => one,
        (Some(last), false) => {
            found.push(last);
            // The newest comes first: it is the one to be undone first.
            let all = found.iter().rev().map(|package| described(package, ui)).collect::<Vec<_>>().join("\n");
            return Err(Failure::said(ErrorClass::Usage, Key::UndoSeveral, &[("name", name), ("all", &all)]));
        }
    };
    let undone = workspace.undo_load(&session.operation(&actor, &watch), &package, reason)?;
    workspace.close();
    if ui.quiet {
        return Ok(Exit::Done);
    }
    let count = |number| ui.texts.count(Key::CountCase, ui.lang, number);
    let slots = [("name", &*package.name), ("cases", &count(undone.cases)), ("sum", &ui.texts.money(ui.lang, undone.sum))];
    let mut text = ui.texts.fill(Key::UndoDone, ui.lang, &slots) + "\n";
    if undone.restored > 0 {
        text += &format!("  {}\n", ui.texts.fill(Key::UndoRestored, ui.lang, &[("cases", &count(undone.restored))]));
    }
    tell(&text)?;
    Ok(Exit::Done)
}

fn described(package: &Unloaded, ui: &Ui<'_>) -> String {
    let cases = ui.texts.count(Key::CountCase, ui.lang, u64::try_from(package.cases).unwrap_or(0));
    format!("{}:{}  {}  {cases}", package.digest, printable(&package.name, NAME), time(&package.loaded_at, ui))
}

/// Drops the free cases of the months of these packages that the packages do not have, if the user agrees. Returns whether some were left.
pub(super) fn complete(
    workspace: &mut Workspace,
    operation: &Operation<'_>,
    packages: &[Present],
    agrees: bool,
    session: &Session<'_>,
) -> Result<bool, Failure> {
    let ui = session.ui;
    let absent = workspace.absent(packages)?;
    if absent.is_empty() {
        if !ui.quiet {
            say(ui.texts.get(Key::CompleteNone, ui.lang));
        }
        return Ok(false);
    }
    let mask = workspace.mask()?;
    let shape = Shape::new(session, workspace, &mask, false)?;
    let mut is_left = false;
    for month in &absent {
        tell(&format!("{}\n{}", said(month, Key::CompleteAbsent, ui), lines(&month.cases, &shape)))?;
        if agrees || asked(ui)? {
            workspace.drop_absent(operation, month, ui.texts.get(Key::CompleteReason, ui.lang))?;
            tell(&(said(month, Key::CompleteDropped, ui) + "\n"))?;
        } else {
            say(&said(month, Key::CompleteLeft, ui));
            is_left = true;
        }
    }
    Ok(is_left)
}

fn said(absent: &Absent, key: Key, ui: &Ui<'_>) -> String {
    let month = absent.period.parse::<Month>().map_or_else(|_| absent.period.clone(), |month| ui.texts.month(ui.lang, month));
    let sum: i64 = absent.cases.iter().map(|line| line.case.sum).sum();
    let cases = ui.texts.count(Key::CountCase, ui.lang, absent.cases.len() as u64);
    ui.texts.fill(
        key,
        ui.lang,
        &[("month", &month), ("cases", &cases), ("sum", &ui.texts.money(ui.lang, sum)), ("mo", &absent.mo), ("letters", &absent.letters)],
    )
}

/// Asks a person; nobody agrees where nobody is.
fn asked(ui: &Ui<'_>) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    say(ui.texts.get(Key::CompleteAsk, ui.lang));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(Failure::Stream)?;
    let answer = answer.trim().to_lowercase();
    Ok(ui.texts.get(Key::CompleteYes, ui.lang).split('|').any(|word| word == answer))
}
