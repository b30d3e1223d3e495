//! Reads rules as the fund publishes them (fields USL_TEST and VAL_EL of the books Q015, Q016, Q022, Q023).
//!
//! The text is cleaned by `rules/import/repairs.csv`, its Russian phrases become operators and functions by `rules/import/phrases.csv`, and a small
//! grammar reads the result. A text with words that no phrase knows is prose, meant for people only.

mod repairs;
mod syntax;
mod words;

use std::fmt;

use super::ast::{Expr, Ref};
use crate::tables::{RuleFiles, TableError};
use repairs::Repairs;
use words::Phrases;

pub use repairs::Repair;

/// Longest text that is read, in bytes; published ones have some hundred characters.
const MAX_TEXT: usize = 16 << 10;

/// The reader with its tables.
#[derive(Debug)]
pub struct Published {
    repairs: Repairs,
    phrases: Phrases,
}

/// The kind of a published text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// A condition.
    Rule {
        /// The condition, nested like the brackets of the text.
        expr: Expr,
        /// Repairs that the text needed, each kind once.
        repairs: Vec<Repair>,
    },
    /// A sentence for people.
    Prose {
        /// Column (from 1, in characters) of its first word that no rule uses.
        column: usize,
    },
}

/// The place where a published text stops being a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedError {
    /// Column in the published text, in characters from 1.
    pub column: usize,
    /// What is expected there.
    pub due: Due,
    /// The word found there; empty at the end of the text.
    pub found: String,
}

/// What the grammar expects at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Due {
    /// An element, a number, a code.
    Value,
    /// The name of an element.
    Name,
    /// `=`, `<>`, `<` and the like, or a word of presence.
    Comparison,
    /// «и», «или» or the end.
    OrEnd,
    /// A closing bracket.
    Bracket,
    /// A closing quote.
    Quote,
    /// A comma or the end of a set.
    SetEnd,
    /// Fewer nested brackets.
    Shallower,
    /// A shorter text.
    Shorter,
}

impl Due {
    /// Key of its text in `rules/import/texts.csv`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Name => "name",
            Self::Comparison => "comparison",
            Self::OrEnd => "or-end",
            Self::Bracket => "bracket",
            Self::Quote => "quote",
            Self::SetEnd => "set-end",
            Self::Shallower => "shallower",
            Self::Shorter => "shorter",
        }
    }

    /// All variants.
    pub const ALL: [Self; 9] =
        [Self::Value, Self::Name, Self::Comparison, Self::OrEnd, Self::Bracket, Self::Quote, Self::SetEnd, Self::Shallower, Self::Shorter];
}

impl fmt::Display for PublishedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {} is due, «{}» stands there", self.column, self.due.as_str(), self.found)
    }
}

impl std::error::Error for PublishedError {}

impl Published {
    /// Loads the tables of repairs and phrases.
    ///
    /// # Errors
    /// One of the tables is invalid.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        Ok(Self { repairs: Repairs::load(files)?, phrases: Phrases::load(files)? })
    }

    /// Reads a condition (USL_TEST).
    ///
    /// # Errors
    /// The text consists of words of rules, but in an order that makes no rule.
    pub fn condition(&self, text: &str) -> Result<Reading, PublishedError> {
        self.read(text, None)
    }

    /// Reads a requirement (VAL_EL) of an element, with its short forms: a bare value, set or element, a comparison without a left side.
    ///
    /// # Errors
    /// See [`Published::condition`].
    pub fn value(&self, text: &str, element: &str) -> Result<Reading, PublishedError> {
        self.read(text, Some(element))
    }

    fn read(&self, text: &str, element: Option<&str>) -> Result<Reading, PublishedError> {
        if text.len() > MAX_TEXT {
            return Err(PublishedError { column: MAX_TEXT, due: Due::Shorter, found: String::new() });
        }
        let (clean, repairs) = self.repairs.clean(text);
        match self.phrases.apply(words::lex(&clean)) {
            Err(at) => Ok(Reading::Prose { column: at + 1 }),
            Ok(words) => {
                let found = |e: syntax::Unfit| PublishedError { column: e.at + 1, due: e.due, found: word_at(text, e.at) };
                Ok(Reading::Rule { expr: syntax::read(&words, element).map_err(found)?, repairs })
            }
        }
    }
}

/// The word or sign at a place of the published text, counted in characters from 0.
fn word_at(text: &str, at: usize) -> String {
    let rest: Vec<char> = text.chars().skip(at).collect();
    let word = rest.iter().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '/')).count();
    rest[..word.max(1).min(rest.len())].iter().collect()
}

/// Normalises a tree to the form of the tables: no needless nesting, one name in each PRESENT or ABSENT.
pub fn normal(expr: Expr) -> Expr {
    match expr {
        Expr::And(parts) => flat(parts, |p| match p {
            Expr::And(inner) => Ok(inner),
            other => Err(other),
        })
        .map_or_else(|one| one, Expr::And),
        Expr::Or(parts) => flat(parts, |p| match p {
            Expr::Or(inner) => Ok(inner),
            other => Err(other),
        })
        .map_or_else(|one| one, Expr::Or),
        Expr::Not(inner) => Expr::Not(Box::new(normal(*inner))),
        Expr::Quantified { quantifier, block, within, condition } => Expr::Quantified { quantifier, block, within, condition: Box::new(normal(*condition)) },
        Expr::Present(names) if names.len() > 1 => Expr::And(each(names, Expr::Present)),
        Expr::Absent(names) if names.len() > 1 => Expr::And(each(names, Expr::Absent)),
        other => other,
    }
}

