//! `puomp nsi show`.

use clap::Args;
use serde::Serialize;

use super::registers::Registers;
use super::{list, words};
use crate::cli::flags::ListShape;
use crate::cli::out::{self, print};
use crate::cli::session::Session;
use crate::cli::ui::Ui;
use crate::cli::{Exit, Failure};
use crate::nsi::{Book, Books, FieldIx, NoBook, RowIx, Stock};
use crate::report::table::Table;
use crate::texts::Key;
use crate::texts::layout::columns;
use crate::values::Date;

/// Arguments of `puomp nsi show`.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Id of a book.
    #[arg(value_name = "BOOK")]
    book: String,
    /// A code; without one, the head of the book.
    #[arg(value_name = "CODE")]
    code: Option<String>,
    /// Only rows valid on this day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    on: Option<String>,
    /// The field that holds the code; by default the key of the book.
    #[arg(long, value_name = "FIELD", requires = "code")]
    field: Option<String>,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: ListShape,
}

#[derive(Serialize)]
struct Head {
    book: String,
    name_ru: String,
    name_en: String,
    edition: String,
    date: Option<String>,
    dated_by_rows: bool,
    complete_until: Option<String>,
    imported: bool,
    source: String,
    file: Option<String>,
    key: String,
    lookup_date: &'static str,
    fields: Vec<String>,
    rows: usize,
    values: usize,
    valid: usize,
    on: String,
    note: String,
}

#[derive(Serialize)]
struct ShownRow {
    from: Option<String>,
    until: Option<String>,
    fields: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize)]
struct Body {
    book: Head,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<ShownRow>>,
}

impl ShowArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let ui = session.ui;
        let wrong = |value: &str| Failure::Value(value.to_owned(), "YYYY-MM-DD".to_owned());
        let on = self.on.as_deref().map(|text| Date::parse(text).ok_or_else(|| wrong(text))).transpose()?;
        let registers = Registers::load(session)?;
        if let Some(layout) = registers.get(&self.book) {
            return registers.show(layout, self.code.is_some() || on.is_some(), self.format, session);
        }
        let books = Books::load(session.files, super::folder(session).as_deref())?;
        let found = books.get(&self.book);
        super::complain(&books, ui)?;
        let book = found.ok_or_else(|| self.missing(&books))?;
        let rows = match &self.code {
            Some(code) => Some(book.index(self.field(book)?).rows(code).to_vec()),
            // A day without a code asks for all rows valid on it.
            None if on.is_some() && self.format != ListShape::Human => Some(book.rows().collect()),
            None => None,
        };
        let shown: Option<Vec<RowIx>> = rows.as_ref().map(|rows| rows.iter().copied().filter(|r| on.is_none_or(|on| book.valid(*r, on))).collect());
        let day = on.unwrap_or_else(|| session.today());
        match self.format {
            ListShape::Json => out::json(&Body { book: head(book, day), rows: shown.as_ref().map(|rows| rows.iter().map(|r| row(book, *r)).collect()) })?,
            ListShape::Csv => self.csv(book, shown.as_deref())?,
            ListShape::Human => print(&match (&self.code, &shown) {
                (Some(code), Some(shown)) => self.rows(book, code, shown, rows.as_deref().unwrap_or_default(), ui),
                _ => about(book, day, ui),
            })?,
        }
        Ok(if self.code.is_some() && shown.is_none_or(|rows| rows.is_empty()) { Exit::Nothing } else { Exit::Done })
    }

    fn field(&self, book: &Book) -> Result<FieldIx, Failure> {
        let Some(name) = &self.field else { return Ok(book.key()) };
        let known = || book.fields().map(|f| book.name(f)).collect::<Vec<_>>().join(", ");
        book.field(name).ok_or_else(|| Failure::Value(name.clone(), known()))
    }

    fn missing(&self, books: &Books) -> Failure {
        Failure::of(match books.catalog().get(&self.book) {
            Some(info) if info.stock == Stock::Rules => NoBook::Rules(info.id.to_string()),
            Some(info) => NoBook::Absent(info.clone()),
            None => NoBook::Unknown(self.book.clone()),
        })
    }

    fn rows(&self, book: &Book, code: &str, shown: &[RowIx], all: &[RowIx], ui: &Ui<'_>) -> String {
        let (texts, lang) = (ui.texts, ui.lang);
        let about = book.describe();
        let edition = words::edition(&about, texts, lang);
        let mut out = texts.fill(Key::NsiShowTitle, lang, &[("book", &about.id), ("name", list::title(book.info(), lang)), ("edition", &edition)]);
        out.push('\n');
        for row in shown {
            let mut facts = vec![vec![format!("  {}", texts.get(Key::NsiShowValid, lang)), words::days(book.span(*row), ui.texts, ui.lang)]];
            let filled = book.fields().filter(|f| !book.value(*row, *f).is_empty());
            facts.extend(filled.map(|f| vec![format!("  {}", book.name(f)), book.value(*row, f).to_owned()]));
            out.push_str(&columns(&facts));
        }
        if shown.is_empty() {
            let field = self.field.as_deref().unwrap_or(&book.info().key).to_owned();
            out.push_str(&match (all.is_empty(), &self.on) {
                (false, Some(on)) => {
                    let spans: Vec<String> = all.iter().map(|r| words::days(book.span(*r), ui.texts, ui.lang)).collect();
                    texts.fill(Key::NsiShowNotValid, lang, &[("code", code), ("on", on), ("days", &spans.join("; "))])
                }
                _ => texts.fill(Key::NsiShowNone, lang, &[("code", code), ("field", &field)]),
            });
            out.push('\n');
        }
        out
    }

    /// Writes the rows as CSV; the columns have the names under which the book was published.
    fn csv(&self, book: &Book, shown: Option<&[RowIx]>) -> Result<(), Failure> {
        let mut names: Vec<&str> = book.fields().map(|f| book.name(f)).collect();
        names.extend(["DATEBEG", "DATEEND"]);
        let all: Vec<RowIx> = if shown.is_none() { book.rows().collect() } else { Vec::new() };
        let cells = |row: &RowIx| -> Vec<String> {
            let span = book.span(*row);
            let values = book.fields().map(|f| book.value(*row, f).to_owned());
            values.chain([words::first(span).unwrap_or_default(), words::last(span).unwrap_or_default()]).collect()
        };
        let mut out = Vec::new();
        let mut table = Table::new(&mut out, names)?;
        shown.unwrap_or(&all).iter().try_for_each(|row| table.row(cells(row)))?;
        table.finish()?;
        drop(table);
        out::bytes(&out)
    }
}

