//! The policy that decides which findings count: selected rules, suppressions with a reason and a last day, and the baseline of earlier findings.
//!
//! Rules are named by their ids or by a prefix of them (`006F`, `S`), never by their kind: several rules may have the same id.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use glob::{MatchOptions, Pattern};
use sha2::{Digest, Sha256};

use super::{Finding, Mends, Rule};
use crate::sys::{Access, AtomicFile};
use crate::texts::Severity;
use crate::values::Date;

/// The level that the user gives to a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The rule does not run.
    Off,
    /// The findings of the rule have this severity.
    As(Severity),
}

/// What happens to one finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The finding is shown and counts.
    Keep,
    /// Hidden by a suppression that is in force.
    Suppressed,
    /// Hidden because the baseline contains it.
    Baseline,
    /// The rule is off or not selected.
    Off,
    /// Somebody else mends it than the user asked for.
    Others,
}

/// An instruction to hide certain findings until a day, for a stated reason.
#[derive(Debug, Clone)]
pub struct Suppression {
    /// Id of the rule or a prefix of it.
    pub rule: String,
    /// Why the findings are hidden.
    pub reason: String,
    /// The last day on which it is in force.
    pub until: Date,
    /// Only in files whose names match this pattern, regardless of letter case.
    pub file: Option<Pattern>,
    /// Only at this element, given by its name or its whole path.
    pub element: Option<String>,
    /// Only in the completed case with this IDCASE.
    pub idcase: Option<String>,
    /// Only in the record with this N_ZAP.
    pub n_zap: Option<String>,
}

impl Suppression {
    fn covers(&self, finding: &Finding, rule: &Rule, names: Names<'_>) -> bool {
        let options = MatchOptions { case_sensitive: false, ..MatchOptions::default() };
        let of_key = |wanted: &Option<String>, key: &Option<Box<str>>| wanted.as_deref().is_none_or(|w| key.as_deref() == Some(w));
        rule.id.starts_with(&self.rule)
            && self.file.as_ref().is_none_or(|f| names.file.is_some_and(|name| f.matches_with(name, options)))
            && self.element.as_deref().is_none_or(|e| finding.element() == e || &*finding.path == e)
            && of_key(&self.idcase, &finding.keys.idcase)
            && of_key(&self.n_zap, &finding.keys.n_zap)
    }
}

/// The names of the file and the package in which a finding lies.
#[derive(Debug, Clone, Copy, Default)]
pub struct Names<'a> {
    /// Name of the file that the finding is about.
    pub file: Option<&'a str>,
    /// Name of the package's main file, or of its archive when there is no main file.
    pub package: &'a str,
}

/// The policy itself. The default keeps all findings.
#[derive(Debug, Default)]
pub struct Policy {
    select: Vec<String>,
    ignore: Vec<String>,
    levels: Vec<(String, Level)>,
    suppressions: Vec<Suppression>,
    expired: Vec<Suppression>,
    baseline: Option<Mutex<BTreeMap<Fingerprint, u64>>>,
    /// Only what these can mend; none for all.
    menders: Vec<Mends>,
}

impl Policy {
    /// A policy for the day `today`. An empty `select` selects every rule. Suppressions whose last day is before `today` do not apply.
    pub fn new(select: Vec<String>, ignore: Vec<String>, levels: Vec<(String, Level)>, suppressions: Vec<Suppression>, today: Date) -> Self {
        let (suppressions, expired) = suppressions.into_iter().partition(|s| s.until >= today);
        Self { select, ignore, levels, suppressions, expired, baseline: None, menders: Vec::new() }
    }

    /// The same policy that also hides the findings of a baseline, each as many times as the baseline counts it.
    #[must_use]
    pub fn with_baseline(self, baseline: Baseline) -> Self {
        Self { baseline: Some(Mutex::new(baseline.entries)), ..self }
    }

    /// The same policy that also hides what nobody of `menders` can mend; an empty list hides nothing.
    #[must_use]
    pub fn mendable(self, menders: Vec<Mends>) -> Self {
        Self { menders, ..self }
    }

    /// Whether this policy can hide a finding. When not, no spool needs to be filtered.
    pub fn is_in_force(&self) -> bool {
        let off = self.levels.iter().any(|(_, level)| *level == Level::Off);
        off || self.baseline.is_some() || !self.menders.is_empty() || !(self.select.is_empty() && self.ignore.is_empty() && self.suppressions.is_empty())
    }

    /// Suppressions whose last day has passed; the report lists them.
    pub fn expired(&self) -> &[Suppression] {
        &self.expired
    }

    /// Whether a rule runs. The longer of the prefixes that match its id decides; of two equally long ones, `ignore` wins.
    pub fn runs(&self, id: &str) -> bool {
        let longest = |list: &[String]| list.iter().filter(|p| id.starts_with(p.as_str())).map(|p| p.len()).max();
        let runs = match (longest(&self.select), longest(&self.ignore)) {
            (selected, None) => selected.is_some() || self.select.is_empty(),
            (None, Some(_)) => false,
            (Some(selected), Some(ignored)) => selected > ignored,
        };
        runs && self.level(id) != Some(Level::Off)
    }

