//! Walks the elements of a piece of a file and reports where structure or values do not fit the format.

use std::sync::Arc;

use crate::cases::Reading;
use crate::finding::hint::{LETTER, has_word, nearest};
use crate::finding::{Catalog, Check, FileRole, Finding, Keys, Place, RuleIx, mask_personal};
use crate::registry::encoding::{Coding, Encoding};
use crate::registry::fault::Fault;
use crate::registry::format::{Content, Format, Node, NodeId};
use crate::registry::record::Record;
use crate::registry::scan::{Name, ScanLimits, Scanner, Token, check_characters};
use crate::texts::Text;
use crate::timings::Timings;

use super::by_person::About;
use super::person_records::WantedPersons;
use super::piece::{PieceOutcome, RootState};
use super::plan::{Hooks, Plan, Tally};
use super::rulebook::FileRules;
use super::running::{LocalKeys, LocalSum};

/// What stays the same for all pieces of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileContext<'p> {
    pub(super) format: &'p Format,
    pub(super) plan: &'p Plan,
    pub(super) catalog: &'p Catalog,
    pub(super) file: FileRole,
    /// The encoding of the bytes that are walked.
    pub(super) encoding: Encoding,
    /// The encoding of the file.
    pub(super) coding: Coding,
    /// The declared encoding while it is not sure that it is the real one.
    pub(super) unsure: Option<Coding>,
    pub(super) limits: ScanLimits,
    /// Size of a piece in bytes.
    pub(super) piece: usize,
    /// Federal rules to evaluate, if any.
    pub(super) rules: Option<&'p FileRules<'p>>,
    /// Persons whose first record is looked for, if any.
    pub(super) wanted: Option<&'p WantedPersons>,
    /// Whether this walk gives findings about persons their places.
    pub(super) placing: bool,
    /// How to read the cases; `None` if they are not wanted.
    pub(super) reading: Option<&'p Reading>,
    /// Where time by phase is counted; `None` if it is not measured.
    pub(super) timings: Option<&'p Timings>,
}

#[derive(Debug)]
pub(super) struct Frame {
    pub(super) node: NodeId,
    pub(super) place: Place,
    /// Index of the block in the kept record; `None` outside of records.
    pub(super) block: Option<usize>,
    pub(super) seen: u64,
    pub(super) last: usize,
    pub(super) findings: usize,
    pub(super) text_reported: bool,
}

/// The state of a walk; it may be carried from one piece to the next.
#[derive(Debug)]
pub(super) struct Walker<'p> {
    pub(super) context: FileContext<'p>,
    pub(super) frames: Vec<Frame>,
    pub(super) open: Vec<Vec<u8>>,
    pub(super) skip: usize,
    pub(super) n_zap: Vec<u8>,
    pub(super) id_pac: Vec<u8>,
    pub(super) idcase: Vec<u8>,
    pub(super) sl_id: Vec<u8>,
    pub(super) idserv: Vec<u8>,
    pub(super) local_sums: Vec<LocalSum>,
    pub(super) local_keys: Vec<LocalKeys>,
    pub(super) identity: Vec<Vec<u8>>,
    /// Offset of the record's ID_PAC, else of the record.
    pub(super) identity_at: u64,
    pub(super) out: PieceOutcome,
    /// Findings of an unfinished record, whose numbers may come in the next piece.
    pub(super) kept: Vec<Finding>,
    pub(super) base: u64,
    /// The open record, kept for rules, cases and the facts of findings.
    pub(super) record: Record,
    /// Bytes of the open record in earlier pieces, if cases are read.
    pub(super) record_bytes: Vec<u8>,
    /// Index at which the record's person is looked for first.
    pub(super) next_person: usize,
    /// Places of the open record's elements in earlier pieces.
    pub(super) record_places: Vec<Place>,
    /// The last unknown name of an element, the block in which it stood, and its hint.
    last_stranger: Option<(String, Option<NodeId>, Option<Box<Text>>)>,
    /// Elements that checks across records found wrong after the whole file was read; this walk finds their records.
    pub(super) marks: Vec<Mark>,
    /// Persons that ended in this walk, and findings about persons, by the number of the person.
    pub(super) closed: u64,
    pub(super) about: About,
}

