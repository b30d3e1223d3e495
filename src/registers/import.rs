//! From a CSV file to a stored register, whole or not at all.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::Read;
use std::path::Path;

use super::cell::{Kind, Wrong, date};
use super::draft::{Draft, NO_AMOUNT, Shape};
use super::error::{Fault, ImportError};
use super::layout::{Column, Layout, Layouts, Must, Role};
use super::rows::Rows;
use super::stored::{Head, head_of, write};
use crate::cases::{PersonKey, PersonKeys, is_unified};
use crate::sys::printable;
use crate::values::{Date, Span, kopecks, without_person_numbers};

/// The most rows of a register: three for each person of the country would fit.
const MOST: u64 = 450_000_000;
/// Characters of a wrong value that a message shows.
const SHOWN: usize = 40;

/// What a file is by its header.
#[derive(Debug)]
pub enum Recognised<'l> {
    /// No register.
    Foreign,
    /// This register.
    Register(&'l Layout),
    /// Like a register, and not taken as one.
    Refused(ImportError),
}

/// A register that was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its name.
    pub id: String,
    /// Number of rows in the file.
    pub rows: u64,
    /// Number of rows that say what an earlier one says.
    pub repeated: u64,
    /// Day and number of rows of the register that was there before; `None` when there was none that can be read.
    pub replaced: Option<(Date, u64)>,
}

/// Recognises a register by the first bytes of a file, which hold its header whole. `asked` is the name that the user gave.
pub fn recognise<'l>(layouts: &'l Layouts, head: &[u8], asked: Option<&str>) -> Recognised<'l> {
    let named = asked.and_then(|id| layouts.get(id));
    if asked.is_some() && named.is_none() {
        return Recognised::Foreign;
    }
    let mut rows = Rows::new(head);
    let has_header = matches!(rows.next(), Ok(true)) && !rows.cell(0).starts_with('<');
    if !has_header {
        return if named.is_some() { Recognised::Refused(ImportError::NoRows) } else { Recognised::Foreign };
    }
    let header = names(&rows);
    if let Some(layout) = named {
        let lacking = lacking(layout, &header);
        return if lacking.is_empty() { Recognised::Register(layout) } else { Recognised::Refused(ImportError::NoColumns(vec![(layout.id.clone(), lacking)])) };
    }
    let mut fitting: Vec<&Layout> = layouts.iter().filter(|layout| lacking(layout, &header).is_empty()).collect();
    // A plan may have every column of licences and more: of two registers the one is meant that knows all that the other knows.
    let known = |layout: &Layout| header.iter().filter(|name| layout.columns.iter().any(|c| c.name == **name)).collect::<BTreeSet<_>>();
    let all = fitting.clone();
    fitting.retain(|layout| !all.iter().any(|other| known(layout).is_subset(&known(other)) && known(layout) != known(other)));
    match fitting.as_slice() {
        [layout] => Recognised::Register(layout),
        [] => resembling(layouts, &header).map_or(Recognised::Foreign, Recognised::Refused),
        several => Recognised::Refused(ImportError::Ambiguous(several.iter().map(|layout| layout.id.clone()).collect())),
    }
}

/// Names of the columns of a header, in small letters.
fn names<R: Read>(rows: &Rows<R>) -> Vec<String> {
    (0..rows.width()).map(|at| rows.cell(at).to_lowercase()).collect()
}

fn lacking(layout: &Layout, header: &[String]) -> Vec<String> {
    layout.due().filter(|due| !header.iter().any(|name| name == due)).map(str::to_owned).collect()
}

/// The registers that a header resembles most, with what it lacks of each; `None` when it has no
/// more than half of the columns of any that are no days: a book has codes and days too.
fn resembling(layouts: &Layouts, header: &[String]) -> Option<ImportError> {
    let is_day = |column: &Column| matches!(column.role, Role::From | Role::Until | Role::Day);
    let told = |layout: &Layout| layout.columns.iter().any(|column| !is_day(column) && header.contains(&column.name));
    // In thousandths, so that shares of different wholes can be compared.
    let share = |layout: &Layout| 1000 - 1000 * lacking(layout, header).len() / layout.due().count().max(1);
    // A book has codes and days too: half of what is no day is enough only where no other column stands.
    let is_of_registers = header.iter().all(|name| layouts.iter().any(|layout| layout.columns.iter().any(|column| column.name == *name)));
    let is_likely = |layout: &Layout| {
        let due: Vec<&Column> = layout.columns.iter().filter(|column| !is_day(column) && layout.due().any(|name| name == column.name)).collect();
        let has = due.iter().filter(|column| header.contains(&column.name)).count();
        2 * has > due.len() || is_of_registers && 2 * has >= due.len()
    };
    let best = layouts.iter().filter(|layout| told(layout) && is_likely(layout)).map(share).max()?;
    let of = layouts.iter().filter(|layout| told(layout) && is_likely(layout) && share(layout) == best);
    let of = of.map(|layout| (layout.id.clone(), lacking(layout, header)));
    Some(ImportError::NoColumns(of.collect()))
}

