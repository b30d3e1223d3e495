//! The stored file of a register.
//!
//! [`MAGIC`] and the version; name, day of the import, number of rows in the source and of repeated ones, first and last day of all rows, the secret of
//! the keys; names of the columns; words; rows (see [`super::draft`]); the SHA-256 of all of it.

use std::fs::{self, File};
use std::io::{self, Read as _, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::draft::{Draft, NO_AMOUNT, Shape, write_text};
use super::error::StoredError;
use crate::cases::{PersonKey, SecretId};
use crate::sys::{Access, AtomicFile, TEMPORARY, private_file, private_folder};
use crate::values::{Date, Span};

/// What a stored register begins with.
const MAGIC: &[u8; 8] = b"puompREG";
/// Version of the form of the file.
const VERSION: u32 = 1;
/// Extension of stored registers.
const ENDING: &str = "reg";
/// The file in a folder of registers that is locked while one of them is written.
pub const LOCK: &str = "lock";
/// Bytes of the digest at the end.
const DIGEST: usize = 32;
/// The head of a file is in its first bytes.
const HEAD: u64 = 16 << 10;

/// What is said of a register before its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// Name of the register.
    pub(super) id: String,
    /// Day of the import.
    pub(super) day: Date,
    /// Rows of the source.
    pub(super) rows: u64,
    /// Rows of the source that say what an earlier one says.
    pub(super) repeated: u64,
    /// The first and the last day of all rows.
    pub(super) days: Span,
    /// The secret that made the keys; `None` in registers that are not of persons.
    pub(super) secret: Option<SecretId>,
    /// Names of the key columns, of the further columns with words, and of those with amounts.
    pub(super) columns: [Vec<String>; 3],
}

impl Head {
    fn shape(&self) -> Shape {
        let [keys, words, amounts] = self.columns.each_ref().map(Vec::len);
        Shape { is_personal: self.secret.is_some(), keys, words, amounts }
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(MAGIC)?;
        out.write_all(&VERSION.to_be_bytes())?;
        write_text(out, &self.id)?;
        for number in [self.day, self.days.from, self.days.until] {
            out.write_all(&number.number().to_be_bytes())?;
        }
        out.write_all(&self.rows.to_be_bytes())?;
        out.write_all(&self.repeated.to_be_bytes())?;
        out.write_all(&[u8::from(self.secret.is_some())])?;
        out.write_all(&self.secret.map_or([0; 8], |SecretId(id)| id))?;
        for columns in &self.columns {
            out.write_all(&(columns.len() as u16).to_be_bytes())?;
            columns.iter().try_for_each(|column| write_text(out, column))?;
        }
        Ok(())
    }

    /// Reads the head; `None` when the bytes do not begin with one.
    fn read(bytes: &mut Bytes<'_>) -> Option<Result<Self, OtherVersion>> {
        if bytes.take(MAGIC.len())? != MAGIC {
            return None;
        }
        if bytes.number::<4>()? != u64::from(VERSION) {
            return Some(Err(OtherVersion));
        }
        let id = bytes.text()?.to_owned();
        let [day, from, until] = [bytes.date()?, bytes.date()?, bytes.date()?];
        let (rows, repeated) = (bytes.number::<8>()?, bytes.number::<8>()?);
        let is_personal = bytes.number::<1>()? != 0;
        let secret = SecretId(bytes.take(8)?.try_into().ok()?);
        let mut columns = || (0..bytes.number::<2>()?).map(|_| bytes.text().map(str::to_owned)).collect::<Option<Vec<_>>>();
        let columns = [columns()?, columns()?, columns()?];
        Some(Ok(Self { id, day, rows, repeated, days: Span { from, until }, secret: is_personal.then_some(secret), columns }))
    }
}

/// The file is of another version of this program.
struct OtherVersion;