/// A finding of a check across records: offset of the element in the file, and rule.
pub(super) type Mark = (u64, RuleIx);

impl<'p> Walker<'p> {
    /// A walker at the beginning of a file.
    pub(super) fn at_head(context: FileContext<'p>) -> Self {
        let plan = context.plan;
        Self {
            context,
            frames: Vec::with_capacity(16),
            open: Vec::new(),
            skip: 0,
            n_zap: Vec::new(),
            id_pac: Vec::new(),
            idcase: Vec::new(),
            sl_id: Vec::new(),
            idserv: Vec::new(),
            local_sums: plan.sums.iter().map(|_| LocalSum::default()).collect(),
            local_keys: plan.local_keys.iter().map(|_| LocalKeys::default()).collect(),
            identity: vec![Vec::new(); plan.same_person.map_or(0, |(_, n)| n)],
            identity_at: 0,
            out: PieceOutcome::default(),
            kept: Vec::new(),
            base: 0,
            record: Record::default(),
            record_bytes: Vec::new(),
            next_person: 0,
            record_places: Vec::new(),
            last_stranger: None,
            marks: Vec::new(),
            closed: 0,
            about: About::default(),
        }
    }

    /// A walker between two records: the root is open and the head has been read.
    pub(super) fn between_records(context: FileContext<'p>, root: RootState) -> Self {
        let mut walker = Self::at_head(context);
        let format = context.format;
        let last = context.plan.record_position(format);
        walker.open = vec![format.node(format.root()).name.as_bytes().to_vec()];
        let RootState { seen, text_reported } = root;
        walker.frames.push(Frame { node: format.root(), place: Place::default(), block: None, seen, last, findings: 0, text_reported });
        walker
    }

    /// Whether the walker stands between two records, so that another can go on from here without its state.
    pub(super) fn is_between_records(&self) -> bool {
        let last = self.context.plan.record_position(self.context.format);
        self.skip == 0 && matches!(self.frames.as_slice(), [root] if root.last == last)
    }

    /// Sets the marks, sorted by offset, that are reported in the next piece.
    pub(super) fn mark(&mut self, marks: &[Mark]) {
        self.marks = marks.to_vec();
    }

    #[cold]
    fn report_marks(&mut self, node: NodeId, at: usize, value: Option<&[u8]>) {
        let offset = self.base + at as u64;
        for i in self.marks.partition_point(|m| m.0 < offset)..self.marks.len() {
            let (at, rule) = self.marks[i];
            if at != offset {
                break;
            }
            let finding = Finding { rule, ..self.finding_at(node, Place { offset, ..Place::default() }, value) };
            self.out.findings.push(finding);
        }
    }

    pub(super) fn walk(&mut self, scanner: &mut Scanner<'_>, bytes: &[u8]) -> Result<(), Fault> {
        loop {
            match scanner.next_token()? {
                Token::Leaf { at, name, text_at, text, attribute } => {
                    if self.skip == 0 {
                        self.leaf(at, name, text_at, &text, attribute)?;
                    } else {
                        name.check(at, self.context.encoding)?;
                        check_characters(&text, text_at)?;
                    }
                }
                Token::Open { at, name, attribute } => {
                    if self.skip > 0 {
                        self.skip += 1;
                    } else {
                        self.open_element(at, name, attribute)?;
                    }
                }
                Token::Close { .. } => {
                    if self.skip > 0 {
                        self.skip -= 1;
                    } else {
                        self.end_block(scanner.offset(), bytes);
                        self.close();
                    }
                }
                Token::Text { at, .. } => {
                    if self.skip == 0
                        && let Some(frame) = self.frames.last_mut()
                        && !std::mem::replace(&mut frame.text_reported, true)
                    {
                        let node = frame.node;
                        self.report(Check::TextInBlock, node, at, None);
                    }
                }
                Token::End => return Ok(()),
            }
        }
    }

