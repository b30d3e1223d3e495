//! Errors of the workspace.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::answers::AnswerError;
use super::backup::BackupError;
use super::damage::Damaged;
use super::intake::NotTaken;
use super::store::StoreError;
use super::taking_back::TakingError;
use super::workflow::{Need, Refusal, Refused, Workflow};
use crate::forming::FormError;
use crate::tables::TableError;
use crate::texts::{Coded, ErrorClass, Key, Lang, Slot, Text, carried, display};
use crate::watch::Stopped;

/// Why a command failed. The change that failed changed nothing, except with [`Problem::Unplaced`]; what a command
/// did before it stays.
#[derive(Debug)]
pub enum Problem {
    /// No folder upward holds a workspace.
    NoWorkspace(PathBuf),
    /// The folder exists, but its store is missing or of another version of the program.
    NotReady(PathBuf),
    /// The store was made by a newer program: the version of its schema, and the version that this program knows.
    Newer(i64, i64),
    /// A store of an earlier version has rows that belong to no package or registry: the table and how many. It was not brought up to date.
    Orphans(String, i64),
    /// Other programs changed this clinic, by its code, again and again while a change was prepared; or took its cases.
    Overtaken(String),
    /// Another program is changing the workspace: who and since when.
    Busy(String),
    /// A file or folder cannot be read or written.
    Io(PathBuf, io::Error),
    /// An input cannot be read, or the work was stopped.
    Stream(io::Error),
    /// The runtime that waits for the store cannot be started.
    Runtime(io::Error),
    /// The store refuses a statement, or its schema cannot be made.
    Store(StoreError),
    /// There is no registry with this number or file name.
    NoRegistry(String),
    /// Several registries match this name: their numbers.
    ManyRegistries(String, Vec<String>),
    /// The workflow table does not allow the move.
    Refused(Box<Refused>),
    /// The registry was sent before: its number and the moment.
    AlreadySent(String, String),
    /// No file can be named after the values of a registry, as an earlier version of the program formed it: its number and the path.
    NoName(String, String),
    /// The registry is recorded as sent, but its package could not be written into the outbox: number, path, cause. The next command that
    /// changes the workspace tries again.
    Unplaced(String, PathBuf, Box<Problem>),
    /// The conditions of a registry's move that are not met: its number, the conditions and their texts from the table.
    Unmet(String, Vec<(Need, Text)>),
    /// The package of a registry cannot be formed.
    Form(Box<FormError>),
    /// A formed package does not pass our own control: name of the file and id of the first rule that failed.
    NotClean(String, String),
    /// A file that the user named cannot be read.
    Unread(PathBuf, io::Error),
    /// A file cannot be read as an answer: its name and the reason.
    Answer(String, Box<AnswerError>),
    /// A kept file is not what was kept.
    Damaged(Damaged),
    /// A backup cannot be made or restored.
    Backup(Box<BackupError>),
    /// Something cannot be taken back.
    Taking(Box<TakingError>),
    /// A package cannot become a registry at its payer's desk.
    NotTaken(Box<NotTaken>),
    /// A table under `rules/` is broken.
    Table(TableError),
    /// The journal cannot be continued: its last entry cannot be read.
    Journal(String),
}

impl Problem {
    /// An error with a file or folder; a stop of the work is kept apart from errors of the file.
    pub(super) fn of_file(path: &Path, error: io::Error) -> Self {
        if Stopped::is(&error) { Self::Stream(error) } else { Self::Io(path.to_owned(), error) }
    }

    /// Whether the work was stopped by its watch, which is not an error.
    pub fn is_stop(&self) -> bool {
        matches!(self, Self::Stream(error) if Stopped::is(error))
    }

