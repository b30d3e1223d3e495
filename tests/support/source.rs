//! Rust files as the house test reads them: code without comments, strings kept apart, tests left out, paths resolved to files.
//!
//! This is no parser: it knows only comments, strings, characters, `#[cfg(test)]`, `mod`, `use` and paths, which is enough for that test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A string or a character.
pub(crate) struct Literal {
    pub(crate) line: usize,
    pub(crate) text: String,
    /// Whether it names a value for `--help` (`value_name = "CODE"`).
    pub(crate) is_placeholder: bool,
}

/// One file below `src/`.
pub(crate) struct Source {
    /// The path from the top folder, with slashes.
    pub(crate) path: String,
    /// The path of its module: `["rules", "eval"]`; empty for `lib.rs` and `main.rs`.
    pub(crate) module: Vec<String>,
    /// The text with spaces in place of comments, the contents of strings, and tests.
    pub(crate) code: String,
    /// Strings and characters outside of tests.
    pub(crate) literals: Vec<Literal>,
    /// Names that `use` brings into the module, with their full paths.
    names: BTreeMap<String, Vec<String>>,
    /// Line and segments of each path in the file, from the root of the crate, including those of `use`.
    pub(crate) paths: Vec<(usize, Vec<String>)>,
}

/// All files below `src/` except those that hold tests.
pub(crate) struct Sources {
    pub(crate) files: Vec<Source>,
    /// Index in `files` by the path of the module.
    modules: BTreeMap<Vec<String>, usize>,
}

impl Sources {
    /// Reads every file below `src/` of a package.
    pub(crate) fn read(package: &Path) -> Self {
        let mut found = Vec::new();
        rust_files(&package.join("src"), &mut found);
        let mut tests = BTreeSet::new();
        let mut files = Vec::new();
        for path in &found {
            let text = fs::read_to_string(path).expect("a file of text");
            let path = path.strip_prefix(package).expect("below the package").iter().map(|p| p.to_string_lossy()).collect::<Vec<_>>().join("/");
            let (source, of_tests) = Source::of(path, &text);
            tests.extend(of_tests.into_iter().map(|name| child(&source.module, &name)));
            files.push(source);
        }
        files.retain(|f| !f.path.ends_with("/tests.rs") && !tests.iter().any(|test| f.module.starts_with(test)));
        let modules = files.iter().enumerate().filter(|(_, f)| !f.module.is_empty()).map(|(i, f)| (f.module.clone(), i)).collect();
        let mut this = Self { files, modules };
        for file in &mut this.files {
            file.resolve(&this.modules);
        }
        this
    }

    /// Index of the file in which the item of a path is defined; `None` for paths outside this crate.
    pub(crate) fn file_of(&self, path: &[String]) -> Option<usize> {
        self.definition(path, 0)
    }

    fn definition(&self, path: &[String], depth: usize) -> Option<usize> {
        let known = (1..=path.len()).rev().find(|n| self.modules.contains_key(&path[..*n]))?;
        let file = self.modules[&path[..known]];
        // An item that the module only re-exports is defined elsewhere.
        let passed = path.get(known).and_then(|name| self.files[file].names.get(name)).filter(|to| to.as_slice() != path && depth < 8);
        passed.and_then(|to| self.definition(to, depth + 1)).or(Some(file))
    }
}

fn child(module: &[String], name: &str) -> Vec<String> {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

/// All files of Rust below a folder, sorted.
pub(crate) fn rust_files(folder: &Path, into: &mut Vec<std::path::PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            rust_files(&entry, into);
        } else if entry.extension().is_some_and(|e| e == "rs") {
            into.push(entry);
        }
    }
}

