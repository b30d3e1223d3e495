//! The house: which module may use which, and what stands in one place alone. A textual test that needs no build of the library.
//!
//! `cargo test --test house -- --nocapture` prints every list of exceptions and its count. An exception names a file, the things in it that
//! are excepted (`*` for all) and the reason; one that nothing needs any more makes the test fail.

#![allow(clippy::print_stdout, reason = "the lists and counts are the result")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

#[path = "support"]
mod support {
    pub(crate) mod source;
}
use support::source::{Source, Sources, line_of, rust_files};

/// The floors, lowest first. A module uses lower floors, and on its own floor what stands left of it. Every module of `lib.rs` has its place
/// here; not every place is taken yet.
const FLOORS: &[&[&str]] = &[
    &["sys", "timings", "watch", "spool", "values", "tables", "texts"],
    &["finding", "registry", "nsi", "cases", "registers"],
    &["rules", "generate"],
    &["flk", "mek", "forming", "signing", "report", "documents"],
    &["workspace"],
    &["api", "client", "server"],
    &["cli"],
];

/// File, what in it is excepted, and why.
type Exceptions = &'static [(&'static str, &'static str, &'static str)];

/// Uses of a higher floor, or of a module to the right: file, module.
const UPWARDS: Exceptions = &[];

/// Uses of one file by another that would close a circle of files: file, the file that it uses.
const CIRCLES: Exceptions = &[
    ("src/generate/words.rs", "src/generate/expr.rs", "a word's value may be an expression, and an expression names words"),
    ("src/nsi/fallback.rs", "src/nsi/book.rs", "a book may stand for another: a lookup goes on in the other book"),
];

/// Things that stand in few places: what, words of code, words of strings, where they stand, exceptions.
struct Kept {
    what: &'static str,
    code: &'static [&'static str],
    strings: &'static [&'static str],
    rooms: &'static [&'static str],
    exceptions: Exceptions,
}

