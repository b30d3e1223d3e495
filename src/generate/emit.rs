//! Writes records by a [`Plan`].

use super::calendar::append_iso;
use super::expr::{self, Expr, Function};
use super::numbers::{append_enp, append_snils, append_snils_digits};
use super::plan::{Document, Form, Plan, Recipe};
use super::typical;
use super::words::{State, Value, given};
use crate::registry::format::{NodeId, Role};
use crate::tables::TableError;

/// Offsets of an element in the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) node: NodeId,
    /// Index of the parent in the list; for the record its own index.
    pub(super) parent: usize,
    /// Offset of the `<` of the start tag.
    pub(super) start: usize,
    /// Offset of the first byte after the start tag (and its line end).
    pub(super) inner: usize,
    /// Offset of the `<` of the end tag.
    pub(super) inner_end: usize,
    /// Offset of the first byte after the end tag and its line end.
    pub(super) end: usize,
}

/// Collects bytes of one file.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) bytes: Vec<u8>,
    /// Elements of the record in document order; `None` if they are not wanted.
    pub(super) spans: Option<Vec<Span>>,
    open: Vec<usize>,
}

impl Output {
    pub(super) fn new(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), spans: None, open: Vec::new() }
    }

    fn begin(&mut self, node: NodeId) {
        if let Some(spans) = &mut self.spans {
            let at = self.bytes.len();
            let parent = self.open.last().copied().unwrap_or(spans.len());
            self.open.push(spans.len());
            spans.push(Span { node, parent, start: at, inner: at, inner_end: at, end: at });
        }
    }

    fn mark(&mut self, set: impl FnOnce(&mut Span, usize)) {
        if let (Some(spans), Some(open)) = (&mut self.spans, self.open.last()) {
            set(&mut spans[*open], self.bytes.len());
        }
    }

    fn end(&mut self) {
        self.mark(|span, at| span.end = at);
        self.open.pop();
    }
}

