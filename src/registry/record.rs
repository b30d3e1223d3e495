//! One record with all its elements, kept until it is closed, because rules use elements in any order.
//!
//! Values are copied into one buffer that is reused for all records: there is no allocation for each element and no borrow of the file's piece.

use std::ops::Range;

use super::format::{Format, NodeId};

/// No end, no further value or instance.
const NONE: u32 = u32::MAX;

/// A block of the record, or the record itself.
#[derive(Debug, Clone, Copy)]
pub struct Instance {
    /// The element of this block.
    pub node: NodeId,
    /// Index of the block that contains this one; the record contains itself.
    parent: u32,
    slots: u32,
    seen: u64,
    at: u32,
    /// End of the end tag; [`NONE`] while the block is open, and for an empty block, which is never closed.
    end: u32,
    next: u32,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    /// Start of the text, or index of the first instance of a block.
    start: u32,
    len: u32,
    at: u32,
    /// Index of the next value of a repeated element.
    next: u32,
    /// Index of the last value or instance, to which the next one is appended.
    last: u32,
}

const EMPTY: Slot = Slot { start: NONE, len: 0, at: 0, next: NONE, last: NONE };

/// All elements of one record.
#[derive(Debug, Default)]
pub struct Record {
    base: u64,
    text: Vec<u8>,
    instances: Vec<Instance>,
    slots: Vec<Slot>,
}

/// A value of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<'r> {
    /// Bytes of the value, in the file's encoding.
    pub text: &'r [u8],
    /// Offset of the element in the file.
    pub offset: u64,
}

impl Record {
    /// Removes everything; the next record starts at the offset `base` of the file.
    pub fn clear(&mut self, base: u64) {
        self.base = base;
        self.text.clear();
        self.instances.clear();
        self.slots.clear();
    }

    /// Whether no record is being kept.
    pub fn is_empty(&self) -> bool {
        self.instances.is_empty()
    }

    /// Opens a block and returns its index; `parent` is `None` for the record itself.
    pub fn open(&mut self, format: &Format, node: NodeId, parent: Option<usize>, offset: u64) -> usize {
        let index = self.instances.len();
        let slots = self.slots.len() as u32;
        let at = self.relative(offset);
        self.slots.resize(self.slots.len() + format.node(node).children.len(), EMPTY);
        self.instances.push(Instance { node, parent: parent.unwrap_or(index) as u32, slots, seen: 0, at, end: NONE, next: NONE });
        if let Some(parent) = parent {
            let position = format.node(node).position;
            let slot = self.slot_index(parent, position);
            self.instances[parent].seen |= 1 << position;
            let last = self.slots[slot].last;
            if last == NONE {
                self.slots[slot] = Slot { start: index as u32, len: 0, at, next: NONE, last: index as u32 };
            } else {
                self.instances[last as usize].next = index as u32;
                self.slots[slot].last = index as u32;
            }
        }
        index
    }

    /// Closes a non-empty block; `offset` is the end of its end tag.
    #[inline]
    pub fn close(&mut self, block: usize, offset: u64) {
        self.instances[block].end = self.relative(offset);
    }

    /// Adds a value to a block.
    #[inline]
    pub fn value(&mut self, block: usize, position: u8, text: &[u8], offset: u64) {
        let start = self.text.len() as u32;
        self.text.extend_from_slice(text);
        let value = Slot { start, len: text.len() as u32, at: self.relative(offset), next: NONE, last: NONE };
        let slot = self.slot_index(block, position);
        let instance = &mut self.instances[block];
        if instance.seen & 1 << position == 0 {
            instance.seen |= 1 << position;
            self.slots[slot] = value;
            return;
        }
        let added = self.slots.len() as u32;
        self.slots.push(value);
        let last = match self.slots[slot].last {
            NONE => slot,
            last => last as usize,
        };
        self.slots[last].next = added;
        self.slots[slot].last = added;
    }

    fn relative(&self, offset: u64) -> u32 {
        u32::try_from(offset.saturating_sub(self.base)).unwrap_or(u32::MAX)
    }

    fn slot_index(&self, block: usize, position: u8) -> usize {
        self.instances[block].slots as usize + usize::from(position)
    }

    /// All blocks in the order of their start tags, the record first.
    pub fn instances(&self) -> &[Instance] {
        &self.instances
    }

    /// Index of the block that contains a block; the record contains itself.
    #[inline]
    pub fn parent(&self, block: usize) -> usize {
        self.instances[block].parent as usize
    }

    /// Offset of a block's start tag in the file.
    pub fn offset(&self, block: usize) -> u64 {
        self.base + u64::from(self.instances[block].at)
    }

    /// The place of a block in the file, from its start tag to the end of its end tag. `None` for a block without content, which has one tag or
    /// two with only text between them.
    pub fn place(&self, block: usize) -> Option<Range<u64>> {
        let end = self.instances[block].end;
        (end != NONE).then(|| self.offset(block)..self.base + u64::from(end))
    }

