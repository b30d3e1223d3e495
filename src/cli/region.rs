//! The region that is named. All its tables are read before a command begins: a mistake in one must not wait for the command that uses this table.

use std::collections::BTreeSet;

use super::explain::{examples, inferred};
use super::settings::{Settings, Valued};
use super::{Failure, control};
use crate::finding::Catalog;
use crate::flk::Rulebook;
use crate::forming::Former;
use crate::nsi;
use crate::registry::format::Formats;
use crate::report::flk::Protocol;
use crate::rules::import::TableRow;
use crate::rules::{RULE_TABLES, RuleRow, Words, load};
use crate::tables::{Region, RuleFiles, TableError};
use crate::texts::{ErrorClass, Key, Texts};
use crate::workspace::{SanctionColumns, Tables};

/// Reads tables to find what is wrong with them. The names are those of the tables that the region changes.
type Reader = fn(&RuleFiles, &[&str]) -> Result<(), TableError>;

/// The beginnings of names of tables, and who reads these tables.
const READERS: [(&[&str], Reader); 11] = [
    (&["texts.csv", "sayings.csv"], |files, _| Texts::load(files).map(drop)),
    (&["structure.csv", "causes.csv", "mends.csv", "hints.csv", "lookalikes.csv"], |files, _| Catalog::load(files).map(drop)),
    (&["examples.csv"], |files, _| examples(files).map(drop)),
    (&["formats/"], |files, _| Formats::load(files).map(drop)),
    (&["nsi/site.toml"], |files, _| nsi::update::Site::load(files).map(drop)),
    (&["nsi/"], |files, tables| nsi::prove(files, tables.iter().copied())),
    (&["flk/", "sense/"], rules),
    (&["kinds.csv", "workflow.toml", "forms/answer-elements.csv", "forms/resubmission.csv", "forms/payers.csv"], |files, _| Tables::load(files).map(drop)),
    (&["forms/sanctions.csv"], |files, _| SanctionColumns::load(files).map(drop)),
    (&["forms/flk-"], |files, _| Protocol::load(files).map(drop)),
    (&["forms/forming.csv"], |files, _| Former::load(files, &Formats::load(files)?, &Catalog::load(files)?).map(drop)),
];

/// The tables with those of the region over them, if one is named.
pub(super) fn with_region(files: RuleFiles, settings: &Settings<'_>) -> Result<RuleFiles, Failure> {
    let Some(Valued { value: code, origin }) = settings.region() else { return Ok(files) };
    let known = files.regions();
    if !known.contains(&code) {
        let slots = [("place", origin.name().unwrap_or_default()), ("code", &code), ("known", &known.join(", "))];
        return Err(Failure::said(ErrorClass::Usage, Key::ConfigNoRegion, &slots));
    }
    let files = files.with_region(&code)?;
    prove(&files)?;
    control::prove_region(&files)?;
    Ok(files)
}

/// Reads every table that the region changes.
fn prove(files: &RuleFiles) -> Result<(), TableError> {
    let Some(merging) = files.region().map(Region::merging) else { return Ok(()) };
    let tables: Vec<&str> = merging.tables.iter().map(|touched| touched.table.as_str()).collect();
    for (beginnings, read) in READERS {
        let of_reader: Vec<&str> = tables.iter().copied().filter(|table| beginnings.iter().any(|beginning| table.starts_with(beginning))).collect();
        if !of_reader.is_empty() {
            read(files, &of_reader).map_err(|error| files.blame(error, &of_reader, |files| read(files, &[])))?;
        }
    }
    // Nothing executes these yet.
    tables.iter().filter(|table| table.starts_with("mek/")).try_for_each(|table| files.rows::<TableRow>(table).map(drop))
}

/// Reads the rules and what belongs to them, and compiles the region's rows for every format; all of them if it changes what all of them use.
fn rules(files: &RuleFiles, tables: &[&str]) -> Result<(), TableError> {
    let formats = Formats::load(files)?;
    let of_region = |row: &RuleRow| row.place.1.file_of(&row.place.0) != row.place.0;
    let own: BTreeSet<String> = load(files, RULE_TABLES)?.into_iter().filter(of_region).map(|row| row.id).collect();
    let is_of_all = tables.iter().any(|table| !RULE_TABLES.contains(table));
    Rulebook::load(files, None, &mut Catalog::load(files)?, |id| is_of_all || own.contains(id))?.prove(&formats)?;
    inferred(files)?;
    Words::load(files, &formats).map(drop)
}
