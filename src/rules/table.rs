//! The rule tables under `rules/flk/` and `rules/sense/`, with one row for each rule.

use std::collections::HashMap;

use serde::Deserialize;

use super::ast::Expr;
use super::number::iso_date;
use super::parse::parse;
use crate::finding::{Menders, Mends};
use crate::tables::{Line, RuleFiles, TableError};
use crate::texts::{Severity, Text, slots_of};
use crate::values::Date;

/// One rule as its table states it.
#[derive(Debug, Clone)]
pub struct RuleRow {
    /// Federal id, such as `006F.00.0400`.
    pub id: String,
    /// Letters of file families in the rule book: H C T X L, and D R A of the exchange between funds.
    pub files: Vec<char>,
    /// Path of the checked element.
    pub element: String,
    /// The condition under which the rule applies; `None` means always.
    pub when: Option<Expr>,
    /// The requirement; `None` for rules that cannot be expressed.
    pub require: Option<Expr>,
    /// Condition and requirement as published, for a row that an import could not read.
    pub unread: Option<[String; 2]>,
    /// How the rule runs: core, builtin, template, external, expert, prose.
    pub kind: String,
    /// First day in force; `None` means no limit.
    pub from: Option<Date>,
    /// Last day in force, inclusive; `None` means no limit.
    pub until: Option<Date>,
    /// Why the row or one of its dates is inferred; empty if all of it is the book's.
    pub inferred: String,
    /// Severity of its findings.
    pub severity: Severity,
    /// Note of the table.
    pub note: Text,
    /// What is wrong, as a text for users.
    pub text: Text,
    /// What to do in the MIS, as a text for users.
    pub advice: Text,
    /// Who can mend what it finds.
    pub mends: Mends,
    /// Table and line, for messages.
    pub place: (String, Line),
}

impl RuleRow {
    /// Whether the rule is in force on a day; for a package that is the last day of its reporting month.
    pub fn in_force(&self, on: Date) -> bool {
        self.from.is_none_or(|f| f <= on) && self.until.is_none_or(|u| on <= u)
    }

    /// Whether the last day lies before the first one, so that the rule is never in force.
    pub fn has_no_day(&self) -> bool {
        self.from.zip(self.until).is_some_and(|(from, until)| until < from)
    }

    /// The category: `006F` of `006F.00.0400`, `L` of `L001`.
    pub fn category(&self) -> &str {
        category(&self.id)
    }
}

/// The category of a rule by its id.
pub(super) fn category(id: &str) -> &str {
    match id.split_once('.') {
        Some((category, _)) => category,
        None => id.trim_end_matches(|c: char| c.is_ascii_digit()),
    }
}

/// The kind of a row that an import could not read: its condition and requirement are the published texts, its note is the reason.
pub const UNREAD: &str = "unread";

/// Kinds of rows whose requirement a file can answer.
const RUNNING: [&str; 3] = ["core", "builtin", "template"];
/// Kinds of rows that need what no file holds, or are known in words only.
const IDLE: [&str; 4] = ["external", "expert", "prose", UNREAD];
/// Slots that texts of rules may have.
const SLOTS: [&str; 5] = ["element", "parent", "value", "expected", "found"];

#[derive(Deserialize)]
struct Columns {
    id: String,
    files: String,
    element: String,
    when: String,
    require: String,
    kind: String,
    from: String,
    until: String,
    inferred: String,
    severity: Severity,
    note_ru: String,
    note_en: String,
    ru: String,
    en: String,
    advice_ru: String,
    advice_en: String,
    /// Empty or absent: what `rules/mends.csv` says.
    #[serde(default)]
    mends: String,
}

/// The tables of all rules that the control runs, in the order in which they are read: the ФЛК rule book, then what common sense sees.
pub const RULE_TABLES: &[&str] = &["flk/001F.csv", "flk/002F.csv", "flk/003F.csv", "flk/004F.csv", "flk/005F.csv", "flk/006F.csv", "sense/L.csv"];

