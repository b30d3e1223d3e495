//! Copies one record byte for byte, except its numbers, the elements of an earlier answer, and cases that were not chosen.

use std::ops::Range;

use super::encode::{Unwritable, append};
use super::table::Marks;
use crate::registry::encoding::Encoding;
use crate::registry::fault::Fault;
use crate::registry::format::{Format, NameKey, NodeId, Role};
use crate::registry::scan::{Name, ScanLimits, Scanner, Token};
use crate::values::kopecks;

/// What happens to an element of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// Entered, because it contains elements with other acts.
    Enter,
    /// Left out.
    Drop,
    /// The number of the record, which is replaced.
    NZap,
    /// Whether the record was sent before, which is replaced if it is known.
    PrNov,
    /// The key of the person, which is checked, and replaced if it changes.
    IdPac,
    /// A case, which is left out unless it is chosen.
    Case,
    /// The number of the case, which is replaced.
    IdCase,
    /// The sum of the case, which is checked.
    Sum,
}

/// The acts for the elements of a format's records.
#[derive(Debug)]
pub(super) struct Plan {
    root: Vec<u8>,
    record: (NameKey, NodeId),
    /// For each element, its children that have an act.
    children: Vec<Vec<(NameKey, NodeId, Act)>>,
    /// Whether a record may hold several cases.
    pub(super) many_cases: bool,
    has_n_zap: bool,
    has_id_pac: bool,
}

impl Plan {
    /// `None` if the format has no records.
    pub(super) fn new(format: &Format, marks: &Marks) -> Option<Self> {
        let record = format.role(Role::Record)?;
        let case = format.role(Role::Case);
        let mut acts: Vec<Option<Act>> = vec![None; format.nodes().len()];
        for id in format.ids().filter(|id| format.is_within(*id, record) && *id != record) {
            let of_role = match format.node(id).role {
                Some(Role::NZap) => Some(Act::NZap),
                Some(Role::PrNov) => Some(Act::PrNov),
                Some(Role::IdPac) => Some(Act::IdPac),
                Some(Role::Case) => Some(Act::Case),
                Some(Role::IdCase) => Some(Act::IdCase),
                Some(Role::CaseSum) => Some(Act::Sum),
                _ => None,
            };
            acts[usize::from(id.0)] = of_role.or(marks.drops(format, id).then_some(Act::Drop));
        }
        for id in format.ids() {
            if acts[usize::from(id.0)].is_some() {
                let mut around = format.node(id).parent;
                while let Some(block) = around {
                    acts[usize::from(block.0)].get_or_insert(Act::Enter);
                    around = format.node(block).parent;
                }
            }
        }
        let watched = |id: &NodeId| acts[usize::from(id.0)].map(|act| (format.node(*id).key, *id, act));
        Some(Self {
            root: format.node(format.root()).name.as_bytes().to_vec(),
            record: (format.node(record).key, record),
            children: format.nodes().iter().map(|n| n.children.iter().filter_map(watched).collect()).collect(),
            many_cases: case.is_some_and(|id| format.node(id).obligation.repeatable),
            has_n_zap: format.role(Role::NZap).is_some(),
            has_id_pac: format.role(Role::IdPac).is_some(),
        })
    }

    fn act(&self, block: NodeId, name: &Name<'_>) -> Option<(NodeId, Act)> {
        let children = self.children.get(usize::from(block.0))?;
        children.iter().find(|(key, ..)| Some(*key) == name.key).map(|(_, id, act)| (*id, *act))
    }
}

/// A chosen case.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Range of the case in the record.
    pub(super) range: Range<usize>,
    /// Stated sum in kopecks.
    pub(super) sum_kopecks: i64,
    /// New number of the case.
    pub(super) idcase: u64,
}

