//! The tokenizer of registry files: XML 1.0 without document types, on the bytes of the file in windows-1251 or UTF-8.
//!
//! Registries are dense, with a tag every eleven bytes. The usual element, `<NAME>text</NAME>`, is therefore read in one step with sixteen-byte
//! windows instead of a loop over bytes. Attributes, references, CDATA, comments and everything else take a slower path with the same result.
//! Every limit is checked before memory grows with the input.

use std::borrow::Cow;
use std::fmt;

use super::chunk::LARGEST_RECORD;
use super::encoding::Encoding;
use super::fault::Fault;
use super::format::NameKey;
use super::format::value::is_xml_char;
use crate::finding::{Check, mask_personal};

/// Limits that no real registry reaches; a file beyond them is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanLimits {
    /// Number of elements open at the same time.
    pub depth: usize,
    /// Length of the name of an element or attribute in bytes.
    pub name: usize,
    /// Length of one text in bytes.
    pub text: usize,
    /// Number of attributes of one element.
    pub attributes: usize,
    /// Length of one record in bytes; a record is kept in memory as a whole.
    pub record: usize,
}

impl Default for ScanLimits {
    fn default() -> Self {
        Self { depth: 16, name: 64, text: 64 << 10, attributes: 8, record: LARGEST_RECORD }
    }
}

/// One step of the scanner. Offsets are relative to the scanned bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token<'a> {
    /// `<NAME>text</NAME>` or `<NAME/>`. The fast path checks neither the bytes of the name nor the characters of the text: see [`Name::check`]
    /// and [`check_characters`].
    Leaf {
        /// Offset of `<`.
        at: usize,
        /// Name of the element.
        name: Name<'a>,
        /// Offset of the first byte after the start tag.
        text_at: usize,
        /// The text with references resolved.
        text: Cow<'a, [u8]>,
        /// Name of the first attribute; `None` without attributes.
        attribute: Option<&'a [u8]>,
    },
    /// The start tag of an element that contains more than one text.
    Open {
        /// Offset of `<`.
        at: usize,
        /// Name of the element.
        name: Name<'a>,
        /// Name of the first attribute; `None` without attributes.
        attribute: Option<&'a [u8]>,
    },
    /// The end tag of an element that was reported as [`Token::Open`].
    Close {
        /// Offset of `<`.
        at: usize,
    },
    /// Text other than white space between elements.
    Text {
        /// Offset of the first byte.
        at: usize,
        /// The bytes up to the next markup.
        text: &'a [u8],
    },
    /// The end of the bytes.
    End,
}

/// An element's name.
///
/// The fast path compares the two tags of an element but does not check each byte of the name. A caller that does not know the name must call
/// [`Name::check`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name<'a> {
    /// Bytes of the name.
    pub bytes: &'a [u8],
    /// Key for comparison; `None` when the name is longer than any name of a format.
    pub key: Option<NameKey>,
}

impl<'a> Name<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, key: NameKey::new(bytes) }
    }

    /// The name as text, for messages.
    pub fn to_text(self, encoding: Encoding) -> String {
        encoding.decode(self.bytes).into_owned()
    }

    /// Checks that it is a valid XML name: `<A=1>1</A=1>` looks like the usual element but is not one.
    ///
    /// # Errors
    /// The first byte that a name cannot have; `at` is the offset of the element's `<`.
    pub fn check(self, at: usize, encoding: Encoding) -> Result<(), Fault> {
        match self.bytes.iter().position(|b| !is_name_byte(*b)) {
            Some(n) => Err(malformed(at + 1 + n, format_args!("<{}…", shown(&self.bytes[..n], encoding)))),
            None => Ok(()),
        }
    }
}

/// The fault of broken markup at an offset. `shown` is the markup found there, without texts of elements and without language.
fn malformed(at: usize, shown: impl fmt::Display) -> Fault {
    Fault::new(Check::XmlMalformed).at(at as u64).found(shown)
}

/// A name for a message about broken markup. A person's name may follow a bare `<`, so only ASCII names are shown unmasked.
fn shown(name: &[u8], encoding: Encoding) -> String {
    let name = encoding.decode(name);
    if name.is_ascii() { name.into_owned() } else { mask_personal(&name) }
}

