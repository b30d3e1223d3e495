//! Writes registry XML according to a [`Format`]; it uses the same tables as the reader.
//!
//! There are two ways. [`Writer`] takes events (open, value, close) in document order and streams them to any [`io::Write`]. [`Block`] is a tree
//! for callers that get the values in any order; it is written in the order of the format.

use std::borrow::Cow;
use std::io::{self, Write};

use memchr::memchr3;

use super::encoding::{Encoding, to_windows_1251};
use super::format::{Content, Format, NodeId};

/// The layout of elements in lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// One element on each line, lines end with CR LF, as clinics' programs write.
    #[default]
    Lines,
    /// No white space between elements.
    Compact,
}

impl Layout {
    fn line_end(self) -> &'static [u8] {
        match self {
            Self::Lines => b"\r\n",
            Self::Compact => b"",
        }
    }
}

/// The XML declaration for an encoding, without a line end.
pub fn declaration(encoding: Encoding) -> String {
    format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>")
}

/// The start and end tags of all elements of a format, ready to be copied.
#[derive(Debug, Clone)]
pub struct Tags {
    layout: Layout,
    encoding: Encoding,
    tags: Vec<Tag>,
}

#[derive(Debug, Clone)]
struct Tag {
    /// `<NAME>`, followed by the line end for a block.
    start: Box<[u8]>,
    /// `</NAME>`, followed by the line end.
    end: Box<[u8]>,
}

impl Tags {
    /// Prepares the tags of a format.
    pub fn new(format: &Format, encoding: Encoding, layout: Layout) -> Self {
        let line_end = layout.line_end();
        let tag = |node: &super::format::Node| {
            let name = node.name.as_bytes();
            let after_start: &[u8] = if matches!(node.content, Content::Block) { line_end } else { b"" };
            Tag { start: [b"<", name, b">", after_start].concat().into(), end: [b"</", name, b">", line_end].concat().into() }
        };
        Self { layout, encoding, tags: format.nodes().iter().map(tag).collect() }
    }

    /// Encoding of the texts.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Layout of elements in lines.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Appends the XML declaration.
    pub fn declare(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(declaration(self.encoding).as_bytes());
        out.extend_from_slice(self.layout.line_end());
    }

    /// Appends a start tag.
    #[inline]
    pub fn open(&self, node: NodeId, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.tags[usize::from(node.0)].start);
    }

    /// Appends an end tag.
    #[inline]
    pub fn close(&self, node: NodeId, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.tags[usize::from(node.0)].end);
    }

    /// Appends an element with its value.
    ///
    /// # Errors
    /// The encoding lacks a character.
    #[inline]
    pub fn value(&self, node: NodeId, text: &str, out: &mut Vec<u8>) -> Result<(), NoSuchCharacter> {
        self.open(node, out);
        append_text(text, self.encoding, out)?;
        self.close(node, out);
        Ok(())
    }
}

/// A character that windows-1251 does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSuchCharacter(pub char);

impl std::fmt::Display for NoSuchCharacter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "windows-1251 has no character U+{:04X}", u32::from(self.0))
    }
}

impl std::error::Error for NoSuchCharacter {}

