//! A table as a sheet of texts, and the merging of a region's rows into it.

use std::collections::BTreeMap;

use csv::StringRecord;
use serde::de::DeserializeOwned;

use super::{Line, TableError};

/// What a region writes into a cell to empty it; an empty cell leaves the federal value.
const EMPTY: &str = "-";

/// The column by which a region says behind which element a new one stands.
const AFTER: &str = "after";

/// A CSV table.
#[derive(Debug, Clone)]
pub(super) struct Sheet {
    /// The line of the head.
    first: Line,
    head: StringRecord,
    rows: Vec<(Line, Vec<String>)>,
}

/// How the rows of a region find their places in a table.
#[derive(Debug, Clone)]
pub(super) struct Fitting {
    /// The columns that tell which rows a region's row means.
    pub(super) key: Vec<String>,
    /// Those of them that hold a list of words. Where no row has the whole list, a row that has more words is meant, and it goes on for these alone.
    pub(super) lists: Vec<String>,
    /// The columns that tell apart rows of one key: of several rows that fit, those are meant that have what the region's row says in these columns.
    pub(super) apart: Vec<String>,
    pub(super) order: Order,
}

/// Where a new row goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// To the end.
    End,
    /// To the beginning, for tables whose first row that fits decides.
    First,
    /// By the first column of the key.
    Sorted,
    /// Behind the row that the column `after` names, among the rows with the same value in the first column of the key; to their end without it.
    After,
    /// As in `Sorted`; without a federal table the region's stands alone.
    Own,
    /// Nowhere: the table is the region's own and stands alone.
    Alone,
    /// Nowhere: no region changes the table.
    No,
}

/// How many rows, or settings, a merge changed and added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) changed: u64,
    pub(super) added: u64,
}

impl Counts {
    pub(super) fn add(&mut self, other: Self) {
        self.changed += other.changed;
        self.added += other.added;
    }
}

