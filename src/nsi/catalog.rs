//! The descriptions of the books, which are known before the books are read: `rules/nsi/books.csv`.

use std::sync::Arc;

use serde::Deserialize;

use crate::tables::{RuleFiles, TableError};
use crate::values::Date;

pub(super) const TABLE: &str = "nsi/books.csv";

/// The name of the table of an embedded book.
pub(super) fn table_of(id: &str) -> String {
    format!("nsi/{id}.csv")
}

/// The date in a case on which a row of a book must be valid.
///
/// Source: the lookup dates of a public control program of 2024–2026. An element may use another date than the one of its book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LookupDate {
    /// Date of the account, `DSCHET`.
    Account,
    /// Date of the act of control, `DATE_ACT`.
    Act,
    /// First day of the completed case, `DATE_Z_1`.
    Begin,
    /// Last day of the completed case, `DATE_Z_2`.
    End,
}

impl LookupDate {
    /// Name of the element with this date.
    pub fn element(self) -> &'static str {
        match self {
            Self::Account => "DSCHET",
            Self::Act => "DATE_ACT",
            Self::Begin => "DATE_Z_1",
            Self::End => "DATE_Z_2",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Account, Self::Act, Self::Begin, Self::End].into_iter().find(|d| d.element() == text)
    }
}

/// Where the rows of a book come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stock {
    /// A copy is embedded in the binary; an import replaces it.
    Embedded,
    /// The book is available after an import only.
    Import,
    /// A book of rules, which [`crate::nsi`] does not store.
    Rules,
}

/// Which codes a later edition of a book may have that this one lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Growth {
    /// Any.
    #[default]
    Any,
    /// Numbers up to this one.
    UpTo(u32),
    /// Codes whose first three characters some code of the book has; longer ones only where it has longer ones with them.
    Rubric,
}

/// Where the first or last day of a row is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DateSource {
    /// In this field.
    Field(Box<str>),
    /// In `field`, in rows where `flag` holds `value`; M001 writes its dates so.
    When {
        /// The field that is tested.
        flag: Box<str>,
        /// The value that the field must have.
        value: Box<str>,
        /// The field that holds the date.
        field: Box<str>,
    },
}

/// One book as `rules/nsi/books.csv` describes it.
#[derive(Debug, Clone)]
pub struct BookInfo {
    /// Id in the federal list, `V002`.
    pub id: Box<str>,
    /// Name in Russian.
    pub ru: Box<str>,
    /// Name in English.
    pub en: Box<str>,
    /// The field that rules look up unless they name another. `TER+KOD1` is a key made of several fields written together.
    pub key: Box<str>,
    /// The field with the name of a row; `None` when the book has no such field.
    pub name: Option<Box<str>>,
    /// The date in a case on which a row must be valid.
    pub on: LookupDate,
    /// Where the rows come from.
    pub stock: Stock,
    /// Edition of the embedded copy; empty when there is none.
    pub edition: Box<str>,
    /// Date of the embedded copy's edition; `None` when there is no copy.
    pub date: Option<Date>,
    /// The last day for which the embedded copy is known to be complete.
    pub complete_until: Option<Date>,
    /// Identifier (OID) on the ministry's site; `None` for books that are not published there.
    pub oid: Option<Box<str>>,
    /// Which codes a later edition may have.
    pub growth: Growth,
    /// A note for users about the book or its embedded copy, in Russian.
    pub note: Box<str>,
    /// `zglv/type` in the published packet.
    pub(super) packet: Option<Box<str>>,
    /// Groups of names of the same field; the first name of a group is the one that is stored.
    pub(super) aliases: Vec<Vec<Box<str>>>,
    pub(super) from: Vec<DateSource>,
    pub(super) until: Vec<DateSource>,
    /// The field whose latest day gives the date of a file that states none. `None`: the latest first or last day of a row is used.
    pub(super) dated: Option<Box<str>>,
    /// The only fields to store, for registers of persons; empty stores all fields.
    pub(super) keep: Vec<Box<str>>,
}

