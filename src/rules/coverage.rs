//! How much of the rule book runs, and what the other rules lack.

use std::collections::BTreeMap;
use std::path::Path;

use super::import::TableRow;
use super::survey::{Standing, Survey};
use super::table::category;
use super::{Conventions, RULE_TABLES, Reasons, load};
use crate::nsi::Books;
use crate::registry::format::Formats;
use crate::tables::{RuleFiles, TableError};
use crate::texts::Text;

/// Letters of the files that clinics send; the others are exchanged between funds only.
const CLINIC: [&str; 5] = ["H", "C", "T", "X", "L"];

/// A rule: all rows of one id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// Id of the rule.
    pub id: String,
    /// File letters of all its rows, in the order of the tables.
    pub files: Vec<String>,
    /// How the rule runs: core, builtin, template, external, expert, prose.
    pub kind: String,
    /// Source of the rule: book and edition.
    pub source: String,
    /// Whether the rule runs, or why it does not.
    pub standing: Standing,
    /// In words why it does not run; `None` if it runs.
    pub reason: Option<Text>,
}

impl Covered {
    /// The category: `006F` of `006F.00.0400`, `L` of `L001`.
    pub fn category(&self) -> &str {
        category(&self.id)
    }

    /// Whether the rule is about files that clinics send.
    pub fn is_of_clinics(&self) -> bool {
        self.files.iter().any(|f| CLINIC.contains(&f.as_str()))
    }
}

/// All rows of the tables of format-logic control, in their order.
///
/// # Errors
/// A table is invalid.
pub fn rows(files: &RuleFiles) -> Result<Vec<TableRow>, TableError> {
    // Errors in the rules are reported first, with their lines.
    load(files, RULE_TABLES)?;
    let mut all = Vec::new();
    for table in RULE_TABLES {
        all.extend(files.rows::<TableRow>(table)?.into_iter().map(|(_, r)| r));
    }
    Ok(all)
}

/// The book, or the first of the programs and schemas that a row is known from.
fn first_witness(source: &str) -> String {
    source.split("; ").next().unwrap_or_default().to_owned()
}

/// Whether each rule runs; `books` is the folder of imported books.
///
/// # Errors
/// A table is invalid, or a rule does not compile.
pub fn coverage(files: &RuleFiles, books: Option<&Path>) -> Result<Vec<Covered>, TableError> {
    let (formats, books, conventions) = (Formats::load(files)?, Books::load(files, books)?, Conventions::load(files)?);
    let survey = Survey { formats: &formats, books: &books, conventions: &conventions };
    let (texts, reasons) = (rows(files)?, Reasons::load(files)?);
    let mut rules: BTreeMap<&str, Covered> = BTreeMap::new();
    for (text, row) in texts.iter().zip(load(files, RULE_TABLES)?) {
        let standing = survey.standing(&row)?;
        let reason = reasons.of_standing(&standing, &row);
        let letters = text.files.split(' ').map(str::to_owned);
        match rules.get_mut(text.id.as_str()) {
            Some(rule) => {
                for letter in letters.filter(|l| !rule.files.contains(l)).collect::<Vec<_>>() {
                    rule.files.push(letter);
                }
                let best = rule.standing.clone().or(standing.clone());
                if best == standing && best != rule.standing {
                    rule.reason = reason;
                } else if best != rule.standing {
                    rule.reason = reasons.of_standing(&best, &row);
                }
                rule.standing = best;
            }
            None => {
                let source = first_witness(&text.source);
                let rule = Covered { id: text.id.clone(), files: letters.collect(), kind: text.kind.clone(), source, standing, reason };
                rules.insert(&text.id, rule);
            }
        }
    }
    Ok(rules.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nsi::{ImportOptions, Importer};
    use crate::values::Date;

    #[test]
    fn the_built_in_rules_run_or_say_what_they_lack() {
        let all = coverage(&RuleFiles::embedded(), None).expect("sound tables");
        assert_eq!(all.len(), 911);
        let of = |id: &str| all.iter().find(|r| r.id == id).unwrap_or_else(|| panic!("{id}"));
        assert_eq!(of("006F.00.0400").standing, Standing::Executed);
        assert_eq!(of("001F.00.0031").standing, Standing::NoBook(vec!["F032".to_owned()]));
        assert!(matches!(of("005F.00.0010").standing, Standing::External(_)));
        assert!(matches!(of("001F.00.0625").standing, Standing::External(_)));
        assert!(of("003F.00.2170").is_of_clinics() && !of("002F.00.0020").is_of_clinics());
        assert_eq!(of("003F.00.2170").files.len(), 4, "all rows of the id");
    }

    #[test]
    fn a_book_that_answers_for_another_makes_a_part_and_the_book_itself_the_whole() {
        let files = RuleFiles::embedded();
        let standing = |books: Option<&Path>| {
            let all = coverage(&files, books).expect("sound tables");
            let of = |id: &str| all.iter().find(|r| r.id == id).unwrap_or_else(|| panic!("{id}")).standing.clone();
            ["001F.00.0140", "001F.00.0150", "001F.00.0730", "001F.00.0740"].map(of)
        };
        assert!(standing(None).iter().all(|s| matches!(s, Standing::Partly(what) if &*what.book == "O002" && what.what.ru.contains("F010"))));
        let folder = tempfile::tempdir().expect("a folder");
        let importer = Importer::new(&files, folder.path(), Date::new(2026, 6, 1).expect("a day")).expect("sound");
        importer.take_bytes("O002.csv", "O002", b"TER,KOD1,KOD2,KOD3,NAME1\n98,401,000,000,a\n", &ImportOptions::default()).expect("a book");
        assert_eq!(standing(Some(folder.path())), [const { Standing::Executed }; 4]);
    }
}
