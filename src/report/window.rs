//! Source windows: the few lines of a file around a place, with personal data hidden.
//!
//! All windows of a file are cut in one pass, because the file may be an entry of an archive and is never held in memory. Values of elements that
//! the format tables mark as not personal stay readable; all other text is masked, keeping only its shape.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};

use crate::finding::hint::{LETTER, has_word, is_cyrillic};
use crate::finding::{Place, mask_numbers, mask_personal};
use crate::registry::encoding::{Coding, Encoding};
use crate::registry::format::Formats;
use crate::registry::source::Source;
use crate::sys::open_input;

/// Bytes that are read on each side of a place.
const AROUND: u64 = 400;
/// Most lines shown on each side of a place.
const LINES: usize = 2;
/// Most characters shown of a line.
const WIDTH: usize = 60;
/// Characters shown before the place when its line is too long.
const BEFORE: usize = 32;

/// The lines of a file around a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Number of the first line in the file, from 1.
    pub line: u32,
    /// The lines, separated by `\n`.
    pub text: String,
    /// Byte in `text` where the marked element begins.
    pub start: usize,
    /// Length of the marked element in bytes.
    pub length: usize,
}

/// Decides which values may be shown.
#[derive(Debug, Clone)]
pub struct Masks {
    plain: BTreeSet<Box<str>>,
    /// Those of them whose values have no Russian letters: a Russian word there may be a name in the wrong place.
    latin: BTreeSet<Box<str>>,
    /// All element names of the formats. Any other name may be a text after a stray `<`, or the name of a person.
    known: BTreeSet<Box<str>>,
    show_personal: bool,
}

impl Masks {
    /// Takes the names from the format tables. With `show_personal` nothing is hidden.
    pub fn new(formats: &Formats, show_personal: bool) -> Self {
        let names = formats.element_names();
        let russian: BTreeSet<&str> =
            formats.all().flat_map(|f| f.nodes()).filter(|n| n.value_type().is_some_and(|v| v.allows(LETTER))).map(|n| &*n.name).collect();
        let latin = names.iter().filter(|(name, personal)| !**personal && !russian.contains(**name)).map(|(name, _)| (*name).into()).collect();
        let plain = names.iter().filter(|(_, personal)| !**personal).map(|(name, _)| (*name).into()).collect();
        let known = names.keys().map(|name| (*name).into()).collect();
        Self { plain, latin, known, show_personal }
    }

    /// Masks everything except markup and the values in `<NAME>value</NAME>` whose name is known as not personal and whose tags are both in the
    /// window.
    fn hide(&self, chars: &mut [char]) {
        if self.show_personal {
            return;
        }
        self.hide_texts(chars);
        // A СНИЛС or a policy number in a place that is not personal.
        let text: String = chars.iter().collect();
        if let Cow::Owned(masked) = mask_numbers(&text) {
            chars.iter_mut().zip(masked.chars()).for_each(|(c, m)| *c = m);
        }
    }

    fn hide_texts(&self, chars: &mut [char]) {
        let mut at = 0;
        while at < chars.len() {
            if chars[at] != '<' {
                mask(&mut chars[at..=at]);
                at += 1;
            } else if let Some((head, end)) = special(&chars[at..]) {
                let length = find(&chars[at..], end).unwrap_or(chars.len() - at);
                mask(&mut chars[at + head..at + length]);
                at += length;
            } else {
                at = self.hide_tag(chars, at);
            }
        }
    }

