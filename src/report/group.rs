//! Findings of one package grouped by rule and element, without holding them all in memory.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use crate::finding::spool::{FindingView, Spool};
use crate::finding::{Catalog, RuleIx, mask_personal};

/// Beyond so many groups a rule's further elements share one: a file of invented names must not fill the memory or the screen.
const MAX_GROUPS: usize = 300;
/// Bytes of places that a group keeps in memory; the rest is spilled.
const BUDGET: usize = 64 << 10;

/// A text that all findings of a group have in common, as far as they do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Common {
    Same(Option<Box<str>>),
    Differs,
}

impl Common {
    fn add(&mut self, text: Option<&str>) {
        if matches!(self, Self::Same(own) if own.as_deref() != text) {
            *self = Self::Differs;
        }
    }

    pub(super) fn differs(&self) -> bool {
        *self == Self::Differs
    }
}

/// Findings of one rule at one element.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) rule: RuleIx,
    /// Path of the element; of the first one in a group of others.
    pub(super) path: Arc<str>,
    /// Stands for all elements that got no group of their own.
    pub(super) others: bool,
    pub(super) count: u64,
    /// The first places.
    pub(super) places: Spool,
    pub(super) value: Common,
    pub(super) expected: Common,
    pub(super) found: Common,
}

/// Groups with their first `limit` places, the heaviest rules first, then in the order of the catalog and of the first place.
pub(super) fn groups(findings: &Spool, catalog: &Catalog, limit: u64, show_personal: bool) -> io::Result<Vec<Group>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut index: HashMap<(RuleIx, Option<Arc<str>>), usize> = HashMap::new();
    let mut last: Option<usize> = None;
    let mut replay = findings.iter()?;
    while let Some(view) = replay.next_view()? {
        let at = match last {
            Some(at) if groups[at].rule == view.rule && *groups[at].path == *view.path && !groups[at].others => at,
            _ => place(&mut groups, &mut index, &view, show_personal),
        };
        last = Some(at);
        groups[at].add(&view, limit, show_personal)?;
    }
    groups.sort_by_key(|g| (std::cmp::Reverse(catalog.rule(g.rule).severity), g.rule));
    Ok(groups)
}

fn place(groups: &mut Vec<Group>, index: &mut HashMap<(RuleIx, Option<Arc<str>>), usize>, view: &FindingView<'_>, show_personal: bool) -> usize {
    let path: Arc<str> = Arc::from(view.path);
    let own = (view.rule, Some(Arc::clone(&path)));
    if let Some(at) = index.get(&own) {
        return *at;
    }
    let others = groups.len() >= MAX_GROUPS;
    let key = if others { (view.rule, None) } else { own };
    *index.entry(key).or_insert_with(|| {
        groups.push(Group {
            rule: view.rule,
            path,
            others,
            count: 0,
            places: Spool::with_budget(BUDGET),
            value: Common::Same(value(view, show_personal)),
            expected: Common::Same(view.expected.map(Box::from)),
            found: Common::Same(view.found.map(Box::from)),
        });
        groups.len() - 1
    })
}

fn value(view: &FindingView<'_>, show_personal: bool) -> Option<Box<str>> {
    view.value.map(|v| if view.personal && !show_personal { mask_personal(v).into() } else { v.into() })
}

impl Group {
    fn add(&mut self, view: &FindingView<'_>, limit: u64, show_personal: bool) -> io::Result<()> {
        self.count += 1;
        if !self.value.differs() {
            self.value.add(value(view, show_personal).as_deref());
        }
        self.expected.add(view.expected);
        self.found.add(view.found);
        if self.count <= limit {
            self.places.push(view.to_finding())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Desk, finding, mixed};
    use super::*;

    #[test]
    fn one_group_an_element_with_what_its_findings_share() {
        let desk = Desk::new();
        let groups = groups(&mixed(&desk).findings, &desk.catalog, 3, false).expect("readable");
        let shown: Vec<(&str, &str, u64, u64)> =
            groups.iter().map(|g| (&*desk.catalog.rule(g.rule).id, g.path.rsplit('/').next().unwrap_or(""), g.count, g.places.len())).collect();
        assert_eq!(
            shown,
            [("S001", "PROFIL", 5, 3), ("S001", "DS1", 1, 1), ("V004", "DATE_1", 1, 1), ("V005", "DET", 2, 2), ("V007", "FAM", 1, 1), ("P013", "", 1, 1)]
        );
        assert_eq!(groups[4].value, Common::Same(Some("********".into())));
        assert_eq!((groups[3].expected.clone(), groups[3].found.differs()), (Common::Same(Some("2".into())), true));
    }

    #[test]
    fn invented_names_share_a_group() {
        let desk = Desk::new();
        let mut spool = Spool::default();
        for n in 0..5000 {
            spool.push(finding(&desk, "unknown", &format!("ZL_LIST/X{n}"))).expect("pushed");
        }
        let groups = groups(&spool, &desk.catalog, 3, false).expect("readable");
        assert_eq!(groups.len(), MAX_GROUPS + 1);
        assert_eq!(groups.last().map(|g| (g.others, g.count)), Some((true, 5000 - MAX_GROUPS as u64)));
    }
}
