//! Tables in a folder of rules that nothing reads, such as a misspelt name.

use std::path::Path;

use super::functions::nearest;
use crate::tables::{RuleFiles, TableError};

/// Folders that hold more tables than the built-in ones: of regions, and of imports.
const OTHERS: [&str; 2] = ["regions/", "imports/"];
/// Deepest folder that is looked into.
const DEPTH: usize = 4;

#[derive(serde::Deserialize)]
struct Book {
    id: String,
}

#[derive(serde::Deserialize)]
struct Category {
    category: String,
    table: String,
}

/// A table that nothing reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// Its name under the folder.
    pub name: String,
    /// The table with the most similar name; empty if there is none.
    pub similar: String,
}

/// The tables in the folder over the built-in ones that nothing reads, in the order of their names.
///
/// # Errors
/// The table of books or of categories is invalid.
pub fn strays(files: &RuleFiles) -> Result<Vec<Stray>, TableError> {
    let Some(folder) = files.folder() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    walk(folder, "", DEPTH, &mut found);
    let mut read: Vec<String> = files.built_in().map(str::to_owned).collect();
    read.extend(files.rows::<Book>("nsi/books.csv")?.into_iter().map(|(_, b)| format!("nsi/{}.csv", b.id)));
    read.extend(files.rows::<Category>("import/categories.csv")?.into_iter().map(|(_, c)| format!("{}/{}.csv", c.table, c.category)));
    // Where names differ in capitals alone, the system may still find the file.
    let is_read = |name: &str| read.iter().any(|known| known == name || known.eq_ignore_ascii_case(name) && folder.join(known).is_file());
    found.retain(|name| !OTHERS.iter().any(|other| name.starts_with(other)) && !is_read(name));
    found.sort();
    let similar = |name: &String| nearest(name, read.iter().map(String::as_str), 1).first().map_or_else(String::new, |known| (*known).to_owned());
    Ok(found.into_iter().map(|name| Stray { similar: similar(&name), name }).collect())
}

/// Gathers the names of tables below a folder.
fn walk(folder: &Path, prefix: &str, depth: usize, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        let (name, path) = (format!("{prefix}{file}"), entry.path());
        if path.is_dir() {
            if depth > 1 {
                walk(&path, &format!("{name}/"), depth - 1, found);
            }
        } else if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv") || e.eq_ignore_ascii_case("toml")) {
            found.push(name);
        }
    }
}
