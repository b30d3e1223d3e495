//! `puomp nsi list`.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Args;

use super::asked::asked;
use super::registers::Registers;
use super::words;
use crate::api::nsi as api;
use crate::cli::flags::ListShape;
use crate::cli::out::{self, print};
use crate::cli::session::Session;
use crate::cli::ui::Ui;
use crate::cli::{Exit, Failure};
use crate::nsi::{Book, BookInfo, Books, Description, Stock};
use crate::report::columns::fields;
use crate::rules::Asked;
use crate::texts::layout::columns;
use crate::texts::{Key, Lang};
use crate::values::Date;

/// Arguments of `puomp nsi list`.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: ListShape,
}

fields!(
    /// The columns of a book.
    OfBook,
    "nsi",
    "books",
    Book,
    NameRu,
    NameEn,
    State,
    Edition,
    Date,
    DatedByRows,
    AgeDays,
    CompleteUntil,
    Rows,
    Source,
    Asked,
    Note,
    Kind
);

impl ListArgs {
    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let ui = session.ui;
        let folder = super::folder(session);
        let books = Books::load(session.files, folder.as_deref())?;
        let registers = Registers::load(session)?;
        let today = session.today();
        let at_hand: Vec<&Book> = books.iter().map(AsRef::as_ref).collect();
        super::complain(&books, ui)?;
        let asked = asked(session, folder.as_deref())?;
        let absent = || books.catalog().iter().filter(|info| info.stock != Stock::Rules && !at_hand.iter().any(|b| b.info().id == info.id));
        let rows = || {
            let mut rows: Vec<api::Book> = at_hand.iter().map(|b| row(b.info(), Some(b.describe()), &asked, today)).collect();
            rows.extend(absent().map(|info| row(info, None, &asked, today)));
            rows.sort_by(|a, b| a.book.cmp(&b.book));
            rows
        };
        match self.format {
            ListShape::Human => {
                let books = human(&at_hand, absent().map(AsRef::as_ref), &asked, folder.as_deref(), today, ui);
                print(&(books + &registers.human(ui)))?;
            }
            ListShape::Json => out::json(&api::Books { folder: folder.map(|f| f.display().to_string()), books: rows(), registers: registers.rows() })?,
            ListShape::Csv => {
                let books = rows().into_iter().map(Line::Book);
                out::csv(session, &books.chain(registers.rows().into_iter().map(Line::Register)).collect::<Vec<_>>(), line)?;
            }
        }
        Ok(Exit::Done)
    }
}

/// The row of a book, whether or not the book is there.
fn row(info: &BookInfo, book: Option<Description>, asked: &Asked, today: Date) -> api::Book {
    let state = match &book {
        None => "absent",
        Some(book) if book.imported => "imported",
        Some(_) => "embedded",
    };
    let date = book.as_ref().and_then(|b| b.date);
    api::Book {
        book: info.id.to_string(),
        name_ru: info.ru.to_string(),
        name_en: info.en.to_string(),
        state: state.to_owned(),
        edition: book.as_ref().map(|b| b.edition.clone()).unwrap_or_default(),
        date: date.map(|d| d.to_string()),
        dated_by_rows: book.as_ref().is_some_and(|b| b.dated_by_rows),
        age_days: date.map(|d| today.days_since(d)),
        complete_until: book.as_ref().and_then(|b| b.complete_until).map(|d| d.to_string()),
        rows: book.as_ref().map_or(0, |b| b.rows),
        source: book.map(|b| b.source).unwrap_or_default(),
        asked: asked.get(&*info.id).map_or(0, BTreeSet::len),
        note: info.note.to_string(),
    }
}

/// A row of the table for Excel.
enum Line {
    Book(api::Book),
    Register(api::Register),
}

fn line(column: OfBook, line: &Line) -> String {
    match (line, column) {
        (Line::Book(_), OfBook::Kind) => "book".to_owned(),
        (Line::Book(book), column) => cell(column, book),
        (Line::Register(_), OfBook::Kind) => "register".to_owned(),
        (Line::Register(register), column) => of_register(column, register),
    }
}

