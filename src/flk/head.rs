//! The head of a file (the elements before the first record): its values for rules and its places for findings.

use std::io::Read as _;

use super::places::Progressed;
use crate::finding::Place;
use crate::registry::encoding::{BOM, Coding, Encoding};
use crate::registry::format::{Content, Format, NodeId, Role};
use crate::registry::probe::WINDOW;
use crate::registry::scan::{Name, ScanLimits, Scanner, Token};
use crate::registry::source::Source;

/// An element of the head.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) element: NodeId,
    /// Value as it is read; empty for a block.
    pub(super) text: Vec<u8>,
    pub(super) place: Place,
}

/// The elements before the first record that are where the format expects them, in file order; of a repeated element, the first.
#[derive(Debug, Clone, Default)]
pub(super) struct Front {
    elements: Vec<Standing>,
}

impl Front {
    /// Reads the beginning of a file. Elements that cannot be read are left out; the walk of the file reports the reason.
    pub(super) fn read(source: &Source, format: &Format, coding: Coding, limits: ScanLimits) -> Self {
        let mut bytes = Vec::with_capacity(8 << 10);
        let read = source.open().and_then(|stream| stream.take(WINDOW as u64).read_to_end(&mut bytes));
        coding.rewrite(&mut bytes, 0);
        let (text, base) = bytes.strip_prefix(BOM).map_or((&bytes[..], 0), |text| (text, BOM.len()));
        let mut front = Self::default();
        if read.is_ok() {
            front.walk(text, base as u64, format, coding.read_as(), limits);
        }
        front
    }

    fn walk(&mut self, bytes: &[u8], base: u64, format: &Format, encoding: Encoding, limits: ScanLimits) {
        let record = format.role(Role::Record);
        let mut scanner = Scanner::new(bytes, encoding, limits, Vec::new());
        // `None` stands for an open element that is not a block of the format at this place.
        let mut open: Vec<Option<NodeId>> = Vec::new();
        let child = |open: &[Option<NodeId>], name: &Name<'_>| match open.last() {
            None => (name.key == Some(format.node(format.root()).key)).then(|| format.root()),
            Some(block) => block.and_then(|b| format.node(b).children.iter().copied().find(|c| Some(format.node(*c).key) == name.key)),
        };
        let (mut read, mut counted) = (Progressed::default(), 0);
        while let Ok(token) = scanner.next_token() {
            let (at, element, text) = match token {
                Token::Leaf { at, name, text, .. } => (at, child(&open, &name), text),
                Token::Open { at, name, .. } => {
                    let element = child(&open, &name);
                    open.push(element.filter(|e| matches!(format.node(*e).content, Content::Block)));
                    (at, element, Default::default())
                }
                Token::Close { .. } => {
                    open.pop();
                    continue;
                }
                Token::Text { .. } => continue,
                Token::End => return,
            };
            let Some(element) = element else { continue };
            if Some(element) == record {
                return;
            }
            read.advance(Progressed::of(&bytes[counted..at], encoding));
            counted = at;
            if self.find(element).is_none() {
                self.elements.push(Standing { element, text: text.to_vec(), place: read.place(base + at as u64) });
            }
        }
    }

    /// Finds an element of the head; `None` if it is absent.
    pub(super) fn find(&self, element: NodeId) -> Option<&Standing> {
        self.elements.iter().find(|s| s.element == element)
    }

    /// The value of a role; `None` if its element is absent.
    pub(super) fn role(&self, format: &Format, role: Role) -> Option<&[u8]> {
        format.role(role).and_then(|id| self.find(id)).map(|s| s.text.as_slice())
    }

    /// The place for a finding about an element: that of the element, else of the nearest block around it.
    pub(super) fn place(&self, format: &Format, element: NodeId) -> Place {
        let mut around = std::iter::successors(Some(element), |id| format.node(*id).parent);
        around.find_map(|id| self.find(id)).map(|s| s.place).unwrap_or_default()
    }
}
