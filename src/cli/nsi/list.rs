//! `puomp nsi list`.

use std::path::Path;

use serde::Serialize;

use super::words;
use crate::cli::args::ListShape;
use crate::cli::ui::Ui;
use crate::cli::{Exit, Failure, print, when};
use crate::nsi::{Book, BookInfo, Description, Stock};
use crate::tables::RuleFiles;
use crate::texts::{Key, Lang};
use crate::values::Date;

#[derive(Serialize)]
struct Row {
    book: String,
    name_ru: String,
    name_en: String,
    /// embedded, imported or absent.
    state: &'static str,
    edition: String,
    date: Option<String>,
    dated_by_rows: bool,
    age_days: Option<i64>,
    complete_until: Option<String>,
    rows: usize,
    source: String,
    note: String,
}

#[derive(Serialize)]
struct Body {
    folder: Option<String>,
    books: Vec<Row>,
}

impl Row {
    fn new(info: &BookInfo, book: Option<Description>, today: Date) -> Self {
        let state = match &book {
            None => "absent",
            Some(book) if book.imported => "imported",
            Some(_) => "embedded",
        };
        let date = book.as_ref().and_then(|b| b.date);
        Self {
            book: info.id.to_string(),
            name_ru: info.ru.to_string(),
            name_en: info.en.to_string(),
            state,
            edition: book.as_ref().map(|b| b.edition.clone()).unwrap_or_default(),
            date: date.map(|d| d.to_string()),
            dated_by_rows: book.as_ref().is_some_and(|b| b.dated_by_rows),
            age_days: date.map(|d| today.days_since(d)),
            complete_until: book.as_ref().and_then(|b| b.complete_until).map(|d| d.to_string()),
            rows: book.as_ref().map_or(0, |b| b.rows),
            source: book.map(|b| b.source).unwrap_or_default(),
            note: info.note.to_string(),
        }
    }
}

pub(super) fn run(format: ListShape, folder: Option<&Path>, files: &RuleFiles, ui: &Ui<'_>) -> Result<Exit, Failure> {
    let books = super::load(folder, files)?;
    let today = when::today();
    let at_hand: Vec<&Book> = books.iter().map(AsRef::as_ref).collect();
    super::complain(&books, ui)?;
    let absent = || books.catalog().iter().filter(|info| info.stock != Stock::Rules && !at_hand.iter().any(|b| b.info().id == info.id));
    match format {
        ListShape::Human => print(&human(&at_hand, absent().map(AsRef::as_ref), folder, today, ui))?,
        ListShape::Json | ListShape::Csv => {
            let mut rows: Vec<Row> = at_hand.iter().map(|b| Row::new(b.info(), Some(b.describe()), today)).collect();
            rows.extend(absent().map(|info| Row::new(info, None, today)));
            rows.sort_by(|a, b| a.book.cmp(&b.book));
            if format == ListShape::Json {
                super::json(&Body { folder: folder.map(|f| f.display().to_string()), books: rows })?;
            } else {
                table(&rows)?;
            }
        }
    }
    Ok(Exit::Done)
}

fn table(rows: &[Row]) -> Result<(), Failure> {
    let head = ["book", "name_ru", "name_en", "state", "edition", "date", "dated_by_rows", "age_days", "complete_until", "rows", "source", "note"];
    let cells = |r: &Row| {
        let text = |o: &Option<String>| o.clone().unwrap_or_default();
        let age = r.age_days.map(|d| d.to_string()).unwrap_or_default();
        let first = [r.book.clone(), r.name_ru.clone(), r.name_en.clone(), r.state.to_owned(), r.edition.clone(), text(&r.date)];
        let rest = [r.dated_by_rows.to_string(), age, text(&r.complete_until), r.rows.to_string(), r.source.clone(), r.note.clone()];
        first.into_iter().chain(rest).collect()
    };
    super::csv(&head, &rows.iter().map(cells).collect::<Vec<_>>())
}

fn human<'a>(at_hand: &[&Book], absent: impl Iterator<Item = &'a BookInfo>, folder: Option<&Path>, today: Date, ui: &Ui<'_>) -> String {
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
    let mut out = super::columns(&rows);
    let absent: Vec<&str> = absent.map(|info| &*info.id).collect();
    if at_hand.iter().any(|b| b.describe().dated_by_rows) {
        out.push_str(texts.get(Key::NsiListByRows, lang));
        out.push('\n');
    }
    if !absent.is_empty() {
        out.push_str(&texts.fill(Key::NsiListAbsent, lang, &[("books", &absent.join(" "))]));
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
