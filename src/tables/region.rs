//! A region: a folder of the shape of `rules/` whose rows are merged over the federal tables. A federal update still arrives, because a region holds only
//! what it adds or changes.

use std::collections::BTreeMap;
use std::str::FromStr;

use glob::{MatchOptions, Pattern};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::line::FOLDER;
use super::merge::{Counts, Fitting, Order, Sheet};
use super::{Line, RuleFiles, TableError};

/// The table that says how rows of a region find their places.
const KEYS: &str = "regions/keys.csv";

/// The settings of a region: its name, and rules that it leaves out or weighs otherwise. They are read by whoever decides which findings count.
const SETTINGS: &str = "region.toml";

#[derive(Deserialize)]
struct KeyRow {
    table: String,
    key: String,
    #[serde(default)]
    lists: String,
    #[serde(default)]
    apart: String,
    order: String,
    /// What the rows are, or why no region changes them.
    note: String,
}

/// A region and the tables that it changes.
#[derive(Debug, Clone)]
pub struct Region {
    code: String,
    name: String,
    weighing: Weighing,
    tables: BTreeMap<String, (Merged, Counts)>,
}

#[derive(Debug, Clone)]
enum Merged {
    Sheet(Sheet),
    /// A table of the region's own, and its text as it stands in the file.
    Alone(Sheet, String),
    /// A table in TOML, and the region's own text of it.
    Toml {
        merged: String,
        own: String,
    },
}

/// A region whose tables were merged, and what it changes; machine formats hold it as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Merging {
    /// Two digits.
    pub code: String,
    /// Its name; empty if its settings give none.
    pub name: String,
    /// The tables that it changes, by name.
    pub tables: Vec<Touched>,
    /// The rules that it leaves out or weighs otherwise.
    #[serde(flatten)]
    pub weighing: Weighing,
}

/// Rules that a region leaves out or weighs otherwise, by ids or their beginnings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Weighing {
    /// The only rules that run; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub select: Vec<String>,
    /// Rules that do not run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// Severities by rule: `error`, `warning`, `info` or `off`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub severity: BTreeMap<String, String>,
}

/// A table that a region changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Touched {
    /// Name of the table.
    pub table: String,
    /// Number of federal rows that are changed.
    pub changed: u64,
    /// Number of rows that are added.
    pub added: u64,
}

/// The keys that the settings of a region may have. Another one would have no effect, so it is refused.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    name: String,
    select: Vec<String>,
    ignore: Vec<String>,
    severity: BTreeMap<String, String>,
}

