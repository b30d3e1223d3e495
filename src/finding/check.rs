//! Kinds of structural checks.

use std::str::FromStr;

macro_rules! checks {
    ($($(#[$doc:meta])* $name:ident = $slug:literal),* $(,)?) => {
        /// What kind of structural check a row of `rules/structure.csv` is: the code knows kinds, the table their ids, weights and texts.
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
    /// The operating system refuses to give the file.
    Unreadable = "unreadable",
    /// No file or folder of this name.
    NotFound = "not-found",
    /// The user may not read the file.
    NoAccess = "no-access",
    /// Nothing in the file.
    EmptyFile = "empty-file",
    /// Neither XML nor a zip archive.
    NotRegistry = "not-registry",
    /// The archive is cut or damaged.
    ZipDamaged = "zip-damaged",
    /// More entries than a registry can have.
    ZipEntries = "zip-entries",
    /// Unpacks to far more than its size.
    ZipRatio = "zip-ratio",
    /// Unpacks to more than is allowed in all.
    ZipTotal = "zip-total",
    /// Entries share bytes of the archive.
    ZipOverlap = "zip-overlap",
    /// An entry's name leads out of the folder.
    ZipName = "zip-name",
    /// Two entries of one name.
    ZipDuplicate = "zip-duplicate",
    /// An archive inside the archive.
    ZipNested = "zip-nested",
    /// Encrypted or packed by a method other than deflate.
    ZipMethod = "zip-method",
    /// An entry that is no registry file.
    ZipExtra = "zip-extra",
    /// An archive without a registry file.
    NoMainFile = "no-main-file",
    /// The main file has no person file.
    PersonsMissing = "persons-missing",
    /// The person file has no main file.
    MainMissing = "main-missing",
    /// Two files claim to be the same package.
    PackageTwice = "package-twice",
    /// The name is not of the grammar.
    NameGrammar = "name-grammar",
    /// FILENAME differs from the file's name.
    NameDiffers = "name-differs",
    /// FILENAME1 differs from the main file's name.
    MainNameDiffers = "main-name-differs",
    /// Not XML at all.
    NotXml = "not-xml",
    /// The file ends before the root does.
    XmlTruncated = "xml-truncated",
    /// Not well-formed.
    XmlMalformed = "xml-malformed",
    /// A document type declaration.
    XmlDoctype = "xml-doctype",
    /// An entity other than the five of XML and character references.
    XmlEntity = "xml-entity",
    /// Nested too deeply.
    XmlDepth = "xml-depth",
    /// An element's name is too long.
    XmlName = "xml-name",
    /// A text is too long.
    XmlText = "xml-text",
    /// A record larger than the reader keeps at once.
    XmlRecord = "xml-record",
    /// Too many attributes.
    XmlAttributes = "xml-attributes",
    /// A character that XML forbids.
    XmlCharacter = "xml-character",
    /// An encoding that the exchange does not know.
    EncodingUnknown = "encoding-unknown",
    /// Declared and real encoding differ.
    EncodingDiffers = "encoding-differs",
    /// A byte that the encoding does not define.
    EncodingByte = "encoding-byte",
    /// Not windows-1251, as the exchange demands.
    EncodingNotDemanded = "encoding-not-demanded",
    /// The root is not a registry's.
    WrongRoot = "wrong-root",
    /// A namespace is declared.
    Namespace = "namespace",
    /// The file-name letters or the root belong to no known family.
    FamilyUnknown = "family-unknown",
    /// No edition has this VERSION.
    EditionUnknown = "edition-unknown",
    /// The edition is not in force in the reporting period.
    EditionPeriod = "edition-period",
    /// The reporting period cannot be read.
    PeriodUnreadable = "period-unreadable",
    /// An obligatory element is absent.
    Missing = "missing",
    /// No such element in the family.
    Unknown = "unknown",
    /// The element exists, but not here.
    Misplaced = "misplaced",
    /// A single element stands twice.
    Repeated = "repeated",
    /// An element before its turn.
    Order = "order",
    /// No value where one is due.
    Empty = "empty",
    /// Text in a block.
    TextInBlock = "text-in-block",
    /// Elements in a value.
    BlockInText = "block-in-text",
    /// An attribute; the format has none.
    Attribute = "attribute",
    /// Not a number.
    NotNumber = "not-number",
    /// Wrong number of digits after the point.
    Decimals = "decimals",
    /// Not a date of the form YYYY-MM-DD.
    NotDate = "not-date",
    /// A day that the calendar does not have.
    NoSuchDate = "no-such-date",
    /// Longer than allowed.
    TooLong = "too-long",
    /// Shorter than allowed.
    TooShort = "too-short",
    /// A character outside the element's set.
    Characters = "characters",
    /// Not of the element's mask.
    Mask = "mask",
    /// Not in the element's closed list.
    NotInList = "not-in-list",
    /// A key stands twice in its scope. Columns `element` (a role) and `other` (the scope's role).
    Unique = "unique",
    /// The same person under two keys. `element` lists the roles compared.
    SamePerson = "same-person",
    /// A sum does not hold: `element` (total's role) is the sum of `other`.
    Sum = "sum",
    /// A count does not hold: `element` is the number of `other`.
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
    /// Whether such a finding refuses the file as a whole and not one record: container, markup, encoding, name, edition.
    pub fn is_of_file(self) -> bool {
        self <= Self::PeriodUnreadable && self != Self::EncodingByte
    }
}