const KEPT: &[Kept] = &[
    Kept {
        what: "SQL",
        code: &["sqlx::"],
        strings: &["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "CREATE TABLE ", " WHERE ", " ORDER BY ", " VALUES "],
        rooms: &["src/workspace/store/"],
        exceptions: &[("src/rules/print.rs", "WHERE", "a word of the rule language")],
    },
    Kept {
        what: "the clock",
        code: &["SystemTime::now", "Timestamp::now", "Zoned::now", "TimeZone::system", "Instant::now"],
        strings: &[],
        rooms: &["src/cli/", "src/server/"],
        exceptions: &[
            ("src/nsi/update/download.rs", "Instant::now", "measures how fast a transfer is, to give up a slow one"),
            ("src/workspace/lock.rs", "Instant::now", "measures how long the lock has been waited for"),
        ],
    },
    Kept {
        what: "the user and the environment",
        code: &["whoami::", "env::var", "env::vars", "env::args", "env::current_dir", "env::set_current_dir", "env::home_dir", "env::temp_dir"],
        strings: &[],
        rooms: &["src/cli/", "src/server/"],
        exceptions: &[],
    },
    Kept {
        what: "printing",
        code: &["println!", "print!", "eprintln!", "eprint!", "io::stdout", "io::stderr"],
        strings: &[],
        rooms: &["src/cli/"],
        exceptions: &[],
    },
    Kept {
        what: "the operating system",
        code: &[
            "os::unix",
            "os::windows",
            "cfg(unix)",
            "cfg(windows)",
            "cfg(any(",
            "cfg(all(",
            "cfg!(",
            "cfg(target_os",
            "cfg(not(unix))",
            "cfg(not(windows))",
        ],
        strings: &[],
        rooms: &["src/sys.rs", "src/sys/"],
        exceptions: &[],
    },
];

/// Files of more than [`LONGEST`] lines.
const LONG_FILES: Exceptions = &[
    ("src/registry/scan.rs", "lines", "the tokenizer: one state machine, measured as a whole"),
    ("src/rules/compile.rs", "lines", "one function a kind of expression, all on the same state"),
    ("src/rules/eval.rs", "lines", "one function a kind of code, all on the same state"),
    ("src/rules/set.rs", "lines", "a set of rules is compiled, indexed and judged with the same private fields"),
    ("src/rules/witness/solve.rs", "lines", "one solver: one function a kind of expression"),
    ("tests/flk/checks.rs", "lines", "the table of all checks of structure, one passing and one failing fragment each"),
];
const LONGEST: usize = 600;

/// Ids of rules in strings.
const RULE_IDS: Exceptions = &[("src/cli/control.rs", "001F.00.0270", "an example of an id in the hint for an unknown one")];
/// Names of statuses in strings.
const STATUSES: Exceptions = &[
    ("src/cases/state.rs", "paid", "a state of a case, not of a registry"),
    ("src/workspace/workflow/mod.rs", "accepted returned paid", "actions of `receive`, which are words of the command line"),
];
/// Strings and characters with Cyrillic letters.
const RUSSIAN: Exceptions = &[
    ("src/registry/writer.rs", "А я", "the alphabet, as windows-1251 has it in one run"),
    ("src/registry/format/load.rs", "*", "the letters of obligation in the tables: О, Н, У, М"),
    ("src/registry/format/mod.rs", "О У Н М", "the letters of obligation in the tables"),
    ("src/rules/compile.rs", "*", "a month in a rule may be written as the published books do: a Russian name and a year"),
    ("src/rules/shape.rs", "*", "signs of masks that look at letters: Cyrillic look-alikes of numerals, any capital"),
    ("src/rules/witness/solve.rs", "ы", "a letter that no Latin set allows"),
    ("src/cases/person.rs", "*", "ё and е are one letter in the names of persons"),
    ("src/workspace/sanctions.rs", "*", "ё and е are one letter when names are compared"),
];
/// Names of XML elements in strings, outside of [`ELEMENT_ROOMS`].
const ELEMENTS: Exceptions = &[
    ("src/nsi/catalog.rs", "DSCHET DATE_ACT DATE_Z_1 DATE_Z_2", "words of the column `on` of rules/nsi/books.csv"),
    ("src/registry/scan.rs", "DOCTYPE", "a declaration of XML"),
    ("src/rules/import/packet.rs", "*", "the published packets of rules, which are XML of another kind"),
    ("src/rules/", "YEAR MONTH", "functions of the rule language"),
    ("src/rules/witness/solve.rs", "DR", "what the function AGE of the rule language reads"),
];
const ELEMENT_ROOMS: &[&str] = &["src/cases/"];

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One place where a rule of the house is broken.
struct Breach {
    file: String,
    line: usize,
    what: String,
}

impl Breach {
    fn new(file: &Source, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.path.clone(), line, what: what.into() }
    }
}

/// Whether an exception speaks of a file: by its path, or by a folder above it, which ends in a slash.
fn is_of(exception: &str, file: &str) -> bool {
    exception == file || exception.ends_with('/') && file.starts_with(exception)
}

/// Prints the exceptions of a rule; says which breaches none of them covers and which of them cover nothing.
fn troubles_of(rule: &str, breaches: &[Breach], exceptions: Exceptions) -> String {
    let mut troubles = String::new();
    let mut complain = |place: &str, text: &str| writeln!(troubles, "  {rule}: {place}: {text}").expect("a string takes it");
    let mut covered: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for breach in breaches {
        let of_file = exceptions.iter().filter(|(file, ..)| is_of(file, &breach.file));
        let words = of_file.flat_map(|(file, what, _)| what.split(' ').map(move |what| (*file, what)));
        match words.into_iter().find(|(_, what)| *what == "*" || *what == breach.what) {
            Some(entry) => *covered.entry(entry).or_default() += 1,
            None => complain(&format!("{}:{}", breach.file, breach.line), &breach.what),
        }
    }
    println!("{rule}: {} exceptions", exceptions.len());
    for (file, what, reason) in exceptions {
        let count: usize = what.split(' ').map(|what| covered.get(&(*file, what)).copied().unwrap_or(0)).sum();
        println!("  {file}: {what} ({count} places): {reason}");
        for what in what.split(' ').filter(|what| !covered.contains_key(&(*file, *what))) {
            complain(file, &format!("the exception for {what} is needed no more"));
        }
        if reason.trim().is_empty() {
            complain(file, &format!("the exception for {what} has no reason"));
        }
    }
    troubles
}

