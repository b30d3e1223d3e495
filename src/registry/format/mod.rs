//! Formats as data: the tables of `rules/formats/` compiled into one [`Format`] for each family and edition.
//!
//! The code does not refer to elements by name. Elements that the program must understand (the record, its number, its sum) are marked in the
//! tables with a [`Role`].

mod edition;
mod load;
pub mod mask;
pub mod name_key;
pub mod value;
mod xsd;

use std::fmt;
use std::sync::Arc;

pub use edition::{Edition, EditionChoice};
pub use load::{Formats, Prefix};
pub use name_key::NameKey;
pub use value::{Charset, ValueType};
pub use xsd::write_xsd;

use crate::texts::Text;

/// A family of files, named by the letter of its table: H, C, T, D (dispensary) or L (persons).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Family(pub char);

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The family of person files.
pub const PERSONS: Family = Family('L');

/// Obligation of an element: О, Н, У, and the repeatable ОМ, НМ, УМ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Obligation {
    /// О: required in every parent.
    pub required: bool,
    /// У: required under a condition stated in the rule book.
    pub conditional: bool,
    /// М: may be repeated.
    pub repeatable: bool,
}

impl fmt::Display for Obligation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = if self.required {
            "О"
        } else if self.conditional {
            "У"
        } else {
            "Н"
        };
        write!(f, "{letter}{}", if self.repeatable { "М" } else { "" })
    }
}

/// Index of a node in its [`Format`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u16);

/// The content of an element.
#[derive(Debug, Clone)]
pub enum Content {
    /// Other elements.
    Block,
    /// A value.
    Value(ValueType),
}

/// One element of one edition of a format.
#[derive(Debug, Clone)]
pub struct Node {
    /// Name as written in the file.
    pub name: Box<str>,
    /// Name in the form for comparison.
    pub key: NameKey,
    /// Full path, `ZL_LIST/ZAP/Z_SL/SL/DS1`.
    pub path: Arc<str>,
    /// The block that contains the element; `None` for the root.
    pub parent: Option<NodeId>,
    /// Position among the parent's children, from 0.
    pub position: u8,
    /// Whether the element is required and whether it may be repeated.
    pub obligation: Obligation,
    /// Block or value.
    pub content: Content,
    /// Children in the order of the format.
    pub children: Vec<NodeId>,
    /// Bit `n` is set when the child at position `n` is required.
    pub required: u64,
    /// Bit `n` is set when the child at position `n` may be repeated.
    pub repeatable: u64,
    /// The role of the element for the program, if it has one.
    pub role: Option<Role>,
    /// Whether the value is personal and must be masked in reports.
    pub personal: bool,
    /// Book and field of the allowed values, `V002.IDPR`; empty when there are none.
    pub book: Box<str>,
    /// Source of the obligation: Q015, schema, structure, inferred.
    pub basis: Box<str>,
    /// Whether the element is known from one region only.
    pub regional: bool,
    /// Description for people.
    pub title: Text,
}

impl Node {
    /// The value type; `None` for a block.
    pub fn value_type(&self) -> Option<&ValueType> {
        match &self.content {
            Content::Block => None,
            Content::Value(value) => Some(value),
        }
    }
}

/// All elements of one family in one edition.
#[derive(Debug, Clone)]
pub struct Format {
    /// The family.
    pub family: Family,
    /// The edition.
    pub edition: Edition,
    nodes: Vec<Node>,
    roles: [Option<NodeId>; Role::ALL.len()],
}

impl Format {
    /// Every element in document order; the root is first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// One element.
    #[inline]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[usize::from(id.0)]
    }

    /// Ids of all elements in document order.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u16).map(NodeId)
    }

    /// The root element.
    pub fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// The element with this role; `None` when the edition has none.
    #[inline]
    pub fn role(&self, role: Role) -> Option<NodeId> {
        self.roles[role as usize]
    }

    /// The element at this path.
    pub fn find(&self, path: &str) -> Option<NodeId> {
        self.ids().find(|id| &*self.node(*id).path == path)
    }

    /// All elements with this name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = NodeId> + 'a {
        self.ids().filter(move |id| &*self.node(*id).name == name)
    }

    /// Whether `inner` is `outer` or one of its descendants.
    pub fn is_within(&self, inner: NodeId, outer: NodeId) -> bool {
        let mut at = Some(inner);
        while let Some(id) = at {
            if id == outer {
                return true;
            }
            at = self.node(id).parent;
        }
        false
    }
}

macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident = $word:literal),* $(,)?) => {
        /// The meaning of an element for the program, given in the column `role` of the format tables.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Role { $($(#[$doc])* $name),* }

        impl Role {
            /// All roles.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in the tables.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }
        }
    };
}

roles! {
    /// The root element.
    Root = "root",
    /// ZGLV, the header.
    Header = "header",
    /// SCHET, the account.
    Account = "account",
    /// VERSION of the format.
    Version = "version",
    /// DATA, the day on which the file was made.
    MadeOn = "made_on",
    /// FILENAME, the name of the file.
    FileName = "file_name",
    /// FILENAME1 of the person file, the name of the main file.
    MainName = "main_name",
    /// SD_Z, the number of completed cases.
    CasesDeclared = "cases_declared",
    /// CODE, the code of the account's record.
    AccountCode = "account_code",
    /// CODE_MO, the clinic.
    CodeMo = "code_mo",
    /// YEAR of the period.
    Year = "year",
    /// MONTH of the period.
    Month = "month",
    /// NSCHET, the number of the account.
    AccountNo = "account_no",
    /// DSCHET, the date of the account.
    AccountDate = "account_date",
    /// PLAT, the payer.
    Payer = "payer",
    /// SUMMAV, the total of the account.
    Total = "total",
    /// DISP, the kind of dispensary care.
    Disp = "disp",
    /// ZAP or PERS.
    Record = "record",
    /// N_ZAP, the number of the record.
    NZap = "n_zap",
    /// PR_NOV, whether the record is new or corrected.
    PrNov = "pr_nov",
    /// PACIENT, the patient block.
    Patient = "patient",
    /// ID_PAC, the id of the patient in the package.
    IdPac = "id_pac",
    /// NPOLIS, the number of the policy.
    Policy = "policy",
    /// ENP, the unified policy number of the insured person.
    Enp = "enp",
    /// SMO, the insurer of the patient.
    Insurer = "insurer",
    /// SMO_OK, the OKATO of the territory where the patient is insured.
    InsuredAt = "insured_at",
    /// NHISTORY, the number of the medical card or case history.
    History = "history",
    /// LPU_1, the subdivision.
    Subdivision = "subdivision",
    /// PODR, the department.
    Unit = "unit",
    /// PROFIL, the profile of care.
    Profile = "profile",
    /// The code of the doctor who treated: IDDOKT; where a format has none, CODE_MD of the services.
    Doctor = "doctor",
    /// The completed case: Z_SL, SLUCH.
    Case = "case",
    /// IDCASE, the number of the case.
    IdCase = "idcase",
    /// SUMV, the sum of the case.
    CaseSum = "case_sum",
    /// First day of the case.
    CaseFrom = "case_from",
    /// Last day of the case.
    CaseTo = "case_to",
    /// LPU, the clinic that provided the care.
    Lpu = "lpu",
    /// USL_OK, the conditions of care.
    Conditions = "conditions",
    /// The case part: SL.
    Part = "part",
    /// SL_ID, the id of the case part.
    SlId = "sl_id",
    /// SUM_M, the sum of the case part.
    PartSum = "part_sum",
    /// The service: USL.
    Service = "service",
    /// IDSERV, the number of the service.
    IdServ = "idserv",
    /// SANK, the sanction.
    Sanction = "sanction",
    /// FAM, the surname.
    Surname = "surname",
    /// IM, the first name.
    Name = "name",
    /// OT, the patronymic.
    Patronymic = "patronymic",
    /// W, the sex.
    Sex = "sex",
    /// DR, the date of birth.
    Birth = "birth",
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|r| r.as_str() == text).ok_or_else(|| format!("no role «{text}»"))
    }
}
