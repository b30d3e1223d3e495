//! Recognises the book in a file.

use std::sync::Arc;

use super::Refusal;
use super::raw::RawTable;
use crate::nsi::catalog::{BookInfo, Catalog, Stock, is_id};

/// Minimum length of a key field by which a book is recognised. Shorter names (`ID`, `Kod`) occur in many tables.
const TELLING_KEY: usize = 5;

/// The book of a table: the one that the user named, otherwise by the packet's type, by the file name, or by the key field.
///
/// # Errors
/// No book fits, several fit, or the user named another one.
pub(super) fn book(catalog: &Catalog, asked: Option<&str>, stem: &str, table: &RawTable, force: bool) -> Result<Arc<BookInfo>, Refusal> {
    let fields = table.fields();
    let by_packet: Vec<_> = catalog.iter().filter(|b| table.label.packet.as_deref().is_some_and(|t| is_packet(b, t))).collect();
    let info = match asked {
        Some(id) => {
            let id = id.to_ascii_uppercase();
            if let Some(other) = by_packet.first().filter(|_| !force && by_packet.iter().all(|b| *b.id != *id)) {
                return Err(Refusal::OtherBook { asked: id, found: other.id.to_string() });
            }
            match catalog.get(&id) {
                Some(info) => Arc::clone(info),
                None if is_id(&id) => Arc::new(BookInfo::unknown(&id, fields.first().map_or("", String::as_str))),
                None => return Err(Refusal::Unknown),
            }
        }
        None => Arc::clone(find(catalog, &by_packet, stem, table)?),
    };
    match info.stock {
        Stock::Rules => Err(Refusal::Rules { id: info.id.to_string() }),
        _ if info.has_key(fields) => Ok(info),
        _ => Err(no_key(&info)),
    }
}

fn find<'a>(catalog: &'a Catalog, by_packet: &[&'a Arc<BookInfo>], stem: &str, table: &RawTable) -> Result<&'a Arc<BookInfo>, Refusal> {
    let by_name = named(catalog, stem);
    // When several books share a type, the one whose key field has its own name in the table is meant.
    let exact: Vec<_> = by_packet.iter().copied().filter(|b| table.find(&b.key).is_some()).collect();
    let fitting = if exact.is_empty() { by_packet.iter().copied().filter(|b| b.has_key(table.fields())).collect() } else { exact };
    match (fitting.as_slice(), by_packet) {
        ([one], _) => return Ok(one),
        ([_, ..], _) => return fitting.iter().copied().find(|b| by_name.is_some_and(|n| n.id == b.id)).ok_or_else(|| ambiguous(&fitting)),
        ([], [first, ..]) => return Err(no_key(first)),
        ([], []) => {}
    }
    if let Some(info) = by_name {
        return Ok(info);
    }
    // The table of books knows neither this type nor this book name, so the key field alone could belong to another book.
    if table.label.packet.is_some() || looks_like_id(first_part(stem)) {
        return Err(Refusal::Unknown);
    }
    let by_key: Vec<_> = catalog.iter().filter(|b| b.key.len() >= TELLING_KEY && table.find(&b.key).is_some()).collect();
    match by_key.as_slice() {
        [one] => Ok(one),
        [] => Err(Refusal::Unknown),
        several => Err(ambiguous(several)),
    }
}

fn is_packet(info: &BookInfo, packet: &str) -> bool {
    // Some packets carry the id of the book as their type.
    info.packet.as_deref().is_some_and(|p| p.eq_ignore_ascii_case(packet)) || info.id.eq_ignore_ascii_case(packet)
}

/// The book named by a file name: `V002`, `v002_2021`, `1.2.643.5.1.13.13.11.1005_2.27`, `M001_1.2.643…`.
fn named<'a>(catalog: &'a Catalog, stem: &str) -> Option<&'a Arc<BookInfo>> {
    let by_oid = || catalog.iter().find(|b| b.oid.as_deref().is_some_and(|oid| oid_and_version(stem, oid).is_some()));
    catalog.get(first_part(stem)).or_else(by_oid)
}

fn first_part(stem: &str) -> &str {
    stem.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default()
}

/// Whether a text is a letter and three digits, as in the ids of the federal list and of regional books.
fn looks_like_id(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, digits @ ..] if letter.is_ascii_alphabetic() && digits.len() == 3 && digits.iter().all(u8::is_ascii_digit))
}

