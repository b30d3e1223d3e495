//! Our reader and quick-xml see the same elements in the same documents, and agree which documents are well-formed.
//!
//! What quick-xml leaves to its users (names, characters, the inside of tags, one root) the oracle here checks itself, by the grammar of
//! XML 1.0. Known differences, none of which random documents meet: we look at no more than a name and a place of the XML declaration;
//! bytes beyond ASCII are taken for letters of names; U+FFFE and U+FFFF are judged with the values; references are at most 32 bytes long.

use std::io::Write as _;

use puomp::generate::{Generator, Options};
use puomp::registry::encoding::Encoding;
use puomp::registry::fault::Fault;
use puomp::registry::format::Family;
use puomp::registry::scan::{ScanLimits, Scanner, Token, check_characters};
use puomp::registry::writer::Layout;
use puomp::tables::RuleFiles;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::support::pair::{Chance, DESK, MAIN, edited, encoded};

/// What both must see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    /// An element that holds nothing but text: name, offset of its tag, first attribute, text.
    Leaf(String, usize, Option<String>, String),
    /// A tag of an element that holds others.
    Open(String, usize, Option<String>),
    Close,
}

fn ours(bytes: &[u8], encoding: Encoding) -> Result<Vec<Seen>, Fault> {
    let mut scanner = Scanner::new(bytes, encoding, ScanLimits::default(), Vec::new());
    let text = |bytes: &[u8]| encoding.decode(bytes).into_owned();
    let mut seen = Vec::new();
    loop {
        match scanner.next_token()? {
            Token::Leaf { at, name, text_at, text: value, attribute } => {
                name.check(at, encoding)?;
                check_characters(&value, text_at)?;
                seen.push(Seen::Leaf(text(name.bytes), at, attribute.map(text), text(&value)));
            }
            Token::Open { at, name, attribute } => seen.push(Seen::Open(text(name.bytes), at, attribute.map(text))),
            Token::Close { .. } => seen.push(Seen::Close),
            Token::Text { .. } => {}
            Token::End if scanner.root_closed() => return Ok(seen),
            Token::End => return Err(Fault::new(puomp::finding::Check::XmlTruncated)),
        }
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn sound(text: &str) -> Result<(), String> {
    if text.contains(|c: char| c < ' ' && !is_space(c)) { Err("a forbidden character".into()) } else { Ok(()) }
}

/// The name at the head of a text and what follows.
fn name(text: &str) -> Result<(&str, &str), String> {
    let later = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '-' | '.') || !c.is_ascii();
    let first = |c: char| later(c) && !c.is_ascii_digit() && !matches!(c, '-' | '.');
    let end = text.find(|c| !later(c)).unwrap_or(text.len());
    if end == 0 || !text.starts_with(first) || end > 64 { Err(format!("no name: {text}")) } else { Ok(text.split_at(end)) }
}

fn reference(word: &str) -> Result<char, String> {
    let digits = |text: &str, radix| text.chars().all(|c| c.is_digit(radix)).then(|| u32::from_str_radix(text, radix).ok()).flatten();
    let c = match word {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        word => match word.strip_prefix("#x") {
            Some(hex) => digits(hex, 16).and_then(char::from_u32),
            None => word.strip_prefix('#').and_then(|d| digits(d, 10)).and_then(char::from_u32),
        },
    };
    c.filter(|c| *c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}') || is_space(*c)).ok_or_else(|| format!("no reference: {word}"))
}

/// The inside of a start tag: the name and the first attribute.
fn tag(text: &str) -> Result<(String, Option<String>), String> {
    let (element, mut rest) = name(text)?;
    let mut attributes: Vec<&str> = Vec::new();
    loop {
        let after = rest.trim_start_matches(is_space);
        if after.is_empty() {
            break;
        }
        if after.len() == rest.len() {
            return Err("no space before an attribute".into());
        }
        let (attribute, after) = name(after)?;
        let after = after.trim_start_matches(is_space).strip_prefix('=').ok_or("no =")?.trim_start_matches(is_space);
        let quote = after.chars().next().filter(|c| matches!(c, '\'' | '"')).ok_or("no quote")?;
        let (value, after) = after[1..].split_once(quote).ok_or("no end of a value")?;
        sound(value)?;
        if value.contains('<') || attributes.contains(&attribute) || attributes.len() == 8 {
            return Err("a wrong attribute".into());
        }
        for part in value.split('&').skip(1) {
            reference(part.split_once(';').ok_or("a bare &")?.0)?;
        }
        attributes.push(attribute);
        rest = after;
    }
    Ok((element.to_owned(), attributes.first().map(|a| (*a).to_owned())))
}

/// The same through quick-xml over the decoded text; `offsets` leads back to the bytes.
pub(crate) fn oracle(text: &str, offsets: &[usize]) -> Result<Vec<Seen>, String> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().enable_all_checks(true);
    let mut seen: Vec<Seen> = Vec::new();
    // Places in `seen` of the open elements that hold no others so far, and their texts.
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut roots = 0;
    loop {
        let start = reader.buffer_position() as usize;
        let event = reader.read_event().map_err(|e| e.to_string())?;
        let outside = open.is_empty();
        match event {
            Event::Start(_) | Event::Empty(_) => {
                roots += usize::from(outside);
                if roots > 1 || open.len() >= 16 {
                    return Err("a second root, or too deep".into());
                }
                let (element, attribute) = tag(&event)?;
                let at = offsets[start];
                if let Event::Empty(_) = event {
                    seen.push(Seen::Leaf(element, at, attribute, String::new()));
                } else {
                    open.push((seen.len(), String::new()));
                    seen.push(Seen::Open(element, at, attribute));
                }
            }
            Event::End(_) => {
                let (at, text) = open.pop().ok_or("closes nothing")?;
                if at + 1 == seen.len() {
                    let Some(Seen::Open(element, at, attribute)) = seen.pop() else { unreachable!("an open element stands there") };
                    seen.push(Seen::Leaf(element, at, attribute, text));
                } else {
                    seen.push(Seen::Close);
                }
            }
            Event::Text(part) if outside => {
                if !part.chars().all(is_space) {
                    return Err("text outside the root".into());
                }
            }
            Event::CData(_) | Event::GeneralRef(_) if outside => return Err("text outside the root".into()),
            Event::Text(part) => {
                sound(&part)?;
                if part.contains("]]>") {
                    return Err("]]>".into());
                }
                open.last_mut().expect("inside").1.push_str(&part);
            }
            Event::CData(part) => {
                sound(&part)?;
                open.last_mut().expect("inside").1.push_str(&part);
            }
            Event::GeneralRef(word) => open.last_mut().expect("inside").1.push(reference(&word)?),
            Event::Comment(part) => sound(&part)?,
            Event::Decl(part) if start == 0 => sound(&part)?,
            Event::Decl(_) => return Err("a late declaration".into()),
            Event::PI(part) => {
                sound(&part)?;
                let (target, rest) = name(&part)?;
                if target.eq_ignore_ascii_case("xml") && (target != "xml" || start > 0) || !rest.is_empty() && !rest.starts_with(is_space) {
                    return Err("no instruction".into());
                }
            }
            Event::DocType(_) => return Err("a document type".into()),
            Event::Eof if outside && roots == 1 => return Ok(seen),
            Event::Eof => return Err("cut".into()),
        }
    }
}