/// A tokenizer for a piece of a file.
#[derive(Debug)]
pub struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    encoding: Encoding,
    limits: ScanLimits,
    /// Names of the open elements, outermost first.
    open: Vec<Cow<'a, [u8]>>,
    /// Whether the root is closed; only comments and instructions may follow.
    root_done: bool,
}

const ONES: u128 = 0x0101_0101_0101_0101_0101_0101_0101_0101;
const HIGHS: u128 = ONES << 7;

/// Flags (high bits) of the bytes equal to `byte`. Only the lowest flag is exact, and only that one is used.
#[inline(always)]
fn equal_flags(window: u128, byte: u8) -> u128 {
    let x = window ^ (ONES * byte as u128);
    x.wrapping_sub(ONES) & !x & HIGHS
}

/// Flags of the bytes below `bound` (at most 128). Only the lowest flag is exact.
#[inline(always)]
fn below_flags(window: u128, bound: u8) -> u128 {
    window.wrapping_sub(ONES * bound as u128) & !window & HIGHS
}

#[inline(always)]
fn first_flag(flags: u128) -> usize {
    (flags.trailing_zeros() >> 3) as usize
}

#[inline(always)]
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b':' || byte >= 0x80
}

fn is_name_byte(byte: u8) -> bool {
    is_name_start(byte) || byte.is_ascii_digit() || byte == b'-' || byte == b'.'
}

impl<'a> Scanner<'a> {
    /// A scanner for bytes within elements that are already open (outermost first; empty at the beginning of a file).
    pub fn new(bytes: &'a [u8], encoding: Encoding, limits: ScanLimits, open: Vec<Vec<u8>>) -> Self {
        Self { bytes, at: 0, encoding, limits, open: open.into_iter().map(Cow::Owned).collect(), root_done: false }
    }

    /// Name of the innermost open element for messages; empty when none is open.
    pub fn innermost(&self) -> String {
        self.open.last().map_or_else(String::new, |n| shown(n, self.encoding))
    }

    /// Names of the open elements, outermost first.
    pub fn open_names(&self) -> Vec<Vec<u8>> {
        self.open.iter().map(|n| n.to_vec()).collect()
    }

    /// Offset after the last token, relative to the scanned bytes.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Number of open elements.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// Whether the root has been closed.
    pub fn root_closed(&self) -> bool {
        self.root_done
    }

    #[inline(always)]
    fn window(&self, at: usize) -> Option<u128> {
        let bytes: &[u8; 16] = self.bytes.get(at..at + 16)?.try_into().ok()?;
        Some(u128::from_le_bytes(*bytes))
    }

