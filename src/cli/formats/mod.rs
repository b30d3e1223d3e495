//! `puomp formats`: the tables of the formats for people, programs and developers of a MIS.

mod export;
mod human;
mod list;
mod rows;
mod show;

use std::io;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::failure::reason;
use super::session::Session;
use super::ui::Ui;
use super::{Exit, Failure};
use crate::registry::format::{Family, Format, Formats, PERSONS};
use crate::texts::{Key, Lang, Texts};

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

/// Why the command did not answer.
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
        /// Why.
        error: io::Error,
    },
    /// The standard output does not take the answer.
    Output(io::Error),
}

impl FormatsError {
    /// What a person reads: what is wrong and what there is instead.
    pub(super) fn message(&self, texts: &Texts, lang: Lang) -> String {
        match self {
            Self::Family { given, known } => texts.fill(Key::FormatsNoFamily, lang, &[("given", given), ("known", &known.join(", "))]),
            Self::Edition { family, given, known } => {
                texts.fill(Key::FormatsNoEdition, lang, &[("family", &family.to_string()), ("given", given), ("known", &known.join(", "))])
            }
            Self::Element { family, edition, given, similar, elsewhere } => {
                let family = family.to_string();
                let mut text = texts.fill(Key::FormatsNoElement, lang, &[("family", &family), ("edition", edition), ("given", given)]);
                for (key, list) in [(Key::FormatsElsewhere, elsewhere), (Key::FormatsSimilar, similar)] {
                    if !list.is_empty() {
                        text.push('\n');
                        text.push_str(&texts.fill(key, lang, &[("known", &list.join(", "))]));
                    }
                }
                text.push('\n');
                text.push_str(&texts.fill(Key::FormatsSeeAll, lang, &[("family", &family), ("edition", edition)]));
                text
            }
            Self::File { path, error } => {
                texts.fill(Key::FormatsNotWritten, lang, &[("path", &path.display().to_string()), ("reason", &reason(error, texts, lang))])
            }
            Self::Output(error) => error.to_string(),
        }
    }

    /// How the program ends.
    pub(super) fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl From<io::Error> for FormatsError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// The failure of a verb in the user's words.
fn failed<T>(answer: Result<T, FormatsError>, ui: &Ui<'_>) -> Result<T, Failure> {
    answer.map_err(|error| match error {
        FormatsError::Output(error) => error.into(),
        error => Failure::Verb(error.message(ui.texts, ui.lang), error.exit()),
    })
}

/// The family of a letter or of the letters at the head of a file name, whatever their case.
fn family_of(formats: &Formats, given: &str) -> Result<Family, FormatsError> {
    let letters = given.to_uppercase();
    let by_letter = formats.families().find(|f| f.to_string() == letters);
    let by_name = || formats.prefixes().iter().find(|p| p.letters == letters).map(|p| p.family);
    let by_persons = || formats.prefixes().iter().any(|p| p.persons == letters).then_some(PERSONS);
    by_letter
        .or_else(by_name)
        .or_else(by_persons)
        .ok_or_else(|| FormatsError::Family { given: given.to_owned(), known: formats.families().map(|f| f.to_string()).collect() })
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
