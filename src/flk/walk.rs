//! Walks the elements of a piece of a file and says what does not fit the format: structure, values, and what relations need later.

use std::sync::Arc;

use crate::cases::{Index, Reading};
use crate::finding::{Catalog, Check, FileRole, Finding, Keys, Place, RuleIx};
use crate::registry::chunk::{Chunk, record_too_large};
use crate::registry::encoding::Encoding;
use crate::registry::fault::Fault;
use crate::registry::format::{Content, Format, NodeId, Role};
use crate::registry::record::Record;
use crate::registry::scan::{Name, ScanLimits, Scanner, Token, check_characters};
use crate::rules::Work;
use crate::timings::Timings;
use crate::values::{kopecks, money};

use super::keyset::{Key, hash, key_of};
use super::named::Wanted;
use super::places::{Progressed, resolve};
use super::plan::{Context, Hooks, Plan, Tally};
use super::rulebook::FileRules;

/// What stays the same for all pieces of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileContext<'p> {
    pub(super) format: &'p Format,
    pub(super) plan: &'p Plan,
    pub(super) catalog: &'p Catalog,
    pub(super) file: FileRole,
    pub(super) encoding: Encoding,
    pub(super) limits: ScanLimits,
    /// Bytes that are walked at once.
    pub(super) piece: usize,
    /// Federal rules, where some are in force.
    pub(super) rules: Option<&'p FileRules<'p>>,
    /// Persons whose records are looked for.
    pub(super) wanted: Option<&'p Wanted>,
    /// How the cases are read, where they are wanted.
    pub(super) reading: Option<&'p Reading>,
    /// Where the time goes, if that is measured.
    pub(super) timings: Option<&'p Timings>,
}

/// A value of the header or the account, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeadValue {
    pub(super) role: Role,
    pub(super) node: NodeId,
    pub(super) text: String,
    pub(super) place: Place,
}

/// A running sum in kopecks; `broken` when an addend could not be read, so that a comparison would only repeat that finding.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Running {
    pub(super) kopecks: i128,
    pub(super) addends: u64,
    pub(super) broken: bool,
}

/// What has been seen of the root's own content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RootState {
    /// Children by position.
    pub(super) seen: u64,
    /// Text beside them has been reported.
    pub(super) text_reported: bool,
}

impl RootState {
    pub(super) fn join(&mut self, other: Self) {
        self.seen |= other.seen;
        self.text_reported |= other.text_reported;
    }
}

/// What one piece came to. Places are counted from the first byte of the piece; those before it are of the file already.
#[derive(Debug, Default)]
pub(super) struct PieceOutcome {
    /// Offset of the piece.
    pub(super) base: u64,
    pub(super) findings: Vec<Finding>,
    pub(super) head: Vec<HeadValue>,
    pub(super) keys: Vec<Vec<Key>>,
    /// Identities of persons.
    pub(super) identities: Vec<Key>,
    pub(super) sums: Vec<Running>,
    pub(super) counts: Vec<u64>,
    pub(super) records: u64,
    pub(super) cases: u64,
    pub(super) services: u64,
    pub(super) case_sum: Running,
    /// What the records came to for rules of the head.
    pub(super) work: Work,
    /// Persons as [`super::persons::Keeping`] writes them.
    pub(super) persons: Vec<u8>,
    /// Records of wanted persons as [`Wanted::write`] writes them.
    pub(super) named: Vec<u8>,
    /// Cases or persons of its records, where they are wanted.
    pub(super) index: Index,
    pub(super) root: RootState,
    pub(super) root_place: Option<Place>,
    pub(super) read: Progressed,
    pub(super) fault: Option<Fault>,
    /// Place of the fault.
    pub(super) fault_place: Option<Place>,
}

#[derive(Debug)]
pub(super) struct Frame {
    node: NodeId,
    pub(super) place: Place,
    /// Its block in the record that is kept for rules and cases; `None` outside of records.
    block: Option<usize>,
    seen: u64,
    last: usize,
    pub(super) findings: usize,
    text_reported: bool,
}