/// Reads rule tables.
///
/// # Errors
/// A row cannot be read, an id repeats for the same files and days, or a condition does not parse; the error names the table, line and place.
pub fn load(files: &RuleFiles, tables: &[&str]) -> Result<Vec<RuleRow>, TableError> {
    let menders = Menders::load(files)?;
    let mut rows: Vec<RuleRow> = Vec::new();
    let mut by_id: HashMap<String, Vec<usize>> = HashMap::new();
    for table in tables {
        for (line, columns) in files.rows::<Columns>(table)? {
            let row = row(columns, table, line, &menders)?;
            let same = by_id.entry(row.id.clone()).or_default();
            if let Some(other) = same.iter().map(|i| &rows[*i]).find(|r| overlap(r, &row)) {
                let twice = format!("{} stands twice for the same files and days (line {})", row.id, other.place.1);
                // Of one row of a region both may come.
                let message = if other.place == (row.place.0.clone(), line) { format!("{twice}; say which of several rows is meant") } else { twice };
                return Err(TableError::new(table, line, message));
            }
            same.push(rows.len());
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Whether two rows cover the same files on the same days. A rule that ended earlier for some families has several rows.
fn overlap(a: &RuleRow, b: &RuleRow) -> bool {
    let before = |until: Option<Date>, from: Option<Date>| until.zip(from).is_some_and(|(u, f)| u < f);
    a.files.iter().any(|f| b.files.contains(f)) && !before(a.until, b.from) && !before(b.until, a.from)
}

fn row(columns: Columns, table: &str, line: Line, menders: &Menders) -> Result<RuleRow, TableError> {
    let fail = |message: String| TableError::new(table, line, format!("{}: {message}", columns.id));
    let unread = columns.kind == UNREAD;
    let expr = |column: &str, text: &str| match text.trim() {
        _ if unread => Ok(None),
        "" => Ok(None),
        text => parse(text).map(Some).map_err(|e| fail(format!("{column} {e}: {text}"))),
    };
    let day = |column: &str, text: &str| match text {
        "" => Ok(None),
        text => iso_date(text.as_bytes()).map(Some).ok_or_else(|| fail(format!("{column} «{text}»: YYYY-MM-DD is due"))),
    };
    let mut letters = Vec::new();
    for word in columns.files.split_whitespace() {
        match word.chars().collect::<Vec<_>>().as_slice() {
            [letter @ ('H' | 'C' | 'T' | 'X' | 'L' | 'D' | 'R' | 'A')] => letters.push(*letter),
            _ => return Err(fail(format!("files: «{word}» is no family letter of the book"))),
        }
    }
    for (column, text) in
        [("ru", &columns.ru), ("en", &columns.en), ("advice_ru", &columns.advice_ru), ("advice_en", &columns.advice_en), ("element", &columns.element)]
    {
        if text.trim().is_empty() {
            return Err(fail(format!("column {column} is empty")));
        }
    }
    let kind = columns.kind.as_str();
    if !RUNNING.contains(&kind) && !IDLE.contains(&kind) {
        return Err(fail(format!("kind «{kind}» is none of: {}, {}", RUNNING.join(", "), IDLE.join(", "))));
    }
    if RUNNING.contains(&kind) && columns.require.trim().is_empty() {
        return Err(fail(format!("column require is empty, and kind «{kind}» needs it")));
    }
    for (column, text) in [("ru", &columns.ru), ("en", &columns.en), ("advice_ru", &columns.advice_ru), ("advice_en", &columns.advice_en)] {
        if let Some(slot) = slots_of(text).find(|slot| !SLOTS.contains(slot)) {
            return Err(fail(format!("{column}: unknown slot {{{slot}}}, known are: {}", SLOTS.join(", "))));
        }
    }
    Ok(RuleRow {
        mends: menders.of(&columns.mends, &columns.id, &columns.element).map_err(fail)?,
        when: expr("when", &columns.when)?,
        require: expr("require", &columns.require)?,
        unread: unread.then(|| [columns.when.clone(), columns.require.clone()]),
        from: day("from", &columns.from)?,
        until: day("until", &columns.until)?,
        id: columns.id.clone(),
        files: letters,
        element: columns.element.clone(),
        kind: columns.kind.clone(),
        inferred: columns.inferred.clone(),
        severity: columns.severity,
        note: Text { ru: columns.note_ru.clone(), en: columns.note_en.clone() },
        text: Text { ru: columns.ru.clone(), en: columns.en.clone() },
        advice: Text { ru: columns.advice_ru.clone(), en: columns.advice_en.clone() },
        place: (table.to_owned(), line),
    })
}
