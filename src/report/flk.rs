//! The official protocol (FLK_P). `rules/forms/flk-protocol.csv` lists its elements and their values.
//!
//! Each package has one protocol in windows-1251. It contains only findings of severity error: a protocol without PR means that the file is
//! accepted. Values are not masked because the format requires them, so the file is for the clinic only (see [`crate::sys::Access::Private`]).

use std::borrow::Cow;
use std::io::{self, Seek as _, SeekFrom, Write};
use std::str::FromStr;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use serde::Deserialize;
use tempfile::SpooledTempFile;

use super::{Ending, Report};
use crate::finding::{Catalog, Finding, Rule};
use crate::flk::PackageReport;
use crate::registry::encoding::to_windows_1251;
use crate::sys;
use crate::tables::{RuleFiles, TableError};
use crate::texts::{Coded, Key, Lang, Severity, display};

const LAYOUT: &str = "forms/flk-protocol.csv";
const NAMES: &str = "forms/flk-names.csv";

/// Bytes of a protocol that are kept in memory: a million findings take more than half a gigabyte.
const IN_MEMORY: usize = 4 << 20;

/// Most characters of a file name. Names come from archives and may be of any length.
const MAX_STEM: usize = 100;

macro_rules! sources {
    ($($name:ident = $word:literal),* $(,)?) => {
        /// The value of an element in the protocol.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum Source { $($name),* }

        impl FromStr for Source {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$name),)*
                    _ => Err(format!("no source «{text}»")),
                }
            }
        }
    };
}

sources! {
    ProtocolName = "protocol_name",
    FileName = "file_name",
    Code = "code",
    Element = "element",
    Parent = "parent",
    Value = "value",
    AccountNo = "account_no",
    NZap = "n_zap",
    IdPac = "id_pac",
    IdCase = "idcase",
    SlId = "sl_id",
    IdServ = "idserv",
    Message = "message",
}

/// The source of the element that is repeated for each finding.
const FINDING: &str = "finding";

#[derive(Deserialize)]
struct FieldRow {
    parent: String,
    element: String,
    source: String,
    required: String,
    #[serde(rename = "type")]
    base: String,
    max: String,
    long: String,
    name_ru: String,
    name_en: String,
}

#[derive(Deserialize)]
struct NameRow {
    letter: char,
    way: String,
    name_ru: String,
    name_en: String,
}

#[derive(Debug, Clone)]
struct Field {
    element: String,
    source: Source,
    required: bool,
    /// Whether only digits are allowed.
    number: bool,
    /// Longest value in characters.
    max: usize,
    /// Whether a longer value is cut; otherwise the element is omitted.
    cut: bool,
}

/// How the name of a protocol file is formed from the name of the checked file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Naming {
    letter: char,
    instead: bool,
}

/// The structure of the protocol, as described by its tables.
#[derive(Debug, Clone)]
pub struct Protocol {
    root: String,
    block: String,
    head: Vec<Field>,
    fields: Vec<Field>,
    namings: Vec<Naming>,
}