    /// Whether the cause lies with one registry alone, so that a command may go on with others.
    pub fn is_of_one_registry(&self) -> bool {
        let about_its_state = matches!(self, Self::Refused(_) | Self::AlreadySent(..) | Self::Unmet(..) | Self::Overtaken(_));
        let about_its_file = matches!(self, Self::Unplaced(..) | Self::NoName(..) | Self::Damaged(_));
        let about_its_content = match self {
            Self::NotClean(..) => true,
            Self::Form(error) => !matches!(**error, FormError::Write(_) | FormError::Table(_)),
            _ => false,
        };
        about_its_state || about_its_file || about_its_content || matches!(self, Self::NoRegistry(_) | Self::ManyRegistries(..) | Self::NotTaken(_))
    }

    /// A refusal of the workflow, in words.
    pub(super) fn refused(workflow: &Workflow, refusal: Refusal) -> Self {
        Self::Refused(Box::new(Refused::new(refusal, workflow)))
    }

    /// Conditions of a registry's move that are not met, in words.
    pub(super) fn unmet(workflow: &Workflow, number: &str, needs: &[Need]) -> Self {
        let text = |need: &Need| Text { ru: workflow.need(*need, Lang::Ru).to_owned(), en: workflow.need(*need, Lang::En).to_owned() };
        Self::Unmet(number.to_owned(), needs.iter().map(|need| (*need, text(need))).collect())
    }

    /// The error that this one only wraps.
    fn inner(&self) -> Option<&dyn Coded> {
        match self {
            Self::Stream(error) | Self::Runtime(error) => carried(error),
            Self::Refused(refused) => Some(&**refused),
            Self::Form(error) => Some(&**error),
            Self::Damaged(error) => Some(error),
            Self::Backup(error) => Some(&**error),
            Self::Taking(error) => Some(&**error),
            Self::NotTaken(error) => Some(&**error),
            Self::Table(error) => Some(error),
            Self::Store(error) => Some(error),
            _ => None,
        }
    }

    /// The reason alone, for a message that already says what failed; without the path or the address.
    fn reason(&self) -> Slot<'_> {
        match self {
            Self::Io(_, error) | Self::Unread(_, error) => Slot::io(error),
            Self::Store(error) => error.reason(),
            other => Slot::Nested(other),
        }
    }
}

