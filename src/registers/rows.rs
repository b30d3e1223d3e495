//! Reads CSV record by record in bounded memory: RFC 4180, quotes checked strictly, an encoding that is recognised on the way.

use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::Range;

use crate::registry::encoding::{BOM, Encoding};

/// The longest record in bytes. Longer ones come of a quote that is not closed, or of a file that is no table.
pub(super) const LONGEST: usize = 64 << 10;
/// Bytes read at once.
const BLOCK: usize = 256 << 10;

/// Why no further record can be read.
#[derive(Debug)]
pub(super) enum RowError {
    /// The file cannot be read.
    Io(io::Error),
    /// The record has more bytes than [`LONGEST`].
    Long,
    /// A quote is opened and not closed before the end of the file or within [`LONGEST`] bytes.
    Unclosed,
    /// Something else than a separator stands behind a closing quote.
    BehindQuote,
    /// The record has a byte 0.
    Zero,
    /// The record has bytes that the encoding of the records before does not have.
    Encoding(Encoding),
}

/// The records of a file.
pub(super) struct Rows<R> {
    input: R,
    buffer: Vec<u8>,
    /// The part of the buffer that is not read yet.
    start: usize,
    end: usize,
    is_at_end: bool,
    separator: u8,
    /// Known from the first record on with other characters than those of ASCII.
    encoding: Option<Encoding>,
    /// Line of the next record and of the last one, from 1.
    next_line: u64,
    line: u64,
    /// The cells of the last record, one after another.
    bytes: Vec<u8>,
    cells: Vec<Range<usize>>,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            buffer: vec![0; BLOCK + LONGEST],
            start: 0,
            end: 0,
            is_at_end: false,
            separator: 0,
            encoding: None,
            next_line: 1,
            line: 0,
            bytes: Vec::new(),
            cells: Vec::new(),
        }
    }

    /// Line of the last record, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Number of cells of the last record.
    pub(super) fn width(&self) -> usize {
        self.cells.len()
    }

    /// A cell of the last record, without blanks around it.
    pub(super) fn cell(&self, at: usize) -> Cow<'_, str> {
        let bytes = self.bytes[self.cells[at].clone()].trim_ascii();
        self.encoding.unwrap_or(Encoding::Utf8).decode(bytes)
    }

    /// Whether all cells of the last record are empty: spreadsheets write such records behind the last one.
    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| self.bytes[cell.clone()].trim_ascii().is_empty())
    }

    /// Reads the next record that is not an empty line; `false` at the end of the file.
    pub(super) fn next(&mut self) -> Result<bool, RowError> {
        if self.line == 0 {
            self.fill()?;
            if self.buffer[..self.end].starts_with(BOM) {
                self.start = BOM.len();
                self.encoding = Some(Encoding::Utf8);
            }
        }
        loop {
            self.line = self.next_line;
            let mut from = self.start;
            let line_end = loop {
                match memchr::memchr(b'\n', &self.buffer[from..self.end]) {
                    Some(at) => break Some(from + at),
                    None if self.is_at_end => break None,
                    None => {
                        let seen = self.end - self.start;
                        if seen > LONGEST {
                            let has_quote = memchr::memchr(b'"', &self.buffer[self.start..self.end]).is_some();
                            return Err(if has_quote { RowError::Unclosed } else { RowError::Long });
                        }
                        self.fill()?;
                        from = self.start + seen;
                    }
                }
            };
            if line_end.is_none() && self.start == self.end {
                return Ok(false);
            }
            let end = line_end.unwrap_or(self.end);
            if end - self.start > LONGEST {
                return Err(RowError::Long);
            }
            let line = self.buffer[self.start..end].strip_suffix(b"\r").unwrap_or(&self.buffer[self.start..end]);
            if line.is_empty() {
                self.start = line_end.map_or(end, |at| at + 1);
                self.next_line += 1;
                continue;
            }
            if self.separator == 0 {
                // The header decides.
                self.separator = if line.contains(&b';') { b';' } else { b',' };
            }
            self.bytes.clear();
            self.cells.clear();
            if memchr::memchr(b'"', line).is_some() {
                self.quoted()?;
            } else {
                self.bytes.extend_from_slice(line);
                let mut begin = 0;
                for at in memchr::memchr_iter(self.separator, line) {
                    self.cells.push(begin..at);
                    begin = at + 1;
                }
                self.cells.push(begin..line.len());
                self.start = line_end.map_or(end, |at| at + 1);
                self.next_line += 1;
            }
            self.look()?;
            return Ok(true);
        }
    }

    /// Reads a record with quotes, which may go on over several lines. Its cells are copied, with nothing between them.
    fn quoted(&mut self) -> Result<(), RowError> {
        #[derive(Clone, Copy, PartialEq)]
        enum State {
            Begin,
            Bare,
            Quoted,
            Closed,
        }
        let (mut state, mut at, mut begin) = (State::Begin, 0, 0);
        loop {
            if at > LONGEST {
                return Err(if state == State::Quoted { RowError::Unclosed } else { RowError::Long });
            }
            if self.start + at == self.end && !self.is_at_end {
                self.fill()?;
            }
            let byte = (self.start + at < self.end).then(|| self.buffer[self.start + at]);
            at += 1;
            state = match (state, byte) {
                (State::Quoted, None) => return Err(RowError::Unclosed),
                (State::Quoted, Some(b'"')) => State::Closed,
                (State::Quoted, Some(byte)) => {
                    self.next_line += u64::from(byte == b'\n');
                    self.bytes.push(byte);
                    State::Quoted
                }
                (_, None | Some(b'\n')) => {
                    if state == State::Bare && self.bytes.len() > begin && self.bytes.ends_with(b"\r") {
                        self.bytes.pop();
                    }
                    self.cells.push(begin..self.bytes.len());
                    self.next_line += 1;
                    self.start = (self.start + at).min(self.end);
                    return Ok(());
                }
                (_, Some(byte)) if byte == self.separator => {
                    self.cells.push(begin..self.bytes.len());
                    begin = self.bytes.len();
                    State::Begin
                }
                (State::Begin, Some(b'"')) => State::Quoted,
                (State::Begin, Some(b' ' | b'\t')) => State::Begin,
                (State::Closed, Some(b'"')) => {
                    self.bytes.push(b'"');
                    State::Quoted
                }
                // Blanks and the end of the line may stand behind a closing quote.
                (State::Closed, Some(b' ' | b'\t' | b'\r')) => State::Closed,
                (State::Closed, Some(_)) => return Err(RowError::BehindQuote),
                (State::Begin | State::Bare, Some(byte)) => {
                    self.bytes.push(byte);
                    State::Bare
                }
            };
        }
    }

    /// Looks at the characters of the last record, and at its encoding.
    fn look(&mut self) -> Result<(), RowError> {
        if memchr::memchr(0, &self.bytes).is_some() {
            return Err(RowError::Zero);
        }
        if self.bytes.is_ascii() {
            return Ok(());
        }
        let is_utf8 = std::str::from_utf8(&self.bytes).is_ok();
        let encoding = *self.encoding.get_or_insert(if is_utf8 { Encoding::Utf8 } else { Encoding::Windows1251 });
        if encoding.undefined(&self.bytes).is_some() { Err(RowError::Encoding(encoding)) } else { Ok(()) }
    }

    /// Reads more behind what the buffer holds. What was read already goes away.
    fn fill(&mut self) -> Result<(), RowError> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < self.buffer.len() && !self.is_at_end {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.is_at_end = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(RowError::Io(error)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives few bytes at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(into.len()).min(3);
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    /// The records with their lines, `|` between cells; an error ends them.
    fn read(bytes: &[u8]) -> Vec<String> {
        let mut rows = Rows::new(Slow(bytes));
        let mut all = Vec::new();
        loop {
            match rows.next() {
                Ok(true) => {
                    let cells: Vec<_> = (0..rows.width()).map(|at| rows.cell(at).into_owned()).collect();
                    all.push(format!("{} {}", rows.line(), cells.join("|")));
                }
                Ok(false) => return all,
                Err(error) => {
                    all.push(format!("{} {error:?}", rows.line()));
                    return all;
                }
            }
        }
    }

    #[test]
    fn cells_by_either_separator_with_and_without_quotes() {
        assert_eq!(read(b"a;b\r\n1; x \r\n\r\n2;\r\n"), ["1 a|b", "2 1|x", "4 2|"]);
        assert_eq!(read(b"a,b\n1,x;y"), ["1 a|b", "2 1|x;y"]);
        assert_eq!(read(b"\"a\";\"b\"\r\n\"1;\"\"x\"\"\";\"two\r\nlines\"\r\nlast;2\n"), ["1 a|b", "2 1;\"x\"|two\r\nlines", "4 last|2"]);
        assert_eq!(read(b"a;b\nx \"y\" z;\"1\" \n"), ["1 a|b", "2 x \"y\" z|1"]);
        assert_eq!(read(b""), Vec::<String>::new());
        assert_eq!(read(b"\n\n"), Vec::<String>::new());
        assert_eq!(read(b"a;b\n\"1\";2\r"), ["1 a|b", "2 1|2"]);
    }

    #[test]
    fn encodings_are_recognised_on_the_way_and_kept() {
        assert_eq!(read("\u{feff}имя;b\nЯ;1\n".as_bytes()), ["1 имя|b", "2 Я|1"]);
        assert_eq!(read("a;b\nЯ;1\n".as_bytes()), ["1 a|b", "2 Я|1"]);
        assert_eq!(read(b"a;b\n1;2\n\xDF;1\n"), ["1 a|b", "2 1|2", "3 Я|1"]);
        assert_eq!(
            read("a;b\nЯ;1\n\u{fffd}".replace('\u{fffd}', "").as_bytes().iter().chain(b"\xDF;2\n").copied().collect::<Vec<_>>().as_slice())
                .last()
                .expect("an error"),
            "3 Encoding(Utf8)"
        );
        assert_eq!(read(b"a;b\n\xDF;1\n\x98;2\n")[2], "3 Encoding(Windows1251)");
    }

    #[test]
    fn what_is_no_table_ends_with_its_line() {
        assert_eq!(read(b"a;b\n\"1;2\n3;4\n"), ["1 a|b", "2 Unclosed"]);
        assert_eq!(read(b"a;b\n\"1\"x;2\n"), ["1 a|b", "2 BehindQuote"]);
        assert_eq!(read(b"a;b\n1\0;2\n"), ["1 a|b", "2 Zero"]);
        let mut long = b"a;b\n".to_vec();
        long.resize(2 * LONGEST, b'x');
        assert_eq!(read(&long), ["1 a|b", "2 Long"]);
    }

    /// Endless input in bounded memory: what is never closed, and what never ends.
    #[test]
    fn an_endless_record_is_given_up_early() {
        for (head, error) in [(&b"a;b\n\"1;"[..], "Unclosed"), (b"a;b\n1;", "Long")] {
            let mut rows = Rows::new(head.chain(io::repeat(b'x')));
            assert!(rows.next().expect("the header"));
            let found = rows.next().expect_err("endless");
            assert_eq!(format!("{found:?}"), error);
            assert!(rows.buffer.len() + rows.bytes.capacity() <= BLOCK + 4 * LONGEST);
        }
        // A quote that is opened in a file of many lines.
        let mut rows = Rows::new(b"\"a;b\n".chain(Lines));
        assert!(matches!(rows.next(), Err(RowError::Unclosed)));
    }

    struct Lines;

    impl Read for Lines {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            into.fill(b'\n');
            Ok(into.len())
        }
    }
}