#[derive(Debug, Default)]
struct LocalSum {
    running: Running,
    total: Option<(i64, Place)>,
}

#[derive(Debug, Default)]
struct LocalKeys {
    texts: Vec<u8>,
    /// End of each text in `texts` and place of its element.
    ends: Vec<(usize, Place)>,
}

/// The state of a walk; it may be carried from one piece to the next.
#[derive(Debug)]
pub(super) struct Walker<'p> {
    pub(super) context: FileContext<'p>,
    frames: Vec<Frame>,
    open: Vec<Vec<u8>>,
    skip: usize,
    n_zap: Vec<u8>,
    pub(super) id_pac: Vec<u8>,
    idcase: Vec<u8>,
    sl_id: Vec<u8>,
    idserv: Vec<u8>,
    local_sums: Vec<LocalSum>,
    local_keys: Vec<LocalKeys>,
    identity: Vec<Vec<u8>>,
    /// Where the record's ID_PAC stands, else the record.
    pub(super) identity_at: u64,
    pub(super) out: PieceOutcome,
    /// Findings of a record that goes on in the next piece: its numbers may stand there.
    kept: Vec<Finding>,
    base: u64,
    /// The open record, kept for rules and cases.
    pub(super) record: Record,
    /// Its bytes in the pieces before, where cases are read.
    record_bytes: Vec<u8>,
    /// Where the record's person is looked for first.
    pub(super) next_person: usize,
    /// Places of its elements in the pieces before.
    pub(super) record_places: Vec<Place>,
    /// Offsets of elements that a relation found wrong after the whole file was read: meeting them again gives the finding its record.
    marks: Vec<Mark>,
}

/// What a relation found wrong at an element: its offset in the file and the rule.
pub(super) type Mark = (u64, RuleIx);

