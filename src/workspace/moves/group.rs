//! Groups of cases that go into one registry, and the values that they share.

use std::collections::BTreeMap;
use std::io;

use super::chosen::ChosenCases;
use crate::values::{Date, Month};
use crate::workspace::store::{PackageRow, Total};

/// The cases of one registry to be formed.
#[derive(Debug)]
pub struct Group {
    /// The values that the cases share.
    pub(super) key: Key,
    /// Reporting month.
    pub(super) period: Month,
    /// Sum, kopecks.
    pub sum: i64,
    /// The latest account date of the packages that the cases come from; `None` when none of them has a date.
    pub(super) date: Option<Date>,
    pub(super) chosen: ChosenCases,
}

/// What cases of one registry have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) mo: String,
    pub(super) payer: String,
    pub(super) receiver: String,
    pub(super) letters: String,
    pub(super) family: String,
    pub(super) edition: String,
    pub(super) persons_edition: String,
    pub(super) kind: String,
    pub(super) subdivision: String,
    pub(super) binding: String,
}

impl Key {
    /// Whether cases of a package may join this group, judged by the head of the package and by who receives them.
    pub(super) fn is_of(&self, package: &Package, receiver: &str) -> bool {
        let own = &package.key;
        (&self.mo, &*self.receiver, &self.letters, &self.family, &self.edition, &self.persons_edition, &self.binding)
            == (&own.mo, receiver, &own.letters, &own.family, &own.edition, &own.persons_edition, &own.binding)
    }
}

impl Group {
    /// Code of the clinic.
    pub fn mo(&self) -> &str {
        &self.key.mo
    }

    /// Code of the insurer; empty or `T14` for a fund.
    pub fn payer(&self) -> &str {
        &self.key.payer
    }

    /// The receiver of its file, such as `S14002`.
    pub fn receiver(&self) -> &str {
        &self.key.receiver
    }

    /// Kind of care.
    pub fn kind(&self) -> &str {
        &self.key.kind
    }

    /// How many cases.
    pub fn cases(&self) -> usize {
        self.chosen.len()
    }

    /// Ids of the cases.
    pub(super) fn ids(&self) -> io::Result<Vec<i64>> {
        self.chosen.iter().map(|case| Ok(case?.id)).collect()
    }

    pub(super) fn total(&self) -> Total {
        Total { cases: self.chosen.len() as i64, sum: self.sum }
    }
}

/// Packages by the code of the clinic and the id.
pub(super) type Packages = BTreeMap<(String, i64), Package>;

/// A loaded package and the values of its head by which cases are grouped.
pub(super) struct Package {
    /// Where its files are kept.
    pub(super) row: PackageRow,
    pub(super) key: Key,
    /// DSCHET; `None` when it is not a valid date.
    pub(super) date: Option<Date>,
}
