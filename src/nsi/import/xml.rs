//! Reads books in XML: `packet/zglv/zap` with elements or attributes, `PACKET` with `insCompany`, `root` with `item1`, `item2`…, and the
//! ministry's `book/entries/entry`.
//!
//! One reader handles all of them: a record is a child of the root other than the head, or a child of `entries`. The fields of a record are its
//! attributes and its innermost elements; a deeper element is named by its path, `TYPE_MD.TYPE_D`.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use super::Refusal;
use super::raw::{Label, RawTable};

/// The heads of packets and of the ministry's books.
const HEADS: [&str; 2] = ["zglv", "properties"];
const ENTRIES: &str = "entries";
/// A bound on the nesting that no real book reaches.
const MAX_DEPTH: usize = 16;

/// Reads a decoded document.
pub(super) fn read(text: &str) -> Result<RawTable, Refusal> {
    let mut reader = Reader::from_str(text);
    let mut walk = Walk { table: RawTable::new(Label::default()), path: Vec::new(), value: String::new(), leaf: false, records_at: 2, seen_root: false };
    loop {
        let event = reader.read_event().map_err(|e| broken(&reader, &e.to_string()))?;
        let done = match event {
            Event::Start(start) => walk.start(&start).map(|()| false),
            Event::Empty(start) => walk.start(&start).and_then(|()| walk.end()).map(|()| false),
            Event::End(_) => walk.end().map(|()| false),
            Event::Text(text) => walk.text(&text.xml10_content()).map(|()| false),
            Event::CData(text) => walk.text(&text.xml10_content()).map(|()| false),
            Event::GeneralRef(entity) => {
                let resolved = entity.resolve_char_ref().map_err(|e| broken(&reader, &e.to_string()))?;
                match resolved.map(String::from).or_else(|| resolve_predefined_entity(&entity).map(str::to_owned)) {
                    Some(text) => walk.text(&text).map(|()| false),
                    None => Err("an entity that the document does not explain".to_owned()),
                }
            }
            Event::DocType(_) => Err("a DOCTYPE has no place in a book".to_owned()),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => Ok(false),
            Event::Eof => Ok(true),
        };
        if done.map_err(|e| broken(&reader, &e))? {
            break;
        }
    }
    if !walk.path.is_empty() || !walk.seen_root {
        return Err(broken(&reader, "the document ends before its root element does"));
    }
    Ok(walk.table)
}

fn broken(reader: &Reader<&[u8]>, what: &str) -> Refusal {
    Refusal::Broken { at: reader.error_position().max(reader.buffer_position()), what: what.to_owned() }
}

struct Walk {
    table: RawTable,
    /// Names of the open elements, outermost first.
    path: Vec<String>,
    /// Text of the innermost open element.
    value: String,
    /// Whether the innermost open element has contained nothing but text so far.
    leaf: bool,
    /// Depth of records: 2, or 3 under `entries`.
    records_at: usize,
    seen_root: bool,
}

