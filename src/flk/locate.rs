//! Gives findings of relations their record: reads a file again, but walks only the records in which something was found wrong.

use std::io;

use memchr::memmem;

use crate::finding::{Finding, Place, RuleIx};
use crate::registry::chunk::Chunks;
use crate::registry::source::Source;

use super::walk::{FileContext, Mark, Walker};

/// Findings for marked elements, in order of offset; the marks are sorted. In a record that is a repetition as a whole (`repetition`) the
/// weaker rule `unless` is not said again.
///
/// # Errors
/// The file changed or can no longer be read, or the sink fails.
pub(super) fn locate(
    source: &Source,
    context: FileContext<'_>,
    marks: &[Mark],
    unless: Option<(RuleIx, RuleIx)>,
    sink: &mut dyn FnMut(Finding) -> io::Result<()>,
) -> io::Result<()> {
    if marks.is_empty() {
        return Ok(());
    }
    let record = context.format.node(context.plan.record);
    let (head, tail) = (format!("<{}", record.name), format!("</{}>", record.name));
    let mut chunks = Chunks::new(source.open()?, &record.name, false);
    let mut rest = marks;
    let (mut lines, mut column) = (0u32, 0u32);
    let mut buffer = Vec::new();
    while let Some(chunk) = chunks.next_chunk(buffer)? {
        let bytes = &chunk.bytes;
        let take = |rest: &mut &[Mark], end: usize| {
            let (here, later) = rest.split_at(rest.partition_point(|m| m.0 < chunk.offset + end as u64));
            *rest = later;
            here.to_vec()
        };
        let mut counted = 0;
        while let Some((offset, _)) = rest.first().filter(|m| m.0 < chunk.offset + bytes.len() as u64) {
            let at = (*offset - chunk.offset) as usize;
            let from = memmem::rfind(&bytes[..(at + head.len()).min(bytes.len())], head.as_bytes()).unwrap_or(at);
            let to = memmem::find(&bytes[at..], tail.as_bytes()).map_or(bytes.len(), |n| at + n + tail.len());
            let mut wanted = take(&mut rest, to);
            if let Some((repetition, weaker)) = unless
                && wanted.iter().any(|m| m.1 == repetition)
            {
                wanted.retain(|m| m.1 != weaker);
            }
            advance(&bytes[counted..from], &context, &mut lines, &mut column);
            counted = from;
            let outcome = Walker::between_records(context).with_marks(&wanted).piece(&bytes[from..to], chunk.offset + from as u64, false);
            for mut finding in outcome.findings {
                if !wanted.contains(&(finding.place.offset, finding.rule)) {
                    continue;
                }
                shift(&mut finding.place, lines, column);
                finding.value = finding.value.or_else(|| finding.keys.id_pac.clone());
                sink(finding)?;
            }
        }
        advance(&bytes[counted..], &context, &mut lines, &mut column);
        if rest.is_empty() {
            return Ok(());
        }
        buffer = chunk.bytes;
    }
    Ok(())
}

fn advance(bytes: &[u8], context: &FileContext<'_>, lines: &mut u32, column: &mut u32) {
    *lines += memchr::memchr_iter(b'\n', bytes).count() as u32;
    match memchr::memrchr(b'\n', bytes) {
        Some(at) => *column = context.encoding.length(&bytes[at + 1..]) as u32,
        None => *column += context.encoding.length(bytes) as u32,
    }
}

fn shift(place: &mut Place, lines: u32, column: u32) {
    if place.line == 1 {
        place.column += column;
    }
    place.line += lines;
}
