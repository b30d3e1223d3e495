//! Checks across records and files: numbers that must not repeat, persons that must occur in both files.

use std::io;

use crate::finding::spool::Spool;
use crate::finding::{Check, Finding, RuleIx};
use crate::registry::package::{Member, Package};
use crate::texts::{Lang, Severity, Text};

use super::checker::Checker;
use super::file::Compared;
use super::judge::carried;
use super::keyset::{self, Side};
use super::locate::locate;
use super::member::Checked;
use super::outcome::NotExecuted;
use super::rulebook::PackageRules;
use super::walk::Mark;

impl Checker<'_> {
    /// Compares keys within each file and between both files. Checks between files that cannot be compared go to `not_executed`.
    pub(super) fn relate<'p>(
        &self,
        package: &Package,
        rules: Option<&PackageRules<'_>>,
        persons: Option<&mut Checked<'p>>,
        main: Option<&mut Checked<'p>>,
        container: &Spool,
        not_executed: &mut Vec<NotExecuted>,
    ) -> io::Result<()> {
        let joined = persons.as_ref().is_some_and(|p| !p.unread) && main.as_ref().is_some_and(|m| !m.unread);
        // Where there is no file at all, nothing of them is left to compare.
        if !joined && (persons.is_some() || main.is_some()) {
            let reason = self.first_message(container, persons.as_deref(), main.as_deref())?;
            let has_persons = main.as_ref().and_then(|m| m.format).is_none_or(|f| self.formats.has_persons(f.family));
            for check in [Check::PersonAbsent, Check::PersonIdle].into_iter().filter(|_| has_persons) {
                not_executed.push(NotExecuted {
                    rule: self.catalog.rule(self.catalog.of(check)).id.clone(),
                    reason: reason.clone(),
                    book: None,
                    partly: false,
                });
            }
        }
        let mut sides: Vec<(&Member, &mut Checked<'p>)> = Vec::new();
        let mut join: Vec<(usize, RuleIx, keyset::KeySet, Option<RuleIx>)> = Vec::new();
        let mut marks: Vec<Vec<Mark>> = Vec::new();
        for (member, checked) in [(&package.persons, persons), (&package.main, main)] {
            let (Some(member), Some(checked)) = (member, checked) else { continue };
            let Some(context) = checked.context.filter(|_| !checked.unread) else { continue };
            let side = sides.len();
            let mut own = Vec::new();
            for (key, set) in context.plan.keys.iter().zip(std::mem::take(&mut checked.outcome.keys)) {
                match (key.absent.filter(|_| joined), key.unique) {
                    (Some(absent), unique) => join.push((side, carried(rules, absent), set, unique)),
                    (None, Some(rule)) => keyset::repeated(set.into_sorted()?, |k| own.push((k.offset, rule)))?,
                    (None, None) => {}
                }
            }
            if let Some((rule, _)) = context.plan.same_person {
                keyset::repeated(std::mem::take(&mut checked.outcome.identities).into_sorted()?, |k| own.push((k.offset, rule)))?;
            }
            for Compared { rule, keys, sizes } in std::mem::take(&mut checked.outcome.compared) {
                keyset::repeated(keys.into_sorted()?, |k| own.push((k.offset, rule)))?;
                own.extend(sizes.odd().into_iter().map(|offset| (offset, rule)));
            }
            marks.push(own);
            sides.push((member, checked));
        }
        if let [(left, absent_left, _, unique_left), (right, absent_right, _, unique_right)] = join.as_slice() {
            let rules = [(*left, *absent_left, *unique_left), (*right, *absent_right, *unique_right)];
            let mut sets = join.into_iter().map(|j| j.2);
            if let (Some(a), Some(b)) = (sets.next(), sets.next()) {
                let (a, b) = rayon::join(|| a.into_sorted(), || b.into_sorted());
                let (mut again, mut alone) = (Vec::new(), Vec::new());
                keyset::compare(a?, b?, |side, key| again.push((side, key)), |side, key| alone.push((side, key)))?;
                let of = |side: Side| rules[usize::from(side == Side::Right)];
                for (side, key) in again {
                    if let (side, _, Some(rule)) = of(side) {
                        marks[side].push((key.offset, rule));
                    }
                }
                for (side, key) in alone {
                    let (side, rule, _) = of(side);
                    marks[side].push((key.offset, rule));
                }
            }
        }
        for ((member, checked), mut marks) in sides.into_iter().zip(marks) {
            let Some(context) = checked.context else { continue };
            marks.sort_unstable();
            // An entry whose ID_PAC repeats is reported as a repetition only, not also as the same person.
            let repetition = context.plan.keys.iter().find_map(|k| k.unique.filter(|_| k.absent.is_some()));
            let weaker = context.plan.same_person.map(|(rule, _)| rule);
            let repeated: Vec<u64> = marks.iter().filter(|m| Some(m.1) == repetition).map(|m| m.0).collect();
            marks.retain(|m| Some(m.1) != weaker || repeated.binary_search(&m.0).is_err());
            // Of a record that stands twice a rule that yields says nothing new.
            let mut last: Option<(Box<str>, RuleIx)> = None;
            locate(&member.source, context, checked.outcome.tangled, &marks, &mut |mut finding| {
                let rule = self.catalog.rule(finding.rule);
                match (&last, &finding.keys.n_zap) {
                    (_, Some(n_zap)) if rule.check == Some(Check::Unique) => last = Some((n_zap.clone(), finding.rule)),
                    (Some((repeated, by)), Some(n_zap)) if rule.yields && repeated == n_zap => finding.follows_from = Some(*by),
                    _ => {}
                }
                checked.findings.push(finding)
            })?;
        }
        Ok(())
    }

    /// Why the files cannot be joined: the message of the finding that stopped one of them.
    fn first_message(&self, container: &Spool, persons: Option<&Checked<'_>>, main: Option<&Checked<'_>>) -> io::Result<Text> {
        let checked = || [main, persons].into_iter().flatten();
        let unread = checked().filter(|c| c.unread).map(|c| &c.findings);
        // A main file of no family has a finding that says so, and nobody knows its person file.
        let read = checked().filter(|c| !c.unread).map(|c| &c.findings);
        for spool in unread.chain([container]).chain(read) {
            // The finding that stopped a file comes after its other findings.
            let mut last = None;
            for finding in spool.iter()? {
                let finding = finding?;
                let rule = self.catalog.rule(finding.rule);
                if rule.severity == Severity::Error && rule.is_of_file() {
                    last = Some(finding);
                }
            }
            if let Some(finding) = last.map(Finding::masked) {
                let rule = self.catalog.rule(finding.rule);
                return Ok(Text { ru: finding.message(rule, Lang::Ru), en: finding.message(rule, Lang::En) });
            }
        }
        Ok(Text { ru: String::new(), en: String::new() })
    }
}