/// Bytes that are read from front to back.
struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number<const COUNT: usize>(&mut self) -> Option<u64> {
        Some(number(self.take(COUNT)?))
    }

    fn text(&mut self) -> Option<&'b str> {
        let length = self.number::<2>()? as usize;
        std::str::from_utf8(self.take(length)?).ok()
    }

    fn date(&mut self) -> Option<Date> {
        Date::from_number(u32::try_from(self.number::<4>()?).ok()?)
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// A register as it was stored.
#[derive(Debug)]
pub struct Register {
    head: Head,
    path: PathBuf,
    shape: Shape,
    /// The whole file.
    bytes: Vec<u8>,
    /// Words in their order; the first is empty.
    words: Vec<Range<usize>>,
    rows: Range<usize>,
}

/// Where a register is stored in a folder of registers.
pub fn path_of(folder: &Path, id: &str) -> PathBuf {
    folder.join(format!("{id}.{ENDING}"))
}

/// Whether a file is a stored register of persons, as its first bytes say. What cannot be read as a register counts as one of persons.
///
/// # Errors
/// The file cannot be read.
pub fn is_of_persons(path: &Path) -> io::Result<bool> {
    Ok(head_of(path)?.is_none_or(|head| head.secret.is_some()))
}

/// The head of a stored register; its rows are not looked at.
pub(super) fn head_of(path: &Path) -> io::Result<Option<Head>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut bytes)?;
    Ok(Head::read(&mut Bytes(&bytes)).and_then(Result::ok))
}

/// Writes bytes and takes their digest.
struct Hashed<'w, W> {
    out: &'w mut W,
    hasher: Sha256,
    /// Small pieces are collected: a digest of four bytes at a time is slow.
    buffer: Vec<u8>,
}

impl<W: Write> Write for Hashed<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= 64 << 10 {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hasher.update(&self.buffer);
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

/// Writes a register into its file, which is for the user alone and replaces an earlier one when it is complete.
pub(super) fn write(path: &Path, head: &Head, rows: Draft) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    private_folder(folder)?;
    // Held while an unfinished file is in the folder: what lies there without it was left by a program that was killed.
    let lock = private_file(&folder.join(LOCK), Access::Private)?;
    lock.lock()?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            fs::remove_file(entry.path())?;
        }
    }
    let mut file = AtomicFile::create(path, Access::Private)?;
    let mut hashed = Hashed { out: &mut file, hasher: Sha256::new(), buffer: Vec::new() };
    head.write(&mut hashed)?;
    rows.write(&mut hashed)?;
    hashed.flush()?;
    let digest = hashed.hasher.finalize();
    file.write_all(&digest)?;
    // The lock is given back when its file is closed, which cannot fail once the register is there.
    file.commit()
}

impl Register {
    /// Reads a stored register; `None` when there is none. `secret` is the one that keys are made with; it is asked for registers of persons alone.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or was made with another secret.
    pub fn open(folder: &Path, id: &str, secret: impl FnOnce() -> Option<SecretId>) -> Result<Option<Self>, StoredError> {
        let path = path_of(folder, id);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoredError::Unreadable(path, id.to_owned(), error)),
            Ok(bytes) => bytes,
        };
        let damaged = || StoredError::Damaged(path.clone(), id.to_owned());
        let (content, digest) = bytes.split_last_chunk::<DIGEST>().ok_or_else(damaged)?;
        if *Sha256::digest(content) != *digest {
            return Err(damaged());
        }
        let mut rest = Bytes(content);
        let head = Head::read(&mut rest).ok_or_else(damaged)?.map_err(|OtherVersion| StoredError::Foreign(path.clone(), id.to_owned()))?;
        // A register under the name of another would answer for it.
        if head.id != id {
            return Err(damaged());
        }
        if head.secret.is_some() && head.secret != secret() {
            return Err(StoredError::OtherSecret(path, id.to_owned()));
        }
        let (words, rows) = parts(content, rest, head.shape()).ok_or_else(damaged)?;
        Ok(Some(Self { shape: head.shape(), head, path, words, rows, bytes }))
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.head.id
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The day on which it was imported.
    pub fn day(&self) -> Date {
        self.head.day
    }

    /// Number of rows in the file that was imported.
    pub fn rows(&self) -> u64 {
        self.head.rows
    }

    /// Number of rows that said what an earlier one says.
    pub fn repeated(&self) -> u64 {
        self.head.repeated
    }

    /// From the first day of any row to the last one.
    pub fn days(&self) -> Span {
        self.head.days
    }

    /// The register as one that a view asks by these columns: keys, words, amounts.
    pub(super) fn with_columns(self, columns: [&[&str]; 3]) -> Result<Self, StoredError> {
        let same = self.head.columns.iter().zip(columns).all(|(own, due)| own.iter().map(String::as_str).eq(due.iter().copied()));
        if same { Ok(self) } else { Err(StoredError::Foreign(self.path, self.head.id)) }
    }

    /// The row with a number.
    pub(super) fn row(&self, number: usize) -> Row<'_> {
        let width = self.shape.width();
        Row { register: self, bytes: &self.bytes[self.rows.start + number * width..][..width] }
    }

    fn count(&self) -> usize {
        self.rows.len() / self.shape.width()
    }

    /// The rows that begin with these bytes, sorted by what stands behind them.
    fn beginning(&self, with: &[u8]) -> Range<usize> {
        let first = |is_before: &dyn Fn(&[u8]) -> bool| {
            let (mut low, mut high) = (0, self.count());
            while low < high {
                let middle = low + (high - low) / 2;
                if is_before(&self.row(middle).bytes[..with.len()]) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            low
        };
        first(&|bytes| bytes < with)..first(&|bytes| bytes <= with)
    }

    /// The rows of a person, sorted by their first day.
    pub(super) fn of_person(&self, person: PersonKey) -> impl Iterator<Item = Row<'_>> {
        self.beginning(&person.0.to_be_bytes()).map(|number| self.row(number))
    }

    /// The numbers of the rows whose first key cell is this word.
    pub(super) fn of_key(&self, word: &str) -> Range<usize> {
        self.number_of(word).map_or(0..0, |number| self.beginning(&number.to_be_bytes()))
    }

    /// The number of a word; `None` when no row has it.
    pub(super) fn number_of(&self, word: &str) -> Option<u32> {
        self.words.binary_search_by(|at| self.bytes[at.clone()].cmp(word.as_bytes())).ok().map(|number| number as u32)
    }
}

