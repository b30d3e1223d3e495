//! Every single fault of every element of a document.

use puomp::finding::Check;
use puomp::registry::format::value::Base;
use puomp::registry::format::{Format, Node, ValueType};

use super::document::{Document, encode, escape};
use super::sample::{self, Size};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fault {
    Drop,
    Repeat,
    Rename,
    LowerCase,
    NameOfAnother,
    Swap,
    Scatter,
    Lengthen,
    Shorten,
    WrongType,
    Decimals,
    ImpossibleDate,
    Empty,
    SelfClosed,
    Blank,
    SpacesAround,
    Attribute,
    TextInBlock,
    ElementInValue,
    UnknownChild,
    Namespace,
    /// A value scribbled over at random: it may fit or not, but both judges must say the same.
    Scribble,
}

/// A finding that must be there.
#[derive(Debug)]
pub(crate) struct Claim {
    /// One of these checks,
    pub(crate) checks: &'static [Check],
    /// at an element of this path or below it,
    pub(crate) path: String,
    /// at this byte.
    pub(crate) offset: usize,
}

/// What must be said of a mutant.
#[derive(Debug)]
pub(crate) struct Expected {
    /// By us; none when the format allows what was done.
    pub(crate) ours: Option<Claim>,
    /// By a validator of XML Schema 1.0; none when it is to say what we say.
    pub(crate) oracle_accepts: Option<bool>,
}

impl Expected {
    fn clean() -> Self {
        Self { ours: None, oracle_accepts: Some(true) }
    }

    fn found(checks: &'static [Check], path: impl Into<String>, offset: usize) -> Self {
        Self { ours: Some(Claim { checks, path: path.into(), offset }), oracle_accepts: Some(false) }
    }
}

/// A document with one fault.
#[derive(Debug)]
pub(crate) struct Mutant {
    pub(crate) fault: Fault,
    /// Path of the element that was changed.
    pub(crate) of: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) expected: Expected,
}

const VALUE: &[Check] =
    &[Check::NotNumber, Check::Decimals, Check::NotDate, Check::NoSuchDate, Check::TooLong, Check::TooShort, Check::Characters, Check::Mask, Check::NotInList];
const EMPTY: &[Check] = &[Check::Empty];
const NO_SUCH_DATE: &[Check] = &[Check::NoSuchDate];
const LONG: &[Check] = &[Check::TooLong, Check::NotInList, Check::NotDate];
const SHORT: &[Check] = &[Check::TooShort, Check::Mask, Check::Decimals, Check::NotDate];

/// Random values an element.
const SCRIBBLES: usize = 3;

/// Every mutant of a document: each fault that an element can have, at its first occurrence.
pub(crate) fn mutants(document: &Document, format: &Format) -> Vec<Mutant> {
    let mut maker = Maker { document, format, mutants: Vec::new() };
    for id in format.ids() {
        let at = document.elements.iter().position(|e| e.node == id).unwrap_or_else(|| panic!("{} is not in the document", format.node(id).path));
        maker.structure(at);
        match format.node(id).value_type() {
            Some(kind) => maker.value(at, kind),
            None => maker.block(at),
        }
    }
    maker.mutants
}

struct Maker<'a> {
    document: &'a Document,
    format: &'a Format,
    mutants: Vec<Mutant>,
}

type Edit = (usize, usize, Vec<u8>);

