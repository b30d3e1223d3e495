//! The reader of registries: never a panic; its places lie in the file; pieces give back every byte; and a document that it finds
//! well-formed is well-formed to quick-xml too, with the same elements and texts.
#![no_main]

use std::io::Cursor;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use puomp::finding::Catalog;
use puomp::flk::check_document;
use puomp::registry::chunk::Chunks;
use puomp::registry::encoding::{Coding, Encoding, to_windows_1251};
use puomp::registry::format::{Family, Format, Formats, Role};
use puomp::registry::probe::{Head, Kind, Prober};
use puomp::registry::scan::{ScanLimits, Scanner, Token};
use puomp::tables::RuleFiles;
use quick_xml::Reader;
use quick_xml::events::Event;

static TABLES: LazyLock<(Catalog, Formats)> = LazyLock::new(|| {
    let files = RuleFiles::embedded();
    (Catalog::load(&files).expect("the tests load the same tables"), Formats::load(&files).expect("the tests load the same tables"))
});

static PROBER: LazyLock<Prober<'static>> = LazyLock::new(|| Prober::new(&TABLES.1));

/// What both readers must see alike. Text beside elements is left out: they cut it at different places.
#[derive(Debug, PartialEq)]
enum Seen {
    Open(String),
    Close,
    Text(String),
}

fuzz_target!(|bytes: &[u8]| {
    let head = PROBER.look(bytes);
    let (coding, bom) = head.as_ref().map_or((Coding::Windows1251, false), |h| (h.coding, h.bom));
    let mut read = bytes.to_vec();
    coding.rewrite(&mut read, 0);
    let (encoding, text) = (coding.read_as(), if bom { &read[3..] } else { &read[..] });
    // A format is compiled for each document: one input in eight keeps the others quick.
    if bytes.len() % 8 == 0 {
        check(text, encoding, head.as_ref().ok());
    }
    if head.is_ok()
        && let Some(ours) = scan(text, encoding)
    {
        assert_eq!(ours, oracle(&encoding.decode(text), encoding), "ours and quick-xml's");
    }
    pieces(bytes);
});

/// All checks of one document, against the format that its head names.
fn check(text: &[u8], encoding: Encoding, head: Option<&Head>) {
    let (catalog, formats) = &*TABLES;
    let family = |head: &Head| Family(if head.kind == Kind::Persons { 'L' } else { ['H', 'C', 'T', 'D'][text.len() / 8 % 4] });
    let format = head.and_then(|head| formats.choose(family(head), head.value(Role::Version), head.period()));
    let format: &Format = format.map_or(&formats.editions(Family('H'))[0], |(format, _)| format);
    for finding in check_document(text, encoding, format, catalog).expect("the tests load the same tables") {
        assert!(finding.place.offset <= text.len() as u64, "{finding:?}");
    }
}

/// The elements as our scanner sees them; none when it finds a fault.
fn scan(text: &[u8], encoding: Encoding) -> Option<Vec<Seen>> {
    let mut scanner = Scanner::new(text, encoding, ScanLimits::default(), Vec::new());
    let mut seen = Vec::new();
    let mut last = 0;
    let mut step = |at: usize| {
        assert!(at >= last && at < text.len(), "offsets go forward");
        last = at;
    };
    loop {
        match scanner.next_token().ok()? {
            Token::Leaf { at, name, text, .. } => {
                step(at);
                let text = encoding.decode(&text).into_owned();
                seen.extend([Seen::Open(encoding.decode(name.bytes).into_owned()), Seen::Text(text), Seen::Close]);
            }
            Token::Open { at, name, .. } => {
                step(at);
                seen.push(Seen::Open(encoding.decode(name.bytes).into_owned()));
            }
            Token::Close { at } => {
                step(at);
                seen.push(Seen::Close);
            }
            Token::Text { at, .. } => step(at),
            Token::End => return scanner.root_closed().then_some(seen),
        }
    }
}

/// The same through quick-xml, over decoded text. Text is kept where it is all that an element holds. A reference to a character that
/// the file's encoding does not have is a question mark to us: values are kept in the bytes of the file.
fn oracle(text: &str, encoding: Encoding) -> Vec<Seen> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut seen: Vec<Seen> = Vec::new();
    // Text since the last tag, and whether that tag was a start tag.
    let mut run = String::new();
    let mut alone = false;
    loop {
        match reader.read_event().expect("quick-xml reads what we read") {
            Event::Start(tag) => {
                seen.push(Seen::Open(tag.name().as_ref().to_owned()));
                run.clear();
                alone = true;
            }
            Event::End(_) => {
                if alone {
                    seen.push(Seen::Text(std::mem::take(&mut run)));
                }
                seen.push(Seen::Close);
                run.clear();
                alone = false;
            }
            Event::Text(part) => run.push_str(&part),
            Event::CData(part) => run.push_str(&part),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().expect("a reference that we took") {
                Some(c) if encoding == Encoding::Windows1251 && to_windows_1251(c.encode_utf8(&mut [0; 4])).is_none() => run.push('?'),
                Some(c) => run.push(c),
                None => run.push_str(quick_xml::escape::resolve_predefined_entity(&reference).expect("an entity that we took")),
            },
            Event::Eof => return seen,
            _ => {}
        }
    }
}

/// Pieces are the file, cut; however small they are.
fn pieces(bytes: &[u8]) {
    let mut chunks = Chunks::new(Box::new(Cursor::new(bytes.to_vec())), "ZAP", false).with_piece(64);
    let mut joined = Vec::new();
    while let Ok(Some(chunk)) = chunks.next_chunk(Vec::new()) {
        assert_eq!(chunk.offset, joined.len() as u64);
        joined.extend_from_slice(&chunk.bytes);
        if chunk.last {
            break;
        }
    }
    assert_eq!(joined, bytes);
}