impl Region {
    pub(super) fn load(files: &RuleFiles, code: &str) -> Result<Self, TableError> {
        let folder = format!("{FOLDER}{code}/");
        let mark: [u8; 2] = code
            .as_bytes()
            .try_into()
            .ok()
            .filter(|code: &[u8; 2]| code.iter().all(u8::is_ascii_digit))
            .ok_or_else(|| TableError::new(FOLDER, 0, format!("«{code}»: a region has a code of two digits")))?;
        let mut keys = Vec::new();
        for (line, row) in files.rows::<KeyRow>(KEYS)? {
            let pattern = Pattern::new(&row.table).map_err(|e| TableError::new(KEYS, line, e.to_string()))?;
            let order = row
                .order
                .parse()
                .map_err(|()| TableError::new(KEYS, line, format!("order «{}»: end, first, sorted, after, own, alone or no is due", row.order)))?;
            let words = |cell: &str| cell.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let fitting = Fitting { key: words(&row.key), lists: words(&row.lists), apart: words(&row.apart), order };
            if fitting.key.is_empty() && order != Order::No {
                return Err(TableError::new(KEYS, line, "no key"));
            }
            keys.push((pattern, fitting, row.note));
        }
        let mut this = Self { code: code.to_owned(), name: String::new(), weighing: Weighing::default(), tables: BTreeMap::new() };
        // A folder may hold other things too, such as a README or what an editor leaves.
        let is_table = |name: &String| {
            let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
            ["csv", "toml"].iter().any(|known| ending.eq_ignore_ascii_case(known)) && !name.split('/').any(|part| part.starts_with('.'))
        };
        for table in files.files(&folder).into_iter().filter(is_table) {
            let own = format!("{folder}{table}");
            let text = files.text(&own)?;
            let merged = if table == SETTINGS {
                let settings: Settings = toml::from_str(&text).map_err(|e| TableError::of_toml(&own, &text, &e))?;
                let Settings { name, select, ignore, severity } = settings;
                (this.name, this.weighing) = (name, Weighing { select, ignore, severity });
                continue;
            } else if table.ends_with(".toml") {
                let federal = files.text(&table).map_err(|_| TableError::new(&own, 0, "the federal tables have no such table"))?;
                let mut base: Table = toml::from_str(&federal).map_err(|e| TableError::of_toml(&table, &federal, &e))?;
                let counts = merge(&mut base, toml::from_str(&text).map_err(|e| TableError::of_toml(&own, &text, &e))?);
                (Merged::Toml { merged: toml::to_string(&base).expect("it was read from TOML"), own: text.into_owned() }, counts)
            } else if let Some((_, fitting, note)) = keys.iter().find(|(pattern, ..)| pattern.matches(&table)) {
                if fitting.order == Order::No {
                    return Err(TableError::new(&own, 0, format!("no region changes this table: {note}")));
                }
                let rows = Sheet::parse(&own, &text, |number| Line::of_region(number, mark))?;
                match (files.text(&table), fitting.order) {
                    (Err(_), Order::Alone | Order::Own) => {
                        let counts = Counts { added: rows.len(), changed: 0 };
                        (Merged::Alone(rows, text.into_owned()), counts)
                    }
                    (Ok(base), Order::End | Order::First | Order::Sorted | Order::After | Order::Own) => {
                        let mut base = Sheet::parse(&table, &base, Line::of_table)?;
                        let counts = base.merge(&table, &rows, fitting)?;
                        (Merged::Sheet(base), counts)
                    }
                    (Err(_), _) => return Err(TableError::new(&own, 0, "the federal tables have no such table")),
                    (Ok(_), Order::Alone | Order::No) => {
                        return Err(TableError::new(&own, 0, "the federal tables have a table of this name; a region adds tables of other names"));
                    }
                }
            } else {
                let in_any_case = MatchOptions { case_sensitive: false, ..MatchOptions::new() };
                if let Some((meant, ..)) = keys.iter().find(|(pattern, ..)| pattern.matches_with(&table, in_any_case)) {
                    return Err(TableError::new(&own, 0, format!("nothing reads a table of this name: {} is written in other letters", meant.as_str())));
                }
                let known: Vec<&str> = keys.iter().filter(|(_, fitting, _)| fitting.order != Order::No).map(|(pattern, ..)| pattern.as_str()).collect();
                return Err(TableError::new(&own, 0, format!("a region does not change this table; it may change {}", known.join(", "))));
            };
            this.tables.insert(table, merged);
        }
        Ok(this)
    }

    /// What it changes.
    pub fn merging(&self) -> Merging {
        let touched =
            |(table, (_, Counts { changed, added })): (&String, &(Merged, Counts))| Touched { table: table.clone(), changed: *changed, added: *added };
        Merging { code: self.code.clone(), name: self.name.clone(), tables: self.tables.iter().map(touched).collect(), weighing: self.weighing.clone() }
    }

    /// Name of the table of its settings.
    pub fn settings(code: &str) -> String {
        format!("{FOLDER}{code}/{SETTINGS}")
    }

