//! Facts, texts and pools that the tables under `rules/generate/` use.

use std::collections::{HashMap, HashSet};

use super::calendar::{self, Day};
use super::expr::{self, Expr};
use super::rng::{Rng, spread};
use crate::tables::{RuleFiles, TableError};

/// A value of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(super) enum Value {
    /// Not set.
    #[default]
    None,
    /// A number; in an element with a fraction, in units of the last digit (kopecks for two digits).
    Int(i64),
    /// A day.
    Date(Day),
    /// A text, by its number in [`Words`].
    Text(u32),
}

impl Value {
    pub(super) fn is_true(self) -> bool {
        !matches!(self, Self::None | Self::Int(0))
    }
}

/// The index of a fact in [`State::facts`].
pub(super) type Slot = usize;

/// Facts that the program itself sets; the tables may only read them.
pub(super) mod given {
    use super::Slot;

    pub(in super::super) const NAMES: [&str; 25] = [
        "family",
        "letters",
        "version",
        "year",
        "month",
        "period",
        "first_day",
        "last_day",
        "packet",
        "clinic",
        "insurer",
        "file_name",
        "main_name",
        "total_cases",
        "total_sum",
        "person_no",
        "person_key",
        "case_no",
        "record_no",
        "nth",
        "count",
        "version_text",
        "population",
        "since",
        "case_key",
    ];
    pub(in super::super) const FAMILY: Slot = 0;
    pub(in super::super) const LETTERS: Slot = 1;
    pub(in super::super) const VERSION: Slot = 2;
    pub(in super::super) const YEAR: Slot = 3;
    pub(in super::super) const MONTH: Slot = 4;
    pub(in super::super) const PERIOD: Slot = 5;
    pub(in super::super) const FIRST_DAY: Slot = 6;
    pub(in super::super) const LAST_DAY: Slot = 7;
    pub(in super::super) const PACKET: Slot = 8;
    pub(in super::super) const CLINIC: Slot = 9;
    pub(in super::super) const INSURER: Slot = 10;
    pub(in super::super) const FILE_NAME: Slot = 11;
    pub(in super::super) const MAIN_NAME: Slot = 12;
    pub(in super::super) const TOTAL_CASES: Slot = 13;
    pub(in super::super) const TOTAL_SUM: Slot = 14;
    pub(in super::super) const PERSON_NO: Slot = 15;
    pub(in super::super) const PERSON_KEY: Slot = 16;
    pub(in super::super) const CASE_NO: Slot = 17;
    pub(in super::super) const RECORD_NO: Slot = 18;
    pub(in super::super) const NTH: Slot = 19;
    pub(in super::super) const COUNT: Slot = 20;
    pub(in super::super) const VERSION_TEXT: Slot = 21;
    pub(in super::super) const POPULATION: Slot = 22;
    pub(in super::super) const SINCE: Slot = 23;
    pub(in super::super) const CASE_KEY: Slot = 24;
}

/// Facts and random generator while a record is written.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// Values by slot.
    pub(super) facts: Vec<Value>,
    /// Random generator of the current person or case.
    pub(super) rng: Rng,
}

/// Names of facts, texts and pools, resolved to numbers once.
#[derive(Debug)]
pub(super) struct Words<'t> {
    files: &'t RuleFiles,
    facts: HashMap<Box<str>, Slot>,
    fact_names: Vec<Box<str>>,
    /// Facts that some row or pool sets.
    assigned: Vec<bool>,
    texts: HashMap<Box<str>, u32>,
    text_list: Vec<Box<str>>,
    /// A number for each text that depends on its characters alone, not on the tables that were read before.
    text_keys: Vec<u64>,
    pool_names: HashMap<Box<str>, usize>,
    pools: Vec<Pool>,
    elements: HashSet<Box<str>>,
    /// Facts that the program sets; they choose the rows of pools.
    package: State,
}

/// A table of coherent values: drawing a row sets every column as a fact.
#[derive(Debug)]
pub(super) struct Pool {
    name: Box<str>,
    columns: Vec<Box<str>>,
    slots: Vec<Option<Slot>>,
    rows: Vec<WordRow>,
    draws: Vec<Keyed>,
}

#[derive(Debug)]
struct WordRow {
    weight: u64,
    cells: Vec<Value>,
    /// The texts of the cells, for the key columns.
    raw: Vec<Box<str>>,
}

/// Rows of a pool, grouped by the values of some columns.
#[derive(Debug)]
struct Keyed {
    columns: Vec<usize>,
    parts: Vec<Part>,
}

/// Key values, then their rows with the running sum of weights.
type Part = (Vec<Value>, Vec<(u64, u32)>);

impl<'t> Words<'t> {
    pub(super) fn new(files: &'t RuleFiles) -> Self {
        let mut words = Self {
            files,
            facts: HashMap::new(),
            fact_names: Vec::new(),
            assigned: Vec::new(),
            texts: HashMap::new(),
            text_list: Vec::new(),
            text_keys: Vec::new(),
            pool_names: HashMap::new(),
            pools: Vec::new(),
            elements: HashSet::new(),
            package: State { facts: Vec::new(), rng: Rng::new(0, 0) },
        };
        for name in given::NAMES {
            let slot = words.fact(name);
            words.assigned[slot] = true;
        }
        words.package.facts = vec![Value::None; given::NAMES.len()];
        words
    }

