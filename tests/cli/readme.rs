//! What the README says is what the tables and the program say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use puomp::cli::Exit;
use puomp::registry::format::Formats;
use puomp::tables::RuleFiles;
use serde::Deserialize;

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("it stands at the top level")
}

/// Rows of the table whose header begins so: the cells of each.
fn table(header: &str) -> Vec<Vec<String>> {
    let text = readme();
    let rows: Vec<_> = text
        .lines()
        .skip_while(|line| !line.starts_with(header))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>())
        .collect();
    assert!(!rows.is_empty(), "no table {header:?}");
    rows
}

#[test]
fn the_groups_of_checks_are_those_of_the_table() {
    #[derive(Deserialize)]
    struct CheckRow {
        id: String,
        f012: String,
    }
    let mut groups: BTreeMap<char, (Vec<String>, BTreeSet<String>)> = BTreeMap::new();
    for (_, row) in RuleFiles::embedded().rows::<CheckRow>("structure.csv").expect("a sound table") {
        let (ids, codes) = groups.entry(row.id.chars().next().expect("no empty id")).or_default();
        ids.push(row.id);
        codes.insert(row.f012);
    }
    let expected: BTreeSet<_> = groups
        .into_values()
        .map(|(mut ids, codes)| {
            ids.sort();
            let last = &ids[ids.len() - 1];
            let group = if ids.len() == 1 { last.clone() } else { format!("{}–{last}", ids[0]) };
            (group, codes.into_iter().collect::<Vec<_>>().join(" "))
        })
        .collect();
    let said: BTreeSet<_> = table("| Ids |").into_iter().map(|row| (row[0].clone(), row[2].clone())).collect();
    assert_eq!(said, expected);
}

#[test]
fn the_editions_are_those_of_the_tables() {
    let formats = Formats::load(&RuleFiles::embedded()).expect("sound tables");
    let expected: BTreeMap<_, _> = formats
        .families()
        .map(|family| {
            let editions = formats.editions(family).iter().map(|format| {
                let edition = &format.edition;
                edition.from.map_or_else(|| edition.id.clone(), |from| format!("{} ({from})", edition.id))
            });
            (family.0.to_string(), editions.collect::<Vec<_>>().join(", "))
        })
        .collect();
    let said: BTreeMap<_, _> = table("| Family |").into_iter().map(|row| (row[0].clone(), row[2].clone())).collect();
    assert_eq!(said, expected);
}

#[test]
fn the_exit_codes_are_those_of_the_program() {
    use Exit::{Bug, Busy, Done, Findings, Input, Interrupted, Nothing, Refused, Remote, Usage};
    let codes = [Done, Findings, Usage, Nothing, Refused, Remote, Input, Busy, Bug, Interrupted].map(|exit| exit.code().to_string());
    let said: Vec<_> = table("| Exit code |").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(said, codes);
}

#[test]
fn files_that_it_points_to_exist() {
    let text = readme();
    let links: Vec<_> = text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|link| !link.contains("://")).collect();
    assert!(links.len() > 3);
    for link in links {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(link).exists(), "{link}");
    }
}

/// Blocks marked `console`: what a reader types and what comes out, in the languages that they name.
#[test]
fn what_it_shows_is_what_comes_out() {
    trycmd::TestCases::new().env("PUOMP_LANG", "en").env("NO_COLOR", "1").case("README.md").run();
}
