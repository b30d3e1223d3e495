//! Interface texts in Russian and English (`rules/texts.csv`; those of structural checks in `rules/structure.csv`), and the forms of numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::tables::{RuleFiles, TableError};
use crate::texts::sayings::{self, Sayings};
use crate::texts::{Lang, Severity, Text, fill, slots_of};
use crate::values::{Date, Month};

const TABLE: &str = "texts.csv";
/// The table with the texts of structural checks: the first row of a check has the text that is used for it in error messages.
const CHECKS: &str = "structure.csv";
/// The beginning of the keys of these texts.
const CHECK: &str = "check.";
/// The beginning of the keys of words for values of the command line.
const PLACEHOLDER: &str = "placeholder.";
/// The beginning of the keys of names of actions.
const ACTION: &str = "action.";
/// The beginning of the keys of names of kinds of rules.
const KIND: &str = "kind.";
/// The beginning of the keys of help texts, which are looked up by command and argument.
const HELP: &str = "help.";

include!(concat!(env!("OUT_DIR"), "/text_keys.rs"));

impl Key {
    /// The key of the text of a structural check; `word` is the check's word.
    pub fn of_check(word: &str) -> Option<Self> {
        Self::of(CHECK, word)
    }

    /// The key of the word for a value of the command line, such as FILE.
    pub fn of_placeholder(name: &str) -> Option<Self> {
        Self::of(PLACEHOLDER, &name.to_lowercase().replace(['=', ' ', '_'], "-"))
    }

    /// The key of the name of an entry of the journal that no transition of the workflow made; `word` is the entry's action.
    pub fn of_action(word: &str) -> Option<Self> {
        Self::of(ACTION, word)
    }

    /// The key of the name of a kind of rules; `word` is the kind.
    pub fn of_kind(word: &str) -> Option<Self> {
        Self::of(KIND, word)
    }

    fn of(beginning: &str, word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|key| key.as_str().strip_prefix(beginning) == Some(word))
    }
}

#[derive(Deserialize)]
struct TextRow {
    key: String,
    ru: String,
    en: String,
}

#[derive(Deserialize)]
struct CheckRow {
    check: String,
    ru: String,
    en: String,
}

/// All interface texts, and the time zone in which moments are shown: UTC, unless [`Texts::in_zone`] sets another one.
#[derive(Debug, Clone)]
pub struct Texts {
    texts: Vec<Text>,
    help: BTreeMap<String, Text>,
    sayings: Sayings,
    zone: TimeZone,
}

