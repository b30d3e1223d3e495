//! Values and blocks to build with: parts of valid documents, else the minimum that the format requires.

use std::collections::BTreeMap;

use super::tree::{Document, Elem, Tree};
use crate::registry::format::value::Base;
use crate::registry::format::{Content, Format, NodeId, ValueType};

/// An element by its names, independent of an edition.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    name: String,
    text: String,
    children: Vec<Named>,
}

/// Parts of valid documents, by path.
#[derive(Debug, Clone, Default)]
pub struct Stock {
    blocks: BTreeMap<String, Vec<Named>>,
}

/// Most different elements that are kept for each path.
const KEPT: usize = 24;

impl Stock {
    /// Takes in the elements of a document.
    pub fn add(&mut self, document: &Document) {
        for tree in document.trees() {
            self.take(tree, &tree.root);
        }
    }

    fn take(&mut self, tree: &Tree, elem: &Elem) -> Named {
        let node = tree.format.node(elem.node);
        let children = elem.children.iter().map(|c| self.take(tree, c)).collect();
        let named = Named { name: node.name.to_string(), text: elem.text.clone(), children };
        let known = self.blocks.entry(node.path.to_string()).or_default();
        // Records and cases are numerous and never asked for.
        if node.path.matches('/').count() > 1 && known.len() < KEPT && !known.contains(&named) {
            known.push(named.clone());
        }
        named
    }

    /// Texts that valid documents had at a path.
    pub fn texts<'s>(&'s self, path: &str) -> impl Iterator<Item = &'s str> + use<'s> {
        self.blocks.get(path).into_iter().flatten().map(|n| n.text.as_str())
    }

    /// Elements to insert where one is missing: at most `most` of valid documents, the smallest first, then a bare one; `day` fills its dates.
    pub fn build(&self, format: &Format, node: NodeId, most: usize, day: &str) -> Vec<Elem> {
        let mut built: Vec<Elem> =
            self.blocks.get(&*format.node(node).path).into_iter().flatten().filter_map(|named| from_named(format, node, named)).collect();
        built.sort_by_key(|e| e.children.len());
        built.truncate(most);
        let bare = self.bare(format, node, day);
        if !built.contains(&bare) {
            built.push(bare);
        }
        built
    }

    /// An element with only the required children; `day` fills its dates.
    pub fn bare(&self, format: &Format, node: NodeId, day: &str) -> Elem {
        let found = format.node(node);
        let mut elem = Elem::new(node);
        match &found.content {
            Content::Value(kind) if kind.base() == Base::Date => day.clone_into(&mut elem.text),
            Content::Value(kind) => elem.text = self.texts(&found.path).next().map_or_else(|| typical(kind), str::to_owned),
            Content::Block => {
                let required = found.children.iter().filter(|c| format.node(**c).obligation.required);
                elem.children = required.map(|child| self.bare(format, *child, day)).collect();
            }
        }
        elem
    }
}

/// The element in an edition; `None` if the edition lacks a part of it or requires more.
fn from_named(format: &Format, node: NodeId, named: &Named) -> Option<Elem> {
    let child = |name: &str| format.node(node).children.iter().copied().find(|c| &*format.node(*c).name == name);
    let children = named.children.iter().map(|c| from_named(format, child(&c.name)?, c)).collect::<Option<Vec<_>>>()?;
    let required = format.node(node).children.iter().filter(|c| format.node(**c).obligation.required);
    let complete = required.into_iter().all(|c| children.iter().any(|e: &Elem| e.node == *c));
    complete.then(|| Elem { node, text: named.text.clone(), children })
}

/// A value that fits a type, if nothing better is known.
pub fn typical(kind: &ValueType) -> String {
    if let Some(first) = kind.list().first() {
        return first.to_string();
    }
    if let Some(mask) = kind.mask() {
        return mask.sample(|| false, |_| 1);
    }
    if let Some((_, fraction, _)) = kind.decimal() {
        return format!("1.{}", "0".repeat(fraction.into()));
    }
    let (shortest, longest) = kind.lengths();
    match kind.base() {
        Base::Date => "2019-01-15".to_owned(),
        Base::Number => "1".repeat(shortest.max(1)),
        Base::Text => {
            let letter = match kind.charset() {
                Some(set) if !set.holds('1') => set.ranges.first().map_or('1', |(first, _)| *first),
                _ => '1',
            };
            letter.to_string().repeat(shortest.max(longest.min(2)).max(1))
        }
    }
}