fn head(book: &Book, on: Date) -> Head {
    let (about, info) = (book.describe(), book.info());
    Head {
        book: about.id,
        name_ru: info.ru.to_string(),
        name_en: info.en.to_string(),
        edition: about.edition,
        date: about.date.map(|d| d.to_string()),
        dated_by_rows: about.dated_by_rows,
        complete_until: about.complete_until.map(|d| d.to_string()),
        imported: about.imported,
        source: about.source,
        file: book.path().map(|p| p.display().to_string()),
        key: book.name(book.key()).to_owned(),
        lookup_date: info.on.element(),
        fields: book.fields().map(|f| book.name(f).to_owned()).collect(),
        rows: about.rows,
        values: book.index(book.key()).len(),
        valid: book.rows().filter(|r| book.valid(*r, on)).count(),
        on: on.to_string(),
        note: info.note.to_string(),
    }
}

fn row(book: &Book, row: RowIx) -> ShownRow {
    let span = book.span(row);
    let fields = book.fields().map(|f| (book.name(f).to_owned(), book.value(row, f).into())).collect();
    ShownRow { from: words::first(span), until: words::last(span), fields }
}

fn about(book: &Book, on: Date, ui: &Ui<'_>) -> String {
    let (texts, lang) = (ui.texts, ui.lang);
    let (head, about) = (head(book, on), book.describe());
    let number = |n: usize| texts.number(lang, n as u64);
    let edition = words::edition(&about, texts, lang);
    let title = texts.fill(Key::NsiShowTitle, lang, &[("book", &about.id), ("name", list::title(book.info(), lang)), ("edition", &edition)]);
    let valid = texts.fill(Key::NsiShowValidOn, lang, &[("on", &head.on), ("count", &number(head.valid))]);
    let origin = match (&head.file, head.imported) {
        (Some(file), true) => texts.fill(Key::NsiShowFrom, lang, &[("source", &head.source), ("path", file)]),
        _ => texts.get(Key::NsiEmbedded, lang).to_owned(),
    };
    let mut facts = vec![
        (Key::NsiShowOrigin, origin),
        (Key::NsiShowRows, format!("{} ({valid})", number(head.rows))),
        (Key::NsiShowKey, texts.fill(Key::NsiShowKeyValues, lang, &[("key", &head.key), ("count", &number(head.values))])),
        (Key::NsiShowFields, head.fields.join(", ")),
        (Key::NsiShowLookup, head.lookup_date.to_owned()),
    ];
    if let Some(until) = head.complete_until {
        facts.push((Key::NsiShowComplete, until));
    }
    if !head.note.is_empty() {
        facts.push((Key::NsiShowNote, head.note));
    }
    let rows: Vec<_> = facts.into_iter().map(|(key, fact)| vec![format!("  {}", texts.get(key, lang)), fact]).collect();
    format!("{title}\n{}", columns(&rows))
}
