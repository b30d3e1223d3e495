//! Findings of the main file's walk that are about persons: they stand in the person file, at the person or the element.
//!
//! The walk knows a person only by its number in the person file, so the place is found by reading that file once more; a package without such findings
//! is not read again. Findings are kept on the disk, and a person file of any size is read in its pieces.

use std::collections::BTreeMap;
use std::io;
use std::iter::Peekable;

use super::causes::{Asked, settle};
use crate::finding::spool::{Replay, Spool, pack, unpack};
use crate::finding::{Catalog, Finding, RuleIx};
use crate::spool::Records;

/// How many findings are sorted at once, and bytes that each sorted run keeps in memory.
const AT_ONCE: usize = 16 << 10;
const BUDGET: usize = 64 << 10;

/// Findings about persons, whose places hold the number of the person as the offset, until `placing.rs` has found the persons.
#[derive(Debug, Default)]
pub(super) struct ByPerson {
    /// Not yet sorted: the order of each finding, and where it begins in `packed`.
    waiting: Vec<(Order, usize)>,
    packed: Records,
    /// Runs in the order of persons. Records usually name persons in the order of the person file; then there is one run.
    runs: Vec<(Spool, u64)>,
}

type Order = (u64, RuleIx, bool);

/// By person and rule. A rule that is broken from several records is said once: by the first of them in which it stands on its own.
fn order(finding: &Finding) -> Order {
    (finding.place.offset, finding.rule, finding.follows_from.is_some())
}

impl ByPerson {
    pub(super) fn push(&mut self, finding: Finding) -> io::Result<()> {
        let at = pack(&finding, &mut self.packed);
        self.waiting.push((order(&finding), at));
        if self.waiting.len() == AT_ONCE { self.sort() } else { Ok(()) }
    }

    fn sort(&mut self) -> io::Result<()> {
        self.waiting.sort_unstable();
        let Some((first, last)) = self.waiting.first().zip(self.waiting.last()).map(|((a, _), (b, _))| (a.0, b.0)) else { return Ok(()) };
        // A person whose findings come in two lots would stand twice in one run.
        if self.runs.last().is_none_or(|(_, end)| *end >= first) {
            self.runs.push((Spool::with_budget(BUDGET), last));
        }
        if let Some((run, end)) = self.runs.last_mut() {
            *end = last;
            for (_, at) in self.waiting.drain(..) {
                run.push(unpack(&self.packed, at)?)?;
            }
            self.packed.clear();
        }
        Ok(())
    }

    /// The findings in the order of persons, each rule once for a person.
    pub(super) fn in_order(&mut self) -> io::Result<InOrder<'_>> {
        self.sort()?;
        let lists = self.runs.iter().map(|(run, _)| Ok(run.iter()?.peekable())).collect::<io::Result<Vec<_>>>()?;
        Ok(InOrder { lists, last: None })
    }
}

/// Findings about persons in order.
#[derive(Debug)]
pub(super) struct InOrder<'a> {
    lists: Vec<Peekable<Replay<'a>>>,
    last: Option<(u64, RuleIx)>,
}

impl InOrder<'_> {
    pub(super) fn next(&mut self) -> io::Result<Option<Finding>> {
        while let Some(finding) = first_of(&mut self.lists)? {
            let this = (finding.place.offset, finding.rule);
            if self.last.replace(this) != Some(this) {
                return Ok(Some(finding));
            }
        }
        Ok(None)
    }
}

/// Takes the first finding of several sorted lists.
fn first_of(lists: &mut [Peekable<Replay<'_>>]) -> io::Result<Option<Finding>> {
    let mut first: Option<(Order, usize)> = None;
    for (at, list) in lists.iter_mut().enumerate() {
        match list.peek() {
            Some(Ok(finding)) if first.is_none_or(|(known, _)| order(finding) < known) => first = Some((order(finding), at)),
            Some(Err(_)) => return list.next().transpose(),
            _ => {}
        }
    }
    first.and_then(|(_, at)| lists[at].next()).transpose()
}

/// Joins what the person file and the main file say of persons, in the order of the person file; `give` completes each finding before it is told
/// what follows from what.
pub(super) fn join(catalog: &Catalog, own: &Spool, placed: &Spool, give: impl Fn(&mut Finding), asked: impl Fn(&Finding) -> Vec<Asked>) -> io::Result<Spool> {
    let mut out = Spool::default();
    let (mut own, mut placed) = (own.iter()?.peekable(), placed.iter()?.peekable());
    loop {
        let of = |list: &mut Peekable<Replay<'_>>| -> io::Result<Option<(u64, Option<Box<str>>)>> {
            match list.peek() {
                Some(Ok(finding)) => Ok(Some((finding.place.offset, finding.keys.id_pac.clone()))),
                Some(Err(_)) => list.next().transpose().map(|_| None),
                None => Ok(None),
            }
        };
        let mut group = Vec::new();
        match (of(&mut own)?, of(&mut placed)?) {
            (None, None) => return Ok(out),
            (Some((_, Some(a))), Some((_, Some(b)))) if a == b => {
                take_person(&mut own, Some(&a), &mut group)?;
                take_person(&mut placed, Some(&a), &mut group)?;
                group.iter_mut().for_each(&give);
                group.sort_by_key(|f| (f.place.offset, f.rule));
                settle(catalog, &mut group, |_, finding| asked(finding));
            }
            (Some((at, id)), other) if other.as_ref().is_none_or(|(there, _)| at <= *there) => {
                take_person(&mut own, id.as_deref(), &mut group)?;
                group.iter_mut().for_each(&give);
            }
            (_, Some((_, id))) => {
                take_person(&mut placed, id.as_deref(), &mut group)?;
                group.iter_mut().for_each(&give);
                group.sort_by_key(|f| (f.place.offset, f.rule));
            }
            // The arm above takes it.
            (Some(_), None) => {}
        }
        group.into_iter().try_for_each(|finding| out.push(finding))?;
    }
}

/// Takes the findings of one person, or one finding about the file.
fn take_person(list: &mut Peekable<Replay<'_>>, id: Option<&str>, into: &mut Vec<Finding>) -> io::Result<()> {
    let same = |f: &io::Result<Finding>| f.as_ref().is_ok_and(|f| f.keys.id_pac.as_deref() == id);
    while let Some(finding) = list.next_if(same) {
        into.push(finding?);
        if id.is_none() {
            break;
        }
    }
    Ok(())
}

/// Findings about persons by the number of the person.
pub(super) type About = BTreeMap<u64, Vec<Finding>>;
