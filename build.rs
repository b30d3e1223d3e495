//! Embeds every table under `rules/` so that the binary works alone (a folder of the same shape can override them at run time), and makes
//! the enum of texts from the keys of `rules/texts.csv` and the checks of `rules/structure.csv`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=rules");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("rules");
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();
    let mut out = String::from(
        "/// Name (relative to `rules/`, with `/`) and text of every embedded table, sorted by name.\npub(crate) static EMBEDDED: &[(&str, &str)] = &[\n",
    );
    for file in &files {
        let name: Vec<_> = file.strip_prefix(&root).expect("below root").iter().map(|p| p.to_string_lossy()).collect();
        writeln!(out, "    ({:?}, include_str!({:?})),", name.join("/"), file).expect("a string takes it");
    }
    out.push_str("];\n");
    let target = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(target.join("embedded_rules.rs"), out)?;
    fs::write(target.join("text_keys.rs"), text_keys(&fs::read_to_string(root.join("texts.csv"))?, &fs::read_to_string(root.join("structure.csv"))?))
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", dir.display());
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "csv" || e == "toml") {
            files.push(path);
        }
    }
    Ok(())
}

/// The enum `Key`: a variant for each key of the table of texts, but for the help texts (`help.…`), which are looked up by command and argument; and
/// one for each structural check (`check.…`), whose text stands in the table of checks.
fn text_keys(texts: &str, checks: &str) -> String {
    let mut keys: Vec<String> = cells(texts, 0).into_iter().skip(1).filter(|key| !key.starts_with("help.")).collect();
    let mut checks: Vec<String> = cells(checks, 1).into_iter().skip(1).map(|check| format!("check.{check}")).collect();
    checks.sort();
    checks.dedup();
    keys.append(&mut checks);
    let variants: Vec<String> = keys.iter().map(|key| variant(key)).collect();
    let mut out = String::from(
        "/// A text of the interface: a row of `rules/texts.csv`, or the text of a structural check (`rules/structure.csv`).\n#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum Key {\n",
    );
    for (key, variant) in keys.iter().zip(&variants) {
        writeln!(out, "    /// `{key}`\n    {variant},").expect("a string takes it");
    }
    out.push_str(
        "}\n\nimpl Key {\n    /// Every key: those of texts in the order of their table, then those of checks.\n    pub const ALL: &'static [Self] = &[\n",
    );
    for variant in &variants {
        writeln!(out, "        Self::{variant},").expect("a string takes it");
    }
    out.push_str("    ];\n\n    /// The word in the table.\n    pub fn as_str(self) -> &'static str {\n        match self {\n");
    for (key, variant) in keys.iter().zip(&variants) {
        writeln!(out, "            Self::{variant} => {key:?},").expect("a string takes it");
    }
    out.push_str("        }\n    }\n}\n");
    out
}

/// A column of a table, counted from 0. Cells before it and itself are not quoted; later ones may be, and may hold line ends.
fn cells(table: &str, column: usize) -> Vec<String> {
    let (mut cells, mut quoted, mut at, mut cell) = (Vec::new(), false, 0, String::new());
    for c in table.trim_start_matches('\u{feff}').chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => at += 1,
            '\n' if !quoted => {
                cells.push(std::mem::take(&mut cell));
                at = 0;
            }
            '\r' => {}
            _ if at == column => cell.push(c),
            _ => {}
        }
    }
    cells.extend(Some(cell).filter(|cell| !cell.is_empty()));
    cells
}

/// `nsi.update-line` as `NsiUpdateLine`.
fn variant(key: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    key.split(['.', '-']).filter(|part| !part.is_empty()).map(word).collect()
}
