//! Checks one file of a package in one reading: pieces in parallel, their outcomes joined in the order of the file.

use std::io;

use rayon::prelude::*;

use crate::cases::Index;
use crate::finding::{Check, Finding, Place, RuleIx};
use crate::registry::chunk::{Chunk, Chunks};
use crate::registry::encoding::Coding;
use crate::registry::fault::Fault;
use crate::registry::source::Source;
use crate::rules::{Sizes, Work};

use super::by_person::ByPerson;
use super::keyset::{Key, KeySet};
use super::person_records::PersonRecords;
use super::persons::Persons;
use super::piece::{HeadValue, PieceOutcome, RootState};
use super::places::Progressed;
use super::running::Running;
use super::walk::{FileContext, Walker};
use crate::timings::{self, Phase};
use crate::watch::{Stopped, Watch};

/// The outcome of a whole file; its findings went to the sink.
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
    /// Values gathered from the records for rules about the head.
    pub(super) work: Work,
    /// What rules that compare records have noted, in the order of [`crate::rules::RuleSet::across`].
    pub(super) compared: Vec<Compared>,
    /// Findings of the main file's walk about persons.
    pub(super) of_persons: ByPerson,
    /// Persons of a person file.
    pub(super) persons: Persons,
    /// For each wanted person, the number of the first record that names it.
    pub(super) person_records: PersonRecords,
    /// Cases of a main file or persons of a person file, if the caller asked for them.
    pub(super) index: Index,
    /// Whether a record crossed the boundary of two pieces; then no piece can be walked without those before it.
    pub(super) tangled: bool,
    /// Why the file could not be read to its end.
    pub(super) fault: Option<Fault>,
    pub(super) sha256: Option<String>,
    /// The real encoding, if it turned out to be another one than the beginning had shown; then the file was not read to its end.
    pub(super) turned: Option<Coding>,
}

/// What a rule that compares records has noted of a whole file.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) rule: RuleIx,
    pub(super) keys: KeySet,
    pub(super) sizes: Sizes,
}

impl Compared {
    fn of(rule: RuleIx) -> Self {
        Self { rule, keys: KeySet::default(), sizes: Sizes::default() }
    }
}

/// Checks one file.
///
/// # Errors
/// The sink or a temporary file fails, or the watch stopped the work. Defects of the input are findings.
pub(super) fn check_file(
    source: &Source,
    context: FileContext<'_>,
    hash: bool,
    watch: &dyn Watch,
    sink: &mut dyn FnMut(Finding) -> io::Result<()>,
) -> io::Result<FileOutcome> {
    let opened = {
        let _open = timings::span(context.timings, Phase::Open);
        source.open()
    };
    let stream = match opened {
        Ok(stream) => stream,
        Err(error) => {
            let mut join = Join::new(context, sink);
            join.fail(error.into(), None)?;
            return Ok(join.outcome);
        }
    };
    let mut join = Join::new(context, sink);
    let mut chunks = chunks(stream, context, hash);
    let mut pool = Vec::new();
    let mut batch = join.read(&mut chunks, &mut pool)?;
    // A walker that did not end between two records walks the next piece too: only it knows its state.
    let mut carried: Option<Walker<'_>> = None;
    while !batch.is_empty() && join.outcome.fault.is_none() {
        join.outcome.turned = chunks.turned();
        if join.outcome.turned.is_some() {
            return Ok(join.outcome);
        }
        let bytes: usize = batch.iter().map(|c| c.bytes.len()).sum();
        let is_alone = carried.is_none();
        let walk_batch = || if is_alone { batch.par_iter().map(|chunk| walk(context, chunk)).collect() } else { Vec::new() };
        let (walked, next) = match batch.last() {
            Some(chunk) if chunk.last => (walk_batch(), None),
            _ => {
                let (walked, next) = rayon::join(walk_batch, || Join::read_batch(&mut chunks, &mut pool));
                (walked, Some(next))
            }
        };
        let mut walked = walked.into_iter();
        for chunk in &batch {
            let alone = walked.next();
            let (outcome, walker) = match (carried.take(), alone) {
                (Some(mut walker), _) => (measured(&mut walker, chunk), walker),
                (None, Some((outcome, walker))) if chunk.offset == 0 || !join.disturbs(&outcome) => (outcome, walker),
                (None, _) => join.walk_again(chunk),
            };
            let before = join.read;
            join.piece(outcome)?;
            if join.outcome.fault.is_some() {
                break;
            }
            if !walker.is_between_records() {
                let walker = carried.insert(walker);
                walker.settle(before);
                join.outcome.tangled = true;
            }
        }
        pool.extend(batch.drain(..).map(|c| c.bytes));
        if let Some((read, fault)) = next {
            batch = read;
            if let Some(fault) = fault {
                join.pending = Some(fault);
            }
        }
        watch.advance(bytes as u64);
        Stopped::check(watch)?;
        if batch.is_empty()
            && let Some(fault) = join.pending.take()
        {
            join.fail(fault, None)?;
        }
    }
    if hash {
        // The digest covers the whole file, including the bytes after a fault of the markup.
        let _ = chunks.drain();
        join.outcome.sha256 = chunks.digest();
    }
    join.finish()
}

