//! Spoils records on purpose, each in one way, and records where and under which rule the defect must be found.

use serde::Deserialize;

use super::emit::Span;
use super::plan::Document;
use super::rng::Rng;
use crate::finding::{Catalog, Check};
use crate::registry::encoding::{Encoding, to_windows_1251};
use crate::registry::format::value::Base;
use crate::registry::format::{Content, Node, Role, ValueType};
use crate::registry::writer::Layout;
use crate::tables::{RuleFiles, TableError};
use crate::values::{kopecks, money};

const TABLE: &str = "generate/defects.csv";

/// A defect that was put in, with the finding that it must cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// Id of the expected rule in `rules/structure.csv`.
    pub rule: String,
    /// Name of the file with its extension.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    /// Byte offset, from 0.
    pub offset: u64,
    /// Path of the element.
    pub path: String,
    /// Number of the record before it was spoiled; `None` in the person file.
    pub record: Option<u64>,
}

#[derive(Deserialize)]
struct WayRow {
    check: String,
    element: String,
    weight: u64,
    text: String,
}

/// The ways to spoil a record, from the table.
#[derive(Debug)]
pub(super) struct Ways {
    ways: Vec<Way>,
    weight: u64,
}

#[derive(Debug)]
struct Way {
    check: Check,
    role: Option<Role>,
    rule: String,
    weight: u64,
    text: String,
}

/// The record to be spoiled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patient {
    /// Number of the record; `None` in the person file.
    pub(super) record: Option<u64>,
    /// Whether the person has another record, which stays valid.
    pub(super) has_more: bool,
}

/// One change of the record's bytes, with the expected finding.
struct Change {
    at: usize,
    remove: usize,
    insert: Vec<u8>,
    /// Offset of the finding in the changed bytes.
    place: usize,
    path: String,
}

/// Most ways that are tried on a record before it is left valid.
const PATIENCE: usize = 40;

impl Ways {
    pub(super) fn load(files: &RuleFiles, catalog: &Catalog) -> Result<Self, TableError> {
        let mut ways = Vec::new();
        for (line, row) in files.rows::<WayRow>(TABLE)? {
            let wrong = |e: String| TableError::new(TABLE, line, e);
            let check: Check = row.check.parse().map_err(wrong)?;
            let role = if row.element.is_empty() { None } else { Some(row.element.parse::<Role>().map_err(wrong)?) };
            let fits = |element: &[String]| role.is_none_or(|r| element.first().is_some_and(|e| e == r.as_str()));
            let rule = catalog.rules().map(|(_, rule)| rule).find(|rule| rule.check == Some(check) && fits(&rule.element));
            let rule = rule.ok_or_else(|| wrong(format!("no row of structure.csv is of the check «{}» {}", row.check, row.element)))?.id.clone();
            ways.push(Way { check, role, rule, weight: row.weight, text: row.text });
        }
        Ok(Self { weight: ways.iter().map(|w| w.weight).sum(), ways })
    }

    /// Spoils the record that `spans` describe at the end of `bytes`. Returns the defect with its offset in `bytes`, or `None` if no way fits.
    pub(super) fn spoil(&self, document: &Document, spans: &[Span], bytes: &mut Vec<u8>, patient: Patient, rng: &mut Rng) -> Option<Defect> {
        for _ in 0..PATIENCE {
            let mut drawn = rng.below(self.weight);
            let way = self.ways.iter().find(|way| {
                let found = drawn < way.weight;
                drawn = drawn.saturating_sub(way.weight);
                found
            })?;
            let theatre = Theatre { document, spans, bytes, patient, way };
            if let Some(change) = theatre.operate(rng) {
                let end = change.at + change.remove;
                bytes.splice(change.at..end, change.insert);
                let (rule, path, offset) = (way.rule.clone(), change.path, change.place as u64);
                return Some(Defect { rule, file: String::new(), line: 0, column: 0, offset, path, record: patient.record });
            }
        }
        None
    }
}

/// A record that is being spoiled in one way.
struct Theatre<'a> {
    document: &'a Document,
    spans: &'a [Span],
    bytes: &'a [u8],
    patient: Patient,
    way: &'a Way,
}