impl Coded for Problem {
    fn key(&self) -> Key {
        match self {
            Self::NoWorkspace(_) => Key::WorkspaceNone,
            Self::NotReady(_) => Key::WorkspaceNotReady,
            Self::Newer(..) => Key::WorkspaceNewer,
            Self::Orphans(..) => Key::WorkspaceOrphans,
            Self::Overtaken(_) => Key::WorkspaceOvertaken,
            Self::Busy(_) => Key::WorkspaceBusy,
            Self::Io(..) => Key::ErrorWrite,
            Self::Unread(..) => Key::ErrorRead,
            Self::Stream(error) | Self::Runtime(error) => carried(error).map_or(Key::WorkspaceStream, Coded::key),
            Self::Store(error) => error.key(),
            Self::NoRegistry(_) => Key::WorkspaceNoRegistry,
            Self::ManyRegistries(..) => Key::WorkspaceManyRegistries,
            Self::Refused(refused) => refused.key(),
            Self::AlreadySent(..) => Key::WorkspaceAlreadySent,
            Self::NoName(..) => Key::SubmitNoName,
            Self::Unplaced(..) => Key::SubmitUnplaced,
            Self::Unmet(..) => Key::WorkspaceUnmet,
            Self::Form(error) => error.key(),
            Self::NotClean(..) => Key::WorkspaceNotClean,
            Self::Answer(_, error) => error.key(),
            Self::Damaged(error) => error.key(),
            Self::Backup(error) => error.key(),
            Self::Taking(error) => error.key(),
            Self::NotTaken(error) => error.key(),
            Self::Table(error) => error.key(),
            Self::Journal(_) => Key::WorkspaceJournal,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        if let Some(inner) = self.inner() {
            return inner.slots();
        }
        match self {
            Self::NoWorkspace(path) | Self::NotReady(path) => vec![("path", Slot::Path(path))],
            Self::Newer(found, known) => vec![("found", Slot::text(found.to_string())), ("known", Slot::text(known.to_string()))],
            Self::Orphans(table, rows) => vec![("table", Slot::text(table)), ("rows", Slot::text(rows.to_string()))],
            Self::Overtaken(mo) => vec![("mo", Slot::text(mo))],
            Self::Busy(who) => vec![("who", Slot::text(if who.is_empty() { "?" } else { who }))],
            Self::Io(path, _) | Self::Unread(path, _) => vec![("path", Slot::Path(path)), ("reason", self.reason())],
            Self::Stream(error) | Self::Runtime(error) => vec![("reason", Slot::io(error))],
            Self::NoRegistry(name) => vec![("name", Slot::text(name))],
            Self::ManyRegistries(name, all) => vec![("name", Slot::text(name)), ("all", Slot::list(all))],
            Self::AlreadySent(number, at) => vec![("number", Slot::text(number)), ("time", Slot::Moment(at))],
            Self::NoName(number, path) => vec![("number", Slot::text(number)), ("path", Slot::text(path))],
            Self::Unplaced(number, path, cause) => vec![("number", Slot::text(number)), ("path", Slot::Path(path)), ("reason", cause.reason())],
            Self::Unmet(number, needs) => {
                let lines = |lang| needs.iter().map(|(_, text)| format!("{number}: {}", text.get(lang))).collect::<Vec<_>>().join("\n");
                let text = Text { ru: lines(Lang::Ru), en: lines(Lang::En) };
                let words = needs.iter().map(|(need, _)| Slot::text(need.as_str())).collect();
                vec![("text", Slot::Both(Cow::Owned(text))), ("number", Slot::text(number)), ("needs", Slot::List(words))]
            }
            Self::NotClean(file, rule) => vec![("file", Slot::text(file)), ("rule", Slot::text(rule))],
            Self::Answer(name, error) => std::iter::once(("file", Slot::text(name))).chain(error.slots()).collect(),
            Self::Journal(what) => vec![("what", Slot::text(what))],
            Self::Refused(_) | Self::Form(_) | Self::Damaged(_) | Self::Backup(_) | Self::Taking(_) | Self::NotTaken(_) | Self::Table(_) | Self::Store(_) => {
                Vec::new()
            }
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::Busy(_) | Self::Overtaken(_) => ErrorClass::Busy,
            Self::AlreadySent(..) | Self::Unmet(..) | Self::NoName(..) => ErrorClass::Refused,
            Self::NotClean(..) => ErrorClass::Findings,
            Self::Answer(..) => ErrorClass::Input,
            _ => self.inner().map_or(ErrorClass::Usage, Coded::class),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for Problem {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(_, error) | Self::Unread(_, error) | Self::Stream(error) | Self::Runtime(error) => Some(error),
            Self::Store(error) => Some(error),
            Self::Unplaced(_, _, cause) => Some(&**cause),
            Self::Refused(refused) => Some(&**refused),
            Self::Form(error) => Some(&**error),
            Self::Damaged(error) => Some(error),
            Self::Backup(error) => Some(&**error),
            Self::Taking(error) => Some(&**error),
            Self::NotTaken(error) => Some(&**error),
            Self::Table(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Damaged> for Problem {
    fn from(error: Damaged) -> Self {
        Self::Damaged(error)
    }
}

impl From<BackupError> for Problem {
    fn from(error: BackupError) -> Self {
        Self::Backup(Box::new(error))
    }
}

impl From<TakingError> for Problem {
    fn from(error: TakingError) -> Self {
        Self::Taking(Box::new(error))
    }
}

impl From<NotTaken> for Problem {
    fn from(error: NotTaken) -> Self {
        Self::NotTaken(Box::new(error))
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Stream(error)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<TableError> for Problem {
    fn from(error: TableError) -> Self {
        Self::Table(error)
    }
}

impl From<FormError> for Problem {
    fn from(error: FormError) -> Self {
        match error {
            FormError::Write(error) if Stopped::is(&error) => Self::Stream(error),
            error => Self::Form(Box::new(error)),
        }
    }
}
