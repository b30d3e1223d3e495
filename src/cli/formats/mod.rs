//! `puomp formats`: the tables of the formats for people, programs and developers of a MIS.

mod human;
mod machine;
mod rows;

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::args::ListShape;
use crate::registry::format::{Family, Format, Formats, NodeId, PERSONS, write_xsd};
use crate::sys::{Access, AtomicFile};
use crate::texts::{Coded, Key, Lang, Slot, Texts, display};

/// Arguments of `puomp formats`.
#[derive(Debug, Clone, Args)]
pub(super) struct FormatsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Families and their editions
    List {
        /// Form of the answer
        #[arg(long, value_enum, default_value_t)]
        format: ListShape,
    },
    /// Elements of an edition
    Show {
        /// Family (H, C, T, D, L) or letters of a file name (DP)
        family: String,
        /// Edition as in `puomp formats list`
        edition: String,
        /// Name or path of an element
        element: Option<String>,
        /// Form of the answer
        #[arg(long, value_enum, default_value_t)]
        format: ListShape,
    },
    /// An edition as XML Schema 1.0
    Export {
        /// Family (H, C, T, D, L) or letters of a file name (DP)
        family: String,
        /// Edition as in `puomp formats list`
        edition: String,
        /// Where to write the schema; `-` is the standard output
        #[arg(long, value_name = "FILE")]
        xsd: PathBuf,
    },
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

    /// Where the element is, what is like it, and the command that shows all.
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

/// Answers on `out`; what is left to say beside the answer, such as where a file was written, is returned.
///
/// # Errors
/// See [`FormatsError`]; nothing has been written then, but for a failing output.
pub(super) fn run(args: &FormatsArgs, formats: &Formats, texts: &Texts, lang: Lang, out: &mut dyn Write) -> Result<Option<String>, FormatsError> {
    match &args.command {
        Command::List { format } => {
            let list: Vec<rows::EditionRow<'_>> = formats.all().map(|f| rows::EditionRow::new(f)).collect();
            match format {
                ListShape::Human => human::list(&list, formats, texts, lang, out)?,
                ListShape::Json => machine::list_json(&list, out)?,
                ListShape::Csv => machine::csv(&list, out)?,
            }
        }
        Command::Show { family, edition, element, format } => {
            let chosen = edition_of(formats, family, edition)?;
            let ids = match element {
                Some(given) => elements(formats, chosen, given)?,
                None => chosen.ids().collect(),
            };
            let list: Vec<rows::ElementRow<'_>> = ids.into_iter().map(|id| rows::ElementRow::new(formats, chosen, id)).collect();
            match format {
                ListShape::Human if element.is_some() => human::elements(&list, chosen, formats, texts, lang, out)?,
                ListShape::Human => human::table(&list, chosen, texts, lang, out)?,
                ListShape::Json => machine::show_json(chosen, &list, out)?,
                ListShape::Csv => machine::csv(&list, out)?,
            }
        }
        Command::Export { family, edition, xsd } => {
            let chosen = edition_of(formats, family, edition)?;
            if xsd == Path::new("-") {
                let mut bytes = Vec::new();
                write_xsd(chosen, texts, &mut bytes)?;
                out.write_all(&bytes)?;
            } else {
                let written = AtomicFile::create(xsd, Access::Default).and_then(|mut file| {
                    write_xsd(chosen, texts, &mut file)?;
                    file.commit()
                });
                written.map_err(|error| FormatsError::File { path: xsd.clone(), error })?;
                return Ok(Some(texts.fill(Key::FormatsExported, lang, &[("path", &xsd.display().to_string())])));
            }
        }
    }
    out.flush()?;
    Ok(None)
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

/// Elements of a name, a path or the end of a path, whatever the case.
fn elements(formats: &Formats, format: &Format, given: &str) -> Result<Vec<NodeId>, FormatsError> {
    let wanted = given.trim_matches('/').to_uppercase();
    let found = named(format, &wanted);
    if !found.is_empty() {
        return Ok(found);
    }
    let name = wanted.rsplit('/').next().unwrap_or(&wanted);
    let mut similar: Vec<(usize, &str)> = Vec::new();
    for node in format.nodes() {
        let distance = distance(name, &node.name);
        if (distance <= 2 && distance < name.len().max(2) || name.len() >= 3 && node.name.contains(name)) && !similar.iter().any(|s| *s.1 == *node.path) {
            similar.push((distance, &node.path));
        }
    }
    similar.sort();
    let title = |f: &Format| format!("{} {}", f.family, f.edition.id);
    // The family itself first: an element gone with an edition is the usual case.
    let (own, others): (Vec<&Format>, Vec<&Format>) =
        formats.all().map(AsRef::as_ref).filter(|f: &&Format| !named(f, &wanted).is_empty()).partition(|f| f.family == format.family);
    Err(FormatsError::Element {
        family: format.family,
        edition: format.edition.id.clone(),
        given: given.to_owned(),
        similar: similar.into_iter().take(8).map(|(_, path)| path.to_owned()).collect(),
        elsewhere: own.into_iter().chain(others).map(title).collect(),
    })
}

fn named(format: &Format, wanted: &str) -> Vec<NodeId> {
    let ends = |path: &str| path.strip_suffix(wanted).is_some_and(|head| head.is_empty() || head.ends_with('/'));
    format.ids().filter(|id| ends(&format.node(*id).path.to_uppercase())).collect()
}

/// How many letters one must change, insert or leave out to come from one name to the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(x != y)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests;