    pub(super) fn has(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    pub(super) fn sheet(&self, table: &str) -> Option<&Sheet> {
        match self.tables.get(table) {
            Some((Merged::Sheet(sheet) | Merged::Alone(sheet, _), _)) => Some(sheet),
            _ => None,
        }
    }

    pub(super) fn text(&self, table: &str) -> Option<String> {
        Some(match &self.tables.get(table)?.0 {
            Merged::Sheet(sheet) => sheet.text(),
            Merged::Alone(_, text) | Merged::Toml { merged: text, .. } => text.clone(),
        })
    }

    /// The same error at the region's file, if it is said of a federal table that the region changes. Only who knows that the federal table is sound
    /// without the region may say so.
    pub(super) fn blame(&self, error: TableError, tables: &[&str]) -> TableError {
        let file = |table: &str| format!("{FOLDER}{}/{table}", self.code);
        let line = match self.tables.get(&error.table) {
            None if error.table.starts_with(FOLDER) => return error,
            // A federal row that uses what the region has changed.
            None => return tables.first().map_or(error.clone(), |table| TableError::new(&file(table), 0, error.to_string())),
            Some((Merged::Alone(..), _)) => error.line,
            Some((Merged::Toml { merged, own }, _)) => line_of_own(merged, own, error.line),
            // The row is a federal one, and the region's other row is in its way.
            Some((Merged::Sheet(_), _)) => 0,
        };
        TableError { table: file(&error.table), line, message: error.message }
    }
}

impl FromStr for Order {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "end" => Ok(Self::End),
            "first" => Ok(Self::First),
            "sorted" => Ok(Self::Sorted),
            "after" => Ok(Self::After),
            "own" => Ok(Self::Own),
            "alone" => Ok(Self::Alone),
            "no" => Ok(Self::No),
            _ => Err(()),
        }
    }
}

/// Merges TOML: values replace, tables are merged, and in lists of tables those with the same `id`.
fn merge(base: &mut Table, own: Table) -> Counts {
    let mut counts = Counts::default();
    for (key, value) in own {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(own)) => counts.add(merge(base, own)),
            (Some(Value::Array(base)), Value::Array(own)) if base.iter().chain(&own).all(|one| id(one).is_some()) => {
                for one in own {
                    match (base.iter_mut().find(|known| id(known) == id(&one)), one) {
                        (Some(Value::Table(known)), Value::Table(one)) => {
                            merge(known, one);
                            counts.changed += 1;
                        }
                        (_, one) => {
                            base.push(one);
                            counts.added += 1;
                        }
                    }
                }
            }
            (Some(known), value) => {
                *known = value;
                counts.changed += 1;
            }
            (None, value) => {
                base.insert(key, value);
                counts.added += 1;
            }
        }
    }
    counts
}

fn id(value: &Value) -> Option<&str> {
    value.get("id")?.as_str()
}

/// The line of a region's text in TOML that a line of the merged text comes from: of the same key in the same block, else of the block; 0 if the region has
/// neither.
fn line_of_own(merged: &str, own: &str, line: u64) -> u64 {
    let at = usize::try_from(line).unwrap_or_default();
    let before: Vec<&str> = merged.lines().take(at).collect();
    let key = |text: &str| text.split_once('=').map(|(key, _)| key.trim().to_owned());
    let is_head = |text: &str| text.starts_with('[');
    let Some(here) = before.last() else { return 0 };
    let block: Vec<&str> = match before.iter().rposition(|text| is_head(text)) {
        Some(head) => merged.lines().skip(head).take(1).chain(merged.lines().skip(head + 1).take_while(|text| !is_head(text))).collect(),
        None => Vec::new(),
    };
    let number = |at: usize| at as u64 + 1;
    let lines: Vec<&str> = own.lines().map(str::trim).collect();
    let id = block.iter().find(|text| key(text).as_deref() == Some("id"));
    let begin = match (id, block.first()) {
        (Some(id), _) => lines.iter().position(|text| text.split_whitespace().eq(id.split_whitespace())),
        (None, Some(head)) => lines.iter().position(|text| text == head),
        (None, None) => return lines.iter().position(|text| key(text).is_some() && key(text) == key(here)).map_or(0, number),
    };
    let Some(begin) = begin else { return 0 };
    let same =
        lines[begin..].iter().enumerate().take_while(|(at, text)| *at == 0 || !is_head(text)).find(|(_, text)| key(text).is_some() && key(text) == key(here));
    number(same.map_or(begin, |(at, _)| begin + at))
}
