//! Writes a format as an XML Schema 1.0, for developers of a MIS and as a cross-check of our own checker.
//!
//! Each block has an `xs:complexType` (equal blocks share one) with an `xs:sequence` in the order of the table; `minOccurs` and `maxOccurs`
//! follow the obligation; each kind of value has an `xs:simpleType`. No element has attributes.
//!
//! XML Schema 1.0 cannot express the following, so verdicts differ; the comment at the head of every schema lists the same:
//!
//! - white space around a date: `xs:date` removes it before the pattern is tried, we refuse it;
//! - `xsi:` attributes: a schema cannot forbid them, we report them; a default namespace: the schema refuses it, we warn;
//! - a document type, limits of size and depth: handled by the parser;
//! - a line break written as CR LF counts as two characters for us (as in the file), as one for an XML parser;
//! - a known edition in the wrong period, keys, sums, persons, the file name: relations, not structure.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::value::Base;
use super::{Content, Format, Node, NodeId, ValueType};
use crate::texts::{Key, Lang, Texts};

/// Writes a format as an XML Schema 1.0 in UTF-8; the output is the same bytes every time. `texts` give the comment on what the schema cannot
/// check.
///
/// # Errors
/// The writer fails.
pub fn write_xsd(format: &Format, texts: &Texts, out: &mut impl Write) -> io::Result<()> {
    let schema = Schema::of(format);
    let mut xml = Writer::new_with_indent(&mut *out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.write_event(Event::Comment(BytesText::from_escaped(header(format, texts))))?;
    let mut start = BytesStart::new("xs:schema");
    start.push_attribute(("xmlns:xs", "http://www.w3.org/2001/XMLSchema"));
    start.push_attribute(("elementFormDefault", "qualified"));
    start.push_attribute(("version", format.edition.id.as_str()));
    xml.write_event(Event::Start(start))?;
    element(&mut xml, &schema.root, false)?;
    for block in &schema.blocks {
        open(&mut xml, "xs:complexType", &[("name", &block.name)])?;
        open(&mut xml, "xs:sequence", &[])?;
        for child in &block.children {
            element(&mut xml, child, true)?;
        }
        close(&mut xml, "xs:sequence")?;
        close(&mut xml, "xs:complexType")?;
    }
    for kind in &schema.kinds {
        simple_type(&mut xml, kind)?;
    }
    close(&mut xml, "xs:schema")?;
    drop(xml);
    out.write_all(b"\n")
}

fn header(format: &Format, texts: &Texts) -> String {
    let edition = &format.edition;
    let month = |m: Option<crate::values::Month>| m.map_or_else(|| "…".to_owned(), |m| m.to_string());
    let source = if edition.source.is_empty() { String::new() } else { format!("; {}", edition.source) };
    let title = format!(
        "{}: VERSION {}, {} – {} ({}{source})",
        super::edition::title(format.family, edition),
        edition.version,
        month(edition.from),
        month(edition.until),
        edition.basis
    );
    let notes = |lang| texts.get(Key::FormatsXsdNotes, lang);
    // A comment cannot hold two hyphens in a row.
    format!("\n  {}\n\n  {}\n\n  {}\n", title.replace("--", "- -"), notes(Lang::Ru), notes(Lang::En))
}

/// The use of an element within a block.
#[derive(Debug, PartialEq, Eq)]
struct Use {
    name: String,
    kind: String,
    required: bool,
    repeatable: bool,
    /// The notes in Russian and in English.
    notes: [String; 2],
}

#[derive(Debug)]
struct Block {
    name: String,
    first: NodeId,
    children: Vec<Use>,
}

#[derive(Debug)]
struct Kind<'a> {
    name: String,
    value: &'a ValueType,
}

/// The schema before it is written.
#[derive(Debug)]
struct Schema<'a> {
    format: &'a Format,
    root: Use,
    blocks: Vec<Block>,
    kinds: Vec<Kind<'a>>,
}

impl<'a> Schema<'a> {
    fn of(format: &'a Format) -> Self {
        let root = Use { name: String::new(), kind: String::new(), required: true, repeatable: false, notes: Default::default() };
        let mut schema = Self { format, root, blocks: Vec::new(), kinds: Vec::new() };
        schema.root = schema.element(format.root());
        schema.blocks.sort_by_key(|b| b.first);
        schema
    }

