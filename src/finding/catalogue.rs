//! The catalogue of everything that a finding can refer to: structural checks (`rules/structure.csv`) and the rules of a rule book.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Deserialize;

use super::hint::Hints;
use super::{Cause, Causes, Check, Menders, Mends, Requires, Slots};
use crate::tables::{RuleFiles, TableError};
use crate::texts::{Severity, Text, slots_of};

/// Index of a rule in the [`Catalog`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIx(pub u16);

/// What a finding refers to: one row of `rules/structure.csv`, or one row of a rule book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Stable id, such as `S001` or `006F.00.0400`.
    pub id: String,
    /// Kind of the structural check; `None` for rules of a book.
    pub check: Option<Check>,
    /// First parameter of the check: roles of the format tables. Their meaning is described at each [`Check`].
    pub element: Vec<String>,
    /// Second parameter of the check.
    pub other: Vec<String>,
    /// Severity of its findings.
    pub severity: Severity,
    /// Code of the book F012 (901–905) that the protocol carries.
    pub f012: String,
    /// What is wrong: a text with the slots `{element}`, `{parent}`, `{value}`, `{expected}`, `{found}`.
    pub text: Text,
    /// Advice: what to do in the MIS.
    pub advice: Text,
    /// Federal rules that check the same.
    pub same: Vec<Same>,
    /// What the rule is as a cause (`rules/causes.csv`); `None` if no other finding follows from findings of this rule.
    pub cause: Option<Cause>,
    /// Whether its findings follow from any other one about an element that it reads (`rules/causes.csv`).
    pub yields: bool,
    /// Who can mend what it finds.
    pub mends: Mends,
}

/// A federal rule, or a category of rules, that checks the same as a structural check. When both are broken, one finding is reported, with the
/// federal id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Same {
    /// Any rule of this category (`003F`) that is broken at the same place of the same element.
    Category(String),
    /// The rule with this id, broken anywhere in the head of the same package: the element that it checks occurs there once.
    Rule(String),
    /// The structural check implements this rule: its findings carry this id while the rule is in force.
    Executes(String),
}

impl FromStr for Same {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match (word.strip_prefix('='), word.contains('.')) {
            (Some(id), _) if id.contains('.') => Ok(Self::Executes(id.to_owned())),
            (None, true) => Ok(Self::Rule(word.to_owned())),
            (None, false) if word.len() == 4 => Ok(Self::Category(word.to_owned())),
            _ => Err(format!("federal: «{word}»: a category (003F), an id, or = and an id is due")),
        }
    }
}

impl Rule {
    /// Whether a finding of this rule refuses the whole file and not one record.
    pub fn is_of_file(&self) -> bool {
        self.check.is_some_and(Check::is_of_file)
    }
}

#[derive(Deserialize)]
struct RuleRow {
    id: String,
    check: String,
    element: String,
    other: String,
    severity: Severity,
    f012: String,
    ru: String,
    en: String,
    advice_ru: String,
    advice_en: String,
    federal: String,
    /// Empty or absent: what `rules/mends.csv` says.
    #[serde(default)]
    mends: String,
}

/// All rules that findings can refer to: first the structural checks, found by id or kind, then the rules of a book.
#[derive(Debug, Clone)]
pub struct Catalog {
    rules: Vec<Rule>,
    by_check: BTreeMap<Check, RuleIx>,
    hints: Hints,
    causes: Causes,
}

const TABLE: &str = "structure.csv";

