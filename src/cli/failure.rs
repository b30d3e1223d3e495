//! Why a command failed, and how the failure is reported: as text on standard error, or there as JSON for programs.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;

use serde::Serialize;

use super::Exit;
use super::say::{say, say_as_is};
use crate::report::flk::TooMany;
use crate::tables::TableError;
use crate::texts::{Coded, ErrorClass, ErrorWire, Key, Keyed, Lang, Slot, Texts, carried, display};
use crate::watch::Stopped;

/// A failure of the run. Errors of single inputs are findings.
#[derive(Debug)]
pub(super) enum Failure {
    /// A file or folder of the result cannot be written.
    Write(PathBuf, io::Error),
    /// A file that the command needs, such as a configuration or a list, cannot be read.
    Read(PathBuf, io::Error),
    /// A folder that was named does not exist.
    NoFolder(PathBuf),
    /// A wildcard is not valid: the wildcard and the reason.
    Pattern(String, String),
    /// An option has a wrong value: the typed value and the allowed ones.
    Value(String, String),
    /// There is no package under the paths.
    Nothing,
    /// Worker threads cannot be started.
    Threads,
    /// Standard output or a temporary file cannot be written.
    Stream(io::Error),
    /// An error of the library, or of one verb.
    Error(Box<dyn Coded>),
    /// The reader of our output has closed it.
    Pipe,
}

impl Failure {
    /// An error of the library.
    pub(super) fn of(error: impl Coded + 'static) -> Self {
        Self::Error(Box::new(error))
    }

    /// An error that only one verb has: class, text, slots of the text.
    pub(super) fn said(class: ErrorClass, key: Key, slots: &[(&'static str, &str)]) -> Self {
        Self::of(Keyed::new(class, key, slots))
    }

    /// Reports the failure, unless the reader of the output is gone, and returns how the program ends.
    pub(super) fn end(&self, voice: Voice, texts: &Texts, lang: Lang) -> Exit {
        if matches!(self, Self::Pipe) {
            return Exit::Done;
        }
        voice.tell(self, texts, lang);
        self.class().into()
    }
}

impl Coded for Failure {
    fn key(&self) -> Key {
        match self {
            Self::Write(..) => Key::ErrorWrite,
            Self::Read(..) => Key::ErrorRead,
            Self::NoFolder(_) => Key::ErrorNoFolder,
            Self::Pattern(..) => Key::ErrorPattern,
            Self::Value(..) => Key::UsageValue,
            Self::Nothing => Key::ErrorNothing,
            Self::Threads => Key::ErrorThreads,
            Self::Stream(_) | Self::Pipe => Key::ErrorStream,
            Self::Error(error) => error.key(),
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match self {
            Self::Write(path, error) | Self::Read(path, error) => vec![("path", Slot::Path(path)), ("reason", Slot::io(error))],
            Self::NoFolder(path) => vec![("path", Slot::Path(path))],
            Self::Pattern(pattern, reason) => vec![("pattern", Slot::text(pattern)), ("reason", Slot::Said(reason.into()))],
            Self::Value(value, allowed) => vec![("value", Slot::text(value)), ("allowed", Slot::Said(allowed.into()))],
            Self::Nothing | Self::Threads => Vec::new(),
            Self::Stream(error) => vec![("reason", Slot::io(error))],
            Self::Pipe => vec![("reason", Slot::io_kind(io::ErrorKind::BrokenPipe))],
            Self::Error(error) => error.slots(),
        }
    }

    fn class(&self) -> ErrorClass {
        match self {
            Self::Nothing => ErrorClass::Nothing,
            Self::Write(_, error) | Self::Read(_, error) => carried(error).map_or(ErrorClass::Usage, Coded::class),
            Self::Error(error) => error.class(),
            _ => ErrorClass::Usage,
        }
    }

    fn hints(&self) -> Vec<Slot<'_>> {
        match self {
            Self::Error(error) => error.hints(),
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for Failure {}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        Self::of(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let inner = |error: &io::Error| -> Option<Self> {
            let inner = error.get_ref()?;
            let too_many = inner.downcast_ref::<TooMany>().map(|e| Self::of(*e));
            let table = || inner.downcast_ref::<TableError>().map(|e| Self::of(e.clone()));
            let stopped = || inner.downcast_ref::<Stopped>().map(|e| Self::of(*e));
            too_many.or_else(table).or_else(stopped)
        };
        if let Some(known) = inner(&error) {
            return known;
        }
        // The csv crate wraps the error of the stream.
        let kind = match error.get_ref().and_then(|inner| inner.downcast_ref::<csv::Error>()).map(csv::Error::kind) {
            Some(csv::ErrorKind::Io(inner)) => inner.kind(),
            _ => error.kind(),
        };
        match kind {
            io::ErrorKind::BrokenPipe => Self::Pipe,
            _ => Self::Stream(error),
        }
    }
}

/// The form in which errors are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// Text for people.
    Text,
    /// JSON for programs, one object a line.
    Json,
}

impl Voice {
    /// The form by the arguments as typed: with `--format json` errors are JSON too, even when the rest of the command line cannot
    /// be parsed.
    pub(super) fn of(args: &[OsString]) -> Self {
        let mut words = args.iter().skip(1).map(|arg| arg.to_string_lossy()).take_while(|arg| arg != "--");
        let mut voice = Self::Text;
        while let Some(word) = words.next() {
            let value = match word.strip_prefix("--format=") {
                Some(value) => Some(value.to_owned()),
                None if word == "--format" => words.next().map(Into::into),
                None => continue,
            };
            voice = match value.as_deref() {
                Some("json" | "jsonl") => Self::Json,
                _ => Self::Text,
            };
        }
        voice
    }

    /// Reports a bug of the program. Its text names the program itself, so it has no prefix.
    pub(super) fn tell_bug(self, bug: &Keyed, texts: &Texts, lang: Lang) {
        match self {
            Self::Text => say(&texts.error(bug, lang)),
            Self::Json => say_as_is(&json(bug, texts)),
        }
    }

    /// Reports an error on standard error.
    pub(super) fn tell(self, error: &dyn Coded, texts: &Texts, lang: Lang) {
        match self {
            Self::Text => say(&texts.fill(Key::Error, lang, &[("text", &texts.error(error, lang))])),
            Self::Json => say_as_is(&json(error, texts)),
        }
    }
}

/// The line of JSON for an error.
fn json(error: &dyn Coded, texts: &Texts) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        schema: u32,
        error: Told<'a>,
    }
    #[derive(Serialize)]
    struct Told<'a> {
        exit: u8,
        #[serde(flatten)]
        wire: ErrorWire<'a>,
    }
    let line = Line { schema: 1, error: Told { exit: Exit::from(error.class()).code(), wire: texts.error_wire(error) } };
    // Serializing texts and numbers cannot fail.
    serde_json::to_string(&line).unwrap_or_default()
}

#[cfg(test)]
mod tests;
