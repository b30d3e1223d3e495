//! The head of a registry's file: the elements before the records, copied from the first package, except those that forming writes anew.

use std::collections::BTreeSet;
use std::io::Read;

use super::table::Marks;
use super::{FormError, Heading};
use crate::registry::encoding::{BOM, Coding, Encoding};
use crate::registry::format::{Content, Format, NodeId, Role};
use crate::registry::name::{FileName, PartyKind};
use crate::registry::probe::{Head, Prober, WINDOW};
use crate::registry::scan::{Name, ScanLimits, Scanner, Token};
use crate::registry::source::Source;
use crate::registry::writer::{Layout, Tags};
use crate::values::money;

/// A value or block in the head of a package, at a place where the format has it.
#[derive(Debug, Clone)]
enum Item {
    Value(NodeId, String),
    Block(NodeId, Vec<Item>),
}

/// The head of a package.
#[derive(Debug, Clone)]
pub(super) struct Front {
    /// Encoding of the file.
    pub(super) coding: Coding,
    /// VERSION; empty if absent.
    pub(super) version: String,
    /// Children of the root.
    items: Vec<Item>,
}

impl Front {
    /// Reads the beginning of a file.
    pub(super) fn read(source: &Source, prober: &Prober<'_>, format: &Format) -> Result<Self, FormError> {
        let fail = |fault| FormError::Origin { file: source.file_name(), fault };
        let mut bytes = Vec::with_capacity(8 << 10);
        source.open().and_then(|stream| stream.take(WINDOW as u64 + 1).read_to_end(&mut bytes)).map_err(|error| fail(error.into()))?;
        let head: Head = prober.look(&bytes[..]).map_err(fail)?;
        let version = head.value(Role::Version).unwrap_or_default().to_owned();
        head.coding.rewrite(&mut bytes, 0);
        let text = bytes.strip_prefix(BOM).unwrap_or(&bytes);
        let items = walk(text, format, head.encoding());
        Ok(Self { coding: head.coding, version, items })
    }

    /// Values that must be the same in all packages of a registry, with the paths of their elements.
    pub(super) fn binding(&self, format: &Format, marks: &Marks) -> BTreeSet<(String, String)> {
        let mut found = BTreeSet::new();
        let mut open = vec![self.items.as_slice()];
        while let Some(items) = open.pop() {
            for item in items {
                match item {
                    Item::Value(id, text) if marks.binds(format, *id) => {
                        found.insert((format.node(*id).path.to_string(), text.trim().to_owned()));
                    }
                    Item::Value(..) => {}
                    Item::Block(_, inner) => open.push(inner),
                }
            }
        }
        found
    }
}

/// The elements before the first record. Reading ends at the first defect; a package with a defect there has no cases to give.
fn walk(bytes: &[u8], format: &Format, encoding: Encoding) -> Vec<Item> {
    let record = format.role(Role::Record);
    let mut scanner = Scanner::new(bytes, encoding, ScanLimits::default(), Vec::new());
    let mut root = Vec::new();
    // `None` stands for an element that is not a block of the format here.
    let mut open: Vec<(Option<NodeId>, Vec<Item>)> = Vec::new();
    let child = |open: &[(Option<NodeId>, Vec<Item>)], name: &Name<'_>| match open.last() {
        None => (name.key == Some(format.node(format.root()).key)).then(|| format.root()),
        Some((block, _)) => block.and_then(|b| format.node(b).children.iter().copied().find(|c| Some(format.node(*c).key) == name.key)),
    };
    while let Ok(token) = scanner.next_token() {
        match token {
            Token::Leaf { name, text, .. } => {
                let id = child(&open, &name);
                if id.is_some() && id == record {
                    break;
                }
                if let (Some(id), Some((_, items))) = (id, open.last_mut())
                    && matches!(format.node(id).content, Content::Value(_))
                {
                    items.push(Item::Value(id, encoding.decode(&text).into_owned()));
                }
            }
            Token::Open { name, .. } => {
                let id = child(&open, &name);
                if id.is_some() && id == record {
                    break;
                }
                open.push((id.filter(|id| matches!(format.node(*id).content, Content::Block)), Vec::new()));
            }
            Token::Close { .. } => {
                if let (Some((Some(id), items)), Some((_, outer))) = (open.pop(), open.last_mut()) {
                    outer.push(Item::Block(id, items));
                }
            }
            Token::Text { .. } => {}
            Token::End => break,
        }
    }
    if let Some((_, items)) = open.into_iter().next() {
        root = items;
    }
    root
}

/// The data for a head.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'h> {
    pub(super) heading: &'h Heading,
    /// Name of the file that is written.
    pub(super) name: &'h FileName,
    pub(super) cases: u64,
    pub(super) sum_kopecks: i64,
}

/// What happens to an element of the head.
enum Fate {
    /// Copied from the first package.
    Kept,
    Left,
    New(String),
}

