//! Translates a published row into a condition and a requirement in the rule language.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::field::Misread;
use super::mask;
use super::packet::PublishedRow;
use crate::nsi::Catalog;
use crate::rules::published::{Published, PublishedError, Reading, Repair, normal};
use crate::rules::{SyntaxError, parse};
use crate::tables::{RuleFiles, TableError};

const CATEGORIES: &str = "import/categories.csv";
const COMMENTS: &str = "import/comments.csv";
const CHARSETS: &str = "formats/charsets.csv";

/// The requirement of a category whose row states none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Demand {
    /// The value is in the row's book.
    Book,
    /// The value is in the row's book or, if the row names none, in a regional book.
    Regional,
    /// The row must state the requirement.
    Value,
    /// The element is present, or absent.
    Presence,
    /// Length, mask, characters.
    Format,
}

#[derive(Debug, Clone, Deserialize)]
struct Category {
    category: String,
    table: String,
    require: Demand,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Says {
    /// The comment means absence instead of presence.
    Absent,
    /// The comment names the allowed characters.
    Characters,
    /// The comment allows any character.
    Any,
    /// A word in a comment that means certain characters.
    Letters,
    /// A mask that means a date.
    Date,
    /// A letter in masks that means an optional character.
    Optional,
    /// How to find the row of a book that holds masks.
    Row,
}

#[derive(Debug, Clone, Deserialize)]
struct Comment {
    kind: Says,
    find: String,
    means: String,
}

#[derive(Deserialize)]
struct Charset {
    id: String,
    chars: String,
}

/// One side (condition or requirement) of a row in the rule language.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Side {
    /// The text; an empty condition means always.
    pub text: String,
    /// Repairs that the published text needed.
    pub repairs: Vec<Repair>,
}

/// Why a side cannot be expressed in the rule language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unexpressed {
    /// A sentence for people, with the column of its first word that no rule uses.
    Prose(usize),
    /// Words of rules in an order that makes no rule.
    Syntax(PublishedError),
    /// The row states nothing.
    Silent,
    /// A mask that cannot be read.
    Mask(String),
    /// Characters that match no character set of the tables.
    Characters(String),
    /// Lengths that are not numbers.
    Length(String),
    /// A book or a field that cannot be used in a rule.
    Book(String),
    /// An unknown category.
    Category(String),
    /// The rule does not compile, with the reason.
    Compile(String),
    /// An unknown letter of a file family, or none.
    Files(String),
    /// Another row of the packet with the same id covers the same files on the same days.
    Twice,
    /// A field of the row cannot be read.
    Misread(Misread),
}

impl Unexpressed {
    /// Key of its text in `rules/import/texts.csv`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Prose(_) => "why.prose",
            Self::Syntax(_) => "why.syntax",
            Self::Silent => "why.silent",
            Self::Mask(_) => "why.mask",
            Self::Characters(_) => "why.characters",
            Self::Length(_) => "why.length",
            Self::Book(_) => "why.book",
            Self::Category(_) => "why.category",
            Self::Compile(_) => "why.compile",
            Self::Files(_) => "why.files",
            Self::Twice => "why.twice",
            Self::Misread(misread) => misread.flaw.as_str(),
        }
    }
}

/// Translates rows with the help of its tables.
#[derive(Debug)]
pub(super) struct Express {
    published: Published,
    categories: Vec<Category>,
    comments: Vec<Comment>,
    /// Ids of character sets by their sorted items.
    charsets: BTreeMap<Vec<String>, String>,
    books: Catalog,
}