impl Protocol {
    /// Reads `rules/forms/flk-protocol.csv` and `rules/forms/flk-names.csv`.
    ///
    /// # Errors
    /// An unknown source or naming, a wrong length, or a missing root or block.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let (mut root, mut block) = (None, None);
        let (mut head, mut fields) = (Vec::new(), Vec::new());
        for (line, row) in files.rows::<FieldRow>(LAYOUT)? {
            let fail = |message: String| TableError::new(LAYOUT, line, message);
            if row.name_ru.is_empty() || row.name_en.is_empty() {
                return Err(fail("both names are due".into()));
            }
            let root_name = root.as_deref().unwrap_or("");
            if row.parent.is_empty() {
                root = Some(row.element);
            } else if row.source == FINDING && row.parent == root_name {
                block = Some(row.element);
            } else {
                let list = if row.parent == root_name {
                    &mut head
                } else if block.as_ref().is_some_and(|b| row.parent == format!("{root_name}/{b}")) {
                    &mut fields
                } else {
                    return Err(fail(format!("parent «{}» does not stand above", row.parent)));
                };
                list.push(Field {
                    element: row.element,
                    source: row.source.parse().map_err(&fail)?,
                    required: row.required == "1",
                    number: row.base == "N",
                    max: row.max.parse().map_err(|_| fail(format!("max «{}»: a number is due", row.max)))?,
                    cut: row.long == "cut",
                });
            }
        }
        let absent = |what: &str| TableError::new(LAYOUT, 0, format!("no row for the {what}"));
        Ok(Self { root: root.ok_or_else(|| absent("root"))?, block: block.ok_or_else(|| absent("finding"))?, head, fields, namings: namings(files)? })
    }

    /// The naming with this letter, or the first one when `letter` is `None`; `None` for an unknown letter.
    pub fn naming(&self, letter: Option<char>) -> Option<Naming> {
        match letter {
            None => self.namings.first().copied(),
            Some(letter) => self.namings.iter().copied().find(|n| n.letter == letter.to_ascii_uppercase()),
        }
    }

    /// The letters of all namings.
    pub fn letters(&self) -> impl Iterator<Item = char> + '_ {
        self.namings.iter().map(|n| n.letter)
    }

    /// Writes the protocol of a package; `naming` is needed for the value of FNAME.
    ///
    /// # Errors
    /// The target cannot be written or the findings cannot be read back.
    pub fn write(&self, out: &mut dyn Write, report: &PackageReport, catalog: &Catalog, naming: Naming) -> io::Result<()> {
        let mut xml = Writer::new(Vec::with_capacity(4 << 10));
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("windows-1251"), None)))?;
        end_line(&mut xml);
        xml.write_event(Event::Start(BytesStart::new(&self.root)))?;
        end_line(&mut xml);
        let checked = stem(report);
        for field in &self.head {
            let text = match field.source {
                Source::ProtocolName => naming.stem(&checked),
                Source::FileName => checked.clone(),
                _ => String::new(),
            };
            write_field(&mut xml, field, Some(&text))?;
        }
        flush(&mut xml, out)?;
        for finding in report.findings.iter()? {
            let finding = finding?;
            let rule = catalog.rule(finding.rule);
            // The protocol names causes: what follows from them goes with them.
            if rule.severity == Severity::Error && finding.follows_from.is_none() {
                self.write_finding(&mut xml, &finding, rule, report)?;
                flush(&mut xml, out)?;
            }
        }
        xml.write_event(Event::End(BytesEnd::new(&self.root)))?;
        end_line(&mut xml);
        flush(&mut xml, out)
    }

    fn write_finding(&self, xml: &mut Writer<Vec<u8>>, finding: &Finding, rule: &Rule, report: &PackageReport) -> io::Result<()> {
        xml.write_event(Event::Start(BytesStart::new(&self.block)))?;
        end_line(xml);
        let of_file = rule.is_of_file();
        let mut names = finding.path.rsplit('/');
        let (element, parent) = (names.next().filter(|n| !n.is_empty()), names.next());
        let message = finding.message(rule, Lang::Ru);
        for field in &self.fields {
            let text = match field.source {
                Source::Code => Some(rule.f012.as_str()),
                Source::Element => element,
                Source::Parent => parent.filter(|_| !of_file),
                Source::Value => finding.value.as_deref().filter(|_| !of_file),
                Source::AccountNo => report.account.number.as_deref(),
                Source::NZap => finding.keys.n_zap.as_deref(),
                Source::IdPac => finding.keys.id_pac.as_deref(),
                Source::IdCase => finding.keys.idcase.as_deref(),
                Source::SlId => finding.keys.sl_id.as_deref(),
                Source::IdServ => finding.keys.idserv.as_deref(),
                Source::Message => Some(message.as_str()),
                Source::ProtocolName | Source::FileName => None,
            };
            write_field(xml, field, text)?;
        }
        xml.write_event(Event::End(BytesEnd::new(&self.block)))?;
        end_line(xml);
        Ok(())
    }
}

impl Naming {
    /// Name of the protocol file without extension; `checked` is the name of the checked file without extension.
    pub fn stem(self, checked: &str) -> String {
        let rest = if self.instead { checked.get(checked.chars().next().map_or(0, char::len_utf8)..).unwrap_or("") } else { checked };
        format!("{}{rest}", self.letter)
    }

    /// Name of the protocol file of a package, as every file system takes it.
    pub fn file_name(self, report: &PackageReport) -> String {
        sys::file_name(&self.stem(&stem(report)), MAX_STEM, "xml")
    }
}