impl Texts {
    /// The texts embedded in the binary.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Texts> = LazyLock::new(|| Texts::load(&RuleFiles::embedded()).expect("a test loads the built-in tables"));
        &BUILT_IN
    }

    /// The tables that hold texts.
    pub const TABLES: [&'static str; 3] = [TABLE, CHECKS, sayings::TABLE];

    /// Reads `rules/texts.csv` and the texts of checks in `rules/structure.csv`.
    ///
    /// # Errors
    /// An unknown, repeated or missing key, an empty text, or different slots or a wrong number of forms in the two languages.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let known: BTreeSet<&str> = Key::ALL.iter().map(|key| key.as_str()).collect();
        let mut found: BTreeMap<String, Text> = BTreeMap::new();
        for (line, row) in files.rows::<TextRow>(TABLE)? {
            let fail = |message: String| TableError::new(TABLE, line, message);
            if row.ru.is_empty() || row.en.is_empty() {
                return Err(fail(format!("{}: both texts are due", row.key)));
            }
            if slots(&row.ru) != slots(&row.en) {
                return Err(fail(format!("{}: the texts have different slots", row.key)));
            }
            let forms = (row.ru.split('|').count(), row.en.split('|').count());
            if row.key.starts_with("count.") && forms != (3, 2) || row.key == Key::Months.as_str() && forms != (12, 12) {
                return Err(fail(format!("{}: wrong number of forms", row.key)));
            }
            if !row.key.starts_with(HELP) && !known.contains(row.key.as_str()) {
                return Err(fail(format!("no text is called «{}»", row.key)));
            }
            if found.insert(row.key.clone(), Text { ru: row.ru, en: row.en }).is_some() {
                return Err(fail(format!("{} stands twice", row.key)));
            }
        }
        for (_, row) in files.rows::<CheckRow>(CHECKS)? {
            found.entry(format!("{CHECK}{}", row.check)).or_insert(Text { ru: row.ru, en: row.en });
        }
        let mut texts = Vec::with_capacity(Key::ALL.len());
        for key in Key::ALL {
            let table = if key.as_str().starts_with(CHECK) { CHECKS } else { TABLE };
            texts.push(found.remove(key.as_str()).ok_or_else(|| TableError::new(table, 0, format!("no row for «{}»", key.as_str())))?);
        }
        found.retain(|key, _| key.starts_with(HELP));
        Ok(Self { texts, help: found, sayings: Sayings::load(files)?, zone: TimeZone::UTC })
    }

    /// The same texts with another time zone.
    #[must_use]
    pub fn in_zone(mut self, zone: TimeZone) -> Self {
        self.zone = zone;
        self
    }

    /// The text with this key, with its slots unfilled.
    pub fn get(&self, key: Key, lang: Lang) -> &str {
        self.texts[key as usize].get(lang)
    }

    /// A day in the notation of the language.
    pub fn day(&self, lang: Lang, day: Date) -> String {
        let (year, month, number) = day.parts();
        match lang {
            Lang::Ru => format!("{number:02}.{month:02}.{year}"),
            Lang::En => day.to_string(),
        }
    }

    /// A moment (RFC 3339) in the reader's time zone, to the minute. A text that is not a moment is returned unchanged.
    pub fn moment(&self, lang: Lang, at: &str) -> String {
        let Ok(moment) = at.parse::<Timestamp>() else { return at.to_owned() };
        let local = self.zone.to_datetime(moment);
        let (year, month, day) = (u16::try_from(local.year()), u8::try_from(local.month()), u8::try_from(local.day()));
        match (year, month, day) {
            (Ok(year), Ok(month), Ok(day)) => {
                Date::new(year, month, day).map_or_else(|| at.to_owned(), |date| format!("{} {:02}:{:02}", self.day(lang, date), local.hour(), local.minute()))
            }
            _ => at.to_owned(),
        }
    }

    /// The text with this key, with its slots filled.
    pub fn fill(&self, key: Key, lang: Lang, slots: &[(&str, &str)]) -> String {
        fill(self.get(key, lang), |slot| slots.iter().find(|(name, _)| *name == slot).map(|(_, value)| *value))
    }

    /// A sentence about a table or a setting, which is English where it is made, in the language of the reader.
    pub fn said(&self, sentence: &str, lang: Lang) -> String {
        match lang {
            Lang::Ru => self.sayings.russian(sentence),
            Lang::En => sentence.to_owned(),
        }
    }

    /// The help text with this key, such as `validate.limit` (without `help.`); `None` when there is none.
    pub fn help(&self, key: &str, lang: Lang) -> Option<&str> {
        self.help.get(&format!("{HELP}{key}")).map(|t| t.get(lang))
    }

    /// Keys of all help texts, without `help.`.
    pub fn help_keys(&self) -> impl Iterator<Item = &str> {
        self.help.keys().filter_map(|k| k.strip_prefix(HELP))
    }

    /// A number with its noun: «21 случай», «22 случая», «25 случаев».
    pub fn count(&self, key: Key, lang: Lang, number: u64) -> String {
        let forms = self.get(key, lang);
        let form = forms.split('|').nth(plural(lang, number)).unwrap_or(forms);
        format!("{}\u{a0}{form}", self.number(lang, number))
    }

    /// A number with the noun of a severity: «3 ошибки».
    pub fn count_severity(&self, severity: Severity, lang: Lang, number: u64) -> String {
        let key = match severity {
            Severity::Error => Key::CountError,
            Severity::Warning => Key::CountWarning,
            Severity::Info => Key::CountInfo,
        };
        self.count(key, lang, number)
    }

    /// The word for a severity: «ошибка».
    pub fn severity(&self, severity: Severity, lang: Lang) -> &str {
        let key = match severity {
            Severity::Error => Key::SeverityError,
            Severity::Warning => Key::SeverityWarning,
            Severity::Info => Key::SeverityInfo,
        };
        self.get(key, lang)
    }

    /// A number with its digits in groups of three.
    pub fn number(&self, lang: Lang, number: u64) -> String {
        let digits = number.to_string();
        let mut out = String::with_capacity(digits.len() * 2);
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                out.push_str(self.get(Key::NumberThousands, lang));
            }
            out.push(digit);
        }
        out
    }

    /// An amount in kopecks as roubles: «1 204 330,50 ₽».
    pub fn money(&self, lang: Lang, kopecks: i64) -> String {
        let sign = if kopecks < 0 { "−" } else { "" };
        let kopecks = kopecks.unsigned_abs();
        format!("{sign}{}{}{:02}\u{a0}₽", self.number(lang, kopecks / 100), self.get(Key::NumberPoint, lang), kopecks % 100)
    }

    /// A month in words: «февраль 2021».
    pub fn month(&self, lang: Lang, month: Month) -> String {
        let name = self.get(Key::Months, lang).split('|').nth(usize::from(month.month) - 1).unwrap_or("");
        format!("{name} {}", month.year)
    }
}

