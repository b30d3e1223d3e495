//! File names of registries.
//!
//! `<letters><Pi><Ni><Pp><Np>_<YY><MM><N>`: letters of the family, sender and receiver (`M` clinic, `S` insurer, `T` fund, each with its code),
//! reporting month and packet number (Q015 006F.00.0030 to 006F.00.0100). Letter case does not matter when reading.

use std::fmt;

use super::format::{Family, Prefix};
use crate::values::Month;

/// Longest accepted name without extension; FILENAME itself has at most 26 characters.
const MAX_STEM: usize = 64;
/// Longest packet number. It is generous: the name of a person file, one letter longer than that of its main file, must still be a name.
const MAX_NUMBER: usize = 32;
/// Most letters of a family; the known ones have one or two.
const MAX_LETTERS: usize = 4;

/// The kind of the sender or receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartyKind {
    /// `M`: a clinic (МО), six digits.
    Clinic,
    /// `S`: an insurer (СМО), five digits.
    Insurer,
    /// `T`: a territorial fund (ТФОМС), two digits.
    Fund,
}

impl PartyKind {
    /// The letter in the file name.
    pub fn letter(self) -> char {
        match self {
            Self::Clinic => 'M',
            Self::Insurer => 'S',
            Self::Fund => 'T',
        }
    }

    /// Number of digits of the code.
    pub fn digits(self) -> usize {
        match self {
            Self::Clinic => 6,
            Self::Insurer => 5,
            Self::Fund => 2,
        }
    }

    fn of(letter: u8) -> Option<Self> {
        match letter.to_ascii_uppercase() {
            b'M' => Some(Self::Clinic),
            b'S' => Some(Self::Insurer),
            b'T' => Some(Self::Fund),
            _ => None,
        }
    }
}

/// The sender or receiver of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Party {
    /// Clinic, insurer or fund.
    pub kind: PartyKind,
    /// Code, digits only.
    pub code: String,
}

impl Party {
    /// Whether the code has the form that the kind requires. A code that comes from a value may be anything.
    pub fn is_sound(&self) -> bool {
        self.code.len() == self.kind.digits() && self.code.bytes().all(|b| b.is_ascii_digit())
    }

    /// The party that a text such as `S14002` names; `None` for a text of another form.
    pub fn of(text: &str) -> Option<Self> {
        let kind = [PartyKind::Clinic, PartyKind::Insurer, PartyKind::Fund].into_iter().find(|kind| text.starts_with(kind.letter()))?;
        Some(Self { kind, code: text[1..].to_owned() }).filter(Self::is_sound)
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind.letter(), self.code)
    }
}

/// The name of a registry file, without its extension.
///
/// `Display` writes the canonical name, with letters in capitals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName {
    /// Letters at the head, in capitals: `H`, `LM`, `DP`.
    pub letters: String,
    /// Family of the package by the letters; a person file has the family of its main file. `None` when no table contains the letters.
    pub family: Option<Family>,
    /// Whether the letters are those of a person file.
    pub is_persons: bool,
    /// Sender: Pi and Ni.
    pub sender: Party,
    /// Receiver: Pp and Np.
    pub receiver: Party,
    /// Full year, 2000 to 2099.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Packet number: one digit or more, leading zeros included.
    pub number: String,
}

/// Why a name does not follow the naming rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameError {
    /// No family letters, too many of them, or no letter of the sender (M, S, T) after them.
    Letters,
    /// The sender's code has another number of digits than its letter requires.
    Sender,
    /// No receiver, or its code has another number of digits than its letter requires.
    Receiver,
    /// No `_` before the period.
    Separator,
    /// No year and month, or an impossible month.
    Period,
    /// No packet number, too many digits, or other characters in it.
    Number,
    /// Longer than any name can be.
    TooLong,
}

impl NameError {
    /// A word for logs and tests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Letters => "letters",
            Self::Sender => "sender",
            Self::Receiver => "receiver",
            Self::Separator => "separator",
            Self::Period => "period",
            Self::Number => "number",
            Self::TooLong => "too long",
        }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for NameError {}

