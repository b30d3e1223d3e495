//! Findings of the main file's walk that are about persons: they stand in the person file, at the person or the element.
//!
//! The walk knows a person only by its number in the person file, so the place is found by reading that file once more; a package without such findings
//! is not read again. Findings are kept on the disk, and a person file of any size is read in its pieces.

use std::collections::BTreeMap;
use std::io;
use std::iter::Peekable;

use memchr::memmem;

use super::causes::{Asked, settle};
use super::file::chunks;
use super::places::{Progressed, settled};
use super::walk::{FileContext, Walker, shown};
use crate::finding::spool::{Replay, Spool};
use crate::finding::{Catalog, Finding, RuleIx};
use crate::registry::source::Source;

/// How many findings are sorted at once, and bytes that each sorted run keeps in memory.
const AT_ONCE: usize = 16 << 10;
const BUDGET: usize = 64 << 10;

/// Findings about persons, whose places hold the number of the person as the offset, until [`ByPerson::placed`].
#[derive(Debug, Default)]
pub(super) struct ByPerson {
    waiting: Vec<Finding>,
    /// Runs in the order of persons. Records usually name persons in the order of the person file; then there is one run.
    runs: Vec<(Spool, u64)>,
}

/// By person and rule. A rule that is broken from several records is said once: by the first of them in which it stands on its own.
fn order(finding: &Finding) -> (u64, RuleIx, bool) {
    (finding.place.offset, finding.rule, finding.follows_from.is_some())
}

impl ByPerson {
    pub(super) fn push(&mut self, finding: Finding) -> io::Result<()> {
        self.waiting.push(finding);
        if self.waiting.len() == AT_ONCE { self.sort() } else { Ok(()) }
    }

    fn sort(&mut self) -> io::Result<()> {
        self.waiting.sort_by_key(order);
        let Some((first, last)) = self.waiting.first().zip(self.waiting.last()).map(|(a, b)| (a.place.offset, b.place.offset)) else { return Ok(()) };
        // A person whose findings come in two lots would stand twice in one run.
        if self.runs.last().is_none_or(|(_, end)| *end >= first) {
            self.runs.push((Spool::with_budget(BUDGET), last));
        }
        if let Some((run, end)) = self.runs.last_mut() {
            *end = last;
            self.waiting.drain(..).try_for_each(|finding| run.push(finding))?;
        }
        Ok(())
    }

    /// The findings with their places in the person file, in its order, each rule once for a person.
    pub(super) fn placed(mut self, source: &Source, context: FileContext<'_>) -> io::Result<Spool> {
        self.sort()?;
        let mut out = Spool::default();
        let mut heads = self.runs.iter().map(|(run, _)| Ok(run.iter()?.peekable())).collect::<io::Result<Vec<_>>>()?;
        if heads.is_empty() {
            return Ok(out);
        }
        let mut last: Option<(u64, RuleIx)> = None;
        let mut next = || -> io::Result<Option<Finding>> {
            while let Some(finding) = first_of(&mut heads)? {
                if last.replace((finding.place.offset, finding.rule)) != Some((finding.place.offset, finding.rule)) {
                    return Ok(Some(finding));
                }
            }
            Ok(None)
        };
        let mut ahead = next()?;
        let record = format!("<{}", context.format.node(context.plan.record).name);
        let mut walker = Walker::at_head(FileContext { placing: true, ..context });
        if let Ok(stream) = source.open() {
            let (mut chunks, mut read, mut buffer) = (chunks(stream, context, false), Progressed::default(), Vec::new());
            while let (true, Ok(Some(chunk))) = (ahead.is_some() || !walker.about.is_empty(), chunks.next_chunk(buffer)) {
                let (text, base) = chunk.text();
                // No more persons can end here than begin here, and one that began before.
                let end = walker.closed + 1 + memmem::find_iter(text, record.as_bytes()).count() as u64;
                while let Some(finding) = ahead.take_if(|f| f.place.offset < end) {
                    walker.about.entry(finding.place.offset).or_default().push(finding);
                    ahead = next()?;
                }
                let placed = walker.chunk(&chunk).placed;
                walker.settle(read);
                for mut finding in placed {
                    if finding.place.offset >= base {
                        read.shift(&mut finding.place);
                    }
                    out.push(finding)?;
                }
                read.advance(Progressed::of(text, context.encoding));
                buffer = chunk.bytes;
            }
        }
        // The file can no longer be read, or has changed: the findings stay, without their places.
        let mut rest: Vec<Finding> = std::mem::take(&mut walker.about).into_values().flatten().collect();
        while let Some(finding) = ahead {
            rest.push(finding);
            ahead = next()?;
        }
        rest.into_iter().try_for_each(|finding| out.push(Finding { place: Default::default(), ..finding }))?;
        Ok(out)
    }
}

/// Takes the first finding of several sorted lists.
fn first_of(lists: &mut [Peekable<Replay<'_>>]) -> io::Result<Option<Finding>> {
    let mut first: Option<((u64, RuleIx, bool), usize)> = None;
    for (at, list) in lists.iter_mut().enumerate() {
        match list.peek() {
            Some(Ok(finding)) if first.is_none_or(|(known, _)| order(finding) < known) => first = Some((order(finding), at)),
            Some(Err(_)) => return list.next().transpose(),
            _ => {}
        }
    }
    first.and_then(|(_, at)| lists[at].next()).transpose()
}

impl Walker<'_> {
    /// At the end of a person, gives the findings about it their places.
    #[cold]
    pub(super) fn place_findings(&mut self) {
        let number = self.closed;
        self.closed += 1;
        for mut finding in self.about.remove(&number).unwrap_or_default() {
            let position = self.context.format.find(&finding.path).map(|id| self.context.format.node(id).position);
            let value = position.and_then(|position| self.record.first(0, position));
            finding.place = settled(&self.record_places, value.map_or_else(|| self.record.offset(0), |value| value.offset));
            // Of a name the main file's walk knows only that it stands.
            finding.value = finding.value.or_else(|| value.map(|value| shown(&self.context.encoding.decode(value.text))));
            self.out.placed.push(finding);
        }
    }
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
    let mut same = |f: &io::Result<Finding>| f.as_ref().is_ok_and(|f| f.keys.id_pac.as_deref() == id);
    while let Some(finding) = list.next_if(&mut same) {
        into.push(finding?);
        if id.is_none() {
            break;
        }
    }
    Ok(())
}

/// Findings about persons by the number of the person.
pub(super) type About = BTreeMap<u64, Vec<Finding>>;