impl Theatre<'_> {
    fn node(&self, at: usize) -> &Node {
        self.document.format.node(self.spans[at].node)
    }

    fn encoding(&self) -> Encoding {
        self.document.tags.encoding()
    }

    fn line_end(&self) -> &'static [u8] {
        if self.document.tags.layout() == Layout::Lines { b"\r\n" } else { b"" }
    }

    fn encoded(&self, text: &str) -> Vec<u8> {
        match self.encoding() {
            Encoding::Windows1251 => to_windows_1251(text).map_or_else(Vec::new, |b| b.into_owned()),
            Encoding::Utf8 => text.as_bytes().to_vec(),
        }
    }

    /// A random span that passes a test; `None` if there is none.
    fn pick(&self, rng: &mut Rng, test: impl Fn(usize) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = (0..self.spans.len()).filter(|at| test(*at)).collect();
        (!fitting.is_empty()).then(|| fitting[rng.below(fitting.len() as u64) as usize])
    }

    /// Whether a span is a value on which nothing else in the package depends.
    fn is_free_value(&self, at: usize) -> bool {
        let node = self.node(at);
        node.role.is_none() && matches!(node.content, Content::Value(_))
    }

    fn is_block(&self, at: usize) -> bool {
        matches!(self.node(at).content, Content::Block)
    }

    fn text(&self, at: usize) -> &[u8] {
        &self.bytes[self.spans[at].inner..self.spans[at].inner_end]
    }

    fn whole(&self, at: usize) -> &[u8] {
        &self.bytes[self.spans[at].start..self.spans[at].end]
    }

    /// Inserts bytes; the finding is at their beginning.
    fn insert(&self, at: usize, insert: Vec<u8>, path: String) -> Option<Change> {
        Some(Change { at, remove: 0, insert, place: at, path })
    }

    /// Replaces the text of a value; the finding is at its start tag.
    fn retext(&self, at: usize, text: Vec<u8>) -> Option<Change> {
        let span = self.spans[at];
        Some(Change { at: span.inner, remove: span.inner_end - span.inner, insert: text, place: span.start, path: self.node(at).path.to_string() })
    }

    fn operate(&self, rng: &mut Rng) -> Option<Change> {
        match self.way.check {
            Check::Missing => self.leave_out(rng),
            Check::Unknown => {
                let at = self.pick(rng, |at| self.is_free_value(at))?;
                let name = &self.way.text;
                let element = [b"<", name.as_bytes(), b">1</", name.as_bytes(), b">", self.line_end()].concat();
                self.insert(self.spans[at].end, element, format!("{}/{name}", self.node(self.spans[at].parent).path))
            }
            Check::Misplaced => {
                let at = self.pick(rng, |at| self.is_free_value(at))?;
                let name = &self.node(at).name;
                let format = &self.document.format;
                let knows = |block: usize| self.node(block).children.iter().any(|c| format.node(*c).name == *name);
                let block = self.pick(rng, |b| self.is_block(b) && !knows(b))?;
                self.insert(self.spans[block].inner_end, self.whole(at).to_vec(), format!("{}/{name}", self.node(block).path))
            }
            Check::Repeated => {
                let at = self.pick(rng, |at| self.is_free_value(at) && !self.node(at).obligation.repeatable)?;
                self.insert(self.spans[at].end, self.whole(at).to_vec(), self.node(at).path.to_string())
            }
            Check::Order => {
                let follows = |a: usize, b: usize| self.spans[a].parent == self.spans[b].parent && self.spans[a].end == self.spans[b].start;
                let differ = |a: usize, b: usize| self.spans[a].node != self.spans[b].node;
                let is_pair =
                    |a: usize| a + 1 < self.spans.len() && self.is_free_value(a) && self.is_free_value(a + 1) && follows(a, a + 1) && differ(a, a + 1);
                let at = self.pick(rng, is_pair)?;
                let (first, second) = (self.whole(at), self.whole(at + 1));
                let (start, place) = (self.spans[at].start, self.spans[at].start + second.len());
                Some(Change { at: start, remove: first.len() + second.len(), insert: [second, first].concat(), place, path: self.node(at).path.to_string() })
            }
            Check::Empty => {
                let at = self.pick(rng, |at| self.is_free_value(at))?;
                self.retext(at, Vec::new())
            }
            Check::TextInBlock => {
                let at = self.pick(rng, |at| self.is_block(at))?;
                let place = self.spans[at].start + self.node(at).name.len() + 2;
                self.insert(place, self.encoded(&self.way.text), self.node(at).path.to_string())
            }
            Check::BlockInText => {
                let at = self.pick(rng, |at| self.is_free_value(at))?;
                self.retext(at, format!("<{0}>1</{0}>", self.way.text).into_bytes())
            }
            Check::Attribute => {
                let at = self.pick(rng, |at| self.is_free_value(at))?;
                let tag_end = self.spans[at].inner - 1;
                let insert = format!(" {}", self.way.text).into_bytes();
                Some(Change { at: tag_end, remove: 0, insert, place: self.spans[at].start, path: self.node(at).path.to_string() })
            }
            Check::Unique => self.repeat_key(rng),
            Check::PersonAbsent => {
                let at = self.pick(rng, |at| self.node(at).role == Some(Role::IdPac))?;
                let record = self.patient.record.filter(|_| self.patient.has_more)?;
                self.retext(at, format!("{}{record}", self.way.text).into_bytes())
            }
            Check::Sum => {
                let part = self.pick(rng, |at| self.node(at).role == Some(Role::PartSum))?;
                let total = self.pick(rng, |at| self.node(at).role == self.way.role)?;
                let sum = kopecks(self.text(part))?;
                let change = self.retext(part, money(sum + 100).into_bytes())?;
                // The total comes after its parts, and moves with them.
                let moved = self.spans[total].start + change.insert.len() - change.remove;
                (total > part).then(|| Change { place: moved, path: self.node(total).path.to_string(), ..change })
            }
            _ => self.misvalue(rng),
        }
    }

    fn leave_out(&self, rng: &mut Rng) -> Option<Change> {
        let alone = |at: usize| self.spans.iter().filter(|s| s.parent == self.spans[at].parent && s.node == self.spans[at].node).count() == 1;
        let at = self.pick(rng, |at| at > 0 && self.is_free_value(at) && self.node(at).obligation.required && alone(at))?;
        let span = self.spans[at];
        let place = self.spans[span.parent].start;
        Some(Change { at: span.start, remove: span.end - span.start, insert: Vec::new(), place, path: self.node(at).path.to_string() })
    }

    fn repeat_key(&self, rng: &mut Rng) -> Option<Change> {
        let role = self.way.role?;
        if matches!(role, Role::NZap | Role::IdCase) {
            // The first record is never spoiled in this way, because the others repeat its key.
            let first = self.patient.record.filter(|n| *n > 1).map(|_| b"1".to_vec())?;
            let at = self.pick(rng, |at| self.node(at).role == Some(role))?;
            return self.retext(at, first);
        }
        let scope = |at: usize| self.spans[self.spans[at].parent].parent;
        let earlier = |at: usize| (0..at).find(|before| self.node(*before).role == Some(role) && scope(*before) == scope(at));
        let at = self.pick(rng, |at| self.node(at).role == Some(role) && earlier(at).is_some())?;
        self.retext(at, self.text(earlier(at)?).to_vec())
    }

    /// Replaces a value by one that breaks its type; the type itself confirms in which way.
    fn misvalue(&self, rng: &mut Rng) -> Option<Change> {
        let at = self.pick(rng, |at| self.is_free_value(at) && self.misfit(at).is_some())?;
        self.retext(at, self.misfit(at)?)
    }

    fn misfit(&self, at: usize) -> Option<Vec<u8>> {
        let kind = self.node(at).value_type()?;
        let old = self.text(at);
        if !old.is_ascii() || old.contains(&b'&') {
            return None;
        }
        let new = broken(self.way.check, &self.way.text, kind, old)?;
        if self.way.check == Check::EncodingByte {
            return (self.encoding() == Encoding::Windows1251 && !kind.fits(&new, Encoding::Windows1251)).then_some(new);
        }
        (kind.diagnose(&new, self.encoding())?.check == self.way.check).then_some(new)
    }
}

