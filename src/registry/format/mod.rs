//! Formats as data: the tables of `rules/formats/` compiled into one [`Format`] for each family and edition.
//!
//! Nothing here knows an element by its name. What the program must understand (the record, its number, its sum) is marked in the
//! tables by a [`Role`].

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

/// Obligation of an element: О, Н, У and their repeatable forms ОМ, НМ, УМ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Obligation {
    /// О: must stand in every parent.
    pub required: bool,
    /// У: required under a condition that the rule book states.
    pub conditional: bool,
    /// М: may stand more than once.
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

/// What an element holds.
#[derive(Debug, Clone)]
pub enum Content {
    /// Other elements.
    Block,
    /// A value.
    Value(ValueType),
}

/// One element of one edition.
#[derive(Debug, Clone)]
pub struct Node {
    /// Name as it stands in the file.
    pub name: Box<str>,
    /// The name ready for comparison.
    pub key: NameKey,
    /// Full path, `ZL_LIST/ZAP/Z_SL/SL/DS1`.
    pub path: Arc<str>,
    /// The block that holds it; none for the root.
    pub parent: Option<NodeId>,
    /// Position among the parent's children, from 0.
    pub position: u8,
    /// Whether it must or may stand, and how often.
    pub obligation: Obligation,
    /// Block or value.
    pub content: Content,
    /// Children in the order of the format.
    pub children: Vec<NodeId>,
    /// Bit `n` is set when the child at position `n` is required.
    pub required: u64,
    /// Bit `n` is set when the child at position `n` may be repeated.
    pub repeatable: u64,
    /// What the program takes it for.
    pub role: Option<Role>,
    /// Its value is personal and is masked in reports.
    pub personal: bool,
    /// Book and field of its values, `V002.IDPR`; empty if none.
    pub book: Box<str>,
    /// Where the obligation is known from: Q015, schema, structure, inferred.
    pub basis: Box<str>,
    /// The row is known from one region only.
    pub regional: bool,
    /// What it means.
    pub title: Text,
}

impl Node {
    /// The value type, if it is no block.
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

    /// The element of a role, if this edition has it.
    #[inline]
    pub fn role(&self, role: Role) -> Option<NodeId> {
        self.roles[role as usize]
    }

    /// The element at a path.
    pub fn find(&self, path: &str) -> Option<NodeId> {
        self.ids().find(|id| &*self.node(*id).path == path)
    }

    /// Elements of a name, anywhere.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = NodeId> + 'a {
        self.ids().filter(move |id| &*self.node(*id).name == name)
    }

    /// Whether `inner` stands somewhere below `outer`, or is it.
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
        /// What an element means to the program, as the column `role` of the format tables marks it.
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
    /// The root.
    Root = "root",
    /// ZGLV.
    Header = "header",
    /// SCHET.
    Account = "account",
    /// VERSION of the format.
    Version = "version",
    /// DATA, the day when the file was made.
    MadeOn = "made_on",
    /// FILENAME.
    FileName = "file_name",
    /// FILENAME1 of the person file.
    MainName = "main_name",
    /// SD_Z, the number of completed cases.
    CasesDeclared = "cases_declared",
    /// CODE of the account.
    AccountCode = "account_code",
    /// CODE_MO.
    CodeMo = "code_mo",
    /// YEAR of the period.
    Year = "year",
    /// MONTH of the period.
    Month = "month",
    /// NSCHET.
    AccountNo = "account_no",
    /// DSCHET.
    AccountDate = "account_date",
    /// PLAT.
    Payer = "payer",
    /// SUMMAV.
    Total = "total",
    /// DISP.
    Disp = "disp",
    /// ZAP or PERS.
    Record = "record",
    /// N_ZAP.
    NZap = "n_zap",
    /// PR_NOV.
    PrNov = "pr_nov",
    /// PACIENT.
    Patient = "patient",
    /// ID_PAC.
    IdPac = "id_pac",
    /// NPOLIS, the number of the policy.
    Policy = "policy",
    /// ENP, the single number of the insured.
    Enp = "enp",
    /// SMO, the insurer of the patient.
    Insurer = "insurer",
    /// NHISTORY, the number of the card or history.
    History = "history",
    /// LPU_1, the subdivision.
    Subdivision = "subdivision",
    /// The completed case: Z_SL, SLUCH.
    Case = "case",
    /// IDCASE.
    IdCase = "idcase",
    /// SUMV.
    CaseSum = "case_sum",
    /// First day of the case.
    CaseFrom = "case_from",
    /// Last day of the case.
    CaseTo = "case_to",
    /// The clinic that gave the care.
    Lpu = "lpu",
    /// USL_OK, conditions of care.
    Conditions = "conditions",
    /// The case part: SL.
    Part = "part",
    /// SL_ID.
    SlId = "sl_id",
    /// SUM_M.
    PartSum = "part_sum",
    /// The service: USL.
    Service = "service",
    /// IDSERV.
    IdServ = "idserv",
    /// SANK.
    Sanction = "sanction",
    /// FAM.
    Surname = "surname",
    /// IM.
    Name = "name",
    /// OT.
    Patronymic = "patronymic",
    /// W.
    Sex = "sex",
    /// DR.
    Birth = "birth",
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|r| r.as_str() == text).ok_or_else(|| format!("no role «{text}»"))
    }
}
