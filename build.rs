//! Embeds every table under `rules/` so that the binary works alone (a folder of the same shape can override them at run time), and makes
//! the enum of interface texts from the keys of `rules/texts.csv`.

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
    fs::write(target.join("text_keys.rs"), text_keys(&fs::read_to_string(root.join("texts.csv"))?))
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

/// The enum `Key`: a variant for each key of the table, but for the help texts (`help.…`), which are looked up by command and argument.
fn text_keys(table: &str) -> String {
    let keys: Vec<String> = first_cells(table).into_iter().skip(1).filter(|key| !key.starts_with("help.")).collect();
    let variants: Vec<String> = keys.iter().map(|key| variant(key)).collect();
    let mut out = String::from(
        "/// A text of the interface: a row of `rules/texts.csv`.\n#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum Key {\n",
    );
    for (key, variant) in keys.iter().zip(&variants) {
        writeln!(out, "    /// `{key}`\n    {variant},").expect("a string takes it");
    }
    out.push_str("}\n\nimpl Key {\n    /// Every key, in the order of the table.\n    pub const ALL: &'static [Self] = &[\n");
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

/// The first cell of each row; only later cells of this table are quoted, and those may hold line ends.
fn first_cells(table: &str) -> Vec<String> {
    let (mut cells, mut quoted, mut is_first, mut cell) = (Vec::new(), false, true, String::new());
    for c in table.trim_start_matches('\u{feff}').chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => is_first = false,
            '\n' if !quoted => {
                cells.push(std::mem::take(&mut cell));
                is_first = true;
            }
            '\r' => {}
            _ if is_first => cell.push(c),
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