/// The decoded text and, for each of its bytes and its end, the offset in the original.
pub(crate) fn decoded(bytes: &[u8], encoding: Encoding) -> (String, Vec<usize>) {
    let text = encoding.decode(bytes).into_owned();
    let mut offsets = Vec::with_capacity(text.len() + 1);
    let mut at = 0;
    for c in text.chars() {
        offsets.extend(std::iter::repeat_n(at, c.len_utf8()));
        at += if encoding == Encoding::Utf8 { c.len_utf8() } else { 1 };
    }
    offsets.push(at);
    (text, offsets)
}

/// Both readers on one document: how many elements they saw, or that both refuse it.
fn compare(bytes: &[u8], encoding: Encoding) -> Result<Option<usize>, String> {
    let (text, offsets) = decoded(bytes, encoding);
    match (ours(bytes, encoding), oracle(&text, &offsets)) {
        (Ok(a), Ok(b)) if a == b => Ok(Some(a.len())),
        (Ok(a), Ok(b)) => {
            let at = a.iter().zip(&b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()));
            Err(format!("element {at}: we see {:?}, quick-xml {:?}", a.get(at), b.get(at)))
        }
        (Err(_), Err(_)) => Ok(None),
        (a, b) => Err(format!("we: {:?}; quick-xml: {:?}; in {text:?}", a.map(|a| a.len()), b.map(|b| b.len()))),
    }
}

