//! One file of a package, read once: pieces in parallel, their outcomes joined in order.

use std::io;

use rayon::prelude::*;

use crate::finding::{Check, Finding, Place};
use crate::registry::chunk::{Chunk, Chunks, LARGEST_RECORD, record_too_large};
use crate::registry::encoding::BOM;
use crate::registry::fault::Fault;
use crate::registry::source::Source;

use super::keyset::KeySet;
use super::progress::Progress;
use super::walk::{FileContext, HeadValue, PieceOutcome, Running, Walker};

/// What a whole file came to; its findings went to the sink.
#[derive(Debug, Default)]
pub(super) struct FileOutcome {
    pub(super) head: Vec<HeadValue>,
    pub(super) keys: Vec<KeySet>,
    pub(super) identities: KeySet,
    pub(super) sums: Vec<Running>,
    pub(super) counts: Vec<u64>,
    pub(super) records: u64,
    pub(super) cases: u64,
    pub(super) services: u64,
    pub(super) case_sum: Running,
    /// The file could not be read to its end.
    pub(super) fault: Option<Fault>,
    pub(super) sha256: Option<String>,
}

/// Checks one file.
///
/// # Errors
/// The sink or a temporary file fails; a defect of the input is no error but a finding.
pub(super) fn check_file(
    source: &Source,
    context: FileContext<'_>,
    hash: bool,
    progress: &dyn Progress,
    sink: &mut dyn FnMut(Finding) -> io::Result<()>,
) -> io::Result<FileOutcome> {
    let stream = match source.open() {
        Ok(stream) => stream,
        Err(error) => {
            let mut join = Join::new(context, sink);
            join.fail(error.into(), None)?;
            return Ok(join.outcome);
        }
    };
    let record = &context.format.node(context.plan.record).name;
    let mut join = Join::new(context, sink);
    let mut chunks = Chunks::new(stream, record, hash);
    let mut pool = Vec::new();
    let mut batch = join.read(&mut chunks, &mut pool)?;
    // A walker that did not end between two records walks on alone: its state cannot be guessed by the next piece.
    let mut carried: Option<Walker<'_>> = None;
    while !batch.is_empty() && join.outcome.fault.is_none() {
        let bytes: usize = batch.iter().map(|c| c.bytes.len()).sum();
        if let Some(walker) = &mut carried {
            for chunk in &batch {
                let (text, base) = after_bom(chunk);
                let outcome = walker.piece(text, base, chunk.last);
                join.piece(outcome, chunk)?;
            }
            pool.extend(batch.drain(..).map(|c| c.bytes));
            batch = join.read(&mut chunks, &mut pool)?;
        } else {
            let (walked, next) = if batch.len() == 1 && batch[0].last {
                (batch.iter().map(|c| walk(context, c)).collect::<Vec<_>>(), None)
            } else {
                let (walked, next) =
                    rayon::join(|| batch.par_iter().map(|c| walk(context, c)).collect::<Vec<_>>(), || Join::read_batch(&mut chunks, &mut pool));
                (walked, Some(next))
            };
            for (chunk, (outcome, walker)) in batch.iter().zip(walked) {
                let outcome = match &mut carried {
                    None => outcome,
                    Some(carried) => {
                        let (text, base) = after_bom(chunk);
                        carried.piece(text, base, chunk.last)
                    }
                };
                if carried.is_none() && outcome.ends_inside {
                    carried = Some(walker);
                }
                join.piece(outcome, chunk)?;
            }
            pool.extend(batch.drain(..).map(|c| c.bytes));
            if let Some((read, fault)) = next {
                batch = read;
                if let Some(fault) = fault {
                    join.pending = Some(fault);
                }
            }
        }
        progress.advance(bytes as u64);
        if batch.is_empty()
            && let Some(fault) = join.pending.take()
        {
            join.fail(fault, None)?;
        }
    }
    if let Some(fault) = join.pending.take() {
        join.fail(fault, None)?;
    }
    if hash {
        // The digest is of the whole file, also behind a fault of the markup.
        let _ = chunks.drain();
        join.outcome.sha256 = chunks.digest();
    }
    join.finish()
}

fn walk<'p>(context: FileContext<'p>, chunk: &Chunk) -> (PieceOutcome, Walker<'p>) {
    let mut walker = if chunk.offset == 0 { Walker::at_head(context) } else { Walker::between_records(context) };
    let (text, base) = after_bom(chunk);
    (walker.piece(text, base, chunk.last), walker)
}

fn after_bom(chunk: &Chunk) -> (&[u8], u64) {
    match chunk.bytes.strip_prefix(BOM) {
        Some(text) if chunk.offset == 0 => (text, BOM.len() as u64),
        _ => (&chunk.bytes, chunk.offset),
    }
}

/// Joins pieces in order.
struct Join<'a> {
    context: FileContext<'a>,
    sink: &'a mut dyn FnMut(Finding) -> io::Result<()>,
    outcome: FileOutcome,
    root_seen: u64,
    root_place: Option<Place>,
    lines: u32,
    tail: u32,
    /// A fault of the stream behind the pieces that are still to be joined.
    pending: Option<Fault>,
}