/// A record to copy.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) encoding: Encoding,
    /// The chosen cases, in the order of their places.
    pub(super) cases: &'a [Wanted],
    pub(super) n_zap: u64,
    /// PR_NOV; `None` leaves that of the package.
    pub(super) pr_nov: Option<bool>,
    /// ID_PAC in the package and in the registry; `None` without a person file.
    pub(super) id_pac: Option<(&'a [u8], &'a [u8])>,
}

/// Why a record cannot be copied; offsets are relative to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The bytes are not what was taken in: another record, or broken markup.
    Changed(usize),
    /// The sum differs from the stated one.
    Sum { at: usize, found: String },
    /// The record names another person.
    Person,
    /// A character that windows-1251 lacks; `None` for an invalid byte.
    Character { at: usize, character: Option<char> },
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Changed(fault.offset.unwrap_or(0) as usize)
    }
}

/// Bytes on their way to the output, with edits.
struct Tape<'a, 'o> {
    bytes: &'a [u8],
    encoding: Encoding,
    /// Offset up to which everything has been written or left out.
    from: usize,
    out: &'o mut Vec<u8>,
}

impl Tape<'_, '_> {
    fn copy_to(&mut self, at: usize) -> Result<(), Trouble> {
        // An element that was left out may end after the beginning of the next edit.
        if at > self.from {
            let from = self.from;
            append(&self.bytes[from..at], self.encoding, self.out).map_err(|Unwritable { at, character }| Trouble::Character { at: from + at, character })?;
            self.from = at;
        }
        Ok(())
    }

    /// Leaves out an element with the white space before it, so that the lines around it stay as they are.
    fn cut(&mut self, at: usize, end: usize) -> Result<(), Trouble> {
        let blank = self.bytes[self.from..at].iter().rev().take_while(|b| b.is_ascii_whitespace()).count();
        self.copy_to(at - blank)?;
        self.from = end;
        Ok(())
    }

    fn replace(&mut self, at: usize, end: usize, name: &Name<'_>, text: &[u8]) -> Result<(), Trouble> {
        self.copy_to(at)?;
        for part in [b"<", name.bytes, b">", text, b"</", name.bytes, b">"] {
            self.out.extend_from_slice(part);
        }
        self.from = end;
        Ok(())
    }
}

/// What has been seen of the case that is being copied.
#[derive(Default)]
struct Open {
    has_number: bool,
    has_sum: bool,
}

