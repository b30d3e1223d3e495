//! The table of registers and their columns, `rules/mek/registers.csv`.

use serde::Deserialize;

use super::cell::Kind;
use crate::tables::{Line, RuleFiles, TableError};
use crate::texts::Text;

const TABLE: &str = "mek/registers.csv";

/// All registers that the program knows.
#[derive(Debug)]
pub struct Layouts(Vec<Layout>);

/// A register: what it is called and which columns it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Its name in the table, such as `insured`.
    pub id: String,
    /// What it is called.
    pub name: Text,
    /// Whether it is one of persons, which is stored by keys.
    pub is_personal: bool,
    /// Its columns in the order of the table.
    pub columns: Vec<Column>,
}

/// A column of a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the header of a file.
    pub name: String,
    /// Whether it must be there.
    pub must: Must,
    /// Whether its values tell who a person is.
    pub is_personal: bool,
    /// What it holds.
    pub means: Text,
    pub(super) role: Role,
    pub(super) kind: Kind,
}

/// What a file must have of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Must {
    /// The column, and a value in each row.
    Filled,
    /// The column; its cells may be empty.
    There,
    /// Nothing.
    #[serde(rename = "")]
    Nothing,
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    /// The ЕНП of the person.
    Enp,
    /// The kind of the person's policy.
    PolicyKind,
    /// Its series.
    PolicySeries,
    /// Its number.
    PolicyNumber,
    /// Surname of the person.
    Surname,
    /// First name of the person.
    FirstName,
    /// Patronymic of the person.
    Patronymic,
    /// Birth date of the person.
    Birth,
    /// The code of a doctor.
    Doctor,
    /// The first day on which a row holds.
    From,
    /// The last day on which a row holds.
    Until,
    /// The only day of a row.
    Day,
    /// By this cell rows are found; an empty one fits every value.
    Key,
    /// What a row says.
    Kept,
    /// The column is known, and nothing is done with it.
    Unused,
}

#[derive(Deserialize)]
struct Row {
    register: String,
    column: String,
    must: Must,
    #[serde(rename = "use")]
    role: Option<Role>,
    #[serde(rename = "type")]
    kind: String,
    size: String,
    personal: Option<Yes>,
    ru: String,
    en: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Yes {
    Yes,
}

impl Layouts {
    /// Reads the table.
    ///
    /// # Errors
    /// An unknown word, a register without its name or its days, or a column that is repeated or would be stored although it is personal.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let mut all: Vec<Layout> = Vec::new();
        for (line, row) in files.rows::<Row>(TABLE)? {
            let fail = |message: String| TableError::new(TABLE, line, message);
            if row.ru.is_empty() || row.en.is_empty() {
                return Err(fail(format!("{}: both texts are due", row.register)));
            }
            let text = Text { ru: row.ru, en: row.en };
            let is_personal = row.personal.is_some();
            let is_new = all.last().is_none_or(|layout| layout.id != row.register);
            if is_new != row.column.is_empty() {
                return Err(fail(format!("{}: a register has one row without a column, its first", row.register)));
            }
            if is_new {
                check(all.last(), line)?;
                // The name is that of a file.
                if row.register.is_empty() || !row.register.bytes().all(|b| b.is_ascii_lowercase()) || all.iter().any(|layout| layout.id == row.register) {
                    return Err(fail(format!("«{}»: a name of small Latin letters is due, each once", row.register)));
                }
                all.push(Layout { id: row.register, name: text, is_personal, columns: Vec::new() });
                continue;
            }
            let Some(layout) = all.last_mut() else { continue };
            let role = row.role.ok_or_else(|| fail(format!("{}: a use is due", row.column)))?;
            let kind = Kind::parse(&row.kind, &row.size).map_err(|due| fail(format!("{}: {due}", row.column)))?;
            if layout.columns.iter().any(|known| known.name == row.column) {
                return Err(fail(format!("{} stands twice", row.column)));
            }
            if is_personal && matches!(role, Role::Key | Role::Kept) {
                return Err(fail(format!("{}: a personal value is not stored", row.column)));
            }
            let is_date = matches!(role, Role::From | Role::Until | Role::Day | Role::Birth);
            if is_date != (kind == Kind::Date) || role == Role::Key && kind == Kind::Decimal {
                return Err(fail(format!("{}: this use does not go with this type", row.column)));
            }
            layout.columns.push(Column { name: row.column, must: row.must, is_personal, means: text, role, kind });
        }
        check(all.last(), 0)?;
        Ok(Self(all))
    }

