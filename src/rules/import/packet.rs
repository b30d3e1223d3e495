//! The packet in which the fund publishes a rule book: XML, in windows-1251 or UTF-8, zipped or not.

use std::io::{Cursor, Read};
use std::path::Path;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

use super::Refusal;
use super::field::{Field, Flaw, Misread};
use crate::registry::archive::{Archive, Limits, is_zip};
use crate::registry::encoding::{BOM, detect};
use crate::sys::open_input;
use crate::values::Date;

/// Limit on the unpacked bytes of a packet; the largest known rule book has half a megabyte.
const MAX_BYTES: u64 = 64 << 20;
/// Limit on the rows of a packet, above any published rule book.
const MAX_ROWS: usize = 100_000;
/// Longest text of a field.
const MAX_TEXT: usize = 64 << 10;
/// Deepest nesting that holds anything of a rule: packet, zap, TYPE_MD, TYPE_D. What lies deeper is passed over.
const MAX_DEPTH: usize = 8;
/// Most letters of file families in a row; there are eight.
const MAX_FILES: usize = 32;

/// A rule book as published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Type in the head: FLK_MPF, MEK_MPF, FLK_MPR, MEK_MPR.
    pub kind: String,
    /// Number of the edition.
    pub version: String,
    /// Date of the edition.
    pub date: Date,
    /// Rows in the order of the packet.
    pub rows: Vec<PublishedRow>,
}

/// One row of the packet; texts are trimmed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublishedRow {
    /// Id of the rule (ID_TEST).
    pub id: String,
    /// Path of the checked element (ID_EL).
    pub element: String,
    /// Letters of file families (TYPE_MD).
    pub files: Vec<String>,
    /// Reference book (NSI_OBJ).
    pub book: String,
    /// Field of the reference book (NSI_EL).
    pub field: String,
    /// Condition (USL_TEST).
    pub condition: String,
    /// Requirement (VAL_EL).
    pub value: String,
    /// Shortest length (MIN_LEN).
    pub shortest: String,
    /// Longest length (MAX_LEN).
    pub longest: String,
    /// Mask (MASK_VAL).
    pub mask: String,
    /// Comment (COMMENT).
    pub comment: String,
    /// Description of the error (DESC_TEST).
    pub description: String,
    /// First day (DATEBEG); `None` if empty.
    pub from: Option<Date>,
    /// Last day (DATEEND); `None` if empty.
    pub until: Option<Date>,
    /// Fields that cannot be read.
    pub misread: Vec<Misread>,
    /// Fields that have been read, one bit for each of [`FIELDS`].
    taken: u16,
}

impl PublishedRow {
    /// Name of the checked element without its path.
    pub fn name(&self) -> &str {
        self.element.rsplit('/').next().unwrap_or("")
    }

    /// Region code of the id; `00` is federal.
    pub fn region(&self) -> &str {
        self.id.split('.').nth(1).unwrap_or("")
    }

    /// Category of the id, `006F`.
    pub fn category(&self) -> &str {
        self.id.split('.').next().unwrap_or("")
    }

    /// Whether the id has the form of a rule's id, so that the row can be told from others.
    pub fn has_id(&self) -> bool {
        let parts: Vec<&str> = self.id.split('.').collect();
        // Digits, but for the letter of the kind of control at the end of the category.
        let is_fit = |part: &str, form: &str| {
            part.len() == form.len() && part.bytes().zip(form.bytes()).all(|(b, due)| if due == b'A' { b.is_ascii_uppercase() } else { b.is_ascii_digit() })
        };
        parts.len() == 3 && parts.iter().zip(["000A", "00", "0000"]).all(|(part, form)| is_fit(part, form))
    }

    /// The requirement as published, for people: the formula, else what stands in its place.
    pub fn requirement(&self) -> String {
        if !self.value.is_empty() {
            return self.value.clone();
        }
        let joined = |parts: [&str; 2], by: &str| parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(by);
        let parts = [joined([&self.book, &self.field], "."), joined([&self.shortest, &self.longest], ".."), self.mask.clone(), self.comment.clone()];
        parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join("; ")
    }