    /// The next token.
    ///
    /// # Errors
    /// The first fault of the markup; its offset is relative to the scanned bytes. The scanner must not be used after it.
    #[inline]
    pub fn next_token(&mut self) -> Result<Token<'a>, Fault> {
        loop {
            while let Some(&byte) = self.bytes.get(self.at) {
                if byte == b'<' {
                    break;
                }
                if !is_space(byte) {
                    return self.stray_text();
                }
                self.at += 1;
            }
            if let Some(token) = self.usual_element() {
                return Ok(token);
            }
            if let Some(token) = self.markup()? {
                return Ok(token);
            }
        }
    }

    /// Skips the content of the element last reported as [`Token::Open`] and returns the offset after its end tag. The content is checked no more
    /// than needed to find the end: this is for files that were controlled before.
    ///
    /// # Errors
    /// The element does not end, or the part of its markup that was checked is broken.
    pub fn skip_element(&mut self) -> Result<usize, Fault> {
        if let Some(end) = self.plain_end() {
            self.open.pop();
            self.at = end;
            return Ok(end);
        }
        let depth = self.depth();
        loop {
            match self.next_token()? {
                Token::Close { .. } if self.depth() < depth => return Ok(self.at),
                Token::End => return Err(self.cut()),
                _ => {}
            }
        }
    }

    /// The end of the innermost element, found by a text search. `None` when a comment, CDATA or an element of the same name inside makes that
    /// unsafe.
    fn plain_end(&self) -> Option<usize> {
        const LONGEST: usize = 32;
        let name = self.open.last().filter(|name| name.len() <= LONGEST)?;
        let mut tag = [0; LONGEST + 3];
        let tag = &mut tag[..name.len() + 3];
        tag[..2].copy_from_slice(b"</");
        tag[2..name.len() + 2].copy_from_slice(name);
        tag[name.len() + 2] = b'>';
        let rest = &self.bytes[self.at..];
        let length = memchr::memmem::find(rest, tag)?;
        let inside = &rest[..length];
        if memchr::memchr2_iter(b'!', b'?', inside).any(|at| at > 0 && inside[at - 1] == b'<') {
            return None;
        }
        let like = &mut tag[1..=name.len() + 1];
        like[0] = b'<';
        let is_like = |at: usize| inside.get(at + like.len()).is_none_or(|b| !is_name_byte(*b));
        (!memchr::memmem::find_iter(inside, like).any(is_like)).then_some(self.at + length + name.len() + 3)
    }

    /// The fast path: a start tag without attributes, a text without references, the end tag of the same name.
    #[inline(always)]
    fn usual_element(&mut self) -> Option<Token<'a>> {
        let at = self.at;
        let window = self.window(at + 1)?;
        // A name ends at the first byte below `0` (space, `/`, `-`, `.`) or at `>`.
        let stop = below_flags(window, b'0') | equal_flags(window, b'>');
        if stop == 0 {
            return None;
        }
        let length = first_flag(stop);
        let text_at = at + 1 + length + 1;
        if length == 0 || self.bytes[text_at - 1] != b'>' || !is_name_start(self.bytes[at + 1]) {
            return None;
        }
        let key = NameKey::of_window(window, length);
        let text_window = self.window(text_at)?;
        // `<` and `>` differ in one bit. A text that contains `>` may contain `]]>`, so it takes the slower path.
        let flags = equal_flags(text_window | (ONES << 1), b'>') | equal_flags(text_window, b'&');
        let end = if flags != 0 { text_at + first_flag(flags) } else { text_at + 16 + memchr::memchr3(b'<', b'&', b'>', &self.bytes[text_at + 16..])? };
        let close = self.window(end + 2)?;
        let tail = *self.bytes.get(end + 2 + length)?;
        if self.bytes[end + 1] != b'/'
            || self.bytes[end] != b'<'
            || NameKey::of_window(close, length) != key
            || tail != b'>'
            || end - text_at > self.limits.text
        {
            return None;
        }
        if self.open.is_empty() || self.open.len() >= self.limits.depth {
            return None;
        }
        self.at = end + 3 + length;
        let name = Name { bytes: &self.bytes[at + 1..at + 1 + length], key: Some(key) };
        Some(Token::Leaf { at, name, text_at, text: Cow::Borrowed(&self.bytes[text_at..end]), attribute: None })
    }

    #[cold]
    fn stray_text(&mut self) -> Result<Token<'a>, Fault> {
        let at = self.at;
        let end = memchr::memchr(b'<', &self.bytes[at..]).map_or(self.bytes.len(), |n| at + n);
        let text = &self.bytes[at..end];
        if self.open.is_empty() {
            return Err(if self.root_done { malformed(at, "…") } else { Fault::new(Check::NotXml).at(at as u64).found(first_bytes(text)) });
        }
        self.check_text(at, text)?;
        check_bracket(at, text)?;
        self.check_references(at, end)?;
        self.at = end;
        Ok(Token::Text { at, text })
    }

    fn check_text(&self, at: usize, text: &[u8]) -> Result<(), Fault> {
        if text.len() > self.limits.text {
            return Err(Fault::new(Check::XmlText).at(at as u64).expected(self.limits.text));
        }
        check_characters(text, at)
    }

    /// Checks all references between two offsets.
    fn check_references(&self, mut at: usize, end: usize) -> Result<(), Fault> {
        while let Some(n) = memchr::memchr(b'&', &self.bytes[at..end]) {
            at = self.reference(at + n)?.1;
        }
        Ok(())
    }

    /// Reads everything other than the usual element; `None` for markup that is skipped (a comment, an instruction).
    fn markup(&mut self) -> Result<Option<Token<'a>>, Fault> {
        let at = self.at;
        let rest = &self.bytes[at..];
        match rest.get(1) {
            None if rest.is_empty() => Ok(Some(Token::End)),
            None => Err(self.cut()),
            Some(b'/') => self.end_tag().map(Some),
            Some(b'?') => {
                self.at = self.instruction(at)?;
                Ok(None)
            }
            Some(b'!') if rest.starts_with(b"<!--") => {
                self.at = self.comment(at)?;
                Ok(None)
            }
            Some(b'!') if rest.starts_with(b"<![CDATA[") => {
                if self.open.is_empty() {
                    return Err(malformed(at, "<![CDATA["));
                }
                let (text, end) = self.character_data(at)?;
                self.at = end;
                Ok((!text.iter().all(|b| is_space(*b))).then_some(Token::Text { at, text }))
            }
            Some(b'!') => Err(self.declaration(at)),
            Some(_) => self.start_tag().map(Some),
        }
    }

    /// The fault of markup that begins with `<!` and is neither a comment nor CDATA.
    fn declaration(&self, at: usize) -> Fault {
        let rest = &self.bytes[at..];
        if is_prefix_of_any(rest, &[b"<!--", b"<![CDATA[", b"<!DOCTYPE"]) {
            return self.cut();
        }
        let is = |word: &[u8]| rest.get(2..2 + word.len()).is_some_and(|w| w.eq_ignore_ascii_case(word));
        if is(b"DOCTYPE") || is(b"ENTITY") { Fault::new(Check::XmlDoctype).at(at as u64) } else { malformed(at, "<!") }
    }

    fn shown(&self, name: Name<'_>) -> String {
        shown(name.bytes, self.encoding)
    }

    /// The fault of bytes that end within markup or within an element.
    fn cut(&self) -> Fault {
        Fault::new(Check::XmlTruncated).at(self.bytes.len() as u64).expected(self.innermost())
    }

    /// The bytes between `at` and the next `end`, and the offset after it.
    fn until(&self, at: usize, end: &[u8]) -> Result<(&'a [u8], usize), Fault> {
        let rest = &self.bytes[at..];
        let length = memchr::memmem::find(rest, end).ok_or_else(|| self.cut())?;
        Ok((&rest[..length], at + length + end.len()))
    }

    /// The offset after a comment.
    fn comment(&self, at: usize) -> Result<usize, Fault> {
        let (text, end) = self.until(at + 4, b"--")?;
        match self.bytes.get(end) {
            None => Err(self.cut()),
            Some(b'>') => check_characters(text, at + 4).map(|()| end + 1),
            Some(_) => Err(malformed(end - 2, "<!-- -- ")),
        }
    }

    /// The offset after a processing instruction.
    fn instruction(&self, at: usize) -> Result<usize, Fault> {
        if at + 2 >= self.bytes.len() {
            return Err(self.cut());
        }
        let (target, after) = self.name_at(at + 2)?;
        let (text, end) = self.until(after, b"?>")?;
        if !text.first().is_none_or(|b| is_space(*b)) {
            return Err(malformed(after, format_args!("<?{}…", self.shown(target))));
        }
        // A later piece does not begin like a file: elements are open there, so an XML declaration is an error.
        if target.bytes.eq_ignore_ascii_case(b"xml") && (at > 0 || !self.open.is_empty() || target.bytes != b"xml") {
            return Err(malformed(at, format_args!("…<?{}", self.shown(target))));
        }
        check_characters(text, after)?;
        Ok(end)
    }

    /// The text of a CDATA section and the offset after it.
    fn character_data(&self, at: usize) -> Result<(&'a [u8], usize), Fault> {
        let (text, end) = self.until(at + 9, b"]]>")?;
        self.check_text(at + 9, text)?;
        Ok((text, end))
    }

    /// The name at an offset, and the offset after it.
    fn name_at(&self, at: usize) -> Result<(Name<'a>, usize), Fault> {
        let rest = &self.bytes[at..];
        let length = rest.iter().take(self.limits.name + 1).position(|b| !is_name_byte(*b));
        let Some(length) = length else {
            return Err(if rest.len() > self.limits.name { Fault::new(Check::XmlName).at(at as u64).expected(self.limits.name) } else { self.cut() });
        };
        if length == 0 || !is_name_start(rest[0]) {
            return Err(malformed(at, "<…"));
        }
        Ok((Name::new(&rest[..length]), at + length))
    }

    fn spaces(&self, mut at: usize) -> usize {
        while self.bytes.get(at).is_some_and(|b| is_space(*b)) {
            at += 1;
        }
        at
    }

    fn end_tag(&mut self) -> Result<Token<'a>, Fault> {
        let at = self.at;
        let (name, end) = if at + 2 >= self.bytes.len() { return Err(self.cut()) } else { self.name_at(at + 2)? };
        let end = self.spaces(end);
        match self.bytes.get(end) {
            None => return Err(self.cut()),
            Some(b'>') => {}
            Some(_) => return Err(malformed(end, format_args!("</{}…", self.shown(name)))),
        }
        match self.open.last() {
            Some(open) if &**open == name.bytes => {}
            Some(open) => {
                return Err(malformed(at, format_args!("<{}>…</{}>", shown(open, self.encoding), self.shown(name))));
            }
            None => return Err(malformed(at, format_args!("</{}>", self.shown(name)))),
        }
        self.open.pop();
        self.root_done = self.open.is_empty();
        self.at = end + 1;
        Ok(Token::Close { at })
    }

    fn start_tag(&mut self) -> Result<Token<'a>, Fault> {
        let at = self.at;
        let (name, mut end) = self.name_at(at + 1)?;
        if self.root_done {
            return Err(malformed(at, format_args!("…<{}>", self.shown(name))));
        }
        let mut attributes: Vec<&'a [u8]> = Vec::new();
        let empty = loop {
            let next = self.spaces(end);
            match self.bytes.get(next) {
                None => return Err(self.cut()),
                Some(b'>') => {
                    end = next + 1;
                    break false;
                }
                Some(b'/') => match self.bytes.get(next + 1) {
                    None => return Err(self.cut()),
                    Some(b'>') => {
                        end = next + 2;
                        break true;
                    }
                    Some(_) => return Err(malformed(next, format_args!("<{} /…", self.shown(name)))),
                },
                Some(_) if next == end => return Err(malformed(next, format_args!("<{}…", self.shown(name)))),
                Some(_) => {
                    if attributes.len() == self.limits.attributes {
                        return Err(Fault::new(Check::XmlAttributes).at(at as u64).expected(self.limits.attributes));
                    }
                    let (attribute, after) = self.attribute(next)?;
                    if attributes.contains(&attribute) {
                        return Err(malformed(next, format_args!("{0}=… {0}=…", shown(attribute, self.encoding))));
                    }
                    attributes.push(attribute);
                    end = after;
                }
            }
        };
        if self.open.len() == self.limits.depth {
            return Err(Fault::new(Check::XmlDepth).at(at as u64).expected(self.limits.depth));
        }
        let attribute = attributes.first().copied();
        if empty {
            self.at = end;
            self.root_done = self.open.is_empty();
            return Ok(Token::Leaf { at, name, text_at: end, text: Cow::Borrowed(&[]), attribute });
        }
        let cut_inside = |fault: Fault| if fault.check == Check::XmlTruncated { fault.expected(self.shown(name)) } else { fault };
        if let Some((text, after)) = self.simple_text(end, name).map_err(cut_inside)? {
            self.at = after;
            self.root_done = self.open.is_empty();
            return Ok(Token::Leaf { at, name, text_at: end, text, attribute });
        }
        self.open.push(Cow::Borrowed(name.bytes));
        self.at = end;
        Ok(Token::Open { at, name, attribute })
    }

    /// Reads an attribute at an offset: its name and the offset after its value.
    fn attribute(&self, at: usize) -> Result<(&'a [u8], usize), Fault> {
        let (name, end) = self.name_at(at)?;
        let equals = self.spaces(end);
        let quote_at = self.spaces(equals + 1);
        match (self.bytes.get(equals), self.bytes.get(quote_at)) {
            (Some(b'='), Some(quote @ (b'"' | b'\''))) => {
                let value_at = quote_at + 1;
                let rest = &self.bytes[value_at..];
                let length = memchr::memchr2(*quote, b'<', rest).ok_or_else(|| {
                    if rest.len() > self.limits.text { Fault::new(Check::XmlText).at(value_at as u64).expected(self.limits.text) } else { self.cut() }
                })?;
                if rest[length] == b'<' {
                    return Err(malformed(value_at + length, format_args!("{}=…<", self.shown(name))));
                }
                self.check_text(value_at, &rest[..length])?;
                self.check_references(value_at, value_at + length)?;
                Ok((name.bytes, value_at + length + 1))
            }
            (None, _) | (Some(b'='), None) => Err(self.cut()),
            _ => Err(malformed(at, format_args!("{}…", self.shown(name)))),
        }
    }

    /// The text of an element that contains only text (with references, CDATA, comments), and the offset after its end tag; `None` when it
    /// contains elements.
    fn simple_text(&self, text_at: usize, name: Name<'a>) -> Result<Option<WholeText<'a>>, Fault> {
        let mut text: Cow<'a, [u8]> = Cow::Borrowed(&[]);
        let mut at = text_at;
        loop {
            let rest = &self.bytes[at..];
            let length = memchr::memchr2(b'<', b'&', rest).unwrap_or(rest.len());
            self.check_text(at, &rest[..length.min(self.limits.text + 1)])?;
            check_bracket(at, &rest[..length])?;
            append(&mut text, &rest[..length]);
            at += length;
            if text.len() > self.limits.text {
                return Err(Fault::new(Check::XmlText).at(text_at as u64).expected(self.limits.text));
            }
            let rest = &self.bytes[at..];
            match rest {
                [] | [b'<'] => return Err(self.cut()),
                [b'&', ..] => {
                    let (bytes, end) = self.reference(at)?;
                    text.to_mut().extend_from_slice(&bytes);
                    at = end;
                }
                [b'<', b'/', ..] => {
                    let (close, end) = self.name_at(at + 2).map_err(|f| if at + 2 >= self.bytes.len() { self.cut() } else { f })?;
                    let end = self.spaces(end);
                    if end >= self.bytes.len() {
                        return Err(self.cut());
                    }
                    if close.bytes != name.bytes {
                        return Err(malformed(at, format_args!("<{}>…</{}>", self.shown(name), self.shown(close))));
                    }
                    if self.bytes[end] != b'>' {
                        return Err(malformed(end, format_args!("</{}…", self.shown(name))));
                    }
                    return Ok(Some((text, end + 1)));
                }
                _ if rest.starts_with(b"<![CDATA[") => {
                    let (more, end) = self.character_data(at)?;
                    append(&mut text, more);
                    at = end;
                }
                _ if rest.starts_with(b"<!--") => at = self.comment(at)?,
                _ if rest.starts_with(b"<?") => at = self.instruction(at)?,
                [b'<', b'!', ..] => return Err(self.declaration(at)),
                _ => {
                    self.name_at(at + 1)?;
                    return Ok(None);
                }
            }
        }
    }

    /// Reads a character or entity reference at an offset: its bytes in the file's encoding and the offset after it.
    fn reference(&self, at: usize) -> Result<(Vec<u8>, usize), Fault> {
        let rest = &self.bytes[at + 1..];
        let broken = || Fault::new(Check::XmlEntity).at(at as u64).found("&");
        let length = match rest.iter().take(REFERENCE).position(|b| matches!(b, b';' | b'<' | b'&')) {
            Some(n) if rest[n] == b';' => n,
            None if rest.len() < REFERENCE => return Err(self.cut()),
            _ => return Err(broken()),
        };
        let word = &rest[..length];
        // A person's name may follow a bare `&`, so only words that look like an entity are shown.
        let plain = match word {
            [b'#', code @ ..] => code.iter().all(u8::is_ascii_alphanumeric),
            word => word.iter().all(u8::is_ascii_lowercase),
        } && word.len() <= 10;
        let unknown = || if plain { broken().found(format!("&{};", self.encoding.decode(word))) } else { broken() };
        let c = match word {
            b"amp" => '&',
            b"lt" => '<',
            b"gt" => '>',
            b"quot" => '"',
            b"apos" => '\'',
            [b'#', b'x', digits @ ..] => char_of(digits, 16).ok_or_else(unknown)?,
            [b'#', digits @ ..] => char_of(digits, 10).ok_or_else(unknown)?,
            _ => return Err(unknown()),
        };
        let text = c.to_string();
        let bytes = match self.encoding {
            Encoding::Utf8 => text.into_bytes(),
            Encoding::Windows1251 => super::encoding::to_windows_1251(&text).map_or_else(|| b"?".to_vec(), Cow::into_owned),
        };
        Ok((bytes, at + 1 + length + 1))
    }
}

