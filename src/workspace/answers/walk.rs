//! Reads an XML answer in one pass, chunk by chunk, so that its size does not matter for memory.

use memchr::memchr_iter;

use super::elements::{Document, Elements, Meaning};
use super::{AnswerError, XmlForm};
use crate::finding::Check;
use crate::registry::chunk::Chunks;
use crate::registry::fault::Fault;
use crate::registry::scan::{ScanLimits, Scanner, Token};
use crate::registry::source::Source;

/// Receives the blocks and values of an answer.
pub(super) trait Sink {
    /// A block begins.
    fn open(&mut self, block: Meaning);
    /// A value in a block. Returns false when the text does not fit the meaning of its element.
    fn value(&mut self, block: Meaning, meaning: Meaning, text: &str) -> bool;
    /// A block of the answer holds an element that the table does not know and that is not empty.
    fn unknown(&mut self, block: Meaning, name: &str);
    /// A block ends.
    fn close(&mut self, block: Meaning);
}

/// Walks through an answer, which is divided after the end tags of elements named `record`. Elements that the table does not know are told once and
/// passed over with all that is in them.
///
/// # Errors
/// The file cannot be read, its markup is broken, or a value does not fit its element.
pub(super) fn walk(source: &Source, form: &XmlForm, elements: &Elements, sink: &mut impl Sink) -> Result<(), AnswerError> {
    let XmlForm { document, coding, ref record } = *form;
    let encoding = coding.read_as();
    let mut chunks = Chunks::new(source.open().map_err(Fault::from)?, record, false).coded(coding, None);
    let mut blocks: Vec<Option<Meaning>> = Vec::new();
    let mut open = Vec::new();
    let mut buffer = Vec::new();
    let mut lines = 1;
    while let Some(chunk) = chunks.next_chunk(buffer)? {
        let (text, base) = chunk.text();
        let mut scanner = Scanner::new(text, encoding, ScanLimits::default(), open);
        loop {
            let token = scanner.next_token().map_err(|fault| Fault { offset: fault.offset.map(|at| at + base), ..fault })?;
            match token {
                Token::Open { name, .. } => {
                    let name = name.to_text(encoding);
                    let meaning = known(elements, document, &blocks, &name);
                    // A value that is passed over holds no elements.
                    if let (None | Some(Meaning::Ignored), Some(Some(block))) = (meaning, blocks.last()) {
                        sink.unknown(*block, &name);
                    }
                    let meaning = meaning.filter(|m| m.is_block());
                    if let Some(block) = meaning {
                        sink.open(block);
                    }
                    blocks.push(meaning);
                }
                Token::Leaf { at, name, text: value, attribute, .. } => {
                    let name = name.to_text(encoding);
                    match known(elements, document, &blocks, &name) {
                        Some(block) if block.is_block() => {
                            sink.open(block);
                            sink.close(block);
                        }
                        Some(meaning) => {
                            let block = blocks.last().copied().flatten().unwrap_or(Meaning::Root);
                            let value = encoding.decode(value.trim_ascii());
                            if !value.is_empty() && !sink.value(block, meaning, &value) {
                                let line = lines + memchr_iter(b'\n', &text[..at.min(text.len())]).count() as u64;
                                return Err(AnswerError::Value(name, line));
                            }
                        }
                        None => {
                            if let Some(Some(block)) = blocks.last()
                                && (attribute.is_some() || !value.trim_ascii().is_empty())
                            {
                                sink.unknown(*block, &name);
                            }
                        }
                    }
                }
                Token::Close { .. } => {
                    if let Some(block) = blocks.pop().flatten() {
                        sink.close(block);
                    }
                }
                Token::Text { .. } => {}
                Token::End => break,
            }
        }
        if chunk.last && !scanner.root_closed() {
            return Err(Fault::new(Check::XmlTruncated).at(base + text.len() as u64).expected(scanner.innermost()).into());
        }
        lines += memchr_iter(b'\n', text).count() as u64;
        open = scanner.open_names();
        buffer = chunk.bytes;
    }
    Ok(())
}

/// The meaning of an element in the open blocks; `None` for an unknown element and for everything inside one.
fn known(elements: &Elements, document: Document, blocks: &[Option<Meaning>], name: &str) -> Option<Meaning> {
    match blocks.last() {
        None => elements.meaning(document, None, name),
        Some(None) => None,
        Some(block) => elements.meaning(document, *block, name),
    }
}