impl FileName {
    /// Reads a file name without its extension.
    ///
    /// Letters that are in no row of `prefixes` are not an error: [`FileName::family`] is then `None`.
    ///
    /// # Errors
    /// The first part that does not follow the naming rules.
    pub fn parse(prefixes: &[Prefix], stem: &str) -> Result<Self, NameError> {
        if stem.len() > MAX_STEM {
            return Err(NameError::TooLong);
        }
        let mut rest = stem.as_bytes();
        // The last letter before the first digit is the kind of the sender. Codes begin with a digit, so the split is never ambiguous.
        let head = take(&mut rest, u8::is_ascii_alphabetic);
        let (letters, kind) = head.split_at_checked(head.len().wrapping_sub(1)).ok_or(NameError::Letters)?;
        if letters.is_empty() || letters.len() > MAX_LETTERS {
            return Err(NameError::Letters);
        }
        let sender = party(kind, &mut rest, NameError::Letters, NameError::Sender)?;
        let kind = take(&mut rest, u8::is_ascii_alphabetic);
        let receiver = party(kind, &mut rest, NameError::Receiver, NameError::Receiver)?;
        let period = rest.strip_prefix(b"_").ok_or(NameError::Separator)?;
        let (period, number) = period.split_at_checked(4).ok_or(NameError::Period)?;
        let &[y1, y2, m1, m2] = period else { return Err(NameError::Period) };
        let two = |a: u8, b: u8| (a.is_ascii_digit() && b.is_ascii_digit()).then(|| (a - b'0') * 10 + (b - b'0'));
        let year = 2000 + u16::from(two(y1, y2).ok_or(NameError::Period)?);
        let month = two(m1, m2).filter(|m| (1..=12).contains(m)).ok_or(NameError::Period)?;
        if number.is_empty() || number.len() > MAX_NUMBER || !number.iter().all(u8::is_ascii_digit) {
            return Err(NameError::Number);
        }
        let letters = text(letters).to_ascii_uppercase();
        let main = prefixes.iter().find(|p| p.letters == letters);
        let persons = prefixes.iter().find(|p| !p.persons.is_empty() && p.persons == letters);
        Ok(Self {
            family: main.or(persons).map(|p| p.family),
            is_persons: main.is_none() && persons.is_some(),
            letters,
            sender,
            receiver,
            year,
            month,
            number: text(number),
        })
    }

    /// The family that the first letters of a name tell, when the rest of it need not follow the naming rules; `None` when no table contains them.
    pub fn family_of_letters(prefixes: &[Prefix], stem: &str) -> Option<Family> {
        let mut rest = stem.as_bytes();
        let head = take(&mut rest, u8::is_ascii_alphabetic);
        let letters = match head {
            // The last letter before a code is that of the sender.
            [letters @ .., kind] if !letters.is_empty() && PartyKind::of(*kind).is_some() && rest.first().is_some_and(u8::is_ascii_digit) => letters,
            head => head,
        };
        let letters = text(letters).to_ascii_uppercase();
        let family = |letters: &str| prefixes.iter().find(|p| p.letters == letters || p.persons == letters).map(|p| p.family);
        (1..=letters.len().min(MAX_LETTERS)).rev().find_map(|length| family(&letters[..length]))
    }

    /// The reporting month.
    pub fn period(&self) -> Month {
        Month { year: self.year, month: self.month }
    }

    /// The row of the letters; for a person file, the row of its main file.
    pub fn prefix<'p>(&self, prefixes: &'p [Prefix]) -> Option<&'p Prefix> {
        prefixes.iter().find(|p| if self.is_persons { p.persons == self.letters } else { p.letters == self.letters })
    }

    /// Name of the person file that belongs to this main file; `None` for a person file and for unknown letters.
    pub fn persons(&self, prefixes: &[Prefix]) -> Option<Self> {
        let prefix = self.prefix(prefixes).filter(|p| !self.is_persons && !p.persons.is_empty())?;
        Some(Self { letters: prefix.persons.clone(), is_persons: true, ..self.clone() })
    }

    /// Name of the main file that this person file belongs to; `None` for a main file and for unknown letters.
    pub fn main(&self, prefixes: &[Prefix]) -> Option<Self> {
        let prefix = self.prefix(prefixes).filter(|_| self.is_persons)?;
        Some(Self { letters: prefix.letters.clone(), is_persons: false, ..self.clone() })
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}_{:02}{:02}{}", self.letters, self.sender, self.receiver, self.year % 100, self.month, self.number)
    }
}

/// Splits off the longest beginning of fitting bytes.
fn take<'a>(rest: &mut &'a [u8], fits: impl Fn(&u8) -> bool) -> &'a [u8] {
    let (head, tail) = rest.split_at(rest.iter().take_while(|b| fits(b)).count());
    *rest = tail;
    head
}

fn party(kind: &[u8], rest: &mut &[u8], no_kind: NameError, no_code: NameError) -> Result<Party, NameError> {
    let &[letter] = kind else { return Err(no_kind) };
    let kind = PartyKind::of(letter).ok_or(no_kind)?;
    let code = take(rest, u8::is_ascii_digit);
    if code.len() == kind.digits() { Ok(Party { kind, code: text(code) }) } else { Err(no_code) }
}