    /// Masks a tag, and finds the offset after the tag and after its value if that may be shown.
    fn hide_tag(&self, chars: &mut [char], at: usize) -> usize {
        let name_start = at + 1 + usize::from(chars.get(at + 1) == Some(&'/'));
        let until = |from: usize, stop: fn(&char) -> bool| chars[from..].iter().position(stop).map_or(chars.len(), |n| from + n);
        let name_end = until(name_start.min(chars.len()), |c| c.is_whitespace() || matches!(c, '/' | '>' | '<'));
        let close = until(name_end, |c| matches!(c, '>' | '<'));
        let opens = name_start == at + 1 && chars.get(close) == Some(&'>') && chars[close - 1] != '/';
        let name: String = chars[name_start.min(chars.len())..name_end].iter().collect();
        mask(&mut chars[name_end..close]);
        // An unknown name is told as the finding about it tells it; behind a stray `<` that no `>` ends stands a text.
        let is_told = chars.get(close) == Some(&'>') && is_name(&name);
        if !self.known.contains(name.as_str()) && !is_told {
            mask(&mut chars[name_start.min(name_end)..name_end]);
        }
        let value = close + usize::from(chars.get(close) == Some(&'>'));
        if !opens || !self.plain.contains(name.as_str()) {
            return value;
        }
        let value_end = chars[value..].iter().position(|c| *c == '<').map_or(chars.len(), |n| value + n);
        let closing: Vec<char> = format!("</{name}>").chars().collect();
        let is_name = || self.latin.contains(name.as_str()) && has_word(&chars[value..value_end].iter().collect::<String>());
        if chars[value_end..].starts_with(&closing) && !is_name() { value_end } else { value }
    }
}

/// Whether what stands as the name of an element may be shown: signs of a name, and Russian letters only as slips among Latin ones.
fn is_name(text: &str) -> bool {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    text.starts_with(|c: char| c == '_' || c.is_alphabetic())
        && text.chars().all(|c| is_sign(c) || is_cyrillic(c))
        && text.contains(|c: char| c.is_ascii_alphabetic())
        && !has_word(text)
}

/// Markup whose content is never shown: the length of its beginning, and its end. The XML declaration is shown.
fn special(chars: &[char]) -> Option<(usize, &'static str)> {
    let starts = |head: &str| head.chars().eq(chars.iter().copied().take(head.len()));
    match () {
        () if starts("<?xml ") => Some((find(chars, "?>").unwrap_or(6), "?>")),
        () if starts("<!--") => Some((4, "-->")),
        () if starts("<![CDATA[") => Some((9, "]]>")),
        () if starts("<!DOCTYPE") => Some((9, ">")),
        () if starts("<!") || starts("<?") => Some((2, ">")),
        () => None,
    }
}

/// The length up to and including `end`; `None` when `end` is absent.
fn find(chars: &[char], end: &str) -> Option<usize> {
    let end: Vec<char> = end.chars().collect();
    chars.windows(end.len()).position(|w| w == end).map(|n| n + end.len())
}

fn mask(chars: &mut [char]) {
    let masked = mask_personal(&chars.iter().collect::<String>());
    for (c, m) in chars.iter_mut().zip(masked.chars()) {
        *c = m;
    }
}

/// Cuts a window around each place. Places must be sorted by offset. A place that cannot be read gives `None`.
///
/// # Errors
/// The file cannot be opened.
pub fn fetch(source: &Source, coding: Coding, places: &[Place], masks: &Masks) -> io::Result<Vec<Option<Window>>> {
    let mut stream = Stream::open(source)?;
    let mut windows = Vec::with_capacity(places.len());
    for place in places {
        let from = place.offset.saturating_sub(AROUND);
        stream.advance(from, place.offset + AROUND);
        let inside = stream.start <= place.offset && place.offset <= stream.start + stream.bytes.len() as u64;
        windows.push(inside.then(|| {
            let mut bytes = stream.bytes.clone();
            coding.rewrite(&mut bytes, stream.start);
            let piece = Piece { bytes: &bytes, place: (place.offset - stream.start) as usize, whole: (stream.start == 0, stream.ended) };
            piece.window(coding.read_as(), place.line, masks)
        }));
    }
    Ok(windows)
}

/// The part of the file around the current place.
struct Stream {
    input: Input,
    start: u64,
    bytes: Vec<u8>,
    ended: bool,
}

enum Input {
    File(File),
    Other(Box<dyn Read + Send>),
}