impl<'a> Join<'a> {
    fn new(context: FileContext<'a>, sink: &'a mut dyn FnMut(Finding) -> io::Result<()>) -> Self {
        let plan = context.plan;
        let outcome = FileOutcome {
            keys: plan.keys.iter().map(|_| KeySet::default()).collect(),
            sums: vec![Running::default(); plan.sums.len()],
            counts: vec![0; plan.counts.len()],
            ..FileOutcome::default()
        };
        Self { context, sink, outcome, root_seen: 0, root_place: None, lines: 0, tail: 0, pending: None }
    }

    fn read(&mut self, chunks: &mut Chunks, pool: &mut Vec<Vec<u8>>) -> io::Result<Vec<Chunk>> {
        let (batch, fault) = Self::read_batch(chunks, pool);
        match fault {
            Some(fault) if batch.is_empty() => self.fail(fault, None)?,
            fault => self.pending = fault,
        }
        Ok(batch)
    }

    fn read_batch(chunks: &mut Chunks, pool: &mut Vec<Vec<u8>>) -> (Vec<Chunk>, Option<Fault>) {
        let wanted = (rayon::current_num_threads() * 2).clamp(4, 16);
        let mut batch = Vec::with_capacity(wanted);
        while batch.len() < wanted {
            match chunks.next_chunk(pool.pop().unwrap_or_default()) {
                Ok(Some(chunk)) => batch.push(chunk),
                Ok(None) => break,
                Err(fault) => return (batch, Some(fault)),
            }
        }
        (batch, None)
    }

    fn piece(&mut self, piece: PieceOutcome, chunk: &Chunk) -> io::Result<()> {
        if self.outcome.fault.is_some() {
            return Ok(());
        }
        let (lines, tail) = (self.lines, self.tail);
        let shift = |place: &mut Place| {
            if place.line == 1 {
                place.column += tail;
            }
            if place.line > 0 {
                place.line += lines;
            }
        };
        let mut root_place = piece.root_place;
        root_place.iter_mut().for_each(shift);
        self.root_place = self.root_place.or(root_place);
        for mut finding in piece.findings {
            shift(&mut finding.place);
            (self.sink)(finding)?;
        }
        for mut value in piece.head {
            shift(&mut value.place);
            self.outcome.head.push(value);
        }
        let outcome = &mut self.outcome;
        for (set, keys) in outcome.keys.iter_mut().zip(&piece.keys) {
            set.extend(keys)?;
        }
        outcome.identities.extend(&piece.identities)?;
        for (sum, more) in outcome.sums.iter_mut().zip(&piece.sums) {
            sum.join(*more);
        }
        for (count, more) in outcome.counts.iter_mut().zip(&piece.counts) {
            *count += more;
        }
        outcome.case_sum.join(piece.case_sum);
        outcome.records += piece.records;
        outcome.cases += piece.cases;
        outcome.services += piece.services;
        self.root_seen |= piece.root_seen;
        if piece.lines == 0 {
            self.tail += piece.tail;
        } else {
            self.tail = piece.tail;
        }
        self.lines += piece.lines;
        if let Some(fault) = piece.fault {
            let mut place = piece.fault_place;
            place.iter_mut().for_each(shift);
            let too_large = fault.check == Check::XmlTruncated && chunk.bytes.len() >= LARGEST_RECORD;
            let fault = if too_large { record_too_large(chunk.offset) } else { fault };
            self.fail(fault, place)?;
        }
        Ok(())
    }

    fn fail(&mut self, fault: Fault, place: Option<Place>) -> io::Result<()> {
        let finding = fault_finding(&self.context, &fault, place);
        self.outcome.fault = Some(fault);
        (self.sink)(finding)
    }

    fn finish(self) -> io::Result<FileOutcome> {
        if self.outcome.fault.is_none() {
            let format = self.context.format;
            let root = format.node(format.root());
            let mut missing = root.required & !self.root_seen;
            while missing != 0 {
                let child = root.children[missing.trailing_zeros() as usize];
                missing &= missing - 1;
                (self.sink)(Finding {
                    place: self.root_place.unwrap_or_default(),
                    path: format.node(child).path.clone(),
                    ..Finding::of_file(self.context.plan.rule(Check::Missing), self.context.file)
                })?;
            }
        }
        Ok(self.outcome)
    }
}

fn fault_finding(context: &FileContext<'_>, fault: &Fault, place: Option<Place>) -> Finding {
    Finding {
        place: place.unwrap_or(Place { offset: fault.offset.unwrap_or(0), line: 0, column: 0 }),
        value: fault.value.as_deref().map(Into::into),
        expected: fault.expected.as_deref().map(Into::into),
        found: fault.found.as_deref().map(Into::into),
        ..Finding::of_file(context.plan.rule(fault.check), context.file)
    }
}
