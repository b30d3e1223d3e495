//! What control and forming need besides the workspace.

use std::io;

use crate::finding::Catalog;
use crate::flk::{self, Checker, PackageReport};
use crate::forming::Former;
use crate::registry::format::Formats;

/// The tools of one run; the caller makes them once for all commands that load or form.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// The control.
    pub checker: &'a Checker<'a>,
    /// The catalogue of the control's rules.
    pub catalog: &'a Catalog,
    /// The formats of registry files.
    pub formats: &'a Formats,
    /// The writer of registries.
    pub former: &'a Former<'a>,
    /// Limits of the control.
    pub config: &'a flk::Config,
}

impl std::fmt::Debug for Tools<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tools").finish_non_exhaustive()
    }
}

/// Removes from a report the findings that the user's settings exclude.
pub type FindingFilter<'j> = &'j mut dyn FnMut(&mut PackageReport) -> io::Result<()>;
