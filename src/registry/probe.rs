//! A first look at a file: its kind, its encoding and the values of its head.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::encoding::{BOM, Coding, Detected, Encoding, detect};
use super::fault::Fault;
use super::format::{Formats, PERSONS, Role};
use super::scan::{Name, ScanLimits, Scanner, Token, first_bytes};
use super::source::Source;
use crate::finding::Check;
use crate::values::Month;

/// Number of bytes that are read.
pub const WINDOW: usize = 64 << 10;

/// Roles of the head whose values are kept. [`Head::values`] holds them.
const ROLES: [Role; 14] = [
    Role::Version,
    Role::MadeOn,
    Role::FileName,
    Role::MainName,
    Role::CasesDeclared,
    Role::AccountCode,
    Role::CodeMo,
    Role::Year,
    Role::Month,
    Role::AccountNo,
    Role::AccountDate,
    Role::Payer,
    Role::Total,
    Role::Disp,
];

/// The kind of a file by its root element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A main file.
    Main,
    /// A person file.
    Persons,
    /// A protocol or another answer of the exchange: not a registry, but usual in a folder of registries.
    Protocol,
    /// Any other XML.
    Other,
}

/// The head of a file, from its first 64 KiB. The values are not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Name of the root element.
    pub root: String,
    /// The kind of file by its root element.
    pub kind: Kind,
    /// The real encoding of the file, as far as the beginning shows it.
    pub coding: Coding,
    /// The declared encoding while the beginning holds too few letters to be sure of the real one; `None` when it is sure.
    pub unsure: Option<Coding>,
    /// The label in the XML declaration, as written.
    pub encoding_declared: Option<String>,
    /// Whether the declared encoding differs from the real one. Without a declaration UTF-8 is assumed, as in XML.
    pub encoding_differs: bool,
    /// Whether the file begins with the three bytes of a UTF-8 byte order mark.
    pub bom: bool,
    /// Values by role of the elements before the first record; trimmed, with references resolved.
    pub values: BTreeMap<Role, String>,
}

impl Head {
    /// The encoding to decode the file with after [`Coding::rewrite`].
    pub fn encoding(&self) -> Encoding {
        self.coding.read_as()
    }

    /// The value of a role; `None` when it is absent or empty.
    pub fn value(&self, role: Role) -> Option<&str> {
        self.values.get(&role).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// The reporting month from year and month; `None` when either is absent or unreadable (person files have neither).
    pub fn period(&self) -> Option<Month> {
        Month::new(self.value(Role::Year)?.parse().ok()?, self.value(Role::Month)?.parse().ok()?)
    }
}

/// Element names that the probe needs, taken from the format tables once for many files.
#[derive(Debug, Clone)]
pub struct Prober<'f> {
    roots: BTreeMap<&'f str, Kind>,
    records: BTreeSet<&'f str>,
    roles: BTreeMap<&'f str, Role>,
}

impl<'f> Prober<'f> {
    /// Collects the names of all families and editions.
    pub fn new(formats: &'f Formats) -> Self {
        let mut roots: BTreeMap<&str, Kind> = formats.answers().keys().map(|root| (root.as_str(), Kind::Protocol)).collect();
        for format in formats.all() {
            let kind = if format.family == PERSONS { Kind::Persons } else { Kind::Main };
            roots.insert(&format.node(format.root()).name, kind);
        }
        let roles = ROLES.iter().flat_map(|role| formats.names_of_role(*role).into_iter().map(|name| (name, *role))).collect();
        Self { roots, records: formats.names_of_role(Role::Record), roles }
    }

    /// The root elements of main and person files.
    pub fn registry_roots(&self) -> impl Iterator<Item = &'f str> + '_ {
        self.roots.iter().filter(|(_, kind)| matches!(kind, Kind::Main | Kind::Persons)).map(|(root, _)| *root)
    }

    /// Inspects the beginning of a stream; reads at most [`WINDOW`] + 1 bytes.
    ///
    /// # Errors
    /// An empty file, not XML, a document type, an unknown encoding, or a fault of the stream.
    pub fn look(&self, stream: impl Read) -> Result<Head, Fault> {
        self.look_as(stream, None)
    }

