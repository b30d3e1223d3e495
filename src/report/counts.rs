//! Counts of findings by rule, by doctor and by unit, for the formats that show them.

use std::collections::BTreeMap;

use crate::finding::{CaseFacts, Catalog, Fact, Finding, RuleIx};
use crate::texts::Severity;
use crate::values::without_person_number;

/// Numbers of findings by severity, and the rules that they break.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) errors: i64,
    pub(super) warnings: i64,
    pub(super) infos: i64,
    rules: Vec<RuleIx>,
}

impl Count {
    fn add(&mut self, rule: RuleIx, severity: Severity) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Info => self.infos += 1,
        }
        if let Err(at) = self.rules.binary_search(&rule) {
            self.rules.insert(at, rule);
        }
    }

    /// Number of different rules.
    pub(super) fn rules(&self) -> i64 {
        self.rules.len() as i64
    }

    /// Findings of every severity.
    pub(super) fn all(&self) -> i64 {
        self.errors + self.warnings + self.infos
    }
}

/// Findings of one rule, and the packages that have them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OfRule {
    pub(super) findings: i64,
    pub(super) packages: i64,
}

/// What the reports show of doctors: each has a label of its own, even where only the last digits of a code are shown.
#[derive(Debug, Default)]
pub(super) struct Doctors {
    show_personal: bool,
    labels: BTreeMap<Box<str>, Box<str>>,
    /// How many doctors have the same last digits.
    same: BTreeMap<String, u32>,
}

impl Doctors {
    pub(super) fn new(show_personal: bool) -> Self {
        Self { show_personal, ..Self::default() }
    }

    /// What is shown for a doctor's code: the code, or its last digits, with a running number if another code has the same.
    pub(super) fn label(&mut self, code: &str) -> &str {
        if !self.labels.contains_key(code) {
            let shown = if self.show_personal { code.to_owned() } else { without_person_number(code) };
            let number = self.same.entry(shown.clone()).and_modify(|n| *n += 1).or_insert(1);
            let label = if *number == 1 { shown } else { format!("{shown} ({number})") };
            self.labels.insert(code.into(), label.into());
        }
        self.labels.get(code).map_or("", |label| label)
    }
}

/// The counts of a run.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) rules: BTreeMap<RuleIx, OfRule>,
    /// By the label of the doctor; empty for findings without one.
    pub(super) doctors: BTreeMap<String, Count>,
    /// By subdivision and department, as reports show them.
    pub(super) units: BTreeMap<(String, String), Count>,
}

impl Counts {
    /// Adds the findings of a package by rule.
    pub(super) fn package(&mut self, findings: &BTreeMap<RuleIx, u64>) {
        for (rule, count) in findings {
            let own = self.rules.entry(*rule).or_default();
            own.findings += i64::try_from(*count).unwrap_or(i64::MAX);
            own.packages += 1;
        }
    }

    /// Adds a finding as it is shown: with its case's facts masked, and its doctor by the label.
    pub(super) fn finding(&mut self, finding: &Finding, catalog: &Catalog, doctor: &str) {
        let severity = catalog.rule(finding.rule).severity;
        let case = finding.case.as_deref();
        let of = |fact| case.and_then(|c: &CaseFacts| c.get(fact)).unwrap_or_default().to_owned();
        match self.doctors.get_mut(doctor) {
            Some(count) => count.add(finding.rule, severity),
            None => self.doctors.entry(doctor.to_owned()).or_default().add(finding.rule, severity),
        }
        self.units.entry((of(Fact::Subdivision), of(Fact::Unit))).or_default().add(finding.rule, severity);
    }
}

/// Entries with the most findings first.
pub(super) fn by_size<K>(counts: &BTreeMap<K, Count>) -> Vec<(&K, &Count)> {
    let mut all: Vec<_> = counts.iter().collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse((count.errors, count.all())));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doctors_with_the_same_last_digits_are_told_apart() {
        let mut doctors = Doctors::new(false);
        for (code, label) in [("90055517661", "…7661"), ("90011117661", "…7661 (2)"), ("102", "102"), ("90055517661", "…7661"), ("90022227661", "…7661 (3)")]
        {
            assert_eq!(doctors.label(code), label);
        }
        assert_eq!(Doctors::new(true).label("90055517661"), "90055517661");
    }
}
