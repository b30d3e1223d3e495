//! `puomp formats`: the tables of the formats, for people, programs and developers of a MIS.

mod export;
mod human;
mod list;
mod rows;
mod show;

use std::fmt;
use std::io;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::session::Session;
use super::{Exit, Failure};
use crate::registry::format::{Family, Format, Formats};
use crate::texts::{Coded, Key, Slot, display};

/// Arguments of `puomp formats`.
#[derive(Debug, Args)]
pub(super) struct FormatsArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Families and their editions.
    List(list::ListArgs),
    /// Elements of an edition.
    Show(show::ShowArgs),
    /// An edition as XML Schema 1.0.
    Export(export::ExportArgs),
}

impl FormatsArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        match &self.verb {
            Verb::List(verb) => verb.run(session),
            Verb::Show(verb) => verb.run(session),
            Verb::Export(verb) => verb.run(session),
        }
    }
}

/// Why `puomp formats` failed.
#[derive(Debug)]
pub(super) enum FormatsError {
    /// No family has this letter.
    Family {
        /// What was typed.
        given: String,
        /// Letters of the families.
        known: Vec<String>,
    },
    /// The family has no such edition.
    Edition {
        /// The family.
        family: Family,
        /// What was typed.
        given: String,
        /// Its editions.
        known: Vec<String>,
    },
    /// The edition has no such element.
    Element {
        /// The family.
        family: Family,
        /// The edition.
        edition: String,
        /// What was typed.
        given: String,
        /// Paths of elements with a name like it.
        similar: Vec<String>,
        /// Editions of any family that have it.
        elsewhere: Vec<String>,
    },
    /// The schema cannot be written to its file.
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// The answer cannot be written to standard output.
    Output(io::Error),
}

impl Coded for FormatsError {
    fn key(&self) -> Key {
        match self {
            Self::Family { .. } => Key::FormatsNoFamily,
            Self::Edition { .. } => Key::FormatsNoEdition,
            Self::Element { .. } => Key::FormatsNoElement,
            Self::File { .. } => Key::FormatsNotWritten,
            Self::Output(_) => Key::ErrorStream,
        }
    }

    fn slots(&self) -> Vec<(&'static str, Slot<'_>)> {
        match self {
            Self::Family { given, known } => vec![("given", Slot::text(given)), ("known", Slot::list(known))],
            Self::Edition { family, given, known } => {
                vec![("family", Slot::text(family.to_string())), ("given", Slot::text(given)), ("known", Slot::list(known))]
            }
            Self::Element { family, edition, given, similar, elsewhere } => vec![
                ("family", Slot::text(family.to_string())),
                ("edition", Slot::text(edition)),
                ("given", Slot::text(given)),
                ("elsewhere", Slot::list(elsewhere)),
                ("similar", Slot::list(similar)),
            ],
            Self::File { path, error } => vec![("path", Slot::Path(path)), ("reason", Slot::io(error))],
            Self::Output(error) => vec![("reason", Slot::io(error))],
        }
    }

    /// Hints for a missing element: where it is, similar names, and the command that shows all.
    fn hints(&self) -> Vec<Slot<'_>> {
        let Self::Element { family, edition, similar, elsewhere, .. } = self else { return Vec::new() };
        let line = |key: Key, slots| Slot::Phrase { plain: key.as_str().into(), key, slots };
        let lists = [(Key::FormatsElsewhere, elsewhere), (Key::FormatsSimilar, similar)].into_iter().filter(|(_, list)| !list.is_empty());
        let lists = lists.map(|(key, list)| line(key, vec![("known", Slot::list(list))]));
        let all = line(Key::FormatsSeeAll, vec![("family", Slot::text(family.to_string())), ("edition", Slot::text(edition))]);
        lists.chain([all]).collect()
    }
}

impl fmt::Display for FormatsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for FormatsError {}

impl From<io::Error> for FormatsError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<FormatsError> for Failure {
    fn from(error: FormatsError) -> Self {
        match error {
            FormatsError::Output(error) => error.into(),
            error => Self::of(error),
        }
    }
}

/// The family that a user means by letters; see [`Formats::family_of`].
pub(in crate::cli) fn family_of(formats: &Formats, given: &str) -> Result<Family, FormatsError> {
    let known = || formats.families().map(|f| f.to_string()).collect();
    formats.family_of(given).ok_or_else(|| FormatsError::Family { given: given.to_owned(), known: known() })
}

fn edition_of<'a>(formats: &'a Formats, family: &str, given: &str) -> Result<&'a Format, FormatsError> {
    let family = family_of(formats, family)?;
    formats.get(family, given).map(AsRef::as_ref).ok_or_else(|| FormatsError::Edition {
        family,
        given: given.to_owned(),
        known: formats.editions(family).iter().map(|f| f.edition.id.clone()).collect(),
    })
}

#[cfg(test)]
mod tests;