impl From<NoSuchCharacter> for io::Error {
    fn from(error: NoSuchCharacter) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// Appends a text in an encoding; `&`, `<` and `>` are escaped.
///
/// # Errors
/// The encoding lacks a character.
pub fn append_text(text: &str, encoding: Encoding, out: &mut Vec<u8>) -> Result<(), NoSuchCharacter> {
    let bytes = text.as_bytes();
    let (mut from, mut next) = (0, memchr3(b'&', b'<', b'>', bytes));
    while let Some(at) = next {
        append_plain(&text[from..at], encoding, out)?;
        out.extend_from_slice(match bytes[at] {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            _ => b"&gt;",
        });
        from = at + 1;
        next = memchr3(b'&', b'<', b'>', &bytes[from..]).map(|i| i + from);
    }
    append_plain(&text[from..], encoding, out)
}

fn append_plain(text: &str, encoding: Encoding, out: &mut Vec<u8>) -> Result<(), NoSuchCharacter> {
    if encoding == Encoding::Utf8 || text.is_ascii() {
        out.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    for c in text.chars() {
        match c {
            c if c.is_ascii() => out.push(c as u8),
            // Russian letters are the most frequent and are contiguous in both encodings.
            'А'..='я' => out.push((u32::from(c) - 0x0410 + 0xC0) as u8),
            other => match to_windows_1251(other.encode_utf8(&mut [0; 4])) {
                Some(bytes) => out.extend_from_slice(&bytes),
                None => return Err(NoSuchCharacter(other)),
            },
        }
    }
    Ok(())
}

/// Streams elements in document order.
///
/// The caller must follow the order of the format; debug builds check that every element is opened in its own parent.
#[derive(Debug)]
pub struct Writer<'f, W: Write> {
    format: &'f Format,
    tags: Tags,
    out: W,
    buffer: Vec<u8>,
    open: Vec<NodeId>,
}

/// Number of bytes that are collected before they are written.
const BUFFER: usize = 64 * 1024;

impl<'f, W: Write> Writer<'f, W> {
    /// Starts a file with its XML declaration.
    pub fn new(format: &'f Format, encoding: Encoding, layout: Layout, out: W) -> Self {
        let tags = Tags::new(format, encoding, layout);
        let mut buffer = Vec::with_capacity(BUFFER + BUFFER / 4);
        tags.declare(&mut buffer);
        Self { format, tags, out, buffer, open: Vec::new() }
    }

    /// Opens a block.
    ///
    /// # Errors
    /// The output fails.
    #[inline]
    pub fn open(&mut self, node: NodeId) -> io::Result<()> {
        debug_assert_eq!(self.format.node(node).parent, self.open.last().copied(), "{} outside of its parent", self.format.node(node).path);
        self.open.push(node);
        self.tags.open(node, &mut self.buffer);
        self.hand_on()
    }

    /// Writes a value.
    ///
    /// # Errors
    /// The output fails, or the encoding lacks a character.
    #[inline]
    pub fn value(&mut self, node: NodeId, text: &str) -> io::Result<()> {
        debug_assert_eq!(self.format.node(node).parent, self.open.last().copied(), "{} outside of its parent", self.format.node(node).path);
        self.tags.value(node, text, &mut self.buffer)?;
        self.hand_on()
    }

    /// Closes the innermost open block.
    ///
    /// # Errors
    /// The output fails.
    #[inline]
    pub fn close(&mut self) -> io::Result<()> {
        if let Some(node) = self.open.pop() {
            self.tags.close(node, &mut self.buffer);
        }
        self.hand_on()
    }

    /// Writes a tree; its block must be a child of the innermost open block.
    ///
    /// # Errors
    /// The output fails, or the encoding lacks a character.
    pub fn block(&mut self, block: &Block<'_>) -> io::Result<()> {
        debug_assert_eq!(self.format.node(block.node).parent, self.open.last().copied());
        block.append(self.format, &self.tags, &mut self.buffer)?;
        self.hand_on()
    }

    /// Closes all open blocks and writes the rest.
    ///
    /// # Errors
    /// The output fails.
    pub fn finish(mut self) -> io::Result<W> {
        while !self.open.is_empty() {
            self.close()?;
        }
        self.out.write_all(&self.buffer)?;
        self.out.flush()?;
        Ok(self.out)
    }

