//! Why the workspace could not do what was asked.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::answers::AnswerError;
use super::workflow::{Need, Refusal, Workflow};
use crate::forming::FormError;
use crate::tables::TableError;
use crate::texts::{Lang, Text};
use crate::watch::Stopped;

/// What stopped a command; nothing was changed then, save by [`Problem::Unplaced`].
#[derive(Debug)]
pub enum Problem {
    /// No folder upward holds a workspace.
    NoWorkspace(PathBuf),
    /// The folder is there, the store in it is not, or it is of another edition of this program.
    NotReady(PathBuf),
    /// Another program works there: who and since when.
    Busy(String),
    /// A file or folder.
    Io(PathBuf, io::Error),
    /// Reading an input.
    Stream(io::Error),
    /// Nothing to wait for the store with.
    Runtime(io::Error),
    /// The store refuses.
    Store(sqlx::Error),
    /// The schema of the store cannot be made or is of another program.
    Schema(sqlx::migrate::MigrateError),
    /// No registry is called so.
    NoRegistry(String),
    /// Several registries are called so.
    ManyRegistries(String, Vec<String>),
    /// The table of the workflow does not allow it.
    Refused(Text),
    /// The registry was sent already: its number and when.
    AlreadySent(String, String),
    /// The registry was sent, that is recorded, and its package could not be put where it is due: number, path, why. The next command that
    /// changes something tries again.
    Unplaced(String, PathBuf, Box<Problem>),
    /// Conditions of a move that are not met.
    Unmet(String, Vec<Text>),
    /// The package of a registry cannot be written.
    Form(Box<FormError>),
    /// What was formed does not pass our own control: the registry's file and the first finding.
    NotClean(String, String),
    /// A file that is to be read.
    Unread(PathBuf, io::Error),
    /// A file that cannot be taken for an answer: its name and why.
    Answer(String, Box<AnswerError>),
    /// A table under `rules/`.
    Table(TableError),
    /// The journal cannot be continued: its last entry does not read as one.
    Journal(String),
}

impl Problem {
    /// An error of a file or folder; that the work was stopped is none of the file's.
    pub(super) fn of_file(path: &Path, error: io::Error) -> Self {
        if Stopped::is(&error) { Self::Stream(error) } else { Self::Io(path.to_owned(), error) }
    }

    /// Whether it is no trouble: the watch of the work wanted it to end.
    pub fn is_stop(&self) -> bool {
        matches!(self, Self::Stream(error) if Stopped::is(error))
    }

    /// A refusal of the workflow, in words.
    pub(super) fn refused(workflow: &Workflow, refusal: Refusal) -> Self {
        Self::Refused(Text { ru: refusal.text(workflow, Lang::Ru), en: refusal.text(workflow, Lang::En) })
    }

    /// Conditions of a registry's move that are not met, in words.
    pub(super) fn unmet(workflow: &Workflow, number: &str, needs: &[Need]) -> Self {
        let text = |need: &Need| Text { ru: workflow.need(*need, Lang::Ru).to_owned(), en: workflow.need(*need, Lang::En).to_owned() };
        Self::Unmet(number.to_owned(), needs.iter().map(text).collect())
    }
}

impl fmt::Display for Problem {
    /// For logs; people read the texts of the command line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Problem {}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Stream(error)
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error)
    }
}

impl From<sqlx::migrate::MigrateError> for Problem {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Schema(error)
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