    /// Like [`Prober::look`], for a file whose real encoding is known from what follows its beginning.
    ///
    /// # Errors
    /// See [`Prober::look`].
    pub fn look_as(&self, stream: impl Read, known: Option<Coding>) -> Result<Head, Fault> {
        let mut bytes = Vec::with_capacity(8 << 10);
        stream.take(WINDOW as u64 + 1).read_to_end(&mut bytes)?;
        let whole = bytes.len() <= WINDOW;
        bytes.truncate(WINDOW);
        let mut detected = detect(&bytes, whole)?;
        if let Some(known) = known {
            (detected.differs, detected.unsure) = (detected.differs || detected.coding != known, None);
            detected.coding = known;
        }
        detected.coding.rewrite(&mut bytes, 0);
        let start = if detected.bom { BOM.len() } else { 0 };
        let text = &bytes[start..];
        match text.iter().find(|b| !b.is_ascii_whitespace()) {
            None if whole => return Err(Fault::new(Check::EmptyFile)),
            Some(b'<') => {}
            _ => return Err(not_xml(text)),
        }
        self.read(text, detected, whole).map_err(|fault| Fault { offset: fault.offset.map(|at| at + start as u64), ..fault })
    }

    fn read(&self, text: &[u8], detected: Detected, whole: bool) -> Result<Head, Fault> {
        let encoding = detected.coding.read_as();
        let mut scanner = Scanner::new(text, encoding, ScanLimits::default(), Vec::new());
        let decode = |bytes: &[u8]| encoding.decode(bytes).into_owned();
        let mut root = None;
        let mut values = BTreeMap::new();
        loop {
            match (scanner.next_token(), &root) {
                (Ok(Token::Open { name, .. }), None) => root = Some(decode(name.bytes)),
                (Ok(Token::Open { name, .. }), Some(_)) if self.is_record(name) => break,
                (Ok(Token::Leaf { name, .. }), None) => {
                    root = Some(decode(name.bytes));
                    break;
                }
                (Ok(Token::Leaf { name, text, .. }), Some(_)) => {
                    if let Some(role) = self.role(name) {
                        values.entry(role).or_insert_with(|| decode(text.trim_ascii()));
                    }
                }
                (Ok(Token::Open { .. } | Token::Close { .. } | Token::Text { .. }), _) => {}
                // A head of comments and instructions only; no real file has that many.
                (Ok(Token::End) | Err(Fault { check: Check::XmlTruncated, .. }), None) if !whole => return Err(not_xml(text)),
                (Ok(Token::End), None) => return Err(Fault::new(Check::XmlTruncated).at(text.len() as u64)),
                (Err(fault), None) => return Err(fault),
                // The reader of the whole file will report the fault, at its place and after the findings before it.
                (Ok(Token::End) | Err(_), Some(_)) => break,
            }
        }
        let root = root.unwrap_or_default();
        let local = root.rsplit(':').next().unwrap_or_default();
        let kind = self.roots.get(local).copied().unwrap_or(Kind::Other);
        let Detected { coding, declared, differs, bom, unsure } = detected;
        Ok(Head { kind, root, coding, unsure, encoding_declared: declared, encoding_differs: differs, bom, values })
    }

    fn is_record(&self, name: Name<'_>) -> bool {
        std::str::from_utf8(name.bytes).is_ok_and(|name| self.records.contains(name))
    }

    fn role(&self, name: Name<'_>) -> Option<Role> {
        self.roles.get(std::str::from_utf8(name.bytes).ok()?).copied()
    }
}

/// Names of the elements within the first 64 KiB of a file; fewer when the markup is broken before that or the file cannot be read.
pub fn element_names(source: &Source, coding: Coding) -> BTreeSet<String> {
    let mut bytes = Vec::new();
    let mut names = BTreeSet::new();
    if source.open().is_ok_and(|stream| stream.take(WINDOW as u64).read_to_end(&mut bytes).is_ok()) {
        coding.rewrite(&mut bytes, 0);
        let text = bytes.strip_prefix(BOM).unwrap_or(&bytes);
        let encoding = coding.read_as();
        let mut scanner = Scanner::new(text, encoding, ScanLimits::default(), Vec::new());
        while let Ok(token) = scanner.next_token() {
            match token {
                Token::Open { name, .. } | Token::Leaf { name, .. } => drop(names.insert(encoding.decode(name.bytes).into_owned())),
                Token::Close { .. } | Token::Text { .. } => {}
                Token::End => break,
            }
        }
    }
    names
}

fn not_xml(text: &[u8]) -> Fault {
    Fault::new(Check::NotXml).at(0).found(first_bytes(text))
}

/// Inspects the beginning of one file. For many files, create one [`Prober`].
///
/// # Errors
/// See [`Prober::look`]; also a file that cannot be opened.
pub fn probe(source: &Source, formats: &Formats) -> Result<Head, Fault> {
    Prober::new(formats).look(source.open()?)
}

#[cfg(test)]
mod tests {
    use super::super::encoding::to_windows_1251;
    use super::*;
    use crate::tables::RuleFiles;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static FORMATS: LazyLock<Formats> = LazyLock::new(|| Formats::load(&RuleFiles::embedded()).expect("the built-in tables are sound"));