impl BookInfo {
    /// The description of a book that is not in the table. Its key is given; the days of rows are in the usual fields, DATEBEG and DATEEND.
    pub fn unknown(id: &str, key: &str) -> Self {
        Self {
            id: id.into(),
            ru: id.into(),
            en: id.into(),
            key: key.into(),
            name: None,
            on: LookupDate::End,
            stock: Stock::Import,
            edition: "".into(),
            date: None,
            complete_until: None,
            oid: None,
            growth: Growth::Any,
            note: "".into(),
            packet: None,
            aliases: Vec::new(),
            from: vec![DateSource::Field("DATEBEG".into())],
            until: vec![DateSource::Field("DATEEND".into())],
            dated: None,
            keep: Vec::new(),
        }
    }

    /// The name itself, followed by all names of the same field in the table.
    pub(super) fn names<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let group = self.aliases.iter().find(|g| g.iter().any(|n| n.eq_ignore_ascii_case(name)));
        std::iter::once(name).chain(group.into_iter().flatten().map(|n| &**n))
    }

    /// The name under which a field is stored.
    pub(super) fn canonical<'a>(&'a self, name: &'a str) -> &'a str {
        if self.key.eq_ignore_ascii_case(name) {
            return &self.key;
        }
        let group = self.aliases.iter().find(|g| g.iter().any(|n| n.eq_ignore_ascii_case(name)));
        group.and_then(|g| g.first()).map_or(name, |n| n)
    }

    /// The fields that make up the key: one, or several written together.
    pub(super) fn key_parts(&self) -> impl Iterator<Item = &str> {
        self.key.split('+')
    }

    /// Whether a header contains all key fields of this book.
    pub(super) fn has_key(&self, fields: &[String]) -> bool {
        self.key_parts().all(|part| fields.iter().any(|f| self.canonical(f).eq_ignore_ascii_case(part)))
    }
}

#[derive(Deserialize)]
struct BookRow {
    id: String,
    r#type: String,
    ru: String,
    en: String,
    key: String,
    name: String,
    fields: String,
    from: String,
    until: String,
    dated: String,
    on: String,
    stock: String,
    edition: String,
    date: String,
    complete_until: String,
    oid: String,
    keep: String,
    #[serde(default)]
    grows: String,
    note: String,
}

/// The descriptions of all books, from `rules/nsi/books.csv`.
#[derive(Debug, Clone)]
pub struct Catalog {
    books: Vec<Arc<BookInfo>>,
}

impl Catalog {
    /// Reads the table.
    ///
    /// # Errors
    /// A row with a wrong or missing value, an id that is listed twice, or an embedded book without its table.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let mut books: Vec<Arc<BookInfo>> = Vec::new();
        for (line, row) in files.rows::<BookRow>(TABLE)? {
            let info = read(row).map_err(|message| TableError::new(TABLE, line, message))?;
            if info.stock == Stock::Embedded && !files.has(&table_of(&info.id)) {
                let message = format!("{}: the stock is embedded, and there is no table {}", info.id, table_of(&info.id));
                return Err(TableError::new(TABLE, line, message));
            }
            books.push(Arc::new(info));
        }
        books.sort_by(|a, b| a.id.cmp(&b.id));
        match books.windows(2).find(|w| w[0].id == w[1].id) {
            Some(twice) => Err(TableError::new(TABLE, 0, format!("«{}» stands there twice", twice[0].id))),
            None => Ok(Self { books }),
        }
    }

    /// The book with this id, regardless of letter case.
    pub fn get(&self, id: &str) -> Option<&Arc<BookInfo>> {
        let id = id.to_ascii_uppercase();
        self.books.binary_search_by(|b| (*b.id).cmp(&id)).ok().map(|i| &self.books[i])
    }

    /// All books in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<BookInfo>> {
        self.books.iter()
    }
}

fn growth(text: &str) -> Result<Growth, String> {
    match text.split_once(' ') {
        None if text.is_empty() => Ok(Growth::Any),
        None if text == "rubric" => Ok(Growth::Rubric),
        Some(("to", number)) => number.parse().map(Growth::UpTo).map_err(|_| format!("grows: «{number}» is no number")),
        _ => Err(format!("grows: «{text}»; nothing, to NUMBER or rubric is due")),
    }
}

