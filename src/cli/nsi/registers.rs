//! Registers of МЭК in the commands for books.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::Read;

use serde::Serialize;

use super::words;
use crate::api::nsi as api;
use crate::cli::flags::ListShape;
use crate::cli::out::{self, print};
use crate::cli::session::Session;
use crate::cli::ui::Ui;
use crate::cli::{Exit, Failure};
use crate::registers::{ImportError, Layout, Layouts, Must, Recognised, Register, StoredError, Taken, import, path_of, recognise};
use crate::report::columns::fields;
use crate::texts::layout::columns;
use crate::texts::{ErrorClass, Key, Lang};
use crate::values::Date;
use crate::workspace::{Place, Problem};

/// The registers of the workspace around the current folder.
pub(super) struct Registers {
    layouts: Layouts,
    /// `None` outside of a workspace, where there are no registers.
    place: Option<Place>,
    /// Names of the registers that were imported in this run.
    taken: RefCell<BTreeSet<String>>,
}

/// A file that was taken for a register.
pub(super) struct Imported {
    /// Path of the file, with the name of the entry in an archive.
    pub(super) file: String,
    /// The register, or why it was not imported.
    pub(super) outcome: Result<Taken, ImportError>,
}

impl Registers {
    pub(super) fn load(session: &Session<'_>) -> Result<Self, Failure> {
        Ok(Self { layouts: Layouts::load(session.files)?, place: Place::find(session.settings.here(), None).ok(), taken: RefCell::default() })
    }

    /// The register with this name.
    pub(super) fn get(&self, id: &str) -> Option<&Layout> {
        self.layouts.get(id)
    }

    /// What a register is called.
    pub(super) fn name(&self, id: &str, lang: Lang) -> &str {
        self.get(id).map_or("", |layout| layout.name.get(lang))
    }

    /// The folder of registers, for messages.
    pub(super) fn folder(&self) -> Option<String> {
        self.place.as_ref().map(|place| place.registers().display().to_string())
    }

    /// Imports a file if its header is that of a register; `None` when it is none.
    ///
    /// # Errors
    /// The secret of the workspace cannot be read.
    pub(super) fn take(&self, file: &str, head: &[u8], stream: &mut dyn Read, asked: Option<&str>, today: Date) -> Result<Option<Imported>, Problem> {
        let outcome = match (recognise(&self.layouts, head, asked), &self.place) {
            (Recognised::Foreign, _) => return Ok(None),
            (Recognised::Refused(error), _) => Err(error),
            (Recognised::Register(_), None) => Err(ImportError::NoWorkspace),
            (Recognised::Register(layout), _) if self.taken.borrow().contains(&layout.id) => Err(ImportError::Again(layout.id.clone())),
            (Recognised::Register(layout), Some(place)) => import(layout, stream, &place.person_keys()?, &path_of(&place.registers(), &layout.id), today),
        };
        self.taken.borrow_mut().extend(outcome.as_ref().ok().map(|taken| taken.id.clone()));
        Ok(Some(Imported { file: file.to_owned(), outcome }))
    }

    /// A register of the workspace; `None` when it is not there.
    fn open(&self, layout: &Layout) -> Result<Option<Register>, StoredError> {
        // A list makes no secret: a register that was made with another one is told as such.
        let secret = |place: &Place| place.known_person_keys().ok().flatten().map(|keys| keys.secret());
        self.place.as_ref().map_or(Ok(None), |place| Register::open(&place.registers(), &layout.id, || secret(place)))
    }

    /// The rows of `nsi list`.
    pub(super) fn rows(&self) -> Vec<api::Register> {
        self.layouts.iter().map(|layout| row(layout, &self.open(layout))).collect()
    }

    /// What `nsi list` shows of registers; nothing outside of a workspace.
    pub(super) fn human(&self, ui: &Ui<'_>) -> String {
        let (texts, lang) = (ui.texts, ui.lang);
        if self.place.is_none() {
            return String::new();
        }
        let mut rows = vec![texts.get(Key::RegisterListHead, lang).split('|').map(str::to_owned).collect::<Vec<_>>()];
        let open = || "–".to_owned();
        let (mut absent, mut faults) = (Vec::new(), Vec::new());
        for layout in self.layouts.iter() {
            match self.open(layout) {
                Ok(Some(register)) => rows.push(vec![
                    layout.id.clone(),
                    register.day().to_string(),
                    texts.number(lang, register.rows()),
                    words::first(register.days()).unwrap_or_else(open),
                    words::last(register.days()).unwrap_or_else(open),
                    layout.name.get(lang).to_owned(),
                ]),
                Ok(None) => absent.push(layout.id.as_str()),
                Err(error) => faults.push(texts.error(&error, lang)),
            }
        }
        let mut out = format!("\n{}\n", texts.get(Key::RegisterListTitle, lang));
        if rows.len() > 1 {
            out += &columns(&rows);
        }
        if !absent.is_empty() {
            faults.push(texts.fill(Key::RegisterListAbsent, lang, &[("registers", &absent.join(" "))]));
        }
        faults.iter().for_each(|line| out += &format!("{line}\n"));
        out
    }