/// Name without extension of the file that the protocol is about: the main file, otherwise the person file, otherwise the file at the path.
fn stem(report: &PackageReport) -> String {
    let name = report.main.as_deref().or(report.persons.as_deref()).unwrap_or_else(|| report.path.rsplit(['/', '\\']).next().unwrap_or(""));
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}

fn namings(files: &RuleFiles) -> Result<Vec<Naming>, TableError> {
    let mut namings = Vec::new();
    for (line, row) in files.rows::<NameRow>(NAMES)? {
        let fail = |message: &str| TableError::new(NAMES, line, message);
        if !row.letter.is_ascii_uppercase() || row.name_ru.is_empty() || row.name_en.is_empty() {
            return Err(fail("a capital letter and both names are due"));
        }
        let instead = match row.way.as_str() {
            "before" => false,
            "instead" => true,
            _ => return Err(fail("way: before or instead")),
        };
        namings.push(Naming { letter: row.letter, instead });
    }
    if namings.is_empty() { Err(TableError::new(NAMES, 0, "no letter")) } else { Ok(namings) }
}

fn write_field(xml: &mut Writer<Vec<u8>>, field: &Field, text: Option<&str>) -> io::Result<()> {
    let text = text.unwrap_or("").trim();
    let fits = text.chars().count() <= field.max;
    let sound = !text.is_empty() && (fits || field.cut) && (!field.number || text.bytes().all(|b| b.is_ascii_digit()));
    if !sound && !field.required {
        return Ok(());
    }
    let text = if fits { Cow::Borrowed(text) } else { Cow::Owned(text.chars().take(field.max).collect()) };
    let text = writable(text);
    xml.write_event(Event::Start(BytesStart::new(&field.element)))?;
    xml.write_event(Event::Text(BytesText::new(&text)))?;
    xml.write_event(Event::End(BytesEnd::new(&field.element)))?;
    end_line(xml);
    Ok(())
}

/// Replaces control characters, which XML forbids, and characters that windows-1251 lacks by `?`.
fn writable(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.chars().all(|c| c >= ' ') && to_windows_1251(&text).is_some() {
        return text;
    }
    let known = |c: char| if c >= ' ' && to_windows_1251(c.encode_utf8(&mut [0; 4])).is_some() { c } else { '?' };
    Cow::Owned(text.chars().map(known).collect())
}

fn end_line(xml: &mut Writer<Vec<u8>>) {
    xml.get_mut().extend_from_slice(b"\r\n");
}

fn flush(xml: &mut Writer<Vec<u8>>, out: &mut dyn Write) -> io::Result<()> {
    let text = std::mem::take(xml.get_mut());
    let text = String::from_utf8(text).map_err(io::Error::other)?;
    out.write_all(&to_windows_1251(&text).ok_or_else(|| io::Error::other("a character without a windows-1251 byte"))?)
}

/// `--format flk`: the protocol of a single package.
#[derive(Debug)]
pub struct Flk<'a, W> {
    out: W,
    protocol: &'a Protocol,
    catalog: &'a Catalog,
    naming: Naming,
    /// The protocol waits here until it is certain that it is the only one: in memory while it is short, else in an unnamed file.
    first: Option<SpooledTempFile>,
    packages: u64,
}

impl<'a, W: Write> Flk<'a, W> {
    /// Begins the report.
    pub fn new(out: W, protocol: &'a Protocol, catalog: &'a Catalog, naming: Naming) -> Self {
        Self { out, protocol, catalog, naming, first: None, packages: 0 }
    }
}

impl<W: Write> Report for Flk<'_, W> {
    fn package(&mut self, report: &PackageReport) -> io::Result<()> {
        self.packages += 1;
        if self.packages > 1 {
            // Two documents in one stream are not well-formed XML.
            return Err(io::Error::new(io::ErrorKind::InvalidInput, TooMany));
        }
        let mut document = io::BufWriter::new(tempfile::spooled_tempfile(IN_MEMORY));
        self.protocol.write(&mut document, report, self.catalog, self.naming)?;
        self.first = Some(document.into_inner().map_err(io::IntoInnerError::into_error)?);
        Ok(())
    }

    fn finish(&mut self, _ending: &Ending<'_>) -> io::Result<()> {
        if let Some(mut document) = self.first.take() {
            document.seek(SeekFrom::Start(0))?;
            io::copy(&mut document, &mut self.out)?;
        }
        self.out.flush()
    }
}