fn read(row: BookRow) -> Result<BookInfo, String> {
    let text = |s: &str| (!s.is_empty()).then(|| Box::<str>::from(s));
    let day = |s: &str, column: &str| match s {
        "" => Ok(None),
        _ => Date::parse(s).map(Some).ok_or_else(|| format!("{column}: «{s}» is no date")),
    };
    if row.id.is_empty() || row.key.is_empty() || row.ru.is_empty() || row.en.is_empty() {
        return Err("id, key, ru and en may not be empty".to_owned());
    }
    if !is_id(&row.id) {
        return Err(format!("id: «{}» has other characters than capital Latin letters and digits", row.id));
    }
    let stock = match row.stock.as_str() {
        "embedded" => Stock::Embedded,
        "import" => Stock::Import,
        "rules" => Stock::Rules,
        other => return Err(format!("stock: «{other}»; embedded, import or rules is due")),
    };
    let date = day(&row.date, "date")?;
    if stock == Stock::Embedded && (date.is_none() || row.edition.is_empty() || row.complete_until.is_empty()) {
        return Err("an embedded book needs edition, date and complete_until".to_owned());
    }
    Ok(BookInfo {
        ru: row.ru.into(),
        en: row.en.into(),
        key: row.key.into(),
        name: text(&row.name),
        on: LookupDate::parse(&row.on).ok_or_else(|| format!("on: «{}»; DSCHET, DATE_ACT, DATE_Z_1 or DATE_Z_2 is due", row.on))?,
        stock,
        edition: row.edition.into(),
        date,
        complete_until: day(&row.complete_until, "complete_until")?,
        oid: text(&row.oid),
        growth: growth(&row.grows)?,
        note: row.note.into(),
        packet: text(&row.r#type),
        aliases: row.fields.split(';').filter(|g| !g.is_empty()).map(|g| g.split('|').map(Into::into).collect()).collect(),
        from: sources(&row.from)?,
        until: sources(&row.until)?,
        dated: text(&row.dated),
        keep: row.keep.split_whitespace().map(Into::into).collect(),
        id: row.id.into(),
    })
}

/// Whether a text can be the id of a book. Ids become file names, so only capital Latin letters and digits are allowed.
pub(super) fn is_id(id: &str) -> bool {
    (2..=16).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn sources(text: &str) -> Result<Vec<DateSource>, String> {
    let one = |part: &str| match part.split_once(':') {
        None => Ok(DateSource::Field(part.into())),
        Some((test, field)) => {
            let (flag, value) = test.split_once('=').ok_or_else(|| format!("«{part}»: FLAG=VALUE:FIELD is due"))?;
            Ok(DateSource::When { flag: flag.into(), value: value.into(), field: field.into() })
        }
    };
    text.split('|').filter(|p| !p.is_empty()).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_books_and_their_names() {
        let catalog = Catalog::load(&RuleFiles::embedded()).expect("the table");
        let profiles = catalog.get("v002").expect("known");
        assert_eq!((&*profiles.key, profiles.on, profiles.stock), ("IDPR", LookupDate::End, Stock::Embedded));
        let kinds = catalog.get("V016").expect("known");
        assert_eq!((kinds.canonical("Code"), kinds.canonical("iddt"), kinds.canonical("OTHER")), ("IDDT", "IDDT", "OTHER"));
        assert!(kinds.has_key(&["startDate".to_owned(), "code".to_owned()]));
        assert!(catalog.get("V999").is_none());
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("nsi")).expect("a folder");
        let head = "id,type,ru,en,key,name,fields,from,until,dated,on,stock,edition,date,complete_until,oid,keep,note\n";
        let load = |rows: &str| {
            std::fs::write(folder.path().join("nsi/books.csv"), format!("{head}{rows}")).expect("written");
            Catalog::load(&RuleFiles::with_overlay(folder.path())).map(|_| ()).map_err(|e| e.line)
        };
        let good = "T001,,а,a,K,,,DATEBEG,DATEEND,,DSCHET,import,,,,,,\n";
        assert_eq!(load(good), Ok(()));
        assert_eq!(["", "rubric", "to 300"].map(growth), [Ok(Growth::Any), Ok(Growth::Rubric), Ok(Growth::UpTo(300))]);
        assert!(["to", "to many", "some"].map(growth).iter().all(Result::is_err));
        assert_eq!(load(&format!("{good}{good}")), Err(0));
        for bad in ["T001", "import", "DSCHET"] {
            assert_eq!(load(&good.replace(bad, "../x")), Err(2), "{bad}");
        }
        assert_eq!(load(&good.replace("import,", "embedded,")), Err(2));
    }
}
