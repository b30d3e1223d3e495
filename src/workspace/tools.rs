//! What control and forming need beside the workspace.

use std::io;

use crate::finding::Catalog;
use crate::flk::{self, Checker, PackageReport};
use crate::forming::Former;
use crate::registry::format::Formats;

/// The tools of a run: made once by the caller, used by every command that takes in or forms.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// The control.
    pub checker: &'a Checker<'a>,
    /// Its rules.
    pub catalog: &'a Catalog,
    /// The formats.
    pub formats: &'a Formats,
    /// The writer of registries.
    pub former: &'a Former<'a>,
    /// Bounds of the control.
    pub config: &'a flk::Config,
}

impl std::fmt::Debug for Tools<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tools").finish_non_exhaustive()
    }
}

/// Takes the findings out of a report that the user's settings say do not count.
pub type FindingFilter<'j> = &'j mut dyn FnMut(&mut PackageReport) -> io::Result<()>;