impl Stream {
    fn open(source: &Source) -> io::Result<Self> {
        let input = match source {
            Source::File(file) => Input::File(open_input(&file.path)?),
            Source::Entry { .. } => Input::Other(source.open()?),
        };
        Ok(Self { input, start: 0, bytes: Vec::new(), ended: false })
    }

    /// Reads the bytes from `from` to `until`, or as many as exist. Neither may be smaller than in an earlier call.
    fn advance(&mut self, from: u64, until: u64) {
        let passed = usize::try_from(from.saturating_sub(self.start)).unwrap_or(usize::MAX).min(self.bytes.len());
        self.bytes.drain(..passed);
        self.start += passed as u64;
        if self.start < from && !self.ended {
            self.ended = !self.skip(from - self.start);
            self.start = from;
        }
        let wanted = until.saturating_sub(self.start + self.bytes.len() as u64);
        if wanted == 0 || self.ended {
            return;
        }
        // A fault of the archive is treated as the end of the file; the report already has a finding about it.
        let read = match &mut self.input {
            Input::File(file) => file.take(wanted).read_to_end(&mut self.bytes),
            Input::Other(reader) => reader.take(wanted).read_to_end(&mut self.bytes),
        };
        self.ended = read.is_ok_and(|n| (n as u64) < wanted);
    }

    fn skip(&mut self, count: u64) -> bool {
        match &mut self.input {
            Input::File(file) => i64::try_from(count).is_ok_and(|n| file.seek(SeekFrom::Current(n)).is_ok()),
            Input::Other(reader) => io::copy(&mut reader.take(count), &mut io::sink()).is_ok_and(|n| n == count),
        }
    }
}

struct Piece<'a> {
    bytes: &'a [u8],
    place: usize,
    /// Whether the piece begins at the beginning of the file, and whether it ends at its end.
    whole: (bool, bool),
}

impl Piece<'_> {
    fn window(&self, encoding: Encoding, line: u32, masks: &Masks) -> Window {
        let mut chars: Vec<char> = encoding.decode(self.bytes).chars().collect();
        let place = encoding.decode(&self.bytes[..self.place.min(self.bytes.len())]).chars().count().min(chars.len().saturating_sub(1));
        masks.hide(&mut chars);
        let lines = lines(&chars);
        let mine = lines.iter().rposition(|l| l.start <= place).unwrap_or(0);
        // Lines that are cut by the piece are shown only if they contain the place.
        let first = mine.saturating_sub(LINES).max(usize::from(!self.whole.0)).min(mine);
        let last = (mine + LINES).min(lines.len().saturating_sub(1 + usize::from(!self.whole.1))).max(mine);
        let mut window = Window { line: line.saturating_sub((mine - first) as u32).max(1), text: String::new(), start: 0, length: 0 };
        for (i, range) in lines.iter().enumerate().take(last + 1).skip(first) {
            if i > first {
                window.text.push('\n');
            }
            let cut = (i == 0 && !self.whole.0, i + 1 == lines.len() && !self.whole.1);
            if i == mine {
                let marked = marked(&chars[range.clone()], place - range.start);
                window.push_marked(&chars[range.clone()], marked, cut);
            } else {
                window.push_plain(&chars[range.clone()], 0, cut);
            }
        }
        window
    }
}

impl Window {
    fn push_plain(&mut self, line: &[char], from: usize, cut: (bool, bool)) {
        let end = line.len().min(from + WIDTH);
        if from > 0 || cut.0 {
            self.text.push('…');
        }
        self.text.extend(line[from..end].iter().map(|c| tame(*c)));
        if end < line.len() || cut.1 {
            self.text.push('…');
        }
    }

    fn push_marked(&mut self, line: &[char], marked: std::ops::Range<usize>, cut: (bool, bool)) {
        let from = if line.len() <= WIDTH { 0 } else { marked.start.saturating_sub(BEFORE) };
        let bytes = |n: usize, text: &str| text.chars().take(n).map(char::len_utf8).sum::<usize>();
        let head = self.text.len();
        self.push_plain(line, from, cut);
        let shown = &self.text[head..];
        let ellipsis = usize::from(from > 0 || cut.0);
        let (start, end) = (marked.start - from + ellipsis, marked.end.min(from + WIDTH) - from + ellipsis);
        self.start = head + bytes(start, shown);
        self.length = head + bytes(end, shown) - self.start;
    }
}