fn hold(rule: &str, breaches: &[Breach], exceptions: Exceptions) {
    let troubles = troubles_of(rule, breaches, exceptions);
    assert!(troubles.is_empty(), "\n{troubles}");
}

/// Strings that a rule looks at: each of each file, but for those of the rooms.
fn breaches_of_strings(sources: &Sources, rooms: &[&str], find: impl Fn(&str) -> Option<String>) -> Vec<Breach> {
    let files = sources.files.iter().filter(|f| !rooms.iter().any(|room| f.path.starts_with(room)));
    files
        .flat_map(|f| f.literals.iter().filter(|l| !l.is_placeholder).filter_map(|literal| find(&literal.text).map(|what| Breach::new(f, literal.line, what))))
        .collect()
}

/// A column of a table below `rules/`.
fn column(table: &str, name: &str) -> BTreeSet<String> {
    let mut reader = csv::Reader::from_path(package().join("rules").join(table)).expect("a table");
    let at = reader.headers().expect("a header").iter().position(|h| h == name);
    let Some(at) = at else { return BTreeSet::new() };
    reader.records().map(|row| row.expect("a row")[at].to_owned()).collect()
}

/// Tables in a folder below `rules/`; none if there is no such folder.
fn tables_in(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(package().join("rules").join(folder)).into_iter().flatten();
    let names = entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".csv")).map(|name| format!("{folder}/{name}")).collect()
}

#[test]
fn modules_use_lower_floors_alone() {
    let place = |module: &str| FLOORS.iter().enumerate().find_map(|(floor, all)| all.iter().position(|m| *m == module).map(|at| (floor, at)));
    let sources = Sources::read(package());
    let mut breaches = Vec::new();
    for file in sources.files.iter().filter(|f| !f.module.is_empty()) {
        let own = &file.module[0];
        let here = place(own).unwrap_or_else(|| panic!("{}: «{own}» has no place in FLOORS", file.path));
        let mut told = BTreeSet::new();
        for (line, path) in &file.paths {
            let there = path.first().and_then(|module| place(module));
            if there.is_some_and(|there| there > here) && told.insert(&path[0]) {
                breaches.push(Breach::new(file, *line, &path[0]));
            }
        }
    }
    hold("upward uses", &breaches, UPWARDS);
}

/// Uses of files by files within one module of `lib.rs`, with the first line of each. A child may use what the modules around it define.
fn uses(sources: &Sources) -> BTreeMap<(usize, usize), usize> {
    let mut uses = BTreeMap::new();
    for (from, file) in sources.files.iter().enumerate() {
        for (line, path) in &file.paths {
            let Some(to) = sources.file_of(path) else { continue };
            let (own, other) = (&file.module, &sources.files[to].module);
            if own.first() == other.first() && !own.starts_with(other) {
                uses.entry((from, to)).or_insert(*line);
            }
        }
    }
    uses
}

/// Files that each file reaches.
fn reached(uses: impl Iterator<Item = (usize, usize)>) -> BTreeMap<usize, BTreeSet<usize>> {
    let mut next: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    uses.for_each(|(from, to)| next.entry(from).or_default().push(to));
    let from = |start: usize| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![start]);
        while let Some(file) = open.pop() {
            open.extend(next.get(&file).into_iter().flatten().filter(|to| seen.insert(**to)));
        }
        seen
    };
    next.keys().map(|start| (*start, from(*start))).collect()
}

