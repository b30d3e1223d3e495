//! `rules/forms/forming.csv`: elements that are not copied into a registry, that must be the same in all its packages, or to which a registry gives
//! its own value.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::registry::format::{Format, Formats, NodeId, Role};
use crate::tables::{RuleFiles, TableError};

const TABLE: &str = "forms/forming.csv";

#[derive(Deserialize)]
struct MarkRow {
    path: String,
    action: String,
    note_ru: String,
    note_en: String,
}

/// The rows of the table by their action.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    dropped: BTreeSet<String>,
    same: BTreeSet<String>,
    anew: BTreeSet<String>,
}

impl Marks {
    pub(super) fn load(files: &RuleFiles, formats: &Formats) -> Result<Self, TableError> {
        let mut marks = Self::default();
        for (line, row) in files.rows::<MarkRow>(TABLE)? {
            let fail = |message: String| TableError::new(TABLE, line, message);
            if row.note_ru.is_empty() || row.note_en.is_empty() {
                return Err(fail("note_ru or note_en is empty".into()));
            }
            let mut standing = formats.all().filter_map(|f| f.find(&row.path).map(|id| (f, id))).peekable();
            if standing.peek().is_none() {
                return Err(fail(format!("no format has the element {}", row.path)));
            }
            let in_record = |(f, id): (_, _)| is_in_record(f, id);
            let set = match row.action.as_str() {
                "drop" => &mut marks.dropped,
                "same" if standing.any(|(f, id)| in_record((f.as_ref(), id))) => {
                    return Err(fail(format!("{} stands in records: only elements of the head can be the same", row.path)));
                }
                "same" => &mut marks.same,
                "anew" => &mut marks.anew,
                other => return Err(fail(format!("action «{other}»: drop, same or anew is due"))),
            };
            if !set.insert(row.path.clone()) {
                return Err(fail(format!("{} stands twice", row.path)));
            }
        }
        Ok(marks)
    }

    /// Whether an element is left out. Elements that the format requires are kept.
    pub(super) fn drops(&self, format: &Format, id: NodeId) -> bool {
        let node = format.node(id);
        self.dropped.contains(&*node.path) && !node.obligation.required
    }

    /// Whether a registry gives an element of the head its own value, so that an error in the package's value does not matter.
    pub(super) fn is_anew(&self, path: &str) -> bool {
        self.anew.contains(path)
    }

    /// Whether an element must be the same in the heads of all packages.
    pub(super) fn binds(&self, format: &Format, id: NodeId) -> bool {
        self.same.contains(&*format.node(id).path)
    }
}

fn is_in_record(format: &Format, id: NodeId) -> bool {
    format.role(Role::Record).is_some_and(|record| format.is_within(id, record))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(rows: &str) -> Result<Marks, String> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("forms")).expect("a folder");
        std::fs::write(folder.path().join(TABLE), format!("path,action,note_ru,note_en\n{rows}\n")).expect("written");
        let formats = Formats::load(&RuleFiles::embedded()).expect("sound");
        Marks::load(&RuleFiles::with_overlay(folder.path()), &formats).map_err(|e| e.to_string())
    }

    #[test]
    fn broken_tables_are_refused_with_the_line() {
        for (rows, reason) in [
            ("ZL_LIST/ZAP/Q,drop,а,a", "no format has the element ZL_LIST/ZAP/Q"),
            ("ZL_LIST/SCHET/DISP,keep,а,a", "action «keep»"),
            ("ZL_LIST/ZAP/PR_NOV,same,а,a", "only elements of the head"),
            ("ZL_LIST/SCHET/DISP,same,,a", "note_ru"),
            ("ZL_LIST/SCHET/DISP,same,а,a\nZL_LIST/SCHET/DISP,same,а,a", "stands twice"),
        ] {
            let error = load(rows).expect_err(reason);
            assert!(error.contains(reason) && error.contains("rules/forms/forming.csv:"), "{error} does not say {reason}");
        }
    }

    #[test]
    fn what_a_format_requires_is_never_left_out() {
        let formats = Formats::load(&RuleFiles::embedded()).expect("sound");
        let marks = Marks::load(&RuleFiles::embedded(), &formats).expect("sound");
        let find = |family, edition, path: &str| {
            let format = formats.get(crate::registry::format::Family(family), edition).expect("known");
            marks.drops(format, format.find(path).expect(path))
        };
        assert!(find('H', "3.1", "ZL_LIST/SCHET/SUMMAP"));
        assert!(!find('A', "3.1", "ZL_LIST/SCHET/SUMMAP"), "an answer between funds must have it");
    }
}