impl<'p> Walker<'p> {
    /// A walker at the head of a file.
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
            marks: Vec::new(),
        }
    }

    /// A walker between two records: the root is open, its head is behind.
    pub(super) fn between_records(context: FileContext<'p>, root: RootState) -> Self {
        let mut walker = Self::at_head(context);
        let format = context.format;
        let last = context.plan.record_position(format);
        walker.open = vec![format.node(format.root()).name.as_bytes().to_vec()];
        let RootState { seen, text_reported } = root;
        walker.frames.push(Frame { node: format.root(), place: Place::default(), block: None, seen, last, findings: 0, text_reported });
        walker
    }

    /// Whether the walker stands between two records, so that another may go on from here without knowing more.
    pub(super) fn is_between_records(&self) -> bool {
        let last = self.context.plan.record_position(self.context.format);
        self.skip == 0 && matches!(self.frames.as_slice(), [root] if root.last == last)
    }

    /// In the next piece, also reports these marks, sorted by offset.
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

    /// Walks the next piece.
    pub(super) fn chunk(&mut self, chunk: &Chunk) -> PieceOutcome {
        let (text, base) = chunk.text();
        self.walk_piece(text, base, chunk.last, chunk.cut)
    }

    /// Walks one piece that starts at an offset of the file. The last piece must close the root.
    pub(super) fn piece(&mut self, bytes: &[u8], base: u64, last: bool) -> PieceOutcome {
        self.walk_piece(bytes, base, last, false)
    }

    fn walk_piece(&mut self, bytes: &[u8], base: u64, last: bool, cut: bool) -> PieceOutcome {
        let plan = self.context.plan;
        self.base = base;
        self.out = PieceOutcome {
            base,
            findings: std::mem::take(&mut self.kept),
            keys: plan.keys.iter().map(|_| Vec::new()).collect(),
            sums: vec![Running::default(); plan.sums.len()],
            counts: vec![0; plan.counts.len()],
            work: self.context.rules.map_or_else(Work::default, |r| r.set.work()),
            ..PieceOutcome::default()
        };
        let mut scanner = Scanner::new(bytes, self.context.encoding, self.context.limits, std::mem::take(&mut self.open));
        let mut fault = self.walk(&mut scanner, bytes).err();
        if fault.is_none() && last && !scanner.root_closed() {
            let open = if scanner.depth() == 0 { self.context.format.node(self.context.format.root()).name.to_string() } else { scanner.innermost() };
            fault = Some(Fault::new(Check::XmlTruncated).at(bytes.len() as u64).expected(open));
        }
        self.open = scanner.open_names();
        let mut out = std::mem::take(&mut self.out);
        if let Some(root) = self.frames.first() {
            out.root.join(RootState { seen: root.seen, text_reported: root.text_reported });
        }
        out.fault = fault.map(|f| Fault { offset: f.offset.map(|o| o + base), ..f });
        out.fault_place = out.fault.as_ref().and_then(|f| f.offset).map(|offset| Place { offset, ..Place::default() });
        let goes_on = !last && out.fault.is_none();
        // A record that is too long, or that was cut for its size, which looks like the end of the file.
        let record = self.frames.get(1).map_or(Place { offset: base, ..Place::default() }, |inner| inner.place);
        let long = goes_on && self.frames.len() > 1 && base + bytes.len() as u64 - record.offset > self.context.limits.record as u64;
        if long || cut && out.fault.as_ref().is_none_or(|f| f.check == Check::XmlTruncated) {
            out.fault = Some(record_too_large(record.offset, self.context.limits.record));
            out.fault_place = Some(record);
        }
        let found = out.findings.iter_mut().map(|f| &mut f.place).chain(out.head.iter_mut().map(|h| &mut h.place));
        let tangled = goes_on && self.frames.len() > 1;
        if tangled {
            self.keep_places(base);
            self.keep_bytes(bytes);
        }
        let held = if tangled { Some(held(&mut self.frames, &mut self.local_keys, &mut self.local_sums, &mut self.record_places)) } else { None };
        let places = found.chain(&mut out.root_place).chain(&mut out.fault_place).chain(held.into_iter().flatten());
        out.read = resolve(places, bytes, base, self.context.encoding);
        if goes_on {
            self.keep(&mut out);
        }
        out
    }

    fn keep(&mut self, out: &mut PieceOutcome) {
        let from = self.frames.get(1).map_or(out.findings.len(), |inner| inner.findings);
        let keeps = out.findings.len() - from <= KEPT;
        if keeps {
            self.kept = out.findings.split_off(from);
        }
        for frame in &mut self.frames {
            frame.findings = if keeps { frame.findings.saturating_sub(from) } else { 0 };
        }
    }

    /// After a piece that the walker goes on from: `read` is how far the file had been read before that piece, so that what the walker
    /// keeps of it has its place in the file.
    pub(super) fn settle(&mut self, read: Progressed) {
        let base = self.base;
        let places =
            held(&mut self.frames, &mut self.local_keys, &mut self.local_sums, &mut self.record_places).chain(self.kept.iter_mut().map(|f| &mut f.place));
        places.filter(|place| place.offset >= base).for_each(|place| read.shift(place));
    }

    fn walk(&mut self, scanner: &mut Scanner<'_>, bytes: &[u8]) -> Result<(), Fault> {
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

    /// Finds an element among the children of the open block and checks that it may stand here; none when it may not (already reported).
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
            return Err(Fault::new(Check::WrongRoot).at(at as u64).expected(&root.name).found(name.to_text(self.context.encoding)));
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
        let finding = Finding { path, expected: Some(expected.into()), ..self.finding(check, format.root(), at) };
        self.out.findings.push(finding);
        Ok(())
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
        if let Some(fault) = format.node(node).value_type().and_then(|kind| kind.diagnose(text, self.context.encoding)) {
            self.report_with(fault.check, node, at, Some(text), fault.expected, fault.found);
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
        self.report_with(check, node, at, None, None, Some(self.context.encoding.decode(name).into_owned()));
    }

    fn hooks(&self, node: NodeId) -> Option<&'p Hooks> {
        self.context.plan.hooks[usize::from(node.0)].as_deref()
    }

    /// A block opens; what was found at it, from the finding at `findings` on, is of its record too.
    fn enter(&mut self, node: NodeId, at: usize, findings: usize) {
        let keeps_record = self.context.rules.is_some() || self.context.reading.is_some();
        let block = if keeps_record { self.open_block(node, at) } else { None };
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

    /// A block of the record that is kept; `None` outside of records.
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

    /// The end tag of the innermost block ends at an offset of the piece.
    #[inline]
    fn end_block(&mut self, end: usize, bytes: &[u8]) {
        let Some(block) = self.frames.last().and_then(|f| f.block) else { return };
        self.record.close(block, self.base + end as u64);
        if let (0, Some(reading)) = (block, self.context.reading) {
            self.read_cases(reading, &bytes[..end]);
        }
    }

    /// Reads the cases of a record that ends with these bytes of the piece.
    fn read_cases(&mut self, reading: &Reading, bytes: &[u8]) {
        let here = self.record_start();
        let record = if self.record_bytes.is_empty() {
            &bytes[here..]
        } else {
            self.record_bytes.extend_from_slice(bytes);
            &self.record_bytes
        };
        reading.read(&self.record, record, &mut self.out.index);
    }

    /// Offset in the piece at which the open record begins; 0 if it began before.
    fn record_start(&self) -> usize {
        self.record.offset(0).saturating_sub(self.base) as usize
    }

    /// Keeps the bytes of a record that goes on in the next piece.
    fn keep_bytes(&mut self, bytes: &[u8]) {
        if self.context.reading.is_some() && self.frames.iter().any(|f| f.block.is_some()) {
            self.record_bytes.extend_from_slice(&bytes[self.record_start()..]);
        }
    }

    fn close(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        let format = self.context.format;
        let node = format.node(frame.node);
        if self.frames.is_empty() {
            // The pieces before have seen other children of the root: the file's end judges them.
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

    fn close_scopes(&mut self, hooks: &'p Hooks, frame: &Frame) {
        for index in &hooks.opens_keys {
            self.judge_local_keys(*index);
        }
        for index in &hooks.opens_sums {
            self.judge_local_sum(*index);
        }
        if self.out.findings.len() > frame.findings {
            self.complete_keys(frame.findings);
        }
        match hooks.tally {
            Some(Tally::Service) => self.idserv.clear(),
            Some(Tally::Case) => {
                for text in [&mut self.idcase, &mut self.sl_id] {
                    text.clear();
                }
            }
            Some(Tally::Record) => {
                self.judge_identity();
                if let (Some(rules), Some(_)) = (self.context.rules, frame.block) {
                    self.judge_record(rules, frame);
                }
                if let Some(wanted) = self.context.wanted {
                    let (id_pac, n_zap) = (self.context.encoding.decode(&self.id_pac), self.context.encoding.decode(&self.n_zap));
                    wanted.write(&id_pac, &n_zap, &mut self.out.named);
                }
                for text in [&mut self.n_zap, &mut self.id_pac, &mut self.idcase, &mut self.sl_id, &mut self.idserv] {
                    text.clear();
                }
            }
            _ if self.context.format.role(Role::Part) == Some(frame.node) => self.sl_id.clear(),
            _ => {}
        }
    }

    /// A sum that lacks an addend is not compared: that would say the same again.
    fn without_addend(&mut self, missing: NodeId) {
        for index in self.hooks(missing).map_or(&[][..], |h| h.addends.as_slice()) {
            if self.context.plan.sums[*index].of_file {
                self.out.sums[*index].broken = true;
            } else {
                self.local_sums[*index].running.broken = true;
            }
        }
    }

    /// Findings of a block that stand before its number get the number too.
    #[cold]
    fn complete_keys(&mut self, from: usize) {
        let keys = self.current_keys();
        for finding in &mut self.out.findings[from..] {
            let own = &mut finding.keys;
            for (slot, value) in [
                (&mut own.n_zap, &keys.n_zap),
                (&mut own.id_pac, &keys.id_pac),
                (&mut own.idcase, &keys.idcase),
                (&mut own.sl_id, &keys.sl_id),
                (&mut own.idserv, &keys.idserv),
            ] {
                if slot.is_none() {
                    slot.clone_from(value);
                }
            }
        }
    }

    fn judge_local_keys(&mut self, index: usize) {
        let LocalKeys { texts, ends } = std::mem::take(&mut self.local_keys[index]);
        if ends.len() > 1 {
            let text = |i: usize| &texts[if i == 0 { 0 } else { ends[i - 1].0 }..ends[i].0];
            let mut order: Vec<usize> = (0..ends.len()).collect();
            order.sort_by_key(|i| (text(*i), *i));
            let mut again: Vec<usize> = order.windows(2).filter(|w| text(w[0]) == text(w[1])).map(|w| w[1]).collect();
            again.sort_unstable();
            let rule = self.context.plan.local_keys[index].rule;
            let node = self.local_key_node(index);
            let context = self.hooks(node).and_then(|h| h.context);
            for i in again {
                let mut finding = Finding { rule, ..self.finding_at(node, ends[i].1, Some(text(i))) };
                // The block of the key is closed: its number is the key itself.
                match context {
                    Some(Context::SlId) => finding.keys.sl_id.clone_from(&finding.value),
                    Some(Context::IdServ) => finding.keys.idserv.clone_from(&finding.value),
                    _ => {}
                }
                self.out.findings.push(finding);
            }
        }
        self.local_keys[index] = LocalKeys { texts, ends };
        self.local_keys[index].clear();
    }

    fn local_key_node(&self, index: usize) -> NodeId {
        let at = self.context.plan.hooks.iter().position(|h| h.as_ref().is_some_and(|h| h.local_keys.contains(&index)));
        NodeId(at.unwrap_or(0) as u16)
    }

    fn judge_local_sum(&mut self, index: usize) {
        let LocalSum { running, total } = std::mem::take(&mut self.local_sums[index]);
        let Some((declared, at)) = total else { return };
        if running.addends == 0 || running.broken || running.kopecks == i128::from(declared) {
            return;
        }
        let sum = &self.context.plan.sums[index];
        let found = i64::try_from(running.kopecks).map_or_else(|_| "∞".to_owned(), money);
        let finding = Finding { rule: sum.rule, found: Some(found.into()), ..self.finding_at(sum.total, at, Some(money(declared).as_bytes())) };
        self.out.findings.push(finding);
    }

    fn judge_identity(&mut self) {
        // Newborns have no name of their own: without surname and name there is nobody to compare.
        if self.identity.len() < 2 || self.identity[0].is_empty() || self.identity[1].is_empty() {
            return;
        }
        let key = self.identity.iter().fold(0, |state, text| hash(state, text)) | 1 << 63;
        self.out.identities.push(Key { key, offset: self.identity_at });
    }

    #[inline]
    fn value_hooks(&mut self, node: NodeId, at: usize, text: &[u8], fits: bool) {
        let Some(hooks) = self.hooks(node) else { return };
        self.run_value_hooks(hooks, node, at, text, fits);
    }

    fn run_value_hooks(&mut self, hooks: &'p Hooks, node: NodeId, at: usize, text: &[u8], fits: bool) {
        let place = self.place_of(at);
        if let Some(context) = hooks.context {
            let slot = match context {
                Context::NZap => &mut self.n_zap,
                Context::IdPac => &mut self.id_pac,
                Context::IdCase => &mut self.idcase,
                Context::SlId => &mut self.sl_id,
                Context::IdServ => &mut self.idserv,
            };
            slot.clear();
            slot.extend_from_slice(&text[..text.len().min(64)]);
            if context == Context::IdPac {
                self.identity_at = place.offset;
            }
        }
        if let Some(position) = hooks.identity {
            let slot = &mut self.identity[position];
            slot.clear();
            slot.extend_from_slice(text);
        }
        if let Some(role) = hooks.head
            && self.out.head.iter().all(|h| h.role != role)
        {
            let text = self.context.encoding.decode(text).into_owned();
            self.out.head.push(HeadValue { role, node, text, place });
        }
        if !text.is_empty() {
            for index in &hooks.keys {
                let numeric = self.context.plan.keys[*index].numeric;
                self.out.keys[*index].push(Key { key: key_of(text, numeric), offset: place.offset });
            }
            for index in &hooks.local_keys {
                let keys = &mut self.local_keys[*index];
                keys.texts.extend_from_slice(text);
                keys.ends.push((keys.texts.len(), place));
            }
        }
        let amount = if hooks.addends.is_empty() && hooks.totals.is_empty() && hooks.tally.is_none() { None } else { kopecks(text).filter(|_| fits) };
        if hooks.tally == Some(Tally::CaseSum) {
            self.out.case_sum.add(amount);
        }
        for index in &hooks.addends {
            if self.context.plan.sums[*index].of_file {
                self.out.sums[*index].add(amount);
            } else {
                self.local_sums[*index].running.add(amount);
            }
        }
        for index in &hooks.totals {
            self.local_sums[*index].total = amount.map(|a| (a, place));
        }
    }

    fn current_keys(&self) -> Keys {
        let text = |bytes: &Vec<u8>| (!bytes.is_empty()).then(|| self.context.encoding.decode(bytes).into());
        Keys { n_zap: text(&self.n_zap), idcase: text(&self.idcase), sl_id: text(&self.sl_id), idserv: text(&self.idserv), id_pac: text(&self.id_pac) }
    }

    fn finding(&self, check: Check, node: NodeId, at: usize) -> Finding {
        Finding { rule: self.context.plan.rule(check), ..self.finding_at(node, self.place_of(at), None) }
    }

    fn place_of(&self, at: usize) -> Place {
        Place { offset: self.base + at as u64, ..Place::default() }
    }

    fn finding_at(&self, node: NodeId, place: Place, value: Option<&[u8]>) -> Finding {
        let node = self.context.format.node(node);
        Finding {
            path: Arc::clone(&node.path),
            place,
            keys: self.current_keys(),
            value: value.map(|v| shown(&self.context.encoding.decode(v))),
            personal: node.personal,
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

impl Running {
    fn add(&mut self, amount: Option<i64>) {
        self.addends += 1;
        match amount {
            Some(amount) => self.kopecks += i128::from(amount),
            None => self.broken = true,
        }
    }

    /// Joins the sum of a later piece.
    pub(super) fn join(&mut self, other: Self) {
        self.kopecks += other.kopecks;
        self.addends += other.addends;
        self.broken |= other.broken;
    }
}

impl LocalKeys {
    fn clear(&mut self) {
        self.texts.clear();
        self.ends.clear();
    }
}

/// Places that an unfinished record may still need.
fn held<'w>(frames: &'w mut [Frame], keys: &'w mut [LocalKeys], sums: &'w mut [LocalSum], record: &'w mut [Place]) -> impl Iterator<Item = &'w mut Place> {
    let keys = keys.iter_mut().flat_map(|k| k.ends.iter_mut().map(|(_, place)| place));
    let totals = sums.iter_mut().filter_map(|s| s.total.as_mut()).map(|(_, place)| place);
    frames.iter_mut().map(|f| &mut f.place).chain(keys).chain(totals).chain(record)
}

/// Findings that wait for the end of their record across pieces; beyond so many they go without its numbers.
const KEPT: usize = 4096;

/// Longest value that a finding carries.
const SHOWN: usize = 120;

pub(super) fn shown(text: &str) -> Box<str> {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}
