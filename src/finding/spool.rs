//! Findings in order, however many there are.

use std::collections::BTreeMap;
use std::io;

use super::{Finding, RuleIx};

/// An append-only list of findings with a count for each rule.
#[derive(Debug, Default)]
pub struct Spool {
    findings: Vec<Finding>,
    counts: BTreeMap<RuleIx, u64>,
}

impl Spool {
    /// Appends one finding.
    ///
    /// # Errors
    /// The spill file cannot be written.
    pub fn push(&mut self, finding: Finding) -> io::Result<()> {
        *self.counts.entry(finding.rule).or_default() += 1;
        self.findings.push(finding);
        Ok(())
    }

    /// Number of findings.
    pub fn len(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// How many findings each rule has.
    pub fn counts(&self) -> &BTreeMap<RuleIx, u64> {
        &self.counts
    }

    /// The findings in the order in which they were pushed.
    ///
    /// # Errors
    /// The spill file cannot be read.
    pub fn iter(&self) -> io::Result<impl Iterator<Item = io::Result<Finding>> + '_> {
        Ok(self.findings.iter().cloned().map(Ok))
    }
}