/// Cuts a file into pieces at records, within the limits of the context.
pub(super) fn chunks<'p>(stream: Box<dyn io::Read + Send>, context: FileContext<'p>, hash: bool) -> Chunks<'p> {
    let record = &context.format.node(context.plan.record).name;
    Chunks::new(stream, record, hash).with_piece(context.piece).with_largest(context.limits.record).coded(context.coding, context.unsure).timed(context.timings)
}

/// Walks a piece independently of the others: any but the first is taken to start between two records.
fn walk<'p>(context: FileContext<'p>, chunk: &Chunk) -> (PieceOutcome, Walker<'p>) {
    let mut walker = if chunk.offset == 0 { Walker::at_head(context) } else { Walker::between_records(context, RootState::default()) };
    (measured(&mut walker, chunk), walker)
}

/// Walks a piece and counts its time as the structure phase, except what inner spans measure.
fn measured(walker: &mut Walker<'_>, chunk: &Chunk) -> PieceOutcome {
    let timings = walker.context.timings;
    let _structure = timings::span(timings, Phase::Structure);
    timings::bytes(timings, Phase::Structure, chunk.bytes.len() as u64);
    walker.chunk(chunk)
}

/// Joins pieces in order.
struct Join<'a> {
    context: FileContext<'a>,
    sink: &'a mut dyn FnMut(Finding) -> io::Result<()>,
    outcome: FileOutcome,
    root: RootState,
    root_place: Option<Place>,
    read: Progressed,
    /// A fault of the stream, to be reported after the pieces that were read before it.
    pending: Option<Fault>,
}

impl<'a> Join<'a> {
    fn new(context: FileContext<'a>, sink: &'a mut dyn FnMut(Finding) -> io::Result<()>) -> Self {
        let plan = context.plan;
        let outcome = FileOutcome {
            keys: plan.keys.iter().map(|_| KeySet::default()).collect(),
            sums: vec![Running::default(); plan.sums.len()],
            counts: vec![0; plan.counts.len()],
            work: context.rules.map_or_else(Work::default, |r| r.set.work()),
            compared: context.rules.map_or_else(Vec::new, |r| r.across().map(Compared::of).collect()),
            person_records: PersonRecords::new(context.wanted),
            persons: Persons::new(context.rules.and_then(|r| r.keeping.clone()).unwrap_or_default()),
            ..FileOutcome::default()
        };
        Self { context, sink, outcome, root: RootState::default(), root_place: None, read: Progressed::default(), pending: None }
    }