    /// Offsets of all elements, in ascending order.
    pub fn offsets(&self) -> impl Iterator<Item = u64> {
        let mut all: Vec<u32> = self.instances.iter().map(|i| i.at).chain(self.slots.iter().filter(|s| s.start != NONE).map(|s| s.at)).collect();
        all.sort_unstable();
        all.dedup();
        all.into_iter().map(|at| self.base + u64::from(at))
    }

    /// Whether a block has a child at this position.
    #[inline]
    pub fn has(&self, block: usize, position: u8) -> bool {
        self.instances[block].seen & 1 << position != 0
    }

    /// The present children of a block, one bit for each position.
    #[inline]
    pub fn seen(&self, block: usize) -> u64 {
        self.instances[block].seen
    }

    /// The first value of a value child.
    #[inline]
    pub fn first(&self, block: usize, position: u8) -> Option<Value<'_>> {
        self.has(block, position).then(|| self.at(self.slots[self.slot_index(block, position)]))
    }

    /// The text of the first value of a value child.
    #[inline]
    pub fn text(&self, block: usize, position: u8) -> Option<&[u8]> {
        let instance = &self.instances[block];
        if instance.seen & 1 << position == 0 {
            return None;
        }
        let slot = &self.slots[instance.slots as usize + usize::from(position)];
        self.text.get(slot.start as usize..(slot.start + slot.len) as usize)
    }

    /// The first block of a block child.
    #[inline]
    pub fn block(&self, block: usize, position: u8) -> Option<usize> {
        self.has(block, position).then(|| self.slots[self.slot_index(block, position)].start as usize)
    }

    fn at(&self, slot: Slot) -> Value<'_> {
        Value { text: &self.text[slot.start as usize..(slot.start + slot.len) as usize], offset: self.base + u64::from(slot.at) }
    }

    /// All values of a value child.
    pub fn values(&self, block: usize, position: u8) -> impl Iterator<Item = Value<'_>> {
        let mut next = if self.has(block, position) { self.slot_index(block, position) } else { NONE as usize };
        std::iter::from_fn(move || {
            let slot = *self.slots.get(next)?;
            next = slot.next as usize;
            Some(self.at(slot))
        })
    }

    /// All blocks of a block child.
    pub fn blocks(&self, block: usize, position: u8) -> impl Iterator<Item = usize> + '_ {
        let mut next = if self.has(block, position) { self.slots[self.slot_index(block, position)].start } else { NONE };
        std::iter::from_fn(move || {
            let index = next as usize;
            next = self.instances.get(index)?.next;
            Some(index)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::format::{Family, Formats};
    use crate::tables::RuleFiles;

    #[test]
    fn values_and_blocks_come_back_in_order() {
        let formats = Formats::load(&RuleFiles::embedded()).expect("sound");
        let format = formats.get(Family('H'), "3.1").expect("known");
        let id = |path: &str| format.find(path).expect(path);
        let position = |path: &str| format.node(id(path)).position;
        let mut record = Record::default();
        for base in [0, 1000] {
            record.clear(base);
            let zap = record.open(format, id("ZL_LIST/ZAP"), None, base);
            let case = record.open(format, id("ZL_LIST/ZAP/Z_SL"), Some(zap), base + 10);
            let mut parts = Vec::new();
            for n in 0..3 {
                let part = record.open(format, id("ZL_LIST/ZAP/Z_SL/SL"), Some(case), base + 20 + n);
                for ds in ["I10", "E11", "J45"] {
                    record.value(part, position("ZL_LIST/ZAP/Z_SL/SL/DS2"), format!("{ds}.{n}").as_bytes(), base + 30);
                }
                parts.push(part);
            }
            record.value(case, position("ZL_LIST/ZAP/Z_SL/IDCASE"), b"7", base + 99);
            assert_eq!(record.blocks(case, position("ZL_LIST/ZAP/Z_SL/SL")).collect::<Vec<_>>(), parts);
            assert_eq!(record.blocks(case, position("ZL_LIST/ZAP/Z_SL/SANK")).count(), 0);
            let texts: Vec<_> = record.values(parts[1], position("ZL_LIST/ZAP/Z_SL/SL/DS2")).map(|v| String::from_utf8_lossy(v.text).into_owned()).collect();
            assert_eq!(texts, ["I10.1", "E11.1", "J45.1"]);
            assert_eq!(record.first(case, position("ZL_LIST/ZAP/Z_SL/IDCASE")), Some(Value { text: b"7", offset: base + 99 }));
            assert_eq!((record.parent(parts[2]), record.offset(parts[2])), (case, base + 22));
            assert!(!record.has(parts[0], position("ZL_LIST/ZAP/Z_SL/SL/DS3")));
        }
    }
}