    /// Makes the elements of a format known to `has()`.
    pub(super) fn know_elements<'e>(&mut self, names: impl Iterator<Item = &'e str>) {
        self.elements.extend(names.map(Into::into));
    }

    pub(super) fn has_element(&self, name: &str) -> bool {
        self.elements.contains(name)
    }

    /// The slot of a fact.
    pub(super) fn fact(&mut self, name: &str) -> Slot {
        if let Some(slot) = self.facts.get(name) {
            return *slot;
        }
        let slot = self.fact_names.len();
        self.facts.insert(name.into(), slot);
        self.fact_names.push(name.into());
        self.assigned.push(false);
        slot
    }

    /// The slot of a fact that a row sets.
    pub(super) fn assign(&mut self, name: &str) -> Result<Slot, String> {
        let slot = self.fact(name);
        if slot < given::NAMES.len() {
            return Err(format!("the fact «{name}» is given by the program"));
        }
        self.assigned[slot] = true;
        Ok(slot)
    }

    /// Facts that are read but never set.
    pub(super) fn never_set(&self) -> Vec<&str> {
        self.fact_names.iter().zip(&self.assigned).filter(|(_, set)| !**set).map(|(name, _)| &**name).collect()
    }

    pub(super) fn fact_count(&self) -> usize {
        self.fact_names.len()
    }

    /// Sets a fact of the program, for the choice of rows.
    pub(super) fn give(&mut self, slot: Slot, value: Value) {
        self.package.facts[slot] = value;
    }

    pub(super) fn given(&self) -> &State {
        &self.package
    }

    /// The number of a text, which is added if it is new.
    pub(super) fn text(&mut self, text: &str) -> u32 {
        if let Some(id) = self.texts.get(text) {
            return *id;
        }
        let id = self.text_list.len() as u32;
        self.texts.insert(text.into(), id);
        self.text_list.push(text.into());
        self.text_keys.push(spread(text));
        id
    }

    /// The number of a text that was added before.
    pub(super) fn known_text(&self, text: &str) -> u32 {
        self.texts.get(text).copied().unwrap_or_default()
    }

    pub(super) fn texts(&self) -> &[Box<str>] {
        &self.text_list
    }

    /// A number that depends on the characters of a text alone.
    pub(super) fn text_key(&self, id: u32) -> u64 {
        self.text_keys[id as usize]
    }

    /// Reads a cell or constant: a number without leading zeros, an ISO date, else a text.
    pub(super) fn value(&mut self, text: &str) -> Value {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = digits == "0" || (!digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()));
        if let Some(number) = plain.then(|| text.parse().ok()).flatten() {
            return Value::Int(number);
        }
        let parts: Vec<i64> = if text.len() == 10 { text.split('-').filter_map(|p| p.parse().ok()).collect() } else { Vec::new() };
        match *parts.as_slice() {
            _ if text.is_empty() => Value::None,
            [y, m, d] if text.as_bytes()[4] == b'-' => Value::Date(calendar::day(y, m, d)),
            _ => Value::Text(self.text(text)),
        }
    }

    /// The pool of a name, which is read when it is first mentioned.
    pub(super) fn pool(&mut self, name: &str) -> Result<usize, String> {
        if let Some(ix) = self.pool_names.get(name) {
            return Ok(*ix);
        }
        let pool = self.read_pool(name).map_err(|e| e.to_string())?;
        self.pools.push(pool);
        self.pool_names.insert(name.into(), self.pools.len() - 1);
        Ok(self.pools.len() - 1)
    }

    fn read_pool(&mut self, name: &str) -> Result<Pool, TableError> {
        let table = format!("generate/pools/{name}.csv");
        let text = self.files.text(&table)?;
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let fail = |e: &csv::Error| TableError::new(&table, e.position().map_or(0, csv::Position::line), e.to_string());
        let columns: Vec<Box<str>> = reader.headers().map_err(|e| fail(&e))?.iter().map(Into::into).collect();
        let column = |wanted: &str| columns.iter().position(|c| &**c == wanted);
        let (when, weight) = (column("when"), column("weight"));
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| fail(&e))?;
            let line = record.position().map_or(0, csv::Position::line);
            let wrong = |message: String| TableError::new(&table, line, message);
            if let Some(condition) = when.map(|i| &record[i]).filter(|c| !c.is_empty()) {
                let condition = expr::parse(self, condition).map_err(wrong)?;
                if condition.uses(|slot| slot >= given::NAMES.len()) {
                    return Err(wrong("«when» of a pool may only ask what the program gives".into()));
                }
                let mut state = self.package.clone();
                if !self.eval(&condition, &mut state).map_err(wrong)?.is_true() {
                    continue;
                }
            }
            let weight = match weight.map(|i| &record[i]).filter(|w| !w.is_empty()) {
                Some(weight) => weight.parse().map_err(|_| wrong(format!("weight «{weight}»")))?,
                None => 1,
            };
            let cells = record.iter().map(|cell| self.value(cell)).collect();
            rows.push(WordRow { weight, cells, raw: record.iter().map(Into::into).collect() });
        }
        let mut slots = Vec::new();
        for column in &columns {
            // Facts that the program sets can be keys, but no pool sets them.
            let special = matches!(&**column, "when" | "weight" | "note") || given::NAMES.contains(&&**column);
            slots.push(if special { None } else { Some(self.assign(column).map_err(|e| TableError::new(&table, 1, e))?) });
        }
        Ok(Pool { name: name.into(), columns, slots, rows, draws: Vec::new() })
    }

    /// Prepares draws from a pool by some columns; key columns are not set by the draw.
    pub(super) fn keyed(&mut self, pool: usize, keys: &[&str]) -> Result<usize, String> {
        let columns = keys.iter().map(|key| self.column(pool, key)).collect::<Result<Vec<_>, _>>()?;
        if let Some(known) = self.pools[pool].draws.iter().position(|d| d.columns == columns) {
            return Ok(known);
        }
        let mut parts: Vec<Part> = Vec::new();
        for row in 0..self.pools[pool].rows.len() {
            // A key cell may name several values: the row belongs to each of them.
            let mut values: Vec<Vec<Value>> = vec![Vec::new()];
            for column in &columns {
                let cell = self.pools[pool].rows[row].raw[*column].clone();
                let options: Vec<Value> = cell.split('|').map(|part| self.value(part.trim())).collect();
                values = values.into_iter().flat_map(|head| options.iter().map(move |o| [head.as_slice(), &[*o]].concat())).collect();
            }
            for value in values {
                let weight = self.pools[pool].rows[row].weight;
                let at = parts.iter().position(|(v, _)| *v == value).unwrap_or_else(|| {
                    parts.push((value, Vec::new()));
                    parts.len() - 1
                });
                let sum = parts[at].1.last().map_or(0, |(sum, _)| *sum) + weight;
                parts[at].1.push((sum, row as u32));
            }
        }
        let pool = &mut self.pools[pool];
        pool.draws.push(Keyed { columns, parts });
        Ok(pool.draws.len() - 1)
    }

    pub(super) fn column(&self, pool: usize, name: &str) -> Result<usize, String> {
        let pool = &self.pools[pool];
        pool.columns.iter().position(|c| &**c == name).ok_or_else(|| format!("the pool «{}» has no column «{name}»", pool.name))
    }

    pub(super) fn pool_size(&self, pool: usize) -> usize {
        self.pools[pool].rows.len()
    }

    pub(super) fn cell(&self, pool: usize, column: usize, row: i64) -> Value {
        let rows = &self.pools[pool].rows;
        if rows.is_empty() { Value::None } else { rows[row.rem_euclid(rows.len() as i64) as usize].cells[column] }
    }

    /// Draws a row by the facts `keys` and sets its other columns; returns the number of the row.
    pub(super) fn draw(&self, pool: usize, draw: usize, keys: &[Slot], state: &mut State) -> Result<Value, String> {
        let pool = &self.pools[pool];
        let keyed = &pool.draws[draw];
        let part = keyed.parts.iter().find(|(values, _)| values.iter().zip(keys).all(|(value, key)| *value == state.facts[*key]));
        let Some((_, rows)) = part.filter(|(_, rows)| rows.last().is_some_and(|(sum, _)| *sum > 0)) else {
            let wanted: Vec<String> = keys.iter().map(|k| format!("{} = {}", self.fact_names[*k], self.show(state.facts[*k]))).collect();
            return Err(format!("the pool «{}» has no row for {}", pool.name, wanted.join(", ")));
        };
        let total = rows.last().map_or(0, |(sum, _)| *sum);
        let drawn = state.rng.below(total);
        let row = rows[rows.partition_point(|(sum, _)| *sum <= drawn)].1;
        for (column, (slot, cell)) in pool.slots.iter().zip(&pool.rows[row as usize].cells).enumerate() {
            if let Some(slot) = slot
                && !keyed.columns.contains(&column)
            {
                state.facts[*slot] = *cell;
            }
        }
        Ok(Value::Int(i64::from(row)))
    }

    pub(super) fn show(&self, value: Value) -> String {
        match value {
            Value::None => "nothing".to_owned(),
            Value::Int(n) => n.to_string(),
            Value::Date(day) => {
                let mut out = Vec::new();
                calendar::append_iso(day, &mut out);
                String::from_utf8_lossy(&out).into_owned()
            }
            Value::Text(id) => self.text_list[id as usize].to_string(),
        }
    }

    /// Evaluates an expression.
    pub(super) fn eval(&self, expr: &Expr, state: &mut State) -> Result<Value, String> {
        expr::eval(self, expr, state)
    }
}
