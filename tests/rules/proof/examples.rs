//! Pieces of the documents that prove a row, as `puomp explain` shows them where the rule itself gives none: `EXAMPLES=list.csv` writes those of all rows
//! that are tried, for `rules/examples.csv`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use puomp::registry::format::{Node, Role};
use puomp::rules::RuleRow;
use puomp::rules::witness::{Document, Elem, Tree};

/// A piece that passes and one that fails.
pub(crate) type Pieces = (String, String);

/// Most lines of a piece.
const LONGEST: usize = 24;

/// The pieces of a row, from documents that meet it and one that breaks it: of the former the one that is most like the latter.
pub(crate) fn pieces(row: &RuleRow, twins: &[&Document], broken: &Document) -> Option<Pieces> {
    let failing = piece(row, broken);
    let alike = |passing: &String| {
        let lines: BTreeSet<&str> = failing.lines().collect();
        passing.lines().filter(|line| !lines.contains(line)).count() + passing.lines().count().abs_diff(failing.lines().count())
    };
    let passing = twins.iter().map(|twin| piece(row, twin)).filter(|piece| *piece != failing).min_by_key(alike)?;
    (failing.lines().count().max(passing.lines().count()) <= LONGEST).then_some((passing, failing))
}

fn piece(row: &RuleRow, doc: &Document) -> String {
    let said = row.when.iter().chain(&row.require).map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let words = said.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).filter(|word| !word.is_empty());
    // Where the rule says whose element it means, that block.
    let mut names: BTreeMap<&str, Option<&str>> = words.map(|word| word.rsplit_once('.').map_or((word, None), |(block, name)| (name, Some(block)))).collect();
    if said.contains("AGE") {
        names.insert("DR", None);
    }
    let of_name = ["Pi", "Ni", "Pp", "Np", "YY", "MM", "sender_tf", "receiver_tf", "MAINFILE_TYPE"].iter().any(|part| names.contains_key(part));
    let patient = doc.main.role(Role::IdPac);
    let mut lines = Vec::new();
    for tree in doc.trees() {
        let own = Wanted { tree, names: &names, element: &row.element, patient };
        let from = lines.len();
        for child in &tree.root.children {
            own.print(child, 0, &mut lines);
        }
        if of_name && (lines.len() > from || row.files.contains(&'L') == tree.name.starts_with('L')) {
            lines.insert(from, format!("{}.xml:", tree.name));
        }
    }
    lines.join("\n")
}

/// What of a file is shown.
struct Wanted<'d> {
    tree: &'d Tree,
    /// Names that the rule says, and of which block it says them.
    names: &'d BTreeMap<&'d str, Option<&'d str>>,
    /// Path of the element that the row checks.
    element: &'d str,
    patient: Option<&'d str>,
}

impl Wanted<'_> {
    /// Whether the rule speaks of an element: of several of one name it means the nearest around the one that it checks.
    fn is_spoken_of(&self, node: &Node) -> bool {
        let around = |path: &str| path.rsplit_once('/').is_some_and(|(block, _)| self.element.strip_prefix(block).is_some_and(|rest| rest.starts_with('/')));
        let is_checked = *node.path == *self.element || self.element.rsplit_once('/').is_some_and(|(block, _)| *block == *node.path);
        let is_named = |block: &Option<&str>| match block {
            Some(block) => node.path.rsplit('/').nth(1) == Some(block),
            None => around(&node.path) || !self.tree.format.named(&node.name).any(|id| around(&self.tree.format.node(id).path)),
        };
        is_checked || self.names.get(&*node.name).is_some_and(is_named)
    }

    /// Prints an element that the row speaks of, with the blocks around it; returns whether there was one.
    fn print(&self, elem: &Elem, depth: usize, lines: &mut Vec<String>) -> bool {
        let node = self.tree.format.node(elem.node);
        let (name, indent) = (&*node.name, "  ".repeat(depth));
        let spoken_of = self.is_spoken_of(node);
        if elem.children.is_empty() {
            if spoken_of {
                lines.push(format!("{indent}<{name}>{}</{name}>", elem.text));
            }
            return spoken_of;
        }
        // Of several people, the record's.
        let is_other = |child: &&Elem| self.tree.format.node(child.node).name.as_ref() == "ID_PAC" && Some(child.text.as_str()) != self.patient;
        if elem.children.iter().any(|child| is_other(&child)) {
            return false;
        }
        let from = lines.len();
        lines.push(format!("{indent}<{name}>"));
        let mut some = false;
        for child in &elem.children {
            some |= self.print(child, depth + 1, lines);
        }
        match (some, spoken_of) {
            (true, _) => lines.push(format!("{indent}</{name}>")),
            (false, true) => lines[from] = format!("{indent}<{name}>…</{name}>"),
            (false, false) => lines.truncate(from),
        }
        some || spoken_of
    }
}

/// Writes the pieces of rows.
pub(crate) fn write(path: &Path, rows: impl Iterator<Item = (String, Pieces)>) {
    let mut writer = csv::Writer::from_path(path).expect("a file that can be written");
    writer.write_record(["id", "passing", "failing"]).expect("written");
    rows.for_each(|(id, (passing, failing))| writer.write_record([id, passing, failing]).expect("written"));
    writer.flush().expect("written");
}