    /// The registers in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = &Layout> {
        self.0.iter()
    }

    /// The register with this name, in any letter case.
    pub fn get(&self, id: &str) -> Option<&Layout> {
        self.0.iter().find(|layout| layout.id.eq_ignore_ascii_case(id))
    }
}

/// Checks what a register as a whole must have.
fn check(layout: Option<&Layout>, line: impl Into<Line>) -> Result<(), TableError> {
    let Some(layout) = layout else { return Ok(()) };
    let count = |role: Role| layout.columns.iter().filter(|column| column.role == role).count();
    let has_days = matches!((count(Role::From), count(Role::Until), count(Role::Day)), (1, 1, 0) | (0, 0, 1));
    let has_person = count(Role::Enp) + count(Role::Doctor) == 1;
    // Rows are found by the first key cell.
    let has_key = layout.columns.iter().find(|column| column.role == Role::Key).is_some_and(|column| column.must == Must::Filled);
    if !has_days || has_person != layout.is_personal || layout.is_personal == has_key {
        return Err(TableError::new(TABLE, line, format!("{}: the register needs its days, and a person or a first key that is filled", layout.id)));
    }
    Ok(())
}

impl Layout {
    /// Names of the columns that must be there.
    pub(super) fn due(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|column| column.must != Must::Nothing).map(|column| column.name.as_str())
    }

    /// The columns that are stored as they are, in the order in which they stand in a stored row: keys, then what a row says.
    pub(super) fn stored(&self) -> impl Iterator<Item = (usize, &Column)> {
        let of = |role: Role| self.columns.iter().enumerate().filter(move |(_, column)| column.role == role);
        of(Role::Key).chain(of(Role::Kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_is_sound() {
        let layouts = Layouts::load(&RuleFiles::embedded()).expect("sound");
        let ids: Vec<&str> = layouts.iter().map(|layout| layout.id.as_str()).collect();
        assert_eq!(ids, ["insured", "deaths", "attachment", "licences", "levels", "tariffs", "plan", "doctors"]);
        let personal: Vec<&str> = layouts.iter().filter(|layout| layout.is_personal).map(|layout| layout.id.as_str()).collect();
        assert_eq!(personal, ["insured", "deaths", "attachment", "doctors"]);
        assert!(layouts.get("Plan").is_some() && layouts.get("plans").is_none());
    }

    #[test]
    fn a_table_that_would_store_a_person_is_refused() {
        let good = RuleFiles::embedded().text(TABLE).expect("there").into_owned();
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("mek")).expect("a folder");
        for (from, to, message) in [
            ("insured,enp,filled,enp,", "insured,enp,filled,kept,", "mek/registers.csv:3: enp: a personal value is not stored"),
            ("deaths,enp,filled,enp,digits,16,yes", "deaths,enp,filled,kept,digits,16,", "needs its days, and a person"),
            ("deaths,death_date,filled,day,date", "deaths,death_date,filled,kept,text", "length"),
            ("levels,level,filled,kept,text", "levels,mo,filled,kept,text", "mo stands twice"),
            ("levels,,,,,,,уровни", "levies,,,,,,,уровни", "one row without a column"),
            ("deaths,,,,,,yes,", "de/ths,,,,,,yes,", "small Latin letters"),
            ("plan,unit,filled,kept,list,case visit day", "plan,unit,filled,kept,list,", "values"),
            ("plan,qty,there,kept,decimal", "plan,qty,there,key,decimal", "does not go with"),
        ] {
            assert!(good.contains(from), "{from}");
            std::fs::write(folder.path().join(TABLE), good.replacen(from, to, 1)).expect("written");
            let error = Layouts::load(&RuleFiles::with_overlay(folder.path())).expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