/// Appends a record with the edits of a job.
pub(super) fn copy(plan: &Plan, job: &Job<'_>, out: &mut Vec<u8>) -> Result<(), Trouble> {
    let mut scanner = Scanner::new(job.bytes, job.encoding, ScanLimits::default(), vec![plan.root.clone()]);
    let mut tape = Tape { bytes: job.bytes, encoding: job.encoding, from: 0, out };
    match scanner.next_token()? {
        Token::Open { at: 0, name, .. } if name.key == Some(plan.record.0) => {}
        _ => return Err(Trouble::Changed(0)),
    }
    let mut blocks: Vec<(NodeId, Act)> = vec![(plan.record.1, Act::Enter)];
    let mut wanted = job.cases.iter();
    let mut current: Option<(&Wanted, Open)> = None;
    let (mut n_zap_seen, mut id_pac_seen) = (!plan.has_n_zap, !plan.has_id_pac);
    while let Some(&(block, _)) = blocks.last() {
        match scanner.next_token()? {
            Token::Open { at, name, .. } => match plan.act(block, &name) {
                None => {
                    scanner.skip_element()?;
                }
                Some((id, Act::Enter)) => blocks.push((id, Act::Enter)),
                Some((id, Act::Case)) if current.is_none() && wanted.as_slice().first().is_some_and(|w| w.range.start == at) => {
                    current = wanted.next().map(|w| (w, Open::default()));
                    blocks.push((id, Act::Case));
                }
                Some((_, Act::Case | Act::Drop)) => {
                    let end = scanner.skip_element()?;
                    tape.cut(at, end)?;
                }
                Some(_) => return Err(Trouble::Changed(at)),
            },
            Token::Close { .. } => {
                if let Some((_, Act::Case)) = blocks.pop()
                    && let Some((case, open)) = current.take()
                    && !(open.has_number && open.has_sum && case.range.end == scanner.offset())
                {
                    return Err(Trouble::Changed(case.range.start));
                }
            }
            Token::Leaf { at, name, text, .. } => {
                let end = scanner.offset();
                match (plan.act(block, &name).map(|(_, act)| act), &mut current) {
                    (None | Some(Act::Enter), _) => {}
                    (Some(Act::Drop | Act::Case), _) => tape.cut(at, end)?,
                    (Some(Act::NZap), _) => {
                        n_zap_seen = true;
                        tape.replace(at, end, &name, job.n_zap.to_string().as_bytes())?;
                    }
                    (Some(Act::PrNov), _) => {
                        if let Some(again) = job.pr_nov {
                            tape.replace(at, end, &name, if again { b"1" } else { b"0" })?;
                        }
                    }
                    (Some(Act::IdPac), _) => {
                        id_pac_seen = true;
                        if let Some((old, new)) = job.id_pac {
                            if text.trim_ascii() != old {
                                return Err(Trouble::Person);
                            }
                            if old != new {
                                tape.replace(at, end, &name, new)?;
                            }
                        }
                    }
                    (Some(Act::IdCase), Some((case, open))) => {
                        // A second IDCASE would get the same number.
                        if std::mem::replace(&mut open.has_number, true) {
                            return Err(Trouble::Changed(at));
                        }
                        tape.replace(at, end, &name, case.idcase.to_string().as_bytes())?;
                    }
                    (Some(Act::Sum), Some((case, open))) => {
                        open.has_sum = true;
                        if kopecks(text.trim_ascii()) != Some(case.sum_kopecks) {
                            return Err(Trouble::Sum { at: case.range.start, found: job.encoding.decode(text.trim_ascii()).into_owned() });
                        }
                    }
                    (Some(Act::IdCase | Act::Sum), None) => return Err(Trouble::Changed(at)),
                }
            }
            Token::Text { .. } => {}
            Token::End => return Err(Trouble::Changed(job.bytes.len())),
        }
    }
    if let Some(missing) = wanted.next() {
        return Err(Trouble::Changed(missing.range.start));
    }
    if !n_zap_seen || !id_pac_seen || scanner.offset() != job.bytes.len() {
        return Err(Trouble::Changed(0));
    }
    tape.copy_to(job.bytes.len())
}

/// Name of the element that contains an offset, for messages; empty if there is none.
pub(super) fn element_at(bytes: &[u8], encoding: Encoding, root: &[u8], offset: usize) -> String {
    let mut scanner = Scanner::new(bytes, encoding, ScanLimits::default(), vec![root.to_vec()]);
    while let Ok(token) = scanner.next_token() {
        match token {
            Token::Leaf { at, name, .. } if (at..scanner.offset()).contains(&offset) => return name.to_text(encoding),
            Token::End => break,
            _ => {}
        }
    }
    String::new()
}

impl Plan {
    /// Name of the root element.
    pub(super) fn root(&self) -> &[u8] {
        &self.root
    }
}

/// The number of a record in the file; empty if it has none.
pub(super) fn number(plan: &Plan, bytes: &[u8], encoding: Encoding) -> String {
    let mut scanner = Scanner::new(bytes, encoding, ScanLimits::default(), vec![plan.root.clone()]);
    while let Ok(token) = scanner.next_token() {
        match token {
            Token::Leaf { name, text, .. } if plan.act(plan.record.1, &name).is_some_and(|(_, act)| act == Act::NZap) => {
                return encoding.decode(text.trim_ascii()).into_owned();
            }
            Token::End => break,
            _ => {}
        }
    }
    String::new()
}
