//! Walks a file piece by piece and carries a record over the boundary of two pieces, so that its findings have their places in the file.

use crate::finding::{Check, Place};
use crate::registry::chunk::{Chunk, record_too_large};
use crate::registry::fault::Fault;
use crate::registry::scan::Scanner;
use crate::rules::Work;

use super::piece::{PieceOutcome, RootState};
use super::places::{Progressed, resolve};
use super::running::{LocalKeys, LocalSum, Running};
use super::walk::{Frame, Walker};

impl Walker<'_> {
    /// Walks the next piece.
    pub(super) fn chunk(&mut self, chunk: &Chunk) -> PieceOutcome {
        let (text, base) = chunk.text();
        self.walk_piece(text, base, chunk.last, chunk.cut)
    }

    /// Walks one piece that starts at offset `base` of the file. The last piece must close the root.
    pub(super) fn piece(&mut self, bytes: &[u8], base: u64, last: bool) -> PieceOutcome {
        self.walk_piece(bytes, base, last, false)
    }

    fn walk_piece(&mut self, bytes: &[u8], base: u64, last: bool, cut: bool) -> PieceOutcome {
        let plan = self.context.plan;
        self.base = base;
        self.out = PieceOutcome {
            base,
            findings: std::mem::take(&mut self.kept),
            keys: plan.keys.iter().map(|_| Vec::new()).collect(),
            sums: vec![Running::default(); plan.sums.len()],
            counts: vec![0; plan.counts.len()],
            work: self.context.rules.map_or_else(Work::default, |r| r.set.work()),
            ..PieceOutcome::default()
        };
        let mut scanner = Scanner::new(bytes, self.context.encoding, self.context.limits, std::mem::take(&mut self.open));
        let mut fault = self.walk(&mut scanner, bytes).err();
        if fault.is_none() && last && !scanner.root_closed() {
            let open = if scanner.depth() == 0 { self.context.format.node(self.context.format.root()).name.to_string() } else { scanner.innermost() };
            fault = Some(Fault::new(Check::XmlTruncated).at(bytes.len() as u64).expected(open));
        }
        self.open = scanner.open_names();
        let mut out = std::mem::take(&mut self.out);
        if let Some(root) = self.frames.first() {
            out.root.join(RootState { seen: root.seen, text_reported: root.text_reported });
        }
        out.fault = fault.map(|f| Fault { offset: f.offset.map(|o| o + base), ..f });
        out.fault_place = out.fault.as_ref().and_then(|f| f.offset).map(|offset| Place { offset, ..Place::default() });
        let goes_on = !last && out.fault.is_none();
        // The record exceeds the size limit, or was cut at it; a cut record looks like a truncated file.
        let record = self.frames.get(1).map_or(Place { offset: base, ..Place::default() }, |inner| inner.place);
        let long = goes_on && self.frames.len() > 1 && base + bytes.len() as u64 - record.offset > self.context.limits.record as u64;
        if long || cut && out.fault.as_ref().is_none_or(|f| f.check == Check::XmlTruncated) {
            out.fault = Some(record_too_large(record.offset, self.context.limits.record));
            out.fault_place = Some(record);
        }
        let found = out.findings.iter_mut().chain(&mut out.placed).map(|f| &mut f.place).chain(out.head.iter_mut().map(|h| &mut h.place));
        let tangled = goes_on && self.frames.len() > 1;
        if tangled {
            self.keep_places(base);
            self.keep_bytes(bytes);
        }
        let held = if tangled { Some(held(&mut self.frames, &mut self.local_keys, &mut self.local_sums, &mut self.record_places)) } else { None };
        let places = found.chain(&mut out.root_place).chain(&mut out.fault_place).chain(held.into_iter().flatten());
        out.read = resolve(places, bytes, base, self.context.encoding);
        if goes_on {
            self.keep(&mut out);
        }
        out
    }

    fn keep(&mut self, out: &mut PieceOutcome) {
        let from = self.frames.get(1).map_or(out.findings.len(), |inner| inner.findings);
        let keeps = out.findings.len() - from <= KEPT;
        if keeps {
            self.kept = out.findings.split_off(from);
        }
        for frame in &mut self.frames {
            frame.findings = if keeps { frame.findings.saturating_sub(from) } else { 0 };
        }
    }

    /// Completes the places that the walker carries over from the piece just walked. `read` is how far the file had been read before that piece.
    pub(super) fn settle(&mut self, read: Progressed) {
        let base = self.base;
        let places =
            held(&mut self.frames, &mut self.local_keys, &mut self.local_sums, &mut self.record_places).chain(self.kept.iter_mut().map(|f| &mut f.place));
        places.filter(|place| place.offset >= base).for_each(|place| read.shift(place));
    }

    /// Offset in the piece at which the open record begins; 0 if it began in an earlier piece.
    pub(super) fn record_start(&self) -> usize {
        self.record.offset(0).saturating_sub(self.base) as usize
    }

    /// Remembers the places of an unfinished record's elements, because later pieces count lines from their own beginning.
    fn keep_places(&mut self, base: u64) {
        let offsets = self.record.offsets().filter(|offset| *offset >= base);
        self.record_places.extend(offsets.map(|offset| Place { offset, ..Place::default() }));
    }

    /// Keeps the bytes of a record that goes on in the next piece, if cases are read.
    fn keep_bytes(&mut self, bytes: &[u8]) {
        if self.context.reading.is_some() && self.frames.iter().any(|f| f.block.is_some()) {
            self.record_bytes.extend_from_slice(&bytes[self.record_start()..]);
        }
    }
}

/// Places that an unfinished record may still need.
fn held<'w>(frames: &'w mut [Frame], keys: &'w mut [LocalKeys], sums: &'w mut [LocalSum], record: &'w mut [Place]) -> impl Iterator<Item = &'w mut Place> {
    let keys = keys.iter_mut().flat_map(|k| k.ends.iter_mut().map(|(_, place)| place));
    let totals = sums.iter_mut().filter_map(|s| s.total.as_mut()).map(|(_, place)| place);
    frames.iter_mut().map(|f| &mut f.place).chain(keys).chain(totals).chain(record)
}

/// Most findings that wait for the end of an unfinished record; if there are more, they are reported without the record's numbers.
const KEPT: usize = 4096;
