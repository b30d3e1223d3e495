//! Rule books in an update of reference books: read, compared and stored as by an import.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use super::outcome::{Change, Plan, Scope};
use super::plan::EDITIONS;
use super::{Edition, Importer, Packet, PlanError, Refusal, Terms, read_bytes, store};
use crate::nsi::update::{Fault, RuleBooks, TakenRules};
use crate::nsi::{Description, Refusal as BookRefusal};
use crate::tables::{RuleFiles, TableError};
use crate::texts::{Coded as _, Keyed, Lang, Text};
use crate::values::Date;

/// Takes the rule books of an update.
#[derive(Debug)]
pub struct Updates<'u> {
    files: &'u RuleFiles,
    folder: &'u Path,
    books: Option<PathBuf>,
    today: Date,
    /// Whether a rule book has been stored, so that the folder's tables apply.
    stored: Cell<bool>,
}

impl<'u> Updates<'u> {
    /// Compares with the tables in `files` and stores into `folder`; `books` is the folder of imported books.
    pub fn new(files: &'u RuleFiles, folder: &'u Path, books: Option<&Path>, today: Date) -> Self {
        Self { files, folder, books: books.map(Path::to_owned), today, stored: Cell::new(false) }
    }

    fn files(&self) -> RuleFiles {
        if self.stored.get() { RuleFiles::with_overlay(self.folder) } else { self.files.clone() }
    }

    fn importer(&self) -> Result<Importer, Fault> {
        Importer::new(&self.files(), self.books.as_deref()).map_err(broken)
    }

    fn packet(bytes: &[u8]) -> Result<Packet, Fault> {
        read_bytes(bytes).map_err(|refusal| refused(&refusal))
    }

    /// The description of an edition. `rows` is 0 if unknown, because the tables hold rows of several books.
    fn describe(&self, edition: &Edition, rows: usize, imported: bool, source: &str) -> Description {
        Description {
            id: edition.book.clone(),
            edition: edition.edition.clone(),
            date: Date::parse(&edition.date),
            dated_by_rows: false,
            complete_until: None,
            rows,
            imported,
            source: source.to_owned(),
        }
    }
}

impl RuleBooks for Updates<'_> {
    fn unasked(&self) -> Vec<String> {
        // Regional rule books hold rules of all regions; they are taken only if the user names them.
        let importer = self.importer().ok();
        let kinds = importer.iter().flat_map(|i| &i.kinds);
        kinds.filter(|k| k.scope == Scope::Federal).map(|k| k.book.clone()).collect()
    }

    fn at_hand(&self, id: &str) -> Result<Option<Description>, Fault> {
        let editions = self.files().rows::<Edition>(EDITIONS).map_err(broken)?;
        let imported = self.folder.join(EDITIONS).is_file();
        Ok(editions.into_iter().map(|(_, e)| e).find(|e| e.book == id).map(|e| self.describe(&e, 0, imported, "")))
    }

    fn look(&self, packet: &[u8]) -> Result<Description, Fault> {
        let importer = self.importer()?;
        let packet = Self::packet(packet)?;
        let unknown = || refused(&Refusal::UnknownKind(packet.kind.chars().take(40).collect()));
        let book = importer.kinds.iter().find(|k| k.kind == packet.kind).ok_or_else(unknown)?.book.clone();
        let edition = Edition { book, edition: packet.version.clone(), date: packet.date.to_string() };
        Ok(self.describe(&edition, packet.rows.len(), true, ""))
    }

    fn take(&self, packet: &[u8], source: &str) -> Result<TakenRules, Fault> {
        let importer = self.importer()?;
        let packet = Self::packet(packet)?;
        let plan = importer.plan(&packet, Terms { today: self.today, force: false }).map_err(|error| match error {
            PlanError::Refused(refusal) => refused(&refusal),
            PlanError::Table(error) => broken(error),
        })?;
        let replaced = self.at_hand(&plan.edition.book)?;
        let written = self.folder.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| store(&plan, self.folder));
        written.map_err(|error| Fault::Refused(BookRefusal::NotWritten(error.kind())))?;
        self.stored.set(true);
        let changes = Text { ru: changes(&importer, &plan, Lang::Ru), en: changes(&importer, &plan, Lang::En) };
        Ok(TakenRules { book: self.describe(&plan.edition, packet.rows.len(), true, source), replaced, changes })
    }
}

/// Counts by kind of change: «новое: 3, изменено: 5».
fn changes(importer: &Importer, plan: &Plan, lang: Lang) -> String {
    let some = Change::ALL.into_iter().filter(|c| plan.count(*c) > 0);
    some.map(|c| format!("{}: {}", importer.text(&format!("change.{}", c.as_str()), lang, &[]), plan.count(c))).collect::<Vec<_>>().join(", ")
}

fn refused(refusal: &Refusal) -> Fault {
    let slots: Vec<(&'static str, String)> = refusal.slots().into_iter().map(|(name, slot)| (name, slot.plain())).collect();
    Fault::Rules(Keyed { key: refusal.key(), class: refusal.class(), slots, hints: Vec::new() })
}

fn broken(error: TableError) -> Fault {
    Fault::Refused(BookRefusal::Table(error))
}
