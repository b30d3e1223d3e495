//! What people know the case around a finding by: card, doctor, unit, profile, days, sum. Read from the kept record when it ends with findings, so a
//! record without findings costs nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::finding::{CaseFacts, Fact};
use crate::registry::encoding::Encoding;
use crate::registry::format::{Format, NodeId, Role};
use crate::registry::record::Record;

use super::walk::{Walker, shown};

/// The role of the element that holds a fact.
fn role(fact: Fact) -> Role {
    match fact {
        Fact::Card => Role::History,
        Fact::Doctor => Role::Doctor,
        Fact::Unit => Role::Unit,
        Fact::Subdivision => Role::Subdivision,
        Fact::Profile => Role::Profile,
        Fact::From => Role::CaseFrom,
        Fact::To => Role::CaseTo,
        Fact::Sum => Role::CaseSum,
    }
}

impl Walker<'_> {
    /// Gives the findings of the record that has just ended, those from index `from` on, the facts of their cases.
    #[cold]
    pub(super) fn give_facts(&mut self, from: usize) {
        let Self { context, record, out, .. } = self;
        let mut known: BTreeMap<usize, Option<Arc<CaseFacts>>> = BTreeMap::new();
        for finding in &mut out.findings[from..] {
            let block = holder(context.format, record, block_at(record, finding.place.offset));
            let facts = known.entry(block).or_insert_with(|| facts(context.format, record, context.encoding, block));
            finding.case = facts.clone();
        }
    }

    /// The facts of the first case of the record that has just ended.
    pub(super) fn facts_of_record(&self) -> Option<Arc<CaseFacts>> {
        facts(self.context.format, &self.record, self.context.encoding, 0)
    }
}

/// The innermost block around an offset of the file.
fn block_at(record: &Record, offset: u64) -> usize {
    let (mut from, mut to) = (0, record.instances().len());
    while from < to {
        let middle = from.midpoint(to);
        if record.offset(middle) <= offset { from = middle + 1 } else { to = middle }
    }
    let mut at = from.saturating_sub(1);
    // A block without content has no end; it is only around its own start.
    while record.place(at).map_or(record.offset(at) != offset, |place| !place.contains(&offset)) && record.parent(at) != at {
        at = record.parent(at);
    }
    at
}

/// The block, else the nearest around it, in which some fact may stand.
fn holder(format: &Format, record: &Record, block: usize) -> usize {
    let mut at = block;
    while record.parent(at) != at
        && let Some(instance) = record.instances().get(at)
        && !Fact::ALL.iter().filter_map(|fact| format.node(format.role(role(*fact))?).parent).any(|parent| format.is_within(parent, instance.node))
    {
        at = record.parent(at);
    }
    at
}

/// The facts for a block: each from the nearest block around it in which it may stand. If several blocks there have it, the first counts.
fn facts(format: &Format, record: &Record, encoding: Encoding, block: usize) -> Option<Arc<CaseFacts>> {
    let of = |fact| {
        let element = format.role(role(fact))?;
        let parent = format.node(element).parent?;
        let mut at = block;
        while !format.is_within(parent, record.instances().get(at)?.node) {
            if record.parent(at) == at {
                return None;
            }
            at = record.parent(at);
        }
        first(format, record, at, parent, format.node(element).position).map(|text| shown(&encoding.decode(text.trim_ascii())))
    };
    CaseFacts::new(of).map(Arc::new)
}

/// The first value at a position of the blocks `parent` that lie in a block.
fn first<'r>(format: &Format, record: &'r Record, block: usize, parent: NodeId, position: u8) -> Option<&'r [u8]> {
    let here = record.instances().get(block)?.node;
    if here == parent {
        return record.text(block, position).filter(|text| !text.trim_ascii().is_empty());
    }
    let mut below = parent;
    while format.node(below).parent? != here {
        below = format.node(below).parent?;
    }
    record.blocks(block, format.node(below).position).find_map(|inner| first(format, record, inner, parent, position))
}