    fn element(&mut self, id: NodeId) -> Use {
        let node = self.format.node(id);
        let kind = match &node.content {
            Content::Block => self.block(id),
            Content::Value(value) => self.value(value),
        };
        // The checker uses these masks of the parent, so the schema uses them too.
        let in_parent = |mask: fn(&Node) -> u64| node.parent.is_some_and(|p| mask(self.format.node(p)) & (1 << node.position) != 0);
        Use {
            name: node.name.to_string(),
            kind,
            required: in_parent(|p| p.required),
            repeatable: in_parent(|p| p.repeatable),
            notes: [Lang::Ru, Lang::En].map(|lang| note(node, lang)),
        }
    }

    fn block(&mut self, id: NodeId) -> String {
        let node = self.format.node(id);
        let children: Vec<Use> = node.children.iter().map(|child| self.element(*child)).collect();
        if let Some(same) = self.blocks.iter().find(|b| b.children == children && b.name.rsplit('.').next() == Some(&*node.name)) {
            return same.name.clone();
        }
        // Blocks with the same name but different content are named after the blocks around them: `SL.NAPR`, `USL.NAPR`.
        let mut names = node.path.rmatch_indices('/').map(|(at, _)| node.path[at + 1..].replace('/', "."));
        let name = names.find(|n| !self.taken(n)).unwrap_or_else(|| node.path.replace('/', "."));
        self.blocks.push(Block { name: name.clone(), first: id, children });
        name
    }

    fn value(&mut self, value: &'a ValueType) -> String {
        if let Some(same) = self.kinds.iter().find(|k| facets(k.value) == facets(value)) {
            return same.name.clone();
        }
        let short = kind_name(value);
        let name = if self.taken(&short) { (2..).map(|n| format!("{short}.{n}")).find(|n| !self.taken(n)).expect("numbers do not end") } else { short };
        self.kinds.push(Kind { name: name.clone(), value });
        name
    }

    /// Whether a type name is used; blocks and values share the same names.
    fn taken(&self, name: &str) -> bool {
        self.blocks.iter().any(|b| b.name == name) || self.kinds.iter().any(|k| k.name == name)
    }
}

/// Title of the element and its row in short notation: `профиль [У T(3) V002.IDPR]`.
fn note(node: &Node, lang: Lang) -> String {
    let mut row = node.obligation.to_string();
    if let Some(value) = node.value_type() {
        row = format!("{row} {}", value.spec());
    }
    if !node.book.is_empty() {
        row = format!("{row} {}", node.book);
    }
    format!("{} [{row}]", node.title.get(lang))
}

/// A type name without spaces, such as `N.15.2.fixed`, `T.36.latin-digits-dash`, `N.in.0_1`.
fn kind_name(value: &ValueType) -> String {
    let letter = match value.base() {
        Base::Text => 'T',
        Base::Number => 'N',
        Base::Date => return "D".to_owned(),
    };
    let (min, max) = value.lengths();
    let body = match (value.list(), value.mask(), value.decimal()) {
        ([first, .., last], ..) if value.list().len() > 6 => format!("in.{first}_to_{last}"),
        (list @ [_, ..], ..) => format!("in.{}", list.join("_")),
        (_, Some(mask), _) => mask.as_str().replace(['[', ']'], ""),
        (_, _, Some((whole, fraction, fixed))) => format!("{whole}.{fraction}{}", if fixed { ".fixed" } else { "" }),
        _ if min <= 1 => max.to_string(),
        _ => format!("{min}-{max}"),
    };
    let set = value.charset().map_or_else(String::new, |s| format!(".{}", s.id));
    format!("{letter}.{body}{set}").chars().map(|c| if c.is_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' }).collect()
}

/// The base type and the facets of a value type.
fn facets(value: &ValueType) -> (&'static str, Vec<(&'static str, String)>) {
    if !value.list().is_empty() {
        // The loader has checked that every listed value has the right form.
        return ("xs:string", value.list().iter().map(|v| ("xs:enumeration", v.to_string())).collect());
    }
    let (min, max) = value.lengths();
    let lengths = || vec![("xs:minLength", min.to_string()), ("xs:maxLength", max.to_string())];
    if let Some(mask) = value.mask() {
        return ("xs:string", vec![("xs:pattern", mask.to_regex())]);
    }
    if let Some((whole, fraction, fixed)) = value.decimal() {
        let pattern = if fixed { format!(r"[0-9]{{1,{whole}}}\.[0-9]{{{fraction}}}") } else { format!(r"[0-9]{{1,{whole}}}(\.[0-9]{{1,{fraction}}})?") };
        return ("xs:string", vec![("xs:pattern", pattern)]);
    }
    match (value.base(), value.charset()) {
        (Base::Date, _) => ("xs:date", vec![("xs:pattern", "[0-9]{4}-[0-9]{2}-[0-9]{2}".to_owned())]),
        (Base::Number, _) => ("xs:string", vec![("xs:pattern", format!("[0-9]{{{min},{max}}}"))]),
        (Base::Text, None) => ("xs:string", lengths()),
        (Base::Text, Some(set)) => {
            let mut facets = lengths();
            facets.push(("xs:pattern", format!("[{}]*", set.to_regex_class())));
            ("xs:string", facets)
        }
    }
}