impl Sheet {
    /// Number of rows.
    pub(super) fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Reads a table; `line` makes a line of its number.
    pub(super) fn parse(table: &str, text: &str, line: impl Fn(u64) -> Line) -> Result<Self, TableError> {
        let fail = |error: &csv::Error| TableError::new(table, error.position().map_or(0, csv::Position::line), error.to_string());
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let head = reader.headers().map_err(|e| fail(&e))?.clone();
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| fail(&e))?;
            rows.push((line(record.position().map_or(0, csv::Position::line)), record.iter().map(str::to_owned).collect()));
        }
        Ok(Self { first: line(1), head, rows })
    }

    /// The rows as values of a type.
    pub(super) fn read<T: DeserializeOwned>(&self, table: &str) -> Result<Vec<(Line, T)>, TableError> {
        let row = |(line, cells): &(Line, Vec<String>)| match StringRecord::from(cells.as_slice()).deserialize(Some(&self.head)) {
            Ok(row) => Ok((*line, row)),
            Err(error) => Err(TableError::new(table, *line, self.misread(cells, &error))),
        };
        self.rows.iter().map(row).collect()
    }

    /// The table as a text.
    pub(super) fn text(&self) -> String {
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        let rows = std::iter::once(self.head.clone()).chain(self.rows.iter().map(|(_, cells)| StringRecord::from(cells.as_slice())));
        for row in rows {
            writer.write_record(&row).expect("memory takes it");
        }
        String::from_utf8(writer.into_inner().expect("memory takes it")).expect("made of texts")
    }

    /// Merges the rows of a region. A row whose filled key columns fit rows of this table changes their other columns, where it fills them; a row that fits
    /// none is added.
    pub(super) fn merge(&mut self, table: &str, own: &Self, fitting: &Fitting) -> Result<Counts, TableError> {
        let columns = self.columns(table, own, fitting)?;
        let after = own.head.iter().position(|name| name == AFTER).filter(|_| fitting.order == Order::After);
        let mut counts = Counts::default();
        let mut new_rows = Vec::new();
        let federal = self.rows.clone();
        let mut parts = BTreeMap::new();
        for (line, cells) in &own.rows {
            let filled: Vec<(usize, &str)> =
                columns.iter().filter_map(|(at, to)| Some((*to, cells[*at].as_str())).filter(|(_, cell)| !cell.is_empty())).collect();
            let is_key = |column: usize| fitting.key.iter().any(|name| *name == self.head[column]);
            let (key, values): (Vec<_>, Vec<_>) = filled.iter().copied().partition(|(column, _)| is_key(*column));
            if !key.iter().any(|(column, _)| self.head[*column] == fitting.key[0]) {
                return Err(TableError::new(table, *line, format!("no {}", fitting.key[0])));
            }
            // Only federal rows are meant: a region may have several rows of one key, as for two periods.
            let (fits, is_part) = self.fitting(&federal, &key, fitting);
            let fits = self.told_apart(&federal, fits, &filled, fitting).map_err(|message| TableError::new(table, *line, message))?;
            for row in &fits {
                let changed = if is_part {
                    let parts = parts.entry(*row).or_insert_with(Vec::new);
                    parts.push(self.rows[*row].clone());
                    key.iter().for_each(|(column, cell)| parts.last_mut().expect("just pushed").1[*column] = value(cell));
                    parts.last_mut().expect("just pushed")
                } else {
                    &mut self.rows[*row]
                };
                for (column, cell) in &values {
                    changed.1[*column] = value(cell);
                }
                // What is wrong with the row now is what the region wrote.
                changed.0 = *line;
            }
            counts.changed += fits.len() as u64;
            if fits.is_empty() {
                let mut new = vec![String::new(); self.head.len()];
                filled.iter().for_each(|(column, cell)| new[*column] = value(cell));
                new_rows.push((*line, new, after.map(|at| cells[at].as_str()).filter(|name| !name.is_empty())));
            }
        }
        for (row, parts) in parts.into_iter().rev() {
            self.rows.splice(row..=row, parts);
        }
        if fitting.order == Order::First {
            // They stand in the order in which the region has them.
            new_rows.reverse();
        }
        for (line, new, after) in new_rows {
            let at = self.place(table, line, &new, after, fitting)?;
            self.rows.insert(at, (line, new));
            counts.added += 1;
        }
        Ok(counts)
    }

    /// The columns of a region's table: index there, and index here.
    fn columns(&self, table: &str, own: &Self, fitting: &Fitting) -> Result<BTreeMap<usize, usize>, TableError> {
        let mut columns = BTreeMap::new();
        for (at, name) in own.head.iter().enumerate() {
            match self.column(name) {
                Some(to) => drop(columns.insert(at, to)),
                None if name == AFTER && fitting.order == Order::After => {}
                None => {
                    return Err(TableError::new(
                        table,
                        own.first,
                        format!("no column «{name}» in the table; {}", self.head.iter().collect::<Vec<_>>().join(", ")),
                    ));
                }
            }
        }
        Ok(columns)
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.head.iter().position(|own| own == name)
    }

    /// The federal rows that a region's row means by its key, and whether it means them for a part of a list.
    fn fitting(&self, federal: &[(Line, Vec<String>)], key: &[(usize, &str)], fitting: &Fitting) -> (Vec<usize>, bool) {
        let rows = |fits: &dyn Fn(&[String]) -> bool| (0..federal.len()).filter(|row| fits(&federal[*row].1)).collect::<Vec<_>>();
        let whole = rows(&|row| key.iter().all(|(column, cell)| row[*column] == *cell));
        if !whole.is_empty() {
            return (whole, false);
        }
        let is_list = |column: usize| fitting.lists.iter().any(|name| *name == self.head[column]);
        let has = |row: &[String], column: usize, cell: &str| {
            if is_list(column) { cell.split_whitespace().all(|word| row[column].split_whitespace().any(|own| own == word)) } else { row[column] == cell }
        };
        (rows(&|row| key.iter().all(|(column, cell)| has(row, *column, cell))), true)
    }

    /// Those of several rows that have most of what the region's row says in the columns that tell rows apart; all of them where none has any of it.
    fn told_apart(&self, federal: &[(Line, Vec<String>)], fits: Vec<usize>, filled: &[(usize, &str)], fitting: &Fitting) -> Result<Vec<usize>, String> {
        let said = filled.iter().filter(|(column, _)| fitting.apart.iter().any(|name| *name == self.head[*column]));
        let said: Vec<(usize, String)> = said.map(|(column, cell)| (*column, value(cell))).collect();
        let agreed = |row: usize| said.iter().filter(|(column, cell)| federal[row].1[*column] == *cell).map(|(column, _)| *column).collect::<Vec<_>>();
        let most = fits.iter().map(|row| agreed(*row).len()).max().unwrap_or_default();
        let meant: Vec<usize> = fits.into_iter().filter(|row| agreed(*row).len() == most).collect();
        match meant.split_first() {
            Some((first, rest)) if rest.iter().any(|row| agreed(*row) != agreed(*first)) => {
                Err(format!("the row fits several rows of the table, each by another column; {} tell them apart", fitting.apart.join(", ")))
            }
            _ => Ok(meant),
        }
    }

    /// What is wrong with a row that cannot be read, with the name of the column.
    fn misread(&self, cells: &[String], error: &csv::Error) -> String {
        let csv::ErrorKind::Deserialize { err, .. } = error.kind() else { return error.to_string() };
        let said = err.kind().to_string();
        // Of an unknown word the reader says the word alone, in the first quotes.
        let of_word = || said.split('`').nth(1).and_then(|word| cells.iter().position(|cell| cell == word));
        let at = err.field().and_then(|at| usize::try_from(at).ok()).or_else(of_word);
        at.and_then(|at| self.head.get(at)).map_or(said.clone(), |column| format!("column {column}: {said}"))
    }

    /// Index at which a new row stands.
    fn place(&self, table: &str, line: Line, new: &[String], after: Option<&str>, fitting: &Fitting) -> Result<usize, TableError> {
        let Some(first) = self.column(&fitting.key[0]) else { return Ok(self.rows.len()) };
        match fitting.order {
            Order::End | Order::Alone | Order::No => Ok(self.rows.len()),
            Order::First => Ok(0),
            Order::Sorted | Order::Own => Ok(self.rows.iter().rposition(|(_, row)| row[first] <= new[first]).map_or(0, |at| at + 1)),
            Order::After => {
                let second = fitting.key.get(1).and_then(|name| self.column(name)).unwrap_or(first);
                let is_before = |row: &[String]| row[first] == new[first] && after.is_none_or(|name| row[second] == name);
                match self.rows.iter().rposition(|(_, row)| is_before(row)) {
                    Some(at) => Ok(at + 1),
                    None if after.is_none() => Ok(self.rows.len()),
                    None => Err(TableError::new(table, line, format!("after «{}»: {} has no such element", after.unwrap_or_default(), new[first]))),
                }
            }
        }
    }
}

fn value(cell: &str) -> String {
    if cell == EMPTY { String::new() } else { cell.to_owned() }
}