/// Makes a character safe for a terminal and one column wide.
fn tame(c: char) -> char {
    if c == '\t' { ' ' } else { super::tidy(c.encode_utf8(&mut [0; 4])).chars().next().unwrap_or(' ') }
}

/// The ranges of the lines, without line ends.
fn lines(chars: &[char]) -> Vec<std::ops::Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (i, c) in chars.iter().enumerate() {
        if *c == '\n' {
            lines.push(start..i - usize::from(i > start && chars[i - 1] == '\r'));
            start = i + 1;
        }
    }
    lines.push(start..chars.len());
    lines
}

/// The range to mark: the whole element if it ends on this line, otherwise its tag; for a text, everything up to the next tag.
fn marked(line: &[char], at: usize) -> std::ops::Range<usize> {
    let at = at.min(line.len().saturating_sub(1));
    let next = |from: usize, c: char| line.get(from..).and_then(|l| l.iter().position(|x| *x == c)).map(|n| from + n);
    let end = if line.get(at) == Some(&'<') {
        let tag = next(at, '>').map_or(line.len(), |n| n + 1);
        match next(tag, '<') {
            Some(close) if line.get(close + 1) == Some(&'/') && line.get(at + 1) != Some(&'/') => next(close, '>').map_or(line.len(), |n| n + 1),
            _ => tag,
        }
    } else {
        next(at, '<').unwrap_or(line.len())
    };
    at..end.max(at + 1).min(line.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::encoding::to_windows_1251;
    use crate::registry::source::DiskFile;
    use crate::tables::RuleFiles;

    fn masks(show_personal: bool) -> Masks {
        Masks::new(&Formats::load(&RuleFiles::embedded()).expect("sound"), show_personal)
    }

    fn hidden(text: &str) -> String {
        let mut chars: Vec<char> = text.chars().collect();
        masks(false).hide(&mut chars);
        chars.into_iter().collect()
    }

    #[test]
    fn only_known_harmless_values_stay_readable() {
        for (text, expected) in [
            ("<FAM>Иванов</FAM><W>1</W>", "<FAM>******</FAM><W>1</W>"),
            ("анов</FAM>\n<DR>1980-02-30</DR>", "****</FAM>\n<DR>****-**-**</DR>"),
            ("<NOSUCH>Иванов</NOSUCH>", "<NOSUCH>******</NOSUCH>"),
            ("<profil_k a=\"Иван\">Иванов</profil_k>", "<profil_k *=\"****\">******</profil_k>"),
            ("<РROFIL>1</РROFIL>", "<РROFIL>*</РROFIL>"),
            ("<ИВАНОВ>1</ИВАНОВ>", "<******>*</******>"),
            ("<ИВАНОВ_A/>", "<******_*/>"),
            ("<ЛИ>1</ЛИ>", "<**>*</**>"),
            ("<N_11223344595>1</N_11223344595>", "<N_***********>*</N_***********>"),
            ("<11223344595>", "<***********>"),
            ("<COMENTP>x <Ivan</COMENTP>", "<COMENTP>* <****</COMENTP>"),
            ("<COMENTP>x <Иван</COMENTP>", "<COMENTP>* <****</COMENTP>"),
            ("<W a=\"Иван\">1</W>", "<W *=\"****\">1</W>"),
            ("<!-- Иван --><W>1</W><!-- Пётр", "<!-- **** --><W>1</W><!-- ****"),
            ("<W><![CDATA[Иван]]></W>", "<W><![CDATA[****]]></W>"),
            ("<W>Иван</FAM>", "<W>****</FAM>"),
            ("<W>Ива", "<W>***"),
            ("<W/>Иван<W>2</W>", "<W/>****<W>2</W>"),
            ("<PERS>\n  Иван\n<W>2</W>", "<PERS>\n  ****\n<W>2</W>"),
            ("<?xml version=\"1.0\"?><W>2</W>", "<?xml version=\"1.0\"?><W>2</W>"),
            ("<?php Иван?><W>2</W>", "<?*** ****?><W>2</W>"),
            ("<!DOCTYPE Иван><W>2</W>", "<!DOCTYPE ****><W>2</W>"),
            ("<FAM>&#1048;ван</FAM>", "<FAM>&#****;***</FAM>"),
            ("<", "<"),
            ("</", "</"),
            ("<W", "<W"),
        ] {
            assert_eq!(hidden(text), expected, "{text}");
        }
    }

    fn file(lines: usize, separator: &str) -> (tempfile::TempDir, Source, Vec<Place>) {
        let (mut bytes, mut places) = (Vec::new(), Vec::new());
        for n in 1..=lines {
            places.push(Place { offset: bytes.len() as u64, line: if separator.contains('\n') { n as u32 } else { 1 }, column: 1 });
            let text = format!("<FAM>Ёж{n}</FAM><W>{n}</W>{separator}");
            bytes.extend_from_slice(&to_windows_1251(&text).expect("in the encoding"));
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("L.xml");
        std::fs::write(&path, bytes).expect("written");
        (folder, Source::File(DiskFile::at(path)), places)
    }

    #[test]
    fn five_lines_around_each_place() {
        let (_folder, source, places) = file(10_000, "\r\n");
        let wanted = [places[0], places[1], places[6], places[6], places[5000], places[9999]];
        let windows = fetch(&source, Coding::Windows1251, &wanted, &masks(false)).expect("readable");
        let shown: Vec<(u32, usize)> = windows.iter().flatten().map(|w| (w.line, w.text.lines().count())).collect();
        assert_eq!(shown, [(1, 3), (1, 4), (5, 5), (5, 5), (4999, 5), (9998, 3)]);
        let window = windows[4].as_ref().expect("there");
        assert_eq!(window.text.lines().nth(2), Some("<FAM>******</FAM><W>5001</W>"));
        assert_eq!(&window.text[window.start..window.start + window.length], "<FAM>******</FAM>");
    }

    #[test]
    fn a_file_of_one_line_is_clipped() {
        let (_folder, source, places) = file(3000, "");
        let wanted = [Place { offset: places[1500].offset + 17, ..places[1500] }];
        for show in [false, true] {
            let windows = fetch(&source, Coding::Windows1251, &wanted, &masks(show)).expect("readable");
            let window = windows[0].as_ref().expect("there");
            assert_eq!((window.line, window.text.chars().count(), window.text.lines().count()), (1, WIDTH + 2, 1));
            assert_eq!(&window.text[window.start..window.start + window.length], "<W>1501</W>");
            assert_eq!(window.text.contains("Ёж1501"), show);
        }
    }

    #[test]
    fn a_place_behind_the_end_has_no_window_and_the_end_itself_has_one() {
        let (_folder, source, places) = file(3, "\n");
        let end = places[2].offset + 23;
        let wanted = [Place { offset: end, line: 4, column: 1 }, Place { offset: end + 5000, line: 9, column: 1 }];
        let windows = fetch(&source, Coding::Windows1251, &wanted, &masks(false)).expect("readable");
        assert!(windows[0].is_some() && windows[1].is_none());
    }

    #[test]
    fn utf_8_is_cut_between_characters() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("L.xml");
        let text = "<FAM>Ёж</FAM>".repeat(200) + "<W>1</W>";
        std::fs::write(&path, &text).expect("written");
        let place = Place { offset: text.find("<W>").expect("there") as u64, line: 1, column: 1 };
        let windows = fetch(&Source::File(DiskFile::at(path)), Coding::Utf8, &[place], &masks(false)).expect("readable");
        let window = windows[0].as_ref().expect("there");
        assert_eq!(&window.text[window.start..window.start + window.length], "<W>1</W>");
    }
}
