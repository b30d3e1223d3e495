//! `validate --summary`: the findings of all packages as a table by rule.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io;

use super::group::{Shared, by_rule, fill_common};
use super::tidy;
use crate::finding::spool::Spool;
use crate::finding::{Catalog, Rule, RuleIx};
use crate::texts::layout::columns;
use crate::texts::{Key, Lang, Texts};

/// The findings of a run by rule.
#[derive(Debug, Default)]
pub(super) struct Summary {
    rules: BTreeMap<RuleIx, (u64, Shared)>,
}

impl Summary {
    /// Adds the findings of a package.
    pub(super) fn add(&mut self, findings: &Spool, catalog: &Catalog, show_personal: bool) -> io::Result<()> {
        for ruled in by_rule(findings, catalog, 0, show_personal, false)? {
            match self.rules.get_mut(&ruled.rule) {
                Some((count, shared)) => {
                    *count += ruled.count;
                    shared.join(&ruled.shared);
                }
                None => {
                    self.rules.insert(ruled.rule, (ruled.count, ruled.shared));
                }
            }
        }
        Ok(())
    }

    /// The table: rule, severity, count, what is wrong, who mends it; the most severe and the most frequent first. Empty without findings.
    pub(super) fn table(&self, catalog: &Catalog, texts: &Texts, lang: Lang) -> String {
        if self.rules.is_empty() {
            return String::new();
        }
        let mut rules: Vec<_> = self.rules.iter().map(|(ix, (count, shared))| (catalog.rule(*ix), *count, shared)).collect();
        rules.sort_by_key(|(rule, count, _)| (Reverse(rule.severity), Reverse(*count)));
        let head = texts.get(Key::SummaryHead, lang).split('|').map(str::to_owned).collect();
        let row = |(rule, count, shared): &(&Rule, u64, &Shared)| {
            let count = format!("{} × {}", texts.severity(rule.severity, lang), texts.number(lang, *count)).replace(' ', "\u{a0}");
            let text = tidy(&fill_common(rule.text.get(lang), shared)).into_owned();
            vec![rule.id.clone(), count, text, rule.mends.name(texts, lang).to_owned()]
        };
        columns(&std::iter::once(head).chain(rules.iter().map(row)).collect::<Vec<_>>())
    }
}
