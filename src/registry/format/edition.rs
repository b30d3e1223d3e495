//! Editions of a format, and the choice of one for a file.

use super::Family;
use crate::values::Month;

/// One edition, a row of `rules/formats/editions.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// Id in the tables, `3.1-2020-04`.
    pub id: String,
    /// Value of ZGLV/VERSION, `3.1`.
    pub version: String,
    /// First reporting month; `None` when there is no beginning.
    pub from: Option<Month>,
    /// Last reporting month, inclusive; `None` while it is in force.
    pub until: Option<Month>,
    /// How reliably the edition is known: proven, practice, inferred.
    pub basis: String,
    /// Source of this knowledge.
    pub source: String,
}

impl Edition {
    /// Whether the edition is in force in a reporting month.
    pub fn in_force(&self, month: Month) -> bool {
        self.from.is_none_or(|f| f <= month) && self.until.is_none_or(|u| month <= u)
    }
}

/// The edition that a file is checked against, and whether its VERSION is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditionChoice {
    /// VERSION is known, and in force in the reporting period if that is known.
    Right(usize),
    /// VERSION is known but not in force in the period. The second index is the edition in force, if any.
    OutOfPeriod(usize, Option<usize>),
    /// VERSION is unknown; the index is the nearest edition.
    Unknown(usize),
}

impl EditionChoice {
    /// Index of the edition to check against.
    pub fn index(self) -> usize {
        match self {
            Self::Right(i) | Self::OutOfPeriod(i, _) | Self::Unknown(i) => i,
        }
    }
}

/// Chooses among the editions of a family (oldest first, at least one).
///
/// A known VERSION counts more than the period, because the clinic's program wrote that edition. Among editions with the same VERSION the period
/// decides, then the nearest in time. For an unknown VERSION the edition of the period is chosen, otherwise the one with the nearest number.
pub(super) fn choose(editions: &[Edition], version: Option<&str>, period: Option<Month>) -> EditionChoice {
    let in_force = period.and_then(|p| editions.iter().rposition(|e| e.in_force(p)));
    let same: Vec<usize> = version.map_or_else(Vec::new, |v| (0..editions.len()).filter(|i| editions[*i].version == v).collect());
    let Some(&last) = same.last() else {
        let nearest = in_force.unwrap_or_else(|| nearest_number(editions, version));
        return EditionChoice::Unknown(nearest);
    };
    let Some(period) = period else { return EditionChoice::Right(last) };
    if let Some(right) = same.iter().copied().find(|i| editions[*i].in_force(period)) {
        return EditionChoice::Right(right);
    }
    let nearest = same.iter().copied().rev().find(|i| editions[*i].from.is_none_or(|f| f <= period)).unwrap_or(same[0]);
    EditionChoice::OutOfPeriod(nearest, in_force)
}

fn nearest_number(editions: &[Edition], version: Option<&str>) -> usize {
    let number = |text: &str| -> Option<(u32, u32)> {
        let (major, minor) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
        Some((major.parse().ok()?, minor.parse().ok()?))
    };
    let Some(wanted) = version.and_then(number) else { return editions.len() - 1 };
    editions.iter().rposition(|e| number(&e.version).is_some_and(|n| n <= wanted)).unwrap_or(0)
}

/// Family and edition as shown to people: `H 6.0`.
pub(super) fn title(family: Family, edition: &Edition) -> String {
    format!("{family} {}", edition.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn editions() -> Vec<Edition> {
        [
            ("3.0", "3.0", "2018-01", "2018-12"),
            ("3.1", "3.1", "2019-01", "2020-03"),
            ("3.1-2020-04", "3.1", "2020-04", "2024-12"),
            ("5.0", "5.0", "2025-01", ""),
        ]
        .map(|(id, version, from, until)| Edition {
            id: id.into(),
            version: version.into(),
            from: from.parse().ok(),
            until: until.parse().ok(),
            basis: "proven".into(),
            source: String::new(),
        })
        .to_vec()
    }

    fn chosen(version: &str, period: &str) -> EditionChoice {
        choose(&editions(), Some(version), period.parse().ok())
    }

    #[test]
    fn the_period_decides_within_a_version() {
        assert_eq!(chosen("3.1", "2019-03"), EditionChoice::Right(1));
        assert_eq!(chosen("3.1", "2021-02"), EditionChoice::Right(2));
    }

    #[test]
    fn out_of_period_is_still_checked() {
        assert_eq!(chosen("3.1", "2025-02"), EditionChoice::OutOfPeriod(2, Some(3)));
        assert_eq!(chosen("5.0", "2019-02"), EditionChoice::OutOfPeriod(3, Some(1)));
        assert_eq!(chosen("3.1", "2017-02"), EditionChoice::OutOfPeriod(1, None));
    }

    #[test]
    fn unknown_versions_take_the_nearest() {
        assert_eq!(chosen("9.9", "2021-02"), EditionChoice::Unknown(2));
        assert_eq!(choose(&editions(), Some("4.2"), None), EditionChoice::Unknown(2));
        assert_eq!(choose(&editions(), None, None), EditionChoice::Unknown(3));
        assert_eq!(choose(&editions(), Some("1.1"), None), EditionChoice::Unknown(0));
    }
}
