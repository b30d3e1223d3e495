//! What the workspace says, in the user's language.

use super::super::ui::Ui;
use super::super::{Exit, Failure};
use crate::finding::{Catalog, Slots};
use crate::report::Key;
use crate::tables::RuleFiles;
use crate::workspace::{AnswerError, Problem};

/// Text and exit code of a problem.
pub(super) fn problem(problem: Problem, ui: &Ui<'_>) -> Failure {
    let fill = |key, slots: &[(&str, &str)]| ui.texts.fill(key, ui.lang, slots);
    let verb = |text, exit| Failure::Verb(text, exit);
    match problem {
        Problem::NoWorkspace(path) => verb(fill(Key::WorkspaceNone, &[("path", &path.display().to_string())]), Exit::Usage),
        Problem::NotReady(path) => verb(fill(Key::WorkspaceNotReady, &[("path", &path.display().to_string())]), Exit::Usage),
        Problem::Busy(who) => verb(fill(Key::WorkspaceBusy, &[("who", if who.is_empty() { "?" } else { &who })]), Exit::Busy),
        Problem::Io(path, error) => Failure::Write(path, error),
        Problem::Stream(error) | Problem::Runtime(error) => error.into(),
        Problem::Store(error) => verb(fill(Key::WorkspaceStore, &[("reason", &store_reason(&error))]), Exit::Usage),
        Problem::Schema(error) => verb(fill(Key::WorkspaceSchema, &[("reason", &error.to_string())]), Exit::Usage),
        Problem::NoRegistry(name) => verb(fill(Key::WorkspaceNoRegistry, &[("name", &name)]), Exit::Usage),
        Problem::ManyRegistries(name, all) => verb(fill(Key::WorkspaceManyRegistries, &[("name", &name), ("all", &all.join(", "))]), Exit::Usage),
        Problem::Refused(text) => verb(text.get(ui.lang).to_owned(), Exit::Refused),
        Problem::AlreadySent(number, at) => verb(fill(Key::WorkspaceAlreadySent, &[("number", &number), ("time", &time(&at, ui))]), Exit::Refused),
        Problem::Unmet(number, needs) => {
            verb(needs.iter().map(|need| format!("{number}: {}", need.get(ui.lang))).collect::<Vec<_>>().join("\n"), Exit::Refused)
        }
        Problem::Form(error) => {
            let fields = error.fields();
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

/// What the database says; a connection's address may hold a password and is not shown.
fn store_reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(inner) => inner.message().to_owned(),
        sqlx::Error::Io(inner) => inner.to_string(),
        sqlx::Error::Configuration(_) => "URL?".to_owned(),
        other => other.to_string(),
    }
}

/// A moment in the user's own time zone, to the minute.
pub(super) fn time(at: &str, ui: &Ui<'_>) -> String {
    let Ok(moment) = at.parse::<jiff::Timestamp>() else { return at.to_owned() };
    let local = moment.to_zoned_datetime(jiff::tz::TimeZone::system());
    let form = match ui.lang {
        crate::finding::Lang::Ru => "%d.%m.%Y %H:%M",
        crate::finding::Lang::En => "%Y-%m-%d %H:%M",
    };
    local.strftime(form).to_string()
}
