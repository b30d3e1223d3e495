//! Why a command could not do its work: one type decides text and exit code.

use std::io;
use std::path::PathBuf;

use super::Exit;
use crate::finding::Lang;
use crate::report::flk::TooMany;
use crate::report::{Key, Texts};
use crate::tables::TableError;

/// A failure of the run, not of one input: inputs fail as findings.
#[derive(Debug)]
pub(super) enum Failure {
    /// A rule table is broken.
    Table(TableError),
    /// A file or folder of the result cannot be written.
    Write(PathBuf, io::Error),
    /// A file that holds part of the task cannot be read.
    Read(PathBuf, io::Error),
    /// A folder that was named does not exist.
    NoFolder(PathBuf),
    /// A broken wildcard.
    Pattern(String, String),
    /// A value that an option does not take: what was typed, what it takes.
    Value(String, String),
    /// Several packages, but the format holds one.
    TooMany,
    /// No package under the paths.
    Nothing,
    /// Worker threads cannot be started.
    Threads,
    /// Standard output or a temporary file.
    Stream(io::Error),
    /// What a verb says in its own words.
    Verb(String, Exit),
    /// Whoever read our output has stopped.
    Pipe,
}

impl Failure {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Nothing => Exit::Nothing,
            Self::Pipe => Exit::Done,
            Self::Verb(_, exit) => *exit,
            _ => Exit::Usage,
        }
    }

    /// What the user reads; nothing for a closed pipe.
    pub(super) fn text(&self, texts: &Texts, lang: Lang) -> Option<String> {
        let path_error =
            |key, path: &PathBuf, error: &io::Error| texts.fill(key, lang, &[("path", &path.display().to_string()), ("reason", &reason(error, texts, lang))]);
        Some(match self {
            Self::Table(error) => texts.fill(Key::ErrorTable, lang, &[("error", &error.to_string())]),
            Self::Write(path, error) => path_error(Key::ErrorWrite, path, error),
            Self::Read(path, error) => path_error(Key::ErrorRead, path, error),
            Self::NoFolder(path) => texts.fill(Key::ErrorNoFolder, lang, &[("path", &path.display().to_string())]),
            Self::Pattern(pattern, reason) => texts.fill(Key::ErrorPattern, lang, &[("pattern", pattern), ("reason", reason)]),
            Self::Value(value, allowed) => texts.fill(Key::UsageValue, lang, &[("value", value), ("allowed", allowed)]),
            Self::TooMany => texts.get(Key::ErrorTooMany, lang).to_owned(),
            Self::Nothing => texts.get(Key::ErrorNothing, lang).to_owned(),
            Self::Threads => texts.get(Key::ErrorThreads, lang).to_owned(),
            Self::Stream(error) => texts.fill(Key::ErrorStream, lang, &[("reason", &reason(error, texts, lang))]),
            Self::Verb(text, _) => text.clone(),
            Self::Pipe => return None,
        })
    }
}

/// Why the system refused; the usual reasons in the user's language, the others as the system calls them.
pub(super) fn reason(error: &io::Error, texts: &Texts, lang: Lang) -> String {
    let key = match error.kind() {
        io::ErrorKind::NotFound => Key::ReasonNotFound,
        io::ErrorKind::PermissionDenied => Key::ReasonDenied,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Key::ReasonFull,
        io::ErrorKind::IsADirectory => Key::ReasonFolder,
        io::ErrorKind::ReadOnlyFilesystem => Key::ReasonReadOnly,
        _ if crate::sys::is_device_failure(error) => Key::ReasonDevice,
        _ if crate::sys::is_held_elsewhere(error) => Key::ReasonDenied,
        // What some library says of its own may wrap what the system said.
        _ => match error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>()) {
            Some(inner) => return reason(inner, texts, lang),
            None => return error.to_string(),
        },
    };
    texts.get(key, lang).to_owned()
}

/// Why the store refused, in the same words; an address may hold a password and is not shown.
pub(super) fn store_reason(error: &sqlx::Error, texts: &Texts, lang: Lang) -> String {
    let key = match error {
        sqlx::Error::Database(inner) => match inner.code().as_deref().and_then(store_key) {
            Some(key) => key,
            None => return inner.message().to_owned(),
        },
        sqlx::Error::Io(inner) => return reason(inner, texts, lang),
        sqlx::Error::Configuration(_) => return "URL?".to_owned(),
        other => return other.to_string(),
    };
    texts.get(key, lang).to_owned()
}

/// What a code of SQLite (a number; its lower byte is the kind) or of PostgreSQL (five characters) means, when it is the machine's doing.
fn store_key(code: &str) -> Option<Key> {
    if code.len() == 5 {
        return match code {
            "53100" => Some(Key::ReasonFull),
            "58030" => Some(Key::ReasonDevice),
            "25006" => Some(Key::ReasonReadOnly),
            "42501" => Some(Key::ReasonDenied),
            _ => None,
        };
    }
    match code.parse::<u32>().ok()? & 0xff {
        3 => Some(Key::ReasonDenied),
        8 => Some(Key::ReasonReadOnly),
        10 => Some(Key::ReasonDevice),
        13 => Some(Key::ReasonFull),
        14 => Some(Key::ReasonUnopened),
        _ => None,
    }
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        Self::Table(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.get_ref().is_some_and(|inner| inner.is::<TooMany>()) {
            return Self::TooMany;
        }
        if let Some(table) = error.get_ref().and_then(|inner| inner.downcast_ref::<TableError>()) {
            return Self::Table(table.clone());
        }
        // The csv crate wraps what the stream says.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::RuleFiles;

    #[test]
    fn the_usual_reasons_are_told_in_the_users_language() {
        let texts = Texts::load(&RuleFiles::embedded()).expect("the built-in table is sound");
        let said = |error: io::Error| reason(&error, &texts, Lang::Ru);
        for (kind, words) in [
            (io::ErrorKind::NotFound, "такой папки или файла нет"),
            (io::ErrorKind::PermissionDenied, "нет прав"),
            (io::ErrorKind::StorageFull, "нет места"),
            (io::ErrorKind::QuotaExceeded, "нет места"),
            (io::ErrorKind::ReadOnlyFilesystem, "только для чтения"),
        ] {
            assert!(said(kind.into()).contains(words), "{kind}");
            assert!(said(io::Error::other(io::Error::from(kind))).contains(words), "{kind} inside");
        }
        assert_eq!(said(io::Error::other("odd")), "odd");
        #[cfg(unix)]
        for (code, words) in [(5, "ошибка чтения или записи"), (28, "нет места"), (13, "нет прав"), (30, "только для чтения"), (2, "нет")]
        {
            assert!(said(io::Error::from_raw_os_error(code)).contains(words), "{code}");
        }
        #[cfg(windows)]
        for (code, words) in
            [(5, "открыт в другой программе"), (32, "открыт в другой программе"), (1117, "ошибка чтения или записи"), (112, "нет места"), (3, "нет")]
        {
            assert!(said(io::Error::from_raw_os_error(code)).contains(words), "{code}");
        }
    }

    #[test]
    fn codes_of_the_stores_have_the_same_words() {
        let known = ["13", "10", "778", "1032", "14", "3", "53100", "58030", "25006", "42501"].map(store_key);
        assert!(known.iter().all(Option::is_some), "{known:?}");
        assert_eq!([store_key("778"), store_key("58030")], [Some(Key::ReasonDevice); 2]);
        assert_eq!(["1", "5", "2067", "23505", "", "x"].map(store_key), [None; 6]);
    }
}
