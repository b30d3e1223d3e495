//! Findings: what a check says about a place, where the place is, and the numbers of its record.

mod catalogue;
mod causes;
mod check;
mod facts;
pub mod hint;
mod mends;
pub mod policy;
pub mod spool;

use std::borrow::Cow;
use std::sync::Arc;

use crate::texts::{Lang, Text, fill};

pub use catalogue::{Catalog, Rule, RuleIx, Same};
pub use causes::{Cause, Causes, Requires};
pub use check::Check;
pub use facts::{CaseFacts, Fact};
pub use mends::{Menders, Mends};

/// Which file of a package a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileRole {
    /// The archive or the path itself.
    Container,
    /// The person file (L).
    Persons,
    /// The main file (H, C, T, D).
    Main,
}

impl FileRole {
    /// All of them: a spool writes one by its place in this list.
    pub(crate) const ALL: [Self; 3] = [Self::Container, Self::Persons, Self::Main];
}

/// A place in a file, counted in the file as the user has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// Byte offset, from 0.
    pub offset: u64,
    /// Line, from 1; 0 when the finding is about the file as a whole.
    pub line: u32,
    /// Column in characters, from 1; 0 when the finding is about the file as a whole.
    pub column: u32,
}

/// The numbers by which people find a record, a case or a person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys {
    /// N_ZAP of the record.
    pub n_zap: Option<Box<str>>,
    /// IDCASE of the completed case.
    pub idcase: Option<Box<str>>,
    /// SL_ID of the case part.
    pub sl_id: Option<Box<str>>,
    /// IDSERV of the service.
    pub idserv: Option<Box<str>>,
    /// ID_PAC of the person.
    pub id_pac: Option<Box<str>>,
}

/// What one check says about one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The broken rule.
    pub rule: RuleIx,
    /// The file of the package.
    pub file: FileRole,
    /// The place in that file.
    pub place: Place,
    /// Element path, `ZL_LIST/ZAP/N_ZAP`; empty when the finding is about the file as a whole.
    pub path: Arc<str>,
    /// The numbers of the record around the place.
    pub keys: Keys,
    /// What people know the case around the place by; of a person's finding, the first case that names the person.
    pub case: Option<Arc<CaseFacts>>,
    /// The value as written in the file. It is already masked when nobody can ask for the raw one.
    pub value: Option<Box<str>>,
    /// Whether the value is personal data: reports mask it, the official protocol does not.
    pub personal: bool,
    /// What was expected, in a form without language: `N(15.2)`, `YYYY-MM-DD`, `3.1`.
    pub expected: Option<Box<str>>,
    /// What was found instead, in a form without language and without personal data.
    pub found: Option<Box<str>>,
    /// What was probably meant, for people; without personal data but for the character that is wrong.
    pub hint: Option<Box<Text>>,
    /// The rule of the finding from which this one follows; `None` if it stands on its own. A finding that follows is no error of its own: it goes
    /// when its cause is mended.
    pub follows_from: Option<RuleIx>,
}

impl Finding {
    /// A finding about a file as a whole.
    pub fn of_file(rule: RuleIx, file: FileRole) -> Self {
        Self {
            rule,
            file,
            place: Place::default(),
            path: Arc::from(""),
            keys: Keys::default(),
            case: None,
            value: None,
            personal: false,
            expected: None,
            found: None,
            hint: None,
            follows_from: None,
        }
    }

    /// Name of the element: the last part of the path.
    pub fn element(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or("")
    }

    /// Name of the block that holds the element: the last but one part of the path.
    pub fn parent(&self) -> &str {
        self.path.rsplit('/').nth(1).unwrap_or("")
    }

    /// A fact about the case around the place.
    pub fn fact(&self, fact: Fact) -> Option<&str> {
        self.case.as_ref()?.get(fact)
    }

