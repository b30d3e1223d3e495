//! Hands out the records that are wanted, reading each file once and forward, in pieces of work for several threads.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::iter::Peekable;

use super::FormError;
use crate::registry::chunk::LARGEST_RECORD;
use crate::registry::source::Source;

/// Bytes of records that one piece of work aims at.
const WORK: usize = 512 << 10;
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

/// Records for one thread.
#[derive(Debug)]
pub(super) struct Work<P> {
    bytes: Vec<u8>,
    pub(super) items: Vec<Item<P>>,
}

impl<P> Work<P> {
    /// Bytes of a record, its origin and its offset in the file.
    pub(super) fn record(&self, item: &Item<P>) -> (&[u8], usize, u64) {
        (&self.bytes[item.from..item.to], item.origin, item.start)
    }

    /// Bytes of all records together.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
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
        let mut work = Work { bytes: Vec::with_capacity(WORK + (16 << 10)), items: Vec::new() };
        let last = &mut self.last;
        // A record that comes again is copied twice from the same bytes: it stays in the same work.
        while let Some(extent) = self.extents.next_if(|e| work.bytes.len() < WORK || *last == Some((e.origin, e.start, e.end))) {
            let Extent { origin, start, end, payload } = extent;
            let again = *last == Some((origin, start, end));
            *last = Some((origin, start, end));
            if again && let Some(item) = work.items.last() {
                let item = Item { payload, ..*item };
                work.items.push(item);
                continue;
            }
            let source = self.sources.get(origin).copied().flatten();
            let changed = || FormError::Changed { file: source.map_or_else(String::new, Source::file_name), offset: start };
            let failed = |error: io::Error| match error.kind() {
                io::ErrorKind::UnexpectedEof => changed(),
                _ => FormError::Origin { file: source.map_or_else(String::new, Source::file_name), fault: error.into() },
            };
            let (Some(source), true) = (source, start < end && end - start <= LARGEST_RECORD as u64) else { return Err(changed()) };
            let stream = match self.open.take() {
                Some(stream) if stream.origin == origin => self.open.insert(stream),
                _ => self.open.insert(Stream::open(origin, source).map_err(failed)?),
            };
            let from = work.bytes.len();
            stream.skip_to(start).and_then(|()| stream.read_to(end, &mut work.bytes)).map_err(failed)?;
            work.items.push(Item { origin, start, from, to: work.bytes.len(), payload });
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

/// The file ends before the place, or the place is behind.
fn not_there() -> io::Error {
    io::Error::from(io::ErrorKind::UnexpectedEof)
}