/// The index of the noun form for a number: one of three in Russian, one of two in English.
fn plural(lang: Lang, number: u64) -> usize {
    match lang {
        Lang::En => usize::from(number != 1),
        Lang::Ru => match (number % 10, number % 100) {
            (_, 11..=14) => 2,
            (1, _) => 0,
            (2..=4, _) => 1,
            _ => 2,
        },
    }
}

fn slots(text: &str) -> Vec<&str> {
    let mut slots: Vec<&str> = slots_of(text).collect();
    slots.sort_unstable();
    slots
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> Texts {
        Texts::load(&RuleFiles::embedded()).expect("the built-in table is sound")
    }

    #[test]
    fn nouns_agree_with_numbers() {
        let texts = texts();
        let words: Vec<String> = [0, 1, 2, 4, 5, 11, 14, 21, 22, 25, 101, 111, 1002].iter().map(|n| texts.count(Key::CountCase, Lang::Ru, *n)).collect();
        let expected =
            "0 случаев|1 случай|2 случая|4 случая|5 случаев|11 случаев|14 случаев|21 случай|22 случая|25 случаев|101 случай|111 случаев|1 002 случая";
        assert_eq!(words.join("|").replace('\u{a0}', " "), expected);
        assert_eq!(texts.count(Key::CountCase, Lang::En, 1), "1\u{a0}case");
        assert_eq!(texts.count_severity(Severity::Error, Lang::En, 21), "21\u{a0}errors");
    }

    #[test]
    fn money_has_kopecks_and_groups() {
        let texts = texts();
        let ru = |n| texts.money(Lang::Ru, n).replace('\u{a0}', " ");
        assert_eq!([ru(0), ru(5), ru(120_433_050), ru(-100_000)], ["0,00 ₽", "0,05 ₽", "1 204 330,50 ₽", "−1 000,00 ₽"]);
        assert_eq!(texts.money(Lang::En, 120_433_050), "1,204,330.50\u{a0}₽");
        assert_eq!(texts.month(Lang::Ru, Month { year: 2021, month: 2 }), "февраль 2021");
    }

    #[test]
    fn moments_are_shown_in_the_readers_zone() {
        let texts = texts().in_zone(TimeZone::fixed(jiff::tz::offset(9)));
        assert_eq!(texts.moment(Lang::Ru, "2026-11-25T20:30:59Z"), "26.11.2026 05:30");
        assert_eq!(texts.moment(Lang::En, "2026-11-25T20:30:59Z"), "2026-11-26 05:30");
        assert_eq!(texts.moment(Lang::En, "yesterday"), "yesterday");
    }

    #[test]
    fn a_table_that_lacks_something_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let good = RuleFiles::embedded().text(TABLE).expect("there").into_owned();
        for (from, to, message) in [
            ("place.more,ещё {count}", "place.more,ещё {n}", "different slots"),
            ("place.more,", "place.most,", "no text is called"),
            ("count.file,файл|файла|файлов", "count.file,файл|файлов", "forms"),
            ("advice,что делать: {text},", "advice,,", "both texts"),
        ] {
            assert!(good.contains(from));
            std::fs::write(folder.path().join(TABLE), good.replacen(from, to, 1)).expect("written");
            let error = Texts::load(&RuleFiles::with_overlay(folder.path())).expect_err(to).to_string();
            assert!(error.contains(message), "{error}");
        }
        let lines: Vec<&str> = good.lines().filter(|l| !l.starts_with("advice")).collect();
        std::fs::write(folder.path().join(TABLE), lines.join("\n")).expect("written");
        assert!(Texts::load(&RuleFiles::with_overlay(folder.path())).is_err());
    }
}