impl Facts<'_> {
    fn fate(&self, format: &Format, marks: &Marks, id: NodeId, old: Option<&str>) -> Fate {
        let node = format.node(id);
        let Some(role) = node.role else {
            return if marks.drops(format, id) { Fate::Left } else { Fate::Kept };
        };
        let heading = self.heading;
        // A month may be written as 1 or 01; the clinic's form stays.
        let number = |number: u64| match old {
            Some(old) if old.trim().parse() == Ok(number) => Fate::Kept,
            _ => Fate::New(number.to_string()),
        };
        match role {
            Role::Version => Fate::New(format.edition.version.clone()),
            Role::FileName => Fate::New(self.name.to_string()),
            Role::MainName => Fate::New(heading.name.to_string()),
            Role::MadeOn => Fate::New(heading.date.clone()),
            Role::CasesDeclared if old.is_some() || node.obligation.required => Fate::New(self.cases.to_string()),
            Role::AccountCode => Fate::New(heading.code.to_string()),
            Role::AccountNo => Fate::New(heading.number.clone()),
            Role::AccountDate => Fate::New(heading.date.clone()),
            Role::Payer => heading.payer.clone().map_or(Fate::Left, Fate::New),
            Role::Total => Fate::New(money(self.sum_kopecks)),
            Role::CodeMo if heading.name.sender.kind == PartyKind::Clinic => Fate::New(heading.name.sender.code.clone()),
            Role::Year => number(u64::from(heading.period.year)),
            Role::Month => number(u64::from(heading.period.month)),
            _ if marks.drops(format, id) => Fate::Left,
            _ => Fate::Kept,
        }
    }
}

/// The bytes of a file before its first record, and after its last.
pub(super) struct Frame {
    pub(super) head: Vec<u8>,
    pub(super) tail: Vec<u8>,
}

/// Writes the head of a file; `first` is the head that is copied, if any.
pub(super) fn frame(format: &Format, marks: &Marks, facts: &Facts<'_>, first: Option<&Front>) -> Result<Frame, FormError> {
    let tags = Tags::new(format, Encoding::Windows1251, Layout::Lines);
    let mut head = Vec::with_capacity(4 << 10);
    tags.declare(&mut head);
    tags.open(format.root(), &mut head);
    let writer = HeadWriter { format, tags: &tags, marks, facts };
    writer.children(format.root(), first.map_or(&[], |f| &f.items), &mut head)?;
    let mut tail = Vec::new();
    tags.close(format.root(), &mut tail);
    Ok(Frame { head, tail })
}

struct HeadWriter<'a> {
    format: &'a Format,
    tags: &'a Tags,
    marks: &'a Marks,
    facts: &'a Facts<'a>,
}

impl HeadWriter<'_> {
    fn children(&self, block: NodeId, items: &[Item], out: &mut Vec<u8>) -> Result<(), FormError> {
        let format = self.format;
        for &id in format.node(block).children.iter().filter(|id| format.role(Role::Record) != Some(**id)) {
            if matches!(format.node(id).content, Content::Block) {
                let mut there = items.iter().filter_map(|item| match item {
                    Item::Block(node, inner) if *node == id => Some(inner.as_slice()),
                    _ => None,
                });
                let first = there.next().or(format.node(id).obligation.required.then_some(&[]));
                for inner in first.into_iter().chain(there) {
                    self.tags.open(id, out);
                    self.children(id, inner, out)?;
                    self.tags.close(id, out);
                }
                continue;
            }
            let old = || {
                items.iter().filter_map(move |item| match item {
                    Item::Value(node, text) if *node == id => Some(text.as_str()),
                    _ => None,
                })
            };
            match self.facts.fate(format, self.marks, id, old().next()) {
                Fate::Left => {}
                Fate::Kept => old().try_for_each(|text| self.value(id, text, out))?,
                Fate::New(text) => {
                    self.check(id, &text)?;
                    self.value(id, &text, out)?;
                }
            }
        }
        Ok(())
    }

    fn value(&self, id: NodeId, text: &str, out: &mut Vec<u8>) -> Result<(), FormError> {
        self.tags.value(id, text, out).map_err(|lacking| self.misfit(id, format!("U+{:04X}", u32::from(lacking.0))))
    }

    fn check(&self, id: NodeId, text: &str) -> Result<(), FormError> {
        match self.format.node(id).value_type() {
            Some(kind) if !kind.fits(text.as_bytes(), Encoding::Utf8) => Err(self.misfit(id, text.to_owned())),
            _ => Ok(()),
        }
    }

    fn misfit(&self, id: NodeId, value: String) -> FormError {
        let node = self.format.node(id);
        FormError::Heading { element: node.name.to_string(), value, expected: node.value_type().map_or_else(String::new, |kind| kind.spec()) }
    }
}