/// A text with references resolved, and the offset after the end tag.
type WholeText<'a> = (Cow<'a, [u8]>, usize);

fn char_of(digits: &[u8], radix: u32) -> Option<char> {
    let digits = std::str::from_utf8(digits).ok().filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_alphanumeric()))?;
    char::from_u32(u32::from_str_radix(digits, radix).ok()?).filter(|c| is_xml_char(*c))
}

/// Longest reference in bytes.
const REFERENCE: usize = 32;

/// Appends to a text; nothing is copied while the text has only one part.
fn append<'a>(text: &mut Cow<'a, [u8]>, more: &'a [u8]) {
    if text.is_empty() {
        *text = Cow::Borrowed(more);
    } else if !more.is_empty() {
        text.to_mut().extend_from_slice(more);
    }
}

/// Checks that a text does not contain `]]>`.
fn check_bracket(at: usize, text: &[u8]) -> Result<(), Fault> {
    match memchr::memmem::find(text, b"]]>") {
        Some(n) => Err(malformed(at + n, "]]>")),
        None => Ok(()),
    }
}

/// Checks that a text has no character that XML forbids.
///
/// # Errors
/// The first forbidden character; `at` is the offset of the text.
pub fn check_characters(text: &[u8], at: usize) -> Result<(), Fault> {
    match forbidden_byte(text) {
        Some(n) => Err(Fault::new(Check::XmlCharacter).at((at + n) as u64).found(text[n])),
        None => Ok(()),
    }
}

