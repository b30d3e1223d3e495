//! `puomp formats list`: families and their editions.

use std::io;

use clap::Args;
use serde::Serialize;

use super::rows::EditionRow;
use super::{FormatsError, human};
use crate::cli::flags::ListShape;
use crate::cli::session::Session;
use crate::cli::{Exit, Failure, out};
use crate::registry::format::Formats;
use crate::report::columns::{Columns, fields};
use crate::texts::layout::fit;

/// Arguments of `puomp formats list`.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: ListShape,
}

#[derive(Serialize)]
struct Body<'a> {
    formats: &'a [EditionRow<'a>],
}

fields!(
    /// The columns of an edition.
    OfEdition,
    "formats",
    "editions",
    Family,
    Edition,
    Version,
    From,
    Until,
    Basis,
    Elements,
    Source
);

fn cell(column: OfEdition, r: &EditionRow<'_>) -> String {
    match column {
        OfEdition::Family => r.family.to_string(),
        OfEdition::Edition => r.edition.to_owned(),
        OfEdition::Version => r.version.to_owned(),
        OfEdition::From => r.from.clone().unwrap_or_default(),
        OfEdition::Until => r.until.clone().unwrap_or_default(),
        OfEdition::Basis => r.basis.to_owned(),
        OfEdition::Elements => r.elements.to_string(),
        OfEdition::Source => r.source.to_owned(),
    }
}

impl ListArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let formats = Formats::load(session.files)?;
        out::bytes(&self.answer(&formats, session)?)?;
        Ok(Exit::Done)
    }

    pub(super) fn answer(&self, formats: &Formats, session: &Session<'_>) -> Result<Vec<u8>, FormatsError> {
        let rows: Vec<EditionRow<'_>> = formats.all().map(|f| EditionRow::new(f)).collect();
        Ok(match self.format {
            ListShape::Human => fit(&human::list(&rows, formats, session.ui.texts, session.ui.lang)).into_bytes(),
            ListShape::Json => out::json_bytes(&Body { formats: &rows })?,
            ListShape::Csv => out::csv_bytes(&Columns::load(session.files).map_err(io::Error::other)?, session.ui.lang, &rows, cell)?,
        })
    }
}
