//! Sums and keys that grow while a file is walked.

use crate::finding::Place;

/// A running sum in kopecks. `broken` means that an addend is missing or unreadable; a comparison would only repeat that finding.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Running {
    pub(super) kopecks: i128,
    pub(super) addends: u64,
    pub(super) broken: bool,
}

impl Running {
    pub(super) fn add(&mut self, amount: Option<i64>) {
        self.addends += 1;
        match amount {
            Some(amount) => self.kopecks += i128::from(amount),
            None => self.broken = true,
        }
    }

    /// Joins the sum of a later piece.
    pub(super) fn join(&mut self, other: Self) {
        self.kopecks += other.kopecks;
        self.addends += other.addends;
        self.broken |= other.broken;
    }
}

/// A sum within a block, and the total in kopecks that the block states.
#[derive(Debug, Default)]
pub(super) struct LocalSum {
    pub(super) running: Running,
    pub(super) total: Option<(i64, Place)>,
}

/// The texts of a key within a block.
#[derive(Debug, Default)]
pub(super) struct LocalKeys {
    pub(super) texts: Vec<u8>,
    /// End of each text in `texts` and place of its element.
    pub(super) ends: Vec<(usize, Place)>,
}

impl LocalKeys {
    pub(super) fn clear(&mut self) {
        self.texts.clear();
        self.ends.clear();
    }
}