/// There is more than one package, but one stream can hold only one protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

impl Coded for TooMany {
    fn key(&self) -> Key {
        Key::ErrorTooMany
    }
}

impl std::fmt::Display for TooMany {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        display(self, f)
    }
}

impl std::error::Error for TooMany {}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, Desk};
    use super::*;
    use crate::registry::encoding::Encoding;

    fn protocol() -> Protocol {
        Protocol::load(&RuleFiles::embedded()).expect("the built-in tables are sound")
    }

    fn write(report: &PackageReport) -> String {
        let (desk, protocol) = (Desk::new(), protocol());
        let mut bytes = Vec::new();
        protocol.write(&mut bytes, report, &desk.catalog, protocol.naming(None).expect("a default")).expect("written");
        Encoding::Windows1251.decode(&bytes).replace("\r\n", "\n")
    }

    #[test]
    fn the_protocol_of_a_package_with_errors() {
        let desk = Desk::new();
        let text = write(&samples::mixed(&desk));
        // The format requires the value. Warnings do not refuse a file, so they are left out.
        assert!(text.contains("<ZN_POL>Кириллов</ZN_POL>"));
        assert_eq!(text.matches("<PR>").count() as u64, samples::mixed(&desk).count(&desk.catalog, Severity::Error));
        insta::assert_snapshot!(text);
    }

    #[test]
    fn no_error_no_pr() {
        let expected = "<?xml version=\"1.0\" encoding=\"windows-1251\"?>\n<FLK_P>\n<FNAME>VHM140001S14002_2103</FNAME>\n<FNAME_I>HM140001S14002_2103</FNAME_I>\n</FLK_P>\n";
        assert_eq!(write(&samples::clean()), expected);
    }

    #[test]
    fn an_unreadable_file_is_named_by_its_own_stem() {
        let text = write(&samples::damaged(&Desk::new()));
        assert!(text.contains("<FNAME_I>битый архив</FNAME_I>") && !text.contains("<BAS_EL>") && text.contains("<OSHIB>901</OSHIB>"), "{text}");
    }

    #[test]
    fn lengths_and_characters_of_the_format() {
        let desk = Desk::new();
        let mut report = samples::clean();
        let mut finding = samples::finding(&desk, "not-in-list", "ZL_LIST/ZAP/N_ZAP");
        finding.value = Some("日\u{1}<&>".repeat(40).into());
        finding.keys.n_zap = Some("123456789".into());
        finding.keys.idcase = Some("12a".into());
        finding.keys.sl_id = Some("s".repeat(40).into());
        report.findings.push(finding).expect("pushed");
        let text = write(&report);
        assert!(text.contains(&format!("<ZN_POL>{}</ZN_POL>", "??&lt;&amp;&gt;".repeat(20))), "{text}");
        assert!(!text.contains("N_ZAP</N_ZAP>") && !text.contains("<IDCASE>") && text.contains(&format!("<SL_ID>{}</SL_ID>", "s".repeat(36))));
    }

    #[test]
    fn file_names_by_the_setting_and_safe_for_every_system() {
        let protocol = protocol();
        let name = |letter, report: &PackageReport| protocol.naming(letter).expect("known").file_name(report);
        let clean = samples::clean();
        assert_eq!(name(None, &clean), "VHM140001S14002_2103.xml");
        assert_eq!(name(Some('p'), &clean), "PHM140001S14002_2103.xml");
        assert_eq!(name(Some('F'), &clean), "FM140001S14002_2103.xml");
        assert!(protocol.naming(Some('X')).is_none());
        let odd = PackageReport { main: Some(format!("a:b\u{7}{}.xml", "я".repeat(300))), ..samples::clean() };
        assert_eq!(name(None, &odd).chars().count(), MAX_STEM + 4);
        assert!(name(None, &odd).starts_with("Va_b_я"));
    }

    #[test]
    fn one_stream_one_protocol() {
        let (desk, protocol) = (Desk::new(), protocol());
        let mut out = Vec::new();
        let mut report = Flk::new(&mut out, &protocol, &desk.catalog, protocol.naming(None).expect("a default"));
        report.package(&samples::clean()).expect("the first");
        let error = report.package(&samples::clean()).expect_err("the second");
        assert!(error.get_ref().is_some_and(|e| e.is::<TooMany>()));
        assert!(out.is_empty());
    }
}
