//! The tools of verbs that control packages, made from the tables and the user's settings.

use std::mem;

use super::flags::ControlArgs;
use super::session::Session;
use super::{Failure, control};
use crate::finding::Catalog;
use crate::finding::policy::Policy;
use crate::flk::{Checker, Rulebook};
use crate::registry::format::Formats;
use crate::rules::RULE_TABLES;

/// The tools of the control.
pub(super) struct Tools {
    pub(super) catalog: Catalog,
    pub(super) formats: Formats,
    pub(super) control: Policy,
    book: Rulebook,
}

impl Tools {
    /// Reads the tables and the books.
    pub(super) fn load(session: &Session<'_>, args: &ControlArgs) -> Result<Self, Failure> {
        let files = session.files;
        let mut catalog = Catalog::load(files)?;
        let control = control::policy(args, session)?;
        let books = session.settings.books().map(|books| books.value);
        // The two largest groups of tables are read in parallel: this is most of the time of a run on a small package.
        let rulebook = || Rulebook::load(files, books.as_deref(), &mut catalog, |id| control.runs(id));
        let (formats, book) = rayon::join(|| Formats::load(files), rulebook);
        let (formats, book) = (formats?, book?);
        catalog.reweigh(|id, own| control.severity(id, own));
        if files.overrides(RULE_TABLES) {
            book.prove(&formats)?;
        }
        Ok(Self { catalog, formats, control, book })
    }

    /// Makes the control with the rules of the book.
    pub(super) fn checker(&self) -> Result<Checker<'_>, Failure> {
        Ok(Checker::new(&self.catalog, &self.formats)?.with_rules(&self.book))
    }

    /// Leaves the tables in memory when the program ends: freeing tens of thousands of texts would only take time.
    pub(super) fn leave(self) {
        mem::forget(self);
    }
}
