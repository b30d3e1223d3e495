//! `puomp formats show`: elements of an edition.

use std::io;

use clap::Args;
use serde::Serialize;

use super::rows::{EditionRow, ElementRow};
use super::{FormatsError, edition_of, human};
use crate::cli::flags::ListShape;
use crate::cli::session::Session;
use crate::cli::{Exit, Failure, out};
use crate::registry::format::{Format, Formats, NodeId};
use crate::report::columns::{Columns, fields};
use crate::texts::layout::fit;

/// Arguments of `puomp formats show`.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Family (H, C, T, D, L) or letters of a file name (DP).
    family: String,
    /// Edition as in `puomp formats list`.
    edition: String,
    /// Name or path of an element.
    element: Option<String>,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: ListShape,
}

#[derive(Serialize)]
struct Body<'a> {
    format: EditionRow<'a>,
    elements: &'a [ElementRow<'a>],
}

fields!(
    /// The columns of an element.
    OfElement,
    "formats",
    "elements",
    Path,
    Element,
    Obligation,
    Type,
    Spec,
    MinLength,
    MaxLength,
    Mask,
    Chars,
    Values,
    Book,
    Editions,
    Basis,
    Scope,
    Personal,
    Role,
    NameRu,
    NameEn
);

fn cell(column: OfElement, r: &ElementRow<'_>) -> String {
    let text = |o: Option<&str>| o.unwrap_or_default().to_owned();
    let number = |o: Option<usize>| o.map(|n| n.to_string()).unwrap_or_default();
    match column {
        OfElement::Path => r.path.to_owned(),
        OfElement::Element => r.element.to_owned(),
        OfElement::Obligation => r.obligation.clone(),
        OfElement::Type => r.base.to_string(),
        OfElement::Spec => text(r.spec.as_deref()),
        OfElement::MinLength => number(r.min_length),
        OfElement::MaxLength => number(r.max_length),
        OfElement::Mask => text(r.mask),
        OfElement::Chars => text(r.chars),
        OfElement::Values => text(r.values.as_deref()),
        OfElement::Book => text(r.book),
        OfElement::Editions => r.editions.clone(),
        OfElement::Basis => r.basis.to_owned(),
        OfElement::Scope => r.scope.to_owned(),
        OfElement::Personal => r.personal.to_string(),
        OfElement::Role => text(r.role),
        OfElement::NameRu => r.name_ru.to_owned(),
        OfElement::NameEn => r.name_en.to_owned(),
    }
}

impl ShowArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let formats = Formats::load(session.files)?;
        out::bytes(&self.answer(&formats, session)?)?;
        Ok(Exit::Done)
    }

    pub(super) fn answer(&self, formats: &Formats, session: &Session<'_>) -> Result<Vec<u8>, FormatsError> {
        let (texts, lang) = (session.ui.texts, session.ui.lang);
        let chosen = edition_of(formats, &self.family, &self.edition)?;
        let ids = match &self.element {
            Some(given) => elements(formats, chosen, given)?,
            None => chosen.ids().collect(),
        };
        let rows: Vec<ElementRow<'_>> = ids.into_iter().map(|id| ElementRow::new(formats, chosen, id)).collect();
        Ok(match self.format {
            ListShape::Human if self.element.is_some() => fit(&human::elements(&rows, chosen, formats, texts, lang)).into_bytes(),
            ListShape::Human => fit(&human::table(&rows, chosen, texts, lang)).into_bytes(),
            ListShape::Json => out::json_bytes(&Body { format: EditionRow::new(chosen), elements: &rows })?,
            ListShape::Csv => out::csv_bytes(&Columns::load(session.files).map_err(io::Error::other)?, lang, &rows, cell)?,
        })
    }
}

/// Finds elements by name, path or end of a path, in whatever case.
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
    // The editions of the same family come first: usually the element was dropped with an edition.
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

/// Number of letters to change, insert or remove to turn one name into the other (Levenshtein distance).
pub(super) fn distance(a: &str, b: &str) -> usize {
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
