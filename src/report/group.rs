//! Groups the findings of one package by rule and, within a rule, by element, without holding them all in memory.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use crate::finding::spool::{FindingView, Spool};
use crate::finding::{Catalog, RuleIx, Slots, mask_numbers, shown_value};

/// Limit of groups of a package. Further elements of a rule share one group, so that a file of invented names fills neither memory nor screen.
const MAX_GROUPS: usize = 300;
/// Most characters shown of a value.
pub(super) const MAX_VALUE: usize = 80;
/// Bytes of places that a group keeps in memory; further ones go to a temporary file.
const BUDGET: usize = 64 << 10;

/// A text that is the same in all findings of a group, or not.
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

    fn join(&mut self, other: &Self) {
        match other {
            Self::Same(text) => self.add(text.as_deref()),
            Self::Differs => *self = Self::Differs,
        }
    }

    pub(super) fn differs(&self) -> bool {
        *self == Self::Differs
    }
}

/// The texts that all findings of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shared {
    /// Name of the element; `parent` is the block around it.
    pub(super) element: Common,
    pub(super) parent: Common,
    pub(super) value: Common,
    pub(super) expected: Common,
    pub(super) found: Common,
}

impl Shared {
    fn of(view: &FindingView<'_>, show_personal: bool) -> Self {
        let mut names = view.path.rsplit('/');
        let mut name = || Common::Same(names.next().map(|name| if show_personal { name.into() } else { mask_numbers(name).into() }));
        Self {
            element: name(),
            parent: name(),
            value: Common::Same(value(view, show_personal)),
            expected: Common::Same(view.expected.map(Box::from)),
            found: Common::Same(view.found.map(Box::from)),
        }
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.element.join(&other.element);
        self.parent.join(&other.parent);
        self.value.join(&other.value);
        self.expected.join(&other.expected);
        self.found.join(&other.found);
    }

    /// The same without the names of element and parent.
    pub(super) fn nameless(&self) -> Self {
        Self { element: Common::Differs, parent: Common::Differs, ..self.clone() }
    }
}

/// Rule, the rule from which it follows, and path of a group; no path for the group of all further elements.
type Key = (RuleIx, Option<RuleIx>, Option<Arc<str>>);

/// The findings of one rule at one element.
#[derive(Debug)]
pub(super) struct Group {
    rule: RuleIx,
    /// The rule from which they follow.
    follows: Option<RuleIx>,
    /// Path of the element; in a group of several elements, of the first one.
    pub(super) path: Arc<str>,
    /// Whether the group collects all elements without a group of their own.
    pub(super) others: bool,
    pub(super) count: u64,
    /// The first findings, with their places.
    pub(super) places: Spool,
    pub(super) shared: Shared,
}

/// The findings of one rule.
#[derive(Debug)]
pub(super) struct Ruled {
    pub(super) rule: RuleIx,
    /// The rule from which they follow, if they do not stand on their own.
    pub(super) follows: Option<RuleIx>,
    pub(super) count: u64,
    pub(super) shared: Shared,
    /// The groups by element, the most frequent first; never empty.
    pub(super) elements: Vec<Group>,
}

/// The findings by rule, with the first `limit` places for each element: the most severe rules first, then in the order of the catalogue.
/// `followers` adds the findings that follow from others, each rule of them behind its cause.
pub(super) fn by_rule(findings: &Spool, catalog: &Catalog, limit: u64, show_personal: bool, followers: bool) -> io::Result<Vec<Ruled>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut index: HashMap<Key, usize> = HashMap::new();
    let mut last: Option<usize> = None;
    let mut replay = findings.iter()?;
    while let Some(view) = replay.next_view()? {
        if view.follows_from.is_some() && !followers {
            continue;
        }
        let at = match last {
            Some(at) if groups[at].rule == view.rule && groups[at].follows == view.follows_from && *groups[at].path == *view.path && !groups[at].others => at,
            _ => place(&mut groups, &mut index, &view, show_personal),
        };
        last = Some(at);
        groups[at].add(&view, limit, show_personal)?;
    }
    groups.sort_by_key(|g| {
        let cause = g.follows.unwrap_or(g.rule);
        (Reverse(catalog.rule(cause).severity), cause, g.follows.is_some(), g.rule, g.others, Reverse(g.count))
    });
    let mut rules: Vec<Ruled> = Vec::new();
    for group in groups {
        match rules.last_mut().filter(|r| (r.rule, r.follows) == (group.rule, group.follows)) {
            Some(rule) => {
                rule.count += group.count;
                rule.shared.join(&group.shared);
                rule.elements.push(group);
            }
            None => rules.push(Ruled { rule: group.rule, follows: group.follows, count: group.count, shared: group.shared.clone(), elements: vec![group] }),
        }
    }
    Ok(rules)
}

