//! Which books the rules of today ask.

use std::path::Path;

use crate::cli::Failure;
use crate::cli::session::Session;
use crate::nsi::Books;
use crate::registry::format::Formats;
use crate::rules::{Asked, Conventions, RULE_TABLES, Survey, load};

/// The books that the rules in force today ask, with the rules that ask them.
pub(super) fn asked(session: &Session<'_>, folder: Option<&Path>) -> Result<Asked, Failure> {
    let files = session.files;
    let (formats, books, conventions) = (Formats::load(files)?, Books::load(files, folder)?, Conventions::load(files)?);
    let survey = Survey { formats: &formats, books: &books, conventions: &conventions };
    Ok(survey.asked(&load(files, RULE_TABLES)?, session.today())?)
}