    /// The level that the user gave to a rule: that of the longest matching prefix; of equally long ones, the last.
    pub fn level(&self, id: &str) -> Option<Level> {
        self.levels.iter().filter(|(prefix, _)| id.starts_with(prefix.as_str())).max_by_key(|(prefix, _)| prefix.len()).map(|(_, level)| *level)
    }

    /// The severity of a rule that runs; `own` is the rule's own severity.
    pub fn severity(&self, id: &str, own: Severity) -> Severity {
        match self.level(id) {
            Some(Level::As(severity)) => severity,
            Some(Level::Off) | None => own,
        }
    }

    /// The verdict on a finding. Each call may use up one entry of the baseline, so every finding must be judged once, and packages in order.
    pub fn judge(&self, finding: &Finding, rule: &Rule, names: Names<'_>) -> Verdict {
        if !self.runs(&rule.id) {
            return Verdict::Off;
        }
        if !self.menders.is_empty() && !self.menders.contains(&rule.mends) {
            return Verdict::Others;
        }
        if self.suppressions.iter().any(|s| s.covers(finding, rule, names)) {
            return Verdict::Suppressed;
        }
        if let Some(baseline) = &self.baseline {
            let mut left = baseline.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(count) = left.get_mut(&Fingerprint::of(finding, rule, names.package)).filter(|n| **n > 0) {
                *count -= 1;
                return Verdict::Baseline;
            }
        }
        Verdict::Keep
    }

    /// How many findings of the baseline were not found again; `None` without a baseline. Valid after the last package.
    pub fn gone(&self) -> Option<u64> {
        self.baseline.as_ref().map(|b| b.lock().unwrap_or_else(PoisonError::into_inner).values().sum())
    }
}

/// A finding as the baseline keeps it: the first 16 bytes of a SHA-256 that does not depend on the finding's place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The fingerprint of a finding, made of rule, package, element path, record numbers and value. A personal value is masked first: the few
    /// digits of a document number could be guessed from their digest.
    pub fn of(finding: &Finding, rule: &Rule, package: &str) -> Self {
        let package = identity(package);
        let finding = &finding.clone().masked();
        let keys = &finding.keys;
        let optional = [&keys.n_zap, &keys.idcase, &keys.sl_id, &keys.idserv, &keys.id_pac, &finding.value];
        let parts = [Some(rule.id.as_str()), Some(package.as_str()), Some(&*finding.path)].into_iter().chain(optional.map(|o| o.as_deref()));
        let mut hasher = Sha256::new();
        for part in parts {
            // The length precedes the content, so that different lists of parts never give the same bytes; an absent part differs from an empty
            // one.
            hasher.update(part.map_or(u64::MAX, |p| p.len() as u64).to_le_bytes());
            hasher.update(part.unwrap_or_default());
        }
        let mut short = [0; 16];
        short.copy_from_slice(&hasher.finalize()[..16]);
        Self(short)
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        digits.then(|| u128::from_str_radix(text, 16).ok()).flatten().map(|n| Self(n.to_be_bytes()))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// Name of a main file without folder, extension and packet number. It is the same for every export of one clinic, payer and month.
fn identity(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_uppercase();
    match stem.rsplit_once('_') {
        Some((parties, number)) if number.len() > 4 && number.bytes().all(|b| b.is_ascii_digit()) => format!("{parties}_{}", &number[..4]),
        _ => stem,
    }
}

/// Earlier findings: fingerprints, and how many times each occurred.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Baseline {
    entries: BTreeMap<Fingerprint, u64>,
}

/// First line of a baseline file; the number is the version of the file format.
const HEADER: &str = "puomp baseline 1";

impl Baseline {
    /// Adds one finding.
    pub fn add(&mut self, finding: &Finding, rule: &Rule, package: &str) {
        *self.entries.entry(Fingerprint::of(finding, rule, package)).or_default() += 1;
    }

    /// Number of findings, counting repeated ones.
    pub fn len(&self) -> u64 {
        self.entries.values().sum()
    }

    /// Whether there are no findings.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Reads the text of a baseline file.
    ///
    /// # Errors
    /// The number, from 1, of the first bad line. The header comes first, then lines of `fingerprint count`, sorted and without repetitions.
    pub fn parse(text: &str) -> Result<Self, usize> {
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            return Err(1);
        }
        let mut entries: BTreeMap<Fingerprint, u64> = BTreeMap::new();
        for (number, line) in lines.enumerate().map(|(i, line)| (i + 2, line)) {
            let (print, count) = line.split_once(' ').ok_or(number)?;
            let print = Fingerprint::parse(print).ok_or(number)?;
            // A bound that no run reaches; it keeps the total from overflowing.
            let count = count.parse().ok().filter(|n| (1..=u64::from(u32::MAX)).contains(n)).ok_or(number)?;
            if entries.last_key_value().is_some_and(|(last, _)| *last >= print) {
                return Err(number);
            }
            entries.insert(print, count);
        }
        Ok(Self { entries })
    }

    /// Writes the file atomically.
    ///
    /// # Errors
    /// The folder does not exist or cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = AtomicFile::create(path, Access::Default)?;
        writeln!(file, "{HEADER}")?;
        for (print, count) in &self.entries {
            writeln!(file, "{print} {count}")?;
        }
        file.flush()?;
        file.commit()
    }
}

#[cfg(test)]
mod tests;
