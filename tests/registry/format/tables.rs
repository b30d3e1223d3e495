//! The tables of `rules/formats/` against the tables of facts that they were made from.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use puomp::registry::format::value::Base;
use puomp::registry::format::{Content, Format, Formats, Node, ValueType};
use puomp::tables::RuleFiles;
use serde::Deserialize;

use crate::support::needs::shared;
use crate::support::say::say;

#[derive(Deserialize)]
struct Fact {
    parent_path: String,
    element: String,
    obligation: String,
    #[serde(rename = "type")]
    base: String,
    max_len: String,
    repeat: String,
    scope: String,
}

impl Fact {
    fn path(&self) -> String {
        if self.parent_path == "(root)" { self.element.clone() } else { format!("{}/{}", self.parent_path, self.element) }
    }

    /// What must be equal letter for letter.
    fn row(&self) -> [&str; 4] {
        [&self.obligation, &self.base, &self.repeat, &self.scope]
    }
}

/// Lengths of ours that are not those of the facts, and why: table, path, our type.
const DEPARTURES: &[(&str, &str, &str)] = &[
    // The facts' 100 is a slip of one schema: their own mask has nine digits at most, as every other table.
    ("D-2.1", "ZL_LIST/ZAP/PACIENT/NOVOR", "T(9)"),
    // Numbers of high-tech methods (V019) have outgrown the three digits of the rule.
    ("T-3.1", "ZL_LIST/ZAP/Z_SL/SL/USL/VID_VME", "T(4)"),
    ("T-5.1", "ZL_LIST/ZAP/Z_SL/SL/USL/VID_VME", "T(4)"),
    ("T-6.0", "ZL_LIST/ZAP/Z_SL/SL/USL/VID_VME", "T(4)"),
];

/// Obligations of ours that are not those of the facts: table, path. Since 5.0 files C and T name the worker of a service in MR_USL_N or in
/// these elements; the rules 003F.00.2961 and 2971 ask for one of the two.
const EITHER: &[(&str, &str)] = &[
    ("C-5.1", "ZL_LIST/ZAP/Z_SL/SL/USL/PRVS"),
    ("C-5.1", "ZL_LIST/ZAP/Z_SL/SL/USL/CODE_MD"),
    ("C-6.0", "ZL_LIST/ZAP/Z_SL/SL/USL/PRVS"),
    ("C-6.0", "ZL_LIST/ZAP/Z_SL/SL/USL/CODE_MD"),
    ("T-5.1", "ZL_LIST/ZAP/Z_SL/SL/USL/PRVS"),
    ("T-5.1", "ZL_LIST/ZAP/Z_SL/SL/USL/CODE_MD"),
    ("T-6.0", "ZL_LIST/ZAP/Z_SL/SL/USL/PRVS"),
    ("T-6.0", "ZL_LIST/ZAP/Z_SL/SL/USL/CODE_MD"),
];

fn formats() -> Formats {
    Formats::load(&RuleFiles::embedded()).expect("every table compiles")
}

#[test]
fn every_table_compiles() {
    let formats = formats();
    let elements: usize = formats.all().map(|f| f.nodes().len()).sum();
    say(&format!("formats_tables: {} editions of {} families, {elements} elements", formats.all().count(), formats.families().count()));
    for format in formats.all() {
        for node in format.nodes() {
            match &node.content {
                Content::Block => assert!(!node.children.is_empty(), "{} holds nothing", node.path),
                Content::Value(kind) => assert!((1..=kind.lengths().1).contains(&kind.lengths().0), "{}: {:?}", node.path, kind.lengths()),
            }
            for (i, child) in node.children.iter().enumerate() {
                let child = format.node(*child);
                assert_eq!(usize::from(child.position), i);
                assert_eq!(node.repeatable & (1 << i) != 0, child.obligation.repeatable, "{}", child.path);
                // What one region alone demands, no other owes.
                assert_eq!(node.required & (1 << i) != 0, child.obligation.required && !child.regional, "{}", child.path);
            }
        }
    }
}