#[test]
fn files_use_each_other_in_no_circle() {
    let sources = Sources::read(package());
    let uses = uses(&sources);
    let path = |file: usize| sources.files[file].path.as_str();
    let covers = |(file, used, _): &(&str, &str, &str), (from, to): (usize, usize)| {
        is_of(file, path(from)) && used.split(' ').any(|used| used == "*" || used == path(to))
    };
    // What stands in a circle once all exceptions are taken out; and what each exception closes when it alone is put back.
    let mut breaches = Vec::new();
    for put_back in CIRCLES.iter().map(Some).chain([None]) {
        let is_there = |edge: (usize, usize)| !CIRCLES.iter().any(|e| covers(e, edge)) || put_back.is_some_and(|e| covers(e, edge));
        let reached = reached(uses.keys().copied().filter(|edge| is_there(*edge)));
        let closes = |(from, to): (usize, usize)| reached.get(&to).is_some_and(|files| files.contains(&from));
        let is_meant = |edge: (usize, usize)| put_back.map_or_else(|| is_there(edge), |e| covers(e, edge));
        let found = uses.iter().filter(|(edge, _)| is_meant(**edge) && closes(**edge));
        breaches.extend(found.map(|((from, to), line)| Breach::new(&sources.files[*from], *line, path(*to))));
    }
    hold("circles of files", &breaches, CIRCLES);
}

#[test]
fn some_things_stand_in_one_place() {
    let sources = Sources::read(package());
    let mut troubles = String::new();
    for Kept { what, code, strings, rooms, exceptions } in KEPT {
        let mut breaches = breaches_of_strings(&sources, rooms, |text| strings.iter().find(|word| text.contains(**word)).map(|word| word.trim().to_owned()));
        for file in sources.files.iter().filter(|f| !rooms.iter().any(|room| f.path.starts_with(room))) {
            for word in *code {
                breaches.extend(file.code.match_indices(word).map(|(at, _)| Breach::new(file, line_of(&file.code, at), *word)));
            }
        }
        troubles += &troubles_of(what, &breaches, exceptions);
    }
    assert!(troubles.is_empty(), "\n{troubles}");
}

#[test]
fn files_are_short() {
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        rust_files(&package().join(folder), &mut files);
    }
    let mut breaches = Vec::new();
    for path in files {
        let lines = std::fs::read_to_string(&path).expect("a text").lines().count();
        if lines > LONGEST {
            let file = path.strip_prefix(package()).expect("below the package").iter().map(|p| p.to_string_lossy()).collect::<Vec<_>>().join("/");
            breaches.push(Breach { file, line: lines, what: "lines".to_owned() });
        }
    }
    hold("files of more than 600 lines", &breaches, LONG_FILES);
}

#[test]
fn rules_stand_in_tables() {
    let books = column("nsi/books.csv", "id");
    let tables = ["flk", "mek", "sense"].into_iter().flat_map(tables_in).filter(|t| t.starts_with("flk/00") || !t.starts_with("flk/"));
    let mut ids: BTreeSet<String> = tables.flat_map(|table| column(&table, "id")).chain(column("structure.csv", "id")).collect();
    ids.retain(|id| !books.contains(id));
    assert!(ids.len() > 800, "the tables of rules are read: {}", ids.len());
    let of = |text: &str| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').find(|word| ids.contains(*word)).map(str::to_owned);
    hold("rule ids", &breaches_of_strings(&Sources::read(package()), &[], of), RULE_IDS);
}

#[test]
fn statuses_stand_in_the_workflow() {
    #[derive(Deserialize)]
    struct Workflow {
        status: Vec<Status>,
    }
    #[derive(Deserialize)]
    struct Status {
        id: String,
    }
    let text = std::fs::read_to_string(package().join("rules/workflow.toml")).expect("a table");
    let ids: BTreeSet<String> = toml::from_str::<Workflow>(&text).expect("sound").status.into_iter().map(|s| s.id).collect();
    assert!(!ids.is_empty());
    hold("statuses", &breaches_of_strings(&Sources::read(package()), &[], |text| ids.get(text).cloned()), STATUSES);
}

