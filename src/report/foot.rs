//! The end of the report for people: the totals, what was hidden, and what was not checked.

use std::collections::BTreeMap;

use super::{Ending, tidy};
use crate::finding::Catalog;
use crate::texts::{Key, Lang, Severity, Texts};
use crate::values::Date;

/// The end of a report, as lines.
pub(super) struct Foot<'f> {
    pub(super) texts: &'f Texts,
    pub(super) lang: Lang,
    pub(super) ending: &'f Ending<'f>,
}

impl Foot<'_> {
    fn text(&self, key: Key, slots: &[(&str, &str)]) -> String {
        self.texts.fill(key, self.lang, slots)
    }

    fn number(&self, number: u64) -> String {
        self.texts.number(self.lang, number)
    }

    /// What was read, what was found, and the exit code if it is not 0.
    pub(super) fn totals(&self, catalog: &Catalog) -> String {
        let tally = self.ending.tally;
        let packages =
            format!("{}, {}", self.texts.count(Key::CountPackage, self.lang, tally.packages), self.texts.count(Key::CountCase, self.lang, tally.cases));
        let counts = [Severity::Error, Severity::Warning, Severity::Info].map(|s| (s, tally.of(s)));
        let counts: Vec<String> = counts.into_iter().filter(|(_, n)| *n > 0).map(|(s, n)| self.texts.count_severity(s, self.lang, n)).collect();
        let found = if counts.is_empty() {
            self.texts.get(Key::TotalClean, self.lang).to_owned()
        } else {
            // A rule may have two entries in the catalogue.
            let mut ids: Vec<&str> = tally.rules.keys().map(|rule| catalog.rule(*rule).id.as_str()).collect();
            ids.sort_unstable();
            ids.dedup();
            let rules = self.texts.count(Key::CountRule, self.lang, ids.len() as u64);
            self.text(Key::TotalByRules, &[("found", &counts.join(", ")), ("rules", &rules)])
        };
        let mut line = self.text(Key::TotalFound, &[("packages", &packages), ("found", &found)]);
        if tally.rejected > 0 {
            let rejected = self.texts.count(Key::CountPackage, self.lang, tally.rejected);
            line.push_str(&format!("; {}", self.text(Key::TotalRejected, &[("packages", &rejected)])));
        }
        if self.ending.code != 0 {
            line.push_str(&format!("; {}", self.text(Key::TotalExit, &[("code", &self.ending.code.to_string())])));
        }
        line
    }

    /// The counts of hidden findings; `None` when nothing was hidden.
    pub(super) fn hidden(&self) -> Option<String> {
        let hidden = self.ending.hidden?;
        let of = |key, count: u64| (count > 0).then(|| self.text(key, &[("count", &self.number(count))]));
        let parts = [
            of(Key::HiddenBaseline, hidden.baseline),
            of(Key::HiddenSuppressed, hidden.suppressed),
            of(Key::HiddenOff, hidden.off),
            of(Key::HiddenOthers, hidden.others),
            of(Key::HiddenGone, hidden.gone.unwrap_or(0)),
        ];
        let list: Vec<String> = parts.into_iter().flatten().collect();
        (!list.is_empty()).then(|| self.text(Key::HiddenTotal, &[("list", &list.join(", "))]))
    }

    /// How many findings each can mend; `None` without findings.
    pub(super) fn by_mender(&self, catalog: &Catalog) -> Option<String> {
        let all: Vec<String> = self
            .ending
            .tally
            .by_mender(catalog)
            .into_iter()
            .map(|(mends, count)| format!("{} — {}", mends.name(self.texts, self.lang), self.number(count)))
            .collect();
        (!all.is_empty()).then(|| self.text(Key::SummaryMends, &[("list", &all.join(", "))]))
    }

    /// How much was not checked, or by tables that are too old, and the option that lists it; `None` when all was checked by tables of the day.
    pub(super) fn not_checked(&self) -> Option<String> {
        let tally = self.ending.tally;
        let old = tally.older_books.len() as u64 + u64::from(tally.newer_account.is_some() && tally.edition.is_some());
        let parts = [(Key::TotalNotExecuted, tally.not_executed.len() as u64), (Key::TotalOld, old)];
        let parts = parts.into_iter().filter(|(_, count)| *count > 0).map(|(key, count)| self.text(key, &[("count", &self.number(count))]));
        let parts = parts.collect::<Vec<_>>().join(", ");
        (!parts.is_empty()).then(|| self.text(Key::TotalNotChecked, &[("what", &parts)]))
    }

    /// The rules that did not run or ran in part, by reason; rules that lack a book come first, in one line.
    pub(super) fn idle(&self) -> Vec<String> {
        let lang = self.lang;
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        let mut books: BTreeMap<&str, u64> = BTreeMap::new();
        let mut partly: BTreeMap<&str, u64> = BTreeMap::new();
        for idle in self.ending.tally.not_executed.values() {
            match &idle.book {
                _ if idle.partly => *partly.entry(idle.reason.get(lang)).or_default() += 1,
                Some(book) => *books.entry(book).or_default() += 1,
                None => *reasons.entry(idle.reason.get(lang)).or_default() += 1,
            }
        }
        let mut lines = Vec::new();
        if !books.is_empty() {
            let rules = self.texts.count(Key::CountRuleIdle, lang, books.values().sum());
            let list: Vec<String> = books.iter().map(|(book, count)| format!("{book}\u{a0}({count})")).collect();
            lines.push(self.text(Key::TotalIdleBooks, &[("rules", &rules), ("books", &list.join(", "))]));
        }
        for (of, key) in [(reasons, Key::CountRuleIdle), (partly, Key::CountRulePartly)] {
            for (reason, count) in of {
                let rules = self.texts.count(key, lang, count);
                lines.push(self.text(Key::TotalIdle, &[("rules", &rules), ("reason", &tidy(reason))]));
            }
        }
        lines
    }

    /// What is too old for the accounts, with the command that mends it.
    pub(super) fn age(&self) -> Option<String> {
        let tally = self.ending.tally;
        let rules = tally.newer_account.and(tally.edition.as_ref()).map(|edition| {
            let date = Date::parse(&edition.date).map_or_else(|| edition.date.clone(), |day| self.texts.day(self.lang, day));
            self.text(Key::ReportOldRules, &[("book", &edition.book), ("edition", edition.number(self.texts, self.lang)), ("date", &date)])
        });
        let books: Vec<&str> = tally.older_books.iter().map(String::as_str).collect();
        let books = (!books.is_empty()).then(|| self.text(Key::ReportOldBooks, &[("books", &books.join(", "))]));
        let what: Vec<String> = [rules, books].into_iter().flatten().collect();
        (!what.is_empty()).then(|| self.text(Key::ReportOld, &[("what", &what.join("; "))]))
    }

    /// Where the official protocols are, if the user asked for them.
    pub(super) fn protocols(&self) -> Option<String> {
        if let Some(path) = self.ending.protocol {
            return Some(self.text(Key::ProtocolOne, &[("path", &path.display().to_string())]));
        }
        let (folder, count) = self.ending.protocols?;
        Some(self.text(Key::ProtocolMany, &[("count", &self.number(count)), ("folder", &folder.display().to_string())]))
    }
}
