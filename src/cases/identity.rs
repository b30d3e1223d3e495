//! The keys that tell whether two cases are the same. `rules/identity.csv` lists the ways to build them, with the reasons in its last columns.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::case::Case;
use super::index::Person;
use crate::registry::format::Role;
use crate::tables::{RuleFiles, TableError};

const TABLE: &str = "identity.csv";

/// The keys by which a newly loaded case is matched with the cases already known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseKeys {
    /// The key built by the first way of the table that fits the case.
    pub identity: CaseKey,
    /// Half of the key built by the next way of the table that fits the case. Two cases with the same resemblance but different identities
    /// may be the same case. This only raises a question for the user, so half a key is enough.
    pub resemblance: i64,
    /// The person, to tell whether two cases of one identity are of the same person.
    pub person: PersonMark,
}

/// Two numbers below 2^16 made of a person's policy and of the names and the date of birth. They tell that two persons differ; that two numbers are
/// equal proves little, and no policy or name can be found from them, because many share each number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PersonMark(u32);

impl PersonMark {
    fn new(policy: Option<&[u8]>, names: Option<&[u8]>) -> Self {
        // 0 stands for what is not known.
        let number = |digest: Option<&[u8]>| digest.map_or(0, |digest| short_digest(digest).rem_euclid(0xffff) as u32 + 1);
        Self(number(policy) << 16 | number(names))
    }

    /// The number in the store.
    pub fn number(self) -> i64 {
        self.0.into()
    }

    /// Whether two marks may be of one person: the policies are the same, or names and date of birth are. A correction changes seldom both.
    pub fn may_be(self, other: Self) -> bool {
        let same = |shift: u32| self.0 >> shift & 0xffff != 0 && (self.0 ^ other.0) >> shift & 0xffff == 0;
        same(0) || same(16)
    }
}

impl From<i64> for PersonMark {
    fn from(number: i64) -> Self {
        Self(number as u32)
    }
}

/// The first 128 bits of a digest as two integer columns of the store. The first is indexed; the second separates keys that share the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseKey(pub i64, pub i64);

/// The ways to build the key of a case, in the order in which they are tried.
#[derive(Debug)]
pub struct Identity {
    ways: Vec<Way>,
}

#[derive(Debug)]
struct Way {
    when: Option<Condition>,
    fields: Vec<Field>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    SlIdIsGuid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Mo,
    Person,
    Names,
    Value(Role),
}

#[derive(Deserialize)]
struct WayRow {
    #[serde(rename = "name")]
    _name: String,
    when: String,
    fields: String,
}

impl Identity {
    /// Reads the table.
    ///
    /// # Errors
    /// An unknown word in a row, a table without rows, or a last way that does not fit every case.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let mut ways = Vec::new();
        for (line, row) in files.rows::<WayRow>(TABLE)? {
            let when = match row.when.as_str() {
                "" => None,
                "sl_id_is_guid" => Some(Condition::SlIdIsGuid),
                other => return Err(TableError::new(TABLE, line, format!("when «{other}»: empty or sl_id_is_guid is due"))),
            };
            let field = |word: &str| match word {
                "mo" => Ok(Field::Mo),
                "person" => Ok(Field::Person),
                "names" => Ok(Field::Names),
                word => Role::ALL
                    .iter()
                    .find(|r| r.as_str() == word)
                    .map(|r| Field::Value(*r))
                    .ok_or_else(|| TableError::new(TABLE, line, format!("field «{word}»: mo, person, names or a role of the format tables is due"))),
            };
            let fields = row.fields.split_whitespace().map(field).collect::<Result<Vec<_>, _>>()?;
            if fields.is_empty() {
                return Err(TableError::new(TABLE, line, "no fields"));
            }
            ways.push(Way { when, fields });
        }
        match ways.last() {
            Some(Way { when: None, .. }) => Ok(Self { ways }),
            _ => Err(TableError::new(TABLE, 0, "the last way must fit every case (an empty «when»)")),
        }
    }

    /// The keys of a case of the clinic `mo`. They are digests: the values in them cannot be read back.
    pub fn keys(&self, mo: &str, case: &Case<'_>, person: Option<&Person>) -> CaseKeys {
        let key = |(number, way): (usize, &Way)| digest(number, way, mo, case, person);
        let mut fitting = self.ways.iter().enumerate().filter(|(_, way)| way.fits(case));
        let identity = fitting.next().map_or(CaseKey(0, 0), key);
        let resemblance = fitting.next().map_or(identity, key).0;
        let policy = policy(case).map(Sha256::digest);
        let names = person.and_then(Person::names);
        let person = PersonMark::new(policy.as_ref().map(|digest| digest.as_slice()), names.as_ref().map(<[u8; 8]>::as_slice));
        CaseKeys { identity, resemblance, person }
    }
}