    /// Finds an element among the children of the open block and checks order and repetition; `None` if it is no child (already reported).
    #[inline]
    fn place(&mut self, at: usize, name: Name<'_>) -> Result<Option<NodeId>, Fault> {
        let Some(frame) = self.frames.last_mut() else { return self.root(at, name).map(Some) };
        let children = &self.context.plan.children[usize::from(frame.node.0)];
        let found = name.key.and_then(|key| {
            // Elements come in order: look from the last one on, then from the beginning.
            children[frame.last..].iter().position(|c| c.0 == key).map(|i| i + frame.last).or_else(|| children[..frame.last].iter().position(|c| c.0 == key))
        });
        let Some(position) = found else {
            self.stranger(at, name)?;
            return Ok(None);
        };
        let node = children[position].1;
        let bit = 1u64 << position;
        if frame.seen & bit != 0 && self.context.format.node(frame.node).repeatable & bit == 0 {
            self.report(Check::Repeated, node, at, None);
        } else if position < frame.last {
            let before = children[frame.last].1;
            let found = self.context.format.node(before).name.to_string();
            self.report_with(Check::Order, node, at, None, None, Some(found));
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.seen |= bit;
            frame.last = frame.last.max(position);
        }
        Ok(Some(node))
    }

    #[cold]
    fn root(&mut self, at: usize, name: Name<'_>) -> Result<NodeId, Fault> {
        let root = self.context.format.node(self.context.format.root());
        if name.key != Some(root.key) {
            return Err(Fault::new(Check::WrongRoot).at(at as u64).expected(&root.name).found(hidden_name(&name.to_text(self.context.encoding))));
        }
        self.out.root_place = Some(self.place_of(at));
        Ok(self.context.format.root())
    }

    #[cold]
    fn stranger(&mut self, at: usize, name: Name<'_>) -> Result<(), Fault> {
        name.check(at, self.context.encoding)?;
        let (format, plan) = (self.context.format, self.context.plan);
        let text = name.to_text(self.context.encoding);
        let parent = self.frames.last().map_or_else(|| Arc::from(""), |f| Arc::clone(&format.node(f.node).path));
        let path: Arc<str> = format!("{parent}/{text}").into();
        let (check, expected) = match plan.places.get(text.as_str()) {
            Some(place) => (Check::Misplaced, format.node(*place).path.to_string()),
            None => (Check::Unknown, format!("{} {}", format.family, format.edition.id)),
        };
        let hint = if check == Check::Unknown { self.hint_of_name(&text) } else { None };
        let finding = Finding { path, expected: Some(expected.into()), hint, ..self.finding(check, format.root(), at) };
        self.out.findings.push(finding);
        Ok(())
    }

    /// Which element an unknown name may stand for: one that may stand here, else any of the format. Unknown names repeat, so the last is kept.
    fn hint_of_name(&mut self, name: &str) -> Option<Box<Text>> {
        let here = self.frames.last().map(|frame| frame.node);
        if let Some((own, block, hint)) = &self.last_stranger
            && own == name
            && *block == here
        {
            return hint.clone();
        }
        let (format, plan, hints) = (self.context.format, self.context.plan, self.context.catalog.hints());
        let is_known = |name: &str| plan.places.contains_key(name);
        let siblings = here.map_or(&[][..], |node| &format.node(node).children).iter().map(|child| &*format.node(*child).name);
        let odd = if name.is_ascii() { None } else { hints.odd(name, false, &|c| c.is_ascii_graphic(), &is_known) };
        let like = || nearest(name, siblings).or_else(|| nearest(name, plan.places.keys().map(|name| &**name))).map(|near| hints.like(near));
        let hint = odd.or_else(like).map(Box::new);
        self.last_stranger = Some((name.to_owned(), here, hint.clone()));
        hint
    }

    #[inline]
    fn leaf(&mut self, at: usize, name: Name<'_>, text_at: usize, text: &[u8], attribute: Option<&[u8]>) -> Result<(), Fault> {
        let findings = self.out.findings.len();
        let Some(node) = self.place(at, name)? else {
            return check_characters(text, text_at);
        };
        if attribute.is_some() {
            self.attribute(node, at, attribute);
        }
        if !self.marks.is_empty() {
            self.report_marks(node, at, Some(text));
        }
        let format = self.context.format;
        match &format.node(node).content {
            Content::Value(kind) => {
                if let Some(block) = self.frames.last().and_then(|f| f.block) {
                    self.record.value(block, format.node(node).position, text, self.base + at as u64);
                }
                if text.is_empty() {
                    self.report(Check::Empty, node, at, None);
                    self.value_hooks(node, at, text, false);
                    return Ok(());
                }
                let fits = kind.fits(text, self.context.encoding);
                if !fits {
                    check_characters(text, text_at)?;
                    self.misfit(node, at, text);
                }
                self.value_hooks(node, at, text, fits);
            }
            Content::Block => {
                check_characters(text, text_at)?;
                self.enter(node, at, findings);
                if !text.iter().all(u8::is_ascii_whitespace) {
                    self.report(Check::TextInBlock, node, text_at, None);
                }
                self.close();
            }
        }
        Ok(())
    }