/// The part of a file name after the identifier: `_2.27`.
fn oid_and_version<'a>(stem: &'a str, oid: &str) -> Option<&'a str> {
    let (_, rest) = stem.split_once(oid)?;
    (!rest.starts_with(|c: char| c.is_ascii_digit() || c == '.')).then_some(rest)
}

/// The version in the name of a file from the ministry's site.
pub(super) fn version_in_name(info: &BookInfo, stem: &str) -> Option<String> {
    let version = oid_and_version(stem, info.oid.as_deref()?)?.strip_prefix('_')?.split('_').next()?;
    let numeric = !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    numeric.then(|| version.to_owned())
}

fn no_key(info: &BookInfo) -> Refusal {
    Refusal::NoKey { id: info.id.to_string(), key: info.key.to_string() }
}

fn ambiguous(list: &[&Arc<BookInfo>]) -> Refusal {
    Refusal::Ambiguous(list.iter().map(|b| b.id.to_string()).collect())
}

#[cfg(test)]
mod tests {
    use super::super::raw::Label;
    use super::*;
    use crate::tables::RuleFiles;

    fn recognise(asked: Option<&str>, stem: &str, packet: &str, fields: &[&str]) -> Result<String, Refusal> {
        let catalog = Catalog::load(&RuleFiles::embedded()).expect("the table");
        let mut table = RawTable::new(Label { packet: (!packet.is_empty()).then(|| packet.to_owned()), ..Label::default() });
        for field in fields {
            table.field(field).expect("few");
        }
        book(&catalog, asked, stem, &table, false).map(|b| b.id.to_string())
    }

    #[test]
    fn the_packet_the_name_and_the_key_tell() {
        let told = |stem, packet, fields: &[&str]| recognise(None, stem, packet, fields).expect("told");
        assert_eq!(told("PROFIL", "ProfOt", &["IDPR"]), "V002");
        assert_eq!(told("x", "MedSpec", &["IDSPEC"]), "V021");
        assert_eq!(told("x", "MedSpec", &["RECID", "CODE"]), "V015");
        assert_eq!(told("V017_2018", "", &["startDate", "code"]), "V017");
        assert_eq!(told("f012", "", &["Kod"]), "F012");
        assert_eq!(told("1.2.643.5.1.13.13.11.1005_2.27", "", &["MKB_CODE"]), "M001");
        assert_eq!(told("export", "", &["DATEBEG", "idrmp"]), "V009");
    }

    #[test]
    fn doubts_are_refusals() {
        let doubt = |stem, packet, fields: &[&str]| recognise(None, stem, packet, fields).expect_err("doubtful");
        assert_eq!(doubt("V002", "", &["IDRMP"]), Refusal::NoKey { id: "V002".into(), key: "IDPR".into() });
        assert_eq!(doubt("V002", "Rezult", &["IDPR"]), Refusal::NoKey { id: "V009".into(), key: "IDRMP".into() });
        assert_eq!(doubt("table", "", &["Kod", "Name"]), Refusal::Unknown);
        assert_eq!(doubt("table", "Other", &["IDPR"]), Refusal::Unknown);
        assert_eq!(doubt("Q015", "FLK_MPF", &["ID_TEST"]), Refusal::Rules { id: "Q015".into() });
        // 1005 is also the beginning of a longer identifier.
        assert_eq!(doubt("1.2.643.5.1.13.13.11.10051_1.0", "", &["MKB"]), Refusal::Unknown);
    }

    #[test]
    fn the_user_may_say_it_but_not_against_the_packet() {
        assert_eq!(recognise(Some("v009"), "x", "", &["IDRMP"]), Ok("V009".to_owned()));
        assert_eq!(recognise(Some("T001"), "x", "", &["S_CODE"]), Ok("T001".to_owned()));
        assert_eq!(recognise(Some("V009"), "x", "ProfOt", &["IDPR"]), Err(Refusal::OtherBook { asked: "V009".into(), found: "V002".into() }));
        assert_eq!(recognise(Some("../x"), "x", "", &["A"]), Err(Refusal::Unknown));
    }

    #[test]
    fn versions_in_names() {
        let catalog = Catalog::load(&RuleFiles::embedded()).expect("the table");
        let codes = catalog.get("M001").expect("known");
        assert_eq!(version_in_name(codes, "1.2.643.5.1.13.13.11.1005_2.27_xml").as_deref(), Some("2.27"));
        assert_eq!(version_in_name(codes, "M001"), None);
    }
}
