//! Compiles a table of text into a book: field names, days of rows, and the checks that a new edition must pass.

use std::collections::HashSet;

use super::Refusal;
use super::raw::RawTable;
use crate::nsi::book::Book;
use crate::nsi::catalog::{BookInfo, DateSource};
use crate::nsi::image::{Builder, Flags, Head, TooLarge};
use crate::values::{Date, Span};

/// How many days after today the date of an edition may lie; sites publish some editions in advance.
const AHEAD: i64 = 366;
/// The text that database exports write for "no date".
const NO_DATE: &str = "0";

/// Facts about an import that the content of the file does not state.
#[derive(Debug)]
pub(super) struct Label {
    /// Edition number to use when the file does not state one.
    pub(super) edition: Option<String>,
    /// Name of the file.
    pub(super) source: String,
    /// The day on which the site named this edition as the current one.
    pub(super) checked: Option<Date>,
    /// The day of the import.
    pub(super) today: Date,
    pub(super) force: bool,
}

/// A compiled book, not yet stored.
pub(super) struct Compiled {
    pub(super) bytes: Vec<u8>,
    /// Number of rows without a key that `force` left out.
    pub(super) left_out: usize,
}

/// Compiles a table. With `base`, its rows are added to the rows of that book.
///
/// # Errors
/// No rows, no new rows, a row without a key, a date that cannot be read, or a table that is too large.
pub(super) fn compile(info: &BookInfo, table: &RawTable, label: Label, base: Option<&Book>) -> Result<Compiled, Refusal> {
    let key = table.fields().iter().position(|f| info.canonical(f) == &*info.key).map(|at| at as u16);
    let key = key.ok_or_else(|| Refusal::NoKey { id: info.id.to_string(), key: info.key.to_string() })?;
    let days = Days::new(info, table);
    let dated = info.dated.as_deref().and_then(|name| table.find(name));
    let kept = kept_fields(info, table, &days);
    let names = kept.iter().map(|f| info.canonical(&table.fields()[usize::from(*f)]));
    let mut builder = match base {
        None => Builder::new(names),
        Some(book) => Builder::new(book.fields().map(|f| book.name(f))),
    }
    .map_err(|TooLarge| Refusal::TooLarge)?;
    let mut seen = HashSet::new();
    // The columns of the table in the order of the base's fields.
    let columns: Vec<Option<u16>> = match base {
        None => kept.iter().map(|f| Some(*f)).collect(),
        Some(book) => {
            let column = |name: &str| kept.iter().copied().find(|f| info.canonical(&table.fields()[usize::from(*f)]) == name);
            book.fields().map(|f| column(book.name(f))).collect()
        }
    };
    if let Some(book) = base {
        for row in book.rows() {
            let cells: Vec<_> = book.fields().map(|f| book.value(row, f)).collect();
            seen.insert(book.value(row, book.key()).to_owned());
            builder.push(cells, book.span(row)).map_err(|TooLarge| Refusal::TooLarge)?;
        }
    }
    let (mut rows, mut left_out, mut latest) = (0usize, 0, Date::MIN);
    for row in 0..table.len() {
        let code = table.value(row, key);
        if code.is_empty() {
            if !label.force {
                return Err(Refusal::EmptyKey { key: info.key.to_string(), row: row + 1 });
            }
            left_out += 1;
            continue;
        }
        let span = match days.span(table, row) {
            Ok(span) => span,
            Err(_) if label.force => Span::ALWAYS,
            Err(value) => return Err(Refusal::BadDate { row: row + 1, value }),
        };
        let ages = match dated {
            None => [Some(span.from), Some(span.until)],
            Some(field) => [Date::parse(table.value(row, field)), None],
        };
        latest = ages.into_iter().flatten().filter(|day| *day <= label.today).fold(latest, Date::max);
        if base.is_some() && seen.contains(code) {
            continue;
        }
        let cells = columns.iter().map(|column| column.map_or("", |f| table.value(row, f)));
        builder.push(cells, span).map_err(|TooLarge| Refusal::TooLarge)?;
        rows += 1;
    }
    if rows == 0 && base.is_none() {
        return Err(Refusal::Empty);
    }
    if rows == 0 {
        return Err(Refusal::NothingNew);
    }
    let head = head(info, table, label, base, latest)?;
    Ok(Compiled { bytes: builder.finish(&head).map_err(|TooLarge| Refusal::TooLarge)?, left_out })
}