    #[cold]
    fn misfit(&mut self, node: NodeId, at: usize, text: &[u8]) {
        if let Some(byte) = self.context.encoding.undefined(text) {
            self.report_with(Check::EncodingByte, node, at, Some(text), None, Some(format!("0x{byte:02X}")));
            return;
        }
        let format = self.context.format;
        let Some(kind) = format.node(node).value_type() else { return };
        if let Some(fault) = kind.diagnose(text, self.context.encoding) {
            let check = fault.check;
            self.report_with(check, node, at, Some(text), fault.expected, fault.found);
            let value = self.context.encoding.decode(text);
            let Some(finding) = self.out.findings.last_mut() else { return };
            let fits = |text: &str| kind.fits(text.as_bytes(), Encoding::Utf8);
            let personal = format.node(node).personal;
            let hints = self.context.catalog.hints();
            let day = if check == Check::NotDate { hints.date(&value, &fits) } else { None };
            // Where every character is allowed, one may still be wrong at its place in a mask, but a length or a fraction says nothing of that.
            if day.is_some() {
                finding.hint = day.filter(|_| !personal).map(Box::new);
            } else if matches!(check, Check::Mask | Check::NotInList) || value.chars().any(|c| !kind.allows(c)) {
                finding.hint = hints.odd(&value, personal, &|c| kind.allows(c), &fits).map(Box::new);
            }
        }
    }

    fn open_element(&mut self, at: usize, name: Name<'_>, attribute: Option<&[u8]>) -> Result<(), Fault> {
        let findings = self.out.findings.len();
        let Some(node) = self.place(at, name)? else {
            self.skip = 1;
            return Ok(());
        };
        if attribute.is_some() {
            self.attribute(node, at, attribute);
        }
        if !self.marks.is_empty() {
            self.report_marks(node, at, None);
        }
        match self.context.format.node(node).content {
            Content::Block => self.enter(node, at, findings),
            Content::Value(_) => {
                self.report(Check::BlockInText, node, at, None);
                self.skip = 1;
            }
        }
        Ok(())
    }

    #[cold]
    fn attribute(&mut self, node: NodeId, at: usize, attribute: Option<&[u8]>) {
        let Some(name) = attribute else { return };
        let namespace = name.starts_with(b"xmlns") || name.starts_with(b"xsi:");
        let check = if namespace && self.frames.is_empty() { Check::Namespace } else { Check::Attribute };
        self.report_with(check, node, at, None, None, Some(hidden_name(&self.context.encoding.decode(name))));
    }