fn broken(check: Check, text: &str, kind: &ValueType, old: &[u8]) -> Option<Vec<u8>> {
    let (shortest, longest) = kind.lengths();
    let with_first = |byte: u8| [&[byte], old.get(1..).unwrap_or_default()].concat();
    let with_last = |byte: u8| [old.get(..old.len().saturating_sub(1)).unwrap_or_default(), &[byte]].concat();
    let mark = *text.as_bytes().first().unwrap_or(&b'~');
    Some(match check {
        Check::NotNumber if kind.base() == Base::Number => with_first(b'x'),
        Check::Decimals => old.strip_suffix(b"0").or_else(|| old.split_last().map(|(_, head)| head))?.to_vec(),
        Check::NotDate if kind.base() == Base::Date => [old.get(8..10)?, b".", old.get(5..7)?, b".", old.get(..4)?].concat(),
        Check::NoSuchDate if kind.base() == Base::Date => [old.get(..4)?, b"-02-30"].concat(),
        Check::TooLong => [vec![*old.first()?; (longest + 1).saturating_sub(old.len())].as_slice(), old].concat(),
        Check::TooShort if shortest > 1 => old.get(..shortest - 1)?.to_vec(),
        Check::Characters => with_first(mark),
        Check::Mask => with_last(mark),
        Check::NotInList => vec![b'9'],
        Check::EncodingByte => with_first(0x98),
        _ => return None,
    })
}