impl Source {
    /// Reads a file; also returns the names of its child modules that are compiled for tests only.
    fn of(path: String, text: &str) -> (Self, Vec<String>) {
        let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut module: Vec<String> = inner.split('/').map(str::to_owned).collect();
        if module.last().is_some_and(|last| last == "mod") || ["lib", "main"].contains(&inner) {
            module.pop();
        }
        let (mut code, mut literals) = blanked(text);
        let mut tests = Vec::new();
        let attribute = "#[cfg(test)]";
        while let Some(start) = code.find(attribute) {
            let end = start + attribute.len() + end_of_item(&code[start + attribute.len()..]);
            let item = &code[start + attribute.len()..end];
            let declared = item.trim().strip_suffix(';').and_then(|item| item.rsplit_once("mod ")).map(|(_, name)| name.trim().to_owned());
            tests.extend(declared);
            let lines = line_of(&code, start)..=line_of(&code, end);
            literals.retain(|literal| !lines.contains(&literal.line));
            let blank: String = code[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
            code.replace_range(start..end, &blank);
        }
        (Self { path, module, code, literals, names: BTreeMap::new(), paths: Vec::new() }, tests)
    }

    /// Finds `use` and paths in the code.
    fn resolve(&mut self, modules: &BTreeMap<Vec<String>, usize>) {
        let code = &self.code;
        let mut statements = Vec::new();
        for (at, _) in code.match_indices("use ").filter(|(at, _)| !code[..*at].ends_with(is_of_name)) {
            let end = at + code[at..].find(';').expect("a statement ends");
            let mut leaves = Vec::new();
            flatten(&[], code[at + "use ".len()..end].trim(), &mut leaves);
            for (mut path, alias) in leaves {
                if path.last().is_some_and(|last| last == "self") {
                    path.pop();
                }
                if let Some(path) = self.absolute(&path, modules) {
                    let name = alias.or_else(|| path.last().cloned()).expect("a path has a name");
                    self.names.insert(name, path.clone());
                    self.paths.push((line_of(code, at), path));
                }
            }
            statements.push(at..end);
        }
        let starts = code.match_indices("::").map(|(at, _)| at).filter(|at| code[..*at].ends_with(is_of_name));
        for at in starts.filter(|at| !statements.iter().any(|s| s.contains(at))) {
            let first = code[..at].rfind(|c| !is_of_name(c)).map_or(0, |before| before + 1);
            // This is the middle of a path, or of a variable in a macro.
            if code[..first].ends_with("::") {
                continue;
            }
            let end = code[first..].find(|c: char| !is_of_name(c) && c != ':').map_or(code.len(), |n| first + n);
            let path: Vec<String> = code[first..end].split("::").take_while(|p| !p.is_empty()).map(str::to_owned).collect();
            let path = self.absolute(&path, modules).or_else(|| {
                let known = self.names.get(&path[0]).filter(|known| modules.contains_key(*known))?;
                Some(known.iter().chain(&path[1..]).cloned().collect())
            });
            if let Some(path) = path {
                self.paths.push((line_of(code, first), path));
            }
        }
    }

    /// A path from the root of this crate; `None` if it leads outside or to an item of this file itself.
    fn absolute(&self, path: &[String], modules: &BTreeMap<Vec<String>, usize>) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let mut from = self.module.clone();
        match first.as_str() {
            "crate" | "puomp" => return Some(rest.to_vec()),
            "self" => {}
            "super" => {
                from.pop()?;
                let above = rest.iter().take_while(|p| *p == "super").count();
                from.truncate(from.len().checked_sub(above)?);
                from.extend_from_slice(&rest[above..]);
                return Some(from);
            }
            name => {
                from.push(name.to_owned());
                if !modules.contains_key(&from) {
                    return None;
                }
            }
        }
        from.extend_from_slice(rest);
        Some(from)
    }
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The line of a place in a text, from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The paths of a `use` tree, each with its name after `as`.
fn flatten(before: &[String], tree: &str, into: &mut Vec<(Vec<String>, Option<String>)>) {
    if let Some(open) = tree.find('{') {
        let head = tree[..open].split("::").map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned);
        let before: Vec<String> = before.iter().cloned().chain(head).collect();
        let inside = &tree[open + 1..tree.rfind('}').expect("a bracket is closed")];
        let (mut depth, mut start) = (0, 0);
        for (at, c) in inside.char_indices().chain([(inside.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    let part = inside[start..at].trim();
                    if !part.is_empty() {
                        flatten(&before, part, into);
                    }
                    start = at + 1;
                }
                _ => {}
            }
        }
        return;
    }
    let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim().to_owned())));
    let path = path.split("::").map(str::trim).filter(|p| !p.is_empty() && *p != "*").map(str::to_owned);
    into.push((before.iter().cloned().chain(path).collect(), alias));
}

/// Offset where the first item of a text ends: after its block or its semicolon.
fn end_of_item(code: &str) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' => depth -= 1,
            '}' if depth == 0 => return at,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            // A field or a variant ends with a comma, or with what it stands in.
            ';' | ',' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// A text with spaces in place of comments and of the contents of literals, and those literals with their lines.
fn blanked(text: &str) -> (String, Vec<Literal>) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut literals) = (String::with_capacity(text.len()), Vec::new());
    let (mut at, mut line) = (0, 1);
    let starts = |at: usize, what: &str| what.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    while at < chars.len() {
        let start = at;
        let mut inside = None;
        if starts(at, "//") {
            at += chars[at..].iter().take_while(|c| **c != '\n').count();
        } else if starts(at, "/*") {
            let mut depth = 0;
            loop {
                let step = if starts(at, "/*") { 1 } else { -i32::from(starts(at, "*/")) };
                depth += step;
                at += if step == 0 { 1 } else { 2 };
                if depth == 0 || at >= chars.len() {
                    break;
                }
            }
        } else if let Some((open, close)) = raw_string(&chars, at) {
            let content = at + open;
            at = content;
            while at < chars.len() && !starts(at, &close) {
                at += 1;
            }
            inside = Some(content..at);
            at += close.len();
        } else if chars[at] == '"' || chars[at] == '\'' && is_character(&chars, at) {
            let quote = chars[at];
            at += 1;
            while chars.get(at).is_some_and(|c| *c != quote) {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            inside = Some(start + 1..at);
            at += 1;
        } else {
            code.push(chars[at]);
            line += usize::from(chars[at] == '\n');
            at += 1;
            continue;
        }
        if let Some(inside) = inside {
            literals.push(Literal { line, text: chars[inside].iter().collect(), is_placeholder: code.ends_with("value_name = ") });
            code.push('"');
        }
        for c in &chars[start..at] {
            line += usize::from(*c == '\n');
            code.push(if *c == '\n' { '\n' } else { ' ' });
        }
    }
    (code, literals)
}

/// A raw string at an index: the number of characters before its content, and the text that closes it.
fn raw_string(chars: &[char], at: usize) -> Option<(usize, String)> {
    if at > 0 && is_of_name(chars[at - 1]) {
        return None;
    }
    let prefix = if chars[at] == 'b' || chars[at] == 'c' { 2 } else { 1 };
    if chars.get(at + prefix - 1) != Some(&'r') {
        return None;
    }
    let hashes = chars[at + prefix..].iter().take_while(|c| **c == '#').count();
    (chars.get(at + prefix + hashes) == Some(&'"')).then(|| (prefix + hashes + 1, format!("\"{}", "#".repeat(hashes))))
}

/// Whether a quote begins a character literal and not a lifetime.
fn is_character(chars: &[char], at: usize) -> bool {
    chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'')
}
