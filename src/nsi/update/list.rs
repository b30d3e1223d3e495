//! Reads the lists of editions that sites publish.

use std::collections::BTreeMap;

use serde_json::Value;

use super::site::Fields;
use crate::nsi::import::version_order;
use crate::values::Date;

/// An edition that a site offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// The site's edition number; empty when it states none.
    pub edition: String,
    /// Date of the edition; `None` when the site states none.
    pub date: Option<Date>,
    /// The values for the slots of the packet's address.
    pub(super) id: String,
    pub(super) version: String,
}

impl Offer {
    /// Whether this edition is later than another of the same list.
    fn after(&self, other: &Self) -> bool {
        let by_number = || version_order(&self.edition, &other.edition).is_some_and(std::cmp::Ordering::is_gt);
        self.date > other.date || self.date == other.date && by_number()
    }
}

/// An answer that is not a list, or an empty list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoList;

/// Reads the fund's list: the last edition of each book.
pub(super) fn of_books(bytes: &[u8], fields: &Fields) -> Result<BTreeMap<String, Offer>, NoList> {
    let mut books: BTreeMap<String, Offer> = BTreeMap::new();
    for row in &rows(bytes, fields)? {
        let (Some(book), Some((id, version))) = (text(row, &fields.book), text(row, &fields.packet).and_then(|p| slots(&p))) else { continue };
        let offer = Offer { id, version, ..edition(row, fields) };
        let book = book.trim().to_ascii_uppercase();
        if books.get(&book).is_none_or(|known| offer.after(known)) {
            books.insert(book, offer);
        }
    }
    if books.is_empty() { Err(NoList) } else { Ok(books) }
}

/// Reads the ministry's list: the last edition of one book.
pub(super) fn of_editions(bytes: &[u8], fields: &Fields) -> Result<Offer, NoList> {
    let rows = rows(bytes, fields)?;
    let offers = rows.iter().map(|row| edition(row, fields)).filter(|o| is_safe(&o.edition));
    let last = offers.reduce(|a, b| if b.after(&a) { b } else { a }).ok_or(NoList)?;
    Ok(Offer { version: last.edition.clone(), ..last })
}

fn rows(bytes: &[u8], fields: &Fields) -> Result<Vec<Value>, NoList> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let answer: Value = serde_json::from_slice(bytes).map_err(|_| NoList)?;
    let rows = at(&answer, &fields.rows).and_then(Value::as_array).filter(|r| !r.is_empty());
    rows.cloned().ok_or(NoList)
}

fn edition(row: &Value, fields: &Fields) -> Offer {
    let date = text(row, &fields.date).and_then(|d| Date::parse(&d));
    Offer { edition: text(row, &fields.edition).unwrap_or_default().trim().to_owned(), date, ..Offer::default() }
}

/// The value at a path of names separated by dots; a name that itself contains dots is found too.
fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    value.get(path).or_else(|| path.split('.').try_fold(value, |v, name| v.get(name)))
}

fn text(row: &Value, path: &str) -> Option<String> {
    match at(row, path)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Splits `<id>v<version>`.
fn slots(packet: &str) -> Option<(String, String)> {
    let (id, version) = packet.trim().split_once('v')?;
    (is_safe(id) && is_safe(version)).then(|| (id.to_owned(), version.to_owned()))
}

/// Whether a text can be put into an address without changing its structure.
fn is_safe(text: &str) -> bool {
    !text.is_empty() && text.len() <= 32 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::super::site::Site;
    use super::*;
    use crate::tables::RuleFiles;

    #[test]
    fn the_last_edition_of_each_book_counts() {
        let site = Site::load(&RuleFiles::embedded()).expect("the table");
        let list = r#"{"list": [
            {"d": {"code": "V002"}, "user_version": "5.9", "last_update": "01.02.2026", "providerParam": "7v12"},
            {"d": {"code": "V002"}, "user_version": "5.10", "last_update": "01.02.2026 10:00:00", "providerParam": "7v13"},
            {"d": {"code": "V002"}, "user_version": "4", "last_update": "01.02.2020", "providerParam": "7v1"},
            {"d.code": "v005", "user_version": 1.1, "providerParam": "-1v3"},
            {"d": {"code": "V006"}, "providerParam": "1v2&x=3"}, {"d": {"code": "V008"}}, 5]}"#;
        let books = of_books(list.as_bytes(), &site.fund.fields).expect("a list");
        let of = |id: &str| books.get(id).map(|o| (o.edition.as_str(), o.id.as_str(), o.version.as_str(), o.date.map(Date::number)));
        assert_eq!(of("V002"), Some(("5.10", "7", "13", Some(20_260_201))));
        assert_eq!(of("V005"), Some(("1.1", "-1", "3", None)));
        assert_eq!((of("V006"), of("V008")), (None, None));
        let editions =
            r#"{"result": "OK", "total": 2, "list": [{"version": "2.9", "createDate": "02.01.2020"}, {"version": "2.27", "createDate": "07.04.2021"}]}"#;
        assert_eq!(of_editions(editions.as_bytes(), &site.ministry.fields).map(|o| o.version), Ok("2.27".to_owned()));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let site = Site::load(&RuleFiles::embedded()).expect("the table");
        for bad in ["", "<html></html>", "{", "[]", "null", r#"{"list": []}"#, r#"{"list": {}}"#, r#"{"list": [{}]}"#, r#"{"list": [{"version": "../x"}]}"#] {
            assert_eq!(of_books(bad.as_bytes(), &site.fund.fields), Err(NoList), "{bad}");
            assert_eq!(of_editions(bad.as_bytes(), &site.ministry.fields), Err(NoList), "{bad}");
        }
    }
}