fn each(names: Vec<Ref>, make: fn(Vec<Ref>) -> Expr) -> Vec<Expr> {
    names.into_iter().map(|n| make(vec![n])).collect()
}

/// Splices nested parts of the same kind into one list; `Err` if only one part is left.
fn flat(parts: Vec<Expr>, open: impl Fn(Expr) -> Result<Vec<Expr>, Expr>) -> Result<Vec<Expr>, Expr> {
    let mut out = Vec::new();
    for part in parts {
        match open(normal(part)) {
            Ok(inner) => out.extend(inner),
            Err(other) => out.push(other),
        }
    }
    if out.len() == 1 { Err(out.remove(0)) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published() -> Published {
        Published::load(&RuleFiles::embedded()).expect("the tables")
    }

    fn condition(text: &str) -> String {
        match published().condition(text) {
            Ok(Reading::Rule { expr, .. }) => normal(expr).to_string(),
            other => panic!("{text}: {other:?}"),
        }
    }

    fn value(text: &str, element: &str) -> String {
        match published().value(text, element) {
            Ok(Reading::Rule { expr, .. }) => normal(expr).to_string(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn conditions() {
        for (text, normal) in [
            ("USL_OK<>{1, 2}", "USL_OK NOT IN {1, 2}"),
            ("DS1=D70 и (C00.0<=DS2<C81 или DS2=C97)", "DS1 = 'D70' AND (('C00.0' <= DS2 AND DS2 < 'C81') OR DS2 = 'C97')"),
            ("(C00.0<=DS1<D10) и USL_OK<>4", "'C00.0' <= DS1 AND DS1 < 'D10' AND USL_OK <> 4"),
            ("теги SMO, SMO_OGRN и SMO_OK отсутствуют", "ABSENT(SMO) AND ABSENT(SMO_OGRN) AND ABSENT(SMO_OK)"),
            ("отсутствует SL_KOEF", "ABSENT(SL_KOEF)"),
            ("PLAT присутствует и VPOLIS=1", "PRESENT(PLAT) AND VPOLIS = 1"),
            ("Возраст ЗЛ>=18 лет и DET=0", "AGE(DATE_Z_1) >= 18 AND DET = 0"),
            ("Возраст меньше 18 лет на дату начала законченного случая (DATA_Z_1)", "AGE(DATE_Z_1) < 18"),
            ("DS1_T=0 и возраст пациента на DATE_Z_1 больше или равен 18 лет", "DS1_T = 0 AND AGE(DATE_Z_1) >= 18"),
            ("с отчетного периода \"ноябрь 2019\"", "PERIOD() >= PERIOD('2019-11')"),
            ("Pi=S или Pi=Т; Pi и Pp определяются по полю FILENAME", "Pi = 'S' OR Pi = 'T'"),
            ("USL_TIP={3, 4} хотя бы в одном из элементов ONK_USL, входящих в ONK_SL", "EXISTS(ONK_USL IN ONK_SL: USL_TIP IN {3, 4})"),
            ("основной файл относится к типу передаваемых данных из множества {H, C}", "MAINFILE_TYPE() IN {'H', 'C'}"),
            ("DIAG_TIP=1 и DS1 найден в N009", "DIAG_TIP = 1 AND INBOOK(DS1, N009)"),
            ("DISP=’ОПВ’", "DISP = 'ОПВ'"),
        ] {
            assert_eq!(condition(text), normal, "{text}");
        }
    }

    #[test]
    fn short_forms_of_requirements() {
        for (text, element, normal) in [
            ("3.1", "VERSION", "VERSION = '3.1'"),
            ("нет", "CODE_SH", "CODE_SH = 'нет'"),
            ("V021", "VERS_SPEC", "VERS_SPEC = 'V021'"),
            ("{0, 1}", "DET", "DET IN {0, 1}"),
            ("SCHET.PLAT", "SMO", "SMO = SCHET.PLAT"),
            ("<500.0", "WEI", "WEI < 500.0"),
            ("200<VNOV_D<2500", "VNOV_D", "200 < VNOV_D AND VNOV_D < 2500"),
            ("SUMMAP = SUMMAV-( SANK_MEK+ SANK_MEE)", "SUMMAP", "SUMMAP = SUMMAV - (SANK_MEK + SANK_MEE)"),
        ] {
            assert_eq!(value(text, element), normal, "{text}");
        }
    }

    #[test]
    fn prose_is_told_from_mistakes() {
        assert_eq!(published().condition("Значение поля должно быть равно сумме"), Ok(Reading::Prose { column: 1 }));
        assert_eq!(published().value("SUMMAV должна быть равна X", "SUMMAV"), Ok(Reading::Prose { column: 8 }));
        for (text, column, due) in [
            ("USL_OK=", 8, Due::Value),
            ("USL_OK", 7, Due::Comparison),
            ("USL_OK=1 USL_OK=2", 10, Due::OrEnd),
            ("(USL_OK=1 или X=2", 18, Due::Bracket),
            ("USL_OK={1, }", 12, Due::Value),
            ("USL_OK={1 2}", 11, Due::SetEnd),
            ("A=1 и\u{a0}и B=2", 7, Due::Value),
            ("D10или =1", 4, Due::Comparison),
            ("", 1, Due::Value),
        ] {
            let error = published().condition(text).expect_err(text);
            assert_eq!(error.found, word_at(text, column - 1));
            assert_eq!((error.column, error.due), (column, due), "{text}: {error}");
        }
        assert!(published().condition(&"(".repeat(5_000)).is_err());
    }
}
