//! `puomp formats export`: an edition as XML Schema 1.0.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{FormatsError, edition_of};
use crate::cli::say::say;
use crate::cli::session::Session;
use crate::cli::ui::Ui;
use crate::cli::{Exit, Failure, out};
use crate::registry::format::{Formats, write_xsd};
use crate::sys::{Access, AtomicFile};
use crate::texts::Key;

/// Arguments of `puomp formats export`.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Family (H, C, T, D, L) or letters of a file name (DP).
    family: String,
    /// Edition as in `puomp formats list`.
    edition: String,
    /// Where to write the schema; `-` is the standard output.
    #[arg(long, value_name = "FILE")]
    xsd: PathBuf,
}

/// The result of the export.
pub(super) enum Exported {
    /// The schema itself, for the standard output.
    Schema(Vec<u8>),
    /// The schema was written to a file; the text says where.
    Written(String),
}

impl ExportArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let formats = Formats::load(session.files)?;
        match self.answer(&formats, session.ui)? {
            Exported::Schema(bytes) => out::bytes(&bytes)?,
            Exported::Written(remark) if !session.ui.quiet => say(&remark),
            Exported::Written(_) => {}
        }
        Ok(Exit::Done)
    }

    pub(super) fn answer(&self, formats: &Formats, ui: &Ui<'_>) -> Result<Exported, FormatsError> {
        let chosen = edition_of(formats, &self.family, &self.edition)?;
        if self.xsd == Path::new("-") {
            let mut bytes = Vec::new();
            write_xsd(chosen, ui.texts, &mut bytes)?;
            return Ok(Exported::Schema(bytes));
        }
        let written = AtomicFile::create(&self.xsd, Access::Default).and_then(|mut file| {
            write_xsd(chosen, ui.texts, &mut file)?;
            file.commit()
        });
        written.map_err(|error| FormatsError::File { path: self.xsd.clone(), error })?;
        Ok(Exported::Written(ui.texts.fill(Key::FormatsExported, ui.lang, &[("path", &self.xsd.display().to_string())])))
    }
}