    fn look(bytes: &[u8]) -> Result<Head, Fault> {
        Prober::new(&FORMATS).look(bytes)
    }

    fn fault(bytes: &[u8]) -> Check {
        look(bytes).expect_err("a fault").check
    }

    const MAIN: &str = "<?xml version=\"1.0\" encoding=\"windows-1251\"?>\r\n<ZL_LIST>\r\n<ZGLV><VERSION> 3.1 </VERSION><FILENAME>DPM140001S14002_190312</FILENAME></ZGLV>\
        <SCHET><CODE_MO>140001</CODE_MO><YEAR>2019</YEAR><MONTH>3</MONTH><NSCHET>1&amp;2</NSCHET><DISP>ДВ4</DISP></SCHET>\
        <ZAP><N_ZAP>1</N_ZAP><PLAT>14002</PLAT></ZAP></ZL_LIST>";

    #[test]
    fn head_of_a_main_file() {
        let head = look(&to_windows_1251(MAIN).expect("of windows-1251")).expect("a registry");
        assert_eq!((head.kind, head.root.as_str(), head.encoding(), head.encoding_differs), (Kind::Main, "ZL_LIST", Encoding::Windows1251, false));
        assert_eq!(head.encoding_declared.as_deref(), Some("windows-1251"));
        let values = [Role::Version, Role::FileName, Role::CodeMo, Role::AccountNo, Role::Disp].map(|r| head.value(r));
        assert_eq!(values, [Some("3.1"), Some("DPM140001S14002_190312"), Some("140001"), Some("1&2"), Some("ДВ4")]);
        assert_eq!(head.period().map(|p| p.to_string()).as_deref(), Some("2019-03"));
        assert_eq!(head.value(Role::Payer), None, "records are not the head");
    }

    #[test]
    fn utf_8_under_a_declaration_of_windows_1251() {
        let head = look(MAIN.as_bytes()).expect("a registry");
        assert_eq!((head.encoding(), head.encoding_differs, head.value(Role::Disp)), (Encoding::Utf8, true, Some("ДВ4")));
    }

    #[test]
    fn kinds_by_root() {
        for (root, kind) in [("PERS_LIST", Kind::Persons), ("ZL_LIST", Kind::Main), ("FLK_P", Kind::Protocol), ("html", Kind::Other), ("o:ZL_LIST", Kind::Main)]
        {
            assert_eq!(look(format!("\u{FEFF}<!-- a --><{root} a='b'/>").as_bytes()).expect("XML").kind, kind, "{root}");
        }
        let persons = look(b"<PERS_LIST><ZGLV><FILENAME1>HM1</FILENAME1></ZGLV><PERS><ID_PAC>1").expect("a registry");
        assert_eq!(persons.value(Role::MainName), Some("HM1"));
    }

    #[test]
    fn what_is_no_registry() {
        assert_eq!(fault(b""), Check::EmptyFile);
        assert_eq!(fault(b" \r\n\t"), Check::EmptyFile);
        assert_eq!(fault(b"%PDF-1.4"), Check::NotXml);
        assert_eq!(fault(&[0; 100]), Check::NotXml);
        assert_eq!(fault(b"<?xml version='1.0'?>"), Check::XmlTruncated);
        assert_eq!(fault(b"<ZL_LI"), Check::XmlTruncated);
        assert_eq!(fault(b"<!DOCTYPE a []><ZL_LIST/>"), Check::XmlDoctype);
        assert_eq!(fault(b"\xFF\xFE<\0a\0/\0>\0"), Check::EncodingUnknown);
        assert_eq!(fault(&[b"<!--".as_slice(), &[b' '; WINDOW]].concat()), Check::NotXml);
        assert_eq!(fault(&[b' '; WINDOW + 10]), Check::NotXml);
    }

    #[test]
    fn a_fault_after_the_root_leaves_the_head() {
        let head = look(b"<ZL_LIST><ZGLV><VERSION>3.1</VERSION></ZGL></ZL_LIST>").expect("a registry");
        assert_eq!(head.value(Role::Version), Some("3.1"));
    }

    #[test]
    fn offsets_count_the_mark() {
        assert_eq!(look(b"\xEF\xBB\xBF<!DOCTYPE a>").expect_err("a fault").offset, Some(3));
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer(bytes in proptest::collection::vec(prop_oneof![Just(b'<'), Just(b'>'), Just(b'/'), Just(b'&'), any::<u8>()], 0..200)) {
            let _ = look(&bytes);
            let _ = look(&[b"<ZL_LIST><ZGLV>".as_slice(), &bytes].concat());
        }
    }
}