    pub(super) fn hooks(&self, node: NodeId) -> Option<&'p Hooks> {
        self.context.plan.hooks[usize::from(node.0)].as_deref()
    }

    /// Opens a block. Findings from index `findings` on are about its start tag and belong to its record too.
    fn enter(&mut self, node: NodeId, at: usize, findings: usize) {
        let block = self.open_block(node, at);
        self.frames.push(Frame { node, place: self.place_of(at), block, seen: 0, last: 0, findings, text_reported: false });
        let Some(hooks) = self.hooks(node) else { return };
        match hooks.tally {
            Some(Tally::Record) => {
                self.out.records += 1;
                self.identity.iter_mut().for_each(Vec::clear);
                self.identity_at = self.base + at as u64;
            }
            Some(Tally::Case) => {
                self.out.cases += 1;
                for text in [&mut self.idcase, &mut self.sl_id, &mut self.idserv] {
                    text.clear();
                }
            }
            Some(Tally::Service) => {
                self.out.services += 1;
                self.idserv.clear();
            }
            _ => {}
        }
        for index in &hooks.counts {
            self.out.counts[*index] += 1;
        }
        for index in &hooks.opens_keys {
            self.local_keys[*index].clear();
        }
        for index in &hooks.opens_sums {
            self.local_sums[*index] = LocalSum::default();
        }
    }

    /// Opens a block of the kept record; `None` outside of records.
    #[inline]
    fn open_block(&mut self, node: NodeId, at: usize) -> Option<usize> {
        let offset = self.base + at as u64;
        if node == self.context.plan.record {
            self.record.clear(offset);
            self.record_places.clear();
            self.record_bytes.clear();
            return Some(self.record.open(self.context.format, node, None, offset));
        }
        let parent = self.frames.last()?.block?;
        Some(self.record.open(self.context.format, node, Some(parent), offset))
    }

    /// Closes the innermost block in the kept record; `end` is the offset behind its end tag in the piece. At the end of a record, reads its cases.
    #[inline]
    fn end_block(&mut self, end: usize, bytes: &[u8]) {
        let Some(block) = self.frames.last().and_then(|f| f.block) else { return };
        self.record.close(block, self.base + end as u64);
        if let (0, Some(reading)) = (block, self.context.reading) {
            self.read_cases(reading, &bytes[..end]);
        }
    }

    fn close(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        let format = self.context.format;
        let node = format.node(frame.node);
        if self.frames.is_empty() {
            // Earlier pieces have seen other children of the root, so missing ones are reported at the end of the file.
            self.out.root.join(RootState { seen: frame.seen, text_reported: frame.text_reported });
            return;
        }
        let mut missing = node.required & !frame.seen;
        while missing != 0 {
            let child = node.children[missing.trailing_zeros() as usize];
            missing &= missing - 1;
            let finding = Finding { place: frame.place, ..self.finding(Check::Missing, child, 0) };
            self.out.findings.push(finding);
            self.without_addend(child);
        }
        if let Some(hooks) = self.hooks(frame.node) {
            self.close_scopes(hooks, &frame);
        }
    }

    pub(super) fn current_keys(&self) -> Keys {
        let text = |bytes: &Vec<u8>| (!bytes.is_empty()).then(|| self.context.encoding.decode(bytes).into());
        Keys { n_zap: text(&self.n_zap), idcase: text(&self.idcase), sl_id: text(&self.sl_id), idserv: text(&self.idserv), id_pac: text(&self.id_pac) }
    }

    fn finding(&self, check: Check, node: NodeId, at: usize) -> Finding {
        Finding { rule: self.context.plan.rule(check), ..self.finding_at(node, self.place_of(at), None) }
    }

    pub(super) fn place_of(&self, at: usize) -> Place {
        Place { offset: self.base + at as u64, ..Place::default() }
    }

    pub(super) fn finding_at(&self, node: NodeId, place: Place, value: Option<&[u8]>) -> Finding {
        let node = self.context.format.node(node);
        let value = value.map(|v| self.context.encoding.decode(v));
        Finding {
            path: Arc::clone(&node.path),
            place,
            keys: self.current_keys(),
            personal: is_personal(node, value.as_deref()),
            value: value.as_deref().map(shown),
            ..Finding::of_file(RuleIx(0), self.context.file)
        }
    }

    fn report(&mut self, check: Check, node: NodeId, at: usize, value: Option<&[u8]>) {
        self.report_with(check, node, at, value, None, None);
    }

    #[cold]
    fn report_with(&mut self, check: Check, node: NodeId, at: usize, value: Option<&[u8]>, expected: Option<String>, found: Option<String>) {
        let rule = self.context.plan.rule(check);
        let finding = self.finding_at(node, self.place_of(at), value);
        self.out.findings.push(Finding { rule, expected: expected.map(Into::into), found: found.map(Into::into), ..finding });
    }
}

/// Whether a value is hidden: that of a person, and a Russian word where the element has no Russian letters, for it may be a name in the wrong place.
pub(super) fn is_personal(node: &Node, value: Option<&str>) -> bool {
    node.personal || node.value_type().zip(value).is_some_and(|(kind, value)| !kind.allows(LETTER) && has_word(value))
}

/// The name of an element or attribute for the place in a finding that has no mask of its own: a Russian word may be a surname.
fn hidden_name(name: &str) -> String {
    if has_word(name) { mask_personal(name) } else { name.to_owned() }
}

/// Longest value that a finding carries, in characters.
const SHOWN: usize = 120;

pub(super) fn shown(text: &str) -> Box<str> {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}