impl Express {
    pub(super) fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let charsets = files.rows::<Charset>(CHARSETS)?.into_iter().map(|(_, c)| (items(&c.chars), c.id)).collect();
        Ok(Self {
            published: Published::load(files)?,
            categories: files.rows(CATEGORIES)?.into_iter().map(|(_, c)| c).collect(),
            comments: files.rows(COMMENTS)?.into_iter().map(|(_, c)| c).collect(),
            charsets,
            books: Catalog::load(files)?,
        })
    }

    /// The table that holds a category, such as `flk/006F.csv`.
    pub(super) fn table(&self, category: &str) -> Option<String> {
        self.categories.iter().find(|c| c.category == category).map(|c| format!("{}/{}.csv", c.table, c.category))
    }

    /// The tables of a family of categories, `flk` or `mek`.
    pub(super) fn tables<'a>(&'a self, family: &'a str) -> impl Iterator<Item = String> + 'a {
        self.categories.iter().filter(move |c| c.table == family).map(|c| format!("{}/{}.csv", c.table, c.category))
    }

    /// The family of tables that holds a category.
    pub(super) fn family(&self, category: &str) -> Option<&str> {
        self.categories.iter().find(|c| c.category == category).map(|c| c.table.as_str())
    }

    /// The condition of a row.
    pub(super) fn when(&self, row: &PublishedRow) -> Result<Side, Unexpressed> {
        if row.condition.is_empty() {
            return Ok(Side::default());
        }
        side(self.published.condition(&row.condition))
    }

    /// The requirement of a row.
    pub(super) fn require(&self, row: &PublishedRow) -> Result<Side, Unexpressed> {
        let Some(category) = self.categories.iter().find(|c| c.category == row.category()) else {
            return Err(Unexpressed::Category(row.category().to_owned()));
        };
        if !row.value.is_empty() {
            return side(self.published.value(&row.value, row.name()));
        }
        let name = row.name();
        let text = match category.require {
            Demand::Book | Demand::Regional if !row.book.is_empty() => self.lookup(row)?,
            Demand::Regional => format!("REGIONAL_BOOK({name})"),
            Demand::Presence if self.says(Says::Absent, &row.comment) => format!("ABSENT({name})"),
            Demand::Presence => format!("PRESENT({name})"),
            Demand::Format => self.format(row)?,
            Demand::Book | Demand::Value if row.comment.is_empty() => return Err(Unexpressed::Silent),
            Demand::Book | Demand::Value => return Err(Unexpressed::Prose(0)),
        };
        // Brings the text to the standard spelling and refuses what the rule language cannot parse.
        let expr = parse(&text).map_err(|e: SyntaxError| Unexpressed::Book(format!("{text}: {e}")))?;
        Ok(Side { text: expr.to_string(), repairs: Vec::new() })
    }

    fn lookup(&self, row: &PublishedRow) -> Result<String, Unexpressed> {
        let field = match (row.field.as_str(), self.books.get(&row.book)) {
            ("", Some(book)) => book.key.to_string(),
            ("", None) => return Err(Unexpressed::Book(row.book.clone())),
            (field, _) => field.replace('+', " + "),
        };
        Ok(format!("BOOK({}.{field})", row.book))
    }

    fn says(&self, what: Says, comment: &str) -> bool {
        let comment = comment.to_lowercase();
        self.comments.iter().any(|c| c.kind == what && comment.contains(&c.find))
    }

    /// The form of a row of 004F: length, mask and characters.
    fn format(&self, row: &PublishedRow) -> Result<String, Unexpressed> {
        let name = row.name();
        let length = |text: &str| match text {
            "" => Ok(None),
            text => text.parse::<u32>().map(Some).map_err(|_| Unexpressed::Length(text.to_owned())),
        };
        let (shortest, longest) = (length(&row.shortest)?, length(&row.longest)?);
        let is = |what: Says, text: &str| self.comments.iter().any(|c| c.kind == what && c.find == text);
        if is(Says::Date, &row.mask) {
            return Ok(format!("DATE({name})"));
        }
        let mut parts = Vec::new();
        let mask = if row.book.is_empty() {
            let optional = |c: char| self.comments.iter().any(|k| k.kind == Says::Optional && k.find.chars().eq([c]));
            mask::translate(&row.mask, optional).ok_or_else(|| Unexpressed::Mask(row.mask.clone()))?
        } else {
            let found = self.comments.iter().find(|c| c.kind == Says::Row && c.find == row.book).ok_or_else(|| Unexpressed::Book(row.book.clone()))?;
            Some(mask::Shape::Of(format!("BOOK1({}, {}, {})", row.book, found.means, row.field)))
        };
        let whole = match mask {
            // These functions include the length.
            Some(mask::Shape::Digits(from, to)) if (shortest, longest) == (Some(from), Some(to)) => Some(format!("DIGITS({name}, {from}, {to})")),
            Some(mask::Shape::Decimal(w, f)) if (shortest, longest) == (Some(f + 2), Some(w + 1 + f)) => Some(format!("DECIMAL({name}, {w}, {f})")),
            _ => None,
        };
        match (whole, shortest, longest) {
            (Some(whole), ..) => parts.push(whole),
            (None, shortest, longest) => {
                if let (Some(from), Some(to)) = (shortest, longest) {
                    parts.push(format!("LEN({name}) IN {from}..{to}"));
                } else if shortest.is_some() || longest.is_some() {
                    return Err(Unexpressed::Length(format!("{}..{}", row.shortest, row.longest)));
                }
                match mask {
                    None => {}
                    Some(mask::Shape::Of(call)) => parts.push(format!("MASK({name}, {call})")),
                    Some(mask::Shape::Digits(from, to)) => parts.push(format!("DIGITS({name}, {from}, {to})")),
                    Some(mask::Shape::Decimal(w, f)) => parts.push(format!("DECIMAL({name}, {w}, {f})")),
                    Some(mask::Shape::Mask(mask)) => parts.push(format!("MASK({name}, '{mask}')")),
                }
            }
        }
        if let Some(set) = self.characters(&row.comment)? {
            parts.push(format!("CHARSET({name}, '{set}')"));
        }
        if parts.is_empty() { Err(Unexpressed::Silent) } else { Ok(parts.join(" AND ")) }
    }

    /// The character set that a comment describes, if any.
    fn characters(&self, comment: &str) -> Result<Option<String>, Unexpressed> {
        if !self.says(Says::Characters, comment) || self.says(Says::Any, comment) {
            return Ok(None);
        }
        let lower = comment.to_lowercase();
        let named = self.comments.iter().filter(|c| c.kind == Says::Letters && lower.contains(&c.find));
        let mut chars: Vec<String> = named.flat_map(|c| items(&c.means)).collect();
        chars.sort();
        chars.dedup();
        match self.charsets.get(&chars) {
            Some(id) => Ok(Some(id.clone())),
            None => Err(Unexpressed::Characters(chars.join(" "))),
        }
    }
}

fn items(chars: &str) -> Vec<String> {
    let mut items: Vec<String> = chars.split(' ').filter(|i| !i.is_empty()).map(str::to_owned).collect();
    items.sort();
    items
}

fn side(reading: Result<Reading, PublishedError>) -> Result<Side, Unexpressed> {
    match reading {
        Ok(Reading::Rule { expr, repairs }) => {
            // A name that the published grammar accepts may be invalid in the rule language.
            let text = normal(expr).to_string();
            match parse(&text) {
                Ok(_) => Ok(Side { text, repairs }),
                Err(error) => Err(Unexpressed::Compile(format!("{text}: {error}"))),
            }
        }
        Ok(Reading::Prose { column }) => Err(Unexpressed::Prose(column)),
        Err(error) => Err(Unexpressed::Syntax(error)),
    }
}