fn place(groups: &mut Vec<Group>, index: &mut HashMap<Key, usize>, view: &FindingView<'_>, show_personal: bool) -> usize {
    let path: Arc<str> = Arc::from(view.path);
    let own = (view.rule, view.follows_from, Some(Arc::clone(&path)));
    if let Some(at) = index.get(&own) {
        return *at;
    }
    let others = groups.len() >= MAX_GROUPS;
    let key = if others { (view.rule, view.follows_from, None) } else { own };
    *index.entry(key).or_insert_with(|| {
        let (rule, follows, places) = (view.rule, view.follows_from, Spool::with_budget(BUDGET));
        groups.push(Group { rule, follows, path, others, count: 0, places, shared: Shared::of(view, show_personal) });
        groups.len() - 1
    })
}

fn value(view: &FindingView<'_>, show_personal: bool) -> Option<Box<str>> {
    view.value.map(|v| if show_personal { v.into() } else { shown_value(v, view.personal).into() })
}

impl Group {
    fn add(&mut self, view: &FindingView<'_>, limit: u64, show_personal: bool) -> io::Result<()> {
        self.count += 1;
        let shared = &mut self.shared;
        if !shared.value.differs() {
            shared.value.add(value(view, show_personal).as_deref());
        }
        shared.expected.add(view.expected);
        shared.found.add(view.found);
        if self.others && *self.path != *view.path {
            (shared.element, shared.parent) = (Common::Differs, Common::Differs);
        }
        if self.count <= limit {
            self.places.push(view.to_finding())?;
        }
        Ok(())
    }
}

/// Fills a template with the texts that all findings of a group share; «…» where they differ.
pub(super) fn fill_common(template: &str, shared: &Shared) -> String {
    let common = |common: &Common| match common {
        Common::Same(text) => clip(text.as_deref().unwrap_or("")),
        Common::Differs => "…".to_owned(),
    };
    let [element, parent, value, expected, found] = [&shared.element, &shared.parent, &shared.value, &shared.expected, &shared.found].map(common);
    Slots { element: &element, parent: &parent, value: &value, expected: &expected, found: &found }.fill(template)
}

/// A value, cut where it is too long to be shown.
pub(super) fn clip(text: &str) -> String {
    clip_to(text, MAX_VALUE)
}

/// A text of at most `max` characters.
pub(super) fn clip_to(text: &str, max: usize) -> String {
    if text.chars().count() <= max { text.to_owned() } else { text.chars().take(max - 1).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Desk, finding, mixed};
    use super::*;

    #[test]
    fn one_headline_a_rule_and_one_group_an_element() {
        let desk = Desk::new();
        let rules = by_rule(&mixed(&desk).findings, &desk.catalog, 3, false, false).expect("readable");
        let elements = |r: &Ruled| -> Vec<(String, u64, u64)> {
            r.elements.iter().map(|g| (g.path.rsplit('/').next().unwrap_or("").to_owned(), g.count, g.places.len())).collect()
        };
        let shown: Vec<_> = rules.iter().map(|r| (&*desk.catalog.rule(r.rule).id, r.count, elements(r))).collect();
        let of = |name: &str, count, places| (name.to_owned(), count, places);
        assert_eq!(
            shown,
            [
                ("S001", 6, vec![of("PROFIL", 5, 3), of("DS1", 1, 1)]),
                ("V004", 1, vec![of("DATE_1", 1, 1)]),
                ("V005", 2, vec![of("DET", 2, 2)]),
                ("V007", 1, vec![of("FAM", 1, 1)]),
                ("P013", 1, vec![of("", 1, 1)])
            ]
        );
        assert_eq!(rules[3].shared.value, Common::Same(Some("********".into())));
        let [missing, _, long, ..] = rules.as_slice() else { panic!("all are there") };
        assert_eq!((long.shared.expected.clone(), long.shared.found.differs()), (Common::Same(Some("2".into())), true));
        assert_eq!((missing.shared.element.differs(), missing.shared.parent.clone()), (true, Common::Same(Some("SL".into()))));
    }

    #[test]
    fn invented_names_share_a_group() {
        let desk = Desk::new();
        let mut spool = Spool::default();
        for n in 0..5000 {
            spool.push(finding(&desk, "unknown", &format!("ZL_LIST/X{n}"))).expect("pushed");
        }
        spool.push(finding(&desk, "unknown", "ZL_LIST/X7")).expect("pushed");
        let rules = by_rule(&spool, &desk.catalog, 3, false, false).expect("readable");
        let [rule] = rules.as_slice() else { panic!("one rule") };
        assert_eq!((rule.count, rule.elements.len()), (5001, MAX_GROUPS + 1));
        assert_eq!(rule.elements.first().map(|g| (&*g.path, g.count)), Some(("ZL_LIST/X7", 2)), "the most frequent first");
        assert_eq!(rule.elements.last().map(|g| (g.others, g.count)), Some((true, 5000 - MAX_GROUPS as u64)));
    }
}