/// The same document in the clothes that no registry wears but XML allows.
fn roughened(text: &str, chance: &mut Chance) -> String {
    let mut out = String::with_capacity(text.len() * 3 / 2);
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (value, tags) = rest.split_at(at);
        dress(value, chance, &mut out);
        let end = tags.find('>').expect("tags are closed") + 1;
        let (tag, after) = tags.split_at(end);
        rest = after;
        match tag.as_bytes()[1] {
            b'?' => {
                out.push_str(tag);
                continue;
            }
            b'/' => {
                out.push_str(tag.trim_end_matches('>'));
                out.push_str(chance.of(&["", "", "", " ", "\n"]));
                out.push('>');
            }
            _ => {
                out.push_str(tag.trim_end_matches('>'));
                if chance.once_in(6) {
                    out.push_str(chance.of(&[" a='1'", "\n\tb = \"<\"", " c=''  d='&amp;>'", " я=\"'\" ", " "]).replace('<', "&lt;").as_str());
                }
                if chance.once_in(9) && after.starts_with("</") {
                    out.push_str("/>");
                    rest = &after[after.find('>').expect("tags are closed") + 1..];
                } else {
                    out.push('>');
                }
            }
        }
        if chance.once_in(12) && !rest.trim_ascii().is_empty() {
            out.push_str(chance.of(&["<!-- <ZAP> & </ZAP> - -->", "<?php echo '<a>' ?>", "<!---->", "<?p?>", "\r\n", "\t", "<![CDATA[ ]]>"]));
        }
    }
    out.push_str(rest);
    out
}

fn dress(value: &str, chance: &mut Chance, out: &mut String) {
    if value.trim_ascii().is_empty() || !chance.once_in(3) {
        out.push_str(value);
        return;
    }
    // References of the original stay whole.
    let parts: Vec<&str> = value.split_inclusive(';').collect();
    for part in parts {
        if part.contains('&') {
            out.push_str(part);
            continue;
        }
        match chance.below(5) {
            0 => out.push_str(&format!("<![CDATA[{part}]]>")),
            1 => part.chars().for_each(|c| out.push_str(&if c.is_ascii_alphanumeric() { format!("&#{};", c as u32) } else { c.to_string() })),
            2 => out.push_str(&format!("{part}<!-- & -->")),
            3 => out.push_str(&format!("<?x y?>{part}<![CDATA[]]>")),
            _ => out.push_str(&format!("{part}>")),
        }
    }
}

fn generated(layout: Layout, encoding: Encoding, cases: u64, seed: u64) -> Vec<u8> {
    let files = RuleFiles::embedded();
    let options = Options { layout, encoding, ..Options::new(Family('H'), "2021-02".parse().expect("a month"), cases, seed) };
    let generator = Generator::new(&files, &DESK.formats, &options).expect("the tables are sound");
    let mut bytes = Vec::new();
    generator.write_main(&mut bytes, &mut |_| Ok(())).expect("memory takes it");
    bytes
}

