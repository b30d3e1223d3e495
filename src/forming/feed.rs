//! Hands out the records that registries want, in pieces of work for several threads. Each file is read once and forward, for several registries at
//! once, where their orders allow it.
//!
//! The contents of a piece of work depend only on its registry, not on the others.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::iter::Peekable;

use super::FormError;
use crate::registry::chunk::LARGEST_RECORD;
use crate::registry::encoding::Coding;
use crate::registry::source::Source;
use crate::sys::open_input;

/// Target size of a piece of work, in bytes of records.
const WORK: usize = 512 << 10;
/// Size of the read buffer in bytes.
const BUFFER: usize = 256 << 10;

/// A wanted record: its file and its range of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extent<P> {
    pub(super) origin: usize,
    pub(super) start: u64,
    pub(super) end: u64,
    /// What the caller needs to process the record.
    pub(super) payload: P,
}

/// A record that was read.
#[derive(Debug)]
pub(super) struct Item<P> {
    origin: usize,
    /// Offset in the file.
    start: u64,
    from: usize,
    to: usize,
    pub(super) payload: P,
}

/// Records of one registry for one thread.
#[derive(Debug)]
pub(super) struct Work<P> {
    /// Index of the registry.
    pub(super) lane: usize,
    bytes: Vec<u8>,
    pub(super) items: Vec<Item<P>>,
}

impl<P> Work<P> {
    fn new(lane: usize) -> Self {
        Self { lane, bytes: Vec::new(), items: Vec::new() }
    }

    /// Takes out the work collected so far.
    fn take(&mut self) -> Self {
        let next = Self::new(self.lane);
        std::mem::replace(self, next)
    }

    /// Bytes of a record, its origin and its offset in the file.
    pub(super) fn record(&self, item: &Item<P>) -> (&[u8], usize, u64) {
        (&self.bytes[item.from..item.to], item.origin, item.start)
    }

    /// Bytes of all records together.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }
}

/// Wanted records, or why they are not known.
type Extents<'o, P> = Box<dyn Iterator<Item = io::Result<Extent<P>>> + Send + 'o>;

/// The records that one registry wants.
pub(super) struct Lane<'o, P> {
    sources: Vec<Option<(&'o Source, Coding)>>,
    /// Number of each file among the files of all lanes.
    files: Vec<usize>,
    extents: Peekable<Extents<'o, P>>,
    last: Option<(usize, u64, u64)>,
    work: Work<P>,
}

impl<'o, P: 'o> Lane<'o, P> {
    /// `sources` are the files and their encodings by the index of their origin. Extents come in the order of origins and offsets; one may repeat.
    pub(super) fn new(lane: usize, sources: Vec<Option<(&'o Source, Coding)>>, extents: impl Iterator<Item = io::Result<Extent<P>>> + Send + 'o) -> Self {
        let extents: Extents<'o, P> = Box::new(extents);
        Self { sources, files: Vec::new(), extents: extents.peekable(), last: None, work: Work::new(lane) }
    }
}

/// Reads the wanted records, in the order of each lane.
pub(super) struct Feed<'o, P> {
    lanes: Vec<Lane<'o, P>>,
    open: Option<Stream>,
    /// The record read last, and (below) its file and range: other registries may want cases of it too.
    record: Vec<u8>,
    place: Option<(usize, u64, u64)>,
}