    /// `nsi show` of a register.
    pub(super) fn show(&self, layout: &Layout, has_code: bool, format: ListShape, session: &Session<'_>) -> Result<Exit, Failure> {
        if has_code {
            return Err(Failure::said(ErrorClass::Usage, Key::RegisterShowNoCode, &[("register", &layout.id)]));
        }
        let register = self.open(layout).map_err(Failure::of)?;
        let described: Vec<ColumnRow<'_>> = layout.columns.iter().map(ColumnRow::new).collect();
        let exit = if register.is_some() { Exit::Done } else { Exit::Nothing };
        match format {
            ListShape::Json => out::json(&Shown { register: row(layout, &Ok(register)), columns: described })?,
            ListShape::Csv => out::csv(session, &described, cell)?,
            ListShape::Human => print(&about(layout, register.as_ref(), session.ui))?,
        }
        Ok(exit)
    }
}

fn row(layout: &Layout, register: &Result<Option<Register>, StoredError>) -> api::Register {
    let there = register.as_ref().ok().and_then(Option::as_ref);
    let state = match register {
        Ok(Some(_)) => "imported",
        Ok(None) => "absent",
        Err(_) => "unusable",
    };
    api::Register {
        register: layout.id.clone(),
        name_ru: layout.name.ru.clone(),
        name_en: layout.name.en.clone(),
        personal: layout.is_personal,
        state: state.to_owned(),
        date: there.map(|register| register.day().to_string()),
        rows: there.map_or(0, Register::rows),
        repeated: there.map_or(0, Register::repeated),
        from: there.and_then(|register| words::first(register.days())),
        until: there.and_then(|register| words::last(register.days())),
    }
}

fn about(layout: &Layout, register: Option<&Register>, ui: &Ui<'_>) -> String {
    let (texts, lang) = (ui.texts, ui.lang);
    let mut out = texts.fill(Key::RegisterShowTitle, lang, &[("register", &layout.id), ("name", layout.name.get(lang))]) + "\n";
    let fact = |key: Key, value: String| vec![format!("  {}", texts.get(key, lang)), value];
    let mut facts = Vec::new();
    match register {
        None => out += &format!("  {}\n", texts.fill(Key::RegisterShowAbsent, lang, &[("register", &layout.id)])),
        Some(register) => {
            let rows = texts.number(lang, register.rows());
            let repeated = || texts.fill(Key::RegisterShowRepeated, lang, &[("rows", &rows), ("repeated", &texts.number(lang, register.repeated()))]);
            facts.push(fact(Key::RegisterShowDay, register.day().to_string()));
            facts.push(fact(Key::RegisterShowRows, if register.repeated() == 0 { rows.clone() } else { repeated() }));
            facts.push(fact(Key::RegisterShowDays, words::days(register.days(), texts, lang)));
            facts.push(fact(Key::RegisterShowFile, register.path().display().to_string()));
        }
    }
    if layout.is_personal {
        facts.push(fact(Key::RegisterShowStored, texts.get(Key::RegisterShowKeys, lang).to_owned()));
    }
    out += &columns(&facts);
    out += &format!("  {}\n", texts.get(Key::RegisterShowColumns, lang));
    let described = layout.columns.iter().map(|column| {
        let must = texts.get(
            match column.must {
                Must::Filled => Key::RegisterMustFilled,
                Must::There => Key::RegisterMustThere,
                Must::Nothing => Key::RegisterMustNothing,
            },
            lang,
        );
        let personal = if column.is_personal { texts.get(Key::RegisterPersonal, lang) } else { "" };
        vec![format!("    {}", column.name), must.to_owned(), personal.to_owned(), column.means.get(lang).to_owned()]
    });
    out + &columns(&described.collect::<Vec<_>>())
}

#[derive(Serialize)]
struct Shown<'a> {
    register: api::Register,
    columns: Vec<ColumnRow<'a>>,
}

#[derive(Serialize)]
struct ColumnRow<'a> {
    column: &'a str,
    /// `filled`, `there` or `nothing`.
    must: &'static str,
    personal: bool,
    means_ru: &'a str,
    means_en: &'a str,
}

impl<'a> ColumnRow<'a> {
    fn new(column: &'a crate::registers::Column) -> Self {
        let must = match column.must {
            Must::Filled => "filled",
            Must::There => "there",
            Must::Nothing => "nothing",
        };
        Self { column: &column.name, must, personal: column.is_personal, means_ru: &column.means.ru, means_en: &column.means.en }
    }
}

fields!(
    /// The columns of a column of a register.
    OfColumn,
    "nsi",
    "register_columns",
    Column,
    Must,
    Personal,
    MeansRu,
    MeansEn
);

fn cell(column: OfColumn, r: &ColumnRow<'_>) -> String {
    match column {
        OfColumn::Column => r.column.to_owned(),
        OfColumn::Must => r.must.to_owned(),
        OfColumn::Personal => r.personal.to_string(),
        OfColumn::MeansRu => r.means_ru.to_owned(),
        OfColumn::MeansEn => r.means_en.to_owned(),
    }
}