/// The first four bytes in hexadecimal. They tell what a foreign file is (`25 50 44 46` is a PDF) without showing personal data.
pub fn first_bytes(text: &[u8]) -> String {
    let first: Vec<String> = text.iter().take(4).map(|b| format!("{b:02X}")).collect();
    first.join(" ")
}

/// Offset of the first byte that XML forbids in a text in an ASCII-compatible encoding; `None` when there is none.
pub fn forbidden_byte(text: &[u8]) -> Option<usize> {
    text.iter().position(|b| *b < 0x20 && !is_space(*b))
}

fn is_prefix_of_any(rest: &[u8], words: &[&[u8]]) -> bool {
    words.iter().any(|w| w.len() > rest.len() && w.starts_with(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<String>, Fault> {
        let mut scanner = Scanner::new(text.as_bytes(), Encoding::Utf8, ScanLimits::default(), Vec::new());
        let mut out = Vec::new();
        loop {
            let show = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
            out.push(match scanner.next_token()? {
                Token::Leaf { name, text, attribute, .. } => {
                    format!("{}={}{}", name.to_text(Encoding::Utf8), show(&text), attribute.map_or_else(String::new, |a| format!("@{}", show(a))))
                }
                Token::Open { name, attribute, .. } => {
                    format!("<{}{}", name.to_text(Encoding::Utf8), attribute.map_or_else(String::new, |a| format!("@{}", show(a))))
                }
                Token::Close { .. } => ">".to_owned(),
                Token::Text { text, .. } => format!("«{}»", show(text)),
                Token::End => return Ok(out),
            });
        }
    }

    fn fails(text: &str) -> Check {
        all(text).expect_err(text).check
    }

    #[test]
    fn usual_and_unusual_elements() {
        assert_eq!(
            all("<?xml version=\"1.0\"?>\n<R>\n <A>1</A><BLOCK><LONG_NAME_12>text of more than sixteen bytes</LONG_NAME_12></BLOCK>\n</R>\n").expect("sound"),
            ["<R", "A=1", "<BLOCK", "LONG_NAME_12=text of more than sixteen bytes", ">", ">"]
        );
        assert_eq!(all("<R><A x='1' y=\"2\">1</A ><B/><C ></C><D a='>'/></R>").expect("sound"), ["<R", "A=1@x", "B=", "C=", "D=@a", ">"]);
        assert_eq!(
            all("<R><!-- <A> --><A>a&amp;b&#x41;&#1071;<![CDATA[<&]]>c<!-- no --></A>stray<B><C>1</C></B></R>").expect("sound"),
            ["<R", "A=a&bAЯ<&c", "«stray»", "<B", "C=1", ">", ">"]
        );
    }

    /// The offset after the first child of the root, when that child is skipped.
    fn behind(text: &str) -> Result<(usize, usize), Fault> {
        let mut scanner = Scanner::new(text.as_bytes(), Encoding::Utf8, ScanLimits::default(), Vec::new());
        assert!(matches!(scanner.next_token()?, Token::Open { .. }) && matches!(scanner.next_token()?, Token::Open { .. }), "{text}");
        let end = scanner.skip_element()?;
        assert_eq!(end, scanner.offset());
        Ok((end, scanner.depth()))
    }

    #[test]
    fn an_element_is_run_over_to_its_own_end() {
        for inside in [
            "<A>1</A>",
            "<A>Неужели? Да!</A>",
            "<BB>1</BB><BB1>2</BB1>",
            "<B><C>1</C></B><A/>",
            "<B a='1'><C/></B>",
            "<B/><A>1</A>",
            "<!-- </B> --><A>1</A>",
            "<A><![CDATA[</B>]]></A>",
            "<A>1</A><?p </B>?>",
            "<A x='>/B>'>1</A>",
        ] {
            let text = format!("<R><B>{inside}</B><D>1</D></R>");
            assert_eq!(behind(&text), Ok((text.len() - "<D>1</D></R>".len(), 1)), "{text}");
        }
        let long = "N".repeat(40);
        assert_eq!(behind(&format!("<R><{long}><A>1</A></{long}></R>")).expect("sound").1, 1);
        assert_eq!(behind("<R><B><A>1</A></B ></R>").expect("sound"), (19, 1));
        assert_eq!(behind("<R><B><A>1</A>").expect_err("cut").check, Check::XmlTruncated);
    }

    #[test]
    fn faults_are_told_apart() {
        let deep = "<A>".repeat(17);
        let attributes: String = (0..9).map(|i| format!(" a{i}='1'")).collect();
        let cases = [
            ("<R><A>1</A".to_owned(), Check::XmlTruncated),
            ("<R><A>1".to_owned(), Check::XmlTruncated),
            ("<R><A".to_owned(), Check::XmlTruncated),
            ("<R><!-- no end".to_owned(), Check::XmlTruncated),
            ("<R><A>1</B></R>".to_owned(), Check::XmlMalformed),
            ("<R></R><A/>".to_owned(), Check::XmlMalformed),
            ("<R></R>text".to_owned(), Check::XmlMalformed),
            ("</R>".to_owned(), Check::XmlMalformed),
            ("<R><A x=1/></R>".to_owned(), Check::XmlMalformed),
            ("<R><A x='1' x='2'/></R>".to_owned(), Check::XmlMalformed),
            ("<R><1/></R>".to_owned(), Check::XmlMalformed),
            ("text".to_owned(), Check::NotXml),
            ("<!DOCTYPE R [<!ENTITY a 'b'>]><R/>".to_owned(), Check::XmlDoctype),
            ("<R>&a;</R>".to_owned(), Check::XmlEntity),
            ("<R><A>&#0;</A></R>".to_owned(), Check::XmlEntity),
            (deep, Check::XmlDepth),
            (format!("<R><{}>1</R>", "N".repeat(65)), Check::XmlName),
            (format!("<R><A>{}</A></R>", "t".repeat(70_000)), Check::XmlText),
            (format!("<R><A{attributes}/></R>"), Check::XmlAttributes),
            ("<R>\u{0}</R>".to_owned(), Check::XmlCharacter),
        ];
        for (text, check) in cases {
            assert_eq!(fails(&text), check, "{}", &text[..text.len().min(60)]);
        }
    }

    #[test]
    fn every_cut_is_a_fault_or_leaves_elements_open() {
        let whole = "<?xml version='1.0'?><R a='1'><A>text &amp; more than sixteen</A><B><![CDATA[x]]><C/></B><!-- c --></R>\n";
        for cut in 1..whole.len() - 1 {
            let mut scanner = Scanner::new(&whole.as_bytes()[..cut], Encoding::Utf8, ScanLimits::default(), Vec::new());
            let cut_short = loop {
                match scanner.next_token() {
                    Ok(Token::End) => break !scanner.root_closed(),
                    Ok(_) => {}
                    Err(fault) => break matches!(fault.check, Check::XmlTruncated | Check::XmlEntity),
                }
            };
            assert!(cut_short || cut == whole.len() - 1, "{}", &whole[..cut]);
        }
    }
}