    /// Takes the text of a field; `whole` is false if only its beginning could be kept.
    fn take(&mut self, name: &str, text: String, whole: bool) {
        let Some((field, column)) = FIELDS.iter().copied().find(|(field, _)| *field == name) else { return };
        let bit = 1 << FIELDS.iter().position(|(field, _)| *field == name).unwrap_or(0);
        let flaw = if self.taken & bit != 0 { Some(Flaw::Repeated) } else { (!whole).then_some(Flaw::Long) };
        self.taken |= bit;
        if let Some(flaw) = flaw {
            return self.cannot_read(column, field, &text, flaw);
        }
        let slot = match field {
            "ID_TEST" => &mut self.id,
            "ID_EL" => &mut self.element,
            "NSI_OBJ" => &mut self.book,
            "NSI_EL" => &mut self.field,
            "USL_TEST" => &mut self.condition,
            "VAL_EL" => &mut self.value,
            "MIN_LEN" => &mut self.shortest,
            "MAX_LEN" => &mut self.longest,
            "MASK_VAL" => &mut self.mask,
            "COMMENT" => &mut self.comment,
            "DESC_TEST" => &mut self.description,
            _ => {
                let day = Date::parse(&text);
                if day.is_none() && !text.is_empty() {
                    self.cannot_read(column, field, &text, Flaw::Date);
                }
                *(if column == Field::From { &mut self.from } else { &mut self.until }) = day;
                return;
            }
        };
        *slot = text;
    }

    /// Notes the fields that every published row has and this one lacks. A row without an element says nothing else of worth.
    fn miss(&mut self) {
        let due = [
            (Field::Element, "ID_EL", self.element.is_empty()),
            (Field::Files, "TYPE_MD", self.files.iter().all(String::is_empty)),
            (Field::From, "DATEBEG", self.from.is_none()),
        ];
        let missing = due.into_iter().filter(|(.., is_missing)| *is_missing);
        for (column, field, _) in missing.take(if self.element.is_empty() { 1 } else { due.len() }) {
            self.cannot_read(column, field, "", Flaw::Empty);
        }
    }

    fn cannot_read(&mut self, column: Field, field: &'static str, text: &str, flaw: Flaw) {
        // One line for each field, however often the packet repeats it.
        if !self.misread.iter().any(|m| m.field == field && m.flaw == flaw) {
            self.misread.push(Misread::new(column, field, text, flaw));
        }
    }
}

/// Fields of a row, with the column of the rule that each fills.
const FIELDS: [(&str, Field); 13] = [
    ("ID_TEST", Field::Id),
    ("ID_EL", Field::Element),
    ("NSI_OBJ", Field::Require),
    ("NSI_EL", Field::Require),
    ("USL_TEST", Field::When),
    ("VAL_EL", Field::Require),
    ("MIN_LEN", Field::Require),
    ("MAX_LEN", Field::Require),
    ("MASK_VAL", Field::Require),
    ("COMMENT", Field::Require),
    ("DESC_TEST", Field::Require),
    ("DATEBEG", Field::From),
    ("DATEEND", Field::Until),
];

/// Reads a packet from a file.
///
/// # Errors
/// See [`Refusal`]; of a damaged packet nothing is kept.
pub fn read(path: &Path) -> Result<Packet, Refusal> {
    let mut bytes = Vec::new();
    open_input(path).and_then(|f| f.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(|e| Refusal::Unreadable(e.kind()))?;
    read_bytes(&bytes)
}

/// Reads a packet from bytes; see [`read`].
///
/// # Errors
/// See [`Refusal`].
pub fn read_bytes(bytes: &[u8]) -> Result<Packet, Refusal> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Refusal::TooLarge);
    }
    if !is_zip(bytes) {
        return parse(bytes);
    }
    let limits = Limits { total: MAX_BYTES, ..Limits::default() };
    let archive = Archive::new(Cursor::new(bytes), &limits).map_err(Refusal::Archive)?;
    let mut found = archive.entries().iter().enumerate().filter(|(_, e)| e.base_name().to_ascii_lowercase().ends_with(".xml")).map(|(i, _)| i);
    let (Some(index), None) = (found.next(), found.next()) else { return Err(Refusal::NotOneFile) };
    drop(found);
    let mut content = Vec::new();
    let mut entry = archive.into_entry(index).map_err(Refusal::Archive)?;
    entry.read_to_end(&mut content).map_err(|e| Refusal::Unreadable(e.kind()))?;
    parse(&content)
}

