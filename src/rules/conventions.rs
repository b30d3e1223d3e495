//! Conventions where the books leave the reading open, as small tables: `rules/flk/conventions.csv` and `rules/flk/lists.csv`.

use serde::Deserialize;

use crate::tables::{RuleFiles, TableError};

/// How absent elements read, how diagnoses are matched, and the named lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conventions {
    /// Elements that read as a number if they are absent (REAB, DS_ONK, DISP between funds).
    pub absent_reads: Vec<(String, i64)>,
    /// Named lists of code prefixes.
    pub lists: Vec<(String, Vec<String>)>,
    /// Books whose diagnoses are matched by the whole code or by its three-character rubric, and the field that holds the diagnosis.
    pub by_rubric: Vec<(String, String)>,
    /// Calendar days by which a book may be older than an account and still prove that a code does not exist.
    pub book_days: i64,
    /// Calendar days by which the rules may be older than an account before the report says so.
    pub rule_days: i64,
}

#[derive(Deserialize)]
struct Convention {
    kind: String,
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct List {
    id: String,
    values: String,
}

const CONVENTIONS: &str = "flk/conventions.csv";
const LISTS: &str = "flk/lists.csv";

impl Conventions {
    /// Reads both tables.
    ///
    /// # Errors
    /// A row has an unknown kind, a value is not a number, or an item of a list does not end in `*`.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let mut out = Self::default();
        for (line, row) in files.rows::<Convention>(CONVENTIONS)? {
            let fail = |message: String| TableError::new(CONVENTIONS, line, message);
            match row.kind.as_str() {
                "absent" => out.absent_reads.push((row.name, whole(&row.value).map_err(&fail)?)),
                "stale" if row.name == "books" => out.book_days = whole(&row.value).map_err(&fail)?,
                "stale" if row.name == "rules" => out.rule_days = whole(&row.value).map_err(&fail)?,
                "rubric" => out.by_rubric.push((row.name, row.value)),
                other => return Err(fail(format!("kind «{other}»: absent, rubric or stale is due"))),
            }
        }
        for (line, row) in files.rows::<List>(LISTS)? {
            let prefix =
                |item: &str| item.strip_suffix('*').map(str::to_owned).ok_or_else(|| TableError::new(LISTS, line, format!("«{item}»: code and * are due")));
            out.lists.push((row.id, row.values.split_whitespace().map(prefix).collect::<Result<_, _>>()?));
        }
        Ok(out)
    }
}

fn whole(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("«{text}» is no whole number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_tables() {
        let conventions = Conventions::load(&RuleFiles::embedded()).expect("sound");
        assert!(conventions.absent_reads.contains(&("REAB".to_owned(), 0)));
        assert!(conventions.lists.iter().any(|(id, items)| id == "DET21_LIST" && items.contains(&"C22.2".to_owned())));
    }
}