/// Finds words and rows, and checks that every number is one of a word or a day, and that the rows are in order.
fn parts(content: &[u8], mut rest: Bytes<'_>, shape: Shape) -> Option<(Vec<Range<usize>>, Range<usize>)> {
    let mut words = Vec::new();
    for _ in 0..rest.number::<4>()? {
        let length = rest.text()?.len();
        let end = content.len() - rest.0.len();
        words.push(end - length..end);
    }
    let count = usize::try_from(rest.number::<8>()?).ok()?;
    let start = content.len() - rest.0.len();
    if rest.0.len() != count.checked_mul(shape.width())? {
        return None;
    }
    let is_day = |bytes: &[u8]| Date::from_number(number(bytes) as u32).is_some();
    let is_sound = |row: &[u8]| {
        let days = shape.days_at();
        is_day(&row[days..days + 4]) && is_day(&row[days + 4..days + 8]) && shape.all_words().all(|at| number(&row[at]) < words.len() as u64)
    };
    let are_sound = rest.0.chunks_exact(shape.width()).all(is_sound) && rest.0.chunks_exact(shape.width()).is_sorted();
    let in_order = words.is_sorted_by(|a, b| content[a.clone()] < content[b.clone()]);
    (are_sound && in_order).then_some((words, start..content.len()))
}

/// A stored row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'r> {
    register: &'r Register,
    bytes: &'r [u8],
}

impl<'r> Row<'r> {
    /// The days on which it holds.
    pub(super) fn days(self) -> Span {
        let at = self.register.shape.days_at();
        // The file was checked: every such number is a day.
        let day = |at: usize| Date::from_number(number(&self.bytes[at..at + 4]) as u32).unwrap_or(Date::MIN);
        Span { from: day(at), until: day(at + 4) }
    }

    /// Number of the word in a key cell; 0 when the cell is empty.
    pub(super) fn key(self, at: usize) -> u32 {
        let at = self.register.shape.keys_at() + 4 * at;
        number(&self.bytes[at..at + 4]) as u32
    }

    /// A further word.
    pub(super) fn word(self, at: usize) -> &'r str {
        let at = self.register.shape.words_at() + 4 * at;
        let word = self.register.words[number(&self.bytes[at..at + 4]) as usize].clone();
        std::str::from_utf8(&self.register.bytes[word]).unwrap_or_default()
    }

    /// An amount in hundredths (kopecks); `None` when it is not given.
    pub(super) fn amount(self, at: usize) -> Option<i64> {
        let at = self.register.shape.amounts_at() + 8 * at;
        Some(number(&self.bytes[at..at + 8])).filter(|amount| *amount != NO_AMOUNT).map(|amount| amount.cast_signed())
    }
}