impl Maker<'_> {
    fn node(&self, at: usize) -> &Node {
        self.format.node(self.document.elements[at].node)
    }

    fn add(&mut self, fault: Fault, at: usize, edits: Vec<Edit>, expected: Expected) {
        let of = self.node(at).path.to_string();
        self.mutants.push(Mutant { fault, of, bytes: self.document.spliced(edits), expected });
    }

    fn structure(&mut self, at: usize) {
        let element = &self.document.elements[at];
        let node = self.format.node(element.node);
        let source = &self.document.bytes;
        let renamed =
            |name: &str| vec![(element.start + 1, element.start + 1 + node.name.len(), name.into()), (element.close + 2, element.end - 1, name.into())];
        let strange = [(Fault::Rename, format!("{}_", node.name)), (Fault::LowerCase, node.name.to_lowercase())];
        self.attribute(at);
        let Some(parent_at) = element.parent else {
            for (fault, name) in strange {
                // The file is no registry at all: the finding is about the file.
                self.add(fault, at, renamed(&name), Expected::found(&[Check::WrongRoot], "", element.start));
            }
            // A warning of ours; a schema without a target namespace knows no such element.
            let namespace = (element.inside - 1, element.inside - 1, b" xmlns=\"urn:x\"".to_vec());
            self.add(Fault::Namespace, at, vec![namespace], Expected { ours: None, oracle_accepts: Some(false) });
            return;
        };
        let parent = &self.document.elements[parent_at];
        let parent_node = self.format.node(parent.node);
        let has = |mask: u64| mask & (1 << node.position) != 0;
        let (required, repeatable) = (has(parent_node.required), has(parent_node.repeatable));
        let same: Vec<_> = parent.children.iter().map(|c| &self.document.elements[*c]).filter(|e| e.node == element.node).collect();
        let last = same[same.len() - 1];

        let edits = same.iter().map(|e| (e.start, e.end, Vec::new())).collect();
        let missing = Expected::found(&[Check::Missing], &*node.path, parent.start);
        self.add(Fault::Drop, at, edits, if required { missing } else { Expected::clean() });

        let again = source[last.start..last.end].to_vec();
        let repeated = Expected::found(&[Check::Repeated], &*node.path, last.end);
        self.add(Fault::Repeat, at, vec![(last.end, last.end, again.clone())], if repeatable { Expected::clean() } else { repeated });

        for (fault, name) in strange {
            let expected = Expected::found(&[Check::Unknown, Check::Misplaced], format!("{}/{name}", parent_node.path), element.start);
            self.add(fault, at, renamed(&name), expected);
        }
        let foreign = self.format.nodes().iter().map(|n| &n.name).find(|n| parent_node.children.iter().all(|c| self.format.node(*c).name != **n));
        if let Some(foreign) = foreign {
            let expected = Expected::found(&[Check::Misplaced], format!("{}/{foreign}", parent_node.path), element.start);
            self.add(Fault::NameOfAnother, at, renamed(foreign), expected);
        }

        let place = parent.children.iter().position(|c| self.document.elements[*c].start == last.start).expect("a child");
        let Some(next) = parent.children.get(place + 1).map(|c| &self.document.elements[*c]) else { return };
        // Behind the next one it is named as the one out of order; where it ends does not change.
        let moved = next.end - again.len();
        let neighbour = source[next.start..next.end].to_vec();
        let expected = Expected::found(&[Check::Order], &*node.path, moved);
        self.add(Fault::Swap, at, vec![(last.start, last.end, neighbour), (next.start, next.end, again.clone())], expected);
        if same.len() > 1 {
            let expected = Expected::found(&[Check::Order], &*node.path, moved);
            self.add(Fault::Scatter, at, vec![(last.start, last.end, Vec::new()), (next.end, next.end, again)], expected);
        }
    }

    fn attribute(&mut self, at: usize) {
        let element = &self.document.elements[at];
        let expected = Expected::found(&[Check::Attribute], &*self.node(at).path, element.start);
        self.add(Fault::Attribute, at, vec![(element.inside - 1, element.inside - 1, b" a=\"1\"".to_vec())], expected);
    }

    fn block(&mut self, at: usize) {
        let element = &self.document.elements[at];
        let node = self.format.node(element.node);
        let path = node.path.to_string();
        let text = Expected::found(&[Check::TextInBlock], &*path, element.inside);
        self.add(Fault::TextInBlock, at, vec![(element.inside, element.inside, b"7".to_vec())], text);
        let unknown = Expected::found(&[Check::Unknown], format!("{path}/XYZ"), element.close);
        self.add(Fault::UnknownChild, at, vec![(element.close, element.close, b"<XYZ>1</XYZ>".to_vec())], unknown);
        for (fault, edit) in
            [(Fault::Empty, (element.inside, element.close, Vec::new())), (Fault::SelfClosed, (element.inside - 1, element.end, b"/>".to_vec()))]
        {
            let expected = if node.required == 0 { Expected::clean() } else { Expected::found(&[Check::Missing], format!("{path}/"), element.start) };
            self.add(fault, at, vec![edit], expected);
        }
    }

    fn value(&mut self, at: usize, kind: &ValueType) {
        let element = &self.document.elements[at];
        let path = self.node(at).path.to_string();
        let closed = Expected::found(EMPTY, &*path, element.start);
        self.add(Fault::SelfClosed, at, vec![(element.inside - 1, element.end, b"/>".to_vec())], closed);
        let nested = Expected::found(&[Check::BlockInText], &*path, element.start);
        self.add(Fault::ElementInValue, at, vec![(element.inside, element.inside, b"<A>1</A>".to_vec())], nested);

        let date = kind.base() == Base::Date;
        let mut values: Vec<(Fault, String, &'static [Check])> = vec![(Fault::Lengthen, sample::too_long(kind), LONG), (Fault::Empty, String::new(), EMPTY)];
        values.extend(sample::too_short(kind).map(|v| (Fault::Shorten, v, SHORT)));
        values.extend(sample::wrong_type(kind).map(|v| (Fault::WrongType, v, VALUE)));
        values.extend(sample::wrong_decimals(kind).into_iter().map(|v| (Fault::Decimals, v, VALUE)));
        if date {
            let days = ["2019-02-30", "2019-13-01", "2019-00-10", "2019-04-31", "1900-02-29", "0000-01-01"];
            values.extend(days.map(|v| (Fault::ImpossibleDate, v.to_owned(), NO_SUCH_DATE)));
        }
        values.push((Fault::SpacesAround, format!(" {} ", sample::value(kind, Size::Usual)), VALUE));
        values.push((Fault::Blank, " ".to_owned(), VALUE));
        // A space is a character like any other for free text and for the sets that have it.
        let open = kind.base() == Base::Text && kind.mask().is_none() && kind.list().is_empty() && kind.charset().is_none_or(|set| set.holds(' '));
        let takes = |text: &str| open && (kind.lengths().0..=kind.lengths().1).contains(&text.chars().count());
        for (fault, value, checks) in values {
            let bytes = encode(&escape(&value), self.document.encoding);
            let spaces = matches!(fault, Fault::SpacesAround | Fault::Blank);
            let mut expected = if spaces && takes(&value) { Expected::clean() } else { Expected::found(checks, &*path, element.start) };
            if date && fault == Fault::SpacesAround {
                // `xs:date` collapses white space before the pattern is tried.
                expected.oracle_accepts = Some(true);
            }
            self.add(fault, at, vec![(element.inside, element.close, bytes)], expected);
        }
        let mut seed = path.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        for _ in 0..SCRIBBLES {
            let value = sample::scribbled(kind, &mut seed);
            let bytes = encode(&escape(&value), self.document.encoding);
            let expected = Expected { oracle_accepts: None, ..Expected::found(VALUE, &*path, element.start) };
            self.add(Fault::Scribble, at, vec![(element.inside, element.close, bytes)], expected);
        }
    }
}
