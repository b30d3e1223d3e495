//! Downloads one file completely: repeated tries, pauses, and resuming after an interruption.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::Watch;
use super::fetch::{Answer, Fetch, Request, Trouble};
use super::site::{Transfer, web};

/// Extension of the note that describes a partial file.
const NOTE: &str = "json";
const CHUNK: usize = 64 << 10;

/// The downloads of one run.
pub(super) struct Downloads<'a> {
    fetch: &'a dyn Fetch,
    transfer: &'a Transfer,
    watch: &'a dyn Watch,
    /// Sites that did not answer in any try. They get only one try per file afterwards; otherwise a run over all books would take hours.
    silent: RefCell<BTreeSet<String>>,
}

impl<'a> Downloads<'a> {
    pub(super) fn new(fetch: &'a dyn Fetch, transfer: &'a Transfer, watch: &'a dyn Watch) -> Self {
        Self { fetch, transfer, watch, silent: RefCell::default() }
    }

    /// Downloads a small file into memory.
    ///
    /// # Errors
    /// The file could not be downloaded.
    pub(super) fn list(&self, url: &str) -> Result<Vec<u8>, Trouble> {
        let mut part = Part::default();
        self.run(url, &mut part, self.transfer.list_limit)?;
        Ok(part.memory)
    }

    /// Downloads a file by way of a partial file at `path`, which this run or the next one can resume.
    ///
    /// # Errors
    /// The file could not be downloaded or kept.
    pub(super) fn packet(&self, url: &str, path: &Path) -> Result<Vec<u8>, Trouble> {
        let kept = |e: io::Error| Trouble::NotKept(e.kind());
        let mut part = Part::open(url, path).map_err(kept)?;
        let outcome = self.run(url, &mut part, self.transfer.packet_limit);
        match outcome {
            Ok(()) => {
                let bytes = part.bytes().map_err(kept);
                part.remove();
                bytes
            }
            Err(trouble) => {
                // A partial file that cannot be completed is deleted.
                if !trouble.passes() || part.length == 0 {
                    part.remove();
                }
                Err(trouble)
            }
        }
    }

    fn run(&self, url: &str, part: &mut Part, limit: u64) -> Result<(), Trouble> {
        let host = web(url).map(|u| format!("{}:{}", u.host_str().unwrap_or_default(), u.port_or_known_default().unwrap_or(0))).unwrap_or_default();
        let attempts = if self.silent.borrow().contains(&host) { 1 } else { self.transfer.attempts };
        let begun = Instant::now();
        let mut retry = 0;
        loop {
            let (trouble, wait) = match self.once(url, part, limit, begun) {
                Ok(()) => {
                    self.silent.borrow_mut().remove(&host);
                    return Ok(());
                }
                Err(failed) => failed,
            };
            retry += 1;
            // A site that asks for a longer pause than allowed is not asked again.
            if !trouble.passes() || retry >= attempts || wait.is_some_and(|w| w > self.transfer.patience()) {
                if matches!(trouble, Trouble::Unreachable(_) | Trouble::Timeout) {
                    self.silent.borrow_mut().insert(host);
                }
                return Err(trouble);
            }
            let pause = wait.unwrap_or_default().max(self.transfer.pause(retry));
            self.watch.again(&trouble, pause);
            self.fetch.pause(pause);
        }
    }