#[test]
fn russian_stands_in_tables() {
    let of = |text: &str| {
        text.contains(|c: char| ('\u{400}'..='\u{4ff}').contains(&c)).then(|| text.chars().take(24).map(|c| if c.is_whitespace() { '_' } else { c }).collect())
    };
    hold("Russian text", &breaches_of_strings(&Sources::read(package()), &[], of), RUSSIAN);
}

#[test]
fn elements_are_named_in_one_table() {
    let mut names: BTreeSet<String> = tables_in("formats").iter().flat_map(|table| column(table, "element")).collect();
    names.retain(|name| name.len() > 1 && !name.chars().any(|c| c.is_ascii_lowercase()));
    assert!(names.len() > 200, "the tables of formats are read: {}", names.len());
    // The whole string, a step of a path, or a tag.
    let of = |text: &str| {
        let word = |part: &str| names.get(part).cloned();
        word(text)
            .or_else(|| text.split('/').skip(usize::from(!text.contains('/'))).find_map(word))
            .or_else(|| text.split(['<', '>', '/']).skip(1).find_map(word))
    };
    hold("element names", &breaches_of_strings(&Sources::read(package()), ELEMENT_ROOMS, of), ELEMENTS);
}

/// The scanner sees what the compiler sees; with tricks that would blind a plain search.
#[test]
fn the_scanner_reads_as_the_compiler_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join("src").join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    write("lib.rs", "pub mod a;\npub mod b;\n");
    write(
        "a/mod.rs",
        "// use crate::b::Commented;\n/* /* nested */ use crate::b::X; */\nmod deep;\npub use deep::{Thing as Renamed, other};\n\
         #[cfg(test)]\nmod helpers;\n\
         const QUOTE: (char, &str, &str) = ('\"', \"a \\\" // б\", r#\"raw \" use crate::b::Y;\"#);\nfn life<'a>(x: &'a str) -> &'a str { x }\n\
         #[cfg(test)]\nmod tests {\n    use crate::b::OfTests;\n    const T: &str = \"тест }\";\n}\nfn after() { crate::b::call(\"after\") }\n",
    );
    write("a/deep.rs", "use super::super::b::{self, inner::{One, Two}};\nuse super::QUOTE;\nfn f() { b::inner::three() }\n");
    write("a/helpers.rs", "use crate::b::OfHelpers;\n");
    write("b/mod.rs", "pub mod inner;\nuse crate::a::Renamed;\n");
    write("b/inner.rs", "");
    let sources = Sources::read(folder.path());
    let file = |path: &str| sources.files.iter().find(|f| f.path == path).unwrap_or_else(|| panic!("{path} is read"));
    let paths = |path: &str| file(path).paths.iter().map(|(line, path)| format!("{line} {}", path.join("::"))).collect::<Vec<_>>();
    assert_eq!(paths("src/a/mod.rs"), ["4 a::deep::Thing", "4 a::deep::other", "14 b::call"]);
    assert_eq!(paths("src/a/deep.rs"), ["1 b", "1 b::inner::One", "1 b::inner::Two", "2 a::QUOTE", "3 b::inner::three"]);
    let texts: Vec<_> = file("src/a/mod.rs").literals.iter().map(|l| (l.line, l.text.as_str())).collect();
    assert_eq!(texts, [(7, "\""), (7, "a \\\" // б"), (7, "raw \" use crate::b::Y;"), (14, "after")]);
    assert!(sources.files.iter().all(|f| f.path != "src/a/helpers.rs"), "compiled for tests alone");
    let passed_on = &file("src/b/mod.rs").paths[0].1;
    assert_eq!(sources.files[sources.file_of(passed_on).expect("ours")].path, "src/a/deep.rs", "defined where it is, not where it is passed on");
}
