//! Hands out the records that are wanted, reading each file once and forward, in pieces of work for several threads.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, SeekFrom};
use std::iter::Peekable;

use super::FormError;
use crate::registry::chunk::LARGEST_RECORD;
use crate::registry::source::Source;

/// Bytes of records that one piece of work aims at.
const WORK: u64 = 512 << 10;
/// Bytes between two wanted records that are read along rather than skipped.
const GAP: u64 = 8 << 10;
/// Bytes read at once.
const BUFFER: usize = 256 << 10;

/// A record that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extent<P> {
    pub(super) origin: usize,
    pub(super) start: u64,
    pub(super) end: u64,
    /// What is to be done with it.
    pub(super) payload: P,
}

/// Bytes of one file without a break.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) origin: usize,
    /// Offset of the first byte in the file.
    pub(super) base: u64,
    pub(super) bytes: Vec<u8>,
}

/// A record in a segment.
#[derive(Debug)]
pub(super) struct Item<P> {
    segment: usize,
    from: usize,
    to: usize,
    pub(super) payload: P,
}

/// Records for one thread.
#[derive(Debug)]
pub(super) struct Work<P> {
    segments: Vec<Segment>,
    pub(super) items: Vec<Item<P>>,
}

impl<P> Work<P> {
    /// Bytes of a record, its origin and its offset in the file.
    pub(super) fn record(&self, item: &Item<P>) -> (&[u8], usize, u64) {
        let segment = &self.segments[item.segment];
        (&segment.bytes[item.from..item.to], segment.origin, segment.base + item.from as u64)
    }

    /// Bytes of all segments together.
    pub(super) fn bytes(&self) -> usize {
        self.segments.iter().map(|s| s.bytes.len()).sum()
    }
}

/// Reads what is wanted, in order.
pub(super) struct Feed<'o, P, I: Iterator<Item = Extent<P>>> {
    extents: Peekable<I>,
    sources: Vec<Option<&'o Source>>,
    open: Option<Stream>,
    last: Option<(usize, u64, u64)>,
}

impl<'o, P, I: Iterator<Item = Extent<P>>> Feed<'o, P, I> {
    /// `sources` are the files by the index of their origin. Extents come in the order of origins and offsets; one may come again.
    pub(super) fn new(sources: Vec<Option<&'o Source>>, extents: I) -> Self {
        Self { extents: extents.peekable(), sources, open: None, last: None }
    }

    /// Work for all threads at once; empty at the end.
    pub(super) fn batch(&mut self) -> Result<Vec<Work<P>>, FormError> {
        let wanted = (rayon::current_num_threads() * 2).clamp(4, 16);
        let mut batch = Vec::with_capacity(wanted);
        while batch.len() < wanted {
            match self.work()? {
                Some(work) => batch.push(work),
                None => break,
            }
        }
        Ok(batch)
    }

    fn work(&mut self) -> Result<Option<Work<P>>, FormError> {
        let mut work = Work { segments: Vec::new(), items: Vec::new() };
        let mut bytes = 0;
        let last = &mut self.last;
        // A record that comes again is copied twice from the same bytes: it stays in the same work.
        while let Some(extent) = self.extents.next_if(|e| bytes < WORK || *last == Some((e.origin, e.start, e.end))) {
            let Extent { origin, start, end, payload } = extent;
            let again = *last == Some((origin, start, end));
            *last = Some((origin, start, end));
            if again && let Some(item) = work.items.last() {
                let item = Item { segment: item.segment, from: item.from, to: item.to, payload };
                work.items.push(item);
                continue;
            }
            let source = self.sources.get(origin).copied().flatten();
            let file = source.map_or_else(String::new, Source::file_name);
            let changed = |offset| FormError::Changed { file: file.clone(), offset };
            let (Some(source), true) = (source, start < end && end - start <= LARGEST_RECORD as u64) else { return Err(changed(start)) };
            let failed = |error: io::Error| match error.kind() {
                io::ErrorKind::UnexpectedEof => changed(start),
                _ => FormError::Origin { file: file.clone(), fault: error.into() },
            };
            let stream = match self.open.take() {
                Some(stream) if stream.origin == origin => self.open.insert(stream),
                _ => self.open.insert(Stream::open(origin, source).map_err(failed)?),
            };
            let follows = work.segments.last().is_some_and(|s| s.origin == origin && start.checked_sub(stream.at).is_some_and(|gap| gap <= GAP));
            if !follows {
                stream.skip_to(start).map_err(failed)?;
                work.segments.push(Segment { origin, base: start, bytes: Vec::with_capacity(WORK as usize + (64 << 10)) });
            }
            let index = work.segments.len() - 1;
            let segment = &mut work.segments[index];
            stream.read_to(end, &mut segment.bytes).map_err(failed)?;
            let from = (start - segment.base) as usize;
            work.items.push(Item { segment: index, from, to: segment.bytes.len(), payload });
            bytes += end - start;
        }
        Ok((!work.items.is_empty()).then_some(work))
    }
}

/// A file that is read forward.
struct Stream {
    origin: usize,
    reader: Reader,
    /// Offset of the next byte.
    at: u64,
}

enum Reader {
    File(BufReader<File>),
    Entry(BufReader<Box<dyn Read + Send>>),
}

impl Stream {
    fn open(origin: usize, source: &Source) -> io::Result<Self> {
        let reader = match source {
            Source::File(path) => Reader::File(BufReader::with_capacity(BUFFER, File::open(path)?)),
            Source::Entry { .. } => Reader::Entry(BufReader::with_capacity(BUFFER, source.open()?)),
        };
        Ok(Self { origin, reader, at: 0 })
    }

    fn skip_to(&mut self, offset: u64) -> io::Result<()> {
        let back = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let ahead = offset.checked_sub(self.at).ok_or_else(back)?;
        match &mut self.reader {
            Reader::File(file) => match i64::try_from(ahead) {
                Ok(ahead) => file.seek_relative(ahead)?,
                Err(_) => io::Seek::seek(file, SeekFrom::Start(offset)).map(|_| ())?,
            },
            Reader::Entry(entry) => {
                let mut left = ahead;
                while left > 0 {
                    let there = entry.fill_buf()?.len();
                    if there == 0 {
                        return Err(back());
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
        let more = end.checked_sub(self.at).ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        into.resize(start + more as usize, 0);
        match &mut self.reader {
            Reader::File(file) => file.read_exact(&mut into[start..])?,
            Reader::Entry(entry) => entry.read_exact(&mut into[start..])?,
        }
        self.at = end;
        Ok(())
    }
}
