//! Rows that another hand has changed: `journal --verify` tells of each, or the list below says why not.

use sqlx::{Column as _, Row as _};

use crate::support::clinic::Clinic;
use crate::support::sql::{Sql, text};

/// Columns that no sum covers, with the reason.
const NOT_COVERED: [(&str, &str, &str); 5] = [
    ("outbox", "placed", "set when the file has got its place, without an entry of the journal"),
    ("counters", "name", "numbers that are given out next: one that is taken is passed over, and ids that exist are refused by the store"),
    ("counters", "value", "the same"),
    ("blocks", "name", "the same"),
    ("blocks", "value", "the same"),
];
const TABLES: [&str; 14] = [
    "packages",
    "cases",
    "findings",
    "stock",
    "registries",
    "members",
    "sanctions",
    "answers",
    "outbox",
    "journal",
    "days",
    "journal_before",
    "counters",
    "blocks",
];

/// A workspace with a row in every table.
fn workspace(clinic: &Clinic) {
    clinic.package("in", 20, &["--period", "2021-02", "--plain"]);
    clinic.package("bad", 6, &["--period", "2021-02", "--clinic", "140002", "--seed", "5", "--defects", "0.9"]);
    clinic.run(&["load", "in", "bad"]);
    clinic.done(&["form", "--period", "2021-02"]);
    let registries = clinic.registries();
    let (number, ..) = registries.iter().max_by_key(|(_, _, cases, _)| *cases).expect("one").clone();
    clinic.done(&["submit", &number]);
    std::fs::write(clinic.path("sanctions.csv"), "idcase,code,sum,comment\n1,5.1.4,,тариф\n2,5.1.4,0.01,\n").expect("written");
    clinic.done(&["review", "return", &number, "--reason", "тариф", "--sanctions", "sanctions.csv", "--role", "insurer"]);
    let (other, ..) = registries.iter().find(|(n, ..)| *n != number).expect("another");
    clinic.done(&["submit", other]);
    let mut store = Sql::connect(&clinic.address());
    let file = text(&store.rows(&format!("SELECT file_name FROM registries WHERE number = '{other}'"))[0], "file_name");
    store.close();
    std::fs::write(clinic.path("answer.xml"), format!("<FLK_P><FNAME>V{file}</FNAME><FNAME_I>{file}</FNAME_I></FLK_P>")).expect("written");
    clinic.done(&["receive", "answer.xml"]);
}

/// The value as SQL writes it, and another one of the same type.
fn literals(row: &sqlx::any::AnyRow, column: &str) -> (String, String) {
    match row.try_get::<i64, _>(column) {
        Ok(number) => (number.to_string(), (number + 1_000_003).to_string()),
        Err(_) => {
            let text: String = row.get(column);
            let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
            (quoted(&text), quoted(&format!("{text}x")))
        }
    }
}

on_each_store!(every_changed_column_is_noticed);
fn every_changed_column_is_noticed(clinic: &Clinic) {
    workspace(clinic);
    clinic.done(&["journal", "--verify"]);
    let mut store = Sql::connect(&clinic.address());
    let (mut changed, mut passed) = (0, Vec::new());
    for table in TABLES {
        let rows = store.rows(&format!("SELECT * FROM {table}"));
        let Some(row) = rows.get(rows.len() / 2) else {
            assert_eq!(table, "journal_before", "{table} has no row");
            continue;
        };
        let columns: Vec<String> = row.columns().iter().map(|c| c.name().to_owned()).collect();
        let values: Vec<_> = columns.iter().map(|column| literals(row, column)).collect();
        // Rows with equal values are changed together.
        let place = |changed: Option<usize>| {
            let value = |at: usize| if changed == Some(at) { &values[at].1 } else { &values[at].0 };
            (0..columns.len()).map(|at| format!("{} = {}", columns[at], value(at))).collect::<Vec<_>>().join(" AND ")
        };
        for (at, column) in columns.iter().enumerate() {
            let (was, is) = &values[at];
            store.rows(&format!("UPDATE {table} SET {column} = {is} WHERE {}", place(None)));
            let said = clinic.run(&["journal", "--verify"]);
            match said.code {
                0 => passed.push((table, column.clone())),
                // A version that no program knows is refused before anything is read.
                code => assert_eq!(code, 1, "{table}.{column}: {said:?}"),
            }
            changed += 1;
            store.rows(&format!("UPDATE {table} SET {column} = {was} WHERE {}", place(Some(at))));
        }
        // The whole row is removed and comes back.
        let (names, all) = (columns.join(", "), values.iter().map(|(was, _)| was.as_str()).collect::<Vec<_>>().join(", "));
        let count = rows.iter().filter(|other| columns.iter().zip(&values).all(|(column, (was, _))| literals(other, column).0 == *was)).count();
        store.rows(&format!("DELETE FROM {table} WHERE {}", place(None)));
        let removed = clinic.run(&["journal", "--verify"]);
        // The last daily entry is the end of its chain, which only an exported head proves.
        assert!(removed.code != 0 || ["counters", "blocks", "days"].contains(&table), "a row of {table} was removed: {removed:?}");
        for _ in 0..count {
            store.rows(&format!("INSERT INTO {table} ({names}) VALUES ({all})"));
        }
        clinic.done(&["journal", "--verify"]);
    }
    store.close();
    let known: Vec<_> = NOT_COVERED.iter().map(|(table, column, _)| (*table, (*column).to_owned())).collect();
    assert_eq!(passed, known, "of {changed} columns these were changed and nobody noticed");
}