/// Reads the file of a register and stores it in `path`. `day` is the day of the import.
///
/// # Errors
/// The first fault of the file, or the register cannot be written. The register that was there before is as it was.
pub fn import(layout: &Layout, input: impl Read, keys: &PersonKeys, path: &Path, day: Date) -> Result<Taken, ImportError> {
    let mut rows = Rows::new(input);
    let next = |rows: &mut Rows<_>| rows.next().map_err(|error| ImportError::of_record(rows.line(), error));
    if !next(&mut rows)? {
        return Err(ImportError::NoRows);
    }
    let header = names(&rows);
    let lacking = lacking(layout, &header);
    if !lacking.is_empty() {
        return Err(ImportError::NoColumns(vec![(layout.id.clone(), lacking)]));
    }
    let mut reader = Reader::new(layout, &header, keys)?;
    while next(&mut rows)? {
        if rows.is_blank() {
            continue;
        }
        if rows.width() != header.len() {
            return Err(ImportError::Width { line: rows.line(), found: rows.width(), due: header.len() });
        }
        reader.take(&rows)?;
    }
    let (head, draft) = reader.finish(day)?;
    let replaced = head_of(path).ok().flatten().map(|head| (head.day, head.rows));
    write(path, &head, draft).map_err(ImportError::NotWritten)?;
    Ok(Taken { id: head.id, rows: head.rows, repeated: head.repeated, replaced })
}

/// Reads the rows of a file into a draft.
struct Reader<'l> {
    layout: &'l Layout,
    /// The cell of each column of the layout; `None` for those that the file does not have.
    places: Vec<Option<usize>>,
    keys: &'l PersonKeys,
    draft: Draft,
    days: Span,
    rows: u64,
    /// A hash of each row, to count repeated ones.
    hashes: Vec<u64>,
    hasher: RandomState,
}

impl<'l> Reader<'l> {
    fn new(layout: &'l Layout, header: &[String], keys: &'l PersonKeys) -> Result<Self, ImportError> {
        let mut places = Vec::with_capacity(layout.columns.len());
        for column in &layout.columns {
            let mut own = header.iter().enumerate().filter(|(_, name)| **name == column.name).map(|(at, _)| at);
            places.push(own.next());
            if own.next().is_some() {
                return Err(ImportError::Twice(column.name.clone()));
            }
        }
        let [keyed, words, amounts] = stored_columns(layout).map(|columns| columns.len());
        let draft = Draft::new(Shape { is_personal: layout.is_personal, keys: keyed, words, amounts });
        let days = Span { from: Date::MAX, until: Date::MIN };
        Ok(Self { layout, places, keys, draft, days, rows: 0, hashes: Vec::new(), hasher: RandomState::new() })
    }

    /// Checks a row and adds it to the draft.
    fn take<R: Read>(&mut self, rows: &Rows<R>) -> Result<(), ImportError> {
        let values = self.values(rows)?;
        let days = self.days_of(&values, rows.line())?;
        let persons = self.persons(&values, rows.line())?;
        let (mut keyed, mut words, mut amounts) = (Vec::new(), Vec::new(), Vec::new());
        for (at, column) in self.layout.stored() {
            let value = &*values[at];
            match (column.role, &column.kind) {
                // The amount was checked; an empty one is none.
                (_, Kind::Decimal) => amounts.push(kopecks(value.as_bytes()).map_or(NO_AMOUNT, i64::cast_unsigned)),
                (Role::Key, _) => keyed.push(self.draft.word(value)),
                _ => words.push(self.draft.word(value)),
            }
        }
        if self.layout.is_personal {
            for person in persons.into_iter().flatten() {
                self.draft.push(Some(person), &keyed, days, &words, &amounts);
            }
        } else {
            self.draft.push(None, &keyed, days, &words, &amounts);
        }
        if self.draft.count() as u64 > MOST {
            return Err(ImportError::TooMany(MOST));
        }
        self.days = Span { from: self.days.from.min(days.from), until: self.days.until.max(days.until) };
        self.rows += 1;
        let mut hash = self.hasher.build_hasher();
        for value in &values {
            hash.write(value.as_bytes());
            // No text has this byte.
            hash.write_u8(0xff);
        }
        self.hashes.push(hash.finish());
        Ok(())
    }