impl Walk {
    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        if self.path.is_empty() && self.seen_root {
            return Err("a second root element".to_owned());
        }
        if self.path.len() == MAX_DEPTH {
            return Err("elements lie too deep".to_owned());
        }
        self.seen_root = true;
        let local = start.local_name();
        self.path.push(local.into_inner().to_owned());
        self.value.clear();
        self.leaf = true;
        if self.path.len() == 2 {
            self.records_at = if local.into_inner().eq_ignore_ascii_case(ENTRIES) { 3 } else { 2 };
        }
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|e| e.to_string())?;
            let name = attribute.key.local_name();
            let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).map_err(|e| e.to_string())?;
            self.found(Some(name.into_inner()), &value)?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        if self.leaf {
            let value = std::mem::take(&mut self.value);
            self.found(None, &value)?;
        }
        self.leaf = false;
        if self.path.len() == self.records_at && !self.in_head() {
            self.table.end_row();
        }
        self.path.pop();
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        if self.path.is_empty() && !text.trim().is_empty() {
            return Err("text outside of the root element".to_owned());
        }
        self.value.push_str(text);
        Ok(())
    }

    fn in_head(&self) -> bool {
        self.path.get(1).is_some_and(|name| HEADS.iter().any(|h| name.eq_ignore_ascii_case(h)))
    }

    /// Handles a value: that of an attribute of the open element, or the text of the element itself.
    fn found(&mut self, attribute: Option<&str>, value: &str) -> Result<(), String> {
        let depth = self.path.len();
        let own = self.path.last().cloned().unwrap_or_default();
        // Attributes of the root, and elements with text directly below it, describe the packet as a whole.
        let of_packet = depth == 1 || self.in_head() || (depth == 2 && self.records_at == 2 && attribute.is_none());
        if of_packet {
            self.label(attribute.unwrap_or(&own), &own, value);
            return Ok(());
        }
        if depth < self.records_at {
            return Ok(());
        }
        let mut name = self.path[self.records_at..].join(".");
        if let Some(attribute) = attribute {
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(attribute);
        }
        // Text directly in a record has no field name.
        if name.is_empty() {
            return Ok(());
        }
        let field = self.table.field(&name).map_err(|_| "more fields than a book may have".to_owned())?;
        self.table.put(field, value);
        Ok(())
    }

    fn label(&mut self, name: &str, element: &str, value: &str) {
        let value = value.trim();
        if value.is_empty() {
            return;
        }
        let label = &mut self.table.label;
        let place = match name.to_ascii_lowercase().as_str() {
            "type" => &mut label.packet,
            "version" => &mut label.version,
            // `<version number="1.2" date="…"/>`
            "number" if element.eq_ignore_ascii_case("version") => &mut label.version,
            "date" => &mut label.date,
            _ => return,
        };
        // The first statement counts: the head precedes the records.
        place.get_or_insert_with(|| value.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> (Label, Vec<Vec<(String, String)>>) {
        let table = read(text).expect("well-formed");
        let row = |r| {
            let fields = table.fields().iter().enumerate();
            fields.map(|(f, name)| (name.clone(), table.value(r, f as u16).to_owned())).filter(|(_, v)| !v.is_empty()).collect()
        };
        (table.label.clone(), (0..table.len()).map(row).collect())
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    fn label(packet: &str, version: &str, date: &str) -> Label {
        let text = |s: &str| (!s.is_empty()).then(|| s.to_owned());
        Label { packet: text(packet), version: text(version), date: text(date) }
    }

    #[test]
    fn packets_with_elements() {
        let text = "<?xml version=\"1.0\"?><packet><zglv><type>ProfOt</type><version>3.0</version><date>30.03.2018</date></zglv>
            <zap><IDPR>1</IDPR><PRNAME>хирургии &lt;1&#1103;&gt;</PRNAME><DATEEND/></zap><zap><IDPR>2</IDPR><T><D>H</D><D>C</D></T></zap></packet>";
        let (head, rows) = rows(text);
        assert_eq!(head, label("ProfOt", "3.0", "30.03.2018"));
        assert_eq!(rows, [pairs(&[("IDPR", "1"), ("PRNAME", "хирургии <1я>")]), pairs(&[("IDPR", "2"), ("T.D", "H;C")])]);
    }

    #[test]
    fn packets_with_attributes() {
        let (head, records) =
            rows("<PACKET><ZGLV type=\"TipDoc\" version=\"1.2\" date=\"07.11.2013\"/><ZAP IDDoc=\"1\" DocSer=\"R-ББ\" DATEEND=\"\"/></PACKET>");
        assert_eq!((head, records), (label("TipDoc", "1.2", "07.11.2013"), vec![pairs(&[("IDDoc", "1"), ("DocSer", "R-ББ")])]));
        let (head, records) = rows("<root><item1 K=\"1\"/><item2 K=\"2\"/></root>");
        assert_eq!((head, records), (Label::default(), vec![pairs(&[("K", "1")]), pairs(&[("K", "2")])]));
    }

    #[test]
    fn insurers_and_books_of_the_ministry() {
        let (head, records) = rows(
            "<packet version=\"1.1\" date=\"25.03.2026\"><insCompany a=\"x\"><smocod>14002</smocod><insInclude><d_begin>1</d_begin></insInclude></insCompany></packet>",
        );
        assert_eq!(head, label("", "1.1", "25.03.2026"));
        assert_eq!(records, [pairs(&[("a", "x"), ("smocod", "14002"), ("insInclude.d_begin", "1")])]);
        let text = "<book><properties><name>n</name><version number=\"1.2\" date=\"30.05.2014\"/></properties><entries><entry><id>1</id><s_code>A01</s_code></entry></entries></book>";
        assert_eq!(rows(text), (label("", "1.2", "30.05.2014"), vec![pairs(&[("id", "1"), ("s_code", "A01")])]));
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        for text in [
            "",
            "text",
            "<a>",
            "<a><b></a>",
            "<a/><b/>",
            "<a/>tail",
            "<a>&x;</a>",
            "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
            "<a b=1/>",
            "<a b=\"1\" b=\"2\"/>",
            "<a><![CDATA[x</a>",
        ] {
            assert!(matches!(read(text), Err(Refusal::Broken { .. })), "{text}");
        }
        let deep = "<a>".repeat(MAX_DEPTH + 1) + &"</a>".repeat(MAX_DEPTH + 1);
        assert!(read(&deep).is_err());
    }
}
