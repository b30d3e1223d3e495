//! The control of one document in memory.

use crate::finding::{Catalog, Check, FileRole, Finding};
use crate::registry::chunk::PIECE;
use crate::registry::encoding::{BOM, Coding, Encoding};
use crate::registry::format::Format;
use crate::registry::scan::ScanLimits;
use crate::tables::TableError;

use super::member::of_fault;
use super::plan::Plan;
use super::walk::{FileContext, Walker};

/// Checks one document in memory against a format: structure, values and relations within a record, but no other file and no file name.
///
/// # Errors
/// A row of `rules/structure.csv` is invalid, e.g. names an unknown role.
pub fn check_document(bytes: &[u8], encoding: Encoding, format: &Format, catalog: &Catalog) -> Result<Vec<Finding>, TableError> {
    let plan = Plan::new(format, catalog)?;
    let context = FileContext {
        format,
        plan: &plan,
        catalog,
        file: FileRole::Main,
        encoding,
        coding: Coding::default(),
        unsure: None,
        limits: ScanLimits::default(),
        piece: PIECE,
        rules: None,
        wanted: None,
        placing: false,
        reading: None,
        timings: None,
    };
    let (text, base) = bytes.strip_prefix(BOM).map_or((bytes, 0), |text| (text, BOM.len() as u64));
    let outcome = Walker::at_head(context).piece(text, base, true);
    let mut findings = outcome.findings;
    if let Some(fault) = &outcome.fault {
        let place = outcome.fault_place.unwrap_or_default();
        findings.push(Finding { place, ..of_fault(catalog.of(fault.check), FileRole::Main, fault) });
        return Ok(findings);
    }
    let root = format.node(format.root());
    for (position, child) in root.children.iter().enumerate() {
        if root.required & 1 << position & !outcome.root.seen != 0 {
            let place = outcome.root_place.unwrap_or_default();
            findings.push(Finding { place, path: format.node(*child).path.clone(), ..Finding::of_file(plan.rule(Check::Missing), FileRole::Main) });
        }
    }
    Ok(findings)
}