    /// The cells of a row in the order of the layout, each of its type; empty for columns that the file does not have or nobody reads.
    fn values<'r, R: Read>(&self, rows: &'r Rows<R>) -> Result<Vec<Cow<'r, str>>, ImportError> {
        let mut values = Vec::with_capacity(self.places.len());
        for (column, place) in self.layout.columns.iter().zip(&self.places) {
            let value = place.filter(|_| column.role != Role::Unused).map_or(Cow::Borrowed(""), |at| rows.cell(at));
            let wrong = match (value.is_empty(), column.must) {
                (true, Must::Filled) => Some(Wrong::Empty),
                (true, _) => None,
                (false, _) => column.kind.check(&value).err(),
            };
            if let Some(wrong) = wrong {
                return Err(self.fault(rows.line(), column, wrong, &value));
            }
            values.push(value);
        }
        Ok(values)
    }

    /// The value of the column with a role; empty when the register has none.
    fn value<'v>(&self, values: &'v [Cow<'_, str>], role: Role) -> &'v str {
        self.layout.columns.iter().position(|column| column.role == role).map_or("", |at| &*values[at])
    }

    /// The days on which a row holds.
    fn days_of(&self, values: &[Cow<'_, str>], line: u64) -> Result<Span, ImportError> {
        let of = |role: Role| date(self.value(values, role));
        let days = match of(Role::Day) {
            Some(day) => Span { from: day, until: day },
            None => Span { from: of(Role::From).unwrap_or(Date::MIN), until: of(Role::Until).unwrap_or(Date::MAX) },
        };
        if days.until < days.from { Err(self.fault_of(values, line, Role::Until, Wrong::Backwards)) } else { Ok(days) }
    }

    /// The keys of the person of a row: by the ЕНП or the doctor's code, by another policy, by names and birth date.
    fn persons(&self, values: &[Cow<'_, str>], line: u64) -> Result<[Option<PersonKey>; 3], ImportError> {
        if !self.layout.is_personal {
            return Ok([None; 3]);
        }
        let value = |role: Role| self.value(values, role);
        let (enp, doctor, kind, number) = (value(Role::Enp), value(Role::Doctor), value(Role::PolicyKind), value(Role::PolicyNumber));
        if is_unified(kind) && number != enp {
            return Err(self.fault_of(values, line, Role::PolicyNumber, Wrong::NotTheEnp));
        }
        let own = if enp.is_empty() { self.keys.of_doctor(doctor) } else { self.keys.of_enp(enp) };
        // The key of a unified policy is that of its ЕНП.
        let by_policy = (!kind.is_empty() && !is_unified(kind)).then(|| self.keys.of_policy(kind, value(Role::PolicySeries), number));
        let [surname, first_name, patronymic] = [Role::Surname, Role::FirstName, Role::Patronymic].map(value);
        let by_names = date(value(Role::Birth)).and_then(|birth| self.keys.of_names(surname, first_name, patronymic, birth));
        Ok([Some(own), by_policy, by_names])
    }

    fn fault_of(&self, values: &[Cow<'_, str>], line: u64, role: Role, wrong: Wrong) -> ImportError {
        // A check of a role is made only where a column has it.
        let at = self.layout.columns.iter().position(|column| column.role == role).unwrap_or_default();
        self.fault(line, &self.layout.columns[at], wrong, &values[at])
    }

    /// A wrong cell. Nothing of a person is shown: where cells have shifted, any of them may hold a name or a number.
    fn fault(&self, line: u64, column: &Column, wrong: Wrong, value: &str) -> ImportError {
        let shown = || printable(&without_person_numbers(value), SHOWN);
        let value = (!self.layout.is_personal && !value.is_empty()).then(shown);
        ImportError::Cell { line, column: column.name.clone(), fault: Fault(wrong), value }
    }

    fn finish(mut self, day: Date) -> Result<(Head, Draft), ImportError> {
        if self.rows == 0 {
            return Err(ImportError::NoRows);
        }
        self.hashes.sort_unstable();
        let repeated = self.hashes.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64;
        let head = Head {
            id: self.layout.id.clone(),
            day,
            rows: self.rows,
            repeated,
            days: self.days,
            secret: self.layout.is_personal.then(|| self.keys.secret()),
            columns: stored_columns(self.layout),
        };
        Ok((head, self.draft))
    }
}

/// Names of the key columns, of the further columns with words, and of those with amounts.
fn stored_columns(layout: &Layout) -> [Vec<String>; 3] {
    let of = |wanted: fn(&Column) -> bool| layout.stored().filter(|(_, column)| wanted(column)).map(|(_, column)| column.name.clone()).collect();
    [of(|c| c.role == Role::Key), of(|c| c.role == Role::Kept && c.kind != Kind::Decimal), of(|c| c.kind == Kind::Decimal)]
}

#[cfg(test)]
mod tests;