fn parse(bytes: &[u8]) -> Result<Packet, Refusal> {
    let detected = detect(bytes, true).map_err(|_| Refusal::Encoding)?;
    let mut bytes = bytes.to_vec();
    detected.coding.rewrite(&mut bytes, 0);
    let text = detected.coding.read_as().decode(bytes.strip_prefix(BOM).unwrap_or(&bytes));
    if text.contains([char::REPLACEMENT_CHARACTER, '\0']) {
        return Err(Refusal::Encoding);
    }
    let mut reader = Reader::from_str(&text);
    let mut walk = Walk::default();
    loop {
        let at = reader.buffer_position();
        let broken = |what: String| Refusal::Broken { at, what };
        let event = reader.read_event().map_err(|e| broken(e.to_string()))?;
        let step = match event {
            Event::Start(start) => walk.start(start.local_name().as_ref()),
            Event::Empty(start) => walk.start(start.local_name().as_ref()).and_then(|()| walk.end()),
            Event::End(_) => walk.end(),
            Event::Text(text) => {
                walk.text(&text.xml10_content());
                Ok(())
            }
            Event::CData(text) => {
                walk.text(&text.xml10_content());
                Ok(())
            }
            Event::GeneralRef(entity) => {
                let c = entity.resolve_char_ref().map_err(|e| broken(e.to_string()))?;
                let name = entity.xml10_content();
                match (c, resolve_predefined_entity(&name)) {
                    (Some(c), _) => walk.text(c.encode_utf8(&mut [0; 4])),
                    (None, Some(text)) => walk.text(text),
                    (None, None) => return Err(broken(format!("&{name};"))),
                }
                Ok(())
            }
            Event::DocType(_) => Err("DOCTYPE".to_owned()),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => Ok(()),
            Event::Eof => break,
        };
        step.map_err(broken)?;
    }
    walk.finish()
}

/// State of the reading: names of the open elements, and the values read so far.
#[derive(Default)]
struct Walk {
    open: Vec<String>,
    /// Number of open elements below the deepest that is read.
    deeper: usize,
    text: String,
    /// Whether the text is longer than [`MAX_TEXT`], so that only its beginning is kept.
    long: bool,
    kind: String,
    version: String,
    date: String,
    row: PublishedRow,
    rows: Vec<PublishedRow>,
    seen: bool,
}

impl Walk {
    fn start(&mut self, name: &str) -> Result<(), String> {
        let depth = self.open.len();
        if depth == 0 && (self.seen || !name.eq_ignore_ascii_case("packet")) {
            return Err(format!("<{}>", name.chars().take(40).collect::<String>()));
        }
        if depth == MAX_DEPTH {
            self.deeper += 1;
            return Ok(());
        }
        self.seen = true;
        if depth == 1 && name.eq_ignore_ascii_case("zap") {
            self.row = PublishedRow::default();
        }
        self.text.clear();
        self.long = false;
        self.open.push(name.to_ascii_uppercase());
        Ok(())
    }

    fn text(&mut self, text: &str) {
        self.long |= self.text.len() + text.len() > MAX_TEXT;
        if !self.long && self.deeper == 0 {
            self.text.push_str(text);
        }
    }

