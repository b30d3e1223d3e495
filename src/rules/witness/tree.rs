//! A package as two trees that can be changed and written.

use std::sync::Arc;

use crate::registry::encoding::Encoding;
use crate::registry::format::{Content, Format, NodeId, Role};
use crate::registry::scan::{ScanLimits, Scanner, Token};
use crate::registry::writer::{Layout, NoSuchCharacter, Tags};

/// The way to an element: at each level its index among the children that are present.
pub type Way = Vec<usize>;

/// The bytes of a file, and for each element the offset of its start tag.
pub type Written = (Vec<u8>, Vec<(u64, Way)>);

/// One element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elem {
    /// Node of the format.
    pub node: NodeId,
    /// Text of the element; empty for a block.
    pub text: String,
    /// Child elements, in the order of the format.
    pub children: Vec<Elem>,
}

/// One file.
#[derive(Debug, Clone)]
pub struct Tree {
    /// Name of the file without its extension; the header may state another.
    pub name: String,
    /// Format of the file.
    pub format: Arc<Format>,
    /// The root.
    pub root: Elem,
}

/// A main file and its person file; files exchanged between funds have none.
#[derive(Debug, Clone)]
pub struct Document {
    /// The main file.
    pub main: Tree,
    /// The person file, if its family has one.
    pub persons: Option<Tree>,
}

impl Document {
    /// The main file and then the person file.
    pub fn trees(&self) -> impl Iterator<Item = &Tree> {
        std::iter::once(&self.main).chain(&self.persons)
    }

    /// The person file if it is asked for and present, else the main file.
    pub fn tree(&self, of_persons: bool) -> &Tree {
        self.persons.as_ref().filter(|_| of_persons).unwrap_or(&self.main)
    }

    /// The same tree as [`Document::tree`], to be changed.
    pub fn tree_mut(&mut self, of_persons: bool) -> &mut Tree {
        self.persons.as_mut().filter(|_| of_persons).unwrap_or(&mut self.main)
    }
}

impl Elem {
    /// An element without content.
    pub fn new(node: NodeId) -> Self {
        Self { node, text: String::new(), children: Vec::new() }
    }

    /// The element at the end of a way; `None` if there is none.
    pub fn at(&self, way: &[usize]) -> Option<&Self> {
        way.iter().try_fold(self, |elem, index| elem.children.get(*index))
    }

    fn at_mut(&mut self, way: &[usize]) -> Option<&mut Self> {
        way.iter().try_fold(self, |elem, index| elem.children.get_mut(*index))
    }

    /// Passes every value to `change`, which may change it.
    pub fn each_value(&mut self, change: &mut impl FnMut(NodeId, &mut String)) {
        if self.children.is_empty() {
            change(self.node, &mut self.text);
        }
        self.children.iter_mut().for_each(|child| child.each_value(change));
    }

    fn collect(&self, node: NodeId, way: &mut Way, out: &mut Vec<Way>) {
        if self.node == node {
            out.push(way.clone());
            return;
        }
        for (index, child) in self.children.iter().enumerate() {
            way.push(index);
            child.collect(node, way, out);
            way.pop();
        }
    }
}

impl Tree {
    /// Reads a file; `None` if an element does not belong to the format or the markup is broken.
    pub fn read(format: &Arc<Format>, bytes: &[u8], encoding: Encoding) -> Option<Self> {
        let root = &format.node(format.root()).name;
        let mut scanner = Scanner::new(bytes, encoding, ScanLimits::default(), Vec::new());
        let child = |block: NodeId, name: &[u8]| format.node(block).children.iter().copied().find(|c| format.node(*c).name.as_bytes() == name);
        let mut stack = vec![Elem::new(format.root())];
        loop {
            match scanner.next_token().ok()? {
                Token::Open { name, .. } => {
                    let node = match child(stack.last()?.node, name.bytes) {
                        None if stack.len() == 1 && name.bytes == root.as_bytes() => continue,
                        node => node?,
                    };
                    stack.push(Elem::new(node));
                }
                Token::Leaf { name, text, .. } => {
                    let node = child(stack.last()?.node, name.bytes)?;
                    let text = if matches!(format.node(node).content, Content::Value(_)) { encoding.decode(&text).into_owned() } else { String::new() };
                    stack.last_mut()?.children.push(Elem { node, text, children: Vec::new() });
                }
                Token::Close { .. } => {
                    if stack.len() > 1 {
                        let elem = stack.pop()?;
                        stack.last_mut()?.children.push(elem);
                    }
                }
                Token::Text { .. } => return None,
                Token::End => return Some(Self { name: String::new(), format: Arc::clone(format), root: stack.pop()? }.named()),
            }
        }
    }

