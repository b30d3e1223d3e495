//! Kinds of structural checks.

use std::str::FromStr;

macro_rules! checks {
    ($($(#[$doc:meta])* $name:ident = $slug:literal),* $(,)?) => {
        /// The kind of structural check in a row of `rules/structure.csv`. The code knows the kinds; the table gives ids, severities and texts.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Check { $($(#[$doc])* $name),* }

        impl Check {
            /// Every kind, in the order of the catalog's groups.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in the table's column `check`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $slug),* }
            }
        }
    };
}

checks! {
    /// The operating system cannot read the file.
    Unreadable = "unreadable",
    /// There is no file or folder of this name.
    NotFound = "not-found",
    /// The user may not read the file.
    NoAccess = "no-access",
    /// A pipe or a device stands in the place of a file.
    NotRegular = "not-regular",
    /// The file is empty.
    EmptyFile = "empty-file",
    /// The file is neither XML nor a zip archive.
    NotRegistry = "not-registry",
    /// The archive is cut or damaged.
    ZipDamaged = "zip-damaged",
    /// The archive has more entries than a registry can have.
    ZipEntries = "zip-entries",
    /// An entry unpacks to far more than its packed size.
    ZipRatio = "zip-ratio",
    /// The archive unpacks to more than is allowed in total.
    ZipTotal = "zip-total",
    /// Entries of the archive share bytes.
    ZipOverlap = "zip-overlap",
    /// An entry's name leads out of the folder.
    ZipName = "zip-name",
    /// Two entries of one name.
    ZipDuplicate = "zip-duplicate",
    /// An archive inside the archive.
    ZipNested = "zip-nested",
    /// An entry is encrypted or packed by a method other than deflate.
    ZipMethod = "zip-method",
    /// An entry is not a registry file.
    ZipExtra = "zip-extra",
    /// A file beside a package has its name but letters that no family has.
    ThirdFile = "third-file",
    /// Two packages have the same contents.
    SamePackage = "same-package",
    /// An archive without a registry file.
    NoMainFile = "no-main-file",
    /// The main file has no person file.
    PersonsMissing = "persons-missing",
    /// The person file has no main file.
    MainMissing = "main-missing",
    /// Two files claim to be the same package.
    PackageTwice = "package-twice",
    /// The file name does not follow the naming rules.
    NameGrammar = "name-grammar",
    /// FILENAME differs from the file's name.
    NameDiffers = "name-differs",
    /// FILENAME1 differs from the main file's name.
    MainNameDiffers = "main-name-differs",
    /// The file is not XML.
    NotXml = "not-xml",
    /// The file ends before its root element is closed.
    XmlTruncated = "xml-truncated",
    /// The XML is not well-formed.
    XmlMalformed = "xml-malformed",
    /// The file has a document type declaration.
    XmlDoctype = "xml-doctype",
    /// An entity that is neither one of the five of XML nor a character reference.
    XmlEntity = "xml-entity",
    /// Elements are nested too deeply.
    XmlDepth = "xml-depth",
    /// An element's name is too long.
    XmlName = "xml-name",
    /// A text is too long.
    XmlText = "xml-text",
    /// A record is larger than the reader can hold.
    XmlRecord = "xml-record",
    /// An element has too many attributes.
    XmlAttributes = "xml-attributes",
    /// A character that XML forbids.
    XmlCharacter = "xml-character",
    /// The encoding is not one that the exchange knows.
    EncodingUnknown = "encoding-unknown",
    /// Declared and real encoding differ.
    EncodingDiffers = "encoding-differs",
    /// The file is in an encoding that programs of the exchange do not read, and says so.
    EncodingForeign = "encoding-foreign",
    /// The byte order mark of UTF-8 stands before another encoding.
    EncodingMark = "encoding-mark",
    /// A byte that the encoding does not define.
    EncodingByte = "encoding-byte",
    /// The file is not in windows-1251, which the exchange requires.
    EncodingNotDemanded = "encoding-not-demanded",
    /// The root element is not that of a registry.
    WrongRoot = "wrong-root",
    /// A namespace is declared.
    Namespace = "namespace",
    /// The file-name letters or the root belong to no known family.
    FamilyUnknown = "family-unknown",
    /// The account is dated before the reporting month.
    AccountEarly = "account-early",
    /// The package is older than the rule book, so that no federal rule ran.
    BeforeRules = "before-rules",
    /// No edition has this VERSION.
    EditionUnknown = "edition-unknown",
    /// The edition is not in force in the reporting period.
    EditionPeriod = "edition-period",
    /// The reporting period cannot be read.
    PeriodUnreadable = "period-unreadable",
    /// An obligatory element is absent.
    Missing = "missing",
    /// The family has no such element.
    Unknown = "unknown",
    /// The element exists in the family, but in another place.
    Misplaced = "misplaced",
    /// An element that may occur once is repeated.
    Repeated = "repeated",
    /// An element stands before one that must precede it.
    Order = "order",
    /// An element that needs a value is empty.
    Empty = "empty",
    /// A block contains text.
    TextInBlock = "text-in-block",
    /// An element that holds a value contains other elements.
    BlockInText = "block-in-text",
    /// An element has an attribute; the formats have none.
    Attribute = "attribute",
    /// The value is not a number.
    NotNumber = "not-number",
    /// Wrong number of digits after the point.
    Decimals = "decimals",
    /// The value is not of the form YYYY-MM-DD.
    NotDate = "not-date",
    /// The calendar does not have this day.
    NoSuchDate = "no-such-date",
    /// The value is longer than allowed.
    TooLong = "too-long",
    /// The value is shorter than allowed.
    TooShort = "too-short",
    /// A character outside the element's set.
    Characters = "characters",
    /// The value does not match the element's mask.
    Mask = "mask",
    /// The value is not in the element's closed list.
    NotInList = "not-in-list",
    /// A key is repeated within its scope. `element` is the key's role, `other` the scope's role.
    Unique = "unique",
    /// The same person under two keys. `element` lists the roles that are compared.
    SamePerson = "same-person",
    /// A total is wrong: `element` (the total's role) must be the sum of `other`.
    Sum = "sum",
    /// A count is wrong: `element` must be the number of `other`.
    Count = "count",
    /// A key of the main file is absent in the person file.
    PersonAbsent = "person-absent",
    /// A key of the person file is absent in the main file.
    PersonIdle = "person-idle",
    /// A part of the file's name disagrees with `element`; `other` names the part.
    NamePart = "name-part",
}

impl FromStr for Check {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|c| c.as_str() == text).ok_or_else(|| format!("no check of kind «{text}»"))
    }
}

impl Check {
    /// Whether a finding of this kind refuses the whole file and not one record: container, markup, encoding, name, edition.
    pub fn is_of_file(self) -> bool {
        self <= Self::PeriodUnreadable && self != Self::EncodingByte
    }
}
