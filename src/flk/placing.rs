//! Finds the places of findings about persons: reads the person file once more, and counts its persons.

use std::io;

use memchr::memmem;

use super::by_person::ByPerson;
use super::file::chunks;
use super::places::{Progressed, settled};
use super::walk::{FileContext, Walker, is_personal, shown};
use crate::finding::Finding;
use crate::finding::spool::Spool;
use crate::registry::source::Source;

/// Gives findings about persons their places in the person file, in its order.
pub(super) fn place(mut findings: ByPerson, source: &Source, context: FileContext<'_>) -> io::Result<Spool> {
    let mut out = Spool::default();
    let mut sorted = findings.in_order()?;
    let mut ahead = sorted.next()?;
    if ahead.is_none() {
        return Ok(out);
    }
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
                ahead = sorted.next()?;
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
        ahead = sorted.next()?;
    }
    rest.into_iter().try_for_each(|finding| out.push(Finding { place: Default::default(), ..finding }))?;
    Ok(out)
}

impl Walker<'_> {
    /// At the end of a person, gives the findings about it their places.
    #[cold]
    pub(super) fn place_findings(&mut self) {
        let number = self.closed;
        self.closed += 1;
        for mut finding in self.about.remove(&number).unwrap_or_default() {
            let node = self.context.format.find(&finding.path).map(|id| self.context.format.node(id));
            let value = node.and_then(|node| self.record.first(0, node.position));
            finding.place = settled(&self.record_places, value.map_or_else(|| self.record.offset(0), |value| value.offset));
            // Of a name the main file's walk knows only that it stands.
            if let (None, Some(node), Some(value)) = (&finding.value, node, value) {
                let text = self.context.encoding.decode(value.text);
                finding.personal |= is_personal(node, Some(&text));
                finding.value = Some(shown(&text));
            }
            self.out.placed.push(finding);
        }
    }
}