    fn end(&mut self) -> Result<(), String> {
        if self.deeper > 0 {
            self.deeper -= 1;
            return Ok(());
        }
        let Some(name) = self.open.pop() else { return Err("an end without a beginning".to_owned()) };
        // Line ends and indents inside a text are layout of the packet, not part of the rule.
        let text = self.text.split(['\r', '\n', '\t']).map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join(" ");
        self.text.clear();
        let whole = !std::mem::take(&mut self.long);
        let path: Vec<&str> = self.open.iter().map(String::as_str).collect();
        match (path.as_slice(), name.as_str()) {
            (["PACKET"], "ZAP") => {
                if self.rows.len() == MAX_ROWS {
                    return Err("too many rows".to_owned());
                }
                let mut row = std::mem::take(&mut self.row);
                if row.misread.is_empty() {
                    row.miss();
                }
                self.rows.push(row);
            }
            (["PACKET"], stranger) if stranger != "ZGLV" => {
                if self.rows.len() == MAX_ROWS {
                    return Err("too many rows".to_owned());
                }
                let mut row = PublishedRow::default();
                row.cannot_read(Field::Id, "zap", stranger, Flaw::Foreign);
                self.rows.push(row);
            }
            (["PACKET", "ZGLV"], "TYPE") => self.kind = text,
            (["PACKET", "ZGLV"], "VERSION") => self.version = text,
            (["PACKET", "ZGLV"], "DATE") => self.date = text,
            (["PACKET", "ZAP", "TYPE_MD"], "TYPE_D") if self.row.files.len() < MAX_FILES => self.row.files.push(text),
            (["PACKET", "ZAP"], field) => self.row.take(field, text, whole),
            _ => {}
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Packet, Refusal> {
        if !self.open.is_empty() || !self.seen {
            return Err(Refusal::CutShort);
        }
        if self.kind.is_empty() || !self.rows.iter().any(PublishedRow::has_id) {
            return Err(Refusal::NotARuleBook);
        }
        let date = Date::parse(&self.date).ok_or_else(|| Refusal::NoDate(self.date.chars().take(40).collect()))?;
        let is_row = |row: &PublishedRow| row.misread.iter().all(|m| m.flaw != Flaw::Foreign);
        for row in self.rows.iter_mut().filter(|r| !r.has_id() && is_row(r)) {
            let text = row.id.clone();
            row.cannot_read(Field::Id, FIELDS[0].0, &text, Flaw::Id);
        }
        Ok(Packet { kind: self.kind, version: self.version, date, rows: self.rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "<?xml version=\"1.0\" encoding=\"windows-1251\"?><packet><zglv><type>FLK_MPF</type><version>2.3</version><date>01.03.2021</date></zglv>\
        <zap><ID_TEST>003F.00.0010</ID_TEST><ID_EL>ZL_LIST/SCHET/PLAT</ID_EL><TYPE_MD><TYPE_D>C</TYPE_D><TYPE_D>H</TYPE_D></TYPE_MD>\
        <USL_TEST>A&lt;1 \u{438} B&#62;2</USL_TEST><VAL_EL/><DATEBEG>01.11.2019</DATEBEG><DATEEND/></zap></packet>";

    #[test]
    fn fields_are_read_in_both_encodings() {
        let windows = encoding_rs::WINDOWS_1251.encode(SMALL).0;
        let utf8 = SMALL.replace("windows-1251", "utf-8");
        for bytes in [windows.as_ref(), utf8.as_bytes()] {
            let packet = read_bytes(bytes).expect("a packet");
            assert_eq!((packet.kind.as_str(), packet.version.as_str(), packet.date), ("FLK_MPF", "2.3", Date::parse("2021-03-01").expect("a day")));
            let row = &packet.rows[0];
            assert_eq!((row.name(), row.category(), row.region(), row.condition.as_str()), ("PLAT", "003F", "00", "A<1 и B>2"));
            assert_eq!((row.files.join(""), row.from, row.until), ("CH".to_owned(), Date::parse("2019-11-01"), None));
        }
    }

    #[test]
    fn a_field_that_cannot_be_read_is_told_of_its_row_alone() {
        let long = "1".repeat(MAX_TEXT + 1);
        let row = |rest: &str| {
            let begin = if rest.contains("DATEBEG") { "" } else { "<DATEBEG>01.01.2021</DATEBEG>" };
            let files = if rest.contains("TYPE_MD") { "" } else { "<TYPE_MD><TYPE_D>H</TYPE_D></TYPE_MD>" };
            format!("<zap><ID_TEST>003F.00.0020</ID_TEST><ID_EL>ZL_LIST/SCHET/PLAT</ID_EL>{files}{begin}{rest}</zap></packet>")
        };
        let deep = "<a>".repeat(20) + "x" + &"</a>".repeat(20);
        for (rest, is) in [
            (row("<DATEBEG>32.13.2021</DATEBEG>"), vec![(Field::From, "DATEBEG", "32.13.2021", Flaw::Date)]),
            (row("<DATEBEG>01.01.2021</DATEBEG><DATEEND>never</DATEEND>"), vec![(Field::Until, "DATEEND", "never", Flaw::Date)]),
            (row(&format!("<USL_TEST>{long}</USL_TEST>")), vec![(Field::When, "USL_TEST", "", Flaw::Long)]),
            (row("<VAL_EL>1</VAL_EL><VAL_EL>2</VAL_EL><VAL_EL>3</VAL_EL>"), vec![(Field::Require, "VAL_EL", "2", Flaw::Repeated)]),
            (row("").replace("003F.00.0020", "003F.00.20"), vec![(Field::Id, "ID_TEST", "003F.00.20", Flaw::Id)]),
            (row(&format!("<WHATEVER>{deep}</WHATEVER>")), vec![]),
            (row("").replace("<ID_EL>ZL_LIST/SCHET/PLAT</ID_EL>", "<ID_EL/>"), vec![(Field::Element, "ID_EL", "", Flaw::Empty)]),
            (row("<DATEBEG/><TYPE_MD/>"), vec![(Field::Files, "TYPE_MD", "", Flaw::Empty), (Field::From, "DATEBEG", "", Flaw::Empty)]),
            ("<zap/></packet>".to_owned(), vec![(Field::Element, "ID_EL", "", Flaw::Empty), (Field::Id, "ID_TEST", "", Flaw::Id)]),
            ("<row><ID_TEST>003F.00.0020</ID_TEST></row></packet>".to_owned(), vec![(Field::Id, "zap", "ROW", Flaw::Foreign)]),
            (row("").replace("003F.00.0020", "003F.AB.0020"), vec![(Field::Id, "ID_TEST", "003F.AB.0020", Flaw::Id)]),
        ] {
            let packet = read_bytes(SMALL.replace("windows-1251", "utf-8").replace("</packet>", &rest).as_bytes()).unwrap_or_else(|e| panic!("{rest}: {e}"));
            let [sound, other] = packet.rows.as_slice() else { panic!("{rest}: two rows are due") };
            assert!(sound.misread.is_empty() && sound.from.is_some(), "{rest}");
            let found: Vec<_> = other.misread.iter().map(|m| (m.column, m.field, m.text.as_str(), m.flaw)).collect();
            assert_eq!(found, is, "{rest}");
        }
    }

    #[test]
    fn what_is_no_rule_book_is_refused() {
        let utf8 = SMALL.replace("windows-1251", "utf-8");
        for (text, is) in [
            (String::new(), "cut"),
            (utf8.replace("</packet>", ""), "cut"),
            (utf8.replace("003F.00.0010", "003F"), "not"),
            (utf8.replace("01.03.2021", "soon"), "no date"),
            (utf8.replace("<packet>", "<!DOCTYPE a><packet>"), "broken"),
            (utf8.replace("packet", "book"), "broken"),
            (utf8.replace("&lt;", "&who;"), "broken"),
            (utf8.clone() + "<packet/>", "broken"),
            ("ID_TEST;ID_EL\n1;2\n".to_owned(), "cut"),
        ] {
            let refusal = read_bytes(text.as_bytes()).expect_err(&text);
            let kind = match refusal {
                Refusal::CutShort => "cut",
                Refusal::NotARuleBook => "not",
                Refusal::NoDate(ref text) if text == "soon" => "no date",
                Refusal::Broken { .. } => "broken",
                _ => "other",
            };
            assert_eq!(kind, is, "{text}: {refusal:?}");
        }
    }
}
