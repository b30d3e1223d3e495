//! Compares the head of a file with its name, its period and its records.

use std::io;

use crate::finding::{Check, FileRole, Finding};
use crate::registry::format::{EditionChoice, Role};
use crate::registry::name::{FileName, Party, PartyKind};
use crate::registry::package::Package;
use crate::values::{Date, Month, kopecks, money};

use super::checker::Checker;
use super::member::Checked;
use super::plan::{NamePart, Part};

impl Checker<'_> {
    pub(super) fn edition_findings(
        &self,
        checked: &mut Checked<'_>,
        choice: EditionChoice,
        version: Option<&str>,
        period: Option<Month>,
        file: FileRole,
    ) -> io::Result<()> {
        let Some(format) = checked.format else { return Ok(()) };
        let used = format.edition.id.as_str();
        let (check, role, expected) = match choice {
            EditionChoice::Unknown(_) => (Check::EditionUnknown, Role::Version, used.to_owned()),
            EditionChoice::OutOfPeriod(_, right) => {
                let right = right.map_or_else(|| "—".to_owned(), |i| self.formats.editions(format.family)[i].edition.id.clone());
                (Check::EditionPeriod, Role::Version, right)
            }
            EditionChoice::Right(_) if period.is_none() && file == FileRole::Main => (Check::PeriodUnreadable, Role::Year, used.to_owned()),
            EditionChoice::Right(_) => return Ok(()),
        };
        if check == Check::EditionUnknown && version.is_none() {
            // The structural check already reports the absent VERSION.
            return Ok(());
        }
        let finding = checked.head_finding(self.catalog.of(check), role, file);
        let finding = Finding { expected: Some(expected.into()), found: period.map(|p| p.to_string().into()), ..finding };
        checked.findings.push(finding)
    }

    pub(super) fn head_findings(
        &self,
        checked: &mut Checked<'_>,
        stem: &str,
        name: Option<&FileName>,
        period: Option<Month>,
        package: &Package,
    ) -> io::Result<()> {
        let Some(context) = checked.context else { return Ok(()) };
        let mut found: Vec<Finding> = Vec::new();
        let mut same_name = |check: Check, role: Role, expected: &str| {
            if let Some(value) = checked.head(role)
                && !value.text.is_empty()
                && !value.text.eq_ignore_ascii_case(expected)
            {
                found.push(Finding { expected: Some(expected.into()), ..checked.head_finding(self.catalog.of(check), role, context.file) });
            }
        };
        same_name(Check::NameDiffers, Role::FileName, stem);
        if let Some(main) = package.main.as_ref().filter(|_| context.file == FileRole::Persons) {
            same_name(Check::MainNameDiffers, Role::MainName, &main.stem());
        }
        for part in &context.plan.name_parts {
            let Some(name) = name else { break };
            if let (Some(value), Some(expected)) = (checked.head(part.role), expected_part(part, name))
                && !value.text.is_empty()
                && !same_number(&value.text, &expected)
            {
                found.push(Finding { expected: Some(expected.into()), ..checked.head_finding(part.rule, part.role, context.file) });
            }
        }
        for (index, count) in context.plan.counts.iter().enumerate() {
            let counted = checked.outcome.counts[index];
            if let Some(value) = checked.head(count.declared)
                && value.text.parse::<u64>().is_ok_and(|n| n != counted)
            {
                found.push(Finding { found: Some(counted.to_string().into()), ..checked.head_finding(count.rule, count.declared, context.file) });
            }
        }
        for (index, sum) in context.plan.sums.iter().enumerate().filter(|(_, s)| s.of_file) {
            let running = checked.outcome.sums[index];
            let Some(value) = checked.outcome.head.iter().find(|h| h.node == sum.total) else { continue };
            if running.addends > 0 && !running.broken && kopecks(value.text.as_bytes()).is_some_and(|k| i128::from(k) != running.kopecks) {
                let text = i64::try_from(running.kopecks).map_or_else(|_| "∞".to_owned(), money);
                found.push(Finding { found: Some(text.into()), ..checked.head_finding(sum.rule, value.role, context.file) });
            }
        }
        if let Some(account) = checked.head(Role::AccountDate)
            && let (Some(date), Some(period)) = (Date::parse(&account.text), period)
            && Date::new(period.year, period.month, 1).is_some_and(|first| date < first)
        {
            let finding = checked.head_finding(self.catalog.of(Check::AccountEarly), Role::AccountDate, context.file);
            found.push(Finding { expected: Some(period.to_string().into()), ..finding });
        }
        found.sort_by_key(|f| (f.place, f.rule));
        found.into_iter().try_for_each(|f| checked.findings.push(f))
    }
}

fn expected_part(part: &NamePart, name: &FileName) -> Option<String> {
    let code = |party: &Party, kind: PartyKind| (party.kind == kind).then(|| party.code.clone());
    match part.part {
        Part::SenderClinic => code(&name.sender, PartyKind::Clinic),
        Part::ReceiverInsurer => code(&name.receiver, PartyKind::Insurer),
        Part::Year => Some(name.year.to_string()),
        Part::Month => Some(name.month.to_string()),
    }
}

fn same_number(a: &str, b: &str) -> bool {
    a.trim_start_matches('0') == b.trim_start_matches('0')
}