/// ENP of the patient, else the number of another policy.
fn policy<'t>(case: &Case<'t>) -> Option<&'t str> {
    [Role::Enp, Role::Policy].map(|role| case.value(role)).into_iter().find(|value| !value.is_empty())
}

impl Way {
    fn fits(&self, case: &Case<'_>) -> bool {
        match self.when {
            None => true,
            Some(Condition::SlIdIsGuid) => is_guid(case.value(Role::SlId)),
        }
    }
}

/// Whether a text is a GUID: `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` or the 32 digits alone. One digit repeated 32 times does not count.
fn is_guid(text: &str) -> bool {
    let digits: String = text.trim_matches(['{', '}']).chars().filter(|c| *c != '-').collect();
    digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()) && digits.bytes().any(|b| b != digits.as_bytes()[0])
}

fn digest(number: usize, way: &Way, mo: &str, case: &Case<'_>, person: Option<&Person>) -> CaseKey {
    let mut hasher = Sha256::new();
    let mut add = |value: &[u8]| {
        hasher.update((value.len() as u64).to_le_bytes());
        hasher.update(value);
    };
    add(&[number as u8]);
    for field in &way.fields {
        match field {
            Field::Mo => add(mo.as_bytes()),
            Field::Value(role) => add(case.value(*role).to_uppercase().as_bytes()),
            Field::Person => match (policy(case), person) {
                (Some(policy), _) => add(policy.as_bytes()),
                (None, Some(person)) => add(&person.digest),
                (None, None) => add(case.value(Role::IdPac).as_bytes()),
            },
            Field::Names => match person.map(|person| (person.names(), person.digest)) {
                Some((Some(names), _)) => add(&names),
                Some((None, digest)) => add(&digest),
                None => add(case.value(Role::IdPac).as_bytes()),
            },
        }
    }
    let digest = hasher.finalize();
    CaseKey(short_digest(&digest), short_digest(&digest[8..]))
}

/// The first eight bytes of a digest as an integer for the store.
pub fn short_digest(digest: &[u8]) -> i64 {
    digest.iter().take(8).fold(0, |sum, byte| sum << 8 | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_one() {
        assert!(is_guid("6F9619FF-8B86-D011-B42D-00CF4FC964FF") && is_guid("6f9619ff8b86d011b42d00cf4fc964ff"));
        assert!(!is_guid("00000000-0000-0000-0000-000000000000") && !is_guid("57-1") && !is_guid(""));
    }

    #[test]
    fn a_table_that_lacks_something_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        for (text, message) in [
            ("name,when,fields,ru,en\nx,guid,mo,a,b\n", "rules/identity.csv:2"),
            ("name,when,fields,ru,en\nx,,mo visit,a,b\n", "field «visit»"),
            ("name,when,fields,ru,en\nx,sl_id_is_guid,mo,a,b\n", "fit every case"),
        ] {
            std::fs::write(folder.path().join(TABLE), text).expect("written");
            let error = Identity::load(&RuleFiles::with_overlay(folder.path())).expect_err(text).to_string();
            assert!(error.contains(message), "{error}");
        }
        Identity::load(&RuleFiles::embedded()).expect("the built-in table is sound");
    }
}