    /// One try. An error comes with the pause that the site asks for.
    fn once(&self, url: &str, part: &mut Part, limit: u64, begun: Instant) -> Result<(), (Trouble, Option<std::time::Duration>)> {
        let plain = |trouble| (trouble, None);
        let kept = |e: io::Error| (Trouble::NotKept(e.kind()), None);
        let mut answer = self.fetch.get(&Request { url, from: part.length, etag: part.note.etag.as_deref() }).map_err(plain)?;
        if part.length > 0 && !part.continues(&answer) {
            let stale = answer.status != 200;
            part.restart().map_err(kept)?;
            // The file has changed or is shorter than the partial file: the whole file is requested.
            if stale && matches!(answer.status, 206 | 416) {
                answer = self.fetch.get(&Request { url, from: 0, etag: None }).map_err(plain)?;
            }
        }
        if !(answer.status == 200 || answer.status == 206 && answer.from == part.length) {
            return Err((Trouble::Status(answer.status), answer.retry_after));
        }
        let too_large = || plain(Trouble::TooLarge { limit });
        if answer.total.is_some_and(|total| total > limit) {
            return Err(too_large());
        }
        part.describe(&answer).map_err(kept)?;
        self.watch.size(part.length, answer.total);
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = match answer.body.read(&mut chunk) {
                Ok(read) => read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) if e.kind() == io::ErrorKind::TimedOut => return Err(plain(Trouble::Timeout)),
                Err(_) => return Err(plain(Trouble::Cut)),
            };
            if read == 0 {
                break;
            }
            if part.length + read as u64 > limit {
                return Err(too_large());
            }
            part.push(&chunk[..read]).map_err(kept)?;
            self.watch.bytes(read as u64);
            if begun.elapsed() > self.transfer.deadline() {
                return Err(plain(Trouble::Endless));
            }
        }
        match answer.total {
            Some(total) if part.length < total => Err(plain(Trouble::Cut)),
            _ => Ok(()),
        }
    }
}

/// The note beside a partial file: what it is a part of.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    url: String,
    etag: Option<String>,
    total: Option<u64>,
}

/// The part of a file that has been downloaded.
#[derive(Debug, Default)]
struct Part {
    note: Note,
    length: u64,
    memory: Vec<u8>,
    file: Option<(File, PathBuf)>,
}

impl Part {
    /// Opens the partial file of an earlier run, or a new one.
    fn open(url: &str, path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        let note: Option<Note> = fs::read(path.with_extension(NOTE)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut part = match note.filter(|n| n.url == url && (n.etag.is_some() || n.total.is_some())) {
            Some(note) => Self { note, length: file.seek(SeekFrom::End(0))?, memory: Vec::new(), file: Some((file, path.to_owned())) },
            None => Self { file: Some((file, path.to_owned())), ..Self::default() },
        };
        part.note.url = url.to_owned();
        // The partial file is as long as the whole, but the earlier run did not accept it: it is downloaded again.
        if part.length == 0 || part.note.total.is_some_and(|total| part.length >= total) {
            part.restart()?;
        }
        Ok(part)
    }

    /// Whether an answer continues this partial file.
    fn continues(&self, answer: &Answer) -> bool {
        let same = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
        answer.status != 200
            && answer.status != 416
            && (answer.status != 206
                || answer.from == self.length
                    && same(&self.note.etag, &answer.etag)
                    && (self.note.total == answer.total || self.note.etag.is_some() && self.note.etag == answer.etag))
    }

    fn restart(&mut self) -> io::Result<()> {
        self.length = 0;
        self.memory.clear();
        (self.note.etag, self.note.total) = (None, None);
        if let Some((file, _)) = &mut self.file {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
        }
        Ok(())
    }

    /// Stores which state of the file the following bytes belong to.
    fn describe(&mut self, answer: &Answer) -> io::Result<()> {
        if answer.etag.is_some() {
            self.note.etag.clone_from(&answer.etag);
        }
        self.note.total = answer.total.or(self.note.total);
        match &self.file {
            Some((_, path)) => fs::write(path.with_extension(NOTE), serde_json::to_vec(&self.note).map_err(io::Error::from)?),
            None => Ok(()),
        }
    }

    fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.file {
            Some((file, _)) => file.write_all(bytes)?,
            None => self.memory.extend_from_slice(bytes),
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn bytes(&mut self) -> io::Result<Vec<u8>> {
        let Some((file, _)) = &mut self.file else { return Ok(std::mem::take(&mut self.memory)) };
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Deletes the partial file. A failure does no harm: the next run examines a partial file that is left.
    fn remove(&mut self) {
        if let Some((file, path)) = self.file.take() {
            drop(file);
            let _ = fs::remove_file(path.with_extension(NOTE));
            let _ = fs::remove_file(path);
        }
    }
}
