//! Surveys each row over all formats: whether it runs, lacks a book, or cannot run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::compile::Sources;
use super::conventions::Conventions;
use super::set::{RowState, RuleSet, Side, State};
use super::table::RuleRow;
use crate::nsi::{Books, StandsFor};
use crate::registry::format::{Format, Formats, PERSONS};
use crate::tables::TableError;
use crate::values::{Date, Month};

/// Everything that rows are compiled against.
#[derive(Debug, Clone, Copy)]
pub struct Survey<'s> {
    /// All formats.
    pub formats: &'s Formats,
    /// The reference books that are present.
    pub books: &'s Books,
    /// Small tables of conventions.
    pub conventions: &'s Conventions,
}

/// The best state of a row over all formats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The rule runs for some format.
    Executed,
    /// The rule runs for some format, but only in part: another book answers for a missing one.
    Partly(Arc<StandsFor>),
    /// The rule runs as soon as these books are imported.
    NoBook(Vec<String>),
    /// The rule needs data that no file holds, or is stated only in words.
    External(String),
    /// No format has its element, or none of its families is read.
    NoFormat,
    /// The rule is never in force: its last day lies before the first one.
    NoDay,
}

impl Standing {
    /// The better of two states: a rule that runs for one family runs.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Executed, _) | (_, Self::Executed) => Self::Executed,
            (Self::Partly(what), _) | (_, Self::Partly(what)) => Self::Partly(what),
            (Self::NoBook(mut books), Self::NoBook(more)) => {
                books.extend(more);
                books.sort();
                books.dedup();
                Self::NoBook(books)
            }
            (Self::NoBook(books), _) | (_, Self::NoBook(books)) => Self::NoBook(books),
            (Self::External(what), _) | (_, Self::External(what)) => Self::External(what),
            (Self::NoFormat, _) | (_, Self::NoFormat) => Self::NoFormat,
            (Self::NoDay, Self::NoDay) => Self::NoDay,
        }
    }

    /// The word for the state.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Executed => "executed",
            Self::Partly(_) => "partly",
            Self::NoBook(_) => "no-book",
            Self::External(_) => "not-expressible",
            Self::NoFormat => "no-format",
            Self::NoDay => "no-day",
        }
    }
}

impl From<&RowState> for Standing {
    fn from(row: &RowState) -> Self {
        match &row.state {
            State::Executed => row.stands_in().map_or(Self::Executed, |what| Self::Partly(Arc::clone(what))),
            State::NoBook(book) => Self::NoBook(vec![book.clone()]),
            State::External(what) => Self::External(what.clone()),
            State::NotOfFormat => Self::NoFormat,
        }
    }
}

/// Ids of the rules that ask a book, by the book's id.
pub type Asked = BTreeMap<String, BTreeSet<String>>;

impl Survey<'_> {
    /// The books that the rules in force on a day ask, whether they are present or not.
    ///
    /// # Errors
    /// A row does not compile.
    pub fn asked(&self, rows: &[RuleRow], on: Date) -> Result<Asked, TableError> {
        let (year, month, _) = on.parts();
        let in_force = |format: &&Arc<Format>| Month::new(year, month).is_some_and(|month| format.edition.in_force(month));
        let newest = self.formats.editions(PERSONS).last().map(|format| &**format);
        let mut asked = Asked::new();
        for format in self.formats.all().filter(in_force) {
            let persons = newest.filter(|_| format.family != PERSONS && self.formats.has_persons(format.family));
            let sources = Sources { format, persons, formats: self.formats, books: self.books, conventions: self.conventions };
            let (own, of_persons) = (self.formats.book_letter(format.family), self.formats.book_letter(PERSONS));
            let passes = [(own, Side::Own), (own, Side::PersonsFromRecords), (of_persons, Side::PersonsFromRecords)];
            let set = RuleSet::compile(rows, if persons.is_some() { &passes } else { &passes[..1] }, Some(on), sources)?;
            for state in set.states() {
                let present = state.books.iter().map(|book| book.info().id.to_string());
                let absent = match &state.state {
                    State::NoBook(book) => book.split('.').next().map(str::to_owned),
                    _ => state.stands_in().map(|stands| stands.book.to_string()),
                };
                for book in present.chain(absent) {
                    asked.entry(book).or_default().insert(rows[state.row].id.clone());
                }
            }
        }
        Ok(asked)
    }

    /// The best state of a row.
    ///
    /// # Errors
    /// The row does not compile for the format of a main file, so the program would not start with it.
    pub fn standing(&self, row: &RuleRow) -> Result<Standing, TableError> {
        if row.has_no_day() {
            return Ok(Standing::NoDay);
        }
        let mut best = Standing::NoFormat;
        let persons = self.formats.editions(PERSONS);
        for format in self.formats.all() {
            let sources = Sources {
                format,
                persons: if self.formats.has_persons(format.family) && format.family != PERSONS { persons.last().map(|p| &**p) } else { None },
                formats: self.formats,
                books: self.books,
                conventions: self.conventions,
            };
            let own = self.formats.book_letter(format.family);
            let compile = |letter, side| RuleSet::compile(std::slice::from_ref(row), &[(letter, side)], None, sources);
            let mut sets = Vec::new();
            if format.family == PERSONS {
                // Rules about persons are evaluated from the records that name them; compiled alone for their file they may be wrong.
                sets.extend(compile(own, Side::Own).ok());
            } else {
                sets.push(compile(own, Side::Own)?);
                sets.push(compile(self.formats.book_letter(PERSONS), Side::PersonsFromRecords)?);
                // A few rows of main files name an element of the person.
                sets.push(compile(own, Side::PersonsFromRecords)?);
            }
            for row in sets.iter().flat_map(RuleSet::states) {
                best = best.or(row.into());
            }
        }
        Ok(best)
    }
}