/// A position in a stream of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    offset: u64,
    /// Lines that have ended.
    lines: u64,
    /// Characters since the last line end.
    column: u64,
}

impl Progress {
    pub(super) const START: Self = Self { offset: 0, lines: 0, column: 0 };

    /// The position after more bytes.
    pub(super) fn after(self, bytes: &[u8], encoding: Encoding) -> Self {
        let last = memchr::memrchr(b'\n', bytes);
        let tail = encoding.columns(&bytes[last.map_or(0, |at| at + 1)..]) as u64;
        Self {
            offset: self.offset + bytes.len() as u64,
            lines: self.lines + memchr::memchr_iter(b'\n', bytes).count() as u64,
            column: if last.is_some() { tail } else { self.column + tail },
        }
    }

    /// Sets file, offset, line and column of the defects in a piece that begins here; the defects are in order of offset.
    pub(super) fn locate(self, bytes: &[u8], encoding: Encoding, file: &str, defects: &mut [Defect]) {
        let (mut at, mut from) = (self, 0);
        for defect in defects {
            // A missing element is reported at its parent, which may begin before the position reached so far.
            let to = (defect.offset as usize).max(from);
            at = at.after(&bytes[from..to], encoding);
            from = to;
            (defect.offset, defect.line, defect.column) = (at.offset, at.lines + 1, at.column + 1);
            file.clone_into(&mut defect.file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_counted_in_characters() {
        let text = "а<b>\r\nв<г/>".as_bytes();
        let begin = Progress::START.after("12".as_bytes(), Encoding::Utf8);
        let defect = |offset| Defect { rule: String::new(), file: String::new(), line: 0, column: 0, offset, path: String::new(), record: None };
        let mut defects = [defect(2), defect(9)];
        begin.locate(text, Encoding::Utf8, "f", &mut defects);
        assert_eq!(defects.map(|d| (d.offset, d.line, d.column)), [(4, 1, 4), (11, 2, 2)]);
    }

    #[test]
    fn values_break_the_way_they_should() {
        let kind = |base: &str, length: &str, mask: &str, list: &str| ValueType::compile(base, length, mask, None, list).expect("a type");
        let cases = [
            (Check::NotNumber, kind("N", "3", "", ""), "97", Some("x7")),
            (Check::Decimals, kind("N", "15.2", "fixed", ""), "12.30", Some("12.3")),
            (Check::NotDate, kind("D", "", "", ""), "2019-03-05", Some("05.03.2019")),
            (Check::NoSuchDate, kind("D", "", "", ""), "2019-03-05", Some("2019-02-30")),
            (Check::TooLong, kind("T", "3", "", ""), "ab", Some("aaab")),
            (Check::TooShort, kind("T", "3-3", "", ""), "abc", Some("ab")),
            (Check::TooShort, kind("T", "3", "", ""), "abc", None),
            (Check::Mask, kind("T", "3-6", "A99[.9[9]]", ""), "I10", Some("I1#")),
            (Check::NotInList, kind("N", "1", "", "0 1"), "1", Some("9")),
        ];
        for (check, kind, old, expected) in cases {
            let new = broken(check, "#", &kind, old.as_bytes());
            assert_eq!(new.as_deref(), expected.map(str::as_bytes), "{check:?}");
            if let Some(new) = new {
                assert_eq!(kind.diagnose(&new, Encoding::Windows1251).map(|f| f.check), Some(check));
            }
        }
    }
}
