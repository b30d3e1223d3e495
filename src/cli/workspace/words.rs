//! What the workspace says, in the user's language.

use super::super::ui::Ui;
use super::super::{Exit, Failure};
use crate::report::Key;
use crate::workspace::Problem;

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
        Problem::Table(error) => error.into(),
        Problem::Journal(what) => verb(fill(Key::WorkspaceJournal, &[("what", &what)]), Exit::Usage),
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