fn head(info: &BookInfo, table: &RawTable, label: Label, base: Option<&Book>, latest: Date) -> Result<Head, Refusal> {
    let stated = match table.stated_date() {
        Ok(Some(date)) if date.days_since(label.today) > AHEAD && !label.force => return Err(Refusal::BadEditionDate { value: date.to_string() }),
        Ok(stated) => stated,
        Err(_) if label.force => None,
        Err(value) => return Err(Refusal::BadEditionDate { value }),
    };
    let by_rows = Some(latest).filter(|d| *d > Date::MIN);
    let mut flags = if label.force { Flags::PINNED } else { Flags::default() };
    if stated.is_none() && by_rows.is_some() {
        flags = flags.with(Flags::DATED_BY_ROWS);
    }
    let version = table.label.version.as_deref().map(|v| v.trim().chars().take(32).collect::<String>()).or(label.edition);
    let base = base.map(Book::head);
    Ok(Head {
        id: info.id.to_string(),
        edition: version.or_else(|| base.map(|b| b.edition.clone())).unwrap_or_default(),
        source: label.source,
        date: stated.or(by_rows).max(base.and_then(|b| b.date)),
        checked: label.checked,
        flags,
    })
}

/// The columns that hold the first and last days of rows.
struct Days {
    from: Vec<Column>,
    until: Vec<Column>,
}

enum Column {
    Field(u16),
    When { flag: u16, value: Box<str>, field: u16 },
}

impl Days {
    fn new(info: &BookInfo, table: &RawTable) -> Self {
        let column = |source: &DateSource| match source {
            DateSource::Field(name) => table.find(name).map(Column::Field),
            DateSource::When { flag, value, field } => Some(Column::When { flag: table.find(flag)?, value: value.clone(), field: table.find(field)? }),
        };
        Self { from: info.from.iter().filter_map(column).collect(), until: info.until.iter().filter_map(column).collect() }
    }

    /// Fields that hold only days: they are stored as the row's span.
    fn only(&self) -> impl Iterator<Item = u16> + '_ {
        self.from.iter().chain(&self.until).filter_map(|c| if let Column::Field(field) = c { Some(*field) } else { None })
    }

    fn span(&self, table: &RawTable, row: usize) -> Result<Span, String> {
        let day = |columns: &[Column], open: Date| {
            let text = columns.iter().find_map(|c| match c {
                Column::Field(field) => Some(table.value(row, *field)).filter(|v| !v.is_empty()),
                Column::When { flag, value, field } => Some(table.value(row, *field)).filter(|v| !v.is_empty() && table.value(row, *flag) == &**value),
            });
            match text {
                None | Some(NO_DATE) => Ok(open),
                Some(text) => Date::parse(text).ok_or_else(|| text.chars().take(40).collect::<String>()),
            }
        };
        Ok(Span { from: day(&self.from, Date::MIN)?, until: day(&self.until, Date::MAX)? })
    }
}

fn kept_fields(info: &BookInfo, table: &RawTable, days: &Days) -> Vec<u16> {
    let dates: Vec<u16> = days.only().collect();
    let wanted = |name: &str| info.keep.is_empty() || info.keep.iter().any(|k| k.eq_ignore_ascii_case(info.canonical(name)));
    let fields = table.fields().iter().enumerate().map(|(at, name)| (at as u16, name));
    fields.filter(|(at, name)| !dates.contains(at) && wanted(name)).map(|(at, _)| at).collect()
}
