//! The secret of a workspace, and what is made with it: the keys of persons, and the short keys that stand for numbers which are not shown whole.

use std::fs;
use std::io;
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{Place, Problem, Workspace};
use crate::cases::{PersonKeys, SECRET_BYTES};
use crate::sys::{Access, AtomicFile};
use crate::values::{last_digits, person_digits};

/// Bytes of a secret.
const BYTES: usize = SECRET_BYTES;
/// Letters of a short key: those that are not taken for others.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz123456789";
/// Length of a short key.
const LENGTH: usize = 4;

/// Stands between the last digits of a number and its short key.
const BETWEEN: char = '·';

/// Shows card numbers and doctors' codes; of those that look like the number of a person, the last digits and a short key that is the same wherever
/// this workspace shows that number.
pub struct Mask(Hmac<Sha256>);

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mask")
    }
}

impl Mask {
    fn new(secret: &[u8; BYTES]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("a key of HMAC has any length"))
    }

    /// The value as it is shown.
    pub fn shown(&self, value: &str) -> String {
        match person_digits(value) {
            None => value.to_owned(),
            Some(digits) => format!("{}{BETWEEN}{}", last_digits(&digits), self.key(&digits)),
        }
    }

    /// Whether something may be called so besides by its own text: by other writing of its digits, by what is shown for it, or by its short key.
    pub fn may_call(&self, asked: &str) -> bool {
        let key = asked.rsplit(BETWEEN).next().unwrap_or(asked);
        person_digits(asked).is_some() || key.len() == LENGTH && key.bytes().all(|byte| LETTERS.contains(&byte))
    }

    /// Whether `asked` is the value, what is shown for it, or its short key.
    pub fn is_called(&self, value: &str, asked: &str) -> bool {
        value == asked || person_digits(value).is_some_and(|digits| self.key(&digits) == asked.rsplit(BETWEEN).next().unwrap_or(asked) || digits == asked)
    }

    fn key(&self, digits: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(digits.as_bytes());
        mac.finalize().into_bytes().iter().take(LENGTH).map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
    }
}

impl Workspace {
    /// Shows card numbers and doctors' codes with the secret of this workspace, which is made when it is first needed. It is in no backup: a restored
    /// workspace shows other short keys.
    ///
    /// # Errors
    /// The file of the secret cannot be read or written, or holds something else.
    pub fn mask(&self) -> Result<Mask, Problem> {
        let path = self.place.secret_file();
        Ok(Mask::new(&read(&path).map_err(|error| Problem::Io(path, error))?))
    }
}

impl Place {
    /// The keys of persons, made with the secret of this workspace, which is made when it is first needed. It is in no backup: a restored workspace has other
    /// keys.
    ///
    /// # Errors
    /// The file of the secret cannot be read or written, or holds something else.
    pub fn person_keys(&self) -> Result<PersonKeys, Problem> {
        let path = self.secret_file();
        Ok(PersonKeys::new(&read(&path).map_err(|error| Problem::Io(path, error))?))
    }

    /// The same, without making a secret: `None` if there is none.
    ///
    /// # Errors
    /// The file of the secret cannot be read, or holds something else.
    pub fn known_person_keys(&self) -> Result<Option<PersonKeys>, Problem> {
        let path = self.secret_file();
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Problem::Io(path, error)),
            Ok(_) => self.person_keys().map(Some),
        }
    }
}

/// The secret in a file; a new one if there is no file.
fn read(path: &Path) -> io::Result<[u8; BYTES]> {
    if let Err(error) = fs::metadata(path) {
        if error.kind() != io::ErrorKind::NotFound {
            return Err(error);
        }
        let mut secret = [0; BYTES];
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        let mut file = AtomicFile::create(path, Access::Private)?;
        io::Write::write_all(&mut file, crate::values::hex(&secret).as_bytes())?;
        file.commit()?;
    }
    // Of two programs that make it at once the one that comes last counts from then on.
    let text = fs::read_to_string(path)?;
    let byte = |at: usize| text.get(2 * at..2 * at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = (0..BYTES).map(byte).collect();
    let is_whole = text.trim_end().len() == 2 * BYTES;
    bytes.filter(|_| is_whole).and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_persons_are_shown_by_their_end_and_a_key() {
        let (mask, other) = (Mask::new(&[1; BYTES]), Mask::new(&[2; BYTES]));
        for value in ["57", "2021-03/15", "К-1234567890123", "1234567890", ""] {
            assert_eq!(mask.shown(value), value);
        }
        let snils = mask.shown("123-456-789 00");
        assert!(snils.starts_with("…8900·") && snils.chars().count() == 10, "{snils}");
        assert_eq!(mask.shown("12345678900"), snils, "written in another way");
        assert_ne!(mask.shown("12345678800"), snils);
        assert_ne!(other.shown("12345678900"), snils);
        let key = snils.rsplit('·').next().expect("a key");
        assert_eq!(mask.shown("123.456.789/00"), snils);
        for asked in ["123-456-789 00", "12345678900", snils.as_str(), key] {
            assert!(mask.is_called("123-456-789 00", asked) && mask.may_call(asked), "{asked}");
        }
        assert!(!mask.may_call("H000001/2603") && !mask.may_call("57") && !mask.may_call(""));
        assert!(!mask.is_called("123-456-789 00", "8900") && !mask.is_called("57", "5"));
    }

    #[test]
    fn a_secret_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        let secret = read(&path).expect("made");
        assert_eq!(read(&path).expect("read"), secret);
        assert!(crate::sys::is_private(&path).expect("asked"));
        std::fs::write(&path, "short").expect("written");
        assert!(read(&path).is_err(), "another secret would change what was shown before");
    }
}
