//! Finds the records of findings across records: reads a file again, but walks only the records that have such findings.

use std::io;

use memchr::memmem;

use crate::finding::{Finding, Place};
use crate::registry::source::Source;

use super::file::chunks;
use super::piece::RootState;
use super::places::Progressed;
use super::walk::{FileContext, Mark, Walker};

/// Makes findings for marked elements, in order of offset. The marks are sorted and distinct. `tangled` says that records of the file cross the
/// boundaries of pieces.
///
/// If the file can no longer be read or has changed, every finding is still made, but without its record.
///
/// # Errors
/// The sink fails.
pub(super) fn locate(
    source: &Source,
    context: FileContext<'_>,
    tangled: bool,
    marks: &[Mark],
    sink: &mut dyn FnMut(Finding) -> io::Result<()>,
) -> io::Result<()> {
    let mut rest = marks;
    if let (false, Ok(stream)) = (marks.is_empty(), source.open()) {
        let mut chunks = chunks(stream, context, false);
        let mut walker = tangled.then(|| Walker::at_head(context));
        let mut read = Progressed::default();
        let mut buffer = Vec::new();
        while let (false, Ok(Some(chunk))) = (rest.is_empty(), chunks.next_chunk(buffer)) {
            let (text, base) = chunk.text();
            let here = before(&mut rest, base + text.len() as u64);
            let mut findings = match &mut walker {
                Some(walker) => {
                    walker.mark(here);
                    let findings = walker.chunk(&chunk).findings;
                    walker.settle(read);
                    of_marks(findings, here)
                }
                None if here.is_empty() => Vec::new(),
                // What looks like the edge of a record may be in a comment or a stray tag; then the whole piece is walked.
                None => in_records(context, text, base, here).unwrap_or_else(|| of_marks(walk(context, text, base, here), here)),
            };
            findings.iter_mut().filter(|f| f.place.offset >= base).for_each(|f| read.shift(&mut f.place));
            for mark in here.iter().filter(|mark| !findings.iter().any(|f| is_of(f, mark))) {
                sink(bare(context, mark))?;
            }
            findings.into_iter().try_for_each(&mut *sink)?;
            read.advance(Progressed::of(text, context.encoding));
            buffer = chunk.bytes;
        }
    }
    rest.iter().try_for_each(|mark| sink(bare(context, mark)))
}

/// Splits off the marks before offset `end`.
fn before<'m>(marks: &mut &'m [Mark], end: u64) -> &'m [Mark] {
    let (here, later) = marks.split_at(marks.partition_point(|m| m.0 < end));
    *marks = later;
    here
}

fn is_of(finding: &Finding, mark: &Mark) -> bool {
    (finding.place.offset, finding.rule) == *mark
}

fn of_marks(mut findings: Vec<Finding>, marks: &[Mark]) -> Vec<Finding> {
    findings.retain(|f| marks.binary_search(&(f.place.offset, f.rule)).is_ok());
    findings
}

fn walk(context: FileContext<'_>, text: &[u8], base: u64, marks: &[Mark]) -> Vec<Finding> {
    let mut walker = Walker::between_records(context, RootState::default());
    walker.mark(marks);
    walker.piece(text, base, false).findings
}

/// Walks the records of a piece that hold marks; `None` if a mark was not met.
fn in_records(context: FileContext<'_>, text: &[u8], base: u64, mut marks: &[Mark]) -> Option<Vec<Finding>> {
    let record = context.format.node(context.plan.record);
    let (head, tail) = (format!("<{}", record.name), format!("</{}>", record.name));
    let (mut read, mut counted) = (Progressed::default(), 0);
    let mut all = Vec::new();
    while let Some((offset, _)) = marks.first() {
        let at = (*offset - base) as usize;
        let from = counted + memmem::rfind(&text[counted..(at + head.len()).min(text.len())], head.as_bytes())?;
        let to = at + memmem::find(&text[at..], tail.as_bytes())? + tail.len();
        let here = before(&mut marks, base + to as u64);
        let mut findings = of_marks(walk(context, &text[from..to], base + from as u64, here), here);
        if findings.len() != here.len() {
            return None;
        }
        read.advance(Progressed::of(&text[counted..from], context.encoding));
        findings.iter_mut().for_each(|f| read.shift(&mut f.place));
        all.append(&mut findings);
        counted = from;
    }
    Some(all)
}

/// A finding for a mark whose element was not found again: only its rule and offset.
fn bare(context: FileContext<'_>, mark: &Mark) -> Finding {
    Finding { place: Place { offset: mark.0, ..Place::default() }, ..Finding::of_file(mark.1, context.file) }
}
