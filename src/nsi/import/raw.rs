//! The table in a file, before its book is recognised.

use crate::nsi::image::MAX_FIELDS;
use crate::values::Date;

/// What a file states about itself; every part may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Label {
    /// `zglv/type`.
    pub(super) packet: Option<String>,
    pub(super) version: Option<String>,
    pub(super) date: Option<String>,
}

/// Rows of text values by field. Rows are sparse because a packet omits empty values.
#[derive(Debug, Default)]
pub(super) struct RawTable {
    pub(super) label: Label,
    fields: Vec<String>,
    text: String,
    cells: Vec<Cell>,
    /// Number of cells before each row, and the total number at the end.
    rows: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    field: u16,
    start: usize,
    end: usize,
}

/// The table has more fields than any book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooManyFields;

/// The separator between several values of the same field in a row.
const BETWEEN: &str = ";";

impl RawTable {
    pub(super) fn new(label: Label) -> Self {
        Self { label, rows: vec![0], ..Self::default() }
    }

    /// The number of a field; a new name gets a new number.
    pub(super) fn field(&mut self, name: &str) -> Result<u16, TooManyFields> {
        if let Some(at) = self.fields.iter().position(|f| f.eq_ignore_ascii_case(name)) {
            return Ok(at as u16);
        }
        if self.fields.len() == MAX_FIELDS {
            return Err(TooManyFields);
        }
        self.fields.push(name.to_owned());
        Ok((self.fields.len() - 1) as u16)
    }

    /// Adds a value to the current row. The value is trimmed; an empty one is ignored.
    pub(super) fn put(&mut self, field: u16, value: &str) {
        let value = value.trim();
        if value.is_empty() {
            return;
        }
        let begun = self.rows.last().copied().unwrap_or_default();
        let start = self.text.len();
        match self.cells[begun..].iter_mut().find(|c| c.field == field) {
            None => {
                self.text.push_str(value);
                self.cells.push(Cell { field, start, end: self.text.len() });
            }
            Some(cell) => {
                self.text.extend_from_within(cell.start..cell.end);
                self.text.push_str(BETWEEN);
                self.text.push_str(value);
                *cell = Cell { field, start, end: self.text.len() };
            }
        }
    }

    /// Ends the current row; a row without values is dropped.
    pub(super) fn end_row(&mut self) {
        if self.rows.last() != Some(&self.cells.len()) {
            self.rows.push(self.cells.len());
        }
    }

    /// Adds a field that holds the values of other fields, written together.
    pub(super) fn join(&mut self, name: &str, parts: &[u16]) -> Result<(), TooManyFields> {
        let field = self.field(name)?;
        let (mut cells, mut rows) = (Vec::with_capacity(self.cells.len() + self.len()), vec![0]);
        for row in 0..self.len() {
            cells.extend_from_slice(&self.cells[self.rows[row]..self.rows[row + 1]]);
            let joined: String = parts.iter().map(|part| self.value(row, *part)).collect();
            let start = self.text.len();
            self.text.push_str(&joined);
            cells.push(Cell { field, start, end: self.text.len() });
            rows.push(cells.len());
        }
        (self.cells, self.rows) = (cells, rows);
        Ok(())
    }

    pub(super) fn fields(&self) -> &[String] {
        &self.fields
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len().saturating_sub(1)
    }

    pub(super) fn value(&self, row: usize, field: u16) -> &str {
        let cells = self.rows.get(row).zip(self.rows.get(row + 1)).map(|(from, to)| &self.cells[*from..*to]);
        cells.and_then(|c| c.iter().find(|c| c.field == field)).map_or("", |c| &self.text[c.start..c.end])
    }

    /// The number of a field of the table, regardless of letter case.
    pub(super) fn find(&self, name: &str) -> Option<u16> {
        self.fields.iter().position(|f| f.eq_ignore_ascii_case(name)).map(|at| at as u16)
    }

    /// The date that the file states: `None` when there is none, an error with the text when it cannot be read.
    pub(super) fn stated_date(&self) -> Result<Option<Date>, String> {
        match self.label.date.as_deref().map(str::trim) {
            None | Some("") => Ok(None),
            Some(text) => Date::parse(text).map(Some).ok_or_else(|| text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sparse_and_repeats_are_joined() {
        let mut table = RawTable::new(Label::default());
        let (a, b) = (table.field("A").expect("few"), table.field("b").expect("few"));
        assert_eq!(table.field("a"), Ok(a));
        table.put(b, " 1 ");
        table.put(b, "2");
        table.put(a, "  ");
        table.end_row();
        table.end_row();
        table.put(a, "x");
        table.end_row();
        assert_eq!(table.len(), 2);
        assert_eq!([table.value(0, a), table.value(0, b), table.value(1, a), table.value(1, b), table.value(2, a)], ["", "1;2", "x", "", ""]);
        assert_eq!((table.find("B"), table.find("c")), (Some(b), None));
    }

    #[test]
    fn fields_have_a_bound() {
        let mut table = RawTable::new(Label::default());
        assert!((0..MAX_FIELDS).all(|i| table.field(&format!("F{i}")).is_ok()));
        assert_eq!(table.field("one more"), Err(TooManyFields));
    }
}
