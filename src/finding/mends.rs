//! Who can mend the cause of a finding: the column `mends` of the tables of rules, and `rules/mends.csv` for rows that leave it empty.

use std::str::FromStr;

use serde::Deserialize;

use crate::tables::{RuleFiles, TableError};
use crate::texts::{Key, Lang, Texts};

const TABLE: &str = "mends.csv";

/// Who can mend what a rule finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mends {
    /// The clinic's staff, in the МИС.
    Clinic,
    /// The developer of the МИС: the form of the export.
    Developer,
    /// The keeper of the reference books of the МИС or of this program.
    Books,
    /// The fund or the insurer, who fill in what is asked for.
    Fund,
}

impl Mends {
    /// Everybody, in the order in which reports name them.
    pub const ALL: [Self; 4] = [Self::Clinic, Self::Developer, Self::Books, Self::Fund];

    /// The word in the tables and in machine formats.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clinic => "clinic",
            Self::Developer => "developer",
            Self::Books => "books",
            Self::Fund => "fund",
        }
    }

    /// The name for people.
    pub fn name(self, texts: &Texts, lang: Lang) -> &str {
        texts.get(
            match self {
                Self::Clinic => Key::MendsClinic,
                Self::Developer => Key::MendsDeveloper,
                Self::Books => Key::MendsBooks,
                Self::Fund => Key::MendsFund,
            },
            lang,
        )
    }

    /// Who is meant by a word of a user, in either language and in whatever case.
    pub fn called(word: &str, texts: &Texts) -> Option<Self> {
        let word = word.trim().to_lowercase();
        let words = |mends: Self| match mends {
            Self::Clinic => Key::MendsWordsClinic,
            Self::Developer => Key::MendsWordsDeveloper,
            Self::Books => Key::MendsWordsBooks,
            Self::Fund => Key::MendsWordsFund,
        };
        let is_called = |mends: &Self| {
            let languages = [Lang::Ru, Lang::En].into_iter();
            mends.as_str() == word || languages.flat_map(|lang| texts.get(words(*mends), lang).split('|')).any(|known| known.to_lowercase() == word)
        };
        Self::ALL.into_iter().find(is_called)
    }
}

impl FromStr for Mends {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|mends| mends.as_str() == word).ok_or_else(|| format!("mends «{word}»: one of {} is due", known()))
    }
}

#[derive(Deserialize)]
struct Row {
    rule: String,
    element: String,
    mends: String,
}

/// Who mends the findings of rules whose own row does not say it: the first row of the table that fits decides.
#[derive(Debug, Clone)]
pub struct Menders(Vec<Mender>);

#[derive(Debug, Clone)]
struct Mender {
    /// Beginning of the rule's id.
    rule: String,
    /// Names of elements or of blocks around them; none for every element.
    elements: Vec<String>,
    mends: Mends,
}

impl Menders {
    /// Reads the table.
    ///
    /// # Errors
    /// An unknown word, or a last row that does not fit every rule.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let mut all = Vec::new();
        for (line, row) in files.rows::<Row>(TABLE)? {
            let mends = row.mends.parse().map_err(|message: String| TableError::new(TABLE, line, message))?;
            all.push(Mender { rule: row.rule, elements: row.element.split_whitespace().map(str::to_owned).collect(), mends });
        }
        match all.last() {
            Some(last) if last.rule.is_empty() && last.elements.is_empty() => Ok(Self(all)),
            _ => Err(TableError::new(TABLE, 0, "the last row must fit every rule: its rule and element are empty")),
        }
    }

    /// Who mends the findings of a rule: its own word, or what the table says of its id and of the path of its element.
    ///
    /// # Errors
    /// The word is unknown.
    pub fn of(&self, own: &str, id: &str, path: &str) -> Result<Mends, String> {
        if !own.is_empty() {
            return own.parse();
        }
        let fits = |row: &&Mender| id.starts_with(&row.rule) && (row.elements.is_empty() || row.elements.iter().any(|e| path.split('/').any(|step| step == e)));
        Ok(self.0.iter().find(fits).map_or(Mends::Clinic, |row| row.mends))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_row_that_fits_decides() {
        let files = RuleFiles::embedded();
        let menders = Menders::load(&files).expect("the built-in table is sound");
        assert_eq!(menders.of("", "003F.00.0020", "ZL_LIST/SCHET/SUMMAP"), Ok(Mends::Fund));
        assert_eq!(menders.of("", "006F.14.0010", "ZL_LIST/ZAP/Z_SL/SL/DATE_1"), Ok(Mends::Clinic));
        assert_eq!(menders.of("", "X003", ""), Ok(Mends::Developer));
        assert_eq!(menders.of("books", "X003", ""), Ok(Mends::Books));
        assert!(menders.of("nobody", "X003", "").is_err_and(|message| message.contains("clinic, developer, books, fund")));
    }

    #[test]
    fn words_of_both_languages_are_understood() {
        let texts = Texts::built_in();
        for mends in Mends::ALL {
            assert_eq!(Mends::called(mends.as_str(), texts), Some(mends));
            assert_eq!(mends.as_str().parse(), Ok(mends));
        }
        assert_eq!([Mends::called("МО", texts), Mends::called("Разработчик", texts)], [Some(Mends::Clinic), Some(Mends::Developer)]);
        assert_eq!(Mends::called("кто-то", texts), None);
    }
}
