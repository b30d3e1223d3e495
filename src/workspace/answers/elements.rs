//! `rules/forms/answer-elements.csv`: the elements that are read from answers, and the words of a payment decision.

use std::collections::HashMap;

use serde::Deserialize;

use crate::tables::{RuleFiles, TableError};

const TABLE: &str = "forms/answer-elements.csv";

/// The kind of an XML answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::workspace) enum Document {
    /// A ФЛК protocol.
    Protocol,
    /// A registry returned with the payer's decision.
    Registry,
}

/// The meaning of an element. The first nine are blocks: they contain other elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::workspace) enum Meaning {
    Root,
    Header,
    Account,
    /// A record of the registry, a refusal of the protocol.
    Record,
    /// A record of the registry in a protocol whose refusals stand inside records.
    Group,
    Case,
    Part,
    /// What a record says of its patient.
    Patient,
    Sanction,
    FileName,
    AccountNo,
    AccountDate,
    Clinic,
    Payer,
    Accepted,
    TakenOff,
    /// The decision of the payer beside that of the fund.
    PayerAccepted,
    PayerTakenOff,
    Sum,
    Code,
    Comment,
    Field,
    Base,
    NZap,
    IdPac,
    #[serde(rename = "idcase")]
    IdCase,
    SlId,
    Decision,
    /// Known, and nothing that is read: a value alone, or a file that may lie beside an answer.
    Ignored,
    // Words of a base element: a refusal may be of several cases.
    Wide,
    // Words of a decision.
    Undecided,
    Full,
    Refused,
    Partial,
}

impl Meaning {
    /// Whether an element with this meaning contains other elements.
    pub(super) fn is_block(self) -> bool {
        matches!(self, Self::Root | Self::Header | Self::Account | Self::Record | Self::Group | Self::Case | Self::Part | Self::Patient | Self::Sanction)
    }
}

#[derive(Deserialize)]
struct ElementRow {
    document: Document,
    block: Option<Meaning>,
    element: String,
    meaning: Meaning,
    name_ru: String,
    name_en: String,
}

/// The table of elements, indexed for reading.
#[derive(Debug)]
pub(in crate::workspace) struct Elements {
    meanings: HashMap<(Document, Option<Meaning>), HashMap<String, Meaning>>,
    /// The first element of each meaning, which messages name.
    first: HashMap<(Document, Option<Meaning>, Meaning), String>,
}

impl Elements {
    /// Reads the table.
    ///
    /// # Errors
    /// An unknown word, an element twice in one block, a document without root or record, a missing name.
    pub(in crate::workspace) fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let mut meanings: HashMap<_, HashMap<_, _>> = HashMap::new();
        let mut first = HashMap::new();
        for (line, row) in files.rows::<ElementRow>(TABLE)? {
            if row.element.is_empty() || row.name_ru.is_empty() || row.name_en.is_empty() {
                return Err(TableError::new(TABLE, line, "an element needs its names"));
            }
            if meanings.entry((row.document, row.block)).or_default().insert(row.element.clone(), row.meaning).is_some() {
                return Err(TableError::new(TABLE, line, format!("{} stands twice in its block", row.element)));
            }
            first.entry((row.document, row.block, row.meaning)).or_insert(row.element);
        }
        let this = Self { meanings, first };
        for document in [Document::Protocol, Document::Registry] {
            for (block, meaning) in [(None, Meaning::Root), (Some(Meaning::Root), Meaning::Record)] {
                if this.name(document, block, meaning).is_none() {
                    return Err(TableError::new(TABLE, 0, format!("{document:?} lacks an element of the meaning {meaning:?}")));
                }
            }
        }
        Ok(this)
    }

    /// The meaning of an element, or of a word of a decision, in a block; `None` for an unknown one.
    pub(super) fn meaning(&self, document: Document, block: Option<Meaning>, name: &str) -> Option<Meaning> {
        self.meanings.get(&(document, block))?.get(name).copied()
    }

    /// Whether a root element is that of a file which may lie beside an answer and is none.
    pub(super) fn is_beside(&self, root: &str) -> bool {
        [Document::Protocol, Document::Registry].into_iter().any(|d| self.meaning(d, None, root) == Some(Meaning::Ignored))
    }

    /// Elements right below the root that are repeated for each record, as their end tags divide a file into pieces.
    pub(super) fn records(&self, document: Document) -> impl Iterator<Item = &str> {
        let below = self.meanings.get(&(document, Some(Meaning::Root)));
        below.into_iter().flatten().filter(|(_, meaning)| matches!(meaning, Meaning::Record | Meaning::Group)).map(|(name, _)| name.as_str())
    }

    /// The name of an element with a meaning in whatever block, the same each time.
    pub(in crate::workspace) fn first(&self, document: Document, meaning: Meaning) -> Option<&str> {
        self.first.iter().filter(|((d, _, m), _)| (*d, *m) == (document, meaning)).map(|(_, name)| name.as_str()).min()
    }

    /// The kind of answer that a root element begins; `None` for no answer.
    pub(super) fn document(&self, root: &str) -> Option<Document> {
        [Document::Protocol, Document::Registry].into_iter().find(|d| self.meaning(*d, None, root) == Some(Meaning::Root))
    }

    /// The name of the element with a meaning; the first of the table if there are several.
    pub(super) fn name(&self, document: Document, block: Option<Meaning>, meaning: Meaning) -> Option<&str> {
        self.first.get(&(document, block, meaning)).map(String::as_str)
    }
}
