//! The compiled checks of every format, and the settings of a run.

use std::collections::BTreeMap;

use crate::finding::Catalog;
use crate::registry::archive::Limits;
use crate::registry::chunk::PIECE;
use crate::registry::format::{Family, Formats};
use crate::registry::scan::ScanLimits;
use crate::tables::TableError;
use crate::values::Date;

use super::plan::Plan;
use super::rulebook::Rulebook;

/// Settings of a run.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// The day on which the control runs, at the clinic: dates after it are of the future.
    pub today: Date,
    /// Bounds of archives.
    pub archives: Limits,
    /// Bounds of the markup.
    pub markup: ScanLimits,
    /// Bytes of a file that are checked at once; findings do not depend on it.
    pub piece: usize,
}

impl Config {
    /// The usual bounds, on a day.
    pub fn on(today: Date) -> Self {
        Self { today, archives: Limits::default(), markup: ScanLimits::default(), piece: PIECE }
    }
}

/// The compiled checks of every format.
#[derive(Debug)]
pub struct Checker<'t> {
    pub(super) catalog: &'t Catalog,
    pub(super) formats: &'t Formats,
    pub(super) plans: BTreeMap<(Family, String), Plan>,
    pub(super) rules: Option<&'t Rulebook>,
}

impl<'t> Checker<'t> {
    /// Compiles the structural checks for every format.
    ///
    /// # Errors
    /// A row of `rules/structure.csv` names what no format has.
    pub fn new(catalog: &'t Catalog, formats: &'t Formats) -> Result<Self, TableError> {
        let mut plans = BTreeMap::new();
        for format in formats.all() {
            plans.insert((format.family, format.edition.id.clone()), Plan::new(format, catalog)?);
        }
        Ok(Self { catalog, formats, plans, rules: None })
    }

    /// The same with the rules of a book, which were added to this checker's catalog when it was loaded.
    #[must_use]
    pub fn with_rules(self, rules: &'t Rulebook) -> Self {
        Self { rules: Some(rules), ..self }
    }
}