impl Plan<'_> {
    /// Writes the beginning of a file: declaration, root and everything before the records.
    pub(super) fn head(&self, document: &Document, state: &mut State, out: &mut Output) -> Result<(), TableError> {
        document.tags.declare(&mut out.bytes);
        document.tags.open(document.format.root(), &mut out.bytes);
        for child in &document.format.node(document.format.root()).children {
            if document.format.role(Role::Record) != Some(*child) {
                self.element(document, *child, state, out)?;
            }
        }
        Ok(())
    }

    /// Writes the end of a file.
    pub(super) fn tail(&self, document: &Document, out: &mut Output) {
        document.tags.close(document.format.root(), &mut out.bytes);
    }

    /// Writes one record.
    pub(super) fn record(&self, document: &Document, state: &mut State, out: &mut Output) -> Result<(), TableError> {
        match document.format.role(Role::Record) {
            Some(record) => self.element(document, record, state, out),
            None => Ok(()),
        }
    }

    fn element(&self, document: &Document, node: NodeId, state: &mut State, out: &mut Output) -> Result<(), TableError> {
        let plan = &document.nodes[usize::from(node.0)];
        let wrong = |e: String| TableError::new("generate/elements.csv", plan.line, format!("{}: {e}", document.format.node(node).path));
        if matches!(plan.recipe, Recipe::Absent) {
            return Ok(());
        }
        if let Some(when) = &plan.when
            && !self.words.eval(when, state).map_err(wrong)?.is_true()
        {
            return Ok(());
        }
        let Some(repeat) = &plan.repeat else { return self.once(document, node, state, out) };
        let count = expr::number(self.words.eval(repeat, state).map_err(wrong)?).map_err(wrong)?;
        let outer = (state.facts[given::NTH], state.facts[given::COUNT]);
        for nth in 1..=count {
            state.facts[given::NTH] = Value::Int(nth);
            state.facts[given::COUNT] = Value::Int(count);
            self.once(document, node, state, out)?;
        }
        (state.facts[given::NTH], state.facts[given::COUNT]) = outer;
        Ok(())
    }

    fn once(&self, document: &Document, node: NodeId, state: &mut State, out: &mut Output) -> Result<(), TableError> {
        let plan = &document.nodes[usize::from(node.0)];
        let wrong = |e: String| TableError::new("generate/elements.csv", plan.line, format!("{}: {e}", document.format.node(node).path));
        match &plan.recipe {
            Recipe::Absent => {}
            Recipe::Block(facts) => {
                self.run(facts, state)?;
                out.begin(node);
                document.tags.open(node, &mut out.bytes);
                out.mark(|span, at| span.inner = at);
                for child in &document.format.node(node).children {
                    self.element(document, *child, state, out)?;
                }
                out.mark(|span, at| span.inner_end = at);
                document.tags.close(node, &mut out.bytes);
                out.end();
            }
            Recipe::Value(value, form) => {
                // A value that is not set leaves its element out, so that presence follows from the facts.
                let ready = match value {
                    text if text.makes_text() => None,
                    other => match self.words.eval(other, state).map_err(wrong)? {
                        Value::None if document.format.node(node).obligation.required => return Err(wrong("a required element got no value".to_owned())),
                        Value::None => return Ok(()),
                        ready => Some(ready),
                    },
                };
                self.open_value(document, node, out);
                match ready {
                    Some(ready) => self.append(ready, *form, &mut out.bytes),
                    None => self.text(value, state, &mut out.bytes).map_err(wrong)?,
                }
                Self::close_value(document, node, out);
            }
            Recipe::Typical => {
                self.open_value(document, node, out);
                if let Some(kind) = document.format.node(node).value_type() {
                    out.bytes.extend_from_slice(typical::value(kind, &mut state.rng).as_bytes());
                }
                Self::close_value(document, node, out);
            }
        }
        Ok(())
    }

    fn open_value(&self, document: &Document, node: NodeId, out: &mut Output) {
        out.begin(node);
        document.tags.open(node, &mut out.bytes);
        out.mark(|span, at| span.inner = at);
    }

    fn close_value(document: &Document, node: NodeId, out: &mut Output) {
        out.mark(|span, at| span.inner_end = at);
        document.tags.close(node, &mut out.bytes);
        out.end();
    }

    fn append(&self, value: Value, form: Form, out: &mut Vec<u8>) {
        match (value, form) {
            (Value::None, _) => {}
            (Value::Int(number), Form::Plain) => append_number(number, 0, out),
            (Value::Int(number), Form::Fixed(digits)) => append_number(number, digits, out),
            (Value::Date(day), _) => append_iso(day, out),
            (Value::Text(text), _) => out.extend_from_slice(&self.encoded[text as usize]),
        }
    }

    fn text(&self, value: &Expr, state: &mut State, out: &mut Vec<u8>) -> Result<(), String> {
        let Expr::Call(function, args) = value else {
            let value = self.words.eval(value, state)?;
            self.append(value, Form::Plain, out);
            return Ok(());
        };
        match function {
            Function::If => {
                let branch = if self.words.eval(&args[0], state)?.is_true() { 1 } else { 2 };
                self.text(&args[branch], state, out)?;
            }
            Function::One => {
                let chosen = state.rng.below(args.len() as u64) as usize;
                self.text(&args[chosen], state, out)?;
            }
            Function::Cat => {
                for arg in args {
                    self.text(arg, state, out)?;
                }
            }
            Function::Digits => {
                let length = expr::number(self.words.eval(&args[0], state)?)?;
                let mut left = expr::hash(&self.words, &args[1..], state)?;
                for at in 0..length {
                    // A hash has enough bits for 18 digits; longer texts take further hashes.
                    if at % 18 == 17 {
                        left = super::rng::mix(left);
                    }
                    out.push(b'0' + (left % 10) as u8);
                    left /= 10;
                }
            }
            Function::Pad => {
                let width = expr::number(self.words.eval(&args[0], state)?)? as usize;
                let number = expr::number(self.words.eval(&args[1], state)?)?.unsigned_abs();
                let mut digits = Vec::new();
                append_number(number as i64, 0, &mut digits);
                out.extend(std::iter::repeat_n(b'0', width.saturating_sub(digits.len())));
                out.extend_from_slice(&digits);
            }
            Function::Guid => {
                let low = expr::hash(&self.words, args, state)?;
                append_guid(low, super::rng::mix(low), out);
            }
            Function::Snils | Function::SnilsDigits | Function::Enp => {
                let number = expr::number(self.words.eval(&args[0], state)?)?.unsigned_abs();
                match function {
                    Function::Snils => append_snils(number, out),
                    Function::SnilsDigits => append_snils_digits(number, out),
                    _ => append_enp(number, out),
                }
            }
            Function::Fixed => {
                let digits = expr::number(self.words.eval(&args[0], state)?)?;
                let number = expr::number(self.words.eval(&args[1], state)?)?;
                append_number(number, digits as u8, out);
            }
            _ => {
                let value = self.words.eval(value, state)?;
                self.append(value, Form::Plain, out);
            }
        }
        Ok(())
    }
}

/// Appends a number with `digits` digits after the point.
pub(super) fn append_number(number: i64, digits: u8, out: &mut Vec<u8>) {
    let mut buffer = [b'0'; 24];
    let mut at = buffer.len();
    let mut left = number.unsigned_abs();
    let mut written = 0;
    while left > 0 || written <= digits {
        if written == digits && digits > 0 {
            at -= 1;
            buffer[at] = b'.';
        }
        at -= 1;
        buffer[at] = b'0' + (left % 10) as u8;
        left /= 10;
        written += 1;
    }
    if number < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    out.extend_from_slice(&buffer[at..]);
}

fn append_guid(high: u64, low: u64, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for (i, bits) in [high, low].into_iter().enumerate() {
        for nibble in 0..16 {
            if matches!((i, nibble), (0, 8 | 12) | (1, 0 | 4)) {
                out.push(b'-');
            }
            // Version 4, variant 1, as random GUIDs have them.
            let value = match (i, nibble) {
                (0, 12) => 4,
                (1, 0) => 8 | (bits >> 60) & 3,
                _ => (bits >> (60 - 4 * nibble)) & 15,
            };
            out.push(HEX[value as usize]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn numbers() {
        let cases = [(0, 0, "0"), (7, 2, "0.07"), (123_456, 2, "1234.56"), (100_000, 5, "1.00000"), (-5, 1, "-0.5"), (42, 0, "42")];
        for (number, digits, expected) in cases {
            assert_eq!(text(|out| append_number(number, digits, out)), expected);
        }
    }

    #[test]
    fn guids_have_their_shape() {
        let guid = text(|out| append_guid(u64::MAX, 0, out));
        assert_eq!(guid, "ffffffff-ffff-4fff-8000-000000000000");
    }
}
