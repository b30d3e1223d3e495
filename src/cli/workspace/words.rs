//! What the workspace says, in the user's language.

use super::super::failure::{reason, store_reason};
use super::super::ui::Ui;
use super::super::{Exit, Failure};
use super::shown;
use crate::finding::{Catalog, Slots};
use crate::forming::FormError;
use crate::report::xlsx::{self, Cell};
use crate::tables::RuleFiles;
use crate::texts::Key;
use crate::values::Date;
use crate::workspace::{AnswerError, Problem};

/// Text and exit code of a problem.
pub(in super::super) fn problem(problem: Problem, ui: &Ui<'_>) -> Failure {
    let fill = |key, slots: &[(&str, &str)]| ui.texts.fill(key, ui.lang, slots);
    let verb = |text, exit| Failure::Verb(text, exit);
    match problem {
        Problem::NoWorkspace(path) => verb(fill(Key::WorkspaceNone, &[("path", &path.display().to_string())]), Exit::Usage),
        Problem::NotReady(path) => verb(fill(Key::WorkspaceNotReady, &[("path", &path.display().to_string())]), Exit::Usage),
        Problem::Busy(who) => verb(fill(Key::WorkspaceBusy, &[("who", if who.is_empty() { "?" } else { &who })]), Exit::Busy),
        Problem::Io(path, error) => Failure::Write(path, error),
        Problem::Stream(error) | Problem::Runtime(error) => match Failure::from(error) {
            // A result that cannot be written is another matter.
            Failure::Stream(error) => verb(fill(Key::WorkspaceStream, &[("reason", &reason(&error, ui.texts, ui.lang))]), Exit::Usage),
            failure => failure,
        },
        Problem::Unplaced(number, path, cause) => {
            let reason = match *cause {
                Problem::Io(_, error) => reason(&error, ui.texts, ui.lang),
                Problem::Store(error) => store_reason(&error, ui.texts, ui.lang),
                other => other.to_string(),
            };
            verb(fill(Key::SubmitUnplaced, &[("number", &number), ("path", &shown(&path)), ("reason", &reason)]), Exit::Usage)
        }
        Problem::Store(error) => verb(fill(Key::WorkspaceStore, &[("reason", &store_reason(&error, ui.texts, ui.lang))]), Exit::Usage),
        Problem::Schema(error) => verb(fill(Key::WorkspaceSchema, &[("reason", &error.to_string())]), Exit::Usage),
        Problem::NoRegistry(name) => verb(fill(Key::WorkspaceNoRegistry, &[("name", &name)]), Exit::Usage),
        Problem::ManyRegistries(name, all) => verb(fill(Key::WorkspaceManyRegistries, &[("name", &name), ("all", &all.join(", "))]), Exit::Usage),
        Problem::Refused(text) => verb(text.get(ui.lang).to_owned(), Exit::Refused),
        Problem::AlreadySent(number, at) => verb(fill(Key::WorkspaceAlreadySent, &[("number", &number), ("time", &time(&at, ui))]), Exit::Refused),
        Problem::Unmet(number, needs) => {
            verb(needs.iter().map(|need| format!("{number}: {}", need.get(ui.lang))).collect::<Vec<_>>().join("\n"), Exit::Refused)
        }
        Problem::Form(error) => {
            let mut fields = error.fields();
            if let (FormError::Write(error), Some((_, said))) = (&*error, fields.first_mut()) {
                *said = reason(error, ui.texts, ui.lang);
            }
            let slots: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let key = Key::ALL.iter().copied().find(|key| key.as_str() == error.key());
            verb(key.map_or_else(|| error.to_string(), |key| fill(key, &slots)), Exit::Usage)
        }
        Problem::NotClean(file, rule) => verb(fill(Key::WorkspaceNotClean, &[("file", &file), ("rule", &rule)]), Exit::Findings),
        Problem::Unread(path, error) => Failure::Read(path, error),
        Problem::Answer(name, error) => verb(answer(&name, &error, ui), Exit::Input),
        Problem::Table(error) => error.into(),
        Problem::Journal(what) => verb(fill(Key::WorkspaceJournal, &[("what", &what)]), Exit::Usage),
    }
}

/// Why a file cannot be taken for an answer.
fn answer(name: &str, error: &AnswerError, ui: &Ui<'_>) -> String {
    let fill = |key, slots: &[(&str, &str)]| ui.texts.fill(key, ui.lang, &[&[("file", name)], slots].concat());
    match error {
        AnswerError::Fault(fault) => {
            // The built-in table has a text for each check; a broken one in the rules folder has been told before.
            let catalog = Catalog::load(&RuleFiles::embedded());
            let slot = |text: &Option<String>| text.clone().unwrap_or_default();
            let (value, expected, found) = (slot(&fault.value), slot(&fault.expected), slot(&fault.found));
            let reason = match &catalog {
                Ok(catalog) => {
                    let slots = Slots { value: &value, expected: &expected, found: &found, ..Slots::default() };
                    slots.fill(catalog.rule(catalog.of(fault.check)).text.get(ui.lang))
                }
                Err(_) => fault.check.as_str().to_owned(),
            };
            fill(Key::AnswerFault, &[("reason", &reason)])
        }
        AnswerError::NoAnswer => fill(Key::AnswerNone, &[]),
        AnswerError::Several(names) => fill(Key::AnswerSeveral, &[("all", &names.join(", "))]),
        AnswerError::Lacks(element) => fill(Key::AnswerLacks, &[("element", element)]),
        AnswerError::Value(element, line) => fill(Key::AnswerValue, &[("element", element), ("line", &line.to_string())]),
        AnswerError::Notice(line, column) => fill(Key::AnswerNotice, &[("line", &line.to_string()), ("column", &column.to_string())]),
        AnswerError::Undecided => fill(Key::AnswerUndecided, &[]),
    }
}

/// A moment in the time zone of the clinic, to the minute.
pub(in super::super) fn time(at: &str, ui: &Ui<'_>) -> String {
    xlsx::shown(&moment(at, ui), ui.texts, ui.lang)
}

/// The same as a cell of a table; what is no moment stays as it is.
pub(in super::super) fn moment(at: &str, ui: &Ui<'_>) -> Cell {
    let text = || Cell::Text(at.to_owned());
    let Ok(moment) = at.parse::<jiff::Timestamp>() else { return text() };
    let local = ui.zone().to_datetime(moment);
    let (year, month, day) = (u16::try_from(local.year()), u8::try_from(local.month()), u8::try_from(local.day()));
    let (hour, minute) = (u8::try_from(local.hour()), u8::try_from(local.minute()));
    match (year, month, day, hour, minute) {
        (Ok(year), Ok(month), Ok(day), Ok(hour), Ok(minute)) => Date::new(year, month, day).map_or_else(text, |date| Cell::Moment(date, hour, minute)),
        _ => text(),
    }
}