    /// The same finding as reports may show it: with a personal value and a Russian word as the name of an element masked, numbers of persons wherever they
    /// stand, and of the card's number and the doctor's code that look like one only the last digits.
    #[must_use]
    pub fn masked(mut self) -> Self {
        if let Some(value) = &mut self.value {
            *value = shown_value(value, self.personal).into();
        }
        for text in [&mut self.expected, &mut self.found].into_iter().flatten() {
            if let Cow::Owned(masked) = mask_numbers(text) {
                *text = masked.into();
            }
        }
        if let Cow::Owned(masked) = masked_path(&self.path) {
            self.path = masked.into();
        }
        self.case = self.case.map(|case| Arc::new(case.masked()));
        self
    }

    /// The rule's text with its slots filled, and what was probably meant. The value is inserted as the finding holds it; see [`Finding::masked`].
    pub fn message(&self, rule: &Rule, lang: Lang) -> String {
        let text = self.slots().fill(rule.text.get(lang));
        match &self.hint {
            Some(hint) => format!("{text}; {}", hint.get(lang)),
            None => text,
        }
    }

    /// The rule's advice with its slots filled, as in [`Finding::message`].
    pub fn advice(&self, rule: &Rule, lang: Lang) -> String {
        self.slots().fill(rule.advice.get(lang))
    }

    fn slots(&self) -> Slots<'_> {
        fn text(own: &Option<Box<str>>) -> &str {
            own.as_deref().unwrap_or("")
        }
        let (value, expected, found) = (text(&self.value), text(&self.expected), text(&self.found));
        Slots { element: self.element(), parent: self.parent(), value, expected, found }
    }
}

/// The values for the slots of a rule's text and advice.
#[derive(Debug, Clone, Copy, Default)]
pub struct Slots<'a> {
    /// `{element}`: name of the element.
    pub element: &'a str,
    /// `{parent}`: name of the block that holds it.
    pub parent: &'a str,
    /// `{value}`: value of the element.
    pub value: &'a str,
    /// `{expected}`: what was expected.
    pub expected: &'a str,
    /// `{found}`: what was found instead.
    pub found: &'a str,
}

impl<'a> Slots<'a> {
    /// A text with its slots filled.
    pub fn fill(&self, template: &str) -> String {
        fill(template, |slot| self.get(slot))
    }

    pub(super) fn get(&self, slot: &str) -> Option<&'a str> {
        Some(match slot {
            "element" => self.element,
            "parent" => self.parent,
            "value" => self.value,
            "expected" => self.expected,
            "found" => self.found,
            _ => return None,
        })
    }
}

/// A path as reports may show it: with numbers of persons masked, and the names of elements with a Russian word or without a Latin letter, for these may be
/// surnames.
fn masked_path(path: &str) -> Cow<'_, str> {
    if path.is_ascii() {
        return mask_numbers(path);
    }
    let is_name = |step: &str| step.is_ascii() || !hint::has_word(step) && step.chars().any(|c| c.is_ascii_alphabetic());
    let steps: Vec<String> = path.split('/').map(|step| if is_name(step) { mask_numbers(step).into_owned() } else { mask_personal(step) }).collect();
    Cow::Owned(steps.join("/"))
}

/// Hides a personal value but keeps its shape: all but blanks, points, dashes and other signs of ASCII become `*`, so that a wrong length or
/// separator can still be seen. In a text that was read in a wrong encoding any other sign may stand for a letter.
pub fn mask_personal(value: &str) -> String {
    let is_harmless = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric() || matches!(c, '–' | '—' | '…');
    value.chars().map(|c| if is_harmless(c) { c } else { '*' }).collect()
}

/// A value as reports may show it: masked if it is personal, else with numbers of persons masked.
pub fn shown_value(value: &str, personal: bool) -> String {
    if personal { mask_personal(value) } else { mask_numbers(value).into_owned() }
}

/// Numbers of digits that a СНИЛС and a policy number (ENP) have; no code of the exchange has as many.
const NUMBERS: [usize; 2] = [11, 16];