fn of_register(column: OfBook, r: &api::Register) -> String {
    match column {
        OfBook::Book => r.register.clone(),
        OfBook::NameRu => r.name_ru.clone(),
        OfBook::NameEn => r.name_en.clone(),
        OfBook::State => r.state.clone(),
        OfBook::Date => r.date.clone().unwrap_or_default(),
        OfBook::Rows => r.rows.to_string(),
        _ => String::new(),
    }
}

fn cell(column: OfBook, r: &api::Book) -> String {
    let text = |o: &Option<String>| o.clone().unwrap_or_default();
    match column {
        OfBook::Book => r.book.clone(),
        OfBook::NameRu => r.name_ru.clone(),
        OfBook::NameEn => r.name_en.clone(),
        OfBook::State => r.state.clone(),
        OfBook::Edition => r.edition.clone(),
        OfBook::Date => text(&r.date),
        OfBook::DatedByRows => r.dated_by_rows.to_string(),
        OfBook::AgeDays => r.age_days.map(|d| d.to_string()).unwrap_or_default(),
        OfBook::CompleteUntil => text(&r.complete_until),
        OfBook::Rows => r.rows.to_string(),
        OfBook::Source => r.source.clone(),
        OfBook::Asked => r.asked.to_string(),
        OfBook::Note => r.note.clone(),
        OfBook::Kind => String::new(),
    }
}

fn human<'a>(at_hand: &[&Book], absent: impl Iterator<Item = &'a BookInfo>, asked: &Asked, folder: Option<&Path>, today: Date, ui: &Ui<'_>) -> String {
    let (texts, lang) = (ui.texts, ui.lang);
    let mut rows = vec![texts.get(Key::NsiListHead, lang).split('|').map(str::to_owned).collect::<Vec<_>>()];
    for book in at_hand {
        let about = book.describe();
        rows.push(vec![
            about.id.clone(),
            if about.edition.is_empty() { "–".to_owned() } else { about.edition.clone() },
            about.date.map_or_else(|| "–".to_owned(), |d| format!("{d}{}", if about.dated_by_rows { "*" } else { "" })),
            about.date.map_or_else(String::new, |d| words::age(d, today, texts, lang)),
            texts.number(lang, about.rows as u64),
            texts.get(if about.imported { Key::NsiImported } else { Key::NsiEmbedded }, lang).to_owned(),
            about.complete_until.map_or_else(|| "–".to_owned(), |d| d.to_string()),
            title(book.info(), lang).to_owned(),
        ]);
    }
    let mut out = columns(&rows);
    let (lacking, unused): (Vec<&BookInfo>, Vec<&BookInfo>) = absent.partition(|info| asked.contains_key(&*info.id));
    if at_hand.iter().any(|b| b.describe().dated_by_rows) {
        out.push_str(texts.get(Key::NsiListByRows, lang));
        out.push('\n');
    }
    if !lacking.is_empty() {
        let told: Vec<String> = lacking.iter().map(|info| format!("{} ({})", info.id, asked[&*info.id].len())).collect();
        out.push_str(&texts.fill(Key::NsiListLacking, lang, &[("books", &told.join(", "))]));
        out.push('\n');
    }
    if !unused.is_empty() {
        let unused: Vec<&str> = unused.iter().map(|info| &*info.id).collect();
        out.push_str(&texts.fill(Key::NsiListAbsent, lang, &[("books", &unused.join(" "))]));
        out.push('\n');
    }
    if let Some(folder) = folder {
        out.push_str(&texts.fill(Key::NsiListFolder, lang, &[("path", &folder.display().to_string())]));
        out.push('\n');
    }
    out
}

/// Name of a book.
pub(super) fn title(info: &BookInfo, lang: Lang) -> &str {
    match lang {
        Lang::Ru => &info.ru,
        Lang::En => &info.en,
    }
}
