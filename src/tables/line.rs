//! A line of a table.

use std::borrow::Cow;
use std::fmt;

/// The folder of all regions.
pub(super) const FOLDER: &str = "regions/";

/// A line of a table: its number, counted from 1 (0 for the table as a whole), and the region whose file it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Line {
    number: u64,
    /// The code of the region; `None` for the federal table.
    region: Option<[u8; 2]>,
}

impl Line {
    /// A line of the federal table.
    pub(super) fn of_table(number: u64) -> Self {
        Self { number, region: None }
    }

    /// A line of a region's table.
    pub(super) fn of_region(number: u64, code: [u8; 2]) -> Self {
        Self { number, region: Some(code) }
    }

    /// The number.
    pub fn number(self) -> u64 {
        self.number
    }

    /// The name of the file that has this line: the table's own, or that of the region's table.
    pub fn file_of(self, table: &str) -> Cow<'_, str> {
        match self.region {
            None => Cow::Borrowed(table),
            Some(code) => Cow::Owned(format!("{FOLDER}{}/{table}", String::from_utf8_lossy(&code))),
        }
    }
}

impl From<u64> for Line {
    fn from(number: u64) -> Self {
        Self::of_table(number)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number.fmt(f)
    }
}