impl<'o, P: 'o> Feed<'o, P> {
    pub(super) fn new(mut lanes: Vec<Lane<'o, P>>) -> Self {
        let mut files: HashMap<&Source, usize> = HashMap::new();
        for lane in &mut lanes {
            for source in &lane.sources {
                let next = files.len();
                lane.files.push(source.map_or(next, |(source, _)| *files.entry(source).or_insert(next)));
            }
        }
        Self { lanes, open: None, record: Vec::new(), place: None }
    }

    /// Stops reading for a registry.
    pub(super) fn leave(&mut self, lane: usize) {
        for lane in self.lanes.iter_mut().filter(|l| l.work.lane == lane) {
            let none: Extents<'o, P> = Box::new(std::iter::empty());
            lane.extents = none.peekable();
            lane.work.take();
        }
    }

    /// Work for all threads, or the error of a registry; empty at the end.
    pub(super) fn batch(&mut self) -> Vec<Result<Work<P>, (usize, FormError)>> {
        let wanted = (rayon::current_num_threads() * 2).clamp(4, 16);
        let mut batch = Vec::with_capacity(wanted);
        while batch.len() < wanted {
            let Some(at) = self.next_lane() else {
                let rest = self.lanes.iter_mut().map(|lane| lane.work.take());
                batch.extend(rest.filter(|work| !work.items.is_empty()).map(Ok));
                break;
            };
            match self.step(at) {
                Ok(None) => {}
                Ok(Some(work)) => batch.push(Ok(work)),
                Err(error) => {
                    let lane = self.lanes[at].work.lane;
                    self.leave(lane);
                    batch.push(Err((lane, error)));
                }
            }
        }
        batch
    }

    /// The lane whose next record comes first in the files.
    fn next_lane(&mut self) -> Option<usize> {
        let next = self.lanes.iter_mut().enumerate().filter_map(|(at, lane)| {
            // A lane that failed comes at once.
            let place = lane.extents.peek()?.as_ref().map_or((None, 0), |extent| (lane.files.get(extent.origin).copied(), extent.start));
            Some((place, at))
        });
        next.min().map(|(_, at)| at)
    }

    /// Reads the next record of a lane; returns a piece of work if it is complete.
    fn step(&mut self, at: usize) -> Result<Option<Work<P>>, FormError> {
        let lane = &mut self.lanes[at];
        let Some(Extent { origin, start, end, payload }) = lane.extents.next().transpose()? else { return Ok(None) };
        let again = lane.last == Some((origin, start, end));
        // A record that repeats is copied twice from the same bytes, so it stays in the same work.
        if again && let Some(item) = lane.work.items.last() {
            let item = Item { payload, ..*item };
            lane.work.items.push(item);
            return Ok(None);
        }
        let full = (lane.work.bytes.len() >= WORK).then(|| lane.work.take());
        lane.last = Some((origin, start, end));
        let source = lane.sources.get(origin).copied().flatten();
        let changed = || FormError::Changed { file: source.map_or_else(String::new, |(source, _)| source.file_name()), offset: start };
        let file = lane.files.get(origin).copied().unwrap_or(usize::MAX);
        let (Some((source, coding)), true) = (source, start < end && end - start <= LARGEST_RECORD as u64) else { return Err(changed()) };
        if self.place != Some((file, start, end)) {
            self.place = None;
            read(&mut self.open, (file, source), start, end, &mut self.record).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => changed(),
                _ => FormError::Origin { file: source.file_name(), fault: error.into() },
            })?;
            coding.rewrite(&mut self.record, start);
            self.place = Some((file, start, end));
        }
        let work = &mut lane.work;
        let from = work.bytes.len();
        if from == 0 {
            work.bytes.reserve(WORK + (16 << 10));
        }
        work.bytes.extend_from_slice(&self.record);
        work.items.push(Item { origin, start, from, to: work.bytes.len(), payload });
        Ok(full)
    }
}

/// Reads a range of a file into a buffer, and continues the open stream if possible.
fn read(open: &mut Option<Stream>, (file, source): (usize, &Source), start: u64, end: u64, into: &mut Vec<u8>) -> io::Result<()> {
    let mut stream = match open.take() {
        Some(stream) if stream.file == file && stream.at <= start => stream,
        _ => Stream::open(file, source)?,
    };
    stream.skip_to(start)?;
    into.clear();
    stream.read_to(end, into)?;
    *open = Some(stream);
    Ok(())
}

/// A file that is read forward.
struct Stream {
    /// Number of the file.
    file: usize,
    reader: Reader,
    /// Offset of the next byte.
    at: u64,
}

enum Reader {
    File(BufReader<File>),
    Entry(BufReader<Box<dyn Read + Send>>),
}

impl Stream {
    fn open(file: usize, source: &Source) -> io::Result<Self> {
        let reader = match source {
            Source::File(file) => Reader::File(BufReader::with_capacity(BUFFER, open_input(&file.path)?)),
            Source::Entry { .. } => Reader::Entry(BufReader::with_capacity(BUFFER, source.open()?)),
        };
        Ok(Self { file, reader, at: 0 })
    }

    fn skip_to(&mut self, offset: u64) -> io::Result<()> {
        let ahead = offset.checked_sub(self.at).ok_or_else(not_there)?;
        match &mut self.reader {
            Reader::File(file) => match i64::try_from(ahead) {
                Ok(ahead) => file.seek_relative(ahead)?,
                Err(_) => file.seek(SeekFrom::Start(offset)).map(|_| ())?,
            },
            Reader::Entry(entry) => {
                let mut left = ahead;
                while left > 0 {
                    let there = entry.fill_buf()?.len();
                    if there == 0 {
                        return Err(not_there());
                    }
                    let taken = (there as u64).min(left);
                    entry.consume(taken as usize);
                    left -= taken;
                }
            }
        }
        self.at = offset;
        Ok(())
    }

    /// Appends the bytes up to an offset.
    fn read_to(&mut self, end: u64, into: &mut Vec<u8>) -> io::Result<()> {
        let start = into.len();
        let more = end.checked_sub(self.at).ok_or_else(not_there)?;
        into.resize(start + more as usize, 0);
        match &mut self.reader {
            Reader::File(file) => file.read_exact(&mut into[start..])?,
            Reader::Entry(entry) => entry.read_exact(&mut into[start..])?,
        }
        self.at = end;
        Ok(())
    }
}

/// The error for a place after the end of the file, or one that has been passed.
fn not_there() -> io::Error {
    io::Error::from(io::ErrorKind::UnexpectedEof)
}
