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
    /// The day of the control at the clinic; later dates are future dates.
    pub today: Date,
    /// Limits on archives.
    pub archives: Limits,
    /// Limits on the XML markup.
    pub markup: ScanLimits,
    /// Size of a piece of a file in bytes; findings do not depend on it.
    pub piece: usize,
}

impl Config {
    /// Default limits, with `today` as the day of the control.
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
    /// A row of `rules/structure.csv` is invalid, e.g. names an unknown role.
    pub fn new(catalog: &'t Catalog, formats: &'t Formats) -> Result<Self, TableError> {
        let mut plans = BTreeMap::new();
        for format in formats.all() {
            plans.insert((format.family, format.edition.id.clone()), Plan::new(format, catalog)?);
        }
        Ok(Self { catalog, formats, plans, rules: None })
    }

    /// Adds the federal rules of a rule book that was loaded into this checker's catalog.
    #[must_use]
    pub fn with_rules(self, rules: &'t Rulebook) -> Self {
        Self { rules: Some(rules), ..self }
    }
}