/// Hides every СНИЛС and every policy number in a text that is not personal by its place: 11 digits, also as `000-000-000 00`, or 16 digits, with
/// no further letter or digit around them.
pub fn mask_numbers(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if bytes.iter().filter(|byte| byte.is_ascii_digit()).count() < NUMBERS[0] {
        return Cow::Borrowed(text);
    }
    let mut out: Option<String> = None;
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() || text[..at].chars().next_back().is_some_and(char::is_alphanumeric) {
            at += 1;
            continue;
        }
        // A run of digits with single separators inside; `end` is behind its last digit.
        let (mut digits, mut end, mut next) = (0, at, at);
        while next < bytes.len() && (bytes[next].is_ascii_digit() || matches!(bytes[next], b'-' | b' ') && next == end) {
            if bytes[next].is_ascii_digit() {
                (digits, end) = (digits + 1, next + 1);
            }
            next += 1;
        }
        let grouped = text[at..end].contains(['-', ' ']);
        let is_number = if grouped { is_snils(&text[at..end]) } else { NUMBERS.contains(&digits) };
        if is_number && !text[end..].chars().next().is_some_and(char::is_alphanumeric) {
            let out = out.get_or_insert_with(|| text.to_owned());
            out.replace_range(at..end, &mask_personal(&text[at..end]));
        }
        // What follows a separator may be a number of its own.
        at += text[at..end].find(['-', ' ']).filter(|_| !is_number).map_or(end - at, |n| n + 1).max(1);
    }
    out.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Whether a text is `000-000-000 00` or the same with a hyphen or blanks.
fn is_snils(text: &str) -> bool {
    text.len() == 14 && text.bytes().enumerate().all(|(at, byte)| if matches!(at, 3 | 7 | 11) { !byte.is_ascii_digit() } else { byte.is_ascii_digit() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_keep_the_shape() {
        assert_eq!(mask_personal("1980-02-30"), "****-**-**");
        assert_eq!(mask_personal("Иванова-Петрова"), "*******-*******");
        // What cp866 makes of «Тоня ё» when it is read as windows-1251.
        assert_eq!(mask_personal("’®*\u{a0}\u{fffd}\u{AD} »№"), "****** **");
    }

    #[test]
    fn numbers_of_persons_are_masked_wherever_they_stand() {
        for (text, expected) in [
            ("112-233-445 95", "***-***-*** **"),
            ("112-233-445-95", "***-***-***-**"),
            ("11223344595", "***********"),
            ("1400000000000011", "****************"),
            ("A/11223344595", "A/***********"),
            ("1 11223344595", "1 ***********"),
            ("снилс 112-233-445 95.", "снилс ***-***-*** **."),
            ("HM140001S14002_26031", "HM140001S14002_26031"),
            ("2026-01-31", "2026-01-31"),
            ("B01.047.001", "B01.047.001"),
            ("X11223344595", "X11223344595"),
            ("112233445951", "112233445951"),
            ("J06.9", "J06.9"),
        ] {
            assert_eq!(mask_numbers(text), expected, "{text}");
        }
        let finding = Finding { path: "ZL_LIST/ZAP/N_1400000000000011".into(), ..Finding::of_file(RuleIx(0), FileRole::Main) };
        assert_eq!(&*finding.masked().path, "ZL_LIST/ZAP/N_****************");
        for (name, expected) in [("ИВАНОВ", "******"), ("Иванов-2", "******-*"), ("РROFIL", "РROFIL"), ("NOSUCH", "NOSUCH")] {
            let finding = Finding { path: format!("ZL_LIST/ZAP/{name}").into(), ..Finding::of_file(RuleIx(0), FileRole::Main) };
            assert_eq!(*finding.masked().path, *format!("ZL_LIST/ZAP/{expected}"));
        }
    }

    #[test]
    fn only_personal_values_are_masked() {
        let mut finding = Finding { value: Some("Иванов".into()), ..Finding::of_file(RuleIx(0), FileRole::Main) };
        assert_eq!(finding.clone().masked().value.as_deref(), Some("Иванов"));
        finding.personal = true;
        assert_eq!(finding.masked().value.as_deref(), Some("******"));
    }
}