    /// Takes the name from the header.
    fn named(mut self) -> Self {
        self.name = self.role(Role::FileName).unwrap_or_default().to_owned();
        self
    }

    /// Writes the file in an encoding; also returns the offset of every element's start tag, in document order.
    ///
    /// # Errors
    /// The encoding lacks a character.
    pub fn write(&self, encoding: Encoding) -> Result<Written, NoSuchCharacter> {
        let tags = Tags::new(&self.format, encoding, Layout::Lines);
        let (mut out, mut offsets) = (Vec::new(), Vec::new());
        tags.declare(&mut out);
        self.write_elem(&self.root, &tags, &mut Vec::new(), &mut out, &mut offsets)?;
        Ok((out, offsets))
    }

    fn write_elem(&self, elem: &Elem, tags: &Tags, way: &mut Way, out: &mut Vec<u8>, offsets: &mut Vec<(u64, Way)>) -> Result<(), NoSuchCharacter> {
        offsets.push((out.len() as u64, way.clone()));
        if matches!(self.format.node(elem.node).content, Content::Value(_)) {
            return tags.value(elem.node, &elem.text, out);
        }
        tags.open(elem.node, out);
        for (index, child) in elem.children.iter().enumerate() {
            way.push(index);
            self.write_elem(child, tags, way, out, offsets)?;
            way.pop();
        }
        tags.close(elem.node, out);
        Ok(())
    }

    /// The ways to all elements of a node below a way.
    pub fn below(&self, way: &[usize], node: NodeId) -> Vec<Way> {
        let mut out = Vec::new();
        if let Some(elem) = self.root.at(way) {
            elem.collect(node, &mut way.to_vec(), &mut out);
        }
        out
    }

    /// The text of the first element of a role.
    pub fn role(&self, role: Role) -> Option<&str> {
        let way = self.below(&[], self.format.role(role)?).into_iter().next()?;
        self.root.at(&way).map(|e| e.text.as_str())
    }

    /// Sets the text of the first element of a role, if one is present.
    pub fn set_role(&mut self, role: Role, text: &str) {
        if let Some(way) = self.format.role(role).and_then(|node| self.below(&[], node).into_iter().next()) {
            self.set(&way, text);
        }
    }

    /// Sets the text at a way.
    pub fn set(&mut self, way: &[usize], text: &str) {
        if let Some(elem) = self.root.at_mut(way) {
            text.clone_into(&mut elem.text);
        }
    }

    /// Removes the element at a way, and the blocks that become empty.
    pub fn remove(&mut self, way: &[usize]) {
        if let Some((last, parent)) = way.split_last()
            && let Some(elem) = self.root.at_mut(parent)
            && *last < elem.children.len()
        {
            elem.children.remove(*last);
            if elem.children.is_empty() && !parent.is_empty() {
                self.remove(parent);
            }
        }
    }

    /// Inserts an element into a block after the elements that precede it in the format or have its name; returns its way, or `None` without the
    /// block.
    pub fn insert(&mut self, block: &[usize], elem: Elem) -> Option<Way> {
        let format = Arc::clone(&self.format);
        let position = format.node(elem.node).position;
        let parent = self.root.at_mut(block)?;
        let index = parent.children.iter().position(|c| format.node(c.node).position > position).unwrap_or(parent.children.len());
        parent.children.insert(index, elem);
        let mut way = block.to_vec();
        way.push(index);
        Some(way)
    }
}
