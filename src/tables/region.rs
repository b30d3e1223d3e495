//! A region: a folder of the shape of `rules/` whose rows are merged over the federal tables. A federal update still arrives, because a region holds only
//! what it adds or changes.

use std::collections::BTreeMap;
use std::str::FromStr;

use glob::Pattern;
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
    order: String,
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
    /// A table in TOML.
    Text(String),
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
            let order =
                row.order.parse().map_err(|()| TableError::new(KEYS, line, format!("order «{}»: end, sorted, after, own or alone is due", row.order)))?;
            let key: Vec<String> = row.key.split_whitespace().map(str::to_owned).collect();
            if key.is_empty() {
                return Err(TableError::new(KEYS, line, "no key"));
            }
            keys.push((pattern, Fitting { key, order }));
        }
        let mut this = Self { code: code.to_owned(), name: String::new(), weighing: Weighing::default(), tables: BTreeMap::new() };
        // A folder may hold other things too, such as a README or what an editor leaves.
        let is_table = |name: &String| (name.ends_with(".csv") || name.ends_with(".toml")) && !name.split('/').any(|part| part.starts_with('.'));
        for table in files.files(&folder).into_iter().filter(is_table) {
            let own = format!("{folder}{table}");
            let text = files.text(&own)?;
            let merged = if table == SETTINGS {
                let settings: Settings = toml::from_str(&text).map_err(|e| TableError::of_toml(&own, &text, &e))?;
                let Settings { name, select, ignore, severity } = settings;
                (this.name, this.weighing) = (name, Weighing { select, ignore, severity });
                continue;
            } else if table.ends_with(".toml") {
                let federal = files.text(&table)?;
                let mut base: Table = toml::from_str(&federal).map_err(|e| TableError::of_toml(&table, &federal, &e))?;
                let counts = merge(&mut base, toml::from_str(&text).map_err(|e| TableError::of_toml(&own, &text, &e))?);
                (Merged::Text(toml::to_string(&base).expect("it was read from TOML")), counts)
            } else if let Some((_, fitting)) = keys.iter().find(|(pattern, _)| pattern.matches(&table)) {
                let rows = Sheet::parse(&own, &text, |number| Line::of_region(number, mark))?;
                match (files.text(&table), fitting.order) {
                    (Err(_), Order::Alone | Order::Own) => {
                        let counts = Counts { added: rows.len(), changed: 0 };
                        (Merged::Sheet(rows), counts)
                    }
                    (Ok(base), Order::End | Order::Sorted | Order::After | Order::Own) => {
                        let mut base = Sheet::parse(&table, &base, Line::of_table)?;
                        let counts = base.merge(&table, &rows, fitting)?;
                        (Merged::Sheet(base), counts)
                    }
                    (Err(_), _) => return Err(TableError::new(&own, 0, "the federal tables have no such table")),
                    (Ok(_), Order::Alone) => {
                        return Err(TableError::new(&own, 0, "the federal tables have a table of this name; a region adds tables of other names"));
                    }
                }
            } else {
                let known: Vec<&str> = keys.iter().map(|(pattern, _)| pattern.as_str()).collect();
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
            Some((Merged::Sheet(sheet), _)) => Some(sheet),
            _ => None,
        }
    }

    pub(super) fn text(&self, table: &str) -> Option<String> {
        Some(match &self.tables.get(table)?.0 {
            Merged::Sheet(sheet) => sheet.text(),
            Merged::Text(text) => text.clone(),
        })
    }
}

impl FromStr for Order {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "end" => Ok(Self::End),
            "sorted" => Ok(Self::Sorted),
            "after" => Ok(Self::After),
            "own" => Ok(Self::Own),
            "alone" => Ok(Self::Alone),
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