    #[inline]
    fn hand_on(&mut self) -> io::Result<()> {
        if self.buffer.len() >= BUFFER {
            self.out.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }
}

/// A block and its content. It may be filled in any order and is written in the order of the format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block<'t> {
    node: NodeId,
    children: Vec<Child<'t>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Child<'t> {
    Value(NodeId, Cow<'t, str>),
    Block(Block<'t>),
}

impl<'t> Block<'t> {
    /// An empty block.
    pub fn new(node: NodeId) -> Self {
        Self { node, children: Vec::new() }
    }

    /// Adds a value; a repeated element keeps the order of its values.
    pub fn value(&mut self, node: NodeId, text: impl Into<Cow<'t, str>>) -> &mut Self {
        self.children.push(Child::Value(node, text.into()));
        self
    }

    /// Adds a block.
    pub fn push(&mut self, block: Block<'t>) -> &mut Self {
        self.children.push(Child::Block(block));
        self
    }

    /// The element of this block.
    pub fn node(&self) -> NodeId {
        self.node
    }

    fn append(&self, format: &Format, tags: &Tags, out: &mut Vec<u8>) -> Result<(), NoSuchCharacter> {
        tags.open(self.node, out);
        for id in &format.node(self.node).children {
            for child in &self.children {
                match child {
                    Child::Value(node, text) if node == id => tags.value(*node, text, out)?,
                    Child::Block(block) if block.node == *id => block.append(format, tags, out)?,
                    _ => {}
                }
            }
        }
        tags.close(self.node, out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::format::{Family, Formats};
    use crate::tables::RuleFiles;

    fn format() -> std::sync::Arc<Format> {
        let formats = Formats::load(&RuleFiles::embedded()).expect("sound tables");
        std::sync::Arc::clone(formats.get(Family('L'), "3.1").expect("an edition"))
    }

    #[test]
    fn blocks_come_out_in_the_order_of_the_format() {
        let format = format();
        let node = |path: &str| format.find(path).expect(path);
        let mut person = Block::new(node("PERS_LIST/PERS"));
        person.value(node("PERS_LIST/PERS/DR"), "1980-01-01");
        person.value(node("PERS_LIST/PERS/DOST"), "4").value(node("PERS_LIST/PERS/DOST"), "5");
        person.value(node("PERS_LIST/PERS/FAM"), "Ёлкин<&>");
        let mut writer = Writer::new(&format, Encoding::Windows1251, Layout::Lines, Vec::new());
        writer.open(format.root()).expect("memory takes it");
        writer.block(&person).expect("memory takes it");
        let bytes = writer.finish().expect("memory takes it");
        assert_eq!(
            Encoding::Windows1251.decode(&bytes),
            "<?xml version=\"1.0\" encoding=\"windows-1251\"?>\r\n<PERS_LIST>\r\n<PERS>\r\n<FAM>Ёлкин&lt;&amp;&gt;</FAM>\r\n<DR>1980-01-01</DR>\r\n\
             <DOST>4</DOST>\r\n<DOST>5</DOST>\r\n</PERS>\r\n</PERS_LIST>\r\n"
        );
    }

    #[test]
    fn compact_utf8() {
        let format = format();
        let header = format.find("PERS_LIST/ZGLV").expect("a header");
        let mut writer = Writer::new(&format, Encoding::Utf8, Layout::Compact, Vec::new());
        writer.open(format.root()).expect("memory takes it");
        writer.open(header).expect("memory takes it");
        writer.value(format.find("PERS_LIST/ZGLV/VERSION").expect("a value"), "日").expect("UTF-8 has everything");
        let bytes = writer.finish().expect("memory takes it");
        assert_eq!(
            String::from_utf8(bytes).expect("UTF-8"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><PERS_LIST><ZGLV><VERSION>日</VERSION></ZGLV></PERS_LIST>"
        );
    }

    #[test]
    fn a_character_that_the_encoding_lacks_is_an_error() {
        let mut out = Vec::new();
        assert_eq!(append_text("№ 日", Encoding::Windows1251, &mut out), Err(NoSuchCharacter('日')));
        assert_eq!(out, [0xB9, b' ']);
    }

    #[test]
    fn every_character_of_windows_1251_survives() {
        let text: String = (0x20..=0xFFu8).filter(|b| *b != 0x98).filter_map(crate::registry::encoding::windows_1251_char).collect();
        let mut out = Vec::new();
        append_text(&text, Encoding::Windows1251, &mut out).expect("all are there");
        let back = Encoding::Windows1251.decode(&out).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        assert_eq!(back, text);
    }
}