#[test]
#[ignore = "needs PUOMP_SHARED"]
fn tables_say_what_the_facts_say() {
    let folder = shared("domain/tables");
    let formats = formats();
    let (mut compared, mut elements, mut narrower, mut departures) = (0, 0, 0, 0);
    let mut wrong = String::new();
    let mut rest: BTreeMap<String, &Format> = formats.all().map(|f| (format!("{}-{}", f.family, f.edition.id), &**f)).collect();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    files.sort();
    for file in files {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        // What funds exchange is of one table: the account and the corrected account.
        let name = name.replace("MTR-D-", "M-");
        let Some(format) = rest.remove(&name) else { continue };
        let facts: Vec<Fact> = csv::Reader::from_path(&file).expect("a table").into_deserialize().collect::<Result<_, _>>().expect("sound rows");
        compared += 1;
        elements += facts.len();
        let mut complain = |text: String| writeln!(wrong, "{name}: {text}").expect("a string takes it");
        for fact in facts.iter().filter(|f| format.find(&f.path()).is_none()) {
            complain(format!("we lack {}", fact.path()));
        }
        for node in format.nodes() {
            let children: Vec<&str> = node.children.iter().map(|c| &*format.node(*c).name).collect();
            let known: Vec<&str> = facts.iter().filter(|f| f.parent_path == *node.path).map(|f| f.element.as_str()).collect();
            if children != known {
                complain(format!("children of {} are {children:?}, by the facts {known:?}", node.path));
            }
            let Some(fact) = facts.iter().find(|f| f.path() == *node.path) else {
                complain(format!("the facts lack {}", node.path));
                continue;
            };
            let ours = row(node);
            if EITHER.contains(&(&name, &node.path)) {
                departures += usize::from(ours[0] != fact.obligation);
            } else if ours.each_ref().map(String::as_str) != fact.row() {
                complain(format!("{} is {ours:?}, by the facts {:?}", node.path, fact.row()));
            }
            match compare_lengths(node, &fact.max_len) {
                Lengths::Same => {}
                Lengths::Narrower => narrower += 1,
                Lengths::Differ => {
                    let spec = node.value_type().map_or_else(String::new, ValueType::spec);
                    if DEPARTURES.contains(&(&name, &node.path, &spec)) {
                        departures += 1;
                    } else {
                        complain(format!("{} is {spec}, by the facts «{}»", node.path, fact.max_len));
                    }
                }
            }
        }
    }
    let names: Vec<&String> = rest.keys().collect();
    say(&format!(
        "formats_tables: {compared} tables of facts, {elements} elements: same elements, order, obligation, type, length ({narrower} narrowed by a mask or a list, {departures} departures with a reason); editions without facts of their own: {names:?}"
    ));
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(compared, 29, "so many tables of our families");
    assert_eq!(departures, DEPARTURES.len() + EITHER.len(), "a departure that is none any more");
    let paths = |format: &Format| format.nodes().iter().map(|n| n.path.to_string()).collect::<Vec<_>>();
    for (name, format) in rest {
        // Where the facts have no table, the edition is told to have the elements of its neighbour.
        let twin = formats.all().any(|f| (f.family, &f.edition.id) != (format.family, &format.edition.id) && paths(f) == paths(format));
        // Of the answer between funds no table is known: its elements are those that rows of Q015 name.
        let of_rules = name == "A-3.1";
        assert!(twin || of_rules, "{name} has neither a table of facts nor a twin");
    }
}

/// Obligation, type, repetition and scope as the facts write them.
fn row(node: &Node) -> [String; 4] {
    let base = match node.value_type().map(|v| v.base()) {
        None => "S",
        Some(Base::Text) => "T",
        Some(Base::Number) => "N",
        Some(Base::Date) => "D",
    };
    let repeat = if node.obligation.repeatable { "*" } else { "1" };
    [node.obligation.to_string(), base.to_owned(), repeat.to_owned(), if node.regional { "regional" } else { "federal" }.to_owned()]
}

enum Lengths {
    Same,
    /// Ours is shorter because a mask or a closed list says more than the length.
    Narrower,
    Differ,
}

fn compare_lengths(node: &Node, stated: &str) -> Lengths {
    let Some(kind) = node.value_type() else { return if stated.is_empty() { Lengths::Same } else { Lengths::Differ } };
    if let Some((whole, fraction, _)) = kind.decimal() {
        return if stated == format!("{whole}.{fraction}") { Lengths::Same } else { Lengths::Differ };
    }
    // A number with a mask: `6.2` is six digits before the point and two after.
    let longest: Option<usize> = match stated.split_once('.') {
        Some((whole, fraction)) => whole.parse().ok().zip(fraction.parse().ok()).map(|(w, f): (usize, usize)| w + 1 + f),
        None => stated.parse().ok(),
    };
    match longest {
        Some(longest) if kind.lengths().1 == longest => Lengths::Same,
        Some(longest) if kind.lengths().1 < longest && (kind.mask().is_some() || !kind.list().is_empty()) => Lengths::Narrower,
        _ => Lengths::Differ,
    }
}
