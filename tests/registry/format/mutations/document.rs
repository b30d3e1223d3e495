//! Documents of a format: built from its table alone, and taken apart into byte spans so that a fault is one splice.

use puomp::registry::encoding::{Encoding, to_windows_1251};
use puomp::registry::format::{Content, Format, NodeId, Role};

use super::sample::{self, Size};

/// A document with every element of a format; what may be repeated stands twice, the second time with little in it.
pub(crate) fn everything(format: &Format, size: Size, encoding: Encoding) -> Vec<u8> {
    let mut text = format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>\n");
    write(format, format.root(), size, true, &mut text);
    encode(&text, encoding)
}

/// Bytes of a text of which every character is known to windows-1251.
pub(crate) fn encode(text: &str, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Utf8 => text.as_bytes().to_vec(),
        Encoding::Windows1251 => to_windows_1251(text).expect("the samples are of windows-1251").into_owned(),
    }
}

fn write(format: &Format, id: NodeId, size: Size, full: bool, out: &mut String) {
    let node = format.node(id);
    out.push_str(&format!("<{}>", node.name));
    match &node.content {
        Content::Block => {
            out.push('\n');
            for (i, child) in node.children.iter().enumerate() {
                let required = node.required & (1 << i) != 0;
                // The second of two blocks holds what it must; if it must nothing, its first child.
                if full || required || (node.required == 0 && i == 0) {
                    write(format, *child, size, full, out);
                    if full && node.repeatable & (1 << i) != 0 {
                        write(format, *child, size, false, out);
                    }
                }
            }
        }
        Content::Value(kind) => {
            let text = match node.role {
                Some(Role::Version) => format.edition.version.clone(),
                Some(Role::Year) => "2019".to_owned(),
                _ => sample::value(kind, size),
            };
            out.push_str(&escape(&text));
        }
    }
    out.push_str(&format!("</{}>\n", node.name));
}

/// A text as it stands between tags.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// One element of a document.
#[derive(Debug)]
pub(crate) struct Element {
    /// Which element of the format.
    pub(crate) node: NodeId,
    /// The element around it.
    pub(crate) parent: Option<usize>,
    /// Offset of `<` of its start tag.
    pub(crate) start: usize,
    /// Offset after `>` of its start tag.
    pub(crate) inside: usize,
    /// Offset of `<` of its end tag.
    pub(crate) close: usize,
    /// Offset after `>` of its end tag.
    pub(crate) end: usize,
    /// Elements in it, in order.
    pub(crate) children: Vec<usize>,
}

/// A document and where its elements stand.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) encoding: Encoding,
    pub(crate) bytes: Vec<u8>,
    pub(crate) elements: Vec<Element>,
}

impl Document {
    /// Takes a sound document of a format apart. On purpose not by our reader: tags without attributes are all it knows.
    pub(crate) fn parse(bytes: Vec<u8>, encoding: Encoding, format: &Format) -> Self {
        let mut elements: Vec<Element> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        let mut at = 0;
        while let Some(start) = bytes[at..].iter().position(|b| *b == b'<').map(|i| at + i) {
            let end = start + bytes[start..].iter().position(|b| *b == b'>').expect("tags are closed") + 1;
            at = end;
            match bytes[start + 1] {
                b'?' | b'!' => {}
                b'/' => {
                    let closed = open.pop().expect("something is open");
                    elements[closed].close = start;
                    elements[closed].end = end;
                }
                _ => {
                    let name = std::str::from_utf8(&bytes[start + 1..end - 1]).expect("names are Latin");
                    let parent = open.last().copied();
                    let node = match parent {
                        None => format.root(),
                        Some(p) => *format
                            .node(elements[p].node)
                            .children
                            .iter()
                            .find(|c| &*format.node(**c).name == name)
                            .unwrap_or_else(|| panic!("{name} is not of the format")),
                    };
                    assert_eq!(&*format.node(node).name, name);
                    let index = elements.len();
                    if let Some(p) = parent {
                        elements[p].children.push(index);
                    }
                    open.push(index);
                    elements.push(Element { node, parent, start, inside: end, close: 0, end: 0, children: Vec::new() });
                }
            }
        }
        assert!(open.is_empty(), "everything is closed");
        Self { encoding, bytes, elements }
    }

    /// The document with some spans replaced; they do not overlap.
    pub(crate) fn spliced(&self, mut edits: Vec<(usize, usize, Vec<u8>)>) -> Vec<u8> {
        edits.sort_by_key(|e| (e.0, e.1));
        let mut out = Vec::with_capacity(self.bytes.len() + 512);
        let mut at = 0;
        for (from, to, with) in edits {
            assert!(at <= from && from <= to, "edits do not overlap");
            out.extend_from_slice(&self.bytes[at..from]);
            out.extend_from_slice(&with);
            at = to;
        }
        out.extend_from_slice(&self.bytes[at..]);
        out
    }
}