    /// Whether a piece holds text or children of the root other than records; then its findings depend on the pieces before it.
    fn disturbs(&self, piece: &PieceOutcome) -> bool {
        let record = 1 << self.context.plan.record_position(self.context.format);
        piece.root.seen & !record != 0 || piece.root.text_reported
    }

    /// Walks a piece with the state of the root that the pieces before it left.
    fn walk_again(&self, chunk: &Chunk) -> (PieceOutcome, Walker<'a>) {
        let mut walker = Walker::between_records(self.context, self.root);
        (measured(&mut walker, chunk), walker)
    }

    fn read(&mut self, chunks: &mut Chunks<'_>, pool: &mut Vec<Vec<u8>>) -> io::Result<Vec<Chunk>> {
        let (batch, fault) = Self::read_batch(chunks, pool);
        match fault {
            Some(fault) if batch.is_empty() => self.fail(fault, None)?,
            fault => self.pending = fault,
        }
        Ok(batch)
    }

    fn read_batch(chunks: &mut Chunks<'_>, pool: &mut Vec<Vec<u8>>) -> (Vec<Chunk>, Option<Fault>) {
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

    fn piece(&mut self, piece: PieceOutcome) -> io::Result<()> {
        if self.outcome.fault.is_some() {
            return Ok(());
        }
        let _persons = timings::span(self.context.timings, Phase::Persons);
        let (read, base) = (self.read, piece.base);
        let shift = |place: &mut Place| {
            if place.offset >= base {
                read.shift(place);
            }
        };
        let mut root_place = piece.root_place;
        root_place.iter_mut().for_each(shift);
        self.root_place = self.root_place.or(root_place);
        for mut finding in piece.findings {
            shift(&mut finding.place);
            (self.sink)(finding)?;
        }
        for finding in piece.of_persons {
            self.outcome.of_persons.push(finding)?;
        }
        for mut value in piece.head {
            shift(&mut value.place);
            if self.outcome.head.iter().all(|h| h.role != value.role) {
                self.outcome.head.push(value);
            }
        }
        let outcome = &mut self.outcome;
        for (set, keys) in outcome.keys.iter_mut().zip(piece.keys) {
            set.extend(keys)?;
        }
        outcome.identities.extend(piece.identities)?;
        for (sum, more) in outcome.sums.iter_mut().zip(&piece.sums) {
            sum.join(*more);
        }
        for (count, more) in outcome.counts.iter_mut().zip(&piece.counts) {
            *count += more;
        }
        if let Some(rules) = self.context.rules {
            rules.set.join(&mut outcome.work, &piece.work);
            for (compared, noted) in outcome.compared.iter_mut().zip(&piece.work.noted) {
                compared.keys.extend(noted.keys.iter().map(|(key, offset)| Key { key: *key, offset: *offset }))?;
                compared.sizes.join(&noted.sizes);
            }
        }
        outcome.persons.extend(&piece.persons);
        outcome.person_records.extend(&piece.person_records);
        outcome.index.extend(&piece.found)?;
        outcome.case_sum.join(piece.case_sum);
        outcome.records += piece.records;
        outcome.cases += piece.cases;
        outcome.services += piece.services;
        self.root.join(piece.root);
        self.read.advance(piece.read);
        let mut place = piece.fault_place;
        place.iter_mut().for_each(shift);
        match piece.fault {
            Some(fault) => self.fail(fault, place),
            None => Ok(()),
        }
    }

    fn fail(&mut self, fault: Fault, place: Option<Place>) -> io::Result<()> {
        if self.outcome.fault.is_some() {
            return Ok(());
        }
        let finding = fault_finding(&self.context, &fault, place);
        self.outcome.fault = Some(fault);
        (self.sink)(finding)
    }

    fn finish(mut self) -> io::Result<FileOutcome> {
        self.outcome.persons.close();
        if self.outcome.fault.is_none() {
            let format = self.context.format;
            let root = format.node(format.root());
            let mut missing = root.required & !self.root.seen;
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
