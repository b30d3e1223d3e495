//! Keys of persons: 64 bits that stand for a person where neither numbers nor names may be stored.
//!
//! A key is the beginning of HMAC-SHA256 with the secret of the installation over the person as identified in one way. Who has the keys but not
//! the secret cannot try numbers one after another. Keys of different ways do not meet: the way is part of what is hashed.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::values::{Date, person_digits};

/// Bytes of the secret of an installation.
pub const SECRET_BYTES: usize = 32;
/// The kind of a unified policy (VPOLIS), whose number is the ЕНП.
const UNIFIED: &str = "3";
/// What the hashed texts of this version begin with. Changed rules of writing need another version, or keys that were stored fit no more.
const VERSION: u8 = 1;

/// A person as identified in one way, or a doctor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonKey(pub u64);

/// Tells which secret made keys; the secret cannot be found from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretId(pub [u8; 8]);

/// Makes keys of persons with the secret of an installation.
pub struct PersonKeys {
    mac: Hmac<Sha256>,
    id: SecretId,
}

impl std::fmt::Debug for PersonKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PersonKeys").field(&self.id).finish()
    }
}

/// The ways in which persons are identified.
#[derive(Debug, Clone, Copy)]
enum Way {
    Enp = 1,
    Policy = 2,
    Names = 3,
    Doctor = 4,
}

impl PersonKeys {
    /// Keys made with this secret.
    pub fn new(secret: &[u8; SECRET_BYTES]) -> Self {
        let mut id = [0; 8];
        id.copy_from_slice(&Sha256::new_with_prefix(b"puomp secret\0").chain_update(secret).finalize()[..8]);
        Self { mac: Hmac::new_from_slice(secret).expect("a key of HMAC has any length"), id: SecretId(id) }
    }

    /// Which secret this is.
    pub fn secret(&self) -> SecretId {
        self.id
    }

    /// The person with this unified number of a policy (ЕНП).
    pub fn of_enp(&self, enp: &str) -> PersonKey {
        self.key(Way::Enp, [enp.trim()])
    }

    /// The person with this policy. The number of a unified policy is the ЕНП, so its key is that of the ЕНП.
    pub fn of_policy(&self, kind: &str, series: &str, number: &str) -> PersonKey {
        match kind.trim() {
            UNIFIED => self.of_enp(number),
            kind => self.key(Way::Policy, [kind, &plain_name(series), &plain_name(number)]),
        }
    }

    /// The person with these names and birth date; `None` when there is neither surname nor first name. Namesakes of one birth date share a key.
    pub fn of_names(&self, surname: &str, first_name: &str, patronymic: &str, birth: Date) -> Option<PersonKey> {
        let names = [surname, first_name, patronymic].map(plain_name);
        let is_named = !names[0].is_empty() || !names[1].is_empty();
        is_named.then(|| self.key(Way::Names, [&names[0], &names[1], &names[2], &*birth.to_string()]))
    }

    /// The doctor with this code. A code that is a СНИЛС is the same however its digits are parted.
    pub fn of_doctor(&self, code: &str) -> PersonKey {
        let code = code.trim();
        self.key(Way::Doctor, [person_digits(code).as_deref().unwrap_or(code)])
    }

    fn key<const PARTS: usize>(&self, way: Way, parts: [&str; PARTS]) -> PersonKey {
        let mut mac = self.mac.clone();
        // No number of a mask begins so: short keys of numbers that are shown are made with the same secret.
        mac.update(&[0, VERSION, way as u8]);
        for part in parts {
            mac.update(&(part.len() as u32).to_le_bytes());
            mac.update(part.as_bytes());
        }
        let mut first = [0; 8];
        first.copy_from_slice(&mac.finalize().into_bytes()[..8]);
        PersonKey(u64::from_be_bytes(first))
    }
}

/// Whether a policy of this kind (VPOLIS) is a unified one, whose number is the ЕНП.
pub fn is_unified(kind: &str) -> bool {
    kind.trim() == UNIFIED
}

/// A name as it is compared: in capitals, Ё as Е, single spaces. Hyphens stay: «Анна-Мария» and «Анна Мария» are two names to a register.
pub fn plain_name(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for word in name.split_whitespace() {
        if !plain.is_empty() {
            plain.push(' ');
        }
        plain.extend(word.chars().flat_map(char::to_uppercase).map(|c| if c == 'Ё' { 'Е' } else { c }));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(byte: u8) -> PersonKeys {
        PersonKeys::new(&[byte; SECRET_BYTES])
    }

    fn birth() -> Date {
        Date::new(1951, 7, 23).expect("a day")
    }

    #[test]
    fn names_are_compared_in_capitals_with_single_spaces_and_without_yo() {
        for (name, plain) in [("  Незабудкина\u{a0} Ёлкина ", "НЕЗАБУДКИНА ЕЛКИНА"), ("пётр", "ПЕТР"), ("Анна-Мария", "АННА-МАРИЯ"), (" \t", "")]
        {
            assert_eq!(plain_name(name), plain);
        }
        let keys = keys(1);
        let key = |fam: &str, im: &str| keys.of_names(fam, im, "", birth());
        assert_eq!(key("Незабудкина", "Алёна"), key("НЕЗАБУДКИНА ", "алена"));
        assert_ne!(key("Незабудкина", "Алёна"), key("Незабудкина", "Алина"));
        assert_ne!(key("Незабудкина А", ""), key("Незабудкина", "А"), "a name is not moved into the next");
        assert_eq!(key(" ", ""), None);
        assert_ne!(keys.of_names("А", "Б", "", birth()), keys.of_names("А", "Б", "", birth().day_after()));
    }

    #[test]
    fn each_way_has_keys_of_its_own() {
        let keys = keys(1);
        let number = "9900000000000001";
        assert_eq!(keys.of_policy("3", "", number), keys.of_enp(number), "the number of a unified policy is the ЕНП");
        let all = [keys.of_enp(number), keys.of_policy("1", "", number), keys.of_policy("2", "", number), keys.of_doctor(number)];
        for (at, key) in all.iter().enumerate() {
            assert!(!all[..at].contains(key), "{all:?}");
        }
        assert_eq!(keys.of_policy("1", "аё 12", "7"), keys.of_policy("1", "АЕ  12", "7"));
        assert_ne!(keys.of_policy("1", "1", "23"), keys.of_policy("1", "12", "3"));
        assert_eq!(keys.of_doctor("000-000-000 01"), keys.of_doctor("00000000001"));
        assert_ne!(keys.of_doctor("57-1"), keys.of_doctor("571"));
    }

    #[test]
    fn another_secret_makes_other_keys_and_says_so() {
        let (one, other) = (keys(1), keys(2));
        assert_ne!(one.of_enp("9900000000000001"), other.of_enp("9900000000000001"));
        assert_ne!(one.secret(), other.secret());
        assert_eq!(one.secret(), keys(1).secret());
        // Keys stand in files: they must not change with the program.
        assert_eq!(one.of_enp("9900000000000001").0, KNOWN);
    }

    /// Computed apart from this code, by Python: `hmac.digest(b"\1" * 32, bytes([0, 1, 1, 16, 0, 0, 0]) + b"9900000000000001", "sha256")[:8]`.
    const KNOWN: u64 = 0x2327_9ae8_d592_233a;
}
