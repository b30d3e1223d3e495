//! The rows of the tables, ready to be written in any form. The names of the fields are the keys of the JSON.

use serde::Serialize;

use crate::registry::format::value::Base;
use crate::registry::format::{Format, Formats, Node, NodeId};

/// One edition of one family.
#[derive(Debug, Serialize)]
pub(super) struct EditionRow<'a> {
    pub(super) family: char,
    pub(super) edition: &'a str,
    /// What ZGLV/VERSION says.
    pub(super) version: &'a str,
    /// First reporting month, `YYYY-MM`; `None` if that side is open.
    pub(super) from: Option<String>,
    /// Last reporting month, `YYYY-MM`; `None` if that side is open.
    pub(super) until: Option<String>,
    pub(super) basis: &'a str,
    pub(super) elements: usize,
    pub(super) source: &'a str,
}

impl<'a> EditionRow<'a> {
    pub(super) fn new(format: &'a Format) -> Self {
        let edition = &format.edition;
        Self {
            family: format.family.0,
            edition: &edition.id,
            version: &edition.version,
            from: edition.from.map(|m| m.to_string()),
            until: edition.until.map(|m| m.to_string()),
            basis: &edition.basis,
            elements: format.nodes().len(),
            source: &edition.source,
        }
    }

    /// The period as `2019-01 – 2019-10`, with `…` for an open side.
    pub(super) fn period(&self) -> String {
        format!("{} – {}", self.from.as_deref().unwrap_or("…"), self.until.as_deref().unwrap_or("…"))
    }
}

/// One element of one edition.
#[derive(Debug, Serialize)]
pub(super) struct ElementRow<'a> {
    pub(super) path: &'a str,
    pub(super) element: &'a str,
    /// О, Н or У, with М for an element that may be repeated.
    pub(super) obligation: String,
    /// S, T, N or D.
    #[serde(rename = "type")]
    pub(super) base: char,
    /// The type as people write it: `N(15.2)`.
    pub(super) spec: Option<String>,
    pub(super) min_length: Option<usize>,
    pub(super) max_length: Option<usize>,
    pub(super) mask: Option<&'a str>,
    /// Id of the character set.
    pub(super) chars: Option<&'a str>,
    /// Closed list, separated by spaces.
    pub(super) values: Option<String>,
    pub(super) book: Option<&'a str>,
    /// Editions of the family that have the element at this path, separated by spaces.
    pub(super) editions: String,
    /// The source from which the obligation is known.
    pub(super) basis: &'a str,
    /// `federal` or `regional`.
    pub(super) scope: &'static str,
    pub(super) personal: bool,
    pub(super) role: Option<&'static str>,
    pub(super) name_ru: &'a str,
    pub(super) name_en: &'a str,
    #[serde(skip)]
    pub(super) node: &'a Node,
    #[serde(skip)]
    pub(super) depth: usize,
}

impl<'a> ElementRow<'a> {
    pub(super) fn new(formats: &Formats, format: &'a Format, id: NodeId) -> Self {
        let node = format.node(id);
        let kind = node.value_type();
        let editions: Vec<&str> = formats.editions(format.family).iter().filter(|f| f.find(&node.path).is_some()).map(|f| f.edition.id.as_str()).collect();
        Self {
            path: &node.path,
            element: &node.name,
            obligation: node.obligation.to_string(),
            base: match kind.map(|k| k.base()) {
                None => 'S',
                Some(Base::Text) => 'T',
                Some(Base::Number) => 'N',
                Some(Base::Date) => 'D',
            },
            spec: kind.map(|k| k.spec()),
            min_length: kind.map(|k| k.lengths().0),
            max_length: kind.map(|k| k.lengths().1),
            mask: kind.and_then(|k| k.mask()).map(|m| m.as_str()),
            chars: kind.and_then(|k| k.charset()).map(|s| s.id.as_str()),
            values: kind.map(|k| k.list().join(" ")).filter(|l| !l.is_empty()),
            book: Some(&*node.book).filter(|b| !b.is_empty()),
            editions: editions.join(" "),
            basis: &node.basis,
            scope: if node.regional { "regional" } else { "federal" },
            personal: node.personal,
            role: node.role.map(|r| r.as_str()),
            name_ru: &node.title.ru,
            name_en: &node.title.en,
            node,
            depth: node.path.matches('/').count(),
        }
    }
}