#[test]
fn ten_thousand_records_look_the_same() {
    let mut elements = 0;
    for (seed, (layout, encoding, rough)) in [
        (Layout::Lines, Encoding::Windows1251, false),
        (Layout::Compact, Encoding::Utf8, false),
        (Layout::Compact, Encoding::Windows1251, true),
        (Layout::Lines, Encoding::Utf8, true),
    ]
    .into_iter()
    .enumerate()
    {
        let mut bytes = generated(layout, encoding, 2500, seed as u64);
        if rough {
            let text = roughened(&encoding.decode(&bytes), &mut Chance::new(seed as u64));
            bytes = if encoding == Encoding::Utf8 { text.into_bytes() } else { encoded(&text) };
        }
        elements += compare(&bytes, encoding).expect("both see the same").expect("well-formed");
    }
    let _ = writeln!(std::io::stderr(), "differential: {elements} elements of 10000 generated records, half of them in rough clothes: the same");
    assert!(elements > 400_000, "{elements}");
}

pub(crate) const BITS: &[&str] = &[
    "<",
    ">",
    "&",
    ";",
    "'",
    "\"",
    "/",
    "=",
    "!",
    "?",
    "-",
    "[",
    "]",
    " ",
    "\n",
    "\t",
    "\0",
    "\u{1}",
    "\u{b}",
    "A",
    "ж",
    "0",
    "<!--",
    "-->",
    "--",
    "<![CDATA[",
    "]]>",
    "]]",
    "&amp;",
    "&#65;",
    "&#x0;",
    "&x;",
    "<?",
    "?>",
    "<?xml",
    "<?xml version='1.0'?>",
    "</",
    "/>",
    " a='1'",
    " a=\"&lt;\"",
    "<A>",
    "</A>",
    "<B/>",
    "<A>1</A>",
    "<DET>",
    "</DET>",
    "</ZAP>",
    "<ZAP>",
    "</ZL_LIST>",
    "<!DOCTYPE a>",
    "<!",
    "<A",
    ">1<",
    "<A=1>1</A=1>",
    "<A<B>1</A<B>",
    "<-->",
    "<!-->",
    "<!--->",
    "<-a>",
    "<.a>",
];

#[test]
fn mutated_documents_are_judged_the_same() {
    let small = edited(MAIN, &[("<Z_SL><IDCASE>12", "<!-- - --><?p q?><Z_SL><IDCASE x='1' y=\"&amp;\"><![CDATA[12]]>&#48;"), ("<DET>1</DET>", "<DET/>")]);
    let start = small.find("<ZAP>\n<N_ZAP>2").expect("the second record");
    let small = format!("<?xml version=\"1.0\"?>\n<ZL_LIST>{}", &small[start..]);
    let mut chance = Chance::new(2019);
    let (mut refused, mut accepted, mut differ) = (0, 0, Vec::new());
    for round in 0..20_000 {
        let mut text = small.clone();
        for _ in 0..=chance.below(3) {
            let at = |text: &str, chance: &mut Chance| {
                let mut at = chance.below(text.len() + 1);
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let (from, to) = (at(&text, &mut chance), at(&text, &mut chance));
            match chance.below(8) {
                0 => text.truncate(from),
                1 if from <= to && to - from < 60 => text.replace_range(from..to, ""),
                2 if from < text.len() => {
                    let next = from + text[from..].chars().next().expect("a character").len_utf8();
                    text.replace_range(from..next, chance.of(BITS));
                }
                3 => {
                    let tag = text[from..].find(['<', '>']).map_or(from, |n| from + n);
                    text.insert_str(tag, chance.of(BITS));
                }
                _ => text.insert_str(from, chance.of(BITS)),
            }
        }
        let encoding = if round % 2 == 0 { Encoding::Utf8 } else { Encoding::Windows1251 };
        let bytes = if encoding == Encoding::Utf8 { text.into_bytes() } else { encoded(&text) };
        match compare(&bytes, encoding) {
            Ok(Some(_)) => accepted += 1,
            Ok(None) => refused += 1,
            Err(reason) => differ.push(reason),
        }
    }
    assert!(differ.is_empty(), "{} differences, the first:\n{}", differ.len(), differ[..differ.len().min(12)].join("\n"));
    let _ = writeln!(std::io::stderr(), "differential: {refused} mutants refused by both, {accepted} accepted by both");
    assert!(refused > 5_000 && accepted > 1_000, "{refused} {accepted}");
}