/// Converts bytes that are known to be ASCII.
fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::format::Formats;
    use crate::tables::RuleFiles;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static FORMATS: LazyLock<Formats> = LazyLock::new(|| Formats::load(&RuleFiles::embedded()).expect("the built-in tables are sound"));

    fn parse(stem: &str) -> Result<FileName, NameError> {
        FileName::parse(FORMATS.prefixes(), stem)
    }

    #[test]
    fn parts_of_a_name() {
        let name = parse("hm140001s14002_190312").expect("a name");
        assert_eq!((name.letters.as_str(), name.family, name.is_persons), ("H", Some(Family('H')), false));
        assert_eq!((name.sender.to_string(), name.receiver.to_string()), ("M140001".into(), "S14002".into()));
        assert_eq!((name.period().to_string(), name.number.as_str()), ("2019-03".into(), "12"));
        assert_eq!(name.to_string(), "HM140001S14002_190312");
    }

    #[test]
    fn person_files_and_their_main_files() {
        for (main, persons, family) in [("H", "L", 'H'), ("T", "LT", 'T'), ("C", "LC", 'C'), ("DP", "LP", 'D'), ("DF", "LF", 'D')] {
            let main = parse(&format!("{main}M140001T14_19031")).expect("a name");
            let person = parse(&format!("{persons}M140001T14_19031")).expect("a name");
            assert_eq!((main.family, person.family), (Some(Family(family)), Some(Family(family))));
            assert!(person.is_persons && !main.is_persons);
            assert_eq!(main.persons(FORMATS.prefixes()).as_ref(), Some(&person));
            assert_eq!(person.main(FORMATS.prefixes()), Some(main.clone()));
            assert_eq!((main.main(FORMATS.prefixes()), person.persons(FORMATS.prefixes())), (None, None));
        }
    }

    #[test]
    fn unknown_letters_are_no_error() {
        let name = parse("XQM140001S14002_19031").expect("of the right shape");
        assert_eq!((name.family, name.persons(FORMATS.prefixes())), (None, None));
        let between_funds = parse("DT14T77_19031").expect("a name");
        assert_eq!((between_funds.family, between_funds.persons(FORMATS.prefixes())), (Some(Family('M')), None));
    }

    #[test]
    fn the_first_letters_of_a_broken_name_tell_the_family() {
        for (stem, family) in [
            ("CM140001S14002_21131", Some('C')),
            ("lcm140001s14002_21131", Some('C')),
            ("DPM14S14002_2101", Some('D')),
            ("DP_14_1", Some('D')),
            ("DT14_1", Some('M')),
            ("DST14002_1", Some('D')),
            ("HMM140001", Some('H')),
            ("T", Some('T')),
            ("HELLO WORLD", Some('H')),
            ("QM140001", None),
            ("НМ140001", None),
            ("140001", None),
            ("", None),
        ] {
            assert_eq!(FileName::family_of_letters(FORMATS.prefixes(), stem), family.map(Family), "{stem}");
        }
    }

    #[test]
    fn each_broken_part_is_told() {
        for (stem, error) in [
            ("", NameError::Letters),
            ("M140001S14002_19031", NameError::Letters),
            ("НM140001S14002_19031", NameError::Letters),
            ("HX140001S14002_19031", NameError::Letters),
            ("ABCDEM140001S14002_19031", NameError::Letters),
            ("HM14000S14002_19031", NameError::Sender),
            ("HM140001", NameError::Receiver),
            ("HM140001S1400_19031", NameError::Receiver),
            ("HM140001MS14002_19031", NameError::Receiver),
            ("HM140001S1400219031", NameError::Receiver),
            ("HM140001S14002-19031", NameError::Separator),
            ("HM140001S14002_1903", NameError::Number),
            ("HM140001S14002_19031a", NameError::Number),
            ("TT14T15_0112100000012100000404877711227400000012", NameError::Number),
            ("HM140001S14002_19131", NameError::Period),
            ("HM140001S14002_190", NameError::Period),
            ("HM140001S14002_19я3", NameError::Period),
        ] {
            assert_eq!(parse(stem), Err(error), "{stem}");
        }
        assert_eq!(parse(&"H".repeat(65)), Err(NameError::TooLong));
    }

    proptest! {
        #[test]
        fn names_survive_the_round_trip(letters in "[A-Z]{1,4}", code in "[0-9]{6}", fund in "[0-9]{2}", year in 0u8..100, month in 1u8..13, number in "[0-9]{1,8}") {
            let stem = format!("{letters}M{code}T{fund}_{year:02}{month:02}{number}");
            let name = parse(&stem).expect("of the grammar");
            prop_assert_eq!(name.to_string(), stem.clone());
            prop_assert_eq!(parse(&stem.to_lowercase()), Ok(name));
        }

        #[test]
        fn what_is_accepted_writes_itself(stem in "[HLTCDMSTmst0-9_]{0,30}") {
            if let Ok(name) = parse(&stem) {
                prop_assert_eq!(name.to_string(), stem.to_ascii_uppercase());
            }
        }

        #[test]
        fn any_text_is_an_answer(stem in ".{0,80}") {
            let _ = parse(&stem);
        }
    }
}