impl Catalog {
    /// Reads `rules/structure.csv` and the tables of hints.
    ///
    /// # Errors
    /// An unknown kind, a repeated id, an empty text, an unknown slot or F012 code, or a kind without a row.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let mut rules: Vec<Rule> = Vec::new();
        let mut by_check = BTreeMap::new();
        let causes = Causes::load(files)?;
        let menders = Menders::load(files)?;
        for (line, row) in files.rows::<RuleRow>(TABLE)? {
            let fail = |message: String| TableError::new(TABLE, line, message);
            let check = row.check.parse().map_err(&fail)?;
            if rules.iter().any(|r| r.id == row.id) {
                return Err(fail(format!("id {} stands twice", row.id)));
            }
            for (column, text) in [("ru", &row.ru), ("en", &row.en), ("advice_ru", &row.advice_ru), ("advice_en", &row.advice_en), ("id", &row.id)] {
                if text.trim().is_empty() {
                    return Err(fail(format!("column {column} is empty")));
                }
                if let Some(slot) = slots_of(text).find(|slot| Slots::default().get(slot).is_none()) {
                    return Err(fail(format!("column {column}: no slot is called {{{slot}}}")));
                }
            }
            if !matches!(row.f012.as_str(), "901" | "902" | "903" | "904" | "905") {
                return Err(fail(format!("f012 «{}»: one of 901 to 905 is due", row.f012)));
            }
            by_check.entry(check).or_insert(RuleIx(u16::try_from(rules.len()).map_err(|e| fail(e.to_string()))?));
            let words = |list: &str| list.split_whitespace().map(str::to_owned).collect();
            rules.push(Rule {
                cause: causes.of(&row.id, Requires::Other),
                yields: causes.yields(&row.id),
                mends: menders.of(&row.mends, &row.id, "").map_err(&fail)?,
                id: row.id,
                check: Some(check),
                same: row.federal.split_whitespace().map(str::parse).collect::<Result<_, _>>().map_err(&fail)?,
                element: words(&row.element),
                other: words(&row.other),
                severity: row.severity,
                f012: row.f012,
                text: Text { ru: row.ru, en: row.en },
                advice: Text { ru: row.advice_ru, en: row.advice_en },
            });
        }
        if let Some(absent) = Check::ALL.iter().find(|c| !by_check.contains_key(c)) {
            return Err(TableError::new(TABLE, 0, format!("no row for the check «{}»", absent.as_str())));
        }
        Ok(Self { rules, by_check, hints: Hints::load(files)?, causes })
    }

    /// The table of causes, by which rules of a book are ranked.
    pub fn causes(&self) -> &Causes {
        &self.causes
    }

    /// What a rule is as a cause. Nothing follows from a warning: what it hides could be an error.
    pub fn cause(&self, ix: RuleIx) -> Option<Cause> {
        let rule = self.rule(ix);
        rule.cause.filter(|_| rule.severity == Severity::Error)
    }

    /// Appends rules of a book and returns the index of the first one.
    ///
    /// # Errors
    /// More rules than a [`RuleIx`] can number.
    pub fn extend(&mut self, rules: impl IntoIterator<Item = Rule>) -> Result<RuleIx, TableError> {
        let first = self.rules.len();
        self.rules.extend(rules);
        match (u16::try_from(first), u16::try_from(self.rules.len())) {
            (Ok(first), Ok(_)) => Ok(RuleIx(first)),
            _ => Err(TableError::new(TABLE, 0, format!("{} rules in all: at most {} can be numbered", self.rules.len(), u16::MAX))),
        }
    }

    /// What says which character or name was probably meant.
    pub fn hints(&self) -> &Hints {
        &self.hints
    }

    /// Sets the severity of every rule; `weight` gets the rule's id and its present severity.
    pub fn reweigh(&mut self, weight: impl Fn(&str, Severity) -> Severity) {
        for rule in &mut self.rules {
            rule.severity = weight(&rule.id, rule.severity);
        }
    }

    /// The first row of a kind.
    pub fn of(&self, check: Check) -> RuleIx {
        self.by_check[&check]
    }

    /// The rule with this index.
    pub fn rule(&self, ix: RuleIx) -> &Rule {
        &self.rules[usize::from(ix.0)]
    }

    /// Every row with its index, in the order of the table.
    pub fn rules(&self) -> impl Iterator<Item = (RuleIx, &Rule)> {
        self.rules.iter().enumerate().map(|(i, r)| (RuleIx(i as u16), r))
    }

    /// The index of the rule with this id.
    pub fn by_id(&self, id: &str) -> Option<RuleIx> {
        self.rules().find(|(_, r)| r.id == id).map(|(ix, _)| ix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_row_and_a_word() {
        let catalog = Catalog::load(&RuleFiles::embedded()).expect("the built-in table is sound");
        for check in Check::ALL {
            assert_eq!(check.as_str().parse::<Check>(), Ok(*check));
            assert_eq!(catalog.rule(catalog.of(*check)).check, Some(*check));
        }
    }

    #[test]
    fn a_slot_that_nobody_fills_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let table = RuleFiles::embedded().text(TABLE).expect("there").replacen("{found}", "{fuond}", 1);
        std::fs::write(folder.path().join(TABLE), table).expect("written");
        let error = Catalog::load(&RuleFiles::with_overlay(folder.path())).expect_err("a misspelt slot");
        assert_eq!(error.to_string(), "rules/structure.csv:2: column ru: no slot is called {fuond}");
    }
}
