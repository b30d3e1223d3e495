//! Every row of the federal rule tables compiles against every edition of every family that it speaks of.

#![allow(clippy::print_stdout, reason = "counts are part of the proof")]

use std::collections::BTreeMap;

use puomp::nsi::Books;
use puomp::registry::format::{Formats, PERSONS};
use puomp::rules::{Conventions, RULE_TABLES, RuleSet, Side, Sources, State, load};
use puomp::tables::RuleFiles;

#[test]
fn every_row_compiles_for_every_format() {
    let files = RuleFiles::embedded();
    let rows = load(&files, RULE_TABLES).unwrap_or_else(|e| panic!("{e}"));
    let formats = Formats::load(&files).unwrap_or_else(|e| panic!("{e}"));
    let books = Books::load(&files, None).unwrap_or_else(|e| panic!("{e}"));
    let conventions = Conventions::load(&files).unwrap_or_else(|e| panic!("{e}"));
    let persons = formats.get(PERSONS, "3.2").expect("known");
    // By id: the best state over all formats.
    let mut states: BTreeMap<&str, State> = BTreeMap::new();
    let mut mistakes = Vec::new();
    for format in formats.all() {
        let letter = if format.family.0 == 'D' { 'X' } else { format.family.0 };
        let sources = |own| Sources {
            format: own,
            persons: (format.family != PERSONS).then_some(&**persons),
            formats: &formats,
            books: &books,
            conventions: &conventions,
        };
        let mut sides = vec![(letter, Side::Own)];
        if format.family != PERSONS {
            sides.push(('L', Side::PersonsFromRecords));
        }
        for (letter, side) in sides {
            for row in &rows {
                // Rules of persons that name elements of the main file are compiled from the records' side.
                match RuleSet::compile(std::slice::from_ref(row), &[(letter, side)], None, sources(format)) {
                    Ok(set) => {
                        for puomp::rules::RowState { state, .. } in set.states() {
                            let best = states.entry(&row.id).or_insert_with(|| state.clone());
                            if *state == State::Executed {
                                *best = State::Executed;
                            }
                        }
                    }
                    Err(error) if letter == 'L' && side == Side::Own => {
                        let _ = error;
                    }
                    Err(error) => mistakes.push(format!("{} {}: {error}", format.family, format.edition.id)),
                }
            }
        }
    }
    mistakes.sort();
    mistakes.dedup();
    assert!(mistakes.is_empty(), "{} mistakes:\n{}", mistakes.len(), mistakes.join("\n"));
    let clinic = rows.iter().filter(|r| r.files.iter().any(|f| "HCTXL".contains(*f)));
    let mut counts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for row in clinic {
        let state = states.get(row.id.as_str()).map_or_else(|| "no format".to_owned(), |s| format!("{s:?}"));
        counts.entry(state).or_default().push(&row.id);
    }
    for (state, ids) in &counts {
        println!("{state}: {} {}", ids.len(), if ids.len() < 40 { ids.join(" ") } else { String::new() });
    }
    assert!(counts.get("Executed").is_some_and(|ids| ids.len() >= 600), "most rules run with the embedded books");
}
