//! Findings: what a check says about a place, where the place is, and the numbers of its record.

mod catalogue;
mod check;
mod facts;
pub mod policy;
pub mod spool;

use std::sync::Arc;

use crate::texts::{Lang, fill};

pub use catalogue::{Catalog, Rule, RuleIx, Same};
pub use check::Check;
pub use facts::{CaseFacts, Fact};

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

    /// The same finding as reports may show it: with a personal value masked, and of what looks like the number of a person only its last digits.
    #[must_use]
    pub fn masked(mut self) -> Self {
        if self.personal
            && let Some(value) = &mut self.value
        {
            *value = mask_personal(value).into();
        }
        self.case = self.case.map(|case| Arc::new(case.masked()));
        self
    }

    /// The rule's text with its slots filled. The value is inserted as the finding holds it; see [`Finding::masked`].
    pub fn message(&self, rule: &Rule, lang: Lang) -> String {
        self.slots().fill(rule.text.get(lang))
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

/// Hides a personal value but keeps its shape: letters and digits become `*`, so that a wrong length or separator can still be seen.
pub fn mask_personal(value: &str) -> String {
    value.chars().map(|c| if c.is_alphanumeric() { '*' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_keep_the_shape() {
        assert_eq!(mask_personal("1980-02-30"), "****-**-**");
        assert_eq!(mask_personal("Иванова-Петрова"), "*******-*******");
    }

    #[test]
    fn only_personal_values_are_masked() {
        let mut finding = Finding { value: Some("Иванов".into()), ..Finding::of_file(RuleIx(0), FileRole::Main) };
        assert_eq!(finding.clone().masked().value.as_deref(), Some("Иванов"));
        finding.personal = true;
        assert_eq!(finding.masked().value.as_deref(), Some("******"));
    }
}