type Xml<'a, W> = Writer<&'a mut W>;

fn open<W: Write>(xml: &mut Xml<'_, W>, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
    xml.write_event(Event::Start(BytesStart::new(name).with_attributes(attributes.iter().copied())))
}

fn close<W: Write>(xml: &mut Xml<'_, W>, name: &str) -> io::Result<()> {
    xml.write_event(Event::End(BytesEnd::new(name)))
}

fn annotation<W: Write>(xml: &mut Xml<'_, W>, notes: &[String; 2]) -> io::Result<()> {
    open(xml, "xs:annotation", &[])?;
    for (lang, note) in ["ru", "en"].iter().zip(notes) {
        xml.create_element("xs:documentation").with_attribute(("xml:lang", *lang)).write_text_content(BytesText::new(note))?;
    }
    close(xml, "xs:annotation")
}

fn element<W: Write>(xml: &mut Xml<'_, W>, used: &Use, inside: bool) -> io::Result<()> {
    let mut attributes = vec![("name", used.name.as_str()), ("type", used.kind.as_str())];
    if inside && !used.required {
        attributes.push(("minOccurs", "0"));
    }
    if inside && used.repeatable {
        attributes.push(("maxOccurs", "unbounded"));
    }
    open(xml, "xs:element", &attributes)?;
    annotation(xml, &used.notes)?;
    close(xml, "xs:element")
}

fn simple_type<W: Write>(xml: &mut Xml<'_, W>, kind: &Kind<'_>) -> io::Result<()> {
    let (base, facets) = facets(kind.value);
    open(xml, "xs:simpleType", &[("name", &kind.name)])?;
    if let Some(set) = kind.value.charset() {
        annotation(xml, &[set.title.ru.clone(), set.title.en.clone()])?;
    }
    open(xml, "xs:restriction", &[("base", base)])?;
    for (facet, value) in &facets {
        xml.create_element(*facet).with_attribute(("value", value.as_str())).write_empty()?;
    }
    close(xml, "xs:restriction")?;
    close(xml, "xs:simpleType")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::format::{Family, Formats};
    use crate::tables::RuleFiles;
    use quick_xml::Reader;
    use std::collections::BTreeSet;

    fn xsd(format: &Format) -> String {
        let mut bytes = Vec::new();
        write_xsd(format, Texts::built_in(), &mut bytes).expect("memory takes it");
        String::from_utf8(bytes).expect("UTF-8")
    }

    /// The values of an attribute on all elements with this name.
    fn values(text: &str, element: &str, attribute: &str) -> Vec<String> {
        let mut reader = Reader::from_str(text);
        let mut found = Vec::new();
        loop {
            match reader.read_event().expect("well-formed") {
                Event::Start(e) | Event::Empty(e) if e.name().as_ref() == element => {
                    found.extend(e.try_get_attribute(attribute).expect("sound").map(|a| a.value.to_string()));
                }
                Event::Eof => return found,
                _ => {}
            }
        }
    }

    #[test]
    fn every_format_gives_a_closed_schema() {
        let formats = Formats::load(&RuleFiles::embedded()).expect("the built-in tables are sound");
        for format in formats.all() {
            let text = xsd(format);
            let names: Vec<String> = [values(&text, "xs:complexType", "name"), values(&text, "xs:simpleType", "name")].concat();
            let defined: BTreeSet<&String> = names.iter().collect();
            assert_eq!(defined.len(), names.len(), "{}: a type is defined twice", super::super::edition::title(format.family, &format.edition));
            let used = values(&text, "xs:element", "type");
            assert_eq!(used.iter().collect::<BTreeSet<_>>(), defined, "types used and types defined");
            assert!(used.len() <= format.nodes().len());
            assert!(!text.contains("xs:attribute"));
            assert_eq!(text, xsd(format), "the same bytes every time");
        }
    }

    #[test]
    fn a_small_family_as_it_is_written() {
        let formats = Formats::load(&RuleFiles::embedded()).expect("the built-in tables are sound");
        let text = xsd(formats.get(Family('L'), "3.2").expect("known"));
        let body = &text[text.find("<xs:schema").expect("a schema")..];
        insta::assert_snapshot!(body);
    }
}
